/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A patient's archive (decisions F 25 and issue: history for a new device):
 * sealed parts that the home clinic only keeps.  Part of core.h's contract.
 */
#ifndef FEDERATION_CORE_ARCHIVE_H
#define FEDERATION_CORE_ARCHIVE_H

#include "federation/core/core.h"

enum {
    FED_ARCHIVE_PARTS = 8 /* that come for one question */
};

/* Codes of an ARCHIVE show whose body is an encoded message; else 0. */
enum fed_archive_code {
    FED_ARCHIVE_KEYS = 1,
    FED_ARCHIVE_KEY = 2,   /* another device's question, or its answer */
    FED_ARCHIVE_SHARED = 3 /* what the devices share */
};

/*
 * On a device: keep this part, at most PROTO_DEVICE_PART_MAX bytes.  Durable;
 * the clinic gives it the next number.
 * ERR_MISSING  we are not connected to this clinic; ERR_LIMIT  too long
 */
MUST_CHECK enum err fed_core_archive_put(struct fed_core *core,
                                         const struct clinic_id *home,
                                         struct view part);

/*
 * Give us parts from this number on: ARCHIVE shows follow, FED_ARCHIVE_PARTS at
 * most, in order.  Errors as above.
 */
MUST_CHECK enum err fed_core_archive_get(struct fed_core *core,
                                         const struct clinic_id *home,
                                         uint64_t from);

/*
 * Keep these keys in the place of those of before, if they are not of an older
 * generation, and hand them to the patient's other devices.  Errors as above.
 */
struct proto_device_archive_keys;
MUST_CHECK enum err
fed_core_archive_keys(struct fed_core *core, const struct clinic_id *home,
                      const struct proto_device_archive_keys *keys);

/* What keys are there?  An ARCHIVE show follows.  Errors as above. */
MUST_CHECK enum err fed_core_archive_ask(struct fed_core *core,
                                         const struct clinic_id *home,
                                         uint64_t generation);

/*
 * A question for a key that this device lacks, or the answer to another
 * device's: the clinic hands it on.  Errors as above.
 */
struct proto_device_archive_key;
MUST_CHECK enum err
fed_core_archive_key(struct fed_core *core, const struct clinic_id *home,
                     const struct proto_device_archive_key *key);

/*
 * Keep this in the place of what the devices shared before, unless that is of a
 * newer generation, and hand it on; empty: an ARCHIVE show with it follows.
 * Errors as above.
 */
struct proto_device_shared;
MUST_CHECK enum err fed_core_shared(struct fed_core *core,
                                    const struct clinic_id *home,
                                    const struct proto_device_shared *shared);

#endif
