/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains, revocations, statements of nodes and recovery sheets from anybody:
 * none is accepted without its signature, whatever is around it.  Bytes that
 * are a certificate are signed here, so that the reader behind the signature
 * is reached too.
 */
#include "crypto/ident/cert.h"
#include "crypto/ident/profile.h"
#include "crypto/ident/sheet.h"
#include "proto/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_signed(struct view in)
{
    static const uint8_t seed[PRIM_ED25519_SEED] = {1};
    struct prim_sign_key key;
    struct bytes renewal = {0};
    struct bytes chain = {0};
    struct ident_node n;
    struct ident_check check = {0};
    uint64_t min;
    struct clinic_id root;

    prim_ed25519_from_seed(seed, &key);
    memcpy(root.b, key.pub, sizeof(root.b));
    if (ident_signed_make(mem_heap(), IDENT_RENEWAL, &key, in, &renewal) ==
            OK &&
        ident_chain_make(mem_heap(), view_of(&renewal), view_of(&renewal),
                         &chain) == OK) {
        ASSERT(ident_chain_verify(mem_heap(), view_of(&chain), &check, &n) !=
               OK);
    }
    bytes_free(&renewal);
    bytes_free(&chain);
    if (ident_signed_make(mem_heap(), IDENT_REVOKE, &key, in, &renewal) == OK &&
        ident_revoke_open(mem_heap(), &root, view_of(&renewal), &min) == OK) {
        struct bytes again = {0};

        ASSERT(ident_revoke_make(mem_heap(), &key, min, &again) == OK);
        ASSERT(view_equal(view_of(&again), view_of(&renewal)));
        bytes_free(&again);
    }
    bytes_free(&renewal);
}

/* What a node of a known clinic signed as its profile, whatever it says. */
static void
check_profile(struct view in)
{
    static const uint8_t seed[PRIM_ED25519_SEED] = {1};
    struct prim_sign_key key;
    struct ident_cert cert = {.not_after_ms = UINT32_MAX};
    struct bytes renewal = {0};
    struct bytes node = {0};
    struct bytes chain = {0};
    struct bytes text = {0};
    struct bytes again = {0};
    struct ident_check check = {.root = &cert.root, .now_ms = 1};
    struct ident_profile p;

    prim_ed25519_from_seed(seed, &key);
    memcpy(cert.root.b, key.pub, sizeof(cert.root.b));
    memcpy(cert.key, key.pub, sizeof(cert.key));
    cert.generation = ident_generation(1, 0);
    ASSERT(ident_cert_make(mem_heap(), IDENT_RENEWAL, &key, &cert, &renewal) ==
           OK);
    cert.generation = ident_generation(1, 1);
    ASSERT(ident_cert_make(mem_heap(), IDENT_NODE, &key, &cert, &node) == OK);
    ASSERT(ident_chain_make(mem_heap(), view_of(&renewal), view_of(&node),
                            &chain) == OK);
    if (ident_by_node_make(mem_heap(), IDENT_PROFILE, &key, view_of(&chain), in,
                           &text) == OK &&
        ident_profile_open(mem_heap(), view_of(&text), &check, &p) == OK) {
        ASSERT(ident_profile_make(mem_heap(), &key, view_of(&chain), &p,
                                  &again) == OK);
        ASSERT(view_equal(view_of(&again), view_of(&text)));
    }
    bytes_free(&renewal);
    bytes_free(&node);
    bytes_free(&chain);
    bytes_free(&text);
    bytes_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = view_make(data, size);
    struct clinic_id root = {{0}};
    struct ident_check check = {.root = &root};
    struct ident_node n;
    struct ident_profile p;
    struct link_id old = {{0}};
    struct view text;
    uint64_t min;
    uint8_t seed[PRIM_ED25519_SEED];
    unsigned bad;

    ASSERT(ident_chain_verify(mem_heap(), in, &check, &n) != OK);
    ASSERT(ident_profile_open(mem_heap(), in, &check, &p) != OK);
    ASSERT(ident_forward_open(mem_heap(), in, &check, &old, &text) != OK);
    ASSERT(ident_revoke_open(mem_heap(), &root, in, &min) != OK);
    check_signed(in);
    check_profile(in);
    if (ident_sheet_read(in, seed, &bad) == OK) {
        struct bytes words = {0};
        uint8_t again[PRIM_ED25519_SEED];

        ASSERT(ident_sheet_words(mem_heap(), seed, &words) == OK);
        ASSERT(ident_sheet_read(view_of(&words), again, &bad) == OK);
        ASSERT(view_equal(VIEW_ARRAY(seed), VIEW_ARRAY(again)));
        bytes_free(&words);
    }
    return 0;
}
