/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/prim/random.h"
#include "node/self.h"
#include "node/sysclock.h"

#include <stdatomic.h>

enum {
    LOOK_MS = 3600 * 1000, /* at the calendar: once an hour */
    AGAIN_MS = 60 * 1000,  /* after the first failure, then twice as long */
    DOUBLINGS = 6
};

/*
 * Certificates begin now, or when we know that it is at least: one that begins
 * in the past by a wrong clock would have expired for everybody else.
 */
static uint64_t
now_ms(const struct node_api *api, const struct node_runner_stats *s)
{
    uint64_t now = store_now_ms(api->store);

    return now > s->known_ms ? now : s->known_ms;
}

static enum err
renew(struct node_api *api, const struct node_runner_stats *stats, bool wanted)
{
    enum err e;
    struct node_self s = {0};

    TRY(node_self_begin(api, &s));
    TRY(wanted ? node_identity_raise(&s.identity, stats->renew_above) : OK);
    TRY(node_identity_renew(api->mem, prim_rng_system(), now_ms(api, stats),
                            wanted, &s.identity));
    TRY(node_self_commit(&s));
    LOG(api->log, LOG_INFO, "node.certificate.renewed",
        LOG_NUM("generation", api->identity.generation & UINT32_MAX),
        LOG_NUM("wanted", wanted));
out:
    node_self_clear(&s);
    return e;
}

static void
tried(struct node_renewal *r, enum err e)
{
    uint64_t now = clock_mono_ms(node_sysclock());

    if (e == OK) {
        r->failed = 0;
        r->next_ms = 0;
    } else {
        unsigned n = r->failed < DOUBLINGS ? (unsigned)r->failed : DOUBLINGS;
        uint64_t wait = (uint64_t)AGAIN_MS << n;

        r->failed++;
        r->next_ms = now + (wait < LOOK_MS ? wait : LOOK_MS);
        LOG(r->api->log, LOG_ERROR, "node.certificate.not_renewed", LOG_ERR(e),
            LOG_NUM("tries", r->failed));
    }
    atomic_store(&r->api->renewal_failed, r->failed);
}

void
node_renewal_turn(struct node_renewal *r)
{
    uint64_t now = clock_mono_ms(node_sysclock());
    struct node_runner_stats stats;
    struct node_api *api = r->api;
    bool wanted;
    bool due = false;

    node_runner_stats(api->runner, &stats);
    if (now < r->next_ms) {
        return;
    }
    (void)pthread_mutex_lock(&api->identity_mx);
    wanted = stats.renew_above >= api->identity.generation;
    if (now >= r->look_ms || r->failed > 0) {
        due = node_identity_due(&api->identity, now_ms(api, &stats));
        r->look_ms = now + LOOK_MS;
    }
    if (wanted || due) {
        tried(r, renew(api, &stats, wanted));
    }
    (void)pthread_mutex_unlock(&api->identity_mx);
}
