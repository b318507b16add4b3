/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was said between two devices.  Who has lost the only one has none for a
 * while: what is said meanwhile reaches nobody, and lies in no archive.  A new
 * device that comes into a thread which the archive knows asks its clinics for
 * what lies between the two (decisions E 22), once the archive is read.  Until
 * it is in, such a thread is away: known, and not on this device.
 */
#include "federation/app/inside.h"

#include <string.h>

static bool
is_in(struct fed_app *app, const struct thread_id *id)
{
    struct fed_thread_info info;

    return app->core != NULL && fed_core_thread(app->core, id, &info) == OK;
}

void
fed_app_between_shown(struct fed_app *app, struct fed_app_rec_thread *t)
{
    uint64_t from;

    if (t->group.len == 0 && t->between == FED_APP_BETWEEN_NO &&
        fed_app_number(&app->kv, FED_APP_ARCHIVE_FROM, &from) == OK &&
        from != 0) {
        t->between = FED_APP_BETWEEN_NEW;
    }
    app->between_due = app->between_due || t->between != FED_APP_BETWEEN_NO;
}

void
fed_app_between_kept(struct fed_app *app, const struct fed_app_rec_entry *in,
                     struct fed_app_rec_thread *t)
{
    struct thread_id id;
    bool over = in->seq == FED_THREAD_ENDED || in->seq == FED_THREAD_REMOVED;

    memcpy(id.b, in->thread, sizeof(id.b));
    if (is_in(app, &id)) {
        t->between = t->between == FED_APP_BETWEEN_NEW ? FED_APP_BETWEEN_KEPT
                                                       : t->between;
    } else if (t->group.len == 0 || t->between == FED_APP_BETWEEN_KEPT) {
        t->state = over ? in->seq : FED_THREAD_ENDED;
        t->between = over ? FED_APP_BETWEEN_NO : FED_APP_BETWEEN_KEPT;
    }
    app->between_due = true;
}

bool
fed_app_between_away(struct fed_app *app, const struct thread_id *id,
                     const struct fed_app_rec_thread *t)
{
    return t->between == FED_APP_BETWEEN_KEPT && !is_in(app, id);
}

/* One thread: ask, when it is in and the archive is read. */
static enum err
step(struct fed_app *app, const struct thread_id *id)
{
    enum err e;
    struct fed_app_rec_thread t;
    struct bytes hold = {0};
    struct fed_thread_info info;

    TRY(fed_app_thread_rec(app, id, &t, &hold));
    if (t.between == FED_APP_BETWEEN_NO) {
        goto out;
    }
    if (t.between == FED_APP_BETWEEN_KEPT) {
        e = fed_core_thread(app->core, id, &info);
        if (e == ERR_MISSING || (e == OK && info.state != FED_THREAD_ACTIVE)) {
            e = OK;
            goto out; /* looked at again when it is shown */
        }
        TRY(e);
        TRY(fed_core_past_before(app->core, id));
    }
    t.between = FED_APP_BETWEEN_NO;
    TRY(fed_app_thread_save(app, id, &t));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_app_between_pump(struct fed_app *app)
{
    enum err e;
    uint64_t from;
    struct fed_app_thread t;
    struct thread_id at;
    const struct thread_id *after = NULL;
    struct bytes hold = {0};

    if (!app->between_due || app->core == NULL) {
        return OK;
    }
    TRY(fed_app_number(&app->kv, FED_APP_ARCHIVE_FROM, &from));
    if (from != 0) {
        goto out; /* the end of the archive is waited for */
    }
    app->between_due = false;
    while ((e = fed_app_thread_next(app, after, &t, &hold)) == OK) {
        at = t.id;
        after = &at;
        TRY(step(app, &at));
    }
    e = e == ERR_MISSING ? OK : e;
out:
    app->between_due = app->between_due || e != OK;
    bytes_free(&hold);
    return e;
}
