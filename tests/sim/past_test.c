/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question for history that comes in one batch with what it asks for
 * (decisions E 22): the disk of the clinic that is asked is slow, so it cannot
 * read yet that its words have a place; and it crashes, at any moment.
 */
#include "federation/core/trust.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

static struct world w;
static const size_t both[] = {0, 1};

/* The commits under way at node i take until then. */
static void
slow_disk(size_t i, uint64_t until_ms)
{
    for (size_t p = 0; p < w.nodes[i].pending_len; p++) {
        w.nodes[i].pending[p].due_ms = until_ms;
    }
}

/* What node 1 said last is lost at node 0's desk. */
static void
lose(const struct thread_id *t, const struct message_id *id)
{
    uint8_t key[64];

    memcpy(key, t->b, 32);
    memcpy(key + 32, id->b, 32);
    rows_del(&w.nodes[0].rows, WORLD_DESK, VIEW_ARRAY(key));
}

/*
 * Node 1 says something; its hub, node 0, takes it, loses it and asks for it,
 * before node 1 has stored that it was taken.  Until the disk of node 1 is to
 * have stored all of it, at *until_ms.
 */
static struct thread_id
asked(uint64_t seed, struct message_id *id, uint64_t *until_ms)
{
    struct thread_id t;
    struct subject_id one;
    uint64_t seq;

    world_friends(&w, seed, 2);
    t = world_direct(&w, 0, 1);
    world_said(&w, 1, &t);
    world_heal(&w);
    w.delay_ms = 5;
    w.commit_ms = 0;
    one = node_subject(&w, 1);
    seq = world_thread(&w, 0, &t)->rec.seq;
    CHECK_OK(world_say(&w, 1, &t));
    *id = w.said[w.said_len - 1].id;
    for (int i = 0; i < 200 && world_thread(&w, 0, &t)->rec.seq == seq; i++) {
        world_step(&w, 1);
    }
    CHECK_EQ(world_thread(&w, 0, &t)->rec.seq, seq + 1);
    node_stepped(&w, 0,
                 fed_core_history(w.nodes[0].core, &t,
                                  world_thread(&w, 0, &t)->rec.term, seq + 1,
                                  seq + 1, &one));
    *until_ms = w.mono_ms + 500;
    for (int i = 0; i < 100 && world_thread(&w, 1, &t)->rec.seq < seq + 2;
         i++) {
        world_step(&w, 1);
        slow_disk(1, *until_ms);
    }
    CHECK_EQ(world_thread(&w, 1, &t)->rec.seq, seq + 2);
    CHECK(w.nodes[1].pending_len > 0);
    CHECK(node_has(&w, 0, &t, id));
    lose(&t, id);
    CHECK(!node_has(&w, 0, &t, id));
    return t;
}

static void
answered(const struct thread_id *t, const struct message_id *id)
{
    world_heal(&w);
    CHECK(node_has(&w, 0, t, id));
    CHECK(w.nodes[0].resent > 0);
    world_judge(&w, t, both, 2);
    world_end(&w);
}

TEST(answered_when_it_can_be_read)
{
    struct message_id id;
    uint64_t until_ms;
    struct thread_id t = asked(1, &id, &until_ms);

    while (w.mono_ms < until_ms) {
        world_step(&w, 1);
        slow_disk(1, until_ms);
    }
    answered(&t, &id);
}

/* Before, while and after that is stored, and on the way of the answer. */
TEST(answered_after_a_crash_at_every_moment)
{
    for (uint64_t ms = 0; ms < 3000; ms += ms < 460 || ms > 620 ? 23 : 1) {
        struct message_id id;
        uint64_t until_ms;
        struct thread_id t = asked(2, &id, &until_ms);
        uint64_t at = w.mono_ms + ms;

        while (w.mono_ms < at) {
            world_step(&w, 1);
            if (w.mono_ms < until_ms) {
                slow_disk(1, until_ms);
            }
        }
        node_crash(&w, 1);
        answered(&t, &id);
    }
}

int
main(void)
{
    return RUN(T(answered_when_it_can_be_read),
               T(answered_after_a_crash_at_every_moment));
}
