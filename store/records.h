/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encodings of stored records: what is inside a sealed value.  Each is one
 * msgpack array in its one encoding (proto/wire/mp_rd.h); what does not decode
 * is ERR_CORRUPT.  Decoders allocate from mem and leave *out empty when they
 * fail; views point into the input.
 *
 * Internal to store/ and its tests.
 */
#ifndef STORE_RECORDS_H
#define STORE_RECORDS_H

#include "store/audit.h"
#include "store/blob.h"
#include "store/clinic.h"
#include "store/contact.h"
#include "store/invite.h"
#include "store/journal.h"
#include "store/link.h"
#include "store/member.h"
#include "store/msg.h"
#include "store/outbox.h"
#include "store/patient.h"

struct proto_rd;
struct proto_wr;

/* Pieces. */
void store_wr_actor(struct proto_wr *w, const struct store_actor *a);
struct store_actor store_rd_actor(struct proto_rd *r);
void store_wr_phi(struct proto_wr *w, const struct phi *p);
/* ERR_LIMIT above max; *out is empty before. */
void store_rd_phi(struct proto_rd *r, const struct mem *mem, size_t max,
                  struct phi *out);
void store_rd_bytes(struct proto_rd *r, const struct mem *mem, size_t max,
                    struct bytes *out);
/* Make e, unless it is OK, the failure unless there is one already. */
void store_rd_check(struct proto_rd *r, enum err e);
/* What the reader says at the end: OK, ERR_NOMEM or ERR_CORRUPT. */
enum err store_rd_done(const struct proto_rd *r);
/* An id or nil. */
void store_wr_optional(struct proto_wr *w, bool has, struct view id);
bool store_rd_optional(struct proto_rd *r, uint8_t *out, size_t len);

MUST_CHECK enum err store_event_decode(struct view in, struct store_event *out);
MUST_CHECK enum err store_event_encode(const struct mem *mem,
                                       const struct store_event *ev,
                                       struct bytes *out);

MUST_CHECK enum err store_audit_decode(struct view in, struct store_audit *out);
MUST_CHECK enum err store_audit_encode(const struct mem *mem,
                                       const struct store_audit *row,
                                       struct bytes *out);

MUST_CHECK enum err store_member_decode(const struct mem *mem, struct view in,
                                        struct store_member *out);
MUST_CHECK enum err store_member_encode(const struct mem *mem,
                                        const struct store_member *m,
                                        struct bytes *out);

MUST_CHECK enum err store_contact_decode(const struct mem *mem, struct view in,
                                         struct store_contact *out);
MUST_CHECK enum err store_contact_encode(const struct mem *mem,
                                         const struct store_contact *c,
                                         struct bytes *out);

MUST_CHECK enum err store_note_decode(const struct mem *mem, struct view in,
                                      struct store_note *out);
MUST_CHECK enum err store_note_encode(const struct mem *mem,
                                      const struct store_note *n,
                                      struct bytes *out);

MUST_CHECK enum err store_conv_decode(const struct mem *mem, struct view in,
                                      struct store_conv *out);
MUST_CHECK enum err store_conv_encode(const struct mem *mem,
                                      const struct store_conv *c,
                                      struct bytes *out);

MUST_CHECK enum err store_msg_decode(const struct mem *mem, struct view in,
                                     struct store_msg *out);
MUST_CHECK enum err store_msg_encode(const struct mem *mem,
                                     const struct store_msg *m,
                                     struct bytes *out);

MUST_CHECK enum err store_link_decode(const struct mem *mem, struct view in,
                                      struct store_link *out);
MUST_CHECK enum err store_link_encode(const struct mem *mem,
                                      const struct store_link *l,
                                      struct bytes *out);

MUST_CHECK enum err store_invite_decode(const struct mem *mem, struct view in,
                                        struct store_invite *out);
MUST_CHECK enum err store_invite_encode(const struct mem *mem,
                                        const struct store_invite *i,
                                        struct bytes *out);

MUST_CHECK enum err store_patient_decode(const struct mem *mem, struct view in,
                                         struct store_patient *out);
MUST_CHECK enum err store_patient_encode(const struct mem *mem,
                                         const struct store_patient *p,
                                         struct bytes *out);
MUST_CHECK enum err store_consent_decode(const struct mem *mem, struct view in,
                                         struct store_consent *out);
MUST_CHECK enum err store_consent_encode(const struct mem *mem,
                                         const struct store_consent *c,
                                         struct bytes *out);

MUST_CHECK enum err store_clinic_decode(const struct mem *mem, struct view in,
                                        struct store_clinic *out);
MUST_CHECK enum err store_clinic_encode(const struct mem *mem,
                                        const struct store_clinic *c,
                                        struct bytes *out);

MUST_CHECK enum err store_blob_decode(const struct mem *mem, struct view in,
                                      struct store_blob *out);
MUST_CHECK enum err store_blob_encode(const struct mem *mem,
                                      const struct store_blob *b,
                                      struct bytes *out);

MUST_CHECK enum err store_outbox_decode(struct view in,
                                        struct store_outbox_entry *out);
MUST_CHECK enum err store_outbox_encode(const struct mem *mem,
                                        const struct store_outbox_entry *en,
                                        struct bytes *out);

/*
 * Hashes of the beginnings of the words in a name, and of an identity without
 * case, spaces and punctuation, for index keys; each calls for each word.
 */
enum {
    STORE_WORD_HASH = 8
};
MUST_CHECK enum err
store_words(struct store_txn *txn, struct view text, bool beginnings,
            enum err (*each)(void *ctx, const uint8_t hash[STORE_WORD_HASH]),
            void *ctx);
MUST_CHECK enum err store_name_words(
    struct store_txn *txn, const struct phi *name,
    enum err (*each)(void *ctx, const uint8_t hash[STORE_WORD_HASH]),
    void *ctx);
MUST_CHECK enum err store_ident_hash(struct store_txn *txn,
                                     enum store_ident_kind kind,
                                     struct view value, uint8_t out[16]);
MUST_CHECK enum err store_login_hash(struct store_txn *txn, struct view login,
                                     uint8_t out[16]);

#endif
