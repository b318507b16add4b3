/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who rejoins a thread is answered by its hub and yet kept out: with the
 * GroupInfo of another time, or by being told to wait.
 */
#include "federation/core/watch.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;
static const size_t all[] = {0, 1, 2};

/* What the liar has in mind. */
static struct bytes kept; /* what it gave */
static size_t told;       /* lies */
static size_t victim;
static bool lying;
static struct thread_id liar_thread;

static void
honest(void)
{
    w.lie = NULL;
    bytes_free(&kept);
}

/* --------------------------------------------------------- an old GroupInfo */

/* The answer to a question, with what was true before in it. */
static bool
an_old_one(struct world *in, size_t from, size_t to, struct view item,
           struct bytes *out)
{
    struct proto_peer_msg now;
    struct proto_peer_msg old;

    (void)in;
    if (from != 0 || to != victim || proto_peer_decode(item, &now) != OK ||
        now.type != PROTO_PEER_GI || now.u.gi.code != PROTO_ANSWER_ACCEPTED ||
        memcmp(now.u.gi.thread, liar_thread.b, 32) != 0) {
        return false;
    }
    if (!lying) {
        bytes_free(&kept);
        CHECK_OK(bytes_copy(mem_heap(), item, &kept));
        return false;
    }
    CHECK_OK(proto_peer_decode(view_of(&kept), &old));
    memcpy(old.u.gi.req, now.u.gi.req, sizeof(old.u.gi.req));
    CHECK_OK(proto_peer_encode(mem_heap(), &old, out));
    told++;
    return true;
}

/* Who lost its state gets the GroupInfo of an epoch that is over: it does not
   come in by that, and nobody is told that it did. */
TEST(the_groupinfo_of_before)
{
    struct thread_id t = world_three(&w, 4);
    struct rows backup = {0};

    told = 0;
    victim = 2;
    lying = false;
    liar_thread = t;
    sim_commit_due(&w, 2, true);
    node_snapshot(&w, 2, &backup);
    w.lie = an_old_one;
    node_crash(&w, 2);
    node_restore(&w, 2, &backup);
    world_heal(&w);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ACTIVE);
    CHECK(kept.len > 0);
    lying = true;
    node_stepped(&w, 1, fed_core_rekey(w.nodes[1].core, &t));
    world_run(&w, 2000);
    sim_commit_due(&w, 2, true);
    node_crash(&w, 2);
    node_restore(&w, 2, &backup);
    world_run(&w, 8000);
    CHECK(told > 0);
    CHECK(node_state(&w, 2, &t) != FED_THREAD_ACTIVE);
    honest();
    world_heal(&w);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ACTIVE);
    world_said(&w, 1, &t);
    world_said(&w, 2, &t);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    rows_free(&backup);
    world_end(&w);
}

/* Put back while its hub lies from now on. */
static void
put_back_to(const struct rows *backup)
{
    sim_commit_due(&w, 2, true);
    node_crash(&w, 2);
    node_restore(&w, 2, backup);
}

static void
kept_out(size_t times)
{
    CHECK_EQ(w.nodes[2].doubts[FED_DOUBT_KEPT_OUT], times);
    CHECK_EQ(w.nodes[2].settled[FED_DOUBT_KEPT_OUT], 0);
    CHECK(node_state(&w, 2, &liar_thread) != FED_THREAD_ACTIVE);
}

/* The hub is honest again: it is in by itself, and the doubt is over. */
static void
in_again(struct rows *backup)
{
    const struct fed_show *d = &w.nodes[2].doubt[FED_DOUBT_KEPT_OUT];

    CHECK(memcmp(d->author.b, w.nodes[0].root.pub, 32) == 0);
    CHECK(memcmp(d->peer.b, w.nodes[0].root.pub, 32) == 0);
    honest();
    world_run(&w, 10 * 60000);
    CHECK_EQ(node_state(&w, 2, &liar_thread), FED_THREAD_ACTIVE);
    CHECK_EQ(w.nodes[2].settled[FED_DOUBT_KEPT_OUT], 1);
    CHECK_EQ(w.nodes[2].doubts[FED_DOUBT_KEPT_OUT], 1);
    CHECK_EQ(world_doubts(&w, 2), 1);
    world_said(&w, 1, &liar_thread);
    world_said(&w, 2, &liar_thread);
    world_heal(&w);
    world_judge(&w, &liar_thread, all, 3);
    rows_free(backup);
    world_end(&w);
}

/* The third of them came back once and has its GroupInfo; then the epoch ends.
 */
static void
an_epoch_later(uint64_t seed, struct rows *backup)
{
    liar_thread = world_three(&w, seed);
    told = 0;
    victim = 2;
    lying = false;
    sim_commit_due(&w, 2, true);
    node_snapshot(&w, 2, backup);
    w.lie = an_old_one;
    put_back_to(backup);
    world_heal(&w);
    CHECK(kept.len > 0);
    node_stepped(&w, 1, fed_core_rekey(w.nodes[1].core, &liar_thread));
    world_run(&w, 2000);
    lying = true;
}

/* A state that it may not have seen yet: told when it was refused for a quarter
   of an hour.  It asks on, but not without a pause. */
TEST(an_old_groupinfo_for_ever)
{
    struct rows backup = {0};

    an_epoch_later(4, &backup);
    put_back_to(&backup);
    world_run(&w, 14 * 60000);
    CHECK(told > 4 && told < 16);
    kept_out(0);
    world_run(&w, 11 * 60000); /* with the next refusal */
    kept_out(1);
    world_run(&w, 24 * 60 * 60000);
    CHECK(told < 16 + 24 * 8);
    kept_out(1);
    in_again(&backup);
}

/* A state that ends before what it was shown: told with the first refusal
   [gi-older]. */
TEST(a_groupinfo_older_than_what_it_knows)
{
    struct rows backup = {0};

    an_epoch_later(5, &backup);
    world_said(&w, 1, &liar_thread);
    sim_commit_due(&w, 2, true);
    rows_free(&backup);
    node_snapshot(&w, 2, &backup);
    put_back_to(&backup);
    world_run(&w, 8000);
    CHECK(told > 0);
    kept_out(1);
    world_run(&w, 60 * 60000);
    kept_out(1);
    in_again(&backup);
}

/* --------------------------------------------------------- it has to wait */

static bool
wait_for_ever(struct world *in, size_t from, size_t to, struct view item,
              struct bytes *out)
{
    struct proto_peer_msg msg;

    (void)in;
    if (from != 0 || to != victim || proto_peer_decode(item, &msg) != OK ||
        msg.type != PROTO_PEER_GI ||
        memcmp(msg.u.gi.thread, liar_thread.b, 32) != 0) {
        return false;
    }
    msg.u.gi.code = PROTO_ANSWER_WAIT;
    memset(msg.u.gi.head, 0, sizeof(msg.u.gi.head));
    msg.u.gi.group_info = (struct view){0};
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, out));
    told++;
    return true;
}

/* A hub that compares may say so for three days; then people are told. */
TEST(a_hub_that_says_to_wait_for_ever)
{
    struct rows backup = {0};

    liar_thread = world_three(&w, 6);
    told = 0;
    victim = 2;
    sim_commit_due(&w, 2, true);
    node_snapshot(&w, 2, &backup);
    w.lie = wait_for_ever;
    put_back_to(&backup);
    world_run(&w, 600000);
    CHECK(told > 5 && told < 30); /* not every other second for three days */
    world_pass(&w, 95);
    kept_out(0);
    world_pass(&w, 2);
    kept_out(1);
    in_again(&backup);
}

/* ------------------------------------------------------ it never had that */

static const struct thread_id unheard_of = {{7}};

/* An entry of a thread that node 0 was put back to before meanwhile. */
static bool
of_another_thread(struct world *in, size_t from, size_t to, struct view item,
                  struct bytes *out)
{
    struct proto_peer_msg msg;

    (void)in;
    if (from != 0 || to != victim || lying ||
        proto_peer_decode(item, &msg) != OK || msg.type != PROTO_PEER_FAN) {
        return false;
    }
    memcpy(msg.u.fan.thread, unheard_of.b, sizeof(unheard_of.b));
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, out));
    lying = true;
    return true;
}

/* Only its name is known here: it is asked for as long as a hub may compare,
   and is over then. */
TEST(a_thread_that_its_hub_knows_nothing_of)
{
    struct thread_id t = world_three(&w, 7);

    victim = 2;
    lying = false;
    w.lie = of_another_thread;
    CHECK_OK(world_say(&w, 0, &t));
    world_run(&w, 3000);
    w.lie = NULL;
    CHECK_EQ(node_state(&w, 2, &unheard_of), FED_THREAD_RESYNC);
    world_pass(&w, 71);
    CHECK_EQ(node_state(&w, 2, &unheard_of), FED_THREAD_RESYNC);
    world_pass(&w, 5);
    CHECK_EQ(node_state(&w, 2, &unheard_of), FED_THREAD_ENDED);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(the_groupinfo_of_before), T(an_old_groupinfo_for_ever),
               T(a_groupinfo_older_than_what_it_knows),
               T(a_hub_that_says_to_wait_for_ever),
               T(a_thread_that_its_hub_knows_nothing_of));
}
