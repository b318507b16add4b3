/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who rejoins a thread whose hub is not there asks the other clinics in it, in
 * the order of successors, the question that it would put to the hub.  They
 * have not the right to answer it; but if the thread has another hub by now the
 * proof of that comes back with the answer, and if the hub is gone for them as
 * well, that somebody wants to come in is a reason to agree on another.
 *
 * A phone, which has no say in it, does the same when what it wrote had no
 * answer for as long as clinics wait for a hub: they may have nothing to write.
 */
#include "federation/core/care.h"
#include "federation/core/move.h"

#include <string.h>

enum {
    FIRST_MS = 60000,
    DOUBLED = 6 /* about an hour */
};

bool
fed_said_bare(const struct proto_hub_said *said)
{
    static const uint8_t none[32];

    return memcmp(said->authenticator, none, sizeof(none)) == 0;
}

/* The clinic behind the one of order after; the first, when none is. */
static struct fed_party *
next_clinic(struct fed_core *core, const struct fed_thread *t, size_t after,
            size_t *order)
{
    struct fed_party *first = NULL;
    struct fed_party *next = NULL;
    size_t first_at = SIZE_MAX;
    size_t next_at = SIZE_MAX;

    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_party *p = fed_party_find(core, &t->members[i].node);
        size_t at = fed_move_order(&t->group, t->rec.hub, t->members[i].node.b);

        if (p == NULL || at == SIZE_MAX || !fed_party_live(p)) {
            continue;
        }
        if (at < first_at) {
            first = p;
            first_at = at;
        }
        if (at > after && at < next_at) {
            next = p;
            next_at = at;
        }
    }
    *order = next != NULL ? next_at : first_at;
    return next != NULL ? next : first;
}

static enum err
ask(struct fed_core *core, struct fed_thread *t, struct fed_party *p)
{
    enum err e;
    struct proto_peer_msg msg = {.type = PROTO_PEER_GI_GET};
    struct proto_gi_get *get = &msg.u.gi_get;

    TRY(fed_resync_question(core, t, get));
    /* It may be the hub by now: nobody opens its answer, the proof comes
       before that. */
    TRY(rng_fill(core->config.rng, get->seal, sizeof(get->seal)));
    TRY(fed_stream_put(core, p, &msg));
out:
    return e;
}

enum err
fed_orphan_step(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    uint64_t now = fed_mono(core);
    size_t after = t->orphan_asked == 0 ? SIZE_MAX : t->orphan_order;
    uint64_t tries = t->orphan_asked < DOUBLED ? t->orphan_asked : DOUBLED;
    struct fed_party *p;

    if (t->group_ext.len == 0) {
        return OK; /* who else is in it is lost as well */
    }
    if (t->orphan_ms == 0) {
        t->orphan_ms = now + FIRST_MS;
    } else if (now >= t->orphan_ms) {
        t->orphan_ms = now + ((uint64_t)FIRST_MS << tries);
        p = next_clinic(core, t, after, &t->orphan_order);
        if (p != NULL) {
            t->orphan_asked++;
            TRY(ask(core, t, p));
        }
    }
    fed_tx_timer(core, t->orphan_ms);
out:
    return e;
}

enum err
fed_orphan_phone(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    struct fed_rec_intent rec;
    struct bytes hold = {0};
    uint64_t now = fed_now(core);
    uint64_t number = 0;
    bool long_ago;

    if (core->kind != FED_KIND_DEVICE || t->rec.state != FED_THREAD_ACTIVE) {
        return OK;
    }
    e = fed_intent_next(core, &t->id, &number, &rec, &hold);
    long_ago =
        e == OK && now > rec.made_ms && now - rec.made_ms >= LIMIT_CHECK_MS;
    bytes_free(&hold);
    TRY(e == ERR_MISSING ? OK : e);
    TRY(long_ago ? fed_orphan_step(core, t) : OK);
out:
    return e;
}
