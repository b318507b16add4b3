/* SPDX-License-Identifier: Apache-2.0 */
/* Saying something: messages, edits, reactions. */
#include "node/attach.h"
#include "node/clinic/desk.h"
#include "node/say.h"
#include "node/sniff.h"
#include "proto/base/limits.h"

#include <string.h>
#include <sys/stat.h>

#define FAR_MIN LIMIT_MIB(4u)

/* A message with its files: views of what was attached. */
struct parcel {
    struct node_say say;
    struct proto_attachment files[LIMIT_ATTACHMENTS];
    struct node_attach attached[LIMIT_ATTACHMENTS];
    size_t files_len;
};

/* The message that something is about, and its conversation's thread. */
static enum err
find_target(struct node_call *c, struct view ref, bool must_be_ours,
            struct node_say *s, struct message_id *id)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct store_msg m = {0};
    struct store_conv conv = {0};

    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_msg(c, txn, ref, &m));
    TRY(store_conv_get(txn, &m.conv, &conv));
    if (must_be_ours && store_actor_outside(&m.author)) {
        TRY(node_call_fail(c, ERR_DENIED,
                           "Another clinic wrote this message; only they can "
                           "change it."));
    }
    if (!conv.has_thread) {
        TRY(node_say_why(c, ERR_MISSING));
    }
    s->conv = conv.id;
    s->thread = conv.thread;
    *id = m.id;
out:
    store_read_end(txn);
    store_msg_clear(&m);
    store_conv_clear(&conv);
    return e;
}

/* ------------------------------------------------------------------- files */

/* The name that the command line gave for file i. */
static struct view
file_name(const struct node_call *c, size_t i)
{
    const json_t *v = json_array_get(json_object_get(c->flags, "attach"), i);
    struct view name = view_make(json_string_value(v), json_string_length(v));

    if (name.len == 0 || name.len > LIMIT_NAME) {
        name = VIEW_LIT("file");
    }
    return name;
}

/* How far a long file is, for whoever asked to be told. */
struct far {
    struct node_call *c;
    uint64_t total; /* 0: nobody wants to know */
    uint64_t told;
};

static struct far
far_of(struct node_call *c, int fd, uint64_t size)
{
    struct far f = {.c = c, .total = size};
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
        f.total = (uint64_t)st.st_size;
    }
    if (!node_call_has(c, "progress") || f.total < FAR_MIN) {
        f.total = 0;
    }
    return f;
}

static bool
on_step(void *ctx, uint64_t done)
{
    struct far *f = ctx;
    json_t *line;
    bool listening = true;

    if (done < f->total && done - f->told < f->total / 100) {
        return true;
    }
    f->told = done;
    line = json_object();
    if (line != NULL) {
        node_json_num(line, "done", done < f->total ? done : f->total);
        node_json_num(line, "total", f->total);
        listening = f->c->emit(f->c->emit_ctx, line);
    }
    json_decref(line);
    return listening;
}

/* Seal what the command line handed over into the store. */
static enum err
seal_files(struct node_call *c, struct parcel *s)
{
    enum err e = OK;

    if (c->files_len > LIMIT_ATTACHMENTS) {
        return node_call_fail(c, ERR_LIMIT, "At most %u files in a message.",
                              LIMIT_ATTACHMENTS);
    }
    for (; s->files_len < c->files_len; s->files_len++) {
        size_t i = s->files_len;
        struct node_attach *a = &s->attached[i];
        struct proto_attachment *f = &s->files[i];
        struct far far;
        struct node_attach_progress progress = {on_step, &far};

        far = far_of(c, c->files[i], 0);
        e = node_attach_seal(c->api->store, c->files[i],
                             far.total > 0 ? &progress : NULL, a);
        if (e == ERR_LIMIT) {
            return node_call_fail(c, e, "The file is larger than %u MiB.",
                                  LIMIT_BLOB_SIZE / LIMIT_MIB(1u));
        }
        if (e != OK) {
            return e;
        }
        memcpy(f->blob, a->blob.b, sizeof(f->blob));
        memcpy(f->key, a->key, sizeof(f->key));
        f->size = a->size;
        f->name = file_name(c, i);
        f->type = node_sniff_file(c->files[i]);
        f->chunks = view_of(&a->chunks);
    }
    s->say.content.u.text.attachments.items = s->files;
    s->say.content.u.text.attachments.len = (uint32_t)s->files_len;
    s->say.files = s->files_len > 0;
    return OK;
}

static void
clear_files(struct parcel *s)
{
    for (size_t i = 0; i < LIMIT_ATTACHMENTS; i++) {
        node_attach_clear(&s->attached[i]);
    }
    mem_wipe(s->files, sizeof(s->files));
}

/* File number n of a message, from 1. */
static enum err
nth_file(struct node_call *c, const struct store_msg *m, uint64_t n,
         struct node_attach *out)
{
    enum err e;
    struct proto_content content;
    struct proto_list_at at = {0};
    struct proto_attachment f;

    TRY(proto_content_decode(view_of(&m->body), &content));
    if (content.kind != PROTO_CONTENT_TEXT || n == 0 ||
        n > content.u.text.attachments.len) {
        return node_call_fail(c, ERR_MISSING,
                              "This message has no file with that number.");
    }
    for (uint64_t i = 0; i < n; i++) {
        (void)proto_list_next(&content.u.text.attachments,
                              &proto_attachment_shape, &at, &f);
    }
    memcpy(out->blob.b, f.blob, sizeof(out->blob.b));
    memcpy(out->key, f.key, sizeof(out->key));
    out->size = f.size;
    TRY(bytes_copy(c->api->mem, f.chunks, &out->chunks));
    node_json_view(c->out, "name", f.name);
    node_json_num(c->out, "size", f.size);
out:
    mem_wipe(&f, sizeof(f));
    return e;
}

/* A person has seen this file. */
struct saved {
    struct node_call *c;
    struct conv_id conv;
    uint64_t seq;
};

static enum err
write_saved(void *ctx, struct store_txn *txn)
{
    struct saved *s = ctx;

    return node_audit_member(txn, s->c->api, NODE_AUDIT_SAVE_FILE,
                             conv_id_view(&s->conv), s->seq);
}

enum err
node_cmd_save_attachment(struct node_call *c)
{
    enum err e;
    struct store_txn *txn = NULL;
    struct store_msg m = {0};
    struct node_attach a = {0};
    struct saved saved;
    struct far far;
    struct node_attach_progress progress = {on_step, &far};
    uint64_t n = 1;

    TRY(node_call_number(c, "number", 1, &n));
    if (c->files_len != 1) {
        TRY(node_call_fail(c, ERR_INVALID, "Say where to save the file."));
    }
    TRY(store_read_begin(c->api->store, &txn));
    TRY(node_find_msg(c, txn, node_call_arg(c, 0), &m));
    store_read_end(txn);
    txn = NULL;
    TRY(nth_file(c, &m, n, &a));
    saved = (struct saved){c, m.conv, m.seq};
    far = far_of(c, -1, a.size);
    e = node_attach_open(c->api->store, &a, c->files[0],
                         far.total > 0 ? &progress : NULL);
    if (e == OK) { /* what it is, whatever it was called */
        node_json_view(c->out, "type", node_sniff_file(c->files[0]));
    }
    if (e == OK) { /* else whoever asked removes what there is of the file */
        e = store_write(c->api->store, write_saved, &saved, STORE_JOB_FREES);
    }
    if (e == ERR_MISSING) {
        e = node_call_fail(c, ERR_AGAIN,
                           "The file has not arrived yet. Try "
                           "again in a moment.");
    }
    if (e == ERR_AUTH) {
        e = node_call_fail(c, e,
                           "What arrived is not the file that was sent. "
                           "Ask for it again.");
    }
out:
    store_read_end(txn);
    store_msg_clear(&m);
    node_attach_clear(&a);
    return e;
}

enum err
node_cmd_send(struct node_call *c)
{
    enum err e;
    struct parcel p = {.say = {.action = NODE_AUDIT_SEND}};
    struct node_say other = {0};
    struct message_id reply = {{0}};

    TRY(node_say_find_soon(c, node_call_arg(c, 0), &p.say));
    p.say.content.kind = PROTO_CONTENT_TEXT;
    p.say.content.u.text.text = node_call_arg(c, 1);
    if (node_say_blank(p.say.content.u.text.text) && c->files_len == 0) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "There is nothing to send. Give a "
                           "text or a file."));
    }
    if (node_call_has(c, "reply")) {
        TRY(find_target(c, node_call_flag(c, "reply"), false, &other, &reply));
        if (!conv_id_equal(&other.conv, &p.say.conv)) {
            TRY(node_call_fail(c, ERR_INVALID,
                               "The message that you reply to "
                               "is in another conversation."));
        }
    }
    memcpy(p.say.content.u.text.reply_to, reply.b, sizeof(reply.b));
    TRY(seal_files(c, &p));
    TRY(node_say(c, &p.say));
out:
    clear_files(&p);
    return e;
}

enum err
node_cmd_edit(struct node_call *c)
{
    enum err e;
    struct node_say s = {.action = NODE_AUDIT_EDIT};
    struct message_id id;

    TRY(find_target(c, node_call_arg(c, 0), true, &s, &id));
    if (node_say_blank(node_call_arg(c, 1))) {
        TRY(node_call_fail(c, ERR_INVALID,
                           "There is no new text. To take a message back: "
                           "balsam delete."));
    }
    s.content.kind = PROTO_CONTENT_EDIT;
    memcpy(s.content.u.edit.target, id.b, sizeof(id.b));
    s.content.u.edit.text = node_call_arg(c, 1);
    TRY(node_say(c, &s));
out:
    return e;
}

enum err
node_cmd_delete(struct node_call *c)
{
    enum err e;
    struct node_say s = {.action = NODE_AUDIT_DELETE};
    struct message_id id;

    TRY(find_target(c, node_call_arg(c, 0), true, &s, &id));
    s.content.kind = PROTO_CONTENT_DELETE;
    memcpy(s.content.u.del.target, id.b, sizeof(id.b));
    TRY(node_say(c, &s));
out:
    return e;
}

enum err
node_cmd_react(struct node_call *c)
{
    enum err e;
    struct node_say s = {.action = NODE_AUDIT_SEND};
    struct message_id id;
    struct view emoji = node_call_arg(c, 1);

    TRY(find_target(c, node_call_arg(c, 0), false, &s, &id));
    if (emoji.len > LIMIT_EMOJI) {
        TRY(node_call_fail(c, ERR_LIMIT, "A reaction is one emoji."));
    }
    s.content.kind = PROTO_CONTENT_REACTION;
    memcpy(s.content.u.reaction.target, id.b, sizeof(id.b));
    s.content.u.reaction.emoji = emoji;
    s.content.u.reaction.on = emoji.len > 0;
    TRY(node_say(c, &s));
out:
    return e;
}
