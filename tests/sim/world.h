/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator: several clinics' nodes in one process, run from one seed.
 * Each has the real core on an in-memory store whose commits take time and can
 * be lost; a network that delays, breaks and partitions; clocks that are
 * turned by hand.  Outside of the nodes stands an oracle that remembers what
 * people were told.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "crypto/prim/curve.h"
#include "federation/core/patient.h"
#include "tests/support/seed_rng.h"

enum {
    WORLD_NODES = 8,
    WORLD_PATIENTS = 2,
    WORLD_CONNS = WORLD_NODES * WORLD_NODES,
    WORLD_DESK = 100, /* namespace of the desk's messages */
    WORLD_STATE = 101,
    WORLD_SELF = 102,    /* who the node is: one row */
    WORLD_PICTURE = 103, /* clinic: its picture */
    WORLD_LINE = 104     /* as a desk keeps them: core/line.h */
};

struct world;

/* A deliberate mistake of a runner, to show that the oracle sees it. */
enum world_tooth {
    TOOTH_NONE,
    TOOTH_ACT_BEFORE_COMMIT, /* frames leave before their transaction */
    TOOTH_SHOW_TWICE,        /* a batch's shows are applied twice */
    TOOTH_NO_RATCHET,        /* MLS secrets are not stored per message */
    TOOTH_TWO_TRANSACTIONS   /* the desk's rows in one of their own */
};

struct row {
    uint16_t ns;
    struct bytes key;
    struct bytes value;
};

struct rows {
    struct row *at;
    size_t len;
    size_t cap;
};

struct sealed {
    uint64_t thread;
    uint64_t epoch;
    uint64_t of; /* its authenticator: two hubs may begin one epoch */
    uint64_t generation;
    uint64_t tail; /* last bytes of the ciphertext */
};

/* One that is durable. */
struct used {
    struct sealed what;
    size_t node;
    bool heard; /* somebody got the ciphertext */
};

struct pending {
    const struct fed_batch *batch;
    uint64_t due_ms;
    struct sealed *sealed;
    size_t sealed_len;
};

struct node {
    struct world *world;
    size_t index;
    struct prim_sign_key root;
    struct prim_sign_key renewal;
    struct prim_sign_key key;
    struct bytes chain;
    uint64_t generation;
    uint32_t renewal_generation;
    struct bytes revocation;
    uint64_t renew; /* a certificate above this is wanted; 0: none is */
    struct bytes profile;
    struct view picture;   /* of a clinic; the test's bytes */
    struct fed_core *core; /* NULL: down */
    struct rows rows;
    struct log log;
    struct pending pending[64];
    size_t pending_len;
    struct sealed *sealed;
    size_t sealed_len;
    size_t sealed_cap;
    bool wants[WORLD_NODES];
    uint64_t timer_ms; /* by its own clock */
    bool asleep;       /* the machine is suspended */
    uint64_t fell_ms;  /* since then */
    uint64_t slept_ms; /* so long in all: its own clock stood still */
    uint64_t blind_ms; /* until then it does not notice what broke */
    uint64_t said;     /* counter of messages */
    bool mute;         /* what was said is not found: it answers nobody */
    struct clock clock;
    struct mem mem;   /* of the core */
    uint64_t fail_in; /* allocations until one fails; 0: none does */
    size_t resets;
    /* what happened, for tests */
    size_t rollbacks;
    size_t stopped;  /* told that a newer copy runs */
    size_t put_back; /* told that a peer was */
    size_t forks;
    size_t continued;
    struct thread_id continued_from;
    size_t gaps;
    size_t bad;
    size_t links_used[16];  /* by code */
    size_t links_shown[16]; /* by code */
    size_t overdue;
    size_t hubs[4];    /* by code */
    size_t doubts[11]; /* by code: told, and over; the last one of each */
    size_t settled[10];
    struct fed_show doubt[11];
    struct fed_show fork; /* the last one */
    size_t resent;
    size_t consents[8]; /* by code */
    size_t devices[8];
    size_t members[8];
    size_t enrols[16];
    size_t intros; /* heard */
    size_t patients;
    size_t reports[8];     /* by enum fed_proof; the last: too many */
    struct message_id ask; /* the last question */
    struct thread_id ask_in;
    /* a device */
    enum fed_kind kind;
    size_t patient;
    struct bytes list;
};

/* A patient's own key, and what it last signed. */
struct patient {
    struct prim_sign_key key;
    uint64_t count;
    struct ident_devices list;
    struct bytes text;
};

struct wire_frame {
    struct bytes frame;
    uint64_t due_ms;
};

struct conn {
    bool up;
    size_t node[2]; /* node[0] dialled */
    uint64_t serial[2];
    bool told_down[2];
    uint64_t down_ms;
    struct wire_frame *queue[2]; /* to node[i] */
    size_t len[2];
    size_t cap[2];
};

/* What a person wrote. */
struct said {
    struct thread_id thread;
    struct message_id id;
    size_t node;
    uint64_t number;
    bool durable; /* the desk has it: it must not be lost any more */
};

struct world {
    struct seed_rng rng;
    uint64_t seed;
    uint64_t wall_ms;
    uint64_t mono_ms;
    struct node nodes[WORLD_NODES];
    size_t nodes_len;
    struct patient patients[WORLD_PATIENTS];
    struct conn conns[WORLD_CONNS];
    bool cut[WORLD_NODES][WORLD_NODES];
    uint64_t serial;
    uint64_t delay_ms;
    uint64_t commit_ms;
    uint64_t break_ppm; /* chance that a connection breaks in a step */
    uint64_t hunger;    /* one in about so many allocations fails; 0: none */
    enum world_tooth tooth;
    /* A node that lies: does from send to something else than this item? */
    bool (*lie)(struct world *w, size_t from, size_t to, struct view item,
                struct bytes *instead);
    struct fed_limits limits; /* of nodes that are started from now on */
    struct said *said;
    size_t said_len;
    size_t said_cap;
    struct used *used;
    size_t used_len;
    size_t used_cap;
    size_t reused;
    size_t unheard; /* used again, but nobody got the first */
    size_t frames;
    bool trace;
    bool tired;      /* saying why it is not quiet */
    char fault[200]; /* the first thing the oracle found */
};

void world_trace(const struct world *w, const char *what, size_t node,
                 uint64_t a, uint64_t b);
void world_init(struct world *w, uint64_t seed, size_t nodes);
void world_free(struct world *w);

uint64_t world_below(struct world *w, uint64_t n);
bool world_chance(struct world *w, uint64_t per_thousand);
void world_fault(struct world *w, const char *what, size_t node, uint64_t a);

/* Start a node on what its store holds; stop it, losing what is not
   committed. */
void node_start(struct world *w, size_t i);
void node_crash(struct world *w, size_t i);
/* The machine is suspended, and resumed: its connections are gone, which it
   notices only after a while. */
void world_sleep(struct world *w, size_t i);
void world_wake(struct world *w, size_t i);
/* A copy of everything that is committed, and back (the node is down). */
void node_snapshot(struct world *w, size_t i, struct rows *out);
void node_copy_back(struct world *w, size_t i, const struct rows *from);
/* From a backup: without secrets, and the core is told.  Starts it. */
void node_restore(struct world *w, size_t i, const struct rows *from);
void rows_free(struct rows *rows);
/* A step was made: the batch is (sometimes) closed. */
void node_stepped(struct world *w, size_t i, enum err e);

/* A new node key and certificate; with revoke all before are revoked. */
void node_rotate(struct world *w, size_t i, bool revoke);

/* Another picture, or none. */
void node_picture(struct world *w, size_t i, struct view picture);

struct clinic_id node_root(const struct world *w, size_t i);
/* A link of node i and the invitation that it makes. */
struct fed_invitation world_link(struct world *w, size_t i, bool one_time,
                                 bool review, uint8_t id);
/* Connect two nodes by a public link and wait until they can talk. */
void world_befriend(struct world *w, size_t a, size_t b);
struct thread_id world_direct(struct world *w, size_t a, size_t b);
/* Node i writes its next message; remembered by the oracle. */
enum err world_say(struct world *w, size_t i, const struct thread_id *thread);
/* Several within one batch. */
enum err world_burst(struct world *w, size_t i, const struct thread_id *thread,
                     uint64_t count);

/* device.c: patients and their devices, which are nodes as well. */
struct subject_id node_subject(const struct world *w, size_t i);
/* One more device of patient p, in a list that the patient key signs; started,
   enrolled nowhere. */
size_t world_device(struct world *w, size_t p);
/* A new list with all devices but i (a node). */
void world_lose(struct world *w, size_t p, size_t i);
/* Device d becomes a patient of clinic c by link and can talk. */
void world_enrol(struct world *w, size_t d, size_t c);
/* d asks to be one more device of a patient of clinic c; and is it. */
void world_ask(struct world *w, size_t d, size_t c);
void world_enrol_further(struct world *w, size_t d, size_t c);
/* The direct conversation of clinic c with the patient of device d. */
struct thread_id world_care(struct world *w, size_t c, size_t d);
/* A thread of clinic c with the patient of device d. */
struct thread_id world_open(struct world *w, size_t c, size_t d);
/* c asks d's patient to let clinic who in; yes or no. */
void world_consent(struct world *w, const struct thread_id *t, size_t c,
                   size_t d, size_t who, bool yes);
/* Run until all of these are active in thread t. */
bool world_in(struct world *w, const struct thread_id *t, const size_t *who,
              size_t len);

/* One step of ms milliseconds. */
void world_step(struct world *w, uint64_t ms);
void world_run(struct world *w, uint64_t ms);
/* Mend everything, start everybody, and run until nothing moves. */
void world_heal(struct world *w);
void world_break(struct world *w, size_t a, size_t b);
void world_cut(struct world *w, size_t a, size_t b, bool cut);

/* The oracle, on these members of a thread. */
void world_judge(struct world *w, const struct thread_id *thread,
                 const size_t *members, size_t len);
/* Messages of a thread at a node's desk. */
size_t node_messages(struct world *w, size_t i, const struct thread_id *thread);
bool node_has(struct world *w, size_t i, const struct thread_id *thread,
              const struct message_id *id);
enum fed_thread_state node_state(struct world *w, size_t i,
                                 const struct thread_id *thread);

#endif
