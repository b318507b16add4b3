/* SPDX-License-Identifier: Apache-2.0 */
/* Files of node/web become bytes here; node/web.mk names them for make. */
#include "node/web_pages.h"

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
    "img-src data:; base-uri 'none'; form-action 'none'; "         \
    "frame-ancestors 'none'; require-trusted-types-for 'script'; " \
    "trusted-types 'none'"

#define PLAIN_POLICY "default-src 'none'; frame-ancestors 'none'"

static struct view
between(const uint8_t *from, const uint8_t *end)
{
    return view_make(from, (size_t)((uintptr_t)end - (uintptr_t)from));
}

void
node_web_pages(struct fed_web_page out[NODE_WEB_PAGES])
{
    out[0] = (struct fed_web_page){
        .path = VIEW_LIT("/l"),
        .type = VIEW_LIT("text/html; charset=utf-8"),
        .policy = VIEW_LIT(PAGE_POLICY),
        .body = between(node_page_html, node_page_html_end),
        .keep = true,
    };
    out[1] = (struct fed_web_page){
        .path = VIEW_LIT("/l.css"),
        .type = VIEW_LIT("text/css; charset=utf-8"),
        .policy = VIEW_LIT(PLAIN_POLICY),
        .body = between(node_page_css, node_page_css_end),
        .keep = true,
    };
    out[2] = (struct fed_web_page){
        .path = VIEW_LIT("/l.js"),
        .type = VIEW_LIT("text/javascript; charset=utf-8"),
        .policy = VIEW_LIT(PLAIN_POLICY),
        .body = between(node_page_js, node_page_js_end),
        .keep = true,
    };
    out[3] = (struct fed_web_page){
        .path = VIEW_LIT("/health"),
        .type = VIEW_LIT("text/plain; charset=utf-8"),
        .policy = VIEW_LIT(PLAIN_POLICY),
        .body = VIEW_LIT("ok\n"),
    };
}
