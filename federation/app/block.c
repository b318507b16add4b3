/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clinic that the person wants to hear nothing of any more.  What it was
 * allowed is taken back, a contact of its own ends, and the questions about it,
 * or from it, get a "no" without anybody being asked, until it is allowed
 * again.  What the core refuses anyway (a private conversation or a group that
 * nobody consented to) needs nothing here.
 */
#include "federation/app/block.h"

#include "federation/app/consent.h"
#include "federation/app/inside.h"
#include "federation/core/patient.h"

#include <string.h>

enum err
fed_app_is_blocked(struct fed_app *app, const struct clinic_id *root, bool *out)
{
    enum err e;
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};

    e = fed_app_clinic_known(app, root, &rec, &hold);
    *out = e == OK && rec.blocked;
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

/* [patient-block] One question, if it waits. */
static enum err
refuse(struct fed_app *app, const struct fed_app_consent *q)
{
    enum err e;
    bool target = false;
    bool asker = false;

    if (q->state != FED_APP_CONSENT_ASKED) {
        return OK;
    }
    TRY(fed_app_is_blocked(app, &q->clinic, &target));
    TRY(fed_app_is_blocked(app, &q->asker, &asker));
    if (target || asker) {
        e = fed_app_consent_refuse(app, q->number);
        TRY(e == ERR_STATE ? OK : e); /* not asked any more */
    }
out:
    return e;
}

enum err
fed_app_refuse_unwanted(struct fed_app *app)
{
    enum err e = OK;
    struct fed_app_consent q = {0};
    struct bytes hold = {0};
    uint64_t at = 0;

    if (app->core == NULL || !app->questions) {
        return OK;
    }
    while ((e = fed_app_consent_next(app, at, &q, &hold)) == OK) {
        at = q.number;
        TRY(refuse(app, &q));
    }
    TRY(e == ERR_MISSING ? OK : e);
    app->questions = false;
out:
    bytes_free(&hold);
    return e;
}

/* Take back everything, and end what is its own. */
static enum err
shut_out(struct fed_app *app, const struct clinic_id *root)
{
    enum err e;
    struct fed_party_info info;
    bool direct;

    e = fed_core_party(app->core, root, &info);
    if (e == ERR_MISSING) {
        return OK; /* only heard of */
    }
    TRY(e);
    e = fed_core_withdraw(app->core, root);
    TRY(e == ERR_MISSING ? OK : e);
    direct = clinic_id_is_zero(&info.via);
    /* What is to be said to one behind a relay still goes there. */
    TRY(direct ? fed_core_block(app->core, root, true) : OK);
out:
    return e;
}

static enum err
let_back(struct fed_app *app, const struct clinic_id *root)
{
    struct fed_party_info info;

    return fed_core_party(app->core, root, &info) == OK && info.blocked
               ? fed_core_block(app->core, root, false)
               : OK;
}

/* Whether another clinic delivers to us as well. */
static enum err
has_other(struct fed_app *app, const struct clinic_id *root, bool *out)
{
    enum err e;
    struct fed_app_clinic c;
    struct clinic_id at;
    const struct clinic_id *after = NULL;
    struct bytes hold = {0};

    *out = false;
    while ((e = fed_app_clinic_next(app, after, &c, &hold)) == OK) {
        *out = *out || (c.state == FED_APP_CLINIC_ENROLLED &&
                        !clinic_id_equal(&c.root, root));
        at = c.root;
        after = &at;
    }
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

/* As the record says from now on. */
static enum err
mark(struct fed_app *app, const struct clinic_id *root,
     struct fed_app_rec_clinic *rec, bool blocked)
{
    enum err e;

    rec->blocked = blocked;
    if (blocked && rec->state != FED_APP_CLINIC_LOOKED) {
        rec->state = FED_APP_CLINIC_ENDED;
    }
    TRY(fed_app_clinic_save(app, root, rec));
    app->questions = true;
    TRY(fed_app_refuse_unwanted(app));
out:
    return e;
}

/* [block-shared] Another device said the withdrawals; what it let back in since
   then stays.  Who was never heard of here is not believed in either. */
enum err
fed_app_block_follow(struct fed_app *app, const struct clinic_id *root,
                     bool blocked)
{
    enum err e;
    struct fed_app_rec_clinic rec;
    struct fed_party_info info;
    struct bytes hold = {0};
    bool direct;

    TRY(fed_app_clinic_rec(app, root, &rec, &hold));
    if (rec.blocked == blocked) {
        goto out;
    }
    e = fed_core_party(app->core, root, &info);
    direct = e == ERR_MISSING || clinic_id_is_zero(&info.via);
    TRY(e == ERR_MISSING ? OK : e);
    if (!blocked) {
        TRY(let_back(app, root));
    } else if (direct) {
        TRY(fed_core_block(app->core, root, true));
    }
    TRY(mark(app, root, &rec, blocked));
    TRY(fed_app_clinic_tell(app, root, &rec));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_app_block(struct fed_app *app, const struct clinic_id *root, bool blocked)
{
    enum err e;
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};
    bool other = false;

    TRY(app->core == NULL ? ERR_MISSING : OK);
    TRY(fed_app_clinic_known(app, root, &rec, &hold));
    TRY(rec.blocked == blocked ? ERR_MISSING : OK);
    if (blocked && memcmp(app->me.home, root->b, sizeof(app->me.home)) == 0) {
        TRY(has_other(app, root, &other));
        TRY(other ? ERR_STATE : OK);
    }
    TRY(blocked ? shut_out(app, root) : let_back(app, root));
    TRY(fed_app_choose(app, FED_APP_CHOICE_BLOCKED, root, blocked,
                       (struct view){0}));
    TRY(mark(app, root, &rec, blocked));
out:
    bytes_free(&hold);
    return e;
}
