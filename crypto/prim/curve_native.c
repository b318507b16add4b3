/* SPDX-License-Identifier: Apache-2.0 */
/* X25519 and Ed25519 by libsodium. */
#include "crypto/prim/curve.h"

#include <sodium.h>
#include <string.h>

void
prim_x25519_base(const uint8_t priv[PRIM_X25519_SIZE],
                 uint8_t pub_out[PRIM_X25519_SIZE])
{
    crypto_scalarmult_base(pub_out, priv);
}

/* RFC 9420 pitfall 27: sodium refuses a zero result. [x25519-zero] */
enum err
prim_x25519(const uint8_t priv[PRIM_X25519_SIZE],
            const uint8_t pub[PRIM_X25519_SIZE],
            uint8_t shared_out[PRIM_X25519_SIZE])
{
    if (crypto_scalarmult(shared_out, priv, pub) != 0) {
        mem_wipe(shared_out, PRIM_X25519_SIZE);
        return ERR_INVALID;
    }
    return OK;
}

void
prim_ed25519_from_seed(const uint8_t seed[PRIM_ED25519_SEED],
                       struct prim_sign_key *out)
{
    SCRUBBED(secret, crypto_sign_SECRETKEYBYTES);

    crypto_sign_seed_keypair(out->pub, secret, seed);
    memmove(out->seed, seed, PRIM_ED25519_SEED);
}

/* The library's secret key is seed || public key, as ours. */
_Static_assert(sizeof(struct prim_sign_key) == crypto_sign_SECRETKEYBYTES &&
                   offsetof(struct prim_sign_key, seed) == 0 &&
                   offsetof(struct prim_sign_key, pub) == PRIM_ED25519_SEED,
               "struct prim_sign_key is a libsodium secret key");

enum err
prim_x25519_of_pub(const uint8_t pub[PRIM_ED25519_PUB],
                   uint8_t out[PRIM_X25519_SIZE])
{
    return crypto_sign_ed25519_pk_to_curve25519(out, pub) == 0 ? OK
                                                               : ERR_INVALID;
}

void
prim_x25519_of_key(const struct prim_sign_key *key,
                   uint8_t priv_out[PRIM_X25519_SIZE])
{
    (void)crypto_sign_ed25519_sk_to_curve25519(priv_out,
                                               (const unsigned char *)key);
}

void
prim_ed25519_sign(const struct prim_sign_key *key, struct view msg,
                  uint8_t sig_out[PRIM_ED25519_SIG])
{
    crypto_sign_detached(sig_out, NULL, msg.p, msg.len,
                         (const unsigned char *)key);
}

enum err
prim_ed25519_verify(struct view pub, struct view msg, struct view sig)
{
    if (pub.len != PRIM_ED25519_PUB || sig.len != PRIM_ED25519_SIG ||
        crypto_sign_verify_detached(sig.p, msg.p, msg.len, pub.p) != 0) {
        return ERR_AUTH;
    }
    return OK;
}
