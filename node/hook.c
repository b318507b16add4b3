/* SPDX-License-Identifier: Apache-2.0 */
#include "node/hook.h"

#include "store/journal.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static const char CURSOR[] = "node.hook";

enum {
    BATCH = 64,
    COMMAND_MAX = NODE_CONFIG_TEXT + 8,
    RUN_MAX_MS = 60 * 1000,
    PIECE_MS = 20,
    SHELL_FAILED = 127, /* as a shell says it */
    SHELL_SIGNAL = 128
};

struct node_hook {
    struct node_api *api;
    pthread_t thread;
    char command[COMMAND_MAX];
};

/* One row of the journal, copied out of its transaction. */
struct event {
    uint64_t seq;
    uint16_t kind;
    uint64_t n;
    char about[PROTO_HEX_MAX + 1];
};

struct batch {
    struct store_txn *txn;
    struct event events[BATCH];
    size_t len;
};

static const char *
word(uint16_t kind)
{
    switch (kind) {
    case NODE_EVENT_MESSAGE:
        return "message";
    case NODE_EVENT_REQUEST:
        return "request";
    case NODE_EVENT_CLINIC:
        return "clinic";
    case NODE_EVENT_LINK_USED:
        return "link-used";
    case NODE_EVENT_PATIENT:
        return "patient";
    case NODE_EVENT_REPORTED:
        return "reported";
    case NODE_EVENT_OVERDUE:
        return "overdue";
    default:
        return NULL;
    }
}

/* What we wrote ourselves is no news. */
static bool
is_ours(struct store_txn *txn, const struct store_event *ev)
{
    struct store_msg m = {0};
    bool ours = ev->kind == NODE_EVENT_MESSAGE &&
                store_msg_get(txn, ev->n, &m) == OK &&
                !store_actor_outside(&m.author);

    store_msg_clear(&m);
    return ours;
}

static enum err
each_event(void *ctx, const struct store_event *ev)
{
    struct batch *b = ctx;
    struct event *e = &b->events[b->len++];

    e->seq = ev->seq;
    e->kind = is_ours(b->txn, ev) ? 0 : ev->kind;
    e->n = ev->n;
    proto_hex(ev->a, e->about);
    return OK;
}

static bool
is_stopping(struct node_api *api)
{
    bool yes;

    (void)pthread_mutex_lock(&api->journal_mx);
    yes = api->stopping;
    (void)pthread_mutex_unlock(&api->journal_mx);
    return yes;
}

/* The command's end; one that hangs is ended, as it holds those after it. */
static int
wait_end(const struct node_hook *h, pid_t pid)
{
    struct timespec pause = {0, PIECE_MS * 1000000L};
    int status = 0;
    pid_t done = 0;

    for (int i = 0; i < RUN_MAX_MS / PIECE_MS && !is_stopping(h->api); i++) {
        done = waitpid(pid, &status, WNOHANG);
        if (done != 0 && !(done < 0 && errno == EINTR)) {
            return status;
        }
        (void)nanosleep(&pause, NULL);
    }
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        continue;
    }
    return status;
}

static void
run(const struct node_hook *h, const struct event *e)
{
    char number[24];
    char *const env[] = {(char[]){"PATH=/usr/local/bin:/usr/bin:/bin"}, NULL};
    char sh[] = "sh";
    char flag[] = "-c";
    char name[] = "balsam";
    char event[16];
    char about[PROTO_HEX_MAX + 1];
    char command[COMMAND_MAX];
    char *const argv[] = {sh, flag, command, name, event, about, number, NULL};
    pid_t pid;
    int rc;
    int status = 0;

    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)e->n);
    (void)snprintf(event, sizeof(event), "%s", word(e->kind));
    memcpy(about, e->about, sizeof(about));
    memcpy(command, h->command, sizeof(command));
    rc = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, env);
    if (rc == 0) {
        status = wait_end(h, pid);
    }
    atomic_store(&h->api->hook_ended, rc != 0             ? SHELL_FAILED
                                      : WIFEXITED(status) ? WEXITSTATUS(status)
                                      : WIFSIGNALED(status)
                                          ? SHELL_SIGNAL + WTERMSIG(status)
                                          : 0);
    if (rc != 0 || status != 0) {
        LOG(h->api->log, LOG_WARN, "node.hook.failed", LOG_NUM("errno", rc),
            LOG_NUM("status", status));
    }
}

static enum err
read_batch(const struct node_hook *h, uint64_t after, struct batch *b)
{
    enum err e;

    b->len = 0;
    TRY(store_read_begin(h->api->store, &b->txn));
    TRY(store_journal_read(b->txn, after, BATCH, each_event, b));
out:
    store_read_end(b->txn);
    b->txn = NULL;
    return e;
}

static enum err
write_cursor(void *ctx, struct store_txn *txn)
{
    return store_cursor_put(txn, CURSOR, *(const uint64_t *)ctx);
}

/* Where it stopped; a new consumer starts with what is new. */
static enum err
first(const struct node_hook *h, uint64_t *after)
{
    enum err e;
    struct store_txn *txn = NULL;

    TRY(store_read_begin(h->api->store, &txn));
    TRY(store_cursor_get(txn, CURSOR, after));
    if (*after == 0) {
        TRY(store_journal_last(txn, after));
    }
out:
    store_read_end(txn);
    return e;
}

/* Wait for more; false when the node stops. */
static bool
wait_more(struct node_api *api, uint64_t after)
{
    bool stopping;

    (void)pthread_mutex_lock(&api->journal_mx);
    while (api->journal_seq <= after && !api->stopping) {
        (void)pthread_cond_wait(&api->journal_cond, &api->journal_mx);
    }
    stopping = api->stopping;
    (void)pthread_mutex_unlock(&api->journal_mx);
    return !stopping;
}

static void *
hook_thread(void *ctx)
{
    struct node_hook *h = ctx;
    struct batch b = {0};
    uint64_t after = 0;
    enum err e = first(h, &after);

    while (e == OK && wait_more(h->api, after)) {
        e = read_batch(h, after, &b);
        for (size_t i = 0; e == OK && i < b.len; i++) {
            if (word(b.events[i].kind) != NULL) {
                run(h, &b.events[i]);
            }
            after = b.events[i].seq;
        }
        if (e == OK && b.len > 0) {
            e = store_write(h->api->store, write_cursor, &after,
                            STORE_JOB_FREES);
        }
    }
    if (e != OK) {
        LOG(h->api->log, LOG_ERROR, "node.hook.ended", LOG_ERR(e));
    }
    return NULL;
}

enum err
node_hook_start(struct node_api *api, const char *command,
                struct node_hook **out)
{
    struct node_hook *h = mem_alloc(api->mem, sizeof(*h));

    if (h == NULL) {
        return ERR_NOMEM;
    }
    h->api = api;
    (void)snprintf(h->command, sizeof(h->command), "%s \"$@\"", command);
    if (pthread_create(&h->thread, NULL, hook_thread, h) != 0) {
        mem_free(api->mem, h, sizeof(*h));
        return ERR_IO;
    }
    *out = h;
    return OK;
}

void
node_hook_stop(struct node_hook *hook)
{
    if (hook != NULL) {
        (void)pthread_join(hook->thread, NULL);
        mem_free(hook->api->mem, hook, sizeof(*hook));
    }
}
