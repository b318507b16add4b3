/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench/crowd_rows.h"

#include "proto/base/assert.h"

#include <string.h>

static int
row_cmp(const struct tool_row *row, enum fed_ns ns, struct view key)
{
    if (row->ns != ns) {
        return row->ns < ns ? -1 : 1;
    }
    return view_cmp(view_of(&row->key), key);
}

/* The first row at or above. */
static size_t
lower(const struct tool_rows *rows, enum fed_ns ns, struct view key)
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

static bool
is_at(const struct tool_rows *rows, size_t at, enum fed_ns ns, struct view key)
{
    return at < rows->len && row_cmp(&rows->at[at], ns, key) == 0;
}

static void
put(struct tool_rows *rows, enum fed_ns ns, struct view key, struct view value)
{
    size_t at = lower(rows, ns, key);

    if (!is_at(rows, at, ns, key)) {
        if (rows->len == rows->cap) {
            size_t cap = rows->cap == 0 ? 32 : rows->cap * 2;
            struct tool_row *more =
                mem_calloc(mem_heap(), cap, sizeof(more[0]));

            ASSERT(more != NULL);
            if (rows->len > 0) {
                memcpy(more, rows->at, rows->len * sizeof(more[0]));
            }
            mem_free(mem_heap(), rows->at, rows->cap * sizeof(more[0]));
            rows->at = more;
            rows->cap = cap;
        }
        memmove(&rows->at[at + 1], &rows->at[at],
                (rows->len - at) * sizeof(rows->at[0]));
        rows->at[at] = (struct tool_row){.ns = ns};
        ASSERT(bytes_copy(mem_heap(), key, &rows->at[at].key) == OK);
        rows->len++;
    }
    bytes_free(&rows->at[at].value);
    ASSERT(bytes_copy(mem_heap(), value, &rows->at[at].value) == OK);
}

static void
del(struct tool_rows *rows, enum fed_ns ns, struct view key)
{
    size_t at = lower(rows, ns, key);

    if (is_at(rows, at, ns, key)) {
        bytes_free(&rows->at[at].key);
        bytes_free(&rows->at[at].value);
        rows->len--;
        memmove(&rows->at[at], &rows->at[at + 1],
                (rows->len - at) * sizeof(rows->at[0]));
    }
}

void
tool_rows_write(struct tool_rows *rows, const struct fed_batch *batch)
{
    for (size_t i = 0; i < batch->writes_len; i++) {
        const struct fed_write *w = batch->writes[i];

        if (w->del) {
            del(rows, w->ns, view_of(&w->key));
        } else {
            put(rows, w->ns, view_of(&w->key), view_of(&w->value));
        }
    }
}

void
tool_rows_clear(struct tool_rows *rows)
{
    for (size_t i = 0; i < rows->len; i++) {
        bytes_free(&rows->at[i].key);
        bytes_free(&rows->at[i].value);
    }
    mem_free(mem_heap(), rows->at, rows->cap * sizeof(rows->at[0]));
    *rows = (struct tool_rows){0};
}

/* ------------------------------------------------------- as the core sees it
 */

static enum err
get(void *ctx, enum fed_ns ns, struct view key, const struct mem *mem,
    struct bytes *out)
{
    const struct tool_rows *rows = ctx;
    size_t at = lower(rows, ns, key);

    return is_at(rows, at, ns, key)
               ? bytes_copy(mem, view_of(&rows->at[at].value), out)
               : ERR_MISSING;
}

static enum err
next(void *ctx, enum fed_ns ns, struct view from, const struct mem *mem,
     struct bytes *key_out, struct bytes *value_out)
{
    const struct tool_rows *rows = ctx;
    size_t at = lower(rows, ns, from);
    enum err e;

    if (at == rows->len || rows->at[at].ns != ns) {
        return ERR_MISSING;
    }
    TRY(bytes_copy(mem, view_of(&rows->at[at].key), key_out));
    TRY(bytes_copy(mem, view_of(&rows->at[at].value), value_out));
out:
    return e;
}

/* Nothing that was said is kept here. */
static enum err
past(void *ctx, const struct thread_id *thread, uint64_t term, uint64_t from,
     uint64_t to, const struct mem *mem, struct fed_past *out)
{
    (void)ctx;
    (void)thread;
    (void)term;
    (void)from;
    (void)to;
    (void)mem;
    (void)out;
    return ERR_MISSING;
}

static enum err
known(void *ctx, const struct thread_id *thread, const struct message_id *id,
      uint64_t *term_out, uint64_t *seq_out)
{
    (void)ctx;
    (void)thread;
    (void)id;
    (void)term_out;
    (void)seq_out;
    return ERR_MISSING;
}

struct fed_store
tool_rows_store(struct tool_rows *rows)
{
    struct fed_store store = {
        .get = get, .next = next, .past = past, .known = known, .ctx = rows};

    return store;
}
