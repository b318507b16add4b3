/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/device_list.h"

#include "crypto/prim/hash.h"
#include "proto/msg/shape.h"

#include <string.h>

enum {
    VERSION = 1
};

struct base {
    struct patient_id patient;
    uint64_t generation;
    struct clinic_id home;
    struct proto_list devices;
};

struct append {
    struct patient_id patient;
    uint64_t generation;
    struct hash32 before;
    struct device_id by;
    struct device_id device;
    bool may_add;
};

static const struct proto_field device_fields[] = {
    PROTO_FIXED(ident_device, id),
    PROTO_BOOL(ident_device, may_add),
    PROTO_FIXED(ident_device, added_by),
};
static const struct proto_shape device_shape =
    PROTO_SHAPE(ident_device, device_fields);

static const struct proto_field base_fields[] = {
    PROTO_FIXED(base, patient),
    PROTO_UINT(base, generation, UINT64_MAX),
    PROTO_FIXED(base, home),
    PROTO_LIST(base, devices, IDENT_DEVICES_MAX, device_shape),
};
static const struct proto_shape base_shape = PROTO_SHAPE(base, base_fields);

static const struct proto_field append_fields[] = {
    PROTO_FIXED(append, patient), PROTO_UINT(append, generation, UINT64_MAX),
    PROTO_FIXED(append, before),  PROTO_FIXED(append, by),
    PROTO_FIXED(append, device),  PROTO_BOOL(append, may_add),
};
static const struct proto_shape append_shape =
    PROTO_SHAPE(append, append_fields);

static const struct proto_field cert_fields[] = {
    PROTO_FIXED(ident_device_cert, patient),
    PROTO_FIXED(ident_device_cert, device),
    PROTO_FIXED(ident_device_cert, home),
    PROTO_FIXED(ident_device_cert, issuer),
};
static const struct proto_shape cert_shape =
    PROTO_SHAPE(ident_device_cert, cert_fields);

static const uint64_t base_head[] = {IDENT_DEVICES, VERSION};
static const uint64_t append_head[] = {IDENT_DEVICE_ADD, VERSION};
static const uint64_t cert_head[] = {IDENT_PATIENT, VERSION};

const struct ident_device *
ident_devices_find(const struct ident_devices *list,
                   const struct device_id *device)
{
    for (uint32_t i = 0; i < list->len; i++) {
        if (device_id_equal(&list->device[i].id, device)) {
            return &list->device[i];
        }
    }
    return NULL;
}

static bool
is_patient(const struct patient_id *patient, const uint8_t key[32])
{
    return memcmp(patient->b, key, sizeof(patient->b)) == 0;
}

/* One more device, if it may be one. */
static enum err
put_device(struct ident_devices *list, const struct ident_device *device)
{
    /* [devices-twice] */
    if (ident_devices_find(list, &device->id) != NULL) {
        return ERR_EXISTS;
    }
    /* [devices-patient-key] the key of a list is none of its devices */
    if (is_patient(&list->patient, device->id.b)) {
        return ERR_INVALID;
    }
    if (list->len == IDENT_DEVICES_MAX) {
        return ERR_LIMIT;
    }
    list->device[list->len++] = *device;
    return OK;
}

static enum err
sign_shape(const struct mem *mem, enum ident_type type,
           const struct prim_sign_key *key, const struct proto_shape *shape,
           const uint64_t *head, const void *from, struct bytes *out)
{
    struct bytes statement = {0};
    enum err e;

    TRY(proto_shape_encode(mem, shape, head, 2, from, &statement));
    TRY(ident_signed_make(mem, type, key, view_of(&statement), out));
out:
    bytes_free(&statement);
    return e;
}

/* The list around a base and appends that are written one behind the other. */
static enum err
wrap(const struct mem *mem, struct view base, struct view appends_raw,
     uint32_t appends, struct view append, struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 3);
    proto_wr_uint(&w, VERSION);
    proto_wr_bin(&w, base);
    proto_wr_array(&w, appends + (append.len > 0 ? 1u : 0u));
    if (appends_raw.len > 0) {
        proto_wr_raw(&w, appends_raw);
    }
    if (append.len > 0) {
        proto_wr_bin(&w, append);
    }
    return proto_wr_take(&w, out);
}

enum err
ident_devices_make(const struct mem *mem, const struct prim_sign_key *patient,
                   const struct ident_devices *list, struct bytes *out)
{
    enum err e;
    struct ident_devices l = {0};
    struct base b = {.generation = list->generation, .home = list->home};
    struct bytes signed_base = {0};

    if (list->generation >> 32 == 0 || (uint32_t)list->generation != 0) {
        return ERR_INVALID;
    }
    if (list->len > IDENT_DEVICES_MAX) {
        return ERR_LIMIT;
    }
    memcpy(l.patient.b, patient->pub, sizeof(l.patient.b));
    for (uint32_t i = 0; i < list->len; i++) {
        struct ident_device d = list->device[i];

        if (subject_id_is_zero(&d.added_by)) {
            memcpy(d.added_by.b, patient->pub, sizeof(d.added_by.b));
        }
        if (put_device(&l, &d) != OK) {
            return ERR_INVALID;
        }
    }
    b.patient = l.patient;
    b.devices = (struct proto_list){.items = l.device, .len = l.len};
    TRY(sign_shape(mem, IDENT_DEVICES, patient, &base_shape, base_head, &b,
                   &signed_base));
    TRY(wrap(mem, view_of(&signed_base), (struct view){0}, 0, (struct view){0},
             out));
out:
    bytes_free(&signed_base);
    return e;
}

static enum err
open_base(const struct mem *mem, const struct patient_id *patient,
          struct view in, struct ident_devices *out)
{
    enum err e;
    struct view statement;
    struct base b;
    struct ident_device d;
    struct proto_list_at at = {0};

    TRY(ident_signed_open(mem, IDENT_DEVICES, patient->b, in, &statement));
    TRY(proto_shape_decode(statement, &base_shape, base_head, 2, &b));
    /* [devices-patient] */
    if (!patient_id_equal(&b.patient, patient)) {
        return ERR_AUTH;
    }
    /* [devices-generation] */
    if (b.generation >> 32 == 0 || (uint32_t)b.generation != 0) {
        return ERR_FORMAT;
    }
    out->patient = b.patient;
    out->generation = b.generation;
    out->home = b.home;
    while (proto_list_next(&b.devices, &device_shape, &at, &d)) {
        if (put_device(out, &d) != OK) {
            return ERR_FORMAT;
        }
    }
    prim_sha256(statement, out->digest[0].b);
out:
    return e;
}

static enum err
open_append(const struct mem *mem, struct view in, struct ident_devices *list)
{
    enum err e;
    struct view statement;
    struct append a;
    const struct ident_device *by;
    struct ident_device d;
    struct view parts[2];

    TRY(ident_signed_peek(in, &statement));
    TRY(proto_shape_decode(statement, &append_shape, append_head, 2, &a));
    by = ident_devices_find(list, &a.by);
    /* decisions F 23 [devices-may-add] */
    if (by == NULL || !by->may_add) {
        return ERR_DENIED;
    }
    TRY(ident_signed_open(mem, IDENT_DEVICE_ADD, a.by.b, in, &statement));
    /* [devices-chain] of this patient, behind exactly what is before it */
    if (!patient_id_equal(&a.patient, &list->patient) ||
        a.generation != list->generation + 1 ||
        !hash32_equal(&a.before, &list->digest[list->appends])) {
        return ERR_AUTH;
    }
    d = (struct ident_device){.id = a.device, .may_add = a.may_add};
    memcpy(d.added_by.b, a.by.b, sizeof(d.added_by.b));
    if (put_device(list, &d) != OK) {
        return ERR_FORMAT;
    }
    parts[0] = hash32_view(&a.before);
    parts[1] = statement;
    list->appends++;
    list->generation++;
    prim_sha256_parts(parts, 2, list->digest[list->appends].b);
out:
    return e;
}

/* The two halves of a list; the appends as they came, count of them. */
static enum err
split(struct view in, struct view *base, struct view *appends, uint32_t *count)
{
    struct proto_rd r = proto_rd_open(in);
    struct view from;

    if (in.len > IDENT_LIST_MAX) {
        return ERR_LIMIT;
    }
    proto_rd_array(&r, 3);
    if (proto_rd_u16(&r) != VERSION) {
        proto_rd_fail(&r, ERR_UNSUPPORTED);
    }
    *base = proto_rd_bin(&r, IDENT_LIST_MAX);
    *count = proto_rd_list(&r, IDENT_APPENDS_MAX);
    from = r.left;
    for (uint32_t i = 0; i < *count && r.e == OK; i++) {
        (void)proto_rd_bin(&r, IDENT_LIST_MAX);
    }
    *appends = view_sub(from, 0, r.e == OK ? from.len - r.left.len : 0);
    return proto_rd_end(&r);
}

enum err
ident_devices_open(const struct mem *mem, const struct patient_id *patient,
                   struct view in, struct ident_devices *out)
{
    enum err e;
    struct view base;
    struct view appends;
    uint32_t count = 0;
    struct proto_rd r;
    struct ident_devices list = {0};

    TRY(split(in, &base, &appends, &count));
    TRY(open_base(mem, patient, base, &list));
    r = proto_rd_open(appends);
    for (uint32_t i = 0; i < count; i++) {
        TRY(open_append(mem, proto_rd_bin(&r, IDENT_LIST_MAX), &list));
    }
    *out = list;
out:
    return e;
}

enum err
ident_devices_append(const struct mem *mem, const struct prim_sign_key *key,
                     const struct patient_id *patient, struct view in,
                     const struct device_id *device, bool may_add,
                     struct bytes *out)
{
    enum err e;
    struct ident_devices list;
    struct ident_device d = {.id = *device, .may_add = may_add};
    const struct ident_device *by;
    struct append a = {.device = *device, .may_add = may_add};
    struct view base;
    struct view appends;
    uint32_t count;
    struct bytes signed_append = {0};

    TRY(ident_devices_open(mem, patient, in, &list));
    TRY(split(in, &base, &appends, &count));
    memcpy(a.by.b, key->pub, sizeof(a.by.b));
    by = ident_devices_find(&list, &a.by);
    if (by == NULL || !by->may_add) {
        return ERR_DENIED;
    }
    if (count == IDENT_APPENDS_MAX) {
        return ERR_LIMIT;
    }
    a.patient = list.patient;
    a.generation = list.generation + 1;
    a.before = list.digest[list.appends];
    TRY(put_device(&list, &d));
    TRY(sign_shape(mem, IDENT_DEVICE_ADD, key, &append_shape, append_head, &a,
                   &signed_append));
    TRY(wrap(mem, base, appends, count, view_of(&signed_append), out));
out:
    bytes_free(&signed_append);
    return e;
}

enum err
ident_devices_compare(const struct ident_devices *known,
                      const struct ident_devices *news)
{
    uint32_t common =
        known->appends < news->appends ? known->appends : news->appends;

    if (!patient_id_equal(&known->patient, &news->patient)) {
        return ERR_INVALID;
    }
    if (known->generation >> 32 != news->generation >> 32) {
        return known->generation < news->generation ? OK : ERR_STALE;
    }
    /* decisions F 23 [devices-fork] a digest holds all that came before it */
    if (!hash32_equal(&known->digest[common], &news->digest[common])) {
        return ERR_CORRUPT;
    }
    if (known->appends == news->appends) {
        return ERR_EXISTS;
    }
    return known->appends < news->appends ? OK : ERR_STALE;
}

/* -------------------------------------------------------------- certificates
 */

enum err
ident_device_cert_make(const struct mem *mem,
                       const struct prim_sign_key *issuer,
                       const struct ident_device_cert *cert, struct bytes *out)
{
    struct ident_device_cert c = *cert;

    memcpy(c.issuer.b, issuer->pub, sizeof(c.issuer.b));
    return sign_shape(mem, IDENT_PATIENT, issuer, &cert_shape, cert_head, &c,
                      out);
}

static enum err
cert_decode(struct view in, struct ident_device_cert *out)
{
    enum err e;
    struct view statement;

    if (in.len > IDENT_DEVICE_CERT_MAX) {
        return ERR_FORMAT;
    }
    TRY(ident_signed_peek(in, &statement));
    TRY(proto_shape_decode(statement, &cert_shape, cert_head, 2, out));
out:
    return e;
}

enum err
ident_device_cert_peek(struct view in, struct ident_device_claim *out)
{
    enum err e;
    struct ident_device_cert c;

    TRY(cert_decode(in, &c));
    out->patient = c.patient;
out:
    return e;
}

enum err
ident_device_cert_verify(const struct mem *mem, struct view in,
                         const struct ident_devices *list,
                         const struct device_id *key,
                         struct ident_device_cert *out)
{
    enum err e;
    struct view statement;
    struct ident_device_cert c;
    const struct ident_device *d;

    TRY(cert_decode(in, &c));
    TRY(ident_signed_open(mem, IDENT_PATIENT, c.issuer.b, in, &statement));
    /* [device-cert-patient] [device-cert-key] */
    if (!patient_id_equal(&c.patient, &list->patient) ||
        (key != NULL && !device_id_equal(key, &c.device))) {
        return ERR_AUTH;
    }
    d = ident_devices_find(list, &c.device);
    /* [device-cert-listed] */
    if (d == NULL) {
        return ERR_STALE;
    }
    /* [device-cert-issuer] the patient, or who put it on the list */
    if (!is_patient(&list->patient, c.issuer.b) &&
        !subject_id_equal(&c.issuer, &d->added_by)) {
        return ERR_AUTH;
    }
    *out = c;
out:
    return e;
}
