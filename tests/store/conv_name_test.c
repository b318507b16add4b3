/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/fix_conv.h"

static enum err
del_run(void *ctx, struct store_txn *txn)
{
    bool more;

    return store_conv_del(txn, &((struct store_conv *)ctx)->id, 100, &more);
}

static struct store_conv
conv(uint8_t n, const char *title)
{
    struct store_conv c = conv_made(n);

    CHECK_OK(phi_from(mem_heap(), view_str(title), &c.title));
    return c;
}

struct seen {
    uint8_t ids[8];
    size_t n;
};

static enum err
see(void *ctx, const struct conv_id *id)
{
    struct seen *s = ctx;

    if (s->n < sizeof(s->ids)) {
        s->ids[s->n++] = id->b[0];
    }
    return OK;
}

static void
titled(struct fix *f, const char *text, const char *ids)
{
    struct store_txn *txn;
    struct seen s = {.n = 0};

    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_OK(store_conv_by_title(txn, view_str(text), see, &s));
    store_read_end(txn);
    CHECK_VIEW(view_make(s.ids, s.n), view_str(ids));
}

static void
numbered(struct fix *f, uint64_t number, uint8_t id)
{
    struct store_txn *txn;
    struct conv_id out = {{0}};

    CHECK_OK(store_read_begin(f->s, &txn));
    CHECK_EQ(store_conv_by_number(txn, number, &out),
             id == 0 ? ERR_MISSING : OK);
    store_read_end(txn);
    CHECK_EQ(out.b[0], id);
}

TEST(a_number_is_given_once)
{
    struct fix f;
    struct store_conv op[4];

    fix_begin(&f);
    for (uint8_t i = 1; i <= 2; i++) {
        op[i] = conv_made(i);
        FIX_WRITE(&f, conv_create_run, &op[i]);
    }
    numbered(&f, 1, 1);
    numbered(&f, 2, 2);
    op[1].number = 77; /* stays as it is */
    FIX_WRITE(&f, conv_put_run, &op[1]);
    numbered(&f, 1, 1);
    numbered(&f, 77, 0);
    FIX_WRITE(&f, del_run, &op[2]);
    numbered(&f, 2, 0);
    op[3] = conv_made(3);
    FIX_WRITE(&f, conv_create_run, &op[3]);
    numbered(&f, 2, 0);
    numbered(&f, 3, 3);
    fix_end(&f);
}

TEST(titles_are_found_by_the_beginnings_of_their_words)
{
    struct fix f;
    struct store_conv a = conv(1, "Second opinion");
    struct store_conv b = conv(2, "\xc3\x96zg\xc3\xbcr, second visit");
    struct store_conv none = conv(3, "");
    struct store_txn *txn;
    struct seen s = {.n = 0};

    fix_begin(&f);
    FIX_WRITE(&f, conv_create_run, &a);
    FIX_WRITE(&f, conv_create_run, &b);
    FIX_WRITE(&f, conv_create_run, &none);
    titled(&f, "SECOND", "\1\2");
    titled(&f, "sec op", "\1");
    titled(&f, "\xc3\xb6zg\xc3\x9cr", "\2");
    titled(&f, "econd", "");
    phi_free(&a.title);
    CHECK_OK(phi_from(mem_heap(), VIEW_LIT("Third second"), &a.title));
    FIX_WRITE(&f, conv_put_run, &a);
    titled(&f, "opinion", "");
    titled(&f, "third", "\1");
    titled(&f, "second", "\1\2");
    FIX_WRITE(&f, del_run, &b);
    titled(&f, "second", "\1");
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_ERR(store_conv_by_title(txn, VIEW_LIT(" - "), see, &s), ERR_INVALID);
    CHECK_ERR(store_conv_by_title(txn, VIEW_LIT("\xff"), see, &s), ERR_INVALID);
    store_read_end(txn);
    phi_free(&a.title);
    phi_free(&b.title);
    phi_free(&none.title);
    fix_end(&f);
}

TEST(ids_are_found_by_their_beginning)
{
    static const uint8_t start[] = {2, 2};
    struct fix f;
    struct store_conv op[4];
    struct store_txn *txn;
    struct seen s = {.n = 0};

    fix_begin(&f);
    for (uint8_t i = 1; i <= 3; i++) {
        op[i] = conv_made(i);
        FIX_WRITE(&f, conv_create_run, &op[i]);
    }
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_conv_by_prefix(txn, VIEW_ARRAY(start), see, &s));
    store_read_end(txn);
    CHECK_VIEW(view_make(s.ids, s.n), VIEW_LIT("\2"));
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(a_number_is_given_once),
               T(titles_are_found_by_the_beginnings_of_their_words),
               T(ids_are_found_by_their_beginning));
}
