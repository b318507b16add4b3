/* SPDX-License-Identifier: Apache-2.0 */
/* GroupContext, GroupInfo, GroupSecrets and Welcome, declared in message.h. */
#include "crypto/mls/array.h"
#include "crypto/mls/message.h"
#include "proto/base/limits.h"

#include <string.h>

void
mls_group_context_read(struct proto_tls_rd *r, struct mls_group_context *out)
{
    struct view start = r->left;

    out->version = proto_tls_rd_u16(r);
    out->suite = proto_tls_rd_u16(r);
    out->group_id = proto_tls_rd_vec(r);
    out->epoch = proto_tls_rd_u64(r);
    out->tree_hash = proto_tls_rd_vec(r);
    out->confirmed_transcript_hash = proto_tls_rd_vec(r);
    mls_extensions_read(r, &out->extensions);
    out->encoded = mls_rd_since(r, start);
}

enum err
mls_group_context_decode(struct view in, struct mls_group_context *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);

    memset(out, 0, sizeof(*out));
    mls_group_context_read(&r, out);
    return proto_tls_rd_end(&r);
}

void
mls_group_context_write(struct proto_tls_wr *w,
                        const struct mls_group_context *x)
{
    proto_tls_wr_u16(w, x->version);
    proto_tls_wr_u16(w, x->suite);
    proto_tls_wr_vec(w, x->group_id);
    proto_tls_wr_u64(w, x->epoch);
    proto_tls_wr_vec(w, x->tree_hash);
    proto_tls_wr_vec(w, x->confirmed_transcript_hash);
    mls_extensions_write(w, x->extensions);
}

void
mls_group_info_read(struct proto_tls_rd *r, struct mls_group_info *out)
{
    memset(out, 0, sizeof(*out));
    mls_group_context_read(r, &out->context);
    mls_extensions_read(r, &out->extensions);
    out->confirmation_tag = proto_tls_rd_vec(r);
    out->signer = proto_tls_rd_u32(r);
    out->signature = proto_tls_rd_vec(r);
}

enum err
mls_group_info_decode(struct view in, struct mls_group_info *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);

    mls_group_info_read(&r, out);
    return proto_tls_rd_end(&r);
}

void
mls_group_info_write_tbs(struct proto_tls_wr *w, const struct mls_group_info *x)
{
    mls_group_context_write(w, &x->context);
    mls_extensions_write(w, x->extensions);
    proto_tls_wr_vec(w, x->confirmation_tag);
    proto_tls_wr_u32(w, x->signer);
}

void
mls_group_info_write(struct proto_tls_wr *w, const struct mls_group_info *x)
{
    mls_group_info_write_tbs(w, x);
    proto_tls_wr_vec(w, x->signature);
}

enum err
mls_group_secrets_decode(struct arena *a, struct view in,
                         struct mls_group_secrets *out)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);

    memset(out, 0, sizeof(*out));
    out->joiner_secret = proto_tls_rd_vec(&r);
    out->has_path_secret = proto_tls_rd_optional(&r);
    if (out->has_path_secret) {
        out->path_secret = proto_tls_rd_vec(&r);
    }
    mls_psk_ids_read(&r, a, &out->psks);
    return proto_tls_rd_end(&r);
}

void
mls_group_secrets_write(struct proto_tls_wr *w,
                        const struct mls_group_secrets *x)
{
    proto_tls_wr_vec(w, x->joiner_secret);
    proto_tls_wr_optional(w, x->has_path_secret);
    if (x->has_path_secret) {
        proto_tls_wr_vec(w, x->path_secret);
    }
    mls_psk_ids_write(w, &x->psks);
}

void
mls_welcome_read(struct proto_tls_rd *r, struct arena *a,
                 struct mls_welcome *out)
{
    struct mls_array secrets = {.size =
                                    sizeof(struct mls_encrypted_group_secrets),
                                .max = LIMIT_MLS_LEAVES};
    struct proto_tls_rd list;

    out->suite = proto_tls_rd_u16(r);
    list = proto_tls_rd_sub(r);
    while (proto_tls_rd_more(&list)) {
        struct mls_encrypted_group_secrets *item =
            mls_array_add(&list, a, &secrets);

        if (item != NULL) {
            item->new_member = proto_tls_rd_vec(&list);
            mls_hpke_ciphertext_read(&list, &item->secrets);
        }
    }
    mls_rd_join(r, &list);
    out->secrets = secrets.items;
    out->count = secrets.count;
    out->group_info = proto_tls_rd_vec(r);
}

void
mls_welcome_write(struct proto_tls_wr *w, const struct mls_welcome *x)
{
    size_t at;

    proto_tls_wr_u16(w, x->suite);
    at = proto_tls_wr_begin(w);
    for (uint32_t i = 0; i < x->count; i++) {
        proto_tls_wr_vec(w, x->secrets[i].new_member);
        mls_hpke_ciphertext_write(w, &x->secrets[i].secrets);
    }
    proto_tls_wr_end_vec(w, at);
    proto_tls_wr_vec(w, x->group_info);
}
