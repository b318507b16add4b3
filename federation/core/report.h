/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports: showing a clinic one message that we got (reference threads 6.6).
 * As core.h; kept apart because it is a matter of its own.
 *
 * A clinic has its own record of what is said where it takes part, so among
 * clinics that is the proof.  A patient's device keeps what the hub signed,
 * and can prove a message also to a clinic that has never seen the thread.
 */
#ifndef FEDERATION_CORE_REPORT_H
#define FEDERATION_CORE_REPORT_H

#include "federation/core/core.h"

enum {
    FED_REPORT_TO = 2 /* clinics that one report goes to */
};

struct fed_report {
    struct thread_id thread;
    struct message_id message;
    struct clinic_id author; /* subject */
    uint64_t term;
    uint64_t seq;        /* its place, as it was shown */
    uint64_t ts_ms;      /* hub time */
    uint64_t reason;     /* enum proto_report_reason */
    struct view words;   /* may be empty */
    struct view content; /* encoded */
    struct view before;  /* content is an edit: of what, encoded; or empty */
};

/*
 * Who is shown a message of this thread that we report: on a clinic's node
 * itself and the hub; on a device the hub and, if the hub is reached through
 * another clinic, first that one.  ERR_MISSING  no such thread
 */
MUST_CHECK enum err fed_core_report_to(struct fed_core *core,
                                       const struct thread_id *thread,
                                       struct clinic_id out[FED_REPORT_TO],
                                       size_t *len_out);

/*
 * Report it to them; a clinic itself gets REPORT shown.  Durable.
 * ERR_MISSING  no such thread; ERR_INVALID  it is our own, or not what was
 * said; ERR_LIMIT  too many words
 */
MUST_CHECK enum err fed_core_report(struct fed_core *core,
                                    const struct fed_report *in);

/*
 * On a device: whether it can prove this message also to a clinic that has
 * never seen the thread (message, author, term and seq are looked at).
 */
MUST_CHECK enum err fed_core_proven(struct fed_core *core,
                                    const struct fed_report *in, bool *out);
/*
 * Ask the hub to sign what its record has at term, seq: PROVEN is shown with
 * the answer.  What came as it was said, was pulled or brought back has been
 * asked for already; this is for what came from elsewhere.
 * ERR_MISSING  no such thread; ERR_STATE  its hub cannot be asked
 */
MUST_CHECK enum err fed_core_prove(struct fed_core *core,
                                   const struct fed_report *in);

#endif
