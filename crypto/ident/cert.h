/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a node is: root (the clinic) > renewal key > node key, as a chain of two
 * signed statements (decisions A 1 to 4).
 *
 *     certificate  [type, 1, root, key, generation, not before, not after]
 *     chain        [1, signed renewal certificate, signed node certificate]
 *
 * The chain is what the TLS certificate's extension carries and what the MLS
 * basic credential is.  The root signs the renewal key for 2 years and then
 * may be put away; the renewal key certifies node keys for 90 days.
 *
 * A generation is (renewal generation << 32 | node generation), so that "node
 * generations >= n", signed by the root, revokes a stolen node key or a stolen
 * renewal key with all that it could ever certify.
 *
 * Time only expires a certificate, it never orders anything.
 */
#ifndef CRYPTO_IDENT_CERT_H
#define CRYPTO_IDENT_CERT_H

#include "crypto/ident/sign.h"

#define IDENT_DAY_MS UINT64_C(86400000)
#define IDENT_RENEWAL_MS (730 * IDENT_DAY_MS)
#define IDENT_NODE_MS (90 * IDENT_DAY_MS)
/* A node renews by itself when this much of its certificate is left. */
#define IDENT_RENEW_EARLY_MS (30 * IDENT_DAY_MS)
#define IDENT_TOLERANCE_MS IDENT_DAY_MS

/* Longest chain that is read. */
enum {
    IDENT_CHAIN_MAX = 1024
};

static inline uint64_t
ident_generation(uint32_t renewal, uint32_t node)
{
    return (uint64_t)renewal << 32 | node;
}

struct ident_cert {
    struct clinic_id root;
    uint8_t key[PRIM_ED25519_PUB]; /* the certified one */
    uint64_t generation;           /* renewal: ident_generation(n, 0) */
    uint64_t not_before_ms;
    uint64_t not_after_ms;
};

/* What is expected of a chain. */
struct ident_check {
    const struct clinic_id *root; /* the clinic it must be; NULL any */
    const uint8_t *key;           /* the node key it must certify; NULL any */
    uint64_t generation_min;      /* highest seen or revoked below; 0 none */
    uint64_t now_ms;              /* our clock; for a leaf: log time */
    uint64_t known_ms;            /* newest time that we have proof of; 0 */
};

/* What a good chain says. */
struct ident_node {
    struct clinic_id root;
    struct device_id key;
    uint64_t generation;
    uint64_t not_before_ms; /* of the node certificate */
    uint64_t not_after_ms;  /* the earlier of both */
    bool clock_behind;      /* our clock is wrong: nothing was expired */
};

/*
 * A signed certificate: type IDENT_RENEWAL signed by the root, or IDENT_NODE
 * signed by the renewal key.
 */
MUST_CHECK enum err ident_cert_make(const struct mem *mem, enum ident_type type,
                                    const struct prim_sign_key *signer,
                                    const struct ident_cert *cert,
                                    struct bytes *out);

MUST_CHECK enum err ident_chain_make(const struct mem *mem, struct view renewal,
                                     struct view node, struct bytes *out);

/*
 * Verify a chain.
 * ERR_FORMAT       malformed, or longer than IDENT_CHAIN_MAX
 * ERR_UNSUPPORTED  a version that we do not know
 * ERR_AUTH         a signature is wrong; another root or key than expected
 * ERR_STALE        expired by more than IDENT_TOLERANCE_MS, or the generation
 *                  is below generation_min
 */
MUST_CHECK enum err ident_chain_verify(const struct mem *mem, struct view chain,
                                       const struct ident_check *check,
                                       struct ident_node *out);

/* Root-signed "generations below min are revoked". */
MUST_CHECK enum err ident_revoke_make(const struct mem *mem,
                                      const struct prim_sign_key *root,
                                      uint64_t generation_min,
                                      struct bytes *out);

/* ERR_FORMAT, ERR_UNSUPPORTED, ERR_AUTH (not by this root) */
MUST_CHECK enum err ident_revoke_open(const struct mem *mem,
                                      const struct clinic_id *root,
                                      struct view in, uint64_t *generation_min);

/*
 * A statement signed by a node key, with the chain that proves it: for what
 * is stored or shown away from the connection.  [chain, signed statement]
 */
MUST_CHECK enum err ident_by_node_make(const struct mem *mem,
                                       enum ident_type type,
                                       const struct prim_sign_key *node,
                                       struct view chain, struct view statement,
                                       struct bytes *out);

/* The same of parts: sig is the node's signature of statement. */
MUST_CHECK enum err ident_by_node_join(const struct mem *mem, struct view chain,
                                       struct view statement, struct view sig,
                                       struct bytes *out);

/*
 * *statement points into in; errors as ident_chain_verify.  node_out may be
 * NULL.
 */
MUST_CHECK enum err ident_by_node_open(const struct mem *mem,
                                       enum ident_type type, struct view in,
                                       const struct ident_check *check,
                                       struct ident_node *node_out,
                                       struct view *statement);

#endif
