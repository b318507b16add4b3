/* SPDX-License-Identifier: Apache-2.0 */
/* What is one line of plain text, and what is not. */
#include "node/plain.h"

#include "tests/support/check.h"

TEST(names_of_people_are_plain)
{
    static const char *const good[] = {"",
                                       "Dr. O'Neill-Sm\xc3\xadth",
                                       "\xe5\xb1\xb1\xe7\x94\xb0 \xe5\xa4\xaa",
                                       "\xd7\x93\xd7\xa8 \xd7\x9b\xd7\x94\xd7"
                                       "\x9f",
                                       "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f"
                                       "\x92\xbb",
                                       "a\xc2\xa0z"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK(node_plain(view_str(good[i])));
    }
}

TEST(what_a_terminal_obeys_is_not)
{
    static const char *const bad[] = {"a\nb",
                                      "a\tb",
                                      "\x1b[31mred",
                                      "a\rb",
                                      "bell\a",
                                      "del\x7f",
                                      "c1 \xc2\x9b",
                                      "\xe2\x80\xa8",
                                      "\xe2\x80\xae"
                                      "evil",
                                      "\xe2\x81\xa6",
                                      "\xef\xbb\xbf"
                                      "bom",
                                      "\xd8\x9c",
                                      "\xf3\xa0\x81\xa7",
                                      "broken \xc3"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!node_plain(view_str(bad[i])));
    }
    CHECK(!node_plain(view_make((const uint8_t *)"a\0b", 3)));
}

int
main(void)
{
    return RUN(T(names_of_people_are_plain), T(what_a_terminal_obeys_is_not));
}
