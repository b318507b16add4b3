/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/psk.h"

#include "crypto/mls/key_schedule.h"
#include "proto/base/limits.h"

/* PSKLabel: the id, its place and how many there are. */
static enum err
psk_input(const struct mls_suite *s, const struct mls_psk_input *psk, size_t i,
          size_t n, struct prim_secret *out)
{
    enum err e;
    SCRUBBED_SECRET(zero);
    SCRUBBED_SECRET(extracted);
    uint8_t place[4] = {(uint8_t)(i >> 8), (uint8_t)i, (uint8_t)(n >> 8),
                        (uint8_t)n};
    struct view context[] = {psk->id, VIEW_ARRAY(place)};

    mls_zero_secret(s, &zero);
    prim_hkdf_extract(prim_secret_view(&zero), psk->secret, &extracted);
    TRY(mls_expand_parts(s, prim_secret_view(&extracted),
                         VIEW_LIT("derived psk"), context, 2, out->b,
                         s->prim.hash_size));
    out->len = s->prim.hash_size;
out:
    return e;
}

enum err
mls_psk_secret(const struct mls_suite *s, const struct mls_psk_input *psks,
               size_t n, struct prim_secret *out)
{
    enum err e = OK;
    SCRUBBED_SECRET(secret);
    SCRUBBED_SECRET(input);

    if (n > LIMIT_MLS_PSKS) {
        return ERR_LIMIT;
    }
    mls_zero_secret(s, &secret);
    for (size_t i = 0; i < n; i++) {
        TRY(psk_input(s, &psks[i], i, n, &input));
        prim_hkdf_extract(prim_secret_view(&input), prim_secret_view(&secret),
                          &secret);
    }
    *out = secret;
out:
    return e;
}
