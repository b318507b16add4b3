/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a group must not do: change when a call fails, leak when memory runs
 * out, keep what it deleted, forget what it said to store.
 */
#include "tests/crypto/mls/world.h"

#include "proto/base/limits.h"

/* --------------------------------------------------------------------- torture
 */

/* One call on a group of three, its results freed again; e is what it said. */
struct subject {
    struct world *w;
    struct client *c; /* whose allocations fail */
    struct mls_key_package_made kp;
    struct mls_committed made;
    struct bytes info;
    struct mls_proposed proposed;
    struct mls_protected sent;
    struct bytes stage;
};

typedef enum err subject_call(struct subject *s);

static enum err
call_commit(struct subject *s)
{
    struct mls_proposal_in in[2] = {
        {.type = MLS_PROPOSAL_ADD, .key_package = view_of(&s->kp.key_package)},
        {.type = MLS_PROPOSAL_REMOVE, .leaf = 1}};
    struct mls_commit_opts opts = {.proposals = in,
                                   .proposals_len = 2,
                                   .as_private = true,
                                   .want_group_info = true};
    struct mls_committed out = {0};
    enum err e = mls_commit(s->c->group, &opts, &out);

    mls_undo(s->c->group, &out.change);
    mls_committed_clear(&out);
    return e;
}

static enum err
call_process(struct subject *s)
{
    struct mls_processed out = {0};
    enum err e = mls_process(s->c->group, view_of(&s->made.commit), &out);

    mls_processed_clear(&out);
    return e;
}

static enum err
call_process_proposal(struct subject *s)
{
    struct mls_processed out = {0};
    enum err e = mls_process(s->c->group, view_of(&s->proposed.message), &out);

    mls_undo(s->c->group, &out.change);
    mls_processed_clear(&out);
    return e;
}

static enum err
call_propose(struct subject *s)
{
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_UPDATE};
    struct mls_proposed out = {0};
    enum err e = mls_propose(s->c->group, &in, true, VIEW_LIT("aad"), &out);

    mls_undo(s->c->group, &out.change);
    mls_proposed_clear(&out);
    return e;
}

static enum err
call_protect(struct subject *s)
{
    struct mls_protected out = {0};
    enum err e =
        mls_protect(s->c->group, VIEW_LIT("hello"), VIEW_LIT("aad"), 9, &out);

    mls_undo(s->c->group, &out.change);
    mls_protected_clear(&out);
    return e;
}

static enum err
call_unprotect(struct subject *s)
{
    struct mls_unprotected out = {0};
    enum err e = mls_unprotect(s->c->group, view_of(&s->sent.message), &out);

    mls_undo(s->c->group, &out.change);
    mls_unprotected_clear(&out);
    return e;
}

static enum err
call_join(struct subject *s)
{
    struct mls_join_opts opts = {.welcome = view_of(&s->made.welcome),
                                 .key_package_record = view_of(&s->kp.record)};
    struct mls_group *g = NULL;
    enum err e = mls_join(&s->c->env, &opts, &g);

    mls_group_free(g);
    return e;
}

static enum err
call_external(struct subject *s)
{
    struct mls_external_opts opts = {.group_info = view_of(&s->info),
                                     .resync = true,
                                     .remove_leaf = 2,
                                     .want_group_info = true};
    struct mls_external_made made = {0};
    enum err e = mls_join_external(&s->c->env, &s->c->who, &opts, &made);

    mls_external_made_clear(&made);
    return e;
}

static enum err
call_create(struct subject *s)
{
    struct mls_create_opts opts = {.suite = s->w->suite,
                                   .group_id = VIEW_LIT("x")};
    struct mls_group *g = NULL;
    enum err e = mls_create(&s->c->env, &s->c->who, &opts, &g);

    mls_group_free(g);
    return e;
}

static enum err
call_key_package(struct subject *s)
{
    struct mls_key_package_opts opts = {
        .suite = s->w->suite, .last_resort = true, .not_after_s = 2000000000u};
    struct mls_key_package_made kp = {0};
    struct mls_key_package_info info;
    enum err e = mls_key_package_make(&s->c->env, &s->c->who, &opts, &kp);

    if (e == OK) {
        e = mls_key_package_check(&s->c->env, view_of(&kp.key_package), &info);
    }
    mls_key_package_made_clear(&kp);
    return e;
}

static enum err
call_save_load(struct subject *s)
{
    struct mls_change *all = NULL;
    struct mls_record r[64];
    struct mls_group *g = NULL;
    enum err e = mls_save(s->c->group, MLS_SAVE_ALL, &all);
    size_t n = mls_change_count(all);

    CHECK(n <= 64);
    for (size_t i = 0; i < n; i++) {
        mls_change_at(all, i, &r[i]);
    }
    if (e == OK) {
        e = mls_load(&s->c->env, r, n, &g);
    }
    mls_group_free(g);
    mls_change_free(all);
    return e;
}

static enum err
call_stage(struct subject *s)
{
    struct mls_stage *st = NULL;
    struct bytes again = {0};
    enum err e = mls_stage_load(s->c->group, view_of(&s->stage), &st);

    if (e == OK) {
        e = mls_stage_save(st, &again);
    }
    bytes_free(&again);
    mls_stage_free(st);
    return e;
}

static enum err
call_info(struct subject *s)
{
    struct bytes out = {0};
    enum err e = mls_group_info(s->c->group, true, &out);

    bytes_free(&out);
    if (e == OK) {
        e = mls_tree_export(s->c->group, &out);
        bytes_free(&out);
    }
    if (e == OK) {
        e = mls_export(s->c->group, "label", VIEW_LIT("c"), 77, &out);
        bytes_free(&out);
    }
    return e;
}

/* Fail each allocation of client i in turn; its state stays the same. */
static void
torture(struct subject *s, int i, subject_call *call)
{
    struct bytes before = {0};
    struct bytes after;
    int64_t live;
    bool has_group = s->w->c[i].group != NULL;

    s->c = &s->w->c[i];
    if (has_group) {
        before = world_state(s->c);
    }
    live = s->c->mem.live;
    for (uint64_t n = 1;; n++) {
        enum err e;

        s->c->mem.count = 0;
        s->c->mem.fail_at = n;
        s->c->mem.hit = false;
        e = call(s);
        s->c->mem.fail_at = 0;
        CHECK_EQ(s->c->mem.live, live);
        if (has_group) {
            after = world_state(s->c);
            CHECK_VIEW(view_of(&before), view_of(&after));
            bytes_free(&after);
        }
        if (!s->c->mem.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
    bytes_free(&before);
}

TEST(each_allocation_fails)
{
    struct world *w = mem_alloc(mem_heap(), sizeof(*w));
    struct subject s = {.w = w};
    struct mls_proposal_in in[2] = {
        {.type = MLS_PROPOSAL_ADD},
        {.type = MLS_PROPOSAL_PSK,
         .psk = {.type = MLS_PSK_EXTERNAL, .id = VIEW_LIT("k")}}};
    struct mls_commit_opts opts = {
        .proposals = in, .proposals_len = 2, .as_private = true};
    struct mls_proposal_in update = {.type = MLS_PROPOSAL_UPDATE};

    world_group(w, MLS_SUITE_X25519_CHACHA20, 11, 3);
    world_kp(w, 3, &s.kp);
    in[0].key_package = view_of(&s.kp.key_package);
    CHECK_OK(mls_group_info(w->c[0].group, true, &s.info));
    CHECK_OK(
        mls_propose(w->c[0].group, &update, true, VIEW_LIT(""), &s.proposed));
    CHECK_OK(
        mls_protect(w->c[0].group, VIEW_LIT("x"), VIEW_LIT("y"), 3, &s.sent));
    opts.skip_pending = true;
    CHECK_OK(mls_commit(w->c[0].group, &opts, &s.made));
    CHECK_OK(mls_stage_save(s.made.stage, &s.stage));
    torture(&s, 2, call_commit);
    torture(&s, 2, call_process);
    torture(&s, 2, call_process_proposal);
    torture(&s, 2, call_propose);
    torture(&s, 2, call_protect);
    torture(&s, 2, call_unprotect);
    torture(&s, 2, call_save_load);
    torture(&s, 0, call_save_load);
    torture(&s, 0, call_stage);
    torture(&s, 2, call_info);
    torture(&s, 3, call_join);
    torture(&s, 3, call_create);
    torture(&s, 3, call_key_package);
    torture(&s, 2, call_external);
    mls_key_package_made_clear(&s.kp);
    mls_committed_clear(&s.made);
    bytes_free(&s.info);
    bytes_free(&s.stage);
    mls_proposed_clear(&s.proposed);
    mls_protected_clear(&s.sent);
    world_end(w);
    mem_free(mem_heap(), w, sizeof(*w));
}

/* --------------------------------------------------------- failure changes
 * nothing */

/* Flip each byte of message: client c refuses it and stays as it was. */
static void
refuse_flips(struct client *c, const struct bytes *message, size_t step,
             bool application)
{
    struct bytes before = world_state(c);
    struct bytes bent = {0};
    struct bytes after;

    CHECK_OK(bytes_copy(mem_heap(), view_of(message), &bent));
    for (size_t i = 0; i < bent.len; i += step) {
        struct mls_processed out = {0};
        struct mls_unprotected plain = {0};
        enum err e;

        bent.p[i] ^= (uint8_t)(1u << (i % 8));
        e = application ? mls_unprotect(c->group, view_of(&bent), &plain)
                        : mls_process(c->group, view_of(&bent), &out);
        CHECK(e != OK && e != ERR_NOMEM);
        bent.p[i] ^= (uint8_t)(1u << (i % 8));
    }
    for (size_t n = 0; n < bent.len; n += step) {
        struct mls_processed out = {0};

        CHECK(mls_process(c->group, view_sub(view_of(&bent), 0, n), &out) !=
              OK);
    }
    after = world_state(c);
    CHECK_VIEW(view_of(&before), view_of(&after));
    bytes_free(&before);
    bytes_free(&after);
    bytes_free(&bent);
}

TEST(broken_messages_change_nothing)
{
    for (int private = 0; private < 2; private ++) {
        struct world *w = mem_alloc(mem_heap(), sizeof(*w));
        struct mls_commit_opts opts = {.as_private = private == 1};
        struct mls_proposal_in update = {.type = MLS_PROPOSAL_UPDATE};
        struct mls_committed made = {0};
        struct mls_proposed proposed = {0};
        struct mls_protected sent = {0};

        world_group(w, MLS_SUITE_X25519_AES128GCM, 5, 3);
        CHECK_OK(
            mls_protect(w->c[0].group, VIEW_LIT("x"), VIEW_LIT("y"), 3, &sent));
        CHECK_OK(mls_commit(w->c[0].group, &opts, &made));
        CHECK_OK(mls_propose(w->c[0].group, &update, private == 1, VIEW_LIT(""),
                             &proposed));
        refuse_flips(&w->c[1], &made.commit, 1, false);
        refuse_flips(&w->c[1], &proposed.message, 1, false);
        refuse_flips(&w->c[1], &sent.message, 1, true);
        world_deliver(w, 0, view_of(&made.commit));
        CHECK_OK(mls_merge(w->c[0].group, &made.stage));
        world_agree(w);
        mls_committed_clear(&made);
        mls_proposed_clear(&proposed);
        mls_protected_clear(&sent);
        world_end(w);
        mem_free(mem_heap(), w, sizeof(*w));
    }
}

/* -------------------------------------------------------------- records and
 * undo */

/* What a store would hold: the newest bytes of each key. */
struct shelf {
    struct mls_record r[256];
    struct bytes bytes[256];
    size_t n;
};

static void
shelf_put(struct shelf *s, const struct mls_change *c)
{
    for (size_t i = 0; i < mls_change_count(c); i++) {
        struct mls_record r;
        size_t k = 0;

        mls_change_at(c, i, &r);
        while (k < s->n && memcmp(s->r[k].key, r.key, sizeof(r.key)) != 0) {
            k++;
        }
        if (k == s->n) {
            CHECK(s->n < 256);
            s->n++;
        }
        bytes_free(&s->bytes[k]);
        if (r.bytes.len == 0) {
            s->n--;
            s->r[k] = s->r[s->n];
            s->bytes[k] = s->bytes[s->n];
            s->bytes[s->n] = (struct bytes){0};
            continue;
        }
        CHECK_OK(bytes_copy(mem_heap(), r.bytes, &s->bytes[k]));
        s->r[k] = r;
        s->r[k].bytes = view_of(&s->bytes[k]);
    }
}

static void
shelf_save(struct shelf *s, struct client *c)
{
    struct mls_change *change = NULL;

    CHECK_OK(mls_save(c->group, MLS_SAVE_CHANGED, &change));
    shelf_put(s, change);
    mls_change_free(change);
}

/* The group from the shelf has the state of the one in memory. */
static void
shelf_check(struct shelf *s, struct client *c)
{
    struct bytes before = world_state(c);
    struct bytes after;
    size_t stored = 0;

    for (size_t i = 0; i < s->n; i++) {
        s->r[i].bytes = view_of(&s->bytes[i]);
        stored += sizeof(s->r[i].key) + s->bytes[i].len;
    }
    mls_group_free(c->group);
    c->group = NULL;
    CHECK_OK(mls_load(&c->env, s->r, s->n, &c->group));
    after = world_state(c);
    CHECK_VIEW(view_of(&before), view_of(&after));
    /* and nothing that is not in the state is left on the shelf */
    CHECK_EQ(stored, after.len);
    bytes_free(&before);
    bytes_free(&after);
}

static void
shelf_free(struct shelf *s)
{
    for (size_t i = 0; i < 256; i++) {
        bytes_free(&s->bytes[i]);
    }
}

TEST(changed_records_are_enough)
{
    struct world *w = mem_alloc(mem_heap(), sizeof(*w));
    struct shelf *shelf = mem_alloc(mem_heap(), sizeof(*shelf));
    struct client *c;
    struct mls_proposal_in update = {.type = MLS_PROPOSAL_UPDATE};
    struct mls_proposal_in rm = {.type = MLS_PROPOSAL_REMOVE, .leaf = 1};
    struct mls_commit_opts opts = {.as_private = true};

    world_group(w, MLS_SUITE_X25519_CHACHA20, 21, 3);
    c = &w->c[1];
    shelf_save(shelf, c);
    shelf_check(shelf, c);
    for (int round = 0; round < 6; round++) {
        struct mls_protected sent = {0};
        struct mls_unprotected got = {0};
        struct mls_proposed proposed = {0};
        struct mls_processed heard = {0};
        struct mls_change *change = NULL;

        CHECK_OK(mls_protect(c->group, VIEW_LIT("x"), VIEW_LIT(""), 0, &sent));
        shelf_put(shelf, sent.change);
        mls_protected_clear(&sent);
        CHECK_OK(
            mls_protect(w->c[0].group, VIEW_LIT("x"), VIEW_LIT(""), 0, &sent));
        CHECK_OK(mls_unprotect(c->group, view_of(&sent.message), &got));
        shelf_put(shelf, got.change);
        mls_unprotected_clear(&got);
        mls_protected_clear(&sent);
        CHECK_OK(mls_propose(c->group, &update, true, VIEW_LIT(""), &proposed));
        shelf_put(shelf, proposed.change);
        CHECK_OK(
            mls_process(w->c[0].group, view_of(&proposed.message), &heard));
        mls_processed_clear(&heard);
        CHECK_OK(
            mls_process(w->c[2].group, view_of(&proposed.message), &heard));
        mls_processed_clear(&heard);
        mls_proposed_clear(&proposed);
        shelf_check(shelf, c);
        if (round == 4) {
            CHECK_OK(mls_forget_past(c->group, mls_group_epoch(c->group)));
            shelf_save(shelf, c);
            shelf_check(shelf, c);
        }
        world_commit(w, 0, &opts, 0, 0);
        CHECK_OK(mls_save(c->group, MLS_SAVE_CHANGED, &change));
        shelf_put(shelf, change);
        mls_change_free(change);
        shelf_check(shelf, c);
    }
    opts.proposals = &rm;
    opts.proposals_len = 1;
    world_commit(w, 0, &opts, 0, 0);
    CHECK(mls_group_is_removed(c->group));
    shelf_save(shelf, c);
    shelf_check(shelf, c);
    shelf_free(shelf);
    mem_free(mem_heap(), shelf, sizeof(*shelf));
    world_end(w);
    mem_free(mem_heap(), w, sizeof(*w));
}

TEST(undo_goes_all_the_way_back)
{
    struct world *w = mem_alloc(mem_heap(), sizeof(*w));
    struct mls_protected sent[3] = {0};
    struct mls_unprotected got[3] = {0};
    struct mls_proposed proposed = {0};
    struct mls_proposal_in rm = {.type = MLS_PROPOSAL_REMOVE, .leaf = 2};
    struct bytes before;
    struct bytes after;

    world_group(w, MLS_SUITE_X25519_CHACHA20, 22, 3);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(mls_protect(w->c[0].group, VIEW_LIT("x"), VIEW_LIT(""), 0,
                             &sent[i]));
    }
    before = world_state(&w->c[1]);
    for (int round = 0; round < 2; round++) {
        CHECK_OK(
            mls_unprotect(w->c[1].group, view_of(&sent[2].message), &got[0]));
        CHECK_OK(
            mls_unprotect(w->c[1].group, view_of(&sent[0].message), &got[1]));
        CHECK_OK(
            mls_propose(w->c[1].group, &rm, true, VIEW_LIT(""), &proposed));
        CHECK_OK(
            mls_unprotect(w->c[1].group, view_of(&sent[1].message), &got[2]));
        mls_undo(w->c[1].group, &got[2].change);
        mls_undo(w->c[1].group, &proposed.change);
        mls_undo(w->c[1].group, &got[1].change);
        mls_undo(w->c[1].group, &got[0].change);
        after = world_state(&w->c[1]);
        CHECK_VIEW(view_of(&before), view_of(&after));
        bytes_free(&after);
        for (int i = 0; i < 3; i++) {
            mls_unprotected_clear(&got[i]);
        }
        mls_proposed_clear(&proposed);
    }
    bytes_free(&before);
    for (int i = 0; i < 3; i++) {
        mls_protected_clear(&sent[i]);
    }
    world_end(w);
    mem_free(mem_heap(), w, sizeof(*w));
}

/* ---------------------------------------------------------------- replay,
 * windows */

TEST(changes_outlive_the_group)
{
    struct world *w = mem_alloc(mem_heap(), sizeof(*w));
    struct mls_protected sent[2] = {0};
    struct mls_unprotected got = {0};
    struct mls_commit_opts opts = {0};
    struct mls_change *saved = NULL;
    struct client *c;

    world_group(w, MLS_SUITE_X25519_CHACHA20, 25, 3);
    c = &w->c[1];
    c->env.past_epochs = 0;
    world_restart(c);
    CHECK_OK(
        mls_protect(w->c[0].group, VIEW_LIT("x"), VIEW_LIT(""), 0, &sent[0]));
    CHECK_OK(mls_unprotect(c->group, view_of(&sent[0].message), &got));
    mls_group_free(w->c[2].group);
    w->c[2].group = NULL;
    world_commit(w, 0, &opts, 0, 0);
    /* saving frees the epoch that the change is of */
    CHECK_OK(mls_save(c->group, MLS_SAVE_CHANGED, &saved));
    mls_change_free(saved);
    mls_unprotected_clear(&got);
    CHECK_OK(mls_protect(c->group, VIEW_LIT("x"), VIEW_LIT(""), 0, &sent[1]));
    mls_group_free(c->group);
    c->group = NULL;
    mls_protected_clear(&sent[1]);
    mls_protected_clear(&sent[0]);
    world_end(w);
    mem_free(mem_heap(), w, sizeof(*w));
}

TEST(replays_and_windows)
{
    struct world *w = mem_alloc(mem_heap(), sizeof(*w));
    struct mls_commit_opts opts = {0};
    struct mls_protected sent = {0};
    struct mls_protected late = {0};
    struct mls_unprotected got = {0};
    struct mls_processed out = {0};
    struct mls_committed made = {0};
    struct client *c;

    world_group(w, MLS_SUITE_X25519_CHACHA20, 23, 3);
    c = &w->c[1];
    CHECK_OK(mls_protect(w->c[0].group, VIEW_LIT("x"), VIEW_LIT(""), 0, &sent));
    CHECK_OK(mls_protect(w->c[0].group, VIEW_LIT("z"), VIEW_LIT(""), 0, &late));
    CHECK_OK(mls_unprotect(c->group, view_of(&sent.message), &got));
    mls_unprotected_clear(&got);
    CHECK_ERR(mls_unprotect(c->group, view_of(&sent.message), &got),
              ERR_EXISTS);
    CHECK_EQ(c->broken, MLS_RULE_GENERATION_USED); /* [generation-used] */
    CHECK_ERR(mls_unprotect(w->c[0].group, view_of(&sent.message), &got),
              ERR_EXISTS);
    CHECK_EQ(w->c[0].broken, MLS_RULE_OWN_MESSAGE); /* [own-message] */
    CHECK_ERR(mls_process(c->group, view_of(&late.message), &out), ERR_STATE);
    /* a commit that is already merged, and one of the future */
    CHECK_OK(mls_commit(w->c[0].group, &opts, &made));
    CHECK_ERR(mls_process(w->c[0].group, view_of(&made.commit), &out),
              ERR_EXISTS);
    world_deliver(w, 0, view_of(&made.commit));
    CHECK_OK(mls_merge(w->c[0].group, &made.stage));
    CHECK_ERR(mls_process(c->group, view_of(&made.commit), &out), ERR_STALE);
    CHECK_EQ(c->broken, MLS_RULE_MESSAGE_EPOCH_PAST);
    mls_committed_clear(&made);
    CHECK_OK(mls_commit(w->c[0].group, &opts, &made));
    CHECK_OK(mls_merge(w->c[0].group, &made.stage));
    mls_committed_clear(&made);
    CHECK_OK(mls_commit(w->c[0].group, &opts, &made));
    CHECK_ERR(mls_process(c->group, view_of(&made.commit), &out), ERR_AGAIN);
    CHECK_EQ(c->broken, MLS_RULE_MESSAGE_EPOCH_FUTURE);
    mls_committed_clear(&made);
    /* late, across a restart, from an epoch that is kept; then forgotten */
    world_restart(c);
    CHECK_OK(mls_unprotect(c->group, view_of(&late.message), &got));
    CHECK_VIEW(view_of(&got.plaintext), VIEW_LIT("z"));
    CHECK_EQ(got.epoch, 1);
    CHECK_VIEW(got.member.credential, VIEW_LIT("client 0"));
    mls_unprotected_clear(&got);
    CHECK_OK(mls_forget_past(w->c[2].group, 2));
    CHECK_ERR(mls_unprotect(w->c[2].group, view_of(&late.message), &got),
              ERR_STALE);
    mls_protected_clear(&late);
    mls_protected_clear(&sent);
    world_end(w);
    mem_free(mem_heap(), w, sizeof(*w));
}

TEST(too_far_ahead)
{
    struct world *w = mem_alloc(mem_heap(), sizeof(*w));
    struct mls_unprotected got = {0};
    struct mls_protected sent = {0};

    world_group(w, MLS_SUITE_X25519_CHACHA20, 24, 2);
    for (uint32_t i = 0; i <= LIMIT_MLS_FORWARD + 1; i++) {
        mls_protected_clear(&sent);
        CHECK_OK(
            mls_protect(w->c[0].group, VIEW_LIT("x"), VIEW_LIT(""), 0, &sent));
        CHECK_EQ(sent.generation, i);
    }
    CHECK_ERR(mls_unprotect(w->c[1].group, view_of(&sent.message), &got),
              ERR_LIMIT);
    CHECK_EQ(w->c[1].broken,
             MLS_RULE_GENERATION_FORWARD); /* [generation-forward] */
    mls_protected_clear(&sent);
    world_end(w);
    mem_free(mem_heap(), w, sizeof(*w));
}

int
main(void)
{
    return RUN(T(each_allocation_fails), T(broken_messages_change_nothing),
               T(changed_records_are_enough), T(undo_goes_all_the_way_back),
               T(changes_outlive_the_group), T(replays_and_windows),
               T(too_far_ahead));
}
