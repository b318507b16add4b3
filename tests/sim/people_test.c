/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stories with a point: links of every kind, who opens the conversation, long
 * absence, removal, two copies, and what the oracle must notice.
 */
#include "federation/core/inside.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/sim/story.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

static struct fed_party_info
party(size_t i, size_t j)
{
    struct fed_party_info info;
    struct clinic_id root = node_root(&w, j);

    memset(&info, 0, sizeof(info));
    if (fed_core_party(w.nodes[i].core, &root, &info) != OK) {
        memset(&info, 0, sizeof(info));
    }
    return info;
}

static void
connect_by(size_t i, const struct fed_invitation *inv)
{
    node_stepped(&w, i, fed_core_connect(w.nodes[i].core, inv));
    world_run(&w, 2000);
}

TEST(one_time_link_verifies_both_and_serves_once)
{
    struct fed_invitation inv;

    world_init(&w, 11, 3);
    inv = world_link(&w, 0, true, false, 7);
    connect_by(1, &inv);
    CHECK_EQ(party(0, 1).ours, PROTO_STANCE_GRANTED);
    CHECK_EQ(party(1, 0).ours, PROTO_STANCE_GRANTED);
    CHECK(party(0, 1).verified && party(1, 0).verified);
    connect_by(2, &inv);
    CHECK_EQ(party(2, 0).ours, PROTO_STANCE_NONE);
    CHECK_EQ(w.nodes[0].links_used[PROTO_REDEEM_USED], 1);
    CHECK_EQ(w.nodes[2].links_shown[PROTO_REDEEM_USED], 1);
    world_end(&w);
}

/* A contact that is over: the link that made it does not make it again, a new
   one-time link of the same clinic does. */
TEST(a_new_one_time_link_connects_again)
{
    struct fed_invitation first;
    struct fed_invitation second;
    struct clinic_id root;

    world_init(&w, 20, 2);
    first = world_link(&w, 0, true, false, 7);
    second = world_link(&w, 0, true, false, 8);
    connect_by(1, &first);
    root = node_root(&w, 0);
    node_stepped(&w, 1, fed_core_disconnect(w.nodes[1].core, &root));
    world_run(&w, 2000);
    CHECK_EQ(party(0, 1).ours, PROTO_STANCE_ENDED);
    connect_by(1, &first);
    CHECK_EQ(w.nodes[1].links_shown[PROTO_REDEEM_USED], 1);
    CHECK_EQ(party(0, 1).ours, PROTO_STANCE_ENDED);
    connect_by(1, &second);
    CHECK_EQ(w.nodes[1].links_shown[PROTO_REDEEM_USED], 1);
    CHECK_EQ(party(0, 1).ours, PROTO_STANCE_GRANTED);
    CHECK_EQ(party(1, 0).ours, PROTO_STANCE_GRANTED);
    world_end(&w);
}

/* Who was connected to by its link can dial the other after its first restart:
   a stranger's greeting has no addresses, what it says when granted has. */
TEST(the_owner_of_a_link_knows_where_the_other_is)
{
    struct fed_invitation inv;
    struct clinic_id root;

    world_init(&w, 19, 2);
    inv = world_link(&w, 0, true, false, 7);
    connect_by(1, &inv);
    root = node_root(&w, 1);
    CHECK_EQ(fed_party_find(w.nodes[0].core, &root)->rec.addrs.len, 1);
    node_crash(&w, 0);
    world_heal(&w);
    CHECK_EQ(fed_party_find(w.nodes[0].core, &root)->rec.addrs.len, 1);
    world_end(&w);
}

TEST(one_time_link_with_a_wrong_secret)
{
    struct fed_invitation inv;

    world_init(&w, 12, 2);
    inv = world_link(&w, 0, true, false, 7);
    inv.secret[3] ^= 1;
    connect_by(1, &inv);
    CHECK_EQ(party(1, 0).ours, PROTO_STANCE_NONE);
    CHECK_EQ(w.nodes[1].links_shown[PROTO_REDEEM_PROOF], 1);
    world_end(&w);
}

TEST(links_that_say_no)
{
    struct fed_link link = {.id = {{9}}, .label = VIEW_LIT("x")};
    struct fed_invitation inv;

    world_init(&w, 13, 2);
    inv = world_link(&w, 0, false, false, 9);
    link.revoked = true;
    node_stepped(&w, 0, fed_core_link_put(w.nodes[0].core, &link));
    connect_by(1, &inv);
    CHECK_EQ(w.nodes[1].links_shown[PROTO_REDEEM_REVOKED], 1);
    link.revoked = false;
    link.expiry_s = w.wall_ms / 1000 - 5;
    node_stepped(&w, 0, fed_core_link_put(w.nodes[0].core, &link));
    connect_by(1, &inv);
    CHECK_EQ(w.nodes[1].links_shown[PROTO_REDEEM_EXPIRED], 1);
    link.forward = VIEW_LIT("somewhere else, signed");
    node_stepped(&w, 0, fed_core_link_put(w.nodes[0].core, &link));
    connect_by(1, &inv);
    CHECK_EQ(w.nodes[1].links_shown[PROTO_REDEEM_ROTATED], 1);
    inv.link.b[0] = 77;
    connect_by(1, &inv);
    CHECK_EQ(w.nodes[1].links_shown[PROTO_REDEEM_UNKNOWN], 1);
    CHECK_EQ(party(1, 0).ours, PROTO_STANCE_NONE);
    world_end(&w);
}

TEST(looking_stores_nothing)
{
    struct fed_invitation inv;
    struct clinic_id root;

    world_init(&w, 14, 2);
    inv = world_link(&w, 0, false, true, 9);
    node_stepped(&w, 1, fed_core_look(w.nodes[1].core, &inv));
    world_run(&w, 2000);
    CHECK_EQ(w.nodes[1].links_shown[PROTO_REDEEM_OK], 1);
    root = node_root(&w, 0);
    node_stepped(&w, 1, fed_core_look_end(w.nodes[1].core, &root));
    world_run(&w, 500);
    CHECK_EQ(party(1, 0).ours, 0);
    CHECK_EQ(party(0, 1).ours, 0);
    world_end(&w);
}

TEST(review_then_accept)
{
    struct fed_invitation inv;
    struct clinic_id root;
    struct thread_id t;
    static const size_t both[] = {0, 1};

    world_init(&w, 15, 2);
    inv = world_link(&w, 0, false, true, 9);
    connect_by(1, &inv);
    CHECK_EQ(party(0, 1).ours, PROTO_STANCE_REVIEW);
    CHECK_EQ(party(1, 0).ours, PROTO_STANCE_ASKED);
    node_crash(&w, 0);
    node_start(&w, 0);
    world_run(&w, 1000);
    root = node_root(&w, 1);
    node_stepped(&w, 0, fed_core_accept(w.nodes[0].core, &root));
    world_run(&w, 3000);
    CHECK_EQ(party(1, 0).ours, PROTO_STANCE_GRANTED);
    t = world_direct(&w, 0, 1);
    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    world_judge(&w, &t, both, 2);
    CHECK_EQ(node_messages(&w, 0, &t), 1);
    world_end(&w);
}

TEST(review_then_refuse)
{
    struct fed_invitation inv;
    struct clinic_id root;

    world_init(&w, 16, 2);
    inv = world_link(&w, 0, false, true, 9);
    connect_by(1, &inv);
    world_cut(&w, 0, 1, true);
    world_run(&w, 500);
    root = node_root(&w, 1);
    node_stepped(&w, 0, fed_core_refuse(w.nodes[0].core, &root));
    world_cut(&w, 0, 1, false);
    world_run(&w, 3000);
    CHECK_EQ(party(0, 1).ours, PROTO_STANCE_REFUSED);
    CHECK_EQ(party(1, 0).ours, PROTO_STANCE_NONE);
    world_end(&w);
}

/* decisions D 17 */
TEST(both_connect_at_once)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct fed_invitation a;
        struct fed_invitation b;
        struct thread_id t;
        struct thread_id u;
        static const size_t both[] = {0, 1};

        world_init(&w, seed, 2);
        w.delay_ms = 300;
        w.break_ppm = 3000;
        a = world_link(&w, 0, seed % 3 == 0, false, 3);
        b = world_link(&w, 1, seed % 5 == 0, seed % 2 == 0, 4);
        node_stepped(&w, 1, fed_core_connect(w.nodes[1].core, &a));
        world_run(&w, world_below(&w, 300));
        ERR_IGNORE(fed_core_connect(w.nodes[0].core, &b),
                   "it may be connected by now");
        world_run(&w, 4000);
        w.break_ppm = 0;
        world_run(&w, 4000);
        t = world_direct(&w, 0, 1);
        u = world_direct(&w, 1, 0);
        CHECK_VIEW(thread_id_view(&t), thread_id_view(&u));
        CHECK(!thread_id_is_zero(&t));
        CHECK_OK(world_say(&w, 0, &t));
        CHECK_OK(world_say(&w, 1, &t));
        world_heal(&w);
        world_judge(&w, &t, both, 2);
        CHECK_EQ(node_messages(&w, 1, &t), 2);
        world_end(&w);
    }
}

TEST(connecting_twice_is_the_same_contact)
{
    struct fed_invitation inv;

    world_init(&w, 17, 2);
    world_befriend(&w, 0, 1);
    inv = world_link(&w, 0, false, false, 5);
    CHECK_ERR(fed_core_connect(w.nodes[1].core, &inv), ERR_EXISTS);
    world_end(&w);
}

TEST(disconnect_and_connect_again)
{
    struct clinic_id root;
    struct thread_id old;
    struct thread_id t;

    world_init(&w, 18, 2);
    world_befriend(&w, 0, 1);
    old = world_direct(&w, 0, 1);
    root = node_root(&w, 1);
    node_stepped(&w, 0, fed_core_disconnect(w.nodes[0].core, &root));
    world_run(&w, 2000);
    CHECK_EQ(party(1, 0).ours, PROTO_STANCE_ENDED);
    CHECK_EQ(node_state(&w, 1, &old), FED_THREAD_ENDED);
    CHECK_ERR(world_say(&w, 1, &old), ERR_STATE);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 1, 0);
    CHECK(!thread_id_equal(&t, &old));
    world_end(&w);
}

TEST(blocked_is_not_heard)
{
    struct clinic_id root;
    struct fed_invitation inv;

    world_init(&w, 19, 2);
    world_befriend(&w, 0, 1);
    root = node_root(&w, 1);
    node_stepped(&w, 0, fed_core_block(w.nodes[0].core, &root, true));
    world_run(&w, 2000);
    inv = world_link(&w, 0, false, false, 5);
    ERR_IGNORE(fed_core_connect(w.nodes[1].core, &inv), "it may think so");
    world_run(&w, 2000);
    CHECK_EQ(party(0, 1).ours, PROTO_STANCE_ENDED);
    CHECK(party(0, 1).blocked);
    CHECK_EQ(w.nodes[1].links_shown[PROTO_REDEEM_REFUSED], 1);
    CHECK(!w.nodes[1].wants[0]);
    world_end(&w);
}

TEST(away_for_eighty_days)
{
    static const size_t both[] = {0, 1};
    struct thread_id t;

    world_init(&w, 20, 2);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 0, 1);
    node_crash(&w, 1);
    for (int day = 0; day < 80; day++) {
        for (int k = 0; k < 8; k++) {
            CHECK_OK(world_say(&w, 0, &t));
            world_run(&w, 100);
        }
        world_skip(&w, IDENT_DAY_MS);
        if (day == 40) {
            node_crash(&w, 0);
            node_start(&w, 0);
        }
    }
    CHECK(w.nodes[0].overdue > 0);
    world_heal(&w);
    world_judge(&w, &t, both, 2);
    CHECK_EQ(node_messages(&w, 1, &t), 640);
    world_end(&w);
}

/* What a clinic that is away has to take first, and is then ours no more. */
TEST(what_waits_is_counted)
{
    struct thread_id t;
    struct clinic_id hub;
    uint64_t waiting;

    world_init(&w, 23, 2);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 0, 1);
    hub = node_root(&w, 0);
    node_crash(&w, 0);
    for (int k = 0; k < 3; k++) {
        CHECK_OK(world_say(&w, 1, &t));
    }
    world_run(&w, 100);
    node_crash(&w, 1);
    node_start(&w, 1);
    CHECK_OK(fed_core_waiting(w.nodes[1].core, &hub, &waiting));
    CHECK_EQ(waiting, 3);
    world_heal(&w);
    CHECK_OK(fed_core_waiting(w.nodes[1].core, &hub, &waiting));
    CHECK_EQ(waiting, 0);
    world_end(&w);
}

/* [thread-remove-listed] [thread-remove-right] the rules let the hub do it */
TEST(removed_reads_nothing_more)
{
    static const size_t rest[] = {0, 1};
    struct clinic_id with[2];
    struct subject_id who;
    struct thread_id t;
    size_t before;

    world_init(&w, 21, 3);
    world_befriend(&w, 0, 1);
    world_befriend(&w, 0, 2);
    world_befriend(&w, 1, 2);
    with[0] = node_root(&w, 1);
    with[1] = node_root(&w, 2);
    node_stepped(
        &w, 0,
        fed_core_thread_open(w.nodes[0].core, with, 2, (struct view){0}, &t));
    world_run(&w, 3000);
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(world_say(&w, i, &t));
    }
    world_heal(&w);
    before = node_messages(&w, 2, &t);
    CHECK_EQ(before, 3);
    memcpy(who.b, with[1].b, sizeof(who.b));
    CHECK_ERR(fed_core_remove(w.nodes[1].core, &t, &who), ERR_DENIED);
    node_stepped(&w, 0, fed_core_remove(w.nodes[0].core, &t, &who));
    CHECK_OK(world_say(&w, 0, &t));
    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_REMOVED);
    CHECK_EQ(node_messages(&w, 2, &t), before);
    CHECK_EQ(node_messages(&w, 1, &t), 5);
    CHECK_ERR(world_say(&w, 2, &t), ERR_STATE);
    for (size_t i = 0; i < w.said_len; i++) {
        w.said[i].durable = w.said[i].durable && w.said[i].node != 2;
    }
    world_judge(&w, &t, rest, 2);
    world_end(&w);
}

TEST(leave_and_add_again)
{
    struct clinic_id two;
    struct thread_id t;

    world_init(&w, 22, 3);
    world_befriend(&w, 0, 1);
    world_befriend(&w, 0, 2);
    two = node_root(&w, 2);
    node_stepped(
        &w, 0,
        fed_core_thread_open(w.nodes[0].core, &two, 1, VIEW_LIT("Plan"), &t));
    world_run(&w, 2000);
    node_stepped(&w, 2, fed_core_leave(w.nodes[2].core, &t));
    world_heal(&w);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_REMOVED);
    node_stepped(&w, 0, fed_core_add(w.nodes[0].core, &t, &two));
    world_heal(&w);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ACTIVE);
    CHECK_OK(world_say(&w, 2, &t));
    world_heal(&w);
    world_end(&w);
}

/* A member that is not the hub adds somebody whom the hub does not know. */
TEST(added_by_a_follower)
{
    struct clinic_id one;
    struct clinic_id two;
    struct thread_id t;

    world_init(&w, 23, 3);
    world_befriend(&w, 0, 1);
    world_befriend(&w, 1, 2);
    one = node_root(&w, 1);
    two = node_root(&w, 2);
    node_stepped(
        &w, 0,
        fed_core_thread_open(w.nodes[0].core, &one, 1, (struct view){0}, &t));
    world_run(&w, 2000);
    node_stepped(&w, 1, fed_core_add(w.nodes[1].core, &t, &two));
    world_run(&w, 6000);
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ACTIVE);
    CHECK_OK(world_say(&w, 2, &t));
    CHECK_OK(world_say(&w, 0, &t));
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 0, &t), 2);
    CHECK_EQ(node_messages(&w, 1, &t), 2);
    CHECK_EQ(node_messages(&w, 2, &t), 2);
    CHECK_EQ(party(0, 2).ours, PROTO_STANCE_THREAD);
    world_end(&w);
}

TEST(a_copied_folder_is_noticed)
{
    struct rows old = {0};
    struct thread_id t;
    static const size_t both[] = {0, 1};

    world_init(&w, 24, 2);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 0, 1);
    sim_commit_due(&w, 1, true);
    node_snapshot(&w, 1, &old);
    for (int i = 0; i < 10; i++) {
        CHECK_OK(world_say(&w, (size_t)i % 2, &t));
        world_run(&w, 200);
    }
    world_heal(&w);
    node_copy_back(&w, 1, &old);
    node_start(&w, 1);
    for (size_t i = 0; i < w.said_len; i++) {
        w.said[i].durable = w.said[i].node == 0;
    }
    world_heal(&w);
    CHECK_EQ(w.nodes[1].rollbacks, 1);
    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    world_judge(&w, &t, both, 2);
    CHECK_EQ(node_messages(&w, 1, &t), 11);
    CHECK(w.nodes[1].resent >= 10);
    rows_free(&old);
    world_end(&w);
}

/* Garbage, replays and what is not allowed close or are ignored; the other
   peers feel nothing. */
TEST(garbage_is_refused)
{
    static const char *const junk[] = {
        "00", "c1", "93", "920301", "93c40102", "9203c0", "930301c3"};
    struct thread_id t;
    static const size_t good[] = {0, 1};
    struct fed_up up = {.serial = 900001};
    struct node *n = &w.nodes[0];

    world_init(&w, 25, 2);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 0, 1);
    memset(up.root.b, 0x77, sizeof(up.root.b));
    for (size_t k = 0; k < 2; k++) {
        node_stepped(&w, 0, fed_core_peer_up(n->core, &up));
        for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
            node_stepped(&w, 0,
                         fed_core_frame(n->core, &up.root, up.serial,
                                        check_hex(junk[i])));
        }
        node_stepped(&w, 0, fed_core_peer_down(n->core, &up.root, up.serial));
        up.serial++;
    }
    CHECK(n->bad > 0 || w.nodes[0].pending_len > 0);
    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    world_judge(&w, &t, good, 2);
    CHECK(n->bad > 0);
    world_end(&w);
}

/* The oracle has teeth: each mistake is found within a few seeds. */
static bool
bites(enum world_tooth tooth, const struct story *like)
{
    struct story s = *like;
    bool found = false;

    s.tooth = tooth;
    for (uint64_t seed = 1; seed <= 30 && !found; seed++) {
        story_tell(&w, &s, seed);
        found = w.fault[0] != '\0';
        world_free(&w);
    }
    return found;
}

TEST(teeth)
{
    static const struct story s = {.nodes = 2,
                                   .steps = 60,
                                   .crash = 60,
                                   .broken = 3000,
                                   .cut = 20,
                                   .rekey = 20};

    CHECK(!bites(TOOTH_NONE, &s));
    CHECK(bites(TOOTH_TWO_TRANSACTIONS, &s));
    CHECK(bites(TOOTH_SHOW_TWICE, &s));
    CHECK(bites(TOOTH_NO_RATCHET, &s));
}

/* Frames that left before their commit look like a copied folder to the other
   side, and nothing is lost even then. */
TEST(acting_before_the_commit_is_noticed)
{
    static const struct story s = {.nodes = 2,
                                   .steps = 60,
                                   .crash = 60,
                                   .broken = 3000,
                                   .cut = 20,
                                   .tooth = TOOTH_ACT_BEFORE_COMMIT};
    size_t noticed = 0;

    for (uint64_t seed = 1; seed <= 30; seed++) {
        story_tell(&w, &s, seed);
        noticed += w.nodes[0].rollbacks + w.nodes[1].rollbacks;
        world_free(&w);
    }
    CHECK(noticed > 0);
}

/* Who has read only the beginning speaks of the log as it was there. */
TEST(reading_less_than_there_is_is_no_fork)
{
    struct thread_id id;
    struct fed_thread *t;

    world_friends(&w, 21, 3);
    id = world_group(&w, 0, 3);
    CHECK_OK(world_say(&w, 0, &id));
    world_heal(&w);
    t = world_thread(&w, 1, &id);
    for (uint64_t seq = t->rec.seq; world_thread(&w, 1, &id)->rec.seq < seq + 3;
         world_heal(&w)) {
        CHECK_OK(world_say(&w, 2, &id));
    }
    t = world_thread(&w, 1, &id);
    node_stepped(
        &w, 1,
        fed_core_read_upto(w.nodes[1].core, &id, t->rec.term, t->rec.seq - 2));
    world_heal(&w);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(w.nodes[i].forks, 0);
    }
    world_end(&w);
}

int
main(void)
{
    return RUN(T(one_time_link_verifies_both_and_serves_once),
               T(a_new_one_time_link_connects_again),
               T(the_owner_of_a_link_knows_where_the_other_is),
               T(one_time_link_with_a_wrong_secret), T(links_that_say_no),
               T(looking_stores_nothing), T(review_then_accept),
               T(review_then_refuse), T(both_connect_at_once),
               T(connecting_twice_is_the_same_contact),
               T(disconnect_and_connect_again), T(blocked_is_not_heard),
               T(away_for_eighty_days), T(what_waits_is_counted),
               T(removed_reads_nothing_more), T(leave_and_add_again),
               T(added_by_a_follower), T(a_copied_folder_is_noticed),
               T(garbage_is_refused), T(acting_before_the_commit_is_noticed),
               T(reading_less_than_there_is_is_no_fork), T(teeth));
}
