/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/paper.h"

#include "crypto/ident/words.h"
#include "crypto/prim/hash.h"
#include "crypto/prim/secret.h"
#include "proto/base/assert.h"
#include "proto/msg/b64.h"

#include <string.h>

enum {
    VERSION = 1,
    CHECKSUM = 4,
    QR_MAX = 1 + IDENT_PAPER_MAX + CHECKSUM,
    WORD_BITS = 11,
    TEXT_MAX = 1024
};

/* BIP-39: a bit of checksum for each four bytes. */
static unsigned
words_of(size_t len)
{
    ASSERT(len > 0 && len <= IDENT_PAPER_MAX && len % 4 == 0);
    return (unsigned)(len * 8 + len / 4) / WORD_BITS;
}

/* The checksum, in the upper len / 4 bits of a byte. */
static uint8_t
checksum_of(const uint8_t *secret, size_t len)
{
    SCRUBBED(hash, PRIM_HASH_SIZE);

    prim_sha256(view_make(secret, len), hash);
    return hash[0] & (uint8_t)(0xff00u >> (len / 4));
}

enum err
ident_paper_spell(const struct mem *mem, struct view v, unsigned words,
                  struct bytes *out)
{
    enum err e;
    struct bytes text = {0};
    uint32_t acc = 0;
    unsigned have = 0;
    size_t at = 0;

    ASSERT((size_t)words * WORD_BITS <= v.len * 8);
    TRY(bytes_reserve(mem, &text, (size_t)words * (IDENT_WORD_MAX + 1)));
    while (words > 0) {
        acc = acc << 8 | v.p[at++];
        have += 8;
        if (have < WORD_BITS) {
            continue;
        }
        have -= WORD_BITS;
        words--;
        if (text.len > 0) {
            TRY(bytes_append(mem, &text, VIEW_LIT(" ")));
        }
        TRY(bytes_append(mem, &text,
                         view_str(ident_word(acc >> have & 0x7ff))));
    }
    *out = bytes_take(&text);
out:
    bytes_free(&text);
    return e;
}

enum err
ident_paper_words(const struct mem *mem, struct view secret, struct bytes *out)
{
    SCRUBBED(bits, IDENT_PAPER_MAX + 1);
    unsigned words = words_of(secret.len);

    memcpy(bits, secret.p, secret.len);
    bits[secret.len] = checksum_of(secret.p, secret.len);
    return ident_paper_spell(mem, view_make(bits, secret.len + 1), words, out);
}

enum err
ident_paper_qr(const struct mem *mem, const char *prefix, struct view secret,
               struct bytes *out)
{
    enum err e;
    SCRUBBED(raw, QR_MAX);
    SCRUBBED(hash, PRIM_HASH_SIZE);
    struct bytes text = {0};
    size_t len = 1 + secret.len;

    ASSERT(secret.len <= IDENT_PAPER_MAX);
    raw[0] = VERSION;
    memcpy(raw + 1, secret.p, secret.len);
    prim_sha256(view_make(raw, len), hash);
    memcpy(raw + len, hash, CHECKSUM);
    TRY(bytes_append(mem, &text, view_str(prefix)));
    TRY(proto_b64_append(mem, view_make(raw, len + CHECKSUM), &text));
    *out = bytes_take(&text);
out:
    bytes_free(&text);
    return e;
}

static enum err
read_qr(struct view code, uint8_t *secret, size_t len)
{
    SCRUBBED(raw, QR_MAX);
    SCRUBBED(hash, PRIM_HASH_SIZE);
    size_t got = 0;

    if (proto_b64_decode(code, raw, QR_MAX, &got) != OK ||
        got != 1 + len + CHECKSUM) {
        return ERR_FORMAT;
    }
    if (raw[0] != VERSION) {
        return ERR_UNSUPPORTED;
    }
    prim_sha256(view_make(raw, 1 + len), hash);
    if (!prim_equal(view_make(raw + 1 + len, CHECKSUM),
                    view_make(hash, CHECKSUM))) {
        return ERR_AUTH;
    }
    memcpy(secret, raw + 1, len);
    return OK;
}

static bool
is_letter(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

/* Take the next run of letters off the front of *in; empty at the end. */
static struct view
next_word(struct view *in)
{
    size_t start = 0;
    size_t end;
    struct view word;

    while (start < in->len && !is_letter(in->p[start])) {
        start++;
    }
    end = start;
    while (end < in->len && is_letter(in->p[end])) {
        end++;
    }
    word = view_sub(*in, start, end - start);
    *in = view_skip(*in, end);
    return word;
}

static enum err
read_words(struct view text, uint8_t *secret, size_t len, unsigned *bad_word)
{
    SCRUBBED(bits, IDENT_PAPER_MAX + 1);
    uint32_t acc = 0;
    unsigned have = 0;
    unsigned words = words_of(len);
    size_t at = 0;

    for (unsigned i = 1; i <= words; i++) {
        int n = ident_word_find(next_word(&text));

        if (n < 0) {
            *bad_word = i;
            return ERR_FORMAT;
        }
        acc = acc << WORD_BITS | (uint32_t)n;
        for (have += WORD_BITS; have >= 8; have -= 8) {
            bits[at++] = (uint8_t)(acc >> (have - 8));
        }
        acc &= 0xff;
    }
    if (have > 0) {
        bits[at] = (uint8_t)(acc << (8 - have));
    }
    if (next_word(&text).len > 0) {
        return ERR_FORMAT;
    }
    if (checksum_of(bits, len) != bits[len]) {
        return ERR_AUTH;
    }
    memcpy(secret, bits, len);
    return OK;
}

enum err
ident_paper_read(struct view text, const char *prefix, uint8_t *secret,
                 size_t len, unsigned *bad_word)
{
    SCRUBBED(buf, TEXT_MAX);
    size_t prefix_len = strlen(prefix);
    size_t n = 0;

    *bad_word = 0;
    while (text.len > 0 && text.p[0] <= ' ') {
        text = view_skip(text, 1);
    }
    while (text.len > 0 && text.p[text.len - 1] <= ' ') {
        text.len--;
    }
    if (text.len > TEXT_MAX) {
        return ERR_FORMAT;
    }
    if (text.len > prefix_len && memcmp(text.p, prefix, prefix_len) == 0) {
        return read_qr(view_skip(text, prefix_len), secret, len);
    }
    for (; n < text.len; n++) {
        uint8_t c = text.p[n];

        buf[n] = c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
    }
    return read_words(view_make(buf, n), secret, len, bad_word);
}
