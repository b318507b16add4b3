/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over a table, from a key on, up or down. */
#include "proto/base/assert.h"
#include "store/inner.h"

#include <string.h>

enum err
store_scan_begin(struct store_txn *txn, enum store_table t, struct view prefix,
                 enum store_dir dir, struct store_scan *sc)
{
    ASSERT(prefix.len < STORE_KEY_MAX);
    sc->key = sc->value = (struct view){0};
    sc->txn = txn;
    sc->cur = NULL;
    sc->plain = (struct bytes){0};
    sc->t = t;
    sc->dir = dir;
    sc->e = OK;
    sc->keys_only = false;
    sc->started = false;
    sc->from_len = 0;
    sc->last_len = 0;
    sc->prefix_len = (uint16_t)prefix.len;
    if (prefix.len > 0) {
        memcpy(sc->prefix, prefix.p, prefix.len);
    }
    if (store_txn_holds(txn, t) && store_hot_under(&txn->hot, t, prefix)) {
        sc->e = store_hot_write(txn, t); /* the walk sees the tables */
        if (sc->e != OK) {
            return sc->e;
        }
    }
    return store_env_cur_open(txn->env, t, &sc->cur);
}

void
store_scan_after(struct store_scan *sc, struct view key)
{
    ASSERT(!sc->started && key.len <= STORE_KEY_MAX);
    sc->from_len = (uint16_t)key.len;
    if (key.len > 0) {
        memcpy(sc->from, key.p, key.len);
    }
}

void
store_scan_keys(struct store_scan *sc)
{
    sc->keys_only = true;
}

/* To the first key at or above what, or behind the last one. */
static enum err
seek(struct store_scan *sc, struct view what, struct view *key,
     struct view *value)
{
    *key = what;
    if (what.len == 0) {
        return store_env_cur_move(sc->cur, STORE_ENV_FIRST, key, value);
    }
    return store_env_cur_move(sc->cur, STORE_ENV_SEEK, key, value);
}

static enum err
first_up(struct store_scan *sc, struct view *key, struct view *value)
{
    struct view from = view_make(sc->from, sc->from_len);
    enum err e;

    if (from.len == 0) {
        return seek(sc, view_make(sc->prefix, sc->prefix_len), key, value);
    }
    e = seek(sc, from, key, value);
    if (e == OK && view_equal(*key, from)) {
        e = store_env_cur_move(sc->cur, STORE_ENV_NEXT, key, value);
    }
    return e;
}

static enum err
first_down(struct store_scan *sc, struct view *key, struct view *value)
{
    struct view bound = view_make(sc->from, sc->from_len);
    uint8_t above[STORE_KEY_MAX];
    size_t n = sc->prefix_len;
    enum err e;

    if (bound.len == 0) {
        /* The smallest key above all that begin with the prefix. */
        memcpy(above, sc->prefix, n);
        while (n > 0 && above[n - 1] == 0xff) {
            n--;
        }
        if (n > 0) {
            above[n - 1]++;
        }
        bound = view_make(above, n);
    }
    *key = (struct view){0};
    if (bound.len == 0) {
        return store_env_cur_move(sc->cur, STORE_ENV_LAST, key, value);
    }
    e = seek(sc, bound, key, value);
    return store_env_cur_move(
        sc->cur, e == ERR_MISSING ? STORE_ENV_LAST : STORE_ENV_PREV, key,
        value);
}

/* Keys must come in order: on damaged pages LMDB may go round in circles. */
static bool
in_order(struct store_scan *sc, struct view key)
{
    int c;

    if (key.len == 0 || key.len > STORE_KEY_MAX) {
        return false;
    }
    if (sc->last_len > 0) {
        c = view_cmp(key, view_make(sc->last, sc->last_len));
        if (sc->dir == STORE_UP ? c <= 0 : c >= 0) {
            return false;
        }
    }
    sc->last_len = (uint16_t)key.len;
    memcpy(sc->last, key.p, key.len);
    return true;
}

bool
store_scan_next(struct store_scan *sc)
{
    struct view key = {0};
    struct view value = {0};
    enum err e;

    if (sc->e != OK) {
        return false;
    }
    bytes_free(&sc->plain);
    sc->key = sc->value = (struct view){0};
    if (sc->started) {
        e = store_env_cur_move(
            sc->cur, sc->dir == STORE_UP ? STORE_ENV_NEXT : STORE_ENV_PREV,
            &key, &value);
    } else {
        sc->started = true;
        e = sc->dir == STORE_UP ? first_up(sc, &key, &value)
                                : first_down(sc, &key, &value);
    }
    if (e == OK && (key.len < sc->prefix_len ||
                    memcmp(key.p, sc->prefix, sc->prefix_len) != 0)) {
        e = ERR_MISSING;
    }
    if (e == OK && !in_order(sc, key)) {
        e = store_damaged(sc->txn, sc->t, (struct view){0});
    }
    if (e == OK && !sc->keys_only) {
        e = store_open_value(sc->txn, sc->t, key, value,
                             sc->txn->s->keys->table[sc->t], &sc->plain);
        sc->value = view_of(&sc->plain);
    } else if (e == OK) {
        sc->value = value;
    }
    sc->e = e;
    sc->key = e == OK ? key : (struct view){0};
    return e == OK;
}

enum err
store_scan_del(struct store_scan *sc)
{
    struct store_hot_row *row = NULL;

    ASSERT(sc->txn->write && sc->e == OK && sc->dir == STORE_UP);
    if (store_txn_holds(sc->txn, sc->t)) {
        row = store_hot_find(&sc->txn->hot, sc->t, sc->key);
    }
    if (row != NULL) {
        row->state = STORE_HOT_DEL;
    }
    store_redo_note(sc->txn, sc->t, sc->key);
    return store_txn_wrote(sc->txn, sc->t, store_env_cur_del(sc->cur));
}

enum err
store_scan_end(struct store_scan *sc)
{
    bytes_free(&sc->plain);
    store_env_cur_close(sc->cur);
    sc->cur = NULL;
    sc->key = sc->value = (struct view){0};
    return sc->e == ERR_MISSING ? OK : sc->e;
}

enum err
store_drop(struct store_txn *txn, enum store_table t, struct view prefix)
{
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, t, prefix, STORE_UP, &sc));
    store_scan_keys(&sc);
    while (e == OK && store_scan_next(&sc)) {
        e = store_scan_del(&sc);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}
