/* SPDX-License-Identifier: Apache-2.0 */
/* Other nodes' clocks beside ours: who is far, by how much, and until when. */
#include "node/clocks.h"

#include "tests/support/check.h"

#include <string.h>

#define HOUR UINT64_C(3600000)
#define DAY (24 * HOUR)

static uint64_t wall;
static uint64_t mono;

static uint64_t
read_wall(void *ctx)
{
    (void)ctx;
    return wall;
}

static uint64_t
read_mono(void *ctx)
{
    (void)ctx;
    return mono;
}

static const struct clock world = {read_wall, read_mono, NULL};

static struct clinic_id
clinic(uint8_t n)
{
    struct clinic_id id;

    memset(id.b, n, sizeof(id.b));
    return id;
}

static void
begin(struct node_clocks *c)
{
    wall = 20000 * DAY;
    mono = 5 * DAY;
    node_clocks_init(c, &world);
}

TEST(who_is_far_is_remembered_until_it_agrees)
{
    struct node_clocks c;
    struct node_clock_apart a;
    struct clinic_id one = clinic(1);
    char text[NODE_CLOCK_TEXT];

    begin(&c);
    node_clocks_hear(&c, &one, NODE_CLOCK_SAID, wall + 23 * HOUR, true);
    CHECK(!node_clocks_of(&c, &one, &a));
    node_clocks_hear(&c, &one, NODE_CLOCK_SAID, wall - 30 * HOUR, true);
    CHECK(node_clocks_of(&c, &one, &a));
    node_clock_text(&a, text);
    CHECK_STR(text, "1 day and 6 hours behind this machine's");
    mono += 5 * HOUR; /* time passes at both */
    wall += 5 * HOUR;
    CHECK(node_clocks_of(&c, &one, &a));
    CHECK_EQ(a.by_ms, 30 * HOUR);
    node_clocks_hear(&c, &one, NODE_CLOCK_SAID, wall, true);
    CHECK(!node_clocks_of(&c, &one, &a));
    node_clocks_clear(&c);
}

TEST(ours_is_set)
{
    struct node_clocks c;
    struct node_clock_apart all[NODE_CLOCKS];
    struct clinic_id one = clinic(1);
    struct clinic_id out;

    begin(&c);
    node_clocks_hear(&c, &one, NODE_CLOCK_SAID, wall + 3 * DAY, false);
    CHECK_EQ(node_clocks_all(&c, all), 1);
    CHECK(all[0].ahead && !all[0].at_least);
    CHECK(!node_clocks_mended(&c, &out));
    wall += 3 * DAY;
    CHECK_EQ(node_clocks_all(&c, all), 0);
    CHECK(node_clocks_mended(&c, &out));
    CHECK(clinic_id_equal(&out, &one));
    CHECK(!node_clocks_mended(&c, &out)); /* once */
    node_clocks_clear(&c);
}

/* What a certificate says is a bound: it holds on its side only. */
TEST(a_bound_is_not_turned_around)
{
    struct node_clocks c;
    struct node_clock_apart a;
    struct clinic_id one = clinic(1);
    struct clinic_id two = clinic(2);
    char text[NODE_CLOCK_TEXT];

    begin(&c);
    node_clocks_hear(&c, &one, NODE_CLOCK_BEFORE, wall - 110 * DAY, false);
    node_clocks_hear(&c, &two, NODE_CLOCK_AFTER, wall - 2 * DAY, false);
    CHECK(node_clocks_of(&c, &one, &a));
    node_clock_text(&a, text);
    CHECK_STR(text, "at least 110 days behind this machine's");
    CHECK(!node_clocks_of(&c, &two, &a)); /* of long ago: fine */
    wall -= 200 * DAY; /* now it ends 90 days ahead, as it should */
    CHECK(!node_clocks_of(&c, &one, &a));
    node_clocks_clear(&c);
}

TEST(numbers_of_a_liar)
{
    struct node_clocks c;
    struct node_clock_apart a;
    struct clinic_id one = clinic(1);
    char text[NODE_CLOCK_TEXT];

    begin(&c);
    node_clocks_hear(&c, &one, NODE_CLOCK_SAID, 0, true);
    CHECK(!node_clocks_of(&c, &one, &a));
    node_clocks_hear(&c, &one, NODE_CLOCK_SAID, 1, true);
    CHECK(node_clocks_of(&c, &one, &a) && !a.ahead);
    node_clocks_hear(&c, &one, NODE_CLOCK_SAID, UINT64_MAX, true);
    mono += 30 * DAY;
    CHECK(node_clocks_of(&c, &one, &a) && a.ahead);
    node_clock_text(&a, text);
    CHECK(strlen(text) < NODE_CLOCK_TEXT - 1);
    node_clocks_clear(&c);
}

/* A crowd of strangers puts out no clinic that we know. */
TEST(strangers_have_places_of_their_own)
{
    struct node_clocks c;
    struct node_clock_apart all[NODE_CLOCKS];
    struct node_clock_apart a;
    struct clinic_id one = clinic(1);

    begin(&c);
    node_clocks_hear(&c, &one, NODE_CLOCK_SAID, wall + 2 * DAY, true);
    for (uint8_t i = 2; i < 200; i++) {
        struct clinic_id other = clinic(i);

        mono++;
        node_clocks_hear(&c, &other, NODE_CLOCK_SAID, wall + 9 * DAY, false);
        CHECK(node_clocks_of(&c, &other, &a));
    }
    CHECK(node_clocks_of(&c, &one, &a));
    CHECK_EQ(node_clocks_all(&c, all), 1 + NODE_CLOCKS_STRANGERS);
    mono += DAY + 1000;
    CHECK_EQ(node_clocks_all(&c, all), 0); /* long ago */
    node_clocks_clear(&c);
}

int
main(void)
{
    return RUN(T(who_is_far_is_remembered_until_it_agrees), T(ours_is_set),
               T(a_bound_is_not_turned_around), T(numbers_of_a_liar),
               T(strangers_have_places_of_their_own));
}
