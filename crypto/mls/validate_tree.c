/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a leaf among others (validate.h, RFC 9420 7.3). */
#include "crypto/mls/validate.h"

/* More types in use at once than any member lists. */
enum {
    CREDENTIAL_TYPES_MAX = 16
};

enum err
mls_leaf_check_among(const struct mls_leaf_node *n, uint32_t index,
                     const struct mls_leaves *leaves, enum mls_rule *broken)
{
    enum err e = OK;

    for (uint32_t i = 0; i < leaves->count; i++) {
        const struct mls_leaf_node *other =
            i == index ? NULL : leaves->at(leaves->ctx, i);

        if (other == NULL) {
            continue;
        }
        /* RFC 9420 7.3 [leaf-credential-by-all] */
        TRY(mls_require(
            mls_u16s_has(other->capabilities.credentials, n->credential.type),
            MLS_RULE_LEAF_CREDENTIAL_BY_ALL, broken));
        /* RFC 9420 7.3 [leaf-credential-of-all] */
        TRY(mls_require(
            mls_u16s_has(n->capabilities.credentials, other->credential.type),
            MLS_RULE_LEAF_CREDENTIAL_OF_ALL, broken));
        /* RFC 9420 7.3 [leaf-signature-key-unique] */
        TRY(mls_require(!view_equal(n->signature_key, other->signature_key),
                        MLS_RULE_LEAF_SIGNATURE_KEY_UNIQUE, broken));
        /* RFC 9420 7.3 [leaf-encryption-key-unique] */
        TRY(mls_require(!view_equal(n->encryption_key, other->encryption_key),
                        MLS_RULE_LEAF_ENCRYPTION_KEY_UNIQUE, broken));
    }
out:
    return e;
}

static void
sift_down(struct view *keys, size_t root, size_t n)
{
    for (;;) {
        size_t child = 2 * root + 1;
        struct view t;

        if (child >= n) {
            return;
        }
        if (child + 1 < n && view_cmp(keys[child], keys[child + 1]) < 0) {
            child++;
        }
        if (view_cmp(keys[root], keys[child]) >= 0) {
            return;
        }
        t = keys[root];
        keys[root] = keys[child];
        keys[child] = t;
        root = child;
    }
}

bool
mls_keys_unique(struct view *keys, size_t n)
{
    /* heap sort: in place and n log n whatever the keys are */
    for (size_t i = n / 2; i > 0; i--) {
        sift_down(keys, i - 1, n);
    }
    for (size_t end = n; end > 1; end--) {
        struct view t = keys[0];

        keys[0] = keys[end - 1];
        keys[end - 1] = t;
        sift_down(keys, 0, end - 1);
    }
    for (size_t i = 1; i < n; i++) {
        if (view_equal(keys[i - 1], keys[i])) {
            return false;
        }
    }
    return true;
}

/* Every credential type in use must be listed by every leaf. */
static enum err
check_credentials(const struct mls_leaves *leaves, enum mls_rule *broken)
{
    enum err e = OK;
    uint16_t used[CREDENTIAL_TYPES_MAX];
    size_t n = 0;

    for (uint32_t i = 0; i < leaves->count; i++) {
        const struct mls_leaf_node *leaf = leaves->at(leaves->ctx, i);
        size_t k = 0;

        while (leaf != NULL && k < n && used[k] != leaf->credential.type) {
            k++;
        }
        if (leaf != NULL && k == n) {
            TRY(mls_require(n < CREDENTIAL_TYPES_MAX,
                            MLS_RULE_LEAF_CREDENTIAL_BY_ALL, broken));
            used[n++] = leaf->credential.type;
        }
    }
    for (uint32_t i = 0; i < leaves->count; i++) {
        const struct mls_leaf_node *leaf = leaves->at(leaves->ctx, i);

        for (size_t k = 0; leaf != NULL && k < n; k++) {
            TRY(mls_require(
                mls_u16s_has(leaf->capabilities.credentials, used[k]),
                MLS_RULE_LEAF_CREDENTIAL_BY_ALL, broken));
        }
    }
out:
    return e;
}

enum err
mls_leaves_check(const struct mem *mem, const struct mls_leaves *leaves,
                 struct mls_extensions group, enum mls_rule *broken)
{
    enum err e;
    size_t size = 2 * (size_t)leaves->count * sizeof(struct view);
    struct view *keys = size == 0 ? NULL : mem_alloc(mem, size);
    struct view *signature_keys = keys;
    struct view *encryption_keys;
    size_t n = 0;

    TRY(size > 0 && keys == NULL ? ERR_NOMEM : OK);
    encryption_keys = keys + leaves->count;
    for (uint32_t i = 0; i < leaves->count; i++) {
        const struct mls_leaf_node *leaf = leaves->at(leaves->ctx, i);

        if (leaf != NULL) {
            TRY(mls_leaf_check_group(leaf, group, broken));
            signature_keys[n] = leaf->signature_key;
            encryption_keys[n++] = leaf->encryption_key;
        }
    }
    TRY(check_credentials(leaves, broken));
    TRY(mls_require(mls_keys_unique(signature_keys, n),
                    MLS_RULE_LEAF_SIGNATURE_KEY_UNIQUE, broken));
    TRY(mls_require(mls_keys_unique(encryption_keys, n),
                    MLS_RULE_LEAF_ENCRYPTION_KEY_UNIQUE, broken));
out:
    mem_free(mem, keys, size);
    return e;
}
