/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new phone knows nothing but the recovery code, so it begins to count lists
 * at its clock; when that is behind, its list is older than the one that the
 * home clinic has.  It is told so, instead of being turned away.
 *
 * A device that comes late may have missed that the patient moved home, when it
 * knew the home of before alone: with the newest list it goes there, too.
 */
#include "federation/core/care.h"

#include "proto/msg/device.h"

#include <string.h>

/*
 * The patient signed a list that is older than ours, and ours does not have
 * this device: a new phone whose clock is behind.  It gets ours, to sign one
 * above it; a device that was removed learns that from it.
 */
enum err
fed_newer_give(struct fed_core *core, struct fed_party *p,
               const struct patient_id *id)
{
    enum err e;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_LIST};
    struct fed_rec_patient rec;
    struct bytes hold = {0};

    TRY(fed_patient_load(core, id, &rec, &hold));
    memcpy(msg.u.list.patient, id->b, sizeof(msg.u.list.patient));
    msg.u.list.list = rec.list;
    TRY(fed_device_say(core, p, &msg));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_newer_follows(struct fed_core *core, struct fed_party *p, struct view had)
{
    enum err e;
    struct patient_id id;
    struct ident_devices theirs;
    struct ident_devices ours;
    struct fed_rec_patient rec;
    struct bytes hold = {0};

    memcpy(id.b, p->subject.b, sizeof(id.b));
    TRY(ident_devices_open(core->mem, &id, had, &theirs));
    TRY(fed_patient_list(core, &id, &ours));
    if (ours.generation > theirs.generation) {
        TRY(fed_patient_load(core, &id, &rec, &hold));
        TRY(fed_list_send(core, p, &p->subject, rec.list));
    }
out:
    bytes_free(&hold);
    return e;
}

/* On a device that asks: then it asks again with what it makes of the list. */
enum err
fed_newer_came(struct fed_core *core, struct fed_party *p,
               const struct proto_device_list *in)
{
    enum err e;
    struct patient_id me;

    if (core->kind != FED_KIND_DEVICE || p->rec.ours != PROTO_STANCE_ASKED ||
        memcmp(in->patient, core->me.b, sizeof(in->patient)) != 0) {
        return OK;
    }
    memcpy(me.b, core->me.b, sizeof(me.b));
    e = fed_patient_learn(core, &me, in->list, FED_LEARNED_LINK, NULL);
    return fed_ours(e) ? e : OK;
}
