/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/aead.h"

size_t
prim_aead_key_size(enum prim_aead a)
{
    return a == PRIM_AES_128_GCM ? 16 : 32;
}
