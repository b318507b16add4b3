/* SPDX-License-Identifier: Apache-2.0 */
/* A walk through the records of a namespace. */
#include "federation/core/rows.h"

#include "federation/core/inside.h"

struct fed_rows
fed_rows_of(enum fed_ns ns, struct view prefix)
{
    return (struct fed_rows){
        .ns = ns, .prefix = prefix, .at = fed_key_of(prefix)};
}

enum err
fed_rows_next(struct fed_core *core, struct fed_rows *rows)
{
    enum err e;

    fed_rows_free(rows);
    TRY(fed_tx_next(core, rows->ns, &rows->at, rows->prefix, &rows->key,
                    &rows->value));
    rows->at = fed_rows_key(rows);
    rows->at.b[rows->at.len++] = 0; /* the least key behind it */
out:
    return e;
}

struct fed_key
fed_rows_key(const struct fed_rows *rows)
{
    return fed_key_of(view_of(&rows->key));
}

enum err
fed_rows_all(enum err e)
{
    return e == ERR_MISSING ? OK : e;
}

void
fed_rows_free(struct fed_rows *rows)
{
    bytes_free(&rows->key);
    bytes_free(&rows->value);
}

enum err
fed_rows_threads(struct fed_core *core, struct fed_rows *out)
{
    enum err e = OK;

    *out = fed_rows_of(FED_NS_THREAD, (struct view){0});
    for (size_t i = 0; i < core->threads_len; i++) {
        TRY(core->threads[i]->dirty ? fed_thread_save(core, core->threads[i])
                                    : OK);
    }
out:
    return e;
}

enum err
fed_rows_thread(const struct fed_rows *rows, struct thread_id *out)
{
    return thread_id_from(view_of(&rows->key), out) == OK ? OK : ERR_CORRUPT;
}

enum err
fed_core_thread_next(struct fed_core *core, const struct thread_id *after,
                     struct thread_id *out)
{
    enum err e;
    struct fed_rows rows = fed_rows_of(FED_NS_THREAD, (struct view){0});

    if (after != NULL) {
        rows.at = fed_key_of(thread_id_view(after));
        rows.at.b[rows.at.len++] = 0;
    }
    TRY(fed_rows_next(core, &rows));
    TRY(fed_rows_thread(&rows, out));
out:
    fed_rows_free(&rows);
    return e;
}
