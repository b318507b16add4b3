/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of the secret tree.  A step owns a copy of what it changes and swaps it
 * with the tree's; since swapping twice changes nothing, the same step is its
 * own undo.
 */
#include "crypto/mls/secret_tree_int.h"

#include "proto/base/limits.h"

#include <string.h>

struct mls_step {
    const struct mem *mem; /* the tree may be gone before the step */
    struct mls_secret_tree *tree;
    struct mls_key_nonce key;
    uint32_t leaf;
    uint32_t generation;
    enum mls_ratchet type;
    bool applied;
    bool first_use;    /* swaps the frontier and the leaf */
    bool list_changed; /* swaps the list of skipped keys */
    uint64_t before;   /* the tree's revision that the step leads from */
    uint64_t after;
    struct mls_ratchet_state ratchet; /* unless first_use */
    struct mls_leaf_ratchets *made;   /* first_use: both ratchets */
    struct mls_frontier frontier;     /* first_use */
};

/* Key and nonce of the ratchet's next generation; the ratchet stays. */
static void
next_key(const struct mls_suite *s, const struct mls_ratchet_state *r,
         struct mls_key_nonce *out)
{
    mls_derive_tree_secret(s, &r->secret, VIEW_LIT("key"), r->next,
                           s->prim.key_size, &out->key);
    mls_derive_tree_secret(s, &r->secret, VIEW_LIT("nonce"), r->next,
                           s->prim.nonce_size, &out->nonce);
}

static void
advance(const struct mls_suite *s, struct mls_ratchet_state *r)
{
    mls_derive_tree_secret(s, &r->secret, VIEW_LIT("secret"), r->next,
                           MLS_NODE_SECRET, &r->secret);
    r->next++;
}

/* Take the newest generation, one nobody skipped. */
static void
take_next(struct mls_step *step, struct mls_ratchet_state *r)
{
    const struct mls_suite *s = step->tree->suite;

    step->generation = r->next;
    next_key(s, r, &step->key);
    advance(s, r);
}

/* Take a key that was skipped: it leaves the list. */
static enum err
take_skipped(struct mls_step *step, struct mls_ratchet_state *r,
             uint32_t generation)
{
    const struct mls_skipped *old = r->skipped;
    size_t n = r->skipped_n;
    struct mls_skipped *list = NULL;
    size_t i = 0;
    enum err e = ERR_EXISTS;

    while (i < n && old[i].generation != generation) {
        i++;
    }
    /* RFC 9420 9.1 [generation-used]: used, or dropped as too old */
    if (i == n) {
        goto out;
    }
    if (n > 1) {
        list = mem_calloc(step->tree->mem, n - 1, sizeof(*list));
        if (list == NULL) {
            e = ERR_NOMEM;
            goto out;
        }
        memcpy(list, old, i * sizeof(*old));
        memcpy(list + i, old + i + 1, (n - 1 - i) * sizeof(*old));
    }
    e = OK;
    step->generation = generation;
    ERR_IGNORE(prim_secret_set(
                   &step->key.key,
                   view_make(old[i].key, step->tree->suite->prim.key_size)),
               "a key of this suite fits");
    ERR_IGNORE(prim_secret_set(
                   &step->key.nonce,
                   view_make(old[i].nonce, step->tree->suite->prim.nonce_size)),
               "a nonce of this suite fits");
    r->skipped = list;
    r->skipped_n = (uint32_t)(n - 1);
    step->list_changed = true;
out:
    return e;
}

/*
 * How many skipped keys the ratchet may hold after this step: its own bound,
 * and what the other ratchets of this epoch left.
 */
static size_t
room_for_skipped(const struct mls_secret_tree *t, size_t own)
{
    size_t others = t->skipped_n - own;
    size_t room = others < LIMIT_MLS_SKIPPED_PER_EPOCH
                      ? LIMIT_MLS_SKIPPED_PER_EPOCH - others
                      : 0;

    return room < LIMIT_MLS_SKIPPED_PER_SENDER ? room
                                               : LIMIT_MLS_SKIPPED_PER_SENDER;
}

/* Skip to generation, keeping the newest keys on the way. */
static enum err
skip_to(struct mls_step *step, struct mls_ratchet_state *r, uint32_t generation)
{
    const struct mls_secret_tree *t = step->tree;
    const struct mls_skipped *old = r->skipped;
    size_t gap = generation - r->next;
    size_t room = room_for_skipped(t, r->skipped_n);
    size_t fresh = gap < room ? gap : room;
    size_t kept = r->skipped_n < room - fresh ? r->skipped_n : room - fresh;
    struct mls_skipped *list = NULL;
    SCRUBBED_STRUCT(mls_key_nonce, key);

    if (fresh + kept > 0) {
        list = mem_calloc(t->mem, fresh + kept, sizeof(*list));
        if (list == NULL) {
            return ERR_NOMEM;
        }
    }
    if (kept > 0) {
        memcpy(list, old + (r->skipped_n - kept), kept * sizeof(*list));
    }
    for (size_t i = 0; i < gap; i++) {
        if (i >= gap - fresh) {
            struct mls_skipped *to = &list[kept + i - (gap - fresh)];

            next_key(t->suite, r, &key);
            to->generation = r->next;
            memcpy(to->key, key.key.b, key.key.len);
            memcpy(to->nonce, key.nonce.b, key.nonce.len);
        }
        advance(t->suite, r);
    }
    r->skipped = list;
    r->skipped_n = (uint32_t)(fresh + kept);
    step->list_changed = true;
    return OK;
}

/* ------------------------------------------------------------- steps */

static enum err
step_new(struct mls_secret_tree *t, uint32_t leaf, enum mls_ratchet type,
         struct mls_step **out)
{
    struct mls_step *step = NULL;
    SCRUBBED(secret, MLS_NODE_SECRET);
    enum err e = ERR_INVALID;

    if (leaf >= t->leaves ||
        (type != MLS_RATCHET_HANDSHAKE && type != MLS_RATCHET_APPLICATION)) {
        goto out;
    }
    e = ERR_NOMEM;
    step = mem_alloc(t->mem, sizeof(*step));
    if (step == NULL) {
        goto out;
    }
    step->mem = t->mem;
    step->tree = t;
    step->leaf = leaf;
    step->type = type;
    step->before = t->revision;
    if (t->ratchets[leaf] != NULL) {
        if (!t->ratchets[leaf]->present[type == MLS_RATCHET_APPLICATION]) {
            e = ERR_CORRUPT;
            goto out;
        }
        step->ratchet = *mls_ratchet_of(t->ratchets[leaf], type);
    } else {
        step->first_use = true;
        step->made = mem_alloc(t->mem, sizeof(*step->made));
        if (step->made == NULL) {
            goto out;
        }
        TRY(mls_secret_tree_split(t, leaf, &step->frontier, secret));
        mls_leaf_ratchets_start(t->suite, secret, step->made);
    }
    e = OK;
    *out = step;
    step = NULL;
out:
    mls_step_free(step);
    return e;
}

/* The copy that the step derives on. */
static struct mls_ratchet_state *
step_ratchet(struct mls_step *step)
{
    return step->first_use ? mls_ratchet_of(step->made, step->type)
                           : &step->ratchet;
}

enum err
mls_secret_tree_send(struct mls_secret_tree *t, uint32_t leaf,
                     enum mls_ratchet type, struct mls_step **out)
{
    struct mls_step *step = NULL;
    struct mls_ratchet_state *r;
    enum err e;

    TRY(step_new(t, leaf, type, &step));
    r = step_ratchet(step);
    if (r->next == UINT32_MAX) {
        e = ERR_LIMIT;
        goto out;
    }
    take_next(step, r);
    *out = step;
    step = NULL;
out:
    mls_step_free(step);
    return e;
}

enum err
mls_secret_tree_receive(struct mls_secret_tree *t, uint32_t leaf,
                        enum mls_ratchet type, uint32_t generation,
                        struct mls_step **out)
{
    struct mls_step *step = NULL;
    struct mls_ratchet_state *r;
    enum err e;

    TRY(step_new(t, leaf, type, &step));
    r = step_ratchet(step);
    if (generation < r->next) {
        TRY(take_skipped(step, r, generation));
    } else {
        /* RFC 9420 15.3 [generation-forward] */
        if (generation == UINT32_MAX ||
            generation - r->next > LIMIT_MLS_FORWARD) {
            e = ERR_LIMIT;
            goto out;
        }
        if (generation > r->next) {
            TRY(skip_to(step, r, generation));
        }
        take_next(step, r);
    }
    *out = step;
    step = NULL;
out:
    mls_step_free(step);
    return e;
}

const struct mls_key_nonce *
mls_step_key(const struct mls_step *step)
{
    return &step->key;
}

uint32_t
mls_step_generation(const struct mls_step *step)
{
    return step->generation;
}

static size_t
skipped_in(const struct mls_leaf_ratchets *l)
{
    return l == NULL ? 0 : (size_t)l->r[0].skipped_n + l->r[1].skipped_n;
}

static void
swap_state(struct mls_step *step)
{
    struct mls_secret_tree *t = step->tree;
    struct mls_leaf_ratchets **slot = &t->ratchets[step->leaf];

    t->skipped_n -= skipped_in(*slot);
    if (step->first_use) {
        struct mls_leaf_ratchets *leaf = *slot;
        struct mls_frontier frontier = t->frontier;

        *slot = step->made;
        step->made = leaf;
        t->frontier = step->frontier;
        step->frontier = frontier;
    } else {
        struct mls_ratchet_state *r = mls_ratchet_of(*slot, step->type);
        SCRUBBED_STRUCT(mls_ratchet_state, old);

        old = *r;
        *r = step->ratchet;
        step->ratchet = old;
    }
    t->skipped_n += skipped_in(*slot);
}

enum err
mls_step_apply(struct mls_step *step)
{
    struct mls_secret_tree *t = step->tree;

    if (step->applied || t->revision != step->before) {
        return ERR_STATE;
    }
    swap_state(step);
    step->applied = true;
    step->after = ++t->last_revision;
    t->revision = step->after;
    mem_wipe(&step->key, sizeof(step->key));
    return OK;
}

enum err
mls_step_undo(struct mls_step *step)
{
    struct mls_secret_tree *t = step->tree;

    if (!step->applied || t->revision != step->after) {
        return ERR_STATE;
    }
    swap_state(step);
    step->applied = false;
    t->revision = step->before;
    return OK;
}

size_t
mls_step_changed(const struct mls_step *step,
                 struct mls_ratchet_id out[MLS_STEP_CHANGED_MAX])
{
    if (!step->first_use) {
        out[0] = (struct mls_ratchet_id){step->leaf, step->type};
        return 1;
    }
    out[0] = (struct mls_ratchet_id){0, MLS_RATCHET_NODES};
    out[1] = (struct mls_ratchet_id){step->leaf, MLS_RATCHET_HANDSHAKE};
    out[2] = (struct mls_ratchet_id){step->leaf, MLS_RATCHET_APPLICATION};
    return 3;
}

void
mls_step_free(struct mls_step *step)
{
    const struct mem *mem;

    if (step == NULL) {
        return;
    }
    mem = step->mem;
    mls_leaf_ratchets_free(mem, step->made);
    mls_frontier_free(mem, &step->frontier);
    if (step->list_changed && !step->first_use) {
        mls_skipped_free(mem, &step->ratchet);
    }
    mem_free(mem, step, sizeof(*step));
}
