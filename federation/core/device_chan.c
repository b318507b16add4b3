/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGMA with sealed identities: keys first, then who we are, under them.  The
 * four messages are made and read here in their order; what follows from them
 * (keys of each stage) in derive_ functions.
 */
#include "federation/core/device_chan_impl.h"
#include "proto/wire/mp_rd.h"

#include <string.h>

enum {
    MESSAGES_MAX_LOG2 = 32
};

/* ---------------------------------------------------------------- making */
static enum err
init(struct fed_chan *ch, const struct rng *rng, struct view host,
     struct view seed, struct view cert)
{
    enum err e;
    size_t cert_max = ch->app ? FED_CHAN_CERT_MAX : IDENT_CHAIN_MAX;

    TRY(host.len > 0 && host.len <= sizeof(ch->host) ? OK : ERR_INVALID);
    TRY(seed.len == PRIM_ED25519_SEED ? OK : ERR_INVALID);
    TRY(cert.len > 0 && cert.len <= cert_max ? OK : ERR_INVALID);
    memcpy(ch->host, host.p, host.len);
    ch->host_len = host.len;
    prim_ed25519_from_seed(seed.p, &ch->sign);
    TRY(bytes_copy(ch->mem, cert, &ch->cert));
    TRY(rng_fill(rng, ch->priv, sizeof(ch->priv)));
    prim_sha256_init(&ch->log);
    if (ch->app) {
        memcpy(ch->device.b, ch->sign.pub, sizeof(ch->device.b));
        prim_x25519_base(ch->priv, ch->key_app);
        TRY(rng_fill(rng, ch->nonce_app, FED_CHAN_NONCE));
    } else {
        prim_x25519_base(ch->priv, ch->key_node);
        TRY(rng_fill(rng, ch->nonce_node, FED_CHAN_NONCE));
    }
out:
    return e;
}

/* [type, version, ...] with n items in all; the rest is written by the caller.
 */
static struct proto_wr
begin(const struct fed_chan *ch, enum fed_chan_type type, size_t n)
{
    struct proto_wr w = proto_wr_open(ch->mem);

    proto_wr_array(&w, n);
    proto_wr_uint(&w, type);
    proto_wr_uint(&w, FED_CHAN_VERSION);
    return w;
}

static enum err
make_open(struct fed_chan *ch, struct bytes *out)
{
    struct proto_wr w = begin(ch, FED_CHAN_TYPE_OPEN, 4);
    enum err e;

    proto_wr_bin(&w, VIEW_ARRAY(ch->nonce_app));
    proto_wr_bin(&w, VIEW_ARRAY(ch->key_app));
    TRY(proto_wr_take(&w, out));
    prim_sha256_update(&ch->log, view_of(out));
out:
    proto_wr_clear(&w);
    return e;
}

enum err
fed_chan_app_new(const struct mem *mem, const struct rng *rng,
                 const struct fed_chan_app *config, struct bytes *open_out,
                 struct fed_chan **out)
{
    enum err e;
    struct fed_chan *ch = mem_alloc(mem, sizeof(*ch));

    TRY(ch == NULL ? ERR_NOMEM : OK);
    ch->mem = mem;
    ch->app = true;
    TRY(config->check.root != NULL ? OK : ERR_INVALID);
    ch->root = *config->check.root;
    ch->check = config->check;
    ch->check.root = &ch->root;
    ch->check.key = NULL;
    TRY(init(ch, rng, config->host, config->seed, config->cert));
    TRY(make_open(ch, open_out));
    ch->state = FED_CHAN_WANTS_ANSWER;
    *out = ch;
    ch = NULL;
out:
    fed_chan_free(ch);
    return e;
}

enum err
fed_chan_node_new(const struct mem *mem, const struct rng *rng,
                  const struct fed_chan_node *config, struct fed_chan **out)
{
    enum err e;
    struct fed_chan *ch = mem_alloc(mem, sizeof(*ch));

    TRY(ch == NULL ? ERR_NOMEM : OK);
    ch->mem = mem;
    ch->root = config->root;
    ch->judge = config->judge;
    TRY(init(ch, rng, config->host, config->seed, config->chain));
    ch->state = FED_CHAN_WANTS_OPEN;
    *out = ch;
    ch = NULL;
out:
    fed_chan_free(ch);
    return e;
}

void
fed_chan_free(struct fed_chan *ch)
{
    if (ch != NULL) {
        bytes_free(&ch->cert);
        mem_free(ch->mem, ch, sizeof(*ch));
    }
}

/* The head of what must come next, [type, version, ...] of n items. */
static enum err
read_head(struct proto_rd *r, enum fed_chan_type type, uint32_t n)
{
    proto_rd_array(r, n);
    if (proto_rd_uint(r, FED_CHAN_TYPE_DONE) != type) {
        proto_rd_fail(r, ERR_FORMAT);
    }
    if (proto_rd_uint(r, UINT64_MAX) != FED_CHAN_VERSION) {
        proto_rd_fail(r, ERR_UNSUPPORTED);
    }
    return r->e;
}

/* --------------------------------------------------------------- the steps */
static enum err
make_answer(struct fed_chan *ch, struct bytes *out)
{
    struct proto_wr w = begin(ch, FED_CHAN_TYPE_ANSWER, 5);
    struct proto_wr part = proto_wr_open(ch->mem);
    uint8_t sig[PRIM_ED25519_SIG];
    enum err e;

    TRY(fed_chan_sign(ch, FED_CHAN_BY_ANSWER, sig));
    proto_wr_bin(&w, VIEW_ARRAY(ch->nonce_node));
    proto_wr_bin(&w, VIEW_ARRAY(ch->key_node));
    proto_wr_array(&part, 2);
    proto_wr_bin(&part, view_of(&ch->cert));
    proto_wr_bin(&part, VIEW_ARRAY(sig));
    TRY(fed_chan_seal_part(ch, ch->seal_answer, &part, &w));
    TRY(proto_wr_take(&w, out));
    prim_sha256_update(&ch->log, view_of(out));
out:
    proto_wr_clear(&part);
    proto_wr_clear(&w);
    return e;
}

static enum err
on_open(struct fed_chan *ch, struct view in, struct bytes *out)
{
    struct proto_rd r = proto_rd_open(in);
    enum err e;

    TRY(read_head(&r, FED_CHAN_TYPE_OPEN, 4));
    proto_rd_fixed(&r, ch->nonce_app, FED_CHAN_NONCE);
    proto_rd_fixed(&r, ch->key_app, PRIM_X25519_SIZE);
    TRY(proto_rd_end(&r));
    prim_sha256_update(&ch->log, in);
    TRY(fed_chan_derive_hello(ch));
    TRY(make_answer(ch, out));
    ch->state = FED_CHAN_WANTS_PROVE;
out:
    return e;
}

/* The chain is the pinned root's, and the node holds its key. */
static enum err
check_answer(struct fed_chan *ch, struct view part)
{
    struct proto_rd r = proto_rd_open(part);
    struct view chain;
    struct view sig;
    enum err e;

    proto_rd_array(&r, 2);
    chain = proto_rd_bin(&r, IDENT_CHAIN_MAX);
    sig = proto_rd_bin(&r, PRIM_ED25519_SIG);
    TRY(proto_rd_end(&r));
    /* decisions F 26: the pinned root, A 1 [chan-root] [chan-generation]
     * [chan-expired] */
    TRY(ident_chain_verify(ch->mem, chain, &ch->check, &ch->node));
    /* what the certified key signed, for this host [chan-node] [chan-host] */
    TRY(fed_chan_signed(ch, FED_CHAN_BY_ANSWER, &ch->node.key, sig));
out:
    return e;
}

static enum err
make_prove(struct fed_chan *ch, struct bytes *out)
{
    struct proto_wr w = begin(ch, FED_CHAN_TYPE_PROVE, 3);
    struct proto_wr part = proto_wr_open(ch->mem);
    uint8_t sig[PRIM_ED25519_SIG];
    enum err e;

    TRY(fed_chan_sign(ch, FED_CHAN_BY_PROVE, sig));
    proto_wr_array(&part, 3);
    proto_wr_bin(&part, device_id_view(&ch->device));
    proto_wr_bin(&part, view_of(&ch->cert));
    proto_wr_bin(&part, VIEW_ARRAY(sig));
    TRY(fed_chan_seal_part(ch, ch->seal_prove, &part, &w));
    TRY(proto_wr_take(&w, out));
    prim_sha256_update(&ch->log, view_of(out));
out:
    proto_wr_clear(&part);
    proto_wr_clear(&w);
    return e;
}

static enum err
on_answer(struct fed_chan *ch, struct view in, struct bytes *out)
{
    struct proto_rd r = proto_rd_open(in);
    struct bytes part = {0};
    struct view sealed;
    enum err e;

    TRY(read_head(&r, FED_CHAN_TYPE_ANSWER, 5));
    proto_rd_fixed(&r, ch->nonce_node, FED_CHAN_NONCE);
    proto_rd_fixed(&r, ch->key_node, PRIM_X25519_SIZE);
    sealed = proto_rd_bin(&r, FED_CHAN_HELLO_MAX);
    TRY(proto_rd_end(&r));
    TRY(fed_chan_derive_hello(ch));
    TRY(fed_chan_open_part(ch, ch->seal_answer, sealed, &part));
    TRY(check_answer(ch, view_of(&part)));
    prim_sha256_update(&ch->log, in);
    TRY(make_prove(ch, out));
    TRY(fed_chan_derive_traffic(ch));
    ch->state = FED_CHAN_WANTS_DONE;
out:
    bytes_free(&part);
    return e;
}

/* The device holds its key, and is one that we take. */
static enum err
check_prove(struct fed_chan *ch, struct view part)
{
    struct proto_rd r = proto_rd_open(part);
    struct view cert;
    struct view sig;
    enum err e;

    proto_rd_array(&r, 3);
    ch->device = proto_rd_device_id(&r);
    cert = proto_rd_bin(&r, FED_CHAN_CERT_MAX);
    sig = proto_rd_bin(&r, PRIM_ED25519_SIG);
    TRY(proto_rd_end(&r));
    /* the key first, then its certificate [chan-device] [chan-replay] */
    TRY(fed_chan_signed(ch, FED_CHAN_BY_PROVE, &ch->device, sig));
    TRY(ch->judge.device(ch->judge.ctx, cert, &ch->device));
out:
    return e;
}

static enum err
make_done(struct fed_chan *ch, struct bytes *out)
{
    struct proto_wr w = begin(ch, FED_CHAN_TYPE_DONE, 3);
    struct proto_wr part = proto_wr_open(ch->mem);
    uint8_t sig[PRIM_ED25519_SIG];
    enum err e;

    TRY(fed_chan_sign(ch, FED_CHAN_BY_DONE, sig));
    proto_wr_array(&part, 1);
    proto_wr_bin(&part, VIEW_ARRAY(sig));
    TRY(fed_chan_seal_part(ch, ch->seal_done, &part, &w));
    TRY(proto_wr_take(&w, out));
out:
    proto_wr_clear(&part);
    proto_wr_clear(&w);
    return e;
}

static enum err
on_prove(struct fed_chan *ch, struct view in, struct bytes *out)
{
    struct proto_rd r = proto_rd_open(in);
    struct bytes part = {0};
    struct view sealed;
    enum err e;

    TRY(read_head(&r, FED_CHAN_TYPE_PROVE, 3));
    sealed = proto_rd_bin(&r, FED_CHAN_HELLO_MAX);
    TRY(proto_rd_end(&r));
    TRY(fed_chan_open_part(ch, ch->seal_prove, sealed, &part));
    TRY(check_prove(ch, view_of(&part)));
    prim_sha256_update(&ch->log, in);
    TRY(fed_chan_derive_traffic(ch));
    TRY(make_done(ch, out));
    ch->state = FED_CHAN_READY;
out:
    bytes_free(&part);
    return e;
}

static enum err
on_done(struct fed_chan *ch, struct view in)
{
    struct proto_rd r = proto_rd_open(in);
    struct bytes part = {0};
    struct proto_rd inner;
    struct view sealed;
    struct view sig;
    enum err e;

    TRY(read_head(&r, FED_CHAN_TYPE_DONE, 3));
    sealed = proto_rd_bin(&r, FED_CHAN_HELLO_MAX);
    TRY(proto_rd_end(&r));
    TRY(fed_chan_open_part(ch, ch->seal_done, sealed, &part));
    inner = proto_rd_open(view_of(&part));
    proto_rd_array(&inner, 1);
    sig = proto_rd_bin(&inner, PRIM_ED25519_SIG);
    TRY(proto_rd_end(&inner));
    TRY(fed_chan_signed(ch, FED_CHAN_BY_DONE, &ch->node.key, sig));
    ch->state = FED_CHAN_READY;
out:
    bytes_free(&part);
    return e;
}

/* What only the handshake needed. */
static void
forget(struct fed_chan *ch)
{
    mem_wipe(&ch->sign, sizeof(ch->sign));
    prim_secret_wipe(&ch->secret);
    mem_wipe(ch->seal_answer, sizeof(ch->seal_answer));
    mem_wipe(ch->seal_prove, sizeof(ch->seal_prove));
    mem_wipe(ch->seal_done, sizeof(ch->seal_done));
    bytes_free(&ch->cert);
}

enum err
fed_chan_step(struct fed_chan *ch, struct view in, struct bytes *answer_out)
{
    enum err e = ERR_STATE;

    if (ch->state == FED_CHAN_READY || ch->state == FED_CHAN_DEAD) {
        return ERR_STATE;
    }
    if (in.len > FED_CHAN_HELLO_MAX) {
        e = ERR_LIMIT;
    } else if (ch->state == FED_CHAN_WANTS_OPEN) {
        e = on_open(ch, in, answer_out);
    } else if (ch->state == FED_CHAN_WANTS_ANSWER) {
        e = on_answer(ch, in, answer_out);
    } else if (ch->state == FED_CHAN_WANTS_PROVE) {
        e = on_prove(ch, in, answer_out);
    } else {
        e = on_done(ch, in);
    }
    if (e != OK) {
        ch->state = FED_CHAN_DEAD;
        bytes_free(answer_out);
    }
    if (e != OK || ch->state == FED_CHAN_READY) {
        forget(ch);
    }
    return e;
}

/* ------------------------------------------------------------- afterwards */
bool
fed_chan_ready(const struct fed_chan *ch)
{
    return ch->state == FED_CHAN_READY;
}

enum err
fed_chan_peer_node(const struct fed_chan *ch, struct ident_node *out)
{
    if (ch->state != FED_CHAN_READY || !ch->app) {
        return ERR_STATE;
    }
    *out = ch->node;
    return OK;
}

enum err
fed_chan_peer_device(const struct fed_chan *ch, struct device_id *out)
{
    if (ch->state != FED_CHAN_READY || ch->app) {
        return ERR_STATE;
    }
    *out = ch->device;
    return OK;
}

enum err
fed_chan_exporter(const struct fed_chan *ch, uint8_t out[FED_CHAN_EXPORTER])
{
    if (ch->state != FED_CHAN_READY) {
        return ERR_STATE;
    }
    memcpy(out, ch->exporter, FED_CHAN_EXPORTER);
    return OK;
}

/* The nonce of a direction's next message: it counts them [chan-order] */
static enum err
next_nonce(struct fed_chan_way *way, uint8_t nonce[PRIM_NONCE_SIZE])
{
    if (way->n >> MESSAGES_MAX_LOG2 != 0) {
        return ERR_STATE;
    }
    memset(nonce, 0, PRIM_NONCE_SIZE);
    for (size_t i = 0; i < 8; i++) {
        nonce[PRIM_NONCE_SIZE - 1 - i] = (uint8_t)(way->n >> (8 * i));
    }
    way->n++;
    return OK;
}

enum err
fed_chan_seal(struct fed_chan *ch, struct view plain, uint8_t *out)
{
    uint8_t nonce[PRIM_NONCE_SIZE];
    enum err e;

    TRY(ch->state == FED_CHAN_READY ? OK : ERR_STATE);
    TRY(plain.len <= FED_CHAN_MESSAGE_MAX ? OK : ERR_LIMIT);
    TRY(next_nonce(&ch->out, nonce));
    TRY(prim_aead_seal(PRIM_CHACHA20_POLY1305, VIEW_ARRAY(ch->out.key),
                       VIEW_ARRAY(nonce), view_make(NULL, 0), plain, out));
out:
    return e;
}

enum err
fed_chan_open(struct fed_chan *ch, struct view sealed, uint8_t *out)
{
    uint8_t nonce[PRIM_NONCE_SIZE];
    enum err e;

    TRY(ch->state == FED_CHAN_READY ? OK : ERR_STATE);
    TRY(sealed.len <= (size_t)FED_CHAN_MESSAGE_MAX + FED_CHAN_OVERHEAD
            ? OK
            : ERR_LIMIT);
    TRY(next_nonce(&ch->in, nonce));
    TRY(prim_aead_open(PRIM_CHACHA20_POLY1305, VIEW_ARRAY(ch->in.key),
                       VIEW_ARRAY(nonce), view_make(NULL, 0), sealed, out));
out:
    if (e == ERR_AUTH) {
        ch->state = FED_CHAN_DEAD;
    }
    return e;
}
