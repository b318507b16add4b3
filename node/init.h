/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a new node: an empty store, the clinic's identity in it, the first
 * member.  What the recovery sheet says is handed out once here and again by
 * `recovery sheet` until it was checked.
 */
#ifndef NODE_INIT_H
#define NODE_INIT_H

#include "crypto/ident/sheet.h"
#include "node/config.h"
#include "proto/base/id.h"

/* Words of people, UTF-8. */
struct node_init {
    struct view name; /* of the clinic, never empty */
    struct view address;
    struct view phone;
    struct view member;  /* the first member, an admin */
    struct view picture; /* checked (node_picture_file); may be empty */
};

struct node_sheet {
    struct clinic_id root;
    struct bytes words; /* secret */
    struct bytes code;  /* secret: text of the QR code */
};

void node_sheet_clear(struct node_sheet *sheet);

/*
 * Make the node that config names.
 *
 * ERR_EXISTS   there is one already
 * ERR_INVALID  no name, or a field too long or not UTF-8
 * others       as node_vault_create and store_create
 */
MUST_CHECK enum err node_init(const struct mem *mem, const struct log *log,
                              const struct node_config *config,
                              const struct node_init *init,
                              struct node_sheet *out);

/* The sheet of a root's seed. */
MUST_CHECK enum err node_sheet_make(const struct mem *mem,
                                    const uint8_t seed[PRIM_ED25519_SEED],
                                    struct node_sheet *out);

#endif
