/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything at once: four clinics in one thread of which any is put back, to
 * now or to a backup of before, or its folder copied back; goes, hands over,
 * changes its keys, is cut off, or away for days, while they write.
 */
#include "federation/core/hub.h"
#include "tests/sim/scene.h"
#include "tests/sim/store.h"
#include "tests/sim/story.h"
#include "tests/support/check.h"

enum {
    CLINICS = 4,
    STEPS = 60,
    APART_MS = 4000 /* between two that go back to a backup */
};

static struct world w;
static const size_t all[] = {0, 1, 2, 3};

/* What a story remembers. */
struct mixed {
    struct thread_id thread;
    struct rows backup[CLINICS];
    uint64_t back_ms; /* the last one that went back to its backup */
    bool copied;
};

/* What only the disk had that was put back cannot be asked for. */
static void
forget_lost(size_t node)
{
    for (size_t i = 0; i < w.said_len; i++) {
        struct said *s = &w.said[i];

        s->durable = s->durable && (s->node != node ||
                                    node_has(&w, node, &s->thread, &s->id));
    }
}

static void
take_backup(struct mixed *m, size_t k)
{
    rows_free(&m->backup[k]);
    sim_commit_due(&w, k, true);
    node_snapshot(&w, k, &m->backup[k]);
}

static void
go_back(struct mixed *m, size_t k)
{
    m->back_ms = w.mono_ms;
    node_crash(&w, k);
    if (world_chance(&w, 200)) {
        node_copy_back(&w, k, &m->backup[k]);
        node_start(&w, k);
        m->copied = true;
    } else {
        node_restore(&w, k, &m->backup[k]);
    }
    forget_lost(k);
}

/* Who revoked its key cannot be back before that without its recovery sheet. */
static void
new_key(struct mixed *m, size_t k)
{
    bool revoke = world_chance(&w, 300);

    node_rotate(&w, k, revoke);
    if (revoke) {
        rows_free(&m->backup[k]);
    }
    for (size_t x = 0; x < CLINICS; x++) {
        world_break(&w, k, x);
    }
}

/* What an operator or the machine does to clinic k; false: nothing. */
static bool
happens(struct mixed *m, size_t k)
{
    struct fed_core *core = w.nodes[k].core;
    enum err e;

    if (world_chance(&w, 40)) {
        world_put_back(&w, k, NULL);
    } else if (world_chance(&w, 40)) {
        take_backup(m, k);
    } else if (m->backup[k].len > 0 && world_chance(&w, 40) &&
               w.mono_ms > m->back_ms + APART_MS) {
        go_back(m, k);
    } else if (world_chance(&w, 40)) {
        node_crash(&w, k);
    } else if (world_chance(&w, 40)) {
        e = fed_core_hand_over(core, &m->thread, NULL, false);
        node_stepped(&w, k,
                     e == ERR_DENIED || e == ERR_STATE || e == ERR_MISSING ? OK
                                                                           : e);
    } else if (world_chance(&w, 20)) {
        e = fed_core_rekey(core, &m->thread);
        node_stepped(&w, k, e == ERR_STATE || e == ERR_MISSING ? OK : e);
    } else if (world_chance(&w, 10)) {
        new_key(m, k);
    } else {
        return false;
    }
    return true;
}

/* What happens between k and another, or to the time. */
static bool
passes(const struct mixed *m, size_t k)
{
    size_t j = (size_t)world_below(&w, CLINICS);

    if (k != j && world_chance(&w, 20)) {
        world_cut(&w, k, j, !w.cut[k][j]);
    } else if (!m->copied && world_chance(&w, 50)) {
        /* a copy that nobody has told may go on after three days (E 20) */
        node_crash(&w, k);
        world_run(&w, world_below(&w, 3000));
        world_skip(&w, WORLD_GONE_MS);
    } else if (world_chance(&w, 100)) {
        world_skip(&w, 2 * LIMIT_MOVE_WAIT_MS);
    } else {
        return false;
    }
    return true;
}

/* Everybody is there again, and days go by. */
static void
settle(const struct mixed *m)
{
    for (size_t k = 0; k < CLINICS; k++) {
        if (w.nodes[k].core == NULL) {
            node_start(&w, k);
        }
        if (m->copied) { /* balsam rotate-key, as doctor says */
            w.nodes[k].renew = ident_generation(w.nodes[k].renewal_generation,
                                                (uint32_t)(w.wall_ms / 1000));
        }
        for (size_t j = 0; j < CLINICS; j++) {
            world_cut(&w, k, j, false);
        }
    }
    world_pass(&w, 80);
    world_heal(&w);
    world_run(&w, 2000);
    world_heal(&w);
}

static void
story(const void *ctx, uint64_t seed)
{
    struct mixed m = {.thread = world_settled(&w, seed, CLINICS)};
    bool ended = false; /* continued: tests/sim/lost */

    (void)ctx;
    w.delay_ms = world_below(&w, 200);
    w.commit_ms = world_below(&w, 60);
    w.break_ppm = world_below(&w, 1000);
    for (int i = 0; i < STEPS && w.fault[0] == '\0'; i++) {
        size_t k = (size_t)world_below(&w, CLINICS);

        if (w.nodes[k].core == NULL) {
            if (world_chance(&w, 300)) {
                node_start(&w, k);
            }
        } else if (!happens(&m, k) && !passes(&m, k)) {
            ERR_IGNORE(world_say(&w, k, &m.thread), "it may be out just now");
        }
        world_run(&w, world_below(&w, 300));
    }
    settle(&m);
    for (size_t k = 0; k < CLINICS; k++) {
        ended = ended || node_state(&w, k, &m.thread) == FED_THREAD_ENDED;
        rows_free(&m.backup[k]);
    }
    if (w.fault[0] == '\0' && !ended) {
        world_judge(&w, &m.thread, all, CLINICS);
    }
}

TEST(everything_at_once)
{
    CHECK_EQ(story_each(&w, 1, 20, story, NULL), 0);
}

/* Stories in which something went wrong once. */
TEST(seeds_that_were_red)
{
    static const uint64_t red[] = {48,   418,  546,  961,  1040, 1138, 1336,
                                   1798, 1981, 2105, 2682, 2695, 2902};

    for (size_t i = 0; story_only() == 0 && i < sizeof(red) / sizeof(red[0]);
         i++) {
        CHECK_EQ(story_each(&w, red[i], 1, story, NULL), 0);
    }
}

int
main(void)
{
    return RUN(T(everything_at_once), T(seeds_that_were_red));
}
