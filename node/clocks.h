/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other nodes' clocks beside ours.  A greeting says what time it is at its
 * sender; a certificate that is not valid yet, or any more, says that two
 * clocks are far apart.  Nothing is decided by this: it is there so that both
 * sides are told why they do not understand each other, and by how much.
 *
 * What was heard is kept against CLOCK_MONOTONIC, so that setting our clock
 * right is seen at once.  Any thread.
 */
#ifndef NODE_CLOCKS_H
#define NODE_CLOCKS_H

#include "proto/base/clock.h"
#include "proto/base/id.h"

#include <pthread.h>

enum {
    NODE_CLOCKS = 24,         /* nodes whose clocks differ from ours */
    NODE_CLOCKS_STRANGERS = 8 /* of them such as we do not know */
};

enum node_clock_how {
    NODE_CLOCK_SAID,  /* its greeting: exact */
    NODE_CLOCK_AFTER, /* it is this time there, or later */
    NODE_CLOCK_BEFORE /* it is this time there, or earlier */
};

struct node_clock_heard {
    struct clinic_id root;
    enum node_clock_how how;
    uint64_t theirs_ms; /* wall, there; 0: a free place */
    uint64_t mono_ms;   /* here, then */
};

struct node_clocks {
    const struct clock *clock;
    pthread_mutex_t mx;
    struct node_clock_heard heard[NODE_CLOCKS];
};

/* How far a clock is from ours: more than a day. */
struct node_clock_apart {
    struct clinic_id root;
    bool ahead;    /* theirs, of ours */
    bool at_least; /* by_ms is a bound: a certificate said it */
    uint64_t by_ms;
};

void node_clocks_init(struct node_clocks *c, const struct clock *clock);
void node_clocks_clear(struct node_clocks *c);

/* root's clock says theirs_ms, or so much how allows to know.  One that agrees
   with ours by a day is forgotten. */
void node_clocks_hear(struct node_clocks *c, const struct clinic_id *root,
                      enum node_clock_how how, uint64_t theirs_ms, bool known);

/* Whether root's is far from ours. */
bool node_clocks_of(struct node_clocks *c, const struct clinic_id *root,
                    struct node_clock_apart *out);

/* All that are far from ours, into out; how many. */
size_t node_clocks_all(struct node_clocks *c,
                       struct node_clock_apart out[NODE_CLOCKS]);

/* Forget one that agrees with ours by now, since ours was set: its root. */
bool node_clocks_mended(struct node_clocks *c, struct clinic_id *out);

enum {
    NODE_CLOCK_TEXT = 96
};

/* "at least 1 day and 6 hours behind this machine's" */
void node_clock_text(const struct node_clock_apart *a,
                     char out[NODE_CLOCK_TEXT]);

/* What to do about it, as a sentence. */
#define NODE_CLOCK_DO                                                      \
    "Look at both: one of them is wrong. Set that one right (timedatectl " \
    "set-ntp true, or date); then it goes on by itself."

#endif
