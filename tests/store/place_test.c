/* SPDX-License-Identifier: Apache-2.0 */
/* Places: a message is found by where a thread's log has it. */
#include "store/place.h"

#include "store/backup.h"
#include "store/convs.h"
#include "tests/store/fix.h"
#include "tests/support/fail_mem.h"

enum {
    MANY = 3000
};

static const struct conv_id conv = {{1, 2}};

struct op {
    struct store_place in;
    struct store_msg m;
    struct store_conv c;
    uint64_t place;
    uint64_t seq;
    bool more;
};

static enum err
create_run(void *ctx, struct store_txn *txn)
{
    return store_conv_create(txn, &((struct op *)ctx)->c);
}

static enum err
add_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;
    enum err e;

    TRY(store_msg_add(txn, &op->m, &op->seq));
    TRY(store_place_put(txn, &op->in, op->place, op->seq));
out:
    return e;
}

/* Message seq says now that it is elsewhere, or was deleted. */
static enum err
change_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;
    struct store_msg m = {0};
    enum err e;

    TRY(store_msg_get(txn, op->seq, &m));
    m.flags |= op->m.flags;
    m.log_seq = op->place != 0 ? op->place : m.log_seq;
    TRY(store_msg_update(txn, &m));
    TRY(op->place != 0 ? store_place_put(txn, &op->in, op->place, op->seq)
                       : OK);
out:
    store_msg_clear(&m);
    return e;
}

static enum err
del_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;

    return store_conv_del(txn, &conv, 1, &op->more);
}

static void
begin(struct fix *f)
{
    struct op op = {.c = {.id = conv, .channel = STORE_CHANNEL_SECURE}};

    fix_begin(f);
    FIX_WRITE(f, create_run, &op);
}

static struct store_place
term_of(uint8_t thread, uint64_t term)
{
    struct store_place in = {.conv = conv, .thread = {{thread}}, .term = term};

    return in;
}

static uint64_t
add(struct fix *f, uint8_t thread, uint64_t term, uint64_t place)
{
    struct op op = {.in = term_of(thread, term),
                    .m = {.conv = conv, .log_term = term, .log_seq = place},
                    .place = place};

    FIX_WRITE(f, add_run, &op);
    return op.seq;
}

static void
change(struct fix *f, uint64_t seq, unsigned flags, uint64_t place)
{
    struct op op = {
        .in = term_of(1, 1), .m = {.flags = flags}, .place = place, .seq = seq};

    FIX_WRITE(f, change_run, &op);
}

/* Seq of the first in from..to; 0: there is none. */
static uint64_t
first(struct fix *f, uint8_t thread, uint64_t term, uint64_t from, uint64_t to)
{
    struct store_place in = term_of(thread, term);
    struct store_txn *txn;
    struct store_msg m = {0};
    uint64_t seq;
    enum err e;

    CHECK_OK(store_read_begin(f->s, &txn));
    e = store_place_first(txn, &in, from, to, &m);
    store_read_end(txn);
    CHECK(e == OK || e == ERR_MISSING);
    seq = e == OK ? m.seq : 0;
    store_msg_clear(&m);
    return seq;
}

TEST(the_first_in_a_range_is_found)
{
    struct fix f;
    uint64_t a;
    uint64_t b;
    uint64_t c;

    begin(&f);
    CHECK_EQ(first(&f, 1, 1, 1, UINT64_MAX), 0);
    a = add(&f, 1, 1, 64);
    b = add(&f, 1, 1, 65);
    c = add(&f, 1, 1, 64 * 5000 + 3);
    CHECK_EQ(first(&f, 1, 1, 1, UINT64_MAX), a);
    CHECK_EQ(first(&f, 1, 1, 64, 64), a);
    CHECK_EQ(first(&f, 1, 1, 65, 127), b);
    CHECK_EQ(first(&f, 1, 1, 66, UINT64_MAX), c);
    CHECK_EQ(first(&f, 1, 1, 66, 64 * 5000 + 2), 0);
    CHECK_EQ(first(&f, 1, 1, 64 * 5000 + 4, UINT64_MAX), 0);
    fix_end(&f);
}

TEST(threads_and_terms_of_one_conversation_are_apart)
{
    struct fix f;
    uint64_t old;
    uint64_t now;
    uint64_t later;

    begin(&f);
    old = add(&f, 1, 1, 640);
    later = add(&f, 1, 2, 640);
    now = add(&f, 2, 1, 640);
    CHECK_EQ(first(&f, 1, 1, 1, 6400), old);
    CHECK_EQ(first(&f, 1, 2, 1, 6400), later);
    CHECK_EQ(first(&f, 2, 1, 1, 6400), now);
    CHECK_EQ(first(&f, 2, 2, 1, 6400), 0);
    fix_end(&f);
}

TEST(of_two_at_one_place_the_later_counts_while_it_is_there)
{
    struct fix f;
    uint64_t a;
    uint64_t b;
    uint64_t next;

    begin(&f);
    a = add(&f, 1, 1, 640);
    b = add(&f, 1, 1, 640);
    next = add(&f, 1, 1, 641);
    CHECK_EQ(first(&f, 1, 1, 640, 700), b);
    change(&f, b, 0, 600); /* it goes back to where it was */
    CHECK_EQ(first(&f, 1, 1, 600, 700), b);
    CHECK_EQ(first(&f, 1, 1, 601, 700), a);
    change(&f, a, STORE_MSG_DELETED, 0);
    CHECK_EQ(first(&f, 1, 1, 601, 700), next);
    fix_end(&f);
}

/* Against the whole, looked through: any order of places, any gaps. */
TEST(a_long_log_is_found_as_it_is)
{
    static uint64_t at[MANY];
    struct fix f;
    uint64_t place = 0;
    uint64_t swap;

    begin(&f);
    for (unsigned i = 0; i < MANY; i++) {
        place += (seed_rng_next(&f.rng) % 3 == 0)
                     ? 64 - place % 64 + 64 * (seed_rng_next(&f.rng) % 3)
                     : 1;
        at[i] = place;
    }
    for (unsigned i = 0; i < MANY / 10; i++) {
        unsigned a = (unsigned)(seed_rng_next(&f.rng) % MANY);

        swap = at[a];
        at[a] = at[0];
        at[0] = swap;
    }
    for (unsigned i = 0; i < MANY; i++) {
        CHECK_EQ(add(&f, 1, 1, at[i]), i + 1);
    }
    for (unsigned n = 0; n < MANY; n++) {
        uint64_t from = seed_rng_next(&f.rng) % (place + 100);
        uint64_t to = from + seed_rng_next(&f.rng) % 200;
        uint64_t want = 0;

        for (unsigned i = 0; i < MANY; i++) {
            if (at[i] >= from && at[i] <= to &&
                (want == 0 || at[i] < at[want - 1])) {
                want = i + 1;
            }
        }
        CHECK_EQ(first(&f, 1, 1, from, to), want);
    }
    fix_end(&f);
}

TEST(they_leave_with_their_conversation)
{
    struct fix f;
    struct op op = {0};
    struct store_txn *txn;
    uint64_t rows;

    begin(&f);
    for (unsigned i = 1; i <= 100; i++) {
        (void)add(&f, 1, 1, i * 640);
    }
    do {
        FIX_WRITE(&f, del_run, &op);
    } while (op.more);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_count(txn, STORE_T_MSG_INDEX, &rows));
    store_read_end(txn);
    CHECK_EQ(rows, 0);
    fix_end(&f);
}

/* A row that says more than fits forgets what it heard first. */
TEST(a_row_has_bounds)
{
    struct fix f;
    uint64_t last = 0;
    uint64_t second;

    begin(&f);
    (void)add(&f, 1, 1, 7);
    second = add(&f, 1, 1, 5);
    for (unsigned i = 1; i <= STORE_PLACE_RUNS / 2; i++) {
        (void)add(&f, 1, 1, 900);
        last = add(&f, 1, 1, 1000);
    }
    CHECK_EQ(first(&f, 1, 1, 7, 7), 0);
    CHECK_EQ(first(&f, 1, 1, 5, 5), 0);
    CHECK(second < last);
    CHECK_EQ(first(&f, 1, 1, 1, 999), last - 1);
    CHECK_EQ(first(&f, 1, 1, 1000, 1000), last);
    fix_end(&f);
}

static void
seed(struct view v)
{
    const char *dir = getenv("BALSAM_CORPUS");
    char path[FIX_PATH];
    FILE *f;

    if (dir == NULL) {
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/runs", dir);
    f = fopen(path, "w");
    CHECK(f != NULL);
    CHECK(fputc(17, f) == 17);
    CHECK_EQ(fwrite(v.p, 1, v.len, f), v.len);
    CHECK_EQ(fclose(f), 0);
}

static const struct store_runs sample = {
    .run = {{9, 64, 1}, {700, 128, 64}, {3, 5, 2}, {4, 5, 1}}, .len = 4};

TEST(changed_rows_are_refused_or_one_encoding)
{
    struct store_runs runs;
    struct bytes a = {0};

    CHECK_OK(store_runs_encode(mem_heap(), &sample, &a));
    seed(view_of(&a));
    for (size_t i = 0; i < a.len * 8; i++) {
        struct bytes b = {0};
        enum err e;

        a.p[i / 8] ^= (uint8_t)(1u << i % 8);
        e = store_runs_decode(view_of(&a), &runs);
        CHECK(e == OK || e == ERR_CORRUPT);
        if (e == OK) {
            CHECK_OK(store_runs_encode(mem_heap(), &runs, &b));
            CHECK_VIEW(view_of(&b), view_of(&a));
        }
        bytes_free(&b);
        a.p[i / 8] ^= (uint8_t)(1u << i % 8);
        CHECK_ERR(store_runs_decode(view_make(a.p, i / 8), &runs), ERR_CORRUPT);
    }
    CHECK_OK(store_runs_decode(view_of(&a), &runs));
    CHECK_EQ(runs.len, sample.len);
    CHECK_EQ(runs.run[1].n, 64);
    bytes_free(&a);
}

TEST(no_failed_allocation_leaks)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct bytes a = {0};
        enum err e;

        fail_mem_init(&f, n);
        e = store_runs_encode(&f.mem, &sample, &a);
        bytes_free(&a);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

int
main(void)
{
    return RUN(T(the_first_in_a_range_is_found),
               T(threads_and_terms_of_one_conversation_are_apart),
               T(of_two_at_one_place_the_later_counts_while_it_is_there),
               T(a_long_log_is_found_as_it_is),
               T(they_leave_with_their_conversation), T(a_row_has_bounds),
               T(changed_rows_are_refused_or_one_encoding),
               T(no_failed_allocation_leaks));
}
