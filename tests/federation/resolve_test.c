/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/resolve.h"
#include "tests/support/check.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_ullong now_ms;

static uint64_t
fake_now(void *ctx)
{
    (void)ctx;
    return atomic_load(&now_ms);
}

static const struct clock fake_clock = {fake_now, fake_now, NULL};

/* A look-up that a test can hold, and which counts. */
struct dns {
    pthread_mutex_t mx;
    pthread_cond_t cv;
    int asked;
    bool held;
    enum err e;
};

static enum err
dns_lookup(void *ctx, const char *host, struct fed_ip *out, size_t cap,
           size_t *n_out)
{
    struct dns *d = ctx;
    enum err e;

    CHECK(cap >= 1 && host[0] != 0);
    pthread_mutex_lock(&d->mx);
    d->asked++;
    pthread_cond_broadcast(&d->cv);
    while (d->held) {
        pthread_cond_wait(&d->cv, &d->mx);
    }
    e = d->e;
    pthread_mutex_unlock(&d->mx);
    out[0] = (struct fed_ip){.family = 4, .b = {10, 0, 0, (uint8_t)host[0]}};
    *n_out = 1;
    return e;
}

struct answers {
    pthread_mutex_t mx;
    pthread_cond_t cv;
    int n;
    enum err e;
    struct fed_ip ip;
};

static void
on_resolved(void *ctx, enum err e, const struct fed_ip *ips, size_t n)
{
    struct answers *a = ctx;

    pthread_mutex_lock(&a->mx);
    a->n++;
    a->e = e;
    if (n > 0) {
        a->ip = ips[0];
    }
    pthread_cond_broadcast(&a->cv);
    pthread_mutex_unlock(&a->mx);
}

static void
wait_for(struct answers *a, int n)
{
    pthread_mutex_lock(&a->mx);
    while (a->n < n) {
        pthread_cond_wait(&a->cv, &a->mx);
    }
    pthread_mutex_unlock(&a->mx);
}

#define LOCKS PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER

/* Of this process. */
static int
threads(void)
{
    DIR *d = opendir("/proc/self/task");
    int n = 0;

    CHECK(d != NULL);
    while (readdir(d) != NULL) {
        n++;
    }
    closedir(d);
    return n - 2;
}

/* Of our threads: whether it is neither asleep nor this one. */
static bool
is_busy(const char *tid)
{
    char path[300];
    char line[128] = "";
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%s/stat", tid);
    f = fopen(path, "r");
    if (f == NULL) {
        return false; /* it has ended */
    }
    CHECK(fgets(line, sizeof(line), f) != NULL || feof(f));
    fclose(f);
    return atoi(tid) != (int)gettid() && strstr(line, ") S ") == NULL;
}

/* Until every other thread waits for something. */
static void
until_quiet(void)
{
    bool busy = true;

    while (busy) {
        DIR *d = opendir("/proc/self/task");
        const struct dirent *at;

        CHECK(d != NULL);
        busy = false;
        while ((at = readdir(d)) != NULL) {
            busy = busy || (at->d_name[0] != '.' && is_busy(at->d_name));
        }
        closedir(d);
        sched_yield();
    }
}

static void
until_asked(struct dns *d, int n)
{
    pthread_mutex_lock(&d->mx);
    while (d->asked < n) {
        pthread_cond_wait(&d->cv, &d->mx);
    }
    pthread_mutex_unlock(&d->mx);
}

static void
let_go(struct dns *d)
{
    pthread_mutex_lock(&d->mx);
    d->held = false;
    pthread_cond_broadcast(&d->cv);
    pthread_mutex_unlock(&d->mx);
}

/* The first test: no thread of another one is about to end. */
TEST(threads_come_with_questions)
{
    static struct dns d = {LOCKS, 0, true, OK};
    static struct answers a = {LOCKS, 0, OK, {0}};
    struct fed_lookup lookup = {dns_lookup, &d};
    struct fed_resolve_user user = {on_resolved, &a};
    struct fed_addr addr = {"10.0.0.1", 5};
    struct fed_resolver *r;
    int before = threads();
    int one;

    CHECK_OK(fed_resolver_new(mem_heap(), &fake_clock, &lookup, 2, &r));
    CHECK_OK(fed_resolve(r, &addr, &user));
    CHECK_EQ(threads(), before);
    memcpy(addr.host, "q0", 3);
    CHECK_OK(fed_resolve(r, &addr, &user));
    one = threads(); /* TSan has one of its own from the first on */
    CHECK(one > before);
    for (int i = 0; i < 3; i++) {
        addr.host[1]++;
        CHECK_OK(fed_resolve(r, &addr, &user));
        CHECK_EQ(threads(), one + 1); /* two at most */
    }
    until_asked(&d, 2);
    let_go(&d);
    wait_for(&a, 5);
    CHECK_EQ(d.asked, 4);
    fed_resolver_free(r);
}

TEST(who_waits_is_asked_first)
{
    static struct dns d = {LOCKS, 0, false, OK};
    static struct answers a = {LOCKS, 0, OK, {0}};
    struct fed_lookup lookup = {dns_lookup, &d};
    struct fed_resolve_user user = {on_resolved, &a};
    struct fed_addr addr = {"a", 5};
    struct fed_resolver *r;
    int one = 0;

    CHECK_OK(fed_resolver_new(mem_heap(), &fake_clock, &lookup, 8, &r));
    for (int i = 1; i <= 5; i++) {
        addr.host[0]++;
        CHECK_OK(fed_resolve(r, &addr, &user));
        wait_for(&a, i);
        until_quiet();
        one = i == 1 ? threads() : one;
        CHECK_EQ(threads(), one);
    }
    fed_resolver_free(r);
}

TEST(numbers_need_no_look_up)
{
    static struct dns d = {LOCKS, 0, false, OK};
    static struct answers a = {LOCKS, 0, OK, {0}};
    struct fed_lookup lookup = {dns_lookup, &d};
    struct fed_resolve_user user = {on_resolved, &a};
    struct fed_addr addr = {"::1", 99};
    struct fed_resolver *r;

    CHECK_OK(fed_resolver_new(mem_heap(), &fake_clock, &lookup, 1, &r));
    CHECK_OK(fed_resolve(r, &addr, &user));
    CHECK_EQ(a.n, 1);
    CHECK_EQ(a.ip.family, 6);
    CHECK_EQ(a.ip.port, 99);
    CHECK_EQ(d.asked, 0);
    fed_resolver_free(r);
}

TEST(answers_are_kept_a_while)
{
    static struct dns d = {LOCKS, 0, false, OK};
    static struct answers a = {LOCKS, 0, OK, {0}};
    struct fed_lookup lookup = {dns_lookup, &d};
    struct fed_resolve_user user = {on_resolved, &a};
    struct fed_addr addr = {"abc", 5};
    struct fed_resolver *r;

    CHECK_OK(fed_resolver_new(mem_heap(), &fake_clock, &lookup, 2, &r));
    CHECK_OK(fed_resolve(r, &addr, &user));
    wait_for(&a, 1);
    CHECK_OK(a.e);
    CHECK_EQ(a.ip.b[3], 'a');
    addr.port = 6;
    CHECK_OK(fed_resolve(r, &addr, &user));
    CHECK_EQ(a.n, 2); /* at once, with the other port */
    CHECK_EQ(a.ip.port, 6);
    CHECK_EQ(d.asked, 1);
    atomic_fetch_add(&now_ms, 60001);
    CHECK_OK(fed_resolve(r, &addr, &user));
    wait_for(&a, 3);
    CHECK_EQ(d.asked, 2);
    /* failures shorter */
    d.e = ERR_MISSING;
    addr.host[0] = 'x';
    CHECK_OK(fed_resolve(r, &addr, &user));
    wait_for(&a, 4);
    CHECK_ERR(a.e, ERR_MISSING);
    CHECK_OK(fed_resolve(r, &addr, &user));
    CHECK_EQ(d.asked, 3);
    atomic_fetch_add(&now_ms, 5001);
    CHECK_OK(fed_resolve(r, &addr, &user));
    wait_for(&a, 6);
    CHECK_EQ(d.asked, 4);
    fed_resolver_free(r);
}

TEST(closing_answers_everyone)
{
    static struct dns d = {LOCKS, 0, true, OK};
    static struct answers a = {LOCKS, 0, OK, {0}};
    struct fed_lookup lookup = {dns_lookup, &d};
    struct fed_resolve_user user = {on_resolved, &a};
    struct fed_addr addr = {"q0", 5};
    struct fed_resolver *r;

    CHECK_OK(fed_resolver_new(mem_heap(), &fake_clock, &lookup, 2, &r));
    for (int i = 0; i < 10; i++) {
        addr.host[1] = (char)('0' + i);
        CHECK_OK(fed_resolve(r, &addr, &user));
    }
    until_asked(&d, 2);
    fed_resolver_close(r);
    CHECK_EQ(a.n, 10);
    CHECK_ERR(a.e, ERR_STATE);
    CHECK_ERR(fed_resolve(r, &addr, &user), ERR_STATE);
    fed_resolver_free(r); /* two look-ups still hang */
    let_go(&d);
    CHECK_EQ(a.n, 10);
}

int
main(void)
{
    return RUN(T(threads_come_with_questions), T(who_waits_is_asked_first),
               T(numbers_need_no_look_up), T(answers_are_kept_a_while),
               T(closing_answers_everyone));
}
