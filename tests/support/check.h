/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test framework.  A file has tests and one runner:
 *
 *     TEST(empty_is_freed_twice) { ... CHECK(x == y); CHECK_OK(call()); }
 *     int main(void) { return RUN(T(empty_is_freed_twice), ...); }
 *
 * A failed CHECK prints file, line and values, ends its test and counts it as
 * failed.  The last line printed is "N passed, N failed[, N skipped]".
 */
#ifndef TESTS_SUPPORT_CHECK_H
#define TESTS_SUPPORT_CHECK_H

#include "proto/base/bytes.h"

#include <setjmp.h>
#include <stdint.h>

struct check_test {
    const char *name;
    void (*run)(void);
};

#define TEST(name) static void name(void)

#define CHECK(cond) ((cond) ? (void)0 : check_fail(__FILE__, __LINE__, #cond))
#define CHECK_ERR(call, want) \
    check_err(__FILE__, __LINE__, #call, (call), (want))
#define CHECK_OK(call) CHECK_ERR(call, OK)
#define CHECK_EQ(a, b) \
    check_num(__FILE__, __LINE__, #a " == " #b, (int64_t)(a), (int64_t)(b))
#define CHECK_VIEW(a, b) check_view(__FILE__, __LINE__, #a " == " #b, (a), (b))
#define CHECK_STR(a, b) \
    check_view(__FILE__, __LINE__, #a " == " #b, view_str(a), view_str(b))
/* Leave the test, counted as skipped; why is printed. */
#define SKIP(why) check_skip(why)

_Noreturn void check_fail(const char *file, int line, const char *what);
void check_err(const char *file, int line, const char *what, enum err got,
               enum err want);
void check_num(const char *file, int line, const char *what, int64_t got,
               int64_t want);
void check_view(const char *file, int line, const char *what, struct view got,
                struct view want);
_Noreturn void check_skip(const char *why);

/* Bytes of hex digits (spaces allowed), valid until the test ends. */
struct view check_hex(const char *hex);

int check_run(const struct check_test *tests, size_t n);

#define RUN(...)                                                 \
    check_run((const struct check_test[]){__VA_ARGS__},          \
              sizeof((const struct check_test[]){__VA_ARGS__}) / \
                  sizeof(struct check_test))
/* In the list of RUN: T(name). */
#define T(name)     \
    {               \
#name, name \
    }

#endif
