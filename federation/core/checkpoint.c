/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a member stands in the log, said so that others can compare (decisions
 * D 19): as a content in the log, which the hub cannot change but may hold
 * back, and, signed, past the hub.  A different head for the same entry of the
 * same term is two logs: both sides hear of it.
 */
#include "federation/core/move.h"
#include "federation/core/watch.h"

#include "crypto/prim/curve.h"

#include <string.h>

/* --------------------------------------------------------------- two logs */

static enum err
show_fork(struct fed_core *core, const struct fed_thread *t,
          const struct clinic_id *by)
{
    struct fed_show *show = fed_tx_show(core, FED_SHOW_FORK);

    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->thread = t->id;
    show->term = t->rec.term;
    show->seq = t->rec.seq;
    show->ts_ms = fed_now(core);
    memcpy(show->peer.b, t->rec.hub, sizeof(show->peer.b));
    if (by != NULL) {
        memcpy(show->author.b, by->b, sizeof(show->author.b));
    }
    return OK;
}

enum err
fed_fork_tell(struct fed_core *core, struct fed_thread *t,
              const struct clinic_id *by, enum err why)
{
    enum err e;
    struct proto_peer_msg msg = {.type = PROTO_PEER_FORK_ALERT};
    struct proto_fork_alert *alert = &msg.u.fork_alert;

    if (core->config.log != NULL) {
        LOG(core->config.log, LOG_WARN, "fed.thread.fork",
            LOG_TAG("thread", log_tag_of(thread_id_view(&t->id))), LOG_ERR(why),
            LOG_NUM("rule", core->rule), LOG_NUM("seq", t->rec.seq));
    }
    TRY(show_fork(core, t, by));
    memcpy(alert->thread, t->id.b, sizeof(alert->thread));
    alert->term = t->rec.term;
    alert->seq = t->rec.seq;
    memcpy(alert->head, t->rec.head, sizeof(alert->head));
    if (t->mls != NULL) {
        alert->epoch = mls_group_epoch(t->mls);
        memcpy(alert->authenticator, mls_group_authenticator(t->mls).p, 32);
    }
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_party *p = fed_party_find(core, &t->members[i].node);

        if (p != NULL && fed_party_open(p)) {
            TRY(fed_stream_put(core, p, &msg));
        }
    }
out:
    return e;
}

/* Do we have another entry there? */
static enum err
compare(struct fed_core *core, const struct fed_thread *t, uint64_t term,
        uint64_t seq, const uint8_t head[32], bool *differs)
{
    enum err e;
    static const uint8_t none[32];
    struct fed_rec_log rec;
    struct bytes hold = {0};

    *differs = false;
    e = seq == 0 || memcmp(head, none, sizeof(none)) == 0
            ? ERR_MISSING
            : fed_log_get(core, &t->id, seq, &rec, &hold);
    if (e == ERR_MISSING) {
        e = OK; /* pruned, or not here yet: nothing to compare */
        goto out;
    }
    TRY(e);
    *differs =
        rec.term == term && memcmp(rec.head, head, sizeof(rec.head)) != 0;
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_checkpoint_seen(struct fed_core *core, struct fed_thread *t,
                    const struct clinic_id *author, uint64_t term, uint64_t seq,
                    const uint8_t head[32])
{
    enum err e;
    bool differs;

    TRY(compare(core, t, term, seq, head, &differs));
    if (!differs) {
        goto out;
    }
    if (fed_thread_hub_here(core, t)) {
        TRY(fed_fork_tell(core, t, author, ERR_AUTH));
        goto out;
    }
    t->forked = true; /* [checkpoint-head] */
    t->fork_by = *author;
out:
    return e;
}

/* ------------------------------------------------------------------ saying */

enum err
fed_checkpoint_say(struct fed_core *core, struct fed_thread *t)
{
    struct proto_content c = {.kind = PROTO_CONTENT_CHECKPOINT};
    struct proto_checkpoint *in = &c.u.checkpoint;

    in->term = t->rec.term;
    in->seq = t->rec.seq;
    memcpy(in->head, t->rec.head, sizeof(in->head));
    memcpy(in->hub, t->rec.hub, sizeof(in->hub));
    in->epoch = mls_group_epoch(t->mls);
    in->generation = core->generation;
    return fed_intent_say(core, t, &c, false, NULL);
}

static enum err
sign(struct fed_core *core, struct view stand, struct bytes *out)
{
    enum err e;
    struct prim_sign_key key;

    if (core->kind == FED_KIND_DEVICE) {
        return bytes_copy(core->mem, stand, out);
    }
    memset(&key, 0, sizeof(key));
    prim_ed25519_from_seed(core->seed, &key);
    e = ident_by_node_make(core->mem, IDENT_STATEMENT, &key,
                           view_of(&core->chain), stand, out);
    mem_wipe(&key, sizeof(key));
    return e;
}

/* Reached otherwise than through the hub, or who delivers for it. */
static bool
past_hub(const struct fed_thread *t, const struct fed_party *p)
{
    return p != NULL && p->via == NULL && fed_party_open(p) &&
           memcmp(p->root.b, t->rec.hub, 32) != 0;
}

enum err
fed_checkpoint_direct(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    const uint64_t heads[] = {PROTO_STAND, 1};
    struct proto_stand stand = {.term = t->rec.term, .seq = t->rec.seq};
    struct proto_peer_msg msg = {.type = PROTO_PEER_CHECKPOINT};
    struct bytes bare = {0};
    struct bytes said = {0};

    memcpy(stand.thread, t->id.b, sizeof(stand.thread));
    memcpy(stand.head, t->rec.head, sizeof(stand.head));
    memcpy(stand.hub, t->rec.hub, sizeof(stand.hub));
    stand.epoch = mls_group_epoch(t->mls);
    stand.generation = core->generation;
    stand.ts_ms = fed_now(core);
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_party *p = fed_party_find(core, &t->members[i].node);

        if (!past_hub(t, p) || fed_thread_hub_here(core, t)) {
            continue;
        }
        if (said.len == 0) {
            TRY(proto_shape_encode(core->mem, &proto_stand_shape, heads, 2,
                                   &stand, &bare));
            TRY(sign(core, view_of(&bare), &said));
            memcpy(msg.u.checkpoint.thread, t->id.b, 32);
            msg.u.checkpoint.said = view_of(&said);
        }
        TRY(fed_stream_put(core, p, &msg));
    }
out:
    bytes_free(&bare);
    bytes_free(&said);
    return e;
}

/* ----------------------------------------------------------------- hearing */

/*
 * Another member was shown another log.  While the hub is not there nobody
 * could let us in again, so we keep our state: if the hub is gone for good,
 * that may be the last one, with which those who are left go on (gone.c).  If
 * it is not, its next entry does not follow from ours.
 */
static enum err
other_log(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    struct clinic_id root;
    const struct fed_party *hub;

    memcpy(root.b, t->rec.hub, sizeof(root.b));
    hub = fed_party_find(core, &root);
    if (hub != NULL && fed_party_live(hub)) {
        return fed_fork_found(core, t, ERR_AUTH);
    }
    TRY(fed_fork_tell(core, t, &t->fork_by, ERR_AUTH));
    t->forked = false;
out:
    return e;
}

/* What p says; it must be its own word. */
static enum err
open_said(struct fed_core *core, const struct fed_party *p,
          const struct proto_checkpoint_msg *in, struct proto_stand *out)
{
    enum err e;
    const uint64_t heads[] = {PROTO_STAND, 1};
    struct ident_check check = {.now_ms = 0}; /* its age does not matter */
    struct ident_node node;
    struct view bare = in->said;

    if (p->kind == FED_KIND_CLINIC) {
        /* [checkpoint-signed] */
        TRY(ident_by_node_open(core->mem, IDENT_STATEMENT, in->said, &check,
                               &node, &bare));
        TRY(clinic_id_equal(&node.root, &p->root) &&
                    node.generation >= p->rec.revoked
                ? OK
                : ERR_DENIED);
    }
    TRY(proto_shape_decode(bare, &proto_stand_shape, heads, 2, out));
    TRY(memcmp(out->thread, in->thread, 32) == 0 ? OK : ERR_INVALID);
out:
    return e;
}

enum err
fed_checkpoint_recv(struct fed_core *core, struct fed_party *p,
                    const struct proto_checkpoint_msg *in)
{
    enum err e;
    struct thread_id id;
    struct fed_thread *t;
    struct proto_stand at;
    bool lacks;

    memcpy(id.b, in->thread, sizeof(id.b));
    TRY(open_said(core, p, in, &at));
    e = fed_thread_get(core, &id, &t);
    if (e == ERR_MISSING) {
        return OK;
    }
    TRY(e);
    /* [checkpoint-member] */
    TRY(fed_thread_member(t, &p->subject) != NULL ? OK : ERR_DENIED);
    if (t->rec.state != FED_THREAD_ACTIVE || t->mls == NULL) {
        goto out; /* we are being brought up */
    }
    TRY(compare(core, t, at.term, at.seq, at.head, &lacks));
    TRY(lacks ? fed_named_lacks(core, t, p, at.seq, &lacks) : OK);
    TRY(lacks ? OK
              : fed_checkpoint_seen(core, t, &p->subject, at.term, at.seq,
                                    at.head));
    if (t->forked) {
        TRY(other_log(core, t));
        goto out;
    }
    TRY(fed_watch_ahead(core, t, &p->subject, at.term, at.seq));
out:
    return e;
}
