/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of messages (decisions G 34): sealed chunks lie in the storage; a
 * record says which file is on its way, up or down.  FED_APP_MOVES move side by
 * side, each with a small window; one that has had its turn makes room when
 * others wait, so that a small file is never behind a big one.  Each goes on
 * where it stopped after a lost connection or a crash.  A message
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
    TURN = 8,   /* chunks of one file while others wait */
    STALL_MS = 30000
};

static struct fed_app_key
file_key(const struct thread_id *thread, const uint8_t blob[ID])
{
    return fed_app_key(thread_id_view(thread), view_make(blob, ID));
}

struct fed_app_key
fed_app_chunk_key(struct view chunks, uint64_t index)
{
    size_t i = (size_t)index;

    return fed_app_key(view_sub(chunks, i * ID, ID), (struct view){0});
}

static uint64_t
chunks_in(const struct fed_app_rec_file *f)
{
    return f->chunks.len / ID;
}

enum err
fed_app_file_load(struct fed_app *app, const struct thread_id *thread,
                  const uint8_t blob[ID], struct fed_app_rec_file *out,
                  struct bytes *hold)
{
    struct fed_app_key key = file_key(thread, blob);

    return fed_app_load(&app->kv, FED_APP_FILE, &key, &fed_app_rec_file_shape,
                        out, hold);
}

enum err
fed_app_file_save(struct fed_app *app, const struct thread_id *thread,
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
        e = fed_app_file_save(app, thread, a.blob, &f);
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
say_open(struct fed_app *app, struct fed_app_moving *mv,
         const struct fed_app_conn *to, const struct fed_app_rec_file *f)
{
    struct proto_peer_msg m = {.type = f->up ? PROTO_PEER_BLOB_OPEN
                                             : PROTO_PEER_BLOB_WANT};
    struct proto_blob_open *o = f->up ? &m.u.blob_open : &m.u.blob_want;

    memcpy(o->thread, mv->thread.b, ID);
    memcpy(o->far, mv->far.b, ID);
    memcpy(o->blob, mv->blob, ID);
    o->size = chunks_in(f) * FED_CHUNK;
    o->chunks = f->chunks;
    return fed_app_say(app, to, &m);
}

static enum err
say_get(struct fed_app *app, struct fed_app_moving *mv,
        const struct fed_app_conn *to, const struct fed_app_rec_file *f)
{
    struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_GET};
    uint64_t left = chunks_in(f) - f->next;

    memcpy(m.u.blob_get.thread, mv->thread.b, ID);
    memcpy(m.u.blob_get.far, mv->far.b, ID);
    memcpy(m.u.blob_get.blob, mv->blob, ID);
    m.u.blob_get.first = f->next;
    m.u.blob_get.count = left < WINDOW ? left : WINDOW;
    mv->asked = f->next + m.u.blob_get.count;
    return fed_app_say(app, to, &m);
}

/* Who carried it for us need not keep it any longer. */
static enum err
say_got(struct fed_app *app, const struct fed_app_moving *mv,
        const struct fed_app_conn *to)
{
    struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_STATE};

    if (clinic_id_is_zero(&mv->far)) {
        return OK;
    }
    memcpy(m.u.blob_state.thread, mv->thread.b, ID);
    memcpy(m.u.blob_state.blob, mv->blob, ID);
    m.u.blob_state.code = PROTO_BLOB_COMPLETE;
    return fed_app_say(app, to, &m);
}

static enum err
say_chunks(struct fed_app *app, struct fed_app_moving *mv,
           const struct fed_app_conn *to, const struct fed_app_rec_file *f)
{
    enum err e = OK;
    struct bytes chunk = {0};

    while (mv->asked < chunks_in(f) && mv->asked < f->next + WINDOW) {
        struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_PUT};
        struct fed_app_key key = fed_app_chunk_key(f->chunks, mv->asked);

        bytes_free(&chunk);
        TRY(fed_app_get(&app->kv, FED_APP_CHUNK, &key, &chunk));
        memcpy(m.u.blob_put.thread, mv->thread.b, ID);
        memcpy(m.u.blob_put.blob, mv->blob, ID);
        m.u.blob_put.index = mv->asked;
        m.u.blob_put.chunk = view_of(&chunk);
        TRY(fed_app_say(app, to, &m));
        mv->asked++;
    }
out:
    bytes_free(&chunk);
    return e == ERR_MISSING ? ERR_CORRUPT : e;
}

/* -------------------------------------------------------------- what moves */

/* The slot in which this file moves, or NULL. */
static struct fed_app_moving *
slot_of(struct fed_app *app, const uint8_t thread[ID], const uint8_t blob[ID])
{
    for (size_t i = 0; i < FED_APP_MOVES; i++) {
        struct fed_app_moving *mv = &app->moves[i];

        if (mv->active && memcmp(mv->thread.b, thread, ID) == 0 &&
            memcmp(mv->blob, blob, ID) == 0) {
            return mv;
        }
    }
    return NULL;
}

/* A free slot; one that stands still is as good. */
static struct fed_app_moving *
free_slot(struct fed_app *app)
{
    uint64_t now = clock_mono_ms(app->c.clock);

    for (size_t i = 0; i < FED_APP_MOVES; i++) {
        struct fed_app_moving *mv = &app->moves[i];

        if (!mv->active || now - mv->last_ms >= STALL_MS) {
            mv->active = false;
            return mv;
        }
    }
    return NULL;
}

/*
 * The next file to move whose clinic is connected, from at on; into mv, but
 * not active yet.  ERR_MISSING
 */
static enum err
pick_from(struct fed_app *app, struct fed_app_key at, struct fed_app_moving *mv,
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
        *to =
            out->done || out->failed || slot_of(app, key.b, key.b + ID) != NULL
                ? NULL
                : peer_of(app, &thread, &mv->far);
        if (*to != NULL) {
            mv->thread = thread;
            memcpy(mv->blob, key.b + ID, ID);
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

/* In turn: behind the one that was picked last. */
static enum err
pick(struct fed_app *app, struct fed_app_moving *mv,
     struct fed_app_rec_file *out, struct bytes *hold,
     const struct fed_app_conn **to)
{
    enum err e = pick_from(app, app->picked, mv, out, hold, to);

    if (e == ERR_MISSING) {
        e = pick_from(app, (struct fed_app_key){.len = 0}, mv, out, hold, to);
    }
    if (e == OK) {
        struct fed_app_key last = file_key(&mv->thread, mv->blob);

        app->picked = fed_app_key(fed_app_key_view(&last), VIEW_LIT("\0"));
    }
    return e;
}

static enum err
start(struct fed_app *app, struct fed_app_moving *mv,
      const struct fed_app_rec_file *f, const struct fed_app_conn *to)
{
    mv->active = true;
    mv->serial = to->serial;
    mv->last_ms = clock_mono_ms(app->c.clock);
    mv->asked = f->next;
    mv->moved = 0;
    mv->there = f->next;
    return f->up || !clinic_id_is_zero(&mv->far) ? say_open(app, mv, to, f)
                                                 : say_get(app, mv, to, f);
}

enum err
fed_app_files_pump(struct fed_app *app)
{
    enum err e = OK;
    struct fed_app_rec_file f;
    struct bytes hold = {0};
    const struct fed_app_conn *to = NULL;
    struct fed_app_moving *mv;

    while ((mv = free_slot(app)) != NULL) {
        TRY(pick(app, mv, &f, &hold, &to));
        TRY(start(app, mv, &f, to));
    }
out:
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

/* It has had its turn if another could begin.  *over: it goes on later, from
   where it is then. */
static enum err
turn_over(struct fed_app *app, struct fed_app_moving *mv, bool *over)
{
    enum err e;
    struct fed_app_moving other = {.active = false};
    struct fed_app_rec_file f;
    struct bytes hold = {0};
    const struct fed_app_conn *to = NULL;

    *over = false;
    mv->moved++;
    if (mv->moved < TURN) {
        return OK;
    }
    mv->moved = 0;
    TRY(pick(app, &other, &f, &hold, &to));
    *mv = other;
    *over = true;
    TRY(start(app, mv, &f, to));
out:
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

void
fed_app_files_down(struct fed_app *app, uint64_t serial)
{
    for (size_t i = 0; i < FED_APP_MOVES; i++) {
        if (app->moves[i].serial == serial) {
            app->moves[i].active = false;
        }
    }
}

/* Whether another file of the same message is still to go. */
static enum err
more_files(struct fed_app *app, const struct thread_id *thread,
           const struct fed_app_rec_file *file, bool *out)
{
    enum err e;
    struct fed_app_key at =
        fed_app_key(thread_id_view(thread), (struct view){0});
    struct fed_app_key key;
    struct fed_app_rec_file f;
    struct bytes value = {0};

    *out = false;
    for (;;) {
        bytes_free(&value);
        TRY(fed_app_next(&app->kv, FED_APP_FILE, &at, thread_id_view(thread),
                         &key, &value));
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
finish(struct fed_app *app, struct fed_app_moving *mv,
       struct fed_app_rec_file *f, enum fed_app_file_end end)
{
    bool failed = end != FED_APP_FILE_HERE;
    enum err e;
    struct fed_app_event *ev;
    struct message_id id;
    struct fed_show failure = {.kind = FED_SHOW_STATE,
                               .code = FED_MESSAGE_FAILED};
    bool more;

    mv->active = false;
    f->done = !failed;
    f->failed = failed;
    memcpy(id.b, f->message, sizeof(id.b));
    TRY(fed_app_file_save(app, &mv->thread, mv->blob, f));
    TRY(fed_app_tell(app, FED_APP_EV_FILE, &ev));
    ev->thread = mv->thread;
    ev->message = id;
    ev->code = end;
    if (f->up && failed) {
        failure.thread = mv->thread;
        failure.message = id;
        TRY(fed_app_show_state(app, &failure));
    } else if (f->up) {
        TRY(more_files(app, &mv->thread, f, &more));
        e = more || app->core == NULL
                ? OK
                : fed_core_release(app->core, &mv->thread, &id);
        TRY(fed_app_ours(e) ? e : OK); /* gone meanwhile: nothing to release */
    }
    TRY(fed_app_files_pump(app));
out:
    return e;
}

/* The slot and record of the file that a frame is about. */
static enum err
moving(struct fed_app *app, const uint8_t thread[ID], const uint8_t blob[ID],
       struct fed_app_moving **mv, struct fed_app_rec_file *out,
       struct bytes *hold)
{
    *mv = slot_of(app, thread, blob);
    if (*mv == NULL ||
        fed_app_file_load(app, &(*mv)->thread, blob, out, hold) != OK) {
        return ERR_MISSING;
    }
    return out->done ? ERR_MISSING : OK;
}

/* The clinic has chunks up to next of what goes up. */
static enum err
go_on(struct fed_app *app, struct fed_app_moving *mv,
      const struct fed_app_conn *from, struct fed_app_rec_file *f,
      uint64_t next)
{
    enum err e;
    bool over = false;

    f->next = next;
    mv->there = next;
    mv->asked = mv->asked < next ? next : mv->asked;
    TRY(turn_over(app, mv, &over)); /* what is on its way arrives there */
    TRY(over ? OK : say_chunks(app, mv, from, f));
out:
    return e;
}

static enum err
on_state(struct fed_app *app, const struct fed_app_conn *from,
         const struct proto_blob_state *m)
{
    enum err e;
    struct fed_app_moving *mv;
    struct fed_app_rec_file f;
    struct bytes hold = {0};

    TRY(moving(app, m->thread, m->blob, &mv, &f, &hold));
    mv->last_ms = clock_mono_ms(app->c.clock);
    if (m->code == PROTO_BLOB_QUOTA || m->code == PROTO_BLOB_DENIED) {
        TRY(finish(app, mv, &f,
                   m->code == PROTO_BLOB_QUOTA ? FED_APP_FILE_QUOTA
                                               : FED_APP_FILE_DENIED));
    } else if (f.up && m->code == PROTO_BLOB_COMPLETE) {
        TRY(finish(app, mv, &f, FED_APP_FILE_HERE));
    } else if (m->code == PROTO_BLOB_COMPLETE) {
        TRY(say_get(app, mv, from, &f)); /* all of it was brought */
    } else if (f.up && m->code == PROTO_BLOB_MORE && m->next < chunks_in(&f)) {
        TRY(go_on(app, mv, from, &f, m->next));
    } else if (f.up) {
        mv->active = false; /* it forgot the upload: open again */
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
    struct fed_app_moving *mv;
    struct fed_app_rec_file f;
    struct bytes hold = {0};
    uint8_t hash[PRIM_HASH_SIZE];
    struct fed_app_key key;
    bool over = false;

    TRY(moving(app, m->thread, m->blob, &mv, &f, &hold));
    prim_sha256(m->chunk, hash);
    if (f.up || m->index != f.next ||
        memcmp(hash, f.chunks.p + m->index * ID, ID) != 0) {
        goto out; /* another one, or not what the message says */
    }
    key = fed_app_chunk_key(f.chunks, m->index);
    TRY(fed_app_put(&app->kv, FED_APP_CHUNK, &key, m->chunk));
    f.next++;
    mv->last_ms = clock_mono_ms(app->c.clock);
    if (f.next == chunks_in(&f)) {
        TRY(say_got(app, mv, from));
        TRY(finish(app, mv, &f, FED_APP_FILE_HERE));
        goto out;
    }
    TRY(fed_app_file_save(app, &mv->thread, mv->blob, &f));
    if (f.next >= mv->asked) {
        TRY(turn_over(app, mv, &over));
        TRY(over ? OK : say_get(app, mv, from, &f));
    }
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
