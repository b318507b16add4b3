/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures outside TLS and MLS.  What is signed is
 *
 *     "balsam v1 <type>" | 0x00 | statement
 *
 * and a statement is a msgpack array [type, version, ...], so that nothing
 * signed for one purpose serves another (decisions A 5; a test offers every
 * type in every other's slot).  On the wire a signed statement is the array
 * [statement, signature], both byte strings: the exact bytes are verified.
 *
 * Pure; any thread.
 */
#ifndef CRYPTO_IDENT_SIGN_H
#define CRYPTO_IDENT_SIGN_H

#include "crypto/prim/curve.h"
#include "proto/base/id.h"
#include "proto/base/rng.h"

/* Longest statement that is signed or read. */
enum {
    IDENT_STATEMENT_MAX = 65536
};

/* The numbers are on the wire: add at the end, never reuse. */
enum ident_type {
    IDENT_RENEWAL = 1,  /* root certifies the renewal key */
    IDENT_NODE,         /* renewal key certifies a node key */
    IDENT_REVOKE,       /* root: "generation >= n" */
    IDENT_PROFILE,      /* node: name, address, phone of the clinic */
    IDENT_FORWARD,      /* node: this link was replaced by that one */
    IDENT_REDEEM,       /* proof of a one-time secret (MAC, not signature) */
    IDENT_CONTACT,      /* node: request, grant, revoke, cancel */
    IDENT_STATEMENT,    /* node: log head, checkpoint, hub change */
    IDENT_PATIENT,      /* patient key or may_add device certifies a device */
    IDENT_DEVICES,      /* patient key: the device list */
    IDENT_CONSENT,      /* patient: consent for one clinic and purpose */
    IDENT_AUDIT,        /* node: head of the audit chain */
    IDENT_DEVICE_HELLO, /* node or device: the WebSocket handshake */
    IDENT_DEVICE_ADD,   /* may_add device: one more device in the list */
    IDENT_WITHDRAWAL,   /* patient: a consent ends */
    IDENT_DESK_CONSENT, /* node: a consent given at its desk */
    IDENT_INTRODUCTION, /* node: this patient and that clinic, by key */
    IDENT_ARCHIVE,      /* patient key: a new key of the archive, sealed */
    IDENT_ARCHIVE_KEY,  /* device: a key of the archive for another, sealed */
    IDENT_TYPE_END_
};

/* A fresh signing key; secret, so hold it SCRUBBED.  ERR_IO  no randomness */
MUST_CHECK enum err ident_key_new(const struct rng *rng,
                                  struct prim_sign_key *out);

/* "balsam v1 renewal", ...; type must be one of the above. */
const char *ident_label(enum ident_type type);

/* Sign a statement. */
MUST_CHECK enum err ident_sign(const struct mem *mem, enum ident_type type,
                               const struct prim_sign_key *key,
                               struct view statement,
                               uint8_t sig[PRIM_ED25519_SIG]);

/* ERR_AUTH  not signed by pub for this type */
MUST_CHECK enum err ident_verify(const struct mem *mem, enum ident_type type,
                                 const uint8_t pub[PRIM_ED25519_PUB],
                                 struct view statement, struct view sig);

/* [statement, signature] */
MUST_CHECK enum err ident_signed_make(const struct mem *mem,
                                      enum ident_type type,
                                      const struct prim_sign_key *key,
                                      struct view statement, struct bytes *out);

/* The same of a signature that was made before. */
MUST_CHECK enum err ident_signed_join(const struct mem *mem,
                                      struct view statement, struct view sig,
                                      struct bytes *out);

/*
 * The statement inside, verified; points into in.
 * ERR_FORMAT  malformed; ERR_AUTH  not signed by pub for this type
 */
MUST_CHECK enum err ident_signed_open(const struct mem *mem,
                                      enum ident_type type,
                                      const uint8_t pub[PRIM_ED25519_PUB],
                                      struct view in, struct view *statement);

/*
 * The statement inside, to see who must have signed it: NOT verified.
 * ERR_FORMAT  malformed
 */
MUST_CHECK enum err ident_signed_peek(struct view in, struct view *statement);

#endif
