/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What leaves the log, and what must not: a message goes when every member's
 * node has acknowledged it, a head when it is far behind, and whoever was away
 * or was put back still gets everything (decisions D 15).
 */
#include "federation/core/inside.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

/* Records of a namespace at a node. */
static size_t
records(size_t i, enum fed_ns ns)
{
    return rows_count(&w.nodes[i].rows, (uint16_t)ns);
}

static size_t
hub_of(const struct thread_id *id)
{
    return fed_thread_hub_here(w.nodes[0].core, world_thread(&w, 0, id)) ? 0
                                                                         : 1;
}

static void
say(size_t i, const struct thread_id *t, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        CHECK_OK(world_say(&w, i, t));
        world_run(&w, 20);
    }
}

/* A thread of node 0, its hub, with all the others. */
static struct thread_id
group(uint64_t seed, size_t nodes)
{
    struct clinic_id with[WORLD_NODES];
    struct thread_id t;

    world_init(&w, seed, nodes);
    for (size_t a = 0; a < nodes; a++) {
        for (size_t b = a + 1; b < nodes; b++) {
            world_befriend(&w, a, b);
        }
    }
    for (size_t i = 1; i < nodes; i++) {
        with[i - 1] = node_root(&w, i);
    }
    node_stepped(&w, 0,
                 fed_core_thread_open(w.nodes[0].core, with, nodes - 1,
                                      VIEW_LIT("All of us"), &t));
    world_run(&w, 3000);
    return t;
}

/* What everybody has is kept by nobody, whoever wrote it. */
TEST(what_everybody_has_is_gone)
{
    static const size_t both[] = {0, 1};
    struct thread_id t;

    world_init(&w, 1, 2);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 0, 1);
    for (int i = 0; i < 20; i++) {
        say((size_t)i % 2, &t, 1);
    }
    world_heal(&w);
    for (size_t i = 0; i < 2; i++) {
        CHECK_EQ(records(i, FED_NS_BODY), 0);
        CHECK_EQ(records(i, FED_NS_OUT), 0);
        CHECK_EQ(records(i, FED_NS_INTENT), 0);
        CHECK(records(i, FED_NS_LOG) >= 20);
    }
    world_judge(&w, &t, both, 2);
    world_end(&w);
}

/* A clinic's message is never kept for the only other member, who wrote it. */
TEST(the_author_needs_no_copy)
{
    struct thread_id t;
    size_t hub;

    world_init(&w, 2, 2);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 0, 1);
    hub = hub_of(&t);
    world_heal(&w);
    CHECK_OK(world_say(&w, 1 - hub, &t));
    for (int i = 0; i < 200; i++) {
        world_step(&w, 5);
        CHECK_EQ(records(hub, FED_NS_BODY), 0);
    }
    CHECK_EQ(node_messages(&w, hub, &t), 1);
    world_end(&w);
}

/* One who is away keeps all messages at the hub, and heads beyond the usual. */
TEST(who_is_away_gets_everything)
{
    static const size_t all[] = {0, 1, 2};
    const size_t n = LIMIT_LOG_HEADS + 40;
    struct thread_id t = group(3, 3);

    size_t before;

    world_heal(&w);
    before = node_messages(&w, 2, &t); /* its title */
    node_crash(&w, 2);
    say(0, &t, n / 2);
    say(1, &t, n / 2);
    CHECK(records(0, FED_NS_BODY) >= n);
    CHECK(records(0, FED_NS_LOG) >= n);
    CHECK_EQ(records(1, FED_NS_BODY), 0);
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 2, &t), before + n);
    CHECK_EQ(w.nodes[2].gaps, 0);
    CHECK_EQ(w.nodes[2].resent, 0);
    CHECK_EQ(records(0, FED_NS_BODY), 0);
    say(2, &t, 1);
    world_heal(&w);
    for (size_t i = 0; i < 3; i++) {
        /* the thread with all, and three of two with a few entries each */
        CHECK(records(i, FED_NS_LOG) <= LIMIT_LOG_HEADS + 40);
    }
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* Beyond 90 days nothing is kept for anybody; the others go on. */
TEST(after_ninety_days_it_goes)
{
    struct thread_id t = group(4, 3);

    world_heal(&w);
    node_crash(&w, 2);
    say(0, &t, 10);
    world_run(&w, 1000);
    CHECK(records(0, FED_NS_BODY) >= 10);
    for (int day = 0; day < 89; day++) {
        world_skip(&w, IDENT_DAY_MS);
        world_run(&w, 50);
    }
    say(0, &t, 1);
    CHECK(records(0, FED_NS_BODY) >= 11);
    CHECK_EQ(w.nodes[0].doubts[FED_DOUBT_UNDELIVERED], 1);
    CHECK_EQ(w.nodes[0].doubts[FED_DOUBT_NEVER], 0);
    world_skip(&w, 2 * IDENT_DAY_MS);
    say(1, &t, 2);
    CHECK(records(0, FED_NS_BODY) <= 10); /* checkpoints of the first days */
    /* decisions D 15: the sender is told what was never delivered, to whom */
    CHECK_EQ(w.nodes[0].doubts[FED_DOUBT_NEVER], 1);
    CHECK(memcmp(w.nodes[0].doubt[FED_DOUBT_NEVER].author.b,
                 w.nodes[2].root.pub, 32) == 0);
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 1, &t), 14); /* with the title */
    CHECK(w.nodes[2].gaps > 0);
    CHECK_EQ(records(0, FED_NS_BODY), 0);
    world_end(&w);
}

/* And the heads of what was more than those that are kept: who lacks them
   rejoins, and accuses nobody [named-gone]. */
TEST(after_ninety_days_its_place_goes)
{
    struct thread_id t = group(8, 3);

    world_heal(&w);
    node_crash(&w, 2);
    say(0, &t, LIMIT_LOG_HEADS + 10);
    world_skip(&w, 91 * IDENT_DAY_MS);
    say(1, &t, 2);
    world_heal(&w);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ACTIVE);
    CHECK(w.nodes[2].gaps > 0);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(w.nodes[i].forks, 0);
    }
    world_end(&w);
}

/* The answer to a log.pull, as it waits for the one who asked. */
static void
pull(size_t i, const struct thread_id *id, struct fed_party *p, uint64_t from,
     struct proto_log_part *out, struct bytes *hold)
{
    struct fed_core *core = w.nodes[i].core;
    struct fed_key key = fed_key_num(clinic_id_view(&p->root), p->rec.out_next);
    struct proto_log_pull in = {.term = 1, .from = from, .max = 16};
    struct proto_peer_msg msg;

    memcpy(in.thread, id->b, sizeof(in.thread));
    CHECK_OK(fed_hub_pull(core, p, &in));
    CHECK_OK(fed_tx_get(core, FED_NS_OUT, &key, hold));
    CHECK_OK(proto_peer_decode(view_skip(view_of(hold), 1), &msg));
    CHECK_EQ(msg.type, PROTO_PEER_LOG_PART);
    *out = msg.u.log_part;
}

TEST(a_pull_of_what_is_gone)
{
    struct thread_id t;
    struct clinic_id root;
    struct fed_party *p;
    struct proto_log_part part;
    struct proto_list_at at = {0};
    struct proto_log_entry entry;
    struct bytes hold = {0};
    size_t hub;

    world_init(&w, 5, 2);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 0, 1);
    hub = hub_of(&t);
    say(1 - hub, &t, LIMIT_LOG_HEADS + 20);
    world_heal(&w);
    CHECK(records(hub, FED_NS_LOG) <= LIMIT_LOG_HEADS + 1);
    root = node_root(&w, 1 - hub);
    p = fed_party_find(w.nodes[hub].core, &root);
    pull(hub, &t, p, 2, &part, &hold);
    CHECK_EQ(part.code, PROTO_LOG_PRUNED);
    CHECK_EQ(part.entries.len, 0);
    CHECK_EQ(part.last, world_thread(&w, hub, &t)->rec.seq);
    bytes_free(&hold);
    /* Where heads are left, they come without their messages. */
    pull(hub, &t, p, part.last - 5, &part, &hold);
    CHECK_EQ(part.code, PROTO_LOG_OK);
    CHECK_EQ(part.entries.len, 6);
    while (
        proto_list_next(&part.entries, &proto_log_entry_shape, &at, &entry)) {
        CHECK_EQ(entry.kind, PROTO_ENTRY_GONE);
        CHECK_EQ(entry.message.len, 32);
    }
    bytes_free(&hold);
    world_end(&w);
}

/* Put back behind what the log has forgotten: the desk of the other has it. */
static void
put_back(uint64_t seed, bool the_hub, size_t behind)
{
    static const size_t both[] = {0, 1};
    struct rows backup = {0};
    struct thread_id t;
    size_t who;

    world_init(&w, seed, 2);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 0, 1);
    who = the_hub ? hub_of(&t) : 1 - hub_of(&t);
    say(0, &t, 10);
    say(1, &t, 10);
    world_heal(&w);
    node_snapshot(&w, who, &backup);
    say(1 - who, &t, behind);
    world_heal(&w);
    CHECK_EQ(records(0, FED_NS_BODY), 0);
    CHECK_EQ(records(1, FED_NS_BODY), 0);
    node_restore(&w, who, &backup);
    rows_free(&backup);
    world_heal(&w);
    CHECK_EQ(node_state(&w, who, &t), FED_THREAD_ACTIVE);
    CHECK_EQ(w.nodes[who].resent, behind);
    say(0, &t, 3);
    say(1, &t, 3);
    world_heal(&w);
    CHECK_EQ(node_messages(&w, who, &t), 20 + behind + 6);
    world_judge(&w, &t, both, 2);
    world_end(&w);
}

TEST(a_follower_that_was_put_back)
{
    put_back(6, false, 25);
}

TEST(a_hub_that_was_put_back)
{
    put_back(7, true, 25);
}

int
main(void)
{
    return RUN(T(what_everybody_has_is_gone), T(the_author_needs_no_copy),
               T(who_is_away_gets_everything), T(after_ninety_days_it_goes),
               T(after_ninety_days_its_place_goes), T(a_pull_of_what_is_gone),
               T(a_follower_that_was_put_back), T(a_hub_that_was_put_back));
}
