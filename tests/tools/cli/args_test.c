/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"
#include "tools/cli/commands.h"
#include "tools/common/args.h"

#include <string.h>

static char problem[TOOL_PROBLEM_MAX];

static enum err
read_words(const char *const *words, struct tool_args *a)
{
    const char *argv[TOOL_ARGS_MAX * 4] = {"balsam"};
    int argc = 1;

    problem[0] = '\0';
    while (*words != NULL) {
        argv[argc++] = *words++;
    }
    return tool_args_read(tool_balsam(), argc, argv, a, problem);
}

#define READ(a, ...) read_words((const char *const[]){__VA_ARGS__, NULL}, a)

TEST(commands_of_one_and_two_words)
{
    struct tool_args a;

    CHECK_OK(READ(&a, "status"));
    CHECK_STR(a.command->name, "status");
    CHECK_OK(READ(&a, "link", "create", "--label", "web", "--one-time"));
    CHECK_STR(a.command->name, "link create");
    CHECK_EQ(a.arg_len, 0);
    CHECK_STR(tool_args_value(&a, "--label", ""), "web");
    CHECK(tool_args_has(&a, "--one-time"));
    CHECK(!tool_args_has(&a, "--review"));
    CHECK_OK(READ(&a, "--data", "/somewhere", "link", "--json", "list"));
    CHECK_STR(a.command->name, "link list");
    CHECK_STR(tool_args_value(&a, "--data", ""), "/somewhere");
}

TEST(flags_anywhere_and_both_spellings)
{
    struct tool_args a;

    CHECK_OK(READ(&a, "send", "--attach", "a.pdf", "3", "--attach=b.pdf",
                  "Hello there"));
    CHECK_STR(a.arg[0], "3");
    CHECK_STR(a.arg[1], "Hello there");
    CHECK_STR(tool_args_nth(&a, "--attach", 0), "a.pdf");
    CHECK_STR(tool_args_nth(&a, "--attach", 1), "b.pdf");
    CHECK(tool_args_nth(&a, "--attach", 2) == NULL);
    CHECK_OK(READ(&a, "send", "3", "--", "--not-a-flag"));
    CHECK_STR(a.arg[1], "--not-a-flag");
    CHECK_OK(READ(&a, "send", "3", "-"));
    CHECK_STR(a.arg[1], "-");
}

TEST(mistakes_say_what_to_write)
{
    struct tool_args a;

    CHECK_ERR(READ(&a, "--json"), ERR_MISSING);
    CHECK_ERR(READ(&a, "lnik"), ERR_INVALID);
    CHECK_STR(problem,
              "there is no command \"lnik\"; balsam --help lists them");
    CHECK_ERR(READ(&a, "link"), ERR_INVALID);
    CHECK_STR(problem, "link needs one of these: create, list, show, revoke, "
                       "rotate; balsam --help explains them");
    CHECK_ERR(READ(&a, "link", "lost"), ERR_INVALID);
    CHECK(strncmp(problem, "link needs one", 14) == 0);
    CHECK_ERR(READ(&a, "connect"), ERR_INVALID);
    CHECK_STR(problem, "something is missing; write: balsam connect LINK");
    CHECK_ERR(READ(&a, "status", "now"), ERR_INVALID);
    CHECK_STR(problem, "there is a word too many; write: balsam status");
    CHECK_ERR(READ(&a, "status", "--labels"), ERR_INVALID);
    CHECK_STR(problem, "balsam status has no flag --labels; balsam status "
                       "--help lists them");
    CHECK_ERR(READ(&a, "status", "-now"), ERR_INVALID);
    CHECK_STR(problem, "balsam status has no flag -now; balsam status "
                       "--help lists them. A text that begins so goes behind "
                       "--");
    CHECK_ERR(READ(&a, "link", "create", "--label"), ERR_INVALID);
    CHECK_STR(problem, "--label needs a value: --label TEXT");
    CHECK_ERR(READ(&a, "link", "create", "--qr=yes"), ERR_INVALID);
    CHECK_STR(problem, "--qr takes no value");
    CHECK_ERR(READ(&a, "link", "create", "--qr", "--qr"), ERR_INVALID);
    CHECK_STR(problem, "--qr is given twice");
}

TEST(help_needs_no_arguments)
{
    struct tool_args a;

    CHECK_OK(READ(&a, "connect", "--help"));
    CHECK_STR(a.command->name, "connect");
}

TEST(the_table_is_sound)
{
    for (const struct tool_command *c = tool_balsam()->commands;
         c->name != NULL; c++) {
        CHECK(tool_command_named(tool_balsam(), c->name) == c);
        CHECK(c->args_min <= c->args_max && c->args_max <= TOOL_ARGS_MAX);
        CHECK((c->args_max == 0) == (c->args[0] == '\0'));
        CHECK(c->summary != NULL);
        for (const struct tool_flag *f = c->flags; f->name != NULL; f++) {
            CHECK(strncmp(f->name, "--", 2) == 0 && f->help != NULL);
        }
    }
}

int
main(void)
{
    return RUN(T(commands_of_one_and_two_words),
               T(flags_anywhere_and_both_spellings),
               T(mistakes_say_what_to_write), T(help_needs_no_arguments),
               T(the_table_is_sound));
}
