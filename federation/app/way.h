/* SPDX-License-Identifier: Apache-2.0 */
/* What a person can do about a conversation that stopped (fed_app_thread.cut).
 */
#ifndef FEDERATION_APP_WAY_H
#define FEDERATION_APP_WAY_H

#include "federation/app/app.h"

enum fed_app_way_kind {
    FED_APP_WAY_NONE = 0, /* nobody else is in it: ask for a new one */
    FED_APP_WAY_JOIN = 1, /* become a patient of clinic, then move home there */
    FED_APP_WAY_HOME = 2, /* move home to clinic: it goes on through that */
    FED_APP_WAY_COMES = 3 /* it goes on by itself, through clinic */
};

struct fed_app_way {
    enum fed_app_way_kind kind;
    struct clinic_id clinic; /* zeros: none */
};

void fed_app_way(struct fed_app *app, const struct fed_app_thread *t,
                 struct fed_app_way *out);

#endif
