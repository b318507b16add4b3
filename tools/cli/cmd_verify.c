/* SPDX-License-Identifier: Apache-2.0 */
/*
 * balsam verify: all data, or a backup, read and checked.  It is done by a
 * process of its own: where pages of the database are damaged LMDB may end the
 * one that reads them, and then there is somebody left to say so.
 */
#include "node/identity.h"
#include "node/trail.h"
#include "node/vault.h"
#include "store/backup.h"
#include "tools/cli/apart.h"
#include "tools/cli/cmd.h"
#include "tools/cli/folder.h"
#include "tools/cli/show.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct checking {
    const struct tool_run *run;
    const char *backup; /* NULL: the data folder */
    bool without;       /* go on without commits that are lost */
    struct store_verify_result r;
    json_t *clinic; /* its name */
};

static void
on_bad(void *ctx, const struct store_bad *bad)
{
    char hex[PROTO_HEX_MAX + 1];
    struct view key = bad->key;

    (void)ctx;
    key.len = key.len > PROTO_HEX_MAX / 2 ? PROTO_HEX_MAX / 2 : key.len;
    proto_hex(key, hex);
    (void)fprintf(stderr, "damaged: %s %s (%s)\n", bad->table, hex,
                  err_name(bad->e));
}

static void
look(void *ctx, struct store_txn *txn)
{
    struct checking *c = ctx;
    struct node_profile p = {0};

    if (node_profile_load(txn, &p) == OK) {
        struct view name = proto_phi_reveal(&p.name);

        c->clinic = json_stringn((const char *)name.p, name.len);
    }
    node_profile_clear(&p);
}

/* ------------------------------------------------------------------ answers */

static enum tool_exit
not_checked(const struct checking *c, enum err e)
{
    const char *data = c->run->data;

    if (e == ERR_STATE) {
        return tool_say(TOOL_EXIT_FAILED, "The node runs. Stop it first: all "
                                          "data is read as it lies.");
    }
    if (c->backup != NULL && e == ERR_MISSING) {
        return tool_is_backup(c->backup)
                   ? tool_say(TOOL_EXIT_FAILED,
                              "There is no key in %s. Name the folder of the "
                              "node that was copied with --data or "
                              "BALSAM_DATA.",
                              data)
                   : tool_say(TOOL_EXIT_FAILED,
                              "There is no backup in %s. Name the folder that "
                              "balsam backup made.",
                              c->backup);
    }
    if (c->backup != NULL && e == ERR_AUTH) {
        return tool_say(TOOL_EXIT_FAILED,
                        "The key in %s does not open this backup: it is of "
                        "another node, or of before a new key.",
                        data);
    }
    if (e == ERR_IO) {
        return tool_say(TOOL_EXIT_FAILED,
                        "%s cannot be read, or not written beside. Is the "
                        "disk read-only, or broken?",
                        c->backup != NULL ? c->backup : data);
    }
    if (e == ERR_MISSING) {
        return tool_say(TOOL_EXIT_FAILED,
                        "There is no node in %s. Name its folder with --data "
                        "or BALSAM_DATA.",
                        data);
    }
    if (e == ERR_AUTH) {
        return tool_say(TOOL_EXIT_FAILED,
                        "The key does not open %s. Use the key or passphrase "
                        "that it was made with.",
                        data);
    }
    if (e == ERR_UNSUPPORTED) {
        return tool_say(TOOL_EXIT_FAILED, "A newer version of Balsam wrote "
                                          "it. Update this one.");
    }
    return tool_say(TOOL_EXIT_FAILED, "%s cannot be read (%s).",
                    c->backup != NULL ? c->backup : data, err_name(e));
}

/* Whether all that is wrong is that the last commits are lost. */
static bool
only_lost(const struct checking *c)
{
    return c->r.lost > 0 && c->r.bad == 1;
}

static enum tool_exit
damaged(const struct checking *c)
{
    if (c->backup != NULL) {
        return tool_say(TOOL_EXIT_FAILED,
                        "The backup is damaged. Make a new one, into an "
                        "empty folder: balsam backup.");
    }
    if (only_lost(c)) {
        return tool_say(TOOL_EXIT_FAILED,
                        "All before them is whole. Go on without them: balsam "
                        "verify --without-lost.");
    }
    return tool_say(TOOL_EXIT_FAILED, "Restore the last backup into an empty "
                                      "folder: balsam restore.");
}

static void
print_json(const struct checking *c, bool good)
{
    const struct store_verify_result *r = &c->r;
    json_t *o = json_pack(
        "{s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "ok", good, "records",
        (json_int_t)r->records, "chunks", (json_int_t)r->chunks, "audit_rows",
        (json_int_t)r->audit_rows, "signed_heads", (json_int_t)r->audit_heads,
        "conversations", (json_int_t)r->convs, "messages", (json_int_t)r->msgs,
        "pending", (json_int_t)r->pending, "lost", (json_int_t)r->lost, "bad",
        (json_int_t)r->bad);

    if (c->backup != NULL) {
        (void)json_object_set_new(o, "made_ms",
                                  json_integer((json_int_t)r->made_ms));
    }
    if (c->clinic != NULL) {
        (void)json_object_set(o, "clinic", c->clinic);
    }
    tool_print_json(o);
    json_decref(o);
}

static void
print_backup(const struct checking *c)
{
    if (c->backup == NULL) {
        return;
    }
    (void)printf("A backup");
    if (c->clinic != NULL) {
        (void)printf(" of ");
        tool_print_safe(json_string_value(c->clinic));
    }
    if (c->r.made_ms > 0) {
        (void)printf(", made ");
        tool_print_time((long long)c->r.made_ms);
    }
    (void)printf(": %llu conversation%s, %llu message%s.\n",
                 (unsigned long long)c->r.convs, c->r.convs == 1 ? "" : "s",
                 (unsigned long long)c->r.msgs, c->r.msgs == 1 ? "" : "s");
}

static void
print(const struct checking *c, bool good)
{
    const struct store_verify_result *r = &c->r;

    print_backup(c);
    (void)printf("%llu records, %llu file chunks, %llu audit entries, %llu "
                 "signed audit heads: %llu damaged.\n",
                 (unsigned long long)r->records, (unsigned long long)r->chunks,
                 (unsigned long long)r->audit_rows,
                 (unsigned long long)r->audit_heads,
                 (unsigned long long)r->bad);
    if (r->lost > 0) {
        (void)printf("At least %llu of the last commits are lost: the redo "
                     "file is damaged or missing. The node does not start "
                     "without them.\n",
                     (unsigned long long)r->lost);
    } else if (r->pending > 0) {
        (void)printf("The last commits (%llu records) are not in the database "
                     "file yet: they are whole in the redo file, and the node "
                     "takes them from there when it starts.\n",
                     (unsigned long long)r->pending);
    }
    if (good && c->backup != NULL) {
        (void)printf("The backup is good. Whoever restores it needs the master "
                     "key, or its passphrase.\n");
    }
}

/* ------------------------------------------------------------- without them */

static enum tool_exit
go_on_without(const struct checking *c, const struct store_config *store)
{
    uint64_t lost = 0;
    enum err e;

    if (!only_lost(c)) {
        return c->r.lost > 0
                   ? damaged(c)
                   : tool_say(TOOL_EXIT_FAILED, "No commits are lost. Nothing "
                                                "was changed.");
    }
    if (!tool_args_has(&c->run->args, "--yes") &&
        !tool_confirm("Go on without them? Messages in them come back only as "
                      "far as other clinics have them; the rest is gone for "
                      "good. The node agrees on new keys with all others.")) {
        return tool_say(TOOL_EXIT_DECLINED, "Nothing was changed.");
    }
    e = store_forgo_lost(store, &lost);
    if (e != OK) {
        return tool_say(TOOL_EXIT_FAILED,
                        "It did not end (%s). Do it again, or restore the last "
                        "backup into an empty folder: balsam restore.",
                        err_name(e));
    }
    if (c->run->json) {
        (void)printf("{\"ok\":true,\"lost\":%llu}\n", (unsigned long long)lost);
    } else {
        (void)printf("Done, as if a backup of right before them had been "
                     "restored. Start the node: balsamd --data %s\nIt asks "
                     "the others for what is missing.\n",
                     c->run->data);
    }
    return TOOL_EXIT_OK;
}

/* -------------------------------------------------------------------- check */

static bool
node_is_there(const struct node_config *config)
{
    char path[2 * NODE_PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/store", config->data);
    return access(path, F_OK) == 0;
}

/* The key is there, and what it is for is not. */
static enum tool_exit
not_read(const struct checking *c, enum err e)
{
    return e == ERR_MISSING && c->backup != NULL && tool_is_backup(c->backup)
               ? tool_half_backup(c->backup)
               : not_checked(c, e);
}

static enum tool_exit
check(void *ctx)
{
    struct checking *c = ctx;
    struct node_config config;
    struct node_vault vault = {0};
    const struct store_progress progress = {tool_on_step, NULL};
    const struct store_verify_how how = {
        .backup = c->backup,
        .found = on_bad,
        .trail = node_trail_verify,
        .look = look,
        .ctx = c,
        .progress = &progress,
    };
    enum tool_exit code = tool_read_config(c->run, &config);
    enum err e;
    bool good;

    if (code != TOOL_EXIT_OK) {
        return code;
    }
    e = node_vault_open(mem_heap(), NULL, &config, &vault);
    if (e != OK) {
        return node_is_there(&config) ? tool_no_key(&config, e)
                                      : not_checked(c, e);
    }
    e = store_verify(&vault.config, &how, &c->r);
    if (e != OK && e != ERR_CORRUPT) {
        node_vault_clear(&vault);
        return not_read(c, e);
    }
    good = c->r.bad == 0 && e == OK;
    if (!c->run->json) {
        print(c, good);
    } else if (!c->without) {
        print_json(c, good);
    }
    json_decref(c->clinic);
    code = c->without && e == OK ? go_on_without(c, &vault.config)
           : good                ? TOOL_EXIT_OK
                                 : damaged(c);
    node_vault_clear(&vault);
    return code;
}

enum tool_exit
tool_cmd_verify(const struct tool_run *run)
{
    struct checking c = {
        .run = run,
        .backup = tool_args_value(&run->args, "--backup", NULL),
        .without = tool_args_has(&run->args, "--without-lost"),
    };
    enum tool_exit code = TOOL_EXIT_OK;

    if (c.backup != NULL && c.without) {
        return tool_say(TOOL_EXIT_USAGE,
                        "A backup has lost none: name one of --backup and "
                        "--without-lost.");
    }

    if (tool_apart(check, &c, &code)) {
        return code;
    }
    if (run->json) {
        (void)printf("{\"ok\":false}\n");
    }
    (void)tool_say(TOOL_EXIT_FAILED, "The database file is damaged so that it "
                                     "cannot be read to its end.");
    return damaged(&c);
}
