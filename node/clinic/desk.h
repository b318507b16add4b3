/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the protocol shows, put on the desk: clinics and their contacts,
 * conversations, messages, states.  Functions over a write transaction of the
 * store, in the same transaction as the protocol's own records, so that a
 * crash never leaves one without the other.
 *
 * Called on the store's writer thread only, and possibly twice for the same
 * show when a batch is tried again: nothing here is remembered outside the
 * transaction but profiles of clinics that are not known yet.
 */
#ifndef NODE_CLINIC_DESK_H
#define NODE_CLINIC_DESK_H

#include "federation/core/core.h"
#include "store/actor.h"
#include "store/clinic.h"
#include "store/conv.h"
#include "store/patient.h"

enum {
    NODE_DESK_PROFILES = 32
};

/* A profile that came before its clinic was known. */
struct node_desk_profile {
    struct clinic_id root;
    struct bytes profile;
};

/* Empty is {.mem = ..., .self = ..., .member = ...}. */
struct node_desk {
    const struct mem *mem;
    struct clinic_id self;
    struct member_id member; /* who wrote what we sent, unless it says so */
    struct node_desk_profile profiles[NODE_DESK_PROFILES];
    size_t profiles_next;
    bool files; /* there is something to move: told after the commit */
};

void node_desk_clear(struct node_desk *desk);

/* Write: put one show on the desk. */
MUST_CHECK enum err node_desk_show(struct store_txn *txn,
                                   struct node_desk *desk,
                                   const struct fed_show *show);

/* Write: a journal row without a second id. */
MUST_CHECK enum err node_desk_event(struct store_txn *txn, uint16_t kind,
                                    struct view a, uint64_t n);

/* --------------------------------------------------- the parts, by subject */

/* Write: PARTY, PROFILE and LINK_USED (party.c). */
MUST_CHECK enum err node_desk_party(struct store_txn *txn,
                                    struct node_desk *desk,
                                    const struct fed_show *show);
MUST_CHECK enum err node_desk_profile(struct store_txn *txn,
                                      struct node_desk *desk,
                                      const struct fed_show *show);
MUST_CHECK enum err node_desk_link_used(struct store_txn *txn,
                                        const struct fed_show *show);

/*
 * Write: the clinic's record, made if it is missing, and its contact.
 * *out must be empty.
 */
MUST_CHECK enum err node_desk_clinic(struct store_txn *txn,
                                     struct node_desk *desk,
                                     const struct clinic_id *root,
                                     struct store_clinic *out);

/* The conversation that a clinic and we have alone; false if there is none. */
bool node_clinic_conv(const struct store_clinic *c, struct conv_id *out);
MUST_CHECK enum err node_clinic_set_conv(const struct mem *mem,
                                         struct store_clinic *c,
                                         const struct conv_id *conv);

/* The name in a clinic's signed profile.  ERR_MISSING  it has none */
MUST_CHECK enum err node_clinic_name(const struct mem *mem,
                                     const struct store_clinic *c,
                                     struct phi *out);

/* Write: PATIENT, PARTY of a patient, DEVICES, CONSENT and a LINK_USED that
   says that a date of birth was wrong (patient.c). */
MUST_CHECK enum err node_desk_patient(struct store_txn *txn,
                                      struct node_desk *desk,
                                      const struct fed_show *show);
MUST_CHECK enum err node_desk_patient_party(struct store_txn *txn,
                                            struct node_desk *desk,
                                            const struct fed_show *show);
MUST_CHECK enum err node_desk_devices(struct store_txn *txn,
                                      struct node_desk *desk,
                                      const struct fed_show *show);
MUST_CHECK enum err node_desk_consent(struct store_txn *txn,
                                      struct node_desk *desk,
                                      const struct fed_show *show);
MUST_CHECK enum err node_desk_birth_wrong(struct store_txn *txn,
                                          const struct fed_show *show);

/* Write: the patient's record, made if it is missing, with a contact.  *out
   must be empty. */
MUST_CHECK enum err node_desk_patient_get(struct store_txn *txn,
                                          struct node_desk *desk,
                                          const struct patient_id *id,
                                          struct store_patient *out);

/* Write: a patient says what they are called: the contact's name, while it
   has none that anybody chose. */
MUST_CHECK enum err node_desk_patient_named(struct store_txn *txn,
                                            const struct mem *mem,
                                            const struct patient_id *id,
                                            struct view name);

/* Write: so another clinic calls them, while they have no other name here. */
MUST_CHECK enum err node_desk_patient_called(struct store_txn *txn,
                                             const struct mem *mem,
                                             const struct patient_id *id,
                                             struct view name,
                                             const struct clinic_id *by);
/* Read: what we call a patient.  ERR_MISSING  nothing but their key is known */
MUST_CHECK enum err node_patient_called(struct store_txn *txn,
                                        const struct patient_id *id,
                                        const struct mem *mem, struct phi *out);

/* Write: THREAD and MEMBER (thread.c). */
MUST_CHECK enum err node_desk_thread(struct store_txn *txn,
                                     struct node_desk *desk,
                                     const struct fed_show *show);
MUST_CHECK enum err node_desk_member(struct store_txn *txn,
                                     const struct fed_show *show);

/* Write: the conversation of a thread, made if it is missing. */
MUST_CHECK enum err node_desk_conv(struct store_txn *txn,
                                   const struct thread_id *thread,
                                   struct store_conv *out);

/* Write: MESSAGE, STATE and what is wrong with a thread (message.c). */
MUST_CHECK enum err node_desk_message(struct store_txn *txn,
                                      struct node_desk *desk,
                                      const struct fed_show *show);
/* Likewise, also of contents that are not people's own words: consents. */
MUST_CHECK enum err node_desk_said(struct store_txn *txn,
                                   struct node_desk *desk,
                                   const struct fed_show *show);
MUST_CHECK enum err node_desk_state(struct store_txn *txn,
                                    const struct fed_show *show);
/* Write: ours, message seq, stands behind the last one that has a place and no
   longer at the end.  OK also when it did not wait. */
MUST_CHECK enum err node_desk_waits_no_more(struct store_txn *txn,
                                            const struct conv_id *id,
                                            uint64_t seq);
/* doubt.c: how a conversation is carried */
MUST_CHECK enum err node_desk_doubt(struct store_txn *txn,
                                    const struct fed_show *show);
/*
 * Write: a person has seen to what does not go away by itself (two logs, what
 * was never delivered).  *settled_out, *left_out: how many, and how many others
 * are there.
 */
MUST_CHECK enum err node_desk_settle(struct store_txn *txn,
                                     const struct conv_id *conv,
                                     size_t *settled_out, size_t *left_out);
MUST_CHECK enum err node_desk_trouble(struct store_txn *txn, uint16_t event,
                                      const struct fed_show *show);

/*
 * Write: what a message's files need (files.c): kept here, fetched from the
 * thread's hub, or brought there before the message may go.
 */
MUST_CHECK enum err node_desk_files(struct store_txn *txn,
                                    struct node_desk *desk,
                                    const struct fed_show *show,
                                    const struct proto_text *text,
                                    struct view ref);

/*
 * Read: what the members of a thread agreed on, as of its newest commit.
 * ERR_MISSING  not known yet
 */
MUST_CHECK enum err node_desk_group(struct store_txn *txn,
                                    const struct thread_id *thread,
                                    struct bytes *out);

/* Write: remember who orders a thread. */
MUST_CHECK enum err node_desk_hub(struct store_txn *txn,
                                  const struct fed_show *show);

/*
 * Read: which message waits for this file of thread; *ready: for nothing else.
 * ERR_MISSING  none waits
 */
MUST_CHECK enum err node_desk_file_held(struct store_txn *txn,
                                        const struct thread_id *thread,
                                        const struct hash32 *blob,
                                        struct message_id *message,
                                        bool *ready);

/* Write: nothing waits for this file any more; in one transaction with the
   release of its message, or the message would be held for ever. */
MUST_CHECK enum err node_desk_file_up(struct store_txn *txn,
                                      const struct thread_id *thread,
                                      const struct hash32 *blob);

/* Write: the message that waits for this file cannot go. */
MUST_CHECK enum err node_desk_file_failed(struct store_txn *txn,
                                          const struct thread_id *thread,
                                          const struct hash32 *blob);

/* Write: ask again for everything that messages wait for (at a start). */
MUST_CHECK enum err node_desk_files_again(struct store_txn *txn,
                                          const struct mem *mem);

/* A place in a thread's log as one number that grows: for marks. */
static inline uint64_t
node_log_place(uint64_t term, uint64_t seq)
{
    return term << 40 | (seq & 0xffffffffff);
}

#endif
