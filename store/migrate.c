/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrate.h"

#include "proto/base/assert.h"
#include "store/inner.h"

struct step {
    struct store *s;
    const struct store_migration *migration;
    struct store_about about;
};

static enum err
run_step(void *ctx, struct store_txn *txn)
{
    struct step *st = ctx;
    enum err e;

    TRY(st->migration->run(txn));
    TRY(store_about_put(txn, &st->about));
out:
    return e;
}

enum err
store_migrate_by(struct store *s, const struct store_migration *steps, size_t n)
{
    enum err e = OK;

    for (size_t i = 0; e == OK && i < n; i++) {
        struct step st = {s, &steps[i], s->about};

        if (steps[i].version <= s->about.schema) {
            continue;
        }
        ASSERT(steps[i].version == s->about.schema + 1);
        st.about.schema = steps[i].version;
        e = store_write_alone(s, run_step, &st);
        if (e == OK) {
            s->about = st.about;
            LOG(s->cfg.log, LOG_INFO, "store.migrated",
                LOG_NUM("schema", st.about.schema));
        }
    }
    return e;
}

enum err
store_migrate(struct store *s)
{
    /* Schema 1 is the first: there is nothing older to come from. */
    return store_migrate_by(s, NULL, 0);
}
