/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the secret tree (decisions G 29).  Each begins with
 *
 *   u8 version, u16 suite, u32 leaves, u8 type, u32 leaf
 *
 * so that a record read back under another id is noticed, and goes on with
 *
 *   nodes:    u32 n, n times {u32 node, secret}
 *   ratchet:  secret, u32 next, u16 n, n times {u32 generation, key, nonce}
 *
 * in the sizes of the suite.
 */
#include "crypto/mls/secret_tree_int.h"

#include "proto/base/limits.h"
#include "proto/wire/tls_rd.h"
#include "proto/wire/tls_wr.h"

#include <string.h>

enum {
    VERSION = 1
};

static bool
is_ratchet(enum mls_ratchet type)
{
    return type == MLS_RATCHET_HANDSHAKE || type == MLS_RATCHET_APPLICATION;
}

/* NULL when there is none. */
static const struct mls_ratchet_state *
find(const struct mls_secret_tree *t, struct mls_ratchet_id id)
{
    size_t i = id.type == MLS_RATCHET_APPLICATION;

    if (!is_ratchet(id.type) || id.leaf >= t->leaves ||
        t->ratchets[id.leaf] == NULL || !t->ratchets[id.leaf]->present[i]) {
        return NULL;
    }
    return &t->ratchets[id.leaf]->r[i];
}

bool
mls_secret_tree_at(const struct mls_secret_tree *t, size_t i,
                   struct mls_ratchet_id *out)
{
    if (t->has_frontier) {
        if (i == 0) {
            *out = (struct mls_ratchet_id){0, MLS_RATCHET_NODES};
            return true;
        }
        i--;
    }
    for (uint32_t leaf = 0; leaf < t->leaves; leaf++) {
        for (int type = MLS_RATCHET_HANDSHAKE; type <= MLS_RATCHET_APPLICATION;
             type++) {
            struct mls_ratchet_id id = {leaf, (enum mls_ratchet)type};

            if (find(t, id) != NULL && i-- == 0) {
                *out = id;
                return true;
            }
        }
    }
    return false;
}

static void
write_head(const struct mls_secret_tree *t, struct mls_ratchet_id id,
           struct proto_tls_wr *w)
{
    proto_tls_wr_u8(w, VERSION);
    proto_tls_wr_u16(w, t->suite->id);
    proto_tls_wr_u32(w, t->leaves);
    proto_tls_wr_u8(w, (uint8_t)id.type);
    proto_tls_wr_u32(w, id.leaf);
}

static void
write_ratchet(const struct prim_suite *s, const struct mls_ratchet_state *r,
              struct proto_tls_wr *w)
{
    proto_tls_wr_fixed(w, prim_secret_view(&r->secret));
    proto_tls_wr_u32(w, r->next);
    proto_tls_wr_u16(w, (uint16_t)r->skipped_n);
    for (size_t i = 0; i < r->skipped_n; i++) {
        const struct mls_skipped *k = &r->skipped[i];

        proto_tls_wr_u32(w, k->generation);
        proto_tls_wr_fixed(w, view_make(k->key, s->key_size));
        proto_tls_wr_fixed(w, view_make(k->nonce, s->nonce_size));
    }
}

enum err
mls_secret_tree_save(const struct mls_secret_tree *t, struct mls_ratchet_id id,
                     struct proto_tls_wr *w)
{
    const struct mls_ratchet_state *r = find(t, id);

    if (id.type == MLS_RATCHET_NODES && id.leaf == 0 && t->has_frontier) {
        write_head(t, id, w);
        proto_tls_wr_u32(w, (uint32_t)t->frontier.n);
        for (size_t i = 0; i < t->frontier.n; i++) {
            proto_tls_wr_u32(w, t->frontier.at[i].node);
            proto_tls_wr_fixed(w, VIEW_ARRAY(t->frontier.at[i].secret));
        }
        return w->e;
    }
    if (r == NULL) {
        return ERR_MISSING;
    }
    write_head(t, id, w);
    write_ratchet(&t->suite->prim, r, w);
    return w->e;
}

/* ---------------------------------------------------------------- load */

static void
read_into(struct proto_tls_rd *r, uint8_t *out, size_t len)
{
    struct view v = proto_tls_rd_fixed(r, len);

    if (v.len > 0) {
        memcpy(out, v.p, v.len);
    }
}

static enum err
read_head(const struct mls_secret_tree *t, struct mls_ratchet_id id,
          struct proto_tls_rd *r)
{
    uint8_t version = proto_tls_rd_u8(r);
    uint16_t suite = proto_tls_rd_u16(r);
    uint32_t leaves = proto_tls_rd_u32(r);
    uint8_t type = proto_tls_rd_u8(r);
    uint32_t leaf = proto_tls_rd_u32(r);

    if (r->e == OK && version > VERSION) {
        return ERR_UNSUPPORTED;
    }
    if (r->e != OK || version != VERSION || suite != t->suite->id ||
        leaves != t->leaves || type != id.type || leaf != id.leaf) {
        return ERR_CORRUPT;
    }
    return OK;
}

static enum err
load_frontier(struct mls_secret_tree *t, struct proto_tls_rd *r)
{
    struct mls_frontier f = {.n = proto_tls_rd_u32(r)};
    enum err e = ERR_CORRUPT;

    if (f.n != r->left.len / (4 + MLS_NODE_SECRET)) {
        goto out;
    }
    if (f.n > 0) {
        f.at = mem_calloc(t->mem, f.n, sizeof(*f.at));
        if (f.at == NULL) {
            e = ERR_NOMEM;
            goto out;
        }
    }
    for (size_t i = 0; i < f.n; i++) {
        f.at[i].node = proto_tls_rd_u32(r);
        read_into(r, f.at[i].secret, MLS_NODE_SECRET);
        if (f.at[i].node > 2 * (t->leaves - 1) ||
            (i > 0 && f.at[i].node <= f.at[i - 1].node)) {
            goto out;
        }
    }
    if (proto_tls_rd_end(r) != OK) {
        goto out;
    }
    e = OK;
    t->frontier = f;
    t->has_frontier = true;
    f = (struct mls_frontier){0};
out:
    mem_free(t->mem, f.at, f.n * sizeof(*f.at));
    return e;
}

/* The list must be in order, below next, and within the bounds. */
static enum err
read_skipped(const struct mls_secret_tree *t, struct proto_tls_rd *r,
             struct mls_ratchet_state *out)
{
    const struct prim_suite *s = &t->suite->prim;

    for (size_t i = 0; i < out->skipped_n; i++) {
        struct mls_skipped *k = &out->skipped[i];

        k->generation = proto_tls_rd_u32(r);
        read_into(r, k->key, s->key_size);
        read_into(r, k->nonce, s->nonce_size);
        if (k->generation >= out->next ||
            (i > 0 && k->generation <= k[-1].generation)) {
            return ERR_CORRUPT;
        }
    }
    return proto_tls_rd_end(r) == OK ? OK : ERR_CORRUPT;
}

static enum err
load_ratchet(struct mls_secret_tree *t, struct mls_ratchet_id id,
             struct proto_tls_rd *r)
{
    SCRUBBED_STRUCT(mls_ratchet_state, made);
    struct mls_leaf_ratchets **slot = &t->ratchets[id.leaf];
    size_t which = id.type == MLS_RATCHET_APPLICATION;
    enum err e = ERR_CORRUPT;

    made.secret.len = MLS_NODE_SECRET;
    read_into(r, made.secret.b, MLS_NODE_SECRET);
    made.next = proto_tls_rd_u32(r);
    made.skipped_n = proto_tls_rd_u16(r);
    if (r->e != OK || made.skipped_n > LIMIT_MLS_SKIPPED_PER_SENDER ||
        made.skipped_n + t->skipped_n > LIMIT_MLS_SKIPPED_PER_EPOCH) {
        goto out;
    }
    if (made.skipped_n > 0) {
        made.skipped =
            mem_calloc(t->mem, made.skipped_n, sizeof(*made.skipped));
        if (made.skipped == NULL) {
            e = ERR_NOMEM;
            goto out;
        }
    }
    TRY(read_skipped(t, r, &made));
    if (*slot == NULL) {
        *slot = mem_alloc(t->mem, sizeof(**slot));
        if (*slot == NULL) {
            e = ERR_NOMEM;
            goto out;
        }
    }
    (*slot)->r[which] = made;
    (*slot)->present[which] = true;
    t->skipped_n += made.skipped_n;
    made.skipped = NULL;
out:
    mem_free(t->mem, made.skipped, made.skipped_n * sizeof(*made.skipped));
    return e;
}

enum err
mls_secret_tree_load(struct mls_secret_tree *t, struct mls_ratchet_id id,
                     struct view record)
{
    struct proto_tls_rd r = proto_tls_rd_open(record);
    enum err e = ERR_CORRUPT;

    if (id.type == MLS_RATCHET_NODES
            ? id.leaf != 0
            : !is_ratchet(id.type) || id.leaf >= t->leaves) {
        goto out;
    }
    TRY(read_head(t, id, &r));
    if (id.type == MLS_RATCHET_NODES ? t->has_frontier : find(t, id) != NULL) {
        e = ERR_EXISTS;
        goto out;
    }
    TRY(id.type == MLS_RATCHET_NODES ? load_frontier(t, &r)
                                     : load_ratchet(t, id, &r));
out:
    return e;
}
