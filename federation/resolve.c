/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads are detached and hold a reference each, because a look-up in the
 * system cannot be cancelled: freeing the resolver answers the questions and
 * leaves the last thread to give the memory back.
 */
#include "federation/resolve.h"

#include "proto/base/assert.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

enum {
    QUESTIONS_MAX = 1024,
    CACHE_MAX = 512,
    THREADS_MAX = 8,
    KEEP_MS = 60000,
    KEEP_FAILURE_MS = 5000
};

struct answer {
    struct answer *next;
    char host[FED_HOST_MAX + 1];
    uint64_t until_ms;
    enum err e;
    size_t n;
    struct fed_ip ips[FED_RESOLVE_MAX];
};

struct question {
    struct question *next;
    struct fed_addr addr;
    struct fed_resolve_user user;
    bool told;
};

struct fed_resolver {
    const struct mem *mem;
    const struct clock *clock;
    struct fed_lookup lookup;
    pthread_mutex_t mx;
    pthread_cond_t cv;
    pthread_cond_t left; /* a thread is about to end */
    struct question *head, *tail;
    struct question *busy; /* being looked up */
    size_t questions;
    struct answer *cache; /* newest first */
    size_t cached;
    size_t refs;
    size_t threads; /* running; started when there is something to do */
    size_t threads_max;
    size_t idle; /* of them, waiting for a question */
    bool closed;
};

static size_t
add_ip(const struct addrinfo *a, struct fed_ip *out)
{
    *out = (struct fed_ip){0};
    if (a->ai_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)a->ai_addr;

        out->family = 4;
        memcpy(out->b, &in->sin_addr, 4);
    } else if (a->ai_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)a->ai_addr;

        out->family = 6;
        memcpy(out->b, &in->sin6_addr, 16);
    } else {
        return 0;
    }
    return 1;
}

/* Take turns between the families, so that a broken one costs one try. */
static size_t
interleave(const struct addrinfo *list, struct fed_ip *out, size_t cap)
{
    const struct addrinfo *next[2] = {list, list};
    static const int family[2] = {AF_INET6, AF_INET};
    size_t n = 0;
    int turn = list != NULL && list->ai_family == AF_INET ? 1 : 0;

    while (n < cap && (next[0] != NULL || next[1] != NULL)) {
        const struct addrinfo **at = &next[turn];

        while (*at != NULL && (*at)->ai_family != family[turn]) {
            *at = (*at)->ai_next;
        }
        if (*at != NULL) {
            n += add_ip(*at, &out[n]);
            *at = (*at)->ai_next;
        }
        turn = 1 - turn;
    }
    return n;
}

static enum err
system_lookup(void *ctx, const char *host, struct fed_ip *out, size_t cap,
              size_t *n_out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    int rv = getaddrinfo(host, NULL, &hints, &list);

    (void)ctx;
    if (rv != 0) {
        return rv == EAI_NONAME || rv == EAI_NODATA || rv == EAI_FAIL
                   ? ERR_MISSING
                   : ERR_AGAIN;
    }
    *n_out = interleave(list, out, cap);
    freeaddrinfo(list);
    return *n_out > 0 ? OK : ERR_MISSING;
}

static void
drop_answer(struct fed_resolver *r, struct answer **at)
{
    struct answer *a = *at;

    *at = a->next;
    mem_free(r->mem, a, sizeof(*a));
    r->cached--;
}

/* The last reference gives everything back; r->mx is held and released. */
static void
unref_locked(struct fed_resolver *r)
{
    bool last = --r->refs == 0;

    pthread_cond_broadcast(&r->left);
    pthread_mutex_unlock(&r->mx);
    if (last) {
        while (r->cache != NULL) {
            drop_answer(r, &r->cache);
        }
        pthread_mutex_destroy(&r->mx);
        pthread_cond_destroy(&r->cv);
        pthread_cond_destroy(&r->left);
        mem_free(r->mem, r, sizeof(*r));
    }
}

static struct answer *
find_cached(struct fed_resolver *r, const char *host)
{
    struct answer **at = &r->cache;
    uint64_t now = clock_mono_ms(r->clock);

    while (*at != NULL) {
        if ((*at)->until_ms <= now) {
            drop_answer(r, at);
        } else if (strcmp((*at)->host, host) == 0) {
            return *at;
        } else {
            at = &(*at)->next;
        }
    }
    return NULL;
}

static void
remember(struct fed_resolver *r, const struct answer *answer)
{
    struct answer **at = &r->cache;
    struct answer *a = mem_alloc(r->mem, sizeof(*a));

    if (a == NULL) {
        return; /* only a cache */
    }
    *a = *answer;
    a->next = r->cache;
    r->cache = a;
    if (++r->cached > CACHE_MAX) {
        while ((*at)->next != NULL) {
            at = &(*at)->next;
        }
        drop_answer(r, at);
    }
}

static void
tell(const struct fed_resolve_user *user, const struct answer *a, uint16_t port)
{
    struct fed_ip ips[FED_RESOLVE_MAX];

    for (size_t i = 0; i < a->n; i++) {
        ips[i] = a->ips[i];
        ips[i].port = port;
    }
    user->on_resolved(user->ctx, a->e, ips, a->e == OK ? a->n : 0);
}

static void
look_up(struct fed_resolver *r, const struct question *q, struct answer *a)
{
    *a = (struct answer){.e = OK};
    memcpy(a->host, q->addr.host, sizeof(a->host));
    a->e = r->lookup.lookup(r->lookup.ctx, a->host, a->ips, FED_RESOLVE_MAX,
                            &a->n);
    a->until_ms =
        clock_mono_ms(r->clock) + (a->e == OK ? KEEP_MS : KEEP_FAILURE_MS);
}

/* Answer one question, unless that was done when closing; mx is held. */
static void
answer(struct fed_resolver *r, struct question *q)
{
    struct question **at = &r->busy;
    struct answer a;
    const struct answer *known = find_cached(r, q->addr.host);

    if (known != NULL) {
        a = *known;
    } else {
        q->next = r->busy;
        r->busy = q;
        pthread_mutex_unlock(&r->mx);
        look_up(r, q, &a);
        pthread_mutex_lock(&r->mx);
        while (*at != q) {
            at = &(*at)->next;
        }
        *at = q->next;
        if (!r->closed && find_cached(r, a.host) == NULL) {
            remember(r, &a);
        }
    }
    pthread_mutex_unlock(&r->mx);
    if (!q->told) {
        tell(&q->user, &a, q->addr.port);
    }
    mem_free(r->mem, q, sizeof(*q));
    pthread_mutex_lock(&r->mx);
}

static void *
work(void *arg)
{
    struct fed_resolver *r = arg;

    pthread_mutex_lock(&r->mx);
    while (!r->closed) {
        struct question *q = r->head;

        if (q == NULL) {
            r->idle++;
            pthread_cond_wait(&r->cv, &r->mx);
            r->idle--;
        } else {
            r->head = q->next;
            r->questions--;
            answer(r, q);
        }
    }
    unref_locked(r);
    return NULL;
}

/* One more; r->mx is held, on which it waits first. */
static bool
start_thread(struct fed_resolver *r)
{
    pthread_attr_t attr;
    pthread_t t;
    bool started;

    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    r->refs++;
    started =
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
        pthread_create(&t, &attr, work, r) == 0;
    if (started) {
        r->threads++;
    } else {
        r->refs--;
    }
    pthread_attr_destroy(&attr);
    return started;
}

/* Somebody to answer the next question; r->mx is held. */
static bool
have_thread(struct fed_resolver *r)
{
    if (r->questions < r->idle || r->threads == r->threads_max) {
        return true;
    }
    return start_thread(r) || r->threads > 0; /* one is enough to go on */
}

enum err
fed_resolver_new(const struct mem *mem, const struct clock *clock,
                 const struct fed_lookup *lookup, size_t threads,
                 struct fed_resolver **out)
{
    struct fed_resolver *r;

    ASSERT(threads >= 1 && threads <= THREADS_MAX);
    r = mem_alloc(mem, sizeof(*r));
    if (r == NULL) {
        return ERR_NOMEM;
    }
    r->mem = mem;
    r->clock = clock;
    r->lookup =
        lookup != NULL ? *lookup : (struct fed_lookup){system_lookup, NULL};
    r->refs = 1;
    pthread_mutex_init(&r->mx, NULL);
    pthread_cond_init(&r->cv, NULL);
    pthread_cond_init(&r->left, NULL);
    r->threads_max = threads;
    *out = r;
    return OK;
}

static enum err
ask(struct fed_resolver *r, const struct fed_addr *addr,
    const struct fed_resolve_user *user)
{
    struct question *q;

    if (!have_thread(r)) {
        return ERR_NOMEM;
    }
    q = mem_alloc(r->mem, sizeof(*q));
    if (q == NULL) {
        return ERR_NOMEM;
    }
    q->addr = *addr;
    q->user = *user;
    if (r->head == NULL) {
        r->head = q;
    } else {
        r->tail->next = q;
    }
    r->tail = q;
    r->questions++;
    pthread_cond_signal(&r->cv);
    return OK;
}

enum err
fed_resolve(struct fed_resolver *r, const struct fed_addr *addr,
            const struct fed_resolve_user *user)
{
    enum err e = OK;
    struct fed_ip ip;
    struct answer a;
    const struct answer *known;

    if (fed_addr_numeric(addr, &ip) == OK) {
        user->on_resolved(user->ctx, OK, &ip, 1);
        return OK;
    }
    pthread_mutex_lock(&r->mx);
    known = find_cached(r, addr->host);
    if (known != NULL) {
        a = *known;
    } else if (r->closed || r->questions >= QUESTIONS_MAX) {
        e = r->closed ? ERR_STATE : ERR_LIMIT;
    } else {
        e = ask(r, addr, user);
    }
    pthread_mutex_unlock(&r->mx);
    if (known != NULL) {
        tell(user, &a, addr->port);
    }
    return e;
}

/* One question that was not answered yet, or false; mx is held. */
static bool
next_untold(struct fed_resolver *r, struct fed_resolve_user *out)
{
    struct question *q = r->head;

    if (q != NULL) {
        *out = q->user;
        r->head = q->next;
        r->questions--;
        mem_free(r->mem, q, sizeof(*q));
        return true;
    }
    for (q = r->busy; q != NULL; q = q->next) {
        if (!q->told) {
            q->told = true; /* its thread gives it back */
            *out = q->user;
            return true;
        }
    }
    return false;
}

void
fed_resolver_close(struct fed_resolver *r)
{
    struct fed_resolve_user user;
    struct answer a = {.e = ERR_STATE};

    pthread_mutex_lock(&r->mx);
    r->closed = true;
    pthread_cond_broadcast(&r->cv);
    while (next_untold(r, &user)) {
        pthread_mutex_unlock(&r->mx);
        tell(&user, &a, 0);
        pthread_mutex_lock(&r->mx);
    }
    pthread_mutex_unlock(&r->mx);
}

/* How many threads hang in the system. */
static size_t
busy_count(const struct fed_resolver *r)
{
    size_t n = 0;

    for (const struct question *q = r->busy; q != NULL; q = q->next) {
        n++;
    }
    return n;
}

void
fed_resolver_free(struct fed_resolver *r)
{
    if (r != NULL) {
        fed_resolver_close(r);
        pthread_mutex_lock(&r->mx);
        while (r->refs > 1 + busy_count(r)) {
            pthread_cond_wait(&r->left, &r->mx);
        }
        unref_locked(r);
    }
}
