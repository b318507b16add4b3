/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of a group of three.  The first byte chooses: even, the rest is a
 * record, and which (the second byte); odd, a saved stage.  What loads must be
 * saved as the same bytes.
 */
#include "crypto/mls/save_int.h"

#include "proto/base/assert.h"
#include "tests/crypto/mls/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same world for every input: nothing may change it. */
static struct world *
the_world(void)
{
    static struct world *w;

    if (w == NULL) {
        w = mem_alloc(mem_heap(), sizeof(*w));
        world_group(w, MLS_SUITE_X25519_CHACHA20, 77, 3);
    }
    return w;
}

/* A record replaced by in: what loads is saved as the same. */
static void
record(struct client *c, uint8_t which, struct view in)
{
    struct mls_change *all = NULL;
    struct mls_change *again = NULL;
    struct mls_record r[64];
    struct mls_record s;
    struct mls_group *g = NULL;
    size_t n;

    CHECK_OK(mls_save(c->group, MLS_SAVE_ALL, &all));
    n = mls_change_count(all);
    CHECK(n <= 64);
    for (size_t i = 0; i < n; i++) {
        mls_change_at(all, i, &r[i]);
    }
    r[which % n].bytes = in;
    if (mls_load(&c->env, r, n, &g) == OK) {
        CHECK_OK(mls_save(g, MLS_SAVE_ALL, &again));
        for (size_t i = 0; i < mls_change_count(again); i++) {
            mls_change_at(again, i, &s);
            for (size_t k = 0; k < n; k++) {
                if (memcmp(s.key, r[k].key, sizeof(s.key)) == 0) {
                    ASSERT(view_equal(s.bytes, r[k].bytes));
                }
            }
        }
    }
    mls_change_free(again);
    mls_change_free(all);
    mls_group_free(g);
}

static void
stage(struct client *c, struct view in)
{
    struct mls_stage *st = NULL;
    struct bytes again = {0};

    if (mls_stage_load(c->group, in, &st) == OK) {
        CHECK_OK(mls_stage_save(st, &again));
        ASSERT(view_equal(view_of(&again), in));
    }
    bytes_free(&again);
    mls_stage_free(st);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct client *c = &the_world()->c[1];
    struct view in = view_make(data, size);

    if (size < 2) {
        return 0;
    }
    if (data[0] % 2 == 0) {
        record(c, data[1], view_skip(in, 2));
    } else {
        stage(c, view_skip(in, 1));
    }
    return 0;
}
