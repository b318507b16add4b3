/* SPDX-License-Identifier: Apache-2.0 */
#include "store/patient.h"

#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/inner.h"
#include "store/records.h"

#include <string.h>

enum {
    PATIENT_FIELDS = 16,
    CONSENT_FIELDS = 9,
    ID_BYTES = 32,
    CONSENT_KEY = 32 + 8 + 32
};

/* ----------------------------------------------------------------- patients
 */

void
store_patient_clear(struct store_patient *p)
{
    phi_free(&p->claim);
    phi_free(&p->called);
    memset(p, 0, sizeof(*p));
}

enum err
store_patient_decode(const struct mem *mem, struct view in,
                     struct store_patient *out)
{
    struct store_patient p = {0};
    struct proto_rd r = proto_rd_open(in);
    enum err e;

    proto_rd_array(&r, PATIENT_FIELDS);
    proto_rd_fixed(&r, p.id.b, sizeof(p.id.b));
    p.state = (enum store_patient_state)proto_rd_uint(
        &r, STORE_PATIENT_STATE_COUNT_ - 1);
    p.learned = (enum store_learned)proto_rd_uint(&r, STORE_LEARNED_COUNT_ - 1);
    p.alarm = proto_rd_bool(&r);
    p.replaces = proto_rd_bool(&r);
    p.generation = proto_rd_u64(&r);
    p.created_ms = proto_rd_u64(&r);
    p.changed_ms = proto_rd_u64(&r);
    p.has_introducer =
        store_rd_optional(&r, p.introducer.b, sizeof(p.introducer.b));
    proto_rd_fixed(&r, p.delivery.b, sizeof(p.delivery.b));
    p.has_link = store_rd_optional(&r, p.link.b, sizeof(p.link.b));
    p.has_contact = store_rd_optional(&r, p.contact.b, sizeof(p.contact.b));
    p.has_conv = store_rd_optional(&r, p.conv.b, sizeof(p.conv.b));
    store_rd_phi(&r, mem, LIMIT_PHI_SHORT, &p.claim);
    p.has_caller = store_rd_optional(&r, p.caller.b, sizeof(p.caller.b));
    store_rd_phi(&r, mem, LIMIT_PHI_SHORT, &p.called);
    TRY(store_rd_done(&r));
    TRY(p.state != 0 ? OK : ERR_CORRUPT);
    *out = p;
    return OK;
out:
    store_patient_clear(&p);
    return e;
}

enum err
store_patient_encode(const struct mem *mem, const struct store_patient *p,
                     struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, PATIENT_FIELDS);
    proto_wr_bin(&w, patient_id_view(&p->id));
    proto_wr_uint(&w, p->state);
    proto_wr_uint(&w, p->learned);
    proto_wr_bool(&w, p->alarm);
    proto_wr_bool(&w, p->replaces);
    proto_wr_uint(&w, p->generation);
    proto_wr_uint(&w, p->created_ms);
    proto_wr_uint(&w, p->changed_ms);
    store_wr_optional(&w, p->has_introducer, clinic_id_view(&p->introducer));
    proto_wr_bin(&w, clinic_id_view(&p->delivery));
    store_wr_optional(&w, p->has_link, link_id_view(&p->link));
    store_wr_optional(&w, p->has_contact, contact_id_view(&p->contact));
    store_wr_optional(&w, p->has_conv, conv_id_view(&p->conv));
    store_wr_phi(&w, &p->claim);
    store_wr_optional(&w, p->has_caller, clinic_id_view(&p->caller));
    store_wr_phi(&w, &p->called);
    return proto_wr_take(&w, out);
}

enum err
store_patient_put(struct store_txn *txn, const struct store_patient *p)
{
    struct bytes b = {0};
    enum err e;

    TRY(phi_len(&p->claim) <= LIMIT_PHI_SHORT &&
                phi_len(&p->called) <= LIMIT_PHI_SHORT
            ? OK
            : ERR_LIMIT);
    TRY(store_patient_encode(store_txn_mem(txn), p, &b));
    TRY(store_put(txn, STORE_T_PATIENTS, patient_id_view(&p->id), view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

enum err
store_patient_get(struct store_txn *txn, const struct patient_id *id,
                  struct store_patient *out)
{
    struct bytes b = {0};
    enum err e;

    TRY(store_get(txn, STORE_T_PATIENTS, patient_id_view(id), &b));
    TRY(store_patient_decode(store_txn_mem(txn), view_of(&b), out));
out:
    bytes_free(&b);
    return e;
}

enum err
store_patient_has(struct store_txn *txn, const struct patient_id *id)
{
    return store_has(txn, STORE_T_PATIENTS, patient_id_view(id));
}

enum err
store_patient_list(struct store_txn *txn,
                   enum err (*each)(void *ctx, const struct store_patient *p),
                   void *ctx)
{
    struct store_patient p = {0};
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_PATIENTS, (struct view){0}, STORE_UP,
                         &sc));
    while (e == OK && store_scan_next(&sc)) {
        e = store_patient_decode(store_txn_mem(txn), sc.value, &p);
        if (e == OK) {
            e = each(ctx, &p);
        }
        store_patient_clear(&p);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

/* ----------------------------------------------------------------- consents
 */

void
store_consent_clear(struct store_consent *c)
{
    bytes_free(&c->content);
    memset(c, 0, sizeof(*c));
}

enum err
store_consent_decode(const struct mem *mem, struct view in,
                     struct store_consent *out)
{
    struct store_consent c = {0};
    struct proto_rd r = proto_rd_open(in);
    enum err e;

    proto_rd_array(&r, CONSENT_FIELDS);
    proto_rd_fixed(&r, c.patient.b, sizeof(c.patient.b));
    c.at_ms = proto_rd_u64(&r);
    proto_rd_fixed(&r, c.id.b, sizeof(c.id.b));
    c.code = (uint16_t)proto_rd_uint(&r, UINT16_MAX);
    proto_rd_fixed(&r, c.clinic.b, sizeof(c.clinic.b));
    proto_rd_fixed(&r, c.asker.b, sizeof(c.asker.b));
    proto_rd_fixed(&r, c.question.b, sizeof(c.question.b));
    proto_rd_fixed(&r, c.conv.b, sizeof(c.conv.b));
    store_rd_bytes(&r, mem, LIMIT_SETTING_VALUE, &c.content);
    TRY(store_rd_done(&r));
    *out = c;
    return OK;
out:
    store_consent_clear(&c);
    return e;
}

enum err
store_consent_encode(const struct mem *mem, const struct store_consent *c,
                     struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, CONSENT_FIELDS);
    proto_wr_bin(&w, patient_id_view(&c->patient));
    proto_wr_uint(&w, c->at_ms);
    proto_wr_bin(&w, message_id_view(&c->id));
    proto_wr_uint(&w, c->code);
    proto_wr_bin(&w, clinic_id_view(&c->clinic));
    proto_wr_bin(&w, clinic_id_view(&c->asker));
    proto_wr_bin(&w, message_id_view(&c->question));
    proto_wr_bin(&w, conv_id_view(&c->conv));
    proto_wr_bin(&w, view_of(&c->content));
    return proto_wr_take(&w, out);
}

enum err
store_consent_put(struct store_txn *txn, const struct store_consent *c)
{
    struct bytes b = {0};
    uint8_t key[CONSENT_KEY];
    enum err e;

    memcpy(key, c->patient.b, ID_BYTES);
    store_put_u64(key + ID_BYTES, c->at_ms);
    memcpy(key + ID_BYTES + 8, c->id.b, sizeof(c->id.b));
    TRY(c->content.len <= LIMIT_SETTING_VALUE ? OK : ERR_LIMIT);
    TRY(store_consent_encode(store_txn_mem(txn), c, &b));
    TRY(store_put(txn, STORE_T_CONSENTS, VIEW_ARRAY(key), view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

enum err
store_consent_list(struct store_txn *txn, const struct patient_id *patient,
                   enum err (*each)(void *ctx, const struct store_consent *c),
                   void *ctx)
{
    struct store_consent c = {0};
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_CONSENTS,
                         patient == NULL ? (struct view){0}
                                         : patient_id_view(patient),
                         STORE_UP, &sc));
    while (e == OK && store_scan_next(&sc)) {
        e = store_consent_decode(store_txn_mem(txn), sc.value, &c);
        if (e == OK) {
            e = each(ctx, &c);
        }
        store_consent_clear(&c);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}
