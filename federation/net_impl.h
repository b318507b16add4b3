/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the network share; nobody else includes it.
 *
 *   net.c      start, stop, the functions of net.h
 *   link.c     one connection that speaks node frames (a mode of conn.h)
 *   peers.c    the table of roots: which link is up, which waits, who wins
 *   dialer.c   who should be connected, and attempts to reach them
 *   reaper.c   the two threads: one frees, one watches the clock
 *   web*.c     the web port (web_impl.h)
 *
 * net->mx guards the table, the lists and the wants.  It is taken with a
 * connection's lock held, never the other way round, and never during a call
 * to the layer above.
 */
#ifndef FEDERATION_NET_IMPL_H
#define FEDERATION_NET_IMPL_H

#include "federation/conn.h"
#include "federation/frame.h"
#include "federation/resolve.h"

enum {
    FED_BUCKETS = 1024,
    FED_LISTENERS = 8,
    FED_KINDS = 2 /* enum fed_peer_kind */
};

enum fed_phase {
    FED_PHASE_PENDING, /* handshake, or acceptance, under way */
    FED_PHASE_WAITING, /* for its predecessor to be reaped */
    FED_PHASE_UP
};

struct fed_entry;
struct fed_attempt;
struct fed_web;
struct fed_web_door;
struct fed_web_link;

struct fed_link {
    struct fed_conn conn; /* first */
    struct fed_net *net;
    uint64_t serial;
    bool dialled;
    struct clinic_id expected; /* when dialled */
    struct fed_ip remote;
    struct fed_web_link *web; /* NULL: node frames */
    atomic_bool known;

    /* of the turn */
    struct fed_verdict verdict;
    struct bytes chain; /* until on_peer_up */
    struct device_id tls_key;
    uint8_t exporter[TLSP_EXPORTER_LEN];
    struct fed_frame_rd rd;
    size_t held; /* counted in net->assembling */
    uint64_t opened_ms;
    atomic_ullong frame_since_ms; /* of an unfinished frame; 0: none */
    atomic_ullong frame_got;      /* received since then */

    /* under conn.mx */
    void *peer_ctx;
    bool ctx_set;
    bool writable_missed;

    /* under net->mx */
    enum fed_phase phase;
    bool stranger; /* counted in net->strangers */
    uint64_t up_ms;
    struct fed_entry *entry;
    struct fed_attempt *attempt;
    struct fed_link *prev, *next; /* in net->links */
    struct fed_link *next_dead;   /* under net->reaper_mx */
};

/* Addresses to try, owned. */
struct fed_addrs {
    struct fed_addr *a;
    size_t n;
};

/* Wish to be connected.  Under net->mx. */
struct fed_want {
    bool standing;
    struct fed_addrs addrs; /* when standing */
    struct fed_addrs once;  /* to be tried next, once */
    uint32_t failures;      /* attempts since the last link */
    uint32_t shorts;        /* links in a row that did not last */
    uint64_t due_ms;
};

/* A root.  Lives while it has a link, a want or an attempt. */
struct fed_entry {
    struct clinic_id root;
    enum fed_peer_kind kind;
    struct fed_entry *next;
    struct fed_link *current; /* up */
    struct fed_link *waiting; /* takes over when current is reaped */
    struct fed_want want;
    struct fed_attempt *attempt;
};

/* One round through a root's addresses; steps run on the reaper. */
struct fed_attempt {
    struct fed_net *net;
    struct clinic_id root;
    struct fed_addrs addrs;
    bool once;
    size_t addr_i;
    struct fed_ip ips[FED_RESOLVE_MAX];
    size_t ips_n, ip_i;
    enum fed_why why;
    /* under net->mx */
    bool cancelled;
    struct fed_dialing *dialing;
    /* result of the step under way */
    enum err step_e;
    struct fed_stream *stream;
    struct fed_attempt *next_job; /* under net->reaper_mx */
};

struct fed_net {
    struct fed_conn_env env;
    const struct mem *mem;
    const struct clock *clock;
    const struct rng *rng;
    const struct log *log;
    const struct fed_io *io;
    struct fed_net_user user;
    struct clinic_id root;
    struct fed_resolver *resolver;
    struct fed_web *web; /* NULL: no web port */

    pthread_mutex_t mx;
    pthread_cond_t idle_cv; /* when stopping: nothing is left */
    struct tlsp_policy *policy;
    uint8_t seed[32]; /* for channels inside WebSockets */
    struct bytes chain;
    struct fed_entry *buckets[FED_BUCKETS];
    uint64_t hash_seed;
    struct fed_link *links, *links_last; /* oldest first */
    size_t strangers[FED_KINDS], attempts, standing;
    uint64_t serial;
    bool stopping;
    struct fed_listener *listeners[FED_LISTENERS];
    size_t listeners_n;
    struct fed_net_stats stats; /* counters, peers and pending */

    atomic_ullong rx_frames;
    atomic_ullong assembling;
    atomic_ullong stop_by_ms; /* 0: not stopping */

    pthread_mutex_t reaper_mx;
    pthread_cond_t reaper_cv;
    struct fed_link *dead;
    struct fed_attempt *jobs;
    bool reaper_quit;
    pthread_t reaper, sweeper;
    bool reaper_runs, sweeper_runs;
    atomic_bool sweeper_quit;
    int wake_fd;
};

/* -------------------------------------------------------------- link.c */
/*
 * Make a link on stream, which is taken in every case, and start it.  attempt
 * may be NULL and is answered through fed_dialer_link_ended or _up.
 * ERR_STATE  stopping
 */
MUST_CHECK enum err fed_link_open(struct fed_net *net,
                                  struct fed_stream *stream,
                                  const struct clinic_id *expected,
                                  struct fed_attempt *attempt);
/*
 * Start l, whose memory is zeroed but for what its maker set, as mode says.  On
 * failure nothing is taken.
 */
MUST_CHECK enum err fed_link_run(struct fed_link *l,
                                 const struct fed_conn_mode *mode,
                                 struct fed_stream *stream, struct tlsp *tls);
/* The last thing that the thread which started l does with it: is there a
   shutdown meanwhile? */
void fed_link_started(struct fed_link *l);
/* For both modes.  The peer shows chain and proves key: is it welcome? */
MUST_CHECK enum err fed_link_judge(struct fed_link *l, struct view chain,
                                   const struct device_id *key);
/* It is proven: it goes up, waits (FED_PAUSE) or is closed (FED_PAUSE). */
enum fed_flow fed_link_offer(struct fed_link *l);
/* One frame for the layer above. */
enum fed_flow fed_link_deliver(struct fed_link *l, struct view frame);
/* Unfinished frames hold so many bytes here.  ERR_LIMIT  too many in all */
MUST_CHECK enum err fed_link_account(struct fed_link *l, size_t held);
/* The clock of an unfinished frame, for the sweep: got more bytes came. */
void fed_link_time(struct fed_link *l, bool partial, size_t got);
void fed_link_writable(struct fed_conn *c);
void fed_link_ref(struct fed_link *l);
void fed_link_unref(struct fed_link *l);
/* l is the one: tell the layer above, let it speak.  In l's turn, or while it
 * is paused. */
void fed_link_go_up(struct fed_link *l);
void fed_link_known(struct fed_link *l);
/* Everything after its stream was closed.  Reaper. */
void fed_link_reap(struct fed_link *l);
void fed_link_sweep(struct fed_link *l, uint64_t now_ms);
void fed_link_info(const struct fed_link *l, struct fed_peer_info *out);

/* ------------------------------------------------------------- peers.c */
enum fed_offer {
    FED_OFFER_UP,     /* call fed_link_go_up */
    FED_OFFER_WAIT,   /* another must be reaped first */
    FED_OFFER_REFUSED /* close it */
};
/* l is proven: does it become the link to its root?  *why_out if refused. */
enum fed_offer fed_peers_offer(struct fed_link *l, enum fed_why *why_out);
/* Add a new link to the list; mx is held. */
void fed_peers_add(struct fed_link *l);
/* l no longer counts as one; mx is held. */
void fed_peers_no_stranger(struct fed_link *l);
/* l was reaped; gives the one that takes over, or NULL. */
struct fed_link *fed_peers_remove(struct fed_link *l);
/* The entry of root; mx is held.  make: create it (NULL: no memory). */
struct fed_entry *fed_peers_entry(struct fed_net *net,
                                  const struct clinic_id *root, bool make);
/* Give the entry back if nothing needs it; mx is held. */
void fed_peers_tidy(struct fed_net *net, const struct clinic_id *root);
/* The link that is up, with a reference, or NULL and the error. */
struct fed_link *fed_peers_get(struct fed_net *net, const struct fed_peer *peer,
                               enum err *e_out);
/*
 * References to the links with the smallest serials above after, in order, at
 * most cap of them; their number.  *last_out is the last one's serial.
 */
size_t fed_peers_all(struct fed_net *net, uint64_t after, struct fed_link **out,
                     size_t cap, uint64_t *last_out);
/*
 * May s, which has come through door (NULL: the node port), stay?  Closes the
 * link that waits longest to make room where that is needed; frees s if not.
 */
bool fed_peers_admit(struct fed_net *net, struct fed_stream *s,
                     const struct fed_web_door *door);
/* Close all links of root, or of everyone (NULL). */
void fed_peers_close(struct fed_net *net, const struct clinic_id *root,
                     enum fed_why why, bool linger);

/* ------------------------------------------------------------ dialer.c */
/* Start what is due; when the next one is, at most until limit_ms. */
uint64_t fed_dialer_run(struct fed_net *net, uint64_t now_ms,
                        uint64_t limit_ms);
/* The step under way ended; reaper. */
void fed_dialer_step(struct fed_attempt *a);
/* A link of an attempt ended before it was up; reaper. */
void fed_dialer_link_failed(struct fed_attempt *a, enum fed_why why);
/* A link on a stream handed in ended before it was up; reaper. */
void fed_dialer_stream_failed(struct fed_link *l);
/* root has a link now (mx is held); l->attempt is done. */
void fed_dialer_link_up(struct fed_link *l);
/* The link of root that was up is gone; mx is held. */
void fed_dialer_link_down(struct fed_entry *e, const struct fed_link *l);
/* Forget all wants and end all attempts. */
void fed_dialer_stop(struct fed_net *net);

/* ------------------------------------------------------------ reaper.c */
MUST_CHECK enum err fed_reaper_start(struct fed_net *net);
/* Both threads end; nothing must be left to reap. */
void fed_reaper_stop(struct fed_net *net);
void fed_reaper_link(struct fed_link *l);
void fed_reaper_attempt(struct fed_attempt *a);
void fed_sweeper_wake(struct fed_net *net);
/* If stopping and nothing is left, say so; mx is held. */
void fed_net_note_idle(struct fed_net *net);

#endif
