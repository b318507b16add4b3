/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words that get another place to wait in: those of a thread that is over go to
 * the one that goes on from it, and what waits in a thread goes behind what is
 * said again there, as one author's words keep their order.  And whom we had
 * let in, and a log that went back behind that lost.
 */
#include "federation/core/care.h"
#include "federation/core/trust.h"

#include <string.h>

/* The words that wait in old, up to the number end, wait at the end of t. */
static enum err
words_to(struct fed_core *core, struct fed_thread *old, struct fed_thread *t,
         uint64_t end)
{
    enum err e = OK;

    for (uint64_t number = 0; e == OK && number < end; number++) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};

        e = fed_intent_next(core, &old->id, &number, &rec, &hold);
        if (e == OK && number < end && rec.kind == FED_INTENT_SAY) {
            rec.submitted = false;
            e = fed_intent_add(core, t, &rec);
            e = e == OK ? fed_intent_done(core, old, number) : e;
        }
        bytes_free(&hold);
    }
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_intent_move(struct fed_core *core, struct fed_thread *old,
                struct fed_thread *t)
{
    enum err e;
    uint64_t number = 0;

    TRY(fed_past_due(core, old, t));
    TRY(words_to(core, old, t, old->rec.intents));
    for (;; number++) {
        struct fed_rec_intent rec;
        struct bytes hold = {0};

        e = fed_intent_next(core, &old->id, &number, &rec, &hold);
        e = e == OK ? fed_intent_done(core, old, number) : e;
        bytes_free(&hold);
        TRY(e);
    }
out:
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_intent_behind(struct fed_core *core, struct fed_thread *t, uint64_t end)
{
    enum err e = OK;

    if (t->rec.intents == end) {
        return OK;
    }
    TRY(fed_intent_again(core, t)); /* nobody answers those numbers */
    TRY(words_to(core, t, t, end));
out:
    return e;
}

enum err
fed_intent_bring(struct fed_core *core, struct fed_thread *t,
                 const uint8_t root[32])
{
    enum err e = OK;
    struct fed_rec_intent add = {.kind = FED_INTENT_ADD};
    struct clinic_id id;
    struct fed_party *p;
    struct bytes kps = {0};

    memcpy(id.b, root, sizeof(id.b));
    memcpy(add.id, root, sizeof(add.id));
    p = fed_party_find(core, &id);
    if (p != NULL && p->kind == FED_KIND_PATIENT && p->via == NULL) {
        TRY(fed_pool_take(core, p, &kps));
        add.data = view_of(&kps);
    }
    TRY(fed_intent_add(core, t, &add));
out:
    bytes_free(&kps);
    return e;
}

enum err
fed_intent_back(struct fed_core *core, struct fed_thread *t, struct view ext)
{
    enum err e;
    struct proto_group after;
    struct proto_subject s;
    uint64_t upto = t->rec.seq - 1; /* the last is what lets us in again */

    if (t->rec.back_to != 0 && t->rec.back_to < upto) {
        upto = t->rec.back_to;
    }
    TRY(proto_group_decode(ext, &after));
    for (size_t i = 0; i < t->members_len; i++) {
        const struct fed_member *m = &t->members[i];

        if (m->rec.came > upto && proto_group_find(&t->group, m->node.b, &s) &&
            memcmp(s.added_by, core->me.b, 32) == 0 &&
            !proto_group_find(&after, m->node.b, &s)) {
            TRY(fed_intent_bring(core, t, m->node.b));
        }
    }
out:
    return e;
}
