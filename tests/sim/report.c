/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/report.h"

#include "federation/core/frank.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

void
sim_newest(struct world *w, size_t i, const struct thread_id *id,
           struct sim_shown *out)
{
    struct fed_core *core = w->nodes[i].core;
    struct fed_store *store = &core->config.store;
    struct fed_thread *t = world_thread(w, i, id);
    struct fed_past had = {0};

    *out = (struct sim_shown){.report = {.thread = *id, .term = t->rec.term}};
    for (uint64_t seq = t->rec.seq; seq > 0; seq--) {
        bytes_free(&had.content);
        if (store->past(store->ctx, id, t->rec.term, fed_place(seq, 0),
                        fed_place_end(seq), mem_heap(), &had) == OK &&
            memcmp(had.author.b, core->me.b, 32) != 0) {
            out->report.seq = had.seq;
            break;
        }
    }
    out->report.message = had.id;
    out->report.ts_ms = had.ts_ms;
    out->content = bytes_take(&had.content);
    CHECK(out->report.seq > 0);
    memcpy(out->report.author.b, had.author.b, 32);
    out->report.content = view_of(&out->content);
    out->report.words = VIEW_LIT("please look at this");
    out->report.reason = PROTO_REPORT_ABUSE;
}

uint64_t
sim_judged(struct world *w, size_t i, struct fed_party *by,
           const struct proto_report *in)
{
    size_t before[8];

    memcpy(before, w->nodes[i].reports, sizeof(before));
    CHECK_OK(fed_report_recv(w->nodes[i].core, by, in));
    sim_take(w, i);
    sim_commit_due(w, i, true);
    for (uint64_t n = 0; n < 8; n++) {
        if (w->nodes[i].reports[n] > before[n]) {
            return n;
        }
    }
    return 99;
}
