/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the core and MLS: who we are in groups, whom we let in, key
 * packages, and where a group's records go.
 *
 * A leaf's credential is a clinic's certificate chain (decisions A 4): judged
 * at the log time of what installs it, against revocation, and against the
 * subject that it replaces.  A leaf already in a tree that we join was judged
 * by its members; its age does not count.
 */
#include "federation/core/rows.h"
#include "federation/core/trust.h"

#include "crypto/prim/curve.h"

#include <string.h>

static const uint16_t extension_types[] = {PROTO_EXT_GROUP,
                                           MLS_EXT_LAST_RESORT};

static uint64_t
judged_at(const struct fed_core *core, enum mls_leaf_use use)
{
    switch (use) {
    case MLS_FOR_KEY_PACKAGE:
        return fed_now(core);
    case MLS_FOR_TREE:
        return 0;
    case MLS_FOR_UPDATE:
    case MLS_FOR_COMMIT:
    case MLS_FOR_EXTERNAL:
    case MLS_FOR_SENDER:
        break;
    }
    return core->judge_ms;
}

static enum err
check_leaf(void *ctx, const struct mls_leaf_check *asked)
{
    enum err e;
    struct fed_core *core = ctx;
    const struct mls_member *leaf = asked->leaf;
    struct ident_check check = {.now_ms = judged_at(core, asked->use)};
    struct ident_node node;
    struct clinic_id before;
    struct fed_who who;
    const struct fed_party *p;

    if (asked->use == MLS_FOR_SENDER || leaf->credential_type != 1 ||
        leaf->signature_key.len != PRIM_ED25519_PUB) {
        return ERR_DENIED;
    }
    TRY(fed_cred_who(leaf->credential, &who));
    if (who.kind == FED_KIND_DEVICE) {
        /* Whose device it is, the group's list says: members.c. */
        return memcmp(who.node.b, leaf->signature_key.p, 32) == 0 ? OK
                                                                  : ERR_DENIED;
    }
    check.key = leaf->signature_key.p;
    if (asked->use == MLS_FOR_KEY_PACKAGE) { /* the others by the log's time */
        struct fed_clock clock;

        fed_core_clock(core, &clock);
        check.known_ms = clock.known_ms;
    }
    TRY(ident_chain_verify(core->mem, leaf->credential, &check, &node));
    if (asked->before != NULL) {
        TRY(fed_cred_subject(asked->before->credential, &before));
        TRY(clinic_id_equal(&before, &node.root) ? OK : ERR_DENIED);
    }
    if (asked->use == MLS_FOR_TREE &&
        clinic_id_equal(&node.root, &core->config.self.root) &&
        node.generation > core->seen_self) {
        core->seen_self = node.generation;
    }
    p = fed_party_find(core, &node.root);
    if (p != NULL && asked->use != MLS_FOR_TREE &&
        node.generation < p->rec.revoked) {
        TRY(ERR_STALE);
    }
out:
    return e;
}

struct mls_env
fed_mls_env(struct fed_core *core)
{
    struct mls_env env = {
        .mem = core->mem,
        .rng = core->config.rng,
        .clock = core->config.clock,
        .ctx = core,
        .check_leaf = check_leaf,
        .rule_out = &core->rule,
        .past_epochs = 1,
    };

    return env;
}

struct mls_identity
fed_mls_identity(struct fed_core *core)
{
    struct mls_identity who = {
        .credential = view_of(&core->chain),
        .signature_key = device_id_view(&core->node),
        .signature_priv = VIEW_ARRAY(core->seed),
        .extension_types = extension_types,
        .extension_types_len =
            sizeof(extension_types) / sizeof(extension_types[0]),
    };

    return who;
}

/* ------------------------------------------------------------ key packages */

/*
 * Room for one more that peer gets: those that expired go, and the oldest of
 * peer when it has too many.
 */
static enum err
kp_room(struct fed_core *core, const struct clinic_id *peer)
{
    enum err e;
    struct fed_rows rows = fed_rows_of(FED_NS_KP, (struct view){0});
    struct fed_key oldest = {.len = 0};
    uint64_t oldest_ms = UINT64_MAX;
    uint64_t now = fed_now(core);
    size_t n = 0;

    while ((e = fed_rows_next(core, &rows)) == OK) {
        struct fed_key at = fed_rows_key(&rows);
        struct fed_rec_kp rec;

        TRY(fed_rec_decode(view_of(&rows.value), &fed_rec_kp_shape, &rec));
        if (now > rec.made_ms &&
            now - rec.made_ms > LIMIT_KP_DAYS * UINT64_C(86400000)) {
            TRY(fed_tx_del(core, FED_NS_KP, &at));
        } else if (memcmp(rec.peer, peer->b, sizeof(rec.peer)) == 0) {
            n++;
            if (rec.made_ms < oldest_ms) {
                oldest_ms = rec.made_ms;
                oldest = at;
            }
        }
    }
    TRY(fed_rows_all(e));
    e = n >= LIMIT_KP_HELD ? fed_tx_del(core, FED_NS_KP, &oldest) : OK;
out:
    fed_rows_free(&rows);
    return e;
}

enum err
fed_kp_make(struct fed_core *core, const struct clinic_id *peer,
            bool last_resort, struct bytes *out)
{
    static const uint8_t any[32];

    return fed_kp_claimed(core, peer, any, last_resort, out);
}

enum err
fed_kp_claimed(struct fed_core *core, const struct clinic_id *peer,
               const uint8_t thread[32], bool last_resort, struct bytes *out)
{
    enum err e;
    struct mls_env env = fed_mls_env(core);
    struct mls_identity who = fed_mls_identity(core);
    struct mls_key_package_opts opts = {.suite = core->config.suite,
                                        .last_resort = last_resort};
    struct mls_key_package_made made = {0};
    struct fed_rec_kp rec = {.made_ms = fed_now(core),
                             .last_resort = last_resort};
    struct fed_key key;
    uint64_t now_s = rec.made_ms / 1000;
    /* good too for who is a day behind us, as a node's certificate is */
    const uint64_t early_s = LIMIT_HUB_CLOCK_MS / 1000;

    TRY(kp_room(core, peer));
    opts.not_before_s = now_s > early_s ? now_s - early_s : 0;
    opts.not_after_s = now_s + LIMIT_KP_DAYS * 86400u - early_s;
    TRY(mls_key_package_make(&env, &who, &opts, &made));
    memcpy(rec.peer, peer->b, sizeof(rec.peer));
    memcpy(rec.thread, thread, sizeof(rec.thread));
    rec.record = view_of(&made.record);
    key = fed_key_of(view_of(&made.ref));
    TRY(fed_tx_save(core, FED_NS_KP, &key, &fed_rec_kp_shape, &rec));
    *out = bytes_take(&made.key_package);
out:
    mls_key_package_made_clear(&made);
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

enum err
fed_kp_check(struct fed_core *core, struct view kp, struct fed_who *who)
{
    enum err e;
    struct mls_env env = fed_mls_env(core);
    struct mls_key_package_info info;

    TRY(mls_key_package_check(&env, kp, &info));
    TRY(info.suite == core->config.suite ? OK : ERR_UNSUPPORTED);
    TRY(fed_cred_who(info.member.credential, who));
out:
    return e;
}

/* The record of the key package called ref: join with it, and forget it. */
static enum err
join_as(struct fed_core *core, struct view welcome, struct view ref,
        struct fed_claimed *claimed, struct mls_group **out)
{
    enum err e;
    struct mls_env env = fed_mls_env(core);
    struct mls_join_opts opts = {.welcome = welcome};
    struct fed_key key = fed_key_of(ref);
    struct fed_rec_kp rec;
    struct bytes hold = {0};

    TRY(fed_tx_load(core, FED_NS_KP, &key, &fed_rec_kp_shape, &rec, &hold));
    opts.key_package_record = rec.record;
    memcpy(claimed->peer, rec.peer, sizeof(claimed->peer));
    memcpy(claimed->thread, rec.thread, sizeof(claimed->thread));
    TRY(mls_join(&env, &opts, out));
    e = rec.last_resort ? OK : fed_tx_del(core, FED_NS_KP, &key);
    if (e != OK) {
        mls_group_free(*out);
        *out = NULL;
    }
out:
    bytes_free(&hold);
    return e;
}

/* A Welcome names the key packages that it is for. */
enum err
fed_kp_join(struct fed_core *core, struct view welcome,
            struct fed_claimed *claimed, struct mls_group **out)
{
    enum err e;
    struct mls_env env = fed_mls_env(core);
    struct view *refs =
        mem_calloc(core->mem, LIMIT_WELCOME_REFS, sizeof(refs[0]));
    size_t len = 0;

    TRY(refs == NULL ? ERR_NOMEM : OK);
    TRY(mls_welcome_refs(&env, welcome, refs, LIMIT_WELCOME_REFS, &len));
    e = ERR_MISSING;
    for (size_t i = 0; i < len && e == ERR_MISSING; i++) {
        e = refs[i].len <= FED_KEY_MAX
                ? join_as(core, welcome, refs[i], claimed, out)
                : ERR_MISSING;
    }
out:
    mem_free(core->mem, refs, LIMIT_WELCOME_REFS * sizeof(refs[0]));
    return e;
}

/* ---------------------------------------------------------------- records */

static enum fed_ns
record_ns(enum mls_record_kind kind)
{
    return kind == MLS_RECORD_TREE ? FED_NS_TREE : FED_NS_SECRET;
}

enum err
fed_mls_change(struct fed_core *core, const struct thread_id *thread,
               const struct mls_change *change)
{
    enum err e = OK;
    size_t n = change == NULL ? 0 : mls_change_count(change);

    for (size_t i = 0; i < n; i++) {
        struct mls_record rec;
        struct fed_key key;
        enum fed_ns ns;

        mls_change_at(change, i, &rec);
        key = fed_key_pair(thread_id_view(thread), VIEW_ARRAY(rec.key));
        ns = record_ns(rec.kind);
        TRY(rec.bytes.len == 0 ? fed_tx_del(core, ns, &key)
                               : fed_tx_put(core, ns, &key, rec.bytes));
    }
out:
    return e;
}

enum err
fed_mls_save(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    struct mls_change *change = NULL;

    TRY(mls_save(t->mls, MLS_SAVE_CHANGED, &change));
    TRY(fed_mls_change(core, &t->id, change));
    TRY(fed_tx_rotate(core, &t->id));
out:
    mls_change_free(change);
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

/* Records of a group that are being gathered; values are kept alive. */
struct gathered {
    struct mls_record *records;
    struct bytes *values;
    size_t len;
    size_t cap;
};

static void
gathered_clear(const struct mem *mem, struct gathered *g)
{
    for (size_t i = 0; i < g->len; i++) {
        bytes_free(&g->values[i]);
    }
    mem_free(mem, g->records, g->cap * sizeof(g->records[0]));
    mem_free(mem, g->values, g->cap * sizeof(g->values[0]));
    *g = (struct gathered){0};
}

static enum err
gathered_grow(const struct mem *mem, struct gathered *g)
{
    struct gathered more = {.cap = g->cap == 0 ? 16 : g->cap * 2};

    if (g->len < g->cap) {
        return OK;
    }
    more.records = mem_calloc(mem, more.cap, sizeof(more.records[0]));
    more.values = mem_calloc(mem, more.cap, sizeof(more.values[0]));
    if (more.records == NULL || more.values == NULL) {
        gathered_clear(mem, &more);
        return ERR_NOMEM;
    }
    if (g->len > 0) {
        memcpy(more.records, g->records, g->len * sizeof(g->records[0]));
        memcpy(more.values, g->values, g->len * sizeof(g->values[0]));
    }
    more.len = g->len;
    mem_free(mem, g->records, g->cap * sizeof(g->records[0]));
    mem_free(mem, g->values, g->cap * sizeof(g->values[0]));
    *g = more;
    return OK;
}

static enum err
gather(struct fed_core *core, enum fed_ns ns, const struct thread_id *thread,
       struct gathered *g)
{
    enum err e;
    struct fed_rows rows = fed_rows_of(ns, thread_id_view(thread));

    while ((e = fed_rows_next(core, &rows)) == OK) {
        struct mls_record *rec;

        TRY(gathered_grow(core->mem, g));
        TRY(rows.key.len == 32 + MLS_RECORD_KEY ? OK : ERR_CORRUPT);
        rec = &g->records[g->len];
        memcpy(rec->key, rows.key.p + 32, MLS_RECORD_KEY);
        /* A record's kind is the first byte of its key. */
        rec->kind = (enum mls_record_kind)rec->key[0];
        rec->bytes = view_of(&rows.value);
        g->values[g->len++] = bytes_take(&rows.value);
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

enum err
fed_mls_load(struct fed_core *core, const struct thread_id *thread,
             struct mls_group **out)
{
    enum err e;
    struct mls_env env = fed_mls_env(core);
    struct gathered g = {0};

    TRY(gather(core, FED_NS_SECRET, thread, &g));
    TRY(g.len == 0 ? ERR_MISSING : OK); /* as after a restore */
    TRY(gather(core, FED_NS_TREE, thread, &g));
    TRY(mls_load(&env, g.records, g.len, out));
out:
    gathered_clear(core->mem, &g);
    return e;
}

enum err
fed_mls_drop(struct fed_core *core, const struct thread_id *thread)
{
    enum err e;

    TRY(fed_tx_drop(core, FED_NS_TREE, thread_id_view(thread)));
    TRY(fed_tx_drop(core, FED_NS_SECRET, thread_id_view(thread)));
    TRY(fed_tx_drop(core, FED_NS_STAGE, thread_id_view(thread)));
    TRY(fed_tx_rotate(core, thread));
out:
    return e;
}
