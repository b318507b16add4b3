/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where log events go: one line each to a file descriptor, for people or as
 * JSON.  Any thread; a line is written whole or not at all.
 */
#ifndef NODE_LOG_SINK_H
#define NODE_LOG_SINK_H

#include "proto/base/clock.h"
#include "proto/base/log.h"

#include <pthread.h>

enum node_log_form {
    NODE_LOG_HUMAN, /* 2026-03-01T09:30:00.007Z warn  fed.peer.lost peer=1a2b */
    NODE_LOG_JSON   /* {"time":"...","level":"warn","event":"...",...} */
};

struct node_log_sink {
    struct log log; /* hand this in as the log */
    enum node_log_form form;
    const struct clock *clock;
    pthread_mutex_t lock;
    int fd;
};

/* sink must stay where it is; fd stays the caller's. */
void node_log_sink_init(struct node_log_sink *sink, int fd,
                        enum node_log_form form, enum log_level min,
                        const struct clock *clock);

void node_log_sink_clear(struct node_log_sink *sink);

#endif
