/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened in a conversation beside what was said: one sentence each,
 * between its messages, for clinics and patients alike.
 */
#include "tools/cli/show.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct sentence {
    const char *what;
    const char *said; /* %w who, %b by whom */
    const char *you;  /* who is the person that reads */
    const char *away; /* it is not known by whom: nobody was here to see it */
};

static const struct sentence sentences[] = {
    {"came", "%w came in, brought by %b", "you came in, brought by %b",
     "%w came in meanwhile"},
    {"removed", "%w was removed by %b", "you were removed by %b",
     "%w left or was removed meanwhile"},
    {"left", "%w left", "you left", NULL},
    {"wants to leave", "%w wants to leave, and is still in it",
     "you want to leave, and are still in it", NULL},
    {"rejoined", "%w lost its place in this conversation and rejoined",
     "a device of yours lost its place in this conversation and rejoined",
     NULL},
    {"device came", "a new device of %w came in",
     "a new device of yours came in", NULL},
    {"device removed", "a device of %w was taken out",
     "a device of yours was taken out", NULL},
    {"order handed over", "%w keeps the order from here, handed over by %b",
     NULL, NULL},
    {"order taken over",
     "%w keeps the order from here: %b had not been reached for three days",
     NULL, NULL},
    {"kept out, revoked key",
     "a message of %w is kept out, on purpose: the key that it was sealed with "
     "was revoked, and %w is asked to say it again",
     "a message from another device of yours is kept out, on purpose", NULL},
    {"kept out, not bound",
     "a message is kept out, on purpose: nobody could prove later who wrote it",
     NULL, NULL},
    {"missing",
     "messages are missing here; the others are still asked for them", NULL,
     NULL},
    {"lost",
     "from here messages may be missing for good: everybody in it was asked "
     "for "
     "a month, and nobody had more. If you miss something, ask for it",
     NULL, NULL},
};

static const struct sentence *
find(const json_t *c)
{
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
        if (strcmp(sentences[i].what, tool_text(c, "what")) == 0) {
            return &sentences[i];
        }
    }
    return NULL;
}

static void
put_name(const json_t *c, const char *key)
{
    const char *name = tool_text(c, key);

    if (name[0] == '\0') {
        (void)printf("somebody who is not known here");
    } else {
        tool_print_safe(name);
    }
}

static void
show(const json_t *c, const struct sentence *s)
{
    const char *at = json_is_true(json_object_get(c, "you")) && s->you != NULL
                         ? s->you
                         : s->said;

    if (json_is_true(json_object_get(c, "meanwhile")) && s->away != NULL) {
        at = s->away;
    }
    (void)printf("      -- ");
    for (; *at != '\0'; at++) {
        if (*at != '%') {
            (void)putchar(*at);
            continue;
        }
        at++;
        put_name(c, *at == 'w' ? "who" : "by");
    }
    if (tool_number(c, "at_ms") > 0) {
        (void)printf(", ");
        tool_print_time(tool_number(c, "at_ms"));
    }
    (void)printf(" --\n");
}

void
tool_show_changes(const json_t *of, long long after)
{
    size_t i;
    const json_t *c;

    json_array_foreach(json_object_get(of, "changes"), i, c)
    {
        const struct sentence *s = find(c);

        if (s != NULL && tool_number(c, "after") == after) {
            show(c, s);
        }
    }
}
