/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file is by its first bytes: a small table of what clinics send.  What
 * a peer calls a file is only its word; nothing is shown as a picture, a page
 * or anything else that is not called so here as well.
 */
#ifndef NODE_SNIFF_H
#define NODE_SNIFF_H

#include "proto/base/bytes.h"

enum {
    NODE_SNIFF_BYTES = 512 /* that many are enough */
};

/* A media type; application/octet-stream when it is nothing known. */
struct view node_sniff(struct view head);

/* The same of the beginning of a file; its place in it does not move. */
struct view node_sniff_file(int fd);

#endif
