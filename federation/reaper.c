/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two threads.  The reaper frees links once their stream's callbacks have
 * ended and runs the steps of dials: whatever may wait, waits here and not in
 * a callback.  The sweeper looks once a second at every deadline and starts
 * dials when they are due.
 */
#include "federation/net_impl.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    SWEEP_BATCH = 256
};

void
fed_reaper_link(struct fed_link *l)
{
    struct fed_net *net = l->net;

    pthread_mutex_lock(&net->reaper_mx);
    l->next_dead = net->dead;
    net->dead = l;
    pthread_cond_signal(&net->reaper_cv);
    pthread_mutex_unlock(&net->reaper_mx);
}

void
fed_reaper_attempt(struct fed_attempt *a)
{
    struct fed_net *net = a->net;

    pthread_mutex_lock(&net->reaper_mx);
    a->next_job = net->jobs;
    net->jobs = a;
    pthread_cond_signal(&net->reaper_cv);
    pthread_mutex_unlock(&net->reaper_mx);
}

static void *
reap(void *arg)
{
    struct fed_net *net = arg;

    pthread_mutex_lock(&net->reaper_mx);
    for (;;) {
        struct fed_link *l = net->dead;
        struct fed_attempt *a = net->jobs;

        if (l != NULL) {
            net->dead = l->next_dead;
        } else if (a != NULL) {
            net->jobs = a->next_job;
        } else if (net->reaper_quit) {
            break;
        } else {
            pthread_cond_wait(&net->reaper_cv, &net->reaper_mx);
            continue;
        }
        pthread_mutex_unlock(&net->reaper_mx);
        if (l != NULL) {
            fed_link_reap(l);
        } else {
            fed_dialer_step(a);
        }
        pthread_mutex_lock(&net->reaper_mx);
    }
    pthread_mutex_unlock(&net->reaper_mx);
    return NULL;
}

void
fed_sweeper_wake(struct fed_net *net)
{
    uint64_t one = 1;
    ssize_t n;

    do { /* full means that it is awake already */
        n = write(net->wake_fd, &one, sizeof(one));
    } while (n < 0 && errno == EINTR);
}

/* Wait for a wake-up, at most ms. */
static void
rest(struct fed_net *net, uint64_t ms)
{
    struct pollfd p = {.fd = net->wake_fd, .events = POLLIN};
    uint64_t count;

    if (poll(&p, 1, (int)ms) > 0) {
        ssize_t n = read(net->wake_fd, &count, sizeof(count));

        (void)n; /* nothing to read: someone else's wake-up */
    }
}

static void
sweep_links(struct fed_net *net, uint64_t now)
{
    struct fed_link *batch[SWEEP_BATCH];
    uint64_t stop_by = atomic_load(&net->stop_by_ms);
    uint64_t after = 0;
    size_t n;

    do {
        n = fed_peers_all(net, after, batch, SWEEP_BATCH, &after);
        for (size_t i = 0; i < n; i++) {
            fed_link_sweep(batch[i], now);
            if (stop_by != 0 && now >= stop_by) {
                fed_conn_close(&batch[i]->conn, FED_WHY_SHUTDOWN, false);
            }
            fed_link_unref(batch[i]);
        }
    } while (n == SWEEP_BATCH);
}

static void *
sweep(void *arg)
{
    struct fed_net *net = arg;
    uint64_t every = net->env.tuning.sweep_ms;
    uint64_t next = clock_mono_ms(net->clock) + every;

    while (!atomic_load(&net->sweeper_quit)) {
        uint64_t now = clock_mono_ms(net->clock);
        uint64_t due;

        if (now >= next) {
            sweep_links(net, now);
            next = now + every;
        }
        due = fed_dialer_run(net, now, next);
        rest(net, due > now ? due - now : 0);
    }
    return NULL;
}

enum err
fed_reaper_start(struct fed_net *net)
{
    net->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (net->wake_fd < 0) {
        return ERR_IO;
    }
    if (pthread_create(&net->reaper, NULL, reap, net) != 0) {
        return ERR_NOMEM;
    }
    net->reaper_runs = true;
    if (pthread_create(&net->sweeper, NULL, sweep, net) != 0) {
        return ERR_NOMEM;
    }
    net->sweeper_runs = true;
    return OK;
}

void
fed_reaper_stop(struct fed_net *net)
{
    if (net->sweeper_runs) {
        atomic_store(&net->sweeper_quit, true);
        fed_sweeper_wake(net);
        pthread_join(net->sweeper, NULL);
    }
    if (net->reaper_runs) {
        pthread_mutex_lock(&net->reaper_mx);
        net->reaper_quit = true;
        pthread_cond_signal(&net->reaper_cv);
        pthread_mutex_unlock(&net->reaper_mx);
        pthread_join(net->reaper, NULL);
    }
    if (net->wake_fd >= 0) {
        close(net->wake_fd);
    }
}
