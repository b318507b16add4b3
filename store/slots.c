/* SPDX-License-Identifier: Apache-2.0 */
#include "store/slots.h"

#include "crypto/prim/secret.h"
#include "proto/base/assert.h"
#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/file.h"
#include "store/slots_impl.h"

#include <string.h>

enum {
    INDEX_MAX = 0x3fffffff,
    NEWER = 32,      /* rotations that a reader may have missed */
    AHEAD_AGAIN = 8, /* uses after which it is tried again */
    AHEAD_AGE_S = LIMIT_SECRET_AGE_MS / 1000 / 4 * 3
};

/* Kinds of rows in STORE_T_SLOTS: first byte of the key. */
enum {
    ROW_OWNER = 'o',
    ROW_FREE = 'f',
    ROW_WIPE = 'w'
};

enum {
    OWNER_KEY = 33,
    FREE_KEY = 5,
    WIPE_KEY = 6
};

static struct view
owner_key(const struct store_owner *owner, uint8_t out[OWNER_KEY])
{
    out[0] = ROW_OWNER;
    memcpy(out + 1, owner->b, sizeof(owner->b));
    return view_make(out, OWNER_KEY);
}

static struct view
free_key(uint32_t index, uint8_t out[FREE_KEY])
{
    out[0] = ROW_FREE;
    store_put_u32(out + 1, index);
    return view_make(out, FREE_KEY);
}

static struct view
wipe_key(uint32_t index, uint8_t half, uint8_t out[WIPE_KEY])
{
    out[0] = ROW_WIPE;
    store_put_u32(out + 1, index);
    out[5] = half;
    return view_make(out, WIPE_KEY);
}

/*
 * A slot's key, in its half.  What was to be wiped there is overwritten now:
 * the next open must not.
 */
static enum err
write_half(struct store_txn *txn, const struct store_slot *slot,
           const uint8_t key[STORE_SLOT_KEY_SIZE])
{
    uint8_t row[WIPE_KEY];
    enum err e;

    e = store_del(txn, STORE_T_SLOTS,
                  wipe_key(slot->index, slot->generation & 1, row));
    TRY(e == ERR_MISSING ? OK : e);
    txn->slots.wrote = true;
    TRY(store_half_write(txn, slot, key));
out:
    if (e != OK && txn->failed == OK) {
        txn->failed = e;
    }
    return e;
}

/* -------------------------------------------------------------------- rows */

static enum err
decode_slot(struct view row, struct store_slot *out)
{
    struct proto_rd r = proto_rd_open(row);

    proto_rd_array(&r, 2);
    out->index = (uint32_t)proto_rd_uint(&r, INDEX_MAX);
    out->generation = proto_rd_u64(&r);
    return proto_rd_end(&r) == OK ? OK : ERR_CORRUPT;
}

enum err
store_slot_find(struct store_txn *txn, const struct store_owner *owner,
                struct store_slot *out)
{
    uint8_t key[OWNER_KEY];
    struct bytes row = {0};
    struct store_slot slot = {.owner = *owner};
    enum err e;

    TRY(store_get(txn, STORE_T_SLOTS, owner_key(owner, key), &row));
    TRY(decode_slot(view_of(&row), &slot));
    *out = slot;
out:
    bytes_free(&row);
    return e;
}

static enum err
put_slot(struct store_txn *txn, const struct store_slot *slot)
{
    uint8_t key[OWNER_KEY];
    struct proto_wr w = proto_wr_open(store_txn_mem(txn));
    struct bytes row = {0};
    enum err e;

    proto_wr_array(&w, 2);
    proto_wr_uint(&w, slot->index);
    proto_wr_uint(&w, slot->generation);
    TRY(proto_wr_take(&w, &row));
    TRY(store_put(txn, STORE_T_SLOTS, owner_key(&slot->owner, key),
                  view_of(&row)));
out:
    bytes_free(&row);
    return e;
}

enum err
store_slot_key(struct store_txn *txn, const struct store_slot *slot,
               uint8_t key[STORE_SLOT_KEY_SIZE])
{
    SCRUBBED(newer, STORE_SLOT_KEY_SIZE);
    struct store_slot next = *slot;
    enum err e = store_half_read(txn, slot, key);

    if (e != ERR_STALE || txn->write) {
        return e;
    }
    /* A reader may see rows from before a rotation and halves from after. */
    for (int i = 0; i < NEWER; i++) {
        next.generation++;
        if (store_half_read(txn, &next, newer) == OK) {
            return ERR_AGAIN;
        }
    }
    return ERR_STALE;
}

/* ----------------------------------------------------------------- changes */

static struct store_slot_change *
find_change(const struct store_txn *txn, uint32_t index)
{
    for (size_t i = 0; i < txn->slots.len; i++) {
        if (txn->slots.changes[i].index == index) {
            return &txn->slots.changes[i];
        }
    }
    return NULL;
}

static uint32_t
now_s(const struct store *s)
{
    return (uint32_t)(clock_mono_ms(s->cfg.clock) / 1000);
}

static enum err
add_change(struct store_txn *txn, uint32_t index,
           struct store_slot_change **out)
{
    const struct mem *mem = store_txn_mem(txn);
    struct store_slots_txn *st = &txn->slots;
    struct store_slot_change *found = find_change(txn, index);

    if (found == NULL && st->len == st->cap) {
        size_t cap = st->cap == 0 ? 8 : st->cap * 2;
        struct store_slot_change *p = mem_calloc(mem, cap, sizeof(*p));

        if (p == NULL) {
            return ERR_NOMEM;
        }
        if (st->len > 0) {
            memcpy(p, st->changes, st->len * sizeof(*p));
        }
        mem_free(mem, st->changes, st->cap * sizeof(*p));
        st->changes = p;
        st->cap = cap;
    }
    if (found == NULL) {
        found = &st->changes[st->len++];
        *found = (struct store_slot_change){.index = index,
                                            .use.since_s = now_s(txn->s)};
    }
    *out = found;
    return OK;
}

static enum err
mark_wipe(struct store_txn *txn, uint32_t index, uint8_t half)
{
    struct store_slot_change *c;
    uint8_t key[WIPE_KEY];
    enum err e;

    TRY(add_change(txn, index, &c));
    TRY(store_put(txn, STORE_T_SLOTS, wipe_key(index, half, key),
                  (struct view){0}));
    c->wipe[half] = true;
out:
    return e;
}

/* The rows of halves that are wiped by now go with this commit. */
static enum err
drop_wiped_rows(struct store_txn *txn)
{
    struct store_slots *slots = txn->s->slots;
    uint8_t key[WIPE_KEY];
    enum err e = OK;

    for (size_t i = 0; e == OK && i < slots->wiped_len; i++) {
        for (uint8_t half = 0; e == OK && half < 2; half++) {
            const struct store_slot_change *c =
                find_change(txn, slots->wiped[i].index);

            if (slots->wiped[i].wipe[half] && (c == NULL || !c->wipe[half])) {
                e = store_del(txn, STORE_T_SLOTS,
                              wipe_key(slots->wiped[i].index, half, key));
                e = e == ERR_MISSING ? OK : e;
            }
        }
    }
    return e;
}

/* A slot that is free, and was so before this transaction. */
static enum err
take_index(struct store_txn *txn, uint32_t *out)
{
    static const uint8_t prefix = ROW_FREE;
    struct store_scan sc;
    bool found = false;
    uint64_t n = 0;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_SLOTS, view_make(&prefix, 1), STORE_UP,
                         &sc));
    while (e == OK && !found && store_scan_next(&sc)) {
        n = sc.key.len == FREE_KEY ? store_get_u32(sc.key.p + 1) : 0;
        if (find_change(txn, (uint32_t)n) == NULL) {
            found = true;
            e = store_scan_del(&sc);
        }
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
    if (!found) {
        TRY(store_next(txn, STORE_N_SLOT, &n));
        n--;
    }
    TRY(n <= INDEX_MAX ? OK : ERR_LIMIT);
    *out = (uint32_t)n;
out:
    return e;
}

enum err
store_slot_new(struct store_txn *txn, const struct store_owner *owner,
               struct store_slot *out, uint8_t key[STORE_SLOT_KEY_SIZE])
{
    struct store_slot slot = {.owner = *owner, .generation = 1};
    struct store_slot_change *c;
    enum err e;

    TRY(take_index(txn, &slot.index));
    TRY(add_change(txn, slot.index, &c));
    TRY(store_random(txn->s, key, STORE_SLOT_KEY_SIZE));
    TRY(write_half(txn, &slot, key));
    TRY(put_slot(txn, &slot));
    *out = slot;
out:
    return e;
}

bool
store_slot_is_fresh(const struct store_txn *txn, const struct store_slot *slot)
{
    return find_change(txn, slot->index) != NULL;
}

/* ------------------------------------------------------------ uses of keys */

/* To be rotated ahead; without room it is found again some uses later. */
static void
note_soon(struct store_slots *slots, const struct store_slot *slot)
{
    for (size_t i = 0; i < slots->soon_len; i++) {
        if (slots->soon[i].index == slot->index) {
            return;
        }
    }
    if (slots->soon_len < STORE_SLOTS_SOON) {
        slots->soon[slots->soon_len++] = *slot;
    }
}

/* It has a new key, or none. */
static void
forget_soon(struct store_slots *slots, uint32_t index)
{
    for (size_t i = 0; i < slots->soon_len; i++) {
        if (slots->soon[i].index == index) {
            slots->soon[i] = slots->soon[--slots->soon_len];
            return;
        }
    }
}

size_t
store_slots_soon(const struct store *s)
{
    return s->slots == NULL ? 0 : s->slots->soon_len;
}

size_t
store_slots_take_soon(struct store *s, struct store_owner out[STORE_SLOTS_SOON])
{
    size_t n = store_slots_soon(s);

    for (size_t i = 0; i < n; i++) {
        out[i] = s->slots->soon[i].owner;
    }
    if (n > 0) {
        s->slots->soon_len = 0;
    }
    return n;
}

bool
store_slot_is_due(struct store_txn *txn, const struct store_slot *slot)
{
    struct store_slots *slots = txn->s->slots;
    const struct mem *mem = store_txn_mem(txn);
    struct store_slot_change *fresh = find_change(txn, slot->index);
    struct store_slot_use *use;
    uint32_t age_s;

    if (fresh != NULL) {
        fresh->use.puts++; /* the new key's, if it is committed */
        return false;
    }
    if (slot->index >= slots->uses_len) {
        size_t len = ((size_t)slot->index + 64) * 2;
        struct store_slot_use *p = mem_calloc(mem, len, sizeof(*p));

        if (p == NULL) {
            return true; /* rather too often */
        }
        if (slots->uses_len > 0) {
            memcpy(p, slots->uses, slots->uses_len * sizeof(*p));
        }
        mem_free(mem, slots->uses, slots->uses_len * sizeof(*p));
        slots->uses = p;
        slots->uses_len = len;
    }
    use = &slots->uses[slot->index];
    if (use->puts == 0) {
        use->since_s = now_s(txn->s);
    }
    use->puts++;
    age_s = now_s(txn->s) - use->since_s;
    if (use->puts > LIMIT_SECRET_PUTS || age_s >= LIMIT_SECRET_AGE_MS / 1000) {
        return true;
    }
    if (age_s >= AHEAD_AGE_S ||
        (use->puts >= slots->ahead_puts &&
         (use->puts - slots->ahead_puts) % AHEAD_AGAIN == 0)) {
        note_soon(slots, slot);
    }
    return false;
}

enum err
store_slot_renew(struct store_txn *txn, struct store_slot *slot,
                 uint8_t key[STORE_SLOT_KEY_SIZE])
{
    struct store_slot next = *slot;
    enum err e;

    /* Twice in one transaction would overwrite the key that is live on disk. */
    ASSERT(!store_slot_is_fresh(txn, slot));
    next.generation++;
    TRY(mark_wipe(txn, slot->index, slot->generation & 1));
    TRY(store_random(txn->s, key, STORE_SLOT_KEY_SIZE));
    TRY(write_half(txn, &next, key));
    TRY(put_slot(txn, &next));
    TRY(drop_wiped_rows(txn));
    *slot = next;
out:
    return e;
}

enum err
store_slot_drop(struct store_txn *txn, const struct store_slot *slot)
{
    uint8_t key[OWNER_KEY];
    enum err e;

    TRY(store_del(txn, STORE_T_SLOTS, owner_key(&slot->owner, key)));
    TRY(store_put(txn, STORE_T_SLOTS, free_key(slot->index, key),
                  (struct view){0}));
    TRY(mark_wipe(txn, slot->index, 0));
    TRY(mark_wipe(txn, slot->index, 1));
    TRY(drop_wiped_rows(txn));
out:
    return e;
}

/* ------------------------------------------------------- around the commit */

void
store_slots_before(struct store_txn *txn)
{
    if (txn->slots.wrote) {
        store_sync_fd(txn->s->slots->fd);
    }
}

void
store_slots_after(struct store_txn *txn)
{
    struct store_slots *slots = txn->s->slots;
    struct store_slots_txn *st = &txn->slots;
    bool any = false;

    for (size_t i = 0; i < st->len; i++) {
        uint32_t index = st->changes[i].index;

        if (index < slots->uses_len) {
            slots->uses[index] = st->changes[i].use;
        }
        forget_soon(slots, index);
        for (unsigned half = 0; half < 2; half++) {
            if (st->changes[i].wipe[half]) {
                store_half_wipe(slots, index, half);
                any = true;
            }
        }
    }
    if (any) {
        store_sync_fd(slots->fd);
        mem_free(slots->s->cfg.mem, slots->wiped,
                 slots->wiped_len * sizeof(*slots->wiped));
        slots->wiped = NULL;
        slots->wiped_len = 0;
        /* Without memory the rows stay until the next open: no harm. */
        slots->wiped =
            mem_calloc(slots->s->cfg.mem, st->len, sizeof(*slots->wiped));
        if (slots->wiped != NULL) {
            memcpy(slots->wiped, st->changes, st->len * sizeof(*slots->wiped));
            slots->wiped_len = st->len;
        }
    }
}

void
store_slots_clear(struct store_txn *txn)
{
    struct store_slots_txn *st = &txn->slots;

    mem_free(store_txn_mem(txn), st->changes, st->cap * sizeof(*st->changes));
    *st = (struct store_slots_txn){0};
}

enum err
store_slots_recover(struct store_txn *txn)
{
    static const uint8_t prefix = ROW_WIPE;
    struct store_slots *slots = txn->s->slots;
    struct store_scan sc;
    bool any = false;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_SLOTS, view_make(&prefix, 1), STORE_UP,
                         &sc));
    while (e == OK && store_scan_next(&sc)) {
        if (sc.key.len == WIPE_KEY && sc.key.p[5] < 2) {
            store_half_wipe(slots, store_get_u32(sc.key.p + 1), sc.key.p[5]);
            any = true;
        }
        e = store_scan_del(&sc);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
    if (any) {
        store_sync_fd(slots->fd);
    }
out:
    return e;
}

enum err
store_slot_check(struct store_txn *txn, const struct store_slot *slot)
{
    SCRUBBED(key, STORE_SLOT_KEY_SIZE);

    return store_half_read(txn, slot, key);
}

enum err
store_slot_each(struct store_txn *txn,
                enum err (*each)(void *ctx, const struct store_slot *slot),
                void *ctx)
{
    static const uint8_t prefix = ROW_OWNER;
    struct store_slot slot = {0};
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_SLOTS, view_make(&prefix, 1), STORE_UP,
                         &sc));
    while (e == OK && store_scan_next(&sc)) {
        e = sc.key.len == OWNER_KEY ? decode_slot(sc.value, &slot)
                                    : ERR_CORRUPT;
        if (e == OK) {
            memcpy(slot.owner.b, sc.key.p + 1, sizeof(slot.owner.b));
            e = each(ctx, &slot);
        }
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}
