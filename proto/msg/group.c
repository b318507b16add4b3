/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/msg/group.h"

#include "proto/base/limits.h"
#include "proto/msg/peer.h"

#include <string.h>

static const uint64_t version[] = {1};

static const struct proto_field subject_fields[] = {
    PROTO_FIXED(proto_subject, root),
    PROTO_UINT(proto_subject, kind, PROTO_SUBJECT_PATIENT),
    PROTO_FIXED(proto_subject, node),
    PROTO_UINT(proto_subject, generation, UINT64_MAX),
    PROTO_FIXED(proto_subject, added_by),
};
const struct proto_shape proto_subject_shape =
    PROTO_SHAPE(proto_subject, subject_fields);

static const struct proto_field subject_ref_fields[] = {
    PROTO_FIXED(proto_subject_ref, root),
};
const struct proto_shape proto_subject_ref_shape =
    PROTO_SHAPE(proto_subject_ref, subject_ref_fields);

static const struct proto_field patient_list_fields[] = {
    PROTO_FIXED(proto_patient_list, patient),
    PROTO_BIN(proto_patient_list, list, PROTO_PATIENT_LIST),
};
const struct proto_shape proto_patient_list_shape =
    PROTO_SHAPE(proto_patient_list, patient_list_fields);

static const struct proto_field thread_consent_fields[] = {
    PROTO_FIXED(proto_thread_consent, patient),
    PROTO_FIXED(proto_thread_consent, clinic),
    PROTO_BOOL(proto_thread_consent, desk),
    PROTO_BIN(proto_thread_consent, consent, LIMIT_MSG_CONSENT),
};
const struct proto_shape proto_thread_consent_shape =
    PROTO_SHAPE(proto_thread_consent, thread_consent_fields);

static const struct proto_field group_fields[] = {
    PROTO_FIXED(proto_group, hub),
    PROTO_UINT(proto_group, term, UINT64_MAX),
    PROTO_FIXED(proto_group, prev),
    PROTO_UINT(proto_group, flags, UINT32_MAX),
    PROTO_LIST(proto_group, subjects, LIMIT_THREAD_SUBJECTS,
               proto_subject_shape),
    PROTO_LIST(proto_group, successors, LIMIT_THREAD_SUBJECTS,
               proto_subject_ref_shape),
    PROTO_LIST(proto_group, lists, PROTO_GROUP_PATIENTS,
               proto_patient_list_shape),
    PROTO_LIST(proto_group, consents, LIMIT_THREAD_SUBJECTS,
               proto_thread_consent_shape),
};
static const struct proto_shape group_shape =
    PROTO_SHAPE(proto_group, group_fields);

static const struct proto_field aad_fields[] = {
    PROTO_UINT(proto_aad, term, UINT64_MAX),
    PROTO_UINT(proto_aad, seq, UINT64_MAX),
    PROTO_FIXED(proto_aad, head),
    PROTO_BIN(proto_aad, frank, 32),
};
static const struct proto_shape aad_shape = PROTO_SHAPE(proto_aad, aad_fields);

enum err
proto_group_encode(const struct mem *mem, const struct proto_group *in,
                   struct bytes *out)
{
    return proto_shape_encode(mem, &group_shape, version, 1, in, out);
}

/* Lists and consents each once, in order. */
static bool
sorted(const struct proto_group *group)
{
    struct proto_list_at at = {0};
    struct proto_patient_list l;
    struct proto_thread_consent c;
    uint8_t last[64] = {0};
    uint8_t key[64];

    while (proto_list_next(&group->lists, &proto_patient_list_shape, &at, &l)) {
        if (at.index > 1 && memcmp(last, l.patient, 32) >= 0) {
            return false;
        }
        memcpy(last, l.patient, 32);
    }
    at = (struct proto_list_at){0};
    while (proto_list_next(&group->consents, &proto_thread_consent_shape, &at,
                           &c)) {
        memcpy(key, c.patient, 32);
        memcpy(key + 32, c.clinic, 32);
        if (at.index > 1 && memcmp(last, key, sizeof(key)) >= 0) {
            return false;
        }
        memcpy(last, key, sizeof(last));
    }
    return true;
}

enum err
proto_group_decode(struct view in, struct proto_group *out)
{
    struct proto_group group;
    struct proto_list_at at = {0};
    struct proto_subject s;
    uint8_t last[32] = {0};
    enum err e = proto_shape_decode(in, &group_shape, version, 1, &group);

    if (e != OK) {
        return e;
    }
    while (proto_list_next(&group.subjects, &proto_subject_shape, &at, &s)) {
        if (s.kind == 0 || (at.index > 1 && memcmp(last, s.root, 32) >= 0)) {
            return ERR_FORMAT;
        }
        memcpy(last, s.root, sizeof(last));
    }
    if (!sorted(&group)) {
        return ERR_FORMAT;
    }
    *out = group;
    return OK;
}

bool
proto_group_find(const struct proto_group *group, const uint8_t root[32],
                 struct proto_subject *out)
{
    struct proto_list_at at = {0};
    struct proto_subject s;

    while (proto_list_next(&group->subjects, &proto_subject_shape, &at, &s)) {
        if (memcmp(s.root, root, sizeof(s.root)) == 0) {
            *out = s;
            return true;
        }
    }
    return false;
}

bool
proto_group_list(const struct proto_group *group, const uint8_t patient[32],
                 struct view *out)
{
    struct proto_list_at at = {0};
    struct proto_patient_list l;

    while (proto_list_next(&group->lists, &proto_patient_list_shape, &at, &l)) {
        if (memcmp(l.patient, patient, sizeof(l.patient)) == 0) {
            *out = l.list;
            return true;
        }
    }
    return false;
}

bool
proto_group_consent(const struct proto_group *group, const uint8_t patient[32],
                    const uint8_t clinic[32], struct proto_thread_consent *out)
{
    struct proto_list_at at = {0};
    struct proto_thread_consent c;

    while (proto_list_next(&group->consents, &proto_thread_consent_shape, &at,
                           &c)) {
        if (memcmp(c.patient, patient, sizeof(c.patient)) == 0 &&
            memcmp(c.clinic, clinic, sizeof(c.clinic)) == 0) {
            *out = c;
            return true;
        }
    }
    return false;
}

enum err
proto_aad_encode(const struct mem *mem, const struct proto_aad *in,
                 struct bytes *out)
{
    return proto_shape_encode(mem, &aad_shape, version, 1, in, out);
}

enum err
proto_aad_decode(struct view in, struct proto_aad *out)
{
    struct proto_aad aad;
    enum err e = proto_shape_decode(in, &aad_shape, version, 1, &aad);

    if (e == OK) {
        *out = aad;
    }
    return e;
}
