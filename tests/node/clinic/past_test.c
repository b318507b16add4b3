/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question for history: what a thread's log has in a place, whatever else
 * its conversation has, and at the cost of the answer alone.
 */
#include "node/clinic/past.h"
#include "tests/node/clinic/desk_fix.h"
#include "tests/support/fail_mem.h"

static struct desk_fix f;

/* The name of what is in the first of the places; 0: nothing is. */
static uint8_t
first(const struct thread_id *thread, uint64_t term, uint64_t from, uint64_t to)
{
    struct store_txn *txn = desk_read(&f);
    struct fed_past p = {0};
    enum err e = node_past_first(txn, &f.desk.self, thread, term, from, to,
                                 mem_heap(), &p);
    uint8_t name = e == OK ? p.id.b[0] : 0;

    CHECK(e == OK || e == ERR_MISSING);
    CHECK(e != OK || (p.seq >= from && p.seq <= to && p.content.len > 0 &&
                      p.ts_ms == 1000 + p.seq));
    bytes_free(&p.content);
    store_read_end(txn);
    return name;
}

TEST(what_came_and_what_was_accepted)
{
    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 64);
    desk_text(&f, &f.desk.self, 'x', 0);
    CHECK_EQ(first(&f.thread, 1, 1, 64), 'a');
    CHECK_EQ(first(&f.thread, 1, 65, 1000), 0);
    CHECK_EQ(first(&f.thread, 0, 0, 1000), 0);
    desk_state(&f, 'x', FED_MESSAGE_ACCEPTED, 128);
    CHECK_EQ(first(&f.thread, 1, 65, 1000), 'x');
    CHECK_EQ(first(&f.thread, 2, 65, 1000), 0);
    desk_state(&f, 'y', FED_MESSAGE_ACCEPTED, 192);
    CHECK_EQ(first(&f.thread, 1, 129, 1000), 0);
    desk_end(&f);
}

TEST(a_message_that_goes_back_is_found_there_alone)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT, .sent_ms = 5};

    c.u.text.text = view_str("hello");
    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 64);
    desk_text(&f, &f.peer, 'b', 640);
    desk_message(&f, &f.peer, 'b', 320, true, &c);
    CHECK_EQ(first(&f.thread, 1, 65, 639), 'b');
    CHECK_EQ(first(&f.thread, 1, 321, 6400), 0);
    desk_end(&f);
}

/* When every member lost its state (decisions G 31), numbers go on. */
TEST(a_thread_that_continues_another_has_its_places)
{
    struct thread_id old;

    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 64);
    desk_text(&f, &f.peer, 'b', 128);
    old = f.thread;
    desk_thread(&f, 0x35, PROTO_GROUP_CONTINUES);
    CHECK_EQ(first(&f.thread, 1, 1, 1000), 'a');
    desk_text(&f, &f.peer, 'c', 128);
    desk_text(&f, &f.peer, 'd', 192);
    desk_order(&f, "abcd");
    CHECK_EQ(first(&f.thread, 1, 1, 1000), 'a');
    CHECK_EQ(first(&f.thread, 1, 65, 1000), 'c'); /* the newer one */
    CHECK_EQ(first(&f.thread, 1, 129, 1000), 'd');
    CHECK_EQ(first(&old, 1, 1, 1000), 0);
    desk_end(&f);
}

/* Founded again twice, of which the group of the last names the first alone. */
TEST(a_thread_between_has_its_places_too)
{
    struct thread_id first_one;
    struct thread_id second;

    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 64);
    first_one = f.thread;
    desk_thread(&f, 0x35, PROTO_GROUP_CONTINUES);
    desk_text(&f, &f.peer, 'b', 128);
    second = f.thread;
    f.thread = first_one;
    desk_thread_behind(&f, 0x36, PROTO_GROUP_CONTINUES, &second);
    desk_text(&f, &f.peer, 'c', 192);
    desk_order(&f, "abc");
    CHECK_EQ(first(&f.thread, 1, 1, 1000), 'a');
    CHECK_EQ(first(&f.thread, 1, 65, 1000), 'b');
    CHECK_EQ(first(&f.thread, 1, 129, 1000), 'c');
    desk_end(&f);
}

/* Who disconnects and connects again begins anew, in the same conversation. */
TEST(another_direct_thread_has_its_own_places)
{
    desk_begin(&f);
    desk_thread(&f, 0x34, PROTO_GROUP_DIRECT);
    desk_text(&f, &f.peer, 'a', 64);
    desk_text(&f, &f.peer, 'b', 128);
    desk_thread(&f, 0x35, PROTO_GROUP_DIRECT);
    CHECK_EQ(first(&f.thread, 1, 1, 1000), 0);
    desk_text(&f, &f.peer, 'c', 128);
    desk_order(&f, "abc");
    CHECK_EQ(first(&f.thread, 1, 1, 1000), 'c');
    CHECK_EQ(first(&f.thread, 1, 129, 1000), 0);
    desk_end(&f);
}

TEST(what_was_deleted_is_not_given)
{
    struct proto_content del = {.kind = PROTO_CONTENT_DELETE, .sent_ms = 6};

    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 64);
    desk_text(&f, &f.peer, 'b', 65);
    memset(del.u.del.target, 'a', sizeof(del.u.del.target));
    desk_message(&f, &f.peer, 'd', 128, false, &del);
    CHECK_EQ(first(&f.thread, 1, 1, 1000), 'b');
    desk_end(&f);
}

TEST(no_failed_allocation_leaks)
{
    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 64);
    for (uint64_t n = 1;; n++) {
        struct store_txn *txn = desk_read(&f);
        struct fail_mem fm;
        struct fed_past p = {0};
        enum err e;

        fail_mem_init(&fm, n);
        e = node_past_first(txn, &f.desk.self, &f.thread, 1, 1, 64, &fm.mem,
                            &p);
        bytes_free(&p.content);
        store_read_end(txn);
        CHECK_EQ(fm.live, 0);
        if (!fm.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
    desk_end(&f);
}

int
main(void)
{
    return RUN(T(what_came_and_what_was_accepted),
               T(a_message_that_goes_back_is_found_there_alone),
               T(a_thread_that_continues_another_has_its_places),
               T(a_thread_between_has_its_places_too),
               T(another_direct_thread_has_its_own_places),
               T(what_was_deleted_is_not_given), T(no_failed_allocation_leaks));
}
