/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/common/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    COPY = 64 * 1024
};

bool
tool_target_is_out(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* Standard output gets it once it is whole and known to be right. */
static enum tool_exit
open_out(struct tool_target *out)
{
    if (isatty(STDOUT_FILENO)) {
        return tool_say(TOOL_EXIT_FAILED,
                        "A file is not for the screen. Name a file to save "
                        "it in, or send it on to a program: ... - | program");
    }
    out->fd = memfd_create("balsam", MFD_CLOEXEC);
    if (out->fd < 0) {
        return tool_say(TOOL_EXIT_FAILED, "There is no memory: %s",
                        strerror(errno));
    }
    out->path = "-";
    return TOOL_EXIT_OK;
}

/*
 * A file without a name, in the folder of path: whoever breaks us off leaves
 * nothing.  -1 where the file system knows no such file, or path is taken.
 */
static int
open_unnamed(const char *path)
{
    const char *slash = strrchr(path, '/');
    char dir[PATH_MAX] = ".";
    size_t n = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);
    struct stat st;

    if (path[0] == '\0' || n >= sizeof(dir) || lstat(path, &st) == 0 ||
        (slash != NULL && slash[1] == '\0')) {
        return -1;
    }
    if (slash != NULL) {
        memcpy(dir, path, n);
        dir[n] = '\0';
    }
    return open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
}

static bool
give_name(const struct tool_target *t)
{
    char self[32];

    (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", t->fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, t->path, AT_SYMLINK_FOLLOW) == 0;
}

enum tool_exit
tool_target_open(const char *path, struct tool_target *out)
{
    struct stat st;

    *out = (struct tool_target){.fd = -1};
    if (tool_target_is_out(path)) {
        return open_out(out);
    }
    out->fd = open_unnamed(path);
    out->unnamed = out->fd >= 0;
    if (!out->unnamed) {
        out->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    if (out->fd >= 0) {
        out->path = path;
        return TOOL_EXIT_OK;
    }
    if (path[0] == '\0') {
        return tool_say(TOOL_EXIT_FAILED, "The name of the file is empty.");
    }
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        return tool_say(TOOL_EXIT_FAILED,
                        "%s is a folder. Name the file as well: %s/NAME", path,
                        path);
    }
    if (errno == EEXIST) {
        return tool_say(TOOL_EXIT_FAILED,
                        "%s is there already and is left as it is. Choose "
                        "another name.",
                        path);
    }
    return tool_say(TOOL_EXIT_FAILED,
                    "%s cannot be made: %s. Choose another place.", path,
                    strerror(errno));
}

static bool
copy_out(int fd)
{
    char buf[COPY];
    ssize_t n = lseek(fd, 0, SEEK_SET);

    while (n >= 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
        for (ssize_t at = 0; at < n;) {
            ssize_t w = write(STDOUT_FILENO, buf + at, (size_t)(n - at));

            if (w < 0 && errno != EINTR) {
                return false;
            }
            at += w < 0 ? 0 : w;
        }
    }
    return n == 0;
}

enum tool_exit
tool_target_close(struct tool_target *t, enum tool_exit code)
{
    bool out;
    bool kept = true;

    if (t->path == NULL) {
        return code;
    }
    out = tool_target_is_out(t->path);
    if (code == TOOL_EXIT_OK && out) {
        kept = copy_out(t->fd);
    }
    if (code == TOOL_EXIT_OK && t->unnamed) {
        kept = give_name(t);
    }
    kept = close(t->fd) == 0 && kept;
    if (code == TOOL_EXIT_OK && !kept) {
        code = tool_say(TOOL_EXIT_FAILED,
                        "%s cannot be written: %s. It was not saved.",
                        out ? "Standard output" : t->path, strerror(errno));
    }
    if (code != TOOL_EXIT_OK && !out && !t->unnamed) {
        (void)unlink(t->path);
    }
    t->path = NULL;
    return code;
}
