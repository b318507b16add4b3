/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/negative/neg.h"

#include <string.h>

static const char *const NAMES[NEG_PEOPLE] = {"alice", "bob",     "carol",
                                              "dave",  "mallory", "sender"};
/* What they understand beyond RFC 9420. */
static const uint16_t EXTENSIONS[] = {0xf001};
static const uint16_t PROPOSALS[] = {0xf002};
static const uint16_t CREDENTIALS[] = {0xf003};

static uint64_t
wall_ms(void *ctx)
{
    (void)ctx;
    return UINT64_C(1700000000000);
}

static enum err
check_leaf(void *ctx, const struct mls_leaf_check *check)
{
    (void)ctx;
    return view_equal(check->leaf->credential, VIEW_LIT("mallory")) ? ERR_DENIED
                                                                    : OK;
}

/* All know "shared" and the old group, only the attacker "secret". */
static enum err
find_psk(void *ctx, const struct mls_psk_id *id, struct bytes *out)
{
    if (id->type == MLS_PSK_EXTERNAL &&
        (view_equal(id->id, VIEW_LIT("shared")) ||
         (ctx == NULL && view_equal(id->id, VIEW_LIT("secret"))))) {
        return bytes_copy(mem_heap(), VIEW_LIT("a pre-shared key"), out);
    }
    if (id->type == MLS_PSK_RESUMPTION &&
        view_equal(id->group_id, VIEW_LIT("the old group"))) {
        return bytes_copy(mem_heap(), VIEW_LIT("an old epoch"), out);
    }
    return ERR_MISSING;
}

static bool
has_group(void *ctx, struct view group_id)
{
    const struct neg *n = ctx;

    (void)group_id;
    return n->in_group;
}

static void
init_people(struct neg *n)
{
    for (size_t i = 0; i < NEG_PEOPLE; i++) {
        struct neg_person *p = &n->who[i];
        uint8_t seed[PRIM_ED25519_SEED] = {(uint8_t)(i + 1)};

        prim_ed25519_from_seed(seed, &p->key);
        p->id = (struct mls_identity){
            .credential = view_str(NAMES[i]),
            .signature_key = prim_sign_key_pub(&p->key),
            .signature_priv = VIEW_ARRAY(p->key.seed),
            .extension_types = EXTENSIONS,
            .extension_types_len = 1,
            .proposal_types = PROPOSALS,
            .proposal_types_len = 1,
            .credential_types = CREDENTIALS,
            .credential_types_len = 1,
        };
    }
}

static enum err
make_kp(struct neg *n, enum neg_who who, struct mls_key_package_made *out)
{
    struct mls_key_package_opts opts = {.suite = n->suite,
                                        .not_before_s = 1699999000,
                                        .not_after_s = 1701000000};

    return mls_key_package_make(&n->env, &n->who[who].id, &opts, out);
}

/* GroupContext extensions: who may propose from outside. */
static enum err
group_extensions(struct neg *n, struct bytes *out)
{
    enum err e;
    struct proto_tls_wr body = proto_tls_wr_open(mem_heap());
    struct proto_tls_wr w = proto_tls_wr_open(mem_heap());
    struct mls_external_sender sender = {
        n->who[NEG_SENDER].id.signature_key,
        {MLS_CREDENTIAL_BASIC, VIEW_LIT("sender")}};

    mls_external_senders_write(&body, &sender, 1);
    TRY(body.e);
    mls_extension_write(&w, MLS_EXT_EXTERNAL_SENDERS, proto_tls_wr_view(&body));
    TRY(proto_tls_wr_take(&w, out));
out:
    proto_tls_wr_clear(&body);
    proto_tls_wr_clear(&w);
    return e;
}

static enum err
join(struct neg *n, struct view welcome, const struct mls_key_package_made *kp,
     struct mls_group **out)
{
    struct mls_join_opts opts = {.welcome = welcome,
                                 .key_package_record = view_of(&kp->record)};

    return mls_join(&n->careful, &opts, out);
}

/* Alice commits, the others follow. */
static enum err
commit(struct neg *n, const struct mls_commit_opts *opts, struct bytes *welcome)
{
    enum err e;
    struct mls_committed c = {0};
    struct mls_processed b = {0};
    struct mls_processed d = {0};

    TRY(mls_commit(n->alice, opts, &c));
    if (n->bob != NULL) {
        TRY(mls_process(n->bob, view_of(&c.commit), &b));
        TRY(mls_process(n->carol, view_of(&c.commit), &d));
        TRY(mls_merge(n->bob, &b.stage));
        TRY(mls_merge(n->carol, &d.stage));
    }
    TRY(mls_merge(n->alice, &c.stage));
    *welcome = bytes_take(&c.welcome);
out:
    mls_committed_clear(&c);
    mls_processed_clear(&b);
    mls_processed_clear(&d);
    return e;
}

static enum err
init_group(struct neg *n, const struct mls_key_package_made *bob,
           const struct mls_key_package_made *carol)
{
    enum err e;
    struct bytes ext = {0};
    struct bytes welcome = {0};
    struct bytes none = {0};
    struct mls_proposal_in adds[2] = {
        {.type = MLS_PROPOSAL_ADD, .key_package = view_of(&bob->key_package)},
        {.type = MLS_PROPOSAL_ADD,
         .key_package = view_of(&carol->key_package)}};
    struct mls_commit_opts add = {.proposals = adds, .proposals_len = 2};
    struct mls_commit_opts path = {.force_path = true};
    struct mls_create_opts create = {.suite = n->suite,
                                     .group_id = VIEW_LIT("the group")};

    TRY(group_extensions(n, &ext));
    TRY(mls_extensions_from(view_of(&ext), &create.extensions));
    TRY(mls_create(&n->env, &n->who[NEG_ALICE].id, &create, &n->alice));
    TRY(commit(n, &add, &welcome));
    TRY(join(n, view_of(&welcome), bob, &n->bob));
    TRY(join(n, view_of(&welcome), carol, &n->carol));
    TRY(commit(n, &path, &none));
out:
    bytes_free(&ext);
    bytes_free(&welcome);
    bytes_free(&none);
    return e;
}

enum err
neg_init(struct neg *n, uint16_t suite)
{
    enum err e;
    struct mls_key_package_made bob = {0};
    struct mls_key_package_made carol = {0};

    memset(n, 0, sizeof(*n));
    n->suite = suite;
    n->arena.mem = mem_heap();
    seed_rng_init(&n->rng, suite);
    n->clock = (struct clock){wall_ms, wall_ms, NULL};
    n->env = (struct mls_env){.mem = mem_heap(),
                              .rng = &n->rng.rng,
                              .clock = &n->clock,
                              .find_psk = find_psk,
                              .past_epochs = 2};
    n->careful = n->env;
    n->careful.ctx = n;
    n->careful.check_leaf = check_leaf;
    n->careful.has_group = has_group;
    n->careful.rule_out = &n->broken;
    init_people(n);
    TRY(make_kp(n, NEG_BOB, &bob));
    TRY(make_kp(n, NEG_CAROL, &carol));
    TRY(make_kp(n, NEG_DAVE, &n->dave));
    TRY(init_group(n, &bob, &carol));
out:
    mls_key_package_made_clear(&bob);
    mls_key_package_made_clear(&carol);
    return e;
}

void
neg_clear(struct neg *n)
{
    mls_group_free(n->alice);
    mls_group_free(n->bob);
    mls_group_free(n->carol);
    mls_group_free(n->parent);
    mls_key_package_made_clear(&n->dave);
    arena_clear(&n->arena);
    memset(n, 0, sizeof(*n));
}
