/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of attachments' transfer, going out. */
#include "node/blobs_in.h"

#include <string.h>

struct blob_peer *
node_blobs_peer(struct blobs_state *s, const struct clinic_id *root)
{
    struct blob_peer *p = s->peers;

    while (p != NULL && !clinic_id_equal(&p->root, root)) {
        p = p->following;
    }
    return p;
}

enum err
node_blobs_say(struct blobs_state *s, const struct clinic_id *peer,
               const struct proto_peer_msg *m)
{
    struct blob_peer *p = node_blobs_peer(s, peer);
    struct bytes frame = {0};
    enum err e;

    TRY(p == NULL ? ERR_MISSING : p->blocked ? ERR_AGAIN : OK);
    TRY(proto_peer_encode(s->c.mem, m, &frame));
    e = s->c.send(s->c.ctx, peer, &frame);
    p->blocked = e == ERR_AGAIN;
out:
    bytes_free(&frame);
    return e;
}

enum err
node_blobs_say_state(struct blobs_state *s, const struct clinic_id *peer,
                     const struct thread_id *thread, const struct hash32 *blob,
                     enum proto_blob_code code, size_t next)
{
    struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_STATE};

    memcpy(m.u.blob_state.thread, thread->b, 32);
    memcpy(m.u.blob_state.blob, blob->b, 32);
    m.u.blob_state.code = code;
    m.u.blob_state.next = next;
    return node_blobs_say(s, peer, &m);
}

enum err
node_blobs_say_chunk(struct blobs_state *s, const struct clinic_id *peer,
                     const struct thread_id *thread,
                     const struct store_blob *blob, size_t index)
{
    struct blob_peer *p = node_blobs_peer(s, peer);
    struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_PUT};
    struct bytes chunk = {0};
    enum err e;

    TRY(p == NULL ? ERR_MISSING : p->blocked ? ERR_AGAIN : OK);
    TRY(store_chunk_read(s->c.store, &blob->chunks[index], &chunk));
    memcpy(m.u.blob_put.thread, thread->b, 32);
    memcpy(m.u.blob_put.blob, blob->id.b, 32);
    m.u.blob_put.index = index;
    m.u.blob_put.chunk = view_of(&chunk);
    TRY(node_blobs_say(s, peer, &m));
out:
    bytes_free(&chunk);
    return e;
}

enum err
node_blobs_say_open(struct blobs_state *s, const struct clinic_id *peer,
                    const struct thread_id *thread, const struct clinic_id *far,
                    const struct store_blob *blob)
{
    struct proto_peer_msg m = {.type = PROTO_PEER_BLOB_OPEN};

    memcpy(m.u.blob_open.thread, thread->b, 32);
    memcpy(m.u.blob_open.far, far->b, 32);
    memcpy(m.u.blob_open.blob, blob->id.b, 32);
    m.u.blob_open.size = blob->size;
    m.u.blob_open.chunks = view_make(blob->chunks, blob->chunks_len * 32);
    return node_blobs_say(s, peer, &m);
}
