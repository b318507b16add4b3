/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the vendor libraries choose their code for this processor.  A program
 * calls it once, before its first thread; without it everything still works,
 * with slower code.
 */
#ifndef CRYPTO_PRIM_INIT_H
#define CRYPTO_PRIM_INIT_H

#include "proto/base/err.h"

/* ERR_INTERNAL  a vendor library does not start */
MUST_CHECK enum err prim_init(void);

#endif
