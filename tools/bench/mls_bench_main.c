/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mls-bench [--quick]: what MLS operations cost, as JSON lines.
 *
 *   us       the best of several runs (the machine is shared)
 *   median   of these runs
 *   floor    what the primitives alone take, measured in this run; ratio to it
 *   target   what it must be below; ok says whether us is
 *
 * --quick leaves out the groups of 100 and 1,000.
 */
#include "crypto/mls/mls.h"
#include "crypto/prim/init.h"
#include "crypto/prim/random.h"
#include "proto/base/assert.h"
#include "tools/bench/mls_floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RUNS_MAX = 400,
    DAY_S = 24 * 3600
};

/* Memory that knows how much of it is in use. */
struct counting {
    struct mem mem;
    size_t live;
};

struct person {
    struct prim_sign_key key;
    char name[16];
    struct mls_identity who;
    struct mls_key_package_made kp;
    struct mls_group *group;
};

/* People of one group; the first made it. */
struct room {
    struct mls_env env;
    uint16_t suite;
    size_t n;
    struct person *people;
};

static uint64_t
wall_ms(void *ctx)
{
    (void)ctx;
    return (uint64_t)time(NULL) * 1000u;
}

static const struct clock real_clock = {.wall_ms = wall_ms, .mono_ms = wall_ms};

static void *
counting_alloc(void *ctx, size_t size)
{
    struct counting *c = ctx;
    const struct mem *heap = mem_heap();
    void *p = heap->alloc(heap->ctx, size);

    if (p != NULL) {
        c->live += size;
    }
    return p;
}

static void
counting_release(void *ctx, void *ptr, size_t size)
{
    struct counting *c = ctx;
    const struct mem *heap = mem_heap();

    c->live -= size;
    heap->release(heap->ctx, ptr, size);
}

static void
must(enum err e, const char *what)
{
    if (e != OK) {
        fprintf(stderr, "mls-bench: %s: %s\n", what, err_name(e));
        exit(1);
    }
}

/* ------------------------------------------------------------- reporting */

struct runs {
    double us[RUNS_MAX];
    size_t n;
};

static void
run_add(struct runs *r, double us)
{
    ASSERT(r->n < RUNS_MAX);
    r->us[r->n++] = us;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
report(uint16_t suite, const char *op, size_t members, struct runs *r,
       double floor_us, double target_us)
{
    double best;

    qsort(r->us, r->n, sizeof(r->us[0]), by_value);
    best = r->us[0];
    printf("{\"suite\":%u,\"op\":\"%s\",\"members\":%zu,\"us\":%.1f,"
           "\"median\":%.1f,\"floor\":%.1f,\"ratio\":%.2f,\"target\":%.0f,"
           "\"ok\":%s}\n",
           suite, op, members, best, r->us[r->n / 2], floor_us, best / floor_us,
           target_us, best <= target_us ? "true" : "false");
    fflush(stdout);
    r->n = 0;
}

/* ---------------------------------------------------------------- groups */

static void
person_init(const struct room *room, struct person *p, size_t i)
{
    struct mls_key_package_opts opts = {.suite = room->suite};
    uint8_t seed[PRIM_ED25519_SEED];
    uint64_t now_s = wall_ms(NULL) / 1000;

    must(rng_fill(room->env.rng, seed, sizeof(seed)), "random");
    prim_ed25519_from_seed(seed, &p->key);
    (void)snprintf(p->name, sizeof(p->name), "member %zu", i);
    p->who = (struct mls_identity){
        .credential = view_str(p->name),
        .signature_key = prim_sign_key_pub(&p->key),
        .signature_priv = VIEW_ARRAY(p->key.seed),
    };
    opts.not_before_s = now_s - DAY_S;
    opts.not_after_s = now_s + 30 * DAY_S;
    must(mls_key_package_make(&room->env, &p->who, &opts, &p->kp),
         "key package");
}

static void
commit_of(const struct room *room, struct mls_group *group, size_t adds,
          struct mls_committed *out)
{
    struct mls_commit_opts opts = {.proposals_len = adds};
    struct mls_proposal_in *list = NULL;

    if (adds > 0) {
        list = mem_calloc(mem_heap(), adds, sizeof(*list));
        ASSERT(list != NULL);
        for (size_t i = 0; i < adds; i++) {
            list[i].type = MLS_PROPOSAL_ADD;
            list[i].key_package = view_of(&room->people[1 + i].kp.key_package);
        }
        opts.proposals = list;
    }
    must(mls_commit(group, &opts, out), "commit");
    mem_free(mem_heap(), list, adds * sizeof(*list));
}

static double
join(const struct room *room, struct view welcome, struct person *p)
{
    struct mls_join_opts opts = {
        .welcome = welcome,
        .key_package_record = view_of(&p->kp.record),
    };
    double t = tool_mls_now_us();

    must(mls_join(&room->env, &opts, &p->group), "join");
    return tool_mls_now_us() - t;
}

/*
 * A group of n: the first adds all others in one commit, and every step-th of
 * them joins (0: only the last).  Measured as it goes.
 */
static void
room_open(struct room *room, uint16_t suite, size_t n, size_t step,
          struct runs *kp, struct runs *add, struct runs *joins)
{
    struct mls_create_opts create = {.suite = suite,
                                     .group_id = VIEW_LIT("bench")};
    struct mls_committed made = {0};
    double t;

    *room = (struct room){
        .env = {.mem = mem_heap(),
                .rng = prim_rng_system(),
                .clock = &real_clock},
        .suite = suite,
        .n = n,
        .people = mem_calloc(mem_heap(), n, sizeof(struct person)),
    };
    ASSERT(room->people != NULL);
    for (size_t i = 0; i < n; i++) {
        t = tool_mls_now_us();
        person_init(room, &room->people[i], i);
        if (kp != NULL && kp->n < RUNS_MAX) {
            run_add(kp, tool_mls_now_us() - t);
        }
    }
    must(mls_create(&room->env, &room->people[0].who, &create,
                    &room->people[0].group),
         "create");
    t = tool_mls_now_us();
    commit_of(room, room->people[0].group, n - 1, &made);
    run_add(add, tool_mls_now_us() - t);
    must(mls_merge(room->people[0].group, &made.stage), "merge");
    for (size_t i = 1; i < n; i++) {
        if (step == 0 ? i == n - 1 : i % step == 0) {
            double us = join(room, view_of(&made.welcome), &room->people[i]);

            if (joins->n < RUNS_MAX) {
                run_add(joins, us);
            }
        }
    }
    /* the same join again, for its best */
    for (size_t i = 0; i < 5; i++) {
        struct person *last = &room->people[n - 1];

        if (last->group != NULL && joins->n < RUNS_MAX) {
            mls_group_free(last->group);
            run_add(joins, join(room, view_of(&made.welcome), last));
        }
    }
    mls_committed_clear(&made);
}

static void
room_close(struct room *room)
{
    for (size_t i = 0; i < room->n; i++) {
        mls_group_free(room->people[i].group);
        mls_key_package_made_clear(&room->people[i].kp);
    }
    mem_free(mem_heap(), room->people, room->n * sizeof(struct person));
}

/* An empty commit by person i, which everybody here merges. */
static void
commit_and_merge(struct room *room, size_t i)
{
    struct mls_committed made = {0};

    commit_of(room, room->people[i].group, 0, &made);
    for (size_t j = 0; j < room->n; j++) {
        struct mls_processed got = {0};
        struct mls_group *group = room->people[j].group;

        if (j == i || group == NULL) {
            continue;
        }
        must(mls_process(group, view_of(&made.commit), &got), "process");
        must(mls_merge(group, &got.stage), "merge");
        mls_processed_clear(&got);
    }
    must(mls_merge(room->people[i].group, &made.stage), "merge");
    mls_committed_clear(&made);
}

/* ------------------------------------------------------------ operations */

/* Commits by one and processing by another, thrown away each time. */
static void
measure_commit(struct room *room, size_t from, size_t to, size_t times,
               struct runs *commits, struct runs *processes)
{
    for (size_t i = 0; i < times; i++) {
        struct mls_committed made = {0};
        struct mls_processed got = {0};
        double t = tool_mls_now_us();

        commit_of(room, room->people[from].group, 0, &made);
        run_add(commits, tool_mls_now_us() - t);
        t = tool_mls_now_us();
        must(mls_process(room->people[to].group, view_of(&made.commit), &got),
             "process");
        mls_processed_clear(&got);
        run_add(processes, tool_mls_now_us() - t);
        mls_committed_clear(&made);
    }
}

static void
measure_messages(const struct room *room, const struct tool_mls_prims *p)
{
    static const uint8_t text[1024] = {'x'};
    static struct runs sent;
    static struct runs got;

    for (size_t i = 0; i < RUNS_MAX; i++) {
        struct mls_protected m = {0};
        struct mls_unprotected u = {0};
        double t = tool_mls_now_us();

        must(mls_protect(room->people[0].group, VIEW_ARRAY(text),
                         (struct view){0}, 0, &m),
             "protect");
        run_add(&sent, tool_mls_now_us() - t);
        t = tool_mls_now_us();
        must(mls_unprotect(room->people[1].group, view_of(&m.message), &u),
             "unprotect");
        run_add(&got, tool_mls_now_us() - t);
        mls_protected_clear(&m);
        mls_unprotected_clear(&u);
    }
    report(room->suite, "protect 1 KiB", room->n, &sent,
           tool_mls_floor_protect(p), 45);
    report(room->suite, "unprotect 1 KiB", room->n, &got,
           tool_mls_floor_unprotect(p), 75);
}

static void
bench_two(uint16_t suite, const struct tool_mls_prims *p)
{
    static struct runs kp;
    static struct runs add;
    static struct runs joins;
    static struct runs commits;
    static struct runs processes;
    struct room room;

    for (size_t i = 0; i < 20; i++) {
        room_open(&room, suite, 2, 1, &kp, &add, &joins);
        if (i < 19) {
            room_close(&room);
        }
    }
    report(suite, "key package", 0, &kp, tool_mls_floor_key_package(p), 200);
    commit_and_merge(&room, 1);
    measure_messages(&room, p);
    measure_commit(&room, 0, 1, 200, &commits, &processes);
    report(suite, "commit", 2, &commits, tool_mls_floor_commit(p, 1, 1), 350);
    report(suite, "process", 2, &processes, tool_mls_floor_process(p, 1, 1),
           300);
    room_close(&room);
    add.n = 0;
    joins.n = 0;
}

/*
 * A tree in which every node is filled: every second member commits once, and
 * only these are here.  The receiver shares nothing but the root with the
 * committer, so it derives one key.
 */
static void
bench_full(uint16_t suite, const struct tool_mls_prims *p, size_t n,
           unsigned depth, double commit_us, double process_us)
{
    static struct runs add;
    static struct runs joins;
    static struct runs commits;
    static struct runs processes;
    struct room room;
    size_t far = (n - 1) & ~(size_t)1;

    room_open(&room, suite, n, 2, NULL, &add, &joins);
    for (size_t i = 0; i < n; i += 2) {
        commit_and_merge(&room, i);
    }
    measure_commit(&room, 0, far, 100, &commits, &processes);
    report(suite, "commit, full tree", n, &commits,
           tool_mls_floor_commit(p, depth, depth), commit_us);
    report(suite, "process, full tree", n, &processes,
           tool_mls_floor_process(p, depth, 1), process_us);
    measure_commit(&room, 0, 2, 100, &commits, &processes);
    report(suite, "process near, full tree", n, &processes,
           tool_mls_floor_process(p, depth, depth - 1), process_us);
    commits.n = 0;
    add.n = 0;
    joins.n = 0;
    room_close(&room);
}

static void
bench_unmerged(uint16_t suite, const struct tool_mls_prims *p, size_t n,
               unsigned depth, const double targets[4])
{
    static struct runs add;
    static struct runs joins;
    static struct runs commits;
    static struct runs processes;
    struct room room;

    room_open(&room, suite, n, 0, NULL, &add, &joins);
    report(suite, "add all", n, &add,
           tool_mls_floor_commit(p, depth, (unsigned)(n - 1)) +
               (double)n * 2 * p->verify,
           targets[0]);
    report(suite, "join", n, &joins, tool_mls_floor_join(p, (unsigned)n),
           targets[1]);
    measure_commit(&room, 0, n - 1, 5, &commits, &processes);
    report(suite, "commit, nobody merged", n, &commits,
           tool_mls_floor_commit(p, depth, (unsigned)(n - 1)), targets[2]);
    report(suite, "process, nobody merged", n, &processes,
           tool_mls_floor_process(p, depth, 1), targets[3]);
    room_close(&room);
}

/* What a group of three takes in memory and saved. */
static void
bench_memory(uint16_t suite)
{
    static struct runs add;
    static struct runs joins;
    struct counting count = {.mem = {counting_alloc, counting_release, NULL}};
    struct mls_record records[64];
    struct mls_change *saved = NULL;
    struct mls_group *again = NULL;
    struct mls_env env;
    struct room room;
    size_t bytes = 0;
    size_t n;

    count.mem.ctx = &count;
    room_open(&room, suite, 3, 1, NULL, &add, &joins);
    commit_and_merge(&room, 1);
    commit_and_merge(&room, 2);
    must(mls_save(room.people[0].group, MLS_SAVE_ALL, &saved), "save");
    n = mls_change_count(saved);
    ASSERT(n <= 64);
    for (size_t i = 0; i < n; i++) {
        mls_change_at(saved, i, &records[i]);
        bytes += sizeof(records[i].key) + records[i].bytes.len;
    }
    env = room.env;
    env.mem = &count.mem;
    must(mls_load(&env, records, n, &again), "load");
    printf("{\"suite\":%u,\"op\":\"memory\",\"members\":3,\"saved_bytes\":%zu,"
           "\"records\":%zu,\"live_bytes\":%zu,\"target\":16384,\"ok\":%s}\n",
           suite, bytes, n, count.live, bytes <= 16384 ? "true" : "false");
    mls_group_free(again);
    ASSERT(count.live == 0);
    mls_change_free(saved);
    room_close(&room);
    add.n = 0;
    joins.n = 0;
}

static void
bench_suite(const struct mls_suite *s, bool quick)
{
    static const double hundred[] = {35e3, 7e3, 10e3, 2e3};
    static const double thousand[] = {500e3, 65e3, 95e3, 2e3};
    struct tool_mls_prims p = tool_mls_prims_measure(s);

    printf("{\"suite\":%u,\"op\":\"primitives\",\"x25519_base\":%.2f,"
           "\"x25519\":%.2f,\"sign\":%.2f,\"verify\":%.2f,\"sha256\":%.3f,"
           "\"extract\":%.3f,\"expand\":%.3f,\"seal_1k\":%.2f,"
           "\"open_1k\":%.2f,\"seal_32\":%.2f}\n",
           s->id, p.base, p.dh, p.sign, p.verify, p.hash, p.extract, p.expand,
           p.seal_1k, p.open_1k, p.seal_32);
    bench_two(s->id, &p);
    bench_memory(s->id);
    bench_full(s->id, &p, 10, 4, 800, 500);
    if (quick) {
        return;
    }
    bench_full(s->id, &p, 100, 7, 1400, 700);
    bench_unmerged(s->id, &p, 100, 7, hundred);
    bench_unmerged(s->id, &p, 1000, 10, thousand);
}

int
main(int argc, char **argv)
{
    bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;

    must(prim_init(), "libraries");
    for (size_t i = 0; mls_suite_at(i) != NULL; i++) {
        bench_suite(mls_suite_at(i), quick);
    }
    return 0;
}
