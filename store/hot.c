/* SPDX-License-Identifier: Apache-2.0 */
#include "store/hot.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CAP = 64
};

bool
store_hot_has(enum store_table t)
{
    return t == STORE_T_CONVS || t == STORE_T_CONV_KEYS ||
           t == STORE_T_CONV_THREADS || t == STORE_T_CONV_ORDER ||
           t == STORE_T_CONV_MARKS || t == STORE_T_MSG_INDEX;
}

/* FNV-1a: only who wrote the records chooses the keys. */
static size_t
place(enum store_table t, struct view key, size_t cap)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)t;

    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ key.p[i]) * UINT64_C(1099511628211);
    }
    return (size_t)(h ^ h >> 32) & (cap - 1);
}

/* Where the key is, or the free place for it. */
static size_t
find(const struct store_hot *hot, enum store_table t, struct view key)
{
    size_t i = place(t, key, hot->cap);

    while (
        hot->at[i] != NULL &&
        (hot->at[i]->t != t || !view_equal(view_of(&hot->at[i]->key), key))) {
        i = (i + 1) & (hot->cap - 1);
    }
    return i;
}

struct store_hot_row *
store_hot_find(const struct store_hot *hot, enum store_table t, struct view key)
{
    return hot->len == 0 ? NULL : hot->at[find(hot, t, key)];
}

bool
store_hot_under(const struct store_hot *hot, enum store_table t,
                struct view prefix)
{
    for (size_t i = 0; i < hot->cap; i++) {
        const struct store_hot_row *row = hot->at[i];

        if (row != NULL && row->t == t && row->state != STORE_HOT_CLEAN &&
            row->key.len >= prefix.len &&
            view_equal(view_make(row->key.p, prefix.len), prefix)) {
            return true;
        }
    }
    return false;
}

static void
row_free(struct store_hot_row *row, const struct mem *mem)
{
    if (row != NULL) {
        bytes_free(&row->key);
        bytes_free(&row->value);
        mem_free(mem, row, sizeof(*row));
    }
}

static enum err
grow(struct store_hot *hot, const struct mem *mem)
{
    struct store_hot more = {.cap = hot->cap == 0 ? FIRST_CAP : hot->cap * 2};

    if ((hot->len + 1) * 2 <= hot->cap) {
        return OK;
    }
    more.at = mem_calloc(mem, more.cap, sizeof(more.at[0]));
    if (more.at == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < hot->cap; i++) {
        struct store_hot_row *row = hot->at[i];

        if (row != NULL) {
            more.at[find(&more, row->t, view_of(&row->key))] = row;
            more.len++;
        }
    }
    mem_free(mem, hot->at, hot->cap * sizeof(hot->at[0]));
    *hot = more;
    return OK;
}

/* The row of a key, new ones empty. */
static enum err
row_for(struct store_hot *hot, const struct mem *mem, enum store_table t,
        struct view key, struct store_hot_row **out)
{
    enum err e;
    struct store_hot_row *row = store_hot_find(hot, t, key);
    struct store_hot_row *made = NULL;

    if (row == NULL) {
        TRY(grow(hot, mem));
        made = mem_alloc(mem, sizeof(*made));
        TRY(made == NULL ? ERR_NOMEM : OK);
        made->t = t;
        TRY(bytes_copy(mem, key, &made->key));
        hot->at[find(hot, t, key)] = made;
        hot->len++;
        row = made;
        made = NULL;
    }
    *out = row;
    e = OK;
out:
    row_free(made, mem);
    return e;
}

enum err
store_hot_set(struct store_hot *hot, const struct mem *mem, enum store_table t,
              struct view key, enum store_hot_state state,
              const uint8_t under[32], struct view value)
{
    enum err e;
    struct store_hot_row *row;
    struct bytes copy = {0};

    TRY(bytes_copy(mem, value, &copy));
    TRY(row_for(hot, mem, t, key, &row));
    bytes_free(&row->value);
    row->value = bytes_take(&copy);
    row->state = state;
    memcpy(row->under, under, sizeof(row->under));
out:
    bytes_free(&copy);
    return e;
}

static int
by_key(const void *a, const void *b)
{
    const struct store_hot_row *x = *(struct store_hot_row *const *)a;
    const struct store_hot_row *y = *(struct store_hot_row *const *)b;

    if (x->t != y->t) {
        return x->t < y->t ? -1 : 1;
    }
    return view_cmp(view_of(&x->key), view_of(&y->key));
}

/* Take the rows of a table out; what stays is placed anew. */
static enum err
take_out(struct store_hot *hot, const struct mem *mem, enum store_table t)
{
    struct store_hot rest = {.cap = hot->cap};

    rest.at = mem_calloc(mem, rest.cap, sizeof(rest.at[0]));
    if (rest.at == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < hot->cap; i++) {
        struct store_hot_row *row = hot->at[i];

        if (row != NULL && (t == STORE_T_COUNT_ || row->t == t)) {
            row_free(row, mem);
        } else if (row != NULL) {
            rest.at[find(&rest, row->t, view_of(&row->key))] = row;
            rest.len++;
        }
    }
    mem_free(mem, hot->at, hot->cap * sizeof(hot->at[0]));
    *hot = rest;
    return OK;
}

enum err
store_hot_drain(struct store_hot *hot, const struct mem *mem,
                enum store_table t,
                enum err (*each)(void *ctx, const struct store_hot_row *row),
                void *ctx)
{
    enum err e = OK;
    struct store_hot_row **rows = NULL;
    size_t held = hot->len;
    size_t n = 0;

    if (hot->len == 0) {
        return OK;
    }
    rows = mem_calloc(mem, held, sizeof(rows[0]));
    TRY(rows == NULL ? ERR_NOMEM : OK);
    for (size_t i = 0; i < hot->cap; i++) {
        if (hot->at[i] != NULL && (t == STORE_T_COUNT_ || hot->at[i]->t == t)) {
            rows[n++] = hot->at[i];
        }
    }
    qsort(rows, n, sizeof(rows[0]), by_key);
    for (size_t i = 0; i < n; i++) {
        TRY(each(ctx, rows[i]));
    }
    TRY(n == 0 ? OK : take_out(hot, mem, t));
out:
    mem_free(mem, rows, held * sizeof(rows[0]));
    return e;
}

void
store_hot_clear(struct store_hot *hot, const struct mem *mem)
{
    for (size_t i = 0; i < hot->cap; i++) {
        row_free(hot->at[i], mem);
    }
    mem_free(mem, hot->at, hot->cap * sizeof(hot->at[0]));
    *hot = (struct store_hot){0};
}
