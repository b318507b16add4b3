/* SPDX-License-Identifier: Apache-2.0 */
#include "node/api.h"
#include "node/plain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ memory */

/* jansson does not tell how much it frees, so the size goes before. */
static void *
json_alloc(size_t size)
{
    size_t *p = mem_alloc(mem_heap(), size + 2 * sizeof(size_t));

    if (p == NULL) {
        return NULL;
    }
    p[0] = size + 2 * sizeof(size_t);
    return p + 2;
}

static void
json_release(void *ptr)
{
    if (ptr != NULL) {
        size_t *p = (size_t *)ptr - 2;

        mem_free(mem_heap(), p, p[0]);
    }
}

void
node_json_init(void)
{
    json_set_alloc_funcs(json_alloc, json_release);
    json_object_seed(0);
}

/* ------------------------------------------------------------------- words */

struct view
node_call_arg(const struct node_call *c, size_t i)
{
    const json_t *v = json_array_get(c->args, i);

    return json_is_string(v)
               ? view_make(json_string_value(v), json_string_length(v))
               : (struct view){0};
}

struct view
node_call_flag(const struct node_call *c, const char *name)
{
    const json_t *v = json_object_get(c->flags, name);

    return json_is_string(v)
               ? view_make(json_string_value(v), json_string_length(v))
               : (struct view){0};
}

bool
node_call_has(const struct node_call *c, const char *name)
{
    const json_t *v = json_object_get(c->flags, name);

    return v != NULL && !json_is_false(v) && !json_is_null(v);
}

enum err
node_call_number(struct node_call *c, const char *name, uint64_t otherwise,
                 uint64_t *out)
{
    struct view v = node_call_flag(c, name);
    uint64_t n = 0;

    if (!node_call_has(c, name)) {
        *out = otherwise;
        return OK;
    }
    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] < '0' || v.p[i] > '9' || n > UINT32_MAX) {
            v.len = 0;
            break;
        }
        n = n * 10 + (uint64_t)(v.p[i] - '0');
    }
    if (v.len == 0) {
        return node_call_fail(c, ERR_INVALID, "--%s needs a number.", name);
    }
    *out = n;
    return OK;
}

enum err
node_call_limit(struct node_call *c, uint64_t otherwise, uint64_t most,
                uint64_t *out)
{
    enum err e;
    uint64_t n;

    TRY(node_call_number(c, "limit", otherwise, &n));
    if (n < 1 || n > most) {
        TRY(node_call_fail(c, ERR_LIMIT, "--limit is 1 to %llu.",
                           (unsigned long long)most));
    }
    *out = n;
out:
    return e;
}

enum err
node_call_fail(struct node_call *c, enum err e, const char *format, ...)
{
    va_list args;

    json_decref(c->say);
    va_start(args, format);
    c->say = json_vsprintf(format, args);
    va_end(args);
    return e;
}

void
node_json_view(json_t *o, const char *key, struct view text)
{
    json_t *s = json_stringn((const char *)text.p, text.len);

    if (text.len == 0) {
        json_decref(s);
        s = json_string("");
    }
    (void)json_object_set_new(o, key, s == NULL ? json_string("?") : s);
}

void
node_json_hex(json_t *o, const char *key, struct view id)
{
    char hex[PROTO_HEX_MAX + 1];

    proto_hex(id, hex);
    (void)json_object_set_new(o, key, json_string(hex));
}

void
node_json_num(json_t *o, const char *key, uint64_t n)
{
    (void)json_object_set_new(o, key, json_integer((json_int_t)n));
}

void
node_json_picture(json_t *o, const struct proto_picture *p)
{
    json_t *row = json_object();

    node_json_view(row, "type", view_str(proto_picture_name(p->type)));
    node_json_num(row, "width", p->width);
    node_json_num(row, "height", p->height);
    node_json_num(row, "size", p->length);
    (void)json_object_set_new(o, "picture", row);
}

void
node_json_bool(json_t *o, const char *key, bool b)
{
    (void)json_object_set_new(o, key, json_boolean(b));
}

json_t *
node_json_item(json_t *array)
{
    json_t *o = json_object();

    if (o == NULL || json_array_append_new(array, o) != 0) {
        return NULL;
    }
    return o;
}

json_t *
node_json_array(json_t *o, const char *key)
{
    json_t *a = json_array();

    if (a == NULL || json_object_set_new(o, key, a) != 0) {
        return NULL;
    }
    return a;
}

void
node_json_own_name(json_t *o, const char *key, struct node_api *api)
{
    (void)pthread_mutex_lock(&api->self_mx);
    node_json_view(o, key, proto_phi_reveal(&api->profile.name));
    (void)pthread_mutex_unlock(&api->self_mx);
}

enum err
node_audit_member(struct store_txn *txn, const struct node_api *api,
                  enum node_audit action, struct view object, uint64_t n)
{
    struct store_audit row = {.action = (uint16_t)action, .n = n};

    row.actor = store_actor_member(&api->member);
    row.object = object;
    return store_audit_append(txn, &row);
}

enum err
node_api_act_as(struct node_api *api, const struct store_member *m)
{
    api->member = m->id;
    return phi_from(api->mem, proto_phi_reveal(&m->name), &api->member_name);
}

void
node_api_author(const struct node_api *api, struct proto_author *out)
{
    memcpy(out->member, api->member.b, sizeof(out->member));
    out->name = proto_phi_reveal(&api->member_name);
}

bool
node_api_wait(struct node_api *api, uint64_t after)
{
    return node_news_wait(api, after, UINT64_MAX);
}

/* ---------------------------------------------------------------- commands */

struct command {
    const char *name;
    enum err (*run)(struct node_call *c);
    size_t args_min;
    size_t args_max;
};

static const struct command commands[] = {
    {"link create", node_cmd_link_create, 0, 0},
    {"link list", node_cmd_link_list, 0, 0},
    {"link show", node_cmd_link_show, 1, 1},
    {"link revoke", node_cmd_link_revoke, 1, 1},
    {"link rotate", node_cmd_link_rotate, 1, 1},
    {"invite", node_cmd_invite, 0, 1},
    {"invites", node_cmd_invites, 0, 0},
    {"invite resend", node_cmd_invite_resend, 1, 1},
    {"invite revoke", node_cmd_invite_revoke, 1, 1},
    {"patients", node_cmd_patients, 0, 0},
    {"devices", node_cmd_devices, 1, 1},
    {"device suspend", node_cmd_device_suspend, 2, 2},
    {"device resume", node_cmd_device_resume, 2, 2},
    {"compare", node_cmd_compare, 1, 1},
    {"consents", node_cmd_consents, 0, 1},
    {"look", node_cmd_look, 1, 1},
    {"look end", node_cmd_look_end, 1, 1},
    {"connect", node_cmd_connect, 1, 1},
    {"requests", node_cmd_requests, 0, 0},
    {"accept", node_cmd_accept, 1, 1},
    {"refuse", node_cmd_refuse, 1, 1},
    {"clinics", node_cmd_clinics, 0, 0},
    {"clinics show", node_cmd_clinics_show, 1, 1},
    {"disconnect", node_cmd_disconnect, 1, 1},
    {"block", node_cmd_block, 1, 1},
    {"unblock", node_cmd_unblock, 1, 1},
    {"inbox", node_cmd_inbox, 0, 0},
    {"thread show", node_cmd_thread_show, 1, 1},
    {"thread new", node_cmd_thread_new, 1, 8},
    {"thread add", node_cmd_thread_add, 2, 2},
    {"thread remove", node_cmd_thread_remove, 2, 2},
    {"thread ask", node_cmd_thread_ask, 2, 2},
    {"thread members", node_cmd_thread_members, 1, 1},
    {"thread hand-over", node_cmd_thread_hand_over, 1, 2},
    {"thread leave", node_cmd_thread_leave, 1, 1},
    {"thread settle", node_cmd_thread_settle, 1, 1},
    {"send", node_cmd_send, 1, 2},
    {"edit", node_cmd_edit, 2, 2},
    {"delete", node_cmd_delete, 1, 1},
    {"react", node_cmd_react, 2, 2},
    {"report", node_cmd_report, 1, 1},
    {"reports", node_cmd_reports, 0, 0},
    {"reports close", node_cmd_report_close, 1, 1},
    {"save-attachment", node_cmd_save_attachment, 1, 2},
    {"watch", node_cmd_watch, 0, 1},
    {"contact add", node_cmd_contact_add, 1, 1},
    {"contact show", node_cmd_contact_show, 1, 1},
    {"contact edit", node_cmd_contact_edit, 1, 1},
    {"contact note", node_cmd_contact_note, 2, 2},
    {"contact link", node_cmd_contact_link, 2, 2},
    {"contact unlink", node_cmd_contact_unlink, 1, 1},
    {"contact find", node_cmd_contact_find, 0, 1},
    {"status", node_cmd_status, 0, 0},
    {"peers", node_cmd_peers, 0, 0},
    {"doctor", node_cmd_doctor, 0, 0},
    {"profile show", node_cmd_profile_show, 0, 0},
    {"profile set", node_cmd_profile_set, 0, 0},
    {"recovery sheet", node_cmd_recovery_sheet, 0, 0},
    {"recovery check", node_cmd_recovery_check, 1, 1},
    {"rotate-key", node_cmd_rotate_key, 0, 1},
    {"backup", node_cmd_backup, 1, 1},
    {"audit", node_cmd_audit, 0, 0},
    {"splice allow", node_cmd_splice_allow, 1, 1},
    {"splice deny", node_cmd_splice_deny, 1, 1},
};

/* What to do about an error that nobody put into words. */
static const char *
sentence(enum err e)
{
    static const char *const words[ERR_COUNT_] = {
        [ERR_NOMEM] = "The node has no memory left. Stop other programs, then "
                      "try again.",
        [ERR_FULL] = "The disk is full. Nothing was changed; make room, then "
                     "try again.",
        [ERR_CORRUPT] = "Stored data is damaged. Run balsam verify, and "
                        "restore the last backup.",
        [ERR_STATE] = "That is not possible now.",
        [ERR_MISSING] = "There is no such thing.",
        [ERR_EXISTS] = "It is there already.",
        [ERR_LIMIT] = "That is too long or too much.",
        [ERR_DENIED] = "That is not allowed.",
        [ERR_TIMEOUT] = "There was no answer in time. Try again later.",
    };

    return words[e] != NULL ? words[e]
                            : "It did not work. Look into the log of balsamd "
                              "for the reason.";
}

static const struct command *
find_command(const json_t *request)
{
    const char *name = json_string_value(json_object_get(request, "do"));

    for (size_t i = 0; name != NULL && i < sizeof(commands) / sizeof(*commands);
         i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

/* Names, labels and the like are in what is written after it, and kept. */
static bool
keeps_names(const char *command)
{
    static const char *const names[] = {
        "link create",  "link rotate", "invite",     "invite resend",
        "thread new",   "thread add",  "thread ask", "contact add",
        "contact edit", "profile set"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(names[i], command) == 0) {
            return true;
        }
    }
    return false;
}

/* Names, labels, purposes: one line each.  A file or folder is called as it
 * is. */
static enum err
only_plain(struct node_call *c)
{
    static const char *const files[] = {"control", "data", "file", "pdf",
                                        "picture", "png",  "svg"};
    const char *name;
    const json_t *value;
    size_t i;

    json_array_foreach(c->args, i, value)
    {
        if (!node_plain(node_call_arg(c, i))) {
            return node_call_fail(c, ERR_INVALID, "The name " NODE_PLAIN_SAY);
        }
    }
    json_object_foreach(c->flags, name, value)
    {
        bool file = false;

        for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
            file = file || strcmp(name, files[i]) == 0;
        }
        if (!file && !node_plain(node_call_flag(c, name))) {
            return node_call_fail(c, ERR_INVALID, "--%s " NODE_PLAIN_SAY, name);
        }
    }
    return OK;
}

static enum err
run(struct node_call *c, const json_t *request)
{
    enum err e;
    const struct command *cmd = find_command(request);

    if (cmd == NULL) {
        return node_call_fail(c, ERR_UNSUPPORTED,
                              "The node does not know this command. Update "
                              "balsamd and balsam to the same version.");
    }
    if (json_array_size(c->args) < cmd->args_min) {
        return node_call_fail(c, ERR_INVALID, "%s needs %zu argument%s.",
                              cmd->name, cmd->args_min,
                              cmd->args_min == 1 ? "" : "s");
    }
    if (json_array_size(c->args) > cmd->args_max) {
        return node_call_fail(c, ERR_INVALID,
                              "%s takes at most %zu argument%s. Ask for the "
                              "others one by one.",
                              cmd->name, cmd->args_max,
                              cmd->args_max == 1 ? "" : "s");
    }
    TRY(keeps_names(cmd->name) ? only_plain(c) : OK);
    e = cmd->run(c);
out:
    return e;
}

json_t *
node_call_reply(struct node_call *c, enum err e)
{
    if (c->out == NULL) {
        return NULL;
    }
    if (e != OK) {
        (void)json_object_clear(c->out);
        (void)json_object_set_new(c->out, "error", json_string(err_name(e)));
        (void)json_object_set_new(c->out, "say",
                                  c->say == NULL ? json_string(sentence(e))
                                                 : json_incref(c->say));
    }
    (void)json_object_set_new(c->out, "ok", json_boolean(e == OK));
    json_decref(c->say);
    c->say = NULL;
    return c->out;
}

json_t *
node_api_answer(struct node_api *api, const json_t *request, const int *files,
                size_t files_len, bool (*emit)(void *ctx, json_t *line),
                void *emit_ctx)
{
    struct node_call c = {.api = api, .emit = emit, .emit_ctx = emit_ctx};

    c.args = json_object_get(request, "args");
    c.flags = json_object_get(request, "flags");
    c.out = json_object();
    if (files_len > 0 && files_len <= NODE_API_FILES) {
        memcpy(c.files, files, files_len * sizeof(*files));
        c.files_len = files_len;
    }
    return node_call_reply(&c, c.out == NULL ? ERR_NOMEM : run(&c, request));
}

void
node_api_journal(struct node_api *api, uint64_t seq, bool stopping)
{
    (void)pthread_mutex_lock(&api->journal_mx);
    if (seq > api->journal_seq) {
        api->journal_seq = seq;
    }
    api->stopping = api->stopping || stopping;
    (void)pthread_cond_broadcast(&api->journal_cond);
    (void)pthread_mutex_unlock(&api->journal_mx);
}
