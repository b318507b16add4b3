/* SPDX-License-Identifier: Apache-2.0 */
/* A person hears nothing more of a clinic, until it may ask again. */
#include "tests/federation/app/world.h"

#include "federation/app/block.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

static struct world w;

static struct fed_app_clinic
clinic(void)
{
    struct fed_app_clinic c = {0};
    struct bytes hold = {0};

    CHECK_OK(fed_app_clinic(w.apps[0].app, &w.clinic, &c, &hold));
    bytes_free(&hold); /* nobody looks at its views */
    return c;
}

/* [patient-block] The contact ends at both, and its link does not bring it
   back by itself. */
TEST(blocked_until_allowed_again)
{
    struct proto_link l;
    struct clinic_id other = {{7}};
    struct fed_app *app;

    world_begin(&w, 1);
    world_join(&w, 0);
    (void)world_thread(&w, 0);
    app = w.apps[0].app;
    l = world_link(&w);
    CHECK_ERR(fed_app_block(app, &other, true), ERR_MISSING);
    CHECK_ERR(fed_app_block(app, &w.clinic, false), ERR_MISSING);
    CHECK_OK(fed_app_block(app, &w.clinic, true));
    world_turn(&w, 0);
    world_run(&w);
    CHECK(clinic().blocked);
    CHECK_EQ(clinic().state, FED_APP_CLINIC_ENDED);
    CHECK(!clinic().up);
    CHECK_ERR(fed_app_block(app, &w.clinic, true), ERR_MISSING);
    CHECK_ERR(fed_app_join(app, &l, VIEW_LIT("Ann"), (struct view){0}),
              ERR_DENIED);

    CHECK_OK(fed_app_block(app, &w.clinic, false));
    world_turn(&w, 0);
    CHECK(!clinic().blocked);
    CHECK_EQ(clinic().state, FED_APP_CLINIC_ENDED);
    CHECK_OK(fed_app_join(app, &l, VIEW_LIT("Ann"), (struct view){0}));
    world_turn(&w, 0);
    world_run(&w);
    CHECK_EQ(clinic().state, FED_APP_CLINIC_ENROLLED);
    world_end(&w);
}

/* A block that could not be written down is none, and can be asked for again;
   one that could stands, though what came after it failed. */
TEST(every_allocation_may_fail)
{
    world_begin(&w, 2);
    world_join(&w, 0);
    (void)world_thread(&w, 0);
    fed_app_close(w.apps[0].app);
    w.apps[0].app = NULL;
    w.apps[0].serial = 0;
    for (uint64_t at = 1;; at++) {
        struct fail_mem f;
        enum err e;

        fail_mem_init(&f, at);
        e = world_app_open(&w, 0, &f.mem);
        e = e == OK ? fed_app_block(w.apps[0].app, &w.clinic, true) : e;
        e = e == OK ? fed_app_turn(w.apps[0].app, &w.apps[0].timer_ms) : e;
        fed_app_close(w.apps[0].app);
        w.apps[0].app = NULL;
        CHECK_EQ(f.live, 0);
        if (!f.hit || e == ERR_MISSING) {
            CHECK(e == OK || at > 1);
            break;
        }
        CHECK(e == ERR_NOMEM || e == OK);
    }
    CHECK_OK(world_app_open(&w, 0, mem_heap()));
    CHECK(clinic().blocked);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(blocked_until_allowed_again), T(every_allocation_may_fail));
}
