/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The app and its channels for a host that is not C: one function takes an
 * operation number and its arguments and leaves a result, as
 * crypto/mls/api_wasm.h does; the host brings storage and transport as imports.
 * The fields of each operation are listed where it is implemented, and in the
 * same order in node/web/shared/core/app.ts and channel.ts.
 *
 * Channels are handed out as numbers (their addresses); the host gives each
 * back once.
 */
#ifndef FEDERATION_APP_API_WASM_H
#define FEDERATION_APP_API_WASM_H

#include "federation/app/app.h"
#include "proto/wire/tls_rd.h"
#include "proto/wire/tls_wr.h"

struct fed_api {
    struct fed_app *app;
    struct clock clock;
    struct bytes out; /* result of the last call */
};

/* An operation: reads its arguments, writes its result. */
#define FED_API_FN(NAME)                                        \
    enum err NAME(struct fed_api *api, struct proto_tls_rd *in, \
                  struct proto_tls_wr *out)

/* The other end of a clinic's id, a patient's, a thread's: 32 bytes. */
void fed_api_rd_id(struct proto_tls_rd *in, uint8_t out[32]);

FED_API_FN(fed_api_chan_new);
FED_API_FN(fed_api_chan_step);
FED_API_FN(fed_api_chan_seal);
FED_API_FN(fed_api_chan_open);
FED_API_FN(fed_api_chan_up);
FED_API_FN(fed_api_chan_free);

/* api_care_wasm.c, api_talk_wasm.c: operation i from these numbers on.
   ERR_UNSUPPORTED  no such one */
enum {
    FED_API_CARE = 32,
    FED_API_TALK = 64
};

MUST_CHECK enum err fed_api_care(struct fed_api *api, size_t i,
                                 struct proto_tls_rd *in,
                                 struct proto_tls_wr *out);
MUST_CHECK enum err fed_api_talk(struct fed_api *api, size_t i,
                                 struct proto_tls_rd *in,
                                 struct proto_tls_wr *out);

/* A link as text. */
MUST_CHECK enum err fed_api_rd_link(struct proto_tls_rd *in,
                                    struct proto_link *out);

FED_API_FN(fed_api_doubt_next);
FED_API_FN(fed_api_settle);

#endif
