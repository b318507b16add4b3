/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables behind device.h: one line per field, with its bound.
 */
#include "proto/msg/device.h"

#include "proto/base/limits.h"
#include "proto/msg/peer.h"

static const struct proto_field key_package_fields[] = {
    PROTO_BIN(proto_key_package, kp, LIMIT_MSG_KEY_PACKAGE),
};
const struct proto_shape proto_key_package_shape =
    PROTO_SHAPE(proto_key_package, key_package_fields);

static const struct proto_field hello_fields[] = {
    PROTO_UINT(proto_device_hello, version_min, 255),
    PROTO_UINT(proto_device_hello, version_max, 255),
    PROTO_UINT(proto_device_hello, suites, 0xffff),
    PROTO_UINT(proto_device_hello, frame_max, UINT32_MAX),
    PROTO_UINT(proto_device_hello, now_ms, UINT64_MAX),
    PROTO_FIXED(proto_device_hello, patient),
    PROTO_BIN(proto_device_hello, cert, PROTO_DEVICE_CERT_MAX),
    PROTO_UINT(proto_device_hello, list_generation, UINT64_MAX),
    PROTO_FIXED(proto_device_hello, queue),
    PROTO_UINT(proto_device_hello, applied, UINT64_MAX),
    PROTO_FIXED(proto_device_hello, profile_seen),
};

static const struct proto_field ready_fields[] = {
    PROTO_UINT(proto_device_ready, version, 255),
    PROTO_UINT(proto_device_ready, suites, 0xffff),
    PROTO_UINT(proto_device_ready, frame_max, UINT32_MAX),
    PROTO_UINT(proto_device_ready, now_ms, UINT64_MAX),
    PROTO_UINT(proto_device_ready, code, PROTO_DEVICE_CODE_COUNT - 1),
    PROTO_UINT(proto_device_ready, list_generation, UINT64_MAX),
    PROTO_FIXED(proto_device_ready, queue),
    PROTO_UINT(proto_device_ready, first, UINT64_MAX),
    PROTO_UINT(proto_device_ready, last, UINT64_MAX),
};

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
    PROTO_BIN(proto_device_enrolled, profile, LIMIT_MSG_PROFILE),
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

static const struct proto_field push_fields[] = {
    PROTO_UINT(proto_device_push, seq, UINT64_MAX),
    PROTO_BIN(proto_device_push, body, LIMIT_FRAME),
};

static const struct proto_field ack_fields[] = {
    PROTO_UINT(proto_device_ack, seq, UINT64_MAX),
};

static const struct proto_field submit_fields[] = {
    PROTO_FIXED(proto_device_submit, req),
    PROTO_FIXED(proto_device_submit, hub),
    PROTO_BIN(proto_device_submit, body, LIMIT_FRAME),
};

static const struct proto_field taken_fields[] = {
    PROTO_FIXED(proto_device_taken, req),
    PROTO_UINT(proto_device_taken, code, PROTO_DEVICE_CODE_COUNT - 1),
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

static const struct proto_field profile_fields[] = {
    PROTO_FIXED(proto_device_profile, root),
    PROTO_BIN(proto_device_profile, profile, LIMIT_MSG_PROFILE),
};

static const struct proto_field bye_fields[] = {
    PROTO_UINT(proto_device_bye, code, 255),
};

struct entry {
    enum proto_device_type type;
    uint64_t version;
    struct proto_shape shape;
};

static const struct entry entries[] = {
    {PROTO_DEVICE_HELLO, 1, PROTO_SHAPE(proto_device_hello, hello_fields)},
    {PROTO_DEVICE_READY, 1, PROTO_SHAPE(proto_device_ready, ready_fields)},
    {PROTO_DEVICE_ENROL, 1, PROTO_SHAPE(proto_device_enrol, enrol_fields)},
    {PROTO_DEVICE_ENROLLED, 1,
     PROTO_SHAPE(proto_device_enrolled, enrolled_fields)},
    {PROTO_DEVICE_KP_PUBLISH, 1,
     PROTO_SHAPE(proto_device_kp_publish, kp_publish_fields)},
    {PROTO_DEVICE_KP_STATE, 1,
     PROTO_SHAPE(proto_device_kp_state, kp_state_fields)},
    {PROTO_DEVICE_PUSH, 1, PROTO_SHAPE(proto_device_push, push_fields)},
    {PROTO_DEVICE_ACK, 1, PROTO_SHAPE(proto_device_ack, ack_fields)},
    {PROTO_DEVICE_SUBMIT, 1, PROTO_SHAPE(proto_device_submit, submit_fields)},
    {PROTO_DEVICE_TAKEN, 1, PROTO_SHAPE(proto_device_taken, taken_fields)},
    {PROTO_DEVICE_LIST, 1, PROTO_SHAPE(proto_device_list, list_fields)},
    {PROTO_DEVICE_LIST_STATE, 1,
     PROTO_SHAPE(proto_device_list_state, list_state_fields)},
    {PROTO_DEVICE_PROFILE, 1,
     PROTO_SHAPE(proto_device_profile, profile_fields)},
    {PROTO_DEVICE_BYE, 1, PROTO_SHAPE(proto_device_bye, bye_fields)},
};

static const struct entry *
find(uint64_t type)
{
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        if ((uint64_t)entries[i].type == type) {
            return &entries[i];
        }
    }
    return NULL;
}

const struct proto_shape *
proto_device_shape(uint64_t type)
{
    const struct entry *entry = find(type);

    return entry == NULL ? NULL : &entry->shape;
}

enum err
proto_device_encode(const struct mem *mem, const struct proto_device_msg *in,
                    struct bytes *out)
{
    const struct entry *entry = find((uint64_t)in->type);
    uint64_t head[2];

    if (entry == NULL) {
        return ERR_INVALID;
    }
    head[0] = (uint64_t)entry->type;
    head[1] = entry->version;
    return proto_shape_encode(mem, &entry->shape, head, 2, &in->u, out);
}

enum err
proto_device_decode(struct view in, struct proto_device_msg *out)
{
    struct proto_rd r = proto_rd_open(in);
    const struct entry *entry;
    uint64_t head[2];

    if (proto_rd_list(&r, 64) < 2) {
        proto_rd_fail(&r, ERR_FORMAT);
    }
    head[0] = proto_rd_u16(&r);
    head[1] = proto_rd_u8(&r);
    if (r.e != OK) {
        return r.e;
    }
    entry = find(head[0]);
    if (entry == NULL || head[1] != entry->version) {
        r = proto_rd_open(in);
        (void)proto_rd_raw(&r);
        return proto_rd_end(&r) == OK ? ERR_UNSUPPORTED : ERR_FORMAT;
    }
    out->type = entry->type;
    return proto_shape_decode(in, &entry->shape, head, 2, &out->u);
}
