/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the primitives alone cost on this machine, now, and from that the least
 * that each MLS operation can cost: the counts of its signatures, DH, hashes
 * and ciphers, without any tree, framing or memory.  Used by mls_bench_main.c
 * only.
 */
#ifndef TOOLS_BENCH_MLS_FLOOR_H
#define TOOLS_BENCH_MLS_FLOOR_H

#include "crypto/mls/suite.h"

/* Microseconds each. */
struct tool_mls_prims {
    double base;    /* X25519, public key */
    double dh;      /* X25519 */
    double sign;    /* Ed25519, 1 KiB */
    double verify;  /* Ed25519, 1 KiB */
    double hash;    /* SHA-256, 128 bytes */
    double extract; /* HKDF */
    double expand;  /* HKDF, one block */
    double seal_1k; /* AEAD */
    double open_1k; /* AEAD */
    double seal_32; /* AEAD; opening costs the same */
};

/* CPU time of this process in microseconds: one thread that computes only, on
 * a machine that others use. */
double tool_mls_now_us(void);

struct tool_mls_prims tool_mls_prims_measure(const struct mls_suite *s);

/* Sums of them: HPKE, a key pair, and the operations of RFC 9420. */
double tool_mls_floor_key_package(const struct tool_mls_prims *p);
double tool_mls_floor_protect(const struct tool_mls_prims *p);
double tool_mls_floor_unprotect(const struct tool_mls_prims *p);
/* A commit with a path of depth nodes, sealed to `sealed` others. */
double tool_mls_floor_commit(const struct tool_mls_prims *p, unsigned depth,
                             unsigned sealed);
/* derived: how many path keys the receiver makes from what it opens. */
double tool_mls_floor_process(const struct tool_mls_prims *p, unsigned depth,
                              unsigned derived);
double tool_mls_floor_join(const struct tool_mls_prims *p, unsigned members);

#endif
