/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A damaged file: bits flipped, sectors zeroed, pages swapped, the end cut
 * off.  Whatever is damaged, what a reader is told is the truth or an error,
 * and verify says that something is wrong.
 *
 * BALSAM_DAMAGES=N tries N damages instead of a small number.
 */
#include "tests/store/story.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

enum {
    ITEMS = 150,
    DAMAGES = 120,
    PAGE = 4096
};

enum outcome {
    ALL_RIGHT,
    REPORTED,  /* errors, and nothing false */
    MISSING,   /* something is not found; verify says so */
    WRONG,     /* a false answer */
    UNNOTICED, /* something is not found; verify is content */
    ENDED,     /* an assertion ended the process, saying why */
    CRASHED,
    OUTCOMES
};

struct original {
    struct fix f;
    uint8_t *data;
    uint64_t len;  /* in use */
    uint64_t size; /* of the file */
};

static void
data_path(const struct fix *f, char out[FIX_PATH + 16])
{
    (void)snprintf(out, FIX_PATH + 16, "%s/data.mdb", f->dir);
}

static void
make_original(struct original *o)
{
    char path[FIX_PATH + 16];
    struct store_status st;
    int fd;

    fix_begin(&o->f);
    for (uint64_t i = 1; i <= ITEMS; i++) {
        CHECK_OK(story_item(o->f.s, i));
    }
    CHECK_OK(store_status(o->f.s, &st));
    store_close(o->f.s);
    o->f.s = NULL;
    o->len = st.used_bytes;
    o->size = st.file_bytes;
    o->data = malloc(o->len);
    CHECK(o->data != NULL);
    data_path(&o->f, path);
    fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    CHECK_EQ(pread(fd, o->data, o->len, 0), (ssize_t)o->len);
    (void)close(fd);
}

/* data, damaged in one place. */
static void
damage(struct original *o, struct seed_rng *rng)
{
    char path[FIX_PATH + 16];
    uint8_t *copy = malloc(o->len);
    uint8_t page[PAGE];
    uint64_t pages = o->len / PAGE;
    uint64_t a = seed_rng_below(rng, pages) * PAGE;
    uint64_t b = seed_rng_below(rng, pages) * PAGE;
    uint64_t len = o->size;
    int fd;

    CHECK(copy != NULL);
    memcpy(copy, o->data, o->len);
    switch (seed_rng_below(rng, 8)) {
    case 0:
        memset(copy + seed_rng_below(rng, o->len / 512) * 512, 0, 512);
        break;
    case 1:
        memcpy(page, copy + a, PAGE);
        memcpy(copy + a, copy + b, PAGE);
        memcpy(copy + b, page, PAGE);
        break;
    case 2:
        len = seed_rng_below(rng, o->len);
        break;
    case 3: /* in the head of a page, where it hurts most */
        copy[a + seed_rng_below(rng, 64)] ^=
            (uint8_t)(1u << seed_rng_below(rng, 8));
        break;
    default:
        copy[seed_rng_below(rng, o->len)] ^=
            (uint8_t)(1u << seed_rng_below(rng, 8));
        break;
    }
    data_path(&o->f, path);
    fd = open(path, O_WRONLY | O_TRUNC);
    CHECK(fd >= 0);
    CHECK_EQ(pwrite(fd, copy, len < o->len ? len : o->len, 0),
             (ssize_t)(len < o->len ? len : o->len));
    CHECK_EQ(ftruncate(fd, (off_t)len), 0);
    (void)close(fd);
    free(copy);
}

struct look {
    unsigned wrong;
    unsigned missing;
    unsigned errors;
    unsigned right;
};

static void
count(struct look *l, enum err e, bool same)
{
    if (e == OK) {
        l->wrong += !same;
        l->right += same;
    } else if (e == ERR_MISSING) {
        l->missing++;
    } else {
        l->errors++;
    }
}

static void
look_at(struct store_txn *txn, struct look *l)
{
    struct conv_id conv = {{1}};
    struct store_conv c = {.msgs = 0};
    enum err e = store_conv_get(txn, &conv, &c);

    count(l, e, c.msgs == ITEMS && conv_id_equal(&c.id, &conv));
    store_conv_clear(&c);
    for (uint64_t i = 1; i <= ITEMS; i++) {
        struct store_msg m = {.seq = 0};

        e = store_msg_get(txn, i, &m);
        count(l, e,
              m.pos == i && memcmp(m.id.b + 1, &i, sizeof(i)) == 0 &&
                  m.body.len == 600);
        store_msg_clear(&m);
    }
    for (uint64_t i = ITEMS - STORY_OWNERS + 1; i <= ITEMS; i++) {
        struct store_owner owner = story_owner(i);
        struct bytes b = {0};

        e = store_secret_get(txn, &owner, VIEW_LIT("epoch"), &b);
        count(l, e, view_equal(view_of(&b), view_make(&i, sizeof(i))));
        bytes_free(&b);
    }
}

struct walk {
    uint64_t next;
    unsigned wrong;
};

static enum err
walk_event(void *ctx, const struct store_event *ev)
{
    struct walk *w = ctx;

    w->wrong += ev->seq != w->next++ || ev->kind != 1;
    return OK;
}

static enum err
walk_entry(void *ctx, const struct store_outbox_entry *en)
{
    struct walk *w = ctx;

    w->wrong +=
        en->seq != w->next++ || en->ref != en->seq || en->msg.len != 600;
    return OK;
}

static void
look_along(struct store_txn *txn, struct look *l)
{
    struct clinic_id peer = {{1}};
    struct walk w = {1, 0};
    enum err e = store_journal_read(txn, 0, UINT32_MAX, walk_event, &w);

    /* A shorter or broken row of numbers is something missing. */
    count(l, e == OK && (w.next != ITEMS + 1 || w.wrong > 0) ? ERR_MISSING : e,
          true);
    w = (struct walk){1, 0};
    e = store_outbox_read(txn, &peer, 0, UINT32_MAX, UINT64_MAX, walk_entry,
                          &w);
    count(l, e == OK && (w.next != ITEMS + 1 || w.wrong > 0) ? ERR_MISSING : e,
          true);
}

static void
ignore(void *ctx, const struct store_bad *bad)
{
    (void)ctx;
    (void)bad;
}

/* In a child process: what somebody finds who uses this store. */
static enum outcome
use(struct fix *f)
{
    struct look l = {0, 0, 0, 0};
    struct store_verify_result r;
    struct store_txn *txn;
    enum err e = store_open(&f->cfg, &f->s);

    if (e != OK) {
        return e == ERR_MISSING ? WRONG : REPORTED;
    }
    if (store_read_begin(f->s, &txn) != OK) {
        return REPORTED;
    }
    look_at(txn, &l);
    look_along(txn, &l);
    store_read_end(txn);
    store_close(f->s);
    f->s = NULL;
    e = fix_verify(&f->cfg, ignore, NULL, &r);
    if (l.wrong > 0) {
        return WRONG;
    }
    if (l.missing + l.errors > 0 && e == OK && r.bad == 0) {
        return UNNOTICED;
    }
    return l.missing > 0 ? MISSING : l.errors > 0 ? REPORTED : ALL_RIGHT;
}

static enum outcome
use_apart(struct fix *f)
{
    int status = 0;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)signal(SIGSEGV, SIG_DFL);
        (void)signal(SIGBUS, SIG_DFL);
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(CRASHED);
        }
        _exit((int)use(f));
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status)) {
        return WEXITSTATUS(status) < OUTCOMES
                   ? (enum outcome)WEXITSTATUS(status)
                   : CRASHED;
    }
    return WTERMSIG(status) == SIGABRT ? ENDED : CRASHED;
}

TEST(no_damage_gives_a_false_answer)
{
    const char *more = getenv("BALSAM_DAMAGES");
    uint64_t damages = more != NULL ? strtoull(more, NULL, 10) : DAMAGES;
    unsigned n[OUTCOMES] = {0};
    struct original o;
    struct seed_rng rng;

    make_original(&o);
    CHECK_EQ(use_apart(&o.f), ALL_RIGHT);
    seed_rng_init(&rng, 11);
    for (uint64_t i = 0; i < damages; i++) {
        enum outcome got;

        damage(&o, &rng);
        got = use_apart(&o.f);
        n[got]++;
        if (got == WRONG || got == UNNOTICED || got == CRASHED) {
            printf("  damage %llu: outcome %d\n", (unsigned long long)i,
                   (int)got);
        }
    }
    printf("  right %u, reported %u, missing and verify says so %u, ended by "
           "an assertion %u, crashed %u, wrong %u, unnoticed %u\n",
           n[ALL_RIGHT], n[REPORTED], n[MISSING], n[ENDED], n[CRASHED],
           n[WRONG], n[UNNOTICED]);
    free(o.data);
    fix_end(&o.f);
    CHECK_EQ(n[WRONG], 0);
    CHECK_EQ(n[UNNOTICED], 0);
    /* LMDB trusts the offsets inside its pages: store/README.md, limits. */
    CHECK(n[CRASHED] <= damages / 50);
}

int
main(void)
{
    return RUN(T(no_damage_gives_a_false_answer));
}
