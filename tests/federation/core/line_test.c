/* SPDX-License-Identifier: Apache-2.0 */
/* What happened in a conversation: records, and how they are read. */
#include "federation/core/hub.h"
#include "federation/core/line.h"
#include "proto/msg/group.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

#include <string.h>

static const struct thread_id thread = {{0xc1}};

static struct fed_line
line(enum fed_line_what what, uint64_t at, uint8_t who)
{
    struct fed_line l = {.what = what, .at = at, .ts_ms = at * 10};

    memset(l.who, who, sizeof(l.who));
    memset(l.by, 0xb0, sizeof(l.by));
    memset(l.device, 0xd0, sizeof(l.device));
    return l;
}

static void
there_and_back(const struct fed_line *in)
{
    uint8_t key[FED_LINE_KEY];
    struct bytes b = {0};
    struct fed_line out;

    fed_line_key(&thread, in, key);
    CHECK_OK(fed_line_encode(mem_heap(), in, &b));
    memset(&out, 0xff, sizeof(out));
    CHECK_OK(fed_line_decode(VIEW_ARRAY(key), view_of(&b), &out));
    CHECK(out.what == in->what && out.at == in->at && out.ts_ms == in->ts_ms);
    CHECK_VIEW(VIEW_ARRAY(out.who), VIEW_ARRAY(in->who));
    CHECK_VIEW(VIEW_ARRAY(out.by), VIEW_ARRAY(in->by));
    CHECK_VIEW(VIEW_ARRAY(out.device), VIEW_ARRAY(in->device));
    bytes_free(&b);
}

TEST(records)
{
    for (int what = FED_LINE_CAME; what <= FED_LINE_TAKEN; what++) {
        struct fed_line l =
            line((enum fed_line_what)what, fed_line_at(3, 64 * 700), 7);

        there_and_back(&l);
    }
}

TEST(no_records_of_ours)
{
    struct fed_line l = line(FED_LINE_CAME, 5, 1);
    struct fed_line out;
    uint8_t key[FED_LINE_KEY];
    struct bytes b = {0};

    fed_line_key(&thread, &l, key);
    CHECK_OK(fed_line_encode(mem_heap(), &l, &b));
    CHECK_ERR(
        fed_line_decode(view_make(key, sizeof(key) - 1), view_of(&b), &out),
        ERR_CORRUPT);
    CHECK_ERR(fed_line_decode(VIEW_ARRAY(key), view_make(b.p, b.len - 1), &out),
              ERR_CORRUPT);
    key[40] = 0;
    CHECK_ERR(fed_line_decode(VIEW_ARRAY(key), view_of(&b), &out), ERR_CORRUPT);
    key[40] = FED_LINE_MISSING;
    CHECK_ERR(fed_line_decode(VIEW_ARRAY(key), view_of(&b), &out), ERR_CORRUPT);
    bytes_free(&b);
}

/* Keys are in the order of the log, over terms. */
TEST(order_of_keys)
{
    uint8_t a[FED_LINE_KEY];
    uint8_t b[FED_LINE_KEY];
    struct fed_line x = line(FED_LINE_TAKEN, fed_line_at(1, 300), 9);
    struct fed_line y = line(FED_LINE_CAME, fed_line_at(2, 1), 1);

    fed_line_key(&thread, &x, a);
    fed_line_key(&thread, &y, b);
    CHECK(memcmp(a, b, sizeof(a)) < 0);
}

static struct fed_show
show(enum fed_show_kind kind, uint64_t code, uint64_t flags)
{
    struct fed_show s = {.kind = kind,
                         .thread = thread,
                         .code = code,
                         .value = flags,
                         .term = 2,
                         .seq = 640,
                         .ts_ms = 99};

    memset(s.author.b, 1, sizeof(s.author.b));
    memset(s.peer.b, 2, sizeof(s.peer.b));
    memset(s.other.b, 3, sizeof(s.other.b));
    return s;
}

TEST(what_is_told)
{
    struct fed_show s = show(FED_SHOW_MEMBER, FED_MEMBER_OUT, 0);
    struct fed_line l;

    CHECK(fed_line_of(&s, &l));
    CHECK(l.what == FED_LINE_REMOVED && l.who[0] == 1 && l.by[0] == 3);
    CHECK(l.at == fed_line_at(2, 640) && l.ts_ms == 99);
    s = show(FED_SHOW_HUB, FED_HUB_HANDED, 0);
    CHECK(fed_line_of(&s, &l));
    CHECK(l.what == FED_LINE_HANDED && l.who[0] == 2 && l.by[0] == 3);
    s = show(FED_SHOW_HUB, FED_HUB_TAKEN, 0);
    CHECK(fed_line_of(&s, &l) && l.what == FED_LINE_TAKEN);
    /* nothing to see */
    s = show(FED_SHOW_HUB, FED_HUB_GONE, 0);
    CHECK(!fed_line_of(&s, &l));
    s = show(FED_SHOW_MEMBER, FED_MEMBER_WANTS_OUT + 1, 0);
    CHECK(!fed_line_of(&s, &l));
    s = show(FED_SHOW_THREAD, 0, 0);
    CHECK(!fed_line_of(&s, &l));
    /* of two it is no news that they are two */
    s = show(FED_SHOW_MEMBER, FED_MEMBER_CAME, PROTO_GROUP_DIRECT);
    CHECK(!fed_line_of(&s, &l));
    s = show(FED_SHOW_MEMBER, FED_MEMBER_DEVICE_CAME, PROTO_GROUP_DIRECT);
    CHECK(fed_line_of(&s, &l));
}

TEST(left_is_told_once)
{
    struct fed_line l[] = {
        line(FED_LINE_WANTS_OUT, 1, 1), line(FED_LINE_WANTS_OUT, 2, 1),
        line(FED_LINE_WANTS_OUT, 3, 2), line(FED_LINE_REMOVED, 4, 1),
        line(FED_LINE_CAME, 5, 1),      line(FED_LINE_REMOVED, 6, 1),
    };
    size_t n = 6;

    fed_lines_settle(l, &n);
    CHECK_EQ(n, 4);
    CHECK(l[0].what == FED_LINE_WANTS_OUT && l[0].who[0] == 2);
    CHECK(l[1].what == FED_LINE_LEFT && l[1].at == 4);
    CHECK(l[2].what == FED_LINE_CAME);
    CHECK(l[3].what == FED_LINE_REMOVED); /* came again, and did not ask */
    CHECK_STR(fed_line_word(l[1].what), "left");
    n = 0;
    fed_lines_settle(l, &n);
    CHECK_EQ(n, 0);
}

TEST(without_memory)
{
    struct fed_line l = line(FED_LINE_CAME, 5, 1);
    enum err e = ERR_NOMEM;

    for (uint64_t n = 1; e != OK; n++) {
        struct fail_mem f;
        struct bytes b = {0};

        fail_mem_init(&f, n);
        e = fed_line_encode(&f.mem, &l, &b);
        CHECK(e == OK || (e == ERR_NOMEM && f.hit));
        bytes_free(&b);
        CHECK_EQ(f.live, 0);
    }
}

int
main(void)
{
    return RUN(T(records), T(no_records_of_ours), T(order_of_keys),
               T(what_is_told), T(left_is_told_once), T(without_memory));
}
