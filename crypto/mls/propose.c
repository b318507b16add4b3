/* SPDX-License-Identifier: Apache-2.0 */
/* Proposals of our own (RFC 9420 12.1). */
#include "crypto/mls/commit_int.h"

#include <string.h>

void
mls_proposed_clear(struct mls_proposed *p)
{
    bytes_free(&p->message);
    mls_change_free(p->change);
    *p = (struct mls_proposed){0};
}

/* RFC 9420 8.4: each use of a PSK has a fresh nonce of Nh bytes */
static enum err
psk_nonce(const struct mls_env *env, struct arena *a,
          const struct mls_suite *suite, struct view *out)
{
    uint8_t *nonce = arena_alloc(a, suite->prim.hash_size);

    if (nonce == NULL) {
        return ERR_NOMEM;
    }
    *out = view_make(nonce, suite->prim.hash_size);
    return rng_fill(env->rng, nonce, suite->prim.hash_size);
}

static enum err
add_from(const struct mls_env *env, struct arena *a,
         const struct mls_suite *suite, struct view message,
         const struct mls_key_package **out)
{
    enum err e;
    enum mls_rule *broken = env->rule_out;
    struct mls_key_package *kp = arena_alloc(a, sizeof(*kp));
    const struct mls_suite *of = NULL;

    if (kp == NULL) {
        return ERR_NOMEM;
    }
    TRY(mls_key_package_open(a, message, &of, kp, broken));
    /* RFC 9420 10.1 [key-package-suite] */
    TRY(mls_require(of == suite, MLS_RULE_KEY_PACKAGE_SUITE, broken));
    /* RFC 9420 7.3 [leaf-lifetime]: judged by whoever adds */
    TRY(mls_check_lifetime(env, &kp->leaf_node, broken));
    *out = kp;
out:
    return e;
}

enum err
mls_proposal_from(const struct mls_env *env, struct arena *a,
                  const struct mls_suite *suite,
                  const struct mls_proposal_in *in, struct mls_proposal *out)
{
    enum err e = OK;
    struct mls_proposal p = {.type = in->type};

    switch (in->type) {
    case MLS_PROPOSAL_ADD:
        TRY(add_from(env, a, suite, in->key_package, &p.u.add));
        break;
    case MLS_PROPOSAL_REMOVE:
        p.u.remove = in->leaf;
        break;
    case MLS_PROPOSAL_PSK:
        p.u.psk = in->psk;
        TRY(psk_nonce(env, a, suite, &p.u.psk.nonce));
        break;
    case MLS_PROPOSAL_REINIT:
        p.u.reinit = (struct mls_reinit){in->group_id, MLS_VERSION_10,
                                         in->suite, in->extensions};
        break;
    case MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS:
        p.u.extensions = in->extensions;
        break;
    case MLS_PROPOSAL_UPDATE:
    case MLS_PROPOSAL_EXTERNAL_INIT:
        /* an Update only goes by mls_propose, and nobody else's kinds */
        e = ERR_INVALID;
        break;
    default:
        p.u.unknown = in->other;
        break;
    }
    *out = p;
out:
    return e;
}

/* Our leaf with a fresh key, signed for an Update (RFC 9420 12.1.2). */
static enum err
update_from(struct mls_group *g, struct arena *a,
            const struct mls_identity *identity, struct mls_pending *keys,
            struct mls_proposal *out)
{
    enum err e;
    const struct mls_epoch *now = g->now;
    struct mls_leaf_node *n = arena_alloc(a, sizeof(*n));
    uint8_t *sig = arena_alloc(a, PRIM_SIG_MAX);
    size_t sig_len = 0;

    if (n == NULL || sig == NULL) {
        return ERR_NOMEM;
    }
    *n = *mls_tree_leaf(&now->tree, now->own);
    keys->sign = now->sign;
    if (identity != NULL) {
        TRY(mls_identity_key(identity, &keys->sign));
        TRY(mls_identity_leaf(a, identity, (struct mls_extensions){0}, false,
                              n));
    }
    TRY(prim_kem_generate(&now->suite->prim, g->env.rng, &keys->pair));
    keys->own_update = true;
    n->encryption_key = prim_kem_pub(&keys->pair);
    n->source = MLS_LEAF_UPDATE;
    TRY(mls_leaf_node_sign(now->suite, g->env.mem, n, now->context.group_id,
                           now->own, &keys->sign, sig, &sig_len));
    n->signature = view_make(sig, sig_len);
    out->type = MLS_PROPOSAL_UPDATE;
    out->u.update = n;
out:
    return e;
}

/* Sign p as proposal content of ours. */
static enum err
sign_proposal(struct mls_group *g, const struct mls_proposal *p,
              bool as_private, struct view aad, uint8_t sig[PRIM_SIG_MAX],
              struct mls_authenticated *x)
{
    enum err e;
    const struct mls_epoch *now = g->now;
    size_t sig_len = 0;

    x->wire = as_private ? MLS_WIRE_PRIVATE : MLS_WIRE_PUBLIC;
    x->content = (struct mls_content){
        .group_id = now->context.group_id,
        .epoch = now->context.epoch,
        .sender = {MLS_SENDER_MEMBER, now->own},
        .authenticated_data = aad,
        .type = MLS_CONTENT_PROPOSAL,
        .u.proposal = p,
    };
    TRY(mls_content_sign(now->suite, g->env.mem, x->wire, &x->content,
                         view_of(&now->encoded), &now->sign, sig, &sig_len));
    x->auth.signature = view_make(sig, sig_len);
out:
    return e;
}

/* The signed proposal as a pending one, judged as others will judge it. */
static enum err
as_pending(struct mls_group *g, const struct mls_authenticated *x,
           const struct mls_pending *keys, struct mls_pending **out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(g->env.mem);
    struct mls_build b = {.env = &g->env, .old = g->now};
    struct mls_list_scope scope = mls_build_scope(&b);
    struct mls_pending *p = NULL;
    struct mls_listed listed;

    mls_authenticated_write(&w, x);
    TRY(w.e);
    TRY(mls_pending_new(&g->env, g->now->suite, proto_tls_wr_view(&w), &p));
    listed =
        (struct mls_listed){p->x.content.u.proposal, p->x.content.sender, true};
    TRY(mls_proposal_validate(&scope, &listed, g->env.rule_out));
    p->own_update = keys->own_update;
    p->pair = keys->pair;
    p->sign = keys->sign;
    *out = p;
    p = NULL;
out:
    mls_pending_free(g->env.mem, p);
    proto_tls_wr_clear(&w);
    return e;
}

/*
 * Remember the proposal and seal it.  The step of sealing is applied by then,
 * so the change of both is built from it.
 */
static enum err
keep_and_seal(struct mls_group *g, const struct mls_authenticated *x,
              struct mls_pending **take_p, struct mls_proposed *out)
{
    enum err e;
    struct mls_sealed sealed = {0};
    struct mls_step *none = NULL;
    struct mls_change *kept = NULL;

    TRY(mls_seal(g, x, 0, &sealed));
    e = mls_pending_keep(g, take_p, &none, &kept);
    if (e == OK) {
        e = mls_change_join(kept, &sealed.change);
        if (e != OK) {
            mls_undo(g, &kept);
        }
    }
    if (e != OK) {
        mls_undo(g, &sealed.change);
        bytes_free(&sealed.message);
        return e;
    }
    out->message = sealed.message;
    out->change = kept;
out:
    return e;
}

enum err
mls_propose(struct mls_group *group, const struct mls_proposal_in *in,
            bool as_private, struct view aad, struct mls_proposed *out)
{
    enum err e;
    enum mls_rule *broken = mls_begin(&group->env);
    struct arena a = {.mem = group->env.mem};
    struct mls_proposal p = {0};
    struct mls_authenticated x = {0};
    struct mls_pending *pending = NULL;
    struct mls_proposed made = {0};
    uint8_t sig[PRIM_SIG_MAX];
    SCRUBBED_STRUCT(mls_pending, keys);

    /* RFC 9420 12.4.2 [member-removed] */
    TRY(mls_require(!group->removed, MLS_RULE_MEMBER_REMOVED, broken));
    /* RFC 9420 12.4.2 [group-suspended] */
    TRY(mls_require(group->reinit.len == 0, MLS_RULE_GROUP_SUSPENDED, broken));
    if (in->type == MLS_PROPOSAL_UPDATE) {
        TRY(update_from(group, &a, in->identity, &keys, &p));
    } else {
        TRY(mls_proposal_from(&group->env, &a, group->now->suite, in, &p));
    }
    TRY(sign_proposal(group, &p, as_private, aad, sig, &x));
    TRY(as_pending(group, &x, &keys, &pending));
    memcpy(made.ref, pending->ref.b, sizeof(made.ref));
    TRY(keep_and_seal(group, &x, &pending, &made));
    *out = made;
out:
    mls_pending_free(group->env.mem, pending);
    arena_clear(&a);
    return e;
}

/* -------------------------------------------------------------- from outside
 */

/* A public proposal of somebody who is not a member. */
static enum err
outside(const struct mls_env *env, const struct mls_suite *suite,
        const struct prim_sign_key *key, const struct mls_content *content,
        struct bytes *out)
{
    enum err e;
    struct mls_authenticated x = {.wire = MLS_WIRE_PUBLIC, .content = *content};
    uint8_t sig[PRIM_SIG_MAX];
    size_t sig_len = 0;

    TRY(mls_content_sign(suite, env->mem, x.wire, &x.content, (struct view){0},
                         key, sig, &sig_len));
    x.auth.signature = view_make(sig, sig_len);
    TRY(mls_public_seal(suite, env->mem, &x, (struct view){0}, NULL, out));
out:
    return e;
}

enum err
mls_propose_self(const struct mls_env *env, struct view key_package_record,
                 struct view group_id, uint64_t epoch,
                 struct bytes *message_out)
{
    enum err e;
    struct mls_proposal p = {.type = MLS_PROPOSAL_ADD};
    struct mls_content c = {
        .group_id = group_id,
        .epoch = epoch,
        .sender = {MLS_SENDER_NEW_MEMBER_PROPOSAL, 0},
        .type = MLS_CONTENT_PROPOSAL,
        .u.proposal = &p,
    };
    SCRUBBED_STRUCT(mls_own_key_package, own);

    TRY(mls_own_key_package_read(key_package_record, &own));
    p.u.add = &own.kp;
    TRY(outside(env, own.suite, &own.sign, &c, message_out));
out:
    return e;
}

enum err
mls_propose_external(const struct mls_env *env, uint16_t suite,
                     struct view group_id, uint64_t epoch, uint32_t sender,
                     struct view signature_priv,
                     const struct mls_proposal_in *in,
                     struct bytes *message_out)
{
    enum err e;
    const struct mls_suite *s = mls_suite_find(suite);
    struct arena a = {.mem = env->mem};
    struct mls_proposal p = {0};
    struct mls_content c = {
        .group_id = group_id,
        .epoch = epoch,
        .sender = {MLS_SENDER_EXTERNAL, sender},
        .type = MLS_CONTENT_PROPOSAL,
        .u.proposal = &p,
    };
    SCRUBBED_STRUCT(prim_sign_key, key);

    mls_begin(env);
    if (s == NULL) {
        return ERR_UNSUPPORTED;
    }
    if (signature_priv.len != PRIM_ED25519_SEED) {
        return ERR_INVALID;
    }
    prim_ed25519_from_seed(signature_priv.p, &key);
    TRY(mls_proposal_from(env, &a, s, in, &p));
    TRY(outside(env, s, &key, &c, message_out));
out:
    arena_clear(&a);
    return e;
}
