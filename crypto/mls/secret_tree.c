/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets that are left of one epoch's tree, in two parts.
 *
 * The *frontier* is the list of node secrets that no leaf was derived from:
 * first only the root; when a leaf is used for the first time, its highest
 * frontier ancestor is replaced by the siblings along the way down.  The
 * *ratchets* are what the used leaves became.  Either holds nothing from which
 * a used key could be computed again.
 */
#include "crypto/mls/secret_tree_int.h"

#include "proto/base/assert.h"
#include "proto/base/limits.h"

#include <string.h>

/* ------------------------------------------------------------- the tree */

static uint32_t
power_of_two(uint32_t n)
{
    uint32_t width = 1;

    while (width < n) {
        width *= 2;
    }
    return width;
}

enum err
mls_secret_tree_empty(const struct mem *mem, const struct mls_suite *s,
                      uint32_t leaves, struct mls_secret_tree **out)
{
    struct mls_secret_tree *t = NULL;
    enum err e = ERR_LIMIT;

    if (leaves == 0 || leaves > LIMIT_MLS_LEAVES) {
        goto out;
    }
    e = ERR_NOMEM;
    t = mem_alloc(mem, sizeof(*t));
    if (t == NULL) {
        goto out;
    }
    t->mem = mem;
    t->suite = s;
    t->leaves = power_of_two(leaves);
    t->ratchets =
        mem_calloc(mem, t->leaves, sizeof(struct mls_leaf_ratchets *));
    if (t->ratchets == NULL) {
        goto out;
    }
    *out = t;
    t = NULL;
    e = OK;
out:
    mls_secret_tree_free(t);
    return e;
}

enum err
mls_secret_tree_new(const struct mem *mem, const struct mls_suite *s,
                    uint32_t leaves, const struct prim_secret *encryption,
                    struct mls_secret_tree **out)
{
    struct mls_secret_tree *t = NULL;
    enum err e;

    ASSERT(encryption->len == MLS_NODE_SECRET);
    TRY(mls_secret_tree_empty(mem, s, leaves, &t));
    t->frontier.at = mem_calloc(mem, 1, sizeof(*t->frontier.at));
    if (t->frontier.at == NULL) {
        e = ERR_NOMEM;
        goto out;
    }
    t->frontier.n = 1;
    t->frontier.at[0].node = t->leaves - 1;
    memcpy(t->frontier.at[0].secret, encryption->b, MLS_NODE_SECRET);
    t->has_frontier = true;
    *out = t;
    t = NULL;
out:
    mls_secret_tree_free(t);
    return e;
}

void
mls_frontier_free(const struct mem *mem, struct mls_frontier *f)
{
    mem_free(mem, f->at, f->n * sizeof(*f->at));
    *f = (struct mls_frontier){0};
}

void
mls_skipped_free(const struct mem *mem, struct mls_ratchet_state *r)
{
    mem_free(mem, r->skipped, r->skipped_n * sizeof(*r->skipped));
    r->skipped = NULL;
    r->skipped_n = 0;
}

void
mls_leaf_ratchets_free(const struct mem *mem, struct mls_leaf_ratchets *l)
{
    if (l != NULL) {
        mls_skipped_free(mem, &l->r[0]);
        mls_skipped_free(mem, &l->r[1]);
        mem_free(mem, l, sizeof(*l));
    }
}

void
mls_secret_tree_free(struct mls_secret_tree *t)
{
    if (t == NULL) {
        return;
    }
    for (uint32_t i = 0; t->ratchets != NULL && i < t->leaves; i++) {
        mls_leaf_ratchets_free(t->mem, t->ratchets[i]);
    }
    mem_free(t->mem, t->ratchets,
             t->leaves * sizeof(struct mls_leaf_ratchets *));
    mls_frontier_free(t->mem, &t->frontier);
    mem_free(t->mem, t, sizeof(*t));
}

/* ------------------------------------------------- deriving on a copy */

/* RFC 9420 9 */
static void
derive_child(const struct mls_suite *s, const uint8_t *parent, bool right,
             uint8_t *out)
{
    SCRUBBED_SECRET(from);
    SCRUBBED_SECRET(to);

    from.len = MLS_NODE_SECRET;
    memcpy(from.b, parent, MLS_NODE_SECRET);
    mls_expand_secret(s, &from, VIEW_LIT("tree"),
                      right ? VIEW_LIT("right") : VIEW_LIT("left"),
                      MLS_NODE_SECRET, &to);
    memcpy(out, to.b, MLS_NODE_SECRET);
}

/* The level of a node is the number of ones its index ends in. */
static uint32_t
half_of(uint32_t node)
{
    uint32_t level = 0;

    while (node >> level & 1) {
        level++;
    }
    ASSERT(level > 0);
    return 1u << (level - 1);
}

/* Where the frontier has node itself or an ancestor, or n. */
static size_t
find_ancestor(const struct mls_frontier *f, uint32_t node)
{
    for (size_t i = 0; i < f->n; i++) {
        uint32_t x = f->at[i].node;
        /* a node at level k covers 2^k - 1 indices to either side */
        uint32_t reach = x & 1 ? 2 * half_of(x) - 1 : 0;

        if (node + reach >= x && node <= x + reach) {
            return i;
        }
    }
    return f->n;
}

/*
 * The frontier without the ancestor of the leaf, with the siblings on the way
 * down instead (in order of their indices), and the leaf's own secret.
 */
enum err
mls_secret_tree_split(const struct mls_secret_tree *t, uint32_t leaf,
                      struct mls_frontier *out,
                      uint8_t secret_out[MLS_NODE_SECRET])
{
    const struct mls_frontier *f = &t->frontier;
    uint32_t target = 2 * leaf;
    size_t at = find_ancestor(f, target);
    size_t left = at;
    size_t right;
    struct mls_frontier made = {0};

    if (at == f->n) {
        return ERR_CORRUPT;
    }
    for (uint32_t x = f->at[at].node; x & 1;) {
        uint32_t half = half_of(x);

        made.n++;
        x = target < x ? x - half : x + half;
    }
    made.n += f->n - 1;
    if (made.n > 0) {
        made.at = mem_calloc(t->mem, made.n, sizeof(*made.at));
        if (made.at == NULL) {
            return ERR_NOMEM;
        }
        memcpy(made.at, f->at, at * sizeof(*f->at));
        memcpy(made.at + made.n - (f->n - at - 1), f->at + at + 1,
               (f->n - at - 1) * sizeof(*f->at));
    }
    right = made.n - (f->n - at - 1);
    memcpy(secret_out, f->at[at].secret, MLS_NODE_SECRET);
    for (uint32_t x = f->at[at].node; x & 1;) {
        uint32_t half = half_of(x);
        bool down_right = target > x;
        struct mls_node_secret *sibling =
            &made.at[down_right ? left++ : --right];

        sibling->node = down_right ? x - half : x + half;
        derive_child(t->suite, secret_out, !down_right, sibling->secret);
        derive_child(t->suite, secret_out, down_right, secret_out);
        x = down_right ? x + half : x - half;
    }
    *out = made;
    return OK;
}

struct mls_ratchet_state *
mls_ratchet_of(struct mls_leaf_ratchets *l, enum mls_ratchet type)
{
    return &l->r[type == MLS_RATCHET_APPLICATION];
}

/* The roots of both ratchets from the leaf's secret, RFC 9420 9 */
void
mls_leaf_ratchets_start(const struct mls_suite *s,
                        const uint8_t secret[MLS_NODE_SECRET],
                        struct mls_leaf_ratchets *out)
{
    SCRUBBED_SECRET(leaf);
    struct view none = {0};

    leaf.len = MLS_NODE_SECRET;
    memcpy(leaf.b, secret, MLS_NODE_SECRET);
    mls_expand_secret(s, &leaf, VIEW_LIT("handshake"), none, MLS_NODE_SECRET,
                      &mls_ratchet_of(out, MLS_RATCHET_HANDSHAKE)->secret);
    mls_expand_secret(s, &leaf, VIEW_LIT("application"), none, MLS_NODE_SECRET,
                      &mls_ratchet_of(out, MLS_RATCHET_APPLICATION)->secret);
    out->present[0] = true;
    out->present[1] = true;
}
