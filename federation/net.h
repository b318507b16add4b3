/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of a node: who is connected, sending them frames, dialling those
 * who should be.  Listens on the node port, keeps one connection per peer
 * root, and hides sockets, TLS, deadlines, quotas and back-off.
 *
 * A peer is connected once its chain was verified inside the TLS handshake
 * *and* its side accepted ours.  Two connections to one root end in one: of
 * two dialled at the same moment the one dialled by the smaller root stays;
 * otherwise the newer replaces the older.
 *
 * Frames are opaque here: 1 to LIMIT_FRAME bytes (LIMIT_FRAME_UNKNOWN_PEER
 * received from a peer that is not known).  They arrive whole, in order, and
 * without loss until on_peer_down; what was sent shortly before it may be
 * lost (streams and acknowledgements are the layer above).
 *
 * A peer is a clinic's node or a patient's device.  A device shows a device
 * certificate where a node shows its chain; its root here is its device id (its
 * TLS key).  Devices dial and are never dialled; one connection each, as with
 * clinics; they have allowances of their own.  A device's own net is this one
 * too: its identity's root is the device id and its chain the certificate.
 * web.h lets devices in through WebSockets; above they look the same.
 *
 * Callbacks come on network threads, many at once, but for one peer one at a
 * time (except on_writable), in this order:
 *     on_peer_up, any on_frame and on_writable, on_peer_down
 * They must not block (no disk writes, no waiting), may call every function
 * here but fed_net_stop, and may be under way until fed_net_stop returns.
 */
#ifndef FEDERATION_NET_H
#define FEDERATION_NET_H

#include "federation/addr.h"
#include "federation/io.h"
#include "proto/base/clock.h"
#include "proto/base/id.h"
#include "proto/base/limits.h"
#include "proto/base/log.h"
#include "proto/base/rng.h"

struct fed_net;

enum fed_peer_kind {
    FED_PEER_CLINIC,
    FED_PEER_DEVICE
};

/* One connection to a peer.  serial 0 stands for whichever is up. */
struct fed_peer {
    struct clinic_id root; /* of a device: its id */
    uint64_t serial;       /* of this connection, from 1, never reused */
};

/* Why a connection ended, or an attempt failed. */
enum fed_why {
    FED_WHY_NONE,
    FED_WHY_CLOSED_HERE,  /* fed_net_close, fed_net_undial */
    FED_WHY_CLOSED_THERE, /* the peer closed in order */
    FED_WHY_LOST,         /* reset, network gone */
    FED_WHY_SILENT,       /* nothing heard within the idle deadline */
    FED_WHY_STALLED,      /* takes nothing, or sends a frame too slowly */
    FED_WHY_BAD_BYTES,    /* not TLS, not our frames, frame too large */
    FED_WHY_REPLACED,     /* another connection to the same peer stays */
    FED_WHY_REVOKED,      /* fed_net_revoke */
    FED_WHY_SHUTDOWN,     /* fed_net_stop */
    FED_WHY_QUOTA,        /* too much from this peer or address */
    FED_WHY_NO_ADDRESS,   /* the name does not resolve */
    FED_WHY_REFUSED,      /* nothing listens there */
    FED_WHY_TIMEOUT,      /* no answer */
    FED_WHY_WRONG_PEER,   /* someone else answers at that address */
    FED_WHY_NOT_ACCEPTED, /* it closed before it accepted us */
    FED_WHY_NO_MEMORY,
    FED_WHY_OUTDATED,     /* it knows a newer certificate of ours: we are a copy
                             of before that, or ours was revoked */
    FED_WHY_OLD_PEER,     /* its certificate is older than one that we know */
    FED_WHY_EXPIRED,      /* our certificate has expired by its clock */
    FED_WHY_EXPIRED_PEER, /* its certificate has expired by our clock */
    FED_WHY_COUNT_
};

/* Short stable name, such as "refused". */
const char *fed_why_name(enum fed_why why);

/*
 * What the layer above made of a certificate chain.  known: frames up to
 * LIMIT_FRAME at once; otherwise 4 KiB and a deadline until fed_net_known.
 */
struct fed_verdict {
    enum fed_peer_kind kind;
    struct clinic_id root; /* of a device: tls_key */
    bool known;
};

/* What is proven about a connected peer.  Views last during the callback. */
struct fed_peer_info {
    enum fed_peer_kind kind;
    struct fed_peer peer;
    struct device_id tls_key; /* the node key that the chain certifies */
    struct view chain;        /* as verified; of a device: its certificate */
    uint8_t exporter[32];     /* of TLS, label FED_EXPORTER_LABEL (decisions
                                 B 7), or of the channel inside a WebSocket */
    struct fed_ip remote;     /* family 0 inside a splice */
    bool dialled;             /* we dialled it */
    bool web;                 /* through a WebSocket */
    bool known;
};

#define FED_EXPORTER_LABEL "EXPORTER-balsam v1 link"

/* Whether a peer may go on sending. */
enum fed_flow {
    FED_GO,
    FED_PAUSE /* this frame is taken, no more until fed_net_resume */
};

struct fed_net_user {
    /*
     * Judge a chain inside the handshake (see tlsp_verifier; short reads of
     * the store are fine).  expected is NULL for an accepted connection.  An
     * array of 2 is a device certificate, one of 3 a clinic's chain; a device
     * that is not enrolled has no list to judge it by: it is accepted unknown
     * when its certificate names tls_key.
     * Anything but OK ends the handshake; a dialler's log says why.
     *
     * ERR_AUTH    the chain does not verify, or is not expected's
     * ERR_STALE   revoked, or an older generation than known; a device that
     *             its list does not have any more
     * ERR_TIMEOUT expired
     * ERR_DENIED  blocked
     */
    enum err (*verify)(void *ctx, struct view chain,
                       const struct device_id *tls_key,
                       const struct clinic_id *expected,
                       struct fed_verdict *out);

    /* A peer is connected.  The result comes back as peer_ctx. */
    void *(*on_peer_up)(void *ctx, const struct fed_peer_info *info);

    /* One frame, valid during the call. */
    enum fed_flow (*on_frame)(void *ctx, void *peer_ctx,
                              const struct fed_peer *peer, struct view frame);

    /* After ERR_AGAIN from fed_net_send: half of the room is free again. */
    void (*on_writable)(void *ctx, void *peer_ctx, const struct fed_peer *peer);

    /* The last call for this connection. */
    void (*on_peer_down)(void *ctx, void *peer_ctx, const struct fed_peer *peer,
                         enum fed_why why);

    /*
     * An attempt to reach root failed at all its addresses; the next one is
     * in retry_ms (0: none, it was asked for once).  May be NULL.
     */
    void (*on_dial_failed)(void *ctx, const struct clinic_id *root,
                           enum fed_why why, uint64_t retry_ms);
    void *ctx;
};

/* Who we are.  Copied; the caller wipes its seed. */
struct fed_identity {
    struct clinic_id root; /* a device's own net: the device id */
    struct view node_seed; /* 32 bytes; of the device key */
    struct view chain; /* root > renewal > node, msgpack; device certificate */
};

/* Every 0 means the default, which the name gives. */
struct fed_net_tuning {
    uint32_t connect_ms;          /* 10,000: TCP, per address */
    uint32_t handshake_ms;        /* 10,000: TLS and acceptance */
    uint32_t stranger_ms;         /* 60,000: until fed_net_known */
    uint32_t keepalive_ms;        /* 25,000: say something when idle */
    uint32_t idle_ms;             /* 80,000: nothing heard */
    uint32_t stall_ms;            /* 60,000: no progress of a send or frame */
    uint32_t linger_ms;           /* 2,000: flush when closing */
    uint32_t stop_ms;             /* 5,000: whole shutdown */
    uint32_t sweep_ms;            /* 1,000 */
    uint32_t high_water;          /* 4 MiB queued to one peer */
    uint32_t high_water_stranger; /* 64 KiB */
    uint32_t pending_max;         /* 1,024 unauthenticated connections */
    uint32_t pending_per_site;    /* 64 of them from one address (v6: /64) */
    uint32_t high_water_device;   /* 1 MiB */
    uint32_t strangers_max;       /* 256 connected strangers of each kind */
    uint32_t rx_per_s;            /* 64 MiB/s taken from a known peer */
    uint32_t rx_per_s_device;     /* 8 MiB/s */
    uint32_t rx_per_s_stranger;   /* 32 KiB/s */
    uint32_t assembling_max;      /* 256 MiB of unfinished frames, all peers */
    uint32_t dials_max;           /* 64 at once */
    uint32_t backoff_min_ms; /* FED_BACKOFF_MIN_MS; scales the whole curve */
};

/* mem, clock, rng, log, io and user.ctx must outlive the net. */
struct fed_net_config {
    const struct mem *mem;
    const struct clock *clock;
    const struct rng *rng;
    const struct log *log;
    const struct fed_io *io;
    struct fed_net_user user;
    struct fed_identity identity;
    struct fed_net_tuning tuning;
};

/*
 * Start: three threads (reaper, sweeper with the dialler, resolver), nothing
 * listening yet.  SIGPIPE must be ignored by the process.
 */
MUST_CHECK enum err fed_net_start(const struct fed_net_config *config,
                                  struct fed_net **out);

/*
 * Listen at a numeric address; may be called several times.  *port_out (may be
 * NULL) becomes the port, also when 0 was asked for.
 * ERR_FORMAT  host is a name;  others as struct fed_io's listen
 */
MUST_CHECK enum err fed_net_listen(struct fed_net *net,
                                   const struct fed_addr *addr,
                                   uint16_t *port_out);

/*
 * Shut down within stop_ms: no new connections, queued frames flushed as far
 * as peers take them, everyone closed with FED_WHY_SHUTDOWN, threads joined,
 * memory given back.  No callback comes after it.  net may be NULL.
 */
void fed_net_stop(struct fed_net *net);

/*
 * From now on handshakes show this identity (renewal, rotation); connections
 * that are up stay.  The root must be the one started with.
 * ERR_INVALID  another root, or as tlsp_policy_node
 */
MUST_CHECK enum err fed_net_set_identity(struct fed_net *net,
                                         const struct fed_identity *identity);

/*
 * Keep a connection to root: dial addrs (1 to FED_DIAL_ADDRS, tried in order),
 * again with back-off until it is up, and again when it is lost.  Other
 * addresses replace the old ones and are dialled at once; the same again
 * changes nothing (see fed_net_poke).  Fine while root is connected.
 *
 * ERR_INVALID  root is our own, or no address
 * ERR_LIMIT    more than FED_DIAL_ADDRS addresses
 */
enum {
    FED_DIAL_ADDRS = 8
};
MUST_CHECK enum err fed_net_dial(struct fed_net *net,
                                 const struct clinic_id *root,
                                 const struct fed_addr *addrs,
                                 size_t addrs_len);

/*
 * The same, once: on_peer_up or on_dial_failed follows, and no redial.  Does
 * not disturb a standing fed_net_dial for the same root (it is dialled now).
 */
MUST_CHECK enum err fed_net_dial_once(struct fed_net *net,
                                      const struct clinic_id *root,
                                      const struct fed_addr *addrs,
                                      size_t addrs_len);

/*
 * The same over a stream that is already open, such as a splice.  Takes
 * *take_stream in every case and sets it to NULL.
 */
MUST_CHECK enum err fed_net_dial_stream(struct fed_net *net,
                                        const struct clinic_id *root,
                                        struct fed_stream **take_stream);

/* Accept over a stream that is already open (the far end of a splice). */
MUST_CHECK enum err fed_net_accept_stream(struct fed_net *net,
                                          struct fed_stream **take_stream);

/* No longer keep a connection to root; one that is up stays. */
void fed_net_undial(struct fed_net *net, const struct clinic_id *root);

/* There was a sign of life from root: dial now if it is wanted and down. */
void fed_net_poke(struct fed_net *net, const struct clinic_id *root);

/*
 * Queue one frame.  On OK the contents of *take_frame are taken and it is left
 * empty; otherwise it is untouched.
 *
 * ERR_AGAIN    high water is reached; on_writable follows
 * ERR_MISSING  not connected
 * ERR_STALE    that connection is gone; another one is up
 * ERR_LIMIT    longer than LIMIT_FRAME, or empty
 */
MUST_CHECK enum err fed_net_send(struct fed_net *net,
                                 const struct fed_peer *peer,
                                 struct bytes *take_frame);

/*
 * The same for what may wait, such as a chunk of a file: only one at a time
 * stands between a message and the network.
 * ERR_AGAIN  something is queued; on_writable follows when it has gone
 */
MUST_CHECK enum err fed_net_send_bulk(struct fed_net *net,
                                      const struct fed_peer *peer,
                                      struct bytes *take_frame);

/*
 * Between on and off, what is queued to a peer waits, and then leaves in one
 * write (64 KiB are one already): the other side is woken once.  For frames
 * that are queued right one after the other; off comes in every case, from the
 * same thread.
 */
void fed_net_together(struct fed_net *net, const struct fed_peer *peer,
                      bool on);

/* Bytes queued to a peer and not yet handed to the network; 0 if none. */
size_t fed_net_queued(struct fed_net *net, const struct fed_peer *peer);

/* Go on after FED_PAUSE.  Also right when the pause is just being given. */
void fed_net_resume(struct fed_net *net, const struct fed_peer *peer);

/* This peer is known now: full frames, no stranger's deadline. */
void fed_net_known(struct fed_net *net, const struct fed_peer *peer);

/* Close after what is queued was sent (linger_ms at most); see also undial. */
void fed_net_close(struct fed_net *net, const struct fed_peer *peer);

/* The same for everyone; who is wanted is dialled again. */
void fed_net_close_all(struct fed_net *net);

/*
 * Close everything with root at once, handshakes included, send nothing more,
 * and stop dialling it.  For revocation and blocking: verify decides about
 * later attempts.
 */
void fed_net_revoke(struct fed_net *net, const struct clinic_id *root);

/* True while root is connected; *info_out (may be NULL) says as what; its
 * chain is empty. */
bool fed_net_find(struct fed_net *net, const struct clinic_id *root,
                  struct fed_peer_info *info_out);

/* Figures for `status`, since the start where they count events. */
struct fed_net_stats {
    uint32_t peers;       /* connected */
    uint32_t devices;     /* of them patients' devices */
    uint32_t web;         /* of them through WebSockets */
    uint32_t strangers;   /* of them not known */
    uint32_t clinics;     /* of them clinics that are known */
    uint32_t pending;     /* handshakes under way */
    uint32_t dials;       /* TCP dials under way */
    uint32_t wanted;      /* roots to keep connected */
    uint32_t wanted_down; /* of them not connected */
    uint64_t accepted;    /* connections */
    uint64_t refused;     /* connections: quota or shutdown */
    uint64_t failed;      /* handshakes */
    uint64_t opened;      /* connection objects made */
    uint64_t freed;       /* connection objects given back */
    uint64_t rx_frames;
    uint64_t tx_frames;
    uint64_t rx_bytes; /* on the wire */
    uint64_t tx_bytes;
};
void fed_net_stats(struct fed_net *net, struct fed_net_stats *out);

#endif
