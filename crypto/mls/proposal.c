/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/proposal.h"

#include "crypto/mls/array.h"
#include "proto/base/limits.h"

#include <string.h>

void
mls_psk_id_read(struct proto_tls_rd *r, struct mls_psk_id *out)
{
    uint8_t type = proto_tls_rd_u8(r);
    uint8_t usage;

    memset(out, 0, sizeof(*out));
    out->type = (enum mls_psk_type)type;
    switch (type) {
    case MLS_PSK_EXTERNAL:
        out->id = proto_tls_rd_vec(r);
        break;
    case MLS_PSK_RESUMPTION:
        usage = proto_tls_rd_u8(r);
        if (usage < MLS_PSK_APPLICATION || usage > MLS_PSK_BRANCH) {
            proto_tls_rd_fail(r, ERR_FORMAT);
        }
        out->usage = (enum mls_psk_usage)usage;
        out->group_id = proto_tls_rd_vec(r);
        out->epoch = proto_tls_rd_u64(r);
        break;
    default:
        proto_tls_rd_fail(r, ERR_FORMAT);
    }
    out->nonce = proto_tls_rd_vec(r);
}

void
mls_psk_id_write(struct proto_tls_wr *w, const struct mls_psk_id *x)
{
    proto_tls_wr_u8(w, (uint8_t)x->type);
    if (x->type == MLS_PSK_EXTERNAL) {
        proto_tls_wr_vec(w, x->id);
    } else {
        proto_tls_wr_u8(w, (uint8_t)x->usage);
        proto_tls_wr_vec(w, x->group_id);
        proto_tls_wr_u64(w, x->epoch);
    }
    proto_tls_wr_vec(w, x->nonce);
}

bool
mls_psk_id_equal(const struct mls_psk_id *a, const struct mls_psk_id *b)
{
    if (a->type != b->type || !view_equal(a->nonce, b->nonce)) {
        return false;
    }
    if (a->type == MLS_PSK_EXTERNAL) {
        return view_equal(a->id, b->id);
    }
    return a->usage == b->usage && a->epoch == b->epoch &&
           view_equal(a->group_id, b->group_id);
}

void
mls_psk_ids_read(struct proto_tls_rd *r, struct arena *a,
                 struct mls_psk_ids *out)
{
    struct mls_array psks = {.size = sizeof(struct mls_psk_id),
                             .max = LIMIT_MLS_PSKS};
    struct proto_tls_rd list = proto_tls_rd_sub(r);

    while (proto_tls_rd_more(&list)) {
        struct mls_psk_id *psk = mls_array_add(&list, a, &psks);

        if (psk != NULL) {
            mls_psk_id_read(&list, psk);
        }
    }
    mls_rd_join(r, &list);
    *out = (struct mls_psk_ids){psks.items, psks.count};
}

void
mls_psk_ids_write(struct proto_tls_wr *w, const struct mls_psk_ids *x)
{
    size_t at = proto_tls_wr_begin(w);

    for (uint32_t i = 0; i < x->count; i++) {
        mls_psk_id_write(w, &x->items[i]);
    }
    proto_tls_wr_end_vec(w, at);
}

bool
mls_proposal_is_default(uint16_t type)
{
    return type >= MLS_PROPOSAL_ADD &&
           type <= MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS;
}

static void
read_add(struct proto_tls_rd *r, struct arena *a, struct mls_proposal *out)
{
    struct mls_key_package *kp = arena_alloc(a, sizeof(*kp));

    if (kp == NULL) {
        proto_tls_rd_fail(r, ERR_NOMEM);
        return;
    }
    mls_key_package_read(r, kp);
    out->u.add = kp;
}

static void
read_update(struct proto_tls_rd *r, struct arena *a, struct mls_proposal *out)
{
    struct mls_leaf_node *leaf = arena_alloc(a, sizeof(*leaf));

    if (leaf == NULL) {
        proto_tls_rd_fail(r, ERR_NOMEM);
        return;
    }
    mls_leaf_node_read(r, leaf);
    out->u.update = leaf;
}

static void
read_reinit(struct proto_tls_rd *r, struct mls_reinit *out)
{
    out->group_id = proto_tls_rd_vec(r);
    out->version = proto_tls_rd_u16(r);
    out->suite = proto_tls_rd_u16(r);
    mls_extensions_read(r, &out->extensions);
}

static void
write_reinit(struct proto_tls_wr *w, const struct mls_reinit *x)
{
    proto_tls_wr_vec(w, x->group_id);
    proto_tls_wr_u16(w, x->version);
    proto_tls_wr_u16(w, x->suite);
    mls_extensions_write(w, x->extensions);
}

void
mls_proposal_read(struct proto_tls_rd *r, struct arena *a,
                  struct mls_proposal *out)
{
    memset(out, 0, sizeof(*out));
    out->type = proto_tls_rd_u16(r);
    switch (out->type) {
    case MLS_PROPOSAL_ADD:
        read_add(r, a, out);
        break;
    case MLS_PROPOSAL_UPDATE:
        read_update(r, a, out);
        break;
    case MLS_PROPOSAL_REMOVE:
        out->u.remove = proto_tls_rd_u32(r);
        break;
    case MLS_PROPOSAL_PSK:
        mls_psk_id_read(r, &out->u.psk);
        break;
    case MLS_PROPOSAL_REINIT:
        read_reinit(r, &out->u.reinit);
        break;
    case MLS_PROPOSAL_EXTERNAL_INIT:
        out->u.kem_output = proto_tls_rd_vec(r);
        break;
    case MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS:
        mls_extensions_read(r, &out->u.extensions);
        break;
    default:
        out->u.unknown = proto_tls_rd_vec(r);
    }
}

enum err
mls_proposal_decode(struct arena *a, struct view in, struct mls_proposal *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);

    mls_proposal_read(&r, a, out);
    return proto_tls_rd_end(&r);
}

void
mls_proposal_write(struct proto_tls_wr *w, const struct mls_proposal *p)
{
    proto_tls_wr_u16(w, p->type);
    switch (p->type) {
    case MLS_PROPOSAL_ADD:
        mls_key_package_write(w, p->u.add);
        break;
    case MLS_PROPOSAL_UPDATE:
        mls_leaf_node_write(w, p->u.update);
        break;
    case MLS_PROPOSAL_REMOVE:
        proto_tls_wr_u32(w, p->u.remove);
        break;
    case MLS_PROPOSAL_PSK:
        mls_psk_id_write(w, &p->u.psk);
        break;
    case MLS_PROPOSAL_REINIT:
        write_reinit(w, &p->u.reinit);
        break;
    case MLS_PROPOSAL_EXTERNAL_INIT:
        proto_tls_wr_vec(w, p->u.kem_output);
        break;
    case MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS:
        mls_extensions_write(w, p->u.extensions);
        break;
    default:
        proto_tls_wr_vec(w, p->u.unknown);
    }
}

void
mls_hpke_ciphertext_read(struct proto_tls_rd *r,
                         struct mls_hpke_ciphertext *out)
{
    out->kem_output = proto_tls_rd_vec(r);
    out->ciphertext = proto_tls_rd_vec(r);
}

void
mls_hpke_ciphertext_write(struct proto_tls_wr *w,
                          const struct mls_hpke_ciphertext *x)
{
    proto_tls_wr_vec(w, x->kem_output);
    proto_tls_wr_vec(w, x->ciphertext);
}

static void
read_path_node(struct proto_tls_rd *r, struct arena *a,
               struct mls_update_path_node *out)
{
    struct mls_array secrets = {.size = sizeof(struct mls_hpke_ciphertext),
                                .max = LIMIT_MLS_LEAVES};
    struct proto_tls_rd list;

    out->encryption_key = proto_tls_rd_vec(r);
    list = proto_tls_rd_sub(r);
    while (proto_tls_rd_more(&list)) {
        struct mls_hpke_ciphertext *item = mls_array_add(&list, a, &secrets);

        if (item != NULL) {
            mls_hpke_ciphertext_read(&list, item);
        }
    }
    mls_rd_join(r, &list);
    out->secrets = secrets.items;
    out->count = secrets.count;
}

void
mls_update_path_read(struct proto_tls_rd *r, struct arena *a,
                     struct mls_update_path *out)
{
    struct mls_array nodes = {.size = sizeof(struct mls_update_path_node),
                              .max = LIMIT_MLS_PATH};
    struct proto_tls_rd list;

    mls_leaf_node_read(r, &out->leaf_node);
    list = proto_tls_rd_sub(r);
    while (proto_tls_rd_more(&list)) {
        struct mls_update_path_node *node = mls_array_add(&list, a, &nodes);

        if (node != NULL) {
            read_path_node(&list, a, node);
        }
    }
    mls_rd_join(r, &list);
    out->nodes = nodes.items;
    out->count = nodes.count;
}

enum err
mls_update_path_decode(struct arena *a, struct view in,
                       struct mls_update_path *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);

    mls_update_path_read(&r, a, out);
    return proto_tls_rd_end(&r);
}

static void
write_path_node(struct proto_tls_wr *w, const struct mls_update_path_node *x)
{
    size_t at;

    proto_tls_wr_vec(w, x->encryption_key);
    at = proto_tls_wr_begin(w);
    for (uint32_t i = 0; i < x->count; i++) {
        mls_hpke_ciphertext_write(w, &x->secrets[i]);
    }
    proto_tls_wr_end_vec(w, at);
}

void
mls_update_path_write(struct proto_tls_wr *w, const struct mls_update_path *x)
{
    size_t at;

    mls_leaf_node_write(w, &x->leaf_node);
    at = proto_tls_wr_begin(w);
    for (uint32_t i = 0; i < x->count; i++) {
        write_path_node(w, &x->nodes[i]);
    }
    proto_tls_wr_end_vec(w, at);
}

static void
read_proposal_or_ref(struct proto_tls_rd *r, struct arena *a,
                     struct mls_proposal_or_ref *out)
{
    uint8_t type = proto_tls_rd_u8(r);

    switch (type) {
    case MLS_BY_VALUE:
        mls_proposal_read(r, a, &out->u.proposal);
        break;
    case MLS_BY_REFERENCE:
        out->u.reference = proto_tls_rd_vec(r);
        break;
    default:
        proto_tls_rd_fail(r, ERR_FORMAT);
        return;
    }
    out->type = (enum mls_proposal_or_ref_type)type;
}

void
mls_commit_read(struct proto_tls_rd *r, struct arena *a, struct mls_commit *out)
{
    struct mls_array proposals = {.size = sizeof(struct mls_proposal_or_ref),
                                  .max = LIMIT_MLS_PROPOSALS};
    struct proto_tls_rd list = proto_tls_rd_sub(r);
    struct mls_update_path *path = NULL;

    while (proto_tls_rd_more(&list)) {
        struct mls_proposal_or_ref *item = mls_array_add(&list, a, &proposals);

        if (item != NULL) {
            read_proposal_or_ref(&list, a, item);
        }
    }
    mls_rd_join(r, &list);
    if (proto_tls_rd_optional(r)) {
        path = arena_alloc(a, sizeof(*path));
        if (path == NULL) {
            proto_tls_rd_fail(r, ERR_NOMEM);
        } else {
            mls_update_path_read(r, a, path);
        }
    }
    *out = (struct mls_commit){proposals.items, proposals.count, path};
}

enum err
mls_commit_decode(struct arena *a, struct view in, struct mls_commit *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);

    mls_commit_read(&r, a, out);
    return proto_tls_rd_end(&r);
}

void
mls_commit_write(struct proto_tls_wr *w, const struct mls_commit *x)
{
    size_t at = proto_tls_wr_begin(w);

    for (uint32_t i = 0; i < x->count; i++) {
        proto_tls_wr_u8(w, (uint8_t)x->proposals[i].type);
        if (x->proposals[i].type == MLS_BY_VALUE) {
            mls_proposal_write(w, &x->proposals[i].u.proposal);
        } else {
            proto_tls_wr_vec(w, x->proposals[i].u.reference);
        }
    }
    proto_tls_wr_end_vec(w, at);
    proto_tls_wr_optional(w, x->path != NULL);
    if (x->path != NULL) {
        mls_update_path_write(w, x->path);
    }
}
