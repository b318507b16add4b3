/* SPDX-License-Identifier: Apache-2.0 */
/* What an inbox shows is what the conversations are, at any moment. */
#include "store/page.h"

#include "store/backup.h"
#include "store/inner.h"
#include "store/msg.h"
#include "tests/store/fix.h"

enum {
    CONVS = 6
};

static struct conv_id
id_of(uint8_t n)
{
    struct conv_id id = {{0}};

    id.b[0] = n;
    return id;
}

static enum err
create_run(void *ctx, struct store_txn *txn)
{
    enum err e = OK;

    (void)ctx;
    for (uint8_t i = 1; i <= CONVS; i++) {
        struct store_conv c = {.channel = STORE_CHANNEL_SECURE};

        c.id = id_of(i);
        TRY(phi_from(mem_heap(), VIEW_LIT("a title"), &c.title));
        e = store_conv_create(txn, &c);
        phi_free(&c.title);
        TRY(e);
    }
out:
    return e;
}

static enum err
say(struct store_txn *txn, uint8_t n)
{
    static unsigned said;
    struct store_msg m = {.at_ms = 5, .conv = id_of(n)};
    uint64_t seq;

    said++;
    memcpy(m.id.b, &said, sizeof(said));
    m.author.kind = STORE_ACTOR_SYSTEM;
    return store_msg_add(txn, &m, &seq);
}

struct walked {
    struct store_txn *txn;
    unsigned n;
};

static enum err
same_as_stored(void *ctx, const struct store_conv *page)
{
    struct walked *w = ctx;
    struct store_conv c = {0};

    CHECK_OK(store_conv_get(w->txn, &page->id, &c));
    CHECK_EQ(page->activity, c.activity);
    CHECK_EQ(page->msgs, c.msgs);
    CHECK_EQ(page->last_msg, c.last_msg);
    CHECK_EQ(page->box, c.box);
    CHECK_EQ(page->flags, c.flags);
    CHECK_VIEW(proto_phi_reveal(&page->title), proto_phi_reveal(&c.title));
    store_conv_clear(&c);
    w->n++;
    return OK;
}

static unsigned
walk(struct store_txn *txn, enum store_conv_view view)
{
    struct store_conv_query q = {.view = view, .max = UINT32_MAX};
    struct walked w = {txn, 0};

    CHECK_OK(store_conv_list(txn, &q, same_as_stored, &w));
    return w.n;
}

/* Looked at between writes as well as after them. */
static enum err
change_run(void *ctx, struct store_txn *txn)
{
    enum err e = OK;
    struct store_conv c = {0};
    bool more;

    (void)ctx;
    for (uint8_t i = 1; i <= CONVS; i++) {
        struct conv_id id = id_of(i);

        TRY(say(txn, i));
        TRY(say(txn, i % 2 == 0 ? 1 : i));
        if (i == 2) {
            CHECK_EQ(walk(txn, STORE_VIEW_EVERY), CONVS);
        }
        TRY(store_conv_get(txn, &id, &c));
        c.box = i == 3 ? STORE_BOX_ARCHIVED : STORE_BOX_ALL;
        c.flags = i == 4 ? STORE_CONV_CLINICS : 0;
        TRY(store_conv_put(txn, &c));
        store_conv_clear(&c);
        if (i == 4) {
            CHECK_EQ(walk(txn, STORE_VIEW_CLINICS), 1);
            TRY(say(txn, 4));
        }
    }
    c.id = id_of(CONVS);
    TRY(store_conv_del(txn, &c.id, 100, &more));
    CHECK_EQ(walk(txn, STORE_VIEW_ALL), CONVS - 2);
    TRY(say(txn, 2));
out:
    store_conv_clear(&c);
    return e;
}

static void
in_the_order(void *ctx, const struct store_bad *bad)
{
    (void)ctx;
    CHECK_STR(bad->table, "conv_order");
}

static uint64_t
bad_records(struct fix *f)
{
    struct store_verify_result r = {0};

    store_close(f->s);
    CHECK_OK(fix_verify(&f->cfg, in_the_order, NULL, &r));
    CHECK_OK(store_open(&f->cfg, &f->s));
    return r.bad;
}

TEST(lists_show_conversations_as_they_are)
{
    struct fix f;
    struct store_txn *txn;

    fix_begin(&f);
    FIX_WRITE(&f, create_run, NULL);
    FIX_WRITE(&f, change_run, NULL);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_EQ(walk(txn, STORE_VIEW_EVERY), CONVS - 1);
    CHECK_EQ(walk(txn, STORE_VIEW_ALL), CONVS - 2);
    CHECK_EQ(walk(txn, STORE_VIEW_ARCHIVED), 1);
    CHECK_EQ(walk(txn, STORE_VIEW_CLINICS), 1);
    store_read_end(txn);
    CHECK_EQ(bad_records(&f), 0);
    fix_end(&f);
}

/* The rows of two conversations change places, or one says something old. */
static enum err
damage_run(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct store_env_cur *cur = NULL;
    struct view key[2] = {{0}};
    struct view value[2];
    uint8_t keys[2][64];
    uint8_t values[2][512];
    uint8_t *to;

    (void)ctx;
    TRY(store_env_cur_open(txn->env, STORE_T_CONV_ORDER, &cur));
    TRY(store_env_cur_move(cur, STORE_ENV_LAST, &key[0], &value[0]));
    TRY(store_env_cur_move(cur, STORE_ENV_PREV, &key[1], &value[1]));
    for (size_t i = 0; i < 2; i++) {
        CHECK(store_page_is(STORE_T_CONV_ORDER, key[i]));
        memcpy(keys[i], key[i].p, key[i].len);
        memcpy(values[i], value[i].p, value[i].len);
    }
    store_env_cur_close(cur);
    cur = NULL;
    TRY(store_env_put(txn->env, STORE_T_CONV_ORDER,
                      view_make(keys[0], key[0].len), value[1].len, false,
                      &to));
    memcpy(to, values[1], value[1].len);
    txn->writes++;
    txn->state_changed = true;
out:
    store_env_cur_close(cur);
    return e;
}

static enum err
ignore(void *ctx, const struct store_conv *c)
{
    (void)ctx;
    (void)c;
    return OK;
}

TEST(a_row_that_is_not_its_own_is_noticed)
{
    struct fix f;
    struct store_txn *txn;
    struct store_conv_query q = {.view = STORE_VIEW_EVERY, .max = 10};

    fix_begin(&f);
    FIX_WRITE(&f, create_run, NULL);
    FIX_WRITE(&f, damage_run, NULL);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_ERR(store_conv_list(txn, &q, ignore, NULL), ERR_CORRUPT);
    q.view = STORE_VIEW_ALL;
    CHECK_ERR(store_conv_list(txn, &q, ignore, NULL), ERR_CORRUPT);
    store_read_end(txn);
    CHECK_EQ(bad_records(&f), 1);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(lists_show_conversations_as_they_are),
               T(a_row_that_is_not_its_own_is_noticed));
}
