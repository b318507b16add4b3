/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of leaf nodes, key packages and group infos; see framing.h. */
#include "crypto/mls/framing.h"

static struct view
leaf_label(void)
{
    return VIEW_LIT("LeafNodeTBS");
}

static struct view
key_package_label(void)
{
    return VIEW_LIT("KeyPackageTBS");
}

static struct view
group_info_label(void)
{
    return VIEW_LIT("GroupInfoTBS");
}

enum err
mls_leaf_node_sign(const struct mls_suite *s, const struct mem *mem,
                   const struct mls_leaf_node *n, struct view group_id,
                   uint32_t leaf_index, const struct prim_sign_key *key,
                   uint8_t sig_out[PRIM_SIG_MAX], size_t *sig_len_out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);

    mls_leaf_node_write_tbs(&w, n, group_id, leaf_index);
    TRY(w.e);
    TRY(mls_sign(s, mem, key, leaf_label(), proto_tls_wr_view(&w), sig_out,
                 sig_len_out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

enum err
mls_key_package_sign(const struct mls_suite *s, const struct mem *mem,
                     const struct mls_key_package *kp,
                     const struct prim_sign_key *key,
                     uint8_t sig_out[PRIM_SIG_MAX], size_t *sig_len_out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);

    mls_key_package_write_tbs(&w, kp);
    TRY(w.e);
    TRY(mls_sign(s, mem, key, key_package_label(), proto_tls_wr_view(&w),
                 sig_out, sig_len_out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

enum err
mls_group_info_sign(const struct mls_suite *s, const struct mem *mem,
                    const struct mls_group_info *x,
                    const struct prim_sign_key *key,
                    uint8_t sig_out[PRIM_SIG_MAX], size_t *sig_len_out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);

    mls_group_info_write_tbs(&w, x);
    TRY(w.e);
    TRY(mls_sign(s, mem, key, group_info_label(), proto_tls_wr_view(&w),
                 sig_out, sig_len_out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

enum err
mls_leaf_node_verify(const struct mls_suite *s, const struct mem *mem,
                     const struct mls_leaf_node *n, struct view group_id,
                     uint32_t leaf_index, enum mls_rule *broken)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);

    mls_leaf_node_write_tbs(&w, n, group_id, leaf_index);
    TRY(w.e);
    /* RFC 9420 7.3 [leaf-signature] */
    TRY(mls_require_ok(mls_verify(s, mem, n->signature_key, leaf_label(),
                                  proto_tls_wr_view(&w), n->signature),
                       ERR_AUTH, MLS_RULE_LEAF_SIGNATURE, broken));
out:
    proto_tls_wr_clear(&w);
    return e;
}

enum err
mls_key_package_verify(const struct mls_suite *s, const struct mem *mem,
                       const struct mls_key_package *kp, enum mls_rule *broken)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);

    mls_key_package_write_tbs(&w, kp);
    TRY(w.e);
    /* RFC 9420 10.1 [key-package-signature] */
    TRY(mls_require_ok(mls_verify(s, mem, kp->leaf_node.signature_key,
                                  key_package_label(), proto_tls_wr_view(&w),
                                  kp->signature),
                       ERR_AUTH, MLS_RULE_KEY_PACKAGE_SIGNATURE, broken));
out:
    proto_tls_wr_clear(&w);
    return e;
}

enum err
mls_group_info_verify(const struct mls_suite *s, const struct mem *mem,
                      const struct mls_group_info *x, struct view key,
                      enum mls_rule *broken)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);

    mls_group_info_write_tbs(&w, x);
    TRY(w.e);
    /* RFC 9420 12.4.3 [group-info-signature] */
    TRY(mls_require_ok(mls_verify(s, mem, key, group_info_label(),
                                  proto_tls_wr_view(&w), x->signature),
                       ERR_AUTH, MLS_RULE_GROUP_INFO_SIGNATURE, broken));
out:
    proto_tls_wr_clear(&w);
    return e;
}
