/* SPDX-License-Identifier: Apache-2.0 */
/* Patients' devices on the node port. */
#include "tests/federation/world.h"

TEST(a_device_talks_to_a_node)
{
    struct node n;
    struct node d;
    struct fed_net_stats s;

    node_start(&n, 1, NULL);
    device_start(&d, 2, NULL);
    n.echo = true;
    node_dial(&d, &n, true);
    CHECK(node_wait(&n, &n.ups, 1));
    CHECK(node_wait(&d, &d.ups, 1));
    CHECK_EQ(n.info.kind, FED_PEER_DEVICE);
    CHECK_EQ(d.info.kind, FED_PEER_CLINIC);
    CHECK(clinic_id_equal(&n.info.peer.root, &d.root));
    CHECK(clinic_id_equal(&d.info.peer.root, &n.root));
    CHECK_VIEW(clinic_id_view(&d.root), device_id_view(&n.info.tls_key));
    CHECK(!n.info.web && !n.info.dialled && d.info.dialled);
    CHECK_VIEW(VIEW_ARRAY(n.info.exporter), VIEW_ARRAY(d.info.exporter));
    CHECK_OK(node_send(&d, &n.root, 0, 100000));
    CHECK(node_wait_u64(&d, &d.frames, 1));
    CHECK_EQ(d.last_len, 100000);
    fed_net_stats(n.net, &s);
    CHECK_EQ(s.peers, 1);
    CHECK_EQ(s.devices, 1);
    node_stop(&d);
    CHECK(node_wait(&n, &n.downs, 1));
    CHECK(node_wait_freed(&n, 0));
    fed_net_stats(n.net, &s);
    CHECK_EQ(s.devices, 0);
    node_stop(&n);
}

TEST(an_unknown_device_is_limited)
{
    struct fed_net_tuning t = {.stranger_ms = 300, .sweep_ms = 50};
    struct node n;
    struct node d;

    node_start(&n, 1, &t);
    device_start(&d, 2, NULL);
    n.known = false;
    node_dial(&d, &n, false);
    CHECK(node_wait(&n, &n.ups, 1));
    CHECK(node_wait(&d, &d.ups, 1));
    CHECK(!n.info.known);
    CHECK_OK(node_send(&d, &n.root, 0, 4096));
    CHECK(node_wait_u64(&n, &n.frames, 1));
    CHECK(node_wait(&n, &n.downs, 1)); /* it did not enrol in time */
    CHECK_EQ(node_why(&n, &n.down_why), FED_WHY_QUOTA);
    node_dial(&d, &n, false);
    CHECK(node_wait(&d, &d.ups, 2));
    CHECK_OK(node_send(&d, &n.root, 0, 4097));
    CHECK(node_wait(&n, &n.downs, 2));
    CHECK_EQ(node_why(&n, &n.down_why), FED_WHY_BAD_BYTES);
    /* enrolled: full frames, no deadline */
    node_dial(&d, &n, false);
    CHECK(node_wait(&n, &n.ups, 3));
    fed_net_known(n.net, &n.info.peer);
    CHECK(node_wait(&d, &d.ups, 3));
    CHECK_OK(node_send(&d, &n.root, 0, 500000));
    CHECK(node_wait_u64(&n, &n.frames, 2));
    node_stop(&d);
    node_stop(&n);
}

/* Strangers of one kind do not keep out those of the other. */
TEST(strangers_of_each_kind)
{
    struct fed_net_tuning t = {.strangers_max = 1};
    struct node n;
    struct node d[2];
    struct node clinic;

    node_start(&n, 1, &t);
    n.known = false;
    device_start(&d[0], 2, NULL);
    device_start(&d[1], 3, NULL);
    node_start(&clinic, 4, NULL);
    node_dial(&d[0], &n, false);
    CHECK(node_wait(&d[0], &d[0].ups, 1));
    node_dial(&d[1], &n, false);
    CHECK(node_wait(&d[1], &d[1].fails, 1));
    node_dial(&clinic, &n, false);
    CHECK(node_wait(&clinic, &clinic.ups, 1));
    node_stop(&clinic);
    node_stop(&d[1]);
    node_stop(&d[0]);
    node_stop(&n);
}

/* One connection a device; the newer one stays. */
TEST(a_device_that_comes_again)
{
    struct node n;
    struct node a;
    struct node b;

    node_start(&n, 1, NULL);
    device_start(&a, 2, NULL);
    device_start(&b, 2, NULL); /* the same key */
    node_dial(&a, &n, false);
    CHECK(node_wait(&n, &n.ups, 1));
    node_dial(&b, &n, false);
    CHECK(node_wait(&n, &n.ups, 2));
    CHECK(node_wait(&a, &a.downs, 1));
    CHECK_EQ(node_count(&n, &n.downs), 1);
    CHECK_EQ(node_why(&n, &n.down_why), FED_WHY_REPLACED);
    fed_net_revoke(n.net, &b.root);
    CHECK(node_wait(&b, &b.downs, 1));
    CHECK(node_wait(&n, &n.downs, 2));
    CHECK_EQ(node_why(&n, &n.down_why), FED_WHY_REVOKED);
    node_stop(&b);
    node_stop(&a);
    node_stop(&n);
}

/* A node is never a device for who dials it, nor a device's key a clinic. */
TEST(kinds_do_not_mix)
{
    struct node n;
    struct node d;
    struct node as_clinic;
    struct fed_identity id;
    uint8_t chain[64];

    node_start(&n, 1, NULL);
    device_start(&d, 2, NULL);
    node_dial(&d, &n, false);
    CHECK(node_wait(&n, &n.ups, 1));
    /* a clinic whose root is that device's key */
    node_start(&as_clinic, 3, NULL);
    fed_net_stop(as_clinic.net);
    as_clinic.root = d.root;
    id = node_identity(&as_clinic.root, as_clinic.seed, chain);
    {
        struct fed_net_config c = {.mem = mem_heap(),
                                   .clock = &world_clock,
                                   .rng = &world_rng,
                                   .io = &as_clinic.io,
                                   .user = {node_verify, node_up, node_frame,
                                            node_writable, node_down,
                                            node_failed, &as_clinic},
                                   .identity = id};

        CHECK_OK(fed_net_start(&c, &as_clinic.net));
    }
    node_dial(&as_clinic, &n, false);
    CHECK(node_wait(&as_clinic, &as_clinic.fails, 1));
    CHECK_EQ(node_count(&n, &n.ups), 1);
    CHECK_EQ(node_count(&n, &n.downs), 0);
    node_stop(&as_clinic);
    node_stop(&d);
    /* a device that listens is no clinic */
    device_start(&d, 1, NULL);
    node_listen(&d, 0);
    node_dial(&n, &d, false);
    CHECK(node_wait(&n, &n.fails, 1));
    CHECK_EQ(node_why(&n, &n.fail_why), FED_WHY_WRONG_PEER);
    node_stop(&d);
    node_stop(&n);
}

int
main(void)
{
    return RUN(T(a_device_talks_to_a_node), T(an_unknown_device_is_limited),
               T(strangers_of_each_kind), T(a_device_that_comes_again),
               T(kinds_do_not_mix));
}
