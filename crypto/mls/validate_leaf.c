/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of one leaf, key package, extension list or GroupInfo (validate.h). */
#include "crypto/mls/validate.h"

static enum err
check_source(const struct mls_leaf_node *n, enum mls_leaf_source source,
             enum mls_rule *broken)
{
    /* RFC 9420 7.3 [leaf-source-key-package] [leaf-source-update]
     * [leaf-source-commit] */
    enum mls_rule rule = MLS_RULE_LEAF_SOURCE_KEY_PACKAGE;

    if (source == MLS_LEAF_UPDATE) {
        rule = MLS_RULE_LEAF_SOURCE_UPDATE;
    } else if (source == MLS_LEAF_COMMIT) {
        rule = MLS_RULE_LEAF_SOURCE_COMMIT;
    }
    return mls_require(n->source == source, rule, broken);
}

/* Whether every type of x is supported by caps or is a default one. */
static bool
extensions_listed(struct mls_extensions x, struct mls_u16s caps)
{
    struct mls_extension ext;

    while (mls_extensions_next(&x, &ext)) {
        if (!mls_extension_is_default(ext.type) &&
            !mls_u16s_has(caps, ext.type)) {
            return false;
        }
    }
    return true;
}

enum err
mls_leaf_check_any(const struct mls_suite *s, const struct mls_leaf_node *n,
                   enum mls_rule *broken)
{
    enum err e;
    const struct mls_capabilities *c = &n->capabilities;

    /* RFC 9420 10 [leaf-key-size] */
    TRY(mls_require(n->encryption_key.len == s->prim.kem_pub_size &&
                        n->signature_key.len == s->prim.sig_pub_size,
                    MLS_RULE_LEAF_KEY_SIZE, broken));
    /* RFC 9420 11.1 [leaf-version] */
    TRY(mls_require(mls_u16s_has(c->versions, MLS_VERSION_10),
                    MLS_RULE_LEAF_VERSION, broken));
    /* RFC 9420 11.1 [leaf-suite] */
    TRY(mls_require(mls_u16s_has(c->suites, s->id), MLS_RULE_LEAF_SUITE,
                    broken));
    /* RFC 9420 7.2 [leaf-credential-listed] */
    TRY(mls_require(mls_u16s_has(c->credentials, n->credential.type),
                    MLS_RULE_LEAF_CREDENTIAL_LISTED, broken));
    /* RFC 9420 7.3 [leaf-extension-listed] */
    TRY(mls_require(extensions_listed(n->extensions, c->extensions),
                    MLS_RULE_LEAF_EXTENSION_LISTED, broken));
    /* RFC 9420 13.4 [leaf-extension-twice] */
    TRY(mls_require(!mls_extensions_twice(n->extensions),
                    MLS_RULE_LEAF_EXTENSION_TWICE, broken));
out:
    return e;
}

enum err
mls_leaf_check(const struct mls_suite *s, const struct mls_leaf_node *n,
               enum mls_leaf_source source, enum mls_rule *broken)
{
    enum err e = check_source(n, source, broken);

    return e != OK ? e : mls_leaf_check_any(s, n, broken);
}

/* Whether caps has all of required that are not default. */
static bool
has_all(struct mls_u16s caps, struct mls_u16s required,
        bool (*is_default)(uint16_t type))
{
    for (size_t i = 0; i < mls_u16s_count(required); i++) {
        uint16_t type = mls_u16s_at(required, i);

        if ((is_default == NULL || !is_default(type)) &&
            !mls_u16s_has(caps, type)) {
            return false;
        }
    }
    return true;
}

static enum err
check_required(const struct mls_leaf_node *n, struct view data,
               enum mls_rule *broken)
{
    enum err e;
    const struct mls_capabilities *c = &n->capabilities;
    struct mls_required_capabilities required;

    TRY(mls_require(mls_required_capabilities_decode(data, &required) == OK,
                    MLS_RULE_GROUP_EXTENSION_FORMAT, broken));
    /* RFC 9420 7.3 [leaf-required-extension] */
    TRY(mls_require(
        has_all(c->extensions, required.extensions, mls_extension_is_default),
        MLS_RULE_LEAF_REQUIRED_EXTENSION, broken));
    /* RFC 9420 7.3 [leaf-required-proposal] */
    TRY(mls_require(
        has_all(c->proposals, required.proposals, mls_proposal_is_default),
        MLS_RULE_LEAF_REQUIRED_PROPOSAL, broken));
    /* RFC 9420 7.3 [leaf-required-credential] */
    TRY(mls_require(has_all(c->credentials, required.credentials, NULL),
                    MLS_RULE_LEAF_REQUIRED_CREDENTIAL, broken));
out:
    return e;
}

enum err
mls_leaf_check_group(const struct mls_leaf_node *n, struct mls_extensions group,
                     enum mls_rule *broken)
{
    enum err e;
    struct mls_extension ext;

    if (mls_extensions_find(group, MLS_EXT_REQUIRED_CAPABILITIES, &ext)) {
        TRY(check_required(n, ext.data, broken));
    }
    /* RFC 9420 13.4 [leaf-group-extension] */
    TRY(mls_require(extensions_listed(group, n->capabilities.extensions),
                    MLS_RULE_LEAF_GROUP_EXTENSION, broken));
out:
    return e;
}

enum err
mls_leaf_check_lifetime(const struct mls_leaf_node *n,
                        const struct mls_lifetime_policy *p,
                        enum mls_rule *broken)
{
    enum err e = OK;
    uint64_t from = n->lifetime.not_before_s;
    uint64_t to = n->lifetime.not_after_s;
    uint64_t early = p->now_s > p->skew_s ? p->now_s - p->skew_s : 0;
    uint64_t late =
        p->now_s < UINT64_MAX - p->skew_s ? p->now_s + p->skew_s : UINT64_MAX;

    if (n->source != MLS_LEAF_KEY_PACKAGE) {
        return OK;
    }
    /* RFC 9420 7.3 [leaf-lifetime] */
    TRY(mls_require(from <= to && from <= late && early <= to,
                    MLS_RULE_LEAF_LIFETIME, broken));
    /* RFC 9420 7.2 [leaf-lifetime-total] */
    TRY(mls_require(p->total_s == 0 || to - from <= p->total_s,
                    MLS_RULE_LEAF_LIFETIME_TOTAL, broken));
out:
    return e;
}

enum err
mls_key_package_validate(const struct mls_suite *s, const struct mem *mem,
                         const struct mls_key_package *kp,
                         enum mls_rule *broken)
{
    enum err e;
    const struct mls_leaf_node *n = &kp->leaf_node;

    /* RFC 9420 10.1 [key-package-version] */
    TRY(mls_require(kp->version == MLS_VERSION_10, MLS_RULE_KEY_PACKAGE_VERSION,
                    broken));
    /* RFC 9420 10.1 [key-package-suite] */
    TRY(mls_require(kp->suite == s->id, MLS_RULE_KEY_PACKAGE_SUITE, broken));
    /* RFC 9420 10 [key-package-init-key-size] */
    TRY(mls_require(kp->init_key.len == s->prim.kem_pub_size,
                    MLS_RULE_KEY_PACKAGE_INIT_KEY_SIZE, broken));
    TRY(mls_leaf_check(s, n, MLS_LEAF_KEY_PACKAGE, broken));
    /* RFC 9420 10.1 [key-package-init-key] */
    TRY(mls_require(!view_equal(kp->init_key, n->encryption_key),
                    MLS_RULE_KEY_PACKAGE_INIT_KEY, broken));
    /* RFC 9420 13.4 [key-package-extension-twice] */
    TRY(mls_require(!mls_extensions_twice(kp->extensions),
                    MLS_RULE_KEY_PACKAGE_EXTENSION_TWICE, broken));
    TRY(mls_leaf_node_verify(s, mem, n, (struct view){0}, 0, broken));
    TRY(mls_key_package_verify(s, mem, kp, broken));
out:
    return e;
}

enum err
mls_group_extensions_check(struct mls_extensions group, enum mls_rule *broken)
{
    enum err e;
    struct mls_extension ext;
    struct mls_required_capabilities required;

    /* RFC 9420 13.4 [group-extension-twice] */
    TRY(mls_require(!mls_extensions_twice(group),
                    MLS_RULE_GROUP_EXTENSION_TWICE, broken));
    /* RFC 9420 13.4 [group-extension-format] */
    if (mls_extensions_find(group, MLS_EXT_REQUIRED_CAPABILITIES, &ext)) {
        TRY(mls_require(mls_required_capabilities_decode(ext.data, &required) ==
                            OK,
                        MLS_RULE_GROUP_EXTENSION_FORMAT, broken));
    }
    if (mls_extensions_find(group, MLS_EXT_EXTERNAL_SENDERS, &ext)) {
        TRY(mls_require(mls_external_senders_check(ext.data, NULL) == OK,
                        MLS_RULE_GROUP_EXTENSION_FORMAT, broken));
    }
out:
    return e;
}

enum err
mls_group_info_check(const struct mls_suite *s, const struct mls_group_info *x,
                     enum mls_rule *broken)
{
    enum err e;
    struct mls_extension ext;
    struct view key;

    /* RFC 9420 12.4.3.1 [group-info-version] */
    TRY(mls_require(x->context.version == MLS_VERSION_10,
                    MLS_RULE_GROUP_INFO_VERSION, broken));
    /* RFC 9420 12.4.3.1 [group-info-suite] */
    TRY(mls_require(x->context.suite == s->id, MLS_RULE_GROUP_INFO_SUITE,
                    broken));
    /* RFC 9420 13.4 [group-info-extension-twice] */
    TRY(mls_require(!mls_extensions_twice(x->extensions),
                    MLS_RULE_GROUP_INFO_EXTENSION_TWICE, broken));
    /* RFC 9420 13.4 [group-info-extension-format] */
    if (mls_extensions_find(x->extensions, MLS_EXT_EXTERNAL_PUB, &ext)) {
        TRY(mls_require(mls_external_pub_decode(ext.data, &key) == OK &&
                            key.len == s->prim.kem_pub_size,
                        MLS_RULE_GROUP_INFO_EXTENSION_FORMAT, broken));
    }
    TRY(mls_group_extensions_check(x->context.extensions, broken));
out:
    return e;
}

enum err
mls_welcome_psks_check(const struct mls_suite *s,
                       const struct mls_psk_ids *psks,
                       enum mls_commit_kind *kind_out, enum mls_rule *broken)
{
    enum err e = OK;
    enum mls_commit_kind kind = MLS_COMMIT_NORMAL;

    for (uint32_t i = 0; i < psks->count; i++) {
        const struct mls_psk_id *psk = &psks->items[i];

        /* RFC 9420 12.1.4 [psk-nonce] */
        TRY(mls_require(psk->nonce.len == s->prim.hash_size, MLS_RULE_PSK_NONCE,
                        broken));
        if (psk->type == MLS_PSK_RESUMPTION &&
            psk->usage != MLS_PSK_APPLICATION) {
            /* RFC 9420 12.4.3.1 [welcome-psk-one] */
            TRY(mls_require(kind == MLS_COMMIT_NORMAL, MLS_RULE_WELCOME_PSK_ONE,
                            broken));
            kind = psk->usage == MLS_PSK_REINIT ? MLS_COMMIT_REINIT
                                                : MLS_COMMIT_BRANCH;
        }
    }
    *kind_out = kind;
out:
    return e;
}
