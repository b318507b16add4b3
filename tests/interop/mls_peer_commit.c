/* SPDX-License-Identifier: Apache-2.0 */
/* Proposals and commits of mls-peer. */
#include "tests/interop/mls_peer.h"

/* ------------------------------------------------------------ proposals */

enum err
peer_op_psk(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct view id = peer_hex(p, p->in, "id", &e);
    struct view psk = peer_hex(p, p->in, "psk", &e);

    (void)out;
    TRY(e);
    TRY(peer_psk_add(a, id, psk));
out:
    return e;
}

static void
resumption(struct peer_actor *a, uint64_t epoch, struct mls_psk_id *out)
{
    *out = (struct mls_psk_id){.type = MLS_PSK_RESUMPTION,
                               .usage = MLS_PSK_APPLICATION,
                               .group_id = mls_group_id(a->group),
                               .epoch = epoch};
}

static enum err
new_extensions(struct peer *p, const json_t *list, struct mls_proposal_in *in)
{
    in->type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS;
    return peer_extensions(p, list, &in->extensions);
}

static enum err
new_reinit(struct peer *p, const json_t *j, struct mls_proposal_in *in)
{
    enum err e = OK;

    in->type = MLS_PROPOSAL_REINIT;
    in->group_id = peer_hex(p, j, "gid", &e);
    in->suite = (uint16_t)peer_num(j, "suite", 0);
    TRY(e);
    TRY(peer_extensions(p, json_object_get(j, "exts"), &in->extensions));
out:
    return e;
}

/* A proposal of a type that we do not know. */
static enum err
new_other(struct peer *p, const json_t *j, struct mls_proposal_in *in)
{
    enum err e = OK;

    in->type = (uint16_t)peer_num(j, "type", 0);
    in->other = peer_hex(p, j, "data", &e);
    return e;
}

/* What the request asks to propose; a may be outside of any group unless it is
 * a resumption PSK. */
static enum err
proposal_of(struct peer *p, struct peer_actor *a, struct mls_proposal_in *in)
{
    enum err e = OK;
    struct view kind = peer_text(p->in, "kind");

    *in = (struct mls_proposal_in){0};
    if (view_equal(kind, VIEW_LIT("add"))) {
        in->type = MLS_PROPOSAL_ADD;
        in->key_package = peer_hex(p, p->in, "kp", &e);
    } else if (view_equal(kind, VIEW_LIT("remove"))) {
        in->type = MLS_PROPOSAL_REMOVE;
        in->leaf = (uint32_t)peer_num(p->in, "index", MLS_NO_LEAF);
    } else if (view_equal(kind, VIEW_LIT("update"))) {
        in->type = MLS_PROPOSAL_UPDATE;
    } else if (view_equal(kind, VIEW_LIT("psk"))) {
        in->type = MLS_PROPOSAL_PSK;
        in->psk.type = MLS_PSK_EXTERNAL;
        in->psk.id = peer_hex(p, p->in, "id", &e);
    } else if (view_equal(kind, VIEW_LIT("respsk"))) {
        in->type = MLS_PROPOSAL_PSK;
        resumption(a, peer_num(p->in, "epoch", 0), &in->psk);
    } else if (view_equal(kind, VIEW_LIT("gce"))) {
        e = new_extensions(p, json_object_get(p->in, "exts"), in);
    } else if (view_equal(kind, VIEW_LIT("reinit"))) {
        e = new_reinit(p, p->in, in);
    } else if (view_equal(kind, VIEW_LIT("other"))) {
        e = new_other(p, p->in, in);
    } else {
        e = ERR_UNSUPPORTED;
    }
    return e;
}

enum err
peer_op_propose(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_proposal_in in;
    struct mls_proposed made = {0};
    bool encrypt = peer_flag(p->in, "encrypt", true);
    struct view aad = peer_hex(p, p->in, "aad", &e);

    TRY(e);
    TRY(proposal_of(p, a, &in));
    TRY(mls_propose(a->group, &in, encrypt, aad, &made));
    if (peer_turn(a)) {
        mls_undo(a->group, &made.change);
        mls_proposed_clear(&made);
        TRY(peer_store_compare(a));
        TRY(mls_propose(a->group, &in, encrypt, aad, &made));
    }
    TRY(peer_store_change(a, made.change));
    peer_put_hex(out, "msg", view_of(&made.message));
out:
    mls_proposed_clear(&made);
    return e;
}

enum err
peer_op_propself(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_peek peek;
    struct bytes msg = {0};
    struct view gi = peer_hex(p, p->in, "gi", &e);

    TRY(e);
    TRY(mls_peek(&a->env, gi, &peek));
    TRY(mls_propose_self(&a->env, view_of(&a->key_package), peek.group_id,
                         peek.epoch, &msg));
    peer_put_hex(out, "msg", view_of(&msg));
out:
    bytes_free(&msg);
    return e;
}

enum err
peer_op_propext(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_peek peek;
    struct mls_proposal_in in;
    struct bytes msg = {0};
    struct view gi = peer_hex(p, p->in, "gi", &e);

    TRY(e);
    TRY(mls_peek(&a->env, gi, &peek));
    TRY(proposal_of(p, a, &in));
    TRY(mls_propose_external(&a->env, a->suite, peek.group_id, peek.epoch,
                             (uint32_t)peer_num(p->in, "sender", 0),
                             VIEW_ARRAY(a->seed), &in, &msg));
    peer_put_hex(out, "msg", view_of(&msg));
out:
    bytes_free(&msg);
    return e;
}

/* -------------------------------------------------------------- commits */

enum {
    VALUES_MAX = 64
};

struct values {
    struct mls_proposal_in at[VALUES_MAX];
    size_t count;
};

static struct mls_proposal_in *
next_value(struct values *v, uint16_t type)
{
    struct mls_proposal_in *in = &v->at[v->count++];

    *in = (struct mls_proposal_in){.type = type};
    return in;
}

static enum err
values_of(struct peer *p, struct peer_actor *a, struct values *v)
{
    enum err e = OK;
    const json_t *adds = json_object_get(p->in, "adds");
    const json_t *removes = json_object_get(p->in, "removes");
    const json_t *psks = json_object_get(p->in, "psks");
    const json_t *gce = json_object_get(p->in, "gce");
    size_t i;

    if (json_array_size(adds) + json_array_size(removes) +
            json_array_size(psks) + 4 >
        VALUES_MAX) {
        return ERR_LIMIT;
    }
    if (gce != NULL) {
        TRY(new_extensions(p, gce, next_value(v, 0)));
    }
    for (i = 0; i < json_array_size(removes); i++) {
        next_value(v, MLS_PROPOSAL_REMOVE)->leaf =
            (uint32_t)json_integer_value(json_array_get(removes, i));
    }
    for (i = 0; i < json_array_size(adds); i++) {
        next_value(v, MLS_PROPOSAL_ADD)->key_package =
            peer_unhex(p, json_array_get(adds, i), &e);
    }
    for (i = 0; i < json_array_size(psks); i++) {
        struct mls_psk_id *id = &next_value(v, MLS_PROPOSAL_PSK)->psk;
        id->type = MLS_PSK_EXTERNAL;
        id->id = peer_unhex(p, json_array_get(psks, i), &e);
    }
    if (json_object_get(p->in, "respsk") != NULL) {
        resumption(a, peer_num(p->in, "respsk", 0),
                   &next_value(v, MLS_PROPOSAL_PSK)->psk);
    }
    if (json_object_get(p->in, "reinit") != NULL) {
        TRY(new_reinit(p, json_object_get(p->in, "reinit"), next_value(v, 0)));
    }
    if (json_object_get(p->in, "other") != NULL) {
        TRY(new_other(p, json_object_get(p->in, "other"), next_value(v, 0)));
    }
out:
    return e;
}

/* The tree after a commit of our own, for a Welcome that does not bring it:
 * read from the GroupInfo of the new epoch. */
static enum err
put_next_tree(struct peer *p, struct view group_info, json_t *out)
{
    enum err e;
    struct mls_message m;
    struct mls_extension tree;

    TRY(mls_message_decode(&p->arena, group_info, &m, NULL));
    TRY(mls_extensions_find(m.u.group_info.extensions, MLS_EXT_RATCHET_TREE,
                            &tree)
            ? OK
            : ERR_MISSING);
    peer_put_hex(out, "tree", tree.data);
out:
    return e;
}

/* The transaction failed: take a commit back and make it again. */
static enum err
commit_again(struct peer_actor *a, const struct mls_commit_opts *opts,
             struct mls_committed *made)
{
    enum err e;

    mls_stage_free(made->stage);
    made->stage = NULL;
    if (made->change != NULL) {
        mls_undo(a->group, &made->change);
    }
    mls_committed_clear(made);
    TRY(peer_store_compare(a));
    TRY(mls_commit(a->group, opts, made));
out:
    return e;
}

/* Our own commit, come back from the hub, is known and not processed. */
static enum err
check_echo(struct peer_actor *a, const struct mls_committed *made)
{
    struct mls_processed done = {0};
    enum err e = mls_process(a->group, view_of(&made->commit), &done);

    if (e != ERR_EXISTS || !mls_stage_is(made->stage, view_of(&made->commit))) {
        mls_processed_clear(&done);
        a->peer->why = "our own commit was not known again";
        return ERR_INTERNAL;
    }
    return OK;
}

enum err
peer_op_commit(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct values values = {.count = 0};
    struct mls_commit_opts opts = {0};
    struct mls_committed made = {0};
    bool tree = peer_flag(p->in, "tree", true);

    TRY(values_of(p, a, &values));
    opts.proposals = values.at;
    opts.proposals_len = values.count;
    opts.force_path = peer_flag(p->in, "force_path", false);
    opts.as_private = peer_flag(p->in, "encrypt", true);
    opts.no_tree = !tree;
    opts.want_group_info = !tree;
    opts.aad = peer_hex(p, p->in, "aad", &e);
    TRY(e);
    TRY(mls_commit(a->group, &opts, &made));
    if (peer_turn(a)) {
        TRY(commit_again(a, &opts, &made));
    }
    TRY(peer_store_change(a, made.change));
    TRY(check_echo(a, &made));
    peer_put_hex(out, "commit", view_of(&made.commit));
    if (made.welcome.len > 0) {
        peer_put_hex(out, "welcome", view_of(&made.welcome));
    }
    if (!tree) {
        TRY(put_next_tree(p, view_of(&made.group_info), out));
    }
    mls_stage_free(a->pending);
    a->pending = made.stage;
    made.stage = NULL;
out:
    mls_committed_clear(&made);
    return e;
}

static enum err
install(struct peer_actor *a, struct mls_stage **take_stage)
{
    enum err e;

    TRY(mls_merge(a->group, take_stage));
    TRY(peer_store_saved(a));
out:
    return e;
}

enum err
peer_op_merge(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e;

    if (a->pending == NULL) {
        p->why = "nothing to merge";
        return ERR_STATE;
    }
    TRY(install(a, &a->pending));
    TRY(peer_put_epoch(a, out, "epoch"));
out:
    return e;
}

enum err
peer_op_clear(struct peer *p, struct peer_actor *a, json_t *out)
{
    (void)p;
    (void)out;
    mls_stage_free(a->pending);
    a->pending = NULL;
    return OK;
}

/* Refuse what was processed, or fail to store it, and process it again. */
static enum err
process_again(struct peer_actor *a, struct view msg, struct mls_processed *done)
{
    enum err e;

    mls_stage_free(done->stage);
    done->stage = NULL;
    if (done->change != NULL) {
        mls_undo(a->group, &done->change);
    }
    mls_processed_clear(done);
    TRY(peer_store_compare(a));
    TRY(mls_process(a->group, msg, done));
out:
    return e;
}

enum err
peer_process(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_processed done = {0};
    struct mls_stage_info info;
    struct view msg = peer_hex(p, p->in, "msg", &e);

    TRY(e);
    TRY(mls_process(a->group, msg, &done));
    if (peer_turn(a)) {
        TRY(process_again(a, msg, &done));
    }
    if (done.kind == MLS_PROCESSED_PROPOSAL) {
        TRY(peer_store_change(a, done.change));
        json_object_set_new(out, "proposal", json_true());
        goto out;
    }
    mls_stage_info(done.stage, &info);
    TRY(install(a, &done.stage));
    TRY(peer_op_clear(p, a, out)); /* another commit won */
    if (info.self_removed) {
        json_object_set_new(out, "removed", json_true());
        TRY(mls_group_is_removed(a->group) ? OK : ERR_INTERNAL);
        goto out;
    }
    TRY(peer_put_epoch(a, out, "newepoch"));
out:
    mls_processed_clear(&done);
    return e;
}
