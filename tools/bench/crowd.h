/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A crowd of clinics or patients' devices in one process: each with its own
 * keys, certificate, protocol core and TLS connection to one real node, and
 * with its records in memory.  One thread serves them all.  For benchmarks of
 * what so many cost that node; whatever goes wrong ends the process.
 */
#ifndef TOOLS_BENCH_CROWD_H
#define TOOLS_BENCH_CROWD_H

#include "crypto/prim/curve.h"
#include "crypto/tls/session.h"
#include "federation/core/core.h"
#include "federation/frame.h"
#include "proto/base/clock.h"
#include "proto/msg/link.h"
#include "tools/bench/crowd_rows.h"

struct tool_member {
    bool device;
    bool failed;               /* the node refused it */
    uint64_t messages;         /* that were shown to it */
    size_t frame_max;          /* the longest frame that came */
    struct thread_id group;    /* the last thread shown to it that is not its
                                  conversation with the node */
    struct prim_sign_key root; /* of a device: the patient's key */
    struct prim_sign_key key;
    struct bytes chain;
    struct bytes profile; /* of a clinic */
    struct bytes list;    /* of a device */
    struct bytes addrs;   /* of the node */
    struct tool_rows rows;
    struct fed_core *core;
    uint64_t timer_ms;
    /* the connection; fd -1: none */
    int fd;
    bool up;
    uint64_t serial;
    uint64_t said_ms;    /* last, mono */
    uint64_t generation; /* of the node's certificate */
    struct tlsp_policy *policy;
    struct tlsp *tls;
    struct fed_frame_rd rd;
};

struct tool_crowd {
    struct clock clock;
    struct clinic_id node;
    uint16_t port; /* of the node, on loopback */
    struct tool_member **members;
    size_t len;
    size_t cap;
    size_t joined; /* ever */
};

void tool_crowd_open(struct tool_crowd *c);
void tool_crowd_close(struct tool_crowd *c);

/* One more: it begins to enrol or to connect by this link of the node. */
struct tool_member *tool_crowd_join(struct tool_crowd *c, bool device,
                                    const char *link);
/* Its conversation with the node is there on both sides. */
bool tool_member_in(const struct tool_crowd *c, struct tool_member *m);
/* It is connected and greeted. */
bool tool_member_up(const struct tool_crowd *c, struct tool_member *m);
/* It goes and is forgotten; the node goes on knowing it. */
void tool_crowd_leave(struct tool_crowd *c, struct tool_member *m);

/* Take what comes, for at most so long. */
void tool_crowd_turn(struct tool_crowd *c, int wait_ms);

#endif
