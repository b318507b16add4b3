/* SPDX-License-Identifier: Apache-2.0 */
/* Files of node/web become bytes here; node/web.mk names them for make. */
#include "node/web_pages.h"

#include "crypto/prim/hash.h"
#include "node/web_texts.h"
#include "proto/msg/picture.h"

#include <stdio.h>

/* The bytes of a file, between two symbols. */
#define TAKE_IN(NAME, FILE)                                \
    __asm__(".section .rodata." #NAME ",\"a\",@progbits\n" \
            ".globl node_page_" #NAME "\n"                 \
            ".hidden node_page_" #NAME "\n"                \
            "node_page_" #NAME ":\n"                       \
            ".incbin \"" FILE "\"\n"                       \
            ".globl node_page_" #NAME "_end\n"             \
            ".hidden node_page_" #NAME "_end\n"            \
            "node_page_" #NAME "_end:\n"                   \
            ".previous\n");                                \
    extern const uint8_t node_page_##NAME[];               \
    extern const uint8_t node_page_##NAME##_end[]

TAKE_IN(html, "node/web/link/link.html");
TAKE_IN(css, "node/web/link/link.css");
TAKE_IN(js, "node/web/link/link.js");

#define PAGE_POLICY                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; "    \
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; "  \
    "frame-ancestors 'none'; require-trusted-types-for 'script'; " \
    "trusted-types 'none'"

#define PLAIN_POLICY "default-src 'none'; frame-ancestors 'none'"

static struct view
between(const uint8_t *from, const uint8_t *end)
{
    return view_make(from, (size_t)((uintptr_t)end - (uintptr_t)from));
}

enum {
    PAGES = NODE_WEB_LANGS + 4,
    PICTURE_PATH = 80,
    PICTURE_HTML = 512
};

/* The element that shows the picture, in a language; *path is where it is.  It
   stays hidden until the page has seen that its link is of this clinic. */
static enum err
picture_html(const struct node_web_owner *owner,
             const struct proto_picture *what, size_t lang,
             char path[PICTURE_PATH], char html[PICTURE_HTML])
{
    uint8_t hash[PRIM_HASH_SIZE];
    char hex[PROTO_HEX_MAX + 1];
    char root[PROTO_HEX_MAX + 1];
    int n;

    prim_sha256(owner->picture, hash);
    proto_hex(view_make(hash, 8), hex);
    proto_hex(clinic_id_view(&owner->root), root);
    (void)snprintf(path, PICTURE_PATH, "/l/%s", hex);
    n = snprintf(html, PICTURE_HTML,
                 "<img id=\"picture\" src=\"%s\" width=\"%u\" "
                 "height=\"%u\" alt=\"%s\" data-root=\"%s\" hidden>\n",
                 path, (unsigned)what->width, (unsigned)what->height,
                 node_web_text("alt", 3, lang), root);
    return n > 0 && n < PICTURE_HTML ? OK : ERR_INTERNAL;
}

static struct fed_web_page
file_page(struct view path, struct view type, struct view body)
{
    return (struct fed_web_page){.path = path,
                                 .type = type,
                                 .policy = VIEW_LIT(PLAIN_POLICY),
                                 .body = body,
                                 .keep = true};
}

enum err
node_web_pages(const struct mem *mem, struct fed_net *net,
               const struct node_web_owner *owner)
{
    enum err e = OK;
    struct bytes html[NODE_WEB_LANGS] = {{0}};
    struct fed_web_page pages[PAGES];
    struct proto_picture what = {0};
    char path[PICTURE_PATH] = "";
    char image[PICTURE_HTML] = "";
    size_t n = 0;

    if (owner->picture.len > 0) {
        TRY(proto_picture_read(owner->picture, &what));
    }
    for (size_t i = 0; i < NODE_WEB_LANGS; i++) {
        if (owner->picture.len > 0) {
            TRY(picture_html(owner, &what, i, path, image));
        }
        TRY(node_web_fill(mem, between(node_page_html, node_page_html_end), i,
                          view_str(image), &html[i]));
        pages[n] =
            file_page(VIEW_LIT("/l"), VIEW_LIT("text/html; charset=utf-8"),
                      view_of(&html[i]));
        pages[n].policy = VIEW_LIT(PAGE_POLICY);
        pages[n++].lang = view_str(node_web_text("lang", 4, i));
    }
    pages[n++] =
        file_page(VIEW_LIT("/l.css"), VIEW_LIT("text/css; charset=utf-8"),
                  between(node_page_css, node_page_css_end));
    pages[n++] =
        file_page(VIEW_LIT("/l.js"), VIEW_LIT("text/javascript; charset=utf-8"),
                  between(node_page_js, node_page_js_end));
    pages[n] =
        file_page(VIEW_LIT("/health"), VIEW_LIT("text/plain; charset=utf-8"),
                  VIEW_LIT("ok\n"));
    pages[n++].keep = false;
    if (owner->picture.len > 0) {
        pages[n++] =
            file_page(view_str(path), view_str(proto_picture_media(what.type)),
                      owner->picture);
    }
    TRY(fed_web_set_pages(net, pages, n));
out:
    for (size_t i = 0; i < NODE_WEB_LANGS; i++) {
        bytes_free(&html[i]);
    }
    return e;
}
