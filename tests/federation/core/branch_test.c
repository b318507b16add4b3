/* SPDX-License-Identifier: Apache-2.0 */
/* Places of branches that lost a race; the stories are in tests/sim/mixed. */
#include "federation/core/branch.h"
#include "federation/core/inside.h"
#include "tests/support/check.h"

#include <string.h>

enum {
    COUNTS = 10, /* an entry that our log has */
    COMMIT = 11,
    TERM = 2,
    AT_MS = 500
};

static bool
is_void(const struct fed_thread *t, uint64_t term, uint64_t entry)
{
    return fed_branch_void(t, term, fed_place(entry, 0));
}

TEST(only_behind_the_point_and_in_its_terms)
{
    static struct fed_thread t;

    CHECK(!is_void(&t, 0, 1));
    CHECK(!is_void(&t, 2, 10));
    fed_branch_lost(&t, 2, 3, 9);
    CHECK(t.dirty);
    CHECK(!is_void(&t, 1, 10));
    CHECK(!is_void(&t, 2, 9));
    CHECK(!fed_branch_void(&t, 2, fed_place_end(9)));
    CHECK(is_void(&t, 2, 10));
    CHECK(is_void(&t, 3, 4711));
    CHECK(!is_void(&t, 4, 10));
}

/* Whose words are said again only after the next race (sim/mixed 48). */
TEST(the_last_few_are_remembered)
{
    static struct fed_thread t;

    for (uint64_t i = 1; i <= FED_BRANCHES_LOST; i++) {
        fed_branch_lost(&t, 10 * i, 10 * i, 100 * i);
    }
    for (uint64_t i = 1; i <= FED_BRANCHES_LOST; i++) {
        CHECK(is_void(&t, 10 * i, 100 * i + 1));
        CHECK(!is_void(&t, 10 * i, 100 * i));
    }
    fed_branch_lost(&t, 90, 90, 900);
    CHECK(!is_void(&t, 10, 101));
    CHECK(is_void(&t, 20, 201));
    CHECK(is_void(&t, 90, 901));
}

/* Our log: two entries. */
static enum err
get(void *ctx, enum fed_ns ns, struct view key, const struct mem *mem,
    struct bytes *out)
{
    struct fed_rec_log rec = {.term = TERM, .ts_ms = AT_MS};

    (void)ctx;
    if (ns != FED_NS_LOG ||
        (fed_key_tail(key) != COUNTS && fed_key_tail(key) != COMMIT)) {
        return ERR_MISSING;
    }
    rec.kind = fed_key_tail(key) == COMMIT ? PROTO_ENTRY_COMMIT
                                           : PROTO_ENTRY_COMMIT + 1;
    return fed_rec_encode(mem, &fed_rec_log_shape, &rec, out);
}

static bool
left(struct fed_core *core, const struct fed_thread *t, uint64_t term,
     uint64_t entry, uint64_t ts_ms)
{
    bool is;

    CHECK_OK(fed_branch_left(core, t, term, fed_place(entry, 0), ts_ms, &is));
    return is;
}

TEST(our_log_tells_which_branch)
{
    static struct fed_core core;
    static struct fed_thread t;

    core.mem = mem_heap();
    core.config.store = (struct fed_store){.get = get};
    CHECK(!left(&core, &t, TERM, COUNTS, 1)); /* nothing lost */
    fed_branch_lost(&t, TERM, TERM + 1, 9);
    CHECK(!left(&core, &t, TERM, COUNTS, AT_MS));
    CHECK(left(&core, &t, TERM, COUNTS, AT_MS + 1)); /* another stood there */
    CHECK(left(&core, &t, TERM + 1, COUNTS, AT_MS));
    CHECK(left(&core, &t, TERM, COMMIT, AT_MS));     /* no message */
    CHECK(left(&core, &t, TERM, COUNTS + 5, AT_MS)); /* not in our log */
    CHECK(!left(&core, &t, TERM, 9, AT_MS));
}

int
main(void)
{
    return RUN(T(only_behind_the_point_and_in_its_terms),
               T(the_last_few_are_remembered), T(our_log_tells_which_branch));
}
