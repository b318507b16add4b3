/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/core/picture.h"

#include "crypto/prim/hash.h"

#include <string.h>

static const uint8_t none[32];

/* Only clinics have pictures, and only those that we talk to directly. */
static bool
has_one(const struct fed_party *p)
{
    return p->kind == FED_KIND_CLINIC && p->via == NULL &&
           memcmp(p->rec.picture, none, sizeof(none)) != 0;
}

enum err
fed_picture_ask(struct fed_core *core, struct fed_party *p)
{
    enum err e;
    struct proto_peer_msg msg = {.type = PROTO_PEER_PICTURE_GET};

    if (!has_one(p) || p->rec.pictured || p->picture_asked ||
        p->picture_ms > fed_mono(core) || p->rec.ours != PROTO_STANCE_GRANTED ||
        !fed_party_live(p)) {
        return OK;
    }
    memcpy(msg.u.picture_get.hash, p->rec.picture, 32);
    p->picture_asked = true;
    TRY(fed_stream_put(core, p, &msg));
out:
    return e;
}

enum err
fed_picture_profile(struct fed_core *core, struct fed_party *p,
                    const struct ident_profile *profile)
{
    bool any = profile->picture.type != PROTO_PICTURE_NONE;

    if (memcmp(p->rec.picture, any ? profile->picture_hash.b : none, 32) != 0) {
        memcpy(p->rec.picture, any ? profile->picture_hash.b : none, 32);
        p->rec.picture_len = any ? profile->picture.length : 0;
        p->rec.pictured = false;
        p->dirty = p->stored;
    }
    return fed_picture_ask(core, p);
}

enum err
fed_picture_later(struct fed_core *core)
{
    enum err e = OK;
    uint64_t now = fed_mono(core);

    for (size_t i = 0; i < core->parties_len; i++) {
        struct fed_party *p = core->parties[i];

        if (p->picture_ms > now) {
            fed_tx_timer(core, p->picture_ms);
        } else if (p->picture_ms != 0) {
            p->picture_ms = 0;
            TRY(fed_picture_ask(core, p));
        }
    }
out:
    return e;
}

void
fed_picture_stance(struct fed_party *p)
{
    if (p->rec.ours != PROTO_STANCE_GRANTED) {
        p->rec.pictured = false;
        p->picture_asked = false;
    }
}

enum err
fed_picture_give(struct fed_core *core, struct fed_party *p,
                 const struct proto_picture_get *in)
{
    uint64_t now = fed_mono(core);
    struct proto_peer_msg msg = {.type = PROTO_PEER_PICTURE};
    struct proto_picture_msg *out = &msg.u.picture;

    /* [picture-to-whom] */
    if (core->kind != FED_KIND_CLINIC || p->via != NULL ||
        p->rec.ours != PROTO_STANCE_GRANTED) {
        return ERR_DENIED;
    }
    memcpy(out->hash, in->hash, sizeof(out->hash));
    if (p->pictures == 0 || now >= p->pictures_ms + LIMIT_HOUR_MS) {
        p->pictures_ms = now;
        p->pictures = 0;
    }
    if (core->picture.len == 0 ||
        memcmp(in->hash, core->picture_hash, 32) != 0) {
        out->code = PROTO_PICTURE_GONE;
    } else if (p->pictures >= LIMIT_PICTURES_HOUR) {
        out->code = PROTO_PICTURE_LATER;
    } else {
        p->pictures++;
        out->code = PROTO_PICTURE_OK;
        out->bytes = view_of(&core->picture);
    }
    return fed_stream_put(core, p, &msg);
}

/* It is what the signed profile names, and a picture. */
static enum err
check(const struct fed_party *p, struct view bytes)
{
    enum err e;
    uint8_t hash[32];
    struct proto_picture what;

    /* [picture-length] before anything is done with it */
    TRY(bytes.len == p->rec.picture_len ? OK : ERR_AUTH);
    prim_sha256(bytes, hash);
    /* [picture-hash] */
    TRY(memcmp(hash, p->rec.picture, sizeof(hash)) == 0 ? OK : ERR_AUTH);
    /* [picture-kind] whatever the profile calls it */
    TRY(proto_picture_read(bytes, &what) == OK ? OK : ERR_FORMAT);
out:
    return e;
}

/* The answer to our question, which may be about an older picture. */
static enum err
answered(struct fed_core *core, struct fed_party *p,
         const struct proto_picture_msg *in)
{
    enum err e = OK;
    struct fed_show *show;

    if (in->code == PROTO_PICTURE_LATER) {
        p->picture_ms = fed_mono(core) + LIMIT_HOUR_MS;
        fed_tx_timer(core, p->picture_ms);
    }
    if (in->code != PROTO_PICTURE_OK) {
        goto out; /* GONE: another profile is on its way */
    }
    TRY(check(p, in->bytes));
    show = fed_tx_show(core, FED_SHOW_PICTURE);
    TRY(show == NULL ? ERR_NOMEM : OK);
    show->peer = p->root;
    TRY(bytes_copy(core->mem, in->bytes, &show->body));
    p->rec.pictured = true;
    p->dirty = true;
out:
    return e;
}

enum err
fed_picture_recv(struct fed_core *core, struct fed_party *p,
                 const struct proto_picture_msg *in)
{
    /* [picture-from-whom] */
    if (p->kind != FED_KIND_CLINIC || p->via != NULL ||
        p->rec.ours != PROTO_STANCE_GRANTED) {
        return ERR_DENIED;
    }
    if (!p->picture_asked) {
        return OK; /* answered already, on an earlier connection */
    }
    p->picture_asked = false;
    if (memcmp(in->hash, p->rec.picture, sizeof(in->hash)) != 0) {
        return fed_picture_ask(core, p); /* it has another by now */
    }
    return p->rec.pictured || !has_one(p) ? OK : answered(core, p, in);
}
