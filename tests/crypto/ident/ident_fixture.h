/* SPDX-License-Identifier: Apache-2.0 */
/* A clinic with root, renewal key, node key and chain, the same each time. */
#ifndef TESTS_CRYPTO_IDENT_IDENT_FIXTURE_H
#define TESTS_CRYPTO_IDENT_IDENT_FIXTURE_H

#include "crypto/ident/cert.h"
#include "tests/support/check.h"
#include "tests/support/seed_rng.h"

#define FIXTURE_NOW_MS UINT64_C(1800000000000)

struct fixture {
    struct prim_sign_key root;
    struct prim_sign_key renewal;
    struct prim_sign_key node;
    struct ident_cert renewal_cert;
    struct ident_cert node_cert;
    struct bytes renewal_signed;
    struct bytes node_signed;
    struct bytes chain;
    struct clinic_id id;
};

/* Make certificates and chain again from renewal_cert and node_cert. */
static inline void
fixture_certify(struct fixture *f)
{
    bytes_free(&f->renewal_signed);
    bytes_free(&f->node_signed);
    bytes_free(&f->chain);
    CHECK_OK(ident_cert_make(mem_heap(), IDENT_RENEWAL, &f->root,
                             &f->renewal_cert, &f->renewal_signed));
    CHECK_OK(ident_cert_make(mem_heap(), IDENT_NODE, &f->renewal, &f->node_cert,
                             &f->node_signed));
    CHECK_OK(ident_chain_make(mem_heap(), view_of(&f->renewal_signed),
                              view_of(&f->node_signed), &f->chain));
}

static inline void
fixture_init(struct fixture *f, uint64_t seed)
{
    struct seed_rng s;

    *f = (struct fixture){0};
    seed_rng_init(&s, seed);
    CHECK_OK(ident_key_new(&s.rng, &f->root));
    CHECK_OK(ident_key_new(&s.rng, &f->renewal));
    CHECK_OK(ident_key_new(&s.rng, &f->node));
    CHECK_OK(clinic_id_from(prim_sign_key_pub(&f->root), &f->id));
    f->renewal_cert.root = f->id;
    memcpy(f->renewal_cert.key, f->renewal.pub, PRIM_ED25519_PUB);
    f->renewal_cert.generation = ident_generation(1, 0);
    f->renewal_cert.not_before_ms = FIXTURE_NOW_MS;
    f->renewal_cert.not_after_ms = FIXTURE_NOW_MS + IDENT_RENEWAL_MS;
    f->node_cert.root = f->id;
    memcpy(f->node_cert.key, f->node.pub, PRIM_ED25519_PUB);
    f->node_cert.generation = ident_generation(1, 5);
    f->node_cert.not_before_ms = FIXTURE_NOW_MS;
    f->node_cert.not_after_ms = FIXTURE_NOW_MS + IDENT_NODE_MS;
    fixture_certify(f);
}

static inline void
fixture_clear(struct fixture *f)
{
    bytes_free(&f->renewal_signed);
    bytes_free(&f->node_signed);
    bytes_free(&f->chain);
}

#endif
