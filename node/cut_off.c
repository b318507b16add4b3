/* SPDX-License-Identifier: Apache-2.0 */
#include "node/cut_off.h"

#include "node/clinic/desk.h"
#include "proto/msg/group.h"

#include <string.h>

struct cut {
    const struct clinic_id *us;
    struct store_txn *txn;
    const struct patient_id *patient;
    json_t *out;
};

/* Whether the thread goes to the patient through us, and others are in it. */
static bool
carried(const struct cut *k, const struct thread_id *thread)
{
    struct bytes ext = {0};
    struct proto_group g;
    struct proto_list_at at = {0};
    struct proto_subject s;
    bool through_us = false;
    size_t others = 0;

    if (node_desk_group(k->txn, thread, &ext) == OK &&
        proto_group_decode(view_of(&ext), &g) == OK) {
        while (proto_list_next(&g.subjects, &proto_subject_shape, &at, &s)) {
            if (memcmp(s.root, k->patient->b, sizeof(s.root)) == 0) {
                through_us = memcmp(s.node, k->us->b, 32) == 0;
            } else if (memcmp(s.root, k->us->b, 32) != 0) {
                others++;
            }
        }
    }
    bytes_free(&ext);
    return through_us && others > 0;
}

static enum err
each_conv(void *ctx, const struct conv_id *id)
{
    enum err e;
    struct cut *k = ctx;
    struct store_conv conv = {0};
    struct phi name = {0};
    json_t *list;

    TRY(store_conv_get(k->txn, id, &conv));
    if (conv.has_thread && (conv.flags & STORE_CONV_CLOSED) == 0 &&
        carried(k, &conv.thread)) {
        list = json_object_get(k->out, "cut_off");
        list = list == NULL ? node_json_array(k->out, "cut_off") : list;
        node_conv_label(k->txn, &conv, &name);
        TRY(json_array_append_new(
                list, json_stringn((const char *)proto_phi_reveal(&name).p,
                                   proto_phi_reveal(&name).len)) == 0
                ? OK
                : ERR_NOMEM);
    }
out:
    store_conv_clear(&conv);
    phi_free(&name);
    return e;
}

enum err
node_cut_off(struct store_txn *txn, const struct clinic_id *us,
             const struct patient_id *patient, json_t *o)
{
    enum err e;
    struct cut k = {.us = us, .txn = txn, .patient = patient, .out = o};
    struct store_patient p = {0};

    e = store_patient_get(txn, patient, &p);
    if (e == OK && p.has_contact) {
        e = store_conv_by_contact(txn, &p.contact, false, each_conv, &k);
    }
    store_patient_clear(&p);
    return e == ERR_MISSING ? OK : e;
}
