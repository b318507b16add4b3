/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's channel with anybody at the other end.  The first byte says who
 * is fuzzed and with what; messages follow, each behind a byte of length.  In
 * half of the modes what is sealed is made here from the input, under the real
 * keys, so that the readers behind the seal are reached too.  An honest
 * handshake afterwards must still succeed, and nobody may have got in.
 */
#include "crypto/ident/sign.h"
#include "federation/core/device_chan_impl.h"
#include "proto/base/assert.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err
fill(void *ctx, uint8_t *out, size_t len)
{
    uint8_t *n = ctx;

    memset(out, ++*n, len);
    return OK;
}

static enum err
judge(void *ctx, struct view cert, const struct device_id *key)
{
    (void)ctx;
    (void)key;
    return cert.len == 3 ? OK : ERR_AUTH;
}

struct world {
    uint8_t count;
    struct rng rng;
    struct clinic_id root;
    struct bytes open;
    struct fed_chan *app;
    struct fed_chan *node;
};

static void
world_init(struct world *w)
{
    static const uint8_t seed[2][PRIM_ED25519_SEED] = {{1}, {2}};
    struct fed_chan_app app = {.host = VIEW_LIT("h"),
                               .seed = VIEW_ARRAY(seed[0]),
                               .cert = VIEW_LIT("abc"),
                               .check = {.root = &w->root}};
    struct fed_chan_node node = {.host = VIEW_LIT("h"),
                                 .seed = VIEW_ARRAY(seed[1]),
                                 .chain = VIEW_LIT("chain"),
                                 .judge = {judge, NULL}};

    *w = (struct world){.rng = {fill, &w->count}};
    ASSERT(fed_chan_app_new(mem_heap(), &w->rng, &app, &w->open, &w->app) ==
           OK);
    ASSERT(fed_chan_node_new(mem_heap(), &w->rng, &node, &w->node) == OK);
}

static void
world_clear(struct world *w)
{
    fed_chan_free(w->app);
    fed_chan_free(w->node);
    bytes_free(&w->open);
}

/* A message of type with head items, whose sealed part is in. */
static void
wrap(const struct fed_chan *ch, enum fed_chan_type type, struct view in,
     const uint8_t *nonce, const uint8_t *key, const uint8_t *seal,
     struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem_heap());
    struct proto_wr part = proto_wr_open(mem_heap());

    proto_wr_array(&w, nonce != NULL ? 5 : 3);
    proto_wr_uint(&w, type);
    proto_wr_uint(&w, 1);
    if (nonce != NULL) {
        proto_wr_bin(&w, view_make(nonce, FED_CHAN_NONCE));
        proto_wr_bin(&w, view_make(key, PRIM_X25519_SIZE));
    }
    proto_wr_raw(&part, in);
    ASSERT(fed_chan_seal_part(ch, seal, &part, &w) == OK);
    ASSERT(proto_wr_take(&w, out) == OK);
    proto_wr_clear(&part);
    proto_wr_clear(&w);
}

/* The app hears an ANSWER whose inside is in. */
static void
app_answer(struct world *w, struct view in)
{
    struct bytes answer = {0};
    struct bytes prove = {0};
    struct bytes m = {0};

    ASSERT(fed_chan_step(w->node, view_of(&w->open), &answer) == OK);
    wrap(w->app, FED_CHAN_TYPE_ANSWER, in, w->node->nonce_node,
         w->node->key_node, w->node->seal_answer, &m);
    ASSERT(fed_chan_step(w->app, view_of(&m), &prove) != OK);
    ASSERT(prove.len == 0);
    bytes_free(&m);
    bytes_free(&answer);
}

/* The node hears a PROVE whose inside is in. */
static void
node_prove(struct world *w, struct view in)
{
    struct bytes answer = {0};
    struct bytes done = {0};
    struct bytes m = {0};
    enum err e;

    ASSERT(fed_chan_step(w->node, view_of(&w->open), &answer) == OK);
    wrap(w->node, FED_CHAN_TYPE_PROVE, in, NULL, NULL, w->node->seal_prove, &m);
    e = fed_chan_step(w->node, view_of(&m), &done);
    ASSERT(e != OK || fed_chan_ready(w->node));
    ASSERT((e == OK) == (done.len > 0));
    bytes_free(&m);
    bytes_free(&done);
    bytes_free(&answer);
}

/* Any messages, as they come. */
static void
raw(struct fed_chan *ch, struct view in)
{
    while (in.len > 0) {
        size_t n = (size_t)in.p[0] * 8;
        struct bytes out = {0};
        enum err e;

        in = view_skip(in, 1);
        n = n < in.len ? n : in.len;
        e = fed_chan_step(ch, view_sub(in, 0, n), &out);
        ASSERT(e == OK || out.len == 0);
        ASSERT(!fed_chan_ready(ch));
        bytes_free(&out);
        in = view_skip(in, n);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w;
    struct view in;

    if (size == 0 || size > FED_CHAN_HELLO_MAX - 256) {
        return 0;
    }
    in = view_make(data + 1, size - 1);
    world_init(&w);
    switch (data[0] % 4) {
    case 0:
        raw(w.node, in);
        break;
    case 1:
        raw(w.app, in);
        break;
    case 2:
        app_answer(&w, in);
        break;
    default:
        node_prove(&w, in);
        break;
    }
    world_clear(&w);
    return 0;
}
