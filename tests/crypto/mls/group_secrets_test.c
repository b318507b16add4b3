/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deleted secrets are deleted.  A client's memory comes from an allocator that
 * keeps what is given back, so that the test can look through everything the
 * client ever had, and through what it would store.
 */
#include "crypto/mls/group_int.h"

#include "tests/crypto/mls/world.h"

/* ------------------------------------------------- memory that is never reused
 */

struct grave {
    struct grave *next;
    size_t size;
    uint8_t body[];
};

struct yard {
    struct mem mem;
    struct grave *all;
};

static void *
yard_alloc(void *ctx, size_t size)
{
    struct yard *y = ctx;
    struct grave *g = mem_alloc(mem_heap(), sizeof(*g) + size);

    g->next = y->all;
    g->size = size;
    y->all = g;
    return g->body;
}

static void
yard_release(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)ptr;
    (void)size;
}

static void
yard_init(struct yard *y)
{
    *y = (struct yard){{yard_alloc, yard_release, y}, NULL};
}

static void
yard_clear(struct yard *y)
{
    while (y->all != NULL) {
        struct grave *g = y->all;

        y->all = g->next;
        mem_free(mem_heap(), g, sizeof(*g) + g->size);
    }
}

static bool
has(const uint8_t *p, size_t len, struct view what)
{
    for (size_t i = 0; i + what.len <= len; i++) {
        if (p[i] == what.p[0] && memcmp(p + i, what.p, what.len) == 0) {
            return true;
        }
    }
    return false;
}

static bool
in_yard(const struct yard *y, struct view what)
{
    for (const struct grave *g = y->all; g != NULL; g = g->next) {
        if (has(g->body, g->size, what)) {
            return true;
        }
    }
    return false;
}

/* Whether what is in the client's memory or in what it would store. */
static bool
found(const struct yard *y, struct client *c, struct view what)
{
    struct bytes state;
    bool stored;

    if (in_yard(y, what)) {
        return true;
    }
    state = world_state(c);
    stored = has(state.p, state.len, what);
    bytes_free(&state);
    return stored;
}

/* ----------------------------------------------------------------------- tests
 */

/* A group of three; client 1 lives in the yard and joined by Welcome. */
static struct world *
start(struct yard *y, struct mls_key_package_made *kp)
{
    struct world *w = mem_alloc(mem_heap(), sizeof(*w));
    struct mls_commit_opts opts = {0};
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_ADD};
    struct mls_committed made = {0};

    yard_init(y);
    world_init(w, MLS_SUITE_X25519_CHACHA20, 31);
    w->c[1].env.mem = &y->mem;
    w->c[1].env.past_epochs = 1;
    world_create(w, 0);
    world_commit(w, 0, &opts, 2, 1);
    world_kp(w, 1, kp);
    in.key_package = view_of(&kp->key_package);
    opts.proposals = &in;
    opts.proposals_len = 1;
    CHECK_OK(mls_commit(w->c[0].group, &opts, &made));
    world_deliver(w, 0, view_of(&made.commit));
    CHECK_OK(mls_merge(w->c[0].group, &made.stage));
    world_join(w, 1, view_of(&made.welcome), kp);
    mls_committed_clear(&made);
    return w;
}

static void
stop(struct world *w, struct yard *y)
{
    world_end(w);
    mem_free(mem_heap(), w, sizeof(*w));
    yard_clear(y);
}

/* The private parts of a key package are gone with its record. */
TEST(key_package)
{
    struct yard y;
    struct mls_key_package_made kp = {0};
    struct world *w = start(&y, &kp);
    struct mls_own_key_package own;
    uint8_t init[32];
    uint8_t leaf[32];
    struct mls_commit_opts path = {.force_path = true};

    CHECK_OK(mls_own_key_package_read(view_of(&kp.record), &own));
    memcpy(init, own.init.priv.b, 32);
    memcpy(leaf, own.leaf.priv.b, 32);
    CHECK(found(&y, &w->c[1], VIEW_ARRAY(init)));
    mls_key_package_made_clear(&kp);
    CHECK(!found(&y, &w->c[1], VIEW_ARRAY(init)));
    /* the leaf key lives until the first path of its own */
    CHECK(found(&y, &w->c[1], VIEW_ARRAY(leaf)));
    world_commit(w, 1, &path, 0, 0);
    CHECK(!found(&y, &w->c[1], VIEW_ARRAY(leaf)));
    stop(w, &y);
}

/* The key of generation in the ratchet of leaf, as the epoch would derive it.
 */
static void
peek_key(struct client *c, uint32_t leaf, enum mls_ratchet type,
         uint32_t generation, uint8_t key[32], uint8_t nonce[12])
{
    struct mls_step *step = NULL;

    CHECK_OK(mls_secret_tree_receive(c->group->now->secrets, leaf, type,
                                     generation, &step));
    memcpy(key, mls_step_key(step)->key.b, 32);
    memcpy(nonce, mls_step_key(step)->nonce.b, 12);
    mls_step_free(step);
}

TEST(keys_of_messages)
{
    struct yard y;
    struct mls_key_package_made kp = {0};
    struct world *w = start(&y, &kp);
    struct client *c = &w->c[1];
    uint8_t key[3][32];
    uint8_t nonce[3][12];
    struct mls_protected sent[3] = {0};
    struct mls_protected own = {0};
    struct mls_unprotected got = {0};
    uint32_t me = mls_group_own_leaf(c->group);

    for (uint32_t i = 0; i < 3; i++) {
        peek_key(c, 0, MLS_RATCHET_APPLICATION, i, key[i], nonce[i]);
        CHECK(!found(&y, c, VIEW_ARRAY(key[i])));
        CHECK_OK(mls_protect(w->c[0].group, VIEW_LIT("the plaintext"),
                             VIEW_LIT(""), 0, &sent[i]));
    }
    /* out of order: the skipped key is kept until it is used */
    CHECK_OK(mls_unprotect(c->group, view_of(&sent[1].message), &got));
    mls_unprotected_clear(&got);
    CHECK(found(&y, c, VIEW_ARRAY(key[0])));
    CHECK(!found(&y, c, VIEW_ARRAY(key[1])));
    CHECK_OK(mls_unprotect(c->group, view_of(&sent[0].message), &got));
    mls_unprotected_clear(&got);
    CHECK(!found(&y, c, VIEW_ARRAY(key[0])));
    CHECK(!found(&y, c, VIEW_ARRAY(nonce[0])));
    CHECK(!found(&y, c, VIEW_LIT("the plaintext")));
    /* our own sending key */
    peek_key(c, me, MLS_RATCHET_APPLICATION, 0, key[0], nonce[0]);
    CHECK_OK(mls_protect(c->group, VIEW_LIT("the plaintext"), VIEW_LIT(""), 0,
                         &own));
    mls_protected_clear(&own);
    CHECK(!found(&y, c, VIEW_ARRAY(key[0])));
    CHECK(!found(&y, c, VIEW_LIT("the plaintext")));
    for (int i = 0; i < 3; i++) {
        mls_protected_clear(&sent[i]);
    }
    mls_key_package_made_clear(&kp);
    stop(w, &y);
}

TEST(secrets_of_an_epoch)
{
    struct yard y;
    struct mls_key_package_made kp = {0};
    struct world *w = start(&y, &kp);
    struct client *c = &w->c[1];
    struct mls_commit_opts path = {.force_path = true};
    struct mls_epoch_keys old = c->group->now->keys;
    struct mls_tree_keys keys = c->group->now->tree_keys;
    uint8_t pending[32];
    uint8_t nonce[12];

    mls_key_package_made_clear(&kp);
    CHECK(found(&y, c, prim_secret_view(&old.init)));
    CHECK(!in_yard(&y, prim_secret_view(&old.encryption)) ||
          old.encryption.len == 0);
    world_commit(w, 0, &path, 0, 0);
    CHECK(!found(&y, c, prim_secret_view(&old.init)));
    CHECK(!found(&y, c, prim_secret_view(&old.exporter)));
    CHECK(!found(&y, c, prim_secret_view(&old.external)));
    CHECK(!found(&y, c, prim_secret_view(&old.confirmation)));
    CHECK(!found(&y, c, prim_secret_view(&old.membership)));
    /* kept for a while, on purpose */
    CHECK(found(&y, c, prim_secret_view(&old.sender_data)));
    CHECK(found(&y, c, prim_secret_view(&old.resumption_psk)));
    world_commit(w, 1, &path, 0, 0);
    /* past_epochs is 1: the first epoch is forgotten now */
    CHECK(!found(&y, c, prim_secret_view(&old.sender_data)));
    for (uint32_t i = 0; i < keys.count; i++) {
        CHECK(!found(&y, c, prim_secret_view(&keys.at[i].pair.priv)));
    }
    peek_key(c, 0, MLS_RATCHET_APPLICATION, 0, pending, nonce);
    CHECK_OK(mls_forget_past(c->group, mls_group_epoch(c->group)));
    old = c->group->now->keys;
    keys = c->group->now->tree_keys;
    {
        struct mls_proposal_in rm = {.type = MLS_PROPOSAL_REMOVE,
                                     .leaf = mls_group_own_leaf(c->group)};
        struct mls_commit_opts opts = {.proposals = &rm, .proposals_len = 1};

        world_commit(w, 0, &opts, 0, 0);
    }
    CHECK(mls_group_is_removed(c->group));
    CHECK(!found(&y, c, prim_secret_view(&old.init)));
    CHECK(!found(&y, c, prim_secret_view(&old.sender_data)));
    CHECK(!found(&y, c, prim_secret_view(&old.resumption_psk)));
    CHECK(!found(&y, c, prim_secret_view(&keys.at[0].pair.priv)));
    CHECK(!found(&y, c, VIEW_ARRAY(c->seed)));
    stop(w, &y);
}

/* A stage that is dropped leaves nothing of the epoch that never was. */
TEST(dropped_stage)
{
    struct yard y;
    struct mls_key_package_made kp = {0};
    struct world *w = start(&y, &kp);
    struct client *c = &w->c[1];
    struct mls_commit_opts path = {.force_path = true};
    struct mls_committed made = {0};
    struct mls_epoch_keys next;
    struct mls_tree_keys keys;

    mls_key_package_made_clear(&kp);
    CHECK_OK(mls_commit(c->group, &path, &made));
    next = made.stage->next->keys;
    keys = made.stage->next->tree_keys;
    mls_committed_clear(&made);
    CHECK(!found(&y, c, prim_secret_view(&next.init)));
    CHECK(!found(&y, c, prim_secret_view(&next.sender_data)));
    CHECK(!found(&y, c, prim_secret_view(&keys.at[0].pair.priv)));
    CHECK(!found(&y, c, prim_secret_view(&keys.at[1].pair.priv)));
    stop(w, &y);
}

int
main(void)
{
    return RUN(T(key_package), T(keys_of_messages), T(secrets_of_an_epoch),
               T(dropped_stage));
}
