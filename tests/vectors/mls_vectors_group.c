/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passive clients: join by Welcome and follow every epoch, also across a
 * restart.  The gap vectors add application messages, out of order.
 */
#include "tests/vectors/mls_vectors.h"

#include <string.h>

struct passive {
    struct vec *v;
    struct mls_env env;
    enum mls_rule broken;
    struct mls_group *group;
};

static enum err
find_psk(void *ctx, const struct mls_psk_id *id, struct bytes *out)
{
    struct passive *p = ctx;
    const json_t *psks = json_object_get(p->v->j, "external_psks");

    for (size_t i = 0; i < json_array_size(psks); i++) {
        const json_t *j = json_array_get(psks, i);
        if (id->type == MLS_PSK_EXTERNAL &&
            view_equal(vec_hex(p->v, j, "psk_id"), id->id)) {
            return bytes_copy(p->v->mem, vec_hex(p->v, j, "psk"), out);
        }
    }
    return ERR_MISSING;
}

/* OK, or the case ends with the rule that was broken. */
static void
group_ok(struct passive *p, enum err e, const char *what, size_t epoch)
{
    if (e != OK) {
        vec_fail(p->v, "epoch %zu: %s: %s [%s]", epoch, what, err_name(e),
                 mls_rule_name(p->broken));
    }
}

static void
check_authenticator(struct passive *p, const json_t *j, const char *key)
{
    vec_eq_hex(p->v, mls_group_authenticator(p->group), j, key);
}

static void
process(struct passive *p, struct view message, size_t epoch)
{
    struct mls_processed out = {0};

    p->broken = MLS_RULE_NONE;
    group_ok(p, mls_process(p->group, message, &out), "process", epoch);
    if (out.kind == MLS_PROCESSED_COMMIT) {
        group_ok(p, mls_merge(p->group, &out.stage), "merge", epoch);
    }
    mls_processed_clear(&out);
}

/* Save, free, load. */
static void
restart(struct passive *p, size_t epoch)
{
    struct mls_change *all = NULL;
    struct mls_record *records;
    size_t n;

    group_ok(p, mls_save(p->group, MLS_SAVE_ALL, &all), "save", epoch);
    n = mls_change_count(all);
    records = arena_calloc(p->v->arena, n, sizeof(*records));
    VEC_CHECK(p->v, records != NULL);
    for (size_t i = 0; i < n; i++) {
        mls_change_at(all, i, &records[i]);
    }
    mls_group_free(p->group);
    p->group = NULL;
    p->broken = MLS_RULE_NONE;
    group_ok(p, mls_load(&p->env, records, n, &p->group), "load", epoch);
    mls_change_free(all);
}

static void
check_application(struct passive *p, const json_t *list, size_t epoch)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *j = json_array_get(list, i);
        struct mls_unprotected out = {0};
        p->broken = MLS_RULE_NONE;
        group_ok(p, mls_unprotect(p->group, vec_hex(p->v, j, "message"), &out),
                 "unprotect", epoch);
        vec_eq_hex(p->v, view_of(&out.plaintext), j, "plaintext");
        mls_unprotected_clear(&out);
    }
}

static void
check_epoch(struct passive *p, const json_t *j, size_t epoch)
{
    const json_t *proposals = vec_get(p->v, j, "proposals");

    for (size_t i = 0; i < json_array_size(proposals); i++) {
        process(p, vec_unhex(p->v, json_array_get(proposals, i)), epoch);
    }
    process(p, vec_hex(p->v, j, "commit"), epoch);
    if (epoch % 3 == 0) {
        restart(p, epoch);
    }
    check_authenticator(p, j, "epoch_authenticator");
    check_application(p, json_object_get(j, "application"), epoch);
}

void
vec_run_passive(struct vec *v)
{
    struct passive p = {.v = v};
    const json_t *tree = json_object_get(v->j, "ratchet_tree");
    const json_t *epochs = vec_get(v, v->j, "epochs");
    struct bytes record = {0};
    struct mls_join_opts opts = {.welcome = vec_hex(v, v->j, "welcome")};

    p.env = (struct mls_env){.mem = v->mem,
                             .rng = v->rng,
                             .clock = v->clock,
                             .ctx = &p,
                             .find_psk = find_psk,
                             .rule_out = &p.broken,
                             .past_epochs = 2};
    if (json_is_string(tree)) {
        opts.tree = vec_unhex(v, tree);
    }
    group_ok(&p,
             mls_key_package_record(&p.env, vec_hex(v, v->j, "key_package"),
                                    vec_hex(v, v->j, "init_priv"),
                                    vec_hex(v, v->j, "encryption_priv"),
                                    vec_hex(v, v->j, "signature_priv"),
                                    &record),
             "key package", 0);
    opts.key_package_record = view_of(&record);
    group_ok(&p, mls_join(&p.env, &opts, &p.group), "join", 0);
    bytes_free(&record);
    check_authenticator(&p, v->j, "initial_epoch_authenticator");
    for (size_t i = 0; i < json_array_size(epochs); i++) {
        check_epoch(&p, json_array_get(epochs, i), i + 1);
    }
    mls_group_free(p.group);
}
