/* SPDX-License-Identifier: Apache-2.0 */
/* Answers for people about patients: invitations. */
#include "tools/cli/show.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* One line: who, since when, how far. */
static void
show_invite(const json_t *i)
{
    (void)printf("%.8s  %-9s %-9s ", tool_text(i, "id"), tool_text(i, "state"),
                 json_is_true(json_object_get(i, "in_person")) ? "in person"
                                                               : "sent");
    tool_print_safe(tool_text(i, "name"));
    if (strcmp(tool_text(i, "state"), "invited") == 0) {
        (void)printf("  until ");
        tool_print_time(tool_number(i, "expires_ms"));
    }
    if (json_is_true(json_object_get(i, "birth_asked")) &&
        strcmp(tool_text(i, "state"), "joined") != 0) {
        (void)printf("  date of birth: %lld tries left",
                     tool_number(i, "tries"));
    }
    if (tool_text(i, "purpose")[0] != '\0') {
        (void)printf("  \"");
        tool_print_safe(tool_text(i, "purpose"));
        (void)printf("\"");
    }
    (void)printf("\n");
}

static void
show_sent(const json_t *i)
{
    static const char *const keys[] = {"phone", "email"};

    for (size_t k = 0; k < 2; k++) {
        if (tool_text(i, keys[k])[0] != '\0') {
            (void)printf("          %s ", keys[k]);
            tool_print_safe(tool_text(i, keys[k]));
            (void)printf(" (where it is sent proves nothing)\n");
        }
    }
}

/* The words to send or to say, for one. */
static void
show_words(const json_t *a, const json_t *i)
{
    (void)printf("\n");
    tool_print_safe(tool_text(a, "clinic"));
    (void)printf(" invites you to write to each other, encrypted. Open this "
                 "link in the Balsam app on your own phone or computer. It "
                 "works once, until ");
    tool_print_time(tool_number(i, "expires_ms"));
    (void)printf(", and is for you alone.%s\n\n%s\n",
                 json_is_true(json_object_get(i, "birth_asked"))
                     ? " You will be asked for your date of birth."
                     : "",
                 tool_text(i, "link"));
}

/* A second invitation of one name is made, but not silently. */
static void
show_same_name(const json_t *a)
{
    size_t i;
    const json_t *o;

    json_array_foreach(json_object_get(a, "same_name"), i, o)
    {
        const char *invitation = tool_text(o, "invitation");

        (void)printf("! There is another ");
        tool_print_safe(tool_text(o, "name"));
        if (invitation[0] == '\0') {
            (void)printf(", contact %.8s.\n", tool_text(o, "id"));
        } else {
            (void)printf(", %s since ", tool_text(o, "state"));
            tool_print_time(tool_number(o, "since_ms"));
            (void)printf(".\n");
        }
    }
    if (json_array_size(json_object_get(a, "same_name")) > 0) {
        o = json_array_get(json_object_get(a, "invitations"), 0);
        (void)printf("  The same person? Then take this one back: balsam "
                     "invite revoke %.8s\n  (balsam invites shows the "
                     "others; balsam invite resend prints one again)\n",
                     tool_text(o, "id"));
    }
}

void
tool_show_invited(const json_t *a)
{
    const json_t *list = json_object_get(a, "invitations");
    size_t i;
    const json_t *o;

    json_array_foreach(list, i, o)
    {
        show_invite(o);
        show_sent(o);
    }
    show_same_name(a);
    if (json_array_size(list) == 1) {
        show_words(a, json_array_get(list, 0));
    } else {
        json_array_foreach(list, i, o)
        {
            (void)printf("\n");
            tool_print_safe(tool_text(o, "name"));
            (void)printf("\n%s\n", tool_text(o, "link"));
        }
    }
}

void
tool_show_invites(const json_t *a)
{
    const json_t *list = json_object_get(a, "invitations");
    size_t i;
    const json_t *o;

    if (json_array_size(list) == 0) {
        (void)printf("Nobody is invited. To invite a patient: balsam invite "
                     "NAME\n");
    }
    json_array_foreach(list, i, o)
    {
        show_invite(o);
    }
}

void
tool_show_invite(const json_t *a)
{
    show_invite(a);
}

/* ----------------------------------------------------------------- patients
 */

static bool
is(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

static void
say_of(const json_t *o, const char *before, const char *key)
{
    if (tool_text(o, key)[0] != '\0') {
        (void)printf("%s", before);
        tool_print_safe(tool_text(o, key));
    }
}

void
tool_show_patients(const json_t *a)
{
    const json_t *list = json_object_get(a, "patients");
    size_t i;
    const json_t *p;

    if (json_array_size(list) == 0) {
        (void)printf("None. To invite one: balsam invite NAME\n");
    }
    json_array_foreach(list, i, p)
    {
        (void)printf("%.8s  %-12s ", tool_text(p, "id"), tool_text(p, "state"));
        tool_print_safe(tool_text(p, "name"));
        (void)printf("  (%s", tool_text(p, "learned"));
        say_of(p,
               strcmp(tool_text(p, "learned"), "introduced") == 0
                   ? " by "
                   : ", introduced by ",
               "introduced_by");
        (void)printf(")");
        if (tool_text(p, "called_so_by")[0] != '\0') {
            say_of(p, "  as ", "called_so_by");
            (void)printf(" calls them");
        }
        say_of(p, "  through ", "through");
        if (tool_number(p, "queued") > 0) {
            (void)printf("\n          %lld wait for the app, none taken since ",
                         tool_number(p, "queued"));
            tool_print_time(tool_number(p, "queued_since_ms"));
        }
        if (tool_number(p, "idle_devices") > 0) {
            (void)printf("\n          %lld of the devices not seen for 90 "
                         "days (balsam devices)",
                         tool_number(p, "idle_devices"));
        }
        if (is(p, "alarm")) {
            (void)printf("\n          ! two lists of devices are about: call "
                         "the patient");
        }
        if (is(p, "new_identity")) {
            (void)printf("\n          ! came with a new key: compare at the "
                         "desk (balsam compare)");
        }
        (void)printf("\n");
        tool_show_twins(p, "          known before? ");
    }
}

static const char *
device_word(const json_t *d)
{
    if (is(d, "suspended")) {
        return "suspended";
    }
    return is(d, "idle") ? "idle" : "in use";
}

static void
show_device(const json_t *d)
{
    (void)printf("  %.8s  %-9s %-7s queued %lld", tool_text(d, "id"),
                 device_word(d), is(d, "online") ? "online" : "",
                 tool_number(d, "queued"));
    if (tool_number(d, "queued_since_ms") > 0) {
        (void)printf(", none taken since ");
        tool_print_time(tool_number(d, "queued_since_ms"));
    }
    (void)printf("%s%s\n", is(d, "may_add") ? ", may add devices" : "",
                 is(d, "by_patient_key") ? "" : ", added by another device");
    if (is(d, "suspended")) {
        (void)printf("            gets nothing; the patient removes it for "
                     "good, with the recovery code\n");
    }
    if (is(d, "idle")) {
        (void)printf("            not seen since ");
        tool_print_time(tool_number(d, "seen_ms"));
        (void)printf(": out of all conversations until it is back\n");
    }
}

void
tool_show_devices(const json_t *a)
{
    const json_t *list = json_object_get(a, "devices");
    size_t i;
    const json_t *d;

    tool_print_safe(tool_text(a, "name"));
    (void)printf("\n");
    json_array_foreach(list, i, d)
    {
        show_device(d);
    }
    if (is(a, "alarm")) {
        (void)printf("  ! Two different lists of devices are about: a key is "
                     "in two hands. Call the patient.\n");
    }
}

void
tool_show_compare(const json_t *a)
{
    tool_print_safe(tool_text(a, "name"));
    (void)printf("%s\n\n    %s\n\n", is(a, "compared") ? "  (compared)" : "",
                 tool_text(a, "words"));
    if (tool_number(a, "blocked") > 0) {
        (void)printf("The key that they had before is blocked (balsam "
                     "unblock, with its id).\n");
    }
    if (!is(a, "compared")) {
        (void)printf("The patient's app shows the same words under the name of "
                     "your clinic. If it does, write: balsam compare PATIENT "
                     "--same\n");
    }
}

void
tool_show_cut_off(const json_t *of)
{
    size_t i;
    const json_t *name;

    json_array_foreach(json_object_get(of, "cut_off"), i, name)
    {
        (void)printf("%s", i == 0 ? "" : ", ");
        if (i == 0) {
            tool_print_safe(tool_text(of, "name"));
            (void)printf(" gets nothing any more in what goes to them through "
                         "this node: ");
        }
        tool_print_safe(json_string_value(name));
    }
    (void)printf("%s", i == 0 ? "" : "\n");
    (void)fflush(stdout);
}

/* ----------------------------------------------------------------- consents
 */

static void
show_terms(const json_t *o)
{
    say_of(o, ": \"", "purpose");
    if (tool_text(o, "purpose")[0] != '\0') {
        (void)printf("\"");
    }
    if (strcmp(tool_text(o, "scope"), "alone") == 0) {
        (void)printf(", a conversation alone");
    } else if (strcmp(tool_text(o, "history"), "all") == 0) {
        (void)printf(", with all that was said before");
    } else if (strcmp(tool_text(o, "history"), "from") == 0) {
        (void)printf(", with what was said since ");
        tool_print_time(tool_number(o, "history_from_ms"));
    } else if (strcmp(tool_text(o, "history"), "none") == 0) {
        (void)printf(", from now on");
    }
    say_of(o, ", recorded by ", "by");
    say_of(o, ": ", "why");
}

void
tool_show_consents(const json_t *a)
{
    const json_t *list = json_object_get(a, "consents");
    size_t i;
    const json_t *c;

    if (json_array_size(list) == 0) {
        (void)printf("Nothing was asked yet.\n");
    }
    json_array_foreach(list, i, c)
    {
        tool_print_time(tool_number(c, "at_ms"));
        (void)printf("  %-15s ", tool_text(c, "said"));
        tool_print_safe(tool_text(c, "patient"));
        (void)printf(" for ");
        tool_print_safe(tool_text(c, "clinic"));
        say_of(c, ", asked by ", "asked_by");
        show_terms(c);
        (void)printf("\n");
    }
}

void
tool_show_asked(const json_t *a)
{
    if (strcmp(tool_text(a, "state"), "asked") == 0) {
        (void)printf("Asked. The patient's app shows it; the clinic comes in "
                     "after the yes.\n");
    } else if (strcmp(tool_text(a, "state"), "asked alone") == 0) {
        (void)printf("Asked. All who are in this conversation read the "
                     "question. After the yes the conversation is there: "
                     "balsam inbox\n");
    } else if (strcmp(tool_text(a, "state"), "recorded") == 0) {
        (void)printf("Recorded. The clinic comes in now; the patient's app "
                     "shows it.\n");
    } else if (strcmp(tool_text(a, "state"), "waiting") == 0) {
        (void)printf("The conversation is made, but the patient's app is not "
                     "there yet. Ask later: balsam thread add THREAD CLINIC "
                     "--purpose TEXT\n");
    } else if (tool_number(a, "number") > 0) {
        (void)printf("Conversation %lld is made. To write in it: balsam send "
                     "%lld TEXT\n",
                     tool_number(a, "number"), tool_number(a, "number"));
    } else {
        (void)printf("Done.\n");
    }
}

static void
show_question(const json_t *m)
{
    if (strcmp(tool_text(m, "scope"), "alone") == 0) {
        (void)printf("asks ");
        tool_print_safe(tool_text(m, "about_patient"));
        (void)printf(", for ");
        tool_print_safe(tool_text(m, "about_clinic"));
    } else {
        (void)printf("asks whether ");
        tool_print_safe(tool_text(m, "about_clinic"));
        (void)printf(" may read along with ");
        tool_print_safe(tool_text(m, "about_patient"));
    }
}

/* A line of a conversation that is about a consent. */
void
tool_show_consent(const json_t *m)
{
    if (strcmp(tool_text(m, "kind"), "withdrawal") == 0) {
        (void)printf("takes the consent back");
    } else if (strcmp(tool_text(m, "kind"), "ask") == 0) {
        show_question(m);
    } else {
        (void)printf("%s, for ", tool_text(m, "said"));
        tool_print_safe(tool_text(m, "about_clinic"));
    }
    show_terms(m);
}

/* ------------------------------------------------------------------ members
 */

static void
show_reads(const json_t *m)
{
    size_t i;
    const json_t *c;

    if (is(m, "disconnected") && tool_text(m, "reads_through")[0] != '\0') {
        say_of(m,
               "  patient; you have disconnected, but they still read and "
               "write here, through ",
               "reads_through");
        return;
    }
    if (is(m, "disconnected")) {
        (void)printf("  patient; you have disconnected, so nothing reaches "
                     "them here, but they are a member: what is said meanwhile "
                     "they read when they move their home to another member");
        return;
    }
    if (is(m, "patient")) {
        say_of(m, "  patient, reads everything; devices are reached through ",
               "through");
        return;
    }
    (void)printf("  clinic%s%s", is(m, "us") ? ", this one" : "",
                 is(m, "orders") ? ", keeps the order" : "");
    json_array_foreach(json_object_get(m, "consents"), i, c)
    {
        (void)printf("; reads with the consent of ");
        tool_print_safe(tool_text(c, "patient"));
        show_terms(c);
    }
}

void
tool_show_members(const json_t *a)
{
    const json_t *list = json_object_get(a, "members");
    size_t i;
    const json_t *m;

    tool_print_safe(tool_text(a, "title"));
    (void)printf("  (nobody else can read it)\n");
    json_array_foreach(list, i, m)
    {
        (void)printf("  %.8s  ", tool_text(m, "id"));
        tool_print_safe(tool_text(m, "name"));
        show_reads(m);
        say_of(m, "; brought in by ", "added_by");
        (void)printf("\n");
    }
}
