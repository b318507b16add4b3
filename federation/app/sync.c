/* SPDX-License-Identifier: Apache-2.0 */
/* How things stand with the clinics: may a command that waits for them end? */
#include "federation/app/before.h"
#include "federation/app/inside.h"
#include "federation/core/patient.h"

/* Clinics that are to be connected directly. */
static bool
counts(const struct fed_party_info *p)
{
    return p->kind == FED_KIND_CLINIC && clinic_id_is_zero(&p->via) &&
           (p->ours == PROTO_STANCE_ASKED || p->ours == PROTO_STANCE_GRANTED);
}

static void
add_party(const struct fed_party_info *p, struct fed_app_sync *out)
{
    out->wanted++;
    out->up += p->up ? 1 : 0;
    out->asking +=
        p->ours == PROTO_STANCE_ASKED && p->theirs != PROTO_STANCE_REVIEW ? 1
                                                                          : 0;
    out->queued += p->queued;
    out->behind += p->behind;
}

bool
fed_app_before(struct fed_app *app, const struct clinic_id *clinic,
               struct clinic_id *via)
{
    return app->core != NULL && fed_core_before(app->core, clinic, via);
}

enum err
fed_app_rest(struct fed_app *app, bool *owed_out)
{
    *owed_out = false;
    return app->core == NULL ? OK : fed_core_receipts(app->core, owed_out);
}

void
fed_app_sync(struct fed_app *app, struct fed_app_sync *out)
{
    struct fed_party_info p;
    const struct clinic_id *after = NULL;
    struct clinic_id last;

    *out = (struct fed_app_sync){.wanted = 0};
    while (app->core != NULL &&
           fed_core_party_next(app->core, after, &p) == OK) {
        last = p.root;
        after = &last;
        if (counts(&p)) {
            add_party(&p, out);
        }
    }
    out->rejoining = app->core == NULL ? 0 : fed_core_rejoining(app->core);
    if (fed_app_files_left(app, &out->files) != OK) {
        out->files = 1; /* not known: not settled */
    }
    out->settled = out->up == out->wanted && out->asking == 0 &&
                   out->queued == 0 && out->behind == 0 &&
                   out->rejoining == 0 && out->files == 0 && app->kv.len == 0 &&
                   !fed_app_archive_waits(app) && !fed_app_shared_waits(app) &&
                   !fed_app_shared_asked(app);
}
