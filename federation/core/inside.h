/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the core share.  Not for others.
 *
 * Two kinds of failure.  "Ours" (fed_ours: no memory, storage, a mistake of
 * our own) ends the step and with it the batch.  Everything else is the peer's
 * or a state of affairs, is decided where it is met, and never leaves a half
 * done change: handlers check first and write last.
 */
#ifndef FEDERATION_CORE_INSIDE_H
#define FEDERATION_CORE_INSIDE_H

#include "federation/core/state.h"
#include "federation/core/tx.h"
#include "proto/base/assert.h"

/* Ours: must end the step. */
bool fed_ours(enum err e);

/* ------------------------------------------------- party.c: the connection */

/*
 * It may change now: what fed_core_take looks at.  Looking up does it; there
 * are too many devices to look at all of them for each batch.
 */
void fed_party_touch(struct fed_core *core, struct fed_party *p);
struct fed_party *fed_party_find(struct fed_core *core,
                                 const struct clinic_id *root);
/* Find or make (not stored yet). */
MUST_CHECK enum err fed_party_get(struct fed_core *core,
                                  const struct clinic_id *root,
                                  struct fed_party **out);
MUST_CHECK enum err fed_party_load_all(struct fed_core *core);
MUST_CHECK enum err fed_party_save(struct fed_core *core, struct fed_party *p);
void fed_party_free(struct fed_core *core, struct fed_party *p);
/* Both sides agree that items flow. */
bool fed_party_open(const struct fed_party *p);
/* And the connection is up. */
bool fed_party_live(const struct fed_party *p);
/* It closed the connection and will do so again. */
MUST_CHECK enum err fed_contact_denied(struct fed_core *core,
                                       struct fed_party *p);
/* Say something on the connection (nothing when it is down). */
MUST_CHECK enum err fed_party_say(struct fed_core *core, struct fed_party *p,
                                  const struct proto_peer_msg *msg);
/* It knows a newer certificate of ours, and has not greeted us since. */
bool fed_party_outdated(const struct fed_party *p);
/* We have a newer certificate ourselves: who refused us is met again. */
void fed_party_renewed(struct fed_core *core);
MUST_CHECK enum err fed_party_close(struct fed_core *core, struct fed_party *p,
                                    enum proto_bye_code code);
/* Something impossible came: counted, shown, closed when it is too much. */
MUST_CHECK enum err fed_party_bad(struct fed_core *core, struct fed_party *p,
                                  enum err why);
/* Show the party as it is now, and store it. */
MUST_CHECK enum err fed_party_changed(struct fed_core *core,
                                      struct fed_party *p);
MUST_CHECK enum err fed_party_want(struct fed_core *core, struct fed_party *p);
/* Where it can be dialled; empty: as known. */
MUST_CHECK enum err fed_party_addrs(struct fed_core *core, struct fed_party *p,
                                    struct view addrs);
MUST_CHECK enum err fed_party_stance(struct fed_core *core, struct fed_party *p,
                                     enum proto_stance ours);
MUST_CHECK enum err fed_hello_send(struct fed_core *core, struct fed_party *p);
MUST_CHECK enum err fed_hello_recv(struct fed_core *core, struct fed_party *p,
                                   const struct proto_hello *hello);
/* Where the peer says it can be dialled; empty says nothing. */
MUST_CHECK enum err fed_hello_addrs(struct fed_core *core, struct fed_party *p,
                                    struct view addrs);

/* ------------------------------------------------- stream.c: numbered items */

MUST_CHECK enum err fed_stream_new(struct fed_core *core, struct fed_party *p);
/* Queue an encoded item as it is. */
MUST_CHECK enum err fed_stream_item(struct fed_core *core, struct fed_party *p,
                                    struct view item);
/* The fan message of a log entry; frank: our signature of it, or empty. */
MUST_CHECK enum err fed_stream_entry(struct fed_core *core,
                                     const struct thread_id *thread,
                                     uint64_t entry, struct view frank,
                                     struct bytes *out);
/* Queue an item: encoded message, or the log entry of a thread. */
MUST_CHECK enum err fed_stream_put(struct fed_core *core, struct fed_party *p,
                                   const struct proto_peer_msg *msg);
/* The answer that their entry was accepted; acknowledged, they have it. */
MUST_CHECK enum err fed_stream_accepted(struct fed_core *core,
                                        struct fed_party *p,
                                        const struct proto_peer_msg *msg,
                                        const struct thread_id *thread,
                                        uint64_t entry);
MUST_CHECK enum err fed_stream_fan(struct fed_core *core, struct fed_party *p,
                                   const struct thread_id *thread,
                                   uint64_t entry);
MUST_CHECK enum err fed_stream_pump(struct fed_core *core, struct fed_party *p);
MUST_CHECK enum err fed_stream_acked(struct fed_core *core, struct fed_party *p,
                                     uint64_t applied);
MUST_CHECK enum err fed_stream_data(struct fed_core *core, struct fed_party *p,
                                    const struct proto_data *data);
MUST_CHECK enum err fed_stream_drop(struct fed_core *core, struct fed_party *p);
/* item.c: what an item says. */
MUST_CHECK enum err fed_item(struct fed_core *core, struct fed_party *p,
                             struct view body);

/* ----------------------------------------------------- contact.c: connecting
 */

MUST_CHECK enum err fed_contact_greeted(struct fed_core *core,
                                        struct fed_party *p, uint64_t before);
MUST_CHECK enum err fed_contact_frame(struct fed_core *core,
                                      struct fed_party *p,
                                      const struct proto_peer_msg *msg);
/* redeem.c: our links.  What a link says to who; UNKNOWN when there is none. */
MUST_CHECK enum err fed_link_load(struct fed_core *core,
                                  const struct clinic_id *who,
                                  const uint8_t id[8],
                                  struct fed_rec_link *link, struct bytes *hold,
                                  enum proto_redeem_code *code);
/* Is the proof of the secret right, where one is needed?  ERR_AUTH */
MUST_CHECK enum err fed_link_proof(const struct fed_core *core,
                                   const struct fed_party *p,
                                   const struct fed_rec_link *link,
                                   const uint8_t id[8], struct view proof);
/* Count the use, bind a one-time link, remember how the party came. */
MUST_CHECK enum err fed_link_use(struct fed_core *core, struct fed_party *p,
                                 const uint8_t id[8],
                                 struct fed_rec_link *link);
MUST_CHECK enum err fed_redeem_open(struct fed_core *core, struct fed_party *p,
                                    const struct proto_link_open *in);
MUST_CHECK enum err fed_link_redeem(struct fed_core *core, struct fed_party *p,
                                    const struct proto_link_redeem *in);
MUST_CHECK enum err fed_contact_profile(struct fed_core *core,
                                        struct fed_party *p);
/* Say where we stand. */
MUST_CHECK enum err fed_contact_say(struct fed_core *core, struct fed_party *p);
MUST_CHECK enum err fed_contact_result(struct fed_core *core,
                                       struct fed_party *p,
                                       const uint8_t link[8],
                                       enum proto_redeem_code code,
                                       struct view forward);
/* We say yes; kp is theirs, for the one who opens the conversation. */
MUST_CHECK enum err fed_contact_grant(struct fed_core *core,
                                      struct fed_party *p,
                                      enum proto_creator creator,
                                      struct view kp);
MUST_CHECK enum err fed_contact_kp(struct fed_core *core, struct fed_party *p,
                                   struct view kp);
/* Those who were asked to come later are asked again. */
MUST_CHECK enum err fed_contact_later(struct fed_core *core);
MUST_CHECK enum err fed_contact_redeem(struct fed_core *core,
                                       struct fed_party *p);
MUST_CHECK enum err fed_contact_look(struct fed_core *core,
                                     struct fed_party *p);
MUST_CHECK enum err fed_contact_ended(struct fed_core *core,
                                      struct fed_party *p);
/* The connection was agreed: become live. */
MUST_CHECK enum err fed_party_lively(struct fed_core *core,
                                     struct fed_party *p);

/* ------------------------------------------------------ keys.c: MLS and ident
 */

struct mls_env fed_mls_env(struct fed_core *core);
struct mls_identity fed_mls_identity(struct fed_core *core);
/* Root and generation of a chain that was verified before; no signature is
   looked at. */
MUST_CHECK enum err fed_chain_peek(struct view chain, struct clinic_id *root,
                                   uint64_t *generation);
/*
 * Whose a credential is: a clinic's certificate chain, or a device's
 * certificate.  Verified before or after; no signature is looked at here.
 */
struct fed_who {
    enum fed_kind kind;       /* CLINIC or DEVICE */
    struct clinic_id subject; /* the clinic, or the device's patient */
    struct clinic_id node;    /* the clinic, or the device */
};
MUST_CHECK enum err fed_cred_who(struct view credential, struct fed_who *out);
MUST_CHECK enum err fed_cred_subject(struct view credential,
                                     struct clinic_id *out);
MUST_CHECK enum err fed_leaf_who(const struct mls_group *group, uint32_t leaf,
                                 struct fed_who *out);
/* The first leaf of a subject; the leaf of a node.  ERR_MISSING */
MUST_CHECK enum err fed_leaf_of(const struct mls_group *group,
                                const struct clinic_id *subject, uint32_t *out);
MUST_CHECK enum err fed_leaf_at(const struct mls_group *group,
                                const struct clinic_id *node, uint32_t *out);
/* A key package of ours for peer, its private part stored. */
MUST_CHECK enum err fed_kp_make(struct fed_core *core,
                                const struct clinic_id *peer, bool last_resort,
                                struct bytes *out);
/* For one thread that peer claimed it for. */
MUST_CHECK enum err fed_kp_claimed(struct fed_core *core,
                                   const struct clinic_id *peer,
                                   const uint8_t thread[32], bool last_resort,
                                   struct bytes *out);
/* The clinic that a key package is of; ERR_AUTH ... not usable */
MUST_CHECK enum err fed_kp_check(struct fed_core *core, struct view kp,
                                 struct fed_who *who);
/* Join with the key package that the Welcome is for, and forget it. */
struct fed_claimed {
    uint8_t peer[32];   /* who got it */
    uint8_t thread[32]; /* for this one; zeros: direct, or a device's */
};
MUST_CHECK enum err fed_kp_join(struct fed_core *core, struct view welcome,
                                struct fed_claimed *claimed,
                                struct mls_group **out);
MUST_CHECK enum err fed_mls_change(struct fed_core *core,
                                   const struct thread_id *thread,
                                   const struct mls_change *change);
MUST_CHECK enum err fed_mls_save(struct fed_core *core, struct fed_thread *t);
/* ERR_MISSING  no state; ERR_STALE  its key is gone */
MUST_CHECK enum err fed_mls_load(struct fed_core *core,
                                 const struct thread_id *thread,
                                 struct mls_group **out);
MUST_CHECK enum err fed_mls_drop(struct fed_core *core,
                                 const struct thread_id *thread);

/* -------------------------------------------------- thread.c: state of threads
 */

/* ERR_MISSING */
MUST_CHECK enum err fed_thread_get(struct fed_core *core,
                                   const struct thread_id *id,
                                   struct fed_thread **out);
/* A new one, in memory and to be stored. */
MUST_CHECK enum err fed_thread_new(struct fed_core *core,
                                   const struct thread_id *id,
                                   const struct clinic_id *hub,
                                   enum fed_thread_state state,
                                   struct fed_thread **out);
MUST_CHECK enum err fed_thread_save(struct fed_core *core,
                                    struct fed_thread *t);
void fed_thread_free(struct fed_core *core, struct fed_thread *t);
bool fed_thread_hub_here(const struct fed_core *core,
                         const struct fed_thread *t);
/* Take the group extension ext (encoded) as the thread's. */
MUST_CHECK enum err fed_thread_group(struct fed_core *core,
                                     struct fed_thread *t, struct view ext);
struct fed_member *fed_thread_member(struct fed_thread *t,
                                     const struct clinic_id *node);
MUST_CHECK enum err fed_thread_state(struct fed_core *core,
                                     struct fed_thread *t,
                                     enum fed_thread_state state);
MUST_CHECK enum err fed_thread_show(struct fed_core *core,
                                    const struct fed_thread *t);
/* Out of it: secrets, intents and log go. */
MUST_CHECK enum err fed_thread_over(struct fed_core *core, struct fed_thread *t,
                                    enum fed_thread_state state);
/* Keep the cache within LIMIT_THREADS_LOADED; between steps only. */
void fed_thread_trim(struct fed_core *core);

/* ------------------------------------------------------------ log.c: the chain
 */

void fed_log_head(const uint8_t prev[32], uint64_t term, uint64_t seq,
                  uint64_t ts_ms, const uint8_t hash[32], uint8_t out[32]);
/* What becomes the next entry. */
struct fed_entry {
    uint64_t term;
    uint64_t ts_ms;
    uint64_t kind;
    const uint8_t *hash; /* 32 bytes */
    struct view message; /* kept while a member lacks it; empty: not */
};

/* The next entry: number, head, record; thread's log position moves. */
MUST_CHECK enum err fed_log_append(struct fed_core *core, struct fed_thread *t,
                                   const struct fed_entry *entry);
MUST_CHECK enum err fed_log_get(struct fed_core *core,
                                const struct thread_id *id, uint64_t seq,
                                struct fed_rec_log *out, struct bytes *hold);
/* Our head at an entry; zeros where it is no longer here. */
MUST_CHECK enum err fed_log_head_at(struct fed_core *core,
                                    const struct thread_id *id, uint64_t term,
                                    uint64_t seq, uint8_t out[32]);
/* The message of an entry; empty when it is no longer kept. */
MUST_CHECK enum err fed_log_body(struct fed_core *core,
                                 const struct thread_id *id, uint64_t seq,
                                 struct bytes *out);
/* Forget what everybody has. */
MUST_CHECK enum err fed_log_prune(struct fed_core *core, struct fed_thread *t);
/* Our place in the log as AAD; frank: the tag of a message (frank.h), or
   empty. */
MUST_CHECK enum err fed_log_aad(struct fed_core *core,
                                const struct fed_thread *t, struct view frank,
                                struct bytes *out);
void fed_log_sealed(const struct fed_core *core, const struct fed_thread *t,
                    const struct mls_protected *made);
/* Does what a sender saw agree with our log?  ERR_AUTH  no */
MUST_CHECK enum err fed_log_check(struct fed_core *core,
                                  const struct fed_thread *t, struct view aad);

/* ------------------------------------------------ apply.c: what entries mean
 */

/* A decrypted message takes its place (shown, receipts, requests). */
MUST_CHECK enum err
fed_apply_content(struct fed_core *core, struct fed_thread *t,
                  const struct clinic_id *author, uint64_t term, uint64_t seq,
                  uint64_t ts_ms, struct view content, bool ours);
/* The same for a message that is part of an entry: seq is its fed_place. */
MUST_CHECK enum err fed_apply_at(struct fed_core *core, struct fed_thread *t,
                                 const struct clinic_id *author, uint64_t term,
                                 uint64_t seq, uint64_t ts_ms,
                                 struct view content, bool ours);
/* Our own message of this id, which people see, has its place. */
MUST_CHECK enum err fed_apply_own(struct fed_core *core, struct fed_thread *t,
                                  const struct message_id *id, uint64_t term,
                                  uint64_t seq, uint64_t ts_ms);
/* Whether people see a content as a message. */
bool fed_content_shown(struct view content);
/* Show that other has, or has read, all of ours up to a place; once a batch. */
MUST_CHECK enum err fed_show_upto(struct fed_core *core, uint64_t code,
                                  const struct thread_id *thread,
                                  const uint8_t other[32], uint64_t term,
                                  uint64_t seq);
/* A staged commit keeps the rules of the thread?  ERR_DENIED  no */
MUST_CHECK enum err fed_policy_commit(struct fed_core *core,
                                      const struct fed_thread *t,
                                      const struct mls_stage *stage,
                                      struct fed_who *committer);
/* Every leaf of a group that we join is a participant's: a clinic's only one,
   or a device in the patient's list?  Every clinic there by right?
   ERR_DENIED  no */
MUST_CHECK enum err fed_policy_members(struct fed_core *core,
                                       const struct mls_group *mls,
                                       const struct proto_group *group);
/* Install a stage: epoch, members, shows, stored.  Takes *take_stage. */
MUST_CHECK enum err fed_apply_stage(struct fed_core *core, struct fed_thread *t,
                                    struct mls_stage **take_stage);
/* After each entry: is the epoch before still of use? */
MUST_CHECK enum err fed_apply_late(struct fed_core *core, struct fed_thread *t);
void fed_message_id(const struct clinic_id *author, struct view content,
                    struct message_id *out);

/* ------------------------------------------------------ intent.c: what we want
 */

/* So many wait that people may not add another one. */
bool fed_intent_full(const struct fed_core *core, const struct fed_thread *t);
/* Queue an intent; rec.made_ms and number are set here. */
MUST_CHECK enum err fed_intent_add(struct fed_core *core, struct fed_thread *t,
                                   struct fed_rec_intent *rec);
MUST_CHECK enum err fed_intent_get(struct fed_core *core,
                                   const struct thread_id *id, uint64_t number,
                                   struct fed_rec_intent *out,
                                   struct bytes *hold);
struct fed_key fed_intent_key(const struct thread_id *id, uint64_t number);
MUST_CHECK enum err fed_intent_put(struct fed_core *core,
                                   const struct fed_thread *t, uint64_t number,
                                   const struct fed_rec_intent *rec);
MUST_CHECK enum err fed_intent_done(struct fed_core *core, struct fed_thread *t,
                                    uint64_t number);
/* The same in two: it is gone; now look whether any is left. */
MUST_CHECK enum err fed_intent_gone(struct fed_core *core, struct fed_thread *t,
                                    uint64_t number);
MUST_CHECK enum err fed_intent_left(struct fed_core *core,
                                    struct fed_thread *t);
/* What people said in old and nobody has numbered yet is said in t. */
MUST_CHECK enum err fed_intent_move(struct fed_core *core,
                                    struct fed_thread *old,
                                    struct fed_thread *t);
/* What was added to t from the number end on is said before the words below. */
MUST_CHECK enum err fed_intent_behind(struct fed_core *core,
                                      struct fed_thread *t, uint64_t end);
/* Let this clinic or patient in; it is asked for a key, if it has to be. */
MUST_CHECK enum err fed_intent_bring(struct fed_core *core,
                                     struct fed_thread *t,
                                     const uint8_t root[32]);
/* We are in again, in this group, of a log that goes on behind less than we
   had: let in again whom we had let in since. */
MUST_CHECK enum err fed_intent_back(struct fed_core *core, struct fed_thread *t,
                                    struct view ext);
/* The first one from number on.  ERR_MISSING  none */
MUST_CHECK enum err fed_intent_next(struct fed_core *core,
                                    const struct thread_id *id,
                                    uint64_t *number,
                                    struct fed_rec_intent *out,
                                    struct bytes *hold);
/* Submit (or accept, as hub) what can be. */
MUST_CHECK enum err fed_intent_pump(struct fed_core *core,
                                    struct fed_thread *t);
/* At the end of a batch, for threads marked to pump: what was said in one
   batch goes together. */
MUST_CHECK enum err fed_intent_pump_all(struct fed_core *core);
/* Everything submitted is unsubmitted again. */
MUST_CHECK enum err fed_intent_again(struct fed_core *core,
                                     struct fed_thread *t);
MUST_CHECK enum err fed_intent_fail(struct fed_core *core, struct fed_thread *t,
                                    uint64_t number,
                                    const struct fed_rec_intent *rec,
                                    enum proto_answer_code code);
/* Our leaf still has an older node key: decisions A 4. */
bool fed_needs_rekey(const struct fed_core *core, const struct fed_thread *t);
/* Say something on our own account (receipts, history). */
MUST_CHECK enum err fed_intent_say(struct fed_core *core, struct fed_thread *t,
                                   struct proto_content *content, bool hold,
                                   struct message_id *id_out);
struct fed_sub *fed_sub_find(struct fed_thread *t, const uint8_t req[16]);
struct fed_sub *fed_sub_by_hash(struct fed_thread *t, const uint8_t hash[32]);
/* sub.c.  A submission of this message, in our epoch. */
MUST_CHECK enum err fed_sub_new(struct fed_core *core, struct fed_thread *t,
                                uint64_t kind, const uint8_t req[16],
                                struct view message, struct fed_sub **out);
/* One more intent of it. */
MUST_CHECK enum err fed_sub_part(struct fed_core *core, struct fed_sub *sub,
                                 uint64_t number,
                                 const struct fed_rec_intent *rec);
/* As a submitted intent's record says. */
MUST_CHECK enum err fed_sub_load(struct fed_core *core, struct fed_thread *t,
                                 uint64_t number,
                                 const struct fed_rec_intent *rec);
/* Out of the list; fed_sub_clear when done. */
struct fed_sub fed_sub_take(struct fed_thread *t, struct fed_sub *sub);
void fed_sub_clear(struct fed_core *core, struct fed_sub *sub);
void fed_subs_clear(struct fed_core *core, struct fed_thread *t);

/* ------------------------------------------------------------- commit.c */

/* A change of the group's own description; NULL and empty: nothing. */
struct fed_regroup {
    const struct proto_subject *add;
    const uint8_t *remove;  /* subject */
    const uint8_t *hub;     /* the next hub */
    const uint8_t *patient; /* whose list becomes */
    struct view list;
    uint64_t generation;
};
/* regroup.c.  ERR_DENIED  a consent that it needs is missing */
MUST_CHECK enum err fed_regroup(struct fed_core *core,
                                const struct fed_thread *t,
                                const struct fed_regroup *want,
                                struct bytes *out);

/* Build the commit of an intent on the present epoch. */
struct fed_built {
    struct mls_committed made;
    struct clinic_id added; /* zeros: nobody */
};
void fed_built_clear(struct fed_built *b);
MUST_CHECK enum err fed_commit_build(struct fed_core *core,
                                     struct fed_thread *t,
                                     const struct fed_rec_intent *rec,
                                     struct fed_built *out);

/* --------------------------------------------------- hub.c, follow.c, resync.c
 */

bool fed_hub_ready(struct fed_core *core, const struct fed_thread *t);
MUST_CHECK enum err fed_hub_app(struct fed_core *core, struct fed_party *p,
                                const struct proto_app_submit *in);
MUST_CHECK enum err fed_hub_hs(struct fed_core *core, struct fed_party *p,
                               const struct proto_hs_submit *in);
MUST_CHECK enum err fed_hub_say(struct fed_core *core, struct fed_thread *t,
                                struct view content, const uint8_t frank[32]);
MUST_CHECK enum err fed_hub_commit(struct fed_core *core, struct fed_thread *t,
                                   const struct fed_rec_intent *rec);
/* An own commit that has no answer yet is forgotten. */
MUST_CHECK enum err fed_stage_drop(struct fed_core *core, struct fed_thread *t);
/* As the next hub: our commit begins the next term.  *out: a copy of it. */
MUST_CHECK enum err fed_hub_take(struct fed_core *core, struct fed_thread *t,
                                 const struct fed_rec_intent *rec,
                                 uint64_t ts_ms, struct bytes *out);
MUST_CHECK enum err fed_hub_pull(struct fed_core *core, struct fed_party *p,
                                 const struct proto_log_pull *in);
MUST_CHECK enum err fed_hub_create(struct fed_core *core,
                                   const struct thread_id *id, uint64_t flags,
                                   struct fed_thread **out);
MUST_CHECK enum err fed_hub_fan(struct fed_core *core, struct fed_thread *t,
                                const struct fed_party *except);
MUST_CHECK enum err fed_hub_direct(struct fed_core *core, struct fed_party *p,
                                   struct view kp);

MUST_CHECK enum err fed_follow_welcome(struct fed_core *core,
                                       struct fed_party *p,
                                       const struct proto_welcome *in);
MUST_CHECK enum err fed_follow_fan(struct fed_core *core, struct fed_party *p,
                                   const struct proto_fan *in);
MUST_CHECK enum err fed_follow_answer(struct fed_core *core,
                                      struct fed_party *p,
                                      const struct proto_answer *in);
MUST_CHECK enum err fed_follow_part(struct fed_core *core, struct fed_party *p,
                                    const struct proto_log_part *in);
/* pull.c */
MUST_CHECK enum err fed_pull_send(struct fed_core *core, struct fed_thread *t,
                                  const struct clinic_id *from);
/* Likewise, from entry seq on. */
MUST_CHECK enum err fed_pull_from(struct fed_core *core, struct fed_thread *t,
                                  const struct clinic_id *from, uint64_t seq);
/* A thread that a peer speaks of and we do not know: lost with a restore. */
MUST_CHECK enum err fed_lost_thread(struct fed_core *core, struct fed_party *p,
                                    const struct thread_id *id);
/* check.c: a restored hub learns what it had numbered. */
MUST_CHECK enum err fed_check_part(struct fed_core *core, struct fed_thread *t,
                                   struct fed_party *p,
                                   const struct proto_log_part *in);
/* Whatever was compared before counts no more. */
void fed_check_begin(struct fed_core *core, struct fed_thread *t);
MUST_CHECK enum err fed_check_step(struct fed_core *core, struct fed_thread *t);
/* A patient's device has nothing of a thread whose state we look for; and what
   follows of having waited for long. */
MUST_CHECK enum err fed_check_without(struct fed_core *core,
                                      struct fed_thread *t,
                                      const struct fed_party *device);
MUST_CHECK enum err fed_check_waited(struct fed_core *core,
                                     struct fed_thread *t);
MUST_CHECK enum err fed_follow_end(struct fed_core *core, struct fed_party *p,
                                   const struct proto_thread_end *in);

/* Rejoin a thread whose state is lost or no good. */
MUST_CHECK enum err fed_resync_begin(struct fed_core *core,
                                     struct fed_thread *t);
/* Where we stand in t, as a question for its state; who asks seals it. */
MUST_CHECK enum err fed_resync_question(struct fed_core *core,
                                        const struct fed_thread *t,
                                        struct proto_gi_get *out);
MUST_CHECK enum err fed_resync_ask(struct fed_core *core, struct fed_thread *t,
                                   struct fed_party *p);
MUST_CHECK enum err fed_resync_step(struct fed_core *core,
                                    struct fed_thread *t);
MUST_CHECK enum err fed_resync_get(struct fed_core *core, struct fed_party *p,
                                   const struct proto_gi_get *in);
MUST_CHECK enum err fed_resync_gi(struct fed_core *core, struct fed_party *p,
                                  const struct proto_gi *in);
/*
 * We rejoin, and the hub says that entry seq is of this term: if we have one of
 * an older term there, it was put back and had less of the log.  What we have
 * from there on is not of its log and is given back, and what it numbered there
 * instead we miss.
 */
void fed_resync_back(struct fed_thread *t, uint64_t term, uint64_t seq);
MUST_CHECK enum err fed_resync_joined(struct fed_core *core,
                                      struct fed_thread *t, uint64_t term,
                                      uint64_t ts_ms);
MUST_CHECK enum err fed_fork_alert(struct fed_core *core, struct fed_party *p,
                                   const struct proto_fork_alert *in);
/* We were put back to an older state (decisions E 20). */
MUST_CHECK enum err fed_rollback(struct fed_core *core);
/* So p says: all that we have to do with p begins anew. */
MUST_CHECK enum err fed_rollback_with(struct fed_core *core,
                                      struct fed_party *p,
                                      uint64_t incarnation);
/* claim.c */
MUST_CHECK enum err fed_claim_asked(struct fed_core *core, struct fed_party *p,
                                    const struct proto_kp_claim *in);
MUST_CHECK enum err fed_claim_answered(struct fed_core *core,
                                       struct fed_party *p,
                                       const struct proto_kp_answer *in);
/* ADD waits for a key package, and for another one where that is no good any
   more. */
MUST_CHECK enum err fed_claim_first(struct fed_core *core, struct fed_thread *t,
                                    uint64_t number, struct fed_rec_intent *rec,
                                    bool *wait);

#endif
