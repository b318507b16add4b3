/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/sheet.h"

#include "crypto/ident/words.h"
#include "crypto/prim/hash.h"
#include "crypto/prim/secret.h"
#include "proto/msg/b64.h"

#include <string.h>

enum {
    VERSION = 1,
    CHECKSUM = 4,
    QR_SIZE = 1 + PRIM_ED25519_SEED + CHECKSUM,
    WORD_BITS = 11,
    /* seed and one byte of checksum are exactly 24 words */
    BITS_SIZE = PRIM_ED25519_SEED + 1,
    TEXT_MAX = 1024
};

static const char qr_prefix[] = "balsam:r#";

enum err
ident_sheet_words(const struct mem *mem, const uint8_t seed[PRIM_ED25519_SEED],
                  struct bytes *out)
{
    enum err e;
    SCRUBBED(bits, BITS_SIZE);
    SCRUBBED(hash, PRIM_HASH_SIZE);
    struct bytes text = {0};
    uint32_t acc = 0;
    unsigned have = 0;

    memcpy(bits, seed, PRIM_ED25519_SEED);
    prim_sha256(view_make(seed, PRIM_ED25519_SEED), hash);
    bits[PRIM_ED25519_SEED] = hash[0];
    TRY(bytes_reserve(mem, &text, IDENT_WORDS_TEXT_MAX));
    for (size_t i = 0; i < BITS_SIZE; i++) {
        acc = acc << 8 | bits[i];
        have += 8;
        if (have < WORD_BITS) {
            continue;
        }
        have -= WORD_BITS;
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
ident_sheet_qr(const struct mem *mem, const uint8_t seed[PRIM_ED25519_SEED],
               struct bytes *out)
{
    enum err e;
    SCRUBBED(raw, QR_SIZE);
    SCRUBBED(hash, PRIM_HASH_SIZE);
    struct bytes text = {0};

    raw[0] = VERSION;
    memcpy(raw + 1, seed, PRIM_ED25519_SEED);
    prim_sha256(view_make(raw, QR_SIZE - CHECKSUM), hash);
    memcpy(raw + QR_SIZE - CHECKSUM, hash, CHECKSUM);
    TRY(bytes_append(mem, &text, view_str(qr_prefix)));
    TRY(proto_b64_append(mem, view_make(raw, QR_SIZE), &text));
    *out = bytes_take(&text);
out:
    bytes_free(&text);
    return e;
}

static enum err
read_qr(struct view code, uint8_t seed[PRIM_ED25519_SEED])
{
    SCRUBBED(raw, QR_SIZE);
    SCRUBBED(hash, PRIM_HASH_SIZE);
    size_t len = 0;

    if (proto_b64_decode(code, raw, QR_SIZE, &len) != OK || len != QR_SIZE) {
        return ERR_FORMAT;
    }
    if (raw[0] != VERSION) {
        return ERR_UNSUPPORTED;
    }
    prim_sha256(view_make(raw, QR_SIZE - CHECKSUM), hash);
    if (!prim_equal(view_make(raw + QR_SIZE - CHECKSUM, CHECKSUM),
                    view_make(hash, CHECKSUM))) {
        return ERR_AUTH;
    }
    memcpy(seed, raw + 1, PRIM_ED25519_SEED);
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
read_words(struct view text, uint8_t seed[PRIM_ED25519_SEED],
           unsigned *bad_word)
{
    SCRUBBED(bits, BITS_SIZE);
    SCRUBBED(hash, PRIM_HASH_SIZE);
    uint32_t acc = 0;
    unsigned have = 0;
    size_t at = 0;

    for (unsigned i = 1; i <= IDENT_WORDS; i++) {
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
    if (next_word(&text).len > 0) {
        return ERR_FORMAT;
    }
    prim_sha256(view_make(bits, PRIM_ED25519_SEED), hash);
    if (hash[0] != bits[PRIM_ED25519_SEED]) {
        return ERR_AUTH;
    }
    memcpy(seed, bits, PRIM_ED25519_SEED);
    return OK;
}

enum err
ident_sheet_read(struct view text, uint8_t seed[PRIM_ED25519_SEED],
                 unsigned *bad_word)
{
    SCRUBBED(buf, TEXT_MAX);
    size_t prefix = strlen(qr_prefix);
    size_t len = 0;

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
    if (text.len > prefix && memcmp(text.p, qr_prefix, prefix) == 0) {
        return read_qr(view_skip(text, prefix), seed);
    }
    for (; len < text.len; len++) {
        uint8_t c = text.p[len];

        buf[len] = c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
    }
    return read_words(view_make(buf, len), seed, bad_word);
}
