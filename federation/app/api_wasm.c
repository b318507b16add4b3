/* SPDX-License-Identifier: Apache-2.0 */
/* The app's operations, and what the host imports and exports. */
#include "federation/app/api_wasm.h"

#include "crypto/prim/import_wasm.h"
#include "crypto/prim/random.h"

#include <string.h>

#define EXPORT(NAME) __attribute__((export_name(#NAME)))

/* Storage: the length of the value, which app_value then copies; -1: none. */
PRIM_IMPORT(app_get)
int fed_host_get(int space, const uint8_t *key, size_t len);
PRIM_IMPORT(app_next)
int fed_host_next(int space, const uint8_t *from, size_t len);
PRIM_IMPORT(app_key_len) size_t fed_host_key_len(void);
PRIM_IMPORT(app_key) void fed_host_key(uint8_t *out);
PRIM_IMPORT(app_value) void fed_host_value(uint8_t *out);
PRIM_IMPORT(app_put)
void fed_host_put(int space, const uint8_t *key, size_t len,
                  const uint8_t *value, size_t value_len);
PRIM_IMPORT(app_del)
void fed_host_del(int space, const uint8_t *key, size_t len);
/* 0 durable, 1 under way, else failed. */
PRIM_IMPORT(app_commit) int fed_host_commit(const uint8_t *rotate, size_t n);
/* kind: 1 want, 2 unwant, 3 send, 4 known, 5 close. */
PRIM_IMPORT(app_net)
void fed_host_net(int kind, const uint8_t *clinic, uint32_t serial,
                  const uint8_t *body, size_t len);
PRIM_IMPORT(app_event)
void fed_host_event(int kind, uint32_t code, uint32_t number,
                    const uint8_t *clinic, const uint8_t *thread);
PRIM_IMPORT(wall_ms) double fed_host_wall_ms(void);

enum net_kind {
    NET_WANT = 1,
    NET_UNWANT = 2,
    NET_SEND = 3,
    NET_KNOWN = 4,
    NET_CLOSE = 5
};

void *fed_wasm_alloc(size_t len);
void fed_wasm_free(void *p, size_t len);
struct fed_api *fed_wasm_new(void);
int fed_wasm_call(struct fed_api *api, int op, const uint8_t *args, size_t len);
const uint8_t *fed_wasm_out(const struct fed_api *api);
size_t fed_wasm_out_len(const struct fed_api *api);
const char *fed_wasm_err_name(int e);

/* ---------------------------------------------------------------- the host */

static uint64_t
wall_ms(void *ctx)
{
    (void)ctx;
    return (uint64_t)fed_host_wall_ms();
}

static enum err
take_value(const struct mem *mem, int len, struct bytes *out)
{
    enum err e;

    if (len < 0) {
        return ERR_MISSING;
    }
    TRY(bytes_alloc(mem, (size_t)len, out));
    fed_host_value(out->p);
out:
    return e;
}

static enum err
host_get(void *ctx, uint8_t space, struct view key, const struct mem *mem,
         struct bytes *out)
{
    (void)ctx;
    return take_value(mem, fed_host_get(space, key.p, key.len), out);
}

static enum err
host_next(void *ctx, uint8_t space, struct view from, const struct mem *mem,
          struct bytes *key_out, struct bytes *value_out)
{
    enum err e;
    int len = fed_host_next(space, from.p, from.len);

    (void)ctx;
    TRY(len < 0 ? ERR_MISSING : OK);
    TRY(bytes_alloc(mem, fed_host_key_len(), key_out));
    fed_host_key(key_out->p);
    TRY(take_value(mem, len, value_out));
out:
    if (e != OK) {
        bytes_free(key_out);
    }
    return e;
}

static enum err
host_put(void *ctx, uint8_t space, struct view key, struct view value)
{
    (void)ctx;
    fed_host_put(space, key.p, key.len, value.p, value.len);
    return OK;
}

static enum err
host_del(void *ctx, uint8_t space, struct view key)
{
    (void)ctx;
    fed_host_del(space, key.p, key.len);
    return OK;
}

static enum err
host_commit(void *ctx, const struct thread_id *rotate, size_t rotate_len)
{
    int r = fed_host_commit((const uint8_t *)rotate, rotate_len);

    (void)ctx;
    return r == 0 ? OK : r == 1 ? ERR_AGAIN : ERR_IO;
}

static void
net_want(void *ctx, const struct clinic_id *clinic, struct view addrs)
{
    (void)ctx;
    fed_host_net(NET_WANT, clinic->b, 0, addrs.p, addrs.len);
}

static void
net_unwant(void *ctx, const struct clinic_id *clinic)
{
    (void)ctx;
    fed_host_net(NET_UNWANT, clinic->b, 0, NULL, 0);
}

static void
net_send(void *ctx, const struct clinic_id *clinic, uint64_t serial,
         struct view frame)
{
    (void)ctx;
    fed_host_net(NET_SEND, clinic->b, (uint32_t)serial, frame.p, frame.len);
}

static void
net_known(void *ctx, const struct clinic_id *clinic, uint64_t serial)
{
    (void)ctx;
    fed_host_net(NET_KNOWN, clinic->b, (uint32_t)serial, NULL, 0);
}

static void
net_close(void *ctx, const struct clinic_id *clinic, uint64_t serial)
{
    (void)ctx;
    fed_host_net(NET_CLOSE, clinic->b, (uint32_t)serial, NULL, 0);
}

static void
on_event(void *ctx, const struct fed_app_event *ev)
{
    (void)ctx;
    fed_host_event((int)ev->kind, (uint32_t)ev->code, (uint32_t)ev->number,
                   ev->clinic.b, ev->thread.b);
}

/* -------------------------------------------------------------- operations */

#define FN(NAME) static FED_API_FN(NAME)
#define UNUSED(x) (void)(x)

void
fed_api_rd_id(struct proto_tls_rd *in, uint8_t out[32])
{
    struct view v = proto_tls_rd_fixed(in, 32);

    if (v.len == 32) {
        memcpy(out, v.p, 32);
    }
}

/* -> timer, mono ms (here: of the wall clock) */
FN(op_turn)
{
    uint64_t timer = 0;
    enum err e = fed_app_turn(api->app, &timer);

    UNUSED(in);
    proto_tls_wr_u64(out, timer);
    return e;
}

/* failed -> timer */
FN(op_committed)
{
    uint64_t timer = 0;
    enum err result = proto_tls_rd_u8(in) == 0 ? OK : ERR_IO;
    enum err e = fed_app_committed(api->app, result, &timer);

    proto_tls_wr_u64(out, timer);
    return e;
}

/* root, serial, generation, exporter -> */
FN(op_up)
{
    struct fed_up up = {.kind = FED_KIND_CLINIC, .dialled = true};

    UNUSED(out);
    fed_api_rd_id(in, up.root.b);
    up.serial = proto_tls_rd_u32(in);
    up.generation = proto_tls_rd_u64(in);
    fed_api_rd_id(in, up.exporter);
    return in->e != OK ? in->e : fed_app_up(api->app, &up);
}

/* root, serial -> */
FN(op_down)
{
    struct clinic_id root = {{0}};
    uint64_t serial;

    UNUSED(out);
    fed_api_rd_id(in, root.b);
    serial = proto_tls_rd_u32(in);
    return in->e != OK ? in->e : fed_app_down(api->app, &root, serial);
}

/* root, serial, frame -> */
FN(op_frame)
{
    struct clinic_id root = {{0}};
    uint64_t serial;
    struct view frame;

    UNUSED(out);
    fed_api_rd_id(in, root.b);
    serial = proto_tls_rd_u32(in);
    frame = proto_tls_rd_vec(in);
    return in->e != OK ? in->e : fed_app_frame(api->app, &root, serial, frame);
}

FN(op_tick)
{
    UNUSED(in);
    UNUSED(out);
    return fed_app_tick(api->app);
}

FN(op_reset)
{
    UNUSED(in);
    UNUSED(out);
    return fed_app_reset(api->app);
}

/* -> stage, code, patient, device, home, generation, may add, alarm, removed */
FN(op_me)
{
    struct fed_app_me me;

    UNUSED(in);
    fed_app_me(api->app, &me);
    proto_tls_wr_u8(out, (uint8_t)me.stage);
    proto_tls_wr_u8(out, (uint8_t)me.code);
    proto_tls_wr_fixed(out, patient_id_view(&me.patient));
    proto_tls_wr_fixed(out, device_id_view(&me.device));
    proto_tls_wr_fixed(out, clinic_id_view(&me.home));
    proto_tls_wr_u64(out, me.generation);
    proto_tls_wr_u8(out, me.may_add ? 1 : 0);
    proto_tls_wr_u8(out, me.alarm ? 1 : 0);
    proto_tls_wr_u8(out, me.removed ? 1 : 0);
    return OK;
}

FN(op_new_patient)
{
    UNUSED(in);
    UNUSED(out);
    return fed_app_new_patient(api->app);
}

/* -> words, qr */
FN(op_code)
{
    struct bytes words = {0};
    struct bytes qr = {0};
    enum err e = fed_app_code(api->app, &words, &qr);

    UNUSED(in);
    if (e == OK) {
        proto_tls_wr_vec(out, view_of(&words));
        proto_tls_wr_vec(out, view_of(&qr));
    }
    bytes_free(&words);
    bytes_free(&qr);
    return e;
}

/* text -> */
FN(op_confirm)
{
    struct view text = proto_tls_rd_vec(in);
    unsigned bad = 0;

    UNUSED(out);
    return in->e != OK ? in->e : fed_app_code_confirm(api->app, text, &bad);
}

/* text -> */
FN(op_recover)
{
    struct view text = proto_tls_rd_vec(in);
    unsigned bad = 0;

    UNUSED(out);
    return in->e != OK ? in->e : fed_app_recover(api->app, text, &bad);
}

/* -> device seed, certificate */
FN(op_identity)
{
    struct fed_app_identity id;
    enum err e = fed_app_identity(api->app, &id);

    UNUSED(in);
    if (e == OK) {
        proto_tls_wr_fixed(out, VIEW_ARRAY(id.seed));
        proto_tls_wr_vec(out, id.cert);
    }
    mem_wipe(&id, sizeof(id));
    return e;
}

enum err
fed_api_rd_link(struct proto_tls_rd *in, struct proto_link *out)
{
    struct view text = proto_tls_rd_vec(in);
    enum proto_link_fault fault;

    return in->e != OK ? in->e : proto_link_parse(text, 0, out, &fault);
}

/* link, name, birth -> */
FN(op_join)
{
    enum err e;
    struct proto_link link;
    struct view name;
    struct view birth;

    UNUSED(out);
    TRY(fed_api_rd_link(in, &link));
    name = proto_tls_rd_vec(in);
    birth = proto_tls_rd_vec(in);
    TRY(in->e);
    TRY(fed_app_join(api->app, &link, name, birth));
out:
    proto_link_wipe(&link);
    return e;
}

/* whether after, after -> id, number, state, hub, messages, unread, waiting,
   last ms, title, group */
FN(op_thread_next)
{
    enum err e;
    struct fed_app_thread t;
    struct thread_id after = {{0}};
    bool has = proto_tls_rd_u8(in) != 0;
    struct bytes hold = {0};

    fed_api_rd_id(in, after.b);
    TRY(in->e);
    TRY(fed_app_thread_next(api->app, has ? &after : NULL, &t, &hold));
    proto_tls_wr_fixed(out, thread_id_view(&t.id));
    proto_tls_wr_u32(out, (uint32_t)t.number);
    proto_tls_wr_u8(out, (uint8_t)t.state);
    proto_tls_wr_fixed(out, clinic_id_view(&t.hub));
    proto_tls_wr_u32(out, (uint32_t)t.messages);
    proto_tls_wr_u32(out, (uint32_t)t.unread);
    proto_tls_wr_u32(out, (uint32_t)t.waiting);
    proto_tls_wr_u64(out, t.last_ms);
    proto_tls_wr_vec(out, t.title);
    proto_tls_wr_vec(out, t.group);
out:
    bytes_free(&hold);
    return e;
}

/* thread, place -> place, number, author, state, flags, at ms, reply to,
   delivered, read, kind, text, name */
FN(op_message_next)
{
    enum err e;
    struct fed_app_message m;
    struct thread_id thread = {{0}};
    uint64_t place;
    struct bytes hold = {0};

    fed_api_rd_id(in, thread.b);
    place = proto_tls_rd_u64(in);
    TRY(in->e);
    TRY(fed_app_message_next(api->app, &thread, &place, &m, &hold));
    proto_tls_wr_u64(out, place);
    proto_tls_wr_u32(out, (uint32_t)m.number);
    proto_tls_wr_fixed(out, subject_id_view(&m.author));
    proto_tls_wr_u8(out, (uint8_t)m.state);
    proto_tls_wr_u8(out, (uint8_t)m.flags);
    proto_tls_wr_u64(out, m.at_ms);
    proto_tls_wr_u32(out, (uint32_t)m.reply_to);
    proto_tls_wr_u32(out, (uint32_t)m.delivered);
    proto_tls_wr_u32(out, (uint32_t)m.read);
    proto_tls_wr_u8(out, (uint8_t)m.kind);
    proto_tls_wr_vec(out, m.text);
    proto_tls_wr_vec(out, m.name);
out:
    bytes_free(&hold);
    return e;
}

/* thread, text, reply to -> message id */
FN(op_send)
{
    enum err e;
    struct thread_id thread = {{0}};
    struct message_id id;
    struct view text;
    uint32_t reply;

    fed_api_rd_id(in, thread.b);
    text = proto_tls_rd_vec(in);
    reply = proto_tls_rd_u32(in);
    TRY(in->e);
    TRY(fed_app_send(api->app, &thread, text, reply, NULL, 0, &id));
    proto_tls_wr_fixed(out, message_id_view(&id));
out:
    return e;
}

/* thread -> */
FN(op_seen)
{
    struct thread_id thread = {{0}};

    UNUSED(out);
    fed_api_rd_id(in, thread.b);
    return in->e != OK ? in->e : fed_app_seen(api->app, &thread);
}

/* -> wanted, up, asking, queued, behind, files, settled */
FN(op_sync)
{
    struct fed_app_sync s;

    UNUSED(in);
    fed_app_sync(api->app, &s);
    proto_tls_wr_u32(out, s.wanted);
    proto_tls_wr_u32(out, s.up);
    proto_tls_wr_u32(out, s.asking);
    proto_tls_wr_u64(out, s.queued);
    proto_tls_wr_u64(out, s.behind);
    proto_tls_wr_u32(out, s.files);
    proto_tls_wr_u8(out, s.settled ? 1 : 0);
    return OK;
}

static enum err (*const ops[])(struct fed_api *, struct proto_tls_rd *,
                               struct proto_tls_wr *) = {
    [1] = op_turn,
    [2] = op_committed,
    [3] = op_up,
    [4] = op_down,
    [5] = op_frame,
    [6] = op_tick,
    [7] = op_reset,
    [8] = op_me,
    [9] = op_new_patient,
    [10] = op_code,
    [11] = op_confirm,
    [12] = op_recover,
    [13] = op_identity,
    [14] = op_join,
    [15] = op_thread_next,
    [16] = op_message_next,
    [17] = op_send,
    [18] = op_seen,
    [19] = op_sync,
    [20] = fed_api_chan_new,
    [21] = fed_api_chan_step,
    [22] = fed_api_chan_seal,
    [23] = fed_api_chan_open,
    [24] = fed_api_chan_up,
    [25] = fed_api_chan_free,
    [26] = fed_api_doubt_next,
    [27] = fed_api_settle,
};

static enum err
call(struct fed_api *api, size_t op, struct proto_tls_rd *in,
     struct proto_tls_wr *out)
{
    if (op >= FED_API_TALK) {
        return fed_api_talk(api, op - FED_API_TALK, in, out);
    }
    if (op >= FED_API_CARE) {
        return fed_api_care(api, op - FED_API_CARE, in, out);
    }
    return op < sizeof(ops) / sizeof(ops[0]) && ops[op] != NULL
               ? ops[op](api, in, out)
               : ERR_UNSUPPORTED;
}

/* ----------------------------------------------------------------- exports */

EXPORT(balsam_alloc)
void *
fed_wasm_alloc(size_t len)
{
    return mem_alloc(mem_heap(), len);
}

EXPORT(balsam_free)
void
fed_wasm_free(void *p, size_t len)
{
    mem_free(mem_heap(), p, len);
}

/* The app on what the host's storage holds; NULL: it cannot be opened. */
EXPORT(balsam_new)
struct fed_api *
fed_wasm_new(void)
{
    struct fed_api *api = mem_alloc(mem_heap(), sizeof(*api));
    struct fed_app_config c = {
        .mem = mem_heap(),
        .rng = prim_rng_system(),
        .store = {host_get, host_next, host_put, host_del, host_commit, NULL},
        .net = {net_want, net_unwant, net_send, net_known, net_close, NULL},
        .event = on_event,
    };

    if (api == NULL) {
        return NULL;
    }
    api->clock = (struct clock){.wall_ms = wall_ms, .mono_ms = wall_ms};
    c.clock = &api->clock;
    if (fed_app_open(&c, &api->app) != OK) {
        mem_free(mem_heap(), api, sizeof(*api));
        return NULL;
    }
    return api;
}

/* The result is what balsam_out says until the next call. */
EXPORT(balsam_call)
int
fed_wasm_call(struct fed_api *api, int op, const uint8_t *args, size_t len)
{
    struct proto_tls_rd in = proto_tls_rd_open(view_make(args, len));
    struct proto_tls_wr out = proto_tls_wr_open(mem_heap());
    enum err e;

    bytes_free(&api->out);
    e = call(api, (size_t)(op < 0 ? 0 : op), &in, &out);
    if (e == OK) {
        e = proto_tls_wr_take(&out, &api->out);
    }
    proto_tls_wr_clear(&out);
    return (int)e;
}

EXPORT(balsam_out)
const uint8_t *
fed_wasm_out(const struct fed_api *api)
{
    return api->out.p;
}

EXPORT(balsam_out_len)
size_t
fed_wasm_out_len(const struct fed_api *api)
{
    return api->out.len;
}

EXPORT(balsam_err_name)
const char *
fed_wasm_err_name(int e)
{
    return err_name((enum err)e);
}
