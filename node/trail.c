/* SPDX-License-Identifier: Apache-2.0 */
#include "node/trail.h"

#include "crypto/prim/curve.h"
#include "proto/base/limits.h"
#include "store/settings.h"

#include <string.h>

static const char KEYS[] = "node.audit_keys";

enum {
    KEY = PRIM_ED25519_PUB,
    KEYS_MAX = 256 /* of the newest: one in three months, and rotations */
};

/* The public keys that have signed, one after the other; may be empty. */
static enum err
load_keys(struct store_txn *txn, struct bytes *out)
{
    enum err e = store_setting_get(txn, KEYS, out);

    if (e == ERR_MISSING) {
        return OK;
    }
    if (e == OK && out->len % KEY != 0) {
        bytes_free(out);
        return ERR_CORRUPT;
    }
    return e;
}

/* Write: pub is the newest of the keys. */
static enum err
keep_key(struct store_txn *txn, struct view pub)
{
    enum err e;
    struct bytes keys = {0};
    struct bytes more = {0};
    struct view old;

    TRY(load_keys(txn, &keys));
    old = view_of(&keys);
    if (old.len >= KEY && view_equal(view_skip(old, old.len - KEY), pub)) {
        goto out;
    }
    if (old.len >= KEY * KEYS_MAX) {
        old = view_skip(old, KEY);
    }
    TRY(bytes_append(store_txn_mem(txn), &more, old));
    TRY(bytes_append(store_txn_mem(txn), &more, pub));
    TRY(store_setting_put(txn, KEYS, view_of(&more)));
out:
    bytes_free(&keys);
    bytes_free(&more);
    return e;
}

static enum err
sign(void *ctx, struct view msg, uint8_t sig[PRIM_ED25519_SIG])
{
    prim_ed25519_sign(ctx, msg, sig);
    return OK;
}

enum err
node_trail_sign(struct store_txn *txn, const struct node_identity *id)
{
    enum err e;
    SCRUBBED_STRUCT(prim_sign_key, key);

    key = id->node;
    TRY(keep_key(txn, prim_sign_key_pub(&key)));
    TRY(store_audit_sign(txn, sign, &key));
out:
    return e;
}

struct signers {
    struct view keys;
    uint64_t heads;
};

/* By the newest that fits: most heads are young. */
static enum err
verify(void *ctx, struct view msg, const uint8_t sig[PRIM_ED25519_SIG])
{
    struct signers *s = ctx;
    struct view one = view_make(sig, PRIM_ED25519_SIG);

    for (size_t at = s->keys.len; at >= KEY; at -= KEY) {
        if (prim_ed25519_verify(view_make(s->keys.p + at - KEY, KEY), msg,
                                one) == OK) {
            s->heads++;
            return OK;
        }
    }
    return ERR_AUTH;
}

enum err
node_trail_verify(struct store_txn *txn, uint64_t *rows, uint64_t *heads_out,
                  uint64_t *bad_seq)
{
    enum err e;
    struct bytes keys = {0};
    struct signers s = {0};

    *bad_seq = 0;
    TRY(load_keys(txn, &keys));
    s.keys = view_of(&keys);
    TRY(store_audit_verify(txn, verify, &s, rows, bad_seq));
    *heads_out = s.heads;
out:
    bytes_free(&keys);
    return e;
}
