/* SPDX-License-Identifier: Apache-2.0 */
/* Our own transfers: up to a hub, down from a hub. */
#include "node/blobs_in.h"
#include "node/ns.h"
#include "store/fed.h"
#include "store/writer.h"

#include <string.h>

enum {
    KEY = 1 + 32 + 32,
    VALUE = 32 + 32
};

static void
task_key(const struct node_blob_task *t, uint8_t key[KEY])
{
    key[0] = (uint8_t)t->dir;
    memcpy(key + 1, t->thread.b, 32);
    memcpy(key + 33, t->blob.b, 32);
}

enum err
node_blobs_grant(struct store_txn *txn, const struct thread_id *thread,
                 const struct hash32 *blob)
{
    uint8_t key[64];

    memcpy(key, thread->b, 32);
    memcpy(key + 32, blob->b, 32);
    return store_fed_put(txn, NODE_NS_BLOB_GRANT, VIEW_ARRAY(key),
                         VIEW_LIT("\1"));
}

static enum err
put_task(struct store_txn *txn, const struct node_blob_task *task)
{
    uint8_t key[KEY];
    uint8_t value[VALUE];

    task_key(task, key);
    memcpy(value, task->peer.b, 32);
    memcpy(value + 32, task->patient.b, 32);
    return store_fed_put(txn, NODE_NS_BLOB_TASK, VIEW_ARRAY(key),
                         VIEW_ARRAY(value));
}

enum err
node_blobs_add(struct store_txn *txn, const struct node_blob_task *task,
               const struct hash32 *chunks, size_t n)
{
    struct hash32 id;
    enum err e;

    if (task->dir == NODE_BLOB_DOWN) {
        TRY(store_blob_put(txn, (uint64_t)n * STORE_BLOB_CHUNK, chunks, n,
                           &id));
        TRY(hash32_equal(&id, &task->blob) ? OK : ERR_INVALID);
    }
    TRY(node_blobs_grant(txn, &task->thread, &task->blob));
    TRY(put_task(txn, task));
out:
    return e;
}

enum err
node_blobs_task_if_none(struct store_txn *txn,
                        const struct node_blob_task *task)
{
    struct bytes known = {0};
    uint8_t key[KEY];
    enum err e;

    task_key(task, key);
    e = store_fed_get(txn, NODE_NS_BLOB_TASK, VIEW_ARRAY(key), &known);
    bytes_free(&known);
    return e == ERR_MISSING ? put_task(txn, task) : e;
}

enum err
node_blobs_task_del(struct store_txn *txn, const struct node_blob_task *task)
{
    uint8_t key[KEY];
    enum err e;

    task_key(task, key);
    e = store_fed_del(txn, NODE_NS_BLOB_TASK, VIEW_ARRAY(key));
    return e == ERR_MISSING ? OK : e;
}

static bool
same_task(const struct node_blob_task *a, const struct node_blob_task *b)
{
    return a->dir == b->dir && thread_id_equal(&a->thread, &b->thread) &&
           hash32_equal(&a->blob, &b->blob);
}

static enum err
load_one(void *ctx, struct view key, struct view value)
{
    struct blobs_state *s = ctx;
    struct node_blob_task t = {.dir = NODE_BLOB_UP};
    struct blob_task **at = &s->tasks;

    if (key.len != KEY || value.len != VALUE) {
        return ERR_CORRUPT;
    }
    memcpy(t.peer.b, value.p, 32);
    memcpy(t.patient.b, value.p + 32, 32);
    t.dir = key.p[0] == NODE_BLOB_UP ? NODE_BLOB_UP : NODE_BLOB_DOWN;
    memcpy(t.thread.b, key.p + 1, 32);
    memcpy(t.blob.b, key.p + 33, 32);
    for (; *at != NULL; at = &(*at)->following) {
        if (same_task(&(*at)->t, &t)) {
            (*at)->t = t; /* it may have become our own */
            return OK;
        }
    }
    *at = mem_alloc(s->c.mem, sizeof(**at));
    if (*at == NULL) {
        return ERR_NOMEM;
    }
    (*at)->t = t;
    return OK;
}

enum err
node_blobs_load(struct blobs_state *s)
{
    struct store_txn *txn = NULL;
    enum err e;

    TRY(store_read_begin(s->c.store, &txn));
    TRY(store_fed_scan(txn, NODE_NS_BLOB_TASK, (struct view){0},
                       (struct view){0}, STORE_UP, UINT32_MAX, load_one, s));
out:
    store_read_end(txn);
    return e;
}

static void
free_task(struct blobs_state *s, struct blob_task **at)
{
    struct blob_task *gone = *at;

    *at = gone->following;
    store_blob_clear(&gone->blob);
    mem_free(s->c.mem, gone, sizeof(*gone));
}

void
node_blobs_free_tasks(struct blobs_state *s)
{
    while (s->tasks != NULL) {
        free_task(s, &s->tasks);
    }
}

static enum err
forget(void *ctx, struct store_txn *txn)
{
    return node_blobs_task_del(txn, ctx);
}

/* The task ended as result says. */
static void
finish(struct blobs_state *s, struct blob_task *task, enum err result)
{
    struct node_blob_task t = task->t;
    struct blob_task **at = &s->tasks;
    enum err e = store_write(s->c.store, forget, &t, STORE_JOB_FREES);

    if (e != OK) {
        /* It is found again after a restart, and ends again. */
        LOG(s->c.log, LOG_ERROR, "node.blobs.task_not_forgotten", LOG_ERR(e));
    }
    while (*at != task) {
        at = &(*at)->following;
    }
    free_task(s, at);
    if (clinic_id_is_zero(&t.patient)) {
        s->c.on_done(s->c.ctx, &t, result);
    }
    node_blobs_carry_done(s, &t, result);
}

static enum err
load_blob(struct blobs_state *s, const struct hash32 *id,
          struct store_blob *out)
{
    struct store_txn *txn = NULL;
    enum err e;

    TRY(store_read_begin(s->c.store, &txn));
    TRY(store_blob_get(txn, id, out));
out:
    store_read_end(txn);
    return e;
}

static enum err
say_get(struct blobs_state *s, struct blob_task *task)
{
    struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_GET};
    size_t left = task->blob.chunks_len - task->next;
    enum err e;

    memcpy(m.u.blob_get.thread, task->t.thread.b, 32);
    memcpy(m.u.blob_get.far, task->t.patient.b, 32);
    memcpy(m.u.blob_get.blob, task->t.blob.b, 32);
    m.u.blob_get.first = task->next;
    m.u.blob_get.count = left < NODE_BLOBS_WINDOW ? left : NODE_BLOBS_WINDOW;
    TRY(node_blobs_say(s, &task->t.peer, &m));
    task->asked = task->next + m.u.blob_get.count;
out:
    return e;
}

/* Begin, or begin again after a silence.  True when the task has ended. */
static bool
begin(struct blobs_state *s, struct blob_task *task)
{
    enum err e = OK;

    if (task->blob.chunks == NULL) {
        e = load_blob(s, &task->t.blob, &task->blob);
    }
    if (e == ERR_MISSING || e == ERR_CORRUPT) {
        finish(s, task, e);
        return true;
    }
    task->last_ms = clock_mono_ms(s->c.clock);
    if (e == OK && task->t.dir == NODE_BLOB_UP) {
        task->going = false;
        task->asked = task->next;
        e = node_blobs_say_open(s, &task->t.peer, &task->t.thread,
                                &task->t.patient, &task->blob);
    } else if (e == OK) {
        task->next = store_blob_missing(s->c.store, &task->blob, 0);
        if (task->next == task->blob.chunks_len) {
            finish(s, task, OK);
            return true;
        }
        e = say_get(s, task);
    }
    task->active = e == OK;
    return false;
}

/* Send what the window has room for. */
static void
push_up(struct blobs_state *s, struct blob_task *task)
{
    while (task->asked < task->blob.chunks_len &&
           task->asked < task->next + NODE_BLOBS_WINDOW) {
        enum err e = node_blobs_say_chunk(s, &task->t.peer, &task->t.thread,
                                          &task->blob, task->asked);

        if (e != OK) {
            if (e != ERR_AGAIN && e != ERR_MISSING) {
                LOG(s->c.log, LOG_ERROR, "node.blobs.chunk_unreadable",
                    LOG_ERR(e));
            }
            return;
        }
        task->asked++;
    }
}

static size_t
active_with(const struct blobs_state *s, const struct clinic_id *peer)
{
    size_t n = 0;

    for (const struct blob_task *t = s->tasks; t != NULL; t = t->following) {
        n += t->active && clinic_id_equal(&t->t.peer, peer);
    }
    return n;
}

void
node_blobs_run_tasks(struct blobs_state *s)
{
    uint64_t now = clock_mono_ms(s->c.clock);
    struct blob_task *following;

    for (struct blob_task *t = s->tasks; t != NULL; t = following) {
        struct blob_peer *p = node_blobs_peer(s, &t->t.peer);

        following = t->following;
        if (p == NULL || p->blocked) {
            continue;
        }
        if (!t->active && active_with(s, &t->t.peer) < NODE_BLOBS_ACTIVE) {
            (void)begin(s, t);
        } else if (t->active && now - t->last_ms >= NODE_BLOBS_STALL_MS) {
            (void)begin(s, t);
        } else if (t->going) {
            push_up(s, t);
        }
    }
}

void
node_blobs_pause(struct blobs_state *s, const struct clinic_id *peer)
{
    for (struct blob_task *t = s->tasks; t != NULL; t = t->following) {
        if (clinic_id_equal(&t->t.peer, peer)) {
            t->active = false;
            t->going = false;
        }
    }
}

static struct blob_task *
active_task(struct blobs_state *s, enum node_blob_dir dir,
            const struct clinic_id *peer, const uint8_t thread[32],
            const uint8_t blob[32])
{
    struct node_blob_task t = {.dir = dir};
    struct blob_task *task = s->tasks;

    memcpy(t.thread.b, thread, 32);
    memcpy(t.blob.b, blob, 32);
    while (task != NULL && !(task->active && same_task(&task->t, &t) &&
                             clinic_id_equal(&task->t.peer, peer))) {
        task = task->following;
    }
    return task;
}

static void
on_state_up(struct blobs_state *s, struct blob_task *task,
            const struct proto_blob_state *m)
{
    switch (m->code) {
    case PROTO_BLOB_MORE:
        if (m->next < task->blob.chunks_len) {
            task->going = true;
            task->next = (size_t)m->next;
            task->asked = task->asked < task->next ? task->next : task->asked;
            task->last_ms = clock_mono_ms(s->c.clock);
            push_up(s, task);
        }
        break;
    case PROTO_BLOB_COMPLETE:
        finish(s, task, OK);
        break;
    case PROTO_BLOB_QUOTA:
        finish(s, task, ERR_LIMIT);
        break;
    case PROTO_BLOB_UNKNOWN: /* it forgot the upload: say again what it is */
        task->active = false;
        task->going = false;
        break;
    case PROTO_BLOB_DENIED:
        finish(s, task, ERR_DENIED);
        break;
    default:
        break;
    }
}

void
node_blobs_on_state(struct blobs_state *s, const struct clinic_id *peer,
                    const struct proto_blob_state *m)
{
    struct blob_task *task =
        active_task(s, NODE_BLOB_UP, peer, m->thread, m->blob);

    if (task != NULL) {
        on_state_up(s, task, m);
        return;
    }
    task = active_task(s, NODE_BLOB_DOWN, peer, m->thread, m->blob);
    if (task != NULL && m->code == PROTO_BLOB_DENIED) {
        finish(s, task, ERR_DENIED);
    } else if (task == NULL) {
        node_blobs_carry_heard(s, peer, m);
        node_blobs_carry_got(s, peer, m);
    }
    /* UNKNOWN: not complete there yet; asked again after a silence */
}

bool
node_blobs_on_chunk(struct blobs_state *s, const struct clinic_id *peer,
                    const struct proto_blob_put *m)
{
    struct blob_task *task =
        active_task(s, NODE_BLOB_DOWN, peer, m->thread, m->blob);
    enum err e;

    if (task == NULL) {
        return false;
    }
    if (m->index >= task->blob.chunks_len) {
        return true;
    }
    e = store_chunk_write(s->c.store, &task->blob.chunks[m->index], m->chunk);
    if (e != OK) {
        LOG(s->c.log, LOG_WARN, "node.blobs.chunk_refused",
            LOG_TAG("peer", log_tag_of(clinic_id_view(peer))), LOG_ERR(e));
        return true;
    }
    task->last_ms = clock_mono_ms(s->c.clock);
    task->next = store_blob_missing(s->c.store, &task->blob, task->next);
    if (task->next == task->blob.chunks_len) {
        finish(s, task, OK);
    } else if (task->next >= task->asked) {
        task->active = say_get(s, task) == OK;
    }
    return true;
}
