/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/sign.h"

#include "proto/base/assert.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"

enum err
ident_key_new(const struct rng *rng, struct prim_sign_key *out)
{
    SCRUBBED(seed, PRIM_ED25519_SEED);
    enum err e = rng_fill(rng, seed, PRIM_ED25519_SEED);

    if (e == OK) {
        prim_ed25519_from_seed(seed, out);
    }
    return e;
}

const char *
ident_label(enum ident_type type)
{
    static const char *const labels[IDENT_TYPE_END_] = {
        [IDENT_RENEWAL] = "balsam v1 renewal",
        [IDENT_NODE] = "balsam v1 node",
        [IDENT_REVOKE] = "balsam v1 revoke",
        [IDENT_PROFILE] = "balsam v1 profile",
        [IDENT_FORWARD] = "balsam v1 forward",
        [IDENT_REDEEM] = "balsam v1 redeem",
        [IDENT_CONTACT] = "balsam v1 contact",
        [IDENT_STATEMENT] = "balsam v1 statement",
        [IDENT_PATIENT] = "balsam v1 patient",
        [IDENT_DEVICES] = "balsam v1 devices",
        [IDENT_CONSENT] = "balsam v1 consent",
        [IDENT_AUDIT] = "balsam v1 audit",
        [IDENT_DEVICE_HELLO] = "balsam v1 device hello",
        [IDENT_DEVICE_ADD] = "balsam v1 device add",
        [IDENT_WITHDRAWAL] = "balsam v1 withdrawal",
        [IDENT_DESK_CONSENT] = "balsam v1 desk consent",
        [IDENT_INTRODUCTION] = "balsam v1 introduction",
        [IDENT_ARCHIVE] = "balsam v1 archive keys",
        [IDENT_ARCHIVE_KEY] = "balsam v1 archive key",
    };

    ASSERT(type > 0 && type < IDENT_TYPE_END_);
    return labels[type];
}

/* "balsam v1 <type>" | 0x00 | statement */
static enum err
signed_bytes(const struct mem *mem, enum ident_type type, struct view statement,
             struct bytes *out)
{
    enum err e;
    struct bytes b = {0};
    static const uint8_t zero[1] = {0};

    if (statement.len > IDENT_STATEMENT_MAX) {
        return ERR_LIMIT;
    }
    TRY(bytes_append(mem, &b, view_str(ident_label(type))));
    TRY(bytes_append(mem, &b, VIEW_ARRAY(zero)));
    TRY(bytes_append(mem, &b, statement));
    *out = bytes_take(&b);
out:
    bytes_free(&b);
    return e;
}

enum err
ident_sign(const struct mem *mem, enum ident_type type,
           const struct prim_sign_key *key, struct view statement,
           uint8_t sig[PRIM_ED25519_SIG])
{
    struct bytes b = {0};
    enum err e = signed_bytes(mem, type, statement, &b);

    if (e == OK) {
        prim_ed25519_sign(key, view_of(&b), sig);
    }
    bytes_free(&b);
    return e;
}

enum err
ident_verify(const struct mem *mem, enum ident_type type,
             const uint8_t pub[PRIM_ED25519_PUB], struct view statement,
             struct view sig)
{
    struct bytes b = {0};
    enum err e = signed_bytes(mem, type, statement, &b);

    if (e == OK) {
        e = prim_ed25519_verify(view_make(pub, PRIM_ED25519_PUB), view_of(&b),
                                sig);
    }
    bytes_free(&b);
    return e;
}

enum err
ident_signed_join(const struct mem *mem, struct view statement, struct view sig,
                  struct bytes *out)
{
    struct proto_wr w = proto_wr_open(mem);
    enum err e;

    proto_wr_array(&w, 2);
    proto_wr_bin(&w, statement);
    proto_wr_bin(&w, sig);
    TRY(proto_wr_take(&w, out));
out:
    proto_wr_clear(&w);
    return e;
}

enum err
ident_signed_make(const struct mem *mem, enum ident_type type,
                  const struct prim_sign_key *key, struct view statement,
                  struct bytes *out)
{
    uint8_t sig[PRIM_ED25519_SIG];
    enum err e;

    TRY(ident_sign(mem, type, key, statement, sig));
    TRY(ident_signed_join(mem, statement, VIEW_ARRAY(sig), out));
out:
    return e;
}

static enum err
read_signed(struct view in, struct view *statement, struct view *sig)
{
    struct proto_rd r = proto_rd_open(in);

    proto_rd_array(&r, 2);
    *statement = proto_rd_bin(&r, IDENT_STATEMENT_MAX);
    *sig = proto_rd_bin(&r, PRIM_ED25519_SIG);
    return proto_rd_end(&r);
}

enum err
ident_signed_open(const struct mem *mem, enum ident_type type,
                  const uint8_t pub[PRIM_ED25519_PUB], struct view in,
                  struct view *statement)
{
    struct view inner;
    struct view sig;
    enum err e;

    TRY(read_signed(in, &inner, &sig));
    TRY(ident_verify(mem, type, pub, inner, sig));
    *statement = inner;
out:
    return e;
}

enum err
ident_signed_peek(struct view in, struct view *statement)
{
    struct view sig;

    return read_signed(in, statement, &sig);
}
