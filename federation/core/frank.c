/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commitment of every entry to what it says; and, in threads with a
 * patient, the hub's signature of where and from whom it took it.
 */
#include "federation/core/frank.h"

#include "crypto/ident/sign.h"
#include "crypto/prim/hash.h"

#include <string.h>

void
fed_frank_tag(const struct thread_id *thread, struct view ids, uint8_t out[32])
{
    struct view parts[] = {
        VIEW_LIT("balsam v1 frank"),
        thread_id_view(thread),
        ids,
    };

    prim_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), out);
}

/* The ids of what an entry says: of a bundle those of its messages. */
static size_t
ids_of(const struct clinic_id *author, struct view content,
       struct message_id ids[LIMIT_BUNDLE_PARTS])
{
    struct proto_content c;
    struct proto_list_at at = {0};
    struct proto_part part;
    size_t n = 0;

    if (proto_content_decode(content, &c) != OK ||
        c.kind != PROTO_CONTENT_BUNDLE) {
        fed_message_id(author, content, &ids[0]);
        return 1;
    }
    while (n < LIMIT_BUNDLE_PARTS &&
           proto_list_next(&c.u.bundle.parts, &proto_part_shape, &at, &part)) {
        fed_message_id(author, part.content, &ids[n++]);
    }
    return n;
}

static struct view
ids_view(const struct message_id *ids, size_t n)
{
    return view_make((const uint8_t *)ids, n * sizeof(ids[0]));
}

void
fed_frank_of(const struct thread_id *thread, const struct clinic_id *author,
             struct view content, uint8_t out[32])
{
    struct message_id ids[LIMIT_BUNDLE_PARTS];
    size_t n = ids_of(author, content, ids);

    fed_frank_tag(thread, ids_view(ids, n), out);
}

/* [frank-commit] */
enum err
fed_frank_check(const struct thread_id *thread, const struct clinic_id *author,
                struct view content, struct view aad)
{
    enum err e;
    struct proto_aad in;
    struct proto_content c;
    uint8_t tag[32];

    TRY(proto_aad_decode(aad, &in));
    fed_frank_of(thread, author, content, tag);
    if (view_equal(in.frank, VIEW_ARRAY(tag)) ||
        proto_content_decode(content, &c) == ERR_UNSUPPORTED) {
        goto out;
    }
    TRY(ERR_AUTH);
out:
    return e;
}

/* ---------------------------------------------------------------- the hub */

enum err
fed_frank_noted(struct fed_thread *t, const struct clinic_id *author,
                struct view aad)
{
    enum err e;
    struct proto_aad in;
    struct fed_franked *f = &t->franked;

    f->seq = 0;
    TRY(proto_aad_decode(aad, &in));
    if (in.frank.len == sizeof(f->tag)) {
        f->seq = t->rec.seq;
        f->author = *author;
        f->made = false;
        memcpy(f->tag, in.frank.p, sizeof(f->tag));
    }
out:
    return e;
}

enum err
fed_frank_statement(const struct mem *mem, const struct proto_frank *in,
                    struct bytes *out)
{
    static const uint64_t head[] = {PROTO_FRANK_TAKEN, 1};

    return proto_shape_encode(mem, &proto_frank_shape, head, 2, in, out);
}

enum err
fed_frank_sign(struct fed_core *core, struct fed_thread *t, uint64_t entry,
               struct view *out)
{
    enum err e = OK;
    struct fed_franked *f = &t->franked;
    struct proto_frank in = {
        .term = t->rec.term, .seq = entry, .ts_ms = t->rec.ts_ms};
    struct bytes said = {0};
    struct prim_sign_key key;

    memset(&key, 0, sizeof(key));
    *out = (struct view){0};
    if (entry == 0 || f->seq != entry || t->rec.seq != entry) {
        return OK;
    }
    if (!f->made) {
        memcpy(in.thread, t->id.b, sizeof(in.thread));
        memcpy(in.author, f->author.b, sizeof(in.author));
        memcpy(in.tag, f->tag, sizeof(in.tag));
        TRY(fed_frank_statement(core->mem, &in, &said));
        prim_ed25519_from_seed(core->seed, &key);
        TRY(ident_sign(core->mem, IDENT_STATEMENT, &key, view_of(&said),
                       f->sig));
        f->made = true;
    }
    *out = VIEW_ARRAY(f->sig);
out:
    mem_wipe(&key, sizeof(key));
    bytes_free(&said);
    return e;
}

/* ----------------------------------------------------------------- devices */

/* Marks the place of a message that was signed alone. */
static const uint64_t ONE = (uint64_t)1 << 63;

static struct fed_key
entry_key(const struct thread_id *id, uint64_t seq)
{
    return fed_key_num(thread_id_view(id), seq);
}

static struct fed_key
chain_key(const struct thread_id *id, const uint8_t hash[32])
{
    return fed_key_pair(thread_id_view(id), view_make(hash, 32));
}

/* The hub's chain, kept once for all that it proves. */
static enum err
keep_chain(struct fed_core *core, const struct thread_id *id, struct view chain,
           uint8_t hash[32])
{
    enum err e;
    struct fed_key key;
    struct bytes have = {0};

    prim_sha256(chain, hash);
    key = chain_key(id, hash);
    e = fed_tx_get(core, FED_NS_FRANK, &key, &have);
    if (e == ERR_MISSING) {
        e = fed_tx_put(core, FED_NS_FRANK, &key, chain);
    }
    bytes_free(&have);
    return e;
}

/* Has the hub signed that it took this?  Its key is that of its leaf. */
static enum err
signed_by_hub(struct fed_core *core, struct fed_thread *t,
              const struct fed_taken *in, const uint8_t tag[32],
              struct mls_member *hub, bool *yes)
{
    enum err e;
    struct clinic_id root;
    uint32_t leaf;
    struct bytes said = {0};
    struct proto_frank f = {
        .term = in->term, .seq = in->seq, .ts_ms = in->ts_ms};

    *yes = false;
    memcpy(root.b, t->rec.hub, sizeof(root.b));
    if (in->sig.len != PRIM_ED25519_SIG || t->mls == NULL ||
        fed_leaf_of(t->mls, &root, &leaf) != OK ||
        mls_member_at(t->mls, leaf, hub) != OK ||
        hub->signature_key.len != PRIM_ED25519_PUB) {
        return OK;
    }
    memcpy(f.thread, t->id.b, sizeof(f.thread));
    memcpy(f.author, in->author->b, sizeof(f.author));
    memcpy(f.tag, tag, sizeof(f.tag));
    TRY(fed_frank_statement(core->mem, &f, &said));
    e = ident_verify(core->mem, IDENT_STATEMENT, hub->signature_key.p,
                     view_of(&said), in->sig);
    *yes = e == OK;
    e = e == ERR_AUTH ? OK : e;
out:
    bytes_free(&said);
    return e;
}

/* The record of what is proven at key, if the hub signed it. */
static enum err
keep(struct fed_core *core, struct fed_thread *t, const struct fed_key *key,
     struct view ids, const struct fed_taken *in, bool *kept)
{
    enum err e;
    struct fed_rec_frank rec = {
        .term = in->term, .ts_ms = in->ts_ms, .ids = ids, .sig = in->sig};
    struct mls_member hub;
    uint8_t tag[32];

    fed_frank_tag(&t->id, ids, tag);
    TRY(signed_by_hub(core, t, in, tag, &hub, kept));
    if (*kept) {
        TRY(keep_chain(core, &t->id, hub.credential, rec.chain));
        memcpy(rec.author, in->author->b, sizeof(rec.author));
        TRY(fed_tx_save(core, FED_NS_FRANK, key, &fed_rec_frank_shape, &rec));
    }
out:
    return e;
}

enum err
fed_frank_keep(struct fed_core *core, struct fed_thread *t,
               const struct fed_taken *in)
{
    enum err e = OK;
    struct message_id ids[LIMIT_BUNDLE_PARTS];
    struct fed_key key = entry_key(&t->id, in->seq);
    bool kept;

    if (core->kind != FED_KIND_DEVICE) {
        return OK;
    }
    TRY(keep(core, t, &key, ids_view(ids, ids_of(in->author, in->content, ids)),
             in, &kept));
    if (!kept) {
        TRY(fed_prove_note(core, t, in));
    } else if (in->seq > LIMIT_FRANK_KEPT) {
        key = entry_key(&t->id, in->seq - LIMIT_FRANK_KEPT);
        TRY(fed_tx_del(core, FED_NS_FRANK, &key));
    }
out:
    return e;
}

/* Of those that were signed alone one that is far behind.  The chains, which
   are few, lie among them. */
static enum err
drop_oldest(struct fed_core *core, const struct fed_thread *t)
{
    enum err e;
    struct fed_key at = entry_key(&t->id, ONE);
    size_t len = at.len;
    struct bytes key = {0};
    struct bytes value = {0};

    do {
        bytes_free(&key);
        bytes_free(&value);
        TRY(fed_tx_next(core, FED_NS_FRANK, &at, thread_id_view(&t->id), &key,
                        &value));
        at = fed_key_of(view_of(&key));
        at.b[at.len++] = 0;
    } while (key.len != len);
    if (fed_place_entry(fed_key_tail(view_of(&key)) & ~ONE) + LIMIT_FRANK_KEPT <
        t->rec.seq) {
        at = fed_key_of(view_of(&key));
        TRY(fed_tx_del(core, FED_NS_FRANK, &at));
    }
out:
    bytes_free(&key);
    bytes_free(&value);
    return e == ERR_MISSING ? OK : e;
}

enum err
fed_frank_keep_one(struct fed_core *core, struct fed_thread *t, uint64_t place,
                   const struct message_id *id, const struct fed_taken *in,
                   bool *kept)
{
    enum err e;
    struct fed_key key = entry_key(&t->id, place | ONE);

    TRY(keep(core, t, &key, message_id_view(id), in, kept));
    TRY(*kept ? drop_oldest(core, t) : OK);
out:
    return e;
}

bool
fed_frank_among(struct view ids, const struct message_id *id)
{
    for (size_t at = 0; at + sizeof(id->b) <= ids.len; at += sizeof(id->b)) {
        if (memcmp(ids.p + at, id->b, sizeof(id->b)) == 0) {
            return true;
        }
    }
    return false;
}

/* What was signed of the message: with its whole entry, or alone. */
static enum err
find(struct fed_core *core, const struct fed_report *in,
     struct fed_rec_frank *rec, struct bytes *hold)
{
    enum err e = ERR_MISSING;
    const uint64_t keys[] = {fed_place_entry(in->seq), in->seq | ONE};

    for (size_t i = 0; i < 2; i++) {
        struct fed_key key = entry_key(&in->thread, keys[i]);

        bytes_free(hold);
        e = fed_tx_load(core, FED_NS_FRANK, &key, &fed_rec_frank_shape, rec,
                        hold);
        if (e != OK && e != ERR_MISSING) {
            return e;
        }
        if (e == OK && rec->term == in->term &&
            fed_frank_among(rec->ids, &in->message) &&
            memcmp(rec->author, in->author.b, sizeof(rec->author)) == 0) {
            return OK;
        }
    }
    return ERR_MISSING;
}

enum err
fed_frank_proof(struct fed_core *core, const struct fed_report *in,
                struct bytes *ids, struct bytes *out)
{
    enum err e;
    struct fed_rec_frank rec;
    struct bytes hold = {0};
    struct bytes chain = {0};
    struct bytes said = {0};
    struct fed_key key;
    struct proto_frank f = {.term = in->term, .seq = fed_place_entry(in->seq)};

    TRY(find(core, in, &rec, &hold));
    key = chain_key(&in->thread, rec.chain);
    TRY(fed_tx_get(core, FED_NS_FRANK, &key, &chain));
    f.ts_ms = rec.ts_ms;
    memcpy(f.thread, in->thread.b, sizeof(f.thread));
    memcpy(f.author, rec.author, sizeof(f.author));
    fed_frank_tag(&in->thread, rec.ids, f.tag);
    TRY(fed_frank_statement(core->mem, &f, &said));
    TRY(bytes_copy(core->mem, rec.ids, ids));
    TRY(ident_by_node_join(core->mem, view_of(&chain), view_of(&said), rec.sig,
                           out));
out:
    bytes_free(&hold);
    bytes_free(&chain);
    bytes_free(&said);
    return e;
}
