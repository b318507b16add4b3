/* SPDX-License-Identifier: Apache-2.0 */
/* Where the secrets of PSKs come from (RFC 9420 8.4, 8.6). */
#include "crypto/mls/group_int.h"

#include "crypto/mls/psk.h"

/* A resumption PSK of g itself. */
static enum err
own_psk(const struct mls_group *g, const struct mls_psk_id *id,
        struct bytes *out)
{
    if (g == NULL || id->type != MLS_PSK_RESUMPTION ||
        !view_equal(id->group_id, g->now->context.group_id)) {
        return ERR_MISSING;
    }
    return mls_resumption_psk(g, id->epoch, out);
}

static enum err
find(const struct mls_psk_source *src, const struct mls_psk_id *id,
     struct bytes *out)
{
    enum err e = own_psk(src->group, id, out);

    if (e == ERR_MISSING) {
        e = own_psk(src->parent, id, out);
    }
    if (e == ERR_MISSING && src->env->find_psk != NULL) {
        e = src->env->find_psk(src->env->ctx, id, out);
    }
    return e;
}

static enum err
encode(struct arena *a, const struct mls_psk_id *id, struct view *out)
{
    enum err e;
    struct proto_tls_wr w = proto_tls_wr_open(a->mem);

    mls_psk_id_write(&w, id);
    TRY(w.e);
    TRY(arena_copy(a, proto_tls_wr_view(&w), out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

static enum err
resolve_one(const struct mls_psk_source *src, struct arena *a,
            const struct mls_psk_id *id, struct mls_psk_input *out)
{
    enum err e;
    struct bytes secret = {0};

    TRY(find(src, id, &secret));
    TRY(encode(a, id, &out->id));
    TRY(arena_copy(a, view_of(&secret), &out->secret));
out:
    bytes_free(&secret);
    return e;
}

enum err
mls_psks_resolve(const struct mls_psk_source *src,
                 const struct mls_suite *suite, const struct mls_psk_id **ids,
                 size_t n, enum mls_rule rule, struct prim_secret *out,
                 enum mls_rule *broken)
{
    enum err e = OK;
    struct arena a = {.mem = src->env->mem};
    struct mls_psk_input *in = NULL;

    if (n > 0) {
        in = arena_calloc(&a, n, sizeof(*in));
        if (in == NULL) {
            return ERR_NOMEM;
        }
    }
    for (size_t i = 0; i < n; i++) {
        /* RFC 9420 12.4.2 [psk-available]; in a Welcome
         * RFC 9420 12.4.3.1 [welcome-psk-available] */
        TRY(mls_require_ok(resolve_one(src, &a, ids[i], &in[i]), ERR_MISSING,
                           rule, broken));
    }
    TRY(mls_psk_secret(suite, in, n, out));
out:
    arena_clear(&a);
    return e;
}
