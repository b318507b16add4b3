/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of attachments' transfer and the queue that feeds it. */
#include "node/blobs.h"

#include "node/blobs_in.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum event_kind {
    EVENT_UP,
    EVENT_DOWN,
    EVENT_WRITABLE,
    EVENT_FRAME
};

struct event {
    enum event_kind kind;
    struct clinic_id peer;
    struct bytes frame;
    struct event *following;
};

struct node_blobs {
    struct blobs_state s; /* the thread's own */
    pthread_t thread;
    pthread_mutex_t lock; /* what follows */
    pthread_cond_t changed;
    struct event *first;
    struct event **last;
    size_t queued_bytes;
    bool kicked;
    bool stop;
};

/* Takes *take_frame, also when there is no memory: then the event is lost,
   which a later silence mends. */
static void
post(struct node_blobs *b, enum event_kind kind, const struct clinic_id *peer,
     struct bytes *take_frame)
{
    struct event *ev = mem_alloc(b->s.c.mem, sizeof(*ev));

    if (ev == NULL) {
        bytes_free(take_frame);
        return;
    }
    ev->kind = kind;
    ev->peer = *peer;
    ev->frame = bytes_take(take_frame);
    pthread_mutex_lock(&b->lock);
    b->queued_bytes += sizeof(*ev) + ev->frame.len;
    *b->last = ev;
    b->last = &ev->following;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

void
node_blobs_peer_up(struct node_blobs *b, const struct clinic_id *peer)
{
    post(b, EVENT_UP, peer, &(struct bytes){0});
}

void
node_blobs_peer_down(struct node_blobs *b, const struct clinic_id *peer)
{
    post(b, EVENT_DOWN, peer, &(struct bytes){0});
}

void
node_blobs_writable(struct node_blobs *b, const struct clinic_id *peer)
{
    post(b, EVENT_WRITABLE, peer, &(struct bytes){0});
}

void
node_blobs_kick(struct node_blobs *b)
{
    pthread_mutex_lock(&b->lock);
    b->kicked = true;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

void
node_blobs_frame(struct node_blobs *b, const struct clinic_id *peer,
                 struct view frame)
{
    struct bytes copy = {0};
    bool room;

    pthread_mutex_lock(&b->lock);
    room = b->queued_bytes + frame.len <= NODE_BLOBS_QUEUE_MAX;
    pthread_mutex_unlock(&b->lock);
    if (room && bytes_copy(b->s.c.mem, frame, &copy) == OK) {
        post(b, EVENT_FRAME, peer, &copy);
    }
}

void
node_blobs_step_up(struct blobs_state *s, const struct clinic_id *root)
{
    struct blob_peer *p = node_blobs_peer(s, root);

    node_blobs_pause(s, root); /* a new connection: what was under way is not */
    node_blobs_drop_peer(s, root);
    if (p == NULL) {
        p = mem_alloc(s->c.mem, sizeof(*p));
        if (p == NULL) {
            return;
        }
        p->root = *root;
        p->following = s->peers;
        s->peers = p;
    }
    p->blocked = false;
}

void
node_blobs_step_down(struct blobs_state *s, const struct clinic_id *root)
{
    struct blob_peer **at = &s->peers;

    node_blobs_pause(s, root);
    node_blobs_drop_peer(s, root);
    node_blobs_carry_heard(s, root, NULL);
    while (*at != NULL && !clinic_id_equal(&(*at)->root, root)) {
        at = &(*at)->following;
    }
    if (*at != NULL) {
        struct blob_peer *gone = *at;

        *at = gone->following;
        mem_free(s->c.mem, gone, sizeof(*gone));
    }
}

void
node_blobs_step_frame(struct blobs_state *s, const struct clinic_id *peer,
                      struct view frame)
{
    struct proto_peer_msg m;
    enum err e = proto_peer_decode(frame, &m);

    if (e != OK) {
        LOG(s->c.log, LOG_WARN, "node.blobs.bad_frame",
            LOG_TAG("peer", log_tag_of(clinic_id_view(peer))), LOG_ERR(e));
        return;
    }
    if (m.type == PROTO_PEER_BLOB_OPEN) {
        node_blobs_on_open(s, peer, &m.u.blob_open);
    } else if (m.type == PROTO_PEER_BLOB_STATE) {
        node_blobs_on_state(s, peer, &m.u.blob_state);
    } else if (m.type == PROTO_PEER_BLOB_GET) {
        node_blobs_on_get(s, peer, &m.u.blob_get);
    } else if (m.type == PROTO_PEER_BLOB_WANT) {
        node_blobs_on_want(s, peer, &m.u.blob_want);
    } else if (m.type == PROTO_PEER_BLOB_PUT &&
               !node_blobs_on_chunk(s, peer, &m.u.blob_put)) {
        node_blobs_on_put(s, peer, &m.u.blob_put);
    }
}

void
node_blobs_step_writable(struct blobs_state *s, const struct clinic_id *peer)
{
    struct blob_peer *p = node_blobs_peer(s, peer);

    if (p != NULL) {
        p->blocked = false;
    }
}

static void
handle(struct node_blobs *b, struct event *ev)
{
    struct blobs_state *s = &b->s;

    switch (ev->kind) {
    case EVENT_UP:
        node_blobs_step_up(s, &ev->peer);
        break;
    case EVENT_DOWN:
        node_blobs_step_down(s, &ev->peer);
        break;
    case EVENT_WRITABLE:
        node_blobs_step_writable(s, &ev->peer);
        break;
    case EVENT_FRAME:
        node_blobs_step_frame(s, &ev->peer, view_of(&ev->frame));
        break;
    }
}

static void
free_event(struct node_blobs *b, struct event *ev)
{
    bytes_free(&ev->frame);
    mem_free(b->s.c.mem, ev, sizeof(*ev));
}

/* Under the lock: the next event, or NULL after a second of silence, when
   kicked, or when it is time to stop. */
static struct event *
wait_for_event(struct node_blobs *b)
{
    struct timespec until;
    struct event *ev;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    while (b->first == NULL && !b->stop && !b->kicked) {
        if (pthread_cond_timedwait(&b->changed, &b->lock, &until) ==
            ETIMEDOUT) {
            break;
        }
    }
    ev = b->first;
    if (ev != NULL) {
        b->first = ev->following;
        b->last = b->first == NULL ? &b->first : b->last;
        b->queued_bytes -= sizeof(*ev) + ev->frame.len;
    }
    return ev;
}

void
node_blobs_step(struct blobs_state *s)
{
    node_blobs_run_serving(s);
    node_blobs_run_tasks(s);
    node_blobs_carry_sweep(s);
}

static void *
run(void *arg)
{
    struct node_blobs *b = arg;
    bool stop = false;

    while (!stop) {
        struct event *ev;
        bool kicked;

        pthread_mutex_lock(&b->lock);
        ev = wait_for_event(b);
        stop = b->stop;
        kicked = b->kicked;
        b->kicked = false;
        pthread_mutex_unlock(&b->lock);
        if (kicked && node_blobs_load(&b->s) != OK) {
            node_blobs_kick(b);
        }
        if (ev != NULL) {
            handle(b, ev);
            free_event(b, ev);
        }
        node_blobs_step(&b->s);
    }
    return NULL;
}

enum err
node_blobs_start(const struct node_blobs_config *config,
                 struct node_blobs **out)
{
    struct node_blobs *b = mem_alloc(config->mem, sizeof(*b));
    pthread_condattr_t attr;

    if (b == NULL) {
        return ERR_NOMEM;
    }
    b->s.c = *config;
    b->last = &b->first;
    b->kicked = true;
    pthread_mutex_init(&b->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&b->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&b->thread, NULL, run, b) != 0) {
        pthread_cond_destroy(&b->changed);
        pthread_mutex_destroy(&b->lock);
        mem_free(config->mem, b, sizeof(*b));
        return ERR_AGAIN;
    }
    *out = b;
    return OK;
}

void
node_blobs_step_end(struct blobs_state *s)
{
    node_blobs_free_tasks(s);
    node_blobs_drop_peer(s, NULL);
    while (s->peers != NULL) {
        struct blob_peer *gone = s->peers;

        s->peers = gone->following;
        mem_free(s->c.mem, gone, sizeof(*gone));
    }
}

void
node_blobs_stop(struct node_blobs *b)
{
    if (b == NULL) {
        return;
    }
    pthread_mutex_lock(&b->lock);
    b->stop = true;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    while (b->first != NULL) {
        struct event *ev = b->first;

        b->first = ev->following;
        free_event(b, ev);
    }
    node_blobs_step_end(&b->s);
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
    mem_free(b->s.c.mem, b, sizeof(*b));
}
