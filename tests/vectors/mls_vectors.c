/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds share: members of JSON objects and how a case ends. */
#include "tests/vectors/mls_vectors.h"

#include "proto/base/id.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct vec_kind vec_kinds[] = {
    {"deserialization", vec_run_deserialization},
    {"tree-math", vec_run_tree_math},
    {"crypto-basics", vec_run_crypto_basics},
    {"key-schedule", vec_run_key_schedule},
    {"psk_secret", vec_run_psk_secret},
    {"secret-tree", vec_run_secret_tree},
    {"transcript-hashes", vec_run_transcript_hashes},
    {"message-protection", vec_run_message_protection},
    {"messages", vec_run_messages},
    {"welcome", vec_run_welcome},
    {"tree-operations", vec_run_tree_operations},
    {"tree-validation", vec_run_tree_validation},
    {"treekem", vec_run_treekem},
    {"passive-client-welcome", vec_run_passive},
    {"passive-client-handling-commit", vec_run_passive},
    {"passive-client-random", vec_run_passive},
    {"passive-gap*", vec_run_passive},
    {NULL, NULL},
};

void
vec_fail(struct vec *v, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(v->why, sizeof(v->why), format, args);
    va_end(args);
    longjmp(v->leave, 1);
}

void
vec_ok(struct vec *v, enum err e, int line, const char *what)
{
    if (e != OK) {
        vec_fail(v, "line %d: %s: %s", line, what, err_name(e));
    }
}

void
vec_eq(struct vec *v, struct view got, struct view want, int line,
       const char *what)
{
    char a[PROTO_HEX_MAX + 1];
    char b[PROTO_HEX_MAX + 1];

    if (view_equal(got, want)) {
        return;
    }
    proto_hex(view_sub(got, 0, got.len < 32 ? got.len : 32), a);
    proto_hex(view_sub(want, 0, want.len < 32 ? want.len : 32), b);
    vec_fail(v, "line %d: %s: %zu bytes %s, not %zu bytes %s", line, what,
             got.len, a, want.len, b);
}

const json_t *
vec_get(struct vec *v, const json_t *j, const char *key)
{
    const json_t *x = json_object_get(j, key);

    if (x == NULL) {
        vec_fail(v, "no member %s", key);
    }
    return x;
}

struct view
vec_unhex(struct vec *v, const json_t *j)
{
    struct view text;
    uint8_t *out;

    if (!json_is_string(j)) {
        vec_fail(v, "not a string of hex digits");
    }
    text = view_make(json_string_value(j), json_string_length(j));
    out = arena_alloc(v->arena, text.len / 2 + 1);
    if (out == NULL || proto_unhex(text, out, text.len / 2) != OK) {
        vec_fail(v, "not a string of hex digits");
    }
    return view_make(out, text.len / 2);
}

struct view
vec_hex(struct vec *v, const json_t *j, const char *key)
{
    return vec_unhex(v, vec_get(v, j, key));
}

struct view
vec_text(struct vec *v, const json_t *j, const char *key)
{
    const json_t *x = vec_get(v, j, key);

    if (!json_is_string(x)) {
        vec_fail(v, "%s is not a string", key);
    }
    return view_make(json_string_value(x), json_string_length(x));
}

uint64_t
vec_num(struct vec *v, const json_t *j, const char *key)
{
    const json_t *x = vec_get(v, j, key);

    if (!json_is_integer(x)) {
        vec_fail(v, "%s is not a number", key);
    }
    return (uint64_t)json_integer_value(x);
}

struct prim_secret
vec_secret(struct vec *v, const json_t *j, const char *key)
{
    struct prim_secret s = {0};

    VEC_OK(v, prim_secret_set(&s, vec_hex(v, j, key)));
    return s;
}

void
vec_eq_hex(struct vec *v, struct view got, const json_t *j, const char *key)
{
    VEC_EQ(v, got, vec_hex(v, j, key), key);
}

void
vec_eq_secret(struct vec *v, const struct prim_secret *got, const json_t *j,
              const char *key)
{
    vec_eq_hex(v, prim_secret_view(got), j, key);
}

void
vec_eq_key(struct vec *v, const struct mls_key_nonce *got, const json_t *j,
           const char *key, const char *nonce)
{
    vec_eq_secret(v, &got->key, j, key);
    vec_eq_secret(v, &got->nonce, j, nonce);
}

struct view
vec_written(struct vec *v, struct proto_tls_wr *w)
{
    struct bytes out = {0};

    VEC_OK(v, proto_tls_wr_take(w, &out));
    return view_of(&out);
}

struct view
vec_group_context(struct vec *v, struct view group_id, uint64_t epoch,
                  struct view tree_hash, struct view confirmed)
{
    struct mls_group_context c = {.version = MLS_VERSION_10,
                                  .suite = v->suite->id,
                                  .group_id = group_id,
                                  .epoch = epoch,
                                  .tree_hash = tree_hash,
                                  .confirmed_transcript_hash = confirmed};
    struct proto_tls_wr w = proto_tls_wr_open(v->mem);

    mls_group_context_write(&w, &c);
    return vec_written(v, &w);
}
