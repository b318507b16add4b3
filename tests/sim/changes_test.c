/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who came in, left, was removed or keeps the order now: what each member's
 * people see of it between the messages.  That two see the same from where both
 * came is the oracle's matter in every story (changes.c); these say what it is.
 */
#include "tests/sim/changes.h"
#include "tests/sim/scene.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

enum {
    LINES = 32
};

struct seen {
    enum fed_line_what what;
    size_t who;
    size_t by; /* NOBODY: not known */
};

enum {
    NOBODY = 99
};

static bool
is(const uint8_t id[32], size_t node)
{
    static const uint8_t none[32];
    struct subject_id s;

    if (node == NOBODY) {
        return memcmp(id, none, sizeof(none)) == 0;
    }
    s = node_subject(&w, node);
    return memcmp(id, s.b, sizeof(s.b)) == 0;
}

/* Node i sees these, and nothing else. */
static void
sees(size_t i, const struct thread_id *t, const struct seen *want, size_t len)
{
    struct fed_line l[LINES];
    size_t n = sim_lines(&w, i, t, l, LINES);

    CHECK_EQ(n, len);
    for (size_t k = 0; k < n && k < len; k++) {
        CHECK_EQ(l[k].what, want[k].what);
        CHECK(is(l[k].who, want[k].who));
        CHECK(is(l[k].by, want[k].by));
        CHECK(l[k].ts_ms != 0);
        CHECK(k == 0 || l[k].at >= l[k - 1].at);
    }
}

#define SEES(i, t, want) sees(i, t, want, sizeof(want) / sizeof((want)[0]))

static struct clinic_id
subject(size_t i)
{
    struct subject_id s = node_subject(&w, i);
    struct clinic_id id;

    memcpy(id.b, s.b, sizeof(id.b));
    return id;
}

static void
removes(size_t i, size_t whom, const struct thread_id *t)
{
    struct subject_id who = node_subject(&w, whom);

    node_stepped(&w, i, fed_core_remove(w.nodes[i].core, t, &who));
    world_heal(&w);
    CHECK_EQ(node_state(&w, whom, t), FED_THREAD_REMOVED);
}

static void
leaves(size_t i, const struct thread_id *t)
{
    node_stepped(&w, i, fed_core_leave(w.nodes[i].core, t));
    world_heal(&w);
    CHECK_EQ(node_state(&w, i, t), FED_THREAD_REMOVED);
}

/* Added by one that does not order it, removed, left: each said as it was. */
TEST(came_removed_left)
{
    static const struct seen all[] = {
        {FED_LINE_CAME, 1, 0},    {FED_LINE_CAME, 2, 0}, {FED_LINE_CAME, 3, 1},
        {FED_LINE_REMOVED, 2, 0}, {FED_LINE_LEFT, 3, 0},
    };
    static const struct seen two[] = {
        {FED_LINE_CAME, 2, 0},
        {FED_LINE_CAME, 3, 1},
        {FED_LINE_REMOVED, 2, 0},
    };
    static const struct seen three[] = {
        {FED_LINE_CAME, 3, 1},
        {FED_LINE_REMOVED, 2, 0},
        {FED_LINE_LEFT, 3, 0},
    };
    size_t rest[] = {0, 1};
    struct thread_id t;
    struct clinic_id next;

    world_friends(&w, 801, 4);
    t = world_group(&w, 0, 3);
    next = subject(3);
    node_stepped(&w, 1, fed_core_add(w.nodes[1].core, &t, &next));
    world_heal(&w);
    removes(0, 2, &t);
    leaves(3, &t);
    SEES(0, &t, all);
    SEES(1, &t, all); /* it was the first to come */
    SEES(2, &t, two);
    SEES(3, &t, three);
    sim_judge_lines(&w, &t, rest, 2);
    world_end(&w);
}

TEST(the_order_is_handed_over)
{
    struct fed_line l[LINES];
    size_t left[] = {1, 2};
    struct thread_id t;
    size_t n;

    world_friends(&w, 802, 3);
    t = world_group(&w, 0, 3);
    leaves(0, &t);
    for (size_t i = 0; i < 3; i++) {
        n = sim_lines(&w, i, &t, l, LINES);
        CHECK(n >= 2);
        CHECK_EQ(l[n - 2].what, FED_LINE_HANDED);
        CHECK(is(l[n - 2].by, 0) && !is(l[n - 2].who, 0));
        CHECK_EQ(l[n - 1].what, FED_LINE_LEFT);
        CHECK(is(l[n - 1].who, 0));
    }
    sim_judge_lines(&w, &t, left, 2);
    world_end(&w);
}

/* Who lost its state finds others than it knew: it is told who, and not that
   everybody came. */
TEST(changed_while_away)
{
    static const struct seen want[] = {
        {FED_LINE_CAME, 2, 0},      {FED_LINE_CAME, 1, 0},
        {FED_LINE_CAME, 3, NOBODY}, {FED_LINE_REMOVED, 1, NOBODY},
        {FED_LINE_REJOINED, 2, 2},
    };
    struct rows before = {0};
    struct clinic_id next;
    struct thread_id t;
    size_t in[] = {0, 2, 3};

    world_friends(&w, 803, 4);
    t = world_group(&w, 0, 3);
    world_heal(&w);
    node_snapshot(&w, 2, &before);
    removes(0, 1, &t);
    next = subject(3);
    node_stepped(&w, 0, fed_core_add(w.nodes[0].core, &t, &next));
    world_heal(&w);
    node_crash(&w, 2);
    node_restore(&w, 2, &before);
    rows_free(&before);
    world_heal(&w);
    CHECK(world_in(&w, &t, in, 3));
    SEES(2, &t, want);
    sim_judge_lines(&w, &t, in, 3);
    world_end(&w);
}

/* A patient's further device comes and goes; the patient leaves. */
TEST(a_device_and_its_patient)
{
    struct fed_line l[LINES];
    size_t three[3] = {0, 1, 0};
    size_t both[2] = {0, 1};
    struct thread_id t;
    size_t tablet;
    size_t n;

    world_init(&w, 804, 2);
    world_befriend(&w, 0, 1);
    three[2] = world_device(&w, 0);
    world_enrol(&w, three[2], 0);
    t = world_open(&w, 0, three[2]);
    world_consent(&w, &t, 0, three[2], 1, true);
    CHECK(world_in(&w, &t, three, 3));
    tablet = world_device(&w, 0);
    world_enrol_further(&w, tablet, 0);
    world_heal(&w);
    for (size_t i = 0; i < 3; i++) {
        n = sim_lines(&w, three[i], &t, l, LINES);
        CHECK(n >= 1 && l[n - 1].what == FED_LINE_DEVICE_CAME);
        CHECK(n >= 1 && is(l[n - 1].who, tablet));
    }
    CHECK_EQ(sim_lines(&w, tablet, &t, l, LINES), 0); /* nobody else came */
    leaves(three[2], &t);
    for (size_t i = 0; i < 3; i++) {
        n = sim_lines(&w, three[i], &t, l, LINES);
        CHECK(n >= 1 && l[n - 1].what == FED_LINE_LEFT);
        CHECK(n >= 1 && is(l[n - 1].who, three[2]));
    }
    sim_judge_lines(&w, &t, both, 2);
    world_end(&w);
}

/* Behind a relay, a device that comes later is the patient's, and no patient
   that comes. */
TEST(a_further_device_behind_a_relay)
{
    struct fed_line l[LINES];
    size_t who[3] = {1, 0, 0};
    struct clinic_id tablet;
    struct thread_id t;
    size_t n;

    world_friends(&w, 805, 2);
    who[1] = world_device(&w, 0);
    world_enrol(&w, who[1], 0);
    t = world_private(&w, who[1]);
    who[2] = world_device(&w, 0);
    world_enrol_further(&w, who[2], 0);
    world_heal(&w);
    CHECK(world_in(&w, &t, who, 3));
    tablet = node_root(&w, who[2]);
    for (size_t i = 0; i < 2; i++) {
        n = sim_lines(&w, who[i], &t, l, LINES);
        CHECK(n == 1 && l[0].what == FED_LINE_DEVICE_CAME);
        CHECK(n == 1 && is(l[0].who, who[1]));
        CHECK(n == 1 && memcmp(l[0].device, tablet.b, 32) == 0);
    }
    CHECK_EQ(sim_lines(&w, who[2], &t, l, LINES), 0);
    CHECK_OK(world_say(&w, 1, &t));
    CHECK_OK(world_say(&w, who[2], &t));
    world_heal(&w);
    world_judge(&w, &t, who, 3);
    leaves(who[1], &t);
    for (size_t i = 0; i < 3; i++) {
        n = sim_lines(&w, who[i], &t, l, LINES);
        CHECK(n >= 1 && l[n - 1].what == FED_LINE_LEFT);
    }
    sim_judge_lines(&w, &t, who, 3);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(came_removed_left), T(the_order_is_handed_over),
               T(changed_while_away), T(a_device_and_its_patient),
               T(a_further_device_behind_a_relay));
}
