/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people call a conversation by: its number, and the words of its title.
 * One index for both, so that finding one does not look at all of them.
 */
#include "store/conv.h"

#include "store/convs.h"
#include "store/inner.h"
#include "store/records.h"

#include <string.h>

enum {
    TITLE_WORDS = 8
};

enum name_kind {
    NAME_NUMBER = 0,
    NAME_WORD = 1
};

static struct view
name_key(enum name_kind kind, const uint8_t what[8], const struct conv_id *id,
         uint8_t out[STORE_NAME_KEY])
{
    out[0] = (uint8_t)kind;
    memcpy(out + 1, what, 8);
    if (id == NULL) {
        return view_make(out, 9);
    }
    memcpy(out + 9, id->b, sizeof(id->b));
    return view_make(out, STORE_NAME_KEY);
}

struct view
store_conv_number_key(const struct store_conv *c, uint8_t out[STORE_NAME_KEY])
{
    uint8_t number[8];

    store_put_u64(number, c->number);
    return name_key(NAME_NUMBER, number, &c->id, out);
}

/* ------------------------------------------------------------------ writing */

struct naming {
    struct store_txn *txn;
    const struct store_conv *c;
    bool add;
};

static enum err
word_row(void *ctx, const uint8_t hash[STORE_WORD_HASH])
{
    const struct naming *n = ctx;
    uint8_t buf[STORE_NAME_KEY];
    struct view key = name_key(NAME_WORD, hash, &n->c->id, buf);
    enum err e;

    if (n->add) {
        return store_put(n->txn, STORE_T_CONV_NAMES, key, (struct view){0});
    }
    e = store_del(n->txn, STORE_T_CONV_NAMES, key);
    return e == ERR_MISSING ? OK : e; /* two words may begin alike */
}

static enum err
title_rows(struct store_txn *txn, const struct store_conv *c, bool add)
{
    struct naming n = {txn, c, add};

    return store_name_words(txn, &c->title, word_row, &n);
}

static enum err
number_row(struct store_txn *txn, const struct store_conv *c, bool add)
{
    uint8_t buf[STORE_NAME_KEY];
    struct view key = store_conv_number_key(c, buf);
    enum err e = add ? store_put(txn, STORE_T_CONV_NAMES, key, (struct view){0})
                     : store_del(txn, STORE_T_CONV_NAMES, key);

    return e == ERR_MISSING ? ERR_CORRUPT : e;
}

enum err
store_conv_name(struct store_txn *txn, const struct store_conv *c, bool add)
{
    enum err e;

    TRY(number_row(txn, c, add));
    TRY(title_rows(txn, c, add));
out:
    return e;
}

enum err
store_conv_rename(struct store_txn *txn, const struct store_conv *old,
                  const struct store_conv *next)
{
    enum err e = OK;

    if (view_equal(proto_phi_reveal(&old->title),
                   proto_phi_reveal(&next->title))) {
        return OK;
    }
    TRY(title_rows(txn, old, false));
    TRY(title_rows(txn, next, true));
out:
    return e;
}

/* ------------------------------------------------------------------ finding */

struct finding {
    uint8_t hash[TITLE_WORDS][STORE_WORD_HASH];
    size_t len;
};

static enum err
title_word(void *ctx, const uint8_t hash[STORE_WORD_HASH])
{
    struct finding *f = ctx;

    if (f->len < TITLE_WORDS) {
        memcpy(f->hash[f->len++], hash, STORE_WORD_HASH);
    }
    return OK;
}

/* Each conversation in the keys of t that begin with prefix, behind skip. */
static enum err
each_key(struct store_txn *txn, enum store_table t, struct view prefix,
         size_t skip, enum err (*each)(void *ctx, const struct conv_id *id),
         void *ctx)
{
    struct conv_id id;
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, t, prefix, STORE_UP, &sc));
    store_scan_keys(&sc);
    while (e == OK && store_scan_next(&sc)) {
        e = conv_id_from(view_skip(sc.key, skip), &id) == OK ? each(ctx, &id)
                                                             : ERR_CORRUPT;
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

struct one {
    struct conv_id id;
    bool found;
};

static enum err
take_one(void *ctx, const struct conv_id *id)
{
    struct one *one = ctx;

    one->id = *id;
    one->found = true;
    return OK;
}

enum err
store_conv_by_number(struct store_txn *txn, uint64_t number,
                     struct conv_id *out)
{
    struct one one = {.found = false};
    uint8_t what[8];
    uint8_t buf[STORE_NAME_KEY];
    enum err e;

    store_put_u64(what, number);
    TRY(each_key(txn, STORE_T_CONV_NAMES,
                 name_key(NAME_NUMBER, what, NULL, buf), 9, take_one, &one));
    TRY(one.found ? OK : ERR_MISSING);
    *out = one.id;
out:
    return e;
}

struct narrowing {
    struct store_txn *txn;
    const struct finding *f;
    enum err (*each)(void *ctx, const struct conv_id *id);
    void *ctx;
};

/* The first word is there: the others? */
static enum err
try_conv(void *ctx, const struct conv_id *id)
{
    const struct narrowing *n = ctx;
    uint8_t buf[STORE_NAME_KEY];

    for (size_t i = 1; i < n->f->len; i++) {
        enum err e = store_has(n->txn, STORE_T_CONV_NAMES,
                               name_key(NAME_WORD, n->f->hash[i], id, buf));

        if (e != OK) {
            return e == ERR_MISSING ? OK : e;
        }
    }
    return n->each(n->ctx, id);
}

enum err
store_conv_by_title(struct store_txn *txn, struct view text,
                    enum err (*each)(void *ctx, const struct conv_id *id),
                    void *ctx)
{
    struct finding f = {.len = 0};
    struct narrowing n = {txn, &f, each, ctx};
    uint8_t buf[STORE_NAME_KEY];
    enum err e;

    TRY(proto_utf8_valid(text) ? OK : ERR_INVALID);
    TRY(store_words(txn, text, false, title_word, &f));
    TRY(f.len > 0 ? OK : ERR_INVALID);
    TRY(each_key(txn, STORE_T_CONV_NAMES,
                 name_key(NAME_WORD, f.hash[0], NULL, buf), 9, try_conv, &n));
out:
    return e;
}

enum err
store_conv_by_prefix(struct store_txn *txn, struct view prefix,
                     enum err (*each)(void *ctx, const struct conv_id *id),
                     void *ctx)
{
    return each_key(txn, STORE_T_CONV_KEYS, prefix, 0, each, ctx);
}
