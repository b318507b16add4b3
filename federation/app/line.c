/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who came into a conversation, left or was removed, for people: records apart
 * from messages, which are counted, quoted and given to others.
 */
#include "federation/app/inside.h"

#include <string.h>

enum {
    NAME = 32 /* of the key behind the thread: at, what, most of who */
};

static struct fed_app_key
key_of(const struct thread_id *thread, const struct fed_line *line)
{
    uint8_t key[FED_LINE_KEY];

    fed_line_key(thread, line, key);
    return fed_app_key(VIEW_ARRAY(key), (struct view){0});
}

enum err
fed_app_line_save(struct fed_app *app, const struct thread_id *thread,
                  const struct fed_line *line)
{
    enum err e;
    struct fed_app_key key = key_of(thread, line);
    struct bytes b = {0};

    TRY(fed_line_encode(app->mem, line, &b));
    TRY(fed_app_put(&app->kv, FED_APP_LINE, &key, view_of(&b)));
out:
    bytes_free(&b);
    return e;
}

enum err
fed_app_show_line(struct fed_app *app, const struct fed_show *show)
{
    enum err e = OK;
    struct fed_line line;
    struct fed_app_key key;

    if (!fed_line_of(show, &line)) {
        goto out;
    }
    TRY(fed_app_line_save(app, &show->thread, &line));
    key = key_of(&show->thread, &line);
    TRY(fed_app_archive_note(app, FED_APP_KEPT_LINE, &show->thread,
                             key.b + sizeof(show->thread.b)));
out:
    return e;
}

/* The first at or behind *from, which goes behind it. */
static enum err
next(struct fed_app *app, struct view prefix, struct fed_app_key *from,
     struct fed_line *out)
{
    enum err e;
    struct fed_app_key key;
    struct bytes value = {0};

    TRY(fed_app_next(&app->kv, FED_APP_LINE, from, prefix, &key, &value));
    *from = fed_app_key(fed_app_key_view(&key), VIEW_LIT("\0"));
    TRY(fed_line_decode(fed_app_key_view(&key), view_of(&value), out));
out:
    bytes_free(&value);
    return e;
}

enum err
fed_app_show_void(struct fed_app *app, const struct fed_show *show)
{
    enum err e = OK;
    uint8_t from[FED_LINE_KEY];
    uint8_t upto[FED_LINE_KEY];
    struct fed_app_key at;
    struct fed_app_key key;
    struct bytes value = {0};

    fed_line_void(show, from, upto);
    at = fed_app_key(VIEW_ARRAY(from), (struct view){0});
    for (;;) {
        e = fed_app_next(&app->kv, FED_APP_LINE, &at,
                         thread_id_view(&show->thread), &key, &value);
        if (e != OK || memcmp(key.b, upto, sizeof(upto)) > 0) {
            break;
        }
        TRY(fed_app_del(&app->kv, FED_APP_LINE, &key));
        bytes_free(&value);
    }
    e = e == ERR_MISSING ? OK : e;
out:
    bytes_free(&value);
    return e;
}

enum err
fed_app_line_named(struct fed_app *app, const struct thread_id *thread,
                   const uint8_t name[32], struct fed_line *out)
{
    struct fed_app_key prefix =
        fed_app_key(thread_id_view(thread), view_make(name, NAME));
    struct fed_app_key from = prefix;

    return next(app, fed_app_key_view(&prefix), &from, out);
}

/* What is still asked for has its line, unless one says why it is kept out. */
static enum err
put_missing(struct fed_app *app, const struct thread_id *thread,
            struct fed_line *out, size_t max, size_t *len)
{
    enum err e;
    uint64_t term;
    uint64_t seq;
    struct fed_line line = {.what = FED_LINE_MISSING};
    size_t i = *len;

    e = app->core == NULL ? ERR_MISSING
                          : fed_core_missing(app->core, thread, &term, &seq);
    if (e != OK) {
        return e == ERR_MISSING ? OK : e;
    }
    line.at = fed_line_at(term, fed_place(seq, 0));
    while (i > 0 && out[i - 1].at >= line.at) {
        i--;
    }
    if (*len == max || (i < *len && fed_line_filled(&out[i], line.at))) {
        return OK;
    }
    memmove(&out[i + 1], &out[i], (*len - i) * sizeof(out[0]));
    out[i] = line;
    ++*len;
    return OK;
}

enum err
fed_app_lines(struct fed_app *app, const struct thread_id *thread,
              struct fed_line *out, size_t max, size_t *len_out)
{
    enum err e;
    struct fed_app_key from =
        fed_app_key(thread_id_view(thread), (struct view){0});
    size_t len = 0;

    for (;;) {
        if (len == max) { /* the older half goes */
            len = max / 2;
            memmove(out, out + (max - len), len * sizeof(out[0]));
        }
        e = next(app, thread_id_view(thread), &from, &out[len]);
        if (e == ERR_MISSING) {
            break;
        }
        if (e != OK && e != ERR_UNSUPPORTED) {
            goto out;
        }
        len += e == OK ? 1 : 0;
    }
    e = OK;
    fed_lines_settle(out, &len);
    TRY(put_missing(app, thread, out, max, &len));
    *len_out = len;
out:
    return e;
}
