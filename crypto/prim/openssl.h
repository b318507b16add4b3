/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's headers next to ours: both have an ERR_STATE.  A backend file
 * includes this one before any other of OpenSSL's.
 */
#ifndef CRYPTO_PRIM_OPENSSL_H
#define CRYPTO_PRIM_OPENSSL_H

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/types.h>
#undef ERR_STATE

#endif
