/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/redeem.h"

#include "crypto/ident/sign.h"
#include "crypto/prim/hash.h"
#include "crypto/prim/secret.h"

void
ident_redeem_prove(const uint8_t secret[PROTO_LINK_SECRET],
                   const struct ident_redeem *what, uint8_t proof[IDENT_PROOF])
{
    static const uint8_t zero[1] = {0};
    SCRUBBED_STRUCT(prim_hmac, m);

    prim_hmac_init(&m, view_make(secret, PROTO_LINK_SECRET));
    prim_hmac_update(&m, view_str(ident_label(IDENT_REDEEM)));
    prim_hmac_update(&m, VIEW_ARRAY(zero));
    prim_hmac_update(&m, clinic_id_view(&what->owner));
    prim_hmac_update(&m, subject_id_view(&what->redeemer));
    prim_hmac_update(&m, link_id_view(&what->link));
    prim_hmac_update(&m, VIEW_ARRAY(what->exporter));
    prim_hmac_final(&m, proof);
}

enum err
ident_redeem_check(const uint8_t secret[PROTO_LINK_SECRET],
                   const struct ident_redeem *what, struct view proof)
{
    SCRUBBED(want, IDENT_PROOF);

    ident_redeem_prove(secret, what, want);
    return prim_equal(view_make(want, IDENT_PROOF), proof) ? OK : ERR_AUTH;
}
