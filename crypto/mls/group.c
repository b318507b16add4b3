/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/group_int.h"

#include "crypto/mls/transcript.h"
#include "crypto/mls/tree_hash.h"

#include <string.h>

/* --------------------------------------------------------------- small parts
 */

enum mls_rule *
mls_begin(const struct mls_env *env)
{
    if (env->rule_out != NULL) {
        *env->rule_out = MLS_RULE_NONE;
    }
    return env->rule_out;
}

void
mls_member_of(const struct mls_leaf_node *n, uint32_t leaf,
              struct mls_member *out)
{
    *out = (struct mls_member){
        .leaf = leaf,
        .credential_type = n->credential.type,
        .credential = n->credential.data,
        .signature_key = n->signature_key,
        .leaf_node = n->encoded,
    };
}

enum err
mls_ask_leaf(const struct mls_env *env, enum mls_leaf_use use,
             struct view group_id, uint64_t epoch, uint32_t leaf,
             const struct mls_leaf_node *n, const struct mls_leaf_node *before)
{
    struct mls_member member;
    struct mls_member old;
    struct mls_leaf_check check = {use, group_id, epoch, &member, NULL};

    if (env->check_leaf == NULL) {
        return OK;
    }
    mls_member_of(n, leaf, &member);
    if (before != NULL) {
        mls_member_of(before, leaf, &old);
        check.before = &old;
    }
    /* RFC 9420 5.3.1 [leaf-credential] */
    return mls_require(env->check_leaf(env->ctx, &check) == OK,
                       MLS_RULE_LEAF_CREDENTIAL, env->rule_out);
}

/* --------------------------------------------------------- pending proposals
 */

void
mls_pending_free(const struct mem *mem, struct mls_pending *p)
{
    if (p == NULL) {
        return;
    }
    bytes_free(&p->encoded);
    arena_clear(&p->arena);
    mem_free(mem, p, sizeof(*p));
}

void
mls_pending_clear(struct mls_group *g)
{
    while (g->pending != NULL) {
        struct mls_pending *p = g->pending;

        g->pending = p->next;
        mls_pending_free(g->env.mem, p);
    }
}

struct mls_pending *
mls_pending_find(const struct mls_group *g, struct view ref)
{
    struct mls_pending *p = g->pending;

    while (p != NULL && !view_equal(mls_hash_view(&p->ref), ref)) {
        p = p->next;
    }
    return p;
}

enum err
mls_pending_new(const struct mls_env *env, const struct mls_suite *suite,
                struct view encoded, struct mls_pending **out)
{
    enum err e;
    struct mls_pending *p = mem_alloc(env->mem, sizeof(*p));

    if (p == NULL) {
        return ERR_NOMEM;
    }
    p->arena.mem = env->mem;
    TRY(bytes_copy(env->mem, encoded, &p->encoded));
    TRY(mls_authenticated_decode(&p->arena, view_of(&p->encoded), &p->x));
    TRY(mls_proposal_ref(suite, env->mem, &p->x, &p->ref));
    *out = p;
    p = NULL;
out:
    mls_pending_free(env->mem, p);
    return e;
}

size_t
mls_group_pending_count(const struct mls_group *group)
{
    size_t n = 0;

    for (const struct mls_pending *p = group->pending; p != NULL; p = p->next) {
        n++;
    }
    return n;
}

/* ---------------------------------------------------------------------- life
 */

enum err
mls_group_new(const struct mls_env *env, struct mls_epoch **take_now,
              struct mls_group **out)
{
    struct mls_group *g = mem_alloc(env->mem, sizeof(*g));

    if (g == NULL) {
        return ERR_NOMEM;
    }
    g->env = *env;
    if (g->env.past_epochs > LIMIT_MLS_PAST_EPOCHS) {
        g->env.past_epochs = LIMIT_MLS_PAST_EPOCHS;
    }
    g->now = *take_now;
    *take_now = NULL;
    *out = g;
    return OK;
}

void
mls_group_free(struct mls_group *group)
{
    if (group == NULL) {
        return;
    }
    mls_epoch_free(group->now);
    for (uint32_t i = 0; i < group->past_count; i++) {
        mls_epoch_free(group->past[i]);
    }
    while (group->gone != NULL) {
        struct mls_epoch *epoch = group->gone;

        group->gone = epoch->next_gone;
        mls_epoch_free(epoch);
    }
    mls_pending_clear(group);
    bytes_free(&group->reinit);
    mem_free(group->env.mem, group, sizeof(*group));
}

/*
 * The GroupContext extensions of a new group: what was asked for, and
 * required_capabilities for those that not everybody has.
 */
static enum err
group_extensions(const struct mem *mem, struct mls_extensions asked,
                 struct bytes *out)
{
    struct proto_tls_wr w = proto_tls_wr_open(mem);
    struct proto_tls_wr types = proto_tls_wr_open(mem);
    struct proto_tls_wr body = proto_tls_wr_open(mem);
    struct mls_extensions it = asked;
    struct mls_extension ext;
    struct mls_required_capabilities need = {0};

    while (mls_extensions_next(&it, &ext)) {
        if (!mls_extension_is_default(ext.type)) {
            proto_tls_wr_u16(&types, ext.type);
        }
    }
    proto_tls_wr_fixed(&w, asked.raw);
    need.extensions.raw = proto_tls_wr_view(&types);
    if (need.extensions.raw.len > 0 &&
        !mls_extensions_find(asked, MLS_EXT_REQUIRED_CAPABILITIES, &ext)) {
        mls_required_capabilities_write(&body, &need);
        proto_tls_wr_fail(&w, body.e);
        mls_extension_write(&w, MLS_EXT_REQUIRED_CAPABILITIES,
                            proto_tls_wr_view(&body));
    }
    proto_tls_wr_fail(&w, types.e);
    proto_tls_wr_clear(&types);
    proto_tls_wr_clear(&body);
    return proto_tls_wr_take(&w, out);
}

/* Our leaf, alone in the tree of epoch. */
static enum err
first_leaf(struct mls_epoch *epoch, const struct mls_env *env,
           const struct mls_identity *who)
{
    enum err e;
    struct arena a = {.mem = env->mem};
    struct mls_leaf_node n;
    struct mls_leaf *leaf = NULL;
    uint8_t sig[PRIM_SIG_MAX];
    size_t sig_len = 0;
    SCRUBBED_STRUCT(prim_kem_pair, pair);

    TRY(mls_identity_key(who, &epoch->sign));
    TRY(mls_identity_leaf(&a, who, (struct mls_extensions){0}, false, &n));
    TRY(prim_kem_generate(&epoch->suite->prim, env->rng, &pair));
    n.encryption_key = prim_kem_pub(&pair);
    n.source = MLS_LEAF_KEY_PACKAGE;
    n.lifetime.not_after_s = UINT64_MAX;
    TRY(mls_leaf_node_sign(epoch->suite, env->mem, &n, (struct view){0}, 0,
                           &epoch->sign, sig, &sig_len));
    n.signature = view_make(sig, sig_len);
    TRY(mls_leaf_copy(env->mem, &n, &leaf));
    TRY(mls_tree_add(&epoch->tree, leaf, &epoch->own));
    mls_tree_keys_set(&epoch->tree_keys, 0, &pair);
out:
    mls_leaf_drop(leaf);
    arena_clear(&a);
    return e;
}

/* RFC 9420 11: epoch 0, with a random epoch_secret in place of a joiner. */
static enum err
first_epoch(struct mls_epoch *epoch, const struct mls_env *env,
            const struct mls_create_opts *opts)
{
    enum err e;
    struct mls_hash tree_hash;
    struct mls_group_context c = {.version = MLS_VERSION_10,
                                  .suite = opts->suite,
                                  .group_id = opts->group_id,
                                  .extensions = opts->extensions};
    SCRUBBED_SECRET(joiner);
    SCRUBBED_SECRET(psk);

    TRY(mls_tree_root_hash(&epoch->tree, &tree_hash));
    c.tree_hash = mls_hash_view(&tree_hash);
    TRY(mls_epoch_set_context(epoch, &c));
    joiner.len = epoch->suite->prim.hash_size;
    TRY(rng_fill(env->rng, joiner.b, joiner.len));
    mls_zero_secret(epoch->suite, &psk);
    TRY(mls_epoch_derive(epoch, &joiner, &psk));
    mls_confirmation_tag(epoch->suite, &epoch->keys.confirmation,
                         (struct view){0}, &epoch->tag);
    mls_interim_hash(epoch->suite, (struct view){0}, mls_hash_view(&epoch->tag),
                     &epoch->interim);
out:
    return e;
}

enum err
mls_create_exact(const struct mls_env *env, const struct mls_identity *who,
                 const struct mls_create_opts *opts, struct mls_group **out)
{
    enum err e;
    enum mls_rule *broken = env->rule_out;
    const struct mls_suite *suite = mls_suite_find(opts->suite);
    struct mls_epoch *epoch = NULL;
    struct mls_leaves leaves;

    if (suite == NULL) {
        return ERR_UNSUPPORTED;
    }
    if (opts->group_id.len == 0) {
        return ERR_INVALID;
    }
    TRY(mls_group_extensions_check(opts->extensions, broken));
    TRY(mls_epoch_new(env->mem, suite, &epoch));
    TRY(first_leaf(epoch, env, who));
    leaves = mls_tree_as_leaves(&epoch->tree);
    TRY(mls_leaves_check(env->mem, &leaves, opts->extensions, broken));
    TRY(first_epoch(epoch, env, opts));
    TRY(mls_group_new(env, &epoch, out));
out:
    mls_epoch_free(epoch);
    return e;
}

enum err
mls_create(const struct mls_env *env, const struct mls_identity *who,
           const struct mls_create_opts *opts, struct mls_group **out)
{
    enum err e;
    struct mls_create_opts exact = *opts;
    struct bytes raw = {0};

    mls_begin(env);
    TRY(group_extensions(env->mem, opts->extensions, &raw));
    TRY(mls_extensions_from(view_of(&raw), &exact.extensions));
    TRY(mls_create_exact(env, who, &exact, out));
out:
    bytes_free(&raw);
    return e;
}

/* ------------------------------------------------------------ looking at it */

uint16_t
mls_group_suite(const struct mls_group *group)
{
    return group->now->suite->id;
}

struct view
mls_group_id(const struct mls_group *group)
{
    return group->now->context.group_id;
}

uint64_t
mls_group_epoch(const struct mls_group *group)
{
    return group->now->context.epoch;
}

uint32_t
mls_group_own_leaf(const struct mls_group *group)
{
    return group->now->own;
}

bool
mls_group_inviter(const struct mls_group *group, uint32_t *leaf_out)
{
    if (group->invited) {
        *leaf_out = group->inviter;
    }
    return group->invited;
}

struct view
mls_group_tree_hash(const struct mls_group *group)
{
    return group->now->context.tree_hash;
}

struct view
mls_group_transcript_hash(const struct mls_group *group)
{
    return group->now->context.confirmed_transcript_hash;
}

struct view
mls_group_authenticator(const struct mls_group *group)
{
    return prim_secret_view(&group->now->keys.authenticator);
}

bool
mls_group_is_removed(const struct mls_group *group)
{
    return group->removed;
}

bool
mls_group_is_reinit(const struct mls_group *group)
{
    return group->reinit.len > 0;
}

uint32_t
mls_group_leaf_count(const struct mls_group *group)
{
    return mls_tree_leaves(&group->now->tree);
}

uint32_t
mls_group_member_count(const struct mls_group *group)
{
    return mls_tree_members(&group->now->tree);
}

enum err
mls_member_at(const struct mls_group *group, uint32_t leaf,
              struct mls_member *out)
{
    const struct mls_leaf_node *n = mls_tree_leaf(&group->now->tree, leaf);

    if (n == NULL) {
        return ERR_MISSING;
    }
    mls_member_of(n, leaf, out);
    return OK;
}

struct mls_extensions
mls_group_extensions(const struct mls_group *group)
{
    return group->now->context.extensions;
}

enum err
mls_tree_export(const struct mls_group *group, struct bytes *out)
{
    struct proto_tls_wr w = proto_tls_wr_open(group->env.mem);

    mls_tree_write(&w, &group->now->tree);
    return proto_tls_wr_take(&w, out);
}

enum err
mls_export(const struct mls_group *group, const char *label,
           struct view context, size_t len, struct bytes *out)
{
    enum err e;
    struct bytes b = {0};

    if (group->removed) {
        return ERR_STATE;
    }
    TRY(bytes_alloc(group->env.mem, len, &b));
    TRY(mls_exporter(group->now->suite, &group->now->keys.exporter,
                     view_str(label), context, b.p, len));
    *out = bytes_take(&b);
out:
    bytes_free(&b);
    return e;
}

enum err
mls_resumption_psk(const struct mls_group *group, uint64_t epoch,
                   struct bytes *out)
{
    if (epoch == group->now->context.epoch && !group->removed) {
        return bytes_copy(group->env.mem,
                          prim_secret_view(&group->now->keys.resumption_psk),
                          out);
    }
    for (uint32_t i = 0; i < group->resumption_count; i++) {
        if (group->resumption[i].epoch == epoch) {
            return bytes_copy(group->env.mem,
                              prim_secret_view(&group->resumption[i].psk), out);
        }
    }
    return ERR_MISSING;
}

enum err
mls_group_info(const struct mls_group *group, bool with_tree, struct bytes *out)
{
    /* RFC 9420 12.4.2 [member-removed] */
    if (group->removed) {
        return mls_broken(MLS_RULE_MEMBER_REMOVED, mls_begin(&group->env));
    }
    return mls_epoch_group_info(group->now, true, with_tree, false, out);
}
