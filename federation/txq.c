/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/txq.h"

#include "federation/frame.h"

#include <string.h>

enum {
    RING_MIN = 8
};

static size_t
header_of(const struct fed_txq *q)
{
    return q->raw ? 0 : FED_FRAME_HEADER;
}

static enum err
grow(const struct mem *mem, struct fed_txq *q)
{
    size_t cap = q->cap == 0 ? RING_MIN : q->cap * 2;
    struct bytes *ring = mem_calloc(mem, cap, sizeof(*ring));

    if (ring == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < q->count; i++) {
        ring[i] = q->ring[(q->head + i) % q->cap];
    }
    mem_free(mem, q->ring, q->cap * sizeof(*ring));
    q->ring = ring;
    q->cap = cap;
    q->head = 0;
    return OK;
}

enum err
fed_txq_room(const struct mem *mem, struct fed_txq *q)
{
    return q->count == q->cap ? grow(mem, q) : OK;
}

enum err
fed_txq_push(const struct mem *mem, struct fed_txq *q, struct bytes *take_item)
{
    enum err e = fed_txq_room(mem, q);

    if (e != OK) {
        return e;
    }
    q->bytes += header_of(q) + take_item->len;
    q->ring[(q->head + q->count) % q->cap] = bytes_take(take_item);
    q->count++;
    return OK;
}

/* Copy what fits of src from off on. */
static size_t
copy(struct view src, size_t off, uint8_t *out, size_t cap)
{
    size_t n = src.len - off < cap ? src.len - off : cap;

    if (n > 0) {
        memcpy(out, src.p + off, n);
    }
    return n;
}

size_t
fed_txq_read(struct fed_txq *q, uint8_t *out, size_t cap, size_t *done_out)
{
    size_t head = header_of(q);
    size_t n = 0;
    size_t done = 0;

    while (q->count > 0 && n < cap) {
        struct bytes *item = &q->ring[q->head];
        uint8_t header[FED_FRAME_HEADER];
        size_t got;

        if (q->off < head) {
            fed_frame_header((uint32_t)item->len, header);
            got = copy(VIEW_ARRAY(header), q->off, out + n, cap - n);
        } else {
            got = copy(view_of(item), q->off - head, out + n, cap - n);
        }
        q->off += got;
        n += got;
        if (q->off == head + item->len) {
            bytes_free(item);
            q->head = (q->head + 1) % q->cap;
            q->count--;
            q->off = 0;
            done++;
        }
    }
    q->bytes -= n;
    *done_out = done;
    return n;
}

void
fed_txq_clear(const struct mem *mem, struct fed_txq *q)
{
    for (; q->count > 0; q->count--) {
        bytes_free(&q->ring[q->head]);
        q->head = (q->head + 1) % q->cap;
    }
    mem_free(mem, q->ring, q->cap * sizeof(*q->ring));
    *q = (struct fed_txq){.raw = q->raw};
}
