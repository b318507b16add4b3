/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own links, and those who come by them.
 */
#include "federation/core/bound.h"

#include "crypto/ident/redeem.h"

#include <string.h>

static bool
zero32(const uint8_t *b)
{
    static const uint8_t zero[32];

    return memcmp(b, zero, sizeof(zero)) == 0;
}

static struct fed_key
link_key(const uint8_t id[8])
{
    return fed_key_of(view_make(id, 8));
}

/* What a link says to whoever opens it. */
static enum proto_redeem_code
link_code(const struct fed_core *core, const struct clinic_id *who,
          const struct fed_rec_link *link)
{
    if (link->forward.len > 0) {
        return PROTO_REDEEM_ROTATED;
    }
    if (link->revoked) {
        return PROTO_REDEEM_REVOKED;
    }
    if (link->one_time && !zero32(link->bound)) {
        return memcmp(link->bound, who->b, 32) == 0 ? PROTO_REDEEM_OK
                                                    : PROTO_REDEEM_USED;
    }
    if (link->expiry_s != 0 && fed_now(core) / 1000 >= link->expiry_s) {
        return PROTO_REDEEM_EXPIRED;
    }
    if (link->uses_max != 0 && link->uses >= link->uses_max) {
        return PROTO_REDEEM_USED;
    }
    return PROTO_REDEEM_OK;
}

enum err
fed_link_load(struct fed_core *core, const struct clinic_id *who,
              const uint8_t id[8], struct fed_rec_link *link,
              struct bytes *hold, enum proto_redeem_code *code)
{
    struct fed_key key = link_key(id);
    enum err e =
        fed_tx_load(core, FED_NS_LINK, &key, &fed_rec_link_shape, link, hold);

    if (e == ERR_MISSING) {
        memset(link, 0, sizeof(*link));
        *code = PROTO_REDEEM_UNKNOWN;
        return OK;
    }
    if (e == OK) {
        *code = link_code(core, who, link);
    }
    return e;
}

enum err
fed_redeem_open(struct fed_core *core, struct fed_party *p,
                const struct proto_link_open *in)
{
    enum err e;
    struct fed_rec_link link;
    struct bytes hold = {0};
    struct proto_peer_msg msg = {.type = PROTO_PEER_LINK_INFO};
    struct proto_link_info *info = &msg.u.link_info;
    enum proto_redeem_code code;

    TRY(fed_link_load(core, &p->subject, in->link, &link, &hold, &code));
    memcpy(info->link, in->link, sizeof(info->link));
    info->code = (uint64_t)code;
    if (code == PROTO_REDEEM_OK) {
        info->one_time = link.one_time;
        info->in_person = link.in_person;
        info->review = link.review;
        info->expiry_s = link.expiry_s;
        info->label = link.label;
    }
    info->forward = link.forward;
    if (code == PROTO_REDEEM_OK || code == PROTO_REDEEM_ROTATED) {
        TRY(fed_contact_profile(core, p));
    }
    if (code == PROTO_REDEEM_USED && link.one_time) {
        TRY(fed_bound_again(core, p, in->link, &link));
    }
    TRY(fed_party_say(core, p, &msg));
out:
    bytes_free(&hold);
    return e;
}

static enum err
show_used(struct fed_core *core, const struct fed_party *p,
          const uint8_t link[8], enum proto_redeem_code code)
{
    struct fed_show *show = fed_tx_show(core, FED_SHOW_LINK_USED);

    if (show == NULL) {
        return ERR_NOMEM;
    }
    show->peer = p->root;
    show->code = (uint64_t)code;
    memcpy(show->link.b, link, sizeof(show->link.b));
    return OK;
}

enum err
fed_link_proof(const struct fed_core *core, const struct fed_party *p,
               const struct fed_rec_link *link, const uint8_t id[8],
               struct view proof)
{
    struct ident_redeem what = {.owner = core->config.self.root};

    if (!link->one_time) {
        return proof.len == 0 ? OK : ERR_AUTH;
    }
    memcpy(what.redeemer.b, p->subject.b, sizeof(what.redeemer.b));
    memcpy(what.link.b, id, sizeof(what.link.b));
    memcpy(what.exporter, p->exporter, sizeof(what.exporter));
    return ident_redeem_check(link->secret, &what, proof);
}

enum err
fed_link_use(struct fed_core *core, struct fed_party *p, const uint8_t id[8],
             struct fed_rec_link *link)
{
    enum err e;
    struct fed_key key = link_key(id);

    link->uses++;
    if (link->one_time) {
        memcpy(link->bound, p->root.b, sizeof(link->bound));
    }
    TRY(fed_tx_save(core, FED_NS_LINK, &key, &fed_rec_link_shape, link));
    memcpy(p->rec.link, id, sizeof(p->rec.link));
    p->rec.link_ours = true;
    p->rec.one_time = link->one_time;
    p->rec.in_person = link->in_person;
    p->rec.verified = p->rec.verified || (link->one_time && link->in_person);
out:
    return e;
}

static enum err
accept_redeem(struct fed_core *core, struct fed_party *p,
              const struct proto_link_redeem *in, struct fed_rec_link *link)
{
    enum err e;
    bool both = p->rec.ours == PROTO_STANCE_ASKED;
    enum proto_creator creator = PROTO_CREATOR_SENDER;

    if (p->rec.theirs != PROTO_STANCE_GRANTED) {
        p->rec.theirs = PROTO_STANCE_ASKED;
    }
    if (link->review && !both) {
        TRY(fed_link_use(core, p, in->link, link));
        TRY(fed_contact_kp(core, p, in->kp));
        p->rec.ours = PROTO_STANCE_REVIEW;
        TRY(fed_party_changed(core, p));
        TRY(show_used(core, p, in->link, PROTO_REDEEM_REVIEW));
        TRY(fed_contact_result(core, p, in->link, PROTO_REDEEM_REVIEW,
                               (struct view){0}));
        goto out;
    }
    if (both && clinic_id_cmp(&core->config.self.root, &p->root) > 0) {
        creator = PROTO_CREATOR_RECEIVER; /* p->kp is ours, from asking */
    }
    TRY(fed_link_use(core, p, in->link, link));
    TRY(show_used(core, p, in->link, PROTO_REDEEM_OK));
    p->rec.creator = (uint64_t)creator;
    p->rec.ours = PROTO_STANCE_GRANTED;
    TRY(fed_contact_result(core, p, in->link, PROTO_REDEEM_OK,
                           (struct view){0}));
    TRY(fed_contact_profile(core, p));
    TRY(fed_contact_grant(core, p, creator, in->kp));
out:
    return e;
}

/* Is what came with a good request of the clinic that it comes from? */
static enum err
check_kp(struct fed_core *core, const struct fed_party *p, struct view kp)
{
    enum err e;
    struct fed_who of;

    TRY(fed_kp_check(core, kp, &of));
    TRY(clinic_id_equal(&of.node, &p->root) ? OK : ERR_AUTH);
out:
    return e;
}

/* The answer to a request by a link that exists. */
static enum proto_redeem_code
judge(const struct fed_core *core, const struct fed_party *p,
      const struct fed_rec_link *link, const struct proto_link_redeem *in,
      enum proto_redeem_code code)
{
    bool same = memcmp(p->rec.link, in->link, sizeof(in->link)) == 0;

    if (code != PROTO_REDEEM_OK) {
        return code;
    }
    if (fed_link_proof(core, p, link, in->link, in->proof) != OK) {
        return PROTO_REDEEM_PROOF;
    }
    if (p->rec.ours == PROTO_STANCE_ENDED && !zero32(link->bound)) {
        return PROTO_REDEEM_USED; /* by them, and that contact is over */
    }
    if (p->rec.ours == PROTO_STANCE_REFUSED && same) {
        return PROTO_REDEEM_REFUSED; /* the answer stands for this link */
    }
    return p->rec.ours == PROTO_STANCE_REVIEW && same ? PROTO_REDEEM_REVIEW
                                                      : PROTO_REDEEM_OK;
}

/* The answer is no, or not yet. */
static enum err
refuse(struct fed_core *core, struct fed_party *p, const uint8_t id[8],
       struct fed_rec_link *link, enum proto_redeem_code code)
{
    enum err e;

    if (code == PROTO_REDEEM_USED && link->one_time) {
        TRY(fed_bound_again(core, p, id, link));
    } else if (code != PROTO_REDEEM_UNKNOWN && code != PROTO_REDEEM_REVIEW) {
        TRY(show_used(core, p, id, code));
    }
    TRY(fed_contact_result(core, p, id, code, link->forward));
out:
    return e;
}

enum err
fed_link_redeem(struct fed_core *core, struct fed_party *p,
                const struct proto_link_redeem *in)
{
    enum err e;
    struct fed_rec_link link;
    struct bytes hold = {0};
    enum proto_redeem_code code;
    bool may;

    if (p->rec.ours == PROTO_STANCE_GRANTED) {
        /* A repeat, or they connect again: the same contact. */
        return fed_contact_result(core, p, in->link, PROTO_REDEEM_OK,
                                  (struct view){0});
    }
    TRY(fed_link_load(core, &p->root, in->link, &link, &hold, &code));
    if (code == PROTO_REDEEM_OK && link.patients) {
        code = PROTO_REDEEM_REFUSED; /* it is for a patient's app */
    }
    code = judge(core, p, &link, in, code);
    if (code == PROTO_REDEEM_OK && !link.one_time && !link.review &&
        p->rec.ours != PROTO_STANCE_ASKED) {
        TRY(fed_bound_link(core, p, in->link, &link, &may));
        if (!may) { /* the owner was told */
            TRY(fed_contact_result(core, p, in->link, PROTO_REDEEM_LATER,
                                   (struct view){0}));
            goto out;
        }
    }
    if (code == PROTO_REDEEM_OK) {
        e = check_kp(core, p, in->kp);
        if (e == ERR_STALE) {
            /* [redeem-clock] not for today: one of both clocks is wrong, and
               when that is set they ask with another */
            e = fed_contact_result(core, p, in->link, PROTO_REDEEM_LATER,
                                   (struct view){0});
            goto out;
        }
        if (e != OK) {
            e = fed_ours(e) ? e : fed_party_bad(core, p, e);
            goto out;
        }
        TRY(accept_redeem(core, p, in, &link));
        goto out;
    }
    TRY(refuse(core, p, in->link, &link, code));
out:
    bytes_free(&hold);
    return e;
}
