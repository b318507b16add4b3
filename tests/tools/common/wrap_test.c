/* SPDX-License-Identifier: Apache-2.0 */
/* Long lines are broken between words and keep their column. */
#include "tools/common/wrap.h"

#include "tests/support/check.h"

#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

static char text[4096];

static const char *
wrapped(const char *line, size_t columns)
{
    FILE *to = fmemopen(text, sizeof(text), "w");

    text[0] = 0; /* nothing written is nothing there */

    CHECK(to != NULL);
    tool_wrap_line(to, line, strlen(line), columns);
    CHECK_EQ(fclose(to), 0);
    return text;
}

TEST(between_words)
{
    CHECK_STR(wrapped("it fits", 7), "it fits");
    CHECK_STR(wrapped("it fits not", 9), "it fits\n  not");
    CHECK_STR(wrapped("one two three four", 10), "one two\n  three\n  four");
    CHECK_STR(wrapped("    a text of some words", 16),
              "    a text of\n    some words");
    CHECK_STR(wrapped("", 10), "");
    CHECK_STR(wrapped("no terminal at all", 0), "no terminal at all");
}

TEST(columns_stay)
{
    CHECK_STR(wrapped("  join LINK    become a patient of it", 30),
              "  join LINK    become a\n               patient of it");
}

TEST(what_stays_whole)
{
    const char *link = "balsam:l#AQMLXc-z3Yx4cH15cLT85n7ZeCba5vUnTob8";

    CHECK_STR(wrapped(link, 20), link);
    CHECK_STR(wrapped("see balsam:l#AQMLXc-z3Yx4cH15cLT now", 20),
              "see\n  balsam:l#AQMLXc-z3Yx4cH15cLT\n  now");
    CHECK_STR(wrapped("{\"ok\": true, \"say\": \"a b c\"}", 20),
              "{\"ok\": true, \"say\": \"a b c\"}");
    CHECK_STR(wrapped("  \xe2\x96\x80\xe2\x96\x80 \xe2\x96\x84 \xe2\x96\x88 "
                      "\xe2\x96\x88 \xe2\x96\x88 \xe2\x96\x88 \xe2\x96\x88",
                      10),
              "  \xe2\x96\x80\xe2\x96\x80 \xe2\x96\x84 \xe2\x96\x88 "
              "\xe2\x96\x88 \xe2\x96\x88 \xe2\x96\x88 \xe2\x96\x88");
}

TEST(letters_are_counted)
{
    CHECK_STR(wrapped("s\xc3\xb6hne gr\xc3\xbc\xc3\x9f", 10),
              "s\xc3\xb6hne gr\xc3\xbc\xc3\x9f");
    CHECK_STR(wrapped("\xe6\x97\xa5\xe6\x9c\xac \xe6\x97\xa5\xe6\x9c\xac", 8),
              "\xe6\x97\xa5\xe6\x9c\xac\n  \xe6\x97\xa5\xe6\x9c\xac");
    CHECK_STR(wrapped("\xff\xff broken", 8), "\xff\xff\n  broken");
}

/* On a terminal, in pieces and with one line that has no end. */
TEST(a_terminal)
{
    struct winsize size = {.ws_row = 10, .ws_col = 24};
    int was = dup(STDOUT_FILENO);
    int pty = -1;
    int tty = -1;
    ssize_t n;

    CHECK(was >= 0 && openpty(&pty, &tty, NULL, NULL, &size) == 0);
    (void)fflush(stdout);
    CHECK(dup2(tty, STDOUT_FILENO) >= 0);
    CHECK_EQ(tool_wrap_columns(STDOUT_FILENO), 24);
    CHECK_EQ(tool_wrap_columns(pty), 24);
    {
        FILE *plain = stdout;

        tool_wrap_begin();
        (void)printf("a line that is ");
        (void)fflush(stdout);
        (void)printf("longer than this\nnot ended");
        CHECK_EQ(fflush(stdout), 0);
        CHECK_EQ(tool_wrap_end(), 0);
        (void)fclose(stdout);
        stdout = plain;
    }
    CHECK(dup2(was, STDOUT_FILENO) >= 0);
    n = read(pty, text, sizeof(text) - 1);
    CHECK(n > 0);
    text[n > 0 ? n : 0] = '\0';
    CHECK_STR(text, "a line that is longer\r\n  than this\r\nnot ended");
    (void)close(pty);
    (void)close(tty);
    (void)close(was);
}

int
main(void)
{
    return RUN(T(between_words), T(columns_stay), T(what_stays_whole),
               T(letters_are_counted), T(a_terminal));
}
