/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connecting two clinics by a link.  What each wants is a stance that it
 * stores and repeats with every greeting, so that no message of this needs to
 * be kept: whatever was lost with a connection is said again on the next.
 *
 * Who opens the direct conversation (decisions D 17): the clinic that accepts;
 * when both asked each other, the one with the smaller root.
 */
#include "federation/core/bound.h"
#include "federation/core/care.h"
#include "federation/core/picture.h"
#include "federation/core/trust.h"

#include "crypto/ident/redeem.h"
#include "crypto/prim/hash.h"

#include <string.h>

static bool
zero32(const uint8_t *b)
{
    static const uint8_t zero[32];

    return memcmp(b, zero, sizeof(zero)) == 0;
}

/* ---------------------------------------------------------------- profiles */

enum err
fed_contact_profile(struct fed_core *core, struct fed_party *p)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_PROFILE};

    if (core->profile.len == 0 ||
        memcmp(p->profile_seen, core->profile_hash, 32) == 0) {
        return OK;
    }
    memcpy(p->profile_seen, core->profile_hash, 32);
    msg.u.profile.profile = view_of(&core->profile);
    return fed_party_say(core, p, &msg);
}

static enum err
recv_profile(struct fed_core *core, struct fed_party *p, struct view in)
{
    enum err e;
    struct ident_profile profile;
    struct ident_check check = {.root = &p->root, .now_ms = 0, .known_ms = 1};
    struct fed_show *show;

    e = ident_profile_open(core->mem, in, &check, &profile);
    if (e != OK) {
        return fed_ours(e) ? e : fed_party_bad(core, p, e);
    }
    prim_sha256(in, p->rec.profile);
    p->dirty = p->stored;
    show = fed_tx_show(core, FED_SHOW_PROFILE);
    TRY(show == NULL ? ERR_NOMEM : OK);
    show->peer = p->root;
    TRY(bytes_copy(core->mem, in, &show->body));
    TRY(fed_picture_profile(core, p, &profile));
out:
    return e;
}

/* -------------------------------------------------------------- agreement */

/*
 * The direct conversation: open it if that is ours to do.  kp is theirs, when
 * they sent one.
 */
static enum err
converse(struct fed_core *core, struct fed_party *p, struct view kp)
{
    if (p->rec.creator != PROTO_CREATOR_SENDER || kp.len == 0 ||
        !zero32(p->rec.direct)) {
        return OK;
    }
    return fed_hub_direct(core, p, kp);
}

/* We say yes.  kp: their key package. */
enum err
fed_contact_grant(struct fed_core *core, struct fed_party *p,
                  enum proto_creator creator, struct view kp)
{
    enum err e;

    p->rec.creator = (uint64_t)creator;
    p->rec.ours = PROTO_STANCE_GRANTED;
    TRY(fed_party_changed(core, p));
    if (p->up && !p->told_known) {
        TRY(fed_tx_act(core, FED_ACT_KNOWN, p, NULL));
        p->told_known = true;
    }
    TRY(converse(core, p, kp));
out:
    return e;
}

/* Tell the peer where we stand. */
enum err
fed_contact_say(struct fed_core *core, struct fed_party *p)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_CONTACT};

    msg.u.contact.stance = p->rec.ours;
    if (p->rec.ours == PROTO_STANCE_GRANTED) {
        msg.u.contact.addrs = view_of(&core->addrs);
        msg.u.contact.creator = p->rec.creator;
        if (p->rec.creator == PROTO_CREATOR_RECEIVER) {
            msg.u.contact.kp = view_of(&p->kp);
        }
    }
    return fed_party_say(core, p, &msg);
}

enum err
fed_contact_result(struct fed_core *core, struct fed_party *p,
                   const uint8_t link[8], enum proto_redeem_code code,
                   struct view forward)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_LINK_RESULT};
    struct proto_link_result *r = &msg.u.link_result;

    memcpy(r->link, link, sizeof(r->link));
    r->code = (uint64_t)code;
    r->forward = forward;
    if (code == PROTO_REDEEM_OK) {
        r->creator = p->rec.creator;
        if (p->rec.creator == PROTO_CREATOR_RECEIVER) {
            r->kp = view_of(&p->kp);
        }
    }
    return fed_party_say(core, p, &msg);
}

enum err
fed_contact_kp(struct fed_core *core, struct fed_party *p, struct view kp)
{
    enum err e;
    struct bytes copy = {0};

    TRY(bytes_copy(core->mem, kp, &copy));
    bytes_free(&p->kp);
    p->kp = bytes_take(&copy);
    p->rec.kp = view_of(&p->kp);
out:
    return e;
}

/* ------------------------------------------------------------- their links */

/*
 * The key package that we asked with is not for today: our clock was wrong
 * then, or is now, or it was long ago.
 */
static enum err
fresh_kp(struct fed_core *core, struct fed_party *p)
{
    enum err e;
    struct bytes kp = {0};
    struct fed_who who;

    e = fed_kp_check(core, view_of(&p->kp), &who);
    if (e != ERR_STALE) {
        return fed_ours(e) ? e : OK;
    }
    TRY(fed_kp_make(core, &p->root, false, &kp));
    TRY(fed_contact_kp(core, p, view_of(&kp)));
    p->dirty = p->stored;
out:
    bytes_free(&kp);
    return e;
}

static enum err
redeem(struct fed_core *core, struct fed_party *p)
{
    enum err e;
    struct proto_peer_msg msg = {.type = PROTO_PEER_LINK_REDEEM};
    struct proto_link_redeem *in = &msg.u.link_redeem;
    struct ident_redeem what = {.owner = p->root};
    uint8_t proof[IDENT_PROOF];

    TRY(fresh_kp(core, p));
    memcpy(in->link, p->rec.link, sizeof(in->link));
    if (p->rec.one_time) {
        memcpy(what.redeemer.b, core->me.b, 32);
        memcpy(what.link.b, p->rec.link, sizeof(what.link.b));
        memcpy(what.exporter, p->exporter, sizeof(what.exporter));
        ident_redeem_prove(p->rec.secret, &what, proof);
        in->proof = VIEW_ARRAY(proof);
    }
    in->kp = view_of(&p->kp);
    TRY(fed_contact_profile(core, p));
    TRY(fed_party_say(core, p, &msg));
out:
    return e;
}

/* Ask to connect: on each connection until there is an answer. */
enum err
fed_contact_redeem(struct fed_core *core, struct fed_party *p)
{
    return core->kind == FED_KIND_DEVICE ? fed_enrol_send(core, p)
                                         : redeem(core, p);
}

enum err
fed_contact_later(struct fed_core *core)
{
    enum err e = OK;
    uint64_t now = fed_mono(core);

    for (size_t i = 0; i < core->parties_len; i++) {
        struct fed_party *p = core->parties[i];

        if (p->ask_ms > now) {
            fed_tx_timer(core, p->ask_ms);
        } else if (p->ask_ms != 0) {
            p->ask_ms = 0;
            TRY(p->greeted && p->rec.ours == PROTO_STANCE_ASKED
                    ? fed_contact_redeem(core, p)
                    : OK);
        }
    }
out:
    return e;
}

enum err
fed_contact_look(struct fed_core *core, struct fed_party *p)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_LINK_OPEN};

    memcpy(msg.u.link_open.link, p->look.link.b, 8);
    return fed_party_say(core, p, &msg);
}

static enum err
show_link(struct fed_core *core, const struct fed_party *p,
          const uint8_t link[8], uint64_t code, uint64_t bits, struct view body)
{
    enum err e;
    struct fed_show *show = fed_tx_show(core, FED_SHOW_LINK);

    TRY(show == NULL ? ERR_NOMEM : OK);
    show->peer = p->root;
    memcpy(show->link.b, link, sizeof(show->link.b));
    show->code = code;
    show->value = bits;
    TRY(bytes_copy(core->mem, body, &show->body));
out:
    return e;
}

static enum err
on_link_info(struct fed_core *core, struct fed_party *p,
             const struct proto_link_info *in)
{
    uint64_t bits = (in->one_time ? FED_LINK_ONE_TIME : 0u) |
                    (in->in_person ? FED_LINK_IN_PERSON : 0u) |
                    (in->review ? FED_LINK_REVIEW : 0u);

    if (!p->looking || memcmp(p->look.link.b, in->link, 8) != 0) {
        return OK;
    }
    return show_link(core, p, in->link, in->code, bits,
                     in->code == PROTO_REDEEM_ROTATED ? in->forward
                                                      : in->label);
}

/* They said yes: to our asking, now or some time ago. */
static enum err
granted(struct fed_core *core, struct fed_party *p, uint64_t creator,
        struct view kp)
{
    enum err e;
    enum proto_creator mine = PROTO_CREATOR_NONE;

    if (p->rec.theirs != PROTO_STANCE_GRANTED) {
        p->rec.theirs = PROTO_STANCE_GRANTED;
        p->dirty = p->stored;
    }
    if (p->rec.ours != PROTO_STANCE_ASKED) {
        TRY(fed_party_lively(core, p));
        goto out;
    }
    if (creator == PROTO_CREATOR_SENDER) {
        mine = PROTO_CREATOR_RECEIVER;
    } else if (creator == PROTO_CREATOR_RECEIVER) {
        mine = PROTO_CREATOR_SENDER;
    }
    if (p->rec.one_time && p->rec.in_person) {
        p->rec.verified = true;
    }
    mem_wipe(p->rec.secret, sizeof(p->rec.secret));
    p->rec.creator = (uint64_t)mine;
    p->rec.ours = PROTO_STANCE_GRANTED;
    TRY(fed_contact_say(core, p)); /* before anything else flows */
    TRY(fed_contact_grant(core, p, mine, kp));
    TRY(fed_party_lively(core, p));
out:
    return e;
}

static enum err
on_result(struct fed_core *core, struct fed_party *p,
          const struct proto_link_result *in)
{
    enum err e;

    if (p->rec.ours == PROTO_STANCE_GRANTED && in->code == PROTO_REDEEM_OK) {
        return granted(core, p, in->creator, in->kp); /* both asked */
    }
    if (p->rec.ours != PROTO_STANCE_ASKED ||
        memcmp(p->rec.link, in->link, sizeof(in->link)) != 0) {
        return OK; /* answered meanwhile */
    }
    TRY(show_link(core, p, in->link, in->code, 0,
                  in->code == PROTO_REDEEM_ROTATED ? in->forward
                                                   : (struct view){0}));
    if (in->code == PROTO_REDEEM_LATER) {
        p->ask_ms = fed_mono(core) + LIMIT_HOUR_MS;
        fed_tx_timer(core, p->ask_ms);
    } else if (in->code == PROTO_REDEEM_OK) {
        TRY(granted(core, p, in->creator, in->kp));
    } else if (in->code != PROTO_REDEEM_REVIEW) {
        mem_wipe(p->rec.secret, sizeof(p->rec.secret));
        TRY(fed_party_stance(core, p, PROTO_STANCE_NONE));
    }
out:
    return e;
}

/* ----------------------------------------------------------- their stance */

/* They ended it, or do not know us any more. */
enum err
fed_contact_ended(struct fed_core *core, struct fed_party *p)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;

    memcpy(id.b, p->rec.direct, sizeof(id.b));
    if (!thread_id_is_zero(&id)) {
        memset(p->rec.direct, 0, sizeof(p->rec.direct));
        e = fed_thread_get(core, &id, &t);
        if (e == OK) {
            TRY(fed_thread_over(core, t, FED_THREAD_ENDED));
        } else if (e != ERR_MISSING) {
            goto out;
        }
    }
    p->rec.creator = PROTO_CREATOR_NONE;
    if (p->kind == FED_KIND_PATIENT) {
        TRY(fed_patient_stance(core, p, PROTO_STANCE_ENDED));
        goto out;
    }
    p->rec.ours = PROTO_STANCE_ENDED;
    TRY(fed_party_changed(core, p));
    TRY(fed_detour(core));
out:
    return e;
}

static enum err
stance_is(struct fed_core *core, struct fed_party *p, uint64_t creator,
          struct view kp)
{
    if (core->kind == FED_KIND_DEVICE && p->via != NULL) {
        return OK; /* what it says directly is not about what is carried */
    }
    switch ((enum proto_stance)p->rec.theirs) {
    case PROTO_STANCE_GRANTED:
        return granted(core, p, creator, kp);
    case PROTO_STANCE_REFUSED:
        if (p->rec.ours == PROTO_STANCE_ASKED) {
            mem_wipe(p->rec.secret, sizeof(p->rec.secret));
            return fed_party_stance(core, p, PROTO_STANCE_NONE);
        }
        return p->rec.ours == PROTO_STANCE_GRANTED ? fed_contact_ended(core, p)
                                                   : OK;
    case PROTO_STANCE_ENDED:
        if (p->kind == FED_KIND_DEVICE) {
            return fed_device_left(core, p);
        }
        return p->rec.ours == PROTO_STANCE_GRANTED ? fed_contact_ended(core, p)
                                                   : OK;
    case PROTO_STANCE_THREAD:
        return fed_party_lively(core, p);
    case PROTO_STANCE_NONE:
    case PROTO_STANCE_ASKED:
    case PROTO_STANCE_REVIEW:
    case PROTO_STANCE_COUNT:
        break;
    }
    return OK;
}

static enum err
on_contact(struct fed_core *core, struct fed_party *p,
           const struct proto_contact *in)
{
    enum err e = OK;

    if (!p->stored) {
        return OK;
    }
    TRY(fed_hello_addrs(core, p, in->addrs));
    if (p->rec.theirs != in->stance) {
        p->rec.theirs = in->stance;
        TRY(fed_party_changed(core, p));
    }
    TRY(stance_is(core, p, in->creator, in->kp));
out:
    return e;
}

/*
 * Blocked: what was asked is answered with no, a contact has ended, and nobody
 * dials until there is a reason (a person, or it comes to us).
 */
enum err
fed_contact_denied(struct fed_core *core, struct fed_party *p)
{
    enum err e = OK;

    p->denied = true;
    if (!p->stored) {
        goto out;
    }
    if (core->kind == FED_KIND_DEVICE && p->rec.ours == PROTO_STANCE_GRANTED) {
        /* Suspended, or out of the list: this device, not the patient. */
        struct fed_show *show = fed_tx_show(core, FED_SHOW_ENROL);

        TRY(show == NULL ? ERR_NOMEM : OK);
        show->peer = p->root;
        show->code = PROTO_REDEEM_REFUSED;
        goto out;
    }
    if (p->rec.ours == PROTO_STANCE_ASKED) {
        TRY(show_link(core, p, p->rec.link, PROTO_REDEEM_REFUSED, 0,
                      (struct view){0}));
        mem_wipe(p->rec.secret, sizeof(p->rec.secret));
        p->rec.ours = PROTO_STANCE_NONE;
        TRY(fed_party_changed(core, p));
    } else if (p->rec.ours == PROTO_STANCE_GRANTED) {
        TRY(fed_contact_ended(core, p));
    }
out:
    return e == OK ? fed_party_want(core, p) : e;
}

enum err
fed_party_lively(struct fed_core *core, struct fed_party *p)
{
    enum err e;

    if (!fed_party_live(p)) {
        return OK;
    }
    if (!p->told_known) {
        TRY(fed_tx_act(core, FED_ACT_KNOWN, p, NULL));
        p->told_known = true;
    }
    TRY(fed_contact_profile(core, p));
    TRY(fed_picture_ask(core, p));
    TRY(fed_device_lively(core, p));
    TRY(fed_before_say(core, p));
    TRY(fed_detour(core));
    TRY(fed_stream_pump(core, p));
    TRY(fed_revoke_kick(core, p));
    TRY(fed_busy_kick(core, p));
out:
    return e;
}

/* After the greeting. */
enum err
fed_contact_greeted(struct fed_core *core, struct fed_party *p, uint64_t before)
{
    enum err e = OK;

    (void)before;
    if (p->looking) {
        TRY(fed_contact_look(core, p));
    }
    if (p->kind == FED_KIND_DEVICE && p->rec.ours == PROTO_STANCE_ENDED) {
        TRY(fed_contact_say(core, p));
    }
    if (!p->stored) {
        goto out;
    }
    TRY(fed_idle_seen(core, p));
    TRY(fed_before_greeted(core, p));
    if (p->rec.ours == PROTO_STANCE_ASKED) {
        TRY(fed_contact_redeem(core, p));
        goto out;
    }
    if (p->rec.theirs == PROTO_STANCE_ASKED) {
        /* They may have missed our answer. */
        TRY(fed_contact_say(core, p));
        goto out;
    }
    TRY(stance_is(core, p, PROTO_CREATOR_NONE, (struct view){0}));
    TRY(fed_party_lively(core, p));
out:
    return e;
}

enum err
fed_contact_frame(struct fed_core *core, struct fed_party *p,
                  const struct proto_peer_msg *msg)
{
    if (msg->type == PROTO_PEER_LINK_OPEN) {
        return fed_redeem_open(core, p, &msg->u.link_open);
    }
    if (msg->type == PROTO_PEER_LINK_INFO) {
        return on_link_info(core, p, &msg->u.link_info);
    }
    if (msg->type == PROTO_PEER_LINK_REDEEM &&
        (p->kind != FED_KIND_CLINIC || core->kind != FED_KIND_CLINIC)) {
        return fed_party_bad(core, p, ERR_DENIED); /* devices enrol */
    }
    if (msg->type == PROTO_PEER_LINK_REDEEM) {
        return fed_link_redeem(core, p, &msg->u.link_redeem);
    }
    if (msg->type == PROTO_PEER_LINK_RESULT) {
        return on_result(core, p, &msg->u.link_result);
    }
    if (msg->type == PROTO_PEER_CONTACT) {
        return on_contact(core, p, &msg->u.contact);
    }
    return recv_profile(core, p, msg->u.profile.profile);
}
