/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lets a clinic into a patient's threads (decisions D 18): the patient's
 * consent, its withdrawal, a consent given at a clinic's desk, and the clinic's
 * introduction of the patient to another clinic (F 25).
 *
 *     consent       [type, 1, id, patient, clinic, asker, serial, purpose,
 *                   history, history from, scope, thread, made, until, device]
 *     withdrawal    [type, 1, patient, clinic, consent or zeros, serial, made,
 *                   device]
 *     desk consent  [type, 1, (consent's fields up to until), member, name,
 *                   why]
 *     introduction  [type, 1, introducer, patient, clinic, consent, relays,
 *                   made]
 *
 * Patients sign with a device of their list, since the patient key is not on
 * devices; a clinic with its node key, chain included.  serial orders what is
 * said about one patient and one clinic: the highest counts, and at the same
 * number a withdrawal.  Clocks order nothing; they only end a validity.
 *
 * Purpose, name and why are people's words: they travel inside MLS only.
 *
 * Pure; any thread.
 */
#ifndef CRYPTO_IDENT_CONSENT_H
#define CRYPTO_IDENT_CONSENT_H

#include "crypto/ident/device_list.h"

enum {
    IDENT_PURPOSE_MAX = 400,
    IDENT_WHY_MAX = 400,
    IDENT_CONSENT_ID = 16
};

/* How much of what was said before the newcomer gets. */
enum ident_history {
    IDENT_HISTORY_NONE = 0,
    IDENT_HISTORY_FROM = 1, /* from history_from_ms on */
    IDENT_HISTORY_ALL = 2,
    IDENT_HISTORY_COUNT
};

/* What the clinic may do. */
enum ident_scope {
    IDENT_SCOPE_THREAD = 1,  /* join this thread */
    IDENT_SCOPE_PRIVATE = 2, /* open a thread with the patient alone */
    IDENT_SCOPE_COUNT
};

/* Words are UTF-8; views into what was decoded. */
struct ident_consent {
    uint8_t id[IDENT_CONSENT_ID];
    struct patient_id patient;
    struct clinic_id clinic; /* who is let in */
    struct clinic_id asker;  /* who asked; at a desk: who recorded it */
    uint64_t serial;
    struct view purpose; /* never empty */
    uint64_t history;
    uint64_t history_from_ms; /* 0 unless IDENT_HISTORY_FROM */
    uint64_t scope;
    struct thread_id thread; /* zeros when IDENT_SCOPE_PRIVATE */
    uint64_t made_ms;
    uint64_t until_ms;       /* 0: until withdrawn */
    struct device_id device; /* who signed; at a desk: zeros */
};

struct ident_withdrawal {
    struct patient_id patient;
    struct clinic_id clinic;
    uint8_t consent[IDENT_CONSENT_ID]; /* zeros: all of this clinic */
    uint64_t serial;
    uint64_t made_ms;
    struct device_id device;
};

/* Who recorded it and why, in words that the patient's app shows. */
struct ident_desk_consent {
    struct ident_consent consent;
    struct member_id member;
    struct view name;
    struct view why; /* never empty */
};

struct ident_introduction {
    struct clinic_id introducer;
    struct patient_id patient;
    struct clinic_id clinic; /* whom the patient is introduced to */
    uint8_t consent[IDENT_CONSENT_ID];
    bool relays; /* the introducer delivers (F 24) */
    uint64_t made_ms;
};

/*
 * Sign with a device key, which becomes the device named.
 * ERR_INVALID  no purpose, a field too long or not UTF-8; history or scope do
 *              not fit what belongs to them
 */
MUST_CHECK enum err ident_consent_make(const struct mem *mem,
                                       const struct prim_sign_key *device,
                                       const struct ident_consent *consent,
                                       struct bytes *out);

/*
 * Verify under the patient's list as it was or is; words point into in.
 *
 * ERR_FORMAT, ERR_LIMIT, ERR_UNSUPPORTED  malformed, of later software
 * ERR_AUTH   the signature is wrong, or of another patient
 * ERR_STALE  the list does not have the device
 */
MUST_CHECK enum err ident_consent_open(const struct mem *mem, struct view in,
                                       const struct ident_devices *list,
                                       struct ident_consent *out);

/* As for consents.  ERR_INVALID  serial 0 */
MUST_CHECK enum err
ident_withdrawal_make(const struct mem *mem, const struct prim_sign_key *device,
                      const struct ident_withdrawal *withdrawal,
                      struct bytes *out);
MUST_CHECK enum err ident_withdrawal_open(const struct mem *mem, struct view in,
                                          const struct ident_devices *list,
                                          struct ident_withdrawal *out);

/*
 * Signed by a node of consent.asker.
 * ERR_INVALID  as for consents; no why
 */
MUST_CHECK enum err ident_desk_consent_make(
    const struct mem *mem, const struct prim_sign_key *node, struct view chain,
    const struct ident_desk_consent *desk, struct bytes *out);

/*
 * check->root must be set; errors as ident_chain_verify, and
 * ERR_AUTH  the asker is another clinic than the signer
 */
MUST_CHECK enum err ident_desk_consent_open(const struct mem *mem,
                                            struct view in,
                                            const struct ident_check *check,
                                            struct ident_desk_consent *out);

/* Signed by a node of introducer; errors as for desk consents. */
MUST_CHECK enum err ident_introduction_make(
    const struct mem *mem, const struct prim_sign_key *node, struct view chain,
    const struct ident_introduction *introduction, struct bytes *out);
MUST_CHECK enum err ident_introduction_open(const struct mem *mem,
                                            struct view in,
                                            const struct ident_check *check,
                                            struct ident_introduction *out);

/* Whether withdrawal ends consent. */
bool ident_withdrawal_ends(const struct ident_withdrawal *withdrawal,
                           const struct ident_consent *consent);

/*
 * Whether consent lets clinic do this, at now_ms of our clock, a day of
 * tolerance included; thread is not looked at for IDENT_SCOPE_PRIVATE.
 * Withdrawals are asked apart.
 */
bool ident_consent_covers(const struct ident_consent *consent,
                          const struct clinic_id *clinic,
                          enum ident_scope scope,
                          const struct thread_id *thread, uint64_t now_ms);

#endif
