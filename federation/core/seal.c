/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report to a clinic that another one carries.  The one between would read
 * who reports whom, and with which words, so it is sealed to the key in the
 * clinic's leaf; and it could say one in the patient's name, so the device
 * signs it, for that clinic alone.
 */
#include "federation/core/frank.h"

#include "crypto/ident/sign.h"
#include "crypto/mls/suite.h"
#include "crypto/prim/hash.h"
#include "crypto/prim/hpke.h"

#include <string.h>

enum {
    ENC = 32
};

static const struct prim_suite *
suite(void)
{
    return &mls_suite_find(MLS_SUITE_X25519_CHACHA20)->prim;
}

static enum err
said(const struct mem *mem, const uint8_t to[32], struct view report,
     struct bytes *out)
{
    static const uint64_t head[] = {PROTO_REPORT_SAID, 1};
    struct proto_report_said s;

    memcpy(s.to, to, sizeof(s.to));
    prim_sha256(report, s.hash);
    return proto_shape_encode(mem, &proto_report_said_shape, head, 2, &s, out);
}

/* What is sealed: the report, signed, in steps of one size. */
static enum err
inside(struct fed_core *core, const struct fed_thread *t, struct view report,
       struct bytes *out)
{
    enum err e;
    static const uint64_t head[] = {1};
    static const uint8_t zeros[PROTO_REPORT_STEP];
    struct proto_report_inside in = {
        .report = report,
        .pad = view_make(zeros, PROTO_REPORT_STEP -
                                    (report.len + 1) % PROTO_REPORT_STEP)};
    struct bytes statement = {0};
    struct prim_sign_key key;

    prim_ed25519_from_seed(core->seed, &key);
    TRY(said(core->mem, t->rec.hub, report, &statement));
    TRY(ident_sign(core->mem, IDENT_STATEMENT, &key, view_of(&statement),
                   in.sig));
    TRY(proto_shape_encode(core->mem, &proto_report_inside_shape, head, 1, &in,
                           out));
out:
    mem_wipe(&key, sizeof(key));
    bytes_free(&statement);
    return e;
}

/* The hub's key for it: that of its leaf, in the form for X25519. */
static enum err
key_of(const struct fed_thread *t, uint8_t pub[32])
{
    enum err e;
    struct clinic_id hub;
    struct mls_member m;
    uint32_t leaf;

    memcpy(hub.b, t->rec.hub, sizeof(hub.b));
    TRY(t->mls == NULL ? ERR_STATE : OK);
    TRY(fed_leaf_of(t->mls, &hub, &leaf));
    TRY(mls_member_at(t->mls, leaf, &m));
    TRY(m.signature_key.len == PRIM_ED25519_PUB ? OK : ERR_STATE);
    TRY(prim_x25519_of_pub(m.signature_key.p, pub));
out:
    return e == OK || fed_ours(e) ? e : ERR_STATE;
}

enum err
fed_report_seal(struct fed_core *core, struct fed_thread *t,
                const struct proto_peer_msg *report, struct bytes *out)
{
    enum err e;
    struct view label[] = {VIEW_LIT("balsam v1 report"),
                           thread_id_view(&t->id)};
    struct proto_peer_msg msg = {.type = PROTO_PEER_REPORT_SEALED};
    struct bytes plain = {0};
    struct bytes body = {0};
    struct bytes sealed = {0};
    uint8_t pub[32];

    TRY(key_of(t, pub));
    TRY(proto_peer_encode(core->mem, report, &plain));
    TRY(inside(core, t, view_of(&plain), &body));
    TRY(bytes_reserve(core->mem, &sealed, ENC + body.len + suite()->tag_size));
    TRY(prim_hpke_seal(suite(), core->config.rng, VIEW_ARRAY(pub), label, 2,
                       (struct view){0}, view_of(&body), sealed.p,
                       sealed.p + ENC));
    sealed.len = ENC + body.len + suite()->tag_size;
    memcpy(msg.u.report_sealed.thread, t->id.b, sizeof(t->id.b));
    msg.u.report_sealed.sealed = view_of(&sealed);
    TRY(proto_peer_encode(core->mem, &msg, out));
out:
    bytes_free(&plain);
    bytes_free(&body);
    bytes_free(&sealed);
    return e;
}

/* ---------------------------------------------------------------- opening */

static enum err
unseal(struct fed_core *core, const struct proto_report_sealed *in,
       struct bytes *out)
{
    enum err e;
    struct view label[] = {VIEW_LIT("balsam v1 report"),
                           VIEW_ARRAY(in->thread)};
    struct prim_sign_key key;
    struct prim_kem_pair pair;
    uint8_t priv[32];

    memset(&pair, 0, sizeof(pair));
    prim_ed25519_from_seed(core->seed, &key);
    prim_x25519_of_key(&key, priv);
    TRY(in->sealed.len > (size_t)ENC + suite()->tag_size ? OK : ERR_AUTH);
    TRY(prim_kem_from_priv(suite(), VIEW_ARRAY(priv), &pair));
    TRY(bytes_reserve(core->mem, out, in->sealed.len));
    TRY(prim_hpke_open(suite(), &pair, view_sub(in->sealed, 0, ENC), label, 2,
                       (struct view){0}, view_skip(in->sealed, ENC), out->p));
    out->len = in->sealed.len - ENC - suite()->tag_size;
out:
    mem_wipe(&key, sizeof(key));
    mem_wipe(priv, sizeof(priv));
    prim_kem_pair_wipe(&pair);
    return e;
}

enum err
fed_report_sealed_recv(struct fed_core *core, struct fed_party *p,
                       const struct proto_report_sealed *in)
{
    enum err e;
    static const uint64_t head[] = {1};
    struct proto_report_inside body;
    struct proto_peer_msg msg;
    struct bytes plain = {0};
    struct bytes statement = {0};

    TRY(core->kind == FED_KIND_CLINIC && p->kind == FED_KIND_DEVICE
            ? OK
            : ERR_DENIED);
    TRY(unseal(core, in, &plain));
    TRY(proto_shape_decode(view_of(&plain), &proto_report_inside_shape, head, 1,
                           &body));
    /* [report-device] whoever carries it cannot have made it */
    TRY(said(core->mem, core->config.self.root.b, body.report, &statement));
    TRY(ident_verify(core->mem, IDENT_STATEMENT, p->root.b, view_of(&statement),
                     VIEW_ARRAY(body.sig)));
    TRY(proto_peer_decode(body.report, &msg));
    TRY(msg.type == PROTO_PEER_REPORT &&
                memcmp(msg.u.report.thread, in->thread, 32) == 0
            ? OK
            : ERR_DENIED);
    TRY(fed_report_recv(core, p, &msg.u.report));
out:
    bytes_free(&plain);
    bytes_free(&statement);
    return e;
}
