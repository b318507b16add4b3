/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random runs: up to twelve clients that add, remove, update, rejoin, talk out
 * of order and restart, and always agree.  Seeds are fixed, and printed with
 * the step when a run fails.
 */
#include "tests/crypto/mls/world.h"

enum {
    SEEDS = 12,
    STEPS = 60,
    CLIENTS = 12
};

static bool
inside(const struct client *c)
{
    return c->group != NULL && !mls_group_is_removed(c->group);
}

/* A random client that is (or is not) in the group; -1 when there is none. */
static int
pick(struct world *w, bool in)
{
    int list[CLIENTS];
    int n = 0;

    for (int i = 0; i < CLIENTS; i++) {
        if (inside(&w->c[i]) == in) {
            list[n] = i;
            n++;
        }
    }
    return n == 0 ? -1 : list[seed_rng_below(&w->rng, (uint64_t)n)];
}

static int
count(const struct world *w)
{
    int n = 0;

    for (int i = 0; i < CLIENTS; i++) {
        n += inside(&w->c[i]) ? 1 : 0;
    }
    return n;
}

/* A client that was out starts anew. */
static void
renew(struct world *w, int i)
{
    mls_group_free(w->c[i].group);
    w->c[i].group = NULL;
    client_rekey(w, &w->c[i]);
}

static void
step_commit(struct world *w)
{
    int from = pick(w, true);
    int joiner = pick(w, false);
    int victim = pick(w, true);
    struct mls_proposal_in rm = {.type = MLS_PROPOSAL_REMOVE};
    struct mls_commit_opts opts = {
        .as_private = seed_rng_below(&w->rng, 2) == 0,
        .force_path = seed_rng_below(&w->rng, 3) == 0};

    if (victim != from && count(w) > 2 && seed_rng_below(&w->rng, 2) == 0) {
        rm.leaf = mls_group_own_leaf(w->c[victim].group);
        opts.proposals = &rm;
        opts.proposals_len = 1;
    }
    if (joiner >= 0 && seed_rng_below(&w->rng, 2) == 0) {
        renew(w, joiner);
        world_commit(w, from, &opts, joiner, 1);
    } else {
        world_commit(w, from, &opts, 0, 0);
    }
}

static void
step_propose(struct world *w)
{
    int from = pick(w, true);
    int victim = pick(w, true);
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_UPDATE};
    struct mls_proposed p = {0};

    if (seed_rng_below(&w->rng, 3) == 0 && victim != from && count(w) > 3) {
        in.type = MLS_PROPOSAL_REMOVE;
        in.leaf = mls_group_own_leaf(w->c[victim].group);
    }
    if (mls_propose(w->c[from].group, &in, seed_rng_below(&w->rng, 2) == 0,
                    VIEW_LIT(""), &p) == ERR_EXISTS) {
        return; /* the same words as before */
    }
    CHECK(p.message.len > 0);
    world_deliver(w, from, view_of(&p.message));
    mls_proposed_clear(&p);
}

static void
step_external(struct world *w)
{
    int host = pick(w, true);
    int joiner = pick(w, seed_rng_below(&w->rng, 2) == 0 && count(w) > 1);
    struct mls_external_opts opts = {0};
    struct mls_external_made made = {0};
    struct bytes info = {0};

    if (joiner < 0 || joiner == host) {
        return;
    }
    if (inside(&w->c[joiner])) {
        opts.resync = true;
        opts.remove_leaf = mls_group_own_leaf(w->c[joiner].group);
    }
    renew(w, joiner);
    CHECK_OK(mls_group_info(w->c[host].group, true, &info));
    opts.group_info = view_of(&info);
    CHECK_OK(
        mls_join_external(&w->c[joiner].env, &w->c[joiner].who, &opts, &made));
    world_deliver(w, joiner, view_of(&made.commit));
    w->c[joiner].group = made.group;
    made.group = NULL;
    mls_external_made_clear(&made);
    bytes_free(&info);
    world_agree(w);
}

/* Three messages, read in another order by everybody. */
static void
step_talk(struct world *w)
{
    static const int order[] = {2, 0, 1};
    int from = pick(w, true);
    struct mls_protected p[3] = {0};

    for (int i = 0; i < 3; i++) {
        CHECK_OK(mls_protect(w->c[from].group, VIEW_LIT("text"), VIEW_LIT("a"),
                             (size_t)i * 50, &p[i]));
    }
    for (int i = 0; i < CLIENTS; i++) {
        for (int k = 0; k < 3 && inside(&w->c[i]) && i != from; k++) {
            struct mls_unprotected u = {0};

            CHECK_OK(mls_unprotect(w->c[i].group, view_of(&p[order[k]].message),
                                   &u));
            CHECK_VIEW(view_of(&u.plaintext), VIEW_LIT("text"));
            mls_unprotected_clear(&u);
        }
    }
    for (int i = 0; i < 3; i++) {
        mls_protected_clear(&p[i]);
    }
}

static void
run(uint16_t suite, uint64_t seed)
{
    struct world *w = mem_alloc(mem_heap(), sizeof(*w));

    fprintf(stderr, "seed %u\n", (unsigned)seed);
    world_group(w, suite, seed, 3);
    for (int i = 0; i < STEPS; i++) {

        switch (seed_rng_below(&w->rng, 8)) {
        case 0:
        case 1:
        case 2:
            step_commit(w);
            break;
        case 3:
        case 4:
            step_propose(w);
            break;
        case 5:
            step_external(w);
            break;
        case 6:
            step_talk(w);
            break;
        default:
            world_restart(&w->c[pick(w, true)]);
            break;
        }
        world_agree(w);
    }
    world_end(w);
    mem_free(mem_heap(), w, sizeof(*w));
}

TEST(everybody_always_agrees)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(seed % 2 == 0 ? MLS_SUITE_X25519_AES128GCM
                          : MLS_SUITE_X25519_CHACHA20,
            seed);
    }
}

int
main(void)
{
    return RUN(T(everybody_always_agrees));
}
