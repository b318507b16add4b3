/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-memory store of a simulated node: what is committed, in key order.
 */
#include "tests/sim/store.h"

#include <stdlib.h>
#include <string.h>

static int
row_cmp(const struct row *r, uint16_t ns, struct view key)
{
    size_t n = r->key.len < key.len ? r->key.len : key.len;
    int c;

    if (r->ns != ns) {
        return r->ns < ns ? -1 : 1;
    }
    c = n == 0 ? 0 : memcmp(r->key.p, key.p, n);
    return c != 0 ? c : (r->key.len > key.len) - (r->key.len < key.len);
}

size_t
rows_lower(const struct rows *rows, uint16_t ns, struct view key)
{
    size_t lo = 0;
    size_t hi = rows->len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (row_cmp(&rows->at[mid], ns, key) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

const struct row *
rows_find(const struct rows *rows, uint16_t ns, struct view key)
{
    size_t at = rows_lower(rows, ns, key);

    return at < rows->len && row_cmp(&rows->at[at], ns, key) == 0
               ? &rows->at[at]
               : NULL;
}

size_t
rows_count(const struct rows *rows, uint16_t ns)
{
    size_t n = 0;

    for (size_t at = rows_lower(rows, ns, (struct view){0});
         at < rows->len && rows->at[at].ns == ns; at++) {
        n++;
    }
    return n;
}

static void
must(enum err e)
{
    if (e != OK) {
        abort();
    }
}

void
rows_put(struct rows *rows, uint16_t ns, struct view key, struct view value)
{
    size_t at = rows_lower(rows, ns, key);

    if (at == rows->len || row_cmp(&rows->at[at], ns, key) != 0) {
        if (rows->len == rows->cap) {
            rows->cap = rows->cap == 0 ? 256 : rows->cap * 2;
            rows->at = realloc(rows->at, rows->cap * sizeof(rows->at[0]));
            if (rows->at == NULL) {
                abort();
            }
        }
        memmove(&rows->at[at + 1], &rows->at[at],
                (rows->len - at) * sizeof(rows->at[0]));
        memset(&rows->at[at], 0, sizeof(rows->at[at]));
        rows->at[at].ns = ns;
        must(bytes_copy(mem_heap(), key, &rows->at[at].key));
        rows->len++;
    }
    bytes_free(&rows->at[at].value);
    must(bytes_copy(mem_heap(), value, &rows->at[at].value));
}

void
rows_del(struct rows *rows, uint16_t ns, struct view key)
{
    size_t at = rows_lower(rows, ns, key);

    if (at == rows->len || row_cmp(&rows->at[at], ns, key) != 0) {
        return;
    }
    bytes_free(&rows->at[at].key);
    bytes_free(&rows->at[at].value);
    memmove(&rows->at[at], &rows->at[at + 1],
            (rows->len - at - 1) * sizeof(rows->at[0]));
    rows->len--;
}

void
rows_free(struct rows *rows)
{
    for (size_t i = 0; i < rows->len; i++) {
        bytes_free(&rows->at[i].key);
        bytes_free(&rows->at[i].value);
    }
    free(rows->at);
    *rows = (struct rows){0};
}

void
rows_copy(const struct rows *from, struct rows *to)
{
    rows_free(to);
    for (size_t i = 0; i < from->len; i++) {
        rows_put(to, from->at[i].ns, view_of(&from->at[i].key),
                 view_of(&from->at[i].value));
    }
}

/* ------------------------------------------------------- as the core sees it
 */

static enum err
get(void *ctx, enum fed_ns ns, struct view key, const struct mem *mem,
    struct bytes *out)
{
    const struct node *n = ctx;
    const struct row *r = rows_find(&n->rows, (uint16_t)ns, key);

    return r == NULL ? ERR_MISSING : bytes_copy(mem, view_of(&r->value), out);
}

static enum err
next(void *ctx, enum fed_ns ns, struct view from, const struct mem *mem,
     struct bytes *key_out, struct bytes *value_out)
{
    enum err e;
    const struct node *n = ctx;
    size_t at = rows_lower(&n->rows, (uint16_t)ns, from);

    if (at == n->rows.len || n->rows.at[at].ns != (uint16_t)ns) {
        return ERR_MISSING;
    }
    TRY(bytes_copy(mem, view_of(&n->rows.at[at].key), key_out));
    TRY(bytes_copy(mem, view_of(&n->rows.at[at].value), value_out));
out:
    return e;
}

static enum err
past(void *ctx, const struct thread_id *thread, uint64_t term, uint64_t from,
     uint64_t to, const struct mem *mem, struct fed_past *out)
{
    const struct node *n = ctx;
    const struct row *best = NULL;
    size_t at = rows_lower(&n->rows, WORLD_DESK, thread_id_view(thread));

    for (; !n->mute && at < n->rows.len && n->rows.at[at].ns == WORLD_DESK;
         at++) {
        const struct row *r = &n->rows.at[at];
        struct desk d;

        if (memcmp(r->key.p, thread->b, 32) != 0) {
            break;
        }
        memcpy(&d, r->value.p, sizeof(d));
        if (d.term == term && d.seq >= from && d.seq <= to &&
            (best == NULL || d.seq < out->seq)) {
            best = r;
            memcpy(out->id.b, r->key.p + 32, 32);
            out->author = d.author;
            out->seq = d.seq;
            out->ts_ms = d.ts_ms;
        }
    }
    return best == NULL
               ? ERR_MISSING
               : bytes_copy(
                     mem, view_skip(view_of(&best->value), sizeof(struct desk)),
                     &out->content);
}

static enum err
known(void *ctx, const struct thread_id *thread, const struct message_id *id,
      uint64_t *term_out, uint64_t *seq_out)
{
    const struct node *n = ctx;
    uint8_t key[64];
    const struct row *r;
    struct desk d;

    memcpy(key, thread->b, 32);
    memcpy(key + 32, id->b, 32);
    r = rows_find(&n->rows, WORLD_DESK, VIEW_ARRAY(key));
    if (r == NULL) {
        return ERR_MISSING;
    }
    memcpy(&d, r->value.p, sizeof(d));
    *term_out = d.term;
    *seq_out = d.seq;
    return OK;
}

struct fed_store
sim_store(struct node *n)
{
    struct fed_store store = {get, next, past, known, sim_intro, n};

    return store;
}
