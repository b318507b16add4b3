/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and stopping the runner, and becoming somebody new. */
#include "node/runner_impl.h"

#include <string.h>
#include <time.h>

static void
init_locks(struct node_runner *r)
{
    pthread_condattr_t attr;

    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&r->mx, NULL);
    (void)pthread_mutex_init(&r->late_mx, NULL);
    (void)pthread_mutex_init(&r->follow_mx, NULL);
    (void)pthread_rwlock_init(&r->parties_lock, NULL);
    (void)pthread_cond_init(&r->wake, &attr);
    (void)pthread_cond_init(&r->follow_cond, &attr);
    (void)pthread_condattr_destroy(&attr);
}

static void
free_runner(struct node_runner *r)
{
    struct node_ev *ev;

    while ((ev = node_runner_pop(r)) != NULL) {
        if (ev->kind == NODE_EV_ASK) {
            node_runner_finish(ev->ask, ERR_STATE);
        }
        node_runner_free_event(r, ev);
    }
    node_runner_late_free(r);
    fed_core_free(r->core);
    node_desk_clear(&r->desk);
    node_identity_clear(&r->identity);
    bytes_free(&r->addrs);
    bytes_free(&r->profile);
    bytes_free(&r->picture);
    mem_free(r->c.mem, r->parties, r->parties_cap * sizeof(*r->parties));
    for (size_t i = 0; i < NODE_FOLLOWS; i++) {
        node_answer_clear(&r->follows[i].answer);
    }
    for (size_t i = 0; i < NODE_PROFILES; i++) {
        bytes_free(&r->profiles[i].profile);
    }
    (void)pthread_mutex_destroy(&r->mx);
    (void)pthread_mutex_destroy(&r->late_mx);
    (void)pthread_mutex_destroy(&r->follow_mx);
    node_clocks_clear(&r->clocks);
    (void)pthread_rwlock_destroy(&r->parties_lock);
    (void)pthread_cond_destroy(&r->wake);
    (void)pthread_cond_destroy(&r->follow_cond);
    mem_free(r->c.mem, r, sizeof(*r));
}

/* Copy what the caller may change or free. */
static enum err
copy_self(struct node_runner *r, const struct node_identity *id,
          struct view addrs, struct view profile, struct view picture)
{
    enum err e;
    const struct mem *mem = r->c.mem;
    struct node_identity copy = *id;
    struct bytes a = {0};
    struct bytes p = {0};
    struct bytes pic = {0};

    copy.renewal_cert = (struct bytes){0};
    copy.chain = (struct bytes){0};
    copy.revocation = (struct bytes){0};
    TRY(bytes_copy(mem, view_of(&id->renewal_cert), &copy.renewal_cert));
    TRY(bytes_copy(mem, view_of(&id->chain), &copy.chain));
    TRY(bytes_copy(mem, view_of(&id->revocation), &copy.revocation));
    TRY(bytes_copy(mem, addrs, &a));
    TRY(bytes_copy(mem, profile, &p));
    TRY(bytes_copy(mem, picture, &pic));
    node_identity_clear(&r->identity);
    bytes_free(&r->addrs);
    bytes_free(&r->profile);
    bytes_free(&r->picture);
    r->identity = copy;
    atomic_store(&r->expires_ms, copy.node_not_after_ms);
    r->addrs = a;
    r->profile = p;
    r->picture = pic;
    return OK;
out:
    node_identity_clear(&copy);
    bytes_free(&a);
    bytes_free(&p);
    bytes_free(&pic);
    return e;
}

static struct fed_self
self_of(const struct node_runner *r)
{
    struct fed_self s = {
        .root = r->identity.root,
        .chain = view_of(&r->identity.chain),
        .node_seed = VIEW_ARRAY(r->identity.node.seed),
        .addrs = view_of(&r->addrs),
        .profile = view_of(&r->profile),
        .picture = view_of(&r->picture),
        .revocation = view_of(&r->identity.revocation),
    };

    return s;
}

static struct fed_identity
net_identity_of(const struct node_runner *r)
{
    struct fed_identity id = {
        .root = r->identity.root,
        .node_seed = VIEW_ARRAY(r->identity.node.seed),
        .chain = view_of(&r->identity.chain),
    };

    return id;
}

static enum err
start_parts(struct node_runner *r)
{
    enum err e;
    struct fed_core_config core = {
        .mem = r->c.mem,
        .rng = r->c.rng,
        .clock = r->c.clock,
        .log = r->c.log,
        .store = node_runner_store(r),
        .self = self_of(r),
    };
    struct fed_net_config net = {
        .mem = r->c.mem,
        .clock = r->c.clock,
        .rng = r->c.rng,
        .log = r->c.log,
        .io = r->c.io,
        .user = node_runner_net_user(r),
        .identity = net_identity_of(r),
        .tuning = r->c.tuning,
    };

    TRY(fed_core_new(&core, &r->core));
    TRY(node_runner_parties_load(r));
    if (r->c.restored) {
        TRY(fed_core_restored(r->core));
    }
    TRY(node_runner_blobs_start(r));
    TRY(fed_net_start(&net, &r->net));
    TRY(node_runner_splice_start(r));
    r->dirty = true;
    if (pthread_create(&r->thread, NULL, node_runner_thread, r) != 0) {
        TRY(ERR_IO);
    }
    r->started = true;
out:
    return e;
}

enum err
node_runner_start(const struct node_runner_config *config,
                  struct node_runner **out)
{
    enum err e;
    struct node_runner *r = mem_alloc(config->mem, sizeof(*r));

    if (r == NULL) {
        return ERR_NOMEM;
    }
    init_locks(r);
    node_clocks_init(&r->clocks, config->clock);
    r->c = *config;
    r->c.identity = NULL;
    r->c.addrs = (struct view){0};
    r->c.profile = (struct view){0};
    r->c.picture = (struct view){0};
    r->asks_end = &r->asks;
    r->desk.mem = config->mem;
    r->desk.self = config->identity->root;
    r->desk.member = config->member;
    TRY(copy_self(r, config->identity, config->addrs, config->profile,
                  config->picture));
    TRY(start_parts(r));
    *out = r;
    r = NULL;
out:
    node_runner_stop(r);
    return e;
}

void
node_runner_stop(struct node_runner *r)
{
    if (r == NULL) {
        return;
    }
    if (r->started) {
        (void)pthread_mutex_lock(&r->mx);
        r->stopping = true;
        (void)pthread_cond_signal(&r->wake);
        (void)pthread_mutex_unlock(&r->mx);
        (void)pthread_join(r->thread, NULL);
    }
    (void)pthread_mutex_lock(&r->late_mx);
    r->closing = true;
    (void)pthread_mutex_unlock(&r->late_mx);
    fed_net_stop(r->net);
    fed_splice_free(r->splice);
    node_blobs_stop(r->blobs);
    free_runner(r);
}

struct fed_net *
node_runner_net(struct node_runner *r)
{
    return r->net;
}

struct node_clocks *
node_runner_clocks(struct node_runner *r)
{
    return &r->clocks;
}

void
node_runner_clocks_turn(struct node_runner *r)
{
    struct fed_peer peer = {.serial = 0};

    while (node_clocks_mended(&r->clocks, &peer.root)) {
        fed_net_close(r->net, &peer);
        fed_net_poke(r->net, &peer.root);
    }
}

void
node_runner_stats(struct node_runner *r, struct node_runner_stats *out)
{
    out->batches = atomic_load(&r->batches);
    out->steps = atomic_load(&r->steps);
    out->failures = atomic_load(&r->failures);
    out->beats = atomic_load(&r->beats);
    out->superseded = atomic_load(&r->superseded);
    out->outdated = atomic_load(&r->outdated);
    out->known_ms = atomic_load(&r->known_ms);
    out->clock_behind = atomic_load(&r->clock_behind);
    out->renew_above = atomic_load(&r->renew_above);
    (void)pthread_mutex_lock(&r->mx);
    out->queued = r->queue_len;
    (void)pthread_mutex_unlock(&r->mx);
}

/* --------------------------------------------------------------- new selves */

struct self_change {
    struct node_runner *r;
    const struct node_identity *identity;
    struct view addrs;
    struct view profile;
    struct view picture;
};

static enum err
step_set_self(void *ctx, struct fed_core *core)
{
    struct self_change *c = ctx;
    struct fed_self self;
    struct fed_identity net;
    enum err e;

    TRY(copy_self(c->r, c->identity, c->addrs, c->profile, c->picture));
    self = self_of(c->r);
    net = net_identity_of(c->r);
    TRY(fed_core_set_self(core, &self));
    TRY(fed_net_set_identity(c->r->net, &net));
    atomic_store(&c->r->outdated, false);
out:
    return e;
}

enum err
node_runner_set_self(struct node_runner *r,
                     const struct node_identity *identity, struct view addrs,
                     struct view profile, struct view picture)
{
    struct self_change c = {r, identity, addrs, profile, picture};
    struct node_step step = {
        .step = step_set_self, .ctx = &c, .when_full = true};

    return node_runner_do(r, &step);
}
