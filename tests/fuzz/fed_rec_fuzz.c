/* SPDX-License-Identifier: Apache-2.0 */
/* Stored records of the core: the first byte picks the shape. */
#include "federation/core/rec.h"
#include "proto/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct proto_shape *const shapes[] = {
        &fed_rec_self_shape,    &fed_rec_party_shape,   &fed_rec_link_shape,
        &fed_rec_kp_shape,      &fed_rec_thread_shape,  &fed_rec_member_shape,
        &fed_rec_log_shape,     &fed_rec_intent_shape,  &fed_rec_stage_shape,
        &fed_rec_claim_shape,   &fed_rec_patient_shape, &fed_rec_pool_shape,
        &fed_rec_kps_shape,     &fed_rec_out_shape,     &fed_rec_allow_shape,
        &fed_rec_consent_shape, &fed_rec_ask_shape,
    };
    union {
        struct fed_rec_party party;
        struct fed_rec_thread thread;
        struct fed_rec_intent intent;
        struct fed_rec_link link;
    } u;
    const struct proto_shape *shape;
    struct bytes out = {0};
    struct view in;

    if (size == 0) {
        return 0;
    }
    shape = shapes[data[0] % (sizeof(shapes) / sizeof(shapes[0]))];
    ASSERT(shape->size <= sizeof(u));
    in = view_make(data + 1, size - 1);
    if (fed_rec_decode(in, shape, &u) == OK) {
        ASSERT(fed_rec_encode(mem_heap(), shape, &u, &out) == OK);
        ASSERT(view_equal(view_of(&out), in));
        bytes_free(&out);
    }
    return 0;
}
