/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a hub may number after a start: once those who would know have told it
 * that it was not put back (decisions E 20).
 */
#include "federation/core/care.h"
#include "federation/core/move.h"

/*
 * Has this member's node compared streams with us since we started?  A patient
 * is asked through who delivers; one whose devices we deliver to, through any
 * of them.
 */
static bool
compared(struct fed_core *core, struct fed_party *p)
{
    struct fed_party *d;

    if (p->via != NULL) {
        return p->via->met || p->via->fresh;
    }
    if (p->kind == FED_KIND_CLINIC) {
        return !p->stored || p->met || p->fresh;
    }
    if (p->met) {
        return true; /* by a device that it has no more */
    }
    for (size_t i = 0; fed_patient_device(core, p, i, &d); i++) {
        if (d != NULL && (d->met || d->fresh)) {
            return true;
        }
    }
    return false;
}

/* One of them knows a newer copy of us: how far that one got, nobody else
   may know. */
static bool
outdated(struct fed_core *core, const struct fed_thread *t)
{
    for (size_t i = 0; i < t->members_len; i++) {
        const struct fed_party *p = fed_party_find(core, &t->members[i].node);

        p = p != NULL && p->via != NULL ? p->via : p;
        if (p != NULL && fed_party_outdated(p)) {
            return true;
        }
    }
    return false;
}

/*
 * decisions E 20: after a start, nothing is numbered before every member's
 * node has greeted us (which compares streams, fed_hello_recv), or 72 hours
 * have passed.  A patient's phones are waited for only where nobody else could
 * tell us that we were put back.
 */
bool
fed_hub_ready(struct fed_core *core, const struct fed_thread *t)
{
    bool clinics = true;
    bool patients = false;
    size_t told = 0; /* by others than phones */

    if (fed_mono(core) - core->start_ms >= LIMIT_CHECK_MS) {
        return !outdated(core, t);
    }
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_party *p = fed_party_find(core, &t->members[i].node);
        bool good = p == NULL || compared(core, p);

        if (!good && fed_move_gone(core, t, &t->members[i].node)) {
            continue;
        }

        if (p != NULL && p->kind == FED_KIND_PATIENT && p->via == NULL) {
            patients = patients || good;
        } else {
            clinics = clinics && good;
            told++;
        }
    }
    if (!clinics || (told == 0 && t->members_len > 0 && !patients)) {
        fed_tx_timer(core, core->start_ms + LIMIT_CHECK_MS);
        return false;
    }
    return true;
}
