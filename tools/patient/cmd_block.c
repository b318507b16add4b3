/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To hear nothing of a clinic any more.  What a person would not expect of it,
 * or of taking back what it was allowed, is said before it is done: a
 * conversation that the clinic orders cannot go on without it, so the patient
 * leaves it, and the clinics in it stay together.
 */
#include "federation/app/block.h"
#include "tools/patient/describe.h"

#include <stdio.h>
#include <string.h>

/* Says of one conversation, if the clinic named orders it for others too. */
static void
say_one(const json_t *t, const char *clinic)
{
    const char *title = json_string_value(json_object_get(t, "title"));
    const char *orders = NULL;
    char others[512] = "";
    size_t i;
    const json_t *m;

    json_array_foreach(json_object_get(t, "members"), i, m)
    {
        const char *name = json_string_value(json_object_get(m, "name"));
        const char *id = json_string_value(json_object_get(m, "id"));
        const char *kind = json_string_value(json_object_get(m, "kind"));
        size_t len = strlen(others);

        if (strcmp(kind, "clinic") != 0) {
            continue;
        }
        if (strcmp(id, clinic) != 0) {
            (void)snprintf(others + len, sizeof(others) - len, "%s%s",
                           len == 0 ? "" : " and ", name);
        } else if (json_is_true(json_object_get(m, "orders"))) {
            orders = name;
        }
    }
    if (orders != NULL && others[0] != '\0') {
        (void)tool_say(TOOL_EXIT_OK,
                       "You also leave the conversation \"%s\", because %s "
                       "orders it. It goes on without you between %s and %s.",
                       title, orders, orders, others);
    }
}

void
tool_patient_say_left(struct tool_patient *p, const struct clinic_id *root)
{
    struct fed_app_thread t;
    struct thread_id at;
    const struct thread_id *after = NULL;
    struct bytes hold = {0};
    json_t *id = json_object();

    tool_put_hex(id, "id", clinic_id_view(root));
    while (fed_app_thread_next(p->app, after, &t, &hold) == OK) {
        json_t *row;

        at = t.id;
        after = &at;
        if (t.state == FED_THREAD_ENDED || t.state == FED_THREAD_REMOVED) {
            continue;
        }
        row = tool_patient_thread_row(p, &t);
        say_one(row, json_string_value(json_object_get(id, "id")));
        json_decref(row);
    }
    json_decref(id);
    bytes_free(&hold);
}

static enum tool_exit
block(struct tool_patient *p, bool blocked)
{
    struct clinic_id root;
    enum tool_exit code = tool_patient_sync(p);
    enum err e;

    code = code == TOOL_EXIT_OK ? tool_patient_clinic(p, p->args.arg[0], &root)
                                : code;
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    if (blocked) {
        tool_patient_say_left(p, &root);
    }
    if (blocked && !tool_args_has(&p->args, "--yes") &&
        !tool_confirm("Hear nothing of this clinic any more? What you allowed "
                      "it is withdrawn; it keeps its record of you.")) {
        return tool_say(TOOL_EXIT_DECLINED, "Nothing was done.");
    }
    e = fed_app_block(p->app, &root, blocked);
    if (e == ERR_STATE) {
        return tool_say(TOOL_EXIT_FAILED,
                        "It is your home: move to another clinic of yours "
                        "first, with balsam-patient home.");
    }
    if (e == ERR_MISSING) {
        return tool_say(TOOL_EXIT_FAILED, blocked ? "It is blocked already."
                                                  : "It is not blocked.");
    }
    return e == OK ? tool_patient_finish(p, NULL, NULL)
                   : tool_patient_failed(p, e);
}

enum tool_exit
tool_patient_block(struct tool_patient *p)
{
    return block(p, true);
}

enum tool_exit
tool_patient_unblock(struct tool_patient *p)
{
    return block(p, false);
}
