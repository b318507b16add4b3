/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person let clinics do, as an app shows it and is told (decisions D
 * 18): a part of app.h, with its errors.
 */
#ifndef FEDERATION_APP_CONSENT_H
#define FEDERATION_APP_CONSENT_H

#include "federation/app/app.h"

enum fed_app_consent_state {
    FED_APP_CONSENT_ASKED = 1,
    FED_APP_CONSENT_ACCEPTED = 2,
    FED_APP_CONSENT_REFUSED = 3,
    FED_APP_CONSENT_WITHDRAWN = 4,
    FED_APP_CONSENT_DESK = 5 /* recorded at a clinic's desk; can be withdrawn */
};

struct fed_app_consent {
    uint64_t number;
    enum fed_app_consent_state state;
    uint8_t id[16];
    struct clinic_id clinic; /* who is to be let in */
    struct clinic_id asker;
    uint64_t scope;   /* enum ident_scope */
    uint64_t history; /* enum ident_history */
    uint64_t history_from_ms;
    struct thread_id thread;
    uint64_t at_ms;
    uint64_t until_ms;
    struct view purpose;
    struct view clinic_name; /* as the asker says */
    struct view member_name; /* DESK: who recorded it, and why */
    struct view why;
};

/* In the order they came.  after: a number, 0 begins.  ERR_MISSING  no more */
MUST_CHECK enum err fed_app_consent_next(struct fed_app *app, uint64_t after,
                                         struct fed_app_consent *out,
                                         struct bytes *hold);
/* What was refused here may become accepted (EV_CONSENT): another device said
   yes before it heard of this one (fed_core_answer).
   ERR_MISSING; ERR_STATE  not asked any more, nothing to withdraw */
MUST_CHECK enum err fed_app_consent_accept(struct fed_app *app,
                                           uint64_t number);
MUST_CHECK enum err fed_app_consent_refuse(struct fed_app *app,
                                           uint64_t number);
MUST_CHECK enum err fed_app_consent_withdraw(struct fed_app *app,
                                             uint64_t number);

#endif
