/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Becoming somebody new: another certificate, key or profile is written, and
 * then told to the network, the protocol and whoever asks.
 */
#ifndef NODE_SELF_H
#define NODE_SELF_H

#include "node/api.h"
#include "node/clinic/event.h"

/* Identity and profile as they are to be.  Begin, change, commit, clear. */
struct node_self {
    struct node_api *api;
    struct node_identity identity;
    struct node_profile profile;
    uint16_t action; /* enum node_audit; 0: no person did it */
    uint64_t n;
    bool told; /* out: everybody knows; else try again */
};

/* Under identity_mx: a copy of what is now, to change. */
MUST_CHECK enum err node_self_begin(struct node_api *api, struct node_self *s);

/*
 * Under identity_mx: save it, then be it.  When it fails after it was saved,
 * the node is who it was until the next commit or start.
 */
MUST_CHECK enum err node_self_commit(struct node_self *s);
void node_self_clear(struct node_self *s);

/* ---------------------------------------------------------- the certificate */

/*
 * Looks after the node's certificate while it runs: renews it a month before
 * its end, or when the other clinics want a newer one; tries again after a
 * minute, two, four, up to an hour.
 */
struct node_renewal {
    struct node_api *api;
    uint64_t look_ms; /* mono: the next look at the calendar */
    uint64_t next_ms; /* mono: not tried before */
    uint64_t failed;  /* tries in a row */
};

/* Every second or so. */
void node_renewal_turn(struct node_renewal *r);

#endif
