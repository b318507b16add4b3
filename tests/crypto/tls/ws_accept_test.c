/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/tls/ws_accept.h"
#include "tests/support/check.h"

TEST(the_example_of_the_rfc)
{
    char out[TLSP_WS_ACCEPT + 1];

    CHECK_OK(tlsp_ws_accept(VIEW_LIT("dGhlIHNhbXBsZSBub25jZQ=="), out));
    CHECK_STR(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(what_is_no_key)
{
    static const char *const bad[] = {
        "",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZR==",
        "dGhlIHNhbXBsZSBub25jZQA=",
        "dGhlIHNhbXBsZSBub25jZQAA",
        "dGhlIHNhbXBsZSB\nb25jZQ==",
        "========================",
    };
    char out[TLSP_WS_ACCEPT + 1];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_ERR(tlsp_ws_accept(view_str(bad[i]), out), ERR_FORMAT);
    }
}

int
main(void)
{
    return RUN(T(the_example_of_the_rfc), T(what_is_no_key));
}
