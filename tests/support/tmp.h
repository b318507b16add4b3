/* SPDX-License-Identifier: Apache-2.0 */
/* Where tests put files: TMPDIR, else /tmp. */
#ifndef TESTS_SUPPORT_TMP_H
#define TESTS_SUPPORT_TMP_H

#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TMP_PATH = 256
};

static inline void
tmp_path(char *out, size_t size, const char *name)
{
    const char *dir = getenv("TMPDIR");
    int n = snprintf(out, size, "%s/%s",
                     dir == NULL || dir[0] == '\0' ? "/tmp" : dir, name);

    CHECK(n > 0 && (size_t)n < size);
}

/* A new folder; its name is in out. */
static inline void
tmp_dir(char *out, size_t size, const char *name)
{
    tmp_path(out, size, name);
    CHECK(mkdtemp(out) != NULL);
}

/* A new file, open; name ends with XXXXXX and suffix_len bytes more. */
static inline int
tmp_file(char out[TMP_PATH], const char *name, int suffix_len)
{
    tmp_path(out, TMP_PATH, name);
    return mkstemps(out, suffix_len);
}

#endif
