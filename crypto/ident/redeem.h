/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proof that somebody holds the secret of a one-time link (decisions B 7):
 * HMAC-SHA256(secret, "balsam v1 redeem" | 0x00 | owner root | redeemer root |
 * link id | TLS exporter).  Bound to both sides and to the connection, so that
 * it proves nothing anywhere else.
 */
#ifndef CRYPTO_IDENT_REDEEM_H
#define CRYPTO_IDENT_REDEEM_H

#include "proto/base/id.h"
#include "proto/msg/link.h"

enum {
    IDENT_PROOF = 32,
    IDENT_EXPORTER = 32
};

struct ident_redeem {
    struct clinic_id owner;
    struct subject_id redeemer;
    struct link_id link;
    uint8_t exporter[IDENT_EXPORTER];
};

void ident_redeem_prove(const uint8_t secret[PROTO_LINK_SECRET],
                        const struct ident_redeem *what,
                        uint8_t proof[IDENT_PROOF]);

/* ERR_AUTH  wrong; compared in constant time */
MUST_CHECK enum err ident_redeem_check(const uint8_t secret[PROTO_LINK_SECRET],
                                       const struct ident_redeem *what,
                                       struct view proof);

#endif
