/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key of the archive that this device lacks: whoever added it did not have
 * it.  It asks through the home clinic; any other device of the signed list
 * that has it seals it to the asker's own key and signs that, so the clinic can
 * neither read it nor put one of its own in the place.
 *
 *     [19, 1, patient, n, device, HPKE to device of key n], signed by another
 */
#include "federation/app/inside.h"
#include "federation/core/archive.h"
#include "proto/msg/device.h"

#include <string.h>

enum {
    GIVEN_PER_HOUR = 16
};

static const uint64_t hour_ms = 3600000;

/* Number: the last key that a part lay under and that is not here; 0: none. */
static const char lack_name[] = "keys_lack";

static const uint64_t statement[] = {IDENT_ARCHIVE_KEY, 1};

/* ------------------------------------------------------------------- asking */

enum err
fed_app_lack_note(struct fed_app *app, uint64_t n)
{
    return n == 0 || n >= fed_app_ring_number(app)
               ? OK /* the newest is asked for anyway */
               : fed_app_number_put(&app->kv, lack_name, n);
}

enum err
fed_app_lacks(struct fed_app *app, bool *out)
{
    uint64_t n;
    enum err e = fed_app_number(&app->kv, lack_name, &n);

    *out = e == OK && n != 0;
    return e;
}

static enum err
ask_for(struct fed_app *app, uint64_t n)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, self);
    struct proto_device_archive_key msg = {.generation = n};
    struct clinic_id home;

    memcpy(home.b, app->me.home, sizeof(home.b));
    TRY(fed_app_device_key(app, &self));
    memcpy(msg.device, self.pub, sizeof(msg.device));
    TRY(fed_core_archive_key(app->core, &home, &msg));
out:
    return e == ERR_MISSING ? OK : e; /* not connected any more */
}

enum err
fed_app_lack_ask(struct fed_app *app)
{
    enum err e;
    SCRUBBED(key, 32);
    uint64_t n;

    TRY(app->me.removed || app->list.len < 2 ? ERR_MISSING : OK);
    e = fed_app_ring_key(app, fed_app_ring_number(app), key);
    if (e == ERR_MISSING) {
        TRY(ask_for(app, fed_app_ring_number(app)));
        goto out; /* with it the older ones come */
    }
    TRY(e);
    TRY(fed_app_number(&app->kv, lack_name, &n));
    if (n == 0) {
        goto out;
    }
    e = fed_app_ring_key(app, n, key);
    if (e == ERR_MISSING) {
        TRY(ask_for(app, n));
        goto out;
    }
    TRY(e);
    TRY(fed_app_number_put(&app->kv, lack_name, 0));
out:
    return e == ERR_MISSING ? OK : e;
}

/* ---------------------------------------------------------------- answering */

static enum err
make(struct fed_app *app, const struct device_id *to, uint64_t n,
     struct bytes *out)
{
    enum err e;
    SCRUBBED(key, 32);
    SCRUBBED_STRUCT(prim_sign_key, self);
    struct fed_app_rec_given rec = {.n = n};
    struct fed_app_rec_sealed sealed;
    struct bytes text = {0};

    TRY(fed_app_device_key(app, &self));
    TRY(fed_app_ring_key(app, n, key));
    TRY(fed_app_ring_seal(app, app->me.patient, n, to, key, &sealed));
    memcpy(rec.patient, app->me.patient, sizeof(rec.patient));
    memcpy(rec.device, sealed.device, sizeof(rec.device));
    memcpy(rec.enc, sealed.enc, sizeof(rec.enc));
    memcpy(rec.ct, sealed.ct, sizeof(rec.ct));
    TRY(proto_shape_encode(app->mem, &fed_app_rec_given_shape, statement, 2,
                           &rec, &text));
    TRY(ident_signed_make(app->mem, IDENT_ARCHIVE_KEY, &self, view_of(&text),
                          out));
out:
    bytes_free(&text);
    return e;
}

/* Is device one of the signed list, and not this one? */
static enum err
is_other(struct fed_app *app, const struct device_id *device, bool *out)
{
    SCRUBBED_STRUCT(prim_sign_key, self);
    enum err e = fed_app_device_key(app, &self);

    *out = e == OK && ident_devices_find(&app->list, device) != NULL &&
           memcmp(device->b, self.pub, sizeof(self.pub)) != 0;
    return e;
}

static bool
may_give(struct fed_app *app)
{
    uint64_t now = fed_app_now(app);

    if (app->given_ms > now || now - app->given_ms >= hour_ms) {
        app->given_ms = now;
        app->given = 0;
    }
    return app->given++ < GIVEN_PER_HOUR;
}

/*
 * [archive-key-listed] Only to a device of the newest list that we know, and no
 * key of a list that we do not have: who was removed by that is not in it.
 */
static enum err
give(struct fed_app *app, const struct clinic_id *home,
     const struct proto_device_archive_key *in)
{
    enum err e;
    struct proto_device_archive_key msg = *in;
    struct device_id to;
    struct bytes sealed = {0};
    bool other;
    bool have;

    memcpy(to.b, in->device, sizeof(to.b));
    TRY(is_other(app, &to, &other));
    TRY(fed_app_ring_has(app, in->generation, &have));
    if (!other || !have || app->me.removed ||
        in->generation > fed_app_ring_number(app) || !may_give(app)) {
        goto out;
    }
    TRY(make(app, &to, in->generation, &sealed));
    msg.sealed = view_of(&sealed);
    TRY(fed_core_archive_key(app->core, home, &msg));
out:
    bytes_free(&sealed);
    return e == ERR_INVALID ? OK : e; /* nothing is sealed to such a key */
}

/* ------------------------------------------------------------------ taking */

/* [archive-key-signed] by another device of the list. */
static enum err
signed_by_other(struct fed_app *app, struct view in, struct view *out)
{
    enum err e = ERR_AUTH;

    for (uint32_t i = 0; i < app->list.len && e == ERR_AUTH; i++) {
        const struct device_id *by = &app->list.device[i].id;
        bool other;

        TRY(is_other(app, by, &other));
        e = other
                ? ident_signed_open(app->mem, IDENT_ARCHIVE_KEY, by->b, in, out)
                : ERR_AUTH;
    }
out:
    return e;
}

static enum err
open_given(struct fed_app *app, const struct proto_device_archive_key *in,
           uint8_t out[32])
{
    enum err e;
    struct fed_app_rec_given rec;
    struct fed_app_rec_sealed sealed;
    struct view text;

    TRY(signed_by_other(app, in->sealed, &text));
    TRY(proto_shape_decode(text, &fed_app_rec_given_shape, statement, 2, &rec));
    TRY(memcmp(rec.patient, app->me.patient, 32) == 0 &&
                rec.n == in->generation && rec.n <= fed_app_ring_number(app)
            ? OK
            : ERR_AUTH);
    memcpy(sealed.device, rec.device, sizeof(sealed.device));
    memcpy(sealed.enc, rec.enc, sizeof(sealed.enc));
    memcpy(sealed.ct, rec.ct, sizeof(sealed.ct));
    TRY(fed_app_ring_open(app, rec.patient, rec.n, &sealed, out));
out:
    return e;
}

/* What could not be read before is read now. */
static enum err
take(struct fed_app *app, const struct proto_device_archive_key *in)
{
    enum err e;
    SCRUBBED(key, 32);
    bool have;

    TRY(fed_app_ring_has(app, in->generation, &have));
    if (have) {
        goto out; /* another device was faster */
    }
    TRY(open_given(app, in, key));
    TRY(fed_app_ring_put(app, in->generation, key));
    TRY(fed_app_ring_want(app));
    TRY(fed_app_archive_want(app));
    app->keys_serial = 0;
    app->asked_serial = 0;
out:
    return fed_app_ours(e) ? e : OK; /* not for us, or not good */
}

enum err
fed_app_show_lack(struct fed_app *app, const struct fed_show *show)
{
    enum err e;
    struct proto_device_msg msg;
    const struct proto_device_archive_key *in = &msg.u.archive_key;

    e = proto_device_decode(view_of(&show->body), &msg);
    TRY(e == OK && msg.type == PROTO_DEVICE_ARCHIVE_KEY ? OK : ERR_INTERNAL);
    if (memcmp(show->peer.b, app->me.home, sizeof(show->peer.b)) != 0) {
        goto out; /* not our home (any more) */
    }
    TRY(in->sealed.len == 0 ? give(app, &show->peer, in) : take(app, in));
out:
    return e;
}
