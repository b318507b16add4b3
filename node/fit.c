/* SPDX-License-Identifier: Apache-2.0 */
#include "node/fit.h"

#include <strings.h>

static bool
begins(struct view text, struct view start)
{
    return start.len > 0 && text.len >= start.len &&
           strncasecmp((const char *)text.p, (const char *)start.p,
                       start.len) == 0;
}

enum node_fit
node_fit_of(struct view ref, struct view id, struct view name)
{
    char hex[PROTO_HEX_MAX + 1];

    proto_hex(id, hex);
    if (ref.len == 2 * id.len && begins(view_str(hex), ref)) {
        return NODE_FIT_ID;
    }
    if (begins(name, ref)) {
        return name.len == ref.len ? NODE_FIT_WHOLE : NODE_FIT_BEGINS;
    }
    return ref.len >= 4 && begins(view_str(hex), ref) ? NODE_FIT_ID_BEGINS
                                                      : NODE_FIT_NO;
}

bool
node_fit_best(struct node_best *b, enum node_fit f)
{
    if (f == NODE_FIT_NO || f < b->fit) {
        return false;
    }
    if (f == b->fit) {
        b->count++;
        return false;
    }
    b->fit = f;
    b->count = 1;
    return true;
}

enum err
node_fit_judge(struct node_call *c, const struct node_best *b, const char *what,
               const char *command)
{
    if (b->count == 1) {
        return OK;
    }
    if (b->count == 0) {
        return node_call_fail(c, ERR_MISSING,
                              "There is no %s \"%.*s\". See balsam %s.", what,
                              (int)b->ref.len, (const char *)b->ref.p, command);
    }
    return node_call_fail(
        c, ERR_INVALID,
        "%zu %ss begin with \"%.*s\". Give more of the name, or the id from "
        "balsam %s.",
        b->count, what, (int)b->ref.len, (const char *)b->ref.p, command);
}
