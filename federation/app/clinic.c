/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clinics as shown: how each one's key was learned (decisions F 25), its signed
 * profile, what its link answered.
 */
#include "crypto/ident/patient.h"
#include "crypto/ident/profile.h"
#include "federation/app/inside.h"
#include "federation/core/patient.h"
#include "federation/core/rec.h"

#include <string.h>

static struct fed_app_key
clinic_key(const struct clinic_id *root)
{
    return fed_app_key(clinic_id_view(root), (struct view){0});
}

enum err
fed_app_clinic_known(struct fed_app *app, const struct clinic_id *root,
                     struct fed_app_rec_clinic *out, struct bytes *hold)
{
    struct fed_app_key key = clinic_key(root);

    return fed_app_load(&app->kv, FED_APP_CLINIC, &key,
                        &fed_app_rec_clinic_shape, out, hold);
}

enum err
fed_app_clinic_rec(struct fed_app *app, const struct clinic_id *root,
                   struct fed_app_rec_clinic *out, struct bytes *hold)
{
    enum err e = fed_app_clinic_known(app, root, out, hold);

    if (e != ERR_MISSING) {
        return e;
    }
    memset(out, 0, sizeof(*out));
    out->since_ms = fed_app_now(app);
    return fed_app_count(&app->kv, "clinics", &out->number);
}

enum err
fed_app_clinic_save(struct fed_app *app, const struct clinic_id *root,
                    const struct fed_app_rec_clinic *rec)
{
    struct fed_app_key key = clinic_key(root);

    return fed_app_save(&app->kv, FED_APP_CLINIC, &key,
                        &fed_app_rec_clinic_shape, rec);
}

/* --------------------------------------------------------- what came in */

/* What both stances amount to for a person. */
static uint64_t
state_of(const struct fed_show *show, uint64_t before)
{
    bool over = show->value == PROTO_STANCE_ENDED ||
                show->value == PROTO_STANCE_REFUSED;

    switch (show->code) {
    case PROTO_STANCE_ASKED:
        return show->value == PROTO_STANCE_REFUSED ? FED_APP_CLINIC_REFUSED
                                                   : FED_APP_CLINIC_ASKED;
    case PROTO_STANCE_GRANTED:
        return over ? FED_APP_CLINIC_ENDED : FED_APP_CLINIC_ENROLLED;
    case PROTO_STANCE_REFUSED:
        return FED_APP_CLINIC_REFUSED;
    case PROTO_STANCE_ENDED:
        return FED_APP_CLINIC_ENDED;
    default:
        return before;
    }
}

static enum err
on_link(const struct fed_show *show, struct fed_app_rec_clinic *rec)
{
    memcpy(rec->link, show->link.b, sizeof(rec->link));
    rec->answer = show->code;
    rec->label = show->code == PROTO_REDEEM_ROTATED ? (struct view){0}
                                                    : view_of(&show->body);
    if (rec->state == 0) {
        rec->state = FED_APP_CLINIC_LOOKED;
        rec->learned = FED_APP_LEARNED_LINK;
    }
    return OK;
}

/* An answer to our enrolment. */
static void
on_enrol(const struct fed_show *show, struct fed_app_rec_clinic *rec)
{
    rec->answer = show->code;
    rec->birth = (show->value & FED_ENROL_BIRTH) != 0;
    rec->birth_tries = show->value & (FED_ENROL_BIRTH - 1);
    if (show->code != PROTO_REDEEM_OK && show->code != PROTO_REDEEM_REVIEW &&
        !rec->birth && rec->state == FED_APP_CLINIC_ASKED) {
        rec->state = FED_APP_CLINIC_REFUSED;
    }
    if (show->code == PROTO_REDEEM_ROTATED) {
        rec->label = view_of(&show->body); /* the signed forward */
    }
}

static bool
newer_profile(const struct fed_app *app, const struct fed_show *show,
              struct view known)
{
    struct ident_check check = {.root = &show->peer};
    struct ident_profile old;
    struct ident_profile news;

    if (ident_profile_open(app->mem, view_of(&show->body), &check, &news) !=
        OK) {
        return false;
    }
    return known.len == 0 ||
           ident_profile_open(app->mem, known, &check, &old) != OK ||
           news.changed_ms >= old.changed_ms;
}

enum err
fed_app_clinic_tell(struct fed_app *app, const struct clinic_id *root,
                    const struct fed_app_rec_clinic *rec)
{
    struct fed_app_event *ev;
    enum err e = fed_app_tell(app, FED_APP_EV_CLINIC, &ev);

    if (e == OK) {
        ev->clinic = *root;
        ev->code = rec->state;
        ev->number = rec->number;
    }
    return e;
}

enum err
fed_app_show_clinic(struct fed_app *app, const struct fed_show *show)
{
    static const struct thread_id nowhere;
    enum err e;
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};

    TRY(fed_app_clinic_rec(app, &show->peer, &rec, &hold));
    if (show->kind == FED_SHOW_LINK) {
        TRY(on_link(show, &rec));
    } else if (show->kind == FED_SHOW_PROFILE) {
        if (!newer_profile(app, show, rec.profile)) {
            goto out;
        }
        rec.profile = view_of(&show->body);
    } else if (show->kind == FED_SHOW_ENROL) {
        on_enrol(show, &rec);
    } else {
        rec.state = state_of(show, rec.state);
        if (show->verified && rec.learned < FED_APP_LEARNED_IN_PERSON) {
            rec.learned = FED_APP_LEARNED_IN_PERSON;
        }
    }
    TRY(fed_app_clinic_save(app, &show->peer, &rec));
    TRY(fed_app_picture_fit(app, &show->peer, &rec));
    if (show->kind == FED_SHOW_PROFILE) {
        TRY(fed_app_archive_note(app, FED_APP_KEPT_CLINIC, &nowhere,
                                 show->peer.b));
    }
    TRY(fed_app_clinic_tell(app, &show->peer, &rec));
out:
    bytes_free(&hold);
    return e;
}

/* ------------------------------------------------------------------ reading */

static void
show_rec(struct fed_app *app, const struct clinic_id *root,
         const struct fed_app_rec_clinic *rec, struct fed_app_clinic *out)
{
    struct ident_check check = {.root = root};
    struct fed_party_info party;
    struct ident_profile p;

    *out = (struct fed_app_clinic){
        .root = *root,
        .number = rec->number,
        .state = (enum fed_app_clinic_state)rec->state,
        .learned = (enum fed_app_learned)rec->learned,
        .home = memcmp(app->me.home, root->b, sizeof(root->b)) == 0,
        .up = fed_app_conn(app, root) != NULL,
        .answer = rec->answer,
        .birth = rec->birth,
        .birth_tries = rec->birth_tries,
        .since_ms = rec->since_ms,
        .label = rec->label,
        .blocked = rec->blocked,
    };
    memcpy(out->by.b, rec->by, sizeof(out->by.b));
    if (app->core != NULL && fed_core_party(app->core, root, &party) == OK) {
        out->via = party.via;
    }
    if (rec->profile.len > 0 &&
        ident_profile_open(app->mem, rec->profile, &check, &p) == OK) {
        out->name = p.name;
        out->address = p.address;
        out->phone = p.phone;
        out->picture = p.picture;
    }
}

enum err
fed_app_clinic(struct fed_app *app, const struct clinic_id *root,
               struct fed_app_clinic *out, struct bytes *hold)
{
    enum err e;
    struct fed_app_key key = clinic_key(root);
    struct fed_app_rec_clinic rec;

    TRY(fed_app_load(&app->kv, FED_APP_CLINIC, &key, &fed_app_rec_clinic_shape,
                     &rec, hold));
    show_rec(app, root, &rec, out);
out:
    return e;
}

enum err
fed_app_clinic_next(struct fed_app *app, const struct clinic_id *after,
                    struct fed_app_clinic *out, struct bytes *hold)
{
    enum err e;
    struct fed_app_key from = {.len = 0};
    struct fed_app_key key;
    struct fed_app_rec_clinic rec;
    struct clinic_id root;
    struct bytes value = {0};

    if (after != NULL) {
        from = fed_app_key(clinic_id_view(after), VIEW_LIT("\0"));
    }
    TRY(fed_app_next(&app->kv, FED_APP_CLINIC, &from, (struct view){0}, &key,
                     &value));
    TRY(fed_rec_decode(view_of(&value), &fed_app_rec_clinic_shape, &rec));
    TRY(clinic_id_from(fed_app_key_view(&key), &root));
    show_rec(app, &root, &rec, out);
    bytes_free(hold);
    *hold = bytes_take(&value);
out:
    bytes_free(&value);
    return e;
}

/* ------------------------------------------------------------------ compare */

static void
compare_code(const struct fed_app *app, const struct clinic_id *root,
             struct hash32 *out)
{
    struct subject_id us;
    struct subject_id them;

    memcpy(us.b, app->me.patient, sizeof(us.b));
    memcpy(them.b, root->b, sizeof(them.b));
    ident_compare(&us, &them, out);
}

enum err
fed_app_compare(struct fed_app *app, const struct clinic_id *root,
                struct bytes *words_out, struct bytes *qr_out)
{
    enum err e;
    struct hash32 code;
    struct bytes words = {0};
    struct bytes qr = {0};

    TRY(app->me.stage == FED_APP_READY ? OK : ERR_STATE);
    compare_code(app, root, &code);
    TRY(ident_compare_words(app->mem, &code, &words));
    TRY(ident_compare_qr(app->mem, &code, &qr));
    *words_out = bytes_take(&words);
    *qr_out = bytes_take(&qr);
out:
    bytes_free(&words);
    bytes_free(&qr);
    return e;
}

enum err
fed_app_compared(struct fed_app *app, const struct clinic_id *root,
                 struct view scanned)
{
    enum err e;
    struct hash32 code;
    struct fed_app_key key = clinic_key(root);
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};

    TRY(fed_app_load(&app->kv, FED_APP_CLINIC, &key, &fed_app_rec_clinic_shape,
                     &rec, &hold));
    if (scanned.len > 0) {
        compare_code(app, root, &code);
        TRY(ident_compare_check(scanned, &code));
    }
    rec.learned = FED_APP_LEARNED_COMPARED;
    TRY(fed_app_clinic_save(app, root, &rec));
    e = app->core == NULL ? OK : fed_core_compared(app->core, root);
    e = fed_app_ours(e) ? e : OK; /* a clinic that we only met in a thread */
out:
    bytes_free(&hold);
    return e;
}

/* -------------------------------------------------------------------- joining
 */

static enum err
addrs_of(const struct fed_app *app, const struct proto_link *link,
         struct bytes *out)
{
    enum err e = OK;
    struct bytes addrs = {0};

    for (uint8_t i = 0; i < link->addrs_len; i++) {
        TRY(proto_addr_append(app->mem, &addrs, &link->addrs[i]));
    }
    *out = bytes_take(&addrs);
out:
    bytes_free(&addrs);
    return e;
}

static void
invitation(const struct proto_link *link, struct view addrs,
           struct fed_invitation *out)
{
    *out = (struct fed_invitation){
        .root = link->root,
        .link = link->id,
        .one_time = (link->flags & PROTO_LINK_ONE_TIME) != 0,
        .in_person = (link->flags & PROTO_LINK_IN_PERSON) != 0,
        .addrs = addrs,
    };
    memcpy(out->secret, link->secret, sizeof(out->secret));
}

/* Remember it as a clinic that we know by its own link. */
static enum err
note(struct fed_app *app, const struct proto_link *link, struct view addrs,
     enum fed_app_clinic_state state)
{
    enum err e;
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};

    TRY(fed_app_clinic_rec(app, &link->root, &rec, &hold));
    if (rec.state != FED_APP_CLINIC_ENROLLED &&
        !(rec.state == FED_APP_CLINIC_IN_THREAD &&
          state == FED_APP_CLINIC_LOOKED)) {
        rec.state = state;
    }
    if (rec.learned < FED_APP_LEARNED_LINK) { /* its own link verifies it */
        rec.learned = FED_APP_LEARNED_LINK;
    }
    rec.birth = false;
    rec.answer = PROTO_REDEEM_OK; /* not that to another link */
    rec.addrs = addrs;
    memcpy(rec.link, link->id.b, sizeof(rec.link));
    TRY(fed_app_clinic_save(app, &link->root, &rec));
out:
    bytes_free(&hold);
    return e;
}

/* Not whom the person blocked. */
static enum err
may_join(struct fed_app *app, const struct clinic_id *root)
{
    bool blocked;
    enum err e = fed_app_is_blocked(app, root, &blocked);

    return e == OK && blocked ? ERR_DENIED : e;
}

enum err
fed_app_look(struct fed_app *app, const struct proto_link *link)
{
    enum err e;
    struct fed_invitation inv;
    struct bytes addrs = {0};

    TRY(may_join(app, &link->root));
    TRY(addrs_of(app, link, &addrs));
    TRY(fed_app_first_home(app, &link->root));
    TRY(note(app, link, view_of(&addrs), FED_APP_CLINIC_LOOKED));
    invitation(link, view_of(&addrs), &inv);
    TRY(fed_core_look(app->core, &inv));
out:
    mem_wipe(&inv, sizeof(inv));
    bytes_free(&addrs);
    return e;
}

static enum err
keep_name(struct fed_app *app, struct view name, struct view birth)
{
    struct fed_app_rec_me me = app->me;

    if (name.len > 0) {
        me.name = name;
    }
    if (birth.len > 0) {
        me.birth = birth;
    }
    return fed_app_me_save(app, &me);
}

enum err
fed_app_join(struct fed_app *app, const struct proto_link *link,
             struct view name, struct view birth)
{
    enum err e;
    struct fed_enrol enrol = {.birth = birth};
    struct bytes addrs = {0};

    TRY(may_join(app, &link->root));
    TRY(addrs_of(app, link, &addrs));
    TRY(fed_app_first_home(app, &link->root));
    TRY(keep_name(app, name, (struct view){0}));
    invitation(link, view_of(&addrs), &enrol.inv);
    if (fed_app_recovering(app) &&
        memcmp(app->me.home, link->root.b, sizeof(app->me.home)) == 0) {
        TRY(fed_app_ask_home(app, view_of(&addrs)));
    } else {
        enrol.name = app->me.name;
        TRY(fed_core_enrol(app->core, &enrol));
    }
    TRY(note(app, link, view_of(&addrs), FED_APP_CLINIC_ASKED));
out:
    mem_wipe(&enrol, sizeof(enrol));
    bytes_free(&addrs);
    return e;
}

enum err
fed_app_ask_home(struct fed_app *app, struct view addrs)
{
    struct clinic_id home;

    memcpy(home.b, app->me.home, sizeof(home.b));
    return fed_app_ask_clinic(app, &home, addrs);
}

enum err
fed_app_ask_clinic(struct fed_app *app, const struct clinic_id *root,
                   struct view addrs)
{
    struct fed_enrol enrol = {.name = app->me.name, .inv.root = *root};
    enum err e;

    if (app->core == NULL) {
        return ERR_STATE;
    }
    enrol.inv.addrs = addrs;
    e = fed_core_enrol(app->core, &enrol);
    return e == ERR_EXISTS ? OK : e;
}

enum err
fed_app_part(struct fed_app *app, const struct clinic_id *root)
{
    enum err e;
    struct fed_app_key key = clinic_key(root);
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};

    TRY(app->core == NULL ? ERR_MISSING : OK);
    TRY(fed_app_load(&app->kv, FED_APP_CLINIC, &key, &fed_app_rec_clinic_shape,
                     &rec, &hold));
    TRY(fed_core_disconnect(app->core, root));
    rec.state = FED_APP_CLINIC_ENDED;
    TRY(fed_app_clinic_save(app, root, &rec));
out:
    bytes_free(&hold);
    return e;
}
