/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol of a clinic's node without any I/O: peers, links, streams,
 * threads as hub and as follower, loss and restore.  One struct fed_core per
 * node; one thread at a time.  federation/core/README.md says how to run it.
 *
 *     event --> fed_core_* step --> ... --> fed_core_take --> struct fed_batch
 *
 * Steps never touch a store or a socket.  What they change is collected in the
 * current batch: records to put and delete, things to show to people, and,
 * for after the commit, frames to send.  fed_core_take closes the batch; the
 * runner writes it in one transaction, commits, acts, and gives it back with
 * fed_core_done.  Any number of steps may share a batch (group commit), and
 * steps may go on while a batch is being committed: the core reads its own
 * writes.
 *
 * All state is in the records.  What is in memory is a cache of them, so
 * fed_core_reset after a failed transaction loses nothing but the batch.
 *
 * A step fails for our own reasons (ERR_NOMEM, ERR_IO, ERR_CORRUPT,
 * ERR_INTERNAL): then the current batch must not be taken; call
 * fed_core_reset and do the steps again, one per batch, to find the bad one.
 * Errors that a contract below names are answers: nothing changed, go on.
 * Whatever a peer sends is dealt with inside: refused, answered or closed.
 *
 * Wall times are milliseconds since 1970 from config.clock; order never
 * depends on them.
 */
#ifndef FEDERATION_CORE_CORE_H
#define FEDERATION_CORE_CORE_H

#include "crypto/ident/cert.h"
#include "federation/core/effects.h"
#include "federation/core/limits.h"
#include "proto/base/clock.h"
#include "proto/base/id.h"
#include "proto/base/log.h"
#include "proto/base/rng.h"
#include "proto/msg/content.h"
#include "proto/msg/group.h"
#include "proto/msg/peer.h"

struct fed_core;

/* --------------------------------------------------------------------- life */

/*
 * On a device: kind DEVICE, root the device id, chain its certificate,
 * node_seed the device's seed, list the newest device list that it has (the
 * core keeps a newer one); addrs, profile and revocation are empty.
 */
struct fed_self {
    enum fed_kind kind; /* CLINIC or DEVICE */
    struct clinic_id root;
    struct patient_id patient; /* DEVICE: whose */
    struct view list;          /* DEVICE */
    struct view chain;         /* root > renewal > node (ident) */
    struct view node_seed;     /* 32 bytes */
    struct view addrs;         /* where we can be dialled: proto_addr_append */
    struct view profile;       /* our signed profile; may be empty */
    struct view picture;       /* that it names; may be empty */
    struct view revocation;    /* newest root-signed revocation; may be empty */
};

struct fed_core_config {
    const struct mem *mem;
    const struct rng *rng;
    const struct clock *clock;
    const struct log *log; /* or NULL */
    struct fed_store store;
    struct fed_self self; /* copied */
    uint16_t suite;       /* of threads that we create; 0: suite 3 */
    struct fed_limits limits;
};

/*
 * A core on what the store holds.  The first batch wants connections to all
 * parties that need one.
 */
MUST_CHECK enum err fed_core_new(const struct fed_core_config *config,
                                 struct fed_core **out);
void fed_core_free(struct fed_core *core);

/*
 * Forget everything that is not committed: current and taken batches, caches
 * and sessions.  The runner closes all connections first (they come back and
 * greet again) and repeats the people's intents of lost batches.
 */
MUST_CHECK enum err fed_core_reset(struct fed_core *core);

/*
 * New certificate, node key, addresses or profile; the root stays.  Each
 * thread gets the new key before our next message in it; at once, and in all
 * of them, when older keys are revoked now (decisions A 4): then connections
 * are closed, so that everybody hears of it in the next greeting.
 */
MUST_CHECK enum err fed_core_set_self(struct fed_core *core,
                                      const struct fed_self *self);

/*
 * A backup was restored (decisions E 20): call once, in a batch of its own,
 * before any peer is up.  All ratchet state goes, streams begin anew, every
 * thread resyncs.
 */
MUST_CHECK enum err fed_core_restored(struct fed_core *core);

/*
 * Close the current batch: pending acknowledgements and hot records go in.
 * *out is NULL when there is nothing to do; it belongs to the core and stays
 * valid until fed_core_done or fed_core_reset.
 */
MUST_CHECK enum err fed_core_take(struct fed_core *core,
                                  const struct fed_batch **out);

/* The oldest taken batch is durable and acted upon. */
void fed_core_done(struct fed_core *core, const struct fed_batch *batch);

/*
 * decisions A 3.  known_ms is a time that has passed for sure: one that was
 * stored here, or when certificates of clinics that we are connected with
 * begin (the second newest of them, if there are two, so that no single clinic
 * can put it into the future).  behind: our clock is more than a day before it;
 * then it is wrong, and nobody's certificate counts as expired.
 */
struct fed_clock {
    uint64_t known_ms;
    bool behind;
};

void fed_core_clock(const struct fed_core *core, struct fed_clock *out);

/* -------------------------------------------------------------- from the net
 */

struct fed_up {
    struct clinic_id root; /* proven by the handshake */
    uint64_t serial;       /* of the connection; never reused */
    uint64_t generation;   /* of the certificate shown */
    uint64_t certified_ms; /* when that one begins; 0: not known */
    uint8_t exporter[32];
    bool dialled;
    enum fed_kind kind; /* CLINIC or DEVICE: root is the device id then */
    struct view cert;   /* DEVICE: its certificate, for the call */
};

/* A connection is up; it replaces an earlier one to the same root. */
MUST_CHECK enum err fed_core_peer_up(struct fed_core *core,
                                     const struct fed_up *up);
MUST_CHECK enum err fed_core_peer_down(struct fed_core *core,
                                       const struct clinic_id *root,
                                       uint64_t serial);
/*
 * It does not take our certificate, since it knows a newer one: what we have is
 * an older copy of us (decisions E 20).  As hub of threads that it takes part
 * in we number nothing, also after 72 hours, before we have a certificate of a
 * higher generation (fed_core_set_self) and have compared; or it is blocked.
 */
MUST_CHECK enum err fed_core_outdated(struct fed_core *core,
                                      const struct clinic_id *root);
/* One frame as received.  Types from PROTO_PEER_BLOB_OPEN on are the
   runner's: keep them away from here (proto_peer_peek). */
MUST_CHECK enum err fed_core_frame(struct fed_core *core,
                                   const struct clinic_id *root,
                                   uint64_t serial, struct view frame);
/* Time passed: deadlines, receipts, retries. */
MUST_CHECK enum err fed_core_tick(struct fed_core *core);
/* Receipts that are being gathered go now: we are about to end. */
MUST_CHECK enum err fed_core_receipts(struct fed_core *core, bool *any_out);
/* How many threads are being rejoined whose question was put a few seconds ago
   at most: who ends now would have to ask again. */
size_t fed_core_rejoining(const struct fed_core *core);

/* ------------------------------------------------------------ links, parties
 */

/* What the protocol needs to know of one of our links.  Put again to change
   it (revoke, limit, rotate). */
struct fed_link {
    struct link_id id;
    bool one_time;
    bool in_person;
    bool review; /* a person decides about each request */
    bool revoked;
    uint64_t expiry_s; /* 0 never */
    uint64_t uses_max; /* 0 no limit */
    uint8_t secret[16];
    struct view label;
    struct view forward;    /* rotated: signed forward; else empty */
    bool patients;          /* only a patient's app may use it */
    struct view birth;      /* YYYY-MM-DD that an app must give; or empty */
    uint64_t birth_tries;   /* wrong ones so far; kept by the core, not put */
    uint64_t uses;          /* kept by the core, not put */
    struct clinic_id bound; /* one-time: who redeemed it; likewise */
    uint64_t again_ms;      /* and when others last opened it, to the hour */
};

MUST_CHECK enum err fed_core_link_put(struct fed_core *core,
                                      const struct fed_link *link);
/* Views of *out point into *hold.  ERR_MISSING */
MUST_CHECK enum err fed_core_link_get(struct fed_core *core,
                                      const struct link_id *id,
                                      struct fed_link *out, struct bytes *hold);

/* Somebody's link. */
struct fed_invitation {
    struct clinic_id root;
    struct link_id link;
    bool one_time;
    bool in_person;
    uint8_t secret[16];
    struct view addrs;
};

/*
 * Ask what is behind a link: PROFILE and LINK are shown once it is reached.
 * Nothing is stored.  Wants a connection until fed_core_look_end or connect.
 * ERR_INVALID  it is our own
 */
MUST_CHECK enum err fed_core_look(struct fed_core *core,
                                  const struct fed_invitation *inv);
MUST_CHECK enum err fed_core_look_end(struct fed_core *core,
                                      const struct clinic_id *root);

/*
 * Connect: durable, repeated until answered.  PARTY and LINK show how it
 * goes.  ERR_EXISTS  connected already (nothing done); ERR_INVALID  it is us;
 * ERR_DENIED  we blocked it
 */
MUST_CHECK enum err fed_core_connect(struct fed_core *core,
                                     const struct fed_invitation *inv);

/* Answer a request under review.  ERR_MISSING  there is none */
MUST_CHECK enum err fed_core_accept(struct fed_core *core,
                                    const struct clinic_id *root);
MUST_CHECK enum err fed_core_refuse(struct fed_core *core,
                                    const struct clinic_id *root);

/* End the contact and the direct thread; shared threads go on.
   ERR_MISSING  not connected */
MUST_CHECK enum err fed_core_disconnect(struct fed_core *core,
                                        const struct clinic_id *root);
/* Disconnect and refuse every connection from it, or allow it again. */
MUST_CHECK enum err fed_core_block(struct fed_core *core,
                                   const struct clinic_id *root, bool blocked);

struct fed_party_info {
    struct clinic_id root;
    enum fed_kind kind;
    struct clinic_id via; /* reached through this clinic; zeros: directly */
    struct patient_id patient; /* DEVICE: whose */
    enum proto_stance ours;
    enum proto_stance theirs;
    bool blocked;
    bool verified;
    bool up;                 /* connected and greeted */
    struct thread_id direct; /* zeros: none */
    uint64_t generation;     /* highest seen; lower ones are refused */
    uint64_t revoked;        /* generations below this are revoked */
    uint64_t queued;         /* items not acknowledged */
    uint64_t behind;         /* items that it still had for us when it greeted,
                                not applied here yet */
};

/* ERR_MISSING  not known.  For the handshake's verify keep a copy. */
MUST_CHECK enum err fed_core_party(struct fed_core *core,
                                   const struct clinic_id *root,
                                   struct fed_party_info *out);
/* The first party with root > after (NULL: the first).  ERR_MISSING  none */
MUST_CHECK enum err fed_core_party_next(struct fed_core *core,
                                        const struct clinic_id *after,
                                        struct fed_party_info *out);
/* How much we have to say that root, which orders those threads or carries to
   who does, has not taken: beside what is queued for it. */
MUST_CHECK enum err fed_core_waiting(struct fed_core *core,
                                     const struct clinic_id *root,
                                     uint64_t *out);

/* ------------------------------------------------------------------ threads */

/*
 * A new thread ordered by us with these connected clinics and patients (their
 * ids as clinic ids); key packages are claimed first, so it becomes active
 * later.  With a patient, clinics come in by consent (patient.h): here at most
 * the patient.  Not on a device.  *id_out is its id at once, and
 * messages may be queued.  title may be empty.
 * ERR_DENIED  one of them is not connected, or needs a consent
 */
MUST_CHECK enum err fed_core_thread_open(struct fed_core *core,
                                         const struct clinic_id *with,
                                         size_t with_len, struct view title,
                                         struct thread_id *id_out);

/*
 * Intents: durable, rebuilt until they succeed or are refused.
 * ERR_MISSING  no such thread; ERR_STATE  ended or removed; ERR_DENIED  not
 * connected to who, no consent of a patient in the thread, or not ours to
 * remove; ERR_AGAIN  LIMIT_INTENTS wait in this thread already: nothing more
 * before its hub has taken some.  who may be a patient; a device adds nobody.
 */
MUST_CHECK enum err fed_core_add(struct fed_core *core,
                                 const struct thread_id *thread,
                                 const struct clinic_id *who);
MUST_CHECK enum err fed_core_remove(struct fed_core *core,
                                    const struct thread_id *thread,
                                    const struct subject_id *who);
MUST_CHECK enum err fed_core_leave(struct fed_core *core,
                                   const struct thread_id *thread);
/* Fresh leaf keys, and our identity if it changed. */
MUST_CHECK enum err fed_core_rekey(struct fed_core *core,
                                   const struct thread_id *thread);

/*
 * Say something.  A salt of zeros is replaced; sent_ms 0 becomes now.  hold:
 * not submitted before fed_core_release (its attachments are uploading).
 * ERR_MISSING, ERR_STATE, ERR_AGAIN  as above; ERR_LIMIT  too large
 */
MUST_CHECK enum err fed_core_send(struct fed_core *core,
                                  const struct thread_id *thread,
                                  const struct proto_content *content,
                                  bool hold, struct message_id *id_out);
/* ERR_MISSING  not queued */
MUST_CHECK enum err fed_core_release(struct fed_core *core,
                                     const struct thread_id *thread,
                                     const struct message_id *id);

/* A person has read everything up to here: a receipt goes out. */
MUST_CHECK enum err fed_core_read_upto(struct fed_core *core,
                                       const struct thread_id *thread,
                                       uint64_t term, uint64_t seq);

/* Ask who for entries from..to again (decisions E 22). */
MUST_CHECK enum err fed_core_history(struct fed_core *core,
                                     const struct thread_id *thread,
                                     uint64_t term, uint64_t from, uint64_t to,
                                     const struct subject_id *who);

struct fed_thread_info {
    struct thread_id id;
    enum fed_thread_state state;
    struct clinic_id hub;
    bool hub_here;
    bool direct;
    uint64_t term;
    uint64_t seq;
    struct hash32 head;
    uint64_t epoch;
    bool waiting;              /* something of ours is not accepted yet */
    uint8_t authenticator[32]; /* equal at all members of an epoch */
};

/* ERR_MISSING */
MUST_CHECK enum err fed_core_thread(struct fed_core *core,
                                    const struct thread_id *thread,
                                    struct fed_thread_info *out);
/*
 * The first entry of our log whose message is not here and is still asked for,
 * also when it is kept out until it is said again.  ERR_MISSING  none
 */
MUST_CHECK enum err fed_core_missing(struct fed_core *core,
                                     const struct thread_id *thread,
                                     uint64_t *term, uint64_t *seq);
/*
 * On a device that came into the thread, which its person was in before: asks
 * the clinics for what lies between the newest that is here of before (as
 * config.store.past has it) and the beginning of its own log.  ERR_MISSING
 */
MUST_CHECK enum err fed_core_past_before(struct fed_core *core,
                                         const struct thread_id *thread);
/* The first thread with id > after (NULL: the first).  ERR_MISSING  none */
MUST_CHECK enum err fed_core_thread_next(struct fed_core *core,
                                         const struct thread_id *after,
                                         struct thread_id *out);
/* Whether root's node delivers for a participant: for attachments' frames. */
MUST_CHECK enum err fed_core_is_member(struct fed_core *core,
                                       const struct thread_id *thread,
                                       const struct clinic_id *root, bool *out);

#endif
