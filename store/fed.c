/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fed.h"

#include "proto/base/assert.h"
#include "store/inner.h"

#include <string.h>

static enum err
fed_key(uint8_t ns, struct view key, uint8_t out[STORE_KEY_MAX],
        struct view *full)
{
    if (key.len > STORE_FED_KEY_MAX) {
        return ERR_LIMIT;
    }
    out[0] = ns;
    if (key.len > 0) {
        memcpy(out + 1, key.p, key.len);
    }
    *full = view_make(out, 1 + key.len);
    return OK;
}

enum err
store_fed_get(struct store_txn *txn, uint8_t ns, struct view key,
              struct bytes *out)
{
    uint8_t buf[STORE_KEY_MAX];
    struct view full;
    enum err e;

    TRY(fed_key(ns, key, buf, &full));
    TRY(store_get(txn, STORE_T_FED, full, out));
out:
    return e;
}

enum err
store_fed_put(struct store_txn *txn, uint8_t ns, struct view key,
              struct view value)
{
    uint8_t buf[STORE_KEY_MAX];
    struct view full;
    enum err e;

    TRY(fed_key(ns, key, buf, &full));
    TRY(store_put(txn, STORE_T_FED, full, value));
out:
    return e;
}

enum err
store_fed_del(struct store_txn *txn, uint8_t ns, struct view key)
{
    uint8_t buf[STORE_KEY_MAX];
    struct view full;
    enum err e;

    TRY(fed_key(ns, key, buf, &full));
    TRY(store_del(txn, STORE_T_FED, full));
out:
    return e;
}

enum err
store_fed_scan(struct store_txn *txn, uint8_t ns, struct view prefix,
               struct view after, enum store_dir dir, uint32_t max,
               enum err (*each)(void *ctx, struct view key, struct view value),
               void *ctx)
{
    uint8_t buf[STORE_KEY_MAX];
    struct store_scan sc;
    struct view full;
    enum err e;
    enum err end;

    TRY(fed_key(ns, prefix, buf, &full));
    TRY(store_scan_begin(txn, STORE_T_FED, full, dir, &sc));
    if (after.len > 0) {
        e = fed_key(ns, after, buf, &full);
        if (e == OK) {
            store_scan_after(&sc, full);
        }
    }
    for (uint32_t i = 0; e == OK && i < max && store_scan_next(&sc); i++) {
        e = each(ctx, view_skip(sc.key, 1), sc.value);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

enum err
store_fed_drop(struct store_txn *txn, uint8_t ns, struct view prefix,
               struct view upto, uint32_t max, uint32_t *removed)
{
    uint8_t buf[STORE_KEY_MAX];
    struct store_scan sc;
    struct view full;
    uint32_t n = 0;
    enum err e;
    enum err end;

    TRY(fed_key(ns, prefix, buf, &full));
    TRY(store_scan_begin(txn, STORE_T_FED, full, STORE_UP, &sc));
    store_scan_keys(&sc);
    while (e == OK && n < max && store_scan_next(&sc)) {
        if (upto.len > 0 && view_cmp(view_skip(sc.key, 1), upto) > 0) {
            break;
        }
        e = store_scan_del(&sc);
        n++;
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
    *removed = n;
out:
    return e;
}
