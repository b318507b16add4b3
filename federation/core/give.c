/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a newcomer may read of before (decisions D 18, E 22): the clinic that
 * asked for the consent, or recorded it at its desk, sends again what the
 * patient agreed to, once the clinic is in.  Whoever has it drops it by its id.
 */
#include "federation/core/trust.h"

#include <string.h>

/* What a consent says; a desk's was recorded by who brought the clinic in. */
static enum err
open_consent(struct fed_core *core, const struct fed_thread *t,
             const struct proto_thread_consent *in, struct ident_consent *out)
{
    enum err e;
    struct proto_subject s;
    struct clinic_id adder;
    struct ident_check check = {.root = &adder, .now_ms = t->rec.ts_ms};
    struct ident_desk_consent desk;
    struct ident_devices list;
    struct patient_id id;
    struct view signed_list;

    if (in->desk) {
        TRY(proto_group_find(&t->group, in->clinic, &s) ? OK : ERR_MISSING);
        memcpy(adder.b, s.added_by, sizeof(adder.b));
        TRY(ident_desk_consent_open(core->mem, in->consent, &check, &desk));
        *out = desk.consent;
    } else {
        memcpy(id.b, in->patient, sizeof(id.b));
        TRY(proto_group_list(&t->group, in->patient, &signed_list)
                ? OK
                : ERR_MISSING);
        TRY(ident_devices_open(core->mem, &id, signed_list, &list));
        TRY(ident_consent_open(core->mem, in->consent, &list, out));
    }
out:
    return e;
}

/* Time of the oldest entry that a consent lets its clinic read. */
static uint64_t
since_of(const struct ident_consent *c)
{
    switch (c->history) {
    case IDENT_HISTORY_ALL:
        return 0;
    case IDENT_HISTORY_FROM:
        return c->history_from_ms;
    default:
        return c->made_ms;
    }
}

enum err
fed_give_since(struct fed_core *core, const struct fed_thread *t,
               const struct clinic_id *who, uint64_t *from_ms)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_thread_consent in;

    *from_ms = 0;
    while (proto_list_next(&t->group.consents, &proto_thread_consent_shape, &at,
                           &in)) {
        struct ident_consent c;
        uint64_t since = UINT64_MAX; /* what does not open gives nothing */

        if (memcmp(in.clinic, who->b, sizeof(in.clinic)) != 0) {
            continue;
        }
        e = open_consent(core, t, &in, &c);
        if (fed_ours(e)) {
            return e;
        }
        since = e == OK ? since_of(&c) : since;
        *from_ms = since > *from_ms ? since : *from_ms;
    }
    return OK;
}

/* From the entry on that is the oldest agreed to. */
static enum err
give_from(struct fed_core *core, struct fed_thread *t, uint64_t from_ms)
{
    enum err e = OK;
    uint64_t last = t->rec.seq;
    uint64_t seq = last > LIMIT_HISTORY ? last - LIMIT_HISTORY + 1 : 1;

    for (; seq <= last; seq++) {
        TRY(fed_past_resend_terms(core, t, t->rec.term, seq, from_ms));
    }
out:
    return e;
}

size_t
fed_give_newcomers(const struct fed_thread *t, const struct mls_stage *stage,
                   struct clinic_id out[FED_NEWCOMERS])
{
    struct mls_extension ext;
    struct proto_group after;
    struct proto_list_at at = {0};
    struct proto_thread_consent c;
    struct proto_subject s;
    size_t n = 0;

    if (!mls_extensions_find(mls_stage_extensions(stage), PROTO_EXT_GROUP,
                             &ext) ||
        proto_group_decode(ext.data, &after) != OK) {
        return 0;
    }
    while (n < FED_NEWCOMERS &&
           proto_list_next(&after.consents, &proto_thread_consent_shape, &at,
                           &c)) {
        bool again = n > 0 && memcmp(out[n - 1].b, c.clinic, 32) == 0;

        if (!again && proto_group_find(&after, c.clinic, &s) &&
            !proto_group_find(&t->group, c.clinic, &s)) {
            memcpy(out[n++].b, c.clinic, sizeof(c.clinic));
        }
    }
    return n;
}

/* Whether giver asked for one of the consents for who, with history. */
static enum err
gives(struct fed_core *core, const struct fed_thread *t,
      const struct clinic_id *giver, const struct clinic_id *who, bool *out)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_thread_consent in;

    *out = false;
    while (proto_list_next(&t->group.consents, &proto_thread_consent_shape, &at,
                           &in)) {
        struct ident_consent c;

        if (memcmp(in.clinic, who->b, sizeof(in.clinic)) != 0) {
            continue;
        }
        e = open_consent(core, t, &in, &c);
        if (e != OK) {
            return fed_ours(e) ? e : OK;
        }
        if (clinic_id_equal(&c.asker, giver) &&
            c.history != IDENT_HISTORY_NONE) {
            *out = true;
        }
    }
    return OK;
}

enum err
fed_give_history(struct fed_core *core, struct fed_thread *t,
                 const struct clinic_id *who)
{
    enum err e = OK;
    uint64_t from_ms;
    bool ours = false;

    TRY(core->kind == FED_KIND_CLINIC
            ? gives(core, t, &core->config.self.root, who, &ours)
            : OK);
    if (ours) {
        TRY(fed_give_since(core, t, who, &from_ms));
        TRY(give_from(core, t, from_ms));
    }
out:
    return e;
}

enum err
fed_give_refused(struct fed_core *core, struct fed_thread *t,
                 const struct clinic_id *giver)
{
    enum err e = OK;
    bool theirs = false;
    uint64_t to = t->rec.kept - 1; /* the log begins where we came in */
    uint64_t from = to > LIMIT_HISTORY ? to - LIMIT_HISTORY + 1 : 1;

    if (core->kind != FED_KIND_CLINIC || t->rec.kept <= 1 ||
        (t->rec.missing_from != 0 && t->rec.missing_from <= from &&
         t->rec.missing_to >= to)) {
        return OK;
    }
    TRY(gives(core, t, giver, &core->me, &theirs));
    TRY(theirs ? fed_missing_add(core, t, t->rec.term, from, to) : OK);
out:
    return e;
}
