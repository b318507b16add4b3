/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/commit_int.h"

void
mls_committed_clear(struct mls_committed *c)
{
    mls_stage_free(c->stage);
    bytes_free(&c->commit);
    bytes_free(&c->welcome);
    bytes_free(&c->group_info);
    mls_change_free(c->change);
    *c = (struct mls_committed){0};
}

/* Validating the list anew for each is quadratic; more are left out. */
enum {
    KEEP_TRIES = 64
};

/* A commit, from what was asked for to what is handed out. */
struct own {
    struct mls_group *g;
    const struct mls_commit_opts *opts;
    enum mls_commit_kind kind;
    struct mls_build b;
    struct mls_making m;
    struct mls_leaf_node like;
    struct prim_sign_key sign; /* the new one */
};

/* ------------------------------------------------------------ which proposals
 */

/* The leaf that a proposal is about, or MLS_NO_LEAF. */
static uint32_t
leaf_of(const struct mls_listed *l)
{
    if (l->proposal->type == MLS_PROPOSAL_REMOVE) {
        return l->proposal->u.remove;
    }
    return l->proposal->type == MLS_PROPOSAL_UPDATE ? l->sender.index
                                                    : MLS_NO_LEAF;
}

static bool
same_type(const struct mls_listed *a, const struct mls_listed *b, uint16_t type)
{
    return a->proposal->type == type && b->proposal->type == type;
}

/*
 * Whether a, which was proposed, gives way to b, which stands later in the list
 * or earlier.  RFC 9420 12.2: a Remove comes before an Update of the same leaf,
 * the newest Update before older ones.  What we commit by value stays.
 */
static bool
gives_way(const struct mls_listed *a, const struct mls_listed *b, bool later)
{
    uint32_t leaf = leaf_of(a);
    bool first = later && b->by_reference; /* a was there before b */

    if (leaf != MLS_NO_LEAF && leaf == leaf_of(b)) {
        if (a->proposal->type == b->proposal->type) {
            return (a->proposal->type == MLS_PROPOSAL_UPDATE) == later ||
                   !b->by_reference;
        }
        return a->proposal->type == MLS_PROPOSAL_UPDATE;
    }
    if (same_type(a, b, MLS_PROPOSAL_ADD)) {
        return !first &&
               view_equal(a->proposal->u.add->leaf_node.signature_key,
                          b->proposal->u.add->leaf_node.signature_key);
    }
    if (same_type(a, b, MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS)) {
        return !first;
    }
    return a->proposal->type == MLS_PROPOSAL_REINIT;
}

/* What we may never commit: our own Update, our own removal. */
static bool
not_ours_to_commit(const struct own *o, const struct mls_listed *l)
{
    return leaf_of(l) == o->g->now->own;
}

/* Leave out pending proposals that cannot go with the others. */
static void
filter(struct own *o, size_t pending)
{
    struct mls_build *b = &o->b;
    size_t kept = 0;

    for (size_t i = 0; i < b->list_count; i++) {
        bool drop = i < pending && not_ours_to_commit(o, &b->list[i]);

        for (size_t k = 0; i < pending && !drop && k < b->list_count; k++) {
            if (k != i && (k < kept || k > i)) {
                drop = gives_way(&b->list[i], &b->list[k], k > i);
            }
        }
        if (!drop) {
            b->list[kept] = b->list[i];
            kept++;
        }
    }
    b->list_count = kept;
}

/* Pending ones first, then those by value. */
static enum err
collect(struct own *o)
{
    enum err e = OK;
    struct mls_build *b = &o->b;
    size_t pending = o->opts->skip_pending ? 0 : mls_group_pending_count(o->g);
    size_t all = pending + o->opts->proposals_len;
    struct mls_proposal *own;
    const struct mls_pending *p = o->g->pending;

    if (all > LIMIT_MLS_PROPOSALS) {
        return ERR_LIMIT;
    }
    if (all == 0) {
        return OK;
    }
    b->list = arena_calloc(&b->arena, all, sizeof(*b->list));
    own = arena_calloc(&b->arena, all, sizeof(*own));
    if (b->list == NULL || own == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < all; i++) {
        if (i < pending) {
            b->list[i] = (struct mls_listed){p->x.content.u.proposal,
                                             p->x.content.sender, true};
            p = p->next;
            continue;
        }
        TRY(mls_proposal_from(&o->g->env, &b->arena, b->old->suite,
                              &o->opts->proposals[i - pending], &own[i]));
        b->list[i] = (struct mls_listed){&own[i], o->m.sender, false};
    }
    b->list_count = all;
    filter(o, pending);
out:
    return e;
}

/* ------------------------------------------------------------------- the
 * commit */

/* How our leaf looks after this commit, and what signs for it. */
static enum err
choose_leaf(struct own *o)
{
    enum err e = OK;
    struct mls_epoch *now = o->g->now;

    o->like = *mls_tree_leaf(&now->tree, now->own);
    o->sign = now->sign;
    if (o->opts->identity != NULL) {
        TRY(mls_identity_key(o->opts->identity, &o->sign));
        TRY(mls_identity_leaf(&o->b.arena, o->opts->identity,
                              (struct mls_extensions){0}, false, &o->like));
    }
out:
    return e;
}

static enum err
validate(struct own *o)
{
    struct mls_build *b = &o->b;
    struct mls_list_scope scope = mls_build_scope(b);

    return mls_list_validate(&scope, o->kind, o->g->now->own, b->list,
                             b->list_count, b->broken);
}

/*
 * The list is not valid with everything that others proposed: take one after
 * the other of theirs, as long as it stays valid.  So nobody can keep us from
 * committing by proposing nonsense.
 */
static enum err
keep_what_fits(struct own *o)
{
    enum err e;
    struct mls_build *b = &o->b;
    struct mls_listed *all = b->list;
    size_t n = b->list_count;

    b->list = arena_calloc(&b->arena, n, sizeof(*b->list));
    if (b->list == NULL) {
        return ERR_NOMEM;
    }
    b->list_count = 0;
    for (size_t i = 0; i < n; i++) {
        if (!all[i].by_reference) {
            b->list[b->list_count] = all[i];
            b->list_count++;
        }
    }
    TRY(validate(o));
    for (size_t i = 0; i < n && i < KEEP_TRIES; i++) {
        if (all[i].by_reference) {
            b->list[b->list_count] = all[i];
            b->list_count++;
            e = validate(o);
            if (e != OK) {
                b->list_count--;
            }
            TRY(e == ERR_NOMEM ? e : OK);
        }
    }
    b->broken = mls_begin(&o->g->env);
out:
    return e;
}

static enum err
build(struct own *o)
{
    enum err e;
    struct mls_build *b = &o->b;

    TRY(collect(o));
    e = validate(o);
    if (e != OK && e != ERR_NOMEM && b->list_count > o->opts->proposals_len) {
        e = keep_what_fits(o);
    }
    TRY(e);
    o->m.with_path = o->opts->force_path || o->opts->identity != NULL ||
                     mls_path_required(b->list, b->list_count);
    TRY(mls_build_apply(b));
    TRY(choose_leaf(o));
    TRY(mls_making_run(&o->m));
out:
    return e;
}

static enum err
make_welcome(struct own *o, struct bytes *out)
{
    struct mls_welcome_in in = {
        .next = o->m.next,
        .list = o->b.list,
        .list_count = o->b.list_count,
        .added = &o->b.added,
        .path = o->m.with_path ? &o->m.path : NULL,
        .joiner = &o->m.joiner,
        .psk = &o->m.psk,
        .psks = o->b.psks,
        .psks_count = o->b.psks_count,
        .with_tree = !o->opts->no_tree,
    };

    return o->b.added.count == 0 ? OK : mls_welcome_make(&o->g->env, &in, out);
}

/* Everything to hand out; sealing last, as it uses up a key. */
static enum err
hand_out(struct own *o, struct mls_committed *c)
{
    enum err e;
    struct mls_sealed sealed = {0};
    const struct mls_suite *suite = o->b.old->suite;
    struct view message;

    TRY(make_welcome(o, &c->welcome));
    if (o->opts->want_group_info) {
        TRY(mls_epoch_group_info(o->m.next, true, true, false, &c->group_info));
    }
    TRY(mls_stage_new(&o->b, &o->m.x, &o->m.next, &c->stage));
    c->stage->info.own = true;
    TRY(mls_seal(o->g, &o->m.x, 0, &sealed));
    c->commit = sealed.message;
    c->change = sealed.change;
    message = view_of(&c->commit);
    mls_hash_parts(suite, &message, 1, &c->stage->message);
out:
    return e;
}

enum err
mls_commit_as(struct mls_group *g, const struct mls_commit_opts *opts,
              enum mls_commit_kind kind, const struct mls_group *parent,
              struct mls_committed *out)
{
    enum err e;
    struct mls_committed c = {0};
    struct own o = {.g = g, .opts = opts, .kind = kind};

    o.b.env = &g->env;
    o.b.old = g->now;
    o.b.broken = mls_begin(&g->env);
    o.b.arena.mem = g->env.mem;
    o.m.b = &o.b;
    o.m.wire = opts->as_private ? MLS_WIRE_PRIVATE : MLS_WIRE_PUBLIC;
    o.m.sender = (struct mls_sender){MLS_SENDER_MEMBER, g->now->own};
    o.m.aad = opts->aad;
    o.m.own = g->now->own;
    o.m.like = &o.like;
    o.m.sign_old = &g->now->sign;
    o.m.sign_new = &o.sign;
    o.m.init = &g->now->keys.init;
    o.m.psk_source = (struct mls_psk_source){&g->env, g, parent};
    /* RFC 9420 12.4.2 [member-removed] */
    TRY(mls_require(!g->removed, MLS_RULE_MEMBER_REMOVED, o.b.broken));
    /* RFC 9420 12.4.2 [group-suspended] */
    TRY(mls_require(g->reinit.len == 0, MLS_RULE_GROUP_SUSPENDED, o.b.broken));
    TRY(build(&o));
    TRY(hand_out(&o, &c));
    *out = c;
    c = (struct mls_committed){0};
out:
    mls_making_clear(&o.m);
    mls_build_clear(&o.b);
    mem_wipe(&o.sign, sizeof(o.sign));
    mls_committed_clear(&c);
    return e;
}

enum err
mls_commit(struct mls_group *group, const struct mls_commit_opts *opts,
           struct mls_committed *out)
{
    return mls_commit_as(group, opts, MLS_COMMIT_NORMAL, NULL, out);
}
