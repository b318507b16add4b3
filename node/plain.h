/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, labels and titles are one line of plain text.  What a terminal or a
 * page would obey instead of show, line breaks among it, is refused where it is
 * typed: shown as "?" later it would only puzzle.  Pure; any thread.
 */
#ifndef NODE_PLAIN_H
#define NODE_PLAIN_H

#include "proto/base/bytes.h"

/* UTF-8 without control characters (C0, DEL, C1), separators of lines, and
   marks that turn the direction of what follows. */
bool node_plain(struct view text);

#define NODE_PLAIN_SAY                                                    \
    "has a control character in it, such as a line break, a tab or what " \
    "an arrow key leaves. It is one line of plain text: type it again."

#endif
