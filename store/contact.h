/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contacts: patients, clinics and professionals that this clinic knows, each
 * with several identities (phone, e-mail, keys), notes, and a merge that can
 * be undone (decisions G 31).  All of it stays home: nothing here has a place
 * in an envelope.
 */
#ifndef STORE_CONTACT_H
#define STORE_CONTACT_H

#include "proto/base/phi.h"
#include "store/actor.h"
#include "store/txn.h"

/* Numbers are on disk. */
enum store_contact_kind {
    STORE_CONTACT_UNKNOWN = 0, /* an address was seen, nobody saved it */
    STORE_CONTACT_PATIENT = 1,
    STORE_CONTACT_CLINIC = 2,
    STORE_CONTACT_PROFESSIONAL = 3,
    STORE_CONTACT_KIND_COUNT_
};

enum store_ident_kind {
    STORE_IDENT_PHONE = 1,
    STORE_IDENT_EMAIL = 2,
    STORE_IDENT_FAX = 3,
    STORE_IDENT_ADDRESS = 4,  /* postal */
    STORE_IDENT_EXTERNAL = 5, /* id in another system */
    STORE_IDENT_CLINIC = 6,   /* value: clinic_id, 32 bytes */
    STORE_IDENT_PATIENT = 7,  /* value: patient_id, 32 bytes */
    STORE_IDENT_INVITE = 8,   /* value: link_id, 8 bytes; see store/invite.h */
    STORE_IDENT_KIND_COUNT_
};

/* How a key was learned, shown with it (decisions F 25). */
enum store_learned {
    STORE_LEARNED_NONE = 0,
    STORE_LEARNED_LINK = 1,       /* by own link, sent */
    STORE_LEARNED_SCANNED = 2,    /* one-time link shown in person */
    STORE_LEARNED_INTRODUCED = 3, /* by a clinic: see via */
    STORE_LEARNED_COMPARED = 4,   /* words or a QR code were compared */
    STORE_LEARNED_COUNT_
};

/*
 * Phone, fax and e-mail are found without regard to case, spaces and
 * punctuation.  Keys are not words, but live in the same place.
 */
struct store_ident {
    enum store_ident_kind kind;
    struct bytes value; /* UTF-8 typed by people, or 32 bytes of a key */
    struct phi label;   /* "mobile"; may be empty */
    enum store_learned learned;
    uint64_t added_ms;
};

struct store_contact {
    struct contact_id id;
    enum store_contact_kind kind;
    struct phi name;
    struct phi more; /* free fields of the layer above; may be empty */
    uint64_t created_ms;
    uint64_t changed_ms;
    bool archived;
    struct store_ident *idents; /* owned, idents_len of them */
    size_t idents_len;
    const struct mem *mem; /* of idents */
};

void store_contact_clear(struct store_contact *c);

/*
 * Append an identity, copying value and label.
 * ERR_LIMIT  LIMIT_CONTACT_IDENTS; ERR_EXISTS  it has this one
 */
MUST_CHECK enum err
store_contact_add_ident(const struct mem *mem, struct store_contact *c,
                        enum store_ident_kind kind, struct view value,
                        struct view label, enum store_learned learned,
                        uint64_t now_ms);

/*
 * The identity of that kind and value, or NULL; value is empty for the first
 * of its kind.
 */
struct store_ident *store_contact_ident(struct store_contact *c,
                                        enum store_ident_kind kind,
                                        struct view value);

/* Write: set a contact, new or not, and its search entries. */
MUST_CHECK enum err store_contact_put(struct store_txn *txn,
                                      const struct store_contact *c);

/* The record itself, also of one that was merged away.  ERR_MISSING */
MUST_CHECK enum err store_contact_get(struct store_txn *txn,
                                      const struct contact_id *id,
                                      struct store_contact *out);

/* Write: remove it, its notes and search entries.  ERR_MISSING */
MUST_CHECK enum err store_contact_del(struct store_txn *txn,
                                      const struct contact_id *id);

/*
 * The contacts with an identity; ids of those merged away are resolved.  Up
 * to max.  ERR_MISSING  nobody has it
 */
MUST_CHECK enum err store_contact_by_ident(struct store_txn *txn,
                                           enum store_ident_kind kind,
                                           struct view value, size_t max,
                                           struct contact_id *out,
                                           size_t *out_len);

/* Whether there is a word in it to look for. */
bool store_has_word(struct view text);

/*
 * Contacts whose name has words beginning with all the words of query
 * (without regard to case), up to max, in no particular order.  An empty
 * query lists all, by id, behind after (may be NULL).  Merged-away ones are
 * left out.  Archived ones are included.
 */
MUST_CHECK enum err
store_contact_find(struct store_txn *txn, struct view query,
                   const struct contact_id *after, uint32_t max,
                   enum err (*each)(void *ctx, const struct store_contact *c),
                   void *ctx);

/* A note: internal, newest last, never leaves the node. */
struct store_note {
    uint64_t seq; /* within the contact, from 1; set by add */
    uint64_t at_ms;
    struct store_actor actor;
    struct phi text;
};

/* Write. */
MUST_CHECK enum err store_contact_note_add(struct store_txn *txn,
                                           const struct contact_id *id,
                                           const struct store_note *note);
MUST_CHECK enum err
store_contact_notes(struct store_txn *txn, const struct contact_id *id,
                    enum err (*each)(void *ctx, const struct store_note *n),
                    void *ctx);
/* Write.  ERR_MISSING */
MUST_CHECK enum err store_contact_note_del(struct store_txn *txn,
                                           const struct contact_id *id,
                                           uint64_t seq);

/*
 * Write: from becomes part of into.  Both records stay as they are; the merge
 * is a row that unmerge removes.
 * ERR_EXISTS  from is merged already; ERR_INVALID  it would make a ring
 */
MUST_CHECK enum err store_contact_merge(struct store_txn *txn,
                                        const struct contact_id *from,
                                        const struct contact_id *into);
/* Write.  ERR_MISSING  it was not merged */
MUST_CHECK enum err store_contact_unmerge(struct store_txn *txn,
                                          const struct contact_id *from);
/* The contact that id stands for now, itself when it was not merged. */
MUST_CHECK enum err store_contact_resolve(struct store_txn *txn,
                                          const struct contact_id *id,
                                          struct contact_id *out);
/* Those merged directly into id. */
MUST_CHECK enum err
store_contact_merged(struct store_txn *txn, const struct contact_id *id,
                     enum err (*each)(void *ctx, const struct contact_id *from),
                     void *ctx);

#endif
