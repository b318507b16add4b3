/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/fix_conv.h"

struct mark {
    struct conv_id id;
    uint8_t kind;
    struct view subject;
    uint64_t value;
};

static enum err
mark_run(void *ctx, struct store_txn *txn)
{
    const struct mark *m = ctx;

    return store_conv_mark_put(txn, &m->id, m->kind, m->subject, m->value);
}

struct seen {
    uint8_t ids[32];
    uint64_t activity[32];
    size_t n;
};

static enum err
see(void *ctx, const struct store_conv *c)
{
    struct seen *s = ctx;

    s->activity[s->n] = c->activity;
    s->ids[s->n++] = c->id.b[0];
    return OK;
}

static void
list(struct fix *f, const struct store_conv_query *q, struct seen *s)
{
    struct store_txn *txn;

    s->n = 0;
    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_conv_list(txn, q, see, s));
    store_read_end(txn);
}

static void
expect(struct fix *f, enum store_conv_view view, uint8_t owner, const char *ids)
{
    struct store_conv_query q = {.view = view, .max = 32};
    struct seen s;

    q.owner[0] = owner;
    list(f, &q, &s);
    CHECK_VIEW(view_make(s.ids, s.n), view_str(ids));
}

TEST(each_conversation_is_in_one_box)
{
    struct fix f;
    struct store_conv op[4];

    fix_begin(&f);
    for (uint8_t i = 1; i <= 3; i++) {
        op[i] = conv_made(i);
        FIX_WRITE(&f, conv_create_run, &op[i]);
    }
    CHECK_ERR(store_write(f.s, conv_create_run, &op[1], 0), ERR_EXISTS);
    expect(&f, STORE_VIEW_ALL, 0, "\3\2\1");
    expect(&f, STORE_VIEW_EVERY, 0, "\3\2\1");
    op[2].box = STORE_BOX_ASSIGNED;
    op[2].owner[0] = 9;
    FIX_WRITE(&f, conv_put_run, &op[2]);
    op[3].box = STORE_BOX_ARCHIVED;
    op[3].flags = STORE_CONV_CLINICS;
    FIX_WRITE(&f, conv_put_run, &op[3]);
    op[1].flags = STORE_CONV_CLINICS;
    FIX_WRITE(&f, conv_put_run, &op[1]);
    expect(&f, STORE_VIEW_ALL, 0, "\1");
    expect(&f, STORE_VIEW_ASSIGNED, 9, "\2");
    expect(&f, STORE_VIEW_ASSIGNED, 8, "");
    expect(&f, STORE_VIEW_ARCHIVED, 0, "\3");
    expect(&f, STORE_VIEW_CLINICS, 0, "\1");
    expect(&f, STORE_VIEW_EVERY, 0, "\3\2\1");
    op[0] = conv_made(7);
    CHECK_ERR(store_write(f.s, conv_put_run, &op[0], 0), ERR_MISSING);
    fix_end(&f);
}

TEST(lists_come_in_pages)
{
    struct fix f;
    struct store_conv_query q = {.view = STORE_VIEW_ALL, .max = 4};
    struct seen s;

    fix_begin(&f);
    for (uint8_t i = 1; i <= 10; i++) {
        struct store_conv op = conv_made(i);

        FIX_WRITE(&f, conv_create_run, &op);
    }
    list(&f, &q, &s);
    CHECK_VIEW(view_make(s.ids, s.n), VIEW_LIT("\n\t\b\a"));
    q.before = s.activity[3];
    list(&f, &q, &s);
    CHECK_VIEW(view_make(s.ids, s.n), VIEW_LIT("\6\5\4\3"));
    q.before = s.activity[3];
    list(&f, &q, &s);
    CHECK_VIEW(view_make(s.ids, s.n), VIEW_LIT("\2\1"));
    fix_end(&f);
}

static enum err
thread_of(struct fix *f, uint8_t thread, uint8_t *conv_out)
{
    struct thread_id t = {{thread}};
    struct conv_id id = {{0}};
    struct store_txn *txn;
    enum err e;

    CHECK_OK(store_read_begin(f->s, &txn));
    e = store_conv_by_thread(txn, &t, &id);
    store_read_end(txn);
    *conv_out = id.b[0];
    return e;
}

TEST(a_thread_belongs_to_one_conversation)
{
    struct fix f;
    struct store_conv a = conv_made(1);
    struct store_conv b = conv_made(2);
    uint8_t got;

    fix_begin(&f);
    a.has_thread = true;
    a.thread.b[0] = 5;
    FIX_WRITE(&f, conv_create_run, &a);
    b.has_thread = true;
    b.thread.b[0] = 5;
    CHECK_ERR(store_write(f.s, conv_create_run, &b, 0), ERR_EXISTS);
    b.thread.b[0] = 6;
    FIX_WRITE(&f, conv_create_run, &b);
    CHECK_OK(thread_of(&f, 5, &got));
    CHECK_EQ(got, 1);
    a.thread.b[0] = 6;
    CHECK_ERR(store_write(f.s, conv_put_run, &a, 0), ERR_EXISTS);
    a.thread.b[0] = 7; /* continued in another thread */
    FIX_WRITE(&f, conv_put_run, &a);
    CHECK_ERR(thread_of(&f, 5, &got), ERR_MISSING);
    CHECK_OK(thread_of(&f, 7, &got));
    CHECK_EQ(got, 1);
    fix_end(&f);
}

static enum err
see_id(void *ctx, const struct conv_id *id)
{
    struct seen *s = ctx;

    s->ids[s->n++] = id->b[0];
    return OK;
}

TEST(conversations_of_a_contact)
{
    struct fix f;
    struct contact_id ids[3] = {{{1}}, {{2}}, {{3}}};
    struct store_conv op = conv_made(1);
    struct store_txn *txn;
    struct store_conv got = {0};
    struct seen s = {.n = 0};

    fix_begin(&f);
    CHECK_OK(store_conv_set_contacts(mem_heap(), &op, ids, 2));
    CHECK_OK(store_conv_set_regarding(mem_heap(), &op, ids + 2, 1));
    CHECK_OK(phi_from(mem_heap(), VIEW_LIT("a title"), &op.title));
    FIX_WRITE(&f, conv_create_run, &op);
    CHECK_OK(store_conv_set_contacts(mem_heap(), &op, ids + 1, 1));
    FIX_WRITE(&f, conv_put_run, &op);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_conv_by_contact(txn, &ids[0], false, see_id, &s));
    CHECK_EQ(s.n, 0);
    CHECK_OK(store_conv_by_contact(txn, &ids[1], false, see_id, &s));
    CHECK_EQ(s.n, 1);
    CHECK_OK(store_conv_by_contact(txn, &ids[2], false, see_id, &s));
    CHECK_EQ(s.n, 1);
    CHECK_OK(store_conv_by_contact(txn, &ids[2], true, see_id, &s));
    CHECK_EQ(s.n, 2);
    CHECK_OK(store_conv_get(txn, &op.id, &got));
    CHECK_EQ(got.contacts_len, 1);
    CHECK_EQ(got.regarding_len, 1);
    CHECK_EQ(phi_len(&got.title), 7);
    store_conv_clear(&got);
    store_read_end(txn);
    store_conv_clear(&op);
    fix_end(&f);
}

static enum err
add_mark(void *ctx, struct view subject, uint64_t value)
{
    uint64_t *sum = ctx;

    *sum += value * subject.len;
    return OK;
}

TEST(marks_are_small_numbers)
{
    struct fix f;
    struct mark op = {.id = {{1}}, .kind = 3};
    struct store_txn *txn;
    uint64_t n = 0;

    fix_begin(&f);
    op.subject = VIEW_LIT("a");
    op.value = 10;
    FIX_WRITE(&f, mark_run, &op);
    op.subject = VIEW_LIT("bb");
    op.value = 100;
    FIX_WRITE(&f, mark_run, &op);
    op.kind = 4;
    FIX_WRITE(&f, mark_run, &op);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_conv_mark_get(txn, &op.id, 3, VIEW_LIT("a"), &n));
    CHECK_EQ(n, 10);
    CHECK_OK(store_conv_mark_get(txn, &op.id, 3, VIEW_LIT("c"), &n));
    CHECK_EQ(n, 0);
    CHECK_OK(store_conv_marks(txn, &op.id, 3, (struct view){0}, add_mark, &n));
    CHECK_EQ(n, 210);
    store_read_end(txn);
    op.kind = 3;
    op.value = 0;
    FIX_WRITE(&f, mark_run, &op);
    FIX_WRITE(&f, mark_run, &op);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_conv_mark_get(txn, &op.id, 3, VIEW_LIT("bb"), &n));
    CHECK_EQ(n, 0);
    store_read_end(txn);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(each_conversation_is_in_one_box), T(lists_come_in_pages),
               T(a_thread_belongs_to_one_conversation),
               T(conversations_of_a_contact), T(marks_are_small_numbers));
}
