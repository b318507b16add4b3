/* SPDX-License-Identifier: Apache-2.0 */
/* How a story of the simulator begins, whom it looks at, and how it ends. */
#ifndef TESTS_SIM_SCENE_H
#define TESTS_SIM_SCENE_H

#include "tests/sim/store.h"
#include "tests/sim/world.h"

/* A world of nodes clinics, all connected to each other. */
void world_friends(struct world *w, uint64_t seed, size_t nodes);
/* Three of them in a thread that node 0 orders, some hours ago. */
struct thread_id world_three(struct world *w, uint64_t seed);
/* Hours go by, and everybody who is up lives through each of them. */
void world_pass(struct world *w, unsigned hours);
/* Node i says something, and it arrives. */
void world_said(struct world *w, size_t i, const struct thread_id *t);
/* A thread of the first nodes clinics that hub opens; all have joined. */
struct thread_id world_group(struct world *w, size_t hub, size_t nodes);
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
/* Free the world; the test fails if the oracle found a fault. */
void world_end(struct world *w);

#endif
