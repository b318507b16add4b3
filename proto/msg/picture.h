/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clinic's picture: PNG or JPEG by its first bytes, whatever its name, and
 * as wide and high as its head says.  Nothing is decompressed here.
 */
#ifndef PROTO_MSG_PICTURE_H
#define PROTO_MSG_PICTURE_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"

enum proto_picture_type {
    PROTO_PICTURE_NONE = 0,
    PROTO_PICTURE_PNG = 1,
    PROTO_PICTURE_JPEG = 2,
    PROTO_PICTURE_TYPE_COUNT
};

struct proto_picture {
    uint64_t type; /* enum proto_picture_type */
    uint64_t length;
    uint64_t width;
    uint64_t height;
};

/*
 * ERR_UNSUPPORTED  neither PNG nor JPEG
 * ERR_LIMIT        above LIMIT_PICTURE bytes, or LIMIT_PICTURE_SIDE wide or
 *                  high; then *out says how large
 * ERR_FORMAT       begins like one, but its head is not one
 */
MUST_CHECK enum err proto_picture_read(struct view in,
                                       struct proto_picture *out);

/* Whether these can be the numbers of a picture. */
bool proto_picture_fits(const struct proto_picture *p);

/* "PNG", "image/png". */
const char *proto_picture_name(uint64_t type);
const char *proto_picture_media(uint64_t type);

#endif
