/* SPDX-License-Identifier: Apache-2.0 */
/* What a person is told to do about a conversation that stopped. */
#include "tests/federation/app/world.h"

#include "federation/app/inside.h"
#include "federation/app/way.h"
#include "proto/msg/group.h"

static struct world w;

enum {
    ENDED = 0x41,
    FIRST = 0x42,
    HUB = 0x43
};

static void
knows(struct fed_app *app, uint8_t clinic, enum fed_app_clinic_state state,
      bool blocked)
{
    struct clinic_id root = {{clinic}};
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};

    CHECK_OK(fed_app_clinic_rec(app, &root, &rec, &hold));
    rec.state = state;
    rec.blocked = blocked;
    CHECK_OK(fed_app_clinic_save(app, &root, &rec));
    bytes_free(&hold);
}

/* What is to be done in a thread of the three that HUB orders. */
static struct fed_app_way
way(struct fed_app *app)
{
    struct proto_subject s[3] = {{.kind = PROTO_SUBJECT_CLINIC},
                                 {.kind = PROTO_SUBJECT_CLINIC},
                                 {.kind = PROTO_SUBJECT_CLINIC}};
    struct proto_group g = {.subjects = {.items = s, .len = 3}};
    struct fed_app_thread t = {.cut = {{ENDED}}, .hub = {{HUB}}};
    struct fed_app_way out;
    struct bytes ext = {0};

    for (uint8_t i = 0; i < 3; i++) {
        s[i].root[0] = (uint8_t)(ENDED + i);
    }
    CHECK_OK(proto_group_encode(mem_heap(), &g, &ext));
    t.group = view_of(&ext);
    fed_app_way(app, &t, &out);
    bytes_free(&ext);
    return out;
}

static void
is(struct fed_app *app, enum fed_app_way_kind kind, uint8_t clinic)
{
    struct fed_app_way got = way(app);

    CHECK_EQ(got.kind, kind);
    CHECK_EQ(got.clinic.b[0], clinic);
}

TEST(the_clinic_that_is_known_best)
{
    struct fed_app *app;

    world_begin(&w, 22);
    world_join(&w, 0);
    app = w.apps[0].app;
    knows(app, ENDED, FED_APP_CLINIC_ENDED, false);
    knows(app, FIRST, FED_APP_CLINIC_ENDED, false);
    knows(app, HUB, FED_APP_CLINIC_IN_THREAD, true);
    is(app, FED_APP_WAY_NONE, 0);
    knows(app, FIRST, FED_APP_CLINIC_IN_THREAD, false);
    is(app, FED_APP_WAY_JOIN, FIRST);
    knows(app, HUB, FED_APP_CLINIC_IN_THREAD, false);
    is(app, FED_APP_WAY_JOIN, HUB); /* which orders it */
    knows(app, FIRST, FED_APP_CLINIC_ENROLLED, false);
    is(app, FED_APP_WAY_HOME, FIRST);
    knows(app, HUB, FED_APP_CLINIC_ENROLLED, false);
    is(app, FED_APP_WAY_HOME, HUB);
    app->me.home[0] = FIRST;
    memset(app->me.home + 1, 0, sizeof(app->me.home) - 1);
    is(app, FED_APP_WAY_COMES, FIRST);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(the_clinic_that_is_known_best));
}
