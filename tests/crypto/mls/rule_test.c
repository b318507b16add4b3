/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/rule.h"

#include "tests/support/check.h"

#include <string.h>

TEST(each_rule_has_its_own_tag_and_an_error)
{
    CHECK_STR(mls_rule_name(MLS_RULE_NONE), "none");
    CHECK_ERR(mls_rule_err(MLS_RULE_NONE), OK);
    for (int i = 1; i < MLS_RULE_COUNT_; i++) {
        enum mls_rule rule = (enum mls_rule)i;

        CHECK(mls_rule_err(rule) != OK);
        CHECK(strlen(mls_rule_section(rule)) > 0);
        for (int j = 0; j < i; j++) {
            CHECK(strcmp(mls_rule_name(rule),
                         mls_rule_name((enum mls_rule)j)) != 0);
        }
    }
}

TEST(what_is_broken_is_reported)
{
    enum mls_rule broken = MLS_RULE_NONE;

    CHECK_OK(mls_require(true, MLS_RULE_SIGNATURE, &broken));
    CHECK_EQ(broken, MLS_RULE_NONE);
    CHECK_ERR(mls_require(false, MLS_RULE_SIGNATURE, NULL), ERR_AUTH);
    CHECK_ERR(mls_require(false, MLS_RULE_SIGNATURE, &broken), ERR_AUTH);
    CHECK_EQ(broken, MLS_RULE_SIGNATURE);
    broken = MLS_RULE_NONE;
    CHECK_ERR(mls_require_ok(ERR_NOMEM, ERR_AUTH, MLS_RULE_SIGNATURE, &broken),
              ERR_NOMEM);
    CHECK_OK(mls_require_ok(OK, ERR_AUTH, MLS_RULE_SIGNATURE, &broken));
    CHECK_EQ(broken, MLS_RULE_NONE);
    CHECK_ERR(
        mls_require_ok(ERR_AUTH, ERR_AUTH, MLS_RULE_TREE_PARENT_HASH, &broken),
        ERR_INVALID);
    CHECK_EQ(broken, MLS_RULE_TREE_PARENT_HASH);
}

int
main(void)
{
    return RUN(T(each_rule_has_its_own_tag_and_an_error),
               T(what_is_broken_is_reported));
}
