/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mls/key_schedule.h"

#include "crypto/prim/hpke.h"

void
mls_epoch_keys_wipe(struct mls_epoch_keys *k)
{
    mem_wipe(k, sizeof(*k));
}

void
mls_zero_secret(const struct mls_suite *s, struct prim_secret *out)
{
    prim_secret_wipe(out);
    out->len = s->prim.hash_size;
}

static void
key_and_nonce(const struct mls_suite *s, const struct prim_secret *secret,
              struct view context, struct mls_key_nonce *out)
{
    mls_expand_secret(s, secret, VIEW_LIT("key"), context, s->prim.key_size,
                      &out->key);
    mls_expand_secret(s, secret, VIEW_LIT("nonce"), context, s->prim.nonce_size,
                      &out->nonce);
}

/* RFC 9420 8, figure 22: the upper half */
void
mls_joiner_secret(const struct mls_suite *s, const struct prim_secret *init,
                  const struct prim_secret *commit, struct view group_context,
                  struct prim_secret *out)
{
    SCRUBBED_SECRET(extracted);

    prim_hkdf_extract(prim_secret_view(init), prim_secret_view(commit),
                      &extracted);
    mls_expand_secret(s, &extracted, VIEW_LIT("joiner"), group_context,
                      s->prim.hash_size, out);
}

void
mls_welcome_secret(const struct mls_suite *s, const struct prim_secret *joiner,
                   const struct prim_secret *psk, struct prim_secret *out)
{
    SCRUBBED_SECRET(member);

    prim_hkdf_extract(prim_secret_view(joiner), prim_secret_view(psk), &member);
    mls_derive_secret(s, &member, VIEW_LIT("welcome"), out);
}

void
mls_welcome_key(const struct mls_suite *s, const struct prim_secret *welcome,
                struct mls_key_nonce *out)
{
    key_and_nonce(s, welcome, (struct view){0}, out);
}

/* The lower half, and table 4 */
void
mls_epoch_keys_derive(const struct mls_suite *s,
                      const struct prim_secret *joiner,
                      const struct prim_secret *psk, struct view group_context,
                      struct mls_epoch_keys *out)
{
    SCRUBBED_SECRET(member);
    SCRUBBED_SECRET(epoch);

    prim_hkdf_extract(prim_secret_view(joiner), prim_secret_view(psk), &member);
    mls_expand_secret(s, &member, VIEW_LIT("epoch"), group_context,
                      s->prim.hash_size, &epoch);
    mls_derive_secret(s, &epoch, VIEW_LIT("sender data"), &out->sender_data);
    mls_derive_secret(s, &epoch, VIEW_LIT("encryption"), &out->encryption);
    mls_derive_secret(s, &epoch, VIEW_LIT("exporter"), &out->exporter);
    mls_derive_secret(s, &epoch, VIEW_LIT("external"), &out->external);
    mls_derive_secret(s, &epoch, VIEW_LIT("confirm"), &out->confirmation);
    mls_derive_secret(s, &epoch, VIEW_LIT("membership"), &out->membership);
    mls_derive_secret(s, &epoch, VIEW_LIT("resumption"), &out->resumption_psk);
    mls_derive_secret(s, &epoch, VIEW_LIT("authentication"),
                      &out->authenticator);
    mls_derive_secret(s, &epoch, VIEW_LIT("init"), &out->init);
}

enum err
mls_exporter(const struct mls_suite *s, const struct prim_secret *exporter,
             struct view label, struct view context, uint8_t *out, size_t len)
{
    enum err e;
    SCRUBBED_SECRET(derived);
    struct mls_hash hash = {0};

    derived.len = s->prim.hash_size;
    TRY(mls_expand(s, prim_secret_view(exporter), label, (struct view){0},
                   derived.b, derived.len));
    mls_hash_parts(s, &context, 1, &hash);
    TRY(mls_expand(s, prim_secret_view(&derived), VIEW_LIT("exported"),
                   mls_hash_view(&hash), out, len));
out:
    return e;
}

enum err
mls_external_pair(const struct mls_suite *s, const struct prim_secret *external,
                  struct prim_kem_pair *out)
{
    return prim_kem_derive(&s->prim, prim_secret_view(external), out);
}

/* RFC 9420 8.3 */
static struct view
external_init_label(void)
{
    return VIEW_LIT("MLS 1.0 external init secret");
}

enum err
mls_external_init_send(const struct mls_suite *s, const struct rng *rng,
                       struct view external_pub, uint8_t *kem_output_out,
                       struct prim_secret *init_out)
{
    enum err e;
    SCRUBBED_SECRET(init);

    init.len = s->prim.hash_size;
    TRY(prim_hpke_export_send(&s->prim, rng, external_pub, NULL, 0,
                              external_init_label(), kem_output_out, init.b,
                              init.len));
    *init_out = init;
out:
    return e;
}

enum err
mls_external_init_receive(const struct mls_suite *s,
                          const struct prim_kem_pair *external_pair,
                          struct view kem_output, struct prim_secret *init_out)
{
    enum err e;
    SCRUBBED_SECRET(init);

    init.len = s->prim.hash_size;
    TRY(prim_hpke_export_receive(&s->prim, external_pair, kem_output, NULL, 0,
                                 external_init_label(), init.b, init.len));
    *init_out = init;
out:
    return e;
}

/* RFC 9420 6.3.2 [sender-data-sample]: a short ciphertext is its own sample */
void
mls_sender_data_key(const struct mls_suite *s,
                    const struct prim_secret *sender_data,
                    struct view ciphertext, struct mls_key_nonce *out)
{
    size_t len =
        ciphertext.len < s->prim.hash_size ? ciphertext.len : s->prim.hash_size;

    key_and_nonce(s, sender_data, view_sub(ciphertext, 0, len), out);
}
