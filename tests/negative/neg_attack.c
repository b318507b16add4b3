/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/negative/neg.h"

#include <string.h>

enum err
neg_keep(struct neg *n, struct view v, struct view *out)
{
    return arena_copy(&n->arena, v, out);
}

struct mls_content
neg_content(const struct neg *n, enum mls_content_type type)
{
    const struct mls_epoch *now = n->alice->now;

    return (struct mls_content){
        .group_id = now->context.group_id,
        .epoch = now->context.epoch,
        .sender = {MLS_SENDER_MEMBER, now->own},
        .authenticated_data = VIEW_LIT("aad"),
        .type = type,
    };
}

enum err
neg_public(struct neg *n, const struct mls_content *c,
           const struct prim_sign_key *key, struct view tag, struct bytes *out)
{
    enum err e;
    const struct mls_epoch *now = n->alice->now;
    struct view context = view_of(&now->encoded);
    uint8_t sig[PRIM_SIG_MAX];
    size_t len = 0;
    struct mls_authenticated x = {MLS_WIRE_PUBLIC, *c, {{0}, tag}};

    TRY(mls_content_sign(now->suite, mem_heap(), MLS_WIRE_PUBLIC, c, context,
                         key, sig, &len));
    x.auth.signature = view_make(sig, len);
    TRY(mls_public_seal(now->suite, mem_heap(), &x, context,
                        &now->keys.membership, out));
out:
    return e;
}

enum err
neg_propose(struct neg *n, enum neg_who from, const struct mls_proposal *p,
            struct bytes *out)
{
    struct mls_content c = neg_content(n, MLS_CONTENT_PROPOSAL);

    c.sender.index = (uint32_t)from;
    c.u.proposal = p;
    return neg_public(n, &c, &n->who[from].key, (struct view){0}, out);
}

static const uint8_t NO_TAG[32];

enum err
neg_commit(struct neg *n, const struct mls_proposal *p, size_t count,
           const struct mls_update_path *path, struct bytes *out)
{
    struct mls_content c = neg_content(n, MLS_CONTENT_COMMIT);
    struct mls_proposal_or_ref *list =
        arena_calloc(&n->arena, count + 1, sizeof(*list));
    struct mls_commit commit = {list, (uint32_t)count, path};

    if (list == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        list[i].type = MLS_BY_VALUE;
        list[i].u.proposal = p[i];
    }
    c.u.commit = &commit;
    return neg_public(n, &c, &n->who[NEG_ALICE].key, VIEW_ARRAY(NO_TAG), out);
}

/* Copies of what a commit points to, to be changed. */
static enum err
take_apart(struct neg *n, struct view message, struct neg_commit_parts *p)
{
    enum err e;
    struct view in;
    struct mls_message m;
    const struct mls_commit *c;

    TRY(neg_keep(n, message, &in));
    TRY(mls_message_decode(&n->arena, in, &m, NULL));
    p->content = m.u.public_message.content;
    p->content.encoded = (struct view){0};
    p->x.auth = m.u.public_message.auth;
    c = p->content.u.commit;
    p->commit = *c;
    p->content.u.commit = &p->commit;
    p->proposals = arena_calloc(&n->arena, c->count + 4, sizeof(*p->proposals));
    TRY(p->proposals == NULL ? ERR_NOMEM : OK);
    if (c->count > 0) {
        memcpy(p->proposals, c->proposals, c->count * sizeof(*c->proposals));
    }
    p->commit.proposals = p->proposals;
    if (c->path != NULL) {
        p->path = *c->path;
        p->nodes =
            arena_calloc(&n->arena, p->path.count + 1, sizeof(*p->nodes));
        TRY(p->nodes == NULL ? ERR_NOMEM : OK);
        memcpy(p->nodes, p->path.nodes, p->path.count * sizeof(*p->nodes));
        p->path.nodes = p->nodes;
        p->commit.path = &p->path;
    }
out:
    return e;
}

enum err
neg_changed_commit(struct neg *n, const struct mls_commit_opts *opts,
                   enum err (*change)(struct neg *n,
                                      struct neg_commit_parts *p),
                   struct bytes *out)
{
    enum err e;
    struct mls_committed c = {0};
    struct neg_commit_parts p = {0};

    TRY(mls_commit(n->alice, opts, &c));
    TRY(take_apart(n, view_of(&c.commit), &p));
    p.next = c.stage->next;
    TRY(change(n, &p));
    TRY(neg_public(n, &p.content, &n->who[NEG_ALICE].key,
                   p.x.auth.confirmation_tag, out));
out:
    mls_committed_clear(&c);
    return e;
}

enum err
neg_changed_external(struct neg *n,
                     enum err (*change)(struct neg *n,
                                        struct neg_commit_parts *p),
                     struct bytes *out)
{
    enum err e;
    struct bytes info = {0};
    struct mls_external_made made = {0};
    struct mls_external_opts opts = {0};
    struct neg_commit_parts p = {0};

    TRY(mls_group_info(n->alice, true, &info));
    opts.group_info = view_of(&info);
    TRY(mls_join_external(&n->env, &n->who[NEG_DAVE].id, &opts, &made));
    TRY(take_apart(n, view_of(&made.commit), &p));
    p.next = made.group->now;
    TRY(change(n, &p));
    TRY(neg_public(n, &p.content, &n->who[NEG_DAVE].key,
                   p.x.auth.confirmation_tag, out));
out:
    mls_external_made_clear(&made);
    bytes_free(&info);
    return e;
}

enum err
neg_sign_leaf(struct neg *n, enum neg_who who, uint32_t leaf_index,
              struct mls_leaf_node *l)
{
    enum err e;
    uint8_t sig[PRIM_SIG_MAX];
    size_t len = 0;
    const struct mls_epoch *now = n->alice->now;
    struct view group_id = l->source == MLS_LEAF_KEY_PACKAGE
                               ? (struct view){0}
                               : now->context.group_id;

    TRY(mls_leaf_node_sign(now->suite, mem_heap(), l, group_id, leaf_index,
                           &n->who[who].key, sig, &len));
    TRY(neg_keep(n, view_make(sig, len), &l->signature));
out:
    return e;
}

/* Sign a changed key package and write it as a message. */
static enum err
finish_package(struct neg *n, enum neg_who who, struct mls_message *m,
               bool sign, struct bytes *out)
{
    enum err e;
    struct mls_key_package *kp = &m->u.key_package;
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    uint8_t sig[PRIM_SIG_MAX];
    size_t len = 0;

    if (sign) {
        TRY(neg_sign_leaf(n, who, 0, &kp->leaf_node));
        TRY(mls_key_package_sign(n->alice->now->suite, mem_heap(), kp,
                                 &n->who[who].key, sig, &len));
        TRY(neg_keep(n, view_make(sig, len), &kp->signature));
    }
    mls_message_write(&w, m);
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

enum err
neg_key_package(struct neg *n, enum neg_who who,
                enum err (*change)(struct neg *n, struct mls_key_package *kp),
                struct bytes *out)
{
    enum err e;
    struct mls_key_package_made made = {0};
    struct mls_key_package_opts opts = {.suite = n->suite,
                                        .not_before_s = 1699999000,
                                        .not_after_s = 1701000000};
    struct mls_message m;
    struct view in;
    struct view leaf_sig;
    struct view sig;

    TRY(mls_key_package_make(&n->env, &n->who[who].id, &opts, &made));
    TRY(neg_keep(n, view_of(&made.key_package), &in));
    TRY(mls_message_decode(&n->arena, in, &m, NULL));
    leaf_sig = m.u.key_package.leaf_node.signature;
    sig = m.u.key_package.signature;
    if (change != NULL) {
        TRY(change(n, &m.u.key_package));
    }
    /* a change of a signature is not signed away again */
    TRY(finish_package(n, who, &m,
                       leaf_sig.p == m.u.key_package.leaf_node.signature.p &&
                           sig.p == m.u.key_package.signature.p,
                       out));
out:
    mls_key_package_made_clear(&made);
    return e;
}

enum err
neg_commit_off(struct neg *n, const struct mls_commit_opts *opts,
               struct bytes *out)
{
    enum err e;
    struct mls_committed c = {0};

    neg_rules_off(true);
    e = mls_commit(n->alice, opts, &c);
    neg_rules_off(false);
    if (e == OK) {
        *out = bytes_take(&c.commit);
    }
    mls_committed_clear(&c);
    return e;
}

enum err
neg_commit_one(struct neg *n, const struct mls_proposal_in *in, size_t count,
               struct bytes *out)
{
    struct mls_commit_opts opts = {.proposals = in, .proposals_len = count};

    return neg_commit_off(n, &opts, out);
}
