/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Showing what another said to the clinics that can act on it (core/report.h);
 * as app.h.
 *
 * Of an edited message it is the edit that is shown, with the words of before.
 * Whether others can check it does not stand in the way of showing it, but a
 * person should know: fed_app_proof first, and, when it says ASKED, wait for
 * EV_PROOF for a moment.
 */
#ifndef FEDERATION_APP_REPORT_H
#define FEDERATION_APP_REPORT_H

#include "federation/app/app.h"
#include "federation/core/report.h"

/* Who they are.  ERR_MISSING  no such thread */
MUST_CHECK enum err fed_app_report_to(struct fed_app *app,
                                      const struct thread_id *thread,
                                      struct clinic_id out[FED_REPORT_TO],
                                      size_t *len_out);

enum fed_app_proof {
    FED_APP_PROOF_HERE = 1,  /* the clinic that orders the thread signed it */
    FED_APP_PROOF_ASKED = 2, /* it is asked now whether its record has it */
    FED_APP_PROOF_NONE = 3   /* it cannot be asked: the word of the person */
};

/* ERR_MISSING  no such message; ERR_DENIED, ERR_STATE  as for reporting */
MUST_CHECK enum err fed_app_proof(struct fed_app *app,
                                  const struct thread_id *thread,
                                  uint64_t number, enum fed_app_proof *out);

/*
 * Show it.  reason: enum proto_report_reason
 * ERR_MISSING  no such message; ERR_DENIED  it is ours; ERR_STATE  what it
 * said is no longer here; ERR_LIMIT  too many words
 */
MUST_CHECK enum err fed_app_report(struct fed_app *app,
                                   const struct thread_id *thread,
                                   uint64_t number, uint64_t reason,
                                   struct view words);

#endif
