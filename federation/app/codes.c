/* SPDX-License-Identifier: Apache-2.0 */
#include "federation/app/codes.h"

#include "crypto/mls/suite.h"
#include "crypto/prim/hpke.h"
#include "federation/core/rec.h"
#include "proto/msg/b64.h"

#include <string.h>

enum {
    VERSION = 1,
    CHECKSUM = 4,
    ENC = 32,
    RAW_MAX = 9216 /* bytes of a code */
};

static const char request_prefix[] = "balsam:d#";
static const char grant_prefix[] = "balsam:g#";

static const struct prim_suite *
suite(void)
{
    return &mls_suite_find(MLS_SUITE_X25519_CHACHA20)->prim;
}

/* prefix and base64url of version, body, checksum. */
static enum err
write_code(const struct mem *mem, const char *prefix, struct view body,
           struct bytes *out)
{
    static const uint8_t version = VERSION;
    enum err e;
    uint8_t hash[PRIM_HASH_SIZE];
    struct bytes raw = {0};
    struct bytes text = {0};

    TRY(bytes_append(mem, &raw, view_make(&version, 1)));
    TRY(bytes_append(mem, &raw, body));
    prim_sha256(view_of(&raw), hash);
    TRY(bytes_append(mem, &raw, view_make(hash, CHECKSUM)));
    TRY(bytes_append(mem, &text, view_str(prefix)));
    TRY(proto_b64_append(mem, view_of(&raw), &text));
    *out = bytes_take(&text);
out:
    bytes_free(&raw);
    bytes_free(&text);
    return e;
}

/* Spaces and line breaks do not count: the text may have been pasted. */
static enum err
without_space(const struct mem *mem, struct view text, struct bytes *out)
{
    enum err e;
    struct bytes b = {0};

    TRY(bytes_alloc(mem, text.len, &b));
    b.len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] > ' ') {
            b.p[b.len++] = text.p[i];
        }
    }
    *out = bytes_take(&b);
out:
    bytes_free(&b);
    return e;
}

static enum err
read_code(const struct mem *mem, const char *prefix, struct view text,
          struct bytes *body)
{
    enum err e;
    size_t skip = strlen(prefix);
    uint8_t hash[PRIM_HASH_SIZE];
    struct bytes plain = {0};
    struct bytes raw = {0};
    size_t len = 0;

    TRY(text.len > 2 * (size_t)RAW_MAX ? ERR_FORMAT : OK);
    TRY(without_space(mem, text, &plain));
    TRY(plain.len > skip && memcmp(plain.p, prefix, skip) == 0 ? OK
                                                               : ERR_FORMAT);
    TRY(bytes_alloc(mem, plain.len, &raw));
    e = proto_b64_decode(view_skip(view_of(&plain), skip), raw.p, raw.len,
                         &len);
    TRY(e == OK && len > 1 + CHECKSUM ? OK : ERR_FORMAT);
    prim_sha256(view_make(raw.p, len - CHECKSUM), hash);
    TRY(memcmp(hash, raw.p + len - CHECKSUM, CHECKSUM) == 0 ? OK : ERR_AUTH);
    TRY(raw.p[0] == VERSION ? OK : ERR_UNSUPPORTED);
    TRY(bytes_copy(mem, view_make(raw.p + 1, len - 1 - CHECKSUM), body));
out:
    bytes_free(&plain);
    bytes_free(&raw);
    return e;
}

/* A record from outside: not ours, so not corrupt. */
static enum err
from_outside(enum err e)
{
    return e == ERR_CORRUPT ? ERR_FORMAT : e;
}

enum err
fed_app_request_text(const struct mem *mem,
                     const struct fed_app_rec_request *request,
                     struct bytes *out)
{
    enum err e;
    struct bytes body = {0};

    TRY(fed_rec_encode(mem, &fed_app_rec_request_shape, request, &body));
    TRY(write_code(mem, request_prefix, view_of(&body), out));
out:
    bytes_free(&body);
    return e;
}

enum err
fed_app_request_read(const struct mem *mem, struct view text,
                     struct fed_app_rec_request *out)
{
    enum err e;
    struct bytes body = {0};
    struct fed_app_rec_request r;

    TRY(read_code(mem, request_prefix, text, &body));
    TRY(from_outside(
        fed_rec_decode(view_of(&body), &fed_app_rec_request_shape, &r)));
    *out = r;
out:
    bytes_free(&body);
    return e;
}

enum err
fed_app_grant_text(const struct mem *mem, const struct rng *rng,
                   const struct fed_app_rec_request *request,
                   const struct fed_app_rec_grant *grant, struct bytes *out)
{
    enum err e;
    struct view info = VIEW_LIT("balsam v1 device grant");
    struct bytes pt = {0};
    struct bytes body = {0};

    TRY(fed_rec_encode(mem, &fed_app_rec_grant_shape, grant, &pt));
    TRY(bytes_alloc(mem, ENC + pt.len + PRIM_TAG_SIZE, &body));
    TRY(prim_hpke_seal(suite(), rng, VIEW_ARRAY(request->seal), &info, 1,
                       VIEW_ARRAY(request->device), view_of(&pt), body.p,
                       body.p + ENC));
    TRY(write_code(mem, grant_prefix, view_of(&body), out));
out:
    bytes_free(&pt);
    bytes_free(&body);
    return e;
}

enum err
fed_app_grant_read(const struct mem *mem,
                   const struct fed_app_rec_request *request,
                   const uint8_t priv[32], struct view text,
                   struct fed_app_rec_grant *out, struct bytes *hold)
{
    enum err e;
    SCRUBBED_STRUCT(prim_kem_pair, pair);
    struct view info = VIEW_LIT("balsam v1 device grant");
    struct bytes body = {0};
    struct bytes pt = {0};
    struct fed_app_rec_grant g;

    TRY(read_code(mem, grant_prefix, text, &body));
    TRY(body.len > ENC + PRIM_TAG_SIZE ? OK : ERR_FORMAT);
    TRY(prim_kem_from_priv(suite(), view_make(priv, 32), &pair));
    TRY(bytes_alloc(mem, body.len - ENC - PRIM_TAG_SIZE, &pt));
    e = prim_hpke_open(suite(), &pair, view_make(body.p, ENC), &info, 1,
                       VIEW_ARRAY(request->device),
                       view_skip(view_of(&body), ENC), pt.p);
    TRY(e == ERR_INVALID ? ERR_AUTH : e);
    TRY(from_outside(
        fed_rec_decode(view_of(&pt), &fed_app_rec_grant_shape, &g)));
    bytes_free(hold);
    *hold = bytes_take(&pt);
    *out = g;
out:
    mem_wipe(&g, sizeof(g));
    bytes_free(&body);
    bytes_free(&pt);
    return e;
}
