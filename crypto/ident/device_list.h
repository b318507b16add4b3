/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices are a patient's, and which clinic is their home (decisions
 * F 23).  The patient key signs a list; a device that may add appends to it,
 * one device a statement.  What travels is the signed list and all that was
 * appended to it, so that whoever pinned the patient key needs nothing else:
 *
 *     list    [1, signed base, [signed append, ...]]
 *     base    [type, 1, patient, generation, home, [[device, may add, added
 *             by], ...]]
 *     append  [type, 1, patient, generation, digest before, by, device, may
 *             add]
 *     digest  SHA-256(base), then SHA-256(digest before | append)
 *
 * A generation is ident_generation(n, k): the patient key counts n, each
 * append k.  So a list that the patient key signs is above whatever any device
 * could append to an earlier one: removing a stolen device that may add wins
 * over that device.  Within one n the digest decides whether two lists are one
 * list at different times or two lists.
 *
 * A device certificate says which key is a device of which patient, with
 * which home.  It is the MLS basic credential of the device (F 25: keys and
 * ids only) and is judged against the list, which is what expires it.
 *
 *     certificate  [type, 1, patient, device, home, issuer], signed by issuer
 *
 * Pure; any thread.
 */
#ifndef CRYPTO_IDENT_DEVICE_LIST_H
#define CRYPTO_IDENT_DEVICE_LIST_H

#include "crypto/ident/cert.h"

enum {
    IDENT_DEVICES_MAX = 16, /* of one patient */
    IDENT_APPENDS_MAX = 16, /* until the patient key signs a new list */
    IDENT_LIST_MAX = 8192,  /* bytes of a list that is read */
    IDENT_DEVICE_CERT_MAX = 512
};

/* One device.  added_by: the patient key or the device that appended it. */
struct ident_device {
    struct device_id id;
    bool may_add;
    struct subject_id added_by;
};

/* A verified list, or (to make one) what it is to say. */
struct ident_devices {
    struct patient_id patient;
    uint64_t generation;
    struct clinic_id home;
    uint32_t len;
    struct ident_device device[IDENT_DEVICES_MAX];
    uint32_t appends;
    struct hash32 digest[IDENT_APPENDS_MAX + 1]; /* after the i-th append */
};

/*
 * A list signed by the patient key, which becomes its patient; appends and
 * digest of list are not looked at.  A device whose added_by is zeros was added
 * by the patient key; one that another device added keeps its certificate as
 * long as its entry keeps saying so, also when that other device is gone.
 *
 * ERR_INVALID  generation is not ident_generation(n, 0) with n > 0; a device
 *              twice, or the patient key as a device
 * ERR_LIMIT    more than IDENT_DEVICES_MAX
 */
MUST_CHECK enum err ident_devices_make(const struct mem *mem,
                                       const struct prim_sign_key *patient,
                                       const struct ident_devices *list,
                                       struct bytes *out);

/*
 * The list in (of this patient) with one more device, signed by a device that
 * may add.
 *
 * ERR_DENIED   key is not in the list, or may not add
 * ERR_EXISTS   the device is in the list
 * ERR_INVALID  the device is the patient key
 * ERR_LIMIT    the list, or what was appended to it, is full
 * others as ident_devices_open
 */
MUST_CHECK enum err ident_devices_append(const struct mem *mem,
                                         const struct prim_sign_key *key,
                                         const struct patient_id *patient,
                                         struct view in,
                                         const struct device_id *device,
                                         bool may_add, struct bytes *out);

/*
 * Verify a list under a pinned patient key.
 * ERR_FORMAT, ERR_LIMIT  malformed or too long
 * ERR_UNSUPPORTED        of later software
 * ERR_AUTH               a signature is wrong, or another patient's
 * ERR_DENIED             a device appended that may not
 */
MUST_CHECK enum err ident_devices_open(const struct mem *mem,
                                       const struct patient_id *patient,
                                       struct view in,
                                       struct ident_devices *out);

/*
 * Whether news replaces known.  OK: it does, keep it.
 *
 * ERR_EXISTS   the same list
 * ERR_STALE    an older one, nothing wrong with it
 * ERR_CORRUPT  alarm: two different lists of one generation.  One of the keys
 *              is in two hands; tell people, keep both, wait for a list that
 *              the patient key signs.  Nothing else is this error.
 * ERR_INVALID  of different patients
 */
MUST_CHECK enum err ident_devices_compare(const struct ident_devices *known,
                                          const struct ident_devices *news);

/* The entry of a device, in list; NULL when it is not there. */
const struct ident_device *ident_devices_find(const struct ident_devices *list,
                                              const struct device_id *device);

/* What a certificate says. */
struct ident_device_cert {
    struct patient_id patient;
    struct device_id device;
    struct clinic_id home;
    struct subject_id issuer; /* the patient key or a device */
};

/* issuer becomes the key of issuer. */
MUST_CHECK enum err ident_device_cert_make(const struct mem *mem,
                                           const struct prim_sign_key *issuer,
                                           const struct ident_device_cert *cert,
                                           struct bytes *out);

/* What a certificate claims, unverified: to find the patient's pin. */
struct ident_device_claim {
    struct patient_id patient;
};

/* ERR_FORMAT, ERR_UNSUPPORTED */
MUST_CHECK enum err ident_device_cert_peek(struct view in,
                                           struct ident_device_claim *out);

/*
 * Verify a certificate against the newest list that we know, of the patient
 * that we pinned.  key is the signature key that carries it, NULL any.
 *
 * ERR_FORMAT, ERR_UNSUPPORTED  malformed, of later software
 * ERR_AUTH   the signature is wrong; of another patient or key; issued by
 *            nobody who may
 * ERR_STALE  the list does not have the device (any more), or another home
 */
MUST_CHECK enum err ident_device_cert_verify(const struct mem *mem,
                                             struct view in,
                                             const struct ident_devices *list,
                                             const struct device_id *key,
                                             struct ident_device_cert *out);

#endif
