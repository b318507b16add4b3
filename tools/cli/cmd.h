/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of `balsam` share.  Most are one request to the running
 * node and a way to show its answer; a few work on the data folder itself.
 */
#ifndef TOOLS_CLI_CMD_H
#define TOOLS_CLI_CMD_H

#include "node/config.h"
#include "proto/base/bytes.h"
#include "tools/cli/client.h"
#include "tools/common/args.h"
#include "tools/common/say.h"

/* One run of the program. */
struct tool_run {
    struct tool_args args;
    const char *data;
    char control[NODE_CONFIG_TEXT];
    bool json;
    const char *const *envp;
};

/*
 * Ask the node; *answer is its reply when the result is TOOL_EXIT_OK, owned by
 * the caller.  What went wrong was said (as JSON when asked for).
 */
enum tool_exit tool_ask(const struct tool_run *run, const json_t *request,
                        const int *files, size_t files_len, json_t **answer);

/* Say why the node cannot be asked (e of tool_client_*), and what to do. */
enum tool_exit tool_not_up(const struct tool_run *run, enum err e);

/* The request that the command line spells; NULL: no memory. */
json_t *tool_request(const struct tool_run *run);

/* Show an answer of the node to people (show.c). */
void tool_show(const struct tool_run *run, const json_t *answer);

/* One line of `balsam watch`. */
void tool_show_event(const json_t *event);

/* Commands that do more than ask and show. */
enum tool_exit tool_cmd_init(const struct tool_run *run);
enum tool_exit tool_cmd_connect(const struct tool_run *run);
enum tool_exit tool_cmd_invite(const struct tool_run *run);
enum tool_exit tool_cmd_watch(const struct tool_run *run);
enum tool_exit tool_cmd_plain(const struct tool_run *run);
enum tool_exit tool_cmd_report(const struct tool_run *run);
enum tool_exit tool_cmd_words(const struct tool_run *run);
enum tool_exit tool_cmd_sheet(const struct tool_run *run);
enum tool_exit tool_cmd_backup(const struct tool_run *run);
enum tool_exit tool_cmd_restore(const struct tool_run *run);
enum tool_exit tool_cmd_verify(const struct tool_run *run);

#endif
