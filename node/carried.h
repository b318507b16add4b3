/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of an attachment that is carried for a patient's device
 * (NODE_NS_CARRY; blobs_carry.c).  Pure.
 */
#ifndef NODE_CARRIED_H
#define NODE_CARRIED_H

#include "node/blobs_in.h"

enum {
    NODE_CARRIED_KEY = 3 * 32,
    NODE_CARRIED_VALUE = 1 + 32 + 32 + 8 + 8
};

struct node_carried {
    struct thread_id thread;
    struct hash32 blob;
    struct clinic_id device;
    enum node_blob_dir dir;
    struct clinic_id patient;
    struct clinic_id far;
    uint64_t size;
    uint64_t since_ms;
};

/* thread | blob | device */
void node_carried_key(const struct thread_id *thread, const struct hash32 *blob,
                      const struct clinic_id *device,
                      uint8_t out[NODE_CARRIED_KEY]);
/* direction | patient | far end | u64 size | u64 since */
void node_carried_write(const struct node_carried *c,
                        uint8_t key[NODE_CARRIED_KEY],
                        uint8_t value[NODE_CARRIED_VALUE]);
/* ERR_CORRUPT */
MUST_CHECK enum err node_carried_read(struct view key, struct view value,
                                      struct node_carried *out);

#endif
