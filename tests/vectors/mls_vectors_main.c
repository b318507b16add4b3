/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mls-vectors DIR|FILE...: run every JSON file of test vectors found there.
 * Cases of cipher suites that are not built are skipped and counted.
 */
#include "crypto/prim/init.h"
#include "crypto/prim/random.h"
#include "tests/vectors/mls_vectors.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct totals {
    size_t passed;
    size_t failed;
    size_t skipped;
};

static uint64_t
wall_ms(void *ctx)
{
    (void)ctx;
    return (uint64_t)time(NULL) * 1000u;
}

/* v->mem: taken from the arena, given back with it. */
static void *
case_alloc(void *ctx, size_t size)
{
    return arena_alloc(ctx, size);
}

static void
case_release(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)ptr;
    (void)size;
}

/* True when it passed. */
static bool
run_case(const struct vec_kind *kind, const json_t *j,
         const struct mls_suite *suite, const char *file, size_t index)
{
    static const struct clock clock = {.wall_ms = wall_ms};
    struct arena arena = {.mem = mem_heap()};
    struct mem mem = {case_alloc, case_release, &arena};
    struct vec v = {.j = j,
                    .suite = suite,
                    .mem = &mem,
                    .arena = &arena,
                    .rng = prim_rng_system(),
                    .clock = &clock};
    const json_t *name = json_object_get(j, "name");
    bool passed = false;

    if (setjmp(v.leave) == 0) {
        kind->run(&v);
        passed = true;
    } else {
        printf("%s: case %zu%s%s: %s\n", file, index, name != NULL ? " " : "",
               name != NULL ? json_string_value(name) : "", v.why);
    }
    arena_clear(&arena);
    return passed;
}

static const struct vec_kind *
kind_of(const char *base)
{
    size_t len = strlen(base) - strlen(".json");

    for (const struct vec_kind *k = vec_kinds; k->name != NULL; k++) {
        size_t n = strlen(k->name);
        if (k->name[n - 1] == '*') {
            if (len >= n - 1 && strncmp(base, k->name, n - 1) == 0) {
                return k;
            }
        } else if (len == n && strncmp(base, k->name, n) == 0) {
            return k;
        }
    }
    return NULL;
}

static void
run_cases(const struct vec_kind *kind, const char *path, const json_t *root,
          struct totals *sum)
{
    struct totals t = {0};
    size_t i;
    const json_t *j;

    for (i = 0; (j = json_array_get(root, i)) != NULL; i++) {
        const json_t *id = json_object_get(j, "cipher_suite");
        const struct mls_suite *suite = NULL;
        if (id != NULL) {
            suite = mls_suite_find((uint16_t)json_integer_value(id));
        }
        if (id != NULL && suite == NULL) {
            t.skipped++;
        } else if (run_case(kind, j, suite, path, i)) {
            t.passed++;
        } else {
            t.failed++;
        }
    }
    printf("%s: %zu passed, %zu failed", path, t.passed, t.failed);
    if (t.skipped > 0) {
        printf(", %zu skipped: suites that are not built", t.skipped);
    }
    printf("\n");
    if (i == 0) {
        printf("%s: no cases\n", path);
        t.failed++;
    }
    sum->passed += t.passed;
    sum->failed += t.failed;
    sum->skipped += t.skipped;
}

static void
run_file(const char *path, struct totals *sum)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    size_t len = strlen(base);
    const struct vec_kind *kind;
    json_error_t error;
    json_t *root;

    if (len <= 5 || strcmp(base + len - 5, ".json") != 0) {
        return;
    }
    kind = kind_of(base);
    if (kind == NULL) {
        printf("%s: unknown kind of vectors, not run\n", path);
        return;
    }
    root = json_load_file(path, 0, &error);
    if (!json_is_array(root)) {
        printf("%s: %s\n", path, root == NULL ? error.text : "not an array");
        sum->failed++;
    } else {
        run_cases(kind, path, root, sum);
    }
    json_decref(root);
    fflush(stdout);
}

enum {
    DEPTH_MAX = 8
};

static void
run_path(const char *path, int depth, struct totals *sum)
{
    struct stat st;
    struct dirent **entries = NULL;
    int n;

    if (stat(path, &st) != 0) {
        printf("%s: not there\n", path);
        sum->failed++;
        return;
    }
    if (!S_ISDIR(st.st_mode)) {
        run_file(path, sum);
        return;
    }
    n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char below[4096];
        int len =
            snprintf(below, sizeof(below), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && depth < DEPTH_MAX && len > 0 &&
            (size_t)len < sizeof(below)) {
            run_path(below, depth + 1, sum);
        }
        free(entries[i]);
    }
    free(entries);
}

int
main(int argc, char **argv)
{
    struct totals sum = {0};

    if (argc < 2) {
        fprintf(stderr, "usage: mls-vectors DIR...\n");
        return 2;
    }
    if (prim_init() != OK) {
        fprintf(stderr, "mls-vectors: the crypto libraries do not start\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        run_path(argv[i], 0, &sum);
    }
    printf("%zu passed, %zu failed", sum.passed, sum.failed);
    if (sum.skipped > 0) {
        printf(", %zu skipped", sum.skipped);
    }
    printf("\n");
    return sum.failed > 0 ? 1 : 0;
}
