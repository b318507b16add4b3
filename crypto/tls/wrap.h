/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The X.509 wrapper: OpenSSL 3.0 has no raw public keys, so a node shows a
 * self-signed Ed25519 certificate whose one private extension carries the
 * clinic's certificate chain as opaque bytes (decisions A 2).  Nothing else in
 * it means anything: names are fixed, dates are ignored, and the key is
 * believed because TLS proves it and the chain certifies it.
 *
 * Strict: one encoding per (key, chain); what does not re-encode to itself is
 * refused.  Pure; any thread.
 */
#ifndef CRYPTO_TLS_WRAP_H
#define CRYPTO_TLS_WRAP_H

#include "proto/base/bytes.h"
#include "proto/base/id.h"

/*
 * DER of the wrapper for the Ed25519 key made of seed (32 bytes), carrying
 * chain (1 to LIMIT_TLS_CHAIN bytes).  Same input, same bytes.
 *
 * ERR_INVALID  seed is not 32 bytes or chain is empty
 * ERR_LIMIT    chain is too long
 */
MUST_CHECK enum err tlsp_wrap_make(const struct mem *mem, struct view seed,
                                   struct view chain, struct bytes *out);

/* The public key of seed (32 bytes).  ERR_INVALID  it is not 32 bytes */
MUST_CHECK enum err tlsp_wrap_key(struct view seed, struct device_id *out);

/*
 * The key and the chain inside a wrapper.  The chain is a view into der and
 * is not verified; neither is possession of the key (the handshake does that).
 *
 * ERR_FORMAT  not exactly a wrapper, byte for byte
 * ERR_LIMIT   longer than the longest wrapper
 */
MUST_CHECK enum err tlsp_wrap_parse(struct view der, struct device_id *key_out,
                                    struct view *chain_out);

#endif
