/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to a WebSocket's key (RFC 6455 4.2.2).  SHA-1, which protects
 * nothing here: it only shows that the server knows the protocol.  Pure.
 */
#ifndef CRYPTO_TLS_WS_ACCEPT_H
#define CRYPTO_TLS_WS_ACCEPT_H

#include "proto/base/bytes.h"

enum {
    TLSP_WS_KEY = 24,   /* 16 bytes as base64 */
    TLSP_WS_ACCEPT = 28 /* 20 bytes as base64 */
};

/*
 * out becomes text with a NUL.
 * ERR_FORMAT  key is not the base64 of 16 bytes
 */
MUST_CHECK enum err tlsp_ws_accept(struct view key,
                                   char out[TLSP_WS_ACCEPT + 1]);

#endif
