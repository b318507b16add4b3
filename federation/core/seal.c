/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report to a clinic that another one carries.  The one between would read
 * who reports whom, and with which words, so it is sealed to the key in the
 * clinic's leaf; and it could say one in the patient's name, so the device
 * signs it, for that clinic alone.
 *
 * A clinic that has another node key and has not said anything in the thread
 * since cannot open it: it answers with the new one, and the device, which kept
 * the report until then, seals it again.  A clinic that never answers does not
 * make it keep it for ever: the person hears that it did not.
 */
#include "federation/core/care.h"
#include "federation/core/frank.h"
#include "federation/core/watch.h"

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

static struct fed_key
kept_key(const struct thread_id *thread, const uint8_t hash[32])
{
    return fed_key_pair(thread_id_view(thread), view_make(hash, 32));
}

/* Seal an encoded report to a key of the hub; it is kept until opened. */
static enum err
seal_to(struct fed_core *core, struct fed_thread *t, const uint8_t pub[32],
        const struct fed_rec_reported *rec, struct bytes *out)
{
    enum err e;
    struct view label[] = {VIEW_LIT("balsam v1 report"),
                           thread_id_view(&t->id)};
    struct proto_peer_msg msg = {.type = PROTO_PEER_REPORT_SEALED};
    struct bytes body = {0};
    struct bytes sealed = {0};
    struct fed_key key;
    uint8_t hash[32];

    TRY(inside(core, t, rec->report, &body));
    TRY(bytes_reserve(core->mem, &sealed, ENC + body.len + suite()->tag_size));
    TRY(prim_hpke_seal(suite(), core->config.rng, view_make(pub, 32), label, 2,
                       (struct view){0}, view_of(&body), sealed.p,
                       sealed.p + ENC));
    sealed.len = ENC + body.len + suite()->tag_size;
    memcpy(msg.u.report_sealed.thread, t->id.b, sizeof(t->id.b));
    msg.u.report_sealed.sealed = view_of(&sealed);
    prim_sha256(view_of(&sealed), hash);
    key = kept_key(&t->id, hash);
    TRY(fed_tx_save(core, FED_NS_REPORTED, &key, &fed_rec_reported_shape, rec));
    TRY(fed_watch_by(core, t, rec->at_ms + LIMIT_REPORT_KEPT_MS));
    TRY(proto_peer_encode(core->mem, &msg, out));
out:
    bytes_free(&body);
    bytes_free(&sealed);
    return e;
}

enum err
fed_report_seal(struct fed_core *core, struct fed_thread *t,
                const struct proto_peer_msg *report, struct bytes *out)
{
    enum err e;
    struct fed_rec_reported rec = {.at_ms = fed_now(core)};
    struct bytes plain = {0};
    uint8_t pub[32];

    TRY(key_of(t, pub));
    TRY(proto_peer_encode(core->mem, report, &plain));
    rec.report = view_of(&plain);
    TRY(seal_to(core, t, pub, &rec, out));
out:
    bytes_free(&plain);
    return e;
}

/* One that was kept before its time was noted has none. */
static enum err
kept_read(const struct bytes *in, struct fed_rec_reported *out)
{
    enum err e = fed_rec_decode(view_of(in), &fed_rec_reported_shape, out);

    if (e == ERR_CORRUPT || e == ERR_UNSUPPORTED) {
        *out = (struct fed_rec_reported){.report = view_of(in)};
        e = OK;
    }
    return e;
}

static enum err
unanswered(struct fed_core *core, struct fed_thread *t, uint64_t at_ms)
{
    struct fed_show *s = fed_tx_show(core, FED_SHOW_DOUBT);
    const struct fed_party *hub;

    if (s == NULL) {
        return ERR_NOMEM;
    }
    s->code = FED_DOUBT_REPORT;
    s->value = 1;
    s->thread = t->id;
    s->ts_ms = at_ms;
    memcpy(s->author.b, t->rec.hub, sizeof(s->author.b));
    memcpy(s->peer.b, t->rec.hub, sizeof(s->peer.b));
    hub = fed_party_find(core, &s->peer);
    if (hub != NULL && hub->via != NULL) {
        s->peer = hub->via->root;
    }
    return OK;
}

/* [report-kept] By a clock that went back it begins anew. */
static enum err
kept_look(struct fed_core *core, struct fed_thread *t,
          const struct fed_key *key, const struct bytes *value, uint64_t *next)
{
    enum err e;
    struct fed_rec_reported rec;
    struct fed_rec_reported now_rec;
    uint64_t now = fed_now(core);

    TRY(kept_read(value, &rec));
    if (rec.at_ms == 0 || rec.at_ms > now) {
        now_rec = (struct fed_rec_reported){now, rec.report};
        TRY(fed_tx_save(core, FED_NS_REPORTED, key, &fed_rec_reported_shape,
                        &now_rec));
        rec.at_ms = now;
    }
    if (now - rec.at_ms >= LIMIT_REPORT_KEPT_MS) {
        TRY(fed_tx_del(core, FED_NS_REPORTED, key));
        TRY(unanswered(core, t, rec.at_ms));
    } else {
        fed_watch_sooner(next, rec.at_ms + LIMIT_REPORT_KEPT_MS);
    }
out:
    return e;
}

enum err
fed_report_kept_look(struct fed_core *core, struct fed_thread *t,
                     uint64_t *next)
{
    enum err e;
    struct fed_key at = fed_key_of(thread_id_view(&t->id));
    struct bytes key = {0};
    struct bytes value = {0};

    while ((e = fed_tx_next(core, FED_NS_REPORTED, &at, thread_id_view(&t->id),
                            &key, &value)) == OK) {
        struct fed_key one = fed_key_of(view_of(&key));

        TRY(kept_look(core, t, &one, &value, next));
        at = fed_key_pair(view_of(&key), VIEW_LIT("\0"));
        bytes_free(&key);
        bytes_free(&value);
    }
    e = e == ERR_MISSING ? OK : e;
out:
    bytes_free(&key);
    bytes_free(&value);
    return e;
}

/* [report-key] The key that the hub's leaf has by now, or a newer one; not one
   of before, which somebody may have stolen. */
static enum err
newest_key(struct fed_core *core, const struct fed_thread *t,
           const struct fed_party *hub, struct view chain, uint8_t pub[32])
{
    enum err e;
    struct ident_check check = {.root = &hub->root, .now_ms = fed_now(core)};
    struct ident_check then = {.root = &hub->root};
    struct ident_node node;
    struct ident_node leaf_node;
    struct mls_member m;
    uint32_t leaf;

    TRY(t->mls == NULL ? ERR_STATE : OK);
    TRY(fed_leaf_of(t->mls, &hub->root, &leaf));
    TRY(mls_member_at(t->mls, leaf, &m));
    TRY(ident_chain_verify(core->mem, m.credential, &then, &leaf_node));
    TRY(ident_chain_verify(core->mem, chain, &check, &node));
    TRY(node.generation >= leaf_node.generation &&
                node.generation >= hub->rec.revoked
            ? OK
            : ERR_DENIED);
    TRY(prim_x25519_of_pub(node.key.b, pub));
out:
    return e;
}

enum err
fed_report_seen_recv(struct fed_core *core, struct fed_party *p,
                     const struct proto_report_seen *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;
    struct fed_key key;
    struct fed_rec_reported rec;
    struct bytes hold = {0};
    struct bytes item = {0};
    uint8_t pub[32];

    memcpy(id.b, in->thread, sizeof(id.b));
    key = kept_key(&id, in->hash);
    e = core->kind != FED_KIND_DEVICE ? ERR_DENIED
                                      : fed_thread_get(core, &id, &t);
    TRY(e);
    TRY(memcmp(t->rec.hub, p->root.b, 32) == 0 ? OK : ERR_DENIED);
    e = fed_tx_get(core, FED_NS_REPORTED, &key, &hold);
    if (e == ERR_MISSING) {
        e = OK; /* seen to already */
        goto out;
    }
    TRY(e);
    TRY(kept_read(&hold, &rec));
    TRY(in->opened == 0 ? newest_key(core, t, p, in->chain, pub) : OK);
    TRY(fed_tx_del(core, FED_NS_REPORTED, &key));
    if (in->opened == 0) {
        TRY(seal_to(core, t, pub, &rec, &item));
        TRY(fed_route_item(core, p, view_of(&item), NULL));
    }
out:
    bytes_free(&hold);
    bytes_free(&item);
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

/* Tell its author what became of it. */
static enum err
answer(struct fed_core *core, struct fed_party *p,
       const struct proto_report_sealed *in, bool opened)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_REPORT_SEEN};
    struct proto_report_seen *seen = &msg.u.report_seen;

    memcpy(seen->thread, in->thread, sizeof(seen->thread));
    prim_sha256(in->sealed, seen->hash);
    seen->opened = opened ? 1 : 0;
    seen->chain = opened ? (struct view){0} : view_of(&core->chain);
    return fed_stream_put(core, p, &msg);
}

/* [report-unread] Of a thread that we order, from who takes part: sealed to our
   key of before, as we have not spoken there since. */
static enum err
unread(struct fed_core *core, struct fed_party *p,
       const struct proto_report_sealed *in)
{
    enum err e;
    struct fed_thread *t;
    struct thread_id id;

    memcpy(id.b, in->thread, sizeof(id.b));
    e = fed_thread_get(core, &id, &t);
    TRY(e == ERR_MISSING ? ERR_AUTH : e);
    TRY(fed_thread_hub_here(core, t) &&
                fed_thread_member(t, &p->subject) != NULL &&
                in->sealed.len > (size_t)ENC + suite()->tag_size
            ? OK
            : ERR_AUTH);
    TRY(answer(core, p, in, false));
out:
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
    e = unseal(core, in, &plain);
    if (e == ERR_AUTH) {
        e = unread(core, p, in);
        goto out;
    }
    TRY(e);
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
    TRY(answer(core, p, in, true));
out:
    bytes_free(&plain);
    bytes_free(&statement);
    return e;
}
