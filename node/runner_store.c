/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core's records in the store: open ones in namespaces, secret ones under
 * the slot key of their thread (decisions G 28), key packages under one of
 * their own.
 */
#include "node/runner_impl.h"
#include "store/fed.h"
#include "store/msg.h"

#include <string.h>

enum {
    OWNER_SIZE = 32,
    TRIES = 16 /* a slot key may be rotated while we read */
};

/* Where a secret record lies: its owner's, and the key within. */
struct place {
    struct store_owner owner;
    uint8_t key[1 + FED_KEY_MAX];
    size_t len;
};

static bool
is_secret(enum fed_ns ns)
{
    return ns == FED_NS_SECRET || ns == FED_NS_STAGE || ns == FED_NS_KP;
}

/* Key packages belong to no thread yet. */
static struct store_owner
package_owner(void)
{
    struct store_owner o = {{0}};
    static const char name[] = "balsam key packages";

    memcpy(o.b, name, sizeof(name) - 1);
    return o;
}

/* A key shorter than an owner, as scans may use, counts as filled with 0. */
static enum err
place_of(enum fed_ns ns, struct view key, struct place *out)
{
    struct place p = {{{0}}, {0}, 0};

    if (key.len > FED_KEY_MAX) {
        return ERR_INVALID;
    }
    p.key[p.len++] = (uint8_t)ns;
    if (ns == FED_NS_KP) {
        p.owner = package_owner();
    } else {
        size_t n = key.len < OWNER_SIZE ? key.len : OWNER_SIZE;

        if (n > 0) {
            memcpy(p.owner.b, key.p, n);
        }
        key = view_skip(key, n);
    }
    if (key.len > 0) {
        memcpy(p.key + p.len, key.p, key.len);
        p.len += key.len;
    }
    *out = p;
    return OK;
}

/* What is on its way out stays out of backups: decisions E 20. */
static uint8_t
space_of(enum fed_ns ns)
{
    bool out = ns == FED_NS_OUT || ns == FED_NS_BODY;

    return (uint8_t)(out ? STORE_FED_NO_BACKUP + ns : ns);
}

static enum err
get_in(struct store_txn *txn, enum fed_ns ns, struct view key,
       struct bytes *out)
{
    struct place p;
    enum err e;

    if (!is_secret(ns)) {
        return store_fed_get(txn, space_of(ns), key, out);
    }
    e = place_of(ns, key, &p);
    if (e != OK) {
        return e;
    }
    return store_secret_get(txn, &p.owner, view_make(p.key, p.len), out);
}

static enum err
get(void *ctx, enum fed_ns ns, struct view key, const struct mem *mem,
    struct bytes *out)
{
    struct node_runner *r = ctx;
    struct bytes b = {0};
    enum err e = ERR_AGAIN;

    for (int i = 0; i < TRIES && e == ERR_AGAIN; i++) {
        struct store_txn *txn = NULL;

        e = store_read_begin(r->c.store, &txn);
        if (e == OK) {
            e = get_in(txn, ns, key, &b);
        }
        store_read_end(txn);
    }
    if (e == OK) {
        e = bytes_copy(mem, view_of(&b), out);
    }
    bytes_free(&b);
    return e;
}

/* ------------------------------------------------------------------- scans */

struct found {
    struct view from; /* the first key at or above this */
    const struct mem *mem;
    const struct store_owner *owner; /* secrets: put before the key */
    bool owner_in_key;
    struct bytes *key;
    struct bytes *value;
    bool any;
};

static enum err
take_record(struct found *f, struct view key, struct view value)
{
    enum err e;

    f->any = true;
    if (f->owner_in_key) {
        TRY(bytes_append(f->mem, f->key, VIEW_ARRAY(f->owner->b)));
    }
    TRY(bytes_append(f->mem, f->key, key));
    TRY(bytes_append(f->mem, f->value, value));
    e = ERR_EXISTS; /* enough: ends the walk */
out:
    return e;
}

static enum err
each_open(void *ctx, struct view key, struct view value)
{
    return take_record(ctx, key, value);
}

static enum err
each_secret(void *ctx, struct view key, struct view value)
{
    struct found *f = ctx;
    size_t n = key.len < f->from.len ? key.len : f->from.len;
    int order = n == 0 ? 0 : memcmp(key.p, f->from.p, n);

    if (order < 0 || (order == 0 && key.len < f->from.len)) {
        return OK;
    }
    return take_record(f, view_skip(key, 1), value);
}

/* The smallest owner above after that has a slot. */
struct above {
    const struct store_owner *after;
    struct store_owner best;
    bool any;
};

static enum err
each_owner(void *ctx, const struct store_owner *o)
{
    struct above *a = ctx;

    if (memcmp(o->b, a->after->b, sizeof(o->b)) > 0 &&
        (!a->any || memcmp(o->b, a->best.b, sizeof(o->b)) < 0)) {
        a->best = *o;
        a->any = true;
    }
    return OK;
}

static enum err
next_secret(struct store_txn *txn, enum fed_ns ns, struct view from,
            struct found *f)
{
    enum err e;
    struct place p;

    TRY(place_of(ns, from, &p));
    f->owner_in_key = ns != FED_NS_KP;
    for (;;) {
        struct above a = {&p.owner, {{0}}, false};

        f->owner = &p.owner;
        f->from = view_make(p.key, p.len);
        e = store_secret_scan(txn, &p.owner, view_make(p.key, 1), each_secret,
                              f);
        if (f->any || ns == FED_NS_KP || (e != OK && e != ERR_MISSING)) {
            break;
        }
        TRY(store_secret_owners(txn, each_owner, &a));
        if (!a.any) {
            break;
        }
        p.owner = a.best;
        p.len = 1;
    }
out:
    return e;
}

static enum err
next_open(struct store_txn *txn, enum fed_ns ns, struct view from,
          struct found *f)
{
    struct bytes value = {0};
    enum err e = ERR_MISSING;

    if (from.len > 0) {
        e = store_fed_get(txn, space_of(ns), from, &value);
    }
    if (e == OK) {
        e = take_record(f, from, view_of(&value));
    } else if (e == ERR_MISSING) {
        e = store_fed_scan(txn, space_of(ns), (struct view){0}, from, STORE_UP,
                           1, each_open, f);
    }
    bytes_free(&value);
    return e;
}

static enum err
next(void *ctx, enum fed_ns ns, struct view from, const struct mem *mem,
     struct bytes *key_out, struct bytes *value_out)
{
    struct node_runner *r = ctx;
    struct found f = {.mem = mem, .key = key_out, .value = value_out};
    enum err e = ERR_AGAIN;

    for (int i = 0; i < TRIES && e == ERR_AGAIN; i++) {
        struct store_txn *txn = NULL;

        e = store_read_begin(r->c.store, &txn);
        if (e == OK) {
            e = is_secret(ns) ? next_secret(txn, ns, from, &f)
                              : next_open(txn, ns, from, &f);
        }
        store_read_end(txn);
    }
    if (e == ERR_EXISTS) {
        return OK;
    }
    bytes_free(key_out);
    bytes_free(value_out);
    return e == OK ? ERR_MISSING : e;
}

/* ----------------------------------------------------------------- history */

struct past {
    uint64_t term;
    uint64_t seq;
    const struct mem *mem;
    struct clinic_id self;
    struct message_id *id;
    struct subject_id *author;
    uint64_t *ts_ms;
    struct bytes *content;
    bool any;
};

static enum err
each_past(void *ctx, const struct store_msg *m)
{
    struct past *p = ctx;
    enum err e = OK;

    if (m->log_term != p->term || m->log_seq != p->seq || p->seq == 0) {
        return OK;
    }
    if ((m->flags & STORE_MSG_DELETED) != 0) {
        return ERR_EXISTS;
    }
    *p->id = m->id;
    *p->ts_ms = m->at_ms;
    memcpy(p->author->b,
           m->author.kind == STORE_ACTOR_PEER ? m->author.id : p->self.b,
           sizeof(p->author->b));
    TRY(bytes_copy(p->mem, view_of(&m->body), p->content));
    p->any = true;
    e = ERR_EXISTS; /* found: ends the walk */
out:
    return e;
}

static enum err
past(void *ctx, const struct thread_id *thread, uint64_t term, uint64_t seq,
     const struct mem *mem, struct message_id *id_out,
     struct subject_id *author_out, uint64_t *ts_ms_out,
     struct bytes *content_out)
{
    struct node_runner *r = ctx;
    struct store_txn *txn = NULL;
    struct conv_id conv;
    struct past p = {term,   seq,        mem,       r->identity.root,
                     id_out, author_out, ts_ms_out, content_out,
                     false};
    enum err e;

    TRY(store_read_begin(r->c.store, &txn));
    TRY(store_conv_by_thread(txn, thread, &conv));
    e = store_msg_list(txn, &conv, 0, STORE_DOWN, UINT32_MAX, each_past, &p);
    if (e == OK || e == ERR_EXISTS) {
        e = p.any ? OK : ERR_MISSING;
    }
out:
    store_read_end(txn);
    return e;
}

static enum err
known(void *ctx, const struct thread_id *thread, const struct message_id *id,
      uint64_t *term_out, uint64_t *seq_out)
{
    struct node_runner *r = ctx;
    struct store_txn *txn = NULL;
    struct store_msg m = {0};
    struct conv_id conv;
    uint64_t seq;
    enum err e;

    TRY(store_read_begin(r->c.store, &txn));
    TRY(store_conv_by_thread(txn, thread, &conv));
    TRY(store_msg_by_id(txn, &conv, id, &seq));
    TRY(store_msg_get(txn, seq, &m));
    *term_out = m.log_term;
    *seq_out = m.log_seq;
out:
    store_read_end(txn);
    store_msg_clear(&m);
    return e;
}

struct fed_store
node_runner_store(struct node_runner *r)
{
    struct fed_store s = {get, next, past, known, r};

    return s;
}

/* ----------------------------------------------------------------- writing */

static enum err
write_one(struct store_txn *txn, const struct fed_write *w)
{
    struct view key = view_of(&w->key);
    struct place p;
    enum err e;

    if (!is_secret(w->ns)) {
        e = w->del
                ? store_fed_del(txn, space_of(w->ns), key)
                : store_fed_put(txn, space_of(w->ns), key, view_of(&w->value));
    } else {
        e = place_of(w->ns, key, &p);
        if (e == OK) {
            key = view_make(p.key, p.len);
            e = w->del
                    ? store_secret_del(txn, &p.owner, key)
                    : store_secret_put(txn, &p.owner, key, view_of(&w->value));
        }
    }
    return w->del && e == ERR_MISSING ? OK : e;
}

enum err
node_runner_write(struct store_txn *txn, const struct fed_batch *batch)
{
    enum err e = OK;

    for (size_t i = 0; i < batch->writes_len; i++) {
        TRY(write_one(txn, batch->writes[i]));
    }
    for (size_t i = 0; i < batch->acts_len; i++) {
        const struct fed_act *act = &batch->acts[i];
        struct store_owner owner;

        if (act->kind == FED_ACT_ROTATE) {
            owner = store_owner_of(&act->thread);
            e = store_secret_rotate(txn, &owner);
            if (e != OK && e != ERR_MISSING) {
                goto out;
            }
            e = OK;
        }
    }
out:
    return e;
}
