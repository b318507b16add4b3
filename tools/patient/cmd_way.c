/* SPDX-License-Identifier: Apache-2.0 */
/* Another way on: a conversation whose clinic is gone, or was in doubt. */
#include "tools/patient/describe.h"

#include "federation/app/doubt.h"

static bool
is_there(void *ctx, struct fed_app *app)
{
    struct fed_app_thread t;
    struct bytes hold = {0};
    bool yes = fed_app_thread(app, ctx, &t, &hold) == OK &&
               t.state == FED_THREAD_ACTIVE;

    bytes_free(&hold);
    return yes;
}

enum tool_exit
tool_patient_continue(struct tool_patient *p)
{
    struct thread_id thread;
    struct thread_id id;
    struct clinic_id with;
    enum tool_exit code = tool_patient_thread(p, &thread);
    enum err e;

    code = code == TOOL_EXIT_OK ? tool_patient_clinic(p, p->args.arg[1], &with)
                                : code;
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    e = fed_app_continue(p->app, &thread, &with, &id);
    if (e == ERR_DENIED) {
        return tool_say(TOOL_EXIT_FAILED,
                        "You are no patient of this clinic, or reach it only "
                        "through another. Open a link of its own: "
                        "balsam-patient join LINK");
    }
    e = e == OK ? fed_run_turn(p->run) : e;
    if (e != OK) {
        return tool_patient_failed(p, e);
    }
    e = p->offline ? ERR_TIMEOUT
                   : fed_run_wait(p->run, is_there, &id, p->wait_ms);
    return e == OK ? TOOL_EXIT_OK
           : e == ERR_TIMEOUT
               ? tool_say(TOOL_EXIT_WAITS, "The clinic has not answered yet. "
                                           "It goes on with the next command.")
               : tool_patient_failed(p, e);
}

static enum err
settle(struct tool_patient *p, const struct thread_id *thread)
{
    enum err e;
    struct fed_app_doubt d;
    struct fed_app_doubt last;
    const struct fed_app_doubt *after = NULL;
    uint64_t settled;
    uint64_t left = 0;
    json_t *o = json_object();

    TRY(fed_app_settle(p->app, thread, &settled));
    TRY(fed_run_turn(p->run));
    while (fed_app_doubt_next(p->app, thread, after, &d) == OK) {
        last = d;
        after = &last;
        left++;
    }
    tool_put_num(o, "settled", settled);
    tool_put_num(o, "left", left);
    (void)json_object_set(p->out, "seen_to", o);
out:
    json_decref(o);
    return e;
}

enum tool_exit
tool_patient_settle(struct tool_patient *p)
{
    struct thread_id thread;
    enum tool_exit code = tool_patient_thread(p, &thread);
    enum err e;

    if (code != TOOL_EXIT_OK) {
        return code;
    }
    e = settle(p, &thread);
    return e == OK ? TOOL_EXIT_OK : tool_patient_failed(p, e);
}
