/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are: recovery code, devices, status; and staying connected. */
#include "tools/patient/describe.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --------------------------------------------------------------------- code */

enum tool_exit
tool_patient_code_show(struct tool_patient *p)
{
    struct bytes words = {0};
    struct bytes qr = {0};
    enum err e = fed_app_code(p->app, &words, &qr);
    struct fed_app_me me;

    fed_app_me(p->app, &me);
    if (e == ERR_MISSING) {
        return tool_say(TOOL_EXIT_FAILED, "%s",
                        me.stage == FED_APP_NOBODY
                            ? "Nobody is here yet. Join a clinic by its link: "
                              "balsam-patient join LINK"
                            : "The recovery code is not on this device (any "
                              "more). It is on your paper.");
    }
    tool_put_word(p->out, "next",
                  "Write these words on paper and show them to nobody: who has "
                  "them is you. Then: balsam-patient code confirm");
    return tool_patient_words(p, e, &words, &qr);
}

enum tool_exit
tool_patient_code_confirm(struct tool_patient *p)
{
    struct bytes text = {0};
    unsigned bad = 0;
    enum tool_exit code = tool_patient_read_code(&text);
    enum err e;

    if (code != TOOL_EXIT_OK) {
        return code;
    }
    e = fed_app_code_confirm(p->app, view_of(&text), &bad);
    e = e == OK ? fed_run_turn(p->run) : e;
    bytes_free(&text);
    if (e == ERR_MISSING) {
        return tool_say(TOOL_EXIT_FAILED, "There is no recovery code to "
                                          "confirm here.");
    }
    if (e == ERR_AUTH) {
        return tool_say(TOOL_EXIT_FAILED,
                        "That is not the code of this patient. Look at your "
                        "paper again: balsam-patient code show");
    }
    return e == OK ? TOOL_EXIT_OK : tool_patient_bad_code(p, e, bad);
}

enum tool_exit
tool_patient_code_recover(struct tool_patient *p)
{
    struct bytes text = {0};
    unsigned bad = 0;
    enum tool_exit code;
    enum err e;

    if (!tool_args_has(&p->args, "--yes")) {
        (void)tool_say(TOOL_EXIT_OK,
                       "This removes your other devices from all of your "
                       "conversations, since one of them may be in other "
                       "hands. If you have one of them, add this device from "
                       "there instead, and all stay: balsam-patient device "
                       "add");
        if (!tool_confirm("Remove your other devices?")) {
            return tool_say(TOOL_EXIT_DECLINED, "Nothing was done.");
        }
    }
    code = tool_patient_read_code(&text);
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    e = fed_app_recover(p->app, view_of(&text), &bad);
    e = e == OK ? fed_run_turn(p->run) : e;
    bytes_free(&text);
    return e == OK ? TOOL_EXIT_OK : tool_patient_bad_code(p, e, bad);
}

/* ------------------------------------------------------------------ devices */

static json_t *
rows_of_devices(struct tool_patient *p)
{
    struct fed_app_device d;
    struct fed_app_me me;
    json_t *rows = json_array();

    fed_app_me(p->app, &me);
    for (size_t i = 0; fed_app_device(p->app, i, &d) == OK; i++) {
        json_t *o = json_object();

        tool_put_hex(o, "id", device_id_view(&d.id));
        tool_put_bool(o, "here", d.here);
        tool_put_bool(o, "may_add", d.may_add);
        tool_put_word(o, "added_by",
                      memcmp(d.added_by.b, me.patient.b, 32) == 0 ? "code"
                                                                  : "device");
        (void)json_array_append_new(rows, o);
    }
    return rows;
}

enum tool_exit
tool_patient_devices(struct tool_patient *p)
{
    struct fed_app_me me;
    enum tool_exit code = tool_patient_sync(p);

    fed_app_me(p->app, &me);
    (void)json_object_set_new(p->out, "devices", rows_of_devices(p));
    tool_put_bool(p->out, "alarm", me.alarm);
    tool_put_bool(p->out, "removed", me.removed);
    return code;
}

/* A code of a device, on the screen and in the answer. */
static enum tool_exit
show_code(struct tool_patient *p, struct bytes *text)
{
    if (bytes_append(mem_heap(), text, VIEW_LIT("\0")) != OK) {
        return tool_say(TOOL_EXIT_FAILED, "There is no memory.");
    }
    tool_put_word(p->out, "code", (const char *)text->p);
    return tool_show_qr(&p->args, (const char *)text->p, !p->json);
}

static enum tool_exit
bad_device_code(const struct tool_patient *p, enum err e)
{
    switch ((int)e) {
    case ERR_FORMAT:
        return tool_say(TOOL_EXIT_FAILED,
                        "That is not the code that this device needs. On the "
                        "new device begin with: balsam-patient device add");
    case ERR_AUTH:
        return tool_say(TOOL_EXIT_FAILED, "The code is for another device, or "
                                          "a letter is wrong. Scan it again.");
    case ERR_UNSUPPORTED:
        return tool_say(TOOL_EXIT_FAILED, "The code is of a newer version. "
                                          "Update this program.");
    case ERR_DENIED:
        return tool_say(TOOL_EXIT_FAILED,
                        "This device may not add others. Use the one that "
                        "added it, or the recovery code.");
    case ERR_STATE:
        return tool_say(TOOL_EXIT_FAILED,
                        "Join a clinic first; a device is added through it.");
    default:
        return tool_patient_failed(p, e);
    }
}

/* On the old device: take the new one's code, show what it needs. */
static enum tool_exit
add_one(struct tool_patient *p, const char *request)
{
    struct bytes grant = {0};
    enum tool_exit code = tool_patient_sync(p);
    enum err e;

    if (code != TOOL_EXIT_OK) {
        return code;
    }
    e = fed_app_add_device(p->app, view_str(request),
                           tool_args_has(&p->args, "--may-add"), &grant);
    code = e == OK ? tool_patient_finish(p, NULL, NULL) : bad_device_code(p, e);
    if (e == OK && (code == TOOL_EXIT_OK || code == TOOL_EXIT_WAITS)) {
        enum tool_exit shown = show_code(p, &grant);

        tool_put_word(p->out, "next",
                      "On the new device, with this code: balsam-patient "
                      "device add CODE");
        code = code == TOOL_EXIT_OK ? shown : code;
    }
    bytes_free(&grant);
    return code;
}

enum tool_exit
tool_patient_device_add(struct tool_patient *p)
{
    const char *given = p->args.arg_len > 0 ? p->args.arg[0] : NULL;
    struct fed_app_me me;
    struct bytes request = {0};
    enum tool_exit code;
    enum err e;

    fed_app_me(p->app, &me);
    if (me.stage == FED_APP_READY) {
        return given != NULL
                   ? add_one(p, given)
                   : tool_say(TOOL_EXIT_USAGE,
                              "On the new device: balsam-patient device add. "
                              "Then here, with the code that it shows.");
    }
    if (given == NULL) {
        e = fed_app_be_added(p->app, &request);
        e = e == OK ? fed_run_turn(p->run) : e;
        tool_put_word(p->out, "next",
                      "On the device that you have, with this code: "
                      "balsam-patient device add CODE");
        code = e == OK ? show_code(p, &request) : bad_device_code(p, e);
        bytes_free(&request);
        return code;
    }
    e = fed_app_granted(p->app, view_str(given));
    return e == OK ? tool_patient_finish(p, NULL, NULL) : bad_device_code(p, e);
}

/* The one device whose id begins so. */
static enum tool_exit
find_device(struct tool_patient *p, const char *word, struct device_id *out)
{
    struct fed_app_device d;
    char hex[PROTO_HEX_MAX + 1];
    unsigned found = 0;

    for (size_t i = 0; fed_app_device(p->app, i, &d) == OK; i++) {
        proto_hex(device_id_view(&d.id), hex);
        if (strlen(word) >= 4 && strncasecmp(hex, word, strlen(word)) == 0) {
            *out = d.id;
            found++;
        }
    }
    return found == 1 ? TOOL_EXIT_OK
                      : tool_say(TOOL_EXIT_FAILED,
                                 "No device, or several, begin with \"%.64s\". "
                                 "Look with balsam-patient devices.",
                                 word);
}

enum tool_exit
tool_patient_device_remove(struct tool_patient *p)
{
    struct device_id device;
    struct bytes text = {0};
    unsigned bad = 0;
    enum tool_exit code = tool_patient_sync(p);
    enum err e;

    code =
        code == TOOL_EXIT_OK ? find_device(p, p->args.arg[0], &device) : code;
    code = code == TOOL_EXIT_OK ? tool_patient_read_code(&text) : code;
    if (code == TOOL_EXIT_OK) {
        e = fed_app_remove_device(p->app, view_of(&text), &device, &bad);
        code = e == OK            ? tool_patient_finish(p, NULL, NULL)
               : e == ERR_INVALID ? tool_say(TOOL_EXIT_FAILED,
                                             "That is this device. Remove it "
                                             "from another one.")
                                  : tool_patient_bad_code(p, e, bad);
    }
    bytes_free(&text);
    return code;
}

/* ------------------------------------------------------------------- status */

static const char *
stage_word(enum fed_app_stage s)
{
    return s == FED_APP_READY    ? "ready"
           : s == FED_APP_ASKING ? "asking"
                                 : "nobody";
}

static const char *
code_word(enum fed_app_code_state s)
{
    return s == FED_APP_CODE_UNWRITTEN   ? "unwritten"
           : s == FED_APP_CODE_CONFIRMED ? "confirmed"
                                         : "none";
}

/*
 * Which clinic is the home, what it is called, and whether it still has to do
 * with us.  One that was only looked at, or said no, is none yet.
 */
static void
put_home(struct tool_patient *p, const struct clinic_id *home)
{
    static const struct clinic_id none;
    struct fed_app_clinic c;
    struct bytes hold = {0};
    enum err e = fed_app_clinic(p->app, home, &c, &hold);
    bool is = e != OK || (c.state != FED_APP_CLINIC_LOOKED &&
                          c.state != FED_APP_CLINIC_REFUSED);

    tool_put_hex(p->out, "home", clinic_id_view(is ? home : &none));
    if (e == OK && is) {
        tool_put_view(p->out, "home_name", c.name);
        tool_put_bool(p->out, "home_ended", c.state == FED_APP_CLINIC_ENDED);
    }
    bytes_free(&hold);
}

enum tool_exit
tool_patient_status(struct tool_patient *p)
{
    struct fed_app_me me;
    struct fed_app_sync s;
    enum tool_exit code = tool_patient_sync(p);

    fed_app_me(p->app, &me);
    fed_app_sync(p->app, &s);
    tool_put_word(p->out, "stage", stage_word(me.stage));
    tool_put_hex(p->out, "patient", patient_id_view(&me.patient));
    tool_put_hex(p->out, "device", device_id_view(&me.device));
    put_home(p, &me.home);
    tool_put_word(p->out, "recovery_code", code_word(me.code));
    tool_put_num(p->out, "list", me.generation);
    tool_put_bool(p->out, "may_add", me.may_add);
    tool_put_bool(p->out, "alarm", me.alarm);
    tool_put_bool(p->out, "removed", me.removed);
    tool_put_num(p->out, "clinics_wanted", s.wanted);
    tool_put_num(p->out, "clinics_up", s.up);
    tool_put_num(p->out, "queued", s.queued);
    tool_put_num(p->out, "behind", s.behind);
    tool_put_num(p->out, "files", s.files);
    tool_put_bool(p->out, "settled", s.settled);
    tool_put_bool(p->out, "archive_full", fed_app_archive_full(p->app));
    return code;
}

enum tool_exit
tool_patient_only_sync(struct tool_patient *p)
{
    struct fed_app_sync s;
    enum tool_exit code = tool_patient_sync(p);

    fed_app_sync(p->app, &s);
    tool_put_num(p->out, "clinics_wanted", s.wanted);
    tool_put_bool(p->out, "settled", s.settled);
    tool_put_num(p->out, "queued", s.queued);
    tool_put_num(p->out, "behind", s.behind);
    return code == TOOL_EXIT_OK && !s.settled ? TOOL_EXIT_WAITS : code;
}

/* -------------------------------------------------------------------- watch */

static volatile sig_atomic_t interrupted;

static void
on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
}

static bool
is_interrupted(void *ctx, struct fed_app *app)
{
    (void)ctx;
    (void)app;
    return interrupted != 0;
}

/* The clinics from which something can come. */
static json_t *
watched(struct tool_patient *p)
{
    json_t *names = json_array();
    struct fed_app_clinic c;
    struct clinic_id at;
    const struct clinic_id *after = NULL;
    struct bytes hold = {0};

    while (fed_app_clinic_next(p->app, after, &c, &hold) == OK) {
        at = c.root;
        after = &at;
        if (c.state == FED_APP_CLINIC_ENROLLED ||
            c.state == FED_APP_CLINIC_ASKED) {
            (void)json_array_append_new(
                names, json_stringn((const char *)c.name.p, c.name.len));
        }
    }
    bytes_free(&hold);
    return names;
}

/* The folder is ours and what comes is told from now on. */
static void
say_watching(struct tool_patient *p)
{
    json_t *o = json_object();

    tool_put_word(o, "event", "watching");
    (void)json_object_set_new(o, "clinics", watched(p));
    if (p->json) {
        tool_print_json(o);
    } else {
        tool_patient_show_event(o);
    }
    json_decref(o);
}

enum tool_exit
tool_patient_watch(struct tool_patient *p)
{
    struct sigaction sa = {.sa_handler = on_signal};
    enum err e;

    (void)sigaction(SIGINT, &sa, NULL);
    (void)sigaction(SIGTERM, &sa, NULL);
    p->watching = true;
    say_watching(p);
    e = fed_run_connect(p->run);
    while (e == OK || e == ERR_TIMEOUT) {
        e = fed_run_wait(p->run, is_interrupted, NULL, 1000);
        if (e == OK) {
            return TOOL_EXIT_OK;
        }
    }
    return tool_patient_failed(p, e);
}
