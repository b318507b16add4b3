/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages that the web port shows (node/web/link): what is behind a link
 * (decisions B 9), without third-party content and without storage, and
 * /health for whoever watches over the node.
 */
#ifndef NODE_WEB_PAGES_H
#define NODE_WEB_PAGES_H

#include "federation/web.h"

enum {
    NODE_WEB_PAGES = 4
};

/* The views are of what the program carries. */
void node_web_pages(struct fed_web_page out[NODE_WEB_PAGES]);

#endif
