/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/native/run.h"

#include "crypto/ident/cert.h"
#include "federation/app/before.h"
#include "federation/native/run_impl.h"
#include "proto/msg/peer.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* -------------------------------------------------------------------- queue */

void
fed_run_push(struct fed_run *r, struct fed_run_ev *take_ev)
{
    (void)pthread_mutex_lock(&r->mx);
    *(r->last == NULL ? &r->first : &r->last->next) = take_ev;
    r->last = take_ev;
    r->queued += take_ev->frame.len;
    (void)pthread_cond_signal(&r->wake);
    (void)pthread_mutex_unlock(&r->mx);
}

static struct fed_run_ev *
pop(struct fed_run *r)
{
    struct fed_run_ev *ev;

    (void)pthread_mutex_lock(&r->mx);
    ev = r->first;
    if (ev != NULL) {
        r->first = ev->next;
        r->last = r->first == NULL ? NULL : r->last;
        r->queued -= ev->frame.len;
    }
    (void)pthread_mutex_unlock(&r->mx);
    return ev;
}

static void
free_ev(struct fed_run *r, struct fed_run_ev *ev)
{
    bytes_free(&ev->frame);
    mem_free(r->mem, ev, sizeof(*ev));
}

static void
drop_queue(struct fed_run *r)
{
    struct fed_run_ev *ev;

    while ((ev = pop(r)) != NULL) {
        free_ev(r, ev);
    }
}

/* -------------------------------------------------------------------- wanted
 */

/* Clinics to be connected with, and how the last attempt went. */
static struct fed_run_want *
want_of(struct fed_run *r, const struct clinic_id *clinic, bool make)
{
    struct fed_run_want *free_one = NULL;

    for (size_t i = 0; i < FED_RUN_WANTS; i++) {
        struct fed_run_want *w = &r->wants[i];

        if (w->used && clinic_id_equal(&w->clinic, clinic)) {
            return w;
        }
        free_one = w->used || free_one != NULL ? free_one : w;
    }
    if (!make || free_one == NULL) {
        return NULL;
    }
    *free_one = (struct fed_run_want){.used = true, .clinic = *clinic};
    return free_one;
}

static void
dial(struct fed_run *r, struct fed_run_want *w)
{
    struct view in = view_of(&w->addrs);
    struct fed_addr addrs[FED_DIAL_ADDRS];
    struct proto_addr a;
    size_t n = 0;
    enum err e = OK;

    while (r->net != NULL && n < FED_DIAL_ADDRS && in.len > 0 &&
           proto_addr_take(&in, &a) == OK) {
        if (!a.via && fed_run_addr(&a, &addrs[n]) == OK) {
            n++;
        }
    }
    if (n > 0) {
        e = fed_net_dial(r->net, &w->clinic, addrs, n);
    }
    if (e != OK) {
        LOG(r->log, LOG_ERROR, "fed.run.not_dialled", LOG_ERR(e));
    }
}

static void
net_want(void *ctx, const struct clinic_id *clinic, struct view addrs)
{
    struct fed_run *r = ctx;
    struct fed_run_want *w = want_of(r, clinic, true);

    if (w == NULL) {
        return;
    }
    bytes_free(&w->addrs);
    if (bytes_copy(r->mem, addrs, &w->addrs) == OK) {
        dial(r, w);
    }
}

static void
net_unwant(void *ctx, const struct clinic_id *clinic)
{
    struct fed_run *r = ctx;
    struct fed_run_want *w = want_of(r, clinic, false);

    if (w != NULL) {
        bytes_free(&w->addrs);
        w->used = false;
    }
    if (r->net != NULL) {
        fed_net_undial(r->net, clinic);
    }
}

/* ------------------------------------------------------------------ sending */

static void
net_send(void *ctx, const struct clinic_id *clinic, uint64_t serial,
         struct view frame)
{
    struct fed_run *r = ctx;
    struct fed_peer peer = {*clinic, serial};
    struct bytes copy = {0};
    enum err e = ERR_MISSING;

    if (r->net != NULL) {
        e = bytes_copy(r->mem, frame, &copy);
    }
    if (e == OK) {
        e = fed_run_send(r, &peer, &copy);
    }
    if (e == ERR_NOMEM) {
        fed_net_close(r->net, &peer); /* said again with the next one */
    }
    bytes_free(&copy);
}

static void
net_known(void *ctx, const struct clinic_id *clinic, uint64_t serial)
{
    struct fed_run *r = ctx;
    struct fed_peer peer = {*clinic, serial};

    if (r->net != NULL) {
        fed_net_known(r->net, &peer);
    }
}

static void
net_close(void *ctx, const struct clinic_id *clinic, uint64_t serial)
{
    struct fed_run *r = ctx;
    struct fed_peer peer = {*clinic, serial};

    if (r->net != NULL) {
        fed_net_close(r->net, &peer);
    }
}

/* --------------------------------------------------------------------- life */

static void
event(void *ctx, const struct fed_app_event *ev)
{
    struct fed_run *r = ctx;

    if (ev->kind == FED_APP_EV_TROUBLE && ev->code == FED_APP_TROUBLE_COPY) {
        r->superseded = true;
    }
    if (r->event != NULL) {
        r->event(r->event_ctx, ev);
    }
}

enum err
fed_run_open(const struct fed_run_config *config, struct fed_run **out)
{
    enum err e;
    struct fed_run *r = mem_alloc(config->folder.mem, sizeof(*r));
    struct fed_app_config c = {
        .mem = config->folder.mem,
        .rng = config->folder.rng,
        .clock = config->folder.clock,
        .log = config->folder.log,
        .net = {net_want, net_unwant, net_send, net_known, net_close, r},
        .event = event,
        .event_ctx = r,
    };
    pthread_condattr_t attr;

    if (r == NULL) {
        return ERR_NOMEM;
    }
    r->mem = c.mem;
    r->log = c.log;
    r->clock = c.clock;
    r->rng = c.rng;
    r->io = config->io;
    r->tuning = config->tuning;
    r->event = config->event;
    r->event_ctx = config->event_ctx;
    (void)pthread_mutex_init(&r->mx, NULL);
    (void)pthread_mutex_init(&r->late_mx, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&r->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    TRY(fed_folder_open(&config->folder, config->create, &r->folder));
    c.store = fed_folder_store(r->folder);
    TRY(fed_app_open(&c, &r->app));
    fed_folder_tell(r->folder, r->app);
    *out = r;
    r = NULL;
out:
    fed_run_close(r);
    return e;
}

void
fed_run_close(struct fed_run *r)
{
    if (r == NULL) {
        return;
    }
    fed_run_net_stop(r);
    drop_queue(r);
    fed_run_late_free(r);
    fed_app_close(r->app);
    fed_folder_close(r->folder);
    for (size_t i = 0; i < FED_RUN_WANTS; i++) {
        bytes_free(&r->wants[i].addrs);
    }
    bytes_free(&r->cert);
    (void)pthread_cond_destroy(&r->wake);
    (void)pthread_mutex_destroy(&r->late_mx);
    (void)pthread_mutex_destroy(&r->mx);
    mem_free(r->mem, r, sizeof(*r));
}

struct fed_app *
fed_run_app(struct fed_run *r)
{
    return r->app;
}

/* The net as soon as there is an identity; a new certificate when it came. */
static enum err
have_net(struct fed_run *r)
{
    enum err e;
    SCRUBBED_STRUCT(fed_app_identity, me);
    struct prim_sign_key key;
    struct fed_identity id = {.chain = {0}};
    struct bytes cert = {0};

    e = fed_app_identity(r->app, &me);
    if (!r->online || e == ERR_STATE ||
        (e == OK && view_equal(me.cert, view_of(&r->cert)))) {
        return OK;
    }
    TRY(e);
    TRY(bytes_copy(r->mem, me.cert, &cert));
    prim_ed25519_from_seed(me.seed, &key);
    memcpy(id.root.b, key.pub, sizeof(id.root.b));
    mem_wipe(&key, sizeof(key));
    id.node_seed = view_make(me.seed, sizeof(me.seed));
    id.chain = me.cert;
    if (r->net == NULL) {
        TRY(fed_run_net_start(r, &id));
        for (size_t i = 0; i < FED_RUN_WANTS; i++) {
            if (r->wants[i].used) {
                dial(r, &r->wants[i]);
            }
        }
    } else {
        TRY(fed_net_set_identity(r->net, &id));
    }
    bytes_free(&r->cert);
    r->cert = bytes_take(&cert);
out:
    bytes_free(&cert);
    return e;
}

enum err
fed_run_connect(struct fed_run *r)
{
    r->online = true;
    return fed_run_turn(r);
}

/* Something of ours failed: everything begins again from what is stored. */
static void
start_over(struct fed_run *r, enum err why)
{
    enum err e;

    LOG(r->log, LOG_ERROR, "fed.run.reset", LOG_ERR(why));
    r->dirty = false;
    fed_run_net_stop(r);
    bytes_free(&r->cert);
    drop_queue(r);
    fed_run_late_free(r);
    e = fed_app_reset(r->app);
    if (e != OK) {
        LOG(r->log, LOG_ERROR, "fed.run.not_reset", LOG_ERR(e));
    }
}

enum err
fed_run_turn(struct fed_run *r)
{
    enum err e;

    r->dirty = false;
    TRY(have_net(r));
    TRY(fed_app_turn(r->app, &r->timer_ms));
    TRY(have_net(r));
out:
    if (e != OK) {
        start_over(r, e);
    }
    return e;
}

/* ------------------------------------------------------------------ waiting */

static enum err
take_ev(struct fed_run *r, struct fed_run_ev *ev)
{
    switch (ev->kind) {
    case FED_RUN_UP:
        return fed_app_up(r->app, &ev->up);
    case FED_RUN_DOWN:
        return fed_app_down(r->app, &ev->peer.root, ev->peer.serial);
    case FED_RUN_FRAME:
        return fed_app_frame(r->app, &ev->peer.root, ev->peer.serial,
                             view_of(&ev->frame));
    case FED_RUN_FAILED:
        break;
    }
    return OK;
}

static void
note_why(struct fed_run *r, const struct fed_run_ev *ev)
{
    struct fed_run_want *w = want_of(r, &ev->peer.root, false);

    if (w != NULL && ev->kind == FED_RUN_FAILED) {
        w->why = ev->why;
        w->tries++;
        w->spliced = w->spliced && !ev->last;
    } else if (w != NULL && ev->kind == FED_RUN_UP) {
        w->why = FED_WHY_NONE;
        w->spliced = false;
    }
}

/*
 * A clinic that was our home and cannot be dialled is reached through the
 * present one (decisions F 24): tried whenever dialling it failed again.
 */
static void
by_home(struct fed_run *r, const struct fed_run_ev *ev)
{
    struct clinic_id via;

    for (size_t i = 0; i < FED_RUN_WANTS && r->net != NULL; i++) {
        struct fed_run_want *w = &r->wants[i];
        bool now = ev->kind == FED_RUN_FAILED &&
                   clinic_id_equal(&ev->peer.root, &w->clinic) && !ev->last;

        if (w->used && w->why != FED_WHY_NONE && !w->spliced &&
            (now || ev->kind == FED_RUN_UP) &&
            fed_app_before(r->app, &w->clinic, &via) &&
            (now || clinic_id_equal(&ev->peer.root, &via))) {
            w->spliced = fed_splice_dial(r->splice, &w->clinic, &via) == OK;
        }
    }
}

/* Something came: when it has to have its turn. */
static void
gather(struct fed_run *r, bool ack)
{
    if (!r->dirty) {
        r->hurry = false;
        r->gather_ms = clock_mono_ms(r->clock) + FED_RUN_GATHER_MS;
    }
    r->dirty = true;
    r->hurry = r->hurry || !ack;
}

/* Nobody waits for what an acknowledgement frees, and most often an answer is
   right behind it: both are one commit. */
static bool
may_gather(const struct fed_run *r)
{
    return r->dirty && !r->hurry && !atomic_load(&r->stopping) &&
           clock_mono_ms(r->clock) < r->gather_ms;
}

/* Everything that has come up; true when there was something. */
static bool
take_all(struct fed_run *r, enum err *e)
{
    struct fed_run_ev *ev;
    int n = 0;

    *e = OK;
    while (*e == OK && n < FED_RUN_STEPS && (ev = pop(r)) != NULL) {
        note_why(r, ev);
        gather(r, ev->kind == FED_RUN_FRAME &&
                      proto_peer_peek(view_of(&ev->frame)) == PROTO_PEER_ACK);
        *e = take_ev(r, ev);
        if (*e == OK &&
            (ev->kind == FED_RUN_FAILED || ev->kind == FED_RUN_UP)) {
            by_home(r, ev);
        }
        if (*e == ERR_STATE || *e == ERR_LIMIT) {
            *e = OK; /* a connection that nobody needs */
        }
        fed_run_resume(r, ev);
        free_ev(r, ev);
        n++;
    }
    if (*e == OK && r->timer_ms != 0 &&
        clock_mono_ms(r->clock) >= r->timer_ms) {
        r->timer_ms = 0;
        gather(r, false);
        *e = fed_app_tick(r->app);
        n++;
    }
    return n > 0;
}

/* Until something comes, the timer is due or until_ms. */
static void
sleep_until(struct fed_run *r, uint64_t until_ms)
{
    uint64_t now = clock_mono_ms(r->clock);
    uint64_t to =
        r->timer_ms != 0 && r->timer_ms < until_ms ? r->timer_ms : until_ms;
    uint64_t ms = to > now ? to - now : 0;
    struct timespec at;

    ms = now + (ms > 1000 ? 1000 : ms);
    at.tv_sec = (time_t)(ms / 1000); /* the clock is the system's own */
    at.tv_nsec = (long)(ms % 1000) * 1000000;
    (void)pthread_mutex_lock(&r->mx);
    if (r->first == NULL && !atomic_load(&r->stopping)) {
        (void)pthread_cond_timedwait(&r->wake, &r->mx, &at);
    }
    (void)pthread_mutex_unlock(&r->mx);
}

enum err
fed_run_wait(struct fed_run *r, bool (*done)(void *ctx, struct fed_app *app),
             void *ctx, uint64_t wait_ms)
{
    enum err e = OK;
    uint64_t until = clock_mono_ms(r->clock) + wait_ms;
    bool owed;

    for (;;) {
        bool some = take_all(r, &e);

        if (e != OK) {
            start_over(r, e);
            return e;
        }
        if (may_gather(r)) {
            if (!some) {
                sleep_until(r, r->gather_ms);
            }
            continue;
        }
        if (r->dirty) {
            TRY(fed_run_turn(r));
        }
        if (r->superseded) {
            return ERR_STALE;
        }
        if (done != NULL && done(ctx, r->app)) {
            TRY(fed_app_rest(r->app, &owed));
            if (!owed) {
                return OK;
            }
            TRY(fed_run_turn(r)); /* and until that is there */
            continue;
        }
        if (clock_mono_ms(r->clock) >= until || atomic_load(&r->stopping)) {
            return ERR_TIMEOUT;
        }
        if (!some) {
            sleep_until(r, until);
        }
    }
out:
    return e;
}

void
fed_run_stop(struct fed_run *r)
{
    atomic_store(&r->stopping, true);
}

enum fed_why
fed_run_why(struct fed_run *r, const struct clinic_id *clinic)
{
    const struct fed_run_want *w = want_of(r, clinic, false);

    return w == NULL ? FED_WHY_NONE : w->why;
}
