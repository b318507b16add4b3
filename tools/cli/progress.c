/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/progress.h"

#include <stdio.h>
#include <unistd.h>

bool
tool_progress_seen(void)
{
    return isatty(STDERR_FILENO) != 0;
}

void
tool_progress_draw(uint64_t done, uint64_t total)
{
    enum {
        WIDTH = 40
    };
    uint64_t filled = total == 0 ? WIDTH : done * WIDTH / total;

    if (!tool_progress_seen()) {
        return;
    }
    (void)fputs("\r[", stderr);
    for (uint64_t i = 0; i < WIDTH; i++) {
        (void)fputc(i < filled ? '#' : ' ', stderr);
    }
    (void)fprintf(stderr, "] %3u %%",
                  total == 0 ? 100u : (unsigned)(done * 100 / total));
    if (done >= total) {
        (void)fputc('\n', stderr);
    }
}

void
tool_progress_line(const json_t *line)
{
    tool_progress_draw(
        (uint64_t)json_integer_value(json_object_get(line, "done")),
        (uint64_t)json_integer_value(json_object_get(line, "total")));
}
