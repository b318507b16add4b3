/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/paper/page.h"

#include "node/qr.h"

#include <cairo/cairo-pdf.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Points: 72 an inch; A4 is 210 by 297 mm. */
static const double page_width = 595.28;
static const double page_height = 841.89;
static const double margin = 62.0;
static const double qr_size = 200.0;

enum {
    WORDS_MAX = 1024
};

struct page {
    cairo_t *cr;
    double y; /* where the next text begins */
};

static const char *
text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s == NULL ? "" : s;
}

/* ------------------------------------------------------------------ drawing
 */

/* A paragraph over the whole width, and room below it. */
static void
put(struct page *p, const char *font, const char *text, PangoAlignment align,
    double room)
{
    PangoLayout *layout = pango_cairo_create_layout(p->cr);
    PangoFontDescription *f = pango_font_description_from_string(font);
    int height = 0;

    pango_layout_set_font_description(layout, f);
    pango_layout_set_width(layout,
                           (int)((page_width - 2 * margin) * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(layout, align);
    pango_layout_set_text(layout, text, -1);
    pango_layout_get_pixel_size(layout, NULL, &height);
    cairo_move_to(p->cr, margin, p->y);
    pango_cairo_show_layout(p->cr, layout);
    p->y += height + room;
    pango_font_description_free(f);
    g_object_unref(layout);
}

static void
put_qr(struct page *p, const struct node_qr *qr)
{
    unsigned side = node_qr_side(qr);
    double unit = qr_size / side;
    double left = (page_width - qr_size) / 2;

    for (unsigned y = 0; y < side; y++) {
        for (unsigned x = 0; x < side; x++) {
            if (node_qr_dark(qr, x, y)) {
                cairo_rectangle(p->cr, left + x * unit, p->y + y * unit, unit,
                                unit);
            }
        }
    }
    cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_NONE);
    cairo_fill(p->cr);
    cairo_set_antialias(p->cr, CAIRO_ANTIALIAS_DEFAULT);
    p->y += qr_size + 22;
}

static void
put_line(struct page *p)
{
    cairo_set_line_width(p->cr, 0.7);
    cairo_move_to(p->cr, margin, p->y);
    cairo_line_to(p->cr, page_width - margin, p->y);
    cairo_stroke(p->cr);
    p->y += 14;
}

/* -------------------------------------------------------------------- words
 */

static void
day_of(const json_t *invitation, char out[32])
{
    time_t t =
        (time_t)(json_integer_value(json_object_get(invitation, "expires_ms")) /
                 1000);
    struct tm tm;

    out[0] = '\0';
    if (t > 0 && localtime_r(&t, &tm) != NULL) {
        (void)strftime(out, 32, "%Y-%m-%d", &tm);
    }
}

static void
steps_of(const json_t *invitation, char out[WORDS_MAX])
{
    bool birth = json_is_true(json_object_get(invitation, "birth_asked"));

    (void)snprintf(
        out, WORDS_MAX,
        "1.  Take your own phone or computer and open the Balsam app.\n"
        "2.  Scan this code with it, or type the link below.\n"
        "3.  %s\n"
        "4.  The app shows twelve words, your recovery code. Write them down "
        "and keep them safe: with them you get your conversations' identity "
        "back on a new phone.",
        birth ? "Look whether the clinic's name is right, and enter your date "
                "of birth when the app asks for it."
              : "Look whether the clinic's name is right, and say yes.");
}

static void
put_warning(struct page *p, const json_t *answer, const json_t *invitation)
{
    char words[WORDS_MAX];
    char day[32];

    day_of(invitation, day);
    (void)snprintf(words, sizeof(words),
                   "This page is for you alone. The link works once%s%s: "
                   "whoever opens it first joins in your place. If it was used "
                   "before you could, or you did not ask for it, tell the "
                   "clinic.",
                   day[0] == '\0' ? "" : ", until ", day);
    put(p, "Sans 10.5", words, PANGO_ALIGN_LEFT, 12);
    (void)snprintf(words, sizeof(words), "%s%s%s%s%s",
                   text_of(answer, "clinic"),
                   text_of(answer, "clinic_address")[0] == '\0' ? "" : ", ",
                   text_of(answer, "clinic_address"),
                   text_of(answer, "clinic_phone")[0] == '\0' ? "" : ", ",
                   text_of(answer, "clinic_phone"));
    put(p, "Sans 9.5", words, PANGO_ALIGN_LEFT, 0);
}

static enum err
put_page(cairo_t *cr, const struct mem *mem, const json_t *answer,
         const json_t *invitation)
{
    enum err e;
    struct page p = {.cr = cr, .y = margin};
    struct node_qr *qr = NULL;
    const char *link = text_of(invitation, "link");
    char words[WORDS_MAX];

    TRY(node_qr_make(mem, view_str(link), &qr));
    put(&p, "Sans Bold 22", text_of(answer, "clinic"), PANGO_ALIGN_CENTER, 6);
    put(&p, "Sans 13", "invites you to write to each other, encrypted",
        PANGO_ALIGN_CENTER, 18);
    put(&p, "Sans Bold 14", text_of(invitation, "name"), PANGO_ALIGN_CENTER,
        18);
    put_qr(&p, qr);
    steps_of(invitation, words);
    put(&p, "Sans 11.5", words, PANGO_ALIGN_LEFT, 16);
    put(&p, "Monospace 9", link, PANGO_ALIGN_LEFT, 16);
    put_line(&p);
    put_warning(&p, answer, invitation);
    cairo_show_page(cr);
out:
    node_qr_free(qr);
    return e;
}

/* ---------------------------------------------------------------------- PDF
 */

struct sink {
    const struct mem *mem;
    struct bytes b;
    size_t cap;
    enum err e;
};

static cairo_status_t
on_bytes(void *ctx, const unsigned char *data, unsigned int len)
{
    struct sink *s = ctx;

    if (s->e == OK && s->b.len + len > s->cap) {
        struct bytes more = {0};
        size_t cap = 2 * (s->b.len + len);

        s->e = bytes_alloc(s->mem, cap, &more);
        if (s->e == OK) {
            if (s->b.len > 0) {
                memcpy(more.p, s->b.p, s->b.len);
            }
            more.len = s->b.len;
            bytes_free(&s->b);
            s->b = more;
            s->cap = cap;
        }
    }
    if (s->e != OK) {
        return CAIRO_STATUS_WRITE_ERROR;
    }
    memcpy(s->b.p + s->b.len, data, len);
    s->b.len += len;
    return CAIRO_STATUS_SUCCESS;
}

static bool
has_fonts(void)
{
    PangoFontFamily **families = NULL;
    int n = 0;

    pango_font_map_list_families(pango_cairo_font_map_get_default(), &families,
                                 &n);
    g_free(families);
    return n > 0;
}

enum err
tool_page_pdf(const struct mem *mem, const json_t *answer, struct bytes *out)
{
    const json_t *list = json_object_get(answer, "invitations");
    struct sink sink = {.mem = mem};
    cairo_surface_t *surface;
    cairo_t *cr;
    size_t i;
    const json_t *invitation;
    enum err e = json_array_size(list) > 0 ? OK : ERR_INVALID;

    if (e == OK && !has_fonts()) {
        e = ERR_MISSING;
    }
    if (e != OK) {
        return e;
    }
    surface = cairo_pdf_surface_create_for_stream(on_bytes, &sink, page_width,
                                                  page_height);
    cr = cairo_create(surface);
    json_array_foreach(list, i, invitation)
    {
        e = e == OK ? put_page(cr, mem, answer, invitation) : e;
    }
    if (e == OK && cairo_status(cr) != CAIRO_STATUS_SUCCESS) {
        e = ERR_UNSUPPORTED;
    }
    cairo_destroy(cr);
    cairo_surface_finish(surface);
    if (e == OK && cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        e = sink.e != OK ? sink.e : ERR_UNSUPPORTED;
    }
    cairo_surface_destroy(surface);
    if (e == OK) {
        *out = bytes_take(&sink.b);
    }
    bytes_free(&sink.b);
    return e;
}
