/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The web port of the daemon: which pages, which certificate, where it
 * listens.  What happens there is federation/web.h.
 */
#ifndef NODE_WEB_H
#define NODE_WEB_H

#include "federation/web.h"
#include "node/config.h"
#include "node/web_pages.h"

/* Whether the settings ask for a web port. */
bool node_web_wanted(const struct node_config *config);

/*
 * Open and listen as the settings say; on failure say (size bytes) has a
 * sentence about what to do.
 */
MUST_CHECK enum err node_web_start(const struct mem *mem, struct fed_net *net,
                                   const struct node_config *config,
                                   const struct node_web_owner *owner,
                                   char *say, size_t size);

/*
 * The certificate is renewed by somebody else: take it when the files have
 * changed since *seen (0 at first), or when asked to.  A pair that does not
 * fit is left alone until it does.
 *
 * ERR_EXISTS  nothing new;  others as reading them and tlsp_policy_web
 */
MUST_CHECK enum err node_web_reload(const struct mem *mem, struct fed_net *net,
                                    const struct node_config *config,
                                    bool asked, uint64_t *seen);

#endif
