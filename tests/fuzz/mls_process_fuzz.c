/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mls_process, mls_unprotect and joining, with a fixed group of three and an
 * attacker who is one of them: the input is signed, tagged or sealed as it has
 * to be, so that it gets past the cryptography.  The first byte says what the
 * rest is.  Whatever comes back, Bob's state is as before: a refused message
 * changes nothing, an accepted one is undone or its stage dropped.
 */
#include "crypto/mls/tree_hash.h"
#include "proto/base/assert.h"
#include "tests/crypto/mls/attacker.h"
#include "tests/negative/neg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum kind {
    RAW_HANDSHAKE, /* an MLSMessage */
    RAW_APPLICATION,
    PROPOSAL,    /* a Proposal, of Alice */
    FROM_SENDER, /* likewise, of the external sender */
    COMMIT,      /* a Commit, of Alice; its leaf is signed again */
    EXTERNAL,    /* likewise, of Dave, who joins by it */
    PLAINTEXT,   /* of a PrivateMessage with application data */
    TREE,        /* a ratchet_tree in a GroupInfo */
    KINDS
};

static struct neg world;
static struct bytes before;

static void
save(struct bytes *out)
{
    struct mls_change *all = NULL;
    struct mls_record r;

    ASSERT(mls_save(world.bob, MLS_SAVE_ALL, &all) == OK);
    for (size_t i = 0; i < mls_change_count(all); i++) {
        mls_change_at(all, i, &r);
        ASSERT(bytes_append(mem_heap(), out, VIEW_ARRAY(r.key)) == OK);
        ASSERT(bytes_append(mem_heap(), out, r.bytes) == OK);
    }
    mls_change_free(all);
}

static void
process(struct view message)
{
    struct mls_processed p = {0};

    world.broken = MLS_RULE_NONE;
    if (mls_process(world.bob, message, &p) == OK && p.change != NULL) {
        mls_undo(world.bob, &p.change);
    }
    mls_processed_clear(&p);
}

static void
unprotect(struct view message)
{
    struct mls_unprotected u = {0};

    if (mls_unprotect(world.bob, message, &u) == OK) {
        mls_undo(world.bob, &u.change);
    }
    mls_unprotected_clear(&u);
}

static void
proposal(struct view in, bool member)
{
    struct mls_content c = neg_content(&world, MLS_CONTENT_PROPOSAL);
    struct mls_proposal p;
    struct bytes message = {0};

    if (mls_proposal_decode(&world.arena, in, &p) != OK) {
        return;
    }
    c.u.proposal = &p;
    if (!member) {
        c.sender = (struct mls_sender){MLS_SENDER_EXTERNAL, 0};
    }
    ASSERT(neg_public(&world, &c,
                      &world.who[member ? NEG_ALICE : NEG_SENDER].key,
                      (struct view){0}, &message) == OK);
    process(view_of(&message));
    bytes_free(&message);
}

static void
commit(struct view in, enum neg_who who)
{
    static const uint8_t TAG[32];
    struct mls_content c = neg_content(&world, MLS_CONTENT_COMMIT);
    struct mls_commit x;
    struct mls_update_path path;
    struct bytes message = {0};

    if (mls_commit_decode(&world.arena, in, &x) != OK) {
        return;
    }
    if (x.path != NULL) {
        path = *x.path;
        path.leaf_node.signature_key = world.who[who].id.signature_key;
        ASSERT(neg_sign_leaf(&world, who, (uint32_t)who, &path.leaf_node) ==
               OK);
        x.path = &path;
    }
    c.u.commit = &x;
    if (who == NEG_DAVE) {
        c.sender = (struct mls_sender){MLS_SENDER_NEW_MEMBER_COMMIT, 0};
    }
    ASSERT(neg_public(&world, &c, &world.who[who].key, VIEW_ARRAY(TAG),
                      &message) == OK);
    process(view_of(&message));
    bytes_free(&message);
}

static void
plaintext(struct view in)
{
    const struct mls_epoch *now = world.alice->now;
    struct mls_step *step = NULL;
    struct bytes message = {0};
    struct attack_private x = {
        .suite = now->suite,
        .group_id = now->context.group_id,
        .epoch = now->context.epoch,
        .type = MLS_CONTENT_APPLICATION,
        .sender_data = &now->keys.sender_data,
        .leaf = NEG_ALICE,
        .plaintext = in,
    };

    ASSERT(mls_secret_tree_send(now->secrets, now->own, MLS_RATCHET_APPLICATION,
                                &step) == OK);
    x.key = mls_step_key(step);
    x.generation = mls_step_generation(step);
    ASSERT(attack_private_seal(mem_heap(), &x, &message) == OK);
    unprotect(view_of(&message));
    mls_step_free(step);
    bytes_free(&message);
}

static struct view tree_in;

/* The tree hash is made right where the tree is one. */
static enum err
change_tree(struct neg *n, struct mls_group_info *x)
{
    enum err e = OK;
    struct mls_tree t = {0};
    struct mls_hash hash;

    if (mls_tree_read(mem_heap(), n->alice->now->suite, tree_in, &t, NULL) ==
        OK) {
        TRY(mls_tree_root_hash(&t, &hash));
        TRY(neg_keep(n, mls_hash_view(&hash), &x->context.tree_hash));
    }
    TRY(neg_set_extension(n, &x->extensions, MLS_EXT_RATCHET_TREE, &tree_in));
out:
    mls_tree_free(&t);
    return e;
}

static void
tree(struct view in)
{
    struct bytes info = {0};
    struct mls_external_made made = {0};
    struct mls_external_opts opts = {0};

    tree_in = in;
    ASSERT(neg_changed_info(&world, change_tree, &info) == OK);
    opts.group_info = view_of(&info);
    ERR_IGNORE(mls_join_external(&world.careful, &world.who[NEG_DAVE].id, &opts,
                                 &made),
               "either way is fine");
    mls_external_made_clear(&made);
    bytes_free(&info);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes after = {0};
    struct view in;

    if (world.alice == NULL) {
        ASSERT(neg_init(&world, MLS_SUITE_X25519_CHACHA20) == OK);
        save(&before);
    }
    if (size == 0 || data[0] >= KINDS) {
        return -1;
    }
    in = view_make(data + 1, size - 1);
    switch ((enum kind)data[0]) {
    case RAW_HANDSHAKE:
        process(in);
        break;
    case RAW_APPLICATION:
        unprotect(in);
        break;
    case PROPOSAL:
        proposal(in, true);
        break;
    case FROM_SENDER:
        proposal(in, false);
        break;
    case COMMIT:
        commit(in, NEG_ALICE);
        break;
    case EXTERNAL:
        commit(in, NEG_DAVE);
        break;
    case PLAINTEXT:
        plaintext(in);
        break;
    case TREE:
    case KINDS:
    default:
        tree(in);
    }
    save(&after);
    ASSERT(view_equal(view_of(&after), view_of(&before)));
    bytes_free(&after);
    arena_clear(&world.arena);
    return 0;
}
