/* SPDX-License-Identifier: Apache-2.0 */
#include "node/log_sink.h"
#include "tests/support/check.h"

#include <string.h>
#include <unistd.h>

static uint64_t
fixed_ms(void *ctx)
{
    (void)ctx;
    return 1772357400007; /* 2026-03-01T09:30:00.007Z */
}

static const struct clock clock_fixed = {fixed_ms, fixed_ms, NULL};

/* What the sink writes for one event with fields of every kind. */
static void
written(enum node_log_form form, enum log_level level, char *out, size_t cap)
{
    struct node_log_sink sink;
    struct log_tag tag = log_tag_of(check_hex("1a2b3c4d5e"));
    int fds[2];
    ssize_t n;

    CHECK(pipe(fds) == 0);
    node_log_sink_init(&sink, fds[1], form, LOG_INFO, &clock_fixed);
    LOG(&sink.log, level, "fed.peer.lost", LOG_TAG("peer", tag),
        LOG_ERR(ERR_TIMEOUT), LOG_MS("after_ms", -5),
        LOG_WORD("side", "dialled"));
    node_log_sink_clear(&sink);
    close(fds[1]);
    n = read(fds[0], out, cap - 1);
    close(fds[0]);
    CHECK(n >= 0);
    out[n] = '\0';
}

TEST(a_line_for_people)
{
    char line[512];

    written(NODE_LOG_HUMAN, LOG_WARN, line, sizeof(line));
    CHECK_STR(line, "2026-03-01T09:30:00.007Z warn  fed.peer.lost"
                    " peer=1a2b3c4d error=timeout after_ms=-5 side=dialled\n");
}

TEST(a_line_for_programs)
{
    char line[512];

    written(NODE_LOG_JSON, LOG_ERROR, line, sizeof(line));
    CHECK_STR(line,
              "{\"time\":\"2026-03-01T09:30:00.007Z\",\"level\":\"error\","
              "\"event\":\"fed.peer.lost\",\"peer\":\"1a2b3c4d\","
              "\"error\":\"timeout\",\"after_ms\":-5,\"side\":\"dialled\"}\n");
}

TEST(below_the_level_nothing_is_written)
{
    char line[512];

    written(NODE_LOG_HUMAN, LOG_DEBUG, line, sizeof(line));
    CHECK_STR(line, "");
}

int
main(void)
{
    return RUN(T(a_line_for_people), T(a_line_for_programs),
               T(below_the_level_nothing_is_written));
}
