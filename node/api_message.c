/* SPDX-License-Identifier: Apache-2.0 */
/* A message as JSON: who wrote it, how far it came, what it says. */
#include "node/api.h"
#include "node/clinic/about.h"
#include "node/clinic/desk.h"

#include <string.h>

static const char *
kind_word(uint16_t kind)
{
    switch (kind) {
    case PROTO_CONTENT_TEXT:
        return "text";
    case PROTO_CONTENT_EDIT:
        return "edit";
    case PROTO_CONTENT_DELETE:
        return "delete";
    case PROTO_CONTENT_REACTION:
        return "reaction";
    case PROTO_CONTENT_TITLE:
        return "title";
    default:
        return "newer";
    }
}

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

/* Who wrote it: the clinic, and the name that it shows. */
static void
show_author(struct node_call *c, struct store_txn *txn,
            const struct store_msg *m, const struct proto_content *content,
            json_t *into)
{
    struct store_clinic clinic = {0};
    struct phi name = {0};
    struct clinic_id root;

    node_json_bool(into, "ours", m->author.kind != STORE_ACTOR_PEER);
    if (m->author.kind == STORE_ACTOR_PEER) {
        memcpy(root.b, m->author.id, sizeof(root.b));
        if (store_clinic_get(txn, &root, &clinic) == OK) {
            node_clinic_label(txn, &clinic, &name);
        }
        node_json_hex(into, "clinic", clinic_id_view(&root));
        node_json_view(into, "from", proto_phi_reveal(&name));
    } else {
        node_json_own_name(into, "from", c->api);
    }
    if (content != NULL && content->author.name.len > 0) {
        node_json_view(into, "author", content->author.name);
    }
    store_clinic_clear(&clinic);
    phi_free(&name);
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

static void
show_content(const struct proto_content *content, json_t *into)
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
        show_content(&content, into);
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
    if (node_about_resent_by(txn, &m->conv, m->seq, &by) != OK) {
        return;
    }
    node_json_hex(into, "resent_clinic", clinic_id_view(&by));
    if (clinic_id_equal(&by, &c->api->identity.root)) {
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
    node_json_view(into, "kind", view_str(kind_word(m->kind)));
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
        show_content(content, into);
    }
    if ((m->flags & STORE_MSG_EDITED) != 0) {
        show_edited(txn, m, into);
    }
}
