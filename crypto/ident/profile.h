/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a clinic says about itself, signed by its node: shown to a person
 * before they connect.  The picture travels apart, named by its hash, so that
 * a profile fits the frame of a peer that is not known yet.
 *
 *     [type, 1, root, changed, name, address, phone, picture or nil]
 *     picture = [type, length, width, height, SHA-256]
 *
 * Also what replaces a rotated link (decisions B, forward).
 */
#ifndef CRYPTO_IDENT_PROFILE_H
#define CRYPTO_IDENT_PROFILE_H

#include "crypto/ident/cert.h"
#include "proto/msg/picture.h"

enum {
    IDENT_NAME_MAX = 200,
    IDENT_ADDRESS_MAX = 400,
    IDENT_PHONE_MAX = 50,
    IDENT_LINK_MAX = 1024
};

/* Words are UTF-8; views into what was decoded. */
struct ident_profile {
    struct clinic_id root;
    uint64_t changed_ms; /* the newer one counts */
    struct view name;    /* never empty */
    struct view address;
    struct view phone;
    struct proto_picture picture; /* type NONE: there is none */
    struct hash32 picture_hash;
};

/* ERR_INVALID  no name, a field too long or not UTF-8, no such picture */
MUST_CHECK enum err ident_profile_make(const struct mem *mem,
                                       const struct prim_sign_key *node,
                                       struct view chain,
                                       const struct ident_profile *profile,
                                       struct bytes *out);

/*
 * Verified against check; check->root is needed.  Errors as
 * ident_chain_verify; views in *out point into in.
 */
MUST_CHECK enum err ident_profile_open(const struct mem *mem, struct view in,
                                       const struct ident_check *check,
                                       struct ident_profile *out);

/* "Link old is now the link text": signed by the node of the same root. */
MUST_CHECK enum err ident_forward_make(const struct mem *mem,
                                       const struct prim_sign_key *node,
                                       struct view chain,
                                       const struct link_id *old,
                                       struct view text, struct bytes *out);

/*
 * *text points into in and is a link of the same root only if the caller
 * checks so.  ERR_AUTH also when it is about another link than old.
 */
MUST_CHECK enum err ident_forward_open(const struct mem *mem, struct view in,
                                       const struct ident_check *check,
                                       const struct link_id *old,
                                       struct view *text);

#endif
