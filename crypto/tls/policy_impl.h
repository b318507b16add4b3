/* SPDX-License-Identifier: Apache-2.0 */
/* What policy.c and session.c share; nobody else includes it. */
#ifndef CRYPTO_TLS_POLICY_IMPL_H
#define CRYPTO_TLS_POLICY_IMPL_H

#include "crypto/tls/ossl.h"
#include "crypto/tls/policy.h"

#include <stdatomic.h>

struct tlsp_policy {
    const struct mem *mem;
    SSL_CTX *ctx;
    BIO_METHOD *bio;
    atomic_uint refs;
    bool node;
};

/* The two directions of a session, behind its BIO. */
struct tlsp_pump {
    /* At most len bytes that arrived; 0 when there are none. */
    size_t (*read)(void *ctx, uint8_t *data, size_t len);
    /* False when there is no memory for them. */
    bool (*write)(void *ctx, const uint8_t *data, size_t len, size_t *done);
    void *ctx;
};

/* Make handshakes of c ask their session's verifier. */
void tlsp_session_hook(SSL_CTX *c);

#endif
