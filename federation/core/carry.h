/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may move an attachment's chunks, and for whom (decisions F 24, G 34).
 * The core moves none itself.  Part of core.h's contract.
 */
#ifndef FEDERATION_CORE_CARRY_H
#define FEDERATION_CORE_CARRY_H

#include "federation/core/core.h"

enum fed_right {
    FED_RIGHT_NONE = 0,
    FED_RIGHT_MEMBER = 1, /* of the thread, or carrying for one */
    FED_RIGHT_CARRY = 2 /* to and from far, through us: our patient's device */
};

/*
 * What peer, which is connected, may do with attachments of thread.  far is
 * the other end when one of us only carries: for a device the clinic, for a
 * clinic the patient that it delivers for; zeros: neither.  *patient_out is
 * whose quota counts; zeros: the clinic's own.
 */
MUST_CHECK enum err
fed_core_blob_right(struct fed_core *core, const struct thread_id *thread,
                    const struct clinic_id *peer, const struct clinic_id *far,
                    enum fed_right *right_out, struct clinic_id *patient_out);

#endif
