/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the secret tree, and the tree itself.
 *
 * A record that loads saves as the same bytes.  The rest of the input is a
 * program of receives, sends, undos and restarts over a small tree, checked
 * against a model that knows which generations were used: no key comes twice,
 * an undone one comes again and is the same.
 */
#include "crypto/mls/secret_tree.h"
#include "proto/base/assert.h"
#include "proto/wire/tls_wr.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    LEAVES = 5,
    GENERATIONS = 128,
    OPS_MAX = 200
};

struct model {
    struct mls_secret_tree *t;
    bool used[LEAVES][2][GENERATIONS];
    uint8_t key[LEAVES][2][GENERATIONS][16];
};

static struct mls_secret_tree *
new_tree(void)
{
    struct prim_secret root = {.len = 32, .b = {7}};
    struct mls_secret_tree *t = NULL;

    ASSERT(mls_secret_tree_new(mem_heap(), mls_suite_at(1), LEAVES, &root,
                               &t) == OK);
    return t;
}

static void
check_record(struct view in)
{
    struct mls_secret_tree *t = NULL;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct mls_ratchet_id id = {0};

    if (in.len < 12) {
        return;
    }
    id.type = (enum mls_ratchet)(in.p[7] % 3);
    id.leaf = in.p[11];
    ASSERT(mls_secret_tree_empty(mem_heap(), mls_suite_at(1), LEAVES, &t) ==
           OK);
    if (mls_secret_tree_load(t, id, in) == OK) {
        struct mls_step *step = NULL;

        ASSERT(mls_secret_tree_save(t, id, &w) == OK);
        ASSERT(view_equal(proto_tls_wr_view(&w), in));
        ERR_IGNORE(mls_secret_tree_receive(t, 0, MLS_RATCHET_APPLICATION,
                                           in.p[0], &step),
                   "whatever the record allows");
        mls_step_free(step);
    }
    proto_tls_wr_clear(&w);
    mls_secret_tree_free(t);
}

static void
restart(struct model *m)
{
    struct mls_secret_tree *again = NULL;
    struct mls_ratchet_id id;

    ASSERT(mls_secret_tree_empty(mem_heap(), mls_suite_at(1), LEAVES, &again) ==
           OK);
    for (size_t i = 0; mls_secret_tree_at(m->t, i, &id); i++) {
        struct proto_tls_wr w = proto_tls_wr_open(mem_heap());

        ASSERT(mls_secret_tree_save(m->t, id, &w) == OK);
        ASSERT(mls_secret_tree_load(again, id, proto_tls_wr_view(&w)) == OK);
        proto_tls_wr_clear(&w);
    }
    mls_secret_tree_free(m->t);
    m->t = again;
}

/* The key of one step, compared with what was seen of it before. */
static void
take(struct model *m, struct mls_step *step, uint32_t leaf, size_t type,
     bool undo)
{
    uint32_t g = mls_step_generation(step);
    uint8_t *known = m->key[leaf][type][g];
    uint8_t key[16];
    static const uint8_t zero[16];

    memcpy(key, mls_step_key(step)->key.b, sizeof(key));
    ASSERT(!m->used[leaf][type][g]);
    ASSERT(memcmp(known, zero, sizeof(zero)) == 0 ||
           memcmp(known, key, sizeof(key)) == 0);
    memcpy(known, key, sizeof(key));
    ASSERT(mls_step_apply(step) == OK);
    if (undo) {
        ASSERT(mls_step_undo(step) == OK);
    } else {
        m->used[leaf][type][g] = true;
    }
}

static void
one_op(struct model *m, uint8_t what, uint8_t g)
{
    struct mls_step *step = NULL;
    uint32_t leaf = what % LEAVES;
    size_t type = what / LEAVES % 2;
    bool undo = what & 0x80;
    enum mls_ratchet r =
        type == 0 ? MLS_RATCHET_HANDSHAKE : MLS_RATCHET_APPLICATION;
    enum err e;

    if (g == 0xff) {
        restart(m);
        return;
    }
    if (g == 0xfe) {
        e = mls_secret_tree_send(m->t, leaf, r, &step);
    } else {
        e = mls_secret_tree_receive(m->t, leaf, r, g % GENERATIONS, &step);
        ASSERT(e != OK || mls_step_generation(step) == g % GENERATIONS);
        ASSERT(!m->used[leaf][type][g % GENERATIONS] || e == ERR_EXISTS);
    }
    if (e == OK && mls_step_generation(step) < GENERATIONS) {
        take(m, step, leaf, type, undo);
    }
    mls_step_free(step);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model m;

    check_record(view_make(data, size));
    memset(&m, 0, sizeof(m));
    m.t = new_tree();
    for (size_t i = 0; i + 1 < size && i < 2 * (size_t)OPS_MAX; i += 2) {
        one_op(&m, data[i], data[i + 1]);
    }
    mls_secret_tree_free(m.t);
    return 0;
}
