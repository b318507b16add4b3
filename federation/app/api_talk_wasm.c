/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people do with messages beyond saying them: files, changes, reports, and
 * who can read along: node/web/shared/core/talk.ts.
 */
#include "federation/app/api_wasm.h"
#include "federation/app/attach.h"
#include "federation/app/report.h"
#include "proto/base/limits.h"
#include "proto/msg/content.h"
#include "proto/msg/group.h"

#include <string.h>

#define FN(NAME) static FED_API_FN(NAME)

/* thread, number: which message */
static struct thread_id
rd_which(struct proto_tls_rd *in, uint64_t *number)
{
    struct thread_id thread = {{0}};

    fed_api_rd_id(in, thread.b);
    *number = proto_tls_rd_u32(in);
    return thread;
}

/* thread -> hub, then for each who can read it: id, kind, who delivers, added
   by */
FN(op_members)
{
    enum err e;
    struct thread_id thread = {{0}};
    struct fed_app_thread t;
    struct proto_group group;
    struct proto_subject s;
    struct proto_list_at at = {0};
    struct bytes hold = {0};

    fed_api_rd_id(in, thread.b);
    TRY(in->e);
    TRY(fed_app_thread(api->app, &thread, &t, &hold));
    proto_tls_wr_fixed(out, clinic_id_view(&t.hub));
    TRY(t.group.len == 0 ? OK : proto_group_decode(t.group, &group));
    while (t.group.len > 0 &&
           proto_list_next(&group.subjects, &proto_subject_shape, &at, &s)) {
        proto_tls_wr_fixed(out, VIEW_ARRAY(s.root));
        proto_tls_wr_u8(out, (uint8_t)s.kind);
        proto_tls_wr_fixed(out, VIEW_ARRAY(s.node));
        proto_tls_wr_fixed(out, VIEW_ARRAY(s.added_by));
    }
out:
    bytes_free(&hold);
    return e;
}

/* thread, number -> id, then for each file: name, type, size */
FN(op_files)
{
    enum err e;
    uint64_t number;
    struct thread_id thread = rd_which(in, &number);
    struct fed_app_message m;
    struct proto_attachment a;
    struct proto_list_at at = {0};
    struct bytes hold = {0};

    TRY(in->e);
    TRY(fed_app_message(api->app, &thread, number, &m, &hold));
    proto_tls_wr_fixed(out, message_id_view(&m.id));
    while (proto_list_next(&m.files, &proto_attachment_shape, &at, &a)) {
        proto_tls_wr_vec(out, a.name);
        proto_tls_wr_vec(out, a.type);
        proto_tls_wr_u64(out, a.size);
        mem_wipe(&a, sizeof(a));
    }
out:
    bytes_free(&hold);
    return e;
}

/* thread, text, reply to, then for each file: name, type, bytes -> message id
 */
FN(op_send_files)
{
    enum err e;
    struct thread_id thread = {{0}};
    struct message_id id;
    struct fed_app_file_in files[LIMIT_ATTACHMENTS];
    struct view text;
    uint32_t reply;
    size_t n = 0;

    fed_api_rd_id(in, thread.b);
    text = proto_tls_rd_vec(in);
    reply = proto_tls_rd_u32(in);
    while (in->e == OK && proto_tls_rd_more(in)) {
        TRY(n < LIMIT_ATTACHMENTS ? OK : ERR_LIMIT);
        files[n].name = proto_tls_rd_vec(in);
        files[n].type = proto_tls_rd_vec(in);
        files[n].bytes = proto_tls_rd_vec(in);
        n++;
    }
    TRY(in->e);
    TRY(fed_app_send(api->app, &thread, text, reply, files, n, &id));
    proto_tls_wr_fixed(out, message_id_view(&id));
out:
    return e;
}

/* thread, number, index -> */
FN(op_fetch)
{
    uint64_t number;
    struct thread_id thread = rd_which(in, &number);
    uint32_t index = proto_tls_rd_u32(in);

    (void)out;
    return in->e != OK ? in->e
                       : fed_app_fetch(api->app, &thread, number, index);
}

/* thread, number, index -> state, up, pieces, moved */
FN(op_file)
{
    enum err e;
    uint64_t number;
    struct thread_id thread = rd_which(in, &number);
    uint32_t index = proto_tls_rd_u32(in);
    struct fed_app_file f;

    TRY(in->e);
    TRY(fed_app_file(api->app, &thread, number, index, &f));
    proto_tls_wr_u8(out, (uint8_t)f.state);
    proto_tls_wr_u8(out, f.up ? 1 : 0);
    proto_tls_wr_u32(out, (uint32_t)f.pieces);
    proto_tls_wr_u32(out, (uint32_t)f.moved);
out:
    return e;
}

/* thread, number, index, piece -> bytes */
FN(op_piece)
{
    enum err e;
    uint64_t number;
    struct thread_id thread = rd_which(in, &number);
    uint32_t index = proto_tls_rd_u32(in);
    uint32_t piece = proto_tls_rd_u32(in);
    struct bytes b = {0};

    TRY(in->e);
    TRY(fed_app_file_piece(api->app, &thread, number, index, piece, &b));
    proto_tls_wr_vec(out, view_of(&b));
out:
    bytes_free(&b);
    return e;
}

/* ------------------------------------------------------------------ changes */

/* thread, number, text -> */
FN(op_edit)
{
    uint64_t number;
    struct thread_id thread = rd_which(in, &number);
    struct view text = proto_tls_rd_vec(in);

    (void)out;
    return in->e != OK ? in->e : fed_app_edit(api->app, &thread, number, text);
}

/* thread, number -> */
FN(op_delete)
{
    uint64_t number;
    struct thread_id thread = rd_which(in, &number);

    (void)out;
    return in->e != OK ? in->e : fed_app_delete(api->app, &thread, number);
}

/* thread, number, emoji, on -> */
FN(op_react)
{
    uint64_t number;
    struct thread_id thread = rd_which(in, &number);
    struct view emoji = proto_tls_rd_vec(in);
    bool on = proto_tls_rd_u8(in) != 0;

    (void)out;
    return in->e != OK ? in->e
                       : fed_app_react(api->app, &thread, number, emoji, on);
}

/* thread -> */
FN(op_leave)
{
    struct thread_id thread = {{0}};

    (void)out;
    fed_api_rd_id(in, thread.b);
    return in->e != OK ? in->e : fed_app_leave(api->app, &thread);
}

/* thread, clinic -> thread */
FN(op_continue)
{
    enum err e;
    struct thread_id thread = {{0}};
    struct clinic_id with = {{0}};
    struct thread_id id;

    fed_api_rd_id(in, thread.b);
    fed_api_rd_id(in, with.b);
    TRY(in->e);
    TRY(fed_app_continue(api->app, &thread, &with, &id));
    proto_tls_wr_fixed(out, thread_id_view(&id));
out:
    return e;
}

/* ------------------------------------------------------------------ reports */

/* thread -> clinics */
FN(op_report_to)
{
    enum err e;
    struct thread_id thread = {{0}};
    struct clinic_id to[FED_REPORT_TO];
    size_t n = 0;

    fed_api_rd_id(in, thread.b);
    TRY(in->e);
    TRY(fed_app_report_to(api->app, &thread, to, &n));
    for (size_t i = 0; i < n; i++) {
        proto_tls_wr_fixed(out, clinic_id_view(&to[i]));
    }
out:
    return e;
}

/* thread, number -> enum fed_app_proof */
FN(op_proof)
{
    enum err e;
    uint64_t number;
    struct thread_id thread = rd_which(in, &number);
    enum fed_app_proof proof;

    TRY(in->e);
    TRY(fed_app_proof(api->app, &thread, number, &proof));
    proto_tls_wr_u8(out, (uint8_t)proof);
out:
    return e;
}

/* thread, number, reason, words -> */
FN(op_report)
{
    uint64_t number;
    struct thread_id thread = rd_which(in, &number);
    uint8_t reason = proto_tls_rd_u8(in);
    struct view words = proto_tls_rd_vec(in);

    (void)out;
    return in->e != OK
               ? in->e
               : fed_app_report(api->app, &thread, number, reason, words);
}

/* -> whether something goes with the next turn */
FN(op_rest)
{
    bool owed = false;
    enum err e = fed_app_rest(api->app, &owed);

    (void)in;
    proto_tls_wr_u8(out, owed ? 1 : 0);
    return e;
}

/* -> whether the home keeps no more history */
FN(op_archive_full)
{
    (void)in;
    proto_tls_wr_u8(out, fed_app_archive_full(api->app) ? 1 : 0);
    return OK;
}

static enum err (*const ops[])(struct fed_api *, struct proto_tls_rd *,
                               struct proto_tls_wr *) = {
    op_members, op_files,  op_send_files, op_fetch,
    op_file,    op_piece,  op_edit,       op_delete,
    op_react,   op_leave,  op_continue,   op_report_to,
    op_proof,   op_report, op_rest,       op_archive_full,
};

enum err
fed_api_talk(struct fed_api *api, size_t i, struct proto_tls_rd *in,
             struct proto_tls_wr *out)
{
    return i < sizeof(ops) / sizeof(ops[0]) ? ops[i](api, in, out)
                                            : ERR_UNSUPPORTED;
}
