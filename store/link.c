/* SPDX-License-Identifier: Apache-2.0 */
#include "store/link.h"

#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/records.h"

#include <string.h>

void
store_link_clear(struct store_link *l)
{
    phi_free(&l->label);
    phi_free(&l->shown);
    bytes_free(&l->more);
    mem_wipe(l, sizeof(*l));
}

enum err
store_link_decode(const struct mem *mem, struct view in, struct store_link *out)
{
    struct store_link l = {0};
    struct proto_rd r = proto_rd_open(in);
    enum err e;

    proto_rd_array(&r, 14);
    l.id = proto_rd_link_id(&r);
    l.flags = proto_rd_u32(&r);
    proto_rd_fixed(&r, l.secret, sizeof(l.secret));
    l.created_ms = proto_rd_u64(&r);
    l.expires_ms = proto_rd_u64(&r);
    l.uses = proto_rd_u64(&r);
    l.uses_max = proto_rd_u64(&r);
    l.has_next = store_rd_optional(&r, l.next.b, sizeof(l.next.b));
    l.has_bound = store_rd_optional(&r, l.bound.b, sizeof(l.bound.b));
    l.owner_kind = proto_rd_u8(&r);
    proto_rd_fixed(&r, l.owner, sizeof(l.owner));
    store_rd_phi(&r, mem, LIMIT_PHI_SHORT, &l.label);
    store_rd_phi(&r, mem, LIMIT_PHI_SHORT, &l.shown);
    store_rd_bytes(&r, mem, LIMIT_SETTING_VALUE, &l.more);
    TRY(store_rd_done(&r));
    *out = l;
    mem_wipe(l.secret, sizeof(l.secret));
    return OK;
out:
    store_link_clear(&l);
    return e;
}

enum err
store_link_encode(const struct mem *mem, const struct store_link *l,
                  struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 14);
    proto_wr_bin(&w, link_id_view(&l->id));
    proto_wr_uint(&w, l->flags);
    proto_wr_bin(&w, VIEW_ARRAY(l->secret));
    proto_wr_uint(&w, l->created_ms);
    proto_wr_uint(&w, l->expires_ms);
    proto_wr_uint(&w, l->uses);
    proto_wr_uint(&w, l->uses_max);
    store_wr_optional(&w, l->has_next, link_id_view(&l->next));
    store_wr_optional(&w, l->has_bound, subject_id_view(&l->bound));
    proto_wr_uint(&w, l->owner_kind);
    proto_wr_bin(&w, VIEW_ARRAY(l->owner));
    store_wr_phi(&w, &l->label);
    store_wr_phi(&w, &l->shown);
    proto_wr_bin(&w, view_of(&l->more));
    return proto_wr_take(&w, out);
}

enum err
store_link_put(struct store_txn *txn, const struct store_link *l)
{
    struct bytes b = {0};
    enum err e;

    TRY(phi_len(&l->label) <= LIMIT_PHI_SHORT &&
                phi_len(&l->shown) <= LIMIT_PHI_SHORT &&
                l->more.len <= LIMIT_SETTING_VALUE
            ? OK
            : ERR_LIMIT);
    TRY(store_link_encode(store_txn_mem(txn), l, &b));
    TRY(store_put(txn, STORE_T_LINKS, link_id_view(&l->id), view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

enum err
store_link_get(struct store_txn *txn, const struct link_id *id,
               struct store_link *out)
{
    struct bytes b = {0};
    enum err e;

    TRY(store_get(txn, STORE_T_LINKS, link_id_view(id), &b));
    TRY(store_link_decode(store_txn_mem(txn), view_of(&b), out));
out:
    bytes_free(&b);
    return e;
}

enum err
store_link_del(struct store_txn *txn, const struct link_id *id)
{
    return store_del(txn, STORE_T_LINKS, link_id_view(id));
}

enum err
store_link_list(struct store_txn *txn,
                enum err (*each)(void *ctx, const struct store_link *l),
                void *ctx)
{
    struct store_link l = {0};
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_LINKS, (struct view){0}, STORE_UP, &sc));
    while (e == OK && store_scan_next(&sc)) {
        e = store_link_decode(store_txn_mem(txn), sc.value, &l);
        if (e == OK) {
            e = each(ctx, &l);
        }
        store_link_clear(&l);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}
