/* SPDX-License-Identifier: Apache-2.0 */
/* What a person says: text, files, edits, reactions, receipts. */
#include "crypto/prim/hash.h"
#include "federation/app/inside.h"
#include "federation/core/chunk.h"
#include "proto/msg/content.h"

#include <string.h>

static enum err
target_of(struct fed_app *app, const struct thread_id *thread, uint64_t number,
          bool must_be_ours, uint8_t out[32])
{
    enum err e;
    struct fed_app_message m;
    struct bytes hold = {0};

    TRY(fed_app_message(app, thread, number, &m, &hold));
    TRY(must_be_ours && (m.flags & FED_APP_MESSAGE_OURS) == 0 ? ERR_DENIED
                                                              : OK);
    memcpy(out, m.id.b, 32);
out:
    bytes_free(&hold);
    return e;
}

static enum err
say(struct fed_app *app, const struct thread_id *thread,
    struct proto_content *c, bool hold, struct message_id *id)
{
    if (app->core == NULL) {
        return ERR_MISSING;
    }
    c->author.name = app->me.name;
    return fed_core_send(app->core, thread, c, hold, id);
}

/* One file: sealed chunk by chunk, kept until the clinic has it. */
static enum err
seal_file(struct fed_app *app, const struct fed_app_file_in *in,
          struct proto_attachment *a, struct bytes *chunks)
{
    enum err e;
    uint64_t n = fed_chunk_count(in->bytes.len);
    struct bytes sealed = {0};
    struct bytes *all = NULL;

    TRY(in->bytes.len > LIMIT_BLOB_SIZE ? ERR_LIMIT : OK);
    TRY(rng_fill(app->c.rng, a->key, sizeof(a->key)));
    TRY(bytes_alloc(app->mem, FED_CHUNK, &sealed));
    all = chunks;
    for (uint64_t i = 0; i < n; i++) {
        size_t len = fed_chunk_piece(in->bytes.len, i);
        struct hash32 hash;
        struct fed_app_key key;

        TRY(fed_chunk_seal(
            a->key, i, view_sub(in->bytes, (size_t)i * FED_CHUNK_PLAIN, len),
            sealed.p, &hash));
        TRY(bytes_append(app->mem, all, hash32_view(&hash)));
        key = fed_app_key(hash32_view(&hash), (struct view){0});
        TRY(fed_app_put(&app->kv, FED_APP_CHUNK, &key, view_of(&sealed)));
    }
    prim_sha256(view_of(all), a->blob);
    a->size = in->bytes.len;
    a->name = in->name;
    a->type = in->type;
    a->chunks = view_of(all);
out:
    bytes_free(&sealed);
    return e;
}

enum err
fed_app_send(struct fed_app *app, const struct thread_id *thread,
             struct view text, uint64_t reply_to,
             const struct fed_app_file_in *files, size_t files_len,
             struct message_id *id_out)
{
    enum err e;
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT};
    struct proto_attachment a[LIMIT_ATTACHMENTS] = {{.size = 0}};
    struct bytes chunks[LIMIT_ATTACHMENTS] = {{0}};

    TRY(text.len == 0 && files_len == 0 ? ERR_INVALID : OK);
    TRY(files_len > LIMIT_ATTACHMENTS ? ERR_LIMIT : OK);
    c.u.text.text = text;
    if (reply_to != 0) {
        TRY(target_of(app, thread, reply_to, false, c.u.text.reply_to));
    }
    for (size_t i = 0; i < files_len; i++) {
        TRY(seal_file(app, &files[i], &a[i], &chunks[i]));
    }
    c.u.text.attachments.items = a;
    c.u.text.attachments.len = (uint32_t)files_len;
    TRY(say(app, thread, &c, files_len > 0, id_out));
out:
    for (size_t i = 0; i < LIMIT_ATTACHMENTS; i++) {
        bytes_free(&chunks[i]);
    }
    mem_wipe(a, sizeof(a));
    return e;
}

enum err
fed_app_edit(struct fed_app *app, const struct thread_id *thread,
             uint64_t number, struct view text)
{
    enum err e;
    struct proto_content c = {.kind = PROTO_CONTENT_EDIT};
    struct message_id id;

    TRY(target_of(app, thread, number, true, c.u.edit.target));
    c.u.edit.text = text;
    TRY(say(app, thread, &c, false, &id));
out:
    return e;
}

enum err
fed_app_delete(struct fed_app *app, const struct thread_id *thread,
               uint64_t number)
{
    enum err e;
    struct proto_content c = {.kind = PROTO_CONTENT_DELETE};
    struct message_id id;

    TRY(target_of(app, thread, number, true, c.u.del.target));
    TRY(say(app, thread, &c, false, &id));
out:
    return e;
}

enum err
fed_app_react(struct fed_app *app, const struct thread_id *thread,
              uint64_t number, struct view emoji, bool on)
{
    enum err e;
    struct proto_content c = {.kind = PROTO_CONTENT_REACTION};
    struct message_id id;

    TRY(target_of(app, thread, number, false, c.u.reaction.target));
    c.u.reaction.emoji = emoji;
    c.u.reaction.on = on;
    TRY(say(app, thread, &c, false, &id));
out:
    return e;
}

enum err
fed_app_seen(struct fed_app *app, const struct thread_id *thread)
{
    enum err e;
    struct fed_app_key key =
        fed_app_key(thread_id_view(thread), (struct view){0});
    struct fed_app_rec_thread t;
    struct bytes hold = {0};

    TRY(fed_app_load(&app->kv, FED_APP_THREAD, &key, &fed_app_rec_thread_shape,
                     &t, &hold));
    if (t.unread == 0) {
        goto out;
    }
    t.unread = 0;
    TRY(fed_app_thread_save(app, thread, &t));
    if (app->core != NULL && t.last_seq != 0) {
        e = fed_core_read_upto(app->core, thread, t.last_term, t.last_seq);
        e = fed_app_ours(e) ? e : OK; /* a thread that ended gets none */
    }
out:
    bytes_free(&hold);
    return e;
}
