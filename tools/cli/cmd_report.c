/* SPDX-License-Identifier: Apache-2.0 */
/* Reports: asked before anything is shown to others, and read. */
#include "tools/cli/cmd.h"
#include "tools/cli/show.h"

#include <stdio.h>
#include <string.h>

/* Everybody in a list by name. */
static void
print_names(const json_t *list)
{
    size_t i;
    const json_t *o;

    json_array_foreach(list, i, o)
    {
        (void)printf("%s", i == 0 ? "" : " and ");
        if (json_is_true(json_object_get(o, "self"))) {
            (void)printf("your own reports");
        } else {
            tool_print_safe(tool_text(o, "name"));
        }
    }
}

/* Say who will see it, then ask. */
static bool
agreed(const json_t *answer)
{
    (void)printf("This message of ");
    tool_print_safe(tool_text(json_object_get(answer, "about"), "name"));
    (void)printf(" goes to ");
    print_names(json_object_get(answer, "to"));
    (void)printf(". No other message does.\n");
    (void)fflush(stdout);
    return tool_confirm("Report it?");
}

enum tool_exit
tool_cmd_report(const struct tool_run *run)
{
    json_t *request = tool_request(run);
    json_t *flags = json_object_get(request, "flags");
    json_t *answer = NULL;
    enum tool_exit code = TOOL_EXIT_OK;

    if (!tool_args_has(&run->args, "--yes")) {
        (void)json_object_set_new(flags, "look", json_true());
        code = tool_ask(run, request, NULL, 0, &answer);
        if (code == TOOL_EXIT_OK && !agreed(answer)) {
            code = tool_say(TOOL_EXIT_DECLINED, "Nothing was done.");
        }
        (void)json_object_del(flags, "look");
        json_decref(answer);
        answer = NULL;
    }
    if (code == TOOL_EXIT_OK) {
        code = tool_ask(run, request, NULL, 0, &answer);
    }
    if (code == TOOL_EXIT_OK && run->json) {
        tool_print_json(answer);
    } else if (code == TOOL_EXIT_OK) {
        const json_t *about = json_object_get(answer, "about");

        (void)printf("Reported to ");
        print_names(json_object_get(answer, "to"));
        (void)printf(". To refuse everything from them: balsam block \"");
        tool_print_safe(tool_text(about, "name"));
        (void)printf("\"\n");
    }
    json_decref(request);
    json_decref(answer);
    return code;
}

/* --------------------------------------------------------------- showing */

static const char *
proof_sentence(const json_t *r)
{
    static const struct {
        const char *word;
        const char *sentence;
    } proofs[] = {
        {"own record", "Proven: we got this message ourselves."},
        {"signed by its author", "Proven: its author's node signed it."},
        {"confirmed by another clinic",
         "Confirmed by the clinic that ordered the conversation: "},
        {"does not fit", "NOT PROVEN: content, sender or place were changed."},
    };

    for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
        if (strcmp(tool_text(r, "proof"), proofs[i].word) == 0) {
            return proofs[i].sentence;
        }
    }
    return "NOT PROVEN: only the reporter says so.";
}

static void
show_report(const json_t *r)
{
    const json_t *message = json_object_get(r, "message");
    const json_t *file;
    size_t i;

    (void)printf("%.8s  ", tool_text(r, "id"));
    tool_print_time(tool_number(r, "at_ms"));
    (void)printf("  %s%s: ", tool_text(r, "reason"),
                 json_is_true(json_object_get(r, "open")) ? "" : " (closed)");
    tool_print_safe(tool_text(json_object_get(r, "by"), "name"));
    (void)printf(" reports ");
    tool_print_safe(tool_text(json_object_get(r, "about"), "name"));
    (void)printf("\n  %s", proof_sentence(r));
    tool_print_safe(tool_text(json_object_get(r, "confirmed_by"), "name"));
    (void)printf("\n");
    if (tool_text(r, "words")[0] != '\0') {
        (void)printf("  They say: ");
        tool_print_safe(tool_text(r, "words"));
        (void)printf("\n");
    }
    if (json_object_get(r, "before") != NULL) {
        (void)printf("  At first it said: ");
        tool_print_safe(tool_text(json_object_get(r, "before"), "text"));
        (void)printf("\n  It was changed to:\n");
    }
    if (message != NULL) {
        (void)printf("  ");
        tool_print_time(tool_number(r, "said_ms"));
        (void)printf(": ");
        tool_print_safe(tool_text(message, "text"));
        json_array_foreach(json_object_get(message, "attachments"), i, file)
        {
            (void)printf(" [");
            tool_print_safe(tool_text(file, "name"));
            (void)printf("]");
        }
        (void)printf("\n");
    }
}

void
tool_show_reports(const json_t *a)
{
    const json_t *list = json_object_get(a, "reports");
    size_t i;
    const json_t *r;

    if (json_array_size(list) == 0) {
        (void)printf("No message is reported.\n");
    }
    json_array_foreach(list, i, r)
    {
        show_report(r);
    }
}
