/* SPDX-License-Identifier: Apache-2.0 */
/* The page's words: each in every language, each page whole. */
#include "node/web_texts.h"

#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

#include <string.h>

TEST(each_in_every_language)
{
    static const char *const langs[] = {"en", "de", "fr", "es"};

    for (size_t i = 0; i < NODE_WEB_LANGS; i++) {
        struct bytes b = {0};

        CHECK_STR(node_web_text("lang", 4, i), langs[i]);
        CHECK(strchr(node_web_text("title", 5, i), '"') == NULL);
        CHECK_OK(node_web_fill(mem_heap(), VIEW_LIT("<{lang}>{picture}!"), i,
                               VIEW_LIT("{x}"), &b));
        CHECK_EQ(b.len, 8);
        CHECK(memcmp(b.p + 1, langs[i], 2) == 0);
        CHECK(memcmp(b.p + 4, "{x}!", 4) == 0);
        bytes_free(&b);
    }
    CHECK(node_web_text("nothing", 7, 0) == NULL);
}

TEST(what_cannot_be_filled)
{
    struct bytes b = {0};

    CHECK_ERR(node_web_fill(mem_heap(), VIEW_LIT("{nothing}"), 0,
                            (struct view){0}, &b),
              ERR_INTERNAL);
    CHECK_ERR(
        node_web_fill(mem_heap(), VIEW_LIT("a{lang"), 0, (struct view){0}, &b),
        ERR_INTERNAL);
    for (size_t n = 1;; n++) {
        struct fail_mem mem;
        enum err e;

        fail_mem_init(&mem, n);
        e = node_web_fill(&mem.mem, VIEW_LIT("a{lang}{small}b"), 1,
                          (struct view){0}, &b);
        bytes_free(&b);
        CHECK_EQ(mem.live, 0);
        if (!mem.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

int
main(void)
{
    return RUN(T(each_in_every_language), T(what_cannot_be_filled));
}
