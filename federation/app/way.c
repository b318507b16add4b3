/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best way on is a clinic that the person knows already: one that is in
 * the conversation and whose patient she is (core/detour.c goes through home).
 */
#include "federation/app/way.h"

#include "federation/app/inside.h"
#include "proto/msg/group.h"

#include <string.h>

static enum fed_app_way_kind
by_clinic(struct fed_app *app, const struct clinic_id *root)
{
    struct fed_app_clinic c;
    struct bytes hold = {0};
    enum fed_app_way_kind kind = FED_APP_WAY_JOIN;

    if (fed_app_clinic(app, root, &c, &hold) == OK) {
        if (c.blocked || c.state == FED_APP_CLINIC_ENDED ||
            c.state == FED_APP_CLINIC_REFUSED) {
            kind = FED_APP_WAY_NONE;
        } else if (c.state == FED_APP_CLINIC_ENROLLED) {
            kind = c.home ? FED_APP_WAY_COMES : FED_APP_WAY_HOME;
        }
    }
    bytes_free(&hold);
    return kind;
}

void
fed_app_way(struct fed_app *app, const struct fed_app_thread *t,
            struct fed_app_way *out)
{
    struct proto_group g;
    struct proto_list_at at = {0};
    struct proto_subject s;

    *out = (struct fed_app_way){.kind = FED_APP_WAY_NONE};
    if (t->group.len == 0 || proto_group_decode(t->group, &g) != OK) {
        return;
    }
    while (proto_list_next(&g.subjects, &proto_subject_shape, &at, &s)) {
        struct clinic_id root;
        enum fed_app_way_kind kind;

        memcpy(root.b, s.root, sizeof(root.b));
        kind =
            s.kind == PROTO_SUBJECT_CLINIC && !clinic_id_equal(&root, &t->cut)
                ? by_clinic(app, &root)
                : FED_APP_WAY_NONE;
        if (kind > out->kind ||
            (kind != FED_APP_WAY_NONE && kind == out->kind &&
             clinic_id_equal(&root, &t->hub))) {
            *out = (struct fed_app_way){kind, root};
        }
    }
}
