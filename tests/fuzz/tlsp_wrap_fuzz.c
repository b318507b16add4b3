/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The X.509 wrapper: as bytes from a peer, and as a chain that is wrapped and
 * comes back.  What parses, and was made with our key, is what we would make.
 */
#include "crypto/tls/wrap.h"
#include "proto/base/assert.h"
#include "proto/base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
round_trip(struct view chain)
{
    static const uint8_t seed[32] = {5};
    struct bytes der = {0};
    struct device_id own, key;
    struct view out;

    if (chain.len == 0 || chain.len > LIMIT_TLS_CHAIN) {
        return;
    }
    ASSERT(tlsp_wrap_key(VIEW_ARRAY(seed), &own) == OK);
    ASSERT(tlsp_wrap_make(mem_heap(), VIEW_ARRAY(seed), chain, &der) == OK);
    ASSERT(tlsp_wrap_parse(view_of(&der), &key, &out) == OK);
    ASSERT(device_id_equal(&key, &own) && view_equal(chain, out));
    bytes_free(&der);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct device_id key;
    struct view chain;

    if (tlsp_wrap_parse(view_make(data, size), &key, &chain) == OK) {
        ASSERT(chain.len > 0 && chain.p > data &&
               chain.p + chain.len < data + size);
        round_trip(chain);
    }
    round_trip(view_make(data, size));
    return 0;
}
