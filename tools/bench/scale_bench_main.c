/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scale-bench: a store with very many conversations, and with a long one.
 *
 *     scale-bench DATA COUNT
 *         DATA is the folder of a new node that does not run; it gets COUNT
 *         conversations.  Then pages of 50 of its inbox are read in process.
 *         Last it gets one of 100,000 messages (COUNT, if that is less), of
 *         which a member asks for history, entry by entry.
 *
 * Prints JSON lines.  How fast balsamd starts on it is node-bench's to say.
 */
#include "node/clinic/past.h"
#include "node/vault.h"
#include "proto/base/assert.h"
#include "store/conv.h"
#include "store/msg.h"
#include "store/writer.h"
#include "tools/bench/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PER_COMMIT = 5000,
    PAGE = 50,
    PAGES = 400,
    LONG = 100000,
    ENTRY = 64, /* places of one entry */
    ROUNDS = 3
};

struct span {
    uint64_t from;
    uint64_t to;
};

static enum err
create_run(void *ctx, struct store_txn *txn)
{
    const struct span *s = ctx;
    enum err e = OK;

    for (uint64_t i = s->from; e == OK && i < s->to; i++) {
        struct store_conv c = {.channel = STORE_CHANNEL_SECURE};
        uint64_t mixed = i * UINT64_C(0x9e3779b97f4a7c15); /* ids are random */

        memcpy(c.id.b, &mixed, sizeof(mixed));
        memcpy(c.id.b + 8, &i, sizeof(i));
        c.created_ms = 1700000000000 + i;
        e = store_conv_create(txn, &c);
    }
    return e;
}

static enum err
see(void *ctx, const struct store_conv *c)
{
    uint64_t *last = ctx;

    *last = c->activity;
    return OK;
}

/* Pages from all over the inbox; in the first round the disk is still busy with
   what was made. */
static void
read_pages(struct store *s, uint64_t count)
{
    static double us[PAGES];

    for (uint64_t i = 0; i < PAGES; i++) {
        struct store_conv_query q = {.view = STORE_VIEW_EVERY, .max = PAGE};
        struct store_txn *txn;
        uint64_t last = 0;
        double start = tool_now_s();

        q.before = i == 0 ? 0 : count - i * (count / PAGES) + PAGE;
        ASSERT(store_read_begin(s, &txn) == OK);
        ASSERT(store_conv_list(txn, &q, see, &last) == OK);
        store_read_end(txn);
        us[i] = (tool_now_s() - start) * 1e6;
    }
    tool_sort(us, PAGES);
    printf("{\"bench\":\"store_inbox\",\"conversations\":%llu,"
           "\"page_us\":%.1f,\"page_p99_us\":%.1f}\n",
           (unsigned long long)count, us[PAGES / 2], us[PAGES * 99 / 100]);
}

static const struct conv_id talk = {{1, 2, 3}};
static const struct thread_id thread = {{4, 5, 6}};

static enum err
talk_run(void *ctx, struct store_txn *txn)
{
    const struct span *s = ctx;
    struct store_conv c = {
        .id = talk, .has_thread = true, .thread = thread, .channel = 1};
    enum err e = s->from == 0 ? store_conv_create(txn, &c) : OK;

    for (uint64_t i = s->from; e == OK && i < s->to; i++) {
        struct store_msg m = {
            .conv = talk, .log_term = 1, .log_seq = (i + 1) * ENTRY};
        uint64_t seq;

        memcpy(m.id.b + 1, &i, sizeof(i));
        e = bytes_copy(mem_heap(), VIEW_LIT("how is she today?"), &m.body);
        e = e == OK ? store_msg_add(txn, &m, &seq) : e;
        e = e == OK ? node_past_note(txn, &talk, &thread, 1, m.log_seq, seq)
                    : e;
        bytes_free(&m.body);
    }
    return e;
}

/* Entries from all over the log, each a question of its own. */
static void
read_past(struct store *s, uint64_t count)
{
    static double us[PAGES];
    struct clinic_id self = {{9}};

    for (uint64_t i = 0; i < PAGES; i++) {
        uint64_t at = (i * (count / PAGES) + 1) * ENTRY;
        struct fed_past p = {0};
        struct store_txn *txn;
        double start = tool_now_s();

        ASSERT(store_read_begin(s, &txn) == OK);
        ASSERT(node_past_first(txn, &self, &thread, 1, at, at + ENTRY - 1,
                               mem_heap(), &p) == OK);
        store_read_end(txn);
        us[i] = (tool_now_s() - start) * 1e6;
        ASSERT(p.seq == at);
        bytes_free(&p.content);
    }
    tool_sort(us, PAGES);
    printf("{\"bench\":\"store_past\",\"messages\":%llu,"
           "\"entry_us\":%.1f,\"entry_p99_us\":%.1f}\n",
           (unsigned long long)count, us[PAGES / 2], us[PAGES * 99 / 100]);
}

/* Write count of them, so many in one commit, by run. */
static void
fill(struct store *s, uint64_t count,
     enum err (*run)(void *ctx, struct store_txn *txn))
{
    for (uint64_t i = 0; i < count; i += PER_COMMIT) {
        struct span span = {i, i + PER_COMMIT < count ? i + PER_COMMIT : count};

        ASSERT(store_write(s, run, &span, 0) == OK);
    }
}

int
main(int argc, char **argv)
{
    static struct node_config config;
    static struct node_vault vault;
    struct store *s;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    double start;

    if (count < PAGES) {
        fprintf(stderr, "usage: scale-bench DATA COUNT\n");
        return 2;
    }
    snprintf(config.data, sizeof(config.data), "%s", argv[1]);
    snprintf(config.key_file, sizeof(config.key_file), "%s/master.key",
             argv[1]);
    ASSERT(node_vault_open(mem_heap(), NULL, &config, &vault) == OK);
    ASSERT(store_open(&vault.config, &s) == OK);
    start = tool_now_s();
    fill(s, count, create_run);
    printf("{\"bench\":\"store_fill\",\"conversations\":%llu,\"s\":%.1f}\n",
           (unsigned long long)count, tool_now_s() - start);
    for (int round = 0; round < ROUNDS; round++) {
        read_pages(s, count);
    }
    fill(s, count < LONG ? count : LONG, talk_run);
    for (int round = 0; round < ROUNDS; round++) {
        read_past(s, count < LONG ? count : LONG);
    }
    store_close(s);
    node_vault_clear(&vault);
    return 0;
}
