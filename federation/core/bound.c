/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much one clinic can make us keep or do.
 *
 * What we answer waits in its stream until it is acknowledged.  Who leaves
 * much of that unread gets only small answers; who leaves very much is not
 * listened to before it has taken some: its items stay with it, and its
 * answers are the way out.  The counters are in its record, so that neither a
 * new connection nor our restart begins them anew.
 *
 * By a public link without review clinics come in without a person: so many
 * an hour by each link, and by all.  Whoever is too many asks again later.
 */
#include "federation/core/bound.h"

#include <string.h>

static uint64_t
or_else(uint64_t n, uint64_t limit)
{
    return n != 0 ? n : limit;
}

bool
fed_bound_full(const struct fed_core *core, const struct fed_party *p)
{
    const struct fed_limits *l = &core->config.limits;

    return p->rec.answer_bytes >= or_else(l->answer_bytes, LIMIT_STREAM_KEPT);
}

static bool
very_full(const struct fed_core *core, const struct fed_party *p)
{
    const struct fed_limits *l = &core->config.limits;

    return p->rec.answers >= or_else(l->answers, LIMIT_STREAM_ANSWERS) ||
           p->rec.answer_bytes / 2 >=
               or_else(l->answer_bytes, LIMIT_STREAM_KEPT);
}

enum err
fed_bound_deaf(struct fed_core *core, struct fed_party *p, bool *deaf)
{
    enum err e = OK;
    struct fed_show *show;

    *deaf = very_full(core, p);
    if (!*deaf) {
        goto out;
    }
    if (!p->rec.deaf) {
        show = fed_tx_show(core, FED_SHOW_BAD);
        TRY(show == NULL ? ERR_NOMEM : OK);
        show->peer = p->root;
        show->code = ERR_LIMIT;
        p->rec.deaf = true;
        p->dirty = true;
    }
    TRY(fed_party_close(core, p, PROTO_BYE_LIMIT));
out:
    return e;
}

void
fed_bound_put(struct fed_party *p, uint64_t bytes)
{
    p->rec.answers++;
    p->rec.answer_bytes += bytes;
    p->dirty = true;
}

void
fed_bound_acked(struct fed_party *p, uint64_t bytes)
{
    uint64_t *b = &p->rec.answer_bytes;

    p->rec.answers -= p->rec.answers > 0 ? 1 : 0;
    *b -= bytes < *b ? bytes : *b;
    p->rec.deaf = p->rec.deaf && p->rec.answers > 0;
    p->dirty = true;
}

/* ------------------------------------------------------------------- links */

struct hour {
    uint64_t *since_ms;
    uint64_t *uses;
    bool *told;
    uint64_t max;
};

/* Is there room in this hour?  One that is over begins anew. */
static bool
room(const struct hour *h, uint64_t now)
{
    if (now < *h->since_ms || now - *h->since_ms >= LIMIT_HOUR_MS) {
        *h->since_ms = now;
        *h->uses = 0;
        *h->told = false;
    }
    return *h->uses < h->max;
}

/* The owner is told once an hour. */
static enum err
tell(struct fed_core *core, const struct fed_party *p, const uint8_t id[8],
     const struct hour *h, enum proto_redeem_code code)
{
    struct fed_show *show;

    if (*h->told) {
        return OK;
    }
    show = fed_tx_show(core, FED_SHOW_LINK_USED);
    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->peer = p->subject;
    show->who = p->kind == FED_KIND_DEVICE ? FED_KIND_PATIENT : FED_KIND_CLINIC;
    show->code = (uint64_t)code;
    show->value = h->max;
    memcpy(show->link.b, id, sizeof(show->link.b));
    *h->told = true;
    return OK;
}

enum err
fed_bound_link(struct fed_core *core, const struct fed_party *p,
               const uint8_t id[8], struct fed_rec_link *link, bool *may)
{
    enum err e = OK;
    const struct fed_limits *l = &core->config.limits;
    struct hour one = {&link->hour_ms, &link->hour_uses, &link->hour_told,
                       or_else(l->link_hour, LIMIT_LINK_HOUR)};
    struct hour all = {&core->self.hour_ms, &core->self.hour_uses,
                       &core->self.hour_told,
                       or_else(l->links_hour, LIMIT_LINKS_HOUR)};
    struct fed_key self = {.len = 0};
    struct fed_key key = fed_key_of(view_make(id, 8));
    bool one_has = room(&one, fed_now(core));
    bool all_has = room(&all, fed_now(core));
    bool said = *one.told && *all.told;

    *may = one_has && all_has;
    if (*may) {
        (*one.uses)++;
        (*all.uses)++;
    } else if (!one_has) {
        TRY(tell(core, p, id, &one, PROTO_REDEEM_LATER));
    } else {
        TRY(tell(core, p, id, &all, PROTO_REDEEM_LATER));
    }
    if (*may || !said) {
        TRY(fed_tx_save(core, FED_NS_LINK, &key, &fed_rec_link_shape, link));
        TRY(fed_tx_save(core, FED_NS_SELF, &self, &fed_rec_self_shape,
                        &core->self));
    }
out:
    return e;
}

enum err
fed_bound_again(struct fed_core *core, const struct fed_party *p,
                const uint8_t id[8], struct fed_rec_link *link)
{
    enum err e = OK;
    struct fed_key key = fed_key_of(view_make(id, 8));
    struct hour h = {&link->hour_ms, &link->hour_uses, &link->hour_told, 1};

    if (room(&h, fed_now(core)) && !*h.told) {
        TRY(tell(core, p, id, &h, PROTO_REDEEM_USED));
        TRY(fed_tx_save(core, FED_NS_LINK, &key, &fed_rec_link_shape, link));
    }
out:
    return e;
}
