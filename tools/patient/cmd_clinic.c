/* SPDX-License-Identifier: Apache-2.0 */
/* Clinics and consents: join, list, compare, part, answer. */
#include "tools/patient/describe.h"

#include "federation/app/picture.h"
#include "proto/msg/link.h"
#include "tools/common/safe.h"
#include "tools/patient/why.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* -------------------------------------------------------------------- joining
 */

enum {
    THREAD_MS = 3000
};

struct joining {
    struct clinic_id clinic;
    bool look;
};

static bool
is_refusal(uint64_t answer)
{
    return answer != PROTO_REDEEM_OK && answer != PROTO_REDEEM_REVIEW;
}

static bool
answered(void *ctx, struct fed_app *app)
{
    const struct joining *j = ctx;
    struct fed_app_clinic c;
    struct fed_app_sync s;
    struct bytes hold = {0};
    bool yes = false;

    if (fed_app_clinic(app, &j->clinic, &c, &hold) == OK) {
        fed_app_sync(app, &s);
        yes = j->look ? c.name.len > 0 || is_refusal(c.answer)
                      : c.state == FED_APP_CLINIC_REFUSED || c.birth ||
                            (c.state == FED_APP_CLINIC_ENROLLED && s.settled) ||
                            (c.state == FED_APP_CLINIC_ASKED &&
                             c.answer == PROTO_REDEEM_REVIEW);
    }
    bytes_free(&hold);
    return yes;
}

static enum tool_exit
put_clinic(struct tool_patient *p, const struct clinic_id *root)
{
    struct fed_app_clinic c;
    struct bytes hold = {0};
    enum err e = fed_app_clinic(p->app, root, &c, &hold);

    if (e == OK) {
        (void)json_object_set_new(p->out, "clinic",
                                  tool_patient_clinic_row(p, &c));
    }
    bytes_free(&hold);
    return e == OK ? TOOL_EXIT_OK : tool_patient_failed(p, e);
}

static enum tool_exit
refused(uint64_t code)
{
    switch (code) {
    case PROTO_REDEEM_UNKNOWN:
        return tool_say(TOOL_EXIT_FAILED, "The clinic does not know this link. "
                                          "Ask it for another one.");
    case PROTO_REDEEM_EXPIRED:
        return tool_say(TOOL_EXIT_FAILED, "This link is too old. Ask the "
                                          "clinic for another one.");
    case PROTO_REDEEM_REVOKED:
        return tool_say(TOOL_EXIT_FAILED, "The clinic has revoked this link. "
                                          "Ask it for another one.");
    case PROTO_REDEEM_USED:
        return tool_say(TOOL_EXIT_FAILED,
                        "This link was used already. If that was not you, tell "
                        "the clinic; and ask for another one.");
    case PROTO_REDEEM_ROTATED:
        return tool_say(TOOL_EXIT_FAILED, "The clinic has a newer link. Ask "
                                          "for it.");
    default:
        return tool_say(TOOL_EXIT_FAILED, "The clinic said no. Ask it why.");
    }
}

static bool
has_thread(void *ctx, struct fed_app *app)
{
    const struct joining *j = ctx;
    struct fed_app_thread t;
    struct thread_id at;
    const struct thread_id *after = NULL;
    struct bytes hold = {0};
    bool yes = false;

    while (!yes && fed_app_thread_next(app, after, &t, &hold) == OK) {
        at = t.id;
        after = &at;
        yes =
            t.state == FED_THREAD_ACTIVE && clinic_id_equal(&t.hub, &j->clinic);
    }
    bytes_free(&hold);
    return yes;
}

/* The clinic opens a conversation at once; it comes later if not now. */
static void
wait_thread(struct tool_patient *p, struct joining *j)
{
    struct fed_app_clinic c;
    struct bytes hold = {0};

    if (!p->offline && fed_app_clinic(p->app, &j->clinic, &c, &hold) == OK &&
        c.state == FED_APP_CLINIC_ENROLLED) {
        ERR_IGNORE(
            fed_run_wait(p->run, has_thread, j,
                         p->wait_ms < THREAD_MS ? p->wait_ms : THREAD_MS),
            "it comes later");
    }
    bytes_free(&hold);
}

/* What came of it, in words. */
static enum tool_exit
outcome(struct tool_patient *p, const struct clinic_id *root)
{
    struct fed_app_clinic c;
    struct bytes hold = {0};
    enum tool_exit code = TOOL_EXIT_OK;

    if (fed_app_clinic(p->app, root, &c, &hold) != OK) {
        return TOOL_EXIT_FAILED;
    }
    if (c.birth && c.birth_tries > 0) {
        code = tool_say(TOOL_EXIT_FAILED,
                        "The clinic asks for your date of birth (%u tries "
                        "left): --birth 1980-02-29",
                        (unsigned)c.birth_tries);
    } else if (c.birth) {
        code = tool_say(TOOL_EXIT_FAILED,
                        "The date of birth was wrong too often. The link is "
                        "dead; ask the clinic for another one.");
    } else if (c.state == FED_APP_CLINIC_REFUSED) {
        code = refused(c.answer);
    } else if (c.answer == PROTO_REDEEM_REVIEW &&
               c.state == FED_APP_CLINIC_ASKED) {
        code = tool_say(TOOL_EXIT_WAITS, "Somebody at the clinic has to say "
                                         "yes. It goes on by itself.");
    } else if (c.state != FED_APP_CLINIC_ENROLLED) {
        code = tool_say(TOOL_EXIT_WAITS, "The clinic has not answered yet. It "
                                         "goes on with the next command.");
    }
    bytes_free(&hold);
    return code;
}

/* A line of somebody else's words, to where questions go. */
static void
say_line(struct view words)
{
    char line[512];

    if (words.len > 0) {
        (void)snprintf(line, sizeof(line), "%.*s", (int)words.len,
                       (const char *)words.p);
        tool_put_safe(stderr, line);
        (void)fputc('\n', stderr);
    }
}

static void
say_picture(const struct proto_picture *p)
{
    if (p->type != PROTO_PICTURE_NONE) {
        (void)fprintf(stderr, "picture: %s %llux%llu, %llu KB\n",
                      proto_picture_name(p->type), (unsigned long long)p->width,
                      (unsigned long long)p->height,
                      (unsigned long long)((p->length + 1023) / 1024));
    }
}

static enum tool_exit
say_blocked(void)
{
    return tool_say(TOOL_EXIT_FAILED,
                    "You have blocked this clinic. Let it ask again with "
                    "balsam-patient unblock, then join.");
}

/* Show whom the link is of, and ask. */
static enum tool_exit
look(struct tool_patient *p, const struct proto_link *link)
{
    struct joining j = {link->root, true};
    struct fed_app_clinic c;
    struct bytes hold = {0};
    enum tool_exit code = TOOL_EXIT_OK;
    enum err e;

    if (tool_args_has(&p->args, "--yes")) {
        return TOOL_EXIT_OK;
    }
    e = fed_app_look(p->app, link);
    if (e == ERR_DENIED) {
        return say_blocked();
    }
    e = e == OK ? fed_run_connect(p->run) : e;
    e = e == OK ? fed_run_wait(p->run, answered, &j, p->wait_ms) : e;
    if (e == ERR_TIMEOUT) {
        return tool_say(TOOL_EXIT_WAITS,
                        "The clinic cannot be reached now: %s Try again "
                        "later.",
                        tool_patient_why(fed_run_why(p->run, &link->root)));
    }
    if (e != OK) {
        return tool_patient_failed(p, e);
    }
    if (fed_app_clinic(p->app, &link->root, &c, &hold) != OK) {
        code = TOOL_EXIT_FAILED;
    } else if (is_refusal(c.answer)) {
        code = refused(c.answer);
    } else {
        (void)fflush(stdout);
        say_line(c.name);
        say_line(c.address);
        say_line(c.phone);
        say_picture(&c.picture);
        code = tool_confirm("Become its patient?")
                   ? TOOL_EXIT_OK
                   : tool_say(TOOL_EXIT_DECLINED, "Nothing was done.");
    }
    bytes_free(&hold);
    return code;
}

static enum tool_exit
parse(const struct tool_patient *p, struct proto_link *out)
{
    enum proto_link_fault fault = PROTO_LINK_GOOD;
    const char *text = p->args.arg[0];

    if (!tool_patient_is_day(
            tool_args_value(&p->args, "--birth", "1980-02-29"))) {
        return tool_say(TOOL_EXIT_USAGE,
                        "Write the date of birth as year-month-day: --birth "
                        "1980-02-29"); /* a wrong one costs a try */
    }
    return proto_link_parse(view_str(text), 0, out, &fault) == OK
               ? TOOL_EXIT_OK
               : tool_say(TOOL_EXIT_FAILED, "%s", proto_link_fault_text(fault));
}

/* A new patient, when nobody is here. */
static enum tool_exit
somebody(struct tool_patient *p)
{
    struct fed_app_me me;
    enum err e = OK;

    fed_app_me(p->app, &me);
    if (me.stage == FED_APP_ASKING) {
        return tool_say(TOOL_EXIT_FAILED,
                        "This device waits to be added to yours: "
                        "balsam-patient device add");
    }
    if (me.stage == FED_APP_NOBODY) {
        e = fed_app_new_patient(p->app);
        e = e == OK ? fed_run_turn(p->run) : e;
    }
    return e == OK ? TOOL_EXIT_OK : tool_patient_failed(p, e);
}

enum tool_exit
tool_patient_join(struct tool_patient *p)
{
    struct proto_link link;
    struct joining j = {.look = false};
    enum tool_exit code = parse(p, &link);
    enum err e;

    code = code == TOOL_EXIT_OK ? somebody(p) : code;
    code = code == TOOL_EXIT_OK ? look(p, &link) : code;
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    j.clinic = link.root;
    e = fed_app_join(p->app, &link,
                     view_str(tool_args_value(&p->args, "--name", "")),
                     view_str(tool_args_value(&p->args, "--birth", "")));
    proto_link_wipe(&link);
    if (e == ERR_DENIED) {
        return say_blocked();
    }
    if (e == ERR_EXISTS) {
        code = put_clinic(p, &j.clinic);
        return code == TOOL_EXIT_OK
                   ? tool_say(code, "You are its patient already.")
                   : code;
    }
    e = e == OK ? fed_run_turn(p->run) : e;
    e = e == OK && !p->offline ? fed_run_connect(p->run) : e;
    e = e == OK && !p->offline ? fed_run_wait(p->run, answered, &j, p->wait_ms)
                               : e;
    if (e != OK && e != ERR_TIMEOUT) {
        return tool_patient_failed(p, e);
    }
    wait_thread(p, &j);
    code = put_clinic(p, &j.clinic);
    return code == TOOL_EXIT_OK ? outcome(p, &j.clinic) : code;
}

/* ------------------------------------------------------------------ clinics */

enum tool_exit
tool_patient_clinics(struct tool_patient *p)
{
    struct fed_app_clinic c;
    struct clinic_id at;
    const struct clinic_id *after = NULL;
    struct bytes hold = {0};
    json_t *rows = json_array();
    enum tool_exit code = tool_patient_sync(p);

    while (code == TOOL_EXIT_OK &&
           fed_app_clinic_next(p->app, after, &c, &hold) == OK) {
        at = c.root;
        after = &at;
        (void)json_array_append_new(rows, tool_patient_clinic_row(p, &c));
    }
    (void)json_object_set_new(p->out, "clinics", rows);
    bytes_free(&hold);
    return code;
}

/* Into a file that does not exist yet. */
static enum tool_exit
save_picture(struct tool_patient *p, const struct clinic_id *root,
             const char *path)
{
    struct bytes picture = {0};
    enum err e = fed_app_picture(p->app, root, &picture);
    enum tool_exit code = TOOL_EXIT_OK;
    FILE *f;

    if (e == ERR_MISSING) {
        return tool_say(TOOL_EXIT_FAILED,
                        "The clinic has no picture, or it has not arrived yet. "
                        "Look with balsam-patient clinics, and try again.");
    }
    if (e != OK) {
        return tool_patient_failed(p, e);
    }
    f = fopen(path, "wbx");
    if (f == NULL || fwrite(picture.p, 1, picture.len, f) != picture.len) {
        code = TOOL_EXIT_FAILED;
    }
    if (f != NULL && fclose(f) != 0) {
        code = TOOL_EXIT_FAILED;
    }
    bytes_free(&picture);
    return code == TOOL_EXIT_OK ? code
                                : tool_say(code, "%s cannot be written: %s",
                                           path, strerror(errno));
}

enum tool_exit
tool_patient_clinics_show(struct tool_patient *p)
{
    struct clinic_id root;
    const char *path = tool_args_value(&p->args, "--picture", NULL);
    enum tool_exit code = tool_patient_sync(p);

    code = code == TOOL_EXIT_OK ? tool_patient_clinic(p, p->args.arg[0], &root)
                                : code;
    code = code == TOOL_EXIT_OK ? put_clinic(p, &root) : code;
    return code == TOOL_EXIT_OK && path != NULL ? save_picture(p, &root, path)
                                                : code;
}

enum tool_exit
tool_patient_compare(struct tool_patient *p)
{
    struct clinic_id root;
    struct bytes words = {0};
    struct bytes qr = {0};
    const char *scanned = tool_args_value(&p->args, "--scanned", "");
    enum tool_exit code = tool_patient_clinic(p, p->args.arg[0], &root);
    enum err e;

    if (code != TOOL_EXIT_OK) {
        return code;
    }
    if (tool_args_has(&p->args, "--same") || scanned[0] != '\0') {
        e = fed_app_compared(p->app, &root, view_str(scanned));
        e = e == OK ? fed_run_turn(p->run) : e;
        if (e == ERR_AUTH) {
            return tool_say(TOOL_EXIT_FAILED,
                            "These are other keys: somebody may be in between. "
                            "Write nothing here, and tell the clinic.");
        }
        if (e == ERR_FORMAT || e == ERR_UNSUPPORTED) {
            return tool_say(TOOL_EXIT_FAILED, "That is not such a code.");
        }
        return e == OK ? put_clinic(p, &root) : tool_patient_failed(p, e);
    }
    e = fed_app_compare(p->app, &root, &words, &qr);
    tool_put_word(p->out, "next",
                  "The clinic's screen shows the same words under your name. "
                  "If it does: balsam-patient compare CLINIC --same");
    return tool_patient_words(p, e, &words, &qr);
}

enum tool_exit
tool_patient_part(struct tool_patient *p)
{
    struct clinic_id root;
    enum tool_exit code = tool_patient_sync(p);
    enum err e;

    code = code == TOOL_EXIT_OK ? tool_patient_clinic(p, p->args.arg[0], &root)
                                : code;
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    if (!tool_args_has(&p->args, "--yes") &&
        !tool_confirm("Be no patient of this clinic any more? It keeps its "
                      "record of you.")) {
        return tool_say(TOOL_EXIT_DECLINED, "Nothing was done.");
    }
    e = fed_app_part(p->app, &root);
    return e == OK ? tool_patient_finish(p, NULL, NULL)
                   : tool_patient_failed(p, e);
}

enum tool_exit
tool_patient_home(struct tool_patient *p)
{
    struct clinic_id root;
    struct bytes code_text = {0};
    unsigned bad = 0;
    enum tool_exit code = tool_patient_sync(p);
    enum err e;

    code = code == TOOL_EXIT_OK ? tool_patient_clinic(p, p->args.arg[0], &root)
                                : code;
    code = code == TOOL_EXIT_OK ? tool_patient_read_code(&code_text) : code;
    if (code == TOOL_EXIT_OK) {
        e = fed_app_move_home(p->app, view_of(&code_text), &root, &bad);
        code = e == OK ? tool_patient_finish(p, NULL, NULL)
               : e == ERR_MISSING
                   ? tool_say(TOOL_EXIT_FAILED, "Join that clinic by its link "
                                                "first.")
                   : tool_patient_bad_code(p, e, bad);
    }
    bytes_free(&code_text);
    return code;
}

/* ----------------------------------------------------------------- consents */

static json_t *
rows_of_consents(struct tool_patient *p)
{
    struct fed_app_consent c;
    struct bytes hold = {0};
    uint64_t after = 0;
    json_t *rows = json_array();

    while (fed_app_consent_next(p->app, after, &c, &hold) == OK) {
        after = c.number;
        (void)json_array_append_new(rows, tool_patient_consent_row(p, &c));
    }
    bytes_free(&hold);
    return rows;
}

enum tool_exit
tool_patient_consents(struct tool_patient *p)
{
    enum tool_exit code = tool_patient_sync(p);

    (void)json_object_set_new(p->out, "consents", rows_of_consents(p));
    return code;
}

/* What is answered, once more, for whoever is about to. */
static void
repeat_consent(struct tool_patient *p, uint64_t number)
{
    struct fed_app_consent c;
    struct bytes hold = {0};
    json_t *row;

    if (number > 0 &&
        fed_app_consent_next(p->app, number - 1, &c, &hold) == OK &&
        c.number == number) {
        row = tool_patient_consent_row(p, &c);
        tool_patient_show_consent(row);
        json_decref(row);
    }
    bytes_free(&hold);
}

/* What a person would not expect of taking it back. */
static void
say_what_ends(struct tool_patient *p, uint64_t number)
{
    struct fed_app_consent c;
    struct bytes hold = {0};

    if (number > 0 &&
        fed_app_consent_next(p->app, number - 1, &c, &hold) == OK &&
        c.number == number) {
        tool_patient_say_left(p, &c.clinic);
    }
    bytes_free(&hold);
}

static bool
was_asked(struct tool_patient *p, uint64_t number)
{
    struct fed_app_consent c;
    struct bytes hold = {0};
    bool is = number > 0 &&
              fed_app_consent_next(p->app, number - 1, &c, &hold) == OK &&
              c.number == number;

    bytes_free(&hold);
    return is;
}

/* Sync, ask the person, do it, wait. */
static enum tool_exit
consent(struct tool_patient *p, const char *question,
        enum err (*what)(struct fed_app *app, uint64_t number))
{
    uint64_t number;
    enum tool_exit code = tool_patient_number(p->args.arg[0], &number);
    enum err e;

    code = code == TOOL_EXIT_OK ? tool_patient_sync(p) : code;
    if (code != TOOL_EXIT_OK) {
        return code;
    }
    if (!was_asked(p, number)) {
        return tool_say(TOOL_EXIT_FAILED,
                        "There is no question %s. Look with balsam-patient "
                        "consents.",
                        p->args.arg[0]);
    }
    if (what == fed_app_consent_withdraw) {
        say_what_ends(p, number);
    }
    if (question != NULL && !tool_args_has(&p->args, "--yes")) {
        if (!p->json) {
            repeat_consent(p, number);
        }
        if (!tool_confirm(question)) {
            return tool_say(TOOL_EXIT_DECLINED, "Nothing was done.");
        }
    }
    e = what(p->app, number);
    if (e == ERR_STATE) {
        return tool_say(TOOL_EXIT_FAILED, "That was answered already. Look "
                                          "with balsam-patient consents.");
    }
    return e == OK ? tool_patient_finish(p, NULL, NULL)
                   : tool_patient_failed(p, e);
}

enum tool_exit
tool_patient_consent_accept(struct tool_patient *p)
{
    return consent(p, "Let this clinic in, as the question says?",
                   fed_app_consent_accept);
}

enum tool_exit
tool_patient_consent_refuse(struct tool_patient *p)
{
    return consent(p, NULL, fed_app_consent_refuse);
}

enum tool_exit
tool_patient_consent_withdraw(struct tool_patient *p)
{
    return consent(p,
                   "Take back everything that this clinic was allowed? It "
                   "keeps what it has.",
                   fed_app_consent_withdraw);
}
