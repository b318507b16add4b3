/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking for parts of the log, and answering.  It works in both directions: a
 * follower catches up from the hub, and a hub that was restored learns from
 * its members what it had already numbered (decisions E 21).
 */
#include "federation/core/move.h"

#include <string.h>

/* An entry on its way into a part, with what its views point to. */
struct held {
    struct fed_rec_log rec;
    struct bytes hold;
    struct bytes body;
};

static enum err
gather(struct fed_core *core, const struct fed_thread *t,
       const struct proto_log_pull *in, struct held *held,
       struct proto_log_entry *entries, struct proto_log_part *part)
{
    enum err e = OK;
    size_t bytes = 0;
    uint32_t n = 0;

    while (n < in->max && n < LIMIT_LOG_PART && in->from + n <= t->rec.seq &&
           bytes < LIMIT_STREAM_WINDOW_BYTES) {
        struct held *h = &held[n];
        struct proto_log_entry *entry = &entries[n];

        e = fed_log_get(core, &t->id, in->from + n, &h->rec, &h->hold);
        if (e == ERR_MISSING) {
            part->code = n == 0 ? PROTO_LOG_PRUNED : PROTO_LOG_OK;
            e = OK;
            break;
        }
        TRY(e);
        entry->term = h->rec.term;
        entry->seq = in->from + n;
        entry->ts_ms = h->rec.ts_ms;
        TRY(fed_log_body(core, &t->id, entry->seq, &h->body));
        entry->kind = h->body.len > 0 ? h->rec.kind : PROTO_ENTRY_GONE;
        entry->message =
            h->body.len > 0 ? view_of(&h->body) : VIEW_ARRAY(h->rec.hash);
        bytes += entry->message.len;
        n++;
    }
    part->entries = (struct proto_list){.items = entries, .len = n};
out:
    return e;
}

/* The head before entry from. */
static enum err
before(struct fed_core *core, const struct fed_thread *t, uint64_t from,
       struct proto_log_part *part)
{
    enum err e = OK;
    struct fed_rec_log rec;
    struct bytes hold = {0};

    if (from == t->rec.seq + 1) {
        memcpy(part->prev, t->rec.head, sizeof(part->prev));
    } else if (from > t->rec.seq + 1) {
        part->code = PROTO_LOG_TERM; /* the asker is ahead of us */
    } else if (from > 1) {
        e = fed_log_get(core, &t->id, from, &rec, &hold);
        if (e == OK) {
            memcpy(part->prev, rec.prev, sizeof(part->prev));
        } else if (e == ERR_MISSING) {
            part->code = PROTO_LOG_PRUNED;
            e = OK;
        }
    }
    bytes_free(&hold);
    return e;
}

/* A device that was taken out, and let in again: of the commits that it missed
   some may have left the log, which look like messages then. */
static bool
has_to_rejoin(const struct fed_thread *t, const struct fed_party *p,
              struct proto_log_part *part)
{
    uint32_t leaf;

    if (p->kind != FED_KIND_DEVICE || t->mls == NULL ||
        fed_leaf_at(t->mls, &p->root, &leaf) == OK) {
        return false;
    }
    part->code = PROTO_LOG_PRUNED;
    return true;
}

/* Does a member that follows us, in an earlier term (we were restored since),
   get the rest of the log with this?  What follows comes as entries then. */
static bool
all_of_ours(const struct fed_core *core, const struct fed_thread *t,
            const struct fed_member *m, const struct proto_log_pull *in,
            const struct proto_log_part *part)
{
    return m->rec.closed && fed_thread_hub_here(core, t) &&
           in->term >= t->group.term && in->term < t->rec.term &&
           part->code == PROTO_LOG_OK &&
           in->from + part->entries.len == t->rec.seq + 1;
}

/*
 * Whose log is no good, or not the one that was asked for, answers with nothing
 * and an end of 0: nobody leaves its own state for that, which may be the only
 * one; it asks again later (named.c).
 */
static bool
no_word(const struct fed_core *core, const struct fed_thread *t,
        const struct fed_party *p, const struct proto_log_part *part)
{
    return t->rec.state == FED_THREAD_CHECKING ||
           (part->code != PROTO_LOG_OK && !fed_thread_hub_here(core, t) &&
            memcmp(t->rec.hub, p->root.b, 32) != 0);
}

/* Entries of ours, as many as fit. */
static enum err
serve(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
      const struct proto_log_pull *in, struct proto_peer_msg *msg)
{
    enum err e;
    struct proto_log_part *part = &msg->u.log_part;
    struct proto_log_entry *entries =
        mem_calloc(core->mem, LIMIT_LOG_PART, sizeof(entries[0]));
    struct held *held = mem_calloc(core->mem, LIMIT_LOG_PART, sizeof(held[0]));

    TRY(entries == NULL || held == NULL ? ERR_NOMEM : OK);
    /* Who asks and does not take the answers gets no more of them. */
    if (!fed_bound_full(core, p)) {
        TRY(gather(core, t, in, held, entries, part));
    }
    TRY(fed_stream_put(core, p, msg));
out:
    for (size_t i = 0; held != NULL && i < LIMIT_LOG_PART; i++) {
        bytes_free(&held[i].hold);
        bytes_free(&held[i].body);
    }
    mem_free(core->mem, held, LIMIT_LOG_PART * sizeof(held[0]));
    mem_free(core->mem, entries, LIMIT_LOG_PART * sizeof(entries[0]));
    return e;
}

enum err
fed_hub_pull(struct fed_core *core, struct fed_party *p,
             const struct proto_log_pull *in)
{
    enum err e;
    struct fed_thread *t = NULL;
    struct fed_member *m;
    struct thread_id id;
    struct proto_peer_msg msg = {.type = PROTO_PEER_LOG_PART};
    struct proto_log_part *part = &msg.u.log_part;

    memcpy(part->thread, in->thread, sizeof(part->thread));
    memcpy(id.b, in->thread, sizeof(id.b));
    part->first = in->from;
    e = fed_thread_get(core, &id, &t);
    TRY(e == ERR_MISSING ? OK : e);
    m = t == NULL ? NULL : fed_thread_member(t, &p->subject);
    if (m == NULL) {
        part->code = PROTO_LOG_UNKNOWN;
        return fed_stream_put(core, p, &msg);
    }
    TRY(fed_move_tell(core, t, p, in->term));
    part->term = t->rec.term;
    part->last = t->rec.seq;
    if (m->rec.closed && fed_thread_hub_here(core, t) &&
        t->rec.state != FED_THREAD_CHECKING && in->term == t->rec.term &&
        in->from - 1 <= t->rec.seq) {
        /* It says where it stands: what follows comes as entries. */
        TRY(fed_move_open(core, t, m, in->from - 1));
        return fed_stream_put(core, p, &msg);
    }
    TRY(has_to_rejoin(t, p, part) ? OK : before(core, t, in->from, part));
    if (no_word(core, t, p, part)) {
        part->code = PROTO_LOG_OK;
        part->last = 0;
        fed_named_stood(t, m, in);
    }
    if (part->code != PROTO_LOG_OK || part->last == 0) {
        return fed_stream_put(core, p, &msg);
    }
    TRY(serve(core, t, p, in, &msg));
    TRY(all_of_ours(core, t, m, in, part)
            ? fed_move_open(core, t, m, t->rec.seq)
            : OK);
out:
    return e;
}

/* A follower asks its hub for what comes next. */
enum err
fed_pull_send(struct fed_core *core, struct fed_thread *t,
              const struct clinic_id *from)
{
    return fed_pull_from(core, t, from, t->rec.seq + 1);
}

enum err
fed_pull_from(struct fed_core *core, struct fed_thread *t,
              const struct clinic_id *from, uint64_t seq)
{
    enum err e;
    struct fed_party *p;
    struct proto_peer_msg msg = {.type = PROTO_PEER_LOG_PULL};
    struct proto_log_pull *pull = &msg.u.log_pull;

    TRY(fed_party_get(core, from, &p));
    memcpy(pull->thread, t->id.b, sizeof(pull->thread));
    pull->term = t->rec.term;
    pull->from = seq;
    pull->max = LIMIT_LOG_PART;
    TRY(fed_stream_put(core, p, &msg));
out:
    return e;
}
