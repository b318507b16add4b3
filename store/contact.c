/* SPDX-License-Identifier: Apache-2.0 */
#include "store/contact.h"

#include "proto/base/limits.h"
#include "store/inner.h"
#include "store/records.h"

#include <string.h>

enum {
    IDENT_KEY = 33, /* u8 kind, hash 16, contact 16 */
    WORD_KEY = 24,  /* hash 8, contact 16 */
    NOTE_KEY = 24,  /* contact 16, u64 seq */
    MERGES_MAX = 16,
    QUERY_WORDS = 8
};

/* -------------------------------------------------------------- index rows */

struct index_job {
    struct store_txn *txn;
    struct contact_id id;
    bool add;
};

static enum err
word_row(void *ctx, const uint8_t hash[STORE_WORD_HASH])
{
    struct index_job *j = ctx;
    uint8_t key[WORD_KEY];
    enum err e;

    memcpy(key, hash, STORE_WORD_HASH);
    memcpy(key + STORE_WORD_HASH, j->id.b, sizeof(j->id.b));
    if (j->add) {
        return store_put(j->txn, STORE_T_CONTACT_WORDS, VIEW_ARRAY(key),
                         (struct view){0});
    }
    e = store_del(j->txn, STORE_T_CONTACT_WORDS, VIEW_ARRAY(key));
    return e == ERR_MISSING ? OK : e; /* two words may begin alike */
}

static enum err
ident_row(struct index_job *j, const struct store_ident *i)
{
    uint8_t key[IDENT_KEY];
    enum err e;

    key[0] = (uint8_t)i->kind;
    TRY(store_ident_hash(j->txn, i->kind, view_of(&i->value), key + 1));
    memcpy(key + 17, j->id.b, sizeof(j->id.b));
    if (j->add) {
        return store_put(j->txn, STORE_T_CONTACT_IDENTS, VIEW_ARRAY(key),
                         (struct view){0});
    }
    e = store_del(j->txn, STORE_T_CONTACT_IDENTS, VIEW_ARRAY(key));
    TRY(e == ERR_MISSING ? OK : e);
out:
    return e;
}

static enum err
index_rows(struct store_txn *txn, const struct store_contact *c, bool add)
{
    struct index_job j = {txn, c->id, add};
    enum err e;

    TRY(store_name_words(txn, &c->name, word_row, &j));
    for (size_t i = 0; i < c->idents_len; i++) {
        TRY(ident_row(&j, &c->idents[i]));
    }
out:
    return e;
}

/* ----------------------------------------------------------------- contacts */

enum err
store_contact_get(struct store_txn *txn, const struct contact_id *id,
                  struct store_contact *out)
{
    struct bytes b = {0};
    enum err e;

    TRY(store_get(txn, STORE_T_CONTACTS, contact_id_view(id), &b));
    TRY(store_contact_decode(store_txn_mem(txn), view_of(&b), out));
out:
    bytes_free(&b);
    return e;
}

enum err
store_contact_put(struct store_txn *txn, const struct store_contact *c)
{
    struct store_contact old = {0};
    struct bytes b = {0};
    enum err e;

    TRY(phi_len(&c->name) <= LIMIT_PHI_SHORT &&
                phi_len(&c->more) <= LIMIT_PHI_LONG &&
                c->idents_len <= LIMIT_CONTACT_IDENTS
            ? OK
            : ERR_LIMIT);
    e = store_contact_get(txn, &c->id, &old);
    if (e != ERR_MISSING) {
        TRY(e);
        TRY(index_rows(txn, &old, false));
    }
    TRY(index_rows(txn, c, true));
    TRY(store_contact_encode(store_txn_mem(txn), c, &b));
    TRY(store_put(txn, STORE_T_CONTACTS, contact_id_view(&c->id), view_of(&b)));
out:
    bytes_free(&b);
    store_contact_clear(&old);
    return e;
}

enum err
store_contact_del(struct store_txn *txn, const struct contact_id *id)
{
    struct store_contact old = {0};
    enum err e;

    TRY(store_contact_get(txn, id, &old));
    TRY(index_rows(txn, &old, false));
    TRY(store_drop(txn, STORE_T_CONTACT_NOTES, contact_id_view(id)));
    e = store_del(txn, STORE_T_CONTACT_MERGES, contact_id_view(id));
    TRY(e == ERR_MISSING ? OK : e);
    TRY(store_del(txn, STORE_T_CONTACTS, contact_id_view(id)));
out:
    store_contact_clear(&old);
    return e;
}

/* ------------------------------------------------------------------- merges */

enum err
store_contact_resolve(struct store_txn *txn, const struct contact_id *id,
                      struct contact_id *out)
{
    struct contact_id at = *id;
    enum err e;

    for (int i = 0; i < MERGES_MAX; i++) {
        struct bytes b = {0};

        e = store_get(txn, STORE_T_CONTACT_MERGES, contact_id_view(&at), &b);
        if (e == OK) {
            e = contact_id_from(view_of(&b), &at);
        }
        bytes_free(&b);
        if (e == ERR_MISSING) {
            *out = at;
            return OK;
        }
        if (e != OK) {
            return e == ERR_FORMAT ? ERR_CORRUPT : e;
        }
    }
    return ERR_CORRUPT;
}

enum err
store_contact_merge(struct store_txn *txn, const struct contact_id *from,
                    const struct contact_id *into)
{
    struct contact_id end;
    enum err e;

    TRY(store_has(txn, STORE_T_CONTACTS, contact_id_view(from)));
    TRY(store_has(txn, STORE_T_CONTACTS, contact_id_view(into)));
    e = store_has(txn, STORE_T_CONTACT_MERGES, contact_id_view(from));
    TRY(e == OK ? ERR_EXISTS : e == ERR_MISSING ? OK : e);
    TRY(store_contact_resolve(txn, into, &end));
    TRY(contact_id_equal(&end, from) ? ERR_INVALID : OK);
    /* Into the end of the chain, so that chains stay short. */
    TRY(store_put(txn, STORE_T_CONTACT_MERGES, contact_id_view(from),
                  contact_id_view(&end)));
out:
    return e;
}

enum err
store_contact_unmerge(struct store_txn *txn, const struct contact_id *from)
{
    return store_del(txn, STORE_T_CONTACT_MERGES, contact_id_view(from));
}

enum err
store_contact_merged(struct store_txn *txn, const struct contact_id *id,
                     enum err (*each)(void *ctx, const struct contact_id *from),
                     void *ctx)
{
    struct contact_id from;
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_CONTACT_MERGES, (struct view){0},
                         STORE_UP, &sc));
    while (e == OK && store_scan_next(&sc)) {
        if (view_equal(sc.value, contact_id_view(id))) {
            e = contact_id_from(sc.key, &from) == OK ? each(ctx, &from)
                                                     : ERR_CORRUPT;
        }
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

/* -------------------------------------------------------------------- search
 */

static bool
listed(const struct contact_id *ids, size_t n, const struct contact_id *id)
{
    for (size_t i = 0; i < n; i++) {
        if (contact_id_equal(&ids[i], id)) {
            return true;
        }
    }
    return false;
}

enum err
store_contact_by_ident(struct store_txn *txn, enum store_ident_kind kind,
                       struct view value, size_t max, struct contact_id *out,
                       size_t *out_len)
{
    struct contact_id id;
    struct store_scan sc;
    uint8_t key[17];
    size_t n = 0;
    enum err e;
    enum err end;

    key[0] = (uint8_t)kind;
    TRY(store_ident_hash(txn, kind, value, key + 1));
    TRY(store_scan_begin(txn, STORE_T_CONTACT_IDENTS, VIEW_ARRAY(key), STORE_UP,
                         &sc));
    while (e == OK && n < max && store_scan_next(&sc)) {
        e = contact_id_from(view_skip(sc.key, sizeof(key)), &id) == OK
                ? store_contact_resolve(txn, &id, &id)
                : ERR_CORRUPT;
        if (e == OK && !listed(out, n, &id)) {
            out[n++] = id;
        }
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
    TRY(n > 0 ? OK : ERR_MISSING);
    *out_len = n;
out:
    return e;
}

struct query {
    uint8_t hash[QUERY_WORDS][STORE_WORD_HASH];
    size_t len;
};

static enum err
query_word(void *ctx, const uint8_t hash[STORE_WORD_HASH])
{
    struct query *q = ctx;

    if (q->len < QUERY_WORDS) {
        memcpy(q->hash[q->len++], hash, STORE_WORD_HASH);
    }
    return OK;
}

/* Give one to each, unless a word is not in its name or it is merged away. */
static enum err
try_contact(struct store_txn *txn, const struct query *q,
            const struct contact_id *id, uint32_t *n,
            enum err (*each)(void *ctx, const struct store_contact *c),
            void *ctx)
{
    struct store_contact c = {0};
    uint8_t key[WORD_KEY];
    enum err e = OK;

    for (size_t i = 1; i < q->len; i++) {
        memcpy(key, q->hash[i], STORE_WORD_HASH);
        memcpy(key + STORE_WORD_HASH, id->b, sizeof(id->b));
        e = store_has(txn, STORE_T_CONTACT_WORDS, VIEW_ARRAY(key));
        if (e != OK) {
            return e == ERR_MISSING ? OK : e;
        }
    }
    e = store_has(txn, STORE_T_CONTACT_MERGES, contact_id_view(id));
    if (e != ERR_MISSING) {
        return e;
    }
    e = store_contact_get(txn, id, &c);
    TRY(e == ERR_MISSING ? ERR_CORRUPT : e);
    (*n)++;
    TRY(each(ctx, &c));
out:
    store_contact_clear(&c);
    return e;
}

enum err
store_contact_find(struct store_txn *txn, struct view query,
                   const struct contact_id *after, uint32_t max,
                   enum err (*each)(void *ctx, const struct store_contact *c),
                   void *ctx)
{
    struct query q = {0};
    struct contact_id id;
    struct store_scan sc;
    uint8_t key[WORD_KEY];
    struct view prefix = {0};
    uint32_t n = 0;
    enum err e;
    enum err end;

    TRY(proto_utf8_valid(query) ? OK : ERR_INVALID);
    TRY(store_words(txn, query, false, query_word, &q));
    if (q.len > 0) {
        prefix = view_make(q.hash[0], STORE_WORD_HASH);
        memcpy(key, q.hash[0], STORE_WORD_HASH);
    }
    TRY(store_scan_begin(txn,
                         q.len > 0 ? STORE_T_CONTACT_WORDS : STORE_T_CONTACTS,
                         prefix, STORE_UP, &sc));
    store_scan_keys(&sc);
    if (after != NULL) {
        memcpy(key + prefix.len, after->b, sizeof(after->b));
        store_scan_after(&sc, view_make(key, prefix.len + sizeof(after->b)));
    }
    while (e == OK && n < max && store_scan_next(&sc)) {
        e = contact_id_from(view_skip(sc.key, prefix.len), &id) == OK
                ? try_contact(txn, &q, &id, &n, each, ctx)
                : ERR_CORRUPT;
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

/* --------------------------------------------------------------------- notes
 */

static struct view
note_key(const struct contact_id *id, uint64_t seq, uint8_t out[NOTE_KEY])
{
    memcpy(out, id->b, sizeof(id->b));
    store_put_u64(out + 16, seq);
    return view_make(out, NOTE_KEY);
}

enum err
store_contact_note_add(struct store_txn *txn, const struct contact_id *id,
                       const struct store_note *note)
{
    struct bytes b = {0};
    struct store_scan sc;
    uint8_t key[NOTE_KEY];
    uint64_t seq = 1;
    enum err e;

    TRY(store_has(txn, STORE_T_CONTACTS, contact_id_view(id)));
    TRY(phi_len(&note->text) <= LIMIT_PHI_LONG ? OK : ERR_LIMIT);
    TRY(store_note_encode(store_txn_mem(txn), note, &b));
    TRY(store_scan_begin(txn, STORE_T_CONTACT_NOTES, contact_id_view(id),
                         STORE_DOWN, &sc));
    store_scan_keys(&sc);
    if (store_scan_next(&sc) && sc.key.len == NOTE_KEY) {
        seq = store_get_u64(sc.key.p + 16) + 1;
    }
    TRY(store_scan_end(&sc));
    TRY(store_put(txn, STORE_T_CONTACT_NOTES, note_key(id, seq, key),
                  view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

enum err
store_contact_notes(struct store_txn *txn, const struct contact_id *id,
                    enum err (*each)(void *ctx, const struct store_note *n),
                    void *ctx)
{
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_CONTACT_NOTES, contact_id_view(id),
                         STORE_UP, &sc));
    while (e == OK && store_scan_next(&sc)) {
        struct store_note n = {0};

        e = sc.key.len == NOTE_KEY
                ? store_note_decode(store_txn_mem(txn), sc.value, &n)
                : ERR_CORRUPT;
        if (e == OK) {
            n.seq = store_get_u64(sc.key.p + 16);
            e = each(ctx, &n);
        }
        phi_free(&n.text);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

enum err
store_contact_note_del(struct store_txn *txn, const struct contact_id *id,
                       uint64_t seq)
{
    uint8_t key[NOTE_KEY];

    return store_del(txn, STORE_T_CONTACT_NOTES, note_key(id, seq, key));
}
