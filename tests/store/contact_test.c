/* SPDX-License-Identifier: Apache-2.0 */
#include "store/contact.h"

#include "tests/store/fix.h"

struct op {
    struct store_contact c;
    struct contact_id from;
    struct contact_id into;
    struct store_note note;
};

static enum err
put_run(void *ctx, struct store_txn *txn)
{
    return store_contact_put(txn, &((struct op *)ctx)->c);
}

static enum err
del_run(void *ctx, struct store_txn *txn)
{
    return store_contact_del(txn, &((struct op *)ctx)->from);
}

static enum err
merge_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;

    return store_contact_merge(txn, &op->from, &op->into);
}

static enum err
unmerge_run(void *ctx, struct store_txn *txn)
{
    return store_contact_unmerge(txn, &((struct op *)ctx)->from);
}

static enum err
note_run(void *ctx, struct store_txn *txn)
{
    struct op *op = ctx;

    return store_contact_note_add(txn, &op->from, &op->note);
}

static void
put(struct fix *f, uint8_t id, const char *name, const char *phone)
{
    struct op op = {.c = {.id = {{id}}, .kind = STORE_CONTACT_PATIENT}};

    CHECK_OK(phi_from(mem_heap(), view_str(name), &op.c.name));
    if (phone != NULL) {
        CHECK_OK(store_contact_add_ident(mem_heap(), &op.c, STORE_IDENT_PHONE,
                                         view_str(phone), VIEW_LIT("mobile"),
                                         STORE_LEARNED_NONE, 1));
    }
    FIX_WRITE(f, put_run, &op);
    store_contact_clear(&op.c);
}

struct seen {
    char ids[32];
    size_t n;
};

static enum err
see(void *ctx, const struct store_contact *c)
{
    struct seen *s = ctx;

    s->ids[s->n++] = (char)('0' + c->id.b[0]);
    s->ids[s->n] = '\0';
    return OK;
}

static void
expect(struct fix *f, const char *query, const char *ids)
{
    struct store_txn *txn;
    struct seen s = {.n = 0};

    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_contact_find(txn, view_str(query), NULL, 10, see, &s));
    store_read_end(txn);
    CHECK_STR(s.ids, ids);
}

TEST(names_are_found_by_the_beginnings_of_their_words)
{
    struct fix f;

    fix_begin(&f);
    put(&f, 1, "Anna \xc3\x96ztürk-Meier", NULL);
    put(&f, 2, "anne Meyer", NULL);
    put(&f, 3, "Dr. Bernd Annas", NULL);
    put(&f, 4, "Антон Чехов", NULL);
    expect(&f, "ann", "123");
    expect(&f, "ANNA", "13");
    expect(&f, "anna \xc3\xb6z", "1");
    expect(&f, "mei ann", "1");
    expect(&f, "meier", "1");
    expect(&f, "meierx", "");
    expect(&f, "\xd0\xb0\xd0\xbd\xd1\x82", "4");
    expect(&f, "", "1234");
    put(&f, 2, "Zoe", NULL);
    expect(&f, "anne", "");
    expect(&f, "zo", "2");
    fix_end(&f);
}

static size_t
by_phone(struct fix *f, const char *phone, struct contact_id out[4])
{
    struct store_txn *txn;
    size_t n = 0;
    enum err e;

    CHECK_OK(store_read_begin(f->s, &txn));
    e = store_contact_by_ident(txn, STORE_IDENT_PHONE, view_str(phone), 4, out,
                               &n);
    CHECK(e == OK || e == ERR_MISSING);
    store_read_end(txn);
    return n;
}

TEST(numbers_are_found_however_they_are_written)
{
    struct fix f;
    struct contact_id ids[4];

    fix_begin(&f);
    put(&f, 1, "One", "+49 (170) 1234-5");
    put(&f, 2, "Two", "+49170 12345");
    put(&f, 3, "Three", "+49170 12346");
    CHECK_EQ(by_phone(&f, "+4917012345", ids), 2);
    CHECK_EQ(by_phone(&f, "4917012345", ids), 0);
    put(&f, 2, "Two", NULL);
    CHECK_EQ(by_phone(&f, "+4917012345", ids), 1);
    CHECK_EQ(ids[0].b[0], 1);
    fix_end(&f);
}

static enum err
see_from(void *ctx, const struct contact_id *from)
{
    struct seen *s = ctx;

    s->ids[s->n++] = (char)('0' + from->b[0]);
    return OK;
}

TEST(a_merge_can_be_undone)
{
    struct fix f;
    struct op op = {.from = {{1}}, .into = {{2}}};
    struct contact_id ids[4];
    struct store_txn *txn;
    struct seen s = {.n = 0};

    fix_begin(&f);
    put(&f, 1, "One Same", "111");
    put(&f, 2, "Two Same", "222");
    put(&f, 3, "Three Same", "333");
    FIX_WRITE(&f, merge_run, &op);
    CHECK_ERR(store_write(f.s, merge_run, &op, 0), ERR_EXISTS);
    op.from = (struct contact_id){{2}};
    op.into = (struct contact_id){{1}};
    CHECK_ERR(store_write(f.s, merge_run, &op, 0), ERR_INVALID);
    op.into = (struct contact_id){{2}};
    CHECK_ERR(store_write(f.s, merge_run, &op, 0), ERR_INVALID);
    op.into = (struct contact_id){{3}};
    FIX_WRITE(&f, merge_run, &op);
    expect(&f, "same", "3");
    expect(&f, "", "3");
    CHECK_EQ(by_phone(&f, "111", ids), 1);
    CHECK_EQ(ids[0].b[0], 3);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_contact_merged(txn, &op.into, see_from, &s));
    CHECK_EQ(s.n, 1);
    store_read_end(txn);
    FIX_WRITE(&f, unmerge_run, &op);
    expect(&f, "same", "23");
    CHECK_EQ(by_phone(&f, "111", ids), 1);
    CHECK_EQ(ids[0].b[0], 2);
    fix_end(&f);
}

static enum err
see_note(void *ctx, const struct store_note *n)
{
    struct seen *s = ctx;

    s->ids[s->n++] = (char)('0' + n->seq);
    s->ids[s->n] = '\0';
    return OK;
}

TEST(notes_stay_with_their_contact)
{
    struct fix f;
    struct op op = {.from = {{1}}};
    struct store_txn *txn;
    struct seen s = {.n = 0};
    uint64_t n;

    fix_begin(&f);
    put(&f, 1, "One", NULL);
    CHECK_OK(phi_from(mem_heap(), VIEW_LIT("calls at night"), &op.note.text));
    FIX_WRITE(&f, note_run, &op);
    FIX_WRITE(&f, note_run, &op);
    put(&f, 1, "One More", NULL);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_contact_notes(txn, &op.from, see_note, &s));
    CHECK_STR(s.ids, "12");
    store_read_end(txn);
    FIX_WRITE(&f, del_run, &op);
    CHECK_ERR(store_write(f.s, note_run, &op, 0), ERR_MISSING);
    CHECK_ERR(store_write(f.s, del_run, &op, 0), ERR_MISSING);
    CHECK_OK(store_read_begin(f.s, &txn));
    for (enum store_table t = STORE_T_CONTACTS; t <= STORE_T_CONTACT_MERGES;
         t++) {
        CHECK_OK(store_count(txn, t, &n));
        CHECK_EQ(n, 0);
    }
    store_read_end(txn);
    phi_free(&op.note.text);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(names_are_found_by_the_beginnings_of_their_words),
               T(numbers_are_found_however_they_are_written),
               T(a_merge_can_be_undone), T(notes_stay_with_their_contact));
}
