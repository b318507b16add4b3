/* SPDX-License-Identifier: Apache-2.0 */
#include "node/api_clock.h"

#include "node/clocks.h"

#include <stdio.h>
#include <string.h>

enum {
    SAY = 512,
    MANY = 2 /* that all differ one way: most likely it is ours */
};

/* What to call it: a clinic that never came further has only a key. */
static void
put_name(struct store_txn *txn, const struct clinic_id *root, json_t *o)
{
    struct store_clinic clinic = {0};
    struct phi name = {0};

    node_json_hex(o, "id", clinic_id_view(root));
    if (txn != NULL && store_clinic_get(txn, root, &clinic) == OK) {
        node_clinic_label(txn, &clinic, &name);
        node_json_view(o, "name", proto_phi_reveal(&name));
    }
    phi_free(&name);
    store_clinic_clear(&clinic);
}

void
node_json_clock(struct node_call *c, const struct clinic_id *root, json_t *o)
{
    struct node_clock_apart a;
    char text[NODE_CLOCK_TEXT];
    char say[SAY];

    if (!node_clocks_of(node_runner_clocks(c->api->runner), root, &a)) {
        return;
    }
    node_clock_text(&a, text);
    (void)snprintf(say, sizeof(say), "Its clock is %s. " NODE_CLOCK_DO, text);
    node_json_view(o, "clock", view_str(say));
    node_json_view(o, "clock_apart", view_str(text));
}

void
node_json_clocks(struct node_call *c, json_t *o)
{
    struct node_clock_apart all[NODE_CLOCKS];
    size_t n = node_clocks_all(node_runner_clocks(c->api->runner), all);
    json_t *list = node_json_array(o, "clocks");
    struct store_txn *txn = NULL;

    if (n == 0) {
        return;
    }
    ERR_IGNORE(store_read_begin(c->api->store, &txn),
               "then they are called by their keys");
    for (size_t i = 0; i < n; i++) {
        json_t *item = node_json_item(list);
        char text[NODE_CLOCK_TEXT];

        if (item != NULL) {
            put_name(txn, &all[i].root, item);
            node_clock_text(&all[i], text);
            node_json_view(item, "apart", view_str(text));
            node_json_bool(item, "ahead", all[i].ahead);
            node_json_num(item, "by_ms", all[i].by_ms);
        }
    }
    store_read_end(txn);
}

bool
node_clocks_good(struct node_call *c, char *say, size_t cap)
{
    struct node_clock_apart all[NODE_CLOCKS];
    size_t n = node_clocks_all(node_runner_clocks(c->api->runner), all);
    size_t ahead = 0;
    char text[NODE_CLOCK_TEXT];

    for (size_t i = 0; i < n; i++) {
        ahead += all[i].ahead ? 1 : 0;
    }
    if (n == 0) {
        return true;
    }
    node_clock_text(&all[0], text);
    (void)snprintf(say, cap,
                   "%zu other%s (balsam status says whose), the first by "
                   "%s.%s " NODE_CLOCK_DO,
                   n, n == 1 ? " differs" : "s differ", text,
                   n >= MANY && (ahead == 0 || ahead == n)
                       ? " They agree, so most likely this machine's is wrong."
                       : "");
    return false;
}

bool
node_call_clocks(struct node_call *c, enum err e, const struct clinic_id *root)
{
    struct node_clock_apart a;
    char text[NODE_CLOCK_TEXT];

    if (!node_clocks_of(node_runner_clocks(c->api->runner), root, &a)) {
        return false;
    }
    node_clock_text(&a, text);
    ERR_IGNORE(
        node_call_fail(
            c, e, "The clocks differ: the other clinic's is %s. " NODE_CLOCK_DO,
            text),
        "the caller has it");
    return true;
}
