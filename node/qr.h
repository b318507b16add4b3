/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QR codes of links and recovery sheets: for a terminal, as SVG, as PNG.
 * Level M, with the four modules of quiet zone that the standard asks for
 * (ISO/IEC 18004).  The symbol is made by libqrencode, the PNG by libpng.
 */
#ifndef NODE_QR_H
#define NODE_QR_H

#include "proto/base/bytes.h"

struct node_qr;

/*
 * The symbol of text (UTF-8, at most LIMIT_QR_TEXT bytes).
 * ERR_LIMIT  longer; ERR_INVALID  it is empty or has a NUL
 */
MUST_CHECK enum err node_qr_make(const struct mem *mem, struct view text,
                                 struct node_qr **out);

/* Modules per side without the quiet zone; version = (side - 17) / 4. */
unsigned node_qr_side(const struct node_qr *qr);

/* Whether a module is black; x and y are below the side. */
bool node_qr_dark(const struct node_qr *qr, unsigned x, unsigned y);

/*
 * As text: two modules a character (half blocks), UTF-8.  For a terminal with
 * colours, black on white, so that it reads on a dark one too; without them for
 * a file, which is printed.
 */
MUST_CHECK enum err node_qr_text(const struct mem *mem,
                                 const struct node_qr *qr, bool colours,
                                 struct bytes *out);

/* A scalable picture, 1 unit a module. */
MUST_CHECK enum err node_qr_svg(const struct mem *mem, const struct node_qr *qr,
                                struct bytes *out);

/* Black and white, pixels_per_module (1 to 64) a module, else ERR_INVALID. */
MUST_CHECK enum err node_qr_png(const struct mem *mem, const struct node_qr *qr,
                                unsigned pixels_per_module, struct bytes *out);

/* NULL is accepted. */
void node_qr_free(struct node_qr *qr);

#endif
