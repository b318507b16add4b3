/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol of a clinic's node without any I/O: peers, links, streams,
 * threads as hub and as follower, loss and restore.  One struct fed_core per
 * node; one thread at a time.  federation/README.md says how to run it.
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
#include "federation/core/limits.h"
#include "proto/base/clock.h"
#include "proto/base/id.h"
#include "proto/base/log.h"
#include "proto/base/rng.h"
#include "proto/msg/content.h"
#include "proto/msg/group.h"
#include "proto/msg/peer.h"

struct fed_core;

/*
 * Who a party is.  A patient is reached through its devices or, introduced,
 * through the clinic that delivers; ids of all three are 32 bytes, and calls
 * that take a clinic_id for "who" take a patient's id as well where they say
 * so.
 */
enum fed_kind {
    FED_KIND_CLINIC = 0,
    FED_KIND_PATIENT = 1,
    FED_KIND_DEVICE = 2
};

/* ------------------------------------------------------------------ records */

/*
 * Where records live.  Keys are bytes compared by memcmp, at most
 * FED_KEY_MAX; values are opaque.  Keys of namespaces marked T start with the
 * 32 bytes of a thread id.  FED_NS_SECRET and FED_NS_STAGE hold MLS secrets:
 * seal them under the thread's slot key (decisions G 28) and leave them out
 * of backups, as FED_NS_KP and FED_NS_OUT.
 */
enum fed_ns {
    FED_NS_SELF = 1, /* one record: this node */
    FED_NS_PARTY,    /* one per clinic that we know, with its streams */
    FED_NS_OUT,      /* clinic, seq: items not acknowledged yet */
    FED_NS_LINK,     /* our links */
    FED_NS_KP,       /* secret: key packages handed out */
    FED_NS_THREAD,   /* T: one per thread */
    FED_NS_MEMBER,   /* T, node: how far each member's node is */
    FED_NS_LOG,      /* T, seq: the newest entries of the log */
    FED_NS_INTENT,   /* T, number: what we want to say or do */
    FED_NS_BODY,     /* T, seq: messages of the log that a member lacks */
    FED_NS_TREE,     /* T, key: MLS public state */
    FED_NS_SECRET,   /* T, key: MLS secrets */
    FED_NS_STAGE,    /* T: secret: an own commit not yet answered */
    FED_NS_PATIENT,  /* one per patient: its newest device list */
    FED_NS_POOL,     /* device, number: key packages that it published */
    FED_NS_ALLOW,    /* patient, clinic: whether we carry between them */
    FED_NS_CONSENT,  /* T, hash: consents and withdrawals seen in a thread */
    FED_NS_ARCHIVE,  /* patient, number: what its devices keep with us */
    FED_NS_MOVE,     /* T, term: why it has another hub since then */
    FED_NS_GONE,     /* T, clinic: statements that its hub is gone */
    FED_NS_END
};

enum {
    FED_KEY_MAX = 80
};

/*
 * Reading.  A read may see any committed state not older than the last batch
 * given back with fed_core_done.  *out is empty on entry.
 */
struct fed_store {
    /* ERR_MISSING  no such record */
    enum err (*get)(void *ctx, enum fed_ns ns, struct view key,
                    const struct mem *mem, struct bytes *out);
    /* The first record with key >= from.  ERR_MISSING  none */
    enum err (*next)(void *ctx, enum fed_ns ns, struct view from,
                     const struct mem *mem, struct bytes *key_out,
                     struct bytes *value_out);
    /*
     * What was shown for entry seq of a thread's term, for a member that lost
     * it: its encoded content, id, author and hub time.  ERR_MISSING  no
     * message there, or deleted
     */
    enum err (*past)(void *ctx, const struct thread_id *thread, uint64_t term,
                     uint64_t seq, const struct mem *mem,
                     struct message_id *id_out, struct subject_id *author_out,
                     uint64_t *ts_ms_out, struct bytes *content_out);
    /*
     * The place of a message that was shown: the last of MESSAGE and of STATE
     * ACCEPTED counts; zeros: it is ours and waits.  ERR_MISSING  not shown
     */
    enum err (*known)(void *ctx, const struct thread_id *thread,
                      const struct message_id *id, uint64_t *term_out,
                      uint64_t *seq_out);
    void *ctx;
};

/* ------------------------------------------------------------------ effects */

struct fed_write {
    enum fed_ns ns;
    bool del;
    struct bytes key;
    struct bytes value; /* empty when del */
};

enum fed_act_kind {
    FED_ACT_SEND = 1, /* body: a frame for connection serial of peer */
    FED_ACT_KNOWN,    /* peer is known from now on: fed_net_known */
    FED_ACT_CLOSE,    /* flush and close connection serial of peer */
    FED_ACT_WANT,     /* keep a connection to peer; body: addrs to dial */
    FED_ACT_UNWANT,   /* no connection needed any more: stop dialling */
    FED_ACT_ROTATE,   /* thread has a new epoch: new slot key */
    FED_ACT_RENEW     /* a node key and certificate of a generation above
                         generation, please (fed_core_set_self): without one
                         no thread takes us back; repeated until it is there */
};

/* To be done in order after the commit, but ROTATE with it. */
struct fed_act {
    enum fed_act_kind kind;
    struct clinic_id peer;
    uint64_t serial;
    struct thread_id thread;
    uint64_t generation; /* RENEW */
    struct bytes body;
};

enum fed_show_kind {
    /* Answer to fed_core_look and fed_core_connect: peer, link, code enum
       proto_redeem_code, value enum fed_link_bits, body the label (of a
       ROTATED link: the signed forward).  PROFILE came before. */
    FED_SHOW_LINK = 1,
    /* A party changed: code our stance, value theirs, link how it came (zeros:
       not by our link), verified, who (clinic or patient). */
    FED_SHOW_PARTY,
    /* body: signed profile of peer, verified (ident_profile_open). */
    FED_SHOW_PROFILE,
    /* Somebody (peer; who) used our link: code enum proto_redeem_code; PROOF
       with who patient: a wrong date of birth, value tries left. */
    FED_SHOW_LINK_USED,
    /* A thread appeared or changed: code enum fed_thread_state, value flags
       (proto_group), peer the hub, other for a direct thread the other
       clinic; body: the encoded struct proto_group, empty if unknown yet. */
    FED_SHOW_THREAD,
    /* Subject author was added (code 1) or removed (code 0) by subject other,
       or rejoined after a loss (code 2); a device of it, message.b, came (code
       3) or went (code 4). */
    FED_SHOW_MEMBER,
    /* A message in its place: term, seq, ts_ms, author, message (its id), body
       (encoded content; or bytes nobody here can decode yet).  seq 0: our own,
       queued; STATE follows.  resent: brought back by subject other; it may be
       known already, then this place is the right one. */
    FED_SHOW_MESSAGE,
    /* Our message: code enum fed_message_state.  ACCEPTED has term, seq and
       ts_ms.  DELIVERED and READ: by subject other, every message of ours up
       to term, seq; message is zeros. */
    FED_SHOW_STATE,
    /* Entries seq..value of term are missing here: code 0 never received,
       1 undecryptable, 2 refused because its author's key is revoked.  They
       are asked for where that is possible. */
    FED_SHOW_GAP,
    /* This node was put back to an older state (code 0), or peer was
       (code 1); threads resync by themselves. */
    FED_SHOW_ROLLBACK,
    /* The members' views of thread differ: with peer, at term, seq. */
    FED_SHOW_FORK,
    /* Certificates of peer below generation value are revoked: fed_net_revoke
       and refuse them in the handshake. */
    FED_SHOW_REVOKED,
    /* peer sent something impossible or too much: code enum err. */
    FED_SHOW_BAD,
    /* Not delivered within LIMIT_OVERDUE_MS: message has not been accepted by
       its hub; or, message zeros, things wait for peer to receive them. */
    FED_SHOW_OVERDUE,
    /* Patient author is known here, or it changed: code enum fed_learned, peer
       the introducer or zeros, other the delivery clinic, link, value the
       generation of its device list, verified; known: it was known before (so
       offer the link between the contacts; nothing is merged).  body: the name
       that the patient gave when enrolling (a claim), else empty.  PARTY
       (peer: the patient's id) tells its stance. */
    FED_SHOW_PATIENT,
    /* Devices of patient author: code enum fed_devices, value the generation,
       message.b the device where it is about one, body the list where it is
       about one. */
    FED_SHOW_DEVICES,
    /* About letting clinic other read what patient author says: code enum
       fed_consent, thread, term, seq, ts_ms as of a message, message the
       question's id, peer who asked or recorded it; body: the encoded content
       (PROTO_CONTENT_ASK, _CONSENT or _WITHDRAWAL), so all its words. */
    FED_SHOW_CONSENT,
    /* Device: an answer to fed_core_enrol of peer: code enum
       proto_redeem_code, value tries left for the date of birth (with
       FED_ENROL_BIRTH set when it is asked for or was wrong), body the signed
       forward of a ROTATED link. */
    FED_SHOW_ENROL,
    /* Device: part seq of our archive at peer, value the newest number that
       there is, body the part; seq 0: there are no more. */
    FED_SHOW_ARCHIVE,
    /* Thread has another hub, peer, after other: code enum fed_hub_change. */
    FED_SHOW_HUB
};

enum {
    FED_ENROL_BIRTH = 256 /* bit of FED_SHOW_ENROL's value */
};

/* How a patient's key was learned (decisions F 25). */
enum fed_learned {
    FED_LEARNED_LINK = 1,       /* came by our link */
    FED_LEARNED_IN_PERSON = 2,  /* by one shown in person */
    FED_LEARNED_INTRODUCED = 3, /* by another clinic: not verified */
    FED_LEARNED_COMPARED = 4    /* words or codes were compared */
};

enum fed_devices {
    FED_DEVICES_NEW = 1,       /* a newer list counts */
    FED_DEVICES_ALARM = 2,     /* two lists of one generation: body the other */
    FED_DEVICES_SUSPENDED = 3, /* at our desk */
    FED_DEVICES_RESUMED = 4,
    FED_DEVICES_GONE = 5 /* on a device: it is not in the newest list */
};

enum fed_consent {
    FED_CONSENT_ASKED = 1,
    FED_CONSENT_GIVEN = 2, /* by the patient */
    FED_CONSENT_REFUSED = 3,
    FED_CONSENT_DESK = 4, /* recorded at peer's desk, by whom and why in body */
    FED_CONSENT_WITHDRAWN = 5,
    FED_CONSENT_INVALID = 6 /* something that is none: nothing follows of it */
};

enum fed_link_bits {
    FED_LINK_ONE_TIME = 1,
    FED_LINK_IN_PERSON = 2,
    FED_LINK_REVIEW = 4
};

enum fed_thread_state {
    FED_THREAD_OPENING = 1, /* waiting for key packages */
    FED_THREAD_ACTIVE = 2,
    FED_THREAD_CHECKING = 3, /* restored hub: comparing with the members */
    FED_THREAD_RESYNC = 4,   /* rejoining after a loss */
    FED_THREAD_ENDED = 5,    /* disconnected, or continued elsewhere */
    FED_THREAD_REMOVED = 6   /* we were removed, or left */
};

enum fed_message_state {
    FED_MESSAGE_QUEUED = 1,
    FED_MESSAGE_ACCEPTED = 2,
    FED_MESSAGE_DELIVERED = 3,
    FED_MESSAGE_READ = 4,
    FED_MESSAGE_FAILED = 5 /* refused for good: value enum proto_answer_code */
};

struct fed_show {
    enum fed_show_kind kind;
    uint64_t code;
    uint64_t value;
    struct clinic_id peer;
    struct link_id link;
    struct thread_id thread;
    struct message_id message;
    struct subject_id author;
    struct subject_id other;
    uint64_t term;
    uint64_t seq;
    uint64_t ts_ms;
    bool verified; /* PARTY: proven by a one-time link shown in person */
    bool resent;
    bool known;        /* PATIENT */
    enum fed_kind who; /* what peer is: PARTY, LINK_USED */
    bool proven; /* MESSAGE that was resent: by its author itself; else that it
                    is the author's is only the word of who resent it */
    struct bytes body;
};

/*
 * Everything of one transaction.  Writes have each key once, in key order.
 * Shows are applied in order inside the same transaction.
 */
struct fed_batch {
    struct fed_write **writes;
    size_t writes_len;
    struct fed_show *shows;
    size_t shows_len;
    struct fed_act *acts;
    size_t acts_len;
    uint64_t timer_ms; /* fed_core_tick is due at this mono time; 0: never */
    struct fed_batch *next_; /* the rest is the core's */
    size_t writes_cap_;
    size_t shows_cap_;
    size_t acts_cap_;
};

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
/* One frame as received.  Types from PROTO_PEER_BLOB_OPEN on are the
   runner's: keep them away from here (proto_peer_peek). */
MUST_CHECK enum err fed_core_frame(struct fed_core *core,
                                   const struct clinic_id *root,
                                   uint64_t serial, struct view frame);
/* Time passed: deadlines, receipts, retries. */
MUST_CHECK enum err fed_core_tick(struct fed_core *core);

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
/* The first thread with id > after (NULL: the first).  ERR_MISSING  none */
MUST_CHECK enum err fed_core_thread_next(struct fed_core *core,
                                         const struct thread_id *after,
                                         struct thread_id *out);
/* Whether root's node delivers for a participant: for attachments' frames. */
MUST_CHECK enum err fed_core_is_member(struct fed_core *core,
                                       const struct thread_id *thread,
                                       const struct clinic_id *root, bool *out);

#endif
