/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few clients that hand each other messages, for tests of groups.  Every
 * allocation of client i goes through its own counter, so a test sees leaks.
 */
#ifndef TESTS_CRYPTO_MLS_WORLD_H
#define TESTS_CRYPTO_MLS_WORLD_H

#include "crypto/mls/mls.h"

#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

#include <stdio.h>
#include <string.h>

#define WORLD_UNUSED __attribute__((unused))

enum {
    WORLD_MAX = 40
};

struct client {
    struct mls_env env;
    struct fail_mem mem;
    enum mls_rule broken;
    char name[16];
    uint8_t seed[32];
    struct prim_sign_key key;
    struct mls_identity who;
    struct mls_group *group;
};

struct world {
    struct seed_rng rng;
    struct clock clock;
    uint16_t suite;
    struct client c[WORLD_MAX];
};

static const uint16_t WORLD_TYPES[] = {0xf101, 0xf102};

static uint64_t
world_now(void *ctx)
{
    (void)ctx;
    return 1700000000000u;
}

/* A fresh signature key for who. */
WORLD_UNUSED static void
client_rekey(struct world *w, struct client *c)
{
    CHECK_OK(rng_fill(&w->rng.rng, c->seed, sizeof(c->seed)));
    prim_ed25519_from_seed(c->seed, &c->key);
    c->who.signature_key = prim_sign_key_pub(&c->key);
    c->who.signature_priv = VIEW_ARRAY(c->seed);
}

static enum err
world_psk(void *ctx, const struct mls_psk_id *id, struct bytes *out)
{
    struct client *c = ctx;

    if (id->type != MLS_PSK_EXTERNAL || id->id.len == 0 || id->id.p[0] != 'k') {
        return ERR_MISSING;
    }
    return bytes_copy(&c->mem.mem, VIEW_LIT("a shared secret"), out);
}

WORLD_UNUSED static void
world_init(struct world *w, uint16_t suite, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    seed_rng_init(&w->rng, seed);
    w->clock = (struct clock){world_now, world_now, NULL};
    w->suite = suite;
    for (int i = 0; i < WORLD_MAX; i++) {
        struct client *c = &w->c[i];

        fail_mem_init(&c->mem, 0);
        snprintf(c->name, sizeof(c->name), "client %d", i);
        c->env = (struct mls_env){.mem = &c->mem.mem,
                                  .rng = &w->rng.rng,
                                  .clock = &w->clock,
                                  .ctx = c,
                                  .find_psk = world_psk,
                                  .rule_out = &c->broken,
                                  .past_epochs = 2};
        c->who.credential = view_str(c->name);
        c->who.extension_types = WORLD_TYPES;
        c->who.extension_types_len = 2;
        client_rekey(w, c);
    }
}

/* Free every group; nothing may be left. */
WORLD_UNUSED static void
world_end(struct world *w)
{
    for (int i = 0; i < WORLD_MAX; i++) {
        mls_group_free(w->c[i].group);
        w->c[i].group = NULL;
        CHECK_EQ(w->c[i].mem.live, 0);
    }
}

WORLD_UNUSED static void
world_create(struct world *w, int i)
{
    static const uint8_t id[] = "a group";
    static const uint8_t ext[] = {0xf1, 0x01, 3, 'a', 'b', 'c'};
    struct mls_create_opts opts = {.suite = w->suite,
                                   .group_id = VIEW_ARRAY(id)};

    CHECK_OK(mls_extensions_from(VIEW_ARRAY(ext), &opts.extensions));
    CHECK_OK(mls_create(&w->c[i].env, &w->c[i].who, &opts, &w->c[i].group));
}

WORLD_UNUSED static void
world_kp(struct world *w, int i, struct mls_key_package_made *out)
{
    struct mls_key_package_opts opts = {.suite = w->suite,
                                        .not_before_s = 1690000000u,
                                        .not_after_s = 1710000000u};

    CHECK_OK(mls_key_package_make(&w->c[i].env, &w->c[i].who, &opts, out));
}

/* Everybody in the group but from processes commit and merges. */
WORLD_UNUSED static void
world_deliver(struct world *w, int from, struct view commit)
{
    for (int i = 0; i < WORLD_MAX; i++) {
        struct client *c = &w->c[i];
        struct mls_processed out = {0};

        if (i == from || c->group == NULL || mls_group_is_removed(c->group)) {
            continue;
        }
        CHECK_OK(mls_process(c->group, commit, &out));
        if (out.kind == MLS_PROCESSED_COMMIT) {
            CHECK_OK(mls_merge(c->group, &out.stage));
        }
        mls_processed_clear(&out);
    }
}

/* All groups agree on what they should. */
WORLD_UNUSED static void
world_agree(const struct world *w)
{
    const struct client *first = NULL;

    for (int i = 0; i < WORLD_MAX; i++) {
        const struct client *c = &w->c[i];

        if (c->group == NULL || mls_group_is_removed(c->group)) {
            continue;
        }
        if (first != NULL) {
            CHECK_EQ(mls_group_epoch(c->group), mls_group_epoch(first->group));
            CHECK_VIEW(mls_group_tree_hash(c->group),
                       mls_group_tree_hash(first->group));
            CHECK_VIEW(mls_group_authenticator(c->group),
                       mls_group_authenticator(first->group));
        }
        first = c;
    }
}

/* Join i by the Welcome in made. */
WORLD_UNUSED static void
world_join(struct world *w, int i, struct view welcome,
           const struct mls_key_package_made *kp)
{
    struct mls_join_opts opts = {.welcome = welcome,
                                 .key_package_record = view_of(&kp->record)};

    CHECK(w->c[i].group == NULL);
    CHECK_OK(mls_join(&w->c[i].env, &opts, &w->c[i].group));
}

/*
 * from commits opts and everybody follows; n clients from first on are added
 * as well.
 */
WORLD_UNUSED static void
world_commit(struct world *w, int from, const struct mls_commit_opts *opts,
             int first, int n)
{
    struct mls_proposal_in in[WORLD_MAX] = {0};
    struct mls_key_package_made kp[WORLD_MAX] = {0};
    struct mls_commit_opts all = *opts;
    struct mls_committed made = {0};

    for (int i = 0; i < n; i++) {
        world_kp(w, first + i, &kp[i]);
        in[i].type = MLS_PROPOSAL_ADD;
        in[i].key_package = view_of(&kp[i].key_package);
    }
    for (size_t i = 0; i < opts->proposals_len; i++) {
        in[(size_t)n + i] = opts->proposals[i];
    }
    all.proposals = in;
    all.proposals_len = opts->proposals_len + (size_t)n;
    CHECK_OK(mls_commit(w->c[from].group, &all, &made));
    world_deliver(w, from, view_of(&made.commit));
    CHECK_OK(mls_merge(w->c[from].group, &made.stage));
    for (int i = 0; i < n; i++) {
        world_join(w, first + i, view_of(&made.welcome), &kp[i]);
        mls_key_package_made_clear(&kp[i]);
    }
    mls_committed_clear(&made);
    world_agree(w);
}

/* A group of clients 0 .. n - 1, made by 0 in one commit. */
WORLD_UNUSED static void
world_group(struct world *w, uint16_t suite, uint64_t seed, int n)
{
    struct mls_commit_opts opts = {0};

    world_init(w, suite, seed);
    world_create(w, 0);
    if (n > 1) {
        world_commit(w, 0, &opts, 1, n - 1);
    }
}

/* A message from one client that all others read. */
WORLD_UNUSED static void
world_talk(struct world *w, int from)
{
    struct mls_protected p = {0};

    CHECK_OK(mls_protect(w->c[from].group, VIEW_LIT("hello"), VIEW_LIT("aad"),
                         100, &p));
    for (int i = 0; i < WORLD_MAX; i++) {
        struct client *c = &w->c[i];
        struct mls_unprotected u = {0};

        if (i == from || c->group == NULL || mls_group_is_removed(c->group)) {
            continue;
        }
        CHECK_OK(mls_unprotect(c->group, view_of(&p.message), &u));
        CHECK_VIEW(view_of(&u.plaintext), VIEW_LIT("hello"));
        CHECK_VIEW(view_of(&u.aad), VIEW_LIT("aad"));
        CHECK_EQ(u.sender, mls_group_own_leaf(w->c[from].group));
        mls_unprotected_clear(&u);
    }
    mls_protected_clear(&p);
}

/* The whole saved state of a client's group, as one string of bytes. */
WORLD_UNUSED static struct bytes
world_state(struct client *c)
{
    struct mls_change *all = NULL;
    struct bytes out = {0};

    CHECK_OK(mls_save(c->group, MLS_SAVE_ALL, &all));
    for (size_t i = 0; i < mls_change_count(all); i++) {
        struct mls_record r;

        mls_change_at(all, i, &r);
        CHECK_OK(bytes_append(mem_heap(), &out, VIEW_ARRAY(r.key)));
        CHECK_OK(bytes_append(mem_heap(), &out, r.bytes));
    }
    mls_change_free(all);
    return out;
}

/* Save, free, load. */
WORLD_UNUSED static void
world_restart(struct client *c)
{
    struct mls_change *all = NULL;
    struct mls_record r[512];
    size_t n;

    CHECK_OK(mls_save(c->group, MLS_SAVE_ALL, &all));
    n = mls_change_count(all);
    CHECK(n <= 512);
    for (size_t i = 0; i < n; i++) {
        mls_change_at(all, i, &r[i]);
    }
    mls_group_free(c->group);
    c->group = NULL;
    CHECK_OK(mls_load(&c->env, r, n, &c->group));
    mls_change_free(all);
}

#endif
