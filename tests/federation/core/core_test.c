/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small pure parts of the core; its behaviour as a whole is told in
 * tests/sim.
 */
#include "crypto/prim/init.h"
#include "federation/core/care.h"
#include "federation/core/inside.h"
#include "tests/support/check.h"
#include "tests/support/fail_mem.h"
#include "tests/support/sample.h"
#include "tests/support/seed_rng.h"

#include <string.h>

TEST(records_there_and_back)
{
    static const struct proto_shape *const shapes[] = {
        &fed_rec_self_shape, &fed_rec_party_shape,  &fed_rec_link_shape,
        &fed_rec_kp_shape,   &fed_rec_thread_shape, &fed_rec_member_shape,
        &fed_rec_log_shape,  &fed_rec_intent_shape, &fed_rec_stage_shape,
    };
    static _Alignas(max_align_t) uint8_t a[1024];
    static _Alignas(max_align_t) uint8_t b[1024];

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct bytes out = {0};
        struct bytes again = {0};

        sample_fill(shapes[i], a, (uint8_t)i, NULL);
        CHECK_OK(fed_rec_encode(mem_heap(), shapes[i], a, &out));
        CHECK_OK(fed_rec_decode(view_of(&out), shapes[i], b));
        CHECK_OK(fed_rec_encode(mem_heap(), shapes[i], b, &again));
        CHECK_VIEW(view_of(&again), view_of(&out));
        CHECK_ERR(fed_rec_decode(view_make(out.p, out.len - 1), shapes[i], b),
                  ERR_CORRUPT);
        bytes_free(&out);
        bytes_free(&again);
    }
}

/* ----------------------------------------------------------- the overlay */

static enum err
no_get(void *ctx, enum fed_ns ns, struct view key, const struct mem *mem,
       struct bytes *out)
{
    (void)ctx;
    (void)ns;
    return view_equal(key, VIEW_LIT("stored"))
               ? bytes_copy(mem, VIEW_LIT("1"), out)
               : ERR_MISSING;
}

static enum err
one_next(void *ctx, enum fed_ns ns, struct view from, const struct mem *mem,
         struct bytes *key_out, struct bytes *value_out)
{
    enum err e;

    (void)ctx;
    (void)ns;
    if (view_cmp(from, VIEW_LIT("stored")) > 0) {
        return ERR_MISSING;
    }
    TRY(bytes_copy(mem, VIEW_LIT("stored"), key_out));
    TRY(bytes_copy(mem, VIEW_LIT("1"), value_out));
out:
    return e;
}

static enum err
overlay(const struct mem *mem)
{
    enum err e;
    struct fed_core core = {
        .mem = mem, .config.store = {no_get, one_next, NULL, NULL, NULL, NULL}};
    struct fed_key a = fed_key_of(VIEW_LIT("a"));
    struct fed_key z = fed_key_of(VIEW_LIT("z"));
    struct fed_key stored = fed_key_of(VIEW_LIT("stored"));
    struct fed_key at = {.len = 0};
    struct bytes key = {0};
    struct bytes value = {0};

    TRY(fed_tx_put(&core, FED_NS_LOG, &z, VIEW_LIT("3")));
    core.taken = core.cur; /* as if it were being committed */
    core.cur = NULL;
    TRY(fed_tx_put(&core, FED_NS_LOG, &a, VIEW_LIT("0")));
    TRY(fed_tx_next(&core, FED_NS_LOG, &at, (struct view){0}, &key, &value));
    CHECK_VIEW(view_of(&key), VIEW_LIT("a"));
    bytes_free(&key);
    bytes_free(&value);
    TRY(fed_tx_del(&core, FED_NS_LOG, &a));
    TRY(fed_tx_next(&core, FED_NS_LOG, &at, (struct view){0}, &key, &value));
    CHECK_VIEW(view_of(&key), VIEW_LIT("stored"));
    bytes_free(&key);
    bytes_free(&value);
    TRY(fed_tx_del(&core, FED_NS_LOG, &stored));
    TRY(fed_tx_next(&core, FED_NS_LOG, &at, (struct view){0}, &key, &value));
    CHECK_VIEW(view_of(&value), VIEW_LIT("3"));
    bytes_free(&key);
    bytes_free(&value);
    CHECK_ERR(fed_tx_get(&core, FED_NS_LOG, &stored, &value), ERR_MISSING);
    TRY(fed_tx_drop(&core, FED_NS_LOG, (struct view){0}));
    CHECK_ERR(
        fed_tx_next(&core, FED_NS_LOG, &at, (struct view){0}, &key, &value),
        ERR_MISSING);
    TRY(fed_tx_show(&core, FED_SHOW_GAP) == NULL ? ERR_NOMEM : OK);
out:
    bytes_free(&key);
    bytes_free(&value);
    fed_batch_free(&core, core.cur);
    fed_batch_free(&core, core.taken);
    return e;
}

TEST(reads_see_what_is_not_committed)
{
    CHECK_OK(overlay(mem_heap()));
}

enum {
    PATIENTS = 300
};

static uint64_t
some_time(void *ctx)
{
    (void)ctx;
    return UINT64_C(1700000000000);
}

static enum err
none_get(void *ctx, enum fed_ns ns, struct view key, const struct mem *mem,
         struct bytes *out)
{
    (void)ctx;
    (void)ns;
    (void)key;
    (void)mem;
    (void)out;
    return ERR_MISSING;
}

static enum err
none_next(void *ctx, enum fed_ns ns, struct view from, const struct mem *mem,
          struct bytes *key_out, struct bytes *value_out)
{
    (void)value_out;
    return none_get(ctx, ns, from, mem, key_out);
}

/* A patient with one device. */
static void
make_list(uint16_t number, struct patient_id *id, struct bytes *out)
{
    struct prim_sign_key key;
    uint8_t seed[PRIM_ED25519_SEED] = {(uint8_t)number, (uint8_t)(number >> 8)};
    struct ident_devices list = {.generation = ident_generation(1u + number, 0),
                                 .len = 1};

    prim_ed25519_from_seed(seed, &key);
    memcpy(id->b, key.pub, sizeof(id->b));
    list.patient = *id;
    memcpy(list.device[0].id.b, seed, sizeof(seed));
    list.device[0].id.b[31] = 1;
    list.device[0].may_add = true;
    CHECK_OK(ident_devices_make(mem_heap(), &key, &list, out));
}

static size_t
lists_in_memory(const struct fed_core *core)
{
    size_t n = 0;

    for (size_t i = 0; i < core->parties_len; i++) {
        n += core->parties[i]->list != NULL;
    }
    return n;
}

/* Those that are in memory are few; the others are read again. */
TEST(lists_of_very_many_patients)
{
    static const struct clock clock = {some_time, some_time, NULL};
    struct seed_rng rng;
    struct fed_core *core;
    struct fed_core_config config = {
        .mem = mem_heap(),
        .clock = &clock,
        .store = {none_get, none_next, NULL, NULL, NULL, NULL}};
    struct patient_id ids[PATIENTS];
    struct ident_devices list;

    seed_rng_init(&rng, 1);
    config.rng = &rng.rng;
    core = mem_alloc(mem_heap(), sizeof(*core));
    CHECK(core != NULL);
    core->config = config;
    core->mem = mem_heap();
    core->kind = FED_KIND_CLINIC;
    for (uint16_t i = 0; i < PATIENTS; i++) {
        struct bytes b = {0};

        struct fed_party *p;
        struct clinic_id root;

        make_list(i, &ids[i], &b);
        memcpy(root.b, ids[i].b, sizeof(root.b));
        CHECK_OK(fed_party_get(core, &root, &p));
        p->kind = FED_KIND_PATIENT;
        CHECK_OK(fed_patient_learn(core, &ids[i], view_of(&b), FED_LEARNED_LINK,
                                   NULL));
        CHECK_OK(fed_patient_list(core, &ids[i], &list));
        bytes_free(&b);
        fed_patient_trim(core);
    }
    CHECK_EQ(lists_in_memory(core), core->lists_len);
    CHECK(core->lists_len > 0 && core->lists_len < PATIENTS);
    for (uint16_t i = 0; i < PATIENTS; i++) {
        CHECK_OK(fed_patient_list(core, &ids[i], &list));
        CHECK_EQ(list.generation, ident_generation(1u + i, 0));
        CHECK_EQ(list.len, 1);
    }
    fed_core_free(core);
}

TEST(the_chain_binds_every_part)
{
    uint8_t prev[32] = {1};
    uint8_t hash[32] = {2};
    uint8_t a[32];
    uint8_t b[32];

    fed_log_head(prev, 1, 2, 3, hash, a);
    fed_log_head(prev, 2, 2, 3, hash, b);
    CHECK(memcmp(a, b, 32) != 0);
    fed_log_head(prev, 1, 3, 3, hash, b);
    CHECK(memcmp(a, b, 32) != 0);
    fed_log_head(prev, 1, 2, 4, hash, b);
    CHECK(memcmp(a, b, 32) != 0);
    hash[31] = 1;
    fed_log_head(prev, 1, 2, 3, hash, b);
    CHECK(memcmp(a, b, 32) != 0);
}

TEST(only_our_own_failures_end_a_step)
{
    CHECK(fed_ours(ERR_NOMEM) && fed_ours(ERR_CORRUPT) && fed_ours(ERR_FULL));
    CHECK(!fed_ours(OK) && !fed_ours(ERR_FORMAT) && !fed_ours(ERR_AUTH));
}

int
main(void)
{
    if (prim_init() != OK) {
        return 1;
    }
    return RUN(T(records_there_and_back), T(reads_see_what_is_not_committed),
               T(lists_of_very_many_patients), T(the_chain_binds_every_part),
               T(only_our_own_failures_end_a_step));
}
