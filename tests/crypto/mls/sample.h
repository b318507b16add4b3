/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One well-formed value of every wire struct, for tests of crypto/mls.  Keys
 * and signatures are only bytes of the right length.
 */
#ifndef TESTS_CRYPTO_MLS_SAMPLE_H
#define TESTS_CRYPTO_MLS_SAMPLE_H

#include "crypto/mls/types.h"

#define SAMPLE_UNUSED __attribute__((unused))

static const uint8_t SAMPLE_KEY_A[32] = {0xa1, 0xa2};
static const uint8_t SAMPLE_KEY_B[32] = {0xb1, 0xb2};
static const uint8_t SAMPLE_KEY_C[32] = {0xc1, 0xc2};
static const uint8_t SAMPLE_SIG[64] = {0x51};

/* GREASE 0x0a0a with one byte of data. */
static const uint8_t SAMPLE_GREASE[] = {0x0a, 0x0a, 1, 0x99};

SAMPLE_UNUSED static struct mls_capabilities
sample_capabilities(void)
{
    return (struct mls_capabilities){
        .versions = MLS_U16S("\x00\x01"),
        .suites = MLS_U16S("\x00\x01\x00\x03"),
        .extensions = MLS_U16S("\x0a\x0a\xf0\x01"),
        .proposals = MLS_U16S("\x1a\x1a\xf0\x02"),
        .credentials = MLS_U16S("\x00\x01\x2a\x2a"),
    };
}

SAMPLE_UNUSED static struct mls_leaf_node
sample_leaf(enum mls_leaf_source source)
{
    return (struct mls_leaf_node){
        .encryption_key = VIEW_ARRAY(SAMPLE_KEY_A),
        .signature_key = VIEW_ARRAY(SAMPLE_KEY_B),
        .credential = {MLS_CREDENTIAL_BASIC, VIEW_LIT("alice")},
        .capabilities = sample_capabilities(),
        .source = source,
        .lifetime = {1000, 2000},
        .parent_hash = VIEW_LIT("parent hash"),
        .extensions = {VIEW_ARRAY(SAMPLE_GREASE)},
        .signature = VIEW_ARRAY(SAMPLE_SIG),
    };
}

SAMPLE_UNUSED static struct mls_key_package
sample_key_package(void)
{
    return (struct mls_key_package){
        .version = MLS_VERSION_10,
        .suite = 3,
        .init_key = VIEW_ARRAY(SAMPLE_KEY_C),
        .leaf_node = sample_leaf(MLS_LEAF_KEY_PACKAGE),
        .extensions = {VIEW_ARRAY(SAMPLE_GREASE)},
        .signature = VIEW_ARRAY(SAMPLE_SIG),
    };
}

SAMPLE_UNUSED static struct mls_psk_id
sample_psk(enum mls_psk_type type)
{
    return (struct mls_psk_id){
        .type = type,
        .id = VIEW_LIT("outside"),
        .usage = MLS_PSK_APPLICATION,
        .group_id = VIEW_LIT("group"),
        .epoch = 7,
        .nonce = VIEW_ARRAY(SAMPLE_KEY_A),
    };
}

SAMPLE_UNUSED static struct mls_group_context
sample_context(void)
{
    return (struct mls_group_context){
        .version = MLS_VERSION_10,
        .suite = 3,
        .group_id = VIEW_LIT("group"),
        .epoch = 0x0102030405060708,
        .tree_hash = VIEW_ARRAY(SAMPLE_KEY_A),
        .confirmed_transcript_hash = VIEW_ARRAY(SAMPLE_KEY_B),
        .extensions = {VIEW_ARRAY(SAMPLE_GREASE)},
    };
}

/* What sample_commit points to. */
struct sample_commit {
    struct mls_key_package add;
    struct mls_leaf_node update;
    struct mls_proposal_or_ref proposals[10];
    struct mls_hpke_ciphertext secrets[2];
    struct mls_update_path_node nodes[2];
    struct mls_update_path path;
    struct mls_commit commit;
};

/* A commit with every kind of proposal, by value and by reference. */
SAMPLE_UNUSED static void
sample_commit_init(struct sample_commit *x)
{
    static const uint16_t TYPES[] = {1, 2, 3, 4, 4, 5, 6, 7, 0xf002};

    x->add = sample_key_package();
    x->update = sample_leaf(MLS_LEAF_UPDATE);
    for (size_t i = 0; i < 9; i++) {
        struct mls_proposal_or_ref *p = &x->proposals[i];

        *p = (struct mls_proposal_or_ref){
            .type = MLS_BY_VALUE, .u = {.proposal = {.type = TYPES[i]}}};
    }
    x->proposals[0].u.proposal.u.add = &x->add;
    x->proposals[1].u.proposal.u.update = &x->update;
    x->proposals[2].u.proposal.u.remove = 0x01020304;
    x->proposals[3].u.proposal.u.psk = sample_psk(MLS_PSK_EXTERNAL);
    x->proposals[4].u.proposal.u.psk = sample_psk(MLS_PSK_RESUMPTION);
    x->proposals[5].u.proposal.u.reinit =
        (struct mls_reinit){VIEW_LIT("next"), MLS_VERSION_10, 1, {{0}}};
    x->proposals[6].u.proposal.u.kem_output = VIEW_ARRAY(SAMPLE_KEY_C);
    x->proposals[7].u.proposal.u.extensions.raw = VIEW_ARRAY(SAMPLE_GREASE);
    x->proposals[8].u.proposal.u.unknown = VIEW_LIT("who knows");
    x->proposals[9] = (struct mls_proposal_or_ref){
        .type = MLS_BY_REFERENCE, .u = {.reference = VIEW_LIT("a ref")}};
    for (size_t i = 0; i < 2; i++) {
        x->secrets[i] = (struct mls_hpke_ciphertext){VIEW_ARRAY(SAMPLE_KEY_A),
                                                     VIEW_LIT("ciphertext")};
        x->nodes[i] = (struct mls_update_path_node){VIEW_ARRAY(SAMPLE_KEY_B),
                                                    x->secrets, 2};
    }
    x->nodes[1].count = 0;
    x->path =
        (struct mls_update_path){sample_leaf(MLS_LEAF_COMMIT), x->nodes, 2};
    x->commit = (struct mls_commit){x->proposals, 10, &x->path};
}

SAMPLE_UNUSED static struct mls_content
sample_content(const struct mls_commit *commit, enum mls_sender_type sender)
{
    return (struct mls_content){
        .group_id = VIEW_LIT("group"),
        .epoch = 3,
        .sender = {sender, 5},
        .authenticated_data = VIEW_LIT("aad"),
        .type = MLS_CONTENT_COMMIT,
        .u = {.commit = commit},
    };
}

#endif
