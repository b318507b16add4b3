/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch: what steps have changed and nobody has stored yet.  Reads look
 * through the current batch, then the taken ones from the newest, then the
 * store, so that steps need not wait for a commit.
 */
#include "federation/core/trust.h"

#include "proto/base/assert.h"

#include <string.h>

bool
fed_ours(enum err e)
{
    return e == ERR_NOMEM || e == ERR_IO || e == ERR_CORRUPT ||
           e == ERR_INTERNAL || e == ERR_FULL;
}

uint64_t
fed_now(const struct fed_core *core)
{
    return clock_wall_ms(core->config.clock);
}

uint64_t
fed_mono(const struct fed_core *core)
{
    return clock_mono_ms(core->config.clock);
}

/* ------------------------------------------------------------------- keys */

struct fed_key
fed_key_of(struct view a)
{
    struct fed_key key = {.len = a.len};

    ASSERT(a.len <= sizeof(key.b));
    if (a.len > 0) {
        memcpy(key.b, a.p, a.len);
    }
    return key;
}

struct fed_key
fed_key_pair(struct view a, struct view b)
{
    struct fed_key key = fed_key_of(a);

    ASSERT(b.len <= sizeof(key.b) - key.len);
    if (b.len > 0) {
        memcpy(key.b + key.len, b.p, b.len);
        key.len += b.len;
    }
    return key;
}

struct fed_key
fed_key_num(struct view a, uint64_t n)
{
    uint8_t be[8];

    for (int i = 0; i < 8; i++) {
        be[i] = (uint8_t)(n >> (56 - 8 * i));
    }
    return fed_key_pair(a, VIEW_ARRAY(be));
}

struct view
fed_key_view(const struct fed_key *key)
{
    return view_make(key->b, key->len);
}

uint64_t
fed_key_tail(struct view key)
{
    uint64_t n = 0;

    ASSERT(key.len >= 8);
    for (size_t i = key.len - 8; i < key.len; i++) {
        n = n << 8 | key.p[i];
    }
    return n;
}

/* ----------------------------------------------------------------- writes */

static int
write_cmp(const struct fed_write *w, enum fed_ns ns, struct view key)
{
    size_t n;
    int c;

    if (w->ns != ns) {
        return w->ns < ns ? -1 : 1;
    }
    n = w->key.len < key.len ? w->key.len : key.len;
    c = n == 0 ? 0 : memcmp(w->key.p, key.p, n);
    if (c != 0) {
        return c;
    }
    return (w->key.len > key.len) - (w->key.len < key.len);
}

/* The first write that is not before (ns, key). */
static size_t
lower_bound(const struct fed_batch *b, enum fed_ns ns, struct view key)
{
    size_t lo = 0;
    size_t hi = b->writes_len;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (write_cmp(b->writes[mid], ns, key) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static struct fed_write *
find_write(const struct fed_batch *b, enum fed_ns ns, struct view key)
{
    size_t at = lower_bound(b, ns, key);

    if (at < b->writes_len && write_cmp(b->writes[at], ns, key) == 0) {
        return b->writes[at];
    }
    return NULL;
}

/* Room for one more of n items of size bytes. */
static enum err
grow(const struct mem *mem, void **items, size_t len, size_t *cap, size_t size)
{
    size_t want = *cap == 0 ? 16 : *cap * 2;
    void *p;

    if (len < *cap) {
        return OK;
    }
    p = mem_calloc(mem, want, size);
    if (p == NULL) {
        return ERR_NOMEM;
    }
    if (len > 0) {
        memcpy(p, *items, len * size);
    }
    mem_free(mem, *items, *cap * size);
    *items = p;
    *cap = want;
    return OK;
}

static enum err
cur_batch(struct fed_core *core)
{
    if (core->cur == NULL) {
        core->cur = mem_alloc(core->mem, sizeof(*core->cur));
    }
    return core->cur == NULL ? ERR_NOMEM : OK;
}

static void
write_free(const struct mem *mem, struct fed_write *w)
{
    if (w != NULL) {
        bytes_free(&w->key);
        bytes_free(&w->value);
        mem_free(mem, w, sizeof(*w));
    }
}

/* A write of its own for (ns, key), in its place; value empty. */
static enum err
new_write(struct fed_core *core, enum fed_ns ns, struct view key,
          struct fed_write **out)
{
    enum err e;
    struct fed_batch *b = core->cur;
    struct fed_write *w = NULL;
    void *items = b->writes;
    size_t at;

    TRY(grow(core->mem, &items, b->writes_len, &b->writes_cap_,
             sizeof(b->writes[0])));
    b->writes = items;
    w = mem_alloc(core->mem, sizeof(*w));
    if (w == NULL) {
        TRY(ERR_NOMEM);
    }
    w->ns = ns;
    TRY(bytes_copy(core->mem, key, &w->key));
    at = lower_bound(b, ns, key);
    memmove(&b->writes[at + 1], &b->writes[at],
            (b->writes_len - at) * sizeof(b->writes[0]));
    b->writes[at] = w;
    b->writes_len++;
    *out = w;
    w = NULL;
out:
    write_free(core->mem, w);
    return e;
}

static enum err
set(struct fed_core *core, enum fed_ns ns, const struct fed_key *key, bool del,
    struct view value)
{
    enum err e;
    struct bytes copy = {0};
    struct fed_write *w;

    TRY(cur_batch(core));
    if (!del) {
        TRY(bytes_copy(core->mem, value, &copy));
    }
    w = find_write(core->cur, ns, fed_key_view(key));
    if (w == NULL) {
        TRY(new_write(core, ns, fed_key_view(key), &w));
    }
    bytes_free(&w->value);
    w->value = bytes_take(&copy);
    w->del = del;
out:
    bytes_free(&copy);
    return e;
}

enum err
fed_tx_put(struct fed_core *core, enum fed_ns ns, const struct fed_key *key,
           struct view value)
{
    return set(core, ns, key, false, value);
}

enum err
fed_tx_del(struct fed_core *core, enum fed_ns ns, const struct fed_key *key)
{
    return set(core, ns, key, true, (struct view){0});
}

/* ------------------------------------------------------------------ reads */

/* The batches from the newest; *at starts as NULL. */
static struct fed_batch *
older(const struct fed_core *core, const struct fed_batch *at)
{
    if (at == NULL) {
        return core->cur != NULL ? core->cur : core->taken;
    }
    return at == core->cur ? core->taken : at->next_;
}

enum err
fed_tx_get(struct fed_core *core, enum fed_ns ns, const struct fed_key *key,
           struct bytes *out)
{
    struct view k = fed_key_view(key);

    for (struct fed_batch *b = older(core, NULL); b != NULL;
         b = older(core, b)) {
        struct fed_write *w = find_write(b, ns, k);

        if (w != NULL) {
            return w->del ? ERR_MISSING
                          : bytes_copy(core->mem, view_of(&w->value), out);
        }
    }
    return core->config.store.get(core->config.store.ctx, ns, k, core->mem,
                                  out);
}

bool
fed_tx_pending(const struct fed_core *core, enum fed_ns ns,
               const struct fed_key *key)
{
    for (struct fed_batch *b = older(core, NULL); b != NULL;
         b = older(core, b)) {
        if (find_write(b, ns, fed_key_view(key)) != NULL) {
            return true;
        }
    }
    return false;
}

/* The smallest pending write with key >= from; the newest of equal ones. */
static struct fed_write *
next_write(struct fed_core *core, enum fed_ns ns, struct view from)
{
    struct fed_write *best = NULL;

    for (struct fed_batch *b = older(core, NULL); b != NULL;
         b = older(core, b)) {
        size_t at = lower_bound(b, ns, from);
        struct fed_write *w = at < b->writes_len ? b->writes[at] : NULL;

        if (w != NULL && w->ns == ns &&
            (best == NULL || write_cmp(w, ns, view_of(&best->key)) < 0)) {
            best = w;
        }
    }
    return best;
}

static bool
starts_with(struct view key, struct view prefix)
{
    return key.len >= prefix.len &&
           (prefix.len == 0 || memcmp(key.p, prefix.p, prefix.len) == 0);
}

enum err
fed_tx_next(struct fed_core *core, enum fed_ns ns, const struct fed_key *from,
            struct view prefix, struct bytes *key_out, struct bytes *value_out)
{
    enum err e;
    struct fed_key at = *from;
    struct bytes key = {0};
    struct bytes value = {0};

    for (;;) {
        struct fed_write *w = next_write(core, ns, fed_key_view(&at));

        e = core->config.store.next(core->config.store.ctx, ns,
                                    fed_key_view(&at), core->mem, &key, &value);
        if (e != OK && e != ERR_MISSING) {
            goto out;
        }
        if (e == OK && (w == NULL || write_cmp(w, ns, view_of(&key)) > 0)) {
            break; /* the store has the smaller one */
        }
        bytes_free(&key);
        bytes_free(&value);
        if (w == NULL) {
            TRY(ERR_MISSING);
        }
        if (!w->del) {
            TRY(bytes_copy(core->mem, view_of(&w->key), &key));
            TRY(bytes_copy(core->mem, view_of(&w->value), &value));
            break;
        }
        at = fed_key_of(view_of(&w->key));
        at.b[at.len++] = 0;
    }
    e = starts_with(view_of(&key), prefix) ? OK : ERR_MISSING;
out:
    if (e == OK) {
        *key_out = bytes_take(&key);
        *value_out = bytes_take(&value);
    }
    bytes_free(&key);
    bytes_free(&value);
    return e;
}

enum err
fed_tx_load(struct fed_core *core, enum fed_ns ns, const struct fed_key *key,
            const struct proto_shape *shape, void *to, struct bytes *hold)
{
    enum err e = fed_tx_get(core, ns, key, hold);

    return e == OK ? fed_rec_decode(view_of(hold), shape, to) : e;
}

enum err
fed_tx_save(struct fed_core *core, enum fed_ns ns, const struct fed_key *key,
            const struct proto_shape *shape, const void *from)
{
    enum err e;
    struct bytes value = {0};

    TRY(fed_rec_encode(core->mem, shape, from, &value));
    TRY(fed_tx_put(core, ns, key, view_of(&value)));
out:
    bytes_free(&value);
    return e;
}

enum err
fed_tx_drop(struct fed_core *core, enum fed_ns ns, struct view prefix)
{
    enum err e;
    struct bytes key = {0};
    struct bytes value = {0};
    struct fed_key at = fed_key_of(prefix);

    for (;;) {
        e = fed_tx_next(core, ns, &at, prefix, &key, &value);
        if (e == ERR_MISSING) {
            e = OK;
            break;
        }
        TRY(e);
        at = fed_key_of(view_of(&key));
        TRY(fed_tx_del(core, ns, &at));
        bytes_free(&key);
        bytes_free(&value);
    }
out:
    bytes_free(&key);
    bytes_free(&value);
    return e;
}

/* ---------------------------------------------------------- shows and acts */

struct fed_show *
fed_tx_show(struct fed_core *core, enum fed_show_kind kind)
{
    struct fed_batch *b;
    void *items;

    if (cur_batch(core) != OK) {
        return NULL;
    }
    b = core->cur;
    items = b->shows;
    if (grow(core->mem, &items, b->shows_len, &b->shows_cap_,
             sizeof(b->shows[0])) != OK) {
        return NULL;
    }
    b->shows = items;
    memset(&b->shows[b->shows_len], 0, sizeof(b->shows[0]));
    b->shows[b->shows_len].kind = kind;
    return &b->shows[b->shows_len++];
}

/* A show that says where a message is. */
static bool
places(const struct fed_show *s, const struct thread_id *thread,
       const struct message_id *id)
{
    return message_id_equal(&s->message, id) &&
           (s->kind == FED_SHOW_MESSAGE ||
            (s->kind == FED_SHOW_STATE && s->code == FED_MESSAGE_ACCEPTED)) &&
           thread_id_equal(&s->thread, thread);
}

enum err
fed_tx_known(struct fed_core *core, const struct thread_id *thread,
             const struct message_id *id, uint64_t *term_out, uint64_t *seq_out)
{
    for (const struct fed_batch *b = older(core, NULL); b != NULL;
         b = older(core, b)) {
        for (size_t i = b->shows_len; i > 0; i--) {
            const struct fed_show *s = &b->shows[i - 1];

            if (places(s, thread, id)) {
                *term_out = s->term;
                *seq_out = s->seq;
                return OK;
            }
        }
    }
    return core->config.store.known(core->config.store.ctx, thread, id,
                                    term_out, seq_out);
}

static enum err
new_act(struct fed_core *core, enum fed_act_kind kind, struct fed_act **out)
{
    enum err e;
    struct fed_batch *b;
    void *items;

    TRY(cur_batch(core));
    b = core->cur;
    items = b->acts;
    TRY(grow(core->mem, &items, b->acts_len, &b->acts_cap_,
             sizeof(b->acts[0])));
    b->acts = items;
    *out = &b->acts[b->acts_len++];
    memset(*out, 0, sizeof(**out));
    (*out)->kind = kind;
out:
    return e;
}

enum err
fed_tx_act(struct fed_core *core, enum fed_act_kind kind,
           const struct fed_party *party, struct bytes *take_body)
{
    enum err e;
    struct fed_act *act;

    TRY(new_act(core, kind, &act));
    act->peer = party->root;
    act->serial = party->serial;
    if (take_body != NULL) {
        act->body = bytes_take(take_body);
    }
out:
    return e;
}

enum err
fed_tx_renew(struct fed_core *core, uint64_t generation)
{
    enum err e;
    struct fed_act *act;

    TRY(new_act(core, FED_ACT_RENEW, &act));
    act->generation = generation;
out:
    return e;
}

enum err
fed_tx_rotate(struct fed_core *core, const struct thread_id *thread)
{
    enum err e;
    struct fed_act *act;

    TRY(new_act(core, FED_ACT_ROTATE, &act));
    act->thread = *thread;
out:
    return e;
}

void
fed_tx_timer(struct fed_core *core, uint64_t at_ms)
{
    if (core->timer_ms == 0 || at_ms < core->timer_ms) {
        core->timer_ms = at_ms;
    }
}

void
fed_batch_free(struct fed_core *core, struct fed_batch *batch)
{
    const struct mem *mem = core->mem;

    if (batch == NULL) {
        return;
    }
    for (size_t i = 0; i < batch->writes_len; i++) {
        write_free(mem, batch->writes[i]);
    }
    for (size_t i = 0; i < batch->shows_len; i++) {
        bytes_free(&batch->shows[i].body);
    }
    for (size_t i = 0; i < batch->acts_len; i++) {
        bytes_free(&batch->acts[i].body);
    }
    mem_free(mem, batch->writes, batch->writes_cap_ * sizeof(batch->writes[0]));
    mem_free(mem, batch->shows, batch->shows_cap_ * sizeof(batch->shows[0]));
    mem_free(mem, batch->acts, batch->acts_cap_ * sizeof(batch->acts[0]));
    mem_free(mem, batch, sizeof(*batch));
}
