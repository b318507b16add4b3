/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The oracle's eye on keys: no two ciphertexts that anybody got are sealed
 * with one (thread, epoch, generation).
 *
 * A disk that is put back forgets.  What it sealed and nobody got cannot be
 * told to it by anybody (decisions E 20 compares with what others have), so
 * that generation comes again.  Of the two ciphertexts others have one; the
 * nonces differ all the same (RFC 9420 6.3.1, reuse guard).  Hence the rule
 * here is about what arrived, and not about what was made.  "Arrived" is
 * strict: also at a node that crashed before it had stored it.
 */
#include "tests/sim/store.h"

#include <stdlib.h>
#include <string.h>

static bool
same_key(const struct used *u, size_t node, const struct sealed *s)
{
    return u->node == node && u->what.thread == s->thread &&
           u->what.epoch == s->epoch && u->what.of == s->of &&
           u->what.generation == s->generation;
}

static void
judge(struct world *w, const struct used *u)
{
    for (size_t i = 0; i < w->used_len; i++) {
        const struct used *other = &w->used[i];

        if (other != u && same_key(other, u->node, &u->what) && other->heard) {
            w->reused++;
            world_fault(w, "generation used twice", u->node,
                        u->what.generation);
        }
    }
}

void
sim_sealed(struct world *w, const struct node *n, const struct sealed *sealed,
           size_t len)
{
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < w->used_len; k++) {
            w->unheard += same_key(&w->used[k], n->index, &sealed[i]) ? 1 : 0;
        }
        if (w->used_len == w->used_cap) {
            w->used_cap = w->used_cap == 0 ? 64 : w->used_cap * 2;
            w->used = realloc(w->used, w->used_cap * sizeof(w->used[0]));
            if (w->used == NULL) {
                abort();
            }
        }
        w->used[w->used_len++] = (struct used){sealed[i], n->index, false};
        judge(w, &w->used[w->used_len - 1]);
    }
}

void
sim_heard(struct world *w, size_t node, struct view frame)
{
    for (size_t i = 0; i < w->used_len; i++) {
        struct used *u = &w->used[i];
        uint8_t tail[8];

        if (u->heard || u->node != node) {
            continue;
        }
        for (size_t k = 0; k < sizeof(tail); k++) {
            tail[k] = (uint8_t)(u->what.tail >> (56 - 8 * k));
        }
        if (memmem(frame.p, frame.len, tail, sizeof(tail)) != NULL) {
            u->heard = true;
            judge(w, u);
        }
    }
}
