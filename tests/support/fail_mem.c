/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fail_mem.h"

#include <stdlib.h>

static void *
fail_alloc(void *ctx, size_t size)
{
    struct fail_mem *f = ctx;
    void *p;

    f->count++;
    if (f->count == f->fail_at) {
        f->hit = true;
        return NULL;
    }
    p = malloc(size);
    if (p != NULL) {
        f->live++;
    }
    return p;
}

static void
fail_release(void *ctx, void *ptr, size_t size)
{
    struct fail_mem *f = ctx;

    (void)size;
    f->live--;
    free(ptr);
}

void
fail_mem_init(struct fail_mem *f, uint64_t fail_at)
{
    *f = (struct fail_mem){
        .mem = {fail_alloc, fail_release, f},
        .fail_at = fail_at,
    };
}
