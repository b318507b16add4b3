/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor's own mutual TLS 1.3 over a blocking socket pair of processes on
 * loopback: as little as OpenSSL allows.  Used by floor_main.c only; shares
 * no code with the node that it is compared with.  Ends the process on error.
 */
#ifndef TOOLS_BENCH_FLOOR_TLS_H
#define TOOLS_BENCH_FLOOR_TLS_H

#include <stddef.h>
#include <stdint.h>

struct floor_tls;

/* fd is a connected TCP socket.  Both ends make a throw-away Ed25519 key. */
struct floor_tls *tool_floor_tls_open(int fd, int server);

/* All of it; safe beside one reader on another thread. */
void tool_floor_tls_write(struct floor_tls *t, const void *p, size_t len);

/* At least 1 byte, at most len; 0 when the peer has closed. */
size_t tool_floor_tls_read(struct floor_tls *t, void *p, size_t len);

/* Nothing more will be written: the peer's reads end, then ours. */
void tool_floor_tls_shut(struct floor_tls *t);

void tool_floor_tls_close(struct floor_tls *t);

#endif
