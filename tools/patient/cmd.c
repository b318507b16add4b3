/* SPDX-License-Identifier: Apache-2.0 */
/* What commands have in common: waiting for clinics, finding things by name. */
#include "tools/patient/patient.h"

#include "crypto/prim/secret.h"
#include "federation/core/spoken.h"
#include "tools/patient/why.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    UNTOLD_MS = 1000,
    MOMENT_MS = 4000 /* a clinic that starts anew is back by then */
};

/* What to say to a person about an answer of the app. */
static const struct {
    enum err e;
    const char *say;
} sentences[] = {
    {ERR_STATE, "This is not possible any more: the conversation has ended, or "
                "it was done already."},
    {ERR_MISSING, "There is no such thing here. Look with threads, show or "
                  "clinics."},
    {ERR_DENIED, "That is not yours to change."},
    {ERR_LIMIT, "That is too long. Send less at once; files may have 100 MiB."},
    {ERR_INVALID, "There is nothing to send, or it is not text."},
    {ERR_EXISTS, "That is so already."},
    {ERR_FULL, "The disk is full. Make room; what is stored is safe."},
    {ERR_STALE, "A newer copy of this folder is in use elsewhere. Add this "
                "device anew: balsam-patient device add"},
};

enum tool_exit
tool_patient_failed(const struct tool_patient *p, enum err e)
{
    struct fed_app_me me;

    fed_app_me(p->app, &me);
    if (e == ERR_STATE && me.stage == FED_APP_NOBODY) {
        return tool_say(TOOL_EXIT_FAILED,
                        "Nobody is here yet. Join a clinic by its link: "
                        "balsam-patient join LINK");
    }
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
        if (sentences[i].e == e) {
            return tool_say(TOOL_EXIT_FAILED, "%s", sentences[i].say);
        }
    }
    return tool_say(TOOL_EXIT_FAILED, "That did not work (%s).", err_name(e));
}

bool
tool_patient_is_day(const char *s)
{
    unsigned year;
    unsigned month;
    unsigned day;
    int end = 0;

    return sscanf(s, "%4u-%2u-%2u%n", &year, &month, &day, &end) == 3 &&
           end == 10 && s[end] == '\0' && month >= 1 && month <= 12 &&
           day >= 1 && day <= 31;
}

/* ------------------------------------------------------------------ waiting */

static bool
settled(void *ctx, struct fed_app *app)
{
    struct fed_app_sync s;

    (void)ctx;
    fed_app_sync(app, &s);
    return s.settled;
}

/* Nothing more comes: who is there has been heard, the others were dialled in
   vain. */
static bool
heard(void *ctx, struct fed_app *app)
{
    const struct tool_patient *p = ctx;
    struct fed_app_sync s;
    struct fed_app_clinic c;
    struct clinic_id at;
    const struct clinic_id *after = NULL;
    struct bytes hold = {0};
    uint32_t in_vain = 0;

    fed_app_sync(app, &s);
    if (s.settled) {
        return true;
    }
    while (fed_app_clinic_next(app, after, &c, &hold) == OK) {
        at = c.root;
        after = &at;
        in_vain += !c.up && fed_run_why(p->run, &c.root) != FED_WHY_NONE;
    }
    bytes_free(&hold);
    return s.behind == 0 && s.rejoining == 0 && in_vain > 0 &&
           s.up + in_vain >= s.wanted;
}

/* Without a home nothing comes, however well the others are reached. */
static void
say_home_ended(struct tool_patient *p)
{
    struct fed_app_me me;
    struct fed_app_clinic c;
    struct bytes hold = {0};

    fed_app_me(p->app, &me);
    if (me.stage == FED_APP_READY &&
        fed_app_clinic(p->app, &me.home, &c, &hold) == OK &&
        c.state == FED_APP_CLINIC_ENDED) {
        (void)tool_say(TOOL_EXIT_OK,
                       "Nothing comes here any more: %.*s, your home clinic, "
                       "has ended the connection with this device. If you "
                       "took your recovery code to another one, go on there. "
                       "If not, call the clinic.",
                       (int)c.name.len, (const char *)c.name.p);
    }
    bytes_free(&hold);
}

/* Name the clinics that could not be reached. */
static void
say_unreached(struct tool_patient *p)
{
    struct fed_app_clinic c;
    struct clinic_id at;
    const struct clinic_id *after = NULL;
    struct bytes hold = {0};

    while (fed_app_clinic_next(p->app, after, &c, &hold) == OK) {
        enum fed_why why = fed_run_why(p->run, &c.root);

        at = c.root;
        after = &at;
        if (!c.up && why != FED_WHY_NONE) {
            (void)tool_say(TOOL_EXIT_OK, "%.*s cannot be reached now: %s",
                           (int)(c.name.len == 0 ? 10 : c.name.len),
                           c.name.len == 0 ? "The clinic"
                                           : (const char *)c.name.p,
                           tool_patient_why(why));
        }
    }
    bytes_free(&hold);
}

/* Wait until first, and past a moment until then; who sits before a terminal
   is told that it takes longer. */
static enum err
wait_told(struct tool_patient *p, bool (*first)(void *, struct fed_app *),
          bool (*then)(void *, struct fed_app *), void *ctx)
{
    uint64_t untold = p->wait_ms < UNTOLD_MS ? p->wait_ms : UNTOLD_MS;
    uint64_t moment = p->wait_ms < MOMENT_MS ? p->wait_ms : MOMENT_MS;
    enum err e = fed_run_wait(p->run, first, ctx, untold);

    if (e == ERR_TIMEOUT && p->wait_ms > untold) {
        if (isatty(STDERR_FILENO)) {
            (void)tool_say(TOOL_EXIT_OK,
                           "Waiting for the clinic, up to %llu seconds.",
                           (unsigned long long)p->wait_ms / 1000);
        }
        e = fed_run_wait(p->run, first, ctx, moment - untold);
    }
    if (e == ERR_TIMEOUT && p->wait_ms > moment) {
        e = fed_run_wait(p->run, then, ctx, p->wait_ms - moment);
    }
    return e;
}

enum tool_exit
tool_patient_sync(struct tool_patient *p)
{
    enum err e;

    if (p->offline) {
        say_home_ended(p);
        return TOOL_EXIT_OK;
    }
    e = fed_run_connect(p->run);
    if (e == OK) {
        e = wait_told(p, settled, heard, p);
    }
    if (e == OK || e == ERR_TIMEOUT) {
        say_unreached(p);
        say_home_ended(p);
        return TOOL_EXIT_OK;
    }
    return tool_patient_failed(p, e);
}

struct both {
    bool (*extra)(void *ctx, struct fed_app *app);
    void *ctx;
};

static bool
both(void *ctx, struct fed_app *app)
{
    const struct both *b = ctx;

    return settled(NULL, app) && (b->extra == NULL || b->extra(b->ctx, app));
}

enum tool_exit
tool_patient_finish(struct tool_patient *p,
                    bool (*extra)(void *ctx, struct fed_app *app), void *ctx)
{
    struct both b = {extra, ctx};
    enum err e = fed_run_turn(p->run);

    if (e != OK) {
        return tool_patient_failed(p, e);
    }
    if (p->offline) {
        return tool_say(TOOL_EXIT_WAITS, "It is kept here and goes with the "
                                         "next command.");
    }
    e = fed_run_connect(p->run);
    if (e == OK) {
        e = wait_told(p, both, both, &b);
    }
    if (e == ERR_TIMEOUT) {
        say_unreached(p);
        return tool_say(TOOL_EXIT_WAITS, "The clinic does not have it yet. It "
                                         "is kept here and goes with the next "
                                         "command.");
    }
    return e == OK ? TOOL_EXIT_OK : tool_patient_failed(p, e);
}

/* ------------------------------------------------------------------ finding */

enum tool_exit
tool_patient_number(const char *word, uint64_t *out)
{
    char *end = NULL;
    unsigned long long n;

    errno = 0;
    n = strtoull(word, &end, 10);
    if (word[0] < '0' || word[0] > '9' || *end != '\0' || errno != 0) {
        return tool_say(TOOL_EXIT_USAGE, "\"%.60s\" is not a number.", word);
    }
    *out = n;
    return TOOL_EXIT_OK;
}

static bool
is_number(const char *word, uint64_t n)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
    return strcmp(text, word) == 0;
}

static bool
begins_with(struct view name, const char *word)
{
    size_t len = strlen(word);

    return len > 0 && name.len >= len &&
           strncasecmp((const char *)name.p, word, len) == 0;
}

static bool
clinic_is(const struct fed_app_clinic *c, const char *word)
{
    char hex[PROTO_HEX_MAX + 1];

    proto_hex(clinic_id_view(&c->root), hex);
    return is_number(word, c->number) || begins_with(c->name, word) ||
           (strlen(word) >= 8 && strncasecmp(hex, word, strlen(word)) == 0);
}

enum tool_exit
tool_patient_clinic(struct tool_patient *p, const char *word,
                    struct clinic_id *out)
{
    struct fed_app_clinic c;
    struct clinic_id at;
    const struct clinic_id *after = NULL;
    struct bytes hold = {0};
    unsigned found = 0;

    while (fed_app_clinic_next(p->app, after, &c, &hold) == OK) {
        at = c.root;
        after = &at;
        if (clinic_is(&c, word)) {
            *out = c.root;
            found++;
        }
    }
    bytes_free(&hold);
    if (found == 1) {
        return TOOL_EXIT_OK;
    }
    return found == 0
               ? tool_say(TOOL_EXIT_FAILED,
                          "There is no clinic \"%.60s\" here. Look with "
                          "balsam-patient clinics.",
                          word)
               : tool_say(TOOL_EXIT_FAILED,
                          "Several clinics are called \"%.60s\". Use the "
                          "number from balsam-patient clinics.",
                          word);
}

/* Whether it is called so, or a title or a member's name begins so. */
static bool
thread_is(struct tool_patient *p, const struct fed_app_thread *t,
          const char *word)
{
    json_t *row = tool_patient_thread_row(p, t);
    const char *title = json_string_value(json_object_get(row, "title"));
    bool is = fed_spoken_is(&t->id, view_str(word)) ||
              begins_with(view_str(title), word);
    size_t i;
    const json_t *m;

    json_array_foreach(json_object_get(row, "members"), i, m)
    {
        const char *name = json_string_value(json_object_get(m, "name"));
        const char *kind = json_string_value(json_object_get(m, "kind"));

        is = is ||
             (strcmp(kind, "clinic") == 0 && begins_with(view_str(name), word));
    }
    json_decref(row);
    return is;
}

static enum tool_exit
find_thread(struct tool_patient *p, const char *word, struct thread_id *out)
{
    struct fed_app_thread t;
    struct thread_id at;
    const struct thread_id *after = NULL;
    struct bytes hold = {0};
    unsigned found = 0;

    while (fed_app_thread_next(p->app, after, &t, &hold) == OK) {
        at = t.id;
        after = &at;
        if (is_number(word, t.number)) { /* a number means that one */
            *out = t.id;
            found = 1;
            break;
        }
        if (thread_is(p, &t, word)) {
            *out = t.id;
            found++;
        }
    }
    bytes_free(&hold);
    if (found == 1) {
        return TOOL_EXIT_OK;
    }
    return found == 0
               ? tool_say(TOOL_EXIT_FAILED,
                          "There is no conversation \"%.60s\". Look with "
                          "balsam-patient threads.",
                          word)
               : tool_say(TOOL_EXIT_FAILED,
                          "Several conversations fit \"%.60s\". Use the number "
                          "from balsam-patient threads.",
                          word);
}

enum tool_exit
tool_patient_thread(struct tool_patient *p, struct thread_id *out)
{
    enum tool_exit code = tool_patient_sync(p);

    return code == TOOL_EXIT_OK ? find_thread(p, p->args.arg[0], out) : code;
}

/* --------------------------------------------------------------------- codes
 */

enum tool_exit
tool_patient_read_code(struct bytes *out)
{
    if (isatty(STDIN_FILENO)) {
        (void)fputs("Type the twelve words of the recovery code, then Ctrl-D "
                    "on a line of its own:\n",
                    stderr);
    }
    if (tool_read_all(STDIN_FILENO, out) != OK) {
        return tool_say(TOOL_EXIT_FAILED, "There is no memory.");
    }
    for (size_t i = 0; i < out->len; i++) {
        if (isalpha(out->p[i])) {
            return TOOL_EXIT_OK;
        }
    }
    bytes_free(out);
    return tool_say(TOOL_EXIT_FAILED,
                    "Nothing was done: this takes the recovery code, the "
                    "twelve words on your paper, typed or on standard input.");
}

enum tool_exit
tool_patient_bad_code(const struct tool_patient *p, enum err e,
                      unsigned bad_word)
{
    if (e == ERR_FORMAT && bad_word > 0) {
        return tool_say(TOOL_EXIT_FAILED,
                        "Word %u is not one of a recovery code. Look at it "
                        "again.",
                        bad_word);
    }
    if (e == ERR_FORMAT) {
        return tool_say(TOOL_EXIT_FAILED, "A recovery code has twelve words.");
    }
    if (e == ERR_AUTH) {
        return tool_say(TOOL_EXIT_FAILED,
                        "The words do not belong together: one is another "
                        "word, or two are swapped.");
    }
    if (e == ERR_DENIED || e == ERR_EXISTS) {
        return tool_say(TOOL_EXIT_FAILED, "This is the code of another "
                                          "patient. Use another --profile for "
                                          "each.");
    }
    if (e == ERR_UNSUPPORTED) {
        return tool_say(TOOL_EXIT_FAILED, "The code is of a newer version. "
                                          "Update this program.");
    }
    return tool_patient_failed(p, e);
}
