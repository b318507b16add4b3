/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions and the ordered key-value tables below the typed ones.
 *
 * A read transaction sees one commit, from any thread, and must be short: an
 * open one keeps freed pages from being used again.  A write transaction
 * exists only inside a job of the writer (store/writer.h).  Typed functions
 * that take a txn say "write" when they need one; given a read one they
 * assert.
 *
 * Keys are 1 to STORE_KEY_MAX bytes, ordered as memcmp.  Values are sealed
 * with XChaCha20-Poly1305 under a key of their own for each table; the
 * associated data binds table, key and version.  A value that does not verify
 * is ERR_CORRUPT, and the log names its table and the tag of its key.
 */
#ifndef STORE_TXN_H
#define STORE_TXN_H

#include "store/store.h"

enum {
    STORE_KEY_MAX = 480
};

/*
 * Numbers are on disk: never change or reuse one.  "index" tables have keys
 * only, their values are empty.
 */
enum store_table {
    STORE_T_META = 0,
    STORE_T_SETTINGS = 1,
    STORE_T_JOURNAL = 2, /* append */
    STORE_T_CURSORS = 3,
    STORE_T_AUDIT = 4, /* append */
    STORE_T_AUDIT_HEADS = 5,
    STORE_T_MEMBERS = 6,
    STORE_T_CONTACTS = 7,
    STORE_T_CONTACT_IDENTS = 8, /* index */
    STORE_T_CONTACT_WORDS = 9,  /* index */
    STORE_T_CONTACT_NOTES = 10,
    STORE_T_CONTACT_MERGES = 11,
    STORE_T_CONVS = 12,
    STORE_T_CONV_KEYS = 13,
    STORE_T_CONV_THREADS = 14,
    STORE_T_CONV_CONTACTS = 15, /* index */
    STORE_T_CONV_ORDER = 16,    /* index */
    STORE_T_CONV_MARKS = 17,
    STORE_T_MSGS = 18, /* append */
    STORE_T_MSG_INDEX = 19,
    STORE_T_MSG_IDS = 20, /* index */
    STORE_T_LINKS = 21,
    STORE_T_CLINICS = 22,
    STORE_T_STREAMS_IN = 23,
    STORE_T_STREAMS_OUT = 24,
    STORE_T_OUTBOX = 25,
    STORE_T_FED = 26,
    STORE_T_SECRETS = 27,
    STORE_T_SLOTS = 28,
    STORE_T_BLOBS = 29,
    STORE_T_BLOB_REFS = 30, /* index */
    STORE_T_INVITES = 31,
    STORE_T_PATIENTS = 32,
    STORE_T_CONSENTS = 33,
    STORE_T_CONV_NAMES = 34, /* index */
    STORE_T_COUNT_
};

struct store_txn;

/*
 * ERR_AGAIN  too many read transactions are open
 */
MUST_CHECK enum err store_read_begin(struct store *s, struct store_txn **out);

/* Ends a read transaction.  NULL is accepted. */
void store_read_end(struct store_txn *txn);

struct store *store_txn_store(struct store_txn *txn);
const struct mem *store_txn_mem(struct store_txn *txn);
bool store_txn_is_write(const struct store_txn *txn);

/*
 * The value of key, a copy in *out (empty before the call).
 * ERR_MISSING  no such key
 * ERR_CORRUPT  the value does not verify
 */
MUST_CHECK enum err store_get(struct store_txn *txn, enum store_table t,
                              struct view key, struct bytes *out);

/* OK or ERR_MISSING, without opening the value. */
MUST_CHECK enum err store_has(struct store_txn *txn, enum store_table t,
                              struct view key);

/*
 * Write: set the value of key, new or not.  In an index table value is empty.
 * ERR_FULL  no room; the whole job is undone
 */
MUST_CHECK enum err store_put(struct store_txn *txn, enum store_table t,
                              struct view key, struct view value);

/* Write: remove key.  ERR_MISSING  no such key */
MUST_CHECK enum err store_del(struct store_txn *txn, enum store_table t,
                              struct view key);

/* Number of keys in a table, as the environment counts them. */
MUST_CHECK enum err store_count(struct store_txn *txn, enum store_table t,
                                uint64_t *out);

/*
 * A walk over the keys with one prefix (which may be empty), ascending or
 * descending.
 *
 *     struct store_scan sc;
 *     TRY(store_scan_begin(txn, t, prefix, STORE_UP, &sc));
 *     while (store_scan_next(&sc)) { use sc.key, sc.value ... }
 *     TRY(store_scan_end(&sc));
 *
 * sc.key and sc.value are valid until the next call on sc, and in a write
 * transaction until the next write.  The walk may be deleting: store_scan_del
 * removes the present key; other writes to the table end the walk.
 */
enum store_dir {
    STORE_UP,
    STORE_DOWN
};

struct store_env_cur;

struct store_scan {
    struct view key;
    struct view value;
    /* the rest is private */
    struct store_txn *txn;
    struct store_env_cur *cur;
    struct bytes plain;
    enum store_table t;
    enum store_dir dir;
    enum err e;
    bool keys_only;
    bool started;
    uint16_t prefix_len;
    uint16_t from_len;
    uint16_t last_len;
    uint8_t prefix[STORE_KEY_MAX];
    uint8_t from[STORE_KEY_MAX];
    uint8_t last[STORE_KEY_MAX];
};

MUST_CHECK enum err store_scan_begin(struct store_txn *txn, enum store_table t,
                                     struct view prefix, enum store_dir dir,
                                     struct store_scan *sc);

/*
 * Before the first next: start strictly behind key (above it when going up,
 * below it when going down), which begins with the prefix.
 */
void store_scan_after(struct store_scan *sc, struct view key);

/* Before the first next: leave values sealed; sc.value is as it lies there. */
void store_scan_keys(struct store_scan *sc);

/* False at the end and after a failure. */
bool store_scan_next(struct store_scan *sc);

/* Write: remove the present key. */
MUST_CHECK enum err store_scan_del(struct store_scan *sc);

/* Write: remove all that begins with prefix. */
MUST_CHECK enum err store_drop(struct store_txn *txn, enum store_table t,
                               struct view prefix);

/* Give the cursor back; the first failure of the walk. */
MUST_CHECK enum err store_scan_end(struct store_scan *sc);

/*
 * Keyed hash of bytes that come from people's words, for use in keys.  label
 * is a literal that separates uses.
 */
MUST_CHECK enum err store_key_hash(struct store_txn *txn, const char *label,
                                   struct view words, uint8_t out[16]);

/* What a transaction sees of the whole; walks the list of free pages. */
struct store_counts {
    uint64_t messages;   /* ever added */
    uint64_t free_bytes; /* of used_bytes, in pages that can be used again */
};
MUST_CHECK enum err store_counts(struct store_txn *txn,
                                 struct store_counts *out);

#endif
