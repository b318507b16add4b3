/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clinic/past.h"

#include "store/conv.h"
#include "store/place.h"

#include <string.h>

enum err
node_past_note(struct store_txn *txn, const struct conv_id *conv,
               const struct thread_id *thread, uint64_t term, uint64_t place,
               uint64_t seq)
{
    struct store_place in = {*conv, *thread, term};

    return place == 0 ? OK : store_place_put(txn, &in, place, seq);
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
    TRY(store_place_first(txn, &in, from, to, &m));
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
