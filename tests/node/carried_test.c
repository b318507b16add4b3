/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a carried attachment, there and back, and nothing else. */
#include "node/carried.h"
#include "tests/support/check.h"

#include <string.h>

TEST(there_and_back)
{
    struct node_carried c = {.dir = NODE_BLOB_DOWN,
                             .size = UINT64_C(1) << 40,
                             .since_ms = 1790000000000};
    struct node_carried back;
    uint8_t key[NODE_CARRIED_KEY];
    uint8_t value[NODE_CARRIED_VALUE];

    c.thread.b[0] = 1;
    c.blob.b[1] = 2;
    c.device.b[2] = 3;
    c.patient.b[3] = 4;
    c.far.b[4] = 5;
    node_carried_write(&c, key, value);
    CHECK_OK(node_carried_read(VIEW_ARRAY(key), VIEW_ARRAY(value), &back));
    CHECK(thread_id_equal(&back.thread, &c.thread));
    CHECK(clinic_id_equal(&back.device, &c.device));
    CHECK(clinic_id_equal(&back.patient, &c.patient));
    CHECK(clinic_id_equal(&back.far, &c.far));
    CHECK_EQ(back.dir, NODE_BLOB_DOWN);
    CHECK_EQ(back.size, c.size);
    CHECK_EQ(back.since_ms, c.since_ms);
    for (size_t n = 0; n < sizeof(value); n++) {
        CHECK_ERR(
            node_carried_read(VIEW_ARRAY(key), view_make(value, n), &back),
            ERR_CORRUPT);
    }
    value[0] = 9;
    CHECK_ERR(node_carried_read(VIEW_ARRAY(key), VIEW_ARRAY(value), &back),
              ERR_CORRUPT);
}

int
main(void)
{
    return RUN(T(there_and_back));
}
