/* SPDX-License-Identifier: Apache-2.0 */
/* Life of the app: what came, one commit a turn, what goes out after it. */
#include "federation/app/inside.h"

#include "federation/core/early.h"
#include "federation/core/patient.h"
#include "proto/msg/peer.h"

#include <string.h>

uint64_t
fed_app_now(const struct fed_app *app)
{
    return clock_wall_ms(app->c.clock);
}

bool
fed_app_ours(enum err e)
{
    return e == ERR_NOMEM || e == ERR_IO || e == ERR_FULL || e == ERR_CORRUPT ||
           e == ERR_INTERNAL;
}

/* ------------------------------------------------------------------- frames */

enum err
fed_app_say(struct fed_app *app, const struct fed_app_conn *to,
            const struct proto_peer_msg *msg)
{
    enum err e;
    struct fed_app_out *o = mem_alloc(app->mem, sizeof(*o));

    if (o == NULL) {
        return ERR_NOMEM;
    }
    e = proto_peer_encode(app->mem, msg, &o->frame);
    if (e != OK) {
        mem_free(app->mem, o, sizeof(*o));
        return e == ERR_NOMEM ? e : ERR_INTERNAL;
    }
    o->to = to->root;
    o->serial = to->serial;
    *app->out_end = o;
    app->out_end = &o->next;
    return OK;
}

static void
clear_out(struct fed_app *app, bool send)
{
    struct fed_app_out *o = app->out;

    app->out = NULL;
    app->out_end = &app->out;
    while (o != NULL) {
        struct fed_app_out *next = o->next;

        if (send) {
            app->c.net.send(app->c.net.ctx, &o->to, o->serial,
                            view_of(&o->frame));
        }
        bytes_free(&o->frame);
        mem_free(app->mem, o, sizeof(*o));
        o = next;
    }
}

const struct fed_app_conn *
fed_app_conn(const struct fed_app *app, const struct clinic_id *root)
{
    for (size_t i = 0; i < FED_APP_CONNS; i++) {
        if (app->conns[i].serial != 0 &&
            clinic_id_equal(&app->conns[i].root, root)) {
            return &app->conns[i];
        }
    }
    return NULL;
}

static struct fed_app_conn *
conn_slot(struct fed_app *app, const struct clinic_id *root)
{
    struct fed_app_conn *free_one = NULL;

    for (size_t i = 0; i < FED_APP_CONNS; i++) {
        if (app->conns[i].serial != 0 &&
            clinic_id_equal(&app->conns[i].root, root)) {
            return &app->conns[i];
        }
        free_one = app->conns[i].serial == 0 ? &app->conns[i] : free_one;
    }
    return free_one;
}

/* ----------------------------------------------------------------- the core */

static enum err
core_get(void *ctx, enum fed_ns ns, struct view key, const struct mem *mem,
         struct bytes *out)
{
    struct fed_app *app = ctx;

    return app->c.store.get(app->c.store.ctx, (uint8_t)ns, key, mem, out);
}

static enum err
core_next(void *ctx, enum fed_ns ns, struct view from, const struct mem *mem,
          struct bytes *key_out, struct bytes *value_out)
{
    struct fed_app *app = ctx;

    return app->c.store.next(app->c.store.ctx, (uint8_t)ns, from, mem, key_out,
                             value_out);
}

static enum err
core_past(void *ctx, const struct thread_id *thread, uint64_t term,
          uint64_t from, uint64_t to, const struct mem *mem,
          struct fed_past *out)
{
    return fed_app_past(ctx, thread, term, from, to, mem, out);
}

static enum err
core_known(void *ctx, const struct thread_id *thread,
           const struct message_id *id, uint64_t *term_out, uint64_t *seq_out)
{
    return fed_app_known(ctx, thread, id, term_out, seq_out);
}

static enum err
core_intro(void *ctx, const struct thread_id *thread,
           const struct proto_group *group, const struct mem *mem,
           struct bytes *content_out)
{
    (void)thread;
    (void)group;
    return fed_app_intro(ctx, mem, content_out);
}

static enum err
new_core(struct fed_app *app)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, key);
    struct fed_core_config c = {
        .mem = app->mem,
        .rng = app->c.rng,
        .clock = app->c.clock,
        .log = app->c.log,
        .store = {core_get, core_next, core_past, core_known, core_intro, app},
    };

    TRY(fed_app_device_key(app, &key));
    c.self.kind = FED_KIND_DEVICE;
    memcpy(c.self.root.b, key.pub, sizeof(c.self.root.b));
    memcpy(c.self.patient.b, app->me.patient, sizeof(c.self.patient.b));
    c.self.list = app->me.list;
    c.self.chain = app->me.cert;
    c.self.node_seed = view_make(key.seed, sizeof(key.seed));
    TRY(fed_core_new(&c, &app->core));
out:
    return e;
}

enum err
fed_app_core(struct fed_app *app)
{
    enum err e;

    if (app->me.cert.len == 0 || app->me.list.len == 0) {
        return OK;
    }
    if (app->core == NULL) {
        return new_core(app);
    }
    e = fed_core_set_list(app->core, app->me.list, app->me.cert);
    return fed_app_ours(e) ? e : OK; /* it may have it from a clinic already */
}

/* --------------------------------------------------------------------- turn */

static enum err
take(struct fed_app *app, struct bytes *rotate)
{
    enum err e = OK;
    const struct fed_batch *b;

    if (app->core != NULL) {
        TRY(fed_core_take(app->core, &app->batch));
    }
    b = app->batch;
    for (size_t i = 0; b != NULL && i < b->writes_len; i++) {
        const struct fed_write *w = b->writes[i];
        struct view key = view_of(&w->key);

        TRY(w->del ? app->c.store.del(app->c.store.ctx, (uint8_t)w->ns, key)
                   : app->c.store.put(app->c.store.ctx, (uint8_t)w->ns, key,
                                      view_of(&w->value)));
    }
    for (size_t i = 0; b != NULL && i < b->shows_len; i++) {
        TRY(fed_app_show(app, &b->shows[i]));
    }
    for (size_t i = 0; b != NULL && i < b->acts_len; i++) {
        if (b->acts[i].kind == FED_ACT_ROTATE) {
            TRY(bytes_append(app->mem, rotate,
                             thread_id_view(&b->acts[i].thread)));
        }
    }
    TRY(fed_app_look_settled(app));
    TRY(fed_app_files_pump(app));
    TRY(fed_app_kv_flush(&app->kv));
out:
    return e;
}

static void
act(struct fed_app *app, const struct fed_act *a)
{
    const struct fed_app_net *net = &app->c.net;

    switch (a->kind) {
    case FED_ACT_SEND:
        net->send(net->ctx, &a->peer, a->serial, view_of(&a->body));
        break;
    case FED_ACT_KNOWN:
        net->known(net->ctx, &a->peer, a->serial);
        break;
    case FED_ACT_CLOSE:
        net->close(net->ctx, &a->peer, a->serial);
        break;
    case FED_ACT_WANT:
        net->want(net->ctx, &a->peer, view_of(&a->body));
        break;
    case FED_ACT_UNWANT:
        net->unwant(net->ctx, &a->peer);
        break;
    case FED_ACT_RENEW: /* a device has no generations of its own */
    case FED_ACT_ROTATE:
        break;
    }
}

bool
fed_app_wants_durable(const struct fed_app *app)
{
    return fed_batch_sends_early(app->batch);
}

void
fed_app_durable(struct fed_app *app)
{
    const struct fed_batch *b = app->batch;

    for (size_t i = 0; b != NULL && !app->sent && i < b->acts_len; i++) {
        act(app, &b->acts[i]);
    }
    app->sent = true;
}

/* What was committed may go out now, and be told. */
static void
let_out(struct fed_app *app, uint64_t *timer_ms)
{
    const struct fed_batch *b = app->batch;

    app->committing = false;
    app->batch = NULL;
    *timer_ms = b != NULL ? b->timer_ms : app->timer_ms;
    app->timer_ms = *timer_ms;
    if (fed_app_archive_waits(app) || fed_app_shared_waits(app) ||
        app->questions) {
        *timer_ms = clock_mono_ms(app->c.clock) | 1;
    }
    for (size_t i = 0; b != NULL && !app->sent && i < b->acts_len; i++) {
        act(app, &b->acts[i]);
    }
    app->sent = false;
    if (b != NULL) {
        fed_core_done(app->core, b);
    }
    clear_out(app, true);
    fed_app_tell_all(app, false);
    fed_app_events_clear(app, &app->told);
}

enum err
fed_app_turn(struct fed_app *app, uint64_t *timer_ms)
{
    enum err e;
    struct bytes rotate = {0};

    if (app->committing) {
        return ERR_AGAIN;
    }
    TRY(fed_app_archive_pump(app));
    TRY(fed_app_between_pump(app));
    TRY(take(app, &rotate));
    app->told = app->events;
    app->events = (struct fed_app_events){NULL, 0, 0};
    app->committing = true;
    fed_app_tell_all(app, true);
    e = app->c.store.commit(app->c.store.ctx,
                            (const struct thread_id *)rotate.p,
                            rotate.len / sizeof(struct thread_id));
    TRY(e);
    let_out(app, timer_ms);
out:
    bytes_free(&rotate);
    return e;
}

enum err
fed_app_committed(struct fed_app *app, enum err result, uint64_t *timer_ms)
{
    if (!app->committing) {
        return ERR_STATE;
    }
    if (result == OK) {
        let_out(app, timer_ms);
    }
    return result;
}

/* ------------------------------------------------------------------- shows */

static enum err
trouble(struct fed_app *app, const struct fed_show *show,
        enum fed_app_trouble what)
{
    struct fed_app_event *ev;
    enum err e = fed_app_show_line(app, show); /* of a gap; others have none */

    e = e == OK ? fed_app_tell(app, FED_APP_EV_TROUBLE, &ev) : e;
    if (e == OK) {
        ev->code = what;
        ev->clinic = show->peer;
        ev->thread = show->thread;
        ev->message = show->message;
    }
    return e;
}

/* What counts as our device list, or does not any more. */
static enum err
devices(struct fed_app *app, const struct fed_show *show)
{
    enum err e = OK;

    if (memcmp(show->author.b, app->me.patient, sizeof(show->author.b)) != 0) {
        return OK; /* another patient of a thread */
    }
    if (show->body.len > 0) {
        e = fed_app_list_came(app, view_of(&show->body));
    }
    if (show->code == FED_DEVICES_GONE && !fed_app_recovering(app)) {
        e = fed_app_removed(app);
    }
    return fed_app_ours(e) ? e : OK;
}

static enum err
proven(struct fed_app *app, const struct fed_show *show)
{
    struct fed_app_event *ev;
    enum err e = fed_app_tell(app, FED_APP_EV_PROOF, &ev);

    if (e == OK) {
        ev->thread = show->thread;
        ev->code = show->known ? 1 : 0;
    }
    return e;
}

enum err
fed_app_show(struct fed_app *app, const struct fed_show *show)
{
    switch (show->kind) {
    case FED_SHOW_LINK:
    case FED_SHOW_PARTY:
    case FED_SHOW_PROFILE:
    case FED_SHOW_ENROL:
        return fed_app_show_clinic(app, show);
    case FED_SHOW_PICTURE:
        return fed_app_show_picture(app, show);
    case FED_SHOW_PROVEN:
        return proven(app, show);
    case FED_SHOW_DEVICES:
        return devices(app, show);
    case FED_SHOW_CONSENT:
        return fed_app_show_consent(app, show);
    case FED_SHOW_ARCHIVE:
        return fed_app_show_archive(app, show);
    case FED_SHOW_THREAD:
        return fed_app_show_thread(app, show);
    case FED_SHOW_MESSAGE:
        return fed_app_show_message(app, show);
    case FED_SHOW_STATE:
        return fed_app_show_state(app, show);
    case FED_SHOW_HOME:
        return fed_app_show_home(app, show);
    case FED_SHOW_INTRO:
        return fed_app_show_intro(app, show);
    case FED_SHOW_GAP:
        return trouble(app, show, FED_APP_TROUBLE_GAP);
    case FED_SHOW_OVERDUE:
        return trouble(app, show, FED_APP_TROUBLE_OVERDUE);
    case FED_SHOW_DOUBT:
    case FED_SHOW_FORK:
        return fed_app_show_doubt(app, show);
    case FED_SHOW_ROLLBACK:
        return show->code == 2 ? trouble(app, show, FED_APP_TROUBLE_COPY)
                               : fed_app_archive_again(app, &show->peer);
    case FED_SHOW_CONTINUED:
        return fed_app_show_continued(app, show);
    case FED_SHOW_MEMBER:
    case FED_SHOW_HUB:
        return fed_app_show_line(app, show);
    case FED_SHOW_VOID:
        return fed_app_show_void(app, show);
    case FED_SHOW_LINK_USED:
    case FED_SHOW_REVOKED:
    case FED_SHOW_BAD:
    case FED_SHOW_PATIENT:
    case FED_SHOW_REPORT: /* a clinic's */
        return OK;
    }
    return OK;
}

/* --------------------------------------------------------------------- life */

enum err
fed_app_open(const struct fed_app_config *config, struct fed_app **out)
{
    enum err e;
    struct fed_app *app = mem_alloc(config->mem, sizeof(*app));

    TRY(app == NULL ? ERR_NOMEM : OK);
    app->c = *config;
    app->mem = config->mem;
    app->kv = (struct fed_app_kv){.mem = app->mem, .store = &app->c.store};
    app->out_end = &app->out;
    TRY(fed_app_me_load(app));
    TRY(fed_app_core(app));
    app->questions = true; /* one may have come just before the end */
    app->undone = true;
    app->between_due = true;
    *out = app;
    app = NULL;
out:
    fed_app_close(app);
    return e;
}

/* Drop what is not committed. */
static void
drop(struct fed_app *app)
{
    clear_out(app, false);
    fed_app_events_clear(app, &app->events);
    fed_app_events_clear(app, &app->told);
    fed_app_kv_clear(&app->kv);
    memset(app->conns, 0, sizeof(app->conns));
    memset(app->moves, 0, sizeof(app->moves));
    app->batch = NULL;
    app->sent = false;
    app->committing = false;
}

void
fed_app_close(struct fed_app *app)
{
    if (app == NULL) {
        return;
    }
    drop(app);
    fed_core_free(app->core);
    fed_app_me_clear(app);
    mem_free(app->mem, app, sizeof(*app));
}

enum err
fed_app_reset(struct fed_app *app)
{
    enum err e;

    drop(app);
    fed_core_free(app->core);
    app->core = NULL;
    app->undone = true;
    TRY(fed_app_me_load(app));
    TRY(fed_app_core(app));
out:
    return e;
}

/* ------------------------------------------------------------- what came */

enum err
fed_app_up(struct fed_app *app, const struct fed_up *up)
{
    enum err e;
    struct fed_app_conn *conn = conn_slot(app, &up->root);

    if (app->core == NULL || conn == NULL) {
        return ERR_STATE;
    }
    TRY(fed_core_peer_up(app->core, up));
    conn->root = up->root;
    conn->serial = up->serial;
    TRY(fed_app_files_pump(app));
out:
    return e;
}

enum err
fed_app_down(struct fed_app *app, const struct clinic_id *clinic,
             uint64_t serial)
{
    struct fed_app_conn *conn = conn_slot(app, clinic);

    if (app->core == NULL) {
        return OK;
    }
    if (conn != NULL && conn->serial == serial) {
        conn->serial = 0;
    }
    fed_app_files_down(app, serial);
    return fed_core_peer_down(app->core, clinic, serial);
}

enum err
fed_app_frame(struct fed_app *app, const struct clinic_id *clinic,
              uint64_t serial, struct view frame)
{
    const struct fed_app_conn *conn = fed_app_conn(app, clinic);

    if (app->core == NULL || conn == NULL || conn->serial != serial) {
        return OK;
    }
    if (proto_peer_peek(frame) >= PROTO_PEER_BLOB_OPEN &&
        proto_peer_peek(frame) <= PROTO_PEER_BLOB_WANT) {
        return fed_app_files_frame(app, conn, frame);
    }
    return fed_core_frame(app->core, clinic, serial, frame);
}

enum err
fed_app_tick(struct fed_app *app)
{
    enum err e;

    if (app->core == NULL) {
        return OK;
    }
    TRY(fed_core_tick(app->core));
    TRY(fed_app_refuse_unwanted(app));
    TRY(fed_app_files_pump(app));
out:
    return e;
}
