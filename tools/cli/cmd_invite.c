/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inviting patients: ask the node, then hand over words, a QR code, and a page
 * to print, which balsam-paper makes.
 */
#include "tools/cli/cmd.h"
#include "tools/cli/show.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The program beside this one. */
static bool
paper_path(char path[PATH_MAX])
{
    static const char name[] = "balsam-paper";
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof(name) - 1);
    char *slash;

    if (n <= 0) {
        return false;
    }
    path[n] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL) {
        return false;
    }
    memcpy(slash + 1, name, sizeof(name));
    return true;
}

/* Give the answer to the program's standard input. */
static enum tool_exit
run_paper(const char *path, const char *file, const json_t *answer)
{
    int ends[2];
    pid_t pid;
    int status = -1;
    FILE *to;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return tool_say(TOOL_EXIT_FAILED, "There is no pipe: %s",
                        strerror(errno));
    }
    pid = fork();
    if (pid == 0) {
        (void)dup2(ends[0], STDIN_FILENO);
        (void)execl(path, "balsam-paper", file, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[0]);
    to = fdopen(ends[1], "w");
    if (to != NULL) {
        (void)json_dumpf(answer, to, JSON_COMPACT);
        (void)fclose(to);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return tool_say(TOOL_EXIT_FAILED, "%s cannot be started.", path);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        return tool_say(TOOL_EXIT_FAILED,
                        "%s is missing: it makes the PDF. Install it beside "
                        "balsam. The invitation itself is made: balsam "
                        "invites.",
                        path);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? TOOL_EXIT_OK
                                                         : TOOL_EXIT_FAILED;
}

static enum tool_exit
make_pdf(const char *file, const json_t *answer)
{
    char path[PATH_MAX];

    return paper_path(path)
               ? run_paper(path, file, answer)
               : tool_say(TOOL_EXIT_FAILED, "The PDF cannot be made.");
}

static enum tool_exit
open_file(const struct tool_run *run, int files[1], size_t *n)
{
    const char *path = tool_args_value(&run->args, "--file", NULL);

    if (path == NULL) {
        return TOOL_EXIT_OK;
    }
    /* a pipe without a writer would keep us waiting here */
    files[0] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    *n = files[0] >= 0 ? 1 : 0;
    return files[0] >= 0 ? TOOL_EXIT_OK
                         : tool_say(TOOL_EXIT_FAILED, "%s cannot be read: %s",
                                    path, strerror(errno));
}

/* What comes beside the answer: codes and the page. */
static enum tool_exit
hand_over(const struct tool_run *run, const json_t *answer)
{
    const json_t *list = json_object_get(answer, "invitations");
    const char *pdf = tool_args_value(&run->args, "--pdf", NULL);
    bool codes = tool_args_has(&run->args, "--qr") ||
                 tool_args_has(&run->args, "--png") ||
                 tool_args_has(&run->args, "--svg");
    enum tool_exit code = TOOL_EXIT_OK;

    if (codes && json_array_size(list) == 1) {
        code =
            tool_show_qr(&run->args, tool_text(json_array_get(list, 0), "link"),
                         tool_args_has(&run->args, "--qr"));
    } else if (codes) {
        code = tool_say(TOOL_EXIT_USAGE,
                        "A panel's codes come on its pages: --pdf FILE.");
    }
    if (code == TOOL_EXIT_OK && pdf != NULL) {
        code = make_pdf(pdf, answer);
    }
    return code;
}

enum tool_exit
tool_cmd_invite(const struct tool_run *run)
{
    json_t *request = tool_request(run);
    json_t *answer = NULL;
    int files[1];
    size_t files_len = 0;
    const char *pdf = tool_args_value(&run->args, "--pdf", NULL);
    enum tool_exit code;

    if (pdf != NULL && access(pdf, F_OK) == 0) { /* before anybody is invited */
        code = tool_say(TOOL_EXIT_USAGE,
                        "%s is there already. Choose another name.", pdf);
    } else {
        code = open_file(run, files, &files_len);
    }
    if (code == TOOL_EXIT_OK) {
        code = tool_ask(run, request, files, files_len, &answer);
    }
    if (code == TOOL_EXIT_OK) {
        if (run->json) {
            tool_print_json(answer);
        } else {
            tool_show(run, answer);
        }
        code = hand_over(run, answer);
    }
    if (files_len > 0) {
        (void)close(files[0]);
    }
    json_decref(request);
    json_decref(answer);
    return code;
}
