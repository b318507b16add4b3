/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures after the fact.  An entry that comes as it is numbered has the
 * hub's signature with it (frank.c); one that was pulled from the log, was
 * brought back by another member, or is from before this device has none.  The
 * device asks for it as soon as it has the message, so that a hub that is its
 * author cannot know what will be reported, and the hub signs what stands in
 * its own record: who, where, when, and the tag of that one message.
 *
 * On the wire are places only, since a relay may carry them.
 */
#include "federation/core/bound.h"
#include "federation/core/bundle.h"
#include "federation/core/care.h"
#include "federation/core/frank.h"

#include "crypto/ident/sign.h"

#include <string.h>

/* ---------------------------------------------------------------- the device
 */

static size_t
noted(const struct fed_thread *t)
{
    return t->unproven.len / sizeof(struct proto_frank_want);
}

enum err
fed_prove_place(struct fed_core *core, struct fed_thread *t, uint64_t term,
                uint64_t place)
{
    enum err e = OK;
    struct proto_frank_want want;

    if (core->kind != FED_KIND_DEVICE) {
        return OK;
    }
    TRY(noted(t) >= LIMIT_FRANK_ASK ? fed_prove_ask(core, t) : OK);
    memset(&want, 0, sizeof(want));
    want.term = term;
    want.place = place;
    TRY(bytes_append(core->mem, &t->unproven,
                     view_make((const uint8_t *)&want, sizeof(want))));
out:
    return e;
}

enum err
fed_prove_note(struct fed_core *core, struct fed_thread *t,
               const struct fed_taken *in)
{
    enum err e = OK;
    struct proto_content c;
    struct proto_list_at at = {0};
    struct proto_part part;
    uint64_t n = 0;

    if (clinic_id_equal(in->author, &core->me)) {
        return OK; /* nobody reports themselves */
    }
    if (proto_content_decode(in->content, &c) != OK ||
        c.kind != PROTO_CONTENT_BUNDLE) {
        return fed_content_shown(in->content)
                   ? fed_prove_place(core, t, in->term, fed_place(in->seq, 0))
                   : OK;
    }
    while (proto_list_next(&c.u.bundle.parts, &proto_part_shape, &at, &part)) {
        if (fed_content_shown(part.content)) {
            TRY(fed_prove_place(core, t, in->term, fed_place(in->seq, n)));
        }
        n++;
    }
out:
    return e;
}

enum err
fed_prove_ask(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    struct clinic_id hub;
    struct fed_party *p;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_FRANK_GET};

    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    if (noted(t) == 0 || (p = fed_party_find(core, &hub)) == NULL ||
        !fed_party_open(p)) {
        bytes_free(&t->unproven);
        return OK;
    }
    memcpy(msg.u.frank_get.thread, t->id.b, sizeof(t->id.b));
    msg.u.frank_get.wants =
        (struct proto_list){t->unproven.p, (uint32_t)noted(t), {0}};
    TRY(fed_device_put(core, p, &msg));
out:
    bytes_free(&t->unproven);
    return e;
}

static enum err
show(struct fed_core *core, const struct fed_thread *t, uint64_t term,
     uint64_t place, bool proven)
{
    struct fed_show *s = fed_tx_show(core, FED_SHOW_PROVEN);

    if (s == NULL) {
        return ERR_NOMEM;
    }
    s->thread = t->id;
    s->term = term;
    s->seq = place;
    s->known = proven;
    return OK;
}

/* [prove-later] One place: the signature has to be of what stands there for us.
 */
static enum err
take(struct fed_core *core, struct fed_thread *t,
     const struct proto_frank_taken *in)
{
    enum err e;
    struct fed_past had = {0};
    struct clinic_id author;
    struct fed_taken taken = {.term = in->term,
                              .seq = fed_place_entry(in->place),
                              .ts_ms = in->ts_ms,
                              .author = &author,
                              .sig = in->sig};
    bool kept = false;

    e = core->config.store.past(core->config.store.ctx, &t->id, in->term,
                                in->place, in->place, core->mem, &had);
    TRY(e == ERR_MISSING ? OK : e);
    if (had.seq == in->place) {
        memcpy(author.b, had.author.b, sizeof(author.b));
        TRY(fed_frank_keep_one(core, t, in->place, &had.id, &taken, &kept));
    }
    TRY(show(core, t, in->term, in->place, kept));
out:
    bytes_free(&had.content);
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_prove_got(struct fed_core *core, struct fed_party *p,
              const struct proto_device_frank *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    struct proto_list_at at = {0};
    struct proto_frank_taken one;

    memcpy(id.b, in->thread, sizeof(id.b));
    TRY(fed_thread_get(core, &id, &t));
    if (core->kind != FED_KIND_DEVICE ||
        memcmp(t->rec.hub, p->root.b, sizeof(p->root.b)) != 0) {
        goto out; /* it moved meanwhile */
    }
    while (proto_list_next(&in->taken, &proto_frank_taken_shape, &at, &one)) {
        TRY(take(core, t, &one));
    }
out:
    return e == ERR_MISSING ? OK : e;
}

/* ------------------------------------------------------------------- the hub
 */

struct signed_place {
    uint8_t sig[PRIM_ED25519_SIG];
};

/* sig stays empty where we have no such message. */
static enum err
sign(struct fed_core *core, const struct fed_thread *t,
     const struct prim_sign_key *key, const struct proto_frank_want *want,
     struct signed_place *sig, struct proto_frank_taken *out)
{
    enum err e;
    struct fed_past had = {0};
    struct bytes said = {0};
    struct proto_frank f = {.term = want->term,
                            .seq = fed_place_entry(want->place)};

    *out = (struct proto_frank_taken){.term = want->term, .place = want->place};
    e = core->config.store.past(core->config.store.ctx, &t->id, want->term,
                                want->place, want->place, core->mem, &had);
    if (e != OK || had.seq != want->place) {
        goto out;
    }
    f.ts_ms = had.ts_ms;
    memcpy(f.thread, t->id.b, sizeof(f.thread));
    memcpy(f.author, had.author.b, sizeof(f.author));
    fed_frank_tag(&t->id, message_id_view(&had.id), f.tag);
    TRY(fed_frank_statement(core->mem, &f, &said));
    TRY(ident_sign(core->mem, IDENT_STATEMENT, key, view_of(&said), sig->sig));
    out->ts_ms = had.ts_ms;
    out->sig = VIEW_ARRAY(sig->sig);
out:
    bytes_free(&had.content);
    bytes_free(&said);
    return e == ERR_MISSING ? OK : e;
}

/* [prove-flood] As for history: so much is looked up for one member. */
static bool
too_much(struct fed_core *core, struct fed_member *m, uint64_t n)
{
    uint64_t now = fed_mono(core);

    if (now - m->proved_ms >= LIMIT_HISTORY_MS) {
        m->proved_ms = now;
        m->proved = 0;
    }
    m->proved += n;
    return m->proved > LIMIT_HISTORY_ASKED;
}

static enum err
answer(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
       const struct proto_device_frank_get *in)
{
    enum err e = OK;
    struct proto_device_msg msg = {.type = PROTO_DEVICE_FRANK};
    struct proto_frank_taken taken[LIMIT_FRANK_ASK];
    struct signed_place sigs[LIMIT_FRANK_ASK];
    struct proto_list_at at = {0};
    struct proto_frank_want want;
    struct prim_sign_key key;
    uint32_t n = 0;

    prim_ed25519_from_seed(core->seed, &key);
    while (n < LIMIT_FRANK_ASK &&
           proto_list_next(&in->wants, &proto_frank_want_shape, &at, &want)) {
        TRY(sign(core, t, &key, &want, &sigs[n], &taken[n]));
        n++;
    }
    memcpy(msg.u.frank.thread, t->id.b, sizeof(t->id.b));
    msg.u.frank.taken = (struct proto_list){taken, n, {0}};
    TRY(fed_device_put(core, p, &msg));
out:
    mem_wipe(&key, sizeof(key));
    return e;
}

enum err
fed_prove_asked(struct fed_core *core, struct fed_party *p,
                const struct proto_device_frank_get *in)
{
    enum err e;
    struct fed_thread *t;
    struct fed_member *m;
    struct thread_id id;

    memcpy(id.b, in->thread, sizeof(id.b));
    if (core->kind != FED_KIND_CLINIC || p->kind != FED_KIND_DEVICE) {
        return ERR_DENIED;
    }
    TRY(fed_thread_get(core, &id, &t));
    m = fed_thread_member(t, &p->subject);
    /* [prove-member] who is not in it is told nothing */
    if (m == NULL || !fed_thread_hub_here(core, t) ||
        core->config.store.past == NULL || fed_bound_full(core, p) ||
        too_much(core, m, in->wants.len)) {
        goto out;
    }
    TRY(answer(core, t, p, in));
out:
    return e == ERR_MISSING ? OK : e;
}

/* -------------------------------------------------------------- for people */

enum err
fed_core_proven(struct fed_core *core, const struct fed_report *in, bool *out)
{
    struct bytes ids = {0};
    struct bytes proof = {0};
    enum err e = fed_frank_proof(core, in, &ids, &proof);

    if (e == OK || e == ERR_MISSING) {
        *out = e == OK;
        e = OK;
    }
    bytes_free(&ids);
    bytes_free(&proof);
    return e;
}

enum err
fed_core_prove(struct fed_core *core, const struct fed_report *in)
{
    enum err e;
    struct fed_thread *t;
    struct clinic_id hub;
    const struct fed_party *p;

    TRY(fed_thread_get(core, &in->thread, &t));
    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    p = fed_party_find(core, &hub);
    TRY(core->kind == FED_KIND_DEVICE && p != NULL && fed_party_open(p) &&
                t->mls != NULL
            ? OK
            : ERR_STATE);
    TRY(fed_prove_place(core, t, in->term, in->seq));
    TRY(fed_prove_ask(core, t));
out:
    return e;
}
