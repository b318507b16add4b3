/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came to a device without a signature can be proven later, as far as the
 * hub's own record goes; an edit is proven with what it changed; and what goes
 * to a hub through a relay is the device's own, for that hub alone.
 */
#include "crypto/prim/hash.h"
#include "federation/core/frank.h"
#include "tests/sim/report.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

/* As it would be had this device not been there: no proof of anything. */
static void
forget_proofs(size_t d)
{
    struct rows *rows = &w.nodes[d].rows;

    for (size_t r = rows->len; r > 0; r--) {
        struct row *row = &rows->at[r - 1];

        if (row->ns == FED_NS_FRANK) {
            struct bytes key = {0};

            CHECK_OK(bytes_copy(mem_heap(), view_of(&row->key), &key));
            rows_del(rows, FED_NS_FRANK, view_of(&key));
            bytes_free(&key);
        }
    }
}

static bool
proven(size_t d, const struct sim_shown *m)
{
    bool out = false;

    CHECK_OK(fed_core_proven(w.nodes[d].core, &m->report, &out));
    return out;
}

/* Ask for it, and what the clinics make of a report then. */
static void
ask(size_t d, const struct sim_shown *m)
{
    CHECK_OK(fed_core_prove(w.nodes[d].core, &m->report));
    node_stepped(&w, d, OK);
    world_heal(&w);
}

/* Clinic 1's conversation with the patient of device d, which 0 carries. */
static struct thread_id
carried(uint64_t seed, size_t *d)
{
    struct thread_id id;

    world_init(&w, seed, 2);
    world_befriend(&w, 0, 1);
    *d = world_device(&w, 0);
    world_enrol(&w, *d, 0);
    id = world_private(&w, *d);
    CHECK_OK(world_say(&w, 1, &id));
    world_heal(&w);
    return id;
}

/* [prove-later] Also through a relay, which has never seen the message. */
TEST(what_came_without_is_signed_later)
{
    size_t d;
    struct sim_shown m;
    struct thread_id id = carried(1, &d);

    sim_newest(&w, d, &id, &m);
    CHECK(proven(d, &m));
    forget_proofs(d);
    CHECK(!proven(d, &m));
    ask(d, &m);
    CHECK(proven(d, &m));
    CHECK_OK(fed_core_report(w.nodes[d].core, &m.report));
    node_stepped(&w, d, OK);
    world_heal(&w);
    CHECK_EQ(w.nodes[0].reports[FED_PROOF_AUTHOR], 1);
    CHECK_EQ(w.nodes[1].reports[FED_PROOF_OWN], 1);
    bytes_free(&m.content);
    world_end(&w);
}

/* What the hub's record does not have it does not sign. */
TEST(what_the_hub_does_not_have)
{
    size_t d;
    struct sim_shown m;
    struct thread_id id = carried(2, &d);
    struct fed_report other;

    sim_newest(&w, d, &id, &m);
    forget_proofs(d);
    other = m.report;
    other.seq += LIMIT_BUNDLE_PARTS * 1000u;
    CHECK_OK(fed_core_prove(w.nodes[d].core, &other));
    node_stepped(&w, d, OK);
    world_heal(&w);
    CHECK(!proven(d, &m));
    CHECK_OK(fed_core_report(w.nodes[d].core, &m.report));
    node_stepped(&w, d, OK);
    world_heal(&w);
    CHECK_EQ(w.nodes[0].reports[FED_PROOF_NONE], 1);
    bytes_free(&m.content);
    world_end(&w);
}

/* [prove-later] An entry that comes without a signature is asked for at once,
   before anybody knows that it will be reported. */
TEST(an_entry_without_a_signature)
{
    size_t both[2];
    struct thread_id id = world_phone(&w, 3, both);
    struct fed_core *hub = w.nodes[0].core;
    size_t d = both[1];
    struct fed_thread *t = world_thread(&w, 0, &id);
    struct proto_peer_msg msg;
    struct bytes item = {0};
    struct sim_shown m;

    world_cut(&w, 0, d, true);
    CHECK_OK(world_say(&w, 0, &id));
    sim_take(&w, 0);
    sim_commit_due(&w, 0, true);
    for (size_t r = 0; r < w.nodes[0].rows.len; r++) {
        const struct row *row = &w.nodes[0].rows.at[r];
        struct view body = view_of(&row->value);

        if (row->ns == FED_NS_OUT && body.len > 1 &&
            proto_peer_decode(view_skip(body, 1), &msg) == OK &&
            msg.type == PROTO_PEER_FAN && msg.u.fan.seq == t->rec.seq) {
            CHECK(msg.u.fan.frank.len > 0);
            bytes_free(&item);
            CHECK_OK(bytes_copy(mem_heap(), view_skip(body, 1), &item));
        }
    }
    CHECK(item.len > 0);
    CHECK_OK(proto_peer_decode(view_of(&item), &msg));
    msg.u.fan.frank = (struct view){0};
    CHECK_OK(
        fed_follow_fan(w.nodes[d].core, world_party(&w, d, 0), &msg.u.fan));
    sim_take(&w, d);
    sim_commit_due(&w, d, true);
    sim_newest(&w, d, &id, &m);
    CHECK(!proven(d, &m));
    world_cut(&w, 0, d, false);
    world_heal(&w);
    CHECK(proven(d, &m));
    CHECK(hub == w.nodes[0].core);
    bytes_free(&item);
    bytes_free(&m.content);
    world_end(&w);
}

/* [prove-member] [prove-flood] */
TEST(who_may_ask_and_how_often)
{
    size_t d;
    struct thread_id id = carried(4, &d);
    struct proto_frank_want wants[LIMIT_FRANK_ASK];
    struct proto_device_frank_get in = {.thread = {0}};
    struct fed_thread *t = world_thread(&w, 1, &id);
    struct clinic_id patient = world_party(&w, 0, d)->subject;
    struct fed_member *m = fed_thread_member(t, &patient);

    memset(wants, 0, sizeof(wants));
    memcpy(in.thread, id.b, 32);
    in.wants = (struct proto_list){wants, LIMIT_FRANK_ASK, {0}};
    CHECK(m != NULL);
    CHECK_ERR(fed_prove_asked(w.nodes[1].core, world_party(&w, 1, 0), &in),
              ERR_DENIED); /* a clinic has its own record */
    m->proved = LIMIT_HISTORY_ASKED;
    m->proved_ms = fed_mono(w.nodes[1].core);
    CHECK_OK(fed_prove_asked(w.nodes[1].core, world_party(&w, 1, d), &in));
    CHECK(w.nodes[1].core->cur == NULL ||
          w.nodes[1].core->cur->writes_len == 0);
    memset(in.thread, 9, 32);
    m->proved = 0;
    CHECK_OK(fed_prove_asked(w.nodes[1].core, world_party(&w, 1, d), &in));
    CHECK(w.nodes[1].core->cur == NULL ||
          w.nodes[1].core->cur->writes_len == 0);
    world_end(&w);
}

/* ---------------------------------------------------------------- edits */

static struct bytes
content(enum proto_content_kind kind, const char *words,
        const struct message_id *target)
{
    struct proto_content c = {.kind = kind, .sent_ms = 1};
    struct view text = view_make((const uint8_t *)words, strlen(words));
    struct bytes out = {0};

    memset(c.salt, 7, sizeof(c.salt));
    if (kind == PROTO_CONTENT_EDIT) {
        memcpy(c.u.edit.target, target->b, 32);
        c.u.edit.text = text;
    } else {
        c.u.text.text = text;
    }
    CHECK_OK(proto_content_encode(mem_heap(), &c, &out));
    return out;
}

/* [report-edit] The edit is what is proven; what it names is as good. */
TEST(an_edit_with_what_it_changed)
{
    struct thread_id id;
    struct message_id first;
    struct message_id second;
    struct clinic_id author;
    struct bytes before;
    struct bytes after;
    struct bytes forged = content(PROTO_CONTENT_TEXT, "never said", NULL);
    struct fed_party *by;
    struct proto_report in = {.reason = PROTO_REPORT_SPAM, .seq = 1};
    struct fed_report out = {.reason = PROTO_REPORT_SPAM, .seq = 1};

    id = world_settled(&w, 5, 3);
    by = world_party(&w, 0, 1);
    author = node_root(&w, 2);
    before = content(PROTO_CONTENT_TEXT, "at noon", NULL);
    fed_message_id(&author, view_of(&before), &first);
    after = content(PROTO_CONTENT_EDIT, "you fool", &first);
    fed_message_id(&author, view_of(&after), &second);
    memcpy(in.thread, id.b, 32);
    memcpy(in.author, author.b, 32);
    memcpy(in.message, second.b, 32);
    in.content = view_of(&after);
    in.before = view_of(&before);
    CHECK_EQ(sim_judged(&w, 0, by, &in), FED_PROOF_NONE);
    in.before = view_of(&forged);
    CHECK_EQ(sim_judged(&w, 0, by, &in), FED_PROOF_FALSE);
    in.content = view_of(&before); /* no edit at all */
    memcpy(in.message, first.b, 32);
    in.before = view_of(&before);
    CHECK_EQ(sim_judged(&w, 0, by, &in), FED_PROOF_FALSE);
    out.thread = id;
    out.author = author;
    out.message = second;
    out.content = view_of(&after);
    out.before = view_of(&forged);
    CHECK_ERR(fed_core_report(w.nodes[1].core, &out), ERR_INVALID);
    bytes_free(&before);
    bytes_free(&after);
    bytes_free(&forged);
    world_end(&w);
}

/* -------------------------------------------------------- through a relay */

static size_t
rows_of(const struct node *n, uint16_t ns)
{
    size_t found = 0;

    for (size_t i = 0; i < n->rows.len; i++) {
        found += n->rows.at[i].ns == ns;
    }
    return found;
}

/* What device d would send to its hub, sealed. */
static struct proto_report_sealed
sealed_by(size_t d, const struct thread_id *id, const struct sim_shown *m,
          struct bytes *hold)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_REPORT};

    memcpy(msg.u.report.thread, id->b, 32);
    memcpy(msg.u.report.message, m->report.message.b, 32);
    memcpy(msg.u.report.author, m->report.author.b, 32);
    msg.u.report.term = m->report.term;
    msg.u.report.seq = m->report.seq;
    msg.u.report.words = VIEW_LIT("words for the hub alone");
    msg.u.report.content = m->report.content;
    CHECK_OK(
        fed_report_seal(w.nodes[d].core, world_thread(&w, d, id), &msg, hold));
    CHECK_OK(proto_peer_decode(view_of(hold), &msg));
    CHECK_EQ(msg.type, PROTO_PEER_REPORT_SEALED);
    return msg.u.report_sealed;
}

/* [report-device] */
TEST(sealed_to_the_hub_and_signed_by_the_device)
{
    size_t d;
    struct thread_id id = carried(6, &d);
    struct sim_shown m;
    struct bytes hold = {0};
    struct bytes other = {0};
    struct proto_report_sealed in;
    struct proto_report_sealed bad;
    struct fed_party *by = world_party(&w, 1, d);

    sim_newest(&w, d, &id, &m);
    in = sealed_by(d, &id, &m, &hold);
    for (size_t n = 0; n + 24 <= in.sealed.len; n++) {
        CHECK(memcmp(in.sealed.p + n, "words for the hub alone", 23) != 0);
    }
    CHECK_EQ((in.sealed.len - 48) / PROTO_REPORT_STEP,
             (in.sealed.len - 1) / PROTO_REPORT_STEP);
    /* Another clinic cannot open it. */
    CHECK_ERR(
        fed_report_sealed_recv(w.nodes[0].core, world_party(&w, 0, d), &in),
        ERR_AUTH);
    /* Nor is it somebody else's, or about another thread. */
    CHECK_ERR(
        fed_report_sealed_recv(w.nodes[1].core, world_party(&w, 1, 0), &in),
        ERR_DENIED);
    bad = in;
    bad.thread[0] ^= 1;
    CHECK_ERR(fed_report_sealed_recv(w.nodes[1].core, by, &bad), ERR_AUTH);
    CHECK_OK(bytes_copy(mem_heap(), in.sealed, &other));
    for (size_t n = 0; n < other.len; n += 97) {
        bad = in;
        other.p[n] ^= 1;
        bad.sealed = view_of(&other);
        /* sealed to another key, for all that it knows: it says so */
        CHECK_OK(fed_report_sealed_recv(w.nodes[1].core, by, &bad));
        other.p[n] ^= 1;
    }
    sim_take(&w, 1);
    sim_commit_due(&w, 1, true);
    CHECK_EQ(w.nodes[1].reports[FED_PROOF_OWN], 0);
    bad.sealed = view_make(in.sealed.p, 40);
    CHECK_ERR(fed_report_sealed_recv(w.nodes[1].core, by, &bad), ERR_AUTH);
    CHECK_OK(fed_report_sealed_recv(w.nodes[1].core, by, &in));
    sim_take(&w, 1);
    sim_commit_due(&w, 1, true);
    CHECK_EQ(w.nodes[1].reports[FED_PROOF_OWN], 1);
    bytes_free(&hold);
    bytes_free(&other);
    bytes_free(&m.content);
    world_end(&w);
}

/* [report-device] The relay says one in the patient's name. */
TEST(the_relay_cannot_make_one)
{
    size_t d;
    struct thread_id id = carried(7, &d);
    struct sim_shown m;
    struct bytes hold = {0};
    struct proto_report_sealed in;
    uint8_t seed[32];

    sim_newest(&w, d, &id, &m);
    memcpy(seed, w.nodes[d].core->seed, sizeof(seed));
    memcpy(w.nodes[d].core->seed, w.nodes[0].core->seed, sizeof(seed));
    in = sealed_by(d, &id, &m, &hold);
    memcpy(w.nodes[d].core->seed, seed, sizeof(seed));
    CHECK_ERR(
        fed_report_sealed_recv(w.nodes[1].core, world_party(&w, 1, d), &in),
        ERR_AUTH);
    CHECK_EQ(w.nodes[1].reports[FED_PROOF_OWN], 0);
    bytes_free(&hold);
    bytes_free(&m.content);
    world_end(&w);
}

/* [report-unread] The clinic has a new key, and has said nothing in the thread
   since: the report is sealed again, and nobody has to know. */
TEST(sealed_to_a_key_of_before)
{
    for (int revoke = 0; revoke < 2; revoke++) {
        size_t d;
        struct thread_id id = carried(8 + (uint64_t)revoke, &d);
        struct sim_shown m;
        size_t n = 0;

        sim_newest(&w, d, &id, &m);
        if (revoke) { /* the report waits at the relay meanwhile */
            node_crash(&w, 1);
            CHECK_OK(fed_core_report(w.nodes[d].core, &m.report));
            sim_take(&w, d);
            world_run(&w, 3000);
            node_start(&w, 1);
        }
        node_rotate(&w, 1, revoke != 0);
        world_run(&w, 3000);
        if (!revoke) {
            CHECK_OK(fed_core_report(w.nodes[d].core, &m.report));
            sim_take(&w, d);
        }
        world_run(&w, 5000);
        for (size_t k = 0; k < 8; k++) {
            n += w.nodes[1].reports[k];
        }
        CHECK_EQ(n, 1);
        CHECK_EQ(rows_of(&w.nodes[d], FED_NS_REPORTED), 0);
        bytes_free(&m.content);
        world_end(&w);
    }
}

/* [report-kept] The clinic never says that it could open it: it is kept for 30
   days, the person hears how it ended, and a late answer changes nothing. */
TEST(a_report_that_is_never_answered)
{
    size_t d;
    struct thread_id id = carried(13, &d);
    struct sim_shown m;
    struct node *n = &w.nodes[d];
    struct clinic_id home = node_root(&w, 0);

    sim_newest(&w, d, &id, &m);
    node_crash(&w, 1);
    CHECK_OK(fed_core_report(n->core, &m.report));
    sim_take(&w, d);
    world_run(&w, 3000);
    CHECK_EQ(rows_of(n, FED_NS_REPORTED), 1);
    for (int day = 1; day <= 32; day++) {
        world_skip(&w, IDENT_DAY_MS);
        world_run(&w, 50);
        if (day == 29) {
            node_crash(&w, d); /* it is in no memory alone */
            node_start(&w, d);
            world_run(&w, 3000);
            CHECK_EQ(rows_of(n, FED_NS_REPORTED), 1);
            CHECK_EQ(n->doubts[FED_DOUBT_REPORT], 0);
        }
    }
    CHECK_EQ(rows_of(n, FED_NS_REPORTED), 0);
    CHECK_EQ(n->doubts[FED_DOUBT_REPORT], 1);
    CHECK(thread_id_equal(&n->doubt[FED_DOUBT_REPORT].thread, &id));
    CHECK(clinic_id_equal(&n->doubt[FED_DOUBT_REPORT].peer, &home));
    CHECK_EQ(n->doubt[FED_DOUBT_REPORT].value, 1);
    CHECK(w.wall_ms - n->doubt[FED_DOUBT_REPORT].ts_ms > 30 * IDENT_DAY_MS);
    node_start(&w, 1);
    world_heal(&w);
    CHECK_EQ(w.nodes[1].reports[FED_PROOF_OWN], 1); /* the relay kept it */
    CHECK_EQ(n->doubts[FED_DOUBT_REPORT], 1);
    bytes_free(&m.content);
    world_end(&w);
}

/* [report-key] Not to a key that the clinic had before, nor to another's. */
TEST(sealed_again_only_to_a_newer_key)
{
    size_t d;
    struct thread_id id = carried(10, &d);
    struct sim_shown m;
    struct bytes hold = {0};
    struct bytes old = {0};
    struct proto_report_sealed in;
    struct proto_report_seen seen = {.opened = 0};
    struct fed_core *core = w.nodes[d].core;

    sim_newest(&w, d, &id, &m);
    CHECK_OK(bytes_copy(mem_heap(), view_of(&w.nodes[1].chain), &old));
    node_rotate(&w, 1, false);
    world_said(&w, 1, &id);
    world_heal(&w);
    in = sealed_by(d, &id, &m, &hold);
    memcpy(seen.thread, id.b, 32);
    prim_sha256(in.sealed, seen.hash);
    seen.chain = view_of(&old);
    CHECK_ERR(fed_report_seen_recv(core, world_party(&w, d, 1), &seen),
              ERR_DENIED);
    seen.chain = view_of(&w.nodes[0].chain);
    CHECK_ERR(fed_report_seen_recv(core, world_party(&w, d, 1), &seen),
              ERR_AUTH);
    CHECK_ERR(fed_report_seen_recv(core, world_party(&w, d, 0), &seen),
              ERR_DENIED);
    CHECK_ERR(
        fed_report_seen_recv(w.nodes[1].core, world_party(&w, 1, 0), &seen),
        ERR_DENIED);
    seen.hash[0] ^= 1; /* of nothing that is known */
    CHECK_OK(fed_report_seen_recv(core, world_party(&w, d, 1), &seen));
    bytes_free(&old);
    bytes_free(&hold);
    bytes_free(&m.content);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(what_came_without_is_signed_later),
               T(what_the_hub_does_not_have), T(an_entry_without_a_signature),
               T(who_may_ask_and_how_often), T(an_edit_with_what_it_changed),
               T(sealed_to_the_hub_and_signed_by_the_device),
               T(the_relay_cannot_make_one), T(sealed_to_a_key_of_before),
               T(a_report_that_is_never_answered),
               T(sealed_again_only_to_a_newer_key));
}
