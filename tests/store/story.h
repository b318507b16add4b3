/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The story that the crash tests tell: items 1, 2, 3 ... one after the other,
 * each a transaction over several tables and MLS secrets.  Afterwards what is
 * in the store must be exactly the items 1 to m, for some m not below the last
 * one that was acknowledged.
 */
#ifndef TESTS_STORE_STORY_H
#define TESTS_STORE_STORY_H

#include "store/audit.h"
#include "store/backup.h"
#include "store/fed.h"
#include "store/inner.h"
#include "store/journal.h"
#include "store/msg.h"
#include "store/outbox.h"
#include "store/slots_impl.h"
#include "tests/store/fix.h"

#include <semaphore.h>

enum {
    STORY_OWNERS = 3,
    STORY_ROTATE = 14, /* between these the redo file grows */
    STORY_DROP = 23,
    STORY_AHEAD = 2 /* uses */
};

static inline struct store_owner
story_owner(uint64_t item)
{
    struct store_owner o = {{(uint8_t)(1 + item % STORY_OWNERS)}};

    return o;
}

static inline enum err
story_run(void *ctx, struct store_txn *txn)
{
    uint64_t item = *(const uint64_t *)ctx;
    struct clinic_id peer = {{1}};
    struct conv_id conv = {{1}};
    struct store_conv c = {.id = conv, .channel = STORE_CHANNEL_SECURE};
    struct store_owner owner = story_owner(item);
    uint8_t text[600] = {0};
    struct store_msg m = {.conv = conv,
                          .body = {text, sizeof(text), sizeof(text), NULL}};
    struct store_audit row = {.action = 1};
    struct store_event ev = {.kind = 1};
    uint64_t seq;
    enum err e;

    if (item == 1) {
        TRY(store_conv_create(txn, &c));
    }
    memcpy(m.id.b + 1, &item, sizeof(item));
    TRY(store_msg_add(txn, &m, &seq));
    TRY(seq == item ? OK : ERR_INTERNAL);
    TRY(store_audit_append(txn, &row));
    TRY(store_journal_append(txn, &ev, NULL));
    TRY(store_outbox_push(txn, &peer, VIEW_ARRAY(text), 0, item, &seq));
    if (item % STORY_DROP == 0) {
        TRY(store_secret_drop(txn, &owner));
    }
    TRY(store_secret_put(txn, &owner, VIEW_LIT("epoch"),
                         view_make(&item, sizeof(item))));
    if (item % STORY_ROTATE == 0) {
        TRY(store_secret_rotate(txn, &owner));
    }
out:
    return e;
}

/*
 * There are gaps only where they are asked for (store_writer_settle); in them
 * LMDB's file catches up and keys are rotated ahead, several in one commit.
 */
static inline void
story_gaps(struct store *s)
{
    s->writer.rest_ms = s->writer.gap_ms = 600 * 1000;
    s->slots->ahead_puts = STORY_AHEAD;
}

static inline enum err
story_item(struct store *s, uint64_t item)
{
    return store_write(s, story_run, &item, 0);
}

/* The same on this thread; tell: told as soon as it is durable, or NULL. */
struct story_early {
    struct store_job job;
    uint64_t item;
    enum err e;
    void (*tell)(uint64_t item);
    sem_t over;
};

static inline enum err
story_early_run(void *ctx, struct store_txn *txn)
{
    return story_run(&((struct story_early *)ctx)->item, txn);
}

static inline void
story_early_tell(void *ctx)
{
    struct story_early *s = ctx;

    s->tell(s->item);
}

static inline void
story_early_done(void *ctx, enum err e)
{
    struct story_early *s = ctx;

    s->e = e;
    (void)sem_post(&s->over);
}

static inline enum err
story_item_here(struct store *s, uint64_t item, void (*tell)(uint64_t item))
{
    struct story_early early = {.item = item, .tell = tell};

    early.job.run = story_early_run;
    early.job.early = tell != NULL ? story_early_tell : NULL;
    early.job.done = story_early_done;
    early.job.ctx = &early;
    CHECK(sem_init(&early.over, 0, 0) == 0);
    store_submit_here(s, &early.job);
    while (sem_wait(&early.over) != 0) {
        ; /* a signal came */
    }
    CHECK(sem_destroy(&early.over) == 0);
    return early.e;
}

static inline void
story_found(void *ctx, const struct store_bad *bad)
{
    (void)ctx;
    printf("  bad: %s (%s)\n", bad->table, err_name(bad->e));
}

/* How many items are there; fails the test when they are not whole. */
static inline uint64_t
story_check(struct store *s)
{
    struct conv_id conv = {{1}};
    struct clinic_id peer = {{1}};
    struct store_conv c = {.msgs = 0};
    struct store_outbox_status st = {.count = 0};
    struct hash32 head;
    struct store_txn *txn;
    uint64_t n;
    enum err e;

    CHECK_OK(store_read_begin(s, &txn));
    e = store_conv_get(txn, &conv, &c);
    CHECK(e == OK || e == ERR_MISSING);
    CHECK_OK(store_journal_last(txn, &n));
    CHECK_EQ(n, c.msgs);
    CHECK_OK(store_audit_head(txn, &n, &head));
    CHECK_EQ(n, c.msgs);
    e = store_outbox_status(txn, &peer, &st);
    CHECK(e == OK || (e == ERR_MISSING && c.msgs == 0));
    CHECK_EQ(st.count, c.msgs);
    for (uint64_t seq = 1; seq <= c.msgs; seq++) {
        struct store_msg m = {.seq = 0};

        CHECK_OK(store_msg_get(txn, seq, &m));
        store_msg_clear(&m);
    }
    for (uint64_t i = 0; i < STORY_OWNERS && i < c.msgs; i++) {
        uint64_t item = c.msgs - i;
        struct store_owner owner = story_owner(item);
        struct bytes b = {0};

        CHECK_OK(store_secret_get(txn, &owner, VIEW_LIT("epoch"), &b));
        CHECK_VIEW(view_of(&b), view_make(&item, sizeof(item)));
        bytes_free(&b);
    }
    n = c.msgs;
    store_conv_clear(&c);
    store_read_end(txn);
    return n;
}

#endif
