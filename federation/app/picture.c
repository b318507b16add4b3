/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of the clinics that one is a patient of: one record each, the bytes
 * that the clinic's signed profile names.
 */
#include "federation/app/picture.h"

#include "crypto/ident/profile.h"
#include "crypto/prim/hash.h"
#include "federation/app/inside.h"

static struct fed_app_key
picture_key(const struct clinic_id *root)
{
    return fed_app_key(clinic_id_view(root), (struct view){0});
}

enum err
fed_app_picture(struct fed_app *app, const struct clinic_id *root,
                struct bytes *out)
{
    struct fed_app_key key = picture_key(root);

    return fed_app_get(&app->kv, FED_APP_PICTURE, &key, out);
}

enum err
fed_app_show_picture(struct fed_app *app, const struct fed_show *show)
{
    enum err e;
    struct fed_app_key key = picture_key(&show->peer);
    struct fed_app_rec_clinic rec;
    struct bytes hold = {0};

    TRY(fed_app_clinic_rec(app, &show->peer, &rec, &hold));
    TRY(fed_app_put(&app->kv, FED_APP_PICTURE, &key, view_of(&show->body)));
    TRY(fed_app_clinic_tell(app, &show->peer, &rec));
out:
    bytes_free(&hold);
    return e;
}

enum err
fed_app_picture_fit(struct fed_app *app, const struct clinic_id *root,
                    const struct fed_app_rec_clinic *rec)
{
    enum err e;
    struct fed_app_key key = picture_key(root);
    struct ident_check check = {.root = root, .known_ms = 1};
    struct ident_profile p;
    struct bytes old = {0};
    struct hash32 hash;

    e = fed_app_picture(app, root, &old);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    prim_sha256(view_of(&old), hash.b);
    if (rec->state != FED_APP_CLINIC_ENROLLED || rec->profile.len == 0 ||
        ident_profile_open(app->mem, rec->profile, &check, &p) != OK ||
        p.picture.type == PROTO_PICTURE_NONE ||
        !hash32_equal(&hash, &p.picture_hash)) {
        TRY(fed_app_del(&app->kv, FED_APP_PICTURE, &key));
    }
out:
    bytes_free(&old);
    return e;
}
