/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core's records in the store: open ones in namespaces, secret ones under
 * the slot key of their thread (decisions G 28), key packages under one of
 * their own.
 */
#include "federation/native/records.h"
#include "node/clinic/intro.h"
#include "node/clinic/past.h"
#include "node/runner_impl.h"
#include "store/msg.h"

#include <string.h>

static enum err
get(void *ctx, enum fed_ns ns, struct view key, const struct mem *mem,
    struct bytes *out)
{
    struct node_runner *r = ctx;

    return fed_records_get(r->c.store, (uint8_t)ns, key, mem, out);
}

static enum err
next(void *ctx, enum fed_ns ns, struct view from, const struct mem *mem,
     struct bytes *key_out, struct bytes *value_out)
{
    struct node_runner *r = ctx;

    return fed_records_next(r->c.store, (uint8_t)ns, from, mem, key_out,
                            value_out);
}

/* ----------------------------------------------------------------- history */

static enum err
past(void *ctx, const struct thread_id *thread, uint64_t term, uint64_t from,
     uint64_t to, const struct mem *mem, struct fed_past *out)
{
    struct node_runner *r = ctx;
    struct store_txn *txn = NULL;
    enum err e;

    TRY(store_read_begin(r->c.store, &txn));
    TRY(node_past_first(txn, &r->identity.root, thread, term, from, to, mem,
                        out));
out:
    store_read_end(txn);
    return e;
}

static enum err
known(void *ctx, const struct thread_id *thread, const struct message_id *id,
      uint64_t *term_out, uint64_t *seq_out)
{
    struct node_runner *r = ctx;
    struct store_txn *txn = NULL;
    struct store_msg m = {0};
    struct conv_id conv;
    enum err e;

    TRY(store_read_begin(r->c.store, &txn));
    TRY(store_conv_by_thread(txn, thread, &conv));
    TRY(store_msg_find(txn, &conv, id, &m));
    *term_out = m.log_term;
    *seq_out = m.log_seq;
out:
    store_read_end(txn);
    store_msg_clear(&m);
    return e;
}

static enum err
intro(void *ctx, const struct thread_id *thread,
      const struct proto_group *group, const struct mem *mem,
      struct bytes *content_out)
{
    struct node_runner *r = ctx;
    struct store_txn *txn = NULL;
    enum err e;

    TRY(store_read_begin(r->c.store, &txn));
    TRY(node_intro_make(txn, thread, group, &r->identity.root,
                        view_of(&r->profile), mem, content_out));
out:
    store_read_end(txn);
    return e;
}

struct fed_store
node_runner_store(struct node_runner *r)
{
    struct fed_store s = {get, next, past, known, intro, r};

    return s;
}

/* ----------------------------------------------------------------- writing */

enum err
node_runner_write(struct store_txn *txn, const struct fed_batch *batch)
{
    enum err e = OK;

    for (size_t i = 0; i < batch->writes_len; i++) {
        const struct fed_write *w = batch->writes[i];
        struct view key = view_of(&w->key);

        TRY(w->del ? fed_records_del(txn, (uint8_t)w->ns, key)
                   : fed_records_put(txn, (uint8_t)w->ns, key,
                                     view_of(&w->value)));
    }
    for (size_t i = 0; i < batch->acts_len; i++) {
        const struct fed_act *act = &batch->acts[i];

        TRY(act->kind == FED_ACT_ROTATE ? fed_records_rotate(txn, &act->thread)
                                        : OK);
    }
out:
    return e;
}
