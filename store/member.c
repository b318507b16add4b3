/* SPDX-License-Identifier: Apache-2.0 */
#include "store/member.h"

#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/inner.h"
#include "store/records.h"

#include <string.h>

/* Kinds of rows in STORE_T_MEMBERS: first byte of the key. */
enum {
    ROW_MEMBER = 'm',
    ROW_LOGIN = 'l',
    KEY = 17
};

void
store_member_clear(struct store_member *m)
{
    phi_free(&m->name);
    phi_free(&m->login);
    bytes_free(&m->auth);
    memset(m, 0, sizeof(*m));
}

enum err
store_member_decode(const struct mem *mem, struct view in,
                    struct store_member *out)
{
    struct store_member m = {0};
    struct proto_rd r = proto_rd_open(in);
    enum err e;

    proto_rd_array(&r, 7);
    m.id = proto_rd_member_id(&r);
    m.state =
        (enum store_member_state)proto_rd_uint(&r, STORE_MEMBER_COUNT_ - 1);
    m.admin = proto_rd_bool(&r);
    m.created_ms = proto_rd_u64(&r);
    store_rd_phi(&r, mem, LIMIT_PHI_SHORT, &m.name);
    store_rd_phi(&r, mem, LIMIT_PHI_SHORT, &m.login);
    store_rd_bytes(&r, mem, LIMIT_SETTING_VALUE, &m.auth);
    TRY(store_rd_done(&r));
    *out = m;
    return OK;
out:
    store_member_clear(&m);
    return e;
}

enum err
store_member_encode(const struct mem *mem, const struct store_member *m,
                    struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 7);
    proto_wr_bin(&w, member_id_view(&m->id));
    proto_wr_uint(&w, m->state);
    proto_wr_bool(&w, m->admin);
    proto_wr_uint(&w, m->created_ms);
    store_wr_phi(&w, &m->name);
    store_wr_phi(&w, &m->login);
    proto_wr_bin(&w, view_of(&m->auth));
    return proto_wr_take(&w, out);
}

static struct view
member_key(uint8_t row, const uint8_t id[16], uint8_t out[KEY])
{
    out[0] = row;
    memcpy(out + 1, id, 16);
    return view_make(out, KEY);
}

/* The rows of the login before and after. */
static enum err
move_login(struct store_txn *txn, const struct store_member *m)
{
    struct store_member old = {0};
    struct member_id other;
    uint8_t hash[16];
    uint8_t key[KEY];
    enum err e;

    e = store_member_get(txn, &m->id, &old);
    TRY(e == ERR_MISSING ? OK : e);
    if (phi_len(&m->login) > 0) {
        e = store_member_by_login(txn, proto_phi_reveal(&m->login), &other);
        TRY(e == OK && !member_id_equal(&other, &m->id) ? ERR_EXISTS
            : e == ERR_MISSING                          ? OK
                                                        : e);
    }
    if (phi_len(&old.login) > 0) {
        TRY(store_login_hash(txn, proto_phi_reveal(&old.login), hash));
        TRY(store_del(txn, STORE_T_MEMBERS, member_key(ROW_LOGIN, hash, key)));
    }
    if (phi_len(&m->login) > 0) {
        TRY(store_login_hash(txn, proto_phi_reveal(&m->login), hash));
        TRY(store_put(txn, STORE_T_MEMBERS, member_key(ROW_LOGIN, hash, key),
                      member_id_view(&m->id)));
    }
out:
    store_member_clear(&old);
    return e;
}

enum err
store_member_put(struct store_txn *txn, const struct store_member *m)
{
    struct bytes b = {0};
    uint8_t key[KEY];
    enum err e;

    TRY(phi_len(&m->name) <= LIMIT_PHI_SHORT &&
                phi_len(&m->login) <= LIMIT_PHI_SHORT &&
                m->auth.len <= LIMIT_SETTING_VALUE
            ? OK
            : ERR_LIMIT);
    TRY(move_login(txn, m));
    TRY(store_member_encode(store_txn_mem(txn), m, &b));
    TRY(store_put(txn, STORE_T_MEMBERS, member_key(ROW_MEMBER, m->id.b, key),
                  view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

enum err
store_member_get(struct store_txn *txn, const struct member_id *id,
                 struct store_member *out)
{
    struct bytes b = {0};
    uint8_t key[KEY];
    enum err e;

    TRY(store_get(txn, STORE_T_MEMBERS, member_key(ROW_MEMBER, id->b, key),
                  &b));
    TRY(store_member_decode(store_txn_mem(txn), view_of(&b), out));
out:
    bytes_free(&b);
    return e;
}

enum err
store_member_by_login(struct store_txn *txn, struct view login,
                      struct member_id *out)
{
    struct bytes b = {0};
    uint8_t hash[16];
    uint8_t key[KEY];
    enum err e;

    TRY(store_login_hash(txn, login, hash));
    TRY(store_get(txn, STORE_T_MEMBERS, member_key(ROW_LOGIN, hash, key), &b));
    TRY(member_id_from(view_of(&b), out) == OK ? OK : ERR_CORRUPT);
out:
    bytes_free(&b);
    return e;
}

enum err
store_member_list(struct store_txn *txn,
                  enum err (*each)(void *ctx, const struct store_member *m),
                  void *ctx)
{
    static const uint8_t prefix = ROW_MEMBER;
    struct store_member m = {0};
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_MEMBERS, view_make(&prefix, 1), STORE_UP,
                         &sc));
    while (e == OK && store_scan_next(&sc)) {
        e = store_member_decode(store_txn_mem(txn), sc.value, &m);
        if (e == OK) {
            e = each(ctx, &m);
        }
        store_member_clear(&m);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}
