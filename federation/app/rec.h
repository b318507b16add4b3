/* SPDX-License-Identifier: Apache-2.0 */
/* Stored records of the app (app.h says where they lie); see core/rec.h. */
#ifndef FEDERATION_APP_REC_H
#define FEDERATION_APP_REC_H

#include "proto/msg/shape.h"

/* Who we are.  Zeros: nobody yet. */
struct fed_app_rec_me {
    uint64_t stage; /* enum fed_app_stage */
    uint64_t code;  /* enum fed_app_code_state */
    bool alarm;
    bool settled; /* the home clinic has the newest list */
    bool removed; /* this device is not in the newest list */
    uint8_t patient[32];
    uint8_t home[32];
    struct view list;
    struct view cert;
    struct view name;
    struct view birth;
    uint64_t made_ms;
};

struct fed_app_rec_clinic {
    uint64_t number;
    uint64_t state;   /* enum fed_app_clinic_state */
    uint64_t learned; /* enum fed_app_learned */
    uint8_t by[32];
    uint8_t link[8];
    uint64_t answer;
    bool birth;
    uint64_t birth_tries;
    uint64_t since_ms;
    struct view addrs;
    struct view profile; /* signed */
    struct view label;
    bool blocked; /* the person wants to hear nothing of it */
};

/* Whether something may have been said before this device came (between.c). */
enum fed_app_between {
    FED_APP_BETWEEN_NO = 0,
    FED_APP_BETWEEN_NEW = 1,  /* new here, before the archive was read */
    FED_APP_BETWEEN_KEPT = 2, /* the archive knows it */
};

struct fed_app_rec_thread {
    uint64_t number;
    uint64_t state;
    uint64_t flags;
    uint8_t hub[32];
    uint64_t messages; /* numbers given */
    uint64_t unread;
    uint64_t waiting; /* of ours */
    uint64_t queued;  /* numbers given to what waits */
    uint64_t last_ms;
    uint64_t last_term; /* the newest place */
    uint64_t last_seq;
    uint64_t between; /* enum fed_app_between */
    struct view title;
    struct view group;
};

struct fed_app_rec_message {
    uint64_t number;
    uint8_t id[32];
    uint8_t author[32];
    uint64_t state; /* enum fed_message_state */
    uint64_t flags; /* enum fed_app_message_flag */
    uint64_t term;
    uint64_t seq;
    uint64_t at_ms;
    uint64_t edited;  /* place of the edit that counts */
    struct view text; /* EDITED: the new one */
    struct view content;
};

struct fed_app_rec_consent {
    uint64_t state; /* enum fed_app_consent_state */
    uint8_t thread[32];
    uint8_t question[32]; /* message id; zeros: none was asked */
    uint8_t clinic[32];
    uint8_t asker[32];
    uint64_t at_ms;
    struct view content; /* encoded: the question, or a desk's record */
};

struct fed_app_rec_file {
    bool up;
    bool done;
    bool failed;
    uint8_t peer[32];
    uint8_t message[32];
    uint64_t next; /* chunks that are there */
    struct view chunks;
};

/* Key: thread, what, who. */
struct fed_app_rec_doubt {
    uint8_t carries[32];
    uint64_t since_ms;
};

extern const struct proto_shape fed_app_rec_doubt_shape;
extern const struct proto_shape fed_app_rec_me_shape;
extern const struct proto_shape fed_app_rec_clinic_shape;
extern const struct proto_shape fed_app_rec_thread_shape;
extern const struct proto_shape fed_app_rec_message_shape;
extern const struct proto_shape fed_app_rec_consent_shape;
extern const struct proto_shape fed_app_rec_file_shape;

/* One thing in a part of the archive; what its fields mean depends on kind. */
struct fed_app_rec_entry {
    uint64_t kind;
    uint8_t thread[32];
    uint8_t id[32];
    uint8_t author[32];
    uint64_t term;
    uint64_t seq;
    uint64_t at_ms;
    struct view body;
    struct view more;
};

struct fed_app_rec_part {
    struct proto_list entries; /* fed_app_rec_entry */
};

extern const struct proto_shape fed_app_rec_entry_shape;
extern const struct proto_shape fed_app_rec_part_shape;

/* The archive's keys (ring.c): those that a device has, ... */
struct fed_app_rec_ring_key {
    uint64_t n;
    uint8_t key[32];
};

struct fed_app_rec_ring {
    struct proto_list keys;
};

/* ... and the newest for each, behind a statement's head. */
struct fed_app_rec_sealed {
    uint8_t device[32];
    uint8_t enc[32];
    uint8_t ct[48];
};

struct fed_app_rec_keys {
    uint8_t patient[32];
    uint64_t n;
    struct proto_list sealed;
};

/* One of them for a device that lacked it, behind a statement's head. */
struct fed_app_rec_given {
    uint8_t patient[32];
    uint64_t n;
    uint8_t device[32];
    uint8_t enc[32];
    uint8_t ct[48];
};

extern const struct proto_shape fed_app_rec_given_shape;
extern const struct proto_shape fed_app_rec_ring_key_shape;
extern const struct proto_shape fed_app_rec_ring_shape;
extern const struct proto_shape fed_app_rec_sealed_shape;
extern const struct proto_shape fed_app_rec_keys_shape;

/* What the person decided, for all devices (shared.c). */
struct fed_app_rec_choice {
    uint64_t kind; /* enum fed_app_choice */
    uint8_t clinic[32];
    uint64_t serial;
    bool on;
    uint8_t device[32]; /* where */
    uint64_t at_ms;
    struct view data;
    bool done; /* followed, on this device */
};

struct fed_app_rec_shared {
    struct proto_list choices; /* fed_app_rec_choice, ordered */
};

extern const struct proto_shape fed_app_rec_choice_shape;
extern const struct proto_shape fed_app_rec_shared_shape;

/* What a new device shows, and what it gets (codes.h). */
struct fed_app_rec_request {
    uint8_t device[32];
    uint8_t seal[32]; /* X25519, of this request alone */
};

struct fed_app_rec_grant {
    uint8_t patient[32];
    uint8_t home[32];
    uint8_t archive[32]; /* key; zeros: none */
    struct view cert;
    struct view list;
    struct view addrs;
};

extern const struct proto_shape fed_app_rec_request_shape;
extern const struct proto_shape fed_app_rec_grant_shape;

#endif
