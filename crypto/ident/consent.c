/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/consent.h"

#include "crypto/ident/profile.h"
#include "crypto/prim/secret.h"
#include "proto/base/assert.h"
#include "proto/msg/shape.h"

#include <string.h>

enum {
    VERSION = 1
};

/* The tables of the statements; a desk consent starts like a consent. */
#define CONSENT_FIELDS(S, m)                                                   \
    PROTO_FIXED(S, m id), PROTO_FIXED(S, m patient), PROTO_FIXED(S, m clinic), \
        PROTO_FIXED(S, m asker), PROTO_UINT(S, m serial, UINT64_MAX),          \
        PROTO_TEXT(S, m purpose, IDENT_PURPOSE_MAX),                           \
        PROTO_UINT(S, m history, IDENT_HISTORY_COUNT - 1),                     \
        PROTO_UINT(S, m history_from_ms, UINT64_MAX),                          \
        PROTO_UINT(S, m scope, IDENT_SCOPE_COUNT - 1),                         \
        PROTO_FIXED(S, m thread), PROTO_UINT(S, m made_ms, UINT64_MAX),        \
        PROTO_UINT(S, m until_ms, UINT64_MAX)

static const struct proto_field consent_fields[] = {
    CONSENT_FIELDS(ident_consent, ),
    PROTO_FIXED(ident_consent, device),
};
static const struct proto_shape consent_shape =
    PROTO_SHAPE(ident_consent, consent_fields);

static const struct proto_field desk_fields[] = {
    CONSENT_FIELDS(ident_desk_consent, consent.),
    PROTO_FIXED(ident_desk_consent, member),
    PROTO_TEXT(ident_desk_consent, name, IDENT_NAME_MAX),
    PROTO_TEXT(ident_desk_consent, why, IDENT_WHY_MAX),
};
static const struct proto_shape desk_shape =
    PROTO_SHAPE(ident_desk_consent, desk_fields);

static const struct proto_field withdrawal_fields[] = {
    PROTO_FIXED(ident_withdrawal, patient),
    PROTO_FIXED(ident_withdrawal, clinic),
    PROTO_FIXED(ident_withdrawal, consent),
    PROTO_UINT(ident_withdrawal, serial, UINT64_MAX),
    PROTO_UINT(ident_withdrawal, made_ms, UINT64_MAX),
    PROTO_FIXED(ident_withdrawal, device),
};
static const struct proto_shape withdrawal_shape =
    PROTO_SHAPE(ident_withdrawal, withdrawal_fields);

static const struct proto_field introduction_fields[] = {
    PROTO_FIXED(ident_introduction, introducer),
    PROTO_FIXED(ident_introduction, patient),
    PROTO_FIXED(ident_introduction, clinic),
    PROTO_FIXED(ident_introduction, consent),
    PROTO_BOOL(ident_introduction, relays),
    PROTO_UINT(ident_introduction, made_ms, UINT64_MAX),
};
static const struct proto_shape introduction_shape =
    PROTO_SHAPE(ident_introduction, introduction_fields);

static enum err
encode(const struct mem *mem, enum ident_type type,
       const struct proto_shape *shape, const void *from, struct bytes *out)
{
    uint64_t head[2] = {(uint64_t)type, VERSION};
    enum err e = proto_shape_encode(mem, shape, head, 2, from, out);

    return e == ERR_LIMIT ? ERR_INVALID : e;
}

static enum err
decode(enum ident_type type, const struct proto_shape *shape,
       struct view statement, void *to)
{
    uint64_t head[2] = {(uint64_t)type, VERSION};

    return proto_shape_decode(statement, shape, head, 2, to);
}

/* [consent-whole] each choice has what belongs to it, and nothing else */
static bool
is_whole(const struct ident_consent *c)
{
    bool thread = !thread_id_is_zero(&c->thread);
    bool from = c->history_from_ms != 0;

    return c->purpose.len > 0 && c->serial > 0 &&
           !prim_is_zero(VIEW_ARRAY(c->id)) &&
           (c->scope == IDENT_SCOPE_PRIVATE ||
            c->scope == IDENT_SCOPE_THREAD) &&
           (c->scope == IDENT_SCOPE_THREAD) == thread &&
           (c->history == IDENT_HISTORY_FROM) == from &&
           (c->until_ms == 0 || c->until_ms >= c->made_ms);
}

/* ------------------------------------------------------ signed by a device */

static enum err
sign_device(const struct mem *mem, enum ident_type type,
            const struct proto_shape *shape, const struct prim_sign_key *device,
            const void *from, struct bytes *out)
{
    enum err e;
    struct bytes statement = {0};

    TRY(encode(mem, type, shape, from, &statement));
    TRY(ident_signed_make(mem, type, device, view_of(&statement), out));
out:
    bytes_free(&statement);
    return e;
}

/* What peek showed was said by this device of this patient. */
static enum err
check_device(const struct mem *mem, enum ident_type type, struct view in,
             const struct ident_devices *list, const struct patient_id *patient,
             const struct device_id *device)
{
    enum err e;
    struct view statement;

    TRY(ident_signed_open(mem, type, device->b, in, &statement));
    /* [consent-patient] */
    if (!patient_id_equal(patient, &list->patient)) {
        return ERR_AUTH;
    }
    /* [consent-device] */
    if (ident_devices_find(list, device) == NULL) {
        return ERR_STALE;
    }
out:
    return e;
}

enum err
ident_consent_make(const struct mem *mem, const struct prim_sign_key *device,
                   const struct ident_consent *consent, struct bytes *out)
{
    struct ident_consent c = *consent;

    memcpy(c.device.b, device->pub, sizeof(c.device.b));
    if (!is_whole(&c)) {
        return ERR_INVALID;
    }
    return sign_device(mem, IDENT_CONSENT, &consent_shape, device, &c, out);
}

enum err
ident_consent_open(const struct mem *mem, struct view in,
                   const struct ident_devices *list, struct ident_consent *out)
{
    enum err e;
    struct view statement;
    struct ident_consent c;

    TRY(ident_signed_peek(in, &statement));
    TRY(decode(IDENT_CONSENT, &consent_shape, statement, &c));
    TRY(check_device(mem, IDENT_CONSENT, in, list, &c.patient, &c.device));
    if (!is_whole(&c)) {
        return ERR_FORMAT;
    }
    *out = c;
out:
    return e;
}

enum err
ident_withdrawal_make(const struct mem *mem, const struct prim_sign_key *device,
                      const struct ident_withdrawal *withdrawal,
                      struct bytes *out)
{
    struct ident_withdrawal w = *withdrawal;

    memcpy(w.device.b, device->pub, sizeof(w.device.b));
    if (w.serial == 0) {
        return ERR_INVALID;
    }
    return sign_device(mem, IDENT_WITHDRAWAL, &withdrawal_shape, device, &w,
                       out);
}

enum err
ident_withdrawal_open(const struct mem *mem, struct view in,
                      const struct ident_devices *list,
                      struct ident_withdrawal *out)
{
    enum err e;
    struct view statement;
    struct ident_withdrawal w;

    TRY(ident_signed_peek(in, &statement));
    TRY(decode(IDENT_WITHDRAWAL, &withdrawal_shape, statement, &w));
    TRY(check_device(mem, IDENT_WITHDRAWAL, in, list, &w.patient, &w.device));
    if (w.serial == 0) {
        return ERR_FORMAT;
    }
    *out = w;
out:
    return e;
}

/* -------------------------------------------------------- signed by a node */

static enum err
sign_node(const struct mem *mem, enum ident_type type,
          const struct proto_shape *shape, const struct prim_sign_key *node,
          struct view chain, const void *from, struct bytes *out)
{
    enum err e;
    struct bytes statement = {0};

    TRY(encode(mem, type, shape, from, &statement));
    TRY(ident_by_node_make(mem, type, node, chain, view_of(&statement), out));
out:
    bytes_free(&statement);
    return e;
}

enum err
ident_desk_consent_make(const struct mem *mem, const struct prim_sign_key *node,
                        struct view chain,
                        const struct ident_desk_consent *desk,
                        struct bytes *out)
{
    if (!is_whole(&desk->consent) || desk->why.len == 0) {
        return ERR_INVALID;
    }
    return sign_node(mem, IDENT_DESK_CONSENT, &desk_shape, node, chain, desk,
                     out);
}

enum err
ident_desk_consent_open(const struct mem *mem, struct view in,
                        const struct ident_check *check,
                        struct ident_desk_consent *out)
{
    enum err e;
    struct view statement;
    struct ident_desk_consent d;

    ASSERT(check->root != NULL);
    TRY(ident_by_node_open(mem, IDENT_DESK_CONSENT, in, check, NULL,
                           &statement));
    TRY(decode(IDENT_DESK_CONSENT, &desk_shape, statement, &d));
    /* [desk-consent-asker] */
    if (!clinic_id_equal(&d.consent.asker, check->root)) {
        return ERR_AUTH;
    }
    if (!is_whole(&d.consent) || d.why.len == 0) {
        return ERR_FORMAT;
    }
    *out = d;
out:
    return e;
}

enum err
ident_introduction_make(const struct mem *mem, const struct prim_sign_key *node,
                        struct view chain,
                        const struct ident_introduction *introduction,
                        struct bytes *out)
{
    return sign_node(mem, IDENT_INTRODUCTION, &introduction_shape, node, chain,
                     introduction, out);
}

enum err
ident_introduction_open(const struct mem *mem, struct view in,
                        const struct ident_check *check,
                        struct ident_introduction *out)
{
    enum err e;
    struct view statement;
    struct ident_introduction i;

    ASSERT(check->root != NULL);
    TRY(ident_by_node_open(mem, IDENT_INTRODUCTION, in, check, NULL,
                           &statement));
    TRY(decode(IDENT_INTRODUCTION, &introduction_shape, statement, &i));
    /* [introduction-signer] */
    if (!clinic_id_equal(&i.introducer, check->root)) {
        return ERR_AUTH;
    }
    *out = i;
out:
    return e;
}

/* ----------------------------------------------------------------- judging */

bool
ident_withdrawal_ends(const struct ident_withdrawal *withdrawal,
                      const struct ident_consent *consent)
{
    if (!patient_id_equal(&withdrawal->patient, &consent->patient) ||
        !clinic_id_equal(&withdrawal->clinic, &consent->clinic)) {
        return false;
    }
    if (!prim_is_zero(VIEW_ARRAY(withdrawal->consent))) {
        return view_equal(VIEW_ARRAY(withdrawal->consent),
                          VIEW_ARRAY(consent->id));
    }
    return withdrawal->serial >= consent->serial;
}

bool
ident_consent_covers(const struct ident_consent *consent,
                     const struct clinic_id *clinic, enum ident_scope scope,
                     const struct thread_id *thread, uint64_t now_ms)
{
    if (!clinic_id_equal(clinic, &consent->clinic) ||
        consent->scope != (uint64_t)scope) {
        return false;
    }
    if (scope == IDENT_SCOPE_THREAD &&
        !thread_id_equal(thread, &consent->thread)) {
        return false;
    }
    return consent->until_ms == 0 || now_ms <= consent->until_ms ||
           now_ms - consent->until_ms <= IDENT_TOLERANCE_MS;
}
