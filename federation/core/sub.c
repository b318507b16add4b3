/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our submissions that have no answer yet, in memory: which intents they are
 * made of.  The records of the intents say the same, so that a restart knows.
 */
#include "federation/core/inside.h"

#include "crypto/prim/hash.h"

#include <string.h>

struct fed_sub *
fed_sub_find(struct fed_thread *t, const uint8_t req[16])
{
    for (size_t i = 0; i < t->subs_len; i++) {
        if (memcmp(t->subs[i].req, req, 16) == 0) {
            return &t->subs[i];
        }
    }
    return NULL;
}

struct fed_sub *
fed_sub_by_hash(struct fed_thread *t, const uint8_t hash[32])
{
    for (size_t i = 0; i < t->subs_len; i++) {
        if (memcmp(t->subs[i].hash, hash, 32) == 0) {
            return &t->subs[i];
        }
    }
    return NULL;
}

enum err
fed_sub_new(struct fed_core *core, struct fed_thread *t, uint64_t kind,
            const uint8_t req[16], struct view message, struct fed_sub **out)
{
    struct fed_sub *sub = &t->subs[t->subs_len];

    (void)core;
    if (t->subs_len == LIMIT_SUBMIT_WINDOW) {
        return ERR_INTERNAL;
    }
    *sub = (struct fed_sub){.kind = kind, .epoch = mls_group_epoch(t->mls)};
    memcpy(sub->req, req, sizeof(sub->req));
    prim_sha256(message, sub->hash);
    t->subs_len++;
    *out = sub;
    return OK;
}

enum err
fed_sub_part(struct fed_core *core, struct fed_sub *sub, uint64_t number,
             const struct fed_rec_intent *rec)
{
    struct fed_sub_part *part;

    if (sub->parts_len == sub->parts_cap) {
        size_t cap = sub->parts_cap == 0 ? 1 : sub->parts_cap * 4;
        struct fed_sub_part *more =
            mem_calloc(core->mem, cap, sizeof(sub->parts[0]));

        if (more == NULL) {
            return ERR_NOMEM;
        }
        if (sub->parts_len > 0) {
            memcpy(more, sub->parts, sub->parts_len * sizeof(more[0]));
        }
        fed_sub_clear(core, sub);
        sub->parts = more;
        sub->parts_cap = cap;
    }
    part = &sub->parts[sub->parts_len++];
    part->number = number;
    memcpy(part->id.b, rec->id, sizeof(part->id.b));
    part->shown = rec->kind == FED_INTENT_SAY && fed_content_shown(rec->data);
    return OK;
}

void
fed_sub_clear(struct fed_core *core, struct fed_sub *sub)
{
    mem_free(core->mem, sub->parts, sub->parts_cap * sizeof(sub->parts[0]));
    sub->parts = NULL;
    sub->parts_cap = 0;
}

struct fed_sub
fed_sub_take(struct fed_thread *t, struct fed_sub *sub)
{
    struct fed_sub taken = *sub;
    size_t at = (size_t)(sub - t->subs);

    memmove(&t->subs[at], &t->subs[at + 1],
            (t->subs_len - at - 1) * sizeof(t->subs[0]));
    t->subs_len--;
    return taken;
}

void
fed_subs_clear(struct fed_core *core, struct fed_thread *t)
{
    for (size_t i = 0; i < t->subs_len; i++) {
        fed_sub_clear(core, &t->subs[i]);
    }
    t->subs_len = 0;
}

enum err
fed_sub_load(struct fed_core *core, struct fed_thread *t, uint64_t number,
             const struct fed_rec_intent *rec)
{
    struct fed_sub *sub = fed_sub_find(t, rec->req);

    if (sub == NULL) {
        if (t->subs_len == LIMIT_SUBMIT_WINDOW) {
            return OK;
        }
        sub = &t->subs[t->subs_len++];
        *sub = (struct fed_sub){.kind = rec->kind, .epoch = rec->epoch};
        memcpy(sub->req, rec->req, sizeof(sub->req));
        memcpy(sub->hash, rec->hash, sizeof(sub->hash));
    }
    return fed_sub_part(core, sub, number, rec);
}
