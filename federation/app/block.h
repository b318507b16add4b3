/* SPDX-License-Identifier: Apache-2.0 */
/* A clinic that the person wants to hear nothing of any more. */
#ifndef FEDERATION_APP_BLOCK_H
#define FEDERATION_APP_BLOCK_H

#include "federation/app/app.h"

/*
 * Hear nothing of a clinic any more: what it was allowed is withdrawn (D 18),
 * it is parted from, and questions about it or from it are refused by
 * themselves, until it is allowed again (false), by its link or a consent.  The
 * patient's other devices follow (shared.c).
 * ERR_MISSING  not known, or so already
 * ERR_STATE    it is the home, and there is another clinic to move to first
 */
MUST_CHECK enum err fed_app_block(struct fed_app *app,
                                  const struct clinic_id *root, bool blocked);

#endif
