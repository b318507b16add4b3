/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored records of the core and of the app: the first byte picks the shape;
 * what decodes encodes to the same bytes.  The mutator makes whole records of
 * each shape too, as it is now, so that a new field is reached without a new
 * entry of the corpus.
 */
#include "federation/app/rec.h"
#include "federation/core/line.h"
#include "federation/core/rec.h"
#include "proto/base/assert.h"
#include "proto/msg/hub.h"
#include "proto/msg/peer.h"
#include "proto/msg/report.h"
#include "tests/support/sample.h"

#include <stddef.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* New ones at the end: the corpus counts on their places. */
static const struct proto_shape *const shapes[] = {
    &fed_rec_self_shape,        &fed_rec_party_shape,
    &fed_rec_link_shape,        &fed_rec_kp_shape,
    &fed_rec_thread_shape,      &fed_rec_member_shape,
    &fed_rec_log_shape,         &fed_rec_intent_shape,
    &fed_rec_stage_shape,       &fed_rec_claim_shape,
    &fed_rec_patient_shape,     &fed_rec_pool_shape,
    &fed_rec_kps_shape,         &fed_rec_out_shape,
    &fed_rec_allow_shape,       &fed_rec_consent_shape,
    &fed_rec_ask_shape,         &fed_app_rec_me_shape,
    &fed_app_rec_clinic_shape,  &fed_app_rec_thread_shape,
    &fed_app_rec_message_shape, &fed_app_rec_consent_shape,
    &fed_app_rec_file_shape,    &fed_app_rec_entry_shape,
    &fed_app_rec_part_shape,    &fed_app_rec_request_shape,
    &fed_app_rec_grant_shape,   &proto_hub_signed_shape,
    &proto_hub_said_shape,      &fed_rec_frank_shape,
    &fed_rec_reporter_shape,    &proto_frank_shape,
    &fed_app_rec_doubt_shape,   &fed_app_rec_ring_shape,
    &fed_app_rec_keys_shape,    &proto_report_said_shape,
    &proto_report_inside_shape, &fed_app_rec_given_shape,
    &fed_rec_lacks_shape,       &fed_app_rec_shared_shape,
    &fed_rec_line_shape,        &fed_rec_reported_shape,
};

enum {
    SHAPES = sizeof(shapes) / sizeof(shapes[0]),
    ROOM = 4096
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(max_align_t) uint8_t u[ROOM];
    const struct proto_shape *shape;
    struct bytes out = {0};
    struct view in;

    if (size == 0) {
        return 0;
    }
    shape = shapes[data[0] % SHAPES];
    ASSERT(shape->size <= sizeof(u));
    in = view_make(data + 1, size - 1);
    if (fed_rec_decode(in, shape, u) == OK) {
        ASSERT(fed_rec_encode(mem_heap(), shape, u, &out) == OK);
        ASSERT(view_equal(view_of(&out), in));
        bytes_free(&out);
    }
    return 0;
}

/* One in 16 is a record that is right; libFuzzer goes on from it. */
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static _Alignas(max_align_t) uint8_t u[ROOM];
    static _Alignas(max_align_t) uint8_t item[PROTO_ITEM_SIZE];
    const size_t which = seed / 16 % SHAPES;
    struct bytes out = {0};

    if (seed % 16 != 0) {
        return LLVMFuzzerMutate(data, size, max);
    }
    ASSERT(shapes[which]->size <= sizeof(u));
    sample_fill(shapes[which], u, (uint8_t)(seed >> 16), item);
    if (fed_rec_encode(mem_heap(), shapes[which], u, &out) == OK &&
        out.len < max) {
        data[0] = (uint8_t)which;
        memcpy(data + 1, out.p, out.len);
        size = out.len + 1;
    }
    bytes_free(&out);
    return size;
}
