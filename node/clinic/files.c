/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of messages (decisions G 34).  A message goes only when its files are
 * complete at the thread's hub; what waits for what is a record of its own, so
 * that it goes on after a restart.
 */
#include "node/blobs.h"
#include "node/clinic/desk.h"
#include "node/clinic/event.h"
#include "node/ns.h"
#include "proto/base/limits.h"
#include "store/blob.h"
#include "store/fed.h"
#include "store/msg.h"

#include <string.h>

enum {
    ID = 32,
    HELD_KEY = 2 * ID
};

enum err
node_desk_hub(struct store_txn *txn, const struct fed_show *show)
{
    return store_fed_put(txn, NODE_NS_HUB, thread_id_view(&show->thread),
                         clinic_id_view(&show->peer));
}

static enum err
hub_of(struct store_txn *txn, const struct thread_id *thread,
       struct clinic_id *out)
{
    enum err e;
    struct bytes b = {0};

    TRY(store_fed_get(txn, NODE_NS_HUB, thread_id_view(thread), &b));
    TRY(clinic_id_from(view_of(&b), out));
out:
    bytes_free(&b);
    return e;
}

static void
held_key(const struct thread_id *thread, const struct hash32 *blob,
         uint8_t out[HELD_KEY])
{
    memcpy(out, thread->b, ID);
    memcpy(out + ID, blob->b, ID);
}

static enum err
add_task(struct store_txn *txn, const struct node_blob_task *task,
         struct view chunks)
{
    struct hash32 hashes[LIMIT_BLOB_CHUNKS];
    size_t n = chunks.len / ID;

    if (n == 0 || n > LIMIT_BLOB_CHUNKS || chunks.len % ID != 0) {
        return ERR_FORMAT;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(hashes[i].b, chunks.p + i * ID, ID);
    }
    return node_blobs_add(txn, task, hashes, n);
}

/* Write: what one file needs. */
static enum err
one_file(struct store_txn *txn, struct node_desk *desk,
         const struct fed_show *show, const struct proto_attachment *a,
         struct view ref)
{
    enum err e;
    struct node_blob_task task = {.thread = show->thread};
    bool ours = memcmp(show->author.b, desk->self.b, ID) == 0;
    uint8_t key[HELD_KEY];

    memcpy(task.blob.b, a->blob, sizeof(task.blob.b));
    TRY(hub_of(txn, &show->thread, &task.peer));
    if (clinic_id_equal(&task.peer, &desk->self)) {
        TRY(node_blobs_grant(txn, &show->thread, &task.blob));
    } else {
        task.dir = ours ? NODE_BLOB_UP : NODE_BLOB_DOWN;
        TRY(add_task(txn, &task, a->chunks));
        desk->files = true;
    }
    if (task.dir == NODE_BLOB_UP) {
        held_key(&show->thread, &task.blob, key);
        TRY(store_fed_put(txn, NODE_NS_HELD, VIEW_ARRAY(key),
                          message_id_view(&show->message)));
    }
    TRY(store_blob_ref(txn, &task.blob, ref));
out:
    return e;
}

enum err
node_desk_files(struct store_txn *txn, struct node_desk *desk,
                const struct fed_show *show, const struct proto_text *text,
                struct view ref)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_attachment a;

    while (e == OK && proto_list_next(&text->attachments,
                                      &proto_attachment_shape, &at, &a)) {
        e = one_file(txn, desk, show, &a, ref);
        if (e == ERR_MISSING || e == ERR_FORMAT || e == ERR_LIMIT ||
            e == ERR_INVALID) {
            e = OK; /* the file cannot come; the message is shown all the same
                     */
        }
        mem_wipe(&a, sizeof(a));
    }
    return e;
}

/* Whether another file of the same message is still on its way. */
struct others {
    const struct message_id *message;
    struct view key; /* this file's own */
    bool any;
};

static enum err
each_held(void *ctx, struct view key, struct view value)
{
    struct others *o = ctx;

    o->any = o->any || (view_equal(value, message_id_view(o->message)) &&
                        !view_equal(key, o->key));
    return OK;
}

enum err
node_desk_file_held(struct store_txn *txn, const struct thread_id *thread,
                    const struct hash32 *blob, struct message_id *message,
                    bool *ready)
{
    enum err e;
    struct bytes b = {0};
    uint8_t key[HELD_KEY];
    struct others others = {message, VIEW_ARRAY(key), false};

    held_key(thread, blob, key);
    TRY(store_fed_get(txn, NODE_NS_HELD, VIEW_ARRAY(key), &b));
    TRY(message_id_from(view_of(&b), message));
    TRY(store_fed_scan(txn, NODE_NS_HELD, thread_id_view(thread),
                       (struct view){0}, STORE_UP, UINT32_MAX, each_held,
                       &others));
    *ready = !others.any;
out:
    bytes_free(&b);
    return e;
}

enum err
node_desk_file_up(struct store_txn *txn, const struct thread_id *thread,
                  const struct hash32 *blob)
{
    uint8_t key[HELD_KEY];

    held_key(thread, blob, key);
    return store_fed_del(txn, NODE_NS_HELD, VIEW_ARRAY(key));
}

enum err
node_desk_file_failed(struct store_txn *txn, const struct thread_id *thread,
                      const struct hash32 *blob)
{
    enum err e;
    struct store_msg m = {0};
    struct message_id id;
    struct conv_id conv;
    bool ready;

    TRY(node_desk_file_held(txn, thread, blob, &id, &ready));
    TRY(node_desk_file_up(txn, thread, blob));
    TRY(store_conv_by_thread(txn, thread, &conv));
    TRY(store_msg_find(txn, &conv, &id, &m));
    m.state = STORE_MSG_FAILED;
    TRY(store_msg_update(txn, &m));
    TRY(node_desk_waits_no_more(txn, &conv, m.seq));
    TRY(node_desk_event(txn, NODE_EVENT_STATE, conv_id_view(&conv), m.seq));
out:
    store_msg_clear(&m);
    return e;
}

/* ------------------------------------------------------------ after a start */

struct waiting {
    const struct mem *mem;
    struct bytes keys;
};

static enum err
each_waiting(void *ctx, struct view key, struct view value)
{
    struct waiting *w = ctx;

    (void)value;
    return key.len == HELD_KEY ? bytes_append(w->mem, &w->keys, key)
                               : ERR_CORRUPT;
}

static enum err
task_again(struct store_txn *txn, struct view key)
{
    enum err e;
    struct node_blob_task task = {.dir = NODE_BLOB_UP};
    struct store_blob blob = {0};

    memcpy(task.thread.b, key.p, ID);
    memcpy(task.blob.b, key.p + ID, ID);
    TRY(hub_of(txn, &task.thread, &task.peer));
    TRY(store_blob_get(txn, &task.blob, &blob));
    TRY(node_blobs_add(txn, &task, blob.chunks, blob.chunks_len));
out:
    store_blob_clear(&blob);
    return e == ERR_MISSING ? OK : e;
}

enum err
node_desk_files_again(struct store_txn *txn, const struct mem *mem)
{
    enum err e;
    struct waiting w = {.mem = mem};

    TRY(store_fed_scan(txn, NODE_NS_HELD, (struct view){0}, (struct view){0},
                       STORE_UP, UINT32_MAX, each_waiting, &w));
    for (size_t at = 0; at + HELD_KEY <= w.keys.len; at += HELD_KEY) {
        TRY(task_again(txn, view_sub(view_of(&w.keys), at, HELD_KEY)));
    }
out:
    bytes_free(&w.keys);
    return e;
}
