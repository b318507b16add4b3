/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/msg/b64.h"
#include "tests/support/check.h"
#include "tests/support/seed_rng.h"

TEST(rfc4648_vectors)
{
    static const struct {
        const char *raw;
        const char *text;
    } v[] = {
        {"", ""},
        {"f", "Zg"},
        {"fo", "Zm8"},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg"},
        {"fooba", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy"},
    };

    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        struct bytes b = {0};
        uint8_t back[16];
        size_t len;

        CHECK_OK(proto_b64_append(mem_heap(), view_str(v[i].raw), &b));
        CHECK_VIEW(view_of(&b), view_str(v[i].text));
        CHECK_OK(proto_b64_decode(view_of(&b), back, sizeof(back), &len));
        CHECK_VIEW(view_make(back, len), view_str(v[i].raw));
        bytes_free(&b);
    }
}

/* [b64-canonical] */
TEST(refused)
{
    uint8_t out[4];
    size_t len;

    CHECK_ERR(proto_b64_decode(VIEW_LIT("Z"), out, 4, &len), ERR_FORMAT);
    CHECK_ERR(proto_b64_decode(VIEW_LIT("Zh"), out, 4, &len), ERR_FORMAT);
    CHECK_ERR(proto_b64_decode(VIEW_LIT("Zg=="), out, 4, &len), ERR_FORMAT);
    CHECK_ERR(proto_b64_decode(VIEW_LIT("Z+8"), out, 4, &len), ERR_FORMAT);
    CHECK_ERR(proto_b64_decode(VIEW_LIT("Zm9vYmE"), out, 4, &len), ERR_LIMIT);
}

TEST(random_round_trips)
{
    struct seed_rng s;
    uint8_t raw[100];
    uint8_t back[100];

    seed_rng_init(&s, 64);
    for (int i = 0; i < 500; i++) {
        size_t len = (size_t)seed_rng_below(&s, sizeof(raw));
        size_t got;
        struct bytes b = {0};

        CHECK_OK(rng_fill(&s.rng, raw, len));
        CHECK_OK(proto_b64_append(mem_heap(), view_make(raw, len), &b));
        CHECK_OK(proto_b64_decode(view_of(&b), back, sizeof(back), &got));
        CHECK_VIEW(view_make(back, got), view_make(raw, len));
        bytes_free(&b);
    }
}

int
main(void)
{
    return RUN(T(rfc4648_vectors), T(refused), T(random_round_trips));
}
