/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What messages do to a conversation: its order is that of the log at every
 * member, ours without a place wait at the end, and only its author's side
 * edits or deletes a message.
 */
#include "tests/node/clinic/desk_fix.h"

#include "node/clinic/about.h"
#include "store/audit.h"

static struct desk_fix f;

static struct proto_content
about(enum proto_content_kind kind, uint8_t target)
{
    struct proto_content c = {.kind = kind, .sent_ms = 6};

    if (kind == PROTO_CONTENT_EDIT) {
        memset(c.u.edit.target, target, 32);
        c.u.edit.text = view_str("better");
    } else if (kind == PROTO_CONTENT_DELETE) {
        memset(c.u.del.target, target, 32);
    } else {
        memset(c.u.reaction.target, target, 32);
        c.u.reaction.emoji = view_str("+");
        c.u.reaction.on = true;
    }
    return c;
}

static void
resent(uint8_t name, uint64_t seq)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT, .sent_ms = 5};

    c.u.text.text = view_str("hello");
    desk_message(&f, &f.peer, name, seq, true, &c);
}

TEST(ours_waits_at_the_end)
{
    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 1);
    desk_text(&f, &f.desk.self, 'x', 0);
    desk_text(&f, &f.desk.self, 'y', 0);
    CHECK_EQ(desk_state_of(&f, 'x'), STORE_MSG_QUEUED);
    desk_text(&f, &f.peer, 'b', 2);
    desk_text(&f, &f.peer, 'c', 3);
    desk_order(&f, "abcxy");
    desk_end(&f);
}

TEST(accepted_takes_its_place)
{
    struct store_msg m = {0};

    desk_begin(&f);
    desk_text(&f, &f.desk.self, 'x', 0);
    desk_text(&f, &f.desk.self, 'y', 0);
    desk_text(&f, &f.peer, 'a', 1);
    desk_state(&f, 'y', FED_MESSAGE_ACCEPTED, 2);
    desk_order(&f, "ayx");
    desk_text(&f, &f.peer, 'b', 3);
    desk_order(&f, "aybx");
    desk_state(&f, 'x', FED_MESSAGE_ACCEPTED, 4);
    desk_text(&f, &f.peer, 'c', 5);
    desk_order(&f, "aybxc");
    CHECK_OK(desk_get(&f, 'x', &m));
    CHECK_EQ(m.state, STORE_MSG_ACCEPTED);
    CHECK_EQ(m.log_seq, 4);
    CHECK_EQ(m.at_ms, 1004);
    store_msg_clear(&m);
    desk_end(&f);
}

TEST(accepted_twice_counts_once)
{
    desk_begin(&f);
    desk_text(&f, &f.desk.self, 'x', 0);
    desk_text(&f, &f.desk.self, 'y', 0);
    desk_state(&f, 'x', FED_MESSAGE_ACCEPTED, 1);
    desk_state(&f, 'x', FED_MESSAGE_ACCEPTED, 1);
    desk_text(&f, &f.peer, 'a', 2);
    desk_order(&f, "xay");
    desk_end(&f);
}

TEST(failed_waits_no_longer)
{
    desk_begin(&f);
    desk_text(&f, &f.desk.self, 'x', 0);
    desk_state(&f, 'x', FED_MESSAGE_FAILED, 0);
    CHECK_EQ(desk_state_of(&f, 'x'), STORE_MSG_FAILED);
    desk_text(&f, &f.peer, 'a', 1);
    desk_order(&f, "xa");
    desk_end(&f);
}

TEST(a_state_of_what_is_not_shown_is_passed_over)
{
    struct desk_rows rows;

    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 1);
    (void)desk_events(&f);
    desk_state(&f, 'q', FED_MESSAGE_ACCEPTED, 2);
    rows = desk_events(&f);
    CHECK_EQ(desk_count(&rows, NODE_EVENT_STATE), 0);
    desk_end(&f);
}

TEST(resent_goes_among_later_ones)
{
    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 1);
    desk_text(&f, &f.peer, 'd', 4);
    desk_text(&f, &f.peer, 'e', 5);
    desk_text(&f, &f.desk.self, 'x', 0);
    resent('b', 2);
    resent('c', 3);
    desk_order(&f, "abcdex");
    CHECK((desk_flags(&f, 'b') & STORE_MSG_RESENT) != 0);
    CHECK((desk_flags(&f, 'b') & STORE_MSG_CLAIMED) != 0);
    CHECK((desk_flags(&f, 'd') & (STORE_MSG_RESENT | STORE_MSG_CLAIMED)) == 0);
    desk_end(&f);
}

/* A conversation that has another thread: places of the one before are no
   places in this one. */
TEST(resent_stays_behind_the_thread_before)
{
    desk_begin(&f);
    desk_thread(&f, 0x34, PROTO_GROUP_DIRECT);
    desk_text(&f, &f.peer, 'a', 64);
    desk_text(&f, &f.peer, 'b', 640);
    desk_text(&f, &f.peer, 'c', 704);
    desk_thread(&f, 0x35, PROTO_GROUP_DIRECT);
    desk_text(&f, &f.peer, 'e', 640); /* as b was there */
    resent('d', 128);
    desk_order(&f, "abcde");
    desk_end(&f);
}

/* All lost (decisions G 31): places go on, over the threads. */
TEST(resent_goes_among_those_of_the_thread_that_it_continues)
{
    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 64);
    desk_text(&f, &f.peer, 'c', 192);
    desk_thread(&f, 0x35, PROTO_GROUP_CONTINUES);
    desk_text(&f, &f.peer, 'd', 256);
    resent('b', 128);
    desk_order(&f, "abcd");
    desk_end(&f);
}

TEST(a_known_one_brought_back_stays_behind_the_thread_before)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT};

    desk_begin(&f);
    c.u.text.text = view_str("ours");
    desk_thread(&f, 0x34, PROTO_GROUP_DIRECT);
    desk_text(&f, &f.peer, 'a', 640);
    desk_thread(&f, 0x35, PROTO_GROUP_DIRECT);
    desk_text(&f, &f.desk.self, 'x', 0);
    desk_text(&f, &f.peer, 'b', 320);
    desk_message(&f, &f.desk.self, 'x', 128, true, &c);
    desk_order(&f, "axb");
    desk_end(&f);
}

TEST(resent_passes_one_that_failed)
{
    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 1);
    desk_text(&f, &f.peer, 'd', 4);
    desk_text(&f, &f.desk.self, 'x', 0);
    desk_state(&f, 'x', FED_MESSAGE_FAILED, 0);
    desk_text(&f, &f.peer, 'e', 5);
    resent('b', 2);
    desk_order(&f, "abdxe");
    desk_end(&f);
}

TEST(our_own_brought_back_is_accepted)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT};

    desk_begin(&f);
    c.u.text.text = view_str("ours");
    desk_text(&f, &f.peer, 'b', 2);
    desk_message(&f, &f.desk.self, 'a', 1, true, &c);
    CHECK_EQ(desk_state_of(&f, 'a'), STORE_MSG_ACCEPTED);
    desk_order(&f, "ab");
    desk_end(&f);
}

/* core.h: a message brought back "may be known already, then this place is
   the right one". */
TEST(known_one_brought_back_takes_that_place)
{
    struct store_msg m = {0};
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT};

    desk_begin(&f);
    c.u.text.text = view_str("ours");
    desk_text(&f, &f.desk.self, 'x', 0);
    desk_text(&f, &f.peer, 'a', 1);
    desk_text(&f, &f.peer, 'c', 3);
    desk_order(&f, "acx");
    desk_message(&f, &f.desk.self, 'x', 2, true, &c);
    CHECK_OK(desk_get(&f, 'x', &m));
    CHECK_EQ(m.state, STORE_MSG_ACCEPTED);
    CHECK_EQ(m.log_seq, 2);
    store_msg_clear(&m);
    desk_text(&f, &f.peer, 'd', 4);
    desk_order(&f, "axcd");
    desk_end(&f);
}

TEST(a_repeat_changes_nothing)
{
    struct desk_rows rows;

    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 1);
    desk_text(&f, &f.peer, 'b', 2);
    (void)desk_events(&f);
    desk_text(&f, &f.peer, 'a', 1);
    rows = desk_events(&f);
    CHECK_EQ(rows.len, 0);
    desk_order(&f, "ab");
    desk_end(&f);
}

TEST(the_author_edits_and_deletes)
{
    struct proto_content c = about(PROTO_CONTENT_EDIT, 'a');
    struct store_msg m = {0};
    struct store_msg edit = {0};

    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 1);
    desk_message(&f, &f.peer, 'e', 2, false, &c);
    CHECK_OK(desk_get(&f, 'a', &m));
    CHECK_OK(desk_get(&f, 'e', &edit));
    CHECK((m.flags & STORE_MSG_EDITED) != 0);
    CHECK_EQ(m.about, edit.seq);
    CHECK_EQ(edit.about, m.seq);
    store_msg_clear(&m);
    store_msg_clear(&edit);
    c = about(PROTO_CONTENT_DELETE, 'a');
    desk_message(&f, &f.peer, 'd', 3, false, &c);
    CHECK((desk_flags(&f, 'a') & STORE_MSG_DELETED) != 0);
    desk_end(&f);
}

TEST(nobody_else_edits_or_deletes)
{
    struct proto_content c;
    struct clinic_id third;

    desk_begin(&f);
    memset(third.b, 0x55, sizeof(third.b));
    desk_text(&f, &f.peer, 'a', 1);
    desk_text(&f, &f.desk.self, 'x', 2);
    c = about(PROTO_CONTENT_EDIT, 'a');
    desk_message(&f, &third, 'e', 3, false, &c);
    desk_message(&f, &f.desk.self, 'f', 4, false, &c);
    c = about(PROTO_CONTENT_DELETE, 'a');
    desk_message(&f, &third, 'g', 5, false, &c);
    c = about(PROTO_CONTENT_DELETE, 'x');
    desk_message(&f, &f.peer, 'h', 6, false, &c);
    CHECK_EQ(desk_flags(&f, 'a'), 0);
    CHECK_EQ(desk_flags(&f, 'x'), 0);
    desk_end(&f);
}

TEST(anybody_reacts)
{
    struct proto_content c = about(PROTO_CONTENT_REACTION, 'a');
    struct store_msg m = {0};
    struct store_msg r = {0};

    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 1);
    desk_message(&f, &f.desk.self, 'r', 2, false, &c);
    CHECK_OK(desk_get(&f, 'a', &m));
    CHECK_OK(desk_get(&f, 'r', &r));
    CHECK_EQ(m.flags, 0);
    CHECK_EQ(m.about, 0);
    CHECK_EQ(r.about, m.seq);
    CHECK_EQ(r.kind, PROTO_CONTENT_REACTION);
    store_msg_clear(&m);
    store_msg_clear(&r);
    desk_end(&f);
}

/* A copy that somebody brings back late is not what was said last. */
TEST(an_older_edit_does_not_win)
{
    struct proto_content newer = about(PROTO_CONTENT_EDIT, 'a');
    struct proto_content older = about(PROTO_CONTENT_EDIT, 'a');
    struct store_msg m = {0};
    struct store_msg edit = {0};

    desk_begin(&f);
    older.u.edit.text = view_str("worse");
    desk_text(&f, &f.peer, 'a', 1);
    desk_message(&f, &f.peer, 'n', 3, false, &newer);
    desk_message(&f, &f.peer, 'o', 2, true, &older);
    CHECK_OK(desk_get(&f, 'a', &m));
    CHECK_OK(desk_get(&f, 'n', &edit));
    CHECK_EQ(m.about, edit.seq);
    store_msg_clear(&m);
    store_msg_clear(&edit);
    desk_end(&f);
}

TEST(what_comes_before_its_target_waits_for_it)
{
    struct proto_content edit = about(PROTO_CONTENT_EDIT, 'a');
    struct proto_content older = about(PROTO_CONTENT_EDIT, 'a');
    struct proto_content del = about(PROTO_CONTENT_DELETE, 'b');
    struct proto_content foreign = about(PROTO_CONTENT_DELETE, 'c');
    struct proto_content react = about(PROTO_CONTENT_REACTION, 'a');
    struct store_msg m = {0};
    struct store_msg n = {0};

    desk_begin(&f);
    desk_message(&f, &f.peer, 'e', 7, false, &edit);
    desk_message(&f, &f.peer, 'o', 6, true, &older);
    desk_message(&f, &f.peer, 'd', 8, false, &del);
    desk_message(&f, &f.desk.self, 'f', 9, true, &foreign);
    desk_message(&f, &f.peer, 'r', 10, false, &react);
    CHECK_OK(desk_get(&f, 'r', &m));
    CHECK_EQ(m.about, 0);
    store_msg_clear(&m);
    resent('a', 1);
    resent('b', 2);
    resent('c', 3);
    CHECK_OK(desk_get(&f, 'a', &m));
    CHECK_OK(desk_get(&f, 'e', &n));
    CHECK((m.flags & STORE_MSG_EDITED) != 0);
    CHECK_EQ(m.about, n.seq);
    store_msg_clear(&n);
    CHECK_OK(desk_get(&f, 'r', &n));
    CHECK_EQ(n.about, m.seq);
    store_msg_clear(&m);
    store_msg_clear(&n);
    CHECK((desk_flags(&f, 'b') & STORE_MSG_DELETED) != 0);
    CHECK((desk_flags(&f, 'c') & STORE_MSG_DELETED) == 0);
    desk_end(&f);
}

TEST(more_than_a_few_wait_for_one)
{
    struct proto_content c = about(PROTO_CONTENT_REACTION, 'a');
    struct store_msg m = {0};
    struct store_msg target = {0};

    desk_begin(&f);
    for (uint8_t i = 0; i < 50; i++) {
        desk_message(&f, &f.peer, (uint8_t)(130 + i), 2u + i, false, &c);
    }
    resent('a', 1);
    CHECK_OK(desk_get(&f, 'a', &target));
    for (uint8_t i = 0; i < 50; i++) {
        CHECK_OK(desk_get(&f, (uint8_t)(130 + i), &m));
        CHECK_EQ(m.about, target.seq);
        store_msg_clear(&m);
    }
    store_msg_clear(&target);
    desk_end(&f);
}

TEST(who_brought_it_back_is_known)
{
    struct store_msg m = {0};
    struct clinic_id by;
    struct store_txn *txn;

    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 1);
    resent('b', 2);
    CHECK_OK(desk_get(&f, 'b', &m));
    txn = desk_read(&f);
    CHECK_OK(node_about_resent_by(txn, &m.conv, m.seq, &by));
    CHECK(memcmp(by.b, f.peer.b, sizeof(by.b)) == 0);
    CHECK_ERR(node_about_resent_by(txn, &m.conv, m.seq - 1, &by), ERR_MISSING);
    store_read_end(txn);
    store_msg_clear(&m);
    desk_end(&f);
}

TEST(about_nothing_known_is_kept)
{
    struct proto_content c = about(PROTO_CONTENT_EDIT, 'z');

    desk_begin(&f);
    desk_message(&f, &f.peer, 'e', 1, false, &c);
    desk_order(&f, "e");
    desk_end(&f);
}

TEST(contents_of_the_protocol_are_not_shown)
{
    struct proto_content c = {.kind = PROTO_CONTENT_RECEIPT};

    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 1);
    c.u.receipt.what = PROTO_RECEIPT_DELIVERED;
    desk_message(&f, &f.peer, 'r', 2, false, &c);
    c = (struct proto_content){.kind = PROTO_CONTENT_LEAVE};
    desk_message(&f, &f.peer, 'l', 3, false, &c);
    desk_order(&f, "a");
    desk_end(&f);
}

TEST(what_nobody_can_read_is_kept)
{
    struct fed_show show = {.kind = FED_SHOW_MESSAGE, .term = 1, .seq = 1};
    struct store_msg m = {0};

    desk_begin(&f);
    show.thread = f.thread;
    show.message = desk_id('o');
    memcpy(show.author.b, f.peer.b, sizeof(f.peer.b));
    CHECK_OK(bytes_copy(mem_heap(), view_str("\xff later"), &show.body));
    CHECK_OK(desk_show(&f, &show));
    CHECK_OK(desk_get(&f, 'o', &m));
    CHECK((m.flags & STORE_MSG_OPAQUE) != 0);
    CHECK_VIEW(view_of(&m.body), view_of(&show.body));
    store_msg_clear(&m);
    bytes_free(&show.body);
    desk_end(&f);
}

TEST(a_title_names_and_news_leave_the_archive)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TITLE};
    struct store_conv conv = {0};
    struct conv_id id;
    struct store_txn *txn;

    desk_begin(&f);
    c.u.title.title = view_str("Rex");
    desk_message(&f, &f.peer, 't', 1, false, &c);
    id = desk_conv(&f);
    txn = desk_read(&f);
    CHECK_OK(store_conv_get(txn, &id, &conv));
    store_read_end(txn);
    CHECK_VIEW(proto_phi_reveal(&conv.title), view_str("Rex"));
    CHECK_EQ(conv.box, STORE_BOX_ALL);
    store_conv_clear(&conv);
    desk_end(&f);
}

TEST(marks_only_grow)
{
    struct fed_show show = {.kind = FED_SHOW_STATE,
                            .code = FED_MESSAGE_DELIVERED,
                            .term = 1,
                            .seq = 7};
    struct conv_id id;
    struct store_txn *txn;
    uint64_t delivered = 0;
    uint64_t read = 0;

    desk_begin(&f);
    desk_text(&f, &f.peer, 'a', 1);
    show.thread = f.thread;
    memcpy(show.other.b, f.peer.b, sizeof(f.peer.b));
    CHECK_OK(desk_show(&f, &show));
    show.seq = 3;
    CHECK_OK(desk_show(&f, &show));
    show.code = FED_MESSAGE_READ;
    CHECK_OK(desk_show(&f, &show));
    id = desk_conv(&f);
    txn = desk_read(&f);
    CHECK_OK(store_conv_mark_get(txn, &id, NODE_MARK_DELIVERED,
                                 clinic_id_view(&f.peer), &delivered));
    CHECK_OK(store_conv_mark_get(txn, &id, NODE_MARK_READ,
                                 clinic_id_view(&f.peer), &read));
    store_read_end(txn);
    CHECK_EQ(delivered, node_log_place(1, 7));
    CHECK_EQ(read, node_log_place(1, 3));
    desk_end(&f);
}

TEST(overdue_names_the_message)
{
    struct fed_show show = {.kind = FED_SHOW_OVERDUE};
    struct desk_rows rows;
    struct store_msg m = {0};

    desk_begin(&f);
    desk_text(&f, &f.desk.self, 'x', 0);
    CHECK_OK(desk_get(&f, 'x', &m));
    (void)desk_events(&f);
    show.thread = f.thread;
    show.message = desk_id('x');
    CHECK_OK(desk_show(&f, &show));
    rows = desk_events(&f);
    CHECK_EQ(rows.len, 1);
    CHECK_EQ(rows.kind[0], NODE_EVENT_OVERDUE);
    CHECK_EQ(rows.n[0], m.seq);
    store_msg_clear(&m);
    desk_end(&f);
}

static enum err
count_mark(void *ctx, struct view subject, uint64_t value)
{
    size_t *n = ctx;

    CHECK_EQ(subject.len, 64);
    CHECK_EQ(value, 1234);
    (*n)++;
    return OK;
}

static size_t
doubts(uint8_t what)
{
    struct conv_id conv = desk_conv(&f);
    struct store_txn *txn = NULL;
    size_t n = 0;

    CHECK_OK(store_read_begin(f.fix.s, &txn));
    CHECK_OK(store_conv_marks(txn, &conv, (uint8_t)(NODE_MARK_DOUBT + what),
                              (struct view){0}, count_mark, &n));
    store_read_end(txn);
    return n;
}

/* One mark for each member and doubt while it lasts, whoever carries. */
TEST(a_doubt_lasts_until_it_is_over)
{
    struct fed_show show = {.kind = FED_SHOW_DOUBT,
                            .code = FED_DOUBT_SILENT,
                            .value = 1,
                            .ts_ms = 1234};
    struct desk_rows rows;

    desk_begin(&f);
    desk_text(&f, &f.desk.self, 'x', 0);
    (void)desk_events(&f);
    show.thread = f.thread;
    show.author.b[0] = 5;
    show.peer.b[0] = 6;
    CHECK_OK(desk_show(&f, &show));
    show.peer.b[0] = 7;
    CHECK_OK(desk_show(&f, &show));
    CHECK_EQ(doubts(FED_DOUBT_SILENT), 1);
    rows = desk_events(&f);
    CHECK_EQ(rows.len, 2);
    CHECK_EQ(rows.kind[0], NODE_EVENT_DOUBT);
    CHECK_EQ(rows.n[0], FED_DOUBT_SILENT);
    show.value = 0;
    CHECK_OK(desk_show(&f, &show));
    CHECK_EQ(doubts(FED_DOUBT_SILENT), 0);
    rows = desk_events(&f);
    CHECK_EQ(rows.len, 1);
    CHECK_EQ(rows.kind[0], NODE_EVENT_SETTLED);
    CHECK_EQ(rows.n[0], FED_DOUBT_SILENT);
    desk_end(&f);
}

static enum err
write_settle(void *ctx, struct store_txn *txn)
{
    struct conv_id conv = desk_conv(&f);
    size_t *n = ctx;

    return node_desk_settle(txn, &conv, &n[0], &n[1]);
}

/* Two logs stay until a person has seen to them. */
TEST(a_fork_lasts_until_it_is_settled)
{
    struct fed_show show = {.kind = FED_SHOW_FORK, .value = 1, .ts_ms = 1234};
    size_t n[2] = {9, 9};
    struct desk_rows rows;

    desk_begin(&f);
    desk_text(&f, &f.desk.self, 'x', 0);
    show.thread = f.thread;
    for (uint8_t who = 1; who <= 2; who++) {
        show.author.b[0] = who;
        CHECK_OK(desk_show(&f, &show));
    }
    show.kind = FED_SHOW_DOUBT;
    show.code = FED_DOUBT_WITHHELD;
    CHECK_OK(desk_show(&f, &show));
    CHECK_EQ(doubts(NODE_DOUBT_FORK), 2);
    (void)desk_events(&f);
    CHECK_OK(store_write(f.fix.s, write_settle, n, STORE_JOB_FREES));
    CHECK_EQ(n[0], 2);
    CHECK_EQ(n[1], 1);
    CHECK_EQ(doubts(NODE_DOUBT_FORK), 0);
    CHECK_EQ(doubts(FED_DOUBT_WITHHELD), 1);
    rows = desk_events(&f);
    CHECK_EQ(rows.len, 2);
    CHECK_EQ(rows.kind[1], NODE_EVENT_SETTLED);
    CHECK_EQ(rows.n[1], NODE_DOUBT_FORK);
    desk_end(&f);
}

int
main(void)
{
    return RUN(T(ours_waits_at_the_end), T(accepted_takes_its_place),
               T(accepted_twice_counts_once), T(failed_waits_no_longer),
               T(a_state_of_what_is_not_shown_is_passed_over),
               T(resent_goes_among_later_ones),
               T(resent_stays_behind_the_thread_before),
               T(resent_goes_among_those_of_the_thread_that_it_continues),
               T(a_known_one_brought_back_stays_behind_the_thread_before),
               T(resent_passes_one_that_failed),
               T(our_own_brought_back_is_accepted),
               T(known_one_brought_back_takes_that_place),
               T(a_repeat_changes_nothing), T(the_author_edits_and_deletes),
               T(nobody_else_edits_or_deletes), T(anybody_reacts),
               T(about_nothing_known_is_kept), T(an_older_edit_does_not_win),
               T(what_comes_before_its_target_waits_for_it),
               T(more_than_a_few_wait_for_one), T(who_brought_it_back_is_known),
               T(contents_of_the_protocol_are_not_shown),
               T(what_nobody_can_read_is_kept),
               T(a_title_names_and_news_leave_the_archive), T(marks_only_grow),
               T(overdue_names_the_message), T(a_doubt_lasts_until_it_is_over),
               T(a_fork_lasts_until_it_is_settled));
}
