/* SPDX-License-Identifier: Apache-2.0 */
/* A question that is open when a further device comes: shown there, too, and
   answered on either, once. */
#include "tests/federation/app/world.h"

#include "federation/app/consent.h"
#include "federation/app/inside.h"
#include "federation/core/inside.h"

static struct world w;

static struct message_id
ask(void)
{
    struct fed_ask in = {.clinic = w.clinic,
                         .purpose = VIEW_LIT("a talk of its own"),
                         .scope = IDENT_SCOPE_PRIVATE};
    struct thread_id t = world_thread(&w, 0);
    struct fed_app_me me;
    struct message_id id;

    fed_app_me(w.apps[0].app, &me);
    in.patient = me.patient;
    CHECK_OK(fed_core_ask(w.core, &t, &in, &id));
    world_clinic_turn(&w);
    world_run(&w);
    return id;
}

/* How the one question stands on a device. */
static enum fed_app_consent_state
state(size_t i)
{
    struct fed_app_consent c;
    struct fed_app_consent none;
    struct bytes hold = {0};
    enum fed_app_consent_state out;

    CHECK_OK(fed_app_consent_next(w.apps[i].app, 0, &c, &hold));
    CHECK_VIEW(c.purpose, VIEW_LIT("a talk of its own"));
    out = c.state;
    CHECK_ERR(fed_app_consent_next(w.apps[i].app, c.number, &none, &hold),
              ERR_MISSING);
    bytes_free(&hold);
    return out;
}

TEST(answered_on_either)
{
    for (size_t on = 0; on < 2; on++) {
        for (int yes = 0; yes < 2; yes++) {
            struct fed_app *app;
            enum fed_app_consent_state want =
                yes ? FED_APP_CONSENT_ACCEPTED : FED_APP_CONSENT_REFUSED;

            world_begin(&w, 61 + 2 * on + (uint64_t)yes);
            world_join(&w, 0);
            (void)ask();
            CHECK_EQ(state(0), FED_APP_CONSENT_ASKED);
            world_add(&w, 0, 1);
            CHECK_EQ(state(1), FED_APP_CONSENT_ASKED);
            app = w.apps[on].app;
            CHECK_OK(yes ? fed_app_consent_accept(app, 1)
                         : fed_app_consent_refuse(app, 1));
            world_turn(&w, on);
            world_run(&w);
            CHECK_EQ(state(0), want);
            CHECK_EQ(state(1), want);
            for (size_t i = 0; i < 2; i++) {
                CHECK_ERR(fed_app_consent_accept(w.apps[i].app, 1), ERR_STATE);
            }
            world_end(&w);
        }
    }
}

/* Two devices say different things before they hear of each other: the yes is
   signed, and stays until it is taken back. */
TEST(a_yes_stays)
{
    for (size_t first = 0; first < 2; first++) {
        for (size_t yes = 0; yes < 2; yes++) {
            world_begin(&w, 81 + 2 * first + yes);
            world_join(&w, 0);
            (void)ask();
            world_add(&w, 0, 1);
            CHECK_OK(fed_app_consent_accept(w.apps[yes].app, 1));
            CHECK_OK(fed_app_consent_refuse(w.apps[1 - yes].app, 1));
            CHECK_EQ(state(1 - yes), FED_APP_CONSENT_REFUSED);
            world_turn(&w, first);
            world_turn(&w, 1 - first);
            world_run(&w);
            CHECK_EQ(state(0), FED_APP_CONSENT_ACCEPTED);
            CHECK_EQ(state(1), FED_APP_CONSENT_ACCEPTED);
            /* the one that said no may end it */
            CHECK_OK(fed_app_consent_withdraw(w.apps[1 - yes].app, 1));
            world_turn(&w, 1 - yes);
            world_run(&w);
            CHECK_EQ(state(0), FED_APP_CONSENT_WITHDRAWN);
            CHECK_EQ(state(1), FED_APP_CONSENT_WITHDRAWN);
            world_end(&w);
        }
    }
}

/* [asked-before] What is not the question that was put is not answered. */
TEST(only_what_was_asked)
{
    struct fed_app_rec_consent rec;
    struct fed_app_key key = fed_app_key_num((struct view){0}, 1);
    struct thread_id t;
    struct message_id id;
    struct message_id other = {{7}};
    struct clinic_id stranger = {{9}};
    struct bytes hold = {0};
    struct fed_core *core;

    world_begin(&w, 71);
    world_join(&w, 0);
    id = ask();
    world_add(&w, 0, 1);
    t = world_thread(&w, 1);
    core = w.apps[1].app->core;
    CHECK_OK(fed_app_load(&w.apps[1].app->kv, FED_APP_CONSENT, &key,
                          &fed_app_rec_consent_shape, &rec, &hold));
    CHECK_ERR(fed_core_answer(core, &t, &id, true), ERR_MISSING);
    CHECK_ERR(fed_core_asked(core, &t, &other, &w.clinic, rec.content),
              ERR_DENIED);
    CHECK_ERR(fed_core_asked(core, &t, &id, &stranger, rec.content),
              ERR_DENIED);
    CHECK_ERR(fed_core_asked(core, &t, &id, &w.clinic,
                             view_sub(rec.content, 0, rec.content.len - 1)),
              ERR_DENIED);
    memset(t.b, 3, sizeof(t.b));
    CHECK_ERR(fed_core_asked(core, &t, &id, &w.clinic, rec.content),
              ERR_MISSING);
    t = world_thread(&w, 1);
    CHECK_ERR(fed_core_answer(core, &t, &id, true), ERR_MISSING);
    CHECK_OK(fed_core_asked(core, &t, &id, &w.clinic, rec.content));
    CHECK_OK(fed_core_answer(core, &t, &id, false));
    bytes_free(&hold);
    world_turn(&w, 1);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(answered_on_either), T(a_yes_stays), T(only_what_was_asked));
}
