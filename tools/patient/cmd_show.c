/* SPDX-License-Identifier: Apache-2.0 */
/* Conversations: which there are, who is in one, what was said in it. */
#include "tools/patient/describe.h"

#include <string.h>

enum {
    SHOWN = 50,
    SHOWN_MAX = 10000
};

/* --------------------------------------------------------------------- list */

enum tool_exit
tool_patient_threads(struct tool_patient *p)
{
    struct fed_app_thread t;
    struct thread_id at;
    const struct thread_id *after = NULL;
    struct bytes hold = {0};
    json_t *rows = json_array();
    enum tool_exit code = tool_patient_sync(p);

    while (code == TOOL_EXIT_OK &&
           fed_app_thread_next(p->app, after, &t, &hold) == OK) {
        at = t.id;
        after = &at;
        (void)json_array_append_new(rows, tool_patient_thread_row(p, &t));
    }
    (void)json_object_set_new(p->out, "threads", rows);
    bytes_free(&hold);
    return code;
}

static enum tool_exit
put_thread(struct tool_patient *p, const struct thread_id *id)
{
    struct fed_app_thread t;
    struct bytes hold = {0};
    enum err e = fed_app_thread(p->app, id, &t, &hold);

    if (e == OK) {
        (void)json_object_set_new(p->out, "thread",
                                  tool_patient_thread_row(p, &t));
    }
    bytes_free(&hold);
    return e == OK ? TOOL_EXIT_OK : tool_patient_failed(p, e);
}

enum tool_exit
tool_patient_members(struct tool_patient *p)
{
    struct thread_id id;
    enum tool_exit code = tool_patient_thread(p, &id);

    return code == TOOL_EXIT_OK ? put_thread(p, &id) : code;
}

/* ---------------------------------------------------------------- messages */

/* The newest rows, and the lines that stand between them. */
struct rows {
    json_t *messages;
    json_t *changes;
    struct fed_line *lines;
    size_t lines_len;
    size_t next;   /* line that stands before what comes */
    uint64_t last; /* number of the message before */
};

static json_t *
change_row(struct tool_patient *p, const struct fed_line *l, uint64_t after)
{
    static const uint8_t none[32];
    json_t *o = json_object();
    struct fed_app_me me;

    fed_app_me(p->app, &me);
    tool_put_num(o, "after", after);
    tool_put_word(o, "what", fed_line_word(l->what));
    if (memcmp(l->who, none, sizeof(none)) != 0) {
        tool_patient_put_name(p, o, "who", l->who);
        tool_put_hex(o, "who_id", VIEW_ARRAY(l->who));
    }
    tool_put_bool(o, "you", memcmp(me.patient.b, l->who, sizeof(l->who)) == 0);
    if (l->ts_ms == 0) {
        return o; /* messages: nobody did it */
    }
    tool_put_bool(o, "meanwhile", memcmp(l->by, none, sizeof(none)) == 0);
    if (memcmp(l->by, l->who, sizeof(l->by)) != 0 &&
        memcmp(l->by, none, sizeof(none)) != 0) {
        tool_patient_put_name(p, o, "by", l->by);
    }
    if (memcmp(l->device, none, sizeof(none)) != 0) {
        tool_put_hex(o, "device", VIEW_ARRAY(l->device));
    }
    tool_put_num(o, "at_ms", l->ts_ms);
    return o;
}

/* Lines whose place is before at follow the last message; what was kept out
   there, and came later, has none. */
static void
put_changes(struct tool_patient *p, struct rows *r, uint64_t at)
{
    for (; r->next < r->lines_len && r->lines[r->next].at <= at; r->next++) {
        if (fed_line_filled(&r->lines[r->next], at)) {
            continue;
        }
        (void)json_array_append_new(r->changes,
                                    change_row(p, &r->lines[r->next], r->last));
    }
}

/* The newest messages that were asked for, and what happened between them. */
static enum err
put_messages(struct tool_patient *p, const struct thread_id *id, uint64_t limit)
{
    enum err e;
    struct fed_app_thread t;
    struct fed_app_message m;
    struct bytes hold = {0};
    uint64_t place = 0;
    uint64_t n = 0;
    struct rows r = {.messages = json_array(), .changes = json_array()};

    TRY(fed_app_thread(p->app, id, &t, &hold));
    r.lines = mem_calloc(mem_heap(), FED_LINES_MAX, sizeof(*r.lines));
    TRY(r.lines == NULL ? ERR_NOMEM : OK);
    TRY(fed_app_lines(p->app, id, r.lines, FED_LINES_MAX, &r.lines_len));
    while ((e = fed_app_message_next(p->app, id, &place, &m, &hold)) == OK) {
        put_changes(p, &r, m.seq == 0 ? UINT64_MAX : place);
        if (t.messages > limit && n <= t.messages - limit) {
            (void)json_array_clear(r.changes); /* behind an older one */
        }
        if (n++ + limit >= t.messages) {
            (void)json_array_append_new(r.messages,
                                        tool_patient_message_row(p, &m));
        }
        r.last = m.number;
    }
    put_changes(p, &r, UINT64_MAX);
    e = e == ERR_MISSING ? OK : e;
out:
    (void)json_object_set_new(p->out, "messages", r.messages);
    (void)json_object_set_new(p->out, "changes", r.changes);
    mem_free(mem_heap(), r.lines, FED_LINES_MAX * sizeof(*r.lines));
    bytes_free(&hold);
    return e;
}

enum tool_exit
tool_patient_show_thread(struct tool_patient *p)
{
    struct thread_id id;
    uint64_t limit = SHOWN;
    enum tool_exit code = TOOL_EXIT_OK;
    enum err e;

    if (tool_args_has(&p->args, "--limit")) {
        code = tool_patient_number(tool_args_value(&p->args, "--limit", ""),
                                   &limit);
        limit = limit > SHOWN_MAX ? SHOWN_MAX : limit;
    }
    code = code == TOOL_EXIT_OK ? tool_patient_thread(p, &id) : code;
    code = code == TOOL_EXIT_OK ? put_thread(p, &id) : code;
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    e = put_messages(p, &id, limit);
    if (e == OK && !tool_args_has(&p->args, "--unread")) {
        e = fed_app_seen(p->app, &id);
        e = e == OK ? fed_run_turn(p->run) : e;
    }
    return e == OK ? TOOL_EXIT_OK : tool_patient_failed(p, e);
}
