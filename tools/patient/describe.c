/* SPDX-License-Identifier: Apache-2.0 */
/* What the app knows, as rows of an answer. */
#include "tools/patient/describe.h"

#include "federation/app/doubt.h"
#include "federation/app/way.h"
#include "federation/core/spoken.h"
#include "proto/base/phi.h"

#include "crypto/ident/consent.h"
#include "proto/msg/content.h"
#include "proto/msg/group.h"

#include <stdio.h>
#include <string.h>

void
tool_put_view(json_t *o, const char *key, struct view v)
{
    (void)json_object_set_new(
        o, key, json_stringn(v.len == 0 ? "" : (const char *)v.p, v.len));
}

void
tool_put_num(json_t *o, const char *key, uint64_t n)
{
    (void)json_object_set_new(o, key, json_integer((json_int_t)n));
}

void
tool_put_bool(json_t *o, const char *key, bool b)
{
    (void)json_object_set_new(o, key, json_boolean(b));
}

void
tool_put_word(json_t *o, const char *key, const char *word)
{
    (void)json_object_set_new(o, key, json_string(word));
}

void
tool_put_hex(json_t *o, const char *key, struct view id)
{
    char hex[PROTO_HEX_MAX + 1];

    proto_hex(id, hex);
    (void)json_object_set_new(o, key, json_string(hex));
}

/* -------------------------------------------------------------------- names */

void
tool_patient_name(struct tool_patient *p, const struct subject_id *who,
                  struct bytes *out)
{
    struct fed_app_me me;
    struct fed_app_clinic c;
    struct clinic_id root;
    struct bytes hold = {0};
    char text[32];
    char hex[PROTO_HEX_MAX + 1];
    struct view name = VIEW_LIT("you");

    fed_app_me(p->app, &me);
    memcpy(root.b, who->b, sizeof(root.b));
    if (memcmp(me.patient.b, who->b, sizeof(who->b)) != 0) {
        proto_hex(subject_id_view(who), hex);
        (void)snprintf(text, sizeof(text), "Clinic %.8s", hex);
        name = view_str(text);
        if (fed_app_clinic(p->app, &root, &c, &hold) == OK && c.name.len > 0) {
            name = c.name;
        }
    }
    bytes_free(out);
    ERR_IGNORE(bytes_copy(mem_heap(), name, out), "no name without memory");
    bytes_free(&hold);
}

void
tool_patient_put_name(struct tool_patient *p, json_t *o, const char *key,
                      const uint8_t who[32])
{
    struct subject_id id;
    struct bytes name = {0};

    memcpy(id.b, who, sizeof(id.b));
    tool_patient_name(p, &id, &name);
    tool_put_view(o, key, view_of(&name));
    bytes_free(&name);
}

/* ------------------------------------------------------------------ clinics */

static const char *
clinic_state(enum fed_app_clinic_state s)
{
    switch (s) {
    case FED_APP_CLINIC_LOOKED:
        return "looked";
    case FED_APP_CLINIC_ASKED:
        return "asked";
    case FED_APP_CLINIC_ENROLLED:
        return "enrolled";
    case FED_APP_CLINIC_IN_THREAD:
        return "in_thread";
    case FED_APP_CLINIC_REFUSED:
        return "refused";
    case FED_APP_CLINIC_ENDED:
        return "ended";
    }
    return "unknown";
}

static const char *
learned(enum fed_app_learned l)
{
    switch (l) {
    case FED_APP_LEARNED_THREAD:
        return "introduced";
    case FED_APP_LEARNED_LINK:
        return "link";
    case FED_APP_LEARNED_IN_PERSON:
        return "in_person";
    case FED_APP_LEARNED_COMPARED:
        return "compared";
    }
    return "unknown";
}

json_t *
tool_patient_clinic_row(struct tool_patient *p, const struct fed_app_clinic *c)
{
    json_t *o = json_object();

    tool_put_num(o, "number", c->number);
    tool_put_hex(o, "id", clinic_id_view(&c->root));
    tool_patient_put_name(p, o, "name", c->root.b);
    tool_put_view(o, "address", c->address);
    tool_put_view(o, "phone", c->phone);
    if (c->picture.type != PROTO_PICTURE_NONE) {
        json_t *row = json_object();

        tool_put_word(row, "type", proto_picture_name(c->picture.type));
        tool_put_num(row, "width", c->picture.width);
        tool_put_num(row, "height", c->picture.height);
        tool_put_num(row, "size", c->picture.length);
        (void)json_object_set_new(o, "picture", row);
    }
    tool_put_word(o, "state", c->blocked ? "blocked" : clinic_state(c->state));
    tool_put_word(o, "learned", learned(c->learned));
    if (c->learned == FED_APP_LEARNED_THREAD && !clinic_id_is_zero(&c->by)) {
        tool_patient_put_name(p, o, "by", c->by.b);
    }
    if (!clinic_id_is_zero(&c->via)) {
        tool_patient_put_name(p, o, "through", c->via.b);
    }
    tool_put_bool(o, "home", c->home);
    tool_put_bool(o, "up", c->up);
    tool_put_num(o, "since_ms", c->since_ms);
    return o;
}

/* ------------------------------------------------------------------ threads */

static const char *
thread_state(enum fed_thread_state s)
{
    switch (s) {
    case FED_THREAD_OPENING:
        return "opening";
    case FED_THREAD_ACTIVE:
        return "active";
    case FED_THREAD_CHECKING:
        return "checking";
    case FED_THREAD_RESYNC:
        return "resync";
    case FED_THREAD_ENDED:
        return "ended";
    case FED_THREAD_REMOVED:
        return "removed";
    }
    return "unknown";
}

/* Did the person let this clinic read this conversation? */
static bool
consented(struct tool_patient *p, const struct fed_app_thread *t,
          const uint8_t root[32])
{
    struct fed_app_consent c = {0};
    struct bytes hold = {0};
    bool yes = false;

    while (!yes && fed_app_consent_next(p->app, c.number, &c, &hold) == OK) {
        yes = (c.state == FED_APP_CONSENT_ACCEPTED ||
               c.state == FED_APP_CONSENT_DESK) &&
              memcmp(c.thread.b, t->id.b, sizeof(t->id.b)) == 0 &&
              memcmp(c.clinic.b, root, 32) == 0;
    }
    bytes_free(&hold);
    return yes;
}

/* Is the person asked about this conversation, and has not answered? */
static bool
is_asked(struct tool_patient *p, const struct fed_app_thread *t)
{
    struct fed_app_consent c = {0};
    struct bytes hold = {0};
    bool yes = false;

    while (!yes && fed_app_consent_next(p->app, c.number, &c, &hold) == OK) {
        yes = c.state == FED_APP_CONSENT_ASKED &&
              memcmp(c.thread.b, t->id.b, sizeof(t->id.b)) == 0;
    }
    bytes_free(&hold);
    return yes;
}

static void
put_members(struct tool_patient *p, json_t *o, const struct fed_app_thread *t)
{
    struct proto_group g;
    struct proto_list_at at = {0};
    struct proto_subject s;
    json_t *members = json_array();

    (void)json_object_set_new(o, "members", members);
    if (t->group.len == 0 || proto_group_decode(t->group, &g) != OK) {
        return;
    }
    while (proto_list_next(&g.subjects, &proto_subject_shape, &at, &s)) {
        json_t *m = json_object();

        tool_patient_put_name(p, m, "name", s.root);
        tool_put_hex(m, "id", VIEW_ARRAY(s.root));
        tool_put_word(m, "kind",
                      s.kind == PROTO_SUBJECT_CLINIC ? "clinic" : "patient");
        tool_patient_put_name(p, m, "added_by", s.added_by);
        tool_put_bool(m, "orders", memcmp(s.root, g.hub, 32) == 0);
        if (s.kind == PROTO_SUBJECT_PATIENT) {
            tool_patient_put_name(p, m, "through", s.node);
        } else {
            tool_put_bool(m, "consent", consented(p, t, s.root));
        }
        (void)json_array_append_new(members, m);
    }
}

/* Its title, or the clinics in it. */
static void
put_title(json_t *o, const struct fed_app_thread *t)
{
    const json_t *members = json_object_get(o, "members");
    size_t i;
    const json_t *m;
    char text[512] = "";

    if (t->title.len > 0) {
        tool_put_view(o, "title", t->title);
        return;
    }
    json_array_foreach(members, i, m)
    {
        const char *name = json_string_value(json_object_get(m, "name"));
        size_t len = strlen(text);

        if (strcmp(json_string_value(json_object_get(m, "kind")), "clinic") ==
            0) {
            (void)snprintf(text + len, sizeof(text) - len, "%s%s",
                           len == 0 ? "" : ", ", name);
        }
    }
    while (text[0] != '\0' && !proto_utf8_valid(view_str(text))) {
        text[strlen(text) - 1] = '\0'; /* cut inside a letter */
    }
    tool_put_word(o, "title", text);
}

/* What it comes after, and whether it stands still. */
static void
put_way(struct tool_patient *p, json_t *o, const struct fed_app_thread *t)
{
    struct fed_app_thread before;
    struct bytes hold = {0};

    tool_put_bool(o, "continues", !thread_id_is_zero(&t->after));
    if (!thread_id_is_zero(&t->after) &&
        fed_app_thread(p->app, &t->after, &before, &hold) == OK) {
        tool_put_num(o, "after", before.number);
    }
    bytes_free(&hold);
    tool_put_bool(o, "gone", t->gone);
    if (t->gone) {
        tool_patient_put_name(p, o, "gone_clinic", t->hub.b);
        tool_put_num(o, "gone_ms", t->gone_ms);
    }
    if (t->left_out_ms != 0) {
        tool_patient_put_name(p, o, "gone_clinic", t->hub.b);
        tool_put_num(o, "left_out_ms", t->left_out_ms);
    }
}

/* Who stopped it, and what goes on. */
static void
put_cut(struct tool_patient *p, json_t *o, const struct fed_app_thread *t)
{
    static const char *const words[] = {
        [FED_APP_WAY_NONE] = "none",
        [FED_APP_WAY_JOIN] = "join",
        [FED_APP_WAY_HOME] = "home",
        [FED_APP_WAY_COMES] = "comes",
    };
    struct fed_app_way way;
    struct fed_app_clinic c;
    struct bytes hold = {0};

    if (clinic_id_is_zero(&t->cut)) {
        return;
    }
    tool_patient_put_name(p, o, "cut_by", t->cut.b);
    fed_app_way(p->app, t, &way);
    tool_put_word(o, "way", words[way.kind]);
    if (!clinic_id_is_zero(&way.clinic)) {
        tool_patient_put_name(p, o, "way_clinic", way.clinic.b);
    }
    if (fed_app_clinic(p->app, &way.clinic, &c, &hold) == OK) {
        tool_put_num(o, "way_number", c.number);
    }
    bytes_free(&hold);
}

static const char *
doubt_word(uint64_t what)
{
    static const char *const words[] = {
        [FED_APP_DOUBT_SILENT] = "silent",
        [FED_APP_DOUBT_WITHHELD] = "withheld",
        [FED_APP_DOUBT_UNDELIVERED] = "undelivered",
        [FED_APP_DOUBT_NEVER] = "never delivered",
        [FED_APP_DOUBT_CLOCK] = "clock",
        [FED_APP_DOUBT_FORK] = "two logs",
        [FED_APP_DOUBT_WAITS] = "not taken",
        [FED_APP_DOUBT_KEPT_OUT] = "kept out",
        [FED_APP_DOUBT_REPORT] = "report unanswered",
    };

    return what < sizeof(words) / sizeof(*words) && words[what] != NULL
               ? words[what]
               : "other";
}

/* As the node's answers say it. */
static void
put_doubts(struct tool_patient *p, json_t *o, const struct thread_id *id)
{
    struct fed_app_doubt d;
    struct fed_app_doubt last;
    const struct fed_app_doubt *after = NULL;
    json_t *rows = json_array();

    while (fed_app_doubt_next(p->app, id, after, &d) == OK) {
        json_t *row = json_object();

        tool_put_word(row, "what", doubt_word(d.what));
        if (!clinic_id_is_zero(&d.who)) {
            tool_patient_put_name(p, row, "who", d.who.b);
        }
        if (!clinic_id_is_zero(&d.carries)) {
            tool_patient_put_name(p, row, "carried_by", d.carries.b);
        }
        tool_put_bool(row, "itself", clinic_id_equal(&d.who, &d.carries));
        tool_put_num(row, "since_ms", d.since_ms);
        (void)json_array_append_new(rows, row);
        last = d;
        after = &last;
    }
    if (json_array_size(rows) > 0) {
        (void)json_object_set(o, "doubts", rows);
    }
    json_decref(rows);
}

json_t *
tool_patient_thread_row(struct tool_patient *p, const struct fed_app_thread *t)
{
    json_t *o = json_object();
    char spoken[FED_SPOKEN_LEN + 1];

    tool_put_num(o, "number", t->number);
    fed_spoken(&t->id, spoken);
    tool_put_word(o, "spoken", spoken);
    tool_put_hex(o, "id", thread_id_view(&t->id));
    tool_put_word(o, "state",
                  t->away                       ? "away"
                  : !clinic_id_is_zero(&t->cut) ? "cut"
                                                : thread_state(t->state));
    put_members(p, o, t);
    tool_put_bool(o, "asked", is_asked(p, t));
    if (json_array_size(json_object_get(o, "members")) == 0) {
        tool_patient_put_name(p, o, "title", t->hub.b);
    } else {
        put_title(o, t);
    }
    put_way(p, o, t);
    put_cut(p, o, t);
    tool_put_num(o, "messages", t->messages);
    tool_put_num(o, "unread", t->unread);
    tool_put_num(o, "waiting", t->waiting);
    tool_put_num(o, "last_ms", t->last_ms);
    put_doubts(p, o, &t->id);
    return o;
}

/* ----------------------------------------------------------------- messages */

static const char *
message_state(const struct fed_app_message *m)
{
    if ((m->flags & FED_APP_MESSAGE_OURS) == 0) {
        return "received";
    }
    switch (m->state) {
    case FED_MESSAGE_QUEUED:
        return "queued";
    case FED_MESSAGE_FAILED:
        return "failed";
    case FED_MESSAGE_ACCEPTED:
    case FED_MESSAGE_DELIVERED:
    case FED_MESSAGE_READ:
        break;
    }
    return m->read > 0 ? "read" : m->delivered > 0 ? "delivered" : "accepted";
}

static void
put_files(json_t *o, const struct fed_app_message *m)
{
    struct proto_list_at at = {0};
    struct proto_attachment a;
    json_t *files = json_array();

    while (m->kind == PROTO_CONTENT_TEXT &&
           proto_list_next(&m->files, &proto_attachment_shape, &at, &a)) {
        json_t *f = json_object();

        tool_put_num(f, "index", at.index);
        tool_put_view(f, "name", a.name);
        tool_put_view(f, "type", a.type);
        tool_put_num(f, "size", a.size);
        (void)json_array_append_new(files, f);
        mem_wipe(&a, sizeof(a));
    }
    (void)json_object_set_new(o, "files", files);
}

json_t *
tool_patient_message_row(struct tool_patient *p,
                         const struct fed_app_message *m)
{
    json_t *o = json_object();

    tool_put_num(o, "number", m->number);
    tool_put_hex(o, "id", message_id_view(&m->id));
    tool_patient_put_name(p, o, "from", m->author.b);
    tool_put_view(o, "name", m->name);
    tool_put_bool(o, "ours", (m->flags & FED_APP_MESSAGE_OURS) != 0);
    tool_put_word(o, "kind", proto_content_word(m->kind));
    tool_put_word(o, "state", message_state(m));
    tool_put_num(o, "at_ms", m->at_ms);
    tool_put_view(o, "text", m->text);
    tool_put_num(o, "reply_to", m->reply_to);
    tool_put_bool(o, "edited", (m->flags & FED_APP_MESSAGE_EDITED) != 0);
    tool_put_bool(o, "deleted", (m->flags & FED_APP_MESSAGE_DELETED) != 0);
    tool_put_bool(o, "resent", (m->flags & FED_APP_MESSAGE_RESENT) != 0);
    tool_put_bool(o, "newer", (m->flags & FED_APP_MESSAGE_OPAQUE) != 0);
    tool_put_bool(o, "auto", (m->flags & FED_APP_MESSAGE_AUTO) != 0);
    put_files(o, m);
    return o;
}

/* ----------------------------------------------------------------- consents */

static const char *
consent_state(enum fed_app_consent_state s)
{
    switch (s) {
    case FED_APP_CONSENT_ASKED:
        return "asked";
    case FED_APP_CONSENT_ACCEPTED:
        return "accepted";
    case FED_APP_CONSENT_REFUSED:
        return "refused";
    case FED_APP_CONSENT_WITHDRAWN:
        return "withdrawn";
    case FED_APP_CONSENT_DESK:
        return "desk";
    }
    return "unknown";
}

static const char *
history(uint64_t h)
{
    return h == IDENT_HISTORY_ALL    ? "all"
           : h == IDENT_HISTORY_FROM ? "from"
                                     : "none";
}

json_t *
tool_patient_consent_row(struct tool_patient *p,
                         const struct fed_app_consent *c)
{
    json_t *o = json_object();

    tool_put_num(o, "number", c->number);
    tool_put_word(o, "state", consent_state(c->state));
    tool_put_hex(o, "clinic_id", clinic_id_view(&c->clinic));
    if (c->clinic_name.len > 0) {
        tool_put_view(o, "clinic", c->clinic_name);
    } else {
        tool_patient_put_name(p, o, "clinic", c->clinic.b);
    }
    tool_patient_put_name(p, o, "asked_by", c->asker.b);
    tool_put_word(o, "scope",
                  c->scope == IDENT_SCOPE_PRIVATE ? "private" : "thread");
    tool_put_word(o, "history", history(c->history));
    tool_put_num(o, "history_from_ms", c->history_from_ms);
    tool_put_num(o, "until_ms", c->until_ms);
    tool_put_num(o, "at_ms", c->at_ms);
    tool_put_view(o, "purpose", c->purpose);
    tool_put_view(o, "member", c->member_name);
    tool_put_view(o, "why", c->why);
    tool_put_hex(o, "thread_id", thread_id_view(&c->thread));
    return o;
}

enum tool_exit
tool_patient_words(struct tool_patient *p, enum err e, struct bytes *words,
                   struct bytes *qr)
{
    enum tool_exit code;

    e = e == OK ? bytes_append(mem_heap(), qr, VIEW_LIT("\0")) : e;
    if (e == OK) {
        tool_put_view(p->out, "words", view_of(words));
        tool_put_word(p->out, "code", (const char *)qr->p);
        code = tool_show_qr(&p->args, (const char *)qr->p, !p->json);
    } else {
        code = tool_patient_failed(p, e);
    }
    bytes_free(words);
    bytes_free(qr);
    return code;
}
