/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our links, as people make, change and look at them.
 */
#include "federation/core/inside.h"

#include <string.h>

enum err
fed_core_link_put(struct fed_core *core, const struct fed_link *link)
{
    enum err e;
    struct fed_key key = fed_key_of(link_id_view(&link->id));
    struct fed_rec_link rec;
    struct fed_rec_link old;
    struct bytes hold = {0};

    memset(&rec, 0, sizeof(rec));
    e = fed_tx_load(core, FED_NS_LINK, &key, &fed_rec_link_shape, &old, &hold);
    if (e == OK) {
        rec.uses = old.uses;
        memcpy(rec.bound, old.bound, sizeof(rec.bound));
        rec.birth_tries = old.birth_tries;
    }
    TRY(e == ERR_MISSING ? OK : e);
    rec.one_time = link->one_time;
    rec.in_person = link->in_person;
    rec.review = link->review;
    rec.revoked = link->revoked;
    rec.expiry_s = link->expiry_s;
    rec.uses_max = link->uses_max;
    memcpy(rec.secret, link->secret, sizeof(rec.secret));
    rec.label = link->label;
    rec.forward = link->forward;
    rec.patients = link->patients;
    rec.birth = link->birth;
    TRY(fed_tx_save(core, FED_NS_LINK, &key, &fed_rec_link_shape, &rec));
out:
    bytes_free(&hold);
    mem_wipe(&rec, sizeof(rec));
    return e;
}

enum err
fed_core_link_get(struct fed_core *core, const struct link_id *id,
                  struct fed_link *out, struct bytes *hold)
{
    enum err e;
    struct fed_key key = fed_key_of(link_id_view(id));
    struct fed_rec_link rec;

    TRY(fed_tx_load(core, FED_NS_LINK, &key, &fed_rec_link_shape, &rec, hold));
    *out = (struct fed_link){
        .id = *id,
        .one_time = rec.one_time,
        .in_person = rec.in_person,
        .review = rec.review,
        .revoked = rec.revoked,
        .expiry_s = rec.expiry_s,
        .uses_max = rec.uses_max,
        .label = rec.label,
        .forward = rec.forward,
        .patients = rec.patients,
        .birth = rec.birth,
        .birth_tries = rec.birth_tries,
        .uses = rec.uses,
        .again_ms = rec.one_time && rec.hour_told ? rec.hour_ms : 0,
    };
    memcpy(out->secret, rec.secret, sizeof(out->secret));
    memcpy(out->bound.b, rec.bound, sizeof(out->bound.b));
out:
    return e;
}
