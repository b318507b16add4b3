/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/paper/page.h"

#include "node/api.h"
#include "tests/support/check.h"

#include <string.h>

static json_t *
answer(int pages)
{
    json_t *a = json_object();
    json_t *list = json_array();

    (void)json_object_set_new(a, "clinic", json_string("Praxis Größe"));
    (void)json_object_set_new(a, "clinic_phone", json_string("555 1"));
    (void)json_object_set_new(a, "invitations", list);
    for (int i = 0; i < pages; i++) {
        json_t *o = json_object();

        (void)json_object_set_new(o, "name", json_string("محمد علي"));
        (void)json_object_set_new(o, "link", json_string("balsam:l#abc"));
        (void)json_object_set_new(o, "birth_asked", json_true());
        (void)json_object_set_new(o, "expires_ms", json_integer(1800000000000));
        (void)json_array_append_new(list, o);
    }
    return a;
}

static size_t
count(struct view in, const char *word)
{
    size_t n = 0;
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= in.len; i++) {
        n += memcmp(in.p + i, word, len) == 0 ? 1 : 0;
    }
    return n;
}

TEST(each_invitation_is_a_page)
{
    json_t *a = answer(3);
    struct bytes pdf = {0};
    enum err e = tool_page_pdf(mem_heap(), a, &pdf);

    json_decref(a);
    if (e == ERR_MISSING) {
        SKIP("no fonts are installed");
    }
    CHECK_OK(e);
    CHECK(pdf.len > 1000 && memcmp(pdf.p, "%PDF-1.", 7) == 0);
    CHECK_EQ(count(view_of(&pdf), "/Type /Page %"), 3);
    bytes_free(&pdf);
}

TEST(what_is_no_answer_makes_no_page)
{
    json_t *a = answer(0);
    struct bytes pdf = {0};

    CHECK_ERR(tool_page_pdf(mem_heap(), a, &pdf), ERR_INVALID);
    json_decref(a);
    a = answer(1);
    (void)json_object_del(json_array_get(json_object_get(a, "invitations"), 0),
                          "link");
    CHECK(tool_page_pdf(mem_heap(), a, &pdf) != OK);
    CHECK_EQ(pdf.len, 0);
    json_decref(a);
}

/*
 * Fontconfig keeps its patterns for the process's life.  They are not given
 * back at the end: Pango may still read fonts in a thread of its own, and Cairo
 * then ends the process by an assertion.
 */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

int
main(void)
{
    node_json_init();
    return RUN(T(each_invitation_is_a_page),
               T(what_is_no_answer_makes_no_page));
}
