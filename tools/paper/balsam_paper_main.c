/* SPDX-License-Identifier: Apache-2.0 */
/*
 * balsam-paper FILE: what `balsam invite --json` answers, on standard input, as
 * pages to print.  Started by balsam for --pdf.
 */
#include "tools/paper/page.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
say(const char *what)
{
    (void)fprintf(stderr, "balsam: %s\n", what);
    return 1;
}

/* It has secrets: for its owner alone, and never over something else. */
static int
write_file(const char *path, const struct bytes *b)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t done = 0;

    while (fd >= 0 && done < b->len) {
        ssize_t n = write(fd, b->p + done, b->len - done);

        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    if (fd < 0 || done < b->len || fsync(fd) != 0 || close(fd) != 0) {
        (void)fprintf(stderr, "balsam: %s cannot be made: %s\n", path,
                      strerror(errno));
        return 1;
    }
    return 0;
}

int
main(int argc, char **argv)
{
    struct bytes pdf = {0};
    json_t *answer;
    int code;
    enum err e;

    (void)setlocale(LC_ALL, "");
    if (argc != 2) {
        return say("write: balsam-paper FILE <ANSWER");
    }
    answer = json_loadf(stdin, 0, NULL);
    if (answer == NULL) {
        return say("balsam-paper reads what balsam invite --json says.");
    }
    e = tool_page_pdf(mem_heap(), answer, &pdf);
    if (e == ERR_MISSING) {
        code = say("No fonts are installed, so nothing can be printed. On "
                   "Debian: apt install fonts-dejavu-core");
    } else if (e != OK) {
        code = say("The PDF cannot be made.");
    } else {
        code = write_file(argv[1], &pdf);
    }
    bytes_free(&pdf);
    json_decref(answer);
    return code;
}
