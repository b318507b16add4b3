/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The archive: what was said, for the patient's later devices.  It is made of
 * parts sealed under keys that follow from the recovery code (sealed.c,
 * ring.c), kept by the home clinic, which learns when and how much, in steps of
 * a KiB.
 *
 * The first device of the list writes it; one that becomes the first writes
 * everything that it has, since it cannot know what its predecessor left out.
 * What comes twice is one message: they have ids.
 */
#include "federation/core/archive.h"
#include "crypto/prim/aead.h"
#include "federation/app/inside.h"
#include "federation/core/rec.h"

#include <string.h>

enum {
    FULL = 60 * 1024,      /* a part is closed above this */
    ENTRIES = 64,          /* at most so many in one */
    ENTRY = 128,           /* what one takes beside its body, about */
    NEWS_KEY = 1 + 32 + 32 /* kind, thread, id */
};

static const char label[] = "balsam v1 archive part";

static const char writer_name[] =
    "archivist"; /* the home that we write to, or 0 */
static const char full_name[] = "archive_full"; /* who keeps no more */

/* --------------------------------------------------------------- what waits */

bool
fed_app_archivist(struct fed_app *app)
{
    struct fed_app_device d;

    return fed_app_device(app, 0, &d) == OK && d.here;
}

enum err
fed_app_archive_note(struct fed_app *app, enum fed_app_kept kind,
                     const struct thread_id *thread, const uint8_t id[32])
{
    enum err e;
    uint8_t what[NEWS_KEY];
    struct fed_app_key key;
    uint64_t n;

    if (app->importing || !fed_app_archivist(app)) {
        return OK;
    }
    what[0] = (uint8_t)kind;
    memcpy(what + 1, thread->b, sizeof(thread->b));
    memcpy(what + 33, id, 32);
    TRY(fed_app_count(&app->kv, "news", &n));
    key = fed_app_key_num((struct view){0}, n);
    TRY(fed_app_put(&app->kv, FED_APP_NEWS, &key, VIEW_ARRAY(what)));
out:
    return e;
}

/* The first of what waits.  ERR_MISSING  nothing */
static enum err
first_news(struct fed_app *app, const struct fed_app_key *from,
           struct fed_app_key *key, struct bytes *what)
{
    enum err e =
        fed_app_next(&app->kv, FED_APP_NEWS, from, (struct view){0}, key, what);

    return e == OK && what->len != NEWS_KEY ? ERR_CORRUPT : e;
}

/* Note everything of one space again. */
static enum err
note_space(struct fed_app *app, uint8_t space, enum fed_app_kept kind)
{
    enum err e;
    struct fed_app_key at = {.len = 0};
    struct fed_app_key key;
    struct bytes value = {0};
    struct thread_id thread;

    for (;;) {
        bytes_free(&value);
        TRY(fed_app_next(&app->kv, space, &at, (struct view){0}, &key, &value));
        memset(&thread, 0, sizeof(thread));
        if (kind != FED_APP_KEPT_CLINIC) {
            memcpy(thread.b, key.b, sizeof(thread.b));
        }
        TRY(fed_app_archive_note(app, kind, &thread,
                                 kind == FED_APP_KEPT_MESSAGE ? value.p
                                 : kind == FED_APP_KEPT_LINE
                                     ? key.b + sizeof(thread.b)
                                     : key.b));
        at = fed_app_key(fed_app_key_view(&key), VIEW_LIT("\0"));
    }
out:
    bytes_free(&value);
    return e == ERR_MISSING ? OK : e;
}

/* Which clinic it is: never 0. */
static uint64_t
home_number(const struct fed_app *app)
{
    uint64_t n;

    memcpy(&n, app->me.home, sizeof(n));
    return n | 1;
}

/* This device became the first one, or has another home: it writes everything
   that it has. */
static enum err
take_over(struct fed_app *app)
{
    enum err e;
    uint64_t writer;
    uint64_t now = fed_app_archivist(app) ? home_number(app) : 0;

    TRY(fed_app_number(&app->kv, writer_name, &writer));
    if (now == writer) {
        goto out;
    }
    TRY(fed_app_number_put(&app->kv, writer_name, now));
    if (now != 0) {
        TRY(note_space(app, FED_APP_CLINIC, FED_APP_KEPT_CLINIC));
        TRY(note_space(app, FED_APP_THREAD, FED_APP_KEPT_THREAD));
        TRY(note_space(app, FED_APP_NUMBER, FED_APP_KEPT_MESSAGE));
        TRY(note_space(app, FED_APP_LINE, FED_APP_KEPT_LINE));
        TRY(fed_app_consent_note_all(app));
    }
out:
    return e;
}

enum err
fed_app_archive_again(struct fed_app *app, const struct clinic_id *clinic)
{
    enum err e = OK;

    if (memcmp(app->me.home, clinic->b, sizeof(app->me.home)) != 0) {
        return OK;
    }
    TRY(fed_app_number_put(&app->kv, writer_name, 0));
    TRY(fed_app_ring_due(app));
    TRY(fed_app_shared_due(app));
out:
    return e;
}

/* ----------------------------------------------------------------- one part */

struct part {
    struct fed_app_rec_entry entries[ENTRIES];
    struct bytes hold[ENTRIES];
    uint32_t len;
    size_t size;
};

static void
clear_part(struct part *p)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        bytes_free(&p->hold[i]);
    }
}

static enum err
message_entry(struct fed_app *app, const struct thread_id *thread,
              const uint8_t id[32], struct fed_app_rec_entry *out,
              struct bytes *hold)
{
    enum err e;
    struct fed_app_rec_message m;

    TRY(fed_app_message_rec(app, thread, id, &m, hold));
    TRY(m.seq == 0 ? ERR_MISSING : OK);
    memcpy(out->author, m.author, sizeof(out->author));
    out->term = m.term;
    out->seq = m.seq;
    out->at_ms = m.at_ms;
    out->body = m.content;
out:
    return e;
}

static enum err
thread_entry(struct fed_app *app, const struct thread_id *thread,
             struct fed_app_rec_entry *out, struct bytes *hold)
{
    enum err e;
    struct fed_app_rec_thread t;
    struct thread_id from = *thread;
    struct fed_app_key key =
        fed_app_key(thread_id_view(thread), (struct view){0});

    TRY(fed_app_load(&app->kv, FED_APP_THREAD, &key, &fed_app_rec_thread_shape,
                     &t, hold));
    fed_app_thread_from(app, thread, &from);
    memcpy(out->id, from.b, sizeof(out->id));
    memcpy(out->author, t.hub, sizeof(out->author));
    out->term = t.flags;
    out->seq = t.state;
    out->at_ms = t.last_ms;
    out->body = t.group;
    out->more = t.title;
out:
    return e;
}

static enum err
clinic_entry(struct fed_app *app, const uint8_t root[32],
             struct fed_app_rec_entry *out, struct bytes *hold)
{
    enum err e;
    struct fed_app_rec_clinic c;
    struct fed_app_key key = fed_app_key(view_make(root, 32), (struct view){0});

    TRY(fed_app_load(&app->kv, FED_APP_CLINIC, &key, &fed_app_rec_clinic_shape,
                     &c, hold));
    out->term = c.learned;
    out->at_ms = c.since_ms;
    out->body = c.profile;
    out->more = c.addrs;
out:
    return e;
}

static enum err
line_entry(struct fed_app *app, const struct thread_id *thread,
           const uint8_t name[32], struct fed_app_rec_entry *out,
           struct bytes *hold)
{
    enum err e;
    struct fed_line line;

    TRY(fed_app_line_named(app, thread, name, &line));
    TRY(bytes_copy(app->mem, VIEW_ARRAY(line.device), hold));
    memcpy(out->id, line.who, sizeof(out->id));
    memcpy(out->author, line.by, sizeof(out->author));
    out->term = (uint64_t)line.what;
    out->seq = line.at;
    out->at_ms = line.ts_ms;
    out->body = view_of(hold);
out:
    return e;
}

static enum err
consent_entry(struct fed_app *app, struct fed_app_rec_entry *out,
              struct bytes *hold)
{
    enum err e = fed_app_consent_kept(app, out->id, hold);

    out->body = view_of(hold);
    return e;
}

/* The entry that news is about.  ERR_MISSING  it is gone, or waits itself */
static enum err
fill_entry(struct fed_app *app, const uint8_t what[NEWS_KEY],
           struct fed_app_rec_entry *out, struct bytes *hold)
{
    struct thread_id thread;
    uint8_t name[32];

    memset(out, 0, sizeof(*out));
    out->kind = what[0];
    memcpy(out->thread, what + 1, sizeof(out->thread));
    memcpy(out->id, what + 33, sizeof(out->id));
    memcpy(thread.b, out->thread, sizeof(thread.b));
    switch (out->kind) {
    case FED_APP_KEPT_MESSAGE:
        return message_entry(app, &thread, out->id, out, hold);
    case FED_APP_KEPT_THREAD:
        return thread_entry(app, &thread, out, hold);
    case FED_APP_KEPT_CLINIC:
        return clinic_entry(app, out->id, out, hold);
    case FED_APP_KEPT_LINE:
        memcpy(name, what + 33, sizeof(name));
        return line_entry(app, &thread, name, out, hold);
    case FED_APP_KEPT_CONSENT:
        return consent_entry(app, out, hold);
    default:
        return ERR_CORRUPT;
    }
}

/* As much of what waits as a part holds; it waits no more. */
static enum err
gather(struct fed_app *app, struct part *p)
{
    enum err e = OK;
    struct fed_app_key at = {.len = 0};
    struct fed_app_key key;
    struct bytes what = {0};

    while (p->len < ENTRIES && p->size < FULL) {
        struct fed_app_rec_entry *entry = &p->entries[p->len];

        bytes_free(&what);
        e = first_news(app, &at, &key, &what);
        if (e == ERR_MISSING) {
            break;
        }
        TRY(e);
        e = fill_entry(app, what.p, entry, &p->hold[p->len]);
        if (e != OK && e != ERR_MISSING) {
            goto out;
        }
        if (e == OK && p->hold[p->len].len > 0) {
            p->size += entry->body.len + entry->more.len + ENTRY;
            p->len++;
        } else {
            bytes_free(&p->hold[p->len]);
        }
        TRY(fed_app_del(&app->kv, FED_APP_NEWS, &key));
        at = key;
    }
    e = OK;
out:
    bytes_free(&what);
    return e;
}

static enum err
seal(struct fed_app *app, const struct part *p, struct bytes *out)
{
    enum err e;
    struct fed_app_rec_part rec = {{p->entries, p->len, {0}}};
    struct bytes body = {0};

    TRY(fed_rec_encode(app->mem, &fed_app_rec_part_shape, &rec, &body));
    TRY(fed_app_sealed_make(app, label, view_of(&body), out));
out:
    bytes_free(&body);
    return e;
}

static enum err
open_part(struct fed_app *app, struct view sealed, struct bytes *hold,
          struct fed_app_rec_part *out)
{
    enum err e;
    struct bytes plain = {0};
    struct view body;
    uint64_t n;

    e = fed_app_sealed_open(app, label, sealed, &n, &plain, &body);
    if (e == ERR_MISSING) {
        TRY(fed_app_lack_note(app, n));
        e = ERR_MISSING;
    }
    TRY(e);
    e = fed_rec_decode(body, &fed_app_rec_part_shape, out);
    TRY(e == ERR_CORRUPT ? ERR_FORMAT : e);
    *hold = bytes_take(&plain);
out:
    bytes_free(&plain);
    return e;
}

/* -------------------------------------------------------------------- giving
 */

bool
fed_app_home_ready(struct fed_app *app, struct clinic_id *out)
{
    struct fed_party_info info;

    memcpy(out->b, app->me.home, sizeof(out->b));
    return app->core != NULL && fed_core_party(app->core, out, &info) == OK &&
           info.up && info.ours == PROTO_STANCE_GRANTED &&
           info.theirs == PROTO_STANCE_GRANTED && info.behind == 0;
}

bool
fed_app_archive_waits(struct fed_app *app)
{
    struct clinic_id home;
    struct fed_app_key at = {.len = 0};
    struct fed_app_key key;
    struct bytes what = {0};
    SCRUBBED(with, PRIM_XKEY_SIZE);
    bool waits = app->archive_full != home_number(app) &&
                 fed_app_home_ready(app, &home) &&
                 first_news(app, &at, &key, &what) == OK &&
                 fed_app_ring_key(app, fed_app_ring_number(app), with) == OK;

    bytes_free(&what);
    return waits;
}

static enum err
give(struct fed_app *app, const struct clinic_id *home)
{
    enum err e;
    struct part *p = mem_alloc(app->mem, sizeof(*p));
    struct bytes sealed = {0};

    TRY(p == NULL ? ERR_NOMEM : OK);
    TRY(gather(app, p));
    if (p->len > 0) {
        TRY(seal(app, p, &sealed));
        TRY(fed_core_archive_put(app->core, home, view_of(&sealed)));
    }
out:
    if (p != NULL) {
        clear_part(p);
    }
    mem_free(app->mem, p, sizeof(*p));
    bytes_free(&sealed);
    return e;
}

static enum err
ask(struct fed_app *app, const struct clinic_id *home)
{
    enum err e;
    const struct fed_app_conn *conn = fed_app_conn(app, home);
    uint64_t from;

    TRY(fed_app_number(&app->kv, FED_APP_ARCHIVE_FROM, &from));
    if (from == 0 || conn == NULL ||
        (app->asked_serial == conn->serial && from >= app->asked_from &&
         from < app->asked_from + FED_ARCHIVE_PARTS)) {
        goto out; /* the rest of what was asked for comes */
    }
    TRY(fed_core_archive_get(app->core, home, from));
    app->asked_serial = conn->serial;
    app->asked_from = from;
out:
    return e;
}

enum err
fed_app_archive_pump(struct fed_app *app)
{
    enum err e;
    struct clinic_id home;

    TRY(take_over(app));
    if (!fed_app_home_ready(app, &home)) {
        goto out;
    }
    TRY(fed_app_ring_pump(app, &home));
    TRY(fed_app_shared_pump(app, &home));
    TRY(ask(app, &home));
    if (fed_app_archive_waits(app)) {
        TRY(give(app, &home));
    }
out:
    return e;
}

/* ------------------------------------------------------------------- getting
 */

enum err
fed_app_archive_want(struct fed_app *app)
{
    return fed_app_number_put(&app->kv, FED_APP_ARCHIVE_FROM, 1);
}

/* The home clinic keeps no more.  Said once; tried again at the next start. */
static enum err
is_full(struct fed_app *app)
{
    enum err e;
    struct fed_app_event *ev;
    uint64_t known;

    app->archive_full = home_number(app);
    TRY(fed_app_number(&app->kv, full_name, &known));
    if (known != app->archive_full) {
        TRY(fed_app_number_put(&app->kv, full_name, app->archive_full));
        TRY(fed_app_tell(app, FED_APP_EV_TROUBLE, &ev));
        ev->code = FED_APP_TROUBLE_ARCHIVE;
        memcpy(ev->clinic.b, app->me.home, sizeof(ev->clinic.b));
    }
out:
    return e;
}

bool
fed_app_archive_full(struct fed_app *app)
{
    uint64_t full;

    return fed_app_number(&app->kv, full_name, &full) == OK &&
           full == home_number(app);
}

enum err
fed_app_show_archive(struct fed_app *app, const struct fed_show *show)
{
    enum err e;
    struct fed_app_rec_part part;
    struct bytes hold = {0};
    struct fed_app_event *ev;
    uint64_t from;

    if (show->code == FED_ARCHIVE_KEYS) {
        e = fed_app_show_keys(app, view_of(&show->body));
        goto out;
    }
    if (show->code == FED_ARCHIVE_KEY) {
        e = fed_app_show_lack(app, show);
        goto out;
    }
    if (show->code == FED_ARCHIVE_SHARED) {
        e = fed_app_show_shared(app, show);
        goto out;
    }
    if (show->seq > show->value && show->body.len == 0) {
        e = is_full(app);
        goto out;
    }
    TRY(fed_app_number(&app->kv, FED_APP_ARCHIVE_FROM, &from));
    if (from == 0 || (show->seq != 0 && show->seq < from)) {
        goto out; /* not asked for, or known */
    }
    if (show->seq != 0) {
        e = open_part(app, view_of(&show->body), &hold, &part);
        if (e == OK) {
            TRY(fed_app_import(app, &part));
        }
        TRY(fed_app_ours(e) ? e : OK); /* not one of ours: no matter */
    }
    from = show->seq == 0 || show->seq >= show->value ? 0 : show->seq + 1;
    TRY(fed_app_number_put(&app->kv, FED_APP_ARCHIVE_FROM, from));
    if (from != 0) {
        goto out; /* there is more */
    }
    TRY(fed_app_ring_read_all(app));
    app->between_due = true;
    TRY(fed_app_tell(app, FED_APP_EV_ARCHIVE, &ev));
    ev->number = show->seq;
out:
    bytes_free(&hold);
    return e;
}
