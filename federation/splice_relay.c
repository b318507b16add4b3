/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the middle: bytes in on one leg, out on the other, never more held than
 * the window that the receiver granted, never more in a day than agreed.
 */
#include "federation/splice_impl.h"

enum {
    DAY_MS = 24 * 3600 * 1000
};

/* Today's account of target; the oldest one makes room. */
static struct fed_splice_day *
account(struct fed_splice *s, const struct clinic_id *target)
{
    uint64_t today = clock_wall_ms(s->clock) / DAY_MS;
    struct fed_splice_day *oldest = &s->days[0];

    for (size_t i = 0; i < LIMIT_SPLICES; i++) {
        struct fed_splice_day *d = &s->days[i];

        if (clinic_id_equal(&d->target, target)) {
            if (d->day != today) {
                d->day = today;
                d->bytes = 0;
            }
            return d;
        }
        if (d->day < oldest->day) {
            oldest = d;
        }
    }
    *oldest = (struct fed_splice_day){*target, today, 0};
    return oldest;
}

enum proto_splice_code
fed_relay_open(struct fed_splice *s, const struct fed_leg *from,
               const struct clinic_id *target)
{
    struct fed_peer_info info;
    struct fed_relay *r;
    struct proto_peer_msg m = {.type = PROTO_PEER_SPLICE_OPEN};
    uint64_t day_bytes = 0;

    if (s->user.allow(s->user.ctx, &from->peer.root, target, &day_bytes) !=
        OK) {
        return PROTO_SPLICE_DENIED;
    }
    if (!fed_net_find(s->net, target, &info)) {
        return PROTO_SPLICE_AWAY;
    }
    if (s->relays_n >= LIMIT_SPLICES ||
        account(s, target)->bytes >= day_bytes) {
        return PROTO_SPLICE_QUOTA;
    }
    r = mem_alloc(s->mem, sizeof(*r));
    if (r == NULL) {
        return PROTO_SPLICE_QUOTA;
    }
    r->leg[0] = *from;
    r->leg[1] = (struct fed_leg){info.peer, fed_splice_id(s, target)};
    r->target = *target;
    r->day_bytes = day_bytes;
    r->way[0].credit = LIMIT_SPLICE_WINDOW;
    r->way[1].credit = LIMIT_SPLICE_WINDOW;
    m.u.splice_open.id = r->leg[1].id;
    memcpy(m.u.splice_open.root, target->b, sizeof(target->b));
    if (fed_splice_say(s, &info.peer, &m) != OK) {
        mem_free(s->mem, r, sizeof(*r));
        return PROTO_SPLICE_AWAY;
    }
    r->next = s->relays;
    s->relays = r;
    s->relays_n++;
    return PROTO_SPLICE_DONE;
}

void
fed_relay_drop(struct fed_splice *s, struct fed_relay *r)
{
    struct fed_relay **at = &s->relays;

    while (*at != r) {
        at = &(*at)->next;
    }
    *at = r->next;
    s->relays_n--;
    bytes_free(&r->way[0].held);
    bytes_free(&r->way[1].held);
    mem_free(s->mem, r, sizeof(*r));
}

/* Both sides are told; r is gone. */
static void
end_both(struct fed_splice *s, struct fed_relay *r, uint64_t code)
{
    fed_splice_say_close(s, &r->leg[0], code);
    fed_splice_say_close(s, &r->leg[1], code);
    fed_relay_drop(s, r);
}

void
fed_relay_judge(struct fed_splice *s, struct fed_relay *r)
{
    uint64_t day_bytes = 0;

    if (s->user.allow(s->user.ctx, &r->leg[0].peer.root, &r->target,
                      &day_bytes) != OK) {
        end_both(s, r, PROTO_SPLICE_DENIED);
    } else {
        r->day_bytes = day_bytes;
    }
}

/* True when everything for direction way is sent. */
static bool
flush_way(struct fed_splice *s, struct fed_relay *r, int way)
{
    struct bytes *held = &r->way[way].held;
    const struct fed_leg *to = &r->leg[1 - way];
    const struct fed_leg *back = &r->leg[way];
    size_t at = 0;

    while (at < held->len) {
        struct proto_peer_msg m = {.type = PROTO_PEER_SPLICE_DATA};
        size_t n = held->len - at;

        n = n < LIMIT_SPLICE_CHUNK ? n : LIMIT_SPLICE_CHUNK;
        m.u.splice_data.id = to->id;
        m.u.splice_data.bytes = view_make(held->p + at, n);
        if (fed_splice_say(s, &to->peer, &m) != OK) {
            break; /* room or the end is told to us */
        }
        at += n;
    }
    if (at == held->len) {
        bytes_free(held);
    } else if (at > 0) {
        memmove(held->p, held->p + at, held->len - at);
        bytes_truncate(held, held->len - at);
    }
    if (r->way[way].more > 0) {
        struct proto_peer_msg m = {.type = PROTO_PEER_SPLICE_MORE};

        m.u.splice_more.id = back->id;
        m.u.splice_more.credit = r->way[way].more;
        if (fed_splice_say(s, &back->peer, &m) == OK) {
            r->way[way].more = 0;
        }
    }
    return held->len == 0;
}

void
fed_relay_flush(struct fed_splice *s, struct fed_relay *r)
{
    for (int way = 0; way < 2; way++) {
        if (flush_way(s, r, way) && r->way[way].over) {
            fed_splice_say_close(s, &r->leg[1 - way], r->way[way].code);
            fed_relay_drop(s, r);
            return;
        }
    }
}

enum err
fed_relay_data(struct fed_splice *s, struct fed_relay *r, int side,
               struct view bytes)
{
    struct fed_splice_day *day = account(s, &r->target);
    enum err e;

    if (bytes.len > r->way[side].credit || r->way[side].over) {
        end_both(s, r, PROTO_SPLICE_PROTOCOL);
        return ERR_LIMIT;
    }
    r->way[side].credit -= bytes.len;
    day->bytes += bytes.len;
    s->bytes += bytes.len;
    if (day->bytes > r->day_bytes) {
        end_both(s, r, PROTO_SPLICE_QUOTA);
        return OK;
    }
    e = bytes_append(s->mem, &r->way[side].held, bytes);
    if (e != OK) {
        end_both(s, r, PROTO_SPLICE_QUOTA);
        return OK;
    }
    fed_relay_flush(s, r);
    return OK;
}

/* side has taken credit bytes: the other one may send as many more. */
enum err
fed_relay_more(struct fed_splice *s, struct fed_relay *r, int side,
               uint64_t credit)
{
    int way = 1 - side;

    if (r->way[way].credit + r->way[way].held.len + credit >
        LIMIT_SPLICE_WINDOW) {
        end_both(s, r, PROTO_SPLICE_PROTOCOL);
        return ERR_LIMIT;
    }
    r->way[way].credit += credit;
    r->way[way].more += credit;
    fed_relay_flush(s, r);
    return OK;
}

void
fed_relay_over(struct fed_splice *s, struct fed_relay *r, int side,
               uint64_t code)
{
    r->way[side].over = true;
    r->way[side].code = code;
    fed_relay_flush(s, r);
}
