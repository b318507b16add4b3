/* SPDX-License-Identifier: Apache-2.0 */
/* Showing a message to the clinics that can do something about it. */
#include "tools/patient/patient.h"

#include "federation/app/report.h"
#include "tools/common/safe.h"

#include <stdio.h>
#include <string.h>

static const char *const reasons[PROTO_REPORT_REASON_COUNT] = {
    [PROTO_REPORT_OTHER] = "other",        [PROTO_REPORT_SPAM] = "spam",
    [PROTO_REPORT_ABUSE] = "abuse",        [PROTO_REPORT_IDENTITY] = "identity",
    [PROTO_REPORT_MISSENT] = "not for me",
};

static enum tool_exit
reason_of(const struct tool_patient *p, uint64_t *out)
{
    const char *word = tool_args_value(&p->args, "--reason", "other");

    for (*out = 0; *out < PROTO_REPORT_REASON_COUNT; (*out)++) {
        if (strcmp(word, reasons[*out]) == 0) {
            return TOOL_EXIT_OK;
        }
    }
    return tool_say(TOOL_EXIT_USAGE, "--reason is spam, abuse, identity, "
                                     "\"not for me\" or other.");
}

/* Why it cannot be reported. */
static enum tool_exit
refused(const struct tool_patient *p, enum err e)
{
    switch ((int)e) {
    case ERR_DENIED:
        return tool_say(TOOL_EXIT_USAGE, "This message is your own. Only what "
                                         "others wrote can be reported.");
    case ERR_LIMIT:
        return tool_say(TOOL_EXIT_USAGE, "--words takes %u bytes at most.",
                        LIMIT_REPORT_WORDS);
    case ERR_STATE:
        return tool_say(TOOL_EXIT_FAILED,
                        "What this message said is no longer here.");
    default:
        return tool_patient_failed(p, e);
    }
}

static bool
proof_came(void *ctx, struct fed_app *app)
{
    const struct tool_patient *p = ctx;

    (void)app;
    return p->proof_came;
}

/*
 * Whether others can check it.  What came before this device, or by another
 * way than the others, the clinic is asked for now; *word says what it is.
 */
static enum tool_exit
proof_of(struct tool_patient *p, const struct thread_id *thread,
         uint64_t number, const char **word)
{
    enum fed_app_proof proof;
    enum err e = fed_app_proof(p->app, thread, number, &proof);

    *word = "signed";
    if (e == OK && proof == FED_APP_PROOF_ASKED && !p->offline) {
        p->proof_came = false;
        (void)tool_patient_finish(p, proof_came, p);
        e = fed_app_proof(p->app, thread, number, &proof);
    }
    if (e == OK && proof != FED_APP_PROOF_HERE) {
        *word = p->proof_came ? "not in its record" : "not asked";
    }
    return e == OK ? TOOL_EXIT_OK : refused(p, e);
}

/* What cannot be proven is said before anybody is shown it. */
static void
say_proof(const char *word)
{
    if (strcmp(word, "signed") == 0) {
        (void)printf("Whoever gets it can check who wrote it: the clinic that "
                     "orders the conversation signed it.\n");
        return;
    }
    (void)printf(
        "You have no proof of it: it came before this device did, or %s. A "
        "clinic that takes part in the conversation finds it in its own "
        "record; any other has your word alone, and sees it marked so.\n",
        strcmp(word, "not asked") == 0
            ? "the clinic that orders the conversation did not answer"
            : "the clinic that orders the conversation has no record of it");
}

/* The names of those who will see it, as JSON and for the question. */
static enum tool_exit
names(struct tool_patient *p, const struct thread_id *thread, json_t *list,
      bool ask)
{
    struct clinic_id to[FED_REPORT_TO];
    size_t n = 0;
    enum err e = fed_app_report_to(p->app, thread, to, &n);

    if (e != OK) {
        return tool_patient_failed(p, e);
    }
    if (n == 0) {
        return tool_say(TOOL_EXIT_FAILED,
                        "You are not connected with a clinic that could take "
                        "this report.");
    }
    (void)printf("%s", ask ? "The message, and no other, is shown to " : "");
    for (size_t i = 0; i < n; i++) {
        struct subject_id who;
        struct bytes name = {0};

        memcpy(who.b, to[i].b, sizeof(who.b));
        tool_patient_name(p, &who, &name);
        (void)json_array_append_new(
            list, json_stringn((const char *)name.p, name.len));
        if (ask) {
            char text[256];

            (void)snprintf(text, sizeof(text), "%.*s", (int)name.len,
                           (const char *)name.p);
            (void)printf("%s", i == 0 ? "" : " and ");
            tool_print_safe(text);
        }
        bytes_free(&name);
    }
    (void)printf("%s", ask ? ".\n" : "");
    (void)fflush(stdout);
    return TOOL_EXIT_OK;
}

static enum tool_exit
report(struct tool_patient *p, const struct thread_id *thread, uint64_t number,
       uint64_t reason)
{
    enum err e =
        fed_app_report(p->app, thread, number, reason,
                       view_str(tool_args_value(&p->args, "--words", "")));

    return e == OK ? tool_patient_finish(p, NULL, NULL) : refused(p, e);
}

enum tool_exit
tool_patient_report(struct tool_patient *p)
{
    struct thread_id thread;
    uint64_t number = 0;
    uint64_t reason = 0;
    bool ask = !p->json && !tool_args_has(&p->args, "--yes");
    json_t *to = json_array();
    const char *proof = "";
    enum tool_exit code = reason_of(p, &reason);

    code = code == TOOL_EXIT_OK ? tool_patient_number(p->args.arg[1], &number)
                                : code;
    code = code == TOOL_EXIT_OK ? tool_patient_thread(p, &thread) : code;
    code = code == TOOL_EXIT_OK ? proof_of(p, &thread, number, &proof) : code;
    code = code == TOOL_EXIT_OK ? names(p, &thread, to, ask) : code;
    if (code == TOOL_EXIT_OK && !p->json) {
        say_proof(proof);
    }
    if (code == TOOL_EXIT_OK && !tool_args_has(&p->args, "--yes") &&
        !tool_confirm("Report it?")) {
        code = tool_say(TOOL_EXIT_DECLINED, "Nothing was done.");
    }
    code = code == TOOL_EXIT_OK ? report(p, &thread, number, reason) : code;
    if (code == TOOL_EXIT_OK) {
        (void)json_object_set_new(
            p->out, "reported",
            json_pack("{s:O, s:s}", "to", to, "proof", proof));
    }
    json_decref(to);
    return code;
}
