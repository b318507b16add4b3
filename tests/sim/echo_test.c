/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a patient said through a relay comes back to nobody who has it: to the
 * patient's other devices, and not at all when there are none.
 */
#include "tests/sim/scene.h"
#include "tests/support/check.h"

enum {
    RELAY,
    HUB
};

static struct world w;
static size_t fans; /* entries that the hub gave the relay */

/* Only counts. */
static bool
counts(struct world *in, size_t from, size_t to, struct view item,
       struct bytes *out)
{
    struct proto_peer_msg msg;

    (void)in;
    (void)out;
    if (from == HUB && to == RELAY &&
        proto_peer_peek(item) == PROTO_PEER_ROUTE) {
        CHECK_OK(proto_peer_decode(item, &msg));
        fans += proto_peer_peek(msg.u.route.body) == PROTO_PEER_FAN;
    }
    return false;
}

/* The hub and a patient with these devices behind the relay. */
static struct thread_id
begin(uint64_t seed, size_t *phone, size_t *tablet)
{
    struct thread_id t;

    world_friends(&w, seed, 2);
    *phone = world_device(&w, 0);
    world_enrol(&w, *phone, RELAY);
    if (tablet != NULL) {
        *tablet = world_device(&w, 0);
        world_enrol_further(&w, *tablet, RELAY);
    }
    t = world_private(&w, *phone);
    world_run(&w, 3000);
    return t;
}

TEST(the_only_device)
{
    size_t who[2] = {HUB, 0};
    struct thread_id t = begin(1, &who[1], NULL);

    fans = 0;
    w.lie = counts;
    world_said(&w, who[1], &t);
    CHECK_EQ(fans, 0);
    world_said(&w, HUB, &t);
    CHECK(fans > 0); /* its words, and what it says of itself */
    world_said(&w, who[1], &t);
    w.lie = NULL;
    world_heal(&w);
    world_judge(&w, &t, who, 2);
    world_end(&w);
}

TEST(one_of_two)
{
    size_t who[3] = {HUB, 0, 0};
    struct thread_id t = begin(2, &who[1], &who[2]);

    CHECK(world_in(&w, &t, who, 3));
    world_run(&w, 3000);
    fans = 0;
    w.lie = counts;
    world_said(&w, who[1], &t);
    CHECK(fans > 0);
    world_said(&w, who[2], &t);
    w.lie = NULL;
    world_heal(&w);
    world_judge(&w, &t, who, 3);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(the_only_device), T(one_of_two));
}
