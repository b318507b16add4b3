/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages that the web port shows (node/web/link): what is behind a link
 * (decisions B 9), in several languages, with the clinic's picture, without
 * third-party content and without storage; and /health for whoever watches over
 * the node.
 */
#ifndef NODE_WEB_PAGES_H
#define NODE_WEB_PAGES_H

#include "federation/web.h"

/* Whose pages they are. */
struct node_web_owner {
    struct clinic_id root;
    struct view picture; /* as proto_picture_read takes it; or empty */
};

/* Give all pages to the web port of net, instead of those it has.
   ERR_STATE  it has none */
MUST_CHECK enum err node_web_pages(const struct mem *mem, struct fed_net *net,
                                   const struct node_web_owner *owner);

#endif
