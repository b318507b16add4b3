/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the member clinics' nodes can be reached.  The hub tells it to all of
 * them whenever somebody comes, so that they find each other without it: one
 * of them may have to order the thread one day (move.c).
 */
#include "federation/core/move.h"

#include <string.h>

static bool
is_clinic(const struct fed_thread *t, const uint8_t root[32])
{
    struct proto_subject s;

    return proto_group_find(&t->group, root, &s) &&
           s.kind == PROTO_SUBJECT_CLINIC;
}

enum err
fed_roster_send(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    struct proto_peer_msg msg = {.type = PROTO_PEER_ROSTER};
    struct proto_node_addr *nodes = NULL;
    uint32_t n = 0;

    if (t->members_len == 0 || !fed_thread_hub_here(core, t)) {
        return OK;
    }
    nodes = mem_calloc(core->mem, t->members_len, sizeof(nodes[0]));
    TRY(nodes == NULL ? ERR_NOMEM : OK);
    for (size_t i = 0; i < t->members_len; i++) {
        const struct fed_party *p = fed_party_find(core, &t->members[i].node);

        if (p != NULL && is_clinic(t, p->root.b)) {
            memcpy(nodes[n].root, p->root.b, sizeof(nodes[n].root));
            nodes[n++].addrs = view_of(&p->addrs);
        }
    }
    memcpy(msg.u.roster.thread, t->id.b, sizeof(msg.u.roster.thread));
    msg.u.roster.nodes = (struct proto_list){.items = nodes, .len = n};
    for (size_t i = 0; i < t->members_len && n > 1; i++) {
        struct fed_party *p = fed_party_find(core, &t->members[i].node);

        if (p != NULL && is_clinic(t, p->root.b)) {
            TRY(fed_stream_put(core, p, &msg));
        }
    }
out:
    mem_free(core->mem, nodes, t->members_len * sizeof(nodes[0]));
    return e;
}

enum err
fed_roster_meet(struct fed_core *core, struct fed_party *by,
                const struct proto_node_addr *node)
{
    enum err e;
    struct clinic_id root;
    struct fed_party *p;

    memcpy(root.b, node->root, sizeof(root.b));
    p = fed_party_find(core, &root);
    if (clinic_id_equal(&root, &core->config.self.root) ||
        (p != NULL && (p->rec.blocked || p->rec.ours != PROTO_STANCE_NONE))) {
        return OK;
    }
    if (p == NULL || !p->stored) {
        /* One clinic does not make us dial any number of others. */
        if (by->hubs >= LIMIT_HUBS_PER_PARTY) {
            return OK;
        }
        by->hubs++;
    }
    TRY(fed_party_get(core, &root, &p));
    if (p->addrs.len == 0) {
        TRY(bytes_copy(core->mem, node->addrs, &p->addrs));
    }
    TRY(fed_party_stance(core, p, PROTO_STANCE_THREAD));
    TRY(p->greeted ? fed_contact_say(core, p) : OK);
out:
    return e;
}

enum err
fed_roster_recv(struct fed_core *core, struct fed_party *p,
                const struct proto_roster *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    struct proto_list_at at = {0};
    struct proto_node_addr node;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    if (e != OK || t->group_ext.len == 0 || core->kind != FED_KIND_CLINIC) {
        return e == ERR_MISSING ? OK : e;
    }
    if (memcmp(t->rec.hub, p->root.b, 32) != 0) {
        return OK; /* a hub that was */
    }
    while (proto_list_next(&in->nodes, &proto_node_addr_shape, &at, &node)) {
        TRY(is_clinic(t, node.root) ? fed_roster_meet(core, p, &node) : OK);
    }
out:
    return e;
}
