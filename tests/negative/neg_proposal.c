/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves, key packages and single proposals that break a rule (RFC 9420 7.3,
 * 10.1, 12.1, 13.4). */
#include "tests/negative/neg.h"

/* Alice adds a key package, with all rules off. */
static enum err
add(struct neg *n, enum neg_who who,
    enum err (*change)(struct neg *n, struct mls_key_package *kp),
    struct bytes *out)
{
    enum err e;
    struct bytes kp = {0};
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_ADD};

    TRY(neg_key_package(n, who, change, &kp));
    in.key_package = view_of(&kp);
    TRY(neg_commit_one(n, &in, 1, out));
out:
    bytes_free(&kp);
    return e;
}

/* A case that adds what CHANGE left of Dave's key package. */
#define ADD_CASE(name)                                     \
    static enum err name(struct neg *n, struct bytes *out) \
    {                                                      \
        return add(n, NEG_DAVE, change_##name, out);       \
    }                                                      \
    _Static_assert(true, "")

/* [leaf-signature] */
static enum err
change_leaf_signature(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->leaf_node.signature = VIEW_LIT("no signature");
    return OK;
}
ADD_CASE(leaf_signature);

/* [key-package-signature] */
static enum err
change_package_signature(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->signature = VIEW_LIT("no signature");
    return OK;
}
ADD_CASE(package_signature);

/* [leaf-credential] */
static enum err
mallory(struct neg *n, struct bytes *out)
{
    return add(n, NEG_MALLORY, NULL, out);
}

/* [leaf-key-size] */
static enum err
change_short_key(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->leaf_node.encryption_key.len--;
    return OK;
}
ADD_CASE(short_key);

/* [leaf-version] */
static enum err
change_leaf_version(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->leaf_node.capabilities.versions = MLS_U16S("\x00\x02");
    return OK;
}
ADD_CASE(leaf_version);

/* [leaf-suite] */
static enum err
change_leaf_suite(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->leaf_node.capabilities.suites = MLS_U16S("\x00\x02\x1a\x1a");
    return OK;
}
ADD_CASE(leaf_suite);

/* [leaf-credential-listed] */
static enum err
change_unlisted_credential(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->leaf_node.capabilities.credentials = MLS_U16S("\xf0\x03");
    return OK;
}
ADD_CASE(unlisted_credential);

/* [leaf-extension-listed] */
static enum err
change_unlisted_extension(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->leaf_node.extensions.raw = VIEW_LIT("\x0a\x0a\x00");
    return OK;
}
ADD_CASE(unlisted_extension);

/* [leaf-extension-twice] */
static enum err
change_extension_twice(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->leaf_node.extensions.raw = VIEW_LIT("\xf0\x01\x00\xf0\x01\x00");
    return OK;
}
ADD_CASE(extension_twice);

/* [leaf-credential-by-all] */
static enum err
change_new_credential_type(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->leaf_node.credential.type = 0xf009;
    kp->leaf_node.capabilities.credentials = MLS_U16S("\x00\x01\xf0\x09");
    return OK;
}
ADD_CASE(new_credential_type);

/* [leaf-credential-of-all]: of a type that all know, but it knows no other */
static enum err
change_knows_only_itself(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->leaf_node.credential.type = 0xf003;
    kp->leaf_node.capabilities.credentials = MLS_U16S("\xf0\x03");
    return OK;
}
ADD_CASE(knows_only_itself);

/* [leaf-source-key-package] */
static enum err
change_kp_source(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->leaf_node.source = MLS_LEAF_UPDATE;
    return OK;
}
ADD_CASE(kp_source);

/* [leaf-encryption-key-unique] */
static enum err
change_bobs_key(struct neg *n, struct mls_key_package *kp)
{
    kp->leaf_node.encryption_key =
        mls_tree_leaf(&n->alice->now->tree, NEG_BOB)->encryption_key;
    return OK;
}
ADD_CASE(bobs_key);

/* [key-package-version] */
static enum err
change_kp_version(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->version = 2;
    return OK;
}
ADD_CASE(kp_version);

/* [key-package-suite] */
static enum err
change_kp_suite(struct neg *n, struct mls_key_package *kp)
{
    kp->suite = n->suite == MLS_SUITE_X25519_CHACHA20
                    ? MLS_SUITE_X25519_AES128GCM
                    : MLS_SUITE_X25519_CHACHA20;
    return OK;
}
ADD_CASE(kp_suite);

/* [key-package-init-key] */
static enum err
change_init_key(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->init_key = kp->leaf_node.encryption_key;
    return OK;
}
ADD_CASE(init_key);

/* [key-package-extension-twice] */
static enum err
change_kp_extension_twice(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->extensions.raw = VIEW_LIT("\xf0\x01\x00\xf0\x01\x00");
    return OK;
}
ADD_CASE(kp_extension_twice);

/* [key-package-init-key-size]: nothing can be sealed to it, so by hand */
static enum err
change_short_init_key(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->init_key.len--;
    return OK;
}

static enum err
short_init_key(struct neg *n, struct bytes *out)
{
    enum err e;
    struct bytes kp = {0};
    struct mls_message m;
    struct mls_proposal p = {.type = MLS_PROPOSAL_ADD};

    TRY(neg_key_package(n, NEG_DAVE, change_short_init_key, &kp));
    TRY(mls_message_decode(&n->arena, view_of(&kp), &m, NULL));
    p.u.add = &m.u.key_package;
    TRY(neg_propose(n, NEG_ALICE, &p, out));
out:
    bytes_free(&kp);
    return e;
}

/* ------------------------------------------- against the group's extensions */

/* Everybody follows Alice to new GroupContext extensions. */
static enum err
set_extensions(struct neg *n, struct view raw)
{
    enum err e;
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS,
                                 .extensions = {raw}};
    struct mls_commit_opts opts = {.proposals = &in, .proposals_len = 1};
    struct mls_committed c = {0};
    struct mls_processed b = {0};

    TRY(mls_commit(n->alice, &opts, &c));
    TRY(mls_process(n->bob, view_of(&c.commit), &b));
    TRY(mls_merge(n->bob, &b.stage));
    TRY(mls_merge(n->alice, &c.stage));
out:
    mls_committed_clear(&c);
    mls_processed_clear(&b);
    return e;
}

/* Dave knows nothing beyond the RFC. */
static enum err
change_simple(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->leaf_node.capabilities.extensions = (struct mls_u16s){{0}};
    kp->leaf_node.capabilities.proposals = (struct mls_u16s){{0}};
    kp->leaf_node.capabilities.credentials = MLS_U16S("\x00\x01");
    return OK;
}

static enum err
simple_into(struct neg *n, struct view extensions, struct bytes *out)
{
    enum err e;

    TRY(set_extensions(n, extensions));
    TRY(add(n, NEG_DAVE, change_simple, out));
out:
    return e;
}

/* [leaf-required-extension] */
static enum err
lacks_extension(struct neg *n, struct bytes *out)
{
    return simple_into(n, VIEW_LIT("\x00\x03\x05\x02\xf0\x01\x00\x00"), out);
}

/* [leaf-required-proposal] */
static enum err
lacks_proposal(struct neg *n, struct bytes *out)
{
    return simple_into(n, VIEW_LIT("\x00\x03\x05\x00\x02\xf0\x02\x00"), out);
}

/* [leaf-required-credential] */
static enum err
lacks_credential(struct neg *n, struct bytes *out)
{
    return simple_into(n, VIEW_LIT("\x00\x03\x05\x00\x00\x02\xf0\x03"), out);
}

/* [leaf-group-extension] */
static enum err
lacks_group_extension(struct neg *n, struct bytes *out)
{
    return simple_into(n, VIEW_LIT("\xf0\x01\x00"), out);
}

/* ---------------------------------------------------------------- lifetimes */

/* [leaf-lifetime]: mandatory for who sends it, so Bob is asked to */
static enum err
change_expired(struct neg *n, struct mls_key_package *kp)
{
    (void)n;
    kp->leaf_node.lifetime = (struct mls_lifetime){1, 2};
    return OK;
}

static enum err
bob_adds_expired(struct neg *n, struct bytes *out)
{
    enum err e;
    struct bytes kp = {0};
    struct mls_committed c = {0};
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_ADD};
    struct mls_commit_opts opts = {.proposals = &in, .proposals_len = 1};

    (void)out;
    TRY(neg_key_package(n, NEG_DAVE, change_expired, &kp));
    in.key_package = view_of(&kp);
    TRY(mls_commit(n->bob, &opts, &c));
out:
    bytes_free(&kp);
    mls_committed_clear(&c);
    return e;
}

/* ------------------------------------------------------------------ updates */

/* Carol's Update, which change makes of her leaf. */
static enum err
update(struct neg *n, enum mls_leaf_source source, bool new_key,
       struct bytes *out)
{
    enum err e;
    struct mls_leaf_node leaf = *mls_tree_leaf(&n->carol->now->tree, NEG_CAROL);
    struct mls_proposal p = {.type = MLS_PROPOSAL_UPDATE,
                             .u = {.update = &leaf}};
    static const uint8_t KEY[32] = {77};

    leaf.source = source;
    if (new_key) {
        leaf.encryption_key = VIEW_ARRAY(KEY);
    }
    TRY(neg_sign_leaf(n, NEG_CAROL, NEG_CAROL, &leaf));
    TRY(neg_propose(n, NEG_CAROL, &p, out));
out:
    return e;
}

/* [leaf-source-update] */
static enum err
update_source(struct neg *n, struct bytes *out)
{
    return update(n, MLS_LEAF_COMMIT, true, out);
}

/* [leaf-update-key] */
static enum err
update_old_key(struct neg *n, struct bytes *out)
{
    return update(n, MLS_LEAF_UPDATE, false, out);
}

/* ---------------------------------------------------------- other proposals */

/* [remove-leaf] */
static enum err
remove_nobody(struct neg *n, struct bytes *out)
{
    struct mls_proposal p = {.type = MLS_PROPOSAL_REMOVE, .u = {.remove = 3}};

    return neg_propose(n, NEG_ALICE, &p, out);
}

static enum err
psk(struct neg *n, enum mls_psk_usage usage, size_t nonce, struct bytes *out)
{
    static const uint8_t NONCE[32] = {1};
    struct mls_proposal p = {.type = MLS_PROPOSAL_PSK,
                             .u = {.psk = {.type = MLS_PSK_RESUMPTION,
                                           .usage = usage,
                                           .group_id = VIEW_LIT("the group"),
                                           .epoch = 1,
                                           .nonce = view_make(NONCE, nonce)}}};

    return neg_propose(n, NEG_ALICE, &p, out);
}

/* [psk-reinit] */
static enum err
psk_reinit(struct neg *n, struct bytes *out)
{
    return psk(n, MLS_PSK_REINIT, 32, out);
}

/* [psk-branch] */
static enum err
psk_branch(struct neg *n, struct bytes *out)
{
    return psk(n, MLS_PSK_BRANCH, 32, out);
}

/* [psk-nonce] */
static enum err
psk_nonce(struct neg *n, struct bytes *out)
{
    return psk(n, MLS_PSK_APPLICATION, 31, out);
}

static enum err
reinit(struct neg *n, uint16_t version, struct view extensions,
       struct bytes *out)
{
    struct mls_proposal p = {
        .type = MLS_PROPOSAL_REINIT,
        .u = {.reinit = {VIEW_LIT("next"), version, n->suite, {extensions}}}};

    return neg_propose(n, NEG_ALICE, &p, out);
}

/* [reinit-version] */
static enum err
reinit_version(struct neg *n, struct bytes *out)
{
    return reinit(n, 0, (struct view){0}, out);
}

/* [reinit-extension-twice] */
static enum err
reinit_extensions(struct neg *n, struct bytes *out)
{
    return reinit(n, 1, VIEW_LIT("\xf0\x01\x00\xf0\x01\x00"), out);
}

static enum err
extensions(struct neg *n, struct view raw, struct bytes *out)
{
    struct mls_proposal p = {.type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS,
                             .u = {.extensions = {raw}}};

    return neg_propose(n, NEG_ALICE, &p, out);
}

/* [group-extension-twice] */
static enum err
group_extension_twice(struct neg *n, struct bytes *out)
{
    return extensions(n, VIEW_LIT("\xf0\x01\x00\xf0\x01\x00"), out);
}

/* [group-extension-format] */
static enum err
group_extension_format(struct neg *n, struct bytes *out)
{
    return extensions(n, VIEW_LIT("\x00\x03\x01\x00"), out);
}

static const struct neg_case CASES[] = {
    {MLS_RULE_LEAF_SIGNATURE, NEG_PROCESS, leaf_signature},
    {MLS_RULE_KEY_PACKAGE_SIGNATURE, NEG_PROCESS, package_signature},
    {MLS_RULE_LEAF_CREDENTIAL, NEG_PROCESS, mallory},
    {MLS_RULE_LEAF_KEY_SIZE, NEG_PROCESS, short_key},
    {MLS_RULE_LEAF_VERSION, NEG_PROCESS, leaf_version},
    {MLS_RULE_LEAF_SUITE, NEG_PROCESS, leaf_suite},
    {MLS_RULE_LEAF_CREDENTIAL_LISTED, NEG_PROCESS, unlisted_credential},
    {MLS_RULE_LEAF_EXTENSION_LISTED, NEG_PROCESS, unlisted_extension},
    {MLS_RULE_LEAF_EXTENSION_TWICE, NEG_PROCESS, extension_twice},
    {MLS_RULE_LEAF_CREDENTIAL_BY_ALL, NEG_PROCESS, new_credential_type},
    {MLS_RULE_LEAF_CREDENTIAL_OF_ALL, NEG_PROCESS, knows_only_itself},
    {MLS_RULE_LEAF_SOURCE_KEY_PACKAGE, NEG_PROCESS, kp_source},
    {MLS_RULE_LEAF_ENCRYPTION_KEY_UNIQUE, NEG_PROCESS, bobs_key},
    {MLS_RULE_KEY_PACKAGE_VERSION, NEG_PROCESS, kp_version},
    {MLS_RULE_KEY_PACKAGE_SUITE, NEG_PROCESS, kp_suite},
    {MLS_RULE_KEY_PACKAGE_INIT_KEY, NEG_PROCESS, init_key},
    {MLS_RULE_KEY_PACKAGE_INIT_KEY_SIZE, NEG_PROCESS, short_init_key},
    {MLS_RULE_KEY_PACKAGE_EXTENSION_TWICE, NEG_PROCESS, kp_extension_twice},
    {MLS_RULE_LEAF_REQUIRED_EXTENSION, NEG_PROCESS, lacks_extension},
    {MLS_RULE_LEAF_REQUIRED_PROPOSAL, NEG_PROCESS, lacks_proposal},
    {MLS_RULE_LEAF_REQUIRED_CREDENTIAL, NEG_PROCESS, lacks_credential},
    {MLS_RULE_LEAF_GROUP_EXTENSION, NEG_PROCESS, lacks_group_extension},
    {MLS_RULE_LEAF_LIFETIME, NEG_CALL, bob_adds_expired},
    {MLS_RULE_LEAF_SOURCE_UPDATE, NEG_PROCESS, update_source},
    {MLS_RULE_LEAF_UPDATE_KEY, NEG_PROCESS, update_old_key},
    {MLS_RULE_REMOVE_LEAF, NEG_PROCESS, remove_nobody},
    {MLS_RULE_PSK_REINIT, NEG_PROCESS, psk_reinit},
    {MLS_RULE_PSK_BRANCH, NEG_PROCESS, psk_branch},
    {MLS_RULE_PSK_NONCE, NEG_PROCESS, psk_nonce},
    {MLS_RULE_REINIT_VERSION, NEG_PROCESS, reinit_version},
    {MLS_RULE_REINIT_EXTENSION_TWICE, NEG_PROCESS, reinit_extensions},
    {MLS_RULE_GROUP_EXTENSION_TWICE, NEG_PROCESS, group_extension_twice},
    {MLS_RULE_GROUP_EXTENSION_FORMAT, NEG_PROCESS, group_extension_format},
};

const struct neg_case *
neg_proposal_cases(size_t *count_out)
{
    *count_out = sizeof(CASES) / sizeof(CASES[0]);
    return CASES;
}
