/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clinics with their pictures, consents, devices: node/web/shared/core/care.ts.
 */
#include "federation/app/api_wasm.h"
#include "federation/app/block.h"
#include "federation/app/consent.h"
#include "federation/app/picture.h"
#include "federation/app/way.h"
#include "federation/core/spoken.h"

#include <string.h>

#define FN(NAME) static FED_API_FN(NAME)

/* whether after, after -> root, number, state, learned, by, home, up, answer,
   birth, tries, since ms, name, address, phone, label, picture: type, wide,
   high */
FN(op_clinic_next)
{
    enum err e;
    struct fed_app_clinic c;
    struct clinic_id after = {{0}};
    bool has = proto_tls_rd_u8(in) != 0;
    struct bytes hold = {0};

    fed_api_rd_id(in, after.b);
    TRY(in->e);
    TRY(fed_app_clinic_next(api->app, has ? &after : NULL, &c, &hold));
    proto_tls_wr_fixed(out, clinic_id_view(&c.root));
    proto_tls_wr_u32(out, (uint32_t)c.number);
    proto_tls_wr_u8(out, (uint8_t)c.state);
    proto_tls_wr_u8(out, (uint8_t)c.learned);
    proto_tls_wr_fixed(out, clinic_id_view(&c.by));
    proto_tls_wr_u8(out, c.home ? 1 : 0);
    proto_tls_wr_u8(out, c.up ? 1 : 0);
    proto_tls_wr_u8(out, (uint8_t)c.answer);
    proto_tls_wr_u8(out, c.birth ? 1 : 0);
    proto_tls_wr_u8(out, (uint8_t)c.birth_tries);
    proto_tls_wr_u64(out, c.since_ms);
    proto_tls_wr_vec(out, c.name);
    proto_tls_wr_vec(out, c.address);
    proto_tls_wr_vec(out, c.phone);
    proto_tls_wr_vec(out, c.label);
    proto_tls_wr_u8(out, (uint8_t)c.picture.type);
    proto_tls_wr_u32(out, (uint32_t)c.picture.width);
    proto_tls_wr_u32(out, (uint32_t)c.picture.height);
out:
    bytes_free(&hold);
    return e;
}

/* root -> bytes */
FN(op_picture)
{
    enum err e;
    struct clinic_id root = {{0}};
    struct bytes b = {0};

    fed_api_rd_id(in, root.b);
    TRY(in->e);
    TRY(fed_app_picture(api->app, &root, &b));
    proto_tls_wr_vec(out, view_of(&b));
out:
    bytes_free(&b);
    return e;
}

/* link -> */
FN(op_look)
{
    enum err e;
    struct proto_link link;

    (void)out;
    TRY(fed_api_rd_link(in, &link));
    TRY(fed_app_look(api->app, &link));
out:
    proto_link_wipe(&link);
    return e;
}

/* root -> */
FN(op_part)
{
    struct clinic_id root = {{0}};

    (void)out;
    fed_api_rd_id(in, root.b);
    return in->e != OK ? in->e : fed_app_part(api->app, &root);
}

/* root -> words, qr */
FN(op_compare)
{
    enum err e;
    struct clinic_id root = {{0}};
    struct bytes words = {0};
    struct bytes qr = {0};

    fed_api_rd_id(in, root.b);
    TRY(in->e);
    TRY(fed_app_compare(api->app, &root, &words, &qr));
    proto_tls_wr_vec(out, view_of(&words));
    proto_tls_wr_vec(out, view_of(&qr));
out:
    bytes_free(&words);
    bytes_free(&qr);
    return e;
}

/* root, scanned -> */
FN(op_compared)
{
    struct clinic_id root = {{0}};
    struct view scanned;

    (void)out;
    fed_api_rd_id(in, root.b);
    scanned = proto_tls_rd_vec(in);
    return in->e != OK ? in->e : fed_app_compared(api->app, &root, scanned);
}

/* ----------------------------------------------------------------- consents */

/* after -> number, state, id, clinic, asker, scope, history, from ms, thread,
   at ms, until ms, purpose, clinic's name, member's name, why */
FN(op_consent_next)
{
    enum err e;
    struct fed_app_consent c;
    uint64_t after = proto_tls_rd_u32(in);
    struct bytes hold = {0};

    TRY(in->e);
    TRY(fed_app_consent_next(api->app, after, &c, &hold));
    proto_tls_wr_u32(out, (uint32_t)c.number);
    proto_tls_wr_u8(out, (uint8_t)c.state);
    proto_tls_wr_fixed(out, VIEW_ARRAY(c.id));
    proto_tls_wr_fixed(out, clinic_id_view(&c.clinic));
    proto_tls_wr_fixed(out, clinic_id_view(&c.asker));
    proto_tls_wr_u8(out, (uint8_t)c.scope);
    proto_tls_wr_u8(out, (uint8_t)c.history);
    proto_tls_wr_u64(out, c.history_from_ms);
    proto_tls_wr_fixed(out, thread_id_view(&c.thread));
    proto_tls_wr_u64(out, c.at_ms);
    proto_tls_wr_u64(out, c.until_ms);
    proto_tls_wr_vec(out, c.purpose);
    proto_tls_wr_vec(out, c.clinic_name);
    proto_tls_wr_vec(out, c.member_name);
    proto_tls_wr_vec(out, c.why);
out:
    bytes_free(&hold);
    return e;
}

/* number, 1 accept, 2 refuse, 3 withdraw -> */
FN(op_consent_answer)
{
    uint64_t number = proto_tls_rd_u32(in);
    uint8_t what = proto_tls_rd_u8(in);

    (void)out;
    if (in->e != OK) {
        return in->e;
    }
    switch (what) {
    case 1:
        return fed_app_consent_accept(api->app, number);
    case 2:
        return fed_app_consent_refuse(api->app, number);
    case 3:
        return fed_app_consent_withdraw(api->app, number);
    default:
        return ERR_INVALID;
    }
}

/* ------------------------------------------------------------------ devices */

/* index -> id, may add, here, added by */
FN(op_device)
{
    enum err e;
    struct fed_app_device d;
    uint32_t i = proto_tls_rd_u32(in);

    TRY(in->e);
    TRY(fed_app_device(api->app, i, &d));
    proto_tls_wr_fixed(out, device_id_view(&d.id));
    proto_tls_wr_u8(out, d.may_add ? 1 : 0);
    proto_tls_wr_u8(out, d.here ? 1 : 0);
    proto_tls_wr_fixed(out, subject_id_view(&d.added_by));
out:
    return e;
}

/* -> request */
FN(op_be_added)
{
    enum err e;
    struct bytes code = {0};

    TRY(in->e);
    TRY(fed_app_be_added(api->app, &code));
    proto_tls_wr_vec(out, view_of(&code));
out:
    bytes_free(&code);
    return e;
}

/* request, may add -> grant */
FN(op_add_device)
{
    enum err e;
    struct view request = proto_tls_rd_vec(in);
    bool may_add = proto_tls_rd_u8(in) != 0;
    struct bytes grant = {0};

    TRY(in->e);
    TRY(fed_app_add_device(api->app, request, may_add, &grant));
    proto_tls_wr_vec(out, view_of(&grant));
out:
    bytes_free(&grant);
    return e;
}

/* grant -> */
FN(op_granted)
{
    struct view grant = proto_tls_rd_vec(in);

    (void)out;
    return in->e != OK ? in->e : fed_app_granted(api->app, grant);
}

/* recovery code, device -> */
FN(op_remove_device)
{
    struct view code = proto_tls_rd_vec(in);
    struct device_id device = {{0}};
    unsigned bad = 0;

    (void)out;
    fed_api_rd_id(in, device.b);
    return in->e != OK ? in->e
                       : fed_app_remove_device(api->app, code, &device, &bad);
}

/* recovery code, clinic -> */
FN(op_move_home)
{
    struct view code = proto_tls_rd_vec(in);
    struct clinic_id home = {{0}};
    unsigned bad = 0;

    (void)out;
    fed_api_rd_id(in, home.b);
    return in->e != OK ? in->e : fed_app_move_home(api->app, code, &home, &bad);
}

/* clinic, whether -> */
FN(op_block)
{
    struct clinic_id root = {{0}};
    bool on;

    (void)out;
    fed_api_rd_id(in, root.b);
    on = proto_tls_rd_u8(in) != 0;
    return in->e != OK ? in->e : fed_app_block(api->app, &root, on);
}

/* thread -> not here yet, who has stopped it, what to do, with whom, what
   everybody in it calls it */
FN(op_standing)
{
    enum err e;
    struct thread_id id = {{0}};
    struct fed_app_thread t;
    struct fed_app_way way = {.kind = FED_APP_WAY_NONE};
    char spoken[FED_SPOKEN_LEN + 1];
    struct bytes hold = {0};

    fed_api_rd_id(in, id.b);
    TRY(in->e);
    TRY(fed_app_thread(api->app, &id, &t, &hold));
    if (!clinic_id_is_zero(&t.cut)) {
        fed_app_way(api->app, &t, &way);
    }
    proto_tls_wr_u8(out, t.away ? 1 : 0);
    proto_tls_wr_fixed(out, clinic_id_view(&t.cut));
    proto_tls_wr_u8(out, (uint8_t)way.kind);
    proto_tls_wr_fixed(out, clinic_id_view(&way.clinic));
    fed_spoken(&id, spoken);
    proto_tls_wr_vec(out, view_str(spoken));
out:
    bytes_free(&hold);
    return e;
}

/* thread -> how many, of each: what, where, ms, who, by whom, which device */
FN(op_lines)
{
    enum err e;
    struct thread_id id = {{0}};
    struct fed_line *lines =
        mem_calloc(mem_heap(), FED_LINES_MAX, sizeof(*lines));
    size_t len = 0;

    fed_api_rd_id(in, id.b);
    TRY(in->e);
    TRY(lines == NULL ? ERR_NOMEM : OK);
    TRY(fed_app_lines(api->app, &id, lines, FED_LINES_MAX, &len));
    proto_tls_wr_u32(out, (uint32_t)len);
    for (size_t i = 0; i < len; i++) {
        proto_tls_wr_vec(out, view_str(fed_line_word(lines[i].what)));
        proto_tls_wr_u64(out, lines[i].at);
        proto_tls_wr_u64(out, lines[i].ts_ms);
        proto_tls_wr_fixed(out, VIEW_ARRAY(lines[i].who));
        proto_tls_wr_fixed(out, VIEW_ARRAY(lines[i].by));
        proto_tls_wr_fixed(out, VIEW_ARRAY(lines[i].device));
    }
out:
    mem_free(mem_heap(), lines, FED_LINES_MAX * sizeof(*lines));
    return e;
}

static enum err (*const ops[])(struct fed_api *, struct proto_tls_rd *,
                               struct proto_tls_wr *) = {
    op_clinic_next,   op_picture,   op_look,         op_part,
    op_compare,       op_compared,  op_consent_next, op_consent_answer,
    op_device,        op_be_added,  op_add_device,   op_granted,
    op_remove_device, op_move_home, op_block,        op_standing,
    op_lines,
};

enum err
fed_api_care(struct fed_api *api, size_t i, struct proto_tls_rd *in,
             struct proto_tls_wr *out)
{
    return i < sizeof(ops) / sizeof(ops[0]) ? ops[i](api, in, out)
                                            : ERR_UNSUPPORTED;
}
