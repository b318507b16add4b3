/* SPDX-License-Identifier: Apache-2.0 */
/* Rights to move attachments, for members and for who carries for one. */
#include "federation/core/carry.h"

#include "federation/core/care.h"

/* A device of ours to or from a clinic that its patient may speak with. */
static enum err
carried(struct fed_core *core, const struct fed_party *device,
        const struct clinic_id *far, bool *out)
{
    struct fed_party *patient = fed_party_find(core, &device->subject);
    enum err e;

    TRY(fed_route_may(core, patient, fed_party_find(core, far), out));
    if (*out) {
        struct fed_party *d = NULL;
        size_t i = 0;

        while (d != device && fed_patient_device(core, patient, i, &d)) {
            i++;
        }
        *out = d == device; /* not suspended, and in the list */
    }
out:
    return e;
}

enum err
fed_core_blob_right(struct fed_core *core, const struct thread_id *thread,
                    const struct clinic_id *peer, const struct clinic_id *far,
                    enum fed_right *right_out, struct clinic_id *patient_out)
{
    const struct fed_party *p = fed_party_find(core, peer);
    const struct fed_party *patient = NULL;
    bool direct = clinic_id_is_zero(far);
    bool may = false;
    enum err e = OK;

    *right_out = FED_RIGHT_NONE;
    *patient_out = (struct clinic_id){{0}};
    if (p == NULL) {
        return OK;
    }
    if (p->kind == FED_KIND_DEVICE) {
        *patient_out = p->subject;
    } else if (!direct) {
        *patient_out = *far;
        patient = fed_party_find(core, far);
        /* [blob-relay] only who delivers carries for the patient */
        if (patient == NULL || patient->kind != FED_KIND_PATIENT ||
            patient->via != p) {
            return OK;
        }
    }
    if (p->kind == FED_KIND_DEVICE && !direct) {
        TRY(carried(core, p, far, &may));
        *right_out = may ? FED_RIGHT_CARRY : FED_RIGHT_NONE;
    } else {
        TRY(fed_core_is_member(core, thread, direct ? peer : far, &may));
        *right_out = may ? FED_RIGHT_MEMBER : FED_RIGHT_NONE;
    }
out:
    return e;
}
