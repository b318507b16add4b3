/* SPDX-License-Identifier: Apache-2.0 */
/* Any value that the reader takes is written back to the same bytes. */
#include "proto/base/assert.h"
#include "proto/base/limits.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Copy one value from r to w, with a stack of counts instead of recursion. */
static void
copy_value(struct proto_rd *r, struct proto_wr *w)
{
    uint32_t todo[LIMIT_MSGPACK_DEPTH + 2] = {1};
    size_t depth = 0;

    while (r->e == OK) {
        struct proto_rd t;

        while (todo[depth] == 0) {
            if (depth == 0) {
                return;
            }
            depth--;
        }
        todo[depth]--;
        if (proto_rd_nil(r)) {
            proto_wr_nil(w);
            continue;
        }
#define TRY_TYPE(READ, WRITE) \
    t = *r;                   \
    {                         \
        READ;                 \
        if (t.e == OK) {      \
            *r = t;           \
            WRITE;            \
            continue;         \
        }                     \
    }
        TRY_TYPE(uint64_t n = proto_rd_u64(&t), proto_wr_uint(w, n))
        TRY_TYPE(bool b = proto_rd_bool(&t), proto_wr_bool(w, b))
        TRY_TYPE(struct view v = proto_rd_bin(&t, SIZE_MAX), proto_wr_bin(w, v))
        TRY_TYPE(struct view v = proto_rd_str(&t, SIZE_MAX), proto_wr_str(w, v))
        t = *r;
        todo[depth + 1] = proto_rd_list(&t, UINT32_MAX);
        ASSERT(t.e == OK && depth < LIMIT_MSGPACK_DEPTH);
        *r = t;
        depth++;
        proto_wr_array(w, todo[depth]);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proto_rd r = proto_rd_open(view_make(data, size));
    struct view raw = proto_rd_raw(&r);

    if (r.e == OK) {
        struct proto_rd again = proto_rd_open(raw);
        struct proto_wr w = proto_wr_open(mem_heap());

        copy_value(&again, &w);
        ASSERT(proto_rd_end(&again) == OK);
        ASSERT(view_equal(proto_wr_view(&w), raw));
        proto_wr_clear(&w);
    }
    return 0;
}
