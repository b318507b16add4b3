/* SPDX-License-Identifier: Apache-2.0 */
#include "node/qr.h"

#include "proto/base/limits.h"

#include <png.h>
#include <qrencode.h>
#include <stdio.h>
#include <string.h>

enum {
    QUIET = 4
};

struct node_qr {
    const struct mem *mem;
    QRcode *code;
};

enum err
node_qr_make(const struct mem *mem, struct view text, struct node_qr **out)
{
    char copy[LIMIT_QR_TEXT + 1];
    struct node_qr *qr;

    if (text.len == 0 || memchr(text.p, 0, text.len) != NULL) {
        return ERR_INVALID;
    }
    if (text.len > LIMIT_QR_TEXT) {
        return ERR_LIMIT;
    }
    qr = mem_alloc(mem, sizeof(*qr));
    if (qr == NULL) {
        return ERR_NOMEM;
    }
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    qr->mem = mem;
    qr->code = QRcode_encodeString(copy, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    mem_wipe(copy, sizeof(copy));
    if (qr->code == NULL) {
        mem_free(mem, qr, sizeof(*qr));
        return ERR_NOMEM;
    }
    *out = qr;
    return OK;
}

unsigned
node_qr_side(const struct node_qr *qr)
{
    return (unsigned)qr->code->width;
}

/* x and y count the quiet zone; outside the symbol it is white. */
static bool
black(const struct node_qr *qr, unsigned x, unsigned y)
{
    unsigned side = node_qr_side(qr);

    if (x < QUIET || y < QUIET || x >= side + QUIET || y >= side + QUIET) {
        return false;
    }
    return (qr->code->data[(y - QUIET) * side + (x - QUIET)] & 1) != 0;
}

bool
node_qr_dark(const struct node_qr *qr, unsigned x, unsigned y)
{
    return black(qr, x + QUIET, y + QUIET);
}

enum err
node_qr_text(const struct mem *mem, const struct node_qr *qr, bool colours,
             struct bytes *out)
{
    /* by {upper, lower} module, ink is black on a white ground */
    static const char *const cell[2][2] = {{" ", "\xe2\x96\x84"},
                                           {"\xe2\x96\x80", "\xe2\x96\x88"}};
    unsigned all = node_qr_side(qr) + 2 * QUIET;
    struct bytes b = {0};
    enum err e = OK;

    for (unsigned y = 0; y < all; y += 2) {
        TRY(bytes_append(mem, &b, view_str(colours ? "\x1b[30;107m" : "")));
        for (unsigned x = 0; x < all; x++) {
            bool lower = black(qr, x, y + 1);

            TRY(bytes_append(mem, &b, view_str(cell[black(qr, x, y)][lower])));
        }
        TRY(bytes_append(mem, &b, view_str(colours ? "\x1b[0m\n" : "\n")));
    }
    *out = bytes_take(&b);
out:
    bytes_free(&b);
    return e;
}

enum err
node_qr_svg(const struct mem *mem, const struct node_qr *qr, struct bytes *out)
{
    unsigned all = node_qr_side(qr) + 2 * QUIET;
    struct bytes b = {0};
    char part[256];
    enum err e;

    snprintf(part, sizeof(part),
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" "
             "shape-rendering=\"crispEdges\"><path fill=\"#fff\" "
             "d=\"M0 0h%uv%uH0z\"/><path d=\"",
             all, all, all, all);
    TRY(bytes_append(mem, &b, view_str(part)));
    for (unsigned y = 0; y < all; y++) {
        for (unsigned x = 0; x < all; x++) {
            if (black(qr, x, y)) {
                snprintf(part, sizeof(part), "M%u %uh1v1h-1z", x, y);
                TRY(bytes_append(mem, &b, view_str(part)));
            }
        }
    }
    TRY(bytes_append(mem, &b, VIEW_LIT("\"/></svg>\n")));
    *out = bytes_take(&b);
out:
    bytes_free(&b);
    return e;
}

/* One byte a pixel, 0 black, 255 white. */
static void
paint(const struct node_qr *qr, unsigned scale, uint8_t *pixels)
{
    size_t width = (size_t)(node_qr_side(qr) + 2 * QUIET) * scale;

    for (size_t y = 0; y < width; y++) {
        for (size_t x = 0; x < width; x++) {
            bool ink = black(qr, (unsigned)(x / scale), (unsigned)(y / scale));

            pixels[y * width + x] = ink ? 0 : 255;
        }
    }
}

enum err
node_qr_png(const struct mem *mem, const struct node_qr *qr,
            unsigned pixels_per_module, struct bytes *out)
{
    png_image image = {.version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_GRAY};
    struct bytes pixels = {0};
    struct bytes png = {0};
    png_alloc_size_t size;
    enum err e;

    if (pixels_per_module < 1 || pixels_per_module > 64) {
        return ERR_INVALID;
    }
    image.width = (node_qr_side(qr) + 2 * QUIET) * pixels_per_module;
    image.height = image.width;
    size = PNG_IMAGE_PNG_SIZE_MAX(image);
    TRY(bytes_alloc(mem, (size_t)image.width * image.height, &pixels));
    TRY(bytes_alloc(mem, size, &png));
    paint(qr, pixels_per_module, pixels.p);
    TRY(png_image_write_to_memory(&image, png.p, &size, 0, pixels.p, 0, NULL)
            ? OK
            : ERR_NOMEM);
    bytes_truncate(&png, size);
    *out = bytes_take(&png);
out:
    png_image_free(&image);
    bytes_free(&pixels);
    bytes_free(&png);
    return e;
}

void
node_qr_free(struct node_qr *qr)
{
    if (qr != NULL) {
        QRcode_free(qr->code);
        mem_free(qr->mem, qr, sizeof(*qr));
    }
}
