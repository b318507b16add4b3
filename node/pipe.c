/* SPDX-License-Identifier: Apache-2.0 */
#include "node/pipe.h"

#include "node/say.h"

#include <string.h>

struct node_pending {
    json_t *request;
    struct node_call c;
    struct node_say say;
    enum err e; /* of its beginning */
};

/* A text and nothing else. */
static bool
is_plain(const json_t *request)
{
    const json_t *args = json_object_get(request, "args");
    const json_t *text = json_array_get(args, 1);
    const char *name = json_string_value(json_object_get(request, "do"));

    return name != NULL && strcmp(name, "send") == 0 &&
           json_array_size(args) == 2 &&
           !node_say_blank(view_make((const uint8_t *)json_string_value(text),
                                     json_string_length(text))) &&
           json_object_get(json_object_get(request, "flags"), "reply") == NULL;
}

struct node_pending *
node_api_begin(struct node_api *api, json_t *request)
{
    struct node_pending *p;

    if (!is_plain(request)) {
        return NULL;
    }
    p = mem_alloc(api->mem, sizeof(*p));
    if (p == NULL) {
        return NULL;
    }
    p->request = json_incref(request);
    p->c.api = api;
    p->c.args = json_object_get(request, "args");
    p->c.flags = json_object_get(request, "flags");
    p->c.out = json_object();
    p->say.action = NODE_AUDIT_SEND;
    p->say.content.kind = PROTO_CONTENT_TEXT;
    p->say.content.u.text.text = node_call_arg(&p->c, 1);
    p->e = p->c.out == NULL ? ERR_NOMEM : OK;
    if (p->e == OK) {
        p->e = node_say_find_soon(&p->c, node_call_arg(&p->c, 0), &p->say);
    }
    if (p->e == OK) {
        p->e = node_say_begin(&p->c, &p->say);
    }
    return p;
}

json_t *
node_api_end(struct node_pending *p)
{
    const struct mem *mem = p->c.api->mem;
    enum err e = p->e;
    json_t *reply;

    if (e == OK) {
        e = node_say_end(&p->c, &p->say);
    }
    reply = node_call_reply(&p->c, e);
    json_decref(p->request);
    mem_free(mem, p, sizeof(*p));
    return reply;
}
