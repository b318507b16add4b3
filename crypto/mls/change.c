/* SPDX-License-Identifier: Apache-2.0 */
/* What one step changed on disk, and the way back. */
#include "crypto/mls/save_int.h"

#include "proto/base/assert.h"

#include <string.h>

void
mls_record_key(enum mls_record_kind kind, uint64_t epoch, uint8_t part,
               uint32_t leaf, uint8_t out[MLS_RECORD_KEY])
{
    out[0] = (uint8_t)kind;
    for (int i = 0; i < 8; i++) {
        out[1 + i] = (uint8_t)(epoch >> (56 - 8 * i));
    }
    out[9] = part;
    for (int i = 0; i < 4; i++) {
        out[10 + i] = (uint8_t)(leaf >> (24 - 8 * i));
    }
}

enum err
mls_change_new(const struct mem *mem, struct mls_change **out)
{
    *out = mem_alloc(mem, sizeof(**out));
    if (*out == NULL) {
        return ERR_NOMEM;
    }
    (*out)->mem = mem;
    return OK;
}

enum err
mls_change_add(struct mls_change *c, enum mls_record_kind kind, uint64_t epoch,
               uint8_t part, uint32_t leaf, struct bytes *take_bytes)
{
    struct mls_saved *bigger;
    struct mls_saved *s;
    uint32_t cap = c->cap == 0 ? 4 : 2 * c->cap;

    if (c->count == c->cap) {
        bigger = mem_calloc(c->mem, cap, sizeof(*bigger));
        if (bigger == NULL) {
            return ERR_NOMEM;
        }
        if (c->at != NULL) {
            memcpy(bigger, c->at, c->count * sizeof(*bigger));
            mem_free(c->mem, c->at, c->cap * sizeof(*bigger));
        }
        c->at = bigger;
        c->cap = cap;
    }
    s = &c->at[c->count];
    c->count++;
    s->kind = kind;
    mls_record_key(kind, epoch, part, leaf, s->key);
    if (take_bytes != NULL) {
        s->bytes = bytes_take(take_bytes);
    }
    return OK;
}

size_t
mls_change_count(const struct mls_change *change)
{
    return change == NULL ? 0 : change->count;
}

void
mls_change_at(const struct mls_change *change, size_t i, struct mls_record *out)
{
    const struct mls_saved *s = &change->at[i];

    ASSERT(i < change->count);
    out->kind = s->kind;
    memcpy(out->key, s->key, sizeof(out->key));
    out->bytes = view_of(&s->bytes);
}

void
mls_change_free(struct mls_change *change)
{
    if (change == NULL) {
        return;
    }
    for (uint32_t i = 0; i < change->count; i++) {
        bytes_free(&change->at[i].bytes);
    }
    if (change->at != NULL) {
        mem_free(change->mem, change->at, change->cap * sizeof(*change->at));
    }
    mls_step_free(change->step);
    mem_free(change->mem, change, sizeof(*change));
}

enum err
mls_change_join(struct mls_change *c, struct mls_change **take_from)
{
    struct mls_change *from = *take_from;
    struct mls_saved *at;

    if (from == NULL) {
        return OK;
    }
    ASSERT(c->step == NULL);
    at = mem_calloc(c->mem, (size_t)c->count + from->count + 1, sizeof(*at));
    if (at == NULL) {
        return ERR_NOMEM;
    }
    if (c->count > 0) {
        memcpy(at, c->at, c->count * sizeof(*at));
    }
    if (from->count > 0) {
        memcpy(at + c->count, from->at, from->count * sizeof(*at));
    }
    if (c->at != NULL) {
        mem_free(c->mem, c->at, c->cap * sizeof(*at));
    }
    c->at = at;
    c->cap = c->count + from->count + 1;
    c->count += from->count;
    c->step = from->step;
    from->step = NULL;
    from->count = 0;
    mls_change_free(from);
    *take_from = NULL;
    return OK;
}

/* Forget the pending proposal that came last. */
static void
drop_newest(struct mls_group *g)
{
    struct mls_pending **at = &g->pending;

    while (*at != NULL && (*at)->next != NULL) {
        at = &(*at)->next;
    }
    mls_pending_free(g->env.mem, *at);
    *at = NULL;
}

void
mls_undo(struct mls_group *group, struct mls_change **take_change)
{
    struct mls_change *c = *take_change;

    if (c == NULL) {
        return;
    }
    if (c->step != NULL) {
        ASSERT(mls_step_undo(c->step) == OK);
    }
    if (c->pending) {
        drop_newest(group);
    }
    mls_change_free(c);
    *take_change = NULL;
}

/* The records of the ratchets that a step changed. */
static enum err
add_ratchets(struct mls_change *c, const struct mls_epoch *epoch,
             const struct mls_step *step)
{
    enum err e = OK;
    struct mls_ratchet_id id[MLS_STEP_CHANGED_MAX];
    size_t n = mls_step_changed(step, id);
    struct bytes bytes = {0};

    for (size_t i = 0; i < n; i++) {
        TRY(mls_save_ratchet(epoch, id[i], &bytes));
        TRY(mls_change_add(c, MLS_RECORD_RATCHET, epoch->context.epoch,
                           (uint8_t)id[i].type, id[i].leaf, &bytes));
    }
out:
    bytes_free(&bytes);
    return e;
}

enum err
mls_change_of(struct mls_group *g, struct mls_epoch *epoch,
              struct mls_step **take_step, bool pending,
              struct mls_change **out)
{
    enum err e;
    struct mls_change *c = NULL;
    struct bytes bytes = {0};
    struct mls_step *step = take_step == NULL ? NULL : *take_step;

    TRY(mls_change_new(g->env.mem, &c));
    if (step != NULL) {
        TRY(add_ratchets(c, epoch, step));
    }
    if (pending) {
        TRY(mls_save_group(g, &bytes));
        TRY(mls_change_add(c, MLS_RECORD_EPOCH, MLS_GROUP_RECORD, 0, 0,
                           &bytes));
    }
    c->step = step;
    c->pending = pending;
    *out = c;
    c = NULL;
    step = NULL;
out:
    if (step != NULL) {
        ASSERT(mls_step_undo(step) == OK);
        mls_step_free(step);
    }
    if (take_step != NULL) {
        *take_step = NULL;
    }
    bytes_free(&bytes);
    mls_change_free(c);
    return e;
}
