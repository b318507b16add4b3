/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ASSERT is for our own mistakes and stays on in release builds.  Input from
 * outside gets an error, never an assert.
 */
#ifndef PROTO_BASE_ASSERT_H
#define PROTO_BASE_ASSERT_H

#define ASSERT(cond)                                \
    do {                                            \
        if (__builtin_expect(!(cond), 0)) {         \
            assert_fail(#cond, __FILE__, __LINE__); \
        }                                           \
    } while (0)

/* Say which assertion failed (on stderr, where there is one) and stop. */
_Noreturn void assert_fail(const char *cond, const char *file, int line);

#endif
