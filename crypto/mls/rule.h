/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every validation rule of MLS by name.  enum err says what a caller can do
 * about a refused message; enum mls_rule says which rule it broke, so that a
 * test can prove that each rule is the one that refuses its own message.
 *
 * A function that checks rules takes an `enum mls_rule *broken`, which may be
 * NULL.  It is written only when a rule is broken, together with a return value
 * of mls_rule_err(rule); other failures (no memory, the source of randomness)
 * leave it alone.  So set it to MLS_RULE_NONE first.
 *
 *     TRY(mls_require(sender < n, MLS_RULE_SENDER_LEAF, broken));
 *                                         RFC 9420 6 [sender-leaf]
 *
 * The place that enforces a rule carries its section and tag in a comment; the
 * test that breaks it carries the tag.  tools/check/tags.py holds both to it.
 */
#ifndef CRYPTO_MLS_RULE_H
#define CRYPTO_MLS_RULE_H

#include "proto/base/err.h"

#include <stdbool.h>

/*
 * X(NAME, "tag", "section of RFC 9420", the enum err that goes with it)
 * Add at the end of a group; the numbers are not stable, the tags are.
 */
/* clang-format off */
#define MLS_RULES_MESSAGE(X)                                                   \
    X(MESSAGE_FORMAT, "message-format", "6", ERR_FORMAT)                       \
    X(MESSAGE_SIZE, "message-size", "6", ERR_LIMIT)                            \
    X(MESSAGE_VERSION, "message-version", "6", ERR_UNSUPPORTED)                \
    X(WIRE_FORMAT, "wire-format", "6", ERR_UNSUPPORTED)                        \
    X(MESSAGE_GROUP, "message-group", "6", ERR_MISSING)                        \
    X(MESSAGE_EPOCH_PAST, "message-epoch-past", "12.4.2", ERR_STALE)           \
    X(MESSAGE_EPOCH_FUTURE, "message-epoch-future", "12.4.2", ERR_AGAIN)       \
    X(APPLICATION_PRIVATE, "application-private", "6", ERR_FORMAT)             \
    X(SENDER_LEAF, "sender-leaf", "6.1", ERR_INVALID)                          \
    X(SENDER_EXTERNAL_INDEX, "sender-external-index", "12.1.8.1", ERR_DENIED)  \
    X(SENDER_EXTERNAL_CONTENT, "sender-external-content", "6.1", ERR_FORMAT)   \
    X(SENDER_EXTERNAL_PROPOSAL, "sender-external-proposal", "12.1.8",          \
      ERR_DENIED)                                                              \
    X(SENDER_JOINER_COMMIT, "sender-joiner-commit", "6.1", ERR_FORMAT)         \
    X(SENDER_JOINER_ADD, "sender-joiner-add", "6.1", ERR_FORMAT)               \
    X(SIGNATURE, "signature", "6.1", ERR_AUTH)                                 \
    X(MEMBERSHIP_TAG, "membership-tag", "6.2", ERR_AUTH)                       \
    X(SENDER_DATA, "sender-data", "6.3.2", ERR_AUTH)                           \
    X(SENDER_DATA_LEAF, "sender-data-leaf", "6.3.2", ERR_INVALID)              \
    X(CIPHERTEXT, "ciphertext", "6.3.1", ERR_AUTH)                             \
    X(PADDING_ZERO, "padding-zero", "6.3.1", ERR_FORMAT)                       \
    X(CONTENT_FORMAT, "content-format", "6.3.1", ERR_FORMAT)                   \
    X(GENERATION_USED, "generation-used", "9.1", ERR_EXISTS)                   \
    X(GENERATION_FORWARD, "generation-forward", "15.3", ERR_LIMIT)             \
    X(OWN_MESSAGE, "own-message", "6.3", ERR_EXISTS)                           \
    X(GROUP_SUSPENDED, "group-suspended", "12.4.2", ERR_STATE)                 \
    X(MEMBER_REMOVED, "member-removed", "12.4.2", ERR_STATE)

#define MLS_RULES_LEAF(X)                                                      \
    X(LEAF_SIGNATURE, "leaf-signature", "7.3", ERR_AUTH)                       \
    X(LEAF_CREDENTIAL, "leaf-credential", "5.3.1", ERR_DENIED)                 \
    X(LEAF_KEY_SIZE, "leaf-key-size", "10", ERR_INVALID)                       \
    X(LEAF_VERSION, "leaf-version", "11.1", ERR_UNSUPPORTED)                   \
    X(LEAF_SUITE, "leaf-suite", "11.1", ERR_UNSUPPORTED)                       \
    X(LEAF_CREDENTIAL_LISTED, "leaf-credential-listed", "7.2", ERR_INVALID)    \
    X(LEAF_EXTENSION_LISTED, "leaf-extension-listed", "7.3", ERR_INVALID)      \
    X(LEAF_EXTENSION_TWICE, "leaf-extension-twice", "13.4", ERR_FORMAT)        \
    X(LEAF_REQUIRED_EXTENSION, "leaf-required-extension", "7.3",               \
      ERR_UNSUPPORTED)                                                         \
    X(LEAF_REQUIRED_PROPOSAL, "leaf-required-proposal", "7.3",                 \
      ERR_UNSUPPORTED)                                                         \
    X(LEAF_REQUIRED_CREDENTIAL, "leaf-required-credential", "7.3",             \
      ERR_UNSUPPORTED)                                                         \
    X(LEAF_GROUP_EXTENSION, "leaf-group-extension", "13.4", ERR_UNSUPPORTED)   \
    X(LEAF_CREDENTIAL_BY_ALL, "leaf-credential-by-all", "7.3",                 \
      ERR_UNSUPPORTED)                                                         \
    X(LEAF_CREDENTIAL_OF_ALL, "leaf-credential-of-all", "7.3",                 \
      ERR_UNSUPPORTED)                                                         \
    X(LEAF_LIFETIME, "leaf-lifetime", "7.3", ERR_STALE)                        \
    X(LEAF_LIFETIME_TOTAL, "leaf-lifetime-total", "7.2", ERR_LIMIT)            \
    X(LEAF_SOURCE_KEY_PACKAGE, "leaf-source-key-package", "7.3", ERR_INVALID)  \
    X(LEAF_SOURCE_UPDATE, "leaf-source-update", "7.3", ERR_INVALID)            \
    X(LEAF_SOURCE_COMMIT, "leaf-source-commit", "7.3", ERR_INVALID)            \
    X(LEAF_UPDATE_KEY, "leaf-update-key", "7.3", ERR_INVALID)                  \
    X(LEAF_COMMIT_KEY, "leaf-commit-key", "12.4.2", ERR_INVALID)               \
    X(LEAF_SIGNATURE_KEY_UNIQUE, "leaf-signature-key-unique", "7.3",           \
      ERR_INVALID)                                                             \
    X(LEAF_ENCRYPTION_KEY_UNIQUE, "leaf-encryption-key-unique", "7.3",         \
      ERR_INVALID)

#define MLS_RULES_KEY_PACKAGE(X)                                               \
    X(KEY_PACKAGE_VERSION, "key-package-version", "10.1", ERR_UNSUPPORTED)     \
    X(KEY_PACKAGE_SUITE, "key-package-suite", "10.1", ERR_UNSUPPORTED)         \
    X(KEY_PACKAGE_SIGNATURE, "key-package-signature", "10.1", ERR_AUTH)        \
    X(KEY_PACKAGE_INIT_KEY, "key-package-init-key", "10.1", ERR_INVALID)       \
    X(KEY_PACKAGE_INIT_KEY_SIZE, "key-package-init-key-size", "10",            \
      ERR_INVALID)                                                             \
    X(KEY_PACKAGE_EXTENSION_TWICE, "key-package-extension-twice", "13.4",      \
      ERR_FORMAT)

#define MLS_RULES_PROPOSAL(X)                                                  \
    X(REMOVE_LEAF, "remove-leaf", "12.1.3", ERR_INVALID)                       \
    X(UPDATE_SENDER, "update-sender", "12.1.2", ERR_INVALID)                   \
    X(PSK_REINIT, "psk-reinit", "12.1.4", ERR_INVALID)                         \
    X(PSK_BRANCH, "psk-branch", "12.1.4", ERR_INVALID)                         \
    X(PSK_NONCE, "psk-nonce", "12.1.4", ERR_INVALID)                           \
    X(PSK_AVAILABLE, "psk-available", "12.4.2", ERR_MISSING)                   \
    X(REINIT_VERSION, "reinit-version", "12.1.5", ERR_INVALID)                 \
    X(REINIT_EXTENSION_TWICE, "reinit-extension-twice", "13.4", ERR_FORMAT)    \
    X(GROUP_EXTENSION_TWICE, "group-extension-twice", "13.4", ERR_FORMAT)      \
    X(GROUP_EXTENSION_FORMAT, "group-extension-format", "13.4", ERR_FORMAT)    \
    X(GROUP_REQUIRED_SUPPORTED, "group-required-supported", "12.1.7",          \
      ERR_UNSUPPORTED)                                                         \
    X(GROUP_EXTENSION_SUPPORTED, "group-extension-supported", "13.4",          \
      ERR_UNSUPPORTED)                                                         \
    X(LIST_OWN_UPDATE, "list-own-update", "12.2", ERR_INVALID)                 \
    X(LIST_SELF_REMOVE, "list-self-remove", "12.2", ERR_INVALID)               \
    X(LIST_LEAF_TWICE, "list-leaf-twice", "12.2", ERR_INVALID)                 \
    X(LIST_CLIENT_TWICE, "list-client-twice", "12.2", ERR_INVALID)             \
    X(LIST_CLIENT_PRESENT, "list-client-present", "12.2", ERR_EXISTS)          \
    X(LIST_PSK_TWICE, "list-psk-twice", "12.2", ERR_INVALID)                   \
    X(LIST_GROUP_EXTENSIONS_TWICE, "list-group-extensions-twice", "12.2",      \
      ERR_INVALID)                                                             \
    X(LIST_REINIT_ALONE, "list-reinit-alone", "12.2", ERR_INVALID)             \
    X(LIST_EXTERNAL_INIT, "list-external-init", "12.2", ERR_INVALID)           \
    X(LIST_TYPE_SUPPORTED, "list-type-supported", "12.2", ERR_UNSUPPORTED)     \
    X(LIST_REFERENCE, "list-reference", "12.4", ERR_MISSING)                   \
    X(LIST_LEAVES, "list-leaves", "7.7", ERR_LIMIT)                            \
    X(EXTERNAL_ONE_INIT, "external-one-init", "12.2", ERR_INVALID)             \
    X(EXTERNAL_ONE_REMOVE, "external-one-remove", "12.2", ERR_INVALID)         \
    X(EXTERNAL_REMOVE_SELF, "external-remove-self", "12.2", ERR_DENIED)        \
    X(EXTERNAL_PROPOSAL_TYPE, "external-proposal-type", "12.2", ERR_INVALID)   \
    X(EXTERNAL_REFERENCE, "external-reference", "12.4.3.2", ERR_INVALID)       \
    X(EXTERNAL_PATH, "external-path", "12.4.3.2", ERR_INVALID)                 \
    X(EXTERNAL_KEM, "external-kem", "8.3", ERR_INVALID)

#define MLS_RULES_COMMIT(X)                                                    \
    X(COMMIT_PATH_REQUIRED, "commit-path-required", "12.4", ERR_INVALID)       \
    X(PATH_LENGTH, "path-length", "7.6", ERR_INVALID)                          \
    X(PATH_CIPHERTEXTS, "path-ciphertexts", "7.6", ERR_INVALID)                \
    X(PATH_KEY_SIZE, "path-key-size", "7.6", ERR_INVALID)                      \
    X(PATH_KEYS_UNIQUE, "path-keys-unique", "12.4.2", ERR_INVALID)             \
    X(PATH_PARENT_HASH, "path-parent-hash", "7.9.2", ERR_INVALID)              \
    X(PATH_DECRYPT, "path-decrypt", "7.6", ERR_AUTH)                           \
    X(PATH_SECRET_KEY, "path-secret-key", "7.5", ERR_AUTH)                     \
    X(CONFIRMATION_TAG, "confirmation-tag", "12.4.2", ERR_AUTH)

#define MLS_RULES_JOIN(X)                                                      \
    X(WELCOME_NEW_MEMBER, "welcome-new-member", "12.4.3.1", ERR_MISSING)       \
    X(WELCOME_SUITE, "welcome-suite", "12.4.3.1", ERR_UNSUPPORTED)             \
    X(WELCOME_SECRETS, "welcome-secrets", "12.4.3.1", ERR_AUTH)                \
    X(WELCOME_PSK_ONE, "welcome-psk-one", "12.4.3.1", ERR_INVALID)             \
    X(WELCOME_PSK_AVAILABLE, "welcome-psk-available", "12.4.3.1",              \
      ERR_MISSING)                                                             \
    X(WELCOME_GROUP_INFO, "welcome-group-info", "12.4.3.1", ERR_AUTH)          \
    X(GROUP_INFO_SUITE, "group-info-suite", "12.4.3.1", ERR_UNSUPPORTED)       \
    X(GROUP_INFO_VERSION, "group-info-version", "12.4.3.1", ERR_UNSUPPORTED)   \
    X(GROUP_INFO_GROUP_ID, "group-info-group-id", "12.4.3", ERR_EXISTS)        \
    X(GROUP_INFO_SIGNER, "group-info-signer", "12.4.3.1", ERR_INVALID)         \
    X(GROUP_INFO_SIGNATURE, "group-info-signature", "12.4.3", ERR_AUTH)        \
    X(GROUP_INFO_EXTENSION_TWICE, "group-info-extension-twice", "13.4",        \
      ERR_FORMAT)                                                              \
    X(GROUP_INFO_EXTENSION_FORMAT, "group-info-extension-format", "13.4",      \
      ERR_FORMAT)                                                              \
    X(GROUP_INFO_SUPPORTED, "group-info-supported", "13.4", ERR_UNSUPPORTED)   \
    X(GROUP_INFO_TREE, "group-info-tree", "12.4.3.3", ERR_MISSING)             \
    X(GROUP_INFO_EXTERNAL_PUB, "group-info-external-pub", "12.4.3.2",          \
      ERR_MISSING)                                                             \
    X(GROUP_INFO_CONFIRMATION, "group-info-confirmation", "12.4.3.1",          \
      ERR_AUTH)                                                                \
    X(TREE_FORMAT, "tree-format", "12.4.3.3", ERR_FORMAT)                      \
    X(TREE_TRAILING_BLANK, "tree-trailing-blank", "12.4.3.3", ERR_FORMAT)      \
    X(TREE_SIZE, "tree-size", "12.4.3.3", ERR_LIMIT)                           \
    X(TREE_HASH, "tree-hash", "12.4.3.1", ERR_AUTH)                            \
    X(TREE_PARENT_HASH, "tree-parent-hash", "7.9.2", ERR_INVALID)              \
    X(TREE_UNMERGED_SORTED, "tree-unmerged-sorted", "7.1", ERR_INVALID)        \
    X(TREE_UNMERGED_LEAF, "tree-unmerged-leaf", "12.4.3.1", ERR_INVALID)       \
    X(TREE_UNMERGED_BETWEEN, "tree-unmerged-between", "12.4.3.1", ERR_INVALID) \
    X(TREE_PARENT_KEY_UNIQUE, "tree-parent-key-unique", "12.4.3.1",            \
      ERR_INVALID)                                                             \
    X(TREE_PARENT_KEY_SIZE, "tree-parent-key-size", "7.1", ERR_INVALID)        \
    X(WELCOME_OWN_LEAF, "welcome-own-leaf", "12.4.3.1", ERR_MISSING)           \
    X(WELCOME_PATH_SECRET, "welcome-path-secret", "12.4.3.1", ERR_AUTH)        \
    X(WELCOME_EPOCH_ONE, "welcome-epoch-one", "12.4.3.1", ERR_INVALID)         \
    X(WELCOME_REINIT, "welcome-reinit", "12.4.3.1", ERR_INVALID)               \
    X(WELCOME_REINIT_MEMBERS, "welcome-reinit-members", "12.4.3.1",            \
      ERR_INVALID)                                                             \
    X(WELCOME_BRANCH, "welcome-branch", "12.4.3.1", ERR_INVALID)               \
    X(WELCOME_BRANCH_MEMBERS, "welcome-branch-members", "12.4.3.1",            \
      ERR_INVALID)

#define MLS_RULES(X)                                                           \
    MLS_RULES_MESSAGE(X)                                                       \
    MLS_RULES_LEAF(X)                                                          \
    MLS_RULES_KEY_PACKAGE(X)                                                   \
    MLS_RULES_PROPOSAL(X)                                                      \
    MLS_RULES_COMMIT(X)                                                        \
    MLS_RULES_JOIN(X)

#define MLS_RULE_VALUE(name, tag, section, err) MLS_RULE_##name,
enum mls_rule {
    MLS_RULE_NONE,
    MLS_RULES(MLS_RULE_VALUE)
    MLS_RULE_COUNT_ /* number of values, not a rule */
};
#undef MLS_RULE_VALUE
/* clang-format on */

/* The tag, such as "commit-path-required"; "none" for none.  Never NULL. */
const char *mls_rule_name(enum mls_rule rule);

/* The section of RFC 9420, such as "12.4.2"; "" for none.  Never NULL. */
const char *mls_rule_section(enum mls_rule rule);

/* The error that breaking this rule returns; OK for none. */
enum err mls_rule_err(enum mls_rule rule);

/* Sets *broken (may be NULL) to rule and returns its error. */
MUST_CHECK enum err mls_broken(enum mls_rule rule, enum mls_rule *broken);

/* OK when it holds, else as mls_broken. */
MUST_CHECK enum err mls_require(bool holds, enum mls_rule rule,
                                enum mls_rule *broken);

/*
 * Pass e on; when it is from (such as ERR_AUTH of a failed signature), it is
 * rule that was broken.  ERR_NOMEM and other failures pass unchanged.
 */
MUST_CHECK enum err mls_require_ok(enum err e, enum err from,
                                   enum mls_rule rule, enum mls_rule *broken);

#endif
