/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A newcomer asks for an entry that it cannot read, as it was sealed before it
 * came (decisions E 22); and the answer gets lost on its way.
 */
#include "federation/core/trust.h"
#include "tests/sim/changes.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

static struct world w;
static const size_t first[] = {0, 1}; /* node 2 has no title */

/* Node 1 writes before it hears that node 0 has added node 2, who cannot read
   it.  Until node 2 is in and has noticed. */
static struct thread_id
newcomer(uint64_t seed)
{
    struct thread_id t;
    struct clinic_id two;
    uint64_t seq;

    world_friends(&w, seed, 3);
    t = world_group(&w, 0, 2);
    world_heal(&w);
    two = node_root(&w, 2);
    w.delay_ms = 50;
    seq = world_thread(&w, 0, &t)->rec.seq;
    node_stepped(&w, 0, fed_core_add(w.nodes[0].core, &t, &two));
    for (int i = 0; i < 100 && world_thread(&w, 0, &t)->rec.seq == seq; i++) {
        world_step(&w, 5);
    }
    CHECK_OK(world_say(&w, 1, &t));
    for (int i = 0; i < 100 && w.nodes[2].gaps == 0; i++) {
        world_step(&w, 10);
    }
    CHECK_EQ(w.nodes[2].gaps, 1);
    return t;
}

TEST(asked_for_once)
{
    struct thread_id t = newcomer(1);
    uint64_t seq = world_thread(&w, 2, &t)->rec.seq;
    uint64_t term;
    uint64_t at;

    CHECK_EQ(world_thread(&w, 2, &t)->rec.missing_from, seq);
    CHECK_OK(fed_core_missing(w.nodes[2].core, &t, &term, &at));
    CHECK(term == 1 && at == seq);
    CHECK_ERR(fed_core_missing(w.nodes[1].core, &t, &term, &at), ERR_MISSING);
    world_run(&w, 3000);
    CHECK_ERR(fed_core_missing(w.nodes[2].core, &t, &term, &at), ERR_MISSING);
    CHECK_EQ(node_messages(&w, 2, &t), 1);
    seq = world_thread(&w, 0, &t)->rec.seq;
    world_run(&w, 3 * LIMIT_MISSING_MS);
    CHECK_EQ(world_thread(&w, 2, &t)->rec.missing_from, 0);
    CHECK_EQ(world_thread(&w, 0, &t)->rec.seq, seq);
    world_heal(&w);
    world_judge(&w, &t, first, 2);
    world_end(&w);
}

/* The hub revokes its key behind its answer: what it resent is refused. */
TEST(answer_of_a_revoked_leaf)
{
    struct thread_id t = newcomer(2);
    uint64_t seq = world_thread(&w, 0, &t)->rec.seq;

    for (int i = 0; i < 200 && world_thread(&w, 0, &t)->rec.seq < seq + 2;
         i++) {
        world_step(&w, 5);
    }
    /* its question and the answer have their places, nobody has the answer */
    CHECK_EQ(world_thread(&w, 0, &t)->rec.seq, seq + 2);
    CHECK(world_thread(&w, 1, &t)->rec.seq < seq + 2);
    CHECK(world_thread(&w, 2, &t)->rec.seq < seq + 2);
    world_break(&w, 0, 1);
    world_break(&w, 0, 2);
    node_rotate(&w, 0, true);
    world_run(&w, 3000);
    CHECK_EQ(w.nodes[2].gaps, 2);
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 2, &t), 1);
    world_judge(&w, &t, first, 2);
    world_end(&w);
}

/* Nobody's answer arrives; later, when all are asked again, one does. */
TEST(all_are_asked_again)
{
    struct thread_id t = newcomer(3);

    w.nodes[0].mute = true;
    w.nodes[1].mute = true;
    world_run(&w, 5 * LIMIT_MISSING_MS);
    CHECK_EQ(node_messages(&w, 2, &t), 0);
    CHECK(world_thread(&w, 2, &t)->rec.missing_asked >= 2);
    w.nodes[0].mute = false;
    w.nodes[1].mute = false;
    world_run(&w, LIMIT_MISSING_AGAIN_MS / 2);
    CHECK_EQ(node_messages(&w, 2, &t), 0);
    world_run(&w, LIMIT_MISSING_AGAIN_MS);
    CHECK_EQ(node_messages(&w, 2, &t), 1);
    world_run(&w, 4 * LIMIT_MISSING_AGAIN_MS);
    CHECK_EQ(world_thread(&w, 2, &t)->rec.missing_from, 0);
    world_heal(&w);
    world_judge(&w, &t, first, 2);
    world_end(&w);
}

/* What people read about it. */
static size_t
told(size_t i, const struct thread_id *t, struct fed_line *lost)
{
    struct fed_line l[32];
    size_t n = sim_lines(&w, i, t, l, 32);
    size_t found = 0;

    for (size_t k = 0; k < n; k++) {
        if (l[k].what == FED_LINE_LOST) {
            *lost = l[k];
            found++;
        }
    }
    return found;
}

/* Nobody ever answers: after a month people read so at its place. */
TEST(in_vain)
{
    struct thread_id t = newcomer(4);
    uint64_t seq = world_thread(&w, 2, &t)->rec.missing_from;
    struct fed_line lost = {.at = 0};

    w.nodes[0].mute = true;
    w.nodes[1].mute = true;
    world_run(&w, 5 * LIMIT_MISSING_MS);
    for (int half = 0; half < 59; half++) { /* days: all rounds take place */
        world_later(&w, 43200000u, 45000);
    }
    CHECK_EQ(told(2, &t, &lost), 0);
    CHECK(world_thread(&w, 2, &t)->rec.missing_from != 0);
    CHECK_EQ(world_thread(&w, 2, &t)->rec.missing_asked, 16);
    world_later(&w, 43200000u, 45000);
    CHECK_EQ(world_thread(&w, 2, &t)->rec.missing_from, 0);
    CHECK_EQ(told(2, &t, &lost), 1);
    CHECK_EQ(lost.at, fed_line_at(1, fed_place(seq, 0)));
    CHECK(lost.ts_ms != 0);
    CHECK(fed_line_filled(&lost, fed_line_at(1, fed_place(seq, 0))));
    CHECK_EQ(told(0, &t, &lost) + told(1, &t, &lost), 0);
    world_free(&w);
}

/* What was said with a key that is revoked only its author can give; and the
   question is refused in turn, as the asker has another key as well. */
TEST(question_of_a_revoked_leaf)
{
    static const size_t all[] = {0, 1, 2};
    struct thread_id t;

    t = world_settled(&w, 5, 3);
    world_cut(&w, 0, 1, true);
    CHECK_OK(world_say(&w, 2, &t));
    world_run(&w, 500);
    node_rotate(&w, 2, true);
    world_run(&w, 2000);
    world_cut(&w, 0, 2, true);
    world_cut(&w, 0, 1, false);
    for (int i = 0; i < 1000 && w.nodes[1].gaps == 0; i++) {
        world_step(&w, 5);
    }
    CHECK_EQ(w.nodes[1].gaps, 1);
    world_run(&w, 500);
    node_rotate(&w, 1, true);
    world_run(&w, 2000);
    world_heal(&w);
    CHECK_EQ(w.nodes[2].gaps, 1);
    world_run(&w, 3 * LIMIT_MISSING_MS);
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 1, &t), 2);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(asked_for_once), T(answer_of_a_revoked_leaf),
               T(all_are_asked_again), T(question_of_a_revoked_leaf),
               T(in_vain));
}
