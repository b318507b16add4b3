/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of people in index keys: only as keyed hashes (decisions G 33), of the
 * words without case, so that what is stored tells nothing without the key.
 */
#include "crypto/prim/secret.h"
#include "store/records.h"

#include <string.h>

enum {
    WORD_MAX = 16,
    WORD_BYTES = WORD_MAX * 4,
    NORMAL_MAX = 320
};

struct word {
    uint8_t b[WORD_BYTES];
    size_t len;
    uint8_t ends[WORD_MAX]; /* behind each character */
    size_t chars;
};

/* Text that is well-formed UTF-8: the next character, without case. */
static uint32_t
next_char(struct view *left)
{
    uint8_t lead = left->p[0];
    size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t c = n == 1 ? lead : lead & (0x7fu >> n);

    if (n > left->len) {
        *left = (struct view){0};
        return ' ';
    }
    for (size_t i = 1; i < n; i++) {
        c = c << 6 | (left->p[i] & 0x3fu);
    }
    *left = view_skip(*left, n);
    return c;
}

/* Upper case of Latin, Greek and Cyrillic: ranges, and how lower case lies. */
static const struct {
    uint32_t first;
    uint32_t last;
    uint32_t add;    /* to get the lower case; 0: pairs of upper and lower */
    uint32_t parity; /* of the upper case in pairs */
} cases[] = {
    {'A', 'Z', 0x20, 0},     {0xc0, 0xd6, 0x20, 0},   {0xd8, 0xde, 0x20, 0},
    {0x100, 0x137, 0, 0},    {0x139, 0x148, 0, 1},    {0x14a, 0x177, 0, 0},
    {0x179, 0x17e, 0, 1},    {0x391, 0x3a9, 0x20, 0}, {0x400, 0x40f, 0x50, 0},
    {0x410, 0x42f, 0x20, 0}, {0x460, 0x481, 0, 0},    {0x1e00, 0x1e95, 0, 0},
};

static uint32_t
fold(uint32_t c)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (c >= cases[i].first && c <= cases[i].last) {
            if (cases[i].add != 0) {
                return c + cases[i].add;
            }
            return c % 2 == cases[i].parity ? c + 1 : c;
        }
    }
    return c;
}

/* All that is neither ASCII punctuation nor a space. */
static bool
is_letter(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c > 0xa0 && !(c >= 0x2000 && c <= 0x206f));
}

static size_t
put_char(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

/* False when there are no more words.  What is longer than WORD_MAX is cut. */
static bool
next_word(struct view *left, struct word *w)
{
    w->len = w->chars = 0;
    while (left->len > 0) {
        uint32_t c = fold(next_char(left));

        if (is_letter(c)) {
            if (w->chars < WORD_MAX) {
                w->len += put_char(w->b + w->len, c);
                w->ends[w->chars++] = (uint8_t)w->len;
            }
        } else if (w->chars > 0) {
            break;
        }
    }
    return w->chars > 0;
}

bool
store_has_word(struct view text)
{
    SCRUBBED_STRUCT(word, w);

    return proto_utf8_valid(text) && next_word(&text, &w);
}

enum err
store_words(struct store_txn *txn, struct view text, bool beginnings,
            enum err (*each)(void *ctx, const uint8_t hash[STORE_WORD_HASH]),
            void *ctx)
{
    SCRUBBED_STRUCT(word, w);
    uint8_t hash[16];
    enum err e = OK;

    while (e == OK && next_word(&text, &w)) {
        for (size_t i = beginnings ? 0 : w.chars - 1; e == OK && i < w.chars;
             i++) {
            TRY(store_key_hash(txn, "word", view_make(w.b, w.ends[i]), hash));
            e = each(ctx, hash);
        }
    }
out:
    return e;
}

enum err
store_name_words(struct store_txn *txn, const struct phi *name,
                 enum err (*each)(void *ctx,
                                  const uint8_t hash[STORE_WORD_HASH]),
                 void *ctx)
{
    return store_words(txn, proto_phi_reveal(name), true, each, ctx);
}

/* Digits of a telephone number; other words without case and spaces. */
static size_t
normal_form(enum store_ident_kind kind, struct view v, uint8_t *out)
{
    bool digits = kind == STORE_IDENT_PHONE || kind == STORE_IDENT_FAX;
    size_t n = 0;

    while (v.len > 0 && n + 4 <= NORMAL_MAX) {
        uint32_t c = fold(next_char(&v));

        if (digits ? (c >= '0' && c <= '9') || (c == '+' && n == 0) : c > ' ') {
            n += put_char(out + n, c);
        }
    }
    return n;
}

enum err
store_ident_hash(struct store_txn *txn, enum store_ident_kind kind,
                 struct view value, uint8_t out[16])
{
    SCRUBBED(normal, NORMAL_MAX + 1);
    size_t n;

    normal[0] = (uint8_t)kind;
    if (kind == STORE_IDENT_CLINIC || kind == STORE_IDENT_PATIENT ||
        kind == STORE_IDENT_INVITE) {
        n = value.len < NORMAL_MAX ? value.len : NORMAL_MAX;
        if (n > 0) {
            memcpy(normal + 1, value.p, n);
        }
    } else {
        n = normal_form(kind, value, normal + 1);
    }
    return store_key_hash(txn, "ident", view_make(normal, n + 1), out);
}

enum err
store_login_hash(struct store_txn *txn, struct view login, uint8_t out[16])
{
    SCRUBBED(normal, NORMAL_MAX + 1);
    size_t n = normal_form(STORE_IDENT_EMAIL, login, normal);

    return store_key_hash(txn, "login", view_make(normal, n), out);
}
