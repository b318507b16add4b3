/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/assert.h"

#ifdef __wasm__

_Noreturn void
assert_fail(const char *cond, const char *file, int line)
{
    (void)cond;
    (void)file;
    (void)line;
    __builtin_trap();
}

#else

#include <stdio.h>
#include <stdlib.h>

_Noreturn void
assert_fail(const char *cond, const char *file, int line)
{
    fprintf(stderr, "balsam: assertion failed: %s (%s:%d)\n", cond, file, line);
    abort();
}

#endif
