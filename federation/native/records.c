/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/native/records.h"

#include "federation/app/app.h"

#include <string.h>

enum {
    OWNER_SIZE = 32,
    TRIES = 16 /* a slot key may be rotated while we read */
};

/* Where a secret record lies: its owner's, and the key within. */
struct place {
    struct store_owner owner;
    uint8_t key[1 + FED_KEY_MAX];
    size_t len;
};

static bool
is_secret(uint8_t space)
{
    return fed_app_space_is_secret(space);
}

/* Key packages belong to no thread yet. */
static struct store_owner
package_owner(void)
{
    struct store_owner o = {{0}};
    static const char name[] = "balsam key packages";

    memcpy(o.b, name, sizeof(name) - 1);
    return o;
}

/* A key shorter than an owner, as scans may use, counts as filled with 0. */
static enum err
place_of(uint8_t space, struct view key, struct place *out)
{
    struct place p = {{{0}}, {0}, 0};

    if (key.len > FED_KEY_MAX) {
        return ERR_INVALID;
    }
    p.key[p.len++] = space;
    if (space == FED_NS_KP) {
        p.owner = package_owner();
    } else {
        size_t n = key.len < OWNER_SIZE ? key.len : OWNER_SIZE;

        if (n > 0) {
            memcpy(p.owner.b, key.p, n);
        }
        key = view_skip(key, n);
    }
    if (key.len > 0) {
        memcpy(p.key + p.len, key.p, key.len);
        p.len += key.len;
    }
    *out = p;
    return OK;
}

/* What is on its way out stays out of backups: decisions E 20. */
static uint8_t
ns_of(uint8_t space)
{
    bool out = space == FED_NS_OUT || space == FED_NS_BODY;

    return (uint8_t)(out ? STORE_FED_NO_BACKUP + space : space);
}

static enum err
get_in(struct store_txn *txn, uint8_t space, struct view key, struct bytes *out)
{
    struct place p;
    enum err e;

    if (!is_secret(space)) {
        return store_fed_get(txn, ns_of(space), key, out);
    }
    e = place_of(space, key, &p);
    if (e != OK) {
        return e;
    }
    return store_secret_get(txn, &p.owner, view_make(p.key, p.len), out);
}

enum err
fed_records_get(struct store *s, uint8_t space, struct view key,
                const struct mem *mem, struct bytes *out)
{
    struct bytes b = {0};
    enum err e = ERR_AGAIN;

    for (int i = 0; i < TRIES && e == ERR_AGAIN; i++) {
        struct store_txn *txn = NULL;

        e = store_read_begin(s, &txn);
        if (e == OK) {
            e = get_in(txn, space, key, &b);
        }
        store_read_end(txn);
    }
    if (e == OK) {
        e = bytes_copy(mem, view_of(&b), out);
    }
    bytes_free(&b);
    return e;
}

/* ------------------------------------------------------------------- scans */

struct found {
    struct view from; /* the first key at or above this */
    const struct mem *mem;
    const struct store_owner *owner; /* secrets: put before the key */
    bool owner_in_key;
    struct bytes *key;
    struct bytes *value;
    bool any;
};

static enum err
take_record(struct found *f, struct view key, struct view value)
{
    enum err e;

    f->any = true;
    if (f->owner_in_key) {
        TRY(bytes_append(f->mem, f->key, VIEW_ARRAY(f->owner->b)));
    }
    TRY(bytes_append(f->mem, f->key, key));
    TRY(bytes_append(f->mem, f->value, value));
    e = ERR_EXISTS; /* enough: ends the walk */
out:
    return e;
}

static enum err
each_open(void *ctx, struct view key, struct view value)
{
    return take_record(ctx, key, value);
}

static enum err
each_secret(void *ctx, struct view key, struct view value)
{
    struct found *f = ctx;
    size_t n = key.len < f->from.len ? key.len : f->from.len;
    int order = n == 0 ? 0 : memcmp(key.p, f->from.p, n);

    if (order < 0 || (order == 0 && key.len < f->from.len)) {
        return OK;
    }
    return take_record(f, view_skip(key, 1), value);
}

/* The smallest owner above after that has a slot. */
struct above {
    const struct store_owner *after;
    struct store_owner best;
    bool any;
};

static enum err
each_owner(void *ctx, const struct store_owner *o)
{
    struct above *a = ctx;

    if (memcmp(o->b, a->after->b, sizeof(o->b)) > 0 &&
        (!a->any || memcmp(o->b, a->best.b, sizeof(o->b)) < 0)) {
        a->best = *o;
        a->any = true;
    }
    return OK;
}

static enum err
next_secret(struct store_txn *txn, uint8_t space, struct view from,
            struct found *f)
{
    enum err e;
    struct place p;

    TRY(place_of(space, from, &p));
    f->owner_in_key = space != FED_NS_KP;
    for (;;) {
        struct above a = {&p.owner, {{0}}, false};

        f->owner = &p.owner;
        f->from = view_make(p.key, p.len);
        e = store_secret_scan(txn, &p.owner, view_make(p.key, 1), each_secret,
                              f);
        if (f->any || space == FED_NS_KP || (e != OK && e != ERR_MISSING)) {
            break;
        }
        TRY(store_secret_owners(txn, each_owner, &a));
        if (!a.any) {
            break;
        }
        p.owner = a.best;
        p.len = 1;
    }
out:
    return e;
}

static enum err
next_open(struct store_txn *txn, uint8_t space, struct view from,
          struct found *f)
{
    struct bytes value = {0};
    enum err e = ERR_MISSING;

    if (from.len > 0) {
        e = store_fed_get(txn, ns_of(space), from, &value);
    }
    if (e == OK) {
        e = take_record(f, from, view_of(&value));
    } else if (e == ERR_MISSING) {
        e = store_fed_scan(txn, ns_of(space), (struct view){0}, from, STORE_UP,
                           1, each_open, f);
    }
    bytes_free(&value);
    return e;
}

enum err
fed_records_next(struct store *s, uint8_t space, struct view from,
                 const struct mem *mem, struct bytes *key_out,
                 struct bytes *value_out)
{
    struct found f = {.mem = mem, .key = key_out, .value = value_out};
    enum err e = ERR_AGAIN;

    for (int i = 0; i < TRIES && e == ERR_AGAIN; i++) {
        struct store_txn *txn = NULL;

        e = store_read_begin(s, &txn);
        if (e == OK) {
            e = is_secret(space) ? next_secret(txn, space, from, &f)
                                 : next_open(txn, space, from, &f);
        }
        store_read_end(txn);
    }
    if (e == ERR_EXISTS) {
        return OK;
    }
    bytes_free(key_out);
    bytes_free(value_out);
    return e == OK ? ERR_MISSING : e;
}

/* ----------------------------------------------------------------- writing */

enum err
fed_records_put(struct store_txn *txn, uint8_t space, struct view key,
                struct view value)
{
    struct place p;
    enum err e;

    if (!is_secret(space)) {
        return store_fed_put(txn, ns_of(space), key, value);
    }
    e = place_of(space, key, &p);
    return e == OK
               ? store_secret_put(txn, &p.owner, view_make(p.key, p.len), value)
               : e;
}

enum err
fed_records_del(struct store_txn *txn, uint8_t space, struct view key)
{
    struct place p;
    enum err e;

    if (!is_secret(space)) {
        e = store_fed_del(txn, ns_of(space), key);
    } else {
        e = place_of(space, key, &p);
        e = e == OK ? store_secret_del(txn, &p.owner, view_make(p.key, p.len))
                    : e;
    }
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_records_rotate(struct store_txn *txn, const struct thread_id *thread)
{
    struct store_owner owner = store_owner_of(thread);
    enum err e = store_secret_rotate(txn, &owner);

    return e == ERR_MISSING ? OK : e;
}
