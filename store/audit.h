/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit table: who saw and did what, append only, hash-chained, the head
 * signed now and then.  Kept at least 6 years (STORE_AUDIT_KEEP_MS).
 *
 *     H_0 = 32 zero bytes
 *     H_n = SHA-256("balsam v1 audit row" || H_{n-1} || u64 n || row n)
 *
 * A row has ids and numbers; detail is bytes of the layer above (sealed on
 * disk like everything), at most 512.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/actor.h"
#include "store/txn.h"

#define STORE_AUDIT_KEEP_MS (6ull * 366 * 24 * 3600 * 1000)

struct store_audit {
    uint64_t seq;    /* set by append, from 1 */
    uint64_t at_ms;  /* set by append when 0 */
    uint16_t action; /* numbers of the layers above */
    struct store_actor actor;
    struct view object; /* ids of up to 32 bytes; may be empty */
    struct view object2;
    uint64_t n;
    struct view detail;
};

/* Write. */
MUST_CHECK enum err store_audit_append(struct store_txn *txn,
                                       const struct store_audit *row);

/* Seq and chain hash of the newest row; 0 and zeros when there is none. */
MUST_CHECK enum err store_audit_head(struct store_txn *txn, uint64_t *seq,
                                     struct hash32 *hash);

/* Up to max rows above seq after, oldest first; as store_journal_read. */
MUST_CHECK enum err
store_audit_read(struct store_txn *txn, uint64_t after, uint32_t max,
                 enum err (*each)(void *ctx, const struct store_audit *row),
                 void *ctx);

/*
 * Write: sign the present head and keep it.  sign gets the bytes to be signed,
 * "balsam v1 audit head" || env id || u64 seq || u64 at_ms || hash, and gives
 * a signature of 64 bytes.  Does nothing when the head is signed already.
 */
MUST_CHECK enum err
store_audit_sign(struct store_txn *txn,
                 enum err (*sign)(void *ctx, struct view msg, uint8_t sig[64]),
                 void *ctx);

/*
 * Recompute the chain and check the signed heads (verify may be NULL).
 * *rows tells how many rows there are.
 * ERR_CORRUPT  the first bad row is *bad_seq
 */
MUST_CHECK enum err store_audit_verify(
    struct store_txn *txn,
    enum err (*verify)(void *ctx, struct view msg, const uint8_t sig[64]),
    void *ctx, uint64_t *rows, uint64_t *bad_seq);

/*
 * Write: remove up to max of the oldest rows that are older than before_ms,
 * keeping the hash that the rest of the chain starts from.
 */
MUST_CHECK enum err store_audit_prune(struct store_txn *txn, uint64_t before_ms,
                                      uint32_t max, uint32_t *removed);

#endif
