/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmarks read out of answers and of /proc. */
#include "tools/bench/control.h"

#include "tests/support/check.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TEST(numbers_and_words_of_an_answer)
{
    const char *answer = "{\"id\":\"5c\",\"messages\":42,\"ok\":true}";
    char word[8];

    CHECK_EQ(tool_number_after(answer, "\"messages\":"), 42);
    CHECK_EQ(tool_number_after(answer, "\"commits\":"), 0);
    tool_word_after(answer, "\"id\":\"", word, sizeof(word));
    CHECK_STR(word, "5c");
}

static void *
answer_in_pieces(void *arg)
{
    static const char line[] = "{\"n\":1,\"ok\":true}\n{\"n\":2,\"ok\":true}\n";
    char request[16];
    int fd = *(const int *)arg;

    CHECK(read(fd, request, sizeof(request)) > 0);
    for (size_t i = 0; i < sizeof(line) - 1; i += 5) {
        size_t left = sizeof(line) - 1 - i;

        CHECK(write(fd, line + i, left < 5 ? left : 5) > 0);
    }
    return NULL;
}

/* Two lines that come in any pieces are heard one after the other. */
TEST(lines_come_whole)
{
    static struct tool_control c;
    int fds[2];
    pthread_t other;
    size_t used;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    c = (struct tool_control){.fd = fds[0]};
    CHECK_EQ(pthread_create(&other, NULL, answer_in_pieces, &fds[1]), 0);
    tool_control_write(&c, "?\n", 2);
    used = tool_control_hear(&c, 0);
    tool_control_must_be_ok(&c);
    CHECK_EQ(tool_number_after(c.line, "\"n\":"), 1);
    used = tool_control_hear(&c, used);
    CHECK_EQ(tool_number_after(c.line, "\"n\":"), 2);
    CHECK_EQ(used, c.have);
    CHECK_EQ(pthread_join(other, NULL), 0);
    close(fds[0]);
    close(fds[1]);
    CHECK_EQ(tool_control_try("/nobody/is/there"), -1);
}

TEST(what_a_process_costs)
{
    char pid[16];
    double cpu;
    double start = tool_now_s();

    (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
    cpu = tool_cpu_s(pid);
    while (tool_cpu_s(pid) <= cpu) { /* it moves on while we ask */
    }
    CHECK(tool_user_s(pid) <= tool_cpu_s(pid));
    CHECK(tool_now_s() > start);
    CHECK(tool_private_kib(pid) > 0);
}

int
main(void)
{
    return RUN(T(numbers_and_words_of_an_answer), T(lines_come_whole),
               T(what_a_process_costs));
}
