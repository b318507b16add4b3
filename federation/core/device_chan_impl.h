/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two files of the channel share; nobody else includes it.
 *
 *   device_chan.c       the messages, in their order
 *   device_chan_keys.c  what is signed, keys, sealed parts
 */
#ifndef FEDERATION_CORE_DEVICE_CHAN_IMPL_H
#define FEDERATION_CORE_DEVICE_CHAN_IMPL_H

#include "crypto/prim/aead.h"
#include "crypto/prim/hash.h"
#include "federation/core/device_chan.h"
#include "proto/wire/mp_wr.h"

enum {
    FED_CHAN_NONCE = 32,
    FED_CHAN_VERSION = 1
};

enum fed_chan_type {
    FED_CHAN_TYPE_OPEN = 1,
    FED_CHAN_TYPE_ANSWER = 2,
    FED_CHAN_TYPE_PROVE = 3,
    FED_CHAN_TYPE_DONE = 4
};

enum fed_chan_role {
    FED_CHAN_BY_ANSWER = 1,
    FED_CHAN_BY_PROVE = 2,
    FED_CHAN_BY_DONE = 3
};

enum fed_chan_state {
    FED_CHAN_DEAD,
    FED_CHAN_WANTS_OPEN,   /* node */
    FED_CHAN_WANTS_ANSWER, /* app */
    FED_CHAN_WANTS_PROVE,  /* node */
    FED_CHAN_WANTS_DONE,   /* app */
    FED_CHAN_READY
};

/* One direction of sealed messages. */
struct fed_chan_way {
    uint8_t key[PRIM_KEY_MAX];
    uint64_t n; /* messages so far */
};

struct fed_chan {
    const struct mem *mem;
    enum fed_chan_state state;
    bool app;
    uint8_t host[FED_CHAN_HOST_MAX];
    size_t host_len;
    struct clinic_id root;
    struct device_id device; /* zeros until known */
    struct prim_sign_key sign;
    struct bytes cert; /* ours: certificate or chain */
    struct fed_chan_judge judge;
    struct ident_check check;
    struct ident_node node;

    uint8_t priv[PRIM_X25519_SIZE];
    uint8_t nonce_app[FED_CHAN_NONCE], key_app[PRIM_X25519_SIZE];
    uint8_t nonce_node[FED_CHAN_NONCE], key_node[PRIM_X25519_SIZE];
    struct prim_sha256 log; /* over the messages so far */
    struct prim_secret secret;
    uint8_t seal_answer[PRIM_KEY_MAX], seal_prove[PRIM_KEY_MAX];
    uint8_t seal_done[PRIM_KEY_MAX];
    struct fed_chan_way out, in;
    uint8_t exporter[FED_CHAN_EXPORTER];
};

/* Sign as role; or check that signer did. */
MUST_CHECK enum err fed_chan_sign(const struct fed_chan *ch,
                                  enum fed_chan_role role,
                                  uint8_t sig[PRIM_ED25519_SIG]);
MUST_CHECK enum err fed_chan_signed(const struct fed_chan *ch,
                                    enum fed_chan_role role,
                                    const struct device_id *signer,
                                    struct view sig);

/* Keys of ANSWER and PROVE: both sides' keys are known, OPEN is in the log. */
MUST_CHECK enum err fed_chan_derive_hello(struct fed_chan *ch);
/* All others: OPEN, ANSWER and PROVE are in the log. */
MUST_CHECK enum err fed_chan_derive_traffic(struct fed_chan *ch);

/*
 * The sealed part of a message, bound to the log so far.  Each key seals one
 * thing, so the nonce is zeros.
 */
MUST_CHECK enum err fed_chan_seal_part(const struct fed_chan *ch,
                                       const uint8_t key[PRIM_KEY_MAX],
                                       struct proto_wr *take_part,
                                       struct proto_wr *w);
MUST_CHECK enum err fed_chan_open_part(const struct fed_chan *ch,
                                       const uint8_t key[PRIM_KEY_MAX],
                                       struct view sealed, struct bytes *out);

#endif
