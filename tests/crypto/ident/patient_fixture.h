/* SPDX-License-Identifier: Apache-2.0 */
/* A patient with two devices, the first of which may add. */
#ifndef TESTS_CRYPTO_IDENT_PATIENT_FIXTURE_H
#define TESTS_CRYPTO_IDENT_PATIENT_FIXTURE_H

#include "crypto/ident/device_list.h"
#include "tests/support/check.h"
#include "tests/support/seed_rng.h"

struct patient {
    struct prim_sign_key key;
    struct prim_sign_key phone; /* may add */
    struct prim_sign_key tablet;
    struct prim_sign_key laptop; /* not in the list */
    struct patient_id id;
    struct ident_devices want;
    struct ident_devices list;
    struct bytes encoded;
};

static inline struct device_id
device_of(const struct prim_sign_key *k)
{
    struct device_id id;

    memcpy(id.b, k->pub, sizeof(id.b));
    return id;
}

/* Sign want again, and open it. */
static inline void
patient_sign(struct patient *p)
{
    bytes_free(&p->encoded);
    CHECK_OK(ident_devices_make(mem_heap(), &p->key, &p->want, &p->encoded));
    CHECK_OK(
        ident_devices_open(mem_heap(), &p->id, view_of(&p->encoded), &p->list));
}

static inline void
patient_init(struct patient *p, uint64_t seed)
{
    struct seed_rng s;

    *p = (struct patient){0};
    seed_rng_init(&s, seed);
    CHECK_OK(ident_key_new(&s.rng, &p->key));
    CHECK_OK(ident_key_new(&s.rng, &p->phone));
    CHECK_OK(ident_key_new(&s.rng, &p->tablet));
    CHECK_OK(ident_key_new(&s.rng, &p->laptop));
    memcpy(p->id.b, p->key.pub, sizeof(p->id.b));
    memset(p->want.home.b, 7, sizeof(p->want.home.b));
    p->want.generation = ident_generation(1, 0);
    p->want.len = 2;
    p->want.device[0].id = device_of(&p->phone);
    p->want.device[0].may_add = true;
    p->want.device[1].id = device_of(&p->tablet);
    patient_sign(p);
}

static inline void
patient_clear(struct patient *p)
{
    bytes_free(&p->encoded);
}

#endif
