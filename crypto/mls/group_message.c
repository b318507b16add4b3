/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and opening messages of a group; application data (RFC 9420 6, 15).
 */
#include "crypto/mls/group_int.h"

/* ------------------------------------------------------------------- peeking
 */

enum err
mls_peek(const struct mls_env *env, struct view message, struct mls_peek *out)
{
    enum err e;
    struct arena a = {.mem = env->mem};
    struct mls_message m;
    struct mls_peek p = {0};

    TRY(mls_message_decode(&a, message, &m, mls_begin(env)));
    p.wire = m.wire;
    if (m.wire == MLS_WIRE_PUBLIC) {
        const struct mls_content *c = &m.u.public_message.content;

        p.content = c->type;
        p.group_id = c->group_id;
        p.epoch = c->epoch;
        p.aad = c->authenticated_data;
        p.external = c->sender.type != MLS_SENDER_MEMBER;
    } else if (m.wire == MLS_WIRE_PRIVATE) {
        const struct mls_private_message *c = &m.u.private_message;

        p.content = c->type;
        p.group_id = c->group_id;
        p.epoch = c->epoch;
        p.aad = c->authenticated_data;
    } else if (m.wire == MLS_WIRE_GROUP_INFO) {
        p.group_id = m.u.group_info.context.group_id;
        p.epoch = m.u.group_info.context.epoch;
    }
    *out = p;
out:
    arena_clear(&a);
    return e;
}

enum err
mls_welcome_is_for(const struct mls_env *env, struct view welcome,
                   struct view ref, bool *out)
{
    enum err e;
    enum mls_rule *broken = mls_begin(env);
    struct arena a = {.mem = env->mem};
    struct mls_message m;
    bool found = false;

    TRY(mls_message_decode(&a, welcome, &m, broken));
    /* RFC 9420 6 [wire-format] */
    TRY(mls_require(m.wire == MLS_WIRE_WELCOME, MLS_RULE_WIRE_FORMAT, broken));
    for (uint32_t i = 0; i < m.u.welcome.count && !found; i++) {
        found = view_equal(m.u.welcome.secrets[i].new_member, ref);
    }
    *out = found;
out:
    arena_clear(&a);
    return e;
}

enum err
mls_welcome_refs(const struct mls_env *env, struct view welcome,
                 struct view *refs, size_t max, size_t *len_out)
{
    enum err e;
    enum mls_rule *broken = mls_begin(env);
    struct arena a = {.mem = env->mem};
    struct mls_message m;
    size_t n = 0;

    TRY(mls_message_decode(&a, welcome, &m, broken));
    TRY(mls_require(m.wire == MLS_WIRE_WELCOME, MLS_RULE_WIRE_FORMAT, broken));
    while (n < m.u.welcome.count && n < max) {
        refs[n] = m.u.welcome.secrets[n].new_member;
        n++;
    }
    *len_out = n;
out:
    arena_clear(&a);
    return e;
}

/* ------------------------------------------------------------------- sealing
 */

static enum err
seal_private(struct mls_group *g, const struct mls_authenticated *x,
             size_t padding, struct mls_sealed *out)
{
    enum err e;
    struct mls_epoch *now = g->now;
    enum mls_ratchet type = x->content.type == MLS_CONTENT_APPLICATION
                                ? MLS_RATCHET_APPLICATION
                                : MLS_RATCHET_HANDSHAKE;
    struct mls_step *step = NULL;
    struct mls_private_keys keys = {&now->keys.sender_data, 0, NULL};
    struct bytes message = {0};

    TRY(mls_secret_tree_send(now->secrets, now->own, type, &step));
    keys.generation = mls_step_generation(step);
    keys.key = mls_step_key(step);
    TRY(mls_private_seal(now->suite, g->env.mem, g->env.rng, x, &keys, padding,
                         &message));
    TRY(mls_step_apply(step));
    TRY(mls_change_of(g, now, &step, false, &out->change));
    out->generation = keys.generation;
    out->message = bytes_take(&message);
out:
    bytes_free(&message);
    mls_step_free(step);
    return e;
}

enum err
mls_seal(struct mls_group *g, const struct mls_authenticated *x, size_t padding,
         struct mls_sealed *out)
{
    if (x->wire == MLS_WIRE_PRIVATE) {
        return seal_private(g, x, padding, out);
    }
    return mls_public_seal(g->now->suite, g->env.mem, x,
                           view_of(&g->now->encoded), &g->now->keys.membership,
                           &out->message);
}

void
mls_protected_clear(struct mls_protected *p)
{
    bytes_free(&p->message);
    mls_change_free(p->change);
    *p = (struct mls_protected){0};
}

enum err
mls_protect(struct mls_group *group, struct view plaintext, struct view aad,
            size_t padding, struct mls_protected *out)
{
    enum err e;
    enum mls_rule *broken = mls_begin(&group->env);
    const struct mls_epoch *now = group->now;
    struct mls_authenticated x = {.wire = MLS_WIRE_PRIVATE};
    struct mls_sealed sealed = {0};
    uint8_t sig[PRIM_SIG_MAX];
    size_t sig_len = 0;

    /* RFC 9420 12.4.2 [member-removed] */
    TRY(mls_require(!group->removed, MLS_RULE_MEMBER_REMOVED, broken));
    /* RFC 9420 12.4.2 [group-suspended] */
    TRY(mls_require(group->reinit.len == 0, MLS_RULE_GROUP_SUSPENDED, broken));
    if (plaintext.len > LIMIT_MLS_MESSAGE || padding > LIMIT_MLS_MESSAGE ||
        aad.len > LIMIT_MLS_MESSAGE) {
        return ERR_LIMIT;
    }
    x.content = (struct mls_content){
        .group_id = now->context.group_id,
        .epoch = now->context.epoch,
        .sender = {MLS_SENDER_MEMBER, now->own},
        .authenticated_data = aad,
        .type = MLS_CONTENT_APPLICATION,
        .u.application = plaintext,
    };
    TRY(mls_content_sign(now->suite, group->env.mem, x.wire, &x.content,
                         view_of(&now->encoded), &now->sign, sig, &sig_len));
    x.auth.signature = view_make(sig, sig_len);
    TRY(mls_seal(group, &x, padding, &sealed));
    out->message = sealed.message;
    out->generation = sealed.generation;
    out->change = sealed.change;
out:
    return e;
}

/* ------------------------------------------------------------------- opening
 */

void
mls_opened_clear(struct mls_opened *o)
{
    mls_step_free(o->step);
    o->step = NULL;
    arena_clear(&o->arena);
}

/* The epoch a message is of: the present one, or for application messages a
 * past one that is kept. */
static enum err
find_epoch(struct mls_group *g, struct view group_id, uint64_t epoch,
           bool application, struct mls_epoch **out, enum mls_rule *broken)
{
    enum err e;

    /* RFC 9420 6 [message-group] */
    TRY(mls_require(view_equal(group_id, g->now->context.group_id),
                    MLS_RULE_MESSAGE_GROUP, broken));
    /* RFC 9420 12.4.2 [message-epoch-future] */
    TRY(mls_require(epoch <= g->now->context.epoch,
                    MLS_RULE_MESSAGE_EPOCH_FUTURE, broken));
    if (epoch == g->now->context.epoch) {
        /* RFC 9420 12.4.2 [group-suspended] */
        TRY(mls_require(application || g->reinit.len == 0,
                        MLS_RULE_GROUP_SUSPENDED, broken));
        *out = g->now;
        return OK;
    }
    for (uint32_t i = 0; application && i < g->past_count; i++) {
        if (g->past[i]->context.epoch == epoch) {
            *out = g->past[i];
            return OK;
        }
    }
    /* RFC 9420 12.4.2 [message-epoch-past] */
    e = mls_broken(MLS_RULE_MESSAGE_EPOCH_PAST, broken);
out:
    return e;
}

/* A step for the key that a private message names. */
static enum err
find_key(struct mls_epoch *epoch, const struct mls_private_message *m,
         const struct mls_sender_data *from, struct mls_step **out,
         enum mls_rule *broken)
{
    enum err e;
    enum mls_ratchet type = m->type == MLS_CONTENT_APPLICATION
                                ? MLS_RATCHET_APPLICATION
                                : MLS_RATCHET_HANDSHAKE;

    e = mls_secret_tree_receive(epoch->secrets, from->leaf_index, type,
                                from->generation, out);
    /* RFC 9420 9.1 [generation-used] */
    TRY(mls_require_ok(e, ERR_EXISTS, MLS_RULE_GENERATION_USED, broken));
out:
    /* RFC 9420 15.3 [generation-forward] */
    return mls_require_ok(e, ERR_LIMIT, MLS_RULE_GENERATION_FORWARD, broken);
}

static enum err
open_private(struct mls_group *g, struct mls_opened *o,
             struct mls_unverified *out, enum mls_rule *broken)
{
    enum err e;
    const struct mls_private_message *m = &o->message.u.private_message;
    struct mls_sender_data from;

    TRY(find_epoch(g, m->group_id, m->epoch, m->type == MLS_CONTENT_APPLICATION,
                   &o->epoch, broken));
    TRY(mls_private_sender(o->epoch->suite, g->env.mem, m,
                           &o->epoch->keys.sender_data, &from, broken));
    /* RFC 9420 6.3.2 [sender-data-leaf] */
    TRY(mls_require(mls_tree_leaf(&o->epoch->tree, from.leaf_index) != NULL,
                    MLS_RULE_SENDER_DATA_LEAF, broken));
    /* RFC 9420 6.3 [own-message]: our own keys are used up by sending */
    TRY(mls_require(from.leaf_index != o->epoch->own, MLS_RULE_OWN_MESSAGE,
                    broken));
    TRY(find_key(o->epoch, m, &from, &o->step, broken));
    TRY(mls_private_open(o->epoch->suite, &o->arena, m, &from,
                         mls_step_key(o->step), out, broken));
out:
    return e;
}

static enum err
open_public(struct mls_group *g, struct mls_opened *o,
            struct mls_unverified *out, enum mls_rule *broken)
{
    enum err e;
    const struct mls_public_message *m = &o->message.u.public_message;

    TRY(find_epoch(g, m->content.group_id, m->content.epoch, false, &o->epoch,
                   broken));
    TRY(mls_public_open(o->epoch->suite, g->env.mem, m,
                        view_of(&o->epoch->encoded), &o->epoch->keys.membership,
                        out, broken));
    /* RFC 9420 6.3 [own-message] */
    TRY(mls_require(m->content.sender.type != MLS_SENDER_MEMBER ||
                        m->content.sender.index != o->epoch->own,
                    MLS_RULE_OWN_MESSAGE, broken));
out:
    return e;
}

/* RFC 9420 6.1: the key that a sender's signature has to verify under. */
static enum err
sender_key(const struct mls_opened *o, const struct mls_unverified *u,
           struct view *out, enum mls_rule *broken)
{
    enum err e;
    struct mls_sender sender = mls_unverified_sender(u);
    const struct mls_leaf_node *leaf;
    struct mls_external_sender external;

    if (sender.type == MLS_SENDER_MEMBER) {
        leaf = mls_tree_leaf(&o->epoch->tree, sender.index);
        /* RFC 9420 6.1 [sender-leaf] */
        TRY(mls_require(leaf != NULL, MLS_RULE_SENDER_LEAF, broken));
        *out = leaf->signature_key;
    } else if (sender.type == MLS_SENDER_EXTERNAL) {
        TRY(mls_external_sender_find(o->epoch->context.extensions, sender.index,
                                     &external, broken));
        *out = external.signature_key;
    } else {
        TRY(mls_unverified_joiner_key(u, out));
    }
out:
    return e;
}

enum err
mls_open(struct mls_group *g, struct view message, struct mls_opened *out,
         enum mls_rule *broken)
{
    enum err e;
    struct mls_unverified u;
    struct view key;

    out->arena.mem = g->env.mem;
    /* RFC 9420 12.4.2 [member-removed] */
    TRY(mls_require(!g->removed, MLS_RULE_MEMBER_REMOVED, broken));
    TRY(mls_message_decode(&out->arena, message, &out->message, broken));
    if (out->message.wire == MLS_WIRE_PRIVATE) {
        TRY(open_private(g, out, &u, broken));
    } else if (out->message.wire == MLS_WIRE_PUBLIC) {
        TRY(open_public(g, out, &u, broken));
    } else {
        /* RFC 9420 6 [wire-format] */
        TRY(mls_broken(MLS_RULE_WIRE_FORMAT, broken));
    }
    TRY(sender_key(out, &u, &key, broken));
    TRY(mls_authenticate(out->epoch->suite, g->env.mem, &u,
                         view_of(&out->epoch->encoded), key, &out->x, broken));
out:
    return e;
}

void
mls_unprotected_clear(struct mls_unprotected *u)
{
    bytes_free(&u->plaintext);
    bytes_free(&u->aad);
    mls_change_free(u->change);
    *u = (struct mls_unprotected){0};
}

/* Copy out what was opened, then use up the key. */
static enum err
take_application(struct mls_group *g, struct mls_opened *o,
                 struct mls_unprotected *out)
{
    enum err e;
    struct mls_unprotected u = {.sender = o->x.content.sender.index,
                                .epoch = o->x.content.epoch,
                                .generation = mls_step_generation(o->step)};
    const struct mls_leaf_node *leaf = mls_tree_leaf(&o->epoch->tree, u.sender);

    TRY(bytes_copy(g->env.mem, o->x.content.u.application, &u.plaintext));
    TRY(bytes_copy(g->env.mem, o->x.content.authenticated_data, &u.aad));
    mls_member_of(leaf, u.sender, &u.member);
    TRY(mls_step_apply(o->step));
    TRY(mls_change_of(g, o->epoch, &o->step, false, &u.change));
    *out = u;
    u = (struct mls_unprotected){0};
out:
    mls_unprotected_clear(&u);
    return e;
}

enum err
mls_unprotect(struct mls_group *group, struct view message,
              struct mls_unprotected *out)
{
    enum err e;
    struct mls_opened o = {0};

    TRY(mls_open(group, message, &o, mls_begin(&group->env)));
    if (o.x.content.type != MLS_CONTENT_APPLICATION) {
        e = ERR_STATE;
        goto out;
    }
    TRY(take_application(group, &o, out));
out:
    mls_opened_clear(&o);
    return e;
}
