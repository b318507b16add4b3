/* SPDX-License-Identifier: Apache-2.0 */
/* What lies with the home clinic: read by who has the key, and as what it was
   written only. */
#include "tests/federation/app/world.h"

#include "crypto/prim/init.h"
#include "federation/app/inside.h"
#include "tests/support/fail_mem.h"

static struct world w;
static const char label[] = "balsam v1 archive part";

static enum err
open_it(size_t n, const char *as, struct view in)
{
    struct bytes hold = {0};
    struct view body;
    uint64_t number = 0;
    enum err e =
        fed_app_sealed_open(w.apps[n].app, as, in, &number, &hold, &body);

    if (e == OK) {
        CHECK_EQ(number, fed_app_ring_number(w.apps[0].app));
        CHECK_VIEW(body, VIEW_LIT("words"));
    }
    bytes_free(&hold);
    return e;
}

TEST(there_and_back)
{
    struct bytes out = {0};

    world_begin(&w, 81);
    world_join(&w, 0);
    world_add(&w, 0, 1);
    CHECK_OK(
        fed_app_sealed_make(w.apps[0].app, label, VIEW_LIT("words"), &out));
    CHECK_EQ((out.len - 4 - 24 - 16) % 1024, 0);
    CHECK_OK(open_it(0, label, view_of(&out)));
    CHECK_OK(open_it(1, label, view_of(&out)));
    CHECK_ERR(open_it(1, "balsam v1 archive shared", view_of(&out)), ERR_AUTH);
    for (size_t n = 0; n < out.len; n++) {
        CHECK(open_it(1, label, view_make(out.p, n)) != OK);
        out.p[n] ^= 1;
        CHECK(open_it(1, label, view_of(&out)) != OK);
        out.p[n] ^= 1;
    }
    CHECK_OK(fed_app_secret_del(w.apps[1].app, "ring"));
    CHECK_ERR(open_it(1, label, view_of(&out)), ERR_MISSING);
    bytes_free(&out);
    world_end(&w);
}

TEST(memory_runs_out)
{
    struct fail_mem f;
    uint64_t n = 0;
    enum err e;

    world_begin(&w, 82);
    world_join(&w, 0);
    do {
        const struct mem *mem = w.apps[0].app->mem;
        struct bytes out = {0};

        fail_mem_init(&f, ++n);
        w.apps[0].app->mem = &f.mem;
        e = fed_app_sealed_make(w.apps[0].app, label, VIEW_LIT("words"), &out);
        e = e == OK ? open_it(0, label, view_of(&out)) : e;
        bytes_free(&out);
        w.apps[0].app->mem = mem;
        CHECK_EQ(f.live, 0);
        CHECK(f.hit ? e == ERR_NOMEM : e == OK);
    } while (f.hit);
    CHECK(n > 3);
    world_end(&w);
}

int
main(void)
{
    return prim_init() == OK ? RUN(T(there_and_back), T(memory_runs_out)) : 1;
}
