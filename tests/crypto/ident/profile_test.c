/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/profile.h"
#include "proto/wire/mp_wr.h"
#include "tests/crypto/ident/ident_fixture.h"
#include "tests/support/fail_mem.h"

static struct ident_profile
sample(const struct fixture *f)
{
    struct ident_profile p = {0};

    p.root = f->id;
    p.changed_ms = FIXTURE_NOW_MS;
    p.name = VIEW_LIT("Praxis Dr. M\xc3\xbcller");
    p.address = VIEW_LIT("Hauptstr. 1, 12345 Berlin");
    p.phone = VIEW_LIT("+49 30 123456");
    return p;
}

TEST(round_trip)
{
    struct fixture f;
    struct ident_profile p;
    struct ident_profile back = {0};
    struct bytes b = {0};
    struct ident_check c = {.now_ms = FIXTURE_NOW_MS};

    fixture_init(&f, 3);
    c.root = &f.id;
    p = sample(&f);
    for (int picture = 0; picture < 2; picture++) {
        if (picture == 1) {
            p.picture =
                (struct proto_picture){PROTO_PICTURE_JPEG, 65536, 1024, 7};
            memset(p.picture_hash.b, 9, sizeof(p.picture_hash.b));
        }
        CHECK_OK(
            ident_profile_make(mem_heap(), &f.node, view_of(&f.chain), &p, &b));
        CHECK(b.len < 2048);
        CHECK_OK(ident_profile_open(mem_heap(), view_of(&b), &c, &back));
        CHECK_VIEW(back.name, p.name);
        CHECK_VIEW(back.address, p.address);
        CHECK_VIEW(back.phone, p.phone);
        CHECK(back.changed_ms == p.changed_ms);
        CHECK_EQ(back.picture.type, p.picture.type);
        CHECK_EQ(back.picture.length, p.picture.length);
        CHECK_EQ(back.picture.width, p.picture.width);
        CHECK_EQ(back.picture.height, p.picture.height);
        CHECK(hash32_equal(&back.picture_hash, &p.picture_hash));
        for (size_t i = 0; i < b.len; i += 3) {
            b.p[i] ^= 1;
            CHECK(ident_profile_open(mem_heap(), view_of(&b), &c, &back) != OK);
            b.p[i] ^= 1;
        }
        bytes_free(&b);
    }
    fixture_clear(&f);
}

TEST(of_another_clinic)
{
    struct fixture f;
    struct fixture other;
    struct ident_profile p;
    struct bytes b = {0};
    struct ident_check c = {.now_ms = FIXTURE_NOW_MS};

    fixture_init(&f, 3);
    fixture_init(&other, 4);
    p = sample(&other); /* names the other's root, signed by f */
    CHECK_OK(
        ident_profile_make(mem_heap(), &f.node, view_of(&f.chain), &p, &b));
    c.root = &f.id;
    CHECK_ERR(ident_profile_open(mem_heap(), view_of(&b), &c, &p), ERR_AUTH);
    c.root = &other.id;
    CHECK_ERR(ident_profile_open(mem_heap(), view_of(&b), &c, &p), ERR_AUTH);
    bytes_free(&b);
    fixture_clear(&f);
    fixture_clear(&other);
}

TEST(bad_words_are_not_signed)
{
    struct fixture f;
    struct ident_profile p;
    struct bytes b = {0};
    uint8_t longer[IDENT_NAME_MAX + 1];

    fixture_init(&f, 3);
    p = sample(&f);
    memset(longer, 'a', sizeof(longer));
    p.name = (struct view){0};
    CHECK_ERR(
        ident_profile_make(mem_heap(), &f.node, view_of(&f.chain), &p, &b),
        ERR_INVALID);
    p.name = VIEW_ARRAY(longer);
    CHECK_ERR(
        ident_profile_make(mem_heap(), &f.node, view_of(&f.chain), &p, &b),
        ERR_INVALID);
    p.name = VIEW_LIT("\xff");
    CHECK_ERR(
        ident_profile_make(mem_heap(), &f.node, view_of(&f.chain), &p, &b),
        ERR_INVALID);
    fixture_clear(&f);
}

/* [profile-picture-bounds] also when somebody signs it by hand. */
TEST(pictures_that_cannot_be)
{
    static const struct proto_picture bad[] = {
        {3, 10, 10, 10},
        {PROTO_PICTURE_PNG, 0, 10, 10},
        {PROTO_PICTURE_PNG, 65537, 10, 10},
        {PROTO_PICTURE_PNG, 10, 0, 10},
        {PROTO_PICTURE_PNG, 10, 1025, 10},
        {PROTO_PICTURE_JPEG, 10, 10, 0},
        {PROTO_PICTURE_JPEG, 10, 10, 1025},
    };
    struct fixture f;
    struct ident_profile p;
    struct ident_check c = {.now_ms = FIXTURE_NOW_MS};

    fixture_init(&f, 3);
    c.root = &f.id;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct proto_wr w = proto_wr_open(mem_heap());
        struct bytes b = {0};

        p = sample(&f);
        p.picture = bad[i];
        CHECK_ERR(
            ident_profile_make(mem_heap(), &f.node, view_of(&f.chain), &p, &b),
            ERR_INVALID);
        proto_wr_array(&w, 8);
        proto_wr_uint(&w, IDENT_PROFILE);
        proto_wr_uint(&w, 1);
        proto_wr_bin(&w, clinic_id_view(&f.id));
        proto_wr_uint(&w, 1);
        proto_wr_str(&w, p.name);
        proto_wr_str(&w, p.name);
        proto_wr_str(&w, p.name);
        proto_wr_array(&w, 5);
        proto_wr_uint(&w, bad[i].type);
        proto_wr_uint(&w, bad[i].length);
        proto_wr_uint(&w, bad[i].width);
        proto_wr_uint(&w, bad[i].height);
        proto_wr_bin(&w, clinic_id_view(&f.id));
        CHECK_OK(w.e);
        CHECK_OK(ident_by_node_make(mem_heap(), IDENT_PROFILE, &f.node,
                                    view_of(&f.chain), proto_wr_view(&w), &b));
        CHECK(ident_profile_open(mem_heap(), view_of(&b), &c, &p) != OK);
        proto_wr_clear(&w);
        bytes_free(&b);
    }
    fixture_clear(&f);
}

TEST(forward_of_a_rotated_link)
{
    struct fixture f;
    struct bytes b = {0};
    struct view text = {0};
    struct link_id old = {{1, 2, 3}};
    struct link_id other = {{1, 2, 4}};
    struct ident_check c = {.now_ms = FIXTURE_NOW_MS};

    fixture_init(&f, 3);
    c.root = &f.id;
    CHECK_OK(ident_forward_make(mem_heap(), &f.node, view_of(&f.chain), &old,
                                VIEW_LIT("balsam:l#new"), &b));
    CHECK_OK(ident_forward_open(mem_heap(), view_of(&b), &c, &old, &text));
    CHECK_VIEW(text, VIEW_LIT("balsam:l#new"));
    CHECK_ERR(ident_forward_open(mem_heap(), view_of(&b), &c, &other, &text),
              ERR_AUTH);
    bytes_free(&b);
    fixture_clear(&f);
}

TEST(no_memory)
{
    struct fixture f;
    struct ident_profile p;

    fixture_init(&f, 3);
    p = sample(&f);
    for (uint64_t i = 1;; i++) {
        struct fail_mem m;
        struct bytes b = {0};
        struct ident_profile back;
        struct ident_check c = {.root = &f.id, .now_ms = FIXTURE_NOW_MS};
        enum err e;

        fail_mem_init(&m, i);
        e = ident_profile_make(&m.mem, &f.node, view_of(&f.chain), &p, &b);
        if (e == OK) {
            e = ident_profile_open(&m.mem, view_of(&b), &c, &back);
        }
        bytes_free(&b);
        CHECK_EQ(m.live, 0);
        if (!m.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
    fixture_clear(&f);
}

int
main(void)
{
    return RUN(T(round_trip), T(of_another_clinic), T(bad_words_are_not_signed),
               T(pictures_that_cannot_be), T(forward_of_a_rotated_link),
               T(no_memory));
}
