/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/transcript.h"

#include "tests/support/check.h"

#define KNOWN_TRANSCRIPT
#include "tests/crypto/mls/known.h"

TEST(hashes_and_tag)
{
    for (size_t i = 0; i < KNOWN_N(known_transcript); i++) {
        const struct known_transcript *k = &known_transcript[i];
        const struct mls_suite *s = mls_suite_find(k->suite);
        struct view input = check_hex(k->input);
        struct view halves[] = {view_sub(input, 0, 2), view_skip(input, 2)};
        struct prim_secret key = {0};
        struct mls_hash confirmed = {0};
        struct mls_hash interim = {0};
        struct mls_hash tag = {0};

        CHECK_OK(prim_secret_set(&key, check_hex(k->confirmation_key)));
        mls_confirmed_hash(s, check_hex(k->interim_before), halves, 2,
                           &confirmed);
        CHECK_VIEW(mls_hash_view(&confirmed), check_hex(k->confirmed));
        mls_confirmation_tag(s, &key, mls_hash_view(&confirmed), &tag);
        CHECK_VIEW(mls_hash_view(&tag), check_hex(k->tag));
        mls_interim_hash(s, mls_hash_view(&confirmed), check_hex(k->tag),
                         &interim);
        CHECK_VIEW(mls_hash_view(&interim), check_hex(k->interim_after));
    }
}

int
main(void)
{
    return RUN(T(hashes_and_tag));
}
