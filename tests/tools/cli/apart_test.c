/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/apart.h"

#include "tests/support/check.h"

#include <signal.h>
#include <unistd.h>

static enum tool_exit
answer(void *ctx)
{
    ++*(int *)ctx; /* not in the caller's memory */
    return TOOL_EXIT_WAITS;
}

static enum tool_exit
end_by(void *ctx)
{
    (void)raise(*(const int *)ctx);
    return TOOL_EXIT_OK;
}

TEST(what_it_returns_is_the_code)
{
    enum tool_exit code = TOOL_EXIT_OK;
    int n = 0;

    CHECK(tool_apart(answer, &n, &code));
    CHECK_EQ(code, TOOL_EXIT_WAITS);
    CHECK_EQ(n, 0);
}

TEST(a_signal_ends_it_and_not_us)
{
    static int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGKILL};

    for (size_t i = 0; i < 4; i++) {
        enum tool_exit code = TOOL_EXIT_OK;

        CHECK(!tool_apart(end_by, &signals[i], &code));
        CHECK_EQ(code, TOOL_EXIT_FAILED);
    }
}

int
main(void)
{
    return RUN(T(what_it_returns_is_the_code), T(a_signal_ends_it_and_not_us));
}
