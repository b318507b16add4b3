/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/folder.h"

#include "tools/cli/progress.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool
tool_is_backup(const char *dir)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/backup", dir);

    return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

enum tool_exit
tool_folder_is_ours(const struct tool_run *run)
{
    const struct passwd *owner = NULL;
    struct stat st;

    if (geteuid() != 0 || stat(run->data, &st) != 0 || st.st_uid == 0) {
        return TOOL_EXIT_OK;
    }
    owner = getpwuid(st.st_uid);
    return tool_say(TOOL_EXIT_FAILED,
                    "The folder %s belongs to %s, who could not read what root "
                    "makes in it. Run this as that user: sudo -u %s balsam ...",
                    run->data, owner != NULL ? owner->pw_name : "another user",
                    owner != NULL ? owner->pw_name : "USER");
}

enum tool_exit
tool_read_config(const struct tool_run *run, struct node_config *out)
{
    const char *argv[] = {"balsam", "--data", run->data};
    struct node_config_input in = {3, argv, run->envp};
    struct bytes problems = {0};
    enum err e = node_config_read(mem_heap(), &in, out, &problems);

    (void)fwrite(problems.p, 1, problems.len, stderr);
    bytes_free(&problems);
    return e == OK ? TOOL_EXIT_OK : TOOL_EXIT_USAGE;
}

bool
tool_on_step(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    tool_progress_draw(done, total);
    return true;
}
