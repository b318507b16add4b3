/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/secret.h"

#include <string.h>

void
prim_secret_wipe(struct prim_secret *s)
{
    mem_wipe(s, sizeof(*s));
}

void
prim_scrub_end(struct prim_scrub *s)
{
    mem_wipe(s->p, s->len);
}

enum err
prim_secret_set(struct prim_secret *s, struct view v)
{
    if (v.len > PRIM_SECRET_MAX) {
        return ERR_LIMIT;
    }
    prim_secret_wipe(s);
    if (v.len > 0) {
        memcpy(s->b, v.p, v.len);
    }
    s->len = (uint8_t)v.len;
    return OK;
}

/*
 * The empty asm keeps the compiler from learning anything about the
 * accumulated difference, and so from leaving the loop early.
 */
static uint32_t
opaque(uint32_t x)
{
    __asm__ __volatile__("" : "+r"(x));
    return x;
}

bool
prim_equal(struct view a, struct view b)
{
    uint32_t diff = 0;

    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        diff = opaque(diff | (uint32_t)(a.p[i] ^ b.p[i]));
    }
    return diff == 0;
}

bool
prim_is_zero(struct view v)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < v.len; i++) {
        sum = opaque(sum | v.p[i]);
    }
    return sum == 0;
}
