/* SPDX-License-Identifier: Apache-2.0 */
#include "node/clinic/line.h"

#include "node/clinic/past.h"
#include "node/ns.h"
#include "store/fed.h"

#include <string.h>

enum {
    THREADS = 8 /* that continue each other */
};

enum err
node_line_put(struct store_txn *txn, const struct mem *mem,
              const struct fed_show *show)
{
    enum err e = OK;
    struct fed_line line;
    struct bytes b = {0};
    uint8_t key[FED_LINE_KEY];

    if (!fed_line_of(show, &line)) {
        goto out;
    }
    fed_line_key(&show->thread, &line, key);
    TRY(fed_line_encode(mem, &line, &b));
    TRY(store_fed_put(txn, NODE_NS_LINE, VIEW_ARRAY(key), view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

/* The first key behind another, if it is not behind upto. */
struct first {
    uint8_t key[FED_LINE_KEY];
    const uint8_t *upto;
    bool any;
};

static enum err
take_key(void *ctx, struct view key, struct view value)
{
    struct first *f = ctx;

    (void)value;
    f->any = key.len == sizeof(f->key) &&
             memcmp(key.p, f->upto, sizeof(f->key)) <= 0;
    if (f->any) {
        memcpy(f->key, key.p, sizeof(f->key));
    }
    return OK;
}

enum err
node_line_void(struct store_txn *txn, const struct fed_show *show)
{
    enum err e = OK;
    uint8_t from[FED_LINE_KEY];
    uint8_t upto[FED_LINE_KEY];
    struct first f = {.upto = upto, .any = true};

    /* no line has the key from: it has nobody's root */
    fed_line_void(show, from, upto);
    memcpy(f.key, from, sizeof(f.key));
    while (f.any) {
        f.any = false;
        TRY(store_fed_scan(txn, NODE_NS_LINE, thread_id_view(&show->thread),
                           VIEW_ARRAY(f.key), STORE_UP, 1, take_key, &f));
        TRY(f.any ? store_fed_del(txn, NODE_NS_LINE, VIEW_ARRAY(f.key)) : OK);
    }
out:
    return e;
}

/* Newest first, at the end of the array. */
struct gather {
    struct fed_line *lines;
    size_t first;
};

static enum err
each_line(void *ctx, struct view key, struct view value)
{
    struct gather *g = ctx;
    enum err e;

    if (g->first == 0) {
        return OK;
    }
    e = fed_line_decode(key, value, &g->lines[g->first - 1]);
    if (e == OK) {
        g->first--;
    }
    return e == ERR_UNSUPPORTED ? OK : e;
}

enum err
node_lines(struct store_txn *txn, const struct mem *mem,
           const struct thread_id *thread, struct fed_line **lines_out,
           size_t *len_out)
{
    enum err e = OK;
    struct thread_id at = *thread;
    struct gather g = {.first = FED_LINES_MAX};
    size_t len;

    g.lines = mem_calloc(mem, FED_LINES_MAX, sizeof(*g.lines));
    TRY(g.lines == NULL ? ERR_NOMEM : OK);
    for (unsigned n = 0; e == OK && n < THREADS && g.first > 0; n++) {
        TRY(store_fed_scan(txn, NODE_NS_LINE, thread_id_view(&at),
                           (struct view){0}, STORE_DOWN, (uint32_t)g.first,
                           each_line, &g));
        e = node_past_continued(txn, &at);
    }
    TRY(e == ERR_MISSING ? OK : e);
    len = FED_LINES_MAX - g.first;
    memmove(g.lines, g.lines + g.first, len * sizeof(*g.lines));
    fed_lines_settle(g.lines, &len);
    *lines_out = g.lines;
    *len_out = len;
    g.lines = NULL;
out:
    mem_free(mem, g.lines, FED_LINES_MAX * sizeof(*g.lines));
    return e;
}
