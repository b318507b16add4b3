/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed folder as the storage of an app (app.h) on an ordinary computer:
 * store/ with its key, MLS secrets in slots as on a clinic's node.
 *
 *     DIR/app.key   64 random hex digits, mode 0600; none with a passphrase
 *     DIR/store/    the store
 *
 * One process at a time.  Calls of the storage from one thread.
 */
#ifndef FEDERATION_NATIVE_FOLDER_H
#define FEDERATION_NATIVE_FOLDER_H

#include "federation/app/app.h"
#include "store/store.h"

struct fed_folder;

struct fed_folder_config {
    const char *dir;
    struct view passphrase; /* empty: the key file */
    const struct mem *mem;
    const struct clock *clock;
    const struct rng *rng;
    const struct log *log;
};

/*
 * Open, made when it is not there and create is set.
 *
 * ERR_MISSING  there is none
 * ERR_STATE    another process has it open
 * ERR_AUTH     the key or passphrase does not open it
 * ERR_DENIED   others than its owner may read the key
 * ERR_INVALID  DIR is too long a path
 * others       as store_create and store_open
 */
MUST_CHECK enum err fed_folder_open(const struct fed_folder_config *config,
                                    bool create, struct fed_folder **out);
void fed_folder_close(struct fed_folder *f);

/* Valid until the folder is closed. */
struct fed_app_store fed_folder_store(struct fed_folder *f);

/*
 * From now on this app is told by fed_app_durable inside commit, when
 * fed_app_wants_durable says so and the commit is small enough
 * (store_job.early).
 */
void fed_folder_tell(struct fed_folder *f, struct fed_app *app);

#endif
