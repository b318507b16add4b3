/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/secret_tree.h"

#include "proto/base/limits.h"
#include "proto/wire/tls_wr.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/seed_rng.h"

#define KNOWN_TREE
#include "tests/crypto/mls/known.h"

#include <stdlib.h>
#include <string.h>

#define HS MLS_RATCHET_HANDSHAKE
#define APP MLS_RATCHET_APPLICATION

static const struct mls_suite *
suite(void)
{
    return mls_suite_at(0);
}

static struct mls_secret_tree *
tree_of(const struct mem *mem, uint32_t leaves)
{
    struct prim_secret root = {.len = 32, .b = {5, 6, 7}};
    struct mls_secret_tree *t = NULL;

    CHECK_OK(mls_secret_tree_new(mem, suite(), leaves, &root, &t));
    return t;
}

/* All records, one after the other. */
static struct bytes
save_all(const struct mls_secret_tree *t)
{
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct mls_ratchet_id id;
    struct bytes out = {0};

    for (size_t i = 0; mls_secret_tree_at(t, i, &id); i++) {
        CHECK_OK(mls_secret_tree_save(t, id, &w));
    }
    CHECK_OK(proto_tls_wr_take(&w, &out));
    return out;
}

static struct mls_secret_tree *
load_all(const struct mem *mem, const struct mls_secret_tree *from,
         uint32_t leaves)
{
    struct mls_secret_tree *t = NULL;
    struct mls_ratchet_id id;

    CHECK_OK(mls_secret_tree_empty(mem, suite(), leaves, &t));
    for (size_t i = 0; mls_secret_tree_at(from, i, &id); i++) {
        struct proto_tls_wr w = proto_tls_wr_open(mem_heap());

        CHECK_OK(mls_secret_tree_save(from, id, &w));
        CHECK_OK(mls_secret_tree_load(t, id, proto_tls_wr_view(&w)));
        CHECK_ERR(mls_secret_tree_load(t, id, proto_tls_wr_view(&w)),
                  ERR_EXISTS);
        proto_tls_wr_clear(&w);
    }
    return t;
}

/* Take the key of a generation for good; its first bytes tell keys apart. */
static uint64_t
receive(struct mls_secret_tree *t, uint32_t leaf, enum mls_ratchet type,
        uint32_t generation)
{
    struct mls_step *step = NULL;
    uint64_t out;

    CHECK_OK(mls_secret_tree_receive(t, leaf, type, generation, &step));
    CHECK_EQ(mls_step_generation(step), generation);
    memcpy(&out, mls_step_key(step)->key.b, sizeof(out));
    CHECK_OK(mls_step_apply(step));
    CHECK(prim_is_zero(
        view_make(mls_step_key(step), sizeof(struct mls_key_nonce))));
    mls_step_free(step);
    return out;
}

static enum err
try_receive(struct mls_secret_tree *t, uint32_t leaf, enum mls_ratchet type,
            uint32_t generation)
{
    struct mls_step *step = NULL;
    enum err e = mls_secret_tree_receive(t, leaf, type, generation, &step);

    mls_step_free(step);
    return e;
}

static uint64_t
send_one(struct mls_secret_tree *t, uint32_t leaf, enum mls_ratchet type,
         uint32_t want)
{
    struct mls_step *step = NULL;
    uint64_t out;

    CHECK_OK(mls_secret_tree_send(t, leaf, type, &step));
    CHECK_EQ(mls_step_generation(step), want);
    memcpy(&out, mls_step_key(step)->key.b, sizeof(out));
    CHECK_OK(mls_step_apply(step));
    mls_step_free(step);
    return out;
}

TEST(known_answers)
{
    struct mls_secret_tree *t = NULL;
    uint16_t last = 0;

    for (size_t i = 0; i < KNOWN_N(known_tree); i++) {
        const struct known_tree *k = &known_tree[i];
        struct mls_step *hs = NULL;
        struct mls_step *app = NULL;

        if (k->suite != last) {
            struct prim_secret root = {0};

            mls_secret_tree_free(t);
            CHECK_OK(prim_secret_set(&root, check_hex(k->encryption_secret)));
            CHECK_OK(mls_secret_tree_new(mem_heap(), mls_suite_find(k->suite),
                                         8, &root, &t));
            last = k->suite;
        }
        CHECK_OK(mls_secret_tree_receive(t, k->leaf, HS, k->generation, &hs));
        CHECK_VIEW(prim_secret_view(&mls_step_key(hs)->key),
                   check_hex(k->handshake_key));
        CHECK_VIEW(prim_secret_view(&mls_step_key(hs)->nonce),
                   check_hex(k->handshake_nonce));
        CHECK_OK(mls_step_apply(hs));
        CHECK_OK(mls_secret_tree_receive(t, k->leaf, APP, k->generation, &app));
        CHECK_VIEW(prim_secret_view(&mls_step_key(app)->key),
                   check_hex(k->application_key));
        CHECK_VIEW(prim_secret_view(&mls_step_key(app)->nonce),
                   check_hex(k->application_nonce));
        CHECK_OK(mls_step_apply(app));
        mls_step_free(hs);
        mls_step_free(app);
    }
    mls_secret_tree_free(t);
}

TEST(any_order_of_leaves_gives_the_same_keys)
{
    for (uint32_t leaves = 1; leaves <= 16; leaves++) {
        uint64_t forward[16];
        uint64_t seen;
        struct mls_secret_tree *t = tree_of(mem_heap(), leaves);
        struct seed_rng seed;

        seed_rng_init(&seed, leaves);
        for (uint32_t i = 0; i < leaves; i++) {
            forward[i] = receive(t, i, APP, 0);
            for (uint32_t j = 0; j < i; j++) {
                CHECK(forward[j] != forward[i]);
            }
        }
        mls_secret_tree_free(t);
        t = tree_of(mem_heap(), leaves);
        seen = 0;
        while (seen != (1u << leaves) - 1) {
            uint32_t i = (uint32_t)seed_rng_below(&seed, leaves);

            if (seen >> i & 1) {
                CHECK_ERR(try_receive(t, i, APP, 0), ERR_EXISTS);
            } else {
                CHECK(receive(t, i, APP, 0) == forward[i]);
            }
            seen |= 1u << i;
        }
        mls_secret_tree_free(t);
    }
}

TEST(sender_and_receiver_agree_and_ratchets_are_apart)
{
    struct mls_secret_tree *a = tree_of(mem_heap(), 5);
    struct mls_secret_tree *b = tree_of(mem_heap(), 8);
    uint64_t app[3];

    for (uint32_t i = 0; i < 3; i++) {
        app[i] = send_one(a, 4, APP, i);
        CHECK(app[i] != send_one(a, 4, HS, i));
    }
    CHECK(receive(b, 4, APP, 2) == app[2]);
    CHECK(receive(b, 4, APP, 0) == app[0]);
    CHECK(receive(b, 4, APP, 1) == app[1]);
    mls_secret_tree_free(a);
    mls_secret_tree_free(b);
}

/* [generation-used] */
TEST(no_key_is_given_twice)
{
    struct mls_secret_tree *t = tree_of(mem_heap(), 2);
    struct bytes before;
    struct bytes after;

    receive(t, 1, APP, 0);
    receive(t, 1, APP, 5);
    receive(t, 1, APP, 3);
    before = save_all(t);
    CHECK_ERR(try_receive(t, 1, APP, 0), ERR_EXISTS);
    CHECK_ERR(try_receive(t, 1, APP, 3), ERR_EXISTS);
    CHECK_ERR(try_receive(t, 1, APP, 5), ERR_EXISTS);
    after = save_all(t);
    CHECK_VIEW(view_of(&before), view_of(&after));
    bytes_free(&before);
    bytes_free(&after);
    CHECK(receive(t, 1, APP, 4) != receive(t, 1, APP, 2));
    receive(t, 1, APP, 1);
    receive(t, 1, APP, 6);
    mls_secret_tree_free(t);
}

/* [generation-forward] a bogus generation advances nothing */
TEST(forward_is_bounded_and_a_dropped_step_changes_nothing)
{
    struct mls_secret_tree *t = tree_of(mem_heap(), 3);
    struct bytes before = save_all(t);
    struct bytes after;

    CHECK_ERR(try_receive(t, 2, APP, LIMIT_MLS_FORWARD + 1), ERR_LIMIT);
    CHECK_ERR(try_receive(t, 2, APP, UINT32_MAX), ERR_LIMIT);
    CHECK_OK(try_receive(t, 2, APP, LIMIT_MLS_FORWARD));
    CHECK_OK(try_receive(t, 2, HS, 3));
    after = save_all(t);
    CHECK_VIEW(view_of(&before), view_of(&after));
    bytes_free(&before);
    bytes_free(&after);
    receive(t, 2, APP, LIMIT_MLS_FORWARD);
    CHECK_ERR(try_receive(t, 2, APP, 2 * LIMIT_MLS_FORWARD + 2), ERR_LIMIT);
    CHECK_OK(try_receive(t, 2, APP, 2 * LIMIT_MLS_FORWARD + 1));
    CHECK_ERR(try_receive(t, 4, APP, 0), ERR_INVALID);
    CHECK_ERR(try_receive(t, 0, MLS_RATCHET_NODES, 0), ERR_INVALID);
    CHECK_ERR(try_receive(t, 0, (enum mls_ratchet)3, 0), ERR_INVALID);
    mls_secret_tree_free(t);
}

TEST(skipped_keys_are_bounded)
{
    struct mls_secret_tree *t = tree_of(mem_heap(), 32);
    struct bytes saved;

    /* the newest 64 stay */
    receive(t, 0, APP, 200);
    CHECK_ERR(try_receive(t, 0, APP, 135), ERR_EXISTS);
    CHECK_OK(try_receive(t, 0, APP, 136));
    receive(t, 0, APP, 199);
    receive(t, 0, APP, 203);
    CHECK_ERR(try_receive(t, 0, APP, 136), ERR_EXISTS);
    CHECK_OK(try_receive(t, 0, APP, 137));
    CHECK_OK(try_receive(t, 0, APP, 202));
    /* and 1,024 in all */
    for (uint32_t leaf = 1; leaf < 32; leaf++) {
        receive(t, leaf, APP, 64);
    }
    CHECK_OK(try_receive(t, 15, APP, 0));
    CHECK_ERR(try_receive(t, 16, APP, 63), ERR_EXISTS);
    saved = save_all(t);
    CHECK(saved.len < LIMIT_MLS_SKIPPED_PER_EPOCH * 48 + 32 * 2 * 64);
    bytes_free(&saved);
    /* using one makes room for one */
    receive(t, 15, APP, 0);
    receive(t, 16, APP, 67);
    CHECK_ERR(try_receive(t, 16, APP, 65), ERR_EXISTS);
    CHECK_OK(try_receive(t, 16, APP, 66));
    mls_secret_tree_free(t);
}

TEST(undo_restores_everything)
{
    struct mls_secret_tree *t = tree_of(mem_heap(), 4);
    static const uint32_t order[] = {3, 0, 2, 7, 1};
    struct mls_step *steps[5];
    struct bytes states[6];

    for (size_t i = 0; i < 5; i++) {
        struct mls_step *stale = NULL;

        states[i] = save_all(t);
        CHECK_OK(mls_secret_tree_receive(t, 1, APP, order[i], &steps[i]));
        CHECK_OK(mls_secret_tree_receive(t, 2, APP, 9, &stale));
        CHECK_OK(mls_step_apply(steps[i]));
        CHECK_ERR(mls_step_apply(steps[i]), ERR_STATE);
        CHECK_ERR(mls_step_apply(stale), ERR_STATE);
        CHECK_ERR(mls_step_undo(stale), ERR_STATE);
        mls_step_free(stale);
    }
    CHECK_ERR(mls_step_undo(steps[0]), ERR_STATE);
    for (size_t i = 5; i-- > 0;) {
        CHECK_OK(mls_step_undo(steps[i]));
        CHECK_ERR(mls_step_undo(steps[i]), ERR_STATE);
        states[5] = save_all(t);
        CHECK_VIEW(view_of(&states[5]), view_of(&states[i]));
        bytes_free(&states[5]);
        bytes_free(&states[i]);
        mls_step_free(steps[i]);
    }
    receive(t, 1, APP, 0);
    mls_secret_tree_free(t);
}

TEST(changed_records_are_enough_to_restore)
{
    struct mls_secret_tree *t = tree_of(mem_heap(), 6);
    struct mls_ratchet_id ids[MLS_STEP_CHANGED_MAX];
    struct mls_step *step = NULL;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());

    CHECK_OK(mls_secret_tree_send(t, 3, APP, &step));
    CHECK_EQ(mls_step_changed(step, ids), 3);
    CHECK_EQ(ids[0].type, MLS_RATCHET_NODES);
    CHECK_EQ(ids[2].leaf, 3);
    CHECK_OK(mls_step_apply(step));
    mls_step_free(step);
    step = NULL;
    CHECK_OK(mls_secret_tree_send(t, 3, APP, &step));
    CHECK_EQ(mls_step_changed(step, ids), 1);
    CHECK_EQ(ids[0].type, MLS_RATCHET_APPLICATION);
    CHECK_EQ(ids[0].leaf, 3);
    CHECK_OK(mls_step_apply(step));
    mls_step_free(step);
    /* decisions G 29: one small record a message */
    CHECK_OK(mls_secret_tree_save(t, ids[0], &w));
    CHECK(proto_tls_wr_view(&w).len <= 64);
    proto_tls_wr_clear(&w);
    CHECK_ERR(mls_secret_tree_save(t, (struct mls_ratchet_id){2, APP}, &w),
              ERR_MISSING);
    CHECK_ERR(mls_secret_tree_save(t, (struct mls_ratchet_id){9, APP}, &w),
              ERR_MISSING);
    mls_secret_tree_free(t);
}

TEST(restored_tree_goes_on)
{
    struct seed_rng seed;
    struct mls_secret_tree *t = tree_of(mem_heap(), 5);
    struct mls_secret_tree *other = tree_of(mem_heap(), 5);

    seed_rng_init(&seed, 11);
    for (int i = 0; i < 120; i++) {
        uint32_t leaf = (uint32_t)seed_rng_below(&seed, 5);
        uint32_t generation = (uint32_t)seed_rng_below(&seed, 40);
        enum mls_ratchet type = seed_rng_below(&seed, 2) ? HS : APP;
        enum err e = try_receive(t, leaf, type, generation);
        struct bytes a;
        struct bytes b;

        CHECK_EQ(e, try_receive(other, leaf, type, generation));
        if (e == OK) {
            CHECK(receive(t, leaf, type, generation) ==
                  receive(other, leaf, type, generation));
        }
        if (i % 10 == 0) {
            struct mls_secret_tree *loaded = load_all(mem_heap(), t, 5);

            a = save_all(t);
            b = save_all(loaded);
            CHECK_VIEW(view_of(&a), view_of(&b));
            bytes_free(&a);
            bytes_free(&b);
            mls_secret_tree_free(t);
            t = loaded;
        }
    }
    mls_secret_tree_free(t);
    mls_secret_tree_free(other);
}

/* A leaf whose records are missing is not restarted at generation 0. */
TEST(lost_records_are_noticed)
{
    struct mls_secret_tree *t = tree_of(mem_heap(), 4);
    struct mls_secret_tree *loaded = NULL;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());

    send_one(t, 1, APP, 0);
    CHECK_OK(mls_secret_tree_save(t, (struct mls_ratchet_id){0}, &w));
    CHECK_OK(mls_secret_tree_empty(mem_heap(), suite(), 4, &loaded));
    CHECK_ERR(try_receive(loaded, 0, APP, 0), ERR_CORRUPT);
    CHECK_OK(mls_secret_tree_load(loaded, (struct mls_ratchet_id){0},
                                  proto_tls_wr_view(&w)));
    CHECK_ERR(try_receive(loaded, 1, APP, 0), ERR_CORRUPT);
    CHECK_OK(try_receive(loaded, 0, APP, 0));
    proto_tls_wr_clear(&w);
    CHECK_OK(mls_secret_tree_save(t, (struct mls_ratchet_id){1, HS}, &w));
    CHECK_OK(mls_secret_tree_load(loaded, (struct mls_ratchet_id){1, HS},
                                  proto_tls_wr_view(&w)));
    CHECK_OK(try_receive(loaded, 1, HS, 0));
    CHECK_ERR(try_receive(loaded, 1, APP, 1), ERR_CORRUPT);
    proto_tls_wr_clear(&w);
    mls_secret_tree_free(loaded);
    mls_secret_tree_free(t);
}

TEST(broken_records_are_refused)
{
    struct mls_secret_tree *t = tree_of(mem_heap(), 4);
    struct mls_ratchet_id id;

    receive(t, 1, APP, 3);
    for (size_t i = 0; mls_secret_tree_at(t, i, &id); i++) {
        struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
        struct mls_secret_tree *loaded = NULL;
        struct mls_ratchet_id other = {id.leaf ^ 1, id.type};
        struct bytes b = {0};

        CHECK_OK(mls_secret_tree_save(t, id, &w));
        CHECK_OK(proto_tls_wr_take(&w, &b));
        CHECK_OK(mls_secret_tree_empty(mem_heap(), suite(), 4, &loaded));
        for (size_t n = 0; n < b.len; n++) {
            CHECK_ERR(mls_secret_tree_load(loaded, id, view_make(b.p, n)),
                      ERR_CORRUPT);
        }
        CHECK_ERR(mls_secret_tree_load(loaded, other, view_of(&b)),
                  ERR_CORRUPT);
        for (size_t n = 1; n < 12; n++) {
            b.p[n] ^= 1;
            CHECK_ERR(mls_secret_tree_load(loaded, id, view_of(&b)),
                      ERR_CORRUPT);
            b.p[n] ^= 1;
        }
        b.p[0] = 2;
        CHECK_ERR(mls_secret_tree_load(loaded, id, view_of(&b)),
                  ERR_UNSUPPORTED);
        mls_secret_tree_free(loaded);
        bytes_free(&b);
    }
    mls_secret_tree_free(t);
}

/* Everything that an allocation can stop leaves the tree as it was. */
static enum err
exercise(const struct mem *mem)
{
    struct prim_secret root = {.len = 32};
    struct mls_secret_tree *t = NULL;
    struct mls_secret_tree *copy = NULL;
    struct mls_step *step = NULL;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct mls_ratchet_id id;
    enum err e;

    TRY(mls_secret_tree_new(mem, suite(), 8, &root, &t));
    for (uint32_t g = 6; g > 0; g -= 2) {
        struct bytes before = save_all(t);
        struct bytes after;

        e = mls_secret_tree_receive(t, 5, APP, g, &step);
        after = save_all(t);
        CHECK_VIEW(view_of(&before), view_of(&after));
        bytes_free(&before);
        bytes_free(&after);
        if (e != OK) {
            goto out;
        }
        CHECK_OK(mls_step_apply(step));
        mls_step_free(step);
        step = NULL;
    }
    TRY(mls_secret_tree_empty(mem, suite(), 8, &copy));
    for (size_t i = 0; mls_secret_tree_at(t, i, &id); i++) {
        proto_tls_wr_clear(&w);
        CHECK_OK(mls_secret_tree_save(t, id, &w));
        TRY(mls_secret_tree_load(copy, id, proto_tls_wr_view(&w)));
    }
out:
    proto_tls_wr_clear(&w);
    mls_step_free(step);
    mls_secret_tree_free(copy);
    mls_secret_tree_free(t);
    return e;
}

TEST(no_memory)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        enum err e;

        fail_mem_init(&f, n);
        e = exercise(&f.mem);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

TEST(sizes_are_bounded)
{
    struct mls_secret_tree *t = NULL;

    CHECK_ERR(mls_secret_tree_empty(mem_heap(), suite(), 0, &t), ERR_LIMIT);
    CHECK_ERR(
        mls_secret_tree_empty(mem_heap(), suite(), LIMIT_MLS_LEAVES + 1, &t),
        ERR_LIMIT);
    t = tree_of(mem_heap(), LIMIT_MLS_LEAVES);
    receive(t, LIMIT_MLS_LEAVES - 1, HS, 0);
    receive(t, 0, HS, 0);
    mls_secret_tree_free(t);
}

/* Memory given back or still held, searched for a secret. */
struct watch {
    struct mem mem;
    uint8_t *block[256];
    size_t size[256];
    size_t n;
};

static void *
watch_alloc(void *ctx, size_t size)
{
    struct watch *w = ctx;
    void *p = malloc(size);

    CHECK(w->n < 256);
    w->block[w->n] = p;
    w->size[w->n++] = size;
    return p;
}

/* Kept, so that what was not wiped is found. */
static void
watch_release(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)ptr;
    (void)size;
}

static bool
watch_has(const struct watch *w, const uint8_t *needle, size_t len)
{
    for (size_t i = 0; i < w->n; i++) {
        if (memmem(w->block[i], w->size[i], needle, len) != NULL) {
            return true;
        }
    }
    return false;
}

TEST(used_keys_are_nowhere)
{
    struct watch w = {.mem = {watch_alloc, watch_release, NULL}};
    struct mls_secret_tree *t;
    struct mls_step *step = NULL;
    static const uint32_t order[] = {2, 0, 1, 3};
    uint8_t keys[4][32];
    uint8_t root[32] = {5, 6, 7};

    w.mem.ctx = &w;
    t = tree_of(&w.mem, 4);
    CHECK(watch_has(&w, root, 32));
    for (size_t i = 0; i < 4; i++) {
        struct bytes saved;

        CHECK_OK(mls_secret_tree_receive(t, 1, APP, order[i], &step));
        memcpy(keys[i], mls_step_key(step)->key.b, 32);
        CHECK(watch_has(&w, keys[i], 32));
        CHECK_OK(mls_step_apply(step));
        mls_step_free(step);
        step = NULL;
        saved = save_all(t);
        for (size_t j = 0; j <= i; j++) {
            CHECK(!watch_has(&w, keys[j], 32));
            CHECK(memmem(saved.p, saved.len, keys[j], 32) == NULL);
        }
        CHECK(!watch_has(&w, root, 32));
        bytes_free(&saved);
    }
    mls_secret_tree_free(t);
    for (size_t i = 0; i < w.n; i++) {
        CHECK(prim_is_zero(view_make(w.block[i], w.size[i])));
        free(w.block[i]);
    }
}

int
main(void)
{
    return RUN(T(known_answers), T(any_order_of_leaves_gives_the_same_keys),
               T(sender_and_receiver_agree_and_ratchets_are_apart),
               T(no_key_is_given_twice),
               T(forward_is_bounded_and_a_dropped_step_changes_nothing),
               T(skipped_keys_are_bounded), T(undo_restores_everything),
               T(changed_records_are_enough_to_restore),
               T(restored_tree_goes_on), T(lost_records_are_noticed),
               T(broken_records_are_refused), T(no_memory),
               T(sizes_are_bounded), T(used_keys_are_nowhere));
}
