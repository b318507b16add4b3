/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power loss: a life is recorded, and from the record images are made of what
 * a disk may hold if the power went at some point: all that was synced, and of
 * the rest any 512-byte sectors.  Nothing acknowledged by then is missing.  The
 * same for several lives, each but the last killed, some while they came back;
 * or ended by a sync that fails, which the kernel says once: what that was for
 * can still be read, and never gets to the disk.
 *
 * BALSAM_IMAGES=N makes N images instead of a small number.
 */
#include "store/inner.h"
#include "tests/store/plog.h"
#include "tests/store/story.h"

#include <signal.h>
#include <sys/wait.h>

enum {
    ITEMS = 60,
    SETTLE = 9, /* after so many items there is a gap */
    LIVES = 14,
    IMAGES = 150,
    SECTOR = 512,
    FILE_MAX = 8 << 20
};

struct disk_file {
    uint8_t *data;
    uint64_t size;
    /* events not yet synced, and those written through since: what is under
       them comes no more */
    size_t pending[PLOG_EVENTS / 16];
    size_t pending_len;
    char name[PLOG_NAME]; /* empty: not in the folder */
};

struct disk {
    size_t point;
    bool syncs; /* else it is one that lies */
    struct disk_file files[PLOG_FILES];
    size_t dir[PLOG_EVENTS / 16]; /* changes of names not yet synced */
    size_t dir_len;
};

static void
acked(uint64_t item)
{
    plog->acked = item + 1;
}

static void
live(struct fix *f)
{
    uint64_t item;
    enum err e = store_open(&f->cfg, &f->s);

    if (e == ERR_MISSING && plog->acked == 0) {
        if (store_create(&f->cfg) != OK) {
            _exit(1);
        }
        acked(0);
        e = store_open(&f->cfg, &f->s);
    }
    if (e != OK) {
        _exit(2);
    }
    story_gaps(f->s);
    item = story_check(f->s);
    acked(item); /* what was there when it was opened stays */
    for (item++; item <= plog->until; item++) {
        if (story_item_here(f->s, item, item % 2 == 0 ? NULL : acked) != OK) {
            _exit(3);
        }
        acked(item);
        if (item % SETTLE == 0) {
            store_writer_settle(f->s);
        }
    }
    store_close(f->s);
    _exit(0);
}

static void
apply(struct disk *d, const struct plog_event *ev, uint64_t from, uint64_t len)
{
    struct disk_file *file = &d->files[ev->file];
    uint64_t end = ev->offset + from + len;

    CHECK(end <= FILE_MAX);
    memcpy(file->data + ev->offset + from, plog->bytes + ev->data + from, len);
    file->size = end > file->size ? end : file->size;
}

static void
sync_file(struct disk *d, unsigned number)
{
    struct disk_file *file = &d->files[number];

    for (size_t i = 0; i < file->pending_len; i++) {
        const struct plog_event *ev = &plog->events[file->pending[i]];

        apply(d, ev, 0, ev->len);
    }
    file->pending_len = 0;
}

static struct disk_file *
by_name(struct disk *d, const char *name)
{
    for (size_t i = 0; i < PLOG_FILES; i++) {
        if (strcmp(d->files[i].name, name) == 0) {
            return &d->files[i];
        }
    }
    return NULL;
}

static void
change_name(struct disk *d, const struct plog_event *ev)
{
    struct disk_file *file = by_name(d, ev->name);
    struct disk_file *other = by_name(d, ev->to);

    if (ev->type == PLOG_CREATE) {
        if (file != NULL) {
            file->name[0] = '\0';
        }
        memcpy(d->files[ev->file].name, ev->name, PLOG_NAME);
    } else if (ev->type == PLOG_UNLINK && file != NULL) {
        file->name[0] = '\0';
    } else if (ev->type == PLOG_RENAME && file != NULL) {
        if (other != NULL) {
            other->name[0] = '\0';
        }
        memcpy(file->name, ev->to, PLOG_NAME);
    }
}

static void
sync_dir(struct disk *d, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        change_name(d, &plog->events[d->dir[i]]);
    }
    d->dir_len = 0;
}

static bool
is_through(const struct disk *d, size_t event)
{
    return plog->events[event].type == PLOG_WRITE_THROUGH && event < d->point &&
           d->syncs;
}

/* Only what was written through is left of what was to be synced. */
static void
drop(struct disk *d, struct disk_file *file)
{
    size_t kept = 0;

    for (size_t i = 0; i < file->pending_len; i++) {
        if (is_through(d, file->pending[i])) {
            file->pending[kept++] = file->pending[i];
        }
    }
    file->pending_len = kept;
}

/* Events 0 .. d->point have begun, those before it have ended. */
static void
replay(struct disk *d)
{
    size_t point = d->point;

    for (size_t i = 0; i <= point; i++) {
        const struct plog_event *ev = &plog->events[i];
        struct disk_file *file = &d->files[ev->file];

        switch (ev->type) {
        case PLOG_WRITE_THROUGH:
        case PLOG_WRITE:
            CHECK(file->pending_len < PLOG_EVENTS / 16);
            file->pending[file->pending_len++] = i;
            break;
        case PLOG_SYNC:
            if (i < point && d->syncs) {
                sync_file(d, ev->file);
            }
            break;
        case PLOG_DROP:
            drop(d, file);
            break;
        case PLOG_CREATE:
        case PLOG_RENAME:
        case PLOG_UNLINK:
            d->dir[d->dir_len++] = i;
            break;
        case PLOG_DIR_SYNC:
            if (i < point) {
                sync_dir(d, d->dir_len);
            }
            break;
        }
    }
}

/* Some of what was not synced is there all the same. */
static void
lose(struct disk *d, struct seed_rng *rng)
{
    unsigned keep = (unsigned)seed_rng_below(rng, 4); /* of 3 */

    for (size_t f = 0; f < PLOG_FILES; f++) {
        struct disk_file *file = &d->files[f];

        for (size_t i = 0; i < file->pending_len; i++) {
            const struct plog_event *ev = &plog->events[file->pending[i]];

            for (uint64_t at = 0; at < ev->len; at += SECTOR) {
                uint64_t len = ev->len - at < SECTOR ? ev->len - at : SECTOR;

                if (is_through(d, file->pending[i]) ||
                    seed_rng_below(rng, 3) < keep) {
                    apply(d, ev, at, len);
                }
            }
        }
    }
    sync_dir(d, seed_rng_below(rng, d->dir_len + 1));
}

static void
write_image(const struct disk *d, const char *dir)
{
    char path[FIX_PATH + PLOG_NAME + 2];

    for (size_t i = 0; i < PLOG_FILES; i++) {
        const struct disk_file *file = &d->files[i];
        int fd;

        if (file->name[0] == '\0') {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s/%s", dir, file->name);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        CHECK(fd >= 0);
        CHECK_EQ(write(fd, file->data, file->size), (ssize_t)file->size);
        (void)close(fd);
    }
}

static void
clear_disk(struct disk *d)
{
    for (size_t i = 0; i < PLOG_FILES; i++) {
        struct disk_file *file = &d->files[i];

        memset(file->data, 0, file->size);
        file->size = 0;
        file->pending_len = 0;
        file->name[0] = '\0';
    }
    d->dir_len = 0;
}

static void
look(struct fix *f, uint64_t acked, uint64_t seed)
{
    struct store_verify_result r;
    uint64_t items;
    enum err e;

    seed_rng_init(&f->rng, seed);
    e = store_open(&f->cfg, &f->s);
    if (e == ERR_MISSING) {
        CHECK_EQ(acked, 0);
        CHECK_OK(store_create(&f->cfg));
        e = store_open(&f->cfg, &f->s);
    }
    CHECK_OK(e);
    items = story_check(f->s);
    CHECK(items + 1 >= acked && items <= acked + 1);
    CHECK_OK(story_item(f->s, items + 1));
    store_close(f->s);
    f->s = NULL;
    CHECK_OK(fix_verify(&f->cfg, story_found, NULL, &r));
    CHECK_EQ(r.bad, 0);
}

/* How lives end before their time. */
struct ends {
    unsigned lives; /* the last one does not */
    int fail;       /* a write or sync fails with this; 0: they are killed */
    uint64_t seed;
};

/* One life up to item until; its cut-th write or sync is where it ends. */
static void
record_life(struct fix *f, uint64_t until, uint64_t cut, int fail)
{
    int status = 0;
    pid_t pid;

    plog->until = until;
    plog->ops = 0;
    plog->kill_at = cut;
    plog->tear = cut % 2 == 0;
    plog->fail = fail;
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        seed_rng_init(&f->rng, plog->events_len);
        (void)signal(SIGABRT, SIG_DFL);
        CHECK(cut == 0 || freopen("/dev/null", "w", stderr) != NULL);
        live(f);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (cut == 0) {
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    } else if (fail == 0) {
        CHECK(WIFEXITED(status) &&
              (WEXITSTATUS(status) == PLOG_KILLED || WEXITSTATUS(status) == 0));
    } else {
        CHECK(WIFEXITED(status) || WTERMSIG(status) == SIGABRT);
    }
}

/* Every other one ends early. */
static void
record(struct ends ends)
{
    struct seed_rng rng;
    struct fix f;

    seed_rng_init(&rng, ends.seed);
    fix_config(&f, 1);
    fix_dir(f.dir);
    plog_reset(PLOG_RECORD);
    for (unsigned i = 1; i < ends.lives; i++) {
        uint64_t cut = 1 + seed_rng_below(&rng, i % 2 == 0 ? 12 : 120);
        uint64_t until = ends.fail == 0 ? ITEMS : ITEMS * i / ends.lives;

        record_life(&f, until, cut, ends.fail);
    }
    record_life(&f, ITEMS, 0, 0);
    plog->mode = PLOG_OFF;
    fix_rm(f.dir);
}

/* An image of the disk at some point, in f's folder; returns the point. */
static size_t
make_image(struct disk *d, struct seed_rng *rng, bool syncs, struct fix *f)
{
    size_t point = (size_t)seed_rng_below(rng, plog->events_len);

    clear_disk(d);
    d->point = point;
    d->syncs = syncs;
    replay(d);
    lose(d, rng);
    fix_config(f, 1);
    fix_dir(f->dir);
    write_image(d, f->dir);
    return point;
}

static struct disk *
begin_disk(struct ends ends)
{
    static struct disk d;

    if (plog == NULL) {
        plog_init();
        CHECK(plog != NULL);
    }
    record(ends);
    for (size_t i = 0; i < PLOG_FILES; i++) {
        d.files[i].data = calloc(1, FILE_MAX);
        CHECK(d.files[i].data != NULL);
    }
    return &d;
}

static void
end_disk(struct disk *d)
{
    for (size_t i = 0; i < PLOG_FILES; i++) {
        free(d->files[i].data);
        d->files[i].data = NULL;
    }
}

static void
lose_power(struct ends ends, uint64_t images)
{
    struct disk *d = begin_disk(ends);
    struct seed_rng rng;

    seed_rng_init(&rng, ends.seed);
    for (uint64_t i = 0; i < images; i++) {
        struct fix f;
        size_t point = make_image(d, &rng, true, &f);

        look(&f, plog->events[point].acked, i + 5000);
        fix_rm(f.dir);
    }
    printf("  %llu images of %zu events\n", (unsigned long long)images,
           plog->events_len);
    end_disk(d);
}

static uint64_t
images_wanted(void)
{
    const char *more = getenv("BALSAM_IMAGES");

    return more != NULL ? strtoull(more, NULL, 10) : IMAGES;
}

TEST(power_loss_at_any_point_loses_nothing)
{
    lose_power((struct ends){1, 0, 99}, images_wanted());
}

TEST(power_loss_between_kills_loses_nothing)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        lose_power((struct ends){LIVES, 0, seed}, images_wanted() / 5);
    }
}

TEST(power_loss_after_a_sync_that_failed_loses_nothing)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        lose_power((struct ends){LIVES, EIO, seed}, images_wanted() / 5);
    }
}

/* Whether look is content, asked of a process that may fail or crash. */
static bool
survives(struct fix *f, uint64_t acked)
{
    int status = 0;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)signal(SIGSEGV, SIG_DFL);
        (void)signal(SIGBUS, SIG_DFL);
        CHECK(freopen("/dev/null", "w", stdout) != NULL);
        CHECK(freopen("/dev/null", "w", stderr) != NULL);
        look(f, acked, 1);
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The test above has teeth: on a disk that ignores syncs it finds losses. */
TEST(a_disk_that_lies_is_caught)
{
    struct disk *d = begin_disk((struct ends){1, 0, 0});
    struct seed_rng rng;
    unsigned caught = 0;

    seed_rng_init(&rng, 7);
    for (unsigned i = 0; i < 20; i++) {
        struct fix f;
        size_t point = make_image(d, &rng, false, &f);

        caught += !survives(&f, plog->events[point].acked);
        fix_rm(f.dir);
    }
    CHECK(caught >= 5);
    end_disk(d);
}

int
main(void)
{
    return RUN(T(power_loss_at_any_point_loses_nothing),
               T(power_loss_between_kills_loses_nothing),
               T(power_loss_after_a_sync_that_failed_loses_nothing),
               T(a_disk_that_lies_is_caught));
}
