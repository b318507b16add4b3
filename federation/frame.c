/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/frame.h"

#include "proto/base/assert.h"

#include <string.h>

enum {
    GROW_MIN = 4096
};

void
fed_frame_header(uint32_t len, uint8_t out[FED_FRAME_HEADER])
{
    out[0] = (uint8_t)(len >> 24);
    out[1] = (uint8_t)(len >> 16);
    out[2] = (uint8_t)(len >> 8);
    out[3] = (uint8_t)len;
}

static void
take(struct view *in, uint8_t *out, size_t n)
{
    memcpy(out, in->p, n);
    *in = view_skip(*in, n);
}

/* ERR_AGAIN when the header is not whole yet. */
static enum err
read_header(struct fed_frame_rd *r, uint32_t max, struct view *in)
{
    size_t want = (size_t)FED_FRAME_HEADER - r->header_len;
    size_t n = in->len < want ? in->len : want;

    if (n > 0) {
        take(in, r->header + r->header_len, n);
        r->header_len = (uint8_t)(r->header_len + n);
    }
    if (r->header_len < FED_FRAME_HEADER) {
        return ERR_AGAIN;
    }
    r->need = (uint32_t)r->header[0] << 24 | (uint32_t)r->header[1] << 16 |
              (uint32_t)r->header[2] << 8 | r->header[3];
    if (r->need > max) {
        return ERR_LIMIT;
    }
    r->in_body = true;
    return OK;
}

enum err
fed_frame_room(const struct mem *mem, struct bytes *body, size_t n, size_t need)
{
    size_t have = body->len + n;
    size_t cap = have < GROW_MIN ? GROW_MIN : have * 2;
    struct bytes bigger = {0};
    enum err e;

    if (have <= body->cap) {
        return OK;
    }
    cap = cap < need ? cap : need;
    e = bytes_alloc(mem, cap, &bigger);
    if (e == OK) {
        bigger.len = body->len;
        if (body->len > 0) {
            memcpy(bigger.p, body->p, body->len);
        }
        bytes_free(body);
        *body = bigger;
    }
    return e;
}

enum err
fed_frame_next(struct fed_frame_rd *r, uint32_t max, struct view *in,
               struct view *frame_out)
{
    enum err e;
    size_t n;

    if (!r->in_body) {
        if (r->header_len == 0) {
            bytes_free(&r->body); /* of the frame before */
        }
        TRY(read_header(r, max, in));
    }
    if (r->body.len == 0 && in->len >= r->need) {
        *frame_out = view_sub(*in, 0, r->need);
        *in = view_skip(*in, r->need);
    } else {
        n = r->need - r->body.len;
        n = in->len < n ? in->len : n;
        TRY(fed_frame_room(r->mem, &r->body, n, r->need));
        if (n > 0) {
            take(in, r->body.p + r->body.len, n);
            r->body.len += n;
        }
        TRY(r->body.len < r->need ? ERR_AGAIN : OK);
        *frame_out = view_of(&r->body);
    }
    r->in_body = false;
    r->header_len = 0;
out:
    return e;
}

bool
fed_frame_partial(const struct fed_frame_rd *r)
{
    return r->in_body || r->header_len > 0;
}

size_t
fed_frame_held(const struct fed_frame_rd *r)
{
    return r->body.cap;
}

void
fed_frame_clear(struct fed_frame_rd *r)
{
    bytes_free(&r->body);
    *r = (struct fed_frame_rd){.mem = r->mem};
}
