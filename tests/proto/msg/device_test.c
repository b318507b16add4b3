/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device protocol: each type there and back, byte for byte, and nothing
 * else accepted.  The examples in proto/README.md are these.
 */
#include "proto/msg/device.h"
#include "proto/msg/peer.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST = PROTO_DEVICE_ENROL,
    LAST = 191 /* not all of them are in use */
};

static _Alignas(max_align_t) uint8_t item[PROTO_ITEM_SIZE];

static bool
sample(uint64_t type, struct proto_device_msg *out)
{
    const struct proto_shape *shape = proto_device_shape(type);

    memset(out, 0, sizeof(*out));
    if (shape == NULL) {
        return false;
    }
    out->type = (enum proto_device_type)type;
    sample_fill(shape, &out->u, 1, item);
    return true;
}

TEST(there_and_back)
{
    for (uint64_t type = FIRST; type <= LAST; type++) {
        struct proto_device_msg msg;
        struct proto_device_msg back;
        struct bytes out = {0};
        struct bytes again = {0};

        if (!sample(type, &msg)) {
            continue;
        }
        CHECK_OK(proto_device_encode(mem_heap(), &msg, &out));
        CHECK_OK(proto_device_decode(view_of(&out), &back));
        CHECK_EQ(back.type, type);
        CHECK_OK(proto_device_encode(mem_heap(), &back, &again));
        CHECK_VIEW(view_of(&again), view_of(&out));
        for (size_t n = 0; n < out.len; n++) { /* cut off anywhere */
            CHECK(proto_device_decode(view_make(out.p, n), &back) != OK);
        }
        CHECK_OK(bytes_append(mem_heap(), &out, VIEW_LIT("\x01")));
        CHECK_ERR(proto_device_decode(view_of(&out), &back), ERR_FORMAT);
        bytes_free(&out);
        bytes_free(&again);
    }
}

/* Attachments of a device are peer.h's, so no number may mean both. */
TEST(numbers_apart_from_those_of_nodes)
{
    for (uint64_t type = 0; type < 256; type++) {
        bool ours = proto_device_shape(type) != NULL;

        CHECK(!ours || (type >= FIRST && type <= LAST));
        CHECK(!ours || proto_peer_shape(type) == NULL);
    }
}

TEST(later_software_and_nonsense)
{
    struct proto_device_msg msg;

    CHECK_ERR(proto_device_decode(check_hex("92 cc f0 01"), &msg),
              ERR_UNSUPPORTED);
    CHECK_ERR(proto_device_decode(check_hex("93 cc a6 09 05"), &msg),
              ERR_UNSUPPORTED);
    CHECK_ERR(proto_device_decode(check_hex("93 cc a6 01 c3"), &msg),
              ERR_FORMAT);
    CHECK_ERR(proto_device_decode(check_hex("94 cc a6 01 05 05"), &msg),
              ERR_FORMAT);
    CHECK_ERR(proto_device_decode(check_hex("91 cc a6"), &msg), ERR_FORMAT);
    CHECK_ERR(proto_device_decode((struct view){0}, &msg), ERR_FORMAT);
}

TEST(bounds)
{
    static uint8_t longer[PROTO_DEVICE_LIST_MAX + 1];
    struct proto_device_msg msg = {.type = PROTO_DEVICE_LIST};
    struct proto_key_package kps[PROTO_DEVICE_KPS_MAX + 1] = {{{0}}};
    struct bytes out = {0};

    msg.u.list.list = VIEW_ARRAY(longer);
    CHECK_ERR(proto_device_encode(mem_heap(), &msg, &out), ERR_LIMIT);
    msg.u.list.list.len--;
    CHECK_OK(proto_device_encode(mem_heap(), &msg, &out));
    bytes_free(&out);
    CHECK(sample(PROTO_DEVICE_KP_PUBLISH, &msg));
    msg.u.kp_publish.kps =
        (struct proto_list){.items = kps, .len = PROTO_DEVICE_KPS_MAX + 1};
    CHECK_ERR(proto_device_encode(mem_heap(), &msg, &out), ERR_LIMIT);
    CHECK(sample(PROTO_DEVICE_KP_STATE, &msg));
    msg.u.kp_state.code = PROTO_DEVICE_CODE_COUNT;
    CHECK_ERR(proto_device_encode(mem_heap(), &msg, &out), ERR_LIMIT);
    CHECK(sample(PROTO_DEVICE_ENROL, &msg));
    msg.u.enrol.name = VIEW_LIT("\xff");
    CHECK(proto_device_encode(mem_heap(), &msg, &out) != OK);
    msg.type = (enum proto_device_type)1;
    CHECK_ERR(proto_device_encode(mem_heap(), &msg, &out), ERR_INVALID);
}

TEST(no_memory)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct proto_device_msg msg;
        struct bytes a = {0};
        enum err e;

        fail_mem_init(&f, n);
        CHECK(sample(PROTO_DEVICE_KP_PUBLISH, &msg));
        e = proto_device_encode(&f.mem, &msg, &a);
        bytes_free(&a);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

/* BALSAM_PRINT=1 prints what the README should show. */
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
    for (uint64_t type = FIRST; type <= LAST; type++) {
        struct proto_device_msg msg;
        struct bytes out = {0};
        char hex[2048];

        if (!sample(type, &msg)) {
            continue;
        }
        CHECK_OK(proto_device_encode(mem_heap(), &msg, &out));
        CHECK(out.len * 2 < sizeof(hex));
        for (size_t i = 0; i < out.len; i++) {
            snprintf(hex + 2 * i, 3, "%02x", out.p[i]);
        }
        if (getenv("BALSAM_PRINT") != NULL) {
            printf("    device %llu  %s\n", (unsigned long long)type, hex);
        }
        missing += strstr(readme, hex) == NULL;
        bytes_free(&out);
    }
    CHECK_EQ(missing, 0);
}

int
main(void)
{
    return RUN(T(there_and_back), T(numbers_apart_from_those_of_nodes),
               T(later_software_and_nonsense), T(bounds), T(no_memory),
               T(examples_are_those_of_the_readme));
}
