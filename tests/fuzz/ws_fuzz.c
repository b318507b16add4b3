/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket frames from anybody, in pieces of any size (the first byte says
 * how).  What we take, Debian's wslay takes too and sees the same in; what we
 * give is written again as frames and read back the same.
 */
#include "federation/ws.h"
#include "proto/base/assert.h"

#include <string.h>
#include <wslay/wslay.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MAX = 5000,
    THINGS = 64
};

/* What came out of a reader. */
struct seen {
    size_t n;
    uint8_t what[THINGS];
    struct bytes body[THINGS];
};

static void
note(struct seen *s, uint8_t what, struct view body)
{
    if (s->n < THINGS) {
        s->what[s->n] = what;
        ASSERT(bytes_copy(mem_heap(), body, &s->body[s->n]) == OK);
        s->n++;
    }
}

static void
forget(struct seen *s)
{
    for (size_t i = 0; i < s->n; i++) {
        bytes_free(&s->body[i]);
    }
}

static enum err
ours(struct view in, size_t step, struct seen *s)
{
    struct fed_ws_rd r = {.mem = mem_heap()};
    enum err e = ERR_AGAIN;

    while (in.len > 0 && e == ERR_AGAIN) {
        size_t n = in.len < step ? in.len : step;
        struct view part = view_sub(in, 0, n);
        enum fed_ws_what what;
        struct view out;

        while ((e = fed_ws_next(&r, MAX, &part, &what, &out)) == OK) {
            ASSERT(out.len <= MAX);
            note(s, (uint8_t)what, out);
        }
        ASSERT(e != ERR_AGAIN || part.len == 0);
        ASSERT(fed_ws_held(&r) <= MAX);
        in = view_skip(in, n);
    }
    fed_ws_clear(&r);
    return e;
}

static ssize_t
feed(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags,
     void *user)
{
    struct view *in = user;
    size_t n = in->len < len ? in->len : len;

    (void)flags;
    if (n == 0) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(buf, in->p, n);
    *in = view_skip(*in, n);
    return (ssize_t)n;
}

static ssize_t
swallow(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags,
        void *user)
{
    (void)ctx;
    (void)data;
    (void)flags;
    (void)user;
    return (ssize_t)len;
}

struct other {
    struct view in; /* first: feed's */
    struct seen *s;
};

static void
on_message(wslay_event_context_ptr ctx,
           const struct wslay_event_on_msg_recv_arg *arg, void *user)
{
    (void)ctx;
    note(((struct other *)user)->s, arg->opcode,
         view_make(arg->msg, arg->msg_length));
}

static void
theirs(struct view in, struct seen *s)
{
    struct wslay_event_callbacks cb = {.recv_callback = feed,
                                       .send_callback = swallow,
                                       .on_msg_recv_callback = on_message};
    struct other o = {in, s};
    wslay_event_context_ptr ctx;

    ASSERT(wslay_event_context_server_init(&ctx, &cb, &o) == 0);
    wslay_event_config_set_max_recv_msg_length(ctx, MAX);
    (void)wslay_event_recv(ctx);
    wslay_event_context_free(ctx);
}

/* What we saw, as a client's frames, reads back the same. */
static void
again(const struct seen *s)
{
    struct bytes wire = {0};
    struct seen t = {.n = 0};

    for (size_t i = 0; i < s->n; i++) {
        static const uint8_t mask[4] = {0};
        uint8_t h[FED_WS_HEADER_OUT];
        size_t n =
            fed_ws_header((enum fed_ws_what)s->what[i], s->body[i].len, h);

        h[1] |= 0x80;
        ASSERT(bytes_append(mem_heap(), &wire, view_make(h, n)) == OK);
        ASSERT(bytes_append(mem_heap(), &wire, VIEW_ARRAY(mask)) == OK);
        ASSERT(bytes_append(mem_heap(), &wire, view_of(&s->body[i])) == OK);
    }
    ASSERT(wire.len == 0 || ours(view_of(&wire), 7, &t) == ERR_AGAIN);
    ASSERT(s->n == t.n);
    for (size_t i = 0; i < s->n; i++) {
        ASSERT(s->what[i] == t.what[i]);
        ASSERT(view_equal(view_of(&s->body[i]), view_of(&t.body[i])));
    }
    forget(&t);
    bytes_free(&wire);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen a = {.n = 0};
    struct seen b = {.n = 0};
    struct seen c = {.n = 0};
    struct view in;
    bool closed = false;

    if (size < 2 || size > 20000) {
        return 0;
    }
    in = view_make(data + 1, size - 1);
    (void)ours(in, (size_t)data[0] + 1, &a);
    (void)ours(in, in.len, &b);
    ASSERT(a.n == b.n);
    theirs(in, &c);
    for (size_t i = 0; i < a.n && !closed; i++) {
        /* it checks a close's code, and stops there */
        closed = a.what[i] == FED_WS_CLOSE;
        if (!closed) {
            ASSERT(i < c.n && a.what[i] == c.what[i]);
            ASSERT(view_equal(view_of(&a.body[i]), view_of(&c.body[i])));
        }
    }
    again(&a);
    forget(&a);
    forget(&b);
    forget(&c);
    return 0;
}
