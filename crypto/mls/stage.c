/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/group_int.h"

#include <string.h>

/* PSK, ReInit and other proposals of b, one after the other. */
static enum err
write_extras(const struct mls_build *b, struct bytes *out)
{
    struct proto_tls_wr w = proto_tls_wr_open(b->env->mem);

    for (size_t i = 0; i < b->list_count; i++) {
        const struct mls_proposal *p = b->list[i].proposal;

        if (p->type == MLS_PROPOSAL_PSK || p->type == MLS_PROPOSAL_REINIT ||
            !mls_proposal_is_default(p->type)) {
            mls_proposal_write(&w, p);
        }
    }
    return proto_tls_wr_take(&w, out);
}

enum err
mls_stage_index(struct mls_stage *st)
{
    enum err e = OK;
    struct proto_tls_rd r = proto_tls_rd_open(view_of(&st->extras));
    struct proto_tls_rd again = r;
    struct mls_proposal *p;
    size_t n = 0;

    while (proto_tls_rd_more(&r)) {
        struct mls_proposal one;

        mls_proposal_read(&r, &st->arena, &one);
        n++;
    }
    TRY(proto_tls_rd_end(&r));
    if (n == 0) {
        return OK;
    }
    p = arena_calloc(&st->arena, n, sizeof(*p));
    if (p == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        mls_proposal_read(&again, &st->arena, &p[i]);
        if (p[i].type == MLS_PROPOSAL_PSK) {
            st->info.psks++;
        } else if (p[i].type == MLS_PROPOSAL_REINIT) {
            st->info.reinit = true;
        } else {
            st->info.others++;
        }
    }
    TRY(proto_tls_rd_end(&again));
    st->extra = p;
    st->extra_count = n;
out:
    return e;
}

enum err
mls_stage_new(struct mls_build *b, const struct mls_authenticated *commit,
              struct mls_epoch **take_next, struct mls_stage **out)
{
    enum err e;
    struct mls_stage *st = mem_alloc(b->env->mem, sizeof(*st));

    if (st == NULL) {
        return ERR_NOMEM;
    }
    st->env = *b->env;
    st->arena.mem = b->env->mem;
    mls_epoch_mark(b->old, &st->base);
    TRY(bytes_copy(b->env->mem, commit->content.authenticated_data, &st->aad));
    TRY(write_extras(b, &st->extras));
    TRY(mls_stage_index(st));
    st->info.epoch = b->old->context.epoch + 1;
    st->info.external =
        commit->content.sender.type == MLS_SENDER_NEW_MEMBER_COMMIT;
    st->info.committer = commit->content.sender.index;
    st->info.self_removed = b->self_removed;
    st->info.has_path = commit->content.u.commit->path != NULL;
    st->info.extensions_changed = b->extensions_changed;
    st->info.aad = view_of(&st->aad);
    st->delta = b->delta;
    st->delta_count = b->delta_count;
    st->delta_cap = b->delta_cap;
    b->delta = NULL;
    b->delta_count = 0;
    b->delta_cap = 0;
    st->next = *take_next;
    *take_next = NULL;
    *out = st;
    st = NULL;
out:
    mls_stage_free(st);
    return e;
}

void
mls_stage_free(struct mls_stage *stage)
{
    if (stage == NULL) {
        return;
    }
    mls_epoch_free(stage->next);
    mls_deltas_free(stage->env.mem, stage->delta, stage->delta_count,
                    stage->delta_cap);
    bytes_free(&stage->aad);
    bytes_free(&stage->extras);
    arena_clear(&stage->arena);
    mem_free(stage->env.mem, stage, sizeof(*stage));
}

/* -------------------------------------------------------------- looking at it
 */

void
mls_stage_info(const struct mls_stage *stage, struct mls_stage_info *out)
{
    *out = stage->info;
}

bool
mls_stage_leaf(const struct mls_stage *stage, size_t index,
               struct mls_leaf_change *out)
{
    const struct mls_leaf_delta *d;

    if (index >= stage->delta_count) {
        return false;
    }
    d = &stage->delta[index];
    *out = (struct mls_leaf_change){.what = d->what, .leaf = d->leaf};
    if (d->before != NULL) {
        mls_member_of(&d->before->node, d->leaf, &out->before);
    }
    if (d->after != NULL) {
        mls_member_of(&d->after->node, d->leaf, &out->after);
    }
    return true;
}

struct mls_extensions
mls_stage_extensions(const struct mls_stage *stage)
{
    return stage->next->context.extensions;
}

/* The index-th extra that is (or is not) of the kind asked for. */
static const struct mls_proposal *
extra_at(const struct mls_stage *st, size_t index, uint16_t type)
{
    for (size_t i = 0; i < st->extra_count; i++) {
        const struct mls_proposal *p = &st->extra[i];
        bool match = type != 0 ? p->type == type
                               : p->type != MLS_PROPOSAL_PSK &&
                                     p->type != MLS_PROPOSAL_REINIT;

        if (match && index == 0) {
            return p;
        }
        index -= match ? 1 : 0;
    }
    return NULL;
}

bool
mls_stage_psk(const struct mls_stage *stage, size_t index,
              struct mls_psk_id *out)
{
    const struct mls_proposal *p = extra_at(stage, index, MLS_PROPOSAL_PSK);

    if (p != NULL) {
        *out = p->u.psk;
    }
    return p != NULL;
}

bool
mls_stage_other(const struct mls_stage *stage, size_t index,
                struct mls_extension *out)
{
    const struct mls_proposal *p = extra_at(stage, index, 0);

    if (p != NULL) {
        *out = (struct mls_extension){p->type, p->u.unknown};
    }
    return p != NULL;
}

bool
mls_stage_reinit(const struct mls_stage *stage, struct mls_reinit *out)
{
    const struct mls_proposal *p = extra_at(stage, 0, MLS_PROPOSAL_REINIT);

    if (p != NULL) {
        *out = p->u.reinit;
    }
    return p != NULL;
}

struct view
mls_stage_authenticator(const struct mls_stage *stage)
{
    return prim_secret_view(&stage->next->keys.authenticator);
}

bool
mls_stage_is(const struct mls_stage *stage, struct view message)
{
    struct mls_hash h;

    if (!stage->info.own) {
        return false;
    }
    mls_hash_parts(stage->next->suite, &message, 1, &h);
    return view_equal(mls_hash_view(&h), mls_hash_view(&stage->message));
}

/* -------------------------------------------------------------------- merging
 */

/* Keep the resumption PSK of the epoch that ends (RFC 9420 8.6). */
static void
keep_resumption(struct mls_group *g)
{
    struct mls_resumption *r = g->resumption;
    uint32_t keep = g->resumption_count;

    if (keep == LIMIT_MLS_RESUMPTION_PSKS) {
        keep--;
    }
    memmove(r + 1, r, keep * sizeof(*r));
    r[0].epoch = g->now->context.epoch;
    r[0].psk = g->now->keys.resumption_psk;
    g->resumption_count = keep + 1;
}

/* Forget an epoch.  One that was stored waits, without keys, for mls_save to
 * say which records go. */
static void
forget_epoch(struct mls_group *g, struct mls_epoch *epoch)
{
    if (!epoch->stored) {
        mls_epoch_free(epoch);
        return;
    }
    mls_epoch_retire(epoch);
    prim_secret_wipe(&epoch->keys.sender_data);
    epoch->next_gone = g->gone;
    g->gone = epoch;
}

/* The present epoch becomes a past one, or is forgotten. */
static void
retire(struct mls_group *g)
{
    uint32_t limit = g->env.past_epochs;

    if (limit == 0) {
        forget_epoch(g, g->now);
        return;
    }
    if (g->past_count == limit) {
        g->past_count--;
        forget_epoch(g, g->past[g->past_count]);
    }
    memmove(g->past + 1, g->past, g->past_count * sizeof(g->past[0]));
    mls_epoch_retire(g->now);
    g->past[0] = g->now;
    g->past_count++;
}

/* Out of the group: nothing secret stays.  What was stored of the ratchets goes
 * with the next mls_save. */
static void
leave(struct mls_group *g)
{
    while (g->past_count > 0) {
        g->past_count--;
        forget_epoch(g, g->past[g->past_count]);
    }
    mls_epoch_retire(g->now);
    prim_secret_wipe(&g->now->keys.sender_data);
    if (!g->now->stored) {
        mls_secret_tree_free(g->now->secrets);
        g->now->secrets = NULL;
    }
    mem_wipe(g->resumption, sizeof(g->resumption));
    g->resumption_count = 0;
    g->removed = true;
}

enum err
mls_merge(struct mls_group *group, struct mls_stage **take_stage)
{
    struct mls_stage *st = *take_stage;
    struct mls_hash mark;

    mls_epoch_mark(group->now, &mark);
    if (group->removed ||
        !view_equal(mls_hash_view(&mark), mls_hash_view(&st->base))) {
        return ERR_STATE;
    }
    mls_pending_clear(group);
    if (st->info.self_removed) {
        leave(group);
    } else {
        keep_resumption(group);
        retire(group);
        group->now = st->next;
        st->next = NULL;
    }
    if (st->info.reinit) {
        group->reinit = bytes_take(&st->extras);
    }
    group->saved = false;
    mls_stage_free(st);
    *take_stage = NULL;
    return OK;
}

enum err
mls_forget_past(struct mls_group *group, uint64_t epoch)
{
    uint32_t kept = 0;

    while (kept < group->past_count &&
           group->past[kept]->context.epoch >= epoch) {
        kept++;
    }
    while (group->past_count > kept) {
        group->past_count--;
        forget_epoch(group, group->past[group->past_count]);
        group->saved = false;
    }
    return OK;
}
