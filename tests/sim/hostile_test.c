/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a clinic that lies can do to us: node 0 is ours, another one says
 * things that no honest core would.
 */
#include "federation/core/trust.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

/* A new connection to node i from other, which has said nothing yet. */
static struct fed_party *
connect_again(size_t i, size_t other, uint64_t serial)
{
    struct fed_up up = {.serial = serial};

    up.root = node_root(&w, other);
    up.generation = w.nodes[other].generation;
    CHECK_OK(fed_core_peer_up(w.nodes[i].core, &up));
    return world_party(&w, i, other);
}

/* A clinic that remembers more than there was makes us doubt what we have with
   it, and nothing else; nor does it use up our incarnations. */
TEST(lie_about_rollback)
{
    struct thread_id other;
    struct thread_id own;
    struct fed_party *p;
    uint8_t stream[16];
    struct proto_hello h = {.version_min = 1, .version_max = 1, .suites = 3};

    world_friends(&w, 1, 3);
    other = world_direct(&w, 0, 2);
    own = world_direct(&w, 0, 1);
    world_heal(&w);
    memcpy(stream, world_party(&w, 0, 2)->rec.out_stream, sizeof(stream));
    node_crash(&w, 0);
    node_start(&w, 0);
    p = connect_again(0, 1, 900);
    memcpy(h.in_stream, p->rec.out_stream, sizeof(h.in_stream));
    memcpy(h.out_stream, p->rec.in_stream, sizeof(h.out_stream));
    h.in_applied = p->rec.out_next + 7;
    h.incarnation_seen = UINT64_MAX;
    h.stance = PROTO_STANCE_GRANTED;
    CHECK_OK(fed_hello_recv(w.nodes[0].core, p, &h));
    CHECK_EQ(world_thread(&w, 0, &other)->rec.state, FED_THREAD_ACTIVE);
    CHECK(world_thread(&w, 0, &own)->rec.state != FED_THREAD_ACTIVE);
    CHECK(w.nodes[0].core->self.incarnation > 1);
    CHECK(w.nodes[0].core->self.incarnation < UINT64_C(1) << 33);
    CHECK(memcmp(world_party(&w, 0, 2)->rec.out_stream, stream, 16) == 0);
    world_end(&w);
}

/* What was queued since the start does not hide that we were put back. */
TEST(rollback_behind_a_queue)
{
    struct fed_party *p;
    struct rows before = {0};
    struct proto_hello h = {.version_min = 1, .version_max = 1, .suites = 3};
    struct proto_peer_msg msg = {.type = PROTO_PEER_FORK_ALERT};

    world_friends(&w, 2, 2);
    world_heal(&w);
    node_snapshot(&w, 0, &before);
    node_copy_back(&w, 0, &before);
    rows_free(&before);
    node_start(&w, 0);
    p = world_party(&w, 0, 1);
    memcpy(h.in_stream, p->rec.out_stream, sizeof(h.in_stream));
    memcpy(h.out_stream, p->rec.in_stream, sizeof(h.out_stream));
    h.out_acked = p->rec.in_applied;
    h.in_applied = p->rec.out_next; /* one more than we know */
    h.stance = PROTO_STANCE_GRANTED;
    for (int i = 0; i < 5; i++) {
        CHECK_OK(fed_stream_put(w.nodes[0].core, p, &msg));
    }
    p = connect_again(0, 1, 901);
    CHECK_OK(fed_hello_recv(w.nodes[0].core, p, &h));
    sim_take(&w, 0);
    sim_commit_due(&w, 0, true);
    CHECK_EQ(w.nodes[0].rollbacks, 1);
    world_end(&w);
}

/* Node i's own MLS view of the world, to make what its core would not. */
static struct mls_identity
identity_of(size_t i)
{
    static const uint16_t types[] = {PROTO_EXT_GROUP, MLS_EXT_LAST_RESORT};
    struct node *n = &w.nodes[i];

    return (struct mls_identity){
        .credential = view_of(&n->chain),
        .signature_key = VIEW_ARRAY(n->key.pub),
        .signature_priv = VIEW_ARRAY(n->key.seed),
        .extension_types = types,
        .extension_types_len = 2,
    };
}

/* [thread-external-replaces] */
TEST(second_leaf)
{
    struct thread_id id;
    struct fed_thread *t;
    struct mls_env env;
    struct mls_identity who;
    struct mls_external_opts opts = {.resync = false};
    struct mls_external_made made = {0};
    struct bytes info = {0};
    struct bytes aad = {0};
    struct proto_hs_submit in = {.term = 1};
    uint64_t epoch;

    world_friends(&w, 3, 3);
    id = world_group(&w, 0, 3);
    t = world_thread(&w, 0, &id);
    CHECK_EQ(t->rec.state, FED_THREAD_ACTIVE);
    epoch = mls_group_epoch(t->mls);
    env = fed_mls_env(w.nodes[1].core);
    who = identity_of(1);
    CHECK_OK(mls_group_info(t->mls, true, &info));
    CHECK_OK(fed_log_aad(w.nodes[0].core, t, (struct view){0}, &aad));
    opts.group_info = view_of(&info);
    opts.aad = view_of(&aad);
    CHECK_OK(mls_join_external(&env, &who, &opts, &made));
    memcpy(in.thread, id.b, 32);
    in.message = view_of(&made.commit);
    CHECK_OK(fed_hub_hs(w.nodes[0].core, world_party(&w, 0, 1), &in));
    CHECK_EQ(mls_group_epoch(t->mls), epoch);
    /* Nor is it let in when it comes as what we rejoin. */
    CHECK_ERR(fed_policy_members(w.nodes[0].core, made.group, &t->group),
              ERR_DENIED);
    CHECK_OK(fed_policy_members(w.nodes[0].core, t->mls, &t->group));
    mls_external_made_clear(&made);
    bytes_free(&info);
    bytes_free(&aad);
    world_end(&w);
}

/* [thread-direct-two] */
TEST(third_in_a_direct_conversation)
{
    struct thread_id id;
    struct fed_thread *t;
    struct fed_rec_intent add = {.kind = FED_INTENT_ADD};
    struct fed_built built = {0};
    struct bytes kp = {0};
    struct clinic_id us;

    world_friends(&w, 4, 3);
    world_heal(&w);
    id = world_direct(&w, 0, 1);
    t = world_thread(&w, 0, &id);
    us = node_root(&w, 0);
    CHECK_OK(fed_kp_make(w.nodes[2].core, &us, false, &kp));
    memcpy(add.id, w.nodes[2].root.pub, 32);
    add.data = view_of(&kp);
    CHECK_ERR(fed_commit_build(w.nodes[0].core, t, &add, &built), ERR_DENIED);
    fed_built_clear(&built);
    bytes_free(&kp);
    world_end(&w);
}

/* What the hub calls a log number is not how long we work. */
TEST(numbers_without_end)
{
    struct thread_id id;
    struct fed_thread *t;
    struct fed_thread *now;
    struct proto_thread_end in = {.reason = 1};

    world_friends(&w, 5, 2);
    world_heal(&w);
    id = world_direct(&w, 0, 1);
    t = world_thread(&w, 0, &id);
    now = t;
    t->rec.seq = UINT64_MAX - 2; /* as a Welcome may say */
    t->rec.kept = 0;
    CHECK_OK(fed_thread_new(w.nodes[0].core, &(struct thread_id){{9}},
                            &world_party(&w, 0, 1)->root, FED_THREAD_ACTIVE,
                            &now));
    memcpy(world_party(&w, 0, 1)->rec.direct, now->id.b, 32);
    memcpy(in.thread, id.b, 32);
    CHECK_OK(fed_follow_end(w.nodes[0].core, world_party(&w, 0, 1), &in));
    CHECK_EQ(t->rec.state, FED_THREAD_ENDED);
    now->rec.state = FED_THREAD_ENDED;
    world_end(&w);
}

/* A Welcome goes to whom the commit added, once, not to whom it names. */
TEST(welcomes_for_everybody)
{
    struct thread_id id;
    struct fed_thread *t;
    struct fed_thread *mine;
    struct fed_rec_intent rekey = {.kind = FED_INTENT_REKEY};
    struct fed_built built = {0};
    struct proto_node_addr twice[2] = {0};
    struct proto_hs_submit in = {.term = 1, .welcome = VIEW_LIT("big")};
    uint64_t queued;

    id = world_settled(&w, 6, 3);
    t = world_thread(&w, 0, &id);
    mine = world_thread(&w, 1, &id);
    CHECK_OK(fed_commit_build(w.nodes[1].core, mine, &rekey, &built));
    memcpy(twice[0].root, w.nodes[2].root.pub, 32);
    memcpy(twice[1].root, w.nodes[2].root.pub, 32);
    memcpy(in.thread, id.b, 32);
    in.message = view_of(&built.made.commit);
    in.added = (struct proto_list){.items = twice, .len = 2};
    queued = world_party(&w, 0, 2)->rec.out_next;
    CHECK_OK(fed_hub_hs(w.nodes[0].core, world_party(&w, 0, 1), &in));
    CHECK_EQ(mls_group_epoch(t->mls),
             built.made.stage != NULL ? mls_group_epoch(mine->mls) + 1 : 0);
    CHECK_EQ(world_party(&w, 0, 2)->rec.out_next,
             queued + 1); /* the commit alone */
    mls_undo(mine->mls, &built.made.change);
    fed_built_clear(&built);
    world_end(&w);
}

/* Who asks for much and acknowledges nothing is not given more and more. */
TEST(answers_that_nobody_takes)
{
    struct thread_id id;
    struct fed_thread *t;
    struct fed_party *p;
    struct proto_log_pull in = {.term = 1, .from = 1, .max = 256};
    struct rows *rows = &w.nodes[0].rows;
    uint64_t bytes = 0;

    world_friends(&w, 7, 2);
    id = world_direct(&w, 0, 1);
    for (int i = 0; i < 40; i++) {
        CHECK_OK(world_say(&w, 0, &id));
        sim_take(&w, 0);
        sim_commit_due(&w, 0, true);
    }
    t = world_thread(&w, 0, &id);
    CHECK(t->rec.seq >= 40);
    p = connect_again(0, 1, 902);
    memcpy(in.thread, id.b, 32);
    p->rec.answer_bytes = LIMIT_STREAM_KEPT - 100;
    w.nodes[0].core->answering = p;
    for (int i = 0; i < 50; i++) {
        CHECK_OK(fed_hub_pull(w.nodes[0].core, p, &in));
    }
    w.nodes[0].core->answering = NULL;
    sim_take(&w, 0);
    sim_commit_due(&w, 0, true);
    for (size_t i = 0; i < rows->len; i++) {
        bytes += rows->at[i].ns == FED_NS_OUT ? rows->at[i].value.len : 0;
    }
    CHECK(bytes < 50 * 200 + LIMIT_KIB(64)); /* one full answer, 49 empty */
    world_end(&w);
}

static size_t
key_packages(size_t i)
{
    size_t n = 0;

    sim_take(&w, i);
    sim_commit_due(&w, i, true);
    for (size_t r = 0; r < w.nodes[i].rows.len; r++) {
        n += w.nodes[i].rows.at[r].ns == FED_NS_KP ? 1 : 0;
    }
    return n;
}

TEST(key_packages_without_end)
{
    struct fed_party *p;
    struct proto_kp_claim in = {.suite = MLS_SUITE_X25519_CHACHA20};

    world_friends(&w, 8, 2);
    p = world_party(&w, 0, 1);
    memcpy(in.hub, node_root(&w, 0).b, 32);
    for (unsigned i = 0; i < 2 * LIMIT_KP_HELD; i++) {
        w.wall_ms++;
        CHECK_OK(fed_claim_asked(w.nodes[0].core, p, &in));
    }
    CHECK(key_packages(0) <= LIMIT_KP_HELD);
    world_end(&w);
}

/* A friend cannot bring in whom people have still to decide about. */
TEST(hub_under_review)
{
    struct fed_party *hub;
    struct fed_invitation inv;
    struct proto_kp_claim in = {.suite = MLS_SUITE_X25519_CHACHA20};
    size_t before;

    world_init(&w, 9, 3);
    world_befriend(&w, 0, 1);
    inv = world_link(&w, 0, false, true, 7);
    CHECK_OK(fed_core_connect(w.nodes[2].core, &inv));
    sim_take(&w, 2);
    world_run(&w, 3000);
    hub = world_party(&w, 0, 2);
    CHECK_EQ(hub->rec.ours, PROTO_STANCE_REVIEW);
    memcpy(in.hub, hub->root.b, 32);
    before = key_packages(0);
    CHECK_OK(fed_claim_asked(w.nodes[0].core, world_party(&w, 0, 1), &in));
    CHECK_EQ(hub->rec.ours, PROTO_STANCE_REVIEW);
    CHECK_EQ(key_packages(0), before);
    for (unsigned i = 0; i < 2 * LIMIT_HUBS_PER_PARTY; i++) {
        in.hub[0] = (uint8_t)i;
        in.hub[1] = (uint8_t)(i >> 8);
        CHECK_OK(fed_claim_asked(w.nodes[0].core, world_party(&w, 0, 1), &in));
    }
    CHECK(w.nodes[0].core->parties_len <= LIMIT_HUBS_PER_PARTY + 2);
    world_end(&w);
}

/* A one-time link does not undo a disconnection. */
TEST(one_time_twice)
{
    struct fed_invitation inv;
    struct clinic_id other;

    world_init(&w, 10, 2);
    other = node_root(&w, 1);
    inv = world_link(&w, 0, true, false, 8);
    CHECK_OK(fed_core_connect(w.nodes[1].core, &inv));
    sim_take(&w, 1);
    world_run(&w, 3000);
    CHECK_EQ(world_party(&w, 0, 1)->rec.ours, PROTO_STANCE_GRANTED);
    CHECK_OK(fed_core_disconnect(w.nodes[0].core, &other));
    sim_take(&w, 0);
    world_run(&w, 3000);
    CHECK_EQ(world_party(&w, 1, 0)->rec.ours, PROTO_STANCE_ENDED);
    CHECK_OK(fed_core_connect(w.nodes[1].core, &inv));
    sim_take(&w, 1);
    world_run(&w, 5000);
    CHECK_EQ(world_party(&w, 0, 1)->rec.ours, PROTO_STANCE_ENDED);
    CHECK(w.nodes[0].links_used[PROTO_REDEEM_USED] > 0);
    world_end(&w);
}

TEST(alarm_of_an_outsider)
{
    struct thread_id id;
    struct proto_fork_alert in = {.term = 1};

    world_friends(&w, 11, 3);
    id = world_direct(&w, 0, 1);
    memcpy(in.thread, id.b, 32);
    CHECK_ERR(fed_fork_alert(w.nodes[0].core, world_party(&w, 0, 2), &in),
              ERR_DENIED);
    CHECK_OK(fed_fork_alert(w.nodes[0].core, world_party(&w, 0, 1), &in));
    world_end(&w);
}

/* Only a commit begins a term. */
TEST(term_by_a_message)
{
    struct thread_id id;
    struct fed_thread *t;
    struct proto_fan in = {.term = UINT64_MAX,
                           .kind = PROTO_ENTRY_APP,
                           .message = VIEW_LIT("anything")};

    id = world_settled(&w, 12, 3);
    t = world_thread(&w, 1, &id);
    memcpy(in.thread, id.b, 32);
    memcpy(in.prev, t->rec.head, 32);
    in.seq = t->rec.seq + 1;
    CHECK_OK(fed_follow_fan(w.nodes[1].core, world_party(&w, 1, 0), &in));
    CHECK(t->rec.term != UINT64_MAX);
    CHECK_EQ(t->rec.state, FED_THREAD_RESYNC);
    world_end(&w);
}

/* What is brought back does not take the place of what is there. */
TEST(words_in_a_taken_place)
{
    struct thread_id id;
    struct fed_thread *t;
    struct proto_content said = {.kind = PROTO_CONTENT_TEXT};
    struct proto_resent in = {.term = 1};
    struct clinic_id author;
    struct clinic_id by;
    struct message_id fake;
    struct bytes content = {0};
    uint64_t places[4] = {0};

    world_friends(&w, 13, 3);
    id = world_group(&w, 0, 3);
    CHECK_OK(world_say(&w, 0, &id));
    world_heal(&w);
    t = world_thread(&w, 0, &id);
    author = node_root(&w, 2);
    by = node_root(&w, 1);
    said.u.text.text = VIEW_LIT("never said");
    CHECK_OK(proto_content_encode(mem_heap(), &said, &content));
    fed_message_id(&author, view_of(&content), &fake);
    memcpy(in.id, fake.b, 32);
    memcpy(in.author, author.b, 32);
    in.content = view_of(&content);
    places[0] = 1;              /* the commit that added the first */
    places[1] = t->rec.seq + 5; /* of the future */
    for (uint64_t seq = 1; seq <= t->rec.seq; seq++) {
        struct fed_past had = {0};

        if (sim_store(&w.nodes[0])
                .past(&w.nodes[0], &id, 1, fed_place(seq, 0),
                      fed_place_end(seq), mem_heap(), &had) == OK) {
            places[2] = seq;
        }
        bytes_free(&had.content);
    }
    CHECK(places[2] != 0);
    for (size_t i = 0; i < 4; i++) {
        in.seq = places[i];
        CHECK_OK(
            fed_past_resent(w.nodes[0].core, t, &by, fed_place(1, 0), &in));
    }
    sim_take(&w, 0);
    sim_commit_due(&w, 0, true);
    CHECK_EQ(w.nodes[0].resent, 0);
    bytes_free(&content);
    world_end(&w);
}

/* A Welcome of node 0 to node 1 with a key package that node 1 gave for a
   thread (zeros: with a link), into a thread of node 0's and node 2's. */
static enum err
welcome_with(const struct thread_id *given, struct thread_id *into, bool same)
{
    struct fed_thread *t;
    struct fed_rec_intent add = {.kind = FED_INTENT_ADD};
    struct fed_built built = {0};
    struct bytes kp = {0};
    struct clinic_id us = node_root(&w, 0);
    struct clinic_id with = node_root(&w, 2);
    struct proto_welcome in = {.term = 1};
    enum err e;

    CHECK_OK(fed_core_thread_open(w.nodes[0].core, &with, 1,
                                  VIEW_LIT("of my own"), into));
    sim_take(&w, 0);
    world_run(&w, 3000);
    t = world_thread(&w, 0, into);
    CHECK_OK(fed_kp_claimed(w.nodes[1].core, &us, same ? into->b : given->b,
                            false, &kp));
    memcpy(add.id, w.nodes[1].root.pub, 32);
    add.data = view_of(&kp);
    CHECK_OK(fed_commit_build(w.nodes[0].core, t, &add, &built));
    memcpy(in.thread, into->b, 32);
    in.seq = t->rec.seq + 1;
    in.ts_ms = w.wall_ms;
    in.welcome = view_of(&built.made.welcome);
    e = fed_follow_welcome(w.nodes[1].core, world_party(&w, 1, 0), &in);
    mls_undo(t->mls, &built.made.change);
    fed_built_clear(&built);
    bytes_free(&kp);
    return e;
}

/* [welcome-claimed] */
TEST(a_key_package_for_something_else)
{
    struct thread_id given = {{7}};
    struct thread_id none = {{0}};
    struct thread_id t;

    world_friends(&w, 14, 3);
    world_heal(&w);
    CHECK_ERR(welcome_with(&given, &t, false), ERR_DENIED);
    CHECK_EQ(node_state(&w, 1, &t), 0);
    CHECK_ERR(welcome_with(&none, &t, false), ERR_DENIED);
    CHECK_EQ(node_state(&w, 1, &t), 0);
    CHECK_OK(welcome_with(&given, &t, true));
    world_end(&w);
}

/* [welcome-newer] We were removed; what brought us in then does not again. */
TEST(a_welcome_of_before)
{
    struct thread_id id;
    struct fed_thread *t;
    struct proto_welcome in = {.term = 1, .seq = 1, .welcome = VIEW_LIT("old")};

    id = world_settled(&w, 15, 3);
    CHECK_OK(fed_core_leave(w.nodes[1].core, &id));
    sim_take(&w, 1);
    world_heal(&w);
    CHECK_EQ(node_state(&w, 1, &id), FED_THREAD_REMOVED);
    t = world_thread(&w, 1, &id);
    memcpy(in.thread, id.b, 32);
    in.seq = t->rec.seq;
    CHECK_ERR(fed_follow_welcome(w.nodes[1].core, world_party(&w, 1, 0), &in),
              ERR_STALE);
    world_end(&w);
}

/* [lost-known] Who is no contact does not bring us into a thread by speaking
   of one that we never had. */
TEST(a_thread_that_nobody_lost)
{
    struct proto_fan in = {.term = 1, .seq = 9, .kind = PROTO_ENTRY_APP};
    struct fed_party *p;

    world_friends(&w, 16, 2);
    world_heal(&w);
    p = world_party(&w, 0, 1);
    in.thread[0] = 9;
    p->rec.ours = PROTO_STANCE_THREAD;
    CHECK_ERR(fed_follow_fan(w.nodes[0].core, p, &in), ERR_DENIED);
    p->rec.ours = PROTO_STANCE_GRANTED;
    world_end(&w);
}

/* What was delivered is not applied again, under its number or another one. */
TEST(entries_again)
{
    struct thread_id id;
    struct fed_thread *t;
    struct fed_thread *hub;
    struct bytes row = {0};
    struct proto_peer_msg msg;
    size_t before;
    uint64_t seq;

    id = world_settled(&w, 17, 3);
    world_cut(&w, 0, 1, true);
    CHECK_OK(world_say(&w, 0, &id));
    sim_take(&w, 0);
    hub = world_thread(&w, 0, &id);
    seq = hub->rec.seq;
    CHECK_OK(
        fed_stream_entry(w.nodes[0].core, &id, seq, (struct view){0}, &row));
    world_cut(&w, 0, 1, false);
    world_heal(&w);
    CHECK_OK(proto_peer_decode(view_of(&row), &msg));
    CHECK_EQ(msg.type, PROTO_PEER_FAN);
    t = world_thread(&w, 1, &id);
    before = node_messages(&w, 1, &id);
    CHECK_OK(
        fed_follow_fan(w.nodes[1].core, world_party(&w, 1, 0), &msg.u.fan));
    CHECK_EQ(t->rec.state, FED_THREAD_ACTIVE);
    (void)connect_again(1, 0, 903); /* nor on another connection */
    CHECK_OK(
        fed_follow_fan(w.nodes[1].core, world_party(&w, 1, 0), &msg.u.fan));
    sim_take(&w, 1);
    sim_commit_due(&w, 1, true);
    CHECK_EQ(node_messages(&w, 1, &id), before);
    CHECK_EQ(w.nodes[1].gaps, 0);
    /* In the next place: its key is used, so a gap is shown and asked for. */
    msg.u.fan.seq = t->rec.seq + 1;
    memcpy(msg.u.fan.prev, t->rec.head, 32);
    CHECK_OK(
        fed_follow_fan(w.nodes[1].core, world_party(&w, 1, 0), &msg.u.fan));
    sim_take(&w, 1);
    sim_commit_due(&w, 1, true);
    CHECK_EQ(node_messages(&w, 1, &id), before);
    CHECK_EQ(w.nodes[1].gaps, 1);
    bytes_free(&row);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(lie_about_rollback), T(rollback_behind_a_queue),
               T(second_leaf), T(third_in_a_direct_conversation),
               T(numbers_without_end), T(welcomes_for_everybody),
               T(answers_that_nobody_takes), T(key_packages_without_end),
               T(hub_under_review), T(one_time_twice), T(alarm_of_an_outsider),
               T(term_by_a_message), T(words_in_a_taken_place),
               T(a_key_package_for_something_else), T(a_welcome_of_before),
               T(a_thread_that_nobody_lost), T(entries_again));
}
