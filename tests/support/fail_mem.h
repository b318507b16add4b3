/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Torture: an allocator whose n-th allocation fails, and which counts what is
 * not given back.
 *
 *     for (uint64_t n = 1; ; n++) {
 *         struct fail_mem f; fail_mem_init(&f, n);
 *         e = thing(&f.mem, ...);  thing_free(...);
 *         CHECK_EQ(f.live, 0);
 *         if (!f.hit) { CHECK_OK(e); break; }
 *         CHECK_ERR(e, ERR_NOMEM);
 *     }
 */
#ifndef TESTS_SUPPORT_FAIL_MEM_H
#define TESTS_SUPPORT_FAIL_MEM_H

#include "proto/base/bytes.h"

struct fail_mem {
    struct mem mem;
    uint64_t fail_at; /* counting from 1; 0 never */
    uint64_t count;
    int64_t live;
    bool hit;
};

/* f must stay where it is while memory from it is in use. */
void fail_mem_init(struct fail_mem *f, uint64_t fail_at);

#endif
