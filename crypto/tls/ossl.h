/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's headers for the files of this folder.  Its old typedef ERR_STATE
 * would clash with ours, and nothing we call uses it.
 */
#ifndef CRYPTO_TLS_OSSL_H
#define CRYPTO_TLS_OSSL_H

#include "proto/base/err.h"

#define ERR_STATE ossl_err_state
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#undef ERR_STATE

#endif
