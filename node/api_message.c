/* SPDX-License-Identifier: Apache-2.0 */
/* A message as JSON: who wrote it, how far it came, what it says. */
#include "node/api.h"
#include "node/clinic/about.h"
#include "node/clinic/desk.h"

#include <string.h>

/* The least that every other clinic's mark of a kind has reached. */
struct reached {
    uint64_t least;
    size_t count;
};

static enum err
each_mark(void *ctx, struct view subject, uint64_t value)
{
    struct reached *r = ctx;

    (void)subject;
    if (r->count == 0 || value < r->least) {
        r->least = value;
    }
    r->count++;
    return OK;
}

static bool
all_reached(struct store_txn *txn, const struct store_conv *conv, uint8_t mark,
            const struct store_msg *m)
{
    struct reached r = {0};

    return store_conv_marks(txn, &conv->id, mark, (struct view){0}, each_mark,
                            &r) == OK &&
           r.count >= conv->contacts_len && r.count > 0 &&
           r.least >= node_log_place(m->log_term, m->log_seq);
}

static const char *
state_of(struct store_txn *txn, const struct store_conv *conv,
         const struct store_msg *m)
{
    switch (m->state) {
    case STORE_MSG_QUEUED:
        return "queued";
    case STORE_MSG_FAILED:
        return "failed";
    case STORE_MSG_LOCAL:
        return "note";
    case STORE_MSG_RECEIVED:
        return "received";
    case STORE_MSG_ACCEPTED:
    case STORE_MSG_DELIVERED:
    case STORE_MSG_STATE_COUNT_:
        break;
    }
    if (all_reached(txn, conv, NODE_MARK_READ, m)) {
        return "read";
    }
    return all_reached(txn, conv, NODE_MARK_DELIVERED, m) ? "delivered"
                                                          : "accepted";
}

static void
name_patient(struct store_txn *txn, const struct patient_id *id, json_t *into,
             const char *key)
{
    struct store_patient p = {0};
    struct phi name = {0};

    if (store_patient_get(txn, id, &p) == OK) {
        node_patient_label(txn, &p, &name);
    }
    node_json_view(into, key, proto_phi_reveal(&name));
    store_patient_clear(&p);
    phi_free(&name);
}

static void
name_clinic(struct node_call *c, struct store_txn *txn,
            const struct clinic_id *root, json_t *into, const char *key)
{
    struct store_clinic clinic = {0};
    struct phi name = {0};

    if (clinic_id_equal(root, &c->api->root)) {
        node_json_own_name(into, key, c->api);
        return;
    }
    if (store_clinic_get(txn, root, &clinic) == OK) {
        node_clinic_label(txn, &clinic, &name);
    }
    node_json_view(into, key, proto_phi_reveal(&name));
    store_clinic_clear(&clinic);
    phi_free(&name);
}

/* Who wrote it: the clinic or patient, and the name that it shows. */
static void
show_author(struct node_call *c, struct store_txn *txn,
            const struct store_msg *m, const struct proto_content *content,
            json_t *into)
{
    struct patient_id patient;
    struct clinic_id root;

    node_json_bool(into, "ours", !store_actor_outside(&m->author));
    if (m->author.kind == STORE_ACTOR_PEER) {
        memcpy(root.b, m->author.id, sizeof(root.b));
        node_json_hex(into, "clinic", clinic_id_view(&root));
        name_clinic(c, txn, &root, into, "from");
    } else if (m->author.kind == STORE_ACTOR_PATIENT) {
        memcpy(patient.b, m->author.id, sizeof(patient.b));
        node_json_hex(into, "patient", patient_id_view(&patient));
        name_patient(txn, &patient, into, "from");
    } else {
        node_json_own_name(into, "from", c->api);
    }
    if (content != NULL && content->author.name.len > 0) {
        node_json_view(into, "author", content->author.name);
    }
}

/* A question about a clinic, or what was said to one. */
static void
show_consent(struct node_call *c, struct store_txn *txn,
             const struct store_msg *m, const struct proto_content *content,
             json_t *into)
{
    static const char *const words[] = {
        [PROTO_CONSENT_GIVEN] = "yes",
        [PROTO_CONSENT_REFUSED] = "no",
        [PROTO_CONSENT_DESK] = "yes at the desk",
    };
    struct clinic_id clinic;
    struct clinic_id speaker = c->api->root;
    struct patient_id patient;

    if (m->author.kind == STORE_ACTOR_PEER) {
        memcpy(speaker.b, m->author.id, sizeof(speaker.b));
    }
    if (content->kind == PROTO_CONTENT_ASK) {
        memcpy(clinic.b, content->u.ask.clinic, sizeof(clinic.b));
        memcpy(patient.b, content->u.ask.patient, sizeof(patient.b));
    } else if (content->kind == PROTO_CONTENT_CONSENT) {
        uint64_t code = content->u.consent.code;

        memcpy(clinic.b, content->u.consent.clinic, sizeof(clinic.b));
        memcpy(patient.b, content->u.consent.patient, sizeof(patient.b));
        node_json_view(into, "said",
                       view_str(code < sizeof(words) / sizeof(*words) &&
                                        words[code] != NULL
                                    ? words[code]
                                    : "something newer"));
    } else {
        return;
    }
    name_clinic(c, txn, &clinic, into, "about_clinic");
    name_patient(txn, &patient, into, "about_patient");
    node_json_consent(c, &speaker, content, into);
}

static void
show_files(const struct proto_text *text, json_t *into)
{
    struct proto_list_at at = {0};
    struct proto_attachment a;
    json_t *files;

    if (text->attachments.len == 0) {
        return;
    }
    files = node_json_array(into, "attachments");
    while (
        proto_list_next(&text->attachments, &proto_attachment_shape, &at, &a)) {
        json_t *o = node_json_item(files);

        if (o != NULL) {
            node_json_view(o, "name", a.name);
            node_json_view(o, "type", a.type);
            node_json_num(o, "size", a.size);
        }
        mem_wipe(&a, sizeof(a));
    }
}

void
node_json_content(const struct proto_content *content, json_t *into)
{
    switch ((int)content->kind) {
    case PROTO_CONTENT_TEXT:
        node_json_view(into, "text", content->u.text.text);
        show_files(&content->u.text, into);
        break;
    case PROTO_CONTENT_EDIT:
        node_json_view(into, "text", content->u.edit.text);
        break;
    case PROTO_CONTENT_REACTION:
        node_json_view(into, "emoji", content->u.reaction.emoji);
        node_json_bool(into, "on", content->u.reaction.on);
        break;
    case PROTO_CONTENT_TITLE:
        node_json_view(into, "text", content->u.title.title);
        break;
    default:
        break;
    }
}

/* An edited message shows its newest text. */
static void
show_edited(struct store_txn *txn, const struct store_msg *m, json_t *into)
{
    struct store_msg edit = {0};
    struct proto_content content;

    node_json_bool(into, "edited", true);
    if (store_msg_get(txn, m->about, &edit) == OK &&
        proto_content_decode(view_of(&edit.body), &content) == OK) {
        node_json_content(&content, into);
    }
    store_msg_clear(&edit);
}

/* What it is about; of an edited one what its own text answers. */
static void
show_about(struct store_txn *txn, const struct store_msg *m,
           const struct proto_content *content, json_t *into)
{
    uint64_t about = m->about;

    if ((m->flags & STORE_MSG_EDITED) != 0 &&
        (content == NULL ||
         node_about_find(txn, &m->conv, content, &about) != OK)) {
        about = 0;
    }
    if (about != 0) {
        node_json_num(into, "about", about);
    }
}

/* Brought back after a loss, and by whom. */
static void
show_resent(struct node_call *c, struct store_txn *txn,
            const struct store_msg *m, json_t *into)
{
    struct store_clinic clinic = {0};
    struct phi name = {0};
    struct clinic_id by;

    node_json_bool(into, "resent", true);
    node_json_bool(into, "claimed", (m->flags & STORE_MSG_CLAIMED) != 0);
    if (node_about_resent_by(txn, &m->conv, m->seq, &by) != OK) {
        return;
    }
    node_json_hex(into, "resent_clinic", clinic_id_view(&by));
    if (clinic_id_equal(&by, &c->api->root)) {
        node_json_own_name(into, "resent_by", c->api);
    } else if (store_clinic_get(txn, &by, &clinic) == OK) {
        node_clinic_label(txn, &clinic, &name);
        node_json_view(into, "resent_by", proto_phi_reveal(&name));
    }
    store_clinic_clear(&clinic);
    phi_free(&name);
}

void
node_json_message(struct node_call *c, struct store_txn *txn,
                  const struct store_conv *conv, const struct store_msg *m,
                  json_t *into)
{
    struct proto_content decoded;
    const struct proto_content *content = NULL;

    if ((m->flags & STORE_MSG_OPAQUE) == 0 &&
        proto_content_decode(view_of(&m->body), &decoded) == OK) {
        content = &decoded;
    }
    node_json_num(into, "number", m->seq);
    node_json_hex(into, "id", message_id_view(&m->id));
    node_json_hex(into, "thread", conv_id_view(&m->conv));
    node_json_view(into, "kind", view_str(proto_content_word(m->kind)));
    show_author(c, txn, m, content, into);
    node_json_num(into, "at_ms", m->at_ms);
    node_json_num(into, "sent_ms", m->sent_ms);
    node_json_view(into, "state", view_str(state_of(txn, conv, m)));
    show_about(txn, m, content, into);
    if ((m->flags & STORE_MSG_AUTO) != 0) {
        node_json_bool(into, "auto", true);
    }
    if ((m->flags & STORE_MSG_RESENT) != 0) {
        show_resent(c, txn, m, into);
    }
    if ((m->flags & STORE_MSG_DELETED) != 0) {
        node_json_bool(into, "deleted", true);
        return;
    }
    if (content != NULL) {
        node_json_content(content, into);
        show_consent(c, txn, m, content, into);
    }
    if ((m->flags & STORE_MSG_EDITED) != 0) {
        show_edited(txn, m, into);
    }
}
