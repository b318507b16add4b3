/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Showing a clinic one message that somebody got: the part of peer.h about
 * reports, and what a hub signs so that they can be proven (reference threads
 * 6.6).
 */
#ifndef PROTO_MSG_REPORT_H
#define PROTO_MSG_REPORT_H

#include "proto/msg/shape.h"

/*
 * What a thread's hub signs of an entry, as a statement of its node
 * (crypto/ident, IDENT_STATEMENT): [4, 1, ...] in this place I took from author
 * something with this tag in its AAD.  What it says the hub does not sign.
 */
struct proto_frank {
    uint8_t thread[32];
    uint64_t term;
    uint64_t seq;
    uint64_t ts_ms;
    uint8_t author[32]; /* subject */
    uint8_t tag[32];
};

enum {
    PROTO_FRANK_TAKEN = 4 /* head of the statement */
};

enum proto_report_reason {
    PROTO_REPORT_OTHER = 0,
    PROTO_REPORT_SPAM = 1,
    PROTO_REPORT_ABUSE = 2,    /* threats, insults, harassment */
    PROTO_REPORT_IDENTITY = 3, /* not who they say they are */
    PROTO_REPORT_MISSENT = 4,  /* not meant for whoever got it */
    PROTO_REPORT_REASON_COUNT
};

/*
 * An item, to a clinic.  Through a relay, which sees it, only to the hub, which
 * has the message itself: then words, content, ids and proof are empty.
 */
struct proto_report {
    uint8_t thread[32];
    uint8_t message[32];
    uint8_t author[32]; /* subject */
    uint64_t term;
    uint64_t seq;
    uint64_t ts_ms; /* hub time */
    uint64_t reason;
    struct view words;   /* of whoever reports */
    struct view content; /* what was said, encoded */
    struct view ids;     /* of all messages of the entry, 32 bytes each */
    struct view proof;   /* ident_by_node_open: proto_frank; or empty */
};

/* Of the statement, behind its head. */
extern const struct proto_shape proto_frank_shape;

#endif
