/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an insider with all keys could send but our sealing refuses to: private
 * messages with any plaintext and any sender data.  Test only.
 */
#ifndef TESTS_CRYPTO_MLS_ATTACKER_H
#define TESTS_CRYPTO_MLS_ATTACKER_H

#include "crypto/mls/framing.h"

#include <string.h>

struct attack_private {
    const struct mls_suite *suite;
    struct view group_id;
    uint64_t epoch;
    enum mls_content_type type;
    struct view aad;
    const struct prim_secret *sender_data; /* sender_data_secret */
    const struct mls_key_nonce *key;
    uint32_t leaf;
    uint32_t generation;
    struct view plaintext; /* PrivateMessageContent, padding included */
};

/* An MLSMessage; the reuse guard is zero. */
MUST_CHECK static inline enum err
attack_private_seal(const struct mem *mem, const struct attack_private *x,
                    struct bytes *out)
{
    enum err e;
    const struct mls_suite *s = x->suite;
    struct proto_tls_wr aad = proto_tls_wr_open(mem);
    struct proto_tls_wr w = proto_tls_wr_open(mem);
    struct bytes ct = {0};
    struct mls_key_nonce key;
    uint8_t who[12 + PRIM_TAG_SIZE] = {0};
    struct mls_message m = {.wire = MLS_WIRE_PRIVATE};

    proto_tls_wr_vec(&aad, x->group_id);
    proto_tls_wr_u64(&aad, x->epoch);
    proto_tls_wr_u8(&aad, (uint8_t)x->type);
    proto_tls_wr_vec(&aad, x->aad);
    TRY(aad.e);
    TRY(bytes_alloc(mem, x->plaintext.len + PRIM_TAG_SIZE, &ct));
    TRY(prim_aead_seal(s->prim.aead, prim_secret_view(&x->key->key),
                       prim_secret_view(&x->key->nonce),
                       proto_tls_wr_view(&aad), x->plaintext, ct.p));
    mls_sender_data_key(s, x->sender_data, view_of(&ct), &key);
    for (size_t i = 0; i < 4; i++) {
        who[i] = (uint8_t)(x->leaf >> (24 - 8 * i));
        who[4 + i] = (uint8_t)(x->generation >> (24 - 8 * i));
    }
    proto_tls_wr_clear(&aad);
    proto_tls_wr_vec(&aad, x->group_id);
    proto_tls_wr_u64(&aad, x->epoch);
    proto_tls_wr_u8(&aad, (uint8_t)x->type);
    TRY(prim_aead_seal(s->prim.aead, prim_secret_view(&key.key),
                       prim_secret_view(&key.nonce), proto_tls_wr_view(&aad),
                       view_make(who, 12), who));
    m.u.private_message = (struct mls_private_message){
        x->group_id, x->epoch, x->type, x->aad, VIEW_ARRAY(who), view_of(&ct)};
    mls_message_write(&w, &m);
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&aad);
    proto_tls_wr_clear(&w);
    bytes_free(&ct);
    return e;
}

#endif
