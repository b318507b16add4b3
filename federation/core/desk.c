/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people at a clinic, and a person with an app, ask about patients and
 * devices.
 */
#include "federation/core/care.h"

#include "proto/msg/device.h"

#include <string.h>

static enum err
patient_info(struct fed_core *core, const struct patient_id *id,
             struct fed_patient_info *out)
{
    enum err e;
    struct fed_rec_patient rec;
    struct bytes hold = {0};
    struct ident_devices list;
    struct clinic_id root;
    const struct fed_party *p;

    TRY(fed_patient_load(core, id, &rec, &hold));
    TRY(fed_patient_list(core, id, &list));
    memcpy(root.b, id->b, sizeof(root.b));
    p = fed_party_find(core, &root);
    *out = (struct fed_patient_info){
        .id = *id,
        .learned = (enum fed_learned)rec.learned,
        .delivery =
            p != NULL && p->via != NULL ? p->via->root : core->config.self.root,
        .generation = list.generation,
        .devices = list.len,
        .alarm = rec.alarm,
    };
    memcpy(out->introducer.b, rec.introducer, sizeof(out->introducer.b));
    for (uint32_t i = 0; i < list.len; i++) {
        memcpy(root.b, list.device[i].id.b, sizeof(root.b));
        p = fed_party_find(core, &root);
        out->suspended += p != NULL && p->stored && p->rec.blocked ? 1 : 0;
    }
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_core_patient(struct fed_core *core, const struct patient_id *id,
                 struct fed_patient_info *out)
{
    return patient_info(core, id, out);
}

enum err
fed_core_patient_next(struct fed_core *core, const struct patient_id *after,
                      struct fed_patient_info *out)
{
    enum err e;
    struct fed_key at = {.len = 0};
    struct bytes key = {0};
    struct bytes value = {0};
    struct patient_id id;

    if (after != NULL) {
        at = fed_key_of(patient_id_view(after));
        at.b[at.len++] = 0;
    }
    TRY(fed_tx_next(core, FED_NS_PATIENT, &at, (struct view){0}, &key, &value));
    TRY(patient_id_from(view_of(&key), &id) == OK ? OK : ERR_CORRUPT);
    TRY(patient_info(core, &id, out));
out:
    bytes_free(&key);
    bytes_free(&value);
    return e;
}

enum err
fed_core_device_at(struct fed_core *core, const struct patient_id *id,
                   size_t index, struct fed_device_info *out)
{
    enum err e;
    struct ident_devices list;
    struct clinic_id root;
    const struct fed_party *p;

    TRY(fed_patient_list(core, id, &list));
    if (index >= list.len) {
        return ERR_MISSING;
    }
    memcpy(root.b, list.device[index].id.b, sizeof(root.b));
    p = fed_party_find(core, &root);
    *out = (struct fed_device_info){
        .id = list.device[index].id,
        .may_add = list.device[index].may_add,
        .by = list.device[index].added_by,
    };
    if (p != NULL && p->stored && p->kind == FED_KIND_DEVICE) {
        out->suspended = p->rec.blocked;
        out->idle = p->rec.away;
        out->up = p->greeted;
        out->seen_ms = p->rec.seen_ms;
        out->queued = p->rec.out_next - 1 - p->rec.out_acked;
        out->waits_ms = out->queued > 0 ? p->rec.waits_ms : 0;
    }
    TRY(fed_pool_left(core, &root, &out->keys_left));
out:
    return e;
}

enum err
fed_core_device_list(struct fed_core *core, const struct patient_id *id,
                     struct bytes *list)
{
    enum err e;
    struct fed_rec_patient rec;
    struct bytes hold = {0};

    TRY(fed_patient_load(core, id, &rec, &hold));
    TRY(bytes_copy(core->mem, rec.list, list));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_core_suspend(struct fed_core *core, const struct patient_id *patient,
                 const struct device_id *device, bool suspended)
{
    enum err e;
    struct clinic_id root;
    struct clinic_id who;
    struct fed_party *p;

    memcpy(root.b, device->b, sizeof(root.b));
    memcpy(who.b, patient->b, sizeof(who.b));
    p = fed_party_find(core, &root);
    if (p == NULL || !p->stored || p->kind != FED_KIND_DEVICE ||
        !clinic_id_equal(&p->subject, &who)) {
        return ERR_MISSING;
    }
    if (p->rec.blocked == suspended) {
        return OK;
    }
    p->rec.blocked = suspended;
    if (suspended) {
        TRY(fed_idle_out(core, p, FED_DEVICES_SUSPENDED));
        TRY(fed_party_close(core, p, PROTO_BYE_DENIED));
    } else {
        TRY(fed_idle_in(core, p, FED_DEVICES_RESUMED));
    }
out:
    return e;
}

enum err
fed_core_compared(struct fed_core *core, const struct clinic_id *who)
{
    enum err e;
    struct fed_party *p = fed_party_find(core, who);
    struct patient_id id;
    struct fed_rec_patient rec;
    struct bytes hold = {0};

    if (p == NULL || !p->stored || p->kind == FED_KIND_DEVICE) {
        return ERR_MISSING;
    }
    p->rec.verified = true;
    TRY(fed_party_changed(core, p));
    if (p->kind == FED_KIND_PATIENT) {
        memcpy(id.b, who->b, sizeof(id.b));
        TRY(fed_patient_load(core, &id, &rec, &hold));
        rec.learned = FED_LEARNED_COMPARED;
        TRY(fed_patient_save(core, &id, &rec));
        TRY(fed_patient_show(core, p, true, (struct view){0}));
    }
out:
    bytes_free(&hold);
    return e;
}

/* ---------------------------------------------------------------- by a device
 */

/* Our certificate as the new list wants it. */
static enum err
new_cert(struct fed_core *core, const struct patient_id *me, struct view cert)
{
    enum err e;
    struct ident_devices list;
    struct ident_device_cert out;
    struct bytes copy = {0};

    if (cert.len == 0) {
        return OK;
    }
    TRY(fed_patient_list(core, me, &list));
    e = ident_device_cert_verify(core->mem, cert, &list, &core->node, &out);
    TRY(e == OK || fed_ours(e) ? e : ERR_AUTH);
    TRY(bytes_copy(core->mem, cert, &copy));
    bytes_free(&core->chain);
    core->chain = bytes_take(&copy);
out:
    return e;
}

enum err
fed_core_set_list(struct fed_core *core, struct view list, struct view cert)
{
    enum err e;
    struct patient_id me;

    if (core->kind != FED_KIND_DEVICE) {
        return ERR_STATE;
    }
    memcpy(me.b, core->me.b, sizeof(me.b));
    TRY(fed_patient_learn(core, &me, list, FED_LEARNED_LINK, NULL));
    TRY(new_cert(core, &me, cert));
    for (size_t i = 0; i < core->parties_len; i++) {
        struct fed_party *p = core->parties[i];

        if (p->stored && p->via == NULL && fed_party_open(p)) {
            TRY(fed_list_send(core, p, &core->me, list));
            TRY(fed_before_say(core, p));
        } else if (p->stored && p->rec.ours == PROTO_STANCE_ASKED &&
                   p->greeted) {
            TRY(fed_enrol_send(core, p)); /* with the list that counts now */
        }
    }
    e = fed_detour(core);
out:
    return e;
}
