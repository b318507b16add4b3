/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64url without padding (RFC 4648 5), as in links and QR codes.  One
 * encoding per value: unused bits must be 0.
 */
#ifndef PROTO_MSG_B64_H
#define PROTO_MSG_B64_H

#include "proto/base/bytes.h"

/* Append the text of v to out. */
MUST_CHECK enum err proto_b64_append(const struct mem *mem, struct view v,
                                     struct bytes *out);

/*
 * The bytes of text, in out, which has room for cap; *len becomes their number.
 * ERR_FORMAT  another character, a length that none has, unused bits
 * ERR_LIMIT   more than cap bytes
 */
MUST_CHECK enum err proto_b64_decode(struct view text, uint8_t *out, size_t cap,
                                     size_t *len);

/* Whether c is one of the 64 characters. */
bool proto_b64_char(uint8_t c);

#endif
