/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/common/say.h"

#include "tools/common/help.h"

#include "node/qr.h"
#include "tools/common/safe.h"
#include "tools/common/wrap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TEXT_MAX = 1024 * 1024,
    SAY_MAX = 4096, /* bytes of a sentence with names in it */
    PIXELS = 8      /* of a module in a PNG */
};

/* Broken between words, if it goes to a terminal. */
static void
say_line(const char *text)
{
    char line[2 * SAY_MAX] = "";
    FILE *to = fmemopen(line, sizeof(line), "w");

    if (to == NULL) {
        tool_put_safe(stderr, text);
    } else {
        (void)fprintf(to, "%s: ", program_invocation_short_name);
        tool_put_safe(to, text);
        (void)fclose(to);
        tool_wrap_line(stderr, line, strlen(line),
                       tool_wrap_columns(STDERR_FILENO));
    }
    (void)fputc('\n', stderr);
}

enum tool_exit
tool_say(enum tool_exit code, const char *format, ...)
{
    char text[SAY_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    say_line(text);
    return code;
}

enum tool_exit
tool_say_help(const struct tool_args *args)
{
    if (tool_help_for(args->table, stdout, args->arg, args->arg_len)) {
        return TOOL_EXIT_OK;
    }
    return tool_say(
        TOOL_EXIT_USAGE, "There is no command \"%s%s%s\"; %s help lists them.",
        args->arg[0], args->arg_len > 1 ? " " : "",
        args->arg_len > 1 ? args->arg[1] : "", args->table->program);
}

void
tool_print_json(const json_t *answer)
{
    /* in ASCII: what a peer wrote must not reach a terminal as it is */
    (void)json_dumpf(answer, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
}

bool
tool_confirm(const char *question)
{
    char line[64] = "";

    /* not to stdout, which may be JSON that a program reads */
    (void)fflush(stdout);
    tool_put_safe(stderr, question);
    (void)fputs(" [yes/no] ", stderr);
    (void)fflush(stderr);
    if (fgets(line, sizeof(line), stdin) == NULL) {
        (void)fputs("\nNobody answered. With --yes it is not asked.\n", stderr);
        return false;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return strcmp(line, "yes") == 0 || strcmp(line, "y") == 0;
}

enum err
tool_read_all(int fd, struct bytes *out)
{
    enum err e;
    struct bytes b = {0};

    TRY(bytes_alloc(mem_heap(), TEXT_MAX, &b));
    bytes_truncate(&b, 0);
    while (b.len < TEXT_MAX) {
        ssize_t n = read(fd, b.p + b.len, TEXT_MAX - b.len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        b.len += (size_t)n;
    }
    if (b.len > 0 && b.p[b.len - 1] == '\n') {
        b.len--;
    }
    *out = bytes_take(&b);
out:
    return e;
}

enum tool_exit
tool_end(enum tool_exit code)
{
    bool whole = ferror(stdout) == 0;

    if (fflush(stdout) == 0 && tool_wrap_end() == 0 && whole) {
        return code;
    }
    (void)tool_say(TOOL_EXIT_FAILED,
                   "The answer could not be written whole: %s. What was asked "
                   "for may be done all the same.",
                   strerror(errno));
    return code == TOOL_EXIT_OK ? TOOL_EXIT_FAILED : code;
}

static void
open_standard(void)
{
    int fd = open("/dev/null", O_RDWR);

    while (fd >= 0 && fd <= STDERR_FILENO) {
        fd = open("/dev/null", O_RDWR);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

void
tool_begin(void)
{
    struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
    open_standard();
    tool_wrap_begin();
}

/* -------------------------------------------------------------------- codes */

static enum tool_exit
write_file(const char *path, const struct bytes *b)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t done = 0;

    while (fd >= 0 && done < b->len) {
        ssize_t n = write(fd, b->p + done, b->len - done);

        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    if (fd < 0 || done < b->len || close(fd) != 0) {
        return tool_say(TOOL_EXIT_FAILED, "%s cannot be written: %s", path,
                        strerror(errno));
    }
    return TOOL_EXIT_OK;
}

/* Whether a file can be put at path, as far as can be told without one; errno
   says why not. */
static bool
takes_file(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct stat st;

    if (stat(path, &st) == 0) {
        errno = EISDIR;
        return !S_ISDIR(st.st_mode) && access(path, W_OK) == 0;
    }
    if (path[0] == '\0' || (slash != NULL && slash[1] == '\0') ||
        strlen(path) >= sizeof(folder)) {
        errno = ENOENT;
        return false;
    }
    (void)snprintf(folder, sizeof(folder), "%.*s",
                   slash == NULL ? 1 : (int)(slash - path) + 1,
                   slash == NULL ? "." : path);
    return access(folder, W_OK | X_OK) == 0;
}

enum tool_exit
tool_files_first(const struct tool_args *args)
{
    static const char *const flags[] = {"--png", "--svg", "--pdf"};

    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        const char *path = tool_args_value(args, flags[i], NULL);

        if (path != NULL && !takes_file(path)) {
            return tool_say(TOOL_EXIT_FAILED,
                            "%s cannot be written: %s. Nothing was done; "
                            "choose another place.",
                            path, strerror(errno));
        }
    }
    return TOOL_EXIT_OK;
}

enum tool_exit
tool_show_qr(const struct tool_args *args, const char *text, bool on_terminal)
{
    const struct mem *mem = mem_heap();
    const char *png = tool_args_value(args, "--png", NULL);
    const char *svg = tool_args_value(args, "--svg", NULL);
    struct node_qr *qr = NULL;
    struct bytes b = {0};
    enum tool_exit code = TOOL_EXIT_OK;
    enum err e = node_qr_make(mem, view_str(text), &qr);

    if (e == OK && on_terminal) {
        e = node_qr_text(mem, qr, isatty(STDOUT_FILENO) != 0, &b);
        (void)fwrite(b.p, 1, b.len, stdout);
        bytes_free(&b);
    }
    if (e == OK && png != NULL) {
        e = node_qr_png(mem, qr, PIXELS, &b);
        code = e == OK ? write_file(png, &b) : code;
        bytes_free(&b);
    }
    if (e == OK && code == TOOL_EXIT_OK && svg != NULL) {
        e = node_qr_svg(mem, qr, &b);
        code = e == OK ? write_file(svg, &b) : code;
        bytes_free(&b);
    }
    node_qr_free(qr);
    return e == OK
               ? code
               : tool_say(TOOL_EXIT_FAILED,
                          "The link does not fit a QR code (%s).", err_name(e));
}
