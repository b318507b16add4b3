/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key of a patient's archive that one of its devices lacks: whoever added it
 * may not have had the newest one.  Its home clinic hands the question to the
 * patient's other devices, and what they answer, sealed and signed, to the one
 * that asked.  It keeps who asked for what: nobody is told anything unasked,
 * and one device makes the others no more work than a few questions an hour.
 */
#include "federation/core/care.h"

#include "crypto/ident/device_list.h"
#include "proto/msg/device.h"

#include <string.h>

enum {
    PER_HOUR = 4,
    ROWS = IDENT_DEVICES_MAX
};

static const uint64_t hour_ms = 3600000;

struct rows {
    struct fed_rec_lack at[ROWS];
    uint32_t len;
};

static struct fed_key
rows_key(const struct clinic_id *patient)
{
    return fed_key_num(clinic_id_view(patient), FED_ARCHIVE_AT_LACKS);
}

static enum err
load(struct fed_core *core, const struct clinic_id *patient, struct rows *out)
{
    enum err e;
    struct fed_key key = rows_key(patient);
    struct fed_rec_lacks rec;
    struct proto_list_at at = {0};
    struct bytes hold = {0};

    *out = (struct rows){.len = 0};
    e = fed_tx_load(core, FED_NS_ARCHIVE, &key, &fed_rec_lacks_shape, &rec,
                    &hold);
    TRY(e);
    while (out->len < ROWS && proto_list_next(&rec.rows, &fed_rec_lack_shape,
                                              &at, &out->at[out->len])) {
        out->len++;
    }
out:
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

static enum err
save(struct fed_core *core, const struct clinic_id *patient,
     const struct rows *rows)
{
    struct fed_key key = rows_key(patient);
    struct fed_rec_lacks rec = {{rows->at, rows->len, {0}}};

    return fed_tx_save(core, FED_NS_ARCHIVE, &key, &fed_rec_lacks_shape, &rec);
}

/* What device asked; NULL: nothing. */
static struct fed_rec_lack *
find(struct rows *rows, const uint8_t device[32])
{
    for (uint32_t i = 0; i < rows->len; i++) {
        if (memcmp(rows->at[i].device, device, 32) == 0) {
            return &rows->at[i];
        }
    }
    return NULL;
}

/* The row of device, an empty one at first; who asked first makes room. */
static struct fed_rec_lack *
row_of(struct rows *rows, const uint8_t device[32])
{
    struct fed_rec_lack *row = find(rows, device);

    if (row != NULL) {
        return row;
    }
    if (rows->len == ROWS) {
        rows->len--;
        memmove(&rows->at[0], &rows->at[1], rows->len * sizeof(rows->at[0]));
    }
    row = &rows->at[rows->len++];
    *row = (struct fed_rec_lack){.generation = 0};
    memcpy(row->device, device, sizeof(row->device));
    return row;
}

/* [archive-key-rate] Whether the others are to hear of it; counted. */
static bool
count(struct fed_rec_lack *row, uint64_t generation, uint64_t now_ms)
{
    if (row->since_ms > now_ms || now_ms - row->since_ms >= hour_ms) {
        row->since_ms = now_ms;
        row->count = 0;
    }
    if (row->count >= PER_HOUR ||
        (row->count > 0 && row->generation == generation)) {
        return false;
    }
    row->generation = generation;
    row->count++;
    return true;
}

static enum err
question(struct fed_core *core, struct fed_party *p,
         const struct proto_device_msg *msg)
{
    enum err e;
    const struct proto_device_archive_key *in = &msg->u.archive_key;
    struct rows rows;

    /* [archive-key-own] */
    TRY(memcmp(in->device, p->root.b, sizeof(in->device)) == 0 ? OK
                                                               : ERR_DENIED);
    TRY(load(core, &p->subject, &rows));
    if (count(row_of(&rows, in->device), in->generation, fed_now(core))) {
        TRY(save(core, &p->subject, &rows));
        TRY(fed_archive_others(core, p, msg));
    }
out:
    return e;
}

/* The patient's device of that id: in its list, not suspended, in use. */
static struct fed_party *
device(struct fed_core *core, const struct clinic_id *subject,
       const uint8_t id[32])
{
    struct fed_party *patient = fed_party_find(core, subject);
    struct fed_party *d;

    for (size_t i = 0;
         patient != NULL && fed_patient_device(core, patient, i, &d); i++) {
        if (d != NULL && memcmp(d->root.b, id, sizeof(d->root.b)) == 0) {
            return d;
        }
    }
    return NULL;
}

/* [archive-key-asked] Nobody gets an answer who did not ask. */
static enum err
answer(struct fed_core *core, struct fed_party *p,
       const struct proto_device_msg *msg)
{
    enum err e;
    const struct proto_device_archive_key *in = &msg->u.archive_key;
    struct fed_party *to = device(core, &p->subject, in->device);
    const struct fed_rec_lack *row;
    struct rows rows;

    TRY(load(core, &p->subject, &rows));
    row = find(&rows, in->device);
    if (to != NULL && to != p && row != NULL &&
        row->generation == in->generation) {
        TRY(fed_device_put(core, to, msg));
    }
out:
    return e;
}

enum err
fed_lack_recv(struct fed_core *core, struct fed_party *p,
              const struct proto_device_msg *msg)
{
    /* [archive-key-listed] Who is suspended neither asks nor answers. */
    if (device(core, &p->subject, p->root.b) != p) {
        return OK;
    }
    return msg->u.archive_key.sealed.len == 0 ? question(core, p, msg)
                                              : answer(core, p, msg);
}
