/* SPDX-License-Identifier: Apache-2.0 */
/*
 * balsam-patient: a patient's end of secure conversations, as a plain program.
 * It is the reference for other apps: everything that is not a screen is in
 * federation/app.
 */
#include "crypto/prim/init.h"
#include "crypto/prim/random.h"
#include "federation/io.h"
#include "node/log_sink.h"
#include "node/sysclock.h"
#include "proto/base/phi.h"
#include "tools/common/help.h"
#include "tools/common/target.h"
#include "tools/patient/commands.h"
#include "tools/patient/describe.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_SIZE = 1024,
    WAIT_S = 20,
    WAIT_MAX_S = 86400
};

static const struct {
    const char *name;
    enum tool_exit (*run)(struct tool_patient *p);
} commands[] = {
    {"join", tool_patient_join},
    {"threads", tool_patient_threads},
    {"show", tool_patient_show_thread},
    {"send", tool_patient_send},
    {"edit", tool_patient_edit},
    {"delete", tool_patient_delete},
    {"react", tool_patient_react},
    {"save-attachment", tool_patient_save},
    {"members", tool_patient_members},
    {"report", tool_patient_report},
    {"leave", tool_patient_leave},
    {"continue", tool_patient_continue},
    {"settle", tool_patient_settle},
    {"watch", tool_patient_watch},
    {"sync", tool_patient_only_sync},
    {"clinics", tool_patient_clinics},
    {"clinics show", tool_patient_clinics_show},
    {"compare", tool_patient_compare},
    {"part", tool_patient_part},
    {"block", tool_patient_block},
    {"unblock", tool_patient_unblock},
    {"home", tool_patient_home},
    {"consents", tool_patient_consents},
    {"consent accept", tool_patient_consent_accept},
    {"consent refuse", tool_patient_consent_refuse},
    {"consent withdraw", tool_patient_consent_withdraw},
    {"devices", tool_patient_devices},
    {"device add", tool_patient_device_add},
    {"device remove", tool_patient_device_remove},
    {"code show", tool_patient_code_show},
    {"code confirm", tool_patient_code_confirm},
    {"code recover", tool_patient_code_recover},
    {"status", tool_patient_status},
};

/* ------------------------------------------------------------------- events */

static const char *
event_word(enum fed_app_event_kind kind)
{
    switch (kind) {
    case FED_APP_EV_CLINIC:
        return "clinic";
    case FED_APP_EV_THREAD:
        return "thread";
    case FED_APP_EV_MESSAGE:
        return "message";
    case FED_APP_EV_STATE:
        return "state";
    case FED_APP_EV_READ:
        return "read";
    case FED_APP_EV_CONSENT:
        return "consent";
    case FED_APP_EV_DEVICES:
        return "devices";
    case FED_APP_EV_FILE:
        return "file";
    case FED_APP_EV_TROUBLE:
        return "trouble";
    case FED_APP_EV_ARCHIVE:
        return "archive";
    case FED_APP_EV_PROOF:
        return "proof";
    case FED_APP_EV_NEWS:
        return "news";
    }
    return "unknown";
}

/* What `watch` says: the event and, for messages, what is to be read. */
static void
on_event(void *ctx, const struct fed_app_event *ev)
{
    struct tool_patient *p = ctx;
    struct fed_app_message m;
    struct fed_app_thread t;
    struct bytes hold = {0};
    json_t *o;

    if (ev->kind == FED_APP_EV_FILE) {
        p->file_end = ev->code;
    }
    p->proof_came = p->proof_came || ev->kind == FED_APP_EV_PROOF;
    p->ended = p->ended || (ev->kind == FED_APP_EV_CLINIC &&
                            ev->code == FED_APP_CLINIC_ENDED);
    if (!p->watching || ev->kind == FED_APP_EV_NEWS) {
        return; /* news: the state comes with what can be read */
    }
    o = json_object();
    tool_put_word(o, "event", event_word(ev->kind));
    tool_put_num(o, "code", ev->code);
    tool_put_num(o, "number", ev->number);
    if (!thread_id_is_zero(&ev->thread) &&
        fed_app_thread(p->app, &ev->thread, &t, &hold) == OK) {
        json_t *row = tool_patient_thread_row(p, &t);

        tool_put_num(o, "thread", t.number);
        (void)json_object_set(o, "title", json_object_get(row, "title"));
        if (ev->kind == FED_APP_EV_TROUBLE) {
            (void)json_object_set(o, "doubts", json_object_get(row, "doubts"));
        }
        json_decref(row);
    }
    if ((ev->kind == FED_APP_EV_MESSAGE || ev->kind == FED_APP_EV_STATE) &&
        fed_app_message(p->app, &ev->thread, ev->number, &m, &hold) == OK) {
        (void)json_object_set_new(o, "message",
                                  tool_patient_message_row(p, &m));
    }
    if (p->json) {
        tool_print_json(o);
    } else {
        tool_patient_show_event(o);
    }
    bytes_free(&hold);
    json_decref(o);
    if (p->ended) {
        p->ended = false;
        tool_patient_put_stopped(p);
    }
}

/* ---------------------------------------------------------------- the folder
 */

/* Make path and what is above it. */
static bool
make_dirs(char *path)
{
    for (char *s = path + 1; *s != '\0'; s++) {
        if (*s == '/') {
            *s = '\0';
            if (mkdir(path, 0700) != 0 && errno != EEXIST) {
                return false;
            }
            *s = '/';
        }
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool
good_profile(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL &&
           strlen(name) <= 64;
}

/* A name that was mistyped makes no new profile. */
static bool
may_be_new(const char *command)
{
    return strcmp(command, "join") == 0 || strcmp(command, "device add") == 0 ||
           strcmp(command, "code recover") == 0;
}

/* Where the app's folder is: --data, the environment, or in the home. */
static enum tool_exit
find_folder(const struct tool_args *a, char out[PATH_SIZE])
{
    const char *data =
        tool_args_value(a, "--data", getenv("BALSAM_PATIENT_DATA"));
    const char *profile = tool_args_value(a, "--profile", NULL);
    const char *share = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    int n;

    if (profile != NULL && !good_profile(profile)) {
        return tool_say(TOOL_EXIT_USAGE, "A profile is a plain name.");
    }
    if (data != NULL && profile == NULL) {
        n = snprintf(out, PATH_SIZE, "%s", data);
    } else {
        profile = profile == NULL ? "own" : profile;
        n = data != NULL ? snprintf(out, PATH_SIZE, "%s/%s", data, profile)
            : share != NULL && share[0] != '\0'
                ? snprintf(out, PATH_SIZE, "%s/balsam-patient/%s", share,
                           profile)
                : snprintf(out, PATH_SIZE, "%s/.local/share/balsam-patient/%s",
                           home == NULL ? "." : home, profile);
    }
    return n > 0 && n < PATH_SIZE
               ? TOOL_EXIT_OK
               : tool_say(TOOL_EXIT_FAILED,
                          "The name of the folder is too long.");
}

static enum tool_exit
make_folder(const struct tool_args *a, char *dir)
{
    if (tool_args_has(a, "--profile") && !may_be_new(a->command->name) &&
        access(dir, F_OK) != 0) {
        return tool_say(TOOL_EXIT_FAILED,
                        "There is no such profile: %s. Look at its name; "
                        "balsam-patient join makes a new one.",
                        dir);
    }
    return make_dirs(dir)
               ? TOOL_EXIT_OK
               : tool_say(TOOL_EXIT_FAILED, "The folder %s cannot be made: %s",
                          dir, strerror(errno));
}

static enum tool_exit
not_open(const char *dir, enum err e)
{
    if (e == ERR_STATE) {
        return tool_say(TOOL_EXIT_FAILED,
                        "Another balsam-patient works in %s. Wait until it "
                        "ends, or use it.",
                        dir);
    }
    if (e == ERR_AUTH) {
        return tool_say(TOOL_EXIT_FAILED,
                        "The key or passphrase does not open %s.", dir);
    }
    if (e == ERR_MISSING) {
        return tool_say(TOOL_EXIT_FAILED,
                        "The key of %s is not there. If it is sealed with a "
                        "passphrase: --passphrase-file",
                        dir);
    }
    if (e == ERR_DENIED) {
        return tool_say(TOOL_EXIT_FAILED,
                        "Others may read the key of %s: chmod 600 %s/app.key",
                        dir, dir);
    }
    if (e == ERR_FULL) {
        return tool_say(TOOL_EXIT_FAILED, "The disk is full. Make room.");
    }
    if (e == ERR_CORRUPT || e == ERR_FORMAT || e == ERR_UNSUPPORTED) {
        return tool_say(TOOL_EXIT_FAILED,
                        "%s cannot be read (%s): it is damaged, or of another "
                        "version of this program. Keep it, and begin in a new "
                        "folder with your recovery code: balsam-patient --data "
                        "NEW code recover",
                        dir, err_name(e));
    }
    return tool_say(TOOL_EXIT_FAILED, "%s cannot be opened (%s).", dir,
                    err_name(e));
}

/* ---------------------------------------------------------------------- run */

static enum tool_exit
do_command(struct tool_patient *p)
{
    enum tool_exit code = TOOL_EXIT_FAILED;

    p->out = json_object();
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, p->args.command->name) == 0) {
            code = commands[i].run(p);
        }
    }
    if (p->ended && !p->watching) {
        tool_patient_put_stopped(p);
    }
    tool_put_bool(p->out, "ok",
                  code == TOOL_EXIT_OK || code == TOOL_EXIT_WAITS);
    if (code == TOOL_EXIT_OK &&
        strcmp(p->args.command->name, "save-attachment") == 0 &&
        tool_target_is_out(p->args.arg[2])) {
        /* standard output has the file, and nothing else */
    } else if (p->json && !p->watching) {
        tool_print_json(p->out);
    } else if (!p->json && code != TOOL_EXIT_FAILED) {
        tool_patient_show(p, code);
    }
    json_decref(p->out);
    return code;
}

static enum tool_exit
with_folder(struct tool_patient *p, const struct log *log)
{
    char dir[PATH_SIZE] = "";
    struct fed_io io = fed_io_nng(mem_heap());
    const char *pass = tool_args_value(&p->args, "--passphrase-file", NULL);
    struct bytes passphrase = {0};
    struct fed_run_config c = {
        .folder = {.dir = dir,
                   .mem = mem_heap(),
                   .clock = node_sysclock(),
                   .rng = prim_rng_system(),
                   .log = log},
        .create = true,
        .io = &io,
        .event = on_event,
        .event_ctx = p,
    };
    enum tool_exit code = find_folder(&p->args, dir);
    enum err e = OK;

    code = code == TOOL_EXIT_OK ? make_folder(&p->args, dir) : code;
    if (code == TOOL_EXIT_OK && pass != NULL) {
        e = store_key_file_read(mem_heap(), pass, &passphrase);
        c.folder.passphrase = view_of(&passphrase);
        code = e == OK ? code
                       : tool_say(TOOL_EXIT_FAILED,
                                  "%s cannot be read, or others may read it.",
                                  pass);
    }
    if (code == TOOL_EXIT_OK) {
        e = fed_run_open(&c, &p->run);
        code = e == OK ? code : not_open(dir, e);
    }
    bytes_free(&passphrase);
    if (code == TOOL_EXIT_OK) {
        p->app = fed_run_app(p->run);
        code = do_command(p);
    }
    fed_run_close(p->run);
    return code;
}

static enum tool_exit
read_settings(struct tool_patient *p)
{
    uint64_t seconds = WAIT_S;
    const char *wait = tool_args_value(&p->args, "--wait", NULL);
    enum tool_exit code = TOOL_EXIT_OK;

    if (wait != NULL) {
        code = tool_patient_number(wait, &seconds);
        seconds = seconds > WAIT_MAX_S ? WAIT_MAX_S : seconds;
    }
    p->wait_ms = seconds * 1000;
    p->json = tool_args_has(&p->args, "--json");
    p->offline = tool_args_has(&p->args, "--offline");
    for (size_t i = 0; code == TOOL_EXIT_OK && i < p->args.arg_len; i++) {
        if (!proto_utf8_valid(view_str(p->args.arg[i]))) {
            code = tool_say(TOOL_EXIT_USAGE, "A word is not UTF-8 text. Type "
                                             "it again, or send it as a file.");
        }
    }
    return code;
}

static enum log_level
log_level_of(const char *name)
{
    for (int l = LOG_DEBUG; l <= LOG_ERROR; l++) {
        if (strcmp(name, log_level_name((enum log_level)l)) == 0) {
            return (enum log_level)l;
        }
    }
    return LOG_WARN;
}

static enum tool_exit
with_log(struct tool_patient *p)
{
    struct node_log_sink sink;
    const char *level = tool_args_value(&p->args, "--log", NULL);
    enum tool_exit code;

    if (level == NULL) {
        return with_folder(p, NULL);
    }
    node_log_sink_init(&sink, STDERR_FILENO, NODE_LOG_HUMAN,
                       log_level_of(level), node_sysclock());
    code = with_folder(p, &sink.log);
    node_log_sink_clear(&sink);
    return code;
}

static enum tool_exit
whole(int argc, char **argv)
{
    const struct tool_table *table = tool_patient_table();
    struct tool_patient p = {.json = false};
    char problem[TOOL_PROBLEM_MAX];
    enum tool_exit code;
    enum err e;

    tool_begin();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)umask(077);
    (void)setlocale(LC_ALL, "");
    e = tool_args_read(table, argc, (const char *const *)argv, &p.args,
                       problem);
    if (e == ERR_MISSING) {
        tool_help_all(table, argc > 1 ? stdout : stderr);
        return argc > 1 ? TOOL_EXIT_OK : TOOL_EXIT_USAGE;
    }
    if (e != OK) {
        return tool_say(TOOL_EXIT_USAGE, "%s", problem);
    }
    if (tool_args_has(&p.args, "--help")) {
        tool_help_command(table, stdout, p.args.command);
        return TOOL_EXIT_OK;
    }
    if (strcmp(p.args.command->name, "help") == 0) {
        return tool_say_help(&p.args);
    }
    if (strcmp(p.args.command->name, "man") == 0) {
        tool_help_man(table, stdout);
        return TOOL_EXIT_OK;
    }
    if (strcmp(p.args.command->name, "completion") == 0) {
        tool_help_completion(table, stdout);
        return TOOL_EXIT_OK;
    }
    if (strcmp(p.args.command->name, "version") == 0) {
        (void)printf("balsam-patient 0.1\n");
        return TOOL_EXIT_OK;
    }
    code = read_settings(&p);
    code = code == TOOL_EXIT_OK ? tool_files_first(&p.args) : code;
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    if (prim_init() != OK) {
        return tool_say(TOOL_EXIT_FAILED, "The cryptography does not start.");
    }
    return with_log(&p);
}

int
main(int argc, char **argv)
{
    return (int)tool_end(whole(argc, argv));
}
