/* SPDX-License-Identifier: Apache-2.0 */
/* The contact's record and its notes' in memory and on disk. */
#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/records.h"

#include <string.h>

static void
ident_clear(struct store_ident *i)
{
    bytes_free(&i->value);
    phi_free(&i->label);
}

void
store_contact_clear(struct store_contact *c)
{
    phi_free(&c->name);
    phi_free(&c->more);
    for (size_t i = 0; i < c->idents_len; i++) {
        ident_clear(&c->idents[i]);
    }
    mem_free(c->mem, c->idents, c->idents_len * sizeof(*c->idents));
    memset(c, 0, sizeof(*c));
}

/* Identities are few: each append makes a new list. */
static enum err
append_ident(const struct mem *mem, struct store_contact *c,
             struct store_ident *take_ident)
{
    size_t n = c->idents_len;
    struct store_ident *p = mem_calloc(mem, n + 1, sizeof(*p));

    if (p == NULL) {
        return ERR_NOMEM;
    }
    if (n > 0) {
        memcpy(p, c->idents, n * sizeof(*p));
    }
    p[n] = *take_ident;
    memset(take_ident, 0, sizeof(*take_ident));
    mem_free(c->mem, c->idents, n * sizeof(*p));
    c->idents = p;
    c->idents_len = n + 1;
    c->mem = mem;
    return OK;
}

enum err
store_contact_add_ident(const struct mem *mem, struct store_contact *c,
                        enum store_ident_kind kind, struct view value,
                        struct view label, enum store_learned learned,
                        uint64_t now_ms)
{
    struct store_ident i = {
        .kind = kind, .learned = learned, .added_ms = now_ms};
    enum err e;

    TRY(c->idents_len < LIMIT_CONTACT_IDENTS && value.len <= LIMIT_PHI_SHORT &&
                label.len <= LIMIT_PHI_SHORT
            ? OK
            : ERR_LIMIT);
    TRY(store_contact_ident(c, kind, value) != NULL && value.len > 0
            ? ERR_EXISTS
            : OK);
    TRY(bytes_copy(mem, value, &i.value));
    TRY(phi_from(mem, label, &i.label));
    TRY(append_ident(mem, c, &i));
out:
    ident_clear(&i);
    return e;
}

struct store_ident *
store_contact_ident(struct store_contact *c, enum store_ident_kind kind,
                    struct view value)
{
    for (size_t i = 0; i < c->idents_len; i++) {
        if (c->idents[i].kind == kind &&
            (value.len == 0 ||
             view_equal(view_of(&c->idents[i].value), value))) {
            return &c->idents[i];
        }
    }
    return NULL;
}

static void
rd_ident(struct proto_rd *r, const struct mem *mem, struct store_contact *c)
{
    struct store_ident i = {0};

    proto_rd_array(r, 5);
    i.kind =
        (enum store_ident_kind)proto_rd_uint(r, STORE_IDENT_KIND_COUNT_ - 1);
    store_rd_bytes(r, mem, LIMIT_PHI_SHORT, &i.value);
    store_rd_phi(r, mem, LIMIT_PHI_SHORT, &i.label);
    i.learned = (enum store_learned)proto_rd_uint(r, STORE_LEARNED_COUNT_ - 1);
    i.added_ms = proto_rd_u64(r);
    if (r->e == OK && i.kind == 0) {
        proto_rd_fail(r, ERR_FORMAT);
    }
    if (r->e == OK) {
        store_rd_check(r, append_ident(mem, c, &i));
    }
    ident_clear(&i);
}

enum err
store_contact_decode(const struct mem *mem, struct view in,
                     struct store_contact *out)
{
    struct store_contact c = {0};
    struct proto_rd r = proto_rd_open(in);
    uint32_t n;
    enum err e;

    proto_rd_array(&r, 8);
    c.id = proto_rd_contact_id(&r);
    c.kind = (enum store_contact_kind)proto_rd_uint(
        &r, STORE_CONTACT_KIND_COUNT_ - 1);
    store_rd_phi(&r, mem, LIMIT_PHI_SHORT, &c.name);
    store_rd_phi(&r, mem, LIMIT_PHI_LONG, &c.more);
    c.created_ms = proto_rd_u64(&r);
    c.changed_ms = proto_rd_u64(&r);
    c.archived = proto_rd_bool(&r);
    n = proto_rd_list(&r, LIMIT_CONTACT_IDENTS);
    for (uint32_t i = 0; i < n && r.e == OK; i++) {
        rd_ident(&r, mem, &c);
    }
    TRY(store_rd_done(&r));
    *out = c;
    return OK;
out:
    store_contact_clear(&c);
    return e;
}

enum err
store_contact_encode(const struct mem *mem, const struct store_contact *c,
                     struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 8);
    proto_wr_bin(&w, contact_id_view(&c->id));
    proto_wr_uint(&w, c->kind);
    store_wr_phi(&w, &c->name);
    store_wr_phi(&w, &c->more);
    proto_wr_uint(&w, c->created_ms);
    proto_wr_uint(&w, c->changed_ms);
    proto_wr_bool(&w, c->archived);
    proto_wr_array(&w, c->idents_len);
    for (size_t i = 0; i < c->idents_len; i++) {
        const struct store_ident *id = &c->idents[i];

        proto_wr_array(&w, 5);
        proto_wr_uint(&w, id->kind);
        proto_wr_bin(&w, view_of(&id->value));
        store_wr_phi(&w, &id->label);
        proto_wr_uint(&w, id->learned);
        proto_wr_uint(&w, id->added_ms);
    }
    return proto_wr_take(&w, out);
}

enum err
store_note_decode(const struct mem *mem, struct view in, struct store_note *out)
{
    struct store_note n = {0};
    struct proto_rd r = proto_rd_open(in);
    enum err e;

    proto_rd_array(&r, 3);
    n.at_ms = proto_rd_u64(&r);
    n.actor = store_rd_actor(&r);
    store_rd_phi(&r, mem, LIMIT_PHI_LONG, &n.text);
    TRY(store_rd_done(&r));
    *out = n;
    return OK;
out:
    phi_free(&n.text);
    return e;
}

enum err
store_note_encode(const struct mem *mem, const struct store_note *n,
                  struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 3);
    proto_wr_uint(&w, n->at_ms);
    store_wr_actor(&w, &n->actor);
    store_wr_phi(&w, &n->text);
    return proto_wr_take(&w, out);
}
