/* SPDX-License-Identifier: Apache-2.0 */
#include "store/settings.h"

#include "proto/base/limits.h"

#include <string.h>

enum err
store_setting_get(struct store_txn *txn, const char *name, struct bytes *out)
{
    return store_get(txn, STORE_T_SETTINGS, view_str(name), out);
}

enum err
store_setting_put(struct store_txn *txn, const char *name, struct view value)
{
    if (strlen(name) > LIMIT_SETTING_NAME || value.len > LIMIT_SETTING_VALUE) {
        return ERR_LIMIT;
    }
    return store_put(txn, STORE_T_SETTINGS, view_str(name), value);
}

enum err
store_setting_del(struct store_txn *txn, const char *name)
{
    return store_del(txn, STORE_T_SETTINGS, view_str(name));
}
