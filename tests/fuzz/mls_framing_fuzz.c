/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening of public and private messages by somebody who knows all keys, as a
 * malicious member does.  The first byte chooses: 0 a public message whose
 * membership tag is made right, else the plaintext of a private message of that
 * content type.  Nothing may come out verified, and an accepted plaintext must
 * encode to the same bytes.
 */
#include "proto/base/assert.h"
#include "tests/crypto/mls/attacker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct prim_secret MEMBERSHIP = {32, {1}};
static const struct prim_secret SENDER_DATA = {32, {2}};
static const struct mls_key_nonce RATCHET = {{32, {3}}, {12, {4}}};
static const uint8_t PUBLIC_KEY[32] = {5};

static void
nobody_signed(const struct mls_suite *s, struct arena *a,
              const struct mls_unverified *u)
{
    struct mls_authenticated x;
    struct view key = VIEW_ARRAY(PUBLIC_KEY);
    enum mls_rule broken = MLS_RULE_NONE;

    ERR_IGNORE(mls_unverified_joiner_key(u, &key), "or it is a member");
    ASSERT(mls_authenticate(s, a->mem, u, VIEW_LIT("context"), key, &x,
                            &broken) == ERR_AUTH);
    ASSERT(broken == MLS_RULE_SIGNATURE);
}

/* in is a PublicMessage without its membership tag. */
static void
open_public(const struct mls_suite *s, struct arena *a, struct view in)
{
    struct proto_tls_rd r = proto_tls_rd_open(in);
    struct mls_public_message m = {0};
    struct mls_unverified u;
    struct mls_authenticated x = {.wire = MLS_WIRE_PUBLIC};
    struct mls_hash tag;
    struct proto_tls_wr w = proto_tls_wr_open(a->mem);
    enum mls_rule broken = MLS_RULE_NONE;
    enum err e;

    mls_content_read(&r, a, &m.content);
    mls_auth_read(&r, m.content.type, &m.auth);
    if (proto_tls_rd_end(&r) != OK) {
        return;
    }
    x.content = m.content;
    mls_content_write_tbs(&w, MLS_WIRE_PUBLIC, &m.content, VIEW_LIT("context"));
    mls_auth_write(&w, m.content.type, &m.auth);
    mls_mac(s, &MEMBERSHIP, proto_tls_wr_view(&w), &tag);
    proto_tls_wr_clear(&w);
    m.membership_tag = mls_hash_view(&tag);
    e = mls_public_open(s, a->mem, &m, VIEW_LIT("context"), &MEMBERSHIP, &u,
                        &broken);
    ASSERT(e == mls_rule_err(broken));
    ASSERT(broken != MLS_RULE_MEMBERSHIP_TAG);
    if (e == OK) {
        struct mls_hash ref;

        ASSERT(mls_proposal_ref(s, a->mem, &x, &ref) == OK);
        nobody_signed(s, a, &u);
    }
}

static void
open_private(const struct mls_suite *s, struct arena *a,
             enum mls_content_type type, struct view plaintext)
{
    struct attack_private attack = {
        s,        VIEW_LIT("group"), 7, type,     VIEW_LIT("aad"), &SENDER_DATA,
        &RATCHET, 0x01020304,        9, plaintext};
    struct bytes sealed = {0};
    struct mls_message m;
    struct mls_sender_data from;
    struct mls_unverified u;
    struct proto_tls_wr w = proto_tls_wr_open(a->mem);
    enum mls_rule broken = MLS_RULE_NONE;
    enum err e;

    ASSERT(attack_private_seal(a->mem, &attack, &sealed) == OK);
    ASSERT(mls_message_decode(a, view_of(&sealed), &m, NULL) == OK);
    ASSERT(mls_private_sender(s, a->mem, &m.u.private_message, &SENDER_DATA,
                              &from, NULL) == OK);
    ASSERT(from.leaf_index == 0x01020304 && from.generation == 9);
    e = mls_private_open(s, a, &m.u.private_message, &from, &RATCHET, &u,
                         &broken);
    ASSERT(e == mls_rule_err(broken));
    if (e == OK) {
        mls_content_body_write(&w, &u.hidden_.content);
        mls_auth_write(&w, type, &u.hidden_.auth);
        ASSERT(w.e == OK && w.out.len <= plaintext.len);
        ASSERT(view_equal(proto_tls_wr_view(&w),
                          view_sub(plaintext, 0, w.out.len)));
        nobody_signed(s, a, &u);
    }
    proto_tls_wr_clear(&w);
    bytes_free(&sealed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct mls_suite *s = mls_suite_find(MLS_SUITE_X25519_CHACHA20);
    struct arena a = {.mem = mem_heap()};

    if (size < 2 || data[0] > MLS_CONTENT_COMMIT) {
        return -1;
    }
    if (data[0] == 0) {
        open_public(s, &a, view_make(data + 1, size - 1));
    } else {
        open_private(s, &a, (enum mls_content_type)data[0],
                     view_make(data + 1, size - 1));
    }
    arena_clear(&a);
    return 0;
}
