/* SPDX-License-Identifier: Apache-2.0 */
/* Threads as shown: who orders them, who is in them, how many are unread. */
#include "federation/app/inside.h"
#include "federation/core/hub.h"
#include "federation/core/patient.h"
#include "federation/core/rec.h"
#include "proto/msg/group.h"

#include <string.h>

static struct fed_app_key
thread_key(const struct thread_id *id)
{
    return fed_app_key(thread_id_view(id), (struct view){0});
}

enum err
fed_app_thread_rec(struct fed_app *app, const struct thread_id *id,
                   struct fed_app_rec_thread *out, struct bytes *hold)
{
    struct fed_app_key key = thread_key(id);
    enum err e = fed_app_load(&app->kv, FED_APP_THREAD, &key,
                              &fed_app_rec_thread_shape, out, hold);

    if (e != ERR_MISSING) {
        return e;
    }
    memset(out, 0, sizeof(*out));
    out->state = FED_THREAD_OPENING;
    out->last_ms = fed_app_now(app);
    return fed_app_count(&app->kv, "threads", &out->number);
}

enum err
fed_app_thread_save(struct fed_app *app, const struct thread_id *id,
                    const struct fed_app_rec_thread *rec)
{
    struct fed_app_key key = thread_key(id);

    return fed_app_save(&app->kv, FED_APP_THREAD, &key,
                        &fed_app_rec_thread_shape, rec);
}

/* Who founded a thread was brought into it by nobody: another thread may say
 * who did. */
static bool
not_said_by(const struct fed_app_rec_clinic *rec, const struct proto_subject *s)
{
    static const uint8_t nobody[32];

    return rec->learned == FED_APP_LEARNED_THREAD &&
           memcmp(rec->by, nobody, sizeof(nobody)) == 0 &&
           memcmp(s->added_by, nobody, sizeof(nobody)) != 0;
}

/* Clinics that we know only from a thread, and who brought them in. */
static enum err
meet(struct fed_app *app, struct view body)
{
    enum err e;
    struct proto_group group;
    struct proto_list_at at = {0};
    struct proto_subject s;

    TRY(proto_group_decode(body, &group));
    while (proto_list_next(&group.subjects, &proto_subject_shape, &at, &s)) {
        struct clinic_id root;
        struct fed_app_rec_clinic rec;
        struct bytes hold = {0};

        if (s.kind != PROTO_SUBJECT_CLINIC) {
            continue;
        }
        memcpy(root.b, s.root, sizeof(root.b));
        e = fed_app_clinic_rec(app, &root, &rec, &hold);
        if (e == OK && (rec.state == 0 || not_said_by(&rec, &s))) {
            rec.state = rec.state == 0 ? FED_APP_CLINIC_IN_THREAD : rec.state;
            rec.learned = FED_APP_LEARNED_THREAD;
            memcpy(rec.by, s.added_by, sizeof(rec.by));
            e = fed_app_clinic_save(app, &root, &rec);
        }
        bytes_free(&hold);
        TRY(e);
    }
out:
    return e;
}

/* The first term names the thread that it goes on from; later ones, the term
   before. */
static bool
names_before(const struct proto_group *g)
{
    return (g->flags & (PROTO_GROUP_AFTER | PROTO_GROUP_CONTINUES)) != 0 &&
           g->term == 1;
}

/* The one that it goes on from; zeros: not known. */
void
fed_app_thread_from(struct fed_app *app, const struct thread_id *id,
                    struct thread_id *out)
{
    struct fed_app_key key = thread_key(id);
    struct bytes b = {0};

    if (fed_app_get(&app->kv, FED_APP_FROM, &key, &b) == OK &&
        b.len == sizeof(out->b)) {
        memcpy(out->b, b.p, sizeof(out->b));
    }
    bytes_free(&b);
}

/* What was said first stays. */
enum err
fed_app_thread_continues(struct fed_app *app, const struct thread_id *id,
                         const uint8_t from[32], bool *news)
{
    enum err e;
    struct fed_app_key key = thread_key(id);
    struct bytes had = {0};

    *news = false;
    e = fed_app_get(&app->kv, FED_APP_FROM, &key, &had);
    if (e != ERR_MISSING) {
        goto out;
    }
    TRY(fed_app_put(&app->kv, FED_APP_FROM, &key, view_make(from, 32)));
    *news = true;
out:
    bytes_free(&had);
    return e;
}

/* Its group forgets it with the next term. */
static enum err
keep_before(struct fed_app *app, const struct thread_id *id, struct view group)
{
    enum err e;
    struct proto_group g;
    bool news;

    TRY(proto_group_decode(group, &g));
    TRY(names_before(&g) ? fed_app_thread_continues(app, id, g.prev, &news)
                         : OK);
out:
    return e;
}

enum err
fed_app_show_thread(struct fed_app *app, const struct fed_show *show)
{
    enum err e;
    struct fed_app_rec_thread t;
    struct bytes hold = {0};
    struct fed_app_event *ev;

    TRY(fed_app_thread_rec(app, &show->thread, &t, &hold));
    fed_app_between_shown(app, &t);
    t.state = show->code;
    t.flags = show->value;
    memcpy(t.hub, show->peer.b, sizeof(t.hub));
    if (show->body.len > 0) {
        t.group = view_of(&show->body);
        TRY(meet(app, t.group));
        TRY(keep_before(app, &show->thread, t.group));
    }
    TRY(fed_app_thread_save(app, &show->thread, &t));
    TRY(fed_app_archive_note(app, FED_APP_KEPT_THREAD, &show->thread,
                             show->thread.b));
    TRY(fed_app_tell(app, FED_APP_EV_THREAD, &ev));
    ev->thread = show->thread;
    ev->code = show->code;
    ev->number = t.number;
out:
    bytes_free(&hold);
    return e;
}

/* ------------------------------------------------------------------ reading */

static bool
has_ended(struct fed_app *app, const struct clinic_id *root)
{
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};
    bool is = fed_app_clinic_known(app, root, &rec, &hold) == OK &&
              (rec.state == FED_APP_CLINIC_ENDED || rec.blocked);

    bytes_free(&hold);
    return is;
}

/* Who orders the thread, or carries it to us, if that has ended the connection
 * and there is no other way. */
static void
find_cut(struct fed_app *app, const struct proto_group *g,
         struct clinic_id *out)
{
    struct clinic_id hub;
    struct clinic_id by;

    memcpy(hub.b, g->hub, sizeof(hub.b));
    if (app->core != NULL && !fed_core_reaches(app->core, &hub, &by) &&
        has_ended(app, &by)) {
        *out = by;
    }
}

/* We came late into it, as its hub moved on. */
enum err
fed_app_show_continued(struct fed_app *app, const struct fed_show *show)
{
    enum err e;
    struct fed_app_event *ev;
    bool news;

    TRY(show->body.len == sizeof(show->thread.b) ? OK : ERR_INVALID);
    TRY(fed_app_thread_continues(app, &show->thread, show->body.p, &news));
    if (!news) {
        goto out;
    }
    TRY(fed_app_archive_note(app, FED_APP_KEPT_THREAD, &show->thread,
                             show->thread.b));
    TRY(fed_app_tell(app, FED_APP_EV_THREAD, &ev));
    ev->thread = show->thread;
out:
    return e;
}

static void
show_rec(struct fed_app *app, const struct thread_id *id,
         const struct fed_app_rec_thread *t, struct fed_app_thread *out)
{
    struct proto_group g;

    *out = (struct fed_app_thread){
        .id = *id,
        .number = t->number,
        .state = (enum fed_thread_state)t->state,
        .messages = t->messages,
        .unread = t->unread,
        .waiting = t->waiting,
        .last_ms = t->last_ms,
        .title = t->title,
        .group = t->group,
    };
    out->away = fed_app_between_away(app, id, t);
    memcpy(out->hub.b, t->hub, sizeof(out->hub.b));
    if (t->group.len == 0 || proto_group_decode(t->group, &g) != OK) {
        return;
    }
    if (t->state == FED_THREAD_ACTIVE || t->state == FED_THREAD_RESYNC) {
        find_cut(app, &g, &out->cut);
    }
    if (names_before(&g)) {
        memcpy(out->after.b, g.prev, sizeof(out->after.b));
    } else if ((g.flags & (PROTO_GROUP_AFTER | PROTO_GROUP_CONTINUES)) != 0) {
        fed_app_thread_from(app, id, &out->after);
    }
    if (app->core != NULL &&
        fed_core_stands(app->core, id, &out->gone_ms) == OK) {
        out->gone = out->gone_ms != 0;
    }
    if (app->core != NULL &&
        fed_core_left_out(app->core, id, &out->left_out_ms) != OK) {
        out->left_out_ms = 0;
    }
}

enum err
fed_app_thread(struct fed_app *app, const struct thread_id *id,
               struct fed_app_thread *out, struct bytes *hold)
{
    enum err e;
    struct fed_app_key key = thread_key(id);
    struct fed_app_rec_thread t;

    TRY(fed_app_load(&app->kv, FED_APP_THREAD, &key, &fed_app_rec_thread_shape,
                     &t, hold));
    show_rec(app, id, &t, out);
out:
    return e;
}

enum err
fed_app_thread_next(struct fed_app *app, const struct thread_id *after,
                    struct fed_app_thread *out, struct bytes *hold)
{
    enum err e;
    struct fed_app_key from = {.len = 0};
    struct fed_app_key key;
    struct fed_app_rec_thread t;
    struct thread_id id;
    struct bytes value = {0};

    if (after != NULL) {
        from = fed_app_key(thread_id_view(after), VIEW_LIT("\0"));
    }
    TRY(fed_app_next(&app->kv, FED_APP_THREAD, &from, (struct view){0}, &key,
                     &value));
    TRY(fed_rec_decode(view_of(&value), &fed_app_rec_thread_shape, &t));
    TRY(thread_id_from(fed_app_key_view(&key), &id));
    show_rec(app, &id, &t, out);
    bytes_free(hold);
    *hold = bytes_take(&value);
out:
    bytes_free(&value);
    return e;
}

enum err
fed_app_leave(struct fed_app *app, const struct thread_id *thread)
{
    return app->core == NULL ? ERR_MISSING : fed_core_leave(app->core, thread);
}

enum err
fed_app_continue(struct fed_app *app, const struct thread_id *thread,
                 const struct clinic_id *with, struct thread_id *id_out)
{
    return app->core == NULL
               ? ERR_MISSING
               : fed_core_continue(app->core, thread, with, id_out);
}
