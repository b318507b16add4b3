/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A patient's archive.  The home clinic keeps each part under the patient and
 * the next number; record 0 says how many there are and how large they are
 * together, the last possible numbers have its keys, what the devices share and
 * which of them lacks a key (lack.c), all but that sealed as well.  What is
 * inside it cannot see.
 */
#include "federation/core/archive.h"

#include "federation/core/care.h"
#include "proto/msg/device.h"

#include <string.h>

enum {
    HANDED = 60 /* items an hour that a device puts in its siblings' queues */
};

static const uint64_t handed_bytes = (uint64_t)1024 * 1024; /* likewise */
static const uint64_t hour_ms = 3600000;

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

/* What was last said as a message of this type; generation 0: nothing. */
static enum err
load_said(struct fed_core *core, const struct clinic_id *patient,
          uint64_t number, enum proto_device_type type,
          struct proto_device_msg *out, struct bytes *hold)
{
    struct fed_key key = part_key(patient, number);
    enum err e = fed_tx_get(core, FED_NS_ARCHIVE, &key, hold);

    *out = (struct proto_device_msg){.type = type};
    TRY(e == ERR_MISSING ? OK : e);
    if (hold->len > 0) {
        e = proto_device_decode(view_of(hold), out);
        TRY(e == OK && out->type == type ? OK : ERR_CORRUPT);
    }
out:
    return e;
}

static enum err
save_said(struct fed_core *core, const struct clinic_id *patient,
          uint64_t number, const struct proto_device_msg *msg)
{
    enum err e;
    struct fed_key key = part_key(patient, number);
    struct bytes text = {0};

    TRY(proto_device_encode(core->mem, msg, &text));
    TRY(fed_tx_put(core, FED_NS_ARCHIVE, &key, view_of(&text)));
out:
    bytes_free(&text);
    return e;
}

enum err
fed_archive_others(struct fed_core *core, struct fed_party *from,
                   const struct proto_device_msg *msg)
{
    enum err e = OK;
    struct fed_party *patient = fed_party_find(core, &from->subject);
    struct fed_party *d;

    for (size_t i = 0;
         patient != NULL && fed_patient_device(core, patient, i, &d); i++) {
        TRY(d != NULL && d != from ? fed_device_put(core, d, msg) : OK);
    }
out:
    return e;
}

/*
 * [archive-rate] What one device says all others get: so much in an hour, and
 * what is above is not taken.  It says all of it again with its next change.
 */
static enum err
may_hand(const struct fed_core *core, struct fed_party *p, size_t size)
{
    uint64_t now = fed_mono(core);

    if (p->handed_ms == 0 || now - p->handed_ms >= hour_ms) {
        p->handed_ms = now | 1;
        p->handed = 0;
        p->handed_bytes = 0;
    }
    if (p->handed >= HANDED || size > handed_bytes - p->handed_bytes) {
        return ERR_LIMIT;
    }
    p->handed++;
    p->handed_bytes += size;
    return OK;
}

/* [archive-keys-newer] An older device does not put back what counts. */
static enum err
keep_keys(struct fed_core *core, struct fed_party *p,
          const struct proto_device_archive_keys *in)
{
    enum err e;
    struct proto_device_msg now;
    struct proto_device_archive_keys *k = &now.u.archive_keys;
    struct bytes hold = {0};

    TRY(load_said(core, &p->subject, FED_ARCHIVE_AT_KEYS,
                  PROTO_DEVICE_ARCHIVE_KEYS, &now, &hold));
    if (in->generation < k->generation) {
        goto out;
    }
    TRY(may_hand(core, p,
                 k->keys.len + k->ring.len + in->keys.len + in->ring.len));
    if (in->generation > k->generation || in->keys.len > 0) {
        k->keys = in->keys;
    }
    if (in->generation > k->generation || in->ring.len > 0) {
        k->ring = in->ring;
    }
    k->generation = in->generation;
    TRY(save_said(core, &p->subject, FED_ARCHIVE_AT_KEYS, &now));
    TRY(fed_archive_others(core, p, &now));
out:
    bytes_free(&hold);
    return e;
}

static enum err
give_said(struct fed_core *core, struct fed_party *p, uint64_t number,
          enum proto_device_type type)
{
    enum err e;
    struct proto_device_msg now;
    struct bytes hold = {0};

    TRY(load_said(core, &p->subject, number, type, &now, &hold));
    TRY(fed_device_put(core, p, &now));
out:
    bytes_free(&hold);
    return e;
}

/* [shared-newer] What is under an older key does not take the place. */
static enum err
keep_shared(struct fed_core *core, struct fed_party *p,
            const struct proto_device_msg *msg)
{
    enum err e;
    struct proto_device_msg now;
    struct bytes hold = {0};

    TRY(load_said(core, &p->subject, FED_ARCHIVE_AT_SHARED, PROTO_DEVICE_SHARED,
                  &now, &hold));
    if (msg->u.shared.generation < now.u.shared.generation ||
        view_equal(msg->u.shared.sealed, now.u.shared.sealed)) {
        goto out;
    }
    TRY(may_hand(core, p, msg->u.shared.sealed.len));
    TRY(save_said(core, &p->subject, FED_ARCHIVE_AT_SHARED, msg));
    TRY(fed_archive_others(core, p, msg));
out:
    bytes_free(&hold);
    return e;
}

/* -------------------------------------------------------------- a device's end
 */

/* As it came. */
static enum err
said_came(struct fed_core *core, struct fed_party *p,
          enum fed_archive_code code, const struct proto_device_msg *msg)
{
    struct fed_show *show = fed_tx_show(core, FED_SHOW_ARCHIVE);

    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->peer = p->root;
    show->code = code;
    return proto_device_encode(core->mem, msg, &show->body);
}

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

static enum err
from_device(struct fed_core *core, struct fed_party *p,
            const struct proto_device_msg *msg)
{
    if (msg->type == PROTO_DEVICE_ARCHIVE_PUT) {
        return keep(core, p, msg->u.archive_put.part);
    }
    if (msg->type == PROTO_DEVICE_ARCHIVE_GET) {
        return give(core, p, msg->u.archive_get.from);
    }
    if (msg->type == PROTO_DEVICE_ARCHIVE_KEYS) {
        return keep_keys(core, p, &msg->u.archive_keys);
    }
    if (msg->type == PROTO_DEVICE_ARCHIVE_KEY) {
        return fed_lack_recv(core, p, msg);
    }
    if (msg->type == PROTO_DEVICE_SHARED && msg->u.shared.sealed.len > 0) {
        return keep_shared(core, p, msg);
    }
    if (msg->type == PROTO_DEVICE_SHARED) {
        return give_said(core, p, FED_ARCHIVE_AT_SHARED, msg->type);
    }
    return msg->type == PROTO_DEVICE_ARCHIVE_ASK
               ? give_said(core, p, FED_ARCHIVE_AT_KEYS,
                           PROTO_DEVICE_ARCHIVE_KEYS)
               : ERR_DENIED;
}

enum err
fed_archive_item(struct fed_core *core, struct fed_party *p,
                 const struct proto_device_msg *msg)
{
    if (core->kind == FED_KIND_CLINIC && p->kind == FED_KIND_DEVICE) {
        return from_device(core, p, msg);
    }
    if (core->kind != FED_KIND_DEVICE || p->kind != FED_KIND_CLINIC) {
        return ERR_DENIED;
    }
    if (msg->type == PROTO_DEVICE_ARCHIVE_KEYS) {
        return said_came(core, p, FED_ARCHIVE_KEYS, msg);
    }
    if (msg->type == PROTO_DEVICE_ARCHIVE_KEY) {
        return said_came(core, p, FED_ARCHIVE_KEY, msg);
    }
    if (msg->type == PROTO_DEVICE_SHARED) {
        return said_came(core, p, FED_ARCHIVE_SHARED, msg);
    }
    return msg->type == PROTO_DEVICE_ARCHIVE_PART
               ? came(core, p, &msg->u.archive_part)
               : ERR_DENIED;
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

/* To the home clinic. */
static enum err
to_home(struct fed_core *core, const struct clinic_id *home,
        const struct proto_device_msg *msg)
{
    struct fed_party *p = home_of(core, home);

    return p == NULL ? ERR_MISSING : fed_device_put(core, p, msg);
}

enum err
fed_core_archive_put(struct fed_core *core, const struct clinic_id *home,
                     struct view part)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ARCHIVE_PUT};

    if (part.len > PROTO_DEVICE_PART_MAX) {
        return ERR_LIMIT;
    }
    msg.u.archive_put.part = part;
    return to_home(core, home, &msg);
}

enum err
fed_core_archive_get(struct fed_core *core, const struct clinic_id *home,
                     uint64_t from)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ARCHIVE_GET};

    msg.u.archive_get.from = from;
    return to_home(core, home, &msg);
}

enum err
fed_core_archive_keys(struct fed_core *core, const struct clinic_id *home,
                      const struct proto_device_archive_keys *keys)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ARCHIVE_KEYS};

    if (keys->keys.len > PROTO_DEVICE_KEYS_MAX ||
        keys->ring.len > PROTO_DEVICE_RING_MAX) {
        return ERR_LIMIT;
    }
    msg.u.archive_keys = *keys;
    return to_home(core, home, &msg);
}

enum err
fed_core_archive_ask(struct fed_core *core, const struct clinic_id *home,
                     uint64_t generation)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ARCHIVE_ASK};

    msg.u.archive_ask.generation = generation;
    return to_home(core, home, &msg);
}

enum err
fed_core_archive_key(struct fed_core *core, const struct clinic_id *home,
                     const struct proto_device_archive_key *key)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_ARCHIVE_KEY};

    if (key->sealed.len > PROTO_DEVICE_GIVEN_MAX) {
        return ERR_LIMIT;
    }
    msg.u.archive_key = *key;
    return to_home(core, home, &msg);
}

enum err
fed_core_shared(struct fed_core *core, const struct clinic_id *home,
                const struct proto_device_shared *shared)
{
    struct proto_device_msg msg = {.type = PROTO_DEVICE_SHARED};

    if (shared->sealed.len > PROTO_DEVICE_SHARED_MAX) {
        return ERR_LIMIT;
    }
    msg.u.shared = *shared;
    return to_home(core, home, &msg);
}
