/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/cert.h"

#include "proto/base/assert.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"

#include <string.h>

enum {
    VERSION = 1
};

/* The type and version that every statement starts with. */
static void
read_head(struct proto_rd *r, uint32_t fields, enum ident_type type)
{
    proto_rd_array(r, 2 + fields);
    if (proto_rd_u16(r) != (unsigned)type) {
        proto_rd_fail(r, ERR_FORMAT);
    }
    if (proto_rd_u16(r) != VERSION) {
        proto_rd_fail(r, ERR_UNSUPPORTED);
    }
}

static void
write_head(struct proto_wr *w, uint32_t fields, enum ident_type type)
{
    proto_wr_array(w, 2 + fields);
    proto_wr_uint(w, (uint64_t)type);
    proto_wr_uint(w, VERSION);
}

enum err
ident_cert_make(const struct mem *mem, enum ident_type type,
                const struct prim_sign_key *signer,
                const struct ident_cert *cert, struct bytes *out)
{
    enum err e;
    struct bytes statement = {0};
    struct proto_wr w = proto_wr_open(mem);

    ASSERT(type == IDENT_RENEWAL || type == IDENT_NODE);
    write_head(&w, 5, type);
    proto_wr_bin(&w, clinic_id_view(&cert->root));
    proto_wr_bin(&w, VIEW_ARRAY(cert->key));
    proto_wr_uint(&w, cert->generation);
    proto_wr_uint(&w, cert->not_before_ms);
    proto_wr_uint(&w, cert->not_after_ms);
    TRY(proto_wr_take(&w, &statement));
    TRY(ident_signed_make(mem, type, signer, view_of(&statement), out));
out:
    proto_wr_clear(&w);
    bytes_free(&statement);
    return e;
}

static enum err
cert_decode(enum ident_type type, struct view statement, struct ident_cert *out)
{
    enum err e;
    struct ident_cert c;
    struct proto_rd r = proto_rd_open(statement);

    read_head(&r, 5, type);
    c.root = proto_rd_clinic_id(&r);
    proto_rd_fixed(&r, c.key, sizeof(c.key));
    c.generation = proto_rd_u64(&r);
    c.not_before_ms = proto_rd_u64(&r);
    c.not_after_ms = proto_rd_u64(&r);
    TRY(proto_rd_end(&r));
    if (c.not_after_ms < c.not_before_ms) {
        return ERR_FORMAT;
    }
    *out = c;
out:
    return e;
}

enum err
ident_chain_make(const struct mem *mem, struct view renewal, struct view node,
                 struct bytes *out)
{
    enum err e;
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 3);
    proto_wr_uint(&w, VERSION);
    proto_wr_bin(&w, renewal);
    proto_wr_bin(&w, node);
    TRY(proto_wr_take(&w, out));
    if (out->len > IDENT_CHAIN_MAX) {
        bytes_free(out);
        e = ERR_LIMIT;
    }
out:
    proto_wr_clear(&w);
    return e;
}

/* Split a chain into its two signed certificates. */
static enum err
chain_decode(struct view chain, struct view *renewal, struct view *node)
{
    struct proto_rd r = proto_rd_open(chain);

    if (chain.len > IDENT_CHAIN_MAX) {
        return ERR_FORMAT;
    }
    proto_rd_array(&r, 3);
    if (proto_rd_u16(&r) != VERSION) {
        proto_rd_fail(&r, ERR_UNSUPPORTED);
    }
    *renewal = proto_rd_bin(&r, IDENT_CHAIN_MAX);
    *node = proto_rd_bin(&r, IDENT_CHAIN_MAX);
    return proto_rd_end(&r);
}

/*
 * Both certificates, each verified under the key above it.  The root comes
 * from the renewal certificate itself, which it must have signed.
 */
static enum err
open_certs(const struct mem *mem, struct view chain, struct ident_cert *renewal,
           struct ident_cert *node)
{
    enum err e;
    struct view renewal_signed = {0};
    struct view node_signed = {0};
    struct view statement = {0};

    TRY(chain_decode(chain, &renewal_signed, &node_signed));
    TRY(ident_signed_peek(renewal_signed, &statement));
    TRY(cert_decode(IDENT_RENEWAL, statement, renewal));
    TRY(ident_signed_open(mem, IDENT_RENEWAL, renewal->root.b, renewal_signed,
                          &statement));
    TRY(ident_signed_open(mem, IDENT_NODE, renewal->key, node_signed,
                          &statement));
    TRY(cert_decode(IDENT_NODE, statement, node));
out:
    return e;
}

/*
 * decisions A 3: judged by our clock with a day of tolerance; a clock that is
 * behind something we have proof of is wrong and expires nobody.
 */
static enum err
check_time(const struct ident_check *check, const struct ident_cert *renewal,
           struct ident_node *n)
{
    uint64_t newest = n->not_before_ms > renewal->not_before_ms
                          ? n->not_before_ms
                          : renewal->not_before_ms;
    uint64_t known = check->known_ms > newest ? check->known_ms : newest;

    n->clock_behind =
        known > check->now_ms && known - check->now_ms > IDENT_TOLERANCE_MS;
    /* [cert-expired] */
    if (!n->clock_behind && check->now_ms > n->not_after_ms &&
        check->now_ms - n->not_after_ms > IDENT_TOLERANCE_MS) {
        return ERR_STALE;
    }
    return OK;
}

enum err
ident_chain_verify(const struct mem *mem, struct view chain,
                   const struct ident_check *check, struct ident_node *out)
{
    enum err e;
    struct ident_cert renewal;
    struct ident_cert node;
    struct ident_node n;

    TRY(open_certs(mem, chain, &renewal, &node));
    /* [cert-root] both name the same root, and the expected one */
    if (!clinic_id_equal(&renewal.root, &node.root) ||
        (check->root != NULL && !clinic_id_equal(check->root, &node.root))) {
        return ERR_AUTH;
    }
    /* [cert-key] */
    if (check->key != NULL &&
        memcmp(check->key, node.key, sizeof(node.key)) != 0) {
        return ERR_AUTH;
    }
    /* [cert-generation-slot] a renewal key certifies within its generation */
    if (node.generation >> 32 != renewal.generation >> 32) {
        return ERR_AUTH;
    }
    n.root = node.root;
    memcpy(n.key.b, node.key, sizeof(n.key.b));
    n.generation = node.generation;
    n.not_before_ms = node.not_before_ms;
    n.not_after_ms = node.not_after_ms < renewal.not_after_ms
                         ? node.not_after_ms
                         : renewal.not_after_ms;
    /* [cert-revoked] */
    if (n.generation < check->generation_min) {
        return ERR_STALE;
    }
    TRY(check_time(check, &renewal, &n));
    *out = n;
out:
    return e;
}

enum err
ident_revoke_make(const struct mem *mem, const struct prim_sign_key *root,
                  uint64_t generation_min, struct bytes *out)
{
    enum err e;
    struct bytes statement = {0};
    struct proto_wr w = proto_wr_open(mem);

    write_head(&w, 2, IDENT_REVOKE);
    proto_wr_bin(&w, prim_sign_key_pub(root));
    proto_wr_uint(&w, generation_min);
    TRY(proto_wr_take(&w, &statement));
    TRY(ident_signed_make(mem, IDENT_REVOKE, root, view_of(&statement), out));
out:
    proto_wr_clear(&w);
    bytes_free(&statement);
    return e;
}

enum err
ident_revoke_open(const struct mem *mem, const struct clinic_id *root,
                  struct view in, uint64_t *generation_min)
{
    enum err e;
    struct view statement;
    struct proto_rd r;
    struct clinic_id named;
    uint64_t min;

    TRY(ident_signed_open(mem, IDENT_REVOKE, root->b, in, &statement));
    r = proto_rd_open(statement);
    read_head(&r, 2, IDENT_REVOKE);
    named = proto_rd_clinic_id(&r);
    min = proto_rd_u64(&r);
    TRY(proto_rd_end(&r));
    if (!clinic_id_equal(&named, root)) {
        return ERR_AUTH;
    }
    *generation_min = min;
out:
    return e;
}

/* [chain, signed statement] */
static enum err
by_node(const struct mem *mem, struct view chain, struct view inner,
        struct bytes *out)
{
    enum err e;
    struct proto_wr w = proto_wr_open(mem);

    proto_wr_array(&w, 2);
    proto_wr_bin(&w, chain);
    proto_wr_bin(&w, inner);
    TRY(proto_wr_take(&w, out));
out:
    proto_wr_clear(&w);
    return e;
}

enum err
ident_by_node_make(const struct mem *mem, enum ident_type type,
                   const struct prim_sign_key *node, struct view chain,
                   struct view statement, struct bytes *out)
{
    enum err e;
    struct bytes inner = {0};

    TRY(ident_signed_make(mem, type, node, statement, &inner));
    TRY(by_node(mem, chain, view_of(&inner), out));
out:
    bytes_free(&inner);
    return e;
}

enum err
ident_by_node_join(const struct mem *mem, struct view chain,
                   struct view statement, struct view sig, struct bytes *out)
{
    enum err e;
    struct bytes inner = {0};

    TRY(ident_signed_join(mem, statement, sig, &inner));
    TRY(by_node(mem, chain, view_of(&inner), out));
out:
    bytes_free(&inner);
    return e;
}

enum err
ident_by_node_open(const struct mem *mem, enum ident_type type, struct view in,
                   const struct ident_check *check, struct ident_node *node_out,
                   struct view *statement)
{
    enum err e;
    struct proto_rd r = proto_rd_open(in);
    struct ident_node n;
    struct view chain;
    struct view inner;
    struct view s;

    proto_rd_array(&r, 2);
    chain = proto_rd_bin(&r, IDENT_CHAIN_MAX);
    inner = proto_rd_bin(&r, IDENT_STATEMENT_MAX + 128);
    TRY(proto_rd_end(&r));
    TRY(ident_chain_verify(mem, chain, check, &n));
    TRY(ident_signed_open(mem, type, n.key.b, inner, &s));
    if (node_out != NULL) {
        *node_out = n;
    }
    *statement = s;
out:
    return e;
}
