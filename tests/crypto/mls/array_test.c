/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/array.h"

#include "tests/support/check.h"

TEST(grows_up_to_its_bound)
{
    struct arena a = {.mem = mem_heap()};
    struct mls_array array = {.size = sizeof(uint32_t), .max = 100};
    struct proto_tls_rd r = proto_tls_rd_open((struct view){0});
    uint32_t *items;

    for (uint32_t i = 0; i < 100; i++) {
        uint32_t *item = mls_array_add(&r, &a, &array);

        CHECK(item != NULL);
        CHECK_EQ(*item, 0);
        *item = i;
    }
    items = array.items;
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_EQ(items[i], i);
    }
    CHECK_OK(proto_tls_rd_end(&r));
    CHECK(mls_array_add(&r, &a, &array) == NULL);
    CHECK_ERR(proto_tls_rd_end(&r), ERR_LIMIT);
    arena_clear(&a);
}

TEST(nothing_is_added_after_a_failure)
{
    struct arena a = {.mem = mem_heap()};
    struct mls_array array = {.size = 1, .max = 100};
    struct proto_tls_rd r = proto_tls_rd_open((struct view){0});

    proto_tls_rd_fail(&r, ERR_FORMAT);
    CHECK(mls_array_add(&r, &a, &array) == NULL);
    CHECK_EQ(array.count, 0);
}

TEST(what_was_read)
{
    struct view in = check_hex("0102 0304");
    struct proto_tls_rd r = proto_tls_rd_open(in);
    struct proto_tls_rd sub = proto_tls_rd_open(in);

    proto_tls_rd_u16(&r);
    CHECK_VIEW(mls_rd_since(&r, in), view_sub(in, 0, 2));
    mls_rd_join(&r, &sub);
    CHECK_ERR(r.e, ERR_FORMAT); /* sub has bytes left */
    CHECK_EQ(mls_rd_since(&r, in).len, 0);
}

int
main(void)
{
    return RUN(T(grows_up_to_its_bound), T(nothing_is_added_after_a_failure),
               T(what_was_read));
}
