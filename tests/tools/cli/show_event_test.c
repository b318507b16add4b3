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

/* What is printed of a link's use, with these fields more. */
static const char *
used(int code, const char *more)
{
    int fd = memfd_create("said", MFD_CLOEXEC);
    int out = dup(STDOUT_FILENO);
    char json[400];
    json_t *o;
    ssize_t n;

    (void)snprintf(json, sizeof(json),
                   "{\"event\": \"link used\", \"about\": "
                   "\"0011223344556677\", \"n\": %d%s}",
                   code, more);
    o = json_loads(json, 0, NULL);
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

int
main(void)
{
    return RUN(T(a_used_link_is_opened_again),
               T(who_came_in_is_told_of_elsewhere));
}
