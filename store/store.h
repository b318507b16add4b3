/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's store: one folder with one LMDB environment, its key file, the
 * slots of MLS secrets and the chunks of attachments.
 *
 *     store_open -> read transactions from any thread        (store/txn.h)
 *                -> jobs for the one writer thread           (store/writer.h)
 *                -> typed tables on both                     (the rest)
 *
 * A folder is open at most once, in one process: the second open fails.
 * Never used across fork.  A failed fsync ends the process.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "proto/base/bytes.h"
#include "proto/base/clock.h"
#include "proto/base/id.h"
#include "proto/base/log.h"
#include "proto/base/rng.h"

struct store;

enum store_key_kind {
    STORE_KEY_RAW,       /* 32 or more random bytes: a file, a credential */
    STORE_KEY_PASSPHRASE /* anything; stretched with Argon2id */
};

/* Where the master key comes from.  Borrowed during the call. */
struct store_key_source {
    enum store_key_kind kind;
    struct view secret;
};

/* What a store is opened with.  Everything pointed to outlives the store. */
struct store_config {
    const char *dir; /* copied; made with mode 0700 by store_create */
    struct store_key_source key;
    const struct mem *mem;
    const struct clock *clock;
    const struct rng *rng;
    const struct log *log;  /* may be NULL */
    uint64_t map_size;      /* address space at first; 0: 256 GiB */
    uint64_t reserve_bytes; /* kept free on disk; 0: LIMIT_STORE_RESERVE */
    /* Cost of Argon2id when create or rekey makes a key file; 0: default. */
    uint32_t pw_passes;
    uint32_t pw_mem_kib;
    /*
     * Called by the writer thread after each commit that appended to the
     * journal, with its newest seq.  Must not block.  May be NULL.
     */
    void (*on_commit)(void *ctx, uint64_t journal_seq);
    void *on_commit_ctx;
};

/*
 * Make a new store in cfg->dir, which does not exist, is empty, or holds what
 * an interrupted store_create left.  Nothing is left open.
 *
 * ERR_EXISTS   there is a store already
 * ERR_INVALID  the key is shorter than 32 bytes, or the passphrase empty
 * ERR_FULL     no room on disk
 * ERR_IO       the folder cannot be made or written
 */
MUST_CHECK enum err store_create(const struct store_config *cfg);

/*
 * Open, migrate if it is older, start the writer.
 *
 * ERR_MISSING      no store in cfg->dir
 * ERR_STATE        it is open already, here or in another process
 * ERR_AUTH         the key does not open it
 * ERR_UNSUPPORTED  a newer version wrote it
 * ERR_CORRUPT      it is damaged (log: which part)
 * ERR_FULL         no room on disk for the migration
 */
MUST_CHECK enum err store_open(const struct store_config *cfg,
                               struct store **out);

/*
 * Run the jobs already submitted, stop the writer, close.  No read transaction
 * may be open and nobody may submit.  NULL is accepted.
 */
void store_close(struct store *s);

/*
 * Put the master key under another key: the key file is replaced at once
 * (write, fsync, rename).  Values need no rewriting, since their keys hang on
 * the node's vault key inside that file.
 */
MUST_CHECK enum err store_rekey(struct store *s,
                                const struct store_key_source *key);

/*
 * The key in file path: its bytes without one trailing newline.  For key files.
 *
 * ERR_MISSING  no such file
 * ERR_DENIED   others than its owner may read it
 * ERR_FORMAT   empty or longer than 4096 bytes
 */
MUST_CHECK enum err store_key_file_read(const struct mem *mem, const char *path,
                                        struct bytes *out);

/*
 * The same of a credential of systemd ($CREDENTIALS_DIRECTORY/NAME).  Where it
 * lies on a file system with access lists, its group may read it by its mode:
 * that is how the list shows that lets the service in.
 */
MUST_CHECK enum err store_credential_read(const struct mem *mem,
                                          const char *path, struct bytes *out);

/*
 * Make a key file with 64 random hex digits, mode 0600, and sync it.
 * ERR_EXISTS  there is one
 */
MUST_CHECK enum err store_key_file_create(const char *path,
                                          const struct rng *rng);

/* What the store is and how it does; for status, doctor and benchmarks. */
struct store_status {
    uint8_t env_id[16]; /* random, new in each create and restore */
    uint32_t schema;    /* version of the tables */
    uint64_t created_ms;
    uint64_t restored_ms; /* 0: never restored from a backup */
    uint64_t restores;    /* how often */
    uint64_t used_bytes;  /* of the environment, free pages included */
    uint64_t file_bytes;  /* of the file, reserve included */
    uint64_t map_bytes;
    uint64_t commits; /* since open */
    uint64_t jobs;    /* since open */
    uint64_t journal_seq;
    bool disk_full; /* new work is refused until there is room */
};

/* Any thread. */
MUST_CHECK enum err store_status(struct store *s, struct store_status *out);

/* disk_full of the above, for whoever asks often.  Any thread. */
bool store_is_full(const struct store *s);

const struct mem *store_mem(const struct store *s);

/* Wall time, random bytes: those of the config. */
uint64_t store_now_ms(const struct store *s);
MUST_CHECK enum err store_random(const struct store *s, uint8_t *out,
                                 size_t len);

#endif
