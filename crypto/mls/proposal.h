/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSK ids, proposals, update paths and commits (RFC 9420 7.6, 8.4, 12.1, 12.4).
 * For read and write see ext.h.
 */
#ifndef CRYPTO_MLS_PROPOSAL_H
#define CRYPTO_MLS_PROPOSAL_H

#include "crypto/mls/leaf.h"

enum mls_psk_type {
    MLS_PSK_EXTERNAL = 1,
    MLS_PSK_RESUMPTION = 2
};

enum mls_psk_usage {
    MLS_PSK_APPLICATION = 1,
    MLS_PSK_REINIT = 2,
    MLS_PSK_BRANCH = 3
};

/* PreSharedKeyID */
struct mls_psk_id {
    enum mls_psk_type type;
    struct view id;           /* MLS_PSK_EXTERNAL */
    enum mls_psk_usage usage; /* MLS_PSK_RESUMPTION, as the next two */
    struct view group_id;
    uint64_t epoch;
    struct view nonce;
};

/* Empty is {0}. */
struct mls_psk_ids {
    const struct mls_psk_id *items;
    uint32_t count;
};

void mls_psk_id_read(struct proto_tls_rd *r, struct mls_psk_id *out);
void mls_psk_id_write(struct proto_tls_wr *w, const struct mls_psk_id *x);
/* All fields the same, the nonce included. */
bool mls_psk_id_equal(const struct mls_psk_id *a, const struct mls_psk_id *b);
void mls_psk_ids_read(struct proto_tls_rd *r, struct arena *a,
                      struct mls_psk_ids *out);
void mls_psk_ids_write(struct proto_tls_wr *w, const struct mls_psk_ids *x);

enum mls_proposal_type {
    MLS_PROPOSAL_ADD = 1,
    MLS_PROPOSAL_UPDATE = 2,
    MLS_PROPOSAL_REMOVE = 3,
    MLS_PROPOSAL_PSK = 4,
    MLS_PROPOSAL_REINIT = 5,
    MLS_PROPOSAL_EXTERNAL_INIT = 6,
    MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS = 7
};

struct mls_reinit {
    struct view group_id;
    uint16_t version;
    uint16_t suite;
    struct mls_extensions extensions;
};

/*
 * One proposal.  Types that RFC 9420 does not define are taken as one vector,
 * as other implementations do; the RFC gives them no length of their own.
 */
struct mls_proposal {
    uint16_t type; /* enum mls_proposal_type or any other */
    union {
        const struct mls_key_package *add;
        const struct mls_leaf_node *update;
        uint32_t remove; /* leaf index */
        struct mls_psk_id psk;
        struct mls_reinit reinit;
        struct view kem_output; /* EXTERNAL_INIT */
        struct mls_extensions extensions;
        struct view unknown;
    } u;
};

/* True for the types that every client supports without listing them (7.2). */
bool mls_proposal_is_default(uint16_t type);
void mls_proposal_read(struct proto_tls_rd *r, struct arena *a,
                       struct mls_proposal *out);
MUST_CHECK enum err mls_proposal_decode(struct arena *a, struct view in,
                                        struct mls_proposal *out);
void mls_proposal_write(struct proto_tls_wr *w, const struct mls_proposal *p);

enum mls_proposal_or_ref_type {
    MLS_BY_VALUE = 1,
    MLS_BY_REFERENCE = 2
};

struct mls_proposal_or_ref {
    enum mls_proposal_or_ref_type type;
    union {
        struct mls_proposal proposal;
        struct view reference; /* ProposalRef */
    } u;
};

/* HPKECiphertext */
struct mls_hpke_ciphertext {
    struct view kem_output;
    struct view ciphertext;
};

void mls_hpke_ciphertext_read(struct proto_tls_rd *r,
                              struct mls_hpke_ciphertext *out);
void mls_hpke_ciphertext_write(struct proto_tls_wr *w,
                               const struct mls_hpke_ciphertext *x);

struct mls_update_path_node {
    struct view encryption_key;
    const struct mls_hpke_ciphertext *secrets;
    uint32_t count;
};

struct mls_update_path {
    struct mls_leaf_node leaf_node;
    const struct mls_update_path_node *nodes;
    uint32_t count;
};

void mls_update_path_read(struct proto_tls_rd *r, struct arena *a,
                          struct mls_update_path *out);
MUST_CHECK enum err mls_update_path_decode(struct arena *a, struct view in,
                                           struct mls_update_path *out);
void mls_update_path_write(struct proto_tls_wr *w,
                           const struct mls_update_path *x);

struct mls_commit {
    const struct mls_proposal_or_ref *proposals;
    uint32_t count;
    const struct mls_update_path *path; /* NULL: absent */
};

void mls_commit_read(struct proto_tls_rd *r, struct arena *a,
                     struct mls_commit *out);
MUST_CHECK enum err mls_commit_decode(struct arena *a, struct view in,
                                      struct mls_commit *out);
void mls_commit_write(struct proto_tls_wr *w, const struct mls_commit *x);

#endif
