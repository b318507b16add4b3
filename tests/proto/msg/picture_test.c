/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of PNG and JPEG files, whole, cut and wrong. */
#include "proto/base/limits.h"
#include "proto/msg/picture.h"
#include "tests/support/check.h"
#include "tests/support/picture.h"

#include <string.h>

TEST(png)
{
    uint8_t b[SAMPLE_PNG];
    struct proto_picture p;

    sample_png(b, 240, 100, 1);
    CHECK_OK(proto_picture_read(VIEW_ARRAY(b), &p));
    CHECK_EQ(p.type, PROTO_PICTURE_PNG);
    CHECK_EQ(p.width, 240);
    CHECK_EQ(p.height, 100);
    CHECK_EQ(p.length, sizeof(b));
    for (size_t i = 0; i < 33; i++) {
        CHECK(proto_picture_read(view_make(b, i), &p) != OK);
    }
    b[12] = 'X';
    CHECK_ERR(proto_picture_read(VIEW_ARRAY(b), &p), ERR_FORMAT);
    sample_png(b, 0, 10, 1);
    CHECK_ERR(proto_picture_read(VIEW_ARRAY(b), &p), ERR_FORMAT);
    sample_png(b, LIMIT_PICTURE_SIDE, LIMIT_PICTURE_SIDE, 1);
    CHECK_OK(proto_picture_read(VIEW_ARRAY(b), &p));
    sample_png(b, LIMIT_PICTURE_SIDE + 1, 10, 1);
    CHECK_ERR(proto_picture_read(VIEW_ARRAY(b), &p), ERR_LIMIT);
    CHECK_EQ(p.width, LIMIT_PICTURE_SIDE + 1);
    sample_png(b, 10, 0xffffffff, 1);
    CHECK_ERR(proto_picture_read(VIEW_ARRAY(b), &p), ERR_LIMIT);
}

TEST(jpeg)
{
    /* APP0, fill bytes, DHT (no frame), SOF2 of 300 by 200, a scan */
    uint8_t b[] = {0xff, 0xd8, 0xff, 0xe0, 0, 4,    'J',  'F', 0xff, 0xff,
                   0xff, 0xc4, 0,    3,    9, 0xff, 0xc2, 0,   11,   8,
                   0,    200,  1,    44,   1, 1,    0x11, 0,   0xff, 0xda};
    uint8_t t[sizeof(b)];
    struct proto_picture p;

    CHECK_OK(proto_picture_read(VIEW_ARRAY(b), &p));
    CHECK_EQ(p.type, PROTO_PICTURE_JPEG);
    CHECK_EQ(p.width, 300);
    CHECK_EQ(p.height, 200);
    for (size_t i = 0; i < 28; i++) {
        CHECK(proto_picture_read(view_make(b, i), &p) != OK);
    }
    for (size_t i = 0; i < 2; i++) { /* a length that lies */
        static const uint8_t sizes[] = {1, 200};

        memcpy(t, b, sizeof(t));
        t[5] = sizes[i];
        CHECK_ERR(proto_picture_read(VIEW_ARRAY(t), &p), ERR_FORMAT);
    }
    for (size_t i = 0; i < 4; i++) { /* what has no length, or comes after */
        static const uint8_t markers[] = {0x01, 0xd0, 0xd9, 0xda};

        memcpy(t, b, sizeof(t));
        t[3] = markers[i];
        CHECK_ERR(proto_picture_read(VIEW_ARRAY(t), &p), ERR_FORMAT);
    }
    memcpy(t, b, sizeof(t));
    t[18] = 7; /* too short for a frame's head */
    CHECK_ERR(proto_picture_read(VIEW_ARRAY(t), &p), ERR_FORMAT);
    memcpy(t, b, sizeof(t));
    t[22] = 5;
    CHECK_ERR(proto_picture_read(VIEW_ARRAY(t), &p), ERR_LIMIT);
    memcpy(t, b, sizeof(t));
    t[22] = 0;
    t[23] = 0;
    CHECK_ERR(proto_picture_read(VIEW_ARRAY(t), &p), ERR_FORMAT);
}

TEST(others)
{
    static uint8_t large[LIMIT_PICTURE + 1];
    struct proto_picture p;

    CHECK_ERR(proto_picture_read((struct view){0}, &p), ERR_UNSUPPORTED);
    CHECK_ERR(proto_picture_read(VIEW_LIT("GIF89a          "), &p),
              ERR_UNSUPPORTED);
    CHECK_ERR(proto_picture_read(VIEW_LIT("<svg xmlns='...'>"), &p),
              ERR_UNSUPPORTED);
    sample_png(large, 10, 10, 1);
    CHECK_ERR(proto_picture_read(VIEW_ARRAY(large), &p), ERR_LIMIT);
    CHECK_OK(proto_picture_read(view_make(large, LIMIT_PICTURE), &p));
    CHECK(strcmp(proto_picture_name(p.type), "PNG") == 0);
    CHECK(strcmp(proto_picture_media(PROTO_PICTURE_JPEG), "image/jpeg") == 0);
    CHECK(strcmp(proto_picture_media(9), "application/octet-stream") == 0);
}

int
main(void)
{
    return RUN(T(png), T(jpeg), T(others));
}
