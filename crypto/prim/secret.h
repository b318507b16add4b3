/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets in their own types, wiped by scope and compared in constant time.
 *
 * A struct prim_secret lives in its owner or in a variable declared with
 * SCRUBBED_SECRET; other secret bytes of a function live in SCRUBBED buffers
 * declared at its top.  Both are wiped however the function is left.
 */
#ifndef CRYPTO_PRIM_SECRET_H
#define CRYPTO_PRIM_SECRET_H

#include "proto/base/bytes.h"

enum {
    PRIM_SECRET_MAX = 32
};

/* At most PRIM_SECRET_MAX secret bytes.  Empty is {0}. */
struct prim_secret {
    uint8_t len;
    uint8_t b[PRIM_SECRET_MAX];
};

struct prim_scrub {
    void *p;
    size_t len;
};

/* Wipe and leave empty. */
void prim_secret_wipe(struct prim_secret *s);

/* Not called by name; see SCRUBBED. */
void prim_scrub_end(struct prim_scrub *s);

/* uint8_t NAME[SIZE], zeroed, wiped on every exit of its scope. */
#define SCRUBBED(NAME, SIZE)                \
    uint8_t NAME[SIZE] = {0};               \
    __attribute__((cleanup(prim_scrub_end), \
                   unused)) struct prim_scrub NAME##_scrub_ = {NAME, SIZE}

/* struct TYPE NAME, zeroed, wiped on every exit of its scope. */
#define SCRUBBED_STRUCT(TYPE, NAME)                                   \
    struct TYPE NAME = {0};                                           \
    __attribute__((cleanup(prim_scrub_end),                           \
                   unused)) struct prim_scrub NAME##_scrub_ = {&NAME, \
                                                               sizeof(NAME)}

#define SCRUBBED_SECRET(NAME) SCRUBBED_STRUCT(prim_secret, NAME)

static inline struct view
prim_secret_view(const struct prim_secret *s)
{
    return view_make(s->b, s->len);
}

/* ERR_LIMIT  v is longer than PRIM_SECRET_MAX */
MUST_CHECK enum err prim_secret_set(struct prim_secret *s, struct view v);

/*
 * Whether a and b hold the same bytes.  The lengths are public and compared
 * first; the contents in constant time.
 */
bool prim_equal(struct view a, struct view b);

/* Whether all bytes are zero, in constant time. */
bool prim_is_zero(struct view v);

#endif
