/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of clinics, sealed like everything: one record for each clinic that
 * we are connected with, and one, under no name, for our own.  A record is the
 * picture's bytes, as checked by proto_picture_read and named by the clinic's
 * signed profile; it goes when the profile names another, or the contact ends.
 */
#ifndef NODE_CLINIC_PICTURE_H
#define NODE_CLINIC_PICTURE_H

#include "federation/core/effects.h"
#include "proto/msg/picture.h"
#include "store/txn.h"

/* who NULL: our own.  ERR_MISSING  there is none */
MUST_CHECK enum err node_picture_get(struct store_txn *txn,
                                     const struct clinic_id *who,
                                     struct bytes *out);
/* Write; empty: there is none any more. */
MUST_CHECK enum err node_picture_put(struct store_txn *txn,
                                     const struct clinic_id *who,
                                     struct view picture);

/* Write: PICTURE; and what PROFILE and PARTY leave of the old one. */
MUST_CHECK enum err node_desk_picture(struct store_txn *txn,
                                      const struct fed_show *show);
MUST_CHECK enum err node_desk_picture_profile(struct store_txn *txn,
                                              const struct fed_show *show);

/*
 * A file's, checked; it is read no further than a picture may be long.
 * ERR_UNSUPPORTED, ERR_LIMIT, ERR_FORMAT  as proto_picture_read; ERR_IO
 */
MUST_CHECK enum err node_picture_file(const struct mem *mem, int fd,
                                      struct bytes *out);
/* What a person can do about such an error. */
const char *node_picture_fault(enum err e);

/* ERR_IO, ERR_FULL */
MUST_CHECK enum err node_picture_write(int fd, struct view picture);

#endif
