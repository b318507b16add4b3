/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a newcomer may read of before: what the patient agreed to comes by
 * itself, and nothing else comes by asking.
 */
#include "federation/core/trust.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

enum {
    BEFORE = 6 /* messages before the newcomer */
};

/* Clinic 0 and a patient talk; clinic 1 comes in by a consent at the desk. */
static struct thread_id
newcomer(uint64_t seed, enum ident_history history)
{
    size_t who[3] = {0, 1, 0};
    struct thread_id t;
    struct fed_ask ask = {.purpose = VIEW_LIT("Second opinion"),
                          .scope = IDENT_SCOPE_THREAD,
                          .history = history};
    struct subject_id s;
    struct member_id member = {{7}};

    world_init(&w, seed, 2);
    world_befriend(&w, 0, 1);
    who[2] = world_device(&w, 0);
    world_enrol(&w, who[2], 0);
    t = world_open(&w, 0, who[2]);
    world_run(&w, 2000);
    for (int i = 0; i < BEFORE; i++) {
        CHECK_OK(world_say(&w, i % 2 == 0 ? 0 : who[2], &t));
        world_run(&w, 100);
    }
    world_run(&w, 2000);
    s = node_subject(&w, who[2]);
    memcpy(ask.patient.b, s.b, sizeof(ask.patient.b));
    ask.clinic = node_root(&w, 1);
    node_stepped(&w, 0,
                 fed_core_desk_consent(w.nodes[0].core, &t, &ask, &member,
                                       VIEW_LIT("Ann"), VIEW_LIT("a form")));
    CHECK(world_in(&w, &t, who, 3));
    world_run(&w, 3000);
    return t;
}

TEST(what_was_agreed_comes_by_itself)
{
    struct thread_id t = newcomer(11, IDENT_HISTORY_ALL);

    CHECK_EQ(node_messages(&w, 0, &t), BEFORE);
    CHECK_EQ(node_messages(&w, 1, &t), BEFORE);
    world_end(&w);
}

/* [history-agreed] */
TEST(nothing_else_comes_by_asking)
{
    struct thread_id t = newcomer(12, IDENT_HISTORY_NONE);
    struct clinic_id root = node_root(&w, 0);
    struct subject_id first;
    struct fed_thread_info info;

    CHECK_EQ(node_messages(&w, 1, &t), 0);
    memcpy(first.b, root.b, sizeof(first.b));
    CHECK_OK(fed_core_thread(w.nodes[1].core, &t, &info));
    node_stepped(
        &w, 1,
        fed_core_history(w.nodes[1].core, &t, info.term, 1, info.seq, &first));
    world_run(&w, 3000);
    CHECK_EQ(node_messages(&w, 1, &t), 0);
    CHECK_OK(world_say(&w, 0, &t));
    world_run(&w, 3000);
    CHECK_EQ(node_messages(&w, 1, &t), 1);
    world_end(&w);
}

/* The patient of phone lets clinic 2 in, as clinic 1 asked, with all of it. */
static void
let_in(const struct thread_id *t, size_t phone)
{
    struct fed_ask ask = {.purpose = VIEW_LIT("Second opinion"),
                          .scope = IDENT_SCOPE_THREAD,
                          .history = IDENT_HISTORY_ALL,
                          .clinic = node_root(&w, 2)};
    struct subject_id s = node_subject(&w, phone);
    struct message_id id;

    memcpy(ask.patient.b, s.b, sizeof(ask.patient.b));
    node_stepped(&w, 1, fed_core_ask(w.nodes[1].core, t, &ask, &id));
    for (int i = 0; i < 500 && !message_id_equal(&w.nodes[phone].ask, &id);
         i++) {
        world_step(&w, 10);
    }
    CHECK(message_id_equal(&w.nodes[phone].ask, &id));
    node_stepped(&w, phone, fed_core_answer(w.nodes[phone].core, t, &id, true));
}

/*
 * Clinic 1 gives what was agreed, and its key is revoked before that arrives:
 * it is refused, and clinic 1 does not come back.  Another member has it too.
 */
TEST(what_was_refused_comes_from_another)
{
    size_t who[] = {0, 1, 3, 2}; /* 3: the phone */
    struct thread_id t;
    uint64_t seq;

    world_friends(&w, 13, 3);
    who[2] = world_device(&w, 0);
    world_enrol(&w, who[2], 0);
    t = world_open(&w, 0, who[2]);
    world_run(&w, 2000);
    world_consent(&w, &t, 0, who[2], 1, true);
    CHECK(world_in(&w, &t, who, 3));
    for (int i = 0; i < BEFORE; i++) {
        world_said(&w, i % 2 == 0 ? 0 : who[2], &t);
    }
    world_heal(&w);
    CHECK_EQ(node_messages(&w, 1, &t), BEFORE);
    w.delay_ms = 20;
    let_in(&t, who[2]);
    for (int i = 0; i < 1000 && node_state(&w, 2, &t) != FED_THREAD_ACTIVE;
         i++) {
        world_step(&w, 5);
    }
    CHECK_EQ(node_state(&w, 2, &t), FED_THREAD_ACTIVE);
    seq = world_thread(&w, 2, &t)->rec.seq;
    world_cut(&w, 0, 2, true);
    world_run(&w, 3000);
    CHECK(world_thread(&w, 0, &t)->rec.seq > seq);
    CHECK_EQ(node_messages(&w, 2, &t), 0);
    node_rotate(&w, 1, true);
    world_run(&w, 3000);
    node_crash(&w, 1);
    w.nodes[2].gaps = 0;
    world_cut(&w, 0, 2, false);
    world_run(&w, 4 * LIMIT_MISSING_MS);
    CHECK(w.nodes[2].gaps > 0);
    CHECK_EQ(node_messages(&w, 2, &t), BEFORE);
    world_heal(&w);
    world_judge(&w, &t, who, 3);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(what_was_agreed_comes_by_itself),
               T(nothing_else_comes_by_asking),
               T(what_was_refused_comes_from_another));
}
