/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room on disk: the environment's file is kept allocated ahead of what is in
 * use by the reserve and a step more, so that a commit that was begun finds
 * its blocks.  Where the file system cannot do that, we ask what it has left.
 *
 * Internal to store/env.c; the writer's thread only.
 */
#ifndef STORE_ENV_DISK_H
#define STORE_ENV_DISK_H

#include "proto/base/bytes.h"

struct store_env_disk {
    int fd;
    uint64_t reserve;
    uint64_t allocated; /* length of the file that has blocks */
    bool cannot_allocate;
};

void store_env_disk_init(struct store_env_disk *d, int fd, uint64_t reserve);

/* What ordinary work wants to find behind the used bytes. */
uint64_t store_env_disk_want(const struct store_env_disk *d);

/* What there is behind them, after allocating more if it can be had. */
uint64_t store_env_disk_left(struct store_env_disk *d, uint64_t used);

#endif
