/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clocks.h"

#include <stdio.h>
#include <string.h>

#define HOUR_MS UINT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
/* Who was not heard again is no longer spoken of. */
#define KEEP_MS DAY_MS
/* The end of 9999: what is later is as wrong. */
#define LAST_MS UINT64_C(253402300799000)

void
node_clocks_init(struct node_clocks *c, const struct clock *clock)
{
    memset(c->heard, 0, sizeof(c->heard));
    c->clock = clock;
    (void)pthread_mutex_init(&c->mx, NULL);
}

void
node_clocks_clear(struct node_clocks *c)
{
    (void)pthread_mutex_destroy(&c->mx);
}

/* mx is held.  False: it agrees with ours. */
static bool
apart(const struct node_clocks *c, const struct node_clock_heard *h,
      struct node_clock_apart *out)
{
    uint64_t now = clock_wall_ms(c->clock);
    uint64_t theirs = h->theirs_ms + clock_mono_ms(c->clock) - h->mono_ms;

    out->root = h->root;
    out->ahead = theirs > now;
    out->at_least = h->how != NODE_CLOCK_SAID;
    out->by_ms = out->ahead ? theirs - now : now - theirs;
    return out->by_ms >= DAY_MS && (h->how == NODE_CLOCK_SAID ||
                                    out->ahead == (h->how == NODE_CLOCK_AFTER));
}

/* mx is held.  Where root is; else a place for it: a free one, or the one that
   was heard longest ago.  Strangers have the last places. */
static struct node_clock_heard *
place(struct node_clocks *c, const struct clinic_id *root, bool known)
{
    size_t first = known ? 0 : NODE_CLOCKS - NODE_CLOCKS_STRANGERS;
    size_t end = known ? NODE_CLOCKS - NODE_CLOCKS_STRANGERS : NODE_CLOCKS;
    struct node_clock_heard *best = NULL;

    for (size_t i = 0; i < NODE_CLOCKS; i++) {
        if (c->heard[i].theirs_ms != 0 &&
            clinic_id_equal(&c->heard[i].root, root)) {
            return &c->heard[i];
        }
    }
    for (size_t i = first; i < end; i++) {
        struct node_clock_heard *h = &c->heard[i];

        if (best == NULL ||
            (best->theirs_ms != 0 &&
             (h->theirs_ms == 0 || h->mono_ms < best->mono_ms))) {
            best = h;
        }
    }
    return best;
}

void
node_clocks_hear(struct node_clocks *c, const struct clinic_id *root,
                 enum node_clock_how how, uint64_t theirs_ms, bool known)
{
    struct node_clock_heard h = {.root = *root,
                                 .how = how,
                                 .theirs_ms =
                                     theirs_ms < LAST_MS ? theirs_ms : LAST_MS};
    struct node_clock_heard *at;
    struct node_clock_apart a;

    if (theirs_ms == 0) {
        return;
    }
    (void)pthread_mutex_lock(&c->mx);
    h.mono_ms = clock_mono_ms(c->clock);
    at = place(c, root, known);
    if (apart(c, &h, &a)) {
        *at = h;
    } else if (at->theirs_ms != 0 && clinic_id_equal(&at->root, root) &&
               how == NODE_CLOCK_SAID) {
        at->theirs_ms = 0;
    }
    (void)pthread_mutex_unlock(&c->mx);
}

bool
node_clocks_of(struct node_clocks *c, const struct clinic_id *root,
               struct node_clock_apart *out)
{
    bool found = false;

    (void)pthread_mutex_lock(&c->mx);
    for (size_t i = 0; i < NODE_CLOCKS && !found; i++) {
        found = c->heard[i].theirs_ms != 0 &&
                clinic_id_equal(&c->heard[i].root, root) &&
                apart(c, &c->heard[i], out);
    }
    (void)pthread_mutex_unlock(&c->mx);
    return found;
}

size_t
node_clocks_all(struct node_clocks *c, struct node_clock_apart out[NODE_CLOCKS])
{
    size_t n = 0;

    (void)pthread_mutex_lock(&c->mx);
    for (size_t i = 0; i < NODE_CLOCKS; i++) {
        struct node_clock_heard *h = &c->heard[i];

        if (h->theirs_ms != 0 &&
            clock_mono_ms(c->clock) - h->mono_ms < KEEP_MS &&
            apart(c, h, &out[n])) {
            n++;
        }
    }
    (void)pthread_mutex_unlock(&c->mx);
    return n;
}

bool
node_clocks_mended(struct node_clocks *c, struct clinic_id *out)
{
    bool found = false;

    (void)pthread_mutex_lock(&c->mx);
    for (size_t i = 0; i < NODE_CLOCKS && !found; i++) {
        struct node_clock_heard *h = &c->heard[i];
        struct node_clock_apart a;

        if (h->theirs_ms != 0 && !apart(c, h, &a)) {
            *out = h->root;
            h->theirs_ms = 0;
            found = true;
        }
    }
    (void)pthread_mutex_unlock(&c->mx);
    return found;
}

void
node_clock_text(const struct node_clock_apart *a, char out[NODE_CLOCK_TEXT])
{
    uint64_t hours = (a->by_ms + HOUR_MS / 2) / HOUR_MS;
    unsigned days = (unsigned)(hours / 24);
    unsigned rest = (unsigned)(hours % 24);
    char by[48];

    if (days >= 730) {
        (void)snprintf(by, sizeof(by), "%u years", (days + 182) / 365);
    } else if (days >= 10 || rest == 0) {
        (void)snprintf(by, sizeof(by), "%u day%s", days, days == 1 ? "" : "s");
    } else {
        (void)snprintf(by, sizeof(by), "%u day%s and %u hour%s", days,
                       days == 1 ? "" : "s", rest, rest == 1 ? "" : "s");
    }
    (void)snprintf(out, NODE_CLOCK_TEXT, "%s%s %s this machine's",
                   a->at_least ? "at least " : "", by,
                   a->ahead ? "ahead of" : "behind");
}
