/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/sheet.h"

#include "node/qr.h"
#include "tools/common/safe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The words in four columns, numbered. */
static void
print_words(FILE *f, const char *words)
{
    for (unsigned n = 1; *words != '\0'; n++) {
        size_t len = strcspn(words, " ");

        (void)fprintf(f, "%3u. %-10.*s%s", n, (int)len, words,
                      n % 4 == 0 ? "\n" : "");
        words += len + (words[len] == ' ');
    }
}

static void
print_sheet(FILE *f, const struct tool_sheet *sheet)
{
    struct node_qr *qr = NULL;
    struct bytes code = {0};

    (void)fputs("BALSAM RECOVERY SHEET\n", f);
    tool_put_safe(f, sheet->name);
    (void)fprintf(f,
                  "\nclinic %s\n\n"
                  "These words are the clinic's key. Whoever has them can act "
                  "as this clinic.\nPrint this sheet, keep it in a safe place, "
                  "and keep no copy on a computer.\n\n",
                  sheet->clinic);
    print_words(f, sheet->words);
    if (node_qr_make(mem_heap(), view_str(sheet->code), &qr) == OK &&
        node_qr_text(mem_heap(), qr, isatty(fileno(f)) != 0, &code) == OK) {
        (void)fputc('\n', f);
        (void)fwrite(code.p, 1, code.len, f);
    }
    (void)fputc('\n', f);
    bytes_free(&code);
    node_qr_free(qr);
}

enum tool_exit
tool_sheet_give(const char *path, FILE *screen, const struct tool_sheet *sheet)
{
    int fd;
    FILE *f;

    if (path == NULL) {
        print_sheet(screen, sheet);
        return TOOL_EXIT_OK;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    f = fd < 0 ? NULL : fdopen(fd, "w");
    if (f == NULL) {
        return tool_say(TOOL_EXIT_FAILED,
                        "The recovery sheet %s cannot be written: %s. Print it "
                        "with balsam recovery sheet.",
                        path, strerror(errno));
    }
    print_sheet(f, sheet);
    return fclose(f) == 0
               ? TOOL_EXIT_OK
               : tool_say(TOOL_EXIT_FAILED, "%s cannot be written.", path);
}
