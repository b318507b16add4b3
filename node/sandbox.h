/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon gives up for good once it has read its settings: being root,
 * gaining privileges, core dumps, files outside its folders, and system calls
 * that it has no use for.  Someone who takes it over gets no further.
 *
 * Entered before the first thread starts (landlock binds a thread and its
 * children only), so before anything of nng or the store is used.
 */
#ifndef NODE_SANDBOX_H
#define NODE_SANDBOX_H

#include "proto/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node_sandbox_wish {
    /* Who to become when started as root; NULL or "" stays (a warning). */
    const char *user;
    /* Folders that may be changed, and more that may be read.  What the
     * resolver and TLS read (/etc, /usr, /lib...) is always among them. */
    const char *const *write;
    size_t write_len;
    const char *const *read;
    size_t read_len;
    /* TCP ports that may be bound; none: any. */
    const uint16_t *ports;
    size_t ports_len;
    /* Programs may be run (--on-event). */
    bool exec;
};

/* What could be done; for `status`. */
struct node_sandbox {
    bool no_core;      /* no core dumps, no tracing by the same user */
    bool unprivileged; /* not root, by start or by now */
    bool no_new_privs;
    int landlock; /* version of the kernel's; 0: it has none */
    bool ports;   /* binding is limited, too (landlock 4) */
    bool seccomp;
};

/*
 * Enter.  What the kernel lacks is left out and *out says so; what it has must
 * work.  Cannot be undone; after a failure end the process.
 *
 * ERR_MISSING  no such user, or one of the folders is not there
 * ERR_DENIED   not allowed to become that user
 * ERR_IO       a protection that the kernel has did not work
 */
MUST_CHECK enum err node_sandbox_enter(const struct node_sandbox_wish *wish,
                                       struct node_sandbox *out);

/*
 * Plain sentences about what is missing, one for each i from 0 on; NULL when
 * there are no more.
 */
const char *node_sandbox_missing(const struct node_sandbox *s, size_t i);

#endif
