/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/transcript.h"

#include "proto/base/assert.h"

#include <string.h>

void
mls_confirmed_hash(const struct mls_suite *s, struct view interim,
                   const struct view *input, size_t n, struct mls_hash *out)
{
    struct view all[1 + MLS_TRANSCRIPT_PARTS_MAX] = {interim};

    ASSERT(n <= MLS_TRANSCRIPT_PARTS_MAX);
    if (n > 0) {
        memcpy(all + 1, input, n * sizeof(*input));
    }
    mls_hash_parts(s, all, n + 1, out);
}

void
mls_interim_hash(const struct mls_suite *s, struct view confirmed,
                 struct view confirmation_tag, struct mls_hash *out)
{
    uint8_t len = (uint8_t)confirmation_tag.len;

    /* A tag that was verified has Nh bytes: its length takes one. */
    ASSERT(confirmation_tag.len < 64);
    mls_hash_parts(
        s, (const struct view[]){confirmed, {&len, 1}, confirmation_tag}, 3,
        out);
}

void
mls_confirmation_tag(const struct mls_suite *s,
                     const struct prim_secret *confirmation_key,
                     struct view confirmed, struct mls_hash *out)
{
    mls_mac(s, confirmation_key, confirmed, out);
}
