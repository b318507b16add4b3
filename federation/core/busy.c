/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads with something left to do, sorted by id, and whom they wait for: a
 * clinic that greets us brings those forward that have to do with it.
 */
#include "federation/core/bound.h"

#include <string.h>

static size_t
busy_at(const struct fed_core *core, const struct thread_id *id)
{
    size_t lo = 0;
    size_t hi = core->busy_len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (thread_id_cmp(&core->busy[mid].id, id) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* One of 64: a greeting looks at few threads that it does not concern. */
static uint64_t
busy_bit(const uint8_t *root)
{
    return UINT64_C(1) << (root[0] & 63u);
}

/* A member, and who has to greet us before anything is numbered for it. */
static uint64_t
member_bits(struct fed_core *core, const struct clinic_id *node)
{
    const struct fed_party *p = fed_party_find(core, node);

    return busy_bit(node->b) |
           (p != NULL && p->via != NULL ? busy_bit(p->via->root.b) : 0);
}

void
fed_busy_note(struct fed_core *core, const struct fed_thread *t,
              const uint8_t *who)
{
    size_t at = busy_at(core, &t->id);
    uint64_t *whom;

    if (at >= core->busy_len || !thread_id_equal(&core->busy[at].id, &t->id)) {
        return;
    }
    whom = &core->busy[at].whom;
    *whom |= busy_bit(t->rec.hub);
    for (size_t i = 0; i < t->members_len; i++) {
        *whom |= member_bits(core, &t->members[i].node);
    }
    if (who != NULL) {
        *whom |= busy_bit(who);
    }
}

enum err
fed_busy_add(struct fed_core *core, const struct thread_id *id)
{
    size_t at = busy_at(core, id);

    if (at < core->busy_len && thread_id_equal(&core->busy[at].id, id)) {
        return OK;
    }
    if (core->busy_len == core->busy_cap) {
        size_t cap = core->busy_cap == 0 ? 16 : core->busy_cap * 2;
        struct fed_busy *more =
            mem_calloc(core->mem, cap, sizeof(core->busy[0]));

        if (more == NULL) {
            return ERR_NOMEM;
        }
        if (core->busy_len > 0) {
            memcpy(more, core->busy, core->busy_len * sizeof(core->busy[0]));
        }
        mem_free(core->mem, core->busy, core->busy_cap * sizeof(core->busy[0]));
        core->busy = more;
        core->busy_cap = cap;
    }
    memmove(&core->busy[at + 1], &core->busy[at],
            (core->busy_len - at) * sizeof(core->busy[0]));
    core->busy[at].id = *id;
    core->busy[at].whom = 0;
    core->busy_len++;
    return OK;
}

bool
fed_busy_has(const struct fed_core *core, const struct thread_id *id)
{
    size_t at = busy_at(core, id);

    return at < core->busy_len && thread_id_equal(&core->busy[at].id, id);
}

void
fed_busy_del(struct fed_core *core, const struct thread_id *id)
{
    size_t at = busy_at(core, id);

    if (at < core->busy_len && thread_id_equal(&core->busy[at].id, id)) {
        memmove(&core->busy[at], &core->busy[at + 1],
                (core->busy_len - at - 1) * sizeof(core->busy[0]));
        core->busy_len--;
    }
}

/* Is p the hub, or does it carry to it? */
static bool
leads_to(struct fed_core *core, const uint8_t hub[32],
         const struct fed_party *p)
{
    struct clinic_id root;
    const struct fed_party *q;

    memcpy(root.b, hub, sizeof(root.b));
    q = fed_party_find(core, &root);
    return memcmp(hub, p->root.b, 32) == 0 || (q != NULL && q->via == p);
}

enum err
fed_busy_kick(struct fed_core *core, const struct fed_party *p)
{
    enum err e = OK;
    /* a device comes for its patient */
    uint64_t bits =
        p == NULL ? 0 : busy_bit(p->root.b) | busy_bit(p->subject.b);

    /* Backwards: a thread that is done leaves the list meanwhile. */
    for (size_t i = core->busy_len; i > 0; i--) {
        struct fed_thread *t;

        if (i > core->busy_len ||
            (p != NULL && (core->busy[i - 1].whom & bits) == 0)) {
            continue;
        }
        e = fed_thread_get(core, &core->busy[i - 1].id, &t);
        if (e == ERR_MISSING) {
            continue;
        }
        TRY(e);
        if (p == NULL || fed_thread_hub_here(core, t) ||
            leads_to(core, t->rec.hub, p)) {
            TRY(fed_intent_pump(core, t));
        }
    }
out:
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_core_waiting(struct fed_core *core, const struct clinic_id *root,
                 uint64_t *out)
{
    enum err e = OK;
    const struct fed_party *p = fed_party_find(core, root);

    *out = 0;
    for (size_t i = core->busy_len; p != NULL && i > 0; i--) {
        struct fed_thread *t;

        if (i > core->busy_len ||
            (core->busy[i - 1].whom & busy_bit(root->b)) == 0) {
            continue;
        }
        e = fed_thread_get(core, &core->busy[i - 1].id, &t);
        if (e != OK && e != ERR_MISSING) {
            goto out;
        }
        if (e == OK && !fed_thread_hub_here(core, t) &&
            leads_to(core, t->rec.hub, p)) {
            *out += t->waiting;
        }
    }
    e = OK;
out:
    return e;
}
