/* SPDX-License-Identifier: Apache-2.0 */
#include "store/invite.h"

#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/records.h"

#include <string.h>

enum {
    FIELDS = 13
};

void
store_invite_clear(struct store_invite *i)
{
    phi_free(&i->purpose);
    phi_free(&i->phone);
    phi_free(&i->email);
    phi_free(&i->birth);
    memset(i, 0, sizeof(*i));
}

enum err
store_invite_decode(const struct mem *mem, struct view in,
                    struct store_invite *out)
{
    struct store_invite i = {0};
    struct proto_rd r = proto_rd_open(in);
    enum err e;

    proto_rd_array(&r, FIELDS);
    i.link = proto_rd_link_id(&r);
    proto_rd_fixed(&r, i.contact.b, sizeof(i.contact.b));
    i.state = (enum store_invite_state)proto_rd_uint(
        &r, STORE_INVITE_STATE_COUNT_ - 1);
    i.tries = proto_rd_u8(&r);
    i.created_ms = proto_rd_u64(&r);
    i.changed_ms = proto_rd_u64(&r);
    i.by = store_rd_actor(&r);
    i.has_next = store_rd_optional(&r, i.next.b, sizeof(i.next.b));
    i.has_patient = store_rd_optional(&r, i.patient.b, sizeof(i.patient.b));
    store_rd_phi(&r, mem, LIMIT_PHI_SHORT, &i.purpose);
    store_rd_phi(&r, mem, LIMIT_PHI_SHORT, &i.phone);
    store_rd_phi(&r, mem, LIMIT_PHI_SHORT, &i.email);
    store_rd_phi(&r, mem, LIMIT_PHI_SHORT, &i.birth);
    TRY(store_rd_done(&r));
    TRY(i.state != 0 ? OK : ERR_CORRUPT);
    *out = i;
    return OK;
out:
    store_invite_clear(&i);
    return e;
}

enum err
store_invite_encode(const struct mem *mem, const struct store_invite *i,
                    struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, FIELDS);
    proto_wr_bin(&w, link_id_view(&i->link));
    proto_wr_bin(&w, contact_id_view(&i->contact));
    proto_wr_uint(&w, i->state);
    proto_wr_uint(&w, i->tries);
    proto_wr_uint(&w, i->created_ms);
    proto_wr_uint(&w, i->changed_ms);
    store_wr_actor(&w, &i->by);
    store_wr_optional(&w, i->has_next, link_id_view(&i->next));
    store_wr_optional(&w, i->has_patient, patient_id_view(&i->patient));
    store_wr_phi(&w, &i->purpose);
    store_wr_phi(&w, &i->phone);
    store_wr_phi(&w, &i->email);
    store_wr_phi(&w, &i->birth);
    return proto_wr_take(&w, out);
}

static bool
short_enough(const struct store_invite *i)
{
    return phi_len(&i->purpose) <= LIMIT_PHI_SHORT &&
           phi_len(&i->phone) <= LIMIT_PHI_SHORT &&
           phi_len(&i->email) <= LIMIT_PHI_SHORT &&
           phi_len(&i->birth) <= LIMIT_PHI_SHORT;
}

enum err
store_invite_put(struct store_txn *txn, const struct store_invite *i)
{
    struct bytes b = {0};
    enum err e;

    TRY(short_enough(i) ? OK : ERR_LIMIT);
    TRY(store_invite_encode(store_txn_mem(txn), i, &b));
    TRY(store_put(txn, STORE_T_INVITES, link_id_view(&i->link), view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

enum err
store_invite_get(struct store_txn *txn, const struct link_id *id,
                 struct store_invite *out)
{
    struct bytes b = {0};
    enum err e;

    TRY(store_get(txn, STORE_T_INVITES, link_id_view(id), &b));
    TRY(store_invite_decode(store_txn_mem(txn), view_of(&b), out));
out:
    bytes_free(&b);
    return e;
}

enum err
store_invite_del(struct store_txn *txn, const struct link_id *id)
{
    return store_del(txn, STORE_T_INVITES, link_id_view(id));
}

enum err
store_invite_list(struct store_txn *txn,
                  enum err (*each)(void *ctx, const struct store_invite *i),
                  void *ctx)
{
    struct store_invite i = {0};
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_INVITES, (struct view){0}, STORE_UP,
                         &sc));
    while (e == OK && store_scan_next(&sc)) {
        e = store_invite_decode(store_txn_mem(txn), sc.value, &i);
        if (e == OK) {
            e = each(ctx, &i);
        }
        store_invite_clear(&i);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}
