/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a thread: numbered, hash-chained.  The hub keeps a message until
 * every member's node has it (decisions D 15); everybody keeps the heads of the
 * newest entries, to check what others say they have seen (reference threads
 * 6.4).  Messages are records of their own, so that forgetting one does not
 * write its head again.
 */
#include "federation/core/watch.h"

#include "crypto/prim/hash.h"

#include <string.h>

static void
be64(uint64_t n, uint8_t out[8])
{
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)(n >> (56 - 8 * i));
    }
}

void
fed_log_head(const uint8_t prev[32], uint64_t term, uint64_t seq,
             uint64_t ts_ms, const uint8_t hash[32], uint8_t out[32])
{
    uint8_t numbers[24];
    struct view parts[] = {
        VIEW_LIT("balsam v1 log"),
        {prev, 32},
        VIEW_ARRAY(numbers),
        {hash, 32},
    };

    be64(term, numbers);
    be64(seq, numbers + 8);
    be64(ts_ms, numbers + 16);
    prim_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), out);
}

static struct fed_key
log_key(const struct thread_id *id, uint64_t seq)
{
    return fed_key_num(thread_id_view(id), seq);
}

/* Only what somebody lacks is kept: the rest is behind t->rec.bare. */
static enum err
keep_body(struct fed_core *core, struct fed_thread *t,
          const struct fed_key *key, struct view message)
{
    if (message.len > 0) {
        return fed_tx_put(core, FED_NS_BODY, key, message);
    }
    if (t->rec.bare + 1 == t->rec.seq) {
        t->rec.bare = t->rec.seq;
    }
    return OK;
}

enum err
fed_log_append(struct fed_core *core, struct fed_thread *t,
               const struct fed_entry *entry)
{
    enum err e;
    uint64_t seq = t->rec.seq + 1;
    struct fed_rec_log rec = {
        .term = entry->term, .ts_ms = entry->ts_ms, .kind = entry->kind};
    struct fed_key key = log_key(&t->id, seq);

    fed_log_head(t->rec.head, entry->term, seq, entry->ts_ms, entry->hash,
                 rec.head);
    memcpy(rec.prev, t->rec.head, sizeof(rec.prev));
    memcpy(rec.hash, entry->hash, sizeof(rec.hash));
    TRY(fed_tx_save(core, FED_NS_LOG, &key, &fed_rec_log_shape, &rec));
    TRY(fed_watch_clock(core, t, entry->ts_ms));
    t->rec.ts_ms = fed_watch_time(core, t, entry->ts_ms);
    t->rec.term = entry->term;
    t->rec.seq = seq;
    memcpy(t->rec.head, rec.head, sizeof(t->rec.head));
    if (t->rec.kept == 0) {
        t->rec.kept = seq;
        t->rec.bare = seq - 1;
    }
    TRY(keep_body(core, t, &key, entry->message));
    t->dirty = true;
    TRY(fed_log_prune(core, t));
out:
    return e;
}

enum err
fed_log_get(struct fed_core *core, const struct thread_id *id, uint64_t seq,
            struct fed_rec_log *out, struct bytes *hold)
{
    struct fed_key key = log_key(id, seq);

    return fed_tx_load(core, FED_NS_LOG, &key, &fed_rec_log_shape, out, hold);
}

enum err
fed_log_head_at(struct fed_core *core, const struct thread_id *id,
                uint64_t term, uint64_t seq, uint8_t out[32])
{
    struct fed_rec_log rec;
    struct bytes hold = {0};
    enum err e = fed_log_get(core, id, seq, &rec, &hold);

    memset(out, 0, 32);
    if (e == OK && rec.term == term) {
        memcpy(out, rec.head, 32);
    }
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_log_body(struct fed_core *core, const struct thread_id *id, uint64_t seq,
             struct bytes *out)
{
    struct fed_key key = log_key(id, seq);
    enum err e = fed_tx_get(core, FED_NS_BODY, &key, out);

    return e == ERR_MISSING ? OK : e;
}

/* Whether an entry is older than we keep anything for anybody. */
static bool
too_old(const struct fed_thread *t, const struct fed_rec_log *rec)
{
    return t->rec.ts_ms > rec->ts_ms &&
           t->rec.ts_ms - rec->ts_ms > LIMIT_LOG_AGE_MS;
}

/* Forget entry seq, the lowest.  *stop: somebody has not got it, and it is not
   too old. */
static enum err
forget(struct fed_core *core, struct fed_thread *t, uint64_t seq, bool lacking,
       bool *stop)
{
    enum err e;
    struct fed_rec_log rec;
    struct bytes hold = {0};
    struct fed_key key = log_key(&t->id, seq);

    if (lacking) {
        e = fed_log_get(core, &t->id, seq, &rec, &hold);
        TRY(e == ERR_MISSING ? OK : e);
        *stop = hold.len > 0 && !too_old(t, &rec);
    }
    TRY(*stop ? OK : fed_tx_del(core, FED_NS_LOG, &key));
out:
    bytes_free(&hold);
    return e;
}

/* Up to which entry every member's node has everything. */
static uint64_t
everybody_has(const struct fed_core *core, const struct fed_thread *t)
{
    uint64_t upto = t->rec.seq;

    bool hub = fed_thread_hub_here(core, t);

    for (size_t i = 0; (hub || t->rec.handed != 0) && i < t->members_len; i++) {
        const struct fed_rec_member *m = &t->members[i].rec;

        /* What we handed over is for those who lack it, up to there. */
        if (m->acked < upto && (hub || m->acked < t->rec.handed)) {
            upto = m->acked;
        }
    }
    return upto;
}

static enum err
drop_bodies(struct fed_core *core, struct fed_thread *t, uint64_t upto)
{
    enum err e = OK;

    while (t->rec.bare < upto) {
        struct fed_key key = log_key(&t->id, t->rec.bare + 1);

        TRY(fed_tx_del(core, FED_NS_BODY, &key));
        t->rec.bare++;
        t->bare_ms = 0;
        t->dirty = true;
    }
out:
    return e;
}

/* decisions D 15: nothing is kept longer, whoever lacks it. */
static enum err
drop_old(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;

    while (t->rec.bare < t->rec.seq) {
        struct fed_rec_log rec;
        struct bytes hold = {0};

        if (t->bare_ms == 0) {
            e = fed_log_get(core, &t->id, t->rec.bare + 1, &rec, &hold);
            bytes_free(&hold);
            if (e != OK && e != ERR_MISSING) {
                goto out;
            }
            t->bare_ms = e == OK ? rec.ts_ms : t->rec.ts_ms;
            e = OK;
        }
        if (t->rec.ts_ms - t->bare_ms <= LIMIT_LOG_AGE_MS) {
            break;
        }
        TRY(drop_bodies(core, t, t->rec.bare + 1));
    }
out:
    return e;
}

enum err
fed_log_prune(struct fed_core *core, struct fed_thread *t)
{
    enum err e;
    uint64_t upto = everybody_has(core, t);
    bool stop = false;

    TRY(drop_bodies(core, t, upto));
    TRY(drop_old(core, t));
    while (t->rec.kept != 0 && t->rec.kept + LIMIT_LOG_HEADS < t->rec.seq) {
        TRY(forget(core, t, t->rec.kept, t->rec.kept > upto, &stop));
        if (stop) {
            break;
        }
        TRY(drop_bodies(core, t, t->rec.kept));
        t->rec.kept++;
        t->dirty = true;
    }
out:
    return e;
}

enum err
fed_log_aad(struct fed_core *core, const struct fed_thread *t,
            struct view frank, struct bytes *out)
{
    struct proto_aad aad = {
        .term = t->rec.term, .seq = t->rec.seq, .frank = frank};

    memcpy(aad.head, t->rec.head, sizeof(aad.head));
    return proto_aad_encode(core->mem, &aad, out);
}

/* What is pruned cannot be compared, and is not held against the sender. */
enum err
fed_log_check(struct fed_core *core, const struct fed_thread *t,
              struct view aad)
{
    enum err e;
    struct proto_aad seen;
    struct fed_rec_log rec;
    struct bytes hold = {0};

    TRY(proto_aad_decode(aad, &seen));
    if (seen.seq == 0) {
        goto out;
    }
    if (seen.term > t->rec.term || seen.seq > t->rec.seq) {
        TRY(ERR_AUTH); /* saw what does not exist here */
    }
    e = fed_log_get(core, &t->id, seen.seq, &rec, &hold);
    if (e == ERR_MISSING) {
        e = OK;
        goto out;
    }
    TRY(e);
    TRY(memcmp(rec.head, seen.head, sizeof(rec.head)) == 0 ? OK : ERR_AUTH);
out:
    bytes_free(&hold);
    return e;
}

/* The end of a ciphertext, as a number. */
static uint64_t
tail_of(struct view message)
{
    uint64_t n = 0;

    for (size_t i = message.len < 8 ? 0 : message.len - 8; i < message.len;
         i++) {
        n = n << 8 | message.p[i];
    }
    return n;
}

/*
 * Which key was used, for which message, so that a test can see that no two
 * that anybody got have one.
 */
void
fed_log_sealed(const struct fed_core *core, const struct fed_thread *t,
               const struct mls_protected *made)
{
    if (core->config.log != NULL) {
        LOG(core->config.log, LOG_DEBUG, "fed.sealed",
            LOG_TAG("thread", log_tag_of(thread_id_view(&t->id))),
            LOG_NUM("epoch", mls_group_epoch(t->mls)),
            LOG_NUM("generation", made->generation),
            LOG_TAG("of", log_tag_of(mls_group_authenticator(t->mls))),
            LOG_NUM("tail", tail_of(view_of(&made->message))));
    }
}
