/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What members of a thread say to each other inside MLS: msgpack arrays
 * [kind, version, flags, body, extensions] (decisions C 10).  body is an array
 * of the kind's fields, extensions one of [id, critical, bytes].
 *
 * An unknown kind, version or critical extension is ERR_UNSUPPORTED: stored
 * as received, shown as "needs a newer version", decoded after an upgrade.
 *
 * The words in here are people's: whoever decodes shows them to people and to
 * nothing else.
 */
#ifndef PROTO_MSG_CONTENT_H
#define PROTO_MSG_CONTENT_H

#include "proto/msg/shape.h"

enum proto_content_kind {
    PROTO_CONTENT_TEXT = 1,   /* text, attachments, reply */
    PROTO_CONTENT_EDIT = 2,   /* the target's text is now this */
    PROTO_CONTENT_DELETE = 3, /* both sides; a placeholder stays */
    PROTO_CONTENT_REACTION = 4,
    PROTO_CONTENT_RECEIPT = 5,  /* delivered or read up to a log number */
    PROTO_CONTENT_HISTORY = 6,  /* please resend what I lost */
    PROTO_CONTENT_RESENT = 7,   /* an earlier message, resent by a member */
    PROTO_CONTENT_LEAVE = 8,    /* please commit our removal */
    PROTO_CONTENT_TITLE = 9,    /* the thread is called this */
    PROTO_CONTENT_ASK = 10,     /* may this clinic join?  To a patient */
    PROTO_CONTENT_CONSENT = 11, /* the patient's answer; or a desk's record */
    PROTO_CONTENT_WITHDRAWAL = 12, /* the patient takes it back */
    PROTO_CONTENT_CHECKPOINT = 13, /* where its sender stands in the log */
    PROTO_CONTENT_INTRO = 14,      /* for who has come in: who is who here */
    PROTO_CONTENT_BUNDLE = 15      /* several messages of one sender */
};

/* Flags. */
#define PROTO_CONTENT_AUTO 1u /* written by an automation, not by a person */

/*
 * Who wrote it, as the sending clinic claims: an opaque member id (zeros when
 * it does not say) and the name shown.  The sender itself is the MLS leaf.
 */
struct proto_author {
    uint8_t member[16];
    struct view name;
};

/* One file.  Chunks are sealed one by one under key; hashes are of those. */
struct proto_attachment {
    uint8_t blob[32]; /* SHA-256 of chunks */
    uint8_t key[32];
    uint64_t size; /* of the file */
    struct view name;
    struct view type;   /* as the sender says; sniffed before shown */
    struct view chunks; /* hashes, 32 bytes each */
};

struct proto_text {
    struct view text;
    uint8_t reply_to[32];          /* message id; zeros: none */
    struct proto_list attachments; /* proto_attachment */
};

struct proto_edit {
    uint8_t target[32];
    struct view text;
};

struct proto_delete {
    uint8_t target[32];
};

struct proto_reaction {
    uint8_t target[32];
    struct view emoji;
    bool on;
};

enum proto_receipt_what {
    PROTO_RECEIPT_DELIVERED = 1,
    PROTO_RECEIPT_READ = 2
};

/* With the head that its sender saw. */
struct proto_receipt {
    uint64_t what;
    uint64_t term;
    uint64_t upto; /* log number */
    uint8_t head[32];
};

/* from..to of the log of term; who is asked (a subject). */
struct proto_history {
    uint64_t term;
    uint64_t from;
    uint64_t to;
    uint8_t who[32];
};

struct proto_resent {
    uint8_t id[32]; /* message id */
    uint64_t term;
    uint64_t seq;
    uint64_t ts_ms;
    uint64_t part;       /* its number in a bundle; else 0 */
    uint8_t author[32];  /* subject */
    struct view content; /* an encoded content, not RESENT or HISTORY */
};

struct proto_leave {
    uint64_t reason;
};

struct proto_title {
    struct view title;
};

/*
 * A clinic asks the patient for another clinic (or, scope PRIVATE, for itself),
 * before anything is revealed to it.  The fields are those of a consent
 * (crypto/ident/consent.h); profile is the signed one of clinic, so that the
 * app can show whom it is about.  The message id of this names the question.
 */
struct proto_ask {
    uint8_t patient[32];
    uint8_t clinic[32];
    struct view profile; /* or empty */
    struct view purpose;
    uint64_t history;
    uint64_t history_from_ms;
    uint64_t scope;
    uint64_t until_ms; /* 0: until withdrawn */
};

enum proto_consent_code {
    PROTO_CONSENT_GIVEN = 1,   /* consent: signed by a device */
    PROTO_CONSENT_REFUSED = 2, /* consent: empty */
    PROTO_CONSENT_DESK = 3     /* consent: recorded by the author's desk */
};

struct proto_consent {
    uint8_t ask[32]; /* message id of the question; zeros: none */
    uint64_t code;
    uint8_t patient[32];
    uint8_t clinic[32];
    struct view consent; /* ident_consent or ident_desk_consent */
};

struct proto_withdrawal {
    struct view withdrawal; /* ident_withdrawal */
};

/*
 * decisions D 19: the log that its sender was shown, by whom, and how new the
 * sender's certificate is (a device: its list).
 */
struct proto_checkpoint {
    uint64_t term;
    uint64_t seq;
    uint8_t head[32];
    uint8_t hub[32];
    uint64_t epoch;
    uint64_t generation;
};

/* A member of the thread, as the author of an introduction knows it. */
struct proto_intro_name {
    uint8_t subject[32];
    struct view name;    /* a patient: what the author calls them */
    struct view profile; /* a clinic: its own, signed; or empty */
};

/*
 * For members that were not there before: what the thread is called and who
 * takes part.  A clinic says this about the others as its claim, a patient
 * about themselves.
 */
struct proto_intro {
    struct view title;       /* or empty */
    struct proto_list names; /* proto_intro_name */
};

/*
 * Messages that waited together, each an encoded content with its own salt and
 * so its own id, in the order in which they were said.  A bundle says nothing
 * of its own.  Not in one: another, and what changes who is in the thread
 * (LEAVE, ASK, CONSENT, WITHDRAWAL).
 */
struct proto_bundle {
    struct proto_list parts; /* proto_part: 1 to LIMIT_BUNDLE_PARTS */
};

struct proto_part {
    struct view content;
};

struct proto_extension {
    uint64_t id;
    bool critical;
    struct view data;
};

/* salt makes the message id unguessable; sent_ms is the sender's own time. */
struct proto_content {
    enum proto_content_kind kind;
    uint64_t flags;
    uint8_t salt[16];
    uint64_t sent_ms;
    struct proto_author author;
    union {
        struct proto_text text;
        struct proto_edit edit;
        struct proto_delete del;
        struct proto_reaction reaction;
        struct proto_receipt receipt;
        struct proto_history history;
        struct proto_resent resent;
        struct proto_leave leave;
        struct proto_title title;
        struct proto_ask ask;
        struct proto_consent consent;
        struct proto_withdrawal withdrawal;
        struct proto_checkpoint checkpoint;
        struct proto_intro intro;
        struct proto_bundle bundle;
    } u;
    struct proto_list extensions; /* proto_extension */
};

extern const struct proto_shape proto_attachment_shape;
extern const struct proto_shape proto_extension_shape;
extern const struct proto_shape proto_intro_name_shape;
extern const struct proto_shape proto_part_shape;

/* One word for people's programs; "newer": a kind that is not known here. */
const char *proto_content_word(uint64_t kind);

/* The kind's own fields of a body; NULL: no such kind. */
const struct proto_shape *proto_content_shape(uint64_t kind);

/* ERR_LIMIT  too long; ERR_INVALID  no such kind, or text not UTF-8 */
MUST_CHECK enum err proto_content_encode(const struct mem *mem,
                                         const struct proto_content *in,
                                         struct bytes *out);

/*
 * Decode; views point into in.
 * ERR_FORMAT, ERR_LIMIT  malformed
 * ERR_UNSUPPORTED        a kind, version or critical extension of later
 *                        software; out->kind is the number found
 */
MUST_CHECK enum err proto_content_decode(struct view in,
                                         struct proto_content *out);

/* Whether an encoded content may be part of a bundle; what cannot be read may,
   and is unreadable alone. */
bool proto_content_may_bundle(struct view content);

/*
 * Zero bytes to put behind a plaintext of len bytes (decisions C 11): to
 * multiples of 256 up to 2 KiB, then Padme, which adds at most 12 %.
 */
size_t proto_content_padding(size_t len);

#endif
