/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto/mls/rule.c with a switch.  A test that calls neg_rules_off links this
 * object before crypto.a, whose rule.o is then not needed: the whole library in
 * that test, and only there, asks these functions.
 */
#define mls_broken kept_broken
#define mls_require kept_require
#define mls_require_ok kept_require_ok
#include "crypto/mls/rule.h"
/* the original, under other names */
#include "crypto/mls/rule.c"
#undef mls_broken
#undef mls_require
#undef mls_require_ok

#include "tests/negative/neg.h"

static bool rules_off;

enum err mls_broken(enum mls_rule rule, enum mls_rule *broken);
enum err mls_require(bool holds, enum mls_rule rule, enum mls_rule *broken);
enum err mls_require_ok(enum err e, enum err from, enum mls_rule rule,
                        enum mls_rule *broken);

void
neg_rules_off(bool off)
{
    rules_off = off;
}

enum err
mls_broken(enum mls_rule rule, enum mls_rule *broken)
{
    return rules_off ? OK : kept_broken(rule, broken);
}

enum err
mls_require(bool holds, enum mls_rule rule, enum mls_rule *broken)
{
    return rules_off ? OK : kept_require(holds, rule, broken);
}

enum err
mls_require_ok(enum err e, enum err from, enum mls_rule rule,
               enum mls_rule *broken)
{
    if (rules_off) {
        return e == from ? OK : e;
    }
    return kept_require_ok(e, from, rule, broken);
}
