/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a patient's app and its home clinic's node say to each other, in the
 * manner of peer.h: fixed-arity msgpack arrays [type, version, ...].  Numbers
 * and byte examples are in proto/README.md.
 *
 * The node keeps one queue a device, numbered from 1; the app applies an item
 * and its number in one transaction and acknowledges, so that a repeat changes
 * nothing (decisions C 12, D 15).  What is queued and submitted are messages of
 * peer.h as they are (welcome, fan, answer, submissions, log.pull, ...), so
 * that a device is a follower like any other.  Attachments are peer.h's types
 * 96 to 99 on the same connection, outside the queue.
 *
 * Nothing but ENROL says a name, and that to the clinic itself.
 */
#ifndef PROTO_MSG_DEVICE_H
#define PROTO_MSG_DEVICE_H

#include "proto/msg/shape.h"

/* The numbers are on the wire, apart from those of peer.h. */
enum proto_device_type {
    PROTO_DEVICE_HELLO = 160,
    PROTO_DEVICE_READY = 161,
    PROTO_DEVICE_ENROL = 162,
    PROTO_DEVICE_ENROLLED = 163,
    PROTO_DEVICE_KP_PUBLISH = 164,
    PROTO_DEVICE_KP_STATE = 165,
    PROTO_DEVICE_PUSH = 166,
    PROTO_DEVICE_ACK = 167,
    PROTO_DEVICE_SUBMIT = 168,
    PROTO_DEVICE_TAKEN = 169,
    PROTO_DEVICE_LIST = 170,
    PROTO_DEVICE_LIST_STATE = 171,
    PROTO_DEVICE_PROFILE = 172,
    PROTO_DEVICE_BYE = 173
};

/* Bounds of this protocol alone, in bytes unless the name says otherwise. */
enum {
    PROTO_DEVICE_CERT_MAX = 512,  /* a device certificate */
    PROTO_DEVICE_LIST_MAX = 8192, /* a device list with its appends */
    PROTO_DEVICE_BIRTH_MAX = 10,  /* 1980-02-29 */
    PROTO_DEVICE_KPS_MAX = 64     /* key packages in one message */
};

/* First message of the app; the connection proved the device key. */
struct proto_device_hello {
    uint64_t version_min;
    uint64_t version_max;
    uint64_t suites;
    uint64_t frame_max;
    uint64_t now_ms;
    uint8_t patient[32];
    struct view cert;         /* device certificate */
    uint64_t list_generation; /* of the newest list that the app has */
    uint8_t queue[16];        /* as known; zeros: none */
    uint64_t applied;         /* its highest applied number */
    uint8_t profile_seen[32]; /* hash of the clinic's profile; zeros: none */
};

enum proto_device_code {
    PROTO_DEVICE_OK = 0,
    PROTO_DEVICE_UNKNOWN = 1,   /* this patient is not enrolled here */
    PROTO_DEVICE_SUSPENDED = 2, /* at the desk, or removed by the patient */
    PROTO_DEVICE_STALE = 3,     /* we have a newer one; it follows as LIST */
    PROTO_DEVICE_ALARM = 4,     /* two device lists of one generation */
    PROTO_DEVICE_DENIED = 5,
    PROTO_DEVICE_QUOTA = 6,
    PROTO_DEVICE_INVALID = 7,
    PROTO_DEVICE_REPEAT = 8, /* had it already; the answer stands */
    PROTO_DEVICE_CODE_COUNT
};

/* First message of the node. */
struct proto_device_ready {
    uint64_t version;
    uint64_t suites;
    uint64_t frame_max;
    uint64_t now_ms;
    uint64_t code;
    uint64_t list_generation; /* of the newest list that the node has */
    uint8_t queue[16];        /* another one: the app resyncs its threads */
    uint64_t first;           /* oldest number kept */
    uint64_t last;            /* newest; 0: none yet */
};

/*
 * Become a patient of this clinic by its link (decisions B 7, F 27).  Repeated
 * until answered with something final; the same patient again succeeds.
 */
struct proto_device_enrol {
    uint8_t link[8];
    struct view proof; /* one-time: HMAC, 32 bytes; else empty */
    uint8_t patient[32];
    struct view list;
    struct view cert;
    struct view name;  /* as the patient says; a claim */
    struct view birth; /* when the link asks for it, else empty */
};

struct proto_device_enrolled {
    uint8_t link[8];
    uint64_t code;       /* enum proto_redeem_code of peer.h */
    bool birth;          /* the date of birth is asked for, or was wrong */
    uint64_t tries;      /* left for it */
    struct view profile; /* signed, when code is OK or REVIEW */
    struct view forward; /* ROTATED: the signed forward */
};

struct proto_key_package {
    struct view kp; /* MLSMessage of a KeyPackage */
};

/* More single-use key packages, and perhaps another last resort. */
struct proto_device_kp_publish {
    uint8_t req[16];
    uint64_t suite;
    struct proto_list kps;   /* proto_key_package */
    struct view last_resort; /* or empty: the one before stays */
};

/* After each publish (req), and unasked when few are left (req zeros). */
struct proto_device_kp_state {
    uint8_t req[16];
    uint64_t code; /* enum proto_device_code */
    uint64_t suite;
    uint64_t left;          /* single-use ones that nobody claimed */
    uint64_t last_resort_s; /* end of its lifetime; 0: there is none */
};

/* Item number seq of the queue; body is a message of peer.h from 32 on. */
struct proto_device_push {
    uint64_t seq;
    struct view body;
};

/* Everything up to seq is committed on the device. */
struct proto_device_ack {
    uint64_t seq;
};

/* For the hub of a thread.  The hub's answer comes through the queue. */
struct proto_device_submit {
    uint8_t req[16]; /* that of body, or random: repeats are recognised by it */
    uint8_t hub[32]; /* clinic root */
    struct view body; /* a message of peer.h from 32 on */
};

/* The node has it durably (OK, REPEAT), or will not. */
struct proto_device_taken {
    uint8_t req[16];
    uint64_t code; /* enum proto_device_code */
};

/* A newer device list, either way. */
struct proto_device_list {
    uint8_t patient[32];
    struct view list;
};

struct proto_device_list_state {
    uint8_t patient[32];
    uint64_t code;       /* enum proto_device_code */
    uint64_t generation; /* that now counts at the sender */
};

/* What a clinic says about itself; root need not be the node's own. */
struct proto_device_profile {
    uint8_t root[32];
    struct view profile; /* signed; empty from the app: please send it */
};

struct proto_device_bye {
    uint64_t code; /* enum proto_bye_code of peer.h */
};

/* Any of them. */
struct proto_device_msg {
    enum proto_device_type type;
    union {
        struct proto_device_hello hello;
        struct proto_device_ready ready;
        struct proto_device_enrol enrol;
        struct proto_device_enrolled enrolled;
        struct proto_device_kp_publish kp_publish;
        struct proto_device_kp_state kp_state;
        struct proto_device_push push;
        struct proto_device_ack ack;
        struct proto_device_submit submit;
        struct proto_device_taken taken;
        struct proto_device_list list;
        struct proto_device_list_state list_state;
        struct proto_device_profile profile;
        struct proto_device_bye bye;
    } u;
};

/* Shape of a list's items, for proto_list_next. */
extern const struct proto_shape proto_key_package_shape;

/* The fields of a type; NULL when there is no such type. */
const struct proto_shape *proto_device_shape(uint64_t type);

/*
 * Encode; *out must be empty.
 * ERR_LIMIT  a field above its bound; ERR_INVALID  no such type
 */
MUST_CHECK enum err proto_device_encode(const struct mem *mem,
                                        const struct proto_device_msg *in,
                                        struct bytes *out);

/*
 * Decode; views point into in.
 * ERR_FORMAT, ERR_LIMIT  malformed
 * ERR_UNSUPPORTED  well-formed, but a type or version not spoken here
 */
MUST_CHECK enum err proto_device_decode(struct view in,
                                        struct proto_device_msg *out);

#endif
