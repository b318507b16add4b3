/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Franking: nobody says what they do not commit to, and what was said can be
 * shown to others, as it was and not otherwise.
 */
#include "federation/core/frank.h"
#include "tests/sim/report.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

/* What node i would say in thread id, with this commitment. */
static struct bytes
sealed_with(size_t i, const struct thread_id *id, struct view content,
            struct view frank)
{
    struct fed_thread *t = world_thread(&w, i, id);
    struct mls_protected made = {0};
    struct bytes aad = {0};
    struct bytes out;

    CHECK_OK(fed_log_aad(w.nodes[i].core, t, frank, &aad));
    CHECK_OK(mls_protect(t->mls, content, view_of(&aad), 0, &made));
    CHECK_OK(fed_mls_change(w.nodes[i].core, id, made.change));
    out = bytes_take(&made.message);
    mls_protected_clear(&made);
    bytes_free(&aad);
    return out;
}

static struct bytes
text(const char *words)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT, .sent_ms = 1};
    struct bytes out = {0};

    memset(c.salt, 7, sizeof(c.salt));
    c.u.text.text = view_make((const uint8_t *)words, strlen(words));
    CHECK_OK(proto_content_encode(mem_heap(), &c, &out));
    return out;
}

/* What the hub says to node i saying content with this commitment. */
static bool
taken(size_t i, const struct thread_id *id, struct view content,
      struct view frank)
{
    struct fed_thread *hub = world_thread(&w, 0, id);
    uint64_t seq = hub->rec.seq;
    struct proto_app_submit in = {.term = hub->rec.term};
    struct bytes message = sealed_with(i, id, content, frank);

    memcpy(in.thread, id->b, sizeof(in.thread));
    in.message = view_of(&message);
    CHECK_OK(fed_hub_app(w.nodes[0].core, world_party(&w, 0, i), &in));
    bytes_free(&message);
    return hub->rec.seq == seq + 1;
}

/* [frank-commit] */
TEST(hub_takes_only_what_is_committed_to)
{
    struct thread_id id;
    struct clinic_id me;
    struct bytes content = text("at noon");
    struct bytes other = text("at one");
    struct thread_id wrong;
    uint8_t tag[32];

    id = world_settled(&w, 1, 3);
    me = node_root(&w, 1);
    CHECK(!taken(1, &id, view_of(&content), (struct view){0}));
    fed_frank_of(&id, &me, view_of(&other), tag);
    CHECK(!taken(1, &id, view_of(&content), VIEW_ARRAY(tag)));
    me = node_root(&w, 2);
    fed_frank_of(&id, &me, view_of(&content), tag);
    CHECK(!taken(1, &id, view_of(&content), VIEW_ARRAY(tag)));
    me = node_root(&w, 1);
    memset(&wrong, 9, sizeof(wrong));
    fed_frank_of(&wrong, &me, view_of(&content), tag);
    CHECK(!taken(1, &id, view_of(&content), VIEW_ARRAY(tag)));
    fed_frank_of(&id, &me, view_of(&content), tag);
    CHECK(taken(1, &id, view_of(&content), VIEW_ARRAY(tag)));
    bytes_free(&content);
    bytes_free(&other);
    world_heal(&w);
    world_end(&w);
}

/* [frank-commit] A hub that numbers it all the same shows it to nobody. */
TEST(uncommitted_words_are_not_shown)
{
    struct thread_id id;
    struct clinic_id hub;
    struct fed_thread *t;
    struct bytes content = text("nobody can prove this");
    struct bytes message;
    struct message_id said;
    struct proto_fan fan = {.kind = PROTO_ENTRY_APP};

    id = world_settled(&w, 2, 3);
    hub = node_root(&w, 0);
    message = sealed_with(0, &id, view_of(&content), (struct view){0});
    t = world_thread(&w, 1, &id);
    memcpy(fan.thread, id.b, sizeof(fan.thread));
    fan.term = t->rec.term;
    fan.seq = t->rec.seq + 1;
    memcpy(fan.prev, t->rec.head, sizeof(fan.prev));
    fan.ts_ms = t->rec.ts_ms + 1;
    fan.message = view_of(&message);
    CHECK_OK(fed_follow_fan(w.nodes[1].core, world_party(&w, 1, 0), &fan));
    sim_take(&w, 1);
    sim_commit_due(&w, 1, true);
    CHECK_EQ(t->rec.seq, fan.seq);
    fed_message_id(&hub, view_of(&content), &said);
    CHECK(!node_has(&w, 1, &id, &said));
    CHECK_EQ(w.nodes[1].gaps, 1);
    CHECK_EQ(w.nodes[1].bad, 1);
    bytes_free(&content);
    bytes_free(&message);
    world_free(&w);
}

/* -------------------------------------------------------------- reports */

/* Let everything that is under way arrive. */
static void
settle(void)
{
    world_heal(&w);
}

TEST(clinics_have_their_own_record)
{
    struct thread_id id;
    struct clinic_id to[FED_REPORT_TO];
    struct sim_shown m;
    size_t n;

    world_friends(&w, 3, 3);
    id = world_group(&w, 0, 3);
    CHECK_OK(world_say(&w, 2, &id));
    settle();
    sim_newest(&w, 1, &id, &m);
    CHECK_OK(fed_core_report_to(w.nodes[1].core, &id, to, &n));
    CHECK_EQ(n, 2);
    CHECK(clinic_id_equal(&to[0], &w.nodes[1].core->me));
    CHECK(clinic_id_equal(&to[1], &w.nodes[0].core->me));
    CHECK_OK(fed_core_report(w.nodes[1].core, &m.report));
    node_stepped(&w, 1, OK);
    settle();
    CHECK_EQ(w.nodes[1].reports[FED_PROOF_OWN], 1);
    CHECK_EQ(w.nodes[0].reports[FED_PROOF_OWN], 1);
    CHECK_EQ(w.nodes[2].reports[FED_PROOF_OWN], 0);
    /* Nobody reports themselves, or what was not said. */
    m.report.author = w.nodes[1].core->me;
    CHECK_ERR(fed_core_report(w.nodes[1].core, &m.report), ERR_INVALID);
    m.report.author = w.nodes[0].core->me;
    CHECK_ERR(fed_core_report(w.nodes[1].core, &m.report), ERR_INVALID);
    bytes_free(&m.content);
    world_end(&w);
}

/* [report-content] */
TEST(forged_reports_among_clinics)
{
    struct thread_id id;
    struct thread_id other;
    struct sim_shown m;
    struct fed_party *by;
    struct bytes words = text("what was never said");
    struct proto_report in = {.reason = PROTO_REPORT_SPAM};
    struct proto_report bad;

    world_friends(&w, 4, 3);
    id = world_group(&w, 0, 3);
    other = world_direct(&w, 0, 1);
    CHECK_OK(world_say(&w, 2, &id));
    settle();
    sim_newest(&w, 1, &id, &m);
    by = world_party(&w, 0, 1);
    memcpy(in.thread, id.b, 32);
    memcpy(in.message, m.report.message.b, 32);
    memcpy(in.author, m.report.author.b, 32);
    in.term = m.report.term;
    in.seq = m.report.seq;
    in.content = view_of(&m.content);
    CHECK_EQ(sim_judged(&w, 0, by, &in), FED_PROOF_OWN);
    bad = in;
    bad.content = view_of(&words); /* another content */
    CHECK_EQ(sim_judged(&w, 0, by, &bad), FED_PROOF_FALSE);
    bad = in;
    memcpy(bad.author, node_root(&w, 1).b, 32); /* another sender */
    CHECK_EQ(sim_judged(&w, 0, by, &bad), FED_PROOF_FALSE);
    bad.content = (struct view){0};
    CHECK_EQ(sim_judged(&w, 0, by, &bad), FED_PROOF_FALSE);
    bad = in;
    memcpy(bad.thread, other.b, 32); /* another thread */
    CHECK_EQ(sim_judged(&w, 0, by, &bad), FED_PROOF_NONE);
    bad = in; /* a message of another's making, in its own id */
    memcpy(bad.author, node_root(&w, 2).b, 32);
    bad.content = view_of(&words);
    struct clinic_id author = node_root(&w, 2);
    struct message_id made;
    fed_message_id(&author, bad.content, &made);
    memcpy(bad.message, made.b, 32);
    CHECK_EQ(sim_judged(&w, 0, by, &bad), FED_PROOF_NONE);
    bytes_free(&words);
    bytes_free(&m.content);
    world_end(&w);
}

/* [report-flood] */
TEST(reports_without_end)
{
    struct fed_party *by;
    struct proto_report in = {.reason = PROTO_REPORT_SPAM};

    world_friends(&w, 5, 2);
    world_heal(&w);
    by = world_party(&w, 0, 1);
    for (uint64_t i = 0; i < LIMIT_REPORTS_DAY; i++) {
        CHECK_EQ(sim_judged(&w, 0, by, &in), FED_PROOF_NONE);
    }
    CHECK_EQ(sim_judged(&w, 0, by, &in), 7);
    CHECK_EQ(sim_judged(&w, 0, by, &in), 99);
    w.wall_ms += LIMIT_REPORTS_MS;
    CHECK_EQ(sim_judged(&w, 0, by, &in), FED_PROOF_NONE);
    world_end(&w);
}

/* What a device sent to clinic i as a report; the newest that waits. */
static bool
sent_report(size_t d, size_t i, struct bytes *hold, struct proto_report *out)
{
    struct rows *rows = &w.nodes[d].rows;
    struct clinic_id to = node_root(&w, i);
    bool found = false;

    for (size_t r = 0; r < rows->len; r++) {
        struct proto_peer_msg msg;
        struct view body = view_of(&rows->at[r].value);

        if (rows->at[r].ns == FED_NS_OUT &&
            memcmp(rows->at[r].key.p, to.b, 32) == 0 && body.len > 1 &&
            proto_peer_decode(view_skip(body, 1), &msg) == OK &&
            msg.type == PROTO_PEER_REPORT) {
            bytes_free(hold);
            CHECK_OK(bytes_copy(mem_heap(), view_skip(body, 1), hold));
            CHECK_OK(proto_peer_decode(view_of(hold), &msg));
            *out = msg.u.report;
            found = true;
        }
    }
    return found;
}

/* [report-signed] Clinic 0 carries and has never seen the thread; clinic 1
   orders it and is reported. */
TEST(a_patient_reports_to_who_only_carries)
{
    size_t d;
    struct thread_id id;
    struct sim_shown m;
    struct bytes hold = {0};
    struct bytes words = text("what was never said");
    struct proto_report in;
    struct proto_report bad;
    struct fed_party *by;
    uint8_t flipped[LIMIT_HUB_STATEMENT];

    world_init(&w, 6, 2);
    world_befriend(&w, 0, 1);
    d = world_device(&w, 0);
    world_enrol(&w, d, 0);
    id = world_private(&w, d);
    CHECK_OK(world_say(&w, 1, &id));
    settle();
    sim_newest(&w, d, &id, &m);
    world_cut(&w, 0, d, true);
    CHECK_OK(fed_core_report(w.nodes[d].core, &m.report));
    sim_take(&w, d);
    sim_commit_due(&w, d, true);
    CHECK(sent_report(d, 0, &hold, &in));
    CHECK(in.proof.len > 0);
    world_cut(&w, 0, d, false);
    settle();
    CHECK_EQ(w.nodes[0].reports[FED_PROOF_AUTHOR], 1);
    /* Its hub gets it through the relay, which cannot read it. */
    CHECK_EQ(w.nodes[1].reports[FED_PROOF_OWN], 1);
    by = world_party(&w, 0, d);
    bad = in;
    bad.content = view_of(&words);
    CHECK_EQ(sim_judged(&w, 0, by, &bad), FED_PROOF_FALSE);
    bad = in;
    memset(bad.thread, 7, 32); /* a replay in another thread */
    CHECK_EQ(sim_judged(&w, 0, by, &bad), FED_PROOF_FALSE);
    bad = in;
    bad.seq += LIMIT_BUNDLE_PARTS;
    CHECK_EQ(sim_judged(&w, 0, by, &bad), FED_PROOF_FALSE);
    bad = in;
    bad.ids = (struct view){0};
    CHECK_EQ(sim_judged(&w, 0, by, &bad), FED_PROOF_FALSE);
    bad = in;
    memcpy(flipped, in.proof.p, in.proof.len);
    flipped[in.proof.len - 1] ^= 1;
    bad.proof = view_make(flipped, in.proof.len);
    CHECK_EQ(sim_judged(&w, 0, by, &bad), FED_PROOF_FALSE);
    bad = in;
    bad.proof = (struct view){0};
    CHECK_EQ(sim_judged(&w, 0, by, &bad), FED_PROOF_NONE);
    bytes_free(&hold);
    bytes_free(&words);
    bytes_free(&m.content);
    world_end(&w);
}

/* Node i says that, as hub, it took this. */
static struct bytes
hub_says(size_t i, const struct proto_report *in)
{
    static const uint64_t head[] = {PROTO_FRANK_TAKEN, 1};
    struct proto_frank f = {
        .term = in->term, .seq = fed_place_entry(in->seq), .ts_ms = in->ts_ms};
    struct thread_id id;
    struct bytes said = {0};
    struct bytes out = {0};

    memcpy(id.b, in->thread, 32);
    memcpy(f.thread, in->thread, 32);
    memcpy(f.author, in->author, 32);
    fed_frank_tag(&id, in->ids, f.tag);
    CHECK_OK(
        proto_shape_encode(mem_heap(), &proto_frank_shape, head, 2, &f, &said));
    CHECK_OK(ident_by_node_make(mem_heap(), IDENT_STATEMENT, &w.nodes[i].key,
                                view_of(&w.nodes[i].chain), view_of(&said),
                                &out));
    bytes_free(&said);
    return out;
}

/* [report-hub] Whose word about another clinic counts. */
TEST(a_hub_is_a_witness_only_for_others)
{
    struct bytes words = text("said by 3");
    struct clinic_id author;
    struct message_id id;
    struct bytes proof;
    struct proto_report in = {.term = 1, .seq = fed_place(5, 0), .ts_ms = 6};

    world_friends(&w, 7, 4);
    world_heal(&w);
    author = node_root(&w, 3);
    fed_message_id(&author, view_of(&words), &id);
    memset(in.thread, 8, 32);
    memcpy(in.author, author.b, 32);
    memcpy(in.message, id.b, 32);
    in.content = view_of(&words);
    in.ids = message_id_view(&id);
    proof = hub_says(2, &in);
    in.proof = view_of(&proof);
    CHECK_EQ(sim_judged(&w, 0, world_party(&w, 0, 1), &in), FED_PROOF_HUB);
    CHECK_EQ(sim_judged(&w, 0, world_party(&w, 0, 2), &in), FED_PROOF_NONE);
    CHECK_OK(fed_core_disconnect(w.nodes[0].core, &w.nodes[2].core->me));
    CHECK_EQ(sim_judged(&w, 0, world_party(&w, 0, 1), &in), FED_PROOF_NONE);
    bytes_free(&proof);
    proof = hub_says(3, &in);
    in.proof = view_of(&proof);
    CHECK_EQ(sim_judged(&w, 0, world_party(&w, 0, 1), &in), FED_PROOF_AUTHOR);
    /* Nor by a key that was revoked since. */
    node_rotate(&w, 3, true);
    world_heal(&w);
    CHECK_EQ(sim_judged(&w, 0, world_party(&w, 0, 1), &in), FED_PROOF_FALSE);
    bytes_free(&proof);
    bytes_free(&words);
    world_free(&w);
}

/* A report that finds no memory leaves nothing behind. */
TEST(no_memory_for_a_report)
{
    struct bytes words = text("said by 1");
    struct clinic_id author;
    struct message_id id;
    struct bytes proof;
    struct proto_report in = {.term = 1, .seq = 5, .ts_ms = 6};
    enum err e = ERR_NOMEM;

    world_friends(&w, 8, 3);
    world_heal(&w);
    author = node_root(&w, 1);
    fed_message_id(&author, view_of(&words), &id);
    memcpy(in.author, author.b, 32);
    memcpy(in.message, id.b, 32);
    in.content = view_of(&words);
    in.ids = message_id_view(&id);
    proof = hub_says(1, &in);
    in.proof = view_of(&proof);
    for (uint64_t n = 1; e != OK; n++) {
        w.nodes[0].fail_in = n;
        e = fed_report_recv(w.nodes[0].core, world_party(&w, 0, 2), &in);
        w.nodes[0].fail_in = 0;
        CHECK(e == OK || e == ERR_NOMEM);
        w.hunger = e == OK ? 0 : UINT64_MAX; /* so that it starts afresh */
        node_stepped(&w, 0, e);
        w.hunger = 0;
        if (e != OK) {
            CHECK_EQ(w.nodes[0].reports[FED_PROOF_AUTHOR], 0);
            world_heal(&w);
        }
    }
    world_heal(&w);
    CHECK_EQ(w.nodes[0].reports[FED_PROOF_AUTHOR], 1);
    bytes_free(&proof);
    bytes_free(&words);
    world_end(&w);
}

int
main(void)
{
    return RUN(
        T(hub_takes_only_what_is_committed_to),
        T(uncommitted_words_are_not_shown), T(clinics_have_their_own_record),
        T(forged_reports_among_clinics), T(reports_without_end),
        T(a_patient_reports_to_who_only_carries),
        T(a_hub_is_a_witness_only_for_others), T(no_memory_for_a_report));
}
