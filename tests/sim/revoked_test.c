/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stolen, revoked and renewed keys: what a clinic does when it revokes, what
 * the others then refuse of whoever has the old key, and what it takes to come
 * back into a thread (decisions A 4, D 13, E 21).
 */
#include "federation/core/frank.h"
#include "federation/core/trust.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

static struct world w;

/* The generation of node i's leaf as node at sees it. */
static uint64_t
leaf_generation(size_t at, const struct thread_id *id, size_t i)
{
    struct fed_thread *t = world_thread(&w, at, id);
    struct clinic_id root = node_root(&w, i);
    struct mls_member m;
    uint32_t leaf;

    if (t->mls == NULL || fed_leaf_of(t->mls, &root, &leaf) != OK ||
        mls_member_at(t->mls, leaf, &m) != OK) {
        return 0;
    }
    return fed_chain_generation(m.credential);
}

/* ------------------------------------------------------------------- eager */

/* Nobody says anything, and yet every leaf is new at everybody. */
TEST(revoking_replaces_every_leaf)
{
    struct thread_id threads[3];

    for (size_t who = 0; who < 3; who++) {
        world_friends(&w, 1 + who, 3);
        threads[0] = world_group(&w, 0, 3);
        threads[1] = world_direct(&w, who, (who + 1) % 3);
        threads[2] = world_direct(&w, who, (who + 2) % 3);
        world_heal(&w);
        node_rotate(&w, who, true);
        CHECK_EQ(w.nodes[who].generation, ident_generation(2, 1));
        world_heal(&w);
        for (size_t i = 0; i < 3; i++) {
            CHECK_EQ(leaf_generation(who, &threads[i], who),
                     ident_generation(2, 1));
        }
        for (size_t i = 0; i < 3; i++) {
            CHECK_EQ(leaf_generation(i, &threads[0], who),
                     ident_generation(2, 1));
            CHECK(i == who || world_party(&w, i, who)->rec.revoked ==
                                  ident_generation(2, 0));
        }
        world_end(&w);
    }
}

/* An ordinary rotation waits until we have something to say. */
TEST(rotating_waits)
{
    struct thread_id t;

    world_friends(&w, 4, 2);
    world_heal(&w);
    t = world_direct(&w, 0, 1);
    node_rotate(&w, 1, false);
    world_heal(&w);
    CHECK_EQ(leaf_generation(0, &t, 1), ident_generation(1, 1));
    CHECK_OK(world_say(&w, 1, &t));
    world_heal(&w);
    CHECK_EQ(leaf_generation(0, &t, 1), ident_generation(1, 2));
    world_end(&w);
}

/* Where thread id stands among what node i still has to send to another. */
static size_t
queued_at(size_t i, const struct thread_id *id)
{
    const struct rows *rows = &w.nodes[i].rows;
    size_t n = 0;

    for (size_t r = 0; r < rows->len; r++) {
        if (rows->at[r].ns != FED_NS_OUT) {
            continue;
        }
        for (size_t at = 0; at + 32 <= rows->at[r].value.len; at++) {
            if (memcmp(rows->at[r].value.p + at, id->b, 32) == 0) {
                return n;
            }
        }
        n++;
    }
    return SIZE_MAX;
}

TEST(newest_threads_first)
{
    struct thread_id threads[4];
    struct clinic_id other;
    static const size_t order[] = {2, 0, 3, 1}; /* the newest last */

    world_init(&w, 5, 2);
    world_befriend(&w, 0, 1);
    other = node_root(&w, 1);
    for (size_t i = 0; i < 4; i++) {
        CHECK_OK(fed_core_thread_open(w.nodes[0].core, &other, 1,
                                      VIEW_LIT("One"), &threads[i]));
        sim_take(&w, 0);
        world_run(&w, 1000);
    }
    for (size_t i = 0; i < 4; i++) {
        CHECK_OK(world_say(&w, 0, &threads[order[i]]));
        world_run(&w, 1000);
    }
    world_heal(&w);
    world_cut(&w, 0, 1, true);
    world_run(&w, 500);
    node_rotate(&w, 0, true);
    sim_take(&w, 0);
    sim_commit_due(&w, 0, true);
    for (size_t i = 1; i < 4; i++) {
        CHECK(queued_at(0, &threads[order[i]]) <
              queued_at(0, &threads[order[i - 1]]));
    }
    world_heal(&w);
    for (size_t i = 0; i < 4; i++) {
        CHECK_EQ(leaf_generation(1, &threads[i], 0), ident_generation(2, 1));
    }
    world_end(&w);
}

/* The same when the node stops between writing its new key and using it. */
TEST(revoking_survives_a_crash)
{
    struct thread_id t;

    world_friends(&w, 6, 2);
    t = world_direct(&w, 1, 0);
    world_heal(&w);
    node_rotate(&w, 1, true);
    node_crash(&w, 1); /* nothing of it was committed but the key */
    node_start(&w, 1);
    world_heal(&w);
    CHECK_EQ(leaf_generation(0, &t, 1), ident_generation(2, 1));
    CHECK_EQ(leaf_generation(1, &t, 1), ident_generation(2, 1));
    world_end(&w);
}

/* What was said with the old key and not yet accepted comes with the new one,
   once and in order. */
TEST(words_under_way_arrive)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        static const size_t all[] = {0, 1, 2};
        struct thread_id t;

        world_friends(&w, seed, 3);
        t = world_group(&w, 0, 3);
        w.delay_ms = 100;
        for (size_t i = 0; i < 12; i++) {
            CHECK_OK(world_say(&w, i % 3, &t));
            world_run(&w, world_below(&w, 40));
            if (i == 6) {
                node_rotate(&w, seed % 3, true);
            }
        }
        world_heal(&w);
        world_judge(&w, &t, all, 3);
        CHECK_EQ(node_messages(&w, 0, &t), 13); /* and the title */
        world_end(&w);
    }
}

/* --------------------------------------------------------------- the thief */

/* Whoever has node 1's old key and state, as of now. */
struct thief {
    struct mls_env env;
    struct mls_group *group;
    struct bytes chain;
    struct prim_sign_key key;
};

static void
steal(const struct thread_id *id, struct thief *out)
{
    struct node *n = &w.nodes[1];

    memset(out, 0, sizeof(*out));
    sim_take(&w, 1);
    sim_commit_due(&w, 1, true);
    out->env = fed_mls_env(n->core);
    CHECK_OK(fed_mls_load(n->core, id, &out->group));
    CHECK_OK(bytes_copy(mem_heap(), view_of(&n->chain), &out->chain));
    out->key = n->key;
}

static void
thief_clear(struct thief *t)
{
    mls_group_free(t->group);
    bytes_free(&t->chain);
}

static void
thief_says(struct thief *thief, struct fed_thread *at,
           struct mls_protected *out)
{
    struct proto_content c = {.kind = PROTO_CONTENT_TEXT, .sent_ms = 1};
    struct bytes content = {0};
    struct bytes aad = {0};
    struct clinic_id me = node_root(&w, 1);
    uint8_t frank[32];

    c.u.text.text = VIEW_LIT("send the list of patients here");
    CHECK_OK(proto_content_encode(mem_heap(), &c, &content));
    fed_frank_of(&at->id, &me, view_of(&content), frank);
    CHECK_OK(fed_log_aad(w.nodes[0].core, at, VIEW_ARRAY(frank), &aad));
    CHECK_OK(
        mls_protect(thief->group, view_of(&content), view_of(&aad), 0, out));
    bytes_free(&content);
    bytes_free(&aad);
}

/* The newest answer of the hub that waits for node 1. */
static uint64_t
answer_code(void)
{
    const struct rows *rows = &w.nodes[0].rows;
    struct clinic_id to = node_root(&w, 1);
    uint64_t code = UINT64_MAX;

    sim_take(&w, 0);
    sim_commit_due(&w, 0, true);
    for (size_t r = 0; r < rows->len; r++) {
        struct proto_peer_msg msg;
        struct view body = view_of(&rows->at[r].value);

        if (rows->at[r].ns != FED_NS_OUT ||
            memcmp(rows->at[r].key.p, to.b, 32) != 0) {
            continue;
        }
        for (size_t skip = 0; skip < 8 && skip < body.len; skip++) {
            if (proto_peer_decode(view_skip(body, skip), &msg) == OK &&
                msg.type == PROTO_PEER_ANSWER) {
                code = msg.u.answer.code;
            }
        }
    }
    return code;
}

/* [thread-revoked] at the hub */
TEST(hub_refuses_a_revoked_leaf)
{
    struct thread_id id;
    struct thief thief;
    struct mls_protected said = {0};
    struct proto_app_submit in = {.term = 1};
    struct fed_thread *t;
    uint64_t seq;

    id = world_settled(&w, 7, 3);
    steal(&id, &thief);
    world_cut(&w, 0, 1, true);
    t = world_thread(&w, 0, &id);
    seq = t->rec.seq;
    thief_says(&thief, t, &said);
    world_party(&w, 0, 1)->rec.revoked = ident_generation(2, 0);
    memcpy(in.thread, id.b, 32);
    in.message = view_of(&said.message);
    CHECK_OK(fed_hub_app(w.nodes[0].core, world_party(&w, 0, 1), &in));
    CHECK_EQ(t->rec.seq, seq);
    CHECK_EQ(answer_code(), PROTO_ANSWER_DENIED);
    mls_protected_clear(&said);
    thief_clear(&thief);
    world_end(&w);
}

/* [thread-revoked] at a member, when the hub did not know yet */
TEST(member_refuses_a_revoked_leaf)
{
    struct thread_id id;
    struct thief thief;
    struct mls_protected said = {0};
    struct proto_app_submit in = {.term = 1};
    size_t before;

    id = world_settled(&w, 8, 3);
    steal(&id, &thief);
    thief_says(&thief, world_thread(&w, 0, &id), &said);
    world_party(&w, 2, 1)->rec.revoked = ident_generation(1, 2);
    memcpy(in.thread, id.b, 32);
    in.message = view_of(&said.message);
    before = node_messages(&w, 2, &id);
    CHECK_OK(fed_hub_app(w.nodes[0].core, world_party(&w, 0, 1), &in));
    sim_take(&w, 0);
    world_run(&w, 3000);
    CHECK_EQ(node_messages(&w, 0, &id), before + 1); /* it did not know */
    CHECK_EQ(node_messages(&w, 2, &id), before);
    CHECK(w.nodes[2].gaps >= 1);
    CHECK_EQ(w.nodes[2].forks, 0);
    mls_protected_clear(&said);
    thief_clear(&thief);
    world_end(&w);
}

/* decisions D 13: the epoch before is over at once. */
TEST(late_words_of_a_revoked_leaf)
{
    struct thread_id id;
    struct thief thief;
    struct mls_protected said = {0};
    struct proto_app_submit in = {.term = 1};
    struct fed_thread *t;
    uint64_t seq;

    id = world_settled(&w, 9, 3);
    steal(&id, &thief);
    thief_says(&thief, world_thread(&w, 0, &id), &said);
    node_rotate(&w, 1, true);
    world_heal(&w);
    for (size_t i = 0; i < 3; i++) {
        t = world_thread(&w, i, &id);
        CHECK_EQ(t->rec.state, FED_THREAD_ACTIVE);
        CHECK(!t->rec.late);
    }
    t = world_thread(&w, 0, &id);
    seq = t->rec.seq;
    memcpy(in.thread, id.b, 32);
    in.message = view_of(&said.message);
    world_cut(&w, 0, 1, true);
    CHECK_OK(fed_hub_app(w.nodes[0].core, world_party(&w, 0, 1), &in));
    CHECK_EQ(t->rec.seq, seq);
    CHECK_EQ(answer_code(), PROTO_ANSWER_TOO_OLD);
    mls_protected_clear(&said);
    thief_clear(&thief);
    world_end(&w);
}

/* A commit of the thief with what it has, given to the hub. */
static enum err
thief_commits(struct thief *thief, const struct mls_proposal_in *in, size_t n,
              bool with_identity, const struct thread_id *id)
{
    static const uint16_t types[] = {PROTO_EXT_GROUP, MLS_EXT_LAST_RESORT};
    struct mls_identity who = {
        .credential = view_of(&thief->chain),
        .signature_key = VIEW_ARRAY(thief->key.pub),
        .signature_priv = VIEW_ARRAY(thief->key.seed),
        .extension_types = types,
        .extension_types_len = 2,
    };
    struct mls_commit_opts opts = {.proposals = in,
                                   .proposals_len = n,
                                   .skip_pending = true,
                                   .force_path = true,
                                   .as_private = true};
    struct mls_committed made = {0};
    struct proto_hs_submit hs = {.term = 1};
    struct fed_thread *t = world_thread(&w, 0, id);
    uint64_t epoch = mls_group_epoch(t->mls);
    struct bytes aad = {0};
    enum err e;

    CHECK_OK(fed_log_aad(w.nodes[0].core, t, (struct view){0}, &aad));
    opts.aad = view_of(&aad);
    opts.identity = with_identity ? &who : NULL;
    w.nodes[1].core->judge_ms = w.wall_ms;
    e = mls_commit(thief->group, &opts, &made);
    if (e == OK) {
        memcpy(hs.thread, id->b, 32);
        hs.message = view_of(&made.commit);
        CHECK_OK(fed_hub_hs(w.nodes[0].core, world_party(&w, 0, 1), &hs));
        e = mls_group_epoch(t->mls) == epoch ? ERR_DENIED : OK;
    }
    bytes_free(&aad);
    mls_committed_clear(&made);
    return e;
}

/* Its own leaf's old certificate does not help whoever has only that. */
TEST(commit_of_a_revoked_leaf)
{
    struct thread_id id;
    struct thief thief;

    id = world_settled(&w, 10, 3);
    steal(&id, &thief);
    world_party(&w, 0, 1)->rec.revoked = ident_generation(2, 0);
    CHECK_ERR(thief_commits(&thief, NULL, 0, false, &id), ERR_DENIED);
    thief_clear(&thief);
    world_end(&w);
}

/* [thread-update-newer] nobody goes back to an older certificate */
TEST(older_certificate)
{
    struct thread_id id;
    struct thief thief;
    struct thief before;

    id = world_settled(&w, 11, 3);
    steal(&id, &before);
    node_rotate(&w, 1, false);
    CHECK_OK(world_say(&w, 1, &id));
    world_heal(&w);
    CHECK_EQ(leaf_generation(0, &id, 1), ident_generation(1, 2));
    steal(&id, &thief);
    bytes_free(&thief.chain);
    thief.chain = bytes_take(&before.chain);
    thief.key = before.key;
    CHECK_ERR(thief_commits(&thief, NULL, 0, true, &id), ERR_DENIED);
    thief_clear(&thief);
    thief_clear(&before);
    world_end(&w);
}

/* [thread-extensions-kept] a member does not change what all must be able to */
TEST(other_extensions)
{
    struct thread_id id;
    struct thief member;
    struct proto_tls_wr wr = proto_tls_wr_open(mem_heap());
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS};
    struct mls_extensions it;
    struct mls_extension ext;

    id = world_settled(&w, 12, 3);
    steal(&id, &member);
    it = mls_group_extensions(member.group);
    while (mls_extensions_next(&it, &ext)) {
        if (ext.type == PROTO_EXT_GROUP) {
            mls_extension_write(&wr, ext.type, ext.data);
        }
    }
    in.extensions.raw = proto_tls_wr_view(&wr);
    CHECK_ERR(thief_commits(&member, &in, 1, false, &id), ERR_DENIED);
    proto_tls_wr_clear(&wr);
    thief_clear(&member);
    world_end(&w);
}

/* --------------------------------------------------------------- rejoining */

/* An external commit of node 1, as its certificate is now, given to the hub;
   as a second leaf beside the old one, or in its place. */
static enum err
rejoin(const struct thread_id *id, bool resync)
{
    static const uint16_t types[] = {PROTO_EXT_GROUP, MLS_EXT_LAST_RESORT};
    struct node *n = &w.nodes[1];
    struct mls_env env = fed_mls_env(n->core);
    struct mls_identity who = {
        .credential = view_of(&n->chain),
        .signature_key = VIEW_ARRAY(n->key.pub),
        .signature_priv = VIEW_ARRAY(n->key.seed),
        .extension_types = types,
        .extension_types_len = 2,
    };
    struct mls_external_opts opts = {.resync = resync};
    struct mls_external_made made = {0};
    struct fed_thread *t = world_thread(&w, 0, id);
    uint64_t epoch = mls_group_epoch(t->mls);
    struct bytes info = {0};
    struct bytes aad = {0};
    struct proto_hs_submit in = {.term = 1};

    CHECK_OK(mls_group_info(t->mls, true, &info));
    CHECK_OK(fed_log_aad(w.nodes[0].core, t, (struct view){0}, &aad));
    opts.group_info = view_of(&info);
    opts.aad = view_of(&aad);
    CHECK_OK(
        fed_leaf_of(t->mls, &world_party(&w, 0, 1)->root, &opts.remove_leaf));
    CHECK_OK(mls_join_external(&env, &who, &opts, &made));
    memcpy(in.thread, id->b, 32);
    in.message = view_of(&made.commit);
    CHECK_OK(fed_hub_hs(w.nodes[0].core, world_party(&w, 0, 1), &in));
    mls_external_made_clear(&made);
    bytes_free(&info);
    bytes_free(&aad);
    return mls_group_epoch(t->mls) == epoch ? ERR_DENIED : OK;
}

/* [thread-external-fresh] [thread-external-replaces]: only a newer certificate
   takes the place of the leaf, and never beside it. */
TEST(rejoining_needs_a_newer_certificate)
{
    struct thread_id id;

    id = world_settled(&w, 13, 3);
    CHECK_ERR(rejoin(&id, true), ERR_DENIED);
    w.nodes[1].renew = 0;
    sim_certify(&w, &w.nodes[1]); /* the core does not know of it */
    CHECK_ERR(rejoin(&id, false), ERR_DENIED);
    CHECK_OK(rejoin(&id, true));
    CHECK_EQ(leaf_generation(0, &id, 1), ident_generation(1, 2));
    world_end(&w);
}

/* A copied folder asks for a new certificate before it comes back, and its old
   key is in no thread any more. */
TEST(a_copied_folder_takes_a_new_key)
{
    struct rows old = {0};
    struct thread_id id;
    struct fed_thread *t;
    struct mls_member m;
    uint8_t key[32];

    world_friends(&w, 14, 3);
    id = world_group(&w, 0, 3);
    sim_commit_due(&w, 1, true);
    world_heal(&w);
    node_snapshot(&w, 1, &old);
    memcpy(key, w.nodes[1].key.pub, 32);
    CHECK_OK(world_say(&w, 1, &id));
    world_heal(&w);
    node_copy_back(&w, 1, &old);
    node_start(&w, 1);
    for (size_t i = 0; i < w.said_len; i++) {
        w.said[i].durable = false;
    }
    world_heal(&w);
    CHECK(w.nodes[1].rollbacks >= 1);
    t = world_thread(&w, 0, &id);
    CHECK_EQ(node_state(&w, 1, &id), FED_THREAD_ACTIVE);
    for (uint32_t i = 0; i < mls_group_leaf_count(t->mls); i++) {
        CHECK(mls_member_at(t->mls, i, &m) != OK ||
              !view_equal(m.signature_key, VIEW_ARRAY(key)));
    }
    CHECK(leaf_generation(0, &id, 1) > ident_generation(1, 1));
    rows_free(&old);
    world_end(&w);
}

/* A hub's folder from before a new key is refused by all, so nobody can tell it
   how far it had got: it does not go on after 72 hours with keys that it used
   already, but waits for its own new key, and compares then. */
TEST(a_copied_hub_that_is_refused)
{
    static const size_t all[] = {0, 1, 2};
    struct rows old = {0};
    struct thread_id id;
    uint64_t seq;

    world_friends(&w, 25, 3);
    id = world_group(&w, 0, 3);
    CHECK_OK(world_say(&w, 0, &id));
    world_heal(&w);
    sim_commit_due(&w, 0, true);
    node_snapshot(&w, 0, &old);
    node_rotate(&w, 0, false);
    world_break(&w, 0, 1);
    world_break(&w, 0, 2);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(world_say(&w, 0, &id));
    }
    world_heal(&w);
    node_copy_back(&w, 0, &old);
    node_start(&w, 0);
    seq = world_thread(&w, 0, &id)->rec.seq;
    CHECK_OK(world_say(&w, 0, &id));
    world_run(&w, 5000);
    world_skip(&w, LIMIT_CHECK_MS);
    world_run(&w, 60000);
    CHECK_EQ(world_thread(&w, 0, &id)->rec.seq, seq);
    CHECK(w.fault[0] == '\0');
    node_rotate(&w, 0, false); /* balsam rotate-key, as doctor says */
    node_rotate(&w, 0, false);
    world_heal(&w);
    CHECK(w.nodes[0].rollbacks >= 1);
    CHECK(world_thread(&w, 0, &id)->rec.seq > seq);
    world_judge(&w, &id, all, 3);
    rows_free(&old);
    world_end(&w);
}

/* [hello-older-copy]: two copies run, and the older greets us again: what it
   remembers does not make us believe that we were put back ourselves. */
TEST(greeting_of_an_older_copy)
{
    struct thread_id id;
    struct fed_party *p;
    struct fed_up up = {.serial = 9100};
    struct proto_hello h = {.version_min = 1, .version_max = 1, .suites = 3};

    world_friends(&w, 15, 2);
    id = world_direct(&w, 0, 1);
    world_heal(&w);
    p = world_party(&w, 0, 1);
    p->rec.incarnation = 5;
    memcpy(h.in_stream, p->rec.out_stream, sizeof(h.in_stream));
    memset(h.out_stream, 7, sizeof(h.out_stream));
    h.out_acked = p->rec.in_applied + 100;
    h.incarnation = 4;
    h.incarnation_seen = w.nodes[0].core->self.incarnation;
    h.stance = PROTO_STANCE_GRANTED;
    up.root = node_root(&w, 1);
    up.generation = w.nodes[1].generation;
    CHECK_OK(fed_core_peer_up(w.nodes[0].core, &up));
    CHECK_OK(fed_hello_recv(w.nodes[0].core, p, &h));
    CHECK_EQ(world_thread(&w, 0, &id)->rec.state, FED_THREAD_ACTIVE);
    CHECK(!p->up);
    world_end(&w);
}

int
main(void)
{
    return RUN(T(revoking_replaces_every_leaf), T(rotating_waits),
               T(newest_threads_first), T(revoking_survives_a_crash),
               T(words_under_way_arrive), T(hub_refuses_a_revoked_leaf),
               T(member_refuses_a_revoked_leaf),
               T(late_words_of_a_revoked_leaf), T(commit_of_a_revoked_leaf),
               T(older_certificate), T(other_extensions),
               T(rejoining_needs_a_newer_certificate),
               T(a_copied_folder_takes_a_new_key),
               T(a_copied_hub_that_is_refused), T(greeting_of_an_older_copy));
}
