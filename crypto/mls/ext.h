/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extensions, credentials and lists of code points: the small parts that the
 * other MLS structs are made of (RFC 9420 5.3, 7.2, 11.1, 12.1.8.1, 13).
 *
 * All X_read and X_write of crypto/mls have one shape.  A read takes from a
 * reader, which remembers the first failure; views point into the input, which
 * must outlive the struct; where there are arrays they go into an arena.  A
 * read never judges more than form: what is well-formed but not allowed is
 * decided in validate.h.  A write puts the fields; what was read is written
 * byte for byte the same.  Code points nobody knows (GREASE among them) are
 * kept opaque.
 *
 *     ERR_FORMAT  malformed
 *     ERR_LIMIT   more items than limits.h allows
 *     ERR_NOMEM   the arena could not grow
 */
#ifndef CRYPTO_MLS_EXT_H
#define CRYPTO_MLS_EXT_H

#include "proto/base/arena.h"
#include "proto/wire/tls_rd.h"
#include "proto/wire/tls_wr.h"

enum {
    MLS_VERSION_10 = 1
};

enum mls_extension_type {
    MLS_EXT_APPLICATION_ID = 1,
    MLS_EXT_RATCHET_TREE = 2,
    MLS_EXT_REQUIRED_CAPABILITIES = 3,
    MLS_EXT_EXTERNAL_PUB = 4,
    MLS_EXT_EXTERNAL_SENDERS = 5
};

enum mls_credential_type {
    MLS_CREDENTIAL_BASIC = 1,
    MLS_CREDENTIAL_X509 = 2
};

/* A list of 16-bit code points, kept as on the wire: big endian, two by two. */
struct mls_u16s {
    struct view raw;
};

/* A literal list: MLS_U16S("\x00\x01" "\x00\x03") */
#define MLS_U16S(bytes) ((struct mls_u16s){VIEW_LIT(bytes)})

size_t mls_u16s_count(struct mls_u16s list);
/* The i-th; i < count. */
uint16_t mls_u16s_at(struct mls_u16s list, size_t i);
bool mls_u16s_has(struct mls_u16s list, uint16_t value);
void mls_u16s_read(struct proto_tls_rd *r, struct mls_u16s *out);
void mls_u16s_write(struct proto_tls_wr *w, struct mls_u16s list);

struct mls_extension {
    uint16_t type; /* enum mls_extension_type or any other */
    struct view data;
};

/*
 * A list of extensions, kept as on the wire, well-formed and of bounded count.
 * Empty is {0}.  Made with mls_extension_write.
 */
struct mls_extensions {
    struct view raw;
};

/*
 * The next one of it, moving on; false at the end.
 *     struct mls_extensions it = x; while (mls_extensions_next(&it, &ext)) ...
 */
bool mls_extensions_next(struct mls_extensions *it, struct mls_extension *out);
/* The first of that type. */
bool mls_extensions_find(struct mls_extensions x, uint16_t type,
                         struct mls_extension *out);
/* Whether some type occurs more than once. */
bool mls_extensions_twice(struct mls_extensions x);
/* True for the types that every client supports without listing them (7.2). */
bool mls_extension_is_default(uint16_t type);
/* One extension, without the length of the list. */
void mls_extension_write(struct proto_tls_wr *w, uint16_t type,
                         struct view data);
void mls_extensions_read(struct proto_tls_rd *r, struct mls_extensions *out);
void mls_extensions_write(struct proto_tls_wr *w, struct mls_extensions x);
/* The content of a list, without its length, checked as by read. */
MUST_CHECK enum err mls_extensions_from(struct view raw,
                                        struct mls_extensions *out);

/*
 * Every credential is a type and one vector: of basic the identity, of x509 the
 * certificates (each opaque<V>), of others what they like.  RFC 9420 leaves the
 * form of unknown ones open; as every other implementation we take a vector.
 */
struct mls_credential {
    uint16_t type; /* enum mls_credential_type or any other */
    struct view data;
};

void mls_credential_read(struct proto_tls_rd *r, struct mls_credential *out);
void mls_credential_write(struct proto_tls_wr *w,
                          const struct mls_credential *c);

/* Content of the required_capabilities extension. */
struct mls_required_capabilities {
    struct mls_u16s extensions;
    struct mls_u16s proposals;
    struct mls_u16s credentials;
};

MUST_CHECK enum err
mls_required_capabilities_decode(struct view in,
                                 struct mls_required_capabilities *out);
void mls_required_capabilities_write(struct proto_tls_wr *w,
                                     const struct mls_required_capabilities *x);

/* Content of the external_pub extension: an HPKE public key. */
MUST_CHECK enum err mls_external_pub_decode(struct view in, struct view *out);
void mls_external_pub_write(struct proto_tls_wr *w, struct view key);

struct mls_external_sender {
    struct view signature_key;
    struct mls_credential credential;
};

/*
 * The sender at that place in the content of an external_senders extension.
 * ERR_MISSING  there are not so many; ERR_FORMAT
 */
MUST_CHECK enum err mls_external_senders_at(struct view in, uint32_t index,
                                            struct mls_external_sender *out);
/* Only checks the form.  *count_out may be NULL. */
MUST_CHECK enum err mls_external_senders_check(struct view in,
                                               uint32_t *count_out);
void mls_external_senders_write(struct proto_tls_wr *w,
                                const struct mls_external_sender *items,
                                uint32_t count);

#endif
