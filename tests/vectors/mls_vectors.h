/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test vectors of MLS: a file is an array of cases of one kind, a kind a
 * function that checks one case.  What a case does not agree with ends it, with
 * a message; memory taken through v->mem lives until then.
 */
#ifndef TESTS_VECTORS_MLS_VECTORS_H
#define TESTS_VECTORS_MLS_VECTORS_H

#include "crypto/mls/key_schedule.h"
#include "crypto/mls/mls.h"
#include "proto/base/arena.h"

#include <jansson.h>
#include <setjmp.h>

struct vec {
    const json_t *j; /* the case */
    const struct mls_suite *suite;
    const struct mem *mem; /* given back when the case ends */
    struct arena *arena;
    const struct rng *rng;
    const struct clock *clock;
    jmp_buf leave;
    char why[400];
};

struct vec_kind {
    const char *name; /* of the file, without .json; a prefix when it ends in
                         an asterisk */
    void (*run)(struct vec *v);
};

extern const struct vec_kind vec_kinds[];

/* End the case as failed. */
_Noreturn void vec_fail(struct vec *v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define VEC_CHECK(v, cond) \
    ((cond) ? (void)0 : vec_fail((v), "line %d: %s", __LINE__, #cond))
#define VEC_OK(v, call) vec_ok((v), (call), __LINE__, #call)
#define VEC_EQ(v, got, want, what) vec_eq((v), (got), (want), __LINE__, (what))

void vec_ok(struct vec *v, enum err e, int line, const char *what);
void vec_eq(struct vec *v, struct view got, struct view want, int line,
            const char *what);

/* Members of a JSON object; the case fails when one is missing. */
const json_t *vec_get(struct vec *v, const json_t *j, const char *key);
struct view vec_hex(struct vec *v, const json_t *j, const char *key);
struct view vec_text(struct vec *v, const json_t *j, const char *key);
uint64_t vec_num(struct vec *v, const json_t *j, const char *key);
/* Bytes of a JSON string. */
struct view vec_unhex(struct vec *v, const json_t *j);
/* A secret member. */
struct prim_secret vec_secret(struct vec *v, const json_t *j, const char *key);
void vec_eq_secret(struct vec *v, const struct prim_secret *got,
                   const json_t *j, const char *key);
void vec_eq_hex(struct vec *v, struct view got, const json_t *j,
                const char *key);

/* What a writer has; fails the case when writing failed. */
struct view vec_written(struct vec *v, struct proto_tls_wr *w);

/* An encoded GroupContext without extensions. */
struct view vec_group_context(struct vec *v, struct view group_id,
                              uint64_t epoch, struct view tree_hash,
                              struct view confirmed);

/* Key and nonce of a suite's AEAD, as JSON members. */
void vec_eq_key(struct vec *v, const struct mls_key_nonce *got, const json_t *j,
                const char *key, const char *nonce);

void vec_run_deserialization(struct vec *v);
void vec_run_tree_math(struct vec *v);
void vec_run_crypto_basics(struct vec *v);
void vec_run_key_schedule(struct vec *v);
void vec_run_psk_secret(struct vec *v);
void vec_run_secret_tree(struct vec *v);
void vec_run_transcript_hashes(struct vec *v);
void vec_run_message_protection(struct vec *v);
void vec_run_messages(struct vec *v);
void vec_run_welcome(struct vec *v);
void vec_run_tree_operations(struct vec *v);
void vec_run_tree_validation(struct vec *v);
void vec_run_treekem(struct vec *v);
void vec_run_passive(struct vec *v);

#endif
