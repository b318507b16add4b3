/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patients and their devices: what the node's people and an app's person ask
 * the core for.  Part of core.h's contract; the same rules hold.
 *
 * A device runs the same core (fed_self.kind DEVICE) and is a follower like
 * any other.  Its parties are clinics: those that it enrolled with, connected
 * directly, and those that one of them introduced, reached through it (via).
 * On a node a patient is a party without a connection, with a device party for
 * each device; an introduced patient has a via instead.
 *
 *     node    peer_up {kind DEVICE, root = device id, cert}    as for a clinic
 *     device  peer_up {kind CLINIC, root = the clinic}
 *     both    the same frames; FED_ACT_KNOWN, _WANT, ... as for clinics
 *
 * In groups a patient is one subject with a leaf per device.  Who may be in is
 * the patient's signed device list, kept in the group itself; which clinics
 * may read along stands there too, as signed consents.  Every member checks
 * both on every commit (policy.c, devices.c, consent.c).
 */
#ifndef FEDERATION_CORE_PATIENT_H
#define FEDERATION_CORE_PATIENT_H

#include "crypto/ident/consent.h"
#include "federation/core/core.h"

/* --------------------------------------------------------- patients, by a node
 */

struct fed_patient_info {
    struct patient_id id;
    enum fed_learned learned;
    struct clinic_id introducer; /* zeros: nobody */
    struct clinic_id delivery;   /* our root: we deliver */
    uint64_t generation;         /* of the newest device list */
    uint32_t devices;            /* in it */
    uint32_t suspended;
    bool alarm; /* two lists of one generation; until a newer one comes */
};

/* ERR_MISSING  not known.  Its stance: fed_core_party with its id. */
MUST_CHECK enum err fed_core_patient(struct fed_core *core,
                                     const struct patient_id *id,
                                     struct fed_patient_info *out);
/* The first patient with id > after (NULL: the first).  ERR_MISSING  none */
MUST_CHECK enum err fed_core_patient_next(struct fed_core *core,
                                          const struct patient_id *after,
                                          struct fed_patient_info *out);

struct fed_device_info {
    struct device_id id;
    bool may_add;
    bool suspended;
    bool idle;            /* not seen for 90 days: out of its threads */
    bool up;              /* connected and greeted */
    uint64_t seen_ms;     /* connected last, to the hour; 0: never yet */
    uint64_t queued;      /* items that it has not acknowledged */
    uint64_t waits_ms;    /* none of them was taken since; 0: none */
    uint64_t keys_left;   /* key packages that nobody claimed */
    struct subject_id by; /* who added it: the patient key or a device */
};

/*
 * Device number index of the patient's newest list; with also the newest list
 * itself into *list when list is not NULL (empty on entry).
 * ERR_MISSING  no such patient, or no more devices
 */
MUST_CHECK enum err fed_core_device_at(struct fed_core *core,
                                       const struct patient_id *id,
                                       size_t index,
                                       struct fed_device_info *out);
MUST_CHECK enum err fed_core_device_list(struct fed_core *core,
                                         const struct patient_id *id,
                                         struct bytes *list);

/* What waits for a device of a patient that we deliver to. */
struct fed_queue_info {
    struct patient_id patient;
    struct device_id device;
    uint64_t queued;
    uint64_t waits_ms; /* none of them was taken since; 0: none */
    bool idle;
};

/* Number *at or later (0: from the beginning) of the devices for which
   something waits, or which are idle; *at moves behind it. */
bool fed_core_queue_next(const struct fed_core *core, size_t *at,
                         struct fed_queue_info *out);

/*
 * At the desk (decisions F 23): its queue goes, its connection is closed, it
 * is taken out of every thread that we order, or carry and its hub agrees; or
 * all of that back again.
 * ERR_MISSING  no such device
 */
MUST_CHECK enum err fed_core_suspend(struct fed_core *core,
                                     const struct patient_id *patient,
                                     const struct device_id *device,
                                     bool suspended);

/* Words or codes were compared with this patient (or, on a device, clinic).
   ERR_MISSING  not known */
MUST_CHECK enum err fed_core_compared(struct fed_core *core,
                                      const struct clinic_id *who);

/*
 * fed_core_accept, _refuse, _disconnect and _block take a patient's id.
 * fed_core_thread_open opens a thread with a patient; the direct conversation
 * opens by itself once a device has published key packages.
 */

/* ------------------------------------------------------ consents, by a clinic
 */

struct fed_ask {
    struct patient_id patient;
    struct clinic_id clinic; /* who is to join; ourselves: scope PRIVATE */
    struct view profile;     /* its signed profile as we know it; or empty */
    struct view purpose;     /* people's words; never empty */
    enum ident_history history;
    uint64_t history_from_ms;
    enum ident_scope scope;
    uint64_t until_ms;
};

/*
 * Ask the patient, who is in thread, by a message in it.  CONSENT is shown at
 * every member as the answer comes.  After a yes for scope THREAD we add the
 * clinic by ourselves (we have to be connected to it); for PRIVATE a thread
 * with the patient may be opened.  *id_out names the question.
 * ERR_MISSING, ERR_STATE  as for fed_core_send; ERR_DENIED  the patient is not
 * in the thread, or we are not connected to the clinic; ERR_INVALID  no words
 */
MUST_CHECK enum err fed_core_ask(struct fed_core *core,
                                 const struct thread_id *thread,
                                 const struct fed_ask *ask,
                                 struct message_id *id_out);

/*
 * The patient said yes at our desk: recorded with who and why, said in the
 * thread so that the patient's app shows it, and the clinic is added.
 * Errors as above.
 */
MUST_CHECK enum err fed_core_desk_consent(struct fed_core *core,
                                          const struct thread_id *thread,
                                          const struct fed_ask *ask,
                                          const struct member_id *member,
                                          struct view name, struct view why);

/* -------------------------------------------------------------- by a device */

struct fed_enrol {
    struct fed_invitation inv;
    struct view name;  /* a claim, to this clinic only */
    struct view birth; /* YYYY-MM-DD, or empty */
};

/*
 * Become a patient of a clinic by its link: durable, repeated until answered.
 * ENROL and PARTY show how it goes; key packages are published and the direct
 * conversation is opened by the clinic.  After ENROL asked for a date of birth
 * call it again with one.  A link of zeros: we are a further device, or the
 * patient on a new phone.
 * ERR_EXISTS  connected already; ERR_STATE  we are no device
 */
MUST_CHECK enum err fed_core_enrol(struct fed_core *core,
                                   const struct fed_enrol *enrol);

/*
 * A newer device list (ours appended to, or one that the patient key signed),
 * and our certificate if it changed (empty: as before): told to every clinic
 * that we know, which bring each thread in line.  DEVICES shows what counts.
 * ERR_AUTH  not a list of this patient, or no certificate of ours
 * ERR_STALE, ERR_EXISTS  not newer; ERR_DENIED  alarm: another list of that
 * generation; ERR_STATE  we are no device
 */
MUST_CHECK enum err fed_core_set_list(struct fed_core *core, struct view list,
                                      struct view cert);

/*
 * Home is another clinic now (the list says so: fed_core_set_list before): tell
 * the clinics of before and, through them, the patient's other devices where.
 * ERR_STATE  we are no device
 */
MUST_CHECK enum err fed_core_moved(struct fed_core *core,
                                   const struct clinic_id *home,
                                   struct view addrs);

/*
 * On a device: this clinic, whose patient we are or ask to be, was home until
 * some time ago; its queues may be reached through the present one until
 * until_ms.
 */
MUST_CHECK enum err fed_core_was_home(struct fed_core *core,
                                      const struct clinic_id *clinic,
                                      uint64_t until_ms);

/*
 * A clinic that was our home is reached through *via, the present one, when it
 * cannot be dialled (decisions F 24): a splice.  False: there is no such way.
 */
bool fed_core_before(struct fed_core *core, const struct clinic_id *clinic,
                     struct clinic_id *via);
/*
 * By a node, of its record FED_NS_ALLOW under patient, clinic, from any thread:
 * may the patient's devices reach that clinic through us?
 */
bool fed_before_record(struct view rec, uint64_t now_ms);

/*
 * Ask a clinic that we are a patient of for a new thread after this one, whose
 * own clinic is gone (PROTO_GROUP_AFTER says so to both).  *id_out is its id;
 * THREAD shows it when it is there.  Asking again changes nothing.
 * ERR_MISSING  no such thread; ERR_DENIED  not its patient, or not directly;
 * ERR_STATE  we are no device
 */
MUST_CHECK enum err fed_core_continue(struct fed_core *core,
                                      const struct thread_id *thread,
                                      const struct clinic_id *with,
                                      struct thread_id *id_out);

/* Does what we say get to this clinic, now or when it is back; or has it, or
   who carries to it (*through; the clinic itself), ended that? */
bool fed_core_reaches(struct fed_core *core, const struct clinic_id *clinic,
                      struct clinic_id *through);

/*
 * A question that another of our devices was there for and we were not, before
 * it is answered here; nothing happens if we know it.
 * ERR_MISSING  we are not in that thread; ERR_DENIED  nobody asked us that
 */
MUST_CHECK enum err fed_core_asked(struct fed_core *core,
                                   const struct thread_id *thread,
                                   const struct message_id *ask,
                                   const struct clinic_id *asker,
                                   struct view content);

/*
 * Answer a question (ASKED).  Yes: the consent is signed with our device key
 * and said in the thread; the clinic is known here from then on.  If another of
 * our devices answers otherwise before it heard of this one, a yes counts,
 * whichever comes first: it is signed, and ends by fed_core_withdraw alone.
 * ERR_MISSING  no such question, or it was answered
 */
MUST_CHECK enum err fed_core_answer(struct fed_core *core,
                                    const struct thread_id *thread,
                                    const struct message_id *ask, bool yes);

/*
 * Take back all that was consented to for this clinic (decisions D 18): said
 * in every thread that it shares with us by consent, which removes it; its own
 * threads with us end; key packages and new threads are refused to it until
 * something is consented to again.  What it has stays its record.
 * ERR_MISSING  not known
 */
MUST_CHECK enum err fed_core_withdraw(struct fed_core *core,
                                      const struct clinic_id *clinic);

#endif
