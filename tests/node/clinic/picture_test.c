/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures at the desk: kept while the profile names them, and no longer. */
#include "node/clinic/picture.h"

#include "crypto/prim/random.h"
#include "node/identity.h"
#include "proto/base/limits.h"
#include "tests/node/clinic/desk_fix.h"
#include "tests/support/fail_mem.h"
#include "tests/support/picture.h"

#include <sys/mman.h>
#include <unistd.h>

static struct desk_fix f;
static uint8_t png[SAMPLE_PNG];

static enum err
show(enum fed_show_kind kind, struct view body, uint64_t stance)
{
    struct fed_show s = {.kind = kind, .peer = f.peer};
    enum err e;

    s.code = stance;
    s.value = stance;
    CHECK_OK(bytes_copy(mem_heap(), body, &s.body));
    e = desk_show(&f, &s);
    bytes_free(&s.body);
    return e;
}

/* CHECK what is kept of the clinic. */
static void
kept(struct view want)
{
    struct store_txn *txn = desk_read(&f);
    struct bytes b = {0};
    enum err e = node_picture_get(txn, &f.peer, &b);

    store_read_end(txn);
    CHECK_ERR(e, want.len > 0 ? OK : ERR_MISSING);
    CHECK_VIEW(view_of(&b), want);
    bytes_free(&b);
}

/* The clinic's profile with this picture, signed. */
static void
profile(const struct node_identity *id, struct view picture, struct bytes *out)
{
    struct node_profile p = {.changed_ms = 1};

    CHECK_OK(phi_from(mem_heap(), VIEW_LIT("Hillside"), &p.name));
    CHECK_OK(bytes_copy(mem_heap(), picture, &p.picture));
    CHECK_OK(node_profile_sign(mem_heap(), id, &p, out));
    node_profile_clear(&p);
}

TEST(kept_while_the_profile_names_it)
{
    struct prim_sign_key root;
    struct node_identity id = {0};
    struct bytes with = {0};
    struct bytes without = {0};

    desk_begin(&f);
    CHECK_OK(ident_key_new(prim_rng_system(), &root));
    CHECK_OK(node_identity_make(mem_heap(), prim_rng_system(), 1700000000000,
                                &root, 1, &id));
    f.peer = id.root;
    profile(&id, VIEW_ARRAY(png), &with);
    profile(&id, (struct view){0}, &without);
    CHECK_OK(show(FED_SHOW_PICTURE, VIEW_ARRAY(png), 0)); /* of nobody */
    kept((struct view){0});
    CHECK_OK(show(FED_SHOW_PARTY, (struct view){0}, PROTO_STANCE_GRANTED));
    CHECK_OK(show(FED_SHOW_PROFILE, view_of(&with), 0));
    CHECK_OK(show(FED_SHOW_PICTURE, VIEW_ARRAY(png), 0));
    kept(VIEW_ARRAY(png));
    CHECK_OK(show(FED_SHOW_PROFILE, view_of(&with), 0));
    kept(VIEW_ARRAY(png));
    CHECK_OK(show(FED_SHOW_PROFILE, view_of(&without), 0));
    kept((struct view){0});
    CHECK_OK(show(FED_SHOW_PICTURE, VIEW_ARRAY(png), 0));
    kept(VIEW_ARRAY(png));
    CHECK_OK(show(FED_SHOW_PARTY, (struct view){0}, PROTO_STANCE_ENDED));
    kept((struct view){0});
    bytes_free(&with);
    bytes_free(&without);
    node_identity_clear(&id);
    desk_end(&f);
}

static int
file_of(struct view bytes)
{
    int fd = memfd_create("picture", MFD_CLOEXEC);

    CHECK(fd >= 0);
    CHECK_OK(node_picture_write(fd, bytes));
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

TEST(files)
{
    static uint8_t large[LIMIT_PICTURE + 100];
    const struct {
        struct view bytes;
        enum err want;
    } rows[] = {
        {VIEW_ARRAY(png), OK},
        {VIEW_ARRAY(large), ERR_LIMIT},
        {VIEW_LIT("text"), ERR_UNSUPPORTED},
        {view_make(png, 12), ERR_FORMAT},
        {{0}, ERR_UNSUPPORTED},
    };

    sample_png(large, 10, 10, 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd = file_of(rows[i].bytes);
        struct bytes b = {0};

        CHECK_ERR(node_picture_file(mem_heap(), fd, &b), rows[i].want);
        CHECK_VIEW(view_of(&b),
                   rows[i].want == OK ? rows[i].bytes : (struct view){0});
        CHECK(strstr(node_picture_fault(rows[i].want), "icture") != NULL);
        bytes_free(&b);
        (void)close(fd);
    }
    for (size_t n = 1;; n++) {
        struct fail_mem mem;
        struct bytes b = {0};
        int fd = file_of(VIEW_ARRAY(png));
        enum err e;

        fail_mem_init(&mem, n);
        e = node_picture_file(&mem.mem, fd, &b);
        (void)close(fd);
        bytes_free(&b);
        CHECK_EQ(mem.live, 0);
        if (!mem.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

int
main(void)
{
    sample_png(png, 240, 240, 3);
    return RUN(T(kept_while_the_profile_names_it), T(files));
}
