/* SPDX-License-Identifier: Apache-2.0 */
/* The node itself: how it does, who it is connected to. */
#include "node/api.h"
#include "node/api_clock.h"
#include "node/api_doubt.h"
#include "node/clinic/desk.h"
#include "node/web.h"

#include <stdatomic.h>
#include <string.h>

/* -------------------------------------------------------------------- peers */

/* Parties are asked for one after the other, each in a step of its own. */
struct party {
    struct clinic_id after;
    bool any;
    struct fed_party_info info;
    uint64_t waiting; /* fed_core_waiting */
};

static enum err
step_next_party(void *ctx, struct fed_core *core)
{
    struct party *p = ctx;
    enum err e = fed_core_party_next(core, p->any ? &p->after : NULL, &p->info);

    /* patients and devices have a list of their own */
    while (e == OK && p->info.kind != FED_KIND_CLINIC) {
        p->after = p->info.root;
        e = fed_core_party_next(core, &p->after, &p->info);
    }
    TRY(e);
    TRY(fed_core_waiting(core, &p->info.root, &p->waiting));
out:
    return e;
}

static void
show_peer(struct node_call *c, const struct party *p, json_t *o)
{
    const struct fed_party_info *info = &p->info;
    struct store_txn *txn = NULL;
    struct store_clinic clinic = {0};
    struct phi name = {0};
    struct fed_peer_info net;
    struct fed_addr addr;
    char text[FED_ADDR_TEXT_MAX + 1];

    if (store_read_begin(c->api->store, &txn) == OK &&
        store_clinic_get(txn, &info->root, &clinic) == OK) {
        node_clinic_label(txn, &clinic, &name);
    }
    store_read_end(txn);
    node_json_hex(o, "id", clinic_id_view(&info->root));
    node_json_view(o, "name", proto_phi_reveal(&name));
    node_json_bool(o, "online", info->up);
    node_json_bool(o, "verified", info->verified);
    node_json_bool(o, "blocked", info->blocked);
    node_json_num(o, "queued", info->queued + p->waiting);
    node_json_num(o, "generation", info->generation & UINT32_MAX);
    if (fed_net_find(node_runner_net(c->api->runner), &info->root, &net)) {
        fed_ip_addr(&net.remote, &addr);
        fed_addr_text(&addr, text);
        node_json_view(o, "address", view_str(text));
        node_json_bool(o, "dialled", net.dialled);
    }
    store_clinic_clear(&clinic);
    phi_free(&name);
}

enum err
node_cmd_peers(struct node_call *c)
{
    enum err e;
    struct party p = {0};
    struct node_step step = {
        .step = step_next_party, .ctx = &p, .when_full = true};
    json_t *peers = node_json_array(c->out, "peers");

    while ((e = node_runner_do(c->api->runner, &step)) == OK) {
        json_t *o = node_json_item(peers);

        if (o == NULL) {
            return ERR_NOMEM;
        }
        show_peer(c, &p, o);
        p.after = p.info.root;
        p.any = true;
    }
    return e == ERR_MISSING ? OK : e;
}

/* ------------------------------------------------------------------- status */

static void
show_store(struct node_call *c)
{
    struct store_status s;
    struct store_counts counts;
    struct store_txn *txn = NULL;
    json_t *o = json_object();

    if (o == NULL || store_status(c->api->store, &s) != OK) {
        json_decref(o);
        return;
    }
    if (store_read_begin(c->api->store, &txn) == OK &&
        store_counts(txn, &counts) == OK) {
        node_json_num(o, "messages", counts.messages);
        node_json_num(o, "free_bytes", counts.free_bytes);
    }
    store_read_end(txn);
    node_json_num(o, "used_bytes", s.used_bytes);
    node_json_num(o, "commits", s.commits);
    node_json_num(o, "schema", s.schema);
    node_json_num(o, "restores", s.restores);
    node_json_num(o, "restored_ms", s.restored_ms);
    node_json_bool(o, "disk_full", s.disk_full);
    (void)json_object_set_new(c->out, "store", o);
}

static void
show_net(struct node_call *c)
{
    struct fed_net_stats s;
    json_t *o = json_object();

    if (o == NULL) {
        return;
    }
    fed_net_stats(node_runner_net(c->api->runner), &s);
    node_json_num(o, "online", s.clinics);
    node_json_num(o, "browsers", s.web);
    node_json_num(o, "wanted", s.wanted);
    node_json_num(o, "unreachable", s.wanted_down);
    node_json_num(o, "strangers", s.strangers);
    node_json_num(o, "refused", s.refused);
    node_json_num(o, "failed", s.failed);
    node_json_num(o, "devices", s.devices);
    node_json_num(o, "web_devices", s.web);
    (void)json_object_set_new(c->out, "network", o);
}

static void
show_runner(struct node_call *c)
{
    struct node_runner_stats s;

    node_runner_stats(c->api->runner, &s);
    node_json_num(c->out, "batches", s.batches);
    node_json_num(c->out, "events", s.steps);
    node_json_num(c->out, "waiting", s.queued);
    node_json_num(c->out, "failures", s.failures);
}

/* Where browsers come in, and what address that has. */
static void
show_web(struct node_call *c)
{
    const struct node_config *config = c->api->config;
    json_t *list;

    if (!node_web_wanted(config)) {
        return;
    }
    list = node_json_array(c->out, "web");
    for (size_t i = 0; i < config->web.len; i++) {
        (void)json_array_append_new(list, json_string(config->web.item[i]));
    }
    if (config->web_socket[0] != '\0') {
        (void)json_array_append_new(list, json_string(config->web_socket));
    }
}

/* What protects the node, and what its kernel lacks. */
static void
show_sandbox(struct node_call *c)
{
    json_t *missing = node_json_array(c->out, "sandbox_missing");
    const char *s;

    node_json_bool(c->out, "sandbox",
                   c->api->sandbox.landlock > 0 && c->api->sandbox.seccomp);
    for (size_t i = 0; (s = node_sandbox_missing(&c->api->sandbox, i)) != NULL;
         i++) {
        (void)json_array_append_new(missing, json_string(s));
    }
}

/* What is wrong with our certificate, and with our clock (decisions A 3). */
static void
show_certificate(struct node_call *c)
{
    struct node_runner_stats s;

    node_runner_stats(c->api->runner, &s);
    node_json_bool(c->out, "clock_behind", s.clock_behind);
    node_json_bool(c->out, "outdated", s.outdated);
    node_json_num(c->out, "known_ms", s.known_ms);
    node_json_num(c->out, "certificate_failed",
                  atomic_load(&c->api->renewal_failed));
}

enum err
node_cmd_status(struct node_call *c)
{
    struct node_api *api = c->api;
    uint64_t now = store_now_ms(api->store);
    struct store_txn *txn = NULL;
    uint8_t seed[PRIM_ED25519_SEED];
    json_t *addrs = node_json_array(c->out, "addresses");
    bool unchecked;

    if (store_read_begin(api->store, &txn) != OK) {
        return ERR_AGAIN;
    }
    unchecked = node_root_seed_load(txn, seed) == OK;
    node_json_doubted(txn, c->out);
    mem_wipe(seed, sizeof(seed));
    store_read_end(txn);
    (void)pthread_mutex_lock(&api->identity_mx);
    node_json_hex(c->out, "clinic", clinic_id_view(&api->root));
    node_json_view(c->out, "name", proto_phi_reveal(&api->profile.name));
    node_json_num(c->out, "certificate_days",
                  api->identity.node_not_after_ms > now
                      ? (api->identity.node_not_after_ms - now) / IDENT_DAY_MS
                      : 0);
    (void)pthread_mutex_unlock(&api->identity_mx);
    for (size_t i = 0; i < api->addrs_len; i++) {
        char text[PROTO_ADDR_TEXT_MAX];

        proto_addr_format(&api->addrs[i], text);
        (void)json_array_append_new(addrs, json_string(text));
    }
    show_certificate(c);
    node_json_clocks(c, c->out);
    show_sandbox(c);
    node_json_num(c->out, "up_s", (now - api->started_ms) / 1000);
    node_json_bool(c->out, "sheet_checked", !unchecked);
    show_net(c);
    node_json_gone(c, c->out);
    show_web(c);
    show_store(c);
    show_runner(c);
    return OK;
}
