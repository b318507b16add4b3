/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the web port share; nobody else includes it.
 *
 *   web.c       a link's life there: request, WebSocket, channel
 *   web_page.c  what a request is answered (bytes in, bytes out)
 *   web_door.c  listening, certificates, pages
 */
#ifndef FEDERATION_WEB_IMPL_H
#define FEDERATION_WEB_IMPL_H

#include "federation/core/device_chan.h"
#include "federation/http.h"
#include "federation/net_impl.h"
#include "federation/web.h"
#include "federation/ws.h"

enum {
    FED_WEB_HOST_MAX = FED_CHAN_HOST_MAX,
    FED_WEB_TAG = 18 /* an ETag: 16 digits in quotes */
};

/* How a listener's connections begin. */
struct fed_web_door {
    struct fed_net *net;
    bool tls;
    bool proxied; /* every address is the proxy's */
};

struct fed_web_own_page {
    struct fed_web_page page; /* views into hold */
    struct bytes hold;
    char tag[FED_WEB_TAG + 1];
};

/* The web port of a net; set up before listening, then constant but for
 * policy and pages (under net->mx). */
struct fed_web {
    const struct mem *mem;
    char host[FED_WEB_HOST_MAX + 1]; /* empty: loopback names */
    struct fed_web_own_page *pages;  /* FED_WEB_PAGES_MAX */
    size_t pages_len;
    struct fed_web_door doors[FED_LISTENERS];
    size_t doors_len;
    struct tlsp_policy *policy;
};

enum fed_web_state {
    FED_WEB_REQUEST,
    FED_WEB_ANSWERED, /* what still comes is dropped */
    FED_WEB_SOCKET
};

/* The part of a link that came through a door. */
struct fed_web_link {
    const struct fed_web *web;
    const struct fed_web_door *door;
    enum fed_web_state state;
    struct bytes head;
    struct fed_ws_rd ws;
    struct fed_chan *chan; /* under conn.mx from go_up on */
    struct bytes done;     /* our last word of its handshake, until go_up */
    /* under conn.mx */
    bool open; /* frames may be sent */
    bool socket;
    uint16_t close_code; /* 0: by the reason */
};

/* ----------------------------------------------------------- web_page.c */
/* What becomes of a request. */
enum fed_web_reply {
    FED_WEB_CLOSE,  /* *out is the answer, nothing more follows */
    FED_WEB_UPGRADE /* *out is the answer, frames follow */
};

/*
 * Answer a request that was read with e.  host (FED_WEB_HOST_MAX + 1 bytes)
 * becomes the name that a WebSocket's channel signs.
 */
MUST_CHECK enum err fed_web_answer(const struct fed_web *web, bool tls,
                                   enum err e, const struct fed_http_head *head,
                                   char *host, enum fed_web_reply *reply_out,
                                   struct bytes *out);

/* --------------------------------------------------------------- web.c */
/* Make a link of a stream that came through door; takes it in every case. */
MUST_CHECK enum err fed_web_link_open(struct fed_net *net,
                                      struct fed_stream *stream,
                                      const struct fed_web_door *door);
/* For link.c: l's web part. */
void fed_web_link_free(struct fed_link *l);
void fed_web_link_up(struct fed_link *l);
void fed_web_link_ping(struct fed_link *l);

/* ---------------------------------------------------------- web_door.c */
void fed_web_free(struct fed_web *web);

#endif
