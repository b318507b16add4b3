/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as lines for people. */
#include "tools/cli/show.h"
#include "tools/patient/patient.h"

#include <stdio.h>
#include <string.h>

static bool
is(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

/* How a clinic's key was learned, in words. */
static void
show_learned(const json_t *c)
{
    const char *l = tool_text(c, "learned");

    if (strcmp(l, "compared") == 0) {
        (void)printf("compared: verified");
    } else if (strcmp(l, "in_person") == 0) {
        (void)printf("by a link shown in person: verified");
    } else if (strcmp(l, "link") == 0) {
        (void)printf("by its own link");
    } else {
        (void)printf("introduced");
        if (tool_text(c, "by")[0] != '\0') {
            (void)printf(" by ");
            tool_print_safe(tool_text(c, "by"));
        }
        (void)printf(", not verified");
    }
}

/* How things stand with a clinic, as the person would say it. */
static const char *
standing(const json_t *c)
{
    static const char *const words[][2] = {
        {"looked", "not joined: open its link again if you want to"},
        {"asked", "it has not accepted you yet"},
        {"enrolled", "you are its patient"},
        {"in_thread", "only in a conversation"},
        {"refused", "it refused you"},
        {"ended", "you are not its patient any more"},
        {"blocked", "you blocked it"},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcmp(tool_text(c, "state"), words[i][0]) == 0) {
            return words[i][1];
        }
    }
    return "something newer";
}

static void
show_clinic(const json_t *c)
{
    bool home = is(c, "home") && strcmp(tool_text(c, "state"), "looked") != 0;

    (void)printf("%3lld  ", tool_number(c, "number"));
    tool_print_safe(tool_text(c, "name"));
    (void)printf("%s", home ? "  (home)" : "");
    if (tool_text(c, "through")[0] != '\0') {
        (void)printf("  through ");
        tool_print_safe(tool_text(c, "through"));
    } else if (!is(c, "up")) {
        (void)printf("  not connected");
    }
    (void)printf("\n");
    (void)printf("     %s; key ", standing(c));
    show_learned(c);
    (void)printf("\n");
    tool_show_picture(c, "     ");
}

static void
show_members(const json_t *t)
{
    size_t i;
    const json_t *m;

    (void)printf("     who %s read it: ",
                 strcmp(tool_text(t, "state"), "removed") == 0 ? "could"
                                                               : "can");
    json_array_foreach(json_object_get(t, "members"), i, m)
    {
        (void)printf("%s", i == 0 ? "" : ", ");
        tool_print_safe(tool_text(m, "name"));
    }
    (void)printf("\n");
}

/* The same list as the clinics show, by the same words. */
static void
show_member(const json_t *m)
{
    bool clinic = strcmp(tool_text(m, "kind"), "clinic") == 0;

    (void)printf("     %.8s  ", tool_text(m, "id"));
    tool_print_safe(tool_text(m, "name"));
    (void)printf("  %s%s", clinic ? "clinic" : "patient, reads everything",
                 is(m, "orders") ? ", keeps the order" : "");
    if (tool_text(m, "through")[0] != '\0') {
        (void)printf("; devices are reached through ");
        tool_print_safe(tool_text(m, "through"));
    }
    if (is(m, "consent")) {
        (void)printf("; reads with your consent");
    }
    if (strcmp(tool_text(m, "added_by"), tool_text(m, "name")) != 0) {
        (void)printf("; brought in by ");
        tool_print_safe(tool_text(m, "added_by"));
    }
    (void)printf("\n");
}

static void
show_member_list(const json_t *t)
{
    size_t i;
    const json_t *m;

    tool_print_safe(tool_text(t, "title"));
    (void)printf("  (nobody else can read it)\n");
    json_array_foreach(json_object_get(t, "members"), i, m)
    {
        show_member(m);
    }
}

/* What a conversation is doing, where it is not simply there. */
static const char *
doing(const json_t *t)
{
    static const char *const words[][2] = {
        {"opening", "being opened"},
        {"away", "not on this device yet: it comes by itself, or when you "
                 "open a link of the clinic again"},
        {"checking", "being compared with the others' after a restore"},
        {"resync", "coming back in after a loss"},
        {"cut", "stopped"},
        {"ended", "ended"},
        {"removed", "you are not in it any more"},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strcmp(tool_text(t, "state"), words[i][0]) == 0) {
            return words[i][1];
        }
    }
    return "something newer";
}

/* Who has stopped it, and how it goes on. */
static void
show_cut(const json_t *t)
{
    char words[TOOL_WAY_MAX];

    if (tool_text(t, "cut_by")[0] != '\0') {
        tool_patient_way(t, words);
        (void)printf("     ! ");
        tool_print_safe(words);
        (void)printf("\n");
    }
}

static void
show_thread(const json_t *t)
{
    (void)printf("%3lld  ", tool_number(t, "number"));
    tool_print_safe(tool_text(t, "title"));
    if (strcmp(tool_text(t, "state"), "active") != 0) {
        (void)printf("  [%s]", doing(t));
    }
    if (tool_number(t, "unread") > 0) {
        (void)printf("  %lld unread", tool_number(t, "unread"));
    }
    if (tool_number(t, "waiting") > 0) {
        (void)printf("  %lld not sent yet", tool_number(t, "waiting"));
    }
    (void)printf("  ");
    tool_print_time(tool_number(t, "last_ms"));
    (void)printf("  ");
    tool_print_safe(tool_text(t, "spoken"));
    (void)printf("\n");
    if (tool_number(t, "after") > 0) {
        (void)printf("     It continues conversation %lld.\n",
                     tool_number(t, "after"));
    } else if (is(t, "continues")) {
        (void)printf("     It continues an earlier conversation.\n");
    }
    show_members(t);
    if (is(t, "asked")) {
        (void)printf("     ! A clinic asks to be let in; it waits for your "
                     "answer: balsam-patient consents\n");
    }
    show_cut(t);
    tool_show_doubts(t, "     ");
    if (is(t, "gone")) {
        (void)printf("     ! ");
        tool_print_safe(tool_text(t, "gone_clinic"));
        (void)printf(" carries this conversation and was last reached on ");
        tool_print_time(tool_number(t, "gone_ms"));
        (void)printf(". It stands still; all that was said stays here. To go "
                     "on with a clinic that you are a patient of: "
                     "balsam-patient continue %lld CLINIC\n",
                     tool_number(t, "number"));
    }
    if (tool_number(t, "left_out_ms") > 0) {
        (void)printf("     ! This device lost its place here, and ");
        tool_print_safe(tool_text(t, "gone_clinic"));
        (void)printf(", which could let it in, was last reached on ");
        tool_print_time(tool_number(t, "left_out_ms"));
        (void)printf(". It is tried again by itself; all that was said stays "
                     "here. If it is urgent, call them.\n");
    }
}

static void
show_files(const json_t *m)
{
    size_t i;
    const json_t *f;

    json_array_foreach(json_object_get(m, "files"), i, f)
    {
        (void)printf("      [file %lld] ", tool_number(f, "index"));
        tool_print_safe(tool_text(f, "name"));
        (void)printf("  %lld bytes\n", tool_number(f, "size"));
    }
}

static void
show_body(const json_t *m)
{
    const char *kind = tool_text(m, "kind");
    long long about = tool_number(m, "reply_to");

    if (is(m, "deleted")) {
        (void)printf("(taken back)");
    } else if (is(m, "newer")) {
        (void)printf("(needs a newer version of this program)");
    } else if (strcmp(kind, "edit") == 0) {
        (void)printf("(changed message %lld)", about);
    } else if (strcmp(kind, "delete") == 0) {
        (void)printf("(took message %lld back)", about);
    } else if (strcmp(kind, "reaction") == 0) {
        tool_print_safe(tool_text(m, "text"));
        (void)printf(" to message %lld", about);
    } else if (strcmp(kind, "title") == 0) {
        (void)printf("(called this ");
        tool_print_safe(tool_text(m, "text"));
        (void)printf(")");
    } else {
        tool_print_text(tool_text(m, "text"), 6);
    }
}

static void
show_message(const json_t *m)
{
    (void)printf("%4lld  ", tool_number(m, "number"));
    tool_print_time(tool_number(m, "at_ms"));
    (void)printf("  ");
    tool_print_safe(tool_text(m, "from"));
    if (tool_text(m, "name")[0] != '\0' && !is(m, "ours")) {
        (void)printf(" / ");
        tool_print_safe(tool_text(m, "name"));
    }
    if (is(m, "ours")) {
        (void)printf("  [%s]", tool_text(m, "state"));
    }
    if (tool_number(m, "reply_to") > 0 &&
        strcmp(tool_text(m, "kind"), "text") == 0) {
        (void)printf("  to %lld", tool_number(m, "reply_to"));
    }
    (void)printf("%s%s%s\n      ", is(m, "edited") ? "  changed" : "",
                 is(m, "resent") ? "  brought back" : "",
                 is(m, "auto") ? "  automatic" : "");
    show_body(m);
    (void)printf("\n");
    show_files(m);
}

/* How much of what was said before. */
static void
show_before(const json_t *c)
{
    (void)printf("     it gets of what was said before: ");
    if (strcmp(tool_text(c, "history"), "from") == 0) {
        (void)printf("from ");
        tool_print_time(tool_number(c, "history_from_ms"));
    } else {
        (void)printf("%s", tool_text(c, "history"));
    }
    (void)printf("\n");
}

void
tool_patient_show_consent(const json_t *c)
{
    bool desk = tool_text(c, "why")[0] != '\0';
    bool alone = strcmp(tool_text(c, "scope"), "private") == 0;

    (void)printf("%3lld  [%s]  ", tool_number(c, "number"),
                 tool_text(c, "state"));
    tool_print_safe(tool_text(c, "asked_by"));
    if (alone) {
        (void)printf(" asks for a conversation with you alone");
    } else {
        (void)printf(desk ? " recorded your yes for " : " asks to let in ");
        tool_print_safe(tool_text(c, "clinic"));
    }
    (void)printf("\n     for: ");
    tool_print_text(tool_text(c, "purpose"), 10);
    (void)printf("\n");
    if (!alone) {
        show_before(c);
    }
    if (desk) {
        (void)printf("     recorded by ");
        tool_print_safe(tool_text(c, "member"));
        (void)printf(": ");
        tool_print_text(tool_text(c, "why"), 10);
        (void)printf("\n");
    }
}

static void
show_device(const json_t *d)
{
    (void)printf("%.16s  %s%s, added by %s\n", tool_text(d, "id"),
                 is(d, "here") ? "this device" : "another device",
                 is(d, "may_add") ? ", may add others" : "",
                 strcmp(tool_text(d, "added_by"), "code") == 0
                     ? "the recovery code"
                     : "another device");
}

static void
show_status(const json_t *o)
{
    const char *stage = tool_text(o, "stage");
    const char *id = tool_text(o, "home");
    bool home = strspn(id, "0") < strlen(id);

    if (strcmp(stage, "nobody") == 0) {
        (void)printf("Nobody is here yet: balsam-patient join LINK\n");
        return;
    }
    if (strcmp(stage, "asking") == 0) {
        (void)printf("This device waits to be added: balsam-patient device "
                     "add\n");
        return;
    }
    (void)printf("patient  %s\ndevice   %s\nhome     ", tool_text(o, "patient"),
                 tool_text(o, "device"));
    if (!home) {
        (void)printf("none yet: balsam-patient join LINK");
    } else {
        tool_print_safe(tool_text(
            o, tool_text(o, "home_name")[0] != '\0' ? "home_name" : "home"));
    }
    (void)printf("\n");
    if (is(o, "home_ended")) {
        (void)printf("You are not a patient of your home any more. Move to "
                     "another clinic of yours: balsam-patient home CLINIC\n");
    }
    (void)printf("clinics  %lld of %lld connected\n",
                 tool_number(o, "clinics_up"),
                 tool_number(o, "clinics_wanted"));
    if (tool_number(o, "queued") + tool_number(o, "files") > 0) {
        (void)printf("waiting  %lld to go, %lld files on their way\n",
                     tool_number(o, "queued"), tool_number(o, "files"));
    }
    if (strcmp(tool_text(o, "recovery_code"), "unwritten") == 0 && home) {
        (void)printf("Write your recovery code on paper: balsam-patient code "
                     "show; then: balsam-patient code confirm\n");
    }
    if (is(o, "alarm")) {
        (void)printf("Somebody else may have one of your keys: two different "
                     "lists of your devices exist. Remove what is not yours "
                     "with the recovery code: balsam-patient device remove\n");
    }
    if (is(o, "archive_full")) {
        (void)printf("Your clinic keeps no more history for a new phone: what "
                     "is said from now on is on your present devices only.\n");
    }
    if (is(o, "removed")) {
        (void)printf("This device was removed. What is here can be read, "
                     "nothing comes any more.\n");
    }
}

/* One after the other, each as one of them is shown. */
static void
show_each(const json_t *answer, const char *key, const char *none,
          void (*show)(const json_t *row))
{
    const json_t *rows = json_object_get(answer, key);
    size_t i;
    const json_t *row;

    if (rows == NULL) {
        return;
    }
    if (json_array_size(rows) == 0) {
        (void)printf("%s\n", none);
    }
    json_array_foreach(rows, i, row)
    {
        show(row);
    }
}

/* With what happened between them. */
static void
show_messages(const json_t *o)
{
    const json_t *rows = json_object_get(o, "messages");
    size_t i;
    const json_t *m;

    if (rows == NULL) {
        return;
    }
    tool_show_changes(o, 0);
    if (json_array_size(rows) == 0) {
        (void)printf("Nothing was said yet.\n");
    }
    json_array_foreach(rows, i, m)
    {
        show_message(m);
        tool_show_changes(o, tool_number(m, "number"));
    }
}

static void
show_one(const json_t *answer, const char *key, void (*show)(const json_t *))
{
    const json_t *row = json_object_get(answer, key);

    if (row != NULL) {
        show(row);
    }
}

/* To whom something was just said. */
static void
show_to(const json_t *o)
{
    (void)printf("To ");
    tool_print_safe(tool_text(o, "title"));
    (void)printf(":\n");
}

static void
show_reported(const json_t *r)
{
    const json_t *name;
    size_t i;

    (void)printf("Reported to ");
    json_array_foreach(json_object_get(r, "to"), i, name)
    {
        (void)printf("%s", i == 0 ? "" : " and ");
        tool_print_safe(json_string_value(name));
    }
    (void)printf(". To have nothing more from them: balsam-patient leave, or "
                 "part.\n");
}

static void
show_synced(const json_t *o)
{
    if (tool_number(o, "clinics_wanted") == 0) {
        (void)printf("No clinic is connected with this app: balsam-patient "
                     "join LINK\n");
    } else if (is(o, "settled")) {
        (void)printf("All is here, and nothing waits to go.\n");
    } else {
        (void)printf("Not all has come and gone yet: it goes on with the next "
                     "command.\n");
    }
}

/* What has nothing to show says at least that it is done. */
static void
show_done(const struct tool_patient *p)
{
    const char *name = p->args.command->name;

    if (strcmp(name, "code confirm") == 0) {
        (void)printf("The code is right. It is kept nowhere but on your paper "
                     "now.\n");
    } else if (strcmp(name, "code recover") == 0) {
        (void)printf("Now join your home clinic again, by any link of it: "
                     "balsam-patient join LINK\n");
    } else {
        (void)printf("Done.\n");
    }
}

void
tool_patient_show(const struct tool_patient *p, enum tool_exit code)
{
    const json_t *o = p->out;

    if (code == TOOL_EXIT_OK && json_object_size(o) == 1 && /* "ok" */
        !p->watching) {
        show_done(p);
    }

    show_each(o, "threads", "There is no conversation yet.", show_thread);
    show_one(o, "thread",
             strcmp(p->args.command->name, "members") == 0 ? show_member_list
                                                           : show_thread);
    show_messages(o);
    show_one(o, "reported", show_reported);
    show_one(o, "seen_to", tool_show_settled);
    if (json_object_get(o, "message") != NULL) {
        show_to(o);
        show_message(json_object_get(o, "message"));
    }
    show_each(o, "clinics", "You are connected to no clinic.", show_clinic);
    show_one(o, "clinic", show_clinic);
    show_each(o, "consents", "Nobody asked for anything.",
              tool_patient_show_consent);
    show_each(o, "devices", "There is no device list yet.", show_device);
    if (json_object_get(o, "words") != NULL) {
        (void)printf("%s\n", tool_text(o, "words"));
    }
    if (json_object_get(o, "code") != NULL) {
        (void)printf("%s\n", tool_text(o, "code"));
    }
    if (json_object_get(o, "next") != NULL) {
        (void)printf("\n%s\n", tool_text(o, "next"));
    }
    if (json_object_get(o, "stage") != NULL) {
        show_status(o);
    }
    if (strcmp(p->args.command->name, "sync") == 0) {
        show_synced(o);
    }
}

/* That it watches, and for whom. */
static void
show_watching(const json_t *event)
{
    const json_t *names = json_object_get(event, "clinics");
    const json_t *name;
    size_t i;

    if (json_array_size(names) == 0) {
        (void)printf("You are connected to no clinic, so nothing can come. "
                     "Join one first: balsam-patient join LINK\n");
        return;
    }
    (void)printf("Watching for what comes from ");
    json_array_foreach(names, i, name)
    {
        (void)printf("%s", i == 0                           ? ""
                           : i + 1 < json_array_size(names) ? ", "
                                                            : " and ");
        tool_print_safe(json_string_value(name));
    }
    (void)printf(". Ctrl-C ends it.\n");
}

void
tool_patient_show_event(const json_t *event)
{
    if (strcmp(tool_text(event, "event"), "watching") == 0) {
        show_watching(event);
        (void)fflush(stdout);
        return;
    }
    (void)printf("%s", tool_text(event, "event"));
    if (tool_text(event, "title")[0] != '\0') {
        (void)printf("  ");
        tool_print_safe(tool_text(event, "title"));
    }
    (void)printf("\n");
    show_cut(event);
    tool_show_doubts(event, "  ");
    show_one(event, "message", show_message);
    (void)fflush(stdout);
}
