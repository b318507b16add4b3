/* SPDX-License-Identifier: Apache-2.0 */
/* connect: who it is first, then a question, then the connection.  watch. */
#include "tools/cli/cmd.h"
#include "tools/cli/show.h"
#include "tools/common/safe.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *
text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s == NULL ? "" : s;
}

static void
show_profile(const json_t *p)
{
    static const char *const fields[] = {"name", "address", "phone"};

    (void)printf("\n");
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        if (i == 0 || text(p, fields[i])[0] != '\0') {
            (void)printf("  ");
            tool_print_safe(text(p, fields[i]));
            (void)printf("\n");
        }
    }
    tool_show_picture(p, "  ");
    (void)printf("  key %.16s...\n\n", text(p, "id"));
    if (json_is_true(json_object_get(p, "review"))) {
        (void)printf("They decide about each request themselves.\n");
    }
}

/* What is behind the link, and whether the person wants it. */
static enum tool_exit
look(const struct tool_run *run, json_t *request)
{
    json_t *answer = NULL;
    enum tool_exit code;

    (void)json_object_set_new(request, "do", json_string("look"));
    code = tool_ask(run, request, NULL, 0, &answer);
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    if (!run->json) {
        show_profile(answer);
    }
    json_decref(answer);
    if (tool_args_has(&run->args, "--yes") ||
        tool_confirm("Connect with this clinic?")) {
        return TOOL_EXIT_OK;
    }
    (void)json_object_set_new(request, "do", json_string("look end"));
    if (tool_ask(run, request, NULL, 0, &answer) == TOOL_EXIT_OK) {
        json_decref(answer);
    }
    return tool_say(TOOL_EXIT_DECLINED, "Not connected.");
}

static enum tool_exit
tell(const struct tool_run *run, const json_t *answer)
{
    const char *state = text(answer, "state");
    bool waits = strcmp(state, "waiting") == 0;

    if (run->json) {
        tool_print_json(answer);
    } else if (strcmp(state, "connected") == 0) {
        (void)fprintf(stdout, "%s.\n",
                      json_is_true(json_object_get(answer, "already"))
                          ? "You are connected already"
                          : "Connected");
    } else if (strcmp(state, "review") == 0) {
        (void)fprintf(stdout, "Asked. They will decide; balsam clinics shows "
                              "when they did.\n");
    } else if (text(answer, "clock")[0] != '\0') {
        (void)fprintf(stdout, "They cannot answer yet. %s\n",
                      text(answer, "clock"));
    } else {
        const char *why = text(answer, "why");
        bool known = why[0] != '\0' && strcmp(why, "none") != 0;

        (void)fprintf(stdout,
                      "They have not answered yet%s%s%s. The node keeps "
                      "trying; balsam clinics shows how it goes.\n",
                      known ? " (" : "", known ? why : "", known ? ")" : "");
    }
    return waits ? TOOL_EXIT_WAITS : TOOL_EXIT_OK;
}

enum tool_exit
tool_cmd_connect(const struct tool_run *run)
{
    json_t *request = tool_request(run);
    json_t *answer = NULL;
    enum tool_exit code = look(run, request);

    if (code == TOOL_EXIT_OK) {
        (void)json_object_set_new(request, "do", json_string("connect"));
        code = tool_ask(run, request, NULL, 0, &answer);
    }
    if (code == TOOL_EXIT_OK) {
        code = tell(run, answer);
    }
    json_decref(request);
    json_decref(answer);
    return code;
}

enum tool_exit
tool_cmd_watch(const struct tool_run *run)
{
    struct tool_client c = {0};
    json_t *request = tool_request(run);
    json_t *line = NULL;
    bool more = true;
    enum tool_exit code = TOOL_EXIT_OK;
    enum err e = tool_client_open(run->control, &c);

    if (e == OK) {
        e = tool_client_send(&c, request, NULL, 0);
    }
    while (more && e == OK && (e = tool_client_next(&c, &line)) == OK) {
        more = json_object_get(line, "ok") == NULL;
        if (!more && json_is_false(json_object_get(line, "ok"))) {
            code = tool_say(TOOL_EXIT_FAILED, "%s", text(line, "say"));
        } else if (run->json) {
            tool_print_json(line);
        } else if (strcmp(text(line, "event"), "ready") == 0) {
            /* also who reads by a program knows from when on */
            (void)fprintf(isatty(1) ? stdout : stderr,
                          "Messages are shown as they come. Ctrl-C ends it.\n");
        } else {
            tool_show_event(line);
        }
        json_decref(line);
    }
    tool_client_close(&c);
    json_decref(request);
    return e == OK ? code : tool_not_up(run, e);
}
