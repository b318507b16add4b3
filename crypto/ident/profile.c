/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/profile.h"

#include "proto/base/assert.h"
#include "proto/base/phi.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"

enum {
    VERSION = 1
};

static bool
words_fit(const struct ident_profile *p)
{
    return p->name.len > 0 && p->name.len <= IDENT_NAME_MAX &&
           p->address.len <= IDENT_ADDRESS_MAX &&
           p->phone.len <= IDENT_PHONE_MAX && proto_utf8_valid(p->name) &&
           proto_utf8_valid(p->address) && proto_utf8_valid(p->phone);
}

static void
put_picture(struct proto_wr *w, const struct ident_profile *p)
{
    if (p->picture.type == PROTO_PICTURE_NONE) {
        proto_wr_nil(w);
        return;
    }
    proto_wr_array(w, 5);
    proto_wr_uint(w, p->picture.type);
    proto_wr_uint(w, p->picture.length);
    proto_wr_uint(w, p->picture.width);
    proto_wr_uint(w, p->picture.height);
    proto_wr_bin(w, hash32_view(&p->picture_hash));
}

static void
get_picture(struct proto_rd *r, struct ident_profile *p)
{
    if (proto_rd_nil(r)) {
        return;
    }
    proto_rd_array(r, 5);
    p->picture.type = proto_rd_u64(r);
    p->picture.length = proto_rd_u64(r);
    p->picture.width = proto_rd_u64(r);
    p->picture.height = proto_rd_u64(r);
    p->picture_hash = proto_rd_hash32(r);
    if (!proto_picture_fits(&p->picture)) {
        proto_rd_fail(r, ERR_LIMIT); /* [profile-picture-bounds] */
    }
}

enum err
ident_profile_make(const struct mem *mem, const struct prim_sign_key *node,
                   struct view chain, const struct ident_profile *profile,
                   struct bytes *out)
{
    enum err e;
    struct bytes statement = {0};
    struct proto_wr w = proto_wr_open(mem);

    if (!words_fit(profile) || (profile->picture.type != PROTO_PICTURE_NONE &&
                                !proto_picture_fits(&profile->picture))) {
        return ERR_INVALID;
    }
    proto_wr_array(&w, 8);
    proto_wr_uint(&w, IDENT_PROFILE);
    proto_wr_uint(&w, VERSION);
    proto_wr_bin(&w, clinic_id_view(&profile->root));
    proto_wr_uint(&w, profile->changed_ms);
    proto_wr_str(&w, profile->name);
    proto_wr_str(&w, profile->address);
    proto_wr_str(&w, profile->phone);
    put_picture(&w, profile);
    TRY(proto_wr_take(&w, &statement));
    TRY(ident_by_node_make(mem, IDENT_PROFILE, node, chain, view_of(&statement),
                           out));
out:
    proto_wr_clear(&w);
    bytes_free(&statement);
    return e;
}

static enum err
profile_decode(struct view statement, struct ident_profile *out)
{
    enum err e;
    struct ident_profile p = {0};
    struct proto_rd r = proto_rd_open(statement);

    proto_rd_array(&r, 8);
    if (proto_rd_u16(&r) != IDENT_PROFILE) {
        proto_rd_fail(&r, ERR_FORMAT);
    }
    if (proto_rd_u16(&r) != VERSION) {
        proto_rd_fail(&r, ERR_UNSUPPORTED);
    }
    p.root = proto_rd_clinic_id(&r);
    p.changed_ms = proto_rd_u64(&r);
    p.name = proto_rd_str(&r, IDENT_NAME_MAX);
    p.address = proto_rd_str(&r, IDENT_ADDRESS_MAX);
    p.phone = proto_rd_str(&r, IDENT_PHONE_MAX);
    get_picture(&r, &p);
    TRY(proto_rd_end(&r));
    if (p.name.len == 0) {
        return ERR_FORMAT;
    }
    *out = p;
out:
    return e;
}

enum err
ident_profile_open(const struct mem *mem, struct view in,
                   const struct ident_check *check, struct ident_profile *out)
{
    enum err e;
    struct view statement;
    struct ident_profile p;

    ASSERT(check->root != NULL);
    TRY(ident_by_node_open(mem, IDENT_PROFILE, in, check, NULL, &statement));
    TRY(profile_decode(statement, &p));
    if (!clinic_id_equal(&p.root, check->root)) {
        return ERR_AUTH;
    }
    *out = p;
out:
    return e;
}

enum err
ident_forward_make(const struct mem *mem, const struct prim_sign_key *node,
                   struct view chain, const struct link_id *old,
                   struct view text, struct bytes *out)
{
    enum err e;
    struct bytes statement = {0};
    struct proto_wr w = proto_wr_open(mem);

    if (text.len > IDENT_LINK_MAX) {
        return ERR_LIMIT;
    }
    proto_wr_array(&w, 4);
    proto_wr_uint(&w, IDENT_FORWARD);
    proto_wr_uint(&w, VERSION);
    proto_wr_bin(&w, link_id_view(old));
    proto_wr_str(&w, text);
    TRY(proto_wr_take(&w, &statement));
    TRY(ident_by_node_make(mem, IDENT_FORWARD, node, chain, view_of(&statement),
                           out));
out:
    proto_wr_clear(&w);
    bytes_free(&statement);
    return e;
}

enum err
ident_forward_open(const struct mem *mem, struct view in,
                   const struct ident_check *check, const struct link_id *old,
                   struct view *text)
{
    enum err e;
    struct view statement;
    struct proto_rd r;
    struct link_id about;
    struct view link;

    TRY(ident_by_node_open(mem, IDENT_FORWARD, in, check, NULL, &statement));
    r = proto_rd_open(statement);
    proto_rd_array(&r, 4);
    if (proto_rd_u16(&r) != IDENT_FORWARD) {
        proto_rd_fail(&r, ERR_FORMAT);
    }
    if (proto_rd_u16(&r) != VERSION) {
        proto_rd_fail(&r, ERR_UNSUPPORTED);
    }
    about = proto_rd_link_id(&r);
    link = proto_rd_str(&r, IDENT_LINK_MAX);
    TRY(proto_rd_end(&r));
    if (!link_id_equal(&about, old)) {
        return ERR_AUTH;
    }
    *text = link;
out:
    return e;
}
