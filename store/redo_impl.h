/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two files of the redo file share: redo.c, which writes it, and
 * redo_open.c, which reads it; nobody else includes it.
 */
#ifndef STORE_REDO_IMPL_H
#define STORE_REDO_IMPL_H

#include "store/redo.h"
#include "store/seal.h"

#define STORE_REDO_FILE "redo"
#define STORE_REDO_STATE VIEW_LIT("state")

enum {
    STORE_REDO_RECORD_MAX = STORE_REDO_MAX + STORE_REDO_STEP,
    STORE_REDO_BOUND = 1 + STORE_NONCE_SIZE, /* version and nonce of a state */
    STORE_REDO_NUMBER_AT = 4,                /* behind the length */
    STORE_REDO_BOUND_AT = STORE_REDO_NUMBER_AT + 8,
    STORE_REDO_AGAIN_AT = STORE_REDO_BOUND_AT + STORE_REDO_BOUND,
    STORE_REDO_HEAD = STORE_REDO_AGAIN_AT + 4, /* the length again */
    STORE_REDO_BINDS = STORE_REDO_AGAIN_AT - STORE_REDO_NUMBER_AT,
    STORE_REDO_LABEL = 4 + STORE_REDO_BINDS
};

/* The head, without its lengths, of the record that is commit number and
   follows this sealed state.  False: there is no state. */
bool store_redo_head(uint64_t number, struct view state,
                     uint8_t out[STORE_REDO_HEAD]);

/* What a record is sealed for. */
struct view store_redo_label(const uint8_t head[STORE_REDO_HEAD],
                             uint8_t out[STORE_REDO_LABEL]);

/* Where the record behind one with len sealed bytes begins. */
uint64_t store_redo_behind(uint64_t at, size_t len);

/* Make or open the file.  ERR_NOMEM; ERR_IO, ERR_FULL  it cannot be made */
MUST_CHECK enum err store_redo_open_file(struct store *s);

#endif
