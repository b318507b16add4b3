/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored records of the core.  Shapes of proto/msg with a version in front;
 * they are ours, so one that does not decode is ERR_CORRUPT.
 */
#ifndef FEDERATION_CORE_REC_H
#define FEDERATION_CORE_REC_H

#include "proto/base/id.h"
#include "proto/msg/shape.h"

/* This node. */
struct fed_rec_self {
    uint64_t incarnation; /* grows with each restore */
    bool restored;        /* streams began anew, threads resync */
    uint64_t hour_ms;     /* the hour whose links are counted */
    uint64_t hour_uses;   /* clinics that came by links without review */
    bool hour_told;       /* that there were too many of them */
    uint64_t renewed;     /* our leaves below this generation are being replaced
                             in all threads, or have been */
    uint64_t known_ms;    /* the newest time that we have seen proof of */
};

/* A clinic, patient or device that we know. */
struct fed_rec_party {
    uint64_t kind;       /* enum fed_kind */
    uint8_t subject[32]; /* in groups */
    uint8_t via[32];     /* who delivers; zeros: directly */
    uint64_t ours;       /* enum proto_stance */
    uint64_t theirs;     /* as last said */
    bool blocked;
    bool verified;
    uint8_t direct[32]; /* the direct thread; zeros: none */
    uint64_t generation;
    uint64_t revoked;
    uint64_t incarnation; /* theirs, highest seen */
    uint8_t profile[32];  /* hash of their profile that we hold */
    uint8_t picture[32];  /* that it names; zeros: none */
    uint64_t picture_len;
    bool pictured; /* it was shown */
    struct view addrs;
    /* how we met */
    uint8_t link[8];
    bool link_ours;
    bool one_time;
    bool in_person;
    uint8_t secret[16];
    struct view kp;   /* ASKED: ours that they get (a device's: fed_rec_claim);
                         REVIEW: theirs */
    uint64_t creator; /* GRANTED: who opens the direct thread */
    /* streams */
    uint8_t out_stream[16];
    uint8_t out_before[16]; /* the last one before it that they were told of */
    bool out_told;          /* they know out_stream */
    uint64_t out_next;
    uint64_t out_acked;
    uint8_t in_stream[16];
    uint64_t in_applied;
    uint64_t waits_ms; /* something waits for an acknowledgement since then */
    bool overdue;      /* and that was said */
    uint64_t answers;  /* rows put while it was being answered */
    uint64_t answer_bytes;
    uint64_t seen_ms; /* connected last, to the hour */
    bool deaf;        /* does not take answers: people were told */
    bool away;        /* DEVICE: not seen for long, out of its threads */
};

struct fed_rec_link {
    bool one_time;
    bool in_person;
    bool review;
    bool revoked;
    uint64_t expiry_s;
    uint64_t uses_max;
    uint64_t uses;
    uint64_t hour_ms;   /* the hour that is counted */
    uint64_t hour_uses; /* and who came in it */
    bool hour_told;
    uint8_t secret[16];
    uint8_t bound[32];
    struct view label;
    struct view forward;
    bool patients;
    struct view birth;
    uint64_t birth_tries;
};

struct fed_rec_kp {
    uint64_t made_ms;
    uint8_t peer[32];   /* whom it was given to */
    uint8_t thread[32]; /* claimed for it; zeros: the direct one with peer */
    bool last_resort;   /* serves more than once */
    struct view record;
};

/* Of a thread's log: places of these terms behind seq lost a race (branch.h) */
struct fed_rec_branch {
    uint64_t from;
    uint64_t to; /* 0: none */
    uint64_t seq;
};

enum {
    FED_BRANCHES_LOST = 3
};

struct fed_rec_thread {
    uint64_t state;
    uint64_t flags; /* of proto_group */
    uint8_t hub[32];
    uint64_t term;
    uint64_t seq;
    uint8_t head[32];
    uint64_t ts_ms;
    uint64_t epoch_seq; /* where the present epoch began */
    uint64_t epoch_ts_ms;
    bool late;             /* messages of the epoch before are still accepted */
    uint64_t kept;         /* lowest log number that is still here */
    uint64_t bare;         /* up to here no message is kept */
    uint64_t intents;      /* number of the next intent */
    uint64_t gap_from;     /* RESYNC: the first entry that we miss */
    uint64_t receipt_read; /* highest read receipt sent */
    uint64_t receipt_had;  /* what our newest delivered receipt names */
    uint64_t handed;       /* we handed over with this entry; 0: not */
    uint64_t others;       /* clinics beside the hub before, when it went */
    uint64_t had_seq;      /* RESYNC: what we had of the log before */
    uint64_t had_term;
    uint64_t back_to; /* of it, what is behind this one is given back; 0: as
                           far as the others have less; UINT64_MAX: nothing */
    struct fed_rec_branch lost[FED_BRANCHES_LOST]; /* the last one first */
    uint8_t next[32];      /* ENDED: the thread that continues it; or zeros */
    uint64_t missing_term; /* what a loss left to be asked for (missing.c) */
    uint64_t missing_from; /* 0: nothing */
    uint64_t missing_to;
    uint64_t missing_ms;    /* since then */
    uint64_t missing_asked; /* of so many members */
    /* watch.h; times are of our clock, to the hour */
    uint64_t lively_ms; /* newest words, by their sender's clock */
    uint64_t woke_ms;   /* they were the first after a quiet time */
    uint64_t spoke_ms;  /* our newest entry */
    uint64_t direct_ms; /* told the other members where we stand */
    uint64_t look_ms;   /* looked at then; 0: not */
    uint64_t said_seq;  /* our oldest words that somebody lacks; 0: none */
    uint64_t said_ms;
    uint64_t last_seq; /* our newest words */
    uint64_t last_ms;
    uint64_t refused;    /* RESYNC: so often (refused.c) */
    uint64_t refused_ms; /* first */
    uint64_t waits_ms;   /* RESYNC: told to wait since; 0: not */
    struct view group;   /* encoded proto_group; empty before the Welcome */
};

struct fed_rec_member {
    uint64_t acked;  /* log number that its node has */
    uint64_t fanned; /* log number up to which rows were put for it */
    uint64_t rows;   /* of them that it has not acknowledged */
    bool closed;     /* nothing is sent before it says where it stands */
    uint64_t stood;  /* it said so before we were the hub, or compared: there */
    uint64_t stood_term; /* 0: not */
    uint64_t came;       /* by this entry, or before it */
    uint64_t delivered;
    uint64_t read;
    uint64_t heard_ms;  /* its newest entry, by our clock, to the hour */
    uint64_t ahead_seq; /* it says that it was shown this; 0: nothing more */
    uint64_t ahead_term;
    uint64_t ahead_ms; /* said first */
    uint64_t doubts;   /* bits of enum fed_doubt that people were told */
};

struct fed_rec_log {
    uint64_t term;
    uint64_t ts_ms;
    uint64_t kind;    /* enum proto_entry_kind, never GONE; or below */
    uint8_t prev[32]; /* head before it */
    uint8_t head[32];
    uint8_t hash[32]; /* of the message */
};

enum {
    FED_ENTRY_REFUSED = 64 /* a message that its author's revoked key signed, or
                              that its author did not commit to */
};

enum fed_intent_kind {
    FED_INTENT_SAY = 1,
    FED_INTENT_ADD = 2,
    FED_INTENT_REMOVE = 3,
    FED_INTENT_REKEY = 4,
    FED_INTENT_RESYNC = 5,  /* follower: rejoin */
    FED_INTENT_CHECK = 6,   /* hub: compare with members, rejoin, new term */
    FED_INTENT_RENEW = 7,   /* have our leaf's revoked key replaced */
    FED_INTENT_DEVICES = 8, /* bring a patient's leaves in line with its list */
    FED_INTENT_MOVE = 9,    /* hub: hand over to id; data: and leave */
    FED_INTENT_GIVE = 10,   /* id asks for history; data: its question */
    FED_INTENT_AGAIN = 11,  /* data: places in which what we said is void */
    FED_INTENT_KIND_COUNT
};

struct fed_rec_intent {
    uint64_t kind;
    bool held;
    bool submitted;
    uint8_t id[32];   /* SAY: message id; ADD, REMOVE: subject */
    uint8_t req[16];  /* of the submission, or the claim */
    uint8_t hash[32]; /* of what was submitted */
    uint64_t epoch;   /* submitted in */
    uint64_t tries;
    uint64_t made_ms;
    bool overdue;      /* was said */
    struct view data;  /* SAY: content; ADD: the key package once claimed, of a
                          patient fed_rec_kps; DEVICES: fed_rec_out */
    struct view addrs; /* ADD: where the new node is */
};

struct fed_rec_stage {
    uint8_t req[16];  /* it was submitted with */
    uint8_t hash[32]; /* of the commit */
    struct view stage;
};

/* What a device tells when it enrols. */
struct fed_rec_claim {
    struct view name;
    struct view birth;
};

struct fed_rec_patient {
    uint64_t learned; /* enum fed_learned */
    uint8_t introducer[32];
    bool alarm;
    uint64_t believes_ms; /* own, on a device: until then (wall) clinics that
                             our home routes are found again; 0: never */
    struct view list;
};

/* A key package of a device. */
struct fed_rec_pool {
    bool last_resort;
    uint64_t until_s;
    struct view kp;
};

struct fed_rec_kps {
    struct proto_list kps; /* proto_key_package */
};

/* A device that goes although the list has it; zeros: as the list says. */
struct fed_rec_out {
    uint8_t device[32];
};

/* Whether we carry between a patient and a clinic. */
struct fed_rec_allow {
    bool allowed;
    uint64_t serial;
    uint64_t claims; /* of key packages, since */
    uint64_t since_ms;
    uint64_t before_ms; /* until then the clinic is one that was the patient's
                           home (before.c); 0: it is none */
};

/* Which of a patient's devices asked for a key of its archive (lack.c). */
struct fed_rec_lack {
    uint8_t device[32];
    uint64_t generation;
    uint64_t since_ms; /* of this hour */
    uint64_t count;    /* of questions in it */
};

struct fed_rec_lacks {
    struct proto_list rows; /* fed_rec_lack */
};

/* What was said about one patient and one clinic in a thread. */
struct fed_rec_consent {
    uint8_t patient[32];
    uint8_t clinic[32];
    bool desk;
    uint64_t serial;
    uint64_t withdrawn; /* the highest serial that took it back */
    uint64_t scope;
    struct view consent; /* signed; empty: none */
};

/* DEVICE: what the hub signed of an entry, so that it can be shown to others.
 */
struct fed_rec_frank {
    uint64_t term;
    uint64_t ts_ms;
    uint8_t author[32];
    struct view ids;   /* of the messages in it */
    struct view sig;   /* of its proto_frank */
    uint8_t chain[32]; /* hash of the hub's chain, a record of its own */
};

/* CLINIC: who reports to us, so that nobody does it without end. */
struct fed_rec_reporter {
    uint64_t since_ms;
    uint64_t count;
};

/* DEVICE: what was sealed, until it was opened. */
struct fed_rec_reported {
    uint64_t at_ms; /* first sealed then */
    struct view report;
};

/* A question in a thread. */
struct fed_rec_ask {
    uint8_t author[32];
    bool ours;
    bool answered;
    struct view content;
    bool yes; /* one of the answers */
};

extern const struct proto_shape fed_rec_self_shape;
extern const struct proto_shape fed_rec_party_shape;
extern const struct proto_shape fed_rec_link_shape;
extern const struct proto_shape fed_rec_kp_shape;
extern const struct proto_shape fed_rec_thread_shape;
extern const struct proto_shape fed_rec_member_shape;
extern const struct proto_shape fed_rec_log_shape;
extern const struct proto_shape fed_rec_intent_shape;
extern const struct proto_shape fed_rec_stage_shape;
extern const struct proto_shape fed_rec_claim_shape;
extern const struct proto_shape fed_rec_patient_shape;
extern const struct proto_shape fed_rec_pool_shape;
extern const struct proto_shape fed_rec_kps_shape;
extern const struct proto_shape fed_rec_out_shape;
extern const struct proto_shape fed_rec_allow_shape;
extern const struct proto_shape fed_rec_lack_shape;
extern const struct proto_shape fed_rec_lacks_shape;
extern const struct proto_shape fed_rec_consent_shape;
extern const struct proto_shape fed_rec_ask_shape;
extern const struct proto_shape fed_rec_frank_shape;
extern const struct proto_shape fed_rec_reporter_shape;
extern const struct proto_shape fed_rec_reported_shape;

MUST_CHECK enum err fed_rec_encode(const struct mem *mem,
                                   const struct proto_shape *shape,
                                   const void *from, struct bytes *out);

/* Views of *to point into in.  ERR_CORRUPT; ERR_UNSUPPORTED  newer */
MUST_CHECK enum err fed_rec_decode(struct view in,
                                   const struct proto_shape *shape, void *to);

#endif
