/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are (decisions F 23).  The patient key comes from the recovery code
 * and is here only while it is needed: the code until it was confirmed, the
 * key until the home clinic took what it signed.  What stays is the device's
 * own key, its certificate and the signed list.
 */
#include "crypto/ident/patient.h"
#include "federation/app/inside.h"

#include <string.h>

static const uint64_t first_list_s = 1577836800; /* 2020-01-01 */

/* Names of secrets. */
static const char device_name[] = "device";   /* seed of the device key */
static const char code_name[] = "code";       /* until confirmed */
static const char key_name[] = "key";         /* seed of the patient key */
static const char recover_name[] = "recover"; /* until the home has its list */

/* ------------------------------------------------------------------ record */

static struct fed_app_key
me_key(void)
{
    return fed_app_key(VIEW_LIT("me"), (struct view){0});
}

static enum err
take_list(struct fed_app *app)
{
    struct patient_id patient;

    app->list.generation = 0;
    if (app->me.list.len == 0) {
        return OK;
    }
    memcpy(patient.b, app->me.patient, sizeof(patient.b));
    return ident_devices_open(app->mem, &patient, app->me.list, &app->list);
}

void
fed_app_me_clear(struct fed_app *app)
{
    bytes_free(&app->me_hold);
    memset(&app->me, 0, sizeof(app->me));
    memset(&app->list, 0, sizeof(app->list));
}

enum err
fed_app_me_load(struct fed_app *app)
{
    enum err e;
    struct fed_app_key key = me_key();

    fed_app_me_clear(app);
    e = fed_app_load(&app->kv, FED_APP_ME, &key, &fed_app_rec_me_shape,
                     &app->me, &app->me_hold);
    if (e == ERR_MISSING) {
        memset(&app->me, 0, sizeof(app->me));
        return OK;
    }
    return e == OK ? take_list(app) : e;
}

enum err
fed_app_me_save(struct fed_app *app, const struct fed_app_rec_me *me)
{
    enum err e;
    struct fed_app_key key = me_key();

    TRY(fed_app_save(&app->kv, FED_APP_ME, &key, &fed_app_rec_me_shape, me));
    TRY(fed_app_me_load(app));
out:
    return e;
}

void
fed_app_me(struct fed_app *app, struct fed_app_me *out)
{
    const struct fed_app_rec_me *me = &app->me;
    const struct ident_device *d;
    SCRUBBED_STRUCT(prim_sign_key, key);

    memset(out, 0, sizeof(*out));
    out->stage = (enum fed_app_stage)me->stage;
    out->code = (enum fed_app_code_state)me->code;
    out->alarm = me->alarm;
    out->removed = me->removed;
    out->settled = me->settled;
    out->generation = app->list.generation;
    memcpy(out->patient.b, me->patient, sizeof(out->patient.b));
    memcpy(out->home.b, me->home, sizeof(out->home.b));
    if (fed_app_device_key(app, &key) == OK) {
        memcpy(out->device.b, key.pub, sizeof(out->device.b));
        d = ident_devices_find(&app->list, &out->device);
        out->may_add = d != NULL && d->may_add;
    }
}

/* ----------------------------------------------------------------- secrets */

/* All under one owner of zeros: what rotates together. */
static struct fed_app_key
secret_key(const char *name)
{
    static const uint8_t owner[32];

    return fed_app_key(VIEW_ARRAY(owner), view_str(name));
}

enum err
fed_app_secret_get(struct fed_app *app, const char *name, struct bytes *out)
{
    struct fed_app_key key = secret_key(name);

    return fed_app_get(&app->kv, FED_APP_SECRET, &key, out);
}

enum err
fed_app_secret(struct fed_app *app, const char *name, uint8_t *out, size_t len)
{
    struct bytes b = {0};
    enum err e = fed_app_secret_get(app, name, &b);

    if (e == OK) {
        e = b.len == len ? OK : ERR_CORRUPT;
    }
    if (e == OK) {
        memcpy(out, b.p, len);
    }
    bytes_free(&b);
    return e;
}

enum err
fed_app_secret_put(struct fed_app *app, const char *name, struct view secret)
{
    struct fed_app_key key = secret_key(name);

    return fed_app_put(&app->kv, FED_APP_SECRET, &key, secret);
}

enum err
fed_app_secret_del(struct fed_app *app, const char *name)
{
    struct fed_app_key key = secret_key(name);

    return fed_app_del(&app->kv, FED_APP_SECRET, &key);
}

enum err
fed_app_device_key(struct fed_app *app, struct prim_sign_key *out)
{
    SCRUBBED(seed, PRIM_ED25519_SEED);
    enum err e = fed_app_secret(app, device_name, seed, sizeof(seed));

    if (e == OK) {
        prim_ed25519_from_seed(seed, out);
    }
    return e;
}

/* The patient key, while it is here.  ERR_MISSING  not any more */
static enum err
patient_key(struct fed_app *app, struct prim_sign_key *out)
{
    SCRUBBED(code, IDENT_CODE);
    SCRUBBED(seed, PRIM_ED25519_SEED);
    enum err e = fed_app_secret(app, key_name, seed, sizeof(seed));

    if (e == OK) {
        prim_ed25519_from_seed(seed, out);
        return OK;
    }
    if (e != ERR_MISSING) {
        return e;
    }
    e = fed_app_secret(app, code_name, code, sizeof(code));
    if (e == OK) {
        ident_patient_key(code, out);
    }
    return e;
}

/* ------------------------------------------------------------------- lists */

enum err
fed_app_list_sign(struct fed_app *app, const struct prim_sign_key *patient,
                  const struct ident_devices *list)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, device);
    struct fed_app_rec_me me = app->me;
    struct ident_device_cert cert = {.home = list->home};
    struct bytes text = {0};
    struct bytes signed_cert = {0};
    struct fed_app_event *ev;

    TRY(fed_app_device_key(app, &device));
    TRY(ident_devices_make(app->mem, patient, list, &text));
    memcpy(cert.patient.b, patient->pub, sizeof(cert.patient.b));
    memcpy(cert.device.b, device.pub, sizeof(cert.device.b));
    TRY(ident_device_cert_make(app->mem, patient, &cert, &signed_cert));
    me.list = view_of(&text);
    me.cert = view_of(&signed_cert);
    memcpy(me.home, list->home.b, sizeof(me.home));
    me.settled = false;
    me.alarm = false;
    TRY(fed_app_ring_sign(app, patient, list));
    TRY(fed_app_me_save(app, &me));
    TRY(fed_app_tell(app, FED_APP_EV_DEVICES, &ev));
    TRY(fed_app_core(app));
out:
    bytes_free(&text);
    bytes_free(&signed_cert);
    return e;
}

/*
 * The number of the next list: above what we know and, since a new phone knows
 * nothing, not below the seconds since 2020.  Numbers alone decide; the clock
 * only says where to begin.
 */
static uint64_t
next_generation(struct fed_app *app)
{
    uint64_t known = app->list.generation >> 32;
    uint64_t now_s = fed_app_now(app) / 1000;
    uint64_t begin = now_s > first_list_s ? now_s - first_list_s : 0;

    if (fed_app_recovering(app)) {
        begin += 60; /* above what the lost device signed a moment ago */
    }
    return ident_generation(
        (uint32_t)(begin > known && begin <= UINT32_MAX ? begin : known + 1),
        0);
}

/* The place of a device; list->len: it is not there. */
static uint32_t
index_of(const struct ident_devices *list, const struct device_id *id)
{
    uint32_t i = 0;

    while (i < list->len && !device_id_equal(&list->device[i].id, id)) {
        i++;
    }
    return i;
}

enum err
fed_app_list_next(struct fed_app *app, struct ident_devices *out)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, key);
    struct ident_devices list = app->list;
    struct device_id self;
    uint32_t i;

    TRY(fed_app_device_key(app, &key));
    memcpy(self.b, key.pub, sizeof(self.b));
    memcpy(list.home.b, app->me.home, sizeof(list.home.b));
    list.generation = next_generation(app);
    i = index_of(&list, &self);
    if (i == list.len) {
        TRY(list.len < IDENT_DEVICES_MAX ? OK : ERR_LIMIT);
        list.device[list.len++] = (struct ident_device){.id = self};
    }
    /* who added it stays: what it signed with that certificate is out there,
       key packages above all [device-cert-issuer] */
    list.device[i].may_add = true;
    *out = list;
out:
    return e;
}

enum err
fed_app_first_home(struct fed_app *app, const struct clinic_id *home)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, key);
    struct ident_devices list;
    struct fed_app_rec_me me = app->me;

    TRY(me.stage == FED_APP_READY ? OK : ERR_STATE);
    if (me.cert.len > 0 && (me.settled || app->list.appends > 0 ||
                            memcmp(me.home, home->b, sizeof(me.home)) == 0)) {
        return OK; /* there is one already */
    }
    TRY(patient_key(app, &key));
    memcpy(me.home, home->b, sizeof(me.home));
    TRY(fed_app_me_save(app, &me));
    TRY(fed_app_list_next(app, &list));
    TRY(fed_app_list_sign(app, &key, &list));
out:
    return e;
}

/*
 * Recovering: this list should name this device, and no other, since most
 * likely one was lost.
 */
static enum err
above(struct fed_app *app, const struct prim_sign_key *key)
{
    enum err e = OK;
    SCRUBBED_STRUCT(prim_sign_key, own);
    struct ident_devices list;
    struct device_id self;

    if (!fed_app_recovering(app)) {
        return OK; /* nothing to say against it */
    }
    TRY(fed_app_device_key(app, &own));
    memcpy(self.b, own.pub, sizeof(self.b));
    TRY(fed_app_list_next(app, &list));
    list.device[0] = list.device[index_of(&list, &self)];
    list.len = 1;
    TRY(fed_app_list_sign(app, key, &list));
out:
    return e;
}

enum err
fed_app_list_came(struct fed_app *app, struct view news)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, key);
    struct patient_id patient;
    struct ident_devices list;
    struct fed_app_rec_me me = app->me;
    struct bytes copy = {0};
    struct fed_app_event *ev;

    memcpy(patient.b, app->me.patient, sizeof(patient.b));
    TRY(ident_devices_open(app->mem, &patient, news, &list));
    e = app->list.generation == 0 ? OK
                                  : ident_devices_compare(&app->list, &list);
    if (e == ERR_CORRUPT) {
        me.alarm = true;
        TRY(fed_app_me_save(app, &me));
        TRY(fed_app_tell(app, FED_APP_EV_DEVICES, &ev));
        ev->code = 1;
        goto out;
    }
    TRY(e == ERR_EXISTS ? ERR_STALE : e);
    TRY(bytes_copy(app->mem, news, &copy));
    me.list = view_of(&copy);
    me.alarm = false;
    memcpy(me.home, list.home.b, sizeof(me.home));
    app->shared_serial = 0; /* what is shared may be under its key */
    TRY(fed_app_me_save(app, &me));
    TRY(fed_app_tell(app, FED_APP_EV_DEVICES, &ev));
    e = patient_key(app, &key);
    if (e == OK) {
        TRY(above(app, &key));
    }
    TRY(e == ERR_MISSING ? OK : e);
    TRY(fed_app_core(app));
out:
    bytes_free(&copy);
    return e;
}

enum err
fed_app_removed(struct fed_app *app)
{
    enum err e;
    struct fed_app_rec_me me = app->me;
    struct fed_app_event *ev;

    me.removed = true;
    TRY(fed_app_me_save(app, &me));
    TRY(fed_app_tell(app, FED_APP_EV_DEVICES, &ev));
    ev->code = 2;
out:
    return e;
}

bool
fed_app_recovering(struct fed_app *app)
{
    uint8_t yes;

    return fed_app_secret(app, recover_name, &yes, 1) == OK;
}

enum err
fed_app_look_settled(struct fed_app *app)
{
    struct fed_party_info info;
    struct clinic_id home;

    memcpy(home.b, app->me.home, sizeof(home.b));
    if (app->core == NULL || app->me.settled ||
        fed_core_party(app->core, &home, &info) != OK || !info.up ||
        info.ours != PROTO_STANCE_GRANTED ||
        info.theirs != PROTO_STANCE_GRANTED || info.queued != 0) {
        return OK;
    }
    return fed_app_list_settled(app);
}

enum err
fed_app_list_settled(struct fed_app *app)
{
    enum err e;
    struct fed_app_rec_me me = app->me;

    if (me.settled) {
        return OK;
    }
    me.settled = true;
    TRY(fed_app_secret_del(app, key_name));
    TRY(fed_app_secret_del(app, recover_name));
    TRY(fed_app_me_save(app, &me));
out:
    return e;
}

/* ------------------------------------------------------------ a new patient */

enum err
fed_app_new_device(struct fed_app *app)
{
    SCRUBBED(seed, PRIM_ED25519_SEED);
    enum err e = rng_fill(app->c.rng, seed, sizeof(seed));

    return e == OK ? fed_app_secret_put(app, device_name,
                                        view_make(seed, sizeof(seed)))
                   : e;
}

enum err
fed_app_new_patient(struct fed_app *app)
{
    enum err e;
    SCRUBBED(code, IDENT_CODE);
    SCRUBBED_STRUCT(prim_sign_key, key);
    struct fed_app_rec_me me = {.stage = FED_APP_READY,
                                .code = FED_APP_CODE_UNWRITTEN};

    TRY(app->me.stage == FED_APP_NOBODY ? OK : ERR_STATE);
    TRY(ident_code_new(app->c.rng, code));
    ident_patient_key(code, &key);
    memcpy(me.patient, key.pub, sizeof(me.patient));
    me.made_ms = fed_app_now(app);
    TRY(fed_app_new_device(app));
    TRY(fed_app_secret_put(app, code_name, view_make(code, sizeof(code))));
    TRY(fed_app_me_save(app, &me));
out:
    return e;
}

enum err
fed_app_code(struct fed_app *app, struct bytes *words_out, struct bytes *qr_out)
{
    enum err e;
    SCRUBBED(code, IDENT_CODE);
    struct bytes words = {0};
    struct bytes qr = {0};

    TRY(fed_app_secret(app, code_name, code, sizeof(code)));
    TRY(ident_code_words(app->mem, code, &words));
    TRY(ident_code_qr(app->mem, code, &qr));
    *words_out = bytes_take(&words);
    *qr_out = bytes_take(&qr);
out:
    bytes_free(&words);
    bytes_free(&qr);
    return e;
}

enum err
fed_app_code_confirm(struct fed_app *app, struct view text, unsigned *bad_word)
{
    enum err e;
    SCRUBBED(code, IDENT_CODE);
    SCRUBBED(typed, IDENT_CODE);
    SCRUBBED_STRUCT(prim_sign_key, key);
    struct fed_app_rec_me me = app->me;

    TRY(fed_app_secret(app, code_name, code, sizeof(code)));
    TRY(ident_code_read(text, typed, bad_word));
    TRY(prim_equal(view_make(code, sizeof(code)),
                   view_make(typed, sizeof(typed)))
            ? OK
            : ERR_AUTH);
    if (!me.settled) { /* its list is still to be signed or taken */
        ident_patient_key(code, &key);
        TRY(fed_app_secret_put(app, key_name,
                               view_make(key.seed, sizeof(key.seed))));
    }
    TRY(fed_app_secret_del(app, code_name));
    me.code = FED_APP_CODE_CONFIRMED;
    TRY(fed_app_me_save(app, &me));
out:
    return e;
}

enum err
fed_app_recover(struct fed_app *app, struct view text, unsigned *bad_word)
{
    enum err e;
    SCRUBBED(code, IDENT_CODE);
    SCRUBBED_STRUCT(prim_sign_key, key);
    static const uint8_t yes = 1;
    struct fed_app_rec_me me = app->me;

    TRY(ident_code_read(text, code, bad_word));
    ident_patient_key(code, &key);
    TRY(me.stage == FED_APP_NOBODY ||
                memcmp(me.patient, key.pub, sizeof(me.patient)) == 0
            ? OK
            : ERR_EXISTS);
    TRY(fed_app_secret_put(app, key_name,
                           view_make(key.seed, sizeof(key.seed))));
    TRY(fed_app_secret_put(app, recover_name, view_make(&yes, 1)));
    if (me.stage == FED_APP_READY) {
        TRY(app->list.generation == 0 ? OK : above(app, &key));
        goto out;
    }
    TRY(fed_app_new_device(app));
    TRY(fed_app_ring_recover(app, &key));
    TRY(fed_app_archive_want(app));
    TRY(fed_app_shared_want(app, true));
    memcpy(me.patient, key.pub, sizeof(me.patient));
    me.stage = FED_APP_READY;
    me.code = FED_APP_CODE_CONFIRMED;
    me.made_ms = fed_app_now(app);
    TRY(fed_app_me_save(app, &me));
out:
    return e;
}

enum err
fed_app_identity(struct fed_app *app, struct fed_app_identity *out)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, key);

    TRY(app->me.cert.len > 0 ? OK : ERR_STATE);
    TRY(fed_app_device_key(app, &key));
    memcpy(out->patient.b, app->me.patient, sizeof(out->patient.b));
    memcpy(out->seed, key.seed, sizeof(out->seed));
    out->cert = app->me.cert;
out:
    return e;
}
