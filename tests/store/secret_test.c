/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fed.h"

#include "proto/base/limits.h"
#include "store/inner.h"
#include "tests/store/fix.h"

#include <fcntl.h>

struct op {
    enum {
        PUT,
        DEL,
        ROTATE,
        DROP,
        DROP_ALL,
        PUT_TWICE_ROTATE
    } kind;
    struct store_owner owner;
    struct view key;
    struct view value;
    enum err fail; /* undo it all */
};

static enum err
op_run(void *ctx, struct store_txn *txn)
{
    const struct op *op = ctx;
    enum err e = OK;

    switch (op->kind) {
    case PUT:
        e = store_secret_put(txn, &op->owner, op->key, op->value);
        break;
    case DEL:
        e = store_secret_del(txn, &op->owner, op->key);
        break;
    case ROTATE:
        e = store_secret_rotate(txn, &op->owner);
        break;
    case DROP:
        e = store_secret_drop(txn, &op->owner);
        break;
    case DROP_ALL:
        e = store_secret_drop_all(txn);
        break;
    case PUT_TWICE_ROTATE:
        TRY(store_secret_put(txn, &op->owner, op->key, op->value));
        TRY(store_secret_rotate(txn, &op->owner));
        TRY(store_secret_put(txn, &op->owner, op->key, op->value));
        TRY(store_secret_rotate(txn, &op->owner));
        break;
    }
out:
    return e == OK ? op->fail : e;
}

static struct op
op_of(unsigned kind, uint8_t owner, const char *key, const char *value)
{
    struct op op = {.owner = {{owner}}};

    op.kind = kind;
    op.key = view_str(key);
    op.value = view_str(value);
    return op;
}

static enum err
do_op(struct fix *f, unsigned kind, uint8_t owner, const char *key,
      const char *value)
{
    struct op op = op_of(kind, owner, key, value);

    return store_write(f->s, op_run, &op, 0);
}

static enum err
get(struct fix *f, uint8_t owner, const char *key, struct bytes *out)
{
    struct store_owner o = {{owner}};
    struct store_txn *txn;
    enum err e;

    CHECK_OK(store_read_begin(f->s, &txn));
    e = store_secret_get(txn, &o, view_str(key), out);
    store_read_end(txn);
    return e;
}

static void
expect(struct fix *f, uint8_t owner, const char *key, const char *value)
{
    struct bytes b = {0};

    CHECK_OK(get(f, owner, key, &b));
    CHECK_VIEW(view_of(&b), view_str(value));
    bytes_free(&b);
}

/* Halves of the slot file that are not zero. */
static unsigned
live_halves(struct fix *f)
{
    char path[FIX_PATH + 32];
    uint8_t half[128];
    unsigned n = 0;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/secrets.slots", f->dir);
    fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    while (read(fd, half, sizeof(half)) == sizeof(half)) {
        for (size_t i = 0; i < sizeof(half); i++) {
            if (half[i] != 0) {
                n++;
                break;
            }
        }
    }
    (void)close(fd);
    return n;
}

static enum err
count(void *ctx, const struct store_owner *o)
{
    (void)o;
    ++*(unsigned *)ctx;
    return OK;
}

static unsigned
owners(struct fix *f)
{
    struct store_txn *txn;
    unsigned n = 0;

    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_secret_owners(txn, count, &n));
    store_read_end(txn);
    return n;
}

TEST(secrets_survive_rotation_and_reopening)
{
    struct fix f;
    struct bytes b = {0};

    fix_begin(&f);
    CHECK_OK(do_op(&f, PUT, 1, "epoch", "secret one"));
    CHECK_OK(do_op(&f, PUT, 1, "ratchet", "secret two"));
    CHECK_OK(do_op(&f, PUT, 2, "epoch", "of another"));
    CHECK_EQ(live_halves(&f), 2);
    for (int i = 0; i < 5; i++) {
        CHECK_OK(do_op(&f, ROTATE, 1, "", ""));
        expect(&f, 1, "epoch", "secret one");
        CHECK_EQ(live_halves(&f), 2);
    }
    fix_reopen(&f);
    expect(&f, 1, "epoch", "secret one");
    expect(&f, 1, "ratchet", "secret two");
    expect(&f, 2, "epoch", "of another");
    CHECK_OK(do_op(&f, DEL, 1, "epoch", ""));
    CHECK_ERR(do_op(&f, DEL, 1, "epoch", ""), ERR_MISSING);
    CHECK_ERR(get(&f, 1, "epoch", &b), ERR_MISSING);
    CHECK_ERR(do_op(&f, ROTATE, 9, "", ""), ERR_MISSING);
    fix_end(&f);
}

TEST(two_rotations_in_a_commit_are_one)
{
    struct fix f;

    fix_begin(&f);
    CHECK_OK(do_op(&f, PUT, 1, "a", "1"));
    CHECK_OK(do_op(&f, PUT_TWICE_ROTATE, 1, "b", "2"));
    CHECK_OK(do_op(&f, PUT_TWICE_ROTATE, 3, "b", "3"));
    CHECK_EQ(live_halves(&f), 2);
    fix_reopen(&f);
    expect(&f, 1, "a", "1");
    expect(&f, 1, "b", "2");
    expect(&f, 3, "b", "3");
    fix_end(&f);
}

TEST(an_undone_rotation_changes_nothing)
{
    struct fix f;
    struct op op = op_of(ROTATE, 1, "", "");

    fix_begin(&f);
    CHECK_OK(do_op(&f, PUT, 1, "a", "1"));
    op.fail = ERR_DENIED;
    for (int i = 0; i < 3; i++) {
        CHECK_ERR(store_write(f.s, op_run, &op, 0), ERR_DENIED);
        expect(&f, 1, "a", "1");
    }
    op = op_of(DROP, 1, "", "");
    op.fail = ERR_DENIED;
    CHECK_ERR(store_write(f.s, op_run, &op, 0), ERR_DENIED);
    expect(&f, 1, "a", "1");
    fix_reopen(&f);
    expect(&f, 1, "a", "1");
    CHECK_OK(do_op(&f, ROTATE, 1, "", ""));
    expect(&f, 1, "a", "1");
    CHECK_EQ(live_halves(&f), 1);
    fix_end(&f);
}

TEST(dropped_owners_leave_no_key)
{
    struct fix f;
    struct bytes b = {0};

    fix_begin(&f);
    for (uint8_t i = 1; i <= 40; i++) {
        CHECK_OK(do_op(&f, PUT, i, "a", "1"));
    }
    CHECK_EQ(owners(&f), 40);
    CHECK_EQ(live_halves(&f), 40);
    CHECK_OK(do_op(&f, DROP, 7, "", ""));
    CHECK_ERR(do_op(&f, DROP, 7, "", ""), ERR_MISSING);
    CHECK_EQ(live_halves(&f), 39);
    CHECK_ERR(get(&f, 7, "a", &b), ERR_MISSING);
    CHECK_OK(do_op(&f, PUT, 50, "a", "fifty"));
    CHECK_EQ(live_halves(&f), 40);
    fix_reopen(&f);
    expect(&f, 50, "a", "fifty");
    CHECK_OK(do_op(&f, DROP_ALL, 0, "", ""));
    CHECK_EQ(owners(&f), 0);
    CHECK_EQ(live_halves(&f), 0);
    CHECK_OK(do_op(&f, PUT, 1, "a", "again"));
    fix_reopen(&f);
    expect(&f, 1, "a", "again");
    fix_end(&f);
}

TEST(use_and_age_rotate_by_themselves)
{
    struct fix f;
    uint8_t before[128];
    uint8_t after[128];
    char path[FIX_PATH + 32];
    int fd;

    fix_begin(&f);
    f.s->writer.gap_ms = LIMIT_SECRET_AGE_MS; /* ahead_test has those */
    (void)snprintf(path, sizeof(path), "%s/secrets.slots", f.dir);
    fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    /* Generation 1 lies in the second page's half. */
    CHECK_OK(do_op(&f, PUT, 1, "a", "1"));
    CHECK_EQ(pread(fd, before, 128, 4096), 128);
    for (unsigned i = 0; i < LIMIT_SECRET_PUTS; i++) {
        CHECK_OK(do_op(&f, PUT, 1, "a", "1"));
    }
    CHECK_EQ(pread(fd, after, 128, 4096), 128);
    CHECK(memcmp(before, after, 128) == 0);
    CHECK_OK(do_op(&f, PUT, 1, "a", "1"));
    CHECK_EQ(pread(fd, after, 128, 4096), 128);
    CHECK_EQ(after[0], 0);
    /* Generation 2 is in the first page's; now by time. */
    CHECK_EQ(pread(fd, before, 128, 0), 128);
    CHECK_EQ(before[0], 1);
    CHECK_OK(do_op(&f, PUT, 1, "a", "1"));
    f.mono_ms += LIMIT_SECRET_AGE_MS + 1000;
    CHECK_OK(do_op(&f, PUT, 1, "a", "1"));
    CHECK_EQ(pread(fd, after, 128, 0), 128);
    CHECK_EQ(after[0], 0);
    expect(&f, 1, "a", "1");
    (void)close(fd);
    fix_end(&f);
}

TEST(an_older_slot_file_is_noticed)
{
    struct fix f;
    struct bytes b = {0};
    char cmd[4 * FIX_PATH];

    fix_begin(&f);
    CHECK_OK(do_op(&f, PUT, 1, "a", "1"));
    CHECK_OK(do_op(&f, PUT, 2, "a", "2"));
    (void)snprintf(cmd, sizeof(cmd), "cp %s/secrets.slots %s/old-slots", f.dir,
                   f.dir);
    CHECK_EQ(system(cmd), 0);
    CHECK_OK(do_op(&f, ROTATE, 1, "", ""));
    store_close(f.s);
    (void)snprintf(cmd, sizeof(cmd), "mv %s/old-slots %s/secrets.slots", f.dir,
                   f.dir);
    CHECK_EQ(system(cmd), 0);
    CHECK_OK(store_open(&f.cfg, &f.s));
    CHECK_ERR(get(&f, 1, "a", &b), ERR_STALE);
    CHECK_ERR(do_op(&f, PUT, 1, "a", "1"), ERR_STALE);
    expect(&f, 2, "a", "2");
    /* The thread starts anew. */
    CHECK_OK(do_op(&f, DROP, 1, "", ""));
    CHECK_OK(do_op(&f, PUT, 1, "a", "new"));
    expect(&f, 1, "a", "new");
    fix_end(&f);
}

TEST(a_reader_from_before_a_rotation_is_asked_to_come_again)
{
    struct fix f;
    struct store_owner o = {{1}};
    struct store_txn *txn;
    struct bytes b = {0};

    fix_begin(&f);
    CHECK_OK(do_op(&f, PUT, 1, "a", "1"));
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(do_op(&f, ROTATE, 1, "", ""));
    CHECK_ERR(store_secret_get(txn, &o, VIEW_LIT("a"), &b), ERR_AGAIN);
    store_read_end(txn);
    expect(&f, 1, "a", "1");
    fix_end(&f);
}

static enum err
see(void *ctx, struct view key, struct view value)
{
    char *out = ctx;

    strncat(out, (const char *)key.p, key.len);
    strncat(out, "=", 2);
    strncat(out, (const char *)value.p, value.len);
    strncat(out, ",", 2);
    return OK;
}

TEST(records_of_an_owner_are_listed_by_prefix)
{
    struct fix f;
    struct store_owner o = {{1}};
    struct store_txn *txn;
    char got[128] = "";

    fix_begin(&f);
    CHECK_OK(do_op(&f, PUT, 1, "r1", "a"));
    CHECK_OK(do_op(&f, PUT, 1, "r2", "b"));
    CHECK_OK(do_op(&f, PUT, 1, "e", "c"));
    CHECK_OK(do_op(&f, PUT, 2, "r3", "d"));
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_secret_scan(txn, &o, VIEW_LIT("r"), see, got));
    CHECK_STR(got, "r1=a,r2=b,");
    store_read_end(txn);
    fix_end(&f);
}

int
main(void)
{
    return RUN(
        T(secrets_survive_rotation_and_reopening),
        T(two_rotations_in_a_commit_are_one),
        T(an_undone_rotation_changes_nothing), T(dropped_owners_leave_no_key),
        T(use_and_age_rotate_by_themselves), T(an_older_slot_file_is_noticed),
        T(a_reader_from_before_a_rotation_is_asked_to_come_again),
        T(records_of_an_owner_are_listed_by_prefix));
}
