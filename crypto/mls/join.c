/* SPDX-License-Identifier: Apache-2.0 */
/* Joining by Welcome (RFC 9420 12.4.3.1). */
#include "crypto/mls/group_int.h"

#include "crypto/mls/transcript.h"

/* A Welcome on its way to being a group. */
struct joining {
    const struct mls_env *env;
    const struct mls_join_opts *opts;
    enum mls_rule *broken;
    struct arena arena;
    struct mls_welcome welcome;
    struct mls_own_key_package own;
    struct bytes plain; /* GroupSecrets */
    struct mls_group_secrets secrets;
    enum mls_commit_kind kind;
    struct prim_secret joiner;
    struct prim_secret psk;
    struct bytes info_plain;
    struct mls_group_info info;
    struct mls_epoch *epoch;
};

static void
joining_clear(struct joining *j)
{
    arena_clear(&j->arena);
    bytes_free(&j->plain);
    bytes_free(&j->info_plain);
    mls_epoch_free(j->epoch);
    mem_wipe(j, sizeof(*j));
}

static enum err
read_welcome(struct joining *j)
{
    enum err e;
    struct mls_message m;

    TRY(mls_own_key_package_read(j->opts->key_package_record, &j->own));
    TRY(mls_message_decode(&j->arena, j->opts->welcome, &m, j->broken));
    /* RFC 9420 6 [wire-format] */
    TRY(mls_require(m.wire == MLS_WIRE_WELCOME, MLS_RULE_WIRE_FORMAT,
                    j->broken));
    j->welcome = m.u.welcome;
    /* RFC 9420 12.4.3.1 [welcome-suite] */
    TRY(mls_require(j->welcome.suite == j->own.suite->id,
                    MLS_RULE_WELCOME_SUITE, j->broken));
out:
    return e;
}

/* Our GroupSecrets, opened with the init key. */
static enum err
open_secrets(struct joining *j)
{
    enum err e;
    const struct mls_encrypted_group_secrets *to = NULL;
    const struct mls_suite *s = j->own.suite;
    size_t tag = s->prim.tag_size;

    for (uint32_t i = 0; i < j->welcome.count && to == NULL; i++) {
        if (view_equal(j->welcome.secrets[i].new_member,
                       mls_hash_view(&j->own.ref))) {
            to = &j->welcome.secrets[i];
        }
    }
    /* RFC 9420 12.4.3.1 [welcome-new-member] */
    TRY(mls_require(to != NULL, MLS_RULE_WELCOME_NEW_MEMBER, j->broken));
    /* RFC 9420 12.4.3.1 [welcome-secrets] */
    TRY(mls_require(to->secrets.ciphertext.len > tag, MLS_RULE_WELCOME_SECRETS,
                    j->broken));
    TRY(bytes_alloc(j->env->mem, to->secrets.ciphertext.len - tag, &j->plain));
    e = mls_decrypt(s, &j->own.init, to->secrets.kem_output,
                    VIEW_LIT("Welcome"), j->welcome.group_info,
                    to->secrets.ciphertext, j->plain.p);
    e = e == ERR_INVALID ? ERR_AUTH : e;
    TRY(mls_require_ok(e, ERR_AUTH, MLS_RULE_WELCOME_SECRETS, j->broken));
    TRY(mls_group_secrets_decode(&j->arena, view_of(&j->plain), &j->secrets));
    TRY(mls_require(j->secrets.joiner_secret.len == s->prim.hash_size,
                    MLS_RULE_WELCOME_SECRETS, j->broken));
    TRY(prim_secret_set(&j->joiner, j->secrets.joiner_secret));
out:
    return e;
}

static enum err
resolve_psks(struct joining *j)
{
    enum err e;
    struct mls_psk_source src = {j->env, NULL, j->opts->parent};
    uint32_t n = j->secrets.psks.count;
    const struct mls_psk_id **ids = NULL;

    TRY(mls_welcome_psks_check(j->own.suite, &j->secrets.psks, &j->kind,
                               j->broken));
    if (n > 0) {
        ids = arena_calloc(&j->arena, n, sizeof(*ids));
        if (ids == NULL) {
            return ERR_NOMEM;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        ids[i] = &j->secrets.psks.items[i];
    }
    TRY(mls_psks_resolve(&src, j->own.suite, ids, n,
                         MLS_RULE_WELCOME_PSK_AVAILABLE, &j->psk, j->broken));
out:
    return e;
}

static enum err
open_info(struct joining *j)
{
    enum err e;
    const struct mls_suite *s = j->own.suite;
    struct view ct = j->welcome.group_info;
    size_t tag = s->prim.tag_size;
    SCRUBBED_SECRET(welcome);
    SCRUBBED_STRUCT(mls_key_nonce, k);

    mls_welcome_secret(s, &j->joiner, &j->psk, &welcome);
    mls_welcome_key(s, &welcome, &k);
    /* RFC 9420 12.4.3.1 [welcome-group-info] */
    TRY(mls_require(ct.len > tag, MLS_RULE_WELCOME_GROUP_INFO, j->broken));
    TRY(bytes_alloc(j->env->mem, ct.len - tag, &j->info_plain));
    TRY(mls_require_ok(prim_aead_open(s->prim.aead, prim_secret_view(&k.key),
                                      prim_secret_view(&k.nonce),
                                      (struct view){0}, ct, j->info_plain.p),
                       ERR_AUTH, MLS_RULE_WELCOME_GROUP_INFO, j->broken));
    TRY(mls_group_info_decode(view_of(&j->info_plain), &j->info));
    /* RFC 9420 12.4.3 [group-info-group-id] */
    TRY(mls_require(
        j->env->has_group == NULL ||
            !j->env->has_group(j->env->ctx, j->info.context.group_id),
        MLS_RULE_GROUP_INFO_GROUP_ID, j->broken));
    TRY(mls_info_open(j->env, s, &j->info, j->opts->tree, &j->epoch,
                      j->broken));
out:
    return e;
}

/* The leaf that is exactly the one of our key package. */
static enum err
find_own(struct joining *j)
{
    struct mls_epoch *epoch = j->epoch;

    for (uint32_t i = 0; i < mls_tree_leaves(&epoch->tree); i++) {
        const struct mls_leaf_node *n = mls_tree_leaf(&epoch->tree, i);

        if (n != NULL && view_equal(n->encoded, j->own.kp.leaf_node.encoded)) {
            epoch->own = i;
            return OK;
        }
    }
    /* RFC 9420 12.4.3.1 [welcome-own-leaf] */
    return mls_broken(MLS_RULE_WELCOME_OWN_LEAF, j->broken);
}

static enum err
key_epoch(struct joining *j)
{
    enum err e;
    struct mls_epoch *epoch = j->epoch;
    struct view confirmed = epoch->context.confirmed_transcript_hash;
    struct mls_hash tag;

    TRY(find_own(j));
    epoch->sign = j->own.sign;
    mls_tree_keys_set(&epoch->tree_keys, 2 * epoch->own, &j->own.leaf);
    if (j->secrets.has_path_secret) {
        TRY(mls_path_from_welcome(&epoch->tree, epoch->own, j->info.signer,
                                  j->secrets.path_secret, &epoch->tree_keys,
                                  j->broken));
    }
    TRY(mls_epoch_derive(epoch, &j->joiner, &j->psk));
    mls_confirmation_tag(epoch->suite, &epoch->keys.confirmation, confirmed,
                         &tag);
    /* RFC 9420 12.4.3.1 [group-info-confirmation] */
    TRY(mls_require(prim_equal(mls_hash_view(&tag), mls_hash_view(&epoch->tag)),
                    MLS_RULE_GROUP_INFO_CONFIRMATION, j->broken));
    mls_interim_hash(epoch->suite, confirmed, mls_hash_view(&epoch->tag),
                     &epoch->interim);
out:
    return e;
}

/* ------------------------------------------------------- reinit and branch */

static bool
follows_reinit(const struct joining *j)
{
    const struct mls_group *parent = j->opts->parent;
    const struct mls_group_context *c = &j->epoch->context;
    struct arena a = {.mem = j->env->mem};
    struct mls_proposal p;
    bool same;

    if (parent == NULL || parent->reinit.len == 0 ||
        mls_proposal_decode(&a, view_of(&parent->reinit), &p) != OK) {
        arena_clear(&a);
        return false;
    }
    same = view_equal(p.u.reinit.group_id, c->group_id) &&
           p.u.reinit.suite == c->suite && p.u.reinit.version == c->version &&
           view_equal(p.u.reinit.extensions.raw, c->extensions.raw);
    arena_clear(&a);
    return same;
}

/* RFC 9420 12.4.3.1: the first epoch of a group that continues another */
static enum err
check_successor(struct joining *j)
{
    enum err e = OK;
    const struct mls_group *parent = j->opts->parent;
    const struct mls_group_context *c = &j->epoch->context;

    if (j->kind == MLS_COMMIT_NORMAL) {
        return OK;
    }
    /* RFC 9420 12.4.3.1 [welcome-epoch-one] */
    TRY(mls_require(c->epoch == 1, MLS_RULE_WELCOME_EPOCH_ONE, j->broken));
    if (j->kind == MLS_COMMIT_REINIT) {
        /* RFC 9420 12.4.3.1 [welcome-reinit] */
        TRY(mls_require(follows_reinit(j), MLS_RULE_WELCOME_REINIT, j->broken));
        /* RFC 9420 12.4.3.1 [welcome-reinit-members] */
        TRY(mls_require(
            mls_clients_within(&parent->now->tree, &j->epoch->tree) &&
                mls_clients_within(&j->epoch->tree, &parent->now->tree),
            MLS_RULE_WELCOME_REINIT_MEMBERS, j->broken));
        return OK;
    }
    /* RFC 9420 12.4.3.1 [welcome-branch] */
    TRY(mls_require(parent != NULL &&
                        parent->now->context.version == c->version &&
                        parent->now->context.suite == c->suite,
                    MLS_RULE_WELCOME_BRANCH, j->broken));
    /* RFC 9420 12.4.3.1 [welcome-branch-members] */
    TRY(mls_require(mls_clients_within(&j->epoch->tree, &parent->now->tree),
                    MLS_RULE_WELCOME_BRANCH_MEMBERS, j->broken));
out:
    return e;
}

enum err
mls_join(const struct mls_env *env, const struct mls_join_opts *opts,
         struct mls_group **out)
{
    enum err e;
    struct joining j = {.env = env, .opts = opts, .broken = mls_begin(env)};

    j.arena.mem = env->mem;
    TRY(read_welcome(&j));
    TRY(open_secrets(&j));
    TRY(resolve_psks(&j));
    TRY(open_info(&j));
    TRY(key_epoch(&j));
    TRY(check_successor(&j));
    TRY(mls_group_new(env, &j.epoch, out));
    (*out)->invited = true;
    (*out)->inviter = j.info.signer;
out:
    joining_clear(&j);
    return e;
}
