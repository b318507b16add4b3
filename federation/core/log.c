/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a thread: numbered, hash-chained.  The hub keeps a message until
 * every member's node has it; everybody keeps the heads of the newest entries,
 * to check what others say they have seen (reference threads 6.4).
 */
#include "federation/core/inside.h"

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

enum err
fed_log_append(struct fed_core *core, struct fed_thread *t, uint64_t term,
               uint64_t ts_ms, uint64_t kind, const uint8_t hash[32],
               struct view message)
{
    enum err e;
    struct fed_rec_log rec = {.term = term, .ts_ms = ts_ms, .kind = kind};
    struct fed_key key = log_key(&t->id, t->rec.seq + 1);

    fed_log_head(t->rec.head, term, t->rec.seq + 1, ts_ms, hash, rec.head);
    memcpy(rec.prev, t->rec.head, sizeof(rec.prev));
    memcpy(rec.hash, hash, sizeof(rec.hash));
    rec.message = message;
    TRY(fed_tx_save(core, FED_NS_LOG, &key, &fed_rec_log_shape, &rec));
    t->rec.term = term;
    t->rec.seq++;
    t->rec.ts_ms = ts_ms;
    memcpy(t->rec.head, rec.head, sizeof(t->rec.head));
    if (t->rec.kept == 0) {
        t->rec.kept = t->rec.seq;
    }
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

/* Whether entry seq is older than we keep anything for anybody. */
static enum err
too_old(struct fed_core *core, const struct fed_thread *t, uint64_t seq,
        bool *out)
{
    struct fed_rec_log rec;
    struct bytes hold = {0};
    enum err e = fed_log_get(core, &t->id, seq, &rec, &hold);

    *out = e == ERR_MISSING || (e == OK && t->rec.ts_ms > rec.ts_ms &&
                                t->rec.ts_ms - rec.ts_ms > LIMIT_LOG_AGE_MS);
    bytes_free(&hold);
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_log_prune(struct fed_core *core, struct fed_thread *t)
{
    enum err e = OK;
    bool hub = fed_thread_hub_here(core, t);
    uint64_t upto = t->rec.seq;

    for (size_t i = 0; hub && i < t->members_len; i++) {
        if (t->members[i].rec.acked < upto) {
            upto = t->members[i].rec.acked;
        }
    }
    while (t->rec.kept != 0 && t->rec.kept + LIMIT_LOG_HEADS < t->rec.seq) {
        struct fed_key key = log_key(&t->id, t->rec.kept);

        if (t->rec.kept > upto) {
            bool old;

            TRY(too_old(core, t, t->rec.kept, &old));
            if (!old) {
                break;
            }
        }
        TRY(fed_tx_del(core, FED_NS_LOG, &key));
        t->rec.kept++;
        t->dirty = true;
    }
out:
    return e;
}

enum err
fed_log_aad(struct fed_core *core, const struct fed_thread *t,
            struct bytes *out)
{
    struct proto_aad aad = {.term = t->rec.term, .seq = t->rec.seq};

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

/* Which key was used, so that a test can see that none is used twice. */
void
fed_log_sealed(const struct fed_core *core, const struct fed_thread *t,
               uint64_t generation)
{
    if (core->config.log != NULL) {
        LOG(core->config.log, LOG_DEBUG, "fed.sealed",
            LOG_TAG("thread", log_tag_of(thread_id_view(&t->id))),
            LOG_NUM("epoch", mls_group_epoch(t->mls)),
            LOG_NUM("generation", generation));
    }
}
