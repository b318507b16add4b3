/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the members of a thread agreed on, as one private extension of the MLS
 * GroupContext: who orders it, who takes part, and its rules.  Every member
 * checks each change of it against federation/core/policy.
 *
 * And the additional data that every message authenticates: the log head that
 * its sender had seen (reference threads 6.4).
 */
#ifndef PROTO_MSG_GROUP_H
#define PROTO_MSG_GROUP_H

#include "proto/msg/shape.h"

/* Private-use extension type; in every leaf's capabilities. */
#define PROTO_EXT_GROUP 0xf101u

enum {
    PROTO_GROUP_PATIENTS = 8 /* in one thread */
};

enum proto_subject_kind {
    PROTO_SUBJECT_CLINIC = 1,
    PROTO_SUBJECT_PATIENT = 2
};

/* Subjects are sorted by root; each root once. */
struct proto_subject {
    uint8_t root[32];
    uint64_t kind;
    uint8_t node[32];     /* clinic whose node delivers: a clinic's is itself */
    uint64_t generation;  /* patients: of the device list; clinics: 0 */
    uint8_t added_by[32]; /* subject */
};

/* Flags. */
#define PROTO_GROUP_DIRECT 1u /* the one conversation of two clinics */
/* Continues another thread, whose state every member lost: prev is its id, and
   log numbers go on where that one's ended. */
#define PROTO_GROUP_CONTINUES 2u
/* Comes after another thread, whose hub was gone, because a patient asked for
   it: in term 1 prev is its id.  Nothing of that one moved here. */
#define PROTO_GROUP_AFTER 4u

/*
 * The newest device list of a patient who takes part: so that every member,
 * also one that comes later, can judge which devices are the patient's.
 */
struct proto_patient_list {
    uint8_t patient[32];
    struct view list; /* ident_devices_open; its generation is the subject's */
};

/*
 * Why a clinic that did not bring the patient into the thread may read along
 * (decisions D 18): the patient's consent, or one recorded at a clinic's desk.
 * Inside MLS only: it has people's words.
 */
struct proto_thread_consent {
    uint8_t patient[32];
    uint8_t clinic[32];
    bool desk;
    struct view consent; /* ident_consent_open, ident_desk_consent_open */
};

struct proto_group {
    uint8_t hub[32];
    uint64_t term;
    uint8_t prev[32]; /* log head with which this term began; term 1: zeros;
                         CONTINUES: the thread before */
    uint64_t flags;
    struct proto_list subjects;   /* proto_subject */
    struct proto_list successors; /* proto_subject_ref: next hubs, in order */
    struct proto_list lists;      /* proto_patient_list, sorted by patient */
    struct proto_list consents;   /* proto_thread_consent, sorted by patient,
                                     then clinic */
};

struct proto_subject_ref {
    uint8_t root[32];
};

extern const struct proto_shape proto_subject_shape;
extern const struct proto_shape proto_subject_ref_shape;
extern const struct proto_shape proto_patient_list_shape;
extern const struct proto_shape proto_thread_consent_shape;

MUST_CHECK enum err proto_group_encode(const struct mem *mem,
                                       const struct proto_group *in,
                                       struct bytes *out);

/* Errors as proto_content_decode; ERR_FORMAT also when not sorted. */
MUST_CHECK enum err proto_group_decode(struct view in, struct proto_group *out);

/* The subject with this root; false when there is none. */
bool proto_group_find(const struct proto_group *group, const uint8_t root[32],
                      struct proto_subject *out);

/* The list of a patient; false when there is none. */
bool proto_group_list(const struct proto_group *group,
                      const uint8_t patient[32], struct view *out);

/* The consent for this patient and clinic; false when there is none. */
bool proto_group_consent(const struct proto_group *group,
                         const uint8_t patient[32], const uint8_t clinic[32],
                         struct proto_thread_consent *out);

/* AAD of every MLS message of a thread. */
struct proto_aad {
    uint64_t term;
    uint64_t seq;
    uint8_t head[32];
    struct view frank; /* commitment to what is said; empty: a commit */
};

MUST_CHECK enum err proto_aad_encode(const struct mem *mem,
                                     const struct proto_aad *in,
                                     struct bytes *out);
MUST_CHECK enum err proto_aad_decode(struct view in, struct proto_aad *out);

#endif
