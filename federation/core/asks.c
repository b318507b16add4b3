/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions whose answer will not come: a stream that began anew has dropped
 * what lay in it, ours or theirs, and who was put back does not know that it
 * was asked.  Such a question is put again; one that is answered twice does no
 * harm.
 */
#include "federation/core/care.h"
#include "federation/core/move.h"
#include "federation/core/trust.h"

#include <string.h>

/* Is what goes to this member's node carried by p? */
static bool
by_way_of(struct fed_core *core, const struct clinic_id *node,
          const struct fed_party *p)
{
    const struct fed_party *to = fed_party_find(core, node);

    return p == NULL || to == p || clinic_id_equal(node, &p->subject) ||
           (to != NULL && to->via == p);
}

void
fed_asks_lost(struct fed_core *core, const struct fed_party *p)
{
    for (size_t i = 0; i < core->threads_len; i++) {
        struct fed_thread *t = core->threads[i];
        bool any = false;
        struct clinic_id hub;

        for (size_t k = 0; k < t->members_len; k++) {
            struct fed_member *m = &t->members[k];

            if (by_way_of(core, &m->node, p)) {
                m->asked = m->told && m->asked;
                any = true;
            }
        }
        memcpy(hub.b, t->rec.hub, sizeof(hub.b));
        if (!any && !by_way_of(core, &hub, p)) {
            continue;
        }
        t->pulling = false;
        fed_named_forget(t);
        if (t->rec.state == FED_THREAD_CHECKING ||
            t->rec.state == FED_THREAD_RESYNC) {
            mls_group_free(t->joining);
            t->joining = NULL;
            t->asked = false;
            t->idle = false;
        }
    }
}
