/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the person decided on one device and all of them follow: whom they
 * block, and which clinic was home before.  Every device has all of it; the
 * home clinic keeps one copy, sealed under the newest key of the archive
 * (sealed.c), and hands each change on.
 *
 * Of each decision the newest counts: the one with the highest serial, the
 * deciding device's time but always above what it replaces.  Two that decided
 * at once, with one serial: a block before its end, then the greater device id.
 * So whatever comes in whatever order, all devices end with the same; who knows
 * more than the home has says it.
 *
 * Nobody overwrites what it has not seen: before it says something on a
 * connection a device asks what the home has.  What it decides is followed only
 * when it has all that waited for it: what was taken back meanwhile is never
 * done.
 */
#include "federation/app/inside.h"
#include "federation/core/archive.h"
#include "federation/core/rec.h"
#include "proto/base/limits.h"
#include "proto/msg/device.h"

#include <string.h>

enum {
    CHOICES = 256,
    BODY_MAX = PROTO_DEVICE_SHARED_MAX - 2048 /* in steps of a KiB, sealed */
};

/* What this device knows not yet. */
enum want {
    WANT_NONE = 0,
    WANT_NEWEST = 1,
    WANT_ANY = 2 /* it has the code: also under a key of before */
};

static const char label[] = "balsam v1 archive shared";
static const char due_name[] = "shared_due"; /* 1: the home may lack some */
static const char want_name[] = "shared_want";

static struct fed_app_key
choice_key(uint64_t kind, const uint8_t clinic[32])
{
    const uint8_t k = (uint8_t)kind;

    return fed_app_key(view_make(&k, 1), view_make(clinic, 32));
}

static enum err
load(struct fed_app *app, uint64_t kind, const uint8_t clinic[32],
     struct fed_app_rec_choice *out, struct bytes *hold)
{
    struct fed_app_key key = choice_key(kind, clinic);

    return fed_app_load(&app->kv, FED_APP_CHOICE, &key,
                        &fed_app_rec_choice_shape, out, hold);
}

static enum err
save(struct fed_app *app, const struct fed_app_rec_choice *rec)
{
    struct fed_app_key key = choice_key(rec->kind, rec->clinic);

    return fed_app_save(&app->kv, FED_APP_CHOICE, &key,
                        &fed_app_rec_choice_shape, rec);
}

enum err
fed_app_choose(struct fed_app *app, enum fed_app_choice kind,
               const struct clinic_id *clinic, bool on, struct view data)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, self);
    struct fed_app_rec_choice before = {.serial = 0};
    struct fed_app_rec_choice rec = {
        .kind = kind, .on = on, .data = data, .done = true};
    struct bytes hold = {0};

    TRY(fed_app_device_key(app, &self));
    e = load(app, kind, clinic->b, &before, &hold);
    TRY(e == ERR_MISSING ? OK : e);
    memcpy(rec.clinic, clinic->b, sizeof(rec.clinic));
    memcpy(rec.device, self.pub, sizeof(rec.device));
    rec.at_ms = fed_app_now(app);
    rec.serial = rec.at_ms > before.serial ? rec.at_ms : before.serial + 1;
    TRY(save(app, &rec));
    TRY(fed_app_shared_due(app));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_app_shared_want(struct fed_app *app, bool code)
{
    return fed_app_number_put(&app->kv, want_name,
                              code ? WANT_ANY : WANT_NEWEST);
}

enum err
fed_app_shared_due(struct fed_app *app)
{
    return fed_app_number_put(&app->kv, due_name, 1);
}

/* ------------------------------------------------------------- all of them */

struct all {
    struct fed_app_rec_choice at[CHOICES];
    struct bytes hold[CHOICES];
    uint32_t len;
};

static void
all_free(struct fed_app *app, struct all *all)
{
    for (uint32_t i = 0; all != NULL && i < all->len; i++) {
        bytes_free(&all->hold[i]);
    }
    mem_free(app->mem, all, sizeof(*all));
}

static enum err
all_load(struct fed_app *app, struct all **out)
{
    enum err e;
    struct all *all = mem_calloc(app->mem, 1, sizeof(*all));
    struct fed_app_key at = {.len = 0};
    struct fed_app_key key;

    TRY(all == NULL ? ERR_NOMEM : OK);
    while (all->len < CHOICES) {
        struct bytes *hold = &all->hold[all->len];

        e = fed_app_next(&app->kv, FED_APP_CHOICE, &at, (struct view){0}, &key,
                         hold);
        if (e == ERR_MISSING) {
            break;
        }
        TRY(e);
        TRY(fed_rec_decode(view_of(hold), &fed_app_rec_choice_shape,
                           &all->at[all->len++]));
        at = fed_app_key(fed_app_key_view(&key), VIEW_LIT("\0"));
    }
    e = OK;
    *out = all;
    all = NULL;
out:
    all_free(app, all);
    return e;
}

/* As every device writes it.  *out empty: there is nothing */
static enum err
all_text(struct fed_app *app, struct bytes *out)
{
    enum err e;
    struct all *all = NULL;
    struct fed_app_rec_shared rec;

    TRY(all_load(app, &all));
    for (uint32_t i = 0; i < all->len; i++) {
        all->at[i].done = false;
    }
    rec.choices = (struct proto_list){.items = all->at, .len = all->len};
    TRY(all->len == 0
            ? OK
            : fed_rec_encode(app->mem, &fed_app_rec_shared_shape, &rec, out));
out:
    all_free(app, all);
    return e;
}

/* ---------------------------------------------------------------- following */

static enum err
follow_one(struct fed_app *app, const struct fed_app_rec_choice *rec)
{
    struct clinic_id clinic;
    uint64_t until = rec->at_ms + LIMIT_LOG_AGE_MS;

    memcpy(clinic.b, rec->clinic, sizeof(clinic.b));
    if (rec->kind == FED_APP_CHOICE_BLOCKED) {
        return fed_app_block_follow(app, &clinic, rec->on);
    }
    if (rec->kind == FED_APP_CHOICE_HOME && rec->on &&
        until > fed_app_now(app) &&
        memcmp(rec->clinic, app->me.home, sizeof(rec->clinic)) != 0) {
        return fed_app_home_before(app, &clinic, rec->data, until);
    }
    return OK; /* of later software, or over */
}

static enum err
follow(struct fed_app *app)
{
    enum err e;
    struct all *all = NULL;

    if (!app->undone) {
        return OK;
    }
    TRY(all_load(app, &all));
    for (uint32_t i = 0; i < all->len; i++) {
        struct fed_app_rec_choice *rec = &all->at[i];

        if (!rec->done) {
            TRY(follow_one(app, rec));
            rec->done = true;
            TRY(save(app, rec));
        }
    }
    app->undone = false;
out:
    all_free(app, all);
    return e;
}

/* ---------------------------------------------------------- to and from home
 */

static enum err
numbers(struct fed_app *app, uint64_t *due, uint64_t *want)
{
    enum err e;

    TRY(fed_app_number(&app->kv, due_name, due));
    TRY(fed_app_number(&app->kv, want_name, want));
out:
    return e;
}

static enum err
put(struct fed_app *app, const struct clinic_id *home)
{
    enum err e;
    struct proto_device_shared msg = {.generation = fed_app_ring_number(app)};
    struct bytes text = {0};
    struct bytes sealed = {0};

    TRY(all_text(app, &text));
    if (text.len > 0 && text.len <= BODY_MAX) {
        TRY(fed_app_sealed_make(app, label, view_of(&text), &sealed));
        msg.sealed = view_of(&sealed);
        TRY(fed_core_shared(app->core, home, &msg));
    }
    TRY(fed_app_number_put(&app->kv, due_name, 0));
out:
    bytes_free(&text);
    bytes_free(&sealed);
    return e == ERR_MISSING ? OK : e; /* no key yet */
}

static const struct fed_app_conn *
home_conn(const struct fed_app *app)
{
    struct clinic_id home;

    memcpy(home.b, app->me.home, sizeof(home.b));
    return fed_app_conn(app, &home);
}

/* What the home has was heard on this connection, so ours may follow. */
static bool
may_put(struct fed_app *app, const struct fed_app_conn *conn)
{
    SCRUBBED(key, 32);
    uint64_t due;
    uint64_t want;

    return conn != NULL && app->shared_heard == conn->serial &&
           numbers(app, &due, &want) == OK && due != 0 && want == WANT_NONE &&
           fed_app_ring_key(app, fed_app_ring_number(app), key) == OK;
}

bool
fed_app_shared_waits(struct fed_app *app)
{
    struct clinic_id home;

    return fed_app_home_ready(app, &home) && may_put(app, home_conn(app));
}

bool
fed_app_shared_asked(struct fed_app *app)
{
    const struct fed_app_conn *conn = home_conn(app);

    return conn != NULL && app->shared_serial == conn->serial &&
           app->shared_heard != conn->serial;
}

enum err
fed_app_shared_pump(struct fed_app *app, const struct clinic_id *home)
{
    enum err e;
    const struct fed_app_conn *conn = fed_app_conn(app, home);
    struct proto_device_shared ask = {.generation = 0};
    uint64_t due;
    uint64_t want;

    TRY(follow(app));
    if (may_put(app, conn)) {
        TRY(put(app, home));
    }
    TRY(numbers(app, &due, &want));
    if (conn == NULL || app->shared_serial == conn->serial ||
        (due == 0 && want == WANT_NONE)) {
        goto out;
    }
    TRY(fed_core_shared(app->core, home, &ask));
    app->shared_serial = conn->serial;
    app->shared_heard = 0;
out:
    return e;
}

/* [shared-order] The same everywhere, whichever came first. */
static bool
wins(const struct fed_app_rec_choice *a, const struct fed_app_rec_choice *b)
{
    int by = memcmp(a->device, b->device, sizeof(a->device));

    if (a->serial != b->serial) {
        return a->serial > b->serial;
    }
    if (a->on != b->on) {
        return a->on;
    }
    return by != 0 ? by > 0 : a->at_ms > b->at_ms;
}

static enum err
merge_one(struct fed_app *app, const struct fed_app_rec_choice *in)
{
    enum err e;
    struct fed_app_rec_choice own;
    struct fed_app_rec_choice rec = *in;
    struct bytes hold = {0};

    e = load(app, in->kind, in->clinic, &own, &hold);
    TRY(e == ERR_MISSING ? OK : e);
    if ((hold.len == 0 || wins(in, &own)) && in->serial < INT64_MAX) {
        rec.done = false;
        app->undone = true;
        TRY(save(app, &rec));
    }
out:
    bytes_free(&hold);
    return e;
}

/* ERR_FORMAT  nothing that a device of ours wrote */
static enum err
merge(struct fed_app *app, struct view body)
{
    enum err e;
    struct fed_app_rec_shared rec;
    struct fed_app_rec_choice choice;
    struct proto_list_at at = {0};
    struct bytes text = {0};

    e = fed_rec_decode(body, &fed_app_rec_shared_shape, &rec);
    TRY(e == ERR_CORRUPT ? ERR_FORMAT : e);
    while (proto_list_next(&rec.choices, &fed_app_rec_choice_shape, &at,
                           &choice)) {
        TRY(merge_one(app, &choice));
    }
    TRY(all_text(app, &text));
    TRY(fed_app_number_put(&app->kv, due_name,
                           view_equal(view_of(&text), body) ? 0 : 1));
out:
    bytes_free(&text);
    return e;
}

/*
 * [shared-key] Only what is under the newest key counts, since who was removed
 * has those of before; but a new phone that has the code takes what there is.
 */
static enum err
take(struct fed_app *app, const struct proto_device_shared *in, uint64_t want)
{
    enum err e;
    uint64_t newest = fed_app_ring_number(app);
    struct bytes hold = {0};
    struct view body;
    uint64_t n = in->generation;

    TRY(n == newest || (n < newest && want == WANT_ANY) ? OK : ERR_STALE);
    TRY(fed_app_sealed_open(app, label, in->sealed, &n, &hold, &body));
    TRY(n == in->generation ? OK : ERR_FORMAT);
    TRY(merge(app, body));
    TRY(n < newest ? fed_app_shared_due(app) : OK);
out:
    bytes_free(&hold);
    return e;
}

/* What follows of it that this could, or could not, be taken. */
static enum err
after(struct fed_app *app, enum err taken, uint64_t generation, uint64_t want)
{
    enum err e;
    bool wait = taken == ERR_MISSING ||
                (taken == ERR_STALE && generation > fed_app_ring_number(app));

    if (wait || (taken == ERR_STALE && want != WANT_NONE)) {
        want = want == WANT_NONE ? WANT_NEWEST : want;
    } else {
        want = WANT_NONE;
        TRY(taken == OK ? OK : fed_app_shared_due(app)); /* say it anew */
    }
    TRY(fed_app_number_put(&app->kv, want_name, want));
out:
    return e;
}

enum err
fed_app_show_shared(struct fed_app *app, const struct fed_show *show)
{
    enum err e;
    struct proto_device_msg msg;
    const struct proto_device_shared *in = &msg.u.shared;
    const struct fed_app_conn *conn = home_conn(app);
    uint64_t due;
    uint64_t want;

    e = proto_device_decode(view_of(&show->body), &msg);
    TRY(e == OK && msg.type == PROTO_DEVICE_SHARED ? OK : ERR_INTERNAL);
    if (conn == NULL || !clinic_id_equal(&conn->root, &show->peer)) {
        goto out; /* not our home (any more) */
    }
    TRY(numbers(app, &due, &want));
    app->shared_heard = conn->serial;
    e = in->sealed.len > 0 ? take(app, in, want) : ERR_FORMAT;
    if (fed_app_ours(e)) {
        goto out;
    }
    TRY(after(app, e, in->generation, want));
out:
    return e;
}
