/* SPDX-License-Identifier: Apache-2.0 */
/* What is signed, and which keys follow from what was said so far. */
#include "federation/core/device_chan_impl.h"

/* ------------------------------------------------------------ what is signed
 */
/* The role keeps one side's words from being given back [chan-roles] */
static enum err
statement(const struct fed_chan *ch, enum fed_chan_role role, struct bytes *out)
{
    static const struct device_id nobody;
    struct proto_wr w = proto_wr_open(ch->mem);
    enum err e;

    proto_wr_array(&w, 10);
    proto_wr_uint(&w, IDENT_DEVICE_HELLO);
    proto_wr_uint(&w, FED_CHAN_VERSION);
    proto_wr_uint(&w, role);
    proto_wr_bin(&w, VIEW_ARRAY(ch->nonce_app));
    proto_wr_bin(&w, VIEW_ARRAY(ch->nonce_node));
    proto_wr_bin(&w, VIEW_ARRAY(ch->key_app));
    proto_wr_bin(&w, VIEW_ARRAY(ch->key_node));
    proto_wr_bin(&w, clinic_id_view(&ch->root));
    proto_wr_bin(
        &w, device_id_view(role == FED_CHAN_BY_ANSWER ? &nobody : &ch->device));
    proto_wr_bin(&w, view_make(ch->host, ch->host_len));
    e = proto_wr_take(&w, out);
    proto_wr_clear(&w);
    return e;
}

enum err
fed_chan_sign(const struct fed_chan *ch, enum fed_chan_role role,
              uint8_t sig[PRIM_ED25519_SIG])
{
    struct bytes text = {0};
    enum err e;

    TRY(statement(ch, role, &text));
    TRY(ident_sign(ch->mem, IDENT_DEVICE_HELLO, &ch->sign, view_of(&text),
                   sig));
out:
    bytes_free(&text);
    return e;
}

enum err
fed_chan_signed(const struct fed_chan *ch, enum fed_chan_role role,
                const struct device_id *signer, struct view sig)
{
    struct bytes text = {0};
    enum err e;

    TRY(statement(ch, role, &text));
    TRY(ident_verify(ch->mem, IDENT_DEVICE_HELLO, signer->b, view_of(&text),
                     sig));
out:
    bytes_free(&text);
    return e;
}

/* ------------------------------------------------------------------ keys */
static void
log_now(const struct fed_chan *ch, uint8_t out[PRIM_HASH_SIZE])
{
    struct prim_sha256 h = ch->log;

    prim_sha256_final(&h, out);
}

static enum err
expand(const struct prim_secret *from, const char *label,
       uint8_t out[PRIM_KEY_MAX])
{
    return prim_hkdf_expand(prim_secret_view(from), view_str(label), out,
                            PRIM_KEY_MAX);
}

/* Both keys and nonces are known, OPEN is in the log. */
enum err
fed_chan_derive_hello(struct fed_chan *ch)
{
    SCRUBBED(shared, PRIM_X25519_SIZE);
    struct prim_sha256 h = ch->log;
    uint8_t salt[PRIM_HASH_SIZE];
    enum err e;

    prim_sha256_update(&h, VIEW_ARRAY(ch->nonce_node));
    prim_sha256_update(&h, VIEW_ARRAY(ch->key_node));
    prim_sha256_final(&h, salt);
    TRY(prim_x25519(ch->priv, ch->app ? ch->key_node : ch->key_app, shared) ==
                OK
            ? OK
            : ERR_AUTH);
    prim_hkdf_extract(VIEW_ARRAY(salt), view_make(shared, sizeof(shared)),
                      &ch->secret);
    TRY(expand(&ch->secret, "balsam v1 device answer", ch->seal_answer));
    TRY(expand(&ch->secret, "balsam v1 device prove", ch->seal_prove));
out:
    mem_wipe(ch->priv, sizeof(ch->priv));
    return e;
}

/* OPEN, ANSWER and PROVE are in the log. */
enum err
fed_chan_derive_traffic(struct fed_chan *ch)
{
    SCRUBBED(next, PRIM_KEY_MAX);
    SCRUBBED_SECRET(traffic);
    uint8_t salt[PRIM_HASH_SIZE];
    enum err e;

    log_now(ch, salt);
    TRY(expand(&ch->secret, "balsam v1 device next", next));
    prim_hkdf_extract(VIEW_ARRAY(salt), view_make(next, sizeof(next)),
                      &traffic);
    TRY(expand(&traffic, "balsam v1 device done", ch->seal_done));
    TRY(expand(&traffic, "balsam v1 device from app",
               ch->app ? ch->out.key : ch->in.key));
    TRY(expand(&traffic, "balsam v1 device from node",
               ch->app ? ch->in.key : ch->out.key));
    TRY(expand(&traffic, "balsam v1 device exporter", ch->exporter));
out:
    return e;
}

/* --------------------------------------------- sealed parts of a handshake */
enum err
fed_chan_seal_part(const struct fed_chan *ch, const uint8_t key[PRIM_KEY_MAX],
                   struct proto_wr *take_part, struct proto_wr *w)
{
    static const uint8_t nonce[PRIM_NONCE_SIZE];
    uint8_t aad[PRIM_HASH_SIZE];
    struct bytes part = {0};
    struct bytes sealed = {0};
    enum err e;

    log_now(ch, aad);
    TRY(proto_wr_take(take_part, &part));
    TRY(bytes_alloc(ch->mem, part.len + PRIM_TAG_SIZE, &sealed));
    TRY(prim_aead_seal(PRIM_CHACHA20_POLY1305, view_make(key, PRIM_KEY_MAX),
                       VIEW_ARRAY(nonce), VIEW_ARRAY(aad), view_of(&part),
                       sealed.p));
    proto_wr_bin(w, view_of(&sealed));
out:
    bytes_free(&sealed);
    bytes_free(&part);
    return e;
}

enum err
fed_chan_open_part(const struct fed_chan *ch, const uint8_t key[PRIM_KEY_MAX],
                   struct view sealed, struct bytes *out)
{
    static const uint8_t nonce[PRIM_NONCE_SIZE];
    uint8_t aad[PRIM_HASH_SIZE];
    enum err e;

    log_now(ch, aad);
    TRY(sealed.len >= PRIM_TAG_SIZE ? OK : ERR_AUTH);
    TRY(bytes_alloc(ch->mem, sealed.len - PRIM_TAG_SIZE, out));
    TRY(prim_aead_open(PRIM_CHACHA20_POLY1305, view_make(key, PRIM_KEY_MAX),
                       VIEW_ARRAY(nonce), VIEW_ARRAY(aad), sealed, out->p));
out:
    return e;
}
