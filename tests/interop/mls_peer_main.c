/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mls-peer: one JSON object a line on stdin, one on stdout.  Ends with 1 when
 * memory was not given back.
 */
#include "crypto/prim/init.h"
#include "proto/base/id.h"
#include "tests/interop/mls_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct view
peer_unhex(struct peer *p, const json_t *j, enum err *e)
{
    struct view text = view_make(json_string_value(j), json_string_length(j));
    uint8_t *out;

    if (text.len == 0 || *e != OK) {
        return (struct view){0};
    }
    out = arena_alloc(&p->arena, text.len / 2 + 1);
    *e = out == NULL ? ERR_NOMEM : proto_unhex(text, out, text.len / 2);
    return *e == OK ? view_make(out, text.len / 2) : (struct view){0};
}

struct view
peer_hex(struct peer *p, const json_t *j, const char *key, enum err *e)
{
    return peer_unhex(p, json_object_get(j, key), e);
}

struct view
peer_text(const json_t *j, const char *key)
{
    const json_t *x = json_object_get(j, key);

    return view_make(json_string_value(x), json_string_length(x));
}

uint64_t
peer_num(const json_t *j, const char *key, uint64_t fallback)
{
    const json_t *x = json_object_get(j, key);

    return json_is_integer(x) ? (uint64_t)json_integer_value(x) : fallback;
}

bool
peer_flag(const json_t *j, const char *key, bool fallback)
{
    const json_t *x = json_object_get(j, key);

    return json_is_boolean(x) ? json_boolean_value(x) : fallback;
}

enum err
peer_extensions(struct peer *p, const json_t *list, struct mls_extensions *out)
{
    enum err e = OK;
    struct arena *a = &p->arena;
    struct proto_tls_wr w = proto_tls_wr_open(&p->mem.mem);
    struct view copy;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *j = json_array_get(list, i);
        mls_extension_write(&w, (uint16_t)peer_num(j, "type", 0),
                            peer_hex(p, j, "data", &e));
    }
    TRY(e);
    TRY(w.e);
    TRY(arena_copy(a, proto_tls_wr_view(&w), &copy));
    TRY(mls_extensions_from(copy, out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

json_t *
peer_json_hex(struct view v)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(2 * v.len + 1);
    json_t *j;

    if (text == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < v.len; i++) {
        text[2 * i] = digits[v.p[i] >> 4];
        text[2 * i + 1] = digits[v.p[i] & 15];
    }
    j = json_stringn(text, 2 * v.len);
    free(text);
    return j;
}

void
peer_put_hex(json_t *out, const char *key, struct view v)
{
    json_object_set_new(out, key, peer_json_hex(v));
}

void
peer_put_num(json_t *out, const char *key, uint64_t n)
{
    json_object_set_new(out, key, json_integer((json_int_t)n));
}

static enum err
run(struct peer *p, json_t *out)
{
    struct view name = peer_text(p->in, "op");
    struct peer_actor *a = peer_find(p, peer_text(p->in, "who"));

    for (const struct peer_op *op = peer_ops; op->name != NULL; op++) {
        if (!view_equal(view_str(op->name), name)) {
            continue;
        }
        if (op->needs_actor && a == NULL) {
            p->why = "no such actor";
            return ERR_MISSING;
        }
        if (op->needs_group && a->group == NULL) {
            p->why = "not in a group";
            return ERR_STATE;
        }
        return op->run(p, a, out);
    }
    p->why = "no such op";
    return ERR_UNSUPPORTED;
}

static void
answer(struct peer *p, const char *line)
{
    json_error_t error;
    json_t *in = json_loads(line, 0, &error);
    json_t *out = json_object();
    enum err e;
    char why[200];
    char *text;

    p->in = in;
    p->why = NULL;
    p->rule = MLS_RULE_NONE;
    e = in != NULL ? run(p, out) : ERR_FORMAT;
    if (e == OK) {
        json_object_set_new(out, "ok", json_true());
    } else {
        (void)snprintf(why, sizeof(why), "%s [%s]%s%s", err_name(e),
                       mls_rule_name(p->rule), p->why != NULL ? " " : "",
                       p->why != NULL ? p->why : "");
        json_object_clear(out);
        json_object_set_new(out, "err", json_string(why));
    }
    text = json_dumps(out, JSON_COMPACT);
    puts(text);
    fflush(stdout);
    free(text);
    json_decref(in);
    json_decref(out);
    arena_clear(&p->arena);
}

int
main(void)
{
    struct peer p = {0};
    char *line = NULL;
    size_t cap = 0;

    if (prim_init() != OK) {
        fprintf(stderr, "mls-peer: the crypto libraries do not start\n");
        return 2;
    }
    fail_mem_init(&p.mem, 0);
    p.arena = (struct arena){.mem = &p.mem.mem};
    while (getline(&line, &cap, stdin) > 0) {
        answer(&p, line);
    }
    free(line);
    while (p.actors != NULL) {
        peer_forget(&p, p.actors);
    }
    if (p.mem.live != 0) {
        fprintf(stderr, "mls-peer: %lld allocations were not given back\n",
                (long long)p.mem.live);
        return 1;
    }
    return 0;
}
