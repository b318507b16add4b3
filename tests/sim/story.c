/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A story: clinics become contacts, open a thread, talk, and everything that
 * can go wrong does.  At the end all is mended, and the oracle looks.
 */
#include "tests/sim/story.h"

#include "tests/sim/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A story being told. */
struct telling {
    struct world *w;
    const struct story *s;
    struct thread_id thread;
    struct rows backup[WORLD_NODES];
    uint64_t put_back_ms;
    size_t members[WORLD_NODES];
    size_t members_len;
};

static bool
all_in(const struct telling *t)
{
    for (size_t i = 0; i < t->members_len; i++) {
        if (node_state(t->w, t->members[i], &t->thread) != FED_THREAD_ACTIVE) {
            return false;
        }
    }
    return true;
}

/* Clinics, and a patient with devices, in one thread; or clinic 0 carries. */
static void
open_care(struct telling *t)
{
    struct world *w = t->w;
    size_t clinics = t->s->nodes - t->s->devices;
    struct subject_id who;
    struct clinic_id with;

    for (size_t a = 0; a < clinics; a++) {
        for (size_t b = a + 1; b < clinics; b++) {
            world_befriend(w, a, b);
        }
    }
    for (size_t k = 0; k < t->s->devices; k++) {
        size_t d = world_device(w, 0);

        if (k == 0) {
            world_enrol(w, d, 0);
        } else {
            world_enrol_further(w, d, 0);
        }
    }
    t->thread = world_open(w, 0, clinics);
    for (size_t c = 1; c < clinics; c++) {
        size_t both[2] = {0, c};

        world_consent(w, &t->thread, 0, clinics, c, true);
        (void)world_in(w, &t->thread, both, 2);
    }
    if (t->s->relay) {
        world_consent(w, &t->thread, 1, clinics, 1, true);
        who = node_subject(w, clinics);
        memcpy(with.b, who.b, sizeof(with.b));
        for (int i = 0; i < 1000 && fed_core_thread_open(
                                        w->nodes[1].core, &with, 1,
                                        (struct view){0}, &t->thread) != OK;
             i++) {
            world_step(w, 10);
        }
    }
    (void)world_in(w, &t->thread, t->members, t->members_len);
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
    for (int i = 0; i < 1000 && !all_in(t); i++) {
        world_step(w, 10);
    }
    if (!all_in(t)) {
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
    if (!all_in(t) || w->mono_ms < t->put_back_ms + 4000) {
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

/* Mostly one message; sometimes more than go into one bundle. */
static uint64_t
how_many(struct world *w)
{
    if (!world_chance(w, 200)) {
        return 1;
    }
    return 2 + world_below(w, world_chance(w, 100) ? 80 : 6);
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
    if (world_chance(w, s->rotate) && n->kind == FED_KIND_CLINIC) {
        rotate(w, i);
    }
    if (world_chance(w, 600)) {
        if (!s->relay || i > 0) {
            ERR_IGNORE(world_burst(w, i, &t->thread, how_many(w)),
                       "it may be out just now");
        }
    }
}

void
story_tell(struct world *w, const struct story *s, uint64_t seed)
{
    struct telling t = {.w = w, .s = s};

    for (size_t i = s->relay ? 1 : 0; i < s->nodes; i++) {
        t.members[t.members_len++] = i;
    }
    world_init(w, seed, s->nodes - s->devices);
    if (s->devices > 0) {
        open_care(&t);
    } else {
        open_thread(&t);
    }
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
    world_run(w, 3 * LIMIT_MISSING_MS); /* what is missing is asked for again */
    world_heal(w);
    for (size_t i = 0; i < s->nodes; i++) {
        rows_free(&t.backup[i]);
    }
    if (w->fault[0] == '\0') {
        world_judge(w, &t.thread, t.members, t.members_len);
    }
}

/* ------------------------------------------------------------------- seeds */

/* The number in a variable of the environment, or n. */
static uint64_t
given(const char *name, uint64_t n)
{
    const char *s = getenv(name);

    return s != NULL ? strtoull(s, NULL, 10) : n;
}

uint64_t
story_only(void)
{
    return given("BALSAM_SIM_SEED", 0);
}

uint64_t
story_each(struct world *w, uint64_t first, uint64_t n,
           void (*tell)(const void *ctx, uint64_t seed), const void *ctx)
{
    uint64_t only = story_only();
    uint64_t end = first + given("BALSAM_SIM_SEEDS", n);
    uint64_t failed = 0;

    if (only != 0) {
        first = only;
        end = only + given("BALSAM_SIM_SEEDS", 1);
    }
    for (uint64_t seed = first; seed < end; seed++) {
        tell(ctx, seed);
        if (w->fault[0] != '\0') {
            printf("  %s\n", w->fault);
            failed++;
        }
        world_free(w);
    }
    return failed;
}

struct all {
    struct world *w;
    const struct story *s;
};

static void
tell_one(const void *ctx, uint64_t seed)
{
    const struct all *all = ctx;

    story_tell(all->w, all->s, seed);
}

uint64_t
story_all(struct world *w, const struct story *s, uint64_t n)
{
    const struct all all = {w, s};

    return story_each(w, 1, n, tell_one, &all);
}
