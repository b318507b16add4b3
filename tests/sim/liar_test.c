/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What else a hub or relay may do to what it carries: say it in another order,
 * late, again, a log that ends too early.  It is the real core; what it sends
 * is replaced where its items leave (world.lie).
 */
#include "federation/core/watch.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;
static const size_t all[] = {0, 1, 2};

/* What the liar has in mind. */
static struct bytes kept[2]; /* items that went, or wait */
static size_t kept_len;
static size_t told; /* lies */
static size_t victim;

static void
keep(struct view item)
{
    CHECK(kept_len < 2);
    CHECK_OK(bytes_copy(mem_heap(), item, &kept[kept_len++]));
}

static void
honest(void)
{
    w.lie = NULL;
    bytes_free(&kept[0]);
    bytes_free(&kept[1]);
    kept_len = 0;
}

static void
nothing(struct bytes *out)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_ROSTER};

    CHECK_OK(proto_peer_encode(mem_heap(), &msg, out));
}

/* ------------------------------------------------------------------- order */

/* Two entries change places: the first waits for the second. */
static bool
swaps(struct world *in, size_t from, size_t to, struct view item,
      struct bytes *out)
{
    (void)in;
    if (from != 0 || to != victim || proto_peer_peek(item) != PROTO_PEER_FAN) {
        return false;
    }
    if (kept_len == 0) {
        keep(item);
        nothing(out);
    } else {
        *out = bytes_take(&kept[0]); /* and what came is not said at all */
        kept_len = 0;
    }
    told++;
    return true;
}

/* Whatever the order in which they are said, they are shown in that of the
   log: what is not the next is asked for. */
TEST(another_order)
{
    struct thread_id t = world_three(&w, 1);

    told = 0;
    victim = 2;
    w.lie = swaps;
    for (int i = 0; i < 6; i++) {
        world_said(&w, (size_t)(i % 2), &t);
    }
    CHECK(told >= 4);
    honest();
    world_break(&w, 0, 2);
    world_run(&w, 3000);
    world_said(&w, 1, &t);
    world_run(&w, 3 * LIMIT_MISSING_MS); /* answers were swapped as well */
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 2, &t), 7 + 1);
    world_judge(&w, &t, all, 3);
    world_no_doubts(&w);
    world_end(&w);
}

/* ------------------------------------------------------------------- delay */

static bool
later(struct world *in, size_t from, size_t to, struct view item,
      struct bytes *out)
{
    uint64_t type = proto_peer_peek(item);

    (void)in;
    if (from != 0 || to != victim ||
        (type != PROTO_PEER_FAN && type != PROTO_PEER_LOG_PART)) {
        return false;
    }
    nothing(out);
    return true;
}

/* Less than a day: nobody is told.  The limit: with a path past the hub, an
   hour after the day in which somebody says where it stands. */
TEST(late_but_not_too_late)
{
    struct thread_id t = world_three(&w, 2);

    victim = 2;
    world_said(&w, 2, &t);
    w.lie = later;
    world_said(&w, 1, &t);
    world_pass(&w, 20);
    CHECK_EQ(node_messages(&w, 2, &t), 1 + 1);
    honest();
    world_break(&w, 0, 2);
    world_run(&w, 3000);
    world_said(&w, 1, &t);
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 2, &t), 3 + 1);
    world_no_doubts(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

/* --------------------------------------------------------------- a cut log */

/* The log ends before the newest entries, for who asks as well. */
static bool
cuts(struct world *in, size_t from, size_t to, struct view item,
     struct bytes *out)
{
    struct proto_peer_msg msg;
    uint64_t type = proto_peer_peek(item);

    (void)in;
    if (from != 0 || to != victim) {
        return false;
    }
    if (type == PROTO_PEER_FAN) {
        nothing(out);
        return true;
    }
    if (type != PROTO_PEER_LOG_PART || proto_peer_decode(item, &msg) != OK ||
        msg.u.log_part.entries.len == 0) {
        return false;
    }
    msg.u.log_part.entries = (struct proto_list){.len = 0};
    msg.u.log_part.last = msg.u.log_part.first - 1;
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, out));
    told++;
    return true;
}

TEST(a_log_that_ends_too_early)
{
    struct thread_id t = world_three(&w, 3);

    told = 0;
    victim = 2;
    world_said(&w, 2, &t);
    w.lie = cuts;
    for (int i = 0; i < 4; i++) {
        world_said(&w, 1, &t);
    }
    world_pass(&w, 26);
    CHECK(w.nodes[2].doubts[FED_DOUBT_WITHHELD] > 0);
    CHECK(told > 0);
    honest();
    world_break(&w, 0, 2);
    world_run(&w, 3000);
    world_pass(&w, 2);
    world_said(&w, 1, &t);
    world_pass(&w, 2);
    CHECK_EQ(node_messages(&w, 2, &t), 6 + 1);
    CHECK_EQ(w.nodes[2].settled[FED_DOUBT_WITHHELD],
             w.nodes[2].doubts[FED_DOUBT_WITHHELD]);
    world_end(&w);
}

/* ---------------------------------------------------------- again, to a phone
 */

/* What node 0 carries to a phone, once more in the place of the next. */
static bool
again(struct world *in, size_t from, size_t to, struct view item,
      struct bytes *out)
{
    (void)in;
    if (from != 0 || to != victim ||
        proto_peer_peek(item) != PROTO_PEER_ROUTED) {
        return false;
    }
    if (kept_len == 0) {
        keep(item);
        return false;
    }
    CHECK_OK(bytes_copy(mem_heap(), view_of(&kept[0]), out));
    told++;
    return true;
}

/* A relay says an entry again and again, and never the new ones: the phone
   shows it once, and hears of the silence when it has been off and on. */
TEST(again_to_a_phone)
{
    struct thread_id t;
    size_t d;
    size_t before;
    size_t two[2];
    bool any;

    world_init(&w, 5, 2);
    world_befriend(&w, 0, 1);
    d = world_device(&w, 0);
    world_enrol(&w, d, 0);
    t = world_private(&w, d);
    world_heal(&w);
    two[0] = 1;
    two[1] = d;
    victim = d;
    told = 0;
    w.lie = again;
    world_said(&w, 1, &t);
    world_said(&w, d, &t);
    before = node_messages(&w, d, &t);
    world_said(&w, 1, &t);
    CHECK(told > 0);
    CHECK(node_messages(&w, d, &t) <= before);
    node_crash(&w, d);
    world_pass(&w, 32);
    node_start(&w, d);
    world_run(&w, 3000);
    CHECK_OK(fed_core_receipts(w.nodes[d].core, &any));
    node_stepped(&w, d, OK);
    world_run(&w, 500);
    CHECK_EQ(w.nodes[d].doubts[FED_DOUBT_SILENT], 1);
    CHECK(memcmp(w.nodes[d].doubt[FED_DOUBT_SILENT].author.b,
                 w.nodes[1].root.pub, 32) == 0);
    CHECK(memcmp(w.nodes[d].doubt[FED_DOUBT_SILENT].peer.b, w.nodes[0].root.pub,
                 32) == 0);
    CHECK_EQ(w.nodes[d].bad, 0);
    honest();
    world_break(&w, 0, d);
    world_run(&w, 3000);
    world_said(&w, 1, &t);
    world_heal(&w);
    CHECK_EQ(w.nodes[d].settled[FED_DOUBT_SILENT], 1);
    world_judge(&w, &t, two, 2);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(another_order), T(late_but_not_too_late),
               T(a_log_that_ends_too_early), T(again_to_a_phone));
}
