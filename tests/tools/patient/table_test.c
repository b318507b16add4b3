/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of balsam-patient: the table, its man page, its completion. */
#include "tests/support/check.h"
#include "tests/support/tmp.h"
#include "tools/common/args.h"
#include "tools/common/help.h"
#include "tools/patient/commands.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TEST(the_table_is_sound)
{
    const struct tool_table *t = tool_patient_table();

    for (const struct tool_command *c = t->commands; c->name != NULL; c++) {
        CHECK(tool_command_named(t, c->name) == c);
        CHECK(c->args_min <= c->args_max && c->args_max <= TOOL_ARGS_MAX);
        CHECK((c->args_max == 0) == (c->args[0] == '\0'));
        CHECK(c->summary != NULL);
        for (const struct tool_flag *f = c->flags; f->name != NULL; f++) {
            CHECK(strncmp(f->name, "--", 2) == 0 && f->help != NULL);
        }
    }
}

TEST(a_mistake_names_this_program)
{
    static const char *const argv[] = {"balsam-patient", "jion"};
    char problem[TOOL_PROBLEM_MAX] = "";
    struct tool_args a;

    CHECK_ERR(tool_args_read(tool_patient_table(), 2, argv, &a, problem),
              ERR_INVALID);
    CHECK_STR(problem, "there is no command \"jion\"; balsam-patient --help "
                       "lists them");
}

TEST(man_page_is_clean)
{
    FILE *f;
    char path[TMP_PATH];
    char line[2 * TMP_PATH];
    int fd = tmp_file(path, "balsam-patient-man-XXXXXX", 0);

    f = fdopen(fd, "w");
    CHECK(f != NULL);
    tool_help_man(tool_patient_table(), f);
    CHECK_EQ(fclose(f), 0);
    (void)snprintf(line, sizeof(line), "mandoc -T lint -W error %s", path);
    CHECK_EQ(system(line), 0);
    (void)unlink(path);
}

int
main(void)
{
    return RUN(T(the_table_is_sound), T(a_mistake_names_this_program),
               T(man_page_is_clean));
}
