/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TLS connection without a socket: bytes that arrived go in, bytes to be
 * sent come out, so that any byte stream can carry it (a socket, or a splice
 * through another node, decisions B 8).
 *
 * Not for two threads at once; different sessions are independent.
 */
#ifndef CRYPTO_TLS_SESSION_H
#define CRYPTO_TLS_SESSION_H

#include "crypto/tls/policy.h"
#include "proto/base/id.h"

struct tlsp;

enum {
    TLSP_EXPORTER_LEN = 32
};

/*
 * Judges the peer inside the handshake, before we show it anything (as the
 * dialler) or believe it (as the acceptor): chain is what its wrapper carries,
 * key its TLS key, whose possession is proven only once tlsp_ready is true.
 * OK lets the handshake go on; anything else ends it and becomes the result of
 * tlsp_read.  Called inside tlsp_read, at most once.
 */
struct tlsp_verifier {
    enum err (*verify)(void *ctx, struct view chain,
                       const struct device_id *key);
    void *ctx;
};

/*
 * Open the dialling end of the node port; the first flight is in tlsp_out at
 * once.  Takes a reference to policy; verifier is copied, its ctx must outlive
 * the session.
 */
MUST_CHECK enum err tlsp_dial(const struct mem *mem, struct tlsp_policy *policy,
                              const struct tlsp_verifier *verifier,
                              struct tlsp **out);

/* The accepting end.  verifier is NULL for a web policy. */
MUST_CHECK enum err tlsp_accept(const struct mem *mem,
                                struct tlsp_policy *policy,
                                const struct tlsp_verifier *verifier,
                                struct tlsp **out);

/* Wipe and give back.  t may be NULL. */
void tlsp_free(struct tlsp *t);

/* True once the handshake is complete and the peer's key is proven. */
bool tlsp_ready(const struct tlsp *t);

/*
 * Drive the session with bytes from the stream: takes from the front of *in
 * and writes at most cap decrypted bytes to buf, *len_out of them.  Call again
 * while it gives OK: what was taken may hold more.  Handshake answers and
 * alerts appear in tlsp_out, also after a failure.
 *
 * OK           *len_out > 0
 * ERR_AGAIN    *in is used up and nothing is left to give; feed more
 * ERR_MISSING  the peer closed in order (close_notify); nothing will follow
 * ERR_AUTH     the peer is not acceptable (no certificate, bad signature,
 *              wrapper); or what the verifier answered
 * ERR_DENIED   the peer refuses us: its alert is about our certificate
 * ERR_STALE    once ready: the peer, whose certificate we accepted, refuses
 *              ours because it knows a newer one or its revocation
 * ERR_TIMEOUT  the same: ours has expired by its clock
 * ERR_FORMAT   not TLS, or broken TLS
 * ERR_UNSUPPORTED  no version, cipher, group or ALPN in common
 */
MUST_CHECK enum err tlsp_read(struct tlsp *t, struct view *in, uint8_t *buf,
                              size_t cap, size_t *len_out);

/*
 * Encrypt all of plain into tlsp_out.  All or nothing.
 * ERR_STATE  not ready yet, failed, or closed
 * ERR_NOMEM  the session is broken; free it
 */
MUST_CHECK enum err tlsp_write(struct tlsp *t, struct view plain);

/* Say goodbye (close_notify) into tlsp_out, when still possible. */
void tlsp_shutdown(struct tlsp *t);

/* Bytes for the stream, as a view: valid until the next call on t. */
struct view tlsp_out(const struct tlsp *t);

/* Take all bytes for the stream; *out must be empty. */
void tlsp_take_out(struct tlsp *t, struct bytes *out);

/*
 * Keying material (RFC 5705, RFC 8446 7.5), the same at both ends and bound to
 * this connection.  label starts with "EXPORTER-"; context may be empty.
 * ERR_STATE  not ready
 */
MUST_CHECK enum err tlsp_export(struct tlsp *t, const char *label,
                                struct view context,
                                uint8_t out[TLSP_EXPORTER_LEN]);

/* What was negotiated: 0x0304 is TLS 1.3; 0 when not ready. */
uint16_t tlsp_version(const struct tlsp *t);

/* The peer's TLS key.  ERR_STATE  not ready, or a web session */
MUST_CHECK enum err tlsp_peer_key(const struct tlsp *t, struct device_id *out);

#endif
