/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines between messages: who came in, left or was removed, by the names that
 * they have here.  A line stands behind the last message that is before it in
 * the log.
 */
#include "node/api_line.h"

#include "node/api_doubt.h"
#include "node/clinic/line.h"

#include <string.h>

static void
put_who(struct node_call *c, struct store_txn *txn, const uint8_t id[32],
        const char *key, json_t *o)
{
    static const uint8_t nobody[32];

    if (memcmp(id, nobody, sizeof(nobody)) == 0) {
        return;
    }
    if (memcmp(id, c->api->root.b, sizeof(c->api->root.b)) == 0) {
        node_json_own_name(o, key, c->api);
        return;
    }
    node_json_who(txn, id, key, o);
}

static enum err
put_line(struct node_call *c, struct store_txn *txn, const struct fed_line *l,
         uint64_t after, json_t *array)
{
    static const uint8_t none[32];
    json_t *o = node_json_item(array);

    if (o == NULL) {
        return ERR_NOMEM;
    }
    node_json_num(o, "after", after);
    node_json_view(o, "what", view_str(fed_line_word(l->what)));
    put_who(c, txn, l->who, "who", o);
    node_json_hex(o, "who_id", VIEW_ARRAY(l->who));
    if (memcmp(l->who, l->by, sizeof(l->by)) != 0) {
        put_who(c, txn, l->by, "by", o);
    }
    node_json_bool(o, "meanwhile", memcmp(l->by, none, sizeof(none)) == 0);
    if (memcmp(l->device, none, sizeof(none)) != 0) {
        node_json_hex(o, "device", VIEW_ARRAY(l->device));
    }
    node_json_num(o, "at_ms", l->ts_ms);
    return OK;
}

/* The last message in the order shown that is before a place; len: none. */
static size_t
before(const struct node_shown *shown, size_t len, uint64_t at)
{
    size_t i = 0;

    while (i < len && (shown[i].at == 0 || shown[i].at > at)) {
        i++;
    }
    return i;
}

static bool
came_later(const struct node_shown *shown, size_t len,
           const struct fed_line *line)
{
    for (size_t i = 0; i < len; i++) {
        if (shown[i].at != 0 && fed_line_filled(line, shown[i].at)) {
            return true;
        }
    }
    return false;
}

enum err
node_json_changes(struct node_call *c, struct store_txn *txn,
                  const struct store_conv *conv, const struct node_shown *shown,
                  size_t len, bool all)
{
    enum err e = OK;
    const struct mem *mem = c->api->mem;
    struct fed_line *lines = NULL;
    size_t lines_len = 0;
    json_t *array = NULL;

    if (!conv->has_thread) {
        goto out;
    }
    TRY(node_lines(txn, mem, &conv->thread, &lines, &lines_len));
    for (size_t i = 0; i < lines_len; i++) {
        size_t at = before(shown, len, lines[i].at);

        if ((at == len && !all) || came_later(shown, len, &lines[i])) {
            continue; /* behind an older message; or nothing is kept out */
        }
        array = array == NULL ? node_json_array(c->out, "changes") : array;
        TRY(put_line(c, txn, &lines[i], at == len ? 0 : shown[at].number,
                     array));
    }
out:
    mem_free(mem, lines, FED_LINES_MAX * sizeof(*lines));
    return e;
}
