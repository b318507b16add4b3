/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Days as people write them, 2027-01-31, in this machine's time.  A day that
 * no calendar has is refused: mktime would make another one of it.
 */
#ifndef NODE_DAY_H
#define NODE_DAY_H

#include "proto/base/bytes.h"

/*
 * *out becomes when the day begins, or with end its last second, in
 * milliseconds since 1970.
 * ERR_INVALID  not such a day, or before 1970
 */
MUST_CHECK enum err node_day_ms(struct view text, bool end, uint64_t *out);

#endif
