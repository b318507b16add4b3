/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ident/consent.h"
#include "tests/crypto/ident/ident_fixture.h"
#include "tests/crypto/ident/patient_fixture.h"
#include "tests/support/fail_mem.h"

static struct ident_consent
sample(const struct patient *p)
{
    struct ident_consent c = {.id = {1, 2, 3},
                              .patient = p->id,
                              .serial = 4,
                              .purpose = VIEW_LIT("Second opinion, knee"),
                              .history = IDENT_HISTORY_FROM,
                              .history_from_ms = 5,
                              .scope = IDENT_SCOPE_THREAD,
                              .made_ms = FIXTURE_NOW_MS,
                              .until_ms = FIXTURE_NOW_MS + 30 * IDENT_DAY_MS};

    memset(c.clinic.b, 11, sizeof(c.clinic.b));
    memset(c.asker.b, 12, sizeof(c.asker.b));
    memset(c.thread.b, 13, sizeof(c.thread.b));
    return c;
}

static void
check_same(const struct ident_consent *a, const struct ident_consent *b)
{
    CHECK_VIEW(VIEW_ARRAY(a->id), VIEW_ARRAY(b->id));
    CHECK(patient_id_equal(&a->patient, &b->patient));
    CHECK(clinic_id_equal(&a->clinic, &b->clinic));
    CHECK(clinic_id_equal(&a->asker, &b->asker));
    CHECK(a->serial == b->serial);
    CHECK_VIEW(a->purpose, b->purpose);
    CHECK(a->history == b->history);
    CHECK(a->history_from_ms == b->history_from_ms);
    CHECK(a->scope == b->scope);
    CHECK(thread_id_equal(&a->thread, &b->thread));
    CHECK(a->made_ms == b->made_ms);
    CHECK(a->until_ms == b->until_ms);
}

TEST(a_consent)
{
    struct patient p;
    struct ident_consent c;
    struct ident_consent back;
    struct bytes b = {0};
    struct device_id id;

    patient_init(&p, 1);
    c = sample(&p);
    CHECK_OK(ident_consent_make(mem_heap(), &p.tablet, &c, &b));
    CHECK_OK(ident_consent_open(mem_heap(), view_of(&b), &p.list, &back));
    check_same(&back, &c);
    id = device_of(&p.tablet);
    CHECK(device_id_equal(&back.device, &id));
    for (size_t i = 0; i < b.len; i++) {
        b.p[i] ^= 1;
        CHECK(ident_consent_open(mem_heap(), view_of(&b), &p.list, &back) !=
              OK);
        b.p[i] ^= 1;
        CHECK_ERR(ident_consent_open(mem_heap(), view_sub(view_of(&b), 0, i),
                                     &p.list, &back),
                  ERR_FORMAT);
    }
    bytes_free(&b);
    patient_clear(&p);
}

TEST(only_a_device_of_the_patient_consents)
{
    struct patient p;
    struct patient q;
    struct ident_consent c;
    struct bytes b = {0};

    patient_init(&p, 1);
    patient_init(&q, 2);
    c = sample(&p);
    /* [consent-device] */
    CHECK_OK(ident_consent_make(mem_heap(), &p.laptop, &c, &b));
    CHECK_ERR(ident_consent_open(mem_heap(), view_of(&b), &p.list, &c),
              ERR_STALE);
    bytes_free(&b);
    /* [consent-patient] another patient's device consents for this one */
    CHECK_OK(ident_consent_make(mem_heap(), &q.phone, &c, &b));
    CHECK_ERR(ident_consent_open(mem_heap(), view_of(&b), &q.list, &c),
              ERR_AUTH);
    CHECK_ERR(ident_consent_open(mem_heap(), view_of(&b), &p.list, &c),
              ERR_STALE);
    bytes_free(&b);
    patient_clear(&p);
    patient_clear(&q);
}

/* [consent-whole] */
TEST(what_is_not_signed)
{
    struct patient p;
    struct ident_consent c;
    struct bytes b = {0};
    static const uint8_t longer[IDENT_PURPOSE_MAX + 1] = {'a'};

    patient_init(&p, 1);
    for (int i = 0; i < 11; i++) {
        c = sample(&p);
        switch (i) {
        case 0:
            c.purpose = (struct view){0};
            break;
        case 1:
            c.purpose = VIEW_LIT("\xff");
            break;
        case 2:
            c.purpose = VIEW_ARRAY(longer);
            break;
        case 3:
            c.serial = 0;
            break;
        case 4:
            memset(c.id, 0, sizeof(c.id));
            break;
        case 5:
            c.history = IDENT_HISTORY_ALL;
            break;
        case 6:
            c.history_from_ms = 0;
            break;
        case 7:
            c.scope = IDENT_SCOPE_PRIVATE;
            break;
        case 8:
            memset(c.thread.b, 0, sizeof(c.thread.b));
            break;
        case 9:
            c.until_ms = c.made_ms - 1;
            break;
        default:
            c.scope = 0;
            memset(c.thread.b, 0, sizeof(c.thread.b));
            break;
        }
        CHECK_ERR(ident_consent_make(mem_heap(), &p.phone, &c, &b),
                  ERR_INVALID);
    }
    patient_clear(&p);
}

TEST(what_a_consent_covers)
{
    struct patient p;
    struct ident_consent c;
    struct clinic_id clinic;
    struct clinic_id other = {{0}};
    struct thread_id thread;
    struct thread_id elsewhere = {{1}};
    uint64_t end;

    patient_init(&p, 1);
    c = sample(&p);
    clinic = c.clinic;
    thread = c.thread;
    end = c.until_ms + IDENT_TOLERANCE_MS;
    CHECK(ident_consent_covers(&c, &clinic, IDENT_SCOPE_THREAD, &thread, 0));
    CHECK(ident_consent_covers(&c, &clinic, IDENT_SCOPE_THREAD, &thread, end));
    CHECK(!ident_consent_covers(&c, &clinic, IDENT_SCOPE_THREAD, &thread,
                                end + 1));
    CHECK(!ident_consent_covers(&c, &other, IDENT_SCOPE_THREAD, &thread, 0));
    CHECK(
        !ident_consent_covers(&c, &clinic, IDENT_SCOPE_THREAD, &elsewhere, 0));
    CHECK(!ident_consent_covers(&c, &clinic, IDENT_SCOPE_PRIVATE, &thread, 0));
    c.until_ms = 0;
    CHECK(ident_consent_covers(&c, &clinic, IDENT_SCOPE_THREAD, &thread,
                               UINT64_MAX));
    c.scope = IDENT_SCOPE_PRIVATE;
    CHECK(ident_consent_covers(&c, &clinic, IDENT_SCOPE_PRIVATE, NULL, 0));
    patient_clear(&p);
}

/* decisions D 18: withdrawn, until allowed again */
TEST(a_withdrawal)
{
    struct patient p;
    struct ident_consent c;
    struct ident_withdrawal w = {.serial = 5, .made_ms = FIXTURE_NOW_MS};
    struct ident_withdrawal back = {0};
    struct bytes b = {0};

    patient_init(&p, 1);
    c = sample(&p);
    w.patient = c.patient;
    w.clinic = c.clinic;
    CHECK_OK(ident_withdrawal_make(mem_heap(), &p.phone, &w, &b));
    CHECK_OK(ident_withdrawal_open(mem_heap(), view_of(&b), &p.list, &back));
    CHECK(back.serial == 5);
    CHECK(ident_withdrawal_ends(&back, &c));
    for (size_t i = 0; i < b.len; i++) {
        b.p[i] ^= 1;
        CHECK(ident_withdrawal_open(mem_heap(), view_of(&b), &p.list, &back) !=
              OK);
        b.p[i] ^= 1;
    }
    bytes_free(&b);
    c.serial = 5;
    CHECK(ident_withdrawal_ends(&w, &c));
    c.serial = 6;
    CHECK(!ident_withdrawal_ends(&w, &c));
    memcpy(w.consent, c.id, sizeof(w.consent));
    CHECK(ident_withdrawal_ends(&w, &c));
    c.id[0] ^= 1;
    CHECK(!ident_withdrawal_ends(&w, &c));
    c = sample(&p);
    c.clinic.b[0] ^= 1;
    CHECK(!ident_withdrawal_ends(&w, &c));
    c = sample(&p);
    c.patient.b[0] ^= 1;
    CHECK(!ident_withdrawal_ends(&w, &c));
    w.serial = 0;
    CHECK_ERR(ident_withdrawal_make(mem_heap(), &p.phone, &w, &b), ERR_INVALID);
    patient_clear(&p);
}

TEST(a_consent_at_the_desk)
{
    struct patient p;
    struct fixture f;
    struct fixture other;
    struct ident_desk_consent d = {0};
    struct ident_desk_consent back;
    struct bytes b = {0};
    struct ident_check check = {.now_ms = FIXTURE_NOW_MS};

    patient_init(&p, 1);
    fixture_init(&f, 3);
    fixture_init(&other, 4);
    check.root = &f.id;
    d.consent = sample(&p);
    d.consent.asker = f.id;
    d.member.b[0] = 9;
    d.name = VIEW_LIT("Anna K., reception");
    d.why = VIEW_LIT("Signed on paper at the desk");
    CHECK_OK(ident_desk_consent_make(mem_heap(), &f.node, view_of(&f.chain), &d,
                                     &b));
    CHECK_OK(ident_desk_consent_open(mem_heap(), view_of(&b), &check, &back));
    check_same(&back.consent, &d.consent);
    CHECK(member_id_equal(&back.member, &d.member));
    CHECK_VIEW(back.name, d.name);
    CHECK_VIEW(back.why, d.why);
    for (size_t i = 0; i < b.len; i += 3) {
        b.p[i] ^= 1;
        CHECK(ident_desk_consent_open(mem_heap(), view_of(&b), &check, &back) !=
              OK);
        b.p[i] ^= 1;
    }
    check.root = &other.id;
    CHECK_ERR(ident_desk_consent_open(mem_heap(), view_of(&b), &check, &back),
              ERR_AUTH);
    bytes_free(&b);
    /* [desk-consent-asker] one clinic records in another's name */
    d.consent.asker = other.id;
    check.root = &f.id;
    CHECK_OK(ident_desk_consent_make(mem_heap(), &f.node, view_of(&f.chain), &d,
                                     &b));
    CHECK_ERR(ident_desk_consent_open(mem_heap(), view_of(&b), &check, &back),
              ERR_AUTH);
    bytes_free(&b);
    d.why = (struct view){0};
    CHECK_ERR(
        ident_desk_consent_make(mem_heap(), &f.node, view_of(&f.chain), &d, &b),
        ERR_INVALID);
    fixture_clear(&f);
    fixture_clear(&other);
    patient_clear(&p);
}

TEST(an_introduction)
{
    struct patient p;
    struct fixture f;
    struct ident_introduction in = {.consent = {1}, .relays = true};
    struct ident_introduction back = {0};
    struct bytes b = {0};
    struct ident_check check = {.now_ms = FIXTURE_NOW_MS};

    patient_init(&p, 1);
    fixture_init(&f, 3);
    check.root = &f.id;
    in.introducer = f.id;
    in.patient = p.id;
    in.clinic.b[5] = 5;
    in.made_ms = FIXTURE_NOW_MS;
    CHECK_OK(ident_introduction_make(mem_heap(), &f.node, view_of(&f.chain),
                                     &in, &b));
    CHECK_OK(ident_introduction_open(mem_heap(), view_of(&b), &check, &back));
    CHECK(patient_id_equal(&back.patient, &p.id));
    CHECK(clinic_id_equal(&back.clinic, &in.clinic));
    CHECK(clinic_id_equal(&back.introducer, &f.id));
    CHECK_VIEW(VIEW_ARRAY(back.consent), VIEW_ARRAY(in.consent));
    CHECK(back.relays);
    CHECK(back.made_ms == FIXTURE_NOW_MS);
    bytes_free(&b);
    /* [introduction-signer] */
    in.introducer.b[0] ^= 1;
    CHECK_OK(ident_introduction_make(mem_heap(), &f.node, view_of(&f.chain),
                                     &in, &b));
    CHECK_ERR(ident_introduction_open(mem_heap(), view_of(&b), &check, &back),
              ERR_AUTH);
    bytes_free(&b);
    fixture_clear(&f);
    patient_clear(&p);
}

static enum err
all_of_it(const struct mem *mem, const struct patient *p,
          const struct fixture *f)
{
    enum err e;
    struct bytes b[4] = {{0}};
    struct ident_consent c = sample(p);
    struct ident_withdrawal w = {.patient = p->id, .serial = 1};
    struct ident_desk_consent d = {.why = VIEW_LIT("because")};
    struct ident_introduction in = {.introducer = f->id};
    struct ident_check check = {.root = &f->id, .now_ms = FIXTURE_NOW_MS};

    d.consent = c;
    d.consent.asker = f->id;
    TRY(ident_consent_make(mem, &p->phone, &c, &b[0]));
    TRY(ident_consent_open(mem, view_of(&b[0]), &p->list, &c));
    TRY(ident_withdrawal_make(mem, &p->phone, &w, &b[1]));
    TRY(ident_withdrawal_open(mem, view_of(&b[1]), &p->list, &w));
    TRY(ident_desk_consent_make(mem, &f->node, view_of(&f->chain), &d, &b[2]));
    TRY(ident_desk_consent_open(mem, view_of(&b[2]), &check, &d));
    TRY(ident_introduction_make(mem, &f->node, view_of(&f->chain), &in, &b[3]));
    TRY(ident_introduction_open(mem, view_of(&b[3]), &check, &in));
out:
    for (size_t i = 0; i < 4; i++) {
        bytes_free(&b[i]);
    }
    return e;
}

TEST(no_memory)
{
    struct patient p;
    struct fixture f;

    patient_init(&p, 1);
    fixture_init(&f, 3);
    for (uint64_t i = 1;; i++) {
        struct fail_mem m;
        enum err e;

        fail_mem_init(&m, i);
        e = all_of_it(&m.mem, &p, &f);
        CHECK_EQ(m.live, 0);
        if (!m.hit) {
            CHECK_OK(e);
            break;
        }
        CHECK_ERR(e, ERR_NOMEM);
    }
    fixture_clear(&f);
    patient_clear(&p);
}

int
main(void)
{
    return RUN(T(a_consent), T(only_a_device_of_the_patient_consents),
               T(what_is_not_signed), T(what_a_consent_covers), T(a_withdrawal),
               T(a_consent_at_the_desk), T(an_introduction), T(no_memory));
}
