/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/hpke.h"

#include "tests/support/check.h"
#include "tests/support/seed_rng.h"

#include <string.h>

#define SUITE(AEAD, KEY)                                                    \
    {                                                                       \
        PRIM_KEM_X25519, PRIM_HKDF_SHA256, AEAD, PRIM_ED25519, 32, KEY, 12, \
            16, 32, 32, 32                                                  \
    }

static const struct prim_suite suites[] = {
    SUITE(PRIM_AES_128_GCM, 16),
    SUITE(PRIM_CHACHA20_POLY1305, 32),
};

/* RFC 9180 A.1.1 and A.2.1: base mode, sequence number 0, exports */
static const struct known {
    const char *eph_ikm, *eph_priv, *eph_pub;
    const char *ikm, *priv, *pub;
    const char *ct;
    const char *export_none;
} known[] = {
    {
        "7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234",
        "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736",
        "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
        "6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037",
        "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
        "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
        "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9"
        "6d8770ac83d07bea87e13c512a",
        "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee",
    },
    {
        "909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b",
        "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600",
        "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
        "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df",
        "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
        "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db"
        "21993c62ce81883d2dd1b51a28",
        "4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e",
    },
};

/* Randomness that is one ephemeral private key, once. */
static enum err
fixed_fill(void *ctx, uint8_t *out, size_t len)
{
    struct view *v = ctx;

    if (v->len != len) {
        return ERR_IO;
    }
    memcpy(out, v->p, len);
    *v = (struct view){0};
    return OK;
}

TEST(derive_key_pair)
{
    for (size_t i = 0; i < 2; i++) {
        const struct known *k = &known[i];
        struct prim_kem_pair pair = {0};

        CHECK_OK(prim_kem_derive(&suites[i], check_hex(k->ikm), &pair));
        CHECK_VIEW(prim_secret_view(&pair.priv), check_hex(k->priv));
        CHECK_VIEW(prim_kem_pub(&pair), check_hex(k->pub));
        CHECK_OK(prim_kem_derive(&suites[i], check_hex(k->eph_ikm), &pair));
        CHECK_VIEW(prim_kem_pub(&pair), check_hex(k->eph_pub));
        CHECK_ERR(prim_kem_from_priv(&suites[i], VIEW_LIT("short"), &pair),
                  ERR_INVALID);
        CHECK_VIEW(prim_kem_pub(&pair), check_hex(k->eph_pub));
    }
}

TEST(seal_and_open_as_in_the_rfc)
{
    struct view pt = check_hex("4265617574792069732074727574682c20"
                               "747275746820626561757479");
    struct view aad = VIEW_LIT("Count-0");
    struct view info[] = {VIEW_LIT("Ode on "), VIEW_LIT("a Grecian Urn")};

    for (size_t i = 0; i < 2; i++) {
        const struct known *k = &known[i];
        struct view eph = check_hex(k->eph_priv);
        struct rng rng = {fixed_fill, &eph};
        struct prim_kem_pair pair = {0};
        uint8_t enc[PRIM_KEM_PUB_MAX];
        uint8_t ct[64];
        uint8_t out[64];

        CHECK_OK(prim_kem_from_priv(&suites[i], check_hex(k->priv), &pair));
        CHECK_VIEW(prim_kem_pub(&pair), check_hex(k->pub));
        CHECK_OK(prim_hpke_seal(&suites[i], &rng, prim_kem_pub(&pair), info, 2,
                                aad, pt, enc, ct));
        CHECK_VIEW(view_make(enc, 32), check_hex(k->eph_pub));
        CHECK_VIEW(view_make(ct, pt.len + 16), check_hex(k->ct));
        CHECK_OK(prim_hpke_open(&suites[i], &pair, view_make(enc, 32), info, 2,
                                aad, view_make(ct, pt.len + 16), out));
        CHECK_VIEW(view_make(out, pt.len), pt);
        CHECK_ERR(prim_hpke_open(&suites[i], &pair, view_make(enc, 32), info, 1,
                                 aad, view_make(ct, pt.len + 16), out),
                  ERR_AUTH);
        CHECK_ERR(prim_hpke_open(&suites[i], &pair, view_make(enc, 32), info, 2,
                                 aad, view_make(ct, 7), out),
                  ERR_AUTH);
    }
}

TEST(export_as_in_the_rfc)
{
    struct view info = VIEW_LIT("Ode on a Grecian Urn");

    for (size_t i = 0; i < 2; i++) {
        const struct known *k = &known[i];
        struct view eph = check_hex(k->eph_priv);
        struct rng rng = {fixed_fill, &eph};
        struct prim_kem_pair pair = {0};
        uint8_t enc[PRIM_KEM_PUB_MAX];
        uint8_t out[32];

        CHECK_OK(prim_kem_from_priv(&suites[i], check_hex(k->priv), &pair));
        CHECK_OK(prim_hpke_export_send(&suites[i], &rng, prim_kem_pub(&pair),
                                       &info, 1, (struct view){0}, enc, out,
                                       32));
        CHECK_VIEW(VIEW_ARRAY(out), check_hex(k->export_none));
        memset(out, 0, sizeof(out));
        CHECK_OK(prim_hpke_export_receive(&suites[i], &pair, view_make(enc, 32),
                                          &info, 1, (struct view){0}, out, 32));
        CHECK_VIEW(VIEW_ARRAY(out), check_hex(k->export_none));
        CHECK_ERR(prim_hpke_export_receive(
                      &suites[i], &pair, view_make(enc, 32), &info, 1,
                      (struct view){0}, out, PRIM_HKDF_MAX + 1),
                  ERR_LIMIT);
    }
}

TEST(bad_keys_and_no_randomness)
{
    uint8_t zero[32] = {0};
    uint8_t enc[PRIM_KEM_PUB_MAX];
    uint8_t ct[32];
    struct seed_rng seed;
    struct view none = {0};
    struct rng dry = {fixed_fill, &none};
    struct prim_kem_pair pair = {0};
    const struct prim_suite *s = &suites[1];

    seed_rng_init(&seed, 1);
    CHECK_OK(prim_kem_generate(s, &seed.rng, &pair));
    /* [x25519-zero] both ways */
    CHECK_ERR(prim_hpke_seal(s, &seed.rng, VIEW_ARRAY(zero), NULL, 0, none,
                             none, enc, ct),
              ERR_INVALID);
    CHECK_ERR(prim_hpke_open(s, &pair, VIEW_ARRAY(zero), NULL, 0, none,
                             VIEW_ARRAY(ct), ct),
              ERR_INVALID);
    CHECK_ERR(prim_hpke_seal(s, &seed.rng, view_make(zero, 31), NULL, 0, none,
                             none, enc, ct),
              ERR_INVALID);
    CHECK_ERR(prim_hpke_open(s, &pair, view_make(zero, 31), NULL, 0, none,
                             VIEW_ARRAY(ct), ct),
              ERR_INVALID);
    CHECK_ERR(prim_hpke_seal(s, &dry, prim_kem_pub(&pair), NULL, 0, none, none,
                             enc, ct),
              ERR_IO);
    CHECK_ERR(prim_kem_generate(s, &dry, &pair), ERR_IO);
}

int
main(void)
{
    return RUN(T(derive_key_pair), T(seal_and_open_as_in_the_rfc),
               T(export_as_in_the_rfc), T(bad_keys_and_no_randomness));
}
