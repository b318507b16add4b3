/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revoked keys (decisions A 1 and A 4).  Whoever had a clinic's node may go on
 * as its leaf until that leaf is replaced.  So a clinic that revokes replaces
 * it in all its threads at once, the newest first; and until then nobody else
 * opens what a revoked leaf says.
 *
 * A commit that a revoked leaf signs is good when it brings the clinic's new
 * certificate: who only has the old key cannot have that one.
 */
#include "federation/core/rows.h"
#include "federation/core/trust.h"

#include <string.h>

uint64_t
fed_chain_generation(struct view chain)
{
    struct clinic_id root;
    uint64_t generation;

    return fed_chain_peek(chain, &root, &generation) == OK ? generation : 0;
}

uint64_t
fed_revoked_below(struct fed_core *core, const struct clinic_id *root)
{
    const struct fed_party *p;

    if (clinic_id_equal(root, &core->config.self.root)) {
        return core->revoked;
    }
    p = fed_party_find(core, root);
    return p == NULL ? 0 : p->rec.revoked;
}

bool
fed_revoked(struct fed_core *core, struct view credential)
{
    struct clinic_id root;
    uint64_t generation;

    return fed_chain_peek(credential, &root, &generation) == OK &&
           generation < fed_revoked_below(core, &root);
}

/*
 * decisions D 13: whether a commit replaces a leaf whose key is revoked.  Not
 * everybody may know of the revocation; but the root signs a new renewal key
 * only then, and that shows in the generation.
 */
bool
fed_replaces_revoked(struct fed_core *core, const struct mls_leaf_change *c)
{
    return c->what == MLS_UPDATED &&
           (fed_revoked(core, c->before.credential) ||
            fed_chain_generation(c->after.credential) >> 32 >
                fed_chain_generation(c->before.credential) >> 32);
}

/* Our leaf still has an older node key: decisions A 4. */
bool
fed_needs_rekey(const struct fed_core *core, const struct fed_thread *t)
{
    struct mls_member me;

    return t->mls != NULL &&
           mls_member_at(t->mls, mls_group_own_leaf(t->mls), &me) == OK &&
           !view_equal(me.signature_key, device_id_view(&core->node));
}

/* ------------------------------------------------------- newest threads first
 */

struct aged {
    struct thread_id id;
    uint64_t ts_ms;
};

struct aged_list {
    struct aged *at;
    size_t len;
    size_t cap;
};

static enum err
aged_add(const struct mem *mem, struct aged_list *l, const struct aged *a)
{
    if (l->len == l->cap) {
        size_t cap = l->cap == 0 ? 64 : l->cap * 2;
        struct aged *more = mem_calloc(mem, cap, sizeof(l->at[0]));

        if (more == NULL) {
            return ERR_NOMEM;
        }
        if (l->len > 0) {
            memcpy(more, l->at, l->len * sizeof(l->at[0]));
        }
        mem_free(mem, l->at, l->cap * sizeof(l->at[0]));
        l->at = more;
        l->cap = cap;
    }
    l->at[l->len++] = *a;
    return OK;
}

/* Heap order: the oldest on top, so that taking it out leaves it last. */
static void
sift(struct aged *a, size_t at, size_t len)
{
    for (;;) {
        size_t least = at;
        struct aged swap;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
            if (child < len && a[child].ts_ms < a[least].ts_ms) {
                least = child;
            }
        }
        if (least == at) {
            return;
        }
        swap = a[at];
        a[at] = a[least];
        a[least] = swap;
        at = least;
    }
}

static void
newest_first(struct aged *a, size_t len)
{
    for (size_t i = len / 2; i > 0; i--) {
        sift(a, i - 1, len);
    }
    for (size_t end = len; end > 1; end--) {
        struct aged oldest = a[0];

        a[0] = a[end - 1];
        a[end - 1] = oldest;
        sift(a, 0, end - 1);
    }
}

static enum err
active_threads(struct fed_core *core, struct aged_list *out)
{
    enum err e = OK;
    struct fed_rows rows;

    TRY(fed_rows_threads(core, &rows));
    while ((e = fed_rows_next(core, &rows)) == OK) {
        struct fed_rec_thread rec;
        struct aged a;

        TRY(fed_rec_decode(view_of(&rows.value), &fed_rec_thread_shape, &rec));
        TRY(fed_rows_thread(&rows, &a.id));
        a.ts_ms = rec.ts_ms;
        TRY(rec.state == FED_THREAD_ACTIVE ? aged_add(core->mem, out, &a) : OK);
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

/* ------------------------------------------------------------------- renewing
 */

/* Have our leaf replaced, unless it is new or that is wanted already. */
static enum err
renew_one(struct fed_core *core, const struct thread_id *id)
{
    enum err e;
    struct fed_thread *t;
    struct fed_rec_intent renew = {.kind = FED_INTENT_RENEW};

    TRY(fed_thread_get(core, id, &t));
    if (t->rec.state == FED_THREAD_ACTIVE && fed_needs_rekey(core, t)) {
        TRY(fed_intent_add(core, t, &renew));
        TRY(fed_missing_again(core, t)); /* a question may be refused */
        TRY(fed_intent_pump(core, t));
    }
    TRY(t->dirty ? fed_thread_save(core, t) : OK);
    fed_thread_trim(core);
out:
    return e;
}

/* Everybody hears of the revocation in the next greeting. */
static enum err
greet_again(struct fed_core *core)
{
    enum err e = OK;

    for (size_t i = 0; i < core->parties_len; i++) {
        struct fed_party *p = core->parties[i];

        if (p->up) {
            TRY(fed_party_close(core, p, PROTO_BYE_CLOSING));
        }
    }
out:
    return e;
}

/*
 * p can be reached again: what it orders and still has a revoked leaf of ours
 * comes before everything else there.
 */
enum err
fed_revoke_kick(struct fed_core *core, const struct fed_party *p)
{
    enum err e = OK;
    struct aged_list list = {0};

    for (size_t i = 0; core->revoked > 0 && i < core->busy_len; i++) {
        struct aged a = {.id = core->busy[i].id};
        struct fed_thread *t;

        e = fed_thread_get(core, &a.id, &t);
        if (e == OK && memcmp(t->rec.hub, p->root.b, 32) == 0 &&
            fed_needs_rekey(core, t)) {
            a.ts_ms = t->rec.ts_ms;
            e = aged_add(core->mem, &list, &a);
        }
        TRY(e == ERR_MISSING ? OK : e);
    }
    newest_first(list.at, list.len);
    for (size_t i = 0; i < list.len; i++) {
        struct fed_thread *t;

        TRY(fed_thread_get(core, &list.at[i].id, &t));
        TRY(fed_intent_pump(core, t));
    }
    e = OK;
out:
    mem_free(core->mem, list.at, list.cap * sizeof(list.at[0]));
    return e;
}

/*
 * Our own keys below core->revoked are revoked.  Once for each revocation, also
 * when a crash came between it and us.
 */
enum err
fed_revoke_own(struct fed_core *core)
{
    enum err e;
    struct aged_list list = {0};
    struct fed_key key = {.len = 0};

    if (core->revoked <= core->self.renewed) {
        return OK;
    }
    core->self.renewed = core->revoked;
    TRY(fed_tx_save(core, FED_NS_SELF, &key, &fed_rec_self_shape, &core->self));
    TRY(active_threads(core, &list));
    newest_first(list.at, list.len);
    for (size_t i = 0; i < list.len; i++) {
        TRY(renew_one(core, &list.at[i].id));
    }
    TRY(greet_again(core));
out:
    mem_free(core->mem, list.at, list.cap * sizeof(list.at[0]));
    return e;
}
