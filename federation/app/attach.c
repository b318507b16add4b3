/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a message, for people: have it fetched, read it piece by piece. */
#include "federation/app/attach.h"

#include "federation/app/inside.h"
#include "federation/core/chunk.h"
#include "proto/msg/content.h"

#include <string.h>

enum {
    ID = 32
};

/* File index of a message; views of *a point into hold. */
static enum err
file_of(struct fed_app *app, const struct thread_id *thread, uint64_t number,
        size_t index, struct proto_attachment *a, struct message_id *id,
        struct bytes *hold)
{
    enum err e;
    struct fed_app_message m;
    struct proto_list_at at = {0};

    TRY(fed_app_message(app, thread, number, &m, hold));
    TRY(m.kind == PROTO_CONTENT_TEXT ? OK : ERR_MISSING);
    for (size_t i = 0; i <= index; i++) {
        TRY(proto_list_next(&m.files, &proto_attachment_shape, &at, a)
                ? OK
                : ERR_MISSING);
    }
    *id = m.id;
out:
    return e;
}

enum err
fed_app_fetch(struct fed_app *app, const struct thread_id *thread,
              uint64_t number, size_t index)
{
    enum err e;
    struct proto_attachment a;
    struct message_id id;
    struct fed_app_rec_file f;
    struct bytes hold = {0};
    struct bytes old = {0};

    memset(&f, 0, sizeof(f));
    TRY(file_of(app, thread, number, index, &a, &id, &hold));
    TRY(a.chunks.len > 0 && a.chunks.len % ID == 0 &&
                a.chunks.len / ID == fed_chunk_count(a.size)
            ? OK
            : ERR_MISSING);
    e = fed_app_file_load(app, thread, a.blob, &f, &old);
    if (e != OK && e != ERR_MISSING) {
        goto out;
    }
    if (e == OK && f.done) {
        e = ERR_EXISTS;
        goto out;
    }
    if (f.chunks.len == 0 || f.failed) {
        f = (struct fed_app_rec_file){.chunks = a.chunks};
        memcpy(f.message, id.b, sizeof(f.message));
        TRY(fed_app_file_save(app, thread, a.blob, &f));
    }
    TRY(fed_app_files_pump(app));
out:
    mem_wipe(&a, sizeof(a));
    bytes_free(&hold);
    bytes_free(&old);
    return e;
}

enum err
fed_app_file_piece(struct fed_app *app, const struct thread_id *thread,
                   uint64_t number, size_t index, size_t i, struct bytes *out)
{
    enum err e;
    struct proto_attachment a;
    struct message_id id;
    struct hash32 hash;
    struct fed_app_key key;
    struct bytes hold = {0};
    struct bytes chunk = {0};
    struct bytes plain = {0};

    memset(&a, 0, sizeof(a));
    TRY(file_of(app, thread, number, index, &a, &id, &hold));
    TRY(i < a.chunks.len / ID && i < fed_chunk_count(a.size) ? OK
                                                             : ERR_MISSING);
    key = fed_app_chunk_key(a.chunks, i);
    TRY(fed_app_get(&app->kv, FED_APP_CHUNK, &key, &chunk));
    memcpy(hash.b, key.b, sizeof(hash.b));
    TRY(bytes_alloc(app->mem, FED_CHUNK_PLAIN, &plain));
    TRY(chunk.len == FED_CHUNK ? OK : ERR_AUTH);
    TRY(fed_chunk_open(a.key, i, &hash, view_of(&chunk), plain.p));
    bytes_truncate(&plain, fed_chunk_piece(a.size, i));
    *out = bytes_take(&plain);
out:
    mem_wipe(&a, sizeof(a));
    bytes_free(&hold);
    bytes_free(&chunk);
    bytes_free(&plain);
    return e;
}

enum err
fed_app_file(struct fed_app *app, const struct thread_id *thread,
             uint64_t number, size_t index, struct fed_app_file *out)
{
    enum err e;
    struct proto_attachment a;
    struct message_id id;
    struct fed_app_rec_file f;
    struct bytes hold = {0};
    struct bytes rec = {0};

    memset(&a, 0, sizeof(a));
    TRY(file_of(app, thread, number, index, &a, &id, &hold));
    *out = (struct fed_app_file){.pieces = a.chunks.len / ID};
    e = fed_app_file_load(app, thread, a.blob, &f, &rec);
    TRY(e == ERR_MISSING ? OK : e);
    if (rec.len > 0) {
        out->up = f.up;
        out->moved = f.done ? out->pieces : f.next;
        out->state = f.done     ? FED_APP_FILE_DONE
                     : f.failed ? FED_APP_FILE_FAILED
                                : FED_APP_FILE_MOVING;
        for (size_t i = 0; i < FED_APP_MOVES; i++) {
            const struct fed_app_moving *mv = &app->moves[i];

            if (mv->active && f.up && memcmp(mv->blob, a.blob, ID) == 0) {
                out->moved = mv->there;
            }
        }
    }
out:
    mem_wipe(&a, sizeof(a));
    bytes_free(&hold);
    bytes_free(&rec);
    return e;
}
