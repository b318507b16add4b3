/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core reads and what it answers with: records, acts for after the
 * commit, shows for the desk, and the batch that has them all (core.h).
 */
#ifndef FEDERATION_CORE_EFFECTS_H
#define FEDERATION_CORE_EFFECTS_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/base/id.h"
#include "proto/msg/group.h"

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
    FED_NS_FRANK,    /* T, seq, place or hash: DEVICE: what the hub signed */
    FED_NS_REPORTER, /* subject: how often it reported lately */
    FED_NS_WATCH,    /* time, thread: when it is looked at (watch.h) */
    FED_NS_REPORTED, /* T, hash: DEVICE: a sealed report until it was opened */
    FED_NS_BROUGHT,  /* T, place, message: which an entry brought back */
    FED_NS_END
};

enum {
    FED_KEY_MAX = 80
};

/* A message as it was shown: clear content when done. */
struct fed_past {
    struct message_id id;
    struct subject_id author;
    uint64_t seq; /* its place */
    uint64_t ts_ms;
    struct bytes content; /* encoded */
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
     * What was shown in the first of the places from..to of a thread's term
     * that has a message which was not deleted, for a member that lost it.
     * ERR_MISSING  there is none
     */
    enum err (*past)(void *ctx, const struct thread_id *thread, uint64_t term,
                     uint64_t from, uint64_t to, const struct mem *mem,
                     struct fed_past *out);
    /*
     * The place of a message that was shown: the last of MESSAGE and of STATE
     * ACCEPTED counts; zeros: it is ours and waits.  ERR_MISSING  not shown
     */
    enum err (*known)(void *ctx, const struct thread_id *thread,
                      const struct message_id *id, uint64_t *term_out,
                      uint64_t *seq_out);
    /*
     * What to tell newcomers of a thread, an encoded content INTRO: its title
     * and how its members are called here; a device: its patient's name.
     * ERR_MISSING  nothing.  NULL: never anything
     */
    enum err (*intro)(void *ctx, const struct thread_id *thread,
                      const struct proto_group *group, const struct mem *mem,
                      struct bytes *content_out);
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
       clinic; body: the encoded struct proto_group, empty if unknown yet.
       before: it goes on from that one here, while its group names one before
       that (two were founded, one after the other). */
    FED_SHOW_THREAD,
    /* Subject author was added, removed ... by subject other (zeros: not known,
       it happened while we were away): code enum fed_member_change (line.h), at
       term, seq, ts_ms as of a message; value flags (proto_group); message.b
       the device where it is about one. */
    FED_SHOW_MEMBER,
    /* A message in its place: term, seq, ts_ms, author, message (its id), body
       (encoded content; or bytes nobody here can decode yet).  seq 0: our own,
       queued; STATE follows.  resent: brought back by subject other; it may be
       known already, then this place is the right one. */
    FED_SHOW_MESSAGE,
    /* Our message: code enum fed_message_state.  ACCEPTED has term, seq,
       ts_ms and peer, the hub that has it (zeros: we are).  DELIVERED and READ:
       by subject other, every message of ours up to term, seq; message is
       zeros. */
    FED_SHOW_STATE,
    /* Entries seq..value of term are missing here: code 0 never received,
       1 undecryptable, 2 refused because its author's key is revoked, 3
       refused because its author did not commit to it.  They are asked for
       where that is possible. */
    FED_SHOW_GAP,
    /* This node was put back to an older state (code 0), or peer was
       (code 1); threads resync by themselves. */
    FED_SHOW_ROLLBACK,
    /* Members of thread were shown different logs, at term, seq: peer carries
       it, author is whose log differs from ours (zeros: not known who), or,
       code 1, who says so. */
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
       there is, body the part; seq 0: there are no more; seq above value: it
       keeps no more.  code: what the encoded message in body is (archive.h). */
    FED_SHOW_ARCHIVE,
    /* Thread goes on from another, whose id is body, as who ordered that one
       says: we came late, and have it as a conversation of its own. */
    FED_SHOW_CONTINUED,
    /* Thread has another hub, peer, after other: code enum fed_hub_change; but
       for GONE at term, seq, ts_ms as of a message. */
    FED_SHOW_HUB,
    /* What stands in thread behind entry seq, in the terms term..value, is of a
       log that counts no more: what MEMBER, HUB and GAP told of it goes, its
       messages are given other places. */
    FED_SHOW_VOID,
    /* About how a thread is carried: code enum fed_doubt, author the member
       that it is about, peer who carries between it and us (the hub, or who
       delivers; zeros: nobody, we are directly connected), term, seq, ts_ms
       since when; value 1, or 0: that is over.  verified: author told us so
       itself, past peer. */
    FED_SHOW_DOUBT,
    /* For who came late: author says who is who in thread.  body: the encoded
       content INTRO; names in it are author's claim, profiles unverified. */
    FED_SHOW_INTRO,
    /* Somebody (peer; who) shows us a message: code enum proto_report_reason,
       value enum fed_proof, thread, message, author, term, seq, ts_ms, other
       the hub whose word it is (HUB, AUTHOR); body: the encoded PROTO_PEER
       _REPORT, with all its words.  known: it reports without end; this one
       and those that follow today are not taken. */
    FED_SHOW_REPORT,
    /* Patient author has another home, peer; on a device of it: there, at the
       addresses body. */
    FED_SHOW_HOME,
    /* body: the picture that peer's profile names, checked
       (proto_picture_read); PROFILE came before, and an older picture ended
       with it. */
    FED_SHOW_PICTURE,
    /* Device: whether what stands at term, seq of thread can be proven to
       others (known), or the hub has no record of it. */
    FED_SHOW_PROVEN
};

/* What is behind a report. */
enum fed_proof {
    FED_PROOF_NONE = 0,   /* only the word of whoever reports */
    FED_PROOF_FALSE = 1,  /* what is shown does not fit together */
    FED_PROOF_OWN = 2,    /* we got the message ourselves */
    FED_PROOF_AUTHOR = 3, /* its author, the thread's hub, signed it */
    FED_PROOF_HUB = 4     /* the hub, which we know, says it came from author */
};

enum fed_doubt {
    /* Nothing has come from author although something had to: it is away, or
       peer holds it back. */
    FED_DOUBT_SILENT = 1,
    /* Author was shown the log up to seq of term, we were not. */
    FED_DOUBT_WITHHELD = 2,
    /* What we said, from seq on, author has not confirmed for a day. */
    FED_DOUBT_UNDELIVERED = 3,
    /* It never will: seq has left the log (decisions D 15). */
    FED_DOUBT_NEVER = 4,
    /* The hub's clock: entry seq is earlier than the one before it, or far
       ahead of our clock.  author is the hub. */
    FED_DOUBT_CLOCK = 5,
    /* 6 and 7 are of those above. */
    /* We rejoin, and the hub answers without letting us in: again and again,
       or with a state older than what it had shown.  author is the hub. */
    FED_DOUBT_KEPT_OUT = 8,
    /* Peer, who delivers for the patient author, gave what is not of its
       devices when author was to come in: refused. */
    FED_DOUBT_GHOST = 9,
    /* DEVICE: what was reported to author at since, sealed, it never said to
       have opened.  It is not kept any longer. */
    FED_DOUBT_REPORT = 10
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
    FED_DEVICES_GONE = 5, /* on a device: it is not in the newest list */
    FED_DEVICES_IDLE = 6, /* not seen for 90 days: out of its threads */
    FED_DEVICES_BACK = 7  /* and seen again: it joins them by itself */
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
    struct thread_id before; /* THREAD: see there */
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

#endif
