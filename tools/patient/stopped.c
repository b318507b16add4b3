/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clinic has ended the connection: which conversations stopped, with whom,
 * and how each goes on.  Said at once, whichever command it came with.
 */
#include "tools/patient/describe.h"

#include <stdio.h>
#include <string.h>

static const char *
text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s == NULL ? "" : s;
}

void
tool_patient_way(const json_t *thread, char out[TOOL_WAY_MAX])
{
    const char *by = text(thread, "cut_by");
    const char *way = text(thread, "way");
    const char *to = text(thread, "way_clinic");
    long long number =
        json_integer_value(json_object_get(thread, "way_number"));
    int n = snprintf(out, TOOL_WAY_MAX,
                     "You and %s are not connected any more, and this "
                     "conversation went that way: nothing passes. What was "
                     "said stays here. ",
                     by);
    size_t at = n < 0 || n >= TOOL_WAY_MAX ? TOOL_WAY_MAX - 1 : (size_t)n;
    size_t left = TOOL_WAY_MAX - at;

    if (strcmp(way, "home") == 0) {
        (void)snprintf(out + at, left,
                       "To go on with the others, with nothing lost, move home "
                       "to %s: balsam-patient home %lld",
                       to, number);
    } else if (strcmp(way, "join") == 0) {
        (void)snprintf(out + at, left,
                       "To go on with the others, with nothing lost, ask %s "
                       "for a link of its own (balsam-patient join LINK), then "
                       "move home there: balsam-patient home %lld. If you "
                       "moved on another device already, the link is enough",
                       to, number);
    } else if (strcmp(way, "comes") == 0) {
        (void)snprintf(out + at, left, "It goes on by itself, through %s.", to);
    } else {
        (void)snprintf(out + at, left,
                       "Ask another clinic for a new conversation.");
    }
}

static void
say(struct tool_patient *p, json_t *row)
{
    char words[TOOL_WAY_MAX];

    if (p->watching) {
        tool_put_word(row, "event", "stopped");
        if (p->json) {
            tool_print_json(row);
        } else {
            tool_patient_show_event(row);
        }
        return;
    }
    tool_patient_way(row, words);
    if (!p->json) {
        (void)fflush(stdout);
        (void)tool_say(TOOL_EXIT_OK, "\"%s\": %s", text(row, "title"), words);
    }
}

void
tool_patient_put_stopped(struct tool_patient *p)
{
    struct fed_app_thread t;
    struct thread_id at;
    const struct thread_id *after = NULL;
    struct bytes hold = {0};
    json_t *rows = json_array();

    while (fed_app_thread_next(p->app, after, &t, &hold) == OK) {
        at = t.id;
        after = &at;
        if (!clinic_id_is_zero(&t.cut)) {
            json_t *row = tool_patient_thread_row(p, &t);

            say(p, row);
            (void)json_array_append_new(rows, row);
        }
    }
    bytes_free(&hold);
    if (json_array_size(rows) > 0 && !p->watching) {
        (void)json_object_set(p->out, "stopped", rows);
    }
    json_decref(rows);
}
