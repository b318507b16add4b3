/* SPDX-License-Identifier: Apache-2.0 */
/* Small types of core.h: bounds that may be set, and why a hub changed. */
#ifndef FEDERATION_CORE_LIMITS_H
#define FEDERATION_CORE_LIMITS_H

#include "proto/base/limits.h"

#include <stdint.h>

/*
 * The place of a message: an entry of the log may be a bundle of several, so
 * its number times LIMIT_BUNDLE_PARTS and the message's number in it.  Places
 * grow as the log does; 0 is no place.
 */
static inline uint64_t
fed_place(uint64_t entry, uint64_t part)
{
    return entry > UINT64_MAX / LIMIT_BUNDLE_PARTS - 1
               ? UINT64_MAX
               : entry * LIMIT_BUNDLE_PARTS + (entry == 0 ? 0 : part);
}

/* The last place of an entry. */
static inline uint64_t
fed_place_end(uint64_t entry)
{
    return fed_place(entry, LIMIT_BUNDLE_PARTS - 1);
}

static inline uint64_t
fed_place_entry(uint64_t place)
{
    return place / LIMIT_BUNDLE_PARTS;
}

static inline uint64_t
fed_place_part(uint64_t place)
{
    return place % LIMIT_BUNDLE_PARTS;
}

/* Bounds that one clinic, or a person, may meet.  0: as in proto/base/limits.h.
   Tests use small ones. */
struct fed_limits {
    uint64_t intents;      /* LIMIT_INTENTS: waiting in one thread */
    uint64_t answers;      /* LIMIT_STREAM_ANSWERS: rows one clinic leaves */
    uint64_t answer_bytes; /* LIMIT_STREAM_KEPT: and their bytes */
    uint64_t fan_rows;     /* LIMIT_FAN_ROWS: of one thread for one member */
    uint64_t link_hour;    /* LIMIT_LINK_HOUR: by one link without review */
    uint64_t links_hour;   /* LIMIT_LINKS_HOUR: by all of them */
    uint64_t archive;      /* LIMIT_ARCHIVE_BYTES: of one patient */
};

/* Why a thread has another hub. */
enum fed_hub_change {
    FED_HUB_HANDED = 1, /* by the one before */
    FED_HUB_TAKEN = 2,  /* gone for three days: the other clinics agreed */
    FED_HUB_GONE = 3    /* gone, and no other clinic is there to follow: the
                           history stays, a new thread may continue it */
};

#endif
