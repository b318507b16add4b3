/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of messages (decisions G 34): sealed chunks lie in the storage; a
 * record says which file is on its way, up or down.  One file moves at a time,
 * and goes on where it stopped after a lost connection or a crash.  A message
 * goes only when its files are complete at the clinic that orders the thread
 * or, when that is reached through another one, at that one, which brings them
 * on; and what comes through it is first brought there (WANT).
 */
#include "crypto/prim/hash.h"
#include "federation/app/inside.h"
#include "federation/core/chunk.h"
#include "federation/core/rec.h"
#include "proto/msg/content.h"

#include <string.h>

enum {
    ID = 32,
    WINDOW = 2, /* chunks on their way without an answer */
    STALL_MS = 30000
};

static struct fed_app_key
file_key(const struct thread_id *thread, const uint8_t blob[ID])
{
    return fed_app_key(thread_id_view(thread), view_make(blob, ID));
}

static struct fed_app_key
chunk_key(struct view chunks, uint64_t index)
{
    size_t i = (size_t)index;

    return fed_app_key(view_sub(chunks, i * ID, ID), (struct view){0});
}

static uint64_t
chunks_in(const struct fed_app_rec_file *f)
{
    return f->chunks.len / ID;
}

static enum err
load_file(struct fed_app *app, const struct thread_id *thread,
          const uint8_t blob[ID], struct fed_app_rec_file *out,
          struct bytes *hold)
{
    struct fed_app_key key = file_key(thread, blob);

    return fed_app_load(&app->kv, FED_APP_FILE, &key, &fed_app_rec_file_shape,
                        out, hold);
}

static enum err
save_file(struct fed_app *app, const struct thread_id *thread,
          const uint8_t blob[ID], const struct fed_app_rec_file *f)
{
    struct fed_app_key key = file_key(thread, blob);

    return fed_app_save(&app->kv, FED_APP_FILE, &key, &fed_app_rec_file_shape,
                        f);
}

enum err
fed_app_files_of(struct fed_app *app, const struct thread_id *thread,
                 const struct fed_app_rec_message *m,
                 const struct proto_content *c)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_attachment a;

    if (c->kind != PROTO_CONTENT_TEXT || m->state != FED_MESSAGE_QUEUED) {
        return OK;
    }
    while (e == OK && proto_list_next(&c->u.text.attachments,
                                      &proto_attachment_shape, &at, &a)) {
        struct fed_app_rec_file f = {.up = true, .chunks = a.chunks};

        memcpy(f.message, m->id, sizeof(f.message));
        e = save_file(app, thread, a.blob, &f);
        mem_wipe(&a, sizeof(a));
    }
    return e;
}

/* ---------------------------------------------------------------- transport */

/* Who takes and gives the files of a thread, if it is connected.  far: the
   clinic that orders it, when the one connected only carries. */
static const struct fed_app_conn *
peer_of(struct fed_app *app, const struct thread_id *thread,
        struct clinic_id *far)
{
    struct fed_app_key key =
        fed_app_key(thread_id_view(thread), (struct view){0});
    struct fed_app_rec_thread t;
    struct fed_party_info info;
    struct bytes hold = {0};
    struct clinic_id hub;
    const struct fed_app_conn *conn = NULL;

    *far = (struct clinic_id){{0}};
    if (fed_app_load(&app->kv, FED_APP_THREAD, &key, &fed_app_rec_thread_shape,
                     &t, &hold) == OK) {
        memcpy(hub.b, t.hub, sizeof(hub.b));
        conn = fed_app_conn(app, &hub);
        if (conn == NULL && app->core != NULL &&
            fed_core_party(app->core, &hub, &info) == OK &&
            !clinic_id_is_zero(&info.via)) {
            *far = hub;
            conn = fed_app_conn(app, &info.via);
        }
    }
    bytes_free(&hold);
    return conn;
}

/* The file that moves, as it is: to bring it up, or to have it brought. */
static enum err
say_open(struct fed_app *app, const struct fed_app_conn *to,
         const struct fed_app_rec_file *f)
{
    struct proto_peer_msg m = {.type = f->up ? PROTO_PEER_BLOB_OPEN
                                             : PROTO_PEER_BLOB_WANT};
    struct proto_blob_open *o = f->up ? &m.u.blob_open : &m.u.blob_want;

    memcpy(o->thread, app->moving.thread.b, ID);
    memcpy(o->far, app->moving.far.b, ID);
    memcpy(o->blob, app->moving.blob, ID);
    o->size = chunks_in(f) * FED_CHUNK;
    o->chunks = f->chunks;
    return fed_app_say(app, to, &m);
}

static enum err
say_get(struct fed_app *app, const struct fed_app_conn *to,
        const struct fed_app_rec_file *f)
{
    struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_GET};
    uint64_t left = chunks_in(f) - f->next;

    memcpy(m.u.blob_get.thread, app->moving.thread.b, ID);
    memcpy(m.u.blob_get.far, app->moving.far.b, ID);
    memcpy(m.u.blob_get.blob, app->moving.blob, ID);
    m.u.blob_get.first = f->next;
    m.u.blob_get.count = left < WINDOW ? left : WINDOW;
    app->moving.asked = f->next + m.u.blob_get.count;
    return fed_app_say(app, to, &m);
}

/* Who carried it for us need not keep it any longer. */
static enum err
say_got(struct fed_app *app, const struct fed_app_conn *to)
{
    struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_STATE};

    if (clinic_id_is_zero(&app->moving.far)) {
        return OK;
    }
    memcpy(m.u.blob_state.thread, app->moving.thread.b, ID);
    memcpy(m.u.blob_state.blob, app->moving.blob, ID);
    m.u.blob_state.code = PROTO_BLOB_COMPLETE;
    return fed_app_say(app, to, &m);
}

static enum err
say_chunks(struct fed_app *app, const struct fed_app_conn *to,
           const struct fed_app_rec_file *f)
{
    enum err e = OK;
    struct bytes chunk = {0};

    while (app->moving.asked < chunks_in(f) &&
           app->moving.asked < f->next + WINDOW) {
        struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_PUT};
        struct fed_app_key key = chunk_key(f->chunks, app->moving.asked);

        bytes_free(&chunk);
        TRY(fed_app_get(&app->kv, FED_APP_CHUNK, &key, &chunk));
        memcpy(m.u.blob_put.thread, app->moving.thread.b, ID);
        memcpy(m.u.blob_put.blob, app->moving.blob, ID);
        m.u.blob_put.index = app->moving.asked;
        m.u.blob_put.chunk = view_of(&chunk);
        TRY(fed_app_say(app, to, &m));
        app->moving.asked++;
    }
out:
    bytes_free(&chunk);
    return e == ERR_MISSING ? ERR_CORRUPT : e;
}

/* -------------------------------------------------------------- what moves */

/* The next file to move whose clinic is connected, from *at on.  ERR_MISSING */
static enum err
pick_from(struct fed_app *app, struct fed_app_key at,
          struct fed_app_rec_file *out, struct bytes *hold,
          const struct fed_app_conn **to)
{
    enum err e;
    struct fed_app_key key;
    struct bytes value = {0};

    for (;;) {
        struct thread_id thread;

        bytes_free(&value);
        TRY(fed_app_next(&app->kv, FED_APP_FILE, &at, (struct view){0}, &key,
                         &value));
        TRY(key.len == 2 * ID ? OK : ERR_CORRUPT);
        TRY(fed_rec_decode(view_of(&value), &fed_app_rec_file_shape, out));
        memcpy(thread.b, key.b, ID);
        *to = out->done || out->failed
                  ? NULL
                  : peer_of(app, &thread, &app->moving.far);
        if (*to != NULL) {
            app->moving.thread = thread;
            memcpy(app->moving.blob, key.b + ID, ID);
            break;
        }
        at = fed_app_key(fed_app_key_view(&key), VIEW_LIT("\0"));
    }
    bytes_free(hold);
    *hold = bytes_take(&value);
out:
    bytes_free(&value);
    return e;
}

/* In turn: one that does not get on holds up the others once a round. */
static enum err
pick(struct fed_app *app, struct fed_app_rec_file *out, struct bytes *hold,
     const struct fed_app_conn **to)
{
    struct fed_app_key last = file_key(&app->moving.thread, app->moving.blob);
    struct fed_app_key at =
        fed_app_key(fed_app_key_view(&last), VIEW_LIT("\0"));
    enum err e = pick_from(app, at, out, hold, to);

    return e != ERR_MISSING
               ? e
               : pick_from(app, (struct fed_app_key){.len = 0}, out, hold, to);
}

enum err
fed_app_files_pump(struct fed_app *app)
{
    enum err e;
    struct fed_app_rec_file f;
    struct bytes hold = {0};
    const struct fed_app_conn *to = NULL;
    uint64_t now = clock_mono_ms(app->c.clock);

    if (app->moving.active && now - app->moving.last_ms < STALL_MS) {
        return OK;
    }
    app->moving.active = false;
    e = pick(app, &f, &hold, &to);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    app->moving.active = true;
    app->moving.serial = to->serial;
    app->moving.last_ms = now;
    app->moving.asked = f.next;
    e = f.up || !clinic_id_is_zero(&app->moving.far) ? say_open(app, to, &f)
                                                     : say_get(app, to, &f);
    bytes_free(&hold);
    return e;
}

void
fed_app_files_down(struct fed_app *app, uint64_t serial)
{
    if (app->moving.active && app->moving.serial == serial) {
        app->moving.active = false;
    }
}

/* Whether another file of the same message is still to go. */
static enum err
more_files(struct fed_app *app, const struct fed_app_rec_file *file, bool *out)
{
    enum err e;
    struct fed_app_key at =
        fed_app_key(thread_id_view(&app->moving.thread), (struct view){0});
    struct fed_app_key key;
    struct fed_app_rec_file f;
    struct bytes value = {0};

    *out = false;
    for (;;) {
        bytes_free(&value);
        TRY(fed_app_next(&app->kv, FED_APP_FILE, &at,
                         thread_id_view(&app->moving.thread), &key, &value));
        TRY(fed_rec_decode(view_of(&value), &fed_app_rec_file_shape, &f));
        if (f.up && !f.done &&
            memcmp(f.message, file->message, sizeof(f.message)) == 0) {
            *out = true;
            break;
        }
        at = fed_app_key(fed_app_key_view(&key), VIEW_LIT("\0"));
    }
out:
    bytes_free(&value);
    return e == ERR_MISSING ? OK : e;
}

/* The file that moves ended. */
static enum err
finish(struct fed_app *app, struct fed_app_rec_file *f,
       enum fed_app_file_end end)
{
    bool failed = end != FED_APP_FILE_HERE;
    enum err e;
    struct fed_app_event *ev;
    struct message_id id;
    struct fed_show failure = {.kind = FED_SHOW_STATE,
                               .code = FED_MESSAGE_FAILED};
    bool more;

    app->moving.active = false;
    f->done = !failed;
    f->failed = failed;
    memcpy(id.b, f->message, sizeof(id.b));
    TRY(save_file(app, &app->moving.thread, app->moving.blob, f));
    TRY(fed_app_tell(app, FED_APP_EV_FILE, &ev));
    ev->thread = app->moving.thread;
    ev->message = id;
    ev->code = end;
    if (f->up && failed) {
        failure.thread = app->moving.thread;
        failure.message = id;
        TRY(fed_app_show_state(app, &failure));
    } else if (f->up) {
        TRY(more_files(app, f, &more));
        e = more || app->core == NULL
                ? OK
                : fed_core_release(app->core, &app->moving.thread, &id);
        TRY(fed_app_ours(e) ? e : OK); /* gone meanwhile: nothing to release */
    }
    TRY(fed_app_files_pump(app));
out:
    return e;
}

/* The record of the file that moves, when a frame is about it. */
static enum err
moving(struct fed_app *app, const uint8_t thread[ID], const uint8_t blob[ID],
       bool up, struct fed_app_rec_file *out, struct bytes *hold)
{
    if (!app->moving.active || memcmp(app->moving.thread.b, thread, ID) != 0 ||
        memcmp(app->moving.blob, blob, ID) != 0) {
        return ERR_MISSING;
    }
    if (load_file(app, &app->moving.thread, blob, out, hold) != OK) {
        return ERR_MISSING;
    }
    return out->up == up && !out->done ? OK : ERR_MISSING;
}

static enum err
on_state(struct fed_app *app, const struct fed_app_conn *from,
         const struct proto_blob_state *m)
{
    enum err e;
    struct fed_app_rec_file f;
    struct bytes hold = {0};
    bool up = true;

    e = moving(app, m->thread, m->blob, true, &f, &hold);
    if (e == ERR_MISSING) {
        up = false;
        e = moving(app, m->thread, m->blob, false, &f, &hold);
    }
    if (e != OK) {
        goto out;
    }
    app->moving.last_ms = clock_mono_ms(app->c.clock);
    if (m->code == PROTO_BLOB_QUOTA || m->code == PROTO_BLOB_DENIED) {
        TRY(finish(app, &f,
                   m->code == PROTO_BLOB_QUOTA ? FED_APP_FILE_QUOTA
                                               : FED_APP_FILE_DENIED));
    } else if (up && m->code == PROTO_BLOB_COMPLETE) {
        TRY(finish(app, &f, FED_APP_FILE_HERE));
    } else if (m->code == PROTO_BLOB_COMPLETE) {
        TRY(say_get(app, from, &f)); /* all of it was brought */
    } else if (up && m->code == PROTO_BLOB_MORE && m->next < chunks_in(&f)) {
        f.next = m->next;
        app->moving.asked =
            app->moving.asked < f.next ? f.next : app->moving.asked;
        TRY(say_chunks(app, from, &f));
    } else if (up) {
        app->moving.active = false; /* it forgot the upload: open again */
        TRY(fed_app_files_pump(app));
    }
    /* down and not there yet: told when it is, or asked again after a while */
out:
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

static enum err
on_chunk(struct fed_app *app, const struct fed_app_conn *from,
         const struct proto_blob_put *m)
{
    enum err e;
    struct fed_app_rec_file f;
    struct bytes hold = {0};
    uint8_t hash[PRIM_HASH_SIZE];
    struct fed_app_key key;

    TRY(moving(app, m->thread, m->blob, false, &f, &hold));
    prim_sha256(m->chunk, hash);
    if (m->index != f.next ||
        memcmp(hash, f.chunks.p + m->index * ID, ID) != 0) {
        goto out; /* another one, or not what the message says */
    }
    key = chunk_key(f.chunks, m->index);
    TRY(fed_app_put(&app->kv, FED_APP_CHUNK, &key, m->chunk));
    f.next++;
    app->moving.last_ms = clock_mono_ms(app->c.clock);
    if (f.next == chunks_in(&f)) {
        TRY(say_got(app, from));
        TRY(finish(app, &f, FED_APP_FILE_HERE));
        goto out;
    }
    TRY(save_file(app, &app->moving.thread, app->moving.blob, &f));
    TRY(f.next >= app->moving.asked ? say_get(app, from, &f) : OK);
out:
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_app_files_frame(struct fed_app *app, const struct fed_app_conn *from,
                    struct view frame)
{
    struct proto_peer_msg m;

    if (proto_peer_decode(frame, &m) != OK) {
        return OK; /* theirs; nothing comes of it */
    }
    if (m.type == PROTO_PEER_BLOB_STATE) {
        return on_state(app, from, &m.u.blob_state);
    }
    if (m.type == PROTO_PEER_BLOB_PUT) {
        return on_chunk(app, from, &m.u.blob_put);
    }
    return OK;
}

enum err
fed_app_files_left(struct fed_app *app, uint32_t *out)
{
    enum err e;
    struct fed_app_key at = {.len = 0};
    struct fed_app_key key;
    struct fed_app_rec_file f;
    struct bytes value = {0};

    *out = 0;
    for (;;) {
        bytes_free(&value);
        TRY(fed_app_next(&app->kv, FED_APP_FILE, &at, (struct view){0}, &key,
                         &value));
        TRY(fed_rec_decode(view_of(&value), &fed_app_rec_file_shape, &f));
        *out += !f.done && !f.failed ? 1 : 0;
        at = fed_app_key(fed_app_key_view(&key), VIEW_LIT("\0"));
    }
out:
    bytes_free(&value);
    return e == ERR_MISSING ? OK : e;
}

/* --------------------------------------------------------------- for people */

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
    e = load_file(app, thread, a.blob, &f, &old);
    TRY(e == ERR_MISSING ? OK : e);
    if (e == OK && f.done) {
        e = ERR_EXISTS;
        goto out;
    }
    if (f.chunks.len == 0 || f.failed) {
        f = (struct fed_app_rec_file){.chunks = a.chunks};
        memcpy(f.message, id.b, sizeof(f.message));
        TRY(save_file(app, thread, a.blob, &f));
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
    key = chunk_key(a.chunks, i);
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
