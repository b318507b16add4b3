/* SPDX-License-Identifier: Apache-2.0 */
#include "store/page.h"

#include "proto/base/limits.h"
#include "store/convs.h"
#include "store/inner.h"
#include "store/records.h"

#include <string.h>

enum {
    PAGE_KEY = 25 /* u8 view, u64 activity, conversation */
};

bool
store_page_is(enum store_table t, struct view key)
{
    return t == STORE_T_CONV_ORDER && key.len == PAGE_KEY &&
           key.p[0] == STORE_VIEW_EVERY;
}

static struct view
id_in(struct view key)
{
    return view_skip(key, 9);
}

enum err
store_page_make(struct store_txn *txn, struct view key, struct bytes *out)
{
    enum err e;
    struct bytes wrap = {0};
    struct bytes record = {0};
    struct bytes plain = {0};
    struct bytes made = {0};
    struct view id = id_in(key);
    struct store *s = txn->s;

    TRY(store_get(txn, STORE_T_CONV_KEYS, id, &wrap));
    TRY(wrap.len == STORE_KEY_SIZE ? OK : ERR_CORRUPT);
    TRY(store_get_under(txn, STORE_T_CONVS, id, wrap.p, &record));
    TRY(bytes_alloc(s->cfg.mem, wrap.len + record.len, &plain));
    memcpy(plain.p, wrap.p, wrap.len);
    if (record.len > 0) {
        memcpy(plain.p + wrap.len, record.p, record.len);
    }
    TRY(bytes_alloc(s->cfg.mem, plain.len + STORE_SEAL_EXTRA, &made));
    store_seal(s->keys->table[STORE_T_CONV_ORDER], &s->nonces,
               STORE_T_CONV_ORDER, key, view_of(&plain), made.p);
    *out = bytes_take(&made);
out:
    bytes_free(&wrap);
    bytes_free(&record);
    bytes_free(&plain);
    bytes_free(&made);
    return e;
}

static enum err
open_page(struct store_txn *txn, struct view key, struct view value,
          struct store_conv *out)
{
    enum err e;
    struct bytes plain = {0};
    struct store_conv c = {0};
    struct conv_id id;

    TRY(conv_id_from(id_in(key), &id) == OK ? OK : ERR_CORRUPT);
    TRY(store_unseal(txn->s->keys->table[STORE_T_CONV_ORDER],
                     STORE_T_CONV_ORDER, key, value, store_txn_mem(txn),
                     &plain));
    TRY(plain.len > STORE_KEY_SIZE ? OK : ERR_CORRUPT);
    TRY(store_conv_decode(store_txn_mem(txn),
                          view_skip(view_of(&plain), STORE_KEY_SIZE), &c));
    TRY(conv_id_equal(&c.id, &id) && c.activity == store_get_u64(key.p + 1)
            ? OK
            : ERR_CORRUPT);
    memcpy(txn->conv_key, plain.p, STORE_KEY_SIZE);
    txn->conv = id;
    txn->conv_known = true;
    *out = c;
    c = (struct store_conv){0};
out:
    store_conv_clear(&c);
    bytes_free(&plain);
    return e;
}

enum err
store_page_open(struct store_txn *txn, struct view key, struct view value,
                struct store_conv *out)
{
    enum err e = open_page(txn, key, value, out);

    return e == ERR_CORRUPT ? store_damaged(txn, STORE_T_CONV_ORDER, key) : e;
}

enum err
store_page_get(struct store_txn *txn, uint64_t activity,
               const struct conv_id *id, struct store_conv *out)
{
    enum err e = OK;
    uint8_t at[PAGE_KEY] = {STORE_VIEW_EVERY};
    struct view key = VIEW_ARRAY(at);
    struct view value;

    store_put_u64(at + 1, activity);
    memcpy(at + 9, id->b, sizeof(id->b));
    TRY(txn->write ? store_hot_write(txn, STORE_T_CONV_ORDER) : OK);
    e = store_env_get(txn->env, STORE_T_CONV_ORDER, key, &value);
    if (e == ERR_MISSING || e == ERR_CORRUPT) {
        return store_damaged(txn, STORE_T_CONV_ORDER, key);
    }
    TRY(e);
    TRY(store_page_open(txn, key, value, out));
out:
    return e;
}
