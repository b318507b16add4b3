/* SPDX-License-Identifier: Apache-2.0 */
/* Who came and went, at the desk: kept apart, read in the order of the log. */
#include "federation/core/hub.h"
#include "node/clinic/line.h"
#include "proto/msg/group.h"
#include "tests/node/clinic/desk_fix.h"
#include "tests/support/fail_mem.h"

static struct desk_fix f;

static struct fed_show
member(enum fed_member_change code, uint64_t entry)
{
    struct fed_show show = {.kind = FED_SHOW_MEMBER,
                            .code = code,
                            .thread = f.thread,
                            .term = 1,
                            .seq = fed_place(entry, 0),
                            .ts_ms = 1000 + entry};

    memcpy(show.author.b, f.peer.b, sizeof(show.author.b));
    memcpy(show.other.b, f.desk.self.b, sizeof(show.other.b));
    return show;
}

static enum err
read_lines(const struct mem *mem, struct fed_line **out, size_t *len)
{
    struct store_txn *txn = NULL;
    enum err e;

    CHECK_OK(store_read_begin(f.fix.s, &txn));
    e = node_lines(txn, mem, &f.thread, out, len);
    store_read_end(txn);
    return e;
}

static void
give_back(const struct mem *mem, struct fed_line *lines)
{
    mem_free(mem, lines, FED_LINES_MAX * sizeof(*lines));
}

TEST(kept_and_read)
{
    static const struct {
        enum fed_member_change code;
        uint64_t entry;
    } told[] = {
        {FED_MEMBER_CAME, 300},     {FED_MEMBER_WANTS_OUT, 400},
        {FED_MEMBER_OUT, 401},      {FED_MEMBER_CAME, 500},
        {FED_MEMBER_DEVICE_OUT, 2},
    };
    struct fed_show show;
    struct fed_line *lines;
    size_t len;

    desk_begin(&f);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        show = member(told[i].code, told[i].entry);
        CHECK_OK(desk_show(&f, &show));
        CHECK_OK(desk_show(&f, &show)); /* again: the same line */
    }
    show = member(0, 600);
    show.kind = FED_SHOW_HUB;
    show.code = FED_HUB_HANDED;
    CHECK_OK(desk_show(&f, &show));
    show.code = FED_HUB_GONE; /* nothing that stands in a place */
    CHECK_OK(desk_show(&f, &show));
    f.thread.b[0] ^= 1; /* another conversation's */
    show = member(FED_MEMBER_CAME, 1);
    CHECK_OK(desk_show(&f, &show));
    f.thread.b[0] ^= 1;
    CHECK_OK(read_lines(mem_heap(), &lines, &len));
    CHECK_EQ(len, 5);
    CHECK_EQ(lines[0].what, FED_LINE_DEVICE_OUT);
    CHECK_EQ(lines[1].what, FED_LINE_CAME);
    CHECK_EQ(lines[2].what, FED_LINE_LEFT);
    CHECK_EQ(lines[2].at, fed_line_at(1, fed_place(401, 0)));
    CHECK_EQ(lines[3].what, FED_LINE_CAME);
    CHECK_EQ(lines[4].what, FED_LINE_HANDED);
    give_back(mem_heap(), lines);
    desk_end(&f);
}

/* What stood in a branch that lost a race goes, and nothing else. */
TEST(what_is_void_goes)
{
    struct fed_show show = member(FED_MEMBER_CAME, 9);
    struct fed_line *lines;
    size_t len;

    desk_begin(&f);
    CHECK_OK(desk_show(&f, &show)); /* before it */
    for (uint64_t i = 0; i < 3; i++) {
        show = member(FED_MEMBER_CAME, 10 + i);
        show.term = 2 + i; /* the last: in a term behind it */
        CHECK_OK(desk_show(&f, &show));
        show.author.b[0] ^= 1;
        CHECK_OK(desk_show(&f, &show));
    }
    show = (struct fed_show){.kind = FED_SHOW_VOID,
                             .thread = f.thread,
                             .term = 2,
                             .value = 3,
                             .seq = 9};
    f.thread.b[0] ^= 1;
    show.thread = f.thread;
    CHECK_OK(desk_show(&f, &show)); /* another conversation's */
    f.thread.b[0] ^= 1;
    CHECK_OK(read_lines(mem_heap(), &lines, &len));
    CHECK_EQ(len, 7);
    give_back(mem_heap(), lines);
    show.thread = f.thread;
    CHECK_OK(desk_show(&f, &show));
    CHECK_OK(desk_show(&f, &show));
    CHECK_OK(read_lines(mem_heap(), &lines, &len));
    CHECK_EQ(len, 3);
    CHECK_EQ(lines[0].at, fed_line_at(1, fed_place(9, 0)));
    CHECK_EQ(lines[1].at, fed_line_at(4, fed_place(12, 0)));
    CHECK_EQ(lines[2].at, fed_line_at(4, fed_place(12, 0)));
    give_back(mem_heap(), lines);
    desk_end(&f);
}

/* Of very many the newest are read. */
TEST(the_newest_of_many)
{
    struct fed_line *lines;
    size_t len;

    desk_begin(&f);
    for (uint64_t i = 1; i <= FED_LINES_MAX + 5; i++) {
        struct fed_show show = member(FED_MEMBER_REJOINED, i);

        CHECK_OK(desk_show(&f, &show));
    }
    CHECK_OK(read_lines(mem_heap(), &lines, &len));
    CHECK_EQ(len, FED_LINES_MAX);
    CHECK_EQ(lines[0].at, fed_line_at(1, fed_place(6, 0)));
    CHECK_EQ(lines[len - 1].at,
             fed_line_at(1, fed_place(FED_LINES_MAX + 5, 0)));
    give_back(mem_heap(), lines);
    desk_end(&f);
}

/* A thread that continues another is one conversation with it. */
TEST(over_threads_that_continue)
{
    struct proto_group group = {.flags = PROTO_GROUP_CONTINUES};
    struct fed_show thread = {.kind = FED_SHOW_THREAD};
    struct fed_show show;
    struct fed_line *lines;
    size_t len;

    desk_begin(&f);
    show = member(FED_MEMBER_CAME, 1);
    CHECK_OK(desk_show(&f, &show));
    memcpy(group.prev, f.thread.b, sizeof(group.prev));
    f.thread.b[0] ^= 1;
    thread.thread = f.thread;
    CHECK_OK(proto_group_encode(mem_heap(), &group, &thread.body));
    CHECK_OK(desk_show(&f, &thread));
    bytes_free(&thread.body);
    show = member(FED_MEMBER_OUT, 7);
    CHECK_OK(desk_show(&f, &show));
    CHECK_OK(read_lines(mem_heap(), &lines, &len));
    CHECK_EQ(len, 2);
    CHECK_EQ(lines[0].what, FED_LINE_CAME);
    CHECK_EQ(lines[1].what, FED_LINE_REMOVED);
    give_back(mem_heap(), lines);
    desk_end(&f);
}

TEST(without_memory)
{
    struct fed_show show;
    struct fed_line *lines = NULL;
    size_t len;
    enum err e = ERR_NOMEM;

    desk_begin(&f);
    show = member(FED_MEMBER_CAME, 1);
    CHECK_OK(desk_show(&f, &show));
    for (uint64_t n = 1; e != OK; n++) {
        struct fail_mem m;

        fail_mem_init(&m, n);
        e = read_lines(&m.mem, &lines, &len);
        CHECK(e == OK || e == ERR_NOMEM);
        if (e == OK) {
            CHECK_EQ(len, 1);
            give_back(&m.mem, lines);
        }
        CHECK_EQ(m.live, 0);
    }
    desk_end(&f);
}

int
main(void)
{
    return RUN(T(kept_and_read), T(what_is_void_goes), T(the_newest_of_many),
               T(over_threads_that_continue), T(without_memory));
}
