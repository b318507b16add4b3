/* SPDX-License-Identifier: Apache-2.0 */
/* What a message to many members costs the hub that sends it. */
#ifndef TOOLS_BENCH_CROWD_FAN_H
#define TOOLS_BENCH_CROWD_FAN_H

#include "tools/bench/control.h"
#include "tools/bench/crowd.h"

struct tool_fan_cost {
    double p50_ms; /* from the request until a frame has come to each */
    double cpu_us; /* of the node for a message, with what comes back */
};

struct tool_fan {
    struct tool_fan_cost one; /* a message to one other clinic */
    struct tool_fan_cost fan; /* to all of the crowd, in one thread */
    size_t frame_len;         /* the longest frame that a member got */
    double frame_us;          /* to write one such frame: TLS and the socket,
                                 nothing else */
};

/*
 * The crowd are clinics that are connected with the node.  count messages of
 * 1 KiB in the conversation with the first, then as many in a thread of all,
 * each sent when the last has arrived everywhere.
 */
void tool_crowd_fan(struct tool_crowd *c, struct tool_control *control,
                    const char *pid, size_t count, struct tool_fan *out);

#endif
