/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channel between a patient's app and a clinic's node inside a WebSocket
 * (decisions F 26), where there is no TLS exporter and a proxy may stand in
 * between: mutual proof of keys, then sealed messages.
 *
 *     app   OPEN    [1, 1, nonce, key]
 *     node  ANSWER  [2, 1, nonce, key, sealed [chain, signature]]
 *     app   PROVE   [3, 1, sealed [device, certificate, signature]]
 *     node  DONE    [4, 1, sealed [signature]]        "you are accepted"
 *     both  sealed messages, nothing around them
 *
 * Each signature is over [type, 1, role, nonces, keys, clinic root, device,
 * host], label IDENT_DEVICE_HELLO; the role (1 ANSWER, 2 PROVE, 3 DONE) keeps
 * one side's from being given back to it, and ANSWER's device is zeros, since
 * the app has not said yet who it is.  It says so sealed: whoever stands in
 * between learns neither patient, device nor certificate.
 *
 *     handshake keys  HKDF(X25519, SHA-256(OPEN | node's nonce and key))
 *     traffic keys    HKDF(that secret, SHA-256(OPEN | ANSWER | PROVE))
 *
 * ChaCha20-Poly1305, one key a direction, the nonce counts messages: nothing
 * can be left out, repeated, reordered or given back.  Host is what the app
 * believes to speak to, as its URL says ("clinic.example", port only when it
 * is not the scheme's own); the node's is its own name, so that what was
 * signed for another host proves nothing here.
 *
 * Not for two threads at once.  Bounded: reads at most FED_CHAN_HELLO_MAX a
 * message, allocates for what it answers.  After any error the channel is
 * dead: every later call gives ERR_STATE.
 */
#ifndef FEDERATION_CORE_DEVICE_CHAN_H
#define FEDERATION_CORE_DEVICE_CHAN_H

#include "crypto/ident/cert.h"
#include "proto/base/rng.h"

enum {
    FED_CHAN_EXPORTER = 32,
    FED_CHAN_OVERHEAD = 16,      /* of a sealed message */
    FED_CHAN_HELLO_MAX = 2048,   /* the longest message of the handshake */
    FED_CHAN_CERT_MAX = 512,     /* a device certificate */
    FED_CHAN_HOST_MAX = 253 + 6, /* a host with its port */
    FED_CHAN_MESSAGE_MAX = 16 * 1024 * 1024
};

struct fed_chan;

/*
 * Judge the certificate of a device that showed it; possession of key is
 * proven already.  OK accepts it; anything else ends the handshake and becomes
 * the result.
 */
struct fed_chan_judge {
    enum err (*device)(void *ctx, struct view cert,
                       const struct device_id *key);
    void *ctx;
};

/* The app's end.  Everything is copied. */
struct fed_chan_app {
    struct view host;
    struct view seed; /* of the device key, 32 bytes */
    struct view cert; /* device certificate, 1 to FED_CHAN_CERT_MAX bytes */
    /* What the node's chain must be: root is the pinned one, never NULL; key
       is not looked at. */
    struct ident_check check;
};

/* The node's end.  Everything is copied. */
struct fed_chan_node {
    struct view host;
    struct clinic_id root;
    struct view seed; /* of the node key, 32 bytes */
    struct view chain;
    struct fed_chan_judge judge;
};

/*
 * A new channel; the app's has its OPEN in *open_out at once.
 * ERR_INVALID  a length of the config is out of its bounds
 * ERR_IO       no randomness
 */
MUST_CHECK enum err fed_chan_app_new(const struct mem *mem,
                                     const struct rng *rng,
                                     const struct fed_chan_app *config,
                                     struct bytes *open_out,
                                     struct fed_chan **out);
MUST_CHECK enum err fed_chan_node_new(const struct mem *mem,
                                      const struct rng *rng,
                                      const struct fed_chan_node *config,
                                      struct fed_chan **out);

/* Wipe and give back.  ch may be NULL. */
void fed_chan_free(struct fed_chan *ch);

/*
 * One message of the handshake.  *answer_out (empty on entry) is to be sent,
 * or stays empty.  The node is ready once it made DONE: send it before any
 * sealed message, or close instead to refuse; the app is ready with DONE.
 *
 * ERR_FORMAT, ERR_UNSUPPORTED  not what comes next, malformed, later version
 * ERR_LIMIT  longer than FED_CHAN_HELLO_MAX
 * ERR_AUTH   a signature, seal or chain is wrong, for another host or root
 * ERR_STALE  the app: the node's chain is expired or revoked
 * ERR_STATE  ready already, or dead
 * others     of judge
 */
MUST_CHECK enum err fed_chan_step(struct fed_chan *ch, struct view in,
                                  struct bytes *answer_out);

bool fed_chan_ready(const struct fed_chan *ch);

/*
 * The other side, once ready: to the app the node's chain as verified, to the
 * node the device.  ERR_STATE  not ready
 */
MUST_CHECK enum err fed_chan_peer_node(const struct fed_chan *ch,
                                       struct ident_node *out);
MUST_CHECK enum err fed_chan_peer_device(const struct fed_chan *ch,
                                         struct device_id *out);

/*
 * Keying material, the same at both ends and bound to this handshake: what the
 * TLS exporter is on the node port (ident_redeem).  ERR_STATE  not ready
 */
MUST_CHECK enum err fed_chan_exporter(const struct fed_chan *ch,
                                      uint8_t out[FED_CHAN_EXPORTER]);

/*
 * The next message for the other side; out has room for plain.len +
 * FED_CHAN_OVERHEAD bytes and is plain.p or does not overlap it.
 * ERR_STATE  not ready, dead, or a direction's 2^32 messages are used up
 * ERR_LIMIT  longer than FED_CHAN_MESSAGE_MAX
 */
MUST_CHECK enum err fed_chan_seal(struct fed_chan *ch, struct view plain,
                                  uint8_t *out);

/*
 * The next message of the other side; out has room for sealed.len -
 * FED_CHAN_OVERHEAD bytes and is sealed.p or does not overlap it.
 * ERR_AUTH   not that message
 * ERR_STATE, ERR_LIMIT  as above
 */
MUST_CHECK enum err fed_chan_open(struct fed_chan *ch, struct view sealed,
                                  uint8_t *out);

#endif
