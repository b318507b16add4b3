/* SPDX-License-Identifier: Apache-2.0 */
/* Messages, looking, and the list of what mls-peer can be asked. */
#include "tests/interop/mls_peer.h"

#include <string.h>

/* ------------------------------------------------------------- messages */

static enum err
op_protect(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_protected made = {0};
    struct view pt = peer_hex(p, p->in, "pt", &e);
    struct view aad = peer_hex(p, p->in, "aad", &e);
    size_t pad = (size_t)peer_num(p->in, "pad", 0);

    TRY(e);
    TRY(mls_protect(a->group, pt, aad, pad, &made));
    if (peer_turn(a)) {
        /* The transaction failed: take it back and do it again. */
        mls_undo(a->group, &made.change);
        TRY(peer_store_compare(a));
        mls_protected_clear(&made);
        TRY(mls_protect(a->group, pt, aad, pad, &made));
    }
    TRY(peer_store_change(a, made.change));
    peer_put_hex(out, "msg", view_of(&made.message));
out:
    mls_protected_clear(&made);
    return e;
}

static enum err
unprotect(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct mls_unprotected got = {0};
    struct view msg = peer_hex(p, p->in, "msg", &e);

    TRY(e);
    TRY(mls_unprotect(a->group, msg, &got));
    if (peer_turn(a)) {
        mls_undo(a->group, &got.change);
        TRY(peer_store_compare(a));
        mls_unprotected_clear(&got);
        TRY(mls_unprotect(a->group, msg, &got));
    }
    TRY(peer_store_change(a, got.change));
    peer_put_hex(out, "pt", view_of(&got.plaintext));
    peer_put_hex(out, "aad", view_of(&got.aad));
    peer_put_num(out, "sender", got.sender);
out:
    mls_unprotected_clear(&got);
    return e;
}

/* An error must have changed nothing. */
static enum err
unchanged(struct peer_actor *a, const uint8_t before[32], enum err e)
{
    uint8_t after[32];

    if (e == OK || e == ERR_CORRUPT) {
        return e;
    }
    if (peer_fingerprint(a, after) != OK || memcmp(before, after, 32) != 0) {
        a->peer->why = "a failed call changed the group";
        return ERR_INTERNAL;
    }
    return e;
}

static enum err
op_process(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e;
    uint8_t before[32];

    TRY(peer_fingerprint(a, before));
    e = unchanged(a, before, peer_process(p, a, out));
out:
    return e;
}

static enum err
op_unprotect(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e;
    uint8_t before[32];

    TRY(peer_fingerprint(a, before));
    e = unchanged(a, before, unprotect(p, a, out));
out:
    return e;
}

/* ------------------------------------------------------------ looking */

static enum err
op_gi(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e;
    struct bytes gi = {0};

    TRY(mls_group_info(a->group, peer_flag(p->in, "tree", true), &gi));
    peer_put_hex(out, "gi", view_of(&gi));
out:
    bytes_free(&gi);
    return e;
}

static enum err
op_info(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e;
    json_t *members = json_array();
    struct bytes tree = {0};

    (void)p;
    for (uint32_t i = 0; i < mls_group_leaf_count(a->group); i++) {
        struct mls_member m;
        json_t *x;
        if (mls_member_at(a->group, i, &m) != OK) {
            continue;
        }
        x = json_object();
        peer_put_num(x, "index", i);
        json_object_set_new(
            x, "identity",
            json_stringn((const char *)m.credential.p, m.credential.len));
        json_array_append_new(members, x);
    }
    json_object_set(out, "members", members);
    TRY(peer_put_epoch(a, out, "epoch"));
    peer_put_num(out, "index", mls_group_own_leaf(a->group));
    peer_put_hex(out, "tree_hash", mls_group_tree_hash(a->group));
    TRY(mls_tree_export(a->group, &tree));
    peer_put_hex(out, "tree", view_of(&tree));
out:
    json_decref(members);
    bytes_free(&tree);
    return e;
}

static enum err
op_export(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct bytes secret = {0};
    const char *label = json_string_value(json_object_get(p->in, "label"));
    struct view ctx = peer_hex(p, p->in, "ctx", &e);

    TRY(e);
    TRY(mls_export(a->group, label != NULL ? label : "", ctx,
                   (size_t)peer_num(p->in, "len", 32), &secret));
    peer_put_hex(out, "secret", view_of(&secret));
out:
    bytes_free(&secret);
    return e;
}

static enum err
op_save(struct peer *p, struct peer_actor *a, json_t *out)
{
    (void)p;
    return peer_actor_save(a, out);
}

static enum err
op_load(struct peer *p, struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    struct view state = peer_hex(p, p->in, "state", &e);

    (void)a;
    (void)out;
    TRY(e);
    TRY(peer_actor_load(p, peer_text(p->in, "who"), state));
out:
    return e;
}

static enum err
op_forget(struct peer *p, struct peer_actor *a, json_t *out)
{
    (void)out;
    peer_forget(p, a);
    return OK;
}

const struct peer_op peer_ops[] = {
    {"kp", false, false, peer_op_kp},
    {"create", false, false, peer_op_create},
    {"join", true, false, peer_op_join},
    {"extjoin", true, false, peer_op_extjoin},
    {"successor", true, true, peer_op_successor},
    {"propself", true, false, peer_op_propself},
    {"propext", true, false, peer_op_propext},
    {"psk", true, false, peer_op_psk},
    {"propose", true, true, peer_op_propose},
    {"commit", true, true, peer_op_commit},
    {"merge", true, true, peer_op_merge},
    {"clear", true, true, peer_op_clear},
    {"process", true, true, op_process},
    {"protect", true, true, op_protect},
    {"unprotect", true, true, op_unprotect},
    {"gi", true, true, op_gi},
    {"info", true, true, op_info},
    {"export", true, true, op_export},
    {"save", true, false, op_save},
    {"load", false, false, op_load},
    {"negative", true, true, peer_op_negative},
    {"forget", true, false, op_forget},
    {NULL, false, false, NULL},
};
