/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two files of the slots share: slots_file.c, which knows the file,
 * and slots.c, which knows the rows; nobody else includes it.
 */
#ifndef STORE_SLOTS_IMPL_H
#define STORE_SLOTS_IMPL_H

#include "store/inner.h"

struct store_slots {
    struct store *s;
    int fd;
    uint64_t size;
    struct store_slot_use *uses; /* by slot index */
    size_t uses_len;
    uint32_t ahead_puts; /* from so many uses on it is time to rotate ahead */
    struct store_slot soon[STORE_SLOTS_SOON];
    size_t soon_len;
    /* halves wiped already whose rows are still there */
    struct store_slot_change *wiped;
    size_t wiped_len;
};

/* Put a slot's key into its half.  The file grows for it.  ERR_FULL, ERR_IO */
MUST_CHECK enum err store_half_write(struct store_txn *txn,
                                     const struct store_slot *slot,
                                     const uint8_t key[STORE_SLOT_KEY_SIZE]);

/* ERR_STALE  the half does not hold this generation of this owner's key. */
MUST_CHECK enum err store_half_read(struct store_txn *txn,
                                    const struct store_slot *slot,
                                    uint8_t key[STORE_SLOT_KEY_SIZE]);

/* Zeros, not yet synced.  Ends the process when they cannot be written. */
void store_half_wipe(struct store_slots *slots, uint32_t index, unsigned half);

#endif
