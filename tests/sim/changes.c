/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/changes.h"

#include "tests/sim/store.h"
#include "tests/support/check.h"

#include <string.h>

enum {
    LINES = 256
};

void
sim_show_line(struct node *n, const struct fed_show *show)
{
    struct fed_line line;
    struct bytes b = {0};
    uint8_t key[FED_LINE_KEY];

    if (!fed_line_of(show, &line)) {
        return;
    }
    fed_line_key(&show->thread, &line, key);
    CHECK_OK(fed_line_encode(mem_heap(), &line, &b));
    rows_put(&n->rows, WORLD_LINE, VIEW_ARRAY(key), view_of(&b));
    bytes_free(&b);
}

void
sim_show_void(struct node *n, const struct fed_show *show)
{
    uint8_t from[FED_LINE_KEY];
    uint8_t upto[FED_LINE_KEY];
    size_t at;

    fed_line_void(show, from, upto);
    at = rows_lower(&n->rows, WORLD_LINE, VIEW_ARRAY(from));
    while (at < n->rows.len && n->rows.at[at].ns == WORLD_LINE &&
           memcmp(n->rows.at[at].key.p, upto, sizeof(upto)) <= 0) {
        rows_del(&n->rows, WORLD_LINE, view_of(&n->rows.at[at].key));
    }
}

size_t
sim_lines(const struct world *w, size_t i, const struct thread_id *thread,
          struct fed_line *out, size_t max)
{
    const struct rows *rows = &w->nodes[i].rows;
    size_t at = rows_lower(rows, WORLD_LINE, thread_id_view(thread));
    size_t n = 0;

    for (; at < rows->len && n < max; at++) {
        const struct row *r = &rows->at[at];

        if (r->ns != WORLD_LINE || memcmp(r->key.p, thread->b, 32) != 0) {
            break;
        }
        CHECK_OK(
            fed_line_decode(view_of(&r->key), view_of(&r->value), &out[n++]));
    }
    fed_lines_settle(out, &n);
    return n;
}

static bool
about(const struct fed_line *l, const struct subject_id *who)
{
    return memcmp(l->who, who->b, sizeof(l->who)) == 0;
}

static bool
zeros(const uint8_t b[32])
{
    static const uint8_t none[32];

    return memcmp(b, none, sizeof(none)) == 0;
}

/* That node i came in, or back: with its subject, or as a device of it. */
static bool
came(const struct world *w, size_t i, const struct fed_line *l)
{
    struct subject_id me = node_subject(w, i);
    struct clinic_id node = node_root(w, i);

    return about(l, &me) &&
           (l->what == FED_LINE_CAME ||
            ((l->what == FED_LINE_REJOINED ||
              l->what == FED_LINE_DEVICE_CAME) &&
             (zeros(l->device) ||
              memcmp(l->device, node.b, sizeof(node.b)) == 0)));
}

/* Where node i came in, or back, for the last time: a device that joins sees
   nothing of that itself, so what the other node tells counts as well. */
static uint64_t
since(const struct world *w, size_t i, const struct fed_line *lines, size_t n)
{
    uint64_t at = 0;

    for (size_t k = 0; k < n; k++) {
        if ((came(w, i, &lines[k]) || zeros(lines[k].by)) && lines[k].at > at) {
            at = lines[k].at;
        }
    }
    return at;
}

/* What counts behind from: a wish has another place for who has it, and what
   one lacks for good the other may have. */
static size_t
behind(struct fed_line *lines, size_t n, uint64_t from)
{
    size_t kept = 0;

    for (size_t k = 0; k < n; k++) {
        if (lines[k].at > from && lines[k].what != FED_LINE_WANTS_OUT &&
            lines[k].what != FED_LINE_LOST) {
            lines[kept++] = lines[k];
        }
    }
    return kept;
}

static bool
same(const struct fed_line *a, const struct fed_line *b)
{
    enum fed_line_what x =
        a->what == FED_LINE_LEFT ? FED_LINE_REMOVED : a->what;
    enum fed_line_what y =
        b->what == FED_LINE_LEFT ? FED_LINE_REMOVED : b->what;

    return x == y && a->at == b->at && memcmp(a->who, b->who, 32) == 0 &&
           memcmp(a->by, b->by, 32) == 0 && a->ts_ms == b->ts_ms;
}

static void
judge_two(struct world *w, const struct thread_id *thread, size_t a, size_t b)
{
    static struct fed_line x[LINES];
    static struct fed_line y[LINES];
    size_t xn = sim_lines(w, a, thread, x, LINES);
    size_t yn = sim_lines(w, b, thread, y, LINES);
    const uint64_t all[] = {since(w, a, x, xn), since(w, a, y, yn),
                            since(w, b, x, xn), since(w, b, y, yn)};
    uint64_t from = 0;

    for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
        from = all[k] > from ? all[k] : from;
    }
    xn = behind(x, xn, from);
    yn = behind(y, yn, from);
    if (xn != yn) {
        world_fault(w, "changes differ in number", b, yn);
    }
    for (size_t k = 0; k < xn && k < yn; k++) {
        if (!same(&x[k], &y[k])) {
            world_fault(w, "changes differ", b, x[k].at);
            break;
        }
    }
}

void
sim_judge_lines(struct world *w, const struct thread_id *thread,
                const size_t *members, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        judge_two(w, thread, members[0], members[i]);
    }
}
