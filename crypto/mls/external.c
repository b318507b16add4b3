/* SPDX-License-Identifier: Apache-2.0 */
/* Joining by external commit, and resync (RFC 9420 12.4.3.2). */
#include "crypto/mls/commit_int.h"

#include "crypto/mls/transcript.h"

void
mls_external_made_clear(struct mls_external_made *made)
{
    mls_group_free(made->group);
    bytes_free(&made->commit);
    bytes_free(&made->group_info);
    *made = (struct mls_external_made){0};
}

/* An external commit under way. */
struct external {
    const struct mls_env *env;
    const struct mls_external_opts *opts;
    const struct mls_suite *suite;
    struct mls_group_info info;
    struct mls_epoch *old; /* of the GroupInfo: public */
    struct mls_build b;
    struct mls_making m;
    struct prim_sign_key sign;
    struct prim_secret init;
    struct mls_leaf_node like;
    uint8_t kem[PRIM_KEM_PUB_MAX];
};

static enum err
open_info(struct external *x)
{
    enum err e;
    enum mls_rule *broken = x->b.broken;
    struct mls_message m;

    TRY(mls_message_decode(&x->b.arena, x->opts->group_info, &m, broken));
    /* RFC 9420 6 [wire-format] */
    TRY(mls_require(m.wire == MLS_WIRE_GROUP_INFO, MLS_RULE_WIRE_FORMAT,
                    broken));
    x->info = m.u.group_info;
    x->suite = mls_suite_find(x->info.context.suite);
    /* RFC 9420 12.4.3.1 [group-info-suite] */
    TRY(mls_require(x->suite != NULL, MLS_RULE_GROUP_INFO_SUITE, broken));
    TRY(mls_info_open(x->env, x->suite, &x->info, x->opts->tree, &x->old,
                      broken));
    mls_interim_hash(x->suite, x->old->context.confirmed_transcript_hash,
                     mls_hash_view(&x->old->tag), &x->old->interim);
    x->old->own = MLS_NO_LEAF;
    x->b.old = x->old;
out:
    return e;
}

/* RFC 9420 8.3: the init secret that we export to the group's external key */
static enum err
make_init(struct external *x)
{
    enum err e;
    struct mls_extension ext = {0};
    struct view pub = {0};
    enum mls_rule *broken = x->b.broken;

    /* RFC 9420 12.4.3.2 [group-info-external-pub] */
    TRY(mls_require(
        mls_extensions_find(x->info.extensions, MLS_EXT_EXTERNAL_PUB, &ext) &&
            mls_external_pub_decode(ext.data, &pub) == OK,
        MLS_RULE_GROUP_INFO_EXTERNAL_PUB, broken));
    /* RFC 9420 8.3 [external-kem] */
    TRY(mls_require_ok(
        mls_external_init_send(x->suite, x->env->rng, pub, x->kem, &x->init),
        ERR_INVALID, MLS_RULE_EXTERNAL_KEM, broken));
out:
    return e;
}

/* ExternalInit, perhaps the Remove of our old leaf, PSKs. */
static enum err
list_proposals(struct external *x)
{
    enum err e = OK;
    struct mls_build *b = &x->b;
    size_t n = 1 + (x->opts->resync ? 1u : 0u) + x->opts->psks.count;
    struct mls_proposal *p = arena_calloc(&b->arena, n, sizeof(*p));
    size_t k = 1;

    b->list = arena_calloc(&b->arena, n, sizeof(*b->list));
    if (p == NULL || b->list == NULL) {
        return ERR_NOMEM;
    }
    p[0].type = MLS_PROPOSAL_EXTERNAL_INIT;
    p[0].u.kem_output = view_make(x->kem, x->suite->prim.kem_pub_size);
    if (x->opts->resync) {
        p[k].type = MLS_PROPOSAL_REMOVE;
        p[k].u.remove = x->opts->remove_leaf;
        k++;
    }
    for (uint32_t i = 0; i < x->opts->psks.count; i++) {
        struct mls_proposal_in in = {.type = MLS_PROPOSAL_PSK,
                                     .psk = x->opts->psks.items[i]};

        TRY(mls_proposal_from(x->env, &b->arena, x->suite, &in, &p[k]));
        k++;
    }
    for (size_t i = 0; i < n; i++) {
        b->list[i] = (struct mls_listed){&p[i], x->m.sender, false};
    }
    b->list_count = n;
out:
    return e;
}

/* A leaf at the place where ours will be, to be replaced by the path. */
static enum err
take_seat(struct external *x, const struct mls_identity *who)
{
    enum err e;
    struct mls_build *b = &x->b;
    struct mls_leaf *leaf = NULL;

    TRY(mls_identity_key(who, &x->sign));
    TRY(mls_identity_leaf(&b->arena, who, (struct mls_extensions){0}, false,
                          &x->like));
    /* RFC 9420 13.4 [group-info-supported]: what the group needs, we have */
    if (mls_leaf_check_group(&x->like, b->extensions, NULL) != OK) {
        TRY(mls_broken(MLS_RULE_GROUP_INFO_SUPPORTED, b->broken));
    }
    x->like.source = MLS_LEAF_COMMIT;
    TRY(mls_leaf_copy(x->env->mem, &x->like, &leaf));
    TRY(mls_require_ok(mls_tree_add(&b->tree, leaf, &x->m.own), ERR_LIMIT,
                       MLS_RULE_LIST_LEAVES, b->broken));
out:
    mls_leaf_drop(leaf);
    return e;
}

static enum err
build(struct external *x, const struct mls_identity *who)
{
    enum err e;

    TRY(open_info(x));
    TRY(make_init(x));
    TRY(list_proposals(x));
    /* RFC 9420 12.1.3 [remove-leaf] */
    TRY(mls_require(!x->opts->resync ||
                        mls_tree_leaf(&x->old->tree, x->opts->remove_leaf) !=
                            NULL,
                    MLS_RULE_REMOVE_LEAF, x->b.broken));
    TRY(mls_build_apply(&x->b));
    TRY(take_seat(x, who));
    TRY(mls_making_run(&x->m));
out:
    return e;
}

static enum err
hand_out(struct external *x, struct mls_external_made *made)
{
    enum err e;

    TRY(mls_public_seal(x->suite, x->env->mem, &x->m.x,
                        view_of(&x->old->encoded), NULL, &made->commit));
    if (x->opts->want_group_info) {
        TRY(mls_epoch_group_info(x->m.next, true, true, false,
                                 &made->group_info));
    }
    TRY(mls_group_new(x->env, &x->m.next, &made->group));
out:
    return e;
}

enum err
mls_join_external(const struct mls_env *env, const struct mls_identity *who,
                  const struct mls_external_opts *opts,
                  struct mls_external_made *out)
{
    enum err e;
    struct mls_external_made made = {0};
    struct external x = {.env = env, .opts = opts};

    x.b.env = env;
    x.b.broken = mls_begin(env);
    x.b.arena.mem = env->mem;
    x.m.b = &x.b;
    x.m.wire = MLS_WIRE_PUBLIC;
    x.m.sender = (struct mls_sender){MLS_SENDER_NEW_MEMBER_COMMIT, 0};
    x.m.aad = opts->aad;
    x.m.with_path = true;
    x.m.like = &x.like;
    x.m.sign_old = &x.sign;
    x.m.sign_new = &x.sign;
    x.m.init = &x.init;
    x.m.psk_source = (struct mls_psk_source){env, NULL, NULL};
    TRY(build(&x, who));
    TRY(hand_out(&x, &made));
    *out = made;
    made = (struct mls_external_made){0};
out:
    mls_making_clear(&x.m);
    mls_build_clear(&x.b);
    mls_epoch_free(x.old);
    mls_external_made_clear(&made);
    mem_wipe(&x, sizeof(x));
    return e;
}
