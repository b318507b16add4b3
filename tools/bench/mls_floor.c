/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench/mls_floor.h"

#include "proto/base/assert.h"

#include <time.h>

double
tool_mls_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

enum {
    ROUNDS = 30
};

/* The best of ROUNDS averages over N calls. */
#define BEST(N, OUT, CALL)                                \
    do {                                                  \
        (OUT) = 1e12;                                     \
        for (int round_ = 0; round_ < ROUNDS; round_++) { \
            double t_ = tool_mls_now_us();                \
            for (int i_ = 0; i_ < (N); i_++) {            \
                CALL;                                     \
            }                                             \
            t_ = (tool_mls_now_us() - t_) / (N);          \
            (OUT) = t_ < (OUT) ? t_ : (OUT);              \
        }                                                 \
    } while (0)

static void
measure_curves(struct tool_mls_prims *p)
{
    static const uint8_t msg[1024] = {1};
    uint8_t priv[PRIM_X25519_SIZE] = {2, 3};
    uint8_t pub[PRIM_X25519_SIZE];
    uint8_t out[PRIM_X25519_SIZE];
    uint8_t sig[PRIM_ED25519_SIG];
    struct prim_sign_key key;
    int bad = 0;

    BEST(20, p->base, prim_x25519_base(priv, pub));
    BEST(20, p->dh, bad |= prim_x25519(priv, pub, out) != OK);
    prim_ed25519_from_seed(priv, &key);
    BEST(20, p->sign, prim_ed25519_sign(&key, VIEW_ARRAY(msg), sig));
    BEST(20, p->verify,
         bad |= prim_ed25519_verify(prim_sign_key_pub(&key), VIEW_ARRAY(msg),
                                    VIEW_ARRAY(sig)) != OK);
    ASSERT(!bad);
}

static void
measure_symmetric(const struct mls_suite *s, struct tool_mls_prims *p)
{
    static const uint8_t msg[1024] = {1};
    static const uint8_t bytes[PRIM_KEY_MAX] = {5};
    uint8_t out[sizeof(msg) + PRIM_TAG_SIZE];
    uint8_t back[sizeof(msg)];
    uint8_t hash[PRIM_HASH_SIZE];
    struct prim_secret secret = {0};
    enum prim_aead a = s->prim.aead;
    struct view key = view_make(bytes, s->prim.key_size);
    struct view nonce = view_make(bytes, s->prim.nonce_size);
    struct view short_msg = view_make(msg, 32);
    struct view info = view_make(msg, 40);
    struct view aad = view_make(msg, 40);
    int bad = 0;

    BEST(200, p->hash, prim_sha256(view_make(msg, 128), hash));
    BEST(200, p->extract, prim_hkdf_extract(VIEW_ARRAY(hash), info, &secret));
    BEST(200, p->expand,
         bad |= prim_hkdf_expand(VIEW_ARRAY(hash), info, back, 32) != OK);
    BEST(200, p->seal_32,
         bad |= prim_aead_seal(a, key, nonce, aad, short_msg, out) != OK);
    BEST(200, p->seal_1k,
         bad |= prim_aead_seal(a, key, nonce, aad, VIEW_ARRAY(msg), out) != OK);
    BEST(200, p->open_1k,
         bad |=
         prim_aead_open(a, key, nonce, aad, VIEW_ARRAY(out), back) != OK);
    ASSERT(!bad);
}

struct tool_mls_prims
tool_mls_prims_measure(const struct mls_suite *s)
{
    struct tool_mls_prims p = {0};

    measure_curves(&p);
    measure_symmetric(s, &p);
    return p;
}

/* DeriveKeyPair */
static double
pair(const struct tool_mls_prims *p)
{
    return p->base + p->extract + p->expand;
}

/* Encap or decap with its key schedule: 5 extracts, 3 expands. */
static double
hpke_schedule(const struct tool_mls_prims *p)
{
    return 4 * p->extract + 3 * p->expand;
}

static double
hpke_seal(const struct tool_mls_prims *p)
{
    return p->base + p->dh + hpke_schedule(p) + p->seal_32;
}

static double
hpke_open(const struct tool_mls_prims *p)
{
    return p->dh + hpke_schedule(p) + p->seal_32;
}

/* Joiner, member, epoch, nine secrets, tag and transcript. */
static double
key_schedule(const struct tool_mls_prims *p)
{
    return 2 * p->extract + 12 * p->expand + 3 * p->hash;
}

double
tool_mls_floor_key_package(const struct tool_mls_prims *p)
{
    return 2 * p->base + 2 * p->sign;
}

double
tool_mls_floor_protect(const struct tool_mls_prims *p)
{
    return p->sign + 5 * p->expand + p->seal_1k + p->seal_32;
}

double
tool_mls_floor_unprotect(const struct tool_mls_prims *p)
{
    return p->verify + 5 * p->expand + p->open_1k + p->seal_32;
}

double
tool_mls_floor_commit(const struct tool_mls_prims *p, unsigned depth,
                      unsigned sealed)
{
    return (depth + 1) * (pair(p) + 2 * p->expand) + sealed * hpke_seal(p) +
           2 * p->sign + 2 * depth * p->hash + key_schedule(p);
}

double
tool_mls_floor_process(const struct tool_mls_prims *p, unsigned depth,
                       unsigned derived)
{
    return hpke_open(p) + derived * (pair(p) + 2 * p->expand) + 2 * p->verify +
           2 * depth * p->hash + key_schedule(p);
}

double
tool_mls_floor_join(const struct tool_mls_prims *p, unsigned members)
{
    return (members + 1) * p->verify + 2 * members * p->hash + hpke_open(p) +
           key_schedule(p);
}
