/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking after a node: recovery words, backup, restore.  The last one works on
 * the data folder itself, while no daemon runs there.
 */
#include "node/vault.h"
#include "store/backup.h"
#include "tools/cli/apart.h"
#include "tools/cli/cmd.h"
#include "tools/cli/folder.h"
#include "tools/cli/progress.h"
#include "tools/cli/sheet.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------- words */

/* The words of a recovery sheet from --words-file or the terminal, as the
   request's only argument. */
static enum tool_exit
add_words(const struct tool_run *run, json_t *request)
{
    const char *path = tool_args_value(&run->args, "--words-file", NULL);
    int fd = path == NULL ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct bytes words = {0};
    enum err e;

    if (fd < 0) {
        return tool_say(TOOL_EXIT_FAILED, "%s cannot be read.", path);
    }
    if (path == NULL && isatty(STDIN_FILENO)) {
        (void)fprintf(stderr, "The 24 words of the recovery sheet, then Enter "
                              "and Ctrl-D:\n");
    }
    e = tool_read_all(fd, &words);
    if (e == OK) {
        (void)json_array_append_new(
            json_object_get(request, "args"),
            json_stringn(words.len == 0 ? "" : (const char *)words.p,
                         words.len));
    }
    bytes_free(&words);
    if (path != NULL) {
        (void)close(fd);
    }
    return e == OK ? TOOL_EXIT_OK
                   : tool_say(TOOL_EXIT_FAILED, "There is no memory.");
}

enum tool_exit
tool_cmd_words(const struct tool_run *run)
{
    json_t *request = tool_request(run);
    json_t *answer = NULL;
    enum tool_exit code = TOOL_EXIT_OK;
    bool check = strcmp(run->args.command->name, "recovery check") == 0;

    if (check || tool_args_has(&run->args, "--revoke")) {
        code = add_words(run, request);
    }
    if (code == TOOL_EXIT_OK) {
        code = tool_ask(run, request, NULL, 0, &answer);
    }
    if (code == TOOL_EXIT_OK && run->json) {
        tool_print_json(answer);
    } else if (code == TOOL_EXIT_OK && check) {
        (void)printf("The sheet is right. The node has forgotten the words: "
                     "they are on your paper only. Keep it safe.\n");
    } else if (code == TOOL_EXIT_OK) {
        (void)printf("The node has a new key. Connections and conversations "
                     "go on.\n");
    }
    json_decref(request);
    json_decref(answer);
    return code;
}

enum tool_exit
tool_cmd_sheet(const struct tool_run *run)
{
    json_t *request = tool_request(run);
    json_t *answer = NULL;
    enum tool_exit code = tool_ask(run, request, NULL, 0, &answer);
    struct tool_sheet sheet;

    if (code == TOOL_EXIT_OK && run->json) {
        tool_print_json(answer);
    } else if (code == TOOL_EXIT_OK) {
        sheet.name = json_string_value(json_object_get(answer, "name"));
        sheet.clinic = json_string_value(json_object_get(answer, "clinic"));
        sheet.words = json_string_value(json_object_get(answer, "words"));
        sheet.code = json_string_value(json_object_get(answer, "code"));
        code = tool_sheet_give(tool_args_value(&run->args, "--sheet", NULL),
                               stdout, &sheet);
    }
    json_decref(request);
    json_decref(answer);
    return code;
}

/* ------------------------------------------------------------------ backup */

/* The node needs the whole path: it works elsewhere. */
static void
whole_path(const char *path, char out[PATH_MAX])
{
    char here[PATH_MAX / 2] = "";

    if (path[0] == '/' || getcwd(here, sizeof(here)) == NULL) {
        here[0] = '\0';
    }
    (void)snprintf(out, PATH_MAX, "%s%s%s", here, here[0] == '\0' ? "" : "/",
                   path);
}

enum tool_exit
tool_cmd_backup(const struct tool_run *run)
{
    struct tool_client c = {0};
    json_t *request = tool_request(run);
    json_t *line = NULL;
    char path[PATH_MAX];
    enum tool_exit code = TOOL_EXIT_OK;
    bool more = true;
    enum err e = tool_client_open(run->control, &c);

    whole_path(run->args.arg[0], path);
    (void)json_array_set_new(json_object_get(request, "args"), 0,
                             json_string(path));
    (void)json_object_set_new(json_object_get(request, "flags"), "progress",
                              json_true());
    if (e == OK) {
        e = tool_client_send(&c, request, NULL, 0);
    }
    while (more && e == OK && (e = tool_client_next(&c, &line)) == OK) {
        more = json_object_get(line, "ok") == NULL;
        if (more) {
            tool_progress_line(line);
        } else if (json_is_true(json_object_get(line, "ok"))) {
            if (run->json) {
                tool_print_json(line);
            } else {
                (void)printf(
                    "The backup is in %s. Whoever restores it needs "
                    "the master key, or its passphrase: keep a copy of it in "
                    "another place.\n",
                    path);
            }
        } else {
            code = tool_say(TOOL_EXIT_FAILED, "%s",
                            json_string_value(json_object_get(line, "say")));
        }
        json_decref(line);
    }
    tool_client_close(&c);
    json_decref(request);
    return e == OK ? code : tool_not_up(run, e);
}

/* ------------------------------------------------------- the folder itself */

static enum tool_exit
restore_failed(const struct tool_run *run, enum err e)
{
    switch ((int)e) {
    case ERR_EXISTS:
    case ERR_STATE: /* and it runs */
        return tool_say(TOOL_EXIT_FAILED,
                        "%s holds a node already. Restore into an empty "
                        "folder.",
                        run->data);
    case ERR_AUTH:
        return tool_say(TOOL_EXIT_FAILED,
                        "The key does not open this backup. Copy the master "
                        "key of the old node to %s/master.key, or name its "
                        "passphrase with --passphrase-file.",
                        run->data);
    case ERR_MISSING:
        if (!tool_is_backup(run->args.arg[0])) {
            return tool_say(TOOL_EXIT_FAILED,
                            "There is no backup in %s. Name the folder that "
                            "balsam backup made.",
                            run->args.arg[0]);
        }
        return tool_say(TOOL_EXIT_FAILED,
                        "There is no key in %s yet. Copy the master key of "
                        "the old node to %s/master.key, or name its "
                        "passphrase with --passphrase-file.",
                        run->data, run->data);
    case ERR_CORRUPT:
        return tool_say(TOOL_EXIT_FAILED,
                        "The backup is damaged. Use an earlier one.");
    case ERR_FULL:
        return tool_say(TOOL_EXIT_FAILED, "The disk is full. Make room.");
    default:
        return tool_say(TOOL_EXIT_FAILED, "It was not restored (%s).",
                        err_name(e));
    }
}

static enum tool_exit
restored(const struct tool_run *run)
{
    char path[NODE_CONFIG_TEXT + 16];
    bool settings;
    enum tool_exit code;

    (void)snprintf(path, sizeof(path), "%s/balsam.conf", run->data);
    settings = access(path, F_OK) == 0;
    code = tool_add_passphrase(run);
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    if (run->json) {
        (void)printf("{\"ok\":true}\n");
        return TOOL_EXIT_OK;
    }
    (void)printf("Restored. Start the node: balsamd --data %s\nIt agrees on "
                 "new keys with the others and asks them for what is missing. "
                 "The old node must never run again.\n",
                 run->data);
    if (!settings) {
        (void)printf("Settings are not in a backup: bring the old balsam.conf, "
                     "or write into %s how others reach this node, as\n"
                     "    address = HOST:PORT\n",
                     path);
    }
    return TOOL_EXIT_OK;
}

static enum tool_exit
restore(void *ctx)
{
    const struct tool_run *run = *(const struct tool_run **)ctx;
    struct node_config config;
    struct node_vault vault = {0};
    const struct store_progress progress = {tool_on_step, NULL};
    enum tool_exit code = tool_folder_is_ours(run);
    bool keyed;
    bool made;
    enum err e;

    code = code == TOOL_EXIT_OK ? tool_read_config(run, &config) : code;
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    e = node_vault_open(mem_heap(), NULL, &config, &vault);
    if (e != OK && e != ERR_MISSING) {
        return tool_no_key(&config, e);
    }
    keyed = e == OK;
    made = keyed && mkdir(run->data, 0700) == 0;
    if (e == OK) {
        e = store_restore(&vault.config, run->args.arg[0], &progress);
    }
    node_vault_clear(&vault);
    if (made && e != OK) {
        (void)rmdir(run->data);
    }
    if (keyed && e == ERR_MISSING && tool_is_backup(run->args.arg[0])) {
        return tool_half_backup(run->args.arg[0]);
    }
    return e == OK ? restored(run) : restore_failed(run, e);
}

/* Damaged pages may end who reads them (cmd_verify.c). */
enum tool_exit
tool_cmd_restore(const struct tool_run *run)
{
    enum tool_exit code = TOOL_EXIT_OK;

    return tool_apart(restore, &run, &code) ? code
                                            : restore_failed(run, ERR_CORRUPT);
}
