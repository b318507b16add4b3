/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What time it is at least (decisions A 3).  A clock that lost its battery
 * shows some day of years ago; what others signed meanwhile, and what we stored
 * ourselves, says so.  Nothing is ordered by this, and nobody refused.
 */
#include "federation/core/trust.h"

/* Stored again when it grew by this. */
#define STEP_MS UINT64_C(3600000)
/* What came while we were away has come. */
#define WOKE_MS UINT64_C(900000)

/* The second newest beginning of a connected clinic's certificate. */
static uint64_t
certified(const struct fed_core *core)
{
    uint64_t first = 0;
    uint64_t second = 0;
    size_t n = 0;

    for (size_t i = 0; i < core->parties_len; i++) {
        const struct fed_party *p = core->parties[i];

        if (!p->stored || p->rec.ours != PROTO_STANCE_GRANTED) {
            continue;
        }
        n++;
        if (p->certified_ms > first) {
            second = first;
            first = p->certified_ms;
        } else if (p->certified_ms > second) {
            second = p->certified_ms;
        }
    }
    return n == 1 ? first : second;
}

static uint64_t
known(const struct fed_core *core)
{
    uint64_t theirs = certified(core);

    return theirs > core->self.known_ms ? theirs : core->self.known_ms;
}

void
fed_core_clock(const struct fed_core *core, struct fed_clock *out)
{
    uint64_t now = fed_now(core);

    out->known_ms = known(core);
    out->behind =
        out->known_ms > now && out->known_ms - now > IDENT_TOLERANCE_MS;
}

/*
 * CLOCK_MONOTONIC stands still while a machine is suspended, and so do the
 * timers; the wall clock does not.  When that got ahead by an hour we slept, or
 * somebody set it: either way nothing that is late by it was withheld.
 */
void
fed_clock_awake(struct fed_core *core)
{
    uint64_t now = fed_now(core);
    uint64_t mono = fed_mono(core);
    uint64_t ours = mono - core->awake_mono_ms;
    bool slept = core->awake_ms != 0 && now > core->awake_ms &&
                 now - core->awake_ms > ours + STEP_MS;

    core->woke_ms = slept || core->awake_ms == 0 ? mono : core->woke_ms;
    core->awake_ms = now;
    core->awake_mono_ms = mono;
    for (size_t i = 0; slept && i < core->parties_len; i++) {
        core->parties[i]->slept = true;
        core->parties[i]->back_ms = now;
    }
}

bool
fed_clock_just_woke(const struct fed_core *core)
{
    return fed_mono(core) - core->woke_ms < WOKE_MS;
}

enum err
fed_clock_tick(struct fed_core *core)
{
    struct fed_key key = {.len = 0};
    uint64_t now = fed_now(core);
    uint64_t newest = known(core);
    uint64_t before = core->self.known_ms;

    fed_clock_awake(core);
    newest = newest > now ? newest : now;
    fed_tx_timer(core, fed_mono(core) + STEP_MS);
    if (before != 0 && newest < before + STEP_MS) {
        return OK;
    }
    core->self.known_ms = newest;
    return fed_tx_save(core, FED_NS_SELF, &key, &fed_rec_self_shape,
                       &core->self);
}
