/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clinic that was home before (federation/core/before.c): what the network
 * of an app asks when it could not dial a clinic.
 */
#ifndef FEDERATION_APP_BEFORE_H
#define FEDERATION_APP_BEFORE_H

#include "federation/app/app.h"

/* It is reached through *via, the present home, by a splice.  False: there is
   no such way to this clinic. */
bool fed_app_before(struct fed_app *app, const struct clinic_id *clinic,
                    struct clinic_id *via);

#endif
