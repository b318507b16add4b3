/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one clinic can make another keep or do has a bound: answers that it
 * does not take, entries queued for it, words that wait for it, clinics that
 * come by a link.  And what is looked at per event does not grow with
 * everything there is.
 */
#include "federation/core/bound.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

/* Two friends; node 0 runs under these bounds. */
static struct thread_id
bounded(uint64_t seed, const struct fed_limits *limits)
{
    struct thread_id t;

    world_init(&w, seed, 2);
    world_befriend(&w, 0, 1);
    t = world_direct(&w, 0, 1);
    world_heal(&w);
    w.limits = *limits;
    node_crash(&w, 0);
    node_start(&w, 0);
    world_heal(&w);
    return t;
}

static size_t
rows_out(size_t i)
{
    size_t n = 0;

    sim_take(&w, i);
    sim_commit_due(&w, i, true);
    for (size_t r = 0; r < w.nodes[i].rows.len; r++) {
        n += w.nodes[i].rows.at[r].ns == FED_NS_OUT ? 1 : 0;
    }
    return n;
}

/* Ask as node 1, which takes no answer: says things on a raw connection. */
static void
ask(struct fed_party *p, uint64_t serial, unsigned times)
{
    struct fed_core *core = w.nodes[0].core;
    struct clinic_id from = node_root(&w, 1);
    struct proto_peer_msg pull = {.type = PROTO_PEER_LOG_PULL};
    struct bytes body = {0};

    pull.u.log_pull.from = 1;
    CHECK_OK(proto_peer_encode(mem_heap(), &pull, &body));
    for (unsigned i = 0; i < times; i++) {
        struct proto_peer_msg data = {.type = PROTO_PEER_DATA};
        struct bytes frame = {0};

        data.u.data.seq = p->rec.in_applied + 1;
        data.u.data.body = view_of(&body);
        CHECK_OK(proto_peer_encode(mem_heap(), &data, &frame));
        CHECK_OK(fed_core_frame(core, &from, serial, view_of(&frame)));
        bytes_free(&frame);
    }
    bytes_free(&body);
}

static struct fed_party *
come(uint64_t serial)
{
    struct fed_up up = {.serial = serial};
    struct proto_hello h = {.version_min = 1, .version_max = 1, .suites = 3};
    struct fed_party *p;

    up.root = node_root(&w, 1);
    up.generation = w.nodes[1].generation;
    CHECK_OK(fed_core_peer_up(w.nodes[0].core, &up));
    p = world_party(&w, 0, 1);
    memcpy(h.in_stream, p->rec.out_stream, sizeof(h.in_stream));
    h.in_applied = p->rec.out_acked;
    memcpy(h.out_stream, p->rec.in_stream, sizeof(h.out_stream));
    h.out_acked = p->rec.in_applied;
    h.incarnation = 1;
    h.incarnation_seen = 1;
    h.stance = PROTO_STANCE_GRANTED;
    CHECK_OK(fed_hello_recv(w.nodes[0].core, p, &h));
    return p;
}

TEST(answers_that_are_never_taken)
{
    static const struct fed_limits limits = {.answers = 50};
    struct fed_party *p;
    uint64_t applied;

    (void)bounded(1, &limits);
    world_cut(&w, 0, 1, true);
    world_run(&w, 500);
    p = come(900);
    ask(p, 900, 200);
    CHECK(rows_out(0) <= 50);
    CHECK(!p->up); /* it was told why, and closed */
    CHECK_EQ(w.nodes[0].bad, 1);
    applied = p->rec.in_applied;
    /* Neither a new connection nor our restart begins the count anew. */
    p = come(901);
    ask(p, 901, 20);
    CHECK_EQ(p->rec.in_applied, applied);
    node_crash(&w, 0);
    node_start(&w, 0);
    p = come(902);
    ask(p, 902, 20);
    CHECK_EQ(p->rec.in_applied, applied);
    CHECK(rows_out(0) <= 50);
    CHECK_EQ(w.nodes[0].bad, 1); /* people hear of it once */
    /* What it takes makes room. */
    p = come(903);
    CHECK_OK(fed_stream_acked(w.nodes[0].core, p, p->rec.out_next - 1));
    CHECK_EQ(p->rec.answers, 0);
    ask(p, 903, 5);
    CHECK_EQ(p->rec.in_applied, applied + 5);
    world_end(&w);
}

TEST(entries_for_a_member_that_is_away)
{
    static const struct fed_limits limits = {.fan_rows = 20};
    static const size_t both[] = {0, 1};
    struct thread_id t = bounded(2, &limits);

    node_crash(&w, 1);
    for (int i = 0; i < 120; i++) {
        CHECK_OK(world_say(&w, 0, &t));
    }
    CHECK(rows_out(0) <= 20);
    node_crash(&w, 0); /* and the window outlives that */
    node_start(&w, 0);
    world_heal(&w);
    world_judge(&w, &t, both, 2);
    CHECK_EQ(node_messages(&w, 1, &t), 120);
    CHECK_EQ(w.nodes[1].gaps, 0);
    CHECK(rows_out(0) <= 20);
    world_end(&w);
}

TEST(words_that_wait_in_one_thread)
{
    static const struct fed_limits limits = {.intents = 10};
    static const size_t both[] = {0, 1};
    struct thread_id t = bounded(3, &limits);
    struct fed_thread_info info;
    size_t hub = 0;
    size_t other;
    size_t took = 0;

    CHECK_OK(fed_core_thread(w.nodes[0].core, &t, &info));
    hub = info.hub_here ? 0 : 1;
    other = 1 - hub;
    node_crash(&w, other);
    node_start(&w, other);
    world_heal(&w);
    node_crash(&w, hub);
    world_run(&w, 500);
    for (int i = 0; i < 30; i++) {
        enum err e = world_say(&w, other, &t);

        CHECK(e == OK || e == ERR_AGAIN);
        took += e == OK ? 1 : 0;
    }
    CHECK_EQ(took, 10);
    sim_take(&w, other);
    sim_commit_due(&w, other, true);
    node_crash(&w, other); /* counted again after a start */
    node_start(&w, other);
    CHECK_ERR(world_say(&w, other, &t), ERR_AGAIN);
    world_heal(&w);
    CHECK_OK(world_say(&w, other, &t));
    world_heal(&w);
    world_judge(&w, &t, both, 2);
    CHECK_EQ(node_messages(&w, hub, &t), 11);
    world_end(&w);
}

TEST(clinics_by_one_link)
{
    struct fed_invitation inv;
    size_t in = 0;

    world_init(&w, 4, 5);
    w.limits = (struct fed_limits){.link_hour = 2};
    node_crash(&w, 0);
    node_start(&w, 0);
    inv = world_link(&w, 0, false, false, 7);
    for (size_t i = 1; i < 5; i++) {
        node_stepped(&w, i, fed_core_connect(w.nodes[i].core, &inv));
        world_run(&w, 2000);
        if (i == 3) {
            node_crash(&w, 0); /* the count is stored */
            node_start(&w, 0);
            world_run(&w, 2000);
        }
    }
    for (size_t i = 1; i < 5; i++) {
        in += world_party(&w, i, 0)->rec.ours == PROTO_STANCE_GRANTED ? 1 : 0;
        CHECK(world_party(&w, i, 0)->rec.ours == PROTO_STANCE_GRANTED ||
              world_party(&w, i, 0)->rec.ours == PROTO_STANCE_ASKED);
    }
    CHECK_EQ(in, 2);
    CHECK_EQ(w.nodes[0].links_used[PROTO_REDEEM_LATER], 1); /* told once */
    /* An hour later they come in by themselves. */
    world_skip(&w, LIMIT_HOUR_MS + 1);
    world_run(&w, 5000);
    for (size_t i = 1; i < 5; i++) {
        CHECK_EQ(world_party(&w, i, 0)->rec.ours, PROTO_STANCE_GRANTED);
    }
    world_end(&w);
}

TEST(clinics_by_all_links)
{
    size_t in = 0;

    world_init(&w, 5, 5);
    w.limits = (struct fed_limits){.links_hour = 3};
    node_crash(&w, 0);
    node_start(&w, 0);
    for (size_t i = 1; i < 5; i++) {
        struct fed_invitation inv =
            world_link(&w, 0, i == 4, false, (uint8_t)i);

        node_stepped(&w, i, fed_core_connect(w.nodes[i].core, &inv));
        world_run(&w, 2000);
    }
    for (size_t i = 1; i < 5; i++) {
        in += world_party(&w, i, 0)->rec.ours == PROTO_STANCE_GRANTED ? 1 : 0;
    }
    CHECK_EQ(in, 4); /* a one-time link is somebody's own wish */
    {
        struct fed_invitation inv = world_link(&w, 0, false, false, 9);
        bool may = true;
        struct fed_rec_link link = {.uses = 0};

        CHECK_OK(fed_bound_link(w.nodes[0].core, world_party(&w, 0, 1),
                                inv.link.b, &link, &may));
        CHECK(!may);
    }
    world_end(&w);
}

/* A greeting looks at the threads of the clinic that greets. */
TEST(greetings_look_at_their_own_threads)
{
    struct fed_core *core;
    struct clinic_id root;
    uint64_t uses;
    size_t concern = 0;

    world_init(&w, 6, 4);
    for (size_t i = 1; i < 4; i++) {
        world_befriend(&w, 0, i);
    }
    world_heal(&w);
    core = w.nodes[0].core;
    for (unsigned i = 0; i < 200; i++) {
        struct thread_id id = {{(uint8_t)i, 7}};
        struct fed_rec_intent say = {.kind = FED_INTENT_SAY};
        struct clinic_id hub = {{(uint8_t)i}};
        struct fed_thread *t;

        CHECK_OK(fed_thread_new(core, &id, &hub, FED_THREAD_ENDED, &t));
        CHECK_OK(fed_intent_add(core, t, &say));
    }
    root = node_root(&w, 1);
    for (size_t i = 0; i < core->busy_len; i++) {
        concern += (core->busy[i].whom & UINT64_C(1) << (root.b[0] & 63u)) != 0;
    }
    CHECK(concern <= 200 / 32);
    uses = core->uses;
    CHECK_OK(fed_busy_kick(core, world_party(&w, 0, 1)));
    CHECK(core->uses - uses <= concern);
    world_end(&w);
}

static enum err
count_get(void *ctx, enum fed_ns ns, struct view key, const struct mem *mem,
          struct bytes *out)
{
    struct fed_store inner = sim_store(&w.nodes[0]);

    (*(size_t *)ctx)++;
    return inner.get(inner.ctx, ns, key, mem, out);
}

/* A Welcome names its key package: the others are not tried. */
TEST(a_welcome_finds_its_key_package)
{
    struct fed_claimed claimed;
    struct fed_core *core;
    struct clinic_id peers[40];
    struct bytes kp = {0};
    struct fed_thread *t;
    struct thread_id id = {{5}};
    struct fed_rec_intent add = {.kind = FED_INTENT_ADD};
    struct fed_built built = {0};
    struct mls_group *mls = NULL;
    size_t gets = 0;

    world_init(&w, 7, 2);
    world_befriend(&w, 0, 1);
    world_heal(&w);
    core = w.nodes[0].core;
    for (size_t i = 0; i < 40; i++) {
        struct bytes other = {0};

        peers[i] = (struct clinic_id){{(uint8_t)i, 1}};
        CHECK_OK(fed_kp_make(core, &peers[i], false, i == 20 ? &kp : &other));
        bytes_free(&other);
    }
    sim_take(&w, 0);
    sim_commit_due(&w, 0, true);
    CHECK_OK(fed_hub_create(w.nodes[1].core, &id, 0, &t));
    memcpy(add.id, w.nodes[0].root.pub, 32);
    add.data = view_of(&kp);
    CHECK_OK(fed_commit_build(w.nodes[1].core, t, &add, &built));
    core->config.store.get = count_get;
    core->config.store.ctx = &gets;
    core->judge_ms = w.wall_ms;
    CHECK_OK(fed_kp_join(core, view_of(&built.made.welcome), &claimed, &mls));
    core->config.store = sim_store(&w.nodes[0]);
    CHECK_EQ(gets, 1);
    CHECK(mls != NULL);
    mls_group_free(mls);
    mls_undo(t->mls, &built.made.change);
    fed_built_clear(&built);
    bytes_free(&kp);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(answers_that_are_never_taken),
               T(entries_for_a_member_that_is_away),
               T(words_that_wait_in_one_thread), T(clinics_by_one_link),
               T(clinics_by_all_links), T(greetings_look_at_their_own_threads),
               T(a_welcome_finds_its_key_package));
}
