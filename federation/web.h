/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The web port of a net: HTTP/1.1 and WebSocket on the same connection core.
 * It serves a few fixed pages and lets patients' devices in: a WebSocket of
 * path FED_WEB_DEVICE with subprotocol FED_WEB_PROTOCOL carries the channel of
 * core/device_chan.h in binary messages, and what comes out of it is a peer of
 * the net like any other (on_peer_up with kind device and web set, frames,
 * fed_net_send, one connection a device).
 *
 * TLS with the operator's certificate, or plain on loopback or a unix socket
 * behind a proxy.  One request a connection: GET or HEAD, no body; the head is
 * at most FED_WEB_HEAD_MAX bytes within handshake_ms.  Host must be ours; a
 * WebSocket's Origin, when a browser sends one, must be that host's.
 */
#ifndef FEDERATION_WEB_H
#define FEDERATION_WEB_H

#include "federation/net.h"

enum {
    FED_WEB_HEAD_MAX = 8192,
    FED_WEB_PAGES_MAX = 32
};

#define FED_WEB_DEVICE "/device"
#define FED_WEB_PROTOCOL "balsam.device.1"

/*
 * A page.  One path may have several, each in another language: a browser gets
 * the one that it prefers, else the first.
 */
struct fed_web_page {
    struct view path;   /* "/l"; no query */
    struct view lang;   /* "de"; empty: for everybody */
    struct view type;   /* "text/html; charset=utf-8" */
    struct view policy; /* Content-Security-Policy */
    struct view body;
    bool keep; /* browsers may keep it and ask whether it changed */
};

struct fed_web_config {
    /*
     * Our public name as URLs say it, in lower case: "clinic.example" (any
     * port) or "clinic.example:8443".  Empty: only loopback names
     * ("localhost", "127.0.0.1", "[::1]", any port), for trying out.
     */
    struct view host;
    const struct fed_web_page *pages; /* copied */
    size_t pages_len;
};

/*
 * Once, before listening.
 * ERR_STATE    a second time
 * ERR_INVALID  host is no host name;  ERR_LIMIT  too many pages
 */
MUST_CHECK enum err fed_web_open(struct fed_net *net,
                                 const struct fed_web_config *config);

/*
 * These instead of all pages that there were; copied.
 * ERR_STATE  not open;  ERR_LIMIT  too many
 */
MUST_CHECK enum err fed_web_set_pages(struct fed_net *net,
                                      const struct fed_web_page *pages,
                                      size_t len);

/*
 * The certificate from now on (PEM; errors as tlsp_policy_web: the old one
 * stays).  Before the first fed_web_listen with tls; again when renewed.
 */
MUST_CHECK enum err fed_web_set_tls(struct fed_net *net, struct view cert_pem,
                                    struct view key_pem);

/* When that certificate ends, in ms since 1970; 0: none, or unknown. */
uint64_t fed_web_tls_ends_ms(struct fed_net *net);

/*
 * Listen at a numeric address; without tls only behind a proxy.  *port_out (may
 * be NULL) as fed_net_listen.
 * ERR_STATE    not open, or tls without a certificate
 * ERR_DENIED   plain at an address that is not loopback; others as
 *              fed_net_listen
 */
MUST_CHECK enum err fed_web_listen(struct fed_net *net,
                                   const struct fed_addr *addr, bool tls,
                                   uint16_t *port_out);

/*
 * Listen, plain, at a unix socket that anyone with rights to its folder may
 * connect to (mode 0660).  A socket left behind by a dead process is replaced.
 * ERR_EXISTS  somebody listens there;  ERR_LIMIT  the path is too long
 */
MUST_CHECK enum err fed_web_listen_path(struct fed_net *net, const char *path);

#endif
