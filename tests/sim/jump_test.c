/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub that was put back begins terms of its own, of which no proof tells who
 * was away; when it goes for good, they follow the others all the same.  What
 * a hub forgot so, and whoever was with it has, is not lost; and a clinic that
 * lies cannot lead anybody away with a term that nobody heard of.
 */
#include "federation/core/move.h"
#include "federation/core/successor.h"
#include "federation/core/trust.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

enum {
    DAY_MS = 86400000
};

static struct world w;
static const size_t all[] = {0, 1, 2, 3, 4};

static uint64_t
term_of(size_t i, const struct thread_id *t)
{
    return world_thread(&w, i, t)->rec.term;
}

static void
say(size_t i, const struct thread_id *t)
{
    CHECK_OK(world_say(&w, i, t));
    world_run(&w, 3000);
}

/* The hub is put back, and begins a term with those who are there. */
static void
hub_begins_a_term(const struct thread_id *t, size_t hub,
                  const struct rows *before)
{
    uint64_t term = term_of(hub, t);

    world_put_back(&w, hub, before);
    world_later(&w, WORLD_GONE_MS, 5000);
    CHECK_EQ(node_state(&w, hub, t), FED_THREAD_ACTIVE);
    CHECK_EQ(term_of(hub, t), term + 1);
}

static void
begins_a_term(const struct thread_id *t, const struct rows *before)
{
    hub_begins_a_term(t, 0, before);
}

/* -------------------------------------------------------------- not heard of
 */

/* Node 3 of four is away while that happens, and stands where it stood, or is
   put back itself; then the hub is gone for good. */
static void
not_heard_of(uint64_t seed, size_t times, bool rejoins)
{
    struct thread_id t = world_settled(&w, seed, 4);

    say(1, &t);
    node_crash(&w, 3);
    for (size_t i = 0; i < times; i++) {
        begins_a_term(&t, NULL);
    }
    say(2, &t);
    CHECK_EQ(term_of(1, &t), 1 + times);
    node_crash(&w, 0);
    node_start(&w, 3);
    if (rejoins) {
        world_put_back(&w, 3, NULL);
    }
    CHECK_OK(world_say(&w, 3, &t));
    world_outlast(&w, 4, 5000);
    CHECK(!world_hub_is(&w, 1, &t, 0));
    CHECK_EQ(node_state(&w, 3, &t), FED_THREAD_ACTIVE);
    CHECK(!world_hub_is(&w, 3, &t, 0));
    CHECK_EQ(term_of(3, &t), 2 + times);
    CHECK_EQ(node_messages(&w, 1, &t), 3 + 1);
    world_heal(&w);
    world_judge(&w, &t, all, 4);
    world_end(&w);
}

TEST(a_term_that_one_did_not_hear_of)
{
    not_heard_of(1, 1, false);
    not_heard_of(2, 3, false);
}

TEST(a_term_that_one_who_rejoins_did_not_hear_of)
{
    not_heard_of(3, 1, true);
    not_heard_of(4, 3, true);
}

/* What it says of the hub counts, though it names an older term. */
TEST(the_word_of_one_who_did_not_hear_of_it)
{
    struct thread_id t = world_settled(&w, 5, 5);

    say(1, &t);
    for (size_t i = 2; i < 5; i++) {
        node_crash(&w, i);
    }
    begins_a_term(&t, NULL);
    CHECK_EQ(term_of(1, &t), 2);
    node_crash(&w, 0);
    node_start(&w, 4);
    world_put_back(&w, 4, NULL);
    CHECK_OK(world_say(&w, 1, &t));
    world_outlast(&w, 4, 5000);
    CHECK(world_hub_is(&w, 1, &t, 1)); /* two of four, of which one leads */
    CHECK(world_hub_is(&w, 4, &t, 1));
    CHECK_EQ(node_state(&w, 4, &t), FED_THREAD_ACTIVE);
    world_heal(&w);
    world_judge(&w, &t, all, 5);
    world_end(&w);
}

/* Nor does the number of its terms help a hub that was only cut off. */
TEST(a_hub_that_begins_terms_beside_a_quorum)
{
    struct thread_id t = world_settled(&w, 6, 4);

    say(1, &t);
    for (size_t i = 0; i < 2; i++) {
        world_cut(&w, i, 2, true);
        world_cut(&w, i, 3, true);
    }
    CHECK_OK(world_say(&w, 2, &t));
    world_outlast(&w, 4, 5000);
    CHECK(!world_hub_is(&w, 2, &t, 0) && !world_hub_is(&w, 3, &t, 0));
    CHECK(world_hub_is(&w, 1, &t, 0));
    for (int i = 0; i < 3; i++) {
        begins_a_term(&t, NULL);
    }
    CHECK(term_of(0, &t) > term_of(2, &t));
    say(0, &t);
    say(1, &t);
    world_heal(&w);
    CHECK(!world_hub_is(&w, 0, &t, 0) && !world_hub_is(&w, 1, &t, 0));
    world_judge(&w, &t, all, 4);
    CHECK_EQ(node_messages(&w, 3, &t), 4 + 1);
    world_end(&w);
}

/* ---------------------------------------------------------------- fell back */

/* The hub was put back to before words that only one had from it, and goes on
   with node 2; that one comes back, with its state or put back. */
static void
fell_back(uint64_t seed, size_t hub, bool rejoins)
{
    struct thread_id t = world_settled(&w, seed, 3);
    struct rows before = {0};
    size_t one = 1 - hub;

    if (hub != 0) {
        world_hand_over(&w, 0, &t, hub);
    }
    say(1, &t);
    world_heal(&w);
    CHECK(world_hub_is(&w, 2, &t, hub));
    sim_commit_due(&w, hub, true);
    node_snapshot(&w, hub, &before);
    world_cut(&w, 0, 2, true);
    world_cut(&w, 1, 2, true);
    for (int i = 0; i < 3; i++) {
        say(0, &t);
        say(1, &t);
    }
    node_crash(&w, one);
    world_cut(&w, hub, 2, false);
    hub_begins_a_term(&t, hub, &before);
    rows_free(&before);
    for (int i = 0; i < 2; i++) {
        say(2, &t);
    }
    CHECK_EQ(node_messages(&w, 2, &t), 3 + 1);
    node_start(&w, one);
    if (rejoins) {
        world_put_back(&w, one, NULL);
    }
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    CHECK_EQ(node_messages(&w, 0, &t), 9 + 1);
    CHECK_EQ(node_messages(&w, 1, &t), 9 + 1);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(w.nodes[i].forks, 0); /* nobody is accused of anything */
    }
    world_end(&w);
}

TEST(a_hub_that_forgot_what_one_has)
{
    fell_back(7, 0, false);
}

TEST(a_hub_that_forgot_what_one_has_who_rejoins)
{
    fell_back(8, 0, true);
}

/* The hub began a term with node 1 alone, and is put back to before that; node
   1 has lost its state as well, and is there: it knows of the term, which is
   not begun again, and gives back what it has of both. */
TEST(a_hub_that_forgot_a_term)
{
    struct thread_id t = world_settled(&w, 24, 3);
    struct rows before = {0};

    say(1, &t);
    world_heal(&w);
    sim_commit_due(&w, 0, true);
    node_snapshot(&w, 0, &before);
    world_cut(&w, 0, 2, true);
    world_cut(&w, 1, 2, true);
    say(0, &t);
    say(1, &t);
    begins_a_term(&t, NULL);
    say(0, &t);
    say(1, &t);
    node_crash(&w, 0);
    world_put_back(&w, 1, NULL);
    world_cut(&w, 0, 2, false);
    world_cut(&w, 1, 2, false);
    node_start(&w, 0);
    world_put_back(&w, 0, &before);
    rows_free(&before);
    world_run(&w, 5000);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_ACTIVE);
    CHECK_EQ(term_of(0, &t), 3);
    for (int i = 0; i < 3; i++) {
        say(2, &t);
    }
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    CHECK_EQ(node_messages(&w, 0, &t), 8 + 1);
    CHECK_EQ(node_messages(&w, 2, &t), 8 + 1);
    world_end(&w);
}

/* Likewise, from a copy of before it knew where the others stood. */
TEST(a_hub_that_was_just_handed_it_and_forgot)
{
    for (uint64_t seed = 20; seed < 24; seed++) {
        struct thread_id t = world_settled(&w, seed, 3);
        struct rows before = {0};

        world_hand_over(&w, 0, &t, 1);
        for (int i = 0; i < 1000 && !world_hub_is(&w, 1, &t, 1); i++) {
            world_step(&w, 1);
        }
        CHECK(world_hub_is(&w, 1, &t, 1));
        sim_commit_due(&w, 1, true);
        node_snapshot(&w, 1, &before);
        world_heal(&w);
        world_cut(&w, 0, 2, true);
        world_cut(&w, 1, 2, true);
        for (int i = 0; i < 3; i++) {
            say(0, &t);
            say(1, &t);
        }
        node_crash(&w, 0);
        world_cut(&w, 1, 2, false);
        hub_begins_a_term(&t, 1, &before);
        rows_free(&before);
        for (int i = 0; i < 4; i++) {
            say(2, &t);
        }
        node_start(&w, 0);
        world_heal(&w);
        world_judge(&w, &t, all, 3);
        CHECK_EQ(node_messages(&w, 0, &t), 10 + 1);
        CHECK_EQ(node_messages(&w, 1, &t), 10 + 1);
        world_end(&w);
    }
}

/* A proof made it the hub: that it lacks what it numbered does not mean that it
   does not know that [named-other]. */
TEST(a_hub_that_was_handed_it_and_forgot)
{
    for (uint64_t seed = 15; seed < 19; seed++) {
        fell_back(seed, 1, false);
        fell_back(seed, 1, true);
    }
}

/* The same; node 3, who knows of the new term, is away while node 1 gives back
   what it has, and is put back: that is in places of before, which it never
   missed, but what brought it there it did. */
TEST(what_one_gave_back_while_another_was_away)
{
    struct thread_id t = world_settled(&w, 14, 4);
    struct rows before = {0};

    say(1, &t);
    world_heal(&w);
    sim_commit_due(&w, 0, true);
    node_snapshot(&w, 0, &before);
    for (size_t i = 2; i < 4; i++) {
        world_cut(&w, 0, i, true);
        world_cut(&w, 1, i, true);
    }
    say(0, &t);
    say(1, &t);
    node_crash(&w, 1);
    for (size_t i = 2; i < 4; i++) {
        world_cut(&w, 0, i, false);
    }
    begins_a_term(&t, &before);
    rows_free(&before);
    for (int i = 0; i < 4; i++) {
        say(2, &t);
    }
    node_crash(&w, 3);
    node_start(&w, 1);
    world_run(&w, 20000);
    CHECK_EQ(node_messages(&w, 2, &t), 7 + 1);
    world_put_back(&w, 3, NULL);
    CHECK_EQ(node_messages(&w, 3, &t), 5 + 1);
    world_heal(&w);
    world_judge(&w, &t, all, 4);
    CHECK_EQ(node_messages(&w, 3, &t), 7 + 1);
    world_end(&w);
}

/* ---------------------------------------------------------------- two places
 */

static size_t
order_of(const struct fed_thread *t, size_t i)
{
    return fed_move_order(&t->group, t->rec.hub, w.nodes[i].root.pub);
}

/* Of clinics 1 to 4 two who are cut off from the others take the thread, and
   so do these.  Words of the side that loses are said again by their author,
   before the other one of that side comes: they have one place. */
TEST(said_again_before_the_other_comes)
{
    struct thread_id t = world_settled(&w, 9, 5);
    const struct fed_thread *at = world_thread(&w, 1, &t);
    size_t by[4];

    for (size_t i = 1; i < 5; i++) {
        size_t rank = 0;

        for (size_t j = 1; j < 5; j++) {
            rank += order_of(at, j) < order_of(at, i);
        }
        by[rank] = i;
    }
    for (size_t i = 0; i < 2; i++) {
        world_cut(&w, by[i], by[2], true);
        world_cut(&w, by[i], by[3], true);
    }
    node_crash(&w, 0);
    CHECK_OK(world_say(&w, by[0], &t));
    CHECK_OK(world_say(&w, by[2], &t));
    world_outlast(&w, 4, 5000);
    CHECK(world_hub_is(&w, by[1], &t, by[0]) &&
          world_hub_is(&w, by[3], &t, by[2]));
    for (int i = 0; i < 3; i++) {
        say(by[1], &t);
    }
    say(by[2], &t);
    say(by[3], &t);
    world_cut(&w, by[2], by[3], true);
    for (size_t i = 0; i < 2; i++) {
        world_cut(&w, by[i], by[2], false);
    }
    world_run(&w, 10000);
    CHECK(world_hub_is(&w, by[2], &t, by[0]));
    CHECK(world_hub_is(&w, by[3], &t, by[2]));
    say(by[2], &t);
    world_heal(&w);
    CHECK(world_hub_is(&w, by[3], &t, by[0]));
    world_judge(&w, &t, all, 5);
    world_end(&w);
}

/* ---------------------------------------------------------- another hub's */

static void
step(int n)
{
    for (int i = 0; i < n; i++) {
        world_run(&w, 5000);
    }
}

/* Node 2 was away when the thread was founded again, and comes into that one
   when it has another hub than the first: it leaves the first one. */
TEST(a_successor_that_has_another_hub_by_then)
{
    struct thread_id t = world_settled(&w, 13, 3);
    struct thread_id now = {{0}};
    size_t had;

    say(1, &t);
    had = node_messages(&w, 2, &t);
    node_crash(&w, 2);
    node_crash(&w, 0);
    world_put_back(&w, 1, NULL);
    node_start(&w, 0);
    world_put_back(&w, 0, NULL);
    world_later(&w, WORLD_GONE_MS, 5000);
    step(4);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_ENDED);
    CHECK_EQ(node_state(&w, 1, &t), FED_THREAD_ENDED);
    memcpy(now.b, world_thread(&w, 0, &t)->rec.next, 32);
    world_hand_over(&w, 0, &now, 1);
    step(2);
    CHECK(world_hub_is(&w, 1, &now, 1));
    node_start(&w, 2);
    CHECK_OK(world_say(&w, 2, &t));
    world_heal(&w);
    CHECK_EQ(node_state(&w, 2, &now), FED_THREAD_ACTIVE);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ENDED);
    CHECK(memcmp(world_thread(&w, 2, &t)->rec.next, now.b, 32) == 0);
    CHECK_EQ(world_thread(&w, 2, &t)->waiting,
             0); /* it is said to have failed */
    CHECK_EQ(node_messages(&w, 2, &t), had);
    CHECK_EQ(w.nodes[2].continued, 1); /* which it has as one of its own */
    CHECK(thread_id_equal(&w.nodes[2].continued_from, &t));
    CHECK_EQ(w.nodes[0].continued + w.nodes[1].continued, 0);
    CHECK_OK(world_say(&w, 2, &now));
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 1, &now), had + 1);
    world_end(&w);
}

/* [successor-told] Nor does anybody but its hub say so, or of any thread. */
TEST(who_says_that_a_thread_goes_on_elsewhere)
{
    struct thread_id t = world_settled(&w, 14, 3);
    struct thread_id other = world_group(&w, 1, 3);
    struct fed_core *core = w.nodes[2].core;
    struct fed_thread *at = world_thread(&w, 2, &t);
    struct fed_thread *to;
    struct clinic_id hub = node_root(&w, 0);
    struct clinic_id one = node_root(&w, 1);

    world_heal(&w);
    to = world_thread(&w, 2, &other);
    to->group.flags |= PROTO_GROUP_CONTINUES;
    CHECK_OK(fed_successor_told(core, fed_party_find(core, &one), at, other.b));
    CHECK(!fed_has_successor(at));
    CHECK_OK(fed_successor_told(core, fed_party_find(core, &hub), at, t.b));
    CHECK(!fed_has_successor(at));
    to->group.flags &= ~(uint64_t)PROTO_GROUP_CONTINUES;
    CHECK_OK(fed_successor_told(core, fed_party_find(core, &hub), at, other.b));
    CHECK(!fed_has_successor(at));
    CHECK_EQ(w.nodes[2].continued, 0);
    to->group.flags |= PROTO_GROUP_CONTINUES;
    CHECK_OK(fed_successor_told(core, fed_party_find(core, &hub), at, other.b));
    CHECK(fed_has_successor(at));
    world_end(&w);
}

/* ------------------------------------------------------------------ hostile */

struct claim {
    struct proto_hub_move move;
    struct proto_hub_signed list[4];
    struct bytes said[4];
};

/* What node i says about hub, which began then, in a term, at a time. */
static void
statement(size_t i, const struct thread_id *t, const struct claim *c,
          uint64_t term, uint64_t ts_ms, struct bytes *out)
{
    struct fed_thread *at = world_thread(&w, i, t);
    struct proto_hub_said said = {.term = term,
                                  .began = c->move.began,
                                  .seq = at->rec.seq,
                                  .since_ms = ts_ms - 4 * (uint64_t)DAY_MS,
                                  .ts_ms = ts_ms};

    memcpy(said.thread, t->b, 32);
    memcpy(said.hub, c->move.hub, 32);
    memcpy(said.head, at->rec.head, 32);
    if (memcmp(c->move.to, w.nodes[i].root.pub, 32) == 0) {
        said.seq = c->move.seq; /* whatever it says of itself */
        memcpy(said.head, c->move.head, 32);
    }
    memset(said.authenticator, 1, 32);
    CHECK_OK(fed_said_make(w.nodes[i].core, PROTO_HUB_GONE, &said, out));
}

/* A claim of to for a term that far ahead of its own. */
static void
claim_of(struct claim *c, const struct thread_id *t, size_t to, uint64_t ahead)
{
    struct fed_thread *at = world_thread(&w, to, t);

    memset(c, 0, sizeof(*c));
    memcpy(c->move.thread, t->b, 32);
    c->move.term = at->rec.term + 1 + ahead;
    c->move.began = at->group.term;
    memcpy(c->move.hub, at->rec.hub, 32);
    memcpy(c->move.to, w.nodes[to].root.pub, 32);
    c->move.seq = at->rec.seq;
    memcpy(c->move.head, at->rec.head, 32);
    c->move.ts_ms = w.wall_ms;
    c->move.commit = VIEW_LIT("a commit");
}

/* With statements of these, in the order of roots. */
static void
signed_by(struct claim *c, const struct thread_id *t, const size_t *who,
          size_t n)
{
    for (size_t k = 0; k < n; k++) {
        size_t rank = 0;

        for (size_t j = 0; j < n; j++) {
            rank += memcmp(w.nodes[who[j]].root.pub, w.nodes[who[k]].root.pub,
                           32) < 0;
        }
        if (c->said[k].len == 0) {
            statement(who[k], t, c, c->move.term - 1, c->move.ts_ms,
                      &c->said[k]);
        }
        c->list[rank].statement = view_of(&c->said[k]);
    }
    c->move.statements =
        (struct proto_list){.items = c->list, .len = (uint32_t)n};
}

/* Node i gets it from node from: does it go there?  Then it is undone. */
static bool
believed(size_t i, size_t from, const struct thread_id *t, struct claim *c)
{
    struct clinic_id by = node_root(&w, from);
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_MOVE};
    struct proto_peer_msg in;
    struct fed_thread *at = world_thread(&w, i, t);
    struct fed_core *core = w.nodes[i].core;
    struct bytes wire = {0};
    enum err e;
    bool moved;

    msg.u.hub_move = c->move;
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, &wire));
    CHECK_OK(proto_peer_decode(view_of(&wire), &in));
    e = fed_move_recv(core, fed_party_find(core, &by), &in.u.hub_move);
    CHECK(e == OK || !fed_ours(e));
    moved = memcmp(at->rec.hub, c->move.hub, 32) != 0;
    CHECK(e == OK || !moved);
    bytes_free(&wire);
    for (size_t k = 0; k < 4; k++) {
        bytes_free(&c->said[k]);
    }
    return moved;
}

/* The first in the order of successors of the hub of these nodes. */
static size_t
first_of(const struct thread_id *t, size_t a, size_t b)
{
    struct fed_thread *at = world_thread(&w, a, t);

    return order_of(at, a) < order_of(at, b) ? a : b;
}

/*
 * Node 4 of five rejoins and believes a term it did not hear of: by the word
 * of two of the others, not of one, whatever this one adds to it.
 */
TEST(one_who_rejoins_is_not_led_away)
{
    struct thread_id t = world_settled(&w, 10, 5);
    size_t liar = first_of(&t, 2, 3);
    size_t other = 5 - liar;
    size_t who[2] = {liar, other};
    size_t with_hub[2] = {liar, 0};
    size_t twice[2] = {liar, liar};
    struct claim c;

    node_crash(&w, 0);
    world_run(&w, 1000);
    world_put_back(&w, 4, NULL);
    CHECK_EQ(node_state(&w, 4, &t), FED_THREAD_RESYNC);
    node_start(&w, 0);
    /* [move-quorum] its own word, for the next term or a later one */
    for (uint64_t ahead = 0; ahead < 3; ahead++) {
        claim_of(&c, &t, liar, ahead);
        signed_by(&c, &t, who, 1);
        CHECK(!believed(4, liar, &t, &c));
    }
    /* [move-statement-once] twice */
    claim_of(&c, &t, liar, 2);
    signed_by(&c, &t, twice, 2);
    c.list[1] = c.list[0];
    CHECK(!believed(4, liar, &t, &c));
    /* [move-statement-member] with the old hub, which is in it with the liar */
    claim_of(&c, &t, liar, 2);
    signed_by(&c, &t, with_hub, 2);
    CHECK(!believed(4, liar, &t, &c));
    /* [move-planned] the old hub does not hand over by another's word */
    claim_of(&c, &t, liar, 2);
    signed_by(&c, &t, who, 1);
    c.move.planned = true;
    CHECK(!believed(4, liar, &t, &c));
    /* [move-statement-about] the other's, of a hub that began at another time,
       as long ago as today */
    claim_of(&c, &t, liar, 2);
    c.move.began++;
    statement(other, &t, &c, 1, c.move.ts_ms, &c.said[1]);
    c.move.began--;
    signed_by(&c, &t, who, 2);
    CHECK(!believed(4, liar, &t, &c));
    /* [move-statement-time] the other's, of two weeks ago */
    claim_of(&c, &t, liar, 2);
    statement(other, &t, &c, 1, c.move.ts_ms - 14 * (uint64_t)DAY_MS,
              &c.said[1]);
    signed_by(&c, &t, who, 2);
    CHECK(!believed(4, liar, &t, &c));
    /* [move-chain] of a hub between that is not proven */
    claim_of(&c, &t, liar, 2);
    c.move.began++;
    signed_by(&c, &t, who, 2);
    CHECK(!believed(4, liar, &t, &c));
    /* [move-jump] a term that nothing could follow */
    claim_of(&c, &t, liar, LIMIT_MOVE_JUMP);
    signed_by(&c, &t, who, 2);
    CHECK(!believed(4, liar, &t, &c));
    claim_of(&c, &t, liar, UINT64_MAX - 2);
    signed_by(&c, &t, who, 2);
    CHECK(!believed(4, liar, &t, &c));
    /* [move-successor] nor is it for one of the two to choose who leads */
    claim_of(&c, &t, other, 2);
    signed_by(&c, &t, who, 2);
    CHECK(!believed(4, liar, &t, &c));
    /* Both in earnest. */
    claim_of(&c, &t, liar, 2);
    signed_by(&c, &t, who, 2);
    CHECK(believed(4, liar, &t, &c));
    world_end(&w);
}

/* [move-statement-void] What one said while the hub was away is worth nothing
   once it has more from that hub. */
TEST(what_was_said_of_a_hub_that_came_back)
{
    struct thread_id t = world_settled(&w, 11, 5);
    size_t liar = first_of(&t, 2, 3);
    size_t other = 5 - liar;
    size_t who[2] = {liar, other};
    struct claim c;
    struct bytes was = {0};

    world_heal(&w);
    claim_of(&c, &t, liar, 0);
    statement(other, &t, &c, 1, c.move.ts_ms, &was);
    for (int i = 0; i < 3; i++) { /* it was not gone for good */
        say(0, &t);
        say(1, &t);
    }
    world_heal(&w);
    world_put_back(&w, 4, NULL);
    CHECK_OK(bytes_copy(mem_heap(), view_of(&was), &c.said[1]));
    signed_by(&c, &t, who, 2);
    /* the liar has most of the log, by its own word */
    c.move.seq = world_thread(&w, liar, &t)->rec.seq;
    memcpy(c.move.head, world_thread(&w, liar, &t)->rec.head, 32);
    CHECK(!believed(4, liar, &t, &c));
    bytes_free(&was);
    world_end(&w);
}

/* [move-settled] Two moves later nobody brings back what a first one was about
   by statements that it left over. */
TEST(what_is_settled_stays)
{
    struct thread_id t = world_settled(&w, 12, 5);
    struct claim c;
    size_t liar = first_of(&t, 2, 3);
    size_t who[2] = {liar, 5 - liar};
    struct clinic_id now;

    claim_of(&c, &t, liar, 0);
    c.move.seq += 100;
    for (size_t k = 0; k < 2; k++) {
        statement(who[k], &t, &c, 1, c.move.ts_ms, &c.said[k]);
    }
    world_hand_over(&w, 0, &t, 1);
    world_heal(&w);
    world_hand_over(&w, 1, &t, 0);
    world_heal(&w);
    CHECK(world_hub_is(&w, 4, &t, 0));
    signed_by(&c, &t, who, 2);
    CHECK(!believed(4, liar, &t, &c));
    now = node_root(&w, 0);
    CHECK(memcmp(world_thread(&w, 4, &t)->rec.hub, now.b, 32) == 0);
    world_end(&w);
}

int
main(void)
{
    return RUN(
        T(a_term_that_one_did_not_hear_of),
        T(a_term_that_one_who_rejoins_did_not_hear_of),
        T(the_word_of_one_who_did_not_hear_of_it),
        T(a_hub_that_begins_terms_beside_a_quorum),
        T(a_hub_that_forgot_what_one_has),
        T(a_hub_that_forgot_what_one_has_who_rejoins),
        T(a_hub_that_was_handed_it_and_forgot), T(a_hub_that_forgot_a_term),
        T(a_hub_that_was_just_handed_it_and_forgot),
        T(what_one_gave_back_while_another_was_away),
        T(said_again_before_the_other_comes),
        T(a_successor_that_has_another_hub_by_then),
        T(who_says_that_a_thread_goes_on_elsewhere),
        T(one_who_rejoins_is_not_led_away),
        T(what_was_said_of_a_hub_that_came_back), T(what_is_settled_stays));
}
