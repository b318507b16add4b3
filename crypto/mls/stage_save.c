/* SPDX-License-Identifier: Apache-2.0 */
/* A stage as bytes, for an own commit that outlives the process. */
#include "crypto/mls/save_int.h"

#include <string.h>

enum {
    SAVE_VERSION = 1
};

/* ----------------------------------------------------------------------- write
 */

static void
write_leaf(struct proto_tls_wr *w, const struct mls_leaf *leaf)
{
    proto_tls_wr_optional(w, leaf != NULL);
    if (leaf != NULL) {
        proto_tls_wr_vec(w, leaf->node.encoded);
    }
}

static void
write_info(struct proto_tls_wr *w, const struct mls_stage *st)
{
    size_t at;

    proto_tls_wr_vec(w, mls_hash_view(&st->base));
    proto_tls_wr_vec(w, mls_hash_view(&st->message));
    proto_tls_wr_u32(w, st->info.committer);
    proto_tls_wr_u8(w, st->info.own ? 1 : 0);
    proto_tls_wr_u8(w, st->info.external ? 1 : 0);
    proto_tls_wr_u8(w, st->info.self_removed ? 1 : 0);
    proto_tls_wr_u8(w, st->info.has_path ? 1 : 0);
    proto_tls_wr_u8(w, st->info.extensions_changed ? 1 : 0);
    proto_tls_wr_vec(w, view_of(&st->aad));
    proto_tls_wr_vec(w, view_of(&st->extras));
    at = proto_tls_wr_begin(w);
    for (uint32_t i = 0; i < st->delta_count; i++) {
        proto_tls_wr_u8(w, (uint8_t)st->delta[i].what);
        proto_tls_wr_u32(w, st->delta[i].leaf);
        write_leaf(w, st->delta[i].before);
        write_leaf(w, st->delta[i].after);
    }
    proto_tls_wr_end_vec(w, at);
}

/* The new epoch: its tree, its secrets, its fresh secret tree. */
static enum err
write_next(struct proto_tls_wr *w, const struct mls_stage *st)
{
    enum err e;
    struct bytes b = {0};
    struct mls_ratchet_id nodes = {0, MLS_RATCHET_NODES};

    TRY(mls_save_tree(st->next, &b));
    proto_tls_wr_vec(w, view_of(&b));
    bytes_free(&b);
    TRY(mls_save_epoch(st->next, &b));
    proto_tls_wr_vec(w, view_of(&b));
    bytes_free(&b);
    if (!st->info.self_removed) {
        TRY(mls_save_ratchet(st->next, nodes, &b));
    }
    proto_tls_wr_vec(w, view_of(&b));
out:
    bytes_free(&b);
    return e;
}

enum err
mls_stage_save(const struct mls_stage *stage, struct bytes *out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(stage->env.mem);

    proto_tls_wr_u8(&w, SAVE_VERSION);
    write_info(&w, stage);
    TRY(write_next(&w, stage));
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

/* ------------------------------------------------------------------------ read
 */

static enum err
read_leaf(const struct mem *mem, struct proto_tls_rd *r, struct mls_leaf **out)
{
    struct view v;

    if (!proto_tls_rd_optional(r)) {
        return r->e;
    }
    v = proto_tls_rd_vec(r);
    return r->e != OK ? r->e : mls_leaf_new(mem, v, out);
}

static enum err
read_deltas(struct mls_stage *st, struct proto_tls_rd list)
{
    enum err e = OK;
    struct mls_build b = {.env = &st->env};
    struct mls_leaf *before = NULL;
    struct mls_leaf *after = NULL;

    while (proto_tls_rd_more(&list)) {
        uint8_t what = proto_tls_rd_u8(&list);
        uint32_t leaf = proto_tls_rd_u32(&list);

        TRY(read_leaf(st->env.mem, &list, &before));
        TRY(read_leaf(st->env.mem, &list, &after));
        if (list.e != OK || what > MLS_UPDATED ||
            (before != NULL) != (what != MLS_ADDED) ||
            (after != NULL) != (what != MLS_REMOVED)) {
            e = ERR_FORMAT;
            goto out;
        }
        TRY(mls_build_note(&b, (enum mls_leaf_what)what, leaf, before, after));
        mls_leaf_drop(before);
        mls_leaf_drop(after);
        before = NULL;
        after = NULL;
    }
    TRY(list.e);
    st->delta = b.delta;
    st->delta_count = b.delta_count;
    st->delta_cap = b.delta_cap;
    b.delta = NULL;
    b.delta_count = 0;
out:
    mls_leaf_drop(before);
    mls_leaf_drop(after);
    mls_build_clear(&b);
    return e;
}

static enum err
read_info(struct mls_stage *st, struct proto_tls_rd *r)
{
    enum err e;

    mls_load_hash(r, &st->base);
    mls_load_hash(r, &st->message);
    st->info.committer = proto_tls_rd_u32(r);
    st->info.own = proto_tls_rd_optional(r);
    st->info.external = proto_tls_rd_optional(r);
    st->info.self_removed = proto_tls_rd_optional(r);
    st->info.has_path = proto_tls_rd_optional(r);
    st->info.extensions_changed = proto_tls_rd_optional(r);
    TRY(bytes_copy(st->env.mem, proto_tls_rd_vec(r), &st->aad));
    TRY(bytes_copy(st->env.mem, proto_tls_rd_vec(r), &st->extras));
    TRY(read_deltas(st, proto_tls_rd_sub(r)));
    TRY(mls_stage_index(st));
    st->info.aad = view_of(&st->aad);
out:
    return e;
}

static enum err
read_next(struct mls_stage *st, struct proto_tls_rd *r)
{
    enum err e;
    struct view tree = proto_tls_rd_vec(r);
    struct view epoch = proto_tls_rd_vec(r);
    struct view nodes = proto_tls_rd_vec(r);
    struct mls_ratchet_id id = {0, MLS_RATCHET_NODES};

    TRY(proto_tls_rd_end(r));
    TRY(mls_load_epoch(st->env.mem, tree, epoch, &st->next));
    if (st->info.self_removed) {
        TRY(nodes.len == 0 ? OK : ERR_CORRUPT);
    } else {
        TRY(mls_tree_leaf(&st->next->tree, st->next->own) == NULL ? ERR_CORRUPT
                                                                  : OK);
        TRY(mls_secret_tree_load(st->next->secrets, id, nodes));
    }
    st->next->stored = false;
    st->next->saved = false;
    st->info.epoch = st->next->context.epoch;
out:
    return e;
}

enum err
mls_stage_load(const struct mls_group *group, struct view saved,
               struct mls_stage **out)
{
    enum err e;
    struct proto_tls_rd r = proto_tls_rd_open(saved);
    uint8_t version = proto_tls_rd_u8(&r);
    struct mls_stage *st = NULL;
    struct mls_hash mark;

    if (r.e == OK && version != SAVE_VERSION) {
        return ERR_UNSUPPORTED;
    }
    st = mem_alloc(group->env.mem, sizeof(*st));
    if (st == NULL) {
        return ERR_NOMEM;
    }
    st->env = group->env;
    st->arena.mem = group->env.mem;
    TRY(read_info(st, &r));
    TRY(read_next(st, &r));
    mls_epoch_mark(group->now, &mark);
    if (group->removed ||
        !view_equal(mls_hash_view(&mark), mls_hash_view(&st->base))) {
        e = ERR_STALE;
        goto out;
    }
    *out = st;
    st = NULL;
out:
    mls_stage_free(st);
    return e == ERR_FORMAT || e == ERR_INVALID ? ERR_CORRUPT : e;
}
