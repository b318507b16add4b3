/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of people: message text, names, file names.  Opaque on purpose: only
 * the functions listed in tools/check/phi_readers may look inside, and the
 * check fails when another one does.  Owned; wiped when freed.
 */
#ifndef PROTO_BASE_PHI_H
#define PROTO_BASE_PHI_H

#include "proto/base/bytes.h"

/* Empty is {0}. */
struct phi {
    struct bytes hidden_;
};

/*
 * A copy of v, which must be UTF-8 without NUL.
 * ERR_FORMAT  it is not
 */
MUST_CHECK enum err phi_from(const struct mem *mem, struct view v,
                             struct phi *out);

/* Length in bytes, which is not secret. */
size_t phi_len(const struct phi *p);

/* The words.  Valid until phi_free. */
struct view proto_phi_reveal(const struct phi *p);

void phi_free(struct phi *p);

/* True for well-formed UTF-8 (RFC 3629) without NUL. */
bool proto_utf8_valid(struct view v);

#endif
