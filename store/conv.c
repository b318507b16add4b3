/* SPDX-License-Identifier: Apache-2.0 */
#include "store/conv.h"

#include "proto/base/assert.h"
#include "proto/base/limits.h"
#include "store/convs.h"
#include "store/inner.h"
#include "store/page.h"
#include "store/records.h"

#include <string.h>

enum {
    LIST_KEY = 33,    /* contact, u8 regarding, conversation */
    MARK_SUBJECT = 64 /* longest subject of a mark */
};

/* ---------------------------------------------------------------- data keys */

static enum err
new_key(struct store_txn *txn, const struct conv_id *id)
{
    enum err e;

    txn->conv_known = false;
    TRY(store_random(txn->s, txn->conv_key, sizeof(txn->conv_key)));
    TRY(store_put(txn, STORE_T_CONV_KEYS, conv_id_view(id),
                  VIEW_ARRAY(txn->conv_key)));
    txn->conv = *id;
    txn->conv_known = true;
out:
    return e;
}

enum err
store_conv_key(struct store_txn *txn, const struct conv_id *id)
{
    struct bytes b = {0};
    enum err e;

    if (txn->conv_known && conv_id_equal(&txn->conv, id)) {
        return OK;
    }
    TRY(store_get(txn, STORE_T_CONV_KEYS, conv_id_view(id), &b));
    TRY(b.len == sizeof(txn->conv_key) ? OK : ERR_CORRUPT);
    memcpy(txn->conv_key, b.p, b.len);
    txn->conv = *id;
    txn->conv_known = true;
out:
    bytes_free(&b);
    return e;
}

/* ------------------------------------------------------------------ records */

enum err
store_conv_get(struct store_txn *txn, const struct conv_id *id,
               struct store_conv *out)
{
    struct bytes b = {0};
    enum err e;

    e = store_conv_key(txn, id);
    if (e == ERR_MISSING &&
        store_has(txn, STORE_T_CONVS, conv_id_view(id)) != ERR_MISSING) {
        e = ERR_CORRUPT;
    }
    TRY(e);
    TRY(store_get_under(txn, STORE_T_CONVS, conv_id_view(id), txn->conv_key,
                        &b));
    TRY(store_conv_decode(store_txn_mem(txn), view_of(&b), out));
out:
    bytes_free(&b);
    return e;
}

static enum err
put_record(struct store_txn *txn, const struct store_conv *c)
{
    struct bytes b = {0};
    enum err e;

    TRY(store_conv_key(txn, &c->id));
    TRY(store_conv_encode(store_txn_mem(txn), c, &b));
    TRY(store_put_under(txn, STORE_T_CONVS, conv_id_view(&c->id), txn->conv_key,
                        view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

/* ------------------------------------------------------------- order of lists
 */

/*
 * Key: u8 view, owner 16 (only of ASSIGNED), u64 activity, conversation.
 */
static struct view
order_prefix(enum store_conv_view view, const uint8_t owner[16],
             uint8_t out[STORE_ORDER_KEY])
{
    out[0] = (uint8_t)view;
    if (view != STORE_VIEW_ASSIGNED) {
        return view_make(out, 1);
    }
    memcpy(out + 1, owner, 16);
    return view_make(out, 17);
}

struct view
store_order_key(const struct store_conv *c, enum store_conv_view view,
                uint8_t out[STORE_ORDER_KEY])
{
    size_t n = order_prefix(view, c->owner, out).len;

    store_put_u64(out + n, c->activity);
    memcpy(out + n + 8, c->id.b, sizeof(c->id.b));
    return view_make(out, n + 8 + sizeof(c->id.b));
}

unsigned
store_conv_views(const struct store_conv *c)
{
    unsigned views = 1u << STORE_VIEW_EVERY;

    switch (c->box) {
    case STORE_BOX_ALL:
        views |= 1u << STORE_VIEW_ALL;
        break;
    case STORE_BOX_ASSIGNED:
        views |= 1u << STORE_VIEW_ASSIGNED;
        break;
    case STORE_BOX_ARCHIVED:
        return views | 1u << STORE_VIEW_ARCHIVED;
    case STORE_BOX_COUNT_:
        break;
    }
    if ((c->flags & STORE_CONV_CLINICS) != 0) {
        views |= 1u << STORE_VIEW_CLINICS;
    }
    return views;
}

static enum err
order_rows(struct store_txn *txn, const struct store_conv *c, bool add)
{
    unsigned views = store_conv_views(c);
    uint8_t buf[STORE_ORDER_KEY];
    enum err e = OK;

    for (enum store_conv_view v = 0; e == OK && v <= STORE_VIEW_EVERY; v++) {
        struct view key;

        if ((views >> v & 1) == 0) {
            continue;
        }
        key = store_order_key(c, v, buf);
        e = add ? store_put(txn, STORE_T_CONV_ORDER, key, (struct view){0})
                : store_del(txn, STORE_T_CONV_ORDER, key);
    }
    return e == ERR_MISSING ? ERR_CORRUPT : e;
}

/* ------------------------------------------------------- contacts and thread
 */

static struct view
list_key(const struct contact_id *contact, bool regarding,
         const struct conv_id *conv, uint8_t out[LIST_KEY])
{
    memcpy(out, contact->b, sizeof(contact->b));
    out[16] = regarding;
    if (conv == NULL) {
        return view_make(out, 17);
    }
    memcpy(out + 17, conv->b, sizeof(conv->b));
    return view_make(out, LIST_KEY);
}

static enum err
contact_rows(struct store_txn *txn, const struct store_conv *c, bool add)
{
    uint8_t buf[LIST_KEY];
    enum err e = OK;

    for (size_t i = 0; e == OK && i < c->contacts_len + c->regarding_len; i++) {
        bool regarding = i >= c->contacts_len;
        const struct contact_id *id =
            regarding ? &c->regarding[i - c->contacts_len] : &c->contacts[i];
        struct view key = list_key(id, regarding, &c->id, buf);

        e = add ? store_put(txn, STORE_T_CONV_CONTACTS, key, (struct view){0})
                : store_del(txn, STORE_T_CONV_CONTACTS, key);
        e = e == ERR_MISSING ? OK : e; /* the same contact twice */
    }
    return e;
}

enum err
store_conv_by_thread(struct store_txn *txn, const struct thread_id *thread,
                     struct conv_id *out)
{
    struct bytes b = {0};
    enum err e;

    TRY(store_get(txn, STORE_T_CONV_THREADS, thread_id_view(thread), &b));
    TRY(conv_id_from(view_of(&b), out) == OK ? OK : ERR_CORRUPT);
out:
    bytes_free(&b);
    return e;
}

/* Take the thread, unless another conversation has it. */
static enum err
thread_row(struct store_txn *txn, const struct store_conv *c)
{
    struct conv_id owner;
    enum err e;

    if (!c->has_thread) {
        return OK;
    }
    e = store_conv_by_thread(txn, &c->thread, &owner);
    if (e == OK) {
        return conv_id_equal(&owner, &c->id) ? OK : ERR_EXISTS;
    }
    TRY(e == ERR_MISSING ? OK : e);
    TRY(store_put(txn, STORE_T_CONV_THREADS, thread_id_view(&c->thread),
                  conv_id_view(&c->id)));
out:
    return e;
}

static enum err
drop_thread(struct store_txn *txn, const struct store_conv *c)
{
    enum err e = OK;

    if (c->has_thread) {
        e = store_del(txn, STORE_T_CONV_THREADS, thread_id_view(&c->thread));
    }
    return e == ERR_MISSING ? ERR_CORRUPT : e;
}

/* ---------------------------------------------------------- create and change
 */

enum err
store_conv_create(struct store_txn *txn, const struct store_conv *c)
{
    struct store_conv made = *c; /* borrows c's title and lists */
    enum err e;

    TRY(phi_len(&c->title) <= LIMIT_PHI_SHORT ? OK : ERR_LIMIT);
    e = store_has(txn, STORE_T_CONVS, conv_id_view(&c->id));
    TRY(e == OK ? ERR_EXISTS : e == ERR_MISSING ? OK : e);
    TRY(thread_row(txn, c));
    made.msgs = made.last_msg = 0;
    TRY(store_next(txn, STORE_N_CONV, &made.number));
    TRY(store_next(txn, STORE_N_ACTIVITY, &made.activity));
    TRY(new_key(txn, &c->id));
    TRY(put_record(txn, &made));
    TRY(order_rows(txn, &made, true));
    TRY(contact_rows(txn, &made, true));
    TRY(store_conv_name(txn, &made, true));
out:
    return e;
}

enum err
store_conv_put(struct store_txn *txn, const struct store_conv *c)
{
    struct store_conv next = *c; /* borrows c's title and lists */
    struct store_conv old = {0};
    enum err e;

    TRY(phi_len(&c->title) <= LIMIT_PHI_SHORT ? OK : ERR_LIMIT);
    TRY(store_conv_get(txn, &c->id, &old));
    next.number = old.number;
    next.activity = old.activity;
    next.msgs = old.msgs;
    next.last_msg = old.last_msg;
    if (old.has_thread &&
        (!c->has_thread || !thread_id_equal(&old.thread, &c->thread))) {
        TRY(drop_thread(txn, &old));
    }
    TRY(thread_row(txn, c));
    TRY(order_rows(txn, &old, false));
    TRY(order_rows(txn, &next, true));
    TRY(contact_rows(txn, &old, false));
    TRY(contact_rows(txn, &next, true));
    TRY(store_conv_rename(txn, &old, &next));
    TRY(put_record(txn, &next));
out:
    store_conv_clear(&old);
    return e;
}

enum err
store_conv_advance(struct store_txn *txn, struct store_conv *c, uint64_t seq)
{
    enum err e;

    TRY(order_rows(txn, c, false));
    TRY(store_next(txn, STORE_N_ACTIVITY, &c->activity));
    c->msgs++;
    c->last_msg = seq;
    TRY(order_rows(txn, c, true));
    TRY(put_record(txn, c));
out:
    return e;
}

enum err
store_conv_del(struct store_txn *txn, const struct conv_id *id, uint32_t max,
               bool *more)
{
    struct store_conv c = {0};
    bool existed;
    enum err e;

    ASSERT(txn->write);
    e = store_conv_get(txn, id, &c);
    existed = e == OK;
    TRY(e == ERR_MISSING ? OK : e);
    if (existed) {
        TRY(drop_thread(txn, &c));
        TRY(order_rows(txn, &c, false));
        TRY(contact_rows(txn, &c, false));
        TRY(store_conv_name(txn, &c, false));
        TRY(store_drop(txn, STORE_T_CONV_MARKS, conv_id_view(id)));
        TRY(store_del(txn, STORE_T_CONVS, conv_id_view(id)));
        TRY(store_del(txn, STORE_T_CONV_KEYS, conv_id_view(id)));
        txn->conv_known = false;
        mem_wipe(txn->conv_key, sizeof(txn->conv_key));
    }
    e = store_msgs_drop(txn, id, max, more);
    TRY(e == ERR_MISSING && existed ? OK : e);
out:
    store_conv_clear(&c);
    return e;
}

/* -------------------------------------------------------------------- lists */

enum err
store_conv_by_contact(struct store_txn *txn, const struct contact_id *contact,
                      bool regarding,
                      enum err (*each)(void *ctx, const struct conv_id *id),
                      void *ctx)
{
    uint8_t buf[LIST_KEY];
    struct conv_id id;
    struct store_scan sc;
    enum err e;
    enum err end;

    TRY(store_scan_begin(txn, STORE_T_CONV_CONTACTS,
                         list_key(contact, regarding, NULL, buf), STORE_UP,
                         &sc));
    while (e == OK && store_scan_next(&sc)) {
        e = conv_id_from(view_skip(sc.key, 17), &id) == OK ? each(ctx, &id)
                                                           : ERR_CORRUPT;
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

/* What a row of an order tells of, whose prefix has n bytes. */
static enum err
list_item(struct store_txn *txn, size_t n, const struct store_scan *sc,
          struct store_conv *out)
{
    enum err e;
    struct conv_id id;

    if (store_page_is(STORE_T_CONV_ORDER, sc->key)) {
        return store_page_open(txn, sc->key, sc->value, out);
    }
    TRY(sc->key.len > n + 8 &&
                conv_id_from(view_skip(sc->key, n + 8), &id) == OK
            ? OK
            : ERR_CORRUPT);
    TRY(store_page_get(txn, store_get_u64(sc->key.p + n), &id, out));
out:
    return e;
}

enum err
store_conv_list(struct store_txn *txn, const struct store_conv_query *q,
                enum err (*each)(void *ctx, const struct store_conv *c),
                void *ctx)
{
    uint8_t prefix[STORE_ORDER_KEY];
    uint8_t from[STORE_ORDER_KEY];
    struct store_conv c = {0};
    struct store_scan sc;
    size_t n;
    enum err e;
    enum err end;

    n = order_prefix(q->view, q->owner, prefix).len;
    TRY(store_scan_begin(txn, STORE_T_CONV_ORDER, view_make(prefix, n),
                         STORE_DOWN, &sc));
    if (q->before != 0) {
        memcpy(from, prefix, n);
        store_put_u64(from + n, q->before);
        store_scan_after(&sc, view_make(from, n + 8));
    }
    store_scan_keys(&sc);
    for (uint32_t i = 0; e == OK && i < q->max && store_scan_next(&sc); i++) {
        e = list_item(txn, n, &sc, &c);
        if (e == OK) {
            e = each(ctx, &c);
        }
        store_conv_clear(&c);
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}

/* -------------------------------------------------------------------- marks */

enum {
    MARK_KEY = 17 + MARK_SUBJECT
};

static enum err
mark_key(const struct conv_id *id, uint8_t kind, struct view subject,
         uint8_t out[MARK_KEY], struct view *key)
{
    if (subject.len > MARK_SUBJECT) {
        return ERR_LIMIT;
    }
    memcpy(out, id->b, sizeof(id->b));
    out[16] = kind;
    if (subject.len > 0) {
        memcpy(out + 17, subject.p, subject.len);
    }
    *key = view_make(out, 17 + subject.len);
    return OK;
}

enum err
store_conv_mark_get(struct store_txn *txn, const struct conv_id *id,
                    uint8_t kind, struct view subject, uint64_t *out)
{
    uint8_t buf[MARK_KEY];
    struct bytes b = {0};
    struct view key;
    enum err e;

    TRY(mark_key(id, kind, subject, buf, &key));
    e = store_get(txn, STORE_T_CONV_MARKS, key, &b);
    if (e == ERR_MISSING) {
        *out = 0;
        return OK;
    }
    TRY(e);
    TRY(b.len == 8 ? OK : ERR_CORRUPT);
    *out = store_get_u64(b.p);
out:
    bytes_free(&b);
    return e;
}

enum err
store_conv_mark_put(struct store_txn *txn, const struct conv_id *id,
                    uint8_t kind, struct view subject, uint64_t value)
{
    uint8_t buf[MARK_KEY];
    uint8_t number[8];
    struct view key;
    enum err e;

    TRY(mark_key(id, kind, subject, buf, &key));
    if (value == 0) {
        e = store_del(txn, STORE_T_CONV_MARKS, key);
        return e == ERR_MISSING ? OK : e;
    }
    store_put_u64(number, value);
    TRY(store_put(txn, STORE_T_CONV_MARKS, key, VIEW_ARRAY(number)));
out:
    return e;
}

enum err
store_conv_marks(struct store_txn *txn, const struct conv_id *id, uint8_t kind,
                 struct view prefix,
                 enum err (*each)(void *ctx, struct view subject,
                                  uint64_t value),
                 void *ctx)
{
    uint8_t buf[MARK_KEY];
    struct store_scan sc;
    struct view key;
    enum err e;
    enum err end;

    TRY(mark_key(id, kind, prefix, buf, &key));
    TRY(store_scan_begin(txn, STORE_T_CONV_MARKS, key, STORE_UP, &sc));
    while (e == OK && store_scan_next(&sc)) {
        e = sc.value.len == 8
                ? each(ctx, view_skip(sc.key, 17), store_get_u64(sc.value.p))
                : ERR_CORRUPT;
    }
    end = store_scan_end(&sc);
    TRY(e != OK ? e : end);
out:
    return e;
}
