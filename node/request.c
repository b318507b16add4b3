/* SPDX-License-Identifier: Apache-2.0 */
#include "node/request.h"

#include "proto/base/phi.h"

#include <string.h>

struct reading {
    const char *at;
    const char *end;
};

static void
skip_space(struct reading *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' ||
                              *r->at == '\n' || *r->at == '\r')) {
        r->at++;
    }
}

/* Whether this sign is next; then it is read. */
static bool
take(struct reading *r, char sign)
{
    skip_space(r);
    if (r->at == r->end || *r->at != sign) {
        return false;
    }
    r->at++;
    return true;
}

/* No byte below a space; eight at a time. */
static bool
no_controls(struct view v)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t low = 0;
    size_t i = 0;

    for (; v.len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t x;

        memcpy(&x, v.p + i, sizeof(x));
        low |= (x - each * 0x20) & ~x & each * 0x80;
    }
    for (; i < v.len; i++) {
        low |= v.p[i] < 0x20;
    }
    return low == 0;
}

/* The bytes between two quotes, which mean themselves. */
static bool
take_text(struct reading *r, struct view *out)
{
    const char *quote;

    if (!take(r, '"')) {
        return false;
    }
    quote = memchr(r->at, '"', (size_t)(r->end - r->at));
    if (quote == NULL) {
        return false;
    }
    *out = view_make(r->at, (size_t)(quote - r->at));
    r->at = quote + 1;
    return out->len == 0 || (memchr(out->p, '\\', out->len) == NULL &&
                             no_controls(*out) && proto_utf8_valid(*out));
}

static bool
take_word(struct reading *r, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0) {
        return false;
    }
    r->at += n;
    return true;
}

/* A text or a word. */
static json_t *
take_plain(struct reading *r)
{
    struct view text;

    skip_space(r);
    if (take_word(r, "true")) {
        return json_true();
    }
    if (take_word(r, "false")) {
        return json_false();
    }
    if (take_word(r, "null")) {
        return json_null();
    }
    if (!take_text(r, &text)) {
        return NULL;
    }
    return text.len == 0 ? json_string("")
                         : json_stringn_nocheck((const char *)text.p, text.len);
}

/* Behind its [. */
static json_t *
rest_of_list(struct reading *r)
{
    json_t *list = json_array();
    bool good = list != NULL;

    if (good && take(r, ']')) {
        return list;
    }
    while (good) {
        good = json_array_append_new(list, take_plain(r)) == 0;
        if (good && take(r, ']')) {
            return list;
        }
        good = good && take(r, ',');
    }
    json_decref(list);
    return NULL;
}

/* Put what is read under its name, which no other has. */
static bool
add(json_t *object, struct view name, json_t *take_value)
{
    const char *key = name.len == 0 ? "" : (const char *)name.p;

    if (json_object_getn(object, key, name.len) != NULL) {
        json_decref(take_value);
        return false;
    }
    return json_object_setn_new_nocheck(object, key, name.len, take_value) == 0;
}

/* Behind its {, of values that each reads. */
static json_t *
rest_of_object(struct reading *r, json_t *(*each)(struct reading *r))
{
    json_t *object = json_object();
    bool good = object != NULL;

    if (good && take(r, '}')) {
        return object;
    }
    while (good) {
        struct view name;

        good =
            take_text(r, &name) && take(r, ':') && add(object, name, each(r));
        if (good && take(r, '}')) {
            return object;
        }
        good = good && take(r, ',');
    }
    json_decref(object);
    return NULL;
}

static json_t *
take_value(struct reading *r)
{
    if (take(r, '[')) {
        return rest_of_list(r);
    }
    if (take(r, '{')) {
        return rest_of_object(r, take_plain);
    }
    return take_plain(r);
}

json_t *
node_request_plain(struct view line)
{
    struct reading r = {(const char *)line.p, (const char *)line.p + line.len};
    json_t *object = NULL;

    if (line.len > 0 && take(&r, '{')) {
        object = rest_of_object(&r, take_value);
    }
    skip_space(&r);
    if (r.at != r.end) {
        json_decref(object);
        object = NULL;
    }
    return object;
}

json_t *
node_request_read(struct view line)
{
    json_t *object = node_request_plain(line);
    json_error_t error;

    return object != NULL ? object
                          : json_loadb((const char *)line.p, line.len,
                                       JSON_REJECT_DUPLICATES, &error);
}
