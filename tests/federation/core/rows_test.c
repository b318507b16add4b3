/* SPDX-License-Identifier: Apache-2.0 */
/* A walk sees what is stored and what is not yet, and may change it. */
#include "federation/core/inside.h"
#include "federation/core/rows.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

#include <string.h>

/* What is stored, in order; each its own value. */
static const char *const stored[] = {"a/1", "b/1", "b/3", "c/1"};

static enum err
stored_next(void *ctx, enum fed_ns ns, struct view from, const struct mem *mem,
            struct bytes *key_out, struct bytes *value_out)
{
    (void)ctx;
    (void)ns;
    for (size_t i = 0; i < sizeof(stored) / sizeof(stored[0]); i++) {
        enum err e;

        if (view_cmp(view_str(stored[i]), from) >= 0) {
            TRY(bytes_copy(mem, view_str(stored[i]), key_out));
            TRY(bytes_copy(mem, view_str(stored[i]), value_out));
        out:
            return e;
        }
    }
    return ERR_MISSING;
}

struct walk {
    struct fed_core core;
    char seen[64]; /* the keys, with a space behind each */
};

static void
walk_begin(struct walk *w, const struct mem *mem)
{
    *w = (struct walk){
        .core = {.mem = mem, .config.store = {.next = stored_next}}};
}

static void
walk_end(struct walk *w)
{
    fed_batch_free(&w->core, w->core.cur);
}

static enum err
put(struct walk *w, const char *text)
{
    struct fed_key key = fed_key_of(view_str(text));

    return fed_tx_put(&w->core, FED_NS_LOG, &key, view_str(text));
}

/* Delete what stands at remove when the walk stands there; add behind it. */
static enum err
walk(struct walk *w, const char *prefix, const char *remove, const char *add)
{
    enum err e;
    struct fed_rows rows = fed_rows_of(FED_NS_LOG, view_str(prefix));
    size_t len = 0;

    while ((e = fed_rows_next(&w->core, &rows)) == OK) {
        struct fed_key key = fed_rows_key(&rows);

        CHECK_VIEW(view_of(&rows.key), view_of(&rows.value));
        CHECK(len + key.len + 2 <= sizeof(w->seen));
        memcpy(w->seen + len, key.b, key.len);
        len += key.len;
        w->seen[len++] = ' ';
        w->seen[len] = '\0';
        if (view_equal(fed_key_view(&key), view_str(remove))) {
            TRY(fed_tx_del(&w->core, FED_NS_LOG, &key));
            TRY(put(w, add));
        }
    }
    CHECK(e != ERR_MISSING || (rows.key.len == 0 && rows.value.len == 0));
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

static enum err
story(struct walk *w)
{
    enum err e;

    TRY(put(w, "b/2"));
    TRY(put(w, "b/9"));
    TRY(walk(w, "b/", "", ""));
    CHECK_STR(w->seen, "b/1 b/2 b/3 b/9 ");
    TRY(walk(w, "b/", "b/3", "b/4"));
    CHECK_STR(w->seen, "b/1 b/2 b/3 b/4 b/9 ");
    TRY(walk(w, "", "", ""));
    CHECK_STR(w->seen, "a/1 b/1 b/2 b/4 b/9 c/1 ");
    w->seen[0] = '\0';
    TRY(walk(w, "d/", "", ""));
    CHECK_STR(w->seen, "");
out:
    return e;
}

TEST(all_in_order_also_while_they_change)
{
    static struct walk w;

    walk_begin(&w, mem_heap());
    CHECK_OK(story(&w));
    walk_end(&w);
}

TEST(no_memory_at_any_place)
{
    static struct walk w;

    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        enum err e;

        fail_mem_init(&f, n);
        walk_begin(&w, &f.mem);
        e = story(&w);
        walk_end(&w);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

/* What goes wrong in between is not the good end. */
TEST(only_the_end_is_good)
{
    CHECK_OK(fed_rows_all(ERR_MISSING));
    CHECK_OK(fed_rows_all(OK));
    CHECK_ERR(fed_rows_all(ERR_CORRUPT), ERR_CORRUPT);
    CHECK_ERR(fed_rows_all(ERR_NOMEM), ERR_NOMEM);
}

TEST(a_thread_by_its_key)
{
    static uint8_t id[32] = {7};
    struct fed_rows rows = {.ns = FED_NS_THREAD};
    struct thread_id out;

    CHECK_OK(bytes_copy(mem_heap(), VIEW_ARRAY(id), &rows.key));
    CHECK_OK(fed_rows_thread(&rows, &out));
    CHECK_VIEW(thread_id_view(&out), VIEW_ARRAY(id));
    fed_rows_free(&rows);
    CHECK_OK(bytes_copy(mem_heap(), VIEW_LIT("short"), &rows.key));
    CHECK_ERR(fed_rows_thread(&rows, &out), ERR_CORRUPT);
    fed_rows_free(&rows);
}

int
main(void)
{
    return RUN(T(all_in_order_also_while_they_change),
               T(no_memory_at_any_place), T(only_the_end_is_good),
               T(a_thread_by_its_key));
}
