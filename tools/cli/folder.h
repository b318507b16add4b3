/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share that work on the data folder itself. */
#ifndef TOOLS_CLI_FOLDER_H
#define TOOLS_CLI_FOLDER_H

#include "tools/cli/cmd.h"

/* The settings of the node in run->data; what is wrong with them was said. */
enum tool_exit tool_read_config(const struct tool_run *run,
                                struct node_config *out);

/*
 * Root makes nothing in the folder of another user, who could not read it;
 * that was said.
 */
enum tool_exit tool_folder_is_ours(const struct tool_run *run);

/* Whether a backup lies in dir, good or not. */
bool tool_is_backup(const char *dir);

/* Add name = value to the settings of run->data; what failed was said. */
enum tool_exit tool_add_setting(const struct tool_run *run, const char *name,
                                const char *value);

/* The same of --passphrase-file, as the daemon finds it from anywhere. */
enum tool_exit tool_add_passphrase(const struct tool_run *run);

/* Why there is no key (e of node_vault_open). */
enum tool_exit tool_no_key(const struct node_config *config, enum err e);

/* That a backup was broken off. */
enum tool_exit tool_half_backup(const char *dir);

/* Of store_progress: draws it, goes on. */
bool tool_on_step(void *ctx, uint64_t done, uint64_t total);

#endif
