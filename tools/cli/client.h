/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speaking to the running node over its control socket (node/control.h).
 */
#ifndef TOOLS_CLI_CLIENT_H
#define TOOLS_CLI_CLIENT_H

#include "proto/base/err.h"

#include <jansson.h>
#include <stddef.h>

struct tool_client {
    int fd;
    char *line; /* what arrived and is not read yet */
    size_t len;
    size_t cap;
};

/*
 * ERR_MISSING  nobody listens at path: the node does not run
 * ERR_DENIED   it belongs to another user
 * ERR_INVALID  the path is too long
 */
MUST_CHECK enum err tool_client_open(const char *path, struct tool_client *out);

/* One request; files go with it and stay the caller's. */
MUST_CHECK enum err tool_client_send(struct tool_client *c,
                                     const json_t *request, const int *files,
                                     size_t files_len);

/* The next line, owned by the caller.
   ERR_IO  the node is gone;  ERR_LIMIT  the line is too long */
MUST_CHECK enum err tool_client_next(struct tool_client *c, json_t **out);

void tool_client_close(struct tool_client *c);

#endif
