/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/key_schedule.h"

#include "tests/support/check.h"
#include "tests/support/seed_rng.h"

#define KNOWN_SCHEDULE
#define KNOWN_SENDER_DATA
#include "tests/crypto/mls/known.h"

static struct prim_secret
secret_of(const char *hex)
{
    struct prim_secret s = {0};

    CHECK_OK(prim_secret_set(&s, check_hex(hex)));
    return s;
}

static void
check_secret(const struct prim_secret *got, const char *want)
{
    CHECK_VIEW(prim_secret_view(got), check_hex(want));
}

TEST(epoch)
{
    for (size_t i = 0; i < KNOWN_N(known_schedule); i++) {
        const struct known_schedule *k = &known_schedule[i];
        const struct mls_suite *s = mls_suite_find(k->suite);
        struct prim_secret init = secret_of(k->initial_init_secret);
        struct prim_secret commit = secret_of(k->commit_secret);
        struct prim_secret psk = secret_of(k->psk_secret);
        struct view context = check_hex(k->group_context);
        struct prim_secret joiner = {0};
        struct prim_secret welcome = {0};
        struct mls_epoch_keys keys = {0};

        mls_joiner_secret(s, &init, &commit, context, &joiner);
        check_secret(&joiner, k->joiner_secret);
        mls_welcome_secret(s, &joiner, &psk, &welcome);
        check_secret(&welcome, k->welcome_secret);
        mls_epoch_keys_derive(s, &joiner, &psk, context, &keys);
        check_secret(&keys.sender_data, k->sender_data_secret);
        check_secret(&keys.encryption, k->encryption_secret);
        check_secret(&keys.exporter, k->exporter_secret);
        check_secret(&keys.external, k->external_secret);
        check_secret(&keys.confirmation, k->confirmation_key);
        check_secret(&keys.membership, k->membership_key);
        check_secret(&keys.resumption_psk, k->resumption_psk);
        check_secret(&keys.authenticator, k->epoch_authenticator);
        check_secret(&keys.init, k->init_secret);
        mls_epoch_keys_wipe(&keys);
        CHECK(prim_is_zero(view_make(&keys, sizeof(keys))));
    }
}

TEST(exporter_and_external)
{
    for (size_t i = 0; i < KNOWN_N(known_schedule); i++) {
        const struct known_schedule *k = &known_schedule[i];
        const struct mls_suite *s = mls_suite_find(k->suite);
        struct prim_secret exporter = secret_of(k->exporter_secret);
        struct prim_secret external = secret_of(k->external_secret);
        struct view want = check_hex(k->export_secret);
        struct prim_kem_pair pair = {0};
        uint8_t out[256];

        /* the label is the text of the hex digits */
        CHECK(want.len <= sizeof(out));
        CHECK_OK(mls_exporter(s, &exporter, view_str(k->export_label),
                              check_hex(k->export_context), out, want.len));
        CHECK_VIEW(view_make(out, want.len), want);
        CHECK_OK(mls_external_pair(s, &external, &pair));
        CHECK_VIEW(prim_kem_pub(&pair), check_hex(k->external_pub));
    }
}

TEST(external_init_agrees)
{
    struct seed_rng seed;

    seed_rng_init(&seed, 3);
    for (size_t i = 0; mls_suite_at(i) != NULL; i++) {
        const struct mls_suite *s = mls_suite_at(i);
        struct prim_secret external = {.len = 32, .b = {9}};
        struct prim_secret ours = {0};
        struct prim_secret theirs = {0};
        struct prim_kem_pair pair = {0};
        uint8_t out[PRIM_KEM_PUB_MAX];

        CHECK_OK(mls_external_pair(s, &external, &pair));
        CHECK_OK(mls_external_init_send(s, &seed.rng, prim_kem_pub(&pair), out,
                                        &ours));
        CHECK_OK(
            mls_external_init_receive(s, &pair, view_make(out, 32), &theirs));
        CHECK_EQ(ours.len, 32);
        CHECK_VIEW(prim_secret_view(&ours), prim_secret_view(&theirs));
        CHECK_ERR(
            mls_external_init_receive(s, &pair, view_make(out, 31), &theirs),
            ERR_INVALID);
        CHECK_VIEW(prim_secret_view(&ours), prim_secret_view(&theirs));
    }
}

/* [sender-data-sample] */
TEST(sender_data)
{
    for (size_t i = 0; i < KNOWN_N(known_sender_data); i++) {
        const struct known_sender_data *k = &known_sender_data[i];
        const struct mls_suite *s = mls_suite_find(k->suite);
        struct prim_secret secret = secret_of(k->secret);
        struct mls_key_nonce got = {0};
        struct mls_key_nonce again = {0};
        struct view ct = check_hex(k->ciphertext);

        mls_sender_data_key(s, &secret, ct, &got);
        check_secret(&got.key, k->key);
        check_secret(&got.nonce, k->nonce);
        mls_sender_data_key(s, &secret, view_sub(ct, 0, 32), &again);
        check_secret(&again.key, k->key);
        mls_sender_data_key(s, &secret, view_sub(ct, 0, 31), &again);
        CHECK(!view_equal(prim_secret_view(&again.key),
                          prim_secret_view(&got.key)));
    }
}

int
main(void)
{
    return RUN(T(epoch), T(exporter_and_external), T(external_init_agrees),
               T(sender_data));
}
