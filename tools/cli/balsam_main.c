/* SPDX-License-Identifier: Apache-2.0 */
#include "node/api.h"
#include "tools/cli/cmd.h"
#include "tools/cli/commands.h"
#include "tools/common/help.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

struct special {
    const char *name;
    enum tool_exit (*run)(const struct tool_run *run);
};

static enum tool_exit
completion(const struct tool_run *run)
{
    (void)run;
    tool_help_completion(tool_balsam(), stdout);
    return TOOL_EXIT_OK;
}

static enum tool_exit
man(const struct tool_run *run)
{
    (void)run;
    tool_help_man(tool_balsam(), stdout);
    return TOOL_EXIT_OK;
}

static enum tool_exit
help(const struct tool_run *run)
{
    return tool_say_help(&run->args);
}

static enum tool_exit
version(const struct tool_run *run)
{
    (void)run;
    (void)printf("balsam 0.1\n");
    return TOOL_EXIT_OK;
}

static const struct special specials[] = {
    {"init", tool_cmd_init},
    {"connect", tool_cmd_connect},
    {"invite", tool_cmd_invite},
    {"invite resend", tool_cmd_invite},
    {"report", tool_cmd_report},
    {"recovery check", tool_cmd_words},
    {"rotate-key", tool_cmd_words},
    {"recovery sheet", tool_cmd_sheet},
    {"backup", tool_cmd_backup},
    {"restore", tool_cmd_restore},
    {"verify", tool_cmd_verify},
    {"watch", tool_cmd_watch},
    {"completion", completion},
    {"version", version},
    {"help", help},
    {"man", man},
};

/* Folders and files may have any name; all else is text. */
static bool
is_path(const char *name)
{
    static const char *const names[] = {
        "backup", "restore",   "save-attachment", "--data",  "--png",
        "--svg",  "--attach",  "--control",       "--sheet", "--file",
        "--pdf",  "--picture", "--backup"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool
is_text(const struct tool_args *a)
{
    bool good = true;

    for (size_t i = 0; i < a->arg_len && !is_path(a->command->name); i++) {
        good = good && proto_utf8_valid(view_str(a->arg[i]));
    }
    for (size_t i = 0; i < a->given_len; i++) {
        const struct tool_given *g = &a->given[i];

        good = good && (g->value == NULL || is_path(g->name) ||
                        proto_utf8_valid(view_str(g->value)));
    }
    return good;
}

static enum tool_exit
dispatch(const struct tool_run *run)
{
    enum tool_exit code = tool_files_first(&run->args);

    if (code != TOOL_EXIT_OK) {
        return code;
    }
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
        if (strcmp(specials[i].name, run->args.command->name) == 0) {
            return specials[i].run(run);
        }
    }
    return tool_cmd_plain(run);
}

static enum tool_exit
whole(int argc, char **argv)
{
    struct tool_run run = {.envp = (const char *const *)environ};
    char problem[TOOL_PROBLEM_MAX];
    const char *data = getenv("BALSAM_DATA");
    const char *control = getenv("BALSAM_CONTROL");
    enum err e;

    tool_begin();
    (void)setlocale(LC_ALL, "");
    node_json_init();
    e = tool_args_read(tool_balsam(), argc, (const char *const *)argv,
                       &run.args, problem);
    if (e == ERR_MISSING) {
        tool_help_all(tool_balsam(), argc > 1 ? stdout : stderr);
        return argc > 1 ? TOOL_EXIT_OK : TOOL_EXIT_USAGE;
    }
    if (e != OK) {
        return tool_say(TOOL_EXIT_USAGE, "%s", problem);
    }
    if (tool_args_has(&run.args, "--help")) {
        tool_help_command(tool_balsam(), stdout, run.args.command);
        return TOOL_EXIT_OK;
    }
    if (!is_text(&run.args)) {
        return tool_say(TOOL_EXIT_USAGE, "A word is not UTF-8 text. Type it "
                                         "again, or send it as a file.");
    }
    run.json = tool_args_has(&run.args, "--json");
    run.data = tool_args_value(&run.args, "--data",
                               data == NULL ? "/var/lib/balsam" : data);
    control = tool_args_value(&run.args, "--control", control);
    if (snprintf(run.control, sizeof(run.control), "%s%s",
                 control == NULL ? run.data : control,
                 control == NULL ? "/control" : "") >=
        (int)sizeof(run.control)) {
        return tool_say(TOOL_EXIT_USAGE, "The path of the data is too long.");
    }
    return dispatch(&run);
}

int
main(int argc, char **argv)
{
    return (int)tool_end(whole(argc, argv));
}
