/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/folder.h"

#include "node/vault.h"
#include "tools/cli/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    const char *pass = tool_args_value(&run->args, "--passphrase-file", NULL);
    const char *argv[] = {"balsam", "--data", run->data, "--passphrase-file",
                          pass};
    struct node_config_input in = {pass != NULL ? 5 : 3, argv, run->envp};
    struct bytes problems = {0};
    enum err e = node_config_read(mem_heap(), &in, out, &problems);

    (void)fwrite(problems.p, 1, problems.len, stderr);
    bytes_free(&problems);
    return e == OK ? TOOL_EXIT_OK : TOOL_EXIT_USAGE;
}

enum tool_exit
tool_add_setting(const struct tool_run *run, const char *name,
                 const char *value)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/balsam.conf", run->data);
    int fd = n < 0 || (size_t)n >= sizeof(path)
                 ? -1
                 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "a");

    if (f == NULL) {
        return tool_say(TOOL_EXIT_FAILED, "%s cannot be written: %s", path,
                        strerror(errno));
    }
    (void)fprintf(f, "%s = %s\n", name, value);
    return fclose(f) == 0
               ? TOOL_EXIT_OK
               : tool_say(TOOL_EXIT_FAILED, "%s cannot be written.", path);
}

enum tool_exit
tool_add_passphrase(const struct tool_run *run)
{
    const char *pass = tool_args_value(&run->args, "--passphrase-file", NULL);
    char whole[PATH_MAX];

    if (pass == NULL) {
        return TOOL_EXIT_OK;
    }
    return tool_add_setting(run, "passphrase-file",
                            realpath(pass, whole) != NULL ? whole : pass);
}

enum tool_exit
tool_no_key(const struct node_config *config, enum err e)
{
    char say[512];

    node_vault_no_key(e, config, say, sizeof(say));
    return tool_say(TOOL_EXIT_FAILED, "%s", say);
}

enum tool_exit
tool_half_backup(const char *dir)
{
    return tool_say(TOOL_EXIT_FAILED,
                    "The backup in %s is not whole: it was broken off. Finish "
                    "it with balsam backup into the same folder, or use an "
                    "earlier one.",
                    dir);
}

bool
tool_on_step(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    tool_progress_draw(done, total);
    return true;
}
