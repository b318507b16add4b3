/* SPDX-License-Identifier: Apache-2.0 */
/* Moves against a plain array that is moved the same way. */
#include "store/msg.h"

#include "tests/store/fix.h"
#include "tests/support/seed_rng.h"

enum {
    COUNT = 200 /* four rows of positions */
};

static const struct conv_id conv = {{7}};

static enum err
fill_run(void *ctx, struct store_txn *txn)
{
    struct store_conv c = {.id = conv, .channel = STORE_CHANNEL_SECURE};
    struct store_msg m = {.conv = conv, .kind = 1, .at_ms = 5};
    uint64_t *model = ctx;
    enum err e;

    TRY(store_conv_create(txn, &c));
    for (size_t i = 0; i < COUNT; i++) {
        TRY(store_msg_add(txn, &m, &model[i]));
    }
out:
    return e;
}

struct move {
    uint64_t from;
    uint64_t to;
};

static enum err
move_run(void *ctx, struct store_txn *txn)
{
    struct move *m = ctx;

    return store_msg_move(txn, &conv, m->from, m->to);
}

static void
move_model(uint64_t *model, size_t from, size_t to)
{
    uint64_t moved = model[from - 1];

    if (to > from) {
        memmove(model + from - 1, model + from, (to - from) * sizeof(*model));
    } else {
        memmove(model + to, model + to - 1, (from - to) * sizeof(*model));
    }
    model[to - 1] = moved;
}

struct seen {
    const uint64_t *model;
    uint64_t n;
};

static enum err
see(void *ctx, const struct store_msg *m)
{
    struct seen *s = ctx;

    CHECK_EQ(m->seq, s->model[s->n]);
    s->n++;
    CHECK_EQ(m->pos, s->n);
    return OK;
}

static void
check_all(struct fix *f, const uint64_t *model)
{
    struct seen s = {model, 0};
    struct store_txn *txn;
    uint64_t seq;

    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_msg_list(txn, &conv, 0, STORE_UP, COUNT, see, &s));
    CHECK_EQ(s.n, COUNT);
    CHECK_OK(store_msg_at(txn, &conv, COUNT, &seq));
    CHECK_EQ(seq, model[COUNT - 1]);
    CHECK_ERR(store_msg_at(txn, &conv, COUNT + 1, &seq), ERR_MISSING);
    CHECK_ERR(store_msg_at(txn, &conv, 0, &seq), ERR_MISSING);
    store_read_end(txn);
}

TEST(moves_within_and_across_rows)
{
    static const struct move moves[] = {
        {1, 2},     {2, 1},   {64, 65},   {65, 64}, {1, COUNT},
        {COUNT, 1}, {10, 10}, {100, 180}, {180, 3}, {128, 129},
    };
    uint64_t model[COUNT];
    struct seed_rng rng;
    struct fix f;

    fix_begin(&f);
    FIX_WRITE(&f, fill_run, model);
    check_all(&f, model);
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        struct move m = moves[i];

        FIX_WRITE(&f, move_run, &m);
        move_model(model, (size_t)m.from, (size_t)m.to);
        check_all(&f, model);
    }
    seed_rng_init(&rng, 4711);
    for (int i = 0; i < 40; i++) {
        struct move m = {seed_rng_below(&rng, COUNT) + 1,
                         seed_rng_below(&rng, COUNT) + 1};

        FIX_WRITE(&f, move_run, &m);
        move_model(model, (size_t)m.from, (size_t)m.to);
        check_all(&f, model);
    }
    fix_end(&f);
}

TEST(positions_that_are_not_there)
{
    uint64_t model[COUNT];
    struct move m = {1, COUNT + 1};
    struct fix f;

    fix_begin(&f);
    FIX_WRITE(&f, fill_run, model);
    CHECK_ERR(store_write(f.s, move_run, &m, 0), ERR_MISSING);
    m = (struct move){0, 1};
    CHECK_ERR(store_write(f.s, move_run, &m, 0), ERR_MISSING);
    check_all(&f, model);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(moves_within_and_across_rows),
               T(positions_that_are_not_there));
}
