/* SPDX-License-Identifier: Apache-2.0 */
/* Looking after the node: backup, audit trail, what is wrong. */
#include "crypto/prim/secret.h"
#include "node/api.h"
#include "node/api_clock.h"
#include "node/api_doubt.h"
#include "node/clinic/desk.h"
#include "node/reach.h"
#include "node/web.h"
#include "proto/base/limits.h"
#include "store/backup.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#define WEB_SOON_MS (14 * IDENT_DAY_MS)

/* ------------------------------------------------------------------ backup */

static bool
on_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct node_call *c = ctx;
    json_t *line = json_object();
    bool more;

    node_json_num(line, "done", done);
    node_json_num(line, "total", total);
    more = c->emit(c->emit_ctx, line);
    json_decref(line);
    return more;
}

static enum err
write_backup(void *ctx, struct store_txn *txn)
{
    struct node_call *c = ctx;

    return node_audit_member(txn, c->api, NODE_AUDIT_BACKUP, (struct view){0},
                             0);
}

enum err
node_cmd_backup(struct node_call *c)
{
    enum err e;
    struct view dir = node_call_arg(c, 0);
    char path[NODE_PATH_MAX];
    struct store_progress progress = {on_progress, c};

    if (dir.len == 0 || dir.len >= sizeof(path) || dir.p[0] != '/') {
        return node_call_fail(c, ERR_INVALID,
                              "Give the whole path of the "
                              "folder, from /.");
    }
    memcpy(path, dir.p, dir.len);
    path[dir.len] = '\0';
    TRY(store_write(c->api->store, write_backup, c, STORE_JOB_FREES));
    e = store_backup(c->api->store, path,
                     node_call_has(c, "progress") ? &progress : NULL);
    if (e == ERR_EXISTS) {
        e = node_call_fail(c, e,
                           "%s holds something else. Choose an empty "
                           "folder, or one with an earlier backup of "
                           "this node.",
                           path);
    }
    if (e == ERR_MISSING) {
        e = node_call_fail(c, e,
                           "%s cannot be made: the folder above it is not "
                           "there. Make that first.",
                           path);
    }
    if (e == ERR_IO || e == ERR_DENIED) {
        e = node_call_fail(
            c, e,
            "The node may not write to %s. Choose a folder inside %s, or add "
            "a line backup = FOLDER to balsam.conf there and start the node "
            "again.",
            path, c->api->config->data);
    }
    node_json_view(c->out, "folder", dir);
out:
    return e;
}

enum {
    REACH_MS = 3000
};

/* ------------------------------------------------------------------ doctor */

/* One finding: good, or what to do. */
static void
finding(json_t *list, const char *what, bool good, const char *todo)
{
    json_t *o = node_json_item(list);

    if (o != NULL) {
        node_json_view(o, "what", view_str(what));
        node_json_bool(o, "good", good);
        if (!good) {
            node_json_view(o, "do", view_str(todo));
        }
    }
}

static void
look_at_disk(struct node_call *c, json_t *list)
{
    struct statvfs v;
    struct store_status s;
    bool room = statvfs(c->api->config->data, &v) == 0 &&
                (uint64_t)v.f_bavail * v.f_frsize > LIMIT_MIB(512u);

    finding(list, "room on the disk", room,
            "Less than 512 MiB are free: delete what is not needed, or move "
            "the data folder to a larger disk.");
    finding(list, "the store takes new data",
            store_status(c->api->store, &s) == OK && !s.disk_full,
            "The disk is full: new messages are refused until there is room.");
}

static void
look_at_keys(struct node_call *c, json_t *list)
{
    SCRUBBED(seed, PRIM_ED25519_SEED);
    struct store_txn *txn = NULL;
    uint64_t now = store_now_ms(c->api->store);
    struct node_runner_stats stats;
    bool checked = false;
    bool same;
    char say[512];
    bool renewal;
    bool node;

    node_runner_stats(c->api->runner, &stats);

    if (store_read_begin(c->api->store, &txn) == OK) {
        checked = node_root_seed_load(txn, seed) == ERR_MISSING;
    }
    store_read_end(txn);
    (void)pthread_mutex_lock(&c->api->identity_mx);
    node = now < c->api->identity.node_not_after_ms;
    renewal =
        now + IDENT_RENEW_EARLY_MS < c->api->identity.renewal_not_after_ms;
    (void)pthread_mutex_unlock(&c->api->identity_mx);
    finding(list, "the recovery sheet was checked", checked,
            "Print it (balsam recovery sheet), then run balsam recovery "
            "check.");
    finding(list, "the node's certificate", node,
            "It has expired: is the clock right? Then balsam rotate-key.");
    finding(list, "its renewal", atomic_load(&c->api->renewal_failed) == 0,
            "It did not succeed, and is tried again: is the disk full? If the "
            "renewal key has expired or was revoked, take the recovery sheet "
            "and run balsam rotate-key --revoke.");
    finding(list, "the newest copy of this node", !stats.outdated,
            "Another clinic has seen a newer key of this node: these data are "
            "an older copy. If the newer one still runs, stop this one. If it "
            "is gone for good: balsam rotate-key.");
    same = node_clocks_good(c, say, sizeof(say));
    finding(list, "the clock beside other clinics' clocks", same, say);
    finding(list, "the clock", !stats.clock_behind,
            "It is more than a day behind what other clinics have signed, or "
            "behind what this node stored before: set the machine's clock, or "
            "let it follow a time server. If it is right, it was ahead before, "
            "and this ends by itself when that day comes.");
    finding(list, "the renewal key", renewal,
            "It expires soon: take the recovery sheet and run balsam "
            "rotate-key --revoke.");
}

/* NULL: from anywhere. */
static const char *
say_scope(enum proto_addr_scope scope)
{
    static const char *const say[] = {
        [PROTO_SCOPE_HOST] =
            "It leads to this machine and is reached only from it. Set "
            "--address to a name or address that others reach, and let your "
            "router pass that port to this machine.",
        [PROTO_SCOPE_NET] =
            "It is known only in this network: others cannot dial it. Set "
            "--address to a name or address that they reach, and let your "
            "router pass that port to this machine.",
        [PROTO_SCOPE_ANY] = NULL};

    return say[scope];
}

static void
look_at_addrs(struct node_call *c, json_t *list)
{
    for (size_t i = 0; i < c->api->addrs_len; i++) {
        char text[PROTO_ADDR_TEXT_MAX];
        char what[PROTO_ADDR_TEXT_MAX + 32];
        const char *scope = say_scope(proto_addr_scope(&c->api->addrs[i]));
        enum node_reach reach;

        proto_addr_format(&c->api->addrs[i], text);
        (void)snprintf(what, sizeof(what), "the address %s in links", text);
        finding(list, what, scope == NULL, scope);
        if (c->api->addrs[i].via) {
            continue; /* another node's, which carries for us */
        }
        reach = node_reach_try(node_runner_net(c->api->runner),
                               &c->api->addrs[i], REACH_MS);
        (void)snprintf(what, sizeof(what), "dialling %s from here", text);
        finding(list, what, reach == NODE_REACH_OURS, node_reach_say(reach));
    }
}

/* What about patients needs somebody to look. */
struct worry {
    size_t alarms;
    size_t replaced;
    size_t dead;
};

static enum err
each_patient(void *ctx, const struct store_patient *p)
{
    struct worry *w = ctx;

    w->alarms += p->alarm ? 1 : 0;
    w->replaced += p->replaces ? 1 : 0;
    return OK;
}

static enum err
each_invite(void *ctx, const struct store_invite *i)
{
    struct worry *w = ctx;

    w->dead += i->state == STORE_INVITE_DEAD ? 1 : 0;
    return OK;
}

static void
look_at_patients(struct node_call *c, json_t *list)
{
    struct store_txn *txn = NULL;
    struct worry w = {0};

    if (store_read_begin(c->api->store, &txn) != OK ||
        store_patient_list(txn, each_patient, &w) != OK ||
        store_invite_list(txn, each_invite, &w) != OK) {
        store_read_end(txn);
        return;
    }
    store_read_end(txn);
    finding(list, "patients' device lists", w.alarms == 0,
            "Two different lists are about: one of a patient's keys may be in "
            "two hands. balsam patients says whose; call them, and let them "
            "sign a new list with their recovery code.");
    finding(list, "patients' keys", w.replaced == 0,
            "A patient came with a new key. Compare at the desk: balsam "
            "compare PATIENT.");
    finding(list, "invitations", w.dead == 0,
            "One was tried with five wrong dates of birth and is locked: "
            "balsam invites. Call the patient, then balsam invite resend.");
}

/* Who carries conversations, and whom they wait for. */
static void
look_at_threads(struct node_call *c, json_t *list)
{
    struct store_txn *txn = NULL;
    json_t *o = json_object();

    if (o == NULL || store_read_begin(c->api->store, &txn) != OK) {
        json_decref(o);
        return;
    }
    node_json_doubted(txn, o);
    store_read_end(txn);
    node_json_gone(c, o);
    finding(list, "how conversations are carried",
            json_array_size(json_object_get(o, "doubted")) == 0,
            "Something of them may be held back, lost or shown otherwise than "
            "to others: balsam status says of which, and what to do.");
    finding(list, "who orders conversations",
            json_array_size(json_object_get(o, "gone")) == 0,
            "A clinic for which something waits here was not reached for "
            "three days: balsam status says which. Call them; if they are "
            "gone for good, go on in a conversation without them.");
    json_decref(o);
}

/* Patients in browsers come through the web port. */
static void
look_at_web(struct node_call *c, json_t *list)
{
    const struct node_config *config = c->api->config;
    uint64_t ends = fed_web_tls_ends_ms(node_runner_net(c->api->runner));

    if (!node_web_wanted(config)) {
        return;
    }
    finding(list, "the web name", config->host[0] != '\0',
            "Without --host only this machine's own browser is answered: set "
            "the name that people open.");
    if (config->web_cert[0] != '\0') {
        finding(list, "the web certificate",
                ends > store_now_ms(c->api->store) + WEB_SOON_MS,
                "It ends within two weeks, or has: renew it. The node takes "
                "the new files by itself within a minute, or at once when it "
                "gets SIGHUP.");
    }
}

static void
look_at_hook(struct node_call *c, json_t *list)
{
    char todo[200];
    int ended = atomic_load(&c->api->hook_ended);

    if (c->api->config->on_event[0] == '\0') {
        return;
    }
    (void)snprintf(todo, sizeof(todo),
                   "Its last run ended with %d. It runs in the node's sandbox: "
                   "it reads system folders and itself, and writes to the "
                   "folders of the node.",
                   ended);
    finding(list, "the command of --on-event", ended == 0, todo);
}

enum err
node_cmd_doctor(struct node_call *c)
{
    json_t *list = node_json_array(c->out, "findings");
    struct node_runner_stats s;
    size_t i;
    const json_t *f;
    bool good = true;

    node_runner_stats(c->api->runner, &s);
    look_at_disk(c, list);
    look_at_keys(c, list);
    look_at_addrs(c, list);
    look_at_patients(c, list);
    look_at_threads(c, list);
    look_at_web(c, list);
    look_at_hook(c, list);
    finding(list, "commits", s.failures == 0,
            "Some did not succeed; the log says why. Is the disk full or "
            "failing?");
    json_array_foreach(list, i, f)
    {
        good = good && json_is_true(json_object_get(f, "good"));
    }
    node_json_bool(c->out, "good", good);
    node_json_view(c->out, "note",
                   VIEW_LIT("On flash and copy-on-write disks, and in "
                            "snapshots, overwritten keys may survive: encrypt "
                            "the disk as well."));
    return OK;
}
