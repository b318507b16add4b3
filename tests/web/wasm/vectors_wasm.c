/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vector runner of tests/vectors as a wasm module: the host parses the
 * JSON, makes a fresh instance for each case, and calls vec_case.
 */
#include "crypto/prim/random.h"
#include "tests/vectors/mls_vectors.h"

#include <string.h>

#define EXPORT(NAME) __attribute__((export_name(#NAME)))

__attribute__((import_module("balsam"), import_name("wall_ms"))) double
vec_host_wall_ms(void);

void *vec_wasm_alloc(size_t len);
int vec_wasm_kind(const char *name);
int vec_wasm_suite(int id);
int vec_wasm_case(int kind, const json_t *j, int suite);
const char *vec_wasm_why(void);

static struct vec vec;

EXPORT(vec_alloc)
void *
vec_wasm_alloc(size_t len)
{
    return mem_alloc(mem_heap(), len);
}

static uint64_t
wall_ms(void *ctx)
{
    (void)ctx;
    return (uint64_t)vec_host_wall_ms();
}

/* Which kind a file (its name without .json) is of, or -1. */
EXPORT(vec_kind)
int
vec_wasm_kind(const char *name)
{
    for (int i = 0; vec_kinds[i].name != NULL; i++) {
        size_t n = strlen(vec_kinds[i].name);
        bool prefix = vec_kinds[i].name[n - 1] == '*';

        if (prefix ? strncmp(name, vec_kinds[i].name, n - 1) == 0
                   : strcmp(name, vec_kinds[i].name) == 0) {
            return i;
        }
    }
    return -1;
}

EXPORT(vec_suite)
int
vec_wasm_suite(int id)
{
    return mls_suite_find((uint16_t)id) != NULL;
}

/* Returns 1; when the case fails it does not return, see setjmp.h.  suite 0:
 * the case names none. */
EXPORT(vec_case)
int
vec_wasm_case(int kind, const json_t *j, int suite)
{
    static const struct clock clock = {.wall_ms = wall_ms};
    static struct arena arena;

    arena.mem = mem_heap();
    vec = (struct vec){
        .j = j,
        .suite = suite == 0 ? NULL : mls_suite_find((uint16_t)suite),
        .mem = mem_heap(),
        .arena = &arena,
        .rng = prim_rng_system(),
        .clock = &clock,
    };
    vec_kinds[kind].run(&vec);
    return 1;
}

EXPORT(vec_why)
const char *
vec_wasm_why(void)
{
    return vec.why;
}
