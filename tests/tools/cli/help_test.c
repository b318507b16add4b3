/* SPDX-License-Identifier: Apache-2.0 */
/* What the table becomes is read by those who have to: bash and mandoc. */
#include "node/config.h"
#include "tests/support/check.h"
#include "tests/support/tmp.h"
#include "tools/cli/commands.h"
#include "tools/common/help.h"
#include "tools/patient/commands.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char said[65536];

/* Pipe what print writes through a shell command; keep what that says. */
static int
through(const char *command, void (*print)(FILE *))
{
    char path[TMP_PATH];
    char line[2 * TMP_PATH];
    int fd = tmp_file(path, "balsam-help-XXXXXX", 0);
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

static const char *const *asked;
static size_t asked_len;
static bool was_found;

static void
print_asked(FILE *to)
{
    was_found = tool_help_for(tool_balsam(), to, asked, asked_len);
}

/* `balsam help` with these words, of which the first NULL ends them. */
static bool
ask(const char *first, const char *second)
{
    const char *const words[] = {first, second};

    asked = words;
    asked_len = first == NULL ? 0 : second == NULL ? 1 : 2;
    CHECK_EQ(through("cat", print_asked), 0);
    return was_found;
}

TEST(help_is_asked_for_by_name)
{
    char longer[100];

    CHECK(ask(NULL, NULL) && strstr(said, "usage: balsam COMMAND") == said);
    CHECK(ask("link", "create"));
    CHECK(strstr(said, "usage: balsam link create") == said);
    CHECK(strstr(said, "--one-time") != NULL);
    CHECK(strstr(said, "usage: balsam link list") == NULL);
    CHECK(ask("thread", NULL)); /* what begins with that word */
    CHECK(strstr(said, "usage: balsam thread show") == said);
    CHECK(strstr(said, "\nusage: balsam thread leave") != NULL);
    CHECK(ask("clinics", NULL)); /* itself, too */
    CHECK(strstr(said, "usage: balsam clinics [FLAG") == said);
    CHECK(strstr(said, "\nusage: balsam clinics show") != NULL);
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    CHECK(!ask("clin", NULL) && said[0] == '\0');
    CHECK(!ask("clinics", "nosuch") && said[0] == '\0');
    CHECK(!ask(longer, NULL) && said[0] == '\0');
    CHECK(!ask("status", longer) && said[0] == '\0');
}

static const struct tool_table *shown;

static void
man_of(FILE *to)
{
    tool_help_man(shown, to);
}

static void
completion_of(FILE *to)
{
    tool_help_completion(shown, to);
}

/* Whether text has the word, and not only as the start of a longer one. */
static bool
says(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        char next = at[len];

        if (next != '-' && !(next >= 'a' && next <= 'z')) {
            return true;
        }
    }
    return false;
}

/* Each command and flag that --help lists is in the manual page, and is
   completed: of both programs. */
TEST(manual_and_completion_are_in_step)
{
    const struct tool_table *tables[] = {tool_balsam(), tool_patient_table()};

    for (size_t i = 0; i < 2; i++) {
        shown = tables[i];
        for (int page = 0; page < 2; page++) {
            if (page == 0) {
                CHECK_EQ(through("sh -c 'mandoc -T ascii -O width=500 | "
                                 "sed \"s/.\b//g\"'",
                                 man_of),
                         0);
            } else {
                CHECK_EQ(through("cat", completion_of), 0);
            }
            for (const struct tool_command *c = shown->commands;
                 c->name != NULL; c++) {
                const char *last = strrchr(c->name, ' ');

                CHECK(
                    says(said, page == 0 || last == NULL ? c->name : last + 1));
                for (const struct tool_flag *f = c->flags; f->name != NULL;
                     f++) {
                    CHECK(says(said, f->name));
                }
            }
            for (const struct tool_flag *f = shown->globals; f->name != NULL;
                 f++) {
                CHECK(says(said, f->name));
            }
        }
    }
}

/* The settings of balsamd: what --help says, its manual page says, and the
   other way round. */
TEST(the_daemons_manual_is_in_step)
{
    static char page[65536];
    const char *help = node_config_help();
    FILE *f = fopen("tools/service/balsamd.8", "r");
    char word[64];

    if (f == NULL) {
        SKIP("tools/service/balsamd.8 is not here");
    }
    page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
    fclose(f);
    for (const char *at = help; (at = strstr(at, "--")) != NULL; at += 2) {
        int n = 0;

        if (sscanf(at, "--%50[a-z-]%n", word, &n) == 1 &&
            strcmp(word, "help") != 0 && strcmp(word, "version") != 0) {
            char wanted[80];

            snprintf(wanted, sizeof(wanted), "Fl -%s", word);
            CHECK(says(page, wanted));
        }
    }
    for (const char *at = page; (at = strstr(at, "Fl -")) != NULL; at += 4) {
        char wanted[80];

        CHECK_EQ(sscanf(at, "Fl -%50[a-z-]", word), 1);
        snprintf(wanted, sizeof(wanted), "--%s", word);
        CHECK(says(help, wanted));
    }
}

int
main(void)
{
    return RUN(T(completion_works_in_bash), T(man_page_is_clean),
               T(help_names_everything), T(help_is_asked_for_by_name),
               T(manual_and_completion_are_in_step),
               T(the_daemons_manual_is_in_step));
}
