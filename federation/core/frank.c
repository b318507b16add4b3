/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commitment of every entry to what it says.
 */
#include "federation/core/frank.h"

#include "crypto/prim/hash.h"

#include <string.h>

void
fed_frank_tag(const struct thread_id *thread, const struct message_id *ids,
              size_t n, uint8_t out[32])
{
    struct prim_sha256 h;

    prim_sha256_init(&h);
    prim_sha256_update(&h, VIEW_LIT("balsam v1 frank"));
    prim_sha256_update(&h, thread_id_view(thread));
    for (size_t i = 0; i < n; i++) {
        prim_sha256_update(&h, message_id_view(&ids[i]));
    }
    prim_sha256_final(&h, out);
}

void
fed_frank_of(const struct thread_id *thread, const struct clinic_id *author,
             struct view content, uint8_t out[32])
{
    struct message_id id;

    fed_message_id(author, content, &id);
    fed_frank_tag(thread, &id, 1, out);
}

/* [frank-commit] */
enum err
fed_frank_check(const struct thread_id *thread, const struct clinic_id *author,
                struct view content, struct view aad)
{
    enum err e;
    struct proto_aad in;
    struct proto_content c;
    uint8_t tag[32];

    TRY(proto_aad_decode(aad, &in));
    fed_frank_of(thread, author, content, tag);
    if (view_equal(in.frank, VIEW_ARRAY(tag)) ||
        proto_content_decode(content, &c) == ERR_UNSUPPORTED) {
        goto out;
    }
    TRY(ERR_AUTH);
out:
    return e;
}
