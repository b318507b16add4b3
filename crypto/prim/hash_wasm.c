/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 (FIPS 180-4) in C: libsodium-wrappers has none.  No table is indexed
 * by a secret and no branch depends on one.
 */
#include "crypto/prim/hash.h"

#include "crypto/prim/import_wasm.h"

#include <string.h>

enum {
    BLOCK = 64
};

struct state {
    uint32_t h[8];
    uint64_t len; /* bytes so far */
    uint8_t block[BLOCK];
};

_Static_assert(sizeof(struct state) <= sizeof(struct prim_sha256),
               "room for the state of SHA-256");

static struct state *
state_of(struct prim_sha256 *h)
{
    return (struct state *)(void *)h;
}

/* clang-format off */
static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t start[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
    0x1f83d9ab, 0x5be0cd19,
};
/* clang-format on */

static uint32_t
ror(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static uint32_t
load(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static void
store(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
}

/* One block.  The eight words rotate through s; s[4] gains t1 after the move
 * because d has become e. */
static void
compress(uint32_t h[8], const uint8_t *p)
{
    uint32_t w[64];
    uint32_t s[8];

    for (size_t i = 0; i < 16; i++) {
        w[i] = load(p + 4 * i);
    }
    for (size_t i = 16; i < 64; i++) {
        uint32_t a = w[i - 15];
        uint32_t b = w[i - 2];

        w[i] = w[i - 16] + (ror(a, 7) ^ ror(a, 18) ^ a >> 3) + w[i - 7] +
               (ror(b, 17) ^ ror(b, 19) ^ b >> 10);
    }
    memcpy(s, h, sizeof(s));
    for (size_t i = 0; i < 64; i++) {
        uint32_t e = s[4];
        uint32_t a = s[0];
        uint32_t t1 = s[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
                      ((e & s[5]) ^ (~e & s[6])) + k[i] + w[i];
        uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
                      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

        memmove(s + 1, s, 7 * sizeof(*s));
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (size_t i = 0; i < 8; i++) {
        h[i] += s[i];
    }
    mem_wipe(w, sizeof(w));
    mem_wipe(s, sizeof(s));
}

void
prim_sha256_init(struct prim_sha256 *h)
{
    struct state *s = state_of(h);

    memcpy(s->h, start, sizeof(start));
    s->len = 0;
}

void
prim_sha256_update(struct prim_sha256 *h, struct view v)
{
    struct state *s = state_of(h);
    size_t have = s->len % BLOCK;

    s->len += v.len;
    while (v.len > 0) {
        size_t take = BLOCK - have < v.len ? BLOCK - have : v.len;

        if (take == BLOCK) {
            compress(s->h, v.p);
        } else {
            memcpy(s->block + have, v.p, take);
            have += take;
            if (have == BLOCK) {
                compress(s->h, s->block);
                have = 0;
            }
        }
        v = view_skip(v, take);
    }
}

void
prim_sha256_final(struct prim_sha256 *h, uint8_t out[PRIM_HASH_SIZE])
{
    struct state *s = state_of(h);
    uint64_t bits = s->len * 8;
    uint8_t pad[BLOCK + 8] = {0x80};
    size_t have = s->len % BLOCK;
    size_t zeros = have < 56 ? 56 - have : 120 - have;
    uint8_t *size = pad + zeros;

    store(size, (uint32_t)(bits >> 32));
    store(size + 4, (uint32_t)bits);
    prim_sha256_update(h, view_make(pad, zeros + 8));
    for (size_t i = 0; i < 8; i++) {
        store(out + 4 * i, s->h[i]);
    }
    mem_wipe(h, sizeof(*h));
}

enum err
prim_blake2b(struct view key, struct view msg, uint8_t *out, size_t out_len)
{
    if (out_len < 16 || out_len > 64 ||
        (key.len != 0 && (key.len < 16 || key.len > 64))) {
        return ERR_INVALID;
    }
    prim_host_blake2b(key.p, key.len, msg.p, msg.len, out, out_len);
    return OK;
}
