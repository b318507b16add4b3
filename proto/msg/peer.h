/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two nodes say to each other: fixed-arity msgpack arrays
 * [type, version, ...].  Numbers and byte examples are in proto/README.md.
 *
 * Types below 32 belong to the connection: they may be lost with it and are
 * said again after the next hello.  Types from 32 on travel only inside
 * PROTO_PEER_DATA, as numbered items of a stream that is applied exactly once.
 * Types from 96 on are attachments' chunks, from 112 on splices; both stay
 * outside streams.
 *
 * Nothing here names a person: sender and content are inside MLS.
 */
#ifndef PROTO_MSG_PEER_H
#define PROTO_MSG_PEER_H

#include "proto/msg/hub.h"
#include "proto/msg/report.h"

/* The protocol versions that this build speaks. */
#define PROTO_VERSION_MIN 1u
#define PROTO_VERSION_MAX 1u

/* Bits of hello's suites. */
#define PROTO_SUITE_BIT_1 1u
#define PROTO_SUITE_BIT_3 2u

enum proto_peer_type {
    PROTO_PEER_HELLO = 1,
    PROTO_PEER_ACK = 2,
    PROTO_PEER_DATA = 3,
    PROTO_PEER_LINK_OPEN = 4,
    PROTO_PEER_LINK_INFO = 5,
    PROTO_PEER_LINK_REDEEM = 6,
    PROTO_PEER_LINK_RESULT = 7,
    PROTO_PEER_CONTACT = 8,
    PROTO_PEER_PROFILE = 9,
    PROTO_PEER_BYE = 10,

    PROTO_PEER_WELCOME = 32,
    PROTO_PEER_APP_SUBMIT = 33,
    PROTO_PEER_HS_SUBMIT = 34,
    PROTO_PEER_ANSWER = 35,
    PROTO_PEER_FAN = 36,
    PROTO_PEER_LOG_PULL = 37,
    PROTO_PEER_LOG_PART = 38,
    PROTO_PEER_KP_CLAIM = 39,
    PROTO_PEER_KP_ANSWER = 40,
    PROTO_PEER_GI_GET = 41,
    PROTO_PEER_GI = 42,
    PROTO_PEER_FORK_ALERT = 43,
    PROTO_PEER_THREAD_END = 44,
    PROTO_PEER_ROUTE = 45,
    PROTO_PEER_ROUTED = 46,
    PROTO_PEER_HUB_OFFER = 47,
    PROTO_PEER_HUB_ACCEPT = 48,
    PROTO_PEER_HUB_GONE = 49,
    PROTO_PEER_HUB_SEEN = 50,
    PROTO_PEER_HUB_MOVE = 51,
    PROTO_PEER_ROSTER = 52,
    PROTO_PEER_CHECKPOINT = 53,
    PROTO_PEER_REPORT = 54,
    PROTO_PEER_PICTURE_GET = 55,
    PROTO_PEER_PICTURE = 56,
    PROTO_PEER_AWAY = 58,
    PROTO_PEER_REPORT_SEALED = 60,
    PROTO_PEER_REPORT_SEEN = 57,

    PROTO_PEER_BLOB_OPEN = 96,
    PROTO_PEER_BLOB_STATE = 97,
    PROTO_PEER_BLOB_PUT = 98,
    PROTO_PEER_BLOB_GET = 99,
    PROTO_PEER_BLOB_WANT = 100,

    PROTO_PEER_SPLICE_OPEN = 112,
    PROTO_PEER_SPLICE_DATA = 113,
    PROTO_PEER_SPLICE_MORE = 114,
    PROTO_PEER_SPLICE_CLOSE = 115
};

/* A patient's devices and the bytes of the list that names them. */
enum {
    PROTO_PATIENT_DEVICES = 16,
    PROTO_PATIENT_LIST = 8192
};

/* How one clinic stands to another, as it says so itself. */
enum proto_stance {
    PROTO_STANCE_NONE = 0,
    PROTO_STANCE_ASKED = 1,   /* asked to connect, waits */
    PROTO_STANCE_REVIEW = 2,  /* was asked, a person has to decide */
    PROTO_STANCE_GRANTED = 3, /* connected, as far as it is concerned */
    PROTO_STANCE_REFUSED = 4, /* said no; also what a blocked clinic hears */
    PROTO_STANCE_ENDED = 5,   /* was connected, disconnected */
    PROTO_STANCE_THREAD = 6,  /* not a contact, but in a shared thread */
    PROTO_STANCE_COUNT
};

/* First message of both sides.  Again after a change of stance only CONTACT. */
struct proto_hello {
    uint64_t version_min;
    uint64_t version_max;
    uint64_t suites;
    uint64_t frame_max;
    uint64_t now_ms;
    uint64_t generation;    /* of the sender's certificate */
    struct view revocation; /* newest root-signed revocation, or empty */
    uint64_t stance;
    uint8_t profile_seen[32];  /* hash of the receiver's profile that we hold */
    uint8_t out_stream[16];    /* the sender's stream to the receiver */
    uint64_t out_acked;        /* up to here the receiver acknowledged it */
    uint64_t out_last;         /* its newest number */
    uint8_t in_stream[16];     /* the receiver's stream as known; zeros: none */
    uint64_t in_applied;       /* its highest applied number */
    uint64_t incarnation;      /* grows with each restore of the sender */
    uint64_t incarnation_seen; /* the receiver's, highest seen */
    struct view addrs;         /* where the sender can be dialled (addr.h) */
};

/* Everything of the receiver's stream up to applied is committed. */
struct proto_ack {
    uint64_t applied;
};

/* Item number seq of the sender's stream; body is a message from 32 on. */
struct proto_data {
    uint64_t seq;
    struct view body;
};

/* What is behind this link?  Asked before a person decides. */
struct proto_link_open {
    uint8_t link[8];
};

enum proto_redeem_code {
    PROTO_REDEEM_OK = 0,
    PROTO_REDEEM_REVIEW = 1, /* asked for; a person will answer */
    PROTO_REDEEM_UNKNOWN = 2,
    PROTO_REDEEM_EXPIRED = 3,
    PROTO_REDEEM_REVOKED = 4,
    PROTO_REDEEM_USED = 5,    /* one-time, by somebody else; or used up */
    PROTO_REDEEM_ROTATED = 6, /* forward holds the new link */
    PROTO_REDEEM_PROOF = 7,   /* the proof of the secret is wrong */
    PROTO_REDEEM_REFUSED = 8,
    PROTO_REDEEM_LATER = 9, /* too many at once: asked again by itself */
    PROTO_REDEEM_CODE_COUNT
};

struct proto_link_info {
    uint8_t link[8];
    uint64_t code;
    bool one_time;
    bool in_person;
    bool review;
    uint64_t expiry_s;   /* 0: none */
    struct view label;   /* what the owner calls it towards visitors */
    struct view forward; /* ROTATED: the signed forward */
};

/*
 * Connect by this link.  Repeated with every connection until answered with
 * something final.  kp is a KeyPackage of the asking node, so that whoever
 * accepts can open the conversation at once.
 */
struct proto_link_redeem {
    uint8_t link[8];
    struct view proof; /* one-time: HMAC, 32 bytes; else empty */
    struct view kp;
};

enum proto_creator {
    PROTO_CREATOR_NONE = 0,
    PROTO_CREATOR_SENDER = 1, /* I open the conversation */
    PROTO_CREATOR_RECEIVER = 2
};

struct proto_link_result {
    uint8_t link[8];
    uint64_t code;
    uint64_t creator;
    struct view kp; /* when the receiver is to open it */
    struct view forward;
};

/* The sender's stance changed; repeats are harmless. */
struct proto_contact {
    uint64_t stance;
    uint64_t creator; /* with GRANTED, as in the result */
    struct view kp;
    struct view addrs; /* as in HELLO, for who was a stranger then */
};

/* The sender's profile, a signed statement. */
struct proto_profile_msg {
    struct view profile;
};

enum proto_bye_code {
    PROTO_BYE_VERSION = 1,  /* no common version or suite */
    PROTO_BYE_DENIED = 2,   /* not known here, or not welcome */
    PROTO_BYE_PROTOCOL = 3, /* said something impossible */
    PROTO_BYE_DOUBLE = 4,   /* the other connection is kept */
    PROTO_BYE_REVOKED = 5,  /* the node key was revoked */
    PROTO_BYE_LIMIT = 6,
    PROTO_BYE_CLOSING = 7,
    PROTO_BYE_COPY = 8 /* a newer copy of your node is running */
};

struct proto_bye {
    uint64_t code;
};

/* Join this thread; the log stands at seq of term, its head is head. */
struct proto_welcome {
    uint8_t thread[32];
    uint64_t term;
    uint64_t seq;
    uint64_t ts_ms; /* hub time of entry seq */
    uint8_t head[32];
    struct view welcome; /* MLS Welcome with the tree */
};

/* req is random and names the answer; the stream already prevents repeats. */
struct proto_app_submit {
    uint8_t req[16];
    uint8_t thread[32];
    uint8_t after[16]; /* the sender's submission before it that has no answer
                          yet; taken only behind it.  zeros: none */
    uint64_t term;
    struct view message; /* MLS PrivateMessage */
};

struct proto_node_addr {
    uint8_t root[32];
    struct view addrs;
};

struct proto_hs_submit {
    uint8_t req[16];
    uint8_t thread[32];
    uint64_t term;
    struct view message;     /* MLS commit */
    struct view welcome;     /* for those it adds, or empty */
    struct proto_list added; /* proto_node_addr of the nodes it adds */
};

enum proto_answer_code {
    PROTO_ANSWER_ACCEPTED = 0,
    PROTO_ANSWER_WRONG_EPOCH = 1, /* rebuild on the epoch given */
    PROTO_ANSWER_TOO_OLD = 2,     /* encrypt again, same message id */
    PROTO_ANSWER_WRONG_TERM = 3,
    PROTO_ANSWER_DENIED = 4,
    PROTO_ANSWER_INVALID = 5,
    PROTO_ANSWER_NOT_HUB = 6, /* unknown thread, or not ordered here */
    PROTO_ANSWER_RESYNC = 7,  /* does not follow from our log: rejoin */
    PROTO_ANSWER_WAIT = 8,    /* later: members are being compared */
    PROTO_ANSWER_LOST = 9,    /* has lost the thread's state itself */
    PROTO_ANSWER_CODE_COUNT
};

/* Of a submission, in the place of the log where it was accepted. */
struct proto_answer {
    uint8_t req[16];
    uint8_t thread[32];
    uint64_t code;
    uint64_t term;
    uint64_t seq;   /* ACCEPTED: its number; else the newest */
    uint64_t ts_ms; /* ACCEPTED: hub time */
    uint64_t epoch; /* of the hub */
};

enum proto_entry_kind {
    PROTO_ENTRY_APP = 1,
    PROTO_ENTRY_COMMIT = 2,
    PROTO_ENTRY_GONE = 3 /* pruned; hash stands for the message */
};

/* One entry of a thread's log.  head = hash of prev, term, seq, ts
   and the message's hash. */
struct proto_fan {
    uint8_t thread[32];
    uint64_t term;
    uint64_t seq;
    uint8_t prev[32];
    uint64_t ts_ms;
    uint64_t kind;
    struct view message;
    struct view frank; /* to a patient: proto_frank signed by the hub's node,
                          the signature alone; or empty */
};

/* Give me entries from..; what is below from is acknowledged by this. */
struct proto_log_pull {
    uint8_t thread[32];
    uint64_t term;
    uint64_t from;
    uint64_t max;
};

struct proto_log_entry {
    uint64_t term;
    uint64_t seq;
    uint64_t ts_ms;
    uint64_t kind;
    struct view message;
};

enum proto_log_code {
    PROTO_LOG_OK = 0,
    PROTO_LOG_PRUNED = 1, /* first is the first one kept */
    PROTO_LOG_UNKNOWN = 2,
    PROTO_LOG_TERM = 3,
    PROTO_LOG_CODE_COUNT
};

struct proto_log_part {
    uint8_t thread[32];
    uint64_t code;
    uint64_t term;
    uint64_t first;
    uint64_t last;             /* newest number of the sender */
    uint8_t prev[32];          /* head before first */
    struct proto_list entries; /* proto_log_entry */
};

/*
 * A key package for this thread, please; hub is who will order it.  who is a
 * patient whose devices the receiver delivers for, zeros the receiver itself.
 */
struct proto_kp_claim {
    uint8_t req[16];
    uint8_t thread[32];
    uint8_t hub[32];
    struct view hub_addrs;
    uint64_t suite;
    uint8_t who[32];
};

struct proto_key_package {
    struct view kp; /* MLSMessage of a KeyPackage */
};

struct proto_kp_answer {
    uint8_t req[16];
    uint8_t thread[32];
    uint64_t code;     /* enum proto_answer_code: ACCEPTED, DENIED, INVALID */
    struct view kp;    /* of the answering node itself */
    struct view addrs; /* where the hub can dial us */
    uint8_t who[32];   /* as claimed */
    struct proto_list kps; /* proto_key_package: one per device of a patient */
    struct view list;      /* the patient's newest device list */
};

/* The state of a thread for somebody who has to rejoin. */
struct proto_gi_get {
    uint8_t req[16];
    uint8_t thread[32];
    uint64_t term; /* what the sender last had, 0 if nothing */
    uint64_t seq;
    uint8_t head[32];
    uint8_t seal[32]; /* X25519 key to seal group_info to; zeros: not sealed */
};

struct proto_gi {
    uint8_t req[16];
    uint8_t thread[32];
    uint64_t code; /* enum proto_answer_code: ACCEPTED, DENIED, NOT_HUB */
    uint64_t term;
    uint64_t seq;
    uint64_t ts_ms;
    uint8_t head[32];
    uint64_t leaf;          /* the receiver's old leaf; UINT32_MAX: none */
    struct view group_info; /* MLS GroupInfo with tree; HPKE-sealed (enc, then
                               ciphertext) when that was asked for */
};

/* Our views of this thread differ. */
struct proto_fork_alert {
    uint8_t thread[32];
    uint64_t term;
    uint64_t seq;
    uint8_t head[32];
    uint64_t epoch;
    uint8_t authenticator[32];
};

/* We are out of this thread: two clinics disconnected, or it moved. */
struct proto_thread_end {
    uint8_t thread[32];
    uint64_t reason;
};

/* The picture that your profile names by this hash, please. */
struct proto_picture_get {
    uint8_t hash[32];
};

enum proto_picture_code {
    PROTO_PICTURE_OK = 0,
    PROTO_PICTURE_GONE = 1,  /* it is another by now: a newer profile says so */
    PROTO_PICTURE_LATER = 2, /* asked too often */
    PROTO_PICTURE_CODE_COUNT
};

struct proto_picture_msg {
    uint8_t hash[32]; /* as asked */
    uint64_t code;
    struct view bytes; /* OK */
};

/*
 * Through a patient's delivery clinic (decisions F 24).  From a device: to is a
 * clinic, and the delivery clinic hands body on as ROUTED {from: the device,
 * patient}.  From a clinic: to is a patient (each active device gets it once)
 * or one device, and the device gets ROUTED {from: the clinic, patient}.  body
 * is a message from 32 on, and no route; the relay does not look into it.
 */
struct proto_route {
    uint8_t to[32];
    struct view body;
};

/*
 * Who delivers to a patient says of one of its devices that it is out of every
 * thread, or back, so that who orders a thread removes it, or calls it.
 */
struct proto_away {
    uint8_t patient[32];
    uint8_t device[32];
    bool away;
};

struct proto_routed {
    uint8_t from[32];
    uint8_t patient[32];
    struct view body;
};

/*
 * Attachments: chunk files by the hash of their ciphertext.  far is the other
 * end when who speaks or hears only carries: from a device the clinic that
 * orders the thread, from a relaying clinic the patient.  Zeros: nobody else.
 */
struct proto_blob_open {
    uint8_t thread[32];
    uint8_t far[32];
    uint8_t blob[32];   /* hash of all chunk hashes */
    uint64_t size;      /* of the ciphertext, all chunks */
    struct view chunks; /* hashes of the chunks, 32 bytes each */
};

enum proto_blob_code {
    PROTO_BLOB_MORE = 0, /* next is the first missing chunk */
    PROTO_BLOB_COMPLETE = 1,
    PROTO_BLOB_QUOTA = 2,
    PROTO_BLOB_UNKNOWN = 3,
    PROTO_BLOB_DENIED = 4,
    PROTO_BLOB_CODE_COUNT
};

struct proto_blob_state {
    uint8_t thread[32];
    uint8_t blob[32];
    uint64_t code;
    uint64_t next;
};

struct proto_blob_put {
    uint8_t thread[32];
    uint8_t blob[32];
    uint64_t index;
    struct view chunk;
};

struct proto_blob_get {
    uint8_t thread[32];
    uint8_t far[32];
    uint8_t blob[32];
    uint64_t first;
    uint64_t count;
};

/*
 * Splices: a byte stream through a node that agreed to it (decisions B 8).
 * id is chosen by who opens: odd when its root is the smaller of the two.
 */
struct proto_splice_open {
    uint64_t id;
    uint8_t root[32]; /* who is wanted; the receiver itself at the far end */
};

struct proto_splice_data {
    uint64_t id;
    struct view bytes;
};

/* That many bytes more may be sent to the sender of this. */
struct proto_splice_more {
    uint64_t id;
    uint64_t credit;
};

enum proto_splice_code {
    PROTO_SPLICE_DONE = 0,
    PROTO_SPLICE_DENIED = 1,
    PROTO_SPLICE_AWAY = 2, /* who is wanted is not connected here */
    PROTO_SPLICE_QUOTA = 3,
    PROTO_SPLICE_PROTOCOL = 4,
    PROTO_SPLICE_CODE_COUNT
};

struct proto_splice_close {
    uint64_t id;
    uint64_t code;
};

struct proto_peer_msg {
    enum proto_peer_type type;
    union {
        struct proto_hello hello;
        struct proto_ack ack;
        struct proto_data data;
        struct proto_link_open link_open;
        struct proto_link_info link_info;
        struct proto_link_redeem link_redeem;
        struct proto_link_result link_result;
        struct proto_contact contact;
        struct proto_profile_msg profile;
        struct proto_bye bye;
        struct proto_welcome welcome;
        struct proto_app_submit app_submit;
        struct proto_hs_submit hs_submit;
        struct proto_answer answer;
        struct proto_fan fan;
        struct proto_log_pull log_pull;
        struct proto_log_part log_part;
        struct proto_kp_claim kp_claim;
        struct proto_kp_answer kp_answer;
        struct proto_gi_get gi_get;
        struct proto_gi gi;
        struct proto_fork_alert fork_alert;
        struct proto_thread_end thread_end;
        struct proto_hub_offer hub_offer;
        struct proto_hub_accept hub_accept;
        struct proto_hub_gone hub_gone;
        struct proto_hub_seen hub_seen;
        struct proto_hub_move hub_move;
        struct proto_roster roster;
        struct proto_checkpoint_msg checkpoint;
        struct proto_report report;
        struct proto_report_sealed report_sealed;
        struct proto_report_seen report_seen;
        struct proto_picture_get picture_get;
        struct proto_picture_msg picture;
        struct proto_route route;
        struct proto_routed routed;
        struct proto_away away;
        struct proto_blob_open blob_open;
        struct proto_blob_state blob_state;
        struct proto_blob_put blob_put;
        struct proto_blob_get blob_get;
        struct proto_blob_open blob_want; /* bring it, so that I can get it */
        struct proto_splice_open splice_open;
        struct proto_splice_data splice_data;
        struct proto_splice_more splice_more;
        struct proto_splice_close splice_close;
    } u;
};

/* Shapes of list items, for proto_list_next. */
extern const struct proto_shape proto_node_addr_shape;
extern const struct proto_shape proto_log_entry_shape;
extern const struct proto_shape proto_key_package_shape;

/*
 * Encode; *out must be empty.
 * ERR_LIMIT  a field above its bound; ERR_INVALID  no such type
 */
MUST_CHECK enum err proto_peer_encode(const struct mem *mem,
                                      const struct proto_peer_msg *in,
                                      struct bytes *out);

/*
 * Decode; views point into in.
 * ERR_FORMAT, ERR_LIMIT  malformed
 * ERR_UNSUPPORTED  well-formed, but a type or version not spoken here
 */
MUST_CHECK enum err proto_peer_decode(struct view in,
                                      struct proto_peer_msg *out);

/* The fields of a type, after [type, version]; NULL: no such type. */
const struct proto_shape *proto_peer_shape(uint64_t type);

/* Only the type; 0 when it cannot be read. */
uint16_t proto_peer_peek(struct view in);

#endif
