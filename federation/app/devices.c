/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patient's devices: listed, added with two codes to scan, removed; and
 * what else needs the recovery code again.
 */
#include "crypto/ident/patient.h"
#include "federation/app/codes.h"
#include "federation/app/inside.h"
#include "federation/core/patient.h"

#include <string.h>

static const char seal_name[] = "seal"; /* what a grant is sealed to */

/* ----------------------------------------------------------------- devices */

enum err
fed_app_device(struct fed_app *app, size_t i, struct fed_app_device *out)
{
    SCRUBBED_STRUCT(prim_sign_key, key);
    const struct ident_device *d;
    enum err e;

    TRY(app->list.generation != 0 && i < app->list.len ? OK : ERR_MISSING);
    TRY(fed_app_device_key(app, &key));
    d = &app->list.device[i];
    *out = (struct fed_app_device){
        .id = d->id,
        .may_add = d->may_add,
        .here = memcmp(d->id.b, key.pub, sizeof(d->id.b)) == 0,
        .added_by = d->added_by,
    };
out:
    return e;
}

/* What this device asked with. */
static enum err
own_request(struct fed_app *app, uint8_t priv[32],
            struct fed_app_rec_request *out)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, key);

    TRY(fed_app_secret(app, seal_name, priv, 32));
    TRY(fed_app_device_key(app, &key));
    memcpy(out->device, key.pub, sizeof(out->device));
    prim_x25519_base(priv, out->seal);
out:
    return e;
}

enum err
fed_app_be_added(struct fed_app *app, struct bytes *out)
{
    enum err e;
    SCRUBBED(priv, 32);
    struct fed_app_rec_me me = app->me;
    struct fed_app_rec_request r;

    TRY(me.stage == FED_APP_READY ? ERR_STATE : OK);
    if (me.stage == FED_APP_NOBODY) {
        TRY(fed_app_new_device(app));
        TRY(rng_fill(app->c.rng, priv, sizeof(priv)));
        TRY(fed_app_secret_put(app, seal_name, view_make(priv, sizeof(priv))));
        me.stage = FED_APP_ASKING;
        me.made_ms = fed_app_now(app);
        TRY(fed_app_me_save(app, &me));
    }
    TRY(own_request(app, priv, &r));
    TRY(fed_app_request_text(app->mem, &r, out));
out:
    return e;
}

/* The home clinic's addresses, as far as we know them. */
static enum err
home_addrs(struct fed_app *app, struct bytes *out)
{
    enum err e;
    struct clinic_id home;
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};

    memcpy(home.b, app->me.home, sizeof(home.b));
    TRY(fed_app_clinic_rec(app, &home, &rec, &hold));
    TRY(bytes_copy(app->mem, rec.addrs, out));
out:
    bytes_free(&hold);
    return e;
}

/* The list with one more device, and what that device needs. */
static enum err
append(struct fed_app *app, const struct device_id *device, bool may_add,
       struct bytes *list, struct bytes *cert)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, key);
    struct ident_device_cert c = {.device = *device};

    TRY(fed_app_device_key(app, &key));
    memcpy(c.patient.b, app->me.patient, sizeof(c.patient.b));
    memcpy(c.home.b, app->me.home, sizeof(c.home.b));
    e = ident_devices_append(app->mem, &key, &c.patient, app->me.list, device,
                             may_add, list);
    if (e == ERR_EXISTS) { /* asked again: the grant is made again */
        e = bytes_copy(app->mem, app->me.list, list);
    }
    TRY(e);
    TRY(ident_device_cert_make(app->mem, &key, &c, cert));
out:
    return e;
}

enum err
fed_app_add_device(struct fed_app *app, struct view request, bool may_add,
                   struct bytes *grant_out)
{
    enum err e;
    struct fed_app_rec_request r;
    struct fed_app_rec_grant g = {{0}, {0}, {0}, {0}, {0}, {0}};
    struct fed_app_rec_me me = app->me;
    struct device_id device;
    struct bytes list = {0};
    struct bytes cert = {0};
    struct bytes addrs = {0};
    struct fed_app_event *ev;

    TRY(me.cert.len > 0 && me.list.len > 0 ? OK : ERR_STATE);
    TRY(fed_app_request_read(app->mem, request, &r));
    memcpy(device.b, r.device, sizeof(device.b));
    TRY(append(app, &device, may_add, &list, &cert));
    TRY(home_addrs(app, &addrs));
    memcpy(g.patient, me.patient, sizeof(g.patient));
    memcpy(g.home, me.home, sizeof(g.home));
    e = fed_app_ring_key(app, fed_app_ring_number(app), g.archive);
    TRY(e == ERR_MISSING ? OK : e);
    g.cert = view_of(&cert);
    g.list = view_of(&list);
    g.addrs = view_of(&addrs);
    TRY(fed_app_grant_text(app->mem, app->c.rng, &r, &g, grant_out));
    me.list = view_of(&list);
    me.settled = false;
    TRY(fed_app_me_save(app, &me));
    TRY(fed_app_tell(app, FED_APP_EV_DEVICES, &ev));
    TRY(fed_app_core(app));
out:
    mem_wipe(&g, sizeof(g));
    bytes_free(&list);
    bytes_free(&cert);
    bytes_free(&addrs);
    return e;
}

/* The home clinic as a clinic of ours, by what another device said. */
static enum err
know_home(struct fed_app *app, const struct fed_app_rec_grant *g)
{
    enum err e;
    struct clinic_id home;
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};

    memcpy(home.b, g->home, sizeof(home.b));
    TRY(fed_app_clinic_rec(app, &home, &rec, &hold));
    rec.state = FED_APP_CLINIC_ENROLLED;
    rec.addrs = g->addrs;
    TRY(fed_app_clinic_save(app, &home, &rec));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_app_granted(struct fed_app *app, struct view text)
{
    enum err e;
    SCRUBBED(priv, 32);
    struct fed_app_rec_me me = app->me;
    struct fed_app_rec_request r;
    struct fed_app_rec_grant g = {{0}, {0}, {0}, {0}, {0}, {0}};
    struct bytes hold = {0};

    TRY(me.stage == FED_APP_ASKING ? OK : ERR_STATE);
    TRY(own_request(app, priv, &r));
    TRY(fed_app_grant_read(app->mem, &r, priv, text, &g, &hold));
    memcpy(me.patient, g.patient, sizeof(me.patient));
    memcpy(me.home, g.home, sizeof(me.home));
    me.cert = g.cert;
    me.list = g.list;
    me.stage = FED_APP_READY;
    me.settled = true;
    TRY(fed_app_secret_del(app, seal_name));
    TRY(fed_app_archive_want(app));
    TRY(fed_app_ring_want(app));
    TRY(fed_app_shared_want(app, false));
    TRY(know_home(app, &g));
    TRY(fed_app_me_save(app, &me));
    if (!prim_is_zero(VIEW_ARRAY(g.archive))) {
        TRY(fed_app_ring_put(app, fed_app_ring_number(app), g.archive));
    }
    TRY(fed_app_core(app));
    TRY(fed_app_ask_home(app, g.addrs));
out:
    mem_wipe(&g, sizeof(g));
    bytes_free(&hold);
    return e;
}

/* ------------------------------------------------- what needs the code again
 */

/* The key of a code that must be this patient's. */
static enum err
key_of_code(struct fed_app *app, struct view text, unsigned *bad_word,
            struct prim_sign_key *out)
{
    enum err e;
    SCRUBBED(code, IDENT_CODE);

    TRY(app->list.generation != 0 ? OK : ERR_STATE);
    TRY(ident_code_read(text, code, bad_word));
    ident_patient_key(code, out);
    TRY(memcmp(out->pub, app->me.patient, sizeof(out->pub)) == 0 ? OK
                                                                 : ERR_DENIED);
out:
    return e;
}

enum err
fed_app_remove_device(struct fed_app *app, struct view code,
                      const struct device_id *device, unsigned *bad_word)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, key);
    SCRUBBED_STRUCT(prim_sign_key, self);
    struct ident_devices list;
    uint32_t n = 0;

    TRY(ident_devices_find(&app->list, device) == NULL ? ERR_MISSING : OK);
    TRY(fed_app_device_key(app, &self));
    TRY(memcmp(self.pub, device->b, sizeof(self.pub)) == 0 ? ERR_INVALID : OK);
    TRY(key_of_code(app, code, bad_word, &key));
    TRY(fed_app_list_next(app, &list));
    for (uint32_t i = 0; i < list.len; i++) {
        if (!device_id_equal(&list.device[i].id, device)) {
            list.device[n++] = list.device[i];
        }
    }
    list.len = n;
    TRY(fed_app_list_sign(app, &key, &list));
out:
    return e;
}

/* For devices that are added later: where they were. */
static enum err
note_homes(struct fed_app *app, const struct clinic_id *now)
{
    enum err e;
    struct clinic_id was;
    struct bytes addrs = {0};

    memcpy(was.b, app->me.home, sizeof(was.b));
    TRY(home_addrs(app, &addrs));
    TRY(clinic_id_equal(&was, now)
            ? OK
            : fed_app_choose(app, FED_APP_CHOICE_HOME, &was, true,
                             view_of(&addrs)));
    TRY(fed_app_choose(app, FED_APP_CHOICE_HOME, now, false, (struct view){0}));
out:
    bytes_free(&addrs);
    return e;
}

enum err
fed_app_move_home(struct fed_app *app, struct view code,
                  const struct clinic_id *home, unsigned *bad_word)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, key);
    struct ident_devices list;
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};
    struct fed_app_key at = fed_app_key(clinic_id_view(home), (struct view){0});

    TRY(fed_app_load(&app->kv, FED_APP_CLINIC, &at, &fed_app_rec_clinic_shape,
                     &rec, &hold));
    TRY(rec.state == FED_APP_CLINIC_ENROLLED ? OK : ERR_MISSING);
    TRY(key_of_code(app, code, bad_word, &key));
    TRY(note_homes(app, home));
    TRY(fed_app_list_next(app, &list));
    list.home = *home;
    TRY(fed_app_list_sign(app, &key, &list));
    TRY(fed_core_moved(app->core, home, rec.addrs));
out:
    bytes_free(&hold);
    return e;
}

/* A clinic that delivers to this patient, by the word of another device. */
static enum err
go_there(struct fed_app *app, const struct clinic_id *root, struct view addrs)
{
    enum err e;
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};

    TRY(fed_app_clinic_rec(app, root, &rec, &hold));
    if (rec.state == FED_APP_CLINIC_ENROLLED ||
        rec.state == FED_APP_CLINIC_ENDED || rec.blocked) {
        goto out;
    }
    rec.state = FED_APP_CLINIC_ASKED;
    rec.addrs = addrs;
    if (rec.learned < FED_APP_LEARNED_LINK) { /* the patient's own word */
        rec.learned = FED_APP_LEARNED_LINK;
    }
    TRY(fed_app_clinic_save(app, root, &rec));
    TRY(fed_app_ask_clinic(app, root, addrs));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_app_show_home(struct fed_app *app, const struct fed_show *show)
{
    return memcmp(show->peer.b, app->me.home, sizeof(app->me.home)) == 0
               ? go_there(app, &show->peer, view_of(&show->body))
               : OK; /* not what the list says that counts here */
}

enum err
fed_app_home_before(struct fed_app *app, const struct clinic_id *root,
                    struct view addrs, uint64_t until_ms)
{
    enum err e;

    TRY(app->core == NULL ? OK : go_there(app, root, addrs));
    TRY(app->core == NULL ? OK : fed_core_was_home(app->core, root, until_ms));
out:
    return e;
}
