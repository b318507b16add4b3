/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include "tests/store/fix.h"

#include <sys/wait.h>

TEST(a_folder_is_open_at_most_once)
{
    struct fix f;
    struct store *again = NULL;
    int status = 0;
    pid_t pid;

    fix_begin(&f);
    CHECK_ERR(store_open(&f.cfg, &again), ERR_STATE);
    CHECK_ERR(store_create(&f.cfg), ERR_STATE);
    store_close(f.s);
    f.s = NULL;
    CHECK_ERR(store_create(&f.cfg), ERR_EXISTS);
    CHECK_OK(store_open(&f.cfg, &f.s));
    store_close(f.s);
    f.s = NULL;
    /* Nor in two processes. */
    pid = fork();
    if (pid == 0) {
        _exit(store_open(&f.cfg, &f.s) == OK &&
                      store_open(&f.cfg, &again) == ERR_STATE
                  ? 0
                  : 1);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    fix_end(&f);
}

TEST(nothing_is_opened_where_nothing_is)
{
    struct fix f;

    fix_config(&f, 1);
    fix_dir(f.dir);
    CHECK_ERR(store_open(&f.cfg, &f.s), ERR_MISSING);
    fix_rm(f.dir);
    CHECK_ERR(store_open(&f.cfg, &f.s), ERR_MISSING);
}

static void
use_key(struct fix *f, enum store_key_kind kind, const char *key)
{
    f->cfg.key = (struct store_key_source){kind, view_str(key)};
}

TEST(the_key_can_be_changed)
{
    static const char long_key[] = "0123456789abcdef0123456789abcdef0123";
    struct fix f;
    struct bytes b = {0};

    fix_begin(&f);
    CHECK_OK(fix_put(&f, STORE_T_FED, VIEW_LIT("k"), VIEW_LIT("v")));
    use_key(&f, STORE_KEY_PASSPHRASE, "correct horse");
    CHECK_OK(store_rekey(f.s, &f.cfg.key));
    use_key(&f, STORE_KEY_RAW, "short");
    CHECK_ERR(store_rekey(f.s, &f.cfg.key), ERR_INVALID);
    store_close(f.s);
    use_key(&f, STORE_KEY_RAW, long_key);
    CHECK_ERR(store_open(&f.cfg, &f.s), ERR_AUTH);
    use_key(&f, STORE_KEY_PASSPHRASE, "correct cow");
    CHECK_ERR(store_open(&f.cfg, &f.s), ERR_AUTH);
    use_key(&f, STORE_KEY_PASSPHRASE, "");
    CHECK_ERR(store_open(&f.cfg, &f.s), ERR_AUTH);
    use_key(&f, STORE_KEY_PASSPHRASE, "correct horse");
    CHECK_OK(store_open(&f.cfg, &f.s));
    use_key(&f, STORE_KEY_RAW, long_key);
    CHECK_OK(store_rekey(f.s, &f.cfg.key));
    fix_reopen(&f);
    CHECK_OK(fix_get(&f, STORE_T_FED, VIEW_LIT("k"), &b));
    CHECK_VIEW(view_of(&b), VIEW_LIT("v"));
    bytes_free(&b);
    fix_end(&f);
}

TEST(status_tells_what_the_store_is)
{
    struct fix f;
    struct store_status a;
    struct store_status b;

    fix_begin(&f);
    CHECK_OK(store_status(f.s, &a));
    CHECK_EQ(a.schema, 1);
    CHECK_EQ(a.created_ms, f.wall_ms);
    CHECK_EQ(a.restores, 0);
    CHECK(a.used_bytes > 0 && a.file_bytes >= a.used_bytes);
    f.wall_ms++;
    fix_reopen(&f);
    CHECK_OK(store_status(f.s, &b));
    CHECK_VIEW(VIEW_ARRAY(a.env_id), VIEW_ARRAY(b.env_id));
    CHECK_EQ(b.created_ms, a.created_ms);
    fix_end(&f);
}

/* What people write is nowhere in the files. */
TEST(no_words_in_the_files)
{
    static const char canary[] = "CANARY-pneumonoultramicroscopic";
    char cmd[2 * FIX_PATH];
    struct fix f;

    fix_begin(&f);
    CHECK_OK(fix_put(&f, STORE_T_FED, VIEW_LIT("k"), view_str(canary)));
    store_close(f.s);
    f.s = NULL;
    (void)snprintf(cmd, sizeof(cmd), "grep -rqa CANARY %s", f.dir);
    CHECK(system(cmd) != 0);
    (void)snprintf(cmd, sizeof(cmd), "echo CANARY > %s/teeth", f.dir);
    CHECK_EQ(system(cmd), 0);
    (void)snprintf(cmd, sizeof(cmd), "grep -rqa CANARY %s", f.dir);
    CHECK_EQ(system(cmd), 0);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(a_folder_is_open_at_most_once),
               T(nothing_is_opened_where_nothing_is), T(the_key_can_be_changed),
               T(status_tells_what_the_store_is), T(no_words_in_the_files));
}
