/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a clinic lets in is in at last, whatever is lost on the way: the key
 * that it gave, the entry that let it in, or the whole thread.
 */
#include "federation/core/care.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;
static const size_t all[] = {0, 1, 2};

static void
add(size_t by, const struct thread_id *t, size_t who)
{
    struct clinic_id root = node_root(&w, who);

    node_stepped(&w, by, fed_core_add(w.nodes[by].core, t, &root));
}

/* A thread of the first two of three clinics, who know each other. */
static struct thread_id
two_of_three(uint64_t seed)
{
    struct thread_id t;

    world_friends(&w, seed, 3);
    t = world_group(&w, 0, 2);
    world_heal(&w);
    return t;
}

static void
all_in(const struct thread_id *t)
{
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(node_state(&w, i, t), FED_THREAD_ACTIVE);
        CHECK_OK(world_say(&w, i, t));
    }
    world_heal(&w);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(world_thread(&w, i, t)->members_len, 2);
    }
    CHECK(world_in(&w, t, all, 3));
    world_end(&w);
}

/* It revokes its key while the key package that it gave is under way. */
static void
gives_one_and_revokes(uint64_t seed, size_t by)
{
    struct thread_id t = two_of_three(seed);
    size_t had = rows_count(&w.nodes[2].rows, FED_NS_KP);

    w.delay_ms = 50;
    add(by, &t, 2);
    for (int i = 0; i < 2000 && rows_count(&w.nodes[2].rows, FED_NS_KP) == had;
         i++) {
        world_step(&w, 1);
    }
    CHECK_EQ(rows_count(&w.nodes[2].rows, FED_NS_KP), had + 1);
    world_cut(&w, by, 2, true);
    node_rotate(&w, 2, true);
    world_run(&w, 1000);
    world_cut(&w, by, 2, false);
    world_heal(&w);
    all_in(&t);
}

TEST(who_revoked_its_key_meanwhile)
{
    gives_one_and_revokes(1, 0);
    gives_one_and_revokes(2, 1);
}

/* The hub is put back, and only it had the entry that let the third one in. */
TEST(only_the_hub_had_the_entry)
{
    struct thread_id t = two_of_three(3);
    uint64_t seq = world_thread(&w, 0, &t)->rec.seq;

    world_cut(&w, 0, 1, true);
    w.delay_ms = 50;
    add(0, &t, 2);
    for (int i = 0; i < 2000 && world_thread(&w, 0, &t)->rec.seq == seq; i++) {
        world_step(&w, 1);
    }
    CHECK_EQ(world_thread(&w, 0, &t)->members_len, 2);
    node_crash(&w, 2);
    world_put_back(&w, 0, NULL);
    world_cut(&w, 0, 1, false);
    world_later(&w, WORLD_GONE_MS, 5000);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_ACTIVE);
    CHECK_EQ(world_thread(&w, 0, &t)->members_len, 1);
    node_start(&w, 2);
    world_heal(&w);
    all_in(&t);
}

/* All but the third one lose the thread, and then, before that one came into
   it, the thread that was founded in its place. */
TEST(founded_anew_twice_before_it_came)
{
    struct thread_id t;
    struct thread_id now;

    world_friends(&w, 4, 3);
    t = world_group(&w, 0, 3);
    world_heal(&w);
    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    node_crash(&w, 2);
    for (int i = 0; i < 2; i++) {
        node_crash(&w, 0);
        world_put_back(&w, 1, NULL);
        node_start(&w, 0);
        world_put_back(&w, 0, NULL);
        if (i == 0) {
            world_later(&w, WORLD_GONE_MS, 5000);
        }
        for (int k = 0; k < 4; k++) {
            world_run(&w, 5000);
        }
    }
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_ENDED);
    world_put_back(&w, 2, NULL);
    world_heal(&w);
    memcpy(now.b, world_thread(&w, 0, &t)->rec.next, 32);
    memcpy(now.b, world_thread(&w, 0, &now)->rec.next, 32);
    all_in(&now);
}

int
main(void)
{
    return RUN(T(who_revoked_its_key_meanwhile), T(only_the_hub_had_the_entry),
               T(founded_anew_twice_before_it_came));
}
