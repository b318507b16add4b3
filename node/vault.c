/* SPDX-License-Identifier: Apache-2.0 */
#include "node/vault.h"

#include "crypto/prim/random.h"
#include "node/sysclock.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The key of a systemd credential: $CREDENTIALS_DIRECTORY/NAME. */
static enum err
read_credential(const struct mem *mem, const char *name, struct bytes *out)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    char path[2 * NODE_PATH_MAX];
    int n;

    if (dir == NULL) {
        return ERR_MISSING;
    }
    n = snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        return ERR_MISSING;
    }
    return store_credential_read(mem, path, out);
}

static enum err
read_key(const struct mem *mem, const struct node_config *config,
         struct node_vault *v)
{
    enum err e;
    enum store_key_kind kind = STORE_KEY_RAW;

    if (config->credential[0] != '\0') {
        TRY(read_credential(mem, config->credential, &v->key));
    } else if (config->passphrase_file[0] != '\0') {
        kind = STORE_KEY_PASSPHRASE;
        TRY(store_key_file_read(mem, config->passphrase_file, &v->key));
    } else {
        TRY(store_key_file_read(mem, config->key_file, &v->key));
    }
    v->config.key.kind = kind;
    v->config.key.secret = view_of(&v->key);
out:
    return e;
}

enum err
node_vault_open(const struct mem *mem, const struct log *log,
                const struct node_config *config, struct node_vault *v)
{
    int n;

    *v = (struct node_vault){0};
    n = snprintf(v->dir, sizeof(v->dir), "%s/store", config->data);
    if (n < 0 || (size_t)n >= sizeof(v->dir)) {
        return ERR_INVALID;
    }
    v->config.dir = v->dir;
    v->config.mem = mem;
    v->config.clock = node_sysclock();
    v->config.rng = prim_rng_system();
    v->config.log = log;
    return read_key(mem, config, v);
}

enum err
node_vault_create(const struct mem *mem, const struct log *log,
                  const struct node_config *config, struct node_vault *v)
{
    enum err e;

    if (mkdir(config->data, 0700) != 0 && errno != EEXIST) {
        return errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_IO;
    }
    if (config->key_file[0] != '\0') {
        e = store_key_file_create(config->key_file, prim_rng_system());
        if (e != OK && e != ERR_EXISTS) {
            return e;
        }
    }
    return node_vault_open(mem, log, config, v);
}

void
node_vault_clear(struct node_vault *v)
{
    bytes_free(&v->key);
    v->config.key.secret = (struct view){0};
}

/* Where the key should be. */
static const char *
key_path(const struct node_config *c)
{
    return c->passphrase_file[0] != '\0' ? c->passphrase_file
           : c->key_file[0] != '\0'      ? c->key_file
                                         : "master.key";
}

void
node_vault_no_key(enum err e, const struct node_config *config, char *say,
                  size_t size)
{
    const struct node_config *c = config;
    const char *name = c->credential;
    bool given = name[0] != '\0';

    if (e == ERR_MISSING && given) {
        (void)snprintf(say, size,
                       "There is no credential %s. systemd hands it over: "
                       "LoadCredential=%s:FILE in the unit; to a command: "
                       "systemd-run --pipe --wait -p LoadCredential=%s:FILE.",
                       name, name, name);
    } else if (e == ERR_MISSING) {
        (void)snprintf(say, size,
                       "The key of the node in %s is gone. Bring %s back from "
                       "where you keep a copy, or name it with %s.",
                       c->data, key_path(c),
                       c->passphrase_file[0] != '\0' ? "--passphrase-file"
                                                     : "--key-file");
    } else if (e == ERR_FORMAT) {
        (void)snprintf(say, size, "%s is empty, or too long for a key.",
                       given ? name : key_path(c));
    } else {
        (void)snprintf(say, size,
                       "The key %s cannot be read (%s). Only its owner may "
                       "have access: chmod 600.",
                       given ? name : key_path(c), err_name(e));
    }
}

/* What is said before and after the folder's name. */
struct words {
    const char *before;
    const char *after;
};

void
node_vault_why(enum err e, const struct node_config *config, char *say,
               size_t size)
{
    static const struct words words[ERR_COUNT_] = {
        [ERR_MISSING] = {"There is no node in ", " yet. Make one: balsam init"},
        [ERR_STATE] = {"The node in ", " runs already."},
        [ERR_FULL] = {"The disk of ",
                      " is full. Make room, then start the node again."},
        [ERR_IO] = {"The data in ",
                    " cannot be read or written. Is the disk read-only, or "
                    "broken?"},
        [ERR_DENIED] = {"The data in ",
                        " belongs to another user. Run this as that user."},
        [ERR_AUTH] = {"The key does not open ",
                      ". Use the key that it was made with."},
        [ERR_UNSUPPORTED] = {"A newer version of Balsam wrote ",
                             ". Update this one."},
        [ERR_CORRUPT] = {"The data in ",
                         " is damaged. Run balsam verify: it says whether only "
                         "the last commits are lost (then balsam verify "
                         "--without-lost goes on without them) or the last "
                         "backup has to be restored."},
    };

    char half[2 * NODE_PATH_MAX];

    (void)snprintf(half, sizeof(half), "%s/store/blobs", config->data);
    if (e == ERR_MISSING && access(half, F_OK) == 0) {
        (void)snprintf(say, size,
                       "The data in %s is not whole. Was a restore into it "
                       "broken off? Run balsam restore again.",
                       config->data);
    } else if (e == ERR_AUTH && config->passphrase_file[0] != '\0') {
        (void)snprintf(say, size,
                       "The passphrase in %s does not open %s. Is it another "
                       "one's, or mistyped?",
                       config->passphrase_file, config->data);
    } else if (words[e].before != NULL) {
        (void)snprintf(say, size, "%s%s%s", words[e].before, config->data,
                       words[e].after);
    } else {
        (void)snprintf(say, size, "The store in %s does not open (%s).",
                       config->data, err_name(e));
    }
}

bool
node_vault_is_made(const struct node_config *config)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/store", config->data);

    return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}
