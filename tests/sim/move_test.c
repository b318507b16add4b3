/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread gets another hub: handed over, or taken by those who are left; the
 * hub that comes back; two who begin the same term; and what a clinic that
 * lies about it can not do.
 */
#include "federation/core/move.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/sim/story.h"
#include "tests/support/check.h"

#include <string.h>

enum {
    DAY_MS = 86400000
};

static struct world w;
static const size_t all[] = {0, 1, 2, 3};

static struct fed_thread_info
info_of(size_t i, const struct thread_id *id)
{
    struct fed_thread_info info;

    memset(&info, 0, sizeof(info));
    CHECK_OK(fed_core_thread(w.nodes[i].core, id, &info));
    return info;
}

/* n friends in one thread, ordered by node 0. */
static struct thread_id
group(uint64_t seed, size_t n)
{
    struct thread_id t;

    world_friends(&w, seed, n);
    t = world_begin(&w, 0, n);
    world_heal(&w);
    return t;
}

static void
say(size_t i, const struct thread_id *t)
{
    CHECK_OK(world_say(&w, i, t));
}

/* The first of these in the order of successors of node 0. */
static size_t
first_of(const struct thread_id *t, size_t from, size_t n)
{
    struct fed_thread *at = world_thread(&w, from, t);
    size_t best = SIZE_MAX;
    size_t first = SIZE_MAX;

    for (size_t i = 1; i < n; i++) {
        size_t order = fed_move_order(&at->group, w.nodes[0].root.pub,
                                      w.nodes[i].root.pub);

        if (order < first) {
            first = order;
            best = i;
        }
    }
    return best;
}

/* ------------------------------------------------------------------ planned */

TEST(handed_over)
{
    struct thread_id t = group(1, 3);
    uint64_t term = info_of(0, &t).term;

    say(0, &t);
    say(1, &t);
    world_hand_over(&w, 0, &t, 2);
    for (size_t i = 0; i < 3; i++) {
        say(i, &t);
    }
    world_heal(&w);
    for (size_t i = 0; i < 3; i++) {
        CHECK(world_hub_is(&w, i, &t, 2));
        CHECK_EQ(info_of(i, &t).term, term + 1);
        CHECK_EQ(w.nodes[i].hubs[FED_HUB_HANDED], 1);
        say(i, &t);
    }
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    CHECK_EQ(node_messages(&w, 1, &t), 8 + 1);
    CHECK_EQ(w.nodes[0].gaps + w.nodes[1].gaps + w.nodes[2].gaps, 0);
    world_end(&w);
}

/* Nobody who is away loses what was said before, or after. */
TEST(handed_over_while_one_is_away)
{
    struct thread_id t = group(2, 4);

    node_crash(&w, 3);
    for (int i = 0; i < 5; i++) {
        say(0, &t);
        say(1, &t);
    }
    world_hand_over(&w, 0, &t, 1);
    world_run(&w, 5000);
    CHECK(world_hub_is(&w, 1, &t, 1));
    for (int i = 0; i < 5; i++) {
        say(2, &t);
    }
    world_run(&w, 5000);
    world_heal(&w);
    CHECK(world_hub_is(&w, 3, &t, 1));
    world_judge(&w, &t, all, 4);
    CHECK_EQ(w.nodes[3].gaps, 0);
    CHECK_EQ(node_messages(&w, 3, &t), 15 + 1);
    world_end(&w);
}

/* The hub's clinic leaves: it hands over first, then is removed. */
TEST(the_hub_leaves)
{
    struct thread_id t = group(3, 3);
    static const size_t left[] = {1, 2};

    say(0, &t);
    CHECK_OK(fed_core_leave(w.nodes[0].core, &t));
    sim_take(&w, 0);
    world_heal(&w);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_REMOVED);
    CHECK(!world_hub_is(&w, 1, &t, 0) && !world_hub_is(&w, 2, &t, 0));
    say(1, &t);
    say(2, &t);
    world_heal(&w);
    world_judge(&w, &t, left, 2);
    world_end(&w);
}

TEST(nobody_to_hand_over_to)
{
    struct thread_id t;

    world_init(&w, 4, 1);
    CHECK_OK(
        fed_core_thread_open(w.nodes[0].core, NULL, 0, VIEW_LIT("alone"), &t));
    CHECK_ERR(fed_core_hand_over(w.nodes[0].core, &t, NULL, false),
              ERR_INVALID);
    CHECK_ERR(fed_core_leave(w.nodes[0].core, &t), ERR_INVALID);
    world_end(&w);
}

/* A copy of the old hub's folder from before hears that it is none. */
TEST(handed_over_then_restored)
{
    struct thread_id t = group(5, 3);
    struct rows before = {0};

    say(0, &t);
    world_heal(&w);
    node_snapshot(&w, 0, &before);
    world_hand_over(&w, 0, &t, 1);
    world_heal(&w);
    say(2, &t);
    world_heal(&w);
    node_crash(&w, 0);
    node_restore(&w, 0, &before);
    rows_free(&before);
    world_heal(&w);
    CHECK(world_hub_is(&w, 0, &t, 1));
    say(0, &t);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* ---------------------------------------------------------------- unplanned */

TEST(taken_over)
{
    struct thread_id t = group(6, 3);
    size_t next = first_of(&t, 1, 3);
    size_t other = 3 - next;

    say(0, &t);
    world_heal(&w);
    node_crash(&w, 0);
    say(other, &t);
    world_run(&w, 5000);
    world_later(&w, 2 * DAY_MS, 3000);
    CHECK(world_hub_is(&w, other, &t, 0)); /* not yet */
    world_outlast(&w, 2, 3000);
    CHECK(world_hub_is(&w, next, &t, next));
    CHECK(world_hub_is(&w, other, &t, next));
    CHECK_EQ(w.nodes[other].hubs[FED_HUB_TAKEN], 1);
    say(next, &t);
    world_run(&w, 5000);
    CHECK_EQ(node_messages(&w, next, &t), 3 + 1);
    CHECK_EQ(node_messages(&w, other, &t), 3 + 1);
    world_heal(&w); /* the old hub comes back */
    CHECK(world_hub_is(&w, 0, &t, next));
    say(0, &t);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/*
 * The new hub restarts, and one that was put back compares, without the one
 * that is gone; once that is back, it is waited for again.
 */
TEST(nobody_waits_for_the_dead)
{
    struct thread_id t = group(8, 3);
    size_t next = first_of(&t, 1, 3);
    size_t other = 3 - next;
    struct rows disk = {0};

    node_crash(&w, 0);
    say(other, &t);
    world_run(&w, 5000);
    world_outlast(&w, 2, 3000);
    world_outlast(&w, 2, 3000);
    CHECK(world_hub_is(&w, other, &t, next));
    node_crash(&w, next);
    node_start(&w, next);
    world_run(&w, 5000);
    say(other, &t);
    say(next, &t);
    world_run(&w, 5000);
    CHECK_EQ(node_messages(&w, other, &t), 3 + 1);
    CHECK_EQ(node_messages(&w, next, &t), 3 + 1);
    sim_commit_due(&w, next, true);
    node_snapshot(&w, next, &disk);
    say(next, &t);
    world_run(&w, 5000);
    node_copy_back(&w, next, &disk);
    node_start(&w, next);
    rows_free(&disk);
    world_run(&w, 20000);
    say(next, &t);
    world_run(&w, 5000);
    CHECK_EQ(node_messages(&w, other, &t), 5 + 1);
    CHECK_EQ(node_messages(&w, next, &t), 5 + 1);
    world_heal(&w); /* it is back, and follows */
    node_crash(&w, 0);
    node_crash(&w, next);
    node_start(&w, next);
    say(other, &t);
    world_run(&w, 20000);
    CHECK_EQ(node_messages(&w, next, &t), 5 + 1);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    CHECK_EQ(node_messages(&w, next, &t), 6 + 1);
    world_end(&w);
}

/* Connected for days without a word: it is gone only since it went. */
TEST(quiet_is_not_gone)
{
    struct thread_id t = group(9, 3);

    world_skip(&w, 5 * (uint64_t)DAY_MS);
    node_crash(&w, 0);
    world_run(&w, 3000);
    say(1, &t);
    world_later(&w, LIMIT_MOVE_SETTLE_MS, 3000);
    world_later(&w, 2 * LIMIT_MOVE_WAIT_MS, 3000);
    world_later(&w, 2 * LIMIT_MOVE_WAIT_MS, 3000);
    CHECK(world_hub_is(&w, 1, &t, 0));
    world_heal(&w);
    CHECK(world_hub_is(&w, 1, &t, 0));
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* One other clinic: that clinic alone. */
TEST(taken_over_by_the_only_other)
{
    struct thread_id t;
    struct fed_thread_info info;
    size_t hub;
    size_t other;

    world_init(&w, 7, 2);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 0, 1);
    world_heal(&w);
    info = info_of(0, &t);
    hub = info.hub_here ? 0 : 1;
    other = 1 - hub;
    node_crash(&w, hub);
    say(other, &t);
    world_outlast(&w, 2, 3000);
    CHECK(world_hub_is(&w, other, &t, other));
    world_heal(&w);
    CHECK(world_hub_is(&w, hub, &t, other));
    say(hub, &t);
    world_heal(&w);
    world_judge(&w, &t, all, 2);
    world_end(&w);
}

/* What the old hub and those with it said alone is said again. */
TEST(the_old_hub_was_only_cut_off)
{
    for (uint64_t seed = 101; seed <= 110; seed++) {
        struct thread_id t;

        if (story_only() != 0 && story_only() != seed) {
            continue;
        }
        t = group(seed, 4);

        say(1, &t);
        world_heal(&w);
        for (size_t i = 1; i < 4; i++) {
            world_cut(&w, 0, i, true);
        }
        world_run(&w, 2000);
        for (int i = 0; i < 4; i++) {
            say(0, &t); /* alone */
            say(1 + (size_t)world_below(&w, 3), &t);
        }
        world_outlast(&w, 2, 3000);
        CHECK(!world_hub_is(&w, 1, &t, 0));
        CHECK(world_hub_is(&w, 0, &t, 0));
        say(0, &t);
        say(2, &t);
        world_run(&w, 2000);
        world_heal(&w);
        CHECK(!world_hub_is(&w, 0, &t, 0));
        say(0, &t);
        world_heal(&w);
        world_judge(&w, &t, all, 4);
        CHECK(w.nodes[1].resent >= 5);
        world_end(&w);
    }
}

/* Who had got more from the old hub than the others takes over. */
TEST(most_of_the_log_leads)
{
    struct thread_id t = group(8, 3);
    size_t first = first_of(&t, 1, 3);
    size_t other = 3 - first;

    world_cut(&w, 0, first, true);
    world_cut(&w, first, other, true);
    world_run(&w, 1000);
    say(0, &t);
    world_run(&w, 3000);
    CHECK_EQ(node_messages(&w, other, &t), 1 + 1);
    node_crash(&w, 0);
    world_cut(&w, first, other, false);
    say(first, &t);
    world_outlast(&w, 2, 3000);
    CHECK(world_hub_is(&w, first, &t, other));
    CHECK(world_hub_is(&w, other, &t, other));
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* Two who do not see each other both begin the next term. */
TEST(two_successors)
{
    for (uint64_t seed = 201; seed <= 210; seed++) {
        struct thread_id t;
        size_t first;

        if (story_only() != 0 && story_only() != seed) {
            continue;
        }
        t = group(seed, 3);
        first = first_of(&t, 1, 3);

        say(1, &t);
        world_heal(&w);
        node_crash(&w, 0);
        world_cut(&w, 1, 2, true);
        world_run(&w, 1000);
        say(1, &t);
        say(2, &t);
        world_outlast(&w, 2, 3000);
        CHECK(world_hub_is(&w, 1, &t, 1));
        CHECK(world_hub_is(&w, 2, &t, 2));
        say(1, &t);
        say(2, &t);
        world_run(&w, 2000);
        world_cut(&w, 1, 2, false);
        world_run(&w, 5000);
        say(1, &t);
        say(2, &t);
        world_heal(&w);
        CHECK(world_hub_is(&w, 0, &t, first));
        CHECK(world_hub_is(&w, 1, &t, first));
        CHECK(world_hub_is(&w, 2, &t, first));
        world_judge(&w, &t, all, 3);
        CHECK_EQ(node_messages(&w, 0, &t), 7 + 1);
        world_end(&w);
    }
}

/* And the old hub, with words that it alone has, meets the one who loses
   first. */
TEST(two_successors_and_the_old_hub)
{
    for (uint64_t seed = 211; seed <= 220; seed++) {
        struct thread_id t = group(seed, 3);
        size_t first = first_of(&t, 1, 3);

        world_cut(&w, 0, 1, true);
        world_cut(&w, 0, 2, true);
        world_cut(&w, 1, 2, true);
        world_run(&w, 1000);
        for (int i = 0; i < 3; i++) {
            say(0, &t);
        }
        say(1, &t);
        say(2, &t);
        world_run(&w, 1000);
        node_crash(&w, 0);
        world_outlast(&w, 2, 3000);
        CHECK(world_hub_is(&w, 1, &t, 1));
        CHECK(world_hub_is(&w, 2, &t, 2));
        node_start(&w, 0);
        world_cut(&w, 0, 3 - first, false);
        world_run(&w, world_below(&w, 5000));
        world_cut(&w, 1, 2, false);
        world_cut(&w, 0, first, false);
        world_heal(&w);
        for (size_t i = 0; i < 3; i++) {
            CHECK(world_hub_is(&w, i, &t, first));
        }
        world_judge(&w, &t, all, 3);
        CHECK_EQ(node_messages(&w, first, &t), 5 + 1);
        world_end(&w);
    }
}

/* They knew only the hub: it told them where the others are. */
TEST(taken_over_by_strangers)
{
    struct clinic_id with[2];
    struct thread_id t;

    world_init(&w, 9, 3);
    world_befriend(&w, 0, 1);
    world_befriend(&w, 0, 2);
    with[0] = node_root(&w, 1);
    with[1] = node_root(&w, 2);
    CHECK_OK(fed_core_thread_open(w.nodes[0].core, with, 2,
                                  VIEW_LIT("All of us"), &t));
    sim_take(&w, 0);
    world_heal(&w);
    world_run(&w, 3000);
    node_crash(&w, 0);
    say(1, &t);
    say(2, &t);
    world_outlast(&w, 2, 3000);
    CHECK(!world_hub_is(&w, 1, &t, 0) && !world_hub_is(&w, 2, &t, 0));
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    CHECK_EQ(node_messages(&w, 0, &t), 2 + 1);
    world_end(&w);
}

/* A patient's app follows the move; node 0 delivers for it all the while. */
TEST(handed_over_with_a_patient)
{
    size_t who[3] = {0, 1, 0};
    struct thread_id t;

    world_init(&w, 14, 2);
    world_befriend(&w, 0, 1);
    who[2] = world_device(&w, 0);
    world_enrol(&w, who[2], 0);
    t = world_open(&w, 0, who[2]);
    world_consent(&w, &t, 0, who[2], 1, true);
    CHECK(world_in(&w, &t, who, 3));
    for (size_t i = 0; i < 3; i++) {
        say(who[i], &t);
    }
    world_heal(&w);
    world_hand_over(&w, 0, &t, 1);
    for (size_t i = 0; i < 3; i++) {
        say(who[i], &t);
    }
    world_heal(&w);
    for (size_t i = 0; i < 3; i++) {
        CHECK(world_hub_is(&w, who[i], &t, 1));
        say(who[i], &t);
    }
    world_heal(&w);
    world_judge(&w, &t, who, 3);
    /* And back, when that hub is gone. */
    node_crash(&w, 1);
    say(0, &t);
    say(who[2], &t);
    world_outlast(&w, 2, 3000);
    CHECK(world_hub_is(&w, 0, &t, 0));
    CHECK(world_hub_is(&w, who[2], &t, 0));
    say(who[2], &t);
    world_heal(&w);
    CHECK(world_hub_is(&w, 1, &t, 0));
    say(1, &t);
    world_heal(&w);
    world_judge(&w, &t, who, 3);
    world_end(&w);
}

/* ------------------------------------------------------------------ hostile */

/* What node i would say about a hub of thread t that it does not see; bare: it
   rejoins. */
static void
statement(size_t i, const struct thread_id *t, uint64_t term, bool bare,
          struct bytes *out)
{
    struct fed_thread *at = world_thread(&w, i, t);
    struct proto_hub_said said = {.term = term, .began = at->group.term};

    memcpy(said.thread, t->b, 32);
    memcpy(said.hub, w.nodes[0].root.pub, 32);
    said.seq = at->rec.seq;
    memcpy(said.head, at->rec.head, 32);
    memset(said.authenticator, bare ? 0 : 1, 32);
    said.since_ms = w.wall_ms - 4 * (uint64_t)DAY_MS;
    said.ts_ms = w.wall_ms;
    CHECK_OK(fed_said_make(w.nodes[i].core, PROTO_HUB_GONE, &said, out));
}

struct claim {
    struct proto_hub_move move;
    struct proto_hub_signed list[4];
    struct bytes said[4];
};

/* A claim of node to, with the statements of these, in the order of roots. */
static void
claim_of(struct claim *c, const struct thread_id *t, size_t to,
         const size_t *who, size_t n)
{
    struct fed_thread *at = world_thread(&w, to, t);
    uint32_t len = 0;

    memset(c, 0, sizeof(*c));
    memcpy(c->move.thread, t->b, 32);
    c->move.term = at->rec.term + 1;
    c->move.began = at->group.term;
    memcpy(c->move.hub, w.nodes[0].root.pub, 32);
    memcpy(c->move.to, w.nodes[to].root.pub, 32);
    c->move.seq = at->rec.seq;
    memcpy(c->move.head, at->rec.head, 32);
    c->move.ts_ms = w.wall_ms;
    for (size_t k = 0; k < n; k++) {
        statement(who[k], t, at->rec.term, false, &c->said[k]);
    }
    for (size_t k = 0; k < n; k++) {
        size_t rank = 0;

        for (size_t j = 0; j < n; j++) {
            rank += memcmp(w.nodes[who[j]].root.pub, w.nodes[who[k]].root.pub,
                           32) < 0;
        }
        c->list[rank].statement = view_of(&c->said[k]);
        len++;
    }
    c->move.statements = (struct proto_list){.items = c->list, .len = len};
}

static void
claim_clear(struct claim *c)
{
    for (size_t k = 0; k < 4; k++) {
        bytes_free(&c->said[k]);
    }
}

/* As node i would judge it, having received it. */
static enum err
judged(size_t i, const struct thread_id *t, const struct claim *c)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_MOVE};
    struct proto_peer_msg in;
    struct bytes wire = {0};
    enum err e;

    msg.u.hub_move = c->move;
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, &wire));
    CHECK_OK(proto_peer_decode(view_of(&wire), &in));
    e = fed_proof_check(w.nodes[i].core, world_thread(&w, i, t),
                        &in.u.hub_move);
    bytes_free(&wire);
    return e;
}

/* Five clinics: two of the four others are needed. */
TEST(claims_that_prove_nothing)
{
    struct thread_id t = group(10, 5);
    size_t first = first_of(&t, 1, 5);
    size_t last = 1;
    size_t two[2];
    size_t pair[2] = {0, 0};
    struct claim c;
    struct clinic_id before;

    for (size_t i = 1; i < 5; i++) {
        last = fed_move_order(&world_thread(&w, 1, &t)->group,
                              w.nodes[0].root.pub, w.nodes[i].root.pub) == 3
                   ? i
                   : last;
    }
    two[0] = first;
    two[1] = last;
    claim_of(&c, &t, first, two, 2);
    CHECK_OK(judged(last, &t, &c));
    /* [move-statement-about] replayed for another term */
    c.move.term++;
    CHECK_ERR(judged(last, &t, &c), ERR_DENIED);
    c.move.term--;
    /* [move-statement-time] or much later */
    c.move.ts_ms += LIMIT_MOVE_FRESH_MS + 1;
    CHECK_ERR(judged(last, &t, &c), ERR_DENIED);
    claim_clear(&c);
    /* [move-quorum] it alone is not half */
    claim_of(&c, &t, first, two, 1);
    CHECK_ERR(judged(last, &t, &c), ERR_DENIED);
    claim_clear(&c);
    /* [move-statement-once] nor twice itself */
    two[1] = first;
    claim_of(&c, &t, first, two, 2);
    c.list[1] = c.list[0];
    CHECK_ERR(judged(last, &t, &c), ERR_DENIED);
    claim_clear(&c);
    /* [move-successor] the first of those who said it, not another */
    two[1] = last;
    claim_of(&c, &t, last, two, 2);
    CHECK_ERR(judged(first, &t, &c), ERR_DENIED);
    claim_clear(&c);
    /* [move-bare] nor one that has no state */
    two[1] = last;
    claim_of(&c, &t, first, two, 2);
    for (size_t k = 0; k < 2; k++) {
        if (two[k] == first) {
            size_t at =
                memcmp(w.nodes[first].root.pub, w.nodes[last].root.pub, 32) > 0;

            bytes_free(&c.said[k]);
            statement(first, &t, c.move.term - 1, true, &c.said[k]);
            c.list[at].statement = view_of(&c.said[k]);
        }
    }
    CHECK_ERR(judged(last, &t, &c), ERR_DENIED);
    claim_clear(&c);
    /* [move-statement-member] the hub's own word is none about itself */
    pair[0] = 0;
    pair[1] = first;
    claim_of(&c, &t, first, pair, 2);
    CHECK_ERR(judged(last, &t, &c), ERR_DENIED);
    /* [move-clinic] */
    memcpy(before.b, c.move.to, 32);
    memset(c.move.to, 7, 32);
    CHECK_ERR(judged(last, &t, &c), ERR_DENIED);
    claim_clear(&c);
    /* [move-planned] handed over by one who was not the hub */
    claim_of(&c, &t, first, two, 1);
    c.move.planned = true;
    CHECK(judged(last, &t, &c) != OK);
    claim_clear(&c);
    world_end(&w);
}

/* [move-statement-after] the hub was heard of since then */
TEST(statements_of_long_ago)
{
    struct thread_id t = group(11, 3);
    size_t first = first_of(&t, 1, 3);
    size_t other = 3 - first;
    size_t both[2] = {1, 2};
    struct claim c;

    claim_of(&c, &t, first, both, 2);
    CHECK_OK(judged(other, &t, &c));
    world_thread(&w, other, &t)->rec.ts_ms = w.wall_ms + 3 * (uint64_t)DAY_MS;
    CHECK_ERR(judged(other, &t, &c), ERR_DENIED);
    claim_clear(&c);
    world_end(&w);
}

/* [move-jump] [move-signer] [move-term] [move-prev] [move-alone] */
TEST(commits_that_take_what_is_not_given)
{
    struct thread_id t = group(12, 3);
    struct fed_thread *at = world_thread(&w, 1, &t);
    struct clinic_id one = node_root(&w, 1);
    struct clinic_id hub = node_root(&w, 0);
    struct proto_group after = at->group;
    struct fed_core *core = w.nodes[1].core;
    struct fed_rec_intent take = {.kind = FED_INTENT_MOVE};
    struct fed_built built = {0};
    struct claim c;
    size_t both[2] = {1, 2};

    memcpy(after.hub, one.b, 32);
    after.term = at->rec.term + 1;
    memcpy(after.prev, at->rec.head, 32);
    CHECK_OK(fed_move_judge(core, at, &after, &hub)); /* the hub may */
    CHECK_ERR(fed_move_judge(core, at, &after, &one), ERR_DENIED);
    after.term++;
    CHECK_ERR(fed_move_judge(core, at, &after, &hub), ERR_DENIED);
    after.term--;
    after.prev[0] ^= 1;
    CHECK_ERR(fed_move_judge(core, at, &after, &hub), ERR_DENIED);
    memcpy(take.id, one.b, 32);
    CHECK_ERR(fed_commit_build(core, at, &take, &built), ERR_DENIED);
    fed_built_clear(&built);
    claim_of(&c, &t, 1, both, 2);
    c.move.term += 5;
    CHECK_ERR(fed_move_recv(w.nodes[2].core,
                            fed_party_find(w.nodes[2].core, &one), &c.move),
              ERR_DENIED);
    CHECK(world_hub_is(&w, 2, &t, 0));
    claim_clear(&c);
    world_end(&w);
}

/* Who sees the hub says so, and nobody takes over. */
TEST(one_still_sees_the_hub)
{
    struct thread_id t = group(13, 4);

    world_cut(&w, 0, 1, true);
    world_run(&w, 1000);
    say(1, &t);
    world_outlast(&w, 2, 3000);
    CHECK(world_hub_is(&w, 1, &t, 0) && world_hub_is(&w, 2, &t, 0) &&
          world_hub_is(&w, 3, &t, 0));
    world_heal(&w);
    world_judge(&w, &t, all, 4);
    world_end(&w);
}

/* Who has just started cannot know yet, and says so; what it says ten minutes
   later counts at once. */
TEST(one_is_too_young_to_know)
{
    struct thread_id t = group(14, 3);
    size_t next = first_of(&t, 1, 3);
    size_t young = 3 - next;

    node_crash(&w, 0);
    say(next, &t);
    world_run(&w, 5000);
    world_later(&w, 2 * DAY_MS, 3000);
    node_crash(&w, young);
    world_run(&w, 5000);
    world_later(&w, DAY_MS - 2 * LIMIT_MOVE_WAIT_MS, 3000);
    node_start(&w, young);
    world_run(&w, 5000);
    world_later(&w, 3 * LIMIT_MOVE_WAIT_MS, 3000);
    world_later(&w, 2 * LIMIT_MOVE_WAIT_MS, 3000);
    CHECK(
        world_hub_is(&w, next, &t, 0)); /* it may meet the hub at any moment */
    world_later(&w, LIMIT_MOVE_SETTLE_MS, 3000);
    world_later(&w, 2 * LIMIT_MOVE_WAIT_MS, 3000);
    CHECK(world_hub_is(&w, next, &t, next) &&
          world_hub_is(&w, young, &t, next));
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* -------------------------------------------------------------------- chaos */

/* Hubs go, come back and hand over, while everything breaks. */
static void
story(const void *ctx, uint64_t seed)
{
    struct thread_id t = group(seed, 4);
    size_t away = SIZE_MAX;

    (void)ctx;
    w.delay_ms = world_below(&w, 200);
    w.commit_ms = world_below(&w, 60);
    w.break_ppm = world_below(&w, 2000);
    for (int i = 0; i < 60 && w.fault[0] == '\0'; i++) {
        size_t k = (size_t)world_below(&w, 4);
        struct node *n = &w.nodes[k];

        if (n->core == NULL) {
            if (k != away && world_chance(&w, 500)) {
                node_start(&w, k);
            }
        } else if (world_chance(&w, 30)) {
            node_crash(&w, k);
        } else if (world_chance(&w, 40)) {
            enum err e = fed_core_hand_over(n->core, &t, NULL, false);

            node_stepped(&w, k, e == ERR_DENIED ? OK : e);
        } else if (world_chance(&w, 30) && away == SIZE_MAX) {
            away = k;
            node_crash(&w, k);
            world_run(&w, 1000);
            world_skip(&w, WORLD_GONE_MS);
        } else if (world_chance(&w, 60)) {
            world_skip(&w, 2 * LIMIT_MOVE_WAIT_MS);
        } else if (world_chance(&w, 40) && away != SIZE_MAX) {
            away = SIZE_MAX;
        } else {
            ERR_IGNORE(world_say(&w, k, &t), "it may be out just now");
        }
        world_run(&w, world_below(&w, 300));
    }
    world_heal(&w);
    world_run(&w, 2000);
    world_heal(&w);
    if (w.fault[0] == '\0') {
        world_judge(&w, &t, all, 4);
    }
}

TEST(hubs_come_and_go)
{
    CHECK_EQ(story_each(&w, 301, 20, story, NULL), 0);
}

int
main(void)
{
    return RUN(
        T(handed_over), T(handed_over_while_one_is_away), T(the_hub_leaves),
        T(nobody_to_hand_over_to), T(handed_over_then_restored), T(taken_over),
        T(nobody_waits_for_the_dead), T(quiet_is_not_gone),
        T(taken_over_by_the_only_other), T(taken_over_by_strangers),
        T(the_old_hub_was_only_cut_off), T(most_of_the_log_leads),
        T(two_successors), T(two_successors_and_the_old_hub),
        T(handed_over_with_a_patient), T(claims_that_prove_nothing),
        T(statements_of_long_ago), T(commits_that_take_what_is_not_given),
        T(one_still_sees_the_hub), T(one_is_too_young_to_know),
        T(hubs_come_and_go));
}
