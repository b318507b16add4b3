/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people see: words of others cannot move the terminal or look like
 * another message; the recovery sheet is a new file for its owner alone.
 */
#include "tools/cli/show.h"

#include "tests/store/fix.h"
#include "tools/cli/commands.h"
#include "tools/cli/sheet.h"
#include "tools/common/safe.h"

#include <fcntl.h>

static char text[8192];

/* What tool_put_safe makes of s. */
static const char *
safe(const char *s)
{
    FILE *to = fmemopen(text, sizeof(text), "w");

    CHECK(to != NULL);
    tool_put_safe(to, s);
    CHECK_EQ(fclose(to), 0);
    return text;
}

TEST(plain_words_stay)
{
    CHECK_STR(safe(""), "");
    CHECK_STR(safe("Dr. Weiß & söhne"), "Dr. Weiß & söhne");
    CHECK_STR(safe("\xe2\x82\xac \xf0\x9f\x90\xb6"),
              "\xe2\x82\xac \xf0\x9f\x90\xb6");
}

TEST(controls_are_questions)
{
    CHECK_STR(safe("\x1b[2J"), "?[2J");
    CHECK_STR(safe("a\nb\rc\x07\x7f"), "a?b?c??");
    CHECK_STR(safe("\xc2\x9b"
                   "2J"),
              "?2J"); /* CSI in one character */
    CHECK_STR(safe("\xe2\x80\xae"
                   "cod"),
              "?cod");                    /* turned round */
    CHECK_STR(safe("\xe2\x80\xa8"), "?"); /* line separator */
}

TEST(broken_text_is_questions)
{
    CHECK_STR(safe("\xff"), "?");
    CHECK_STR(safe("a\xe2\x82"), "a??"); /* cut short: nothing behind read */
    CHECK_STR(safe("\xc0\x80"), "??");
}

static struct fix f; /* its folder only */

static const struct tool_sheet sheet = {
    .name = "North \x1b Vets",
    .clinic = "00112233",
    .words = "abandon ability able about above",
    .code = "balsam:r#AAAA",
};

static size_t
read_file(const char *path)
{
    FILE *from = fopen(path, "r");
    size_t n;

    CHECK(from != NULL);
    n = fread(text, 1, sizeof(text) - 1, from);
    text[n] = '\0';
    (void)fclose(from);
    return n;
}

TEST(a_sheet_is_a_new_file_of_its_owner)
{
    char path[FIX_PATH + 16];
    struct stat st;

    fix_config(&f, 7);
    fix_dir(f.dir);
    (void)snprintf(path, sizeof(path), "%s/sheet", f.dir);
    CHECK_EQ(tool_sheet_give(path, NULL, &sheet), TOOL_EXIT_OK);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    CHECK(read_file(path) > 0);
    CHECK(strstr(text, "  1. abandon") != NULL);
    CHECK(strstr(text, "  5. above") != NULL);
    CHECK(strstr(text, "00112233") != NULL);
    CHECK(strstr(text, "\xe2\x96\x88") != NULL); /* the code, */
    CHECK(strchr(text, 0x1b) == NULL);           /* as it is printed */
    /* never over an older one */
    CHECK_EQ(tool_sheet_give(path, NULL, &sheet), TOOL_EXIT_FAILED);
    fix_rm(f.dir);
}

TEST(a_sheet_on_the_screen)
{
    FILE *to = fmemopen(text, sizeof(text), "w");

    CHECK(to != NULL);
    CHECK_EQ(tool_sheet_give(NULL, to, &sheet), TOOL_EXIT_OK);
    CHECK_EQ(fclose(to), 0);
    CHECK(strstr(text, "BALSAM RECOVERY SHEET") != NULL);
    CHECK(strstr(text, "  3. able") != NULL);
}

/* What tool_show prints for a command's answer. */
static const char *
shown(const char *command, const char *answer)
{
    struct tool_run run = {0};
    json_error_t error;
    json_t *o = json_loads(answer, 0, &error);
    char name[FIX_PATH + 16];
    int was = dup(STDOUT_FILENO);
    int to;

    fix_dir(f.dir);
    (void)snprintf(name, sizeof(name), "%s/shown", f.dir);
    to = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    CHECK(o != NULL && to >= 0 && was >= 0);
    run.args.command = tool_command_named(tool_balsam(), command);
    CHECK(run.args.command != NULL);
    (void)fflush(stdout);
    (void)dup2(to, STDOUT_FILENO);
    tool_show(&run, o);
    (void)fflush(stdout);
    (void)dup2(was, STDOUT_FILENO);
    (void)close(was);
    (void)close(to);
    (void)read_file(name);
    fix_rm(f.dir);
    json_decref(o);
    return text;
}

TEST(a_thread_reads_as_it_is)
{
    CHECK_STR(shown("thread show",
                    "{\"title\":\"Rex\",\"total\":2,\"state\":\"active\","
                    "\"messages\":[{\"number\":1,\"from\":\"North\","
                    "\"author\":\"Ana\",\"kind\":\"text\","
                    "\"text\":\"hello\",\"edited\":true},"
                    "{\"number\":2,\"from\":\"South\",\"ours\":true,"
                    "\"state\":\"accepted\",\"deleted\":true,"
                    "\"kind\":\"text\",\"text\":\"gone\"}]}"),
              "Rex  (2 messages, active)\n"
              "#1       North (Ana)  edited\n      hello\n"
              "#2       South  [accepted]\n      (deleted)\n");
}

TEST(who_has_no_peers_is_told_how)
{
    CHECK(strstr(shown("peers", "{\"peers\":[]}"), "balsam connect LINK") !=
          NULL);
    CHECK_STR(shown("peers", "{\"peers\":[{\"id\":\"0011223344\",\"name\":"
                             "\"Rex\",\"online\":true,\"queued\":2,"
                             "\"address\":\":0\"}]}"),
              "00112233  online   queued 2      carried                Rex\n");
}

/* Who orders it is gone, and we lost our place: what that means, and what to
   do. */
TEST(a_thread_that_nobody_lets_us_into)
{
    const char *s =
        shown("thread show", "{\"title\":\"Rex\",\"total\":0,\"state\":"
                             "\"rejoining after a loss\","
                             "\"left_out_since_ms\":1790000000000}");

    CHECK(
        strstr(s, "  ! The clinic that orders it was last reached on 2026-") !=
        NULL);
    CHECK(strstr(s, "your node lost its place in it") != NULL);
    CHECK(strstr(s, "If all have lost theirs, nobody can: call them, and begin "
                    "a new conversation.\n") != NULL);
}

TEST(no_text_looks_like_another_message)
{
    CHECK_STR(shown("thread show",
                    "{\"title\":\"a\\nb\",\"total\":1,\"state\":\"active\","
                    "\"messages\":[{\"number\":1,\"from\":\"X\\n#2\","
                    "\"kind\":\"text\",\"text\":\"one\\n#3 South\","
                    "\"attachments\":[{\"name\":\"a\\u001b.png\","
                    "\"size\":7}]}]}"),
              "a?b  (1 message, active)\n"
              "#1       X?#2\n      one\n      #3 South\n"
              "      file 1: a?.png (7 bytes)\n");
}

TEST(more_answers)
{
    CHECK(strstr(shown("inbox", "{\"conversations\":[]}"),
                 "balsam link create") != NULL);
    CHECK_STR(shown("profile show",
                    "{\"name\":\"N\",\"address\":\"A\",\"phone\":\"5\","
                    "\"id\":\"00\"}"),
              "N\nA\n5\nclinic 00\n");
    CHECK_STR(shown("contact find",
                    "{\"contacts\":[{\"id\":\"0011223344\","
                    "\"kind\":\"clinic\",\"name\":\"N\\u009b\"}]}"),
              "00112233  clinic       N?\n");
    CHECK_STR(shown("doctor",
                    "{\"findings\":[{\"good\":true,\"what\":\"disk\"},"
                    "{\"good\":false,\"what\":\"sheet\","
                    "\"do\":\"check it\"}],\"note\":\"end\"}"),
              "ok    disk\n!     sheet\n      check it\n\nend\n");
}

int
main(void)
{
    return RUN(T(plain_words_stay), T(controls_are_questions),
               T(broken_text_is_questions),
               T(a_sheet_is_a_new_file_of_its_owner), T(a_sheet_on_the_screen),
               T(a_thread_reads_as_it_is), T(who_has_no_peers_is_told_how),
               T(a_thread_that_nobody_lets_us_into),
               T(no_text_looks_like_another_message), T(more_answers));
}
