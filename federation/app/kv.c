/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/app/kv.h"

#include "federation/core/rec.h"
#include "proto/base/assert.h"

#include <string.h>

enum {
    FIRST_CAP = 16
};

bool
fed_app_space_is_secret(uint8_t space)
{
    return space == FED_NS_KP || space == FED_NS_SECRET ||
           space == FED_NS_STAGE || space == FED_APP_SECRET;
}

static void
free_entry(const struct mem *mem, struct fed_app_entry *en)
{
    if (en != NULL) {
        bytes_free(&en->value);
        mem_free(mem, en, sizeof(*en));
    }
}

void
fed_app_kv_clear(struct fed_app_kv *kv)
{
    for (size_t i = 0; i < kv->len; i++) {
        free_entry(kv->mem, kv->entries[i]);
    }
    mem_free(kv->mem, kv->entries, kv->cap * sizeof(struct fed_app_entry *));
    kv->entries = NULL;
    kv->len = 0;
    kv->cap = 0;
}

struct fed_app_key
fed_app_key(struct view a, struct view b)
{
    struct fed_app_key k = {.len = a.len + b.len};

    ASSERT(k.len <= FED_APP_KEY_MAX);
    if (a.len > 0) {
        memcpy(k.b, a.p, a.len);
    }
    if (b.len > 0) {
        memcpy(k.b + a.len, b.p, b.len);
    }
    return k;
}

struct fed_app_key
fed_app_key_num(struct view a, uint64_t n)
{
    uint8_t b[8];

    for (int i = 0; i < 8; i++) {
        b[i] = (uint8_t)(n >> (56 - 8 * i));
    }
    return fed_app_key(a, VIEW_ARRAY(b));
}

uint64_t
fed_app_key_tail(struct view key)
{
    uint64_t n = 0;

    for (size_t i = key.len < 8 ? 0 : key.len - 8; i < key.len; i++) {
        n = n << 8 | key.p[i];
    }
    return n;
}

/* ----------------------------------------------------------------- overlay */

static int
order(const struct fed_app_entry *en, uint8_t space, struct view key)
{
    if (en->space != space) {
        return en->space < space ? -1 : 1;
    }
    return view_cmp(fed_app_key_view(&en->key), key);
}

/* The first entry that is not before (space, key). */
static size_t
lower(const struct fed_app_kv *kv, uint8_t space, struct view key)
{
    size_t lo = 0;
    size_t hi = kv->len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (order(kv->entries[mid], space, key) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static enum err
make_room(struct fed_app_kv *kv)
{
    size_t cap = kv->cap == 0 ? FIRST_CAP : kv->cap * 2;
    struct fed_app_entry **more;

    if (kv->len < kv->cap) {
        return OK;
    }
    more = mem_calloc(kv->mem, cap, sizeof(struct fed_app_entry *));
    if (more == NULL) {
        return ERR_NOMEM;
    }
    if (kv->len > 0) {
        memcpy(more, kv->entries, kv->len * sizeof(struct fed_app_entry *));
    }
    mem_free(kv->mem, kv->entries, kv->cap * sizeof(struct fed_app_entry *));
    kv->entries = more;
    kv->cap = cap;
    return OK;
}

static enum err
set(struct fed_app_kv *kv, uint8_t space, const struct fed_app_key *key,
    bool del, struct view value)
{
    enum err e;
    size_t at = lower(kv, space, fed_app_key_view(key));
    struct fed_app_entry *en = NULL;
    struct bytes copy = {0};

    TRY(bytes_copy(kv->mem, value, &copy));
    if (at == kv->len ||
        order(kv->entries[at], space, fed_app_key_view(key)) != 0) {
        TRY(make_room(kv));
        en = mem_alloc(kv->mem, sizeof(*en));
        TRY(en == NULL ? ERR_NOMEM : OK);
        en->space = space;
        en->key = *key;
        memmove(kv->entries + at + 1, kv->entries + at,
                (kv->len - at) * sizeof(struct fed_app_entry *));
        kv->entries[at] = en;
        kv->len++;
    }
    en = kv->entries[at];
    bytes_free(&en->value);
    en->value = bytes_take(&copy);
    en->del = del;
out:
    bytes_free(&copy);
    return e;
}

enum err
fed_app_put(struct fed_app_kv *kv, uint8_t space, const struct fed_app_key *key,
            struct view value)
{
    return set(kv, space, key, false, value);
}

enum err
fed_app_del(struct fed_app_kv *kv, uint8_t space, const struct fed_app_key *key)
{
    return set(kv, space, key, true, (struct view){0});
}

enum err
fed_app_get(struct fed_app_kv *kv, uint8_t space, const struct fed_app_key *key,
            struct bytes *out)
{
    struct view k = fed_app_key_view(key);
    size_t at = lower(kv, space, k);

    if (at < kv->len && order(kv->entries[at], space, k) == 0) {
        return kv->entries[at]->del
                   ? ERR_MISSING
                   : bytes_copy(kv->mem, view_of(&kv->entries[at]->value), out);
    }
    return kv->store->get(kv->store->ctx, space, k, kv->mem, out);
}

/* The storage's first record from key on that no entry hides. */
static enum err
next_stored(struct fed_app_kv *kv, uint8_t space, struct view from,
            struct bytes *key, struct bytes *value)
{
    struct fed_app_key at = fed_app_key(from, (struct view){0});
    enum err e;

    for (;;) {
        size_t i;

        e = kv->store->next(kv->store->ctx, space, fed_app_key_view(&at),
                            kv->mem, key, value);
        if (e != OK) {
            return e;
        }
        if (key->len >= FED_APP_KEY_MAX) {
            return ERR_CORRUPT;
        }
        i = lower(kv, space, view_of(key));
        if (i == kv->len || order(kv->entries[i], space, view_of(key)) != 0) {
            return OK;
        }
        at = fed_app_key(view_of(key), VIEW_LIT("\0"));
        bytes_free(key);
        bytes_free(value);
    }
}

static bool
begins(struct view key, struct view prefix)
{
    return key.len >= prefix.len &&
           (prefix.len == 0 || memcmp(key.p, prefix.p, prefix.len) == 0);
}

enum err
fed_app_next(struct fed_app_kv *kv, uint8_t space,
             const struct fed_app_key *from, struct view prefix,
             struct fed_app_key *key, struct bytes *value)
{
    enum err e;
    struct view f = fed_app_key_view(from);
    const struct fed_app_entry *en = NULL;
    struct bytes k = {0};
    struct bytes v = {0};

    for (size_t i = lower(kv, space, f); i < kv->len && en == NULL; i++) {
        if (kv->entries[i]->space != space) {
            break;
        }
        en = kv->entries[i]->del ? NULL : kv->entries[i];
    }
    e = next_stored(kv, space, f, &k, &v);
    TRY(e == ERR_MISSING && en != NULL ? OK : e);
    if (en != NULL && (k.p == NULL ||
                       view_cmp(fed_app_key_view(&en->key), view_of(&k)) < 0)) {
        bytes_free(&k);
        bytes_free(&v);
        TRY(bytes_copy(kv->mem, fed_app_key_view(&en->key), &k));
        TRY(bytes_copy(kv->mem, view_of(&en->value), &v));
    }
    TRY(begins(view_of(&k), prefix) ? OK : ERR_MISSING);
    *key = fed_app_key(view_of(&k), (struct view){0});
    *value = bytes_take(&v);
out:
    bytes_free(&k);
    bytes_free(&v);
    return e;
}

/* ----------------------------------------------------------------- records */

enum err
fed_app_load(struct fed_app_kv *kv, uint8_t space,
             const struct fed_app_key *key, const struct proto_shape *shape,
             void *to, struct bytes *hold)
{
    struct bytes b = {0};
    enum err e = fed_app_get(kv, space, key, &b);

    if (e == OK) {
        e = fed_rec_decode(view_of(&b), shape, to);
    }
    if (e != OK) {
        bytes_free(&b);
        return e;
    }
    bytes_free(hold);
    *hold = bytes_take(&b);
    return OK;
}

enum err
fed_app_save(struct fed_app_kv *kv, uint8_t space,
             const struct fed_app_key *key, const struct proto_shape *shape,
             const void *from)
{
    struct bytes b = {0};
    enum err e;

    TRY(fed_rec_encode(kv->mem, shape, from, &b));
    TRY(fed_app_put(kv, space, key, view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

enum err
fed_app_number(struct fed_app_kv *kv, const char *name, uint64_t *out)
{
    struct fed_app_key key = fed_app_key(view_str(name), (struct view){0});
    struct bytes b = {0};
    enum err e = fed_app_get(kv, FED_APP_COUNT, &key, &b);

    TRY(e == ERR_MISSING ? OK : e);
    *out = fed_app_key_tail(view_of(&b));
out:
    bytes_free(&b);
    return e;
}

enum err
fed_app_number_put(struct fed_app_kv *kv, const char *name, uint64_t n)
{
    struct fed_app_key key = fed_app_key(view_str(name), (struct view){0});
    struct fed_app_key value = fed_app_key_num((struct view){0}, n);

    return fed_app_put(kv, FED_APP_COUNT, &key, fed_app_key_view(&value));
}

enum err
fed_app_count(struct fed_app_kv *kv, const char *name, uint64_t *out)
{
    enum err e;
    uint64_t n;

    TRY(fed_app_number(kv, name, &n));
    TRY(fed_app_number_put(kv, name, n + 1));
    *out = n + 1;
out:
    return e;
}

enum err
fed_app_kv_flush(struct fed_app_kv *kv)
{
    const struct fed_app_store *s = kv->store;
    enum err e = OK;

    for (size_t i = 0; i < kv->len; i++) {
        const struct fed_app_entry *en = kv->entries[i];
        struct view key = fed_app_key_view(&en->key);

        TRY(en->del ? s->del(s->ctx, en->space, key)
                    : s->put(s->ctx, en->space, key, view_of(&en->value)));
    }
out:
    fed_app_kv_clear(kv);
    return e;
}
