/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/core/spoken.h"

#include "crypto/prim/hash.h"

#include <ctype.h>

/* No hexadecimal digit, and nothing that looks like another. */
static const char letters[] = "ghkmnpqrstvwxyz";
static const char digits[] = "23456789";

void
fed_spoken(const struct thread_id *thread, char out[FED_SPOKEN_LEN + 1])
{
    static const char shape[FED_SPOKEN_LEN + 1] = "a1a-a1a";
    const struct view parts[] = {VIEW_LIT("balsam v1 spoken"),
                                 thread_id_view(thread)};
    uint8_t h[PRIM_HASH_SIZE];

    prim_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), h);
    for (size_t i = 0; i < FED_SPOKEN_LEN; i++) {
        unsigned n = (unsigned)h[2 * i] << 8 | h[2 * i + 1];

        out[i] = shape[i] == 'a'   ? letters[n % (sizeof(letters) - 1)]
                 : shape[i] == '1' ? digits[n % (sizeof(digits) - 1)]
                                   : shape[i];
    }
    out[FED_SPOKEN_LEN] = '\0';
}

bool
fed_spoken_is(const struct thread_id *thread, struct view word)
{
    char own[FED_SPOKEN_LEN + 1];
    size_t k = 0;

    fed_spoken(thread, own);
    for (size_t i = 0; i < FED_SPOKEN_LEN; i++) {
        if (own[i] == '-' && (k == word.len || word.p[k] != '-')) {
            continue;
        }
        if (k == word.len || tolower(word.p[k]) != own[i]) {
            return false;
        }
        k++;
    }
    return k == word.len;
}
