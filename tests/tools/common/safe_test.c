/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"
#include "tools/common/safe.h"

#include <stdlib.h>
#include <string.h>

/* What f would get. */
static const char *
shown(const char *s)
{
    static char text[256];
    FILE *f = fmemopen(text, sizeof(text), "w");

    memset(text, 0, sizeof(text));
    if (f != NULL) {
        tool_put_safe(f, s);
        (void)fclose(f);
    }
    return text;
}

TEST(words_of_all_languages_stay)
{
    static const char s[] = "Gr\u00fc\u00dfe, \u5317\u4eac "
                            "\u05d0\u05d1 \u0645\u0631\u062d\u0628\u0627 "
                            "\U0001f469\u200d\u2695\ufe0f e\u0301";

    CHECK_STR(shown(s), s);
    CHECK_STR(shown(""), "");
}

TEST(a_terminal_is_not_commanded)
{
    CHECK_STR(shown("\x1b[2J\x1b]0;x\x07"), "?[2J?]0;x?");
    CHECK_STR(shown("a\xc2\x9b"
                    "31m"),
              "a?31m"); /* CSI as one character */
    CHECK_STR(shown("\x7f\b\r\n\t"), "?????");
    CHECK_STR(shown("\u2028\u2029"), "??");
}

TEST(nothing_turns_the_direction)
{
    CHECK_STR(shown("invoice\u202efdp.exe"), "invoice?fdp.exe");
    CHECK_STR(shown("\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069"),
              "????????");
    CHECK_STR(shown("\u200e\u200f\u061c\ufeff\U000e0041"), "?????");
}

TEST(broken_text_is_shown_as_such)
{
    CHECK_STR(shown("a\xff"
                    "b\xc3"),
              "a?b?");
    CHECK_STR(shown("\xe2\x82"), "??");
    CHECK_STR(shown("\xc0\x9b"), "??");
}

int
main(void)
{
    return RUN(T(words_of_all_languages_stay), T(a_terminal_is_not_commanded),
               T(nothing_turns_the_direction), T(broken_text_is_shown_as_such));
}
