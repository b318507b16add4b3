/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only a patient's app and a clinic's node say to each other, in the
 * manner of peer.h: fixed-arity msgpack arrays [type, version, ...].  Numbers
 * and byte examples are in proto/README.md.
 *
 * A device's connection is like a node's: HELLO, numbered streams, ACK, all of
 * peer.h; a device is a follower like any other.  ENROL and ENROLLED are
 * frames of the connection, as LINK_REDEEM and LINK_RESULT are between
 * clinics; the others travel as items of a stream (inside DATA), so each is
 * applied exactly once.  LIST, LIST_STATE, FRANK_GET and FRANK also travel
 * inside routes.
 *
 * Nothing but ENROL says a name, and that to the clinic itself.
 */
#ifndef PROTO_MSG_DEVICE_H
#define PROTO_MSG_DEVICE_H

#include "proto/msg/peer.h"

/* The numbers are on the wire, apart from those of peer.h. */
enum proto_device_type {
    PROTO_DEVICE_ENROL = 160,
    PROTO_DEVICE_ENROLLED = 161,
    PROTO_DEVICE_KP_PUBLISH = 162,
    PROTO_DEVICE_KP_STATE = 163,
    PROTO_DEVICE_LIST = 164,
    PROTO_DEVICE_LIST_STATE = 165,
    PROTO_DEVICE_ALLOW = 166,
    PROTO_DEVICE_ARCHIVE_PUT = 167,
    PROTO_DEVICE_ARCHIVE_GET = 168,
    PROTO_DEVICE_ARCHIVE_PART = 169,
    PROTO_DEVICE_CONTINUE = 170,
    PROTO_DEVICE_HOME = 171,
    PROTO_DEVICE_BEFORE = 172,
    PROTO_DEVICE_ARCHIVE_KEY = 173,
    PROTO_DEVICE_ARCHIVE_KEYS = 174,
    PROTO_DEVICE_ARCHIVE_ASK = 175,
    PROTO_DEVICE_SHARED = 176,
    PROTO_DEVICE_FRANK_GET = 177,
    PROTO_DEVICE_FRANK = 178
};

/* Bounds of this protocol alone, in bytes unless the name says otherwise. */
enum {
    PROTO_DEVICE_CERT_MAX = 512, /* a device certificate */
    PROTO_DEVICE_LIST_MAX = PROTO_PATIENT_LIST,
    PROTO_DEVICE_BIRTH_MAX = 10,        /* 1980-02-29 */
    PROTO_DEVICE_KPS_MAX = 64,          /* key packages in one message */
    PROTO_DEVICE_PART_MAX = 512 * 1024, /* a sealed part of the archive */
    PROTO_DEVICE_KEYS_MAX = 4096,       /* its newest key for each device */
    PROTO_DEVICE_RING_MAX = 32 * 1024,  /* its older keys */
    PROTO_DEVICE_GIVEN_MAX = 512,       /* one key for one device */
    PROTO_DEVICE_SHARED_MAX = 32 * 1024 /* what all its devices know */
};

enum proto_device_code {
    PROTO_DEVICE_OK = 0,
    PROTO_DEVICE_UNKNOWN = 1, /* this patient is not enrolled here */
    PROTO_DEVICE_STALE = 2,   /* we have a newer one; it follows as LIST */
    PROTO_DEVICE_ALARM = 3,   /* two device lists of one generation */
    PROTO_DEVICE_QUOTA = 4,
    PROTO_DEVICE_INVALID = 5,
    PROTO_DEVICE_CODE_COUNT
};

/*
 * Become a patient of this clinic by its link (decisions B 7, F 27).  Repeated
 * until answered with something final; the same patient again succeeds.  A
 * further device of a patient who is enrolled needs no link (zeros): the list
 * that names it is enough.
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
    struct view forward; /* ROTATED: the signed forward */
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

/*
 * From a device to its delivery clinic: whether this other clinic gets key
 * packages and is carried to the patient.  The highest serial counts.
 */
struct proto_device_allow {
    uint8_t clinic[32];
    bool allowed;
    uint64_t serial;
};

/*
 * A patient's archive: sealed parts that the home clinic only keeps, for the
 * patient's later devices.  Which number a part gets is the clinic's choice;
 * they only grow.
 */
struct proto_device_archive_put {
    struct view part;
};

/* The parts from this number on, please; a few come at a time. */
struct proto_device_archive_get {
    uint64_t from;
};

/* Part number; 0: there are no more. */
struct proto_device_archive_part {
    uint64_t number;
    uint64_t last; /* newest number that there is; 0: none */
    struct view part;
};

/*
 * The archive's keys, one for each list that the patient key signed, so that a
 * device that was removed reads nothing that is archived afterwards.  From the
 * device that signed, and from the home clinic to the others, and as its answer
 * to ASK.  keys: the newest, sealed to each device, signed by the patient key
 * (empty: as before); ring: the older ones, sealed under the newest (empty: as
 * before).
 */
struct proto_device_archive_keys {
    uint64_t generation; /* that the patient key signed; 0: none is kept */
    struct view keys;
    struct view ring;
};

/* What is kept of them? */
struct proto_device_archive_ask {
    uint64_t generation; /* that the asker wants */
};

/*
 * One of the archive's keys for a device that lacks it.  Without sealed its
 * question, which the home clinic hands to the patient's other devices; with it
 * the answer of one of them, signed by it and sealed to the one that asked.
 */
struct proto_device_archive_key {
    uint8_t device[32]; /* that lacks it */
    uint64_t generation;
    struct view sealed;
};

/*
 * What a patient decided on one device and all should know, sealed under the
 * archive's key of this generation; the home clinic keeps the newest and hands
 * it to the others.  Without sealed: from a device a question for it, and from
 * the clinic that there is none.
 */
struct proto_device_shared {
    uint64_t generation;
    struct view sealed;
};

/* From a patient's device: a thread with us, please, that comes after this one,
   whose clinic is gone. */
struct proto_device_continue {
    uint8_t thread[32];
};

/* From a device that moved home, through the clinics of before to the patient's
   other devices: where the new one is.  That it is, the list says.
   As BEFORE from a device to its home: where the one before is, whose queues it
   may want to reach through the new one. */
struct proto_device_home {
    uint8_t clinic[32];
    struct view addrs;
};

/*
 * From a device to the hub: of these places please sign what stands there in
 * your own record (proto_frank).  A device asks for what came to it without:
 * pulled from the log, brought back by others, or from before it was there.
 * Neither says an id or an author: a relay may carry both.
 */
struct proto_frank_want {
    uint64_t term;
    uint64_t place; /* fed_place */
};

struct proto_device_frank_get {
    uint8_t thread[32];
    struct proto_list wants; /* proto_frank_want, LIMIT_FRANK_ASK at most */
};

/* The answer: a signature of the proto_frank with the tag of that one message,
   or none where there is no such message in the record. */
struct proto_frank_taken {
    uint64_t term;
    uint64_t place;
    uint64_t ts_ms;
    struct view sig; /* 64 bytes, or empty */
};

struct proto_device_frank {
    uint8_t thread[32];
    struct proto_list taken; /* proto_frank_taken */
};

extern const struct proto_shape proto_frank_want_shape;
extern const struct proto_shape proto_frank_taken_shape;

/* Any of them. */
struct proto_device_msg {
    enum proto_device_type type;
    union {
        struct proto_device_enrol enrol;
        struct proto_device_enrolled enrolled;
        struct proto_device_kp_publish kp_publish;
        struct proto_device_kp_state kp_state;
        struct proto_device_list list;
        struct proto_device_list_state list_state;
        struct proto_device_allow allow;
        struct proto_device_archive_put archive_put;
        struct proto_device_archive_get archive_get;
        struct proto_device_archive_part archive_part;
        struct proto_device_archive_keys archive_keys;
        struct proto_device_archive_ask archive_ask;
        struct proto_device_archive_key archive_key;
        struct proto_device_shared shared;
        struct proto_device_continue next;
        struct proto_device_home home;
        struct proto_device_frank_get frank_get;
        struct proto_device_frank frank;
    } u;
};

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
