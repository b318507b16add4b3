/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the home clinic keeps for the patient's devices without reading it:
 *
 *     u32 n | nonce 24 | XChaCha20-Poly1305 under key n of (u32 length | body |
 *     zeros), associated data: label | patient | n
 *
 * in steps of a KiB.
 */
#include "crypto/prim/aead.h"
#include "federation/app/inside.h"
#include "proto/base/assert.h"

#include <string.h>

enum {
    STEP = 1024, /* sizes that the clinic can tell apart */
    LENGTH = 4,
    NUMBER = 4,
    HEAD = NUMBER + PRIM_XNONCE_SIZE,
    LABEL_MAX = 28
};

/* The label's end is in it. */
static struct view
aad(const struct fed_app *app, const char *label, const uint8_t n[NUMBER],
    uint8_t out[64])
{
    size_t len = strlen(label) + 1;

    ASSERT(len <= LABEL_MAX);
    memcpy(out, label, len);
    memcpy(out + len, app->me.patient, sizeof(app->me.patient));
    len += sizeof(app->me.patient);
    memcpy(out + len, n, NUMBER);
    return view_make(out, len + NUMBER);
}

static void
put_number(uint64_t n, uint8_t out[NUMBER])
{
    for (size_t i = 0; i < NUMBER; i++) {
        out[i] = (uint8_t)(n >> (24 - 8 * i));
    }
}

static uint64_t
get_number(const uint8_t in[NUMBER])
{
    uint64_t n = 0;

    for (size_t i = 0; i < NUMBER; i++) {
        n = n << 8 | in[i];
    }
    return n;
}

enum err
fed_app_sealed_make(struct fed_app *app, const char *label, struct view body,
                    struct bytes *out)
{
    enum err e;
    SCRUBBED(key, PRIM_XKEY_SIZE);
    uint8_t about[64];
    struct bytes plain = {0};
    struct bytes sealed = {0};

    TRY(fed_app_ring_key(app, fed_app_ring_number(app), key));
    TRY(bytes_alloc(app->mem, (LENGTH + body.len + STEP - 1) / STEP * STEP,
                    &plain));
    put_number(body.len, plain.p);
    memcpy(plain.p + LENGTH, body.p, body.len);
    TRY(bytes_alloc(app->mem, HEAD + plain.len + PRIM_TAG_SIZE, &sealed));
    put_number(fed_app_ring_number(app), sealed.p);
    TRY(rng_fill(app->c.rng, sealed.p + NUMBER, PRIM_XNONCE_SIZE));
    prim_xseal(key, sealed.p + NUMBER, aad(app, label, sealed.p, about),
               view_of(&plain), sealed.p + HEAD);
    *out = bytes_take(&sealed);
out:
    bytes_free(&plain);
    bytes_free(&sealed);
    return e;
}

enum err
fed_app_sealed_open(struct fed_app *app, const char *label, struct view in,
                    uint64_t *n, struct bytes *hold, struct view *body)
{
    enum err e;
    SCRUBBED(key, PRIM_XKEY_SIZE);
    uint8_t about[64];
    struct bytes plain = {0};
    size_t len;

    TRY(in.len >= HEAD + LENGTH + PRIM_TAG_SIZE ? OK : ERR_FORMAT);
    *n = get_number(in.p);
    TRY(fed_app_ring_key(app, *n, key));
    TRY(bytes_alloc(app->mem, in.len - HEAD - PRIM_TAG_SIZE, &plain));
    TRY(prim_xopen(key, in.p + NUMBER, aad(app, label, in.p, about),
                   view_skip(in, HEAD), plain.p));
    len = (size_t)get_number(plain.p);
    TRY(len <= plain.len - LENGTH ? OK : ERR_FORMAT);
    *body = view_make(plain.p + LENGTH, len);
    *hold = bytes_take(&plain);
out:
    bytes_free(&plain);
    return e;
}
