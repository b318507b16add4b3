/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/scene.h"

#include "federation/core/hub.h"
#include "federation/core/inside.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <string.h>

void
world_friends(struct world *w, uint64_t seed, size_t nodes)
{
    world_init(w, seed, nodes);
    for (size_t a = 0; a < nodes; a++) {
        for (size_t b = a + 1; b < nodes; b++) {
            world_befriend(w, a, b);
        }
    }
}

struct thread_id
world_begin(struct world *w, size_t hub, size_t nodes)
{
    struct clinic_id with[WORLD_NODES];
    struct thread_id t;
    size_t n = 0;

    for (size_t i = 0; i < nodes; i++) {
        if (i != hub) {
            with[n++] = node_root(w, i);
        }
    }
    CHECK_OK(fed_core_thread_open(w->nodes[hub].core, with, n,
                                  VIEW_LIT("All of us"), &t));
    sim_take(w, hub);
    return t;
}

struct thread_id
world_group(struct world *w, size_t hub, size_t nodes)
{
    struct thread_id t = world_begin(w, hub, nodes);

    world_run(w, 3000);
    return t;
}

bool
world_hub_is(struct world *w, size_t i, const struct thread_id *id, size_t hub)
{
    struct fed_thread_info info;
    struct clinic_id root = node_root(w, hub);

    memset(&info, 0, sizeof(info));
    CHECK_OK(fed_core_thread(w->nodes[i].core, id, &info));
    return clinic_id_equal(&info.hub, &root);
}

void
world_hand_over(struct world *w, size_t from, const struct thread_id *id,
                size_t to)
{
    struct clinic_id root = node_root(w, to);

    CHECK_OK(fed_core_hand_over(w->nodes[from].core, id, &root, false));
    sim_take(w, from);
}

struct fed_party *
world_party(struct world *w, size_t i, size_t other)
{
    struct clinic_id root = node_root(w, other);

    return fed_party_find(w->nodes[i].core, &root);
}

struct fed_thread *
world_thread(struct world *w, size_t i, const struct thread_id *id)
{
    struct fed_thread *t = NULL;

    CHECK_OK(fed_thread_get(w->nodes[i].core, id, &t));
    return t;
}

struct thread_id
world_private(struct world *w, size_t d)
{
    size_t three[3] = {0, 1, d};
    size_t two[2] = {1, d};
    struct thread_id t = world_open(w, 0, d);
    struct thread_id u = {{0}};
    struct subject_id s = node_subject(w, d);
    struct clinic_id with;
    struct fed_party_info p;

    world_consent(w, &t, 0, d, 1, true);
    CHECK(world_in(w, &t, three, 3));
    memcpy(with.b, s.b, sizeof(with.b));
    CHECK_ERR(
        fed_core_thread_open(w->nodes[1].core, &with, 1, VIEW_LIT("x"), &u),
        ERR_DENIED);
    world_consent(w, &t, 1, d, 1, true);
    for (int i = 0; i < 1000 && thread_id_is_zero(&u); i++) {
        world_step(w, 10); /* it is there by itself */
        CHECK_OK(fed_core_party(w->nodes[1].core, &with, &p));
        u = p.direct;
    }
    CHECK(world_in(w, &u, two, 2));
    return u;
}

struct thread_id
world_phone(struct world *w, uint64_t seed, size_t both[2])
{
    struct thread_id t;

    world_init(w, seed, 1);
    both[0] = 0;
    both[1] = world_device(w, 0);
    world_enrol(w, both[1], 0);
    t = world_care(w, 0, both[1]);
    CHECK_OK(world_say(w, 0, &t));
    world_run(w, 3000);
    return t;
}

struct thread_id
world_phones(struct world *w, uint64_t seed, size_t who[3])
{
    struct thread_id t;

    world_init(w, seed, 1);
    who[0] = 0;
    who[1] = world_device(w, 0);
    world_enrol(w, who[1], 0);
    who[2] = world_device(w, 0);
    world_enrol_further(w, who[2], 0);
    t = world_care(w, 0, who[1]);
    CHECK(world_in(w, &t, who, 3));
    CHECK_OK(world_say(w, 0, &t));
    world_run(w, 3000);
    return t;
}

void
world_end(struct world *w)
{
    char fault[sizeof(w->fault)];

    memcpy(fault, w->fault, sizeof(fault));
    world_free(w);
    if (fault[0] != '\0') {
        printf("  %s\n", fault);
        check_fail(__FILE__, __LINE__, "the oracle is content");
    }
}

struct thread_id
world_settled(struct world *w, uint64_t seed, size_t nodes)
{
    struct thread_id t;

    world_friends(w, seed, nodes);
    t = world_group(w, 0, nodes);
    world_heal(w);
    return t;
}

struct thread_id
world_three(struct world *w, uint64_t seed)
{
    struct thread_id t = world_settled(w, seed, 3);

    world_pass(w, 3); /* who carries has been there for a while */
    return t;
}

void
world_pass(struct world *w, unsigned hours)
{
    for (unsigned h = 0; h < hours; h++) {
        world_later(w, LIMIT_HOUR_MS, 1500);
    }
}

void
world_skip(struct world *w, uint64_t ms)
{
    w->mono_ms += ms;
    w->wall_ms += ms;
}

void
world_later(struct world *w, uint64_t ms, uint64_t live_ms)
{
    world_skip(w, ms);
    world_run(w, live_ms);
}

void
world_outlast(struct world *w, int times, uint64_t live_ms)
{
    world_run(w, 3000);
    world_later(w, WORLD_GONE_MS, live_ms);
    for (int i = 0; i < times; i++) {
        world_later(w, 2 * LIMIT_MOVE_WAIT_MS, live_ms);
    }
}

void
world_said(struct world *w, size_t i, const struct thread_id *t)
{
    CHECK_OK(world_say(w, i, t));
    world_run(w, 2000);
}

void
world_put_back(struct world *w, size_t i, const struct rows *before)
{
    struct rows backup = {0};

    sim_commit_due(w, i, true);
    node_snapshot(w, i, &backup);
    node_crash(w, i);
    node_restore(w, i, before != NULL ? before : &backup);
    rows_free(&backup);
}

size_t
world_doubts(const struct world *w, size_t i)
{
    size_t n = w->nodes[i].forks;

    for (size_t code = 0; code < 10; code++) {
        n += w->nodes[i].doubts[code];
    }
    return n;
}

void
world_no_doubts(const struct world *w)
{
    for (size_t i = 0; i < w->nodes_len; i++) {
        CHECK_EQ(world_doubts(w, i), 0);
    }
}
