/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A patient's archive.  The home clinic keeps each part under the patient and
 * the next number; record 0 says how many there are and how large they are
 * together.  What is inside it cannot see.
 */
#include "federation/core/archive.h"

#include "federation/core/care.h"
#include "proto/msg/device.h"

#include <string.h>

/* What there is of a patient. */
struct about {
    uint64_t last;
    uint64_t size;
};

static struct fed_key
part_key(const struct clinic_id *patient, uint64_t number)
{
    return fed_key_num(clinic_id_view(patient), number);
}

static enum err
load_about(struct fed_core *core, const struct clinic_id *patient,
           struct about *out)
{
    struct fed_key key = part_key(patient, 0);
    struct bytes b = {0};
    enum err e = fed_tx_get(core, FED_NS_ARCHIVE, &key, &b);

    *out = (struct about){0, 0};
    TRY(e == ERR_MISSING ? OK : e);
    if (b.len != 0) {
        TRY(b.len == 16 ? OK : ERR_CORRUPT);
        out->last = fed_key_tail(view_make(b.p, 8));
        out->size = fed_key_tail(view_make(b.p + 8, 8));
    }
out:
    bytes_free(&b);
    return e;
}

static enum err
save_about(struct fed_core *core, const struct clinic_id *patient,
           const struct about *about)
{
    struct fed_key key = part_key(patient, 0);
    struct fed_key value = fed_key_num((struct view){0}, about->last);

    value = fed_key_num(view_make(value.b, value.len), about->size);
    return fed_tx_put(core, FED_NS_ARCHIVE, &key,
                      view_make(value.b, value.len));
}

/* ------------------------------------------------------------- a clinic's end
 */

static enum err
say_part(struct fed_core *core, struct fed_party *p, uint64_t number,
         uint64_t last, struct view part)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ARCHIVE_PART};

    msg.u.archive_part.number = number;
    msg.u.archive_part.last = last;
    msg.u.archive_part.part = part;
    return fed_device_put(core, p, &msg);
}

/*
 * Above the bound nothing more is kept: the device's messages are safe, only a
 * later device will miss them.  It hears so: a part beyond the last, empty.
 */
static enum err
keep(struct fed_core *core, struct fed_party *p, struct view part)
{
    enum err e;
    uint64_t bound = core->config.limits.archive;
    struct about about;
    struct fed_key key;

    bound = bound != 0 ? bound : LIMIT_ARCHIVE_BYTES;
    TRY(load_about(core, &p->subject, &about));
    if (about.size >= bound || part.len > bound - about.size) {
        e = say_part(core, p, about.last + 1, about.last, (struct view){0});
        goto out;
    }
    about.last++;
    about.size += part.len;
    key = part_key(&p->subject, about.last);
    TRY(fed_tx_put(core, FED_NS_ARCHIVE, &key, part));
    TRY(save_about(core, &p->subject, &about));
out:
    return e;
}

static enum err
give(struct fed_core *core, struct fed_party *p, uint64_t from)
{
    enum err e;
    struct about about;
    struct bytes part = {0};
    uint64_t number = from == 0 ? 1 : from;

    TRY(load_about(core, &p->subject, &about));
    if (number > about.last) {
        TRY(say_part(core, p, 0, about.last, (struct view){0}));
    }
    for (int i = 0; i < FED_ARCHIVE_PARTS && number <= about.last; i++) {
        struct fed_key key = part_key(&p->subject, number);

        bytes_free(&part);
        TRY(fed_tx_get(core, FED_NS_ARCHIVE, &key, &part));
        TRY(say_part(core, p, number++, about.last, view_of(&part)));
    }
out:
    bytes_free(&part);
    return e == ERR_MISSING ? ERR_CORRUPT : e;
}

/* -------------------------------------------------------------- a device's end
 */

static enum err
came(struct fed_core *core, struct fed_party *p,
     const struct proto_device_archive_part *in)
{
    struct fed_show *show = fed_tx_show(core, FED_SHOW_ARCHIVE);

    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->peer = p->root;
    show->seq = in->number;
    show->value = in->last;
    return bytes_copy(core->mem, in->part, &show->body);
}

enum err
fed_archive_item(struct fed_core *core, struct fed_party *p,
                 const struct proto_device_msg *msg)
{
    bool device = core->kind == FED_KIND_CLINIC && p->kind == FED_KIND_DEVICE;

    if (msg->type == PROTO_DEVICE_ARCHIVE_PUT && device) {
        return keep(core, p, msg->u.archive_put.part);
    }
    if (msg->type == PROTO_DEVICE_ARCHIVE_GET && device) {
        return give(core, p, msg->u.archive_get.from);
    }
    if (msg->type == PROTO_DEVICE_ARCHIVE_PART &&
        core->kind == FED_KIND_DEVICE && p->kind == FED_KIND_CLINIC) {
        return came(core, p, &msg->u.archive_part);
    }
    return ERR_DENIED;
}

static struct fed_party *
home_of(struct fed_core *core, const struct clinic_id *home)
{
    struct fed_party *p = fed_party_find(core, home);

    return core->kind == FED_KIND_DEVICE && p != NULL && p->stored &&
                   p->via == NULL && fed_party_open(p)
               ? p
               : NULL;
}

enum err
fed_core_archive_put(struct fed_core *core, const struct clinic_id *home,
                     struct view part)
{
    struct fed_party *p = home_of(core, home);
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ARCHIVE_PUT};

    if (p == NULL) {
        return ERR_MISSING;
    }
    if (part.len > PROTO_DEVICE_PART_MAX) {
        return ERR_LIMIT;
    }
    msg.u.archive_put.part = part;
    return fed_device_put(core, p, &msg);
}

enum err
fed_core_archive_get(struct fed_core *core, const struct clinic_id *home,
                     uint64_t from)
{
    struct fed_party *p = home_of(core, home);
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ARCHIVE_GET};

    if (p == NULL) {
        return ERR_MISSING;
    }
    msg.u.archive_get.from = from;
    return fed_device_put(core, p, &msg);
}
