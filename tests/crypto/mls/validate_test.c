/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule of validate.h is broken by itself, and only that one reports. */
#include "crypto/mls/validate.h"

#include "proto/base/limits.h"
#include "tests/crypto/mls/sample.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"

#include <string.h>

enum {
    MEMBERS = 4
};

/* A member with real keys and a real signature. */
struct person {
    struct prim_sign_key key;
    uint8_t encryption_key[32];
    uint8_t init_key[32];
    uint8_t leaf_sig[PRIM_SIG_MAX];
    uint8_t kp_sig[PRIM_SIG_MAX];
    struct mls_leaf_node leaf;
    struct mls_key_package kp;
};

/* A group of MEMBERS in a tree with one blank leaf at 1. */
struct world {
    const struct mls_suite *s;
    struct person members[MEMBERS];
    struct person guest;
    const struct mls_leaf_node *leaves[MEMBERS + 1];
    struct mls_list_scope scope;
    enum mls_rule broken;
};

static void
sign_leaf(struct world *w, struct person *p, uint32_t index)
{
    size_t len = 0;

    CHECK_OK(mls_leaf_node_sign(w->s, mem_heap(), &p->leaf, VIEW_LIT("group"),
                                index, &p->key, p->leaf_sig, &len));
    p->leaf.signature = view_make(p->leaf_sig, len);
}

static void
sign_kp(struct world *w, struct person *p)
{
    size_t len = 0;

    sign_leaf(w, p, 0);
    p->kp.leaf_node = p->leaf;
    CHECK_OK(mls_key_package_sign(w->s, mem_heap(), &p->kp, &p->key, p->kp_sig,
                                  &len));
    p->kp.signature = view_make(p->kp_sig, len);
}

static void
person_init(struct world *w, struct person *p, uint8_t n)
{
    uint8_t seed[32] = {n};

    prim_ed25519_from_seed(seed, &p->key);
    memset(p->encryption_key, 0x10 + n, 32);
    memset(p->init_key, 0x80 + n, 32);
    p->leaf = sample_leaf(MLS_LEAF_KEY_PACKAGE);
    p->leaf.signature_key = prim_sign_key_pub(&p->key);
    p->leaf.encryption_key = VIEW_ARRAY(p->encryption_key);
    p->kp = sample_key_package();
    p->kp.suite = w->s->id;
    p->kp.init_key = VIEW_ARRAY(p->init_key);
    sign_kp(w, p);
}

static const struct mls_leaf_node *
leaf_of(const void *ctx, uint32_t index)
{
    const struct world *w = ctx;

    return w->leaves[index];
}

static void
world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->s = mls_suite_find(MLS_SUITE_X25519_CHACHA20);
    for (uint8_t i = 0; i < MEMBERS; i++) {
        person_init(w, &w->members[i], (uint8_t)(i + 1));
        w->leaves[i < 1 ? i : i + 1] = &w->members[i].leaf;
    }
    person_init(w, &w->guest, 99);
    w->scope = (struct mls_list_scope){
        .suite = w->s,
        .mem = mem_heap(),
        .group_id = VIEW_LIT("group"),
        .leaves = {leaf_of, w, MEMBERS + 1},
    };
}

#define REFUSED(w, call, rule)                                      \
    do {                                                            \
        (w)->broken = MLS_RULE_NONE;                                \
        CHECK_ERR(call, mls_rule_err(rule));                        \
        CHECK_STR(mls_rule_name((w)->broken), mls_rule_name(rule)); \
    } while (0)

/* The guest's key package, signed again after a change, breaks rule. */
static void
kp_refused(struct world *w, enum mls_rule rule)
{
    sign_kp(w, &w->guest);
    REFUSED(
        w, mls_key_package_validate(w->s, mem_heap(), &w->guest.kp, &w->broken),
        rule);
    person_init(w, &w->guest, 99);
    CHECK_OK(
        mls_key_package_validate(w->s, mem_heap(), &w->guest.kp, &w->broken));
}

/* [leaf-key-size] [leaf-version] [leaf-suite] [leaf-credential-listed]
 * [leaf-extension-listed] [leaf-extension-twice] [leaf-source-key-package] */
TEST(leaf_rules)
{
    struct world w;
    struct mls_leaf_node *n = &w.guest.leaf;

    world_init(&w);
    n->encryption_key.len = 31;
    kp_refused(&w, MLS_RULE_LEAF_KEY_SIZE);
    n->capabilities.versions = MLS_U16S("\x00\x02");
    kp_refused(&w, MLS_RULE_LEAF_VERSION);
    n->capabilities.suites = MLS_U16S("\x00\x01");
    kp_refused(&w, MLS_RULE_LEAF_SUITE);
    n->capabilities.credentials = MLS_U16S("\x00\x02");
    kp_refused(&w, MLS_RULE_LEAF_CREDENTIAL_LISTED);
    n->capabilities.extensions = MLS_U16S("\x1a\x1a");
    kp_refused(&w, MLS_RULE_LEAF_EXTENSION_LISTED);
    n->extensions.raw = VIEW_LIT("\x0a\x0a\x00\x0a\x0a\x00");
    kp_refused(&w, MLS_RULE_LEAF_EXTENSION_TWICE);
    n->source = MLS_LEAF_COMMIT;
    kp_refused(&w, MLS_RULE_LEAF_SOURCE_KEY_PACKAGE);
    /* default extensions are not listed */
    n->extensions.raw = VIEW_LIT("\x00\x01\x00");
    sign_kp(&w, &w.guest);
    CHECK_OK(mls_key_package_validate(w.s, mem_heap(), &w.guest.kp, &w.broken));
}

/* [leaf-source-update] [leaf-source-commit] */
TEST(leaf_sources)
{
    struct world w;

    world_init(&w);
    REFUSED(&w, mls_leaf_check(w.s, w.leaves[0], MLS_LEAF_UPDATE, &w.broken),
            MLS_RULE_LEAF_SOURCE_UPDATE);
    REFUSED(&w, mls_leaf_check(w.s, w.leaves[0], MLS_LEAF_COMMIT, &w.broken),
            MLS_RULE_LEAF_SOURCE_COMMIT);
    CHECK_OK(mls_leaf_check_any(w.s, w.leaves[0], &w.broken));
}

/* [key-package-version] [key-package-suite] [key-package-init-key]
 * [key-package-init-key-size] [key-package-extension-twice] */
TEST(key_package_rules)
{
    struct world w;
    struct mls_key_package *kp = &w.guest.kp;

    world_init(&w);
    kp->version = 2;
    kp_refused(&w, MLS_RULE_KEY_PACKAGE_VERSION);
    kp->suite = MLS_SUITE_X25519_AES128GCM;
    kp_refused(&w, MLS_RULE_KEY_PACKAGE_SUITE);
    kp->init_key.len = 33;
    kp_refused(&w, MLS_RULE_KEY_PACKAGE_INIT_KEY_SIZE);
    kp->init_key = w.guest.leaf.encryption_key;
    kp_refused(&w, MLS_RULE_KEY_PACKAGE_INIT_KEY);
    kp->extensions.raw = VIEW_LIT("\x0a\x0a\x00\x0a\x0a\x00");
    kp_refused(&w, MLS_RULE_KEY_PACKAGE_EXTENSION_TWICE);
}

/* [leaf-signature] [key-package-signature] */
TEST(key_package_signatures)
{
    struct world w;

    world_init(&w);
    w.guest.leaf_sig[3] ^= 1;
    REFUSED(&w,
            mls_key_package_validate(w.s, mem_heap(), &w.guest.kp, &w.broken),
            MLS_RULE_LEAF_SIGNATURE);
    w.guest.leaf_sig[3] ^= 1;
    w.guest.kp_sig[3] ^= 1;
    REFUSED(&w,
            mls_key_package_validate(w.s, mem_heap(), &w.guest.kp, &w.broken),
            MLS_RULE_KEY_PACKAGE_SIGNATURE);
}

/* [leaf-lifetime] [leaf-lifetime-total] */
TEST(lifetimes)
{
    struct world w;
    struct mls_leaf_node n = sample_leaf(MLS_LEAF_KEY_PACKAGE); /* 1000-2000 */
    struct mls_lifetime_policy p = {.now_s = 1500, .skew_s = 60};

    world_init(&w);
    CHECK_OK(mls_leaf_check_lifetime(&n, &p, &w.broken));
    p.now_s = 940;
    CHECK_OK(mls_leaf_check_lifetime(&n, &p, &w.broken));
    p.now_s = 2060;
    CHECK_OK(mls_leaf_check_lifetime(&n, &p, &w.broken));
    p.now_s = 939;
    REFUSED(&w, mls_leaf_check_lifetime(&n, &p, &w.broken),
            MLS_RULE_LEAF_LIFETIME);
    p.now_s = 2061;
    REFUSED(&w, mls_leaf_check_lifetime(&n, &p, &w.broken),
            MLS_RULE_LEAF_LIFETIME);
    p.now_s = 1500;
    p.total_s = 999;
    REFUSED(&w, mls_leaf_check_lifetime(&n, &p, &w.broken),
            MLS_RULE_LEAF_LIFETIME_TOTAL);
    p.total_s = 1000;
    CHECK_OK(mls_leaf_check_lifetime(&n, &p, &w.broken));
    n.lifetime = (struct mls_lifetime){2000, 1000};
    REFUSED(&w, mls_leaf_check_lifetime(&n, &p, &w.broken),
            MLS_RULE_LEAF_LIFETIME);
    n.lifetime = (struct mls_lifetime){0, UINT64_MAX};
    p.total_s = 0;
    p.now_s = UINT64_MAX;
    CHECK_OK(mls_leaf_check_lifetime(&n, &p, &w.broken));
    n.source = MLS_LEAF_COMMIT;
    n.lifetime = (struct mls_lifetime){2000, 1000};
    CHECK_OK(mls_leaf_check_lifetime(&n, &p, &w.broken));
}

/* required_capabilities with one extension, proposal and credential type. */
static struct mls_extensions
required(struct proto_tls_wr *out, const char *ext, const char *proposal,
         const char *credential)
{
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct mls_required_capabilities x = {
        {view_make(ext, ext[0] == 0 && ext[1] == 0 ? 0 : 2)},
        {view_make(proposal, proposal[0] == 0 && proposal[1] == 0 ? 0 : 2)},
        {view_make(credential,
                   credential[0] == 0 && credential[1] == 0 ? 0 : 2)}};

    *out = proto_tls_wr_open(mem_heap());
    mls_required_capabilities_write(&w, &x);
    mls_extension_write(out, MLS_EXT_REQUIRED_CAPABILITIES,
                        proto_tls_wr_view(&w));
    proto_tls_wr_clear(&w);
    return (struct mls_extensions){proto_tls_wr_view(out)};
}

static void
required_refused(struct world *w, const char *ext, const char *proposal,
                 const char *credential, enum mls_rule rule)
{
    struct proto_tls_wr wr;
    struct mls_extensions x = required(&wr, ext, proposal, credential);

    REFUSED(w, mls_leaf_check_group(w->leaves[0], x, &w->broken), rule);
    proto_tls_wr_clear(&wr);
}

/* [leaf-required-extension] [leaf-required-proposal]
 * [leaf-required-credential] [leaf-group-extension] */
TEST(leaf_against_the_group)
{
    struct world w;
    struct proto_tls_wr wr;
    struct mls_extensions x;

    world_init(&w);
    required_refused(&w, "\xf0\x09", "\0\0", "\0\0",
                     MLS_RULE_LEAF_REQUIRED_EXTENSION);
    required_refused(&w, "\0\0", "\xf0\x09", "\0\0",
                     MLS_RULE_LEAF_REQUIRED_PROPOSAL);
    required_refused(&w, "\0\0", "\0\0", "\0\x02",
                     MLS_RULE_LEAF_REQUIRED_CREDENTIAL);
    /* listed, and default ones */
    x = required(&wr, "\xf0\x01", "\xf0\x02", "\0\x01");
    CHECK_OK(mls_leaf_check_group(w.leaves[0], x, &w.broken));
    proto_tls_wr_clear(&wr);
    x = required(&wr, "\0\x05", "\0\x07", "\0\0");
    CHECK_OK(mls_leaf_check_group(w.leaves[0], x, &w.broken));
    proto_tls_wr_clear(&wr);
    CHECK_OK(mls_extensions_from(check_hex("f009 00"), &x));
    REFUSED(&w, mls_leaf_check_group(w.leaves[0], x, &w.broken),
            MLS_RULE_LEAF_GROUP_EXTENSION);
    CHECK_OK(mls_extensions_from(check_hex("f001 00 0005 0100"), &x));
    CHECK_OK(mls_leaf_check_group(w.leaves[0], x, &w.broken));
}

static void
group_extensions_refused(struct world *w, const char *hex, enum mls_rule rule)
{
    struct mls_extensions x;

    CHECK_OK(mls_extensions_from(check_hex(hex), &x));
    REFUSED(w, mls_group_extensions_check(x, &w->broken), rule);
}

/* [group-extension-twice] [group-extension-format] */
TEST(extensions_of_a_group)
{
    struct world w;
    struct mls_extensions x;

    world_init(&w);
    group_extensions_refused(&w, "f001 00 f001 00",
                             MLS_RULE_GROUP_EXTENSION_TWICE);
    group_extensions_refused(&w, "0003 02 0000",
                             MLS_RULE_GROUP_EXTENSION_FORMAT);
    group_extensions_refused(&w, "0005 02 01 aa",
                             MLS_RULE_GROUP_EXTENSION_FORMAT);
    CHECK_OK(mls_extensions_from(check_hex("0003 03 000000 0005 01 00"), &x));
    CHECK_OK(mls_group_extensions_check(x, &w.broken));
}

/* [group-info-version] [group-info-suite] [group-info-extension-twice]
 * [group-info-extension-format] */
TEST(group_infos)
{
    struct world w;
    struct mls_group_info x = {.context = sample_context()};

    world_init(&w);
    CHECK_OK(mls_group_info_check(w.s, &x, &w.broken));
    x.context.version = 2;
    REFUSED(&w, mls_group_info_check(w.s, &x, &w.broken),
            MLS_RULE_GROUP_INFO_VERSION);
    x.context.version = 1;
    x.context.suite = 1;
    REFUSED(&w, mls_group_info_check(w.s, &x, &w.broken),
            MLS_RULE_GROUP_INFO_SUITE);
    x.context.suite = w.s->id;
    x.extensions.raw = check_hex("0a0a 00 0a0a 00");
    REFUSED(&w, mls_group_info_check(w.s, &x, &w.broken),
            MLS_RULE_GROUP_INFO_EXTENSION_TWICE);
    x.extensions.raw = check_hex("0004 02 01aa"); /* key too short */
    REFUSED(&w, mls_group_info_check(w.s, &x, &w.broken),
            MLS_RULE_GROUP_INFO_EXTENSION_FORMAT);
    x.extensions.raw = check_hex("3a3a 02 beef"); /* unknown: ignored */
    CHECK_OK(mls_group_info_check(w.s, &x, &w.broken));
    x.context.extensions.raw = check_hex("f001 00 f001 00");
    REFUSED(&w, mls_group_info_check(w.s, &x, &w.broken),
            MLS_RULE_GROUP_EXTENSION_TWICE);
}

/* [group-info-signature] */
TEST(group_info_signature)
{
    struct world w;
    struct mls_group_info x = {.context = sample_context(), .signer = 2};
    uint8_t sig[PRIM_SIG_MAX];
    size_t len;

    world_init(&w);
    CHECK_OK(mls_group_info_sign(w.s, mem_heap(), &x, &w.guest.key, sig, &len));
    x.signature = view_make(sig, len);
    CHECK_OK(mls_group_info_verify(w.s, mem_heap(), &x,
                                   prim_sign_key_pub(&w.guest.key), &w.broken));
    x.signer++;
    REFUSED(&w,
            mls_group_info_verify(w.s, mem_heap(), &x,
                                  prim_sign_key_pub(&w.guest.key), &w.broken),
            MLS_RULE_GROUP_INFO_SIGNATURE);
}

static void
among_refused(struct world *w, enum mls_rule rule)
{
    REFUSED(
        w,
        mls_leaf_check_among(&w->guest.leaf, 1, &w->scope.leaves, &w->broken),
        rule);
    /* the whole tree says the same, but not who is to blame */
    w->leaves[1] = &w->guest.leaf;
    REFUSED(w,
            mls_leaves_check(mem_heap(), &w->scope.leaves, w->scope.extensions,
                             &w->broken),
            rule == MLS_RULE_LEAF_CREDENTIAL_OF_ALL
                ? MLS_RULE_LEAF_CREDENTIAL_BY_ALL
                : rule);
    w->leaves[1] = NULL;
    person_init(w, &w->guest, 99);
}

/* [leaf-credential-by-all] [leaf-credential-of-all]
 * [leaf-signature-key-unique] [leaf-encryption-key-unique] */
TEST(leaf_among_others)
{
    struct world w;
    struct mls_leaf_node *n = &w.guest.leaf;

    world_init(&w);
    CHECK_OK(mls_leaf_check_among(n, 1, &w.scope.leaves, &w.broken));
    CHECK_OK(mls_leaf_check_among(w.leaves[2], 2, &w.scope.leaves, &w.broken));
    CHECK_OK(mls_leaves_check(mem_heap(), &w.scope.leaves, w.scope.extensions,
                              &w.broken));
    n->credential.type = 7;
    n->capabilities.credentials = MLS_U16S("\x00\x01\x00\x07");
    among_refused(&w, MLS_RULE_LEAF_CREDENTIAL_BY_ALL);
    n->credential.type = 0x2a2a; /* everybody lists it; it does not list 1 */
    n->capabilities.credentials = MLS_U16S("\x2a\x2a");
    among_refused(&w, MLS_RULE_LEAF_CREDENTIAL_OF_ALL);
    n->signature_key = w.leaves[4]->signature_key;
    among_refused(&w, MLS_RULE_LEAF_SIGNATURE_KEY_UNIQUE);
    n->encryption_key = w.leaves[0]->encryption_key;
    among_refused(&w, MLS_RULE_LEAF_ENCRYPTION_KEY_UNIQUE);
}

static const struct mls_leaf_node *
any_leaf(const void *ctx, uint32_t index)
{
    const struct mls_leaf_node *leaves = ctx;

    return &leaves[index];
}

/* [leaf-credential-by-all] */
TEST(more_credential_types_than_we_count)
{
    struct world w;
    struct mls_leaf_node many[17];
    struct mls_leaves leaves = {any_leaf, many, 17};
    uint8_t raw[34];

    world_init(&w);
    for (uint16_t i = 0; i < 17; i++) {
        raw[2 * i] = 0x77;
        raw[2 * i + 1] = (uint8_t)i;
        many[i] = w.guest.leaf;
        many[i].credential.type = (uint16_t)(0x7700 + i);
        many[i].capabilities.credentials.raw = VIEW_ARRAY(raw);
    }
    REFUSED(
        &w,
        mls_leaves_check(mem_heap(), &leaves, w.scope.extensions, &w.broken),
        MLS_RULE_LEAF_CREDENTIAL_BY_ALL);
}

TEST(unique_keys)
{
    uint8_t keys[200][2];
    struct view views[200];

    for (size_t n = 0; n <= 200; n++) {
        for (size_t i = 0; i < n; i++) {
            keys[i][0] = (uint8_t)(i * 37);
            keys[i][1] = (uint8_t)(i >> 3);
            views[i] = view_make(keys[i], 2);
        }
        CHECK(mls_keys_unique(views, n));
        for (size_t i = 0; n > 1 && i < n; i += 13) {
            for (size_t k = 0; k < n; k++) {
                views[k] = view_make(keys[k], 2);
            }
            views[i] = views[(i + n / 2) % n];
            CHECK(!mls_keys_unique(views, n));
        }
    }
}

/* ---------------------------------------------------------------- lists */

static struct mls_listed
by_member(const struct mls_proposal *p, uint32_t leaf)
{
    return (struct mls_listed){p, {MLS_SENDER_MEMBER, leaf}, true};
}

/* A list of n proposals by members 3 and on, committed by leaf 0. */
static void
list_refused(struct world *w, const struct mls_proposal *p, size_t n,
             enum mls_rule rule)
{
    struct mls_listed list[8];

    for (size_t i = 0; i < n; i++) {
        list[i] = by_member(&p[i], 3);
    }
    REFUSED(
        w,
        mls_list_validate(&w->scope, MLS_COMMIT_NORMAL, 0, list, n, &w->broken),
        rule);
}

static struct mls_proposal
remove_of(uint32_t leaf)
{
    return (struct mls_proposal){.type = MLS_PROPOSAL_REMOVE,
                                 .u = {.remove = leaf}};
}

static struct mls_proposal
add_of(const struct mls_key_package *kp)
{
    return (struct mls_proposal){.type = MLS_PROPOSAL_ADD, .u = {.add = kp}};
}

static struct mls_proposal
psk_of(enum mls_psk_type type, enum mls_psk_usage usage)
{
    struct mls_proposal p = {.type = MLS_PROPOSAL_PSK,
                             .u = {.psk = sample_psk(type)}};

    p.u.psk.usage = usage;
    return p;
}

static struct mls_proposal
extensions_of(const char *hex)
{
    return (struct mls_proposal){.type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS,
                                 .u = {.extensions = {check_hex(hex)}}};
}

static struct mls_proposal
other_of(uint16_t type)
{
    return (struct mls_proposal){.type = type};
}

/* The member at a leaf proposes its own leaf with a new key. */
static struct mls_proposal
update_of(struct world *w, uint32_t leaf, struct person *p)
{
    const struct mls_leaf_node *old = w->leaves[leaf];
    size_t member = leaf == 0 ? 0 : leaf - 1;

    *p = w->members[member];
    memset(p->encryption_key, 0x60 + (int)leaf, 32);
    p->leaf = *old;
    p->leaf.source = MLS_LEAF_UPDATE;
    p->leaf.encryption_key = VIEW_ARRAY(p->encryption_key);
    sign_leaf(w, p, leaf);
    return (struct mls_proposal){.type = MLS_PROPOSAL_UPDATE,
                                 .u = {.update = &p->leaf}};
}

TEST(a_good_list)
{
    struct world w;
    struct person updated;
    struct mls_proposal p[6];
    struct mls_listed list[6];

    world_init(&w);
    p[0] = extensions_of("f001 00");
    p[1] = update_of(&w, 3, &updated);
    p[2] = remove_of(2);
    p[3] = add_of(&w.guest.kp);
    p[4] = psk_of(MLS_PSK_EXTERNAL, 0);
    p[5] = other_of(0xf002);
    for (size_t i = 0; i < 6; i++) {
        list[i] = by_member(&p[i], 3);
        CHECK_OK(mls_proposal_validate(&w.scope, &list[i], &w.broken));
    }
    CHECK_OK(
        mls_list_validate(&w.scope, MLS_COMMIT_NORMAL, 0, list, 6, &w.broken));
    CHECK_OK(
        mls_list_validate(&w.scope, MLS_COMMIT_NORMAL, 0, list, 0, &w.broken));
}

/* [remove-leaf] [list-self-remove] [list-own-update] [list-leaf-twice]
 * [update-sender] */
TEST(updates_and_removes)
{
    struct world w;
    struct person updated;
    struct mls_proposal p[2];
    struct mls_listed l;

    world_init(&w);
    p[0] = remove_of(1); /* blank */
    list_refused(&w, p, 1, MLS_RULE_REMOVE_LEAF);
    l = by_member(p, 3);
    REFUSED(&w, mls_proposal_validate(&w.scope, &l, &w.broken),
            MLS_RULE_REMOVE_LEAF);
    p[0] = remove_of(5); /* outside */
    list_refused(&w, p, 1, MLS_RULE_REMOVE_LEAF);
    p[0] = remove_of(0);
    list_refused(&w, p, 1, MLS_RULE_LIST_SELF_REMOVE);
    p[0] = remove_of(2);
    p[1] = remove_of(2);
    list_refused(&w, p, 2, MLS_RULE_LIST_LEAF_TWICE);
    p[0] = update_of(&w, 3, &updated);
    p[1] = remove_of(3);
    list_refused(&w, p, 2, MLS_RULE_LIST_LEAF_TWICE);
    p[1] = p[0];
    list_refused(&w, p, 2, MLS_RULE_LIST_LEAF_TWICE);
    p[0] = update_of(&w, 0, &updated);
    l = by_member(p, 0);
    REFUSED(&w,
            mls_list_validate(&w.scope, MLS_COMMIT_NORMAL, 0, &l, 1, &w.broken),
            MLS_RULE_LIST_OWN_UPDATE);
    l.sender.type = MLS_SENDER_EXTERNAL;
    REFUSED(&w, mls_proposal_validate(&w.scope, &l, &w.broken),
            MLS_RULE_UPDATE_SENDER);
    REFUSED(&w,
            mls_list_validate(&w.scope, MLS_COMMIT_NORMAL, 0, &l, 1, &w.broken),
            MLS_RULE_UPDATE_SENDER);
}

static void
update_refused(struct world *w, struct person *p, uint32_t sign_at,
               enum mls_rule rule)
{
    struct mls_proposal proposal = {.type = MLS_PROPOSAL_UPDATE,
                                    .u = {.update = &p->leaf}};
    struct mls_listed l = by_member(&proposal, 3);

    sign_leaf(w, p, sign_at);
    REFUSED(w, mls_proposal_validate(&w->scope, &l, &w->broken), rule);
    (void)update_of(w, 3, p);
    CHECK_OK(mls_proposal_validate(&w->scope, &l, &w->broken));
}

/* [leaf-update-key] [leaf-source-update] [leaf-signature] */
TEST(leaf_of_an_update)
{
    struct world w;
    struct person p;

    world_init(&w);
    (void)update_of(&w, 3, &p);
    p.leaf.encryption_key = w.leaves[3]->encryption_key;
    update_refused(&w, &p, 3, MLS_RULE_LEAF_UPDATE_KEY);
    p.leaf.source = MLS_LEAF_COMMIT;
    update_refused(&w, &p, 3, MLS_RULE_LEAF_SOURCE_UPDATE);
    /* signed for another place in the tree */
    update_refused(&w, &p, 2, MLS_RULE_LEAF_SIGNATURE);
    w.scope.extensions.raw = check_hex("f001 00");
    p.leaf.capabilities.extensions = MLS_U16S("\x0a\x0a");
    update_refused(&w, &p, 3, MLS_RULE_LEAF_GROUP_EXTENSION);
}

/* [list-client-twice] [list-client-present] [key-package-signature]
 * [leaf-group-extension] */
TEST(adds)
{
    struct world w;
    struct person other;
    struct mls_proposal p[3];

    world_init(&w);
    person_init(&w, &other, 98);
    other.key = w.guest.key;
    other.leaf.signature_key = prim_sign_key_pub(&other.key);
    sign_kp(&w, &other);
    p[0] = add_of(&w.guest.kp);
    p[1] = add_of(&other.kp);
    list_refused(&w, p, 2, MLS_RULE_LIST_CLIENT_TWICE);
    person_init(&w, &other, 98);
    other.key = w.members[1].key; /* leaf 2 */
    other.leaf.signature_key = prim_sign_key_pub(&other.key);
    sign_kp(&w, &other);
    list_refused(&w, p, 2, MLS_RULE_LIST_CLIENT_PRESENT);
    p[2] = remove_of(2);
    list_refused(&w, p, 3, MLS_RULE_NONE);
    w.guest.kp_sig[0] ^= 1;
    list_refused(&w, p, 1, MLS_RULE_KEY_PACKAGE_SIGNATURE);
    person_init(&w, &w.guest, 99);
    /* judged by the extensions that the same commit sets */
    w.guest.leaf.capabilities.extensions = MLS_U16S("\x0a\x0a");
    sign_kp(&w, &w.guest);
    list_refused(&w, p, 1, MLS_RULE_NONE);
    p[1] = extensions_of("f001 00");
    list_refused(&w, p, 2, MLS_RULE_LEAF_GROUP_EXTENSION);
}

/* [list-leaves] */
TEST(a_full_tree)
{
    struct world w;
    struct mls_leaf_node *many =
        mem_calloc(mem_heap(), LIMIT_MLS_LEAVES, sizeof(*many));
    uint8_t(*keys)[4] = mem_calloc(mem_heap(), LIMIT_MLS_LEAVES, 4);
    struct mls_proposal p[2];

    world_init(&w);
    CHECK(many != NULL && keys != NULL);
    for (uint32_t i = 0; i < LIMIT_MLS_LEAVES; i++) {
        memcpy(keys[i], &i, 4);
        many[i].signature_key = view_make(keys[i], 4);
    }
    w.scope.leaves = (struct mls_leaves){any_leaf, many, LIMIT_MLS_LEAVES};
    p[0] = add_of(&w.guest.kp);
    p[1] = remove_of(77);
    list_refused(&w, p, 1, MLS_RULE_LIST_LEAVES);
    list_refused(&w, p, 2, MLS_RULE_NONE);
    mem_free(mem_heap(), many, LIMIT_MLS_LEAVES * sizeof(*many));
    mem_free(mem_heap(), keys, (size_t)LIMIT_MLS_LEAVES * 4);
}

/* [psk-reinit] [psk-branch] [psk-nonce] [list-psk-twice] [message-size] */
TEST(psks)
{
    struct world w;
    struct mls_proposal p[3];
    struct mls_proposal many[LIMIT_MLS_PSKS + 1];
    struct mls_listed list[LIMIT_MLS_PSKS + 1];
    uint8_t ids[LIMIT_MLS_PSKS + 1][2];

    world_init(&w);
    p[0] = psk_of(MLS_PSK_RESUMPTION, MLS_PSK_REINIT);
    list_refused(&w, p, 1, MLS_RULE_PSK_REINIT);
    list[0] = by_member(p, 0);
    CHECK_OK(
        mls_list_validate(&w.scope, MLS_COMMIT_REINIT, 0, list, 1, &w.broken));
    REFUSED(&w, mls_proposal_validate(&w.scope, list, &w.broken),
            MLS_RULE_PSK_REINIT);
    p[0].u.psk.usage = MLS_PSK_BRANCH;
    list_refused(&w, p, 1, MLS_RULE_PSK_BRANCH);
    CHECK_OK(
        mls_list_validate(&w.scope, MLS_COMMIT_BRANCH, 0, list, 1, &w.broken));
    p[0] = psk_of(MLS_PSK_EXTERNAL, 0);
    p[1] = psk_of(MLS_PSK_RESUMPTION, MLS_PSK_APPLICATION);
    list_refused(&w, p, 2, MLS_RULE_NONE);
    p[2] = p[0];
    list_refused(&w, p, 3, MLS_RULE_LIST_PSK_TWICE);
    p[0].u.psk.nonce.len = 31;
    list_refused(&w, p, 1, MLS_RULE_PSK_NONCE);
    for (uint16_t i = 0; i <= LIMIT_MLS_PSKS; i++) {
        memcpy(ids[i], &i, 2);
        many[i] = psk_of(MLS_PSK_EXTERNAL, 0);
        many[i].u.psk.id = VIEW_ARRAY(ids[i]);
        list[i] = by_member(&many[i], 0);
    }
    REFUSED(&w,
            mls_list_validate(&w.scope, MLS_COMMIT_NORMAL, 0, list,
                              LIMIT_MLS_PSKS + 1, &w.broken),
            MLS_RULE_MESSAGE_SIZE);
}

/* [reinit-version] [reinit-extension-twice] [list-reinit-alone]
 * [list-external-init] [list-group-extensions-twice] [list-type-supported] */
TEST(other_proposals)
{
    struct world w;
    struct mls_proposal p[2];

    world_init(&w);
    p[0] =
        (struct mls_proposal){.type = MLS_PROPOSAL_REINIT,
                              .u = {.reinit = {VIEW_LIT("next"), 0, 1, {{0}}}}};
    list_refused(&w, p, 1, MLS_RULE_REINIT_VERSION);
    p[0].u.reinit.version = 1;
    list_refused(&w, p, 1, MLS_RULE_NONE);
    p[1] = remove_of(2);
    list_refused(&w, p, 2, MLS_RULE_LIST_REINIT_ALONE);
    p[0].u.reinit.extensions.raw = check_hex("f001 00 f001 00");
    list_refused(&w, p, 1, MLS_RULE_REINIT_EXTENSION_TWICE);
    p[0] = other_of(MLS_PROPOSAL_EXTERNAL_INIT);
    list_refused(&w, p, 1, MLS_RULE_LIST_EXTERNAL_INIT);
    p[0] = extensions_of("f001 00");
    p[1] = extensions_of("");
    list_refused(&w, p, 2, MLS_RULE_LIST_GROUP_EXTENSIONS_TWICE);
    list_refused(&w, p, 1, MLS_RULE_NONE);
    p[0] = other_of(0xf009);
    list_refused(&w, p, 1, MLS_RULE_LIST_TYPE_SUPPORTED);
    /* who is removed need not know it */
    p[0] = other_of(0xf002);
    p[1] = remove_of(2);
    w.members[1].leaf.capabilities.proposals = (struct mls_u16s){{0}};
    list_refused(&w, p, 1, MLS_RULE_LIST_TYPE_SUPPORTED);
    list_refused(&w, p, 2, MLS_RULE_NONE);
}

/* [group-required-supported] [group-extension-supported]
 * [group-extension-format] */
TEST(new_extensions)
{
    struct world w;
    struct mls_proposal p[2];

    world_init(&w);
    p[0] = extensions_of("f009 00");
    list_refused(&w, p, 1, MLS_RULE_GROUP_EXTENSION_SUPPORTED);
    p[0] = extensions_of("0003 05 02f009 00 00");
    list_refused(&w, p, 1, MLS_RULE_GROUP_REQUIRED_SUPPORTED);
    p[0] = extensions_of("0003 01 00");
    list_refused(&w, p, 1, MLS_RULE_GROUP_EXTENSION_FORMAT);
    /* leaf 2 does not support it, but is removed */
    p[0] = extensions_of("f001 00");
    p[1] = remove_of(2);
    w.members[1].leaf.capabilities.extensions = MLS_U16S("\x0a\x0a");
    list_refused(&w, p, 1, MLS_RULE_GROUP_EXTENSION_SUPPORTED);
    list_refused(&w, p, 2, MLS_RULE_NONE);
}

/* --------------------------------------------------------- external commits */

struct external {
    struct mls_proposal_or_ref p[4];
    struct mls_update_path path;
    struct mls_commit commit;
    uint8_t kem[32];
};

static void
external_init(struct world *w, struct external *x)
{
    memset(x, 0, sizeof(*x));
    for (size_t i = 0; i < 4; i++) {
        x->p[i].type = MLS_BY_VALUE;
    }
    x->p[0].u.proposal = other_of(MLS_PROPOSAL_EXTERNAL_INIT);
    x->p[0].u.proposal.u.kem_output = VIEW_ARRAY(x->kem);
    x->p[1].u.proposal = remove_of(2);
    x->p[2].u.proposal = psk_of(MLS_PSK_RESUMPTION, MLS_PSK_APPLICATION);
    x->path.leaf_node = w->guest.leaf;
    x->commit = (struct mls_commit){x->p, 3, &x->path};
}

static void
external_refused(struct world *w, struct external *x, enum mls_rule rule)
{
    REFUSED(w, mls_external_list_validate(&w->scope, &x->commit, &w->broken),
            rule);
    external_init(w, x);
    CHECK_OK(mls_external_list_validate(&w->scope, &x->commit, &w->broken));
}

/* [external-one-init] [external-one-remove] [external-proposal-type]
 * [external-reference] [external-path] [external-kem] [remove-leaf]
 * [leaf-update-key] [psk-nonce] [list-psk-twice] */
TEST(external_commits)
{
    struct world w;
    struct external x;

    world_init(&w);
    external_init(&w, &x);
    x.commit.path = NULL;
    external_refused(&w, &x, MLS_RULE_EXTERNAL_PATH);
    x.commit.proposals = x.p + 1;
    x.commit.count = 2;
    external_refused(&w, &x, MLS_RULE_EXTERNAL_ONE_INIT);
    x.p[3] = x.p[0];
    x.commit.count = 4;
    external_refused(&w, &x, MLS_RULE_EXTERNAL_ONE_INIT);
    x.p[3].u.proposal = remove_of(3);
    x.commit.count = 4;
    external_refused(&w, &x, MLS_RULE_EXTERNAL_ONE_REMOVE);
    x.p[2].u.proposal = add_of(&w.guest.kp);
    external_refused(&w, &x, MLS_RULE_EXTERNAL_PROPOSAL_TYPE);
    x.p[2] = (struct mls_proposal_or_ref){.type = MLS_BY_REFERENCE};
    external_refused(&w, &x, MLS_RULE_EXTERNAL_REFERENCE);
    x.p[0].u.proposal.u.kem_output.len = 31;
    external_refused(&w, &x, MLS_RULE_EXTERNAL_KEM);
    x.p[1].u.proposal = remove_of(1);
    external_refused(&w, &x, MLS_RULE_REMOVE_LEAF);
    x.path.leaf_node.encryption_key = w.leaves[2]->encryption_key;
    external_refused(&w, &x, MLS_RULE_LEAF_UPDATE_KEY);
    x.p[2].u.proposal.u.psk.nonce.len = 0;
    external_refused(&w, &x, MLS_RULE_PSK_NONCE);
    x.p[2].u.proposal.u.psk.usage = MLS_PSK_BRANCH;
    external_refused(&w, &x, MLS_RULE_PSK_BRANCH);
    x.p[3] = x.p[2];
    x.commit.count = 4;
    external_refused(&w, &x, MLS_RULE_LIST_PSK_TWICE);
}

/* RFC 9420 12.4; the commit that breaks it is in the group's tests. */
TEST(which_proposals_need_a_path)
{
    static const struct {
        uint16_t type;
        bool path;
    } KINDS[] = {{1, false}, {2, true}, {3, true}, {4, false},    {5, false},
                 {6, true},  {7, true}, {8, true}, {0xf002, true}};
    struct mls_proposal p[2];
    struct mls_listed list[2];

    CHECK(mls_path_required(NULL, 0));
    p[0] = other_of(MLS_PROPOSAL_PSK);
    list[0] = by_member(&p[0], 0);
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
        p[1] = other_of(KINDS[i].type);
        list[1] = by_member(&p[1], 0);
        CHECK_EQ(mls_path_required(list, 2), KINDS[i].path);
    }
}

/* [leaf-source-commit] [leaf-commit-key] [leaf-signature]
 * [leaf-group-extension] */
TEST(leaf_of_a_path)
{
    struct world w;
    struct mls_leaf_node *n = &w.guest.leaf;

    world_init(&w);
    REFUSED(&w, mls_path_leaf_validate(&w.scope, n, 1, NULL, &w.broken),
            MLS_RULE_LEAF_SOURCE_COMMIT);
    n->source = MLS_LEAF_COMMIT;
    sign_leaf(&w, &w.guest, 1);
    CHECK_OK(mls_path_leaf_validate(&w.scope, n, 1, NULL, &w.broken));
    CHECK_OK(mls_path_leaf_validate(&w.scope, n, 1, w.leaves[0], &w.broken));
    REFUSED(&w, mls_path_leaf_validate(&w.scope, n, 2, NULL, &w.broken),
            MLS_RULE_LEAF_SIGNATURE);
    REFUSED(&w, mls_path_leaf_validate(&w.scope, n, 1, n, &w.broken),
            MLS_RULE_LEAF_COMMIT_KEY);
    w.scope.extensions.raw = check_hex("f009 00");
    REFUSED(&w, mls_path_leaf_validate(&w.scope, n, 1, NULL, &w.broken),
            MLS_RULE_LEAF_GROUP_EXTENSION);
}

/* [welcome-psk-one] [psk-nonce] */
TEST(psks_of_a_welcome)
{
    struct world w;
    struct mls_psk_id ids[3] = {sample_psk(MLS_PSK_EXTERNAL),
                                sample_psk(MLS_PSK_RESUMPTION),
                                sample_psk(MLS_PSK_RESUMPTION)};
    struct mls_psk_ids psks = {ids, 3};
    enum mls_commit_kind kind;

    world_init(&w);
    CHECK_OK(mls_welcome_psks_check(w.s, &psks, &kind, &w.broken));
    CHECK_EQ(kind, MLS_COMMIT_NORMAL);
    ids[1].usage = MLS_PSK_BRANCH;
    CHECK_OK(mls_welcome_psks_check(w.s, &psks, &kind, &w.broken));
    CHECK_EQ(kind, MLS_COMMIT_BRANCH);
    ids[2].usage = MLS_PSK_REINIT;
    REFUSED(&w, mls_welcome_psks_check(w.s, &psks, &kind, &w.broken),
            MLS_RULE_WELCOME_PSK_ONE);
    ids[0].nonce.len = 0;
    REFUSED(&w, mls_welcome_psks_check(w.s, &psks, &kind, &w.broken),
            MLS_RULE_PSK_NONCE);
}

TEST(validate_torture)
{
    struct world w;
    struct mls_proposal p[3];
    struct mls_listed list[3];

    world_init(&w);
    p[0] = add_of(&w.guest.kp);
    p[1] = remove_of(2);
    p[2] = psk_of(MLS_PSK_EXTERNAL, 0);
    for (size_t i = 0; i < 3; i++) {
        list[i] = by_member(&p[i], 3);
    }
    for (uint64_t at = 1;; at++) {
        struct fail_mem f;
        enum err e;

        fail_mem_init(&f, at);
        w.scope.mem = &f.mem;
        w.broken = MLS_RULE_NONE;
        e = mls_list_validate(&w.scope, MLS_COMMIT_NORMAL, 0, list, 3,
                              &w.broken);
        e = e != OK ? e
                    : mls_leaves_check(&f.mem, &w.scope.leaves,
                                       w.scope.extensions, &w.broken);
        CHECK_EQ(f.live, 0);
        CHECK_EQ(w.broken, MLS_RULE_NONE);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

int
main(void)
{
    return RUN(T(leaf_rules), T(leaf_sources), T(key_package_rules),
               T(key_package_signatures), T(lifetimes),
               T(leaf_against_the_group), T(extensions_of_a_group),
               T(group_infos), T(group_info_signature), T(leaf_among_others),
               T(more_credential_types_than_we_count), T(unique_keys),
               T(a_good_list), T(updates_and_removes), T(leaf_of_an_update),
               T(adds), T(a_full_tree), T(psks), T(other_proposals),
               T(new_extensions), T(external_commits),
               T(which_proposals_need_a_path), T(leaf_of_a_path),
               T(psks_of_a_welcome), T(validate_torture));
}
