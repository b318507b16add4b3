/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/splice_impl.h"

#include <sys/eventfd.h>
#include <unistd.h>

enum err
fed_splice_say(struct fed_splice *s, const struct fed_peer *peer,
               const struct proto_peer_msg *m)
{
    struct bytes frame = {0};
    enum err e;

    TRY(proto_peer_encode(s->mem, m, &frame));
    TRY(fed_net_send(s->net, peer, &frame));
out:
    bytes_free(&frame);
    return e;
}

void
fed_splice_say_close(struct fed_splice *s, const struct fed_leg *leg,
                     uint64_t code)
{
    struct proto_peer_msg m = {.type = PROTO_PEER_SPLICE_CLOSE};

    m.u.splice_close.id = leg->id;
    m.u.splice_close.code = code;
    ERR_IGNORE(fed_splice_say(s, &leg->peer, &m),
               "the TLS inside notices silence, too");
}

/* Odd when the smaller root opens: the two sides never choose the same. */
static bool
opened_by_smaller(uint64_t id)
{
    return id % 2 == 1;
}

uint64_t
fed_splice_id(struct fed_splice *s, const struct clinic_id *peer)
{
    s->next_id += 2;
    return s->next_id + (clinic_id_cmp(&s->root, peer) < 0 ? 1 : 0);
}

bool
fed_leg_is(const struct fed_leg *leg, const struct fed_peer *peer, uint64_t id)
{
    return leg->id == id && leg->peer.serial == peer->serial &&
           clinic_id_equal(&leg->peer.root, &peer->root);
}

static bool
leg_on(const struct fed_leg *leg, const struct fed_peer *peer)
{
    return fed_leg_is(leg, peer, leg->id);
}

static struct fed_splice_end *
find_end(struct fed_splice *s, const struct fed_peer *peer, uint64_t id)
{
    struct fed_splice_end *end = s->ends;

    while (end != NULL && !fed_leg_is(&end->leg, peer, id)) {
        end = end->next;
    }
    return end;
}

static struct fed_relay *
find_relay(struct fed_splice *s, const struct fed_peer *peer, uint64_t id,
           int *side_out)
{
    for (struct fed_relay *r = s->relays; r != NULL; r = r->next) {
        for (int side = 0; side < 2; side++) {
            if (fed_leg_is(&r->leg[side], peer, id)) {
                *side_out = side;
                return r;
            }
        }
    }
    return NULL;
}

enum err
fed_splice_new(const struct fed_splice_config *config, struct fed_splice **out)
{
    struct fed_splice *s = mem_alloc(config->mem, sizeof(*s));

    if (s == NULL) {
        return ERR_NOMEM;
    }
    s->mem = config->mem;
    s->clock = config->clock;
    s->root = config->root;
    s->net = config->net;
    s->user = config->user;
    pthread_mutex_init(&s->mx, NULL);
    pthread_cond_init(&s->cv, NULL);
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake_fd < 0 ||
        pthread_create(&s->worker, NULL, fed_splice_work, s) != 0) {
        fed_splice_free(s);
        return ERR_NOMEM;
    }
    s->worker_runs = true;
    *out = s;
    return OK;
}

void
fed_splice_free(struct fed_splice *s)
{
    if (s == NULL) {
        return;
    }
    if (s->worker_runs) {
        pthread_mutex_lock(&s->mx);
        s->quit = true;
        pthread_mutex_unlock(&s->mx);
        fed_splice_wake(s);
        pthread_join(s->worker, NULL);
    }
    while (s->relays != NULL) {
        fed_relay_drop(s, s->relays);
    }
    if (s->wake_fd >= 0) {
        close(s->wake_fd);
    }
    pthread_mutex_destroy(&s->mx);
    pthread_cond_destroy(&s->cv);
    mem_free(s->mem, s, sizeof(*s));
}

enum err
fed_splice_dial(struct fed_splice *s, const struct clinic_id *target,
                const struct clinic_id *via)
{
    enum err e;
    struct proto_peer_msg m = {.type = PROTO_PEER_SPLICE_OPEN};
    struct fed_splice_end *end = NULL;
    struct fed_peer_info info;
    struct fed_stream *stream;
    struct fed_leg leg;

    if (clinic_id_equal(target, &s->root) || clinic_id_equal(target, via)) {
        return ERR_INVALID;
    }
    if (!fed_net_find(s->net, via, &info)) {
        return ERR_MISSING;
    }
    pthread_mutex_lock(&s->mx);
    leg = (struct fed_leg){info.peer, fed_splice_id(s, via)};
    TRY(fed_end_new(s, &leg, &end));
    m.u.splice_open.id = leg.id;
    memcpy(m.u.splice_open.root, target->b, sizeof(target->b));
    e = fed_splice_say(s, &leg.peer, &m);
out:
    pthread_mutex_unlock(&s->mx);
    if (end != NULL) {
        stream = &end->base;
        if (e == OK) {
            e = fed_net_dial_stream(s->net, target, &stream);
        } else {
            stream->ops->free(stream);
        }
    }
    return e;
}

static size_t
count_on(const struct fed_splice *s, const struct fed_peer *peer)
{
    size_t n = 0;

    for (const struct fed_splice_end *x = s->ends; x != NULL; x = x->next) {
        n += leg_on(&x->leg, peer) ? 1 : 0;
    }
    for (const struct fed_relay *r = s->relays; r != NULL; r = r->next) {
        n += leg_on(&r->leg[0], peer) || leg_on(&r->leg[1], peer) ? 1 : 0;
    }
    return n;
}

/* Somebody wants us, through peer; mx is held.  *out is to be accepted. */
static enum proto_splice_code
take_in(struct fed_splice *s, const struct fed_leg *leg,
        struct fed_splice_end **out)
{
    if (!s->user.accept(s->user.ctx, &leg->peer.root)) {
        return PROTO_SPLICE_DENIED;
    }
    return fed_end_new(s, leg, out) == OK ? PROTO_SPLICE_DONE
                                          : PROTO_SPLICE_QUOTA;
}

static enum err
on_open(struct fed_splice *s, const struct fed_peer *peer,
        const struct proto_splice_open *m)
{
    struct fed_splice_end *end = NULL;
    struct fed_leg leg = {*peer, m->id};
    enum proto_splice_code code = PROTO_SPLICE_QUOTA;
    struct clinic_id target;
    int side;

    memcpy(target.b, m->root, sizeof(target.b));
    if (opened_by_smaller(m->id) !=
            (clinic_id_cmp(&peer->root, &s->root) < 0) ||
        clinic_id_equal(&target, &peer->root)) {
        return ERR_FORMAT;
    }
    pthread_mutex_lock(&s->mx);
    if (find_end(s, peer, m->id) != NULL ||
        find_relay(s, peer, m->id, &side) != NULL) {
        pthread_mutex_unlock(&s->mx);
        return ERR_FORMAT;
    }
    if (count_on(s, peer) < LIMIT_SPLICES_PER_PEER) {
        code = clinic_id_equal(&target, &s->root)
                   ? take_in(s, &leg, &end)
                   : fed_relay_open(s, &leg, &target);
    }
    pthread_mutex_unlock(&s->mx);
    if (code != PROTO_SPLICE_DONE) {
        fed_splice_say_close(s, &leg, code);
    } else if (end != NULL) {
        struct fed_stream *stream = &end->base;

        ERR_IGNORE(fed_net_accept_stream(s->net, &stream),
                   "its end is told to the relay");
    } else {
        fed_net_known(s->net, peer); /* its minute is over in a minute */
    }
    return OK;
}

/* DATA, MORE and CLOSE; what is no longer there was just closed by us. */
static enum err
on_end(struct fed_splice *s, const struct fed_peer *peer,
       const struct proto_peer_msg *m)
{
    uint64_t id = m->type == PROTO_PEER_SPLICE_DATA   ? m->u.splice_data.id
                  : m->type == PROTO_PEER_SPLICE_MORE ? m->u.splice_more.id
                                                      : m->u.splice_close.id;
    struct fed_splice_end *end;
    struct fed_relay *r;
    enum err e = OK;
    int side = 0;

    pthread_mutex_lock(&s->mx);
    end = find_end(s, peer, id);
    r = end == NULL ? find_relay(s, peer, id, &side) : NULL;
    if (m->type == PROTO_PEER_SPLICE_DATA) {
        e = end != NULL ? fed_end_data(end, m->u.splice_data.bytes)
            : r != NULL ? fed_relay_data(s, r, side, m->u.splice_data.bytes)
                        : OK;
    } else if (m->type == PROTO_PEER_SPLICE_MORE) {
        e = end != NULL ? fed_end_more(end, m->u.splice_more.credit)
            : r != NULL ? fed_relay_more(s, r, side, m->u.splice_more.credit)
                        : OK;
    } else if (end != NULL) {
        fed_end_gone(end);
    } else if (r != NULL) {
        fed_relay_over(s, r, side, m->u.splice_close.code);
    }
    pthread_mutex_unlock(&s->mx);
    return e;
}

enum err
fed_splice_frame(struct fed_splice *s, const struct fed_peer *peer,
                 struct view frame)
{
    struct proto_peer_msg m;
    enum err e;

    TRY(proto_peer_decode(frame, &m));
    if (m.type == PROTO_PEER_SPLICE_OPEN) {
        e = on_open(s, peer, &m.u.splice_open);
    } else if (m.type == PROTO_PEER_SPLICE_DATA ||
               m.type == PROTO_PEER_SPLICE_MORE ||
               m.type == PROTO_PEER_SPLICE_CLOSE) {
        e = on_end(s, peer, &m);
    } else {
        e = ERR_UNSUPPORTED;
    }
out:
    return e;
}

void
fed_splice_writable(struct fed_splice *s, const struct fed_peer *peer)
{
    struct fed_relay *next;

    pthread_mutex_lock(&s->mx);
    for (struct fed_splice_end *end = s->ends; end != NULL; end = end->next) {
        if (leg_on(&end->leg, peer)) {
            end->blocked = false;
        }
    }
    for (struct fed_relay *r = s->relays; r != NULL; r = next) {
        next = r->next;
        if (leg_on(&r->leg[0], peer) || leg_on(&r->leg[1], peer)) {
            fed_relay_flush(s, r);
        }
    }
    pthread_mutex_unlock(&s->mx);
    fed_splice_wake(s);
}

void
fed_splice_peer_down(struct fed_splice *s, const struct fed_peer *peer)
{
    struct fed_relay *next;

    pthread_mutex_lock(&s->mx);
    for (struct fed_splice_end *end = s->ends; end != NULL; end = end->next) {
        if (leg_on(&end->leg, peer)) {
            end->gone = true;
        }
    }
    for (struct fed_relay *r = s->relays; r != NULL; r = next) {
        next = r->next;
        for (int side = 0; side < 2; side++) {
            if (leg_on(&r->leg[side], peer)) {
                fed_splice_say_close(s, &r->leg[1 - side], PROTO_SPLICE_AWAY);
                fed_relay_drop(s, r);
                break;
            }
        }
    }
    pthread_mutex_unlock(&s->mx);
    fed_splice_wake(s);
}

void
fed_splice_judge(struct fed_splice *s, const struct clinic_id *target)
{
    struct fed_relay *next;

    pthread_mutex_lock(&s->mx);
    for (struct fed_relay *r = s->relays; r != NULL; r = next) {
        next = r->next;
        if (clinic_id_equal(&r->target, target)) {
            fed_relay_judge(s, r);
        }
    }
    pthread_mutex_unlock(&s->mx);
}

void
fed_splice_stats(struct fed_splice *s, struct fed_splice_stats *out)
{
    pthread_mutex_lock(&s->mx);
    *out = (struct fed_splice_stats){(uint32_t)s->ends_n, (uint32_t)s->relays_n,
                                     s->bytes};
    pthread_mutex_unlock(&s->mx);
}
