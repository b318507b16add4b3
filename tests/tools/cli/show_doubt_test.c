/* SPDX-License-Identifier: Apache-2.0 */
/* Each doubt is a sentence: who, who carries, since when, what to do. */
#include "tools/cli/show.h"

#include "tests/tools/cli/printed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
doubts(const json_t *o)
{
    tool_show_doubts(o, "  ");
}

static const char *
said(const char *what, const char *who, const char *by, bool itself)
{
    char json[400];

    (void)snprintf(json, sizeof(json),
                   "{\"doubts\": [{\"what\": \"%s\", \"who\": \"%s\", "
                   "\"carried_by\": \"%s\", \"itself\": %s, "
                   "\"since_ms\": 1790000000000}]}",
                   what, who, by, itself ? "true" : "false");
    return printed(doubts, json);
}

TEST(each_has_its_sentence)
{
    static const char *const kinds[] = {
        "silent",   "withheld", "undelivered",      "never delivered",  "clock",
        "two logs", "kept out", "not their device", "report unanswered"};

    CHECK_EQ(setenv("TZ", "UTC", 1), 0);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *s = said(kinds[i], "Lake", "Hill", false);

        CHECK(strncmp(s, "  ! ", 4) == 0);
        CHECK(strstr(s, "Lake") != NULL);
        CHECK(strstr(s, "Hill") != NULL || strcmp(kinds[i], "clock") == 0);
        CHECK(strstr(s, "2026-09-21") != NULL ||
              strcmp(kinds[i], "clock") == 0);
        CHECK(strchr(s, '%') == NULL);
        CHECK(strlen(s) > 80 && s[strlen(s) - 1] == '\n');
        s = said(kinds[i], "Hill", "Hill", true);
        CHECK(strstr(s, "Hill") != NULL && strchr(s, '%') == NULL);
    }
    CHECK_STR(said("silent", "Lake", "Hill", false),
              "  ! Nothing has come from Lake since 2026-09-21 14:13: it may "
              "be off, or Hill, which carries this conversation, holds it "
              "back. Call Lake.\n");
}

TEST(who_has_no_name)
{
    CHECK(strstr(said("undelivered", "", "", false), "by a member; your own "
                                                     "node carries") != NULL);
    CHECK(strstr(said("two logs", "", "Hill", false),
                 "! Hill, which carries") != NULL);
    CHECK(strstr(said("of a newer version", "Lake", "Hill", false),
                 "Something is wrong") != NULL);
    CHECK(strstr(said("silent", "La\\u001bke", "", false), "La?ke") != NULL);
    CHECK_STR(printed(doubts, "{}"), "");
}

TEST(what_was_seen_to)
{
    CHECK(strstr(printed(tool_show_settled, "{\"settled\": 1, \"left\": 0}"),
                 "not shown any more") != NULL);
    CHECK(strstr(text, "by itself") == NULL);
    CHECK(strstr(printed(tool_show_settled, "{\"settled\": 0, \"left\": 2}"),
                 "by itself") != NULL);
    CHECK(strstr(printed(tool_show_settled, "{\"settled\": 0, \"left\": 0}"),
                 "Nothing was in doubt") != NULL);
}

int
main(void)
{
    return RUN(T(each_has_its_sentence), T(who_has_no_name),
               T(what_was_seen_to));
}
