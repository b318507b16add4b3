/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store-dump DATA: all that a stopped node's store says to whoever has its
 * keys, a record a line: where, key and value in hex.  What is not in here, the
 * clinic cannot know from its disk.
 */
#include "node/vault.h"
#include "store/conv.h"
#include "store/fed.h"
#include "store/msg.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

static void
put_hex(struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        (void)printf("%02x", v.p[i]);
    }
}

static void
put(const char *where, unsigned n, struct view key, struct view value)
{
    (void)printf("%s %u ", where, n);
    put_hex(key);
    (void)printf(" ");
    put_hex(value);
    (void)printf("\n");
}

static enum err
dump_table(struct store_txn *txn, enum store_table t)
{
    struct store_scan sc;
    enum err e = store_scan_begin(txn, t, (struct view){0}, STORE_UP, &sc);

    if (e != OK) {
        return e;
    }
    while (store_scan_next(&sc)) {
        put("table", (unsigned)t, sc.key, sc.value);
    }
    return store_scan_end(&sc);
}

struct walk {
    struct store_txn *txn;
    struct view owner;
};

static enum err
each_msg(void *ctx, const struct store_msg *m)
{
    (void)ctx;
    put("message", (unsigned)m->kind, message_id_view(&m->id),
        view_of(&m->body));
    return OK;
}

static enum err
each_conv(void *ctx, const struct store_conv *c)
{
    struct walk *w = ctx;

    put("conversation", c->flags, conv_id_view(&c->id),
        proto_phi_reveal(&c->title));
    return store_msg_list(w->txn, &c->id, 0, STORE_UP, UINT32_MAX, each_msg,
                          NULL);
}

static enum err
each_secret(void *ctx, struct view key, struct view value)
{
    struct walk *w = ctx;

    (void)key;
    put("secret", 0, w->owner, value);
    return OK;
}

static enum err
each_owner(void *ctx, const struct store_owner *o)
{
    struct walk *w = ctx;

    w->owner = VIEW_ARRAY(o->b);
    return store_secret_scan(w->txn, o, (struct view){0}, each_secret, w);
}

static enum err
dump(struct store *s)
{
    enum err e;
    struct walk w = {0};
    struct store_conv_query q = {.view = STORE_VIEW_EVERY, .max = UINT32_MAX};

    TRY(store_read_begin(s, &w.txn));
    for (enum store_table t = STORE_T_SETTINGS; t < STORE_T_COUNT_; t++) {
        /* these are opened in ways of their own, below */
        if (t != STORE_T_MSGS && t != STORE_T_SECRETS && t != STORE_T_SLOTS &&
            t != STORE_T_CONVS && t != STORE_T_CONV_ORDER) {
            e = dump_table(w.txn, t);
            if (e != OK) {
                (void)fprintf(stderr, "store-dump: table %u: %s\n", (unsigned)t,
                              err_name(e));
                goto out;
            }
        }
    }
    TRY(store_conv_list(w.txn, &q, each_conv, &w));
    TRY(store_secret_owners(w.txn, each_owner, &w));
out:
    store_read_end(w.txn);
    return e;
}

int
main(int argc, char **argv)
{
    enum err e;
    struct node_config config = {0};
    struct node_vault vault = {0};
    struct store *s = NULL;

    TRY(argc == 2 ? OK : ERR_INVALID);
    (void)snprintf(config.data, sizeof(config.data), "%s", argv[1]);
    (void)snprintf(config.key_file, sizeof(config.key_file), "%s/master.key",
                   argv[1]);
    TRY(node_vault_open(mem_heap(), NULL, &config, &vault));
    TRY(store_open(&vault.config, &s));
    e = dump(s);
    store_close(s);
out:
    node_vault_clear(&vault);
    (void)fprintf(stderr, "store-dump: %s\n", err_name(e));
    return e == OK ? 0 : 1;
}
