/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/rule.h"

#include "proto/base/assert.h"

#include <stddef.h>

static const struct {
    const char *tag;
    const char *section;
    enum err err;
} TABLE[] = {
#define ROW(name, tag, section, err) [MLS_RULE_##name] = {tag, section, err},
    [MLS_RULE_NONE] = {"none", "", OK}, MLS_RULES(ROW)
#undef ROW
};

const char *
mls_rule_name(enum mls_rule rule)
{
    ASSERT(rule < MLS_RULE_COUNT_);
    return TABLE[rule].tag;
}

const char *
mls_rule_section(enum mls_rule rule)
{
    ASSERT(rule < MLS_RULE_COUNT_);
    return TABLE[rule].section;
}

enum err
mls_rule_err(enum mls_rule rule)
{
    ASSERT(rule < MLS_RULE_COUNT_);
    return TABLE[rule].err;
}

enum err
mls_broken(enum mls_rule rule, enum mls_rule *broken)
{
    if (broken != NULL) {
        *broken = rule;
    }
    return mls_rule_err(rule);
}

enum err
mls_require(bool holds, enum mls_rule rule, enum mls_rule *broken)
{
    return holds ? OK : mls_broken(rule, broken);
}

enum err
mls_require_ok(enum err e, enum err from, enum mls_rule rule,
               enum mls_rule *broken)
{
    return e != OK && e == from ? mls_broken(rule, broken) : e;
}
