/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaf nodes and key packages (RFC 9420 7.2, 10) and the leaf as the tree keeps
 * it.  For read and write see ext.h.
 */
#ifndef CRYPTO_MLS_LEAF_H
#define CRYPTO_MLS_LEAF_H

#include "crypto/mls/ext.h"

struct mls_capabilities {
    struct mls_u16s versions;
    struct mls_u16s suites;
    struct mls_u16s extensions;
    struct mls_u16s proposals;
    struct mls_u16s credentials;
};

void mls_capabilities_read(struct proto_tls_rd *r,
                           struct mls_capabilities *out);
void mls_capabilities_write(struct proto_tls_wr *w,
                            const struct mls_capabilities *c);

/* Seconds since 1970, UTC, both ends included. */
struct mls_lifetime {
    uint64_t not_before_s;
    uint64_t not_after_s;
};

enum mls_leaf_source {
    MLS_LEAF_KEY_PACKAGE = 1,
    MLS_LEAF_UPDATE = 2,
    MLS_LEAF_COMMIT = 3
};

/* Borrows everything. */
struct mls_leaf_node {
    struct view encryption_key;
    struct view signature_key;
    struct mls_credential credential;
    struct mls_capabilities capabilities;
    enum mls_leaf_source source;
    struct mls_lifetime lifetime; /* MLS_LEAF_KEY_PACKAGE only */
    struct view parent_hash;      /* MLS_LEAF_COMMIT only */
    struct mls_extensions extensions;
    struct view signature;
    struct view encoded; /* set by read: these bytes; never written from */
};

void mls_leaf_node_read(struct proto_tls_rd *r, struct mls_leaf_node *out);
/* All of in. */
MUST_CHECK enum err mls_leaf_node_decode(struct view in,
                                         struct mls_leaf_node *out);
void mls_leaf_node_write(struct proto_tls_wr *w, const struct mls_leaf_node *n);

/*
 * LeafNodeTBS, what the signature covers.  group_id and leaf_index are used
 * unless the source is MLS_LEAF_KEY_PACKAGE.
 */
void mls_leaf_node_write_tbs(struct proto_tls_wr *w,
                             const struct mls_leaf_node *n,
                             struct view group_id, uint32_t leaf_index);

/*
 * A leaf node that owns its bytes, never changes and is counted, so that a
 * staged epoch shares the leaves of the one it came from.  Not between threads.
 */
struct mls_leaf {
    struct mls_leaf_node node; /* node.encoded is set */
    const struct mem *mem_;
    size_t size_;
    uint32_t refs_;
};

/* A leaf with one holder, from a copy of an encoded LeafNode. */
MUST_CHECK enum err mls_leaf_new(const struct mem *mem, struct view encoded,
                                 struct mls_leaf **out);
/* The same from fields. */
MUST_CHECK enum err mls_leaf_copy(const struct mem *mem,
                                  const struct mls_leaf_node *n,
                                  struct mls_leaf **out);
/* One more holder; returns leaf. */
struct mls_leaf *mls_leaf_hold(struct mls_leaf *leaf);
/* One holder less; the last one frees it.  leaf may be NULL. */
void mls_leaf_drop(struct mls_leaf *leaf);

/* Borrows everything. */
struct mls_key_package {
    uint16_t version;
    uint16_t suite;
    struct view init_key;
    struct mls_leaf_node leaf_node;
    struct mls_extensions extensions;
    struct view signature;
    struct view encoded; /* set by read: these bytes; never written from */
};

void mls_key_package_read(struct proto_tls_rd *r, struct mls_key_package *out);
MUST_CHECK enum err mls_key_package_decode(struct view in,
                                           struct mls_key_package *out);
void mls_key_package_write(struct proto_tls_wr *w,
                           const struct mls_key_package *kp);
/* KeyPackageTBS, what the signature covers. */
void mls_key_package_write_tbs(struct proto_tls_wr *w,
                               const struct mls_key_package *kp);

#endif
