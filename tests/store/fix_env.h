/* SPDX-License-Identifier: Apache-2.0 */
/* An LMDB environment of its own for each test, without a store above it. */
#ifndef TESTS_STORE_FIX_ENV_H
#define TESTS_STORE_FIX_ENV_H

#include "store/env.h"
#include "tests/store/fix.h"

struct place {
    char dir[FIX_PATH];
    char path[FIX_PATH + 16];
    char copy[FIX_PATH + 16]; /* a second file, for who makes one */
    struct store_env_config cfg;
    struct store_env *env;
};

static inline void
place_begin(struct place *p)
{
    memset(p, 0, sizeof(*p));
    fix_dir(p->dir);
    (void)snprintf(p->path, sizeof(p->path), "%s/data.mdb", p->dir);
    (void)snprintf(p->copy, sizeof(p->copy), "%s/copy.mdb", p->dir);
    p->cfg = (struct store_env_config){
        .path = p->path,
        .map_size = 1u << 24,
        .reserve = 1u << 18,
        .tables = 3,
    };
    CHECK_OK(store_env_create(&p->cfg));
    CHECK_OK(store_env_open(&p->cfg, &p->env));
}

static inline void
place_end(struct place *p)
{
    CHECK_OK(store_env_close(p->env));
    fix_rm(p->dir);
}

#endif
