/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in doubt of a conversation, asked as the desk asks: in thread show,
 * status and doctor, with the names of who it is about and who carries; and
 * settled by a person.
 */
#include "tests/node/api_pair.h"

#include "node/clinic/desk.h"
#include "node/clinic/event.h"

struct told {
    struct fed_show show;
    struct conv_id conv;
};

static enum err
write_show(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct told *t = ctx;
    struct store_conv conv = {0};

    TRY(store_conv_get(txn, &t->conv, &conv));
    t->show.thread = conv.thread;
    TRY(node_desk_doubt(txn, &t->show));
out:
    store_conv_clear(&conv);
    return e;
}

/* Clinic B is told something about clinic A, by way of by. */
static void
tell(struct end *n, enum fed_show_kind kind, uint64_t code, bool on,
     const struct clinic_id *by)
{
    struct told t = {.show = {.kind = kind, .code = code, .ts_ms = 60000}};
    json_t *a = good(n, "thread show", "[\"1\"]", "{}");

    t.show.value = on ? 1 : 0;
    t.show.peer = *by;
    memcpy(t.show.author.b, ends[0].api.root.b, sizeof(t.show.author.b));
    CHECK_OK(proto_unhex(view_str(text(a, "id")), t.conv.b, sizeof(t.conv.b)));
    json_decref(a);
    CHECK_OK(store_write(n->api.store, write_show, &t, STORE_JOB_FREES));
}

/* Of what thread show says; NULL: nothing is in doubt. */
static json_t *
doubts(struct end *n)
{
    json_t *a = good(n, "thread show", "[\"1\"]", "{}");
    json_t *d = json_incref(json_object_get(a, "doubts"));

    json_decref(a);
    return d;
}

static size_t
doubted(struct end *n)
{
    json_t *a = good(n, "status", "[]", "{}");
    size_t len = json_array_size(json_object_get(a, "doubted"));

    CHECK(json_is_array(json_object_get(a, "gone")));
    CHECK_EQ(json_array_size(json_object_get(a, "gone")), 0);
    json_decref(a);
    return len;
}

/* What doctor finds about how conversations are carried. */
static bool
healthy(struct end *n)
{
    json_t *a = good(n, "doctor", "[]", "{}");
    size_t i;
    const json_t *f;
    bool found = false;
    bool is = false;

    json_array_foreach(json_object_get(a, "findings"), i, f)
    {
        if (strcmp(text(f, "what"), "how conversations are carried") == 0) {
            found = true;
            is = json_is_true(json_object_get(f, "good"));
            CHECK(is || strstr(text(f, "do"), "balsam status") != NULL);
        }
    }
    CHECK(found);
    json_decref(a);
    return is;
}

static void
settle(struct end *n, long long settled, long long left)
{
    json_t *a = good(n, "thread settle", "[\"1\"]", "{}");

    CHECK_EQ(json_integer_value(json_object_get(a, "settled")), settled);
    CHECK_EQ(json_integer_value(json_object_get(a, "left")), left);
    json_decref(a);
}

TEST(named_and_over)
{
    static const struct clinic_id nobody;
    struct end *n = &ends[1];
    json_t *d;

    make_two();
    connect_ends(&ends[0], n);
    CHECK(doubts(n) == NULL);
    CHECK_EQ(doubted(n), 0);
    CHECK(healthy(n));
    tell(n, FED_SHOW_DOUBT, FED_DOUBT_SILENT, true, &ends[0].api.root);
    d = doubts(n);
    CHECK_EQ(json_array_size(d), 1);
    CHECK_STR(text(json_array_get(d, 0), "what"), "silent");
    CHECK_STR(text(json_array_get(d, 0), "who"), "Clinic A");
    CHECK_STR(text(json_array_get(d, 0), "carried_by"), "Clinic A");
    CHECK(json_is_true(json_object_get(json_array_get(d, 0), "itself")));
    json_decref(d);
    CHECK_EQ(doubted(n), 1);
    CHECK(!healthy(n));
    tell(n, FED_SHOW_DOUBT, FED_DOUBT_UNDELIVERED, true, &nobody);
    d = doubts(n);
    CHECK_EQ(json_array_size(d), 2);
    CHECK_STR(text(json_array_get(d, 1), "what"), "undelivered");
    CHECK_STR(text(json_array_get(d, 1), "carried_by"), "");
    CHECK(json_is_false(json_object_get(json_array_get(d, 1), "itself")));
    json_decref(d);
    CHECK_EQ(doubted(n), 1);
    settle(n, 0, 2); /* both end by themselves */
    CHECK_EQ(doubted(n), 1);
    tell(n, FED_SHOW_DOUBT, FED_DOUBT_SILENT, false, &nobody);
    tell(n, FED_SHOW_DOUBT, FED_DOUBT_UNDELIVERED, false, &nobody);
    CHECK(doubts(n) == NULL);
    CHECK_EQ(doubted(n), 0);
    CHECK(healthy(n));
    remove_two();
}

TEST(settled_by_a_person)
{
    struct end *n = &ends[1];
    json_t *a;
    json_t *d;
    char *dump;

    make_two();
    connect_ends(&ends[0], n);
    settle(n, 0, 0);
    tell(n, FED_SHOW_FORK, 0, true, &ends[0].api.root);
    tell(n, FED_SHOW_DOUBT, FED_DOUBT_NEVER, true, &ends[0].api.root);
    tell(n, FED_SHOW_DOUBT, FED_DOUBT_CLOCK, true, &ends[0].api.root);
    d = doubts(n);
    CHECK_EQ(json_array_size(d), 3);
    CHECK_STR(text(json_array_get(d, 0), "what"), "never delivered");
    CHECK_STR(text(json_array_get(d, 1), "what"), "clock");
    CHECK_STR(text(json_array_get(d, 2), "what"), "two logs");
    json_decref(d);
    settle(n, 2, 1);
    d = doubts(n);
    CHECK_EQ(json_array_size(d), 1);
    json_decref(d);
    tell(n, FED_SHOW_DOUBT, FED_DOUBT_CLOCK, false, &ends[0].api.root);
    CHECK_EQ(doubted(n), 0);
    a = good(n, "audit", "[]", "{}");
    dump = json_dumps(a, 0);
    CHECK(dump != NULL && strstr(dump, "doubt settled") != NULL);
    free(dump);
    json_decref(a);
    bad(n, "thread settle", "[\"nowhere\"]", "{}", "missing");
    remove_two();
}

int
main(void)
{
    return RUN(T(named_and_over), T(settled_by_a_person));
}
