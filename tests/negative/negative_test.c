/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The negative set: one deliberately broken message for every validation rule,
 * each refused by that rule with its own error, and each leaving the serialised
 * state byte-identical.
 */
#include "tests/negative/neg.h"
#include "tests/support/check.h"

#include <stdio.h>

/* Everything that would be stored of a group. */
static void
saved(struct mls_group *g, struct bytes *out)
{
    struct mls_change *all = NULL;
    struct mls_record r;

    CHECK_OK(mls_save(g, MLS_SAVE_ALL, &all));
    for (size_t i = 0; i < mls_change_count(all); i++) {
        mls_change_at(all, i, &r);
        CHECK_OK(bytes_append(mem_heap(), out, VIEW_ARRAY(r.key)));
        CHECK_OK(bytes_append(mem_heap(), out, r.bytes));
    }
    CHECK(out->len > 0);
    mls_change_free(all);
}

static enum err
deliver(struct neg *n, enum neg_how how, struct view message)
{
    enum err e = OK;
    struct mls_processed p = {0};
    struct mls_unprotected u = {0};
    struct mls_group *g = NULL;
    struct mls_external_made made = {0};
    struct mls_join_opts join = {.welcome = message,
                                 .key_package_record = view_of(&n->dave.record),
                                 .parent = n->parent};
    struct mls_external_opts external = {.group_info = message};

    switch (how) {
    case NEG_PROCESS:
        e = mls_process(n->bob, message, &p);
        mls_processed_clear(&p);
        break;
    case NEG_UNPROTECT:
        e = mls_unprotect(n->bob, message, &u);
        mls_unprotected_clear(&u);
        break;
    case NEG_JOIN:
        e = mls_join(&n->careful, &join, &g);
        mls_group_free(g);
        break;
    case NEG_EXTERNAL:
        e = mls_join_external(&n->careful, &n->who[NEG_DAVE].id, &external,
                              &made);
        mls_external_made_clear(&made);
        break;
    case NEG_CALL:
    default:
        CHECK(false);
    }
    return e;
}

static bool covered[MLS_RULE_COUNT_];

static void
one_case(const struct neg_case *c, size_t index, uint16_t suite)
{
    struct neg n;
    struct bytes message = {0};
    struct bytes before = {0};
    struct bytes after = {0};
    enum err e;

    CHECK_OK(neg_init(&n, suite));
    n.broken = MLS_RULE_NONE;
    e = c->make(&n, &message);
    if (c->how != NEG_CALL) {
        if (e != OK) {
            printf("  %s, case %zu: cannot be made\n", mls_rule_name(c->rule),
                   index);
        }
        CHECK_OK(e);
        saved(n.bob, &before);
        n.broken = MLS_RULE_NONE;
        e = deliver(&n, c->how, view_of(&message));
        saved(n.bob, &after);
        CHECK_VIEW(view_of(&after), view_of(&before));
    }
    if (n.broken != c->rule || e != mls_rule_err(c->rule)) {
        printf("  case %zu: want %s, got %s (%s)\n", index,
               mls_rule_name(c->rule), mls_rule_name(n.broken), err_name(e));
    }
    CHECK_EQ(n.broken, c->rule);
    CHECK_ERR(e, mls_rule_err(c->rule));
    covered[c->rule] = true;
    bytes_free(&message);
    bytes_free(&before);
    bytes_free(&after);
    neg_clear(&n);
}

static void
all_cases(const struct neg_case *c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        one_case(&c[i], i, MLS_SUITE_X25519_CHACHA20);
        one_case(&c[i], i, MLS_SUITE_X25519_AES128GCM);
    }
}

TEST(messages)
{
    size_t n;
    const struct neg_case *c = neg_message_cases(&n);

    all_cases(c, n);
}

TEST(leaves_packages_and_proposals)
{
    size_t n;
    const struct neg_case *c = neg_proposal_cases(&n);

    all_cases(c, n);
}

TEST(lists)
{
    size_t n;
    const struct neg_case *c = neg_list_cases(&n);

    all_cases(c, n);
}

TEST(commits)
{
    size_t n;
    const struct neg_case *c = neg_commit_cases(&n);

    all_cases(c, n);
}

TEST(joins)
{
    size_t n;
    const struct neg_case *c = neg_join_cases(&n);

    all_cases(c, n);
}

TEST(trees)
{
    size_t n;
    const struct neg_case *c = neg_tree_cases(&n);

    all_cases(c, n);
}

/*
 * What no message can break, with why; each is broken by itself in a unit test.
 */
static const struct {
    enum mls_rule rule;
    const char *why;
} NOT_BY_MESSAGE[] = {
    {MLS_RULE_NONE, "no rule"},
    {MLS_RULE_LEAF_LIFETIME_TOTAL, "asked of who hands out key packages"},
    {MLS_RULE_UPDATE_SENDER, "who is no member may not send one at all"},
    {MLS_RULE_LIST_LEAVES, "needs 4,096 members"},
};

TEST(every_rule_is_broken)
{
    for (size_t i = 0; i < sizeof(NOT_BY_MESSAGE) / sizeof(*NOT_BY_MESSAGE);
         i++) {
        CHECK(!covered[NOT_BY_MESSAGE[i].rule]);
        covered[NOT_BY_MESSAGE[i].rule] = true;
    }
    for (int i = 0; i < MLS_RULE_COUNT_; i++) {
        if (!covered[i]) {
            printf("  %s\n", mls_rule_name((enum mls_rule)i));
        }
        CHECK(covered[i]);
    }
}

int
main(void)
{
    return RUN(T(messages), T(leaves_packages_and_proposals), T(lists),
               T(commits), T(joins), T(trees), T(every_rule_is_broken));
}
