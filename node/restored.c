/* SPDX-License-Identifier: Apache-2.0 */
#include "node/restored.h"

#include "node/clinic/event.h"
#include "store/audit.h"
#include "store/settings.h"

static const char RESTORES[] = "node.restores";

/* How often the store was restored when that was last noted. */
static uint64_t
noted(struct store_txn *txn)
{
    struct bytes b = {0};
    uint64_t n = 0;

    if (store_setting_get(txn, RESTORES, &b) == OK && b.len == 8) {
        for (size_t i = 0; i < 8; i++) {
            n = n << 8 | b.p[i];
        }
    }
    bytes_free(&b);
    return n;
}

bool
node_is_restored(struct store_txn *txn, const struct store_status *status)
{
    return status->restores != noted(txn);
}

enum err
node_restored_note(struct store_txn *txn, const struct store_status *status)
{
    enum err e = OK;
    struct store_audit row = {.action = NODE_AUDIT_RESTORED};
    uint8_t n[8];

    if (!node_is_restored(txn, status)) {
        goto out;
    }
    for (size_t i = 0; i < sizeof(n); i++) {
        n[i] = (uint8_t)(status->restores >> (56 - 8 * i));
    }
    TRY(store_setting_put(txn, RESTORES, VIEW_ARRAY(n)));
    row.actor = store_actor_system();
    row.n = status->restores;
    TRY(store_audit_append(txn, &row));
out:
    return e;
}
