/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/api_wasm.h"

#include "crypto/prim/import_wasm.h"
#include "crypto/prim/random.h"

#include <string.h>

#define EXPORT(NAME) __attribute__((export_name(#NAME)))

/* The credential check and the clock of the host.  check: 0 is yes. */
PRIM_IMPORT(check_leaf)
int mls_host_check_leaf(int use, const uint8_t *check, size_t len);
PRIM_IMPORT(find_psk)
int mls_host_find_psk(const uint8_t *id, size_t len, uint8_t *out,
                      size_t out_max);
PRIM_IMPORT(wall_ms) double mls_host_wall_ms(void);

void *mls_wasm_alloc(size_t len);
void mls_wasm_free(void *p, size_t len);
struct mls_api *mls_wasm_new(void);
int mls_wasm_call(struct mls_api *api, int op, const uint8_t *args, size_t len);
const uint8_t *mls_wasm_out(const struct mls_api *api);
size_t mls_wasm_out_len(const struct mls_api *api);
const char *mls_wasm_err_name(int e);

/* ------------------------------------------------------------ arguments */

void *
mls_api_handle(struct proto_tls_rd *in)
{
    uintptr_t p = proto_tls_rd_u32(in);

    if (p == 0) {
        proto_tls_rd_fail(in, ERR_INVALID);
    }
    return (void *)p;
}

void
mls_api_put_handle(struct proto_tls_wr *out, const void *p)
{
    proto_tls_wr_u32(out, (uint32_t)(uintptr_t)p);
}

static enum err
u16_list(struct mls_api *api, struct proto_tls_rd *in, const uint16_t **out,
         size_t *n_out)
{
    struct proto_tls_rd list = proto_tls_rd_sub(in);
    size_t n = list.left.len / 2;
    uint16_t *items = NULL;

    if (n > 0) {
        items = arena_calloc(&api->arena, n, sizeof(*items));
        if (items == NULL) {
            return ERR_NOMEM;
        }
    }
    for (size_t i = 0; i < n; i++) {
        items[i] = proto_tls_rd_u16(&list);
    }
    *out = items;
    *n_out = n;
    return proto_tls_rd_end(&list);
}

enum err
mls_api_extensions(struct proto_tls_rd *in, struct mls_extensions *out)
{
    struct view raw = proto_tls_rd_vec(in);

    return in->e != OK ? in->e : mls_extensions_from(raw, out);
}

enum err
mls_api_identity(struct mls_api *api, struct proto_tls_rd *in,
                 struct mls_identity *out)
{
    struct mls_identity who = {0};
    struct prim_sign_key *key;
    enum err e;

    who.credential = proto_tls_rd_vec(in);
    who.signature_priv = proto_tls_rd_vec(in);
    TRY(u16_list(api, in, &who.extension_types, &who.extension_types_len));
    TRY(u16_list(api, in, &who.proposal_types, &who.proposal_types_len));
    TRY(u16_list(api, in, &who.credential_types, &who.credential_types_len));
    TRY(mls_api_extensions(in, &who.leaf_extensions));
    if (who.signature_priv.len != PRIM_ED25519_SEED) {
        e = ERR_INVALID;
        goto out;
    }
    key = arena_alloc(&api->arena, sizeof(*key));
    if (key == NULL) {
        e = ERR_NOMEM;
        goto out;
    }
    prim_ed25519_from_seed(who.signature_priv.p, key);
    who.signature_key = prim_sign_key_pub(key);
    *out = who;
out:
    return e;
}

/* -------------------------------------------------------------- results */

void
mls_api_put_member(struct proto_tls_wr *out, const struct mls_member *m)
{
    proto_tls_wr_u32(out, m->leaf);
    proto_tls_wr_u16(out, m->credential_type);
    proto_tls_wr_vec(out, m->credential);
    proto_tls_wr_vec(out, m->signature_key);
}

void
mls_api_put_change(struct proto_tls_wr *out, const struct mls_change *change)
{
    size_t n = change == NULL ? 0 : mls_change_count(change);
    size_t at;

    mls_api_put_handle(out, change);
    at = proto_tls_wr_begin(out);
    for (size_t i = 0; i < n; i++) {
        struct mls_record r = {0};

        mls_change_at(change, i, &r);
        proto_tls_wr_u8(out, (uint8_t)r.kind);
        proto_tls_wr_fixed(out, VIEW_ARRAY(r.key));
        proto_tls_wr_vec(out, r.bytes);
    }
    proto_tls_wr_end_vec(out, at);
}

/* ------------------------------------------------------------- callbacks */

static enum err
check_leaf(void *ctx, const struct mls_leaf_check *check)
{
    struct mls_api *api = ctx;
    struct proto_tls_wr w = proto_tls_wr_open(api->env.mem);
    enum err e;

    proto_tls_wr_vec(&w, check->group_id);
    proto_tls_wr_u64(&w, check->epoch);
    mls_api_put_member(&w, check->leaf);
    proto_tls_wr_optional(&w, check->before != NULL);
    if (check->before != NULL) {
        mls_api_put_member(&w, check->before);
    }
    e = w.e;
    if (e == OK && mls_host_check_leaf((int)check->use, w.out.p, w.out.len)) {
        e = ERR_DENIED;
    }
    proto_tls_wr_clear(&w);
    return e;
}

/* The host writes the secret, at most 256 bytes, and says how long it is. */
static enum err
find_psk(void *ctx, const struct mls_psk_id *id, struct bytes *out)
{
    struct mls_api *api = ctx;
    struct proto_tls_wr w = proto_tls_wr_open(api->env.mem);
    SCRUBBED(secret, 256);
    int len;
    enum err e;

    mls_psk_id_write(&w, id);
    TRY(w.e);
    len = mls_host_find_psk(w.out.p, w.out.len, secret, sizeof(secret));
    if (len < 0 || (size_t)len > sizeof(secret)) {
        e = ERR_MISSING;
        goto out;
    }
    TRY(bytes_copy(api->env.mem, view_make(secret, (size_t)len), out));
out:
    proto_tls_wr_clear(&w);
    return e;
}

static uint64_t
wall_ms(void *ctx)
{
    (void)ctx;
    return (uint64_t)mls_host_wall_ms();
}

static MLS_API_FN((*const ops[])) = {
    [MLS_API_SIGN_KEY] = mls_api_sign_key,
    [MLS_API_KEY_PACKAGE] = mls_api_key_package,
    [MLS_API_KEY_PACKAGE_CHECK] = mls_api_key_package_check,
    [MLS_API_CREATE] = mls_api_create,
    [MLS_API_JOIN] = mls_api_join,
    [MLS_API_JOIN_EXTERNAL] = mls_api_join_external,
    [MLS_API_GROUP_FREE] = mls_api_group_free,
    [MLS_API_INFO] = mls_api_info,
    [MLS_API_MEMBER] = mls_api_member,
    [MLS_API_EXPORT] = mls_api_export,
    [MLS_API_GROUP_INFO] = mls_api_group_info,
    [MLS_API_PROTECT] = mls_api_protect,
    [MLS_API_UNPROTECT] = mls_api_unprotect,
    [MLS_API_UNDO] = mls_api_undo,
    [MLS_API_CHANGE_FREE] = mls_api_change_free,
    [MLS_API_PROPOSE] = mls_api_propose,
    [MLS_API_COMMIT] = mls_api_commit,
    [MLS_API_PROCESS] = mls_api_process,
    [MLS_API_STAGE_INFO] = mls_api_stage_info,
    [MLS_API_MERGE] = mls_api_merge,
    [MLS_API_STAGE_FREE] = mls_api_stage_free,
    [MLS_API_STAGE_SAVE] = mls_api_stage_save,
    [MLS_API_STAGE_LOAD] = mls_api_stage_load,
    [MLS_API_SAVE] = mls_api_save,
    [MLS_API_LOAD] = mls_api_load,
    [MLS_API_WELCOME_IS_FOR] = mls_api_welcome_is_for,
    [MLS_API_PEEK] = mls_api_peek,
};

/* -------------------------------------------------------------- exports */

/* Memory for arguments; NULL when there is none. */
EXPORT(balsam_alloc)
void *
mls_wasm_alloc(size_t len)
{
    return mem_alloc(mem_heap(), len);
}

EXPORT(balsam_free)
void
mls_wasm_free(void *p, size_t len)
{
    mem_free(mem_heap(), p, len);
}

EXPORT(balsam_new)
struct mls_api *
mls_wasm_new(void)
{
    struct mls_api *api = mem_alloc(mem_heap(), sizeof(*api));

    if (api == NULL) {
        return NULL;
    }
    api->clock = (struct clock){.wall_ms = wall_ms, .mono_ms = wall_ms};
    api->arena.mem = mem_heap();
    api->env = (struct mls_env){
        .mem = mem_heap(),
        .rng = prim_rng_system(),
        .clock = &api->clock,
        .ctx = api,
        .check_leaf = check_leaf,
        .find_psk = find_psk,
        .rule_out = &api->rule,
        .past_epochs = 1,
    };
    return api;
}

/*
 * The result, or on failure the name of the broken rule ("none"), is what
 * balsam_out says until the next call.
 */
EXPORT(balsam_call)
int
mls_wasm_call(struct mls_api *api, int op, const uint8_t *args, size_t len)
{
    struct proto_tls_rd in = proto_tls_rd_open(view_make(args, len));
    struct proto_tls_wr out = proto_tls_wr_open(api->env.mem);
    enum err e = ERR_UNSUPPORTED;

    bytes_free(&api->out);
    api->rule = MLS_RULE_NONE;
    if (op <= 0 || (size_t)op >= sizeof(ops) / sizeof(ops[0])) {
        goto out;
    }
    TRY(ops[op](api, &in, &out));
    TRY(proto_tls_wr_take(&out, &api->out));
out:
    if (e != OK) {
        ERR_IGNORE(bytes_copy(api->env.mem, view_str(mls_rule_name(api->rule)),
                              &api->out),
                   "the error is enough without the rule's name");
    }
    proto_tls_wr_clear(&out);
    arena_clear(&api->arena);
    return (int)e;
}

EXPORT(balsam_out)
const uint8_t *
mls_wasm_out(const struct mls_api *api)
{
    return api->out.p;
}

EXPORT(balsam_out_len)
size_t
mls_wasm_out_len(const struct mls_api *api)
{
    return api->out.len;
}

EXPORT(balsam_err_name)
const char *
mls_wasm_err_name(int e)
{
    return err_name((enum err)e);
}
