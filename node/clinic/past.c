/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clinic/past.h"

#include "node/clinic/desk.h"
#include "node/clinic/event.h"
#include "node/ns.h"
#include "store/conv.h"
#include "store/fed.h"
#include "store/place.h"

#include <string.h>

enum {
    THREADS = 8 /* that continue each other */
};

enum err
node_past_note(struct store_txn *txn, const struct conv_id *conv,
               const struct thread_id *thread, uint64_t term, uint64_t place,
               uint64_t seq)
{
    struct store_place in = {*conv, *thread, term};

    return place == 0 ? OK : store_place_put(txn, &in, place, seq);
}

static enum err
other(struct store_txn *txn, enum node_ns ns, const struct thread_id *thread,
      struct thread_id *out)
{
    enum err e;
    struct bytes b = {0};

    TRY(store_fed_get(txn, (uint8_t)ns, thread_id_view(thread), &b));
    TRY(b.len == sizeof(out->b) ? OK : ERR_CORRUPT);
    memcpy(out->b, b.p, sizeof(out->b));
out:
    bytes_free(&b);
    return e;
}

enum err
node_past_before(struct store_txn *txn, const struct thread_id *thread,
                 struct thread_id *out)
{
    return other(txn, NODE_NS_BEFORE, thread, out);
}

enum err
node_past_follows(struct store_txn *txn, const struct thread_id *thread,
                  const struct thread_id *before)
{
    return store_fed_put(txn, NODE_NS_BEFORE, thread_id_view(thread),
                         thread_id_view(before));
}

/* decisions G 31 */
enum err
node_past_continued(struct store_txn *txn, struct thread_id *thread)
{
    enum err e;
    struct proto_group group;
    struct bytes b = {0};

    e = node_past_before(txn, thread, thread);
    if (e != ERR_MISSING) {
        return e;
    }
    TRY(node_desk_group(txn, thread, &b));
    TRY(proto_group_decode(view_of(&b), &group) == OK &&
                (group.flags & PROTO_GROUP_CONTINUES) != 0
            ? OK
            : ERR_MISSING);
    memcpy(thread->b, group.prev, sizeof(thread->b));
out:
    bytes_free(&b);
    return e;
}

/* The first of thread and those that it continues; of one place the newest. */
static enum err
first(struct store_txn *txn, struct store_place *in, uint64_t from, uint64_t to,
      struct store_msg *out)
{
    enum err e = OK;
    bool any = false;

    for (unsigned n = 0; e == OK && n < THREADS && from <= to; n++) {
        struct store_msg m = {0};

        e = store_place_first(txn, in, from, to, &m);
        if (e == OK) {
            store_msg_clear(out);
            *out = m;
            any = true;
            to = m.log_seq - 1;
        }
        e = e == ERR_MISSING ? OK : e;
        TRY(e);
        e = node_past_continued(txn, &in->thread);
    }
    e = e == ERR_MISSING || e == OK ? (any ? OK : ERR_MISSING) : e;
out:
    return e;
}

enum err
node_past_at(struct store_txn *txn, const struct conv_id *conv,
             const struct thread_id *thread, uint64_t term, uint64_t place,
             uint64_t *seq_out)
{
    enum err e;
    struct store_place in = {*conv, *thread, term};
    struct store_msg m = {0};

    TRY(first(txn, &in, place, place, &m));
    *seq_out = m.seq;
out:
    store_msg_clear(&m);
    return e;
}

enum err
node_past_first(struct store_txn *txn, const struct clinic_id *self,
                const struct thread_id *thread, uint64_t term, uint64_t from,
                uint64_t to, const struct mem *mem, struct fed_past *out)
{
    enum err e;
    struct store_place in = {.thread = *thread, .term = term};
    struct store_msg m = {0};

    TRY(from != 0 ? OK : ERR_MISSING);
    TRY(store_conv_by_thread(txn, thread, &in.conv));
    TRY(first(txn, &in, from, to, &m));
    TRY(bytes_copy(mem, view_of(&m.body), &out->content));
    out->id = m.id;
    out->seq = m.log_seq;
    out->ts_ms = m.at_ms;
    memcpy(out->author.b,
           store_actor_outside(&m.author) ? m.author.id : self->b,
           sizeof(out->author.b));
out:
    store_msg_clear(&m);
    return e;
}

enum err
node_past_linked(struct store_txn *txn, enum node_ns ns,
                 const struct thread_id *thread, struct conv_id *out)
{
    enum err e;
    struct thread_id id;

    TRY(other(txn, ns, thread, &id));
    TRY(store_conv_by_thread(txn, &id, out));
out:
    return e;
}

enum err
node_past_link(struct store_txn *txn, const struct fed_show *show)
{
    enum err e;
    struct thread_id old;
    struct conv_id from;
    struct conv_id to;
    struct conv_id had;

    TRY(show->body.len == sizeof(old.b) ? OK : ERR_INVALID);
    memcpy(old.b, show->body.p, sizeof(old.b));
    TRY(store_conv_by_thread(txn, &old, &from));
    TRY(store_conv_by_thread(txn, &show->thread, &to));
    if (conv_id_equal(&from, &to) ||
        node_past_linked(txn, NODE_NS_FROM, &show->thread, &had) == OK ||
        node_past_linked(txn, NODE_NS_NEXT, &old, &had) == OK) {
        goto out;
    }
    TRY(store_fed_put(txn, NODE_NS_FROM, thread_id_view(&show->thread),
                      thread_id_view(&old)));
    TRY(store_fed_put(txn, NODE_NS_NEXT, thread_id_view(&old),
                      thread_id_view(&show->thread)));
    TRY(node_desk_event(txn, NODE_EVENT_CONV, conv_id_view(&from), 0));
    TRY(node_desk_event(txn, NODE_EVENT_CONV, conv_id_view(&to), 0));
out:
    return e == ERR_MISSING ? OK : e;
}
