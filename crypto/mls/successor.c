/* SPDX-License-Identifier: Apache-2.0 */
/* Groups that follow another: ReInit and branches (RFC 9420 11.2, 11.3). */
#include "crypto/mls/commit_int.h"

#include "proto/base/assert.h"

bool
mls_clients_within(const struct mls_tree *a, const struct mls_tree *b)
{
    for (uint32_t i = 0; i < mls_tree_leaves(a); i++) {
        const struct mls_leaf_node *n = mls_tree_leaf(a, i);
        bool found = n == NULL;

        for (uint32_t k = 0; !found && k < mls_tree_leaves(b); k++) {
            const struct mls_leaf_node *m = mls_tree_leaf(b, k);

            found = m != NULL && m->credential.type == n->credential.type &&
                    view_equal(m->credential.data, n->credential.data);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

/* A successor on its way. */
struct successor {
    struct mls_group *old;
    const struct mls_successor_opts *opts;
    struct arena arena;
    struct mls_create_opts create;
    enum mls_commit_kind kind;
    struct mls_group *group;
    struct mls_committed first;
};

/* What the new group is like. */
static enum err
choose(struct successor *s)
{
    enum err e = OK;
    struct mls_proposal p;
    const struct mls_group_context *c = &s->old->now->context;

    if (s->opts->branch) {
        s->kind = MLS_COMMIT_BRANCH;
        s->create = (struct mls_create_opts){c->suite, s->opts->group_id,
                                             c->extensions};
        return s->old->reinit.len == 0 ? OK : ERR_STATE;
    }
    if (s->old->reinit.len == 0) {
        return ERR_STATE;
    }
    s->kind = MLS_COMMIT_REINIT;
    TRY(mls_proposal_decode(&s->arena, view_of(&s->old->reinit), &p));
    ASSERT(p.type == MLS_PROPOSAL_REINIT);
    if (p.u.reinit.version != MLS_VERSION_10) {
        return ERR_UNSUPPORTED;
    }
    s->create = (struct mls_create_opts){p.u.reinit.suite, p.u.reinit.group_id,
                                         p.u.reinit.extensions};
out:
    return e;
}

/* Adds, and the PSK that ties the new group to the old. */
static enum err
first_commit(struct successor *s)
{
    enum err e;
    size_t n = s->opts->key_packages_len;
    struct mls_proposal_in *in = arena_calloc(&s->arena, n + 1, sizeof(*in));
    struct mls_commit_opts opts = {.proposals = in,
                                   .proposals_len = n + 1,
                                   .force_path = true,
                                   .no_tree = s->opts->no_tree};

    if (in == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        in[i].type = MLS_PROPOSAL_ADD;
        in[i].key_package = s->opts->key_packages[i];
    }
    in[n].type = MLS_PROPOSAL_PSK;
    in[n].psk = (struct mls_psk_id){
        .type = MLS_PSK_RESUMPTION,
        .usage = s->kind == MLS_COMMIT_REINIT ? MLS_PSK_REINIT : MLS_PSK_BRANCH,
        .group_id = s->old->now->context.group_id,
        .epoch = s->old->now->context.epoch,
    };
    TRY(mls_commit_as(s->group, &opts, s->kind, s->old, &s->first));
    TRY(mls_merge(s->group, &s->first.stage));
out:
    return e;
}

static enum err
check_members(const struct successor *s)
{
    enum err e;
    enum mls_rule *broken = s->old->env.rule_out;
    bool within = mls_clients_within(&s->group->now->tree, &s->old->now->tree);

    if (s->kind == MLS_COMMIT_BRANCH) {
        /* RFC 9420 12.4.3.1 [welcome-branch-members] */
        TRY(mls_require(within, MLS_RULE_WELCOME_BRANCH_MEMBERS, broken));
        return OK;
    }
    /* RFC 9420 12.4.3.1 [welcome-reinit-members] */
    TRY(mls_require(
        within && mls_clients_within(&s->old->now->tree, &s->group->now->tree),
        MLS_RULE_WELCOME_REINIT_MEMBERS, broken));
out:
    return e;
}

enum err
mls_successor(struct mls_group *old, const struct mls_identity *who,
              const struct mls_successor_opts *opts,
              struct mls_group **group_out, struct bytes *welcome_out)
{
    enum err e;
    struct successor s = {.old = old, .opts = opts};

    s.arena.mem = old->env.mem;
    /* RFC 9420 12.4.2 [member-removed] */
    TRY(mls_require(!old->removed, MLS_RULE_MEMBER_REMOVED,
                    mls_begin(&old->env)));
    TRY(choose(&s));
    TRY(mls_create_exact(&old->env, who, &s.create, &s.group));
    TRY(first_commit(&s));
    TRY(check_members(&s));
    *group_out = s.group;
    *welcome_out = bytes_take(&s.first.welcome);
    s.group = NULL;
out:
    mls_committed_clear(&s.first);
    mls_group_free(s.group);
    arena_clear(&s.arena);
    return e;
}
