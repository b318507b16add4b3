/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every decoder of an MLS wire struct.  The first byte says which; the rest is
 * decoded, and what decodes must encode to the same bytes.  What stands alone
 * is also validated, for the sake of the code that walks it.
 */
#include "crypto/mls/validate.h"
#include "proto/base/assert.h"
#include "proto/base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum kind {
    MESSAGE,
    LEAF,
    KEY_PACKAGE,
    PROPOSAL,
    COMMIT,
    UPDATE_PATH,
    AUTHENTICATED,
    GROUP_CONTEXT,
    GROUP_INFO,
    GROUP_SECRETS,
    REQUIRED,
    EXTERNAL_PUB,
    EXTERNAL_SENDERS,
    EXTENSIONS,
    KINDS
};

static enum err
message(struct arena *a, struct view in, struct proto_tls_wr *w)
{
    struct mls_message m;
    enum mls_rule broken = MLS_RULE_NONE;
    enum err e = mls_message_decode(a, in, &m, &broken);

    ASSERT(e == OK || e == mls_rule_err(broken));
    if (e == OK) {
        mls_message_write(w, &m);
    }
    return e;
}

static enum err
leaf(struct view in, struct proto_tls_wr *w)
{
    struct mls_leaf_node n;
    const struct mls_suite *s = mls_suite_find(MLS_SUITE_X25519_CHACHA20);
    enum err e = mls_leaf_node_decode(in, &n);

    if (e == OK) {
        mls_leaf_node_write(w, &n);
        ERR_IGNORE(mls_leaf_check_any(s, &n, NULL), "either way is fine");
        ERR_IGNORE(mls_leaf_check_group(&n, n.extensions, NULL), "likewise");
    }
    return e;
}

static enum err
key_package(struct view in, struct proto_tls_wr *w)
{
    struct mls_key_package kp;
    const struct mls_suite *s = mls_suite_find(MLS_SUITE_X25519_CHACHA20);
    enum err e = mls_key_package_decode(in, &kp);

    if (e == OK) {
        mls_key_package_write(w, &kp);
        ERR_IGNORE(mls_key_package_validate(s, mem_heap(), &kp, NULL),
                   "either way is fine");
    }
    return e;
}

static enum err
group_info(struct view in, struct proto_tls_wr *w)
{
    struct mls_group_info x;
    const struct mls_suite *s = mls_suite_find(MLS_SUITE_X25519_CHACHA20);
    enum err e = mls_group_info_decode(in, &x);

    if (e == OK) {
        mls_group_info_write(w, &x);
        ERR_IGNORE(mls_group_info_check(s, &x, NULL), "either way is fine");
    }
    return e;
}

static enum err
external_senders(struct view in, struct proto_tls_wr *w)
{
    struct mls_external_sender items[LIMIT_MLS_EXTERNAL_SENDERS];
    uint32_t count;
    enum err e = mls_external_senders_check(in, &count);

    if (e == OK) {
        for (uint32_t i = 0; i < count; i++) {
            ASSERT(mls_external_senders_at(in, i, &items[i]) == OK);
        }
        ASSERT(mls_external_senders_at(in, count, &items[0]) == ERR_MISSING);
        mls_external_senders_write(w, items, count);
    }
    return e;
}

static enum err
extensions(struct view in, struct proto_tls_wr *w)
{
    struct mls_extensions x;
    struct mls_extension ext;
    enum err e = mls_extensions_from(in, &x);

    if (e == OK) {
        (void)mls_extensions_twice(x);
        ERR_IGNORE(mls_group_extensions_check(x, NULL), "either way is fine");
        while (mls_extensions_next(&x, &ext)) {
            mls_extension_write(w, ext.type, ext.data);
        }
    }
    return e;
}

/* The structs of a commit and what is signed or sealed. */
static enum err
contents(enum kind kind, struct arena *a, struct view in,
         struct proto_tls_wr *w)
{
    union {
        struct mls_proposal proposal;
        struct mls_commit commit;
        struct mls_update_path path;
        struct mls_authenticated auth;
        struct mls_group_context context;
        struct mls_group_secrets secrets;
    } x;
    enum err e = ERR_FORMAT;

    if (kind == PROPOSAL &&
        (e = mls_proposal_decode(a, in, &x.proposal)) == OK) {
        mls_proposal_write(w, &x.proposal);
    } else if (kind == COMMIT &&
               (e = mls_commit_decode(a, in, &x.commit)) == OK) {
        mls_commit_write(w, &x.commit);
    } else if (kind == UPDATE_PATH &&
               (e = mls_update_path_decode(a, in, &x.path)) == OK) {
        mls_update_path_write(w, &x.path);
    } else if (kind == AUTHENTICATED &&
               (e = mls_authenticated_decode(a, in, &x.auth)) == OK) {
        x.auth.content.encoded = (struct view){0};
        mls_authenticated_write(w, &x.auth);
    } else if (kind == GROUP_CONTEXT &&
               (e = mls_group_context_decode(in, &x.context)) == OK) {
        mls_group_context_write(w, &x.context);
    } else if (kind == GROUP_SECRETS &&
               (e = mls_group_secrets_decode(a, in, &x.secrets)) == OK) {
        mls_group_secrets_write(w, &x.secrets);
    }
    return e;
}

static enum err
decode(enum kind kind, struct arena *a, struct view in, struct proto_tls_wr *w)
{
    struct mls_required_capabilities required;
    struct view key;
    enum err e;

    switch (kind) {
    case MESSAGE:
        return message(a, in, w);
    case LEAF:
        return leaf(in, w);
    case KEY_PACKAGE:
        return key_package(in, w);
    case GROUP_INFO:
        return group_info(in, w);
    case REQUIRED:
        e = mls_required_capabilities_decode(in, &required);
        if (e == OK) {
            mls_required_capabilities_write(w, &required);
        }
        return e;
    case EXTERNAL_PUB:
        e = mls_external_pub_decode(in, &key);
        if (e == OK) {
            mls_external_pub_write(w, key);
        }
        return e;
    case EXTERNAL_SENDERS:
        return external_senders(in, w);
    case EXTENSIONS:
        return extensions(in, w);
    case PROPOSAL:
    case COMMIT:
    case UPDATE_PATH:
    case AUTHENTICATED:
    case GROUP_CONTEXT:
    case GROUP_SECRETS:
    case KINDS:
    default:
        return contents(kind, a, in, w);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {.mem = mem_heap()};
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct view in;

    if (size == 0 || data[0] >= KINDS) {
        return -1;
    }
    in = view_make(data + 1, size - 1);
    if (decode((enum kind)data[0], &a, in, &w) == OK) {
        ASSERT(w.e == OK);
        ASSERT(view_equal(proto_tls_wr_view(&w), in));
    }
    proto_tls_wr_clear(&w);
    arena_clear(&a);
    return 0;
}
