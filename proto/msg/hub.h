/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nodes say about who orders a thread: the part of peer.h about another
 * hub, by plan or because one is gone, and past one that may lie.
 */
#ifndef PROTO_MSG_HUB_H
#define PROTO_MSG_HUB_H

#include "proto/msg/shape.h"

/* Will you order this thread from here on?  Our log stands at seq of term. */
struct proto_hub_offer {
    uint8_t req[16];
    uint8_t thread[32];
    uint64_t term;
    uint64_t seq;
    uint8_t head[32];
};

struct proto_hub_accept {
    uint8_t req[16];
    uint8_t thread[32];
    uint64_t code; /* enum proto_answer_code: ACCEPTED, WAIT, DENIED */
};

/*
 * What a member clinic signs about a thread's hub, as a statement of its node
 * (crypto/ident, IDENT_STATEMENT): [2, 1, ...] the hub of term is gone for it
 * since then, and it stands at seq; [3, 1, ...] said by the hub: term was
 * mine, and to orders the thread from behind seq on.  began is the term in
 * which that hub began (proto_group.term): it may have begun more since, each
 * time that it was put back.
 */
struct proto_hub_said {
    uint8_t thread[32];
    uint64_t term;
    uint64_t began;
    uint8_t hub[32];
    uint8_t to[32]; /* hand over: the next hub; else zeros */
    uint64_t seq;
    uint8_t head[32];
    uint64_t epoch;
    uint8_t authenticator[32]; /* GONE: zeros: rejoins, has no state */
    uint64_t since_ms;
    uint64_t ts_ms;
};

enum {
    PROTO_HUB_GONE = 2, /* heads of the statements */
    PROTO_HUB_HANDED = 3
};

struct proto_hub_signed {
    struct view statement; /* ident_by_node_open */
};

/* The hub is gone for us as well, or first. */
struct proto_hub_gone {
    uint8_t thread[32];
    struct view statement;
};

/*
 * It is not gone: we see it.  Or, moved not 0: the proof of that term, which
 * the receiver made with our words, is void, as we had gone on with the hub
 * before we heard of it.
 */
struct proto_hub_seen {
    uint8_t thread[32];
    uint64_t term; /* in which we are */
    uint64_t moved;
};

/*
 * The proof that to orders a thread in term, instead of hub, who began in
 * began, as the statements say too: proofs are a chain, whatever a hub that was
 * put back counted in between.
 * Planned: one statement of the hub, seq and head are those of its last entry,
 * the commit that says so.  Unplanned: statements of the other clinics, and
 * the commit is the first entry behind seq.
 */
struct proto_hub_move {
    uint8_t thread[32];
    uint64_t term;
    uint64_t began;
    uint8_t hub[32];
    uint8_t to[32];
    bool planned;
    uint64_t seq;
    uint8_t head[32];
    uint64_t ts_ms;               /* of the commit */
    struct view commit;           /* unplanned */
    struct proto_list statements; /* proto_hub_signed */
};

/* Where the nodes of a thread's member clinics can be dialled. */
struct proto_roster {
    uint8_t thread[32];
    struct proto_list nodes; /* proto_node_addr */
};

/*
 * Where we stand in the log of this thread, past the hub that carries it
 * (decisions D 19).  said is proto_stand behind [1, 1]: a clinic's signed by
 * its node (IDENT_STATEMENT), a device's as it is, its connection proves it.
 */
struct proto_checkpoint_msg {
    uint8_t thread[32];
    struct view said;
};

struct proto_stand {
    uint8_t thread[32];
    uint64_t term;
    uint64_t seq;
    uint8_t head[32];
    uint8_t hub[32];
    uint64_t epoch;
    uint64_t generation; /* of the sender's certificate */
    uint64_t ts_ms;      /* by the sender's clock */
};

enum {
    PROTO_STAND = 1 /* head of the statement */
};

/* Shapes of list items. */
extern const struct proto_shape proto_hub_signed_shape;
/* Of a statement, behind its head. */
extern const struct proto_shape proto_hub_said_shape;
extern const struct proto_shape proto_stand_shape;

#endif
