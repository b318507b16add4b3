/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/msg/picture.h"

#include "proto/base/limits.h"

enum {
    PNG_HEAD = 33, /* signature and IHDR with its checksum */
    JPEG_SOI = 0xd8,
    JPEG_SOS = 0xda,
    JPEG_EOI = 0xd9,
    JPEG_SOF_FIRST = 0xc0,
    JPEG_SOF_LAST = 0xcf,
    JPEG_DHT = 0xc4,
    JPEG_JPG = 0xc8,
    JPEG_DAC = 0xcc,
    JPEG_SOF_SIZE = 8 /* length, precision, height, width, components */
};

static uint64_t
number(const uint8_t *p, size_t len)
{
    uint64_t n = 0;

    for (size_t i = 0; i < len; i++) {
        n = n << 8 | p[i];
    }
    return n;
}

/* PNG specification 5.2, 11.2.2: IHDR comes first and is 13 bytes. */
static enum err
read_png(struct view in, struct proto_picture *out)
{
    static const uint8_t ihdr[8] = {0, 0, 0, 13, 'I', 'H', 'D', 'R'};

    if (in.len < PNG_HEAD ||
        !view_equal(view_sub(in, 8, sizeof(ihdr)), VIEW_ARRAY(ihdr))) {
        return ERR_FORMAT;
    }
    out->width = number(in.p + 16, 4);
    out->height = number(in.p + 20, 4);
    return OK;
}

static bool
is_frame(uint8_t marker)
{
    return marker >= JPEG_SOF_FIRST && marker <= JPEG_SOF_LAST &&
           marker != JPEG_DHT && marker != JPEG_JPG && marker != JPEG_DAC;
}

/*
 * ITU-T T.81 B.1.1: segments, each a marker and a length, until the frame's
 * head.  One without a length before it (RST, TEM, another SOI), the scan or
 * the end is no picture that anybody makes.
 */
static enum err
read_jpeg(struct view in, struct proto_picture *out)
{
    size_t at = 2;

    while (in.len - at >= 4) {
        uint8_t marker = in.p[at + 1];
        size_t size = (size_t)number(in.p + at + 2, 2);

        if (in.p[at] != 0xff) {
            return ERR_FORMAT;
        }
        if (marker == 0xff) { /* fill */
            at++;
            continue;
        }
        if (marker < JPEG_SOF_FIRST || marker == JPEG_SOS ||
            marker == JPEG_EOI || (marker >= 0xd0 && marker <= JPEG_SOI) ||
            size < 2 || size > in.len - at - 2) {
            return ERR_FORMAT;
        }
        if (is_frame(marker)) {
            if (size < JPEG_SOF_SIZE) {
                return ERR_FORMAT;
            }
            out->height = number(in.p + at + 5, 2);
            out->width = number(in.p + at + 7, 2);
            return OK;
        }
        at += 2 + size;
    }
    return ERR_FORMAT;
}

enum err
proto_picture_read(struct view in, struct proto_picture *out)
{
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static const uint8_t jpeg[3] = {0xff, JPEG_SOI, 0xff};
    struct proto_picture p = {.length = in.len};
    enum err e;

    if (in.len >= sizeof(png) &&
        view_equal(view_sub(in, 0, sizeof(png)), VIEW_ARRAY(png))) {
        p.type = PROTO_PICTURE_PNG;
        e = read_png(in, &p);
    } else if (in.len >= sizeof(jpeg) &&
               view_equal(view_sub(in, 0, sizeof(jpeg)), VIEW_ARRAY(jpeg))) {
        p.type = PROTO_PICTURE_JPEG;
        e = read_jpeg(in, &p);
    } else {
        e = ERR_UNSUPPORTED;
    }
    if (e == OK && (p.width == 0 || p.height == 0)) {
        e = ERR_FORMAT;
    }
    if (e != OK) {
        return e;
    }
    *out = p;
    return proto_picture_fits(&p) ? OK : ERR_LIMIT;
}

bool
proto_picture_fits(const struct proto_picture *p)
{
    return p->type > PROTO_PICTURE_NONE && p->type < PROTO_PICTURE_TYPE_COUNT &&
           p->length > 0 && p->length <= LIMIT_PICTURE && p->width > 0 &&
           p->width <= LIMIT_PICTURE_SIDE && p->height > 0 &&
           p->height <= LIMIT_PICTURE_SIDE;
}

const char *
proto_picture_name(uint64_t type)
{
    return type == PROTO_PICTURE_PNG    ? "PNG"
           : type == PROTO_PICTURE_JPEG ? "JPEG"
                                        : "";
}

const char *
proto_picture_media(uint64_t type)
{
    return type == PROTO_PICTURE_PNG    ? "image/png"
           : type == PROTO_PICTURE_JPEG ? "image/jpeg"
                                        : "application/octet-stream";
}
