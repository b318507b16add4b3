/* SPDX-License-Identifier: Apache-2.0 */
#include "node/twins.h"

struct twins {
    const struct store_contact *of;
    bool apart;
    json_t *out;
};

/* Has a key that the app showed. */
static bool
has_key(const struct store_contact *contact)
{
    for (size_t i = 0; i < contact->idents_len; i++) {
        if (contact->idents[i].kind == STORE_IDENT_PATIENT) {
            return true;
        }
    }
    return false;
}

static enum err
each_twin(void *ctx, const struct store_contact *contact)
{
    const struct twins *t = ctx;
    json_t *list;
    json_t *o;

    if (contact->kind != STORE_CONTACT_PATIENT ||
        contact_id_equal(&contact->id, &t->of->id) ||
        (t->apart && has_key(t->of) && has_key(contact))) {
        return OK;
    }
    list = json_object_get(t->out, "maybe_same");
    o = node_json_item(list == NULL ? node_json_array(t->out, "maybe_same")
                                    : list);
    if (o == NULL) {
        return ERR_NOMEM;
    }
    node_json_hex(o, "of", contact_id_view(&t->of->id));
    node_json_hex(o, "id", contact_id_view(&contact->id));
    node_json_view(o, "name", proto_phi_reveal(&contact->name));
    return OK;
}

enum err
node_twins(struct store_txn *txn, const struct store_contact *of, bool apart,
           json_t *o)
{
    struct twins t = {.of = of, .apart = apart, .out = o};

    if (of->kind != STORE_CONTACT_PATIENT ||
        !store_has_word(proto_phi_reveal(&of->name))) {
        return OK;
    }
    return store_contact_find(txn, proto_phi_reveal(&of->name), NULL,
                              NODE_TWINS_MAX, each_twin, &t);
}

enum err
node_twins_of(struct store_txn *txn, const struct contact_id *id, json_t *o)
{
    enum err e;
    struct store_contact contact = {0};

    e = store_contact_get(txn, id, &contact);
    e = e == OK ? node_twins(txn, &contact, true, o) : e;
    store_contact_clear(&contact);
    return e == ERR_MISSING ? OK : e;
}
