/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: every operation between a few clients, and what must not happen. */
#include "tests/crypto/mls/world.h"

static const uint16_t SUITES[] = {MLS_SUITE_X25519_AES128GCM,
                                  MLS_SUITE_X25519_CHACHA20};

/* ------------------------------------------------------------- what must work
 */

TEST(create_add_talk)
{
    for (size_t s = 0; s < 2; s++) {
        struct world *w = mem_alloc(mem_heap(), sizeof(*w));
        struct mls_commit_opts empty = {0};
        struct mls_member member;
        struct mls_extension ext;

        world_group(w, SUITES[s], 1, 3);
        world_talk(w, 0);
        world_talk(w, 2);
        world_commit(w, 1, &empty, 3, 2);
        world_talk(w, 4);
        CHECK_EQ(mls_group_member_count(w->c[4].group), 5);
        CHECK_OK(mls_member_at(w->c[4].group, 2, &member));
        CHECK_VIEW(member.credential, VIEW_LIT("client 2"));
        CHECK_ERR(mls_member_at(w->c[4].group, 7, &member), ERR_MISSING);
        CHECK(mls_extensions_find(mls_group_extensions(w->c[4].group), 0xf101,
                                  &ext));
        CHECK_VIEW(ext.data, VIEW_LIT("abc"));
        CHECK(mls_extensions_find(mls_group_extensions(w->c[4].group),
                                  MLS_EXT_REQUIRED_CAPABILITIES, &ext));
        world_end(w);
        mem_free(mem_heap(), w, sizeof(*w));
    }
}

static struct world *
group_of(int n)
{
    struct world *w = mem_alloc(mem_heap(), sizeof(*w));

    world_group(w, MLS_SUITE_X25519_CHACHA20, 7, n);
    return w;
}

static void
done(struct world *w)
{
    world_end(w);
    mem_free(mem_heap(), w, sizeof(*w));
}

TEST(remove_and_return)
{
    struct world *w = group_of(5);
    struct mls_proposal_in rm = {.type = MLS_PROPOSAL_REMOVE, .leaf = 4};
    struct mls_commit_opts opts = {.proposals = &rm, .proposals_len = 1};
    struct mls_commit_opts empty = {0};
    struct mls_protected p = {0};

    world_commit(w, 0, &opts, 0, 0);
    CHECK(mls_group_is_removed(w->c[4].group));
    CHECK_ERR(mls_protect(w->c[4].group, VIEW_LIT("x"), VIEW_LIT(""), 0, &p),
              ERR_STATE);
    CHECK_EQ(w->c[4].broken, MLS_RULE_MEMBER_REMOVED);
    CHECK_EQ(mls_group_leaf_count(w->c[0].group), 4);
    mls_group_free(w->c[4].group);
    w->c[4].group = NULL;
    world_talk(w, 3);
    client_rekey(w, &w->c[4]);
    world_commit(w, 2, &empty, 4, 1);
    world_talk(w, 4);
    done(w);
}

TEST(stage_says_what_changes)
{
    struct world *w = group_of(3);
    struct mls_key_package_made kp = {0};
    struct mls_proposal_in in[2] = {{.type = MLS_PROPOSAL_REMOVE, .leaf = 1},
                                    {.type = MLS_PROPOSAL_ADD}};
    struct mls_commit_opts opts = {
        .proposals = in, .proposals_len = 2, .aad = VIEW_LIT("why")};
    struct mls_committed made = {0};
    struct mls_processed out = {0};
    struct mls_stage_info info;
    struct mls_leaf_change change;

    world_kp(w, 3, &kp);
    in[1].key_package = view_of(&kp.key_package);
    CHECK_OK(mls_commit(w->c[0].group, &opts, &made));
    CHECK(mls_stage_is(made.stage, view_of(&made.commit)));
    CHECK(!mls_stage_is(made.stage, view_of(&made.welcome)));
    CHECK_OK(mls_process(w->c[2].group, view_of(&made.commit), &out));
    mls_stage_info(out.stage, &info);
    CHECK_EQ(info.committer, 0);
    CHECK_EQ(info.epoch, 2);
    CHECK(!info.own && !info.external && !info.self_removed && info.has_path);
    CHECK_VIEW(info.aad, VIEW_LIT("why"));
    CHECK(mls_stage_leaf(out.stage, 0, &change));
    CHECK_EQ(change.what, MLS_REMOVED);
    CHECK_VIEW(change.before.credential, VIEW_LIT("client 1"));
    CHECK(mls_stage_leaf(out.stage, 1, &change));
    CHECK_EQ(change.what, MLS_ADDED);
    CHECK_EQ(change.leaf, 1);
    CHECK_VIEW(change.after.credential, VIEW_LIT("client 3"));
    CHECK(mls_stage_leaf(out.stage, 2, &change));
    CHECK_EQ(change.what, MLS_UPDATED);
    CHECK_EQ(change.leaf, 0);
    CHECK(!mls_stage_leaf(out.stage, 3, &change));
    CHECK_VIEW(mls_stage_authenticator(out.stage),
               mls_stage_authenticator(made.stage));
    mls_processed_clear(&out);
    CHECK_OK(mls_process(w->c[1].group, view_of(&made.commit), &out));
    mls_stage_info(out.stage, &info);
    CHECK(info.self_removed);
    mls_processed_clear(&out);
    mls_committed_clear(&made);
    mls_key_package_made_clear(&kp);
    done(w);
}

/* Client from proposes, and everybody else hears it. */
static void
propose(struct world *w, int from, const struct mls_proposal_in *in,
        bool as_private)
{
    struct mls_proposed p = {0};

    CHECK_OK(mls_propose(w->c[from].group, in, as_private, VIEW_LIT("a"), &p));
    world_deliver(w, from, view_of(&p.message));
    mls_proposed_clear(&p);
}

TEST(by_reference)
{
    for (int private = 0; private < 2; private ++) {
        struct world *w = group_of(5);
        struct mls_key_package_made kp = {0};
        struct mls_proposal_in update = {.type = MLS_PROPOSAL_UPDATE};
        struct mls_proposal_in rm = {.type = MLS_PROPOSAL_REMOVE, .leaf = 4};
        struct mls_proposal_in add = {.type = MLS_PROPOSAL_ADD};
        struct mls_proposal_in psk = {
            .type = MLS_PROPOSAL_PSK,
            .psk = {.type = MLS_PSK_EXTERNAL, .id = VIEW_LIT("k1")}};
        struct mls_commit_opts opts = {.as_private = private == 1};
        struct mls_committed made = {0};

        world_kp(w, 5, &kp);
        add.key_package = view_of(&kp.key_package);
        propose(w, 1, &update, private == 1);
        propose(w, 4, &update, private == 1); /* the Remove wins */
        propose(w, 2, &rm, private == 0);
        propose(w, 3, &add, private == 1);
        propose(w, 0, &psk, private == 1);
        propose(w, 0, &update, private == 1); /* our own: left out */
        CHECK_EQ(mls_group_pending_count(w->c[0].group), 6);
        for (int i = 0; i < 5; i++) {
            world_restart(&w->c[i]);
        }
        CHECK_OK(mls_commit(w->c[0].group, &opts, &made));
        world_deliver(w, 0, view_of(&made.commit));
        CHECK_OK(mls_merge(w->c[0].group, &made.stage));
        world_join(w, 5, view_of(&made.welcome), &kp);
        mls_committed_clear(&made);
        mls_key_package_made_clear(&kp);
        CHECK(mls_group_is_removed(w->c[4].group));
        world_agree(w);
        world_talk(w, 1);
        world_talk(w, 5);
        /* who updated can decrypt and make paths */
        opts.force_path = true;
        world_commit(w, 1, &opts, 0, 0);
        world_commit(w, 5, &opts, 0, 0);
        done(w);
    }
}

TEST(rotation)
{
    struct world *w = group_of(3);
    struct mls_identity who = w->c[1].who;
    struct mls_commit_opts opts = {.identity = &who, .want_group_info = true};
    struct mls_proposal_in update = {.type = MLS_PROPOSAL_UPDATE,
                                     .identity = &w->c[2].who};
    struct mls_commit_opts empty = {0};
    struct mls_member member;

    client_rekey(w, &w->c[1]);
    who = w->c[1].who;
    world_commit(w, 1, &opts, 0, 0);
    CHECK_OK(mls_member_at(w->c[0].group, 1, &member));
    CHECK_VIEW(member.signature_key, who.signature_key);
    world_talk(w, 1);
    client_rekey(w, &w->c[2]);
    propose(w, 2, &update, false);
    world_commit(w, 0, &empty, 0, 0);
    CHECK_OK(mls_member_at(w->c[0].group, 2, &member));
    CHECK_VIEW(member.signature_key, w->c[2].who.signature_key);
    world_talk(w, 2);
    world_commit(w, 2, &empty, 0, 0);
    done(w);
}

static void
join_external(struct world *w, int i, int from, bool resync, uint32_t leaf)
{
    struct bytes info = {0};
    struct mls_external_opts opts = {.resync = resync, .remove_leaf = leaf};
    struct mls_external_made made = {0};
    struct mls_psk_id psk = {.type = MLS_PSK_EXTERNAL, .id = VIEW_LIT("k")};

    CHECK_OK(mls_group_info(w->c[from].group, true, &info));
    opts.group_info = view_of(&info);
    opts.psks = (struct mls_psk_ids){&psk, 1};
    CHECK_OK(mls_join_external(&w->c[i].env, &w->c[i].who, &opts, &made));
    bytes_free(&info);
    mls_group_free(w->c[i].group);
    w->c[i].group = NULL;
    world_deliver(w, i, view_of(&made.commit));
    w->c[i].group = made.group;
    made.group = NULL;
    mls_external_made_clear(&made);
    world_agree(w);
}

TEST(external_join_and_resync)
{
    struct world *w = group_of(3);
    struct mls_commit_opts opts = {.as_private = true};

    join_external(w, 3, 1, false, 0);
    world_talk(w, 3);
    world_talk(w, 0);
    world_commit(w, 3, &opts, 4, 1);
    join_external(w, 2, 0, true, 2);
    world_talk(w, 2);
    world_commit(w, 2, &opts, 0, 0);
    CHECK_EQ(mls_group_member_count(w->c[0].group), 5);
    done(w);
}

TEST(alone)
{
    struct world *w = group_of(1);
    struct mls_commit_opts empty = {0};
    struct mls_commit_opts opts = {.as_private = true};
    struct mls_proposal_in rm = {.type = MLS_PROPOSAL_REMOVE};

    world_commit(w, 0, &empty, 0, 0);
    world_commit(w, 0, &opts, 0, 0);
    world_restart(&w->c[0]);
    join_external(w, 1, 0, false, 0);
    world_talk(w, 1);
    rm.leaf = 0;
    opts.proposals = &rm;
    opts.proposals_len = 1;
    world_commit(w, 1, &opts, 0, 0);
    CHECK(mls_group_is_removed(w->c[0].group));
    CHECK_EQ(mls_group_own_leaf(w->c[1].group), 1);
    world_commit(w, 1, &empty, 2, 2);
    world_talk(w, 2);
    /* the only one that is left comes back in its own place */
    rm.leaf = mls_group_own_leaf(w->c[2].group);
    world_commit(w, 1, &opts, 0, 0);
    rm.leaf = mls_group_own_leaf(w->c[3].group);
    world_commit(w, 1, &opts, 0, 0);
    join_external(w, 1, 1, true, 1);
    CHECK_EQ(mls_group_member_count(w->c[1].group), 1);
    world_commit(w, 1, &empty, 4, 1);
    world_talk(w, 4);
    done(w);
}

TEST(extensions_change)
{
    static const uint8_t raw[] = {0xf1, 0x02, 1, 'z'};
    struct world *w = group_of(3);
    struct mls_proposal_in gce = {.type =
                                      MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS};
    struct mls_commit_opts opts = {.proposals = &gce, .proposals_len = 1};
    struct mls_extension ext;

    CHECK_OK(mls_extensions_from(VIEW_ARRAY(raw), &gce.extensions));
    world_commit(w, 2, &opts, 3, 1);
    CHECK(!mls_extensions_find(mls_group_extensions(w->c[3].group), 0xf101,
                               &ext));
    CHECK(
        mls_extensions_find(mls_group_extensions(w->c[3].group), 0xf102, &ext));
    world_talk(w, 3);
    done(w);
}

TEST(psks)
{
    struct world *w = group_of(3);
    struct mls_proposal_in in[2] = {
        {.type = MLS_PROPOSAL_PSK,
         .psk = {.type = MLS_PSK_EXTERNAL, .id = VIEW_LIT("kk")}},
        {.type = MLS_PROPOSAL_PSK,
         .psk = {.type = MLS_PSK_RESUMPTION, .usage = MLS_PSK_APPLICATION}}};
    struct mls_commit_opts opts = {.proposals = in, .proposals_len = 2};
    struct mls_commit_opts empty = {0};
    struct mls_committed made = {0};

    world_commit(w, 1, &empty, 0, 0);
    in[1].psk.group_id = mls_group_id(w->c[0].group);
    in[1].psk.epoch = 1;
    world_commit(w, 0, &opts, 0, 0);
    in[1].psk.epoch = mls_group_epoch(w->c[0].group);
    world_commit(w, 0, &opts, 0, 0);
    world_talk(w, 1);
    in[0].psk.id = VIEW_LIT("unknown");
    CHECK_ERR(mls_commit(w->c[0].group, &opts, &made), ERR_MISSING);
    CHECK_EQ(w->c[0].broken, MLS_RULE_PSK_AVAILABLE); /* [psk-available] */
    done(w);
}

TEST(private_commit_consumes_a_generation)
{
    struct world *w = group_of(2);
    struct mls_commit_opts opts = {.as_private = true};
    struct mls_committed a = {0};
    struct mls_committed b = {0};

    CHECK_OK(mls_commit(w->c[0].group, &opts, &a));
    CHECK(mls_change_count(a.change) > 0);
    CHECK_OK(mls_commit(w->c[0].group, &opts, &b));
    /* whichever wins is processed: each used a key of its own */
    world_deliver(w, 0, view_of(&b.commit));
    CHECK_OK(mls_merge(w->c[0].group, &b.stage));
    CHECK_ERR(mls_merge(w->c[0].group, &a.stage), ERR_STATE);
    CHECK(a.stage != NULL);
    mls_committed_clear(&a);
    mls_committed_clear(&b);
    world_agree(w);
    done(w);
}

TEST(stage_survives_a_restart)
{
    struct world *w = group_of(4);
    struct mls_proposal_in rm = {.type = MLS_PROPOSAL_REMOVE, .leaf = 3};
    struct mls_commit_opts opts = {
        .proposals = &rm, .proposals_len = 1, .aad = VIEW_LIT("x")};
    struct mls_committed made = {0};
    struct mls_stage *again = NULL;
    struct bytes saved = {0};
    struct bytes twice = {0};

    CHECK_OK(mls_commit(w->c[0].group, &opts, &made));
    CHECK_OK(mls_stage_save(made.stage, &saved));
    mls_stage_free(made.stage);
    made.stage = NULL;
    world_restart(&w->c[0]);
    CHECK_OK(mls_stage_load(w->c[0].group, view_of(&saved), &again));
    CHECK_OK(mls_stage_save(again, &twice));
    CHECK_VIEW(view_of(&saved), view_of(&twice));
    CHECK(mls_stage_is(again, view_of(&made.commit)));
    world_deliver(w, 0, view_of(&made.commit));
    CHECK_OK(mls_merge(w->c[0].group, &again));
    world_agree(w);
    world_talk(w, 0);
    CHECK_ERR(mls_stage_load(w->c[0].group, view_of(&saved), &again),
              ERR_STALE);
    for (size_t n = 0; n < saved.len; n += 7) {
        CHECK_ERR(mls_stage_load(w->c[0].group, view_sub(view_of(&saved), 0, n),
                                 &again),
                  ERR_CORRUPT);
    }
    bytes_free(&saved);
    bytes_free(&twice);
    mls_committed_clear(&made);
    done(w);
}

/* ------------------------------------------------------- reinit and branches
 */

/* Client 0 makes a successor with clients 1 .. n - 1, who join. */
static void
succeed(struct world *w, struct world *next, int n, bool branch,
        enum err expect)
{
    struct mls_key_package_made kp[8] = {0};
    struct view list[8];
    struct bytes welcome = {0};
    struct mls_successor_opts opts = {.branch = branch,
                                      .group_id = VIEW_LIT("branch"),
                                      .key_packages = list,
                                      .key_packages_len = (size_t)n - 1};

    for (int i = 1; i < n; i++) {
        world_kp(next, i, &kp[i]);
        list[i - 1] = view_of(&kp[i].key_package);
    }
    CHECK_ERR(mls_successor(w->c[0].group, &w->c[0].who, &opts,
                            &next->c[0].group, &welcome),
              expect);
    for (int i = 1; i < n; i++) {
        struct mls_join_opts join = {.welcome = view_of(&welcome),
                                     .key_package_record =
                                         view_of(&kp[i].record),
                                     .parent = w->c[i].group};

        if (expect == OK) {
            CHECK_OK(mls_join(&next->c[i].env, &join, &next->c[i].group));
            join.parent = NULL; /* [welcome-reinit], [welcome-branch] */
            CHECK_ERR(mls_join(&next->c[i].env, &join, &next->c[7].group),
                      ERR_MISSING);
        }
        mls_key_package_made_clear(&kp[i]);
    }
    bytes_free(&welcome);
}

TEST(reinit)
{
    static const uint8_t raw[] = {0xf1, 0x02, 1, 'z'};
    struct world *w = group_of(3);
    struct world *next = mem_alloc(mem_heap(), sizeof(*next));
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_REINIT,
                                 .group_id = VIEW_LIT("next"),
                                 .suite = MLS_SUITE_X25519_AES128GCM};
    struct mls_commit_opts opts = {.proposals = &in, .proposals_len = 1};
    struct mls_protected p = {0};

    world_init(next, MLS_SUITE_X25519_AES128GCM, 7);
    CHECK_OK(mls_extensions_from(VIEW_ARRAY(raw), &in.extensions));
    succeed(w, next, 3, false, ERR_STATE);
    world_commit(w, 1, &opts, 0, 0);
    CHECK(mls_group_is_reinit(w->c[0].group));
    CHECK_ERR(mls_protect(w->c[0].group, VIEW_LIT("x"), VIEW_LIT(""), 0, &p),
              ERR_STATE);
    CHECK_EQ(w->c[0].broken, MLS_RULE_GROUP_SUSPENDED);
    world_restart(&w->c[0]);
    /* everybody must be in it: [welcome-reinit-members] */
    succeed(w, next, 2, false, ERR_INVALID);
    CHECK_EQ(w->c[0].broken, MLS_RULE_WELCOME_REINIT_MEMBERS);
    succeed(w, next, 3, false, OK);
    world_agree(next);
    world_talk(next, 2);
    CHECK_VIEW(mls_group_id(next->c[1].group), VIEW_LIT("next"));
    CHECK_EQ(mls_group_suite(next->c[1].group), MLS_SUITE_X25519_AES128GCM);
    done(next);
    done(w);
}

TEST(branch)
{
    struct world *w = group_of(4);
    struct world *next = mem_alloc(mem_heap(), sizeof(*next));

    world_init(next, MLS_SUITE_X25519_CHACHA20, 7);
    succeed(w, next, 3, true, OK);
    world_agree(next);
    world_talk(next, 1);
    world_talk(w, 3);
    done(next);
    done(w);
}

/* --------------------------------------------------------------- from outside
 */

TEST(proposals_from_outside)
{
    struct world *w = group_of(2);
    struct client *ds = &w->c[9];
    struct mls_external_sender sender = {
        ds->who.signature_key, {MLS_CREDENTIAL_BASIC, VIEW_LIT("ds")}};
    struct proto_tls_wr body = proto_tls_wr_open(mem_heap());
    struct proto_tls_wr list = proto_tls_wr_open(mem_heap());
    struct mls_proposal_in gce = {.type =
                                      MLS_PROPOSAL_GROUP_CONTEXT_EXTENSIONS};
    struct mls_proposal_in rm = {.type = MLS_PROPOSAL_REMOVE, .leaf = 2};
    struct mls_commit_opts opts = {.proposals = &gce, .proposals_len = 1};
    struct mls_commit_opts empty = {0};
    struct mls_key_package_made kp = {0};
    struct mls_committed made = {0};
    struct bytes message = {0};

    mls_external_senders_write(&body, &sender, 1);
    mls_extension_write(&list, MLS_EXT_EXTERNAL_SENDERS,
                        proto_tls_wr_view(&body));
    CHECK_OK(mls_extensions_from(proto_tls_wr_view(&list), &gce.extensions));
    world_commit(w, 0, &opts, 2, 1);
    CHECK_OK(mls_propose_external(&ds->env, w->suite,
                                  mls_group_id(w->c[0].group),
                                  mls_group_epoch(w->c[0].group), 0,
                                  ds->who.signature_priv, &rm, &message));
    world_deliver(w, -1, view_of(&message));
    bytes_free(&message);
    world_kp(w, 3, &kp);
    CHECK_OK(mls_propose_self(&w->c[3].env, view_of(&kp.record),
                              mls_group_id(w->c[0].group),
                              mls_group_epoch(w->c[0].group), &message));
    world_deliver(w, -1, view_of(&message));
    bytes_free(&message);
    CHECK_OK(mls_commit(w->c[0].group, &empty, &made));
    world_deliver(w, 0, view_of(&made.commit));
    CHECK_OK(mls_merge(w->c[0].group, &made.stage));
    world_join(w, 3, view_of(&made.welcome), &kp);
    CHECK(mls_group_is_removed(w->c[2].group));
    world_agree(w);
    world_talk(w, 3);
    mls_committed_clear(&made);
    mls_key_package_made_clear(&kp);
    proto_tls_wr_clear(&body);
    proto_tls_wr_clear(&list);
    done(w);
}

/* --------------------------------------------------------------- key packages
 */

TEST(key_package_check)
{
    struct world *w = group_of(1);
    struct mls_key_package_opts opts = {.suite = w->suite,
                                        .not_before_s = 1690000000u,
                                        .not_after_s = 1710000000u,
                                        .last_resort = true};
    struct mls_key_package_made kp = {0};
    struct mls_key_package_info info;
    bool mine = false;

    CHECK_OK(mls_key_package_make(&w->c[1].env, &w->c[1].who, &opts, &kp));
    CHECK_OK(
        mls_key_package_check(&w->c[0].env, view_of(&kp.key_package), &info));
    CHECK(info.last_resort);
    CHECK_EQ(info.suite, w->suite);
    CHECK_VIEW(info.member.credential, VIEW_LIT("client 1"));
    CHECK_VIEW(VIEW_ARRAY(info.ref), view_of(&kp.ref));
    CHECK_ERR(mls_welcome_is_for(&w->c[0].env, view_of(&kp.key_package),
                                 view_of(&kp.ref), &mine),
              ERR_UNSUPPORTED);
    w->c[0].env.lifetime_max_s = 90 * 86400;
    CHECK_ERR(
        mls_key_package_check(&w->c[0].env, view_of(&kp.key_package), &info),
        ERR_LIMIT); /* [leaf-lifetime-total] */
    w->c[0].env.lifetime_max_s = 0;
    kp.key_package.p[60] ^= 1;
    CHECK(mls_key_package_check(&w->c[0].env, view_of(&kp.key_package),
                                &info) != OK);
    mls_key_package_made_clear(&kp);
    opts.not_after_s = 1699990000u;
    CHECK_OK(mls_key_package_make(&w->c[1].env, &w->c[1].who, &opts, &kp));
    CHECK_ERR(
        mls_key_package_check(&w->c[0].env, view_of(&kp.key_package), &info),
        ERR_STALE); /* [leaf-lifetime] */
    mls_key_package_made_clear(&kp);
    done(w);
}

static enum err
refuse(void *ctx, const struct mls_leaf_check *check)
{
    struct client *c = ctx;

    (void)c;
    return view_equal(check->leaf->credential, VIEW_LIT("client 3"))
               ? ERR_DENIED
               : OK;
}

TEST(credentials_are_judged)
{
    struct world *w = mem_alloc(mem_heap(), sizeof(*w));
    struct mls_key_package_made kp = {0};
    struct mls_proposal_in in = {.type = MLS_PROPOSAL_ADD};
    struct mls_commit_opts opts = {.proposals = &in, .proposals_len = 1};
    struct mls_committed made = {0};
    struct mls_processed out = {0};
    struct bytes before;
    struct bytes after;

    world_init(w, MLS_SUITE_X25519_AES128GCM, 3);
    w->c[1].env.check_leaf = refuse;
    world_create(w, 0);
    world_commit(w, 0, &(struct mls_commit_opts){0}, 1, 2);
    world_kp(w, 3, &kp);
    in.key_package = view_of(&kp.key_package);
    CHECK_OK(mls_commit(w->c[0].group, &opts, &made));
    before = world_state(&w->c[1]);
    CHECK_ERR(mls_process(w->c[1].group, view_of(&made.commit), &out),
              ERR_DENIED);
    CHECK_EQ(w->c[1].broken, MLS_RULE_LEAF_CREDENTIAL); /* [leaf-credential] */
    after = world_state(&w->c[1]);
    CHECK_VIEW(view_of(&before), view_of(&after));
    CHECK_ERR(mls_key_package_check(&w->c[1].env, view_of(&kp.key_package),
                                    &(struct mls_key_package_info){0}),
              ERR_DENIED);
    bytes_free(&before);
    bytes_free(&after);
    mls_committed_clear(&made);
    mls_key_package_made_clear(&kp);
    done(w);
}

int
main(void)
{
    return RUN(T(create_add_talk), T(remove_and_return),
               T(stage_says_what_changes), T(by_reference), T(rotation),
               T(external_join_and_resync), T(alone), T(extensions_change),
               T(psks), T(private_commit_consumes_a_generation),
               T(stage_survives_a_restart), T(reinit), T(branch),
               T(proposals_from_outside), T(key_package_check),
               T(credentials_are_judged));
}
