/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/ext.h"

#include "crypto/mls/array.h"
#include "proto/base/assert.h"
#include "proto/base/limits.h"

size_t
mls_u16s_count(struct mls_u16s list)
{
    return list.raw.len / 2;
}

uint16_t
mls_u16s_at(struct mls_u16s list, size_t i)
{
    ASSERT(i < mls_u16s_count(list));
    return (uint16_t)(list.raw.p[2 * i] << 8 | list.raw.p[2 * i + 1]);
}

bool
mls_u16s_has(struct mls_u16s list, uint16_t value)
{
    for (size_t i = 0; i < mls_u16s_count(list); i++) {
        if (mls_u16s_at(list, i) == value) {
            return true;
        }
    }
    return false;
}

void
mls_u16s_read(struct proto_tls_rd *r, struct mls_u16s *out)
{
    out->raw = proto_tls_rd_vec(r);
    if (out->raw.len % 2 != 0) {
        proto_tls_rd_fail(r, ERR_FORMAT);
    } else if (mls_u16s_count(*out) > LIMIT_MLS_CAPABILITIES) {
        proto_tls_rd_fail(r, ERR_LIMIT);
    }
}

void
mls_u16s_write(struct proto_tls_wr *w, struct mls_u16s list)
{
    proto_tls_wr_vec(w, list.raw);
}

static void
read_extension(struct proto_tls_rd *r, struct mls_extension *out)
{
    out->type = proto_tls_rd_u16(r);
    out->data = proto_tls_rd_vec(r);
}

bool
mls_extensions_next(struct mls_extensions *it, struct mls_extension *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(it->raw);

    if (!proto_tls_rd_more(&r)) {
        return false;
    }
    read_extension(&r, out);
    it->raw = r.left;
    return r.e == OK;
}

bool
mls_extensions_find(struct mls_extensions x, uint16_t type,
                    struct mls_extension *out)
{
    while (mls_extensions_next(&x, out)) {
        if (out->type == type) {
            return true;
        }
    }
    return false;
}

bool
mls_extensions_twice(struct mls_extensions x)
{
    struct mls_extension ext;
    struct mls_extension other;

    while (mls_extensions_next(&x, &ext)) {
        if (mls_extensions_find(x, ext.type, &other)) {
            return true;
        }
    }
    return false;
}

bool
mls_extension_is_default(uint16_t type)
{
    return type >= MLS_EXT_APPLICATION_ID && type <= MLS_EXT_EXTERNAL_SENDERS;
}

void
mls_extension_write(struct proto_tls_wr *w, uint16_t type, struct view data)
{
    proto_tls_wr_u16(w, type);
    proto_tls_wr_vec(w, data);
}

enum err
mls_extensions_from(struct view raw, struct mls_extensions *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(raw);
    struct mls_extension ext;
    uint32_t count = 0;
    enum err e;

    while (proto_tls_rd_more(&r)) {
        read_extension(&r, &ext);
        if (++count > LIMIT_MLS_EXTENSIONS) {
            proto_tls_rd_fail(&r, ERR_LIMIT);
        }
    }
    e = proto_tls_rd_end(&r);
    if (e == OK) {
        out->raw = raw;
    }
    return e;
}

void
mls_extensions_read(struct proto_tls_rd *r, struct mls_extensions *out)
{
    enum err e = mls_extensions_from(proto_tls_rd_vec(r), out);

    if (e != OK) {
        proto_tls_rd_fail(r, e);
    }
}

void
mls_extensions_write(struct proto_tls_wr *w, struct mls_extensions x)
{
    proto_tls_wr_vec(w, x.raw);
}

void
mls_credential_read(struct proto_tls_rd *r, struct mls_credential *out)
{
    out->type = proto_tls_rd_u16(r);
    out->data = proto_tls_rd_vec(r);
    if (out->type == MLS_CREDENTIAL_X509) {
        struct proto_tls_rd certs = proto_tls_rd_open(out->data);

        while (proto_tls_rd_more(&certs)) {
            proto_tls_rd_vec(&certs);
        }
        mls_rd_join(r, &certs);
    }
}

void
mls_credential_write(struct proto_tls_wr *w, const struct mls_credential *c)
{
    proto_tls_wr_u16(w, c->type);
    proto_tls_wr_vec(w, c->data);
}

enum err
mls_required_capabilities_decode(struct view in,
                                 struct mls_required_capabilities *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);

    mls_u16s_read(&r, &out->extensions);
    mls_u16s_read(&r, &out->proposals);
    mls_u16s_read(&r, &out->credentials);
    return proto_tls_rd_end(&r);
}

void
mls_required_capabilities_write(struct proto_tls_wr *w,
                                const struct mls_required_capabilities *x)
{
    mls_u16s_write(w, x->extensions);
    mls_u16s_write(w, x->proposals);
    mls_u16s_write(w, x->credentials);
}

enum err
mls_external_pub_decode(struct view in, struct view *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);

    *out = proto_tls_rd_vec(&r);
    return proto_tls_rd_end(&r);
}

void
mls_external_pub_write(struct proto_tls_wr *w, struct view key)
{
    proto_tls_wr_vec(w, key);
}

/* Walk the senders; *out is the one at index, when there are so many. */
static enum err
walk_senders(struct view in, uint32_t index, struct mls_external_sender *out,
             uint32_t *count_out)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);
    struct proto_tls_rd list = proto_tls_rd_sub(&r);
    uint32_t count = 0;

    while (proto_tls_rd_more(&list)) {
        struct mls_external_sender sender;

        sender.signature_key = proto_tls_rd_vec(&list);
        mls_credential_read(&list, &sender.credential);
        if (count++ == index) {
            *out = sender;
        }
        if (count > LIMIT_MLS_EXTERNAL_SENDERS) {
            proto_tls_rd_fail(&list, ERR_LIMIT);
        }
    }
    mls_rd_join(&r, &list);
    *count_out = count;
    return proto_tls_rd_end(&r);
}

enum err
mls_external_senders_at(struct view in, uint32_t index,
                        struct mls_external_sender *out)
{
    struct mls_external_sender sender;
    uint32_t count;
    enum err e = walk_senders(in, index, &sender, &count);

    if (e != OK) {
        return e;
    }
    if (index >= count) {
        return ERR_MISSING;
    }
    *out = sender;
    return OK;
}

enum err
mls_external_senders_check(struct view in, uint32_t *count_out)
{
    struct mls_external_sender sender;
    uint32_t count;
    enum err e = walk_senders(in, UINT32_MAX, &sender, &count);

    if (e == OK && count_out != NULL) {
        *count_out = count;
    }
    return e;
}

void
mls_external_senders_write(struct proto_tls_wr *w,
                           const struct mls_external_sender *items,
                           uint32_t count)
{
    size_t at = proto_tls_wr_begin(w);

    for (uint32_t i = 0; i < count; i++) {
        proto_tls_wr_vec(w, items[i].signature_key);
        mls_credential_write(w, &items[i].credential);
    }
    proto_tls_wr_end_vec(w, at);
}
