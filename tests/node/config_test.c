/* SPDX-License-Identifier: Apache-2.0 */
#include "node/config.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ARGS = 16
};

/* The settings of a command line and an environment, both NULL-terminated. */
static enum err
read_from(const struct mem *mem, const char *const *args,
          const char *const *env, struct node_config *c, struct bytes *problems)
{
    const char *argv[ARGS] = {"balsamd"};
    struct node_config_input in = {1, argv, env};

    for (; *args != NULL; args++) {
        argv[in.argc++] = *args;
    }
    return node_config_read(mem, &in, c, problems);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NOTHING ((const char *const[]){NULL})

static void
write_file(char path[TMP_PATH], const char *text)
{
    int fd = tmp_file(path, "balsam-config-XXXXXX", 0);

    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

TEST(defaults)
{
    struct node_config c;
    struct bytes problems = {0};

    CHECK_OK(read_from(mem_heap(), WORDS("--data", "/nowhere"), NOTHING, &c,
                       &problems));
    CHECK_STR(c.data, "/nowhere");
    CHECK_STR(c.control, "/nowhere/control");
    CHECK_STR(c.key_file, "/nowhere/master.key");
    CHECK_EQ(c.listen.len, 1);
    CHECK_STR(c.listen.item[0], "0.0.0.0:7443");
    CHECK_EQ(c.address.len, 0);
    CHECK(c.sandbox && c.log_level == LOG_INFO);
    CHECK(c.log_form == NODE_LOG_HUMAN);
}

/* Plain only where a proxy can be; both halves of a certificate. */
TEST(the_web_port)
{
    struct node_config c;
    struct bytes problems = {0};

    CHECK_OK(read_from(mem_heap(),
                       WORDS("--data", "/nowhere", "--web", "127.0.0.1:8080",
                             "--web", "[::1]:8080", "--web-socket", "/run/w"),
                       NOTHING, &c, &problems));
    CHECK_EQ(c.web.len, 2);
    CHECK_STR(c.web_socket, "/run/w");
    CHECK_OK(read_from(mem_heap(),
                       WORDS("--data", "/nowhere", "--web", "0.0.0.0:443",
                             "--web-cert", "/c", "--web-key", "/k"),
                       NOTHING, &c, &problems));
    CHECK_STR(c.web_cert, "/c");
    CHECK_ERR(read_from(mem_heap(),
                        WORDS("--data", "/nowhere", "--web", "0.0.0.0:80",
                              "--web", "localhost:80", "--web-socket", "w",
                              "--host", "clinic.example:8443"),
                        NOTHING, &c, &problems),
              ERR_INVALID);
    CHECK_OK(bytes_append(mem_heap(), &problems, VIEW_LIT("\0")));
    CHECK(strstr((const char *)problems.p, "0.0.0.0:80 needs --web-cert"));
    CHECK(strstr((const char *)problems.p, "\"localhost:80\" is not"));
    CHECK(strstr((const char *)problems.p, "web-socket: write the whole"));
    CHECK(strstr((const char *)problems.p, "write it without a port"));
    bytes_free(&problems);
    /* the web name of a link is a name: digits are for the node's address */
    CHECK_ERR(read_from(mem_heap(),
                        WORDS("--data", "/nowhere", "--web", "127.0.0.1:8080",
                              "--host", "127.0.0.1"),
                        NOTHING, &c, &problems),
              ERR_INVALID);
    CHECK_OK(bytes_append(mem_heap(), &problems, VIEW_LIT("\0")));
    CHECK(strstr((const char *)problems.p, "\"127.0.0.1\" is not a name"));
    bytes_free(&problems);
    CHECK_OK(read_from(mem_heap(),
                       WORDS("--data", "/nowhere", "--web", "127.0.0.1:8080",
                             "--host", "localhost"),
                       NOTHING, &c, &problems));
    CHECK_ERR(read_from(mem_heap(),
                        WORDS("--data", "/nowhere", "--web-cert", "/c"),
                        NOTHING, &c, &problems),
              ERR_INVALID);
    CHECK_OK(bytes_append(mem_heap(), &problems, VIEW_LIT("\0")));
    CHECK(strstr((const char *)problems.p, "give both or neither"));
    CHECK(strstr((const char *)problems.p, "it is for --web"));
    bytes_free(&problems);
}

TEST(flags_win_over_environment_over_file)
{
    char path[TMP_PATH];
    char flag[TMP_PATH + 16];
    struct node_config c;
    struct bytes problems = {0};

    write_file(path, "# a comment\n\n data = /from/file \nhost=file.example\n"
                     "log = json\nlisten = [::1]:1\nlisten = 127.0.0.1:2\n");
    snprintf(flag, sizeof(flag), "--config=%s", path);
    CHECK_OK(read_from(mem_heap(), WORDS(flag, "--data", "/from/flag"),
                       WORDS("BALSAM_DATA=/from/env", "BALSAM_HOST=env.example",
                             "BALSAM_ADDRESS=a.example:1  b.example:2",
                             "BALSAM_OTHER=x"),
                       &c, &problems));
    unlink(path);
    CHECK_STR(c.data, "/from/flag");
    CHECK_STR(c.host, "env.example");
    CHECK(c.log_form == NODE_LOG_JSON);
    CHECK_EQ(c.listen.len, 2);
    CHECK_STR(c.listen.item[1], "127.0.0.1:2");
    CHECK_EQ(c.address.len, 2);
    CHECK_STR(c.address.item[1], "b.example:2");
}

TEST(all_mistakes_are_reported_together)
{
    char path[TMP_PATH];
    char flag[TMP_PATH + 16];
    struct node_config c;
    struct bytes problems = {0};
    char text[2048];

    write_file(path, "nonsense\nlog-level = loud\nconfig = x\n");
    snprintf(flag, sizeof(flag), "--config=%s", path);
    CHECK_ERR(read_from(mem_heap(),
                        WORDS(flag, "--wrong", "--host=", "--log", "pretty",
                              "--key-file", "a", "--user"),
                        WORDS("BALSAM_CREDENTIAL=b"), &c, &problems),
              ERR_INVALID);
    unlink(path);
    CHECK(problems.len < sizeof(text));
    memcpy(text, problems.p, problems.len);
    text[problems.len] = '\0';
    bytes_free(&problems);
    CHECK(strstr(text, "--wrong: there is no such flag") != NULL);
    CHECK(strstr(text, "--host=: a value is missing") != NULL);
    CHECK(strstr(text, "\"pretty\" is not one of: human, json") != NULL);
    CHECK(strstr(text, "--user: a value is missing") != NULL);
    CHECK(strstr(text, "line 1: write it as name = value") != NULL);
    CHECK(strstr(text, "\"loud\" is not one of") != NULL);
    CHECK(strstr(text, "there is no setting \"config\"") != NULL);
    CHECK(strstr(text, "choose one") != NULL);
}

TEST(a_named_file_must_be_there)
{
    struct node_config c;
    struct bytes problems = {0};

    CHECK_ERR(read_from(mem_heap(), WORDS("--config", "/nowhere/at/all"),
                        NOTHING, &c, &problems),
              ERR_INVALID);
    CHECK_VIEW(view_of(&problems),
               VIEW_LIT("/nowhere/at/all: there is no such file\n"));
    bytes_free(&problems);
}

TEST(too_many_and_too_long)
{
    static char longer[NODE_CONFIG_TEXT + 10];
    struct node_config c;
    struct bytes problems = {0};

    memset(longer, 'x', sizeof(longer) - 1);
    CHECK_ERR(
        read_from(mem_heap(), WORDS("--data", longer), NOTHING, &c, &problems),
        ERR_INVALID);
    bytes_free(&problems);
    longer[NODE_CONFIG_TEXT - 4] = '\0';
    CHECK_ERR(
        read_from(mem_heap(), WORDS("--data", longer), NOTHING, &c, &problems),
        ERR_INVALID);
    CHECK_VIEW(view_sub(view_of(&problems), 0, 31),
               VIEW_LIT("data: the path is too long for "));
    bytes_free(&problems);
    CHECK_ERR(read_from(mem_heap(), NOTHING,
                        WORDS("BALSAM_LISTEN=1 2 3 4 5 6 7 8 9"), &c,
                        &problems),
              ERR_INVALID);
    bytes_free(&problems);
    CHECK_ERR(read_from(mem_heap(), WORDS("--host", "a", "--host", "b"),
                        NOTHING, &c, &problems),
              ERR_INVALID);
    bytes_free(&problems);
}

TEST(every_allocation_may_fail)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct node_config c;
        struct bytes problems = {0};
        enum err e;

        fail_mem_init(&f, n);
        e = read_from(&f.mem, WORDS("--wrong", "--config", "/dev/null"),
                      NOTHING, &c, &problems);
        bytes_free(&problems);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_ERR(e, ERR_INVALID);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

TEST(help_lists_every_setting)
{
    CHECK(strstr(node_config_help(), "--passphrase-file FILE") != NULL);
}

int
main(void)
{
    return RUN(T(defaults), T(the_web_port),
               T(flags_win_over_environment_over_file),
               T(all_mistakes_are_reported_together),
               T(a_named_file_must_be_there), T(too_many_and_too_long),
               T(every_allocation_may_fail), T(help_lists_every_setting));
}
