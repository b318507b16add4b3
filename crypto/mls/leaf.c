/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/leaf.h"

#include "crypto/mls/array.h"
#include "proto/base/assert.h"

#include <string.h>

void
mls_capabilities_read(struct proto_tls_rd *r, struct mls_capabilities *out)
{
    mls_u16s_read(r, &out->versions);
    mls_u16s_read(r, &out->suites);
    mls_u16s_read(r, &out->extensions);
    mls_u16s_read(r, &out->proposals);
    mls_u16s_read(r, &out->credentials);
}

void
mls_capabilities_write(struct proto_tls_wr *w, const struct mls_capabilities *c)
{
    mls_u16s_write(w, c->versions);
    mls_u16s_write(w, c->suites);
    mls_u16s_write(w, c->extensions);
    mls_u16s_write(w, c->proposals);
    mls_u16s_write(w, c->credentials);
}

static void
read_source(struct proto_tls_rd *r, struct mls_leaf_node *out)
{
    uint8_t source = proto_tls_rd_u8(r);

    switch (source) {
    case MLS_LEAF_KEY_PACKAGE:
        out->lifetime.not_before_s = proto_tls_rd_u64(r);
        out->lifetime.not_after_s = proto_tls_rd_u64(r);
        break;
    case MLS_LEAF_UPDATE:
        break;
    case MLS_LEAF_COMMIT:
        out->parent_hash = proto_tls_rd_vec(r);
        break;
    default:
        proto_tls_rd_fail(r, ERR_FORMAT);
        return;
    }
    out->source = (enum mls_leaf_source)source;
}

void
mls_leaf_node_read(struct proto_tls_rd *r, struct mls_leaf_node *out)
{
    struct view start = r->left;

    memset(out, 0, sizeof(*out));
    out->encryption_key = proto_tls_rd_vec(r);
    out->signature_key = proto_tls_rd_vec(r);
    mls_credential_read(r, &out->credential);
    mls_capabilities_read(r, &out->capabilities);
    read_source(r, out);
    mls_extensions_read(r, &out->extensions);
    out->signature = proto_tls_rd_vec(r);
    out->encoded = mls_rd_since(r, start);
}

enum err
mls_leaf_node_decode(struct view in, struct mls_leaf_node *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);

    mls_leaf_node_read(&r, out);
    return proto_tls_rd_end(&r);
}

static void
write_unsigned(struct proto_tls_wr *w, const struct mls_leaf_node *n)
{
    proto_tls_wr_vec(w, n->encryption_key);
    proto_tls_wr_vec(w, n->signature_key);
    mls_credential_write(w, &n->credential);
    mls_capabilities_write(w, &n->capabilities);
    proto_tls_wr_u8(w, (uint8_t)n->source);
    if (n->source == MLS_LEAF_KEY_PACKAGE) {
        proto_tls_wr_u64(w, n->lifetime.not_before_s);
        proto_tls_wr_u64(w, n->lifetime.not_after_s);
    } else if (n->source == MLS_LEAF_COMMIT) {
        proto_tls_wr_vec(w, n->parent_hash);
    }
    mls_extensions_write(w, n->extensions);
}

void
mls_leaf_node_write(struct proto_tls_wr *w, const struct mls_leaf_node *n)
{
    write_unsigned(w, n);
    proto_tls_wr_vec(w, n->signature);
}

void
mls_leaf_node_write_tbs(struct proto_tls_wr *w, const struct mls_leaf_node *n,
                        struct view group_id, uint32_t leaf_index)
{
    write_unsigned(w, n);
    if (n->source != MLS_LEAF_KEY_PACKAGE) {
        proto_tls_wr_vec(w, group_id);
        proto_tls_wr_u32(w, leaf_index);
    }
}

enum err
mls_leaf_new(const struct mem *mem, struct view encoded, struct mls_leaf **out)
{
    size_t size = sizeof(struct mls_leaf) + encoded.len;
    struct mls_leaf *leaf = mem_alloc(mem, size);
    struct view copy;
    enum err e;

    if (leaf == NULL) {
        return ERR_NOMEM;
    }
    copy = view_make(leaf + 1, encoded.len);
    if (encoded.len > 0) {
        memcpy(leaf + 1, encoded.p, encoded.len);
    }
    e = mls_leaf_node_decode(copy, &leaf->node);
    if (e != OK) {
        mem_free(mem, leaf, size);
        return e;
    }
    leaf->mem_ = mem;
    leaf->size_ = size;
    leaf->refs_ = 1;
    *out = leaf;
    return OK;
}

enum err
mls_leaf_copy(const struct mem *mem, const struct mls_leaf_node *n,
              struct mls_leaf **out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);
    struct bytes encoded = {0};

    mls_leaf_node_write(&w, n);
    TRY(proto_tls_wr_take(&w, &encoded));
    TRY(mls_leaf_new(mem, view_of(&encoded), out));
out:
    bytes_free(&encoded);
    return e;
}

struct mls_leaf *
mls_leaf_hold(struct mls_leaf *leaf)
{
    ASSERT(leaf->refs_ > 0 && leaf->refs_ < UINT32_MAX);
    leaf->refs_++;
    return leaf;
}

void
mls_leaf_drop(struct mls_leaf *leaf)
{
    if (leaf == NULL) {
        return;
    }
    ASSERT(leaf->refs_ > 0);
    if (--leaf->refs_ == 0) {
        mem_free(leaf->mem_, leaf, leaf->size_);
    }
}

void
mls_key_package_read(struct proto_tls_rd *r, struct mls_key_package *out)
{
    struct view start = r->left;

    memset(out, 0, sizeof(*out));
    out->version = proto_tls_rd_u16(r);
    out->suite = proto_tls_rd_u16(r);
    out->init_key = proto_tls_rd_vec(r);
    mls_leaf_node_read(r, &out->leaf_node);
    mls_extensions_read(r, &out->extensions);
    out->signature = proto_tls_rd_vec(r);
    out->encoded = mls_rd_since(r, start);
}

enum err
mls_key_package_decode(struct view in, struct mls_key_package *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);

    mls_key_package_read(&r, out);
    return proto_tls_rd_end(&r);
}

void
mls_key_package_write_tbs(struct proto_tls_wr *w,
                          const struct mls_key_package *kp)
{
    proto_tls_wr_u16(w, kp->version);
    proto_tls_wr_u16(w, kp->suite);
    proto_tls_wr_vec(w, kp->init_key);
    mls_leaf_node_write(w, &kp->leaf_node);
    mls_extensions_write(w, kp->extensions);
}

void
mls_key_package_write(struct proto_tls_wr *w, const struct mls_key_package *kp)
{
    mls_key_package_write_tbs(w, kp);
    proto_tls_wr_vec(w, kp->signature);
}
