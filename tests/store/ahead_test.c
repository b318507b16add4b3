/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys rotated ahead, between messages: sooner than they must be, never later,
 * and whatever fails then is no message's failure.  crash_test and power_test
 * cut at every write of it.
 */
#include "proto/base/limits.h"
#include "store/fed.h"
#include "store/inner.h"
#include "store/slots_impl.h"
#include "tests/store/fix.h"
#include "tests/support/fail_mem.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    AHEAD = LIMIT_SECRET_PUTS / 4 * 3,
    NEVER_MS = 600 * 1000,
    TURNS = 400
};

struct op {
    uint8_t owner;
    uint32_t value;
    bool rotate;
    bool drop;
    enum err fail; /* undo it all */
};

static struct store_owner
owner_of(uint8_t owner)
{
    struct store_owner o = {{owner}};

    return o;
}

static enum err
op_run(void *ctx, struct store_txn *txn)
{
    const struct op *op = ctx;
    struct store_owner o = owner_of(op->owner);
    enum err e;

    if (op->drop) {
        TRY(store_secret_drop(txn, &o));
    } else {
        TRY(store_secret_put(txn, &o, VIEW_LIT("a"),
                             view_make(&op->value, sizeof(op->value))));
        TRY(op->rotate ? store_secret_rotate(txn, &o) : OK);
    }
    e = op->fail;
out:
    return e;
}

static void
put(struct fix *f, uint8_t owner, uint32_t value)
{
    struct op op = {.owner = owner, .value = value};

    CHECK_OK(store_write(f->s, op_run, &op, 0));
}

static void
put_many(struct fix *f, uint8_t owner, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++) {
        put(f, owner, i);
    }
}

static enum err
get(struct fix *f, uint8_t owner, uint32_t *value)
{
    struct store_owner o = owner_of(owner);
    struct store_txn *txn = NULL;
    struct bytes b = {0};
    enum err e = store_read_begin(f->s, &txn);

    e = e == OK ? store_secret_get(txn, &o, VIEW_LIT("a"), &b) : e;
    store_read_end(txn);
    if (e == OK) {
        CHECK_EQ(b.len, sizeof(*value));
        memcpy(value, b.p, sizeof(*value));
    }
    bytes_free(&b);
    return e;
}

static void
expect(struct fix *f, uint8_t owner, uint32_t want)
{
    uint32_t value = want + 1;

    CHECK_OK(get(f, owner, &value));
    CHECK_EQ(value, want);
}

/* Which of its keys an owner has; 0: none. */
static uint64_t
generation(struct fix *f, uint8_t owner)
{
    struct store_owner o = owner_of(owner);
    struct store_slot slot = {.generation = 0};
    struct store_txn *txn = NULL;
    enum err e;

    CHECK_OK(store_read_begin(f->s, &txn));
    e = store_slot_find(txn, &o, &slot);
    CHECK(e == OK || e == ERR_MISSING);
    if (e == OK) {
        CHECK_OK(store_slot_check(txn, &slot));
    }
    store_read_end(txn);
    return slot.generation;
}

/* A gap comes only when it is asked for. */
static void
begin(struct fix *f)
{
    fix_begin(f);
    f->s->writer.rest_ms = NEVER_MS;
    f->s->writer.gap_ms = NEVER_MS;
}

TEST(a_gap_rotates_what_is_soon_due)
{
    struct fix f;

    begin(&f);
    put(&f, 1, 7);
    put_many(&f, 1, AHEAD - 1);
    store_writer_settle(f.s);
    CHECK_EQ(generation(&f, 1), 1); /* too early */
    put_many(&f, 1, 1);
    CHECK_EQ(generation(&f, 1), 1); /* no gap */
    store_writer_settle(f.s);
    CHECK_EQ(generation(&f, 1), 2);
    store_writer_settle(f.s);
    CHECK_EQ(generation(&f, 1), 2); /* once */
    expect(&f, 1, 0);
    put_many(&f, 1, AHEAD - 1);
    store_writer_settle(f.s);
    CHECK_EQ(generation(&f, 1), 2); /* it counts anew */
    put(&f, 1, 9);
    store_writer_settle(f.s);
    CHECK_EQ(generation(&f, 1), 3);
    fix_reopen(&f);
    expect(&f, 1, 9);
    fix_end(&f);
}

/* Nobody asks: the writer looks by itself. */
TEST(it_comes_by_itself)
{
    struct fix f;

    begin(&f);
    f.s->writer.gap_ms = 1;
    f.s->slots->ahead_puts = 2;
    put_many(&f, 1, 3);
    CHECK_EQ(pthread_mutex_lock(&f.s->writer.mx), 0);
    while (f.s->writer.busy || f.s->writer.soon) {
        CHECK_EQ(pthread_cond_wait(&f.s->writer.settled, &f.s->writer.mx), 0);
    }
    CHECK_EQ(pthread_mutex_unlock(&f.s->writer.mx), 0);
    CHECK_EQ(generation(&f, 1), 2);
    fix_end(&f);
}

TEST(without_a_gap_it_is_rotated_all_the_same)
{
    struct fix f;

    begin(&f);
    put(&f, 1, 7);
    put_many(&f, 1, LIMIT_SECRET_PUTS);
    CHECK_EQ(generation(&f, 1), 1);
    put(&f, 1, 8);
    CHECK_EQ(generation(&f, 1), 2);
    store_writer_settle(f.s);
    CHECK_EQ(generation(&f, 1), 2); /* nothing is left for the gap */
    expect(&f, 1, 8);
    fix_end(&f);
}

TEST(age_counts_too)
{
    struct fix f;

    begin(&f);
    put_many(&f, 1, 2);
    f.mono_ms += LIMIT_SECRET_AGE_MS / 4 * 3 - 1000;
    put(&f, 1, 2);
    store_writer_settle(f.s);
    CHECK_EQ(generation(&f, 1), 1);
    f.mono_ms += 1000;
    put(&f, 1, 3);
    store_writer_settle(f.s);
    CHECK_EQ(generation(&f, 1), 2);
    put(&f, 1, 4);
    store_writer_settle(f.s);
    CHECK_EQ(generation(&f, 1), 2);
    fix_end(&f);
}

/* More owners than are taken at once: none is forgotten. */
TEST(many_at_once)
{
    const uint8_t owners = 3 * STORE_SLOTS_SOON;
    struct fix f;

    begin(&f);
    f.s->slots->ahead_puts = 20;
    for (int turn = 0; turn < 40; turn++) {
        for (uint8_t o = 1; o <= owners; o++) {
            put(&f, o, o);
        }
        store_writer_settle(f.s);
    }
    for (uint8_t o = 1; o <= owners; o++) {
        CHECK(generation(&f, o) > 1);
        expect(&f, o, o);
    }
    fix_end(&f);
}

TEST(one_that_is_gone_is_passed_over)
{
    struct op drop = {.owner = 1, .drop = true};
    struct fix f;

    begin(&f);
    put_many(&f, 1, AHEAD + 1);
    put_many(&f, 2, AHEAD + 1);
    CHECK_OK(store_write(f.s, op_run, &drop, 0));
    store_writer_settle(f.s);
    CHECK_EQ(generation(&f, 1), 0);
    CHECK_EQ(generation(&f, 2), 2);
    put(&f, 1, 5); /* in the same slot, or another: with a count of its own */
    put_many(&f, 1, 10);
    store_writer_settle(f.s);
    CHECK_EQ(generation(&f, 1), 1);
    fix_end(&f);
}

/* A transaction that is undone does not make a used key a new one. */
TEST(an_undone_rotation_does_not_count_anew)
{
    struct op op = {.owner = 1, .rotate = true, .fail = ERR_DENIED};
    struct fix f;

    begin(&f);
    put(&f, 1, 7);
    put_many(&f, 1, LIMIT_SECRET_PUTS - 1);
    CHECK_ERR(store_write(f.s, op_run, &op, 0), ERR_DENIED);
    CHECK_EQ(generation(&f, 1), 1);
    op.rotate = false; /* one that makes the key due, and is undone */
    CHECK_ERR(store_write(f.s, op_run, &op, 0), ERR_DENIED);
    CHECK_EQ(generation(&f, 1), 1);
    put(&f, 1, 8);
    CHECK_EQ(generation(&f, 1), 2);
    expect(&f, 1, 8);
    fix_end(&f);
}

/*
 * Every allocation of the gap fails once: the key stays as it was, it is tried
 * again some uses later, and if that fails as well the message does it.
 */
TEST(what_fails_in_a_gap_is_tried_again_and_then_forced)
{
    uint64_t n = 1;
    bool hit = true;

    for (; hit; n++) {
        uint64_t before;
        uint32_t puts = AHEAD + 1;
        struct fail_mem mem;
        struct fix f;

        fix_begin(&f);
        store_close(f.s);
        fail_mem_init(&mem, 0);
        f.cfg.mem = &mem.mem;
        CHECK_OK(store_open(&f.cfg, &f.s));
        f.s->writer.rest_ms = NEVER_MS;
        f.s->writer.gap_ms = NEVER_MS;
        put_many(&f, 1, puts);
        before = mem.count;
        mem.fail_at = before + n;
        store_writer_settle(f.s);
        hit = mem.hit;
        mem.fail_at = 0;
        CHECK(hit || generation(&f, 1) == 2);
        expect(&f, 1, puts - 1);
        while (hit && n % 2 == 0 && generation(&f, 1) == 1) {
            put(&f, 1, puts++);
            store_writer_settle(f.s);
            CHECK(puts <= AHEAD + 1 + 8); /* before long */
        }
        while (hit && generation(&f, 1) == 1) {
            put(&f, 1, puts++);
            CHECK(puts <= LIMIT_SECRET_PUTS + 2); /* at the latest */
        }
        expect(&f, 1, puts - 1);
        store_close(f.s);
        CHECK_EQ(mem.live, 0);
        f.cfg.mem = mem_heap();
        CHECK_OK(store_open(&f.cfg, &f.s));
        expect(&f, 1, puts - 1);
        fix_end(&f);
    }
    printf("  %llu allocations\n", (unsigned long long)n - 1);
}

struct reader {
    struct fix *f;
    atomic_bool stop;
    pthread_t thread;
    uint32_t reads;
};

/* What was put is read in the order that it was put in, whatever the keys. */
static void *
read_on(void *arg)
{
    struct reader *r = arg;
    uint32_t last = 0;

    while (!atomic_load(&r->stop)) {
        uint32_t value = 0;
        enum err e = get(r->f, 1, &value);

        CHECK(e == OK || e == ERR_AGAIN);
        CHECK(e == ERR_AGAIN || value >= last);
        last = e == OK ? value : last;
        r->reads += e == OK;
    }
    return NULL;
}

TEST(rotated_while_others_read_and_write)
{
    struct reader r = {.stop = false};
    struct fix f;

    begin(&f);
    f.s->writer.gap_ms = 0; /* right behind each commit */
    f.s->slots->ahead_puts = 4;
    r.f = &f;
    put(&f, 1, 0);
    CHECK_EQ(pthread_create(&r.thread, NULL, read_on, &r), 0);
    for (uint32_t i = 1; i <= TURNS; i++) {
        struct op op = {.owner = 1, .value = i};

        CHECK_OK(i % 2 == 0 ? store_write(f.s, op_run, &op, 0)
                            : store_write_here(f.s, op_run, NULL, &op, 0));
    }
    atomic_store(&r.stop, true);
    CHECK_EQ(pthread_join(r.thread, NULL), 0);
    store_writer_settle(f.s);
    CHECK(generation(&f, 1) > 1);
    expect(&f, 1, TURNS);
    fix_reopen(&f);
    expect(&f, 1, TURNS);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(a_gap_rotates_what_is_soon_due), T(it_comes_by_itself),
               T(without_a_gap_it_is_rotated_all_the_same), T(age_counts_too),
               T(many_at_once), T(one_that_is_gone_is_passed_over),
               T(an_undone_rotation_does_not_count_anew),
               T(what_fails_in_a_gap_is_tried_again_and_then_forced),
               T(rotated_while_others_read_and_write));
}
