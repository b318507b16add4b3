/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/common/wrap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    NARROWEST = 20,
    LINE_ROOM = 16 * 1024 /* a longer line is left as it is */
};

static bool
is_rest(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Letters that take two columns, and marks that take none. */
static const struct {
    uint32_t from;
    uint32_t to;
    size_t columns;
} odd[] = {
    {0x300, 0x36f, 0},     {0x1100, 0x115f, 2},   {0x2e80, 0xa4cf, 2},
    {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xff00, 0xff60, 2},
    {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
};

/* The columns that the character at s takes; *n: its bytes. */
static size_t
width(const char *s, size_t len, size_t *n)
{
    const unsigned char *u = (const unsigned char *)s;
    uint32_t c = u[0] < 0x80   ? u[0]
                 : u[0] < 0xe0 ? u[0] & 0x1fu
                 : u[0] < 0xf0 ? u[0] & 0xfu
                               : u[0] & 7u;

    for (*n = 1; *n < len && is_rest(s[*n]); (*n)++) {
        c = c << 6 | (u[*n] & 0x3fu);
    }
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        if (c >= odd[i].from && c <= odd[i].to) {
            return odd[i].columns;
        }
    }
    return 1;
}

static size_t
width_of(const char *s, size_t len)
{
    size_t sum = 0;
    size_t n;

    for (size_t i = 0; i < len; i += n) {
        sum += width(s + i, len - i, &n);
    }
    return sum;
}

/* Upper half, lower half and whole blocks: U+2580 to U+259F. */
static bool
has_blocks(const char *s, size_t len)
{
    for (size_t i = 0; i + 2 < len; i++) {
        if (s[i] == '\xe2' && s[i + 1] == '\x96' && is_rest(s[i + 2]) &&
            (unsigned char)s[i + 2] < 0xa0) {
            return true;
        }
    }
    return false;
}

/* Where the line goes on: its last column within the first two thirds. */
static size_t
hang_of(const char *s, size_t len, size_t columns)
{
    size_t lead = 0;
    size_t hang;

    while (lead < len && s[lead] == ' ') {
        lead++;
    }
    if (lead > columns / 2) {
        return 0;
    }
    hang = lead > 0 ? lead : 2;
    for (size_t i = lead + 2; i < len; i++) {
        if (s[i] != ' ' && s[i - 1] == ' ' && s[i - 2] == ' ') {
            size_t at = width_of(s, i);

            hang = at > hang && at <= columns * 2 / 3 ? at : hang;
        }
    }
    return hang;
}

/* How many bytes stand on this line: up to the last blank that fits, or the
   first one that comes. */
static size_t
fits(const char *s, size_t len, size_t room, bool first)
{
    size_t best = 0;
    size_t used = 0;
    size_t n;
    bool word = !first; /* blanks before the first word are no place */

    for (size_t i = 0; i < len; i += n) {
        if (s[i] == ' ' && word && (used <= room || best == 0)) {
            best = i;
        }
        word = word || s[i] != ' ';
        used += width(s + i, len - i, &n);
        if (used > room && best > 0) {
            return best;
        }
    }
    return used <= room || best == 0 ? len : best;
}

void
tool_wrap_line(FILE *to, const char *line, size_t len, size_t columns)
{
    size_t hang;
    size_t room = columns;
    bool first = true;

    if (columns == 0 || len == 0 || line[0] == '{' ||
        width_of(line, len) <= columns || has_blocks(line, len)) {
        (void)fwrite(line, 1, len, to);
        return;
    }
    hang = hang_of(line, len, columns);
    while (len > 0) {
        size_t n = fits(line, len, room, first);

        (void)fwrite(line, 1, n, to);
        line += n;
        len -= n;
        while (len > 0 && line[0] == ' ') {
            line++;
            len--;
        }
        if (len > 0) {
            (void)fprintf(to, "\n%*s", (int)hang, "");
        }
        room = columns - hang;
        first = false;
    }
}

/* ------------------------------------------------------------------- stdout */

static struct {
    FILE *to;
    size_t columns;
    size_t len;
    bool as_is; /* this line was too long to be kept */
    char line[LINE_ROOM];
} out;

static void
put(char c)
{
    if (c == '\n') {
        tool_wrap_line(out.to, out.line, out.len, out.as_is ? 0 : out.columns);
        (void)fputc('\n', out.to);
        out.len = 0;
        out.as_is = false;
        return;
    }
    if (out.len == sizeof(out.line)) {
        (void)fwrite(out.line, 1, out.len, out.to);
        out.len = 0;
        out.as_is = true;
    }
    out.line[out.len++] = c;
}

static ssize_t
on_write(void *cookie, const char *buf, size_t len)
{
    (void)cookie;
    out.columns = tool_wrap_columns(STDOUT_FILENO); /* it may be resized */
    for (size_t i = 0; i < len; i++) {
        put(buf[i]);
    }
    return fflush(out.to) == 0 ? (ssize_t)len : -1;
}

size_t
tool_wrap_columns(int fd)
{
    struct winsize size;

    return isatty(fd) == 1 && ioctl(fd, TIOCGWINSZ, &size) == 0 &&
                   size.ws_col >= NARROWEST
               ? size.ws_col
               : 0;
}

void
tool_wrap_begin(void)
{
    static const cookie_io_functions_t with = {.write = on_write};
    FILE *wrapped;

    if (isatty(STDOUT_FILENO) != 1) {
        return;
    }
    wrapped = fopencookie(NULL, "w", with);
    if (wrapped != NULL) {
        (void)setvbuf(wrapped, NULL, _IOLBF, BUFSIZ);
        out.to = stdout;
        stdout = wrapped;
    }
}

int
tool_wrap_end(void)
{
    if (out.to == NULL) {
        return 0;
    }
    tool_wrap_line(out.to, out.line, out.len, 0);
    out.len = 0;
    return fflush(out.to);
}
