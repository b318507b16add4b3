/* SPDX-License-Identifier: Apache-2.0 */
/* The picture of a clinic that one is a patient of. */
#ifndef FEDERATION_APP_PICTURE_H
#define FEDERATION_APP_PICTURE_H

#include "federation/app/app.h"

/* What fed_app_clinic.picture describes, once it is here.  ERR_MISSING */
MUST_CHECK enum err fed_app_picture(struct fed_app *app,
                                    const struct clinic_id *root,
                                    struct bytes *out);

#endif
