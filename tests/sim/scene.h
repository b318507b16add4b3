/* SPDX-License-Identifier: Apache-2.0 */
/* How a story of the simulator begins, whom it looks at, and how it ends. */
#ifndef TESTS_SIM_SCENE_H
#define TESTS_SIM_SCENE_H

#include "tests/sim/store.h"
#include "tests/sim/world.h"

/* Past the time after which a hub that does not answer is gone. */
#define WORLD_GONE_MS (73 * (uint64_t)LIMIT_HOUR_MS)

/* A world of nodes clinics, all connected to each other. */
void world_friends(struct world *w, uint64_t seed, size_t nodes);
/* Three of them in a thread that node 0 orders, some hours ago. */
struct thread_id world_three(struct world *w, uint64_t seed);
/* So many of them in a thread that node 0 orders; nothing moves any more. */
struct thread_id world_settled(struct world *w, uint64_t seed, size_t nodes);
/* Hours go by, and everybody who is up lives through each of them. */
void world_pass(struct world *w, unsigned hours);
/* All clocks go ahead at once; and then those who are up live for live_ms. */
void world_skip(struct world *w, uint64_t ms);
void world_later(struct world *w, uint64_t ms, uint64_t live_ms);
/* A hub that is down is away for long enough, and those who are left ask each
   other so many times, each time living for live_ms. */
void world_outlast(struct world *w, int times, uint64_t live_ms);
/* Node i says something, and it arrives. */
void world_said(struct world *w, size_t i, const struct thread_id *t);
/* A thread of the first nodes clinics that hub opens: nobody has heard of it,
   or all have joined. */
struct thread_id world_begin(struct world *w, size_t hub, size_t nodes);
struct thread_id world_group(struct world *w, size_t hub, size_t nodes);
/* Does node i take hub for the hub?  The hub from offers it to another. */
bool world_hub_is(struct world *w, size_t i, const struct thread_id *id,
                  size_t hub);
void world_hand_over(struct world *w, size_t from, const struct thread_id *id,
                     size_t to);
/* What node i has of the clinic other, and of a thread. */
struct fed_party *world_party(struct world *w, size_t i, size_t other);
struct fed_thread *world_thread(struct world *w, size_t i,
                                const struct thread_id *id);
/* A thread of clinic 1 and the patient of device d, who is enrolled at clinic
   0, which only carries. */
struct thread_id world_private(struct world *w, size_t d);
/* A world of one clinic and one phone (both), or a tablet as well (who), and
   their conversation, in which the clinic has said something. */
struct thread_id world_phone(struct world *w, uint64_t seed, size_t both[2]);
struct thread_id world_phones(struct world *w, uint64_t seed, size_t who[3]);
/* Node i is put back from a backup of before, or of now (NULL). */
void world_put_back(struct world *w, size_t i, const struct rows *before);
/* How often node i was told of a doubt; nobody was. */
size_t world_doubts(const struct world *w, size_t i);
void world_no_doubts(const struct world *w);
/* Free the world; the test fails if the oracle found a fault. */
void world_end(struct world *w);

#endif
