/* SPDX-License-Identifier: Apache-2.0 */
#include "node/daemon.h"
#include "node/fatal.h"
#include "node/log_sink.h"
#include "node/sysclock.h"

#include <stdio.h>
#include <unistd.h>

extern char **environ;

/* See balsamd(8): the service starts again after 1 only. */
static int
exit_code(enum err e)
{
    switch ((int)e) {
    case OK:
        return 0;
    case ERR_MISSING: /* a node, or what a setting names */
        return 2;
    case ERR_STALE:
        return 3;
    default:
        return 1;
    }
}

int
main(int argc, char **argv)
{
    const struct mem *mem = mem_heap();
    struct node_config_input in = {argc, (const char *const *)argv,
                                   (const char *const *)environ};
    struct node_config config;
    struct node_log_sink sink;
    struct bytes problems = {0};
    char say[NODE_DAEMON_SAY];
    enum err e = node_config_read(mem, &in, &config, &problems);

    if (e == ERR_INVALID) {
        (void)fwrite(problems.p, 1, problems.len, stderr);
        bytes_free(&problems);
        return 2;
    }
    if (e != OK) {
        (void)fprintf(stderr, "balsamd: out of memory\n");
        return 1;
    }
    if (config.help) {
        (void)fprintf(stdout, "balsamd [settings]\n%s", node_config_help());
        return 0;
    }
    if (config.version) {
        (void)fprintf(stdout, "balsamd 0.1\n");
        return 0;
    }
    node_fatal_install();
    node_daemon_signals();
    node_log_sink_init(&sink, STDERR_FILENO, config.log_form, config.log_level,
                       node_sysclock());
    e = node_daemon_run(mem, &sink.log, &config, say);
    if (e != OK) {
        (void)fprintf(stderr, "balsamd: %s\n", say);
    }
    node_log_sink_clear(&sink);
    return exit_code(e);
}
