/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mls-peer: our MLS behind the line protocol of tests/interop/README.md.
 *
 * An actor is one member of at most one group, with a record store such as a
 * node would keep: it is changed only by what the library hands out, and `save`
 * compares it with the whole group, so a forgotten record is found out.
 */
#ifndef TESTS_INTEROP_MLS_PEER_H
#define TESTS_INTEROP_MLS_PEER_H

#include "crypto/mls/mls.h"
#include "proto/base/arena.h"
#include "tests/support/fail_mem.h"

#include <jansson.h>

/* An extension type of our own that every test client supports. */
#define PEER_TEST_EXTENSION 0xf3a1u

struct peer_psk {
    struct peer_psk *next;
    struct bytes id;
    struct bytes secret;
};

struct peer_record {
    struct peer_record *next;
    enum mls_record_kind kind;
    uint8_t key[MLS_RECORD_KEY];
    struct bytes bytes;
};

struct peer;

struct peer_actor {
    struct peer_actor *next;
    struct peer *peer;
    char *who;
    struct mls_env env;
    uint16_t suite;
    bool grease;
    struct bytes identity;
    uint8_t seed[32]; /* of the signature key */
    uint8_t pub[32];
    struct bytes key_package; /* the record of the last one */
    struct peer_psk *psks;
    struct mls_group *group;
    struct mls_stage *pending;
    struct peer_record *store;
    uint64_t turns;
};

/* The process. */
struct peer {
    struct fail_mem mem; /* counts; never fails */
    struct peer_actor *actors;
    enum mls_rule rule; /* broken by the call before */
    struct arena arena; /* of the present request */
    const json_t *in;   /* the present request */
    const char *why;    /* of the present failure, when more is known */
};

/* ------------------------------------------------------------- the request */

/* An optional member; its absence gives empty, 0 or the fallback. */
struct view peer_hex(struct peer *p, const json_t *j, const char *key,
                     enum err *e);
struct view peer_text(const json_t *j, const char *key);
uint64_t peer_num(const json_t *j, const char *key, uint64_t fallback);
bool peer_flag(const json_t *j, const char *key, bool fallback);
struct view peer_unhex(struct peer *p, const json_t *j, enum err *e);

/* [{type, data}] as the bytes of an extension list. */
enum err peer_extensions(struct peer *p, const json_t *list,
                         struct mls_extensions *out);

json_t *peer_json_hex(struct view v);
void peer_put_hex(json_t *out, const char *key, struct view v);
void peer_put_num(json_t *out, const char *key, uint64_t n);

/* --------------------------------------------------------------- the actors */

struct peer_actor *peer_find(struct peer *p, struct view who);
/* With a fresh signature key; replaces the suite of one that is there. */
enum err peer_actor_for(struct peer *p, uint16_t suite,
                        struct peer_actor **out);
void peer_forget(struct peer *p, struct peer_actor *a);
/* True every third time: to take a step back and do it again. */
bool peer_turn(struct peer_actor *a);
enum err peer_psk_add(struct peer_actor *a, struct view id, struct view psk);

/* The identity of a; lists live in the request's arena. */
enum err peer_identity(struct peer_actor *a, struct mls_identity *out);

/* Put records into the store, or take them out, as a change says. */
enum err peer_store_change(struct peer_actor *a,
                           const struct mls_change *change);
void peer_store_clear(struct peer_actor *a);
/* After a merge or join. */
enum err peer_store_saved(struct peer_actor *a);
/* ERR_CORRUPT  the store is not what mls_save(MLS_SAVE_ALL) gives */
enum err peer_store_compare(struct peer_actor *a);

/* SHA-256 over all records; tells whether a failed call changed something. */
enum err peer_fingerprint(struct peer_actor *a, uint8_t out[32]);

enum err peer_actor_save(struct peer_actor *a, json_t *out);
enum err peer_actor_load(struct peer *p, struct view who, struct view state);

/* ------------------------------------------------------------------ the ops */

struct peer_op {
    const char *name;
    bool needs_actor;
    bool needs_group;
    enum err (*run)(struct peer *p, struct peer_actor *a, json_t *out);
};

extern const struct peer_op peer_ops[];

/* The epoch, under that key, and its authenticator. */
enum err peer_put_epoch(struct peer_actor *a, json_t *out, const char *key);

enum err peer_process(struct peer *p, struct peer_actor *a, json_t *out);

enum err peer_op_kp(struct peer *p, struct peer_actor *a, json_t *out);
enum err peer_op_create(struct peer *p, struct peer_actor *a, json_t *out);
enum err peer_op_join(struct peer *p, struct peer_actor *a, json_t *out);
enum err peer_op_extjoin(struct peer *p, struct peer_actor *a, json_t *out);
enum err peer_op_successor(struct peer *p, struct peer_actor *a, json_t *out);
enum err peer_op_psk(struct peer *p, struct peer_actor *a, json_t *out);
enum err peer_op_propose(struct peer *p, struct peer_actor *a, json_t *out);
enum err peer_op_propself(struct peer *p, struct peer_actor *a, json_t *out);
enum err peer_op_propext(struct peer *p, struct peer_actor *a, json_t *out);
enum err peer_op_commit(struct peer *p, struct peer_actor *a, json_t *out);
enum err peer_op_merge(struct peer *p, struct peer_actor *a, json_t *out);
enum err peer_op_clear(struct peer *p, struct peer_actor *a, json_t *out);
enum err peer_op_negative(struct peer *p, struct peer_actor *a, json_t *out);

#endif
