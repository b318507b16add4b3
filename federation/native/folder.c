/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/native/folder.h"

#include "federation/native/records.h"
#include "store/writer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PATH_SIZE = 1024,
    MAP_SIZE = 1 << 30,       /* doubled when it is full */
    RESERVE = 4 * 1024 * 1024 /* a patient's computer, not a clinic's */
};

/* One put or del of the commit to come. */
struct change {
    struct change *next;
    uint8_t space;
    bool del;
    struct bytes key;
    struct bytes value;
};

struct fed_folder {
    const struct mem *mem;
    struct store *store;
    char store_dir[PATH_SIZE];
    char key_path[PATH_SIZE];
    struct change *first;
    struct change **end;
    /* of the commit under way */
    const struct thread_id *rotate;
    size_t rotate_len;
    struct fed_app *app; /* NULL: nobody has to know early */
};

/* ------------------------------------------------------------------ changes */

static void
drop_changes(struct fed_folder *f)
{
    struct change *c = f->first;

    f->first = NULL;
    f->end = &f->first;
    while (c != NULL) {
        struct change *next = c->next;

        bytes_free(&c->key);
        bytes_free(&c->value);
        mem_free(f->mem, c, sizeof(*c));
        c = next;
    }
}

static enum err
add(struct fed_folder *f, uint8_t space, bool del, struct view key,
    struct view value)
{
    enum err e;
    struct change *c = mem_alloc(f->mem, sizeof(*c));

    if (c == NULL) {
        return ERR_NOMEM;
    }
    c->space = space;
    c->del = del;
    TRY(bytes_copy(f->mem, key, &c->key));
    TRY(bytes_copy(f->mem, value, &c->value));
    *f->end = c;
    f->end = &c->next;
    c = NULL;
out:
    if (c != NULL) {
        bytes_free(&c->key);
        mem_free(f->mem, c, sizeof(*c));
    }
    return e;
}

/* ------------------------------------------------------------------ storage */

static enum err
get(void *ctx, uint8_t space, struct view key, const struct mem *mem,
    struct bytes *out)
{
    struct fed_folder *f = ctx;

    return fed_records_get(f->store, space, key, mem, out);
}

static enum err
next(void *ctx, uint8_t space, struct view from, const struct mem *mem,
     struct bytes *key_out, struct bytes *value_out)
{
    struct fed_folder *f = ctx;

    return fed_records_next(f->store, space, from, mem, key_out, value_out);
}

static enum err
put(void *ctx, uint8_t space, struct view key, struct view value)
{
    return add(ctx, space, false, key, value);
}

static enum err
del(void *ctx, uint8_t space, struct view key)
{
    return add(ctx, space, true, key, (struct view){0});
}

static enum err
write_all(void *ctx, struct store_txn *txn)
{
    enum err e = OK;
    struct fed_folder *f = ctx;

    for (const struct change *c = f->first; c != NULL; c = c->next) {
        struct view key = view_of(&c->key);

        TRY(c->del ? fed_records_del(txn, c->space, key)
                   : fed_records_put(txn, c->space, key, view_of(&c->value)));
    }
    for (size_t i = 0; i < f->rotate_len; i++) {
        TRY(fed_records_rotate(txn, &f->rotate[i]));
    }
out:
    return e;
}

static void
durable(void *ctx)
{
    struct fed_folder *f = ctx;

    fed_app_durable(f->app);
}

static enum err
commit(void *ctx, const struct thread_id *rotate, size_t rotate_len)
{
    struct fed_folder *f = ctx;
    enum err e = OK;

    f->rotate = rotate;
    f->rotate_len = rotate_len;
    if (f->first != NULL || rotate_len > 0) {
        bool early = f->app != NULL && fed_app_wants_durable(f->app);

        e = store_write_here(f->store, write_all, early ? durable : NULL, f, 0);
    }
    drop_changes(f);
    return e;
}

struct fed_app_store
fed_folder_store(struct fed_folder *f)
{
    return (struct fed_app_store){get, next, put, del, commit, f};
}

void
fed_folder_tell(struct fed_folder *f, struct fed_app *app)
{
    f->app = app;
}

/* --------------------------------------------------------------------- open */

static enum err
paths(struct fed_folder *f, const char *dir)
{
    int a = snprintf(f->store_dir, PATH_SIZE, "%s/store", dir);
    int b = snprintf(f->key_path, PATH_SIZE, "%s/app.key", dir);

    return a < 0 || b < 0 || a >= PATH_SIZE || b >= PATH_SIZE ? ERR_INVALID
                                                              : OK;
}

/* The folder and its key file; a key that is there already stays. */
static enum err
make(struct fed_folder *f, const struct fed_folder_config *config)
{
    enum err e = OK;

    if (mkdir(config->dir, 0700) != 0 && errno != EEXIST) {
        return errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_IO;
    }
    if (config->passphrase.len == 0) {
        e = store_key_file_create(f->key_path, config->rng);
    }
    return e == ERR_EXISTS ? OK : e;
}

static enum err
take_key(struct fed_folder *f, const struct fed_folder_config *config,
         struct bytes *hold, struct store_config *out)
{
    enum err e = OK;

    *out = (struct store_config){
        .dir = f->store_dir,
        .mem = config->mem,
        .clock = config->clock,
        .rng = config->rng,
        .log = config->log,
        .map_size = MAP_SIZE,
        .reserve_bytes = RESERVE,
    };
    if (config->passphrase.len > 0) {
        out->key.kind = STORE_KEY_PASSPHRASE;
        out->key.secret = config->passphrase;
    } else {
        TRY(store_key_file_read(config->mem, f->key_path, hold));
        out->key.kind = STORE_KEY_RAW;
        out->key.secret = view_of(hold);
    }
out:
    return e;
}

enum err
fed_folder_open(const struct fed_folder_config *config, bool create,
                struct fed_folder **out)
{
    enum err e;
    struct fed_folder *f = mem_alloc(config->mem, sizeof(*f));
    struct store_config sc;
    struct bytes key = {0};

    TRY(f == NULL ? ERR_NOMEM : OK);
    f->mem = config->mem;
    f->end = &f->first;
    TRY(paths(f, config->dir));
    TRY(create ? make(f, config) : OK);
    e = take_key(f, config, &key, &sc);
    TRY(e);
    e = store_open(&sc, &f->store);
    if (e == ERR_MISSING && create) {
        TRY(store_create(&sc));
        e = store_open(&sc, &f->store);
    }
    TRY(e);
    *out = f;
    f = NULL;
out:
    bytes_free(&key);
    fed_folder_close(f);
    return e;
}

void
fed_folder_close(struct fed_folder *f)
{
    if (f == NULL) {
        return;
    }
    store_close(f->store);
    drop_changes(f);
    mem_free(f->mem, f, sizeof(*f));
}
