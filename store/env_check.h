/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment's file before it is mapped: LMDB 0.9.24 believes its meta
 * pages, and a file shorter than they say kills the process with SIGBUS.
 *
 * Internal to store/env.c.
 */
#ifndef STORE_ENV_CHECK_H
#define STORE_ENV_CHECK_H

#include "proto/base/bytes.h"

/* A number of 1 to 8 bytes in this machine's order. */
uint64_t store_env_number(const uint8_t *p, size_t size);

/*
 * Page size and length of the file at path.
 * ERR_MISSING; ERR_CORRUPT; ERR_UNSUPPORTED  another format; ERR_IO
 */
MUST_CHECK enum err store_env_check(const char *path, uint32_t *page,
                                    uint64_t *size);

#endif
