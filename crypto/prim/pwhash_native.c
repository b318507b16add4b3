/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/pwhash.h"

#include <sodium.h>
#include <string.h>

_Static_assert(PRIM_PW_SALT_SIZE == crypto_pwhash_SALTBYTES &&
                   PRIM_PW_STRING_SIZE == crypto_pwhash_STRBYTES,
               "sizes of libsodium's Argon2id");

static bool
cost_ok(const struct prim_pw_cost *cost)
{
    return cost->passes >= crypto_pwhash_argon2id_OPSLIMIT_MIN &&
           cost->mem_kib >= crypto_pwhash_argon2id_MEMLIMIT_MIN / 1024 &&
           (uint64_t)cost->mem_kib * 1024 <=
               crypto_pwhash_argon2id_MEMLIMIT_MAX;
}

/* The library fails only for want of memory once the costs are in range. */
enum err
prim_pw_key(struct view password, const uint8_t salt[PRIM_PW_SALT_SIZE],
            const struct prim_pw_cost *cost, struct prim_secret *out)
{
    SCRUBBED_SECRET(key);

    if (!cost_ok(cost)) {
        return ERR_INVALID;
    }
    if (crypto_pwhash(key.b, PRIM_SECRET_MAX, (const char *)password.p,
                      password.len, salt, cost->passes,
                      (size_t)cost->mem_kib * 1024,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return ERR_NOMEM;
    }
    key.len = PRIM_SECRET_MAX;
    *out = key;
    return OK;
}

enum err
prim_pw_store(struct view password, const struct prim_pw_cost *cost,
              char out[PRIM_PW_STRING_SIZE])
{
    char s[PRIM_PW_STRING_SIZE];

    if (!cost_ok(cost)) {
        return ERR_INVALID;
    }
    if (crypto_pwhash_str(s, (const char *)password.p, password.len,
                          cost->passes, (size_t)cost->mem_kib * 1024) != 0) {
        return ERR_NOMEM;
    }
    memcpy(out, s, sizeof(s));
    return OK;
}

enum err
prim_pw_verify(const char *stored, struct view password)
{
    if (strlen(stored) >= PRIM_PW_STRING_SIZE ||
        crypto_pwhash_str_verify(stored, (const char *)password.p,
                                 password.len) != 0) {
        return ERR_AUTH;
    }
    return OK;
}
