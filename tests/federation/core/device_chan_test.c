/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/federation/core/chan_fixture.h"
#include "tests/support/fail_mem.h"

enum {
    TEXT_MAX = 64
};

/* One sealed message from a to b arrives as it was. */
static void
says(struct fed_chan *a, struct fed_chan *b, const char *text)
{
    struct view v = view_str(text);
    uint8_t sealed[TEXT_MAX + FED_CHAN_OVERHEAD];
    uint8_t plain[TEXT_MAX];

    CHECK_OK(fed_chan_seal(a, v, sealed));
    CHECK_OK(
        fed_chan_open(b, view_make(sealed, v.len + FED_CHAN_OVERHEAD), plain));
    CHECK_VIEW(view_make(plain, v.len), v);
}

TEST(both_sides_agree)
{
    struct pair p;
    uint8_t a[FED_CHAN_EXPORTER];
    uint8_t b[FED_CHAN_EXPORTER];
    struct ident_node node;
    struct device_id device;

    pair_init(&p, 1);
    CHECK_OK(pair_connect(&p));
    CHECK(fed_chan_ready(p.app) && fed_chan_ready(p.node));
    CHECK_EQ(p.judged, 1);
    CHECK_OK(fed_chan_peer_node(p.app, &node));
    CHECK(clinic_id_equal(&node.root, &p.clinic.id));
    CHECK(node.generation == ident_generation(1, 5));
    CHECK_OK(fed_chan_peer_device(p.node, &device));
    CHECK_VIEW(device_id_view(&device), prim_sign_key_pub(&p.patient.phone));
    CHECK_OK(fed_chan_exporter(p.app, a));
    CHECK_OK(fed_chan_exporter(p.node, b));
    CHECK_VIEW(VIEW_ARRAY(a), VIEW_ARRAY(b));
    for (int i = 0; i < 300; i++) {
        says(p.app, p.node, "from the app");
        says(p.node, p.app, "");
        says(p.node, p.app, "from the node");
    }
    pair_clear(&p);
}

TEST(each_connection_has_its_own_keys)
{
    struct pair p;
    uint8_t a[FED_CHAN_EXPORTER];
    uint8_t b[FED_CHAN_EXPORTER];

    pair_init(&p, 1);
    CHECK_OK(pair_connect(&p));
    CHECK_OK(fed_chan_exporter(p.app, a));
    pair_close(&p);
    CHECK_OK(pair_connect(&p));
    CHECK_OK(fed_chan_exporter(p.app, b));
    CHECK(!view_equal(VIEW_ARRAY(a), VIEW_ARRAY(b)));
    pair_clear(&p);
}

/* Whoever carries the messages sees neither who it is nor a certificate. */
TEST(nothing_says_who_it_is)
{
    struct pair p;
    struct bytes m[3] = {{0}};
    struct view secrets[4];

    pair_init(&p, 3);
    CHECK_OK(pair_open(&p));
    CHECK_OK(fed_chan_step(p.node, view_of(&p.open), &m[0]));
    CHECK_OK(fed_chan_step(p.app, view_of(&m[0]), &m[1]));
    CHECK_OK(fed_chan_step(p.node, view_of(&m[1]), &m[2]));
    secrets[0] = patient_id_view(&p.patient.id);
    secrets[1] = prim_sign_key_pub(&p.patient.phone);
    secrets[2] = clinic_id_view(&p.clinic.id);
    secrets[3] = prim_sign_key_pub(&p.clinic.node);
    for (size_t i = 0; i < 3; i++) {
        for (size_t at = 0; at + 16 <= m[i].len; at++) {
            for (size_t s = 0; s < 4; s++) {
                CHECK(memcmp(m[i].p + at, secrets[s].p, 16) != 0);
            }
        }
        bytes_free(&m[i]);
    }
    pair_clear(&p);
}

/* The app's end of it is e. */
static void
app_refuses(struct pair *p, enum err e)
{
    struct bytes answer = {0};
    struct bytes prove = {0};

    CHECK_OK(pair_open(p));
    CHECK_OK(fed_chan_step(p->node, view_of(&p->open), &answer));
    CHECK_ERR(fed_chan_step(p->app, view_of(&answer), &prove), e);
    CHECK_EQ(prove.len, 0);
    CHECK_ERR(fed_chan_step(p->app, view_of(&answer), &prove), ERR_STATE);
    CHECK_EQ(p->judged, 0);
    bytes_free(&answer);
    pair_close(p);
}

/* [chan-root] [chan-generation] [chan-expired] */
TEST(the_app_checks_the_nodes_chain)
{
    struct pair p;
    struct fixture other;

    pair_init(&p, 1);
    fixture_init(&other, 9);
    p.app_config.check.root = &other.id;
    app_refuses(&p, ERR_AUTH);
    p.app_config.check.root = &p.clinic.id;
    p.app_config.check.generation_min = ident_generation(1, 6);
    app_refuses(&p, ERR_STALE);
    p.app_config.check.generation_min = 0;
    p.app_config.check.now_ms = FIXTURE_NOW_MS + IDENT_NODE_MS * 2;
    app_refuses(&p, ERR_STALE);
    fixture_clear(&other);
    pair_clear(&p);
}

/* A proxy with a name of its own: what is signed for it proves nothing here.
 * [chan-host] */
TEST(another_host)
{
    struct pair p;

    pair_init(&p, 1);
    p.app_config.host = VIEW_LIT("evil.example");
    app_refuses(&p, ERR_AUTH);
    p.app_config.host = VIEW_LIT("clinic.example:8443");
    app_refuses(&p, ERR_AUTH);
    pair_clear(&p);
}

/* It shows the clinic's chain and does not hold the node key.  [chan-node] */
TEST(a_node_without_its_key)
{
    struct pair p;
    struct fixture other;

    pair_init(&p, 1);
    fixture_init(&other, 9);
    p.node_config.seed = VIEW_ARRAY(other.node.seed);
    app_refuses(&p, ERR_AUTH);
    fixture_clear(&other);
    pair_clear(&p);
}

/* The node's end of it is e. */
static void
node_refuses(struct pair *p, enum err e)
{
    struct bytes m[3] = {{0}};

    CHECK_OK(pair_open(p));
    CHECK_OK(fed_chan_step(p->node, view_of(&p->open), &m[0]));
    CHECK_OK(fed_chan_step(p->app, view_of(&m[0]), &m[1]));
    CHECK_ERR(fed_chan_step(p->node, view_of(&m[1]), &m[2]), e);
    CHECK_EQ(m[2].len, 0);
    CHECK(!fed_chan_ready(p->node) && !fed_chan_ready(p->app));
    for (size_t i = 0; i < 3; i++) {
        bytes_free(&m[i]);
    }
    pair_close(p);
}

/* The judge is asked only about a key that is proven.  [chan-device] */
TEST(a_device_without_its_key)
{
    struct pair p;

    pair_init(&p, 1);
    p.app_config.seed = VIEW_ARRAY(p.patient.tablet.seed);
    node_refuses(&p, ERR_AUTH); /* the certificate is the phone's */
    CHECK_EQ(p.judged, 1);
    pair_clear(&p);
}

TEST(a_device_that_was_removed)
{
    struct pair p;

    pair_init(&p, 1);
    p.patient.want.generation = ident_generation(2, 0);
    p.patient.want.len = 1;
    p.patient.want.device[0] = p.patient.want.device[1];
    patient_sign(&p.patient);
    node_refuses(&p, ERR_STALE);
    pair_clear(&p);
}

/* What a device signed for one node, given to another that it also knows.
 * [chan-replay] */
TEST(messages_of_another_handshake)
{
    struct pair p;
    struct pair q;
    struct bytes m[4] = {{0}};
    struct bytes n[4] = {{0}};

    pair_init(&p, 1);
    pair_init(&q, 1); /* the same keys, other nonces */
    seed_rng_init(&q.rng, 77);
    CHECK_OK(pair_open(&p));
    CHECK_OK(pair_open(&q));
    CHECK_OK(fed_chan_step(p.node, view_of(&p.open), &m[0]));
    CHECK_OK(fed_chan_step(q.node, view_of(&q.open), &n[0]));
    CHECK_OK(fed_chan_step(p.app, view_of(&m[0]), &m[1]));
    CHECK_OK(fed_chan_step(p.node, view_of(&m[1]), &m[2]));
    /* all of p's messages are known; none of them helps with q */
    CHECK_ERR(fed_chan_step(q.node, view_of(&m[1]), &n[1]), ERR_AUTH);
    CHECK_ERR(fed_chan_step(q.app, view_of(&m[0]), &n[1]), ERR_AUTH);
    pair_close(&q);
    /* a node that hears the same OPEN again answers otherwise */
    CHECK_OK(pair_open(&q));
    CHECK_OK(fed_chan_step(q.node, view_of(&p.open), &n[1]));
    CHECK(!view_equal(view_of(&n[1]), view_of(&m[0])));
    CHECK_ERR(fed_chan_step(q.node, view_of(&m[1]), &n[2]), ERR_AUTH);
    for (size_t i = 0; i < 4; i++) {
        bytes_free(&m[i]);
        bytes_free(&n[i]);
    }
    pair_clear(&p);
    pair_clear(&q);
}

/* Each message back to who made it, and in every other's place.
 * [chan-roles] */
TEST(reflection_and_swapped_roles)
{
    for (size_t wrong = 0; wrong < 4; wrong++) {
        struct pair p;
        struct bytes m[4] = {{0}};

        pair_init(&p, 1);
        CHECK_OK(pair_open(&p));
        CHECK_OK(bytes_copy(mem_heap(), view_of(&p.open), &m[0]));
        CHECK_OK(fed_chan_step(p.node, view_of(&m[0]), &m[1]));
        CHECK_OK(fed_chan_step(p.app, view_of(&m[1]), &m[2]));
        CHECK_OK(fed_chan_step(p.node, view_of(&m[2]), &m[3]));
        /* the app waits for DONE; nothing else is that */
        if (wrong < 3) {
            struct bytes none = {0};

            CHECK(fed_chan_step(p.app, view_of(&m[wrong]), &none) != OK);
            CHECK(!fed_chan_ready(p.app));
        }
        pair_close(&p);
        /* a fresh node and a fresh app take only the first of the other */
        for (size_t i = 0; i < 4; i++) {
            struct bytes none = {0};

            CHECK_OK(pair_open(&p));
            if (i != 0) {
                CHECK(fed_chan_step(p.node, view_of(&m[i]), &none) != OK);
            }
            CHECK(fed_chan_step(p.app, view_of(&m[i]), &none) != OK);
            CHECK_EQ(none.len, 0);
            pair_close(&p);
        }
        for (size_t i = 0; i < 4; i++) {
            bytes_free(&m[i]);
        }
        pair_clear(&p);
    }
}

/* Somebody in the middle with keys of their own. */
TEST(a_middle_with_its_own_keys)
{
    struct pair p;
    struct pair q; /* the middle's: towards the node, as itself */
    struct bytes m = {0};
    struct bytes n = {0};

    pair_init(&p, 1);
    pair_init(&q, 5);
    q.node_config = p.node_config;
    q.app_config.check = p.app_config.check;
    CHECK_OK(pair_open(&p));
    CHECK_OK(pair_open(&q));
    /* the node answers the middle's OPEN; the app cannot use that */
    CHECK_OK(fed_chan_step(p.node, view_of(&q.open), &m));
    CHECK_ERR(fed_chan_step(p.app, view_of(&m), &n), ERR_AUTH);
    bytes_free(&m);
    pair_clear(&p);
    pair_clear(&q);
}

TEST(every_changed_byte_is_noticed)
{
    struct pair p;

    pair_init(&p, 1);
    for (size_t which = 0; which < 4; which++) {
        for (size_t at = 0;; at++) {
            struct bytes m[4] = {{0}};
            struct bytes none = {0};
            bool end = false;
            enum err e = OK;

            seed_rng_init(&p.rng, 1);
            CHECK_OK(pair_open(&p));
            CHECK_OK(bytes_copy(mem_heap(), view_of(&p.open), &m[0]));
            for (size_t i = 0; e == OK && i < 4; i++) {
                if (i == which) {
                    end = at == m[i].len;
                    if (end) {
                        break;
                    }
                    m[i].p[at] ^= 1;
                }
                e = fed_chan_step(i % 2 == 0 ? p.node : p.app, view_of(&m[i]),
                                  i < 3 ? &m[i + 1] : &none);
            }
            CHECK(end || e != OK);
            CHECK(!(fed_chan_ready(p.app) && fed_chan_ready(p.node)));
            for (size_t i = 0; i < 4; i++) {
                bytes_free(&m[i]);
            }
            pair_close(&p);
            if (end) {
                break;
            }
        }
    }
    pair_clear(&p);
}

/* [chan-order] */
TEST(sealed_messages_come_once_and_in_order)
{
    struct pair p;
    uint8_t one[1 + FED_CHAN_OVERHEAD];
    uint8_t two[1 + FED_CHAN_OVERHEAD];
    uint8_t plain[1];

    pair_init(&p, 1);
    for (int how = 0; how < 5; how++) {
        CHECK_OK(pair_connect(&p));
        CHECK_OK(fed_chan_seal(p.app, VIEW_LIT("1"), one));
        CHECK_OK(fed_chan_seal(p.app, VIEW_LIT("2"), two));
        if (how == 0) { /* repeated */
            CHECK_OK(fed_chan_open(p.node, VIEW_ARRAY(one), plain));
            CHECK_ERR(fed_chan_open(p.node, VIEW_ARRAY(one), plain), ERR_AUTH);
        } else if (how == 1) { /* left out */
            CHECK_ERR(fed_chan_open(p.node, VIEW_ARRAY(two), plain), ERR_AUTH);
        } else if (how == 2) { /* given back */
            CHECK_ERR(fed_chan_open(p.app, VIEW_ARRAY(one), plain), ERR_AUTH);
        } else if (how == 3) { /* changed */
            one[0] ^= 1;
            CHECK_ERR(fed_chan_open(p.node, VIEW_ARRAY(one), plain), ERR_AUTH);
        } else { /* cut */
            CHECK_ERR(fed_chan_open(p.node, view_make(one, 15), plain),
                      ERR_AUTH);
        }
        if (how != 2) { /* dead for good */
            CHECK_ERR(fed_chan_open(p.node, VIEW_ARRAY(two), plain), ERR_STATE);
            CHECK_ERR(fed_chan_seal(p.node, VIEW_LIT("3"), one), ERR_STATE);
        }
        pair_close(&p);
    }
    pair_clear(&p);
}

TEST(nothing_before_it_is_ready)
{
    struct pair p;
    uint8_t out[TEXT_MAX];
    struct ident_node node;
    struct device_id device;
    struct bytes none = {0};

    pair_init(&p, 1);
    CHECK_OK(pair_open(&p));
    CHECK_ERR(fed_chan_seal(p.app, VIEW_LIT("x"), out), ERR_STATE);
    CHECK_ERR(fed_chan_open(p.node, VIEW_ARRAY(out), out), ERR_STATE);
    CHECK_ERR(fed_chan_exporter(p.app, out), ERR_STATE);
    CHECK_ERR(fed_chan_peer_node(p.app, &node), ERR_STATE);
    CHECK_ERR(fed_chan_peer_device(p.node, &device), ERR_STATE);
    pair_close(&p);
    CHECK_OK(pair_connect(&p));
    CHECK_ERR(fed_chan_step(p.app, view_of(&p.open), &none), ERR_STATE);
    CHECK_ERR(fed_chan_peer_node(p.node, &node), ERR_STATE);
    CHECK_ERR(fed_chan_peer_device(p.app, &device), ERR_STATE);
    CHECK(fed_chan_ready(p.app));
    pair_clear(&p);
}

/* A later version is told apart from nonsense. */
TEST(versions_and_lengths)
{
    struct pair p;
    struct bytes none = {0};
    uint8_t long_one[FED_CHAN_HELLO_MAX + 1] = {0};

    pair_init(&p, 1);
    CHECK_OK(pair_open(&p));
    p.open.p[2] = 2;
    CHECK_ERR(fed_chan_step(p.node, view_of(&p.open), &none), ERR_UNSUPPORTED);
    pair_close(&p);
    CHECK_OK(pair_open(&p));
    CHECK_ERR(fed_chan_step(p.node, VIEW_ARRAY(long_one), &none), ERR_LIMIT);
    pair_close(&p);
    CHECK_OK(pair_open(&p));
    CHECK_ERR(fed_chan_step(p.node, view_make(NULL, 0), &none), ERR_FORMAT);
    pair_close(&p);
    p.app_config.host = view_make(NULL, 0);
    CHECK_ERR(pair_open(&p), ERR_INVALID);
    p.app_config.host = VIEW_LIT("clinic.example");
    p.app_config.cert = VIEW_ARRAY(long_one);
    CHECK_ERR(pair_open(&p), ERR_INVALID);
    p.app_config.cert = view_of(&p.cert);
    p.app_config.check.root = NULL;
    CHECK_ERR(pair_open(&p), ERR_INVALID);
    pair_clear(&p);
}

/* A shared secret of zeros is refused, as is a key that is given back. */
TEST(degenerate_keys)
{
    struct pair p;
    struct bytes none = {0};

    pair_init(&p, 1);
    CHECK_OK(pair_open(&p));
    memset(p.open.p + p.open.len - 32, 0, 32);
    CHECK_ERR(fed_chan_step(p.node, view_of(&p.open), &none), ERR_AUTH);
    pair_clear(&p);
}

TEST(torture)
{
    struct pair p;

    pair_init(&p, 1);
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        enum err e;

        fail_mem_init(&f, n);
        p.mem = &f.mem;
        e = pair_connect(&p);
        pair_close(&p);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
    p.mem = mem_heap();
    pair_clear(&p);
}

int
main(void)
{
    return RUN(T(both_sides_agree), T(each_connection_has_its_own_keys),
               T(nothing_says_who_it_is), T(the_app_checks_the_nodes_chain),
               T(another_host), T(a_node_without_its_key),
               T(a_device_without_its_key), T(a_device_that_was_removed),
               T(messages_of_another_handshake),
               T(reflection_and_swapped_roles), T(a_middle_with_its_own_keys),
               T(every_changed_byte_is_noticed),
               T(sealed_messages_come_once_and_in_order),
               T(nothing_before_it_is_ready), T(versions_and_lengths),
               T(degenerate_keys), T(torture));
}
