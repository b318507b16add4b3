/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables behind device.h: one line per field, with its bound.
 */
#include "proto/msg/device.h"

#include "proto/base/limits.h"
#include "proto/msg/peer.h"
#include "proto/msg/typed.h"

static const struct proto_field enrol_fields[] = {
    PROTO_FIXED(proto_device_enrol, link),
    PROTO_BIN(proto_device_enrol, proof, 32),
    PROTO_FIXED(proto_device_enrol, patient),
    PROTO_BIN(proto_device_enrol, list, PROTO_DEVICE_LIST_MAX),
    PROTO_BIN(proto_device_enrol, cert, PROTO_DEVICE_CERT_MAX),
    PROTO_TEXT(proto_device_enrol, name, LIMIT_NAME),
    PROTO_TEXT(proto_device_enrol, birth, PROTO_DEVICE_BIRTH_MAX),
};

static const struct proto_field enrolled_fields[] = {
    PROTO_FIXED(proto_device_enrolled, link),
    PROTO_UINT(proto_device_enrolled, code, PROTO_REDEEM_CODE_COUNT - 1),
    PROTO_BOOL(proto_device_enrolled, birth),
    PROTO_UINT(proto_device_enrolled, tries, 255),
    PROTO_BIN(proto_device_enrolled, forward, LIMIT_MSG_FORWARD),
};

static const struct proto_field kp_publish_fields[] = {
    PROTO_FIXED(proto_device_kp_publish, req),
    PROTO_UINT(proto_device_kp_publish, suite, 0xffff),
    PROTO_LIST(proto_device_kp_publish, kps, PROTO_DEVICE_KPS_MAX,
               proto_key_package_shape),
    PROTO_BIN(proto_device_kp_publish, last_resort, LIMIT_MSG_KEY_PACKAGE),
};

static const struct proto_field kp_state_fields[] = {
    PROTO_FIXED(proto_device_kp_state, req),
    PROTO_UINT(proto_device_kp_state, code, PROTO_DEVICE_CODE_COUNT - 1),
    PROTO_UINT(proto_device_kp_state, suite, 0xffff),
    PROTO_UINT(proto_device_kp_state, left, UINT32_MAX),
    PROTO_UINT(proto_device_kp_state, last_resort_s, UINT64_MAX),
};

static const struct proto_field list_fields[] = {
    PROTO_FIXED(proto_device_list, patient),
    PROTO_BIN(proto_device_list, list, PROTO_DEVICE_LIST_MAX),
};

static const struct proto_field list_state_fields[] = {
    PROTO_FIXED(proto_device_list_state, patient),
    PROTO_UINT(proto_device_list_state, code, PROTO_DEVICE_CODE_COUNT - 1),
    PROTO_UINT(proto_device_list_state, generation, UINT64_MAX),
};

static const struct proto_field allow_fields[] = {
    PROTO_FIXED(proto_device_allow, clinic),
    PROTO_BOOL(proto_device_allow, allowed),
    PROTO_UINT(proto_device_allow, serial, UINT64_MAX),
};

static const struct proto_field archive_put_fields[] = {
    PROTO_BIN(proto_device_archive_put, part, PROTO_DEVICE_PART_MAX),
};

static const struct proto_field archive_get_fields[] = {
    PROTO_UINT(proto_device_archive_get, from, UINT64_MAX),
};

static const struct proto_field archive_part_fields[] = {
    PROTO_UINT(proto_device_archive_part, number, UINT64_MAX),
    PROTO_UINT(proto_device_archive_part, last, UINT64_MAX),
    PROTO_BIN(proto_device_archive_part, part, PROTO_DEVICE_PART_MAX),
};

static const struct proto_field continue_fields[] = {
    PROTO_FIXED(proto_device_continue, thread),
};

static const struct proto_field home_fields[] = {
    PROTO_FIXED(proto_device_home, clinic),
    PROTO_BIN(proto_device_home, addrs, LIMIT_MSG_ADDRS),
};

static const struct proto_field archive_keys_fields[] = {
    PROTO_UINT(proto_device_archive_keys, generation, UINT32_MAX),
    PROTO_BIN(proto_device_archive_keys, keys, PROTO_DEVICE_KEYS_MAX),
    PROTO_BIN(proto_device_archive_keys, ring, PROTO_DEVICE_RING_MAX),
};

static const struct proto_field archive_ask_fields[] = {
    PROTO_UINT(proto_device_archive_ask, generation, UINT32_MAX),
};

static const struct proto_field archive_key_fields[] = {
    PROTO_FIXED(proto_device_archive_key, device),
    PROTO_UINT(proto_device_archive_key, generation, UINT32_MAX),
    PROTO_BIN(proto_device_archive_key, sealed, PROTO_DEVICE_GIVEN_MAX),
};

static const struct proto_field shared_fields[] = {
    PROTO_UINT(proto_device_shared, generation, UINT32_MAX),
    PROTO_BIN(proto_device_shared, sealed, PROTO_DEVICE_SHARED_MAX),
};

static const struct proto_field frank_want_fields[] = {
    PROTO_UINT(proto_frank_want, term, UINT64_MAX),
    PROTO_UINT(proto_frank_want, place, UINT64_MAX),
};
const struct proto_shape proto_frank_want_shape =
    PROTO_SHAPE(proto_frank_want, frank_want_fields);

static const struct proto_field frank_get_fields[] = {
    PROTO_FIXED(proto_device_frank_get, thread),
    PROTO_LIST(proto_device_frank_get, wants, LIMIT_FRANK_ASK,
               proto_frank_want_shape),
};

static const struct proto_field frank_taken_fields[] = {
    PROTO_UINT(proto_frank_taken, term, UINT64_MAX),
    PROTO_UINT(proto_frank_taken, place, UINT64_MAX),
    PROTO_UINT(proto_frank_taken, ts_ms, UINT64_MAX),
    PROTO_BIN(proto_frank_taken, sig, 64),
};
const struct proto_shape proto_frank_taken_shape =
    PROTO_SHAPE(proto_frank_taken, frank_taken_fields);

static const struct proto_field frank_fields[] = {
    PROTO_FIXED(proto_device_frank, thread),
    PROTO_LIST(proto_device_frank, taken, LIMIT_FRANK_ASK,
               proto_frank_taken_shape),
};

static const struct proto_typed entries[] = {
    {PROTO_DEVICE_ENROL, 1, PROTO_SHAPE(proto_device_enrol, enrol_fields)},
    {PROTO_DEVICE_ENROLLED, 1,
     PROTO_SHAPE(proto_device_enrolled, enrolled_fields)},
    {PROTO_DEVICE_KP_PUBLISH, 1,
     PROTO_SHAPE(proto_device_kp_publish, kp_publish_fields)},
    {PROTO_DEVICE_KP_STATE, 1,
     PROTO_SHAPE(proto_device_kp_state, kp_state_fields)},
    {PROTO_DEVICE_LIST, 1, PROTO_SHAPE(proto_device_list, list_fields)},
    {PROTO_DEVICE_LIST_STATE, 1,
     PROTO_SHAPE(proto_device_list_state, list_state_fields)},
    {PROTO_DEVICE_ALLOW, 1, PROTO_SHAPE(proto_device_allow, allow_fields)},
    {PROTO_DEVICE_ARCHIVE_PUT, 1,
     PROTO_SHAPE(proto_device_archive_put, archive_put_fields)},
    {PROTO_DEVICE_ARCHIVE_GET, 1,
     PROTO_SHAPE(proto_device_archive_get, archive_get_fields)},
    {PROTO_DEVICE_ARCHIVE_PART, 1,
     PROTO_SHAPE(proto_device_archive_part, archive_part_fields)},
    {PROTO_DEVICE_CONTINUE, 1,
     PROTO_SHAPE(proto_device_continue, continue_fields)},
    {PROTO_DEVICE_HOME, 1, PROTO_SHAPE(proto_device_home, home_fields)},
    {PROTO_DEVICE_BEFORE, 1, PROTO_SHAPE(proto_device_home, home_fields)},
    {PROTO_DEVICE_ARCHIVE_KEY, 1,
     PROTO_SHAPE(proto_device_archive_key, archive_key_fields)},
    {PROTO_DEVICE_ARCHIVE_KEYS, 1,
     PROTO_SHAPE(proto_device_archive_keys, archive_keys_fields)},
    {PROTO_DEVICE_ARCHIVE_ASK, 1,
     PROTO_SHAPE(proto_device_archive_ask, archive_ask_fields)},
    {PROTO_DEVICE_SHARED, 1, PROTO_SHAPE(proto_device_shared, shared_fields)},
    {PROTO_DEVICE_FRANK_GET, 1,
     PROTO_SHAPE(proto_device_frank_get, frank_get_fields)},
    {PROTO_DEVICE_FRANK, 1, PROTO_SHAPE(proto_device_frank, frank_fields)},
};

static const struct proto_typed_table table = PROTO_TYPED_TABLE(entries);

const struct proto_shape *
proto_device_shape(uint64_t type)
{
    return proto_typed_shape(&table, type);
}

enum err
proto_device_encode(const struct mem *mem, const struct proto_device_msg *in,
                    struct bytes *out)
{
    return proto_typed_encode(mem, &table, (uint64_t)in->type, &in->u, out);
}

enum err
proto_device_decode(struct view in, struct proto_device_msg *out)
{
    uint64_t type = 0;
    enum err e = proto_typed_decode(in, &table, &type, &out->u);

    if (type != 0) {
        out->type = (enum proto_device_type)type;
    }
    return e;
}
