/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records inside of crypto/mls: how a group becomes bytes and back.
 *
 * key = kind (1), epoch (8, big endian), part (1), leaf (4)
 *
 *   tree     epoch, 0, 0        the ratchet tree of an epoch
 *   epoch    epoch, 0, 0        GroupContext and secrets of an epoch
 *   epoch    2^64 - 1, 0, 0     the group: which epochs there are, resumption
 *                               PSKs, pending proposals, how it ended
 *   ratchet  epoch, type, leaf  see secret_tree.h; type 0: what no leaf was
 *                               derived from yet
 */
#ifndef CRYPTO_MLS_SAVE_INT_H
#define CRYPTO_MLS_SAVE_INT_H

#include "crypto/mls/group_int.h"

#define MLS_GROUP_RECORD UINT64_MAX

struct mls_saved {
    enum mls_record_kind kind;
    uint8_t key[MLS_RECORD_KEY];
    struct bytes bytes;
};

struct mls_change {
    const struct mem *mem;
    struct mls_saved *at;
    uint32_t count;
    uint32_t cap;
    struct mls_step *step; /* applied; to undo */
    bool pending;          /* a proposal was added; to undo */
};

void mls_record_key(enum mls_record_kind kind, uint64_t epoch, uint8_t part,
                    uint32_t leaf, uint8_t out[MLS_RECORD_KEY]);

MUST_CHECK enum err mls_change_new(const struct mem *mem,
                                   struct mls_change **out);
/* Add a record; take_bytes NULL means that it is deleted. */
MUST_CHECK enum err mls_change_add(struct mls_change *c,
                                   enum mls_record_kind kind, uint64_t epoch,
                                   uint8_t part, uint32_t leaf,
                                   struct bytes *take_bytes);

MUST_CHECK enum err mls_save_ratchet(const struct mls_epoch *epoch,
                                     struct mls_ratchet_id id,
                                     struct bytes *out);
MUST_CHECK enum err mls_save_group(const struct mls_group *g,
                                   struct bytes *out);
MUST_CHECK enum err mls_save_tree(const struct mls_epoch *epoch,
                                  struct bytes *out);
MUST_CHECK enum err mls_save_epoch(const struct mls_epoch *epoch,
                                   struct bytes *out);

/* A hash as it was saved: a vector, no longer than one. */
void mls_load_hash(struct proto_tls_rd *r, struct mls_hash *out);

/* An epoch from its tree and epoch records, with an empty secret tree. */
MUST_CHECK enum err mls_load_epoch(const struct mem *mem, struct view tree,
                                   struct view record, struct mls_epoch **out);

#endif
