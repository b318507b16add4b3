/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person is told about how a thread is carried (decisions D 19): a
 * record for each doubt about a member while it lasts.  Most end when what was
 * missing comes; two logs, what was never delivered, and a report that was not
 * answered, stay until the person says to have seen to it.
 *
 * Behind a relay the app sees the relay alone: that nothing comes from a
 * clinic behind it, or that the clinic has not taken what was said, and no
 * more.
 */
#include "federation/app/doubt.h"
#include "federation/app/inside.h"
#include "federation/core/patient.h"
#include "federation/core/rec.h"

#include <string.h>

static struct fed_app_key
doubt_key(const struct thread_id *thread, uint64_t what, const uint8_t who[32])
{
    uint8_t b[33];

    b[0] = (uint8_t)what;
    memcpy(b + 1, who, 32);
    return fed_app_key(thread_id_view(thread), VIEW_ARRAY(b));
}

static bool
lasts(uint64_t what)
{
    return what == FED_APP_DOUBT_NEVER || what == FED_APP_DOUBT_FORK ||
           what == FED_APP_DOUBT_REPORT;
}

enum err
fed_app_show_doubt(struct fed_app *app, const struct fed_show *show)
{
    enum err e;
    bool fork = show->kind == FED_SHOW_FORK;
    bool on = fork || show->value != 0;
    uint64_t what = fork ? FED_APP_DOUBT_FORK : show->code;
    struct fed_app_key key = doubt_key(&show->thread, what, show->author.b);
    struct fed_app_rec_doubt rec = {.since_ms = show->ts_ms};
    struct fed_app_event *ev;

    memcpy(rec.carries, show->peer.b, sizeof(rec.carries));
    TRY(on ? fed_app_save(&app->kv, FED_APP_DOUBT, &key,
                          &fed_app_rec_doubt_shape, &rec)
           : fed_app_del(&app->kv, FED_APP_DOUBT, &key));
    TRY(fed_app_tell(app, FED_APP_EV_TROUBLE, &ev));
    ev->code = FED_APP_TROUBLE_DOUBT;
    ev->number = on ? 1 : 0;
    ev->clinic = show->peer;
    ev->thread = show->thread;
    ev->message.b[0] = (uint8_t)what;
out:
    return e;
}

/* ------------------------------------------------------------------ reading */

/* The first record at or behind from. */
static enum err
next_rec(struct fed_app *app, const struct thread_id *thread,
         const struct fed_app_key *from, struct fed_app_doubt *out)
{
    enum err e;
    struct fed_app_key key;
    struct fed_app_rec_doubt rec;
    struct bytes value = {0};

    TRY(fed_app_next(&app->kv, FED_APP_DOUBT, from, thread_id_view(thread),
                     &key, &value));
    TRY(key.len == 65 ? OK : ERR_CORRUPT);
    TRY(fed_rec_decode(view_of(&value), &fed_app_rec_doubt_shape, &rec));
    *out = (struct fed_app_doubt){.what = key.b[32], .since_ms = rec.since_ms};
    memcpy(out->who.b, key.b + 33, sizeof(out->who.b));
    memcpy(out->carries.b, rec.carries, sizeof(out->carries.b));
out:
    bytes_free(&value);
    return e;
}

/* Who delivers what goes to hub. */
static struct clinic_id
way_to(struct fed_app *app, const struct clinic_id *hub)
{
    struct fed_party_info p;

    return app->core != NULL && fed_core_party(app->core, hub, &p) == OK &&
                   !clinic_id_is_zero(&p.via)
               ? p.via
               : *hub;
}

/* The oldest of ours that the hub does not have, when that is a day old. */
static enum err
not_taken(struct fed_app *app, const struct thread_id *thread,
          struct fed_app_doubt *out)
{
    enum err e;
    struct fed_app_thread t;
    struct fed_app_message m = {.at_ms = 0};
    struct bytes th = {0};
    struct bytes hold = {0};
    uint64_t place = fed_app_waiting();
    uint64_t now = fed_app_now(app);

    TRY(fed_app_thread(app, thread, &t, &th));
    TRY(t.waiting > 0 && !t.gone ? OK : ERR_MISSING);
    do {
        TRY(fed_app_message_next(app, thread, &place, &m, &hold));
    } while (m.state != FED_MESSAGE_QUEUED);
    TRY(now > m.at_ms && now - m.at_ms >= LIMIT_OVERDUE_MS ? OK : ERR_MISSING);
    *out = (struct fed_app_doubt){
        .what = FED_APP_DOUBT_WAITS, .who = t.hub, .since_ms = m.at_ms};
    out->carries = way_to(app, &t.hub);
out:
    bytes_free(&th);
    bytes_free(&hold);
    return e;
}

enum err
fed_app_doubt_next(struct fed_app *app, const struct thread_id *thread,
                   const struct fed_app_doubt *after, struct fed_app_doubt *out)
{
    enum err e = ERR_MISSING;
    struct fed_app_key from = fed_app_key(thread_id_view(thread), VIEW_LIT(""));

    if (after != NULL) {
        from = doubt_key(thread, after->what, after->who.b);
        from = fed_app_key(fed_app_key_view(&from), VIEW_LIT("\0"));
    }
    if (after == NULL || after->what != FED_APP_DOUBT_WAITS) {
        e = next_rec(app, thread, &from, out);
        e = e == ERR_MISSING ? not_taken(app, thread, out) : e;
    }
    return e;
}

/* ------------------------------------------------------------------- settle */

enum err
fed_app_settle(struct fed_app *app, const struct thread_id *thread,
               uint64_t *settled_out)
{
    enum err e;
    struct fed_app_doubt d;
    struct fed_app_key from = fed_app_key(thread_id_view(thread), VIEW_LIT(""));
    uint64_t n = 0;

    for (;;) {
        struct fed_app_key key;

        e = next_rec(app, thread, &from, &d);
        if (e != OK) {
            break;
        }
        key = doubt_key(thread, d.what, d.who.b);
        if (lasts(d.what)) {
            TRY(fed_app_del(&app->kv, FED_APP_DOUBT, &key));
            n++;
        }
        from = fed_app_key(fed_app_key_view(&key), VIEW_LIT("\0"));
    }
    TRY(e == ERR_MISSING ? OK : e);
    *settled_out = n;
out:
    return e;
}
