/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/redeem.h"
#include "tests/support/check.h"

/* decisions B 7: bound to the secret, both roots, the link, the connection */
TEST(every_part_counts)
{
    uint8_t secret[PROTO_LINK_SECRET] = {1};
    uint8_t proof[IDENT_PROOF];
    struct ident_redeem what = {0};
    struct ident_redeem other;

    memset(what.owner.b, 2, sizeof(what.owner.b));
    memset(what.redeemer.b, 3, sizeof(what.redeemer.b));
    memset(what.exporter, 4, sizeof(what.exporter));
    ident_redeem_prove(secret, &what, proof);
    CHECK_OK(ident_redeem_check(secret, &what, VIEW_ARRAY(proof)));
    other = what;
    other.owner.b[31] ^= 1;
    CHECK_ERR(ident_redeem_check(secret, &other, VIEW_ARRAY(proof)), ERR_AUTH);
    other = what;
    other.redeemer.b[0] ^= 1;
    CHECK_ERR(ident_redeem_check(secret, &other, VIEW_ARRAY(proof)), ERR_AUTH);
    other = what;
    other.link.b[7] ^= 1;
    CHECK_ERR(ident_redeem_check(secret, &other, VIEW_ARRAY(proof)), ERR_AUTH);
    other = what;
    other.exporter[9] ^= 1;
    CHECK_ERR(ident_redeem_check(secret, &other, VIEW_ARRAY(proof)), ERR_AUTH);
    CHECK_ERR(
        ident_redeem_check(secret, &what, view_make(proof, sizeof(proof) - 1)),
        ERR_AUTH);
    secret[15] ^= 1;
    CHECK_ERR(ident_redeem_check(secret, &what, VIEW_ARRAY(proof)), ERR_AUTH);
}

int
main(void)
{
    return RUN(T(every_part_counts));
}
