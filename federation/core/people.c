/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people ask for: links, contacts, threads, words.
 */
#include "federation/core/bound.h"
#include "federation/core/care.h"
#include "federation/core/hub.h"
#include "federation/core/trust.h"

#include <string.h>

enum err
fed_party_addrs(struct fed_core *core, struct fed_party *p, struct view addrs)
{
    enum err e = OK;
    struct bytes copy = {0};

    if (addrs.len == 0) {
        return OK;
    }
    TRY(bytes_copy(core->mem, addrs, &copy));
    bytes_free(&p->addrs);
    p->addrs = bytes_take(&copy);
    p->rec.addrs = view_of(&p->addrs);
    p->wanted = false; /* say the addresses again */
out:
    return e;
}

enum err
fed_core_look(struct fed_core *core, const struct fed_invitation *inv)
{
    enum err e;
    struct fed_party *p;

    if (clinic_id_equal(&inv->root, &core->config.self.root)) {
        return ERR_INVALID;
    }
    TRY(fed_party_get(core, &inv->root, &p));
    p->fresh = p->fresh || !p->stored;
    p->denied = false;
    p->looking = true;
    p->look = *inv;
    p->look.addrs = (struct view){0};
    TRY(fed_party_addrs(core, p, inv->addrs));
    TRY(fed_party_want(core, p));
    TRY(p->greeted ? fed_contact_look(core, p) : OK);
out:
    return e;
}

enum err
fed_core_look_end(struct fed_core *core, const struct clinic_id *root)
{
    struct fed_party *p = fed_party_find(core, root);

    if (p == NULL) {
        return OK;
    }
    p->looking = false;
    mem_wipe(p->look.secret, sizeof(p->look.secret));
    return fed_party_want(core, p);
}

/* They asked us already, or we know each other: the link adds nothing. */
static enum err
known_already(struct fed_core *core, struct fed_party *p, bool *done)
{
    *done = true;
    if (p->rec.blocked) {
        return ERR_DENIED;
    }
    if (p->rec.ours == PROTO_STANCE_GRANTED) {
        return ERR_EXISTS;
    }
    if (p->rec.ours == PROTO_STANCE_REVIEW) {
        return fed_core_accept(core, &p->root);
    }
    *done = false;
    return OK;
}

enum err
fed_core_connect(struct fed_core *core, const struct fed_invitation *inv)
{
    enum err e;
    struct fed_party *p;
    struct bytes kp = {0};
    bool done;

    if (clinic_id_equal(&inv->root, &core->config.self.root)) {
        return ERR_INVALID;
    }
    TRY(fed_party_get(core, &inv->root, &p));
    p->fresh = p->fresh || !p->stored;
    TRY(known_already(core, p, &done));
    if (done) {
        goto out;
    }
    TRY(fed_kp_make(core, &inv->root, false, &kp));
    TRY(fed_contact_kp(core, p, view_of(&kp)));
    TRY(fed_party_addrs(core, p, inv->addrs));
    memcpy(p->rec.link, inv->link.b, sizeof(p->rec.link));
    p->rec.link_ours = false;
    p->rec.one_time = inv->one_time;
    p->rec.in_person = inv->in_person;
    memcpy(p->rec.secret, inv->secret, sizeof(p->rec.secret));
    p->rec.ours = PROTO_STANCE_ASKED;
    p->denied = false;
    p->looking = false;
    TRY(fed_party_changed(core, p));
    TRY(p->greeted ? fed_contact_redeem(core, p) : OK);
out:
    bytes_free(&kp);
    return e;
}

enum err
fed_core_accept(struct fed_core *core, const struct clinic_id *root)
{
    enum err e;
    struct fed_party *p = fed_party_find(core, root);
    struct bytes kp = {0};

    if (p == NULL || p->rec.ours != PROTO_STANCE_REVIEW) {
        return ERR_MISSING;
    }
    if (p->kind == FED_KIND_PATIENT) {
        return fed_patient_stance(core, p, PROTO_STANCE_GRANTED);
    }
    TRY(bytes_copy(core->mem, view_of(&p->kp), &kp));
    TRY(fed_contact_kp(core, p, (struct view){0}));
    p->rec.creator = PROTO_CREATOR_SENDER;
    p->rec.ours = PROTO_STANCE_GRANTED;
    TRY(p->greeted ? fed_contact_say(core, p) : OK);
    TRY(fed_contact_grant(core, p, PROTO_CREATOR_SENDER, view_of(&kp)));
out:
    bytes_free(&kp);
    return e;
}

enum err
fed_core_refuse(struct fed_core *core, const struct clinic_id *root)
{
    enum err e;
    struct fed_party *p = fed_party_find(core, root);

    if (p == NULL || p->rec.ours != PROTO_STANCE_REVIEW) {
        return ERR_MISSING;
    }
    if (p->kind == FED_KIND_PATIENT) {
        return fed_patient_stance(core, p, PROTO_STANCE_REFUSED);
    }
    TRY(fed_contact_kp(core, p, (struct view){0}));
    TRY(fed_party_stance(core, p, PROTO_STANCE_REFUSED));
    TRY(p->greeted ? fed_contact_say(core, p) : OK);
out:
    return e;
}

enum err
fed_core_disconnect(struct fed_core *core, const struct clinic_id *root)
{
    enum err e;
    struct fed_party *p = fed_party_find(core, root);

    if (p == NULL || (p->rec.ours != PROTO_STANCE_GRANTED &&
                      p->rec.ours != PROTO_STANCE_ASKED)) {
        return ERR_MISSING;
    }
    TRY(fed_contact_ended(core, p));
    TRY(p->greeted ? fed_contact_say(core, p) : OK);
out:
    return e;
}

enum err
fed_core_block(struct fed_core *core, const struct clinic_id *root,
               bool blocked)
{
    enum err e;
    struct fed_party *p;
    struct fed_party *d;

    TRY(fed_party_get(core, root, &p));
    if (p->rec.blocked == blocked) {
        goto out;
    }
    if (blocked && (p->rec.ours == PROTO_STANCE_GRANTED ||
                    p->rec.ours == PROTO_STANCE_ASKED)) {
        TRY(fed_core_disconnect(core, root));
    }
    p->rec.blocked = blocked;
    TRY(fed_party_changed(core, p));
    TRY(blocked ? fed_party_close(core, p, PROTO_BYE_DENIED) : OK);
    for (size_t i = 0; blocked && p->kind == FED_KIND_PATIENT &&
                       fed_patient_device(core, p, i, &d);
         i++) {
        TRY(d != NULL ? fed_party_close(core, d, PROTO_BYE_DENIED) : OK);
    }
out:
    return e;
}

static void
party_info(const struct fed_party *p, struct fed_party_info *out)
{
    *out = (struct fed_party_info){
        .root = p->root,
        .ours = (enum proto_stance)p->rec.ours,
        .theirs = (enum proto_stance)p->rec.theirs,
        .blocked = p->rec.blocked,
        .verified = p->rec.verified,
        .up = p->greeted,
        .generation = p->rec.generation,
        .revoked = p->rec.revoked,
        .queued = p->rec.out_next - 1 - p->rec.out_acked,
        .behind = p->their_last > p->rec.in_applied
                      ? p->their_last - p->rec.in_applied
                      : 0,
        .kind = p->kind,
    };
    if (p->via != NULL) {
        out->via = p->via->root;
    }
    if (p->kind == FED_KIND_DEVICE) {
        memcpy(out->patient.b, p->subject.b, sizeof(out->patient.b));
    }
    memcpy(out->direct.b, p->rec.direct, sizeof(out->direct.b));
}

enum err
fed_core_party(struct fed_core *core, const struct clinic_id *root,
               struct fed_party_info *out)
{
    const struct fed_party *p = fed_party_find(core, root);

    if (p == NULL || !p->stored) {
        return ERR_MISSING;
    }
    party_info(p, out);
    return OK;
}

enum err
fed_core_party_next(struct fed_core *core, const struct clinic_id *after,
                    struct fed_party_info *out)
{
    for (size_t i = 0; i < core->parties_len; i++) {
        const struct fed_party *p = core->parties[i];

        if (p->stored &&
            (after == NULL || clinic_id_cmp(&p->root, after) > 0)) {
            party_info(p, out);
            return OK;
        }
    }
    return ERR_MISSING;
}

/* ------------------------------------------------------------------ threads */

static bool
over(const struct fed_thread *t)
{
    return t->rec.state == FED_THREAD_ENDED ||
           t->rec.state == FED_THREAD_REMOVED;
}

static enum err
living(struct fed_core *core, const struct thread_id *id,
       struct fed_thread **out)
{
    enum err e = fed_thread_get(core, id, out);

    return e == OK && over(*out) ? ERR_STATE : e;
}

/* And it can take one more wish. */
static enum err
writable(struct fed_core *core, const struct thread_id *id,
         struct fed_thread **out)
{
    enum err e = living(core, id, out);

    return e == OK && fed_intent_full(core, *out) ? ERR_AGAIN : e;
}

/* Is there a consent for each patient and clinic that would come together? */
static enum err
may_join(struct fed_core *core, const struct fed_thread *t,
         const struct fed_party *p)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_subject s;
    bool patient = p->kind == FED_KIND_PATIENT;

    while (proto_list_next(&t->group.subjects, &proto_subject_shape, &at, &s)) {
        struct fed_rec_consent rec;
        struct bytes hold = {0};
        bool pair =
            s.kind == (patient ? PROTO_SUBJECT_CLINIC : PROTO_SUBJECT_PATIENT);

        if (!pair || memcmp(s.root, core->me.b, 32) == 0) {
            continue;
        }
        e = fed_consent_find(core, &t->id, patient ? p->root.b : s.root,
                             patient ? s.root : p->root.b, &rec, &hold);
        bytes_free(&hold);
        TRY(e == ERR_MISSING ? ERR_DENIED : e);
    }
out:
    return e;
}

/* Whom we may bring in at all: a clinic or a patient of ours. */
static bool
may_bring(const struct fed_core *core, const struct fed_party *p)
{
    return p != NULL && p->rec.ours == PROTO_STANCE_GRANTED &&
           p->kind != FED_KIND_DEVICE && core->kind == FED_KIND_CLINIC;
}

static enum err
want_add(struct fed_core *core, struct fed_thread *t,
         const struct clinic_id *who)
{
    enum err e;
    struct fed_party *p = fed_party_find(core, who);

    TRY(may_bring(core, p) ? may_join(core, t, p) : ERR_DENIED);
    TRY(fed_intent_bring(core, t, who->b));
out:
    return e;
}

enum err
fed_core_thread_open(struct fed_core *core, const struct clinic_id *with,
                     size_t with_len, struct view title,
                     struct thread_id *id_out)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    struct proto_content name = {.kind = PROTO_CONTENT_TITLE};

    for (size_t i = 0; i < with_len; i++) {
        const struct fed_party *p = fed_party_find(core, &with[i]);

        if (!may_bring(core, p) || !fed_party_open(p) ||
            (p->kind != FED_KIND_CLINIC && with_len > 1)) {
            return ERR_DENIED;
        }
    }
    TRY(rng_fill(core->config.rng, id.b, sizeof(id.b)));
    TRY(fed_hub_create(core, &id, 0, &t));
    TRY(fed_thread_show(core, t));
    for (size_t i = 0; i < with_len; i++) {
        TRY(want_add(core, t, &with[i]));
    }
    if (title.len > 0) {
        name.u.title.title = title;
        TRY(fed_intent_say(core, t, &name, false, NULL));
    }
    TRY(fed_intent_pump(core, t));
    *id_out = id;
out:
    return e;
}

enum err
fed_core_add(struct fed_core *core, const struct thread_id *thread,
             const struct clinic_id *who)
{
    enum err e;
    struct fed_thread *t;

    TRY(writable(core, thread, &t));
    TRY((t->rec.flags & PROTO_GROUP_DIRECT) != 0 ? ERR_DENIED : OK);
    TRY(want_add(core, t, who));
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

enum err
fed_core_remove(struct fed_core *core, const struct thread_id *thread,
                const struct subject_id *who)
{
    enum err e;
    struct fed_thread *t;
    struct proto_subject s;
    struct fed_rec_intent rec = {.kind = FED_INTENT_REMOVE};
    const uint8_t *me = core->me.b;

    TRY(writable(core, thread, &t));
    TRY((t->rec.flags & PROTO_GROUP_DIRECT) != 0 ? ERR_DENIED : OK);
    TRY(core->kind == FED_KIND_CLINIC ? OK : ERR_DENIED);
    TRY(proto_group_find(&t->group, who->b, &s) ? OK : ERR_MISSING);
    TRY(memcmp(who->b, t->rec.hub, 32) == 0 || memcmp(who->b, me, 32) == 0
            ? ERR_DENIED
            : OK);
    TRY(memcmp(t->rec.hub, me, 32) == 0 || memcmp(s.added_by, me, 32) == 0
            ? OK
            : ERR_DENIED);
    memcpy(rec.id, who->b, sizeof(rec.id));
    TRY(fed_intent_add(core, t, &rec));
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

enum err
fed_core_leave(struct fed_core *core, const struct thread_id *thread)
{
    enum err e;
    struct fed_thread *t;
    struct proto_content c = {.kind = PROTO_CONTENT_LEAVE};

    TRY(writable(core, thread, &t));
    if (fed_thread_hub_here(core, t)) {
        return fed_core_hand_over(core, thread, NULL, true);
    }
    TRY(fed_intent_say(core, t, &c, false, NULL));
out:
    return e;
}

enum err
fed_core_rekey(struct fed_core *core, const struct thread_id *thread)
{
    enum err e;
    struct fed_thread *t;
    struct fed_rec_intent rec = {.kind = FED_INTENT_REKEY};

    TRY(writable(core, thread, &t));
    TRY(fed_intent_add(core, t, &rec));
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

enum err
fed_core_send(struct fed_core *core, const struct thread_id *thread,
              const struct proto_content *content, bool hold,
              struct message_id *id_out)
{
    enum err e;
    struct fed_thread *t;
    struct proto_content copy = *content;

    TRY(writable(core, thread, &t));
    TRY(fed_intent_say(core, t, &copy, hold, id_out));
out:
    return e;
}

enum err
fed_core_release(struct fed_core *core, const struct thread_id *thread,
                 const struct message_id *id)
{
    enum err e;
    struct fed_thread *t;
    uint64_t number = 0;

    TRY(living(core, thread, &t));
    for (;; number++) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};
        bool found;

        e = fed_intent_next(core, thread, &number, &rec, &hold);
        found = e == OK && rec.kind == FED_INTENT_SAY &&
                memcmp(rec.id, id->b, sizeof(rec.id)) == 0;
        if (found) {
            rec.held = false;
            e = fed_intent_put(core, t, number, &rec);
        }
        bytes_free(&hold);
        TRY(e);
        if (found) {
            break;
        }
    }
    if (number < t->next_intent) {
        t->next_intent = number;
    }
    t->idle = false;
    TRY(fed_intent_pump(core, t));
out:
    return e;
}

enum err
fed_core_read_upto(struct fed_core *core, const struct thread_id *thread,
                   uint64_t term, uint64_t seq)
{
    enum err e;
    struct fed_thread *t;
    struct proto_content c = {.kind = PROTO_CONTENT_RECEIPT};
    uint64_t entry = fed_place_entry(seq);

    TRY(living(core, thread, &t));
    if (entry <= t->rec.receipt_read) {
        goto out;
    }
    c.u.receipt.what = PROTO_RECEIPT_READ;
    c.u.receipt.term = term;
    c.u.receipt.upto = entry;
    TRY(fed_log_head_at(core, &t->id, term, entry, c.u.receipt.head));
    t->rec.receipt_read = entry;
    t->dirty = true;
    TRY(fed_intent_say(core, t, &c, false, NULL));
out:
    return e;
}

enum err
fed_core_history(struct fed_core *core, const struct thread_id *thread,
                 uint64_t term, uint64_t from, uint64_t to,
                 const struct subject_id *who)
{
    enum err e;
    struct fed_thread *t;

    TRY(living(core, thread, &t));
    TRY(fed_past_ask(core, t, term, from, to, who->b));
out:
    return e;
}

enum err
fed_core_thread(struct fed_core *core, const struct thread_id *thread,
                struct fed_thread_info *out)
{
    enum err e;
    struct fed_thread *t;

    TRY(fed_thread_get(core, thread, &t));
    *out = (struct fed_thread_info){
        .id = *thread,
        .state = (enum fed_thread_state)t->rec.state,
        .hub_here = fed_thread_hub_here(core, t),
        .direct = (t->rec.flags & PROTO_GROUP_DIRECT) != 0,
        .term = t->rec.term,
        .seq = t->rec.seq,
        .epoch = t->mls != NULL ? mls_group_epoch(t->mls) : 0,
        .waiting = fed_busy_has(core, thread),
    };
    memcpy(out->hub.b, t->rec.hub, sizeof(out->hub.b));
    memcpy(out->head.b, t->rec.head, sizeof(out->head.b));
    if (t->mls != NULL) {
        memcpy(out->authenticator, mls_group_authenticator(t->mls).p,
               sizeof(out->authenticator));
    }
out:
    return e;
}

enum err
fed_core_is_member(struct fed_core *core, const struct thread_id *thread,
                   const struct clinic_id *root, bool *out)
{
    enum err e;
    struct fed_thread *t;
    const struct fed_party *p = fed_party_find(core, root);

    if (p != NULL && p->kind == FED_KIND_DEVICE) {
        root = &p->subject; /* a device of a patient who takes part */
    }
    e = fed_thread_get(core, thread, &t);
    *out = e == OK && !over(t) && fed_thread_member(t, root) != NULL;
    return e == ERR_MISSING ? OK : e;
}
