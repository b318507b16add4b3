/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another home (decisions F 24).  The list that the patient key signed says
 * which it is; a device that moved tells where, through the clinics that it is
 * connected with, so that the patient's other devices go there by themselves
 * and the clinic of before knows.  TLS pins the root that the list names.
 */
#include "federation/core/care.h"
#include "federation/core/move.h"

#include "proto/msg/device.h"

#include <string.h>

static enum err
show_home(struct fed_core *core, const struct clinic_id *patient,
          const struct proto_device_home *in)
{
    enum err e;
    struct fed_show *show = fed_tx_show(core, FED_SHOW_HOME);

    TRY(show == NULL ? ERR_NOMEM : OK);
    memcpy(show->author.b, patient->b, sizeof(show->author.b));
    memcpy(show->peer.b, in->clinic, sizeof(show->peer.b));
    TRY(bytes_copy(core->mem, in->addrs, &show->body));
out:
    return e;
}

enum err
fed_core_moved(struct fed_core *core, const struct clinic_id *home,
               struct view addrs)
{
    enum err e = OK;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_HOME};

    if (core->kind != FED_KIND_DEVICE) {
        return ERR_STATE;
    }
    memcpy(msg.u.home.clinic, home->b, sizeof(msg.u.home.clinic));
    msg.u.home.addrs = addrs;
    for (size_t i = 0; i < core->parties_len; i++) {
        struct fed_party *p = core->parties[i];

        if (p->stored && p->kind == FED_KIND_CLINIC && p->via == NULL &&
            fed_party_open(p) && !clinic_id_equal(&p->root, home)) {
            TRY(fed_device_put(core, p, &msg));
        }
    }
out:
    return e;
}

/* [home-listed] the newest list says that it is. */
static enum err
is_home(struct fed_core *core, const struct clinic_id *patient,
        const struct proto_device_home *in, bool *out)
{
    enum err e;
    struct patient_id id;
    struct ident_devices list;

    memcpy(id.b, patient->b, sizeof(id.b));
    e = fed_patient_list(core, &id, &list);
    *out = e == OK && memcmp(list.home.b, in->clinic, 32) == 0;
    return e == ERR_MISSING ? OK : e;
}

/* Its devices may have to come to us through it (before.c). */
static enum err
meet(struct fed_core *core, struct fed_party *p,
     const struct proto_device_home *in)
{
    struct proto_node_addr node = {.addrs = in->addrs};

    memcpy(node.root, in->clinic, sizeof(node.root));
    return fed_roster_meet(core, p, &node);
}

enum err
fed_home_recv(struct fed_core *core, struct fed_party *p,
              const struct proto_device_home *in)
{
    enum err e;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_HOME};
    bool device = core->kind == FED_KIND_DEVICE;
    const struct clinic_id *who = device ? &core->me : &p->subject;
    struct fed_party *patient = fed_party_find(core, who);
    struct fed_party *d;
    bool good;

    TRY(is_home(core, who, in, &good));
    if (!good) {
        goto out; /* an older home, or none */
    }
    TRY(show_home(core, who, in));
    TRY(device ? OK : meet(core, p, in));
    msg.u.home = *in;
    for (size_t i = 0; !device && patient != NULL && patient->via == NULL &&
                       fed_patient_device(core, patient, i, &d);
         i++) {
        TRY(d != NULL && d != p ? fed_device_put(core, d, &msg) : OK);
    }
out:
    return e;
}
