/* SPDX-License-Identifier: Apache-2.0 */
/* Reporting a message: which one it is, from the app's own record. */
#include "federation/app/report.h"

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

/* What is reported, with what its views point to. */
struct found {
    struct fed_report report;
    struct bytes message;
    struct bytes edit;
};

static void
found_clear(struct found *f)
{
    bytes_free(&f->message);
    bytes_free(&f->edit);
}

static void
fill(const struct fed_app_rec_message *rec, struct fed_report *out)
{
    memcpy(out->message.b, rec->id, sizeof(out->message.b));
    memcpy(out->author.b, rec->author, sizeof(out->author.b));
    out->term = rec->term;
    out->seq = rec->seq;
    out->ts_ms = rec->at_ms;
    out->content = rec->content;
}

static enum err
find(struct fed_app *app, const struct thread_id *thread, uint64_t number,
     struct found *out)
{
    enum err e;
    struct fed_app_message m;
    struct fed_app_rec_message rec;
    struct bytes shown = {0};

    TRY(app->core == NULL ? ERR_MISSING : OK);
    TRY(fed_app_message(app, thread, number, &m, &shown));
    TRY((m.flags & FED_APP_MESSAGE_OURS) != 0 ? ERR_DENIED : OK);
    TRY(fed_app_message_rec(app, thread, m.id.b, &rec, &out->message));
    TRY(rec.content.len == 0 || rec.seq == 0 ? ERR_STATE : OK);
    out->report.thread = *thread;
    fill(&rec, &out->report);
    if ((rec.flags & FED_APP_MESSAGE_EDITED) != 0) {
        out->report.before = rec.content;
        TRY(fed_app_load_at(app, thread, rec.edited, &rec, &out->edit));
        fill(&rec, &out->report);
    }
out:
    bytes_free(&shown);
    return e;
}

enum err
fed_app_proof(struct fed_app *app, const struct thread_id *thread,
              uint64_t number, enum fed_app_proof *out)
{
    enum err e;
    struct found f;
    bool proven;

    memset(&f, 0, sizeof(f));
    TRY(find(app, thread, number, &f));
    TRY(fed_core_proven(app->core, &f.report, &proven));
    if (proven) {
        *out = FED_APP_PROOF_HERE;
        goto out;
    }
    e = fed_core_prove(app->core, &f.report);
    *out = e == OK ? FED_APP_PROOF_ASKED : FED_APP_PROOF_NONE;
    e = e == ERR_STATE ? OK : e;
out:
    found_clear(&f);
    return e;
}

enum err
fed_app_report(struct fed_app *app, const struct thread_id *thread,
               uint64_t number, uint64_t reason, struct view words)
{
    enum err e;
    struct found f;

    memset(&f, 0, sizeof(f));
    TRY(find(app, thread, number, &f));
    f.report.reason = reason;
    f.report.words = words;
    TRY(fed_core_report(app->core, &f.report));
out:
    found_clear(&f);
    return e;
}
