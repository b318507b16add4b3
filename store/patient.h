/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patients whose key this clinic knows: how it was learned, who delivers, and
 * the contact that stands for them.  What the protocol needs of them is in the
 * core's own records.
 *
 * And what was asked of them and answered about other clinics (decisions
 * D 18): one row each, oldest first; the words are in the messages.
 */
#ifndef STORE_PATIENT_H
#define STORE_PATIENT_H

#include "proto/base/phi.h"
#include "store/contact.h"
#include "store/txn.h"

/* Numbers are on disk. */
enum store_patient_state {
    STORE_PATIENT_KNOWN = 1,  /* in a thread with us */
    STORE_PATIENT_ASKS = 2,   /* came by a link under review */
    STORE_PATIENT_JOINED = 3, /* enrolled here, or private threads allowed */
    STORE_PATIENT_ENDED = 4,
    STORE_PATIENT_BLOCKED = 5,
    STORE_PATIENT_STATE_COUNT_
};

struct store_patient {
    struct patient_id id;
    enum store_patient_state state;
    enum store_learned learned;
    bool alarm;    /* two device lists of one generation */
    bool replaces; /* the contact had another key before: compare */
    uint64_t generation;
    uint64_t created_ms;
    uint64_t changed_ms;
    bool has_introducer;
    struct clinic_id introducer;
    struct clinic_id delivery; /* whose node delivers */
    bool has_link;
    struct link_id link; /* ours that they used */
    bool has_contact;
    struct contact_id contact;
    bool has_conv;
    struct conv_id conv;     /* the one that the patient and we have alone */
    struct phi claim;        /* the name that they gave; may be empty */
    bool has_caller;         /* they said no name here yet, but */
    struct clinic_id caller; /* this clinic calls them */
    struct phi called;       /* so */
};

void store_patient_clear(struct store_patient *p);

/* Write: set a patient, new or not.  ERR_LIMIT  the claim is too long */
MUST_CHECK enum err store_patient_put(struct store_txn *txn,
                                      const struct store_patient *p);
/* ERR_MISSING */
MUST_CHECK enum err store_patient_get(struct store_txn *txn,
                                      const struct patient_id *id,
                                      struct store_patient *out);
/* OK or ERR_MISSING, at no cost. */
MUST_CHECK enum err store_patient_has(struct store_txn *txn,
                                      const struct patient_id *id);
MUST_CHECK enum err
store_patient_list(struct store_txn *txn,
                   enum err (*each)(void *ctx, const struct store_patient *p),
                   void *ctx);

struct store_consent {
    struct patient_id patient;
    uint64_t at_ms;          /* of the thread's log */
    struct message_id id;    /* of what said it */
    uint16_t code;           /* of the layer above: asked, given, ... */
    struct clinic_id clinic; /* whom it lets in */
    struct clinic_id asker;  /* who asked or recorded it; zeros: nobody */
    struct message_id question;
    struct conv_id conv;
    struct bytes content; /* as it was said: people's words */
};

void store_consent_clear(struct store_consent *c);

/* Write; the same id of one patient and time again changes nothing. */
MUST_CHECK enum err store_consent_put(struct store_txn *txn,
                                      const struct store_consent *c);
/* Of one patient, or (NULL) of all. */
MUST_CHECK enum err
store_consent_list(struct store_txn *txn, const struct patient_id *patient,
                   enum err (*each)(void *ctx, const struct store_consent *c),
                   void *ctx);

#endif
