/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/cmd.h"

#include "tools/cli/progress.h"

#include "node/qr.h"
#include "tools/cli/show.h"
#include "tools/common/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the data folder holds a node; one that cannot be looked into may. */
static bool
is_made(const struct tool_run *run)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/store", run->data);

    return n < 0 || (size_t)n >= sizeof(path) || access(path, F_OK) == 0 ||
           errno != ENOENT;
}

enum tool_exit
tool_not_up(const struct tool_run *run, enum err e)
{
    if (e == ERR_DENIED) {
        return tool_say(TOOL_EXIT_FAILED,
                        "The node belongs to another user. Run this as the "
                        "user that runs balsamd.");
    }
    if (e == ERR_MISSING && !is_made(run)) {
        return tool_say(TOOL_EXIT_NOT_UP,
                        "There is no node in %s. Make one (balsam init), or "
                        "name its folder with --data or BALSAM_DATA.",
                        run->data);
    }
    if (e == ERR_MISSING) {
        return tool_say(TOOL_EXIT_NOT_UP,
                        "The node in %s does not run. Start it: balsamd "
                        "--data %s",
                        run->data, run->data);
    }
    if (e == ERR_LIMIT) {
        return tool_say(TOOL_EXIT_FAILED,
                        "The answer is too long to show. Ask for less with "
                        "--limit.");
    }
    if (e == ERR_IO) {
        return tool_say(TOOL_EXIT_FAILED,
                        "The node ended before it answered. Look into its "
                        "log, start it, then look whether it was done.");
    }
    return tool_say(TOOL_EXIT_FAILED, "The node cannot be asked (%s).",
                    err_name(e));
}

/* Each line of what the node says on a line of its own. */
static enum tool_exit
say_lines(const char *text)
{
    size_t n = strcspn(text, "\n");
    enum tool_exit code = tool_say(TOOL_EXIT_FAILED, "%.*s", (int)n, text);

    while (text[n] != '\0') {
        text += n + 1;
        n = strcspn(text, "\n");
        code = tool_say(TOOL_EXIT_FAILED, "%.*s", (int)n, text);
    }
    return code;
}

enum tool_exit
tool_ask(const struct tool_run *run, const json_t *request, const int *files,
         size_t files_len, json_t **answer)
{
    struct tool_client c = {0};
    json_t *reply = NULL;
    enum tool_exit code = TOOL_EXIT_OK;
    enum err e = tool_client_open(run->control, &c);

    if (e != OK) {
        return tool_not_up(run, e);
    }
    e = tool_client_send(&c, request, files, files_len);
    if (e == OK || e == ERR_IO) { /* refused half-way: it says why */
        e = tool_client_next(&c, &reply);
    }
    while (e == OK && json_object_get(reply, "ok") == NULL) {
        tool_progress_line(reply);
        json_decref(reply);
        reply = NULL;
        e = tool_client_next(&c, &reply);
    }
    tool_client_close(&c);
    if (e != OK) {
        return tool_not_up(run, e);
    }
    if (!json_is_true(json_object_get(reply, "ok"))) {
        if (run->json) {
            tool_print_json(reply);
        }
        code = say_lines(tool_text(reply, "say"));
        json_decref(reply);
        return code;
    }
    *answer = reply;
    return TOOL_EXIT_OK;
}

/* "--label" as "label". */
static const char *
plain_name(const char *flag)
{
    return strncmp(flag, "--", 2) == 0 ? flag + 2 : flag;
}

json_t *
tool_request(const struct tool_run *run)
{
    const struct tool_args *a = &run->args;
    json_t *request = json_object();
    json_t *args = json_array();
    json_t *flags = json_object();

    for (size_t i = 0; i < a->arg_len; i++) {
        (void)json_array_append_new(args, json_string(a->arg[i]));
    }
    for (size_t i = 0; i < a->given_len; i++) {
        const struct tool_given *g = &a->given[i];

        (void)json_object_set_new(flags, plain_name(g->name),
                                  g->value == NULL ? json_true()
                                                   : json_string(g->value));
    }
    (void)json_object_set_new(request, "do", json_string(a->command->name));
    (void)json_object_set_new(request, "args", args);
    (void)json_object_set_new(request, "flags", flags);
    return request;
}

/* ---------------------------------------------------------- the usual way */

/* The file that the node is to write, or NULL. */
static const char *
target(const struct tool_run *run)
{
    if (strcmp(run->args.command->name, "save-attachment") == 0) {
        return run->args.arg[1];
    }
    return strcmp(run->args.command->name, "clinics show") == 0
               ? tool_args_value(&run->args, "--picture", NULL)
               : NULL;
}

/* Open the files of --attach or --picture, or the one that is to be written. */
static enum tool_exit
open_files(const struct tool_run *run, int files[TOOL_ARGS_MAX], size_t *n,
           struct tool_target *t)
{
    const char *path = target(run);
    const char *flag =
        strcmp(run->args.command->name, "send") == 0 ? "--attach" : "--picture";

    if (path != NULL) {
        enum tool_exit code = tool_target_open(path, t);

        files[0] = t->fd;
        *n = code == TOOL_EXIT_OK ? 1 : 0;
        return code;
    }
    while (*n < TOOL_ARGS_MAX &&
           (path = tool_args_nth(&run->args, flag, *n)) != NULL) {
        struct stat st;

        /* a pipe without a writer would keep us waiting here */
        files[*n] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (files[*n] < 0) {
            return tool_say(TOOL_EXIT_FAILED, "%s cannot be read: %s", path,
                            strerror(errno));
        }
        (*n)++;
        if (fstat(files[*n - 1], &st) != 0 || !S_ISREG(st.st_mode)) {
            return tool_say(TOOL_EXIT_FAILED,
                            "%s is not a file. Save it as one first.", path);
        }
    }
    return TOOL_EXIT_OK;
}

/* Names of attached files go along: the node sees only descriptors. */
static void
add_names(const struct tool_run *run, json_t *request)
{
    json_t *names = json_array();
    const char *path;

    for (size_t i = 0;
         (path = tool_args_nth(&run->args, "--attach", i)) != NULL; i++) {
        const char *slash = strrchr(path, '/');
        json_t *name = json_string(slash == NULL ? path : slash + 1);

        /* a name that is not UTF-8 keeps its place */
        (void)json_array_append_new(names,
                                    name == NULL ? json_string("file") : name);
    }
    (void)json_object_set_new(json_object_get(request, "flags"), "attach",
                              names);
}

/* What somebody loses by it, before it is asked whether to go on. */
static enum tool_exit
say_what_ends(const struct tool_run *run)
{
    json_t *request = tool_request(run);
    json_t *answer = NULL;
    enum tool_exit code;

    (void)json_object_set_new(json_object_get(request, "flags"), "look",
                              json_true());
    code = tool_ask(run, request, NULL, 0, &answer);
    if (code == TOOL_EXIT_OK && !run->json) {
        tool_show_cut_off(answer);
    }
    json_decref(answer);
    json_decref(request);
    return code;
}

static enum tool_exit
declined(void)
{
    return tool_say(TOOL_EXIT_DECLINED,
                    isatty(STDIN_FILENO)
                        ? "Nothing was done."
                        : "Nothing was done. Without a terminal to ask, "
                          "--yes says yes.");
}

/* What has to be asked before, unless --yes. */
static enum tool_exit
may_go_on(const struct tool_run *run)
{
    const char *name = run->args.command->name;
    char question[256];
    enum tool_exit code = TOOL_EXIT_OK;

    if (tool_args_has(&run->args, "--yes") ||
        (strcmp(name, "disconnect") != 0 && strcmp(name, "block") != 0 &&
         strcmp(name, "delete") != 0 && strcmp(name, "device suspend") != 0 &&
         strcmp(name, "thread leave") != 0 &&
         strcmp(name, "thread remove") != 0)) {
        return TOOL_EXIT_OK;
    }
    if (strcmp(name, "disconnect") == 0 || strcmp(name, "block") == 0) {
        code = say_what_ends(run);
    }
    (void)snprintf(question, sizeof(question), "%s %s?", name,
                   run->args.arg[run->args.arg_len - 1]);
    return code != TOOL_EXIT_OK     ? code
           : tool_confirm(question) ? TOOL_EXIT_OK
                                    : declined();
}

/* `send` without a text reads it. */
static enum tool_exit
add_text(const struct tool_run *run, json_t *request)
{
    bool wants = strcmp(run->args.command->name, "send") == 0 &&
                 run->args.arg_len == 1 &&
                 tool_args_nth(&run->args, "--attach", 0) == NULL;
    struct bytes text = {0};
    enum tool_exit code = TOOL_EXIT_OK;

    if (!wants) {
        return TOOL_EXIT_OK;
    }
    if (tool_read_all(STDIN_FILENO, &text) != OK) {
        return tool_say(TOOL_EXIT_FAILED, "There is no memory.");
    }
    if (json_array_append_new(
            json_object_get(request, "args"),
            json_stringn(text.len == 0 ? "" : (const char *)text.p,
                         text.len)) != 0) {
        code = tool_say(TOOL_EXIT_USAGE, "The text is not UTF-8. Send it as a "
                                         "file: --attach.");
    }
    bytes_free(&text);
    return code;
}

/* The answer's code, as the flags ask. */
static enum tool_exit
show_code(const struct tool_run *run, const json_t *answer)
{
    const char *name = run->args.command->name;
    const char *text = "";

    if (strcmp(name, "compare") == 0) {
        text = tool_text(answer, "code");
    } else if (strncmp(name, "link", 4) == 0) {
        text = tool_text(answer, "link");
    }
    return text[0] == '\0' ? TOOL_EXIT_OK
                           : tool_show_qr(&run->args, text,
                                          tool_args_has(&run->args, "--qr"));
}

static void
print(const struct tool_run *run, const json_t *answer)
{
    if (run->json) {
        tool_print_json(answer);
    } else {
        tool_show(run, answer);
    }
}

enum tool_exit
tool_cmd_plain(const struct tool_run *run)
{
    json_t *request = tool_request(run);
    json_t *answer = NULL;
    int files[TOOL_ARGS_MAX];
    size_t files_len = 0;
    struct tool_target saved = {.fd = -1};
    bool alone = false; /* standard output has a file */
    enum tool_exit code = TOOL_EXIT_OK;

    code = may_go_on(run);
    if (code == TOOL_EXIT_OK) {
        code = open_files(run, files, &files_len, &saved);
    }
    if (code == TOOL_EXIT_OK) {
        if (strcmp(run->args.command->name, "send") == 0) {
            add_names(run, request);
        }
        code = add_text(run, request);
    }
    if (code == TOOL_EXIT_OK) {
        if (files_len > 0 && !run->json && tool_progress_seen()) {
            (void)json_object_set_new(json_object_get(request, "flags"),
                                      "progress", json_true());
        }
        code = tool_ask(run, request, files, files_len, &answer);
    }
    if (saved.path != NULL) {
        files_len = 0; /* closed here */
        alone = tool_target_is_out(saved.path);
        code = tool_target_close(&saved, code);
    }
    if (code == TOOL_EXIT_OK && !alone) {
        print(run, answer);
    }
    if (code == TOOL_EXIT_OK) {
        code = show_code(run, answer);
    }
    for (size_t i = 0; i < files_len; i++) {
        (void)close(files[i]);
    }
    json_decref(request);
    json_decref(answer);
    return code;
}
