/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub goes for good while members of its threads rejoin, which have nobody to
 * ask any more: those who have the state take the thread, with the word of
 * those who have none, and let these in.
 */
#include "federation/core/hub.h"
#include "federation/core/move.h"
#include "federation/core/successor.h"
#include "federation/core/trust.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/sim/story.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;
static const size_t all[] = {0, 1, 2, 3, 4};

/* Of n clinics those from rejoin on are put back while node 0 is gone. */
static void
left_over(uint64_t seed, size_t n, size_t rejoin, bool said)
{
    struct thread_id t = world_settled(&w, seed, n);

    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    node_crash(&w, 0);
    for (size_t i = rejoin; i < n; i++) {
        world_put_back(&w, i, NULL);
        CHECK_EQ(node_state(&w, i, &t), FED_THREAD_RESYNC);
    }
    if (said) {
        CHECK_OK(world_say(&w, n - 1, &t));
    }
    world_outlast(&w, 4, 3000);
    CHECK(!world_hub_is(&w, 1, &t, 0));
    for (size_t i = 1; i < n; i++) {
        CHECK_EQ(node_state(&w, i, &t), FED_THREAD_ACTIVE);
        CHECK(world_hub_is(&w, i, &t, 0) == false);
        CHECK_OK(world_say(&w, i, &t));
    }
    world_run(&w, 5000);
    for (size_t i = 1; i < n; i++) {
        CHECK_EQ(node_messages(&w, i, &t), 2 + (n - 1) + (said ? 1 : 0));
    }
    world_heal(&w); /* the old hub comes back */
    CHECK(!world_hub_is(&w, 0, &t, 0));
    CHECK_OK(world_say(&w, 0, &t));
    world_heal(&w);
    world_judge(&w, &t, all, n);
    world_end(&w);
}

TEST(one_rejoins_and_writes)
{
    left_over(1, 3, 2, true);
}

/* Nobody has anything to say: who rejoins wants to come back all the same. */
TEST(one_rejoins_in_a_quiet_thread)
{
    left_over(2, 3, 2, false);
}

/* One with the state is not half of four others: they speak as well. */
TEST(two_of_four_rejoin)
{
    left_over(3, 5, 3, true);
}

TEST(all_but_one_rejoin)
{
    left_over(4, 5, 2, true);
    left_over(5, 5, 2, false);
}

/* Who rejoins has more of the log than who has the state: it gives it. */
TEST(who_rejoins_has_more_of_the_log)
{
    struct thread_id t = world_settled(&w, 6, 3);

    world_cut(&w, 0, 1, true);
    world_cut(&w, 1, 2, true);
    world_run(&w, 1000);
    CHECK_OK(world_say(&w, 2, &t));
    CHECK_OK(world_say(&w, 0, &t));
    world_run(&w, 3000);
    CHECK_EQ(node_messages(&w, 2, &t), 2 + 1);
    CHECK_EQ(node_messages(&w, 1, &t), 0 + 1);
    node_crash(&w, 0);
    world_put_back(&w, 2, NULL);
    world_cut(&w, 1, 2, false);
    world_outlast(&w, 4, 3000);
    CHECK(world_hub_is(&w, 1, &t, 1));
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ACTIVE);
    world_run(&w, 5000);
    CHECK_EQ(node_messages(&w, 1, &t), 2 + 1);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* The hub took its commit, told another, and went before it answered. */
static bool
keeps_answers(struct world *in, size_t from, size_t to, struct view item,
              struct bytes *out)
{
    struct proto_peer_msg nothing = {.type = PROTO_PEER_ROSTER};
    struct proto_peer_msg msg;

    (void)in;
    if (from != 0 || to != 2 || proto_peer_decode(item, &msg) != OK ||
        msg.type != PROTO_PEER_ANSWER) {
        return false;
    }
    CHECK_OK(proto_peer_encode(mem_heap(), &nothing, out));
    return true;
}

TEST(its_commit_was_taken_and_not_answered)
{
    struct thread_id t = world_settled(&w, 7, 3);
    uint64_t seq = world_thread(&w, 1, &t)->rec.seq;

    w.lie = keeps_answers;
    world_put_back(&w, 2, NULL);
    world_run(&w, 5000);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_RESYNC);
    CHECK(world_thread(&w, 1, &t)->rec.seq > seq);
    node_crash(&w, 0);
    w.lie = NULL;
    CHECK_OK(world_say(&w, 2, &t));
    world_outlast(&w, 4, 3000);
    CHECK(world_hub_is(&w, 1, &t, 1));
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ACTIVE);
    CHECK_EQ(node_messages(&w, 1, &t), 1 + 1);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* It was put back to before the others took the thread: it asks, and hears. */
TEST(put_back_to_before_they_took_it)
{
    struct thread_id t = world_settled(&w, 8, 3);
    struct rows before[2] = {{0}, {0}};
    size_t other;
    size_t next;

    CHECK_OK(world_say(&w, 2, &t));
    world_heal(&w);
    for (size_t i = 0; i < 2; i++) {
        sim_commit_due(&w, 1 + i, true);
        node_snapshot(&w, 1 + i, &before[i]);
    }
    node_crash(&w, 0);
    CHECK_OK(world_say(&w, 1, &t));
    world_outlast(&w, 4, 3000);
    next = world_hub_is(&w, 1, &t, 1) ? 1 : 2;
    other = 3 - next;
    CHECK(world_hub_is(&w, other, &t, next));
    world_put_back(&w, other, &before[other - 1]);
    CHECK(world_hub_is(&w, other, &t, 0));
    world_run(&w, 2 * LIMIT_MOVE_WAIT_MS);
    CHECK_EQ(node_state(&w, other, &t), FED_THREAD_ACTIVE);
    CHECK(world_hub_is(&w, other, &t, next));
    CHECK_EQ(node_messages(&w, other, &t), 2 + 1);
    rows_free(&before[0]);
    rows_free(&before[1]);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* Since when node i is told that it is out of t and nobody is there who could
   let it in; 0: it is not told. */
static uint64_t
left_out(size_t i, const struct thread_id *t)
{
    uint64_t since;

    CHECK_OK(fed_core_left_out(w.nodes[i].core, t, &since));
    return since;
}

/* Nobody is left who has the state: people are told, and nothing moves. */
TEST(all_others_rejoin)
{
    struct thread_id t = world_settled(&w, 9, 3);

    node_crash(&w, 0);
    world_put_back(&w, 1, NULL);
    world_put_back(&w, 2, NULL);
    CHECK_OK(world_say(&w, 1, &t));
    CHECK(left_out(1, &t) == 0 && left_out(2, &t) == 0);
    world_outlast(&w, 4, 3000);
    CHECK(left_out(1, &t) != 0 && left_out(2, &t) != 0);
    CHECK(world_hub_is(&w, 1, &t, 0) && world_hub_is(&w, 2, &t, 0));
    /* of this one, and of the conversation with each */
    CHECK_EQ(w.nodes[1].hubs[FED_HUB_GONE], 2);
    CHECK_EQ(w.nodes[2].hubs[FED_HUB_GONE], 2);
    world_heal(&w); /* it was not gone after all */
    CHECK(left_out(1, &t) == 0 && left_out(2, &t) == 0);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* So is a clinic alone with the hub that is gone. */
TEST(the_only_other_rejoins)
{
    struct thread_id t;
    size_t hub;

    world_friends(&w, 10, 2);
    t = world_direct(&w, 0, 1);
    world_heal(&w);
    hub = world_hub_is(&w, 0, &t, 0) ? 0 : 1;
    node_crash(&w, hub);
    world_put_back(&w, 1 - hub, NULL);
    world_outlast(&w, 4, 3000);
    CHECK_EQ(w.nodes[1 - hub].hubs[FED_HUB_GONE], 1);
    CHECK(world_hub_is(&w, 1 - hub, &t, hub));
    world_heal(&w);
    world_judge(&w, &t, all, 2);
    world_end(&w);
}

/* Who was away while the hub was put back knows of no later term, and takes
   the thread with the word of those who were there and have lost it: its term
   is behind all that they know of, so that they, and the hub, can follow. */
TEST(a_quorum_that_knows_more)
{
    struct thread_id t = world_settled(&w, 24, 4);

    world_cut(&w, 0, 1, true);
    world_put_back(&w, 0, NULL);
    world_run(&w, 5000);
    world_skip(&w, LIMIT_CHECK_MS);
    world_run(&w, 60000);
    CHECK_EQ(world_thread(&w, 2, &t)->rec.term, 2);
    CHECK_EQ(world_thread(&w, 1, &t)->rec.term, 1);
    node_crash(&w, 0);
    world_put_back(&w, 2, NULL);
    world_put_back(&w, 3, NULL);
    CHECK_OK(world_say(&w, 1, &t));
    world_outlast(&w, 4, 3000);
    for (size_t i = 1; i < 4; i++) {
        CHECK(world_hub_is(&w, i, &t, 1));
        CHECK_EQ(node_state(&w, i, &t), FED_THREAD_ACTIVE);
        CHECK_EQ(world_thread(&w, i, &t)->rec.term, 3);
    }
    node_start(&w, 0);
    world_put_back(&w, 0, NULL);
    world_heal(&w);
    CHECK(world_hub_is(&w, 0, &t, 1));
    world_judge(&w, &t, all, 4);
    world_end(&w);
}

/* A hub that was put back is in a term of its own, of which nobody heard, and
   the others take the thread with the same number: put back again, it compares
   with them, and is told. */
TEST(a_term_of_both)
{
    struct thread_id t = world_settled(&w, 25, 4);

    world_put_back(&w, 0, NULL);
    for (int i = 0; i < 5000 && node_state(&w, 0, &t) != FED_THREAD_ACTIVE;
         i++) {
        world_step(&w, 1);
    }
    for (size_t i = 1; i < 4; i++) {
        world_cut(&w, 0, i, true);
    }
    CHECK_OK(world_say(&w, 0, &t));
    CHECK_OK(world_say(&w, 1, &t));
    world_outlast(&w, 4, 3000);
    CHECK(!world_hub_is(&w, 1, &t, 0));
    CHECK_EQ(world_thread(&w, 1, &t)->rec.term, 2);
    CHECK_EQ(world_thread(&w, 0, &t)->rec.term, 2);
    world_put_back(&w, 0, NULL);
    world_heal(&w);
    CHECK(!world_hub_is(&w, 0, &t, 0));
    world_judge(&w, &t, all, 4);
    world_end(&w);
}

/* One that rejoins and still sees the hub says so, and nobody takes over. */
TEST(one_that_rejoins_sees_the_hub)
{
    struct thread_id t = world_settled(&w, 11, 3);

    world_cut(&w, 0, 1, true);
    world_run(&w, 1000);
    w.lie = keeps_answers;
    world_put_back(&w, 2, NULL);
    CHECK_OK(world_say(&w, 1, &t));
    world_outlast(&w, 4, 3000);
    CHECK(world_hub_is(&w, 1, &t, 0) && world_hub_is(&w, 2, &t, 0));
    w.lie = NULL;
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* A patient's phone is put back while the clinic that orders is gone, and the
   other clinic has nothing to say. */
TEST(a_phone_rejoins)
{
    size_t who[3] = {0, 1, 0};
    struct thread_id t;

    world_friends(&w, 12, 2);
    who[2] = world_device(&w, 0);
    world_enrol(&w, who[2], 1);
    t = world_open(&w, 1, who[2]);
    world_consent(&w, &t, 1, who[2], 0, true);
    CHECK(world_in(&w, &t, who, 3));
    {

        world_hand_over(&w, 1, &t, 0);
    }
    world_heal(&w);
    CHECK(world_hub_is(&w, who[2], &t, 0));
    node_crash(&w, 0);
    world_put_back(&w, who[2], NULL);
    CHECK_EQ(node_state(&w, who[2], &t), FED_THREAD_RESYNC);
    world_outlast(&w, 4, 3000);
    CHECK(world_hub_is(&w, 1, &t, 1));
    CHECK(world_hub_is(&w, who[2], &t, 1));
    CHECK_EQ(node_state(&w, who[2], &t), FED_THREAD_ACTIVE);
    CHECK_OK(world_say(&w, who[2], &t));
    world_heal(&w);
    world_judge(&w, &t, who, 3);
    world_end(&w);
}

/* A phone is put back to before it was in the thread: all of it comes back. */
TEST(a_phone_put_back_to_before_the_thread)
{
    struct rows before = {0};
    size_t who[2] = {1, 0};
    struct thread_id t;

    world_friends(&w, 23, 2);
    who[1] = world_device(&w, 0);
    world_enrol(&w, who[1], 1);
    world_heal(&w);
    node_snapshot(&w, who[1], &before);
    t = world_open(&w, 1, who[1]);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(world_say(&w, who[i % 2], &t));
        world_heal(&w);
    }
    world_put_back(&w, who[1], &before);
    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    world_run(&w, 3 * LIMIT_MISSING_MS);
    world_heal(&w);
    CHECK_EQ(node_messages(&w, who[1], &t), 4);
    world_judge(&w, &t, who, 2);
    rows_free(&before);
    world_end(&w);
}

/* Only the patient has something to say; its clinics would wait for ever. */
TEST(a_phone_writes)
{
    size_t who[3] = {0, 1, 0};
    struct thread_id t;
    size_t before;

    world_friends(&w, 13, 2);
    who[2] = world_device(&w, 0);
    world_enrol(&w, who[2], 1);
    t = world_open(&w, 1, who[2]);
    world_consent(&w, &t, 1, who[2], 0, true);
    CHECK(world_in(&w, &t, who, 3));
    world_hand_over(&w, 1, &t, 0);
    world_heal(&w);
    CHECK(world_hub_is(&w, who[2], &t, 0));
    node_crash(&w, 0);
    world_run(&w, 3000);
    before = node_messages(&w, 1, &t);
    CHECK_OK(world_say(&w, who[2], &t));
    world_outlast(&w, 4, 3000);
    CHECK(world_hub_is(&w, 1, &t, 1));
    CHECK(world_hub_is(&w, who[2], &t, 1));
    CHECK_EQ(node_messages(&w, 1, &t), before + 1);
    world_heal(&w);
    world_judge(&w, &t, who, 3);
    world_end(&w);
}

/* Until node i has founded a thread that continues id, or another one. */
static void
next_changes(size_t i, const struct thread_id *id)
{
    struct thread_id was;

    memcpy(was.b, world_thread(&w, i, id)->rec.next, sizeof(was.b));
    for (int n = 0;
         n < 5000 &&
         (!fed_has_successor(world_thread(&w, i, id)) ||
          memcmp(was.b, world_thread(&w, i, id)->rec.next, sizeof(was.b)) == 0);
         n++) {
        world_step(&w, 1);
    }
    CHECK(memcmp(was.b, world_thread(&w, i, id)->rec.next, sizeof(was.b)) != 0);
}

/* Both clinics lost the thread, so the hub founds one that continues it, and is
   put back so many times before the other came into that one: it founds it
   again each time. */
static void
put_back_before_anybody_came(uint64_t seed, int times)
{
    struct thread_id t;
    struct thread_id now;
    size_t hub;

    world_friends(&w, seed, 2);
    t = world_direct(&w, 0, 1);
    world_heal(&w);
    hub = world_hub_is(&w, 0, &t, 0) ? 0 : 1;
    node_crash(&w, hub);
    world_put_back(&w, 1 - hub, NULL);
    CHECK_EQ(node_state(&w, 1 - hub, &t), FED_THREAD_RESYNC);
    CHECK_OK(world_say(&w, 1 - hub, &t));
    node_start(&w, hub);
    world_put_back(&w, hub, NULL);
    CHECK_EQ(node_state(&w, hub, &t), FED_THREAD_CHECKING);
    next_changes(hub, &t);
    CHECK_EQ(node_state(&w, hub, &t), FED_THREAD_ENDED);
    for (int n = 0; n < times; n++) {
        world_put_back(&w, hub, NULL);
        next_changes(hub, &t);
    }
    world_heal(&w);
    CHECK_EQ(node_state(&w, 1 - hub, &t), FED_THREAD_ENDED);
    now = world_direct(&w, hub, 1 - hub);
    CHECK_EQ(node_state(&w, hub, &now), FED_THREAD_ACTIVE);
    CHECK_EQ(node_state(&w, 1 - hub, &now), FED_THREAD_ACTIVE);
    CHECK_EQ(node_messages(&w, hub, &now), 1);
    CHECK_EQ(node_messages(&w, 1 - hub, &now), 1);
    world_judge(&w, &now, all, 2);
    world_end(&w);
}

TEST(put_back_before_anybody_came_into_the_successor)
{
    put_back_before_anybody_came(14, 1);
}

TEST(put_back_before_anybody_came_into_the_second_successor)
{
    put_back_before_anybody_came(17, 3);
}

/* Likewise, and the other, put back as well, could not open the Welcome: it
   knows only that there is such a thread. */
TEST(put_back_when_the_other_knows_only_that_it_is)
{
    struct thread_id t;
    struct thread_id next;
    size_t hub;

    world_friends(&w, 19, 2);
    t = world_direct(&w, 0, 1);
    world_heal(&w);
    hub = world_hub_is(&w, 0, &t, 0) ? 0 : 1;
    node_crash(&w, hub);
    world_put_back(&w, 1 - hub, NULL);
    node_start(&w, hub);
    w.delay_ms = 60;
    world_put_back(&w, hub, NULL);
    next_changes(hub, &t);
    memcpy(next.b, world_thread(&w, hub, &t)->rec.next, sizeof(next.b));
    for (int n = 0; n < 2000 && node_state(&w, hub, &next) != FED_THREAD_ACTIVE;
         n++) {
        world_step(&w, 1);
    }
    CHECK_EQ(node_state(&w, hub, &next), FED_THREAD_ACTIVE);
    world_put_back(&w, 1 - hub, NULL); /* its key packages are gone */
    for (int n = 0;
         n < 2000 && node_state(&w, 1 - hub, &next) != FED_THREAD_RESYNC; n++) {
        world_step(&w, 1);
    }
    CHECK_EQ(world_thread(&w, 1 - hub, &next)->group_ext.len, 0);
    world_put_back(&w, hub, NULL);
    w.delay_ms = 0;
    for (int n = 0; n < 4; n++) {
        world_later(&w, 2 * LIMIT_MOVE_WAIT_MS, 3000);
    }
    world_heal(&w);
    CHECK_EQ(node_state(&w, 1 - hub, &t), FED_THREAD_ENDED);
    next = world_direct(&w, hub, 1 - hub);
    CHECK_EQ(node_state(&w, hub, &next), FED_THREAD_ACTIVE);
    CHECK_EQ(node_state(&w, 1 - hub, &next), FED_THREAD_ACTIVE);
    CHECK_OK(world_say(&w, 1 - hub, &next));
    world_heal(&w);
    world_judge(&w, &next, all, 2);
    world_end(&w);
}

static size_t
threads(size_t i, struct thread_id *last)
{
    struct thread_id id;
    struct thread_id after;
    struct fed_thread_info info;
    size_t n = 0;

    while (fed_core_thread_next(w.nodes[i].core, n > 0 ? &after : NULL, &id) ==
           OK) {
        CHECK_OK(fed_core_thread(w.nodes[i].core, &id, &info));
        if (info.state == FED_THREAD_ACTIVE &&
            (world_thread(&w, i, &id)->rec.flags & PROTO_GROUP_DIRECT) == 0) {
            *last = id;
        }
        after = id;
        n++;
    }
    return n;
}

/* Who came into the successor and left is not asked in again. */
TEST(put_back_when_all_have_left_the_successor)
{
    struct thread_id t = world_settled(&w, 15, 2);
    struct thread_id now = {{0}};
    size_t n;

    node_crash(&w, 0);
    world_put_back(&w, 1, NULL);
    node_start(&w, 0);
    world_put_back(&w, 0, NULL);
    world_heal(&w);
    n = threads(0, &now);
    CHECK(!thread_id_equal(&now, &t));
    CHECK_EQ(node_state(&w, 1, &now), FED_THREAD_ACTIVE);
    CHECK_OK(fed_core_leave(w.nodes[1].core, &now));
    sim_take(&w, 1);
    world_heal(&w);
    CHECK_EQ(world_thread(&w, 0, &now)->members_len, 0);
    world_put_back(&w, 0, NULL);
    world_heal(&w);
    CHECK_EQ(node_state(&w, 0, &now), FED_THREAD_ENDED);
    CHECK_EQ(threads(0, &now), n);
    world_end(&w);
}

/* Two took the thread one after the other while its first hub was away, and
   what the one had for it is lost, as that is put back when it orders the
   thread no more: then it hears all of it from the other. */
TEST(the_first_of_two_proofs_is_lost)
{
    struct thread_id t = world_settled(&w, 16, 4);
    size_t first = 1;
    size_t other;

    node_crash(&w, 0);
    CHECK_OK(world_say(&w, 1, &t));
    world_outlast(&w, 4, 3000);
    while (first < 3 && !world_hub_is(&w, 1, &t, first)) {
        first++;
    }
    other = first == 1 ? 2 : 1;
    CHECK(world_hub_is(&w, other, &t, first));
    node_crash(&w, first);
    CHECK_OK(world_say(&w, other, &t));
    world_outlast(&w, 4, 3000);
    CHECK(!world_hub_is(&w, other, &t, first) &&
          !world_hub_is(&w, other, &t, 0));
    world_put_back(&w, first, NULL);
    world_run(&w, 5000);
    CHECK_EQ(node_state(&w, first, &t), FED_THREAD_ACTIVE);
    CHECK(!world_hub_is(&w, first, &t, first));
    world_heal(&w);
    CHECK(!world_hub_is(&w, 0, &t, 0));
    world_judge(&w, &t, all, 4);
    world_end(&w);
}

/* A hub that was alone, and went on, hears of two that took the thread after
   each other: what it said since the first of them comes back to all. */
TEST(alone_while_two_take_it)
{
    struct thread_id t = world_settled(&w, 22, 4);
    size_t first = 1;
    size_t other;

    for (size_t i = 1; i < 4; i++) {
        world_cut(&w, 0, i, true);
    }
    for (int i = 0; i < 8; i++) {
        CHECK_OK(world_say(&w, 0, &t));
    }
    CHECK_OK(world_say(&w, 1, &t));
    world_outlast(&w, 4, 3000);
    while (first < 3 && !world_hub_is(&w, 2, &t, first)) {
        first++;
    }
    CHECK(world_hub_is(&w, 2, &t, first));
    other = first == 3 ? 1 : 3;
    node_crash(&w, first);
    CHECK_OK(world_say(&w, other, &t));
    world_outlast(&w, 4, 3000);
    CHECK(!world_hub_is(&w, other, &t, first) &&
          !world_hub_is(&w, other, &t, 0));
    world_heal(&w);
    CHECK(!world_hub_is(&w, 0, &t, 0) && !world_hub_is(&w, 0, &t, first));
    world_judge(&w, &t, all, 4);
    world_end(&w);
}

/* A hub that was put back numbers on in a term of its own, is put back again
   before anybody heard of that, and does not number those places twice. */
TEST(put_back_before_anybody_heard_of_the_new_term)
{
    struct thread_id t = world_settled(&w, 18, 3);

    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    world_put_back(&w, 0, NULL);
    for (int i = 0; i < 5000 && node_state(&w, 0, &t) != FED_THREAD_ACTIVE;
         i++) {
        world_step(&w, 1);
    }
    CHECK_EQ(world_thread(&w, 0, &t)->rec.term, 2);
    world_cut(&w, 0, 1, true);
    world_cut(&w, 0, 2, true);
    CHECK_OK(world_say(&w, 0, &t));
    world_run(&w, 1000);
    CHECK_EQ(world_thread(&w, 1, &t)->rec.term, 1);
    CHECK_EQ(world_thread(&w, 2, &t)->rec.term, 1);
    world_put_back(&w, 0, NULL);
    CHECK_OK(world_say(&w, 0, &t));
    world_heal(&w);
    CHECK_EQ(world_thread(&w, 0, &t)->rec.term, 3);
    CHECK_EQ(world_thread(&w, 1, &t)->rec.term, 3);
    world_judge(&w, &t, all, 3);
    CHECK_EQ(node_messages(&w, 2, &t), node_messages(&w, 0, &t));
    world_end(&w);
}

/* [move-jump] Nobody follows a hub into a term far ahead of what is known, by
   its commit: each rejoins, and sees that its log was another one. */
TEST(a_term_far_ahead)
{
    struct thread_id t = world_settled(&w, 21, 3);
    uint64_t far = 1 + LIMIT_MOVE_JUMP;
    size_t forks = 0;

    for (int i = 0; i < 2; i++) {
        world_put_back(&w, 0, NULL);
        world_thread(&w, 0, &t)->rec.had_seq = 1;
        world_thread(&w, 0, &t)->rec.had_term = far;
        world_heal(&w);
        CHECK_EQ(world_thread(&w, 0, &t)->rec.term, far + 1);
        CHECK(w.nodes[1].forks > 0);
        CHECK(i == 0 || w.nodes[1].forks == forks); /* not as far */
        forks = w.nodes[1].forks;
        far += LIMIT_MOVE_JUMP;
    }
    world_end(&w);
}

/* One is away while the thread gets another hub, which is put back before that
   one is there again: it gets what is said from then on, too. */
TEST(away_while_the_new_hub_is_put_back)
{
    struct thread_id t = world_settled(&w, 19, 3);

    node_crash(&w, 2);
    world_hand_over(&w, 0, &t, 1);
    world_run(&w, 3000);
    CHECK(world_hub_is(&w, 1, &t, 1));
    world_put_back(&w, 1, NULL);
    world_run(&w, 3000);
    world_skip(&w, LIMIT_CHECK_MS); /* it waits for who is away */
    world_run(&w, 60000);
    CHECK_EQ(world_thread(&w, 1, &t)->rec.term, 3);
    node_start(&w, 2);
    world_heal(&w);
    for (int i = 0; i < 20; i++) {
        CHECK_OK(world_say(&w, 0, &t));
        world_run(&w, 100);
    }
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 2, &t), node_messages(&w, 0, &t));
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* [move-heard] A clinic is put back to before it was in the thread, hears of
   it, and the thread gets another hub before it is in again: all that it knows
   is whom to ask, and that one says who it is now. */
TEST(put_back_to_before_the_thread)
{
    struct rows before = {0};
    struct fed_thread_info info;
    struct thread_id t;

    world_friends(&w, 20, 3);
    node_snapshot(&w, 2, &before);
    t = world_group(&w, 0, 3);
    world_heal(&w);
    world_put_back(&w, 2, &before);
    CHECK_OK(world_say(&w, 1, &t));
    for (int i = 0;
         i < 5000 && fed_core_thread(w.nodes[2].core, &t, &info) != OK; i++) {
        world_step(&w, 1);
    }
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_RESYNC);
    world_cut(&w, 0, 2, true);
    world_cut(&w, 1, 2, true);
    world_hand_over(&w, 0, &t, 1);
    world_run(&w, 3000);
    CHECK(world_hub_is(&w, 0, &t, 1) && world_hub_is(&w, 2, &t, 0));
    world_heal(&w);
    CHECK(world_hub_is(&w, 2, &t, 1));
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ACTIVE);
    CHECK_OK(world_say(&w, 2, &t));
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    rows_free(&before);
    world_end(&w);
}

/* Hubs go while others are put back, and everything breaks. */
static void
story(const void *ctx, uint64_t seed)
{
    struct thread_id t = world_settled(&w, seed, 4);
    bool ended = false; /* continued: tests/sim/lost */

    (void)ctx;
    w.delay_ms = world_below(&w, 200);
    w.commit_ms = world_below(&w, 60);
    w.break_ppm = world_below(&w, 1000);
    for (int i = 0; i < 40 && w.fault[0] == '\0'; i++) {
        size_t k = (size_t)world_below(&w, 4);

        if (w.nodes[k].core == NULL) {
            if (world_chance(&w, 300)) {
                node_start(&w, k);
            }
        } else if (world_chance(&w, 60)) {
            world_put_back(&w, k, NULL);
        } else if (world_chance(&w, 60)) {
            node_crash(&w, k);
            world_run(&w, world_below(&w, 3000));
            world_skip(&w, WORLD_GONE_MS);
        } else if (world_chance(&w, 100)) {
            world_skip(&w, 2 * LIMIT_MOVE_WAIT_MS);
        } else {
            ERR_IGNORE(world_say(&w, k, &t), "it may be out just now");
        }
        world_run(&w, world_below(&w, 300));
    }
    for (size_t k = 0; k < 4; k++) {
        if (w.nodes[k].core == NULL) {
            node_start(&w, k);
        }
    }
    for (int h = 0; h < 80; h++) {
        world_pass(&w, 1);
    }
    world_heal(&w);
    world_run(&w, 2000);
    world_heal(&w);
    for (size_t k = 0; k < 4; k++) {
        ended = ended || node_state(&w, k, &t) == FED_THREAD_ENDED;
    }
    if (w.fault[0] == '\0' && !ended) {
        world_judge(&w, &t, all, 4);
    }
}

TEST(hubs_go_while_others_are_put_back)
{
    CHECK_EQ(story_each(&w, 101, 20, story, NULL), 0);
}

int
main(void)
{
    return RUN(
        T(one_rejoins_and_writes), T(one_rejoins_in_a_quiet_thread),
        T(two_of_four_rejoin), T(all_but_one_rejoin),
        T(who_rejoins_has_more_of_the_log),
        T(its_commit_was_taken_and_not_answered),
        T(put_back_to_before_they_took_it), T(all_others_rejoin),
        T(the_only_other_rejoins), T(a_quorum_that_knows_more),
        T(a_term_of_both), T(one_that_rejoins_sees_the_hub), T(a_phone_rejoins),
        T(a_phone_put_back_to_before_the_thread), T(a_phone_writes),
        T(put_back_before_anybody_came_into_the_successor),
        T(put_back_before_anybody_came_into_the_second_successor),
        T(put_back_when_the_other_knows_only_that_it_is),
        T(put_back_when_all_have_left_the_successor),
        T(the_first_of_two_proofs_is_lost), T(alone_while_two_take_it),
        T(put_back_before_anybody_heard_of_the_new_term), T(a_term_far_ahead),
        T(away_while_the_new_hub_is_put_back), T(put_back_to_before_the_thread),
        T(hubs_go_while_others_are_put_back));
}
