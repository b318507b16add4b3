/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of proto/msg: each type there and back, byte for byte, and
 * nothing else accepted.  The examples in proto/README.md are these.
 */
#include "proto/base/limits.h"
#include "proto/msg/content.h"
#include "proto/msg/group.h"
#include "proto/msg/peer.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(max_align_t) uint8_t item[PROTO_ITEM_SIZE];

static bool
peer_sample(uint64_t type, struct proto_peer_msg *out)
{
    const struct proto_shape *shape = proto_peer_shape(type);

    memset(out, 0, sizeof(*out));
    if (shape == NULL) {
        return false;
    }
    out->type = (enum proto_peer_type)type;
    sample_fill(shape, &out->u, 1, item);
    return true;
}

static bool
content_sample(uint64_t kind, struct proto_content *out)
{
    const struct proto_shape *shape = proto_content_shape(kind);

    memset(out, 0, sizeof(*out));
    if (shape == NULL) {
        return false;
    }
    out->kind = (enum proto_content_kind)kind;
    out->flags = PROTO_CONTENT_AUTO;
    memset(out->salt, 5, sizeof(out->salt));
    out->sent_ms = 1790000000000;
    out->author.name = VIEW_LIT("Dr. Moss");
    sample_fill(shape, &out->u, 1, item);
    return true;
}

TEST(peer_messages_there_and_back)
{
    size_t types = 0;

    for (uint64_t type = 0; type < 128; type++) {
        struct proto_peer_msg msg;
        struct proto_peer_msg back;
        struct bytes out = {0};
        struct bytes again = {0};

        if (!peer_sample(type, &msg)) {
            continue;
        }
        types++;
        CHECK_OK(proto_peer_encode(mem_heap(), &msg, &out));
        CHECK_EQ(proto_peer_peek(view_of(&out)), type);
        CHECK_OK(proto_peer_decode(view_of(&out), &back));
        CHECK_OK(proto_peer_encode(mem_heap(), &back, &again));
        CHECK_VIEW(view_of(&again), view_of(&out));
        for (size_t n = 0; n < out.len; n++) { /* cut off anywhere */
            CHECK(proto_peer_decode(view_make(out.p, n), &back) != OK);
        }
        CHECK_OK(bytes_append(mem_heap(), &out, VIEW_LIT("\x01")));
        CHECK_ERR(proto_peer_decode(view_of(&out), &back), ERR_FORMAT);
        bytes_free(&out);
        bytes_free(&again);
    }
    CHECK(types >= 27);
}

TEST(peer_messages_of_later_software)
{
    struct proto_peer_msg msg;

    CHECK_ERR(proto_peer_decode(check_hex("92 cc f0 01"), &msg),
              ERR_UNSUPPORTED);
    CHECK_ERR(proto_peer_decode(check_hex("93 02 09 05"), &msg),
              ERR_UNSUPPORTED);
    CHECK_ERR(proto_peer_decode(check_hex("93 02 01 c3"), &msg), ERR_FORMAT);
    CHECK_ERR(proto_peer_decode(check_hex("94 02 01 05 05"), &msg), ERR_FORMAT);
    CHECK_ERR(proto_peer_decode(check_hex("c0"), &msg), ERR_FORMAT);
    CHECK_ERR(proto_peer_decode((struct view){0}, &msg), ERR_FORMAT);
    CHECK_EQ(proto_peer_peek(check_hex("91 02")), 0);
}

TEST(peer_messages_have_bounds)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_BYE};
    struct bytes out = {0};

    msg.u.bye.code = 256;
    CHECK_ERR(proto_peer_encode(mem_heap(), &msg, &out), ERR_LIMIT);
    CHECK_ERR(proto_peer_decode(check_hex("93 0a 01 cd 0100"), &msg),
              ERR_LIMIT);
    msg.type = (enum proto_peer_type)77;
    CHECK_ERR(proto_peer_encode(mem_heap(), &msg, &out), ERR_INVALID);
}

TEST(contents_there_and_back)
{
    size_t kinds = 0;

    for (uint64_t kind = 0; kind < 32; kind++) {
        struct proto_content c;
        struct proto_content back;
        struct proto_extension ext = {.id = 9, .data = VIEW_LIT("later")};
        struct bytes out = {0};
        struct bytes again = {0};

        if (!content_sample(kind, &c)) {
            continue;
        }
        kinds++;
        c.extensions = (struct proto_list){.items = &ext, .len = 1};
        CHECK_OK(proto_content_encode(mem_heap(), &c, &out));
        CHECK_OK(proto_content_decode(view_of(&out), &back));
        CHECK_EQ(back.kind, kind);
        CHECK_VIEW(back.author.name, VIEW_LIT("Dr. Moss"));
        CHECK_OK(proto_content_encode(mem_heap(), &back, &again));
        CHECK_VIEW(view_of(&again), view_of(&out));
        for (size_t n = 0; n < out.len; n++) {
            CHECK(proto_content_decode(view_make(out.p, n), &back) != OK);
        }
        bytes_free(&out);
        bytes_free(&again);
        ext.critical = true;
        CHECK_OK(proto_content_encode(mem_heap(), &c, &out));
        CHECK_ERR(proto_content_decode(view_of(&out), &back), ERR_UNSUPPORTED);
        bytes_free(&out);
    }
    CHECK_EQ(kinds, 15);
}

TEST(contents_of_later_software)
{
    struct proto_content c;

    CHECK_ERR(proto_content_decode(check_hex("95 63 01 00 90 90"), &c),
              ERR_UNSUPPORTED);
    CHECK_EQ(c.kind, 0x63);
    CHECK_ERR(proto_content_decode(check_hex("95 01 02 00 90 90"), &c),
              ERR_UNSUPPORTED);
    CHECK_ERR(proto_content_decode(check_hex("95 63 01 00 90"), &c),
              ERR_FORMAT);
    CHECK_ERR(proto_content_decode(check_hex("01"), &c), ERR_FORMAT);
}

/* [bundle-parts] */
TEST(bundles_have_bounds)
{
    struct proto_part parts[LIMIT_BUNDLE_PARTS + 1];
    struct proto_content leave = {.kind = PROTO_CONTENT_LEAVE};
    struct proto_content c = {.kind = PROTO_CONTENT_BUNDLE};
    struct proto_content back;
    static const uint8_t large[LIMIT_BUNDLE / 2 + 1];
    struct bytes in = {0};
    struct bytes out = {0};

    for (size_t n = 0; n <= LIMIT_BUNDLE_PARTS; n++) {
        parts[n].content = VIEW_LIT("a");
        c.u.bundle.parts = (struct proto_list){parts, (uint32_t)n, {0}};
        CHECK_OK(proto_content_encode(mem_heap(), &c, &out));
        CHECK_ERR(proto_content_decode(view_of(&out), &back),
                  n == 0 ? ERR_FORMAT : OK);
        bytes_free(&out);
    }
    c.u.bundle.parts.len = LIMIT_BUNDLE_PARTS + 1;
    CHECK_ERR(proto_content_encode(mem_heap(), &c, &out), ERR_LIMIT);
    c.u.bundle.parts.len = 2;
    parts[0].content = VIEW_ARRAY(large);
    parts[1].content = VIEW_ARRAY(large);
    CHECK_OK(proto_content_encode(mem_heap(), &c, &out));
    CHECK_ERR(proto_content_decode(view_of(&out), &back), ERR_LIMIT);
    bytes_free(&out);
    CHECK_OK(proto_content_encode(mem_heap(), &leave, &in));
    parts[0].content = view_of(&in);
    parts[1].content = VIEW_LIT("a");
    CHECK_OK(proto_content_encode(mem_heap(), &c, &out));
    CHECK_ERR(proto_content_decode(view_of(&out), &back), ERR_FORMAT);
    bytes_free(&out);
    bytes_free(&in);
}

TEST(text_is_utf8)
{
    struct proto_content c;
    struct bytes out = {0};

    CHECK(content_sample(PROTO_CONTENT_TEXT, &c));
    c.u.text.text = VIEW_LIT("\xff");
    CHECK(proto_content_encode(mem_heap(), &c, &out) != OK);
}

TEST(padding_hides_sizes)
{
    CHECK_EQ(proto_content_padding(1), 255);
    CHECK_EQ(proto_content_padding(256), 0);
    CHECK_EQ(proto_content_padding(257), 255);
    CHECK_EQ(proto_content_padding(2048), 0);
    for (size_t n = 1; n < 400000; n = n + n / 7 + 1) {
        size_t pad = proto_content_padding(n);

        CHECK((n + pad) % 256 == 0);
        CHECK(n <= 2048 || pad * 100 <= n * 12 + 25600);
    }
}

TEST(groups_there_and_back)
{
    struct proto_subject subjects[2] = {{.kind = PROTO_SUBJECT_CLINIC},
                                        {.kind = PROTO_SUBJECT_PATIENT}};
    struct proto_group group = {.term = 3, .flags = PROTO_GROUP_DIRECT};
    struct proto_group back;
    struct proto_subject s;
    struct bytes out = {0};
    struct bytes again = {0};

    memset(subjects[0].root, 1, 32);
    memset(subjects[1].root, 2, 32);
    group.subjects = (struct proto_list){.items = subjects, .len = 2};
    CHECK_OK(proto_group_encode(mem_heap(), &group, &out));
    CHECK_OK(proto_group_decode(view_of(&out), &back));
    CHECK(proto_group_find(&back, subjects[1].root, &s));
    CHECK_EQ(s.kind, PROTO_SUBJECT_PATIENT);
    CHECK(!proto_group_find(&back, back.hub, &s));
    CHECK_OK(proto_group_encode(mem_heap(), &back, &again));
    CHECK_VIEW(view_of(&again), view_of(&out));
    bytes_free(&out);
    bytes_free(&again);
    memset(subjects[1].root, 1, 32); /* twice the same */
    CHECK_OK(proto_group_encode(mem_heap(), &group, &out));
    CHECK_ERR(proto_group_decode(view_of(&out), &back), ERR_FORMAT);
    bytes_free(&out);
}

TEST(encoding_survives_failed_allocations)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct proto_peer_msg msg;
        struct proto_content c;
        struct proto_aad aad = {.term = 1};
        struct bytes a = {0};
        struct bytes b = {0};
        struct bytes d = {0};
        enum err e;

        fail_mem_init(&f, n);
        CHECK(peer_sample(PROTO_PEER_HS_SUBMIT, &msg));
        e = proto_peer_encode(&f.mem, &msg, &a);
        CHECK(content_sample(PROTO_CONTENT_TEXT, &c));
        e = e == OK ? proto_content_encode(&f.mem, &c, &b) : e;
        e = e == OK ? proto_aad_encode(&f.mem, &aad, &d) : e;
        bytes_free(&a);
        bytes_free(&b);
        bytes_free(&d);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

/* Whether the README shows these bytes; BALSAM_PRINT=1 prints what it should.
 */
static bool
shown(const char *readme, const char *label, uint64_t number, struct view v)
{
    char hex[4096];

    if (v.len * 2 >= sizeof(hex)) {
        return false;
    }
    for (size_t i = 0; i < v.len; i++) {
        snprintf(hex + 2 * i, 3, "%02x", v.p[i]);
    }
    if (getenv("BALSAM_PRINT") != NULL) {
        printf("    %s %llu  %s\n", label, (unsigned long long)number, hex);
    }
    return strstr(readme, hex) != NULL;
}

TEST(examples_are_those_of_the_readme)
{
    static char readme[65536];
    FILE *f = fopen("proto/README.md", "r");
    size_t missing = 0;

    if (f == NULL) {
        SKIP("proto/README.md is not here");
    }
    readme[fread(readme, 1, sizeof(readme) - 1, f)] = '\0';
    fclose(f);
    for (uint64_t n = 0; n < 128; n++) {
        struct proto_peer_msg msg;
        struct proto_content c;
        struct bytes out = {0};

        if (peer_sample(n, &msg)) {
            CHECK_OK(proto_peer_encode(mem_heap(), &msg, &out));
            missing += !shown(readme, "peer", n, view_of(&out));
            bytes_free(&out);
        }
        if (content_sample(n, &c)) {
            CHECK_OK(proto_content_encode(mem_heap(), &c, &out));
            missing += !shown(readme, "content", n, view_of(&out));
            bytes_free(&out);
        }
    }
    CHECK_EQ(missing, 0);
}

/* Whoever adds a kind gives it a word. */
TEST(every_kind_has_a_word)
{
    for (uint64_t kind = 0; kind < 64; kind++) {
        bool known = proto_content_shape(kind) != NULL;

        CHECK_EQ(strcmp(proto_content_word(kind), "newer") != 0, known);
    }
    CHECK_STR(proto_content_word(UINT64_MAX), "newer");
}

int
main(void)
{
    return RUN(T(every_kind_has_a_word), T(peer_messages_there_and_back),
               T(peer_messages_of_later_software), T(peer_messages_have_bounds),
               T(contents_there_and_back), T(contents_of_later_software),
               T(text_is_utf8), T(bundles_have_bounds), T(padding_hides_sizes),
               T(groups_there_and_back),
               T(encoding_survives_failed_allocations),
               T(examples_are_those_of_the_readme));
}
