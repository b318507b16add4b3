/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person is told about how a thread is carried; as app.h.
 * FED_APP_TROUBLE_DOUBT tells of a change.
 */
#ifndef FEDERATION_APP_DOUBT_H
#define FEDERATION_APP_DOUBT_H

#include "federation/app/app.h"

/* What is in doubt about how a thread is carried (core/effects.h). */
enum fed_app_doubt_what {
    FED_APP_DOUBT_SILENT = FED_DOUBT_SILENT,
    FED_APP_DOUBT_WITHHELD = FED_DOUBT_WITHHELD,
    FED_APP_DOUBT_UNDELIVERED = FED_DOUBT_UNDELIVERED,
    FED_APP_DOUBT_NEVER = FED_DOUBT_NEVER,
    FED_APP_DOUBT_CLOCK = FED_DOUBT_CLOCK,
    FED_APP_DOUBT_FORK = 6,  /* who was shown another log */
    FED_APP_DOUBT_WAITS = 7, /* who orders the thread has not taken ours */
    FED_APP_DOUBT_KEPT_OUT = FED_DOUBT_KEPT_OUT,
    FED_APP_DOUBT_REPORT = FED_DOUBT_REPORT
};

struct fed_app_doubt {
    uint64_t what;            /* enum fed_app_doubt_what, or a newer one */
    struct clinic_id who;     /* which member it is about; zeros: not known */
    struct clinic_id carries; /* between us and it; may be itself */
    uint64_t since_ms;
};

/* The next one of a thread; after NULL: the first.  ERR_MISSING */
MUST_CHECK enum err fed_app_doubt_next(struct fed_app *app,
                                       const struct thread_id *thread,
                                       const struct fed_app_doubt *after,
                                       struct fed_app_doubt *out);
/*
 * The person has seen to what does not go away by itself: FORK, NEVER,
 * REPORT.
 * *settled_out: so many were there.
 */
MUST_CHECK enum err fed_app_settle(struct fed_app *app,
                                   const struct thread_id *thread,
                                   uint64_t *settled_out);

#endif
