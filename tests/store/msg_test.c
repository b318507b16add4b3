/* SPDX-License-Identifier: Apache-2.0 */
#include "store/msg.h"
#include "store/place.h"

#include "tests/store/fix.h"

/* One call on a store, with what it needs and gives. */
struct op {
    struct store_msg m;
    struct store_conv c;
    struct conv_id id;
    uint64_t seq;
    uint32_t max;
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

    return store_msg_add(txn, &op->m, &op->seq);
}

static enum err
update_run(void *ctx, struct store_txn *txn)
{
    return store_msg_update(txn, &((struct op *)ctx)->m);
}

static enum err
del_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;

    return store_conv_del(txn, &op->id, op->max, &op->more);
}

static struct conv_id
conv_no(uint8_t n)
{
    struct conv_id id = {{0}};

    id.b[0] = n;
    id.b[15] = n;
    return id;
}

static void
create(struct fix *f, uint8_t n)
{
    struct op op = {.c = {.id = conv_no(n), .channel = STORE_CHANNEL_SECURE}};

    FIX_WRITE(f, create_run, &op);
}

static enum err
add(struct fix *f, uint8_t conv, const char *text, uint64_t id, uint64_t *seq)
{
    struct op op = {.m = {.conv = conv_no(conv), .kind = 1, .at_ms = 5}};
    enum err e;

    if (id != 0) {
        op.m.id.b[0] = 1;
        memcpy(op.m.id.b + 1, &id, sizeof(id));
    }
    CHECK_OK(bytes_copy(mem_heap(), view_str(text), &op.m.body));
    e = store_write(f->s, add_run, &op, 0);
    bytes_free(&op.m.body);
    *seq = op.seq;
    return e;
}

struct seen {
    uint64_t pos[200];
    uint64_t seq[200];
    size_t n;
};

static enum err
see(void *ctx, const struct store_msg *m)
{
    struct seen *s = ctx;

    s->pos[s->n] = m->pos;
    s->seq[s->n++] = m->seq;
    return OK;
}

static enum err
list(struct fix *f, uint8_t conv, uint64_t from, enum store_dir dir,
     uint32_t max, struct seen *s)
{
    struct conv_id id = conv_no(conv);
    struct store_txn *txn;
    enum err e;

    s->n = 0;
    CHECK_OK(store_read_begin(f->s, &txn));
    e = store_msg_list(txn, &id, from, dir, max, see, s);
    store_read_end(txn);
    return e;
}

TEST(messages_keep_their_order_and_place)
{
    struct fix f;
    struct seen s;
    uint64_t seq;

    fix_begin(&f);
    create(&f, 1);
    create(&f, 2);
    CHECK_OK(list(&f, 1, 0, STORE_DOWN, 10, &s));
    CHECK_EQ(s.n, 0);
    for (unsigned i = 0; i < 150; i++) {
        CHECK_OK(add(&f, 1, "to one", i + 1, &seq));
        CHECK_EQ(seq, i * 2 + 1);
        CHECK_OK(add(&f, 2, "to two", 0, &seq));
    }
    CHECK_OK(list(&f, 1, 0, STORE_DOWN, 3, &s));
    CHECK_EQ(s.n, 3);
    CHECK_EQ(s.pos[0], 150);
    CHECK_EQ(s.seq[0], 299);
    CHECK_EQ(s.pos[2], 148);
    CHECK_OK(list(&f, 1, 148, STORE_DOWN, 200, &s));
    CHECK_EQ(s.n, 147);
    CHECK_EQ(s.pos[146], 1);
    CHECK_OK(list(&f, 2, 60, STORE_UP, 10, &s));
    CHECK_EQ(s.n, 10);
    CHECK_EQ(s.pos[0], 61);
    CHECK_EQ(s.seq[0], 122);
    CHECK_OK(list(&f, 2, 150, STORE_UP, 10, &s));
    CHECK_EQ(s.n, 0);
    CHECK_ERR(list(&f, 3, 0, STORE_UP, 10, &s), ERR_MISSING);
    fix_end(&f);
}

TEST(a_repeat_is_noticed_by_its_id)
{
    struct fix f;
    uint64_t seq;

    fix_begin(&f);
    create(&f, 1);
    create(&f, 2);
    CHECK_OK(add(&f, 1, "first", 77, &seq));
    CHECK_OK(add(&f, 1, "second", 78, &seq));
    CHECK_ERR(add(&f, 1, "again", 77, &seq), ERR_EXISTS);
    CHECK_EQ(seq, 1);
    /* Another conversation may know the same message. */
    CHECK_OK(add(&f, 2, "elsewhere", 77, &seq));
    CHECK_ERR(add(&f, 9, "nowhere", 79, &seq), ERR_MISSING);
    fix_end(&f);
}

TEST(an_update_keeps_the_place)
{
    struct fix f;
    struct op op = {0};
    struct store_txn *txn;
    uint64_t seq;

    fix_begin(&f);
    create(&f, 1);
    CHECK_OK(add(&f, 1, "first", 1, &seq));
    CHECK_OK(add(&f, 1, "second", 2, &seq));
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_msg_get(txn, 1, &op.m));
    CHECK_VIEW(view_of(&op.m.body), VIEW_LIT("first"));
    CHECK_ERR(store_msg_get(txn, 3, &op.m), ERR_MISSING);
    store_read_end(txn);
    op.m.state = STORE_MSG_DELIVERED;
    bytes_free(&op.m.body);
    CHECK_OK(
        bytes_copy(mem_heap(), VIEW_LIT("changed, and longer"), &op.m.body));
    FIX_WRITE(&f, update_run, &op);
    store_msg_clear(&op.m);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_msg_get(txn, 1, &op.m));
    CHECK_EQ(op.m.pos, 1);
    CHECK_EQ(op.m.state, STORE_MSG_DELIVERED);
    CHECK_VIEW(view_of(&op.m.body), VIEW_LIT("changed, and longer"));
    store_msg_clear(&op.m);
    store_read_end(txn);
    op.m.seq = 99;
    CHECK_ERR(store_write(f.s, update_run, &op, 0), ERR_MISSING);
    fix_end(&f);
}

TEST(deleting_a_conversation_takes_its_messages)
{
    struct fix f;
    struct op op = {.id = conv_no(1), .max = 64};
    struct store_txn *txn;
    struct store_msg m = {0};
    uint64_t seq;
    uint64_t n;

    fix_begin(&f);
    create(&f, 1);
    create(&f, 2);
    for (unsigned i = 0; i < 100; i++) {
        CHECK_OK(add(&f, 1, "gone", i + 1, &seq));
    }
    CHECK_OK(add(&f, 2, "stays", 1, &seq));
    FIX_WRITE(&f, del_run, &op);
    CHECK(op.more);
    /* The key went first: what is left cannot be read. */
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_ERR(store_msg_get(txn, 100, &m), ERR_MISSING);
    store_read_end(txn);
    FIX_WRITE(&f, del_run, &op);
    CHECK(!op.more);
    CHECK_ERR(store_write(f.s, del_run, &op, 0), ERR_MISSING);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_count(txn, STORE_T_MSGS, &n));
    CHECK_EQ(n, 1);
    CHECK_OK(store_count(txn, STORE_T_MSG_IDS, &n));
    CHECK_EQ(n, 1);
    CHECK_OK(store_count(txn, STORE_T_CONV_ORDER, &n));
    CHECK_EQ(n, 2);
    CHECK_OK(store_msg_get(txn, seq, &m));
    CHECK_VIEW(view_of(&m.body), VIEW_LIT("stays"));
    store_msg_clear(&m);
    store_read_end(txn);
    fix_end(&f);
}

enum {
    DENSE = 3000,
    CONVS = 50
};

static enum err
dense_run(void *ctx, struct store_txn *txn)
{
    struct fix *f = ctx;
    static uint8_t text[1024];
    struct store_msg m = {
        .author = {.kind = STORE_ACTOR_PEER},
        .at_ms = 1700000000000,
        .sent_ms = 1700000000000,
        .log_term = 1,
        .body = {text, sizeof(text), sizeof(text), NULL},
    };
    struct store_place in = {.thread = {{7}}, .term = 1};
    uint64_t seq;
    enum err e = OK;

    for (unsigned i = 0; e == OK && i < DENSE; i++) {
        m.conv = conv_no((uint8_t)(1 + i % CONVS));
        m.log_seq = i / CONVS * 64 + 64;
        m.id.b[0] = 1;
        e = rng_fill(&f->rng.rng, m.id.b + 1, 31);
        e = e == OK ? store_msg_add(txn, &m, &seq) : e;
        in.conv = m.conv;
        e = e == OK ? store_place_put(txn, &in, m.log_seq, seq) : e;
    }
    return e;
}

TEST(a_kib_message_takes_little_more_than_its_share_of_a_page)
{
    struct fix f;
    struct store_status before;
    struct store_status after;
    uint64_t each;

    fix_begin(&f);
    for (uint8_t i = 1; i <= CONVS; i++) {
        create(&f, i);
    }
    CHECK_OK(store_status(f.s, &before));
    FIX_WRITE(&f, dense_run, &f);
    CHECK_OK(store_status(f.s, &after));
    each = (after.used_bytes - before.used_bytes) / DENSE;
    printf("  %llu bytes a message\n", (unsigned long long)each);
    CHECK(each <= 1470);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(messages_keep_their_order_and_place),
               T(a_repeat_is_noticed_by_its_id), T(an_update_keeps_the_place),
               T(deleting_a_conversation_takes_its_messages),
               T(a_kib_message_takes_little_more_than_its_share_of_a_page));
}
