/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consents as shown (decisions D 18): what a clinic asked for another one, what
 * was answered, what a desk recorded.  The words stay as they came, inside the
 * content; nothing is answered by this library alone.
 */
#include "federation/app/consent.h"

#include "crypto/ident/consent.h"
#include "crypto/ident/profile.h"
#include "federation/app/inside.h"
#include "federation/core/patient.h"
#include "federation/core/rec.h"
#include "proto/msg/content.h"

#include <string.h>

static struct fed_app_key
number_key(uint64_t number)
{
    return fed_app_key_num((struct view){0}, number);
}

/* The next record behind number.  ERR_MISSING */
static enum err
next_rec(struct fed_app *app, uint64_t number, uint64_t *found,
         struct fed_app_rec_consent *out, struct bytes *hold)
{
    enum err e;
    struct fed_app_key from = number_key(number + 1);
    struct fed_app_key key;
    struct bytes value = {0};

    TRY(fed_app_next(&app->kv, FED_APP_CONSENT, &from, (struct view){0}, &key,
                     &value));
    TRY(fed_rec_decode(view_of(&value), &fed_app_rec_consent_shape, out));
    *found = fed_app_key_tail(fed_app_key_view(&key));
    bytes_free(hold);
    *hold = bytes_take(&value);
out:
    bytes_free(&value);
    return e;
}

/* A later device shows it, too. */
static enum err
note(struct fed_app *app, uint64_t number)
{
    static const struct thread_id nowhere;
    struct fed_app_key key = number_key(number);
    uint8_t name[32] = {0};

    memcpy(name, key.b, key.len);
    return fed_app_archive_note(app, FED_APP_KEPT_CONSENT, &nowhere, name);
}

static enum err
save_rec(struct fed_app *app, uint64_t number,
         const struct fed_app_rec_consent *rec)
{
    enum err e;
    struct fed_app_key key = number_key(number);

    TRY(fed_app_save(&app->kv, FED_APP_CONSENT, &key,
                     &fed_app_rec_consent_shape, rec));
    TRY(note(app, number));
out:
    return e;
}

static enum err
tell(struct fed_app *app, uint64_t number,
     const struct fed_app_rec_consent *rec)
{
    struct fed_app_event *ev;
    enum err e = fed_app_tell(app, FED_APP_EV_CONSENT, &ev);

    if (e == OK) {
        ev->number = number;
        ev->code = rec->state;
        memcpy(ev->thread.b, rec->thread, sizeof(ev->thread.b));
        memcpy(ev->clinic.b, rec->clinic, sizeof(ev->clinic.b));
    }
    return e;
}

/* ---------------------------------------------------------- what came in */

/* Whether show is about the question that rec is. */
static bool
same(const struct fed_app_rec_consent *rec, const struct fed_show *show)
{
    return memcmp(rec->thread, show->thread.b, 32) == 0 &&
           memcmp(rec->question, show->message.b, 32) == 0 &&
           memcmp(rec->clinic, show->other.b, 32) == 0;
}

static uint64_t
state_of(uint64_t code)
{
    switch (code) {
    case FED_CONSENT_ASKED:
        return FED_APP_CONSENT_ASKED;
    case FED_CONSENT_GIVEN:
        return FED_APP_CONSENT_ACCEPTED;
    case FED_CONSENT_REFUSED:
        return FED_APP_CONSENT_REFUSED;
    case FED_CONSENT_DESK:
        return FED_APP_CONSENT_DESK;
    case FED_CONSENT_WITHDRAWN:
        return FED_APP_CONSENT_WITHDRAWN;
    default:
        return 0;
    }
}

/* Whom the question is about, by the profile that it signed itself. */
static enum err
introduce(struct fed_app *app, const struct fed_show *show)
{
    enum err e;
    struct proto_content c;
    struct ident_check check = {.root = NULL};
    struct ident_profile p;
    struct clinic_id root;
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};

    memcpy(root.b, show->other.b, sizeof(root.b));
    check.root = &root;
    if (proto_content_decode(view_of(&show->body), &c) != OK ||
        c.kind != PROTO_CONTENT_ASK ||
        ident_profile_open(app->mem, c.u.ask.profile, &check, &p) != OK) {
        return OK; /* it stays a number */
    }
    TRY(fed_app_clinic_rec(app, &root, &rec, &hold));
    if (rec.profile.len > 0) {
        goto out;
    }
    if (rec.state == 0) {
        rec.state = FED_APP_CLINIC_IN_THREAD;
        rec.learned = FED_APP_LEARNED_THREAD;
        memcpy(rec.by, show->peer.b, sizeof(rec.by));
    }
    rec.profile = c.u.ask.profile;
    TRY(fed_app_clinic_save(app, &root, &rec));
out:
    bytes_free(&hold);
    return e;
}

static enum err
add(struct fed_app *app, const struct fed_show *show, uint64_t state)
{
    enum err e;
    struct fed_app_rec_consent rec = {.state = state, .at_ms = show->ts_ms};
    uint64_t number;

    memcpy(rec.thread, show->thread.b, sizeof(rec.thread));
    memcpy(rec.question, show->message.b, sizeof(rec.question));
    memcpy(rec.clinic, show->other.b, sizeof(rec.clinic));
    memcpy(rec.asker, show->peer.b, sizeof(rec.asker));
    rec.content = view_of(&show->body);
    TRY(fed_app_count(&app->kv, "consents", &number));
    TRY(save_rec(app, number, &rec));
    TRY(introduce(app, show));
    TRY(tell(app, number, &rec));
    app->questions = true;
out:
    return e;
}

/* [yes-stays] Whether one question may come to stand so: what is signed stays
   until it is taken back, and that stays. */
static bool
later(uint64_t state, uint64_t than)
{
    static const uint8_t rank[] = {
        [FED_APP_CONSENT_ASKED] = 1,     [FED_APP_CONSENT_REFUSED] = 2,
        [FED_APP_CONSENT_ACCEPTED] = 3,  [FED_APP_CONSENT_DESK] = 3,
        [FED_APP_CONSENT_WITHDRAWN] = 4,
    };

    return state < sizeof(rank) && than < sizeof(rank) &&
           rank[state] > rank[than];
}

/* Whether show changes what rec says. */
static bool
changes(const struct fed_app_rec_consent *rec, const struct fed_show *show,
        uint64_t state)
{
    if (state == FED_APP_CONSENT_WITHDRAWN) {
        return memcmp(rec->clinic, show->other.b, 32) == 0 &&
               (rec->state == FED_APP_CONSENT_ACCEPTED ||
                rec->state == FED_APP_CONSENT_DESK);
    }
    return state != FED_APP_CONSENT_DESK && same(rec, show) &&
           later(state, rec->state);
}

/*
 * An answer changes its question; a withdrawal everything of its clinic; a
 * question or a record at a desk is a row of its own, once.
 */
enum err
fed_app_show_consent(struct fed_app *app, const struct fed_show *show)
{
    enum err e;
    uint64_t state = state_of(show->code);
    bool news = state == FED_APP_CONSENT_ASKED || state == FED_APP_CONSENT_DESK;
    bool found = false;
    uint64_t number = 0;
    struct fed_app_rec_consent rec;
    struct bytes hold = {0};

    if (state == 0 || memcmp(show->author.b, app->me.patient, 32) != 0) {
        return OK; /* nothing follows of it; or another patient's */
    }
    while ((e = next_rec(app, number, &number, &rec, &hold)) == OK) {
        found = found || (same(&rec, show) && rec.state == state);
        if (!changes(&rec, show, state)) {
            continue;
        }
        rec.state = state;
        TRY(save_rec(app, number, &rec));
        TRY(tell(app, number, &rec));
    }
    TRY(e == ERR_MISSING ? OK : e);
    TRY(news && !found ? add(app, show, state) : OK);
out:
    bytes_free(&hold);
    return e;
}

/* -------------------------------------------------------------- the archive */

enum err
fed_app_consent_kept(struct fed_app *app, const uint8_t name[32],
                     struct bytes *out)
{
    struct fed_app_key key = fed_app_key(view_make(name, 8), (struct view){0});

    return fed_app_get(&app->kv, FED_APP_CONSENT, &key, out);
}

enum err
fed_app_consent_note_all(struct fed_app *app)
{
    enum err e;
    uint64_t number = 0;
    struct fed_app_rec_consent rec;
    struct bytes hold = {0};

    while ((e = next_rec(app, number, &number, &rec, &hold)) == OK) {
        TRY(note(app, number));
    }
    e = e == ERR_MISSING ? OK : e;
out:
    bytes_free(&hold);
    return e;
}

/* Our record of the same; 0: there is none. */
static enum err
ours_of(struct fed_app *app, const struct fed_app_rec_consent *in,
        uint64_t *out, uint64_t *state)
{
    enum err e;
    uint64_t number = 0;
    struct fed_app_rec_consent rec;
    struct bytes hold = {0};

    *out = 0;
    while ((e = next_rec(app, number, &number, &rec, &hold)) == OK) {
        if (memcmp(rec.thread, in->thread, sizeof(rec.thread)) == 0 &&
            memcmp(rec.question, in->question, sizeof(rec.question)) == 0 &&
            memcmp(rec.clinic, in->clinic, sizeof(rec.clinic)) == 0) {
            *out = number;
            *state = rec.state;
        }
    }
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

/* What is answered here is not asked again, and what was taken back stays so.
 */
enum err
fed_app_consent_import(struct fed_app *app, struct view record)
{
    enum err e;
    struct fed_app_rec_consent rec;
    uint64_t number;
    uint64_t state = 0;

    e = fed_rec_decode(record, &fed_app_rec_consent_shape, &rec);
    TRY(e == ERR_CORRUPT ? ERR_FORMAT : e);
    TRY(ours_of(app, &rec, &number, &state));
    if (number != 0 && !later(rec.state, state)) {
        goto out;
    }
    TRY(number == 0 ? fed_app_count(&app->kv, "consents", &number) : OK);
    TRY(save_rec(app, number, &rec));
    TRY(tell(app, number, &rec));
out:
    return e;
}

/* ------------------------------------------------------------------ reading */

static void
from_ask(const struct fed_app *app, const struct proto_ask *ask,
         struct fed_app_consent *out)
{
    struct ident_check check = {.root = &out->clinic};
    struct ident_profile p;

    out->scope = ask->scope;
    out->history = ask->history;
    out->history_from_ms = ask->history_from_ms;
    out->until_ms = ask->until_ms;
    out->purpose = ask->purpose;
    if (ask->profile.len > 0 &&
        ident_profile_open(app->mem, ask->profile, &check, &p) == OK) {
        out->clinic_name = p.name;
    }
}

static void
from_desk(const struct fed_app *app, const struct proto_consent *c,
          struct fed_app_consent *out)
{
    struct ident_check check = {.root = &out->asker};
    struct ident_desk_consent d;

    if (ident_desk_consent_open(app->mem, c->consent, &check, &d) != OK) {
        return;
    }
    out->scope = d.consent.scope;
    out->history = d.consent.history;
    out->history_from_ms = d.consent.history_from_ms;
    out->until_ms = d.consent.until_ms;
    out->purpose = d.consent.purpose;
    out->member_name = d.name;
    out->why = d.why;
}

enum err
fed_app_consent_next(struct fed_app *app, uint64_t after,
                     struct fed_app_consent *out, struct bytes *hold)
{
    enum err e;
    struct fed_app_rec_consent rec;
    struct proto_content c;
    uint64_t number;

    TRY(next_rec(app, after, &number, &rec, hold));
    *out = (struct fed_app_consent){
        .number = number,
        .state = (enum fed_app_consent_state)rec.state,
        .at_ms = rec.at_ms,
    };
    memcpy(out->clinic.b, rec.clinic, sizeof(out->clinic.b));
    memcpy(out->asker.b, rec.asker, sizeof(out->asker.b));
    memcpy(out->thread.b, rec.thread, sizeof(out->thread.b));
    if (proto_content_decode(rec.content, &c) == OK) {
        if (c.kind == PROTO_CONTENT_ASK) {
            from_ask(app, &c.u.ask, out);
        } else if (c.kind == PROTO_CONTENT_CONSENT) {
            from_desk(app, &c.u.consent, out);
        }
    }
out:
    return e;
}

/* ---------------------------------------------------------------- answering */

static enum err
load(struct fed_app *app, uint64_t number, struct fed_app_rec_consent *out,
     struct bytes *hold)
{
    struct fed_app_key key = number_key(number);

    return app->core == NULL
               ? ERR_MISSING
               : fed_app_load(&app->kv, FED_APP_CONSENT, &key,
                              &fed_app_rec_consent_shape, out, hold);
}

static enum err
answer(struct fed_app *app, uint64_t number, bool yes)
{
    enum err e;
    struct fed_app_rec_consent rec;
    struct thread_id thread;
    struct message_id question;
    struct clinic_id asker;
    struct bytes hold = {0};

    TRY(load(app, number, &rec, &hold));
    TRY(rec.state == FED_APP_CONSENT_ASKED ? OK : ERR_STATE);
    memcpy(thread.b, rec.thread, sizeof(thread.b));
    memcpy(question.b, rec.question, sizeof(question.b));
    memcpy(asker.b, rec.asker, sizeof(asker.b));
    /* It may have been put before this device came into the conversation. */
    e = fed_core_asked(app->core, &thread, &question, &asker, rec.content);
    TRY(e == ERR_MISSING || e == ERR_DENIED ? ERR_STATE : e);
    e = fed_core_answer(app->core, &thread, &question, yes);
    TRY(e == ERR_MISSING ? ERR_STATE : e);
    rec.state = yes ? FED_APP_CONSENT_ACCEPTED : FED_APP_CONSENT_REFUSED;
    TRY(save_rec(app, number, &rec));
    TRY(tell(app, number, &rec));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_app_consent_accept(struct fed_app *app, uint64_t number)
{
    return answer(app, number, true);
}

enum err
fed_app_consent_refuse(struct fed_app *app, uint64_t number)
{
    return answer(app, number, false);
}

enum err
fed_app_consent_withdraw(struct fed_app *app, uint64_t number)
{
    enum err e;
    struct fed_app_rec_consent rec;
    struct clinic_id clinic;
    struct bytes hold = {0};

    TRY(load(app, number, &rec, &hold));
    TRY(rec.state == FED_APP_CONSENT_ACCEPTED ||
                rec.state == FED_APP_CONSENT_DESK
            ? OK
            : ERR_STATE);
    memcpy(clinic.b, rec.clinic, sizeof(clinic.b));
    TRY(fed_core_withdraw(app->core, &clinic));
    rec.state = FED_APP_CONSENT_WITHDRAWN;
    TRY(save_rec(app, number, &rec));
    TRY(tell(app, number, &rec));
out:
    bytes_free(&hold);
    return e;
}
