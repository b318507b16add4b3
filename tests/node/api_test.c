/* SPDX-License-Identifier: Apache-2.0 */
/* Two nodes in one process, asked as the command line asks them. */
#include "crypto/prim/random.h"
#include "node/api.h"
#include "node/init.h"
#include "store/member.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    TRIES = 3000,
    PAUSE_US = 10000
};

struct end {
    char dir[64];
    struct node_config config;
    struct node_vault vault;
    struct fed_io io;
    struct node_api api;
    struct bytes profile;
};

static struct end ends[2];

static enum err
first_member(void *ctx, const struct store_member *m)
{
    ((struct end *)ctx)->api.member = m->id;
    return OK;
}

/* What the daemon does with an existing store, without its signals. */
static void
end_start(struct end *n)
{
    struct store_txn *txn = NULL;
    struct node_runner_config c = {0};
    struct fed_addr any = {"127.0.0.1", 0};
    uint16_t port = 0;

    CHECK_OK(node_vault_open(mem_heap(), NULL, &n->config, &n->vault));
    CHECK_OK(store_open(&n->vault.config, &n->api.store));
    CHECK_OK(store_read_begin(n->api.store, &txn));
    CHECK_OK(node_identity_load(txn, &n->api.identity));
    CHECK_OK(node_profile_load(txn, &n->api.profile));
    CHECK_OK(store_member_list(txn, first_member, n));
    store_read_end(txn);
    CHECK_OK(node_profile_sign(mem_heap(), &n->api.identity, &n->api.profile,
                               &n->profile));
    n->io = fed_io_nng(mem_heap());
    c.mem = mem_heap();
    c.clock = node_sysclock();
    c.rng = prim_rng_system();
    c.io = &n->io;
    c.store = n->api.store;
    c.identity = &n->api.identity;
    c.profile = view_of(&n->profile);
    c.member = n->api.member;
    c.tuning.backoff_min_ms = 20;
    CHECK_OK(node_runner_start(&c, &n->api.runner));
    CHECK_OK(fed_net_listen(node_runner_net(n->api.runner), &any, &port));
    n->api.mem = mem_heap();
    n->api.config = &n->config;
    n->api.vault = &n->vault;
    n->api.addrs_len = 1;
    n->api.addrs[0] = (struct proto_addr){PROTO_ADDR_IP4, port,           false,
                                          {{0}},          {127, 0, 0, 1}, ""};
    n->api.started_ms = store_now_ms(n->api.store);
}

static void
end_stop(struct end *n)
{
    node_runner_stop(n->api.runner);
    store_close(n->api.store);
    node_vault_clear(&n->vault);
    node_identity_clear(&n->api.identity);
    node_profile_clear(&n->api.profile);
    bytes_free(&n->profile);
    n->api.runner = NULL;
    n->api.store = NULL;
}

static void
end_make(struct end *n, const char *name)
{
    struct node_init init = {view_str(name), VIEW_LIT("Main St 1"),
                             VIEW_LIT("555"), VIEW_LIT("Dr. Test")};
    struct node_sheet sheet = {0};
    pthread_condattr_t attr;

    *n = (struct end){0};
    (void)snprintf(n->dir, sizeof(n->dir), "/tmp/balsam-api-XXXXXX");
    CHECK(mkdtemp(n->dir) != NULL);
    (void)snprintf(n->config.data, sizeof(n->config.data), "%s", n->dir);
    (void)snprintf(n->config.key_file, sizeof(n->config.key_file),
                   "%s/master.key", n->dir);
    CHECK_OK(node_init(mem_heap(), NULL, &n->config, &init, &sheet));
    node_sheet_clear(&sheet);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&n->api.identity_mx, NULL);
    (void)pthread_mutex_init(&n->api.self_mx, NULL);
    (void)pthread_mutex_init(&n->api.journal_mx, NULL);
    (void)pthread_cond_init(&n->api.journal_cond, &attr);
    (void)pthread_condattr_destroy(&attr);
    end_start(n);
}

static void
end_remove(struct end *n)
{
    char command[96];

    end_stop(n);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", n->dir);
    CHECK_EQ(system(command), 0);
}

static bool
no_lines(void *ctx, json_t *line)
{
    (void)ctx;
    (void)line;
    return false;
}

/* Ask with arguments (JSON array) and flags (JSON object); owned result. */
static json_t *
ask_files(struct end *n, const char *command, const char *args,
          const char *flags, const int *files, size_t files_len)
{
    json_t *request = json_object();
    json_t *answer;

    (void)json_object_set_new(request, "do", json_string(command));
    (void)json_object_set_new(request, "args", json_loads(args, 0, NULL));
    (void)json_object_set_new(request, "flags", json_loads(flags, 0, NULL));
    answer =
        node_api_answer(&n->api, request, files, files_len, no_lines, NULL);
    json_decref(request);
    CHECK(answer != NULL);
    return answer;
}

static json_t *
ask(struct end *n, const char *command, const char *args, const char *flags)
{
    return ask_files(n, command, args, flags, NULL, 0);
}

static const char *
text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s == NULL ? "" : s;
}

/* Must succeed. */
static json_t *
good(struct end *n, const char *command, const char *args, const char *flags)
{
    json_t *a = ask(n, command, args, flags);

    if (!json_is_true(json_object_get(a, "ok"))) {
        (void)fprintf(stderr, "%s %s: %s\n", command, args, text(a, "say"));
    }
    CHECK(json_is_true(json_object_get(a, "ok")));
    return a;
}

/* Must fail with this error, in a sentence. */
static void
bad(struct end *n, const char *command, const char *args, const char *flags,
    const char *error)
{
    json_t *a = ask(n, command, args, flags);

    CHECK(json_is_false(json_object_get(a, "ok")));
    CHECK_STR(text(a, "error"), error);
    CHECK(strlen(text(a, "say")) > 15);
    json_decref(a);
}

static void
quiet(struct end *n, const char *command, const char *args, const char *flags)
{
    json_decref(good(n, command, args, flags));
}

/* The conversation with the one other clinic, as its last message reads. */
static bool
last_is(struct end *n, const char *want, const char *state)
{
    json_t *a = ask(n, "thread show", "[\"1\"]", "{}");
    const json_t *list = json_object_get(a, "messages");
    size_t len = json_array_size(list);
    const json_t *m = len == 0 ? NULL : json_array_get(list, len - 1);
    bool is = m != NULL && strcmp(text(m, "text"), want) == 0 &&
              (state == NULL || strcmp(text(m, "state"), state) == 0);

    json_decref(a);
    return is;
}

static void
until_last(struct end *n, const char *want, const char *state)
{
    for (int i = 0; i < TRIES; i++) {
        if (last_is(n, want, state)) {
            return;
        }
        (void)usleep(PAUSE_US);
    }
    CHECK(last_is(n, want, state));
}

static void
until_inbox(struct end *n)
{
    for (int i = 0; i < TRIES; i++) {
        json_t *a = good(n, "inbox", "[]", "{}");
        bool any = json_array_size(json_object_get(a, "conversations")) > 0;

        json_decref(a);
        if (any) {
            return;
        }
        (void)usleep(PAUSE_US);
    }
    CHECK(false);
}

/* b opens a's link. */
static void
connect_ends(struct end *a, struct end *b)
{
    json_t *link = good(a, "link create", "[]", "{\"label\": \"test\"}");
    char args[400];
    json_t *seen;

    (void)snprintf(args, sizeof(args), "[\"%s\"]", text(link, "link"));
    seen = good(b, "look", args, "{}");
    CHECK_STR(text(seen, "name"), "Clinic A");
    CHECK_STR(text(seen, "phone"), "555");
    json_decref(seen);
    seen = good(b, "connect", args, "{}");
    CHECK_STR(text(seen, "state"), "connected");
    json_decref(seen);
    json_decref(link);
    until_inbox(a);
    until_inbox(b);
}

static void
make_two(void)
{
    end_make(&ends[0], "Clinic A");
    end_make(&ends[1], "Clinic B");
}

static void
remove_two(void)
{
    end_remove(&ends[0]);
    end_remove(&ends[1]);
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
    char args[96];
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

int
main(void)
{
    node_json_init();
    return RUN(T(they_connect_and_talk), T(a_restart_forgets_nothing),
               T(files_arrive_whole_both_ways), T(links_have_rules),
               T(review_block_and_disconnect), T(contacts_keep_their_notes),
               T(keys_and_recovery), T(looking_after),
               T(a_new_name_while_others_read));
}
