/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping connections: a root that is wanted and not connected is tried at all
 * its addresses in turn, then again after a back-off.  An attempt lives from
 * its first look-up to the link that came up or its last failure; its steps
 * run on the reaper, so they never overlap.
 */
#include "federation/backoff.h"
#include "federation/net_impl.h"

#include "proto/base/assert.h"

#include <string.h>

enum {
    STEADY_MS = 30000, /* a link that lasted this long was no failure */
    RETURN_MS = 2000   /* our network is back: everyone within this */
};

static void
free_addrs(const struct fed_net *net, struct fed_addrs *s)
{
    mem_free(net->mem, s->a, s->n * sizeof(*s->a));
    *s = (struct fed_addrs){0};
}

static enum err
copy_addrs(const struct fed_net *net, const struct fed_addr *a, size_t n,
           struct fed_addrs *out)
{
    struct fed_addr *p = mem_calloc(net->mem, n, sizeof(*p));

    if (p == NULL) {
        return ERR_NOMEM;
    }
    memcpy(p, a, n * sizeof(*p));
    free_addrs(net, out);
    *out = (struct fed_addrs){p, n};
    return OK;
}

static bool
same_addrs(const struct fed_addrs *s, const struct fed_addr *a, size_t n)
{
    bool same = s->n == n;

    for (size_t i = 0; same && i < n; i++) {
        same =
            s->a[i].port == a[i].port && strcmp(s->a[i].host, a[i].host) == 0;
    }
    return same;
}

static uint64_t
random_of(const struct fed_net *net)
{
    uint64_t r = 0;

    if (rng_fill(net->rng, (uint8_t *)&r, sizeof(r)) != OK) {
        r = 0; /* jitter only */
    }
    return r;
}

/* How long to wait now; scaled for tests. */
static uint64_t
backoff(const struct fed_net *net, const struct fed_want *want)
{
    return fed_backoff_ms(want->failures + want->shorts, random_of(net)) *
           net->env.tuning.backoff_min_ms / FED_BACKOFF_MIN_MS;
}

/* ------------------------------------------------------------- wishes */
static enum err
wish(struct fed_net *net, const struct clinic_id *root,
     const struct fed_addr *addrs, size_t n, bool standing)
{
    enum err e = OK;
    struct fed_entry *entry;

    if (n == 0 || clinic_id_equal(root, &net->root)) {
        return ERR_INVALID;
    }
    if (n > FED_DIAL_ADDRS) {
        return ERR_LIMIT;
    }
    pthread_mutex_lock(&net->mx);
    TRY(net->stopping ? ERR_STATE : OK);
    entry = fed_peers_entry(net, root, true);
    TRY(entry == NULL ? ERR_NOMEM : OK);
    if (standing && entry->want.standing &&
        same_addrs(&entry->want.addrs, addrs, n)) {
        goto out; /* said before: the back-off goes on */
    }
    e = copy_addrs(net, addrs, n,
                   standing ? &entry->want.addrs : &entry->want.once);
    if (e == OK && standing) {
        net->standing += entry->want.standing ? 0 : 1;
        entry->want.standing = true;
        entry->want.failures = 0;
        entry->want.shorts = 0;
        entry->want.due_ms = 0;
    }
    fed_peers_tidy(net, root);
out:
    pthread_mutex_unlock(&net->mx);
    if (e == OK) {
        fed_sweeper_wake(net);
    }
    return e;
}

enum err
fed_net_dial(struct fed_net *net, const struct clinic_id *root,
             const struct fed_addr *addrs, size_t addrs_len)
{
    return wish(net, root, addrs, addrs_len, true);
}

enum err
fed_net_dial_once(struct fed_net *net, const struct clinic_id *root,
                  const struct fed_addr *addrs, size_t addrs_len)
{
    return wish(net, root, addrs, addrs_len, false);
}

static void
cancel(struct fed_net *net, struct fed_attempt *a)
{
    a->cancelled = true;
    if (a->dialing != NULL) {
        net->io->cancel(net->io->ctx, a->dialing);
    }
}

/* mx is held. */
static void
forget(struct fed_net *net, struct fed_entry *entry)
{
    net->standing -= entry->want.standing ? 1 : 0;
    entry->want.standing = false;
    free_addrs(net, &entry->want.addrs);
    free_addrs(net, &entry->want.once);
    if (entry->attempt != NULL) {
        cancel(net, entry->attempt);
    }
}

void
fed_net_undial(struct fed_net *net, const struct clinic_id *root)
{
    struct fed_entry *entry;

    pthread_mutex_lock(&net->mx);
    entry = fed_peers_entry(net, root, false);
    if (entry != NULL) {
        forget(net, entry);
        fed_peers_tidy(net, root);
    }
    pthread_mutex_unlock(&net->mx);
}

void
fed_net_poke(struct fed_net *net, const struct clinic_id *root)
{
    struct fed_entry *entry;

    pthread_mutex_lock(&net->mx);
    entry = fed_peers_entry(net, root, false);
    if (entry != NULL && entry->want.standing) {
        entry->want.failures = 0;
        entry->want.shorts = 0;
        entry->want.due_ms = 0;
    }
    pthread_mutex_unlock(&net->mx);
    if (entry != NULL) {
        fed_sweeper_wake(net);
    }
}

void
fed_dialer_stop(struct fed_net *net)
{
    pthread_mutex_lock(&net->mx);
    for (size_t i = 0; i < FED_BUCKETS; i++) {
        struct fed_entry *entry = net->buckets[i];

        while (entry != NULL) {
            struct fed_entry *next = entry->next;

            forget(net, entry);
            fed_peers_tidy(net, &entry->root);
            entry = next;
        }
    }
    pthread_mutex_unlock(&net->mx);
}

/* ----------------------------------------------------------- attempts */
static void
free_attempt(struct fed_net *net, struct fed_attempt *a)
{
    free_addrs(net, &a->addrs);
    mem_free(net->mem, a, sizeof(*a));
}

/* mx is held. */
static struct fed_attempt *
new_attempt(struct fed_net *net, struct fed_entry *entry)
{
    struct fed_attempt *a = mem_alloc(net->mem, sizeof(*a));

    if (a == NULL) {
        return NULL;
    }
    a->net = net;
    a->root = entry->root;
    if (entry->want.once.n > 0) {
        a->addrs = entry->want.once;
        entry->want.once = (struct fed_addrs){0};
    } else if (copy_addrs(net, entry->want.addrs.a, entry->want.addrs.n,
                          &a->addrs) != OK) {
        mem_free(net->mem, a, sizeof(*a));
        return NULL;
    }
    entry->attempt = a;
    net->attempts++;
    return a;
}

/* mx is held.  The attempt is over and its entry free of it. */
static void
detach(struct fed_net *net, struct fed_attempt *a, struct fed_entry *entry)
{
    entry->attempt = NULL;
    net->attempts--;
    free_attempt(net, a);
    fed_sweeper_wake(net); /* another one may begin */
}

static void
finish(struct fed_attempt *a)
{
    struct fed_net *net = a->net;
    struct clinic_id root = a->root;
    enum fed_why why = a->why;
    uint64_t retry_ms = 0;
    struct fed_entry *entry;
    bool report;

    pthread_mutex_lock(&net->mx);
    entry = fed_peers_entry(net, &root, false);
    ASSERT(entry != NULL && entry->attempt == a);
    report = !a->cancelled && entry->current == NULL &&
             entry->waiting == NULL && entry->want.once.n == 0;
    if (entry->want.standing && entry->current == NULL) {
        entry->want.failures++;
        retry_ms = backoff(net, &entry->want);
        entry->want.due_ms = clock_mono_ms(net->clock) + retry_ms;
    }
    detach(net, a, entry);
    fed_peers_tidy(net, &root);
    pthread_mutex_unlock(&net->mx);
    if (report) {
        LOG(net->log, LOG_INFO, "fed.dial.failed",
            LOG_TAG("peer", log_tag_of(clinic_id_view(&root))),
            LOG_NUM("why", why), LOG_MS("retry_ms", retry_ms));
        if (net->user.on_dial_failed != NULL) {
            net->user.on_dial_failed(net->user.ctx, &root, why, retry_ms);
        }
    }
    pthread_mutex_lock(&net->mx);
    fed_net_note_idle(net);
    pthread_mutex_unlock(&net->mx);
}

/* Someone answered and was wrong: that says more than a silent address. */
static void
note(struct fed_attempt *a, enum fed_why why)
{
    switch ((int)a->why) {
    case FED_WHY_WRONG_PEER:
    case FED_WHY_NOT_ACCEPTED:
    case FED_WHY_OUTDATED:
    case FED_WHY_OLD_PEER:
    case FED_WHY_EXPIRED:
    case FED_WHY_EXPIRED_PEER:
        break;
    default:
        a->why = why;
    }
}

/* No use in going on: cancelled, or connected in the meantime. */
static bool
moot(struct fed_attempt *a)
{
    struct fed_net *net = a->net;
    const struct fed_entry *entry;
    bool moot;

    pthread_mutex_lock(&net->mx);
    entry = fed_peers_entry(net, &a->root, false);
    moot = a->cancelled || net->stopping || entry->current != NULL ||
           entry->waiting != NULL;
    pthread_mutex_unlock(&net->mx);
    return moot;
}

static void
on_resolved(void *ctx, enum err e, const struct fed_ip *ips, size_t n)
{
    struct fed_attempt *a = ctx;

    a->step_e = e;
    a->ips_n = n;
    a->ip_i = 0;
    memcpy(a->ips, ips, n * sizeof(*ips));
    fed_reaper_attempt(a);
}

static void
on_dial(void *ctx, enum err e, struct fed_stream *s)
{
    struct fed_attempt *a = ctx;

    a->step_e = e;
    a->stream = s;
    fed_reaper_attempt(a);
}

/* Try what comes next until a step is under way or nothing is left. */
static void
advance(struct fed_attempt *a)
{
    struct fed_net *net = a->net;
    struct fed_resolve_user resolve_user = {on_resolved, a};
    struct fed_dial_user dial_user = {on_dial, a};

    while (!moot(a)) {
        struct fed_dialing *d = NULL;

        if (a->ip_i < a->ips_n) {
            const struct fed_ip *ip = &a->ips[a->ip_i++];

            if (net->io->dial(net->io->ctx, ip, net->env.tuning.connect_ms,
                              &dial_user, &d) == OK) {
                pthread_mutex_lock(&net->mx);
                a->dialing = d;
                if (a->cancelled) {
                    net->io->cancel(net->io->ctx, d);
                }
                pthread_mutex_unlock(&net->mx);
                return;
            }
            note(a, FED_WHY_NO_MEMORY);
            continue;
        }
        if (a->addr_i == a->addrs.n) {
            break;
        }
        a->ips_n = 0;
        if (fed_resolve(net->resolver, &a->addrs.a[a->addr_i++],
                        &resolve_user) == OK) {
            return;
        }
        note(a, FED_WHY_NO_ADDRESS);
    }
    finish(a);
}

static enum fed_why
why_of_dial(enum err e)
{
    return e == ERR_TIMEOUT   ? FED_WHY_TIMEOUT
           : e == ERR_MISSING ? FED_WHY_REFUSED
           : e == ERR_NOMEM   ? FED_WHY_NO_MEMORY
                              : FED_WHY_LOST;
}

void
fed_dialer_step(struct fed_attempt *a)
{
    struct fed_net *net = a->net;
    struct fed_stream *stream = a->stream;
    struct fed_dialing *d;

    a->stream = NULL;
    pthread_mutex_lock(&net->mx);
    d = a->dialing;
    a->dialing = NULL;
    pthread_mutex_unlock(&net->mx);
    if (d == NULL) { /* it was a look-up */
        if (a->step_e != OK) {
            note(a, FED_WHY_NO_ADDRESS);
        }
        advance(a);
        return;
    }
    net->io->undial(net->io->ctx, d);
    if (stream != NULL && moot(a)) {
        stream->ops->free(stream);
        finish(a);
    } else if (stream != NULL) {
        if (fed_link_open(net, stream, &a->root, a) != OK) {
            note(a, FED_WHY_NO_MEMORY);
            advance(a);
        }
    } else {
        note(a, why_of_dial(a->step_e));
        advance(a);
    }
}

/* It answered and then went away: it does not want us. */
static enum fed_why
why_of_link(enum fed_why why)
{
    return why == FED_WHY_CLOSED_THERE || why == FED_WHY_LOST
               ? FED_WHY_NOT_ACCEPTED
               : why;
}

void
fed_dialer_link_failed(struct fed_attempt *a, enum fed_why why)
{
    note(a, why_of_link(why));
    advance(a);
}

void
fed_dialer_stream_failed(struct fed_link *l)
{
    struct fed_net *net = l->net;
    const struct fed_entry *entry;
    bool moot;

    pthread_mutex_lock(&net->mx);
    entry = fed_peers_entry(net, &l->expected, false);
    moot = net->stopping || (entry != NULL && entry->current != NULL);
    pthread_mutex_unlock(&net->mx);
    if (!moot && net->user.on_dial_failed != NULL) {
        net->user.on_dial_failed(net->user.ctx, &l->expected,
                                 why_of_link(l->conn.why), 0);
    }
}

/* ---------------------------------------------------------- schedule */
static bool
is_due(const struct fed_entry *e, uint64_t now_ms)
{
    if (e->current != NULL || e->waiting != NULL || e->attempt != NULL) {
        return false;
    }
    return e->want.once.n > 0 || (e->want.standing && e->want.due_ms <= now_ms);
}

uint64_t
fed_dialer_run(struct fed_net *net, uint64_t now_ms, uint64_t limit_ms)
{
    struct fed_attempt *begun = NULL;

    pthread_mutex_lock(&net->mx);
    for (size_t i = 0; i < FED_BUCKETS && !net->stopping; i++) {
        for (struct fed_entry *e = net->buckets[i]; e != NULL; e = e->next) {
            struct fed_attempt *a;

            if (e->want.standing && e->want.due_ms > now_ms &&
                e->want.due_ms < limit_ms) {
                limit_ms = e->want.due_ms;
            }
            if (!is_due(e, now_ms) ||
                net->attempts >= net->env.tuning.dials_max) {
                continue;
            }
            a = new_attempt(net, e);
            if (a != NULL) {
                a->next_job = begun;
                begun = a;
            }
        }
    }
    pthread_mutex_unlock(&net->mx);
    while (begun != NULL) {
        struct fed_attempt *a = begun;

        begun = a->next_job;
        a->next_job = NULL;
        fed_reaper_attempt(a); /* as if an empty look-up had ended */
    }
    return limit_ms;
}

void
fed_dialer_link_up(struct fed_link *l)
{
    struct fed_net *net = l->net;
    struct fed_want *want = &l->entry->want;
    uint64_t now = clock_mono_ms(net->clock);

    free_addrs(net, &want->once);
    want->failures = 0;
    if (!l->dialled) {
        return;
    }
    if (l->attempt != NULL) {
        detach(net, l->attempt, l->entry);
        l->attempt = NULL;
    }
    if (net->stats.peers > 1) {
        return;
    }
    /* The first that answers: perhaps it was our own network that was down. */
    for (size_t i = 0; i < FED_BUCKETS; i++) {
        for (struct fed_entry *e = net->buckets[i]; e != NULL; e = e->next) {
            uint64_t soon = now + random_of(net) % RETURN_MS;

            if (e->want.standing && e->want.due_ms > soon) {
                e->want.due_ms = soon;
            }
        }
    }
    fed_sweeper_wake(net);
}

void
fed_dialer_link_down(struct fed_entry *e, const struct fed_link *l)
{
    struct fed_net *net = l->net;
    uint64_t now = clock_mono_ms(net->clock);

    if (e->want.standing) {
        /* A peer that takes us and closes at once is tried ever less often. */
        e->want.shorts = now - l->up_ms >= STEADY_MS ? 1 : e->want.shorts + 1;
        e->want.due_ms = now + backoff(net, &e->want);
        fed_sweeper_wake(net);
    }
}
