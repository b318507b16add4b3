/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys at rest.
 *
 *     passphrase, key file or credential -> master key
 *     master key wraps the vault key (file "keys")
 *     vault key -> a key per table, the index key, the slots key
 *     table key of conv_keys wraps each conversation's data key
 *
 * Another master key rewraps the vault key: one small file changes.
 *
 * Internal to store/.
 */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "store/txn.h"

enum {
    STORE_KEY_SIZE = 32
};

struct store_keys {
    uint8_t vault[STORE_KEY_SIZE];
    uint8_t index[STORE_KEY_SIZE];
    uint8_t slots[STORE_KEY_SIZE];
    uint8_t table[STORE_T_COUNT_][STORE_KEY_SIZE];
};

/* The content of a new key file for vault.  ERR_INVALID  a weak key */
MUST_CHECK enum err store_keys_wrap(const struct store_config *cfg,
                                    const struct store_key_source *key,
                                    const uint8_t vault[STORE_KEY_SIZE],
                                    struct bytes *out);

/*
 * The vault key of a key file's content.
 * ERR_AUTH  another key; ERR_CORRUPT; ERR_UNSUPPORTED  a newer version
 */
MUST_CHECK enum err store_keys_unwrap(const struct store_key_source *key,
                                      struct view file,
                                      uint8_t vault[STORE_KEY_SIZE]);

/* All keys of keys->vault. */
MUST_CHECK enum err store_keys_derive(struct store_keys *keys);

#endif
