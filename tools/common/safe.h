/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of others on our terminal: names, texts and file names come from
 * peers, and a terminal obeys what it is shown.  Control characters (C0, DEL
 * and C1), line and paragraph separators and the marks that turn the
 * direction of what follows become "?".
 */
#ifndef TOOLS_COMMON_SAFE_H
#define TOOLS_COMMON_SAFE_H

#include <stddef.h>
#include <stdio.h>

/* One line: what would end it becomes "?" too.  s: UTF-8 */
void tool_put_safe(FILE *f, const char *s);
void tool_print_safe(const char *s);

/* Lines, each further one with indent blanks before it, so that no text can
   look like the line of another message. */
void tool_print_text(const char *s, int indent);

#endif
