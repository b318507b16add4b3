/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/apart.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* What ends it is seen by who waits, whatever a debugging tool had in mind. */
static void
die_of_signals(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        (void)signal(signals[i], SIG_DFL);
    }
}

bool
tool_apart(enum tool_exit (*work)(void *ctx), void *ctx, enum tool_exit *code)
{
    int status = 0;
    pid_t pid;
    pid_t got;

    (void)fflush(stdout);
    (void)fflush(stderr);
    pid = fork();
    if (pid == 0) {
        enum tool_exit end;

        die_of_signals();
        end = work(ctx);
        (void)fflush(stdout);
        _exit((int)end);
    }
    if (pid < 0) {
        *code = work(ctx);
        return true;
    }
    do {
        got = waitpid(pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    *code = (enum tool_exit)(WIFEXITED(status) ? WEXITSTATUS(status)
                                               : TOOL_EXIT_FAILED);
    return got == pid && WIFEXITED(status);
}
