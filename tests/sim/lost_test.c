/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Losses of more than one: every member of a thread restored at once, and one
 * after the other.  The conversation goes on by itself, and what anybody still
 * has comes back to everybody (decisions E 22, G 31).
 */
#include "federation/core/successor.h"
#include "federation/core/trust.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/sim/story.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

static void
talk(const struct thread_id *t, size_t nodes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(world_say(&w, i % nodes, t));
        world_run(&w, 100);
    }
}

/* The active thread that continues id at node i. */
static struct thread_id
successor(size_t i, const struct thread_id *id)
{
    struct thread_id at = *id;
    struct fed_thread *t;

    while (fed_thread_get(w.nodes[i].core, &at, &t) == OK &&
           fed_has_successor(t)) {
        memcpy(at.b, t->rec.next, sizeof(at.b));
    }
    return at;
}

/* What nobody has any more was lost with the disks. */
/* Who is asked and has nothing says nothing: then the next one is asked. */
static void
all_asked(void)
{
    world_run(&w, 3 * LIMIT_MISSING_MS);
    world_heal(&w);
}

static void
judge(const struct thread_id *id, size_t nodes)
{
    static const size_t all[] = {0, 1, 2, 3};
    struct thread_id now = successor(0, id);

    all_asked();
    CHECK(!thread_id_equal(&now, id));
    for (size_t i = 0; i < nodes; i++) {
        struct thread_id at = successor(i, id);

        CHECK_VIEW(thread_id_view(&at), thread_id_view(&now));
        CHECK_EQ(node_state(&w, i, &now), FED_THREAD_ACTIVE);
        CHECK_EQ(node_state(&w, i, id), FED_THREAD_ENDED);
    }
    for (size_t s = 0; s < w.said_len; s++) {
        bool any = false;

        for (size_t i = 0; i < nodes; i++) {
            any = any || node_has(&w, i, &now, &w.said[s].id);
        }
        w.said[s].thread = now;
        w.said[s].durable = w.said[s].durable && any;
    }
    world_judge(&w, &now, all, nodes);
}

TEST(both_of_two_restored)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rows a = {0};
        struct rows b = {0};
        struct thread_id t;
        struct thread_id now;
        size_t before;

        world_friends(&w, seed, 2);
        t = world_direct(&w, 0, 1);
        talk(&t, 2, 6);
        sim_commit_due(&w, 0, true);
        node_snapshot(&w, 0, &a);
        talk(&t, 2, (size_t)world_below(&w, 4));
        sim_commit_due(&w, 1, true);
        node_snapshot(&w, 1, &b);
        talk(&t, 2, 4);
        world_heal(&w);
        node_crash(&w, 0);
        node_crash(&w, 1);
        node_restore(&w, 0, &a);
        node_restore(&w, 1, &b);
        rows_free(&a);
        rows_free(&b);
        world_heal(&w);
        now = successor(0, &t);
        before = node_messages(&w, 0, &now);
        CHECK(before >= 6);
        talk(&now, 2, 4);
        world_heal(&w);
        CHECK_EQ(node_messages(&w, 0, &now), before + 4);
        judge(&t, 2);
        world_end(&w);
    }
}

/* What was typed while nothing could be said is said in the new one. */
TEST(words_that_waited)
{
    struct rows a = {0};
    struct rows b = {0};
    struct thread_id t;
    struct thread_id now;

    world_friends(&w, 31, 2);
    t = world_direct(&w, 0, 1);
    talk(&t, 2, 4);
    world_heal(&w);
    node_snapshot(&w, 0, &a);
    node_snapshot(&w, 1, &b);
    node_crash(&w, 0);
    node_crash(&w, 1);
    node_restore(&w, 0, &a);
    node_restore(&w, 1, &b);
    CHECK_OK(world_say(&w, 0, &t));
    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    now = successor(1, &t);
    CHECK_EQ(node_messages(&w, 0, &now), 6);
    judge(&t, 2);
    rows_free(&a);
    rows_free(&b);
    world_end(&w);
}

TEST(all_of_three_restored)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rows disk[3] = {{0}};
        struct thread_id t;
        struct thread_id now;

        world_friends(&w, seed, 3);
        t = world_group(&w, 0, 3);
        for (size_t i = 0; i < 3; i++) {
            size_t who = (size_t)(seed + i) % 3;

            talk(&t, 3, 3);
            sim_commit_due(&w, who, true);
            node_snapshot(&w, who, &disk[who]);
        }
        talk(&t, 3, 3);
        for (size_t i = 0; i < 3; i++) {
            node_crash(&w, i);
        }
        for (size_t i = 0; i < 3; i++) {
            node_restore(&w, i, &disk[i]);
            rows_free(&disk[i]);
        }
        world_heal(&w);
        now = successor(0, &t);
        talk(&now, 3, 3);
        world_heal(&w);
        judge(&t, 3);
        world_end(&w);
    }
}

/* Somebody still has it: nothing is founded, and he lets the others in. */
TEST(one_of_three_has_it)
{
    struct rows a = {0};
    struct rows b = {0};
    struct thread_id t;
    struct thread_id now;
    static const size_t all[] = {0, 1, 2};

    world_friends(&w, 41, 3);
    t = world_group(&w, 0, 3);
    talk(&t, 3, 6);
    world_heal(&w);
    node_snapshot(&w, 0, &a);
    node_snapshot(&w, 1, &b);
    node_crash(&w, 0);
    node_crash(&w, 1);
    node_crash(&w, 2);
    node_restore(&w, 0, &a);
    node_restore(&w, 1, &b);
    world_run(&w, 20000);
    now = successor(0, &t);
    CHECK(thread_id_equal(&now, &t)); /* it waits for the third */
    node_start(&w, 2);
    world_heal(&w);
    now = successor(0, &t);
    CHECK(thread_id_equal(&now, &t));
    talk(&t, 3, 3);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    rows_free(&a);
    rows_free(&b);
    world_end(&w);
}

/* The third stays away: after 72 hours the two go on, and it comes along when
   it is back. */
TEST(the_third_is_away)
{
    struct rows a = {0};
    struct rows b = {0};
    struct thread_id t;

    world_friends(&w, 42, 3);
    t = world_group(&w, 0, 3);
    talk(&t, 3, 6);
    world_heal(&w);
    node_snapshot(&w, 0, &a);
    node_snapshot(&w, 1, &b);
    for (size_t i = 0; i < 3; i++) {
        node_crash(&w, i);
    }
    node_restore(&w, 0, &a);
    node_restore(&w, 1, &b);
    world_run(&w, 5000);
    world_skip(&w, LIMIT_CHECK_MS);
    world_run(&w, 60000);
    node_start(&w, 2);
    world_heal(&w);
    judge(&t, 3);
    rows_free(&a);
    rows_free(&b);
    world_end(&w);
}

/* The hub loses, and whom it asks loses before it has answered: the third is
   asked as well. */
TEST(one_after_the_other)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rows a = {0};
        struct rows b = {0};
        struct thread_id t;
        static const size_t all[] = {0, 1, 2};

        world_friends(&w, seed, 3);
        t = world_group(&w, 0, 3);
        talk(&t, 3, 3);
        sim_commit_due(&w, 0, true);
        sim_commit_due(&w, 1, true);
        node_snapshot(&w, 0, &a);
        node_snapshot(&w, 1, &b);
        talk(&t, 3, 6);
        world_heal(&w);
        node_restore(&w, 0, &a);
        world_run(&w, world_below(&w, 3000));
        node_restore(&w, 1, &b);
        rows_free(&a);
        rows_free(&b);
        world_heal(&w);
        talk(&t, 3, 3);
        world_heal(&w);
        all_asked();
        world_judge(&w, &t, all, 3);
        CHECK_EQ(node_messages(&w, 0, &t), 13);
        world_end(&w);
    }
}

/* A clinic is asked in while it is away, and who asked is put back: the
   question for its key package went with the streams, and is asked again. */
TEST(asked_in_while_away)
{
    static const size_t all[] = {0, 1, 2};
    struct thread_id t;
    struct clinic_id two;

    world_friends(&w, 46, 3);
    t = world_group(&w, 0, 2);
    talk(&t, 2, 2);
    world_heal(&w);
    two = node_root(&w, 2);
    node_crash(&w, 2);
    node_stepped(&w, 0, fed_core_add(w.nodes[0].core, &t, &two));
    world_run(&w, 3000);
    world_put_back(&w, 0, NULL);
    world_run(&w, 3000);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_ACTIVE);
    node_start(&w, 2);
    world_heal(&w);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ACTIVE);
    CHECK(world_in(&w, &t, all, 3));
    world_end(&w);
}

int
main(void)
{
    return RUN(T(both_of_two_restored), T(words_that_waited),
               T(all_of_three_restored), T(one_of_three_has_it),
               T(the_third_is_away), T(asked_in_while_away),
               T(one_after_the_other));
}
