/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/tls/ws_accept.h"

#include "crypto/tls/ossl.h"

#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

enum {
    SHA1_LEN = 20,
    DECODED = 18 /* 24 digits of base64 with their padding */
};

/* The base64 of 16 bytes, and nothing else that decodes to them. */
static bool
is_key(struct view key)
{
    uint8_t raw[DECODED];
    uint8_t again[TLSP_WS_KEY + 1];

    if (key.len != TLSP_WS_KEY ||
        EVP_DecodeBlock(raw, key.p, TLSP_WS_KEY) != DECODED) {
        ERR_clear_error();
        return false;
    }
    return EVP_EncodeBlock(again, raw, 16) == TLSP_WS_KEY &&
           view_equal(view_make(again, TLSP_WS_KEY), key);
}

enum err
tlsp_ws_accept(struct view key, char out[TLSP_WS_ACCEPT + 1])
{
    uint8_t text[TLSP_WS_KEY + sizeof(GUID) - 1];
    uint8_t digest[SHA1_LEN];
    uint8_t coded[TLSP_WS_ACCEPT + 1];
    unsigned int len = 0;

    if (!is_key(key)) {
        return ERR_FORMAT;
    }
    memcpy(text, key.p, TLSP_WS_KEY);
    memcpy(text + TLSP_WS_KEY, GUID, sizeof(GUID) - 1);
    if (EVP_Digest(text, sizeof(text), digest, &len, EVP_sha1(), NULL) != 1) {
        ERR_clear_error();
        return ERR_NOMEM;
    }
    (void)EVP_EncodeBlock(coded, digest, SHA1_LEN);
    memcpy(out, coded, sizeof(coded));
    return OK;
}
