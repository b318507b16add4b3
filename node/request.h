/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request as it is read from its line.  Most are plain: one object of texts,
 * words and lists or objects of these, without an escape, such as `send` with
 * a page of text.  Those are read here, a text at once; jansson looks at each
 * character and takes 15 us for one KiB, an eighth of what a message costs its
 * author's node.  Everything else, and what is no JSON at all, is jansson's.
 */
#ifndef NODE_REQUEST_H
#define NODE_REQUEST_H

#include "proto/base/bytes.h"

#include <jansson.h>

/* What the line says, owned by the caller; NULL: no JSON, or no memory. */
json_t *node_request_read(struct view line);

/* The same of a plain line; NULL: it is not, or no memory. */
json_t *node_request_plain(struct view line);

#endif
