/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of the archive: one for each list that the patient key signed, so
 * that a device that was removed reads nothing that is archived afterwards.
 *
 *     key n    HKDF(HKDF(patient key's seed, "balsam v1 archive"),
 *                   "balsam v1 archive key" | n), n the list's number
 *     keys     signed by the patient key: [18, 1, patient, n, [[device, HPKE
 *              to the X25519 key of that device, of key n], ...]]
 *     ring     nonce 24 | XChaCha20-Poly1305(the keys of before), under key n
 *
 * Whoever signs a list makes both, and the home clinic keeps them for the
 * other devices.  A device that is added gets key n with its grant, or from
 * another one (lack.c); with the code all of them follow.  Who does not have
 * key n yet writes nothing.
 */
#include "crypto/mls/suite.h"
#include "crypto/prim/aead.h"
#include "crypto/prim/hash.h"
#include "crypto/prim/hpke.h"
#include "federation/app/inside.h"
#include "federation/core/archive.h"
#include "federation/core/rec.h"
#include "proto/msg/device.h"

#include <string.h>

enum {
    KEY = 32,
    RING_MAX = 512 /* older ones are forgotten */
};

static const char ring_name[] = "ring";       /* secret: the keys we have */
static const char all_name[] = "archive_all"; /* secret: makes any of them */
static const char due_name[] = "keys_due";    /* 1: the home gets ours */
static const char of_name[] = "keys_of";      /* the list that they are of */
static const char want_name[] = "keys_want";  /* 1: we lack older ones */

static const uint64_t statement[] = {IDENT_ARCHIVE, 1};

struct ring {
    struct fed_app_rec_ring_key at[RING_MAX]; /* the oldest first */
    uint32_t len;
};

/* ----------------------------------------------------------- what we have */

static void
ring_free(struct fed_app *app, struct ring *r)
{
    mem_free(app->mem, r, sizeof(*r));
}

/* Of one more key: whether it was new. */
static bool
ring_put(struct ring *r, const struct fed_app_rec_ring_key *key)
{
    uint32_t at = 0;

    while (at < r->len && r->at[at].n < key->n) {
        at++;
    }
    if (at < r->len && r->at[at].n == key->n) {
        return false;
    }
    if (r->len == RING_MAX) {
        if (at == 0) {
            return false;
        }
        memmove(&r->at[0], &r->at[1], (r->len - 1) * sizeof(r->at[0]));
        r->len--;
        at--;
    }
    memmove(&r->at[at + 1], &r->at[at], (r->len - at) * sizeof(r->at[0]));
    r->at[at] = *key;
    r->len++;
    return true;
}

static uint32_t
ring_read(struct ring *r, const struct fed_app_rec_ring *in)
{
    struct proto_list_at at = {0};
    struct fed_app_rec_ring_key key;
    uint32_t added = 0;

    while (proto_list_next(&in->keys, &fed_app_rec_ring_key_shape, &at, &key)) {
        added += ring_put(r, &key) ? 1u : 0u;
    }
    mem_wipe(&key, sizeof(key));
    return added;
}

static enum err
ring_load(struct fed_app *app, struct ring **out)
{
    enum err e;
    struct ring *r = mem_calloc(app->mem, 1, sizeof(*r));
    struct fed_app_rec_ring rec;
    struct bytes b = {0};

    TRY(r == NULL ? ERR_NOMEM : OK);
    e = fed_app_secret_get(app, ring_name, &b);
    if (e == OK) {
        TRY(fed_rec_decode(view_of(&b), &fed_app_rec_ring_shape, &rec));
        (void)ring_read(r, &rec);
    }
    TRY(e == ERR_MISSING ? OK : e);
    *out = r;
    r = NULL;
out:
    ring_free(app, r);
    bytes_free(&b);
    return e;
}

static enum err
ring_text(struct fed_app *app, const struct ring *r, struct bytes *out)
{
    struct fed_app_rec_ring rec = {{r->at, r->len, {0}}};

    return fed_rec_encode(app->mem, &fed_app_rec_ring_shape, &rec, out);
}

static enum err
ring_save(struct fed_app *app, const struct ring *r)
{
    enum err e;
    struct bytes b = {0};

    TRY(ring_text(app, r, &b));
    TRY(fed_app_secret_put(app, ring_name, view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

enum err
fed_app_ring_put(struct fed_app *app, uint64_t n, const uint8_t key[32])
{
    enum err e;
    struct fed_app_rec_ring_key one = {.n = n};
    struct ring *r = NULL;

    memcpy(one.key, key, sizeof(one.key));
    TRY(ring_load(app, &r));
    if (ring_put(r, &one)) {
        TRY(ring_save(app, r));
        app->shared_serial = 0; /* it may be read now */
    }
out:
    mem_wipe(&one, sizeof(one));
    ring_free(app, r);
    return e;
}

/* ---------------------------------------------------------------- made anew */

static enum err
make_all(const struct prim_sign_key *patient, uint8_t out[KEY])
{
    SCRUBBED_STRUCT(prim_secret, prk);

    prim_hkdf_extract((struct view){0},
                      view_make(patient->seed, sizeof(patient->seed)), &prk);
    return prim_hkdf_expand(prim_secret_view(&prk),
                            VIEW_LIT("balsam v1 archive"), out, KEY);
}

static enum err
make_key(const uint8_t all[KEY], uint64_t n, uint8_t out[KEY])
{
    const uint8_t number[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16),
                               (uint8_t)(n >> 8), (uint8_t)n};
    const struct view info[] = {VIEW_LIT("balsam v1 archive key"),
                                VIEW_ARRAY(number)};

    return prim_hkdf_expand_parts(view_make(all, KEY), info, 2, out, KEY);
}

enum err
fed_app_ring_recover(struct fed_app *app, const struct prim_sign_key *patient)
{
    enum err e;
    SCRUBBED(all, KEY);

    TRY(make_all(patient, all));
    TRY(fed_app_secret_put(app, all_name, view_make(all, KEY)));
out:
    return e;
}

uint64_t
fed_app_ring_number(const struct fed_app *app)
{
    return app->list.generation >> 32;
}

enum err
fed_app_ring_has(struct fed_app *app, uint64_t n, bool *out)
{
    enum err e;
    struct ring *r = NULL;

    *out = false;
    TRY(ring_load(app, &r));
    for (uint32_t i = 0; i < r->len; i++) {
        *out = *out || r->at[i].n == n;
    }
out:
    ring_free(app, r);
    return e;
}

enum err
fed_app_ring_key(struct fed_app *app, uint64_t n, uint8_t out[32])
{
    enum err e;
    SCRUBBED(all, KEY);
    struct ring *r = NULL;
    uint32_t at = 0;

    TRY(ring_load(app, &r));
    while (at < r->len && r->at[at].n != n) {
        at++;
    }
    if (at < r->len) {
        memcpy(out, r->at[at].key, KEY);
        goto out;
    }
    TRY(fed_app_secret(app, all_name, all, sizeof(all)));
    TRY(make_key(all, n, out));
    TRY(fed_app_ring_put(app, n, out));
out:
    ring_free(app, r);
    return e;
}

/* Everything was read: what makes all keys, also of lists to come, goes. */
enum err
fed_app_ring_read_all(struct fed_app *app)
{
    enum err e;
    SCRUBBED(all, KEY);

    e = fed_app_secret(app, all_name, all, sizeof(all));
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    TRY(fed_app_secret_del(app, all_name));
    TRY(fed_app_number_put(&app->kv, due_name, 1));
out:
    return e;
}

/* ------------------------------------------------------------ for the others
 */

static struct fed_app_key
keys_key(void)
{
    return fed_app_key(VIEW_LIT("keys"), (struct view){0});
}

/* What key n is sealed with: for whom, and as what. */
static struct view
about(const uint8_t patient[32], uint64_t n, uint8_t out[40])
{
    memcpy(out, patient, 32);
    for (int i = 0; i < 8; i++) {
        out[32 + i] = (uint8_t)(n >> (56 - 8 * i));
    }
    return view_make(out, 40);
}

static const struct prim_suite *
suite(void)
{
    return &mls_suite_find(MLS_SUITE_X25519_CHACHA20)->prim;
}

enum err
fed_app_ring_seal(struct fed_app *app, const uint8_t patient[32], uint64_t n,
                  const struct device_id *device, const uint8_t key[32],
                  struct fed_app_rec_sealed *out)
{
    enum err e;
    uint8_t pub[PRIM_X25519_SIZE];
    uint8_t aad[40];
    const struct view info = VIEW_LIT("balsam v1 archive key");

    memcpy(out->device, device->b, sizeof(out->device));
    TRY(prim_x25519_of_pub(device->b, pub));
    TRY(prim_hpke_seal(suite(), app->c.rng, VIEW_ARRAY(pub), &info, 1,
                       about(patient, n, aad), view_make(key, KEY), out->enc,
                       out->ct));
out:
    return e;
}

/* Key n for each device of the list but this one, signed. */
static enum err
make_keys(struct fed_app *app, const struct prim_sign_key *patient,
          const struct ident_devices *list, const uint8_t key[KEY],
          struct bytes *out)
{
    enum err e;
    struct fed_app_rec_keys rec = {.n = list->generation >> 32};
    struct fed_app_rec_sealed sealed[IDENT_DEVICES_MAX];
    uint32_t n = 0;
    struct bytes text = {0};

    memcpy(rec.patient, patient->pub, sizeof(rec.patient));
    for (uint32_t i = 0; i < list->len; i++) {
        e = fed_app_ring_seal(app, rec.patient, rec.n, &list->device[i].id, key,
                              &sealed[n]);
        /* no key of a device: not for it */
        if (e != OK && e != ERR_INVALID) {
            goto out;
        }
        n += e == OK ? 1 : 0;
    }
    rec.sealed = (struct proto_list){.items = sealed, .len = n};
    TRY(proto_shape_encode(app->mem, &fed_app_rec_keys_shape, statement, 2,
                           &rec, &text));
    TRY(ident_signed_make(app->mem, IDENT_ARCHIVE, patient, view_of(&text),
                          out));
out:
    bytes_free(&text);
    return e;
}

enum err
fed_app_ring_sign(struct fed_app *app, const struct prim_sign_key *patient,
                  const struct ident_devices *list)
{
    enum err e;
    SCRUBBED(all, KEY);
    SCRUBBED(key, KEY);
    struct fed_app_key at = keys_key();
    struct bytes keys = {0};

    TRY(make_all(patient, all));
    TRY(make_key(all, list->generation >> 32, key));
    TRY(fed_app_ring_put(app, list->generation >> 32, key));
    TRY(make_keys(app, patient, list, key, &keys));
    TRY(fed_app_put(&app->kv, FED_APP_ME, &at, view_of(&keys)));
    TRY(fed_app_number_put(&app->kv, of_name, list->generation >> 32));
    TRY(fed_app_number_put(&app->kv, due_name, 1));
    TRY(fed_app_shared_due(app)); /* it is said under the new key */
out:
    bytes_free(&keys);
    return e;
}

/* ----------------------------------------------------------------- the ring */

static struct view
ring_aad(const struct fed_app *app, uint64_t n, uint8_t out[64])
{
    static const char label[] = "balsam v1 archive ring";

    memcpy(out, label, sizeof(label));
    (void)about(app->me.patient, n, out + sizeof(label));
    return view_make(out, sizeof(label) + 40);
}

static enum err
seal_ring(struct fed_app *app, uint64_t n, struct bytes *out)
{
    enum err e;
    SCRUBBED(key, KEY);
    uint8_t aad[64];
    struct ring *r = NULL;
    struct bytes plain = {0};
    struct bytes sealed = {0};

    TRY(fed_app_ring_key(app, n, key));
    TRY(ring_load(app, &r));
    TRY(ring_text(app, r, &plain));
    TRY(bytes_alloc(app->mem, PRIM_XNONCE_SIZE + plain.len + PRIM_TAG_SIZE,
                    &sealed));
    TRY(rng_fill(app->c.rng, sealed.p, PRIM_XNONCE_SIZE));
    prim_xseal(key, sealed.p, ring_aad(app, n, aad), view_of(&plain),
               sealed.p + PRIM_XNONCE_SIZE);
    *out = bytes_take(&sealed);
out:
    ring_free(app, r);
    bytes_free(&plain);
    bytes_free(&sealed);
    return e;
}

/* The keys in it become ours.  Which came new, and whether we have more. */
static enum err
open_ring(struct fed_app *app, uint64_t n, struct view in, uint32_t *added,
          bool *more)
{
    enum err e;
    SCRUBBED(key, KEY);
    uint8_t aad[64];
    struct ring *r = NULL;
    struct fed_app_rec_ring rec;
    struct bytes plain = {0};

    *added = 0;
    TRY(fed_app_ring_key(app, n, key));
    TRY(in.len > PRIM_XNONCE_SIZE + PRIM_TAG_SIZE ? OK : ERR_FORMAT);
    TRY(bytes_alloc(app->mem, in.len - PRIM_XNONCE_SIZE - PRIM_TAG_SIZE,
                    &plain));
    TRY(prim_xopen(key, in.p, ring_aad(app, n, aad),
                   view_skip(in, PRIM_XNONCE_SIZE), plain.p));
    e = fed_rec_decode(view_of(&plain), &fed_app_rec_ring_shape, &rec);
    TRY(e == ERR_CORRUPT ? ERR_FORMAT : e);
    TRY(ring_load(app, &r));
    *added = ring_read(r, &rec);
    *more = r->len > rec.keys.len;
    if (*added > 0) {
        TRY(ring_save(app, r));
    }
out:
    ring_free(app, r);
    bytes_free(&plain);
    return e;
}

/* ------------------------------------------------------------ the home clinic
 */

/* Ours, for the others. */
static enum err
give(struct fed_app *app, const struct clinic_id *home)
{
    enum err e;
    struct fed_app_key at = keys_key();
    struct proto_device_archive_keys out = {.generation =
                                                fed_app_ring_number(app)};
    struct bytes keys = {0};
    struct bytes ring = {0};
    uint64_t of;

    TRY(fed_app_number(&app->kv, of_name, &of));
    /* [archive-keys-of-list] else another device signed since */
    if (of == out.generation) {
        TRY(fed_app_get(&app->kv, FED_APP_ME, &at, &keys));
    }
    e = seal_ring(app, out.generation, &ring);
    TRY(e == ERR_MISSING ? OK : e);
    out.keys = view_of(&keys);
    out.ring = view_of(&ring);
    if (keys.len > 0 || ring.len > 0) {
        TRY(fed_core_archive_keys(app->core, home, &out));
    }
    TRY(fed_app_number_put(&app->kv, due_name, 0));
out:
    bytes_free(&keys);
    bytes_free(&ring);
    return e;
}

enum err
fed_app_ring_pump(struct fed_app *app, const struct clinic_id *home)
{
    enum err e;
    SCRUBBED(key, KEY);
    const struct fed_app_conn *conn = fed_app_conn(app, home);
    uint64_t due;
    uint64_t want;
    bool lacks;

    TRY(fed_app_number(&app->kv, due_name, &due));
    if (due != 0) {
        TRY(give(app, home));
        goto out;
    }
    if (conn == NULL || app->keys_serial == conn->serial) {
        goto out;
    }
    TRY(fed_app_number(&app->kv, want_name, &want));
    TRY(fed_app_lacks(app, &lacks));
    e = fed_app_ring_key(app, fed_app_ring_number(app), key);
    if (e == ERR_MISSING || (e == OK && (want != 0 || lacks))) {
        e = fed_core_archive_ask(app->core, home, fed_app_ring_number(app));
    }
    TRY(e);
    app->keys_serial = conn->serial;
out:
    return e;
}

enum err
fed_app_ring_due(struct fed_app *app)
{
    return fed_app_number_put(&app->kv, due_name, 1);
}

enum err
fed_app_ring_want(struct fed_app *app)
{
    return fed_app_number_put(&app->kv, want_name, 1);
}

enum err
fed_app_ring_open(struct fed_app *app, const uint8_t patient[32], uint64_t n,
                  const struct fed_app_rec_sealed *in, uint8_t out[32])
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, device);
    SCRUBBED(priv, PRIM_X25519_SIZE);
    SCRUBBED_STRUCT(prim_kem_pair, pair);
    const struct view info = VIEW_LIT("balsam v1 archive key");
    uint8_t aad[40];

    TRY(fed_app_device_key(app, &device));
    TRY(memcmp(in->device, device.pub, sizeof(in->device)) == 0 ? OK
                                                                : ERR_MISSING);
    prim_x25519_of_key(&device, priv);
    TRY(prim_kem_from_priv(suite(), view_make(priv, sizeof(priv)), &pair));
    TRY(prim_hpke_open(suite(), &pair, VIEW_ARRAY(in->enc), &info, 1,
                       about(patient, n, aad), VIEW_ARRAY(in->ct), out));
out:
    return e;
}

/* Key n as it is for this device.  ERR_MISSING  it is not */
static enum err
own_key(struct fed_app *app, const struct fed_app_rec_keys *rec,
        uint8_t out[KEY])
{
    enum err e = ERR_MISSING;
    struct proto_list_at at = {0};
    struct fed_app_rec_sealed s;

    while (e == ERR_MISSING &&
           proto_list_next(&rec->sealed, &fed_app_rec_sealed_shape, &at, &s)) {
        e = fed_app_ring_open(app, rec->patient, rec->n, &s, out);
    }
    return e;
}

/* [archive-keys-signed] by the patient key: the clinic that keeps them cannot
   make us write under a key of its own. */
static enum err
take_keys(struct fed_app *app, const struct proto_device_archive_keys *in)
{
    enum err e;
    SCRUBBED(key, KEY);
    struct fed_app_rec_keys rec;
    struct fed_app_key at = keys_key();
    struct view text;

    TRY(ident_signed_open(app->mem, IDENT_ARCHIVE, app->me.patient, in->keys,
                          &text));
    TRY(proto_shape_decode(text, &fed_app_rec_keys_shape, statement, 2, &rec));
    TRY(memcmp(rec.patient, app->me.patient, 32) == 0 && rec.n == in->generation
            ? OK
            : ERR_AUTH);
    TRY(own_key(app, &rec, key));
    TRY(fed_app_ring_put(app, rec.n, key));
    TRY(fed_app_put(&app->kv, FED_APP_ME, &at, in->keys));
    TRY(fed_app_number_put(&app->kv, of_name, rec.n));
out:
    return e;
}

enum err
fed_app_show_keys(struct fed_app *app, struct view body)
{
    enum err e;
    struct proto_device_msg msg;
    const struct proto_device_archive_keys *in = &msg.u.archive_keys;
    uint32_t added = 0;
    bool more = false;

    e = proto_device_decode(body, &msg);
    TRY(e == OK && msg.type == PROTO_DEVICE_ARCHIVE_KEYS ? OK : ERR_INTERNAL);
    if (in->keys.len > 0) {
        e = take_keys(app, in);
        TRY(fed_app_ours(e) ? e : OK); /* not for us, or not good */
    }
    if (in->ring.len > 0) {
        e = open_ring(app, in->generation, in->ring, &added, &more);
        TRY(fed_app_ours(e) ? e : OK);
    }
    if (added > 0) { /* what could not be read before */
        TRY(fed_app_archive_want(app));
        app->asked_serial = 0;
    }
    if (more && in->generation == fed_app_ring_number(app) &&
        fed_app_archivist(app)) {
        TRY(fed_app_number_put(&app->kv, due_name, 1));
    }
    TRY(fed_app_number_put(&app->kv, want_name, 0));
    TRY(fed_app_lack_ask(app));
out:
    return e;
}
