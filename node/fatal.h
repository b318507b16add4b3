/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Last words: when the memory map of the store fails (a disk that goes away, a
 * damaged or cut file: SIGBUS) or the program itself does (SIGSEGV, SIGILL,
 * SIGFPE), a fixed sentence says so and what to do, and the process ends at
 * once, so that the service manager starts it anew.  Nothing is written to the
 * store on the way: what was not committed was not promised.
 */
#ifndef NODE_FATAL_H
#define NODE_FATAL_H

/* Once, before the first thread. */
void node_fatal_install(void);

#endif
