/* SPDX-License-Identifier: Apache-2.0 */
/* A table of messages: what is in it, what is not, and what is no message. */
#include "proto/msg/typed.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

struct one {
    uint64_t n;
};

struct two {
    struct view text;
};

union any {
    struct one one;
    struct two two;
};

static const struct proto_field one_fields[] = {PROTO_UINT(one, n, 9)};
static const struct proto_field two_fields[] = {PROTO_BIN(two, text, 4)};

static const struct proto_typed entries[] = {
    {7, 1, PROTO_SHAPE(one, one_fields)},
    {300, 2, PROTO_SHAPE(two, two_fields)},
};

static const struct proto_typed_table table = PROTO_TYPED_TABLE(entries);

TEST(there_and_back)
{
    union any in = {.two = {VIEW_LIT("abcd")}};
    union any back = {.one = {0}};
    uint64_t type = 0;
    struct bytes out = {0};

    CHECK_OK(proto_typed_encode(mem_heap(), &table, 300, &in, &out));
    CHECK_VIEW(view_of(&out), VIEW_LIT("\x93\xcd\x01\x2c\x02\xc4\x04"
                                       "abcd"));
    CHECK_EQ(proto_typed_peek(view_of(&out)), 300);
    CHECK_OK(proto_typed_decode(view_of(&out), &table, &type, &back));
    CHECK_EQ(type, 300);
    CHECK_VIEW(back.two.text, VIEW_LIT("abcd"));
    for (size_t n = 0; n < out.len; n++) {
        CHECK_ERR(proto_typed_decode(view_make(out.p, n), &table, &type, &back),
                  ERR_FORMAT);
    }
    bytes_free(&out);
}

TEST(what_is_not_in_the_table)
{
    union any any = {.one = {1}};
    uint64_t type = 0;
    struct bytes out = {0};

    CHECK(proto_typed_shape(&table, 7) == &entries[0].shape);
    CHECK(proto_typed_shape(&table, 8) == NULL);
    CHECK_ERR(proto_typed_encode(mem_heap(), &table, 8, &any, &out),
              ERR_INVALID);
    any.one.n = 10;
    CHECK_ERR(proto_typed_encode(mem_heap(), &table, 7, &any, &out), ERR_LIMIT);
    /* another type; another version; more than the array says */
    CHECK_ERR(
        proto_typed_decode(VIEW_LIT("\x93\x08\x01\x01"), &table, &type, &any),
        ERR_UNSUPPORTED);
    CHECK_ERR(
        proto_typed_decode(VIEW_LIT("\x93\x07\x02\x01"), &table, &type, &any),
        ERR_UNSUPPORTED);
    CHECK_ERR(proto_typed_decode(VIEW_LIT("\x93\x08\x01\x01\x01"), &table,
                                 &type, &any),
              ERR_FORMAT);
    CHECK_EQ(type, 0);
    CHECK_ERR(
        proto_typed_decode(VIEW_LIT("\x93\x07\x01\x0a"), &table, &type, &any),
        ERR_LIMIT);
    CHECK_EQ(proto_typed_peek(VIEW_LIT("\x91\x07")), 0);
    CHECK_EQ(proto_typed_peek(VIEW_LIT("\x07\x07")), 0);
    CHECK_EQ(proto_typed_peek((struct view){0}), 0);
}

TEST(no_memory)
{
    const union any in = {.one = {9}};

    for (uint64_t n = 1;; n++) {
        struct bytes out = {0};
        struct fail_mem f;
        enum err e;

        fail_mem_init(&f, n);
        e = proto_typed_encode(&f.mem, &table, 7, &in, &out);
        bytes_free(&out);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

int
main(void)
{
    return RUN(T(there_and_back), T(what_is_not_in_the_table), T(no_memory));
}
