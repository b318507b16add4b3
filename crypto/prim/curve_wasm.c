/* SPDX-License-Identifier: Apache-2.0 */
/* X25519 and Ed25519 by the host's libsodium. */
#include "crypto/prim/curve.h"

#include "crypto/prim/import_wasm.h"

#include <string.h>

void
prim_x25519_base(const uint8_t priv[PRIM_X25519_SIZE],
                 uint8_t pub_out[PRIM_X25519_SIZE])
{
    prim_host_x25519_base(priv, pub_out);
}

/* [x25519-zero] looked at here as well, whatever the host's library does */
enum err
prim_x25519(const uint8_t priv[PRIM_X25519_SIZE],
            const uint8_t pub[PRIM_X25519_SIZE],
            uint8_t shared_out[PRIM_X25519_SIZE])
{
    if (prim_host_x25519(priv, pub, shared_out) != 0 ||
        prim_is_zero(view_make(shared_out, PRIM_X25519_SIZE))) {
        mem_wipe(shared_out, PRIM_X25519_SIZE);
        return ERR_INVALID;
    }
    return OK;
}

void
prim_ed25519_from_seed(const uint8_t seed[PRIM_ED25519_SEED],
                       struct prim_sign_key *out)
{
    memmove(out->seed, seed, PRIM_ED25519_SEED);
    prim_host_ed25519_pub(out->seed, out->pub);
}

enum err
prim_x25519_of_pub(const uint8_t pub[PRIM_ED25519_PUB],
                   uint8_t out[PRIM_X25519_SIZE])
{
    return prim_host_x25519_of_pub(pub, out) == 0 ? OK : ERR_INVALID;
}

void
prim_x25519_of_key(const struct prim_sign_key *key,
                   uint8_t priv_out[PRIM_X25519_SIZE])
{
    prim_host_x25519_of_key((const uint8_t *)key, priv_out);
}

void
prim_ed25519_sign(const struct prim_sign_key *key, struct view msg,
                  uint8_t sig_out[PRIM_ED25519_SIG])
{
    prim_host_ed25519_sign((const uint8_t *)key, msg.p, msg.len, sig_out);
}

enum err
prim_ed25519_verify(struct view pub, struct view msg, struct view sig)
{
    if (pub.len != PRIM_ED25519_PUB || sig.len != PRIM_ED25519_SIG ||
        prim_host_ed25519_verify(pub.p, msg.p, msg.len, sig.p) != 0) {
        return ERR_AUTH;
    }
    return OK;
}
