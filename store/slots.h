/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets.slots: one key per owner of MLS secrets, in a preallocated file that
 * is overwritten in place, because a database that copies on write keeps old
 * pages and with them old keys (decisions G 28).
 *
 * A slot has two halves in different 4 KiB pages; the key of generation g lies
 * in half g & 1.  Half: {owner 32, u64 generation, nonce 24, sealed key 48}
 * and zeros up to 128 bytes, so that none crosses a sector; the seal's tag is
 * its checksum.
 * Rotation, batched with the group commit:
 *
 *   1  the new key into the idle half, fdatasync         store_slots_before
 *   2  the LMDB commit: records sealed again, the slot's row with the new
 *      generation, a row that says which half to wipe
 *   3  the old half overwritten with zeros, fdatasync    store_slots_after
 *
 * Cut after 1: a key that no record uses.  Cut after 2: store_slots_open wipes
 * what the rows say.  The row is removed by the next rotation's commit.
 *
 * That is five waits for the disk, which a message need not wait for: a key
 * that will be due before long is rotated ahead, between messages
 * (store_slots_soon, store/writer.c).  Where there is no such moment, or it
 * fails then, the message that makes it due rotates it: what a key may be used
 * for is the same.
 *
 * Internal to store/.
 */
#ifndef STORE_SLOTS_H
#define STORE_SLOTS_H

#include "store/fed.h"

struct store_slots;
struct store_txn;
struct store;

/* Where an owner's key is; its row in STORE_T_SLOTS. */
struct store_slot {
    struct store_owner owner;
    uint32_t index;
    uint64_t generation;
};

enum {
    STORE_SLOT_KEY_SIZE = 32,
    STORE_SLOTS_SOON = 16 /* owners whose keys are rotated ahead at once */
};

/* How much a slot's key was used since this process gave or met it. */
struct store_slot_use {
    uint32_t puts;
    uint32_t since_s;
};

/* A slot that a transaction has given a new key, or none any more. */
struct store_slot_change {
    uint32_t index;
    bool wipe[2];              /* halves to overwrite after the commit */
    struct store_slot_use use; /* of the new key */
};

/* A transaction's part: what happens around its commit. */
struct store_slots_txn {
    bool wrote; /* halves were written and need their sync */
    struct store_slot_change *changes;
    size_t len;
    size_t cap;
};

/* Make an empty file in dir.  ERR_FULL, ERR_IO */
MUST_CHECK enum err store_slots_create(const char *dir);
/* All keys of a store that is not open, overwritten in place. */
MUST_CHECK enum err store_slots_wipe(const char *dir);

/* ERR_CORRUPT  no file, or one of a wrong size */
MUST_CHECK enum err store_slots_open(struct store *s, struct store_slots **out);
void store_slots_close(struct store_slots *slots);

/* Write: wipe what an interrupted commit left.  When the store is opened. */
MUST_CHECK enum err store_slots_recover(struct store_txn *txn);

/*
 * The owner's row, and the key it names.
 * ERR_MISSING  no slot; ERR_STALE, ERR_AGAIN  as store_secret_get
 */
MUST_CHECK enum err store_slot_find(struct store_txn *txn,
                                    const struct store_owner *owner,
                                    struct store_slot *out);
MUST_CHECK enum err store_slot_key(struct store_txn *txn,
                                   const struct store_slot *slot,
                                   uint8_t key[STORE_SLOT_KEY_SIZE]);

/* Write: a slot with a first key.  ERR_FULL */
MUST_CHECK enum err store_slot_new(struct store_txn *txn,
                                   const struct store_owner *owner,
                                   struct store_slot *out,
                                   uint8_t key[STORE_SLOT_KEY_SIZE]);

/* Whether this transaction has given the slot its key: no need for another. */
bool store_slot_is_fresh(const struct store_txn *txn,
                         const struct store_slot *slot);

/*
 * Whether its key was used often or long enough; counts one more use, also if
 * the transaction is undone.  What will be so before long is noted.
 */
bool store_slot_is_due(struct store_txn *txn, const struct store_slot *slot);

/* Write: the next generation, with a new key.  The old one is wiped after. */
MUST_CHECK enum err store_slot_renew(struct store_txn *txn,
                                     struct store_slot *slot,
                                     uint8_t key[STORE_SLOT_KEY_SIZE]);

/* Write: give the slot up; both halves are wiped after the commit. */
MUST_CHECK enum err store_slot_drop(struct store_txn *txn,
                                    const struct store_slot *slot);

/* Around the commit of a write transaction: step 1 and step 3. */
void store_slots_before(struct store_txn *txn);
void store_slots_after(struct store_txn *txn);
/* It is over, committed or not. */
void store_slots_clear(struct store_txn *txn);

/*
 * The writing thread's: how many owners' keys should be rotated when nobody
 * waits for it; take them, and they are noted again some uses later if it was
 * not done.
 */
size_t store_slots_soon(const struct store *s);
size_t store_slots_take_soon(struct store *s,
                             struct store_owner out[STORE_SLOTS_SOON]);

/* Whether a slot's live half verifies; for verify. */
MUST_CHECK enum err store_slot_check(struct store_txn *txn,
                                     const struct store_slot *slot);

/* The owners' rows; for store_secret_owners and verify. */
MUST_CHECK enum err
store_slot_each(struct store_txn *txn,
                enum err (*each)(void *ctx, const struct store_slot *slot),
                void *ctx);

#endif
