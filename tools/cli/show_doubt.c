/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with how a conversation is carried: one sentence each, for
 * clinics and patients alike.
 */
#include "tools/cli/show.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct sentence {
    const char *what;
    const char *said;   /* %w who, %c who carries, %t since when */
    const char *itself; /* it is about who carries; NULL: as said */
};

static const struct sentence sentences[] = {
    {"silent",
     "Nothing has come from %w since %t: it may be off, or %c, which carries "
     "this conversation, holds it back. Call %w.",
     "Nothing has come in this conversation from %c since %t, though it is "
     "connected: it may hold something back. Call %c."},
    {"withheld",
     "%w was shown more of this conversation than you: %c, which carries it, "
     "has held something back since %t. Call %w.",
     "%c, which carries this conversation, has held something back since %t. "
     "Call %c."},
    {"undelivered",
     "What you wrote since %t has not been confirmed by %w; %c carries it. "
     "Call them if it is urgent.",
     "What you wrote since %t has not been confirmed by %c. Call them if it is "
     "urgent."},
    {"never delivered",
     "What you wrote on %t was never delivered to %w and will not be; %c "
     "carried it. Write again or call.",
     "What you wrote on %t was never delivered to %c and will not be. Write "
     "again or call."},
    {"not taken",
     "What you wrote since %t has not been taken by %w, which orders this "
     "conversation; %c carries it there. Call %w if it is urgent.",
     "What you wrote since %t has not been taken by %c, which orders this "
     "conversation. Call %c if it is urgent."},
    {"kept out",
     "Since %t you are out of this conversation and %w, which orders it, does "
     "not let you back in: it shows an old state of it, or refuses again and "
     "again; %c carries what goes between you. What the others write does not "
     "reach you. It is tried again by itself; call %w.",
     "Since %t you are out of this conversation and %c, which orders it, does "
     "not let you back in: it shows an old state of it, or refuses again and "
     "again. What the others write does not reach you. It is tried again by "
     "itself; call %c."},
    {"not their device",
     "On %t %c offered a device as one of %w's that %w has not signed. It was "
     "not let into this conversation: whoever has it would have read along. "
     "Call %w, and ask %c.",
     NULL},
    {"report unanswered",
     "%w has not said that it could open what you reported on %t, and after 30 "
     "days it is not kept here any more. %c carried it. Call %w, or report it "
     "again.",
     "%c has not said that it could open what you reported on %t, and after 30 "
     "days it is not kept here any more. Call %c, or report it again."},
    {"clock",
     "The clock of %w, which orders this conversation, is wrong: times shown "
     "here may be. Ask them to set it.",
     NULL},
    {"two logs",
     "%w was shown another course of this conversation than you: %c, which "
     "carries it, made two of it, or lost one, on %t. Compare with %w what you "
     "both see.",
     "%c, which carries this conversation, made two courses of it, or lost "
     "one, on %t. Compare with the others what you see."},
};

static void
put(const json_t *d, char field)
{
    const char *carrier = tool_text(d, "carried_by");

    if (field == 't') {
        tool_print_time(tool_number(d, "since_ms"));
    } else if (field == 'c') {
        tool_print_safe(carrier[0] != '\0' ? carrier : "your own node");
    } else {
        tool_print_safe(tool_text(d, "who")[0] != '\0' ? tool_text(d, "who")
                                                       : "a member");
    }
}

static const char *
said_of(const json_t *d)
{
    bool itself = json_is_true(json_object_get(d, "itself")) ||
                  (tool_text(d, "who")[0] == '\0' &&
                   strcmp(tool_text(d, "what"), "two logs") == 0);

    for (size_t n = 0; n < sizeof(sentences) / sizeof(*sentences); n++) {
        const struct sentence *s = &sentences[n];

        if (strcmp(s->what, tool_text(d, "what")) == 0) {
            return itself && s->itself != NULL ? s->itself : s->said;
        }
    }
    return "Something is wrong with how this conversation is carried.";
}

void
tool_show_doubts(const json_t *of, const char *before)
{
    size_t i;
    const json_t *d;

    json_array_foreach(json_object_get(of, "doubts"), i, d)
    {
        (void)printf("%s! ", before);
        for (const char *p = said_of(d); *p != '\0'; p++) {
            if (*p == '%' && p[1] != '\0') {
                put(d, *++p);
            } else {
                (void)putchar(*p);
            }
        }
        (void)printf("\n");
    }
}

void
tool_show_settled(const json_t *a)
{
    long long settled = tool_number(a, "settled");
    long long left = tool_number(a, "left");

    if (settled > 0) {
        (void)printf("Done: it is not shown any more.\n");
    } else if (left == 0) {
        (void)printf("Nothing was in doubt.\n");
    }
    if (left > 0) {
        (void)printf("What else is in doubt goes away by itself when what is "
                     "missing has come.\n");
    }
}
