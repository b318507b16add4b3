/* SPDX-License-Identifier: Apache-2.0 */
/* Another way on: a conversation whose clinic is gone. */
#include "tools/patient/patient.h"

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
    enum tool_exit code = tool_patient_sync(p);
    enum err e;

    code = code == TOOL_EXIT_OK
               ? tool_patient_thread(p, p->args.arg[0], &thread)
               : code;
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
