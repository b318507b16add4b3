/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of an attachment that is carried, as bytes. */
#include "node/carried.h"

#include <string.h>

static void
put_u64(uint8_t *to, uint64_t n)
{
    for (size_t i = 0; i < 8; i++) {
        to[i] = (uint8_t)(n >> (56 - 8 * i));
    }
}

static uint64_t
get_u64(const uint8_t *from)
{
    uint64_t n = 0;

    for (size_t i = 0; i < 8; i++) {
        n = n << 8 | from[i];
    }
    return n;
}

void
node_carried_key(const struct thread_id *thread, const struct hash32 *blob,
                 const struct clinic_id *device, uint8_t out[NODE_CARRIED_KEY])
{
    memcpy(out, thread->b, 32);
    memcpy(out + 32, blob->b, 32);
    memcpy(out + 64, device->b, 32);
}

void
node_carried_write(const struct node_carried *c, uint8_t key[NODE_CARRIED_KEY],
                   uint8_t value[NODE_CARRIED_VALUE])
{
    node_carried_key(&c->thread, &c->blob, &c->device, key);
    value[0] = (uint8_t)c->dir;
    memcpy(value + 1, c->patient.b, 32);
    memcpy(value + 33, c->far.b, 32);
    put_u64(value + 65, c->size);
    put_u64(value + 73, c->since_ms);
}

enum err
node_carried_read(struct view key, struct view value, struct node_carried *out)
{
    if (key.len != NODE_CARRIED_KEY || value.len != NODE_CARRIED_VALUE ||
        (value.p[0] != NODE_BLOB_UP && value.p[0] != NODE_BLOB_DOWN)) {
        return ERR_CORRUPT;
    }
    memcpy(out->thread.b, key.p, 32);
    memcpy(out->blob.b, key.p + 32, 32);
    memcpy(out->device.b, key.p + 64, 32);
    out->dir = value.p[0] == NODE_BLOB_UP ? NODE_BLOB_UP : NODE_BLOB_DOWN;
    memcpy(out->patient.b, value.p + 1, 32);
    memcpy(out->far.b, value.p + 33, 32);
    out->size = get_u64(value.p + 65);
    out->since_ms = get_u64(value.p + 73);
    return OK;
}
