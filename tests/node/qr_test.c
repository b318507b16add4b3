/* SPDX-License-Identifier: Apache-2.0 */
/* Symbols are read back by an independent decoder, zbarimg. */
#include "node/qr.h"
#include "proto/base/limits.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/tmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As long as a link may be (decisions B 6). */
static const char link160[] =
    "https://clinic.example.org/l#"
    "AQEB5mVhZCB0aGlzIGJhY2sgYW5kIHlvdSBoYXZlIGEgZGVjb2Rlci4gRWxzZSBub3QuIFNv"
    "IGxldCB1cyBzZWUgd2hhdCBpdCBzYXlzIGFib3V0IHRoZXNlLg_-0123456";

static struct node_qr *
made(const char *text)
{
    struct node_qr *qr = NULL;

    CHECK_OK(node_qr_make(mem_heap(), view_str(text), &qr));
    return qr;
}

/* What zbarimg reads in the picture file. */
static void
decode(const char *path, char *out, size_t cap)
{
    char command[2 * TMP_PATH + 64];
    FILE *f;
    size_t n;

    snprintf(command, sizeof(command), "zbarimg -q --raw %s", path);
    f = popen(command, "r");
    CHECK(f != NULL);
    n = fread(out, 1, cap - 1, f);
    pclose(f);
    while (n > 0 && out[n - 1] == '\n') {
        n--;
    }
    out[n] = '\0';
}

TEST(a_decoder_reads_the_png)
{
    struct node_qr *qr = made(link160);
    struct bytes png = {0};
    char path[TMP_PATH];
    char back[512];
    int fd = tmp_file(path, "balsam-qr-XXXXXX.png", 4);

    CHECK(fd >= 0);
    CHECK_OK(node_qr_png(mem_heap(), qr, 8, &png));
    CHECK(write(fd, png.p, png.len) == (ssize_t)png.len);
    close(fd);
    decode(path, back, sizeof(back));
    unlink(path);
    CHECK_STR(back, link160);
    bytes_free(&png);
    node_qr_free(qr);
}

TEST(a_long_link_stays_small)
{
    struct node_qr *qr = made(link160);

    CHECK_EQ(strlen(link160), 160);
    CHECK(node_qr_side(qr) <= 17 + 4 * 9);
    node_qr_free(qr);
}

/* The terminal form is read back as modules and compared with the SVG. */
TEST(terminal_and_svg_show_the_same)
{
    struct node_qr *qr = made("balsam:l#AAAA");
    struct bytes term = {0};
    struct bytes svg = {0};
    size_t ink = 0;
    size_t squares = 0;

    CHECK_OK(node_qr_text(mem_heap(), qr, false, &term));
    CHECK_OK(node_qr_svg(mem_heap(), qr, &svg));
    for (size_t i = 0; i + 2 < term.len; i++) {
        if (term.p[i] == 0xe2 && term.p[i + 1] == 0x96) {
            ink += term.p[i + 2] == 0x88 ? 2 : 1;
        }
    }
    for (size_t i = 0; i + 8 < svg.len; i++) {
        squares += memcmp(svg.p + i, "h1v1h-1z", 8) == 0;
    }
    CHECK(ink > 100);
    CHECK_EQ(ink, squares);
    CHECK(memchr(term.p, 0x1b, term.len) == NULL); /* it is printed */
    bytes_free(&term);
    bytes_free(&svg);
    node_qr_free(qr);
}

TEST(refuses_what_does_not_fit)
{
    char text[LIMIT_QR_TEXT + 2];
    struct node_qr *qr = NULL;
    struct bytes out = {0};

    memset(text, 'a', sizeof(text));
    CHECK_ERR(node_qr_make(mem_heap(), view_make(text, sizeof(text)), &qr),
              ERR_LIMIT);
    CHECK_ERR(node_qr_make(mem_heap(), VIEW_LIT(""), &qr), ERR_INVALID);
    CHECK_ERR(node_qr_make(mem_heap(), VIEW_LIT("a\0b"), &qr), ERR_INVALID);
    qr = made("x");
    CHECK_ERR(node_qr_png(mem_heap(), qr, 0, &out), ERR_INVALID);
    CHECK_ERR(node_qr_png(mem_heap(), qr, 65, &out), ERR_INVALID);
    node_qr_free(qr);
}

TEST(every_allocation_may_fail)
{
    for (uint64_t n = 1;; n++) {
        struct fail_mem f;
        struct node_qr *qr = NULL;
        struct bytes b[3] = {{0}};
        enum err e;

        fail_mem_init(&f, n);
        e = node_qr_make(&f.mem, VIEW_LIT("balsam"), &qr);
        e = e == OK ? node_qr_text(&f.mem, qr, true, &b[0]) : e;
        e = e == OK ? node_qr_svg(&f.mem, qr, &b[1]) : e;
        e = e == OK ? node_qr_png(&f.mem, qr, 2, &b[2]) : e;
        for (size_t i = 0; i < 3; i++) {
            bytes_free(&b[i]);
        }
        node_qr_free(qr);
        CHECK_EQ(f.live, 0);
        if (!f.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
}

int
main(void)
{
    return RUN(T(a_decoder_reads_the_png), T(a_long_link_stays_small),
               T(terminal_and_svg_show_the_same), T(refuses_what_does_not_fit),
               T(every_allocation_may_fail));
}
