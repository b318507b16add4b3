/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/core/branch.h"

#include "federation/core/inside.h"

#include <string.h>

void
fed_branch_lost(struct fed_thread *t, uint64_t from, uint64_t to, uint64_t seq)
{
    struct fed_rec_branch *all = t->rec.lost;

    memmove(&all[1], &all[0], (FED_BRANCHES_LOST - 1) * sizeof(all[0]));
    all[0] = (struct fed_rec_branch){.from = from, .to = to, .seq = seq};
    t->dirty = true;
}

static bool
within(const struct fed_rec_branch *lost, uint64_t term, uint64_t place)
{
    return lost->to != 0 && term >= lost->from && term <= lost->to &&
           fed_place_entry(place) > lost->seq;
}

bool
fed_branch_void(const struct fed_thread *t, uint64_t term, uint64_t place)
{
    bool is = false;

    for (size_t i = 0; i < FED_BRANCHES_LOST; i++) {
        is = is || within(&t->rec.lost[i], term, place);
    }
    return is;
}

enum err
fed_branch_left(struct fed_core *core, const struct fed_thread *t,
                uint64_t term, uint64_t place, uint64_t ts_ms, bool *out)
{
    enum err e = OK;
    struct fed_rec_log rec;
    struct bytes hold = {0};

    *out = fed_branch_void(t, term, place);
    if (*out) {
        e = fed_log_get(core, &t->id, fed_place_entry(place), &rec, &hold);
        *out = e != OK || rec.term != term || rec.ts_ms != ts_ms ||
               rec.kind == PROTO_ENTRY_COMMIT;
    }
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}
