/* SPDX-License-Identifier: Apache-2.0 */
/* Who may be whom: patients of one name, of whom one at most has the app. */
#include "node/twins.h"

#include "tests/store/fix.h"

static struct fix f;

/* A contact whose id begins with n, with a key of the app where key. */
struct made {
    uint8_t n;
    enum store_contact_kind kind;
    const char *name;
    bool key;
};

static enum err
put_run(void *ctx, struct store_txn *txn)
{
    const struct made *m = ctx;
    struct store_contact c = {.id = {{m->n}}, .kind = m->kind};
    uint8_t key[32] = {m->n};
    enum err e;

    TRY(phi_from(mem_heap(), view_str(m->name), &c.name));
    if (m->key) {
        TRY(store_contact_add_ident(mem_heap(), &c, STORE_IDENT_PATIENT,
                                    VIEW_ARRAY(key), (struct view){0},
                                    STORE_LEARNED_LINK, 1));
    }
    TRY(store_contact_put(txn, &c));
out:
    store_contact_clear(&c);
    return e;
}

static void
put(uint8_t n, enum store_contact_kind kind, const char *name, bool key)
{
    struct made m = {n, kind, name, key};

    FIX_WRITE(&f, put_run, &m);
}

/* Who is offered for contact n: the first bytes of their ids. */
static void
expect(uint8_t n, const char *want)
{
    struct contact_id id = {{n}};
    struct store_txn *txn;
    json_t *o = json_object();
    char got[NODE_TWINS_MAX + 1] = {0};
    const json_t *row;
    size_t i;

    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(node_twins_of(txn, &id, o));
    store_read_end(txn);
    json_array_foreach(json_object_get(o, "maybe_same"), i, row)
    {
        const char *of = json_string_value(json_object_get(row, "of"));
        const char *other = json_string_value(json_object_get(row, "id"));

        CHECK_EQ(strtoul((char[]){of[0], of[1], 0}, NULL, 16), n);
        CHECK(i < NODE_TWINS_MAX);
        got[i] = (char)strtoul((char[]){other[0], other[1], 0}, NULL, 16);
    }
    CHECK_EQ(i == 0, json_object_get(o, "maybe_same") == NULL);
    CHECK_VIEW(view_str(got), view_str(want));
    json_decref(o);
}

TEST(who_may_be_whom)
{
    fix_begin(&f);
    put(1, STORE_CONTACT_PATIENT, "Ann Miller", true);
    put(2, STORE_CONTACT_PATIENT, "Miller, Ann Mary", false);
    put(3, STORE_CONTACT_PATIENT, "ANN MILLER", true); /* another key */
    put(4, STORE_CONTACT_PROFESSIONAL, "Ann Miller", false);
    put(5, STORE_CONTACT_PATIENT, "Ann", false);
    put(6, STORE_CONTACT_PATIENT, "", false);
    expect(1, "\2");
    expect(2, "");
    expect(3, "\2");
    expect(4, "");
    expect(6, "");
    expect(7, ""); /* nobody */
    fix_end(&f);
}

TEST(no_more_than_fit)
{
    fix_begin(&f);
    put(1, STORE_CONTACT_PATIENT, "Ann Miller", true);
    for (uint8_t n = 2; n < 30; n++) {
        put(n, STORE_CONTACT_PATIENT, "Ann Miller", false);
    }
    expect(1, "\2\3\4\5\6\7\10");
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(who_may_be_whom), T(no_more_than_fit));
}
