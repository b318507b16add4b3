/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of MLS secrets: key = owner, name; value sealed under the owner's
 * slot key.  All of an owner's records are always sealed under its live key.
 */
#include "crypto/prim/secret.h"
#include "proto/base/assert.h"
#include "store/inner.h"

#include <string.h>

enum {
    OWNER = 32,
    SECRET_KEY = OWNER + STORE_SECRET_KEY_MAX
};

struct store_owner
store_owner_of(const struct thread_id *thread)
{
    struct store_owner o;

    memcpy(o.b, thread->b, sizeof(o.b));
    return o;
}

static enum err
secret_key(const struct store_owner *owner, struct view key,
           uint8_t out[SECRET_KEY], struct view *full)
{
    if (key.len > STORE_SECRET_KEY_MAX) {
        return ERR_LIMIT;
    }
    memcpy(out, owner->b, OWNER);
    if (key.len > 0) {
        memcpy(out + OWNER, key.p, key.len);
    }
    *full = view_make(out, OWNER + key.len);
    return OK;
}

static enum err
open_slot(struct store_txn *txn, const struct store_owner *owner,
          uint8_t key[STORE_SLOT_KEY_SIZE])
{
    struct store_slot slot;
    enum err e;

    TRY(store_slot_find(txn, owner, &slot));
    TRY(store_slot_key(txn, &slot, key));
out:
    return e;
}

enum err
store_secret_get(struct store_txn *txn, const struct store_owner *owner,
                 struct view key, struct bytes *out)
{
    SCRUBBED(under, STORE_SLOT_KEY_SIZE);
    uint8_t buf[SECRET_KEY];
    struct view full;
    enum err e;

    TRY(secret_key(owner, key, buf, &full));
    TRY(store_has(txn, STORE_T_SECRETS, full));
    e = open_slot(txn, owner, under);
    TRY(e == ERR_MISSING ? ERR_STALE : e);
    TRY(store_get_under(txn, STORE_T_SECRETS, full, under, out));
out:
    return e;
}

/* Seal all records of an owner again, from one key to another. */
static enum err
reseal(struct store_txn *txn, const struct store_owner *owner,
       const uint8_t from[STORE_SLOT_KEY_SIZE],
       const uint8_t to[STORE_SLOT_KEY_SIZE])
{
    uint8_t last[SECRET_KEY];
    size_t last_len = 0;
    enum err e = OK;

    while (e == OK) {
        struct store_scan sc;
        struct bytes plain = {0};
        bool found;
        enum err end;

        /* Writing ends a walk: one record at a time, from the last one on. */
        e = store_scan_begin(txn, STORE_T_SECRETS, view_make(owner->b, OWNER),
                             STORE_UP, &sc);
        if (e != OK) {
            break;
        }
        store_scan_keys(&sc);
        store_scan_after(&sc, view_make(last, last_len));
        found = store_scan_next(&sc);
        if (found && sc.key.len > SECRET_KEY) {
            found = false;
            e = ERR_CORRUPT;
        }
        if (found) {
            last_len = sc.key.len;
            memcpy(last, sc.key.p, last_len);
        }
        end = store_scan_end(&sc);
        e = e != OK ? e : end;
        if (e != OK || !found) {
            break;
        }
        e = store_get_under(txn, STORE_T_SECRETS, view_make(last, last_len),
                            from, &plain);
        if (e == OK) {
            e = store_put_under(txn, STORE_T_SECRETS, view_make(last, last_len),
                                to, view_of(&plain));
        }
        bytes_free(&plain);
    }
    return e;
}

static enum err
rotate(struct store_txn *txn, struct store_slot *slot,
       uint8_t key[STORE_SLOT_KEY_SIZE])
{
    SCRUBBED(old, STORE_SLOT_KEY_SIZE);
    enum err e;

    TRY(store_slot_key(txn, slot, old));
    TRY(store_slot_renew(txn, slot, key));
    TRY(reseal(txn, &slot->owner, old, key));
out:
    return e;
}

enum err
store_secret_put(struct store_txn *txn, const struct store_owner *owner,
                 struct view key, struct view value)
{
    SCRUBBED(under, STORE_SLOT_KEY_SIZE);
    struct store_slot slot;
    uint8_t buf[SECRET_KEY];
    struct view full;
    enum err e;

    ASSERT(txn->write);
    TRY(secret_key(owner, key, buf, &full));
    e = store_slot_find(txn, owner, &slot);
    if (e == ERR_MISSING) {
        TRY(store_slot_new(txn, owner, &slot, under));
    } else {
        TRY(e);
        if (store_slot_is_due(txn, &slot)) {
            TRY(rotate(txn, &slot, under));
        } else {
            TRY(store_slot_key(txn, &slot, under));
        }
    }
    TRY(store_put_under(txn, STORE_T_SECRETS, full, under, value));
out:
    return e;
}

enum err
store_secret_del(struct store_txn *txn, const struct store_owner *owner,
                 struct view key)
{
    uint8_t buf[SECRET_KEY];
    struct view full;
    enum err e;

    TRY(secret_key(owner, key, buf, &full));
    TRY(store_del(txn, STORE_T_SECRETS, full));
out:
    return e;
}

enum err
store_secret_scan(
    struct store_txn *txn, const struct store_owner *owner, struct view prefix,
    enum err (*each)(void *ctx, struct view key, struct view value), void *ctx)
{
    SCRUBBED(under, STORE_SLOT_KEY_SIZE);
    uint8_t buf[SECRET_KEY];
    struct store_scan sc;
    struct view full;
    bool have_key = false;
    enum err e;
    enum err end;

    TRY(secret_key(owner, prefix, buf, &full));
    TRY(store_scan_begin(txn, STORE_T_SECRETS, full, STORE_UP, &sc));
    store_scan_keys(&sc);
    while (e == OK && store_scan_next(&sc)) {
        struct bytes plain = {0};

        if (!have_key) {
            e = open_slot(txn, owner, under);
            e = e == ERR_MISSING ? ERR_STALE : e;
            have_key = e == OK;
        }
        if (e == OK) {
            e = store_get_under(txn, STORE_T_SECRETS, sc.key, under, &plain);
        }
        if (e == OK) {
            e = each(ctx, view_skip(sc.key, OWNER), view_of(&plain));
        }
        bytes_free(&plain);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

enum err
store_secret_del_prefix(struct store_txn *txn, const struct store_owner *owner,
                        struct view prefix)
{
    uint8_t buf[SECRET_KEY];
    struct view full;
    enum err e;

    TRY(secret_key(owner, prefix, buf, &full));
    TRY(store_drop(txn, STORE_T_SECRETS, full));
out:
    return e;
}

enum err
store_secret_rotate(struct store_txn *txn, const struct store_owner *owner)
{
    SCRUBBED(key, STORE_SLOT_KEY_SIZE);
    struct store_slot slot;
    enum err e;

    TRY(store_slot_find(txn, owner, &slot));
    if (!store_slot_is_fresh(txn, &slot)) {
        TRY(rotate(txn, &slot, key));
    }
out:
    return e;
}

enum err
store_secret_drop(struct store_txn *txn, const struct store_owner *owner)
{
    struct store_slot slot;
    enum err e;

    TRY(store_slot_find(txn, owner, &slot));
    TRY(store_secret_del_prefix(txn, owner, (struct view){0}));
    TRY(store_slot_drop(txn, &slot));
out:
    return e;
}

/* Ends the walk with the first owner. */
static enum err
first_owner(void *ctx, const struct store_slot *slot)
{
    struct store_slot *out = ctx;

    *out = *slot;
    return ERR_EXISTS;
}

enum err
store_secret_drop_all(struct store_txn *txn)
{
    struct store_slot slot;
    enum err e;

    for (;;) {
        e = store_slot_each(txn, first_owner, &slot);
        if (e != ERR_EXISTS) {
            return e;
        }
        TRY(store_secret_drop(txn, &slot.owner));
    }
out:
    return e;
}

struct owners {
    enum err (*each)(void *ctx, const struct store_owner *o);
    void *ctx;
};

static enum err
each_owner(void *ctx, const struct store_slot *slot)
{
    struct owners *o = ctx;

    return o->each(o->ctx, &slot->owner);
}

enum err
store_secret_owners(struct store_txn *txn,
                    enum err (*each)(void *ctx, const struct store_owner *o),
                    void *ctx)
{
    struct owners o = {each, ctx};

    return store_slot_each(txn, each_owner, &o);
}
