/* SPDX-License-Identifier: Apache-2.0 */
/* Showing a message to the clinics that can do something about it. */
#include "tools/patient/patient.h"

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

    switch ((int)e) {
    case OK:
        return tool_patient_finish(p, NULL, NULL);
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

enum tool_exit
tool_patient_report(struct tool_patient *p)
{
    struct thread_id thread;
    uint64_t number = 0;
    uint64_t reason = 0;
    bool ask = !p->json && !tool_args_has(&p->args, "--yes");
    json_t *to = json_array();
    enum tool_exit code = reason_of(p, &reason);

    code = code == TOOL_EXIT_OK ? tool_patient_number(p->args.arg[1], &number)
                                : code;
    code = code == TOOL_EXIT_OK ? tool_patient_sync(p) : code;
    code = code == TOOL_EXIT_OK
               ? tool_patient_thread(p, p->args.arg[0], &thread)
               : code;
    code = code == TOOL_EXIT_OK ? names(p, &thread, to, ask) : code;
    if (code == TOOL_EXIT_OK && !tool_args_has(&p->args, "--yes") &&
        !tool_confirm("Report it?")) {
        code = tool_say(TOOL_EXIT_DECLINED, "Nothing was done.");
    }
    code = code == TOOL_EXIT_OK ? report(p, &thread, number, reason) : code;
    if (code == TOOL_EXIT_OK) {
        (void)json_object_set_new(p->out, "reported",
                                  json_pack("{s:O}", "to", to));
    }
    json_decref(to);
    return code;
}
