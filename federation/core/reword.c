/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A proof that a thread has another hub outlives the keys that signed it: a
 * clinic that revoked its node key is not believed what it said with that one,
 * as whoever took the key can say it in its name.  Who followed needs the proof
 * no more; who was away is told nothing else.  So the clinic itself says its
 * words once more, with its key of now: of proofs that it has, and no others.
 * Whoever is told a proof with such words, or tells one, hands it to those who
 * said them; they answer with the proof as it is now, and both take over what
 * the other has of it.
 */
#include "federation/core/move.h"
#include "federation/core/trust.h"

#include <string.h>

/* Stored, as it goes out. */
struct wording {
    struct proto_hub_move move; /* its statements are list */
    struct proto_hub_signed *list;
    struct bytes *made;
    uint32_t len;
    uint32_t stale; /* words of revoked keys that are left */
    bool changed;
};

struct word {
    struct clinic_id by;
    struct view text;
    bool stale;
};

static void
wording_free(struct fed_core *core, struct wording *w)
{
    for (uint32_t i = 0; w->made != NULL && i < w->len; i++) {
        bytes_free(&w->made[i]);
    }
    mem_free(core->mem, w->made, w->len * sizeof(w->made[0]));
    mem_free(core->mem, w->list, w->len * sizeof(w->list[0]));
    memset(w, 0, sizeof(*w));
}

/* Who says what with which key; anything that is no statement: ERR_AUTH. */
static enum err
read_word(struct fed_core *core, struct view in, struct word *out)
{
    enum err e;
    struct ident_check check = {.now_ms = 0};
    struct ident_node node;

    TRY(ident_by_node_open(core->mem, IDENT_STATEMENT, in, &check, &node,
                           &out->text));
    out->by = node.root;
    out->stale = node.generation < fed_revoked_below(core, &node.root);
out:
    return e;
}

/* The same words in another wording of the proof, with a key that counts. */
static enum err
find_word(struct fed_core *core, const struct proto_hub_move *in,
          const struct word *want, struct view *out)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_hub_signed one;

    while (in != NULL && proto_list_next(&in->statements,
                                         &proto_hub_signed_shape, &at, &one)) {
        struct word word;

        e = read_word(core, one.statement, &word);
        if (fed_ours(e)) {
            goto out;
        }
        if (e == OK && !word.stale && clinic_id_equal(&word.by, &want->by) &&
            view_equal(word.text, want->text)) {
            *out = one.statement;
            goto out;
        }
    }
    e = ERR_MISSING;
out:
    return e;
}

static enum err
say_now(struct fed_core *core, struct view text, struct bytes *out)
{
    enum err e;
    struct prim_sign_key key;

    memset(&key, 0, sizeof(key));
    prim_ed25519_from_seed(core->seed, &key);
    e = ident_by_node_make(core->mem, IDENT_STATEMENT, &key,
                           view_of(&core->chain), text, out);
    mem_wipe(&key, sizeof(key));
    return e == OK || fed_ours(e) ? e : ERR_INTERNAL;
}

/* One statement of have, in the words of now if there are any. */
static enum err
word_now(struct fed_core *core, struct wording *w, uint32_t i,
         const struct proto_hub_move *in)
{
    enum err e;
    struct word word;
    struct view other = {0};

    TRY(read_word(core, w->list[i].statement, &word));
    if (!word.stale) {
        goto out;
    }
    if (clinic_id_equal(&word.by, &core->config.self.root)) {
        TRY(say_now(core, word.text, &w->made[i]));
        w->list[i].statement = view_of(&w->made[i]);
        w->changed = true;
        goto out;
    }
    e = find_word(core, in, &word, &other);
    TRY(e == ERR_MISSING ? OK : e);
    if (other.p != NULL) {
        w->list[i].statement = other;
        w->changed = true;
    } else {
        w->stale++;
    }
out:
    return e;
}

/* have in the words of now, ours and what in has of others'. */
static enum err
word_all(struct fed_core *core, const struct proto_hub_move *have,
         const struct proto_hub_move *in, struct wording *out)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    uint32_t n = have->statements.len;
    uint32_t i = 0;

    out->move = *have;
    out->len = n;
    out->list = mem_calloc(core->mem, n, sizeof(out->list[0]));
    out->made = mem_calloc(core->mem, n, sizeof(out->made[0]));
    TRY(out->list != NULL && out->made != NULL ? OK : ERR_NOMEM);
    while (i < n && proto_list_next(&have->statements, &proto_hub_signed_shape,
                                    &at, &out->list[i])) {
        TRY(word_now(core, out, i, in));
        i++;
    }
    out->move.statements = (struct proto_list){.items = out->list, .len = i};
    if (out->changed) {
        TRY(fed_proof_put(core, &out->move));
    }
out:
    return e;
}

/*
 * [move-said] Did we say that, with a key that we have revoked?  Who has its
 * state has its own words as well; who was put back may have said it after
 * that.
 */
static enum err
said_it(struct fed_core *core, const struct fed_thread *t,
        const struct word *word, bool *out)
{
    enum err e = OK;
    struct fed_key key =
        fed_key_pair(thread_id_view(&t->id), clinic_id_view(&word->by));
    struct bytes hold = {0};
    struct word mine;

    *out = false;
    if (!clinic_id_equal(&word->by, &core->config.self.root)) {
        goto out;
    }
    if (t->rec.state != FED_THREAD_ACTIVE) {
        *out = true;
        goto out;
    }
    e = fed_tx_get(core, FED_NS_GONE, &key, &hold);
    if (e == OK) {
        TRY(read_word(core, view_of(&hold), &mine));
        *out = view_equal(mine.text, word->text);
    }
    e = e == ERR_MISSING ? OK : e;
out:
    bytes_free(&hold);
    return e;
}

/* How many words in it are of revoked keys; *others: but those that we know we
   said. */
static enum err
count_stale(struct fed_core *core, const struct fed_thread *t,
            const struct proto_hub_move *in, uint32_t *all, uint32_t *others)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_hub_signed one;

    *all = 0;
    *others = 0;
    while (
        proto_list_next(&in->statements, &proto_hub_signed_shape, &at, &one)) {
        struct word word;
        bool ours = false;

        TRY(read_word(core, one.statement, &word));
        TRY(word.stale ? said_it(core, t, &word, &ours) : OK);
        *all += word.stale;
        *others += word.stale && !ours;
    }
out:
    return e;
}

static enum err
send(struct fed_core *core, struct fed_party *p,
     const struct proto_hub_move *move)
{
    struct proto_peer_msg msg = {.type = PROTO_PEER_HUB_MOVE};

    msg.u.hub_move = *move;
    return fed_stream_put(core, p, &msg);
}

/* Those whose words in it count no more are shown it, once in a while. */
static enum err
ask_authors(struct fed_core *core, struct fed_thread *t,
            const struct proto_hub_move *move, const struct proto_list *words)
{
    enum err e = OK;
    struct proto_list_at at = {0};
    struct proto_hub_signed one;

    if (core->kind != FED_KIND_CLINIC || fed_mono(core) < t->reword_ms) {
        return OK;
    }
    t->reword_ms = fed_mono(core) + LIMIT_MISSING_MS;
    while (proto_list_next(words, &proto_hub_signed_shape, &at, &one)) {
        struct word word;
        struct fed_party *p;

        TRY(read_word(core, one.statement, &word));
        p = fed_party_find(core, &word.by);
        if (word.stale && p != NULL && fed_party_open(p) &&
            fed_thread_member(t, &p->subject) != NULL) {
            TRY(send(core, p, move));
        }
    }
out:
    return e;
}

/* Whole again: all hear of it, as some were told what did not count. */
static enum err
tell(struct fed_core *core, struct fed_thread *t, struct fed_party *p,
     const struct wording *w)
{
    enum err e = OK;

    if (!w->changed || w->stale > 0) {
        return send(core, p, &w->move);
    }
    for (size_t i = 0; i < t->members_len; i++) {
        struct fed_party *q = fed_party_find(core, &t->members[i].node);

        TRY(q != NULL ? send(core, q, &w->move) : OK);
    }
out:
    return e;
}

static bool
same(const struct proto_hub_move *a, const struct proto_hub_move *b)
{
    return a->term == b->term && a->began == b->began &&
           a->planned == b->planned && a->seq == b->seq &&
           memcmp(a->hub, b->hub, 32) == 0 && memcmp(a->to, b->to, 32) == 0 &&
           memcmp(a->head, b->head, 32) == 0;
}

enum err
fed_reword_tell(struct fed_core *core, struct fed_thread *t,
                struct fed_party *p, const struct proto_hub_move *have)
{
    enum err e;
    struct wording w;

    memset(&w, 0, sizeof(w));
    TRY(word_all(core, have, NULL, &w));
    TRY(tell(core, t, p, &w));
    if (w.stale > 0) {
        TRY(ask_authors(core, t, &w.move, &have->statements));
    }
out:
    wording_free(core, &w);
    return e == OK || fed_ours(e) ? e : ERR_CORRUPT;
}

enum err
fed_reword_recv(struct fed_core *core, struct fed_thread *t,
                struct fed_party *p, const struct proto_hub_move *in, bool *out)
{
    enum err e;
    struct wording w;
    struct proto_hub_move have;
    struct bytes hold = {0};
    uint32_t all;
    uint32_t others;

    *out = false;
    memset(&w, 0, sizeof(w));
    TRY(count_stale(core, t, in, &all, &others));
    e = fed_proof_get(core, &t->id, in->term, &have, &hold);
    TRY(e == ERR_MISSING ? OK : e);
    if (hold.len == 0 || !same(&have, in)) {
        *out = others > 0;
        TRY(*out ? ask_authors(core, t, in, &in->statements) : OK);
        goto out;
    }
    TRY(word_all(core, &have, in, &w));
    *out = all > 0; /* what we have, we have judged */
    TRY(all > w.stale || w.changed ? tell(core, t, p, &w) : OK);
    if (w.stale > 0) {
        TRY(ask_authors(core, t, &w.move, &have.statements));
    }
out:
    wording_free(core, &w);
    bytes_free(&hold);
    return e;
}
