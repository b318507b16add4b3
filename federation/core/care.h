/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the core share about patients and their devices: routes
 * through who delivers, device lists, key packages, consents.  Not for others.
 */
#ifndef FEDERATION_CORE_CARE_H
#define FEDERATION_CORE_CARE_H

#include "federation/core/inside.h"

/* ------------------------------------------- veil.c: GroupInfo by a relay */

/* A key to seal to; kept with the thread. */
MUST_CHECK enum err fed_veil_ask(struct fed_core *core, struct fed_thread *t,
                                 uint8_t pub[32]);
/* *info becomes itself, sealed.  ERR_INVALID  no such key */
MUST_CHECK enum err fed_veil_seal(struct fed_core *core,
                                  const struct thread_id *thread,
                                  const uint8_t pub[32], struct bytes *info);
/* ERR_AUTH  not sealed to what we asked with */
MUST_CHECK enum err fed_veil_open(struct fed_core *core, struct fed_thread *t,
                                  struct view in, struct bytes *out);
void fed_veil_free(struct fed_core *core, struct fed_thread *t);

/* ------------------------------------------------ route.c: through others
 */

/* Is p reached through a patient's devices, or another clinic? */
bool fed_route_needed(const struct fed_party *p);
/* An encoded item to p; a patient's devices but except. */
MUST_CHECK enum err fed_route_item(struct fed_core *core, struct fed_party *p,
                                   struct view item,
                                   const struct fed_party *except);
/* A log entry. */
MUST_CHECK enum err fed_route_fan(struct fed_core *core, struct fed_thread *t,
                                  struct fed_party *p, uint64_t entry,
                                  const struct fed_party *except);
MUST_CHECK enum err fed_route_recv(struct fed_core *core, struct fed_party *p,
                                   const struct proto_route *in);
MUST_CHECK enum err fed_routed_recv(struct fed_core *core, struct fed_party *p,
                                    const struct proto_routed *in);
/* A patient that we deliver for, and a clinic that may speak with it? */
MUST_CHECK enum err fed_route_may(struct fed_core *core,
                                  const struct fed_party *patient,
                                  const struct fed_party *clinic, bool *may);
MUST_CHECK enum err fed_allow_get(struct fed_core *core,
                                  const struct clinic_id *patient,
                                  const struct clinic_id *clinic,
                                  struct fed_rec_allow *out);
/* The next clinic from *at on that we carry the patient to; *at, first the key
   of the patient, moves behind it.  ERR_MISSING  no more */
MUST_CHECK enum err fed_allow_next(struct fed_core *core,
                                   const struct clinic_id *patient,
                                   struct fed_key *at, struct fed_party **out);
/* A device of a patient whom relay introduced, as a party for the moment.
 *out NULL: not in its list, or relay does not deliver */
MUST_CHECK enum err fed_route_device(struct fed_core *core,
                                     struct fed_party *relay,
                                     const uint8_t of[32],
                                     const uint8_t node[32],
                                     struct fed_party **out);
/* [route-believed] Are we a new phone that believes its home, for a while,
   about whom it had allowed? */
MUST_CHECK enum err fed_route_believed(struct fed_core *core,
                                       const struct clinic_id *relay,
                                       bool *out);
MUST_CHECK enum err fed_allow_put(struct fed_core *core,
                                  const struct clinic_id *patient,
                                  const struct clinic_id *clinic,
                                  const struct fed_rec_allow *rec);

/* --------------------------------------- patient.c: who they are, their lists
 */

/* ERR_MISSING */
MUST_CHECK enum err fed_patient_load(struct fed_core *core,
                                     const struct patient_id *id,
                                     struct fed_rec_patient *out,
                                     struct bytes *hold);
MUST_CHECK enum err fed_patient_save(struct fed_core *core,
                                     const struct patient_id *id,
                                     const struct fed_rec_patient *rec);
/* The newest list that we know.  ERR_MISSING */
MUST_CHECK enum err fed_patient_list(struct fed_core *core,
                                     const struct patient_id *id,
                                     struct ident_devices *out);
/* Does a list go with the one that we know?  ERR_DENIED: an alarm, shown */
MUST_CHECK enum err fed_patient_judge(struct fed_core *core,
                                      const struct ident_devices *list);
/*
 * A list that is good in itself: kept if it is newer, or the first; then the
 * patient's threads that we order follow.  ERR_STALE, ERR_EXISTS  not newer;
 * ERR_DENIED  alarm, shown; ERR_AUTH  no list of id
 */
MUST_CHECK enum err fed_patient_learn(struct fed_core *core,
                                      const struct patient_id *id,
                                      struct view list,
                                      enum fed_learned learned,
                                      const struct clinic_id *introducer);
/* The party of a patient; made and stored by what a group says of it. */
MUST_CHECK enum err fed_patient_party(struct fed_core *core,
                                      const struct proto_subject *s,
                                      struct fed_party **out);
/* Keep no more opened lists than the newest few hundred; between steps only. */
void fed_patient_trim(struct fed_core *core);
/* Device number i of a patient, as a party; NULL: not one that we deliver to.
   False: no more devices. */
bool fed_patient_device(struct fed_core *core, struct fed_party *patient,
                        size_t i, struct fed_party **out);
MUST_CHECK enum err fed_patient_show(struct fed_core *core,
                                     const struct fed_party *patient,
                                     bool known, struct view name);
/* What the groups say about patients is kept, and members become known. */
MUST_CHECK enum err fed_patient_group(struct fed_core *core,
                                      struct fed_thread *t);
/* Add intent kind about the patient to every thread that we order with it. */
MUST_CHECK enum err fed_patient_threads(struct fed_core *core,
                                        const struct clinic_id *patient,
                                        const struct fed_rec_intent *intent);
/* Tell a device which threads of its patient there are. */
MUST_CHECK enum err fed_patient_invite(struct fed_core *core,
                                       struct fed_party *device);
MUST_CHECK enum err fed_patient_stance(struct fed_core *core,
                                       struct fed_party *patient,
                                       enum proto_stance ours);
MUST_CHECK enum err fed_list_recv(struct fed_core *core, struct fed_party *p,
                                  struct view patient, struct view list);
MUST_CHECK enum err fed_list_send(struct fed_core *core, struct fed_party *p,
                                  const struct clinic_id *patient,
                                  struct view list);

/* ------------------------------------------------------------- enrol.c, pool.c
 */

/* A connection of a device; *may: it is welcome. */
MUST_CHECK enum err fed_device_up(struct fed_core *core, struct fed_party *p,
                                  const struct fed_up *up, bool *may);
MUST_CHECK enum err fed_device_frame(struct fed_core *core, struct fed_party *p,
                                     struct view frame);
/* archive.c: sealed parts for a patient's later devices.  ERR_DENIED */
struct proto_device_msg;
MUST_CHECK enum err fed_archive_item(struct fed_core *core, struct fed_party *p,
                                     const struct proto_device_msg *msg);
/* Under which numbers of its archive lies what is none of its parts. */
#define FED_ARCHIVE_AT_KEYS UINT64_MAX
#define FED_ARCHIVE_AT_SHARED (UINT64_MAX - 1)
#define FED_ARCHIVE_AT_LACKS (UINT64_MAX - 2)
/* To the patient's devices but this one. */
MUST_CHECK enum err fed_archive_others(struct fed_core *core,
                                       struct fed_party *from,
                                       const struct proto_device_msg *msg);
/* lack.c: a device's question for a key of the archive, or an answer. */
MUST_CHECK enum err fed_lack_recv(struct fed_core *core, struct fed_party *p,
                                  const struct proto_device_msg *msg);
MUST_CHECK enum err fed_device_item(struct fed_core *core, struct fed_party *p,
                                    struct view body);
/* The peer's stream began anew: what lay in it is lost. */
MUST_CHECK enum err fed_device_reset(struct fed_core *core,
                                     struct fed_party *p);
/* It has become live. */
MUST_CHECK enum err fed_device_lively(struct fed_core *core,
                                      struct fed_party *p);
MUST_CHECK enum err fed_device_left(struct fed_core *core,
                                    struct fed_party *device);
MUST_CHECK enum err fed_enrol_send(struct fed_core *core, struct fed_party *p);
/* A device message as a frame of its own: before there is a stream. */
struct proto_device_list;
MUST_CHECK enum err fed_device_say(struct fed_core *core, struct fed_party *p,
                                   const struct proto_device_msg *msg);
/* newer.c: its list is old, here is ours; and what a device does with that. */
MUST_CHECK enum err fed_newer_give(struct fed_core *core, struct fed_party *p,
                                   const struct patient_id *id);
MUST_CHECK enum err fed_newer_came(struct fed_core *core, struct fed_party *p,
                                   const struct proto_device_list *in);
/* A device of the newest list came in with an older one: it gets ours. */
MUST_CHECK enum err fed_newer_follows(struct fed_core *core,
                                      struct fed_party *p, struct view had);
/* A device message to p: an item, or a frame. */
MUST_CHECK enum err fed_device_put(struct fed_core *core, struct fed_party *p,
                                   const void *msg);
/* Key packages of a patient's devices, one each, as fed_rec_kps; empty when no
   device has one. */
MUST_CHECK enum err fed_pool_take(struct fed_core *core,
                                  struct fed_party *patient, struct bytes *out);
MUST_CHECK enum err fed_pool_left(struct fed_core *core,
                                  const struct clinic_id *device,
                                  uint64_t *out);
/* Is a key package of a device of this patient?  ERR_AUTH ... no */
MUST_CHECK enum err fed_pool_check(struct fed_core *core,
                                   const struct clinic_id *patient,
                                   struct view kp);
MUST_CHECK enum err fed_pool_drop(struct fed_core *core,
                                  const struct clinic_id *device);
MUST_CHECK enum err fed_pool_claimed(struct fed_core *core, struct fed_party *p,
                                     const struct proto_kp_claim *in);
/* ADD intents that wait for key packages of this patient. */
MUST_CHECK enum err fed_pool_filled(struct fed_core *core,
                                    struct fed_party *patient);

/* --------------------------------------------------- members.c, consent.c */

bool fed_members_listed(struct fed_core *core, const struct proto_group *group,
                        const struct fed_who *who);
MUST_CHECK enum err fed_members_commit(struct fed_core *core,
                                       const struct fed_thread *t,
                                       const struct mls_stage *stage,
                                       const struct proto_group *after);
MUST_CHECK enum err fed_members_consent(struct fed_core *core,
                                        const struct thread_id *thread,
                                        const struct proto_group *group,
                                        const struct proto_thread_consent *in);
/* What a consent in a group says, its signature verified.  ERR_AUTH ... */
struct ident_consent;
MUST_CHECK enum err fed_members_opened(struct fed_core *core,
                                       const struct proto_group *group,
                                       const struct proto_thread_consent *in,
                                       struct ident_consent *out);
/* The highest serial of a withdrawal seen; 0: none */
MUST_CHECK enum err fed_consent_withdrawn(struct fed_core *core,
                                          const struct thread_id *thread,
                                          const uint8_t patient[32],
                                          const uint8_t clinic[32],
                                          uint64_t *out);
/* A consent of thread from counts in thread to as well, which continues it. */
MUST_CHECK enum err fed_consent_carry(struct fed_core *core,
                                      const struct thread_id *from,
                                      const struct thread_id *to,
                                      const struct proto_thread_consent *in);
/* The consent seen for a pair.  ERR_MISSING */
MUST_CHECK enum err
fed_consent_find(struct fed_core *core, const struct thread_id *thread,
                 const uint8_t patient[32], const uint8_t clinic[32],
                 struct fed_rec_consent *out, struct bytes *hold);
/* All that is kept about a pair; zeros when there is nothing. */
MUST_CHECK enum err
fed_consent_pair(struct fed_core *core, const struct thread_id *thread,
                 const uint8_t patient[32], const uint8_t clinic[32],
                 struct fed_rec_consent *out, struct bytes *hold);
/* On a device: the clinic is one that we speak with from now on; ours: and who
   carries is told. */
MUST_CHECK enum err fed_consent_known(struct fed_core *core,
                                      const struct fed_thread *t,
                                      const struct ident_consent *consent,
                                      bool ours);
/* The question that a message id names.  ERR_MISSING */
MUST_CHECK enum err fed_consent_ask(struct fed_core *core,
                                    const struct fed_thread *t,
                                    const uint8_t id[32],
                                    struct fed_rec_ask *out,
                                    struct bytes *hold);
MUST_CHECK enum err fed_consent_ask_keep(struct fed_core *core,
                                         const struct fed_thread *t,
                                         const uint8_t id[32],
                                         const struct fed_rec_ask *rec);
bool fed_subject_is(const struct fed_thread *t, const uint8_t root[32],
                    enum proto_subject_kind kind);
struct fed_said {
    const struct clinic_id *author;
    uint64_t term;
    uint64_t seq;
    uint64_t ts_ms;
    struct view content;
    bool ours;
    struct message_id id;
};
MUST_CHECK enum err fed_consent_content(struct fed_core *core,
                                        struct fed_thread *t,
                                        const struct fed_said *said,
                                        const struct proto_content *c);

/*
 * withdraw.c: on a device, content waits while a clinic is in the thread that
 * we have withdrawn from; and old said so of a clinic that t, which continues
 * it, has again: that is said there, before anything else.
 */
MUST_CHECK enum err fed_withdraw_waits(struct fed_core *core,
                                       const struct fed_thread *t,
                                       struct view content, bool *out);
MUST_CHECK enum err fed_withdraw_again(struct fed_core *core,
                                       const struct fed_thread *old,
                                       struct fed_thread *t);
/* consent.c: on a device, what it has said is taken back, though that may not
   be in the log yet; is something taken back? */
enum fed_recall {
    FED_RECALL_NONE,
    FED_RECALL_SAID,  /* by us, not in the log */
    FED_RECALL_LOGGED /* and not given again since */
};
MUST_CHECK enum err fed_consent_taking(struct fed_core *core,
                                       const struct thread_id *thread,
                                       const struct clinic_id *clinic,
                                       uint64_t serial);
MUST_CHECK enum err fed_consent_taken(struct fed_core *core,
                                      const struct thread_id *thread,
                                      const uint8_t patient[32],
                                      const uint8_t clinic[32],
                                      enum fed_recall *out);
/* The next clinic that our patient took something back from; *at begins with
   the thread.  ERR_MISSING  no more; one may come twice */
struct fed_key;
MUST_CHECK enum err fed_consent_next_over(struct fed_core *core,
                                          const struct thread_id *thread,
                                          struct fed_key *at,
                                          struct clinic_id *out);
bool fed_consent_over(const struct fed_rec_consent *rec);

/* check.c: in a thread that compares after a restore */
MUST_CHECK enum err fed_check_devices(struct fed_core *core,
                                      struct fed_thread *t,
                                      const uint8_t patient[32]);

/* idle.c: a device that is out of its patient's threads, and back */
struct proto_away;
/* A device that is new, or back, is called into the threads that we order, and
   the clinics that we carry its patient to call it into theirs. */
MUST_CHECK enum err fed_idle_here(struct fed_core *core, struct fed_party *p);
MUST_CHECK enum err fed_idle_out(struct fed_core *core, struct fed_party *p,
                                 enum fed_devices why);
MUST_CHECK enum err fed_idle_in(struct fed_core *core, struct fed_party *p,
                                enum fed_devices why);
MUST_CHECK enum err fed_idle_tick(struct fed_core *core);
/* It has greeted us; and what its clock says. */
void fed_idle_clock(struct fed_core *core, uint64_t theirs_ms);
MUST_CHECK enum err fed_idle_seen(struct fed_core *core, struct fed_party *p);
MUST_CHECK enum err fed_idle_recv(struct fed_core *core, struct fed_party *p,
                                  const struct proto_away *in);

/* home.c */
struct proto_device_home;
MUST_CHECK enum err fed_home_recv(struct fed_core *core, struct fed_party *p,
                                  const struct proto_device_home *in);

/*
 * before.c: the clinic that was home.  On a device: the list names another one
 * now; our home greeted us, or we it.
 */
MUST_CHECK enum err fed_before_left(struct fed_core *core,
                                    const struct ident_devices *was,
                                    const struct ident_devices *now);
MUST_CHECK enum err fed_before_say(struct fed_core *core, struct fed_party *p);
/* On a clinic: a patient's device says which one it was; that one does not know
   us; and there, a stranger says that it is a patient's home now. */
MUST_CHECK enum err fed_before_recv(struct fed_core *core, struct fed_party *p,
                                    const struct proto_device_home *in);
MUST_CHECK enum err fed_before_greeted(struct fed_core *core,
                                       struct fed_party *p);
struct proto_device_list;
MUST_CHECK enum err fed_before_moved(struct fed_core *core, struct fed_party *p,
                                     const struct proto_device_list *in);

/*
 * detour.c: on a device, around who has ended the connection with us; and on a
 * clinic, a device of the patient comes to us through relay, its home.
 */
MUST_CHECK enum err fed_detour(struct fed_core *core);
MUST_CHECK enum err fed_detour_by(struct fed_core *core,
                                  struct fed_party *patient,
                                  struct fed_party *relay);

/* after.c: a thread after one that stands still */
struct proto_device_continue;
MUST_CHECK enum err fed_after_asked(struct fed_core *core,
                                    struct fed_party *device,
                                    const struct proto_device_continue *in);

/* ------------------------------------------------------- intro.c: newcomers */

/* Does the stage, by whom, bring in somebody whom we should tell? */
bool fed_intro_due(const struct fed_core *core, const struct fed_thread *t,
                   const struct mls_stage *stage, const struct fed_who *by);
MUST_CHECK enum err fed_intro_say(struct fed_core *core, struct fed_thread *t);
/* We came in by a Welcome. */
MUST_CHECK enum err fed_intro_joined(struct fed_core *core,
                                     struct fed_thread *t);
MUST_CHECK enum err fed_intro_content(struct fed_core *core,
                                      const struct fed_thread *t,
                                      const struct fed_said *said,
                                      const struct proto_intro *in);

#endif
