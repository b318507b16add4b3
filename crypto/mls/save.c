/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/save_int.h"

enum {
    SAVE_VERSION = 1
};

/* ------------------------------------------------------------------- one
 * record */

enum err
mls_save_ratchet(const struct mls_epoch *epoch, struct mls_ratchet_id id,
                 struct bytes *out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(epoch->mem);

    TRY(mls_secret_tree_save(epoch->secrets, id, &w));
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

enum err
mls_save_tree(const struct mls_epoch *epoch, struct bytes *out)
{
    struct proto_tls_wr w = proto_tls_wr_open(epoch->mem);

    proto_tls_wr_u8(&w, SAVE_VERSION);
    proto_tls_wr_u16(&w, epoch->suite->id);
    mls_tree_write(&w, &epoch->tree);
    return proto_tls_wr_take(&w, out);
}

static void
write_secret(struct proto_tls_wr *w, const struct prim_secret *s)
{
    proto_tls_wr_vec(w, prim_secret_view(s));
}

static void
write_tree_keys(struct proto_tls_wr *w, const struct mls_tree_keys *k)
{
    size_t at = proto_tls_wr_begin(w);

    for (uint32_t i = 0; i < k->count; i++) {
        proto_tls_wr_u32(w, k->at[i].node);
        write_secret(w, &k->at[i].pair.priv);
    }
    proto_tls_wr_end_vec(w, at);
}

enum err
mls_save_epoch(const struct mls_epoch *epoch, struct bytes *out)
{
    struct proto_tls_wr w = proto_tls_wr_open(epoch->mem);
    const struct mls_epoch_keys *k = &epoch->keys;

    proto_tls_wr_u8(&w, SAVE_VERSION);
    proto_tls_wr_u16(&w, epoch->suite->id);
    proto_tls_wr_u8(&w, epoch->past ? 1 : 0);
    proto_tls_wr_u32(&w, epoch->own);
    proto_tls_wr_vec(&w, view_of(&epoch->encoded));
    proto_tls_wr_vec(&w, mls_hash_view(&epoch->interim));
    proto_tls_wr_vec(&w, mls_hash_view(&epoch->tag));
    write_secret(&w, &k->sender_data);
    write_secret(&w, &k->exporter);
    write_secret(&w, &k->external);
    write_secret(&w, &k->confirmation);
    write_secret(&w, &k->membership);
    write_secret(&w, &k->resumption_psk);
    write_secret(&w, &k->authenticator);
    write_secret(&w, &k->init);
    proto_tls_wr_fixed(&w,
                       view_make(epoch->sign.seed, sizeof(epoch->sign.seed)));
    write_tree_keys(&w, &epoch->tree_keys);
    return proto_tls_wr_take(&w, out);
}

static void
write_pending(struct proto_tls_wr *w, const struct mls_pending *p)
{
    proto_tls_wr_vec(w, view_of(&p->encoded));
    proto_tls_wr_optional(w, p->own_update);
    if (p->own_update) {
        write_secret(w, &p->pair.priv);
        proto_tls_wr_fixed(w, view_make(p->sign.seed, sizeof(p->sign.seed)));
    }
}

enum err
mls_save_group(const struct mls_group *g, struct bytes *out)
{
    struct proto_tls_wr w = proto_tls_wr_open(g->env.mem);
    size_t at;

    proto_tls_wr_u8(&w, SAVE_VERSION);
    proto_tls_wr_u8(&w, g->removed ? 1 : 0);
    proto_tls_wr_u64(&w, g->now->context.epoch);
    at = proto_tls_wr_begin(&w);
    for (uint32_t i = 0; i < g->past_count; i++) {
        proto_tls_wr_u64(&w, g->past[i]->context.epoch);
    }
    proto_tls_wr_end_vec(&w, at);
    at = proto_tls_wr_begin(&w);
    for (uint32_t i = 0; i < g->resumption_count; i++) {
        proto_tls_wr_u64(&w, g->resumption[i].epoch);
        write_secret(&w, &g->resumption[i].psk);
    }
    proto_tls_wr_end_vec(&w, at);
    proto_tls_wr_vec(&w, view_of(&g->reinit));
    at = proto_tls_wr_begin(&w);
    for (const struct mls_pending *p = g->pending; p != NULL; p = p->next) {
        write_pending(&w, p);
    }
    proto_tls_wr_end_vec(&w, at);
    return proto_tls_wr_take(&w, out);
}

/* ------------------------------------------------------------------ many
 * records */

static enum err
add_ratchets(struct mls_change *c, const struct mls_epoch *epoch, bool gone)
{
    enum err e = OK;
    struct mls_ratchet_id id;
    struct bytes b = {0};
    uint64_t n = epoch->context.epoch;

    for (size_t i = 0;
         epoch->secrets != NULL && mls_secret_tree_at(epoch->secrets, i, &id);
         i++) {
        if (!gone) {
            TRY(mls_save_ratchet(epoch, id, &b));
        }
        TRY(mls_change_add(c, MLS_RECORD_RATCHET, n, (uint8_t)id.type, id.leaf,
                           gone ? NULL : &b));
    }
out:
    bytes_free(&b);
    return e;
}

/* The records of one epoch; all, or only what changed since it was saved. */
static enum err
add_epoch(struct mls_change *c, const struct mls_epoch *epoch, bool all)
{
    enum err e = OK;
    struct bytes b = {0};
    uint64_t n = epoch->context.epoch;

    if (all || !epoch->stored) {
        TRY(mls_save_tree(epoch, &b));
        TRY(mls_change_add(c, MLS_RECORD_TREE, n, 0, 0, &b));
        TRY(add_ratchets(c, epoch, false));
    }
    if (all || !epoch->saved) {
        TRY(mls_save_epoch(epoch, &b));
        TRY(mls_change_add(c, MLS_RECORD_EPOCH, n, 0, 0, &b));
    }
out:
    bytes_free(&b);
    return e;
}

/* The records of an epoch that is forgotten. */
static enum err
add_gone(struct mls_change *c, const struct mls_epoch *epoch)
{
    enum err e;
    uint64_t n = epoch->context.epoch;

    TRY(mls_change_add(c, MLS_RECORD_TREE, n, 0, 0, NULL));
    TRY(mls_change_add(c, MLS_RECORD_EPOCH, n, 0, 0, NULL));
    TRY(add_ratchets(c, epoch, true));
out:
    return e;
}

static void
mark_saved(struct mls_group *g)
{
    g->now->stored = true;
    g->now->saved = true;
    for (uint32_t i = 0; i < g->past_count; i++) {
        g->past[i]->stored = true;
        g->past[i]->saved = true;
    }
    while (g->gone != NULL) {
        struct mls_epoch *epoch = g->gone;

        g->gone = epoch->next_gone;
        mls_epoch_free(epoch);
    }
    if (g->removed) {
        mls_secret_tree_free(g->now->secrets);
        g->now->secrets = NULL;
    }
    g->saved = true;
}

enum err
mls_save(struct mls_group *group, enum mls_save_what what,
         struct mls_change **out)
{
    enum err e;
    bool all = what == MLS_SAVE_ALL;
    struct mls_change *c = NULL;
    struct bytes b = {0};

    TRY(mls_change_new(group->env.mem, &c));
    for (const struct mls_epoch *x = group->gone; !all && x != NULL;
         x = x->next_gone) {
        TRY(add_gone(c, x));
    }
    if (group->removed && !all) {
        TRY(add_ratchets(c, group->now, true));
        TRY(mls_save_epoch(group->now, &b));
        TRY(mls_change_add(c, MLS_RECORD_EPOCH, group->now->context.epoch, 0, 0,
                           &b));
    } else {
        TRY(add_epoch(c, group->now, all));
    }
    for (uint32_t i = 0; i < group->past_count; i++) {
        TRY(add_epoch(c, group->past[i], all));
    }
    if (all || !group->saved) {
        TRY(mls_save_group(group, &b));
        TRY(mls_change_add(c, MLS_RECORD_EPOCH, MLS_GROUP_RECORD, 0, 0, &b));
    }
    if (!all) {
        mark_saved(group);
    }
    *out = c;
    c = NULL;
out:
    bytes_free(&b);
    mls_change_free(c);
    return e;
}
