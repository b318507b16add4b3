/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/group_int.h"

#include "crypto/mls/transcript.h"
#include "crypto/mls/tree_hash.h"

enum err
mls_epoch_new(const struct mem *mem, const struct mls_suite *suite,
              struct mls_epoch **out)
{
    struct mls_epoch *epoch = mem_alloc(mem, sizeof(*epoch));

    if (epoch == NULL) {
        return ERR_NOMEM;
    }
    epoch->mem = mem;
    epoch->suite = suite;
    epoch->tree = mls_tree_empty(mem, suite);
    *out = epoch;
    return OK;
}

void
mls_epoch_free(struct mls_epoch *epoch)
{
    if (epoch == NULL) {
        return;
    }
    mls_tree_free(&epoch->tree);
    bytes_free(&epoch->encoded);
    mls_secret_tree_free(epoch->secrets);
    mem_free(epoch->mem, epoch, sizeof(*epoch));
}

enum err
mls_epoch_set_context(struct mls_epoch *epoch,
                      const struct mls_group_context *c)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(epoch->mem);
    struct bytes encoded = {0};
    struct mls_group_context context;

    mls_group_context_write(&w, c);
    TRY(proto_tls_wr_take(&w, &encoded));
    TRY(mls_group_context_decode(view_of(&encoded), &context));
    bytes_free(&epoch->encoded);
    epoch->encoded = bytes_take(&encoded);
    epoch->context = context;
out:
    bytes_free(&encoded);
    return e;
}

enum err
mls_epoch_derive(struct mls_epoch *epoch, const struct prim_secret *joiner,
                 const struct prim_secret *psk)
{
    enum err e;
    SCRUBBED_STRUCT(mls_epoch_keys, keys);
    struct mls_secret_tree *secrets = NULL;

    mls_epoch_keys_derive(epoch->suite, joiner, psk, view_of(&epoch->encoded),
                          &keys);
    TRY(mls_secret_tree_new(epoch->mem, epoch->suite,
                            mls_tree_leaves(&epoch->tree), &keys.encryption,
                            &secrets));
    prim_secret_wipe(&keys.encryption);
    epoch->keys = keys;
    mls_secret_tree_free(epoch->secrets);
    epoch->secrets = secrets;
out:
    return e;
}

void
mls_epoch_retire(struct mls_epoch *epoch)
{
    struct prim_secret sender_data = epoch->keys.sender_data;

    mls_epoch_keys_wipe(&epoch->keys);
    epoch->keys.sender_data = sender_data;
    prim_secret_wipe(&sender_data);
    mls_tree_keys_wipe(&epoch->tree_keys);
    mem_wipe(&epoch->sign, sizeof(epoch->sign));
    epoch->past = true;
    epoch->saved = false;
}

static const struct mls_leaf_node *
leaf_at(const void *ctx, uint32_t index)
{
    return mls_tree_leaf(ctx, index);
}

struct mls_leaves
mls_tree_as_leaves(const struct mls_tree *t)
{
    return (struct mls_leaves){leaf_at, t, mls_tree_leaves(t)};
}

void
mls_epoch_mark(const struct mls_epoch *epoch, struct mls_hash *out)
{
    struct view part = view_of(&epoch->encoded);

    mls_hash_parts(epoch->suite, &part, 1, out);
}

enum err
mls_build_provisional(struct mls_build *b, struct mls_epoch *next)
{
    enum err e;
    struct mls_group_context c = b->old->context;
    struct mls_hash tree_hash;

    if (next->tree.count == 0) {
        next->tree = b->tree;
        b->tree = (struct mls_tree){0};
    }
    TRY(mls_tree_root_hash(&next->tree, &tree_hash));
    c.epoch++;
    c.tree_hash = mls_hash_view(&tree_hash);
    c.extensions = b->extensions;
    TRY(mls_epoch_set_context(next, &c));
out:
    return e;
}

enum err
mls_build_finish(const struct mls_build *b, const struct mls_finish *f,
                 struct mls_epoch *next)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(next->mem);
    struct mls_group_context c = next->context;
    struct mls_hash confirmed;
    struct view input;
    SCRUBBED_SECRET(joiner);

    mls_authenticated_write_transcript(&w, f->commit);
    TRY(w.e);
    input = proto_tls_wr_view(&w);
    mls_confirmed_hash(next->suite, mls_hash_view(&b->old->interim), &input, 1,
                       &confirmed);
    c.confirmed_transcript_hash = mls_hash_view(&confirmed);
    TRY(mls_epoch_set_context(next, &c));
    mls_joiner_secret(next->suite, f->init, f->commit_secret,
                      view_of(&next->encoded), &joiner);
    TRY(mls_epoch_derive(next, &joiner, f->psk_secret));
    mls_confirmation_tag(next->suite, &next->keys.confirmation,
                         mls_hash_view(&confirmed), &next->tag);
    mls_interim_hash(next->suite, mls_hash_view(&confirmed),
                     mls_hash_view(&next->tag), &next->interim);
    if (f->joiner_out != NULL) {
        *f->joiner_out = joiner;
    }
out:
    proto_tls_wr_clear(&w);
    return e;
}
