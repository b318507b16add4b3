/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a part of the archive tells: messages, threads and clinics become ours
 * as if they had come by themselves.  What is known already changes nothing.
 */
#include "federation/app/inside.h"

#include <string.h>

static enum err
import_message(struct fed_app *app, const struct fed_app_rec_entry *in)
{
    enum err e;
    struct fed_show show = {.kind = FED_SHOW_MESSAGE,
                            .term = in->term,
                            .seq = in->seq,
                            .ts_ms = in->at_ms};

    TRY(in->seq == 0 ? ERR_FORMAT : OK);
    memcpy(show.thread.b, in->thread, sizeof(show.thread.b));
    memcpy(show.message.b, in->id, sizeof(show.message.b));
    memcpy(show.author.b, in->author, sizeof(show.author.b));
    TRY(bytes_copy(app->mem, in->body, &show.body));
    TRY(fed_app_show_message(app, &show));
out:
    bytes_free(&show.body);
    return e;
}

/* A thread that we are not in (yet): shown, and what was said in it. */
static enum err
import_thread(struct fed_app *app, const struct fed_app_rec_entry *in)
{
    static const uint8_t nothing[32];
    enum err e;
    struct thread_id id;
    struct fed_app_rec_thread t;
    struct bytes hold = {0};
    bool news;

    memcpy(id.b, in->thread, sizeof(id.b));
    TRY(fed_app_thread_rec(app, &id, &t, &hold));
    fed_app_between_kept(app, in, &t);
    if (t.group.len == 0 || fed_app_between_away(app, &id, &t)) {
        t.flags = in->term;
        t.group = in->body;
        memcpy(t.hub, in->author, sizeof(t.hub));
    }
    if (t.title.len == 0 || fed_app_between_away(app, &id, &t)) {
        t.title = in->more;
    }
    TRY(fed_app_thread_save(app, &id, &t));
    TRY(memcmp(in->id, in->thread, sizeof(in->id)) != 0 &&
                memcmp(in->id, nothing, sizeof(nothing)) != 0
            ? fed_app_thread_continues(app, &id, in->id, &news)
            : OK);
out:
    bytes_free(&hold);
    return e;
}

static enum err
import_clinic(struct fed_app *app, const struct fed_app_rec_entry *in)
{
    enum err e;
    struct clinic_id root;
    struct fed_app_rec_clinic c;
    struct bytes hold = {0};

    memcpy(root.b, in->id, sizeof(root.b));
    TRY(fed_app_clinic_rec(app, &root, &c, &hold));
    c.state = c.state == 0 ? FED_APP_CLINIC_IN_THREAD : c.state;
    c.learned = in->term > c.learned ? in->term : c.learned;
    c.profile = c.profile.len == 0 ? in->body : c.profile;
    c.addrs = c.addrs.len == 0 ? in->more : c.addrs;
    TRY(fed_app_clinic_save(app, &root, &c));
out:
    bytes_free(&hold);
    return e;
}

/* In its place of the log, where it may be already. */
static enum err
import_line(struct fed_app *app, const struct fed_app_rec_entry *in)
{
    enum err e;
    struct thread_id id;
    struct fed_line line = {.at = in->seq, .ts_ms = in->at_ms};

    TRY(fed_line_kept(in->term) && in->body.len == sizeof(line.device)
            ? OK
            : ERR_FORMAT);
    line.what = (enum fed_line_what)in->term;
    memcpy(id.b, in->thread, sizeof(id.b));
    memcpy(line.who, in->id, sizeof(line.who));
    memcpy(line.by, in->author, sizeof(line.by));
    memcpy(line.device, in->body.p, sizeof(line.device));
    TRY(fed_app_line_save(app, &id, &line));
out:
    return e;
}

enum err
fed_app_import(struct fed_app *app, const struct fed_app_rec_part *part)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct fed_app_rec_entry entry;

    app->importing = true;
    while (e == OK && proto_list_next(&part->entries, &fed_app_rec_entry_shape,
                                      &at, &entry)) {
        e = entry.kind == FED_APP_KEPT_MESSAGE  ? import_message(app, &entry)
            : entry.kind == FED_APP_KEPT_THREAD ? import_thread(app, &entry)
            : entry.kind == FED_APP_KEPT_CLINIC ? import_clinic(app, &entry)
            : entry.kind == FED_APP_KEPT_LINE   ? import_line(app, &entry)
            : entry.kind == FED_APP_KEPT_CONSENT
                ? fed_app_consent_import(app, entry.body)
                : OK;
        e = e == ERR_FORMAT ? OK : e;
    }
    app->importing = false;
    return e;
}
