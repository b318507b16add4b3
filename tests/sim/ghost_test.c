/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a member, a relay or a device that lies can do to a patient's thread:
 * commits that no honest core would make are made with the liar's own MLS
 * state and put before every honest member.  Clinic 0 orders, clinic 1 and
 * clinic 2 are others, the devices are behind them.
 */
#include "crypto/prim/hash.h"
#include "federation/core/care.h"
#include "federation/core/trust.h"
#include "proto/msg/device.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

enum {
    CLINICS = 3,
    PHONE = 3 /* the first device */
};

static struct fed_party *
party_of(size_t i, const uint8_t id[32])
{
    struct clinic_id root;

    memcpy(root.b, id, sizeof(root.b));
    return fed_party_find(w.nodes[i].core, &root);
}

/* Three clinics that know each other, a patient of the first, one thread. */
static struct thread_id
begin(uint64_t seed, bool second)
{
    size_t two[2] = {0, PHONE};
    size_t three[3] = {0, 1, PHONE};
    struct thread_id t;

    world_init(&w, seed, CLINICS);
    for (size_t a = 0; a < CLINICS; a++) {
        for (size_t b = a + 1; b < CLINICS; b++) {
            world_befriend(&w, a, b);
        }
    }
    CHECK_EQ(world_device(&w, 0), PHONE);
    world_enrol(&w, PHONE, 0);
    t = world_open(&w, 0, PHONE);
    CHECK(world_in(&w, &t, two, 2));
    if (second) {
        world_consent(&w, &t, 0, PHONE, 1, true);
        CHECK(world_in(&w, &t, three, 3));
    }
    world_heal(&w);
    return t;
}

/* ------------------------------------------------------------ made by a liar
 */

/* A description of the group that can be bent. */
struct bent {
    struct proto_group group;
    struct proto_subject subjects[8];
    struct proto_patient_list lists[4];
    struct proto_thread_consent consents[8];
};

static void
bend(const struct fed_thread *t, struct bent *b)
{
    struct proto_list_at at = {0};
    uint32_t n = 0;

    memset(b, 0, sizeof(*b));
    b->group = t->group;
    while (proto_list_next(&t->group.subjects, &proto_subject_shape, &at,
                           &b->subjects[n])) {
        n++;
    }
    b->group.subjects = (struct proto_list){.items = b->subjects, .len = n};
    at = (struct proto_list_at){0};
    n = 0;
    while (proto_list_next(&t->group.lists, &proto_patient_list_shape, &at,
                           &b->lists[n])) {
        n++;
    }
    b->group.lists = (struct proto_list){.items = b->lists, .len = n};
    at = (struct proto_list_at){0};
    n = 0;
    while (proto_list_next(&t->group.consents, &proto_thread_consent_shape, &at,
                           &b->consents[n])) {
        n++;
    }
    b->group.consents = (struct proto_list){.items = b->consents, .len = n};
}

/* One more subject, in its place. */
static void
add_subject(struct bent *b, const struct proto_subject *s)
{
    uint32_t n = b->group.subjects.len++;

    while (n > 0 && memcmp(b->subjects[n - 1].root, s->root, 32) > 0) {
        b->subjects[n] = b->subjects[n - 1];
        n--;
    }
    b->subjects[n] = *s;
}

static struct mls_identity
identity_of(size_t i)
{
    static const uint16_t types[] = {PROTO_EXT_GROUP, MLS_EXT_LAST_RESORT};
    struct node *n = &w.nodes[i];

    return (struct mls_identity){
        .credential = view_of(&n->chain),
        .signature_key = VIEW_ARRAY(n->key.pub),
        .signature_priv = VIEW_ARRAY(n->key.seed),
        .extension_types = types,
        .extension_types_len = 2,
    };
}

/* The Welcome of the last lie. */
static struct bytes invited;

/* A commit of node i with these proposals behind in[0], the description. */
static struct bytes
lie(size_t i, const struct thread_id *id, struct bent *b,
    struct mls_proposal_in *in, size_t n)
{
    struct fed_thread *t = world_thread(&w, i, id);
    struct mls_identity who = identity_of(i);
    struct mls_commit_opts opts = {.skip_pending = true,
                                   .force_path = true,
                                   .as_private = true,
                                   .identity = &who};
    struct proto_tls_wr wr = proto_tls_wr_open(mem_heap());
    struct mls_extensions it = mls_group_extensions(t->mls);
    struct mls_extension ext;
    struct mls_committed made = {0};
    struct bytes group = {0};
    struct bytes aad = {0};
    struct bytes out;

    CHECK_OK(proto_group_encode(mem_heap(), &b->group, &group));
    while (mls_extensions_next(&it, &ext)) {
        mls_extension_write(&wr, ext.type,
                            ext.type == PROTO_EXT_GROUP ? view_of(&group)
                                                        : ext.data);
    }
    CHECK_OK(fed_log_aad(w.nodes[i].core, t, (struct view){0}, &aad));
    opts.aad = view_of(&aad);
    in[0].type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS;
    in[0].extensions.raw = proto_tls_wr_view(&wr);
    opts.proposals = in;
    opts.proposals_len = n;
    CHECK_OK(mls_commit(t->mls, &opts, &made));
    out = bytes_take(&made.commit);
    bytes_free(&invited);
    invited = bytes_take(&made.welcome);
    mls_undo(t->mls, &made.change);
    mls_committed_clear(&made);
    proto_tls_wr_clear(&wr);
    bytes_free(&group);
    bytes_free(&aad);
    return out;
}

/* What node j's policy says of a commit. */
static enum err
judged(size_t j, const struct thread_id *id, const struct bytes *commit)
{
    struct fed_thread *t = world_thread(&w, j, id);
    struct mls_processed done = {0};
    struct fed_who by;
    enum err e;

    w.nodes[j].core->judge_ms = w.wall_ms;
    e = mls_process(t->mls, view_of(commit), &done);
    if (e == OK) {
        e = fed_policy_commit(w.nodes[j].core, t, done.stage, &by);
    }
    mls_processed_clear(&done);
    return e;
}

/* Every honest member of these refuses, the one that orders included. */
static void
refused(const struct thread_id *id, struct bytes *commit, const size_t *who,
        size_t len)
{
    for (size_t k = 0; k < len; k++) {
        CHECK_ERR(judged(who[k], id, commit), ERR_DENIED);
    }
    bytes_free(commit);
}

/* A key package of node i, as it would give it to anybody. */
static struct bytes
package(size_t i)
{
    struct bytes kp = {0};
    struct clinic_id us = node_root(&w, 0);

    CHECK_OK(fed_kp_make(w.nodes[i].core, &us, false, &kp));
    return kp;
}

static struct proto_subject
clinic_by(size_t i, const struct subject_id *by)
{
    struct proto_subject s = {.kind = PROTO_SUBJECT_CLINIC};
    struct clinic_id root = node_root(&w, i);

    memcpy(s.root, root.b, sizeof(s.root));
    memcpy(s.node, root.b, sizeof(s.node));
    memcpy(s.added_by, by->b, sizeof(s.added_by));
    return s;
}

/* ----------------------------------------------------------------- clinics */

/* Clinic i puts clinic 2 in, with or without something that says it may. */
static struct bytes
put_in(size_t i, const struct thread_id *id,
       const struct proto_thread_consent *consent)
{
    struct bent b;
    struct bytes kp = package(2);
    struct bytes commit;
    struct subject_id by = node_subject(&w, i);
    struct proto_subject s = clinic_by(2, &by);
    struct mls_proposal_in in[2] = {{0}};

    bend(world_thread(&w, i, id), &b);
    add_subject(&b, &s);
    if (consent != NULL) {
        uint32_t n = b.group.consents.len++;

        while (n > 0 &&
               memcmp(b.consents[n - 1].clinic, consent->clinic, 32) > 0) {
            b.consents[n] = b.consents[n - 1];
            n--;
        }
        b.consents[n] = *consent;
    }
    in[1].type = MLS_PROPOSAL_ADD;
    in[1].key_package = view_of(&kp);
    commit = lie(i, id, &b, in, 2);
    bytes_free(&kp);
    return commit;
}

/* [thread-patients-add-nobody] */
TEST(a_patient_brings_a_clinic)
{
    static const size_t all[] = {0, 1};
    struct thread_id t = begin(1, true);
    struct bytes commit = put_in(PHONE, &t, NULL);

    refused(&t, &commit, all, 2);
    world_end(&w);
}

/* [consent-needed] [thread-add-listed] */
TEST(a_clinic_without_consent)
{
    static const size_t all[] = {1, PHONE};
    struct thread_id t = begin(2, true);
    struct bytes commit = put_in(0, &t, NULL);

    refused(&t, &commit, all, 2);
    world_end(&w);
}

/* What a device of the patient would sign. */
static struct ident_consent
right_consent(const struct thread_id *t)
{
    struct ident_consent c = {.id = {1},
                              .serial = w.wall_ms,
                              .purpose = VIEW_LIT("A second look"),
                              .scope = IDENT_SCOPE_THREAD,
                              .thread = *t,
                              .made_ms = w.wall_ms};
    struct subject_id s = node_subject(&w, PHONE);

    memcpy(c.patient.b, s.b, sizeof(c.patient.b));
    c.clinic = node_root(&w, 2);
    c.asker = node_root(&w, 0);
    return c;
}

/* Clinic 0 adds clinic 2 with this consent; what clinic 1 says. */
static enum err
with_consent(const struct thread_id *t, const struct ident_consent *c,
             const struct prim_sign_key *key)
{
    struct proto_thread_consent in = {.desk = false};
    struct bytes made = {0};
    struct bytes commit;
    enum err e;
    struct clinic_id two = node_root(&w, 2);
    struct subject_id s = node_subject(&w, PHONE);

    CHECK_OK(ident_consent_make(mem_heap(), key, c, &made));
    memcpy(in.patient, s.b, sizeof(in.patient));
    memcpy(in.clinic, two.b, sizeof(in.clinic));
    in.consent = view_of(&made);
    commit = put_in(0, t, &in);
    e = judged(1, t, &commit);
    CHECK_EQ(judged(PHONE, t, &commit), e);
    bytes_free(&commit);
    bytes_free(&made);
    return e;
}

/* [consent-covers] [consent-signed] */
TEST(consents_of_something_else)
{
    struct thread_id t = begin(3, true);
    struct ident_consent c = right_consent(&t);
    const struct prim_sign_key *phone = &w.nodes[PHONE].key;

    CHECK_OK(with_consent(&t, &c, phone)); /* the test itself is right */
    CHECK_ERR(with_consent(&t, &c, &w.nodes[0].key), ERR_DENIED);
    c.thread.b[3] ^= 1;
    CHECK_ERR(with_consent(&t, &c, phone), ERR_DENIED);
    c = right_consent(&t);
    c.clinic = node_root(&w, 1);
    CHECK_ERR(with_consent(&t, &c, phone), ERR_DENIED);
    c = right_consent(&t);
    c.until_ms = w.wall_ms - 2 * IDENT_DAY_MS;
    c.made_ms = c.until_ms - 1000;
    CHECK_ERR(with_consent(&t, &c, phone), ERR_DENIED);
    c = right_consent(&t);
    c.scope = IDENT_SCOPE_PRIVATE;
    memset(c.thread.b, 0, sizeof(c.thread.b));
    CHECK_ERR(with_consent(&t, &c, phone), ERR_DENIED);
    world_end(&w);
}

/* [consent-withdrawn] what was taken back serves no more */
TEST(an_old_consent_after_a_withdrawal)
{
    struct thread_id t = begin(4, true);
    struct ident_consent c = right_consent(&t);
    struct clinic_id two = node_root(&w, 2);

    /* The phone knows clinic 2 from another thread by now. */
    CHECK_OK(
        fed_party_get(w.nodes[PHONE].core, &two, &(struct fed_party *){NULL}));
    party_of(PHONE, two.b)->via = party_of(PHONE, node_root(&w, 0).b);
    CHECK_OK(fed_party_stance(w.nodes[PHONE].core, party_of(PHONE, two.b),
                              PROTO_STANCE_THREAD));
    CHECK_OK(with_consent(&t, &c, &w.nodes[PHONE].key));
    {
        /* Said in the thread, so that everybody has it. */
        struct ident_withdrawal wd = {.clinic = two,
                                      .patient = c.patient,
                                      .serial = c.serial,
                                      .made_ms = w.wall_ms};
        struct proto_content say = {.kind = PROTO_CONTENT_WITHDRAWAL};
        struct bytes made = {0};

        CHECK_OK(
            ident_withdrawal_make(mem_heap(), &w.nodes[PHONE].key, &wd, &made));
        say.u.withdrawal.withdrawal = view_of(&made);
        node_stepped(&w, PHONE,
                     fed_core_send(w.nodes[PHONE].core, &t, &say, false,
                                   &(struct message_id){{0}}));
        bytes_free(&made);
    }
    world_heal(&w);
    CHECK_EQ(w.nodes[1].consents[FED_CONSENT_WITHDRAWN], 1);
    CHECK_ERR(with_consent(&t, &c, &w.nodes[PHONE].key), ERR_DENIED);
    c.serial++;
    CHECK_OK(with_consent(&t, &c, &w.nodes[PHONE].key));
    world_end(&w);
}

/* [group-left-over] */
TEST(a_consent_about_nobody)
{
    static const size_t all[] = {1, PHONE};
    struct thread_id t = begin(5, true);
    struct bent b;
    struct mls_proposal_in in[1] = {{0}};
    struct bytes commit;

    bend(world_thread(&w, 0, &t), &b);
    b.consents[b.group.consents.len] = b.consents[0];
    memset(b.consents[b.group.consents.len].clinic, 0xff, 32);
    b.group.consents.len++;
    commit = lie(0, &t, &b, in, 1);
    refused(&t, &commit, all, 2);
    world_end(&w);
}

/* ----------------------------------------------------------------- devices */

/* A list of the patient as it could be signed. */
static struct bytes
list_with(uint64_t count, const struct device_id *more, bool without_phone)
{
    struct patient *p = &w.patients[0];
    struct ident_devices list = p->list;
    struct bytes out = {0};

    list.generation = ident_generation((uint32_t)count, 0);
    if (without_phone) {
        list.len = 0;
    }
    if (more != NULL) {
        memset(&list.device[list.len], 0, sizeof(list.device[0]));
        list.device[list.len++].id = *more;
    }
    CHECK_OK(ident_devices_make(mem_heap(), &p->key, &list, &out));
    return out;
}

/* A device that clinic 0 made up: its key package and certificate. */
struct ghost {
    struct prim_sign_key key;
    struct device_id id;
    struct bytes cert;
    struct mls_key_package_made kp;
};

static void
conjure(struct ghost *g, const struct prim_sign_key *issuer)
{
    struct ident_device_cert cert = {.home = w.patients[0].list.home};
    struct mls_env env = fed_mls_env(w.nodes[0].core);
    struct mls_identity who = identity_of(0);
    struct mls_key_package_opts opts = {.suite = w.nodes[0].core->config.suite};
    uint8_t seed[32];

    memset(g, 0, sizeof(*g));
    memset(seed, 0x5a, sizeof(seed));
    prim_ed25519_from_seed(seed, &g->key);
    memcpy(g->id.b, g->key.pub, sizeof(g->id.b));
    memcpy(cert.patient.b, w.patients[0].key.pub, sizeof(cert.patient.b));
    cert.device = g->id;
    CHECK_OK(ident_device_cert_make(mem_heap(), issuer, &cert, &g->cert));
    who.credential = view_of(&g->cert);
    who.signature_key = VIEW_ARRAY(g->key.pub);
    who.signature_priv = VIEW_ARRAY(g->key.seed);
    opts.not_before_s = w.wall_ms / 1000 - 60;
    opts.not_after_s = w.wall_ms / 1000 + 86400;
    CHECK_OK(mls_key_package_make(&env, &who, &opts, &g->kp));
}

static void
lay(struct ghost *g)
{
    bytes_free(&g->cert);
    mls_key_package_made_clear(&g->kp);
}

/* Clinic 0 gives the patient one more leaf; generation and list may change. */
static struct bytes
haunt(const struct thread_id *t, const struct ghost *g, struct view list,
      uint64_t generation)
{
    struct bent b;
    struct mls_proposal_in in[2] = {{0}};

    bend(world_thread(&w, 0, t), &b);
    if (list.len > 0) {
        b.lists[0].list = list;
        for (uint32_t i = 0; i < b.group.subjects.len; i++) {
            if (b.subjects[i].kind == PROTO_SUBJECT_PATIENT) {
                b.subjects[i].generation = generation;
            }
        }
    }
    in[1].type = MLS_PROPOSAL_ADD;
    in[1].key_package = view_of(&g->kp.key_package);
    return lie(0, t, &b, in, g == NULL ? 1 : 2);
}

/* [device-certified] not in the list, or certified by who may not */
TEST(a_ghost_device)
{
    static const size_t all[] = {1, PHONE};
    struct thread_id t = begin(6, true);
    struct ghost g;
    struct bytes list;
    struct bytes commit;

    conjure(&g, &w.patients[0].key);
    commit = haunt(&t, &g, (struct view){0}, 0);
    refused(&t, &commit, all, 2);
    list = list_with(7, &g.id, false);
    commit = haunt(&t, &g, view_of(&list), ident_generation(7, 0));
    CHECK_OK(judged(1, &t, &commit)); /* the patient's own word makes it one */
    bytes_free(&commit);
    /* [patient-generation] */
    commit = haunt(&t, &g, view_of(&list), ident_generation(8, 0));
    refused(&t, &commit, all, 2);
    lay(&g);
    conjure(&g, &w.nodes[0].key); /* the clinic's word is none */
    commit = haunt(&t, &g, view_of(&list), ident_generation(7, 0));
    refused(&t, &commit, all, 2);
    lay(&g);
    bytes_free(&list);
    world_end(&w);
}

/* A commit of clinic 0 that only brings this list. */
static struct bytes
bring(const struct thread_id *t, struct view list, uint64_t generation)
{
    struct bent b;
    struct mls_proposal_in in[1] = {{0}};

    bend(world_thread(&w, 0, t), &b);
    b.lists[0].list = list;
    for (uint32_t i = 0; i < b.group.subjects.len; i++) {
        if (b.subjects[i].kind == PROTO_SUBJECT_PATIENT) {
            b.subjects[i].generation = generation;
        }
    }
    return lie(0, t, &b, in, 1);
}

/* [device-gone] [patient-list-newer] [patient-list-alarm] [patient-list] */
TEST(lists_that_are_wrong)
{
    static const size_t all[] = {1, PHONE};
    struct thread_id t = begin(7, true);
    struct device_id other = {{9}};
    struct bytes list = list_with(5, &other, true);
    struct bytes commit = bring(&t, view_of(&list), ident_generation(5, 0));

    refused(&t, &commit, all, 2); /* the phone is still in the group */
    bytes_free(&list);
    list = list_with(1, &other, false); /* another list of generation 1 */
    commit = bring(&t, view_of(&list), ident_generation(1, 0));
    refused(&t, &commit, all, 2);
    bytes_free(&list);
    list = list_with(5, &other, false);
    commit = bring(&t, view_of(&list), ident_generation(5, 0));
    CHECK_OK(judged(1, &t, &commit));
    bytes_free(&commit);
    list.p[list.len - 1] ^= 1; /* not signed */
    commit = bring(&t, view_of(&list), ident_generation(5, 0));
    refused(&t, &commit, all, 2);
    bytes_free(&list);
    world_end(&w);
}

/* Two lists of one generation in the world: said, and neither follows. */
TEST(a_second_list_is_an_alarm)
{
    struct thread_id t = begin(8, true);
    struct device_id a = {{7}};
    struct device_id b = {{8}};
    struct bytes one = list_with(6, &a, false);
    struct bytes two = list_with(6, &b, false);
    struct bytes commit;
    struct patient_id id;

    memcpy(id.b, w.patients[0].key.pub, sizeof(id.b));
    node_stepped(&w, 1,
                 fed_patient_learn(w.nodes[1].core, &id, view_of(&one),
                                   FED_LEARNED_INTRODUCED, NULL));
    CHECK_ERR(fed_patient_learn(w.nodes[1].core, &id, view_of(&two),
                                FED_LEARNED_INTRODUCED, NULL),
              ERR_DENIED);
    sim_take(&w, 1);
    sim_commit_due(&w, 1, true);
    CHECK_EQ(w.nodes[1].devices[FED_DEVICES_ALARM], 1);
    commit = bring(&t, view_of(&two), ident_generation(6, 0));
    CHECK_ERR(judged(1, &t, &commit), ERR_DENIED);
    bytes_free(&commit);
    bytes_free(&one);
    bytes_free(&two);
    world_end(&w);
}

/* [device-removed] this thread has not seen the newer list, we have */
TEST(a_device_that_is_known_to_be_gone)
{
    struct thread_id t = begin(9, true);
    struct ghost g;
    struct bytes with;
    struct bytes without;
    struct bytes commit;
    struct patient_id id;

    memcpy(id.b, w.patients[0].key.pub, sizeof(id.b));
    conjure(&g, &w.patients[0].key);
    with = list_with(6, &g.id, false);
    without = list_with(7, NULL, false);
    commit = haunt(&t, &g, view_of(&with), ident_generation(6, 0));
    CHECK_OK(judged(1, &t, &commit));
    node_stepped(&w, 1,
                 fed_patient_learn(w.nodes[1].core, &id, view_of(&without),
                                   FED_LEARNED_INTRODUCED, NULL));
    CHECK_ERR(judged(1, &t, &commit), ERR_DENIED);
    bytes_free(&commit);
    bytes_free(&with);
    bytes_free(&without);
    lay(&g);
    world_end(&w);
}

/* [thread-remove-device] a listed device is nobody else's to take out */
TEST(a_clinic_takes_a_device_out)
{
    struct thread_id t = begin(10, true);
    struct bent b;
    struct mls_proposal_in in[2] = {{0}};
    struct bytes commit;
    struct clinic_id phone = node_root(&w, PHONE);

    bend(world_thread(&w, 1, &t), &b);
    in[1].type = MLS_PROPOSAL_REMOVE;
    CHECK_OK(fed_leaf_at(world_thread(&w, 1, &t)->mls, &phone, &in[1].leaf));
    commit = lie(1, &t, &b, in, 2);
    CHECK_ERR(judged(0, &t, &commit), ERR_DENIED);
    bytes_free(&commit);
    world_end(&w);
}

/* ------------------------------------------------------------------- relays */

/* [claim-ghost] [pool-certified] the relay's own key package */
TEST(a_relay_hands_out_itself)
{
    struct thread_id t = begin(11, true);
    struct ghost g;
    struct proto_key_package kp;
    struct proto_kp_answer in = {.code = PROTO_ANSWER_ACCEPTED};
    struct thread_id u;
    struct fed_thread *own;
    struct fed_rec_intent add = {.kind = FED_INTENT_ADD};
    struct fed_party *relay = party_of(1, w.nodes[0].root.pub);
    size_t bad = w.nodes[1].bad;
    struct subject_id s = node_subject(&w, PHONE);
    const struct fed_show *told;

    (void)t;
    conjure(&g, &w.patients[0].key);
    CHECK_OK(rng_fill(&w.rng.rng, u.b, sizeof(u.b)));
    CHECK_OK(fed_hub_create(w.nodes[1].core, &u, 0, &own));
    memcpy(add.id, s.b, sizeof(add.id));
    memset(add.req, 4, sizeof(add.req));
    add.submitted = true;
    CHECK_OK(fed_intent_add(w.nodes[1].core, own, &add));
    memcpy(in.req, add.req, sizeof(in.req));
    memcpy(in.thread, u.b, sizeof(in.thread));
    memcpy(in.who, s.b, sizeof(in.who));
    kp.kp = view_of(&g.kp.key_package);
    in.kps = (struct proto_list){.items = &kp, .len = 1};
    in.list = view_of(&w.patients[0].text);
    {
        struct proto_peer_msg msg = {.type = PROTO_PEER_KP_ANSWER};
        struct bytes wire = {0};

        msg.u.kp_answer = in;
        CHECK_OK(proto_peer_encode(mem_heap(), &msg, &wire));
        CHECK_OK(fed_item(w.nodes[1].core, relay, view_of(&wire)));
        bytes_free(&wire);
    }
    sim_take(&w, 1);
    sim_commit_due(&w, 1, true);
    CHECK_EQ(w.nodes[1].bad, bad + 1);
    CHECK_EQ(own->group.subjects.len, 1);
    told = &w.nodes[1].doubt[FED_DOUBT_GHOST]; /* and said */
    CHECK_EQ(w.nodes[1].doubts[FED_DOUBT_GHOST], 1);
    CHECK(memcmp(told->author.b, s.b, 32) == 0);
    CHECK(memcmp(told->peer.b, w.nodes[0].root.pub, 32) == 0);
    CHECK(thread_id_equal(&told->thread, &u));
    lay(&g);
    world_end(&w);
}

static struct bytes
routed(const uint8_t from[32], const uint8_t patient[32], struct view body)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_ROUTED};
    struct bytes out = {0};

    memcpy(msg.u.routed.from, from, 32);
    memcpy(msg.u.routed.patient, patient, 32);
    msg.u.routed.body = body;
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, &out));
    return out;
}

/* [route-relay] [route-device] another clinic does not speak for the patient,
   and who delivers only for devices of the list */
TEST(who_speaks_for_the_patient)
{
    struct thread_id t = begin(12, true);
    struct proto_peer_msg msg = {.type = PROTO_PEER_GI_GET};
    struct bytes get = {0};
    struct bytes item;
    struct fed_party *two = party_of(1, w.nodes[2].root.pub);
    struct fed_party *home = party_of(1, w.nodes[0].root.pub);
    uint8_t stranger[32] = {3};
    uint64_t before;

    memcpy(msg.u.gi_get.thread, t.b, 32);
    msg.u.gi_get.seal[0] = 9;
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, &get));
    world_heal(&w);
    before = home->rec.out_next;
    item = routed(w.nodes[PHONE].key.pub, w.patients[0].key.pub, view_of(&get));
    CHECK_OK(fed_item(w.nodes[1].core, two, view_of(&item)));
    CHECK_EQ(home->rec.out_next, before);
    bytes_free(&item);
    item = routed(stranger, w.patients[0].key.pub, view_of(&get));
    CHECK_OK(fed_item(w.nodes[1].core, home, view_of(&item)));
    CHECK_EQ(home->rec.out_next, before);
    bytes_free(&item);
    item = routed(w.nodes[PHONE].key.pub, w.patients[0].key.pub, view_of(&get));
    CHECK_OK(fed_item(w.nodes[1].core, home, view_of(&item)));
    CHECK_EQ(home->rec.out_next, before + 1);
    bytes_free(&item);
    /* A route inside a route, and what only a connection says. */
    item = routed(w.nodes[PHONE].key.pub, w.patients[0].key.pub,
                  VIEW_LIT("\x93\x2d\x01"));
    CHECK_ERR(fed_item(w.nodes[1].core, home, view_of(&item)), ERR_DENIED);
    bytes_free(&item);
    bytes_free(&get);
    world_end(&w);
}

/* Each once, and the last resort only when there is no other: that one again
   and again. */
TEST(key_packages_are_used_once)
{
    struct thread_id t = begin(14, true);
    struct fed_core *core = w.nodes[0].core;
    struct subject_id s = node_subject(&w, PHONE);
    struct clinic_id phone = node_root(&w, PHONE);
    struct clinic_id patient;
    struct bytes had[LIMIT_POOL_MAX + 2] = {{0}};
    uint64_t left;

    (void)t;
    memcpy(patient.b, s.b, sizeof(patient.b));
    CHECK_OK(fed_pool_left(core, &phone, &left));
    CHECK(left > 1 && left <= LIMIT_POOL_MAX);
    for (uint64_t i = 0; i < left + 2; i++) {
        CHECK_OK(fed_pool_take(core, fed_party_find(core, &patient), &had[i]));
        CHECK(had[i].len > 0);
        for (uint64_t k = 0; k < i; k++) {
            CHECK_EQ(view_equal(view_of(&had[i]), view_of(&had[k])),
                     i == left + 1 && k == left);
        }
    }
    for (uint64_t i = 0; i < left + 2; i++) {
        bytes_free(&had[i]);
    }
    world_end(&w);
}

/* [claim-allowed] [claim-limited] key packages only for who was introduced,
   and not without end */
TEST(claims_have_an_end)
{
    struct thread_id t = begin(13, true);
    struct proto_kp_claim in = {.hub_addrs = {0}};
    struct fed_core *core = w.nodes[0].core;
    struct subject_id s = node_subject(&w, PHONE);
    struct clinic_id patient;
    struct fed_rec_allow allow;
    uint64_t left;
    struct clinic_id phone = node_root(&w, PHONE);

    (void)t;
    memcpy(patient.b, s.b, sizeof(patient.b));
    memcpy(in.who, s.b, sizeof(in.who));
    in.suite = core->config.suite;
    CHECK_OK(fed_pool_left(core, &phone, &left));
    CHECK(left > 0);
    CHECK_OK(fed_pool_claimed(core, party_of(0, w.nodes[2].root.pub), &in));
    {
        uint64_t now;

        CHECK_OK(fed_pool_left(core, &phone, &now));
        CHECK_EQ(now, left); /* clinic 2 was never introduced */
    }
    for (int i = 0; i < 200; i++) {
        CHECK_OK(fed_pool_claimed(core, party_of(0, w.nodes[1].root.pub), &in));
    }
    CHECK_OK(fed_allow_get(core, &patient,
                           &party_of(0, w.nodes[1].root.pub)->root, &allow));
    CHECK_EQ(allow.claims, LIMIT_CLAIMS);
    world_end(&w);
}

/* [welcome-by] a thread that a clinic opens with a patient who never said yes
 */
TEST(a_clinic_that_the_patient_did_not_allow)
{
    struct thread_id t = begin(14, true);
    struct thread_id u = {{0}};
    struct clinic_id with;
    struct subject_id s = node_subject(&w, PHONE);
    struct clinic_id who =
        s.b[0] == 0 ? (struct clinic_id){{0}} : (struct clinic_id){{0}};

    (void)t;
    (void)who;
    memcpy(with.b, s.b, sizeof(with.b));
    /* Clinic 1 reads along by consent; that is no leave for a thread alone. */
    party_of(1, s.b)->rec.ours = PROTO_STANCE_GRANTED; /* it lies to itself */
    node_stepped(
        &w, 1,
        fed_core_thread_open(w.nodes[1].core, &with, 1, (struct view){0}, &u));
    world_run(&w, 5000);
    CHECK_EQ(node_state(&w, PHONE, &u), 0);
    CHECK(w.nodes[PHONE].bad > 0);
    world_end(&w);
}

/* [gi-sealed] */
TEST(a_relay_asks_in_the_open)
{
    struct thread_id t = begin(15, true);
    struct fed_party *home = party_of(1, w.nodes[0].root.pub);
    struct proto_peer_msg msg = {.type = PROTO_PEER_GI_GET};
    struct bytes get = {0};
    struct bytes item;
    struct fed_thread *mine = world_thread(&w, 1, &t);

    /* As if clinic 1 ordered it, and the patient came by clinic 0. */
    memcpy(mine->rec.hub, w.nodes[1].root.pub, 32);
    memcpy(msg.u.gi_get.thread, t.b, 32);
    CHECK_OK(proto_peer_encode(mem_heap(), &msg, &get));
    item = routed(w.nodes[PHONE].key.pub, w.patients[0].key.pub, view_of(&get));
    CHECK_ERR(fed_item(w.nodes[1].core, home, view_of(&item)), ERR_DENIED);
    bytes_free(&item);
    bytes_free(&get);
    world_end(&w);
}

/* [welcome-signer] Node 2 claimed node 1's key package through node 0, who
   orders the thread, adds node 1 itself and says that node 2 did. */
TEST(a_clinic_added_in_anothers_name)
{
    struct thread_id t;
    struct fed_thread *hub;
    struct bent b;
    struct proto_subject s = {.kind = PROTO_SUBJECT_CLINIC};
    struct mls_proposal_in in[2] = {{0}};
    struct bytes kp = {0};
    struct bytes commit;
    struct clinic_id two;
    struct proto_welcome item = {.term = 1};

    world_friends(&w, 61, 3);
    two = node_root(&w, 2);
    CHECK_OK(
        fed_core_thread_open(w.nodes[0].core, &two, 1, VIEW_LIT("Two"), &t));
    sim_take(&w, 0);
    world_heal(&w);
    hub = world_thread(&w, 0, &t);
    memcpy(s.root, w.nodes[1].root.pub, 32);
    memcpy(s.node, s.root, 32);
    memcpy(item.thread, t.b, 32);
    item.seq = hub->rec.seq + 1;
    item.ts_ms = w.wall_ms;
    for (int truth = 0; truth < 2; truth++) {
        struct clinic_id by = truth ? node_root(&w, 0) : two;

        CHECK_OK(fed_kp_claimed(w.nodes[1].core, &by, t.b, false, &kp));
        memcpy(s.added_by, by.b, 32);
        bend(hub, &b);
        add_subject(&b, &s);
        in[1].type = MLS_PROPOSAL_ADD;
        in[1].key_package = view_of(&kp);
        commit = lie(0, &t, &b, in, 2);
        item.welcome = view_of(&invited);
        CHECK_ERR(
            fed_follow_welcome(w.nodes[1].core, world_party(&w, 1, 0), &item),
            truth ? OK : ERR_DENIED);
        bytes_free(&commit);
        bytes_free(&kp);
    }
    bytes_free(&invited);
    world_end(&w);
}

int
main(void)
{
    return RUN(
        T(a_patient_brings_a_clinic), T(a_clinic_without_consent),
        T(consents_of_something_else), T(an_old_consent_after_a_withdrawal),
        T(a_consent_about_nobody), T(a_ghost_device), T(lists_that_are_wrong),
        T(a_second_list_is_an_alarm), T(a_device_that_is_known_to_be_gone),
        T(a_clinic_takes_a_device_out), T(a_relay_hands_out_itself),
        T(who_speaks_for_the_patient), T(key_packages_are_used_once),
        T(claims_have_an_end), T(a_clinic_that_the_patient_did_not_allow),
        T(a_relay_asks_in_the_open), T(a_clinic_added_in_anothers_name));
}
