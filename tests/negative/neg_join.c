/* SPDX-License-Identifier: Apache-2.0 */
/* Welcomes and GroupInfos that break a rule (RFC 9420 12.4.3). */
#include "tests/negative/neg.h"

#include <string.h>

#define WELCOME_CASE(name)                                        \
    static enum err name(struct neg *n, struct bytes *out)        \
    {                                                             \
        return neg_changed_welcome(n, false, change_##name, out); \
    }                                                             \
    _Static_assert(true, "")

#define INFO_CASE(name)                                    \
    static enum err name(struct neg *n, struct bytes *out) \
    {                                                      \
        return neg_changed_info(n, change_##name, out);    \
    }                                                      \
    _Static_assert(true, "")

/* An honest Welcome, for what is broken without keys. */
static enum err
change_nothing(struct neg *n, struct neg_welcome_parts *p)
{
    (void)n;
    (void)p;
    return OK;
}
WELCOME_CASE(nothing);

/* Its parts, in a copy of the bytes that may be changed. */
static enum err
apart(struct neg *n, const struct bytes *b, struct mls_welcome *out)
{
    struct mls_message m;
    enum err e = mls_message_decode(&n->arena, view_of(b), &m, NULL);

    if (e == OK) {
        *out = m.u.welcome;
    }
    return e;
}

static void
flip(struct bytes *b, struct view part)
{
    b->p[(size_t)(part.p - b->p) + part.len - 1] ^= 1;
}

/* [wire-format] */
static enum err
key_package_as_welcome(struct neg *n, struct bytes *out)
{
    return bytes_copy(mem_heap(), view_of(&n->dave.key_package), out);
}

/* [welcome-suite] */
static enum err
welcome_suite(struct neg *n, struct bytes *out)
{
    enum err e = nothing(n, out);

    if (e == OK) {
        out->p[5] ^= 2; /* 1 or 3 */
    }
    return e;
}

/* [welcome-new-member] */
static enum err
for_somebody_else(struct neg *n, struct bytes *out)
{
    enum err e;
    struct mls_welcome w;

    TRY(nothing(n, out));
    TRY(apart(n, out, &w));
    flip(out, w.secrets[0].new_member);
out:
    return e;
}

/* [welcome-secrets] */
static enum err
other_secrets(struct neg *n, struct bytes *out)
{
    enum err e;
    struct mls_welcome w;

    TRY(nothing(n, out));
    TRY(apart(n, out, &w));
    flip(out, w.secrets[0].secrets.ciphertext);
out:
    return e;
}

/* The GroupInfo is in the context of the secrets. [welcome-secrets] */
static enum err
group_info_swapped(struct neg *n, struct bytes *out)
{
    enum err e;
    struct mls_welcome w;

    TRY(nothing(n, out));
    TRY(apart(n, out, &w));
    flip(out, w.group_info);
out:
    return e;
}

/* [welcome-group-info]: sealed under another joiner secret */
static enum err
other_joiner(struct neg *n, struct bytes *out)
{
    /* made by hand: the secrets are sealed for a garbled GroupInfo */
    enum err e;
    struct neg_welcome_parts p = {0};
    struct mls_welcome w;
    struct bytes made = {0};
    struct mls_encrypted_group_secrets to;
    struct proto_tls_wr wr = proto_tls_wr_open(mem_heap());
    struct mls_message m = {.wire = MLS_WIRE_WELCOME};
    uint8_t plain[256];
    uint8_t kem[32];
    uint8_t ct[256];
    struct mls_hpke_ciphertext c;

    TRY(nothing(n, &made));
    TRY(apart(n, &made, &w));
    TRY(mls_own_key_package_read(view_of(&n->dave.record), &p.own));
    c = w.secrets[0].secrets;
    TRY(mls_decrypt(p.own.suite, &p.own.init, c.kem_output, VIEW_LIT("Welcome"),
                    w.group_info, c.ciphertext, plain));
    flip(&made, w.group_info);
    TRY(mls_encrypt(p.own.suite, &n->rng.rng, p.own.kp.init_key,
                    VIEW_LIT("Welcome"), w.group_info,
                    view_make(plain, c.ciphertext.len - PRIM_TAG_SIZE), kem,
                    ct));
    to.new_member = w.secrets[0].new_member;
    to.secrets = (struct mls_hpke_ciphertext){VIEW_ARRAY(kem),
                                              view_make(ct, c.ciphertext.len)};
    w.secrets = &to;
    m.u.welcome = w;
    mls_message_write(&wr, &m);
    TRY(proto_tls_wr_take(&wr, out));
out:
    proto_tls_wr_clear(&wr);
    bytes_free(&made);
    return e;
}

/* ----------------------------------------------------------------- its PSKs */

static enum err
set_psks(struct neg *n, struct neg_welcome_parts *p, const char *group,
         enum mls_psk_usage a, enum mls_psk_usage b)
{
    static const uint8_t NONCE[32] = {1};
    struct mls_psk_id *ids = arena_calloc(&n->arena, 2, sizeof(*ids));

    if (ids == NULL) {
        return ERR_NOMEM;
    }
    ids[0] = (struct mls_psk_id){.type = MLS_PSK_RESUMPTION,
                                 .usage = a,
                                 .group_id = view_str(group),
                                 .epoch = 5,
                                 .nonce = VIEW_ARRAY(NONCE)};
    ids[1] = ids[0];
    ids[1].usage = b;
    p->secrets.psks = (struct mls_psk_ids){ids, b == 0 ? 1 : 2};
    return OK;
}

/* [welcome-psk-one] */
static enum err
change_two_successors(struct neg *n, struct neg_welcome_parts *p)
{
    return set_psks(n, p, "the old group", MLS_PSK_REINIT, MLS_PSK_BRANCH);
}
WELCOME_CASE(two_successors);

/* [psk-nonce] */
static enum err
change_welcome_nonce(struct neg *n, struct neg_welcome_parts *p)
{
    struct mls_psk_id *id = arena_alloc(&n->arena, sizeof(*id));

    if (id == NULL) {
        return ERR_NOMEM;
    }
    *id = (struct mls_psk_id){.type = MLS_PSK_EXTERNAL,
                              .id = VIEW_LIT("shared"),
                              .nonce = VIEW_LIT("short")};
    p->secrets.psks = (struct mls_psk_ids){id, 1};
    return OK;
}
WELCOME_CASE(welcome_nonce);

/* [welcome-psk-available] */
static enum err
change_unknown_psk(struct neg *n, struct neg_welcome_parts *p)
{
    return set_psks(n, p, "an unknown group", MLS_PSK_APPLICATION, 0);
}
WELCOME_CASE(unknown_psk);

/* [welcome-epoch-one] */
static enum err
change_late_branch(struct neg *n, struct neg_welcome_parts *p)
{
    return set_psks(n, p, "the old group", MLS_PSK_BRANCH, 0);
}
WELCOME_CASE(late_branch);

/* [welcome-branch]: there is no old group */
static enum err
change_branch_of_nothing(struct neg *n, struct neg_welcome_parts *p)
{
    p->info.context.epoch = 1;
    return set_psks(n, p, "the old group", MLS_PSK_BRANCH, 0);
}
WELCOME_CASE(branch_of_nothing);

/* [welcome-reinit]: nor one that was reinitialised */
static enum err
change_reinit_of_nothing(struct neg *n, struct neg_welcome_parts *p)
{
    p->info.context.epoch = 1;
    return set_psks(n, p, "the old group", MLS_PSK_REINIT, 0);
}
WELCOME_CASE(reinit_of_nothing);

/* Dave had a group with the external sender, and nobody else. */
static enum err
other_parent(struct neg *n)
{
    struct mls_create_opts opts = {.suite = n->suite,
                                   .group_id = VIEW_LIT("the old group")};

    return mls_create(&n->env, &n->who[NEG_SENDER].id, &opts, &n->parent);
}

/* [welcome-branch-members] */
static enum err
change_branch_of_others(struct neg *n, struct neg_welcome_parts *p)
{
    enum err e = other_parent(n);

    p->info.context.epoch = 1;
    return e != OK ? e : set_psks(n, p, "the old group", MLS_PSK_BRANCH, 0);
}

/* The parent's own PSK of that epoch is not kept, the world's is found. */
WELCOME_CASE(branch_of_others);

/* [welcome-reinit-members] */
static enum err
change_reinit_of_others(struct neg *n, struct neg_welcome_parts *p)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct mls_proposal reinit = {.type = MLS_PROPOSAL_REINIT};

    reinit.u.reinit = (struct mls_reinit){p->info.context.group_id, 1, n->suite,
                                          p->info.context.extensions};
    TRY(other_parent(n));
    mls_proposal_write(&w, &reinit);
    TRY(proto_tls_wr_take(&w, &n->parent->reinit));
    p->info.context.epoch = 1;
    TRY(set_psks(n, p, "the old group", MLS_PSK_REINIT, 0));
out:
    proto_tls_wr_clear(&w);
    return e;
}
WELCOME_CASE(reinit_of_others);

/* [welcome-path-secret] */
static enum err
change_path_secret(struct neg *n, struct neg_welcome_parts *p)
{
    static const uint8_t SECRET[32] = {1};

    (void)n;
    p->secrets.path_secret = VIEW_ARRAY(SECRET);
    return OK;
}

static enum err
path_secret(struct neg *n, struct bytes *out)
{
    return neg_changed_welcome(n, true, change_path_secret, out);
}

/* ---------------------------------------------------------------- GroupInfo */

/* [group-info-suite] */
static enum err
change_info_suite(struct neg *n, struct neg_welcome_parts *p)
{
    (void)n;
    p->info.context.suite ^= 2;
    return OK;
}
WELCOME_CASE(info_suite);

/* [group-info-version] */
static enum err
change_info_version(struct neg *n, struct neg_welcome_parts *p)
{
    (void)n;
    p->info.context.version = 2;
    return OK;
}
WELCOME_CASE(info_version);

/* [group-info-group-id] */
static enum err
already_in(struct neg *n, struct bytes *out)
{
    n->in_group = true;
    return nothing(n, out);
}

/* [group-info-signer] */
static enum err
change_signer(struct neg *n, struct neg_welcome_parts *p)
{
    (void)n;
    p->info.signer = 7;
    return OK;
}
WELCOME_CASE(signer);

/* [group-info-signature]: another member's name */
static enum err
change_signed_by_carol(struct neg *n, struct neg_welcome_parts *p)
{
    (void)n;
    p->info.signer = NEG_CAROL;
    return OK;
}
WELCOME_CASE(signed_by_carol);

/* [group-info-confirmation] */
static enum err
change_confirmation(struct neg *n, struct neg_welcome_parts *p)
{
    static const uint8_t TAG[32] = {1};

    (void)n;
    p->keep_tag = true;
    p->info.confirmation_tag = VIEW_ARRAY(TAG);
    return OK;
}
WELCOME_CASE(confirmation);

static enum err
change_short_confirmation(struct neg *n, struct neg_welcome_parts *p)
{
    (void)n;
    p->keep_tag = true;
    p->info.confirmation_tag.len--;
    return OK;
}
WELCOME_CASE(short_confirmation);

/* [group-info-extension-twice] */
static enum err
change_info_twice(struct neg *n, struct mls_group_info *x)
{
    (void)n;
    x->extensions.raw = VIEW_LIT("\x0a\x0a\x00\x0a\x0a\x00");
    return OK;
}
INFO_CASE(info_twice);

/* [group-info-extension-format] */
static enum err
change_info_pub(struct neg *n, struct mls_group_info *x)
{
    struct view data = VIEW_LIT("\x01\x09");

    return neg_set_extension(n, &x->extensions, MLS_EXT_EXTERNAL_PUB, &data);
}
INFO_CASE(info_pub);

/* [group-info-external-pub] */
static enum err
change_no_pub(struct neg *n, struct mls_group_info *x)
{
    return neg_set_extension(n, &x->extensions, MLS_EXT_EXTERNAL_PUB, NULL);
}
INFO_CASE(no_pub);

/* [group-info-tree] */
static enum err
change_no_tree(struct neg *n, struct mls_group_info *x)
{
    return neg_set_extension(n, &x->extensions, MLS_EXT_RATCHET_TREE, NULL);
}
INFO_CASE(no_tree);

/* [group-info-supported]: the group needs what Dave does not have */
static enum err
too_much_for_dave(struct neg *n, struct bytes *out)
{
    enum err e;
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS,
                                 .extensions = {VIEW_LIT("\xf0\x01\x00")}};
    struct mls_commit_opts opts = {.proposals = &in, .proposals_len = 1};
    struct mls_committed c = {0};

    n->who[NEG_DAVE].id.extension_types_len = 0;
    TRY(mls_commit(n->alice, &opts, &c));
    TRY(mls_merge(n->alice, &c.stage));
    TRY(mls_group_info(n->alice, true, out));
out:
    mls_committed_clear(&c);
    return e;
}

static const struct neg_case CASES[] = {
    {MLS_RULE_WIRE_FORMAT, NEG_JOIN, key_package_as_welcome},
    {MLS_RULE_WIRE_FORMAT, NEG_EXTERNAL, key_package_as_welcome},
    {MLS_RULE_WELCOME_SUITE, NEG_JOIN, welcome_suite},
    {MLS_RULE_WELCOME_NEW_MEMBER, NEG_JOIN, for_somebody_else},
    {MLS_RULE_WELCOME_SECRETS, NEG_JOIN, other_secrets},
    {MLS_RULE_WELCOME_SECRETS, NEG_JOIN, group_info_swapped},
    {MLS_RULE_WELCOME_GROUP_INFO, NEG_JOIN, other_joiner},
    {MLS_RULE_WELCOME_PSK_ONE, NEG_JOIN, two_successors},
    {MLS_RULE_PSK_NONCE, NEG_JOIN, welcome_nonce},
    {MLS_RULE_WELCOME_PSK_AVAILABLE, NEG_JOIN, unknown_psk},
    {MLS_RULE_WELCOME_EPOCH_ONE, NEG_JOIN, late_branch},
    {MLS_RULE_WELCOME_BRANCH, NEG_JOIN, branch_of_nothing},
    {MLS_RULE_WELCOME_REINIT, NEG_JOIN, reinit_of_nothing},
    {MLS_RULE_WELCOME_BRANCH_MEMBERS, NEG_JOIN, branch_of_others},
    {MLS_RULE_WELCOME_REINIT_MEMBERS, NEG_JOIN, reinit_of_others},
    {MLS_RULE_WELCOME_PATH_SECRET, NEG_JOIN, path_secret},
    {MLS_RULE_GROUP_INFO_SUITE, NEG_JOIN, info_suite},
    {MLS_RULE_GROUP_INFO_VERSION, NEG_JOIN, info_version},
    {MLS_RULE_GROUP_INFO_GROUP_ID, NEG_JOIN, already_in},
    {MLS_RULE_GROUP_INFO_SIGNER, NEG_JOIN, signer},
    {MLS_RULE_GROUP_INFO_SIGNATURE, NEG_JOIN, signed_by_carol},
    {MLS_RULE_GROUP_INFO_CONFIRMATION, NEG_JOIN, confirmation},
    {MLS_RULE_GROUP_INFO_CONFIRMATION, NEG_JOIN, short_confirmation},
    {MLS_RULE_GROUP_INFO_EXTENSION_TWICE, NEG_EXTERNAL, info_twice},
    {MLS_RULE_GROUP_INFO_EXTENSION_FORMAT, NEG_EXTERNAL, info_pub},
    {MLS_RULE_GROUP_INFO_EXTERNAL_PUB, NEG_EXTERNAL, no_pub},
    {MLS_RULE_GROUP_INFO_TREE, NEG_EXTERNAL, no_tree},
    {MLS_RULE_GROUP_INFO_SUPPORTED, NEG_EXTERNAL, too_much_for_dave},
};

const struct neg_case *
neg_join_cases(size_t *count_out)
{
    *count_out = sizeof(CASES) / sizeof(CASES[0]);
    return CASES;
}
