/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people call a conversation when they speak of it from two screens:
 * "k7m-t2w".  It follows from the thread's id alone, so every device and every
 * clinic in it has the same one, whatever number it has there.  Never a number
 * or the beginning of an id, and no word of any language.  Two threads may have
 * one (among 30, once in 7,000 lists): then the number says which.
 */
#ifndef FEDERATION_CORE_SPOKEN_H
#define FEDERATION_CORE_SPOKEN_H

#include "proto/base/id.h"

enum {
    FED_SPOKEN_LEN = 7
};

void fed_spoken(const struct thread_id *thread, char out[FED_SPOKEN_LEN + 1]);

/* Does a person mean it by word: in capitals, or without its hyphen? */
bool fed_spoken_is(const struct thread_id *thread, struct view word);

#endif
