/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of roots: one link each.  Two nodes that dial each other at the
 * same moment both keep the connection that the smaller root dialled; in every
 * other case the newer one replaces the older, because the peer would not
 * connect again if it still had it.  The successor waits until the old link is
 * reaped, so the layer above sees down before up.
 */
#include "federation/web_impl.h"

#include <string.h>

enum {
    SIMULTANEOUS_MS = 15000 /* a dial may take this long to be answered */
};

static size_t
bucket_of(const struct fed_net *net, const struct clinic_id *root)
{
    uint64_t h;

    memcpy(&h, root->b, sizeof(h));
    h = (h ^ net->hash_seed) * 0x9e3779b97f4a7c15u;
    return (size_t)(h >> 32) % FED_BUCKETS;
}

struct fed_entry *
fed_peers_entry(struct fed_net *net, const struct clinic_id *root, bool make)
{
    struct fed_entry **at = &net->buckets[bucket_of(net, root)];
    struct fed_entry *e;

    for (e = *at; e != NULL; e = e->next) {
        if (clinic_id_equal(&e->root, root)) {
            return e;
        }
    }
    if (!make) {
        return NULL;
    }
    e = mem_alloc(net->mem, sizeof(*e));
    if (e != NULL) {
        e->root = *root;
        e->next = *at;
        *at = e;
    }
    return e;
}

void
fed_peers_tidy(struct fed_net *net, const struct clinic_id *root)
{
    struct fed_entry **at = &net->buckets[bucket_of(net, root)];

    while (*at != NULL && !clinic_id_equal(&(*at)->root, root)) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        struct fed_entry *e = *at;

        if (e->current == NULL && e->waiting == NULL && e->attempt == NULL &&
            !e->want.standing && e->want.once.n == 0) {
            *at = e->next;
            mem_free(net->mem, e, sizeof(*e));
        }
    }
}

/* --------------------------------------------------------------- list */
void
fed_peers_add(struct fed_link *l)
{
    struct fed_net *net = l->net;

    l->serial = ++net->serial;
    l->phase = FED_PHASE_PENDING;
    l->prev = net->links_last;
    if (l->prev != NULL) {
        l->prev->next = l;
    } else {
        net->links = l;
    }
    net->links_last = l;
    net->stats.opened++;
    net->stats.pending++;
}

static void
take_out(struct fed_link *l)
{
    struct fed_net *net = l->net;

    if (l->prev != NULL) {
        l->prev->next = l->next;
    } else {
        net->links = l->next;
    }
    if (l->next != NULL) {
        l->next->prev = l->prev;
    } else {
        net->links_last = l->prev;
    }
    net->stats.freed++;
    if (l->phase == FED_PHASE_UP) {
        net->stats.peers--;
        net->stats.devices -= l->verdict.kind == FED_PEER_DEVICE ? 1 : 0;
        net->stats.web -= l->web != NULL ? 1 : 0;
    } else {
        net->stats.pending--;
        net->stats.failed++;
    }
}

/* l becomes the link of its entry; mx is held. */
static void
move_up(struct fed_link *l)
{
    l->phase = FED_PHASE_UP;
    l->net->stats.pending--;
    l->net->stats.peers++;
    l->net->stats.devices += l->verdict.kind == FED_PEER_DEVICE ? 1 : 0;
    l->net->stats.web += l->web != NULL ? 1 : 0;
    l->up_ms = clock_mono_ms(l->net->clock);
    fed_dialer_link_up(l);
}

size_t
fed_peers_all(struct fed_net *net, uint64_t after, struct fed_link **out,
              size_t cap, uint64_t *last_out)
{
    size_t n = 0;

    pthread_mutex_lock(&net->mx);
    for (struct fed_link *l = net->links; l != NULL && n < cap; l = l->next) {
        if (l->serial > after) {
            fed_link_ref(l);
            out[n++] = l;
            *last_out = l->serial;
        }
    }
    pthread_mutex_unlock(&net->mx);
    return n;
}

/* ------------------------------------------------------------ who wins */
/* True when fresh stays and old goes. */
static bool
fresh_wins(const struct fed_link *old, const struct fed_link *fresh)
{
    const struct fed_net *net = fresh->net;
    bool we_are_smaller;

    if (atomic_load(&old->conn.ending) || old->dialled == fresh->dialled ||
        clock_mono_ms(net->clock) - old->opened_ms >= SIMULTANEOUS_MS) {
        return true;
    }
    we_are_smaller = clinic_id_cmp(&net->root, &fresh->verdict.root) < 0;
    return fresh->dialled == we_are_smaller;
}

/*
 * Put l where it belongs in its entry; a link that has to go is *loser_out,
 * with a reference.
 */
static enum fed_offer
place(struct fed_entry *entry, struct fed_link *l, struct fed_link **loser_out)
{
    struct fed_link *rival =
        entry->waiting != NULL ? entry->waiting : entry->current;

    if (rival != NULL && !fresh_wins(rival, l)) {
        return FED_OFFER_REFUSED;
    }
    l->entry = entry;
    if (rival == NULL) {
        entry->current = l;
        move_up(l);
        return FED_OFFER_UP;
    }
    if (rival == entry->waiting) {
        rival->entry = NULL;
    }
    fed_link_ref(rival);
    *loser_out = rival;
    entry->waiting = l;
    l->phase = FED_PHASE_WAITING;
    return FED_OFFER_WAIT;
}

/* Nobody is both a clinic and a device. */
static bool
kind_fits(struct fed_entry *entry, enum fed_peer_kind kind)
{
    if (entry->current == NULL && entry->waiting == NULL &&
        entry->attempt == NULL && !entry->want.standing &&
        entry->want.once.n == 0) {
        entry->kind = kind;
    }
    return entry->kind == kind;
}

enum fed_offer
fed_peers_offer(struct fed_link *l, enum fed_why *why_out)
{
    size_t kind = l->verdict.kind == FED_PEER_DEVICE ? 1 : 0;
    struct fed_net *net = l->net;
    enum fed_offer offer = FED_OFFER_REFUSED;
    struct fed_link *loser = NULL;
    struct fed_entry *entry;

    *why_out = FED_WHY_REPLACED;
    pthread_mutex_lock(&net->mx);
    if (net->stopping) {
        *why_out = FED_WHY_SHUTDOWN;
    } else if (clinic_id_equal(&net->root, &l->verdict.root)) {
        *why_out = FED_WHY_WRONG_PEER; /* ourselves, or a copy of us */
    } else if (!l->verdict.known &&
               net->strangers[kind] >= net->env.tuning.strangers_max) {
        *why_out = FED_WHY_QUOTA;
    } else {
        entry = fed_peers_entry(net, &l->verdict.root, true);
        if (entry == NULL) {
            *why_out = FED_WHY_NO_MEMORY;
        } else if (!kind_fits(entry, l->verdict.kind)) {
            *why_out = FED_WHY_WRONG_PEER;
        } else {
            offer = place(entry, l, &loser);
        }
    }
    if (offer != FED_OFFER_REFUSED && !l->verdict.known) {
        l->stranger = true;
        net->strangers[kind]++;
    }
    pthread_mutex_unlock(&net->mx);
    if (loser != NULL) {
        fed_conn_close(&loser->conn, FED_WHY_REPLACED, false);
        fed_link_unref(loser);
    }
    return offer;
}

void
fed_peers_no_stranger(struct fed_link *l)
{
    if (l->stranger) {
        l->stranger = false;
        l->net->strangers[l->verdict.kind == FED_PEER_DEVICE ? 1 : 0]--;
    }
}

struct fed_link *
fed_peers_remove(struct fed_link *l)
{
    struct fed_net *net = l->net;
    struct fed_link *heir = NULL;
    struct fed_entry *entry;

    pthread_mutex_lock(&net->mx);
    entry = l->entry;
    take_out(l);
    fed_peers_no_stranger(l);
    if (entry != NULL && entry->waiting == l) {
        entry->waiting = NULL;
    } else if (entry != NULL && entry->current == l) {
        fed_dialer_link_down(entry, l);
        heir = entry->waiting;
        entry->current = heir;
        entry->waiting = NULL;
        if (heir != NULL) {
            fed_link_ref(heir);
            move_up(heir);
        }
    }
    if (entry != NULL) {
        fed_peers_tidy(net, &entry->root);
    }
    l->entry = NULL;
    fed_net_note_idle(net);
    pthread_mutex_unlock(&net->mx);
    return heir;
}

/* ------------------------------------------------------------- looking */
struct fed_link *
fed_peers_get(struct fed_net *net, const struct fed_peer *peer, enum err *e_out)
{
    const struct fed_entry *entry;
    struct fed_link *l;

    pthread_mutex_lock(&net->mx);
    entry = fed_peers_entry(net, &peer->root, false);
    l = entry == NULL ? NULL : entry->current;
    *e_out = OK;
    if (l == NULL || atomic_load(&l->conn.ending)) {
        *e_out = ERR_MISSING;
    } else if (peer->serial != 0 && peer->serial != l->serial) {
        *e_out = ERR_STALE;
    }
    if (*e_out == OK) {
        fed_link_ref(l);
    } else {
        l = NULL;
    }
    pthread_mutex_unlock(&net->mx);
    return l;
}

static bool
is_with(const struct fed_link *l, const struct clinic_id *root)
{
    if (root == NULL || (l->dialled && clinic_id_equal(&l->expected, root))) {
        return true;
    }
    return l->entry != NULL && clinic_id_equal(&l->entry->root, root);
}

void
fed_peers_close(struct fed_net *net, const struct clinic_id *root,
                enum fed_why why, bool linger)
{
    struct fed_link *l;
    uint64_t after = 0;

    do {
        bool up = false;

        pthread_mutex_lock(&net->mx);
        l = net->links;
        while (l != NULL && (l->serial <= after || !is_with(l, root))) {
            l = l->next;
        }
        if (l != NULL) {
            after = l->serial;
            up = l->phase == FED_PHASE_UP;
            fed_link_ref(l);
        }
        pthread_mutex_unlock(&net->mx);
        if (l != NULL) {
            fed_conn_close(&l->conn, why, linger && up);
            fed_link_unref(l);
        }
    } while (l != NULL);
}

/* The doors of one side make room for themselves only, so that a flood at the
 * web port keeps no clinic out. */
static bool
same_side(const struct fed_link *l, const struct fed_web_door *door)
{
    return (l->web != NULL) == (door != NULL);
}

/* Whether l still waits to be proven, on the same side as door. */
static bool
waits_at(const struct fed_link *l, const struct fed_web_door *door)
{
    return l->phase != FED_PHASE_UP && !l->dialled && same_side(l, door) &&
           !atomic_load(&l->conn.ending);
}

/* Whether a connection from there may come in; *oldest_out, with a reference,
 * is to be closed to make room, or NULL. */
static bool
has_room(struct fed_net *net, const struct fed_ip *from,
         const struct fed_web_door *door, struct fed_link **oldest_out)
{
    const struct fed_net_tuning *t = &net->env.tuning;
    struct fed_link *oldest = NULL;
    size_t pending = 0;
    size_t same = 0;
    bool ok;

    pthread_mutex_lock(&net->mx);
    for (struct fed_link *l = net->links; l != NULL; l = l->next) {
        if (!waits_at(l, door)) {
            continue;
        }
        if (oldest == NULL) {
            oldest = l;
        }
        pending++;
        same += fed_ip_same_site(&l->remote, from) ? 1 : 0;
    }
    ok = !net->stopping &&
         ((door != NULL && door->proxied) || same < t->pending_per_site);
    if (!ok || pending < t->pending_max) {
        oldest = NULL;
    }
    net->stats.accepted += ok ? 1 : 0;
    net->stats.refused += ok ? 0 : 1;
    if (oldest != NULL) {
        fed_link_ref(oldest);
    }
    pthread_mutex_unlock(&net->mx);
    *oldest_out = oldest;
    return ok;
}

bool
fed_peers_admit(struct fed_net *net, struct fed_stream *s,
                const struct fed_web_door *door)
{
    struct fed_link *oldest;
    struct fed_ip from;

    s->ops->remote(s, &from);
    if (!has_room(net, &from, door, &oldest)) {
        s->ops->free(s);
        return false;
    }
    if (oldest != NULL) {
        fed_conn_close(&oldest->conn, FED_WHY_QUOTA, false);
        fed_link_unref(oldest);
    }
    return true;
}
