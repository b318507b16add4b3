/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Franking (reference threads 6.6): who says something commits to it, so that
 * whoever got it can later show exactly that to somebody else, and nothing
 * else.
 *
 * A message's id is the commitment: a hash of its author and of its content,
 * in which there is a random salt, so that it hides the content and fits no
 * other.  What says messages carries, where the hub and relays see it (the
 * AAD), one tag over the thread and the ids of all that it says:
 *
 *     tag   SHA-256("balsam v1 frank", thread, id ...)
 *
 * One message is shown by its content and the other ids.  In a thread with a
 * patient the hub signs for the patient's devices at which place and from whom
 * it accepted a tag; in threads of clinics each has its own record of that.
 */
#ifndef FEDERATION_CORE_FRANK_H
#define FEDERATION_CORE_FRANK_H

#include "federation/core/inside.h"
#include "federation/core/report.h"
#include "proto/msg/device.h"

/* ids: 32 bytes each, in the entry's order. */
void fed_frank_tag(const struct thread_id *thread, struct view ids,
                   uint8_t out[32]);
bool fed_frank_among(struct view ids, const struct message_id *id);

/* The tag of what author says. */
void fed_frank_of(const struct thread_id *thread,
                  const struct clinic_id *author, struct view content,
                  uint8_t out[32]);

/*
 * Does the AAD commit to what was said?  What nobody here can decode yet, it
 * may commit to in a way that we do not know.
 * ERR_AUTH  no
 */
MUST_CHECK enum err fed_frank_check(const struct thread_id *thread,
                                    const struct clinic_id *author,
                                    struct view content, struct view aad);

/* HUB: the newest entry is author's, with this AAD. */
MUST_CHECK enum err fed_frank_noted(struct fed_thread *t,
                                    const struct clinic_id *author,
                                    struct view aad);
/* HUB: our signature of entry, where it is the newest; else empty. */
MUST_CHECK enum err fed_frank_sign(struct fed_core *core, struct fed_thread *t,
                                   uint64_t entry, struct view *out);

/* DEVICE: an entry that was applied, and what the hub signed of it. */
struct fed_taken {
    uint64_t term;
    uint64_t seq;
    uint64_t ts_ms;
    const struct clinic_id *author;
    struct view content;
    struct view sig;
};
MUST_CHECK enum err fed_frank_keep(struct fed_core *core, struct fed_thread *t,
                                   const struct fed_taken *in);
/* What the hub signs, encoded. */
MUST_CHECK enum err fed_frank_statement(const struct mem *mem,
                                        const struct proto_frank *in,
                                        struct bytes *out);

/*
 * prove.c: what came without a signature (pulled, brought back, from before
 * this device) is signed later, one message at a time: the hub looks into its
 * own record.
 *
 * DEVICE: note the messages of an entry, or one place; ask for what was noted.
 */
MUST_CHECK enum err fed_prove_note(struct fed_core *core, struct fed_thread *t,
                                   const struct fed_taken *in);
MUST_CHECK enum err fed_prove_place(struct fed_core *core, struct fed_thread *t,
                                    uint64_t term, uint64_t place);
MUST_CHECK enum err fed_prove_ask(struct fed_core *core, struct fed_thread *t);
/* HUB: what of it is in our record? */
MUST_CHECK enum err fed_prove_asked(struct fed_core *core, struct fed_party *p,
                                    const struct proto_device_frank_get *in);
/* DEVICE: the answer. */
MUST_CHECK enum err fed_prove_got(struct fed_core *core, struct fed_party *p,
                                  const struct proto_device_frank *in);
/* As fed_frank_keep, of one place: sig is the hub's, of that message alone.
 *kept: it is. */
MUST_CHECK enum err fed_frank_keep_one(struct fed_core *core,
                                       struct fed_thread *t, uint64_t place,
                                       const struct message_id *id,
                                       const struct fed_taken *in, bool *kept);

/*
 * seal.c: a report on its way through a relay (proto_report_sealed).
 * ERR_STATE  the key of its clinic is not known
 */
MUST_CHECK enum err fed_report_seal(struct fed_core *core, struct fed_thread *t,
                                    const struct proto_peer_msg *report,
                                    struct bytes *out);
/* DEVICE: what was not answered in time is not kept, and shown as a doubt;
 *next: look again then, at the latest. */
MUST_CHECK enum err fed_report_kept_look(struct fed_core *core,
                                         struct fed_thread *t, uint64_t *next);
/* Somebody reports to us that way. */
MUST_CHECK enum err fed_report_seen_recv(struct fed_core *core,
                                         struct fed_party *p,
                                         const struct proto_report_seen *in);
MUST_CHECK enum err
fed_report_sealed_recv(struct fed_core *core, struct fed_party *p,
                       const struct proto_report_sealed *in);

/*
 * The statement that proves entry seq, for PROTO_PEER_REPORT; *ids are the
 * messages in it.  ERR_MISSING  there is none for this message
 */
MUST_CHECK enum err fed_frank_proof(struct fed_core *core,
                                    const struct fed_report *in,
                                    struct bytes *ids, struct bytes *out);

/* Somebody reports to us. */
MUST_CHECK enum err fed_report_recv(struct fed_core *core, struct fed_party *p,
                                    const struct proto_report *in);

#endif
