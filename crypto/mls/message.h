/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What travels: contents and their two wrappings, Welcome, GroupInfo and the
 * MLSMessage around them (RFC 9420 6, 8.1, 12.4.3).  Only form; signing,
 * sealing and their opposites are in framing.h.  For read and write see ext.h.
 */
#ifndef CRYPTO_MLS_MESSAGE_H
#define CRYPTO_MLS_MESSAGE_H

#include "crypto/mls/proposal.h"
#include "crypto/mls/rule.h"

enum mls_wire_format {
    MLS_WIRE_PUBLIC = 1,
    MLS_WIRE_PRIVATE = 2,
    MLS_WIRE_WELCOME = 3,
    MLS_WIRE_GROUP_INFO = 4,
    MLS_WIRE_KEY_PACKAGE = 5
};

enum mls_content_type {
    MLS_CONTENT_APPLICATION = 1,
    MLS_CONTENT_PROPOSAL = 2,
    MLS_CONTENT_COMMIT = 3
};

enum mls_sender_type {
    MLS_SENDER_MEMBER = 1,
    MLS_SENDER_EXTERNAL = 2,
    MLS_SENDER_NEW_MEMBER_PROPOSAL = 3,
    MLS_SENDER_NEW_MEMBER_COMMIT = 4
};

struct mls_sender {
    enum mls_sender_type type;
    uint32_t index; /* leaf index of a member, place of an external sender */
};

/* FramedContent.  Borrows everything. */
struct mls_content {
    struct view group_id;
    uint64_t epoch;
    struct mls_sender sender;
    struct view authenticated_data;
    enum mls_content_type type;
    union {
        struct view application;
        const struct mls_proposal *proposal;
        const struct mls_commit *commit;
    } u;
    /* Set by read: these bytes, which stand for the fields above wherever they
       are signed or hashed.  Empty it when changing a field. */
    struct view encoded;
};

void mls_content_read(struct proto_tls_rd *r, struct arena *a,
                      struct mls_content *out);
/* Only what follows the content type, by out->type: as in a PrivateMessage. */
void mls_content_body_read(struct proto_tls_rd *r, struct arena *a,
                           struct mls_content *out);
void mls_content_body_write(struct proto_tls_wr *w,
                            const struct mls_content *c);
void mls_content_write(struct proto_tls_wr *w, const struct mls_content *c);

/* The received bytes when there are some, else as write. */
void mls_content_write_signed(struct proto_tls_wr *w,
                              const struct mls_content *c);

/* FramedContentAuthData */
struct mls_auth {
    struct view signature;
    struct view confirmation_tag; /* of a commit */
};

void mls_auth_read(struct proto_tls_rd *r, enum mls_content_type type,
                   struct mls_auth *out);
void mls_auth_write(struct proto_tls_wr *w, enum mls_content_type type,
                    const struct mls_auth *auth);

/*
 * AuthenticatedContent.  As decoded it proves nothing; framing.h gives out
 * verified ones.  ProposalRef is the hash of its written form.
 */
struct mls_authenticated {
    enum mls_wire_format wire; /* MLS_WIRE_PUBLIC or MLS_WIRE_PRIVATE */
    struct mls_content content;
    struct mls_auth auth;
};

MUST_CHECK enum err mls_authenticated_decode(struct arena *a, struct view in,
                                             struct mls_authenticated *out);
void mls_authenticated_write(struct proto_tls_wr *w,
                             const struct mls_authenticated *x);
/* ConfirmedTranscriptHashInput (8.2) of a commit. */
void mls_authenticated_write_transcript(struct proto_tls_wr *w,
                                        const struct mls_authenticated *x);

struct mls_public_message {
    struct mls_content content;
    struct mls_auth auth;
    struct view membership_tag; /* of a member */
};

struct mls_private_message {
    struct view group_id;
    uint64_t epoch;
    enum mls_content_type type;
    struct view authenticated_data;
    struct view sender_data; /* encrypted_sender_data */
    struct view ciphertext;
};

struct mls_group_context {
    uint16_t version;
    uint16_t suite;
    struct view group_id;
    uint64_t epoch;
    struct view tree_hash;
    struct view confirmed_transcript_hash;
    struct mls_extensions extensions;
    struct view encoded; /* set by read: these bytes; never written from */
};

void mls_group_context_read(struct proto_tls_rd *r,
                            struct mls_group_context *out);
MUST_CHECK enum err mls_group_context_decode(struct view in,
                                             struct mls_group_context *out);
void mls_group_context_write(struct proto_tls_wr *w,
                             const struct mls_group_context *x);

struct mls_group_info {
    struct mls_group_context context;
    struct mls_extensions extensions;
    struct view confirmation_tag;
    uint32_t signer; /* leaf index */
    struct view signature;
};

void mls_group_info_read(struct proto_tls_rd *r, struct mls_group_info *out);
MUST_CHECK enum err mls_group_info_decode(struct view in,
                                          struct mls_group_info *out);
void mls_group_info_write(struct proto_tls_wr *w,
                          const struct mls_group_info *x);
/* GroupInfoTBS, what the signature covers. */
void mls_group_info_write_tbs(struct proto_tls_wr *w,
                              const struct mls_group_info *x);

/* Inside a Welcome, sealed to each new member.  Holds secrets: wipe the input.
 */
struct mls_group_secrets {
    struct view joiner_secret;
    bool has_path_secret;
    struct view path_secret;
    struct mls_psk_ids psks;
};

MUST_CHECK enum err mls_group_secrets_decode(struct arena *a, struct view in,
                                             struct mls_group_secrets *out);
void mls_group_secrets_write(struct proto_tls_wr *w,
                             const struct mls_group_secrets *x);

struct mls_encrypted_group_secrets {
    struct view new_member; /* KeyPackageRef */
    struct mls_hpke_ciphertext secrets;
};

struct mls_welcome {
    uint16_t suite;
    const struct mls_encrypted_group_secrets *secrets;
    uint32_t count;
    struct view group_info; /* encrypted_group_info */
};

void mls_welcome_read(struct proto_tls_rd *r, struct arena *a,
                      struct mls_welcome *out);
void mls_welcome_write(struct proto_tls_wr *w, const struct mls_welcome *x);

/* MLSMessage */
struct mls_message {
    enum mls_wire_format wire;
    union {
        struct mls_public_message public_message;
        struct mls_private_message private_message;
        struct mls_welcome welcome;
        struct mls_group_info group_info;
        struct mls_key_package key_package;
    } u;
};

/*
 * All of in, which must outlive *out; arrays go into a.  The version is mls10.
 *
 * Rules: message-size, message-version, wire-format, message-format.
 * ERR_NOMEM
 */
MUST_CHECK enum err mls_message_decode(struct arena *a, struct view in,
                                       struct mls_message *out,
                                       enum mls_rule *broken);
void mls_message_write(struct proto_tls_wr *w, const struct mls_message *m);

#endif
