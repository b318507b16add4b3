/* SPDX-License-Identifier: Apache-2.0 */
/* Private messages, RFC 9420 6.3.  Declared in framing.h. */
#include "crypto/mls/framing.h"

#include <string.h>

enum {
    GUARD_SIZE = 4,
    SENDER_DATA_SIZE = 4 + 4 + GUARD_SIZE
};

/* SenderDataAAD, and with more PrivateContentAAD. */
static void
write_aad(struct proto_tls_wr *w, const struct mls_private_message *m,
          bool content)
{
    proto_tls_wr_vec(w, m->group_id);
    proto_tls_wr_u64(w, m->epoch);
    proto_tls_wr_u8(w, (uint8_t)m->type);
    if (content) {
        proto_tls_wr_vec(w, m->authenticated_data);
    }
}

/* The nonce of the key schedule with the reuse guard in its first bytes. */
static void
guard_nonce(struct prim_secret *nonce, const struct mls_key_nonce *key,
            const uint8_t guard[GUARD_SIZE])
{
    *nonce = key->nonce;
    for (size_t i = 0; i < GUARD_SIZE && i < nonce->len; i++) {
        nonce->b[i] ^= guard[i];
    }
}

/* Encrypt *b in place; aad is of m. */
static enum err
seal_content(const struct mls_suite *s, const struct mem *mem,
             const struct mls_private_message *m,
             const struct mls_key_nonce *key, const uint8_t guard[GUARD_SIZE],
             struct bytes *b)
{
    enum err e;
    SCRUBBED_SECRET(nonce);
    struct proto_tls_wr aad = proto_tls_wr_open(mem);

    write_aad(&aad, m, true);
    TRY(aad.e);
    guard_nonce(&nonce, key, guard);
    TRY(bytes_reserve(mem, b, s->prim.tag_size));
    TRY(prim_aead_seal(s->prim.aead, prim_secret_view(&key->key),
                       prim_secret_view(&nonce), proto_tls_wr_view(&aad),
                       view_of(b), b->p));
    b->len += s->prim.tag_size;
out:
    proto_tls_wr_clear(&aad);
    return e;
}

/* Where the ciphertext of m is known: encrypt who, generation and guard. */
static enum err
seal_sender(const struct mls_suite *s, const struct mem *mem,
            const struct mls_private_message *m, uint32_t leaf,
            const struct mls_private_keys *keys,
            const uint8_t guard[GUARD_SIZE],
            uint8_t out[SENDER_DATA_SIZE + PRIM_TAG_SIZE])
{
    enum err e;
    SCRUBBED_STRUCT(mls_key_nonce, key);
    struct proto_tls_wr aad = proto_tls_wr_open(mem);
    struct proto_tls_wr plain = proto_tls_wr_open(mem);

    write_aad(&aad, m, false);
    TRY(aad.e);
    proto_tls_wr_u32(&plain, leaf);
    proto_tls_wr_u32(&plain, keys->generation);
    proto_tls_wr_fixed(&plain, view_make(guard, GUARD_SIZE));
    TRY(plain.e);
    mls_sender_data_key(s, keys->sender_data, m->ciphertext, &key);
    TRY(prim_aead_seal(s->prim.aead, prim_secret_view(&key.key),
                       prim_secret_view(&key.nonce), proto_tls_wr_view(&aad),
                       proto_tls_wr_view(&plain), out));
out:
    proto_tls_wr_clear(&aad);
    proto_tls_wr_clear(&plain);
    return e;
}

/* PrivateMessageContent */
static enum err
write_plaintext(const struct mem *mem, const struct mls_authenticated *x,
                size_t padding, struct bytes *out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(mem);

    mls_content_body_write(&w, &x->content);
    mls_auth_write(&w, x->content.type, &x->auth);
    TRY(proto_tls_wr_take(&w, out));
    /* RFC 9420 6.3.1: padding is zero bytes */
    TRY(bytes_reserve(mem, out, padding));
    memset(out->p + out->len, 0, padding);
    out->len += padding;
out:
    return e;
}

enum err
mls_private_seal(const struct mls_suite *s, const struct mem *mem,
                 const struct rng *rng, const struct mls_authenticated *x,
                 const struct mls_private_keys *keys, size_t padding,
                 struct bytes *out)
{
    enum err e;
    uint8_t guard[GUARD_SIZE];
    uint8_t sender[SENDER_DATA_SIZE + PRIM_TAG_SIZE];
    struct bytes content = {0};
    struct proto_tls_wr w = proto_tls_wr_open(mem);
    struct mls_message m = {.wire = MLS_WIRE_PRIVATE};
    struct mls_private_message *p = &m.u.private_message;

    if (x->wire != MLS_WIRE_PRIVATE ||
        x->content.sender.type != MLS_SENDER_MEMBER) {
        TRY(ERR_INVALID);
    }
    TRY(rng_fill(rng, guard, sizeof(guard)));
    *p = (struct mls_private_message){.group_id = x->content.group_id,
                                      .epoch = x->content.epoch,
                                      .type = x->content.type,
                                      .authenticated_data =
                                          x->content.authenticated_data};
    TRY(write_plaintext(mem, x, padding, &content));
    TRY(seal_content(s, mem, p, keys->key, guard, &content));
    p->ciphertext = view_of(&content);
    TRY(seal_sender(s, mem, p, x->content.sender.index, keys, guard, sender));
    p->sender_data = VIEW_ARRAY(sender);
    mls_message_write(&w, &m);
    TRY(proto_tls_wr_take(&w, out));
out:
    bytes_free(&content);
    proto_tls_wr_clear(&w);
    return e;
}

enum err
mls_private_sender(const struct mls_suite *s, const struct mem *mem,
                   const struct mls_private_message *m,
                   const struct prim_secret *sender_data,
                   struct mls_sender_data *out, enum mls_rule *broken)
{
    enum err e;
    SCRUBBED_STRUCT(mls_key_nonce, key);
    uint8_t plain[SENDER_DATA_SIZE];
    struct proto_tls_wr aad = proto_tls_wr_open(mem);
    struct proto_tls_rd r;
    struct mls_sender_data from;

    /* RFC 9420 6.3.2 [sender-data] */
    TRY(mls_require(m->sender_data.len == sizeof(plain) + s->prim.tag_size,
                    MLS_RULE_SENDER_DATA, broken));
    write_aad(&aad, m, false);
    TRY(aad.e);
    mls_sender_data_key(s, sender_data, m->ciphertext, &key);
    TRY(mls_require_ok(prim_aead_open(s->prim.aead, prim_secret_view(&key.key),
                                      prim_secret_view(&key.nonce),
                                      proto_tls_wr_view(&aad), m->sender_data,
                                      plain),
                       ERR_AUTH, MLS_RULE_SENDER_DATA, broken));
    r = proto_tls_rd_open(VIEW_ARRAY(plain));
    from.leaf_index = proto_tls_rd_u32(&r);
    from.generation = proto_tls_rd_u32(&r);
    memcpy(from.reuse_guard, plain + 8, GUARD_SIZE);
    *out = from;
out:
    proto_tls_wr_clear(&aad);
    return e;
}

/* The content, the signature and the padding of an opened plaintext. */
static enum err
parse_plaintext(struct arena *a, struct view plain, struct mls_authenticated *x,
                enum mls_rule *broken)
{
    enum err e;
    struct proto_tls_rd r = proto_tls_rd_open(plain);

    mls_content_body_read(&r, a, &x->content);
    mls_auth_read(&r, x->content.type, &x->auth);
    /* RFC 9420 6.3.1 [content-format] */
    TRY(mls_require(r.e == OK || r.e == ERR_NOMEM, MLS_RULE_CONTENT_FORMAT,
                    broken));
    TRY(r.e);
    /* RFC 9420 6.3.1 [padding-zero] */
    TRY(mls_require(prim_is_zero(r.left), MLS_RULE_PADDING_ZERO, broken));
out:
    return e;
}

enum err
mls_private_open(const struct mls_suite *s, struct arena *a,
                 const struct mls_private_message *m,
                 const struct mls_sender_data *from,
                 const struct mls_key_nonce *key, struct mls_unverified *out,
                 enum mls_rule *broken)
{
    enum err e;
    SCRUBBED_SECRET(nonce);
    struct proto_tls_wr aad = proto_tls_wr_open(a->mem);
    struct mls_authenticated x = {.wire = MLS_WIRE_PRIVATE};
    size_t len;
    uint8_t *plain;

    /* RFC 9420 6.3.1 [ciphertext] */
    TRY(mls_require(m->ciphertext.len > s->prim.tag_size, MLS_RULE_CIPHERTEXT,
                    broken));
    len = m->ciphertext.len - s->prim.tag_size;
    plain = arena_alloc(a, len);
    TRY(plain == NULL ? ERR_NOMEM : OK);
    write_aad(&aad, m, true);
    TRY(aad.e);
    guard_nonce(&nonce, key, from->reuse_guard);
    TRY(mls_require_ok(prim_aead_open(s->prim.aead, prim_secret_view(&key->key),
                                      prim_secret_view(&nonce),
                                      proto_tls_wr_view(&aad), m->ciphertext,
                                      plain),
                       ERR_AUTH, MLS_RULE_CIPHERTEXT, broken));
    x.content.group_id = m->group_id;
    x.content.epoch = m->epoch;
    x.content.sender = (struct mls_sender){MLS_SENDER_MEMBER, from->leaf_index};
    x.content.authenticated_data = m->authenticated_data;
    x.content.type = m->type;
    TRY(parse_plaintext(a, view_make(plain, len), &x, broken));
    out->hidden_ = x;
out:
    proto_tls_wr_clear(&aad);
    return e;
}
