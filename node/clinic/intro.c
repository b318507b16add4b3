/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clinic/intro.h"

#include "crypto/ident/profile.h"
#include "node/clinic/event.h"
#include "proto/base/limits.h"
#include "store/journal.h"

#include <string.h>

/* ------------------------------------------------------------------- saying */

struct saying {
    struct store_txn *txn;
    const struct clinic_id *self;
    struct view profile;
    const struct mem *mem;
    struct proto_intro_name names[LIMIT_INTRO_NAMES];
    struct phi words[LIMIT_INTRO_NAMES];
    struct bytes holds[LIMIT_INTRO_NAMES];
    uint32_t len;
};

/* How we call a patient; no row for one without a name. */
static enum err
name_patient(struct saying *s, const struct proto_subject *subject)
{
    enum err e;
    struct proto_intro_name *n = &s->names[s->len];
    struct patient_id id;

    memcpy(id.b, subject->root, sizeof(id.b));
    e = node_patient_called(s->txn, &id, s->mem, &s->words[s->len]);
    if (e == OK) {
        n->name = proto_phi_reveal(&s->words[s->len]);
        n->name.len = n->name.len > LIMIT_NAME ? 0 : n->name.len;
        s->len += n->name.len > 0 ? 1 : 0;
    }
    return e == ERR_MISSING ? OK : e;
}

static enum err
name_clinic(struct saying *s, const struct proto_subject *subject)
{
    enum err e;
    struct proto_intro_name *n = &s->names[s->len];
    struct store_clinic clinic = {0};
    struct clinic_id id;

    memcpy(id.b, subject->root, sizeof(id.b));
    if (clinic_id_equal(&id, s->self)) {
        n->profile = s->profile;
    } else {
        e = store_clinic_get(s->txn, &id, &clinic);
        if (e != OK) {
            return e == ERR_MISSING ? OK : e;
        }
        s->holds[s->len] = bytes_take(&clinic.profile);
        n->profile = view_of(&s->holds[s->len]);
    }
    s->len += n->profile.len > 0 ? 1 : 0;
    store_clinic_clear(&clinic);
    return OK;
}

static enum err
name_all(struct saying *s, const struct proto_group *group)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject subject;

    while (s->len < LIMIT_INTRO_NAMES &&
           proto_list_next(&group->subjects, &proto_subject_shape, &at,
                           &subject)) {
        struct proto_intro_name *n = &s->names[s->len];

        *n = (struct proto_intro_name){.name = {0}};
        memcpy(n->subject, subject.root, sizeof(n->subject));
        TRY(subject.kind == PROTO_SUBJECT_PATIENT ? name_patient(s, &subject)
                                                  : name_clinic(s, &subject));
    }
out:
    return e;
}

enum err
node_intro_make(struct store_txn *txn, const struct thread_id *thread,
                const struct proto_group *group, const struct clinic_id *self,
                struct view profile, const struct mem *mem, struct bytes *out)
{
    enum err e;
    struct saying *s = mem_alloc(mem, sizeof(*s));
    struct store_conv conv = {0};
    struct conv_id id;
    struct proto_content c = {.kind = PROTO_CONTENT_INTRO};
    struct view title;

    TRY(s == NULL ? ERR_NOMEM : OK);
    s->txn = txn;
    s->self = self;
    s->profile = profile;
    s->mem = mem;
    e = store_conv_by_thread(txn, thread, &id);
    if (e != OK && e != ERR_MISSING) {
        goto out;
    }
    TRY(e == OK ? store_conv_get(txn, &id, &conv) : OK);
    title = proto_phi_reveal(&conv.title);
    c.u.intro.title = title.len <= LIMIT_NAME ? title : (struct view){0};
    TRY(name_all(s, group));
    TRY(title.len == 0 && s->len == 0 ? ERR_MISSING : OK);
    c.u.intro.names = (struct proto_list){.items = s->names, .len = s->len};
    TRY(proto_content_encode(mem, &c, out));
out:
    store_conv_clear(&conv);
    for (size_t i = 0; s != NULL && i < LIMIT_INTRO_NAMES; i++) {
        phi_free(&s->words[i]);
        bytes_free(&s->holds[i]);
    }
    mem_free(mem, s, s == NULL ? 0 : sizeof(*s));
    return e;
}

/* ------------------------------------------------------------------ hearing */

/* Write: a conversation without a title has this one. */
static enum err
take_title(struct store_txn *txn, const struct fed_show *show,
           struct view title)
{
    enum err e;
    struct store_conv conv = {0};
    struct conv_id id;

    if (title.len == 0) {
        return OK;
    }
    e = store_conv_by_thread(txn, &show->thread, &id);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    TRY(store_conv_get(txn, &id, &conv));
    if (phi_len(&conv.title) == 0) {
        TRY(phi_from(store_txn_mem(txn), title, &conv.title));
        TRY(store_conv_put(txn, &conv));
        TRY(node_desk_event(txn, NODE_EVENT_CONV, conv_id_view(&id), 0));
    }
out:
    store_conv_clear(&conv);
    return e;
}

/* Its profile, by another's hand: good in itself, and newer than ours. */
static enum err
take_profile(struct store_txn *txn, struct node_desk *desk,
             const struct proto_intro_name *n)
{
    enum err e;
    struct clinic_id root;
    struct ident_check check = {.root = &root};
    struct ident_profile news;
    struct ident_profile old;
    struct store_clinic c = {0};
    struct fed_show show = {.kind = FED_SHOW_PROFILE};

    memcpy(root.b, n->subject, sizeof(root.b));
    if (clinic_id_equal(&root, &desk->self) ||
        ident_profile_open(desk->mem, n->profile, &check, &news) != OK) {
        return OK;
    }
    TRY(node_desk_clinic(txn, desk, &root, &c));
    if (c.profile.len > 0 &&
        ident_profile_open(desk->mem, view_of(&c.profile), &check, &old) ==
            OK &&
        old.changed_ms >= news.changed_ms) {
        goto out;
    }
    show.peer = root;
    TRY(bytes_copy(desk->mem, n->profile, &show.body));
    TRY(node_desk_profile(txn, desk, &show));
out:
    bytes_free(&show.body);
    store_clinic_clear(&c);
    return e;
}

static enum err
take_name(struct store_txn *txn, struct node_desk *desk,
          const struct fed_show *show, const struct proto_intro_name *n)
{
    struct patient_id id;
    struct clinic_id by;

    memcpy(id.b, n->subject, sizeof(id.b));
    memcpy(by.b, show->author.b, sizeof(by.b));
    if (memcmp(n->subject, show->author.b, sizeof(n->subject)) == 0) {
        return node_desk_patient_named(txn, desk->mem, &id, n->name);
    }
    return node_desk_patient_called(txn, desk->mem, &id, n->name, &by);
}

enum err
node_desk_intro(struct store_txn *txn, struct node_desk *desk,
                const struct fed_show *show)
{
    enum err e;
    struct proto_content c;
    struct proto_list_at at = {0};
    struct proto_intro_name n;
    struct patient_id patient;

    TRY(proto_content_decode(view_of(&show->body), &c) == OK &&
                c.kind == PROTO_CONTENT_INTRO
            ? OK
            : ERR_CORRUPT);
    memcpy(patient.b, show->author.b, sizeof(patient.b));
    TRY(store_patient_has(txn, &patient) == OK
            ? OK
            : take_title(txn, show, c.u.intro.title));
    while (
        proto_list_next(&c.u.intro.names, &proto_intro_name_shape, &at, &n)) {
        TRY(n.profile.len > 0 ? take_profile(txn, desk, &n) : OK);
        TRY(n.name.len > 0 ? take_name(txn, desk, show, &n) : OK);
    }
out:
    return e;
}

enum err
node_desk_home(struct store_txn *txn, const struct fed_show *show)
{
    struct store_event ev = {.kind = NODE_EVENT_HOME};

    ev.a = subject_id_view(&show->author);
    ev.b = clinic_id_view(&show->peer);
    return store_journal_append(txn, &ev, NULL);
}
