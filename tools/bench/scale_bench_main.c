/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scale-bench: a store with very many conversations.
 *
 *     scale-bench DATA COUNT
 *         DATA is the folder of a new node that does not run; it gets COUNT
 *         conversations.  Then pages of 50 of its inbox are read in process.
 *
 * Prints JSON lines.  How fast balsamd starts on it is node-bench's to say.
 */
#include "node/vault.h"
#include "proto/base/assert.h"
#include "store/conv.h"
#include "store/writer.h"
#include "tools/bench/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PER_COMMIT = 5000,
    PAGE = 50,
    PAGES = 400,
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
    for (uint64_t i = 0; i < count; i += PER_COMMIT) {
        struct span span = {i, i + PER_COMMIT < count ? i + PER_COMMIT : count};

        ASSERT(store_write(s, create_run, &span, 0) == OK);
    }
    printf("{\"bench\":\"store_fill\",\"conversations\":%llu,\"s\":%.1f}\n",
           (unsigned long long)count, tool_now_s() - start);
    for (int round = 0; round < ROUNDS; round++) {
        read_pages(s, count);
    }
    store_close(s);
    node_vault_clear(&vault);
    return 0;
}
