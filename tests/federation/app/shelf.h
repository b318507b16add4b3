/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A storage in memory for tests of the app: committed records and what the
 * next commit brings.  It can be cut off: what was not committed is then gone,
 * as after a crash.
 */
#ifndef TESTS_FEDERATION_APP_SHELF_H
#define TESTS_FEDERATION_APP_SHELF_H

#include "federation/app/app.h"
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

struct shelf_rec {
    uint8_t space;
    struct bytes key;
    struct bytes value;
};

struct shelf_change {
    struct shelf_rec rec;
    bool del;
};

struct shelf {
    struct shelf_rec *recs; /* ordered */
    size_t len;
    struct shelf_change *changes;
    size_t changes_len;
    enum err commit_gives; /* instead of committing */
    uint64_t commits;
    struct fed_app *tell; /* durable before it can be read */
};

static int
shelf_cmp(const struct shelf_rec *r, uint8_t space, struct view key)
{
    return r->space != space ? (r->space < space ? -1 : 1)
                             : view_cmp(view_of(&r->key), key);
}

static size_t
shelf_lower(const struct shelf *s, uint8_t space, struct view key)
{
    size_t lo = 0;
    size_t hi = s->len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (shelf_cmp(&s->recs[mid], space, key) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static inline enum err
shelf_get(void *ctx, uint8_t space, struct view key, const struct mem *mem,
          struct bytes *out)
{
    struct shelf *s = ctx;
    size_t i = shelf_lower(s, space, key);

    if (i == s->len || shelf_cmp(&s->recs[i], space, key) != 0) {
        return ERR_MISSING;
    }
    return bytes_copy(mem, view_of(&s->recs[i].value), out);
}

static inline enum err
shelf_next(void *ctx, uint8_t space, struct view from, const struct mem *mem,
           struct bytes *key_out, struct bytes *value_out)
{
    struct shelf *s = ctx;
    size_t i = shelf_lower(s, space, from);
    enum err e;

    if (i == s->len || s->recs[i].space != space) {
        return ERR_MISSING;
    }
    e = bytes_copy(mem, view_of(&s->recs[i].key), key_out);
    if (e == OK) {
        e = bytes_copy(mem, view_of(&s->recs[i].value), value_out);
    }
    if (e != OK) {
        bytes_free(key_out);
    }
    return e;
}

static inline enum err
shelf_change(struct shelf *s, uint8_t space, bool del, struct view key,
             struct view value)
{
    struct shelf_change *c;

    s->changes = realloc(s->changes, (s->changes_len + 1) * sizeof(*c));
    CHECK(s->changes != NULL);
    c = &s->changes[s->changes_len++];
    *c = (struct shelf_change){.del = del};
    c->rec.space = space;
    CHECK_OK(bytes_copy(mem_heap(), key, &c->rec.key));
    CHECK_OK(bytes_copy(mem_heap(), value, &c->rec.value));
    return OK;
}

static inline enum err
shelf_put(void *ctx, uint8_t space, struct view key, struct view value)
{
    return shelf_change(ctx, space, false, key, value);
}

static inline enum err
shelf_del(void *ctx, uint8_t space, struct view key)
{
    return shelf_change(ctx, space, true, key, (struct view){0});
}

static inline void
shelf_free_rec(struct shelf_rec *r)
{
    bytes_free(&r->key);
    bytes_free(&r->value);
}

/* Drop what is not committed. */
static inline void
shelf_cut(struct shelf *s)
{
    for (size_t i = 0; i < s->changes_len; i++) {
        shelf_free_rec(&s->changes[i].rec);
    }
    free(s->changes);
    s->changes = NULL;
    s->changes_len = 0;
}

static inline void
shelf_apply(struct shelf *s, struct shelf_change *c)
{
    size_t i = shelf_lower(s, c->rec.space, view_of(&c->rec.key));
    bool there = i < s->len && shelf_cmp(&s->recs[i], c->rec.space,
                                         view_of(&c->rec.key)) == 0;

    if (there) {
        shelf_free_rec(&s->recs[i]);
        memmove(s->recs + i, s->recs + i + 1,
                (--s->len - i) * sizeof(s->recs[0]));
    }
    if (!c->del) {
        s->recs = realloc(s->recs, (s->len + 1) * sizeof(s->recs[0]));
        CHECK(s->recs != NULL);
        memmove(s->recs + i + 1, s->recs + i,
                (s->len++ - i) * sizeof(s->recs[0]));
        s->recs[i] = c->rec;
        memset(&c->rec, 0, sizeof(c->rec));
    }
}

static inline enum err
shelf_commit(void *ctx, const struct thread_id *rotate, size_t rotate_len)
{
    struct shelf *s = ctx;

    (void)rotate;
    (void)rotate_len;
    if (s->commit_gives != OK && s->commit_gives != ERR_AGAIN) {
        shelf_cut(s);
        return s->commit_gives;
    }
    if (s->tell != NULL && fed_app_wants_durable(s->tell)) {
        fed_app_durable(s->tell);
    }
    for (size_t i = 0; i < s->changes_len; i++) {
        shelf_apply(s, &s->changes[i]);
    }
    shelf_cut(s);
    s->commits++;
    return s->commit_gives;
}

static inline struct fed_app_store
shelf_store(struct shelf *s)
{
    return (struct fed_app_store){shelf_get, shelf_next,   shelf_put,
                                  shelf_del, shelf_commit, s};
}

static inline void
shelf_free(struct shelf *s)
{
    shelf_cut(s);
    for (size_t i = 0; i < s->len; i++) {
        shelf_free_rec(&s->recs[i]);
    }
    free(s->recs);
    *s = (struct shelf){.len = 0};
}

#endif
