/* SPDX-License-Identifier: Apache-2.0 */
/* What the table becomes is read by those who have to: bash and mandoc. */
#include "tests/support/check.h"
#include "tools/cli/commands.h"
#include "tools/common/help.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char said[65536];

/* Pipe what print writes through a shell command; keep what that says. */
static int
through(const char *command, void (*print)(FILE *))
{
    char path[] = "/tmp/balsam-help-XXXXXX";
    char line[512];
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    size_t n;
    int status;

    CHECK(f != NULL);
    print(f);
    fclose(f);
    snprintf(line, sizeof(line), "%s <%s 2>&1", command, path);
    f = popen(line, "r");
    CHECK(f != NULL);
    n = fread(said, 1, sizeof(said) - 1, f);
    said[n] = '\0';
    status = pclose(f);
    unlink(path);
    return status;
}

/* Source the script from fd 0 and complete a command line. */
#define COMPLETE(words, at)                                              \
    "bash -c 'source /dev/stdin; COMP_WORDS=(" words "); COMP_CWORD=" at \
    "; _balsam; echo \"${COMPREPLY[*]}\"'"

static void
completion(FILE *to)
{
    tool_help_completion(tool_balsam(), to);
}

static void
man(FILE *to)
{
    tool_help_man(tool_balsam(), to);
}

static void
all(FILE *to)
{
    tool_help_all(tool_balsam(), to);
}

TEST(completion_works_in_bash)
{
    CHECK_EQ(through(COMPLETE("balsam li", "1"), completion), 0);
    CHECK_STR(said, "link\n");
    CHECK_EQ(through(COMPLETE("balsam link \"\"", "2"), completion), 0);
    CHECK_STR(said, "create list show revoke rotate\n");
    CHECK_EQ(through(COMPLETE("balsam link create --o", "3"), completion), 0);
    CHECK_STR(said, "--one-time\n");
    CHECK_EQ(through(COMPLETE("balsam send 3 --at", "3"), completion), 0);
    CHECK_STR(said, "--attach\n");
}

TEST(man_page_is_clean)
{
    CHECK_EQ(through("mandoc -T lint -W error", man), 0);
    /* bold is overstruck; undo it */
    CHECK_EQ(through("sh -c 'mandoc -T ascii | sed \"s/.\b//g\"'", man), 0);
    CHECK(strstr(said, "save-attachment") != NULL);
}

static void
print_connect(FILE *to)
{
    tool_help_command(tool_balsam(), to,
                      tool_command_named(tool_balsam(), "connect"));
}

TEST(help_names_everything)
{
    CHECK_EQ(through("cat", all), 0);
    for (const struct tool_command *c = tool_balsam()->commands;
         c->name != NULL; c++) {
        CHECK(strstr(said, c->name) != NULL);
        CHECK(strstr(said, c->summary) != NULL);
    }
    CHECK_EQ(through("cat", print_connect), 0);
    CHECK(strstr(said, "usage: balsam connect LINK") != NULL);
    CHECK(strstr(said, "--yes") != NULL && strstr(said, "--json") != NULL);
}

int
main(void)
{
    return RUN(T(completion_works_in_bash), T(man_page_is_clean),
               T(help_names_everything));
}
