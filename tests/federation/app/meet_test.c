/* SPDX-License-Identifier: Apache-2.0 */
/* Clinics that a phone knows only from conversations: who brought them in. */
#include "tests/federation/app/world.h"

#include "federation/app/inside.h"
#include "proto/msg/group.h"

static struct world w;

enum {
    FOUNDER = 0x42,
    BRINGER = 0x43
};

/* A thread with the clinic FOUNDER, whom by brought in (0: it founded it). */
static void
shown(struct fed_app *app, uint8_t thread, uint8_t by)
{
    struct proto_subject s = {.kind = PROTO_SUBJECT_CLINIC};
    struct proto_group g = {.subjects = {.items = &s, .len = 1}};
    struct fed_show show = {.kind = FED_SHOW_THREAD,
                            .code = FED_THREAD_ACTIVE,
                            .thread = {{thread}}};

    s.root[0] = FOUNDER;
    s.added_by[0] = by;
    CHECK_OK(proto_group_encode(mem_heap(), &g, &show.body));
    CHECK_OK(fed_app_show(app, &show));
    bytes_free(&show.body);
}

static uint8_t
brought_by(struct fed_app *app)
{
    struct clinic_id root = {{FOUNDER}};
    struct fed_app_clinic c;
    struct bytes hold = {0};
    uint8_t by;

    CHECK_OK(fed_app_clinic(app, &root, &c, &hold));
    CHECK(c.state == FED_APP_CLINIC_IN_THREAD);
    CHECK(c.learned == FED_APP_LEARNED_THREAD);
    by = c.by.b[0];
    bytes_free(&hold);
    return by;
}

TEST(a_founder_is_known_by_who_brought_it_elsewhere)
{
    struct fed_app *app;

    world_begin(&w, 21);
    world_join(&w, 0);
    app = w.apps[0].app;
    shown(app, 1, 0);
    CHECK_EQ(brought_by(app), 0);
    shown(app, 2, BRINGER);
    CHECK_EQ(brought_by(app), BRINGER);
    shown(app, 1, 0);
    shown(app, 3, BRINGER + 1); /* the first one stays */
    CHECK_EQ(brought_by(app), BRINGER);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(a_founder_is_known_by_who_brought_it_elsewhere));
}
