/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/core/bundle.h"

#include "federation/core/frank.h"

#include <string.h>

enum err
fed_bundle_new(struct fed_core *core, struct fed_bundle **out)
{
    *out = mem_alloc(core->mem, sizeof(**out));
    return *out == NULL ? ERR_NOMEM : OK;
}

void
fed_bundle_clear(struct fed_bundle *b)
{
    for (size_t i = 0; i < b->len; i++) {
        bytes_free(&b->part[i].hold);
    }
    b->len = 0;
    b->size = 0;
    b->alone = false;
}

void
fed_bundle_free(struct fed_core *core, struct fed_bundle *b)
{
    if (b != NULL) {
        fed_bundle_clear(b);
        mem_free(core->mem, b, sizeof(*b));
    }
}

/* What was refused before goes alone: it must not take others with it. */
static bool
is_alone(const struct fed_rec_intent *rec)
{
    return rec->tries > 0 || rec->data.len > LIMIT_BUNDLE ||
           !proto_content_may_bundle(rec->data);
}

bool
fed_bundle_takes(const struct fed_bundle *b, const struct fed_rec_intent *rec)
{
    if (b->len == 0) {
        return true;
    }
    return !b->alone && b->len < LIMIT_BUNDLE_PARTS &&
           rec->data.len <= LIMIT_BUNDLE - b->size && !is_alone(rec);
}

void
fed_bundle_add(struct fed_bundle *b, uint64_t number,
               const struct fed_rec_intent *rec, struct bytes *take_hold)
{
    struct fed_bundle_part *p = &b->part[b->len];

    ASSERT(fed_bundle_takes(b, rec));
    b->alone = b->len == 0 && is_alone(rec);
    b->size += rec->data.len;
    b->len++;
    p->number = number;
    p->rec = *rec;
    p->hold = bytes_take(take_hold);
}

enum err
fed_bundle_content(struct fed_core *core, const struct fed_thread *t,
                   const struct fed_bundle *b, struct view *content,
                   uint8_t frank[32], struct bytes *hold)
{
    enum err e = OK;
    struct message_id ids[LIMIT_BUNDLE_PARTS];
    struct proto_part parts[LIMIT_BUNDLE_PARTS];
    struct proto_content c = {.kind = PROTO_CONTENT_BUNDLE};

    for (size_t i = 0; i < b->len; i++) {
        memcpy(ids[i].b, b->part[i].rec.id, sizeof(ids[i].b));
        parts[i].content = b->part[i].rec.data;
    }
    fed_frank_tag(&t->id,
                  view_make((const uint8_t *)ids, b->len * sizeof(ids[0])),
                  frank);
    *content = b->part[0].rec.data;
    if (b->len > 1) {
        c.u.bundle.parts = (struct proto_list){parts, (uint32_t)b->len, {0}};
        TRY(proto_content_encode(core->mem, &c, hold));
        *content = view_of(hold);
    }
out:
    return e;
}

/* Remember that the hub has them to answer. */
static enum err
note(struct fed_core *core, struct fed_thread *t, struct fed_bundle *b,
     const struct proto_app_submit *in)
{
    enum err e;
    struct fed_sub *sub;

    TRY(fed_sub_new(core, t, FED_INTENT_SAY, in->req, in->message, &sub));
    for (size_t i = 0; i < b->len; i++) {
        struct fed_rec_intent *rec = &b->part[i].rec;

        TRY(fed_sub_part(core, sub, b->part[i].number, rec));
        memcpy(rec->req, sub->req, sizeof(rec->req));
        memcpy(rec->hash, sub->hash, sizeof(rec->hash));
        rec->epoch = sub->epoch;
        rec->submitted = true;
        TRY(fed_intent_put(core, t, b->part[i].number, rec));
    }
out:
    return e;
}

enum err
fed_bundle_submit(struct fed_core *core, struct fed_thread *t,
                  struct fed_party *hub, struct fed_bundle *b)
{
    enum err e;
    uint8_t frank[32];
    struct view content;
    struct bytes hold = {0};
    struct bytes aad = {0};
    struct mls_protected made = {0};
    struct proto_peer_msg msg = {.type = PROTO_PEER_APP_SUBMIT};
    struct proto_app_submit *in = &msg.u.app_submit;

    TRY(rng_fill(core->config.rng, in->req, sizeof(in->req)));
    TRY(fed_bundle_content(core, t, b, &content, frank, &hold));
    TRY(fed_log_aad(core, t, VIEW_ARRAY(frank), &aad));
    TRY(mls_protect(t->mls, content, view_of(&aad),
                    proto_content_padding(content.len), &made));
    fed_log_sealed(core, t, &made);
    TRY(fed_mls_change(core, &t->id, made.change));
    memcpy(in->thread, t->id.b, sizeof(in->thread));
    if (t->subs_len > 0) {
        memcpy(in->after, t->subs[t->subs_len - 1].req, sizeof(in->after));
    }
    in->term = t->rec.term;
    in->message = view_of(&made.message);
    TRY(note(core, t, b, in));
    TRY(fed_stream_put(core, hub, &msg));
    fed_bundle_clear(b);
out:
    bytes_free(&hold);
    bytes_free(&aad);
    mls_protected_clear(&made);
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

enum err
fed_bundle_say(struct fed_core *core, struct fed_thread *t,
               struct fed_bundle *b)
{
    enum err e;
    uint8_t frank[32];
    struct view content;
    struct bytes hold = {0};

    TRY(fed_bundle_content(core, t, b, &content, frank, &hold));
    for (size_t i = 0; i < b->len; i++) {
        TRY(fed_intent_gone(core, t, b->part[i].number));
    }
    TRY(fed_intent_left(core, t));
    TRY(fed_hub_say(core, t, content, frank));
    fed_bundle_clear(b);
out:
    bytes_free(&hold);
    return e;
}
