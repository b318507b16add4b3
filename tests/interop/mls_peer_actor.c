/* SPDX-License-Identifier: Apache-2.0 */
/* Actors of mls-peer: who they are, what they have stored. */
#include "crypto/prim/curve.h"
#include "crypto/prim/hash.h"
#include "crypto/prim/random.h"
#include "proto/base/id.h"
#include "tests/interop/mls_peer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct mem *
mem_of(struct peer *p)
{
    return &p->mem.mem;
}

static uint64_t
wall_ms(void *ctx)
{
    (void)ctx;
    return (uint64_t)time(NULL) * 1000u;
}

static enum err
find_psk(void *ctx, const struct mls_psk_id *id, struct bytes *out)
{
    struct peer_actor *a = ctx;

    if (id->type != MLS_PSK_EXTERNAL) {
        return ERR_MISSING;
    }
    for (struct peer_psk *k = a->psks; k != NULL; k = k->next) {
        if (view_equal(view_of(&k->id), id->id)) {
            return bytes_copy(mem_of(a->peer), view_of(&k->secret), out);
        }
    }
    return ERR_MISSING;
}

struct peer_actor *
peer_find(struct peer *p, struct view who)
{
    struct peer_actor *a = p->actors;

    while (a != NULL && !view_equal(view_str(a->who), who)) {
        a = a->next;
    }
    return a;
}

/* A new actor called who. */
static enum err
actor_new(struct peer *p, struct view who, struct peer_actor **out)
{
    static const struct clock clock = {.wall_ms = wall_ms};
    struct peer_actor *a = mem_alloc(mem_of(p), sizeof(*a));

    if (a == NULL) {
        return ERR_NOMEM;
    }
    a->who = mem_alloc(mem_of(p), who.len + 1);
    if (a->who == NULL) {
        mem_free(mem_of(p), a, sizeof(*a));
        return ERR_NOMEM;
    }
    memcpy(a->who, who.p, who.len);
    a->peer = p;
    a->env = (struct mls_env){.mem = mem_of(p),
                              .rng = prim_rng_system(),
                              .clock = &clock,
                              .ctx = a,
                              .find_psk = find_psk,
                              .rule_out = &p->rule,
                              .past_epochs = 4};
    a->next = p->actors;
    p->actors = a;
    *out = a;
    return OK;
}

enum err
peer_actor_for(struct peer *p, uint16_t suite, struct peer_actor **out)
{
    enum err e;
    struct view who = peer_text(p->in, "who");
    struct view identity = peer_text(p->in, "identity");
    struct peer_actor *a = peer_find(p, who);
    struct prim_sign_key key;

    if (who.len == 0 || mls_suite_find(suite) == NULL) {
        return ERR_UNSUPPORTED;
    }
    if (a == NULL) {
        TRY(actor_new(p, who, &a));
        TRY(rng_fill(a->env.rng, a->seed, sizeof(a->seed)));
        prim_ed25519_from_seed(a->seed, &key);
        memcpy(a->pub, key.pub, sizeof(a->pub));
        TRY(bytes_copy(mem_of(p), identity.len > 0 ? identity : who,
                       &a->identity));
    }
    a->suite = suite;
    *out = a;
    e = OK;
out:
    return e;
}

static void
records_free(struct peer *p, struct peer_record **list)
{
    while (*list != NULL) {
        struct peer_record *r = *list;
        *list = r->next;
        bytes_free(&r->bytes);
        mem_free(mem_of(p), r, sizeof(*r));
    }
}

void
peer_forget(struct peer *p, struct peer_actor *a)
{
    struct peer_actor **at = &p->actors;

    while (*at != a) {
        at = &(*at)->next;
    }
    *at = a->next;
    while (a->psks != NULL) {
        struct peer_psk *k = a->psks;
        a->psks = k->next;
        bytes_free(&k->id);
        bytes_free(&k->secret);
        mem_free(mem_of(p), k, sizeof(*k));
    }
    records_free(p, &a->store);
    mls_stage_free(a->pending);
    mls_group_free(a->group);
    bytes_free(&a->identity);
    bytes_free(&a->key_package);
    mem_free(mem_of(p), a->who, strlen(a->who) + 1);
    mem_free(mem_of(p), a, sizeof(*a));
}

bool
peer_turn(struct peer_actor *a)
{
    return a->turns++ % 3 == 1;
}

enum err
peer_psk_add(struct peer_actor *a, struct view id, struct view psk)
{
    enum err e;
    const struct mem *mem = mem_of(a->peer);
    struct peer_psk *k = mem_alloc(mem, sizeof(*k));

    if (k == NULL) {
        return ERR_NOMEM;
    }
    k->next = a->psks;
    a->psks = k;
    TRY(bytes_copy(mem, id, &k->id));
    TRY(bytes_copy(mem, psk, &k->secret));
out:
    return e;
}

enum err
peer_identity(struct peer_actor *a, struct mls_identity *out)
{
    static const uint16_t plain[] = {PEER_TEST_EXTENSION};
    static const uint16_t greased[] = {PEER_TEST_EXTENSION, 0x1a1a, 0x8a8a};
    static const uint16_t proposals[] = {0x2a2a};
    static const uint16_t credentials[] = {MLS_CREDENTIAL_X509};
    static const uint8_t extension[] = {0x1a, 0x1a, 2, 1, 2};

    *out = (struct mls_identity){
        .credential = view_of(&a->identity),
        .signature_key = VIEW_ARRAY(a->pub),
        .signature_priv = VIEW_ARRAY(a->seed),
        .extension_types = plain,
        .extension_types_len = 1,
        .credential_types = credentials,
        .credential_types_len = 1,
    };
    if (!a->grease) {
        return OK;
    }
    out->extension_types = greased;
    out->extension_types_len = 3;
    out->proposal_types = proposals;
    out->proposal_types_len = 1;
    return mls_extensions_from(VIEW_ARRAY(extension), &out->leaf_extensions);
}

/* -------------------------------------------------------------------- store */

static struct peer_record **
record_at(struct peer_actor *a, const uint8_t key[MLS_RECORD_KEY])
{
    struct peer_record **at = &a->store;

    while (*at != NULL && memcmp((*at)->key, key, MLS_RECORD_KEY) != 0) {
        at = &(*at)->next;
    }
    return at;
}

static enum err
record_put(struct peer_actor *a, const struct mls_record *r)
{
    enum err e;
    const struct mem *mem = mem_of(a->peer);
    struct peer_record **at = record_at(a, r->key);
    struct peer_record *x = *at;

    if (r->bytes.len == 0) {
        if (x != NULL) {
            *at = x->next;
            bytes_free(&x->bytes);
            mem_free(mem, x, sizeof(*x));
        }
        return OK;
    }
    if (x == NULL) {
        x = mem_alloc(mem, sizeof(*x));
        if (x == NULL) {
            return ERR_NOMEM;
        }
        memcpy(x->key, r->key, sizeof(x->key));
        x->next = a->store;
        a->store = x;
    }
    x->kind = r->kind;
    bytes_free(&x->bytes);
    TRY(bytes_copy(mem, r->bytes, &x->bytes));
out:
    return e;
}

void
peer_store_clear(struct peer_actor *a)
{
    records_free(a->peer, &a->store);
}

enum err
peer_store_change(struct peer_actor *a, const struct mls_change *change)
{
    enum err e = OK;
    struct mls_record r;

    if (change == NULL) {
        return OK;
    }
    for (size_t i = 0; i < mls_change_count(change); i++) {
        mls_change_at(change, i, &r);
        TRY(record_put(a, &r));
    }
out:
    return e;
}

enum err
peer_store_saved(struct peer_actor *a)
{
    enum err e;
    struct mls_change *change = NULL;

    TRY(mls_save(a->group, MLS_SAVE_CHANGED, &change));
    TRY(peer_store_change(a, change));
out:
    mls_change_free(change);
    return e;
}

enum err
peer_store_compare(struct peer_actor *a)
{
    enum err e;
    struct mls_change *all = NULL;
    struct mls_record r;
    size_t n = 0;
    size_t i;

    TRY(mls_save(a->group, MLS_SAVE_ALL, &all));
    for (struct peer_record *x = a->store; x != NULL; x = x->next) {
        n++;
    }
    e = mls_change_count(all) == n ? OK : ERR_CORRUPT;
    for (i = 0; e == OK && i < n; i++) {
        struct peer_record *x;
        mls_change_at(all, i, &r);
        x = *record_at(a, r.key);
        if (x == NULL || x->kind != r.kind ||
            !view_equal(view_of(&x->bytes), r.bytes)) {
            e = ERR_CORRUPT;
        }
    }
    if (e != OK) {
        a->peer->why = "the stored records are not those of the group";
    }
out:
    mls_change_free(all);
    return e;
}

enum err
peer_fingerprint(struct peer_actor *a, uint8_t out[32])
{
    enum err e;
    struct mls_change *all = NULL;
    struct mls_record r;
    struct prim_sha256 h;

    prim_sha256_init(&h);
    TRY(mls_save(a->group, MLS_SAVE_ALL, &all));
    for (size_t i = 0; i < mls_change_count(all); i++) {
        mls_change_at(all, i, &r);
        prim_sha256_update(&h, VIEW_ARRAY(r.key));
        prim_sha256_update(&h, r.bytes);
    }
    prim_sha256_final(&h, out);
out:
    mls_change_free(all);
    return e;
}

/* ------------------------------------------------------------- save and load
 */

/* What is saved is JSON in hex: only this program reads it. */
enum err
peer_actor_save(struct peer_actor *a, json_t *out)
{
    enum err e = OK;
    json_t *j = json_object();
    json_t *psks = json_array();
    json_t *records = json_array();
    struct bytes stage = {0};
    char *text = NULL;

    if (a->group != NULL) {
        TRY(peer_store_compare(a));
    }
    peer_put_num(j, "suite", a->suite);
    peer_put_hex(j, "identity", view_of(&a->identity));
    peer_put_hex(j, "seed", VIEW_ARRAY(a->seed));
    peer_put_hex(j, "key_package", view_of(&a->key_package));
    json_object_set_new(j, "grease", json_boolean(a->grease));
    for (struct peer_psk *k = a->psks; k != NULL; k = k->next) {
        json_t *x = json_object();
        peer_put_hex(x, "id", view_of(&k->id));
        peer_put_hex(x, "psk", view_of(&k->secret));
        json_array_append_new(psks, x);
    }
    for (struct peer_record *r = a->store; r != NULL; r = r->next) {
        json_t *x = json_object();
        peer_put_num(x, "kind", (uint64_t)r->kind);
        peer_put_hex(x, "key", VIEW_ARRAY(r->key));
        peer_put_hex(x, "bytes", view_of(&r->bytes));
        json_array_append_new(records, x);
    }
    json_object_set(j, "psks", psks);
    json_object_set(j, "records", records);
    if (a->pending != NULL) {
        TRY(mls_stage_save(a->pending, &stage));
        peer_put_hex(j, "pending", view_of(&stage));
    }
    text = json_dumps(j, JSON_COMPACT);
    peer_put_hex(out, "state", view_str(text));
out:
    free(text);
    bytes_free(&stage);
    json_decref(psks);
    json_decref(records);
    json_decref(j);
    return e;
}

static enum err
load_group(struct peer_actor *a, const json_t *j)
{
    enum err e = OK;
    const json_t *list = json_object_get(j, "records");
    size_t n = json_array_size(list);
    struct mls_record *records;

    if (n == 0) {
        return OK;
    }
    records = arena_calloc(&a->peer->arena, n, sizeof(*records));
    if (records == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *x = json_array_get(list, i);
        struct view key = peer_hex(a->peer, x, "key", &e);
        TRY(e);
        records[i].kind = (enum mls_record_kind)peer_num(x, "kind", 0);
        records[i].bytes = peer_hex(a->peer, x, "bytes", &e);
        TRY(e);
        TRY(key.len == MLS_RECORD_KEY ? OK : ERR_FORMAT);
        memcpy(records[i].key, key.p, MLS_RECORD_KEY);
        TRY(record_put(a, &records[i]));
    }
    TRY(mls_load(&a->env, records, n, &a->group));
    if (json_object_get(j, "pending") != NULL) {
        TRY(mls_stage_load(a->group, peer_hex(a->peer, j, "pending", &e),
                           &a->pending));
    }
out:
    return e;
}

static enum err
load_actor(struct peer_actor *a, const json_t *j)
{
    enum err e = OK;
    struct peer *p = a->peer;
    const json_t *psks = json_object_get(j, "psks");
    struct prim_sign_key key;
    struct view seed = peer_hex(p, j, "seed", &e);

    TRY(seed.len == sizeof(a->seed) ? OK : ERR_FORMAT);
    memcpy(a->seed, seed.p, sizeof(a->seed));
    prim_ed25519_from_seed(a->seed, &key);
    memcpy(a->pub, key.pub, sizeof(a->pub));
    a->suite = (uint16_t)peer_num(j, "suite", 0);
    a->grease = peer_flag(j, "grease", false);
    TRY(bytes_copy(mem_of(p), peer_hex(p, j, "identity", &e), &a->identity));
    TRY(bytes_copy(mem_of(p), peer_hex(p, j, "key_package", &e),
                   &a->key_package));
    for (size_t i = 0; i < json_array_size(psks); i++) {
        const json_t *x = json_array_get(psks, i);
        TRY(peer_psk_add(a, peer_hex(p, x, "id", &e),
                         peer_hex(p, x, "psk", &e)));
    }
    TRY(load_group(a, j));
out:
    return e;
}

enum err
peer_actor_load(struct peer *p, struct view who, struct view state)
{
    enum err e;
    json_error_t error;
    json_t *j = json_loadb((const char *)state.p, state.len, 0, &error);
    struct peer_actor *a = peer_find(p, who);

    if (j == NULL) {
        return ERR_FORMAT;
    }
    if (a != NULL) {
        peer_forget(p, a);
        a = NULL;
    }
    TRY(actor_new(p, who, &a));
    TRY(load_actor(a, j));
out:
    if (e != OK && a != NULL) {
        peer_forget(p, a);
    }
    json_decref(j);
    return e;
}
