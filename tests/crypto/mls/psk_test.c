/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/psk.h"

#include "proto/base/limits.h"
#include "proto/wire/tls_wr.h"
#include "tests/support/check.h"

#define KNOWN_PSK
#include "tests/crypto/mls/known.h"

/* PreSharedKeyID of an external PSK */
static struct bytes
encode_id(const char *id, const char *nonce)
{
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct bytes out = {0};

    proto_tls_wr_u8(&w, 1);
    proto_tls_wr_vec(&w, check_hex(id));
    proto_tls_wr_vec(&w, check_hex(nonce));
    CHECK_OK(proto_tls_wr_take(&w, &out));
    return out;
}

TEST(chain)
{
    for (size_t i = 0; i < KNOWN_N(known_psk); i++) {
        const struct known_psk *k = &known_psk[i];
        const struct mls_suite *s = mls_suite_find(k->suite);
        struct bytes id0 = encode_id(k->id0, k->nonce0);
        struct bytes id1 = encode_id(k->id1, k->nonce1);
        struct mls_psk_input in[] = {{view_of(&id0), check_hex(k->psk0)},
                                     {view_of(&id1), check_hex(k->psk1)}};
        struct prim_secret out = {0};

        CHECK_OK(mls_psk_secret(s, in, 2, &out));
        CHECK_VIEW(prim_secret_view(&out), check_hex(k->out));
        bytes_free(&id0);
        bytes_free(&id1);
    }
}

TEST(none_is_zero_and_too_many_are_refused)
{
    const struct mls_suite *s = mls_suite_at(0);
    static struct mls_psk_input many[LIMIT_MLS_PSKS + 1];
    struct prim_secret out = {0};

    CHECK_OK(mls_psk_secret(s, NULL, 0, &out));
    CHECK_EQ(out.len, 32);
    CHECK(prim_is_zero(prim_secret_view(&out)));
    CHECK_ERR(mls_psk_secret(s, many, LIMIT_MLS_PSKS + 1, &out), ERR_LIMIT);
    CHECK_OK(mls_psk_secret(s, many, LIMIT_MLS_PSKS, &out));
    CHECK(!prim_is_zero(prim_secret_view(&out)));
}

int
main(void)
{
    return RUN(T(chain), T(none_is_zero_and_too_many_are_refused));
}
