/* SPDX-License-Identifier: Apache-2.0 */
#include "store/patient.h"

#include "proto/base/limits.h"
#include "tests/store/fix.h"

static enum err
put_run(void *ctx, struct store_txn *txn)
{
    return store_patient_put(txn, ctx);
}

static enum err
consent_run(void *ctx, struct store_txn *txn)
{
    return store_consent_put(txn, ctx);
}

static enum err
count(void *ctx, const struct store_patient *p)
{
    CHECK_EQ(p->state, STORE_PATIENT_JOINED);
    ++*(unsigned *)ctx;
    return OK;
}

TEST(patients_are_kept_and_changed)
{
    struct fix f;
    struct store_patient p = {.id = {{1}}, .state = STORE_PATIENT_ASKS};
    struct store_patient got = {.state = 0};
    struct store_txn *txn;
    unsigned n = 0;

    fix_begin(&f);
    CHECK_OK(phi_from(mem_heap(), VIEW_LIT("Ann"), &p.claim));
    FIX_WRITE(&f, put_run, &p);
    p.state = STORE_PATIENT_JOINED;
    p.learned = STORE_LEARNED_SCANNED;
    p.has_contact = true;
    p.contact.b[0] = 5;
    FIX_WRITE(&f, put_run, &p);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_patient_has(txn, &p.id));
    CHECK_OK(store_patient_get(txn, &p.id, &got));
    CHECK_EQ(got.learned, STORE_LEARNED_SCANNED);
    CHECK(got.has_contact && got.contact.b[0] == 5 && !got.has_conv);
    CHECK_EQ(phi_len(&got.claim), 3);
    store_patient_clear(&got);
    CHECK_OK(store_patient_list(txn, count, &n));
    CHECK_EQ(n, 1);
    p.id.b[0] = 2;
    CHECK_ERR(store_patient_has(txn, &p.id), ERR_MISSING);
    store_read_end(txn);
    store_patient_clear(&p);
    fix_end(&f);
}

struct seen {
    uint64_t at[8];
    size_t n;
};

static enum err
see(void *ctx, const struct store_consent *c)
{
    struct seen *s = ctx;

    s->at[s->n++] = c->at_ms;
    return OK;
}

TEST(what_was_said_is_listed_oldest_first)
{
    static char text[LIMIT_SETTING_VALUE + 1];
    struct fix f;
    struct store_consent c = {.patient = {{1}}, .at_ms = 300};
    struct patient_id ann = {{1}};
    struct seen s = {.n = 0};
    struct store_txn *txn;

    fix_begin(&f);
    FIX_WRITE(&f, consent_run, &c);
    FIX_WRITE(&f, consent_run, &c); /* the same again */
    c.at_ms = 100;
    FIX_WRITE(&f, consent_run, &c);
    c.patient.b[0] = 2;
    FIX_WRITE(&f, consent_run, &c);
    CHECK_OK(store_read_begin(f.s, &txn));
    CHECK_OK(store_consent_list(txn, &ann, see, &s));
    CHECK_EQ(s.n, 2);
    CHECK(s.at[0] == 100 && s.at[1] == 300);
    s.n = 0;
    CHECK_OK(store_consent_list(txn, NULL, see, &s));
    CHECK_EQ(s.n, 3);
    store_read_end(txn);
    CHECK_OK(bytes_copy(mem_heap(), view_make(text, sizeof(text)), &c.content));
    CHECK_ERR(store_write(f.s, consent_run, &c, 0), ERR_LIMIT);
    store_consent_clear(&c);
    fix_end(&f);
}

int
main(void)
{
    return RUN(T(patients_are_kept_and_changed),
               T(what_was_said_is_listed_oldest_first));
}
