/* SPDX-License-Identifier: Apache-2.0 */
#include "node/fatal.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* Only calls that signal-safety(7) allows. */
static void
last_words(int signo)
{
    static const char disk[] =
        "balsamd: the data could not be read from the disk.  Check the disk, "
        "then run: balsam verify\n";
    static const char bug[] =
        "balsamd: an internal error.  Nothing that was acknowledged is lost; "
        "please report it.  If it comes again, the data may be damaged: stop "
        "the node and run: balsam verify\n";
    const char *say = signo == SIGBUS ? disk : bug;
    ssize_t n = write(STDERR_FILENO, say, strlen(say));

    (void)n;
    _exit(1);
}

void
node_fatal_install(void)
{
    static const int signals[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE};
    struct sigaction sa = {.sa_handler = last_words,
                           .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};

    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        (void)sigaction(signals[i], &sa, NULL);
    }
}
