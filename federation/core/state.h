/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core holds in memory: itself, parties, threads.  Caches of records
 * (rec.h) and what lasts as long as a connection.  Not for others.
 */
#ifndef FEDERATION_CORE_STATE_H
#define FEDERATION_CORE_STATE_H

#include "crypto/ident/consent.h"
#include "crypto/mls/mls.h"
#include "federation/core/patient.h"
#include "federation/core/rec.h"
#include "proto/base/limits.h"

/* One item under way to a peer, as far as the acknowledgement needs it. */
struct fed_flight {
    bool fan;    /* an entry, or */
    bool answer; /* that theirs was accepted */
    struct thread_id thread;
    uint64_t entry; /* log number */
    uint32_t size;
    uint64_t kept; /* bytes of an answer's row */
};

/*
 * A clinic, a patient or a patient's device, by its 32-byte id.  A device is
 * reached over its own connection, a patient through its devices; either, when
 * another clinic delivers, through that clinic (via), and on a device so are
 * clinics that one of ours introduced.
 */
struct fed_party {
    struct clinic_id root;
    struct clinic_id subject; /* in groups: itself, or a device's patient */
    enum fed_kind kind;
    struct fed_party *via;      /* NULL: directly */
    struct ident_devices *list; /* PATIENT: its newest list, once loaded */
    struct fed_rec_party rec;   /* views: the two below */
    struct bytes addrs;
    struct bytes kp;
    bool stored;  /* has a record */
    bool touched; /* looked up since the last take */
    bool dirty;
    bool wanted; /* WANT was said */
    bool denied; /* it does not want to hear from us: no dialling */
    /* looking behind a link, not stored */
    bool looking;
    struct fed_invitation look; /* addrs: unused */
    /* the connection */
    bool up;
    bool greeted;
    bool met;            /* greeted since this process began */
    bool outdated;       /* it knows a newer certificate of ours */
    bool fresh;          /* first heard of since then */
    uint64_t known_next; /* rec.out_next when this process began */
    bool ack_due;
    bool told_known;
    uint64_t serial;
    uint64_t live_ms;      /* wall time of the greeting */
    uint64_t back_ms;      /* likewise, of the first one after it was away */
    uint64_t certified_ms; /* when its newest certificate begins */
    uint8_t exporter[32];
    uint8_t profile_seen[32]; /* of ours, that they hold */
    bool picture_asked;       /* and not answered yet */
    uint64_t picture_ms;      /* asked too often: again then (mono) */
    uint64_t pictures_ms;     /* the hour (mono) in which it asked us */
    uint64_t pictures;        /* so often */
    uint64_t handed_ms;       /* DEVICE: the hour (mono) in which it had ... */
    uint64_t handed;          /* so many items handed to its siblings */
    uint64_t handed_bytes;    /* so large in all (archive.c) */
    uint64_t sent;            /* highest item sent on this connection */
    uint64_t their_last;      /* their newest item when they greeted */
    bool keys_asked;          /* DEVICE: for key packages, since start */
    uint64_t bad;
    uint64_t under_way; /* bytes */
    uint64_t lost;      /* threads that it began or brought up, since start */
    bool acking;        /* within fed_stream_acked: nothing is sent */
    uint64_t hubs;      /* hubs that we know from its claims, since start */
    uint64_t ask_ms;    /* ASKED, too many at once: again then (mono) */
    bool superseded;    /* says that a newer copy of us runs */
    bool slept;         /* we did since it greeted us */
    struct fed_flight *flight; /* LIMIT_STREAM_WINDOW, by seq; or NULL */
};

enum {
    FED_TAKEN = 4 /* devices of a patient that write at the same time */
};

/* A member's node other than us. */
struct fed_member {
    struct clinic_id node; /* subject */
    struct fed_rec_member rec;
    bool dirty;
    bool asked;       /* CHECK: for its log */
    bool told;        /* and has answered */
    bool lost;        /* that it has no state either */
    bool mute;        /* RESYNC, CHECK: it did not answer */
    uint64_t named;   /* it was told what began this term; 0: none */
    uint32_t without; /* of a patient: devices that say so, by their places */
    uint64_t past;    /* entries that it asked to have again */
    uint64_t past_ms; /* since (mono) */
    uint64_t proved;  /* places that it asked to have signed */
    uint64_t proved_ms;
    uint8_t taken[FED_TAKEN][16]; /* its submissions last accepted, newest
                                     first; since the thread was loaded */
};

/* The newest entry of a thread that we order, for those who want it signed. */
struct fed_franked {
    uint64_t seq;
    struct clinic_id author;
    uint8_t tag[32];
    bool made;
    uint8_t sig[64];
};

/* One intent of a submission. */
struct fed_sub_part {
    uint64_t number;
    bool shown; /* it says something that people see, with this id */
    struct message_id id;
};

/* Our submission that has no answer yet: of one intent, of several messages
   (bundle.h), or, renewing our leaf, of none. */
struct fed_sub {
    uint64_t kind;
    uint64_t epoch;
    uint8_t req[16];
    uint8_t hash[32];
    struct fed_sub_part *parts;
    size_t parts_len;
    size_t parts_cap;
};

struct fed_thread {
    struct thread_id id;
    struct fed_rec_thread rec; /* view: group_ext */
    struct bytes group_ext;
    struct proto_group group; /* decoded from it */
    bool dirty;
    struct mls_group *mls;     /* NULL: none (OPENING, RESYNC, ENDED) */
    struct mls_stage *stage;   /* own commit that is submitted */
    struct mls_group *joining; /* own external commit that is submitted */
    uint8_t joining_req[16];
    struct prim_kem_pair
        *veil; /* what we asked the GroupInfo to be sealed to */
    uint8_t joining_hash[32];
    struct view joining_commit; /* as hub, during fed_resync_joined */
    struct fed_franked franked;
    struct bytes unproven;      /* DEVICE: proto_frank_want, to be asked for */
    struct fed_member *members; /* of nodes, sorted, without us */
    size_t members_len;
    struct fed_sub subs[LIMIT_SUBMIT_WINDOW];
    size_t subs_len;
    uint64_t waiting;     /* intents */
    uint64_t next_intent; /* scan goes on here */
    uint64_t low_intent;  /* none below this one; 0: not known */
    uint64_t bare_ms;     /* hub time of the entry behind rec.bare; likewise */
    bool pump;            /* at the end of the batch: fed_intent_pump_all */
    bool idle;            /* nothing to submit from next_intent on */
    bool pulling;
    bool draining;    /* something was refused: the others first get answers */
    bool asked;       /* RESYNC, CHECK: for a GroupInfo */
    bool joining_old; /* what came is older than what we know (refused.c) */
    struct clinic_id asked_of; /* unanswered.c */
    uint64_t answer_ms;        /* it should have answered by then (mono) */
    unsigned waits;            /* answers in a row that it is to wait */
    uint64_t unanswered;       /* questions; the first was asked then */
    uint64_t unanswered_ms;
    uint64_t orphan_ms;    /* RESYNC: another clinic is asked then (mono) */
    uint64_t orphan_asked; /* so many were */
    size_t orphan_order;   /* the last one's place among successors */
    uint64_t wait_ms;      /* the hub asked us to wait until (mono) */
    uint64_t receipt_ms;   /* delivered receipt due (mono); 0 none */
    uint64_t missing_due;  /* what is missing is asked for (mono) */
    /* CHECK */
    uint64_t check_ms; /* since then, in this process (mono) */
    struct clinic_id best;
    uint64_t best_seq;
    uint64_t heard_term; /* the latest that a member says it was shown */
    /* another hub */
    const struct proto_hub_move *moving; /* proof of what is being applied */
    struct thread_id between; /* it goes on from that one here, of which its
                                 group says nothing: shown so */
    uint8_t offer_req[16];
    struct clinic_id offer_to;
    uint64_t offer_ms;  /* offered again then (mono) */
    uint64_t moved_ms;  /* it moved; its old hub has still to send (mono) */
    uint64_t moved_seq; /* it had sent so much when this was set */
    uint64_t chain_ms;  /* a proof between is asked for again then (mono) */
    uint64_t reword_ms; /* who signed one with a revoked key is asked (mono) */
    uint64_t named_ms; /* who does not know a proof is told again then (mono) */
    uint64_t stand_ms; /* the hub hears again then where we stand (mono) */
    unsigned stands;
    bool named_asked;         /* the hub was told what made it so, and asked */
    bool named_sure;          /* it has answered since: it knows */
    uint64_t back_term;       /* a later term numbers anew what we have, */
    uint64_t back_seq;        /* from here on; 0: none does */
    uint64_t gone_ms;         /* until then others may answer (mono) */
    uint64_t sees_ms;         /* somebody sees the hub: wait until (mono) */
    struct clinic_id sees_by; /* who; zeros: several */
    bool told_gone;
    bool applying; /* a commit: nothing overtakes its Welcomes */
    bool forked;   /* fork_by saw another log: dealt with after the entry */
    struct clinic_id fork_by;
    uint64_t used; /* for the cache */
};

/* A thread with something left to do, so that it is looked at in time. */
struct fed_busy {
    struct thread_id id;
    uint64_t whom; /* fed_busy_bit of each clinic that it has to do with */
};

struct fed_core {
    struct fed_core_config config;
    const struct mem *mem;
    struct bytes chain;
    struct bytes addrs;
    struct bytes profile;
    struct bytes picture;
    uint8_t picture_hash[32]; /* zeros: none */
    struct bytes revocation;
    uint8_t profile_hash[32];
    uint8_t seed[32];
    struct device_id node;
    struct clinic_id me; /* in groups: our root, or our patient */
    struct fed_rec_self self;
    struct fed_batch *cur;
    struct fed_batch *taken;    /* newest first */
    struct fed_party **parties; /* sorted by root */
    size_t parties_len;
    size_t parties_cap;
    struct fed_party **touched; /* those that may have changed */
    size_t touched_len;
    size_t touched_cap;
    bool touched_all;
    struct fed_thread **threads; /* sorted by id */
    size_t threads_len;
    size_t threads_cap;
    struct clinic_id *lists; /* patients whose list is loaded, oldest first */
    size_t lists_len;
    size_t lists_cap;
    struct fed_busy *busy; /* sorted by id */
    size_t busy_len;
    size_t busy_cap;
    uint64_t uses;
    uint64_t start_ms; /* mono */
    uint64_t awake_ms; /* wall time, and mono, when we were surely awake */
    uint64_t awake_mono_ms;
    uint64_t woke_ms;   /* mono: since then, from a start or a sleep */
    uint64_t agreed_ms; /* wall: our clock, when somebody's agreed with it */
    uint64_t agreed_mono_ms; /* then; 0: nobody's has, since start */
    uint64_t timer_ms;       /* mono; a tick is due; 0: none */
    uint64_t timer_told;
    const struct fed_party *answering; /* whose item is being applied */
    enum fed_kind kind;                /* CLINIC or DEVICE */
    struct bytes list;   /* DEVICE: the newest device list of our patient */
    uint64_t judge_ms;   /* log time at which leaves are judged; 0 no time */
    uint64_t generation; /* of our certificate */
    uint64_t revoked;    /* of ours, below this */
    uint64_t seen_self;  /* highest of ours in a tree that we looked into */
    enum mls_rule rule;
};

#endif
