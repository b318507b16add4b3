/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with how a conversation is carried: one sentence each. */
#include "tools/cli/show.h"

#include <stdio.h>
#include <string.h>

struct sentence {
    const char *what;
    const char *said; /* %w who, %c who carries, %t since when */
};

static const struct sentence sentences[] = {
    {"silent", "Nothing has come from %w since %t: it may be off, or %c, "
               "which carries this conversation, holds it back. Call %w."},
    {"withheld", "%w was shown more of this conversation than you: %c, which "
                 "carries it, has held something back since %t. Call %w."},
    {"undelivered", "What you wrote since %t has not been confirmed by %w; "
                    "%c carries it. Call them if it is urgent."},
    {"never delivered", "What you wrote on %t was never delivered to %w and "
                        "will not be; %c carried it. Write again or call."},
    {"clock", "The clock of %w, which orders this conversation, is wrong: "
              "times shown here may be. Ask them to set it."},
    {"two logs", "%w was shown another course of this conversation than you: "
                 "%c, which carries it, made two of it, or lost one, on %t. "
                 "Compare with %w what you both see."},
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

void
tool_show_doubts(const json_t *of, const char *before)
{
    size_t i;
    const json_t *d;

    json_array_foreach(json_object_get(of, "doubts"), i, d)
    {
        const char *said = "";

        for (size_t n = 0; n < sizeof(sentences) / sizeof(*sentences); n++) {
            if (strcmp(sentences[n].what, tool_text(d, "what")) == 0) {
                said = sentences[n].said;
            }
        }
        (void)printf("%s! ", before);
        for (const char *p = said; *p != '\0'; p++) {
            if (*p == '%' && p[1] != '\0') {
                put(d, *++p);
            } else {
                (void)putchar(*p);
            }
        }
        (void)printf("\n");
    }
}
