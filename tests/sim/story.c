/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A story: clinics become contacts, open a thread, talk, and everything that
 * can go wrong does.  At the end all is mended, and the oracle looks.
 */
#include "tests/sim/story.h"

#include "tests/sim/store.h"

#include <stdlib.h>
#include <string.h>

uint64_t
story_seeds(uint64_t n)
{
    const char *s = getenv("BALSAM_SIM_SEEDS");

    return s != NULL ? strtoull(s, NULL, 10) : n;
}

uint64_t
story_only(void)
{
    const char *s = getenv("BALSAM_SIM_SEED");

    return s != NULL ? strtoull(s, NULL, 10) : 0;
}

/* A story being told. */
struct telling {
    struct world *w;
    const struct story *s;
    struct thread_id thread;
    struct rows backup[WORLD_NODES];
    uint64_t put_back_ms;
};

static bool
all_in(struct world *w, const struct thread_id *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (node_state(w, i, t) != FED_THREAD_ACTIVE) {
            return false;
        }
    }
    return true;
}

static void
open_thread(struct telling *t)
{
    struct world *w = t->w;
    size_t n = t->s->nodes;
    struct clinic_id with[WORLD_NODES];

    for (size_t a = 0; a < n; a++) {
        for (size_t b = a + 1; b < n; b++) {
            world_befriend(w, a, b);
        }
    }
    if (!t->s->group) {
        t->thread = world_direct(w, 0, 1);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        with[i - 1] = node_root(w, i);
    }
    node_stepped(w, 0,
                 fed_core_thread_open(w->nodes[0].core, with, n - 1,
                                      VIEW_LIT("All of us"), &t->thread));
    for (int i = 0; i < 1000 && !all_in(w, &t->thread, n); i++) {
        world_step(w, 10);
    }
    if (!all_in(w, &t->thread, n)) {
        world_fault(w, "the thread did not open", 0, 0);
    }
}

/* What a disk that was put back has lost, nobody promised any more. */
static void
forget_lost(struct world *w, size_t node)
{
    for (size_t i = 0; i < w->said_len; i++) {
        struct said *s = &w->said[i];

        if (s->node == node && !node_has(w, node, &s->thread, &s->id)) {
            s->durable = false;
        }
    }
}

static void
put_back(struct telling *t, size_t i)
{
    struct world *w = t->w;

    if (t->backup[i].len == 0) {
        sim_commit_due(w, i, true);
        node_snapshot(w, i, &t->backup[i]);
        world_trace(w, "snapshot", i, node_messages(w, i, &t->thread), 0);
        return;
    }
    /* One loss at a time: who lost something gets it from who did not. */
    if (!all_in(w, &t->thread, t->s->nodes) ||
        w->mono_ms < t->put_back_ms + 4000) {
        return;
    }
    t->put_back_ms = w->mono_ms;
    world_trace(w, "put back", i, 0, 0);
    if (world_chance(w, 500)) {
        node_restore(w, i, &t->backup[i]);
    } else {
        node_copy_back(w, i, &t->backup[i]);
        node_start(w, i);
    }
    forget_lost(w, i);
    rows_free(&t->backup[i]);
}

static void
rotate(struct world *w, size_t i)
{
    node_rotate(w, i, world_chance(w, 300));
    for (size_t j = 0; j < w->nodes_len; j++) {
        world_break(w, i, j);
    }
}

static void
happen(struct telling *t)
{
    struct world *w = t->w;
    const struct story *s = t->s;
    size_t i = (size_t)world_below(w, s->nodes);
    size_t j = (size_t)world_below(w, s->nodes);
    struct node *n = &w->nodes[i];

    if (n->core == NULL) {
        if (world_chance(w, 300)) {
            node_start(w, i);
        }
        return;
    }
    if (world_chance(w, s->crash)) {
        node_crash(w, i);
        return;
    }
    if (world_chance(w, s->restore)) {
        put_back(t, i);
        return;
    }
    if (i != j && world_chance(w, s->cut)) {
        world_cut(w, i, j, !w->cut[i][j]);
    }
    if (world_chance(w, s->rekey)) {
        enum err e = fed_core_rekey(n->core, &t->thread);

        node_stepped(w, i, e == ERR_STATE || e == ERR_MISSING ? OK : e);
    }
    if (world_chance(w, s->rotate)) {
        rotate(w, i);
    }
    if (world_chance(w, 600)) {
        ERR_IGNORE(world_say(w, i, &t->thread), "it may be out just now");
    }
}

void
story_tell(struct world *w, const struct story *s, uint64_t seed)
{
    struct telling t = {.w = w, .s = s};
    size_t members[WORLD_NODES];

    world_init(w, seed, s->nodes);
    open_thread(&t);
    w->tooth = s->tooth;
    w->hunger = s->hunger;
    for (size_t i = 0; s->hunger > 0 && i < s->nodes; i++) {
        w->nodes[i].fail_in = 1 + world_below(w, 2 * s->hunger);
    }
    w->delay_ms = world_below(w, 200);
    w->commit_ms = world_below(w, 60);
    w->break_ppm = world_below(w, s->broken + 1);
    for (size_t i = 0; i < s->steps && w->fault[0] == '\0'; i++) {
        happen(&t);
        for (uint64_t k = world_below(w, 6); k > 0; k--) {
            world_step(w, 1 + world_below(w, 40));
        }
    }
    world_heal(w);
    for (size_t i = 0; i < s->nodes; i++) {
        members[i] = i;
        rows_free(&t.backup[i]);
    }
    if (w->fault[0] == '\0') {
        world_judge(w, &t.thread, members, s->nodes);
    }
}
