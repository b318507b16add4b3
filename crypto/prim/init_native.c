/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/init.h"

#include "crypto/prim/openssl.h"

#include <openssl/crypto.h>
#include <sodium.h>

enum err
prim_init(void)
{
    if (sodium_init() < 0 ||
        OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG |
                                OPENSSL_INIT_ADD_ALL_CIPHERS,
                            NULL) != 1) {
        return ERR_INTERNAL;
    }
    return OK;
}
