/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleted secrets are deleted.  Each client's memory is watched: every block
 * given back must have been wiped, and what is left, like what is saved, is
 * searched for secrets that should be gone: used message keys, randomness and
 * path secrets of commits, the key schedule of past epochs, init keys.
 */
#include "crypto/mls/group_int.h"
#include "tests/crypto/mls/world.h"

#include <stdlib.h>

enum {
    BLOCKS = 4096,
    CLIENTS = 3,
    SECRETS = 400
};

struct watch {
    struct mem mem;
    void *block[BLOCKS];
    size_t size[BLOCKS];
    size_t n;
};

/* Secrets that must be nowhere, each of 32 bytes. */
struct gone {
    size_t n;
    uint8_t b[SECRETS][32];
    const char *what[SECRETS];
};

/* Randomness that is remembered. */
struct recorder {
    struct rng rng;
    const struct rng *from;
    struct gone *into; /* or NULL */
};

static struct watch watches[CLIENTS];
static struct recorder recorder;
static struct world world;
static struct gone gone;

static void *
watch_alloc(void *ctx, size_t size)
{
    struct watch *w = ctx;
    void *p = malloc(size);

    CHECK(p != NULL && w->n < BLOCKS);
    w->block[w->n] = p;
    w->size[w->n++] = size;
    return p;
}

static void
watch_release(void *ctx, void *ptr, size_t size)
{
    struct watch *w = ctx;
    size_t i = 0;

    while (i < w->n && w->block[i] != ptr) {
        i++;
    }
    CHECK(i < w->n && w->size[i] == size);
    CHECK(prim_is_zero(view_make(ptr, size)));
    w->block[i] = w->block[--w->n];
    w->size[i] = w->size[w->n];
    free(ptr);
}

static void
gone_add(const void *secret, const char *what)
{
    CHECK(gone.n < SECRETS);
    memcpy(gone.b[gone.n], secret, 32);
    gone.what[gone.n++] = what;
}

static void
gone_secret(const struct prim_secret *s, const char *what)
{
    CHECK_EQ(s->len, 32);
    gone_add(s->b, what);
}

static enum err
record_fill(void *ctx, uint8_t *out, size_t len)
{
    struct recorder *r = ctx;
    enum err e = rng_fill(r->from, out, len);

    if (r->into != NULL && len == 32) {
        gone_add(out, "randomness of a commit");
    }
    return e;
}

static bool
in_memory(const struct watch *w, const uint8_t *secret)
{
    for (size_t i = 0; i < w->n; i++) {
        if (memmem(w->block[i], w->size[i], secret, 32) != NULL) {
            return true;
        }
    }
    return false;
}

static void
check_gone(void)
{
    for (int i = 0; i < CLIENTS; i++) {
        struct bytes saved;

        if (world.c[i].group == NULL) {
            continue;
        }
        saved = world_state(&world.c[i]);
        for (size_t k = 0; k < gone.n; k++) {
            if (in_memory(&watches[i], gone.b[k]) ||
                memmem(saved.p, saved.len, gone.b[k], 32) != NULL) {
                printf("  client %d still has: %s\n", i, gone.what[k]);
                CHECK(false);
            }
        }
        bytes_free(&saved);
    }
}

/* mls_save, as a node does after each merge; durable at once. */
static void
store(struct client *c)
{
    struct mls_change *change = NULL;

    CHECK_OK(mls_save(c->group, MLS_SAVE_CHANGED, &change));
    mls_change_free(change);
}

static void
start(uint32_t past_epochs)
{
    struct mls_commit_opts opts = {0};

    memset(&gone, 0, sizeof(gone));
    world_init(&world, MLS_SUITE_X25519_CHACHA20, 77);
    recorder = (struct recorder){.rng = {record_fill, &recorder},
                                 .from = &world.rng.rng};
    for (int i = 0; i < CLIENTS; i++) {
        memset(&watches[i], 0, sizeof(watches[i]));
        watches[i].mem = (struct mem){watch_alloc, watch_release, &watches[i]};
        world.c[i].env.mem = &watches[i].mem;
        world.c[i].env.rng = &recorder.rng;
        world.c[i].env.past_epochs = past_epochs;
    }
    world_create(&world, 0);
    world_commit(&world, 0, &opts, 1, CLIENTS - 1);
    for (int i = 0; i < CLIENTS; i++) {
        store(&world.c[i]);
    }
}

static void
end(void)
{
    world_end(&world);
    for (int i = 0; i < CLIENTS; i++) {
        CHECK_EQ(watches[i].n, 0);
    }
}

/* The key of a generation of sender's application ratchet. */
static void
note_message_key(const struct client *c, uint32_t sender, uint32_t generation)
{
    struct mls_step *step = NULL;

    CHECK_OK(mls_secret_tree_receive(c->group->now->secrets, sender,
                                     MLS_RATCHET_APPLICATION, generation,
                                     &step));
    gone_secret(&mls_step_key(step)->key, "key of a used message");
    mls_step_free(step);
}

TEST(message_keys)
{
    start(0);
    for (uint32_t generation = 0; generation < 3; generation++) {
        for (uint32_t sender = 0; sender < CLIENTS; sender++) {
            const struct client *other = &world.c[(sender + 1) % CLIENTS];

            note_message_key(other, sender, generation);
            CHECK(in_memory(&watches[0], gone.b[0]) == false);
            world_talk(&world, (int)sender);
            check_gone();
        }
    }
    end();
}

/* What an out-of-order message leaves is there until it is used. */
TEST(skipped_message_keys)
{
    struct mls_protected p[2] = {0};
    struct mls_unprotected u = {0};

    start(0);
    note_message_key(&world.c[1], 0, 0);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(mls_protect(world.c[0].group, VIEW_LIT("x"), (struct view){0},
                             0, &p[i]));
    }
    for (int i = 1; i >= 0; i--) {
        CHECK_OK(mls_unprotect(world.c[1].group, view_of(&p[i].message), &u));
        mls_unprotected_clear(&u);
        CHECK(in_memory(&watches[1], gone.b[0]) == (i == 1));
        mls_protected_clear(&p[i]);
    }
    check_gone();
    end();
}

/* The keys of an epoch that is over, but for the resumption PSK. */
static void
note_epoch(const struct mls_epoch_keys *k)
{
    gone_secret(&k->sender_data, "sender_data_secret");
    gone_secret(&k->exporter, "exporter_secret");
    gone_secret(&k->external, "external_secret");
    gone_secret(&k->confirmation, "confirmation_key");
    gone_secret(&k->membership, "membership_key");
    gone_secret(&k->init, "init_secret");
}

/*
 * Everything that follows from the randomness of a commit, taken as first path
 * secret: the path, its nodes, commit and joiner secret.  Most of it never
 * existed, which does not matter.
 */
static void
note_derived(const struct mls_suite *s, const struct prim_secret *init,
             size_t from)
{
    struct view context = view_of(&world.c[0].group->now->encoded);
    size_t to = gone.n;

    for (size_t i = from; i < to; i++) {
        struct prim_secret path = {.len = 32};

        memcpy(path.b, gone.b[i], 32);
        for (int step = 0; step < 3; step++) {
            struct prim_secret joiner = {0};
            struct prim_secret node = {0};

            mls_derive_secret(s, &path, VIEW_LIT("node"), &node);
            gone_secret(&node, "node secret");
            mls_derive_secret(s, &path, VIEW_LIT("path"), &path);
            gone_secret(&path, "path or commit secret");
            mls_joiner_secret(s, init, &path, context, &joiner);
            gone_secret(&joiner, "joiner secret");
        }
    }
}

/* The fresh leaf key of the committer is meant to stay. */
static void
forgive(const struct client *c)
{
    const struct mls_tree_keys *keys = &c->group->now->tree_keys;

    for (size_t i = 0; i < gone.n; i++) {
        for (uint32_t k = 0; k < keys->count; k++) {
            if (memcmp(gone.b[i], keys->at[k].pair.priv.b, 32) == 0) {
                memset(gone.b[i], 0xdd, 32);
            }
        }
    }
}

TEST(commits)
{
    const struct mls_suite *s = mls_suite_find(MLS_SUITE_X25519_CHACHA20);

    start(0);
    for (int round = 0; round < 2 * CLIENTS; round++) {
        struct mls_commit_opts opts = {.force_path = true,
                                       .as_private = round % 2 == 1};
        struct client *c = &world.c[round % CLIENTS];
        const struct mls_epoch *now = c->group->now;
        struct prim_secret init = now->keys.init;
        size_t from;

        gone.n = 0;
        note_epoch(&now->keys);
        for (uint32_t k = 0; k < now->tree_keys.count; k++) {
            gone_secret(&now->tree_keys.at[k].pair.priv, "replaced tree key");
        }
        from = gone.n;
        recorder.into = &gone;
        world_commit(&world, round % CLIENTS, &opts, 0, 0);
        recorder.into = NULL;
        CHECK(gone.n > from);
        note_derived(s, &init, from);
        for (int i = 0; i < CLIENTS; i++) {
            store(&world.c[i]);
        }
        forgive(c);
        check_gone();
    }
    end();
}

/* Kept for late messages until they are forgotten. */
TEST(past_epochs)
{
    struct mls_commit_opts opts = {.force_path = true};
    struct mls_protected late = {0};
    struct mls_unprotected u = {0};

    start(1);
    note_message_key(&world.c[1], 0, 0);
    gone_secret(&world.c[1].group->now->keys.sender_data, "sender_data_secret");
    CHECK_OK(mls_protect(world.c[0].group, VIEW_LIT("x"), (struct view){0}, 0,
                         &late));
    world_commit(&world, 2, &opts, 0, 0);
    CHECK(in_memory(&watches[1], gone.b[1]));
    CHECK_OK(mls_unprotect(world.c[1].group, view_of(&late.message), &u));
    mls_unprotected_clear(&u);
    CHECK(!in_memory(&watches[1], gone.b[0]));
    mls_protected_clear(&late);
    for (int i = 0; i < CLIENTS; i++) {
        CHECK_OK(mls_forget_past(world.c[i].group,
                                 mls_group_epoch(world.c[i].group)));
        store(&world.c[i]);
    }
    check_gone();
    end();
}

/* After joining, the init key is only in the record, which its holder deletes.
 */
TEST(init_keys)
{
    struct mls_key_package_made kp = {0};
    struct mls_own_key_package own = {0};
    struct mls_proposal_in add = {.type = MLS_PROPOSAL_ADD};
    struct mls_proposal_in remove = {.type = MLS_PROPOSAL_REMOVE, .leaf = 2};
    struct mls_commit_opts opts = {.proposals = &remove, .proposals_len = 1};
    struct mls_committed made = {0};

    start(0);
    world_commit(&world, 0, &opts, 0, 0);
    mls_group_free(world.c[2].group);
    world.c[2].group = NULL;
    CHECK_EQ(watches[2].n, 0);
    world_kp(&world, 2, &kp);
    CHECK_OK(mls_own_key_package_read(view_of(&kp.record), &own));
    gone_secret(&own.init.priv, "init key");
    add.key_package = view_of(&kp.key_package);
    opts.proposals = &add;
    CHECK_OK(mls_commit(world.c[0].group, &opts, &made));
    CHECK_OK(mls_merge(world.c[0].group, &made.stage));
    world_join(&world, 2, view_of(&made.welcome), &kp);
    CHECK(in_memory(&watches[2], gone.b[0]));
    mls_key_package_made_clear(&kp);
    mls_committed_clear(&made);
    check_gone();
    end();
}

int
main(void)
{
    return RUN(T(message_keys), T(skipped_message_keys), T(commits),
               T(past_epochs), T(init_keys));
}
