/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "proto/base/id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static jmp_buf leave;

enum {
    HEX_MAX = 64
};
static void *hexes[HEX_MAX];
static size_t hexes_len;

enum outcome {
    PASSED,
    FAILED,
    SKIPPED
};

void
check_fail(const char *file, int line, const char *what)
{
    printf("  %s:%d: failed: %s\n", file, line, what);
    longjmp(leave, FAILED);
}

void
check_err(const char *file, int line, const char *what, enum err got,
          enum err want)
{
    if (got != want) {
        printf("  got %s, want %s\n", err_name(got), err_name(want));
        check_fail(file, line, what);
    }
}

void
check_num(const char *file, int line, const char *what, int64_t got,
          int64_t want)
{
    if (got != want) {
        printf("  got %lld, want %lld\n", (long long)got, (long long)want);
        check_fail(file, line, what);
    }
}

static void
print_hex(const char *label, struct view v)
{
    printf("  %s %zu: ", label, v.len);
    for (size_t i = 0; i < v.len && i < 64; i++) {
        printf("%02x", v.p[i]);
    }
    printf("%s\n", v.len > 64 ? "..." : "");
}

void
check_view(const char *file, int line, const char *what, struct view got,
           struct view want)
{
    if (!view_equal(got, want)) {
        print_hex("got ", got);
        print_hex("want", want);
        check_fail(file, line, what);
    }
}

void
check_skip(const char *why)
{
    printf("  skipped: %s\n", why);
    longjmp(leave, SKIPPED);
}

struct view
check_hex(const char *hex)
{
    size_t n = strlen(hex);
    uint8_t *out = malloc(n / 2 + 1);
    char *digits = malloc(n + 1);
    size_t len = 0;

    if (out == NULL || digits == NULL || hexes_len >= HEX_MAX) {
        free(out);
        free(digits);
        check_fail(__FILE__, __LINE__, "room for check_hex");
    }
    hexes[hexes_len++] = out;
    for (size_t i = 0; i < n; i++) {
        if (hex[i] != ' ') {
            digits[len++] = hex[i];
        }
    }
    if (proto_unhex(view_make(digits, len), out, len / 2) != OK) {
        free(digits);
        check_fail(__FILE__, __LINE__, "hex digits");
    }
    free(digits);
    return view_make(out, len / 2);
}

static enum outcome
run_one(const struct check_test *t)
{
    enum outcome o = (enum outcome)setjmp(leave);

    if (o == PASSED) {
        t->run();
    }
    while (hexes_len > 0) {
        free(hexes[--hexes_len]);
    }
    return o;
}

int
check_run(const struct check_test *tests, size_t n)
{
    const char *only = getenv("TEST");
    int count[3] = {0, 0, 0};

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < n; i++) {
        enum outcome o;

        if (only != NULL && strcmp(only, tests[i].name) != 0) {
            continue;
        }
        o = run_one(&tests[i]);
        count[o]++;
        if (o == FAILED) {
            printf("FAIL %s\n", tests[i].name);
        }
    }
    printf("%d passed, %d failed", count[PASSED], count[FAILED]);
    if (count[SKIPPED] > 0) {
        printf(", %d skipped", count[SKIPPED]);
    }
    printf("\n");
    return count[FAILED] == 0 ? 0 : 1;
}
