/* SPDX-License-Identifier: Apache-2.0 */
/* Reporting a message: which one it is, from the app's own record. */
#include "federation/app/inside.h"

#include <string.h>

enum err
fed_app_report_to(struct fed_app *app, const struct thread_id *thread,
                  struct clinic_id out[FED_REPORT_TO], size_t *len_out)
{
    if (app->core == NULL) {
        return ERR_MISSING;
    }
    return fed_core_report_to(app->core, thread, out, len_out);
}

enum err
fed_app_report(struct fed_app *app, const struct thread_id *thread,
               uint64_t number, uint64_t reason, struct view words)
{
    enum err e;
    struct fed_app_message m;
    struct fed_app_rec_message rec;
    struct fed_report in = {
        .thread = *thread, .reason = reason, .words = words};
    struct bytes shown = {0};
    struct bytes hold = {0};

    TRY(app->core == NULL ? ERR_MISSING : OK);
    TRY(fed_app_message(app, thread, number, &m, &shown));
    TRY((m.flags & FED_APP_MESSAGE_OURS) != 0 ? ERR_DENIED : OK);
    TRY(fed_app_message_rec(app, thread, m.id.b, &rec, &hold));
    TRY(rec.content.len == 0 || rec.seq == 0 ? ERR_STATE : OK);
    in.message = m.id;
    memcpy(in.author.b, rec.author, sizeof(in.author.b));
    in.term = rec.term;
    in.seq = rec.seq;
    in.ts_ms = rec.at_ms;
    in.content = rec.content;
    TRY(fed_core_report(app->core, &in));
out:
    bytes_free(&shown);
    bytes_free(&hold);
    return e;
}
