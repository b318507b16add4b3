/* SPDX-License-Identifier: Apache-2.0 */
#include "node/self.h"

#include "node/clinic/desk.h"

#include <string.h>

static enum err
copy_identity(const struct mem *mem, const struct node_identity *from,
              struct node_identity *out)
{
    enum err e;
    struct node_identity id = *from;

    id.renewal_cert = (struct bytes){0};
    id.chain = (struct bytes){0};
    id.revocation = (struct bytes){0};
    TRY(bytes_copy(mem, view_of(&from->renewal_cert), &id.renewal_cert));
    TRY(bytes_copy(mem, view_of(&from->chain), &id.chain));
    TRY(bytes_copy(mem, view_of(&from->revocation), &id.revocation));
    *out = id;
    memset(&id, 0, sizeof(id));
out:
    node_identity_clear(&id);
    return e;
}

static enum err
copy_profile(const struct mem *mem, const struct node_profile *from,
             struct node_profile *out)
{
    enum err e;

    out->changed_ms = from->changed_ms;
    TRY(phi_from(mem, proto_phi_reveal(&from->name), &out->name));
    TRY(phi_from(mem, proto_phi_reveal(&from->address), &out->address));
    TRY(phi_from(mem, proto_phi_reveal(&from->phone), &out->phone));
    TRY(bytes_copy(mem, view_of(&from->picture), &out->picture));
out:
    return e;
}

enum err
node_self_begin(struct node_api *api, struct node_self *s)
{
    enum err e;

    s->api = api;
    TRY(copy_identity(api->mem, &api->identity, &s->identity));
    TRY(copy_profile(api->mem, &api->profile, &s->profile));
out:
    return e;
}

void
node_self_clear(struct node_self *s)
{
    node_identity_clear(&s->identity);
    node_profile_clear(&s->profile);
}

static enum err
write_self(void *ctx, struct store_txn *txn)
{
    enum err e;
    struct node_self *s = ctx;

    TRY(node_identity_save(txn, &s->identity));
    TRY(node_profile_save(txn, &s->profile));
    TRY(s->action == 0 ? OK
                       : node_audit_member(txn, s->api, s->action,
                                           (struct view){0}, s->n));
out:
    return e;
}

enum err
node_self_commit(struct node_self *s)
{
    enum err e;
    struct node_api *api = s->api;
    struct bytes profile = {0};
    struct bytes addrs = {0};
    struct node_self before = {0};

    TRY(node_profile_sign(api->mem, &s->identity, &s->profile, &profile));
    for (size_t i = 0; i < api->addrs_len; i++) {
        TRY(proto_addr_append(api->mem, &addrs, &api->addrs[i]));
    }
    TRY(store_write(api->store, write_self, s, STORE_JOB_FREES));
    TRY(node_runner_set_self(api->runner, &s->identity, view_of(&addrs),
                             view_of(&profile), view_of(&s->profile.picture)));
    (void)pthread_mutex_lock(&api->self_mx);
    before.identity = api->identity;
    before.profile = api->profile;
    api->identity = s->identity;
    api->profile = s->profile;
    (void)pthread_mutex_unlock(&api->self_mx);
    memset(&s->identity, 0, sizeof(s->identity));
    memset(&s->profile, 0, sizeof(s->profile));
    node_self_clear(&before);
out:
    bytes_free(&profile);
    bytes_free(&addrs);
    return e;
}
