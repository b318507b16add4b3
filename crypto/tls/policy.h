/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS policy: what our two ports speak, and nothing else.
 *
 * Node port: TLS 1.3 only; Ed25519 only, both ways (mutual); X25519 key
 * exchange; three AEADs; ALPN "balsam/1" required; no tickets, no resumption,
 * no session cache, no early data, no renegotiation, no compression.
 * Resumption would skip the verify callback and outlive a revocation.
 *
 * Web port: TLS 1.2 (ECDHE with AEAD) and 1.3 with the operator's
 * certificate; no client certificate, no tickets, ALPN "http/1.1".
 *
 * A policy is immutable and reference-counted: rotation makes a new one, and
 * connections keep the one they were opened with.  Any thread.
 */
#ifndef CRYPTO_TLS_POLICY_H
#define CRYPTO_TLS_POLICY_H

#include "proto/base/bytes.h"

struct tlsp_policy;

/*
 * The node port with the node key of seed (32 bytes) and its certificate
 * chain.  Copies both; the caller wipes its seed.  Serves both ends.
 *
 * ERR_INVALID, ERR_LIMIT  as tlsp_wrap_make
 */
MUST_CHECK enum err tlsp_policy_node(const struct mem *mem, struct view seed,
                                     struct view chain,
                                     struct tlsp_policy **out);

/*
 * The web port with a PEM certificate chain (leaf first) and its PEM key.
 *
 * ERR_FORMAT  not PEM, or encrypted
 * ERR_AUTH    the key does not belong to the certificate
 * ERR_UNSUPPORTED  a key that is too weak for us (RSA below 2048 bits)
 */
MUST_CHECK enum err tlsp_policy_web(const struct mem *mem, struct view cert_pem,
                                    struct view key_pem,
                                    struct tlsp_policy **out);

/* When the certificate of a web policy ends, in ms since 1970; 0: unknown. */
uint64_t tlsp_policy_ends_ms(const struct tlsp_policy *p);

/* One more reference to p, which is returned. */
struct tlsp_policy *tlsp_policy_ref(struct tlsp_policy *p);

/* Give back a reference; the last one wipes the key.  p may be NULL. */
void tlsp_policy_unref(struct tlsp_policy *p);

#endif
