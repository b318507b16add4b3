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
