/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner: gives the protocol (federation/core) what happens, makes its
 * effects durable, and then lets them out (federation/core/README.md).
 *
 *     network threads --frames--> queue --> core thread --batch--> writer
 *     people's requests ---------/              ^---- committed ----/
 *
 * One thread owns the core.  Its batch, what the batch shows on the desk, and
 * what a request writes besides are one transaction of the store; frames,
 * answers and closings follow only after the commit.  While one batch commits,
 * the next is being made.
 *
 * When a commit fails, everything uncommitted is dropped, all connections are
 * closed (peers send again what was not acknowledged), and requests are done
 * once more, one to a batch: the one that fails alone gets the error.
 */
#ifndef NODE_RUNNER_H
#define NODE_RUNNER_H

#include "federation/core/core.h"
#include "federation/net.h"
#include "node/identity.h"
#include "store/store.h"
#include "store/txn.h"

struct node_runner;

struct node_runner_config {
    const struct mem *mem;
    const struct clock *clock;
    const struct rng *rng;
    const struct log *log;
    const struct fed_io *io;
    struct store *store;
    const struct node_identity *identity; /* copied */
    struct view addrs;                    /* ours, proto_addr_append */
    struct view profile;                  /* ours, signed */
    struct view picture;                  /* that it names, or empty */
    struct member_id member;              /* of `init` */
    struct fed_net_tuning tuning;
    bool restored; /* the store was restored since the last start */
    /* What others have made durable (node/news.h), before we have; may be NULL.
       On the core thread, which waits meanwhile. */
    void (*on_news)(void *ctx, const struct fed_show *show);
    void *on_news_ctx;
};

/* Nothing listens yet; known peers are dialled. */
MUST_CHECK enum err node_runner_start(const struct node_runner_config *config,
                                      struct node_runner **out);

/* Close connections, commit what is under way, end.  NULL is accepted. */
void node_runner_stop(struct node_runner *r);

struct fed_net *node_runner_net(struct node_runner *r);

/* What somebody asks for. */
struct node_step {
    /*
     * On the core thread: an error that the core's contract names is the
     * answer, and nothing happens.  Once more when the batch that it was in
     * could not be stored.  May be NULL.
     */
    enum err (*step)(void *ctx, struct fed_core *core);
    /* On the writer thread, in the same transaction, after what the step
       showed; possibly twice.  May be NULL. */
    enum err (*write)(void *ctx, struct store_txn *txn);
    void *ctx;
    /* Deletes, ends or only looks: done on a full disk as well. */
    bool when_full;
};

/*
 * Do it and wait until it is durable.  Any thread but the runner's and the
 * writer's.
 *
 * ERR_STATE  the runner is stopping;  ERR_FULL  no room on disk;
 * others     the step's or the write's
 */
MUST_CHECK enum err node_runner_do(struct node_runner *r,
                                   const struct node_step *step);

/*
 * The same in two parts, so that one thread may have many under way: they are
 * done in the order of node_runner_begin.  What begun gave must be waited for.
 *
 * ERR_STATE  the runner is stopping, nothing was begun;  ERR_NOMEM
 */
struct node_ask;
MUST_CHECK enum err node_runner_begin(struct node_runner *r,
                                      const struct node_step *step,
                                      struct node_ask **out);
/* Takes *take_ask. */
MUST_CHECK enum err node_runner_wait(struct node_runner *r,
                                     struct node_ask **take_ask);

/* What the protocol answers about a clinic while somebody waits for it. */
struct node_answer {
    bool has_link;
    uint64_t code; /* enum proto_redeem_code */
    uint64_t bits; /* enum fed_link_bits */
    struct bytes label;
    bool has_party;
    uint64_t ours; /* enum proto_stance */
    uint64_t theirs;
    struct bytes profile; /* signed */
    enum fed_why why;     /* of the last attempt to reach it that failed */
    uint64_t changes;     /* grows with every change of the above */
};

void node_answer_clear(struct node_answer *a);

/*
 * Follow what comes about root from now on, until unfollow.
 * ERR_LIMIT  too many at once
 */
struct node_follow;
MUST_CHECK enum err node_runner_follow(struct node_runner *r,
                                       const struct clinic_id *root,
                                       struct node_follow **out);

/*
 * Wait until something new came or wait_ms passed (ERR_TIMEOUT); *out (empty
 * or from the last call) is what is known so far.
 */
MUST_CHECK enum err node_follow_wait(struct node_follow *f, uint64_t wait_ms,
                                     struct node_answer *out);
void node_runner_unfollow(struct node_runner *r, struct node_follow *f);

/* New certificate, addresses or profile: told to the network and the core. */
MUST_CHECK enum err node_runner_set_self(struct node_runner *r,
                                         const struct node_identity *identity,
                                         struct view addrs, struct view profile,
                                         struct view picture);

struct node_runner_stats {
    uint64_t batches;
    uint64_t steps;
    uint64_t failures;    /* of commits */
    uint64_t queued;      /* events waiting now */
    uint64_t beats;       /* turns of the core thread: for the watchdog */
    bool superseded;      /* a newer copy of this node runs: stop */
    bool outdated;        /* a clinic refuses our certificate: it has seen a
                             newer one; until there is a new one */
    uint64_t known_ms;    /* a time that has passed for sure (fed_clock) */
    bool clock_behind;    /* ours is before it: it is wrong */
    uint64_t renew_above; /* the other clinics want a certificate of a
                             generation above this before they take us back */
};
void node_runner_stats(struct node_runner *r, struct node_runner_stats *out);

/* What may be carried to target was changed: what passes now follows it. */
void node_runner_splice_changed(struct node_runner *r,
                                const struct clinic_id *target);

/* Other nodes' clocks beside ours. */
struct node_clocks *node_runner_clocks(struct node_runner *r);

/* Every second or so: when our clock was set right, who was told otherwise is
   greeted once more. */
void node_runner_clocks_turn(struct node_runner *r);

#endif
