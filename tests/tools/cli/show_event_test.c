/* SPDX-License-Identifier: Apache-2.0 */
/* Who watches is told what happens to a link, and by what name. */
#include "tools/cli/cmd.h"
#include "tools/cli/show.h"

#include "proto/msg/peer.h"
#include "tests/tools/cli/printed.h"

#include <stdio.h>
#include <string.h>

/* What is printed of a link's use, with these fields more. */
static const char *
used(int code, const char *more)
{
    char json[400];

    (void)snprintf(json, sizeof(json),
                   "{\"event\": \"link used\", \"about\": "
                   "\"0011223344556677\", \"n\": %d%s}",
                   code, more);
    return printed(tool_show_event, json);
}

TEST(a_used_link_is_opened_again)
{
    CHECK_STR(used(PROTO_REDEEM_USED, ", \"label\": \"for \\u001bHill\""),
              "The link for ?Hill was opened again, by somebody else than who "
              "used it, and refused\n");
    CHECK(strstr(used(PROTO_REDEEM_USED, ", \"invited\": \"Ann\""),
                 "The invitation of Ann was opened again") == text);
    CHECK(strstr(used(PROTO_REDEEM_REVOKED, ""), "The link 00112233 was") ==
          text);
}

TEST(who_came_in_is_told_of_elsewhere)
{
    CHECK_STR(used(PROTO_REDEEM_OK, ""), "");
    CHECK_STR(used(PROTO_REDEEM_REVIEW, ""), "");
    CHECK_STR(used(-1, ""), "");
    CHECK_STR(used(PROTO_REDEEM_CODE_COUNT, ""), "");
}

/* Each by its number, so that nobody has to look what changed. */
TEST(people_have_sentences)
{
    CHECK_STR(printed(tool_show_event, "{\"event\": \"patient\", \"n\": 3, "
                                       "\"patient_name\": \"Ann\"}"),
              "Ann (a patient) has joined\n");
    CHECK_STR(printed(tool_show_event, "{\"event\": \"consent\", \"n\": 3, "
                                       "\"patient_name\": \"Ann\"}"),
              "Ann said no: balsam consents\n");
    CHECK_STR(printed(tool_show_event, "{\"event\": \"devices\", \"n\": 3, "
                                       "\"patient_name\": \"Ann\"}"),
              "Ann: a device is suspended\n");
    CHECK_STR(printed(tool_show_event, "{\"event\": \"clinic\", \"n\": 4, "
                                       "\"clinic_name\": \"Hill\"}"),
              "Hill is not connected any more\n");
    CHECK_STR(printed(tool_show_event, "{\"event\": \"clinic\", \"n\": 99, "
                                       "\"clinic_name\": \"Hill\"}"),
              "Hill: something changed\n");
    CHECK_STR(printed(tool_show_event,
                      "{\"event\": \"identity changed\", \"n\": 0, "
                      "\"patient_name\": \"Ann\"}"),
              "Ann has another key than before: balsam doctor\n");
}

int
main(void)
{
    return RUN(T(a_used_link_is_opened_again),
               T(who_came_in_is_told_of_elsewhere), T(people_have_sentences));
}
