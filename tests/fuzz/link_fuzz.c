/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text that is a link is formatted to the same link; bytes that are an
 * address are written back, and its text parses to the same address.
 */
#include "proto/base/assert.h"
#include "proto/msg/b64.h"
#include "proto/msg/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_addr(struct view in)
{
    struct view left = in;
    struct proto_addr a;
    struct proto_addr b;
    struct bytes out = {0};
    char text[PROTO_ADDR_TEXT_MAX];

    if (proto_addr_take(&left, &a) != OK) {
        return;
    }
    ASSERT(proto_addr_append(mem_heap(), &out, &a) == OK);
    ASSERT(view_equal(view_of(&out), view_sub(in, 0, in.len - left.len)));
    if (a.kind != PROTO_ADDR_SAME) {
        proto_addr_format(&a, text);
        if (proto_addr_parse(view_str(text), &b) == OK) {
            ASSERT(a.kind != b.kind || proto_addr_equal(&a, &b));
        }
    }
    bytes_free(&out);
}

static void
check_link(struct view in)
{
    struct proto_link link;
    struct proto_link again;
    struct bytes text = {0};
    enum proto_link_fault fault;

    if (proto_link_parse(in, 0, &link, &fault) != OK) {
        ASSERT(fault != PROTO_LINK_GOOD);
        return;
    }
    ASSERT(proto_link_format(mem_heap(), &link, &text) == OK);
    ASSERT(proto_link_parse(view_of(&text), 0, &again, &fault) == OK);
    ASSERT(link.addrs_len == again.addrs_len && link.flags == again.flags);
    ASSERT(link.expiry_s == again.expiry_s);
    ASSERT(clinic_id_equal(&link.root, &again.root));
    bytes_free(&text);
}

/* The checksum hides what is behind it: give the reader one that is right. */
static void
check_payload(struct view in)
{
    struct bytes text = {0};
    uint8_t sum[4];
    uint32_t crc = 0xffffffffu;

    if (in.len > 700) {
        return;
    }
    for (size_t i = 0; i < in.len; i++) {
        crc ^= in.p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
        }
    }
    crc = ~crc;
    for (int i = 0; i < 4; i++) {
        sum[i] = (uint8_t)(crc >> (24 - 8 * i));
    }
    {
        struct bytes payload = {0};

        ASSERT(bytes_copy(mem_heap(), in, &payload) == OK);
        ASSERT(bytes_append(mem_heap(), &payload, VIEW_ARRAY(sum)) == OK);
        ASSERT(bytes_append(mem_heap(), &text, VIEW_LIT("balsam:l#")) == OK);
        ASSERT(proto_b64_append(mem_heap(), view_of(&payload), &text) == OK);
        bytes_free(&payload);
    }
    check_link(view_of(&text));
    bytes_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = view_make(data, size);

    check_addr(in);
    check_link(in);
    check_payload(in);
    return 0;
}
