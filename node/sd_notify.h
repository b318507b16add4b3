/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling the service manager how we are: the sd_notify protocol
 * (sd_notify(3)), a datagram to $NOTIFY_SOCKET.  Without one, calls do
 * nothing.
 */
#ifndef NODE_SD_NOTIFY_H
#define NODE_SD_NOTIFY_H

#include "proto/base/err.h"

#include <stdint.h>

struct node_sd {
    int fd;               /* -1: nobody to tell */
    uint64_t watchdog_ms; /* 0: nobody watches; else feed it twice as often */
};

/* Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID; call it once, before
   the sandbox closes.  Never fails: without a manager fd is -1. */
void node_sd_open(struct node_sd *sd);

void node_sd_ready(const struct node_sd *sd);
void node_sd_watchdog(const struct node_sd *sd);
void node_sd_stopping(const struct node_sd *sd);

void node_sd_close(struct node_sd *sd);

#endif
