/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that are longer than the terminal is wide are broken between words,
 * and go on below the column that they were in.  A terminal alone breaks them
 * within words and goes on at its edge, where a text of others could look like
 * a line of ours.
 */
#ifndef TOOLS_COMMON_WRAP_H
#define TOOLS_COMMON_WRAP_H

#include <stddef.h>
#include <stdio.h>

/* One line without its end.  Left as it is: what fits, a code of blocks, JSON,
   and a word that is longer than the line, as a link. */
void tool_wrap_line(FILE *to, const char *line, size_t len, size_t columns);

/* Columns of the terminal behind fd; 0: none, or too narrow to bother. */
size_t tool_wrap_columns(int fd);
/* From now on stdout does so, if it is a terminal. */
void tool_wrap_begin(void);
/* What has no line's end yet; 0, or -1 and errno. */
int tool_wrap_end(void);

#endif
