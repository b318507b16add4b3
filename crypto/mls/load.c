/* SPDX-License-Identifier: Apache-2.0 */
/* A group from its records.  They are our own, so what is wrong is corrupt. */
#include "crypto/mls/save_int.h"

#include "crypto/mls/tree_hash.h"

#include <string.h>

enum {
    SAVE_VERSION = 1
};

/* Our own bytes: malformed means corrupt. */
static enum err
as_stored(enum err e)
{
    return e == OK || e == ERR_NOMEM || e == ERR_UNSUPPORTED ? e : ERR_CORRUPT;
}

static void
read_version(struct proto_tls_rd *r)
{
    if (proto_tls_rd_u8(r) != SAVE_VERSION) {
        proto_tls_rd_fail(r, ERR_UNSUPPORTED);
    }
}

static const struct mls_suite *
read_suite(struct proto_tls_rd *r)
{
    const struct mls_suite *s = mls_suite_find(proto_tls_rd_u16(r));

    if (s == NULL) {
        proto_tls_rd_fail(r, ERR_UNSUPPORTED);
    }
    return s;
}

static void
read_secret(struct proto_tls_rd *r, struct prim_secret *out)
{
    struct view v = proto_tls_rd_vec(r);

    if (r->e == OK && prim_secret_set(out, v) != OK) {
        proto_tls_rd_fail(r, ERR_FORMAT);
    }
}

void
mls_load_hash(struct proto_tls_rd *r, struct mls_hash *out)
{
    struct view v = proto_tls_rd_vec(r);

    if (v.len > sizeof(out->b)) {
        proto_tls_rd_fail(r, ERR_FORMAT);
        return;
    }
    out->len = (uint8_t)v.len;
    if (v.len > 0) {
        memcpy(out->b, v.p, v.len);
    }
}

static void
read_sign(struct proto_tls_rd *r, bool used, struct prim_sign_key *out)
{
    struct view seed = proto_tls_rd_fixed(r, sizeof(out->seed));

    if (r->e == OK && used) {
        prim_ed25519_from_seed(seed.p, out);
    } else if (r->e == OK && !prim_is_zero(seed)) {
        proto_tls_rd_fail(r, ERR_FORMAT);
    }
}

static void
read_tree_keys(struct proto_tls_rd *r, const struct mls_suite *s,
               struct mls_tree_keys *out)
{
    struct proto_tls_rd keys = proto_tls_rd_sub(r);
    uint32_t n = 0;
    SCRUBBED_STRUCT(prim_kem_pair, pair);

    while (r->e == OK && proto_tls_rd_more(&keys)) {
        uint32_t node = proto_tls_rd_u32(&keys);
        struct view priv = proto_tls_rd_vec(&keys);

        if (keys.e != OK || out->count == MLS_TREE_KEYS_MAX ||
            prim_kem_from_priv(&s->prim, priv, &pair) != OK) {
            proto_tls_rd_fail(r, ERR_FORMAT);
            return;
        }
        mls_tree_keys_set(out, node, &pair);
        n++;
        if (out->count != n) {
            proto_tls_rd_fail(r, ERR_FORMAT); /* one node twice */
        }
    }
}

static enum err
read_epoch_tree(struct view record, struct mls_epoch *epoch)
{
    struct proto_tls_rd r = proto_tls_rd_open(record);

    read_version(&r);
    if (read_suite(&r) != epoch->suite) {
        proto_tls_rd_fail(&r, ERR_FORMAT);
    }
    if (r.e != OK) {
        return r.e;
    }
    return mls_tree_read(epoch->mem, epoch->suite, r.left, &epoch->tree, NULL);
}

/* The tree is the one that the GroupContext is about. */
static enum err
check_tree(struct mls_epoch *epoch)
{
    enum err e;
    struct mls_hash hash;

    TRY(mls_tree_root_hash(&epoch->tree, &hash));
    if (!view_equal(mls_hash_view(&hash), epoch->context.tree_hash) ||
        epoch->context.suite != epoch->suite->id) {
        e = ERR_CORRUPT;
    }
out:
    return e;
}

enum err
mls_load_epoch(const struct mem *mem, struct view tree, struct view record,
               struct mls_epoch **out)
{
    enum err e;
    struct proto_tls_rd r = proto_tls_rd_open(record);
    const struct mls_suite *s;
    struct mls_epoch *epoch = NULL;
    struct mls_epoch_keys *k;

    read_version(&r);
    s = read_suite(&r);
    TRY(r.e);
    TRY(mls_epoch_new(mem, s, &epoch));
    k = &epoch->keys;
    epoch->past = proto_tls_rd_optional(&r);
    epoch->own = proto_tls_rd_u32(&r);
    TRY(bytes_copy(mem, proto_tls_rd_vec(&r), &epoch->encoded));
    mls_load_hash(&r, &epoch->interim);
    mls_load_hash(&r, &epoch->tag);
    read_secret(&r, &k->sender_data);
    read_secret(&r, &k->exporter);
    read_secret(&r, &k->external);
    read_secret(&r, &k->confirmation);
    read_secret(&r, &k->membership);
    read_secret(&r, &k->resumption_psk);
    read_secret(&r, &k->authenticator);
    read_secret(&r, &k->init);
    read_sign(&r, !epoch->past, &epoch->sign);
    read_tree_keys(&r, s, &epoch->tree_keys);
    TRY(proto_tls_rd_end(&r));
    TRY(mls_group_context_decode(view_of(&epoch->encoded), &epoch->context));
    TRY(read_epoch_tree(tree, epoch));
    TRY(check_tree(epoch));
    TRY(mls_secret_tree_empty(mem, s, mls_tree_leaves(&epoch->tree),
                              &epoch->secrets));
    epoch->stored = true;
    epoch->saved = true;
    *out = epoch;
    epoch = NULL;
out:
    mls_epoch_free(epoch);
    return as_stored(e);
}

/* ---------------------------------------------------------------------- groups
 */

struct loading {
    const struct mls_env *env;
    const struct mls_record *records;
    size_t count;
    struct mls_group *g;
};

static struct view
find(const struct loading *l, enum mls_record_kind kind, uint64_t epoch)
{
    uint8_t key[MLS_RECORD_KEY];

    mls_record_key(kind, epoch, 0, 0, key);
    for (size_t i = 0; i < l->count; i++) {
        if (memcmp(l->records[i].key, key, sizeof(key)) == 0) {
            return l->records[i].bytes;
        }
    }
    return (struct view){0};
}

static enum err
load_one(const struct loading *l, uint64_t n, struct mls_epoch **out)
{
    enum err e;
    struct mls_epoch *epoch = NULL;

    TRY(mls_load_epoch(l->env->mem, find(l, MLS_RECORD_TREE, n),
                       find(l, MLS_RECORD_EPOCH, n), &epoch));
    if (epoch->context.epoch != n ||
        mls_tree_leaf(&epoch->tree, epoch->own) == NULL) {
        mls_epoch_free(epoch);
        return ERR_CORRUPT;
    }
    *out = epoch;
out:
    return e;
}

static struct mls_epoch *
epoch_of(const struct mls_group *g, uint64_t n)
{
    if (g->now->context.epoch == n) {
        return g->now;
    }
    for (uint32_t i = 0; i < g->past_count; i++) {
        if (g->past[i]->context.epoch == n) {
            return g->past[i];
        }
    }
    return NULL;
}

/* Put the ratchet records into their trees. */
static enum err
load_ratchets(const struct loading *l)
{
    enum err e = OK;

    for (size_t i = 0; i < l->count; i++) {
        struct proto_tls_rd r = proto_tls_rd_open(
            view_make(l->records[i].key, sizeof(l->records[i].key)));
        uint8_t kind = proto_tls_rd_u8(&r);
        struct mls_epoch *epoch = epoch_of(l->g, proto_tls_rd_u64(&r));
        struct mls_ratchet_id id;

        id.type = (enum mls_ratchet)proto_tls_rd_u8(&r);
        id.leaf = proto_tls_rd_u32(&r);
        if (kind != MLS_RECORD_RATCHET) {
            continue;
        }
        if (epoch == NULL) {
            return ERR_CORRUPT;
        }
        TRY(mls_secret_tree_load(epoch->secrets, id, l->records[i].bytes));
    }
out:
    return as_stored(e);
}

static void
read_resumption(struct proto_tls_rd *r, struct mls_group *g)
{
    struct proto_tls_rd list = proto_tls_rd_sub(r);

    while (r->e == OK && proto_tls_rd_more(&list)) {
        struct mls_resumption *x = &g->resumption[g->resumption_count];

        if (g->resumption_count == LIMIT_MLS_RESUMPTION_PSKS) {
            proto_tls_rd_fail(r, ERR_FORMAT);
            return;
        }
        x->epoch = proto_tls_rd_u64(&list);
        read_secret(&list, &x->psk);
        g->resumption_count++;
    }
    if (list.e != OK) {
        proto_tls_rd_fail(r, list.e);
    }
}

static enum err
read_pending(struct mls_group *g, struct proto_tls_rd *list,
             struct mls_pending **out)
{
    enum err e;
    struct view encoded = proto_tls_rd_vec(list);
    bool own = proto_tls_rd_optional(list);
    struct mls_pending *p = NULL;

    TRY(list->e);
    TRY(mls_pending_new(&g->env, g->now->suite, encoded, &p));
    p->own_update = own;
    if (own) {
        struct view priv = proto_tls_rd_vec(list);

        read_sign(list, true, &p->sign);
        TRY(list->e);
        TRY(prim_kem_from_priv(&g->now->suite->prim, priv, &p->pair));
    }
    *out = p;
    p = NULL;
out:
    mls_pending_free(g->env.mem, p);
    return e;
}

static enum err
read_all_pending(struct mls_group *g, struct proto_tls_rd list)
{
    enum err e = OK;
    struct mls_pending **at = &g->pending;

    while (proto_tls_rd_more(&list)) {
        TRY(read_pending(g, &list, at));
        at = &(*at)->next;
    }
    e = list.e;
out:
    return e;
}

static enum err
load_past(struct loading *l, struct proto_tls_rd list)
{
    enum err e = OK;
    struct mls_group *g = l->g;

    while (proto_tls_rd_more(&list)) {
        uint64_t n = proto_tls_rd_u64(&list);

        if (list.e != OK || g->past_count == LIMIT_MLS_PAST_EPOCHS) {
            return ERR_CORRUPT;
        }
        TRY(load_one(l, n, &g->past[g->past_count]));
        g->past_count++;
    }
out:
    return e;
}

/* The group's own record, and the epochs that it names. */
static enum err
load_group(struct loading *l)
{
    enum err e;
    struct proto_tls_rd r =
        proto_tls_rd_open(find(l, MLS_RECORD_EPOCH, MLS_GROUP_RECORD));
    bool removed;
    uint64_t now;
    struct proto_tls_rd past;
    struct mls_epoch *epoch = NULL;

    read_version(&r);
    removed = proto_tls_rd_optional(&r);
    now = proto_tls_rd_u64(&r);
    past = proto_tls_rd_sub(&r);
    TRY(r.e);
    TRY(load_one(l, now, &epoch));
    TRY(mls_group_new(l->env, &epoch, &l->g));
    l->g->removed = removed;
    l->g->saved = true;
    TRY(load_past(l, past));
    read_resumption(&r, l->g);
    TRY(bytes_copy(l->env->mem, proto_tls_rd_vec(&r), &l->g->reinit));
    TRY(read_all_pending(l->g, proto_tls_rd_sub(&r)));
    TRY(proto_tls_rd_end(&r));
out:
    mls_epoch_free(epoch);
    return as_stored(e);
}

enum err
mls_load(const struct mls_env *env, const struct mls_record *records,
         size_t records_len, struct mls_group **out)
{
    enum err e;
    struct loading l = {env, records, records_len, NULL};

    TRY(load_group(&l));
    TRY(load_ratchets(&l));
    if (l.g->removed) {
        mls_secret_tree_free(l.g->now->secrets);
        l.g->now->secrets = NULL;
    }
    *out = l.g;
    l.g = NULL;
out:
    mls_group_free(l.g);
    return e;
}
