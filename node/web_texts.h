/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of the page behind a link, in each of its languages, in one table.
 * The page (node/web/link/link.html) names them in braces.
 */
#ifndef NODE_WEB_TEXTS_H
#define NODE_WEB_TEXTS_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"

enum {
    NODE_WEB_LANGS = 4
};

/* The words called name; "lang": the language itself.  NULL: none. */
const char *node_web_text(const char *name, size_t len, size_t lang);

/*
 * The page in a language; picture stands where it names one.
 * ERR_INTERNAL  it names words that there are not
 */
MUST_CHECK enum err node_web_fill(const struct mem *mem, struct view page,
                                  size_t lang, struct view picture,
                                  struct bytes *out);

#endif
