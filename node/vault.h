/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the store as the settings say: the data folder holds
 *
 *     master.key    unless a passphrase or a systemd credential is used
 *     store/        store/store.h
 *     control       the control socket while the daemon runs
 *     balsam.conf   settings, if any
 */
#ifndef NODE_VAULT_H
#define NODE_VAULT_H

#include "node/config.h"
#include "store/store.h"

enum {
    NODE_PATH_MAX = NODE_CONFIG_TEXT + 32
};

/* Everything a store is opened with.  Clear it when the store is closed. */
struct node_vault {
    struct store_config config;
    struct bytes key;
    char dir[NODE_PATH_MAX];
};

/*
 * Prepare v->config from the settings; on_commit stays empty.  mem, log and
 * the system clock must outlive the store.  v must stay where it is.
 *
 * ERR_MISSING  there is no key (file, credential)
 * ERR_DENIED   others than its owner may read the key file
 * ERR_FORMAT   the key file is empty or too long
 * ERR_IO       it cannot be read
 */
MUST_CHECK enum err node_vault_open(const struct mem *mem,
                                    const struct log *log,
                                    const struct node_config *config,
                                    struct node_vault *v);

/*
 * The same for a new store: makes the data folder (0700) and the key file
 * where they are missing.
 */
MUST_CHECK enum err node_vault_create(const struct mem *mem,
                                      const struct log *log,
                                      const struct node_config *config,
                                      struct node_vault *v);

/* Why there is no key (e of node_vault_open) and what to do, as a sentence. */
void node_vault_no_key(enum err e, const struct node_config *config, char *say,
                       size_t size);

/* Why the store did not open (e of store_open) and what to do, as a sentence.
 */
void node_vault_why(enum err e, const struct node_config *config, char *say,
                    size_t size);

void node_vault_clear(struct node_vault *v);

/* Whether the data folder holds a node, or the half of one. */
bool node_vault_is_made(const struct node_config *config);

#endif
