/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One clinic's core and apps in one process, each on a shelf: what one sends
 * reaches the other when the world runs, in order, until nothing moves.
 */
#ifndef TESTS_FEDERATION_APP_WORLD_H
#define TESTS_FEDERATION_APP_WORLD_H

#include "crypto/ident/cert.h"
#include "crypto/ident/profile.h"
#include "crypto/prim/hash.h"
#include "federation/app/app.h"
#include "federation/core/patient.h"
#include "proto/msg/content.h"
#include "tests/federation/app/shelf.h"
#include "tests/support/picture.h"
#include "tests/support/seed_rng.h"

enum {
    WORLD_APPS = 4,
    WORLD_SHOWN = 250 /* namespace of the clinic's messages */
};

struct world;

struct world_frame {
    struct world_frame *next;
    size_t app;
    bool to_app;
    uint64_t serial;
    struct bytes frame;
};

struct world_app {
    struct world *w;
    size_t index;
    struct shelf shelf;
    struct fed_app *app;
    struct mem mem; /* may fail */
    bool wants;
    bool cut; /* no network */
    uint64_t serial;
    uint64_t timer_ms;
    size_t events[16]; /* by kind */
    uint64_t trouble;  /* the last */
};

struct world {
    struct seed_rng rng;
    struct clock clock;
    uint64_t ms;
    struct prim_sign_key root;
    struct prim_sign_key renewal;
    struct prim_sign_key node;
    struct bytes chain;
    struct bytes profile;
    uint8_t picture[SAMPLE_PNG]; /* of the clinic */
    struct clinic_id clinic;
    struct shelf shelf;
    struct fed_core *core;
    uint64_t core_timer_ms;
    uint64_t serial;
    struct fed_link link;
    struct world_app apps[WORLD_APPS];
    struct world_frame *frames;
    size_t said; /* messages shown at the clinic */
    char text[64];
    struct thread_id thread; /* of the last thread shown there */
};

/* -------------------------------------------------------------- the clinic */

static inline uint64_t
world_ms(void *ctx)
{
    return ((struct world *)ctx)->ms;
}

static inline enum err
world_get(void *ctx, enum fed_ns ns, struct view key, const struct mem *mem,
          struct bytes *out)
{
    return shelf_get(&((struct world *)ctx)->shelf, (uint8_t)ns, key, mem, out);
}

static inline enum err
world_next(void *ctx, enum fed_ns ns, struct view from, const struct mem *mem,
           struct bytes *key_out, struct bytes *value_out)
{
    return shelf_next(&((struct world *)ctx)->shelf, (uint8_t)ns, from, mem,
                      key_out, value_out);
}

static inline enum err
world_past(void *ctx, const struct thread_id *thread, uint64_t term,
           uint64_t from, uint64_t to, const struct mem *mem,
           struct fed_past *out)
{
    (void)ctx, (void)thread, (void)term, (void)from, (void)to, (void)mem;
    (void)out;
    return ERR_MISSING;
}

static inline enum err
world_known(void *ctx, const struct thread_id *thread,
            const struct message_id *id, uint64_t *term_out, uint64_t *seq_out)
{
    struct world *w = ctx;
    struct bytes b = {0};
    enum err e =
        shelf_get(&w->shelf, WORLD_SHOWN, message_id_view(id), mem_heap(), &b);

    (void)thread;
    if (e == OK) {
        memcpy(term_out, b.p, 8);
        memcpy(seq_out, b.p + 8, 8);
    }
    bytes_free(&b);
    return e;
}

static inline void
world_shown(struct world *w, const struct fed_show *s)
{
    uint8_t place[16];
    struct proto_content c;

    if (s->kind == FED_SHOW_THREAD) {
        w->thread = s->thread;
    }
    if (s->kind != FED_SHOW_MESSAGE &&
        (s->kind != FED_SHOW_STATE || s->code != FED_MESSAGE_ACCEPTED)) {
        return;
    }
    memcpy(place, &s->term, 8);
    memcpy(place + 8, &s->seq, 8);
    CHECK_OK(shelf_put(&w->shelf, WORLD_SHOWN, message_id_view(&s->message),
                       VIEW_ARRAY(place)));
    if (s->kind == FED_SHOW_MESSAGE &&
        proto_content_decode(view_of(&s->body), &c) == OK &&
        c.kind == PROTO_CONTENT_TEXT) {
        w->said++;
        CHECK(c.u.text.text.len < sizeof(w->text));
        memcpy(w->text, c.u.text.text.p, c.u.text.text.len);
        w->text[c.u.text.text.len] = '\0';
    }
}

/* A frame is on its way. */
static inline void
world_post(struct world *w, size_t app, bool to_app, uint64_t serial,
           struct view frame)
{
    struct world_frame **at = &w->frames;
    struct world_frame *f = calloc(1, sizeof(*f));

    CHECK(f != NULL);
    f->app = app;
    f->to_app = to_app;
    f->serial = serial;
    CHECK_OK(bytes_copy(mem_heap(), frame, &f->frame));
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = f;
}

static inline void
world_clinic_turn(struct world *w)
{
    const struct fed_batch *b = NULL;

    CHECK_OK(fed_core_take(w->core, &b));
    for (size_t i = 0; b != NULL && i < b->writes_len; i++) {
        const struct fed_write *x = b->writes[i];

        CHECK_OK(shelf_change(&w->shelf, (uint8_t)x->ns, x->del,
                              view_of(&x->key), view_of(&x->value)));
    }
    for (size_t i = 0; b != NULL && i < b->shows_len; i++) {
        world_shown(w, &b->shows[i]);
    }
    CHECK_OK(shelf_commit(&w->shelf, NULL, 0));
    for (size_t i = 0; b != NULL && i < b->acts_len; i++) {
        const struct fed_act *a = &b->acts[i];

        for (size_t k = 0; k < WORLD_APPS; k++) {
            struct world_app *p = &w->apps[k];

            if (p->serial == 0 || p->serial != a->serial) {
                continue;
            }
            if (a->kind == FED_ACT_SEND) {
                world_post(w, k, true, p->serial, view_of(&a->body));
            } else if (a->kind == FED_ACT_CLOSE) {
                world_post(w, k, true, p->serial, (struct view){0});
            }
        }
    }
    if (b != NULL) {
        w->core_timer_ms = b->timer_ms;
        fed_core_done(w->core, b);
    }
}

static inline void
world_keys(struct world *w)
{
    struct ident_cert cert = {.generation = ident_generation(1, 0),
                              .not_before_ms = w->ms - 1000,
                              .not_after_ms = w->ms + 86400000ull * 365};
    struct ident_profile profile = {.name = VIEW_LIT("Hillside")};
    struct bytes renewal = {0};
    struct bytes node = {0};

    CHECK_OK(ident_key_new(&w->rng.rng, &w->root));
    CHECK_OK(ident_key_new(&w->rng.rng, &w->renewal));
    CHECK_OK(ident_key_new(&w->rng.rng, &w->node));
    memcpy(w->clinic.b, w->root.pub, 32);
    cert.root = w->clinic;
    memcpy(cert.key, w->renewal.pub, 32);
    CHECK_OK(
        ident_cert_make(mem_heap(), IDENT_RENEWAL, &w->root, &cert, &renewal));
    memcpy(cert.key, w->node.pub, 32);
    cert.generation = ident_generation(1, 1);
    CHECK_OK(
        ident_cert_make(mem_heap(), IDENT_NODE, &w->renewal, &cert, &node));
    CHECK_OK(ident_chain_make(mem_heap(), view_of(&renewal), view_of(&node),
                              &w->chain));
    profile.root = w->clinic;
    profile.changed_ms = w->ms;
    sample_png(w->picture, 64, 48, 5);
    CHECK_OK(proto_picture_read(VIEW_ARRAY(w->picture), &profile.picture));
    prim_sha256(VIEW_ARRAY(w->picture), profile.picture_hash.b);
    CHECK_OK(ident_profile_make(mem_heap(), &w->node, view_of(&w->chain),
                                &profile, &w->profile));
    bytes_free(&renewal);
    bytes_free(&node);
}

static inline void
world_clinic_start(struct world *w)
{
    struct fed_core_config c = {
        .mem = mem_heap(),
        .rng = &w->rng.rng,
        .clock = &w->clock,
        .store = {world_get, world_next, world_past, world_known, NULL, w},
    };

    c.self.root = w->clinic;
    c.self.chain = view_of(&w->chain);
    c.self.node_seed = VIEW_ARRAY(w->node.seed);
    c.self.profile = view_of(&w->profile);
    c.self.picture = VIEW_ARRAY(w->picture);
    CHECK_OK(fed_core_new(&c, &w->core));
    world_clinic_turn(w);
}

/* ---------------------------------------------------------------- the apps */

static inline void
world_want(void *ctx, const struct clinic_id *clinic, struct view addrs)
{
    (void)clinic;
    (void)addrs;
    ((struct world_app *)ctx)->wants = true;
}

static inline void
world_unwant(void *ctx, const struct clinic_id *clinic)
{
    (void)clinic;
    ((struct world_app *)ctx)->wants = false;
}

static inline void
world_send(void *ctx, const struct clinic_id *clinic, uint64_t serial,
           struct view frame)
{
    struct world_app *p = ctx;

    (void)clinic;
    if (serial == p->serial) {
        world_post(p->w, p->index, false, serial, frame);
    }
}

static inline void
world_known_peer(void *ctx, const struct clinic_id *clinic, uint64_t serial)
{
    (void)ctx, (void)clinic, (void)serial;
}

static inline void
world_close(void *ctx, const struct clinic_id *clinic, uint64_t serial)
{
    struct world_app *p = ctx;

    (void)clinic;
    world_post(p->w, p->index, false, serial, (struct view){0});
}

static inline void
world_event(void *ctx, const struct fed_app_event *ev)
{
    struct world_app *a = ctx;

    a->events[ev->kind]++;
    a->trouble = ev->kind == FED_APP_EV_TROUBLE ? ev->code : a->trouble;
}

static inline enum err
world_app_open(struct world *w, size_t i, const struct mem *mem)
{
    struct world_app *p = &w->apps[i];
    struct fed_app_config c = {
        .mem = mem,
        .rng = &w->rng.rng,
        .clock = &w->clock,
        .store = shelf_store(&p->shelf),
        .net = {world_want, world_unwant, world_send, world_known_peer,
                world_close, p},
        .event = world_event,
        .event_ctx = p,
    };

    p->w = w;
    p->index = i;
    p->wants = false;
    return fed_app_open(&c, &p->app);
}

static inline void
world_turn(struct world *w, size_t i)
{
    CHECK_OK(fed_app_turn(w->apps[i].app, &w->apps[i].timer_ms));
}

/* The connection of app i ends, for both. */
static inline void
world_break(struct world *w, size_t i)
{
    struct world_app *p = &w->apps[i];
    struct fed_app_me me;
    struct clinic_id device;
    uint64_t serial = p->serial;

    if (serial == 0) {
        return;
    }
    p->serial = 0;
    fed_app_me(p->app, &me);
    memcpy(device.b, me.device.b, 32);
    CHECK_OK(fed_app_down(p->app, &w->clinic, serial));
    CHECK_OK(fed_core_peer_down(w->core, &device, serial));
    world_turn(w, i);
    world_clinic_turn(w);
}

static inline void
world_connect(struct world *w, size_t i)
{
    struct world_app *p = &w->apps[i];
    struct fed_app_identity id;
    struct fed_up up = {.root = w->clinic, .dialled = true};
    struct fed_app_me me;

    if (p->app == NULL || !p->wants || p->cut || p->serial != 0 ||
        fed_app_identity(p->app, &id) != OK) {
        return;
    }
    p->serial = ++w->serial;
    up.serial = p->serial;
    up.generation = ident_generation(1, 1);
    for (size_t k = 0; k < sizeof(up.exporter); k++) {
        up.exporter[k] = (uint8_t)seed_rng_next(&w->rng);
    }
    CHECK_OK(fed_app_up(p->app, &up));
    fed_app_me(p->app, &me);
    up.kind = FED_KIND_DEVICE;
    memcpy(up.root.b, me.device.b, 32);
    up.cert = id.cert;
    up.generation = 0;
    up.dialled = false;
    CHECK_OK(fed_core_peer_up(w->core, &up));
    mem_wipe(&id, sizeof(id));
    world_turn(w, i);
    world_clinic_turn(w);
}

static inline void
world_deliver(struct world *w, struct world_frame *f)
{
    struct world_app *p = &w->apps[f->app];
    struct fed_app_me me;
    struct clinic_id device;

    if (p->serial != f->serial) {
        return; /* lost with its connection */
    }
    if (f->frame.len == 0) {
        world_break(w, f->app);
        return;
    }
    if (f->to_app) {
        CHECK_OK(
            fed_app_frame(p->app, &w->clinic, f->serial, view_of(&f->frame)));
        world_turn(w, f->app);
        return;
    }
    fed_app_me(p->app, &me);
    memcpy(device.b, me.device.b, 32);
    CHECK_OK(fed_core_frame(w->core, &device, f->serial, view_of(&f->frame)));
    world_clinic_turn(w);
}

static inline void
world_tick(struct world *w)
{
    w->ms += 500;
    CHECK_OK(fed_core_tick(w->core));
    world_clinic_turn(w);
    for (size_t i = 0; i < WORLD_APPS; i++) {
        if (w->apps[i].app != NULL) {
            CHECK_OK(fed_app_tick(w->apps[i].app));
            world_turn(w, i);
            world_connect(w, i);
        }
    }
}

/* Until nothing moves for some ticks. */
static inline void
world_run(struct world *w)
{
    for (int quiet = 0, steps = 0; quiet < 8; steps++) {
        struct world_frame *f = w->frames;

        CHECK(steps < 20000);
        if (f == NULL) {
            quiet++;
            world_tick(w);
            continue;
        }
        quiet = 0;
        w->frames = f->next;
        world_deliver(w, f);
        bytes_free(&f->frame);
        free(f);
    }
}

static inline void
world_begin(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    seed_rng_init(&w->rng, seed);
    w->ms = 1800000000000ull;
    w->clock = (struct clock){world_ms, world_ms, w};
    world_keys(w);
    world_clinic_start(w);
    w->link.id.b[0] = 1;
    CHECK_OK(fed_core_link_put(w->core, &w->link));
    world_clinic_turn(w);
}

static inline void
world_end(struct world *w)
{
    for (size_t i = 0; i < WORLD_APPS; i++) {
        fed_app_close(w->apps[i].app);
        shelf_free(&w->apps[i].shelf);
    }
    while (w->frames != NULL) {
        struct world_frame *f = w->frames;

        w->frames = f->next;
        bytes_free(&f->frame);
        free(f);
    }
    fed_core_free(w->core);
    shelf_free(&w->shelf);
    bytes_free(&w->chain);
    bytes_free(&w->profile);
}

/* The clinic's link, as a person gets it. */
static inline struct proto_link
world_link(const struct world *w)
{
    struct proto_link l = {.root = w->clinic, .id = w->link.id};

    l.addrs_len = 1;
    l.addrs[0].kind = PROTO_ADDR_IP4;
    l.addrs[0].port = 1;
    l.addrs[0].ip[0] = 127;
    return l;
}

/* App i is the app of a new patient who joined. */
static inline void
world_join(struct world *w, size_t i)
{
    struct proto_link l = world_link(w);

    CHECK_OK(world_app_open(w, i, mem_heap()));
    CHECK_OK(fed_app_new_patient(w->apps[i].app));
    world_turn(w, i);
    CHECK_OK(
        fed_app_join(w->apps[i].app, &l, VIEW_LIT("Ann"), (struct view){0}));
    world_turn(w, i);
    world_run(w);
}

/* App n becomes a device of the patient of app by, which may add. */
static inline void
world_add(struct world *w, size_t by, size_t n)
{
    struct bytes request = {0};
    struct bytes grant = {0};

    CHECK_OK(world_app_open(w, n, mem_heap()));
    CHECK_OK(fed_app_be_added(w->apps[n].app, &request));
    world_turn(w, n);
    CHECK_OK(
        fed_app_add_device(w->apps[by].app, view_of(&request), true, &grant));
    world_turn(w, by);
    world_run(w);
    CHECK_OK(fed_app_granted(w->apps[n].app, view_of(&grant)));
    world_turn(w, n);
    world_run(w);
    bytes_free(&request);
    bytes_free(&grant);
}

static inline struct device_id
world_device(const struct world *w, size_t n)
{
    struct fed_app_me me;

    fed_app_me(w->apps[n].app, &me);
    return me.device;
}

/* The texts of an app's first active thread, joined by "|". */
static inline const char *
world_texts(struct world *w, size_t i, char out[512])
{
    struct fed_app_thread t;
    struct fed_app_message m;
    struct bytes hold = {0};
    uint64_t place = 0;

    out[0] = '\0';
    if (fed_app_thread_next(w->apps[i].app, NULL, &t, &hold) != OK) {
        return out;
    }
    while (fed_app_message_next(w->apps[i].app, &t.id, &place, &m, &hold) ==
           OK) {
        if (m.kind == PROTO_CONTENT_TEXT) {
            strncat(out, (const char *)m.text.p, m.text.len);
            strcat(out, "|");
        }
    }
    bytes_free(&hold);
    return out;
}

static inline struct thread_id
world_thread(struct world *w, size_t i)
{
    struct fed_app_thread t = {.number = 0};
    struct bytes hold = {0};

    CHECK_OK(fed_app_thread_next(w->apps[i].app, NULL, &t, &hold));
    bytes_free(&hold);
    return t.id;
}

static inline void
world_clinic_says(struct world *w, const char *text)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT};
    struct message_id id;

    c.u.text.text = view_str(text);
    CHECK_OK(fed_core_send(w->core, &w->thread, &c, false, &id));
    world_clinic_turn(w);
}

static inline void
world_app_says(struct world *w, size_t i, const char *text)
{
    struct thread_id t = world_thread(w, i);
    struct message_id id;

    CHECK_OK(fed_app_send(w->apps[i].app, &t, view_str(text), 0, NULL, 0, &id));
    world_turn(w, i);
}

#endif
