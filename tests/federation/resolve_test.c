/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/resolve.h"
#include "tests/support/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

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
    pthread_mutex_lock(&d.mx);
    while (d.asked < 2) {
        pthread_cond_wait(&d.cv, &d.mx);
    }
    pthread_mutex_unlock(&d.mx);
    fed_resolver_close(r);
    CHECK_EQ(a.n, 10);
    CHECK_ERR(a.e, ERR_STATE);
    CHECK_ERR(fed_resolve(r, &addr, &user), ERR_STATE);
    fed_resolver_free(r); /* two look-ups still hang */
    pthread_mutex_lock(&d.mx);
    d.held = false;
    pthread_cond_broadcast(&d.cv);
    pthread_mutex_unlock(&d.mx);
    CHECK_EQ(a.n, 10);
}

int
main(void)
{
    return RUN(T(numbers_need_no_look_up), T(answers_are_kept_a_while),
               T(closing_answers_everyone));
}
