/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes in one process, asked as the command line asks them. */
#ifndef TESTS_NODE_API_FIX_H
#define TESTS_NODE_API_FIX_H

#include "crypto/prim/random.h"
#include "node/api.h"
#include "node/init.h"
#include "store/member.h"
#include "tests/support/check.h"
#include "tests/support/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TRIES = 3000,
    PAUSE_US = 10000
};

struct end {
    char dir[TMP_PATH];
    struct node_config config;
    struct node_vault vault;
    struct fed_io io;
    struct node_api api;
    struct bytes profile;
    const struct mem *mem;     /* of store and runner; NULL: the heap */
    const struct clock *clock; /* of the runner; NULL: the system's */
};

static inline enum err
first_member(void *ctx, const struct store_member *m)
{
    ((struct end *)ctx)->api.member = m->id;
    return OK;
}

/* What the daemon does with an existing store, without its signals. */
static inline void
end_start(struct end *n)
{
    struct store_txn *txn = NULL;
    struct node_runner_config c = {0};
    struct fed_addr any = {"127.0.0.1", 0};
    uint16_t port = 0;

    CHECK_OK(node_vault_open(n->mem, NULL, &n->config, &n->vault));
    CHECK_OK(store_open(&n->vault.config, &n->api.store));
    CHECK_OK(store_read_begin(n->api.store, &txn));
    CHECK_OK(node_identity_load(txn, &n->api.identity));
    n->api.root = n->api.identity.root;
    CHECK_OK(node_profile_load(txn, &n->api.profile));
    CHECK_OK(store_member_list(txn, first_member, n));
    store_read_end(txn);
    CHECK_OK(node_profile_sign(mem_heap(), &n->api.identity, &n->api.profile,
                               &n->profile));
    n->io = fed_io_nng(n->mem);
    c.mem = n->mem;
    c.clock = n->clock != NULL ? n->clock : node_sysclock();
    c.rng = prim_rng_system();
    c.io = &n->io;
    c.store = n->api.store;
    c.identity = &n->api.identity;
    c.profile = view_of(&n->profile);
    c.member = n->api.member;
    c.tuning.backoff_min_ms = 20;
    CHECK_OK(node_runner_start(&c, &n->api.runner));
    CHECK_OK(fed_net_listen(node_runner_net(n->api.runner), &any, &port));
    n->api.mem = n->mem;
    n->api.config = &n->config;
    n->api.vault = &n->vault;
    n->api.addrs_len = 1;
    n->api.addrs[0] = (struct proto_addr){PROTO_ADDR_IP4, port,           false,
                                          {{0}},          {127, 0, 0, 1}, ""};
    n->api.started_ms = store_now_ms(n->api.store);
}

static inline void
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

static inline void
end_make(struct end *n, const char *name)
{
    struct node_init init = {view_str(name),
                             VIEW_LIT("Main St 1"),
                             VIEW_LIT("555"),
                             VIEW_LIT("Dr. Test"),
                             {0}};
    struct node_sheet sheet = {0};
    pthread_condattr_t attr;

    *n = (struct end){.mem = n->mem == NULL ? mem_heap() : n->mem,
                      .clock = n->clock};
    tmp_dir(n->dir, sizeof(n->dir), "balsam-api-XXXXXX");
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

static inline void
end_remove(struct end *n)
{
    char command[2 * TMP_PATH + 64];

    end_stop(n);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", n->dir);
    CHECK_EQ(system(command), 0);
}

static inline bool
no_lines(void *ctx, json_t *line)
{
    (void)ctx;
    (void)line;
    return false;
}

/* Ask with arguments (JSON array) and flags (JSON object); owned result. */
static inline json_t *
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

static inline json_t *
ask(struct end *n, const char *command, const char *args, const char *flags)
{
    return ask_files(n, command, args, flags, NULL, 0);
}

static inline const char *
text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s == NULL ? "" : s;
}

/* Must succeed. */
static inline json_t *
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
static inline void
bad(struct end *n, const char *command, const char *args, const char *flags,
    const char *error)
{
    json_t *a = ask(n, command, args, flags);

    CHECK(json_is_false(json_object_get(a, "ok")));
    CHECK_STR(text(a, "error"), error);
    CHECK(strlen(text(a, "say")) > 15);
    json_decref(a);
}

static inline void
quiet(struct end *n, const char *command, const char *args, const char *flags)
{
    json_decref(good(n, command, args, flags));
}

#endif
