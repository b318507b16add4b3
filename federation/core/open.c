/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New threads that we order.
 */
#include "federation/core/inside.h"
#include "federation/core/trust.h"

#include <string.h>

enum err
fed_hub_create(struct fed_core *core, const struct thread_id *id,
               uint64_t flags, struct fed_thread **out)
{
    static const uint8_t none[32];

    return fed_hub_continue(core, id, flags, none, out);
}

/* prev: PROTO_GROUP_CONTINUES: of which thread; else zeros. */
enum err
fed_hub_continue(struct fed_core *core, const struct thread_id *id,
                 uint64_t flags, const uint8_t prev[32],
                 struct fed_thread **out)
{
    enum err e;
    struct mls_env env = fed_mls_env(core);
    struct mls_identity who = fed_mls_identity(core);
    struct mls_create_opts opts = {.suite = core->config.suite};
    struct proto_subject me = {.kind = PROTO_SUBJECT_CLINIC};
    struct proto_group group = {.term = 1, .flags = flags};
    struct bytes ext = {0};
    struct proto_tls_wr w = proto_tls_wr_open(core->mem);
    struct mls_group *mls = NULL;
    struct fed_thread *t = NULL;

    memcpy(group.prev, prev, sizeof(group.prev));
    memcpy(group.hub, core->config.self.root.b, sizeof(group.hub));
    memcpy(me.root, core->config.self.root.b, sizeof(me.root));
    memcpy(me.node, me.root, sizeof(me.node));
    memcpy(me.added_by, me.root, sizeof(me.added_by));
    group.subjects = (struct proto_list){.items = &me, .len = 1};
    TRY(proto_group_encode(core->mem, &group, &ext));
    mls_extension_write(&w, PROTO_EXT_GROUP, view_of(&ext));
    opts.group_id = thread_id_view(id);
    opts.extensions.raw = proto_tls_wr_view(&w);
    core->judge_ms = fed_now(core);
    TRY(mls_create(&env, &who, &opts, &mls));
    TRY(fed_thread_new(core, id, &core->config.self.root, FED_THREAD_OPENING,
                       &t));
    t->mls = mls;
    mls = NULL;
    TRY(fed_thread_group(core, t, view_of(&ext)));
    TRY(fed_mls_save(core, t));
    *out = t;
out:
    proto_tls_wr_clear(&w);
    bytes_free(&ext);
    mls_group_free(mls);
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

/* The one conversation of two clinics that have just connected. */
enum err
fed_hub_direct(struct fed_core *core, struct fed_party *p, struct view kp)
{
    enum err e;
    struct thread_id id;
    struct fed_thread *t;
    struct fed_rec_intent add = {.kind = FED_INTENT_ADD, .data = kp};

    TRY(rng_fill(core->config.rng, id.b, sizeof(id.b)));
    TRY(fed_hub_create(core, &id, PROTO_GROUP_DIRECT, &t));
    memcpy(p->rec.direct, id.b, sizeof(p->rec.direct));
    TRY(fed_party_changed(core, p));
    memcpy(add.id, p->root.b, sizeof(add.id));
    TRY(fed_intent_add(core, t, &add));
    TRY(fed_intent_pump(core, t));
out:
    return e;
}
