/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's channel (federation/core/device_chan.h) for an app in a browser:
 * with the app's own key and certificate, which never leave this memory, and
 * against the generation that it knows of the clinic.
 */
#include "crypto/prim/random.h"
#include "federation/app/api_wasm.h"
#include "federation/app/inside.h"
#include "federation/core/device_chan.h"

#include <string.h>

static struct fed_chan *
rd_chan(struct proto_tls_rd *in)
{
    return (struct fed_chan *)(uintptr_t)proto_tls_rd_u32(in);
}

/* The lowest generation of the clinic's certificate that is still good. */
static enum err
known(const struct fed_app *app, const struct clinic_id *root, uint64_t *out)
{
    struct fed_party_info info;
    enum err e = app->core == NULL ? ERR_MISSING
                                   : fed_core_party(app->core, root, &info);

    *out = 0;
    if (e == OK) {
        *out = info.generation > info.revoked ? info.generation : info.revoked;
    }
    return e == ERR_MISSING ? OK : e;
}

/* clinic, host -> channel, OPEN */
FED_API_FN(fed_api_chan_new)
{
    enum err e;
    struct clinic_id root = {{0}};
    struct fed_chan_app config = {.check = {.root = &root}};
    struct fed_app_identity id = {.seed = {0}};
    struct fed_chan *chan = NULL;
    struct bytes open = {0};

    fed_api_rd_id(in, root.b);
    config.host = proto_tls_rd_vec(in);
    TRY(in->e);
    TRY(known(api->app, &root, &config.check.generation_min));
    config.check.now_ms = clock_wall_ms(&api->clock);
    TRY(fed_app_identity(api->app, &id));
    config.seed = VIEW_ARRAY(id.seed);
    config.cert = id.cert;
    TRY(fed_chan_app_new(mem_heap(), prim_rng_system(), &config, &open, &chan));
    proto_tls_wr_u32(out, (uint32_t)(uintptr_t)chan);
    proto_tls_wr_vec(out, view_of(&open));
    if (out->e != OK) {
        fed_chan_free(chan);
    }
out:
    bytes_free(&open);
    mem_wipe(&id, sizeof(id));
    return e;
}

/* channel, message -> answer (or empty), ready */
FED_API_FN(fed_api_chan_step)
{
    enum err e;
    struct fed_chan *chan = rd_chan(in);
    struct view message = proto_tls_rd_vec(in);
    struct bytes answer = {0};

    (void)api;
    TRY(in->e);
    TRY(fed_chan_step(chan, message, &answer));
    proto_tls_wr_vec(out, view_of(&answer));
    proto_tls_wr_u8(out, fed_chan_ready(chan) ? 1 : 0);
out:
    bytes_free(&answer);
    return e;
}

/* channel, frame -> sealed */
FED_API_FN(fed_api_chan_seal)
{
    enum err e;
    struct fed_chan *chan = rd_chan(in);
    struct view plain = proto_tls_rd_vec(in);
    struct bytes sealed = {0};

    (void)api;
    TRY(in->e);
    TRY(bytes_alloc(mem_heap(), plain.len + FED_CHAN_OVERHEAD, &sealed));
    TRY(fed_chan_seal(chan, plain, sealed.p));
    proto_tls_wr_vec(out, view_of(&sealed));
out:
    bytes_free(&sealed);
    return e;
}

/* channel, sealed -> frame */
FED_API_FN(fed_api_chan_open)
{
    enum err e;
    struct fed_chan *chan = rd_chan(in);
    struct view sealed = proto_tls_rd_vec(in);
    struct bytes plain = {0};

    (void)api;
    TRY(in->e);
    TRY(sealed.len >= FED_CHAN_OVERHEAD ? OK : ERR_AUTH);
    TRY(bytes_alloc(mem_heap(), sealed.len - FED_CHAN_OVERHEAD, &plain));
    TRY(fed_chan_open(chan, sealed, plain.p));
    proto_tls_wr_vec(out, view_of(&plain));
out:
    bytes_free(&plain);
    return e;
}

/* channel, serial -> ; as fed_app_up, with what its handshake has proven */
FED_API_FN(fed_api_chan_up)
{
    enum err e;
    const struct fed_chan *chan = rd_chan(in);
    struct fed_up up = {.kind = FED_KIND_CLINIC, .dialled = true};
    struct ident_node node;

    (void)out;
    up.serial = proto_tls_rd_u32(in);
    TRY(in->e);
    TRY(fed_chan_peer_node(chan, &node));
    TRY(fed_chan_exporter(chan, up.exporter));
    up.root = node.root;
    up.generation = node.generation;
    up.certified_ms = node.not_before_ms;
    TRY(fed_app_up(api->app, &up));
out:
    mem_wipe(&up, sizeof(up));
    return e;
}

/* channel -> */
FED_API_FN(fed_api_chan_free)
{
    (void)api;
    (void)out;
    fed_chan_free(rd_chan(in));
    return in->e;
}
