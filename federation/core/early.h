/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a batch may leave once it is durable, before it can be read
 * (store_job.early): frames, when there is nothing else to do.
 */
#ifndef FEDERATION_CORE_EARLY_H
#define FEDERATION_CORE_EARLY_H

#include "federation/core/effects.h"

/*
 * All its acts are frames to send, and one of them is more than an
 * acknowledgement: that can wait for the whole commit.  b may be NULL: no.
 */
bool fed_batch_sends_early(const struct fed_batch *b);

#endif
