/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keys.h"

#include "crypto/prim/aead.h"
#include "crypto/prim/hash.h"
#include "crypto/prim/pwhash.h"
#include "proto/wire/mp_rd.h"
#include "proto/wire/mp_wr.h"
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_VERSION = 1,
    KEY_MIN = 32,
    KEY_FILE_MAX = 4096,
    WRAPPED = STORE_KEY_SIZE + PRIM_TAG_SIZE,
    PASSES = 3,
    PASSES_MAX = 1000,
    MEM_KIB = 65536,
    MEM_KIB_MAX = 4194304,
    AAD_SIZE = 64
};

struct header {
    uint8_t kind;
    uint8_t salt[PRIM_PW_SALT_SIZE];
    struct prim_pw_cost cost;
};

static enum err
master_key(const struct store_key_source *key, const struct header *h,
           struct prim_secret *out)
{
    enum err e;

    if (h->kind == STORE_KEY_PASSPHRASE) {
        TRY(key->secret.len > 0 ? OK : ERR_INVALID);
        TRY(prim_pw_key(key->secret, h->salt, &h->cost, out));
    } else {
        TRY(key->secret.len >= KEY_MIN ? OK : ERR_INVALID);
        prim_hmac_sha256(key->secret, VIEW_ARRAY(h->salt), out->b);
        out->len = PRIM_HASH_SIZE;
    }
out:
    return e;
}

/* What the wrapped key is bound to. */
static struct view
header_aad(const struct header *h, uint8_t out[AAD_SIZE])
{
    static const char label[] = "balsam v1 vault key";
    size_t n = sizeof(label);

    memcpy(out, label, n);
    out[n++] = FILE_VERSION;
    out[n++] = h->kind;
    memcpy(out + n, h->salt, sizeof(h->salt));
    n += sizeof(h->salt);
    for (int i = 0; i < 4; i++) {
        out[n++] = (uint8_t)(h->cost.passes >> (8 * i));
        out[n++] = (uint8_t)(h->cost.mem_kib >> (8 * i));
    }
    return view_make(out, n);
}

enum err
store_keys_wrap(const struct store_config *cfg,
                const struct store_key_source *key,
                const uint8_t vault[STORE_KEY_SIZE], struct bytes *out)
{
    SCRUBBED_SECRET(master);
    struct header h = {.kind = (uint8_t)key->kind};
    uint8_t aad[AAD_SIZE];
    uint8_t nonce[PRIM_XNONCE_SIZE];
    uint8_t wrapped[WRAPPED];
    struct proto_wr w = proto_wr_open(cfg->mem);
    enum err e;

    h.cost.passes = cfg->pw_passes != 0 ? cfg->pw_passes : PASSES;
    h.cost.mem_kib = cfg->pw_mem_kib != 0 ? cfg->pw_mem_kib : MEM_KIB;
    TRY(rng_fill(cfg->rng, h.salt, sizeof(h.salt)));
    TRY(rng_fill(cfg->rng, nonce, sizeof(nonce)));
    TRY(master_key(key, &h, &master));
    prim_xseal(master.b, nonce, header_aad(&h, aad),
               view_make(vault, STORE_KEY_SIZE), wrapped);
    proto_wr_array(&w, 7);
    proto_wr_uint(&w, FILE_VERSION);
    proto_wr_uint(&w, h.kind);
    proto_wr_bin(&w, VIEW_ARRAY(h.salt));
    proto_wr_uint(&w, h.cost.passes);
    proto_wr_uint(&w, h.cost.mem_kib);
    proto_wr_bin(&w, VIEW_ARRAY(nonce));
    proto_wr_bin(&w, VIEW_ARRAY(wrapped));
    TRY(proto_wr_take(&w, out));
out:
    proto_wr_clear(&w);
    return e;
}

enum err
store_keys_unwrap(const struct store_key_source *key, struct view file,
                  uint8_t vault[STORE_KEY_SIZE])
{
    SCRUBBED_SECRET(master);
    struct header h = {0};
    uint8_t aad[AAD_SIZE];
    uint8_t nonce[PRIM_XNONCE_SIZE];
    uint8_t wrapped[WRAPPED];
    struct proto_rd r = proto_rd_open(file);
    uint64_t version;
    enum err e;

    proto_rd_array(&r, 7);
    version = proto_rd_u64(&r);
    if (r.e == OK && version > FILE_VERSION) {
        return ERR_UNSUPPORTED;
    }
    h.kind = proto_rd_u8(&r);
    proto_rd_fixed(&r, h.salt, sizeof(h.salt));
    h.cost.passes = (uint32_t)proto_rd_uint(&r, PASSES_MAX);
    h.cost.mem_kib = (uint32_t)proto_rd_uint(&r, MEM_KIB_MAX);
    proto_rd_fixed(&r, nonce, sizeof(nonce));
    proto_rd_fixed(&r, wrapped, sizeof(wrapped));
    TRY(proto_rd_end(&r) == OK && version == FILE_VERSION &&
                h.kind <= STORE_KEY_PASSPHRASE
            ? OK
            : ERR_CORRUPT);
    TRY(h.kind == (uint8_t)key->kind ? OK : ERR_AUTH);
    e = master_key(key, &h, &master);
    TRY(e == ERR_INVALID ? ERR_AUTH : e);
    TRY(prim_xopen(master.b, nonce, header_aad(&h, aad), VIEW_ARRAY(wrapped),
                   vault));
out:
    return e;
}

static enum err
derive(const uint8_t vault[STORE_KEY_SIZE], const char *use, uint8_t number,
       uint8_t out[STORE_KEY_SIZE])
{
    uint8_t msg[32] = "balsam v1 ";
    size_t n = strlen(use);

    memcpy(msg + 10, use, n);
    msg[10 + n] = number;
    return prim_blake2b(view_make(vault, STORE_KEY_SIZE),
                        view_make(msg, 11 + n), out, STORE_KEY_SIZE);
}

enum err
store_keys_derive(struct store_keys *keys)
{
    enum err e;

    TRY(derive(keys->vault, "index", 0, keys->index));
    TRY(derive(keys->vault, "slots", 0, keys->slots));
    for (uint8_t t = 0; t < STORE_T_COUNT_; t++) {
        TRY(derive(keys->vault, "table", t, keys->table[t]));
    }
out:
    return e;
}

/* A file that none of these may have access to. */
static enum err
secret_file(const struct mem *mem, const char *path, mode_t none,
            struct bytes *out)
{
    struct bytes b = {0};
    struct stat st;
    enum err e;

    TRY(stat(path, &st) == 0 ? OK : ERR_MISSING);
    TRY((st.st_mode & none) == 0 ? OK : ERR_DENIED);
    TRY(store_file_read(mem, path, KEY_FILE_MAX, &b));
    if (b.len > 0 && b.p[b.len - 1] == '\n') {
        bytes_truncate(&b, b.len - 1);
    }
    TRY(b.len > 0 ? OK : ERR_FORMAT);
    *out = bytes_take(&b);
out:
    bytes_free(&b);
    return e;
}

enum err
store_key_file_read(const struct mem *mem, const char *path, struct bytes *out)
{
    return secret_file(mem, path, 077, out);
}

enum err
store_credential_read(const struct mem *mem, const char *path,
                      struct bytes *out)
{
    return secret_file(mem, path, 037, out);
}

enum err
store_key_file_create(const char *path, const struct rng *rng)
{
    SCRUBBED(key, STORE_KEY_SIZE);
    SCRUBBED(hex, PROTO_HEX_MAX + 1);
    enum err e;
    int fd = -1;

    TRY(rng_fill(rng, key, sizeof(key)));
    proto_hex(VIEW_ARRAY(key), (char *)hex);
    hex[PROTO_HEX_MAX] = '\n';
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    TRY(fd >= 0 ? OK : store_errno(errno));
    TRY(store_write_at(fd, VIEW_ARRAY(hex), 0));
    store_sync_fd(fd);
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    return e;
}
