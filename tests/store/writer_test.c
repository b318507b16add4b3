/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"

#include "store/journal.h"
#include "tests/store/fix.h"

#include <pthread.h>
#include <semaphore.h>

enum {
    JOBS = 300
};

struct item {
    struct store_job job;
    struct fix *f;
    unsigned n;
    unsigned runs;
    unsigned undos;
    enum {
        GOOD,
        REFUSES,
        FAILS_LATE
    } kind;
    enum err result;
    unsigned done_at;
    unsigned *done_count;
};

static enum err
item_run(void *ctx, struct store_txn *txn)
{
    struct item *it = ctx;
    uint8_t key[4] = {'i', (uint8_t)(it->n >> 8), (uint8_t)it->n, 0};
    enum err e = OK;

    it->runs++;
    if (it->kind == REFUSES) {
        return ERR_DENIED;
    }
    TRY(store_put(txn, STORE_T_FED, VIEW_ARRAY(key), VIEW_LIT("value")));
    key[3] = 1;
    TRY(store_put(txn, STORE_T_FED, VIEW_ARRAY(key), VIEW_LIT("value")));
    if (it->kind == FAILS_LATE) {
        e = ERR_STALE;
    }
out:
    return e;
}

static void
item_undone(void *ctx)
{
    ((struct item *)ctx)->undos++;
}

static void
item_done(void *ctx, enum err e)
{
    struct item *it = ctx;

    it->result = e;
    it->done_at = (*it->done_count)++;
}

static bool
is_there(struct fix *f, unsigned n, uint8_t part)
{
    uint8_t key[4] = {'i', (uint8_t)(n >> 8), (uint8_t)n, part};
    struct bytes b = {0};
    enum err e = fix_get(f, STORE_T_FED, VIEW_ARRAY(key), &b);

    bytes_free(&b);
    CHECK(e == OK || e == ERR_MISSING);
    return e == OK;
}

/* Holds the writer until all items are in its queue. */
struct gate {
    pthread_mutex_t mx;
};

static enum err
gate_run(void *ctx, struct store_txn *txn)
{
    struct gate *g = ctx;

    (void)txn;
    (void)pthread_mutex_lock(&g->mx);
    (void)pthread_mutex_unlock(&g->mx);
    return OK;
}

static void
run_items(struct fix *f, struct item *items, unsigned n, unsigned *done)
{
    struct gate g = {.mx = PTHREAD_MUTEX_INITIALIZER};
    struct store_job gate = {.run = gate_run, .ctx = &g};

    (void)pthread_mutex_lock(&g.mx);
    store_submit(f->s, &gate);
    for (unsigned i = 0; i < n; i++) {
        items[i].job = (struct store_job){
            .run = item_run,
            .undone = item_undone,
            .done = item_done,
            .ctx = &items[i],
        };
        items[i].f = f;
        items[i].n = i;
        items[i].done_count = done;
        store_submit(f->s, &items[i].job);
    }
    (void)pthread_mutex_unlock(&g.mx);
    store_close(f->s); /* runs what was submitted */
    f->s = NULL;
    CHECK_OK(store_open(&f->cfg, &f->s));
}

TEST(one_bad_job_does_not_hurt_the_others)
{
    static struct item items[JOBS];
    struct fix f;
    unsigned done = 0;

    memset(items, 0, sizeof(items));
    fix_begin(&f);
    for (unsigned i = 0; i < JOBS; i++) {
        items[i].kind = i % 50 == 7    ? REFUSES
                        : i % 60 == 13 ? FAILS_LATE
                                       : GOOD;
    }
    run_items(&f, items, JOBS, &done);
    CHECK_EQ(done, JOBS);
    for (unsigned i = 0; i < JOBS; i++) {
        CHECK_EQ(items[i].done_at, i);
        CHECK_ERR(items[i].result, items[i].kind == GOOD      ? OK
                                   : items[i].kind == REFUSES ? ERR_DENIED
                                                              : ERR_STALE);
        CHECK_EQ(is_there(&f, i, 0), items[i].kind == GOOD);
        CHECK_EQ(is_there(&f, i, 1), items[i].kind == GOOD);
        if (items[i].kind == GOOD) {
            CHECK_EQ(items[i].runs, items[i].undos + 1);
        }
        CHECK(items[i].runs <= 1 + JOBS / 60 + 1);
    }
    fix_end(&f);
}

TEST(many_jobs_share_a_commit)
{
    static struct item items[JOBS];
    struct store_status before;
    struct store_status after;
    struct fix f;
    unsigned done = 0;

    memset(items, 0, sizeof(items));
    fix_begin(&f);
    CHECK_OK(store_status(f.s, &before));
    (void)before;
    run_items(&f, items, JOBS, &done);
    for (unsigned i = 0; i < JOBS; i++) {
        CHECK_ERR(items[i].result, OK);
        CHECK_EQ(items[i].runs, 1);
    }
    CHECK_OK(fix_put(&f, STORE_T_FED, VIEW_LIT("a"), VIEW_LIT("b")));
    CHECK_OK(store_status(f.s, &after));
    CHECK_EQ(after.commits, 1);
    CHECK_EQ(after.jobs, 1);
    fix_end(&f);
}

static enum err
count_up(void *ctx, struct store_txn *txn)
{
    struct bytes b = {0};
    uint64_t n = 0;
    enum err e = store_get(txn, STORE_T_FED, VIEW_LIT("count"), &b);

    (void)ctx;
    if (e == OK) {
        memcpy(&n, b.p, sizeof(n));
    }
    bytes_free(&b);
    n++;
    return store_put(txn, STORE_T_FED, VIEW_LIT("count"),
                     view_make(&n, sizeof(n)));
}

static void *
count_thread(void *arg)
{
    struct fix *f = arg;

    for (int i = 0; i < 50; i++) {
        if (store_write(f->s, count_up, NULL, 0) != OK) {
            return f;
        }
    }
    return NULL;
}

static void
post(void *ctx, enum err e)
{
    if (e == OK) {
        (void)sem_post(ctx);
    }
}

/* As count_thread, but writes on its own thread whenever nobody else does. */
static void *
here_thread(void *arg)
{
    struct fix *f = arg;
    sem_t done;

    (void)sem_init(&done, 0, 0);
    for (int i = 0; i < 50; i++) {
        struct store_job job = {.run = count_up, .done = post, .ctx = &done};

        store_submit_here(f->s, &job);
        while (sem_wait(&done) != 0) {
            ;
        }
    }
    (void)sem_destroy(&done);
    return NULL;
}

TEST(whoever_writes_is_alone)
{
    pthread_t threads[8];
    struct bytes b = {0};
    struct fix f;
    uint64_t n;

    fix_begin(&f);
    here_thread(&f); /* nobody else: each before it returns */
    for (size_t i = 0; i < 8; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL,
                                i % 2 == 0 ? count_thread : here_thread, &f),
                 0);
    }
    for (size_t i = 0; i < 8; i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    }
    CHECK_OK(fix_get(&f, STORE_T_FED, VIEW_LIT("count"), &b));
    memcpy(&n, b.p, sizeof(n));
    CHECK_EQ(n, 450);
    bytes_free(&b);
    fix_end(&f);
}

TEST(threads_take_turns)
{
    pthread_t threads[8];
    struct bytes b = {0};
    struct fix f;
    uint64_t n;

    fix_begin(&f);
    for (size_t i = 0; i < 8; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, count_thread, &f), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        void *bad;

        CHECK_EQ(pthread_join(threads[i], &bad), 0);
        CHECK(bad == NULL);
    }
    CHECK_OK(fix_get(&f, STORE_T_FED, VIEW_LIT("count"), &b));
    memcpy(&n, b.p, sizeof(n));
    CHECK_EQ(n, 400);
    bytes_free(&b);
    fix_end(&f);
}

static enum err
put_big(void *ctx, struct store_txn *txn)
{
    static uint8_t big[100000];

    return store_put(txn, STORE_T_FED, view_str(ctx), VIEW_ARRAY(big));
}

static void *
read_thread(void *arg)
{
    struct fix *f = arg;

    for (int i = 0; i < 2000; i++) {
        struct bytes b = {0};
        enum err e = fix_get(f, STORE_T_FED, VIEW_LIT("count"), &b);
        bool ok = e == OK && b.len == 8;

        bytes_free(&b);
        if (!ok) {
            return f;
        }
    }
    return NULL;
}

TEST(the_map_grows_while_others_read)
{
    struct store_status st;
    pthread_t reader;
    struct fix f;
    void *bad;
    char key[16];

    fix_config(&f, 3);
    f.cfg.map_size = 1u << 20;
    fix_dir(f.dir);
    CHECK_OK(store_create(&f.cfg));
    CHECK_OK(store_open(&f.cfg, &f.s));
    FIX_WRITE(&f, count_up, NULL);
    CHECK_EQ(pthread_create(&reader, NULL, read_thread, &f), 0);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(key, sizeof(key), "big%d", i);
        CHECK_OK(store_write(f.s, put_big, key, 0));
    }
    CHECK_EQ(pthread_join(reader, &bad), 0);
    CHECK(bad == NULL);
    CHECK_OK(store_status(f.s, &st));
    CHECK(st.map_bytes >= 16u << 20);
    for (int i = 0; i < 200; i++) {
        struct bytes b = {0};

        (void)snprintf(key, sizeof(key), "big%d", i);
        CHECK_OK(fix_get(&f, STORE_T_FED, view_str(key), &b));
        bytes_free(&b);
    }
    fix_end(&f);
}

static enum err
append_event(void *ctx, struct store_txn *txn)
{
    struct store_event ev = {.kind = 1};

    (void)ctx;
    return store_journal_append(txn, &ev, NULL);
}

static void
note_commit(void *ctx, uint64_t seq)
{
    uint64_t *last = ctx;

    *last = seq;
}

TEST(commits_with_journal_rows_are_told)
{
    struct fix f;
    uint64_t last = 0;

    fix_config(&f, 4);
    f.cfg.on_commit = note_commit;
    f.cfg.on_commit_ctx = &last;
    fix_dir(f.dir);
    CHECK_OK(store_create(&f.cfg));
    CHECK_OK(store_open(&f.cfg, &f.s));
    FIX_WRITE(&f, append_event, NULL);
    FIX_WRITE(&f, append_event, NULL);
    CHECK_OK(fix_put(&f, STORE_T_FED, VIEW_LIT("x"), VIEW_LIT("y")));
    store_close(f.s);
    f.s = NULL;
    CHECK_EQ(last, 2);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(one_bad_job_does_not_hurt_the_others),
               T(many_jobs_share_a_commit), T(threads_take_turns),
               T(whoever_writes_is_alone), T(the_map_grows_while_others_read),
               T(commits_with_journal_rows_are_told));
}
