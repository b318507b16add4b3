/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patients: their pinned key is their id, and what it signed, the newest list
 * of devices, is kept (decisions F 23).  A list is good in itself, so it may
 * come from anybody; two of one generation are an alarm, and the patient's
 * threads follow the newest.
 */
#include "federation/core/care.h"
#include "federation/core/rows.h"

#include "proto/msg/device.h"

#include <string.h>

enum {
    LISTS_LOADED = 256 /* 1.7 KB each; opening one verifies its signatures */
};

/* ------------------------------------------------------------------ records */

enum err
fed_patient_load(struct fed_core *core, const struct patient_id *id,
                 struct fed_rec_patient *out, struct bytes *hold)
{
    struct fed_key key = fed_key_of(patient_id_view(id));

    return fed_tx_load(core, FED_NS_PATIENT, &key, &fed_rec_patient_shape, out,
                       hold);
}

enum err
fed_patient_save(struct fed_core *core, const struct patient_id *id,
                 const struct fed_rec_patient *rec)
{
    struct fed_key key = fed_key_of(patient_id_view(id));

    return fed_tx_save(core, FED_NS_PATIENT, &key, &fed_rec_patient_shape, rec);
}

static struct clinic_id
as_party(const struct patient_id *id)
{
    struct clinic_id out;

    memcpy(out.b, id->b, sizeof(out.b));
    return out;
}

/* Room for one more in core->lists. */
static enum err
more_lists(struct fed_core *core)
{
    size_t cap = core->lists_cap == 0 ? 16 : core->lists_cap * 2;
    struct clinic_id *more;

    if (core->lists_len < core->lists_cap) {
        return OK;
    }
    more = mem_calloc(core->mem, cap, sizeof(more[0]));
    if (more == NULL) {
        return ERR_NOMEM;
    }
    if (core->lists_len > 0) {
        memcpy(more, core->lists, core->lists_len * sizeof(more[0]));
    }
    mem_free(core->mem, core->lists, core->lists_cap * sizeof(more[0]));
    core->lists = more;
    core->lists_cap = cap;
    return OK;
}

/* Keep the opened list with the party, so that sending need not verify it. */
static enum err
remember(struct fed_core *core, const struct patient_id *id,
         const struct ident_devices *list)
{
    enum err e = OK;
    struct clinic_id root = as_party(id);
    struct fed_party *p = fed_party_find(core, &root);

    if (p == NULL || p->kind != FED_KIND_PATIENT) {
        return OK;
    }
    if (p->list == NULL) {
        TRY(more_lists(core));
        p->list = mem_alloc(core->mem, sizeof(*p->list));
        TRY(p->list == NULL ? ERR_NOMEM : OK);
        core->lists[core->lists_len++] = root;
    }
    *p->list = *list;
out:
    return e;
}

void
fed_patient_trim(struct fed_core *core)
{
    size_t gone =
        core->lists_len > LISTS_LOADED ? core->lists_len - LISTS_LOADED : 0;

    for (size_t i = 0; i < gone; i++) {
        struct fed_party *p = fed_party_find(core, &core->lists[i]);

        if (p != NULL) {
            mem_free(core->mem, p->list, sizeof(*p->list));
            p->list = NULL;
        }
    }
    if (gone > 0) {
        core->lists_len -= gone;
        memmove(core->lists, core->lists + gone,
                core->lists_len * sizeof(core->lists[0]));
    }
}

enum err
fed_patient_list(struct fed_core *core, const struct patient_id *id,
                 struct ident_devices *out)
{
    enum err e;
    struct clinic_id root = as_party(id);
    struct fed_party *p = fed_party_find(core, &root);
    struct fed_rec_patient rec;
    struct bytes hold = {0};

    if (p != NULL && p->list != NULL) {
        *out = *p->list;
        return OK;
    }
    TRY(fed_patient_load(core, id, &rec, &hold));
    TRY(rec.list.len > 0 ? OK : ERR_MISSING);
    e = ident_devices_open(core->mem, id, rec.list, out);
    TRY(e == OK || fed_ours(e) ? e : ERR_CORRUPT);
    TRY(remember(core, id, out));
out:
    bytes_free(&hold);
    return e;
}

bool
fed_patient_device(struct fed_core *core, struct fed_party *patient, size_t i,
                   struct fed_party **out)
{
    struct ident_devices list;
    struct patient_id id;
    struct clinic_id device;
    struct fed_party *d;

    *out = NULL;
    memcpy(id.b, patient->root.b, sizeof(id.b));
    if (patient->list == NULL && fed_patient_list(core, &id, &list) != OK) {
        return false;
    }
    if (i >= patient->list->len) {
        return false;
    }
    memcpy(device.b, patient->list->device[i].id.b, sizeof(device.b));
    d = fed_party_find(core, &device);
    if (d != NULL && d->stored && d->kind == FED_KIND_DEVICE &&
        d->via == NULL && d->rec.ours == PROTO_STANCE_GRANTED &&
        !d->rec.blocked && !d->rec.away) {
        *out = d;
    }
    return true;
}

/* -------------------------------------------------------------------- shows */

enum err
fed_patient_show(struct fed_core *core, const struct fed_party *patient,
                 bool known, struct view name)
{
    enum err e;
    struct fed_show *show;
    struct fed_rec_patient rec;
    struct bytes hold = {0};
    struct patient_id id;

    memcpy(id.b, patient->root.b, sizeof(id.b));
    TRY(fed_patient_load(core, &id, &rec, &hold));
    show = fed_tx_show(core, FED_SHOW_PATIENT);
    TRY(show == NULL ? ERR_NOMEM : OK);
    show->code = rec.learned;
    memcpy(show->author.b, id.b, sizeof(show->author.b));
    memcpy(show->peer.b, rec.introducer, sizeof(show->peer.b));
    memcpy(show->other.b,
           patient->via != NULL ? patient->via->root.b
                                : core->config.self.root.b,
           sizeof(show->other.b));
    memcpy(show->link.b, patient->rec.link, sizeof(show->link.b));
    show->value = patient->list != NULL ? patient->list->generation : 0;
    show->verified = patient->rec.verified;
    show->known = known;
    TRY(bytes_copy(core->mem, name, &show->body));
out:
    bytes_free(&hold);
    return e;
}

static enum err
show_devices(struct fed_core *core, const struct patient_id *id,
             enum fed_devices code, uint64_t generation, struct view list)
{
    enum err e;
    struct fed_show *show = fed_tx_show(core, FED_SHOW_DEVICES);

    TRY(show == NULL ? ERR_NOMEM : OK);
    memcpy(show->author.b, id->b, sizeof(show->author.b));
    show->code = (uint64_t)code;
    show->value = generation;
    TRY(bytes_copy(core->mem, list, &show->body));
out:
    return e;
}

/* -------------------------------------------------------------------- lists */

static enum err
alarm_about(struct fed_core *core, const struct patient_id *id,
            uint64_t generation, struct view list)
{
    enum err e;
    struct fed_rec_patient rec;
    struct bytes hold = {0};

    TRY(show_devices(core, id, FED_DEVICES_ALARM, generation, list));
    TRY(fed_patient_load(core, id, &rec, &hold));
    rec.alarm = true;
    TRY(fed_patient_save(core, id, &rec));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_patient_judge(struct fed_core *core, const struct ident_devices *list)
{
    enum err e;
    struct ident_devices known;

    e = fed_patient_list(core, &list->patient, &known);
    if (e == ERR_MISSING) {
        return OK;
    }
    TRY(e);
    e = ident_devices_compare(&known, list);
    if (e == ERR_CORRUPT) {
        TRY(alarm_about(core, &list->patient, list->generation,
                        (struct view){0}));
        return ERR_DENIED;
    }
    TRY(fed_ours(e) ? e : OK);
out:
    return e;
}

/*
 * Devices that the newest list does not have any more.  What one of them has
 * compared since we began counts on: otherwise the list that takes it out
 * would keep us from taking it out (E 20, fed_hub_ready).
 */
static enum err
drop_devices(struct fed_core *core, const struct patient_id *patient,
             const struct ident_devices *old, const struct ident_devices *now)
{
    enum err e = OK;
    struct clinic_id root = as_party(patient);
    struct fed_party *p = fed_party_find(core, &root);

    for (uint32_t i = 0; i < old->len; i++) {
        struct clinic_id id;
        struct fed_party *d;

        if (ident_devices_find(now, &old->device[i].id) != NULL) {
            continue;
        }
        memcpy(id.b, old->device[i].id.b, sizeof(id.b));
        d = fed_party_find(core, &id);
        if (d == NULL || d->kind != FED_KIND_DEVICE || d->via != NULL) {
            continue;
        }
        if (p != NULL && p->kind == FED_KIND_PATIENT) {
            p->met = p->met || d->met || d->fresh;
        }
        TRY(fed_stream_drop(core, d));
        TRY(fed_stream_new(core, d));
        TRY(fed_pool_drop(core, &id));
        d->rec.ours = PROTO_STANCE_ENDED;
        TRY(d->stored ? fed_party_save(core, d) : OK);
        TRY(fed_party_close(core, d, PROTO_BYE_DENIED));
    }
out:
    return e;
}

enum err
fed_list_send(struct fed_core *core, struct fed_party *p,
              const struct clinic_id *patient, struct view list)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_LIST};

    memcpy(msg.u.list.patient, patient->b, sizeof(msg.u.list.patient));
    msg.u.list.list = list;
    return fed_device_put(core, p, &msg);
}

/* Clinics that we carry this patient to hear of the list from us. */
static enum err
tell_carried(struct fed_core *core, const struct clinic_id *patient,
             struct view list)
{
    enum err e;
    struct fed_key at = fed_key_of(clinic_id_view(patient));
    struct fed_party *p;

    while ((e = fed_allow_next(core, patient, &at, &p)) == OK) {
        TRY(fed_list_send(core, p, patient, list));
    }
out:
    return e == ERR_MISSING ? OK : e;
}

/* A newer list counts: tell the devices and the clinics that we carry to. */
static enum err
tell(struct fed_core *core, const struct patient_id *id, struct view list)
{
    enum err e = OK;
    struct clinic_id root = as_party(id);
    struct fed_party *p = fed_party_find(core, &root);
    struct fed_party *d;

    if (core->kind != FED_KIND_CLINIC || p == NULL || p->via != NULL) {
        return OK;
    }
    for (size_t i = 0; fed_patient_device(core, p, i, &d); i++) {
        TRY(d != NULL ? fed_list_send(core, d, &root, list) : OK);
    }
    TRY(tell_carried(core, &root, list));
out:
    return e;
}

/* What follows of it in threads. */
static enum err
bring_in_line(struct fed_core *core, const struct patient_id *id)
{
    struct fed_rec_intent work = {.kind = FED_INTENT_DEVICES};
    struct clinic_id root = as_party(id);

    memcpy(work.id, id->b, sizeof(work.id));
    return fed_patient_threads(core, &root, &work);
}

static enum err
keep(struct fed_core *core, const struct patient_id *id, struct view list,
     const struct ident_devices *opened, struct fed_rec_patient *rec)
{
    enum err e;
    struct device_id own;
    bool first = rec->list.len == 0;

    rec->list = list;
    rec->alarm = false;
    TRY(fed_patient_save(core, id, rec));
    TRY(remember(core, id, opened));
    if (first) {
        goto out;
    }
    TRY(show_devices(core, id, FED_DEVICES_NEW, opened->generation, list));
    TRY(tell(core, id, list));
    TRY(bring_in_line(core, id));
    if (core->kind == FED_KIND_DEVICE &&
        memcmp(id->b, core->me.b, sizeof(id->b)) == 0) {
        bytes_free(&core->list);
        TRY(bytes_copy(core->mem, list, &core->list));
        memcpy(own.b, core->config.self.root.b, sizeof(own.b));
        TRY(ident_devices_find(opened, &own) == NULL
                ? show_devices(core, id, FED_DEVICES_GONE, opened->generation,
                               list)
                : OK);
    }
out:
    return e;
}

enum err
fed_patient_learn(struct fed_core *core, const struct patient_id *id,
                  struct view list, enum fed_learned learned,
                  const struct clinic_id *introducer)
{
    enum err e;
    struct fed_rec_patient rec = {.learned = (uint64_t)learned};
    struct ident_devices news;
    struct ident_devices known;
    struct bytes hold = {0};
    struct bytes copy = {0};

    e = ident_devices_open(core->mem, id, list, &news);
    TRY(e == OK || fed_ours(e) ? e : ERR_AUTH);
    if (introducer != NULL) {
        memcpy(rec.introducer, introducer->b, sizeof(rec.introducer));
    }
    e = fed_patient_load(core, id, &rec, &hold);
    if (e != OK && e != ERR_MISSING) {
        goto out;
    }
    if (e == OK && rec.list.len > 0) {
        TRY(fed_patient_list(core, id, &known));
        e = ident_devices_compare(&known, &news);
        if (e == ERR_CORRUPT) {
            TRY(alarm_about(core, id, news.generation, list));
            e = ERR_DENIED;
        }
        TRY(e);
        TRY(bytes_copy(core->mem, list, &copy));
        TRY(drop_devices(core, id, &known, &news));
        TRY(keep(core, id, view_of(&copy), &news, &rec));
        TRY(fed_before_left(core, &known, &news));
        goto out;
    }
    TRY(keep(core, id, list, &news, &rec));
out:
    bytes_free(&copy);
    bytes_free(&hold);
    return e;
}

/* A list came: from a device, or from a clinic that knows the patient. */
enum err
fed_list_recv(struct fed_core *core, struct fed_party *p, struct view patient,
              struct view list)
{
    enum err e;
    enum err how;
    struct patient_id id;
    struct clinic_id root;
    struct fed_rec_patient rec;
    struct bytes hold = {0};
    struct proto_device_msg msg = {.type = PROTO_DEVICE_LIST_STATE};
    struct proto_device_list_state *state = &msg.u.list_state;
    struct ident_devices now;

    TRY(patient_id_from(patient, &id));
    root = as_party(&id);
    e = fed_patient_load(core, &id, &rec, &hold);
    if (e == ERR_MISSING) {
        return OK; /* nobody that we know */
    }
    TRY(e);
    how = fed_patient_learn(core, &id, list, FED_LEARNED_LINK, NULL);
    TRY(fed_ours(how) ? how : OK);
    memcpy(state->patient, id.b, sizeof(state->patient));
    TRY(fed_patient_list(core, &id, &now));
    state->generation = now.generation;
    if (how == ERR_STALE) {
        state->code = PROTO_DEVICE_STALE;
        TRY(fed_list_send(core, p, &root, rec.list));
    } else if (how == ERR_DENIED) {
        state->code = PROTO_DEVICE_ALARM;
    } else if (how != OK && how != ERR_EXISTS) {
        state->code = PROTO_DEVICE_INVALID;
    }
    if (p->kind == FED_KIND_DEVICE) {
        TRY(fed_device_put(core, p, &msg));
    }
    TRY(fed_detour(core));
out:
    bytes_free(&hold);
    return e;
}

/* ------------------------------------------------------------------ threads */

/* Is the patient in a stored thread that we order? */
static bool
takes_part(struct fed_core *core, struct view value,
           const struct clinic_id *patient)
{
    struct fed_rec_thread rec;
    struct proto_group group;
    struct proto_subject s;

    return fed_rec_decode(value, &fed_rec_thread_shape, &rec) == OK &&
           memcmp(rec.hub, core->config.self.root.b, 32) == 0 &&
           (rec.state == FED_THREAD_ACTIVE || rec.state == FED_THREAD_OPENING ||
            rec.state == FED_THREAD_CHECKING) &&
           rec.group.len > 0 && proto_group_decode(rec.group, &group) == OK &&
           proto_group_find(&group, patient->b, &s);
}

/* One thread of a patient: an intent, or its newest entry to a device. */
static enum err
in_thread(struct fed_core *core, const struct thread_id *id,
          const struct fed_rec_intent *intent, struct fed_party *device)
{
    enum err e;
    struct fed_thread *t;
    struct bytes item = {0};

    TRY(fed_thread_get(core, id, &t));
    if (intent != NULL) {
        struct fed_rec_intent work = *intent;

        TRY(fed_intent_add(core, t, &work));
        TRY(fed_intent_pump(core, t));
        TRY(work.kind == FED_INTENT_DEVICES
                ? fed_check_devices(core, t, work.id)
                : OK);
        goto out;
    }
    TRY(fed_stream_entry(core, id, t->rec.seq, (struct view){0}, &item));
    TRY(fed_route_needed(device)
            ? fed_route_item(core, device, view_of(&item), NULL)
            : fed_stream_item(core, device, view_of(&item)));
out:
    bytes_free(&item);
    return e;
}

static enum err
each_thread(struct fed_core *core, const struct clinic_id *patient,
            const struct fed_rec_intent *intent, struct fed_party *device)
{
    enum err e = OK;
    struct fed_rows rows;

    TRY(fed_rows_threads(core, &rows));
    while ((e = fed_rows_next(core, &rows)) == OK) {
        struct thread_id id;

        TRY(fed_rows_thread(&rows, &id));
        if (takes_part(core, view_of(&rows.value), patient)) {
            TRY(in_thread(core, &id, intent, device));
        }
    }
    e = fed_rows_all(e);
out:
    fed_rows_free(&rows);
    return e;
}

enum err
fed_patient_threads(struct fed_core *core, const struct clinic_id *patient,
                    const struct fed_rec_intent *intent)
{
    return each_thread(core, patient, intent, NULL);
}

/* A thread that it does not know is one that it joins (decisions D 14). */
enum err
fed_patient_invite(struct fed_core *core, struct fed_party *device)
{
    return each_thread(core, &device->subject, NULL, device);
}
