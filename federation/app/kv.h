/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a turn has written and the storage does not have yet: one entry a key,
 * in order.  Reads go through here, so that a step sees its own writes.
 */
#ifndef FEDERATION_APP_KV_H
#define FEDERATION_APP_KV_H

#include "federation/app/app.h"
#include "proto/msg/shape.h"

enum {
    FED_APP_KEY_MAX = 80
};

struct fed_app_key {
    uint8_t b[FED_APP_KEY_MAX];
    size_t len;
};

struct fed_app_entry {
    uint8_t space;
    bool del;
    struct fed_app_key key;
    struct bytes value;
};

/* Empty is {.mem = ..., .store = ...}. */
struct fed_app_kv {
    const struct mem *mem;
    const struct fed_app_store *store;
    struct fed_app_entry **entries; /* ordered by space, key */
    size_t len;
    size_t cap;
};

/* Drop what is not handed over. */
void fed_app_kv_clear(struct fed_app_kv *kv);

/* Parts one after the other; their sizes are ours. */
struct fed_app_key fed_app_key(struct view a, struct view b);
struct fed_app_key fed_app_key_num(struct view a, uint64_t n);
static inline struct view
fed_app_key_view(const struct fed_app_key *k)
{
    return view_make(k->b, k->len);
}
/* The number at the end of a key. */
uint64_t fed_app_key_tail(struct view key);

/* ERR_MISSING */
MUST_CHECK enum err fed_app_get(struct fed_app_kv *kv, uint8_t space,
                                const struct fed_app_key *key,
                                struct bytes *out);
/* The first record with key >= from that begins with prefix. */
MUST_CHECK enum err fed_app_next(struct fed_app_kv *kv, uint8_t space,
                                 const struct fed_app_key *from,
                                 struct view prefix, struct fed_app_key *key,
                                 struct bytes *value);
MUST_CHECK enum err fed_app_put(struct fed_app_kv *kv, uint8_t space,
                                const struct fed_app_key *key,
                                struct view value);
MUST_CHECK enum err fed_app_del(struct fed_app_kv *kv, uint8_t space,
                                const struct fed_app_key *key);

/* Records of a shape.  ERR_CORRUPT  not one of ours */
MUST_CHECK enum err fed_app_load(struct fed_app_kv *kv, uint8_t space,
                                 const struct fed_app_key *key,
                                 const struct proto_shape *shape, void *to,
                                 struct bytes *hold);
MUST_CHECK enum err fed_app_save(struct fed_app_kv *kv, uint8_t space,
                                 const struct fed_app_key *key,
                                 const struct proto_shape *shape,
                                 const void *from);

/* A named number; 0 when it was never set. */
MUST_CHECK enum err fed_app_number(struct fed_app_kv *kv, const char *name,
                                   uint64_t *out);
MUST_CHECK enum err fed_app_number_put(struct fed_app_kv *kv, const char *name,
                                       uint64_t n);
/* The next value of a counter, from 1. */
MUST_CHECK enum err fed_app_count(struct fed_app_kv *kv, const char *name,
                                  uint64_t *out);

/* Everything to the storage, as puts and dels; then it is empty. */
MUST_CHECK enum err fed_app_kv_flush(struct fed_app_kv *kv);

#endif
