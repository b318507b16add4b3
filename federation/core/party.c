/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other clinics: what we know of them, and the connection to each.
 */
#include "federation/core/care.h"
#include "federation/core/move.h"
#include "federation/core/picture.h"
#include "federation/core/rows.h"

#include "proto/msg/device.h"

#include <string.h>

/* ------------------------------------------------------------ the parties */

static size_t
party_at(const struct fed_core *core, const struct clinic_id *root)
{
    size_t lo = 0;
    size_t hi = core->parties_len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (clinic_id_cmp(&core->parties[mid]->root, root) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

void
fed_party_touch(struct fed_core *core, struct fed_party *p)
{
    if (p->touched) {
        return;
    }
    if (core->touched_len == core->touched_cap) {
        size_t cap = core->touched_cap == 0 ? 64 : core->touched_cap * 2;
        struct fed_party **more =
            mem_calloc(core->mem, cap, sizeof(core->touched[0]));

        if (more == NULL) {
            core->touched_all = true;
            return;
        }
        if (core->touched_len > 0) {
            memcpy(more, core->touched,
                   core->touched_len * sizeof(core->touched[0]));
        }
        mem_free(core->mem, core->touched,
                 core->touched_cap * sizeof(core->touched[0]));
        core->touched = more;
        core->touched_cap = cap;
    }
    p->touched = true;
    core->touched[core->touched_len++] = p;
}

struct fed_party *
fed_party_find(struct fed_core *core, const struct clinic_id *root)
{
    size_t at = party_at(core, root);

    if (at < core->parties_len &&
        clinic_id_equal(&core->parties[at]->root, root)) {
        fed_party_touch(core, core->parties[at]);
        return core->parties[at];
    }
    return NULL;
}

void
fed_party_free(struct fed_core *core, struct fed_party *p)
{
    if (p != NULL) {
        bytes_free(&p->addrs);
        bytes_free(&p->kp);
        mem_free(core->mem, p->list, sizeof(*p->list));
        mem_free(core->mem, p->flight,
                 LIMIT_STREAM_WINDOW * sizeof(p->flight[0]));
        mem_free(core->mem, p, sizeof(*p));
    }
}

static enum err
insert(struct fed_core *core, struct fed_party *p)
{
    size_t at = party_at(core, &p->root);

    if (core->parties_len == core->parties_cap) {
        size_t cap = core->parties_cap == 0 ? 16 : core->parties_cap * 2;
        struct fed_party **more =
            mem_calloc(core->mem, cap, sizeof(core->parties[0]));

        if (more == NULL) {
            return ERR_NOMEM;
        }
        if (core->parties_len > 0) {
            memcpy(more, core->parties,
                   core->parties_len * sizeof(core->parties[0]));
        }
        mem_free(core->mem, core->parties,
                 core->parties_cap * sizeof(core->parties[0]));
        core->parties = more;
        core->parties_cap = cap;
    }
    memmove(&core->parties[at + 1], &core->parties[at],
            (core->parties_len - at) * sizeof(core->parties[0]));
    core->parties[at] = p;
    core->parties_len++;
    return OK;
}

enum err
fed_party_get(struct fed_core *core, const struct clinic_id *root,
              struct fed_party **out)
{
    enum err e;
    struct fed_party *p = fed_party_find(core, root);
    struct fed_party *made = NULL;

    if (p != NULL) {
        *out = p;
        return OK;
    }
    made = mem_alloc(core->mem, sizeof(*made));
    if (made == NULL) {
        return ERR_NOMEM;
    }
    made->root = *root;
    made->subject = *root;
    made->rec.out_next = 1;
    made->known_next = 1;
    TRY(rng_fill(core->config.rng, made->rec.out_stream,
                 sizeof(made->rec.out_stream)));
    TRY(insert(core, made));
    *out = made;
    fed_party_touch(core, made);
    made = NULL;
out:
    fed_party_free(core, made);
    return e;
}

static enum err
load_one(struct fed_core *core, struct view key, struct view value)
{
    enum err e;
    struct clinic_id root;
    struct clinic_id via;
    struct fed_rec_party rec;
    struct fed_party *p;

    TRY(clinic_id_from(key, &root) == OK ? OK : ERR_CORRUPT);
    TRY(fed_rec_decode(value, &fed_rec_party_shape, &rec));
    TRY(fed_party_get(core, &root, &p));
    TRY(bytes_copy(core->mem, rec.addrs, &p->addrs));
    TRY(bytes_copy(core->mem, rec.kp, &p->kp));
    p->rec = rec;
    p->rec.addrs = view_of(&p->addrs);
    p->rec.kp = view_of(&p->kp);
    p->known_next = rec.out_next;
    p->stored = true;
    p->kind = (enum fed_kind)rec.kind;
    memcpy(p->subject.b, rec.subject, sizeof(p->subject.b));
    memcpy(via.b, rec.via, sizeof(via.b));
    if (!clinic_id_is_zero(&via)) {
        TRY(fed_party_get(core, &via, &p->via));
    }
    TRY(fed_party_want(core, p));
out:
    return e;
}

enum err
fed_party_load_all(struct fed_core *core)
{
    enum err e;
    struct fed_rows rows = fed_rows_of(FED_NS_PARTY, (struct view){0});

    while ((e = fed_rows_next(core, &rows)) == OK) {
        TRY(load_one(core, view_of(&rows.key), view_of(&rows.value)));
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

enum err
fed_party_save(struct fed_core *core, struct fed_party *p)
{
    enum err e;
    struct fed_key key = fed_key_of(clinic_id_view(&p->root));

    p->rec.addrs = view_of(&p->addrs);
    p->rec.kp = view_of(&p->kp);
    p->rec.kind = (uint64_t)p->kind;
    memcpy(p->rec.subject, p->subject.b, sizeof(p->rec.subject));
    memset(p->rec.via, 0, sizeof(p->rec.via));
    if (p->via != NULL) {
        memcpy(p->rec.via, p->via->root.b, sizeof(p->rec.via));
    }
    if (p->greeted && p->rec.seen_ms == 0) {
        p->rec.seen_ms = fed_now(core);
    }
    TRY(fed_tx_save(core, FED_NS_PARTY, &key, &fed_rec_party_shape, &p->rec));
    p->stored = true;
    p->dirty = false;
out:
    return e;
}

bool
fed_party_open(const struct fed_party *p)
{
    bool we = p->rec.ours == PROTO_STANCE_GRANTED ||
              p->rec.ours == PROTO_STANCE_THREAD;
    bool they = p->rec.theirs == PROTO_STANCE_GRANTED ||
                p->rec.theirs == PROTO_STANCE_THREAD;

    if (p->via != NULL) {
        return we && !p->rec.blocked && fed_party_open(p->via);
    }
    if (p->kind == FED_KIND_PATIENT) {
        return we && !p->rec.blocked;
    }
    return we && they && !p->rec.blocked;
}

bool
fed_party_live(const struct fed_party *p)
{
    return fed_party_open(p) &&
           (p->via != NULL ? p->via->greeted
                           : p->greeted || p->kind == FED_KIND_PATIENT);
}

/* Whom do we want to be connected to? */
static bool
wants(const struct fed_party *p)
{
    if (p->denied || p->kind != FED_KIND_CLINIC || p->via != NULL) {
        /* but its own link is looked at where it is */
        return p->looking && !p->denied && p->kind == FED_KIND_CLINIC;
    }
    switch ((enum proto_stance)p->rec.ours) {
    case PROTO_STANCE_ASKED:
    case PROTO_STANCE_GRANTED:
    case PROTO_STANCE_THREAD:
        return !p->rec.blocked;
    case PROTO_STANCE_NONE:
    case PROTO_STANCE_REVIEW:
    case PROTO_STANCE_REFUSED:
    case PROTO_STANCE_ENDED:
    case PROTO_STANCE_COUNT:
        break;
    }
    /* What the end of a contact leaves to be said is still delivered. */
    return p->looking || (!p->rec.blocked && p->stored &&
                          p->rec.out_next > p->rec.out_acked + 1 &&
                          p->rec.theirs == PROTO_STANCE_GRANTED);
}

enum err
fed_party_want(struct fed_core *core, struct fed_party *p)
{
    enum err e;
    struct bytes body = {0};
    bool want = wants(p);

    if (want == p->wanted) {
        return OK;
    }
    if (want) {
        TRY(bytes_copy(core->mem, view_of(&p->addrs), &body));
    }
    TRY(fed_tx_act(core, want ? FED_ACT_WANT : FED_ACT_UNWANT, p, &body));
    p->wanted = want;
out:
    bytes_free(&body);
    return e;
}

enum err
fed_party_changed(struct fed_core *core, struct fed_party *p)
{
    enum err e;
    struct fed_show *show;

    fed_picture_stance(p);
    TRY(fed_party_save(core, p));
    TRY(fed_party_want(core, p));
    if (p->kind == FED_KIND_DEVICE) {
        goto out; /* people know the patient */
    }
    show = fed_tx_show(core, FED_SHOW_PARTY);
    TRY(show == NULL ? ERR_NOMEM : OK);
    show->peer = p->root;
    show->who = p->kind;
    show->code = p->rec.ours;
    show->value = p->rec.theirs;
    show->verified = p->rec.verified;
    if (p->rec.link_ours) {
        memcpy(show->link.b, p->rec.link, sizeof(show->link.b));
    }
    memcpy(show->thread.b, p->rec.direct, sizeof(show->thread.b));
out:
    return e;
}

enum err
fed_party_stance(struct fed_core *core, struct fed_party *p,
                 enum proto_stance ours)
{
    enum err e = OK;

    if (p->rec.ours != (uint64_t)ours) {
        p->rec.ours = (uint64_t)ours;
        TRY(fed_party_changed(core, p));
    }
out:
    return e;
}

/* --------------------------------------------------------- the connection */

enum err
fed_party_say(struct fed_core *core, struct fed_party *p,
              const struct proto_peer_msg *msg)
{
    enum err e;
    struct bytes frame = {0};

    if (!p->up) {
        return OK;
    }
    TRY(proto_peer_encode(core->mem, msg, &frame));
    TRY(fed_tx_act(core, FED_ACT_SEND, p, &frame));
out:
    bytes_free(&frame);
    return e == OK || e == ERR_NOMEM ? e : ERR_INTERNAL;
}

static void
down(struct fed_core *core, struct fed_party *p)
{
    if (p->greeted) {
        fed_gone_met(core, p); /* until now */
    }
    mem_free(core->mem, p->flight, LIMIT_STREAM_WINDOW * sizeof(p->flight[0]));
    p->flight = NULL;
    p->up = false;
    p->greeted = false;
    p->ack_due = false;
    p->told_known = false;
    p->bad = 0;
    p->under_way = 0;
    p->sent = p->rec.out_acked;
    mem_wipe(p->exporter, sizeof(p->exporter));
}

enum err
fed_party_close(struct fed_core *core, struct fed_party *p,
                enum proto_bye_code code)
{
    enum err e;
    struct proto_peer_msg msg = {.type = PROTO_PEER_BYE};

    if (!p->up) {
        return OK;
    }
    msg.u.bye.code = (uint64_t)code;
    TRY(fed_party_say(core, p, &msg));
    TRY(fed_tx_act(core, FED_ACT_CLOSE, p, NULL));
    down(core, p);
out:
    return e;
}

enum err
fed_party_bad(struct fed_core *core, struct fed_party *p, enum err why)
{
    enum err e = OK;
    struct fed_show *show;

    if (core->config.log != NULL) {
        LOG(core->config.log, LOG_WARN, "fed.peer.bad",
            LOG_TAG("peer", log_tag_of(clinic_id_view(&p->root))),
            LOG_ERR(why));
    }
    show = fed_tx_show(core, FED_SHOW_BAD);
    TRY(show == NULL ? ERR_NOMEM : OK);
    show->peer = p->root;
    show->code = (uint64_t)why;
    if (++p->bad >= LIMIT_BAD_PER_CONNECTION || !p->greeted) {
        TRY(fed_party_close(core, p, PROTO_BYE_PROTOCOL));
    }
out:
    return e;
}

/* Strangers that are gone need no memory. */
static void
forget(struct fed_core *core, struct fed_party *p)
{
    size_t at = party_at(core, &p->root);

    if (p->stored || p->up || p->looking) {
        return;
    }
    memmove(&core->parties[at], &core->parties[at + 1],
            (core->parties_len - at - 1) * sizeof(core->parties[0]));
    core->parties_len--;
    for (size_t i = 0; i < core->touched_len; i++) {
        if (core->touched[i] == p) {
            core->touched[i] = core->touched[--core->touched_len];
            break;
        }
    }
    fed_party_free(core, p);
}

enum err
fed_core_peer_up(struct fed_core *core, const struct fed_up *up)
{
    enum err e;
    struct fed_party *p;
    bool may;

    if (clinic_id_equal(&up->root, &core->config.self.root)) {
        return OK; /* ourselves: nothing to say */
    }
    TRY(fed_party_get(core, &up->root, &p));
    down(core, p);
    p->up = true;
    p->serial = up->serial;
    TRY(fed_device_up(core, p, up, &may));
    if (!may) {
        TRY(fed_party_close(core, p, PROTO_BYE_DENIED));
        goto out;
    }
    memcpy(p->exporter, up->exporter, sizeof(p->exporter));
    if (p->rec.blocked) {
        TRY(fed_party_close(core, p, PROTO_BYE_DENIED));
        goto out;
    }
    if (up->generation < p->rec.generation || up->generation < p->rec.revoked) {
        TRY(fed_party_close(core, p, PROTO_BYE_REVOKED));
        goto out;
    }
    if (up->generation > p->rec.generation) {
        p->rec.generation = up->generation;
        p->dirty = p->stored;
    }
    if (up->certified_ms > p->certified_ms) {
        p->certified_ms = up->certified_ms;
    }
    TRY(fed_hello_send(core, p));
out:
    return e;
}

enum err
fed_core_outdated(struct fed_core *core, const struct clinic_id *root)
{
    struct fed_party *p = fed_party_find(core, root);

    if (p != NULL && p->stored) {
        p->outdated = true;
    }
    return OK;
}

bool
fed_party_outdated(const struct fed_party *p)
{
    return p->outdated && !p->met && !p->rec.blocked;
}

void
fed_party_renewed(struct fed_core *core)
{
    bool any = false;

    for (size_t i = 0; i < core->parties_len; i++) {
        any = any || core->parties[i]->outdated;
        core->parties[i]->outdated = false;
    }
    if (any) {
        core->start_ms = fed_mono(core); /* only now we can compare */
        fed_tx_timer(core, core->start_ms + LIMIT_CHECK_MS);
    }
}

enum err
fed_core_peer_down(struct fed_core *core, const struct clinic_id *root,
                   uint64_t serial)
{
    struct fed_party *p = fed_party_find(core, root);

    if (p == NULL || p->serial != serial) {
        return OK;
    }
    down(core, p);
    forget(core, p);
    return OK;
}

/* What may be said before both sides agreed to talk. */
static bool
for_strangers(enum proto_peer_type type)
{
    return type == PROTO_PEER_LINK_OPEN || type == PROTO_PEER_LINK_INFO ||
           type == PROTO_PEER_LINK_REDEEM || type == PROTO_PEER_LINK_RESULT ||
           type == PROTO_PEER_CONTACT || type == PROTO_PEER_PROFILE;
}

static enum err
greeted_frame(struct fed_core *core, struct fed_party *p,
              const struct proto_peer_msg *msg)
{
    if (for_strangers(msg->type)) {
        return fed_contact_frame(core, p, msg);
    }
    if (msg->type == PROTO_PEER_DATA) {
        return fed_stream_data(core, p, &msg->u.data);
    }
    if (msg->type == PROTO_PEER_ACK) {
        return fed_stream_acked(core, p, msg->u.ack.applied);
    }
    return fed_party_bad(core, p, ERR_STATE);
}

enum err
fed_core_frame(struct fed_core *core, const struct clinic_id *root,
               uint64_t serial, struct view frame)
{
    enum err e;
    struct fed_party *p = fed_party_find(core, root);
    struct proto_peer_msg msg;

    if (p == NULL || !p->up || p->serial != serial) {
        return OK; /* closed by us meanwhile */
    }
    if (proto_peer_peek(frame) >= PROTO_DEVICE_ENROL) {
        return p->greeted ? fed_device_frame(core, p, frame)
                          : fed_party_bad(core, p, ERR_STATE);
    }
    e = proto_peer_decode(frame, &msg);
    if (e != OK) {
        return fed_party_bad(core, p, e);
    }
    if (msg.type == PROTO_PEER_BYE) {
        TRY(fed_tx_act(core, FED_ACT_CLOSE, p, NULL));
        down(core, p);
        TRY(msg.u.bye.code == PROTO_BYE_DENIED ? fed_contact_denied(core, p)
                                               : OK);
    } else if (msg.type == PROTO_PEER_HELLO) {
        TRY(p->greeted ? fed_party_bad(core, p, ERR_STATE)
                       : fed_hello_recv(core, p, &msg.u.hello));
    } else if (!p->greeted) {
        TRY(fed_party_bad(core, p, ERR_STATE));
    } else {
        TRY(greeted_frame(core, p, &msg));
    }
    fed_thread_trim(core);
out:
    return e;
}
