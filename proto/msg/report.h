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

/* What a device signs of its report, so that who carries it cannot make one:
   [5, 1, ...] to this clinic I say what has this SHA-256. */
struct proto_report_said {
    uint8_t to[32];
    uint8_t hash[32];
};

enum {
    PROTO_FRANK_TAKEN = 4, /* heads of the statements */
    PROTO_REPORT_SAID = 5
};

enum proto_report_reason {
    PROTO_REPORT_OTHER = 0,
    PROTO_REPORT_SPAM = 1,
    PROTO_REPORT_ABUSE = 2,    /* threats, insults, harassment */
    PROTO_REPORT_IDENTITY = 3, /* not who they say they are */
    PROTO_REPORT_MISSENT = 4,  /* not meant for whoever got it */
    PROTO_REPORT_REASON_COUNT
};

/* An item, to a clinic; through a relay, which would see it, REPORT_SEALED. */
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
    struct view before;  /* content is an edit: of what, encoded; or empty */
};

/*
 * An item of a device, to a clinic that is carried to it: HPKE base mode to the
 * X25519 form of the key in the clinic's leaf, info "balsam v1 report" |
 * thread; enc, then ciphertext of proto_report_inside.
 */
struct proto_report_sealed {
    uint8_t thread[32];
    struct view sealed;
};

/*
 * The answer to REPORT_SEALED: it was opened, or not, as the clinic has another
 * node key by now; then that key's chain, to which it is sealed again.
 */
struct proto_report_seen {
    uint8_t thread[32];
    uint8_t hash[32]; /* SHA-256 of what was sealed */
    uint64_t opened;
    struct view chain; /* empty when it was opened */
};

struct proto_report_inside {
    struct view report; /* an encoded PROTO_PEER_REPORT */
    uint8_t sig[64];    /* the device's, of proto_report_said */
    struct view pad;    /* zeros, to steps of PROTO_REPORT_STEP */
};

enum {
    PROTO_REPORT_STEP = 1024
};

/* Of the statements, behind their heads. */
extern const struct proto_shape proto_frank_shape;
extern const struct proto_shape proto_report_said_shape;
extern const struct proto_shape proto_report_inside_shape;

#endif
