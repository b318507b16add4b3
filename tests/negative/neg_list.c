/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of proposals that break a rule (RFC 9420 12.1.7, 12.2, 12.4). */
#include "tests/negative/neg.h"

static struct mls_proposal_in
remove_of(uint32_t leaf)
{
    return (struct mls_proposal_in){.type = MLS_PROPOSAL_REMOVE, .leaf = leaf};
}

static struct mls_proposal_in
extensions_of(struct view raw)
{
    return (struct mls_proposal_in){
        .type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS, .extensions = {raw}};
}

static struct mls_proposal_in
psk_of(const char *name)
{
    return (struct mls_proposal_in){
        .type = MLS_PROPOSAL_PSK,
        .psk = {.type = MLS_PSK_EXTERNAL, .id = view_str(name)}};
}

/* [list-self-remove] */
static enum err
self_remove(struct neg *n, struct bytes *out)
{
    struct mls_proposal p = {.type = MLS_PROPOSAL_REMOVE, .u = {.remove = 0}};

    return neg_commit(n, &p, 1, NULL, out);
}

/* [list-own-update] */
static enum err
own_update(struct neg *n, struct bytes *out)
{
    enum err e;
    static const uint8_t KEY[32] = {78};
    struct mls_leaf_node leaf = *mls_tree_leaf(&n->alice->now->tree, NEG_ALICE);
    struct mls_proposal p = {.type = MLS_PROPOSAL_UPDATE,
                             .u = {.update = &leaf}};

    leaf.source = MLS_LEAF_UPDATE;
    leaf.encryption_key = VIEW_ARRAY(KEY);
    TRY(neg_sign_leaf(n, NEG_ALICE, NEG_ALICE, &leaf));
    TRY(neg_commit(n, &p, 1, NULL, out));
out:
    return e;
}

/* [list-leaf-twice] */
static enum err
remove_twice(struct neg *n, struct bytes *out)
{
    struct mls_proposal p[2] = {
        {.type = MLS_PROPOSAL_REMOVE, .u = {.remove = NEG_CAROL}},
        {.type = MLS_PROPOSAL_REMOVE, .u = {.remove = NEG_CAROL}}};

    return neg_commit(n, p, 2, NULL, out);
}

/* Two Adds with all rules off. */
static enum err
two_adds(struct neg *n, enum neg_who a, enum neg_who b, struct bytes *out)
{
    enum err e;
    struct bytes kp[2] = {{0}, {0}};
    struct mls_proposal_in in[2] = {{.type = MLS_PROPOSAL_ADD},
                                    {.type = MLS_PROPOSAL_ADD}};

    TRY(neg_key_package(n, a, NULL, &kp[0]));
    TRY(neg_key_package(n, b, NULL, &kp[1]));
    in[0].key_package = view_of(&kp[0]);
    in[1].key_package = view_of(&kp[1]);
    TRY(neg_commit_one(n, in, 2, out));
out:
    bytes_free(&kp[0]);
    bytes_free(&kp[1]);
    return e;
}

/* [list-client-twice] */
static enum err
add_twice(struct neg *n, struct bytes *out)
{
    return two_adds(n, NEG_DAVE, NEG_DAVE, out);
}

/* [leaf-encryption-key-unique]: two who are added have the same key */
static enum err
change_key(struct neg *n, struct mls_key_package *kp)
{
    static const uint8_t KEY[32] = {79};

    (void)n;
    kp->leaf_node.encryption_key = VIEW_ARRAY(KEY);
    return OK;
}

static enum err
add_same_key(struct neg *n, struct bytes *out)
{
    enum err e;
    struct bytes kp[2] = {{0}, {0}};
    struct mls_proposal_in in[2] = {{.type = MLS_PROPOSAL_ADD},
                                    {.type = MLS_PROPOSAL_ADD}};

    TRY(neg_key_package(n, NEG_DAVE, change_key, &kp[0]));
    TRY(neg_key_package(n, NEG_SENDER, change_key, &kp[1]));
    in[0].key_package = view_of(&kp[0]);
    in[1].key_package = view_of(&kp[1]);
    TRY(neg_commit_one(n, in, 2, out));
out:
    bytes_free(&kp[0]);
    bytes_free(&kp[1]);
    return e;
}

/* [list-client-present] */
static enum err
add_present(struct neg *n, struct bytes *out)
{
    return two_adds(n, NEG_DAVE, NEG_CAROL, out);
}

/* [list-psk-twice] */
static enum err
psk_twice(struct neg *n, struct bytes *out)
{
    static const uint8_t NONCE[32] = {1};
    struct mls_proposal p[2] = {{.type = MLS_PROPOSAL_PSK,
                                 .u = {.psk = {.type = MLS_PSK_EXTERNAL,
                                               .id = VIEW_LIT("shared"),
                                               .nonce = VIEW_ARRAY(NONCE)}}}};

    p[1] = p[0];
    return neg_commit(n, p, 2, NULL, out);
}

/* [list-group-extensions-twice] */
static enum err
extensions_twice(struct neg *n, struct bytes *out)
{
    struct mls_proposal_in in[2] = {extensions_of((struct view){0}),
                                    extensions_of(VIEW_LIT("\xf0\x01\x00"))};

    return neg_commit_one(n, in, 2, out);
}

/* [list-reinit-alone] */
static enum err
reinit_and_more(struct neg *n, struct bytes *out)
{
    struct mls_proposal_in in[2] = {{.type = MLS_PROPOSAL_REINIT,
                                     .group_id = VIEW_LIT("next"),
                                     .suite = n->suite},
                                    remove_of(NEG_CAROL)};

    return neg_commit_one(n, in, 2, out);
}

/* [list-external-init] */
static enum err
external_init(struct neg *n, struct bytes *out)
{
    struct mls_proposal p = {.type = MLS_PROPOSAL_EXTERNAL_INIT};

    return neg_commit(n, &p, 1, NULL, out);
}

/* [list-type-supported] */
static enum err
unknown_type(struct neg *n, struct bytes *out)
{
    struct mls_proposal_in in = {.type = 0xf00a, .other = VIEW_LIT("what")};

    return neg_commit_one(n, &in, 1, out);
}

/* [list-reference] */
static enum err
unknown_reference(struct neg *n, struct bytes *out)
{
    enum err e;
    struct mls_content c = neg_content(n, MLS_CONTENT_COMMIT);
    static const uint8_t REF[32] = {1};
    static const uint8_t TAG[32] = {2};
    struct mls_proposal_or_ref p = {.type = MLS_BY_REFERENCE,
                                    .u = {.reference = VIEW_ARRAY(REF)}};
    struct mls_commit commit = {&p, 1, NULL};

    c.u.commit = &commit;
    TRY(neg_public(n, &c, &n->who[NEG_ALICE].key, VIEW_ARRAY(TAG), out));
out:
    return e;
}

/* [psk-available] */
static enum err
secret_psk(struct neg *n, struct bytes *out)
{
    struct mls_proposal_in in = psk_of("secret");

    return neg_commit_one(n, &in, 1, out);
}

/* [group-required-supported] */
static enum err
too_much_required(struct neg *n, struct bytes *out)
{
    struct mls_proposal_in in =
        extensions_of(VIEW_LIT("\x00\x03\x05\x02\xf0\x0b\x00\x00"));

    return neg_commit_one(n, &in, 1, out);
}

/* [group-extension-supported] */
static enum err
unsupported_extension(struct neg *n, struct bytes *out)
{
    struct mls_proposal_in in = extensions_of(VIEW_LIT("\xf0\x0b\x00"));

    return neg_commit_one(n, &in, 1, out);
}

static const struct neg_case CASES[] = {
    {MLS_RULE_LIST_SELF_REMOVE, NEG_PROCESS, self_remove},
    {MLS_RULE_LIST_OWN_UPDATE, NEG_PROCESS, own_update},
    {MLS_RULE_LIST_LEAF_TWICE, NEG_PROCESS, remove_twice},
    {MLS_RULE_LIST_CLIENT_TWICE, NEG_PROCESS, add_twice},
    {MLS_RULE_LEAF_ENCRYPTION_KEY_UNIQUE, NEG_PROCESS, add_same_key},
    {MLS_RULE_LIST_CLIENT_PRESENT, NEG_PROCESS, add_present},
    {MLS_RULE_LIST_PSK_TWICE, NEG_PROCESS, psk_twice},
    {MLS_RULE_LIST_GROUP_EXTENSIONS_TWICE, NEG_PROCESS, extensions_twice},
    {MLS_RULE_LIST_REINIT_ALONE, NEG_PROCESS, reinit_and_more},
    {MLS_RULE_LIST_EXTERNAL_INIT, NEG_PROCESS, external_init},
    {MLS_RULE_LIST_TYPE_SUPPORTED, NEG_PROCESS, unknown_type},
    {MLS_RULE_LIST_REFERENCE, NEG_PROCESS, unknown_reference},
    {MLS_RULE_PSK_AVAILABLE, NEG_PROCESS, secret_psk},
    {MLS_RULE_GROUP_REQUIRED_SUPPORTED, NEG_PROCESS, too_much_required},
    {MLS_RULE_GROUP_EXTENSION_SUPPORTED, NEG_PROCESS, unsupported_extension},
};

const struct neg_case *
neg_list_cases(size_t *count_out)
{
    *count_out = sizeof(CASES) / sizeof(CASES[0]);
    return CASES;
}
