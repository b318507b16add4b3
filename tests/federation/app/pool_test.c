/* SPDX-License-Identifier: Apache-2.0 */
/* What a device may be added by, when its patient's list has changed since. */
#include "tests/federation/app/world.h"

#include "crypto/ident/patient.h"
#include "federation/app/inside.h"
#include "federation/core/care.h"
#include "federation/core/inside.h"
#include "federation/core/trust.h"

static struct world w;

/* A new conversation with the patient of app 0; it has that on app i. */
static bool
begins(size_t i)
{
    struct fed_app_me me;
    struct clinic_id with;
    struct thread_id made;
    struct fed_app_thread t;
    struct thread_id at;
    const struct thread_id *after = NULL;
    struct bytes hold = {0};
    bool found = false;

    fed_app_me(w.apps[i].app, &me);
    memcpy(with.b, me.patient.b, sizeof(with.b));
    CHECK_OK(
        fed_core_thread_open(w.core, &with, 1, VIEW_LIT("the knee"), &made));
    world_clinic_turn(&w);
    world_run(&w);
    while (fed_app_thread_next(w.apps[i].app, after, &t, &hold) == OK) {
        at = t.id;
        after = &at;
        found = found || thread_id_equal(&t.id, &made);
    }
    bytes_free(&hold);
    return found;
}

/* Two devices, of which the first is lost; its code. */
static void
first_lost(uint64_t seed, struct bytes *qr)
{
    struct bytes words = {0};

    world_begin(&w, seed);
    world_join(&w, 0);
    CHECK_OK(fed_app_code(w.apps[0].app, &words, qr));
    world_add(&w, 0, 1);
    w.apps[0].cut = true;
    world_break(&w, 0);
    bytes_free(&words);
}

/* [device-cert-issuer] the list still says who added the second. */
TEST(the_first_device_is_lost)
{
    struct bytes qr = {0};
    struct device_id first;
    struct device_id second;
    const struct ident_devices *list;
    unsigned bad;

    first_lost(91, &qr);
    first = world_device(&w, 0);
    second = world_device(&w, 1);
    CHECK_OK(fed_app_remove_device(w.apps[1].app, view_of(&qr), &first, &bad));
    world_turn(&w, 1);
    world_run(&w);
    list = &w.apps[1].app->list;
    CHECK_EQ(list->len, 1);
    CHECK(device_id_equal(&list->device[0].id, &second) &&
          list->device[0].may_add &&
          memcmp(list->device[0].added_by.b, first.b, sizeof(first.b)) == 0);
    CHECK(begins(1));
    bytes_free(&qr);
    world_end(&w);
}

/* [pool-certified] A list by which what the clinic keeps is certified no more:
   the device gives others. */
TEST(what_was_kept_is_void)
{
    SCRUBBED_STRUCT(prim_sign_key, key);
    SCRUBBED(code, IDENT_CODE);
    struct bytes qr = {0};
    struct ident_devices list;
    unsigned bad;

    first_lost(92, &qr);
    CHECK_OK(ident_code_read(view_of(&qr), code, &bad));
    ident_patient_key(code, &key);
    CHECK_OK(fed_app_list_next(w.apps[1].app, &list));
    list.device[0] = list.device[1];
    list.len = 1;
    memset(&list.device[0].added_by, 0, sizeof(list.device[0].added_by));
    CHECK_OK(fed_app_list_sign(w.apps[1].app, &key, &list));
    world_turn(&w, 1);
    world_run(&w);
    CHECK(begins(1));
    CHECK(begins(1));
    bytes_free(&qr);
    world_end(&w);
}

/* Of two devices one is removed after their key packages were taken, and before
   anybody is added by them: the other comes in. */
TEST(one_has_gone_meanwhile)
{
    struct bytes words = {0};
    struct bytes qr = {0};
    struct bytes kps = {0};
    struct fed_rec_intent add = {.kind = FED_INTENT_ADD};
    struct device_id gone;
    struct thread_id before;
    struct thread_id made = {{5}};
    struct fed_app_me me;
    struct fed_app_thread shown;
    struct clinic_id patient;
    struct fed_thread *t;
    unsigned bad;

    world_begin(&w, 93);
    world_join(&w, 0);
    CHECK_OK(fed_app_code(w.apps[0].app, &words, &qr));
    world_add(&w, 0, 1);
    before = world_thread(&w, 0);
    fed_app_me(w.apps[0].app, &me);
    memcpy(patient.b, me.patient.b, sizeof(patient.b));
    CHECK_OK(fed_pool_take(w.core, fed_party_find(w.core, &patient), &kps));
    gone = world_device(&w, 1);
    w.apps[1].cut = true;
    world_break(&w, 1);
    CHECK_OK(fed_app_remove_device(w.apps[0].app, view_of(&qr), &gone, &bad));
    world_turn(&w, 0);
    world_run(&w);
    CHECK_OK(fed_hub_continue(w.core, &made, PROTO_GROUP_AFTER, before.b, &t));
    CHECK_OK(fed_thread_show(w.core, t));
    memcpy(add.id, patient.b, sizeof(add.id));
    add.data = view_of(&kps);
    CHECK_OK(fed_intent_add(w.core, t, &add));
    CHECK_OK(fed_intent_pump(w.core, t));
    world_clinic_turn(&w);
    world_run(&w);
    CHECK_OK(fed_app_thread(w.apps[0].app, &made, &shown, &words));
    CHECK_EQ(shown.state, FED_THREAD_ACTIVE);
    bytes_free(&words);
    bytes_free(&qr);
    bytes_free(&kps);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(one_has_gone_meanwhile), T(the_first_device_is_lost),
               T(what_was_kept_is_void));
}
