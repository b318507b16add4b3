/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A GroupInfo on its way through a relay is sealed to a key that its asker
 * made for this one question: who takes part, device lists and consents are
 * inside MLS for everybody else, and stay so (reference threads 6.3, gi).
 *
 *     sealed  HPKE base mode of the suite, info "balsam v1 gi" | thread id;
 *             enc, then ciphertext
 */
#include "federation/core/care.h"

#include "crypto/mls/suite.h"
#include "crypto/prim/hpke.h"

#include <string.h>

static const struct prim_suite *
suite_of(const struct fed_core *core)
{
    const struct mls_suite *s = mls_suite_find(core->config.suite);

    return s == NULL ? NULL : &s->prim;
}

enum err
fed_veil_ask(struct fed_core *core, struct fed_thread *t, uint8_t pub[32])
{
    enum err e;
    const struct prim_suite *s = suite_of(core);
    struct prim_kem_pair pair;

    memset(&pair, 0, sizeof(pair));
    TRY(s != NULL && s->kem_pub_size == 32 ? OK : ERR_UNSUPPORTED);
    if (t->veil == NULL) {
        t->veil = mem_alloc(core->mem, sizeof(*t->veil));
        TRY(t->veil == NULL ? ERR_NOMEM : OK);
    }
    TRY(prim_kem_generate(s, core->config.rng, &pair));
    *t->veil = pair;
    memcpy(pub, pair.pub, 32);
out:
    prim_kem_pair_wipe(&pair);
    return e;
}

enum err
fed_veil_seal(struct fed_core *core, const struct thread_id *thread,
              const uint8_t pub[32], struct bytes *info)
{
    enum err e;
    const struct prim_suite *s = suite_of(core);
    struct view label[] = {VIEW_LIT("balsam v1 gi"), thread_id_view(thread)};
    struct bytes out = {0};

    TRY(s != NULL && s->kem_pub_size == 32 ? OK : ERR_UNSUPPORTED);
    TRY(bytes_reserve(core->mem, &out, 32 + info->len + s->tag_size));
    TRY(prim_hpke_seal(s, core->config.rng, view_make(pub, 32), label, 2,
                       (struct view){0}, view_of(info), out.p, out.p + 32));
    out.len = 32 + info->len + s->tag_size;
    bytes_free(info);
    *info = bytes_take(&out);
out:
    bytes_free(&out);
    return e;
}

enum err
fed_veil_open(struct fed_core *core, struct fed_thread *t, struct view in,
              struct bytes *out)
{
    enum err e;
    const struct prim_suite *s = suite_of(core);
    struct view label[] = {VIEW_LIT("balsam v1 gi"), thread_id_view(&t->id)};

    if (t->veil == NULL || s == NULL || in.len < 32u + s->tag_size) {
        return ERR_AUTH;
    }
    TRY(bytes_reserve(core->mem, out, in.len));
    TRY(prim_hpke_open(s, t->veil, view_sub(in, 0, 32), label, 2,
                       (struct view){0}, view_skip(in, 32), out->p));
    out->len = in.len - 32u - s->tag_size;
out:
    return e;
}

void
fed_veil_free(struct fed_core *core, struct fed_thread *t)
{
    if (t->veil != NULL) {
        prim_kem_pair_wipe(t->veil);
        mem_free(core->mem, t->veil, sizeof(*t->veil));
        t->veil = NULL;
    }
}
