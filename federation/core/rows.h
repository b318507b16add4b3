/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of a namespace one after the other, through the batch:
 *
 *     struct fed_rows rows = fed_rows_of(FED_NS_PARTY, (struct view){0});
 *     while ((e = fed_rows_next(core, &rows)) == OK) {
 *         TRY(look at rows.key and rows.value);
 *     }
 *     e = fed_rows_all(e);
 * out:
 *     fed_rows_free(&rows);
 *
 * Who walks may write and delete meanwhile: each step looks anew for what lies
 * behind the record before.
 */
#ifndef FEDERATION_CORE_ROWS_H
#define FEDERATION_CORE_ROWS_H

#include "federation/core/tx.h"

struct fed_rows {
    enum fed_ns ns;
    struct view prefix; /* borrowed */
    struct fed_key at;  /* the next is the first from here on */
    struct bytes key;   /* of the record that it stands at */
    struct bytes value;
};

/* Those whose keys start with prefix, which must outlive the walk. */
struct fed_rows fed_rows_of(enum fed_ns ns, struct view prefix);
/* On to the next.  ERR_MISSING: there is none; key and value are empty */
MUST_CHECK enum err fed_rows_next(struct fed_core *core, struct fed_rows *rows);
/* The record that it stands at, to be deleted or kept. */
struct fed_key fed_rows_key(const struct fed_rows *rows);
/* What a walk ended with: that there is no other is its good end. */
enum err fed_rows_all(enum err e);
void fed_rows_free(struct fed_rows *rows);

/* All threads (fed_rec_thread), with what is changed of those in memory. */
MUST_CHECK enum err fed_rows_threads(struct fed_core *core,
                                     struct fed_rows *out);
/* The thread that it stands at.  ERR_CORRUPT */
MUST_CHECK enum err fed_rows_thread(const struct fed_rows *rows,
                                    struct thread_id *out);

#endif
