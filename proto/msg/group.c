/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/msg/group.h"

#include "proto/base/limits.h"

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

static const struct proto_field group_fields[] = {
    PROTO_FIXED(proto_group, hub),
    PROTO_UINT(proto_group, term, UINT64_MAX),
    PROTO_FIXED(proto_group, prev),
    PROTO_UINT(proto_group, flags, UINT32_MAX),
    PROTO_LIST(proto_group, subjects, LIMIT_THREAD_SUBJECTS,
               proto_subject_shape),
    PROTO_LIST(proto_group, successors, LIMIT_THREAD_SUBJECTS,
               proto_subject_ref_shape),
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
