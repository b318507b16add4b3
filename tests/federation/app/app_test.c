/* SPDX-License-Identifier: Apache-2.0 */
/* Apps and a clinic in one process: what a person does, and what comes of it.
 */
#include "tests/federation/app/world.h"

#include "crypto/prim/init.h"
#include "federation/app/consent.h"
#include "federation/app/inside.h"
#include "federation/core/inside.h"
#include "proto/base/limits.h"
#include "tests/support/fail_mem.h"

#include <stdio.h>

static struct world w;
static char text[512];

TEST(a_patient_joins_and_talks)
{
    struct fed_app_clinic c;
    struct fed_app_sync sync;
    struct bytes hold = {0};

    world_begin(&w, 1);
    world_join(&w, 0);
    CHECK_OK(fed_app_clinic(w.apps[0].app, &w.clinic, &c, &hold));
    CHECK_EQ(c.state, FED_APP_CLINIC_ENROLLED);
    CHECK_VIEW(c.name, VIEW_LIT("Hillside"));
    CHECK(c.home && c.learned == FED_APP_LEARNED_LINK);
    world_app_says(&w, 0, "one");
    world_run(&w);
    CHECK_STR(w.text, "one");
    world_clinic_says(&w, "two");
    world_run(&w);
    CHECK_STR(world_texts(&w, 0, text), "one|two|");
    fed_app_sync(w.apps[0].app, &sync);
    CHECK(sync.settled);
    bytes_free(&hold);
    world_end(&w);
}

TEST(what_is_not_committed_never_was)
{
    struct fed_app_me me;
    struct clinic_id device;
    struct thread_id t;
    struct message_id id;

    world_begin(&w, 2);
    world_join(&w, 0);
    t = world_thread(&w, 0);
    w.apps[0].shelf.commit_gives = ERR_IO;
    CHECK_OK(
        fed_app_send(w.apps[0].app, &t, VIEW_LIT("lost"), 0, NULL, 0, &id));
    CHECK_ERR(fed_app_turn(w.apps[0].app, &w.apps[0].timer_ms), ERR_IO);
    w.apps[0].shelf.commit_gives = OK;
    fed_app_me(w.apps[0].app, &me);
    memcpy(device.b, me.device.b, 32);
    CHECK_OK(fed_core_peer_down(w.core, &device, w.apps[0].serial));
    w.apps[0].serial = 0;
    CHECK_OK(fed_app_reset(w.apps[0].app));
    world_turn(&w, 0);
    world_run(&w);
    CHECK_STR(world_texts(&w, 0, text), "");
    world_app_says(&w, 0, "kept");
    world_run(&w);
    CHECK_STR(world_texts(&w, 0, text), "kept|");
    CHECK_STR(w.text, "kept");
    world_end(&w);
}

static size_t
frames_under_way(void)
{
    size_t n = 0;

    for (const struct world_frame *f = w.frames; f != NULL; f = f->next) {
        n++;
    }
    return n;
}

/* A storage that is durable before it can be read: the message leaves inside
   the commit, once, and is told after it. */
TEST(frames_leave_when_they_are_durable)
{
    struct thread_id t;
    struct message_id id;

    world_begin(&w, 2);
    world_join(&w, 0);
    t = world_thread(&w, 0);
    w.apps[0].shelf.tell = w.apps[0].app;
    w.apps[0].shelf.commit_gives = ERR_AGAIN; /* what is after it waits */
    CHECK_OK(
        fed_app_send(w.apps[0].app, &t, VIEW_LIT("early"), 0, NULL, 0, &id));
    CHECK_ERR(fed_app_turn(w.apps[0].app, &w.apps[0].timer_ms), ERR_AGAIN);
    CHECK_EQ(frames_under_way(), 1);
    w.apps[0].shelf.commit_gives = OK;
    CHECK_OK(fed_app_committed(w.apps[0].app, OK, &w.apps[0].timer_ms));
    CHECK_EQ(frames_under_way(), 1);
    CHECK(!fed_app_wants_durable(w.apps[0].app));
    world_run(&w);
    world_app_says(&w, 0, "as early");
    world_run(&w);
    CHECK_STR(w.text, "as early");
    CHECK_STR(world_texts(&w, 0, text), "early|as early|");
    world_end(&w);
}

TEST(an_app_that_is_closed_goes_on)
{
    world_begin(&w, 3);
    world_join(&w, 0);
    w.apps[0].cut = true;
    world_break(&w, 0);
    world_app_says(&w, 0, "from the train");
    fed_app_close(w.apps[0].app);
    w.apps[0].app = NULL;
    world_clinic_says(&w, "from the desk");
    world_run(&w);
    w.apps[0].cut = false;
    CHECK_OK(world_app_open(&w, 0, mem_heap()));
    world_turn(&w, 0);
    world_run(&w);
    CHECK_STR(w.text, "from the train");
    CHECK_STR(world_texts(&w, 0, text), "from the desk|from the train|");
    world_end(&w);
}

TEST(connections_that_break_all_the_time)
{
    char want[512] = "";

    world_begin(&w, 4);
    world_join(&w, 0);
    for (int i = 0; i < 20; i++) {
        char line[16];

        (void)snprintf(line, sizeof(line), "m%d", i);
        world_app_says(&w, 0, line);
        strcat(strcat(want, line), "|");
        world_break(&w, 0);
        w.ms += 1000;
        world_connect(&w, 0);
    }
    world_run(&w);
    CHECK_STR(world_texts(&w, 0, text), want);
    CHECK_EQ(w.said, 20);
    world_end(&w);
}

TEST(edits_deletions_and_what_was_read)
{
    struct fed_app_message m;
    struct fed_app_thread info;
    struct thread_id t;
    struct bytes hold = {0};

    world_begin(&w, 5);
    world_join(&w, 0);
    world_app_says(&w, 0, "first");
    world_app_says(&w, 0, "second");
    world_clinic_says(&w, "third");
    world_run(&w);
    t = world_thread(&w, 0);
    CHECK_OK(fed_app_thread(w.apps[0].app, &t, &info, &hold));
    CHECK_EQ(info.unread, 1);
    CHECK_OK(fed_app_edit(w.apps[0].app, &t, 1, VIEW_LIT("better")));
    CHECK_OK(fed_app_delete(w.apps[0].app, &t, 2));
    CHECK_ERR(fed_app_edit(w.apps[0].app, &t, 3, VIEW_LIT("no")), ERR_DENIED);
    CHECK_ERR(fed_app_delete(w.apps[0].app, &t, 99), ERR_MISSING);
    CHECK_OK(fed_app_react(w.apps[0].app, &t, 3, VIEW_LIT("+"), true));
    CHECK_OK(fed_app_seen(w.apps[0].app, &t));
    world_turn(&w, 0);
    world_run(&w);
    CHECK_OK(fed_app_message(w.apps[0].app, &t, 1, &m, &hold));
    CHECK_VIEW(m.text, VIEW_LIT("better"));
    CHECK((m.flags & FED_APP_MESSAGE_EDITED) != 0 && m.delivered == 1);
    CHECK_OK(fed_app_message(w.apps[0].app, &t, 2, &m, &hold));
    CHECK((m.flags & FED_APP_MESSAGE_DELETED) != 0);
    CHECK_EQ(m.content.len, 0);
    CHECK_OK(fed_app_thread(w.apps[0].app, &t, &info, &hold));
    CHECK_EQ(info.unread, 0);
    bytes_free(&hold);
    world_end(&w);
}

TEST(the_code_is_forgotten_once_confirmed)
{
    struct bytes words = {0};
    struct bytes qr = {0};
    struct fed_app_me me;
    unsigned bad = 0;

    world_begin(&w, 6);
    world_join(&w, 0);
    CHECK_OK(fed_app_code(w.apps[0].app, &words, &qr));
    CHECK_ERR(fed_app_code_confirm(w.apps[0].app, VIEW_LIT("one two"), &bad),
              ERR_FORMAT);
    CHECK_OK(fed_app_code_confirm(w.apps[0].app, view_of(&words), &bad));
    world_turn(&w, 0);
    bytes_free(&words);
    bytes_free(&qr);
    CHECK_ERR(fed_app_code(w.apps[0].app, &words, &qr), ERR_MISSING);
    fed_app_me(w.apps[0].app, &me);
    CHECK(me.code == FED_APP_CODE_CONFIRMED && me.settled);
    for (size_t i = 0; i < w.apps[0].shelf.len; i++) {
        const struct shelf_rec *r = &w.apps[0].shelf.recs[i];

        CHECK(r->space != FED_APP_SECRET || r->key.len != 32 + 3);
    }
    world_end(&w);
}

TEST(another_device_by_two_codes)
{
    struct bytes request = {0};
    struct bytes grant = {0};
    struct fed_app_me a;
    struct fed_app_me b;
    struct fed_app_device d;

    world_begin(&w, 7);
    world_join(&w, 0);
    world_app_says(&w, 0, "before");
    world_run(&w);
    CHECK_OK(world_app_open(&w, 1, mem_heap()));
    CHECK_OK(fed_app_be_added(w.apps[1].app, &request));
    world_turn(&w, 1);
    CHECK_ERR(fed_app_add_device(w.apps[0].app, VIEW_LIT("balsam:d#x"), false,
                                 &grant),
              ERR_FORMAT);
    CHECK_OK(
        fed_app_add_device(w.apps[0].app, view_of(&request), false, &grant));
    world_turn(&w, 0);
    world_run(&w);
    CHECK_OK(fed_app_granted(w.apps[1].app, view_of(&grant)));
    world_turn(&w, 1);
    world_run(&w);
    fed_app_me(w.apps[0].app, &a);
    fed_app_me(w.apps[1].app, &b);
    CHECK(patient_id_equal(&a.patient, &b.patient));
    CHECK(!device_id_equal(&a.device, &b.device) && !b.may_add);
    CHECK_OK(fed_app_device(w.apps[0].app, 1, &d));
    CHECK(device_id_equal(&d.id, &b.device));
    /* what was said came from the archive, which the clinic cannot read */
    CHECK_STR(world_texts(&w, 1, text), "before|");
    world_clinic_says(&w, "to both");
    world_run(&w);
    CHECK_STR(world_texts(&w, 0, text), "before|to both|");
    CHECK_STR(world_texts(&w, 1, text), "before|to both|");
    world_app_says(&w, 1, "from the second");
    world_run(&w);
    CHECK_STR(w.text, "from the second");
    CHECK_STR(world_texts(&w, 0, text), "before|to both|from the second|");
    CHECK_STR(world_texts(&w, 1, text), "before|to both|from the second|");
    CHECK_ERR(fed_app_granted(w.apps[1].app, view_of(&grant)), ERR_STATE);
    bytes_free(&request);
    bytes_free(&grant);
    world_end(&w);
}

TEST(a_new_phone_by_the_code)
{
    struct proto_link l;
    struct bytes words = {0};
    struct bytes qr = {0};
    struct fed_app_me old;
    struct fed_app_me me;
    unsigned bad = 0;

    world_begin(&w, 11);
    world_join(&w, 0);
    world_app_says(&w, 0, "on the old phone");
    world_run(&w);
    CHECK_OK(fed_app_code(w.apps[0].app, &words, &qr));
    CHECK_OK(world_app_open(&w, 1, mem_heap()));
    CHECK_OK(fed_app_recover(w.apps[1].app, view_of(&qr), &bad));
    world_turn(&w, 1);
    l = world_link(&w);
    CHECK_OK(
        fed_app_join(w.apps[1].app, &l, VIEW_LIT("Ann"), (struct view){0}));
    world_turn(&w, 1);
    world_run(&w);
    fed_app_me(w.apps[0].app, &old);
    fed_app_me(w.apps[1].app, &me);
    CHECK(patient_id_equal(&old.patient, &me.patient) && me.settled);
    CHECK(me.generation > old.generation || old.removed);
    CHECK_STR(world_texts(&w, 1, text), "on the old phone|");
    world_app_says(&w, 1, "it is me");
    world_run(&w);
    CHECK_STR(w.text, "it is me");
    CHECK_STR(world_texts(&w, 0, text), "on the old phone|");
    bytes_free(&words);
    bytes_free(&qr);
    world_end(&w);
}

TEST(files_wait_for_their_message_to_go)
{
    static uint8_t data[600000];
    struct fed_app_file_in file = {VIEW_LIT("scan.bin"), VIEW_LIT("image/png"),
                                   VIEW_ARRAY(data)};
    struct fed_app_file_in many[LIMIT_ATTACHMENTS + 1] = {{{0}, {0}, {0}}};
    struct thread_id t;
    struct message_id id;
    struct fed_app_message m;
    struct fed_app_sync s;
    struct bytes hold = {0};
    struct bytes piece = {0};

    world_begin(&w, 12);
    world_join(&w, 0);
    t = world_thread(&w, 0);
    CHECK_ERR(fed_app_send(w.apps[0].app, &t, VIEW_LIT("x"), 0, many,
                           LIMIT_ATTACHMENTS + 1, &id),
              ERR_LIMIT);
    CHECK_ERR(
        fed_app_send(w.apps[0].app, &t, (struct view){0}, 0, NULL, 0, &id),
        ERR_INVALID);
    data[599999] = 7;
    CHECK_OK(
        fed_app_send(w.apps[0].app, &t, VIEW_LIT("see"), 0, &file, 1, &id));
    world_turn(&w, 0);
    world_run(&w); /* this clinic takes no files: the message waits */
    CHECK_OK(fed_app_message(w.apps[0].app, &t, 1, &m, &hold));
    CHECK(m.state == FED_MESSAGE_QUEUED && m.files.len == 1);
    fed_app_sync(w.apps[0].app, &s);
    CHECK(s.files == 1 && !s.settled && w.said == 0);
    CHECK_OK(fed_app_file_piece(w.apps[0].app, &t, 1, 0, 2, &piece));
    CHECK(piece.p[piece.len - 1] == 7);
    bytes_free(&piece);
    CHECK_ERR(fed_app_file_piece(w.apps[0].app, &t, 1, 0, 3, &piece),
              ERR_MISSING);
    CHECK_ERR(fed_app_fetch(w.apps[0].app, &t, 1, 1), ERR_MISSING);
    bytes_free(&hold);
    world_end(&w);
}

TEST(the_clinic_cannot_read_the_archive)
{
    bool some = false;

    world_begin(&w, 8);
    world_join(&w, 0);
    world_app_says(&w, 0, "nobody else reads this");
    world_run(&w);
    for (size_t i = 0; i < w.shelf.len; i++) {
        const struct shelf_rec *r = &w.shelf.recs[i];

        if (r->space == FED_NS_ARCHIVE && r->value.len > 16 &&
            r->key.p[32] == 0) { /* but its keys */
            some = true;
            CHECK(memmem(r->value.p, r->value.len, "nobody else", 11) == NULL);
            CHECK_EQ((r->value.len - 4 - 24 - 16) % 1024, 0);
        }
    }
    CHECK(some);
    world_end(&w);
}

/* What is not kept is said, once, and the app goes on. */
TEST(an_archive_that_is_full)
{
    size_t parts = 0;

    world_begin(&w, 10);
    w.core->config.limits.archive = 6 * 1024;
    world_join(&w, 0);
    for (int i = 0; i < 12; i++) {
        world_app_says(&w, 0, "one more part of the archive");
        world_run(&w);
    }
    for (size_t i = 0; i < w.shelf.len; i++) {
        const struct shelf_rec *r = &w.shelf.recs[i];

        parts += r->space == FED_NS_ARCHIVE && r->value.len > 16;
    }
    CHECK(parts >= 2 && parts <= 5);
    CHECK(fed_app_archive_full(w.apps[0].app));
    CHECK_EQ(w.apps[0].events[FED_APP_EV_TROUBLE], 1);
    CHECK_EQ(w.apps[0].trouble, FED_APP_TROUBLE_ARCHIVE);
    CHECK(!fed_app_archive_waits(w.apps[0].app));
    CHECK_STR(w.text, "one more part of the archive");
    world_end(&w);
}

TEST(nobody_is_here_before_joining)
{
    struct fed_app_me me;
    struct thread_id t = {{0}};
    struct message_id id;
    struct fed_app_sync s;

    world_begin(&w, 9);
    CHECK_OK(world_app_open(&w, 0, mem_heap()));
    fed_app_me(w.apps[0].app, &me);
    CHECK_EQ(me.stage, FED_APP_NOBODY);
    CHECK_ERR(fed_app_send(w.apps[0].app, &t, VIEW_LIT("x"), 0, NULL, 0, &id),
              ERR_MISSING);
    CHECK_ERR(fed_app_leave(w.apps[0].app, &t), ERR_MISSING);
    CHECK_ERR(fed_app_consent_accept(w.apps[0].app, 1), ERR_MISSING);
    world_turn(&w, 0);
    fed_app_sync(w.apps[0].app, &s);
    CHECK_EQ(s.wanted, 0);
    CHECK_OK(fed_app_new_patient(w.apps[0].app));
    CHECK_ERR(fed_app_new_patient(w.apps[0].app), ERR_STATE);
    world_end(&w);
}

/* A new patient up to a code that was confirmed, without any clinic. */
static enum err
alone(const struct mem *mem)
{
    enum err e;
    struct bytes words = {0};
    struct bytes qr = {0};
    unsigned bad = 0;
    struct proto_link link = world_link(&w);

    TRY(world_app_open(&w, 0, mem));
    TRY(fed_app_new_patient(w.apps[0].app));
    TRY(fed_app_turn(w.apps[0].app, &w.apps[0].timer_ms));
    TRY(fed_app_code(w.apps[0].app, &words, &qr));
    TRY(fed_app_code_confirm(w.apps[0].app, view_of(&words), &bad));
    TRY(fed_app_join(w.apps[0].app, &link, VIEW_LIT("Ann"), (struct view){0}));
    TRY(fed_app_turn(w.apps[0].app, &w.apps[0].timer_ms));
out:
    bytes_free(&words);
    bytes_free(&qr);
    fed_app_close(w.apps[0].app);
    w.apps[0].app = NULL;
    return e;
}

TEST(every_allocation_may_fail)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        enum err e;

        world_begin(&w, 10);
        fail_mem_init(&f, n);
        e = alone(&f.mem);
        CHECK_EQ(f.live, 0);
        world_end(&w);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        /* whether the archive could go on now is only a hint */
        CHECK(e == ERR_NOMEM || e == OK);
    }
}

int
main(void)
{
    if (prim_init() != OK) {
        return 1;
    }
    return RUN(
        T(a_patient_joins_and_talks), T(what_is_not_committed_never_was),
        T(frames_leave_when_they_are_durable), T(an_app_that_is_closed_goes_on),
        T(connections_that_break_all_the_time),
        T(edits_deletions_and_what_was_read),
        T(the_code_is_forgotten_once_confirmed), T(another_device_by_two_codes),
        T(a_new_phone_by_the_code), T(files_wait_for_their_message_to_go),
        T(the_clinic_cannot_read_the_archive), T(an_archive_that_is_full),
        T(nobody_is_here_before_joining), T(every_allocation_may_fail));
}
