/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces that several records share; see store/records.h. */
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/records.h"

#include <string.h>

void
store_wr_actor(struct proto_wr *w, const struct store_actor *a)
{
    proto_wr_array(w, 2);
    proto_wr_uint(w, a->kind);
    proto_wr_bin(w, view_make(a->id, store_actor_id_len(a->kind)));
}

struct store_actor
store_rd_actor(struct proto_rd *r)
{
    struct store_actor a = {0};

    proto_rd_array(r, 2);
    a.kind = (enum store_actor_kind)proto_rd_uint(r, STORE_ACTOR_COUNT_ - 1);
    proto_rd_fixed(r, a.id, store_actor_id_len(a.kind));
    return a;
}

void
store_wr_phi(struct proto_wr *w, const struct phi *p)
{
    proto_wr_str(w, proto_phi_reveal(p));
}

void
store_rd_phi(struct proto_rd *r, const struct mem *mem, size_t max,
             struct phi *out)
{
    struct view v = proto_rd_str(r, max);

    if (r->e == OK) {
        store_rd_check(r, phi_from(mem, v, out));
    }
}

void
store_rd_bytes(struct proto_rd *r, const struct mem *mem, size_t max,
               struct bytes *out)
{
    struct view v = proto_rd_bin(r, max);

    if (r->e == OK) {
        store_rd_check(r, bytes_copy(mem, v, out));
    }
}

void
store_wr_optional(struct proto_wr *w, bool has, struct view id)
{
    if (has) {
        proto_wr_bin(w, id);
    } else {
        proto_wr_nil(w);
    }
}

bool
store_rd_optional(struct proto_rd *r, uint8_t *out, size_t len)
{
    if (proto_rd_nil(r)) {
        memset(out, 0, len);
        return false;
    }
    proto_rd_fixed(r, out, len);
    return r->e == OK;
}

void
store_rd_check(struct proto_rd *r, enum err e)
{
    if (e != OK) {
        proto_rd_fail(r, e);
    }
}

enum err
store_rd_done(const struct proto_rd *r)
{
    enum err e = proto_rd_end(r);

    return e == OK || e == ERR_NOMEM ? e : ERR_CORRUPT;
}
