/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who rejoins a thread asks for the GroupInfo, and is not answered by somebody
 * who is connected.
 */
#include "federation/core/state.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

enum {
    MINUTE_MS = 60000
};

static struct world w;
static const size_t all[] = {0, 1, 2};
static size_t liar;
static size_t victim;
static size_t lies;
static struct thread_id thread; /* about this one */

static bool
keeps_the_answer(struct world *in, size_t from, size_t to, struct view item,
                 struct bytes *out)
{
    struct proto_peer_msg nothing = {.type = PROTO_PEER_ROSTER};
    struct proto_peer_msg msg;

    (void)in;
    if (from != liar || to != victim || proto_peer_decode(item, &msg) != OK ||
        msg.type != PROTO_PEER_GI ||
        memcmp(msg.u.gi.thread, thread.b, sizeof(thread.b)) != 0) {
        return false;
    }
    CHECK_OK(proto_peer_encode(mem_heap(), &nothing, out));
    lies++;
    return true;
}

/* A follower has only its hub to ask: again and again, and people are told. */
TEST(a_hub_that_does_not_answer)
{
    struct thread_id t = world_three(&w, 1);

    thread = t;
    liar = 0;
    victim = 2;
    lies = 0;
    w.lie = keeps_the_answer;
    world_put_back(&w, 2, NULL);
    world_run(&w, 10 * MINUTE_MS);
    CHECK_EQ(lies, 4);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_RESYNC);
    CHECK_EQ(w.nodes[2].doubts[FED_DOUBT_SILENT], 0);
    world_run(&w, 8 * MINUTE_MS);
    CHECK_EQ(w.nodes[2].doubts[FED_DOUBT_SILENT], 1);
    CHECK(memcmp(w.nodes[2].doubt[FED_DOUBT_SILENT].author.b,
                 w.nodes[0].root.pub, 32) == 0);
    world_run(&w, 60 * MINUTE_MS);
    CHECK_EQ(lies, 7);
    CHECK_EQ(w.nodes[2].doubts[FED_DOUBT_SILENT], 1);
    w.lie = NULL;
    world_run(&w, 65 * MINUTE_MS);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ACTIVE);
    CHECK_EQ(w.nodes[2].settled[FED_DOUBT_SILENT], 1);
    world_said(&w, 2, &t);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* A hub that was put back asks another member. */
TEST(a_member_that_does_not_answer)
{
    struct thread_id t = world_three(&w, 2);

    thread = t;
    liar = 1;
    victim = 0;
    lies = 0;
    w.lie = keeps_the_answer;
    world_run(&w, 1000);
    world_put_back(&w, 0, NULL);
    world_run(&w, 3 * MINUTE_MS);
    if (lies == 0) { /* it asked the other first */
        liar = 2;
        world_put_back(&w, 0, NULL);
        world_run(&w, 3 * MINUTE_MS);
    }
    CHECK(lies > 0);
    CHECK_EQ(node_state(&w, 0, &t), FED_THREAD_ACTIVE);
    w.lie = NULL;
    world_heal(&w);
    world_said(&w, 2, &t);
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(a_hub_that_does_not_answer), T(a_member_that_does_not_answer));
}
