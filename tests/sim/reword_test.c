/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread moved while a clinic was away, and those who signed the proof have
 * revoked their node keys since: what they said with these is believed no more,
 * and they say it again.
 */
#include "federation/core/move.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;
static const size_t all[] = {0, 1, 2, 3};

static void
revoke(size_t i)
{
    node_rotate(&w, i, true);
    world_run(&w, 1000);
    for (size_t j = 0; j < w.nodes_len; j++) {
        world_break(&w, i, j);
    }
    world_run(&w, 3000);
}

static void
hand_over(size_t from, const struct thread_id *t, size_t to)
{

    world_hand_over(&w, from, t, to);
    world_run(&w, 5000);
    CHECK(world_hub_is(&w, from, t, to));
}

/* It is told the truth, in the end, by whoever is there. */
static void
back(const struct thread_id *t, size_t who, size_t n)
{
    node_start(&w, who);
    for (int i = 0; i < 6; i++) {
        world_later(&w, 2 * LIMIT_MOVE_WAIT_MS, 3000);
    }
    CHECK_EQ(node_state(&w, who, t), FED_THREAD_ACTIVE);
    CHECK(!world_hub_is(&w, who, t, 0));
    CHECK_OK(world_say(&w, who, t));
    world_heal(&w);
    world_judge(&w, t, all, n);
    world_end(&w);
}

TEST(handed_over_and_revoked)
{
    struct thread_id t = world_settled(&w, 1, 3);

    node_crash(&w, 2);
    hand_over(0, &t, 1);
    CHECK_OK(world_say(&w, 1, &t));
    world_run(&w, 2000);
    revoke(0);
    back(&t, 2, 3);
}

/* Both whose word it took, while the old hub stays away: each has the word of
   the other as it was. */
TEST(taken_over_and_revoked)
{
    struct thread_id t = world_settled(&w, 2, 4);

    node_crash(&w, 3);
    node_crash(&w, 0);
    CHECK_OK(world_say(&w, 1, &t));
    world_outlast(&w, 4, 3000);
    CHECK(!world_hub_is(&w, 1, &t, 0) && !world_hub_is(&w, 2, &t, 0));
    revoke(1);
    revoke(2);
    world_later(&w, WORLD_GONE_MS, 3000);
    back(&t, 3, 4);
}

/* [move-said] Whoever took the key says with it what its clinic never said. */
TEST(what_a_thief_says_is_not_said_again)
{
    struct thread_id t = world_settled(&w, 4, 3);
    struct fed_thread *at = world_thread(&w, 2, &t);
    struct prim_sign_key key = w.nodes[0].key;
    const uint64_t heads[] = {PROTO_HUB_HANDED, 1};
    struct proto_hub_said said = {.term = at->rec.term + 1};
    struct proto_hub_signed one;
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_MOVE};
    struct proto_peer_msg in;
    struct proto_hub_move *move = &msg.u.hub_move;
    struct bytes chain = {0};
    struct bytes text = {0};
    struct bytes word = {0};
    struct bytes wire = {0};
    size_t frames;

    CHECK_OK(bytes_copy(mem_heap(), view_of(&w.nodes[0].chain), &chain));
    revoke(0);
    world_heal(&w);
    memcpy(said.thread, t.b, 32);
    memcpy(said.hub, w.nodes[0].root.pub, 32);
    memcpy(said.to, w.nodes[1].root.pub, 32);
    said.began = at->group.term;
    said.seq = at->rec.seq;
    memcpy(said.head, at->rec.head, 32);
    said.ts_ms = w.wall_ms;
    CHECK_OK(proto_shape_encode(mem_heap(), &proto_hub_said_shape, heads, 2,
                                &said, &text));
    CHECK_OK(ident_by_node_make(mem_heap(), IDENT_STATEMENT, &key,
                                view_of(&chain), view_of(&text), &word));
    one.statement = view_of(&word);
    memcpy(move->thread, t.b, 32);
    move->term = said.term;
    move->began = said.began;
    memcpy(move->hub, said.hub, 32);
    memcpy(move->to, said.to, 32);
    move->planned = true;
    move->seq = said.seq;
    memcpy(move->head, said.head, 32);
    move->ts_ms = w.wall_ms;
    move->statements = (struct proto_list){.items = &one, .len = 1};
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, &wire));
    CHECK_OK(proto_peer_decode(view_of(&wire), &in));
    CHECK_OK(
        fed_move_recv(w.nodes[2].core, world_party(&w, 2, 1), &in.u.hub_move));
    CHECK(world_thread(&w, 2, &t)->reword_ms > w.mono_ms); /* 0 is asked */
    frames = w.frames;
    sim_take(&w, 2);
    world_run(&w, 5000);
    CHECK(w.frames > frames);
    for (size_t i = 0; i < 3; i++) {
        struct proto_hub_move have;
        struct bytes hold = {0};

        CHECK(world_hub_is(&w, i, &t, 0));
        CHECK_ERR(fed_proof_get(w.nodes[i].core, &t, said.term, &have, &hold),
                  ERR_MISSING);
    }
    bytes_free(&chain);
    bytes_free(&text);
    bytes_free(&word);
    bytes_free(&wire);
    CHECK_OK(world_say(&w, 2, &t));
    world_heal(&w);
    world_judge(&w, &t, all, 3);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(handed_over_and_revoked), T(taken_over_and_revoked),
               T(what_a_thief_says_is_not_said_again));
}
