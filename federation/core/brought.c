/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row for each message and the place that brought it: thread, place, id.
 * All is in the key, so that a second time costs nothing, nor does a place that
 * two terms have.  Rows of entries that are further behind than anybody may ask
 * for at once go when new ones come.
 */
#include "federation/core/brought.h"

#include "federation/core/rows.h"
#include "federation/core/trust.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEY_LEN = 32 + 8 + 32
};

static struct fed_key
row_key(const struct thread_id *thread, uint64_t at,
        const struct message_id *id)
{
    struct fed_key key = fed_key_num(thread_id_view(thread), at);

    return fed_key_pair(fed_key_view(&key), message_id_view(id));
}

/* The place in a row's key. */
static uint64_t
place_of(const struct fed_rows *rows)
{
    return fed_key_tail(view_make(rows->key.p, KEY_LEN - 32));
}

static enum err
next_row(struct fed_core *core, struct fed_rows *rows)
{
    enum err e;

    TRY(fed_rows_next(core, rows));
    TRY(rows->key.len == KEY_LEN ? OK : ERR_CORRUPT);
out:
    return e;
}

/* Those of entries that are too far behind. */
static enum err
prune(struct fed_core *core, const struct fed_thread *t)
{
    enum err e;
    struct fed_rows rows = fed_rows_of(FED_NS_BROUGHT, thread_id_view(&t->id));

    while ((e = next_row(core, &rows)) == OK &&
           fed_place_entry(place_of(&rows)) + LIMIT_HISTORY < t->rec.seq) {
        struct fed_key key = fed_rows_key(&rows);

        TRY(fed_tx_del(core, FED_NS_BROUGHT, &key));
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

enum err
fed_brought_note(struct fed_core *core, const struct fed_thread *t, uint64_t at,
                 const struct message_id *id)
{
    enum err e;
    struct fed_key key = row_key(&t->id, at, id);

    TRY(prune(core, t));
    TRY(fed_tx_put(core, FED_NS_BROUGHT, &key, VIEW_LIT("\x01")));
out:
    return e;
}

/* The ids that entries from..to brought, one after the other. */
static enum err
gather(struct fed_core *core, const struct fed_thread *t, uint64_t from,
       uint64_t to, struct bytes *out)
{
    enum err e;
    struct fed_rows rows = fed_rows_of(FED_NS_BROUGHT, thread_id_view(&t->id));

    rows.at = fed_key_num(thread_id_view(&t->id), fed_place(from, 0));
    while ((e = next_row(core, &rows)) == OK &&
           place_of(&rows) <= fed_place_end(to)) {
        TRY(bytes_append(core->mem, out,
                         view_skip(view_of(&rows.key), KEY_LEN - 32)));
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

static int
by_id(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct message_id));
}

enum err
fed_brought_give(struct fed_core *core, struct fed_thread *t, uint64_t term,
                 uint64_t from, uint64_t to, uint64_t from_ms)
{
    enum err e;
    struct bytes ids = {0};
    struct message_id last = {{0}};
    uint64_t at_term;
    uint64_t at;

    TRY(gather(core, t, from, to, &ids));
    if (ids.len > 0) {
        qsort(ids.p, ids.len / sizeof(last), sizeof(last), by_id);
    }
    for (size_t i = 0; i < ids.len; i += sizeof(last)) {
        bool again = memcmp(ids.p + i, last.b, sizeof(last.b)) == 0;

        memcpy(last.b, ids.p + i, sizeof(last.b));
        e = fed_tx_known(core, &t->id, &last, &at_term, &at);
        if (e != OK && e != ERR_MISSING) {
            goto out;
        }
        if (again || e == ERR_MISSING || at == 0 ||
            fed_past_covers(term, from, to, at_term, at)) {
            e = OK;
            continue;
        }
        TRY(fed_past_resend_at(core, t, at_term, at, from_ms));
    }
out:
    bytes_free(&ids);
    return e;
}
