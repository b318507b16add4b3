/* SPDX-License-Identifier: Apache-2.0 */
/* A dialler, a relay and a target, which the dialler cannot reach itself. */
#include "tests/federation/world.h"

static struct node d, r, t;
static uint64_t day_bytes;
static enum err allowed;
static bool accepted;

static enum err
allow(void *ctx, const struct clinic_id *from, const struct clinic_id *target,
      uint64_t *day_bytes_out)
{
    (void)ctx;
    (void)from;
    *day_bytes_out = day_bytes;
    return clinic_id_equal(target, &t.root) ? allowed : ERR_DENIED;
}

static bool
accept_from(void *ctx, const struct clinic_id *relay)
{
    (void)ctx;
    return accepted && clinic_id_equal(relay, &r.root);
}

/* Splicing must be there before the first frame. */
static void
start(struct node *n, uint8_t id, const struct fed_net_tuning *tuning)
{
    struct fed_splice_config c = {.mem = mem_heap(),
                                  .clock = &world_clock,
                                  .user = {allow, accept_from, NULL}};

    node_start(n, id, tuning);
    c.root = n->root;
    c.net = n->net;
    CHECK_OK(fed_splice_new(&c, &n->splice));
}

static void
start_three(const struct fed_net_tuning *tuning)
{
    day_bytes = 1u << 30;
    allowed = OK;
    accepted = true;
    start(&d, 1, tuning);
    start(&r, 2, tuning);
    start(&t, 3, tuning);
    node_dial(&t, &r, true);
    CHECK(node_wait(&t, &t.ups, 1) && node_wait(&r, &r.ups, 1));
    node_dial(&d, &r, true);
    CHECK(node_wait(&d, &d.ups, 1) && node_wait(&r, &r.ups, 2));
}

/* The ends first: the relay would still count them. */
static void
stop_three(void)
{
    struct fed_splice_stats s;

    node_stop(&d);
    for (int i = 0; i < 20000; i++) {
        struct timespec ms = {0, 1000000};

        fed_splice_stats(r.splice, &s);
        if (s.relayed == 0) {
            break;
        }
        nanosleep(&ms, NULL);
    }
    CHECK_EQ(s.relayed, 0);
    node_stop(&t);
    node_stop(&r);
    CHECK_EQ(d.ups, d.downs);
    CHECK_EQ(t.ups, t.downs);
}

TEST(through_a_relay)
{
    struct fed_peer_info there, here;
    struct fed_splice_stats s;

    start_three(NULL);
    CHECK_OK(fed_splice_dial(d.splice, &t.root, &r.root));
    CHECK(node_wait(&d, &d.ups, 2) && node_wait(&t, &t.ups, 2));
    CHECK(fed_net_find(d.net, &t.root, &there));
    CHECK(fed_net_find(t.net, &d.root, &here));
    CHECK(there.dialled && !here.dialled);
    CHECK_EQ(here.remote.family, 0);
    CHECK_VIEW(VIEW_ARRAY(here.exporter), VIEW_ARRAY(there.exporter));
    for (uint32_t i = 0; i < 300; i++) {
        CHECK_OK(node_send(&d, &t.root, i, 4000));
        CHECK_OK(node_send(&t, &d.root, i, 10 + i * 7));
    }
    CHECK(node_wait_u64(&t, &t.frames, 300));
    CHECK(node_wait_u64(&d, &d.frames, 300));
    CHECK_EQ(t.bad_order + d.bad_order, 0);
    CHECK_OK(node_send(&d, &t.root, 300, 2000000));
    CHECK(node_wait_u64(&t, &t.frames, 301));
    CHECK_EQ(r.frames, 0);
    fed_splice_stats(r.splice, &s);
    CHECK_EQ(s.relayed, 1);
    CHECK(s.bytes > 3000000);
    stop_three();
}

TEST(a_relay_asks_first)
{
    start_three(NULL);
    allowed = ERR_DENIED;
    CHECK_OK(fed_splice_dial(d.splice, &t.root, &r.root));
    CHECK(node_wait(&d, &d.fails, 1));
    allowed = OK;
    accepted = false;
    CHECK_OK(fed_splice_dial(d.splice, &t.root, &r.root));
    CHECK(node_wait(&d, &d.fails, 2));
    CHECK_EQ(node_why(&d, &d.fail_why), FED_WHY_NOT_ACCEPTED);
    CHECK_ERR(fed_splice_dial(d.splice, &r.root, &t.root), ERR_MISSING);
    CHECK_ERR(fed_splice_dial(d.splice, &d.root, &r.root), ERR_INVALID);
    CHECK_EQ(node_count(&t, &t.ups), 1);
    stop_three();
}

/* Denied while it passes: it ends, and nothing else does. */
TEST(a_relay_changes_its_mind)
{
    struct fed_splice_stats s;

    start_three(NULL);
    CHECK_OK(fed_splice_dial(d.splice, &t.root, &r.root));
    CHECK(node_wait(&d, &d.ups, 2) && node_wait(&t, &t.ups, 2));
    fed_splice_judge(r.splice, &t.root); /* as before */
    allowed = ERR_DENIED;
    fed_splice_judge(r.splice, &d.root); /* about another */
    fed_splice_stats(r.splice, &s);
    CHECK_EQ(s.relayed, 1);
    fed_splice_judge(r.splice, &t.root);
    fed_splice_stats(r.splice, &s);
    CHECK_EQ(s.relayed, 0);
    CHECK(node_wait(&d, &d.downs, 1) && node_wait(&t, &t.downs, 1));
    CHECK_EQ(r.downs, 0);
    stop_three();
}

TEST(so_much_a_day)
{
    start_three(NULL);
    day_bytes = 100000;
    CHECK_OK(fed_splice_dial(d.splice, &t.root, &r.root));
    CHECK(node_wait(&d, &d.ups, 2) && node_wait(&t, &t.ups, 2));
    CHECK_OK(node_send(&d, &t.root, 0, 200000));
    CHECK(node_wait(&d, &d.downs, 1) && node_wait(&t, &t.downs, 1));
    CHECK_EQ(t.frames, 0);
    CHECK_OK(fed_splice_dial(d.splice, &t.root, &r.root));
    CHECK(node_wait(&d, &d.fails, 1));
    stop_three();
}

/* A target that does not read holds up the dialler, not the relay. */
TEST(back_pressure_goes_through)
{
    struct fed_net_tuning few = {.high_water = 200000};
    uint32_t sent = 0;

    start_three(&few);
    CHECK_OK(fed_splice_dial(d.splice, &t.root, &r.root));
    CHECK(node_wait(&d, &d.ups, 2) && node_wait(&t, &t.ups, 2));
    pthread_mutex_lock(&t.mx);
    t.flow = FED_PAUSE;
    pthread_mutex_unlock(&t.mx);
    while (node_send(&d, &t.root, sent, 5000) == OK) {
        sent++;
        CHECK(fed_net_queued(r.net, &(struct fed_peer){t.root, 0}) < 70000);
    }
    CHECK(node_wait_u64(&t, &t.frames, 1));
    pthread_mutex_lock(&t.mx);
    CHECK_EQ(t.frames, 1);
    t.flow = FED_GO;
    pthread_mutex_unlock(&t.mx);
    fed_net_resume(t.net, &(struct fed_peer){d.root, 0});
    CHECK(node_wait_u64(&t, &t.frames, sent));
    CHECK_EQ(t.bad_order, 0);
    stop_three();
}

TEST(the_relay_goes_away)
{
    start_three(NULL);
    CHECK_OK(fed_splice_dial(d.splice, &t.root, &r.root));
    CHECK(node_wait(&d, &d.ups, 2) && node_wait(&t, &t.ups, 2));
    node_stop(&r);
    CHECK(node_wait(&d, &d.downs, 2) && node_wait(&t, &t.downs, 2));
    node_stop(&d);
    node_stop(&t);
}

static void
put(struct node *n, const struct clinic_id *to, struct proto_peer_msg m)
{
    struct bytes b = {0};

    CHECK_OK(proto_peer_encode(mem_heap(), &m, &b));
    CHECK_OK(fed_net_send(n->net, &(struct fed_peer){*to, 0}, &b));
}

TEST(who_breaks_the_rules_is_closed)
{
    struct proto_peer_msg open = {.type = PROTO_PEER_SPLICE_OPEN};
    struct proto_peer_msg data = {.type = PROTO_PEER_SPLICE_DATA};
    struct proto_peer_msg more = {.type = PROTO_PEER_SPLICE_MORE};
    uint8_t chunk[LIMIT_SPLICE_CHUNK] = {0};

    start_three(NULL);
    fed_net_undial(d.net, &r.root);
    memcpy(open.u.splice_open.root, t.root.b, 32);

    open.u.splice_open.id = 4; /* d is smaller: its ids are odd */
    put(&d, &r.root, open);
    CHECK(node_wait(&d, &d.downs, 1));

    node_dial(&d, &r, false);
    CHECK(node_wait(&d, &d.ups, 2) && node_wait(&r, &r.ups, 3));
    open.u.splice_open.id = 1;
    put(&d, &r.root, open);
    put(&d, &r.root, open); /* twice */
    CHECK(node_wait(&d, &d.downs, 2));

    node_dial(&d, &r, false);
    CHECK(node_wait(&d, &d.ups, 3) && node_wait(&r, &r.ups, 4));
    put(&d, &r.root, open);
    more.u.splice_more.id = 1;
    more.u.splice_more.credit = LIMIT_SPLICE_WINDOW;
    put(&d, &r.root, more); /* nothing was taken */
    CHECK(node_wait(&d, &d.downs, 3));

    node_dial(&d, &r, false);
    CHECK(node_wait(&d, &d.ups, 4) && node_wait(&r, &r.ups, 5));
    data.u.splice_data.id = 77; /* no such splice: just gone */
    data.u.splice_data.bytes = VIEW_ARRAY(chunk);
    put(&d, &r.root, data);
    CHECK_OK(node_send(&d, &r.root, 0, 5));
    CHECK(node_wait_u64(&r, &r.frames, 1));
    stop_three();
}

int
main(void)
{
    return RUN(T(through_a_relay), T(a_relay_asks_first),
               T(a_relay_changes_its_mind), T(so_much_a_day),
               T(back_pressure_goes_through), T(the_relay_goes_away),
               T(who_breaks_the_rules_is_closed));
}
