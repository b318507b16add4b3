/* SPDX-License-Identifier: Apache-2.0 */
/* Records of conversations and messages in memory and on disk. */
#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/records.h"

#include <string.h>

static void
free_ids(const struct mem *mem, struct contact_id **ids, size_t *n)
{
    mem_free(mem, *ids, *n * sizeof(**ids));
    *ids = NULL;
    *n = 0;
}

void
store_conv_clear(struct store_conv *c)
{
    phi_free(&c->title);
    free_ids(c->mem, &c->contacts, &c->contacts_len);
    free_ids(c->mem, &c->regarding, &c->regarding_len);
    memset(c, 0, sizeof(*c));
}

static enum err
set_ids(const struct mem *mem, struct store_conv *c, struct contact_id **list,
        size_t *len, const struct contact_id *ids, size_t n)
{
    struct contact_id *p = NULL;

    if (n > LIMIT_CONV_CONTACTS) {
        return ERR_LIMIT;
    }
    if (n > 0) {
        p = mem_calloc(mem, n, sizeof(*p));
        if (p == NULL) {
            return ERR_NOMEM;
        }
        memcpy(p, ids, n * sizeof(*p));
    }
    free_ids(c->mem, list, len);
    *list = p;
    *len = n;
    c->mem = mem;
    return OK;
}

enum err
store_conv_set_contacts(const struct mem *mem, struct store_conv *c,
                        const struct contact_id *ids, size_t n)
{
    return set_ids(mem, c, &c->contacts, &c->contacts_len, ids, n);
}

enum err
store_conv_set_regarding(const struct mem *mem, struct store_conv *c,
                         const struct contact_id *ids, size_t n)
{
    return set_ids(mem, c, &c->regarding, &c->regarding_len, ids, n);
}

static void
rd_ids(struct proto_rd *r, const struct mem *mem, struct contact_id **list,
       size_t *len)
{
    uint32_t n = proto_rd_list(r, LIMIT_CONV_CONTACTS);

    if (r->e != OK || n == 0) {
        return;
    }
    *list = mem_calloc(mem, n, sizeof(**list));
    if (*list == NULL) {
        proto_rd_fail(r, ERR_NOMEM);
        return;
    }
    *len = n;
    for (uint32_t i = 0; i < n; i++) {
        (*list)[i] = proto_rd_contact_id(r);
    }
}

static void
wr_ids(struct proto_wr *w, const struct contact_id *ids, size_t n)
{
    proto_wr_array(w, n);
    for (size_t i = 0; i < n; i++) {
        proto_wr_bin(w, contact_id_view(&ids[i]));
    }
}

enum err
store_conv_decode(const struct mem *mem, struct view in, struct store_conv *out)
{
    struct store_conv c = {.mem = mem};
    struct proto_rd r = proto_rd_open(in);
    enum err e;

    proto_rd_array(&r, 16);
    c.id = proto_rd_conv_id(&r);
    c.channel = (enum store_channel)proto_rd_uint(&r, STORE_CHANNEL_COUNT_ - 1);
    c.box = (enum store_box)proto_rd_uint(&r, STORE_BOX_COUNT_ - 1);
    proto_rd_fixed(&r, c.owner, sizeof(c.owner));
    c.flags = proto_rd_u32(&r);
    c.has_link = store_rd_optional(&r, c.link.b, sizeof(c.link.b));
    c.has_thread = store_rd_optional(&r, c.thread.b, sizeof(c.thread.b));
    c.has_previous = store_rd_optional(&r, c.previous.b, sizeof(c.previous.b));
    c.number = proto_rd_u64(&r);
    c.created_ms = proto_rd_u64(&r);
    c.activity = proto_rd_u64(&r);
    c.msgs = proto_rd_u64(&r);
    c.last_msg = proto_rd_u64(&r);
    store_rd_phi(&r, mem, LIMIT_PHI_SHORT, &c.title);
    rd_ids(&r, mem, &c.contacts, &c.contacts_len);
    rd_ids(&r, mem, &c.regarding, &c.regarding_len);
    TRY(store_rd_done(&r));
    *out = c;
    return OK;
out:
    store_conv_clear(&c);
    return e;
}

enum err
store_conv_encode(const struct mem *mem, const struct store_conv *c,
                  struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 16);
    proto_wr_bin(&w, conv_id_view(&c->id));
    proto_wr_uint(&w, c->channel);
    proto_wr_uint(&w, c->box);
    proto_wr_bin(&w, VIEW_ARRAY(c->owner));
    proto_wr_uint(&w, c->flags);
    store_wr_optional(&w, c->has_link, link_id_view(&c->link));
    store_wr_optional(&w, c->has_thread, thread_id_view(&c->thread));
    store_wr_optional(&w, c->has_previous, conv_id_view(&c->previous));
    proto_wr_uint(&w, c->number);
    proto_wr_uint(&w, c->created_ms);
    proto_wr_uint(&w, c->activity);
    proto_wr_uint(&w, c->msgs);
    proto_wr_uint(&w, c->last_msg);
    store_wr_phi(&w, &c->title);
    wr_ids(&w, c->contacts, c->contacts_len);
    wr_ids(&w, c->regarding, c->regarding_len);
    return proto_wr_take(&w, out);
}

void
store_msg_clear(struct store_msg *m)
{
    bytes_free(&m->body);
    memset(m, 0, sizeof(*m));
}

enum err
store_msg_decode(const struct mem *mem, struct view in, struct store_msg *out)
{
    struct store_msg m = {0};
    struct proto_rd r = proto_rd_open(in);
    enum err e;

    proto_rd_array(&r, 12);
    m.pos = proto_rd_u64(&r);
    if (store_rd_optional(&r, m.id.b, sizeof(m.id.b)) &&
        message_id_is_zero(&m.id)) {
        proto_rd_fail(&r, ERR_FORMAT);
    }
    m.kind = proto_rd_u16(&r);
    m.state =
        (enum store_msg_state)proto_rd_uint(&r, STORE_MSG_STATE_COUNT_ - 1);
    m.flags = proto_rd_u32(&r);
    m.author = store_rd_actor(&r);
    m.at_ms = proto_rd_u64(&r);
    m.sent_ms = proto_rd_u64(&r);
    m.log_term = proto_rd_u64(&r);
    m.log_seq = proto_rd_u64(&r);
    m.about = proto_rd_u64(&r);
    store_rd_bytes(&r, mem, LIMIT_MSG_BODY, &m.body);
    TRY(store_rd_done(&r));
    *out = m;
    return OK;
out:
    store_msg_clear(&m);
    return e;
}

enum err
store_msg_encode(const struct mem *mem, const struct store_msg *m,
                 struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 12);
    proto_wr_uint(&w, m->pos);
    store_wr_optional(&w, !message_id_is_zero(&m->id), message_id_view(&m->id));
    proto_wr_uint(&w, m->kind);
    proto_wr_uint(&w, m->state);
    proto_wr_uint(&w, m->flags);
    store_wr_actor(&w, &m->author);
    proto_wr_uint(&w, m->at_ms);
    proto_wr_uint(&w, m->sent_ms);
    proto_wr_uint(&w, m->log_term);
    proto_wr_uint(&w, m->log_seq);
    proto_wr_uint(&w, m->about);
    proto_wr_bin(&w, view_of(&m->body));
    return proto_wr_take(&w, out);
}
