/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread gets another hub (decisions D 16, reference threads 6.5).  What the
 * files about it share; not for others.
 *
 * Numbers of the log go on over terms.  Planned: the hub's commit {hub, term +
 * 1} is the last entry of its term.  Unplanned: the new hub's commit is the
 * first entry of the next.  Either way a proof stays behind, one per term,
 * that convinces who was not there: a statement of the hub that went, or of
 * the clinics that have not seen it for LIMIT_CHECK_MS.
 */
#ifndef FEDERATION_CORE_MOVE_H
#define FEDERATION_CORE_MOVE_H

#include "federation/core/bound.h"
#include "federation/core/hub.h"

/* ------------------------------------------------------- proof.c: statements
 */

/* How many clinics, without the hub, take part; ourselves counted. */
size_t fed_move_others(const struct proto_group *group, const uint8_t hub[32]);
/* The place of a clinic in the order of successors of hub; SIZE_MAX: none. */
size_t fed_move_order(const struct proto_group *group, const uint8_t hub[32],
                      const uint8_t root[32]);
/* Sign what we say about the hub of thread t. */
MUST_CHECK enum err fed_said_make(struct fed_core *core, uint64_t head,
                                  const struct proto_hub_said *said,
                                  struct bytes *out);
/* Verify: who says what?  ERR_AUTH ... not a statement; ERR_DENIED  revoked */
MUST_CHECK enum err fed_said_open(struct fed_core *core, uint64_t head,
                                  struct view in, struct clinic_id *by,
                                  struct proto_hub_said *out);
/* Is its author further in the log than one who stands at seq of term, or as
   far and before that one in the order? */
bool fed_said_further(const struct proto_hub_said *said, size_t order,
                      uint64_t term, uint64_t seq, size_t than);
/*
 * Is this a proof for the members of group?  ERR_AUTH, ERR_DENIED  it is not
 */
MUST_CHECK enum err fed_proof_check(struct fed_core *core,
                                    const struct fed_thread *t,
                                    const struct proto_hub_move *in);
/* What by says in a proof that is not planned.  ERR_MISSING */
MUST_CHECK enum err fed_proof_said(struct fed_core *core,
                                   const struct proto_hub_move *in,
                                   const struct clinic_id *by,
                                   struct proto_hub_said *out);
/* [move-statement-void] Is our own word one that counts no more? */
MUST_CHECK enum err fed_proof_void(struct fed_core *core,
                                   const struct fed_thread *t,
                                   const struct proto_hub_move *in, bool *out);
/* [move-quorum] How many clinics are asked beside the hub that goes: of the
   group as it was then, as whoever takes the thread may let others in. */
uint64_t fed_proof_others(const struct fed_thread *t,
                          const struct proto_hub_move *in);
/* Of two proofs that end the same hub: does a count more? */
bool fed_proof_beats(const struct fed_thread *t, const struct proto_hub_move *a,
                     const struct proto_hub_move *b);
/* The stored proof of a term; views into *hold.  ERR_MISSING */
MUST_CHECK enum err fed_proof_get(struct fed_core *core,
                                  const struct thread_id *id, uint64_t term,
                                  struct proto_hub_move *out,
                                  struct bytes *hold);
MUST_CHECK enum err fed_proof_put(struct fed_core *core,
                                  const struct proto_hub_move *in);
/* The term in which the hub that we know of began, by its commit or a proof. */
MUST_CHECK enum err fed_move_began(struct fed_core *core,
                                   const struct fed_thread *t, uint64_t *out);
/* The stored proof that ended the hub that began then.  ERR_MISSING */
MUST_CHECK enum err fed_proof_ended(struct fed_core *core,
                                    const struct fed_thread *t, uint64_t began,
                                    struct proto_hub_move *out,
                                    struct bytes *hold);
/* Forget the proofs that ended hubs that began in began or later. */
MUST_CHECK enum err fed_proof_drop(struct fed_core *core,
                                   const struct fed_thread *t, uint64_t began);
/* The term that a commit begins which gives the thread another hub: that of
   the proof that is being applied, else the next. */
uint64_t fed_move_next(const struct fed_thread *t);
/* [move-jump] Is this term too far ahead to be believed? */
bool fed_move_far(const struct fed_thread *t, uint64_t term);
/* The term of the log that a proof, which was checked, goes on from. */
MUST_CHECK enum err fed_proof_behind(struct fed_core *core,
                                     const struct fed_thread *t,
                                     const struct proto_hub_move *in,
                                     uint64_t *out);
/*
 * Did the clinics that made the hub of today what it is declare this one gone,
 * and has it not been met since?  What was ordered since, it cannot have.
 */
bool fed_move_gone(struct fed_core *core, const struct fed_thread *t,
                   const struct clinic_id *node);
/* Tell p, which is in this term, what it does not know of. */
MUST_CHECK enum err fed_move_tell(struct fed_core *core, struct fed_thread *t,
                                  struct fed_party *p, uint64_t term);
/* As a hub that was put back: what told the members that it is the hub may
   have been lost with its streams. */
MUST_CHECK enum err fed_move_remind(struct fed_core *core,
                                    struct fed_thread *t);

/* --------------------------------------------------- move.c: from hub to hub
 */

/* [move-*] May this commit of by make after.hub the hub? */
MUST_CHECK enum err fed_move_judge(struct fed_core *core,
                                   const struct fed_thread *t,
                                   const struct proto_group *after,
                                   const struct clinic_id *by);
/* A commit was applied that names another hub than we know. */
MUST_CHECK enum err fed_move_applied(struct fed_core *core,
                                     struct fed_thread *t);
/* As hub: hand over to rec->id, once it agrees. */
MUST_CHECK enum err fed_move_offer(struct fed_core *core, struct fed_thread *t,
                                   uint64_t number, struct fed_rec_intent *rec);
MUST_CHECK enum err fed_move_offered(struct fed_core *core, struct fed_party *p,
                                     const struct proto_hub_offer *in);
MUST_CHECK enum err fed_move_accepted(struct fed_core *core,
                                      struct fed_party *p,
                                      const struct proto_hub_accept *in);
MUST_CHECK enum err fed_move_recv(struct fed_core *core, struct fed_party *p,
                                  const struct proto_hub_move *in);
/* A member stands at our log from behind upto on: send what follows. */
MUST_CHECK enum err fed_move_open(struct fed_core *core, struct fed_thread *t,
                                  struct fed_member *m, uint64_t upto);
/* A proof waits for entries of the old hub, who does not come. */
MUST_CHECK enum err fed_move_step(struct fed_core *core, struct fed_thread *t);

/* -------------------------------- rejoin.c: another hub than we have it from
 */

static inline struct clinic_id
fed_move_root(const uint8_t b[32])
{
    struct clinic_id id;

    memcpy(id.b, b, sizeof(id.b));
    return id;
}

/* People see who orders the thread now; code: enum fed_hub_change. */
MUST_CHECK enum err fed_move_show(struct fed_core *core,
                                  const struct fed_thread *t,
                                  const uint8_t before[32], uint64_t seq,
                                  enum fed_hub_change code);
/* What was told of our log behind seq, in these terms, goes. */
MUST_CHECK enum err fed_move_show_void(struct fed_core *core,
                                       const struct fed_thread *t,
                                       uint64_t from, uint64_t to,
                                       uint64_t seq);
/* We will have to do with a clinic that we may not know.  *out NULL: it is we
 */
MUST_CHECK enum err fed_move_meet(struct fed_core *core,
                                  const struct clinic_id *root,
                                  struct fed_party **out);
/* The thread has hub now: nothing that was asked of the one before counts. */
MUST_CHECK enum err fed_move_set_hub(struct fed_core *core,
                                     struct fed_thread *t,
                                     const uint8_t hub[32]);
/* Rejoin with the hub of a proof; entries behind from are not of its log.
   again: those we have were said again, as they lost a race. */
MUST_CHECK enum err fed_rejoin(struct fed_core *core, struct fed_thread *t,
                               const struct proto_hub_move *in, uint64_t from,
                               bool again);
/* What we have behind from, in the terms from first on, lost a race: it is said
   again once we are in. */
MUST_CHECK enum err fed_rejoin_void(struct fed_core *core, struct fed_thread *t,
                                    uint64_t first, uint64_t from);
/* Two took the thread; the one of proof in counts, what we have behind from
   does not. */
MUST_CHECK enum err fed_rejoin_lost(struct fed_core *core, struct fed_thread *t,
                                    const struct proto_hub_move *in,
                                    uint64_t from);

/* ----------------------- undone.c: who took it, and nobody goes there with it
 */

/* p's proof, which was refused, has our words, and they are void: it is told.
 *told: it was so. */
MUST_CHECK enum err fed_undone_tell(struct fed_core *core, struct fed_thread *t,
                                    struct fed_party *p,
                                    const struct proto_hub_move *in,
                                    bool *told);
/* p tells us so. */
MUST_CHECK enum err fed_undone_heard(struct fed_core *core,
                                     struct fed_thread *t, struct fed_party *p,
                                     const struct proto_hub_seen *in);

/* --------------------------------- named.c: who orders it and knows nothing */

/* Our hub p says that it is in this term, or none.  *out: it does not know
   what made it the hub; it is told, and we keep what we have. */
MUST_CHECK enum err fed_named_unaware(struct fed_core *core,
                                      struct fed_thread *t, struct fed_party *p,
                                      uint64_t term, bool *out);
/* Our hub p has nothing behind what we have: its log is another, or it is no
   hub. */
MUST_CHECK enum err fed_named_none(struct fed_core *core, struct fed_thread *t,
                                   struct fed_party *p,
                                   const struct proto_log_part *in);
/* What the hub has does not follow from our log.  *out: it may not know what
   made it the hub; it is told, and asked.  differs: a fork, if it knows. */
MUST_CHECK enum err fed_named_unsure(struct fed_core *core,
                                     struct fed_thread *t, bool *out);
MUST_CHECK enum err fed_named_differs(struct fed_core *core,
                                      struct fed_thread *t);
/* [named-gone] The hub, in this term, does not have what follows ours (pruned:
   any more): rejoin.  No fork if it was put back since, or may have forgotten
   it after 90 days (decisions D 15). */
MUST_CHECK enum err fed_named_gone(struct fed_core *core, struct fed_thread *t,
                                   uint64_t term, bool pruned);
/* [named-forgot] A later term of the hub numbers seq anew, behind prev (NULL:
   not known): it was put back to before what we have, which it is given when
   we are in again.  No fork, if what it has follows from ours up to there. */
MUST_CHECK enum err fed_named_forgot(struct fed_core *core,
                                     struct fed_thread *t, uint64_t term,
                                     uint64_t seq, const uint8_t *prev);
/* Another member has another log at seq.  *out: it may not know how our hub
   began; it is told, once. */
MUST_CHECK enum err fed_named_lacks(struct fed_core *core, struct fed_thread *t,
                                    struct fed_party *p, uint64_t seq,
                                    bool *out);
/* The hub's answer.  *again: it is the first since it was told, and does not
   say that it forgot: ask again. */
MUST_CHECK enum err fed_named_answered(struct fed_core *core,
                                       struct fed_thread *t,
                                       const struct proto_log_part *in,
                                       bool *again);
/* It is another one, or follows, or what was asked is lost. */
void fed_named_forget(struct fed_thread *t);
/* It has no more than this for now, though it is our log: it compares. */
void fed_named_has(struct fed_core *core, struct fed_thread *t,
                   const struct proto_log_part *in);
/* It proves that it is our hub: it has compared by now. */
void fed_named_heard(struct fed_core *core, struct fed_thread *t,
                     const struct fed_party *p);
/* A member says where it stands, and we can not say what follows: as hub we
   send it from there. */
void fed_named_stood(struct fed_thread *t, struct fed_member *m,
                     const struct proto_log_pull *in);
MUST_CHECK enum err fed_named_opens(struct fed_core *core,
                                    struct fed_thread *t);
/* We were put back, and begin a term: all are sent it, wherever they stood;
   what made us the hub may be lost here, and who waits for our word with it. */
void fed_named_open_all(struct fed_thread *t);
/* Time passed: say again where we stand. */
MUST_CHECK enum err fed_named_step(struct fed_core *core, struct fed_thread *t);
/* A member p that is not our hub orders the thread, in this term. */
MUST_CHECK enum err fed_named_other(struct fed_core *core, struct fed_party *p,
                                    const struct thread_id *id, uint64_t term);

/* ------------------------------------- reword.c: proofs with revoked keys */

/* Tell p a proof that we have, in words that count if there are any. */
MUST_CHECK enum err fed_reword_tell(struct fed_core *core, struct fed_thread *t,
                                    struct fed_party *p,
                                    const struct proto_hub_move *have);
/* p tells us a proof.  *out: words in it count no more, it is not to be judged;
   what can be done is under way. */
MUST_CHECK enum err fed_reword_recv(struct fed_core *core, struct fed_thread *t,
                                    struct fed_party *p,
                                    const struct proto_hub_move *in, bool *out);

/* -------------------------------------------------- gone.c: without the hub */

/* Time passed, or somebody came: say what we know, and take over. */
MUST_CHECK enum err fed_gone_step(struct fed_core *core, struct fed_thread *t);
MUST_CHECK enum err fed_gone_recv(struct fed_core *core, struct fed_party *p,
                                  const struct proto_hub_gone *in);
MUST_CHECK enum err fed_gone_seen(struct fed_core *core, struct fed_party *p,
                                  const struct proto_hub_seen *in);
/* We are connected to p: remember when. */
void fed_gone_met(struct fed_core *core, struct fed_party *p);
/* Somebody wants something of a thread that another clinic orders. */
MUST_CHECK enum err fed_gone_wanted(struct fed_core *core,
                                    struct fed_thread *t);
/* The hub is there again, or another one is. */
void fed_gone_over(struct fed_core *core, struct fed_thread *t);

/* --------------------------------------- orphan.c: rejoining without the hub
 */

/* Its author has no state, as it rejoins: it cannot take over. */
bool fed_said_bare(const struct proto_hub_said *said);
/* We rejoin, and the hub is not there, or mute: the others are asked, one now
   and then. */
MUST_CHECK enum err fed_orphan_step(struct fed_core *core,
                                    struct fed_thread *t);
/* Likewise, on a device whose words have no answer for days. */
MUST_CHECK enum err fed_orphan_phone(struct fed_core *core,
                                     struct fed_thread *t);

/* -------------------------------------------- roster.c: where members are */

MUST_CHECK enum err fed_roster_send(struct fed_core *core,
                                    struct fed_thread *t);
/* Somebody (by) says that we have to do with a clinic, which we do not know or
   only by that: it is dialled, if by did not make us dial too many. */
struct proto_node_addr;
MUST_CHECK enum err fed_roster_meet(struct fed_core *core, struct fed_party *by,
                                    const struct proto_node_addr *node);
MUST_CHECK enum err fed_roster_recv(struct fed_core *core, struct fed_party *p,
                                    const struct proto_roster *in);

/* -------------------------------------------------- follow.c, commit.c */

/* The thread of an item of its hub; *out NULL: nothing to do.  ERR_MISSING */
MUST_CHECK enum err fed_followed(struct fed_core *core, struct fed_party *p,
                                 const uint8_t id[32], struct fed_thread **out);
/* What we submitted is entry in->seq. */
MUST_CHECK enum err fed_follow_own(struct fed_core *core, struct fed_thread *t,
                                   const struct fed_sub *sub,
                                   const struct proto_answer *in);
/* The commit of another member that is the entry behind our last one. */
MUST_CHECK enum err fed_follow_commit(struct fed_core *core,
                                      struct fed_thread *t, uint64_t term,
                                      uint64_t ts_ms, struct view commit);

#endif
