/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub that holds back, shows two logs, or turns its clock (decisions D 19),
 * and what the others are told, within which time; and that nobody is told
 * anything when all are honest.  Node 0 orders.  It runs the real core: what it
 * holds back is replaced where its items leave (world.lie), and of two logs it
 * was put back to before the first when it made the second.
 */
#include "federation/core/watch.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

enum {
    HOUR_MS = 3600000
};

static struct world w;
static const size_t all[] = {0, 1, 2};

/* An item that means nothing to anybody, in the place of one that is kept. */
static void
nothing(struct bytes *out)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_ROSTER};

    CHECK_OK(proto_peer_encode(mem_heap(), &msg, out));
}

static size_t victim;

/* Node 0 keeps the log from the victim, and says that there is nothing. */
static bool
keeps_the_log(struct world *in, size_t from, size_t to, struct view item,
              struct bytes *out)
{
    uint64_t type = proto_peer_peek(item);

    (void)in;
    if (from != 0 || to != victim ||
        (type != PROTO_PEER_FAN && type != PROTO_PEER_LOG_PART &&
         type != PROTO_PEER_ANSWER)) {
        return false;
    }
    nothing(out);
    return true;
}

/* And still numbers what the victim says. */
static bool
keeps_the_others(struct world *in, size_t from, size_t to, struct view item,
                 struct bytes *out)
{
    return proto_peer_peek(item) != PROTO_PEER_ANSWER &&
           keeps_the_log(in, from, to, item, out);
}

static void
hold_back(size_t i)
{
    victim = i;
    w.lie = keeps_the_log;
}

/* The truth again, from the next connection on; the hub serves who asks. */
static void
honest(size_t i)
{
    w.lie = NULL;
    world_break(&w, 0, i);
    world_run(&w, 3000);
}

static bool
about(const struct fed_show *s, size_t author, size_t peer)
{
    return memcmp(s->author.b, w.nodes[author].root.pub, 32) == 0 &&
           memcmp(s->peer.b, w.nodes[peer].root.pub, 32) == 0;
}

/* ------------------------------------------------------------- all honest */

/* Each says once a day where it stands, for three days, and then nothing. */
TEST(checkpoints_while_lively)
{
    struct thread_id t = world_three(&w, 1);
    uint64_t seq;
    uint64_t quiet;

    world_said(&w, 1, &t);
    seq = world_thread(&w, 0, &t)->rec.seq;
    world_pass(&w, 26);
    CHECK_EQ(world_thread(&w, 0, &t)->rec.seq, seq + 3);
    world_pass(&w, 60);
    quiet = world_thread(&w, 0, &t)->rec.seq;
    CHECK(quiet >= seq + 6 && quiet <= seq + 12);
    world_pass(&w, 24 * 10);
    CHECK_EQ(world_thread(&w, 2, &t)->rec.seq, quiet);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(world_thread(&w, i, &t)->rec.look_ms, 0);
        CHECK_EQ(node_messages(&w, i, &t), 1 + 1); /* and the title */
    }
    world_no_doubts(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* Who talks every day is heard, and need not say more. */
TEST(words_are_checkpoints)
{
    struct thread_id t = world_three(&w, 2);
    uint64_t seq;

    world_pass(&w, 30);
    seq = world_thread(&w, 0, &t)->rec.seq;
    for (int day = 0; day < 5; day++) {
        for (size_t i = 0; i < 3; i++) {
            world_said(&w, i, &t);
        }
        world_pass(&w, 23);
    }
    /* words, and two receipts for each */
    CHECK(world_thread(&w, 0, &t)->rec.seq <= seq + 15 * 3);
    world_no_doubts(&w);
    world_end(&w);
}

/* A member that we reach past the hub, and do not, is away: no alarm. */
TEST(a_member_that_is_away)
{
    struct thread_id t = world_three(&w, 3);

    world_said(&w, 0, &t);
    world_said(&w, 1, &t);
    node_crash(&w, 1);
    world_pass(&w, 24 * 4);
    CHECK_EQ(w.nodes[2].doubts[FED_DOUBT_SILENT], 0);
    CHECK_EQ(w.nodes[2].doubts[FED_DOUBT_WITHHELD], 0);
    CHECK_EQ(w.nodes[2].forks, 0);
    node_start(&w, 1);
    world_pass(&w, 24 * 4);
    CHECK_EQ(world_doubts(&w, 1), 0);
    CHECK_EQ(world_doubts(&w, 2), 0);
    world_end(&w);
}

/* So is a hub: that is shown elsewhere, and no word is said about members. */
TEST(a_hub_that_is_away)
{
    struct thread_id t = world_three(&w, 4);

    world_said(&w, 1, &t);
    world_said(&w, 2, &t);
    node_crash(&w, 0);
    world_pass(&w, 48);
    world_no_doubts(&w);
    node_start(&w, 0);
    world_pass(&w, 48);
    world_no_doubts(&w);
    world_end(&w);
}

/* Who was away itself, and then gets everything, accuses nobody. */
TEST(back_after_days)
{
    struct thread_id t = world_three(&w, 5);

    world_said(&w, 1, &t);
    node_crash(&w, 2);
    world_pass(&w, 24 * 3 - 2);
    world_said(&w, 0, &t);
    node_start(&w, 2);
    world_pass(&w, 24 * 6);
    CHECK_EQ(world_doubts(&w, 2), 0);
    CHECK_EQ(w.nodes[0].doubts[FED_DOUBT_SILENT], 0);
    world_end(&w);
}

/* ------------------------------------------------------------ holding back */

/*
 * The hub keeps everything from node 2.  Without another path it is told after
 * LIMIT_SILENT_MS that nothing has come, and who carries.
 */
TEST(withholds_everything)
{
    struct thread_id t = world_three(&w, 6);

    world_cut(&w, 1, 2, true);
    world_said(&w, 0, &t);
    world_said(&w, 1, &t);
    world_said(&w, 2, &t);
    world_pass(&w, 3);
    hold_back(2);
    world_pass(&w, 22);
    CHECK_EQ(world_doubts(&w, 2), 0);
    world_pass(&w, 9); /* LIMIT_SILENT_MS after the last words, to the hour */
    CHECK_EQ(w.nodes[2].doubts[FED_DOUBT_SILENT], 1);
    CHECK(about(&w.nodes[2].doubt[FED_DOUBT_SILENT], 0, 0));
    /* Node 1 is out of our sight as well: no alarm about it by itself. */
    CHECK_EQ(w.nodes[1].doubts[FED_DOUBT_SILENT], 0);
    honest(2);
    world_said(&w, 0, &t);
    world_said(&w, 1, &t);
    world_pass(&w, 2);
    CHECK_EQ(w.nodes[2].settled[FED_DOUBT_SILENT], 1);
    world_end(&w);
}

/*
 * With a path past the hub, a day and an hour suffice, and it is known for
 * certain: the other clinic was shown more.
 */
TEST(withholds_from_one_who_hears_of_it)
{
    struct thread_id t = world_three(&w, 7);

    world_said(&w, 0, &t);
    world_said(&w, 2, &t);
    world_pass(&w, 3);
    hold_back(2);
    world_said(&w, 1, &t);
    CHECK_EQ(node_messages(&w, 2, &t), 2 + 1);
    world_pass(&w, 16);
    CHECK_EQ(world_doubts(&w, 2), 0);
    world_pass(&w, 8);
    CHECK_EQ(w.nodes[2].doubts[FED_DOUBT_WITHHELD], 1);
    CHECK(about(&w.nodes[2].doubt[FED_DOUBT_WITHHELD], 1, 0));
    CHECK(w.nodes[2].doubt[FED_DOUBT_WITHHELD].verified);
    CHECK(w.nodes[2].doubt[FED_DOUBT_WITHHELD].seq >
          world_thread(&w, 2, &t)->rec.seq);
    honest(2);
    world_said(&w, 0, &t);
    world_pass(&w, 2);
    CHECK(w.nodes[2].settled[FED_DOUBT_WITHHELD] > 0);
    CHECK_EQ(node_messages(&w, 2, &t), 4 + 1);
    world_end(&w);
}

/* [withheld-gap] The hub numbers what we say behind what it does not show. */
TEST(withholds_one_entry)
{
    struct thread_id t = world_three(&w, 14);

    world_cut(&w, 1, 2, true);
    world_said(&w, 0, &t);
    victim = 2;
    w.lie = keeps_the_others;
    world_said(&w, 1, &t);
    world_said(&w, 2, &t);
    CHECK_EQ(node_messages(&w, 2, &t), 1 + 1); /* its own waits for a place */
    world_pass(&w, 3);
    CHECK_EQ(w.nodes[2].doubts[FED_DOUBT_WITHHELD], 1);
    CHECK(about(&w.nodes[2].doubt[FED_DOUBT_WITHHELD], 0, 0));
    honest(2);
    world_pass(&w, 3); /* asked for again, every hour */
    CHECK_EQ(w.nodes[2].settled[FED_DOUBT_WITHHELD], 1);
    world_cut(&w, 1, 2, false);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* What is accepted and then confirmed by nobody: its sender is told in a day,
   whether the member is off or its words are held back. */
TEST(drops_receipts)
{
    struct thread_id t = world_three(&w, 8);

    victim = 1; /* hears of no receipt */
    w.lie = keeps_the_others;
    world_said(&w, 1, &t);
    CHECK_EQ(node_messages(&w, 2, &t), 1 + 1);
    world_pass(&w, 23);
    CHECK_EQ(w.nodes[1].doubts[FED_DOUBT_UNDELIVERED], 0);
    world_pass(&w, 3);
    CHECK_EQ(w.nodes[1].doubts[FED_DOUBT_UNDELIVERED], 1);
    CHECK(about(&w.nodes[1].doubt[FED_DOUBT_UNDELIVERED], 2, 0));
    honest(1);
    world_said(&w, 0, &t);
    world_pass(&w, 3);
    world_said(&w, 0, &t);
    CHECK_EQ(w.nodes[1].settled[FED_DOUBT_UNDELIVERED], 1);
    world_end(&w);
}

TEST(a_member_that_does_not_confirm)
{
    struct thread_id t = world_three(&w, 9);
    static const uint8_t nobody[32];

    node_crash(&w, 2);
    world_said(&w, 0, &t);
    world_said(&w, 1, &t);
    world_pass(&w, 26);
    for (size_t i = 0; i < 2; i++) {
        CHECK_EQ(w.nodes[i].doubts[FED_DOUBT_UNDELIVERED], 1);
        CHECK(memcmp(w.nodes[i].doubt[FED_DOUBT_UNDELIVERED].author.b,
                     w.nodes[2].root.pub, 32) == 0);
    }
    CHECK(memcmp(w.nodes[0].doubt[FED_DOUBT_UNDELIVERED].peer.b, nobody, 32) ==
          0);
    node_start(&w, 2);
    world_pass(&w, 2);
    CHECK_EQ(w.nodes[0].settled[FED_DOUBT_UNDELIVERED], 1);
    CHECK_EQ(w.nodes[1].settled[FED_DOUBT_UNDELIVERED], 1);
    world_end(&w);
}

/* Who looks late, as the machine slept, looks at all that is late. */
TEST(what_is_late_after_a_sleep)
{
    struct thread_id t = world_three(&w, 15);

    world_said(&w, 1, &t);
    node_crash(&w, 2);
    world_said(&w, 1, &t);
    world_skip(&w, UINT64_C(26) * HOUR_MS);
    world_run(&w, 5000);
    CHECK_EQ(w.nodes[1].doubts[FED_DOUBT_UNDELIVERED], 1);
    world_end(&w);
}

/* ---------------------------------------------------------------- two logs */

/* Node 1 and node 2 get an entry of the same number each, of two logs. */
static struct thread_id
two_logs(uint64_t seed)
{
    struct thread_id t = world_three(&w, seed);
    struct rows before = {0};

    world_said(&w, 0, &t);
    world_cut(&w, 0, 2, true);
    node_snapshot(&w, 0, &before);
    world_said(&w, 1, &t);
    world_cut(&w, 0, 1, true);
    node_crash(&w, 0);
    node_copy_back(&w, 0, &before);
    rows_free(&before);
    node_start(&w, 0);
    w.nodes[0].core->start_ms = w.mono_ms - LIMIT_CHECK_MS; /* asks nobody */
    w.used_len = 0; /* the liar's own keys are not what this is about */
    world_cut(&w, 0, 2, false);
    world_said(&w, 2, &t);
    return t;
}

/* [checkpoint-head] They compare past the hub: both sides are told in a day. */
TEST(shows_two_logs)
{
    struct thread_id t = two_logs(10);

    (void)t;
    world_pass(&w, 18);
    CHECK_EQ(w.nodes[1].forks + w.nodes[2].forks, 0);
    world_pass(&w, 6);
    CHECK(w.nodes[1].forks > 0);
    CHECK(w.nodes[2].forks > 0);
    CHECK(about(&w.nodes[1].fork, 2, 0));
    CHECK(about(&w.nodes[2].fork, 1, 0));
    world_end(&w);
}

static bool dropped;

/* Node 0 drops one entry for the victim, and says that it has it no more. */
static bool
says_it_is_pruned(struct world *in, size_t from, size_t to, struct view item,
                  struct bytes *out)
{
    struct proto_peer_msg msg;

    if (from != 0 || to != victim ||
        proto_peer_peek(item) != PROTO_PEER_LOG_PART) {
        bool drop = !dropped && keeps_the_log(in, from, to, item, out);

        dropped = dropped || drop;
        return drop;
    }
    CHECK_OK(proto_peer_decode(item, &msg));
    msg.u.log_part.code = PROTO_LOG_PRUNED;
    msg.u.log_part.entries = (struct proto_list){0};
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, out));
    return true;
}

/* [named-gone] It may forget nothing that a member lacks, for 90 days. */
TEST(says_that_it_is_pruned)
{
    struct thread_id t = world_three(&w, 17);

    world_said(&w, 0, &t);
    CHECK_EQ(w.nodes[2].forks, 0);
    victim = 2;
    dropped = false;
    w.lie = says_it_is_pruned;
    world_said(&w, 1, &t);
    world_said(&w, 0, &t);
    CHECK(w.nodes[2].forks > 0);
    w.lie = NULL;
    world_end(&w);
}

/* They see it when it is gone, and it stays away: neither gives up the state
   with which they go on without it. */
TEST(shows_two_logs_and_goes)
{
    struct thread_id t = two_logs(16);
    size_t forks[3];
    size_t hub;

    node_crash(&w, 0);
    world_pass(&w, 26);
    for (size_t i = 1; i < 3; i++) {
        CHECK(w.nodes[i].forks > 0);
        CHECK_EQ(node_state(&w, i, &t), FED_THREAD_ACTIVE);
        CHECK_OK(world_say(&w, i, &t));
    }
    world_outlast(&w, 4, 3000);
    hub = world_hub_is(&w, 1, &t, 1) ? 1 : 2;
    for (size_t i = 1; i < 3; i++) {
        CHECK(world_hub_is(&w, i, &t, hub));
        CHECK_EQ(node_state(&w, i, &t), FED_THREAD_ACTIVE);
        /* what all had, what it was shown, and what both said since */
        CHECK_EQ(node_messages(&w, i, &t), 2 + 1 + 2);
        forks[i] = w.nodes[i].forks;
    }
    world_said(&w, hub, &t);
    world_said(&w, 3 - hub, &t);
    for (size_t i = 1; i < 3; i++) { /* of the old hub, not of this one */
        CHECK_EQ(w.nodes[i].forks, forks[i]);
        CHECK_EQ(node_messages(&w, i, &t), 2 + 1 + 4);
    }
    world_end(&w);
}

/* It is only away for a while: its next words bring them into its log. */
TEST(shows_two_logs_and_comes_back)
{
    struct thread_id t = two_logs(17);

    node_crash(&w, 0);
    world_pass(&w, 26);
    CHECK_EQ(node_state(&w, 1, &t), FED_THREAD_ACTIVE);
    world_cut(&w, 0, 1, false);
    node_start(&w, 0);
    world_heal(&w);
    world_said(&w, 0, &t);
    world_heal(&w);
    for (size_t i = 1; i < 3; i++) {
        CHECK_EQ(node_state(&w, i, &t), FED_THREAD_ACTIVE);
        CHECK(world_thread(&w, i, &t)->rec.seq ==
              world_thread(&w, 0, &t)->rec.seq);
    }
    world_end(&w);
}

/* A receipt names the head that its sender saw, and it is compared. */
TEST(a_receipt_of_another_log)
{
    struct thread_id t = world_three(&w, 11);
    struct proto_content c = {.kind = PROTO_CONTENT_RECEIPT};
    struct fed_thread *liar;

    world_said(&w, 0, &t);
    liar = world_thread(&w, 1, &t);
    c.u.receipt.what = PROTO_RECEIPT_DELIVERED;
    c.u.receipt.term = liar->rec.term;
    c.u.receipt.upto = liar->rec.seq;
    memset(c.u.receipt.head, 7, 32);
    node_stepped(&w, 1, fed_intent_say(w.nodes[1].core, liar, &c, false, NULL));
    world_run(&w, 3000);
    CHECK_EQ(w.nodes[0].forks, 1); /* who orders says so at once */
    CHECK(about(&w.nodes[0].fork, 1, 0));
    CHECK(w.nodes[2].forks > 0);
    world_heal(&w);
    world_said(&w, 2, &t);
    world_judge(&w, &t, all, 3); /* and all are together again */
    world_end(&w);
}

/* [checkpoint-signed] [checkpoint-member] what others say of somebody */
TEST(checkpoints_of_others)
{
    struct thread_id t = world_three(&w, 12);
    struct proto_checkpoint_msg in = {.said = VIEW_LIT("words")};
    struct fed_party *two = world_party(&w, 1, 2);
    struct fed_party *hub = world_party(&w, 1, 0);
    struct proto_peer_msg msg;
    struct fed_key key;
    struct bytes row = {0};

    memcpy(in.thread, t.b, 32);
    CHECK(fed_checkpoint_recv(w.nodes[1].core, two, &in) != OK);
    /* What node 2 really says, taken from its queue, said by node 0. */
    key = fed_key_num(clinic_id_view(&world_party(&w, 2, 1)->root),
                      world_party(&w, 2, 1)->rec.out_next);
    CHECK_OK(fed_checkpoint_direct(w.nodes[2].core, world_thread(&w, 2, &t)));
    CHECK_OK(fed_tx_get(w.nodes[2].core, FED_NS_OUT, &key, &row));
    CHECK_OK(proto_peer_decode(view_skip(view_of(&row), 1), &msg));
    CHECK_EQ(msg.type, PROTO_PEER_CHECKPOINT);
    CHECK_ERR(fed_checkpoint_recv(w.nodes[1].core, hub, &msg.u.checkpoint),
              ERR_DENIED);
    CHECK_OK(fed_checkpoint_recv(w.nodes[1].core, two, &msg.u.checkpoint));
    /* Of a thread that it is not in. */
    t = world_direct(&w, 0, 1);
    memcpy(msg.u.checkpoint.thread, t.b, 32);
    CHECK(fed_checkpoint_recv(w.nodes[1].core, two, &msg.u.checkpoint) != OK);
    bytes_free(&row);
    world_end(&w);
}

/* -------------------------------------------------------------------- time */

/* [hub-time] The hub's clock goes back, or far ahead: said, and not believed.
 */
TEST(the_hubs_clock)
{
    struct thread_id t = world_three(&w, 13);
    struct fed_thread *hub = world_thread(&w, 0, &t);
    uint64_t before;

    world_said(&w, 0, &t);
    before = world_thread(&w, 2, &t)->rec.ts_ms;
    CHECK_EQ(w.nodes[2].doubts[FED_DOUBT_CLOCK], 0);
    hub->rec.ts_ms += 40 * UINT64_C(86400000);
    world_said(&w, 0, &t);
    CHECK_EQ(w.nodes[1].doubts[FED_DOUBT_CLOCK], 1);
    CHECK(about(&w.nodes[1].doubt[FED_DOUBT_CLOCK], 0, 0));
    CHECK(world_thread(&w, 1, &t)->rec.ts_ms <= w.wall_ms + 25 * HOUR_MS);
    before = world_thread(&w, 2, &t)->rec.ts_ms;
    hub->rec.ts_ms = w.wall_ms - 40 * UINT64_C(86400000);
    w.wall_ms -= 30 * UINT64_C(86400000); /* everybody's: next_ts asks it */
    world_said(&w, 0, &t);
    CHECK(world_thread(&w, 2, &t)->rec.ts_ms >= before);
    CHECK_EQ(node_messages(&w, 2, &t), 3 + 1);
    CHECK_EQ(w.nodes[1].settled[FED_DOUBT_CLOCK], 0);
    w.wall_ms += 35 * UINT64_C(86400000); /* and right again */
    world_said(&w, 0, &t);
    CHECK_EQ(w.nodes[1].settled[FED_DOUBT_CLOCK], 1);
    world_end(&w);
}

/* Who is not in the thread any more is not waited for. */
TEST(what_is_left_of_who_goes)
{
    struct thread_id t = world_three(&w, 14);
    struct subject_id two = node_subject(&w, 2);

    node_crash(&w, 2);
    world_said(&w, 1, &t);
    world_pass(&w, 26);
    CHECK_EQ(w.nodes[1].doubts[FED_DOUBT_UNDELIVERED], 1);
    node_stepped(&w, 0, fed_core_remove(w.nodes[0].core, &t, &two));
    world_run(&w, 3000);
    CHECK_EQ(w.nodes[1].settled[FED_DOUBT_UNDELIVERED], 1);
    CHECK_EQ(w.nodes[0].settled[FED_DOUBT_UNDELIVERED],
             w.nodes[0].doubts[FED_DOUBT_UNDELIVERED]);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(checkpoints_while_lively), T(words_are_checkpoints),
               T(a_member_that_is_away), T(a_hub_that_is_away),
               T(back_after_days), T(withholds_everything),
               T(withholds_from_one_who_hears_of_it), T(withholds_one_entry),
               T(drops_receipts), T(a_member_that_does_not_confirm),
               T(shows_two_logs), T(says_that_it_is_pruned),
               T(shows_two_logs_and_goes), T(shows_two_logs_and_comes_back),
               T(a_receipt_of_another_log), T(checkpoints_of_others),
               T(the_hubs_clock), T(what_is_left_of_who_goes),
               T(what_is_late_after_a_sleep));
}
