/* SPDX-License-Identifier: Apache-2.0 */
/* A sealed folder as an app's storage: what was committed is there again. */
#include "federation/native/folder.h"

#include "crypto/prim/init.h"
#include "crypto/prim/random.h"
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static uint64_t
wall(void *ctx)
{
    (void)ctx;
    return (uint64_t)time(NULL) * 1000;
}

static const struct clock clock_ = {wall, wall, NULL};

static char dir[256];

static struct fed_folder_config
config(void)
{
    return (struct fed_folder_config){
        .dir = dir,
        .mem = mem_heap(),
        .clock = &clock_,
        .rng = prim_rng_system(),
    };
}

static void
fresh(void)
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(dir, sizeof(dir), "%s/balsam-folder-XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    CHECK(mkdtemp(dir) != NULL);
}

static void
gone(void)
{
    char cmd[300];

    (void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
    CHECK_EQ(system(cmd), 0);
}

static struct view
thread_key(uint8_t t, uint8_t buf[33])
{
    memset(buf, t, 32);
    buf[32] = 'k';
    return view_make(buf, 33);
}

static void
expect(struct fed_app_store *s, uint8_t space, struct view key,
       const char *value)
{
    struct bytes b = {0};
    enum err e = s->get(s->ctx, space, key, mem_heap(), &b);

    CHECK_ERR(e, value == NULL ? ERR_MISSING : OK);
    if (value != NULL) {
        CHECK_VIEW(view_of(&b), view_str(value));
    }
    bytes_free(&b);
}

TEST(what_was_committed_is_there_again)
{
    struct fed_folder_config c = config();
    struct fed_folder *f = NULL;
    struct fed_app_store s;
    uint8_t k1[33];
    uint8_t k2[33];
    struct thread_id rotate;
    struct bytes key = {0};
    struct bytes value = {0};

    fresh();
    CHECK_ERR(fed_folder_open(&c, false, &f), ERR_MISSING);
    CHECK_OK(fed_folder_open(&c, true, &f));
    s = fed_folder_store(f);
    CHECK_OK(s.put(s.ctx, FED_APP_THREAD, VIEW_LIT("t"), VIEW_LIT("open")));
    CHECK_OK(s.put(s.ctx, FED_NS_SECRET, thread_key(1, k1), VIEW_LIT("s1")));
    CHECK_OK(s.put(s.ctx, FED_NS_SECRET, thread_key(2, k2), VIEW_LIT("s2")));
    CHECK_OK(s.put(s.ctx, FED_NS_KP, VIEW_LIT("kp"), VIEW_LIT("package")));
    CHECK_OK(s.put(s.ctx, FED_APP_SECRET, thread_key(0, k1), VIEW_LIT("x")));
    memset(rotate.b, 1, sizeof(rotate.b));
    CHECK_OK(s.commit(s.ctx, &rotate, 1));
    CHECK_OK(s.put(s.ctx, FED_APP_THREAD, VIEW_LIT("u"), VIEW_LIT("lost")));
    fed_folder_close(f); /* not committed */

    f = NULL;
    CHECK_OK(fed_folder_open(&c, false, &f));
    s = fed_folder_store(f);
    expect(&s, FED_APP_THREAD, VIEW_LIT("t"), "open");
    expect(&s, FED_APP_THREAD, VIEW_LIT("u"), NULL);
    expect(&s, FED_NS_SECRET, thread_key(1, k1), "s1");
    expect(&s, FED_NS_SECRET, thread_key(2, k2), "s2");
    expect(&s, FED_NS_STAGE, thread_key(2, k2), NULL);
    expect(&s, FED_NS_KP, VIEW_LIT("kp"), "package");
    expect(&s, FED_APP_SECRET, thread_key(0, k1), "x");
    CHECK_OK(s.next(s.ctx, FED_NS_SECRET, view_make(thread_key(2, k2).p, 32),
                    mem_heap(), &key, &value));
    CHECK_VIEW(view_of(&key), thread_key(2, k2));
    CHECK_VIEW(view_of(&value), VIEW_LIT("s2"));
    bytes_free(&key);
    bytes_free(&value);
    CHECK_OK(s.del(s.ctx, FED_APP_SECRET, thread_key(0, k1)));
    CHECK_OK(s.del(s.ctx, FED_APP_SECRET, thread_key(9, k1)));
    CHECK_OK(s.commit(s.ctx, NULL, 0));
    expect(&s, FED_APP_SECRET, thread_key(0, k1), NULL);
    fed_folder_close(f);
    gone();
}

TEST(one_process_one_owner_one_key)
{
    struct fed_folder_config c = config();
    struct fed_folder *f = NULL;
    struct fed_folder *second = NULL;
    char path[300];

    fresh();
    CHECK_OK(fed_folder_open(&c, true, &f));
    CHECK_ERR(fed_folder_open(&c, false, &second), ERR_STATE);
    fed_folder_close(f);
    (void)snprintf(path, sizeof(path), "%s/app.key", dir);
    CHECK_EQ(chmod(path, 0644), 0);
    CHECK_ERR(fed_folder_open(&c, false, &second), ERR_DENIED);
    CHECK_EQ(unlink(path), 0);
    CHECK_ERR(fed_folder_open(&c, false, &second), ERR_MISSING);
    CHECK_OK(store_key_file_create(path, c.rng));
    CHECK_ERR(fed_folder_open(&c, false, &second), ERR_AUTH);
    gone();
}

TEST(a_passphrase_instead_of_a_key_file)
{
    struct fed_folder_config c = config();
    struct fed_folder *f = NULL;

    fresh();
    c.passphrase = VIEW_LIT("a long passphrase");
    CHECK_OK(fed_folder_open(&c, true, &f));
    fed_folder_close(f);
    f = NULL;
    CHECK_OK(fed_folder_open(&c, false, &f));
    fed_folder_close(f);
    f = NULL;
    c.passphrase = VIEW_LIT("another one");
    CHECK_ERR(fed_folder_open(&c, false, &f), ERR_AUTH);
    gone();
}

int
main(void)
{
    if (prim_init() != OK) {
        return 1;
    }
    return RUN(T(what_was_committed_is_there_again),
               T(one_process_one_owner_one_key),
               T(a_passphrase_instead_of_a_key_file));
}
