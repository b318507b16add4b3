/* SPDX-License-Identifier: Apache-2.0 */
#include "store/clinic.h"

#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/records.h"

#include <string.h>

enum {
    ADDRESS_MAX = 1024
};

void
store_clinic_clear(struct store_clinic *c)
{
    bytes_free(&c->profile);
    bytes_free(&c->policy);
    bytes_free(&c->more);
    for (size_t i = 0; i < c->addresses_len; i++) {
        bytes_free(&c->addresses[i].value);
    }
    mem_free(c->mem, c->addresses, c->addresses_len * sizeof(*c->addresses));
    memset(c, 0, sizeof(*c));
}

/* Addresses are few: each append makes a new list. */
static enum err
append_address(const struct mem *mem, struct store_clinic *c, uint8_t type,
               struct view value)
{
    size_t n = c->addresses_len;
    struct store_address *p = mem_calloc(mem, n + 1, sizeof(*p));
    enum err e;

    TRY(p != NULL ? OK : ERR_NOMEM);
    TRY(bytes_copy(mem, value, &p[n].value));
    p[n].type = type;
    if (n > 0) {
        memcpy(p, c->addresses, n * sizeof(*p));
    }
    mem_free(c->mem, c->addresses, n * sizeof(*p));
    c->addresses = p;
    c->addresses_len = n + 1;
    c->mem = mem;
    p = NULL;
out:
    mem_free(mem, p, (n + 1) * sizeof(*p));
    return e;
}

enum err
store_clinic_add_address(const struct mem *mem, struct store_clinic *c,
                         uint8_t type, struct view value)
{
    if (value.len > ADDRESS_MAX || c->addresses_len >= LIMIT_CLINIC_ADDRESSES) {
        return ERR_LIMIT;
    }
    for (size_t i = 0; i < c->addresses_len; i++) {
        if (c->addresses[i].type == type &&
            view_equal(view_of(&c->addresses[i].value), value)) {
            return ERR_EXISTS;
        }
    }
    return append_address(mem, c, type, value);
}

static void
rd_addresses(struct proto_rd *r, const struct mem *mem, struct store_clinic *c)
{
    uint32_t n = proto_rd_list(r, LIMIT_CLINIC_ADDRESSES);

    for (uint32_t i = 0; i < n && r->e == OK; i++) {
        struct view value;
        uint8_t type;

        proto_rd_array(r, 2);
        type = proto_rd_u8(r);
        value = proto_rd_bin(r, ADDRESS_MAX);
        if (r->e == OK) {
            store_rd_check(r, append_address(mem, c, type, value));
        }
    }
}

enum err
store_clinic_decode(const struct mem *mem, struct view in,
                    struct store_clinic *out)
{
    struct store_clinic c = {0};
    struct proto_rd r = proto_rd_open(in);
    enum err e;

    proto_rd_array(&r, 14);
    c.id = proto_rd_clinic_id(&r);
    c.state = (enum store_clinic_state)proto_rd_uint(
        &r, STORE_CLINIC_STATE_COUNT_ - 1);
    c.learned = (enum store_learned)proto_rd_uint(&r, STORE_LEARNED_COUNT_ - 1);
    c.has_via = store_rd_optional(&r, c.via.b, sizeof(c.via.b));
    c.has_link = store_rd_optional(&r, c.link.b, sizeof(c.link.b));
    c.has_contact = store_rd_optional(&r, c.contact.b, sizeof(c.contact.b));
    c.generation = proto_rd_u64(&r);
    c.created_ms = proto_rd_u64(&r);
    c.changed_ms = proto_rd_u64(&r);
    c.seen_ms = proto_rd_u64(&r);
    store_rd_bytes(&r, mem, LIMIT_SETTING_VALUE, &c.profile);
    store_rd_bytes(&r, mem, LIMIT_SETTING_VALUE, &c.policy);
    store_rd_bytes(&r, mem, LIMIT_SETTING_VALUE, &c.more);
    rd_addresses(&r, mem, &c);
    TRY(store_rd_done(&r));
    *out = c;
    return OK;
out:
    store_clinic_clear(&c);
    return e;
}

enum err
store_clinic_encode(const struct mem *mem, const struct store_clinic *c,
                    struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 14);
    proto_wr_bin(&w, clinic_id_view(&c->id));
    proto_wr_uint(&w, c->state);
    proto_wr_uint(&w, c->learned);
    store_wr_optional(&w, c->has_via, clinic_id_view(&c->via));
    store_wr_optional(&w, c->has_link, link_id_view(&c->link));
    store_wr_optional(&w, c->has_contact, contact_id_view(&c->contact));
    proto_wr_uint(&w, c->generation);
    proto_wr_uint(&w, c->created_ms);
    proto_wr_uint(&w, c->changed_ms);
    proto_wr_uint(&w, c->seen_ms);
    proto_wr_bin(&w, view_of(&c->profile));
    proto_wr_bin(&w, view_of(&c->policy));
    proto_wr_bin(&w, view_of(&c->more));
    proto_wr_array(&w, c->addresses_len);
    for (size_t i = 0; i < c->addresses_len; i++) {
        proto_wr_array(&w, 2);
        proto_wr_uint(&w, c->addresses[i].type);
        proto_wr_bin(&w, view_of(&c->addresses[i].value));
    }
    return proto_wr_take(&w, out);
}

enum err
store_clinic_put(struct store_txn *txn, const struct store_clinic *c)
{
    struct bytes b = {0};
    enum err e;

    TRY(c->profile.len <= LIMIT_SETTING_VALUE &&
                c->policy.len <= LIMIT_SETTING_VALUE &&
                c->more.len <= LIMIT_SETTING_VALUE &&
                c->addresses_len <= LIMIT_CLINIC_ADDRESSES
            ? OK
            : ERR_LIMIT);
    TRY(store_clinic_encode(store_txn_mem(txn), c, &b));
    TRY(store_put(txn, STORE_T_CLINICS, clinic_id_view(&c->id), view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

enum err
store_clinic_get(struct store_txn *txn, const struct clinic_id *id,
                 struct store_clinic *out)
{
    struct bytes b = {0};
    enum err e;

    TRY(store_get(txn, STORE_T_CLINICS, clinic_id_view(id), &b));
    TRY(store_clinic_decode(store_txn_mem(txn), view_of(&b), out));
out:
    bytes_free(&b);
    return e;
}

enum err
store_clinic_del(struct store_txn *txn, const struct clinic_id *id)
{
    return store_del(txn, STORE_T_CLINICS, clinic_id_view(id));
}

enum err
store_clinic_list(struct store_txn *txn,
                  enum err (*each)(void *ctx, const struct store_clinic *c),
                  void *ctx)
{
    struct store_clinic c = {0};
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_CLINICS, (struct view){0}, STORE_UP,
                         &sc));
    while (e == OK && store_scan_next(&sc)) {
        e = store_clinic_decode(store_txn_mem(txn), sc.value, &c);
        if (e == OK) {
            e = each(ctx, &c);
        }
        store_clinic_clear(&c);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}
