/* SPDX-License-Identifier: Apache-2.0 */
/* Two nodes in one process, asked as the command line asks them. */
#include "node/clinic/desk.h"
#include "node/clinic/past.h"
#include "node/pipe.h"
#include "tests/node/api_pair.h"

#include <sys/mman.h>

/* What the inbox shows of the one conversation. */
static void
preview_is(struct end *n, const char *key, const char *want)
{
    json_t *a = good(n, "inbox", "[]", "{}");
    const json_t *c = json_array_get(json_object_get(a, "conversations"), 0);

    CHECK_STR(text(c, key), want);
    json_decref(a);
}

/* Whether somebody here is on record for having seen that. */
static bool
on_record(struct end *n, const char *action)
{
    json_t *a = good(n, "audit", "[]", "{\"limit\": \"10000\"}");
    const json_t *list = json_object_get(a, "entries");
    size_t i;
    const json_t *row;
    bool found = false;

    json_array_foreach(list, i, row)
    {
        found = found || strcmp(text(row, "action"), action) == 0;
    }
    json_decref(a);
    return found;
}

TEST(previews_read_as_it_is_now)
{
    struct end *a = &ends[0];
    struct end *b = &ends[1];
    json_t *list;

    make_two();
    connect_ends(a, b);
    quiet(b, "send", "[\"Clinic A\", \"first\"]", "{}");
    until_last(a, "first", NULL);
    quiet(a, "send", "[\"Clinic B\", \"an answer\"]", "{\"reply\": \"1\"}");
    quiet(a, "edit", "[\"2\", \"a better answer\"]", "{}");
    until_last(b, "a better answer", NULL);
    preview_is(a, "preview", "a better answer");
    preview_is(b, "preview", "a better answer");
    list = good(b, "thread show", "[\"1\"]", "{}");
    CHECK_EQ(
        json_integer_value(json_object_get(
            json_array_get(json_object_get(list, "messages"), 1), "about")),
        1);
    json_decref(list);
    quiet(a, "delete", "[\"2\"]", "{}");
    until_last(b, "", NULL);
    preview_is(b, "preview", "");
    CHECK(on_record(b, "inbox read"));
    CHECK(!on_record(b, "contact read"));
    quiet(b, "contact show", "[\"Clinic A\"]", "{}");
    quiet(b, "contact find", "[\"Clinic\"]", "{}");
    CHECK(on_record(b, "contact read"));
    CHECK(on_record(b, "contacts looked for"));
    bad(b, "inbox", "[]", "{\"limit\": \"1001\"}", "limit");
    bad(b, "audit", "[]", "{\"limit\": \"0\"}", "limit");
    bad(b, "thread show", "[\"1\"]", "{\"limit\": \"99999\"}", "limit");
    remove_two();
}

TEST(they_connect_and_talk)
{
    struct end *a = &ends[0];
    struct end *b = &ends[1];
    json_t *said;

    make_two();
    connect_ends(a, b);
    quiet(b, "send", "[\"Clinic A\", \"good morning\"]", "{}");
    until_last(a, "good morning", "received");
    said = good(a, "send", "[\"Clinic B\", \"welcome\"]", "{}");
    until_last(b, "welcome", NULL);
    until_last(a, "welcome", "read"); /* b's until_last looked at it */
    json_decref(said);
    quiet(a, "edit", "[\"2\", \"welcome back\"]", "{}");
    until_last(b, "welcome back", NULL);
    quiet(b, "react", "[\"2\", \"\\ud83d\\udc4d\"]", "{}");
    bad(b, "edit", "[\"2\", \"not mine\"]", "{}", "denied");
    bad(b, "delete", "[\"77\"]", "{}", "missing");
    quiet(a, "delete", "[\"2\"]", "{}");
    until_last(b, "", NULL);
    bad(b, "send", "[\"Nobody\", \"x\"]", "{}", "missing");
    bad(b, "send", "[\"Clinic A\", \"\"]", "{}", "invalid");
    remove_two();
}

/* Begun together they are one after the other, and each has its answer. */
TEST(many_under_way)
{
    struct node_pending *p[40];
    json_t *request[40];
    json_int_t last = 0;
    json_t *o;

    make_two();
    connect_ends(&ends[0], &ends[1]);
    for (size_t i = 0; i < 40; i++) {
        request[i] =
            json_pack("{s:s, s:[s, s], s:{s:b}}", "do", "send", "args",
                      i == 20 ? "Nowhere" : "Clinic B",
                      i % 2 == 0 ? "even" : "odd", "flags", "brief", 1);
        p[i] = node_api_begin(&ends[0].api, request[i]);
        CHECK(p[i] != NULL);
        json_decref(request[i]);
    }
    for (size_t i = 0; i < 40; i++) {
        o = node_api_end(p[i]);
        CHECK(o != NULL);
        CHECK_EQ(json_is_true(json_object_get(o, "ok")), i != 20);
        if (i != 20) {
            json_int_t n = json_integer_value(json_object_get(o, "number"));

            CHECK(n > last);
            CHECK_EQ(json_object_size(o), 2);
            last = n;
        }
        json_decref(o);
    }
    o = json_pack("{s:s, s:[s]}", "do", "send", "args", "Clinic B");
    CHECK(node_api_begin(&ends[0].api, o) == NULL); /* nothing to say */
    json_decref(o);
    o = json_pack("{s:s}", "do", "status");
    CHECK(node_api_begin(&ends[0].api, o) == NULL);
    json_decref(o);
    until_last(&ends[1], "odd", NULL);
    remove_two();
}

TEST(a_restart_forgets_nothing)
{
    struct end *a = &ends[0];
    struct end *b = &ends[1];

    make_two();
    connect_ends(a, b);
    quiet(b, "send", "[\"Clinic A\", \"one\"]", "{}");
    until_last(a, "one", NULL);
    end_stop(b);
    quiet(a, "send", "[\"Clinic B\", \"two\"]", "{}");
    end_start(b);
    quiet(b, "send", "[\"Clinic A\", \"three\"]", "{}");
    for (int i = 0;
         i < TRIES && !(last_is(a, "three", NULL) && last_is(b, "three", NULL));
         i++) {
        (void)usleep(PAUSE_US);
    }
    CHECK(last_is(a, "three", NULL) || last_is(a, "two", NULL));
    remove_two();
}

/* A file of size bytes in memory, each byte its index. */
static int
memory_file(size_t size)
{
    int fd = memfd_create("balsam-test", MFD_CLOEXEC);
    uint8_t block[256];

    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < size; i += sizeof(block)) {
        CHECK_EQ(write(fd, block, sizeof(block)), sizeof(block));
    }
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void
check_saved(struct end *n, const char *message)
{
    int fd = memory_file(0);
    uint8_t back[512];
    char args[32];
    json_t *a = NULL;

    (void)snprintf(args, sizeof(args), "[\"%s\"]", message);
    for (int i = 0; i < TRIES; i++) {
        a = ask_files(n, "save-attachment", args, "{}", &fd, 1);
        if (json_is_true(json_object_get(a, "ok"))) {
            break;
        }
        CHECK_STR(text(a, "error"), "again");
        json_decref(a);
        (void)usleep(PAUSE_US);
    }
    CHECK_STR(text(a, "name"), "scan.pdf");
    json_decref(a);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 600 * 1024);
    CHECK_EQ(pread(fd, back, sizeof(back), 512 * 1024), sizeof(back));
    for (size_t i = 0; i < sizeof(back); i++) {
        CHECK_EQ(back[i], i % 256);
    }
    (void)close(fd);
}

TEST(files_arrive_whole_both_ways)
{
    make_two();
    connect_ends(&ends[0], &ends[1]);
    for (size_t i = 0; i < 2; i++) {
        int fd = memory_file(600 * 1024);
        json_t *a = ask_files(&ends[i], "send",
                              i == 0 ? "[\"Clinic B\", \"a\"]"
                                     : "[\"Clinic A\", \"b\"]",
                              "{\"attach\": [\"scan.pdf\"]}", &fd, 1);

        CHECK(json_is_true(json_object_get(a, "ok")));
        json_decref(a);
        (void)close(fd);
        until_last(&ends[1 - i], i == 0 ? "a" : "b", NULL);
        check_saved(&ends[1 - i], i == 0 ? "1" : "2");
    }
    remove_two();
}

TEST(links_have_rules)
{
    struct end *a = &ends[0];
    struct end *b = &ends[1];
    json_t *l;
    json_t *next;
    char args[400];

    make_two();
    l = good(a, "link create", "[]",
             "{\"one-time\": true, \"expires\": \"12h\", \"label\": \"x\"}");
    CHECK(json_is_true(json_object_get(l, "one_time")));
    (void)snprintf(args, sizeof(args), "[\"%s\"]", text(l, "link"));
    bad(a, "connect", args, "{}", "invalid"); /* our own */
    bad(a, "link create", "[]", "{\"expires\": \"soon\"}", "invalid");
    bad(a, "link create", "[]", "{\"uses\": \"many\"}", "invalid");
    bad(a, "link create", "[]", "{\"one-time\": true, \"uses\": \"3\"}",
        "invalid");
    next = good(a, "link rotate", "[\"x\"]", "{}");
    CHECK(strcmp(text(next, "link"), text(l, "link")) != 0);
    bad(b, "look", args, "{}", "stale");
    (void)snprintf(args, sizeof(args), "[\"%s\"]", text(next, "id"));
    quiet(a, "link revoke", args, "{}");
    (void)snprintf(args, sizeof(args), "[\"%s\"]", text(next, "link"));
    bad(b, "look", args, "{}", "denied");
    bad(b, "look", "[\"https://example.org/\"]", "{}", "format");
    bad(a, "link show", "[\"nothing\"]", "{}", "missing");
    quiet(a, "link list", "[]", "{}");
    json_decref(l);
    json_decref(next);
    remove_two();
}

/* What would not be done is not passed over. */
TEST(too_many_words_are_refused)
{
    struct end *a = &ends[0];

    make_two();
    bad(a, "thread add", "[\"1\", \"one\", \"two\"]", "{}", "invalid");
    bad(a, "inbox", "[\"1\"]", "{}", "invalid");
    bad(a, "thread members", "[]", "{}", "invalid");
    remove_two();
}

TEST(review_block_and_disconnect)
{
    struct end *a = &ends[0];
    struct end *b = &ends[1];
    json_t *l;
    json_t *answer;
    char args[400];

    make_two();
    l = good(a, "link create", "[]", "{\"review\": true}");
    (void)snprintf(args, sizeof(args), "[\"%s\"]", text(l, "link"));
    answer = good(b, "connect", args, "{}");
    CHECK_STR(text(answer, "state"), "review");
    json_decref(answer);
    answer = good(a, "requests", "[]", "{}");
    CHECK_EQ(json_array_size(json_object_get(answer, "requests")), 1);
    json_decref(answer);
    quiet(a, "accept", "[\"Clinic B\"]", "{}");
    until_inbox(b);
    bad(a, "unblock", "[\"Clinic B\"]", "{}", "missing");
    answer = good(a, "clinics", "[]", "{}");
    CHECK_STR(
        text(json_array_get(json_object_get(answer, "clinics"), 0), "state"),
        "connected");
    json_decref(answer);
    bad(a, "accept", "[\"Clinic B\"]", "{}", "missing");
    quiet(a, "disconnect", "[\"Clinic B\"]", "{}");
    bad(a, "disconnect", "[\"Clinic B\"]", "{}", "missing");
    quiet(a, "block", "[\"Clinic B\"]", "{}");
    quiet(a, "unblock", "[\"Clinic B\"]", "{}");
    quiet(a, "clinics", "[]", "{}");
    json_decref(l);
    remove_two();
}

TEST(contacts_keep_their_notes)
{
    struct end *a = &ends[0];
    json_t *shown;

    make_two();
    quiet(a, "contact add", "[\"Dr. Hill\"]", "{\"phone\": \"555 1\"}");
    quiet(a, "contact note", "[\"Dr. Hill\", \"calls on Tuesdays\"]", "{}");
    bad(a, "contact add", "[\"\"]", "{}", "invalid");
    bad(a, "contact add", "[\"X\"]", "{\"kind\": \"alien\"}", "invalid");
    bad(a, "contact note", "[\"Dr. Hill\", \"\"]", "{}", "invalid");
    connect_ends(a, &ends[1]);
    quiet(a, "contact edit", "[\"Dr. Hill\"]", "{\"clinic\": \"Clinic B\"}");
    shown = good(a, "contact show", "[\"Dr. Hill\"]", "{}");
    CHECK_STR(text(shown, "kind"), "clinic");
    CHECK_EQ(json_array_size(json_object_get(shown, "notes")), 1);
    json_decref(shown);
    shown = good(a, "contact find", "[\"hill\"]", "{}");
    CHECK_EQ(json_array_size(json_object_get(shown, "contacts")), 1);
    json_decref(shown);
    quiet(a, "send", "[\"Dr. Hill\", \"by this name\"]", "{}");
    remove_two();
}

TEST(keys_and_recovery)
{
    struct end *a = &ends[0];
    struct end *b = &ends[1];
    json_t *sheet;
    char args[400];

    make_two();
    connect_ends(a, b);
    quiet(a, "profile set", "[]", "{\"name\": \"Clinic A2\"}");
    quiet(a, "rotate-key", "[]", "{}");
    quiet(a, "send", "[\"Clinic B\", \"new key\"]", "{}");
    until_last(b, "new key", NULL);
    sheet = good(a, "recovery sheet", "[]", "{}");
    (void)snprintf(args, sizeof(args), "[\"%s\"]", text(sheet, "words"));
    bad(b, "recovery check", args, "{}", "auth");
    bad(a, "recovery check", "[\"abandon ability x\"]", "{}", "format");
    quiet(a, "rotate-key", args, "{\"revoke\": true}");
    quiet(a, "recovery check", args, "{}");
    bad(a, "recovery sheet", "[]", "{}", "missing");
    quiet(a, "send", "[\"Clinic B\", \"revoked the old\"]", "{}");
    until_last(b, "revoked the old", NULL);
    json_decref(sheet);
    remove_two();
}

TEST(looking_after)
{
    struct end *a = &ends[0];
    char args[TMP_PATH + 16];
    json_t *audit;

    make_two();
    quiet(a, "status", "[]", "{}");
    quiet(a, "peers", "[]", "{}");
    quiet(a, "doctor", "[]", "{}");
    quiet(a, "profile show", "[]", "{}");
    audit = good(a, "audit", "[]", "{\"verify\": true}");
    CHECK(json_is_true(json_object_get(audit, "intact")));
    json_decref(audit);
    bad(a, "audit", "[]", "{\"since\": \"yesterday\"}", "invalid");
    bad(a, "backup", "[\"relative\"]", "{}", "invalid");
    (void)snprintf(args, sizeof(args), "[\"%s/backup\"]", a->dir);
    quiet(a, "backup", args, "{}");
    quiet(a, "watch", "[]", "{}"); /* nobody listens: it ends */
    bad(a, "nonsense", "[]", "{}", "unsupported");
    bad(a, "thread show", "[]", "{}", "invalid");
    remove_two();
}

static void *
rename_often(void *ctx)
{
    for (int i = 0; i < 50; i++) {
        char flags[64];

        (void)snprintf(flags, sizeof(flags), "{\"name\": \"Clinic A %d\"}", i);
        quiet(ctx, "profile set", "[]", flags);
    }
    return NULL;
}

/* Whoever shows our name holds no freed one: for the sanitizers. */
TEST(a_new_name_while_others_read)
{
    struct end *a = &ends[0];
    struct end *b = &ends[1];
    pthread_t thread;

    make_two();
    connect_ends(a, b);
    quiet(a, "send", "[\"Clinic B\", \"good morning\"]", "{}");
    CHECK_EQ(pthread_create(&thread, NULL, rename_often, a), 0);
    for (int i = 0; i < 100; i++) {
        quiet(a, "thread show", "[\"1\"]", "{}");
        quiet(a, "status", "[]", "{}");
    }
    CHECK_EQ(pthread_join(thread, NULL), 0);
    remove_two();
}

static enum err
write_goes_on(void *ctx, struct store_txn *txn)
{
    enum err e;
    static const struct thread_id next = {{0x78}};
    struct fed_show show = {.kind = FED_SHOW_CONTINUED, .thread = next};
    struct store_conv conv = {0};

    TRY(node_desk_conv(txn, &next, &conv));
    store_conv_clear(&conv);
    TRY(store_conv_get(txn, ctx, &conv));
    conv.flags |= STORE_CONV_CLOSED;
    TRY(store_conv_put(txn, &conv));
    TRY(bytes_copy(mem_heap(), thread_id_view(&conv.thread), &show.body));
    TRY(node_past_link(txn, &show));
out:
    bytes_free(&show.body);
    store_conv_clear(&conv);
    return e;
}

static long long
number_in(const json_t *a, const char *key)
{
    return json_integer_value(json_object_get(a, key));
}

/* Its conversation is in the list once, and each says where the other is. */
TEST(a_conversation_that_goes_on_in_another)
{
    struct end *n = &ends[0];
    struct conv_id conv;
    json_t *a;

    make_two();
    connect_ends(n, &ends[1]);
    a = good(n, "thread show", "[\"1\"]", "{}");
    CHECK_OK(proto_unhex(view_str(text(a, "id")), conv.b, sizeof(conv.b)));
    CHECK_EQ(number_in(a, "goes_on_in") + number_in(a, "goes_on_from"), 0);
    json_decref(a);
    CHECK_OK(store_write(n->api.store, write_goes_on, &conv, STORE_JOB_FREES));
    a = good(n, "thread show", "[\"1\"]", "{}");
    CHECK_EQ(number_in(a, "goes_on_in"), 2);
    CHECK_EQ(number_in(a, "goes_on_from"), 0);
    json_decref(a);
    a = good(n, "thread show", "[\"2\"]", "{}");
    CHECK_EQ(number_in(a, "goes_on_in"), 0);
    CHECK_EQ(number_in(a, "goes_on_from"), 1);
    json_decref(a);
    a = good(n, "inbox", "[]", "{}");
    CHECK_EQ(json_array_size(json_object_get(a, "conversations")), 1);
    CHECK_EQ(number_in(json_array_get(json_object_get(a, "conversations"), 0),
                       "number"),
             2);
    json_decref(a);
    remove_two();
}

int
main(void)
{
    node_json_init();
    return RUN(T(they_connect_and_talk), T(previews_read_as_it_is_now),
               T(many_under_way), T(a_restart_forgets_nothing),
               T(files_arrive_whole_both_ways), T(links_have_rules),
               T(too_many_words_are_refused), T(review_block_and_disconnect),
               T(contacts_keep_their_notes), T(keys_and_recovery),
               T(looking_after), T(a_new_name_while_others_read),
               T(a_conversation_that_goes_on_in_another));
}
