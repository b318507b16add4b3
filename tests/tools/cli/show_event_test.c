/* SPDX-License-Identifier: Apache-2.0 */
/* Who watches is told what happens to a link, and by what name. */
#include "tools/cli/cmd.h"
#include "tools/cli/show.h"

#include "proto/msg/peer.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char text[1024];

static const char *
printed(const char *json)
{
    int fd = memfd_create("said", MFD_CLOEXEC);
    int out = dup(STDOUT_FILENO);
    json_t *o = json_loads(json, 0, NULL);
    ssize_t n;

    CHECK(fd >= 0 && out >= 0 && o != NULL);
    (void)fflush(stdout);
    CHECK(dup2(fd, STDOUT_FILENO) >= 0);
    tool_show_event(o);
    CHECK(dup2(out, STDOUT_FILENO) >= 0);
    n = pread(fd, text, sizeof(text) - 1, 0);
    CHECK(n >= 0);
    text[n] = '\0';
    (void)close(fd);
    (void)close(out);
    json_decref(o);
    return text;
}

/* What is printed of a link's use, with these fields more. */
static const char *
used(int code, const char *more)
{
    char json[400];

    (void)snprintf(json, sizeof(json),
                   "{\"event\": \"link used\", \"about\": "
                   "\"0011223344556677\", \"n\": %d%s}",
                   code, more);
    return printed(json);
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
    CHECK_STR(printed("{\"event\": \"patient\", \"n\": 3, "
                      "\"patient_name\": \"Ann\"}"),
              "Ann (a patient) has joined\n");
    CHECK_STR(printed("{\"event\": \"consent\", \"n\": 3, "
                      "\"patient_name\": \"Ann\"}"),
              "Ann said no: balsam consents\n");
    CHECK_STR(printed("{\"event\": \"devices\", \"n\": 3, "
                      "\"patient_name\": \"Ann\"}"),
              "Ann: a device is suspended\n");
    CHECK_STR(printed("{\"event\": \"clinic\", \"n\": 4, "
                      "\"clinic_name\": \"Hill\"}"),
              "Hill is not connected any more\n");
    CHECK_STR(printed("{\"event\": \"clinic\", \"n\": 99, "
                      "\"clinic_name\": \"Hill\"}"),
              "Hill: something changed\n");
    CHECK_STR(printed("{\"event\": \"identity changed\", \"n\": 0, "
                      "\"patient_name\": \"Ann\"}"),
              "Ann has another key than before: balsam doctor\n");
}

int
main(void)
{
    return RUN(T(a_used_link_is_opened_again),
               T(who_came_in_is_told_of_elsewhere), T(people_have_sentences));
}
