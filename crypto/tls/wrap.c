/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wrapper is a template with three holes: the key, the chain, the
 * signature.  We write the template ourselves and parse by filling it in
 * again and comparing, so there is no room for a second encoding.
 */
#include "crypto/tls/wrap.h"

#include "crypto/tls/ossl.h"
#include "proto/base/limits.h"

#include <string.h>

enum {
    KEY_LEN = 32,
    SIG_LEN = 64,
    WRAP_MAX = LIMIT_TLS_CHAIN + 512
};

/* From the outside in, up to the length of what comes next. */
static const uint8_t tbs_head[] = {
    0xa0, 0x03, 0x02, 0x01, 0x02,             /* version 3 */
    0x02, 0x01, 0x01,                         /* serial 1 */
    0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, /* Ed25519 */
    0x30, 0x11, 0x31, 0x0f, 0x30, 0x0d, 0x06, 0x03, 0x55, 0x04, 0x03,
    0x0c, 0x06, 'b',  'a',  'l',  's',  'a',  'm', /* issuer CN=balsam */
    0x30, 0x20,                                    /* 1970 to 9999, ignored */
    0x17, 0x0d, '7',  '0',  '0',  '1',  '0',  '1',  '0',  '0',  '0',
    '0',  '0',  '0',  'Z',  0x18, 0x0f, '9',  '9',  '9',  '9',  '1',
    '2',  '3',  '1',  '2',  '3',  '5',  '9',  '5',  '9',  'Z',  0x30,
    0x11, 0x31, 0x0f, 0x30, 0x0d, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c,
    0x06, 'b',  'a',  'l',  's',  'a',  'm',        /* subject CN=balsam */
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, /* SPKI Ed25519 */
    0x70, 0x03, 0x21, 0x00};

/* 2.25.215390380077748293977973216637674578773, a UUID of our own */
static const uint8_t ext_oid[] = {
    0x06, 0x14, 0x69, 0x82, 0xc4, 0x8a, 0xd6, 0xe8, 0xe8, 0xbb, 0xaa,
    0xa1, 0xa1, 0x86, 0xc4, 0x9f, 0xd0, 0x8f, 0xfe, 0xef, 0xc6, 0x55};

static const uint8_t sig_head[] = {0x30, 0x05, 0x06, 0x03, 0x2b,
                                   0x65, 0x70, 0x03, 0x41, 0x00};

/* A DER writer into a fixed buffer that is large enough by construction. */
struct der {
    uint8_t b[WRAP_MAX];
    size_t len;
};

static size_t
header_len(size_t content)
{
    return content < 0x80 ? 2 : content < 0x100 ? 3 : 4;
}

static size_t
tlv_len(size_t content)
{
    return header_len(content) + content;
}

static void
put(struct der *d, const void *p, size_t len)
{
    memcpy(d->b + d->len, p, len);
    d->len += len;
}

static void
put_header(struct der *d, uint8_t tag, size_t content)
{
    uint8_t h[4] = {tag};
    size_t n = header_len(content);

    if (n == 2) {
        h[1] = (uint8_t)content;
    } else if (n == 3) {
        h[1] = 0x81;
        h[2] = (uint8_t)content;
    } else {
        h[1] = 0x82;
        h[2] = (uint8_t)(content >> 8);
        h[3] = (uint8_t)content;
    }
    put(d, h, n);
}

/* Lengths of the nested values around a chain. */
struct sizes {
    size_t octets, value, ext, list, tagged, tbs, cert;
};

static struct sizes
sizes_for(size_t chain_len)
{
    struct sizes s;

    s.octets = tlv_len(chain_len); /* the chain as an OCTET STRING */
    s.value = tlv_len(s.octets);   /* extnValue around it */
    s.ext = tlv_len(sizeof(ext_oid) + s.value);
    s.list = tlv_len(s.ext);
    s.tagged = tlv_len(s.list);
    s.tbs = sizeof(tbs_head) + KEY_LEN + s.tagged;
    s.cert = tlv_len(s.tbs) + sizeof(sig_head) + SIG_LEN;
    return s;
}

/* The part that is signed. */
static void
put_tbs(struct der *d, const uint8_t key[KEY_LEN], struct view chain)
{
    struct sizes s = sizes_for(chain.len);

    put_header(d, 0x30, s.tbs);
    put(d, tbs_head, sizeof(tbs_head));
    put(d, key, KEY_LEN);
    put_header(d, 0xa3, s.list);
    put_header(d, 0x30, s.ext);
    put_header(d, 0x30, sizeof(ext_oid) + s.value);
    put(d, ext_oid, sizeof(ext_oid));
    put_header(d, 0x04, s.octets);
    put_header(d, 0x04, chain.len);
    put(d, chain.p, chain.len);
}

static enum err
key_of(EVP_PKEY *pkey, uint8_t key[KEY_LEN])
{
    size_t len = KEY_LEN;

    return EVP_PKEY_get_raw_public_key(pkey, key, &len) == 1 && len == KEY_LEN
               ? OK
               : ERR_INTERNAL;
}

static enum err
sign(EVP_PKEY *pkey, const uint8_t *data, size_t len, uint8_t sig[SIG_LEN])
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    size_t sig_len = SIG_LEN;
    enum err e = ERR_NOMEM;

    if (md != NULL && EVP_DigestSignInit(md, NULL, NULL, NULL, pkey) == 1 &&
        EVP_DigestSign(md, sig, &sig_len, data, len) == 1 &&
        sig_len == SIG_LEN) {
        e = OK;
    }
    EVP_MD_CTX_free(md);
    return e;
}

static enum err
open_key(struct view seed, EVP_PKEY **out)
{
    if (seed.len != KEY_LEN) {
        return ERR_INVALID;
    }
    *out =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.p, seed.len);
    return *out != NULL ? OK : ERR_NOMEM;
}

enum err
tlsp_wrap_make(const struct mem *mem, struct view seed, struct view chain,
               struct bytes *out)
{
    enum err e;
    EVP_PKEY *pkey = NULL;
    struct der d = {.len = 0};
    uint8_t key[KEY_LEN];
    uint8_t sig[SIG_LEN];
    size_t at;

    if (chain.len == 0 || chain.len > LIMIT_TLS_CHAIN) {
        return chain.len == 0 ? ERR_INVALID : ERR_LIMIT;
    }
    TRY(open_key(seed, &pkey));
    TRY(key_of(pkey, key));
    put_header(&d, 0x30, sizes_for(chain.len).cert);
    at = d.len;
    put_tbs(&d, key, chain);
    TRY(sign(pkey, d.b + at, d.len - at, sig));
    put(&d, sig_head, sizeof(sig_head));
    put(&d, sig, sizeof(sig));
    TRY(bytes_copy(mem, view_make(d.b, d.len), out));
out:
    EVP_PKEY_free(pkey);
    return e;
}

enum err
tlsp_wrap_key(struct view seed, struct device_id *out)
{
    enum err e;
    EVP_PKEY *pkey = NULL;

    TRY(open_key(seed, &pkey));
    TRY(key_of(pkey, out->b));
out:
    EVP_PKEY_free(pkey);
    return e;
}

/* The length of the chain in a wrapper of total bytes, or 0. */
static size_t
chain_len_of(size_t total)
{
    size_t low = 1;
    size_t high = LIMIT_TLS_CHAIN;

    while (low <= high) {
        size_t mid = low + (high - low) / 2;
        size_t have = tlv_len(sizes_for(mid).cert);

        if (have == total) {
            return mid;
        }
        if (have < total) {
            low = mid + 1;
        } else {
            high = mid - 1;
        }
    }
    return 0;
}

enum err
tlsp_wrap_parse(struct view der, struct device_id *key_out,
                struct view *chain_out)
{
    struct der d = {.len = 0};
    struct view key;
    struct view chain;
    struct sizes s;
    size_t chain_len;
    size_t at;

    if (der.len > tlv_len(sizes_for(LIMIT_TLS_CHAIN).cert)) {
        return ERR_LIMIT;
    }
    chain_len = chain_len_of(der.len);
    if (chain_len == 0) {
        return ERR_FORMAT;
    }
    /* Everything but the holes has a fixed place once the length is known. */
    s = sizes_for(chain_len);
    at = header_len(s.cert) + header_len(s.tbs) + sizeof(tbs_head);
    key = view_sub(der, at, KEY_LEN);
    at += KEY_LEN + s.tagged - chain_len;
    chain = view_sub(der, at, chain_len);
    put_header(&d, 0x30, s.cert);
    put_tbs(&d, key.p, chain);
    put(&d, sig_head, sizeof(sig_head));
    if (!view_equal(view_make(d.b, d.len), view_sub(der, 0, d.len))) {
        return ERR_FORMAT;
    }
    memcpy(key_out->b, key.p, KEY_LEN);
    *chain_out = chain;
    return OK;
}
