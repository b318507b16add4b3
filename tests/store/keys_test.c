/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keys.h"

#include "tests/store/fix.h"

#include <fcntl.h>

TEST(only_the_right_key_unwraps)
{
    static const uint8_t vault[STORE_KEY_SIZE] = {5, 6};
    struct store_key_source other = {STORE_KEY_PASSPHRASE, VIEW_LIT("pass")};
    uint8_t got[STORE_KEY_SIZE];
    struct bytes file = {0};
    struct fix f;

    fix_config(&f, 1);
    CHECK_OK(store_keys_wrap(&f.cfg, &f.cfg.key, vault, &file));
    CHECK_OK(store_keys_unwrap(&f.cfg.key, view_of(&file), got));
    CHECK_VIEW(VIEW_ARRAY(got), VIEW_ARRAY(vault));
    CHECK_ERR(store_keys_unwrap(&other, view_of(&file), got), ERR_AUTH);
    for (size_t i = 0; i < file.len * 8; i++) {
        enum err e;

        file.p[i / 8] ^= (uint8_t)(1u << i % 8);
        e = store_keys_unwrap(&f.cfg.key, view_of(&file), got);
        CHECK(e == ERR_AUTH || e == ERR_CORRUPT || e == ERR_UNSUPPORTED);
        CHECK(store_keys_unwrap(&f.cfg.key, view_make(file.p, i / 8), got) !=
              OK);
        file.p[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    bytes_free(&file);
}

TEST(tables_have_keys_of_their_own)
{
    static struct store_keys a;
    static struct store_keys b;

    CHECK_OK(store_keys_derive(&a));
    b.vault[31] = 1;
    CHECK_OK(store_keys_derive(&b));
    for (size_t i = 0; i < STORE_T_COUNT_; i++) {
        CHECK(memcmp(a.table[i], b.table[i], STORE_KEY_SIZE) != 0);
        CHECK(memcmp(a.table[i], a.index, STORE_KEY_SIZE) != 0);
        CHECK(memcmp(a.table[i], a.slots, STORE_KEY_SIZE) != 0);
        for (size_t k = 0; k < i; k++) {
            CHECK(memcmp(a.table[i], a.table[k], STORE_KEY_SIZE) != 0);
        }
    }
}

TEST(key_files_are_private)
{
    char path[FIX_PATH + 8];
    struct bytes key = {0};
    struct fix f;

    fix_config(&f, 1);
    fix_dir(f.dir);
    (void)snprintf(path, sizeof(path), "%s/key", f.dir);
    CHECK_ERR(store_key_file_read(mem_heap(), path, &key), ERR_MISSING);
    CHECK_OK(store_key_file_create(path, &f.rng.rng));
    CHECK_ERR(store_key_file_create(path, &f.rng.rng), ERR_EXISTS);
    CHECK_OK(store_key_file_read(mem_heap(), path, &key));
    CHECK_EQ(key.len, 64);
    bytes_free(&key);
    CHECK_EQ(chmod(path, 0644), 0);
    CHECK_ERR(store_key_file_read(mem_heap(), path, &key), ERR_DENIED);
    CHECK_EQ(chmod(path, 0600), 0);
    CHECK_EQ(truncate(path, 0), 0);
    CHECK_ERR(store_key_file_read(mem_heap(), path, &key), ERR_FORMAT);
    CHECK_EQ(truncate(path, 5000), 0);
    CHECK_ERR(store_key_file_read(mem_heap(), path, &key), ERR_FORMAT);
    fix_rm(f.dir);
}

int
main(void)
{
    return RUN(T(only_the_right_key_unwraps), T(tables_have_keys_of_their_own),
               T(key_files_are_private));
}
